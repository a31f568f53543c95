"""Any picture a customer sends, read by stated rules: converted with a finding, or refused with a sentence.

* PNG, TIFF, JPEG, WebP, BMP and PSD (its flattened picture, 8 bit) are read, of 1, 8 or 16 bit, grey, RGB, palette,
  Lab or CMYK, with transparency or without. One page. The size is looked at before anything is decoded.
* Colours become sRGB, relative colorimetric with black point compensation, by the embedded ICC profile. RGB and grey
  without a profile are taken as sRGB. Lab needs none: it is taken under D50. CMYK without a profile is refused: what
  its numbers look like is not known. So is a profile that does not fit the picture, or that is none of a device.
* Transparent places are laid on white. A camera's turn is done.
* No more colours than the line can be made in flat colours, counted exactly: an indexed design, the most common colour
  first. More: a picture in tones. 16 bits stay 16. A loom has one weave for each colour, so a picture in tones is
  brought down to its main colours, or to the shades of a loom whose weaves are shaded satins.
* The picture is brought to the repeat's whole pixels as the repeat closes on the cloth: tones by Lanczos, colours by
  which one covers most. Exact sizes stay as they are.
"""

from __future__ import annotations

import io
import math
import struct
import warnings
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyvips
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageCms

from generation.domain.finish import pad_by_layout
from generation.domain.pattern import MM_PER_INCH, IndexArray, Palette, Raster, Repeat
from generation.domain.reduction import reduce_colours
from production.domain.finding import Finding, Severity
from production.domain.picture import Picture
from production.domain.spec import WEAVE, LineSpec
from production.domain.weave import weaves_tones
from production.drafting import raster_of
from production.errors import (
    PictureColoursUnknown,
    PictureOutOfProportion,
    PictureProfileUnusable,
    PictureTooCoarse,
    PictureTooLarge,
    PictureTooSmall,
    PictureUnreadable,
    SeveralPictures,
)

MOST_SIDE_PX = 30_000
MOST_PIXELS = 100_000_000
FEWEST_PX = 16  # a side; the smallest in which anything is drawn
SHARP_DPI, LEAST_DPI = 150.0, 72.0  # at the printed size: below the first it looks soft, below the second like squares
SHARP_THREADS, LEAST_THREADS = 0.5, 0.25  # pixels for each thread of a woven repeat
SAME_PROPORTION, LEAST_PROPORTION = 0.01, 0.10  # how far width : height may differ: unseen, and at all
WHITE = {"uchar": 255, "ushort": 65535}

_SPACES = {"RGB ": "RGB", "GRAY": "grey", "CMYK": "CMYK", "Lab ": "Lab"}
_CLASSES = {"scnr", "mntr", "prtr", "spac"}  # of a device, or a space: the others say nothing of a picture's colours
_CLASS_WORDS = {"link": "a device link", "abst": "an abstract profile", "nmcl": "a list of named colours"}
_PROXY_PX = 384
_MOST_PROFILE_BYTES = 16_000_000
_BAND_ROWS = 512
_T = TypeVar("_T")


@dataclass(frozen=True)
class _Opened:
    """A picture whose header was read."""

    colours: pyvips.Image  # 1, 3 or 4 bands uchar or ushort; Lab in float
    space: str  # RGB, grey, CMYK or Lab
    wide: bool  # 16 bit
    alpha: pyvips.Image | None
    profile: bytes | None


def read_picture(source: bytes | Path, *, spec: LineSpec) -> tuple[Raster | Picture, tuple[Finding, ...]]:
    """The design in a picture file at exactly the pixels of `spec`, and what was done to it, one finding each.

    Raises PictureUnreadable, PictureTooLarge, PictureTooSmall, SeveralPictures, PictureColoursUnknown,
    PictureProfileUnusable, PictureTooCoarse or PictureOutOfProportion; the rules stand in the module's text.
    """
    data = source if isinstance(source, bytes) else source.read_bytes()
    opened, turned = _opened(data)
    rgb, colours = _as_srgb(opened)
    design, kind = _design(rgb, spec)
    del rgb
    fitted, size = fit_to(design, spec)
    findings = [*turned, *colours, *kind, *size]
    if isinstance(fitted, Picture) and spec.kind == WEAVE:
        fitted, reduced = _woven(fitted, spec)
        findings.append(reduced)
    notes = tuple(each.sentence for each in findings)
    return replace(fitted, notes=notes), tuple(findings)


def plain_picture(source: bytes | Path) -> NDArray[np.uint8]:
    """The pixels of a picture file, (H, W, 3) sRGB of 8 bit, whatever they are for. Raises what `read_picture` does."""
    data = source if isinstance(source, bytes) else source.read_bytes()
    opened, _ = _opened(data)
    rgb, _ = _as_srgb(opened)
    return _narrow(rgb)


def fit_to(design: Raster | Picture, spec: LineSpec) -> tuple[Raster | Picture, list[Finding]]:
    """`design` at exactly the pixels of `spec`, with what that did to it; the tile closes in the repeat's layout still.

    Raises PictureTooCoarse and PictureOutOfProportion.
    """
    size = (spec.width_px, spec.height_px)
    design = replace(design, repeat=spec.repeat)
    if (design.width_px, design.height_px) == size:
        return design, []
    findings = [_proportion(design, spec), _sharpness(design, spec)]
    if isinstance(design, Raster):
        design = replace(design, indices=_most_covering(design, size, spec.repeat))
    else:
        design = replace(design, rgb=_resized(design.rgb, size, spec.repeat))
    return design, [found for found in findings if found is not None]


def _opened(data: bytes) -> tuple[_Opened, list[Finding]]:
    kind = next((name for name, magic in _MAGIC.items() if magic(data)), None)
    if kind is None:
        raise PictureUnreadable(
            "The file is no picture that can be read: send PNG, TIFF, JPEG, WebP, BMP or PSD.",
            fields={"field": "picture", "measured": data[:8].hex(" "), "choices": list(_MAGIC)},
        )
    if kind in ("BMP", "PSD"):
        return _by_pillow(data, kind), []
    if kind == "TIFF" and _tiff_space(data) == "Lab8":  # libvips does not read these
        return _by_pillow(data, "TIFF"), []
    image = _read(lambda: _LOADERS[kind](pyvips.Source.new_from_memory(data), fail_on="truncated"))  # no copy of it
    _check_size(image.width, image.height)
    pages = image.get("n-pages") if image.get_typeof("n-pages") else 1
    if pages > 1 or (kind == "PNG" and b"acTL" in data[:1024]):
        raise _several(pages)
    if kind == "TIFF":
        opened = _tiff(image, _tiff_space(data))
    else:
        space = "CMYK" if image.interpretation == "cmyk" else "RGB" if image.bands > 2 else "grey"
        opened = _split(image, space, _png_profile(data) if kind == "PNG" else _profile_of(image))
    way = image.get("orientation") if image.get_typeof("orientation") else 1
    if not 2 <= way <= 8:
        return opened, []
    opened = replace(opened, colours=_turned(opened.colours, way), alpha=opened.alpha and _turned(opened.alpha, way))
    sentence = "The picture was turned upright, as the camera that took it says."
    return opened, [_said("picture_turned", sentence, f"orientation {way}")]


def _tiff_space(data: bytes) -> str:
    """The colour space that a TIFF file's tags name. Raises what `read_picture` does."""
    photometric, extra, bits, width, height, end = _read(lambda: _tiff_tags(data))
    _check_not_too_large(width, height)
    if not 0 < end <= len(data):  # libtiff makes do with what is there
        raise _broken(f"{len(data)} of {end} bytes")
    space = {0: "grey", 1: "grey", 2: "RGB", 3: "RGB", 5: "CMYK", 6: "RGB", 8: "Lab"}.get(photometric)
    if space is None:
        raise _unknown(f"colour space number {photometric} of TIFF", "Save it as RGB.")
    if 0 in extra:
        names = f"{len(extra)} more channel{'s' if len(extra) > 1 else ''} than its colours"
        raise _unknown(names, "Save it without extra channels; a spot colour comes from a palette picture.")
    return "Lab8" if space == "Lab" and bits == 8 else space


def _tiff_tags(data: bytes) -> tuple[int, list[int], int, int, int, int]:
    """(photometric interpretation, extra samples, bits of a sample, width, height, end of the pixels in the file)."""
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        page = file.pages.first
        end = max(int(at) + int(count) for at, count in zip(page.dataoffsets, page.databytecounts, strict=True))
        extra = [int(each) for each in page.extrasamples]
        return int(page.photometric), extra, int(page.bitspersample), int(page.imagewidth), int(page.imagelength), end


def _tiff(image: pyvips.Image, space: str) -> _Opened:
    if space != "Lab":
        return _split(image, space, _profile_of(image))
    lab = image.extract_band(0, n=3).copy(interpretation="labs").colourspace("lab")
    return _Opened(lab, "Lab", True, image[3].cast("ushort") if image.bands > 3 else None, None)


def _by_pillow(data: bytes, kind: str) -> _Opened:
    """BMP, PSD and 8-bit Lab TIFF."""
    if kind == "BMP" and len(data) > 26 and data[14] != 12:
        _check_not_too_large(*(abs(side) for side in struct.unpack("<ii", data[18:26])))
    if kind == "PSD" and len(data) > 26:
        height, width = struct.unpack(">II", data[14:22])
        _check_not_too_large(width, height)
        mode, depth = int.from_bytes(data[24:26], "big"), int.from_bytes(data[22:24], "big")
        if mode in (7, 8):
            raise _unknown("multichannel" if mode == 7 else "duotone", "Save it as RGB.")
        most = {1: 2, 3: 4, 4: 4, 9: 3}.get(mode, 1)  # with one for transparency, where it can be told
        channels = int.from_bytes(data[12:14], "big")
        if channels > most:
            raise _unknown(f"PSD of {channels} channels", "Save it without extra channels.")
        if depth in (16, 32):
            raise _unknown(f"PSD of {depth} bit", "Save it as TIFF, which is read with 16 bit too.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # sizes are held by our own measure
        picture: Image.Image = _read(lambda: Image.open(io.BytesIO(data), formats=(kind,)))
    _check_size(*picture.size)
    if kind == "PSD" and _without_flat_picture(picture):
        raise PictureUnreadable(
            "The PSD file holds layers but no flattened picture: save it for greatest compatibility, or as TIFF.",
            fields={"field": "picture", "measured": "layers only"},
        )
    _read(picture.load)
    profile = picture.info.get("icc_profile")
    if picture.mode == "LAB":
        code = np.asarray(picture)  # a* and b* with their sign, whatever the file has
        lab = np.dstack([code[..., :1] * np.float32(100 / 255), code[..., 1:].view(np.int8)]).astype(np.float32)
        return _Opened(_vips(lab, "lab"), "Lab", False, None, None)
    if picture.mode in ("1", "P"):
        picture = picture.convert("RGBA" if "transparency" in picture.info else "RGB" if picture.mode == "P" else "L")
    spaces = {"L": "grey", "LA": "grey", "RGB": "RGB", "RGBA": "RGB", "CMYK": "CMYK"}
    if picture.mode not in spaces:
        raise _unknown(f"mode {picture.mode}", "Save it as RGB.")
    pixels = np.asarray(picture)
    pixels = pixels if pixels.ndim == 3 else pixels[..., None]
    return _split(_vips(pixels, "multiband"), spaces[picture.mode], profile)


def _split(image: pyvips.Image, space: str, profile: bytes | None) -> _Opened:
    """Colours and transparency apart. Raises PictureColoursUnknown for other than 8 or 16 bit, or too many channels."""
    if image.format not in WHITE:
        words = {"float": "floating point", "double": "floating point", "char": "signed", "short": "signed"}
        raise _unknown(f"{words.get(image.format, image.format)} numbers", "Save it with 8 or 16 bit for each colour.")
    count = {"grey": 1, "RGB": 3, "CMYK": 4}[space]
    if not count <= image.bands <= count + 1:
        raise _unknown(f"{image.bands} channels", "Save it without extra channels.")
    wide = image.format == "ushort"
    interpretation = {"grey": ("b-w", "grey16"), "RGB": ("srgb", "rgb16"), "CMYK": ("cmyk", "cmyk")}[space][wide]
    colours = image.extract_band(0, n=count).copy(interpretation=interpretation)
    return _Opened(colours, space, wide, image[count] if image.bands > count else None, profile)


def _as_srgb(opened: _Opened) -> tuple[NDArray[Any], list[Finding]]:
    """((H, W, 3) uint8 or uint16 sRGB, what was done)."""
    image, findings = opened.colours, []
    if opened.profile is not None and opened.space != "Lab":
        name = _check_profile(opened.profile, opened.space)
        if opened.space != "RGB" or not _is_srgb(opened.profile):
            image = image.copy()
            image.set_type(pyvips.GValue.blob_type, "icc-profile-data", opened.profile)
            image = image.icc_transform(
                "srgb", embedded=True, intent="relative", black_point_compensation=True, depth=16
            )
            sentence = f"The picture's colours were converted from {name} to the screen's."
            findings.append(_said("picture_profile", sentence, f"{opened.space}, {name}"))
    elif opened.space == "Lab":
        image = image.icc_export(output_profile="srgb", intent="relative", black_point_compensation=True, depth=16)
        findings.append(_said("picture_profile", "The picture's Lab colours were converted to the screen's.", "Lab"))
    elif opened.space == "CMYK":
        raise PictureColoursUnknown(
            "The picture is in CMYK and does not say for which inks, so what its colours look like is not known. Send "
            "it with its colour profile embedded, or as RGB.",
            fields={"field": "picture", "measured": "CMYK without a profile", "limit": "an embedded ICC profile"},
        )
    else:
        sentence = "The picture names no colour profile: its colours are taken as those of a screen (sRGB)."
        findings.append(_said("picture_srgb", sentence, f"{opened.space} without a profile"))
    if image.bands == 1:
        image = image.bandjoin([image, image])
    rgb = _pixels(image)
    if rgb.dtype == np.uint16 and not opened.wide:
        rgb = _narrow(rgb)
    if opened.wide:
        findings.append(_said("picture_depth", "The picture has 16 bit for each colour, and keeps them.", "16 bit"))
    if opened.alpha is not None:
        alpha = _pixels(opened.alpha)[..., 0]
        full = WHITE[opened.alpha.format]
        share = float((alpha < full).mean())
        if share:
            rgb = _on_white(rgb, alpha, full)
            sentence = f"{share:.1%} of the picture is transparent: it was laid on white."
            findings.append(_said("picture_alpha", sentence, f"{share:.1%}", severity=Severity.WARNING))
    return rgb, findings


def _check_profile(profile: bytes, space: str) -> str:
    """The profile's name. Raises PictureProfileUnusable where it says nothing of such a picture's colours."""
    meant, kind = profile[16:20].decode("latin-1"), profile[12:16].decode("latin-1")
    if profile[36:40] != b"acsp" or len(profile) < 128:
        raise _unusable("no ICC profile", "The picture's colour profile is damaged")
    if kind not in _CLASSES:
        words = _CLASS_WORDS.get(kind, f"of class {kind!r}")
        raise _unusable(words, f"The picture's colour profile is {words}, which does not tell what its colours are")
    if _SPACES.get(meant) != space:
        words = f"for {meant.strip()}"
        raise _unusable(words, f"The picture is in {space}, but its colour profile is {words}")
    mode = {"RGB": "RGB", "grey": "L", "CMYK": "CMYK"}[space]
    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        ImageCms.buildTransform(
            opened, ImageCms.createProfile("sRGB"), mode, "RGB", ImageCms.Intent.RELATIVE_COLORIMETRIC
        )
        return ImageCms.getProfileDescription(opened).strip() or "its own profile"
    except (ImageCms.PyCMSError, OSError, ValueError) as error:
        words = "an output profile only" if kind == "prtr" else "incomplete"
        raise _unusable(words, "The picture's colour profile can't be turned into screen colours") from error


def _is_srgb(profile: bytes) -> bool:
    """Whether the profile changes no 8-bit colour by more than a rounding, tried on a grid."""
    steps = np.arange(0, 256, 15, dtype=np.uint8)
    grid = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(1, -1, 3)
    image = _vips(grid, "srgb")
    image.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
    made = _pixels(image.icc_transform("srgb", embedded=True, intent="relative", depth=16))
    return bool(np.abs(_narrow(made).astype(int) - grid).max() <= 1)


def _design(rgb: NDArray[Any], spec: LineSpec) -> tuple[Raster | Picture, list[Finding]]:
    """An indexed design where the colours are few enough, else a picture in tones."""
    most = spec.limits.max_colours
    few = _few_colours(rgb, most)
    if few is not None:
        indices, palette = few
        sentence = f"The picture has {len(palette)} colours: each is made exactly, without tones between them."
        said = _said("picture_colours", sentence, f"{len(palette)} colours", limit=f"{most} colours")
        return Raster(indices, palette, spec.repeat, seed=0, origin="a file"), [said]
    sentence = f"The picture has more than {most} colours: it is made in tones."
    said = _said("picture_colours", sentence, f"more than {most} colours", limit=f"{most} colours")
    return Picture(rgb, spec.repeat), [said]


def _few_colours(rgb: NDArray[Any], most: int) -> tuple[IndexArray, Palette] | None:
    """(indices (H, W), palette, the most common first) where there are no more than `most` colours of 8 bit."""
    if rgb.dtype == np.uint16:
        if any((rgb[top : top + _BAND_ROWS] % 257).any() for top in range(0, len(rgb), _BAND_ROWS)):
            return None
        rgb = (rgb // 257).astype(np.uint8)
    seen = np.zeros(1 << 24, bool)
    for top in range(0, len(rgb), _BAND_ROWS):
        seen[_packed(rgb[top : top + _BAND_ROWS])] = True
        if np.count_nonzero(seen) > most:
            return None
    values = np.flatnonzero(seen)
    number = np.zeros(1 << 24, np.uint8)
    number[values] = np.arange(len(values))
    indices = np.empty(rgb.shape[:2], np.uint8)
    for top in range(0, len(rgb), _BAND_ROWS):
        indices[top : top + _BAND_ROWS] = number[_packed(rgb[top : top + _BAND_ROWS])]
    order = np.argsort(-np.bincount(indices.ravel(), minlength=len(values)), kind="stable")
    place = np.argsort(order).astype(np.uint8)
    return place[indices], Palette(tuple(f"#{value:06x}" for value in values[order].tolist()))


def _packed(rgb: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Red, green and blue (..., 3) as one number (...)."""
    packed = rgb[..., 0].astype(np.uint32)
    for k in (1, 2):
        packed = (packed << np.uint32(8)) | rgb[..., k]
    return packed


def _woven(picture: Picture, spec: LineSpec) -> tuple[Raster, Finding]:
    """The picture as a loom can weave it: in the shades of its satins, or in its main colours."""
    if spec.weaving is None or not weaves_tones(spec.weaving.weaves):
        return _reduced(picture, spec.limits.max_colours)
    raster = raster_of(picture, spec)
    tones = len(raster.palette)
    sentence = f"The picture is woven in {tones} shades between {spec.weaving.warp.name} and {spec.weaving.weft.name}."
    return raster, _said("picture_tones", sentence, f"{tones} shades", limit=f"{tones} shades")


def _reduced(picture: Picture, most: int) -> tuple[Raster, Finding]:
    """The picture in its main colours, every pixel the one that looks most like it."""
    small = np.ascontiguousarray(_narrow(picture.rgb[:: _stride(picture.height_px), :: _stride(picture.width_px)]))
    palette = reduce_colours(small, most).palette
    steps = np.arange(2, 256, 4, dtype=np.uint8)  # 64 to a side: a table of colours, looked up for every pixel
    cells = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
    lab = Palette(tuple(f"#{r:02x}{g:02x}{b:02x}" for r, g, b in cells.tolist())).lab()
    gaps = np.stack([((lab - colour) ** 2).sum(axis=1) for colour in palette.lab()])
    nearest = gaps.argmin(axis=0).astype(np.uint8)
    indices = np.empty(picture.rgb.shape[:2], np.uint8)
    for top in range(0, picture.height_px, _BAND_ROWS):
        cell = (_narrow(picture.rgb[top : top + _BAND_ROWS]) >> 2).astype(np.uint32)
        indices[top : top + _BAND_ROWS] = nearest[cell[..., 0] << 12 | cell[..., 1] << 6 | cell[..., 2]]
    sentence = f"The picture was brought down to its {len(palette)} main colours: a loom has one weave for each."
    said = _said(
        "picture_reduced",
        sentence,
        f"{len(palette)} colours",
        limit=f"{most} weaves",
        severity=Severity.WARNING,
        remedy="Look at the preview; draw the design in few flat colours if it lost too much.",
    )
    return Raster(indices, palette, picture.repeat, seed=0, origin="a file"), said


def _stride(length: int) -> int:
    return max(1, length // _PROXY_PX)


def _proportion(design: Raster | Picture, spec: LineSpec) -> Finding | None:
    """None where the picture has the repeat's shape."""
    wanted = spec.repeat.width_mm / spec.repeat.height_mm
    off = abs(design.width_px / design.height_px / wanted - 1)
    measured = f"{design.width_px} x {design.height_px} px"
    limit = f"{spec.repeat.width_mm:.1f} x {spec.repeat.height_mm:.1f} mm"
    height_mm = spec.repeat.width_mm * design.height_px / design.width_px
    remedy = f"Ask for a repeat of {spec.repeat.width_mm:.1f} x {height_mm:.1f} mm, which has the picture's shape."
    if off > LEAST_PROPORTION:
        raise PictureOutOfProportion(
            f"The picture has {measured}; as a repeat of {limit} it would be drawn out by {off:.0%}. {remedy}",
            fields={"field": "repeat_mm", "measured": measured, "limit": limit},
        )
    if off <= SAME_PROPORTION:
        return None
    sentence = f"The picture has another shape than the repeat: it is drawn out by {off:.1%}."
    return _said("picture_proportion", sentence, measured, limit=limit, severity=Severity.WARNING, remedy=remedy)


def _sharpness(design: Raster | Picture, spec: LineSpec) -> Finding:
    """By how much the picture was resized, and how sharp that is."""
    if spec.kind == WEAVE:
        value = min(design.width_px / spec.width_px, design.height_px / spec.height_px)
        sharp, least, measured, unit = SHARP_THREADS, LEAST_THREADS, f"{value:.2f}", "pixels for each thread"
    else:
        printed_mm = (spec.printed_width_mm, spec.printed_height_mm)
        value = min(side / mm for side, mm in zip((design.width_px, design.height_px), printed_mm, strict=True))
        value *= MM_PER_INCH
        sharp, least, measured, unit = SHARP_DPI, LEAST_DPI, f"{value:.0f}", "dpi"
    if value < least:
        raise PictureTooCoarse(
            f"The picture has {measured} {unit} at this size; below {least:g} it would show its squares. Send one with "
            "more pixels, or make the repeat smaller.",
            fields={"field": "picture", "measured": f"{measured} {unit}", "limit": f"{least:g} {unit}"},
        )
    was, becomes = f"{design.width_px} x {design.height_px}", f"{spec.width_px} x {spec.height_px} px"
    soft = value < sharp
    return _said(
        "picture_resized",
        f"The picture of {was} px was brought to {becomes}" + (" and will look soft." if soft else "."),
        f"{measured} {unit}",
        limit=f"{sharp:g} {unit}",
        severity=Severity.WARNING if soft else Severity.INFO,
        remedy="Send a picture with more pixels, or make the repeat smaller." if soft else "",
    )


def _resized(rgb: NDArray[Any], size: tuple[int, int], repeat: Repeat) -> NDArray[Any]:
    """(height, width, 3) by Lanczos, of the dtype of `rgb`; what lies beyond the edges on the cloth is counted in."""
    out = np.empty((size[1], size[0], 3), rgb.dtype)
    for k in range(3):
        made = _plane(rgb[..., k], size, repeat, Image.Resampling.LANCZOS)
        out[..., k] = made if rgb.dtype == np.uint8 else np.clip(np.rint(made), 0, 65535)
    return out


def _most_covering(raster: Raster, size: tuple[int, int], repeat: Repeat) -> IndexArray:
    """(height, width) the colour that covers most of each pixel, its neighbours counted in by how near they are."""
    indices, best = np.zeros((size[1], size[0]), np.uint8), np.zeros((size[1], size[0]), np.uint8)
    for colour in range(len(raster.palette)):
        mask = (raster.indices == colour).view(np.uint8) * np.uint8(255)
        cover = _plane(mask, size, repeat, Image.Resampling.BILINEAR)
        more = cover > best
        indices[more], best[more] = colour, cover[more]
    return indices


def _plane(
    plane: NDArray[Any], size: tuple[int, int], repeat: Repeat, kernel: Image.Resampling
) -> NDArray[np.uint8] | NDArray[np.float32]:
    """One plane (H, W) resized to `size`: uint8 as such, uint16 in float."""
    height, width = plane.shape
    reach = 3 * max(1.0, width / size[0], height / size[1])
    pad = min(math.ceil(reach) + 1, width // 2, height // 2)
    plane = plane if plane.dtype == np.uint8 else plane.astype(np.float32)
    image = Image.fromarray(np.ascontiguousarray(pad_by_layout(plane, pad, repeat.layout)))
    resized = image.resize(size, kernel, box=(pad, pad, pad + width, pad + height))
    return np.asarray(resized)


def _on_white(rgb: NDArray[Any], alpha: NDArray[Any], full: int) -> NDArray[Any]:
    white = np.iinfo(rgb.dtype).max
    out = np.empty_like(rgb)
    for top in range(0, len(rgb), _BAND_ROWS):
        band = slice(top, top + _BAND_ROWS)
        cover = (alpha[band].astype(np.float32) / full)[..., None]
        out[band] = np.rint(rgb[band] * cover + white * (1 - cover))
    return out


def _narrow(rgb: NDArray[Any]) -> NDArray[np.uint8]:
    """8 bit of 8 or 16."""
    if rgb.dtype == np.uint8:
        return rgb
    return ((rgb.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _vips(pixels: NDArray[Any], interpretation: str) -> pyvips.Image:
    kind = {np.uint8: "uchar", np.uint16: "ushort", np.float32: "float"}[pixels.dtype.type]
    height, width, bands = pixels.shape
    image = pyvips.Image.new_from_memory(np.ascontiguousarray(pixels).tobytes(), width, height, bands, kind)
    return image.copy(interpretation=interpretation)


def _pixels(image: pyvips.Image) -> NDArray[Any]:
    """(H, W, bands). Raises PictureUnreadable where the file breaks off."""
    dtype = np.uint16 if image.format == "ushort" else np.uint8
    data = _read(image.write_to_memory)
    return np.frombuffer(data, dtype).reshape(image.height, image.width, image.bands)


def _read(step: Callable[[], _T]) -> _T:
    """What `step` gives. Raises PictureUnreadable for whatever a broken file gets out of a decoder."""
    try:
        return step()
    except MemoryError:
        raise
    except Exception as error:
        raise _broken(str(error).strip().splitlines()[0][:200] if str(error).strip() else "no picture") from error


def _broken(measured: str) -> PictureUnreadable:
    return PictureUnreadable(
        "The picture can't be read to its end: it is damaged or incomplete. Save it again, or send it once more.",
        fields={"field": "picture", "measured": measured},
    )


def _check_not_too_large(width: int, height: int) -> None:
    if max(width, height) > MOST_SIDE_PX or width * height > MOST_PIXELS:
        measured, limit = f"{width} x {height} px", f"{MOST_SIDE_PX} px a side, {MOST_PIXELS / 1e6:.0f} megapixels"
        raise PictureTooLarge(
            f"The picture has {measured}; {limit} are read at most. Send one repeat at 300 dpi, a very "
            "large one at 150.",
            fields={"field": "picture", "measured": measured, "limit": limit},
        )


def _check_size(width: int, height: int) -> None:
    _check_not_too_large(width, height)
    measured = f"{width} x {height} px"
    if min(width, height) < FEWEST_PX:
        raise PictureTooSmall(
            f"The picture has {measured}; {FEWEST_PX} px a side are the least in which anything is drawn. Send the "
            "design itself, at 300 dpi.",
            fields={"field": "picture", "measured": measured, "limit": f"{FEWEST_PX} px a side"},
        )


def _without_flat_picture(picture: Image.Image) -> bool:
    """Whether a PSD file says that it was saved without its flattened picture (image resource 1057)."""
    resources = {number: data for number, _, data in getattr(picture, "resources", [])}
    return len(resources.get(1057, b"")) > 4 and resources[1057][4] == 0


def _turned(image: pyvips.Image, way: int) -> pyvips.Image:
    image = image.copy()
    image.set_type(pyvips.GValue.gint_type, "orientation", way)
    return image.autorot()


def _profile_of(image: pyvips.Image) -> bytes | None:
    return bytes(image.get("icc-profile-data")) if image.get_typeof("icc-profile-data") else None


def _png_profile(data: bytes) -> bytes | None:
    """The profile in a PNG file as it stands there: libpng drops what it does not like without a word."""
    at = 8
    while at + 8 <= len(data) and (name := data[at + 4 : at + 8]) != b"IDAT":
        length = int.from_bytes(data[at : at + 4], "big")
        if name == b"iCCP":
            packed = data[at + 8 : at + 8 + length].split(b"\0", 1)[-1][1:]
            return _unpacked(packed)
        at += 12 + length
    return None


def _unpacked(packed: bytes) -> bytes:
    return _read(lambda: zlib.decompressobj().decompress(packed, _MOST_PROFILE_BYTES))


def _said(
    code: str,
    sentence: str,
    measured: str,
    *,
    limit: str = "sRGB",
    severity: Severity = Severity.INFO,
    remedy: str = "",
) -> Finding:
    return Finding(code, severity, "the picture", measured, limit, remedy, sentence)


def _several(pages: int) -> SeveralPictures:
    return SeveralPictures(
        "The file holds several pictures: send the one that is to be made, alone.",
        fields={"field": "picture", "measured": f"{pages} pictures", "limit": "1 picture"},
    )


def _unknown(measured: str, remedy: str) -> PictureColoursUnknown:
    return PictureColoursUnknown(
        f"What the picture's numbers mean as colours is not known: {measured}. {remedy}",
        fields={"field": "picture", "measured": measured, "limit": "grey, RGB, Lab or CMYK of 8 or 16 bit"},
    )


def _unusable(measured: str, sentence: str) -> PictureProfileUnusable:
    return PictureProfileUnusable(
        f"{sentence}. Send the picture as sRGB, or with the profile that it was made in.",
        fields={
            "field": "picture",
            "measured": measured,
            "limit": "an input, display or output profile of its colours",
        },
    )


_MAGIC: dict[str, Callable[[bytes], bool]] = {
    "PNG": lambda data: data.startswith(b"\x89PNG\r\n\x1a\n"),
    "TIFF": lambda data: data[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
    "JPEG": lambda data: data.startswith(b"\xff\xd8\xff"),
    "WebP": lambda data: data[:4] == b"RIFF" and data[8:12] == b"WEBP",
    "BMP": lambda data: data.startswith(b"BM"),
    "PSD": lambda data: data.startswith(b"8BPS\0\1"),
}
_LOADERS: dict[str, Callable[..., pyvips.Image]] = {
    "PNG": pyvips.Image.pngload_source,
    "TIFF": pyvips.Image.tiffload_source,
    "JPEG": pyvips.Image.jpegload_source,
    "WebP": pyvips.Image.webpload_source,
}
