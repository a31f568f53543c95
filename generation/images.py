"""Pictures that come from outside, read with distrust; and the PNG files that we write ourselves."""

from __future__ import annotations

import io
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo

from generation.domain.pattern import MM_PER_INCH, Layout, Palette, Raster, Repeat
from generation.errors import UnreadableImage

FORMATS = ("PNG", "JPEG", "TIFF", "WEBP")
MOST_BYTES = 40 * 1024 * 1024
MOST_PIXELS = 40_000_000
FEWEST_PX = 16
MOST_MASTER_PIXELS = 64_000_000
MOST_COLOURS = 8
_ROLES = frozenset("01234567")


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
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise _refused(
                "The picture has far more than the 40 megapixels that are read. Send a smaller one."
            ) from error
        except Exception as error:  # a file made to mislead the decoder gets any error out of it, TypeError too
            raise _refused(
                "The picture can't be read: send a PNG, JPEG, TIFF or WebP file that opens elsewhere."
            ) from error


def indexed_png(raster: Raster) -> bytes:
    """An indexed PNG with the raster's palette, its true size in the resolution tag, layout and roles beside it.

    Same raster, same bytes. The layout is in the file because the same pixels set otherwise are another design.
    """
    picture = Image.frombytes("P", (raster.width_px, raster.height_px), np.ascontiguousarray(raster.indices).tobytes())
    picture.putpalette(raster.palette.rgb().tobytes())
    dpi = (
        raster.width_px / raster.repeat.width_mm * MM_PER_INCH,
        raster.height_px / raster.repeat.height_mm * MM_PER_INCH,
    )
    about = PngInfo()
    about.add_text("Layout", raster.repeat.layout.value)
    about.add_text("Roles", " ".join(str(raster.role_of(index)) for index in range(len(raster.palette))))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", dpi=dpi, compress_level=4, pnginfo=about)
    return buffer.getvalue()


def read_master(data: bytes) -> Raster:
    """The raster in an indexed PNG, such as `indexed_png` writes; it may come from anywhere and is read with distrust.

    A file that lost its roles on the way gets them by area, the largest colour the ground; one without a layout is
    read as a straight repeat, one without a resolution at 300 dpi. All is said in the notes. Raises UnreadableImage.
    """
    indices, colours, about = _read_palette_picture(data)
    present = np.flatnonzero(np.bincount(indices.ravel(), minlength=256)).tolist()
    palette = [tuple(colours[3 * index : 3 * index + 3]) for index in present]
    if not 2 <= len(set(palette)) == len(palette) <= MOST_COLOURS:
        raise _refused(f"A master has 2 to {MOST_COLOURS} different colours; this picture has {len(palette)}.")
    notes = []
    roles = [int(word) for word in about.get("Roles", "").split() if word in _ROLES]
    if len(roles) > max(present) and len({roles[index] for index in present}) == len(present):
        roles = [roles[index] for index in present]
    else:
        by_area = np.argsort(-np.bincount(indices.ravel(), minlength=256)[present], kind="stable")
        roles = np.argsort(by_area).tolist()
        notes.append("The picture does not say what each colour is for: the largest area is taken for the ground.")
    layout = about.get("Layout", "")
    if layout not in set(Layout):
        layout = Layout.STRAIGHT
        notes.append("The picture does not say how its repeats are set: it is read as a straight repeat.")
    resolution = about.get("dpi")
    across, down = resolution if isinstance(resolution, tuple) else (0.0, 0.0)  # a text chunk may be called so too
    if not (10 < across < 10_000 and 10 < down < 10_000):
        across = down = 300.0
        notes.append("The picture does not say how large it is: it is read at 300 dots per inch.")
    table = np.zeros(256, np.uint8)
    table[present] = np.arange(len(present))
    height, width = indices.shape
    return Raster(
        indices=table[indices],
        palette=Palette(tuple("#{:02x}{:02x}{:02x}".format(*colour) for colour in palette)),
        repeat=Repeat(width / across * MM_PER_INCH, height / down * MM_PER_INCH, Layout(layout)),
        seed=0,
        origin="a file",
        roles=tuple(roles),
        notes=tuple(notes),
    )


def _read_palette_picture(data: bytes) -> tuple[NDArray[np.uint8], list[int], dict[str, Any]]:
    """((H, W) indices, colours as one list of R, G, B, what the file says about itself) of an untrusted indexed PNG."""
    unreadable = "The picture can't be read: give an indexed PNG, such as a master that was drawn here."
    if len(data) > MOST_BYTES:
        raise _refused(f"The file has {len(data) / 1e6:.0f} MB; 40 MB are read at most. Give a smaller one.")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            with Image.open(io.BytesIO(data), formats=("PNG",)) as picture:
                width, height = picture.size
                if picture.mode != "P" or getattr(picture, "n_frames", 1) > 1:
                    raise _refused(unreadable)
                if width * height > MOST_MASTER_PIXELS or min(width, height) < FEWEST_PX:
                    raise _refused(
                        f"The picture has {width} x {height} pixels; a master has at least {FEWEST_PX} each way and "
                        f"{MOST_MASTER_PIXELS / 1e6:.0f} megapixels at most."
                    )
                picture.load()
                indices, colours = np.array(picture, np.uint8), picture.getpalette() or []
                if 3 * int(indices.max()) >= len(colours):
                    raise _refused(unreadable)
                return indices, colours, dict(picture.info)
        except UnreadableImage:
            raise
        except Exception as error:  # see read_reference
            raise _refused(unreadable) from error


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


def read_png(data: bytes) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 of a file written by `png_of`, however large."""
    with Image.open(io.BytesIO(data), formats=("PNG",)) as picture:
        return np.array(picture, np.uint8)


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
