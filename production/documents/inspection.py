"""The inspection report: what was found of a length of cloth, its grade, what was decided, by whom and why.

A cloth that could not be inspected has no grade, and its report says only why. What a simulated scan shows is said to
be synthetic on every page.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Final

import numpy as np
from reportlab.lib.colors import white
from reportlab.lib.utils import ImageReader

from production.documents.blocks import Block, Draw, broken, rows
from production.documents.page import (
    ACCENT,
    BOLD,
    INK,
    LINE,
    MARGIN,
    PANEL,
    QUIET,
    REGULAR,
    STRONG,
    Page,
    box,
    fitted,
    heading,
    label,
    lines_of,
    mm,
    open_page,
    qr_code,
    rule,
    text,
    width_of,
)
from production.documents.parts import moment_in_words, swatch
from production.documents.roll_map import BAD, GOOD, WARN, Roll, draw_row, legend, row_heights, small
from production.domain.colour import lab_to_srgb
from production.domain.grading import Decision, Fault, Grade, Proposal, Rule
from production.inspection.outcome import Colour, Defect, Inspected, Lab, Reason
from production.inspection.pictures import Strip

__all__ = ["Decided", "InspectionSheet", "Strip", "Verdict", "write_inspection_report"]

SYNTHETIC: Final = "SYNTHETIC SCAN"
MOST_CLOSE_UPS: Final = 8
CLOSE_UP: Final = 21 * mm  # the side of one picture of a pair
MOST_COLOURS: Final = 40
PASSES, FAILS = "within", "beyond"
# What stands in large letters where a person has decided, and where nobody has yet.
DECISIONS: Final = {
    Decision.PASS: "Pass", Decision.SECONDS: "Seconds", Decision.CUT_OUT: "Cut out", Decision.REPRINT: "Reprint",
}  # fmt: skip
_rows = partial(rows, split=26 * mm, most=6)
COLOURS: Final = {Decision.PASS: GOOD, Decision.SECONDS: WARN, Decision.CUT_OUT: WARN, Decision.REPRINT: BAD}


@dataclass(frozen=True)
class Verdict:
    """What a person said of a defect that was found."""

    confirmed: bool
    kind: str  # what it is, as the person says
    by: str
    at: datetime


@dataclass(frozen=True)
class Decided:
    """What a person decided of the cloth, and why where it is not what was proposed."""

    decision: Decision
    good_m: Decimal
    scrap_m: Decimal
    reprint_m: Decimal
    overruled: str
    by: str
    at: datetime
    consequence: Sequence[str] = ()  # sentences: lot, slot, promise, cost


@dataclass(frozen=True, kw_only=True)
class InspectionSheet:
    """All that a report says."""

    shop: str
    reference: str
    revision: int
    run: int
    number: int  # of the looks at this line's cloth
    customer: str
    article: str
    machine: str
    ink_set: str
    ordered_m: Decimal
    by: str  # who gave the scans
    at: datetime
    issued: datetime
    tz: str
    paper: str
    url: str  # of the line's page
    found: Inspected | None  # None where its scans were refused before anything was measured
    reason: Reason | None = None  # why it was not inspected
    grade: Grade | None = None
    rule: Rule | None = None
    proposal: Proposal | None = None
    verdicts: Mapping[int, Verdict] = field(default_factory=dict)  # by number of the defect
    decided: Decided | None = None
    strips: Sequence[Strip] = ()  # the whole length, along the roll
    close_ups: Mapping[int, Strip] = field(default_factory=dict)  # by number of the defect
    simulated: bool = False  # its scans say so of themselves, also where nothing was measured
    looked_for: str = ""  # how closely, in words

    @property
    def synthetic(self) -> bool:
        """True where no cloth was seen."""
        return self.simulated or (self.found is not None and self.found.synthetic)

    @property
    def refused(self) -> Reason | None:
        """Why it was not inspected; None where it was."""
        return self.found.reason if self.found is not None else self.reason


def write_inspection_report(sheet: InspectionSheet) -> bytes:
    """The report as PDF of as many pages as it takes; the same values give the same bytes."""
    buffer = io.BytesIO()
    title = f"Inspection {sheet.number} of {sheet.reference} r{sheet.revision}"
    page = open_page(buffer, title=title, subject=sheet.customer, paper=sheet.paper)
    pages = broken(_blocks(page, sheet), first=page.height - 37 * mm, others=page.height - 22 * mm)
    for number, here in enumerate(pages, start=1):
        y = _first_head(page, sheet) if number == 1 else _next_head(page, sheet)
        for height, draw in here:
            draw(page, y)
            y -= height
        _footer(page, sheet, number, len(pages))
        page.showPage()
    page.save()
    return buffer.getvalue()


def _blocks(page: Page, sheet: InspectionSheet) -> list[Block]:
    refused, found = sheet.refused, sheet.found
    if refused is not None or found is None:
        return [
            _not_inspected(page, refused or Reason("", "Nothing was measured.")),
            *_decision(page, sheet),
            *_scans(page, sheet),
        ]
    blocks = [_headline(page, sheet, found), *_reasons(page, sheet), *_decision(page, sheet)]
    if sheet.grade is not None:
        blocks += _map(page, sheet, sheet.grade)
    blocks += _source_and_scan(page, sheet)
    blocks += _colours(page, sheet, found)
    blocks += _registration(page, found)
    blocks += _close_ups(page, sheet, found)
    blocks += _defects(page, sheet, found)
    return [*blocks, *_scans(page, sheet)]


# ------------------------------------------------------------------------------------------------ heads and feet


def _first_head(page: Page, sheet: InspectionSheet) -> float:
    top, side = page.height - 9 * mm, 26 * mm
    right = page.width - MARGIN - side + 1 * mm
    qr_code(page, page.width - MARGIN - side + 3 * mm, top - side + 3 * mm, sheet.url or sheet.reference, size=side)
    text(page, MARGIN, top - 3.5 * mm, sheet.shop or "Weftline", font=STRONG, size=9.5, colour=QUIET, width=80 * mm)
    text(page, right, top - 3.5 * mm, "INSPECTION REPORT", font=BOLD, size=9.5, colour=ACCENT, align="right")
    text(page, MARGIN, top - 13 * mm, sheet.reference, font=BOLD, size=24, width=88 * mm)
    run = f"Inspection {sheet.number} · ticket revision {sheet.revision}"
    run += f" · made for the {_nth(sheet.run)} time" if sheet.run > 1 else ""
    text(page, MARGIN, top - 18.6 * mm, run, font=STRONG, size=9.5, width=100 * mm)
    tagged = sheet.synthetic
    text(page, MARGIN, top - 23.4 * mm, sheet.customer, font=STRONG, size=11, width=(84 if tagged else 150) * mm)
    of = " · ".join(part for part in (sheet.article, sheet.machine, sheet.ink_set) if part)
    text(page, right, top - 13 * mm, of, size=8.8, align="right", width=70 * mm)
    scanned = f"scanned {moment_in_words(sheet.at, sheet.tz)}" + (f" by {sheet.by}" if sheet.by else "")
    text(page, right, top - 17.6 * mm, scanned, size=8, colour=QUIET, align="right", width=72 * mm)
    if tagged:
        _tag(page, right, top - 23.4 * mm, f"{SYNTHETIC}: a simulated picture, no cloth was seen")
    return top - 28 * mm


def _next_head(page: Page, sheet: InspectionSheet) -> float:
    top = page.height - 14 * mm
    title = f"Inspection {sheet.number} of {sheet.reference}"
    text(page, MARGIN, top, title, font=STRONG, size=9.5, colour=QUIET, width=120 * mm)
    if sheet.synthetic:
        _tag(page, page.width - MARGIN, top, SYNTHETIC)
    rule(page, MARGIN, top - 2.5 * mm, page.inner)
    return top - 8 * mm


def _tag(page: Page, right: float, y: float, words: str) -> None:
    width = width_of(words, BOLD, 7.6) + 3 * mm
    page.setFillColor(WARN)
    page.rect(right - width, y - 1.3 * mm, width, 4.6 * mm, stroke=0, fill=1)
    text(page, right - 1.5 * mm, y, words, font=BOLD, size=7.6, colour=white, align="right")


def _footer(page: Page, sheet: InspectionSheet, number: int, of: int) -> None:
    rule(page, MARGIN, 12 * mm, page.inner)
    how = "four-point grade by ASTM D5430; ΔE2000 and CMC(2:1) of the palette's colours, D50/2°"
    note = f"As it stood on {moment_in_words(sheet.issued, sheet.tz)}; {how}"
    text(page, MARGIN, 8.2 * mm, note, size=7.2, colour=QUIET, width=page.inner - 24 * mm)
    text(page, page.width - MARGIN, 8.2 * mm, f"page {number} of {of}", size=7.8, colour=QUIET, align="right")


def _nth(number: int) -> str:
    """A number of times, in English.

    >>> [_nth(each) for each in (2, 3, 11, 22)]
    ['2nd', '3rd', '11th', '22nd']
    """
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


# ------------------------------------------------------------------------------------------------ verdict and reasons


def _not_inspected(page: Page, reason: Reason) -> Block:
    lines = lines_of(reason.sentence, REGULAR, 11, page.inner - 12 * mm, most=8)
    more = "It has no grade, and this is no pass: give another scan, or look at the cloth by eye."
    height = 22 * mm + 5.2 * mm * len(lines)

    def draw(page: Page, top: float) -> None:
        box(page, MARGIN, top - height + 4 * mm, page.inner, height - 4 * mm, fill=PANEL)
        page.setFillColor(WARN)
        page.rect(MARGIN, top - height + 4 * mm, 2 * mm, height - 4 * mm, stroke=0, fill=1)
        text(page, MARGIN + 6 * mm, top - 8 * mm, "Not inspectable", font=BOLD, size=17, colour=WARN)
        y = top - 14.5 * mm
        for line in lines:
            text(page, MARGIN + 6 * mm, y, line, size=11)
            y -= 5.2 * mm
        text(page, MARGIN + 6 * mm, y - 0.5 * mm, more, font=STRONG, size=8.8, colour=QUIET, width=page.inner - 12 * mm)

    return height, draw


def _headline(page: Page, sheet: InspectionSheet, found: Inspected) -> Block:
    """The decision in large letters beside the figures that led to it."""
    height = 25 * mm
    decided, proposal = sheet.decided, sheet.proposal
    decision = decided.decision if decided is not None else proposal.decision if proposal is not None else None
    if decided is not None:
        what = "DECIDED"
    else:
        what = "PROPOSED; NOBODY HAS DECIDED YET" if decision is not None else "A PERSON HAS TO DECIDE"
    colour = COLOURS[decision] if decision is not None else WARN
    words = DECISIONS[decision] if decision is not None else "Not judged"
    metres = _metres(decided if decided is not None else proposal)
    said = lines_of(metres, STRONG, 8.6, 59 * mm, most=2)
    grade = sheet.grade
    figures = [
        ("LENGTH", f"{found.length_mm / 1000:.2f} m"),
        ("WIDTH", f"{found.width_mm / 10:.1f} cm"),
        ("POINTS PER 100 m²", f"{grade.per_100m2:.1f}" if grade else "–"),
        ("WORST METRE", f"{grade.worst}" if grade else "–"),
        ("FARTHEST COLOUR", f"ΔE {_farthest(sheet, found):.1f}" if found.colours else "by eye"),
        ("DEFECTS", f"{len(found.defects)}"),
    ]

    def draw(page: Page, top: float) -> None:
        left = 66 * mm
        box(page, MARGIN, top - height + 4 * mm, page.inner, height - 4 * mm, fill=PANEL)
        page.setFillColor(colour)
        page.rect(MARGIN, top - height + 4 * mm, 2 * mm, height - 4 * mm, stroke=0, fill=1)
        label(page, MARGIN + 5 * mm, top - 4.6 * mm, what)
        text(page, MARGIN + 5 * mm, top - 11.4 * mm, words, font=BOLD, size=18, colour=colour, width=left - 6 * mm)
        for line, metres_said in enumerate(said):
            text(page, MARGIN + 5 * mm, top - 15.6 * mm - line * 3.6 * mm, metres_said, font=STRONG, size=8.6)
        pitch = (page.inner - left - 4 * mm) / 3
        for number, (name, value) in enumerate(figures):
            x = MARGIN + left + 2 * mm + (number % 3) * pitch
            y = top - 4.6 * mm - (number // 3) * 9 * mm
            label(page, x, y, name)
            text(page, x, y - 4.6 * mm, value, font=BOLD, size=11.5, width=pitch - 2 * mm)

    return height, draw


def _metres(said: Decided | Proposal | None) -> str:
    if said is None or said.decision is None:
        return ""
    metres = ((said.good_m, "good"), (said.scrap_m, "scrap"), (said.reprint_m, "made once more"))
    return ", ".join(f"{much.normalize():f} m {what}" for much, what in metres if much or what == "good")


def _farthest(sheet: InspectionSheet, found: Inspected) -> float:
    least = sheet.rule.least_share if sheet.rule is not None else 0.0
    return max((each.de00 for each in found.colours if each.share >= least), default=0.0)


def _reasons(page: Page, sheet: InspectionSheet) -> list[Block]:
    """Each limit of the customer's rule with what was measured, beyond it first."""
    if sheet.proposal is None:
        return []
    quality = f", class {sheet.rule.quality}" if sheet.rule is not None else ""
    rows = sorted(sheet.proposal.reasons, key=lambda each: each.kept)
    blocks: list[Block] = []
    for number, reason in enumerate(rows):
        lines = lines_of(reason.sentence, REGULAR, 9, page.inner - 22 * mm, most=4)
        first = f"Against what the customer takes{quality}" if number == 0 else ""
        blocks.append(_reason(first, lines, kept=reason.kept, last=number == len(rows) - 1))
    return blocks


def _reason(title: str, lines: Sequence[str], *, kept: bool, last: bool) -> Block:
    above = 9.5 * mm if title else 0.0
    height = above + 4.5 * mm * max(1, len(lines)) + (3.5 * mm if last else 0.5 * mm)

    def draw(page: Page, top: float) -> None:
        if title:
            heading(page, MARGIN, top - 3.5 * mm, title, page.inner)
        y = top - above
        colour = GOOD if kept else BAD
        _mark(page, MARGIN + 1.4 * mm, y + 1.1 * mm, kept=kept)
        text(page, MARGIN + 4.5 * mm, y, PASSES if kept else FAILS, font=STRONG, size=8.4, colour=colour)
        for line in lines:
            text(page, MARGIN + 20 * mm, y, line, font=REGULAR if kept else STRONG, size=9)
            y -= 4.5 * mm

    return height, draw


def _mark(page: Page, x: float, y: float, *, kept: bool) -> None:
    """A tick or a cross, drawn: it is read without its colour too."""
    page.setStrokeColor(GOOD if kept else BAD)
    page.setLineWidth(1.3)
    if kept:
        page.lines([(x - 3, y, x - 1, y - 2.4), (x - 1, y - 2.4, x + 3.2, y + 3)])
    else:
        page.lines([(x - 2.6, y - 2.6, x + 2.6, y + 2.6), (x - 2.6, y + 2.6, x + 2.6, y - 2.6)])


def _decision(page: Page, sheet: InspectionSheet) -> list[Block]:
    """Who decided what and when, why it is not what was proposed, and what followed."""
    decided = sheet.decided
    if decided is None:
        return []
    proposal = sheet.proposal
    proposed = proposal.decision if proposal is not None else None
    said = f"{decided.by}, {moment_in_words(decided.at, sheet.tz)}"
    lines = [("Decided by", said), ("Decision", f"{DECISIONS[decided.decision]}: {_metres(decided)}")]
    if proposed is not None and proposal is not None:
        same = proposed == decided.decision and proposal.reprint_m == decided.reprint_m
        lines.append(("Proposed", "the same" if same else f"{DECISIONS[proposed]}: {_metres(proposal)}"))
    if decided.overruled:
        lines.append(("Why otherwise", decided.overruled))
    lines += [("What follows" if number == 0 else "", words) for number, words in enumerate(decided.consequence)]
    return _rows(page, "Decision", lines)


# ------------------------------------------------------------------------------------------------ pictures


def _map(page: Page, sheet: InspectionSheet, grade: Grade) -> list[Block]:
    proposal = sheet.proposal
    roll = Roll(
        grade.length_mm, grade.width_mm, grade.per_metre, grade.faults,
        proposal.pieces if proposal is not None else (), sheet.strips, sheet.found.scans,
    )  # fmt: skip
    title = f"Map of the roll: {grade.points} points in {grade.length_mm / 1000:.2f} m"
    title += f", {grade.per_100m2:.1f} per 100 m²"

    def row(number: int, height: float, above: float) -> Block:
        def draw(page: Page, top: float) -> None:
            if above:
                heading(page, MARGIN, top - 3.5 * mm, title, page.inner)
                legend(page, top - 8.2 * mm)
            draw_row(page, roll, number, top - above)

        return height + above, draw

    return [
        row(number, high, 10.5 * mm if number == 0 else 0.0)
        for number, high in enumerate(row_heights(roll, page.inner))
    ]


def _source_and_scan(page: Page, sheet: InspectionSheet) -> list[Block]:
    """The metre with the most points as it should be, and beside it as it was scanned."""
    both = [strip for strip in sheet.strips if strip.source is not None]
    if not both or sheet.grade is None:
        return []

    def points(strip: Strip) -> float:
        assert sheet.grade is not None
        return sum(f.points for f in sheet.grade.faults if strip.from_mm <= f.y_mm < strip.to_mm)

    worst = max(both, key=points)
    wide = page.inner / 2 - 2 * mm
    ratio = (worst.to_mm - worst.from_mm) / (worst.right_mm - worst.left_mm)
    tall = wide * ratio
    if tall > 78 * mm:
        tall = 78 * mm
    across = tall / ratio
    height = tall + 17 * mm
    span = f"{worst.from_mm / 1000:.2f} to {worst.to_mm / 1000:.2f} m"

    def draw(page: Page, top: float) -> None:
        heading(page, MARGIN, top - 3.5 * mm, f"Source and scan, {span} of the roll", page.inner)
        y = top - 10 * mm - tall
        for number, (name, picture) in enumerate((("AS IT SHOULD BE", worst.source), ("AS SCANNED", worst.scan))):
            assert picture is not None
            x = MARGIN + number * (wide + 4 * mm)
            label(page, x, top - 8.2 * mm, name)
            page.drawImage(ImageReader(small(picture, across, tall)), x, y, across, tall)
            box(page, x, y, across, tall)

    return [(height, draw)]


def _close_ups(page: Page, sheet: InspectionSheet, found: Inspected) -> list[Block]:
    """The worst defects, each as it should be and as scanned."""
    if not sheet.close_ups:
        return []
    points = {number: fault.points for fault in (sheet.grade.faults if sheet.grade else ()) for number in fault.numbers}
    shown = [each for each in found.defects if each.number in sheet.close_ups and each.number in points]
    shown.sort(key=lambda each: (-points[each.number], -each.area_mm2, each.number))
    shown = sorted(shown[:MOST_CLOSE_UPS], key=lambda each: each.number)
    pitch = page.inner / 4
    blocks: list[Block] = []
    for start in range(0, len(shown), 4):
        row = shown[start : start + 4]
        above = 9 * mm if start == 0 else 0.0
        blocks.append((CLOSE_UP + 11 * mm + above, _close_up_row(sheet, row, pitch, above)))
    return blocks


def _close_up_row(sheet: InspectionSheet, row: Sequence[Defect], pitch: float, above: float) -> Draw:
    def draw(page: Page, top: float) -> None:
        if above:
            heading(
                page, MARGIN, top - 3.5 * mm, "The worst defects, source on the left, scan on the right", page.inner
            )
        y = top - above - CLOSE_UP
        for number, defect in enumerate(row):
            strip = sheet.close_ups[defect.number]
            x = MARGIN + number * pitch
            for place, picture in enumerate((strip.source, strip.scan)):
                if picture is None:
                    continue
                across, up = _inside(picture.shape[1], picture.shape[0], CLOSE_UP)
                left = x + place * (CLOSE_UP + 0.6 * mm)
                page.drawImage(ImageReader(small(picture, across, up)), left, y + (CLOSE_UP - up), across, up)
                if place:
                    _corners(page, defect, strip, left, y + CLOSE_UP, across / (strip.right_mm - strip.left_mm))
                box(page, left, y + (CLOSE_UP - up), across, up)
            words = f"{defect.number}  {_kind(sheet, defect)}, {_size(defect)}"
            text(page, x, y - 3.4 * mm, words, font=STRONG, size=7.8, width=pitch - 2 * mm)
            place_words = f"at {defect.y_mm / 1000:.2f} m, {defect.x_mm / 10:.1f} cm from the left"
            text(page, x, y - 6.6 * mm, place_words, size=7.2, colour=QUIET, width=pitch - 2 * mm)

    return draw


def _corners(page: Page, defect: Defect, strip: Strip, left: float, top: float, scale: float) -> None:
    """The corners of a frame around a defect, as far as the picture shows them: the defect itself stays free."""
    page.saveState()
    path = page.beginPath()
    path.rect(left, top - (strip.to_mm - strip.from_mm) * scale, (strip.right_mm - strip.left_mm) * scale, top)
    page.clipPath(path, stroke=0)
    x0, x1 = (left + (mm_ - strip.left_mm) * scale for mm_ in (defect.x_mm, defect.x_mm + defect.width_mm))
    y0, y1 = (top - (mm_ - strip.from_mm) * scale for mm_ in (defect.y_mm, defect.y_mm + defect.height_mm))
    x0, x1, y0, y1 = x0 - 2, x1 + 2, y0 + 2, y1 - 2
    arm = 4.0
    for colour, weight in ((white, 1.8), (BAD, 0.9)):
        page.setStrokeColor(colour)
        page.setLineWidth(weight)
        for x, across in ((x0, arm), (x1, -arm)):
            for y, up in ((y0, -arm), (y1, arm)):
                page.lines([(x, y, x + across, y), (x, y, x, y + up)])
    page.restoreState()


def _inside(width: float, height: float, side: float) -> tuple[float, float]:
    scale = side / max(width, height)
    return width * scale, height * scale


# ------------------------------------------------------------------------------------------------ tables


def _colours(page: Page, sheet: InspectionSheet, found: Inspected) -> list[Block]:
    title = "Colours, asked for and seen"
    if not found.colours:
        why = found.colours_unmeasured or "Colours were not measured."
        return _rows(page, title, [("Not measured", f"{why} Judge the shade by eye.")])
    limit = sheet.rule.most_de00 if sheet.rule is not None else None
    least = sheet.rule.least_share if sheet.rule is not None else 0.0
    shown = sorted(found.colours, key=lambda each: -each.de00)[:MOST_COLOURS]
    blocks: list[Block] = []
    for number, colour in enumerate(shown):
        above = 13.5 * mm if number == 0 else 0.0
        blocks.append((5 * mm + above, _colour_row(colour, title, limit, least, above)))
    notes = []
    if len(found.colours) > MOST_COLOURS:
        notes.append(f"{len(found.colours) - MOST_COLOURS} more are nearer than these.")
    if found.colours_unmeasured:
        notes.append(f"{found.colours_unmeasured} Judge the shade by eye.")
    if found.target_residual_de00 is not None:
        notes.append(f"The colour bar was fitted to within ΔE {found.target_residual_de00:.2f}.")
    if least:
        notes.append(f"Colours on less than {100 * least:g} % of the area are not judged.")
    return [*blocks, _note(" ".join(notes))]


# Of the columns of colours: where they end, in mm from the left margin.
LAB_COLUMNS: Final = (47.0, 57.0, 67.0, 83.0, 93.0, 103.0)
FIGURE_COLUMNS: Final = (121.0, 138.0, 156.0)


def _colour_row(colour: Colour, title: str, limit: float | None, least: float, above: float) -> Draw:
    judged = limit is not None and colour.share >= least
    kept = not judged or (limit is not None and colour.de00 <= limit)

    def draw(page: Page, top: float) -> None:
        right = page.width - MARGIN
        if above:
            heading(page, MARGIN, top - 3.5 * mm, title, page.inner)
            y = top - 7.8 * mm
            label(page, MARGIN, y, "ASKED  SEEN")
            label(page, MARGIN + 20 * mm, y, "COLOUR")
            label(page, MARGIN + LAB_COLUMNS[2] * mm, y, "ASKED  L*  a*  b*", align="right")
            label(page, MARGIN + LAB_COLUMNS[5] * mm, y, "SEEN  L*  a*  b*", align="right")
            for offset, name in zip(FIGURE_COLUMNS, ("ΔE00", "CMC 2:1", "OF AREA"), strict=True):
                label(page, MARGIN + offset * mm, y, name, align="right")
            label(page, right, y, f"LIMIT ΔE {limit:g}" if limit is not None else "", align="right")
        y = top - above + 1.2 * mm
        swatch(page, MARGIN, y - 1.2 * mm, 16 * mm, 4.2 * mm, _srgb(colour.asked_lab), _srgb(colour.seen_lab))
        text(page, MARGIN + 20 * mm, y, colour.colour.upper(), font=STRONG, size=8.4)
        for offset, value in zip(LAB_COLUMNS, (*colour.asked_lab, *colour.seen_lab), strict=True):
            text(page, MARGIN + offset * mm, y, f"{round(value, 1) + 0.0:.1f}", size=8.4, align="right")
        off = FIGURE_COLUMNS[0]
        text(page, MARGIN + off * mm, y, f"{colour.de00:.2f}", font=REGULAR if kept else BOLD, size=8.6, align="right",
             colour=INK if kept else BAD)  # fmt: skip
        for offset, words in zip(FIGURE_COLUMNS[1:], (f"{colour.cmc:.2f}", f"{100 * colour.share:.1f} %"), strict=True):
            text(page, MARGIN + offset * mm, y, words, size=8.4, align="right")
        if judged:
            words, shade = (PASSES, GOOD) if kept else (FAILS, BAD)
            text(page, right, y, words, font=STRONG, size=8, align="right", colour=shade)
            _mark(page, right - 14 * mm, y + 1 * mm, kept=kept)
        else:
            text(page, right, y, "not judged", size=8, colour=QUIET, align="right")

    return draw


def _srgb(lab: Lab) -> str:
    return "#" + bytes(lab_to_srgb(np.array(lab, np.float64)).tolist()).hex()


def _note(words: str) -> Block:
    def draw(page: Page, top: float) -> None:
        text(page, MARGIN, top - 1.2 * mm, words, size=7.8, colour=QUIET, width=page.inner)

    return 6 * mm, draw


def _registration(page: Page, found: Inspected) -> list[Block]:
    at = found.registration
    if at is None:
        return []
    left = [
        ("Repeat across", f"{at.size_error_across_pct:+.2f} %"),
        ("Repeat along", f"{at.size_error_along_pct:+.2f} %"),
        ("Bow", f"{at.bow_mm:+.1f} mm, {100 * abs(at.bow_mm) / found.width_mm:.2f} % of the width"),
        ("Skew", f"{at.skew_mm:+.1f} mm, {100 * abs(at.skew_mm) / found.width_mm:.2f} % of the width"),
    ]
    right = [
        ("Residual, mean", f"{at.residual_mean_mm:.2f} mm"),
        ("Residual, 95 of 100", f"{at.residual_p95_mm:.2f} mm"),
        ("Local stretch", f"{at.stretch_pct:.2f} %"),
        ("Confidence", f"{at.confidence:.0%}"),
    ]
    channels = [
        (f"{each.channel} aside", f"{each.dx_um:+.0f} µm across, {each.dy_um:+.0f} µm along") for each in found.channels
    ]
    rows = max(len(left), len(right)) + (len(channels) + 1) // 2
    height = 11 * mm + 4.6 * mm * rows

    def draw(page: Page, top: float) -> None:
        heading(page, MARGIN, top - 3.5 * mm, "Size and shape against the source", page.inner)
        half = page.inner / 2
        pairs = [*zip(left, right, strict=True)]
        pairs += [(a, b) for a, b in zip(channels[::2], [*channels[1::2], ("", "")], strict=False)]
        y = top - 9.2 * mm
        for pair in pairs:
            for place, (name, value) in enumerate(pair):
                text(page, MARGIN + place * half, y, name, size=8.4, colour=QUIET, width=32 * mm)
                text(page, MARGIN + place * half + 33 * mm, y, value, font=STRONG, size=8.8, width=half - 35 * mm)
            y -= 4.6 * mm

    return [(height, draw)]


def _defects(page: Page, sheet: InspectionSheet, found: Inspected) -> list[Block]:
    """Every defect, two to a row; what a person overruled is struck out and counts nothing."""
    if not found.defects:
        return _rows(page, "Defects", [("", "None was found.")])
    faults = {number: fault for fault in (sheet.grade.faults if sheet.grade else ()) for number in fault.numbers}
    half = page.inner / 2 - 2 * mm
    blocks: list[Block] = []
    count = (len(found.defects) + 1) // 2
    for row in range(count):
        pair = found.defects[row * 2 : row * 2 + 2]
        above = 13 * mm if row == 0 else 0.0
        blocks.append((4.4 * mm + above, _defect_row(sheet, pair, faults, half, above)))
    said = [each for each in found.defects if each.number in sheet.verdicts]
    note = (
        f"{len(said)} of {len(found.defects)} were looked at by a person."
        if said
        else "No person has looked at them yet."
    )
    return [
        *blocks,
        _note(f"{note} Points stand at the first part of a defect; other parts of it say which it belongs to."),
    ]


def _defect_row(
    sheet: InspectionSheet, pair: Sequence[Defect], faults: Mapping[int, Fault], half: float, above: float
) -> Draw:
    columns = (0.0, 7 * mm, 34 * mm, 51 * mm, 70 * mm)  # number, kind, at, size, points

    def draw(page: Page, top: float) -> None:
        if above:
            heading(page, MARGIN, top - 3.5 * mm, "Defects", page.inner)
            for place in range(2):
                for offset, name in zip(columns, ("NO.", "WHAT", "AT", "SIZE", "POINTS"), strict=True):
                    label(page, MARGIN + place * (half + 4 * mm) + offset, top - 7.6 * mm, name)
        y = top - above
        for place, defect in enumerate(pair):
            x = MARGIN + place * (half + 4 * mm)
            verdict = sheet.verdicts.get(defect.number)
            gone = verdict is not None and not verdict.confirmed
            colour = QUIET if gone else INK
            kind = _kind(sheet, defect) + (" ✓" if verdict is not None and verdict.confirmed else "")
            values = (
                str(defect.number),
                kind,
                f"{defect.y_mm / 1000:.2f} m",
                _size(defect),
                _points(defect, verdict, faults),
            )
            widths = (6.5, 26.5, 16.5, 18.5, 18.0)
            for offset, value, width in zip(columns, values, widths, strict=True):
                font = REGULAR if offset else STRONG
                text(page, x + offset, y, value, font=font, size=8, width=width * mm, colour=colour)
            if gone:
                shown = fitted(kind, REGULAR, 8, 26.5 * mm)
                rule(page, x + columns[1], y + 0.9 * mm, width_of(shown, REGULAR, 8), colour=QUIET, weight=0.6)
            rule(page, x, y - 1.3 * mm, half, colour=LINE, weight=0.3)

    return draw


def _points(defect: Defect, verdict: Verdict | None, faults: Mapping[int, Fault]) -> str:
    if verdict is not None and not verdict.confirmed:
        return "no defect"
    fault = faults.get(defect.number)
    if fault is None:
        return "–"
    first = min(fault.numbers)
    return str(fault.points) if first == defect.number else f"with {first}"


def _kind(sheet: InspectionSheet, defect: Defect) -> str:
    verdict = sheet.verdicts.get(defect.number)
    kind = verdict.kind if verdict is not None and verdict.kind else str(defect.kind or "")
    return kind.replace("_", " ") or "not named"


def _size(defect: Defect) -> str:
    return f"{_short(defect.width_mm)} × {_short(defect.height_mm)} mm"


def _short(number: float) -> str:
    return f"{number:.1f}" if number < 10 else f"{number:.0f}"


def _scans(page: Page, sheet: InspectionSheet) -> list[Block]:
    if sheet.found is None or not sheet.found.scans:
        return []
    scans = [
        (
            f"{each.from_mm / 1000:.2f}–{each.to_mm / 1000:.2f} m",
            f"{each.name}, {each.dpi:.0f} dpi, sha256 {each.sha256[:24]}…",
        )
        for each in sheet.found.scans
    ]
    if sheet.looked_for:
        scans.append(("Looked for", sheet.looked_for))
    return _rows(page, "Scans", scans)
