"""Floats: where a thread lies loose over or under several others, counted on the torus, and bound until none is over.

A lift plan is (picks, ends) bool, True where the warp end lies over the pick. The cloth repeats it in both directions,
so every float is followed around the edges. Eight threads are looked at at once: their crossings are the bits of bytes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from production.errors import FloatsCannotBeBound

Lift = NDArray[np.bool_]
_Bits = NDArray[np.uint8]
_Ints = NDArray[np.int64]

WEFT, WARP = 1, 0  # the axis of a lift plan along which the threads of each kind run
_ROUNDS = 8  # of binding on the weaves' own lattices, before plain weave is fallen back on


@dataclass(frozen=True)
class FloatLimits:
    """The most crossings a thread may lie loose over, per kind of thread."""

    weft: int  # ends under or over one pick
    warp: int  # picks under or over one end

    def along(self, axis: int) -> int:
        """The limit of the threads that run along `axis`."""
        return self.weft if axis == WEFT else self.warp


@dataclass(frozen=True)
class Floats:
    """The floats of one kind of thread on one face: the longest, and how many are over the limit."""

    longest: int  # threads; a thread that is never bound counts as long as the repeat, and always as over
    over: int


@dataclass(frozen=True)
class FloatReport:
    """The floats of a cloth, on both faces in both directions."""

    weft_face: Floats
    warp_face: Floats
    weft_back: Floats
    warp_back: Floats

    @property
    def longest(self) -> int:
        """The longest of all, in threads."""
        return max(self.weft_face.longest, self.warp_face.longest, self.weft_back.longest, self.warp_back.longest)

    @property
    def over(self) -> int:
        """How many are over their limit."""
        return self.weft_face.over + self.warp_face.over + self.weft_back.over + self.warp_back.over


@dataclass(frozen=True)
class Lattice:
    """Where each crossing's weave may be bound: the colour there, and per colour the weave's size and step."""

    paper: NDArray[np.uint8]  # (picks, ends)
    sizes: tuple[int, ...]
    steps: tuple[int, ...]


def count_floats(lift: Lift, limits: FloatLimits) -> FloatReport:
    """The floats of `lift` (picks, ends): weft over ends and ends over weft on the face, and the same on the back.

    >>> count_floats(np.array([[1, 1, 1, 0], [0, 0, 0, 1]], bool), FloatLimits(weft=2, warp=2)).weft_face
    Floats(longest=3, over=1)
    """
    weft, warp = _packed(lift, WEFT), _packed(lift, WARP)
    return FloatReport(
        weft_face=_count(weft, lift, WEFT, limits.weft, value=False),
        warp_face=_count(warp, lift, WARP, limits.warp, value=True),
        weft_back=_count(weft, lift, WEFT, limits.weft, value=True),
        warp_back=_count(warp, lift, WARP, limits.warp, value=False),
    )


def can_bind(shape: tuple[int, ...], limits: FloatLimits) -> bool:
    """Whether any weave at all keeps `limits` on a repeat of `shape`: plain weave, which closes only on even sides."""
    picks, ends = shape
    return min(shape) >= 2 and limits.weft >= 1 + ends % 2 and limits.warp >= 1 + picks % 2


def repair(lift: Lift, limits: FloatLimits, lattice: Lattice | None = None) -> Lift:
    """A copy of `lift` with binding points put into every float over `limits`, on both faces, in both directions.

    A point is put on the lattice of the weave there, as far from that weave's own points as can be, and only where it
    makes no other float too long. What is left after some rounds is bound towards plain weave: every step brings one
    more crossing to what plain weave has there, and plain weave keeps the limits, so it comes to an end. lattice:
    without it, that of an 8-thread satin. Raises FloatsCannotBeBound for limits that no weave keeps on this repeat.
    """
    if not can_bind(lift.shape, limits):
        picks, ends = lift.shape
        raise FloatsCannotBeBound(
            f"No weave on a repeat of {ends} ends and {picks} picks keeps floats to {limits.weft} ends and "
            f"{limits.warp} picks. Allow longer floats, or give the repeat even sides.",
            fields={
                "field": "max_float",
                "measured": f"{ends} x {picks} threads",
                "limit": f"{limits.weft} ends, {limits.warp} picks",
            },
        )
    lift = lift.copy()
    if lattice is None:
        lattice = Lattice(np.zeros(lift.shape, np.uint8), (8,), (3,))
    for _ in range(_ROUNDS):
        found = bound = 0
        for axis, value in _KINDS:
            runs = _long_runs(lift, axis, limits.along(axis), value=value)
            found += len(runs.start)
            bound += _bind_on_lattice(lift, runs, axis, limits, lattice, value=value)
        if not found:
            return lift
        if not bound:
            break
    while True:
        found = 0
        for axis, value in _KINDS:
            runs = _long_runs(lift, axis, limits.along(axis), value=value)
            found += len(runs.start)
            _bind_to_plain(lift, runs, axis, value=value)
        if not found:
            return lift


_KINDS = ((WEFT, False), (WARP, True), (WEFT, True), (WARP, False))


@dataclass(frozen=True)
class _Runs:
    """Floats over a limit: the thread each lies in, its first crossing along it, and its length in crossings."""

    thread: _Ints
    start: _Ints
    length: _Ints


def _packed(lift: Lift, axis: int) -> _Bits:
    """Eight threads that run along `axis` in each byte; the other axis is an eighth as long, rounded up."""
    if axis == WARP:
        return np.packbits(lift, axis=1, bitorder="little")
    rows = lift.view(np.uint8)
    packed = np.zeros((-(-rows.shape[0] // 8), rows.shape[1]), np.uint8)
    for bit in range(8):  # row by row: numpy's own packbits walks this axis against the memory
        some = rows[bit::8]
        packed[: len(some)] |= some << bit
    return packed


def _of(packed: _Bits, lift: Lift, axis: int, *, value: bool) -> _Bits:
    """The bits of the crossings that are `value`; those past the last thread are 0."""
    if value:
        return packed
    inverted = ~packed
    if spare := -lift.shape[1 - axis] % 8:
        last = inverted[:, -1:] if axis == WARP else inverted[-1:]
        last &= np.uint8(0xFF >> spare)
    return inverted


def _and_ahead(bits: _Bits, other: _Bits, step: int, axis: int) -> _Bits:
    """`bits` and what `other` has `step` crossings further along `axis`, around the edge."""
    step %= bits.shape[axis]
    if not step:
        return bits & other
    out = np.empty_like(bits)
    if axis == WEFT:
        np.bitwise_and(bits[:, :-step], other[:, step:], out=out[:, :-step])
        np.bitwise_and(bits[:, -step:], other[:, :step], out=out[:, -step:])
    else:
        np.bitwise_and(bits[:-step], other[step:], out=out[:-step])
        np.bitwise_and(bits[-step:], other[:step], out=out[-step:])
    return out


def _windows(bits: _Bits, length: int, axis: int) -> _Bits:
    """1 where `length` crossings on end, this one first, are all 1."""
    covered = 1
    while covered < length:
        step = min(covered, length - covered)
        bits = _and_ahead(bits, bits, step, axis)
        covered += step
    return bits


def _count(packed: _Bits, lift: Lift, axis: int, limit: int, *, value: bool) -> Floats:
    bits = _of(packed, lift, axis, value=value)
    hits = _windows(bits, limit + 1, axis)
    if hits.any():
        runs = _runs(hits, limit + 1, axis)
        return Floats(longest=int(runs.length.max()), over=len(runs.length))
    longest, alive = 0, bits
    while alive.any():  # at most `limit` times
        longest += 1
        alive = _and_ahead(alive, bits, longest, axis)
    return Floats(longest=longest, over=0)


def _long_runs(lift: Lift, axis: int, limit: int, *, value: bool) -> _Runs:
    bits = _of(_packed(lift, axis), lift, axis, value=value)
    return _runs(_windows(bits, limit + 1, axis), limit + 1, axis)


def _runs(hits: _Bits, window: int, axis: int) -> _Runs:
    """The runs whose windows of `window` crossings begin at `hits`; a thread with no end is one run of all its length.

    Sorted by thread, then by crossing.
    """
    side = hits.shape[axis]
    before = np.roll(hits, 1, axis=axis)
    after = np.roll(hits, -1, axis=axis)
    thread, start = _crossings(hits & ~before, axis)
    last_thread, last = _crossings(hits & ~after, axis)
    key, last_key = thread * side + start, last_thread * side + last
    here = np.searchsorted(last_key, key)
    same = np.append(last_thread, -1)[here] == thread
    # A run over the edge ends where the first of its thread does.
    end = np.where(same, here, np.searchsorted(last_key, thread * side))
    length = (last[end] - start) % side + window
    unbound = np.flatnonzero(np.unpackbits(np.bitwise_and.reduce(hits, axis=axis), bitorder="little"))
    return _Runs(
        np.concatenate([thread, unbound]),
        np.concatenate([start, np.zeros_like(unbound)]),
        np.concatenate([np.minimum(length, side), np.full_like(unbound, side)]),
    )


def _crossings(bits: _Bits, axis: int) -> tuple[_Ints, _Ints]:
    """(thread, crossing along it) of every 1 in `bits`, sorted."""
    found = np.flatnonzero(bits)
    rows, columns = np.divmod(found, bits.shape[1])
    group, along = (rows, columns) if axis == WEFT else (columns, rows)
    which, bit = np.nonzero(np.unpackbits(bits.ravel()[found][:, None], axis=1, bitorder="little"))
    thread, crossing = group[which] * 8 + bit, along[which]
    order = np.argsort(thread * bits.shape[axis] + crossing, kind="stable")
    return thread[order], crossing[order]


def _points(runs: _Runs, limit: int) -> tuple[_Ints, _Ints, _Ints]:
    """(run, crossing within it, how far it may move) of the points that cut every run into even pieces in the limit."""
    count = np.maximum(-(-(runs.length - limit) // (limit + 1)), 1)  # a thread that is never bound may be short
    run = np.repeat(np.arange(len(count)), count)
    nth = np.arange(len(run)) - np.repeat(np.cumsum(count) - count, count)
    longest_piece = -(-(runs.length - count) // (count + 1))
    play = (limit - longest_piece) // np.minimum(count, 2)  # two points around a piece may both move from it
    return run, (nth + 1) * (runs.length[run] + 1) // (count[run] + 1) - 1, play[run]


def _bind_on_lattice(lift: Lift, runs: _Runs, axis: int, limits: FloatLimits, lattice: Lattice, *, value: bool) -> int:
    """Put binding points into `runs`, where that is safe; how many were put."""
    if not len(runs.start):
        return 0
    run, offset, play = _points(runs, limits.along(axis))
    sizes, steps = np.array(lattice.sizes), np.array(lattice.steps)
    # How far to go along the thread for the next row of the lattice: one end, or the inverse of the step in picks.
    inverse = np.array([pow(step, -1, size) for size, step in zip(lattice.sizes, lattice.steps, strict=True)])
    put = 0
    for anywhere in (False, True):  # first where no piece is still too long, then wherever the run can be cut
        for turn in range(int(sizes.max())):
            y, x = _where(runs, run, offset, axis, lift.shape)
            colour = lattice.paper[y, x]
            size = sizes[colour]
            # 0 on the weave's own points; half its size is as far from them as can be, then one more, one less ...
            at = (x - steps[colour] * y) % size
            aim = size // 2 + (turn + 1) // 2 * (1 if turn % 2 else -1)
            away = (aim - at) % size if axis == WEFT else ((at - aim) * inverse[colour]) % size
            away = np.where(away > size // 2, away - size, away)
            moved = offset + away
            inside = (moved >= 0) & (moved < runs.length[run]) & (turn < size) & (anywhere | (np.abs(away) <= play))
            y, x = _where(runs, run, np.where(inside, moved, offset), axis, lift.shape)
            fits = inside & _safe(lift, y, x, limits, value=not value)
            lift[y[fits], x[fits]] = not value
            put += int(np.count_nonzero(fits))
            run, offset, play = run[~fits], offset[~fits], play[~fits]
            if not len(run):
                return put
    return put


def _where(runs: _Runs, run: _Ints, offset: _Ints, axis: int, shape: tuple[int, ...]) -> tuple[_Ints, _Ints]:
    """(pick, end) of the crossings `offset` within each run."""
    thread, along = runs.thread[run], (runs.start[run] + offset) % shape[axis]
    return (thread, along) if axis == WEFT else (along, thread)


def _safe(lift: Lift, y: _Ints, x: _Ints, limits: FloatLimits, *, value: bool) -> Lift:
    """Whether each crossing can become `value` without a float of `value` that is over its limit, in either axis."""
    safe = np.ones(len(y), bool)
    for axis in (WEFT, WARP):
        limit = limits.along(axis)
        length = 1 + _reach(lift, y, x, axis, 1, limit, value=value) + _reach(lift, y, x, axis, -1, limit, value=value)
        safe &= length <= limit
    return safe


def _reach(lift: Lift, y: _Ints, x: _Ints, axis: int, step: int, most: int, *, value: bool) -> _Ints:
    """How many crossings of `value` follow on each crossing along `axis` in the direction of `step`, at most `most`."""
    picks, ends = lift.shape
    count = np.zeros(len(y), np.int64)
    alive = np.arange(len(y))
    for distance in range(1, most + 1):
        if axis == WEFT:
            same = lift[y[alive], (x[alive] + step * distance) % ends] == value
        else:
            same = lift[(y[alive] + step * distance) % picks, x[alive]] == value
        alive = alive[same]
        if not len(alive):
            break
        count[alive] += 1
    return count


def _bind_to_plain(lift: Lift, runs: _Runs, axis: int, *, value: bool) -> None:
    """Set one crossing of every run to what plain weave has there, near its middle, where it has another one now."""
    run = np.arange(len(runs.start))
    offset = np.maximum((runs.length - 3) // 2, 0)
    for _ in range(3):  # plain weave is alike at two crossings on end at most, where an odd side closes
        y, x = _where(runs, run, offset, axis, lift.shape)
        other = ((x + y) % 2 == 0) != value
        lift[y[other], x[other]] = not value
        run, offset = run[~other], offset[~other] + 1
        offset = np.minimum(offset, runs.length[run] - 1)
