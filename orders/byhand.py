"""Plans made by hand: a draft of a planner's moves and pins, what it comes to, kept as a version and published.

A draft is what a planner has done on the board since they looked: a list of steps, kept by their browser alone. Nothing
of it holds before it is published. Whatever it says is decoded and judged here, each time anew, against what holds now:
what was moved goes where it was put or as soon after as the rules allow, and who stood in its way makes room. So a
draft survives another planner's plan; what of it can't be done any more is said, move by move.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from functools import cached_property
from threading import Lock
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
from production.planning.explain import waits
from production.planning.hand import Shop as Floor
from production.planning.hand import Standing
from production.planning.openings import moment_of
from production.planning.plan import Plan, figures_of
from production.planning.problem import Assignment, Operation, Pin, Problem, stays
from production.planning.validate import Fault, faults

MOVE: Final = "move"
PIN: Final = "pin"
UNPIN: Final = "unpin"
REMEMBERED: Final = 24  # drafts, as far as they were decoded
GROUNDS: Final = 4  # schedules that drafts were made on


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
    """What a draft comes to: `standing`, where it stood on that `ground`; nothing else moves."""

    standing: Standing
    ground: Standing
    pinned: Mapping[str, bool]  # what a planner pins, or unpins, with it
    refused: tuple[Refusal, ...]
    wished: Mapping[str, Wish]  # the last wish for each operation that was moved

    @property
    def problem(self) -> Problem:
        """What `assignments` are a plan of: what has a place, with the pins as they are by now."""
        return self.standing.shop.problem

    @property
    def before(self) -> tuple[Assignment, ...]:
        """Where everything stands that has a place."""
        return self.ground.assignments

    @property
    def assignments(self) -> tuple[Assignment, ...]:
        """Where everything would stand."""
        return self.standing.assignments

    @cached_property
    def faults(self) -> tuple[Fault, ...]:
        """The rules that it breaks, found by other code than what made it."""
        return faults(self.problem, self.assignments)

    @cached_property
    def difference(self) -> Difference:
        """What changes from what holds."""
        figures = (self.ground.figures, self.standing.figures)
        return compare(self.problem, self.before, self.assignments, figures=figures)

    @cached_property
    def waits(self) -> Mapping[str, str]:
        """Why what was moved starts later than it was wished, by operation."""
        there = self.standing.placed
        late = [id for id, wish in self.wished.items() if id in there and there[id].start > wish.start]
        return waits(self.problem, self.assignments, late)


# ------------------------------------------------------------------------------------------------ what stays


@dataclass(frozen=True)
class _Ground:
    """A schedule that drafts are made on; what is looked up in it serves them all."""

    schedule: Schedule

    @cached_property
    def operations(self) -> Mapping[str, Operation]:
        return {one.id: one for one in self.schedule.problem.operations}

    @cached_property
    def published(self) -> Mapping[str, Assignment]:
        return {one.operation: one for one in self.schedule.problem.published}

    @cached_property
    def kept(self) -> Mapping[str, tuple[str, str]]:
        return _kept(self.schedule)

    @cached_property
    def standing(self) -> Standing:
        there = {one.operation for one in self.schedule.assignments}
        return Standing(Floor(planning.only(self.schedule.problem, there)), self.schedule.assignments)

    @cached_property
    def machines(self) -> Mapping[str, str]:
        """Their names without what stands in brackets."""
        found = self.schedule.problem.machines
        return {machine.code: (machine.name or machine.code).split(" (")[0] for machine in found}


_lock = Lock()  # of both memories
_grounds: OrderedDict[int, _Ground] = OrderedDict()


def _ground(schedule: Schedule) -> _Ground:
    with _lock:
        found = _grounds.pop(id(schedule), None)
        if found is None or found.schedule is not schedule:
            found = _Ground(schedule)
        _grounds[id(schedule)] = found
        while len(_grounds) > GROUNDS:
            _grounds.popitem(last=False)
        return found


def kept(schedule: Schedule) -> Mapping[str, tuple[str, str]]:
    """What nobody can move on the board, and why: operation -> (kind, sentence). A planner's own pin is no reason."""
    return _ground(schedule).kept


def _kept(schedule: Schedule) -> dict[str, tuple[str, str]]:
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
    before = _ground(schedule).published.get(operation.id)
    soon = problem.slushy_until is not None and before is not None and before.start < problem.slushy_until
    return before.machine if soon and before is not None and before.machine in operation.minutes else ""


# ------------------------------------------------------------------------------------------------ decoding


@dataclass
class _Board:
    """A draft while it is decoded, step by step."""

    ground: _Ground
    standing: Standing
    pins: dict[str, bool] = field(default_factory=dict)
    refused: list[Refusal] = field(default_factory=list)
    wished: dict[str, Wish] = field(default_factory=dict)

    def copy(self) -> "_Board":
        return _Board(self.ground, self.standing, dict(self.pins), list(self.refused), dict(self.wished))

    def stands(self, id: str) -> bool:
        return id in self.standing.placed

    def anew(self, more: Iterable[str] = ()) -> Standing:
        """The same with the pins as they are by now, and with more that gets a place."""
        problem = self.ground.schedule.problem
        if self.pins:
            problem = replace(problem, operations=tuple(self._pinned(one) for one in problem.operations))
        return Standing(Floor(planning.only(problem, {*self.standing.placed, *more})), self.standing.assignments)

    def _pinned(self, operation: Operation) -> Operation:
        if operation.id not in self.pins:
            return operation
        one = self.standing.placed[operation.id]
        return replace(operation, pin=Pin(one.machine, one.start) if self.pins[operation.id] else None)

    @cached_property
    def draft(self) -> Draft:
        """What it comes to, once no step is to follow."""
        return Draft(
            standing=self.standing,
            ground=self.ground.standing,
            pinned=dict(self.pins),
            refused=tuple(self.refused),
            wished=dict(self.wished),
        )


_decoded: OrderedDict[tuple[int, tuple[Step, ...]], _Board] = OrderedDict()


def draft(schedule: Schedule, steps: Sequence[Step]) -> Draft:
    """What a draft comes to by now. What of it can't be done is refused by itself; the others are done all the same."""
    steps, ground = tuple(steps), _ground(schedule)
    board, begin = _Board(ground, ground.standing), 0
    with _lock:
        for length in range(len(steps), 0, -1):
            known = _decoded.get((id(schedule), steps[:length]))
            if known is not None and known.ground is ground:
                _decoded.move_to_end((id(schedule), steps[:length]))
                board, begin = known, length
                break
    for number in range(begin, len(steps)):
        board = board.copy()
        _do(board, number, steps[number])
        with _lock:
            _decoded[id(schedule), steps[: number + 1]] = board
            while len(_decoded) > REMEMBERED:
                _decoded.popitem(last=False)
    return board.draft


def _do(board: _Board, number: int, step: Step) -> None:
    """Do one step, or note why it can't be done."""
    ids = [wish.operation for wish in step.wishes] if step.kind == MOVE else list(step.operations)
    for id in ids:
        sentence = _refused(board, step, id)
        if sentence:
            board.refused.append(Refusal(number, id, sentence))
            return
    if step.kind != MOVE:
        board.pins |= dict.fromkeys(ids, step.kind == PIN)
        board.standing = board.anew()
        return
    problem = board.ground.schedule.problem
    soonest = max(problem.frozen_until or 0, problem.start)
    wishes = {wish.operation: (wish.machine, max(wish.start, soonest)) for wish in step.wishes}
    standing = board.standing if all(board.stands(id) for id in ids) else board.anew(ids)
    try:
        board.standing = standing.moved(wishes)
    except (NoSlot, NotEnoughRolls) as error:
        board.refused.append(Refusal(number, ids[0], str(error)))
        return
    board.wished |= {wish.operation: wish for wish in step.wishes}


def _refused(board: _Board, step: Step, id: str) -> str:
    """Why a step can't be done with that operation; empty where it can."""
    ground = board.ground
    operation, fixed, machines = ground.operations.get(id), ground.kept, ground.machines
    if operation is None:
        return f"{id} is no longer on the board: it is done, or its order was changed or cancelled."
    called = f"{operation.name or id} {operation.job}"
    if id in fixed:
        return f"{called} stays where it is. {fixed[id][1]}"
    if step.kind != MOVE:
        return "" if board.stands(id) else f"{called} has no place yet: move it onto a machine first."
    if board.pins.get(id, operation.pin is not None):
        return f"{called} is pinned: take the pin out first."
    wish = next(each for each in step.wishes if each.operation == id)
    where = machines.get(wish.machine, wish.machine)
    if wish.machine not in operation.minutes:
        return f"{called} can't be done on {where}."
    must = bound(ground.schedule, operation)
    if must and wish.machine != must:
        until = clock(ground.schedule.problem, ground.schedule.problem.slushy_until or 0)
        soon = f"it begins before {until}, and so soon nothing changes its machine"
        return f"{called} stays on {machines.get(must, must)}: {soon}."
    return ""


def changed_since(schedule: Schedule, steps: Iterable[Step]) -> list[str]:
    """What of a draft stands elsewhere by now than when it was moved, in words."""
    problem, ground = schedule.problem, _ground(schedule)
    there, operations, names_of = ground.standing.placed, ground.operations, ground.machines
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

    The same kept once more by the same person is the same version: pressed twice, or gone back to and pressed again.
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
    with transaction.atomic():
        plans.take_turn(shop.slug)  # of two presses at once the second sees the first
        version = _kept_before(shop, plan, base=base, by=by, pins=pins) or planning.keep(
            shop, schedule, plan, reason="Moved by hand", by=by, problem=found.problem, changes=pins
        )
    if version.base != base:
        raise PlanOutdated(
            f"Plan {version.base} was published while this was kept: look at it again.",
            fields={"plan": version.number, "base": base, "published": version.base},
        )
    return version


def _kept_before(
    shop: Shop, plan: Plan, *, base: int, by: str, pins: Sequence[Mapping[str, Any]]
) -> PlanVersion | None:
    """Return what this person kept last on this base, if it is the very same plan."""
    last = PlanVersion.objects.filter(shop=shop.slug, base=base, by=by, found_by="hand").order_by("-number").first()
    there = [asdict(one) for one in plan.assignments]
    same = last is not None and last.assignments == there and list(last.changes) == list(pins)
    return last if same else None


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
