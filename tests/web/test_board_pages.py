"""The board's pages, as a planner, somebody who may only look, and somebody without a script sees them."""

import json
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.test import Client

from orders import planruns, timetable
from orders.models import OrderLine, PlanRun, Role
from production import plans
from production.models import PlanVersion
from production.planning.openings import moment_of
from tests.people import signed_in
from tests.shop_floor import filled, planned

pytestmark = pytest.mark.django_db(transaction=True)
HX = {"HX-Request": "true"}


@pytest.fixture
def planner(mill):
    mill.frozen_hours = mill.slushy_hours = 0
    mill.save()
    return signed_in(mill, Role.PLANNER)


def post(client, address, body, **options):
    return client.post(address, json.dumps(body), content_type="application/json", headers=HX, **options)


def bars(client):
    return {bar[0]: bar for bar in client.get("/board/data/").json()["bars"]}


def print_of(client, line):
    return next(bar for bar in bars(client).values() if bar[1] == line.reference and bar[2] == "Print")


def other_of(bar):
    return next(code for code in bar[10] if code != bar[3])


def moved(bar, *, machine=None, start=None):
    wish = {"operation": bar[0], "machine": machine or bar[3], "start": bar[4] if start is None else start,
            "was": {"machine": bar[3], "start": bar[4]}}  # fmt: skip
    return {"steps": [{"kind": "move", "wishes": [wish]}]}


# ------------------------------------------------------------------------------------------------ looking


def test_an_empty_board_says_what_will_come_here(planner):
    page = planner.get("/board/").content.decode()
    assert "Nothing is planned yet" in page
    assert "Nothing is planned yet" in planner.get("/board/?view=table").content.decode()
    data = planner.get("/board/data/").json()
    assert (data["bars"], data["waiting"]) == ([], [])
    assert [row["code"] for row in data["rows"]][:2] == ["LOM1", "LOM2"]


def test_the_page_has_no_script_of_its_own_and_weighs_little(planner, mill):
    planned(mill)
    answer = planner.get("/board/")
    page = answer.content.decode()
    assert "onclick" not in page
    assert "style=" not in page
    assert page.count("<script") == page.count("<script src") + page.count('type="application/json"')
    assert len(answer.content) < 40_000


def test_what_is_drawn_is_told_once_and_then_only_that_it_is_the_same(planner, mill):
    line = planned(mill)
    data = planner.get("/board/data/").json()
    assert {bar[1] for bar in data["bars"]} == {line.reference}
    assert data["works"][line.reference]["metres"] == "6 m"
    again = planner.get(f"/board/data/?base={data['base']}").json()
    assert "bars" not in again
    first = min(bar[4] for bar in data["bars"])
    window = planner.get(f"/board/data/?from={first - 10}&until={first + 1}").json()
    assert 0 < len(window["bars"]) < len(data["bars"])


def test_who_may_only_look_has_nothing_to_move_with(mill):
    line = planned(mill)
    looker = signed_in(mill, Role.OPERATOR)
    page = looker.get("/board/").content.decode()
    assert "Look it over and publish" not in page
    assert "Find a better plan" not in page
    table = looker.get("/board/?view=table").content.decode()
    assert line.reference in table
    assert "move-to" not in table
    bar = print_of(looker, line)
    assert post(looker, "/board/draft/", moved(bar)).status_code == 403
    why = post(looker, "/board/why/", {"steps": [], "operation": bar[0]}).content.decode()
    assert "Why here and not earlier" in why


def test_nobody_sees_another_shop_s_board(mill, planner):
    from orders.models import Shop

    line = planned(mill)
    stranger = signed_in(Shop.objects.create(slug="other", name="Another mill"), "admin")
    assert line.reference not in stranger.get("/board/data/").content.decode()
    number = kept(planner, mill, line)
    assert stranger.get(f"/board/plans/{number}/").status_code == 404
    assert stranger.post(f"/board/plans/{number}/publish/").status_code == 404
    assert plans.published("demo") == 0


# ------------------------------------------------------------------------------------------------ drafts


def test_a_draft_is_judged_without_anything_being_kept(planner, mill):
    line = planned(mill)
    bar = print_of(planner, line)
    verdict = post(planner, "/board/draft/", moved(bar, machine=other_of(bar))).json()
    assert [each[1] for each in verdict["moved"] if each[0] == bar[0]] == [other_of(bar)]
    assert verdict["faults"] == verdict["refused"] == verdict["changed"] == []
    assert "move" in verdict["difference"]["sentence"]
    assert not PlanVersion.objects.exists()
    assert print_of(planner, line) == bar


@pytest.mark.parametrize(
    "body",
    [
        "[]",
        "{",
        '{"steps": ' + "[" * 2000 + "]" * 2000 + "}",
        '{"steps": 1}',
        '{"steps": [{"kind": "explode", "operations": ["a"]}]}',
        '{"steps": [{"kind": "move", "wishes": []}]}',
        '{"steps": [{"kind": "move", "wishes": [{"operation": "a", "machine": "b", "start": -1}]}]}',
        '{"steps": [{"kind": "move", "wishes": [{"operation": "a", "machine": "b", "start": 1e99}]}]}',
        '{"steps": [{"kind": "pin", "operations": ["a\\u202e"]}]}',
        '{"steps": [], "more": 1}',
    ],
)
def test_a_draft_that_can_t_be_meant_is_refused_with_a_sentence(planner, body):
    answer = planner.post("/board/draft/", body, content_type="application/json", headers=HX)
    assert answer.status_code == 400
    assert answer.json()["message"]


def test_a_draft_that_is_sent_after_the_session_is_over_is_answered_so(mill):
    assert post(Client(), "/board/draft/", {"steps": []}).status_code == 401


def kept(client, shop, line, **to):
    bar = print_of(client, line)
    answer = post(client, "/board/keep/", moved(bar, **(to or {"machine": other_of(bar)})))
    assert answer.status_code == 200, answer.content
    return answer.json()["plan"]


def test_a_kept_draft_is_looked_over_and_published(planner, mill):
    line = planned(mill)
    before = print_of(planner, line)
    number = kept(planner, mill, line)
    page = planner.get(f"/board/plans/{number}/").content.decode()
    for said in (f"Plan {number}", "moved", "Orders late", f"Publish plan {number}", line.reference):
        assert said in page, said
    answer = planner.post(f"/board/plans/{number}/publish/", headers=HX)
    assert answer.status_code == 200
    assert json.loads(answer["HX-Trigger"])["weft-published"] == {"plan": number, "hand": True}
    assert print_of(planner, line)[3] == other_of(before)
    assert "This plan holds" in planner.get(f"/board/plans/{number}/").content.decode()


def test_the_slower_of_two_planners_is_told_calmly_and_can_go_on(planner, mill):
    first, second = planned(mill), planned(mill, "FAB-COT-POP")
    numbers = [kept(planner, mill, line) for line in (first, second)]
    assert planner.post(f"/board/plans/{numbers[0]}/publish/", headers=HX).status_code == 200
    answer = planner.post(f"/board/plans/{numbers[1]}/publish/", headers=HX)
    assert answer.status_code == 409
    page = answer.content.decode()
    assert f"plan {numbers[0]} holds by now" in page.replace("&#x27;", "'")
    assert "Your draft is kept" in page
    assert "weft-outdated" in answer["HX-Trigger"]
    again = planner.post(f"/board/plans/{numbers[1]}/publish/", follow=True).content.decode()
    assert "holds by now" in again
    number = kept(planner, mill, second)
    assert planner.post(f"/board/plans/{number}/publish/").status_code == 302
    assert plans.published("demo") == number


def test_what_can_t_be_kept_says_which_step(planner, mill):
    line = planned(mill)
    bar = print_of(planner, line)
    answer = post(planner, "/board/keep/", moved(bar, machine="LOM1"))
    assert (answer.status_code, answer.json()["code"]) == (409, "draft_refused")
    assert answer.json()["fields"]["refused"][0]["step"] == 0


# ------------------------------------------------------------------------------------------------ without a script


def test_the_table_moves_a_bar_without_a_script(planner, mill):
    line = planned(mill)
    bar = print_of(planner, line)
    page = planner.get("/board/?view=table").content.decode()
    assert f'value="{bar[0]}"' in page
    start = moment_of(bar[4]).astimezone(ZoneInfo(mill.time_zone)) + timedelta(days=7)
    typed = {"operation": bar[0], "machine": other_of(bar), "start": start.strftime("%Y-%m-%dT%H:%M")}
    answer = planner.post("/board/move/", typed)
    number = PlanVersion.objects.get().number
    assert answer["Location"] == f"/board/plans/{number}/"
    planner.post(f"/board/plans/{number}/publish/")
    there = print_of(planner, line)
    assert there[3] == other_of(bar)
    assert there[4] == bar[4] + 7 * 24 * 60
    wrong = planner.post("/board/move/", {**typed, "machine": "LOM1"}, follow=True).content.decode()
    assert "can&#x27;t be done on Jacquard loom 1" in wrong
    wrong = planner.post("/board/move/", {**typed, "start": "soon"}, follow=True).content.decode()
    assert "message error" in wrong


def test_a_long_table_comes_in_pages_by_machine(planner, mill):
    filled(mill, 120)
    page = planner.get("/board/?view=table").content.decode()
    assert page.count("<tr data-operation") == 50
    assert "Page 1 of 3" in page
    page = planner.get("/board/?view=table&machine=PRT1").content.decode()
    assert 0 < page.count("<tr data-operation") < 50


# ------------------------------------------------------------------------------------------------ plans asked for


def asked(client, **typed):
    return client.post("/board/ask/", typed, headers=HX)


def answered():
    run = PlanRun.objects.latest("pk")
    run.asked = {**run.asked, "seconds": 0.3}
    run.save(update_fields=["asked"])
    assert planruns.answer(run.pk)
    run.refresh_from_db()
    assert run.state == "done", run.error
    return run


def local(shop, minute):
    return moment_of(minute).astimezone(ZoneInfo(shop.time_zone)).strftime("%Y-%m-%dT%H:%M")


def test_a_machine_that_is_down_is_planned_around_and_that_is_published(planner, mill):
    line = planned(mill)
    bar = print_of(planner, line)
    span = {"since": local(mill, bar[4] - 10), "until": local(mill, bar[4] + 300)}
    page = asked(planner, kind="down", machine=bar[3], **span).content.decode()
    assert f"{bar[3]} is down" in page
    assert "It waits for the worker" in page
    run = answered()
    page = planner.get(f"/board/runs/{run.pk}/", headers=HX).content.decode()
    assert page.count("Look it over") == 3
    assert "the best by its figures" in page
    number = run.result["plan"]
    assert planner.post(f"/board/plans/{number}/publish/", headers=HX).status_code == 200
    there = print_of(planner, line)
    assert there[3] != bar[3] or there[4] >= bar[4] + 290
    data = planner.get("/board/data/").json()
    assert next(row["down"] for row in data["rows"] if row["code"] == bar[3])
    assert f"{bar[3]} is down" in planner.get("/board/runs/").content.decode()


def test_a_better_plan_is_asked_for_and_stopped(planner, mill):
    planned(mill)
    page = asked(planner, kind="plan").content.decode()
    assert "A better plan" in page
    run = PlanRun.objects.get()
    page = planner.post(f"/board/runs/{run.pk}/stop/", headers=HX).content.decode()
    assert "stopped before anything was found" in page
    assert planner.get(f"/board/runs/{run.pk}/").status_code == 200


def test_a_rush_order_is_asked_for_by_its_line(planner, mill):
    line = planned(mill)
    asked(planner, kind="rush", job=line.reference)
    run = answered()
    planner.post(f"/board/plans/{run.result['plan']}/publish/")
    assert OrderLine.objects.get().priority == 10


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"kind": "down", "machine": "PRT1"}, "needed"),
        ({"kind": "down", "machine": "PRT9", "since": "2031-01-01T08:00", "until": "2031-01-01T09:00"}, "PRT9"),
        ({"kind": "down", "machine": "PRT1", "since": "2031-01-02T08:00", "until": "2031-01-01T08:00"}, "after"),
        ({"kind": "flood"}, "flood"),
        ({"kind": "rush", "job": "WL-NOBODY"}, "WL-NOBODY"),
        ({"kind": "plan", "seconds": "nan"}, "ordinary number"),
    ],
)
def test_what_can_t_have_happened_is_said_and_nothing_is_asked(planner, typed, said):
    answer = asked(planner, **typed)
    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert not PlanRun.objects.exists()


def test_while_a_bar_is_in_the_hand_only_where_all_would_stand_is_asked(planner, mill):
    bar = print_of(planner, planned(mill))
    draft = moved(bar, machine=other_of(bar))
    carried = post(planner, "/board/draft/", {**draft, "foresee": True}).json()
    dropped = post(planner, "/board/draft/", draft).json()
    assert carried.keys() == {"base", "moved", "late", "pinned", "refused", "waits"}
    assert carried == {name: dropped[name] for name in carried}
    assert "operations move" in dropped["difference"]["sentence"]


def test_branches_stand_side_by_side_and_one_is_taken_up(planner, mill):
    line = planned(mill)
    bar = print_of(planner, line)
    span = [local(mill, bar[4] - 10), local(mill, bar[4] + 600)]
    typed = {
        "kind-1": "down", "name-1": "Belt breaks", "machine-1": bar[3], "since-1": span[0], "until-1": span[1],
        "kind-2": "overtime", "machine-2": other_of(bar), "since-2": span[0], "until-2": span[1], "per_hour-2": "38,50",
        "kind-3": "weights", "name-3": "Calm", "emphasis-3": "calm",
    }  # fmt: skip
    answer = planner.post("/board/whatif/", typed)
    assert answer.status_code == 302, answer.content.decode()
    page = planner.get(answer["Location"]).content.decode()
    assert "The branches are being planned" in page
    for run in PlanRun.objects.all():
        run.asked = {**run.asked, "seconds": 0.2}
        run.save(update_fields=["asked"])
        assert planruns.answer(run.pk)
    page = planner.get(answer["Location"]).content.decode()
    for said in (
        "As it stands",
        "Planned anew",
        "Belt breaks",
        "Branch 2",
        "Calm",
        "Orders late",
        "Overtime can't be taken up from here",
    ):
        assert said in page, said
    assert "To the calendars" not in page, "a planner keeps no calendars here"
    administrator = Client()
    administrator.force_login(User.objects.get(membership__role="planner"))
    User.objects.filter(membership__role="planner").update(is_superuser=True, is_staff=True)
    assert (
        'href="/admin/inventory_sync/ledgercalendar/">To the calendars'
        in administrator.get(answer["Location"]).content.decode()
    )
    run = PlanRun.objects.get(kind="what_if")
    taken = planner.post(f"/board/whatif/{run.pk}/adopt/", {"branch": "Belt breaks"})
    adopted = PlanRun.objects.latest("pk")
    assert taken["Location"] == f"/board/runs/{adopted.pk}/"
    assert (adopted.kind, adopted.asked["changes"][0]["change"]) == ("replan", "breakdown")


def test_what_was_compared_is_read_while_the_erp_is_away_and_an_address_written_by_hand_finds_nothing(distant, planner):
    assert planner.get("/board/whatif/?runs=²,x,,-1").status_code == 200
    timetable.forget_snapshots()
    distant.cut = True
    away = planner.get("/board/whatif/")
    assert away.status_code == 200
    assert "message error" in away.content.decode()


def test_one_branch_alone_is_nothing_to_compare(planner, mill):
    planned(mill)
    page = planner.post("/board/whatif/", {"kind-1": "weights", "emphasis-1": "calm"}).content.decode()
    assert "Two branches at least" in page


def test_the_drawer_says_why_and_weighs_an_order(planner, mill):
    line = planned(mill)
    bar = print_of(planner, line)
    body = {**moved(bar, machine=other_of(bar)), "operation": bar[0]}
    page = post(planner, "/board/why/", body).content.decode()
    assert "starts on Printer" in page
    assert line.reference in page
    assert 'name="seen" id="seen-priority" value="1"' in page
    weigh = {"line": line.reference, "priority": "4", "seen": "1"}
    page = planner.post("/board/priority/", weigh, headers=HX).content.decode()
    assert "important" in page
    assert 'id="seen-priority" value="4" hx-swap-oob="true"' in page
    assert OrderLine.objects.get().priority == 4
    assert planner.post("/board/priority/", {**weigh, "line": "WL-X"}).status_code == 404
    for wrong in ({"priority": "99"}, {"seen": ""}, {"seen": "x"}):
        assert planner.post("/board/priority/", {**weigh, **wrong}).status_code == 400
    gone = post(planner, "/board/why/", {"steps": [], "operation": "WL-9/1"})
    assert gone.status_code == 404
    assert "not in the plan" in gone.content.decode()


def test_of_two_who_weigh_an_order_the_second_is_told_how_it_stands(planner, mill):
    line, other = planned(mill), signed_in(mill, Role.ADMIN)
    weigh = {"line": line.reference, "seen": "1"}
    assert planner.post("/board/priority/", {**weigh, "priority": "10"}, headers=HX).status_code == 200
    late = other.post("/board/priority/", {**weigh, "priority": "2"}, headers=HX)
    assert late.status_code == 409
    assert f"planner has weighed {line.reference} as rush meanwhile" in late.content.decode()
    assert 'id="seen-priority" value="10"' in late.content.decode()  # who decides again has seen it
    assert OrderLine.objects.get().priority == 10
    # The same said twice, or by both, is said once.
    assert other.post("/board/priority/", {**weigh, "priority": "10"}, headers=HX).status_code == 200
    assert line.events.filter(action="prioritise").count() == 1
    assert other.post("/board/priority/", {**weigh, "seen": "10", "priority": "2"}, headers=HX).status_code == 200
    assert OrderLine.objects.get().priority == 2


def test_a_button_that_is_pressed_twice_asks_for_one_plan_and_keeps_one(planner, mill):
    line = planned(mill)
    pages = [asked(planner, kind="plan").content.decode() for _ in range(2)]
    assert PlanRun.objects.count() == 1
    assert all(f"/board/runs/{PlanRun.objects.get().pk}/" in each for each in pages)
    typed = {"kind-1": "weights", "emphasis-1": "calm", "kind-2": "rush", "job-2": line.reference}
    there = {planner.post("/board/whatif/", typed)["Location"] for _ in range(2)}
    assert (len(there), PlanRun.objects.count()) == (1, 3)
    PlanRun.objects.update(state="done")  # what has ended was another question
    asked(planner, kind="plan")
    assert PlanRun.objects.count() == 4
    bar = print_of(planner, line)
    kept = [post(planner, "/board/keep/", moved(bar, machine=other_of(bar))).json() for _ in range(2)]
    assert kept[0] == kept[1]
    assert PlanVersion.objects.count() == 1
    later = bar[4] + 24 * 60
    post(planner, "/board/keep/", moved(bar, machine=other_of(bar), start=later))
    assert PlanVersion.objects.count() == 2
