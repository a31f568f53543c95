"""Plans by rule: what a planner does without a search. Where it starts, and what it falls back to.

A *dispatching rule* goes through time: whenever a machine is the next to become free, the operation of those that wait
for it that comes first by the rule is put on it. Each waits for the machine that would end it earliest, its changeover
included.
"""

# mypy: disable-error-code="no-any-return"
# An element of an array is of no type that mypy knows.

from collections.abc import Iterator, Sequence
from math import inf
from typing import Final

import numpy as np

from production.planning.decoder import (
    BEGIN,
    END,
    FAMILY,
    OUT,
    OVER,
    PLACED,
    ROW,
    START,
    assignments_of,
    at_setup,
    begin_of,
    compiled,
    decoded,
    earliest,
    put,
    ready_of,
    reset,
    room_before,
)
from production.planning.errors import NoSlot
from production.planning.floor import (
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
    JOB_DUE,
    LINE_FIRST,
    MACHINE_BLOCK_FIRST,
    MACHINE_LOAD,
    MACHINE_MATRIX,
    MACHINE_STATE,
    MODE_FAMILY,
    MODE_FIRST,
    MODE_FROM,
    MODE_KEY,
    MODE_LINE,
    MODE_MACHINE,
    MODE_MINUTES,
    OP_FIXED,
    OP_JOB,
    OP_LATEST,
    OP_LOAD,
    OP_SPLITTABLE,
    OP_TAIL,
    OPERATIONS,
    PLAN_END,
    PLAN_START,
    PRED_FIRST,
    PRED_OP,
    STRETCH_END,
    SUCC_FIRST,
    SUCC_OP,
    Floats,
    Floor,
    Ints,
    SmallInts,
    Tables,
    floor_of,
)
from production.planning.plan import Plan, figures_of
from production.planning.problem import Assignment, Problem
from production.planning.rolls import rolled

RULES: Final = ("fifo", "edd", "atcs")
_FIFO: Final = 0
_EDD: Final = 1
_ATCS: Final = 2
# The two parameters of ATCS: how far ahead due dates are looked at, and how much changeovers weigh.
_DUE_SCALES: Final = (0.5, 1.0, 2.0, 4.0, 8.0)
_SETUP_SCALES: Final = (0.1, 0.3, 1.0, 3.0)


def plan_by(problem: Problem, rule: str) -> Plan:
    """The plan of a rule: "fifo", first come, first served; "edd", earliest due date first; "atcs".

    ATCS, apparent tardiness cost with setups, prefers the short, the urgent, and what needs little changing over:
    w/p · exp(-max(0, slack) / (k₁p̄)) · exp(-setup / (k₂s̄)) (Y. H. Lee, K. Bhaskaran, M. Pinedo, IIE Transactions 29,
    1997); the best plan of twenty pairs of k₁ and k₂. Raises NoSlot where something finds no place before the end.
    """
    floor = floor_of(rolled(problem))
    return plan_of(floor, *ordered_by(floor, rule), by=rule)


def first_plan(problem: Problem) -> Plan:
    """The best plan of all rules. Raises NoSlot where none of them is complete."""
    floor = floor_of(rolled(problem))
    rule, order, mode = first_order(floor)
    return plan_of(floor, order, mode, by=rule)


def plan_of(floor: Floor, order: Ints, mode: Ints, *, by: str) -> Plan:
    """The plan of an order and modes. Raises NoSlot where it is not complete."""
    out, cost = decoded(floor, order, mode)
    require_complete(floor, out, cost, mode)
    assignments = assignments_of(floor, out, mode)
    return Plan(assignments, figures_of(floor.problem, assignments), by=by)


def require_complete(floor: Floor, out: Ints, cost: float, mode: Ints) -> None:
    """Raise NoSlot where something found no place."""
    if cost < floor.tables.missing:
        return
    problem = floor.problem
    missing = [op for op in range(len(problem.operations)) if not out[op, PLACED]]
    # Otherwise it is a pin whose changeover doesn't fit behind what was put before it.
    op = missing[0] if missing else floor.blocks[0].operations[0]
    operation = problem.operations[op]
    centres = sorted({floor.modes[at].machine for at in _modes(floor.tables, op)})
    more = f" ({len(missing) - 1} more)" if len(missing) > 1 else ""
    least = min(operation.minutes[code] for code in centres if code in operation.minutes)
    raise NoSlot(
        f"Operation {operation.id} of {operation.job} takes {least} min on {' or '.join(centres)} and finds no free "
        f"time there before the plan ends{more}: plan further ahead, or open overtime.",
        fields={
            "step": operation.id,
            "work_centres": centres,
            "minutes": least,
            "horizon_days": (problem.end - problem.start) // (24 * 60),
            "reason": "busy",
            "available_from": None,
            "operations": [problem.operations[op].id for op in missing],
        },
    )


def _modes(t: Tables, op: int) -> range:
    return range(int(t.mode_first[op]), int(t.mode_first[op + 1]))


def first_order(floor: Floor) -> tuple[str, Ints, Ints]:
    """The rule with the best plan, its order and its modes."""
    found = [(rule, *ordered_by(floor, rule)) for rule in RULES]
    return min(found, key=lambda one: decoded(floor, one[1], one[2])[1])


def ordered_by(floor: Floor, rule: str) -> tuple[Ints, Ints]:
    """The order in which a rule puts the operations, and their modes."""
    best_cost, best = inf, None
    for which, due_scale, setup_scale in _tries(rule):
        order, mode = _dispatched(floor, which, due_scale, setup_scale)
        cost = decoded(floor, order, mode)[1]
        if best is None or cost < best_cost:
            best_cost, best = cost, (order, mode)
    assert best is not None
    return best


def _tries(rule: str) -> Iterator[tuple[int, float, float]]:
    if rule == "atcs":
        yield from ((_ATCS, due, setup) for due in _DUE_SCALES for setup in _SETUP_SCALES)
    else:
        yield {"fifo": _FIFO, "edd": _EDD}[rule], 1.0, 1.0


def _dispatched(floor: Floor, rule: int, due_scale: float, setup_scale: float) -> tuple[Ints, Ints]:
    t = floor.tables
    setups = t.setup_min[t.setup_min > 0]
    mean_setup = float(setups.mean()) if len(setups) else 1.0
    mean_minutes = float(t.mode_minutes.mean()) if len(t.mode_minutes) else 1.0
    weight = np.array([job.weight for job in floor.problem.jobs], np.float64)
    if not weight.any():
        weight[:] = 1.0
    operations = len(floor.problem.operations)
    order, mode = np.zeros(len(floor.free), np.int64), t.mode_first[:-1].copy()
    rows = np.zeros((len(floor.problem.machines), ROW), np.int64)
    out = np.zeros((operations, OUT), np.int64)
    _dispatch(*floor.packed, rule, due_scale * mean_minutes, setup_scale * mean_setup, weight, order, mode, rows, out)
    return order, mode


@compiled
def _dispatch(
    t: Ints,
    w: Floats,
    s: SmallInts,
    rule: int,
    due_min: float,
    setup_min: float,
    weight: Floats,
    order: Ints,
    mode: Ints,
    rows: Ints,
    out: Ints,
) -> None:
    """Fill `order` and `mode`, operation by operation through time."""
    count = t[OPERATIONS]
    reset(t, rows, out)
    waits = np.zeros(count, np.int64)  # for so many operations; -1: it is put
    ready = np.zeros(count, np.int64)
    start = np.zeros(count, np.int64)
    # By mode: where it would be, and how many operations its machine had when that was looked at.
    found = np.full((t[t[MODE_FIRST] + t[OPERATIONS]], 3), -1, np.int64)
    counts = np.zeros(rows.shape[0], np.int64)
    spare = np.zeros(rows.shape[1], np.int64)
    for op in range(count):
        if t[t[OP_FIXED] + op]:
            waits[op] = -1
            continue
        ready[op] = ready_of(t, out, op)
        for at in range(t[t[PRED_FIRST] + op], t[t[PRED_FIRST] + op + 1]):
            waits[op] += 1 - t[t[OP_FIXED] + t[t[PRED_OP] + at]]
    for position in range(order.shape[0]):
        first = -1
        for op in range(count):
            if waits[op] != 0:
                continue
            start[op] = _choose(t, w, s, rows, out, op, mode, found, counts, spare)
            if first < 0 or start[op] < start[first]:
                first = op
        machine, now = t[t[MODE_MACHINE] + mode[first]], start[first]
        chosen, highest = first, -inf
        for op in range(count):
            if waits[op] != 0 or t[t[MODE_MACHINE] + mode[op]] != machine or ready[op] > now:
                continue
            if rule == _FIFO:
                index = -float(ready[op])
            elif rule == _EDD:
                index = -float(t[t[JOB_DUE] + t[t[OP_JOB] + op]])
            else:
                minutes = t[t[MODE_MINUTES] + mode[op]]
                slack = t[t[JOB_DUE] + t[t[OP_JOB] + op]] - t[t[OP_TAIL] + op] - minutes - now
                need = s[
                    at_setup(t, t[t[MACHINE_MATRIX] + machine], rows[machine, FAMILY], t[t[MODE_FAMILY] + mode[op]])
                ]
                # Its logarithm, so that nothing is too small to tell apart.
                index = np.log(max(1e-9, weight[t[t[OP_JOB] + op]]) / max(1, minutes))
                index -= max(0.0, float(slack)) / due_min + need / setup_min
            if index > highest:
                chosen, highest = op, index
        put(t, w, s, rows, out, chosen, mode[chosen])
        order[position] = chosen
        waits[chosen] = -1
        for at in range(t[t[SUCC_FIRST] + chosen], t[t[SUCC_FIRST] + chosen + 1]):
            after = t[t[SUCC_OP] + at]
            waits[after] -= 1
            ready[after] = ready_of(t, out, after)
        counts[machine] += 1


@compiled
def _choose(
    t: Ints, w: Floats, s: SmallInts, rows: Ints, out: Ints, op: int, mode: Ints, found: Ints, counts: Ints, spare: Ints
) -> int:
    """Set the mode that ends an operation earliest, overtime only where regular time doesn't do; when it starts."""
    start, end = t[PLAN_END], t[PLAN_END]
    for over in range(2):
        for one in range(t[t[MODE_FIRST] + op], t[t[MODE_FIRST] + op + 1]):
            if t[t[MODE_LINE] + one] & 1 != over or t[t[MODE_FROM] + one] > t[PLAN_START]:
                continue
            machine = t[t[MODE_MACHINE] + one]
            if found[one, 2] != counts[machine]:
                spare[:] = rows[machine]
                put(t, w, s, rows, out, op, one)
                rows[machine, :] = spare
                found[one, 0] = out[op, START]
                found[one, 1] = out[op, END] if out[op, PLACED] else t[PLAN_END] + 1
                found[one, 2] = counts[machine]
            if found[one, 1] <= end and (start == t[PLAN_END] or found[one, 1] < end):
                start, end, mode[op] = found[one, 0], found[one, 1], one
        if start < t[PLAN_END]:
            return start
    return start


# ---------------------------------------------------------------------------------------------- as an ERP plans


def forward(problem: Problem) -> Plan:
    """What an ERP's forward planner does: order by order as they came, and nobody moves.

    Each operation goes on the machine that ends it earliest, into the first gap in which it fits with the changeovers
    before and after it; into a load that stands there, if there is room. Raises NoSlot.
    """
    floor = floor_of(rolled(problem))
    t, count = floor.tables, len(problem.operations)
    order = np.array(_as_they_came(floor), np.int64)
    mode = t.mode_first[:-1].copy()
    out = np.zeros((count, OUT), np.int64)
    rows = np.zeros((len(problem.machines), ROW), np.int64)
    # The loads of each machine in order of time: [machine, place, column].
    loads = np.zeros((len(problem.machines), count + 1, _LOAD), np.int64)
    complete = _forward(*floor.packed, order, mode, rows, out, loads, np.zeros(len(problem.machines), np.int64))
    require_complete(floor, out, 0.0 if complete else t.missing, mode)
    assignments: tuple[Assignment, ...] = assignments_of(floor, out, mode)
    return Plan(assignments, figures_of(problem, assignments), by="forward")


def _as_they_came(floor: Floor) -> Sequence[int]:
    """Job by job, each operation after those it waits for."""
    t = floor.tables
    order: list[int] = []
    done = {op for block in floor.blocks for op in block.operations}

    def visit(op: int) -> None:
        path = [op]
        while path:
            before = [int(one) for one in t.pred_op[t.pred_first[path[-1]] : t.pred_first[path[-1] + 1]]]
            waiting = [one for one in before if one not in done]
            if waiting:
                path.append(waiting[0])
                continue
            one = path.pop()
            if one not in done:
                done.add(one)
                order.append(one)

    for ops in zip(t.job_first[:-1], t.job_first[1:], strict=True):
        for op in t.job_op[slice(*ops)]:
            visit(int(op))
    return order


_LOAD_START: Final = 0
_LOAD_END: Final = 1
_LOAD_FIRST: Final = 2  # its first operation by position in the problem
_LOAD_FAMILY: Final = 3
_LOAD_KEY: Final = 4
_LOAD_USED: Final = 5
_LOAD_MIN: Final = 6
_LOAD_LINE: Final = 7
_LOAD_BLOCK: Final = 8  # 1: it was running at the start, so its changeover is over
_LOAD: Final = 9


@compiled
def _stretch_at(t: Ints, line: int, minute: int) -> int:
    """The first stretch of a line that ends after a minute."""
    low, high = t[t[LINE_FIRST] + line], t[t[LINE_FIRST] + line + 1]
    while low < high:
        middle = (low + high) // 2
        if t[t[STRETCH_END] + middle] > minute:
            high = middle
        else:
            low = middle + 1
    return low


@compiled
def _forward(
    t: Ints, w: Floats, s: SmallInts, order: Ints, mode: Ints, rows: Ints, out: Ints, loads: Ints, counts: Ints
) -> bool:
    """Put everything; whether all of it found a place."""
    reset(t, rows, out)
    for machine in range(rows.shape[0]):
        for block in range(t[t[MACHINE_BLOCK_FIRST] + machine], t[t[MACHINE_BLOCK_FIRST] + machine + 1]):
            load = loads[machine, counts[machine]]
            load[_LOAD_START] = t[t[BLOCK_START] + block]
            load[_LOAD_END] = t[t[BLOCK_END] + block]
            load[_LOAD_FIRST] = t[t[BLOCK_OP] + t[t[BLOCK_OP_FIRST] + block]]
            load[_LOAD_FAMILY] = t[t[BLOCK_FAMILY] + block]
            load[_LOAD_KEY] = t[t[BLOCK_KEY] + block]
            load[_LOAD_USED] = t[t[BLOCK_LOAD] + block]
            load[_LOAD_MIN] = t[t[BLOCK_MINUTES] + block]
            load[_LOAD_LINE] = t[t[BLOCK_LINE] + block]
            load[_LOAD_BLOCK] = t[t[BLOCK_RUNNING] + block]
            counts[machine] += 1
    for op in order:
        ready = ready_of(t, out, op)
        best_end, best_mode, best_place, best_start, joins = t[t[OP_LATEST] + op] + 1, -1, -1, 0, False
        for over in range(2):
            if best_mode >= 0:
                break
            for one in range(t[t[MODE_FIRST] + op], t[t[MODE_FIRST] + op + 1]):
                if t[t[MODE_LINE] + one] & 1 != over or t[t[MODE_FROM] + one] > t[PLAN_START]:
                    continue
                place, start, end, into = _first_gap(t, w, s, loads, counts, op, one, ready)
                if place >= 0 and end < best_end:
                    best_end, best_mode, best_place, best_start, joins = end, one, place, start, into
        if best_mode < 0:
            return False
        machine = t[t[MODE_MACHINE] + best_mode]
        mode[op] = best_mode
        out[op, START], out[op, END], out[op, PLACED] = best_start, best_end, 1
        out[op, OVER] = t[t[MODE_LINE] + best_mode] & 1
        load = loads[machine, best_place]
        if joins:
            load[_LOAD_USED] += t[t[OP_LOAD] + op]
            load[_LOAD_FIRST] = min(load[_LOAD_FIRST], op)
            out[op, OVER] = load[_LOAD_LINE] & 1
            continue
        for place in range(counts[machine], best_place, -1):
            loads[machine, place] = loads[machine, place - 1]
        counts[machine] += 1
        load[_LOAD_START], load[_LOAD_END], load[_LOAD_FIRST] = best_start, best_end, op
        load[_LOAD_FAMILY], load[_LOAD_KEY] = t[t[MODE_FAMILY] + best_mode], t[t[MODE_KEY] + best_mode]
        load[_LOAD_USED], load[_LOAD_MIN] = t[t[OP_LOAD] + op], t[t[MODE_MINUTES] + best_mode]
        load[_LOAD_LINE], load[_LOAD_BLOCK] = t[t[MODE_LINE] + best_mode], 0
    for machine in range(rows.shape[0]):
        matrix, family = t[t[MACHINE_MATRIX] + machine], t[t[MACHINE_STATE] + machine]
        for place in range(counts[machine]):
            load = loads[machine, place]
            start = load[_LOAD_START]
            need = 0 if load[_LOAD_BLOCK] else s[at_setup(t, matrix, family, load[_LOAD_FAMILY])]
            begin = start
            if need > 0:
                begin = begin_of(t, _stretch_at(t, load[_LOAD_LINE], start), start, need)
            for op in range(out.shape[0]):
                here = out[op, PLACED] and out[op, START] == start and _machine_of(t, op, mode) == machine
                if here:
                    out[op, BEGIN] = begin
            family = load[_LOAD_FAMILY]
    return True


@compiled
def _machine_of(t: Ints, op: int, mode: Ints) -> int:
    return t[t[MODE_MACHINE] + mode[op]]


@compiled
def _first_gap(
    t: Ints, w: Floats, s: SmallInts, loads: Ints, counts: Ints, op: int, mode: int, ready: int
) -> tuple[int, int, int, bool]:
    """Place, start and end of the first gap in which it fits, and whether that is a load that stands; -1: none."""
    machine, line, minutes = t[t[MODE_MACHINE] + mode], t[t[MODE_LINE] + mode], t[t[MODE_MINUTES] + mode]
    matrix, family = t[t[MACHINE_MATRIX] + machine], t[t[MODE_FAMILY] + mode]
    free, before = t[PLAN_START], t[t[MACHINE_STATE] + machine]
    stop = t[t[LINE_FIRST] + line + 1]
    for place in range(counts[machine] + 1):
        last = place == counts[machine]
        load = loads[machine, place]
        if last or load[_LOAD_START] >= ready + minutes:
            stretch = _stretch_at(t, line, free)
            need = s[at_setup(t, matrix, before, family)]
            start, end, _ = earliest(t, stretch, stop, free, max(free, ready), need, minutes, t[t[OP_SPLITTABLE] + op])
            if start >= 0:
                fits = last or end <= load[_LOAD_START]
                if fits and not last and not load[_LOAD_BLOCK]:
                    then = s[at_setup(t, matrix, family, load[_LOAD_FAMILY])]
                    at = _stretch_at(t, load[_LOAD_LINE], load[_LOAD_START])
                    fits = then == 0 or (
                        at < t[t[LINE_FIRST] + load[_LOAD_LINE] + 1]
                        and then <= room_before(t, load[_LOAD_LINE], at, end, load[_LOAD_START])
                    )
                if fits:
                    return place, start, end, False
        if last:
            break
        if (
            t[t[MACHINE_LOAD] + machine] > 0
            and ready <= load[_LOAD_START]
            and load[_LOAD_KEY] == t[t[MODE_KEY] + mode]
            and load[_LOAD_USED] + t[t[OP_LOAD] + op] <= t[t[MACHINE_LOAD] + machine]
            and minutes <= load[_LOAD_MIN]
            and (t[t[OP_SPLITTABLE] + op] or load[_LOAD_END] - load[_LOAD_START] == load[_LOAD_MIN])
            and (load[_LOAD_FAMILY] == family or op > load[_LOAD_FIRST])
        ):
            return place, load[_LOAD_START], load[_LOAD_END], True
        free, before = max(free, load[_LOAD_END]), load[_LOAD_FAMILY]
    return -1, -1, -1, False
