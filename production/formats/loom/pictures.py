"""The pictures of a loom package: point paper as indexed PNG, BMP and TIFF, lift plans as 1-bit TIFF and BMP.

One pixel is one crossing, row 0 the first pick, column 0 the first end. The resolution is the cloth's own: ends per
inch across and picks per inch along, so that the picture is shown at the cloth's aspect. Written with Pillow.
"""

from __future__ import annotations

import io
from typing import IO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from generation.domain.pattern import MM_PER_INCH, Palette
from production.domain.floats import Lift

Dpi = tuple[float, float]

_INCH_CM = MM_PER_INCH / 10


def dpi_of(ends_per_cm: float, picks_per_cm: float) -> Dpi:
    """Threads per inch, across and along."""
    return ends_per_cm * _INCH_CM, picks_per_cm * _INCH_CM


def point_paper(paper: NDArray[np.uint8], palette: Palette) -> Image.Image:
    """The point paper over the memory of `paper`: 8 bits for each crossing, its colour's index."""
    picks, ends = paper.shape
    picture = Image.frombuffer("P", (ends, picks), paper.data, "raw", "P", 0, 1)
    # All 256 entries: with few colours a PNG would be packed into 1, 2 or 4 bits, which CAD systems don't all take.
    picture.putpalette(palette.rgb().ravel().tolist() + [0] * 3 * (256 - len(palette)))
    return picture


def lift_plan(lift: Lift) -> Image.Image:
    """The lift plan, black where the warp is up."""
    return Image.fromarray(~lift)


def write_png(picture: Image.Image, dpi: Dpi, to: IO[bytes]) -> None:
    """Indexed PNG of 8 bits."""
    picture.save(to, "PNG", dpi=dpi)


def write_bmp(picture: Image.Image, dpi: Dpi, to: IO[bytes]) -> None:
    """Windows bitmap, indexed or of one bit."""
    picture.save(to, "BMP", dpi=dpi)


def write_tiff(picture: Image.Image, dpi: Dpi, to: IO[bytes]) -> None:
    """TIFF: indexed with LZW, or one bit with CCITT group 4."""
    buffer = io.BytesIO()  # its directory is written last and pointed to from the start
    picture.save(buffer, "TIFF", compression="group4" if picture.mode == "1" else "tiff_lzw", dpi=dpi)
    to.write(buffer.getbuffer())
