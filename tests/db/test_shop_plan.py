"""The shop's plan: what holds is read from the lines, a better one moves all of it or nothing, and the ERP is told."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from inventory_sync.connectors.ledger import LedgerErp
from inventory_sync.errors import SlotTaken
from inventory_sync.models import LedgerBooking, LedgerHold, LedgerOrder, LedgerWorkCentre
from orders import following, names, planning, timetable
from orders.errors import UnknownPlan
from orders.models import AuditEvent, OrderLine
from orders.timetable import assignment_of
from production import plans
from production.models import PlanVersion
from production.planning.comparing import compare
from production.planning.errors import PlanOutdated
from production.planning.plan import Plan, figures_of
from production.planning.problem import Assignment
from production.planning.validate import faults
from tests.shop_floor import now, planned, released, work_on

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def mill(mill):
    """A mill in which nothing is frozen, so that everything may move."""
    mill.frozen_hours = mill.slushy_hours = 0
    mill.save()
    return mill


@pytest.fixture
def lines(mill):
    return [planned(mill), planned(mill, "FAB-COT-POP"), planned(mill)]


@pytest.fixture
def told(quick):
    """The same of which the ERP has the records."""
    return [released(quick), released(quick, substrate="FAB-COT-POP"), released(quick)]


def later(schedule, line, minutes):
    """A plan in which one line is done so much later, and the others are where they are."""
    moved = tuple(
        Assignment(
            one.operation, one.machine, one.start + minutes, one.end + minutes, one.changeover + minutes, one.overtime
        )
        if one.operation.startswith(line.reference)
        else one
        for one in schedule.assignments
    )
    return Plan(moved, figures_of(schedule.problem, moved), by="hand")


def a_week_later(shop, line):
    schedule = planning.to_plan(shop)
    plan = later(schedule, line, 7 * 24 * 60)
    return planning.keep(shop, schedule, plan, reason="by hand", by="paul")


def times_of(line):
    return [(slot["work_centre"], slot["start"], slot["end"]) for slot in now(line).plan["slots"]]


def held_of(line):
    hold = LedgerErp(shop="demo").held(names.hold_name(line))
    return [(slot.work_centre, slot.start.isoformat(), slot.end.isoformat()) for slot in hold.slots]


def recorded_of(line):
    order = LedgerOrder.objects.get(external_id=names.record_id(line))
    works = order.work_orders.select_related("work_centre")
    return [(work.work_centre.code, work.start.isoformat(), work.end.isoformat()) for work in works]


# ---------------------------------------------------------------------------------------------- what holds


def test_the_plan_that_holds_is_read_from_the_lines_and_breaks_no_rule(mill, lines):
    schedule = timetable.schedule_of(mill)
    assert len(schedule.assignments) == sum(len(line.plan["slots"]) for line in lines)
    assert faults(schedule.problem, schedule.assignments) == ()
    searched = planning.to_plan(mill)
    assert faults(searched.problem, searched.assignments) == ()
    assert searched.assignments == schedule.assignments


def test_the_same_fabric_once_more_takes_a_short_changeover_and_another_a_long_one(mill, lines):
    prints = sorted(
        ((line.substrate, slot) for line in map(now, lines) for slot in line.plan["slots"] if slot["name"] == "Print"),
        key=lambda each: each[1]["start"],
    )
    by_machine = {}
    for fabric, slot in prints:
        by_machine.setdefault(slot["work_centre"], []).append((fabric, slot))
    pairs = [pair for row in by_machine.values() for pair in pairwise(row)]
    assert pairs
    for (before, _), (after, slot) in pairs:
        assert slot["changeover_min"] == (5 if before == after else 15)


def test_a_line_keeps_where_else_it_could_be_made_and_what_it_asks_for(mill, lines):
    slot = next(slot for slot in lines[0].plan["slots"] if slot["name"] == "Print")
    assert set(slot["machines"]) == {"PRT1", "PRT2"}
    assert (slot["attributes"]["fabric"], slot["attributes"]["ink_set"]) == ("FAB-COT-SAT", "RE-CMYK")
    assert slot["minutes"] == pytest.approx(slot["machines"][slot["work_centre"]] + slot["changeover_min"])


def test_what_nobody_may_move_is_pinned_and_what_is_soon_is_frozen(mill, lines):
    OrderLine.objects.filter(pk=lines[0].pk).update(state="syncing")
    pinned = {each.job for each in planning.to_plan(mill).problem.operations if each.pin is not None}
    assert pinned == {lines[0].reference}
    mill.frozen_hours = 24 * 14
    mill.save(update_fields=["frozen_hours"])
    problem = planning.to_plan(mill).problem
    assert problem.frozen_until == problem.start + 24 * 14 * 60


# ---------------------------------------------------------------------------------------------- publishing


def test_publishing_moves_the_lines_their_holds_and_their_work_orders(quick, told):
    line = told[1]
    before = {other.pk: times_of(other) for other in told}
    version = a_week_later(quick, line)
    assert plans.published("demo") == 0
    assert [moved.reference for moved in planning.publish(quick, version.number, by=None)] == [line.reference]
    assert plans.published("demo") == version.number
    moved = times_of(line)
    assert all(
        datetime.fromisoformat(new[1]) - datetime.fromisoformat(old[1]) == timedelta(days=7)
        for new, old in zip(moved, before[line.pk], strict=True)
    )
    assert held_of(line) == moved
    assert recorded_of(line) == before[line.pk], "the ERP is told by a step of its own"
    work_on(line)
    assert recorded_of(line) == moved
    assert [times_of(other) for other in (told[0], told[2])] == [before[told[0].pk], before[told[2].pk]]
    assert now(line).plan["promise"] == moved[-1][2]
    assert AuditEvent.objects.filter(action="publish_plan").count() == 1
    following.follow(quick)
    assert times_of(line) == moved, "what we wrote ourselves comes back and moves nothing"


def test_two_lines_can_change_places(mill):
    first, second = planned(mill), planned(mill)
    schedule = planning.to_plan(mill)
    there = {one.operation: one for one in schedule.assignments}
    swapped = tuple(
        replace(there[one.operation.replace(*pair)], operation=one.operation)
        for one in schedule.assignments
        for pair in [
            (first.reference, second.reference)
            if one.operation.startswith(first.reference)
            else (second.reference, first.reference)
        ]
    )
    plan = Plan(swapped, figures_of(schedule.problem, swapped), by="hand")
    version = planning.keep(mill, schedule, plan, reason="by hand", by="paul")
    before = times_of(first), times_of(second)
    planning.publish(mill, version.number, by=None)
    assert (times_of(first), times_of(second)) == before[::-1]
    assert (held_of(first), held_of(second)) == before[::-1]


def test_a_plan_is_published_once_and_only_on_what_it_was_made_from(mill, lines):
    first, second = a_week_later(mill, lines[2]), a_week_later(mill, lines[1])
    planning.publish(mill, first.number, by=None)
    with pytest.raises(PlanOutdated, match=f"plan {first.number} holds by now"):
        planning.publish(mill, second.number, by=None)
    with pytest.raises(PlanOutdated):
        planning.publish(mill, first.number, by=None)
    with pytest.raises(UnknownPlan):
        planning.publish(mill, 999, by=None)
    assert plans.published("demo") == first.number


def test_when_anything_of_a_plan_can_t_be_had_nothing_of_it_is_published(quick, lines, monkeypatch):
    version = a_week_later(quick, lines[1])
    before = [times_of(line) for line in lines], [held_of(line) for line in lines], AuditEvent.objects.count()

    def taken(self, moves):
        raise SlotTaken("Somebody was quicker.")

    monkeypatch.setattr(LedgerErp, "rearrange", taken)
    with pytest.raises(SlotTaken):
        planning.publish(quick, version.number, by=None)
    assert ([times_of(line) for line in lines], [held_of(line) for line in lines], AuditEvent.objects.count()) == before
    assert plans.published("demo") == 0
    assert not any(line.steps.filter(kind="reschedule").exists() for line in lines)


def test_a_plan_that_would_break_something_by_now_is_refused_with_what(mill, lines):
    version = a_week_later(mill, lines[1])
    slot = next(
        one for one in version.assignments if one["operation"].endswith("/2") and lines[1].reference in one["operation"]
    )
    book("PRT1" if slot["machine"] == "PRT1" else "PRT2", slot["start"], slot["end"])
    with pytest.raises(PlanOutdated) as refusal:
        planning.publish(mill, version.number, by=None)
    assert refusal.value.fields["faults"]
    assert plans.published("demo") == 0


def test_an_order_that_came_meanwhile_stays_where_it_is(mill, lines):
    version = a_week_later(mill, lines[2])
    newcomer = planned(mill, "FAB-COT-POP")
    before = times_of(newcomer)
    planning.publish(mill, version.number, by=None)
    assert times_of(newcomer) == before


def test_a_version_is_kept_as_it_was_and_can_be_read_again(mill, lines):
    version = PlanVersion.objects.get(pk=a_week_later(mill, lines[2]).pk)
    problem, plan = plans.problem_of(version), plans.plan_of(version)
    assert faults(problem, plan.assignments) == ()
    assert figures_of(problem, plan.assignments) == plan.figures
    difference = compare(problem, problem.published, plan.assignments)
    assert plans.difference_written(difference)["sentence"] == version.difference["sentence"]


# ---------------------------------------------------------------------------------------------- making way


def book(centre, start, end, reference="OTHER-RUSH"):
    """Somebody else books a machine in the ERP."""
    LedgerBooking.objects.create(
        work_centre=LedgerWorkCentre.objects.get(shop="demo", code=centre),
        reference=reference,
        name=reference,
        start=datetime.fromtimestamp(start * 60, UTC),
        end=datetime.fromtimestamp(end * 60, UTC),
    )


def test_what_somebody_else_books_in_the_erp_moves_ours_at_the_next_look_and_nobody_else(quick, told):
    line = told[1]
    slot = next(slot for slot in line.plan["slots"] if slot["name"] == "Print")
    start, end = (int(datetime.fromisoformat(slot[side]).timestamp() // 60) for side in ("start", "end"))
    before = {other.pk: times_of(other) for other in told}
    book(slot["work_centre"], start, end)
    following.follow(quick)
    after = next(slot for slot in now(line).plan["slots"] if slot["name"] == "Print")
    assert (after["work_centre"], after["start"]) != (slot["work_centre"], slot["start"])
    assert held_of(line) == times_of(line)
    assert [times_of(other) for other in (told[0], told[2])] == [before[told[0].pk], before[told[2].pk]]
    work_on(line)
    assert recorded_of(line) == times_of(line)
    schedule = timetable.schedule_of(quick)
    assert faults(schedule.problem, schedule.assignments) == ()
    version = PlanVersion.objects.get(shop="demo")
    assert (version.by, plans.published("demo")) == ("ERP", version.number)
    following.follow(quick)
    assert PlanVersion.objects.filter(shop="demo").count() == 1


def test_nothing_makes_way_for_what_touches_nobody(mill, lines):
    end = max(datetime.fromisoformat(line.plan["promise"]) for line in lines)
    minute = int(end.timestamp() // 60) + 60
    book("PRT1", minute, minute + 60)
    following.follow(mill)
    assert not PlanVersion.objects.exists()


@pytest.mark.parametrize("state", ["syncing", "inspecting"])
def test_what_can_t_move_is_left_alone_at_every_look_and_makes_no_plan(mill, lines, state):
    line = lines[1]
    slot = assignment_of(line, 1, line.plan["slots"][1])
    book(slot.machine, slot.start, slot.end)
    OrderLine.objects.filter(pk=line.pk).update(state=state)
    before = times_of(line)
    for _ in range(2):
        assert planning.make_way(mill, actor="ERP") is None
    assert (times_of(line), PlanVersion.objects.count()) == (before, 0)


# ---------------------------------------------------------------------------------------------- changing over anew


def test_what_follows_something_new_gets_the_time_to_change_over(quick):
    """A hole before a satin is filled with a poplin: the satin's changeover grows from 5 to 15 minutes."""
    first, second = released(quick), released(quick)
    schedule = planning.to_plan(quick)
    plan = later(schedule, second, 7 * 24 * 60)
    version = planning.keep(quick, schedule, plan, reason="by hand", by="paul")
    planning.publish(quick, version.number, by=None)
    work_on(second)
    other = released(quick, substrate="FAB-COT-POP")
    assert LedgerHold.objects.count() == 3
    here = timetable.schedule_of(quick)
    assert faults(here.problem, here.assignments) == ()
    for line in (first, second, other):
        assert held_of(line) == times_of(line)
    work_on(second)
    assert recorded_of(second) == times_of(second)
