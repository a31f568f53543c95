"""A problem as the decoders see it: arrays of what never changes while plans are searched.

An operation's *modes* are the ways it can be done: on one of its machines, in regular time or with overtime, as early
as can be or *held* (no earlier than it was published, within the tolerance: what would slip forward stays where people
expect it). A mode's *line* is the machine's time with or without overtime: free stretches, in order, each with the
number of bookings before it (its *epoch*; nothing reaches from one epoch into another) and the open minutes before it.

What is pinned to a start, and what is frozen, is no longer searched for. It stands on its machine as a *block*; those
of one machine and start are one load.

*Families* are operations that ask the same of a machine: no changeover tells them apart.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from production.planning.openings import Span, merged
from production.planning.problem import (
    ANY,
    Assignment,
    AttributeSetups,
    Machine,
    Operation,
    Problem,
    SetupMatrix,
    is_changed_over_to,
    stays,
)

Ints = npt.NDArray[np.int64]
SmallInts = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]

NEVER: Final = 1 << 40  # a due date that is none


@dataclass(frozen=True)
class Mode:
    """One way to do an operation."""

    machine: str
    overtime: bool = False
    not_before: int | None = None  # held: no earlier than this


@dataclass(frozen=True)
class Block:
    """Operations that are pinned to one start on one machine: one, or those of one load."""

    machine: str
    overtime: bool
    start: int
    end: int
    operations: tuple[int, ...]  # by position in the problem
    running: bool  # since before the problem's start, or its changeover is
    changeover: int | None = None  # when a changeover that is going on has begun


class Tables(NamedTuple):
    """The arrays. Minutes are since the problem's origin; `x_first` of n + 1 numbers says where the rows of each are.

    Machines, lines (2 to a machine: regular, with overtime), stretches of lines, overtime of machines, blocks.
    """

    machine_matrix: Ints  # [machine]
    machine_state: Ints  # [machine] its family at the start
    machine_load: Ints  # [machine] 0: one operation at a time
    machine_block_first: Ints  # [machine + 1]
    line_first: Ints  # [line + 1]
    stretch_start: Ints  # [stretch]
    stretch_end: Ints
    stretch_epoch: Ints
    stretch_open: Ints  # open minutes of the line before it
    overtime_first: Ints  # [machine + 1]
    overtime_start: Ints
    overtime_end: Ints
    block_start: Ints  # [block] in order of machine and start
    block_end: Ints
    block_family: Ints
    block_line: Ints
    block_stretch: Ints  # the stretch of its line in which it starts; -1: the line has none
    block_load: Ints
    block_minutes: Ints  # of its longest operation
    block_key: Ints
    block_running: Ints
    block_op_first: Ints  # [block + 1]
    block_op: Ints
    mode_first: Ints  # [operation + 1]
    mode_machine: Ints  # [mode]
    mode_line: Ints
    mode_minutes: Ints
    mode_from: Ints  # no earlier than this
    mode_family: Ints
    mode_key: Ints  # those of one key may share a load there
    op_release: Ints  # [operation]
    op_latest: Ints  # no later than this may it end
    op_load: Ints
    op_splittable: Ints
    op_fixed: Ints
    op_tail: Ints  # minutes that its job needs after its end at least
    op_job: Ints
    op_chain: Ints  # the operation before it in a job that is a chain; -1: none; -2: the job is no chain
    op_published_machine: Ints  # -1: it is new
    op_published_start: Ints
    pred_first: Ints  # [operation + 1]
    pred_op: Ints
    pred_gap: Ints
    succ_first: Ints
    succ_op: Ints
    job_first: Ints  # [job + 1]
    job_op: Ints
    job_due: Ints
    job_least: Ints  # no earlier than this can it end
    fixed_end: Ints  # [operation] the ends of blocks' operations; 0 elsewhere
    setup_min: SmallInts  # [matrix, family before, family after]
    setup_cost: Floats  # the same: what it adds to the cost
    job_weight: Floats  # per minute late, in the unit of the cost
    start: int
    end: int
    tolerance_min: int
    moved: float  # per operation
    overtime: float  # per minute
    makespan: float  # per minute
    base_cost: float  # what every plan costs: of blocks, and of jobs that can't be in time
    missing: float  # per operation that finds no place: no complete plan costs as much


# Where in `Packed.ints` the tables of whole numbers begin: `t[t[OP_RELEASE] + op]` is the release of an operation.
(
    MACHINE_MATRIX,
    MACHINE_STATE,
    MACHINE_LOAD,
    MACHINE_BLOCK_FIRST,
    LINE_FIRST,
    STRETCH_START,
    STRETCH_END,
    STRETCH_EPOCH,
    STRETCH_OPEN,
    OVERTIME_FIRST,
    OVERTIME_START,
    OVERTIME_END,
    BLOCK_START,
    BLOCK_END,
    BLOCK_FAMILY,
    BLOCK_LINE,
    BLOCK_STRETCH,
    BLOCK_LOAD,
    BLOCK_MINUTES,
    BLOCK_KEY,
    BLOCK_RUNNING,
    BLOCK_OP_FIRST,
    BLOCK_OP,
    MODE_FIRST,
    MODE_MACHINE,
    MODE_LINE,
    MODE_MINUTES,
    MODE_FROM,
    MODE_FAMILY,
    MODE_KEY,
    OP_RELEASE,
    OP_LATEST,
    OP_LOAD,
    OP_SPLITTABLE,
    OP_FIXED,
    OP_TAIL,
    OP_JOB,
    OP_CHAIN,
    OP_PUBLISHED_MACHINE,
    OP_PUBLISHED_START,
    PRED_FIRST,
    PRED_OP,
    PRED_GAP,
    SUCC_FIRST,
    SUCC_OP,
    JOB_FIRST,
    JOB_OP,
    JOB_DUE,
    JOB_LEAST,
    FIXED_END,
) = range(50)
SETUP_COST, JOB_WEIGHT = 50, 51  # where they begin in `Packed.floats`
PLAN_START, PLAN_END, TOLERANCE_MIN = 52, 53, 54
FAMILIES, MACHINES, BLOCKS, JOBS, OPERATIONS = range(55, 60)
HEADER: Final = 60
# Where in `Packed.floats` they are.
MOVED, OVERTIME, MAKESPAN, BASE_COST, MISSING = range(5)


class Packed(NamedTuple):
    """The tables in three flat arrays, in the order of their names above: each array that a compiled function is
    handed costs it time, so it is handed few.
    """

    ints: Ints  # first `HEADER` numbers, then the tables
    floats: Floats
    setups: SmallInts  # [matrix, family before, family after]


@dataclass(frozen=True)
class Floor:
    """A problem as arrays, and the names to come back by. `modes` are in the order of `tables.mode_machine`."""

    problem: Problem
    tables: Tables
    packed: Packed
    modes: tuple[Mode, ...]
    blocks: tuple[Block, ...]
    free: tuple[int, ...]  # the operations that are searched for, by position


def floor_of(problem: Problem) -> Floor:
    """The floor of a problem that `check` has passed.

    >>> floor = floor_of(Problem(0, 480, (Machine("PRT1", ((0, 480),)),), (), ()))
    >>> floor.tables.stretch_end.tolist(), floor.tables.machine_load.tolist()
    ([480, 480], [0])
    """
    modes = modes_of(problem)
    blocks = blocks_of(problem)
    fixed = {op for block in blocks for op in block.operations}
    tables = _tables(problem, modes, blocks, fixed)
    free = tuple(op for op in range(len(problem.operations)) if op not in fixed)
    return Floor(problem, tables, _packed(tables), tuple(mode for each in modes for mode in each), blocks, free)


# ---------------------------------------------------------------------------------------------- what decoders share


def epochs_of(problem: Problem, machine: Machine, *, overtime: bool) -> list[list[Span]]:
    """A machine's free time within the problem's, divided by what others have booked.

    >>> from production.planning.problem import Taken
    >>> machine = Machine("PRT1", ((0, 100), (200, 300)), taken=(Taken(90, 120), Taken(250, 260)))
    >>> epochs_of(Problem(0, 280, (machine,), (), ()), machine, overtime=False)
    [[(0, 90)], [(200, 250)], [(260, 280)]]
    """
    spans = merged((*machine.open, *machine.overtime)) if overtime else merged(machine.open)
    epochs: list[list[Span]] = []
    free_from = problem.start
    taken = [(one.start, one.end) for one in machine.taken]
    taken += [(problem.start, one.start) for one in _changed_over_to(problem) if one.machine == machine.code]
    for start, end in (*merged(taken), (problem.end, problem.end)):
        until = min(start, problem.end)
        epochs.append([(max(a, free_from), min(b, until)) for a, b in spans if a < until and b > free_from])
        free_from = max(free_from, end)
    return [epoch for epoch in epochs if epoch]


def modes_of(problem: Problem) -> list[tuple[Mode, ...]]:
    """Each operation's modes, the plain ones first."""
    published = {one.operation: one for one in problem.published}
    machines = {machine.code: machine for machine in problem.machines}
    found = []
    for operation in problem.operations:
        before = published.get(operation.id)
        modes: list[Mode] = []
        since = before.start - problem.tolerance_min if before is not None else problem.start
        for code in _machines_of(problem, operation, before):
            held = before is not None and before.machine == code and since > problem.start
            for overtime in (False, True) if machines[code].overtime else (False,):
                modes.append(Mode(code, overtime))
                if held:
                    modes.append(Mode(code, overtime, since))
        found.append(tuple(modes))
    return found


def _machines_of(problem: Problem, operation: Operation, before: Assignment | None) -> Sequence[str]:
    """Where it may be done: by its pin, by the slushy zone, by itself."""
    if operation.pin is not None:
        return (operation.pin.machine,)
    slushy = problem.slushy_until is not None and before is not None and before.start < problem.slushy_until
    if slushy and before is not None and before.machine in operation.minutes:
        return (before.machine,)
    return tuple(operation.minutes)


def blocks_of(problem: Problem) -> tuple[Block, ...]:
    """What is pinned to a start or frozen, by machine and start."""
    published = {one.operation: one for one in problem.published}
    machines = {machine.code: machine for machine in problem.machines}
    places: dict[tuple[str, int], list[int]] = {}
    overtime: dict[tuple[str, int], bool] = {}
    for op, operation in enumerate(problem.operations):
        before = published.get(operation.id)
        if operation.pin is not None and operation.pin.start is not None:
            place = (operation.pin.machine, operation.pin.start)
        elif before is not None and _may_stay(operation, before) and stays(problem, before):
            place = (before.machine, before.start)
            overtime.setdefault(place, before.overtime)
        else:
            continue
        places.setdefault(place, []).append(op)
    blocks: list[Block] = []
    for machine in problem.machines:
        for (code, start), ops in sorted(places.items(), key=lambda one: one[0][1]):
            if code != machine.code:
                continue
            groups = [tuple(ops)] if machine.load else [(op,) for op in ops]
            for group in groups:
                wanted = overtime.get((code, start))
                blocks.append(_block(problem, machines[code], start, group, wanted))
    return tuple(blocks)


def _may_stay(operation: Operation, before: Assignment) -> bool:
    """Whether it can still be done where it is published, and is not pinned elsewhere."""
    return before.machine in operation.minutes and (operation.pin is None or operation.pin.machine == before.machine)


def _changed_over_to(problem: Problem) -> Iterator[Assignment]:
    """The published places of operations that their machines are being changed over to when the problem starts."""
    operations = {one.id: one for one in problem.operations}
    for one in problem.published:
        operation = operations.get(one.operation)
        if operation is None or one.machine not in operation.minutes or not is_changed_over_to(problem, one):
            continue
        pin = operation.pin
        if pin is None or (pin.machine, pin.start) in ((one.machine, None), (one.machine, one.start)):
            yield one


def _block(problem: Problem, machine: Machine, start: int, ops: tuple[int, ...], overtime: bool | None) -> Block:
    """In regular time where that is possible, otherwise in overtime; or as it was published."""
    begun = {one.operation: one.changeover for one in _changed_over_to(problem) if one.start == start}
    changeover = begun.get(problem.operations[ops[0]].id)
    running = start < problem.start or changeover is not None
    ends: dict[bool, int | None] = {}
    for over in (False, True):
        each = [_end(problem, machine, start, problem.operations[op], over) for op in ops]
        ends[over] = None if None in each else max(end for end in each if end is not None)
    over = overtime if overtime is not None else ends[False] is None and ends[True] is not None
    longest = max(problem.operations[op].minutes[machine.code] for op in ops)
    end = ends[over] if ends[over] is not None else start + longest
    assert end is not None
    return Block(machine.code, over, start, end, ops, running, changeover)


def _end(problem: Problem, machine: Machine, start: int, operation: Operation, overtime: bool) -> int | None:
    """When a pinned operation is over; None where it can't be done so."""
    minutes = operation.minutes[machine.code]
    if not operation.splittable and start >= problem.start:
        spans = [span for epoch in epochs_of(problem, machine, overtime=overtime) for span in epoch]
        fits = any(a <= start and start + minutes <= b for a, b in spans)
        return start + minutes if fits else None
    left = minutes - max(0, problem.start - start)
    if left <= 0 or (not operation.splittable and start < problem.start):
        return start + minutes
    begin = max(start, problem.start)
    for epoch in epochs_of(problem, machine, overtime=overtime):
        worked = 0
        for a, b in epoch:
            if b <= begin:
                continue
            if start >= problem.start and not worked and a > begin:
                break
            at = max(a, begin)
            if worked + b - at >= left:
                return at + left - worked
            worked += b - at
        if worked:
            return None
    return None


# ---------------------------------------------------------------------------------------------- arrays


def _tables(problem: Problem, modes: Sequence[Sequence[Mode]], blocks: Sequence[Block], fixed: set[int]) -> Tables:
    operations, weights = problem.operations, problem.weights
    position = {operation.id: op for op, operation in enumerate(operations)}
    machine_at = {machine.code: at for at, machine in enumerate(problem.machines)}
    jobs = {job.id: at for at, job in enumerate(problem.jobs)}

    line_first, overtime_first = [0], [0]
    stretches: list[tuple[int, int, int, int]] = []
    overtime: list[Span] = []
    for machine in problem.machines:
        for over in (False, True):
            opened = 0
            for number, epoch in enumerate(epochs_of(problem, machine, overtime=over)):
                for a, b in epoch:
                    stretches.append((a, b, number, opened))
                    opened += b - a
            line_first.append(len(stretches))
        overtime += machine.overtime
        overtime_first.append(len(overtime))
    stretch = np.array(stretches, np.int64).reshape(-1, 4)

    families = _Families(problem)
    keys: dict[tuple[tuple[str, ...], ...], int] = {}

    def key(machine: Machine, operation: Operation) -> int:
        values = tuple(operation.attributes.get(name, "") for name in machine.load_by)
        return keys.setdefault((machine.load_by, values), len(keys))

    mode_first, rows = [0], []
    for op, operation in enumerate(operations):
        for mode in modes[op]:
            at = machine_at[mode.machine]
            machine = problem.machines[at]
            rows.append(
                (
                    at,
                    2 * at + mode.overtime,
                    operation.minutes[mode.machine],
                    problem.start if mode.not_before is None else mode.not_before,
                    families.of(machine, operation.attributes),
                    key(machine, operation) if machine.load else -1,
                )
            )
        mode_first.append(len(rows))
    mode_row = np.array(rows, np.int64).reshape(-1, 6)

    block_rows, block_op_first = [], [0]
    block_ops: list[int] = []
    fixed_end = np.zeros(len(operations), np.int64)
    for block in blocks:
        at = machine_at[block.machine]
        machine = problem.machines[at]
        line = 2 * at + block.overtime
        first = operations[block.operations[0]]
        ends = stretch[line_first[line] : line_first[line + 1], 1]
        inside = min(int(np.searchsorted(ends, block.start, side="right")), len(ends) - 1)
        block_rows.append(
            (
                block.start,
                block.end,
                families.of(machine, first.attributes),
                line,
                line_first[line] + inside if len(ends) else -1,
                sum(operations[op].load for op in block.operations),
                max(operations[op].minutes[block.machine] for op in block.operations),
                key(machine, first) if machine.load else -1,
                block.running,
            )
        )
        block_ops += block.operations
        block_op_first.append(len(block_ops))
        fixed_end[list(block.operations)] = block.end
    block_row = np.array(block_rows, np.int64).reshape(-1, 9)
    of_machine = np.array([machine_at[block.machine] for block in blocks], np.int64)

    states = [families.of(machine, machine.state) for machine in problem.machines]
    setup_min, setup_money = families.matrices()
    setup_cost = weights.changeover * setup_min + weights.money * setup_money

    preds = [[(position[one.operation], one.gap_min) for one in operation.after] for operation in operations]
    succs: list[list[int]] = [[] for _ in operations]
    for op, before in enumerate(preds):
        for other, _ in before:
            succs[other].append(op)
    of_job = [jobs[operation.job] for operation in operations]
    releases = [
        max(problem.start, operation.release or problem.start, problem.jobs[job].release or problem.start)
        for operation, job in zip(operations, of_job, strict=True)
    ]
    least = [min(mode_row[mode_first[op] : mode_first[op + 1], 2], default=0) for op in range(len(operations))]
    job_ops: list[list[int]] = [[] for _ in problem.jobs]
    for op, job in enumerate(of_job):
        job_ops[job].append(op)

    starts = {op: block.start for block in blocks for op in block.operations}
    latest = np.full(len(operations), problem.end, np.int64)
    for op in fixed:
        for other, gap in preds[op]:
            latest[other] = min(latest[other], starts[op] - gap)

    tail = np.zeros(len(operations), np.int64)
    for op in reversed(_topological(preds, succs)):
        for after in succs[op]:
            if after in fixed or of_job[after] != of_job[op]:
                continue
            gap = max(gap for other, gap in preds[after] if other == op)
            tail[op] = max(tail[op], gap + least[after] + tail[after])
    job_least = np.full(len(problem.jobs), problem.start, np.int64)
    for op, job in enumerate(of_job):
        end = int(fixed_end[op]) if op in fixed else releases[op] + int(least[op])
        job_least[job] = max(job_least[job], end + tail[op])
    job_due = np.array([NEVER if job.due is None else job.due for job in problem.jobs], np.int64)
    job_weight = np.array([weights.tardiness * job.weight for job in problem.jobs], np.float64)

    published = {one.operation: one for one in problem.published}
    published_machine = np.full(len(operations), -1, np.int64)
    published_start = np.zeros(len(operations), np.int64)
    for op, operation in enumerate(operations):
        place = published.get(operation.id)
        if place is not None:  # a machine that is gone is none of them: its operations have moved
            published_machine[op] = machine_at.get(place.machine, len(machine_at))
            published_start[op] = place.start
    moved = 0
    for block in blocks:
        for op in block.operations:
            if published_machine[op] >= 0:
                far = abs(block.start - int(published_start[op])) > problem.tolerance_min
                moved += bool(published_machine[op] != machine_at[block.machine] or far)
    base_cost = float(job_weight @ np.maximum(0, job_least - job_due)) + weights.moved * moved
    latest_least = max((int(job_least[job]) for job, ops in enumerate(job_ops) if ops), default=problem.start)
    base_cost += weights.makespan * (latest_least - problem.start)
    missing = 1.0 + 2.0 * (
        float(job_weight @ np.maximum(0, problem.end - job_due))
        + len(operations) * (float(setup_cost.max(initial=0.0)) + weights.moved)
        + weights.overtime * sum(b - a for a, b in overtime)
        + weights.makespan * (problem.end - problem.start)
    )

    return Tables(
        machine_matrix=np.array([families.matrix_at(machine) for machine in problem.machines], np.int64),
        machine_state=np.array(states, np.int64),
        machine_load=np.array([machine.load for machine in problem.machines], np.int64),
        machine_block_first=np.searchsorted(of_machine, np.arange(len(problem.machines) + 1)).astype(np.int64),
        line_first=np.array(line_first, np.int64),
        stretch_start=_column(stretch, 0),
        stretch_end=_column(stretch, 1),
        stretch_epoch=_column(stretch, 2),
        stretch_open=_column(stretch, 3),
        overtime_first=np.array(overtime_first, np.int64),
        overtime_start=np.array([a for a, _ in overtime], np.int64),
        overtime_end=np.array([b for _, b in overtime], np.int64),
        block_start=_column(block_row, 0),
        block_end=_column(block_row, 1),
        block_family=_column(block_row, 2),
        block_line=_column(block_row, 3),
        block_stretch=_column(block_row, 4),
        block_load=_column(block_row, 5),
        block_minutes=_column(block_row, 6),
        block_key=_column(block_row, 7),
        block_running=_column(block_row, 8),
        block_op_first=np.array(block_op_first, np.int64),
        block_op=np.array(block_ops, np.int64),
        setup_min=setup_min,
        setup_cost=setup_cost,
        mode_first=np.array(mode_first, np.int64),
        mode_machine=_column(mode_row, 0),
        mode_line=_column(mode_row, 1),
        mode_minutes=_column(mode_row, 2),
        mode_from=_column(mode_row, 3),
        mode_family=_column(mode_row, 4),
        mode_key=_column(mode_row, 5),
        op_release=np.array(releases, np.int64),
        op_latest=latest,
        op_load=np.array([operation.load for operation in operations], np.int64),
        op_splittable=np.array([operation.splittable for operation in operations], np.int64),
        op_fixed=np.array([op in fixed for op in range(len(operations))], np.int64),
        op_tail=tail,
        op_job=np.array(of_job, np.int64),
        op_chain=_chains(preds, of_job, job_ops, fixed),
        op_published_machine=published_machine,
        op_published_start=published_start,
        pred_first=_firsts(preds),
        pred_op=np.array([other for row in preds for other, _ in row], np.int64),
        pred_gap=np.array([gap for row in preds for _, gap in row], np.int64),
        succ_first=_firsts(succs),
        succ_op=np.array([other for row in succs for other in row], np.int64),
        job_first=_firsts(job_ops),
        job_op=np.array([op for row in job_ops for op in row], np.int64),
        job_due=job_due,
        job_weight=job_weight,
        job_least=job_least,
        fixed_end=fixed_end,
        start=problem.start,
        end=problem.end,
        tolerance_min=problem.tolerance_min,
        moved=float(weights.moved),
        overtime=float(weights.overtime),
        makespan=float(weights.makespan),
        base_cost=base_cost,
        missing=missing,
    )


def _packed(tables: Tables) -> Packed:
    header = np.zeros(HEADER, np.int64)
    parts: list[Ints] = [header]
    length = HEADER
    for at, name in enumerate(Tables._fields[:50]):
        header[at] = length
        parts.append(getattr(tables, name))
        length += len(parts[-1])
    scalars = np.array([tables.moved, tables.overtime, tables.makespan, tables.base_cost, tables.missing])
    header[SETUP_COST] = len(scalars)
    header[JOB_WEIGHT] = len(scalars) + tables.setup_cost.size
    header[PLAN_START], header[PLAN_END], header[TOLERANCE_MIN] = tables.start, tables.end, tables.tolerance_min
    header[FAMILIES] = tables.setup_min.shape[1]
    header[MACHINES], header[BLOCKS] = len(tables.machine_load), len(tables.block_start)
    header[JOBS], header[OPERATIONS] = len(tables.job_due), len(tables.op_release)
    floats = np.concatenate([scalars, tables.setup_cost.ravel(), tables.job_weight])
    return Packed(np.concatenate(parts), floats, tables.setup_min.ravel())


def _column(rows: Ints, at: int) -> Ints:
    return np.ascontiguousarray(rows[:, at])


def _firsts(rows: Sequence[Sequence[object]]) -> Ints:
    return np.cumsum([0, *(len(row) for row in rows)]).astype(np.int64)


def _topological(preds: Sequence[Sequence[tuple[int, int]]], succs: Sequence[Sequence[int]]) -> list[int]:
    left = [len({other for other, _ in before}) for before in preds]
    order = [op for op, count in enumerate(left) if not count]
    for op in order:  # grows while it is read
        for after in dict.fromkeys(succs[op]):
            left[after] -= 1
            if not left[after]:
                order.append(after)
    return order


def _chains(
    preds: Sequence[Sequence[tuple[int, int]]],
    of_job: Sequence[int],
    job_ops: Sequence[Sequence[int]],
    fixed: set[int],
) -> Ints:
    """For each operation the one before it in its job, where the job is one chain that is all searched for."""
    chain = np.full(len(of_job), -2, np.int64)
    for job, ops in enumerate(job_ops):
        before = [[other for other, _ in preds[op] if of_job[other] == job] for op in ops]
        firsts = [one[0] for one in before if len(one) == 1]
        linear = len(firsts) == len(ops) - 1 == len(set(firsts)) and not fixed & set(ops)
        if linear and all(len(one) < 2 for one in before):
            for op, one in zip(ops, before, strict=True):
                chain[op] = one[0] if one else -1
    return chain


class _Families:
    """Numbers for what operations ask of a machine, and what states machines are in, by setup matrix."""

    def __init__(self, problem: Problem) -> None:
        used = sorted({machine.setups for machine in problem.machines if machine.setups})
        self._matrices = [SetupMatrix("", ()), *(problem.setups[code] for code in used)]
        self._at = {code: at for at, code in enumerate(("", *used))}
        self._values: list[dict[tuple[str, ...], int]] = [{} for _ in self._matrices]

    def matrix_at(self, machine: Machine) -> int:
        return self._at[machine.setups]

    def of(self, machine: Machine, attributes: Mapping[str, str]) -> int:
        at = self._at[machine.setups]
        values = tuple(attributes.get(one.attribute, "") for one in self._matrices[at].attributes)
        return self._values[at].setdefault(values, len(self._values[at]))

    def matrices(self) -> tuple[SmallInts, Floats]:
        """Minutes and money, [matrix, family before, family after], of all families that were asked for."""
        most = max(1, *(len(values) for values in self._values))
        minutes = np.zeros((len(self._matrices), most, most), np.int32)
        money = np.zeros((len(self._matrices), most, most), np.float64)
        for at, (matrix, values) in enumerate(zip(self._matrices, self._values, strict=True)):
            count = len(values)
            for number, one in enumerate(matrix.attributes):
                here, cost = _attribute(one, [each[number] for each in values])
                part = minutes[at, :count, :count]
                if matrix.combine == "max":
                    np.maximum(part, here, out=part)
                else:
                    part += here
                money[at, :count, :count] += cost
        return minutes, money


def _attribute(one: AttributeSetups, values: Sequence[str]) -> tuple[SmallInts, Floats]:
    """Minutes and money of one attribute between each two of `values`."""
    distinct = {value: at for at, value in enumerate(dict.fromkeys(values))}
    minutes = np.full((len(distinct), len(distinct)), one.other.minutes, np.int32)
    money = np.full(minutes.shape, float(one.other.cost))
    np.fill_diagonal(minutes, one.same.minutes)
    np.fill_diagonal(money, float(one.same.cost))
    # What is looked up first is written last.
    named = [pair for pair in one.pairs if ANY in pair and pair != (ANY, ANY)]
    for before, after in sorted(named, key=lambda pair: pair[0] != ANY):
        setup = one.pairs[before, after]
        row = slice(None) if before == ANY else distinct.get(before)
        column = slice(None) if after == ANY else distinct.get(after)
        if row is not None and column is not None:
            minutes[row, column], money[row, column] = setup.minutes, float(setup.cost)
    for (before, after), setup in one.pairs.items():
        if before in distinct and after in distinct:
            row, column = distinct[before], distinct[after]
            minutes[row, column], money[row, column] = setup.minutes, float(setup.cost)
    at = np.array([distinct[value] for value in values], np.int64)
    return minutes[np.ix_(at, at)], money[np.ix_(at, at)]
