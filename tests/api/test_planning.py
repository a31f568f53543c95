"""Plans, runs, promises and quotes over HTTP."""

from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.test import Client

from orders import planruns, services, worker
from orders.models import Membership, OrderLine, PlanRun, Role
from production import plans
from tests.shop_floor import planned

pytestmark = pytest.mark.django_db(transaction=True)
JSON = {"content_type": "application/json"}


def client_of(shop, role):
    user = User.objects.create_user(role)
    Membership.objects.create(shop=shop, user=user, role=role)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def line(quick):
    quick.frozen_hours = quick.slushy_hours = 0
    quick.save(update_fields=["frozen_hours", "slushy_hours"])
    new = services.NewLine(
        words="checks", quantity_m=Decimal(6), layout="straight", repeat_mm=(64, 64), substrate="FAB-COT-SAT",
        due_in_days=30,
    )  # fmt: skip
    line = services.place_and_submit(quick, customer="Atelier Nord", lines=[new], by=None).lines.get()
    worker.run_until_rest([line])
    return OrderLine.objects.select_related("order__shop").get(pk=line.pk)


@pytest.fixture
def released(mill):
    mill.frozen_hours = mill.slushy_hours = 0
    mill.save(update_fields=["frozen_hours", "slushy_hours"])
    return planned(mill)


@pytest.fixture
def planner(mill):
    return client_of(mill, Role.PLANNER)


def test_a_plan_is_asked_for_found_looked_at_and_published(planner, released):
    asked = planner.post("/api/plans/", {"seconds": 0.3, "seed": 5}, **JSON)
    assert asked.status_code == 202
    run = asked.json()
    assert (run["state"], run["by"]) == ("asked", "planner")
    assert planruns.answer(run["id"])
    run = planner.get(f"/api/plans/runs/{run['id']}/").json()
    assert (run["state"], run["error"]) == ("done", None)
    number = run["result"]["plan"]
    plan = planner.get(f"/api/plans/{number}/").json()
    assert len(plan["assignments"]) == len(released.plan["slots"])
    assert (plan["published"], plan["seed"]) == (False, 5)
    assert planner.get(f"/api/plans/{number}/difference/").json()["sentence"] == plan["sentence"]
    page = planner.get(f"/api/plans/{number}/gantt/")
    assert page["Content-Type"].startswith("text/html")
    assert "default-src 'none'" in page["Content-Security-Policy"]
    assert released.reference.encode() in page.content
    operation = plan["assignments"][1]["operation"]
    assert planner.get(f"/api/plans/{number}/why/?operation={operation}").status_code == 200
    published = planner.post(f"/api/plans/{number}/publish/")
    assert published.status_code == 200
    assert plans.published("demo") == number
    again = planner.post(f"/api/plans/{number}/publish/")
    assert (again.status_code, again.json()["code"]) == (409, "plan_outdated")
    assert [each["published"] for each in planner.get("/api/plans/").json()["results"]] == [True]


def test_two_versions_can_be_compared(planner, released):
    numbers = []
    for seed in (1, 2):
        run = planner.post("/api/plans/", {"seconds": 0.2, "seed": seed}, **JSON).json()
        planruns.answer(run["id"])
        numbers.append(PlanRun.objects.get(pk=run["id"]).result["plan"])
    answer = planner.get(f"/api/plans/{numbers[1]}/difference/?against={numbers[0]}")
    assert "sentence" in answer.json()
    assert planner.get(f"/api/plans/{numbers[1]}/difference/?against=x").status_code == 400
    assert planner.get(f"/api/plans/{numbers[1]}/difference/?against=999").status_code == 404


def test_a_breakdown_is_answered_over_the_api(planner, released):
    slot = next(slot for slot in released.plan["slots"] if slot["name"] == "Print")
    change = {"change": "breakdown", "machine": slot["work_centre"], "span": [slot["start"], slot["end"]]}
    run = planner.post("/api/plans/replan/", {"changes": [change], "seconds": 0.3}, **JSON).json()
    planruns.answer(run["id"])
    run = planner.get(f"/api/plans/runs/{run['id']}/").json()
    assert run["state"] == "done", run["error"]
    assert len(run["result"]["answers"]) == 3
    assert all("sentence" in answer for answer in run["result"]["answers"])


@pytest.mark.parametrize(
    ("address", "wish", "field"),
    [
        ("/api/plans/", {"seconds": 0}, "seconds"),
        ("/api/plans/", {"seconds": "NaN"}, "seconds"),
        ("/api/plans/", {"weights": {"moved": -1}}, "weights.moved"),
        ("/api/plans/", {"speed": 3}, "speed"),
        ("/api/plans/replan/", {}, "changes"),
        ("/api/plans/replan/", {"changes": []}, "changes"),
        ("/api/plans/replan/", {"changes": [{"change": "breakdown", "machine": "PRT9", "span": [0, 1]}]}, "changes"),
        ("/api/plans/what_if/", {"branches": {}}, "branches"),
        ("/api/promise/", {"substrate": "FAB-COT-SAT"}, "quantity_m"),
        ("/api/promise/", {"substrate": "FAB-NONE", "quantity_m": "5"}, "substrate"),
        ("/api/promise/", {"quantity_m": "5"}, "substrate"),
        ("/api/promise/", {"substrate": "FAB-COT-SAT", "quantity_m": "-5"}, "quantity_m"),
        ("/api/promise/", {"substrate": "FAB-COT-SAT", "quantity_m": "NaN"}, "quantity_m"),
    ],
)
def test_what_can_t_be_meant_is_refused_with_the_field(planner, mill, address, wish, field):
    answer = planner.post(address, wish, **JSON)
    assert answer.status_code == 400, answer.content
    assert answer.json()["fields"]["field"] == field
    assert not PlanRun.objects.exists()


def test_a_promise_says_the_date_its_certainty_and_each_step(planner, mill):
    wish = {"substrate": "FAB-COT-SAT", "quantity_m": "12.5", "resequence": True}
    answer = planner.post("/api/promise/", wish, **JSON).json()
    assert answer["p50"] <= answer["p90"]
    assert answer["binding"]
    assert answer["resequenced"]
    assert [step["name"] for step in answer["steps"]][-1] == "Inspect and cut"


def test_a_quote_holds_until_it_is_given_back(line):
    sales = client_of(line.order.shop, Role.SALES)
    candidate = services.best(line)
    answer = sales.post(f"/api/candidates/{candidate.pk}/quote/", {"hours": 3}, **JSON)
    assert answer.status_code == 200, answer.content
    assert answer.json()["quote"]["candidate"] == candidate.pk
    back = sales.post(f"/api/lines/{line.reference}/quote/release/")
    assert back.json()["quote"] is None
    assert sales.post(f"/api/candidates/{candidate.pk}/quote/", {"hours": 0}, **JSON).status_code == 400


def test_a_line_can_be_made_more_important(planner, line):
    answer = planner.post(f"/api/lines/{line.reference}/prioritise/", {"priority": 10}, **JSON)
    assert answer.json()["priority"] == 10
    assert planner.post(f"/api/lines/{line.reference}/prioritise/", {"priority": 3}, **JSON).status_code == 400


def test_an_operation_that_is_not_in_the_plan_is_named(planner, released):
    run = planner.post("/api/plans/", {"seconds": 0.2}, **JSON).json()
    planruns.answer(run["id"])
    number = PlanRun.objects.get(pk=run["id"]).result["plan"]
    answer = planner.get(f"/api/plans/{number}/why/?operation=WL-NOBODY/1")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_operation")
