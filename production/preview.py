"""A small picture of the cloth on the screen's colours, with the repeats set in their layout."""

from __future__ import annotations

import io

import numpy as np
import pyvips
from numpy.typing import NDArray
from PIL import Image

from generation.domain.pattern import Raster, layout_tiling


def cloth_picture(
    raster: Raster, *, columns: int, rows: int, width_px: int, colours: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 sRGB of `columns` x `rows` repeats at the finished proportions, about `width_px` wide.

    colours: (K, 3) uint8 sRGB, what each colour of the palette becomes on the cloth.
    """
    tile = _tile(raster, max(2, 2 * round(width_px / columns / 2)), colours)
    return layout_tiling(tile, raster.repeat.layout, columns, rows).astype(np.uint8)


def preview_png(raster: Raster, *, columns: int, rows: int, width_px: int, colours: NDArray[np.uint8]) -> bytes:
    """The cloth picture as PNG; the same raster gives the same bytes."""
    buffer = io.BytesIO()
    picture = cloth_picture(raster, columns=columns, rows=rows, width_px=width_px, colours=colours)
    Image.fromarray(picture).save(buffer, "PNG")
    return buffer.getvalue()


def _tile(raster: Raster, width_px: int, colours: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """One repeat, scaled to `width_px` of an even number, at about the finished proportions."""
    step = raster.repeat.layout.step[1]
    height_px = max(step, step * round(width_px * raster.repeat.height_mm / raster.repeat.width_mm / step))
    table = np.zeros((256, 3), np.uint8)
    table[: len(colours)] = colours
    lookup = pyvips.Image.new_from_memory(table.tobytes(), 256, 1, 3, "uchar")
    indices = np.ascontiguousarray(raster.indices)
    picture = pyvips.Image.new_from_memory(indices.data, raster.width_px, raster.height_px, 1, "uchar").maplut(lookup)
    small = picture.copy(interpretation="srgb").thumbnail_image(width_px, height=height_px, size="force")
    return np.frombuffer(small.write_to_memory(), np.uint8).reshape(height_px, width_px, 3)
