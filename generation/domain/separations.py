"""Separations of a repeat as SVG: one smooth path per colour, in millimetres, that fit together without a gap.

The outlines of all colours are one net of lines between pixels. It is smoothed as a net, with its knots and the tile's
edge held, so that two colours that touch go on sharing the very same line and the tile still closes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generation.domain.pattern import IndexArray, Raster

ROLE_NAMES = ("ground", "main-motif", "second-motif", "accent", "detail", "sixth", "seventh", "eighth")
_ROUNDS = 4  # of smoothing: enough to take the stairs out of an outline, too few to round a motif off
_DECIMALS = 4  # of a millimetre
_STRAIGHT = 1e-6  # square pixels: three points that span no more lie on one line

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]


@dataclass(frozen=True)
class _Net:
    """Where colours meet: corners of pixels are numbered row by row over (H + 1) x (W + 1)."""

    start: Ints  # of every piece of outline, one pixel long, with its colour on the right
    end: Ints
    colour: NDArray[np.uint8]
    points: Floats  # (corners, 2) x, y in pixels, smoothed
    held: NDArray[np.bool_]  # corners that stay: knots of more than two lines, and the tile's edge
    passed: NDArray[np.bool_]  # corners that lie on a straight line between their neighbours


def separations_svg(raster: Raster, *, rounds: int = _ROUNDS) -> str:
    """The repeat as an SVG of its true size, one <path> per colour, named by role and colour.

    Paths are closed, filled by the even-odd rule, and end at the tile's edge where the neighbouring repeat goes on.
    """
    width_mm, height_mm = raster.repeat.width_mm, raster.repeat.height_mm
    net = _net(raster.indices, rounds)
    scale = np.array([width_mm / raster.width_px, height_mm / raster.height_px])
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width_mm:g}mm" height="{height_mm:g}mm" '
        f'viewBox="0 0 {width_mm:g} {height_mm:g}" data-layout="{raster.repeat.layout.value}">'
    ]
    for index, colour in enumerate(raster.palette.colours):
        role = raster.role_of(index)
        name = ROLE_NAMES[role] if role < len(ROLE_NAMES) else f"role-{role}"
        path = "".join(_path(net, loop, scale) for loop in _loops(net, index, raster.width_px))
        lines.append(f'<path id="{name}-{colour[1:]}" fill="{colour}" fill-rule="evenodd" d="{path}"/>')
    return "\n".join([*lines, "</svg>", ""])


def _net(indices: IndexArray, rounds: int) -> _Net:
    height, width = indices.shape
    around = np.full((height + 2, width + 2), -1, np.int16)
    around[1:-1, 1:-1] = indices
    corner = np.arange((height + 1) * (width + 1)).reshape(height + 1, width + 1)
    starts, ends, colours = [], [], []
    # clockwise round each pixel: along its top, right, bottom and left
    for beside, here, there in (
        (around[:-2, 1:-1], corner[:-1, :-1], corner[:-1, 1:]),
        (around[1:-1, 2:], corner[:-1, 1:], corner[1:, 1:]),
        (around[2:, 1:-1], corner[1:, 1:], corner[1:, :-1]),
        (around[1:-1, :-2], corner[1:, :-1], corner[:-1, :-1]),
    ):
        outline = beside != indices
        starts.append(here[outline])
        ends.append(there[outline])
        colours.append(indices[outline])
    start, end, colour = (np.concatenate(part) for part in (starts, ends, colours))
    x, y = corner % (width + 1), corner // (width + 1)
    edge = ((x == 0) | (x == width) | (y == 0) | (y == height)).ravel()
    before, after, lines = _neighbours(start, end, corner.size)
    held = edge | (lines != 2)
    points = np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float64)
    free = np.flatnonzero(~held)
    for _ in range(rounds):
        points[free] = (points[before[free]] + 2 * points[free] + points[after[free]]) / 4
    sides = points[before[free]] - points[free], points[after[free]] - points[free]
    span = np.abs(sides[0][:, 0] * sides[1][:, 1] - sides[0][:, 1] * sides[1][:, 0])
    passed = np.zeros(corner.size, bool)
    passed[free[span < _STRAIGHT]] = True
    return _Net(start, end, colour, points, held, passed)


def _neighbours(start: Ints, end: Ints, corners: int) -> tuple[Ints, Ints, Ints]:
    """(one neighbour, another, number of lines that meet) of every corner; each line counted once for both colours."""
    one, other = np.minimum(start, end), np.maximum(start, end)
    both = np.unique(one * corners + other)
    one, other = both // corners, both % corners
    here, there = np.concatenate([one, other]), np.concatenate([other, one])
    lines = np.bincount(here, minlength=corners)
    before, after = np.zeros(corners, np.intp), np.zeros(corners, np.intp)
    before[here] = there  # the last one written stays, and the first one written by the reversed order
    after[here[::-1]] = there[::-1]
    return before, after, lines


def _loops(net: _Net, colour: int, width: int) -> list[list[int]]:
    """The closed outlines of a colour, each as corners in order, clockwise round its pixels."""
    mine = np.flatnonzero(net.colour == colour)
    leaving: dict[int, list[int]] = {}
    for corner, to in zip(net.start[mine].tolist(), net.end[mine].tolist(), strict=True):
        leaving.setdefault(corner, []).append(to)
    loops = []
    while leaving:
        first, ways = next(iter(leaving.items()))
        loop, here, there = [first], first, ways[-1]
        _take(leaving, first, there)
        while there != first or len(leaving.get(there, ())) > 1:
            loop.append(there)
            ways = leaving[there]
            right = there + _turned_right(there - here, width + 1)
            onward = right if right in ways else ways[-1]
            _take(leaving, there, onward)
            here, there = there, onward
        loops.append(loop)
    return loops


def _take(leaving: dict[int, list[int]], corner: int, to: int) -> None:
    leaving[corner].remove(to)
    if not leaving[corner]:
        del leaving[corner]


def _turned_right(step: int, down: int) -> int:
    """The next step after `step` for a turn to the right, with y going down: east, south, west, north."""
    return {1: down, down: -1, -1: -down, -down: 1}[step]


def _path(net: _Net, loop: list[int], scale: Floats) -> str:
    """A closed path: held corners are reached straight, all others pull the line towards them (quadratic B-spline)."""
    kept = [corner for corner in loop if not net.passed[corner]]
    if len(kept) < 2:
        return ""
    points = (net.points[kept] * scale).round(_DECIMALS)
    middles = ((points + np.roll(points, -1, axis=0)) / 2).round(_DECIMALS)
    pieces = [f"M{_at(middles[-1])}"]
    for corner, point, middle in zip(kept, points, middles, strict=True):
        if net.held[corner]:
            pieces.append(f"L{_at(point)}L{_at(middle)}")
        else:
            pieces.append(f"Q{_at(point)} {_at(middle)}")
    return "".join([*pieces, "Z"])


def _at(point: Floats) -> str:
    return f"{point[0]:g} {point[1]:g}"
