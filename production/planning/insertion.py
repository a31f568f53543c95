"""Putting a job into a plan that stands: into the gaps of its machines, and nobody moves.

Capable-to-promise asks this: an operation fits a gap when the changeover from what is before it, its own minutes and
the changeover of the operation that then follows it all fit. Stage by stage at its earliest finish, by the rules of
`problem.py`. On one machine the first gap that fits gives the earliest end, so nothing is searched.

The index is built once for a plan (`gaps_of`) and never changes: putting something in gives a new one that shares the
rows of the other machines. So a quote costs a fraction of a millisecond and leaves no trace.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import accumulate
from typing import Final

from inventory_sync import words
from production.planning.clock import clock, iso
from production.planning.errors import InvalidRoute, NoSlot, NotEnoughRolls
from production.planning.openings import Span, merged
from production.planning.problem import Assignment, Job, Machine, Operation, Problem, Roll, SetupMatrix

State = tuple[str, ...]  # what a machine is set for: the values of its matrix's attributes, in their order
FOREVER: Final = 2**62


# ---------------------------------------------------------------------------------------------- a machine's time


@dataclass(frozen=True, slots=True)
class OpenTime:
    """A machine's open time, counted: `before` are the open minutes before each opening, and in all."""

    starts: tuple[int, ...]
    ends: tuple[int, ...]
    before: tuple[int, ...]

    @classmethod
    def of(cls, spans: Sequence[Span]) -> "OpenTime":
        """The time of spans that are merged and in order."""
        lengths = [end - start for start, end in spans]
        return cls(
            tuple(start for start, _ in spans), tuple(end for _, end in spans), tuple(accumulate(lengths, initial=0))
        )

    def worked(self, minute: int) -> int:
        """Open minutes until then.

        >>> time = OpenTime.of([(0, 60), (100, 160)])
        >>> time.worked(30), time.worked(80), time.worked(110)
        (30, 60, 70)
        """
        at = bisect_right(self.starts, minute) - 1
        if at < 0:
            return 0
        return self.before[at] + min(minute, self.ends[at]) - self.starts[at]

    def done(self, begin: int, minutes: int) -> int | None:
        """When so many open minutes have passed since `begin`; None: never.

        >>> OpenTime.of([(0, 60), (100, 160)]).done(50, 20)
        110
        """
        if not minutes:
            return begin
        worked = self.worked(begin) + minutes
        at = bisect_left(self.before, worked) - 1
        return None if at >= len(self.starts) else self.starts[at] + worked - self.before[at]

    def begun(self, end: int, minutes: int) -> int | None:
        """When to begin at the latest so that so many open minutes have passed by `end`; None: it can't be.

        >>> OpenTime.of([(0, 60), (100, 160)]).begun(110, 10), OpenTime.of([(0, 60), (100, 160)]).begun(110, 20)
        (100, 50)
        """
        if not minutes:
            return end
        worked = self.worked(end) - minutes
        if worked < 0:
            return None
        at = bisect_right(self.before, worked) - 1
        return self.starts[at] + worked - self.before[at]

    def fits(self, ready: int, minutes: int, splittable: bool, limit: int) -> Span | None:
        """The first start and end of so much work from `ready` to `limit`; None where there is none."""
        at = bisect_right(self.ends, ready)
        if splittable and at < len(self.starts):
            begin = max(ready, self.starts[at])
            end = self.done(begin, minutes)
            return None if end is None or end > limit else (begin, end)
        for number in range(at, len(self.starts)):
            begin = max(ready, self.starts[number])
            if begin + minutes > limit:
                return None
            if begin + minutes <= self.ends[number]:
                return begin, begin + minutes
        return None


@dataclass(frozen=True, slots=True)
class Changeovers:
    """The minutes of a machine's changeovers; what was asked once is known."""

    matrix: SetupMatrix | None = None
    known: dict[tuple[State, State], int] = field(default_factory=dict, compare=False)

    def state(self, attributes: Mapping[str, str]) -> State:
        """What of an operation's attributes the machine has to be set for."""
        if self.matrix is None:
            return ()
        return tuple([attributes.get(one.attribute, "") for one in self.matrix.attributes])

    def minutes(self, before: State, after: State) -> int:
        """What it takes from one state to another."""
        if self.matrix is None:
            return 0
        found = self.known.get((before, after))
        if found is None:
            names = [one.attribute for one in self.matrix.attributes]
            setup = self.matrix.between(dict(zip(names, before, strict=True)), dict(zip(names, after, strict=True)))
            found = self.known[before, after] = setup.minutes
        return found


@dataclass(frozen=True, slots=True)
class Block:
    """What occupies a machine: an operation, a load or (`state` None) somebody else's booking."""

    start: int
    end: int
    state: State | None = None
    assignments: tuple[Assignment, ...] = ()
    load: int = 0
    agreed: State = ()  # the values in which all of a load agree
    first: int = 0  # the position in the problem of the operation that a load is changed over for
    overtime: bool = False
    what: str = ""


@dataclass(frozen=True, slots=True)
class Work:
    """What is looked for a place: so many minutes in that state of the machine."""

    minutes: int
    state: State = ()
    splittable: bool = False
    load: int = 0
    agreed: State = ()
    position: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """Where it fits: in the gap before block `at` of its row or, `joins`, in the load that block `at` is."""

    start: int
    end: int
    changeover: int
    at: int
    joins: bool = False
    overtime: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A machine's blocks in order. Gap i lies before block i, the last one after them all."""

    code: str
    start: int
    end: int
    time: OpenTime
    longer: OpenTime  # with overtime
    changeovers: Changeovers
    state: State  # what it is set for at the start
    load: int
    load_by: tuple[str, ...]
    blocks: tuple[Block, ...]
    starts: tuple[int, ...]  # of the blocks
    begins: tuple[int, ...]  # of the gaps: the end of all blocks before
    rooms: tuple[int, ...]  # open minutes of the gaps, overtime included

    @classmethod
    def of(
        cls,
        code: str,
        blocks: Iterable[Block],
        *,
        start: int,
        end: int,
        time: OpenTime,
        longer: OpenTime | None = None,
        changeovers: Changeovers | None = None,
        state: State = (),
        load: int = 0,
        load_by: tuple[str, ...] = (),
    ) -> "Row":
        """A machine's row from its blocks in any order. Blocks that overlap leave no gap between them."""
        longer = longer or time
        ordered = tuple(sorted(blocks, key=lambda block: (block.start, block.end)))
        begins = tuple(accumulate((block.end for block in ordered), max, initial=start))
        starts = tuple(block.start for block in ordered)
        rooms = tuple(
            longer.worked(stop) - longer.worked(begin) if stop > begin else 0
            for begin, stop in zip(begins, (*starts, end), strict=True)
        )
        row = (ordered, starts, begins, rooms)
        return cls(code, start, end, time, longer, changeovers or Changeovers(), state, load, load_by, *row)

    def earliest(self, work: Work, ready: int, *, overtime: bool = False, at: int | None = None) -> Place | None:
        """The place with the earliest end from `ready` on, in a gap or in a load that has room; None: there is none.

        `at`: exactly then. `overtime`: in the machine's overtime too, where that ends earlier.
        """
        if at is not None:
            ready = at
        found = self._in_gap(work, ready, self.time, False, at)
        if overtime and self.longer is not self.time:
            sooner = self._in_gap(work, ready, self.longer, True, at)
            found = sooner if sooner and (found is None or sooner.end < found.end) else found
        if self.load and work.load:
            joined = self._in_load(work, ready, at, found.end if found else FOREVER)
            found = joined or found
        return found

    def _in_gap(self, work: Work, ready: int, time: OpenTime, overtime: bool, at: int | None) -> Place | None:
        minutes, rooms, begins, starts = work.minutes, self.rooms, self.begins, self.starts
        last = len(starts)
        for gap in range(bisect_right(starts, ready), last + 1):
            if rooms[gap] < minutes:
                continue
            begin = begins[gap]
            if at is not None and begin > at:
                return None
            if (starts[gap] if gap < last else self.end) - max(begin, ready) < minutes:
                continue
            limit = self._limit(work, gap)
            if limit - max(begin, ready) < minutes:
                continue
            setup = self.changeovers.minutes(self.state_in(gap), work.state)
            done = time.done(begin, setup)
            if done is None:
                continue
            span = time.fits(max(done, ready), minutes, work.splittable, limit)
            if span is None or (at is not None and span[0] != at):
                continue
            changeover = time.begun(span[0], setup)
            assert changeover is not None  # its minutes were found before the start
            return Place(*span, changeover, gap, overtime=overtime and self._uses_overtime(changeover, span[1], setup))
        return None

    def _uses_overtime(self, changeover: int, end: int, setup: int) -> bool:
        regular = self.time.worked(end) - self.time.worked(changeover)
        return self.longer.worked(end) - self.longer.worked(changeover) > regular

    def state_in(self, gap: int) -> State:
        """What the machine is set for in that gap: others' bookings leave it as it was."""
        for number in range(gap - 1, -1, -1):
            state = self.blocks[number].state
            if state is not None:
                return state
        return self.state

    def _limit(self, work: Work, gap: int) -> int:
        """Until when work in that gap has to be over so that who follows can be changed over to; 0: never."""
        blocks = self.blocks
        stop = self.starts[gap] if gap < len(blocks) else self.end
        for number in range(gap, len(blocks)):
            block = blocks[number]
            if block.state is None:
                continue
            setup = self.changeovers.minutes(work.state, block.state)
            if not setup:
                return stop
            begun = (self.longer if block.overtime else self.time).begun(block.start, setup)
            if begun is None or (number > gap and begun < self.begins[number]):
                return 0
            return min(stop, begun)
        return stop

    def _in_load(self, work: Work, ready: int, at: int | None, before: int) -> Place | None:
        """The first load that it may join and that is over before `before`."""
        for number in range(bisect_left(self.starts, ready), len(self.blocks)):
            block = self.blocks[number]
            if block.end >= before or (at is not None and block.start > at):
                return None
            if (
                block.load
                and block.load + work.load <= self.load
                and block.agreed == work.agreed
                and (block.first <= work.position or block.state == work.state)
                and self._lasts(block, work)
            ):
                begin = block.assignments[0].changeover if block.assignments else block.start
                return Place(block.start, block.end, begin, number, joins=True, overtime=block.overtime)
        return None

    def _lasts(self, block: Block, work: Work) -> bool:
        time = self.longer if block.overtime else self.time
        open_min = time.worked(block.end) - time.worked(block.start)
        return work.minutes <= open_min and (work.splittable or open_min == block.end - block.start)

    def put(
        self, place: Place, work: Work, assignments: tuple[Assignment, ...]
    ) -> tuple["Row", tuple[Assignment, ...]]:
        """The row with that work at its place, and what follows it with the changeover that it then needs."""
        blocks = list(self.blocks)
        if place.joins:
            block = blocks[place.at]
            blocks[place.at] = replace(
                block,
                load=block.load + work.load,
                assignments=(*block.assignments, *assignments),
                first=min(block.first, work.position),
            )
            return self._with(blocks, place.at, 0), ()
        load = work.load if self.load else 0
        block = Block(place.start, place.end, work.state, assignments, load, work.agreed, work.position, place.overtime)
        blocks.insert(place.at, block)
        changed: tuple[Assignment, ...] = ()
        for number in range(place.at + 1, len(blocks)):
            after = blocks[number]
            if after.state is not None:
                changed = self._changed_over(after, self.changeovers.minutes(work.state, after.state))
                if changed:
                    blocks[number] = replace(after, assignments=changed)
                break
        return self._with(blocks, place.at, 1), changed

    def _changed_over(self, block: Block, setup: int) -> tuple[Assignment, ...]:
        """A block's assignments with a changeover of so many minutes; none where it stays."""
        begun = (self.longer if block.overtime else self.time).begun(block.start, setup)
        if begun is None or all(one.changeover == begun for one in block.assignments):
            return ()
        return tuple(replace(one, changeover=begun) for one in block.assignments)

    def without(self, operations: Collection[str]) -> tuple["Row", tuple[Assignment, ...]]:
        """The row without these operations, and who is changed over to anew because of it."""
        left = []
        for block in self.blocks:
            kept = tuple(one for one in block.assignments if one.operation not in operations)
            if block.state is None or kept:
                left.append(replace(block, assignments=kept) if len(kept) < len(block.assignments) else block)
        state, changed = self.state, list[Assignment]()
        for number, block in enumerate(left):
            if block.state is None:
                continue
            anew = self._changed_over(block, self.changeovers.minutes(state, block.state))
            if anew and block.start >= self.start and block.assignments[0].changeover >= self.start:
                left[number] = replace(block, assignments=anew)
                changed += anew
            state = block.state
        row = Row.of(
            self.code,
            left,
            start=self.start,
            end=self.end,
            time=self.time,
            longer=self.longer,
            changeovers=self.changeovers,
            state=self.state,
            load=self.load,
            load_by=self.load_by,
        )
        return row, tuple(changed)

    def _with(self, blocks: list[Block], at: int, more: int) -> "Row":
        """The same row with these blocks; `more` of them at `at` are new."""
        if not more:
            return replace(self, blocks=tuple(blocks))
        block = blocks[at]
        begin, stop = self.begins[at], self.starts[at] if at < len(self.starts) else self.end
        worked, worked_after = self.longer.worked(begin), self.longer.worked(stop)
        rooms = (
            max(0, self.longer.worked(block.start) - worked),
            max(0, worked_after - self.longer.worked(block.end)),
        )
        return replace(
            self,
            blocks=tuple(blocks),
            starts=(*self.starts[:at], block.start, *self.starts[at:]),
            begins=(*self.begins[: at + 1], max(begin, block.end), *self.begins[at + 1 :]),
            rooms=(*self.rooms[:at], *rooms, *self.rooms[at + 1 :]),
        )


# ---------------------------------------------------------------------------------------------- a plan's gaps


@dataclass(frozen=True)
class Gaps:
    """The gaps of a plan by machine, and what an insertion has to know of what stands."""

    problem: Problem
    rows: Mapping[str, Row]
    jobs: Mapping[str, Job]
    positions: Mapping[str, int]
    ends: Mapping[str, int]  # of the operations that stand
    left_m: Mapping[str, Decimal]  # of each roll
    lots: Mapping[tuple[str, str], str]  # that a job's lengths of a fabric are cut from


@dataclass(frozen=True)
class Insertion:
    """New operations at their places; what follows them in their machines, which stays but is changed over to anew."""

    assignments: tuple[Assignment, ...]  # in the order in which the operations were given
    displaced: tuple[Assignment, ...]
    gaps: Gaps

    @property
    def end(self) -> int:
        """When all of it is done."""
        return max(one.end for one in self.assignments)


def with_job(problem: Problem, job: Job, operations: Iterable[Operation]) -> Problem:
    """The same problem with one more job."""
    return replace(problem, jobs=(*problem.jobs, job), operations=(*problem.operations, *operations))


def gaps_of(problem: Problem, assignments: Iterable[Assignment]) -> Gaps:
    """The gaps of a plan. Build it once for each version of a plan; it never changes.

    `assignments` may leave operations out: they take no time.
    """
    positions = {operation.id: number for number, operation in enumerate(problem.operations)}
    changeovers = {code: Changeovers(matrix) for code, matrix in problem.setups.items()}
    by_machine: dict[str, list[tuple[Assignment, Operation]]] = {machine.code: [] for machine in problem.machines}
    left_m = {roll.code: roll.length_m for roll in problem.rolls}
    lot_of = {roll.code: roll.lot for roll in problem.rolls}
    lots: dict[tuple[str, str], str] = {}
    ends: dict[str, int] = {}
    for one in sorted(assignments, key=lambda one: positions[one.operation]):
        operation = problem.operations[positions[one.operation]]
        by_machine[one.machine].append((one, operation))
        ends[one.operation] = one.end
        if operation.cloth is not None and one.roll in left_m:
            left_m[one.roll] -= operation.cloth.length_m
            lots[operation.job, operation.cloth.sku] = lot_of[one.roll]
    rows = {
        machine.code: _row(problem, machine, by_machine[machine.code], positions, changeovers.get(machine.setups))
        for machine in problem.machines
    }
    return Gaps(problem, rows, {job.id: job for job in problem.jobs}, positions, ends, left_m, lots)


def _row(
    problem: Problem,
    machine: Machine,
    done: Iterable[tuple[Assignment, Operation]],
    positions: Mapping[str, int],
    changeovers: Changeovers | None,
) -> Row:
    changeovers = changeovers or Changeovers()
    blocks = [Block(one.start, one.end, what=one.what) for one in machine.taken]
    loads: dict[Span, Block] = {}
    for one, operation in done:
        key = (one.start, one.end)
        if machine.load and key in loads:
            load = loads[key]
            loads[key] = replace(load, load=load.load + operation.load, assignments=(*load.assignments, one))
            continue
        block = Block(
            one.start,
            one.end,
            changeovers.state(operation.attributes),
            (one,),
            operation.load if machine.load else 0,
            _agreed(machine.load_by, operation.attributes),
            positions[operation.id],
            one.overtime,
        )
        if machine.load:
            loads[key] = block
        else:
            blocks.append(block)
    time = OpenTime.of(machine.open)
    return Row.of(
        machine.code,
        [*blocks, *loads.values()],
        start=problem.start,
        end=problem.end,
        time=time,
        longer=OpenTime.of(merged((*machine.open, *machine.overtime))) if machine.overtime else time,
        changeovers=changeovers,
        state=changeovers.state(machine.state),
        load=machine.load,
        load_by=machine.load_by,
    )


def _agreed(load_by: Iterable[str], attributes: Mapping[str, str]) -> State:
    return tuple([attributes.get(name, "") for name in load_by])


def taken_out(gaps: Gaps, assignments: Iterable[Assignment]) -> tuple[Gaps, tuple[Assignment, ...]]:
    """The gaps without operations that stand there, and those of who is changed over to anew because of it.

    Machines that take loads are none of it: a load's weight is not taken back.
    """
    rows, ends, changed = dict(gaps.rows), dict(gaps.ends), dict[str, Assignment]()
    by_machine: dict[str, set[str]] = {}
    for one in assignments:
        by_machine.setdefault(one.machine, set()).add(one.operation)
        del ends[one.operation]
    for code, ids in by_machine.items():
        rows[code], anew = rows[code].without(ids)
        changed |= {one.operation: one for one in anew}
    return replace(gaps, rows=rows, ends=ends), tuple(changed.values())


def insert(
    gaps: Gaps, operations: Sequence[Operation], *, job: Job | None = None, ready: int = 0, overtime: bool = False
) -> Insertion:
    """Put a job's operations into the gaps, each at its earliest finish, those it comes after first; nobody moves.

    `job` is needed where it is new; `ready` is a release of all of them. Nothing new starts before the problem's
    `frozen_until`. On equal ends the machine that is named first is taken. Raises NoSlot, and InvalidRoute where
    operations wait for one another in a circle or for one that is not there.

    >>> machine = Machine("PRT1", open=((0, 480),))
    >>> problem = Problem(0, 480, (machine,), (Job("A"),), (Operation("A.1", "A", {"PRT1": 60}),))
    >>> gaps = gaps_of(problem, [Assignment("A.1", "PRT1", 0, 60, 0)])
    >>> insert(gaps, [Operation("B.1", "B", {"PRT1": 30})], job=Job("B")).end
    90
    """
    new = [operation.id for operation in operations if operation.id not in gaps.positions]
    if new:
        later = {id: number for number, id in enumerate(new, len(gaps.positions))}
        gaps = replace(gaps, positions={**gaps.positions, **later})
    rolls = rolls_for(gaps, operations)
    by_id = {operation.id for operation in operations}
    placed: dict[str, Assignment] = {}
    displaced: dict[str, Assignment] = {}
    for operation in _in_order(gaps, operations):
        roll = rolls.get(operation.id)
        ready_at = max(ready, ready_of(gaps, operation, job), roll.ready or 0 if roll else 0)
        gaps, assignments, changed = place(gaps, [operation], ready_at, overtime=overtime, rolls=rolls)
        placed[operation.id] = assignments[0]
        for one in changed:
            (placed if one.operation in by_id else displaced)[one.operation] = one
    return Insertion(
        tuple(placed[operation.id] for operation in operations),
        tuple(one for id, one in displaced.items() if id not in placed),
        gaps,
    )


def place(
    gaps: Gaps,
    operations: Sequence[Operation],
    ready: int,
    *,
    machines: Sequence[str] | None = None,
    at: int | None = None,
    overtime: bool = False,
    rolls: Mapping[str, Roll] | None = None,
    since: Mapping[str, int] | None = None,
) -> tuple[Gaps, tuple[Assignment, ...], tuple[Assignment, ...]]:
    """Put one operation, or all of one load together, at its earliest finish.

    `machines`: only one of these; `at`: exactly then; `rolls` by operation; `since`: when it may start by machine.
    Returns the new gaps, the assignments, and those of who is changed over to anew. Raises NoSlot.
    """
    first, rolls, since = operations[0], rolls or {}, since or {}
    codes = list(first.minutes) if machines is None else list(machines)
    pin = next((one.pin for one in operations if one.pin is not None), None)
    if pin is not None:
        codes = [code for code in codes if code == pin.machine]
        at = pin.start if at is None else at
    best: tuple[Place, Work, str] | None = None
    for code in codes:
        row = gaps.rows[code]
        work = work_of(gaps, row, operations)
        found = row.earliest(work, max(ready, since.get(code, ready)), overtime=overtime, at=at)
        if found is not None and (best is None or found.end < best[0].end):
            best = (found, work, code)
    if best is None:
        raise _no_slot(gaps, first, codes, ready, at)
    found, work, code = best
    assignments = tuple(
        Assignment(
            one.id, code, found.start, found.end, found.changeover, found.overtime, _roll_code(one, rolls.get(one.id))
        )
        for one in operations
    )
    row, changed = gaps.rows[code].put(found, work, assignments)
    left_m, lots = gaps.left_m, gaps.lots
    for one in operations:
        roll = rolls.get(one.id)
        if one.cloth is not None and roll is not None:
            left_m = {**left_m, roll.code: left_m[roll.code] - one.cloth.length_m}
            lots = {**lots, (one.job, one.cloth.sku): roll.lot}
    ends = {**gaps.ends, **{one.id: found.end for one in operations}}
    rows = {**gaps.rows, code: row}
    return replace(gaps, rows=rows, ends=ends, left_m=left_m, lots=lots), assignments, changed


def work_of(gaps: Gaps, row: Row, operations: Sequence[Operation]) -> Work:
    """What a row is asked to find a place for: one operation, or all of a load together."""
    first = operations[0]
    if len(operations) > 1:
        first = min(operations, key=lambda one: gaps.positions[one.id])
    return Work(
        max([one.minutes[row.code] for one in operations]),
        row.changeovers.state(first.attributes),
        all(one.splittable for one in operations),
        sum([one.load for one in operations]),
        _agreed(row.load_by, first.attributes),
        gaps.positions[first.id],
    )


def _roll_code(operation: Operation, roll: Roll | None) -> str:
    if roll is not None:
        return roll.code
    return operation.cloth.roll if operation.cloth is not None else ""


def ready_of(gaps: Gaps, operation: Operation, job: Job | None = None) -> int:
    """When an operation could start at the earliest: its releases, what it comes after, and the frozen zone.

    Raises InvalidRoute where it comes after one that is not in the plan.
    """
    problem = gaps.problem
    job = gaps.jobs.get(operation.job) if job is None else job
    ready = max(problem.start, operation.release or problem.start, (job.release if job else None) or problem.start)
    if operation.pin is None or operation.pin.start is None:
        ready = max(ready, problem.frozen_until or ready)
    for before in operation.after:
        if before.operation not in gaps.ends:
            raise InvalidRoute(
                f"{operation.name or operation.id} comes after {before.operation}, which is not planned: plan it too.",
                fields={"step": operation.id, "after": before.operation},
            )
        ready = max(ready, gaps.ends[before.operation] + before.gap_min)
    return ready


def _in_order(gaps: Gaps, operations: Sequence[Operation]) -> list[Operation]:
    """The operations so that each comes after those it waits for; otherwise as they were given."""
    left = {operation.id: operation for operation in operations}
    order: list[Operation] = []
    while left:
        free = [one for one in left.values() if not any(before.operation in left for before in one.after)]
        if not free:
            circle = ", ".join(left)
            raise InvalidRoute(
                f"{circle} wait for one another: take one of the links out.", fields={"step": next(iter(left))}
            )
        order += free
        for one in free:
            del left[one.id]
    return order


def rolls_for(gaps: Gaps, operations: Iterable[Operation]) -> dict[str, Roll]:
    """The roll of each print length: all of a job and fabric from one lot, the soonest that suffices.

    Of its rolls the shortest that is long enough, longest print length first, so that long rolls stay long. Raises
    NotEnoughRolls. A problem without rolls says nothing of them.
    """
    found: dict[str, Roll] = {}
    groups: dict[tuple[str, str], list[Operation]] = {}
    if gaps.problem.rolls:
        for one in operations:
            if one.cloth is not None:
                groups.setdefault((one.job, one.cloth.sku), []).append(one)
    for (job, sku), cut in groups.items():
        rolls = [roll for roll in gaps.problem.rolls if roll.sku == sku]
        lot = gaps.lots.get((job, sku))
        lots = [lot] if lot is not None else list(dict.fromkeys(roll.lot for roll in rolls))
        chosen: dict[str, Roll] | None = None
        for until in sorted({roll.ready or 0 for roll in rolls}):
            there = [roll for roll in rolls if (roll.ready or 0) <= until]
            each = (_cut_from([roll for roll in there if roll.lot == lot], cut, gaps.left_m) for lot in lots)
            chosen = next((one for one in each if one is not None), None)
            if chosen is not None:
                break
        if chosen is None:
            raise _not_enough(gaps, job, sku, cut, rolls)
        found |= chosen
    return found


def _cut_from(
    rolls: Sequence[Roll], operations: Iterable[Operation], left_m: Mapping[str, Decimal]
) -> dict[str, Roll] | None:
    left = {roll.code: left_m[roll.code] for roll in rolls}
    by_code = {roll.code: roll for roll in rolls}
    found: dict[str, Roll] = {}
    cuts = [(one.id, one.cloth) for one in operations if one.cloth is not None]
    for id, cloth in sorted(cuts, key=lambda cut: (not cut[1].roll, -cut[1].length_m)):
        fitting = [code for code in left if left[code] >= cloth.length_m and cloth.roll in ("", code)]
        if not fitting:
            return None
        code = min(fitting, key=lambda code: (left[code], code))
        left[code] -= cloth.length_m
        found[id] = by_code[code]
    return found


def _not_enough(
    gaps: Gaps, job: str, sku: str, operations: Iterable[Operation], rolls: Sequence[Roll]
) -> NotEnoughRolls:
    lengths = sorted((one.cloth.length_m for one in operations if one.cloth is not None), reverse=True)
    lots: dict[str, list[str]] = {}
    for roll in sorted(rolls, key=lambda roll: -gaps.left_m[roll.code]):
        lots.setdefault(roll.lot, []).append(str(gaps.left_m[roll.code]))
    longest = max((gaps.left_m[roll.code] for roll in rolls), default=Decimal(0))
    wanted = " and ".join(f"{length} m" for length in lengths)
    return NotEnoughRolls(
        f"{job} needs {wanted} of {sku} from one lot, and no lot has rolls for that; the longest roll has {longest} m "
        "left: wait for a delivery, or divide the order.",
        fields={
            "job": job,
            "sku": sku,
            "lengths_m": [str(length) for length in lengths],
            "longest_m": str(longest),
            "lots": lots,
        },
    )


def _no_slot(gaps: Gaps, operation: Operation, codes: Sequence[str], ready: int, at: int | None) -> NoSlot:
    problem, name = gaps.problem, operation.name or operation.id
    where = " or ".join(codes) or "no machine"
    least = min((operation.minutes[code] for code in codes), default=0)
    reason, until = "busy", clock(problem, problem.end)
    stretches = [stretch for code in codes for stretch in _stretches(gaps.rows[code])]
    if at is not None:
        sentence = f"{name} has no free {words.duration(least)} on {where} {clock(problem, at)}: choose another time"
    elif not stretches:
        reason, sentence = "never_open", f"{name}: {where} doesn't open before {until}; look at its calendar"
    elif not operation.splittable and max(stretches) < least:
        reason = "too_long"
        sentence = (
            f"{name} takes {words.duration(least)} without a pause, but {where} never runs longer than "
            f"{words.duration(max(stretches))} at a stretch; divide it or allow a pause"
        )
    else:
        sentence = (
            f"{name}: {where} has no free {words.duration(least)} between {clock(problem, ready)} and {until}; plan "
            "further ahead"
        )
    return NoSlot(
        f"{sentence}.",
        fields={
            "step": operation.id,
            "work_centres": list(codes),
            "minutes": least,
            "horizon_days": (problem.end - problem.start) // (24 * 60),
            "reason": reason,
            "available_from": iso(problem, problem.end) if reason == "busy" and at is None else None,
        },
    )


def _stretches(row: Row) -> list[int]:
    return [end - start for start, end in zip(row.longer.starts, row.longer.ends, strict=True)]


def inserted(problem: Problem, assignments: Iterable[Assignment], insertion: Insertion) -> tuple[Assignment, ...]:
    """The whole plan with what was put in, in the order of the problem's operations, the new ones included."""
    found = {one.operation: one for one in (*assignments, *insertion.displaced, *insertion.assignments)}
    known = [operation.id for operation in problem.operations]
    return tuple(found[id] for id in dict.fromkeys((*known, *found)) if id in found)
