"""Plans made by hand: a draft of a planner's moves and pins, what it comes to, kept as a version and published.

A draft is what a planner has done on the board since they looked: a list of steps, kept by their browser alone. Nothing
of it holds before it is published. Whatever it says is decoded and judged here, each time anew, against what holds now:
what was moved goes where it was put or as soon after as the rules allow, and who stood in its way makes room. So a
draft survives another planner's plan; what of it can't be done any more is said, move by move.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F

from inventory_sync import words
from orders import audit, planning
from orders.domain.states import LineState
from orders.errors import DraftRefused, StaleState
from orders.models import OrderLine, Shop
from orders.timetable import PINNED, PLANNED, Schedule, operation_id
from production import plans
from production.models import PlanVersion
from production.planning.clock import clock
from production.planning.comparing import Difference, compare
from production.planning.errors import NoSlot, NotEnoughRolls, PlanOutdated
from production.planning.explain import why
from production.planning.hand import moved_by_hand
from production.planning.openings import moment_of
from production.planning.plan import Plan, figures_of
from production.planning.problem import Assignment, Operation, Pin, Problem, stays
from production.planning.validate import Fault, faults

MOVE: Final = "move"
PIN: Final = "pin"
UNPIN: Final = "unpin"
REMEMBERED: Final = 12  # drafts, as far as they were decoded


@dataclass(frozen=True)
class Wish:
    """Where an operation shall be done: on that machine, from that minute on. `was`: where it stood until then."""

    operation: str
    machine: str
    start: int
    was: tuple[str, int] | None = None


@dataclass(frozen=True)
class Step:
    """One thing a planner did: moved operations together, or pinned or unpinned some."""

    kind: str  # move, pin or unpin
    wishes: tuple[Wish, ...] = ()  # of a move
    operations: tuple[str, ...] = ()  # of a pin


@dataclass(frozen=True)
class Refusal:
    """A step of a draft that can't be done, and why."""

    step: int
    operation: str
    sentence: str


@dataclass(frozen=True)
class Draft:
    """What a draft comes to. `problem` is what `assignments` are a plan of: nothing else moves."""

    problem: Problem
    before: tuple[Assignment, ...]
    assignments: tuple[Assignment, ...]
    pinned: Mapping[str, bool]  # what a planner pins, or unpins, with it
    refused: tuple[Refusal, ...]
    wished: Mapping[str, Wish]  # the last wish for each operation that was moved

    @cached_property
    def faults(self) -> tuple[Fault, ...]:
        """The rules that it breaks, found by other code than what made it."""
        return faults(self.problem, self.assignments)

    @cached_property
    def difference(self) -> Difference:
        """What changes from what holds."""
        return compare(self.problem, self.before, self.assignments)

    @cached_property
    def waits(self) -> Mapping[str, str]:
        """Why what was moved starts later than it was wished, by operation."""
        there = {one.operation: one for one in self.assignments}
        found = {}
        for wish in self.wished.values():
            one = there.get(wish.operation)
            if one is not None and one.start > wish.start:
                chain = why(self.problem, self.assignments, wish.operation)
                found[wish.operation] = " ".join(chain.sentences[:2])
        return found


# ------------------------------------------------------------------------------------------------ what stays


def kept(schedule: Schedule) -> dict[str, tuple[str, str]]:
    """What nobody can move on the board, and why: operation -> (kind, sentence). A planner's own pin is no reason."""
    problem = schedule.problem
    published = {one.operation: one for one in problem.published}
    found = {}
    for operation in problem.operations:
        line, before, pin = schedule.lines[operation.job], published.get(operation.id), operation.pin
        reason: tuple[str, str] | None = None
        if line.plan is None and line.quote is not None:
            until = words.clock(datetime.fromisoformat(line.quote["expires"]), problem.tz, now=moment_of(problem.start))
            reason = ("quote", f"A quote holds this time until {until}; it moves once the order is confirmed.")
        elif pin is not None and pin.start is not None and pin.start < problem.start:
            reason = ("running", f"It has been running since {clock(problem, pin.start)}.")
        elif line.state in (LineState.RELEASING, LineState.SYNCING) or getattr(line, "busy", False):
            reason = ("erp", "It is on its way into the ERP: try again in a moment.")
        elif line.state == LineState.INSPECTING:
            reason = ("inspecting", "Its cloth is being inspected.")
        elif line.state == LineState.BLOCKED:
            reason = ("blocked", f"{line.reference} is stopped: a person has to decide first.")
        elif before is not None and stays(problem, before):
            until = clock(problem, problem.frozen_until or problem.start)
            reason = ("frozen", f"It begins within the frozen time, which ends {until}: the floor has it already.")
        if reason is not None:
            found[operation.id] = reason
    return found


def pinned(schedule: Schedule) -> set[str]:
    """The operations that a planner has pinned where they stand."""
    keeping = kept(schedule)
    return {one.id for one in schedule.problem.operations if one.pin is not None and one.id not in keeping}


def bound(schedule: Schedule, operation: Operation) -> str:
    """The machine that an operation has to stay on because it begins so soon; empty: none."""
    problem = schedule.problem
    before = next((one for one in problem.published if one.operation == operation.id), None)
    soon = problem.slushy_until is not None and before is not None and before.start < problem.slushy_until
    return before.machine if soon and before is not None and before.machine in operation.minutes else ""


# ------------------------------------------------------------------------------------------------ decoding


@dataclass
class _Board:
    """A draft while it is decoded, step by step."""

    schedule: Schedule
    placed: dict[str, Assignment]
    pins: dict[str, bool] = field(default_factory=dict)
    refused: list[Refusal] = field(default_factory=list)
    wished: dict[str, Wish] = field(default_factory=dict)

    def copy(self) -> "_Board":
        return _Board(self.schedule, dict(self.placed), dict(self.pins), list(self.refused), dict(self.wished))

    @property
    def whole(self) -> Problem:
        """The shop's problem, with the pins as they are by now."""
        problem = self.schedule.problem
        if not self.pins:
            return problem
        return replace(problem, operations=tuple(self._pinned(one) for one in problem.operations))

    @property
    def problem(self) -> Problem:
        """What there is to plan: what has a place."""
        return planning.only(self.whole, self.placed)

    def _pinned(self, operation: Operation) -> Operation:
        if operation.id not in self.pins:
            return operation
        one = self.placed[operation.id]
        return replace(operation, pin=Pin(one.machine, one.start) if self.pins[operation.id] else None)


_decoded: OrderedDict[tuple[int, tuple[Step, ...]], _Board] = OrderedDict()


def draft(schedule: Schedule, steps: Sequence[Step]) -> Draft:
    """What a draft comes to by now. What of it can't be done is refused by itself; the others are done all the same."""
    steps = tuple(steps)
    board = _Board(schedule, {one.operation: one for one in schedule.assignments})
    begin = 0
    for length in range(len(steps), 0, -1):
        known = _decoded.get((id(schedule), steps[:length]))
        if known is not None and known.schedule is schedule:
            board, begin = known.copy(), length
            break
    fixed = kept(schedule)
    for number in range(begin, len(steps)):
        _do(board, number, steps[number], fixed)
        _decoded[id(schedule), steps[: number + 1]] = board.copy()
        while len(_decoded) > REMEMBERED:
            _decoded.popitem(last=False)
    problem = board.problem
    order = {operation.id: number for number, operation in enumerate(problem.operations)}
    assignments = tuple(sorted(board.placed.values(), key=lambda one: order[one.operation]))
    return Draft(
        problem=problem,
        before=schedule.assignments,
        assignments=assignments,
        pinned=dict(board.pins),
        refused=tuple(board.refused),
        wished=dict(board.wished),
    )


def _do(board: _Board, number: int, step: Step, fixed: Mapping[str, tuple[str, str]]) -> None:
    """Do one step, or note why it can't be done."""
    operations = {one.id: one for one in board.schedule.problem.operations}
    ids = [wish.operation for wish in step.wishes] if step.kind == MOVE else list(step.operations)
    for id in ids:
        sentence = _refused(board, step, operations.get(id), id, fixed)
        if sentence:
            board.refused.append(Refusal(number, id, sentence))
            return
    if step.kind != MOVE:
        board.pins |= dict.fromkeys(ids, step.kind == PIN)
        return
    soonest = max(board.schedule.problem.frozen_until or 0, board.schedule.problem.start)
    wishes = {wish.operation: (wish.machine, max(wish.start, soonest)) for wish in step.wishes}
    problem = planning.only(board.whole, {*board.placed, *wishes})
    try:
        moved = moved_by_hand(problem, board.placed.values(), wishes)
    except (NoSlot, NotEnoughRolls) as error:
        board.refused.append(Refusal(number, ids[0], str(error)))
        return
    board.placed = {one.operation: one for one in moved}
    board.wished |= {wish.operation: wish for wish in step.wishes}


def _refused(
    board: _Board, step: Step, operation: Operation | None, id: str, fixed: Mapping[str, tuple[str, str]]
) -> str:
    """Why a step can't be done with that operation; empty where it can."""
    if operation is None:
        return f"{id} is no longer on the board: it is done, or its order was changed or cancelled."
    called = f"{operation.name or id} {operation.job}"
    if id in fixed:
        return f"{called} stays where it is. {fixed[id][1]}"
    if step.kind != MOVE:
        return "" if id in board.placed else f"{called} has no place yet: move it onto a machine first."
    if board.pins.get(id, operation.pin is not None):
        return f"{called} is pinned: take the pin out first."
    wish = next(each for each in step.wishes if each.operation == id)
    machines = {machine.code: (machine.name or machine.code).split(" (")[0] for machine in board.problem.machines}
    where = machines.get(wish.machine, wish.machine)
    if wish.machine not in operation.minutes:
        return f"{called} can't be done on {where}."
    must = bound(board.schedule, operation)
    if must and wish.machine != must:
        until = clock(board.schedule.problem, board.schedule.problem.slushy_until or 0)
        soon = f"it begins before {until}, and so soon nothing changes its machine"
        return f"{called} stays on {machines.get(must, must)}: {soon}."
    return ""


def changed_since(schedule: Schedule, steps: Iterable[Step]) -> list[str]:
    """What of a draft stands elsewhere by now than when it was moved, in words."""
    problem, there = schedule.problem, {one.operation: one for one in schedule.assignments}
    names_of = {machine.code: (machine.name or machine.code).split(" (")[0] for machine in problem.machines}
    operations = {one.id: one for one in problem.operations}
    found: dict[str, str] = {}
    for wish in (wish for step in steps for wish in step.wishes if wish.was is not None):
        now, operation = there.get(wish.operation), operations.get(wish.operation)
        if operation is None or wish.operation in found:
            continue
        assert wish.was is not None
        machine, start = wish.was
        if now is None or (now.machine, now.start) != (machine, start):
            here = f"stands on {names_of.get(now.machine)} {clock(problem, now.start)}" if now else "has no place"
            before = f"{names_of.get(machine, machine)} {clock(problem, start)}"
            found[wish.operation] = (
                f"{operation.name} {operation.job} {here} by now; it was {before} when you moved it."
            )
    return list(found.values())


# ------------------------------------------------------------------------------------------------ keeping, publishing


def keep(shop: Shop, steps: Sequence[Step], *, by: str) -> PlanVersion:
    """Keep a draft as a version of the plan, judged against what holds now; nothing is published.

    Raises DraftRefused where something of it can't be done or nothing changes, InfeasiblePlan, and PlanOutdated when
    another plan was published in this very moment.
    """
    base = plans.published(shop.slug)
    schedule = planning.to_plan(shop)
    found = draft(schedule, steps)
    if found.refused:
        sentences = [each.sentence for each in found.refused]
        more = f" ({len(sentences) - 1} more)" if len(sentences) > 1 else ""
        raise DraftRefused(
            f"{sentences[0]}{more}",
            fields={"refused": [{"step": each.step, "sentence": each.sentence} for each in found.refused]},
        )
    pins = [{"change": PIN, "operation": id, "on": on} for id, on in found.pinned.items()]
    if found.assignments == found.before and not pins:
        raise DraftRefused("Nothing changes by this: there is nothing to keep.", fields={"refused": []})
    plan = Plan(found.assignments, figures_of(found.problem, found.assignments), by="hand")
    version = planning.keep(shop, schedule, plan, reason="Moved by hand", by=by, problem=found.problem, changes=pins)
    if version.base != base:
        raise PlanOutdated(
            f"Plan {version.base} was published while this was kept: look at it again.",
            fields={"plan": version.number, "base": base, "published": version.base},
        )
    return version


def publish(shop: Shop, number: int, *, by: User) -> list[OrderLine]:
    """Let a version hold, with the pins that were set in it. Returns the lines that moved.

    Raises what planning.publish raises.
    """
    version = planning.version_of(shop, number)
    pins = {change["operation"]: change["on"] for change in version.changes if change["change"] == PIN}
    with transaction.atomic():
        planning.lock(OrderLine.objects.of(shop).filter(state__in=PLANNED, plan__isnull=False))
        _pin(shop, {id for id, on in pins.items() if not on}, on=False, by=by, number=number)
        moved = planning.publish(shop, number, by=by)
        _pin(shop, {id for id, on in pins.items() if on}, on=True, by=by, number=number)
    return moved


def _pin(shop: Shop, operations: set[str], *, on: bool, by: User, number: int) -> None:
    """Write down what is pinned, or is not any more. Raises StaleState when a line has moved on meanwhile."""
    if not operations:
        return
    planned = OrderLine.objects.of(shop).filter(state__in=PLANNED, plan__isnull=False)
    for line in planned.select_related("order__shop"):
        ours = [at for at in range(len(_slots(line))) if operation_id(line, at) in operations]
        if not ours:
            continue
        slots = [
            {**{name: value for name, value in slot.items() if name != PINNED}, **({PINNED: True} if on else {})}
            if at in ours
            else slot
            for at, slot in enumerate(_slots(line))
        ]
        seen = OrderLine.objects.filter(pk=line.pk, state=line.state, version=line.version)
        assert line.plan is not None
        if seen.update(plan={**line.plan, "slots": slots}, version=F("version") + 1) != 1:
            raise StaleState(fields={"line": line.reference, "seen": line.state, "version": line.version})
        details: dict[str, Any] = {"plan": number, "operations": [slots[at]["name"] for at in ours]}
        audit.record(shop, "pin" if on else "unpin", actor=by, line=line, details=details)


def _slots(line: OrderLine) -> list[dict[str, Any]]:
    assert line.plan is not None
    return list(line.plan["slots"])
