"""What a design will look like on the cloth, and how far that is from what was asked, on a small copy of it."""

from __future__ import annotations

import math
from typing import Any, TypeVar

import numpy as np
import pyvips
from numpy.typing import NDArray

from generation.domain.pattern import Raster
from production.domain.colour import delta_e_2000, lab_to_srgb, srgb_to_lab
from production.domain.picture import Picture
from production.domain.spec import Inks
from production.separation import Separation, to_lab, tones_to_ink

_Kind = TypeVar("_Kind", bound=np.generic)

MOST_PIXELS = 250_000  # that differences are measured on
SHOWN_PX = 1000  # the longer side of a picture as printed


def picked(pixels: NDArray[_Kind]) -> NDArray[_Kind]:
    """Every n-th row and column (h, w, ...) of (H, W, ...), at most about MOST_PIXELS: no colour that is not there."""
    step = math.ceil(math.sqrt(pixels.shape[0] * pixels.shape[1] / MOST_PIXELS))
    return np.ascontiguousarray(pixels[::step, ::step])


def narrow(rgb: NDArray[Any]) -> NDArray[np.uint8]:
    """sRGB of 8 bit of 8 or 16."""
    if rgb.dtype == np.uint8:
        return np.asarray(rgb, np.uint8)
    return ((rgb.astype(np.uint32) + 128) // 257).astype(np.uint8)


def differences(design: Raster | Picture, inks: Inks, separation: Separation) -> NDArray[np.float64]:
    """(h, w) CIEDE2000 between what was asked and what is printed, on a small copy of the design.

    separation: that of an indexed design's palette.
    """
    if isinstance(design, Raster):
        of_colours = delta_e_2000(separation.lab, separation.printed)
        difference: NDArray[np.float64] = of_colours[picked(design.indices)]
        return difference
    rgb = narrow(picked(design.rgb))
    return delta_e_2000(srgb_to_lab(rgb), to_lab(tones_to_ink(rgb, inks) / 65535, inks))


def as_printed(picture: Picture, inks: Inks) -> Picture:
    """The picture on the screen's colours as the profile expects it on the cloth, at most SHOWN_PX a side."""
    rgb = np.ascontiguousarray(picture.rgb)
    kind = "uchar" if rgb.dtype == np.uint8 else "ushort"
    image = pyvips.Image.new_from_memory(rgb.data, picture.width_px, picture.height_px, 3, kind)
    image = (image if kind == "uchar" else (image >> 8).cast("uchar")).copy(interpretation="srgb")
    scale = SHOWN_PX / max(picture.width_px, picture.height_px)
    if scale < 1:
        width, height = (max(1, round(side * scale)) for side in (picture.width_px, picture.height_px))
        image = image.thumbnail_image(width, height=height, size="force")
    small = np.frombuffer(image.write_to_memory(), np.uint8).reshape(image.height, image.width, 3)
    return Picture(lab_to_srgb(to_lab(tones_to_ink(small, inks) / 65535, inks)), picture.repeat)
