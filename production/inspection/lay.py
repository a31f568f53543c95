"""How a reference lies on a scan: plain values, and how both are read through them.

One map takes every pixel of the reference (pixel centres at whole numbers, 100 dpi) to its place on the scan. It is
known at the middles of blocks and smooth between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from generation.domain.pattern import MM_PER_INCH
from production.inspection.constructions import MM_PER_PX
from production.inspection.evenness import Rows

Picture = NDArray[np.uint8]
Plane = NDArray[np.float32]
Floats = NDArray[np.float64]

BLOCK_PX = 48
LEAST_BLOCKS = 5  # a side: less cloth says nothing of its shape
EDGE_PX = 3  # of the scan, that nothing is read from
_WARP_BLOCKS = 4  # rows of blocks that are read together: few enough for the processor's own memory


@dataclass(frozen=True)
class Start:
    """Where the reference is taken to lie before anybody looked."""

    matrix: Floats  # (2, 3): from reference to scan
    nominal: tuple[float, float]  # pixels of the scan per pixel of the reference, for cloth of the right size
    sure: bool = False  # from marks: within a few pixels all over
    marks: tuple[tuple[tuple[float, float], tuple[float, float]], ...] = ()  # (on the reference, on the scan)

    @classmethod
    def at_corner(cls, *, dpi: float, pitch_mm: tuple[float, float] = (MM_PER_PX, MM_PER_PX)) -> Self:
        """The reference's upper left corner at the scan's, straight, at the scan's resolution."""
        across, along = (pitch / MM_PER_INCH * dpi for pitch in pitch_mm)
        return cls(np.array([[across, 0, (across - 1) / 2], [0, along, (along - 1) / 2]]), (across, along))

    def from_row(self, row: int, column: int = 0) -> Self:
        """The same for the part of the reference that begins there."""
        matrix = self.matrix.copy()
        matrix[:, 2] += matrix[:, :2] @ [column, row]
        marks = tuple(((x - column, y - row), there) for (x, y), there in self.marks)
        return replace(self, matrix=matrix, marks=marks)


@dataclass(frozen=True)
class Lay:
    """How a reference lies on a scan: the places of the middles of its blocks, smooth between them."""

    nodes: Plane  # (rows, columns, 2) pixels of the scan
    pose: Plane  # the same without the cloth's own stretching
    turn: Floats  # (2, 2): from a small step on the reference to one on the scan
    shape: tuple[int, int]  # of the reference

    def places(self, first: int, last: int, *, scale: int = 1) -> Plane:
        """(rows, columns, 2): where the pixels of block rows `first` to `last` lie; every `scale`-th, by area."""
        return np.stack(places_of(self.nodes, first, last, BLOCK_PX // scale), axis=-1)

    def straightened(self, scan: Picture) -> Picture:
        """(H, W, 3) the scan as it would look on the reference; what the scan does not show is black."""
        height, width = self.shape
        out = np.empty((height, width, scan.shape[2]), np.uint8)
        for first in range(0, len(self.nodes), _WARP_BLOCKS):
            top = first * BLOCK_PX
            x, y = places_of(self.nodes, first, min(first + _WARP_BLOCKS, len(self.nodes)), BLOCK_PX)
            x, y = x[: height - top, :width], y[: height - top, :width]
            out[top : top + len(x)] = read(scan, x, y, how=cv2.INTER_CUBIC, beside=cv2.BORDER_CONSTANT)
        return out

    def shown(self, scan_px: tuple[int, int]) -> NDArray[np.bool_]:
        """(rows, columns): the blocks that lie wholly on a scan of (height, width)."""
        half = self.turn @ np.array([[BLOCK_PX / 2] * 2, [BLOCK_PX / 2, -BLOCK_PX / 2]]).T
        reach = np.abs(half).max(axis=1) + EDGE_PX
        low, high = self.nodes - reach, self.nodes + reach
        inside = (low >= 0).all(axis=-1) & (high[..., 0] < scan_px[1]) & (high[..., 1] < scan_px[0])
        return np.asarray(inside, np.bool_)


def laid(matrix: Floats, shape: tuple[int, int]) -> Lay:
    """The lay of a straight map (2, 3) from a reference of (height, width) px to the scan."""
    nodes = (middles_of(shape) @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)
    return Lay(nodes, nodes, matrix[:, :2].copy(), shape)


def middles_of(shape: tuple[int, int]) -> Floats:
    """(rows, columns, 2) of the middles of the blocks on the reference."""
    rows, columns = -(-shape[0] // BLOCK_PX), -(-shape[1] // BLOCK_PX)
    y, x = (np.arange(count) * BLOCK_PX + (BLOCK_PX - 1) / 2 for count in (rows, columns))
    return np.stack(np.meshgrid(x, y), axis=-1)


def straight(lay: Lay) -> Floats:
    """(2, 3): the straight map that is nearest to this one."""
    on = middles_of(lay.shape).reshape(-1, 2)
    terms = np.concatenate([on, np.ones((len(on), 1))], axis=1)
    return np.asarray(np.linalg.lstsq(terms, lay.nodes.reshape(-1, 2).astype(np.float64), rcond=None)[0].T)


def places_of(nodes: Plane, first: int, last: int, block: int) -> tuple[Plane, Plane]:
    """x and y, ((last - first) * block, columns * block): node rows `first` to `last` with what is between them."""
    around = 2
    low, high = max(0, first - around), min(len(nodes), last + around)
    some = nodes[low:high].astype(np.float64)
    rows, columns = some.shape[:2]
    # OpenCV's cubic is no straight line through straight lines: the even part is added exactly.
    ax = (some[:, -1] - some[:, 0]).mean(axis=0) / (columns - 1)
    ay = (some[-1] - some[0]).mean(axis=0) / (rows - 1) if rows > 1 else np.zeros(2)
    middle = some.mean(axis=(0, 1)) - ax * (columns - 1) / 2 - ay * (rows - 1) / 2
    even = middle + np.arange(columns)[None, :, None] * ax + np.arange(rows)[:, None, None] * ay
    bent = (some - even).astype(np.float32)
    bent = _carried_on(bent, low - (first - around), (last + around) - high, around)
    # Three times as fine it is as good as straight from one to the next.
    fine = cv2.resize(bent, (bent.shape[1] * 3, bent.shape[0] * 3), interpolation=cv2.INTER_CUBIC).astype(np.float64)
    down = (np.arange(len(fine)) + 0.5) / 3 - 0.5 + (first - around - low)
    across = (np.arange(fine.shape[1]) + 0.5) / 3 - 0.5 - around
    fine += middle + across[None, :, None] * ax + down[:, None, None] * ay
    kept, step = slice(around * 3 - 1, 1 - around * 3), block // 3
    inner, size = slice(step, -step), ((columns * 3 + 2) * step, ((last - first) * 3 + 2) * step)
    x, y = (
        np.asarray(
            cv2.resize(fine[kept, kept, axis].astype(np.float32), size, interpolation=cv2.INTER_LINEAR), np.float32
        )
        for axis in (0, 1)
    )
    return x[inner, inner], y[inner, inner]


def _carried_on(plane: Plane, above: int, below: int, beside: int) -> Plane:
    """A plane with rows and columns more, in the way that it ran."""
    for _ in range(above):
        plane = np.concatenate([2 * plane[:1] - plane[1:2], plane])
    for _ in range(below):
        plane = np.concatenate([plane, 2 * plane[-1:] - plane[-2:-1]])
    for _ in range(beside):
        plane = np.concatenate([2 * plane[:, :1] - plane[:, 1:2], plane, 2 * plane[:, -1:] - plane[:, -2:-1]], axis=1)
    return plane


def window_on(
    reference: Rows, scan: Picture, lay: Lay, place: tuple[int, int], sides: tuple[int, int], scale: int, how: int
) -> tuple[Picture, Picture, NDArray[np.bool_]] | None:
    """(asked, seen, what of it the scan shows) of some blocks, both small, lying on each other."""
    (row, column), (rows, columns) = place, sides
    top, left = row * BLOCK_PX, column * BLOCK_PX
    bottom, right = min(top + rows * BLOCK_PX, lay.shape[0]), min(left + columns * BLOCK_PX, lay.shape[1])
    if min(bottom - top, right - left) < BLOCK_PX:
        return None
    asked = smaller(reference[top:bottom, left:right], scale)
    x, y = places_of(lay.nodes[:, column : column + columns], row, row + rows, BLOCK_PX // scale)
    x, y = x[: asked.shape[0], : asked.shape[1]], y[: asked.shape[0], : asked.shape[1]]
    (x0, x1), (y0, y1) = (_span(each, 4 * scale, size) for each, size in ((x, scan.shape[1]), (y, scan.shape[0])))
    x0, y0 = x0 // scale * scale, y0 // scale * scale
    cut = smaller(scan[y0 : max(y1, y0 + scale), x0 : max(x1, x0 + scale)], scale)
    seen = read(cut, *(_scaled(each - np.float32(low), scale) for each, low in ((x, x0), (y, y0))), how=how)
    return asked, seen, within(x, y, scan.shape)


def smaller(picture: Picture, scale: int) -> Picture:
    """(H // scale, W // scale, channels): a picture at a whole share of its size, by area."""
    height, width = picture.shape[0] // scale, picture.shape[1] // scale
    return np.asarray(
        cv2.resize(picture[: height * scale, : width * scale], (width, height), interpolation=cv2.INTER_AREA)
    )


def _scaled(places: Plane, scale: int) -> Plane:
    """Places on a picture as they are on a small copy of it."""
    return np.asarray((places + np.float32(0.5)) * np.float32(1 / scale) - np.float32(0.5))


def within(x: Plane, y: Plane, shape: Sequence[float], *, edge: float = EDGE_PX) -> NDArray[np.bool_]:
    """True at places x, y (px) on a picture of (height, width, ...), at least `edge` px from its border."""
    return (x >= edge) & (y >= edge) & (x < shape[1] - edge) & (y < shape[0] - edge)


def read(
    picture: NDArray[Any], x: Plane, y: Plane, *, how: int = cv2.INTER_LINEAR, beside: int = cv2.BORDER_REPLICATE
) -> NDArray[Any]:
    """A picture at places of it, however large it is: OpenCV counts in 16 bits."""
    parts = []
    for left in range(0, x.shape[1], 4096):
        some_x, some_y = x[:, left : left + 4096], y[:, left : left + 4096]
        (x0, x1), (y0, y1) = _span(some_x, 4, picture.shape[1]), _span(some_y, 4, picture.shape[0])
        at_x, at_y = some_x - np.float32(x0), some_y - np.float32(y0)
        parts.append(cv2.remap(picture[y0:y1, x0:x1], at_x, at_y, how, borderMode=beside))
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)


def _span(places: Plane, around: int, size: int) -> tuple[int, int]:
    """First and last of so many rows or columns that places need. They run smoothly: some of them tell."""
    some = places[np.ix_(*(np.r_[0:count:8, count - 1] for count in places.shape))]
    first = int(np.clip(some.min() - around - 1, 0, size - 1))
    return first, int(np.clip(some.max() + around + 2, first + 1, size))
