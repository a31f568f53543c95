"""The decoder of `reference.py`, compiled: an order of the operations and a mode for each become a plan.

Everything is appended: an operation goes to the earliest place behind the last one of its machine, blocks aside. So one
operation takes some ten nanoseconds and the search can look at millions of plans. The cost only grows while a plan is
decoded: a job is counted as late as soon as what is left of it can't be in time.
"""

# mypy: disable-error-code="no-any-return"
# An element of an array is of no type that mypy knows.

from collections.abc import Callable
from typing import Final, TypeVar, cast

import numba
import numpy as np

from production.planning.floor import (
    BASE_COST,
    BLOCK_END,
    BLOCK_FAMILY,
    BLOCK_KEY,
    BLOCK_LINE,
    BLOCK_LOAD,
    BLOCK_MINUTES,
    BLOCK_OP,
    BLOCK_OP_FIRST,
    BLOCK_RUNNING,
    BLOCK_START,
    BLOCK_STRETCH,
    BLOCKS,
    FAMILIES,
    JOB_DUE,
    JOB_FIRST,
    JOB_LEAST,
    JOB_OP,
    JOB_WEIGHT,
    JOBS,
    LINE_FIRST,
    MACHINE_BLOCK_FIRST,
    MACHINE_LOAD,
    MACHINE_MATRIX,
    MACHINE_STATE,
    MAKESPAN,
    MISSING,
    MODE_FAMILY,
    MODE_FROM,
    MODE_KEY,
    MODE_LINE,
    MODE_MACHINE,
    MODE_MINUTES,
    MOVED,
    OP_CHAIN,
    OP_JOB,
    OP_LATEST,
    OP_LOAD,
    OP_PUBLISHED_MACHINE,
    OP_PUBLISHED_START,
    OP_RELEASE,
    OP_SPLITTABLE,
    OP_TAIL,
    OVERTIME,
    OVERTIME_END,
    OVERTIME_FIRST,
    OVERTIME_START,
    PLAN_END,
    PLAN_START,
    PRED_FIRST,
    PRED_GAP,
    PRED_OP,
    SETUP_COST,
    STRETCH_END,
    STRETCH_EPOCH,
    STRETCH_OPEN,
    STRETCH_START,
    TOLERANCE_MIN,
    Floats,
    Floor,
    Ints,
    SmallInts,
)
from production.planning.problem import Assignment

# What is known of a machine while its operations are appended: the columns of `rows`, [machine, column].
FREE: Final = 0  # the end of the last operation
FAMILY: Final = 1  # what it is set for
STRETCH: Final = 2  # the first stretch that ends after FREE, in regular time
STRETCH_OVER: Final = 3  # and with overtime
BLOCK: Final = 4  # the next block
LAST: Final = 5  # the last operation; -1: none
LOAD_START: Final = 6  # of the last load, of machines that have loads
LOAD_USED: Final = 7
LOAD_MIN: Final = 8  # of its longest operation
LOAD_FIRST: Final = 9  # its first operation by position in the problem
LOAD_OVER: Final = 10
LOAD_KEY: Final = 11
ROW: Final = 12
# What becomes of an operation: the columns of `out`, [operation, column].
START: Final = 0
END: Final = 1
BEGIN: Final = 2  # of the changeover
BEFORE: Final = 3  # the operation before it on its machine; -1: none
OVER: Final = 4
PLACED: Final = 5  # 0: it found no place
OUT: Final = 6

_Function = TypeVar("_Function", bound=Callable[..., object])


def compiled(function: _Function) -> _Function:
    """The function as machine code, kept on disk, that other threads can run beside."""
    return cast(_Function, numba.njit(nogil=True, cache=True)(function))


@compiled
def at_setup(t: Ints, matrix: int, before: int, after: int) -> int:
    """Where the changeover from one family to another is in the packed setups."""
    return (matrix * t[FAMILIES] + before) * t[FAMILIES] + after


@compiled
def begin_of(t: Ints, stretch: int, start: int, need: int) -> int:
    """The latest minute from which `need` open minutes lead to `start`, in that stretch of its line or at its end."""
    while need > max(0, start - t[t[STRETCH_START] + stretch]):
        need -= max(0, start - t[t[STRETCH_START] + stretch])
        stretch -= 1
        start = t[t[STRETCH_END] + stretch]
    return start - need


@compiled
def room_before(t: Ints, line: int, stretch: int, free: int, start: int) -> int:
    """Open minutes of a line from `free` on to `start`, in that stretch, since the last booking."""
    if stretch < 0:
        return 0
    first = t[t[LINE_FIRST] + line]
    epoch = t[t[STRETCH_EPOCH] + stretch]
    room = 0
    while True:
        at = max(free, t[t[STRETCH_START] + stretch])
        if at < start:
            room += start - at
        if free >= t[t[STRETCH_START] + stretch] or stretch == first or t[t[STRETCH_EPOCH] + stretch - 1] != epoch:
            return room
        stretch -= 1
        start = t[t[STRETCH_END] + stretch]


@compiled
def overtime_between(t: Ints, machine: int, begin: int, end: int) -> int:
    """Minutes of a machine's overtime in between."""
    minutes = 0
    for at in range(t[t[OVERTIME_FIRST] + machine], t[t[OVERTIME_FIRST] + machine + 1]):
        if t[t[OVERTIME_START] + at] >= end:
            break
        if t[t[OVERTIME_END] + at] > begin:
            minutes += min(end, t[t[OVERTIME_END] + at]) - max(begin, t[t[OVERTIME_START] + at])
    return minutes


@compiled
def earliest(
    t: Ints, stretch: int, stop: int, free: int, ready: int, need: int, minutes: int, splittable: int
) -> tuple[int, int, int]:
    """Start, end and stretch of the earliest place behind `free` from which `need` open minutes are gone; -1: none.

    Stretches from the first that ends after `free` to `stop`, excluded; `ready` is `free` or later.
    """
    if stretch >= stop:
        return -1, -1, stretch
    epoch = t[t[STRETCH_EPOCH] + stretch]
    # The line's open minutes at which the changeover is over.
    done = t[t[STRETCH_OPEN] + stretch] + max(0, free - t[t[STRETCH_START] + stretch]) + need
    while stretch < stop:
        if t[t[STRETCH_EPOCH] + stretch] != epoch:
            epoch = t[t[STRETCH_EPOCH] + stretch]
            done = t[t[STRETCH_OPEN] + stretch] + need
        a, b = t[t[STRETCH_START] + stretch], t[t[STRETCH_END] + stretch]
        start = max(a, ready, a + done - t[t[STRETCH_OPEN] + stretch])
        if start < b:
            if start + minutes <= b:
                return start, start + minutes, stretch
            if splittable:
                left = minutes - (b - start)
                last = stretch + 1
                while last < stop and t[t[STRETCH_EPOCH] + last] == epoch:
                    length = t[t[STRETCH_END] + last] - t[t[STRETCH_START] + last]
                    if left <= length:
                        return start, t[t[STRETCH_START] + last] + left, stretch
                    left -= length
                    last += 1
                stretch = last
                continue
        stretch += 1
    return -1, -1, stretch


@compiled
def reset_row(t: Ints, rows: Ints, machine: int) -> None:
    """A machine at the problem's start."""
    for column in range(ROW):
        rows[machine, column] = 0
    rows[machine, FREE] = t[PLAN_START]
    rows[machine, FAMILY] = t[t[MACHINE_STATE] + machine]
    rows[machine, STRETCH] = t[t[LINE_FIRST] + 2 * machine]
    rows[machine, STRETCH_OVER] = t[t[LINE_FIRST] + 2 * machine + 1]
    rows[machine, BLOCK] = t[t[MACHINE_BLOCK_FIRST] + machine]
    rows[machine, LAST] = -1
    rows[machine, LOAD_KEY] = -1


@compiled
def reset(t: Ints, rows: Ints, out: Ints) -> None:
    """The machines at the problem's start, and where the blocks' operations are."""
    for machine in range(rows.shape[0]):
        reset_row(t, rows, machine)
    out[:, :] = 0
    for block in range(t[BLOCKS]):
        for at in range(t[t[BLOCK_OP_FIRST] + block], t[t[BLOCK_OP_FIRST] + block + 1]):
            op = t[t[BLOCK_OP] + at]
            out[op, START] = t[t[BLOCK_START] + block]
            out[op, END] = t[t[BLOCK_END] + block]
            out[op, BEGIN] = t[t[BLOCK_START] + block]
            out[op, BEFORE] = -1
            out[op, OVER] = t[t[BLOCK_LINE] + block] & 1
            out[op, PLACED] = 1


@compiled
def pass_block(t: Ints, w: Floats, s: SmallInts, rows: Ints, out: Ints, machine: int) -> float:
    """Put a machine's next block behind its last operation; what that costs."""
    block = rows[machine, BLOCK]
    start, end, line = t[t[BLOCK_START] + block], t[t[BLOCK_END] + block], t[t[BLOCK_LINE] + block]
    cost = 0.0
    begin = start
    if not t[t[BLOCK_RUNNING] + block]:
        matrix = t[t[MACHINE_MATRIX] + machine]
        need = s[at_setup(t, matrix, rows[machine, FAMILY], t[t[BLOCK_FAMILY] + block])]
        cost += w[t[SETUP_COST] + at_setup(t, matrix, rows[machine, FAMILY], t[t[BLOCK_FAMILY] + block])]
        if need > 0:
            if room_before(t, line, t[t[BLOCK_STRETCH] + block], rows[machine, FREE], start) < need:
                cost += w[MISSING]
            else:
                begin = begin_of(t, t[t[BLOCK_STRETCH] + block], start, need)
    if line & 1:
        cost += w[OVERTIME] * overtime_between(t, machine, begin, end)
    first = t[t[BLOCK_OP] + t[t[BLOCK_OP_FIRST] + block]]
    before = rows[machine, LAST]
    for at in range(t[t[BLOCK_OP_FIRST] + block], t[t[BLOCK_OP_FIRST] + block + 1]):
        op = t[t[BLOCK_OP] + at]
        out[op, BEGIN] = begin
        out[op, BEFORE] = before
        before = op
    rows[machine, FREE] = max(rows[machine, FREE], end)
    rows[machine, FAMILY] = t[t[BLOCK_FAMILY] + block]
    rows[machine, BLOCK] = block + 1
    rows[machine, LAST] = before
    rows[machine, LOAD_START] = start
    rows[machine, LOAD_USED] = t[t[BLOCK_LOAD] + block]
    rows[machine, LOAD_MIN] = t[t[BLOCK_MINUTES] + block]
    rows[machine, LOAD_FIRST] = first
    rows[machine, LOAD_OVER] = line & 1
    rows[machine, LOAD_KEY] = t[t[BLOCK_KEY] + block]
    return cost


@compiled
def moved_cost(t: Ints, w: Floats, s: SmallInts, op: int, machine: int, start: int) -> float:
    """What it costs if it is not where it was published."""
    if t[t[OP_PUBLISHED_MACHINE] + op] < 0:
        return 0.0
    if t[t[OP_PUBLISHED_MACHINE] + op] != machine or abs(start - t[t[OP_PUBLISHED_START] + op]) > t[TOLERANCE_MIN]:
        return w[MOVED]
    return 0.0


@compiled
def ready_of(t: Ints, out: Ints, op: int) -> int:
    """When an operation can start as far as its job goes."""
    ready = t[t[OP_RELEASE] + op]
    for at in range(t[t[PRED_FIRST] + op], t[t[PRED_FIRST] + op + 1]):
        ready = max(ready, out[t[t[PRED_OP] + at], END] + t[t[PRED_GAP] + at])
    return ready


@compiled
def put(t: Ints, w: Floats, s: SmallInts, rows: Ints, out: Ints, op: int, mode: int) -> float:
    """Append an operation to its machine; what that costs beside its job's lateness."""
    machine = t[t[MODE_MACHINE] + mode]
    minutes = t[t[MODE_MINUTES] + mode]
    family = t[t[MODE_FAMILY] + mode]
    line = t[t[MODE_LINE] + mode]
    over = line & 1
    latest = t[t[OP_LATEST] + op]
    ready = max(t[t[MODE_FROM] + mode], ready_of(t, out, op))
    matrix = t[t[MACHINE_MATRIX] + machine]
    cost = 0.0
    while True:
        if (
            t[t[MACHINE_LOAD] + machine] > 0
            and rows[machine, LAST] >= 0
            and rows[machine, LOAD_KEY] == t[t[MODE_KEY] + mode]
            and ready <= rows[machine, LOAD_START]
            and minutes <= rows[machine, LOAD_MIN]
            and rows[machine, FREE] <= latest
            and rows[machine, LOAD_USED] + t[t[OP_LOAD] + op] <= t[t[MACHINE_LOAD] + machine]
            and (t[t[OP_SPLITTABLE] + op] or rows[machine, FREE] - rows[machine, LOAD_START] == rows[machine, LOAD_MIN])
            and (rows[machine, FAMILY] == family or op > rows[machine, LOAD_FIRST])
        ):
            out[op, START] = rows[machine, LOAD_START]
            out[op, END] = rows[machine, FREE]
            out[op, BEGIN] = out[rows[machine, LOAD_FIRST], BEGIN]
            out[op, BEFORE] = rows[machine, LAST]
            out[op, OVER] = rows[machine, LOAD_OVER]
            out[op, PLACED] = 1
            rows[machine, LOAD_USED] += t[t[OP_LOAD] + op]
            rows[machine, LOAD_FIRST] = min(op, rows[machine, LOAD_FIRST])
            rows[machine, LAST] = op
            return cost + moved_cost(t, w, s, op, machine, rows[machine, LOAD_START])

        need = s[at_setup(t, matrix, rows[machine, FAMILY], family)]
        free = rows[machine, FREE]
        stop = t[t[LINE_FIRST] + line + 1]
        stretch = rows[machine, STRETCH + over]
        while stretch < stop and t[t[STRETCH_END] + stretch] <= free:
            stretch += 1
        rows[machine, STRETCH + over] = stretch
        splittable = t[t[OP_SPLITTABLE] + op]
        start, end, stretch = earliest(t, stretch, stop, free, max(free, ready), need, minutes, splittable)

        block = rows[machine, BLOCK]
        if block < t[t[MACHINE_BLOCK_FIRST] + machine + 1]:
            block_start = t[t[BLOCK_START] + block]
            fits = start >= 0 and end <= block_start
            if fits and not t[t[BLOCK_RUNNING] + block]:
                need_then = s[at_setup(t, matrix, family, t[t[BLOCK_FAMILY] + block])]
                fits = need_then == 0 or need_then <= room_before(
                    t, t[t[BLOCK_LINE] + block], t[t[BLOCK_STRETCH] + block], end, block_start
                )
            if not fits:
                cost += pass_block(t, w, s, rows, out, machine)
                continue
        if start < 0 or end > latest:
            out[op, START] = out[op, END] = out[op, BEGIN] = t[PLAN_END]
            out[op, BEFORE] = -1
            out[op, OVER] = over
            out[op, PLACED] = 0
            return cost + w[MISSING]
        begin = begin_of(t, stretch, start, need)
        if over:
            cost += w[OVERTIME] * overtime_between(t, machine, begin, end)
        out[op, START] = start
        out[op, END] = end
        out[op, BEGIN] = begin
        out[op, BEFORE] = rows[machine, LAST]
        out[op, OVER] = over
        out[op, PLACED] = 1
        cost += w[t[SETUP_COST] + at_setup(t, matrix, rows[machine, FAMILY], family)]
        rows[machine, FREE] = end
        rows[machine, FAMILY] = family
        rows[machine, LAST] = op
        rows[machine, LOAD_START] = start
        rows[machine, LOAD_USED] = t[t[OP_LOAD] + op]
        rows[machine, LOAD_MIN] = minutes
        rows[machine, LOAD_FIRST] = op
        rows[machine, LOAD_OVER] = over
        rows[machine, LOAD_KEY] = t[t[MODE_KEY] + mode]
        return cost + moved_cost(t, w, s, op, machine, start)


@compiled
def least_end(t: Ints, out: Ints, op: int) -> int:
    """No earlier than this ends the operation's job, as far as is known by it."""
    return out[op, END] + t[t[OP_TAIL] + op]


@compiled
def lateness(t: Ints, w: Floats, out: Ints, position: Ints, first: int, op: int) -> float:
    """What it costs that the operation's job is later by it than was known before.

    The operations' positions are in `position` from `first` on.
    """
    job = t[t[OP_JOB] + op]
    if w[t[JOB_WEIGHT] + job] == 0.0:
        return 0.0
    end = least_end(t, out, op)
    if end <= t[t[JOB_DUE] + job]:
        return 0.0
    known = max(t[t[JOB_LEAST] + job], t[t[JOB_DUE] + job])
    before = t[t[OP_CHAIN] + op]
    if before >= 0:
        known = max(known, least_end(t, out, before))
    elif before == -2:
        for at in range(t[t[JOB_FIRST] + job], t[t[JOB_FIRST] + job + 1]):
            other = t[t[JOB_OP] + at]
            if other != op and position[first + other] < position[first + op]:
                known = max(known, least_end(t, out, other))
    return w[t[JOB_WEIGHT] + job] * max(0, end - known)


@compiled
def finish(t: Ints, w: Floats, s: SmallInts, rows: Ints, out: Ints) -> float:
    """Put the blocks that are left; what that costs."""
    cost = 0.0
    for machine in range(rows.shape[0]):
        while rows[machine, BLOCK] < t[t[MACHINE_BLOCK_FIRST] + machine + 1]:
            cost += pass_block(t, w, s, rows, out, machine)
    return cost


@compiled
def least_span_end(t: Ints) -> int:
    """No earlier than this is everything done."""
    end = t[PLAN_START]
    for job in range(t[JOBS]):
        end = max(end, t[t[JOB_LEAST] + job])
    return end


@compiled
def decode(t: Ints, w: Floats, s: SmallInts, order: Ints, position: Ints, mode: Ints, rows: Ints, out: Ints) -> float:
    """The plan of an order and modes, into `out`; what it costs.

    `order`: [operation that is not in a block]; `position`: where an operation is in it, -1 for blocks' operations.
    """
    reset(t, rows, out)
    cost = w[BASE_COST]
    span = least_span_end(t)
    for at in range(order.shape[0]):
        op = order[at]
        cost += put(t, w, s, rows, out, op, mode[op]) + lateness(t, w, out, position, 0, op)
        end = least_end(t, out, op)
        if end > span:
            cost += w[MAKESPAN] * (end - span)
            span = end
    return cost + finish(t, w, s, rows, out)


def positions(floor: Floor, order: Ints) -> Ints:
    """Where each operation is in an order; -1 for those in blocks."""
    position = np.full(len(floor.problem.operations), -1, np.int64)
    position[order] = np.arange(len(order))
    return position


def decoded(floor: Floor, order: Ints, mode: Ints) -> tuple[Ints, float]:
    """`out`, [operation, column], and the cost of an order and a mode for each operation."""
    rows = np.zeros((len(floor.problem.machines), ROW), np.int64)
    out = np.zeros((len(floor.problem.operations), OUT), np.int64)
    return out, decode(*floor.packed, order, positions(floor, order), mode, rows, out)


def assignments_of(floor: Floor, out: Ints, mode: Ints) -> tuple[Assignment, ...]:
    """The assignments of what was decoded, in the order of the problem's operations."""
    machine_of = {op: block.machine for block in floor.blocks for op in block.operations}
    begun = {op: block.changeover for block in floor.blocks for op in block.operations if block.changeover is not None}
    return tuple(
        Assignment(
            operation=operation.id,
            machine=machine_of.get(op) or floor.modes[mode[op]].machine,
            start=int(out[op, START]),
            end=int(out[op, END]),
            changeover=begun.get(op, int(out[op, BEGIN])),
            overtime=bool(out[op, OVER]),
            roll=operation.cloth.roll if operation.cloth is not None else "",
        )
        for op, operation in enumerate(floor.problem.operations)
        if out[op, PLACED]
    )
