"""Woven structure: a small library of weaves, a design's lift plan at ends x picks, and its floats on the torus.

A lift plan is (picks, ends) bool: True where the warp end lies over the pick. It repeats in both directions, so every
run is counted around the edges.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generation.domain.pattern import IndexArray, Palette
from production.domain.colour import lab_to_xyz, srgb_to_lab, xyz_to_lab

Lift = NDArray[np.bool_]


def twill(over: int, under: int) -> Lift:
    """A twill rising to the right, the warp over `over` picks and under `under`; (n, n), n = over + under."""
    size = over + under
    pick, end = np.indices((size, size))
    lift: Lift = (end - pick) % size < over
    return lift


def satin(size: int, step: int, *, warp_face: bool) -> Lift:
    """A satin of `size` threads with its binding points `step` apart; warp-faced or weft-faced (sateen)."""
    pick, end = np.indices((size, size))
    point = end == pick * step % size
    lift: Lift = ~point if warp_face else point
    return lift


LIBRARY: dict[str, Lift] = {
    "plain": twill(1, 1),
    "twill_3_1": twill(3, 1),
    "twill_2_2": twill(2, 2),
    "twill_1_3": twill(1, 3),
    "satin_8": satin(8, 3, warp_face=True),
    "sateen_8": satin(8, 3, warp_face=False),
}


@dataclass(frozen=True)
class Floats:
    """The floats of a lift plan that are longer than a limit, and the longest of all."""

    longest: int  # threads
    over: int  # how many are longer than the limit


def weave_size(names: tuple[str, ...]) -> int:
    """The smallest number of threads that every weave of `names` divides."""
    return int(np.lcm.reduce([LIBRARY[name].shape[0] for name in names]))


def assign(palette: Palette, weaves: tuple[str, ...], *, warp: str, weft: str) -> tuple[str, ...]:
    """A weave for each colour of `palette`: the closer a colour is to the warp's, the more warp lies on the face.

    `weaves` run from warp-faced to weft-faced; colours keep their order between the two yarns, so two colours never
    get the same weave while there are enough. Raises ValueError where there are more colours than weaves.
    """
    if len(palette) > len(weaves):
        raise ValueError(f"{len(palette)} colours, but only {len(weaves)} weaves")
    ends = Palette((warp, weft)).lab()
    axis = ends[1] - ends[0]
    share = (palette.lab() - ends[0]) @ axis / max(float(axis @ axis), 1e-9)
    ranks = np.empty(len(palette), int)
    ranks[np.argsort(share, kind="stable")] = np.arange(len(palette))
    last = max(len(palette) - 1, 1)
    return tuple(weaves[round(rank * (len(weaves) - 1) / last)] for rank in ranks)


def compose(indices: IndexArray, names: tuple[str, ...]) -> Lift:
    """The lift plan of `indices` (picks, ends), every colour index woven in its weave of `names`."""
    picks, ends = indices.shape
    lift = np.zeros((picks, ends), bool)
    for index, name in enumerate(names):
        weave = LIBRARY[name]
        size = weave.shape[0]
        woven = np.tile(weave, (-(-picks // size), -(-ends // size)))[:picks, :ends]
        np.copyto(lift, woven, where=indices == index)
    return lift


def floats(lift: Lift, limit: int) -> Floats:
    """The floats over `limit` threads of `lift` on both faces: warp up along an end, weft up along a pick."""
    _, _, warp = _runs(lift.T)
    _, _, weft = _runs(~lift)
    longest = max(int(warp.max(initial=0)), int(weft.max(initial=0)))
    return Floats(longest=longest, over=int((warp > limit).sum() + (weft > limit).sum()))


def back_floats(lift: Lift, limit: int) -> Floats:
    """The floats of the cloth's back."""
    return floats(~lift, limit)


def repair(lift: Lift, limit: int, *, rounds: int = 12) -> Lift:
    """`lift` with binding points put into floats over `limit` until none is left, or `rounds` have passed.

    Each round splits every float that is still too long at its middle, on whichever neighbour of it keeps the crossing
    threads' floats short; a copy is returned.
    """
    lift = lift.copy()
    for _ in range(rounds):
        changed = _split(lift, limit, value=False)  # weft over, along a pick
        changed += _split(lift, limit, value=True)  # the same on the back
        changed += _split(lift.T, limit, value=True)  # warp over, along an end
        changed += _split(lift.T, limit, value=False)
        if not changed:
            break
    return lift


def woven_lab(names: tuple[str, ...], *, warp: str, weft: str) -> NDArray[np.float64]:
    """(K, 3) L*a*b* D50 of the cloth in each weave: the yarns' light mixed by the share of the face they have."""
    yarns = lab_to_xyz(srgb_to_lab(Palette((warp, weft)).rgb()))
    share = np.array(warp_share(names))[:, None]
    return xyz_to_lab(share * yarns[0] + (1 - share) * yarns[1])


def warp_share(names: tuple[str, ...]) -> tuple[float, ...]:
    """How much of the face is warp, per weave: 0 to 1."""
    return tuple(float(LIBRARY[name].mean()) for name in names)


def _runs(rows: Lift) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """(row, first column, length) of every run of True along the rows, counted around the right edge.

    A row that is True from end to end is one run of the row's length.
    """
    rows = np.ascontiguousarray(rows)
    width = rows.shape[1]
    starts_row, starts = np.nonzero(rows & ~np.roll(rows, 1, axis=1))
    _, stops = np.nonzero(rows & ~np.roll(rows, -1, axis=1))
    counts = np.bincount(starts_row, minlength=rows.shape[0])
    ends_before_starts = np.zeros(rows.shape[0], bool)
    first = np.concatenate([[0], np.cumsum(counts)[:-1]])
    some = counts > 0
    ends_before_starts[some] = stops[first[some]] < starts[first[some]]
    wrapped = np.flatnonzero(ends_before_starts)
    for row in wrapped:  # a run around the edge: its end is listed first
        part = slice(first[row], first[row] + counts[row])
        stops[part] = np.roll(stops[part], -1)
    lengths = (stops - starts) % width + 1
    full = np.flatnonzero(rows.all(axis=1))
    return (
        np.concatenate([starts_row, full]),
        np.concatenate([starts, np.zeros_like(full)]),
        np.concatenate([lengths, np.full_like(full, width)]),
    )


def _split(lift: Lift, limit: int, *, value: bool) -> int:
    """Put one binding point into every run of `value` along the rows that is over `limit`; how many were put."""
    row, start, length = _runs(lift == value)
    long = np.flatnonzero(length > limit)
    width, height = lift.shape[1], lift.shape[0]
    for k in long:
        y, x0, n = int(row[k]), int(start[k]), int(length[k])
        middle = n // 2
        best, least = middle, height + 1
        # The middle and its neighbours: the first whose new crossing makes no long float across, else the least bad.
        for offset in sorted(range(max(1, middle - 3), min(n - 1, middle + 4)), key=lambda c: abs(c - middle)):
            x = (x0 + offset) % width
            across = 1 + _reach(lift, y, x, 1, not value) + _reach(lift, y, x, -1, not value)
            if across < least:
                best, least = offset, across
            if across <= limit:
                break
        lift[y, (x0 + best) % width] = not value
    return len(long)


def _reach(lift: Lift, y: int, x: int, step: int, value: bool) -> int:
    """How many crossings of `value` follow on (y, x) along the column, in the direction of `step`."""
    height = lift.shape[0]
    count = 0
    while count < height - 1 and lift[(y + step * (count + 1)) % height, x] == value:
        count += 1
    return count
