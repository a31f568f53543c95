"""Any band of the printed cloth, built from one tile: pattern in its layout, cut at its edges, and the marks around."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from generation.domain.pattern import Layout
from production.domain.ink_tile import InkTile
from production.domain.sheet import Mark, Sheet


def rows(tile: InkTile, sheet: Sheet, top: int, bottom: int) -> NDArray[np.uint8]:
    """Rows `top` to `bottom` of the sheet: (bottom - top, sheet.width_px, C) uint8, 255 = 100 % ink, bare cloth 0."""
    band = np.zeros((bottom - top, sheet.width_px, tile.planes.shape[2]), np.uint8)
    first, last = max(top, sheet.y_px), min(bottom, sheet.y_px + sheet.pattern_length_px)
    if first < last:
        inside = band[first - top : last - top, sheet.x_px : sheet.x_px + sheet.pattern_width_px]
        _set_pattern(inside, tile.planes, sheet.layout, first - sheet.y_px)
    for mark in sheet.marks:
        if mark.y_px < bottom and mark.y_px + mark.height_px > top:
            _set_mark(band, mark, top)
    return band


def _set_pattern(band: NDArray[np.uint8], planes: NDArray[np.uint8], layout: Layout, top: int) -> None:
    """Fill `band` with the pattern from its row `top` on, column of repeats by column, run of tile rows by run."""
    height, width = planes.shape[:2]
    long, wide = band.shape[:2]
    mirror = layout is Layout.MIRROR
    for column in range(-1 if layout.shift else 0, math.ceil(wide / width)):
        lower = int(column * layout.drop * height) % height
        done = 0
        while done < long:
            repeat, row = divmod(top + done - lower, height)
            count = min(long - done, height - row)
            upside_down = mirror and repeat % 2
            first = height - row - count if upside_down else row
            run = planes[first : first + count]
            if mirror:
                run = run[:: -1 if upside_down else 1, :: -1 if column % 2 else 1]
            left = column * width + int(repeat * layout.shift * width) % width
            start, stop = max(left, 0), min(left + width, wide)
            if start < stop:
                band[done : done + count, start:stop] = run[:, start - left : stop - left]
            done += count


def _set_mark(band: NDArray[np.uint8], mark: Mark, top: int) -> None:
    first, last = max(top, mark.y_px), min(top + len(band), mark.y_px + mark.height_px)
    box = band[first - top : last - top, mark.x_px : mark.x_px + mark.width_px]
    if mark.mask is None:
        box[:] = mark.ink
        return
    # Only the cells of this band are spread to pixels: the words along a selvedge are long.
    cell_rows = (np.arange(first, last) - mark.y_px) // (mark.height_px // mark.mask.shape[0])
    cell_columns = np.arange(box.shape[1]) // (mark.width_px // mark.mask.shape[1])
    box[mark.mask[np.ix_(cell_rows, cell_columns)]] = mark.ink
