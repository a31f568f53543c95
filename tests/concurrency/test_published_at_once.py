"""Two planners publish at the same moment: one plan holds, the other is told; with the guard off both would."""

import threading
from dataclasses import replace

import pytest
from django.db import OperationalError

from orders import planning, planruns, timetable
from orders.models import PlanRun
from production import plans
from production.models import PublishedPlan
from production.planning.errors import PlanOutdated
from production.planning.plan import Plan, figures_of
from tests.racing import at_once
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
