"""The provenance sheet: where a design comes from, what it is near to, and what people decided and did by hand."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from reportlab.lib.utils import ImageReader

from generation.domain.pattern import Raster
from production.documents.blocks import Block, broken, paragraph, rows
from production.documents.page import (
    ACCENT,
    BOLD,
    INK,
    MARGIN,
    QUIET,
    REGULAR,
    STRONG,
    Page,
    box,
    heading,
    label,
    lines_of,
    mm,
    open_page,
    rule,
    text,
)
from production.documents.parts import DOTS_PER_INCH, LAYOUT_WORDS, moment_in_words, swatch
from production.preview import cloth_picture

PICTURE = 62 * mm
NEAR = 25 * mm  # the side of a neighbour's picture
MOST_WORDS = 4  # lines of one entry
NO_ARCHIVE = "This shop has no other design yet."
NO_TRAINING = "It was compared with none: no training pictures are indexed on this server."

RGB = NDArray[np.uint8]
_rows = partial(rows, split=34 * mm, most=MOST_WORDS)


@dataclass(frozen=True)
class Colour:
    """A colour of the design by the part it plays, as drawn and as the cloth is expected to show it."""

    role: str
    drawn: str  # '#rrggbb'
    made: str


@dataclass(frozen=True)
class Near:
    """A known design that this one is near to."""

    name: str
    alike: float  # 0 nothing in common, 1 the same
    picture: RGB | None = None  # (H, W, 3) sRGB; None: it may not be shown


@dataclass(frozen=True)
class Entry:
    """Something that a person decided or did: when, who, what, and what they said of it."""

    at: datetime
    who: str
    what: str
    words: str = ""


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """All that the sheet says of a design."""

    shop: str
    reference: str
    design: str  # as people call it, such as design 2.1
    customer: str
    words: str
    issued: datetime
    tz: str
    paper: str
    sha256: str
    colours: Sequence[Colour]
    drawing: Sequence[tuple[str, str]]  # generator, fingerprint, seed, origin: name and value
    model: Sequence[tuple[str, str]]  # what its model card says; none: no model drew it
    archive: Sequence[Near]
    archive_size: int  # among how many designs of the shop was looked
    training: Sequence[Near]
    training_size: int
    same_from: float  # from this likeness on two designs count as one
    decisions: Sequence[Entry]
    edits: Sequence[Entry]
    rights: Sequence[tuple[str, str]]  # promised to whom, approved when: name and value
    notes: Sequence[str] = field(default=())


def provenance_pdf(design: Raster, sheet: Provenance) -> bytes:
    """The sheet as PDF of as many pages as it takes; the same values give the same bytes."""
    buffer = io.BytesIO()
    title = f"Provenance {sheet.reference}, {sheet.design}"
    page = open_page(buffer, title=title, subject=sheet.sha256, paper=sheet.paper)
    blocks = [
        _looks(page, design, sheet),
        *_rows(page, "How it was drawn", sheet.drawing),
        *_rows(page, "What the model was made of", sheet.model or [("Model", "none: no model drew this design")]),
        _near(page, "Nearest designs of this shop", sheet.archive, _compared(sheet, sheet.archive_size, NO_ARCHIVE)),
        _near(page, "Nearest training pictures", sheet.training, _compared(sheet, sheet.training_size, NO_TRAINING)),
        *_rows(page, "Whose it is", sheet.rights),
        *_entries(page, "Decisions", sheet.decisions, sheet.tz, "Nothing was decided about it yet."),
        *_entries(page, "What people did by hand", sheet.edits, sheet.tz, "Nothing: it stands as it was first drawn."),
        *_rows(page, "Notes of the generator", [("", note) for note in sheet.notes]),
    ]
    pages = broken(blocks, first=page.height - 34 * mm, others=page.height - 22 * mm)
    for number, here in enumerate(pages, start=1):
        y = _first_head(page, sheet) if number == 1 else _next_head(page, sheet)
        for height, draw in here:
            draw(page, y)
            y -= height
        _footer(page, sheet, number, len(pages))
        page.showPage()
    page.save()
    return buffer.getvalue()


def _first_head(page: Page, sheet: Provenance) -> float:
    top, right = page.height - 16 * mm, page.width - MARGIN
    text(page, MARGIN, top, sheet.shop or "Weftline", font=BOLD, size=15, width=105 * mm)
    text(page, right, top, "PROVENANCE", font=BOLD, size=10, colour=ACCENT, align="right")
    text(page, right, top - 6 * mm, f"{sheet.reference}, {sheet.design}", font=STRONG, size=10, align="right")
    issued = moment_in_words(sheet.issued, sheet.tz)
    text(page, right, top - 11 * mm, f"as it stood on {issued}", size=9, colour=QUIET, align="right")
    label(page, MARGIN, top - 8 * mm, "DRAWN FOR")
    text(page, MARGIN, top - 13 * mm, sheet.customer, font=STRONG, size=11.5, width=85 * mm)
    return top - 18 * mm


def _next_head(page: Page, sheet: Provenance) -> float:
    top = page.height - 14 * mm
    text(page, MARGIN, top, f"Provenance of {sheet.reference}, {sheet.design}", font=STRONG, size=9.5, colour=QUIET)
    rule(page, MARGIN, top - 2.5 * mm, page.inner)
    return top - 8 * mm


def _footer(page: Page, sheet: Provenance, number: int, of: int) -> None:
    rule(page, MARGIN, 12 * mm, page.inner)
    text(page, MARGIN, 8.2 * mm, f"sha256 {sheet.sha256}", size=7.4, colour=QUIET, width=page.inner - 24 * mm)
    text(page, page.width - MARGIN, 8.2 * mm, f"page {number} of {of}", size=7.8, colour=QUIET, align="right")


def _looks(page: Page, design: Raster, sheet: Provenance) -> Block:
    """The design as it is set, and beside it the brief, the artwork's name and its colours."""
    x = MARGIN + PICTURE + 7 * mm
    width = page.inner - PICTURE - 7 * mm
    made = np.array([[int(c.made[i : i + 2], 16) for i in (1, 3, 5)] for c in sheet.colours], np.uint8)
    side_px = round(PICTURE / 72 * DOTS_PER_INCH)
    picture = cloth_picture(design, columns=2, rows=2, width_px=side_px, colours=made)
    brief = lines_of(f"“{sheet.words}”" if sheet.words else "no words: from a picture", STRONG, 11, width, most=4)
    repeat = design.repeat
    facts = [
        ("Repeat", f"{repeat.width_mm:.1f} × {repeat.height_mm:.1f} mm, {LAYOUT_WORDS[repeat.layout]}"),
        ("Pixels", f"{design.width_px} × {design.height_px}, {len(sheet.colours)} colours"),
        ("sha256", sheet.sha256[:32]),
        ("", sheet.sha256[32:]),
    ]

    def draw(page: Page, top: float) -> None:
        height, across = picture.shape[0] / picture.shape[1] * PICTURE, PICTURE
        if height > PICTURE:
            across, height = PICTURE * PICTURE / height, PICTURE
        page.drawImage(ImageReader(Image.fromarray(picture)), MARGIN, top - height, across, height)
        box(page, MARGIN, top - height, across, height)
        y = top - 3.5 * mm
        for line in brief:
            text(page, x, y, line, font=STRONG, size=11)
            y -= 5 * mm
        y -= 1.5 * mm
        for name, value in facts:
            text(page, x, y, name, size=8.4, colour=QUIET)
            text(page, x + 19 * mm, y, value, font=STRONG, size=8.8, width=width - 19 * mm)
            y -= 4.6 * mm
        y -= 2 * mm
        pitch = width / max(4, len(sheet.colours))
        for number, colour in enumerate(sheet.colours):
            left = x + number * pitch
            swatch(page, left, y - 7 * mm, pitch - 1.5 * mm, 8 * mm, colour.drawn, colour.made)
            text(page, left, y - 10.5 * mm, colour.role, size=6.8, colour=QUIET, width=pitch - 1.5 * mm)
            text(page, left, y - 13.6 * mm, colour.drawn, size=6.8, width=pitch - 1.5 * mm)
        text(page, x, y - 17.6 * mm, "left as drawn, right as the cloth is expected to show it", size=7, colour=QUIET)

    return PICTURE + 7 * mm, draw


def _compared(sheet: Provenance, size: int, with_none: str) -> str:
    return f"Compared with {size}. From {sheet.same_from:.0%} alike on two designs count as one." if size else with_none


def _near(page: Page, title: str, near: Sequence[Near], note: str) -> Block:
    """Known designs side by side, each with how far away it is."""
    pitch = page.inner / 4
    height = 10 * mm + (NEAR + 10 * mm if near else 0) + 5 * mm

    def draw(page: Page, top: float) -> None:
        heading(page, MARGIN, top - 3.5 * mm, title, page.inner)
        text(page, MARGIN, top - 8.6 * mm, note, size=8.4, colour=QUIET, width=page.inner)
        foot = top - 11 * mm - NEAR
        for number, one in enumerate(near[:4]):
            left = MARGIN + number * pitch
            if one.picture is not None:
                across = NEAR * min(1.0, one.picture.shape[1] / one.picture.shape[0])
                up = NEAR * min(1.0, one.picture.shape[0] / one.picture.shape[1])
                page.drawImage(ImageReader(Image.fromarray(one.picture)), left, foot + NEAR - up, across, up)
                box(page, left, foot + NEAR - up, across, up)
            else:
                box(page, left, foot, NEAR, NEAR)
                text(page, left + NEAR / 2, foot + NEAR / 2, "not shown", size=7.5, colour=QUIET, align="centre")
            text(
                page, left, foot - 3.6 * mm, f"{one.alike:.0%} alike, distance {1 - one.alike:.2f}", size=8, font=STRONG
            )
            text(page, left, foot - 7.2 * mm, one.name, size=7.6, colour=QUIET, width=pitch - 3 * mm)

    return height, draw


def _entries(page: Page, title: str, entries: Sequence[Entry], tz: str, nothing: str) -> list[Block]:
    """What happened, one entry under the other, the first one first."""
    if not entries:
        return [paragraph(title, "", [nothing], 0.0, last=True)]
    split, wide = 46 * mm, page.inner - 46 * mm
    blocks: list[Block] = []
    for number, entry in enumerate(entries):
        said = lines_of(entry.words, REGULAR, 8.8, wide, most=MOST_WORDS) if entry.words else []
        blocks.append(_entry(title if number == 0 else "", entry, said, tz, split, last=number == len(entries) - 1))
    return blocks


def _entry(title: str, entry: Entry, said: Sequence[str], tz: str, split: float, *, last: bool) -> Block:
    above = 9.5 * mm if title else 0.0
    height = above + 4.6 * mm + 4.2 * mm * len(said) + (4 * mm if last else 1.4 * mm)

    def draw(page: Page, top: float) -> None:
        if title:
            heading(page, MARGIN, top - 3.5 * mm, title, page.inner)
        y = top - above
        text(page, MARGIN, y, moment_in_words(entry.at, tz), size=8, colour=QUIET, width=split - 2 * mm)
        text(page, MARGIN + split, y, f"{entry.who or 'not told'}: {entry.what}", font=STRONG, size=8.8, colour=INK)
        for line in said:
            y -= 4.2 * mm
            text(page, MARGIN + split, y, line, size=8.8)

    return height, draw
