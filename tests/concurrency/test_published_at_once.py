"""Two planners publish at the same moment: one plan holds, the other is told; with the guard off both would."""

import threading
import time
from dataclasses import replace

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection

from orders import audit, board, byhand, planning, planruns, services, timetable
from orders.errors import StaleState
from orders.models import PlanRun
from production import plans
from production.models import PlanVersion, PublishedPlan
from production.planning.errors import PlanOutdated
from production.planning.plan import Plan, figures_of
from tests.racing import at_once, beside, stopped_before
from tests.shop_floor import now, planned

pytestmark = pytest.mark.django_db(transaction=True)
WEEK_MIN = 7 * 24 * 60


@pytest.fixture
def line(mill):
    mill.frozen_hours = mill.slushy_hours = 0
    mill.save(update_fields=["frozen_hours", "slushy_hours"])
    return planned(mill)


def kept(shop, weeks):
    """A plan in which everything is done so many weeks later."""
    schedule = planning.to_plan(shop)
    later = weeks * WEEK_MIN
    moved = tuple(
        replace(one, start=one.start + later, end=one.end + later, changeover=one.changeover + later)
        for one in schedule.assignments
    )
    return planning.keep(
        shop, schedule, Plan(moved, figures_of(schedule.problem, moved), by="hand"), reason="by hand", by="paul"
    )


def publish_both(line):
    shop = line.order.shop
    first, second = kept(shop, 1), kept(shop, 2)
    numbers = [version.number for version in (first, second)]
    return numbers, at_once(*[lambda n=n: planning.publish(shop, n, by=None) for n in numbers])


def test_of_two_plans_that_are_published_at_once_one_holds(line):
    numbers, ends = publish_both(line)
    lost = [end for end in ends if isinstance(end, Exception)]
    assert len(lost) == 1, ends
    assert isinstance(lost[0], PlanOutdated | OperationalError), ends
    held = plans.published("demo")
    assert held in numbers
    weeks = 1 + numbers.index(held)
    schedule = timetable.schedule_of(line.order.shop)
    begins = {slot["start"] for slot in line.plan["slots"]}
    after = {slot["start"] for slot in now(line).plan["slots"]}
    assert len(begins) == len(after)
    assert min(after) > min(begins)
    assert schedule.assignments[0].start == timetable.assignment_of(line, 0, line.plan["slots"][0]).start + (
        weeks * WEEK_MIN
    )


def test_with_the_compare_and_set_off_both_are_published(line, monkeypatch):
    """The negative control: who writes without looking is never told."""

    def unguarded(version):
        PublishedPlan.objects.filter(shop=version.shop).update(number=version.number)

    monkeypatch.setattr(plans, "publish", unguarded)
    shop = line.order.shop
    first, second = kept(shop, 1), kept(shop, 2)
    for version in (first, second):
        planning.publish(shop, version.number, by=None)
    assert plans.published("demo") == second.number


def test_a_run_is_taken_by_one_worker(mill, monkeypatch):
    worked = []
    monkeypatch.setattr(planruns, "_work", lambda run, watch: worked.append(run.pk) or {"plan": 0})
    run = PlanRun.objects.create(shop=mill, kind="plan")
    ends = at_once(*[lambda: planruns.answer(run.pk)] * 2)
    assert sorted(end is True for end in ends) == [False, True], ends
    assert worked == [run.pk]


def test_who_looks_first_and_takes_then_is_not_alone(mill):
    """The negative control: without the claim by one UPDATE both would work."""
    run, looked, worked = PlanRun.objects.create(shop=mill, kind="plan"), threading.Barrier(2), []

    def unguarded():
        state = PlanRun.objects.get(pk=run.pk).state
        looked.wait(30)
        if state == PlanRun.State.ASKED:
            worked.append(run.pk)

    at_once(unguarded, unguarded)
    assert worked == [run.pk, run.pk]


def asked(line, by):
    return planruns.ask(line.order.shop, PlanRun.Kind.PLAN, {"seconds": 6.0}, by=by)


def test_a_plan_that_one_planner_asks_for_twice_at_once_is_one_run_and_two_planners_have_two(line):
    paul, petra = (User.objects.create_user(name) for name in ("paul", "petra"))
    ends = at_once(*[lambda: asked(line, paul)] * 2)
    assert {end.pk for end in ends} == {PlanRun.objects.get().pk}, ends
    assert asked(line, petra) not in ends


def test_who_looks_before_the_lock_asks_twice(mill):
    """The negative control."""
    looked = threading.Barrier(2)

    def unguarded():
        there = PlanRun.objects.filter(shop=mill).exists()
        looked.wait(30)
        if not there:
            PlanRun.objects.create(shop=mill, kind="plan", asked={"seconds": 6.0})

    at_once(unguarded, unguarded)
    assert PlanRun.objects.count() == 2


def draft_of(line):
    """A planner's draft: the printing a day later."""
    schedule, _base = board.base_of(line.order.shop)
    bar = next(bar for bar in board.bars_of(schedule, schedule.assignments) if bar.name == "Print")
    return [byhand.Step(byhand.MOVE, (byhand.Wish(bar.operation, bar.machine, bar.start + 24 * 60),))], bar


def test_a_draft_that_is_kept_twice_at_once_is_one_plan(line):
    steps, _bar = draft_of(line)
    ends = at_once(*[lambda: byhand.keep(line.order.shop, steps, by="paul")] * 2)
    assert {end.number for end in ends} == {PlanVersion.objects.get().number}, ends


def test_who_looks_before_it_is_their_turn_keeps_it_twice(line):
    """The negative control."""
    looked = threading.Barrier(2)

    def unguarded():
        there = PlanVersion.objects.exists()
        looked.wait(30)
        if not there:
            kept(line.order.shop, 1)

    at_once(unguarded, unguarded)
    assert PlanVersion.objects.count() == 2


@pytest.mark.parametrize("first", ["publish", "cancel"])
def test_a_plan_with_pins_and_a_cancellation_at_once_wait_for_each_other_and_not_for_ever(line, first, monkeypatch):
    """Both write the line and the shop's chain. Whoever is first has it; the other is told, or comes after."""
    paul = User.objects.create_user("paul")
    steps, bar = draft_of(line)
    pinned = byhand.Step(byhand.PIN, operations=(bar.operation,))
    version = byhand.keep(line.order.shop, [*steps, pinned], by="paul")
    acts = {
        "publish": lambda: byhand.publish(line.order.shop, version.number, by=paul),
        "cancel": lambda: services.cancel(now(line), by=paul),
    }
    # Whoever is first has the line, and stops before the chain; the other comes meanwhile.
    arrived, go_on = stopped_before(monkeypatch, audit, "record")
    failed = []
    threads = [beside(acts[first], failed)]
    assert arrived.wait(60)
    threads.append(beside(acts["cancel" if first == "publish" else "publish"], failed))
    time.sleep(0.5)
    go_on.set()
    for thread in threads:
        thread.join(60)
    # SQLite turns away who waits too long for the writer; PostgreSQL would say the same of a deadlock, and does not.
    told = (
        (StaleState, PlanOutdated)
        if connection.vendor == "postgresql"
        else (StaleState, PlanOutdated, OperationalError)
    )
    assert all(isinstance(each, told) for each in failed), failed
    published, cancelled = plans.published("demo") == version.number, now(line).state == "cancelling"
    assert len(failed) + published + cancelled == 2
    assert (published, cancelled)[first == "cancel"]
