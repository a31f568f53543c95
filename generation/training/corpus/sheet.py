"""A sheet to draw repeat units on: a torus of role numbers, painted back to front and read as soft coverage."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from generation.domain.pattern import Layout

ROLES = 8  # 0 ground, 1 main motif, 2 leaves or second motif, 3 accent, 4 detail, 5..7 further colours
OVERSAMPLING = 4
_SUBPIXEL_BITS = 6

Points = NDArray[np.float64]


class Sheet:
    """Cells of one repeat unit each, on a torus; x goes right, y goes down, lengths are fractions of the unit.

    Programs draw in the unit square at `origin`; what leaves the sheet comes back at the other side, moved as its
    layout says.
    """

    def __init__(self, unit_px: int, *, columns: int = 1, rows: int = 1, layout: Layout = Layout.STRAIGHT) -> None:
        self.unit_px = unit_px
        self.side = unit_px * OVERSAMPLING
        self.columns, self.rows, self.layout = columns, rows, layout
        self.origin = (0.0, 0.0)
        self.zoom = 1.0  # how much larger than its unit square a program draws, about the middle of the square
        self.roles = np.zeros((rows * self.side, columns * self.side), np.uint8)
        near = (-1, 0, 1)
        self._shifts = np.array([self._lattice(i, j) for i in near for j in near])  # (9, 2), with those around

    def fill(self, role: int, points: Points) -> None:
        """Paint the closed polygon of `points` (n, 2)."""
        for shifted in self._copies(points, margin=0.0):
            cv2.fillPoly(self.roles, [shifted], int(role), shift=_SUBPIXEL_BITS)

    def stroke(self, role: int, points: Points, width: float, *, closed: bool = False) -> None:
        """Paint a line of `width` with round joins through `points` (n, 2)."""
        thickness = max(1, round(width * self.zoom * self.side))
        for shifted in self._copies(points, margin=width * self.zoom):
            cv2.polylines(self.roles, [shifted], closed, int(role), thickness, shift=_SUBPIXEL_BITS)

    def disc(self, role: int, x: float, y: float, radius: float) -> None:
        """Paint a filled circle."""
        turn = np.linspace(0, 2 * np.pi, max(12, int(radius * self.side * 1.5)), endpoint=False)
        self.fill(role, np.stack([x + radius * np.cos(turn), y + radius * np.sin(turn)], axis=1))

    def grid(self) -> tuple[Points, Points]:
        """(x, y) of every oversampled pixel centre of a one-unit sheet, each (side, side) in [0, 1)."""
        axis = (np.arange(self.side) + 0.5) / self.side
        x, y = np.meshgrid(axis, axis)
        return x, y

    def paint(self, role: int, where: NDArray[np.bool_]) -> None:
        """Paint every oversampled pixel of the mask `where` (side, side)."""
        self.roles[where] = role

    def coverage(self) -> NDArray[np.uint8]:
        """(ROLES, rows * unit_px, columns * unit_px) uint8: how much of a pixel each role covers, 255 = all of it."""
        width, height = self.columns * self.unit_px, self.rows * self.unit_px
        out = np.zeros((ROLES, height, width), np.uint8)
        for role in np.flatnonzero(np.bincount(self.roles.ravel(), minlength=ROLES)):
            plane = (self.roles == role).view(np.uint8) * np.uint8(255)
            out[role] = cv2.resize(plane, (width, height), interpolation=cv2.INTER_AREA)
        return out

    def _copies(self, points: Points, *, margin: float) -> list[NDArray[np.int32]]:
        points = (points - 0.5) * self.zoom + 0.5 + self.origin
        low, high = points.min(axis=0) - margin, points.max(axis=0) + margin
        scale = self.side * (1 << _SUBPIXEL_BITS)
        half = 1 << (_SUBPIXEL_BITS - 1)
        begins, ends = low + self._shifts < (self.columns, self.rows), high + self._shifts > 0
        seen = self._shifts[begins.all(axis=1) & ends.all(axis=1)]
        return [np.round((points + shift) * scale - half).astype(np.int32) for shift in seen]

    def _lattice(self, i: int, j: int) -> tuple[float, float]:
        aside, lower = j * self.layout.shift % 1, i * self.layout.drop % 1
        return float((i + aside) * self.columns), float((j + lower) * self.rows)


class Unpainted(Sheet):
    """A sheet on which shapes leave nothing, for whoever asks a program for its words alone."""

    def _copies(self, points: Points, *, margin: float) -> list[NDArray[np.int32]]:
        return []
