"""A small picture of the cloth on the screen's colours, with the repeats set in their layout."""

from __future__ import annotations

import io

import numpy as np
import pyvips
from numpy.typing import NDArray
from PIL import Image

from generation.domain.pattern import Raster, layout_tiling
from production.domain.picture import Picture
from production.proof import narrow


def cloth_picture(
    design: Raster | Picture, *, columns: int, rows: int, width_px: int, colours: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 sRGB of `columns` x `rows` repeats at the finished proportions, about `width_px` wide.

    colours: (K, 3) uint8 sRGB, what each colour of an indexed design's palette becomes on the cloth. A picture in tones
    is shown as it is: give it as it is printed.
    """
    tile = _tile(design, max(2, 2 * round(width_px / columns / 2)), colours)
    return layout_tiling(tile, design.repeat.layout, columns, rows).astype(np.uint8)


def preview_png(
    design: Raster | Picture, *, columns: int, rows: int, width_px: int, colours: NDArray[np.uint8]
) -> bytes:
    """The cloth picture as PNG; the same design gives the same bytes."""
    buffer = io.BytesIO()
    picture = cloth_picture(design, columns=columns, rows=rows, width_px=width_px, colours=colours)
    Image.fromarray(picture).save(buffer, "PNG")
    return buffer.getvalue()


def _tile(design: Raster | Picture, width_px: int, colours: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """One repeat, scaled to `width_px` of an even number, at about the finished proportions."""
    step = design.repeat.layout.step[1]
    height_px = max(step, step * round(width_px * design.repeat.height_mm / design.repeat.width_mm / step))
    size = (design.width_px, design.height_px)
    if isinstance(design, Picture):
        rgb = np.ascontiguousarray(narrow(design.rgb))
        picture = pyvips.Image.new_from_memory(rgb.data, *size, 3, "uchar")
    else:
        table = np.zeros((256, 3), np.uint8)
        table[: len(colours)] = colours
        lookup = pyvips.Image.new_from_memory(table.tobytes(), 256, 1, 3, "uchar")
        indices = np.ascontiguousarray(design.indices)
        picture = pyvips.Image.new_from_memory(indices.data, *size, 1, "uchar").maplut(lookup)
    small = picture.copy(interpretation="srgb").thumbnail_image(width_px, height=height_px, size="force")
    return np.frombuffer(small.write_to_memory(), np.uint8).reshape(height_px, width_px, 3)
