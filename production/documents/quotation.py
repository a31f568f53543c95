"""The quotation: what the customer would get, for how much and until when. Nothing of what it costs the mill."""

from __future__ import annotations

import io
from datetime import date
from zoneinfo import ZoneInfo

from generation.domain.pattern import Raster
from production.documents.page import (
    ACCENT,
    BOLD,
    INK,
    MARGIN,
    PANEL,
    QUIET,
    STRONG,
    Page,
    box,
    facts,
    heading,
    label,
    lines_of,
    mm,
    open_page,
    rule,
    text,
)
from production.documents.parts import LAYOUT_WORDS, day_in_words, made_colours, panel, repeats, sign, swatch
from production.domain.picture import Picture
from production.ports import RenderJob

PICTURE = {"A4": 92 * mm, "Letter": 76 * mm}
SWATCH = 9 * mm
UNSNAPPED_MM = 0.05  # a repeat that differs by less is the one that was asked for


def quotation_pdf(design: Raster | Picture, job: RenderJob) -> bytes:
    """The quotation as one page of PDF; the same job gives the same bytes."""
    buffer = io.BytesIO()
    page = open_page(buffer, title=f"Quotation {job.reference}", subject=job.spec.name, paper=job.paper)
    top = _header(page, job)
    side = PICTURE[job.paper]
    repeats(page, design, job, MARGIN, top - side, side)
    _description(page, job, MARGIN + side + 7 * mm, top)
    top = _cloth(page, design, job, top - side - 5 * mm)
    top = _prices(page, job, top)
    top = _promise(page, job, top)
    _terms(page, job, top)
    _accept(page, job)
    page.showPage()
    page.save()
    return buffer.getvalue()


def _header(page: Page, job: RenderJob) -> float:
    top, right = page.height - 16 * mm, page.width - MARGIN
    text(page, MARGIN, top, job.shop or "Weftline", font=BOLD, size=15, width=110 * mm)
    text(page, right, top, "QUOTATION", font=BOLD, size=10, colour=ACCENT, align="right")
    on = day_in_words(job.released_at.astimezone(ZoneInfo(job.tz)).date())
    text(page, right, top - 6 * mm, f"{job.reference}, revision {job.revision}", font=STRONG, size=10, align="right")
    text(page, right, top - 11 * mm, on, size=10, colour=QUIET, align="right")
    label(page, MARGIN, top - 9 * mm, "FOR")
    text(page, MARGIN, top - 14.5 * mm, job.customer, font=STRONG, size=13, width=110 * mm)
    return top - 21 * mm


def _description(page: Page, job: RenderJob, x: float, top: float) -> None:
    spec = job.spec
    width = page.width - MARGIN - x
    heading(page, x, top - 4.2 * mm, "Your cloth", width)
    y = top - 10.5 * mm
    for line in lines_of(f"“{job.words}”" if job.words else "", STRONG, 11, width, most=2):
        text(page, x, y, line, font=STRONG, size=11)
        y -= 5.2 * mm
    rows = [
        ("Cloth", spec.name),
        ("Fibre and weight", f"{spec.fibre}, {spec.gsm:g} g/m²"),
        ("Width", f"{spec.width_mm / 10:g} cm"),
        ("Length", job.ordered),
        ("Made by", "digital printing" if spec.inks else "jacquard weaving"),
    ]
    named = ", ".join(part for part in (job.design, job.colourway) if part)
    if named:
        rows.insert(0, ("Design", named))
    y = facts(page, x, y - 1.5 * mm, width, rows, step=5 * mm, split=31 * mm, size=9.4)
    repeat, asked = spec.repeat, spec.asked
    heading(page, x, y - 4 * mm, "Repeat, finished", width)
    y -= 10 * mm
    size = f"{repeat.width_mm:.1f} × {repeat.height_mm:.1f} mm, {LAYOUT_WORDS[repeat.layout]}"
    text(page, x, y, size, font=STRONG, size=10.5, width=width)
    off = max(abs(repeat.width_mm - asked.width_mm), abs(repeat.height_mm - asked.height_mm))
    if off >= UNSNAPPED_MM:
        unit = "printed dots" if spec.inks else "threads"
        note = f"You asked for {asked.width_mm:g} × {asked.height_mm:g} mm. A repeat is a whole number of {unit}."
    else:
        note = "As you asked for it."
    for line in lines_of(note, "SourceSans", 8.6, width, most=2):
        y -= 4.3 * mm
        text(page, x, y, line, size=8.6, colour=QUIET)


def _cloth(page: Page, design: Raster | Picture, job: RenderJob, top: float) -> float:
    """The whole width of the cloth, and its colours."""
    height = 24 * mm if job.paper == "A4" else 20 * mm
    width = 108 * mm
    scale = panel(page, design, job, MARGIN, top - height, width, height)
    note = (
        f"The whole width, 1 : {scale:.0f}. Paper and screens show colours as a guide; the strike-off you sign decides."
    )
    text(page, MARGIN, top - height - 3.6 * mm, note, size=7.8, colour=QUIET, width=page.inner)
    x = MARGIN + width + 7 * mm
    if len(job.assessment.palette):
        label(page, x, top - 2.4 * mm, "COLOURS ON THE CLOTH")
        for number, colour in enumerate(made_colours(job)):
            left = x + number % 6 * (SWATCH + 1.5 * mm)
            foot = top - 4 * mm - (number // 6 + 1) * (SWATCH - 1 * mm)
            swatch(page, left, foot, SWATCH, SWATCH - 2 * mm, colour)
    return top - height - 9 * mm


def _prices(page: Page, job: RenderJob, top: float) -> float:
    cost = job.cost
    height = 15 * mm
    box(page, MARGIN, top - height, page.inner, height, fill=PANEL)
    cells = (
        ("PRICE", f"{cost.price:.2f} {cost.currency}"),
        ("PER METRE", f"{cost.price_per_m:.2f} {cost.currency}"),
        ("FOR", f"{cost.quantity_m.normalize():f} m"),
        ("VALID UNTIL", day_in_words(job.valid_until) if job.valid_until else "on request"),
    )
    for number, (name, value) in enumerate(cells):
        x = MARGIN + 3 * mm + number * page.inner / 4
        label(page, x, top - 5 * mm, name)
        text(page, x, top - 11.2 * mm, value, font=BOLD, size=13, width=page.inner / 4 - 5 * mm)
    top -= height + 5.5 * mm
    longer = [step for step in cost.breaks if step.quantity_m > cost.quantity_m]
    if not longer:
        return top
    pitch = page.inner / 4
    for number, line in enumerate(("More of the same,", "made in one go")):
        text(page, MARGIN + 3 * mm, top - number * 4.6 * mm, line, font=STRONG, size=9.2, width=pitch - 4 * mm)
    for number, step in enumerate(longer[:3]):
        x = MARGIN + (number + 1) * pitch + 3 * mm
        text(page, x, top, f"{step.quantity_m.normalize():f} m", font=BOLD, size=10)
        text(page, x, top - 4.8 * mm, f"{step.price_per_m:.2f} {cost.currency} per metre", font=STRONG, size=9)
        text(page, x, top - 9.2 * mm, f"{step.price:.2f} {cost.currency} in all", size=8.6, colour=QUIET)
    return top - 17 * mm


def _promise(page: Page, job: RenderJob, top: float) -> float:
    heading(page, MARGIN, top - 2 * mm, "Ready", page.inner)
    y = top - 7.6 * mm
    said = day_in_words(_local_day(job)) if job.promised is not None else "Told when the order is planned."
    text(page, MARGIN, y, said, font=BOLD, size=11, width=page.inner / 3)
    notes = [f"It waits for: {job.binding}."] if job.binding else []
    if job.due is not None:
        notes.append(f"You asked for {day_in_words(job.due)}.")
    notes.append("The date is held when you approve the design.")
    x = MARGIN + page.inner / 3
    for line in lines_of(" ".join(notes), "SourceSans", 9, page.inner * 2 / 3, most=2):
        text(page, x, y, line, size=9)
        y -= 4.4 * mm
    return y - 4 * mm


def _local_day(job: RenderJob) -> date:
    assert job.promised is not None
    return job.promised.astimezone(ZoneInfo(job.tz)).date()


def _terms(page: Page, job: RenderJob, top: float) -> None:
    if not job.terms:
        return
    heading(page, MARGIN, top - 2 * mm, "Terms", page.inner)
    y = top - 7.6 * mm
    for line in lines_of(job.terms, "SourceSans", 9, page.inner, most=3):
        text(page, MARGIN, y, line, size=9, colour=INK)
        y -= 4.4 * mm


def _accept(page: Page, job: RenderJob) -> None:
    half = page.inner / 2 - 2 * mm
    sign(page, MARGIN, 18 * mm, half, "WE ORDER AS QUOTED: NAME, DATE, SIGNATURE", height=13 * mm)
    sign(page, MARGIN + half + 4 * mm, 18 * mm, half, f"FOR {(job.shop or 'the mill').upper()[:40]}", height=13 * mm)
    rule(page, MARGIN, 12 * mm, page.inner)
    note = f"{job.reference} revision {job.revision}. Prices in {job.cost.currency}, without taxes."
    text(page, MARGIN, 8.2 * mm, note, size=7.8, colour=QUIET, width=page.inner - 22 * mm)
    text(page, page.width - MARGIN, 8.2 * mm, "page 1 of 1", size=7.8, colour=QUIET, align="right")
