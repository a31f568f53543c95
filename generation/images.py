"""Pictures that come from outside, read with distrust; and the PNG files that we write ourselves."""

from __future__ import annotations

import io
import warnings

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from generation.domain.pattern import MM_PER_INCH, Palette, Raster
from generation.errors import UnreadableImage

FORMATS = ("PNG", "JPEG", "TIFF", "WEBP")
MOST_BYTES = 40 * 1024 * 1024
MOST_PIXELS = 40_000_000
FEWEST_PX = 16


def read_reference(data: bytes) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 sRGB of an untrusted PNG, JPEG, TIFF or WebP file; metadata is dropped, transparency is white.

    Raises UnreadableImage for anything else, for more than 40 megapixels by its header, and for several frames.
    """
    if len(data) > MOST_BYTES:
        raise _refused(f"The file has {len(data) / 1e6:.0f} MB; 40 MB are read at most. Send a smaller picture.")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
                _check_header(picture)
                picture.load()
                upright = ImageOps.exif_transpose(picture)
                return _plain(upright)
        except UnreadableImage:
            raise
        except (
            OSError,
            ValueError,
            SyntaxError,
            EOFError,
            MemoryError,
            Warning,
            Image.DecompressionBombError,
        ) as error:
            raise _refused(
                "The picture can't be read: send a PNG, JPEG, TIFF or WebP file that opens elsewhere."
            ) from error


def indexed_png(raster: Raster) -> bytes:
    """An indexed PNG with the raster's palette and its true size in the resolution tag; same raster, same bytes."""
    picture = Image.frombytes("P", (raster.width_px, raster.height_px), np.ascontiguousarray(raster.indices).tobytes())
    picture.putpalette(raster.palette.rgb().tobytes())
    dpi = (
        raster.width_px / raster.repeat.width_mm * MM_PER_INCH,
        raster.height_px / raster.repeat.height_mm * MM_PER_INCH,
    )
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", dpi=dpi, compress_level=4)
    return buffer.getvalue()


def read_indexed_png(data: bytes) -> tuple[NDArray[np.uint8], Palette]:
    """(indices (H, W) uint8, palette) of a file written by `indexed_png`."""
    with Image.open(io.BytesIO(data), formats=("PNG",)) as picture:
        colours = np.asarray(picture.getpalette(), np.uint8).reshape(-1, 3)
        indices = np.asarray(picture, np.uint8)
    used = int(indices.max()) + 1
    return indices, Palette(tuple(f"#{r:02x}{g:02x}{b:02x}" for r, g, b in colours[: max(used, 1)].tolist()))


def png_of(rgb: NDArray[np.uint8]) -> bytes:
    """A plain PNG of (H, W, 3) uint8."""
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "PNG", compress_level=4)
    return buffer.getvalue()


def _check_header(picture: Image.Image) -> None:
    width, height = picture.size
    if width * height > MOST_PIXELS:
        raise _refused(
            f"The picture has {width} x {height} pixels; 40 megapixels are read at most. Send a smaller one."
        )
    if min(width, height) < FEWEST_PX:
        raise _refused(f"The picture has {width} x {height} pixels; at least {FEWEST_PX} each way are needed.")
    frames = getattr(picture, "n_frames", 1)
    if frames > 1:
        raise _refused(f"The file holds {frames} pictures; send one.")


def _plain(picture: Image.Image) -> NDArray[np.uint8]:
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        layered = picture.convert("RGBA")
        white = Image.new("RGBA", layered.size, (255, 255, 255, 255))
        picture = Image.alpha_composite(white, layered)
    elif picture.mode.startswith(("I", "F")):
        deep = np.asarray(picture, np.float64)
        return np.repeat(
            (deep * (255.0 / max(1.0, float(deep.max())))).clip(0, 255).astype(np.uint8)[..., None], 3, axis=2
        )
    return np.array(picture.convert("RGB"), np.uint8)


def _refused(message: str) -> UnreadableImage:
    return UnreadableImage(message, fields={"field": "reference"})
