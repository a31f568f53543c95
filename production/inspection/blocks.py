"""What the blocks of a map say of it, reference and scan lying on each other as brightness.

Every block says by least squares of the differences of brightness how far it is off and, by the edges that it has, how
surely and in which direction; a motif among plain cloth pins its surroundings, a stripe pins one direction only, and
plain cloth nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from production.inspection.evenness import Rows
from production.inspection.lay import BLOCK_PX, EDGE_PX, Floats, Lay, Picture, Plane, places_of, read, smaller, within
from production.inspection.look import Look, brightness, slope
from production.inspection.stretch import Asked, better

_STRIP_BLOCKS = 8  # rows of them that are worked on together: few enough for the processor's own memory
_MOST_ROUNDS = 10
_STILL = 0.25  # px of the small picture: a block that goes less far than this has found its place
_ALIKE = 0.25  # of a block's information that is its own: the light of yarns hangs together over some pixels


class Scaled:
    """Reference and scan at a whole share of their size."""

    def __init__(self, reference: Rows, scan: Picture, scale: int) -> None:
        self.reference, self.scan, self.scale, self.scan_px = reference, smaller(scan, scale), scale, scan.shape[:2]
        self.weights: Floats | None = None  # (rows, columns) of the blocks: how much they had to say
        self._strips: list[tuple[int, int, Picture]] = []

    def part(self, reference: Rows) -> Scaled:
        """The same scan with another reference."""
        other = object.__new__(Scaled)
        other.reference, other.scan, other.scale, other.scan_px = reference, self.scan, self.scale, self.scan_px
        other.weights, other._strips = None, []
        return other

    def matched(self, look: Look, sd: float) -> _Pair:
        """Both as brightness. sd: of the smoothing, px here."""
        seen = np.empty(self.scan.shape[:2], np.float32)
        way = look.of_scan[None]
        for top in range(0, len(seen), 256):
            seen[top : top + 256] = cv2.transform(self.scan[top : top + 256].astype(np.float32), way)
        block = BLOCK_PX // self.scale
        strips = []
        for first, last, small in self._small_strips():
            plane = np.asarray(cv2.GaussianBlur(brightness(small, look, self.scale), (0, 0), sd), np.float32)
            strips.append((first, last, plane[: (last - first) * block + 8]))
        return _Pair(self, np.asarray(cv2.GaussianBlur(seen, (0, 0), sd, seen), np.float32), strips, _margin(sd))

    def _small_strips(self) -> list[tuple[int, int, Picture]]:
        """(first block row, last, the reference there with four pixels around in height)."""
        if self._strips:
            return self._strips
        scale = self.scale
        height, width = self.reference.shape[:2]
        rows, columns = -(-height // BLOCK_PX), -(-width // BLOCK_PX)
        for first in range(0, rows, _STRIP_BLOCKS):
            last = min(first + _STRIP_BLOCKS, rows)
            top, bottom = first * BLOCK_PX - 4 * scale, last * BLOCK_PX + 4 * scale
            window = self.reference[max(top, 0) : min(bottom, height), 0:width]
            above, below, beside = max(-top, 0), max(bottom - height, 0), columns * BLOCK_PX - width
            if above or below or beside:
                window = np.asarray(cv2.copyMakeBorder(window, above, below, 0, beside, cv2.BORDER_REPLICATE), np.uint8)
            self._strips.append((first, last, smaller(window, scale)))
        return self._strips


class _Pair:
    """Reference and scan as brightness, and how the map is improved on them."""

    def __init__(self, of: Scaled, seen: Plane, strips: Sequence[tuple[int, int, Plane]], margin: int) -> None:
        self._of, self._seen, self._strips, self._margin = of, seen, strips, margin

    def improved(self, lay: Lay, *, rounds: int, forgiving: float) -> Lay:
        """The map after so many rounds, and more while a block that knows its place to a pixel still goes on.

        Where a corner of the cloth lies far from where it was looked for, it takes some of them to come there.
        forgiving: multiples of the usual difference.
        """
        for number in range(1, _MOST_ROUNDS + 1):
            asked, _ = self._told(lay, forgiving, moments=False)
            before, lay = lay, better(lay, asked, most_px=1.5 * self._of.scale)
            self._of.weights = asked.squares[..., 0] + asked.squares[..., 2]
            went = np.hypot(*np.moveaxis(lay.nodes - before.nodes, -1, 0))[self._of.weights > 1]
            if number >= rounds and went.max(initial=0.0) < _STILL * self._of.scale:
                break
        return lay

    def left(self, lay: Lay) -> tuple[Asked, Floats]:
        """What the blocks still ask for, and (rows, columns, 6) moments of asked and seen brightness in them."""
        return self._told(lay, 1.0, moments=True)

    def _told(self, lay: Lay, forgiving: float, *, moments: bool) -> tuple[Asked, Floats]:
        """What every block says, and (rows, columns, 6) moments of asked and seen brightness in it."""
        scale, block = self._of.scale, BLOCK_PX // self._of.scale
        nodes = (lay.nodes + np.float32(0.5)) / np.float32(scale) - np.float32(0.5)
        squares, products, all_moments = [], [], []
        noise: float | None = None
        blur, sharpness, squared, known, weighed, weights = np.zeros(6)  # sums over the strips that were seen
        for first, last, wide in self._strips:
            at = places_of(nodes, first, last, block)
            there: Plane = read(self._seen, *at)
            valid = self._valid(at, lay.shape, first)
            x, y = (slope(wide, *way)[4:-4] for way in ((1, 0), (0, 1)))
            sharp = np.asarray(cv2.Laplacian(wide, cv2.CV_32F), np.float32)[4:-4]
            asked = wide[4:-4]
            rest = (there - asked) * valid
            mean = _cells(rest, block) / np.maximum(_cells(valid, block), 1e-3)
            rest = (rest - cv2.resize(mean, rest.shape[1::-1], interpolation=cv2.INTER_LINEAR)) * valid
            # An edge that is less sharp than asked would be explained by a map that is stretched there.
            sharp = sharp * valid
            blur += np.vdot(sharp, rest)
            sharpness += np.vdot(sharp, sharp)
            rest = rest - sharp * np.float32(blur / (sharpness + 1.0))
            if noise is None:
                noise = float(np.median(np.abs(rest[::5, ::5]))) * 1.48 + 0.05
            square = rest * rest
            squared += square.sum()
            known += square.size
            spread = max(2.5 * noise, forgiving * float(np.sqrt(squared / known)))
            weight = square * np.float32(1 / spread**2)
            weight += 1
            np.divide(valid, weight, out=weight)
            weighed += np.vdot(weight, square)
            weights += weight.sum()
            variance = float(weighed / max(weights, 1)) + 0.01
            wx, wy = weight * x, weight * y
            count, mx, my, mr, xx, xy, yy, xr, yr = (
                _around(_cells(each, block // 2, by))
                for each, by in (
                    (weight, None), (wx, None), (wy, None), (weight, rest),
                    (wx, x), (wx, y), (wy, y), (wx, rest), (wy, rest),
                )
            )  # fmt: skip
            count = np.maximum(count, 1e-3)
            here = np.stack([xx - mx * mx / count, xy - mx * my / count, yy - my * my / count], axis=-1)
            to = np.stack([xr - mx * mr / count, yr - my * mr / count], axis=-1)
            many = _ALIKE * block**2 / variance
            squares.append(here * (many / scale**2))
            products.append(to * (many / scale))
            if moments:
                all_moments.append(_moments(asked, there, valid, block))
        return (
            Asked(np.concatenate(squares).astype(np.float64), np.concatenate(products).astype(np.float64)),
            np.concatenate(all_moments) if moments else np.zeros((0, 0, 6)),
        )

    def _valid(self, at: tuple[Plane, Plane], shape: tuple[int, int], first: int) -> Plane:
        """1 where both reference and scan are, away from the reference's border by what smoothing has mixed in."""
        scale, margin = self._of.scale, self._margin
        height, width = (size // scale for size in shape)
        top = first * (BLOCK_PX // scale)
        edge = (EDGE_PX + 0.5) / scale - 0.5
        inside = within(*at, tuple((size + 1) / scale - 1 for size in self._of.scan_px), edge=edge)
        inside[: max(0, margin - top)] = False
        inside[max(0, height - margin - top) :] = False
        inside[:, :margin], inside[:, width - margin :] = False, False
        return inside.astype(np.float32)


def _margin(sd: float) -> int:
    """How far from the reference's border smoothing has mixed in what lies beyond: on the scan, other cloth."""
    return int(np.ceil(2.5 * sd))


def _cells(plane: Plane, side: int, by: Plane | None = None) -> Plane:
    """The means of squares of so many pixels a side, of a plane or of its product with another."""
    rows, columns = plane.shape[0] // side, plane.shape[1] // side
    tall = plane.reshape(rows, side, -1)
    sums = tall.sum(axis=1) if by is None else np.einsum("ijk,ijk->ik", tall, by.reshape(rows, side, -1))
    return np.asarray(sums.reshape(rows, columns, side).sum(axis=2) * np.float32(1 / side**2))


def _around(halves: Plane) -> Plane:
    """The mean around the middle of every block by the means of half blocks: neighbours with a share as they are near.

    An edge that is blurred otherwise than it is asked pulls one way on one side and the other way on the other: only
    as a whole it tells where it is. So blocks have no borders that could cut one.
    """
    cells = cv2.copyMakeBorder(halves, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    rows = cells[0:-3:2] + 3 * cells[1:-2:2] + 3 * cells[2:-1:2] + cells[3::2]
    both = rows[:, 0:-3:2] + 3 * rows[:, 1:-2:2] + 3 * rows[:, 2:-1:2] + rows[:, 3::2]
    return np.asarray(both / 64, np.float32)


def _moments(asked: Plane, seen: Plane, valid: Plane, block: int) -> Floats:
    """(rows, columns, 6): share of the block that shows; means of asked, seen, and of their squares and product."""
    a, s = asked * valid, seen * valid
    each = [(valid, None), (a, None), (s, None), (a, a), (s, s), (a, s)]
    return np.stack([_cells(plane, block, by) for plane, by in each], axis=-1).astype(np.float64)
