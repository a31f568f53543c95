"""Pieces that several documents show: the repeat as it stands, the cloth's width, colours, days, lines to fill in."""

from __future__ import annotations

import math
from datetime import date, datetime
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from reportlab.lib.colors import HexColor, white
from reportlab.lib.utils import ImageReader

from generation.domain.pattern import Layout, Raster
from production.documents.page import (
    ACCENT,
    BOLD,
    INK,
    LINE,
    MARGIN,
    QUIET,
    STRONG,
    Page,
    box,
    code_128,
    label,
    mm,
    qr_code,
    rule,
    text,
)
from production.domain.colour import lab_to_srgb
from production.domain.picture import Picture
from production.domain.spec import LineSpec
from production.ports import RenderJob
from production.preview import cloth_picture

DOTS_PER_INCH = 220  # of the pictures in a document
MOST_COPIES = 12  # of a repeat along one side of a picture of repeats
LEAST_REPEAT_PX = 8  # a repeat that is drawn smaller than this shows nothing
LAYOUT_WORDS = {
    Layout.STRAIGHT: "straight",
    Layout.HALF_DROP: "half-drop",
    Layout.THIRD_DROP: "third-drop",
    Layout.HALF_BRICK: "half-brick",
    Layout.MIRROR: "mirror",
}


def drop_in_words(layout: Layout) -> str:
    """By what share of the repeat its neighbours stand lower or aside.

    >>> drop_in_words(Layout.THIRD_DROP)
    'each column 1/3 lower'
    """
    if layout.drop:
        return f"each column {layout.drop} lower"
    return f"each row {layout.shift} aside" if layout.shift else "none"


def shrinkage_words(spec: LineSpec) -> str:
    """How much the cloth shrinks; of woven cloth the contraction is in the crimp of its yarns."""
    if spec.weaving is not None and not spec.shrink_warp and not spec.shrink_weft:
        return "in the crimp of the yarns"
    return f"length {spec.shrink_warp * 100:g} %, width {spec.shrink_weft * 100:g} %"


def made_colours(job: RenderJob) -> list[str]:
    """What each colour of the palette becomes on the cloth, as '#rrggbb': by the colour profile, or by the yarns."""
    return ["#" + bytes(colour).hex() for colour in _made(job).tolist()]


def made_lab(job: RenderJob) -> NDArray[np.float64]:
    """(K, 3) L*a*b* D50 of each colour of the palette as it is expected on the cloth."""
    return job.assessment.made_lab


def head(page: Page, job: RenderJob, title: str) -> float:
    """The head of a page that follows the cloth, with its two codes; returns where the rest begins."""
    top = page.height - 9 * mm
    qr = 30 * mm
    qr_code(page, page.width - MARGIN - qr + 3 * mm, top - qr + 3 * mm, job.url or job.name, size=qr)
    left = page.inner - qr - 1 * mm
    text(page, MARGIN, top - 3.5 * mm, job.shop or "Weftline", font=STRONG, size=9.5, colour=QUIET, width=80 * mm)
    text(page, MARGIN + left, top - 3.5 * mm, title, font=BOLD, size=9.5, colour=ACCENT, align="right")
    text(page, MARGIN, top - 13.5 * mm, job.reference, font=BOLD, size=26, width=80 * mm)
    text(page, MARGIN, top - 19.3 * mm, f"Revision {job.revision}", font=STRONG, size=10)
    order = f"Order {job.order}" if job.order else ""
    text(page, MARGIN + 22 * mm, top - 19.3 * mm, order, size=10, colour=QUIET, width=55 * mm)
    text(page, MARGIN, top - 24.5 * mm, job.customer, font=STRONG, size=11.5, width=left - 70 * mm)
    code_128(page, MARGIN + left - 68 * mm, top - 20.5 * mm, job.name, width=68 * mm, height=13 * mm)
    text(page, MARGIN + left, top - 24.3 * mm, job.name, size=8, colour=QUIET, align="right", width=68 * mm)
    return top - 28 * mm


def repeats(page: Page, design: Raster | Picture, job: RenderJob, x: float, y: float, side: float) -> None:
    """A square of cloth at least two repeats wide and high, its foot at y, the repeats drawn as they stand."""
    repeat = job.spec.repeat
    side_mm = min(2 * max(repeat.width_mm, repeat.height_mm), MOST_COPIES * min(repeat.width_mm, repeat.height_mm))
    scale = side / side_mm
    tile_w, tile_h = repeat.width_mm * scale, repeat.height_mm * scale
    columns, rows = (max(1, math.ceil(side / length - 1e-6)) for length in (tile_w, tile_h))
    top = y + side
    page.saveState()
    _clip(page, x, y, side, side)
    _draw(page, design, job, columns, rows, (x, top - rows * tile_h, columns * tile_w, rows * tile_h))
    for column in range(-1, columns + 1):
        for row in range(-1, rows + 1):
            tile_x = x + (column + float(row * repeat.layout.shift % 1)) * tile_w
            tile_y = top - (row + 1 + float(column * repeat.layout.drop % 1)) * tile_h
            _outline(page, tile_x, tile_y, tile_w, tile_h, strong=False)
    _outline(page, x, top - tile_h, tile_w, tile_h, strong=True)
    page.restoreState()
    box(page, x, y, side, side)


def panel(
    page: Page, design: Raster | Picture, job: RenderJob, x: float, y: float, width: float, height: float
) -> float:
    """The whole width of the cloth to scale, selvedges bare, its foot at y; returns the scale as 1 : n."""
    spec = job.spec
    scale = width / spec.width_mm  # points per millimetre
    usable = spec.usable_width_mm * scale
    columns = max(1, math.ceil(job.assessment.repeats_across - 1e-6))
    tile_w = usable / job.assessment.repeats_across
    tile_h = tile_w * spec.repeat.height_mm / spec.repeat.width_mm
    rows = max(1, math.ceil(height / tile_h - 1e-6))
    left, top = x + (width - usable) / 2, y + height
    page.setFillColor(white)
    page.rect(x, y, width, height, stroke=0, fill=1)
    page.saveState()
    _clip(page, left, y, usable, height)
    _draw(page, design, job, columns, rows, (left, top - rows * tile_h, columns * tile_w, rows * tile_h))
    page.restoreState()
    box(page, x, y, width, height)
    return float(mm / scale)


def swatch(page: Page, x: float, y: float, width: float, height: float, *colours: str) -> None:
    """Patches of '#rrggbb' side by side in a frame, their foot at y."""
    for number, colour in enumerate(colours):
        page.setFillColor(HexColor(colour))
        page.rect(x + number * width / len(colours), y, width / len(colours), height, stroke=0, fill=1)
    box(page, x, y, width, height)


def to_fill(page: Page, x: float, y: float, width: float, name: str, *, size: float = 8.2) -> None:
    """A line that is filled in by hand, with its name before it."""
    text(page, x, y, name, size=size, colour=QUIET)
    start = x + 1.5 * mm + page.stringWidth(name, STRONG, size)
    rule(page, start, y - 0.6 * mm, max(0.0, x + width - start), colour=QUIET, weight=0.4)


def tick(page: Page, x: float, y: float, name: str, *, size: float = 8.6) -> None:
    """A box to tick with its name behind it."""
    box(page, x, y - 0.7 * mm, 3.4 * mm, 3.4 * mm, fill=white)
    text(page, x + 5 * mm, y, name, size=size)


def sign(page: Page, x: float, y: float, width: float, name: str, *, height: float = 9 * mm) -> None:
    """A field for a signature or a note, its foot at y."""
    box(page, x, y, width, height, fill=white)
    label(page, x + 1.5 * mm, y + height - 2.8 * mm, name)


def moment_in_words(moment: datetime, tz: str) -> str:
    """A moment where the mill is."""
    local = moment.astimezone(ZoneInfo(tz))
    return f"{local:%a %d %b %Y %H:%M} {tz}"


def day_in_words(day: date) -> str:
    """A day as people write it.

    >>> day_in_words(date(2026, 12, 2))
    'Wed 2 Dec 2026'
    """
    return f"{day:%a} {day.day} {day:%b %Y}"


def _made(job: RenderJob) -> NDArray[np.uint8]:
    return lab_to_srgb(job.assessment.made_lab)


def _draw(
    page: Page,
    design: Raster | Picture,
    job: RenderJob,
    columns: int,
    rows: int,
    where: tuple[float, float, float, float],
) -> None:
    """So many repeats of the design in a rectangle (x, y, width, height) of points."""
    width_px = max(round(where[2] / 72 * DOTS_PER_INCH), LEAST_REPEAT_PX * columns)
    picture = cloth_picture(design, columns=columns, rows=rows, width_px=width_px, colours=_made(job))
    page.drawImage(ImageReader(Image.fromarray(picture)), *where)


def _clip(page: Page, x: float, y: float, width: float, height: float) -> None:
    path = page.beginPath()
    path.rect(x, y, width, height)
    page.clipPath(path, stroke=0)


def _outline(page: Page, x: float, y: float, width: float, height: float, *, strong: bool) -> None:
    """A repeat's edge that shows on dark and light designs: white below, dark above."""
    styles = ((white, 2.4, ()), (INK, 1.1, ())) if strong else ((white, 1.2, ()), (INK, 0.5, (3, 3)))
    for colour, weight, dash in styles:
        page.setStrokeColor(colour)
        page.setLineWidth(weight)
        page.setDash(*(dash or ([], 0)))
        page.rect(x, y, width, height, stroke=1, fill=0)
    page.setDash([], 0)
    page.setStrokeColor(LINE)
