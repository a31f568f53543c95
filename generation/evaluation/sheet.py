"""A sheet of drawings to look at: rows of cloth, two by two repeats each, with their words underneath or without."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from generation.backends.embedded import EmbeddedGenerator
from generation.domain.pattern import Limits, Palette, Raster, layout_tiling
from generation.evaluation.briefs import CONTACT_SHEET, Ask
from generation.evaluation.figures import Figure

SHEET = Path(__file__).resolve().parent / "contact_sheet.jpg"
WITHOUT_WORDS = "contact_sheet_blind.jpg"
ACROSS = 8
LIMITS = Limits(min_feature_mm=0.5)
SEED = 1
_REPEAT_PX = 1200
_CLOTH_PX = 280
_GAP_PX = 8
_WORDS_PX = 34
_TYPE_PX = 11
_JPEG_QUALITY = 84
_SAME_COLOUR = 15.0  # CIE76 under which an eye calls two colours by the same name


def contact_sheet(path: Path, *, asks: Sequence[Ask] = CONTACT_SHEET, seed: int = SEED) -> list[Raster]:
    """Draw every brief as a customer gets it; write the sheet with words at `path` and one without beside it."""
    generator = EmbeddedGenerator()
    rasters = [generator.generate(ask.brief(_REPEAT_PX), [seed], LIMITS)[0] for ask in asks]
    cloths = [cloth_of(raster) for raster in rasters]
    path.parent.mkdir(parents=True, exist_ok=True)
    for target, words in ((path, [ask.words for ask in asks]), (path.with_name(WITHOUT_WORDS), None)):
        Image.fromarray(laid_out(cloths, words, across=ACROSS)).save(target, quality=_JPEG_QUALITY, optimize=True)
    return rasters


def measure(path: Path = SHEET) -> list[Figure]:
    """Make the sheets; how a designer names what they show is for people to say, their colours are measured here."""
    rasters = contact_sheet(path)
    far = [colours_missed(raster, ask) for raster, ask in zip(rasters, CONTACT_SHEET, strict=True)]
    return [
        Figure("briefs drawn", float(len(rasters)), at_least=48),
        Figure("briefs of which every colour that was named stands in the design", float(sum(not m for m in far))),
        Figure("size of the sheet", path.stat().st_size / 1e6, "MB", at_most=1.5),
    ]


def colours_missed(raster: Raster, ask: Ask) -> list[str]:
    """The named colours of a brief that no colour of the design is near to (CIE76 15)."""
    expected = ask.expected()
    if expected is None:
        return []
    asked = expected.colours[: len(raster.palette)] if len(expected) == 8 else expected.colours
    distance = np.linalg.norm(Palette(asked).lab()[:, None] - raster.palette.lab()[None], axis=2)
    return [colour for colour, row in zip(asked, distance, strict=True) if row.min() > _SAME_COLOUR]


def cloth_of(raster: Raster, *, size_px: int = _CLOTH_PX) -> NDArray[np.uint8]:
    """(size_px, size_px, 3) uint8 sRGB: two by two repeats in their layout and colours."""
    cloth = layout_tiling(raster.palette.rgb()[raster.indices], raster.repeat.layout, 2, 2)
    return cv2.resize(np.ascontiguousarray(cloth), (size_px, size_px), interpolation=cv2.INTER_AREA).astype(np.uint8)


def laid_out(
    cloths: Sequence[NDArray[np.uint8]], words: Sequence[str] | None = None, *, across: int
) -> NDArray[np.uint8]:
    """(H, W, 3) uint8: square pictures of one size in rows of `across` on white, each with its words underneath."""
    side = cloths[0].shape[0]
    step_x, step_y = side + _GAP_PX, side + _GAP_PX + (_WORDS_PX if words else 0)
    rows = -(-len(cloths) // across)
    page = Image.new("RGB", (across * step_x + _GAP_PX, rows * step_y + _GAP_PX), "white")
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(size=_TYPE_PX)
    for number, cloth in enumerate(cloths):
        x, y = _GAP_PX + number % across * step_x, _GAP_PX + number // across * step_y
        page.paste(Image.fromarray(cloth), (x, y))
        if words:
            text = "\n".join(_broken(words[number], font, side))
            pen.multiline_text((x, y + side + 4), text, fill=(40, 40, 40), font=font, spacing=2)
    return np.array(page, np.uint8)


def _broken(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
