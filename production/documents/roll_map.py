"""The map of an inspected roll: the cloth as it was scanned from head to end, its defects by number, what is cut out.

The roll runs from left to right, its head on the left and its left edge at the foot.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image
from reportlab.lib.colors import Color, HexColor, white
from reportlab.lib.utils import ImageReader

from production.documents.page import BOLD, LINE, MARGIN, PANEL, QUIET, STRONG, Page, box, mm, text
from production.domain.grading import Fault, Piece
from production.inspection.outcome import Scanned, is_shown
from production.inspection.pictures import RGB, Strip

GOOD: Final = HexColor("#2c6e49")
BAD: Final = HexColor("#b3261e")
WARN: Final = HexColor("#8a5a00")
# Points of a metre, from none to four: darker is worse, and each tells its number too.
POINTS: Final = tuple(HexColor(code) for code in ("#e3efe8", "#f3e6c4", "#ecc98a", "#dd9a62", "#b3261e"))

UNSEEN: Final = HexColor("#d5d7d9")

MOST_ROWS: Final = 5
TALLEST: Final = 62 * mm  # a row's cloth
LEAST_TALL: Final = 7 * mm
CELLS, PIECES, SCALE, GAP = 5 * mm, 3 * mm, 4.5 * mm, 3 * mm  # heights of what stands around a row's cloth
DPI: Final = 170  # of the pictures in the map
CLOSE: Final = 3.2 * mm  # numbers of defects stand no closer than this


@dataclass(frozen=True)
class Roll:
    """What a map shows."""

    length_mm: float
    width_mm: float
    per_metre: Sequence[int]  # points
    faults: Sequence[Fault]
    pieces: Sequence[Piece]  # that are delivered
    strips: Sequence[Strip]
    scans: Sequence[Scanned]


@dataclass(frozen=True)
class _Row:
    """A row: from and to in mm along the roll, and points of paper per mm of cloth."""

    from_mm: float
    to_mm: float
    scale: float
    tall: float  # the cloth's height, points


def row_heights(roll: Roll, width: float) -> list[float]:
    """How high each row of the map stands, what is around its cloth included, in points."""
    return [CELLS + row.tall + PIECES + SCALE + GAP for row in _rows(roll, width)]


def draw_row(page: Page, roll: Roll, number: int, top: float) -> None:
    """One row of the map below `top`: points of each metre, the cloth with its defects, the pieces, the scale."""
    row = _rows(roll, page.inner)[number]
    foot = top - CELLS - row.tall
    long = (row.to_mm - row.from_mm) * row.scale
    _points(page, roll, row, top)
    page.saveState()
    path = page.beginPath()
    path.rect(MARGIN, foot, long, row.tall)
    page.clipPath(path, stroke=0)
    page.setFillColor(PANEL)
    page.rect(MARGIN, foot, long, row.tall, stroke=0, fill=1)
    for strip in roll.strips:
        if strip.to_mm > row.from_mm and strip.from_mm < row.to_mm:
            _strip(page, strip, row, foot)
    for fault in roll.faults:
        if fault.end_mm >= row.from_mm and fault.y_mm <= row.to_mm:
            _frame(page, fault, row, foot)
    page.restoreState()
    _numbers(page, [f for f in roll.faults if row.from_mm <= f.y_mm < row.to_mm], row, foot)
    box(page, MARGIN, foot, long, row.tall)
    _pieces(page, roll, row, foot - PIECES)
    _scale(page, row, foot - PIECES)


def _rows(roll: Roll, width: float) -> list[_Row]:
    """As few rows as show the cloth no higher than it may be, each of whole metres and of the same length."""
    fits_mm = 1.6 * roll.width_mm * width / TALLEST  # of a row that uses the paper's width well
    count = min(MOST_ROWS, max(1, math.ceil(roll.length_mm / fits_mm - 1e-9)))
    row_mm = roll.length_mm if count == 1 else 1000.0 * math.ceil(roll.length_mm / count / 1000 - 1e-9)
    count = max(1, math.ceil(roll.length_mm / row_mm - 1e-9))
    scale = min(width / row_mm, TALLEST / roll.width_mm)
    tall = max(LEAST_TALL, roll.width_mm * scale)
    return [_Row(each * row_mm, min(roll.length_mm, (each + 1) * row_mm), scale, tall) for each in range(count)]


def _points(page: Page, roll: Roll, row: _Row, top: float) -> None:
    """A cell for each metre with its points."""
    size = min(7.6, 0.75 * 1000 * row.scale)
    for metre, points in enumerate(roll.per_metre):
        start, end = max(1000.0 * metre, row.from_mm), min(1000.0 * (metre + 1), row.to_mm)
        if end - start < 1e-6:
            continue
        x, wide = MARGIN + (start - row.from_mm) * row.scale, (end - start) * row.scale
        seen = points > 0 or is_shown(roll.scans, start, end)
        page.setFillColor(POINTS[min(points, 4)] if seen else UNSEEN)
        page.setStrokeColor(white)
        page.setLineWidth(0.6)
        page.rect(x, top - CELLS + 0.8 * mm, wide, CELLS - 0.8 * mm, stroke=1, fill=1)
        if size >= 4 and wide > 4:
            colour = white if points >= 4 else HexColor("#16212b")
            text(
                page,
                x + wide / 2,
                top - CELLS + 2 * mm,
                str(points) if seen else "?",
                font=BOLD,
                size=size,
                align="centre",
                colour=colour,
            )


def _strip(page: Page, strip: Strip, row: _Row, foot: float) -> None:
    turned = np.rot90(strip.scan)  # the head to the left, the left edge to the foot
    x = MARGIN + (strip.from_mm - row.from_mm) * row.scale
    wide, tall = (strip.to_mm - strip.from_mm) * row.scale, (strip.right_mm - strip.left_mm) * row.scale
    picture = small(turned, wide, tall)
    page.drawImage(ImageReader(picture), x, foot + strip.left_mm * row.scale, wide + 0.15, tall)


def small(picture: RGB, wide: float, tall: float) -> Image.Image:
    """The picture with no more pixels than so many points of paper can show."""
    most = (max(1, round(wide / 72 * DPI)), max(1, round(tall / 72 * DPI)))
    image = Image.fromarray(np.ascontiguousarray(picture))
    size = (min(most[0], image.width), min(most[1], image.height))
    return image if size == image.size else image.resize(size, Image.Resampling.BOX)


def _frame(page: Page, fault: Fault, row: _Row, foot: float) -> None:
    """A frame that shows on any cloth: white below, red above; never smaller than can be seen."""
    x = MARGIN + (fault.y_mm - row.from_mm) * row.scale
    y = foot + fault.x_mm * row.scale
    wide, tall = fault.height_mm * row.scale, fault.width_mm * row.scale
    grow_x, grow_y = max(0.0, 3 - wide) / 2 + 0.6, max(0.0, 3 - tall) / 2 + 0.6
    for colour, weight in ((white, 1.9), (BAD, 0.9)):
        page.setStrokeColor(colour)
        page.setLineWidth(weight)
        page.rect(x - grow_x, y - grow_y, wide + 2 * grow_x, tall + 2 * grow_y, stroke=1, fill=0)


def _numbers(page: Page, faults: Sequence[Fault], row: _Row, foot: float) -> None:
    """The first number of each fault in a white tag; where there are too many for the room, of the worst."""
    taken: list[tuple[float, float]] = []
    long = (row.to_mm - row.from_mm) * row.scale
    for fault in sorted(faults, key=lambda each: (-each.points, each.numbers)):
        wide = 3.2 + 3.1 * len(str(fault.numbers[0]))
        x = MARGIN + (fault.y_mm + fault.height_mm / 2 - row.from_mm) * row.scale
        x = min(max(x, MARGIN + wide / 2), MARGIN + max(long - wide / 2, wide / 2))
        above = foot + (fault.x_mm + fault.width_mm) * row.scale + 2.2
        y = above if above + 7 < foot + row.tall else max(foot + 0.5, foot + fault.x_mm * row.scale - 8.6)
        if any(abs(x - a) < max(CLOSE, wide) and abs(y - b) < CLOSE for a, b in taken):
            continue
        taken.append((x, y))
        page.setFillColor(white)
        page.setStrokeColor(BAD)
        page.setLineWidth(0.5)
        page.roundRect(x - wide / 2, y, wide, 6.6, 1.4, stroke=1, fill=1)
        text(page, x, y + 1.5, str(fault.numbers[0]), font=BOLD, size=5.6, colour=BAD, align="centre")


def _pieces(page: Page, roll: Roll, row: _Row, y: float) -> None:
    """What is delivered and what is not: told by place and hatching, not by colour alone."""
    page.saveState()
    path = page.beginPath()
    path.rect(MARGIN, y, (row.to_mm - row.from_mm) * row.scale, PIECES)
    page.clipPath(path, stroke=0)
    page.setFillColor(HexColor("#f7dedb"))
    page.rect(MARGIN, y + 0.5 * mm, (row.to_mm - row.from_mm) * row.scale, PIECES - 1 * mm, stroke=0, fill=1)
    page.setStrokeColor(BAD)
    page.setLineWidth(0.5)
    x = MARGIN
    while x < MARGIN + (row.to_mm - row.from_mm) * row.scale + PIECES:
        page.line(x - PIECES, y + 0.5 * mm, x, y + PIECES - 0.5 * mm)
        x += 2.4
    for piece in roll.pieces:
        left = MARGIN + (1000 * piece.from_m - row.from_mm) * row.scale
        wide = 1000 * (piece.to_m - piece.from_m) * row.scale
        page.setFillColor(GOOD)
        page.rect(left, y + 0.5 * mm, wide, PIECES - 1 * mm, stroke=0, fill=1)
    page.restoreState()


def _scale(page: Page, row: _Row, y: float) -> None:
    """Metres from the head of the roll."""
    per_m = 1000 * row.scale
    step = next((each for each in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50) if each * per_m >= 9 * mm), 100)
    page.setStrokeColor(LINE)
    page.setLineWidth(0.5)
    first = math.ceil(row.from_mm / 1000 / step - 1e-9)
    last = math.floor(row.to_mm / 1000 / step + 1e-9)
    for number in range(first, last + 1):
        x = MARGIN + (1000 * number * step - row.from_mm) * row.scale
        page.line(x, y, x, y - 1.2 * mm)
        align = "left" if number == first and x - MARGIN < 1 else "centre"
        text(page, x, y - 3.8 * mm, f"{number * step:g} m", size=6.6, colour=QUIET, align=align)


def legend(page: Page, y: float) -> None:
    """What the map's colours say."""
    x = MARGIN
    text(page, x, y, "Points of each metre", size=7, colour=QUIET)
    x += 27 * mm
    for points, colour in (*((str(number), each) for number, each in enumerate(POINTS)), ("?", UNSEEN)):
        page.setFillColor(colour)
        page.rect(x, y - 0.7 * mm, 4.6 * mm, 3.2 * mm, stroke=0, fill=1)
        text(page, x + 2.3 * mm, y, points, font=BOLD, size=6.4, align="centre",
             colour=white if points == "4" else HexColor("#16212b"))  # fmt: skip
        x += 5 * mm
    text(page, x + 0.5 * mm, y, "not scanned", size=7, colour=QUIET)
    x += 0.5 * mm + page.stringWidth("not scanned", STRONG, 7)
    marks: Mapping[str, Color] = {"delivered": GOOD, "not delivered": BAD}
    for words, colour in marks.items():
        x += 5 * mm
        page.setFillColor(colour if colour is GOOD else HexColor("#f7dedb"))
        page.rect(x, y - 0.3 * mm, 7 * mm, 2 * mm, stroke=0, fill=1)
        if colour is BAD:
            page.setStrokeColor(BAD)
            page.setLineWidth(0.5)
            for offset in (1, 3, 5):
                page.line(x + offset * mm, y - 0.3 * mm, x + (offset + 1) * mm, y + 1.7 * mm)
        text(page, x + 8 * mm, y, words, size=7, colour=QUIET)
        x += 8 * mm + page.stringWidth(words, STRONG, 7)
    text(page, page.width - MARGIN, y, "head on the left, left edge at the foot", size=7, colour=QUIET, align="right")
