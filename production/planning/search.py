"""Simulated annealing over orders and modes, compiled, without the interpreter's lock: one chain to a core.

A plan is an order of the operations and a mode for each (`decoder.py`). A move changes a stretch of the order and is
looked at from there on only: the machines' rows are kept at every so many positions. What a move may cost is drawn
before it is looked at, so that decoding stops as soon as it costs more (the cost only grows); and it stops where all
machines stand as they did before the move. Orders stay such that each operation comes after those it waits for: what
goes forward takes along what it waits for, what goes back takes along what waits for it.

Every random number comes from the chain's own generator, so a chain's way depends on its seed and its moves alone.
"""

# mypy: disable-error-code="no-any-return"
# An element of an array is of no type that mypy knows.

from typing import Final, NamedTuple

import numpy as np

from production.planning.decoder import (
    BEFORE,
    BLOCK,
    END,
    FAMILY,
    FREE,
    LAST,
    LOAD_FIRST,
    LOAD_START,
    LOAD_USED,
    OUT,
    ROW,
    START,
    compiled,
    decode,
    finish,
    lateness,
    least_end,
    least_span_end,
    positions,
    put,
    reset,
)
from production.planning.floor import (
    BASE_COST,
    JOB_DUE,
    JOB_FIRST,
    JOB_OP,
    JOB_WEIGHT,
    MAKESPAN,
    MODE_FIRST,
    MODE_MACHINE,
    OP_CHAIN,
    OP_JOB,
    OP_RELEASE,
    OPERATIONS,
    PRED_FIRST,
    PRED_GAP,
    PRED_OP,
    SUCC_FIRST,
    SUCC_OP,
    Floats,
    Floor,
    Ints,
    Packed,
    SmallInts,
)

# Moves, in the order of their shares.
SHIFT: Final = 0  # past a few operations of its machine
SWAP: Final = 1  # with another of its machine
PULL: Final = 2  # next to another of its family
RUN: Final = 3  # a run of one family, together
CHANGE: Final = 4  # to another mode
ANYWHERE: Final = 5
CRITICAL: Final = 6  # what something late, or the last, waits for
MOVES: Final = 7

_LONGEST_RUN: Final = 16
_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_MIX_1: Final = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2: Final = np.uint64(0x94D049BB133111EB)

# A chain's whole numbers: where its tables begin in `Chain.ints`, and single numbers.
(
    ORDER,  # [position] of the neighbour that is looked at
    POSITION,  # [operation]
    MODE,  # [operation]
    NOW_ORDER,  # where the chain is
    NOW_MODE,
    BEST_ORDER,  # the best it has seen
    BEST_MODE,
    WHICH,  # [mark] which of two is now
    KEPT_SPAN,  # [two, mark]
    KIN_FIRST,  # [family of a matrix + 1]
    KIN_OP,
    KIN_OF,  # [mode] its family
    MARKED,  # [operation]
    SPARE,  # [operation]
    EAGER,  # operations that changeovers can be saved at
) = range(15)
CHANCE, LATEST, EVERY, COUNT, MARKS, PLAIN, TAKEN, EAGERS = range(15, 23)
HEADER: Final = 23
# Its costs, in `Chain.floats`.
NOW, BEST, SHARES = 0, 1, 2
KEPT_COST: Final = SHARES + MOVES  # [two, mark]


class Chain(NamedTuple):
    """One chain, in few arrays as `Packed` is. Rows are kept at every mark of the order: now, and the neighbour's."""

    ints: Ints
    floats: Floats
    rows: Ints  # [machine, column]
    out: Ints  # [operation, column] of the neighbour
    now: Ints  # [operation, column] of where the chain is
    kept: Ints  # [two, mark, machine, column]

    def table(self, which: int, length: int) -> Ints:
        """A view of one table of its whole numbers."""
        first = int(self.ints[which])
        return self.ints[first : first + length]

    def best(self) -> tuple[float, Ints, Ints]:
        """The best it has seen: cost, order, modes."""
        count = int(self.ints[COUNT])
        return float(self.floats[BEST]), self.table(BEST_ORDER, count), self.table(BEST_MODE, len(self.out))

    def go_on(self, packed: Packed, order: Ints, mode: Ints) -> None:
        """Go on from that order and those modes, sorted by their starts."""
        _go_on(*(*packed, *self), order, mode)

    def anneal(
        self, packed: Packed, *, first: int, stop: int, moves: int, hot: float, cold: float, rises: Floats
    ) -> int:
        """The moves from `first` to `stop` of a cycle of `moves` that cools from `hot` to `cold`; how many were taken.

        With `rises`: no move is taken, and it is filled with what each costs more than now.
        """
        return _anneal(*(*packed, *self), first, stop, moves, hot, cold, rises)


def chain_of(floor: Floor, order: Ints, mode: Ints, *, seed: int, number: int) -> Chain:
    """A chain that starts from an order and modes; each seed and number is a way of its own."""
    operations, machines, count = len(floor.problem.operations), len(floor.problem.machines), len(order)
    every = 16 if count < 400 else 32
    marks = count // every + 1
    eager = _eager(floor)
    tables = [
        order,
        positions(floor, order),
        mode,
        order,
        mode,
        order,
        mode,
        np.zeros(marks, np.int64),
        np.zeros(2 * marks, np.int64),
        *_kin(floor),
        np.zeros(operations, np.int64),
        np.zeros(operations, np.int64),
        eager,
    ]
    ints = np.concatenate([np.zeros(HEADER, np.int64), *tables])
    ints[: len(tables)] = HEADER + np.cumsum([0, *(len(table) for table in tables[:-1])])
    ints[CHANCE] = state_of(seed, number)
    ints[LATEST], ints[EVERY], ints[COUNT], ints[MARKS] = -1, every, count, marks
    ints[EAGERS] = len(eager)
    ints[PLAIN] = not floor.tables.setup_min.any()
    floats = np.zeros(KEPT_COST + 2 * marks)
    floats[NOW] = floats[BEST] = np.inf
    floats[SHARES:KEPT_COST] = _shares(floor)
    chain = Chain(
        ints,
        floats,
        np.zeros((machines, ROW), np.int64),
        np.zeros((operations, OUT), np.int64),
        np.zeros((operations, OUT), np.int64),
        np.zeros((2, marks, machines, ROW), np.int64),
    )
    _restart(*(*floor.packed, *chain))
    return chain


def state_of(seed: int, number: int) -> int:
    """Where the generator of a chain starts: each seed and number is a way of its own."""
    state = np.random.SeedSequence([seed & 0xFFFFFFFFFFFFFFFF, number]).generate_state(1, np.uint64)
    return int(state.view(np.int64)[0])


def _eager(floor: Floor) -> Ints:
    """The operations on machines that are changed over: where most of the cost is."""
    t = floor.tables
    changes = np.array([bool(matrix.any()) for matrix in t.setup_min])
    changed = changes[t.machine_matrix[t.mode_machine]]
    found = [op for op in floor.free if changed[t.mode_first[op] : t.mode_first[op + 1]].any()]
    return np.array(found, np.int64)


def _kin(floor: Floor) -> tuple[Ints, Ints, Ints]:
    """The operations of each family, and each mode's family, over all matrices."""
    t = floor.tables
    families = t.setup_min.shape[1]
    of_mode = t.machine_matrix[t.mode_machine] * families + t.mode_family
    members: dict[int, dict[int, None]] = {}
    for op in floor.free:
        for at in range(int(t.mode_first[op]), int(t.mode_first[op + 1])):
            members.setdefault(int(of_mode[at]), {})[op] = None
    number = {family: at for at, family in enumerate(sorted(members))}
    first = np.cumsum([0, *(len(members[family]) for family in number)]).astype(np.int64)
    ops = np.array([op for family in number for op in members[family]], np.int64)
    return first, ops, np.array([number.get(int(family), 0) for family in of_mode], np.int64)


def _shares(floor: Floor) -> Floats:
    """How often each move is tried, by what the problem has; cumulative."""
    t = floor.tables
    setups = bool(t.setup_min.any())
    choice = bool(np.any(np.diff(t.mode_first)[list(floor.free)] > 1)) if floor.free else False
    shares = np.zeros(MOVES)
    shares[SHIFT], shares[SWAP], shares[ANYWHERE] = 25, 15, 5
    if setups or t.machine_load.any():
        shares[PULL], shares[RUN] = 20, 15
    if choice:
        shares[CHANGE] = 10
    shares[CRITICAL] = 80 if t.makespan and not setups else 15
    return np.cumsum(shares / shares.sum())


# ---------------------------------------------------------------------------------------------- chance


@compiled
def draw(c: Ints, at: int) -> float:
    """A number from 0 to 1, 1 excluded; the generator's state is `c[at]` (splitmix64: G. Steele, D. Lea, C. Flood,
    OOPSLA 2014).
    """
    state = np.uint64(c[at]) + _GOLDEN
    c[at] = np.int64(state)
    state = (state ^ (state >> np.uint64(30))) * _MIX_1
    state = (state ^ (state >> np.uint64(27))) * _MIX_2
    state = state ^ (state >> np.uint64(31))
    return float(state >> np.uint64(11)) * 1.1102230246251565e-16


@compiled
def below(c: Ints, at: int, count: int) -> int:
    """A number from 0 to `count`, that excluded."""
    return int(draw(c, at) * count)


@compiled
def _few(c: Ints, most: int) -> int:
    """1 mostly, seldom many."""
    count = 1
    while count < most and draw(c, CHANCE) < 0.6:
        count += 1
    return count


# ---------------------------------------------------------------------------------------------- looking at a neighbour


@compiled
def _advance(
    t: Ints, w: Floats, s: SmallInts, c: Ints, f: Floats, rows: Ints, out: Ints, now: Ints, kept: Ints, op: int
) -> float:
    """Put the next operation; what it costs, its job's lateness included."""
    return put(t, w, s, rows, out, op, c[c[MODE] + op]) + lateness(t, w, out, c, c[POSITION], op)


@compiled
def _stands_as_before(c: Ints, rows: Ints, kept: Ints, mark: int) -> bool:
    """Whether all machines are at a mark as they are now there."""
    which = c[c[WHICH] + mark]
    for machine in range(rows.shape[0]):
        if (
            rows[machine, FREE] != kept[which, mark, machine, FREE]
            or rows[machine, FAMILY] != kept[which, mark, machine, FAMILY]
            or rows[machine, LAST] != kept[which, mark, machine, LAST]
            or rows[machine, BLOCK] != kept[which, mark, machine, BLOCK]
            or rows[machine, LOAD_USED] != kept[which, mark, machine, LOAD_USED]
            or rows[machine, LOAD_START] != kept[which, mark, machine, LOAD_START]
            or rows[machine, LOAD_FIRST] != kept[which, mark, machine, LOAD_FIRST]
        ):
            return False
    return True


@compiled
def _copy_row(source: Ints, to: Ints, op: int) -> None:
    for column in range(OUT):
        to[op, column] = source[op, column]


@compiled
def _keep(rows: Ints, kept: Ints, which: int, mark: int) -> None:
    for machine in range(rows.shape[0]):
        for column in range(ROW):
            kept[which, mark, machine, column] = rows[machine, column]


@compiled
def _kept(c: Ints, which: int, mark: int) -> int:
    return which * c[MARKS] + mark


@compiled
def _copy(c: Ints, to: int, since: int, count: int) -> None:
    """Copy one table of the chain to another."""
    for at in range(count):
        c[c[to] + at] = c[c[since] + at]


@compiled
def _look(
    t: Ints,
    w: Floats,
    s: SmallInts,
    c: Ints,
    f: Floats,
    rows: Ints,
    out: Ints,
    now: Ints,
    kept: Ints,
    low: int,
    high: int,
    most: float,
) -> tuple[float, int, int]:
    """The neighbour's cost, up to `most`: anything above if it is more; where decoding began and where it stopped.

    From position `low` to `high` it differs from the order now.
    """
    count = c[COUNT]
    mark = low // c[EVERY]
    which = c[c[WHICH] + mark]
    for machine in range(rows.shape[0]):
        for column in range(ROW):
            rows[machine, column] = kept[which, mark, machine, column]
    cost, span = f[KEPT_COST + _kept(c, which, mark)], c[c[KEPT_SPAN] + _kept(c, which, mark)]
    begin = mark * c[EVERY]
    # Up to here something may still wait for what ends at another minute than now.
    horizon = high
    for at in range(begin, count):
        if at > begin and at % c[EVERY] == 0:
            mark = at // c[EVERY]
            which = c[c[WHICH] + mark]
            if (
                at > horizon
                and (w[MAKESPAN] == 0.0 or span == c[c[KEPT_SPAN] + _kept(c, which, mark)])
                and _stands_as_before(c, rows, kept, mark)
            ):
                return cost + f[NOW] - f[KEPT_COST + _kept(c, which, mark)], begin, at
            _keep(rows, kept, 1 - which, mark)
            f[KEPT_COST + _kept(c, 1 - which, mark)] = cost
            c[c[KEPT_SPAN] + _kept(c, 1 - which, mark)] = span
        op = c[c[ORDER] + at]
        cost += _advance(t, w, s, c, f, rows, out, now, kept, op)
        end = least_end(t, out, op)
        if end > span:
            cost += w[MAKESPAN] * (end - span)
            span = end
        if cost > most:
            return cost, begin, at + 1
        if out[op, END] != now[op, END]:
            for one in range(t[t[SUCC_FIRST] + op], t[t[SUCC_FIRST] + op + 1]):
                horizon = max(horizon, c[c[POSITION] + t[t[SUCC_OP] + one]])
            if t[t[OP_CHAIN] + op] == -2:
                job = t[t[OP_JOB] + op]
                for one in range(t[t[JOB_FIRST] + job], t[t[JOB_FIRST] + job + 1]):
                    horizon = max(horizon, c[c[POSITION] + t[t[JOB_OP] + one]])
    return cost + finish(t, w, s, rows, out), begin, count


@compiled
def _take(
    t: Ints,
    w: Floats,
    s: SmallInts,
    c: Ints,
    f: Floats,
    rows: Ints,
    out: Ints,
    now: Ints,
    kept: Ints,
    low: int,
    high: int,
    begin: int,
    stop: int,
    cost: float,
) -> None:
    """Make the neighbour what is now."""
    for at in range(low, high + 1):
        op = c[c[ORDER] + at]
        c[c[NOW_ORDER] + at] = op
        c[c[NOW_MODE] + op] = c[c[MODE] + op]
    for at in range(begin, stop):
        op = c[c[ORDER] + at]
        _copy_row(out, now, op)
    first = begin // c[EVERY] + 1
    last = (stop - 1) // c[EVERY]
    for mark in range(first, last + 1):
        c[c[WHICH] + mark] = 1 - c[c[WHICH] + mark]
    more = cost - f[NOW]
    for mark in range(last + 1, c[MARKS]):
        f[KEPT_COST + _kept(c, c[c[WHICH] + mark], mark)] += more
    f[NOW] = cost
    c[LATEST] = -1


@compiled
def _leave(
    t: Ints,
    w: Floats,
    s: SmallInts,
    c: Ints,
    f: Floats,
    rows: Ints,
    out: Ints,
    now: Ints,
    kept: Ints,
    low: int,
    high: int,
    begin: int,
    stop: int,
) -> None:
    """Take the neighbour back."""
    for at in range(begin, stop):
        op = c[c[ORDER] + at]
        _copy_row(now, out, op)
    for at in range(low, high + 1):
        op = c[c[NOW_ORDER] + at]
        c[c[ORDER] + at] = op
        c[c[POSITION] + op] = at
        c[c[MODE] + op] = c[c[NOW_MODE] + op]


@compiled
def _restart(
    t: Ints, w: Floats, s: SmallInts, c: Ints, f: Floats, rows: Ints, out: Ints, now: Ints, kept: Ints
) -> None:
    """Decode the order now from its beginning, marks included; what is best is left as it is."""
    reset(t, rows, out)
    _copy(c, ORDER, NOW_ORDER, c[COUNT])
    _copy(c, MODE, NOW_MODE, t[OPERATIONS])
    for at in range(c[COUNT]):
        c[c[POSITION] + c[c[ORDER] + at]] = at
    cost, span = w[BASE_COST], least_span_end(t)
    for mark in range(c[MARKS]):
        c[c[WHICH] + mark] = 0
    for at in range(c[COUNT]):
        if at % c[EVERY] == 0:
            _keep(rows, kept, 0, at // c[EVERY])
            f[KEPT_COST + _kept(c, 0, at // c[EVERY])] = cost
            c[c[KEPT_SPAN] + _kept(c, 0, at // c[EVERY])] = span
        op = c[c[ORDER] + at]
        cost += _advance(t, w, s, c, f, rows, out, now, kept, op)
        end = least_end(t, out, op)
        if end > span:
            cost += w[MAKESPAN] * (end - span)
            span = end
    cost += finish(t, w, s, rows, out)
    now[:, :] = out
    f[NOW] = cost
    c[LATEST] = -1
    if cost < f[BEST]:
        f[BEST] = cost
        _copy(c, BEST_ORDER, NOW_ORDER, c[COUNT])
        _copy(c, BEST_MODE, NOW_MODE, t[OPERATIONS])


@compiled
def _sort(t: Ints, w: Floats, s: SmallInts, c: Ints, f: Floats, rows: Ints, out: Ints, now: Ints, kept: Ints) -> None:
    """Put the order now by its starts, so that what is near in time is near in the order."""
    starts = np.empty(c[COUNT], np.int64)
    for at in range(c[COUNT]):
        starts[at] = now[c[c[NOW_ORDER] + at], START]
    by = np.argsort(starts, kind="mergesort")
    _copy(c, ORDER, NOW_ORDER, c[COUNT])
    for at in range(c[COUNT]):
        c[c[NOW_ORDER] + at] = c[c[ORDER] + by[at]]
    _restart(t, w, s, c, f, rows, out, now, kept)


# ---------------------------------------------------------------------------------------------- moves


@compiled
def _lay(c: Ints, low: int, high: int, marked: int, others: int) -> None:
    """Lay `low` to `high` anew, what is marked from `marked` on and the rest from `others` on, each in its order."""
    for at in range(low, high + 1):
        op = c[c[ORDER] + at]
        if c[c[MARKED] + op]:
            c[c[SPARE] + marked] = op
            marked += 1
        else:
            c[c[SPARE] + others] = op
            others += 1
    for at in range(low, high + 1):
        op = c[c[SPARE] + at - low]
        c[c[ORDER] + at] = op
        c[c[POSITION] + op] = at
        c[c[MARKED] + op] = 0


@compiled
def _bring(t: Ints, c: Ints, low: int, high: int) -> None:
    """Put what is marked, all of it from `low` to `high`, to `low`, and what it waits for in between before it."""
    put_first = 0
    for at in range(high, low - 1, -1):
        op = c[c[ORDER] + at]
        if c[c[MARKED] + op]:
            put_first += 1
            for one in range(t[t[PRED_FIRST] + op], t[t[PRED_FIRST] + op + 1]):
                if c[c[POSITION] + t[t[PRED_OP] + one]] >= low:
                    c[c[MARKED] + t[t[PRED_OP] + one]] = 1
    _lay(c, low, high, 0, put_first)


@compiled
def _send(t: Ints, c: Ints, low: int, high: int) -> None:
    """Put what is marked, all of it from `low` to `high`, to `high`, and what waits for it in between behind it."""
    stay = 0
    for at in range(low, high + 1):
        op = c[c[ORDER] + at]
        if c[c[MARKED] + op]:
            for one in range(t[t[SUCC_FIRST] + op], t[t[SUCC_FIRST] + op + 1]):
                after = t[t[SUCC_OP] + one]
                if c[c[POSITION] + after] > at and c[c[POSITION] + after] <= high:
                    c[c[MARKED] + after] = 1
        else:
            stay += 1
    _lay(c, low, high, stay, 0)


@compiled
def _move_one(t: Ints, c: Ints, op: int, to: int) -> tuple[int, int]:
    """Put an operation to a position; what changed."""
    at = c[c[POSITION] + op]
    c[c[MARKED] + op] = 1
    if to <= at:
        _bring(t, c, to, at)
        return to, at
    _send(t, c, at, to)
    return at, to


@compiled
def _mode_on(t: Ints, c: Ints, op: int, machine: int) -> int:
    """One of the operation's modes on that machine, by chance; -1: none."""
    found, count = -1, 0
    if t[t[MODE_MACHINE] + c[c[MODE] + op]] == machine and draw(c, CHANCE) < 0.9:
        return c[c[MODE] + op]
    for one in range(t[t[MODE_FIRST] + op], t[t[MODE_FIRST] + op + 1]):
        if t[t[MODE_MACHINE] + one] == machine:
            count += 1
            if below(c, CHANCE, count) == 0:
                found = one
    return found


@compiled
def _other_mode(t: Ints, c: Ints, op: int) -> int:
    """Another of the operation's modes; its own if it has no other."""
    first, stop = t[t[MODE_FIRST] + op], t[t[MODE_FIRST] + op + 1]
    if stop - first < 2:
        return c[c[MODE] + op]
    other = first + below(c, CHANCE, stop - first - 1)
    return other + 1 if other >= c[c[MODE] + op] else other


@compiled
def _along(t: Ints, c: Ints, at: int, machine: int, steps: int, back: bool) -> int:
    """The position of the machine's operation so many steps on from a position; `at` if there is none."""
    found = at
    count = c[COUNT]
    step = -1 if back else 1
    here = at + step
    while 0 <= here < count and steps > 0:
        if t[t[MODE_MACHINE] + c[c[MODE] + c[c[ORDER] + here]]] == machine:
            found = here
            steps -= 1
        here += step
    return found


@compiled
def _shift(t: Ints, c: Ints, op: int) -> tuple[int, int]:
    at = c[c[POSITION] + op]
    if draw(c, CHANCE) < 0.2:
        c[c[MODE] + op] = _other_mode(t, c, op)
    to = _along(t, c, at, t[t[MODE_MACHINE] + c[c[MODE] + op]], _few(c, 12), draw(c, CHANCE) < 0.5)
    return _move_one(t, c, op, to)


@compiled
def _swap(t: Ints, c: Ints, op: int) -> tuple[int, int]:
    """Exchange two operations of one machine; what is in the way goes along."""
    low = c[c[POSITION] + op]
    high = _along(t, c, low, t[t[MODE_MACHINE] + c[c[MODE] + op]], _few(c, 20), False)
    if high == low:
        return 0, -1
    other = c[c[ORDER] + high]
    _move_one(t, c, other, low)
    at = c[c[POSITION] + op]
    if at < high:
        _move_one(t, c, op, high)
    return low, high


@compiled
def _pull(t: Ints, c: Ints, op: int) -> tuple[int, int]:
    """Put an operation before or behind another of its family, on that one's machine."""
    first, stop = t[t[MODE_FIRST] + op], t[t[MODE_FIRST] + op + 1]
    family = c[c[KIN_OF] + first + below(c, CHANCE, stop - first)]
    size = c[c[KIN_FIRST] + family + 1] - c[c[KIN_FIRST] + family]
    other = c[c[KIN_OP] + c[c[KIN_FIRST] + family] + below(c, CHANCE, size)]
    if other == op:
        return 0, -1
    one = _mode_on(t, c, op, t[t[MODE_MACHINE] + c[c[MODE] + other]])
    if one < 0:
        return 0, -1
    c[c[MODE] + op] = one
    return _move_beside(t, c, op, other, draw(c, CHANCE) < 0.7)


@compiled
def _move_beside(t: Ints, c: Ints, op: int, other: int, behind: bool) -> tuple[int, int]:
    at, to = c[c[POSITION] + op], c[c[POSITION] + other]
    if at > to and behind:
        to += 1
    elif at < to and not behind:
        to -= 1
    return _move_one(t, c, op, to)


@compiled
def _run(t: Ints, c: Ints, op: int) -> tuple[int, int]:
    """Move a run of one family together: past other operations of its machine, or to its kin, perhaps elsewhere."""
    here = t[t[MODE_MACHINE] + c[c[MODE] + op]]
    kin = c[c[KIN_OF] + c[c[MODE] + op]]
    low, high = c[c[POSITION] + op], c[c[POSITION] + op]
    most = _LONGEST_RUN if draw(c, CHANCE) < 0.6 else 1 + _few(c, _LONGEST_RUN)
    there, target = here, -1
    kind = draw(c, CHANCE)
    if kind < 0.5:  # to its kin
        size = c[c[KIN_FIRST] + kin + 1] - c[c[KIN_FIRST] + kin]
        target = c[c[KIN_OP] + c[c[KIN_FIRST] + kin] + below(c, CHANCE, size)]
        there = t[t[MODE_MACHINE] + c[c[MODE] + target]]
    elif kind < 0.7:
        there = t[t[MODE_MACHINE] + _other_mode(t, c, op)]
    # From its first, mostly: go back to where the run begins.
    if draw(c, CHANCE) < 0.7:
        at, seen = low, 0
        while at > 0 and seen < most:
            at -= 1
            one = c[c[ORDER] + at]
            if t[t[MODE_MACHINE] + c[c[MODE] + one]] == here:
                if c[c[KIN_OF] + c[c[MODE] + one]] != kin:
                    break
                low = at
                seen += 1
    c[c[SPARE] + 0] = c[c[ORDER] + low]
    length = 1
    at = low
    count = c[COUNT]
    while at + 1 < count and length < most:
        at += 1
        one = c[c[ORDER] + at]
        if t[t[MODE_MACHINE] + c[c[MODE] + one]] == here:
            if c[c[KIN_OF] + c[c[MODE] + one]] != kin:
                break
            c[c[SPARE] + length] = one
            length += 1
            high = max(high, at)
    if target >= 0:
        to = c[c[POSITION] + target]
        if low <= to <= high:
            return 0, -1
    elif there == here:
        back = draw(c, CHANCE) < 0.5
        to = _along(t, c, low if back else high, here, _few(c, 16), back)
        if low <= to <= high:
            return 0, -1
    else:
        to = _along(t, c, low, there, _few(c, 6), draw(c, CHANCE) < 0.5)
        to = min(max(to, 0), count - 1)
    first, last = min(low, to), max(high, to)
    moved = 0
    for number in range(length):
        one = c[c[SPARE] + number]
        if there != here:
            mode = _mode_on(t, c, one, there)
            if mode < 0:
                continue
            c[c[MODE] + one] = mode
        c[c[MARKED] + one] = 1
        moved += 1
    if moved == 0:
        return 0, -1
    if to < low:
        if target >= 0 and draw(c, CHANCE) < 0.7:
            to += 1
        _bring(t, c, to, high)
        return to, high
    if to > high:
        if target >= 0 and draw(c, CHANCE) < 0.3:
            to -= 1
        _send(t, c, low, to)
        return low, to
    _bring(t, c, low, high)
    return first, last


@compiled
def _waits_for(t: Ints, now: Ints, op: int) -> int:
    """The operation of its job, or of another, that it can't start before; -1: none."""
    ready = now[op, START]
    for one in range(t[t[PRED_FIRST] + op], t[t[PRED_FIRST] + op + 1]):
        if now[t[t[PRED_OP] + one], END] + t[t[PRED_GAP] + one] == ready:
            return t[t[PRED_OP] + one]
    return -1


@compiled
def _critical(t: Ints, w: Floats, c: Ints, now: Ints) -> tuple[int, int]:
    """Go back from the last operation, or from one that is late, along what each waits for; move one of those."""
    op = -1
    if w[MAKESPAN] > 0.0:
        if c[LATEST] < 0:
            latest = c[c[ORDER] + 0]
            for at in range(c[COUNT]):
                if now[c[c[ORDER] + at], END] > now[latest, END]:
                    latest = c[c[ORDER] + at]
            c[LATEST] = latest
        op = c[LATEST]
    else:
        for _ in range(8):
            one = c[c[ORDER] + below(c, CHANCE, c[COUNT])]
            job = t[t[OP_JOB] + one]
            if w[t[JOB_WEIGHT] + job] > 0.0 and least_end(t, now, one) > t[t[JOB_DUE] + job]:
                op = one
                break
        if op < 0:
            return 0, -1
    # One pair of neighbours of a machine on the way, any with equal chance; without changeovers only the first and
    # the last pairs of a block can gain (N5: E. Nowicki, C. Smutnicki, Management Science 42, 1996).
    plain = c[PLAIN] == 1
    chosen, before, count = -1, -1, 0
    last_of_block = True
    run_last = op
    picked_last = op
    steps = 0
    while op >= 0 and c[c[POSITION] + op] >= 0 and steps < 400:
        steps += 1
        waits = _waits_for(t, now, op)
        other = now[op, BEFORE]
        by_machine = other >= 0 and c[c[POSITION] + other] >= 0 and now[op, START] > t[t[OP_RELEASE] + op]
        if by_machine and waits >= 0:
            by_machine = now[other, END] == now[op, START] and draw(c, CHANCE) < 0.5
        if by_machine:
            again = now[other, BEFORE]
            first_of_block = _waits_for(t, now, other) >= 0 or again < 0
            if not plain or last_of_block or first_of_block or draw(c, CHANCE) < 0.1:
                count += 1
                if below(c, CHANCE, count) == 0:
                    chosen, before, picked_last = op, other, run_last
            last_of_block = False
            op = other
        else:
            last_of_block = True
            op = waits
            run_last = op
    if chosen < 0:
        return 0, -1
    kind = draw(c, CHANCE)
    if t[t[MODE_FIRST] + chosen + 1] - t[t[MODE_FIRST] + chosen] > 1 and kind < 0.25:
        c[c[MODE] + chosen] = _other_mode(t, c, chosen)
        to = _along(
            t, c, c[c[POSITION] + chosen], t[t[MODE_MACHINE] + c[c[MODE] + chosen]], _few(c, 6), draw(c, CHANCE) < 0.5
        )
        return _move_one(t, c, chosen, to)
    if kind < 0.75:
        return _move_one(t, c, chosen, c[c[POSITION] + before])
    if kind < 0.9:  # further forward
        to = _along(t, c, c[c[POSITION] + before], t[t[MODE_MACHINE] + c[c[MODE] + chosen]], _few(c, 8), True)
        return _move_one(t, c, chosen, to)
    if picked_last >= 0 and c[c[POSITION] + picked_last] > c[c[POSITION] + before]:
        return _move_one(t, c, before, c[c[POSITION] + picked_last])
    return _move_one(t, c, before, c[c[POSITION] + chosen])


@compiled
def _propose(t: Ints, w: Floats, c: Ints, f: Floats, now: Ints) -> tuple[int, int]:
    """Make a neighbour; the first and the last position that changed, the last before the first if nothing did."""
    drawn = draw(c, CHANCE)
    kind = 0
    while kind < MOVES - 1 and drawn >= f[SHARES + kind]:
        kind += 1
    if kind == CRITICAL:
        low, high = _critical(t, w, c, now)
        if low <= high:
            return low, high
        kind = SHIFT if draw(c, CHANCE) < 0.5 else SWAP
    if c[EAGERS] > 0 and draw(c, CHANCE) < 0.8:
        op = c[c[EAGER] + below(c, CHANCE, c[EAGERS])]
    else:
        op = c[c[ORDER] + below(c, CHANCE, c[COUNT])]
    if kind == SHIFT:
        return _shift(t, c, op)
    if kind == SWAP:
        return _swap(t, c, op)
    if kind == PULL:
        return _pull(t, c, op)
    if kind == RUN:
        return _run(t, c, op)
    if kind == CHANGE:
        mode = _other_mode(t, c, op)
        if mode == c[c[MODE] + op]:
            return 0, -1
        c[c[MODE] + op] = mode
        return c[c[POSITION] + op], c[c[POSITION] + op]
    to = below(c, CHANCE, c[COUNT])
    if draw(c, CHANCE) < 0.3:
        c[c[MODE] + op] = _other_mode(t, c, op)
    return _move_one(t, c, op, to)


@compiled
def _anneal(
    t: Ints,
    w: Floats,
    s: SmallInts,
    c: Ints,
    f: Floats,
    rows: Ints,
    out: Ints,
    now: Ints,
    kept: Ints,
    first: int,
    stop: int,
    moves: int,
    hot: float,
    cold: float,
    rises: Floats,
) -> int:
    """The moves from `first` to `stop` of a cycle of `moves` that cools from `hot` to `cold`; how many were taken.

    With `rises`: no move is taken, and it is filled with what each costs more than now.
    """
    taken = 0
    warmth = hot
    for number in range(first, stop):
        if number % 64 == 0 or number == first:  # the same wherever a cycle is divided
            warmth = hot * (cold / hot) ** (number // 64 * 64 / moves)
        low, high = _propose(t, w, c, f, now)
        if low > high:
            continue
        if rises.shape[0] > 0:
            cost, begin, end = _look(t, w, s, c, f, rows, out, now, kept, low, high, np.inf)
            rises[number - first] = cost - f[NOW]
            _leave(t, w, s, c, f, rows, out, now, kept, low, high, begin, end)
            continue
        most = f[NOW] - warmth * np.log(1.0 - draw(c, CHANCE))
        cost, begin, end = _look(t, w, s, c, f, rows, out, now, kept, low, high, most)
        if cost > most:
            _leave(t, w, s, c, f, rows, out, now, kept, low, high, begin, end)
            continue
        _take(t, w, s, c, f, rows, out, now, kept, low, high, begin, end, cost)
        taken += 1
        c[TAKEN] += 1
        if cost < f[BEST] - 1e-9:
            f[BEST] = cost
            _copy(c, BEST_ORDER, NOW_ORDER, c[COUNT])
            _copy(c, BEST_MODE, NOW_MODE, t[OPERATIONS])
        if c[TAKEN] % 256 == 0:
            _sort(t, w, s, c, f, rows, out, now, kept)
    return taken


@compiled
def _go_on(
    t: Ints,
    w: Floats,
    s: SmallInts,
    c: Ints,
    f: Floats,
    rows: Ints,
    out: Ints,
    now: Ints,
    kept: Ints,
    order: Ints,
    mode: Ints,
) -> None:
    """Go on from that order and those modes, sorted by their starts."""
    for at in range(order.shape[0]):
        c[c[NOW_ORDER] + at] = order[at]
    for op in range(mode.shape[0]):
        c[c[NOW_MODE] + op] = mode[op]
    _restart(t, w, s, c, f, rows, out, now, kept)
    _sort(t, w, s, c, f, rows, out, now, kept)


@compiled
def put_in(
    t: Ints, w: Floats, s: SmallInts, order: Ints, mode: Ints, rows: Ints, out: Ints, count: int, op: int
) -> None:
    """Put one more operation into an order of `count`, at the place and in the mode that cost least of those tried."""
    position = np.full(mode.shape[0], mode.shape[0], np.int64)
    for at in range(count):
        position[order[at]] = at
    low, high = 0, count
    for one in range(t[t[PRED_FIRST] + op], t[t[PRED_FIRST] + op + 1]):
        before = t[t[PRED_OP] + one]
        if position[before] < count:
            low = max(low, position[before] + 1)
    for one in range(t[t[SUCC_FIRST] + op], t[t[SUCC_FIRST] + op + 1]):
        high = min(high, position[t[t[SUCC_OP] + one]])
    step = max(1, (high - low) // 24)
    least, to, best = np.inf, high, t[t[MODE_FIRST] + op]
    trial = np.empty(count + 1, np.int64)
    for place in range(low, high + 1, step):
        trial[:place] = order[:place]
        trial[place] = op
        trial[place + 1 :] = order[place:count]
        for at in range(count + 1):
            position[trial[at]] = at
        for one in range(t[t[MODE_FIRST] + op], t[t[MODE_FIRST] + op + 1]):
            mode[op] = one
            cost = decode(t, w, s, trial, position, mode, rows, out)
            if cost < least:
                least, to, best = cost, place, one
    mode[op] = best
    for at in range(count, to, -1):
        order[at] = order[at - 1]
    order[to] = op
