"""A plan that somebody asks for is found once, in the background; it can be stopped, and what ended it is said."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from orders import flow, planning, planruns, timetable
from orders.models import PlanRun
from production import plans
from production.models import Downtime, PlanVersion
from production.planning.errors import InvalidChange
from production.planning.validate import faults
from tests.shop_floor import now, planned

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def lines(mill):
    mill.frozen_hours = mill.slushy_hours = 0
    mill.save(update_fields=["frozen_hours", "slushy_hours"])
    return [planned(mill, "FAB-COT-SAT"), planned(mill, "FAB-COT-POP")]


def asked(shop, kind, **wish):
    run = planruns.ask(shop, kind, {"seconds": 0.3, **wish}, by=None)
    planruns.answer(run.pk)
    run.refresh_from_db()
    return run


def print_of(line):
    return next(slot for slot in now(line).plan["slots"] if slot["name"] == "Print")


def test_a_plan_is_found_judged_and_kept_and_nothing_is_published(mill, lines):
    before = [line.plan for line in lines]
    run = asked(mill, PlanRun.Kind.PLAN)
    assert run.state == "done", run.error
    version = PlanVersion.objects.get(number=run.result["plan"])
    assert (version.base, plans.published("demo")) == (0, 0)
    plan = plans.plan_of(version)
    assert faults(plans.problem_of(version), plan.assignments) == ()
    assert version.effort
    assert [now(line).plan for line in lines] == before
    assert planruns.answer(run.pk) is False, "what is done is not done again"


def test_the_seed_and_the_effort_of_a_version_give_the_same_plan_again(mill, lines):
    first = planruns.improve(mill, seed=3, effort=[200, 400], chains=2)
    second = planruns.improve(mill, seed=3, effort=[200, 400], chains=2)
    same = [version.assignments for version in (first, second)]
    assert same[0] == same[1]


def test_a_breakdown_is_answered_three_ways_and_closes_the_machine_once_published(mill, lines):
    line = lines[0]
    slot = print_of(line)
    end = datetime.fromisoformat(slot["end"]) + timedelta(hours=6)
    change = {"change": "breakdown", "machine": slot["work_centre"], "span": [slot["start"], end.isoformat()]}
    run = asked(mill, PlanRun.Kind.REPLAN, changes=[change])
    assert run.state == "done", run.error
    assert {answer["by"] for answer in run.result["answers"]} == {"right-shift", "re-assignment", "search"}
    assert not Downtime.objects.exists()
    planning.publish(mill, run.result["plan"], by=None)
    after = print_of(line)
    assert after["work_centre"] != slot["work_centre"] or datetime.fromisoformat(after["start"]) >= end
    assert Downtime.objects.get().work_centre == slot["work_centre"]
    schedule = timetable.schedule_of(mill)
    assert faults(schedule.problem, schedule.assignments) == ()
    machine = next(each for each in schedule.problem.machines if each.code == slot["work_centre"])
    begin = timetable.assignment_of(line, 0, slot).start
    assert not any(a <= begin < b for a, b in machine.open)


def test_a_breakdown_in_the_frozen_zone_can_be_published_too(mill, lines):
    mill.frozen_hours = 24 * 14
    mill.save(update_fields=["frozen_hours"])
    slot = print_of(lines[0])
    end = datetime.fromisoformat(slot["end"]) + timedelta(hours=6)
    change = {"change": "breakdown", "machine": slot["work_centre"], "span": [slot["start"], end.isoformat()]}
    run = asked(mill, PlanRun.Kind.REPLAN, changes=[change])
    assert run.state == "done", run.error
    planning.publish(mill, run.result["plan"], by=None)
    assert print_of(lines[0]) != slot


def test_a_late_delivery_is_not_forgotten_by_the_next_plan(mill, lines):
    line = lines[1]
    release = datetime.fromisoformat(line.plan["promise"]) + timedelta(days=3)
    run = asked(
        mill, PlanRun.Kind.REPLAN, changes=[{"change": "late", "job": line.reference, "release": release.isoformat()}]
    )
    planning.publish(mill, run.result["plan"], by=None)
    assert datetime.fromisoformat(now(line).plan["slots"][0]["run_start"]) >= release
    again = asked(mill, PlanRun.Kind.PLAN)
    planning.publish(mill, again.result["plan"], by=None)
    assert datetime.fromisoformat(now(line).plan["slots"][0]["run_start"]) >= release


def test_a_delivery_that_is_late_for_nobody_is_remembered_all_the_same(mill, lines):
    line = lines[1]
    release = datetime.fromisoformat(line.plan["slots"][0]["run_start"]) - timedelta(minutes=1)
    change = {"change": "late", "job": line.reference, "release": release.isoformat()}
    run = asked(mill, PlanRun.Kind.REPLAN, changes=[change])
    planning.publish(mill, run.result["plan"], by=None)
    assert datetime.fromisoformat(now(line).plan["not_before"]) == release


def test_a_rush_order_weighs_more_once_its_plan_is_published(mill, lines):
    run = asked(mill, PlanRun.Kind.REPLAN, changes=[{"change": "rush", "job": lines[1].reference, "weight": 10}])
    assert run.state == "done", run.error
    planning.publish(mill, run.result["plan"], by=None)
    assert now(lines[1]).priority == 10


def test_branches_are_laid_side_by_side_and_nothing_is_kept(mill, lines):
    day = timezone.now() + timedelta(days=2)
    span = [day.isoformat(), (day + timedelta(hours=8)).isoformat()]
    branches = {
        "More hours": [{"change": "overtime", "machine": "PRT1", "spans": [span], "per_hour": "38"}],
        "Elsewhere": [{"change": "outsource", "job": lines[0].reference, "days": 3, "money": "340"}],
    }
    run = asked(mill, PlanRun.Kind.WHAT_IF, branches=branches)
    assert run.state == "done", run.error
    rows = {row["name"]: row for row in run.result["branches"]}
    assert set(branches) < set(rows)
    assert Decimal(rows["Elsewhere"]["outside_money"]) == 340
    assert not PlanVersion.objects.exists()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ([{"change": "breakdown", "machine": "PRT9", "span": [0, 1]}], "PRT9"),
        ([{"change": "breakdown", "machine": "PRT1"}], "span"),
        ([{"change": "breakdown", "machine": "PRT1", "span": [30_000_000, 29_999_990]}], "no time"),
        ([{"change": "earthquake"}], "earthquake"),
        ([{"change": "overtime", "machine": "PRT1", "spans": [[0, 1]]}], "compare"),
        ([{"change": "rush", "job": "WL-NOBODY", "weight": 10}], "WL-NOBODY"),
    ],
)
def test_what_can_t_have_happened_is_refused_when_it_is_asked(mill, changes, said):
    with pytest.raises(InvalidChange, match=said):
        planruns.ask(mill, PlanRun.Kind.REPLAN, {"changes": changes}, by=None)
    assert not PlanRun.objects.exists()


def test_a_run_that_nobody_has_begun_is_cancelled_at_once_and_one_that_runs_keeps_its_best(mill, lines, monkeypatch):
    waiting = planruns.ask(mill, PlanRun.Kind.PLAN, {"seconds": 60}, by=None)
    assert planruns.cancel(waiting).state == "cancelled"
    assert planruns.answer(waiting.pk) is False
    run = planruns.ask(mill, PlanRun.Kind.PLAN, {"seconds": 60}, by=None)
    monkeypatch.setattr(planruns, "LOOK_EVERY_S", 0.0)
    honest = planruns.Watch.cancelled
    looks = []

    def look(self):
        looks.append(1)
        if len(looks) == 3:
            planruns.cancel(PlanRun.objects.get(pk=run.pk))
        return honest(self)

    monkeypatch.setattr(planruns.Watch, "cancelled", look)
    began = timezone.now()
    planruns.answer(run.pk)
    run.refresh_from_db()
    assert run.state == "cancelled"
    assert PlanVersion.objects.filter(number=run.result["plan"]).exists()
    assert timezone.now() - began < timedelta(seconds=30)


def test_a_dead_worker_s_run_is_taken_up_again_and_after_three_it_says_so(mill, lines):
    run = planruns.ask(mill, PlanRun.Kind.PLAN, {"seconds": 0.2}, by=None)
    past = timezone.now() - timedelta(minutes=5)
    PlanRun.objects.filter(pk=run.pk).update(state="running", tries=1, lease_until=past)
    assert planruns.answer(run.pk) is True
    run.refresh_from_db()
    assert run.state == "done"
    PlanRun.objects.filter(pk=run.pk).update(state="running", tries=3, lease_until=past)
    flow.sweep()
    run.refresh_from_db()
    assert (run.state, run.error["code"]) == ("failed", "worker_died")


def test_a_worker_that_lost_its_run_writes_nothing(mill, lines, monkeypatch):
    run = planruns.ask(mill, PlanRun.Kind.PLAN, {"seconds": 0.2}, by=None)

    def slow(run, watch):
        PlanRun.objects.filter(pk=run.pk).update(token=None)
        return {"plan": 99}

    monkeypatch.setattr(planruns, "_work", slow)
    planruns.answer(run.pk)
    run.refresh_from_db()
    assert run.result is None


def test_what_can_t_be_planned_is_said_in_the_run(mill, lines, monkeypatch):
    from production.planning.errors import NoSlot

    def refuse(*args, **options):
        raise NoSlot("Print: no time.", fields={"step": "Print"})

    monkeypatch.setattr(planruns, "solve", refuse)
    run = asked(mill, PlanRun.Kind.PLAN)
    assert (run.state, run.error["code"]) == ("failed", "no_slot")


def test_the_sweep_rings_for_what_nobody_works_on(mill):
    run = PlanRun.objects.create(shop=mill, kind="plan")
    assert planruns.due() == [run.pk]
    assert planruns.sweep() == 1
