"""Annealing where every job is one operation: machines don't wait for each other, so only those that a move touches are
looked at again. Unrelated parallel machines with changeovers by sequence, in the textbooks' words.

Where moreover all machines are open all the time and nothing has a release, a due date or a place it was published at,
a machine's row takes the sum of its minutes and changeovers, wherever they lie.
"""

# mypy: disable-error-code="no-any-return"
# An element of an array is of no type that mypy knows.

from typing import Final, NamedTuple

import numpy as np

from production.planning.decoder import (
    BLOCK,
    FREE,
    OUT,
    ROW,
    at_setup,
    compiled,
    lateness,
    least_span_end,
    pass_block,
    put,
    reset,
    reset_row,
)
from production.planning.floor import (
    BASE_COST,
    MACHINE_BLOCK_FIRST,
    MACHINE_MATRIX,
    MACHINE_STATE,
    MACHINES,
    MAKESPAN,
    MODE_FAMILY,
    MODE_FIRST,
    MODE_MACHINE,
    MODE_MINUTES,
    PLAN_START,
    SETUP_COST,
    Floats,
    Floor,
    Ints,
    Packed,
    SmallInts,
)
from production.planning.search import below, draw, state_of

# Beside the longest row, the mean of all counts a little: what shortens any row is a step forward.
_EVENNESS: Final = 0.3
_PLACES: Final = 16  # that are compared at most
# Single numbers of a chain: whole ones, and others.
CHANCE, ADDITIVE = 0, 1
NOW, BEST, NOW_TRUE = 0, 1, 2


class Rows(NamedTuple):
    """A chain over the machines' rows. `now` and `best` costs are the search's own; plans are compared by their true
    ones, which don't count evenness.
    """

    row: Ints  # [machine, place] the operations
    length: Ints  # [machine]
    mode: Ints  # [operation]
    best_row: Ints
    best_length: Ints
    best_mode: Ints
    cost: Floats  # [machine]
    end: Ints  # [machine]
    trial: Ints  # [two, place]
    rows: Ints  # [machine, column] as the decoder has it
    out: Ints  # [operation, column]
    ints: Ints
    floats: Floats

    def best(self) -> tuple[float, Ints, Ints]:
        """The best it has seen: cost, order, modes."""
        order = [row[:length] for row, length in zip(self.best_row, self.best_length, strict=True)]
        return float(self.floats[BEST]), np.concatenate(order), self.best_mode

    def go_on(self, packed: Packed, order: Ints, mode: Ints) -> None:
        """Go on from that order and those modes."""
        self.length[:] = 0
        self.mode[:] = mode
        for op in order:
            machine = packed.ints[packed.ints[MODE_MACHINE] + mode[op]]
            self.row[machine, self.length[machine]] = op
            self.length[machine] += 1
        _restart(*(*packed, *self))

    def anneal(
        self, packed: Packed, *, first: int, stop: int, moves: int, hot: float, cold: float, rises: Floats
    ) -> int:
        """The moves from `first` to `stop` of a cycle, as `search.anneal`."""
        return _anneal(*(*packed, *self), first, stop, moves, hot, cold, rises)


def is_parallel(floor: Floor) -> bool:
    """Whether every job is one operation that waits for no other."""
    t = floor.tables
    return not len(t.pred_op) and bool(np.all(np.diff(t.job_first) <= 1)) and len(floor.free) > 1


def rows_of(floor: Floor, order: Ints, mode: Ints, *, seed: int, number: int) -> Rows:
    """A chain that starts from an order and modes; each seed and number is a way of its own."""
    machines, operations = len(floor.problem.machines), len(floor.problem.operations)
    chain = Rows(
        row=np.zeros((machines, operations + 1), np.int64),
        length=np.zeros(machines, np.int64),
        mode=mode.copy(),
        best_row=np.zeros((machines, operations + 1), np.int64),
        best_length=np.zeros(machines, np.int64),
        best_mode=mode.copy(),
        cost=np.zeros(machines),
        end=np.zeros(machines, np.int64),
        trial=np.zeros((2, operations + 1), np.int64),
        rows=np.zeros((machines, ROW), np.int64),
        out=np.zeros((operations, OUT), np.int64),
        ints=np.array([state_of(seed, number), _is_additive(floor)], np.int64),
        floats=np.full(3, np.inf),
    )
    chain.go_on(floor.packed, order, mode)
    return chain


def _is_additive(floor: Floor) -> bool:
    """Whether a row takes the sum of its minutes and changeovers, and costs nothing but these."""
    t = floor.tables
    open_always = all(
        t.line_first[line + 1] - t.line_first[line] == 1
        and t.stretch_start[t.line_first[line]] == t.start
        and t.stretch_end[t.line_first[line]] == t.end
        for line in range(len(t.line_first) - 1)
    )
    return (
        open_always
        and not floor.blocks
        and not t.machine_load.any()
        and not len(t.overtime_start)
        and bool(np.all(t.op_release == t.start))
        and not t.job_weight[t.job_due < t.end].any()
        and bool(np.all(t.op_published_machine < 0))
    )


@compiled
def _row_cost(
    t: Ints,
    w: Floats,
    s: SmallInts,
    mode: Ints,
    row: Ints,
    length: int,
    machine: int,
    rows: Ints,
    out: Ints,
    ints: Ints,
) -> tuple[float, int]:
    """What a machine's row costs, and when it is over."""
    cost = 0.0
    if ints[ADDITIVE]:
        matrix, family = t[t[MACHINE_MATRIX] + machine], t[t[MACHINE_STATE] + machine]
        end = t[PLAN_START]
        for place in range(length):
            one = mode[row[place]]
            at = at_setup(t, matrix, family, t[t[MODE_FAMILY] + one])
            family = t[t[MODE_FAMILY] + one]
            end += s[at] + t[t[MODE_MINUTES] + one]
            cost += w[t[SETUP_COST] + at]
        return cost, end
    reset_row(t, rows, machine)
    for place in range(length):
        op = row[place]
        cost += put(t, w, s, rows, out, op, mode[op]) + lateness(t, w, out, mode, 0, op)
    while rows[machine, BLOCK] < t[t[MACHINE_BLOCK_FIRST] + machine + 1]:
        cost += pass_block(t, w, s, rows, out, machine)
    return cost, rows[machine, FREE]


@compiled
def _whole(t: Ints, w: Floats, cost: Floats, end: Ints) -> tuple[float, float]:
    """What all rows cost: with evenness, and truly."""
    total, last, sum_min = w[BASE_COST], least_span_end(t), 0
    first = last
    for machine in range(t[MACHINES]):
        total += cost[machine]
        last = max(last, end[machine])
        sum_min += end[machine] - t[PLAN_START]
    total += w[MAKESPAN] * (last - first)
    return total + _EVENNESS * w[MAKESPAN] * sum_min / t[MACHINES], total


@compiled
def _restart(
    t: Ints,
    w: Floats,
    s: SmallInts,
    row: Ints,
    length: Ints,
    mode: Ints,
    best_row: Ints,
    best_length: Ints,
    best_mode: Ints,
    cost: Floats,
    end: Ints,
    trial: Ints,
    rows: Ints,
    out: Ints,
    ints: Ints,
    floats: Floats,
) -> None:
    reset(t, rows, out)
    for machine in range(t[MACHINES]):
        cost[machine], end[machine] = _row_cost(t, w, s, mode, row[machine], length[machine], machine, rows, out, ints)
    floats[NOW], floats[NOW_TRUE] = _whole(t, w, cost, end)
    if floats[NOW_TRUE] < floats[BEST]:
        floats[BEST] = floats[NOW_TRUE]
        best_row[:, :] = row
        best_length[:] = length
        best_mode[:] = mode


@compiled
def _mode_there(t: Ints, ints: Ints, op: int, machine: int) -> int:
    """One of an operation's modes on a machine, by chance; -1: none."""
    found, count = -1, 0
    for one in range(t[t[MODE_FIRST] + op], t[t[MODE_FIRST] + op + 1]):
        if t[t[MODE_MACHINE] + one] == machine:
            count += 1
            if count == 1 or below(ints, CHANCE, count) == 0:
                found = one
    return found


@compiled
def _build(row: Ints, length: Ints, trial: Ints, here: int, at: int, there: int, to: int, swaps: bool) -> None:
    """The rows of both machines after a move, into `trial`."""
    op = row[here, at]
    if swaps or here != there:
        for place in range(length[here]):
            trial[0, place] = row[here, place]
        for place in range(length[there]):
            trial[1, place] = row[there, place]
    if swaps:
        trial[0, at] = row[there, to]
        trial[0 if here == there else 1, to] = op
        return
    place = 0
    for number in range(length[here]):  # without it
        if number != at:
            trial[0, place] = row[here, number]
            place += 1
    which = 0 if here == there else 1
    for number in range(place if here == there else length[there], to, -1):
        trial[which, number] = trial[which, number - 1]
    trial[which, to] = op


@compiled
def _beside(row: Ints, length: Ints, machine: int, place: int) -> tuple[int, int]:
    """The operations before and after a place; -1: none."""
    before = row[machine, place - 1] if place > 0 else -1
    return before, row[machine, place + 1] if place + 1 < length[machine] else -1


@compiled
def _exchanged(
    t: Ints, w: Floats, s: SmallInts, mode: Ints, machine: int, before: int, op: int, op_mode: int, by: int, after: int
) -> tuple[float, int]:
    """What a row costs more and how much longer it is if an operation is replaced by another; -1: by none, or none."""
    matrix = t[t[MACHINE_MATRIX] + machine]
    family = t[t[MACHINE_STATE] + machine] if before < 0 else t[t[MODE_FAMILY] + mode[before]]
    more, longer = 0.0, 0
    old = new = family
    if op >= 0:
        old = t[t[MODE_FAMILY] + op_mode]
        at = at_setup(t, matrix, family, old)
        more -= w[t[SETUP_COST] + at]
        longer -= s[at] + t[t[MODE_MINUTES] + op_mode]
    if by >= 0:
        new = t[t[MODE_FAMILY] + mode[by]]
        at = at_setup(t, matrix, family, new)
        more += w[t[SETUP_COST] + at]
        longer += s[at] + t[t[MODE_MINUTES] + mode[by]]
    if after >= 0:
        then = t[t[MODE_FAMILY] + mode[after]]
        at, at_new = at_setup(t, matrix, old, then), at_setup(t, matrix, new, then)
        more += w[t[SETUP_COST] + at_new] - w[t[SETUP_COST] + at]
        longer += s[at_new] - s[at]
    return more, longer


@compiled
def _shortest(
    t: Ints,
    w: Floats,
    s: SmallInts,
    row: Ints,
    length: Ints,
    mode: Ints,
    ints: Ints,
    op: int,
    here: int,
    there: int,
    to: int,
) -> tuple[int, int]:
    """Of a few places on other machines, that one's included, where an operation makes the row least longer."""
    least = 1 << 60
    best_there, best_to = there, to
    own = mode[op]
    for _ in range(below(ints, CHANCE, _PLACES) + 1):
        mode[op] = _mode_there(t, ints, op, there)
        if mode[op] >= 0:
            before = row[there, to - 1] if to > 0 else -1
            after = row[there, to] if to < length[there] else -1
            _, longer = _exchanged(t, w, s, mode, there, before, -1, -1, op, after)
            if longer < least:
                least, best_there, best_to = longer, there, to
        there = below(ints, CHANCE, t[MACHINES] - 1)
        there += there >= here
        to = below(ints, CHANCE, length[there] + 1)
    mode[op] = own
    return best_there, best_to


@compiled
def _anneal(
    t: Ints,
    w: Floats,
    s: SmallInts,
    row: Ints,
    length: Ints,
    mode: Ints,
    best_row: Ints,
    best_length: Ints,
    best_mode: Ints,
    cost: Floats,
    end: Ints,
    trial: Ints,
    rows: Ints,
    out: Ints,
    ints: Ints,
    floats: Floats,
    first: int,
    stop: int,
    moves: int,
    hot: float,
    cold: float,
    rises: Floats,
) -> int:
    """Insertions and swaps, within a machine and between two; how many were taken."""
    machines = t[MACHINES]
    taken = 0
    warmth = hot
    for number in range(first, stop):
        if number % 64 == 0 or number == first:  # the same wherever a cycle is divided
            warmth = hot * (cold / hot) ** (number // 64 * 64 / moves)
        here = below(ints, CHANCE, machines)
        if w[MAKESPAN] > 0.0 and draw(ints, CHANCE) < 0.4:
            for machine in range(machines):
                if end[machine] > end[here]:
                    here = machine
        if length[here] == 0:
            continue
        there = below(ints, CHANCE, machines) if draw(ints, CHANCE) < 0.7 else here
        at = below(ints, CHANCE, length[here])
        op = row[here, at]
        swaps = draw(ints, CHANCE) < 0.4
        if swaps and length[there] == 0:
            swaps = False
        to = below(ints, CHANCE, length[there] + (0 if swaps or here == there else 1))
        if ints[ADDITIVE] and not swaps and here != there:
            there, to = _shortest(t, w, s, row, length, mode, ints, op, here, there, to)
        flips = here == there and not swaps and not ints[ADDITIVE] and draw(ints, CHANCE) < 0.3
        if here == there and to == at and not flips:
            continue
        other = row[there, to] if swaps else -1
        mode_here, other_mode = mode[op], mode[other] if swaps else -1
        new, other_new = mode_here, other_mode
        if here != there or flips:
            new = _mode_there(t, ints, op, there)
            if new < 0:
                continue
            if swaps:
                other_new = _mode_there(t, ints, other, here)
                if other_new < 0:
                    continue
        mode[op] = new
        if swaps:
            mode[other] = other_new
        old_cost, old_end = cost[here], end[here]
        old_cost_there, old_end_there = cost[there], end[there]
        built = not ints[ADDITIVE] or (swaps and here == there)
        if built:
            _build(row, length, trial, here, at, there, to, swaps)
            grown = 0 if swaps or here == there else 1
            cost[here], end[here] = _row_cost(t, w, s, mode, trial[0], length[here] - grown, here, rows, out, ints)
            if here != there:
                cost[there], end[there] = _row_cost(
                    t, w, s, mode, trial[1], length[there] + grown, there, rows, out, ints
                )
        elif swaps:
            before, after = _beside(row, length, here, at)
            more, longer = _exchanged(t, w, s, mode, here, before, op, mode_here, other, after)
            cost[here] += more
            end[here] += longer
            before, after = _beside(row, length, there, to)
            more, longer = _exchanged(t, w, s, mode, there, before, other, other_mode, op, after)
            cost[there] += more
            end[there] += longer
        else:
            before, after = _beside(row, length, here, at)
            more, longer = _exchanged(t, w, s, mode, here, before, op, mode_here, -1, after)
            cost[here] += more
            end[here] += longer
            left, right = to - 1, to
            if here == there:  # in the row without it
                left, right = left + (left >= at), right + (right >= at)
            before = row[there, left] if left >= 0 else -1
            after = row[there, right] if right < length[there] else -1
            more, longer = _exchanged(t, w, s, mode, there, before, -1, -1, op, after)
            cost[there] += more
            end[there] += longer
        found, found_true = _whole(t, w, cost, end)
        sampling = rises.shape[0] > 0
        if sampling:
            rises[number - first] = found - floats[NOW]
        if sampling or found > floats[NOW] - warmth * np.log(1.0 - draw(ints, CHANCE)):
            cost[there], end[there] = old_cost_there, old_end_there
            cost[here], end[here] = old_cost, old_end
            mode[op] = mode_here
            if swaps:
                mode[other] = other_mode
            continue
        taken += 1
        if not built:
            _build(row, length, trial, here, at, there, to, swaps)
        if not swaps and here != there:
            length[here] -= 1
            length[there] += 1
        for place in range(length[here]):
            row[here, place] = trial[0, place]
        if here != there:
            for place in range(length[there]):
                row[there, place] = trial[1, place]
        floats[NOW], floats[NOW_TRUE] = found, found_true
        if found_true < floats[BEST] - 1e-9:
            floats[BEST] = found_true
            for machine in range(machines):
                best_length[machine] = length[machine]
                for place in range(length[machine]):
                    best_row[machine, place] = row[machine, place]
            best_mode[:] = mode
    return taken
