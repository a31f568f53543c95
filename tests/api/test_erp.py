"""The outbox and the notices over HTTP."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from inventory_sync import mirror
from inventory_sync import services as inventory
from orders import services, steps
from orders.models import Membership, Notice, OrderLine, Role, Shop, Step

pytestmark = pytest.mark.django_db


@pytest.fixture
def planner(mill):
    user = User.objects.create_user("paul")
    Membership.objects.create(shop=mill, user=user, role=Role.PLANNER)
    client = Client()
    client.force_login(user)
    return client


def waits(shop, **values):
    new = services.NewLine(
        words="stripes", quantity_m=5, layout="straight", repeat_mm=(100, 100), substrate="FAB-COT-SAT", due_in_days=30
    )
    line = services.place(shop, customer="Atelier Nord", lines=[new], by=None).lines.get()
    OrderLine.objects.filter(pk=line.pk).update(state="syncing")
    step = steps.open_step(line, "sync", due_in=timedelta(minutes=4), max_attempts=12)
    Step.objects.filter(pk=step.pk).update(error_code="erp_unavailable", error="The ERP is away.", **values)
    return step


def found(shop, number=1, line=None):
    return Notice.objects.create(
        shop=shop, line=line, code="late", sentence="It is late.", fields={"days": 2}, key=f"late:{number}"
    )


def test_what_waits_is_listed_with_why_and_when(planner, mill):
    step = waits(mill, attempt=2)
    (entry,) = planner.get("/api/erp/outbox/").json()["results"]
    assert entry["line"] == step.line.reference
    assert (entry["kind"], entry["state"], entry["tries"], entry["of_tries"]) == ("sync", "pending", 2, 12)
    assert (entry["error_code"], entry["sentence"], entry["customer"]) == (
        "erp_unavailable", "The ERP is away.", "Atelier Nord",
    )  # fmt: skip
    assert entry["next_try"] > entry["since"]
    assert entry["address"] == ""


def test_trying_again_makes_it_due(planner, mill):
    step = waits(mill)
    answer = planner.post(f"/api/erp/outbox/{step.pk}/retry/")
    assert (answer.status_code, answer.json()["reference"]) == (200, step.line.reference)
    assert step.pk in steps.due()


def test_what_is_being_said_just_now_can_t_be_tried_again(planner, mill):
    step = waits(mill, state="running", lease_until=timezone.now() + timedelta(minutes=1))
    answer = planner.post(f"/api/erp/outbox/{step.pk}/retry/")
    assert (answer.status_code, answer.json()["code"]) == (409, "nothing_to_retry")


def test_a_notice_is_listed_until_somebody_has_dealt_with_it(planner, mill):
    notice = found(mill)
    (shown,) = planner.get("/api/erp/notices/").json()["results"]
    assert (shown["id"], shown["line"], shown["code"], shown["fields"]) == (notice.pk, None, "late", {"days": 2})
    for _ in range(2):
        settled = planner.post(f"/api/erp/notices/{notice.pk}/settle/").json()
        assert (settled["settled_by"], settled["settled_at"] is None) == ("paul", False)
    assert planner.get("/api/erp/notices/").json()["results"] == []


@pytest.mark.parametrize("address", ["/api/erp/outbox/999/retry/", "/api/erp/notices/999/settle/"])
def test_what_is_not_there_is_not_found(planner, address):
    assert planner.post(address).status_code == 404


def test_nothing_of_another_shop_is_listed_tried_or_settled(planner):
    other = Shop.objects.create(slug="other", name="Another mill")
    notice = found(other)
    assert planner.get("/api/erp/notices/").json()["count"] == 0
    assert planner.post(f"/api/erp/notices/{notice.pk}/settle/").status_code == 404
    notice.refresh_from_db()
    assert notice.settled_at is None


@pytest.mark.parametrize("address", ["/api/erp/outbox/", "/api/erp/notices/", "/erp/"])
def test_a_list_takes_as_many_queries_for_a_hundred_rows_as_for_one(planner, mill, address):
    took = []
    for rows in (1, 10, 100):
        for number in range(Step.objects.count(), rows):
            found(mill, number, waits(mill).line)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            answer = planner.get(f"{address}?limit=200")
        assert answer.status_code == 200
        took.append(len(queries))
    assert took[0] == took[1] == took[2], took


def test_stock_says_how_old_it_is(planner, mill, distant):
    mirror.poll(inventory.connect("distant", shop="demo"))
    mirror.MirrorOf.objects.update(as_of=timezone.now() - timedelta(minutes=10))
    for row in mirror.MirrorStock.objects.all():
        row.level["as_of"] = (timezone.now() - timedelta(minutes=10)).isoformat()
        row.save()
    distant.cut = True
    level = planner.get("/api/stock/").json()["stock"][0]
    assert 595 < level["age_s"] < 660
    assert planner.get("/api/work_centres/").json()["work_centres"]


def test_an_erp_that_was_never_read_and_is_away_answers_so(planner, mill, distant):
    distant.cut = True
    for address in ("/api/stock/", "/api/work_centres/"):
        answer = planner.get(address)
        assert (answer.status_code, answer.json()["code"]) == (503, "erp_unavailable")


def test_the_lists_are_described_with_what_they_answer(planner):
    schema = planner.get("/api/schema/?format=json").json()
    for address, shape in (
        ("/api/erp/outbox/", "PaginatedOutboxEntryList"),
        ("/api/erp/notices/", "PaginatedNoticeViewList"),
    ):
        answers = schema["paths"][address]["get"]["responses"]
        assert answers["200"]["content"]["application/json"]["schema"] == {"$ref": f"#/components/schemas/{shape}"}
    for address in ("/api/erp/outbox/{step}/retry/", "/api/erp/notices/{notice}/settle/"):
        assert "requestBody" not in schema["paths"][address]["post"]
