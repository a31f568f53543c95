"""A picture of the repeat that shows a designer where the print will differ from the screen, and how much."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from generation.domain.pattern import Raster
from production.domain.finding import Finding, wrong_document
from production.domain.gamut import SEEN_DELTA_E, STEPS, heat, measure
from production.domain.picture import Picture
from production.domain.spec import PRINT
from production.errors import MapForPrintOnly
from production.ports import Manifest, RenderJob, WrittenFile
from production.preview import cloth_picture
from production.proof import differences

MAP_PX = 1000  # the width of the map
_FONTS = Path(__file__).parent / "documents" / "fonts"
_MARGIN, _LINE, _SWATCH = 24, 30, 22
_INK, _QUIET = "#1d2733", "#5b6673"
_TOLERANCE = 0.02  # of the area: the map is a small copy


def gamut_png(job: RenderJob, design: Raster | Picture, files: Sequence[WrittenFile] = ()) -> bytes:
    """The map as PNG with its legend below; the same job gives the same bytes. Raises MapForPrintOnly."""
    inks, separation = job.spec.inks, job.assessment.separation
    if inks is None or separation is None:
        raise MapForPrintOnly(fields={"field": "formats", "measured": job.spec.kind, "limit": PRINT})
    delta_e = job.assessment.differences  # in tones, the pixels that were asked for may be gone by now
    if delta_e is None:
        delta_e = differences(design, inks, separation)
    repeat = job.spec.repeat
    size = (MAP_PX, max(1, round(MAP_PX * repeat.height_mm / repeat.width_mm)))
    drawn = Image.fromarray(heat(delta_e)).resize(size, Image.Resampling.NEAREST)
    rows = len(STEPS)
    sheet = Image.new("RGB", (MAP_PX, size[1] + 2 * _MARGIN + (3 + rows) * _LINE), "white")
    sheet.paste(drawn, (0, 0))
    pen = ImageDraw.Draw(sheet)
    top = size[1] + _MARGIN
    found = measure(delta_e.ravel())
    says = f"{1 - found.beyond:.0%} of this repeat prints in the colours of the screen"
    pen.text((_MARGIN, top), says, font=_font("Bold", 24), fill=_INK)
    about = f"{job.reference} r{job.revision}, {job.spec.name}: how far the print is from the screen"
    for k, words in enumerate((about, f"By the colour profile {inks.profile.name}")):
        pen.text((_MARGIN, top + _LINE + k * 24), words, font=_font("Regular", 17), fill=_QUIET)
    top += 3 * _LINE
    ends = [*(start for start, *_ in STEPS[1:]), None]
    for k, ((start, words, colour), end) in enumerate(zip(STEPS, ends, strict=True)):
        y = top + k * _LINE
        pen.rectangle((_MARGIN, y, _MARGIN + 2 * _SWATCH, y + _SWATCH), fill=colour, outline=_QUIET)
        share = float(((delta_e > start) | (start == 0)).mean() - (0 if end is None else (delta_e > end).mean()))
        limits = f"ΔE up to {end:g}" if start == 0 else f"ΔE over {start:g}"
        pen.text((_MARGIN + 2 * _SWATCH + 14, y - 2), words, font=_font("Semibold", 19), fill=_INK)
        pen.text((_MARGIN + 300, y - 1), limits, font=_font("Regular", 18), fill=_QUIET)
        pen.text(
            (_MARGIN + 520, y - 1), f"{share:.1%} of the area", font=_font("Regular", 18), fill=_QUIET, anchor="ra"
        )
    small = _thumbnail(design, len(STEPS) * _LINE)
    sheet.paste(small, (MAP_PX - _MARGIN - small.width, sheet.height - _MARGIN - small.height))
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG")
    return buffer.getvalue()


def _thumbnail(design: Raster | Picture, height_px: int) -> Image.Image:
    """One repeat as it was asked for, so that the places on the map can be told."""
    colours = design.palette.rgb() if isinstance(design, Raster) else np.zeros((0, 3), np.uint8)
    width_px = min(300, max(16, round(height_px * design.repeat.width_mm / design.repeat.height_mm)))
    return Image.fromarray(cloth_picture(design, columns=1, rows=1, width_px=width_px, colours=colours))


def check_gamut(path: Path, manifest: Manifest) -> list[Finding]:
    """The map is a whole picture of the repeat's shape, and shows the share that the manifest's finding says."""
    try:
        with Image.open(path, formats=("PNG",)) as picture:
            pixels = np.asarray(picture.convert("RGB"))
    except (OSError, SyntaxError) as error:
        return [wrong_document(path.name, "picture", str(error), "a PNG", "can't be read")]
    width_mm, height_mm = manifest["repeat"]["finished_mm"]
    height = round(pixels.shape[1] * height_mm / width_mm)
    if height >= len(pixels):
        return [
            wrong_document(
                path.name, "shape", f"{pixels.shape[1]} x {len(pixels)} px", f"{width_mm} x {height_mm} mm", "is cut"
            )
        ]
    drawn = pixels[:height].astype(np.uint32)
    packed = drawn[..., 0] << 16 | drawn[..., 1] << 8 | drawn[..., 2]
    legend = [int(colour[1:], 16) for *_, colour in STEPS]
    counts = [int((packed == colour).sum()) for colour in legend]
    if strange := packed.size - sum(counts):
        return [
            wrong_document(path.name, "colours", f"{strange} px", "0 px", "shows colours that are not in its legend")
        ]
    shares = [count / packed.size for count in counts]
    beyond = sum(share for share, (start, *_) in zip(shares, STEPS, strict=True) if start >= SEEN_DELTA_E)
    said = next(each["measured"] for each in manifest["assessment"]["findings"] if each["code"] == "gamut")
    meant = float(said.rsplit("; ", 1)[1].split("%")[0]) / 100
    if abs(beyond - meant) > _TOLERANCE:
        return [wrong_document(path.name, "area that differs", f"{beyond:.1%}", f"{meant:.1%}", "shows another design")]
    return []


def _font(weight: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(_FONTS / f"SourceSansPro-{weight}.ttf"), size)
