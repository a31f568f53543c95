"""The shop's plan: every line's operations on its machines, improved, compared, published; and what is told the ERP.

Each line carries its own times (`OrderLine.plan`), held in the ERP. Together they are the plan that holds. A better one
is found by `improve` or `replan`, kept as a version, looked at by a planner, and published as a whole or not at all.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F

from inventory_sync.errors import ErpConflict
from inventory_sync.ports import Moved, SlotHold
from orders import audit, names, steps, tasks
from orders.domain.states import StepState
from orders.errors import StaleState, UnknownPlan
from orders.models import OrderLine, Priority, Shop, Step
from orders.timetable import ALONGSIDE, OPEN, PLANNED, USUAL, Schedule, operation_id, schedule_of
from production import plans
from production.models import PlanVersion
from production.planning.check import check
from production.planning.comparing import compare
from production.planning.errors import InfeasiblePlan, PlanOutdated
from production.planning.insertion import gaps_of, insert, inserted
from production.planning.openings import minute_before, moment_of
from production.planning.plan import Plan, figures_of
from production.planning.problem import Assignment, Problem, Weights
from production.planning.validate import require

TRIES: Final = 12  # to tell the ERP other times: nobody waits for it


# ------------------------------------------------------------------------------------------------ keeping


def keep(
    shop: Shop,
    schedule: Schedule,
    plan: Plan,
    *,
    reason: str,
    by: str,
    problem: Problem | None = None,
    changes: Sequence[Mapping[str, Any]] = (),
) -> PlanVersion:
    """Keep a plan of what holds as a new version, after it was judged by other code.

    `problem`: what it became by `changes`, which the plan is an answer to. Raises InfeasiblePlan.
    """
    problem = problem or schedule.problem
    require(problem, plan.assignments)
    return plans.keep(
        shop.slug,
        problem,
        plan,
        compare(problem, schedule.assignments, plan.assignments),
        base=plans.published(shop.slug),
        reason=reason,
        by=by,
        changes=changes,
    )


def to_plan(shop: Shop, *, weights: Weights = USUAL) -> Schedule:
    """What a search starts from, with the ERP asked now. Raises InvalidProblem."""
    schedule = schedule_of(shop, moving=True, fresh=True, weights=weights)
    check(schedule.problem)
    return schedule


# ------------------------------------------------------------------------------------------------ publishing


def publish(shop: Shop, number: int, *, by: User | None, actor: str = "") -> list[OrderLine]:
    """Let a version hold: every line gets its times, holds move with them, and the ERP is told line by line.

    All of it or nothing. Returns the lines that moved. Raises UnknownPlan, PlanOutdated when another plan was
    published meanwhile or when it would break something by now, SlotTaken, ErpConflict.
    """
    version = version_of(shop, number)
    now = schedule_of(shop, moving=True, fresh=True)
    wanted = _as_it_would_be(now, version)
    moved = _moved(now, wanted, version)
    with transaction.atomic():
        lock(moved)
        plans.publish(version)
        audit.record(
            shop,
            "publish_plan",
            actor=by or actor,
            details={"plan": version.number, "base": version.base, "lines": sorted(line.reference for line in moved)},
        )
        held = [
            Moved(names.hold_name(line), tuple(_slot_hold(slot) for slot in plan["slots"]))
            for line, plan in moved.items()
        ]
        _note_changes(shop, version, now)
        for line, plan in moved.items():
            if line.plan and plan["promise"] != line.plan["promise"]:
                plan = {**plan, "binding": f"Planned anew in plan {number}", "moved": True}
            _move(line, plan, by=by or actor, details={"plan": number})
        if held:
            names.erp_of(shop).rearrange(held)
    return list(moved)


def lock(lines: Iterable[OrderLine]) -> None:
    """Take lines for this transaction in one order, before the shop's row: as whatever moves a single line does.

    Nothing rests on it but that two who write several lines don't wait for each other for ever.
    """
    list(OrderLine.objects.select_for_update().filter(pk__in=[line.pk for line in lines]).order_by("pk"))


def displace(shop: Shop, displaced: Iterable[Assignment], *, because: str) -> None:
    """Let machines be changed over otherwise for what follows something new; inside the caller's transaction.

    Raises ErpConflict, which is retryable, while such a line is being written; SlotTaken, ErpConflict, StaleState.
    """
    by_line: dict[str, list[Assignment]] = {}
    for one in displaced:
        by_line.setdefault(one.operation.rpartition("/")[0], []).append(one)
    held = []
    planned = OrderLine.objects.of(shop).filter(state__in=PLANNED, plan__isnull=False)
    for line in planned.select_related("order__shop") if by_line else ():
        ours = {one.operation: one for one in by_line.get(names.hold_name(line), ())}
        if not ours:
            continue
        if Step.objects.filter(line=line, state__in=OPEN).exclude(kind__in=ALONGSIDE).exists():
            raise ErpConflict(f"{line.reference} is being written at this moment: try again.")
        assert line.plan is not None
        slots = [
            placed(slot, ours[operation_id(line, number)]) if operation_id(line, number) in ours else slot
            for number, slot in enumerate(line.plan["slots"])
        ]
        if slots != line.plan["slots"]:
            _move(line, {**line.plan, "slots": slots}, by="", details={"because": because})
            held.append(Moved(names.hold_name(line), tuple(_slot_hold(slot) for slot in slots)))
    if held:
        names.erp_of(shop).rearrange(held)


def version_of(shop: Shop, number: int) -> PlanVersion:
    """A plan of a shop, by its number. Raises UnknownPlan."""
    version = PlanVersion.objects.filter(shop=shop.slug, number=number).first()
    if version is None:
        raise UnknownPlan(f"There is no plan {number}.", fields={"plan": number})
    return version


def _as_it_would_be(now: Schedule, version: PlanVersion) -> dict[str, Assignment]:
    """Where everything would stand by now with that version: what has come since stays where it is."""
    found = {one["operation"]: Assignment(**one) for one in version.assignments}
    stands = {one.operation: one for one in now.assignments}
    free = _set_free(version)
    wanted: dict[str, Assignment] = {}
    for operation in now.problem.operations:
        here = found.get(operation.id) if operation.pin is None or operation.id in free else None
        here = here or stands.get(operation.id)
        if here is not None:
            wanted[operation.id] = here
    # What should have begun, and nobody has planned anew, has no time that could be broken.
    problem = only(now.problem, wanted, unpinned=free)
    try:
        require(problem, wanted.values())
    except InfeasiblePlan as broken:
        raise PlanOutdated(
            f"Plan {version.number} can't be kept any more: {broken} Plan again.",
            fields={"plan": version.number, "faults": broken.fields["faults"]},
        ) from broken
    return wanted


def _set_free(version: PlanVersion) -> frozenset[str]:
    """Operations that what had happened made move, although they were frozen, or were on a machine that stopped."""
    problem = plans.problem_of(version)
    kept = {one.operation for one in problem.published}
    return frozenset(
        operation.id
        for operation in problem.operations
        if operation.id not in kept and (operation.pin is None or operation.pin.start is None)
    )


def only(problem: Problem, ids: Container[str], *, unpinned: Container[str] = ()) -> Problem:
    """The problem without the operations that have no place, and with some that neither pin nor zone keeps."""
    kept = []
    for operation in problem.operations:
        if operation.id not in ids:
            continue
        if operation.id in unpinned:
            operation = replace(operation, pin=None)
        if not all(one.operation in ids for one in operation.after):
            operation = replace(operation, after=tuple(one for one in operation.after if one.operation in ids))
        kept.append(operation)
    published = tuple(one for one in problem.published if one.operation not in unpinned)
    return replace(problem, operations=tuple(kept), published=published)


# ------------------------------------------------------------------------------------------------ making way


def make_way(shop: Shop, *, actor: str) -> PlanVersion | None:
    """Move what stands where somebody else has booked a machine by now, and publish that; None: nothing does.

    Each operation that is hit goes into the next gap, with what follows it in its line; nobody else moves. Raises
    NoSlot, PlanOutdated, StaleState, ErpError.
    """
    now = schedule_of(shop, moving=True)
    if not now.clashing:
        return None
    hit: set[str] = set()
    for job in now.lines:
        ours = [operation for operation in now.problem.operations if operation.job == job]
        first = next((number for number, each in enumerate(ours) if each.id in now.clashing), len(ours))
        hit |= {operation.id for operation in ours[first:] if operation.pin is None}
    if not hit:
        return None  # what is hit runs already, or is on its way into the ERP: nothing here could move
    stays = tuple(one for one in now.assignments if one.operation not in hit)
    problem = only(now.problem, hit | {one.operation for one in stays})
    problem = replace(problem, frozen_until=None, slushy_until=None, published=now.assignments)
    gaps, placed = gaps_of(problem, stays), stays
    for job in now.lines:
        ours = [operation for operation in problem.operations if operation.job == job and operation.id in hit]
        if ours:
            found = insert(gaps, ours)
            gaps, placed = found.gaps, inserted(problem, placed, found)
    require(problem, placed)
    plan = Plan(placed, figures_of(problem, placed), by="making way")
    before = tuple(one for one in now.assignments if one.operation in {each.operation for each in placed})
    version = plans.keep(
        shop.slug,
        problem,
        plan,
        compare(problem, before, placed),
        base=plans.published(shop.slug),
        reason="Somebody else booked a machine in the ERP",
        by=actor,
    )
    publish(shop, version.number, by=None, actor=actor)
    return version


def _moved(now: Schedule, wanted: Mapping[str, Assignment], version: PlanVersion) -> dict[OrderLine, dict[str, Any]]:
    """The lines that would stand otherwise, or wait for a late delivery from now on, with their plans as they'd be."""
    found = {}
    for line in now.lines.values():
        if line.plan is None:
            continue
        slots = []
        for number, slot in enumerate(line.plan["slots"]):
            one = wanted.get(operation_id(line, number))
            slots.append(slot if one is None else placed(slot, one))
        plan = {**line.plan, **_late(version, line)}
        if slots != line.plan["slots"]:
            plan |= {"slots": slots, "promise": slots[-1]["end"]}
        if plan != line.plan:
            found[line] = plan
    return found


def placed(slot: Mapping[str, Any], one: Assignment) -> dict[str, Any]:
    """A slot of a line's plan at another place; the same where it stands there already."""
    times = {
        "work_centre": one.machine,
        "start": moment_of(one.changeover).isoformat(),
        "end": moment_of(one.end).isoformat(),
    }
    if "run_start" in slot:
        times["run_start"] = moment_of(one.start).isoformat()
    there = {name: slot[name] for name in times}
    if all(there[name] == times[name] or _same_minute(there[name], times[name]) for name in times):
        return dict(slot)
    machines = slot.get("machines", {})
    run = machines.get(one.machine)
    minutes = slot["minutes"] if run is None else run + (one.start - one.changeover)
    return {**slot, **times, "minutes": minutes}


def _same_minute(one: str, other: str) -> bool:
    try:
        return minute_before(datetime.fromisoformat(one)) == minute_before(datetime.fromisoformat(other))
    except ValueError:
        return False


def _note_changes(shop: Shop, version: PlanVersion, now: Schedule) -> None:
    """What had happened holds from now on: a machine stands still, an order is in a hurry."""
    for change in version.changes:
        if change["change"] == "breakdown":
            start, end = (_moment(each) for each in change["span"])
            plans.stand_still(shop.slug, change["machine"], start, end, reason="Breakdown")
        if change["change"] == "rush" and (line := now.lines.get(change["job"])) is not None:
            values: dict[str, Any] = {}
            if change.get("weight") is not None:
                values["priority"] = min(max(Priority.NORMAL, round(change["weight"])), Priority.RUSH)
            if change.get("due") is not None:
                values["due_date"] = _moment(change["due"]).astimezone(ZoneInfo(shop.time_zone)).date()
            OrderLine.objects.filter(pk=line.pk).update(**values)


def _late(version: PlanVersion, line: OrderLine) -> dict[str, str]:
    """From when on what a line needs is there, where the version answers to a late delivery."""
    for change in version.changes:
        ours = [change.get("job"), *(id.rpartition("/")[0] for id in change.get("operations", ()))]
        if change["change"] == "late" and {line.reference, names.hold_name(line)} & set(ours):
            return {"not_before": _moment(change["release"]).isoformat()}
    return {}


def _moment(said: str | int) -> datetime:
    """A time of a change: a date and time with its offset, or a minute."""
    return moment_of(said) if isinstance(said, int) else datetime.fromisoformat(said)


def _slot_hold(slot: Mapping[str, Any]) -> SlotHold:
    return SlotHold(
        slot["work_centre"], datetime.fromisoformat(slot["start"]), datetime.fromisoformat(slot["end"]), slot["name"]
    )


def _move(line: OrderLine, plan: dict[str, Any], *, by: User | str, details: dict[str, Any]) -> None:
    """Give a line its new times, and open the step that tells the ERP; one that is open already will tell them."""
    before = line.plan["promise"] if line.plan else None
    seen = OrderLine.objects.filter(pk=line.pk, state=line.state, version=line.version)
    if seen.update(plan=plan, version=F("version") + 1) != 1:
        raise StaleState(fields={"line": line.reference, "seen": line.state, "version": line.version})
    audit.record(
        line.order.shop, "moved", actor=by, line=line, details={**details, "promise": plan["promise"], "before": before}
    )
    told = Step.objects.filter(line=line, kind__in=["sync", "reschedule"], state=StepState.DONE)
    still_open = Step.objects.filter(line=line, state__in=OPEN)
    if told.exists() and not still_open.exclude(kind="report").exists():
        if still_open.exists():
            steps.drop_open(line)  # what it tells is told after these times
        tasks.ring(steps.open_step(line, "reschedule", max_attempts=TRIES).pk)
