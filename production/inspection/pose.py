"""The map that a registration begins with: from the marks of the sheet, or from where the scan should begin.

A repeat looks like its neighbours, so nothing is searched for over long ways: who starts half a repeat off stays there.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from production.inspection.blocks import Scaled
from production.inspection.evenness import Rows
from production.inspection.lay import BLOCK_PX, Floats, Lay, Picture, Plane, Start, laid, middles_of, smaller, straight
from production.inspection.look import matched
from production.inspection.stretch import KNOTS_PX

_ANCHOR_BLOCKS = 27  # a side of the part that a scan without marks is begun with
_MOST_CHANGE = 0.15  # of size and direction, from where the search begins


def begun(reference: Rows, scan: Picture, start: Start, coarse: Scaled) -> Lay:
    """The first map: along the marks, or straight where that is sure; else by correlation of a part that then grows."""
    shape = reference.shape[0], reference.shape[1]
    rows, columns = -(-shape[0] // BLOCK_PX), -(-shape[1] // BLOCK_PX)
    matrix = start.matrix
    if start.marks:
        return _along_marks(start, shape)
    if start.sure:
        return laid(matrix, shape)
    side = min(_ANCHOR_BLOCKS, max(rows, columns))
    part = (min(shape[0], side * BLOCK_PX), min(shape[1], side * BLOCK_PX))
    matrix = _by_correlation(reference[0 : part[0], 0 : part[1]], scan, matrix)
    while part != shape:  # a part that lies well tells where the cloth around it lies: twice as much each time
        window = _Part(reference, part)
        lay = laid(matrix, part)
        some = coarse.part(window)
        for sd, forgiving in ((2.0, 3.0), (0.7, 1.0)):
            lay = some.matched(matched(window, scan, lay, 8, None), sd).improved(lay, rounds=2, forgiving=forgiving)
        matrix = straight(lay) if _near(straight(lay), matrix) else matrix
        part = (min(shape[0], 2 * part[0]), min(shape[1], 2 * part[1]))
    return laid(matrix, shape)


class _Part:
    """The upper left part of a reference."""

    def __init__(self, whole: Rows, shape: tuple[int, int]) -> None:
        self._whole, self.shape = whole, (*shape, 3)

    def __getitem__(self, window: tuple[slice, slice]) -> Picture:
        rows, columns = (part.indices(size) for part, size in zip(window, self.shape, strict=False))
        return self._whole[rows[0] : rows[1], columns[0] : columns[1]]


def _along_marks(start: Start, shape: tuple[int, int]) -> Lay:
    """By the marks, and between them by how they lie: the run of a long cloth is no straight line."""
    on, seen = (np.array([mark[k] for mark in start.marks], np.float64) for k in (0, 1))
    lay = laid(start.matrix, shape)
    off = seen - (on @ start.matrix[:, :2].T + start.matrix[:, 2])
    bins = np.round((on[:, 1] - on[:, 1].min()) / KNOTS_PX * 8)
    heights = np.array([on[bins == each, 1].mean() for each in np.unique(bins)])
    if len(heights) < 4:
        return lay
    middles, width = middles_of(shape), shape[1]
    sides = []
    for left in (True, False):
        mine = (on[:, 0] < width / 2) == left
        some = [mine & (bins == each) for each in np.unique(bins)]
        known = np.array([each.any() for each in some])
        if known.sum() < 2:
            return lay
        means = np.array([off[each].mean(axis=0) for each in some if each.any()])
        sides.append(
            np.stack([np.interp(middles[:, 0, 1], heights[known], means[:, axis]) for axis in (0, 1)], axis=-1)
        )
    share = (middles[0, :, 0] / width)[None, :, None]
    nodes = (lay.nodes + sides[0][:, None] * (1 - share) + sides[1][:, None] * share).astype(np.float32)
    return replace(lay, nodes=nodes, pose=nodes)


def _by_correlation(part: Picture, scan: Picture, matrix: Floats) -> Floats:
    """The matrix that makes the two correlate best near where it was, on small copies of both."""
    for scale, rounds in ((8, 80), (4, 30)):
        small = smaller(part, scale).astype(np.float32)
        flat = small.reshape(-1, 3)
        spread, ways = np.linalg.eigh(np.cov(flat.T))
        if spread[-1] < 1:  # one colour: nothing to go by
            return matrix
        way = ways[:, -1].astype(np.float32)
        shown = scan[
            : round(part.shape[0] * matrix[1, 1] * 1.2) + 200, : round(part.shape[1] * matrix[0, 0] * 1.2) + 200
        ]
        asked, seen = (_without_light(each @ way, scale) for each in (small, smaller(shown, scale).astype(np.float32)))
        shift = (scale - 1) / 2
        inner = matrix.copy()
        inner[:, 2] = (matrix[:, :2] @ [shift, shift] + matrix[:, 2] - shift) / scale
        everywhere = np.full(seen.shape, 255, np.uint8)
        stop = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, rounds, 1e-4)
        try:
            _, found = cv2.findTransformECC(
                asked, seen, inner.astype(np.float32), cv2.MOTION_AFFINE, stop, everywhere, 5
            )
        except cv2.error:  # it ran away: the finer scale begins where this one did
            continue
        wider = found.astype(np.float64)
        wider[:, 2] = wider[:, 2] * scale + shift - wider[:, :2] @ [shift, shift]
        matrix = wider if _near(wider, matrix) else matrix
    return matrix


def _near(matrix: Floats, before: Floats) -> bool:
    """False for a map that no cloth has: what does not show its source can be pulled anywhere."""
    change = np.linalg.solve(before[:, :2], matrix[:, :2]) - np.eye(2)
    return bool(np.isfinite(matrix).all() and np.abs(change).max() < _MOST_CHANGE)


def _without_light(plane: Plane, scale: int) -> Plane:
    return np.asarray(plane - cv2.GaussianBlur(plane, (0, 0), 120 / scale), np.float32)
