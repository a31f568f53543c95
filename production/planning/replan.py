"""What to do when something happens: a breakdown, a rush order, a late delivery, a booking of others.

An *event* is a pure function from a problem to what it is now. What is published stays published: who doesn't stand
there afterwards has moved, and that has its weight. Only what the event itself makes impossible, of the pinned, the
frozen and the slushy, is set free (`settled`).

Three candidates answer it, from the smallest change to the largest, and nothing is applied:

* *right-shift*: same machines, same order; what can't stay starts later, and nothing earlier than before. What is new
  goes in first and the others make room;
* *re-assignment*: only what the event hits goes elsewhere, into gaps or, where that costs less, between others that
  then shift; what is new goes into gaps;
* *search*: from the better of the two, with the published plan as what holds it together.

How strongly it holds is not a price that could be known beforehand: what a moved operation has to gain depends on the
shop's due dates and weights. So it is a budget: of what the event did not touch, at most a tenth moves. The search
begins at the weight that the planner sees, and in rounds lowers it while that much is kept and raises it where it is
not, halving the interval in between (a Lagrange multiplier, found by bisection). All candidates are judged by the
weight at which the search's answer was found.
"""

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from heapq import heapify, heappop, heappush
from time import monotonic
from typing import Final

from production.planning.check import check
from production.planning.comparing import Difference, Move, compare
from production.planning.errors import InvalidChange, NoSlot, NotEnoughRolls, UnknownOperation
from production.planning.insertion import (
    FOREVER,
    OpenTime,
    Place,
    gaps_of,
    insert,
    inserted,
    place,
    rolls_for,
    with_job,
    work_of,
)
from production.planning.openings import Span, merged
from production.planning.plan import Figures, Plan, figures_of, sequences
from production.planning.problem import (
    Assignment,
    Job,
    Machine,
    Operation,
    Pin,
    Problem,
    Roll,
    Taken,
    Weights,
    stays,
)
from production.planning.solve import solve
from production.planning.validate import faults

RIGHT_SHIFT: Final = "right-shift"
RE_ASSIGNMENT: Final = "re-assignment"
SEARCH: Final = "search"
MOST_MOVED: Final = 0.1  # of what an event did not touch
# Searches for the weight of a move that keeps this, and how much of the time each gets: at a tenth of the planner's own
# most breakdowns are answered as cheaply as by planning freely, and some 5 to 8 % of the others move.
ROUNDS: Final = (0.7, 0.3)
FIRST_WEIGHT: Final = 0.1  # of the planner's
WEIGHT_STEP: Final = 3.0  # between two rounds
MOVE_GAINS_MIN: Final = 10  # an operation of others is moved for no less


@dataclass(frozen=True)
class Candidate:
    """A way to answer an event, and what it changes."""

    by: str  # right-shift, re-assignment or search
    plan: Plan
    difference: Difference

    @property
    def figures(self) -> Figures:
        """What the plan comes to."""
        return self.plan.figures


@dataclass(frozen=True)
class Replan:
    """The answers to an event, the best first; `problem` is what they are plans of."""

    problem: Problem
    candidates: tuple[Candidate, ...]

    @property
    def best(self) -> Candidate:
        """The answer that costs least, moved operations included."""
        return self.candidates[0]


def replan(
    problem: Problem,
    plan: Plan | Iterable[Assignment],
    *,
    seconds: float = 4.0,
    seed: int = 0,
    most_moved: float | None = MOST_MOVED,
    effort: Sequence[int] | None = None,
    chains: int | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Replan:
    """Answers to what an event left of a problem, the best first; nothing is applied.

    `problem` is what an event returned (or several, one after another), `plan` how it was planned until now; what
    stability is measured by is `problem.published`. `most_moved`: the share of what the event did not touch that may
    move; None: as many as pay by the problem's own weight. A candidate that finds no place before the problem's end is
    left out. `effort` (of each round), `chains` and `cancelled` are those of `solve`. Raises InvalidProblem, and
    NoSlot where there is no answer.
    """
    check(problem)
    before = plan.assignments if isinstance(plan, Plan) else tuple(plan)
    answers = [*_answers(problem, before)]
    start = min(answers, key=lambda one: one.figures.cost, default=None)
    stays = {one.operation for one in before} - touched(problem, before)
    search = partial(solve, seed=seed, effort=effort, chains=chains, cancelled=cancelled)
    try:
        found = _within_budget(problem, start or before, stays, most_moved, search=search, seconds=seconds)
    except NoSlot:
        if not answers:
            raise
    else:
        problem = replace(problem, weights=found.weights)
        answers.append(replace(found.plan, by=SEARCH))
    judged = [replace(one, figures=figures_of(problem, one.assignments)) for one in answers]
    judged.sort(key=lambda one: one.figures.cost)
    return Replan(problem, tuple(Candidate(one.by, one, compare(problem, before, one)) for one in judged))


@dataclass(frozen=True)
class _Found:
    """A plan of a search, the weights it was found with, and how it is compared with those of other rounds."""

    plan: Plan
    weights: Weights
    over: int  # operations that move beyond the budget
    cost: float  # without what stability weighs
    moved: int


def _within_budget(
    problem: Problem,
    start: Plan | Sequence[Assignment],
    stays: Set[str],
    most_moved: float | None,
    *,
    search: Callable[..., Plan],
    seconds: float,
) -> _Found:
    """The cheapest plan in which no more of `stays` move than the budget says, or as few more as can be."""
    weight = problem.weights.moved
    rounds: tuple[float, ...] = (1.0,)
    if most_moved is not None and weight > 0 and problem.published:
        weight, rounds = FIRST_WEIGHT * weight, ROUNDS
    budget = int((most_moved or 0.0) * len(stays))
    best: _Found | None = None
    for share in rounds:
        weights = replace(problem.weights, moved=weight)
        plan = search(replace(problem, weights=weights), seconds=share * seconds, start=start)
        over, moved = max(0, _moved(problem, plan.assignments, stays) - budget), plan.figures.moved
        found = _Found(plan, weights, over, plan.figures.cost - weight * moved, moved)
        if best is None or (found.over, found.cost, found.moved) < (best.over, best.cost, best.moved):
            best = found
        weight = weight * WEIGHT_STEP if over else weight / WEIGHT_STEP
        # What moves too much is a good plan to move less from.
        start = plan if over else best.plan
    assert best is not None
    return best


def _moved(problem: Problem, assignments: Iterable[Assignment], stays: Set[str]) -> int:
    """How many of `stays` are not where they were published."""
    published = {one.operation: one for one in problem.published}
    moved = 0
    for one in assignments:
        was = published.get(one.operation)
        if was is not None and one.operation in stays:
            moved += one.machine != was.machine or abs(one.start - was.start) > problem.tolerance_min
    return moved


def _answers(problem: Problem, before: Sequence[Assignment]) -> Iterator[Plan]:
    """Right-shift and re-assignment, as far as they find a place for everything and break no rule."""
    for by, way in ((RIGHT_SHIFT, right_shift), (RE_ASSIGNMENT, re_assigned)):
        try:
            assignments = way(problem, before)
        except (NoSlot, NotEnoughRolls):
            continue
        if not faults(problem, assignments):
            yield Plan(assignments, figures_of(problem, assignments), by=by)


# ---------------------------------------------------------------------------------------------- what if we resequence


@dataclass(frozen=True)
class Resequenced:
    """When a job could be done if others made room for it, and what would have to move. Nothing is applied."""

    end: int
    end_if_nobody_moves: int
    assignments: tuple[Assignment, ...]  # of everything
    moves: tuple[Move, ...]  # of what is planned already, the largest first

    @property
    def gain_min(self) -> int:
        """How much earlier it is than if nobody moves."""
        return self.end_if_nobody_moves - self.end


def earliest_if_resequenced(
    problem: Problem,
    plan: Plan | Iterable[Assignment],
    job: str,
    *,
    seconds: float = 0.5,
    seed: int = 0,
    effort: Sequence[int] | None = None,
    chains: int | None = None,
) -> Resequenced:
    """The earliest end of a job of the problem that is not planned yet, if what is neither frozen nor pinned may move.

    No other job becomes late by it, or later than it is. A move has to gain MOVE_GAINS_MIN minutes. Where the search
    finds nothing, the answer is that of an insertion. `effort` and `chains` are those of `solve`. Raises NoSlot,
    UnknownOperation.
    """
    began = monotonic()
    before = plan.assignments if isinstance(plan, Plan) else tuple(plan)
    own = [one for one in problem.operations if one.job == job]
    if not own:
        raise UnknownOperation(f"There are no operations of {job}.", fields={"job": job})
    alone = insert(gaps_of(problem, before), own)
    best = inserted(problem, before, alone)
    ends = _ends(problem, before)
    latest = {
        one.id: max(one.due, ends.get(one.id, one.due)) for one in problem.jobs if one.due is not None and one.id != job
    }

    def end_of(assignments: Iterable[Assignment]) -> int | None:
        """When the job is done; None where another becomes late by it, or later."""
        found = _ends(problem, assignments)
        return None if any(found[id] > latest[id] for id in latest.keys() & found.keys()) else found[job]

    asked = _asked(problem, before, job, latest)
    low, high = asked.start, alone.end
    while high - low > MOVE_GAINS_MIN and monotonic() - began < seconds / 3:
        # The job first, from a release on that is halved: the later, the fewer have to make room.
        release = (low + high) // 2
        try:
            tried = right_shift(_released(asked, job, release), before)
        except (NoSlot, NotEnoughRolls):
            low = release
            continue
        end = end_of(tried)
        if end is not None and end < end_of_job(problem, best, job):
            best, high = tried, release
        else:
            low = release
    left = max(0.05, seconds - (monotonic() - began))
    found = solve(asked, seconds=left, seed=seed, effort=effort, chains=chains, start=best, polish=False)
    end = end_of(found.assignments)
    if end is not None and end < end_of_job(problem, best, job):
        best = found.assignments
    best = min(
        (best, *(way for way in _where_it_is(asked, before, best, job) if end_of(way) is not None)),
        key=lambda way: (end_of_job(problem, way, job), len(compare(problem, before, way).moves)),
    )
    return Resequenced(
        end=end_of_job(problem, best, job),
        end_if_nobody_moves=alone.end,
        assignments=best,
        moves=compare(problem, before, best).moves,
    )


def _where_it_is(
    problem: Problem, before: Sequence[Assignment], plan: Iterable[Assignment], job: str
) -> Iterator[tuple[Assignment, ...]]:
    """Plans with the job where it is in that plan, and of the others only those elsewhere that are in its way."""
    at = {one.operation: one for one in plan}
    pinned = replace(
        problem,
        operations=tuple(
            replace(one, pin=Pin(at[one.id].machine, at[one.id].start)) if one.job == job else one
            for one in problem.operations
        ),
    )
    for way in (re_assigned, right_shift):
        try:
            yield way(pinned, before)
        except (NoSlot, NotEnoughRolls):
            continue


def _asked(problem: Problem, before: Sequence[Assignment], job: str, latest: Mapping[str, int]) -> Problem:
    """The problem whose objective is that job's end, that no other is later than allowed, and few moves."""
    end_weight, late_weight = 1.0, 1e6
    jobs = tuple(
        replace(one, due=problem.start, weight=end_weight)
        if one.id == job
        else replace(one, due=latest.get(one.id), weight=late_weight)
        for one in problem.jobs
    )
    weights = Weights(1.0, changeover=0.001, money=0.0, moved=MOVE_GAINS_MIN, overtime=problem.weights.overtime)
    asked = replace(problem, jobs=jobs, weights=weights, published=tuple(before))
    return asked if problem.frozen_until is None else _released(asked, job, problem.frozen_until)


def _released(problem: Problem, job: str, release: int) -> Problem:
    """The problem with a job that may not start before."""
    jobs = tuple(
        replace(one, release=max(release, one.release or release)) if one.id == job else one for one in problem.jobs
    )
    return replace(problem, jobs=jobs)


def _ends(problem: Problem, assignments: Iterable[Assignment]) -> dict[str, int]:
    """When each job is done."""
    job_of = {one.id: one.job for one in problem.operations}
    ends: dict[str, int] = {}
    for one in assignments:
        job = job_of[one.operation]
        ends[job] = max(ends.get(job, one.end), one.end)
    return ends


def end_of_job(problem: Problem, assignments: Iterable[Assignment], job: str) -> int:
    """When a planned job is done."""
    return _ends(problem, assignments)[job]


# ---------------------------------------------------------------------------------------------- as time goes by


def continued(problem: Problem, plan: Plan | Iterable[Assignment], now: int) -> Problem:
    """What is left of a problem at a later moment, with the plan as what is published.

    What is over is gone: its machine is set for it, its cloth is cut, and what comes after it waits out its gap. What
    runs is pinned to where it is. What a machine is being changed over to is frozen, and with it all that starts before
    it does. Everything is taken to have gone by the plan: say with events what did not.
    """
    before = plan.assignments if isinstance(plan, Plan) else tuple(plan)
    over = {one.operation: one for one in before if one.end <= now}
    runs = {one.operation: one for one in before if one.start < now < one.end}
    # All that starts before what is being changed over to: what it comes after must not slip behind it.
    frozen = [one.start + 1 for one in before if one.changeover < now <= one.start]
    at = {one.operation: one for one in before}
    machines = {machine.code: machine for machine in problem.machines}
    cut: dict[str, Decimal] = {}
    left = []
    for one in problem.operations:
        if one.id in over:
            if one.cloth is not None and over[one.id].roll:
                cut[over[one.id].roll] = cut.get(over[one.id].roll, Decimal(0)) + one.cloth.length_m
            continue
        waited = [over[each.operation].end + each.gap_min for each in one.after if each.operation in over]
        release = max([*waited, *([one.release] if one.release is not None else [])], default=None)
        one = replace(one, after=tuple(each for each in one.after if each.operation not in over), release=release)
        if one.id in runs:
            one = _running(one, runs[one.id], machines[runs[one.id].machine], now)
        if one.cloth is not None and one.id in at and at[one.id].roll:
            one = replace(one, cloth=replace(one.cloth, roll=at[one.id].roll))  # of the lot that was begun
        left.append(one)
    jobs = {one.job for one in left}
    done = [each for row in sequences(problem, before).values() for each in row if each[0].end <= now]
    states = {one.machine: operation.attributes for one, operation in done}
    return replace(
        problem,
        start=now,
        machines=tuple(replace(one, state=states.get(one.code, one.state)) for one in problem.machines),
        jobs=tuple(one for one in problem.jobs if one.id in jobs),
        operations=tuple(left),
        published=tuple(one for one in before if one.end > now),
        frozen_until=max([*frozen, problem.frozen_until or 0]) or None,
        rolls=tuple(replace(one, length_m=one.length_m - cut.get(one.code, Decimal(0))) for one in problem.rolls),
    )


def _running(operation: Operation, at: Assignment, machine: Machine, now: int) -> Operation:
    """An operation pinned to where it runs; from its start until now counts as work, so pauses are added to it."""
    time = OpenTime.of(merged((*machine.open, *(machine.overtime if at.overtime else ()))))
    paused = 0 if at.start < time.starts[0] else now - at.start - (time.worked(now) - time.worked(at.start))
    minutes = {**operation.minutes, machine.code: operation.minutes[machine.code] + max(0, paused)}
    return replace(operation, minutes=minutes, pin=Pin(machine.code, at.start))


# ---------------------------------------------------------------------------------------------- events


def breakdown(problem: Problem, machine: str, start: int, end: int) -> Problem:
    """The machine stands still from `start` to `end`.

    What runs on it then has to start again, there or elsewhere; what is splittable goes on when the machine runs again.
    Raises InvalidChange for a machine that is not there or no time.

    >>> shop = Problem(0, 480, (Machine("PRT1", ((0, 480),)),), (), ())
    >>> breakdown(shop, "PRT1", 60, 120).machines[0].open
    ((0, 60), (120, 480))
    """
    where = machine_of(problem, machine)
    require_span(start, end)
    stopped = replace(where, open=without(where.open, start, end), overtime=without(where.overtime, start, end))
    published = {one.operation: one for one in problem.published}

    def now(one: Operation) -> Operation:
        at = _fixed(problem, one, published)
        if at is None or at.machine != machine or not one.splittable or at.start >= problem.start:
            return one
        # Its pinned start counts it as at work until now, and it was not.
        lost = max(0, min(end, problem.start) - max(start, at.start))
        return replace(one, minutes={**one.minutes, machine: one.minutes[machine] + lost})

    changed = replace(
        problem,
        machines=_replaced(problem.machines, stopped),
        operations=tuple(now(one) for one in problem.operations),
    )
    return settled(_without_slushy(changed, machine, (start, end)))


def others_booked(problem: Problem, machine: str, span: Span, *, what: str = "") -> Problem:
    """Somebody else has booked the machine. Raises InvalidChange for a machine that is not there or no time."""
    where = machine_of(problem, machine)
    require_span(*span)
    booked = replace(where, taken=(*where.taken, Taken(*span, what)))
    changed = replace(problem, machines=_replaced(problem.machines, booked))
    return settled(_without_slushy(changed, machine, span))


def late_delivery(problem: Problem, operations: Collection[str], release: int) -> Problem:
    """What these operations need is there from `release` on only. Raises UnknownOperation."""
    require_operations(problem, operations)
    changed = tuple(
        replace(one, release=max(release, one.release or release)) if one.id in operations else one
        for one in problem.operations
    )
    return settled(replace(problem, operations=changed))


def rush(problem: Problem, job: Job, operations: Sequence[Operation]) -> Problem:
    """An order more; its due date and weight say how much of a hurry it is in."""
    return with_job(problem, job, operations)


def settled(problem: Problem) -> Problem:
    """The problem with that set free which can't stay: pins to a start, and what is frozen.

    What can't stay is no longer published, so that it may go anywhere; a planner's pin keeps its machine. What comes
    after it is set free with it where it can't stay either.
    """
    while True:
        _, free = standing(problem)
        if not free:
            return problem
        problem = replace(
            problem,
            operations=tuple(_unpinned(problem, one) if one.id in free else one for one in problem.operations),
            published=tuple(one for one in problem.published if one.operation not in free),
        )


def _unpinned(problem: Problem, operation: Operation) -> Operation:
    pin = operation.pin
    if pin is None or pin.start is None:
        return operation
    return replace(operation, pin=Pin(pin.machine) if pin.start >= problem.start else None)


def _without_slushy(problem: Problem, machine: str, span: Span) -> Problem:
    """The slushy operations that lie in that time of the machine are not bound to it any more."""
    if problem.slushy_until is None:
        return problem
    kept = tuple(
        one
        for one in problem.published
        if one.machine != machine
        or one.start >= problem.slushy_until
        or one.start < (problem.frozen_until or problem.start)
        or not (one.changeover < span[1] and span[0] < one.end)
    )
    return replace(problem, published=kept)


def machine_of(problem: Problem, code: str) -> Machine:
    """The machine of that code. Raises InvalidChange."""
    for machine in problem.machines:
        if machine.code == code:
            return machine
    known = ", ".join(machine.code for machine in problem.machines)
    raise InvalidChange(f"There is no machine {code}: name one of {known}.", fields={"machine": code})


def require_span(start: int, end: int) -> None:
    """Pass a time that has a length. Raises InvalidChange."""
    if not start < end:
        raise InvalidChange(
            f"From {start} to {end} is no time: write an end after the start.", fields={"field": "span"}
        )


def require_operations(problem: Problem, operations: Collection[str]) -> None:
    """Pass names of operations. Raises UnknownOperation."""
    known = {one.id for one in problem.operations}
    for id in operations:
        if id not in known:
            raise UnknownOperation(f"There is no operation {id}.", fields={"operation": id})


def _replaced(machines: Iterable[Machine], changed: Machine) -> tuple[Machine, ...]:
    return tuple(changed if one.code == changed.code else one for one in machines)


def without(spans: Iterable[Span], start: int, end: int) -> tuple[Span, ...]:
    """Sorted spans with that time cut out.

    >>> without([(0, 10), (20, 30)], 5, 22)
    ((0, 5), (22, 30))
    """
    cut = ((piece for piece in ((a, min(b, start)), (max(a, end), b)) if piece[0] < piece[1]) for a, b in spans)
    return tuple(piece for pieces in cut for piece in pieces)


# ---------------------------------------------------------------------------------------------- what has to stay


def _fixed(problem: Problem, operation: Operation, published: Mapping[str, Assignment]) -> Assignment | None:
    """Where an operation has to be done, by its pin or as it is frozen; None: it is free. The end is as published."""
    before, pin = published.get(operation.id), operation.pin
    if pin is not None:
        if pin.start is None:
            return None
        if before is not None and (before.machine, before.start) == (pin.machine, pin.start):
            return before
        end = pin.start + operation.minutes[pin.machine]
        roll = before.roll if before is not None else ""
        return Assignment(operation.id, pin.machine, pin.start, end, pin.start, roll=roll)
    if before is None or not stays(problem, before):
        return None
    return before


def standing(problem: Problem) -> tuple["_Board", set[str]]:
    """What is pinned to a start or frozen, put where it has to be; and what of it can't be there."""
    published = {one.operation: one for one in problem.published}
    at = [found for one in problem.operations if (found := _fixed(problem, one, published)) is not None]
    board, free = _Board(problem), set[str]()
    for unit in _units(problem, at):
        moved = any(before.operation in free for one in unit.operations for before in one.after)
        pinned = any(one.pin is not None for one in unit.operations)
        if (moved and not pinned) or not board.stands(unit):
            free |= {one.id for one in unit.operations}
    return board, free


@dataclass(frozen=True)
class _Unit:
    """An operation, or all of one load, and where each is until now; nowhere when it is new."""

    operations: tuple[Operation, ...]
    stood: tuple[Assignment, ...] = ()

    @property
    def at(self) -> Assignment:
        return self.stood[0]


def _units(problem: Problem, assignments: Iterable[Assignment]) -> list[_Unit]:
    """Operations by their start, those of one load together."""
    positions = {one.id: number for number, one in enumerate(problem.operations)}
    loads = {machine.code for machine in problem.machines if machine.load}
    groups: dict[tuple[str | int, ...], list[Assignment]] = {}
    known = [one for one in assignments if one.operation in positions]
    for one in sorted(known, key=lambda one: (one.start, positions[one.operation])):
        key = (one.machine, one.start, one.end) if one.machine in loads else (one.operation,)
        groups.setdefault(key, []).append(one)
    return [
        _Unit(tuple(problem.operations[positions[one.operation]] for one in group), tuple(group))
        for group in groups.values()
    ]


class _Board:
    """A plan that is being put together: its gaps so far, and who stands where."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.gaps = gaps_of(problem, ())
        self.placed: dict[str, Assignment] = {}
        self.rolls = {roll.code: roll for roll in problem.rolls}
        self.published = {one.operation: one for one in problem.published}

    @property
    def plan(self) -> tuple[Assignment, ...]:
        """What stands, in the order of the problem's operations."""
        return tuple(self.placed[one.id] for one in self.problem.operations)

    def ready(self, unit: _Unit) -> int:
        """When it may start at the earliest, by releases and by what stands already."""
        moments, ends = [-FOREVER], self.gaps.ends
        for one in unit.operations:
            releases = (one.release, self.gaps.jobs[one.job].release)
            moments += [moment for moment in releases if moment is not None]
            moments += [ends[before.operation] + before.gap_min for before in one.after if before.operation in ends]
        return max(moments)

    def put(
        self,
        unit: _Unit,
        ready: int,
        machines: Sequence[str],
        *,
        exactly: bool = False,
        since: Mapping[str, int] | None = None,
    ) -> None:
        """Put it at its earliest finish from `ready` on or, `exactly`, at `ready`. Raises NoSlot, NotEnoughRolls.

        It is cut from the roll that it was cut from, where that is long enough still, and in overtime where it was.
        """
        rolls = self._rolls(unit)
        there = max([ready, *(roll.ready for roll in rolls.values() if roll.ready is not None)])
        self.gaps, new, changed = place(
            self.gaps,
            unit.operations,
            FOREVER if exactly and there > ready else there,
            machines=machines,
            at=ready if exactly and there == ready else None,
            overtime=any(one.overtime for one in unit.stood),
            rolls=rolls,
            since=since,
        )
        self.placed |= {one.operation: one for one in (*changed, *new)}

    def _rolls(self, unit: _Unit) -> dict[str, Roll]:
        rolls, anew = {}, []
        for number, one in enumerate(unit.operations):
            was = self.rolls.get(unit.stood[number].roll) if unit.stood else None
            if one.cloth is None or not self.rolls:
                continue
            if (
                was is not None
                and self.gaps.left_m[was.code] >= one.cloth.length_m
                and one.cloth.roll in ("", was.code)
                and self.gaps.lots.get((one.job, one.cloth.sku), was.lot) == was.lot
            ):
                rolls[one.id] = was
            else:
                anew.append(one)
        return rolls | rolls_for(self.gaps, anew)

    def stands(self, unit: _Unit) -> bool:
        """Put a unit exactly where it is, and say whether it can be there."""
        at = unit.at
        if any(at.machine not in one.minutes for one in unit.operations) or self.ready(unit) > at.start:
            return False
        if at.start >= self.problem.start:
            try:
                self.put(unit, at.start, [at.machine], exactly=True)
                return True
            except (NoSlot, NotEnoughRolls):
                if at.changeover >= self.problem.start or not self._is_frozen(unit):
                    return False
        elif not self._is_frozen(unit) and all(one.pin is None or one.pin.start is None for one in unit.operations):
            return False  # it should have begun, and did not
        return self._goes_on(unit)

    def _is_frozen(self, unit: _Unit) -> bool:
        known = self.published
        return stays(self.problem, unit.at) and all(one.pin is None and one.id in known for one in unit.operations)

    def _goes_on(self, unit: _Unit) -> bool:
        """Put what runs already, or whose changeover does, where it is; what it still needs, it needs from now on."""
        at, now, gaps = unit.at, self.problem.start, self.gaps
        row = gaps.rows[at.machine]
        work = work_of(gaps, row, unit.operations)
        begin, left, end = max(now, at.start), work.minutes - max(0, now - at.start), at.start + work.minutes
        if left > 0:
            span = (row.longer if at.overtime else row.time).fits(begin, left, work.splittable, self.problem.end)
            if span is None or (span[0] > begin and not (work.splittable and at.start < now)):
                return False
            end = span[1]
        # While it is being changed over to, its machine is as much taken as while it runs.
        if any(block.start < end and now < block.end for block in row.blocks):
            return False
        found = Place(
            at.start, end, min(at.changeover, at.start), bisect_right(row.starts, at.start), False, at.overtime
        )
        new = tuple(replace(one, end=end, changeover=found.changeover) for one in unit.stood)
        changed_row, changed = row.put(found, work, new)
        left_m, lots = dict(gaps.left_m), dict(gaps.lots)
        for one, stood in zip(unit.operations, new, strict=True):
            if one.cloth is not None and stood.roll in left_m:
                left_m[stood.roll] -= one.cloth.length_m
                lots[one.job, one.cloth.sku] = self.rolls[stood.roll].lot
        ends = {**gaps.ends, **{one.operation: end for one in new}}
        self.gaps = replace(gaps, rows={**gaps.rows, at.machine: changed_row}, ends=ends, left_m=left_m, lots=lots)
        self.placed |= {one.operation: one for one in (*changed, *new)}
        return True


# ---------------------------------------------------------------------------------------------- without a search


def right_shift(
    problem: Problem,
    assignments: Iterable[Assignment],
    *,
    elsewhere: Set[str] = frozenset(),
    first: Set[str] = frozenset(),
    new_first: bool = True,
) -> tuple[Assignment, ...]:
    """The same order on the same machines: what can't stay starts later, and nothing earlier than before.

    Those `elsewhere` may go to any of their machines; those `first` go before others of the same start. `new_first`:
    what was not planned goes in at its earliest finish and the others make room; otherwise it goes into what gaps they
    leave. Raises NoSlot, NotEnoughRolls.
    """
    board, _ = standing(problem)
    last: dict[str, int] = {}  # machine -> when what was put there last is over
    for unit in _pending(problem, board, assignments, first=first, new_first=new_first):
        ready = max(problem.start, board.ready(unit))
        if not unit.stood:
            board.put(unit, max(ready, problem.frozen_until or ready), _able(board, unit))
            continue
        able = _able(board, unit)
        if unit.at.machine in able and elsewhere.isdisjoint(one.id for one in unit.operations):
            able = [unit.at.machine]
        board.put(unit, max(ready, unit.at.start), able, since=last)
        there = board.placed[unit.at.operation]
        last[there.machine] = max(last.get(there.machine, 0), there.end)
    return board.plan


def re_assigned(problem: Problem, assignments: Iterable[Assignment]) -> tuple[Assignment, ...]:
    """Who can stay where it is stays; what the event hits goes to its earliest finish on any of its machines.

    Into gaps, so that nobody else moves or, where that costs less, in its turn, so that others shift behind it. Raises
    NoSlot, NotEnoughRolls.
    """
    assignments = tuple(assignments)
    board, hit, directly = _stay(problem, assignments)
    ways: list[tuple[Assignment, ...]] = []
    try:
        for unit in hit:
            if not (unit.stood and board.stands(unit)):
                ready = max(problem.start, board.ready(unit))
                board.put(unit, ready if unit.stood else max(ready, problem.frozen_until or ready), _able(board, unit))
        ways.append(board.plan)
    except NoSlot:
        pass
    try:
        ways.append(right_shift(problem, assignments, elsewhere=directly, new_first=False))
    except NoSlot:
        if not ways:
            raise
    return min(ways, key=lambda way: figures_of(problem, way).cost)


def touched(problem: Problem, assignments: Iterable[Assignment]) -> set[str]:
    """The operations that can't stay where they are though everybody else who can does, and those that are new."""
    _, hit, _ = _stay(problem, tuple(assignments))
    return {one.id for unit in hit for one in unit.operations}


def _stay(problem: Problem, assignments: Sequence[Assignment]) -> tuple["_Board", list[_Unit], set[str]]:
    """Everybody who can stay where it is; who can't; and who of them can't by itself, not for what it comes after."""
    board, _ = standing(problem)
    hit: list[_Unit] = []
    directly: set[str] = set()
    for unit in _pending(problem, board, assignments, new_first=False):
        waits = any(before.operation not in board.placed for one in unit.operations for before in one.after)
        if unit.stood and not waits and board.stands(unit):
            continue
        hit += [_Unit((one,), unit.stood[at : at + 1]) for at, one in enumerate(unit.operations)]
        if unit.stood and not waits and board.ready(unit) <= unit.at.start:
            directly |= {one.id for one in unit.operations}
    return board, hit, directly


def _pending(
    problem: Problem,
    board: _Board,
    assignments: Iterable[Assignment],
    *,
    first: Set[str] = frozenset(),
    new_first: bool,
) -> Iterator[_Unit]:
    """What is not on the board yet, by its start until now, but each after those it waits for."""
    left = [one for one in assignments if one.operation not in board.placed]
    units = _units(problem, left)
    known = {one.operation for one in left} | board.placed.keys()
    units += [_Unit((one,)) for one in problem.operations if one.id not in known]
    of = {one.id: number for number, unit in enumerate(units) for one in unit.operations}
    waits = [
        {of[before.operation] for one in unit.operations for before in one.after if before.operation in of}
        for unit in units
    ]
    followers: dict[int, list[int]] = {}
    for number, those in enumerate(waits):
        for other in those:
            followers.setdefault(other, []).append(number)
    unseen = [len(those) for those in waits]
    new = -FOREVER if new_first else FOREVER
    keys = [
        (unit.at.start if unit.stood else new, first.isdisjoint(one.id for one in unit.operations), number)
        for number, unit in enumerate(units)
    ]
    heap = [key for key in keys if not unseen[key[2]]]
    heapify(heap)
    while heap:
        _, _, number = heappop(heap)
        yield units[number]
        for other in followers.get(number, ()):
            unseen[other] -= 1
            if not unseen[other]:
                heappush(heap, keys[other])


def _able(board: _Board, unit: _Unit) -> list[str]:
    """The machines that may do all of it: by what each is, its pin, and the slushy zone."""
    slushy = board.problem.slushy_until
    first, *others = unit.operations
    able = [code for code in first.minutes if all(code in one.minutes for one in others)]
    for one in unit.operations:
        before = board.published.get(one.id)
        if one.pin is not None:
            able = [code for code in able if code == one.pin.machine]
        elif slushy is not None and before is not None and before.start < slushy:
            able = [code for code in able if code == before.machine]
    return able
