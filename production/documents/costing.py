"""The costing: every line with its quantity, rate and source, the total, the price, and what it rests on."""

from __future__ import annotations

import io
from decimal import Decimal
from zoneinfo import ZoneInfo

from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from production.documents.page import (
    ACCENT,
    BOLD,
    INK,
    MARGIN,
    PAGE_HEIGHT,
    PAGE_WIDTH,
    PANEL,
    QUIET,
    STRONG,
    box,
    heading,
    label,
    open_page,
    rule,
    text,
)
from production.domain.costing import CostBreakdown
from production.ports import RenderJob

WIDTH = PAGE_WIDTH - 2 * MARGIN
FOOT = 18 * mm
ROW = 5.6 * mm
# right edges of the figures, left edges of the words, in mm from the left margin
WHAT, QUANTITY, UNIT, RATE, AMOUNT, SOURCE = 0.0, 93.0, 95.0, 118.0, 138.0, 142.0


def costing_pdf(job: RenderJob) -> bytes:
    """The costing as PDF; the same job gives the same bytes."""
    buffer = io.BytesIO()
    canvas = open_page(buffer, title=f"Costing {job.reference} r{job.revision}", subject=job.spec.name)
    cost = job.cost
    top = _header(canvas, job)
    top = _columns(canvas, top, cost.currency)
    page = 1
    for number, line in enumerate(cost.lines):
        if top < FOOT + ROW:
            _footer(canvas, job, page)
            canvas.showPage()
            page += 1
            top = _columns(canvas, PAGE_HEIGHT - 20 * mm, cost.currency)
        if number % 2:
            canvas.setFillColor(PANEL)
            canvas.rect(MARGIN, top - 1.7 * mm, WIDTH, ROW, stroke=0, fill=1)
        at = [MARGIN + offset * mm for offset in (WHAT, QUANTITY, UNIT, RATE, AMOUNT, SOURCE)]
        text(canvas, at[0] + 1 * mm, top, line.what, size=9, width=74 * mm)
        text(canvas, at[1], top, _figure(line.quantity), size=9, align="right")
        text(canvas, at[2], top, line.unit, size=9, colour=QUIET, width=13 * mm)
        text(canvas, at[3], top, "" if line.unit.startswith("at ") else _rate(line.rate), size=9, align="right")
        text(canvas, at[4], top, f"{line.amount:.2f}", font=STRONG, size=9.5, align="right")
        text(canvas, at[5], top, line.source, size=8, colour=QUIET, width=WIDTH - SOURCE * mm)
        top -= ROW
    needed = 46 * mm + len(cost.assumptions) * 5 * mm
    if top < FOOT + needed:
        _footer(canvas, job, page)
        canvas.showPage()
        page += 1
        top = PAGE_HEIGHT - 20 * mm
    top = _totals(canvas, cost, top)
    _assumptions(canvas, cost, top)
    _footer(canvas, job, page)
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def _header(canvas: Canvas, job: RenderJob) -> float:
    top = PAGE_HEIGHT - 15 * mm
    spec, cost = job.spec, job.cost
    text(canvas, MARGIN, top, job.shop or "Weftline", font=STRONG, size=9.5, colour=QUIET, width=90 * mm)
    text(canvas, PAGE_WIDTH - MARGIN, top, "COSTING", font=BOLD, size=9.5, colour=ACCENT, align="right")
    text(canvas, MARGIN, top - 11.5 * mm, job.reference, font=BOLD, size=26, width=110 * mm)
    released = job.released_at.astimezone(ZoneInfo(job.tz))
    text(
        canvas,
        PAGE_WIDTH - MARGIN,
        top - 11 * mm,
        f"Revision {job.revision}, {released:%d %b %Y}",
        font=STRONG,
        size=10.5,
        align="right",
    )
    text(canvas, MARGIN, top - 18 * mm, job.customer, font=STRONG, size=11.5, width=110 * mm)
    text(
        canvas,
        PAGE_WIDTH - MARGIN,
        top - 17.5 * mm,
        f"Order {job.order}" if job.order else "",
        size=10.5,
        colour=QUIET,
        align="right",
        width=60 * mm,
    )
    foot = top - 37 * mm
    box(canvas, MARGIN, foot, WIDTH, 14 * mm, fill=PANEL)
    cells = (
        ("FABRIC" if spec.inks else "CLOTH", spec.name, 0.36),
        ("QUANTITY", f"{cost.quantity_m.normalize():f} m", 0.16),
        ("COST", f"{cost.total:.2f} {cost.currency}", 0.16),
        ("PRICE", f"{cost.price:.2f} {cost.currency}", 0.16),
        ("PRICE PER METRE", f"{cost.price_per_m:.2f} {cost.currency}", 0.16),
    )
    x = MARGIN
    for name, value, share in cells:
        label(canvas, x + 2.5 * mm, foot + 9.4 * mm, name)
        text(canvas, x + 2.5 * mm, foot + 3.6 * mm, value, font=BOLD, size=12, width=WIDTH * share - 4 * mm)
        x += WIDTH * share
    return foot - 9 * mm


def _columns(canvas: Canvas, top: float, currency: str) -> float:
    heading(canvas, MARGIN, top, "What the job takes", WIDTH)
    y = top - 4.6 * mm
    label(canvas, MARGIN + 1 * mm, y, "LINE")
    label(canvas, MARGIN + QUANTITY * mm, y, "QUANTITY", align="right")
    label(canvas, MARGIN + RATE * mm, y, "RATE", align="right")
    label(canvas, MARGIN + AMOUNT * mm, y, f"AMOUNT {currency}", align="right")
    label(canvas, MARGIN + SOURCE * mm, y, "WHERE THE RATE COMES FROM")
    return y - 6 * mm


def _totals(canvas: Canvas, cost: CostBreakdown, top: float) -> float:
    right = MARGIN + AMOUNT * mm
    left = MARGIN + 78 * mm
    top += ROW - 2.6 * mm
    rule(canvas, left, top, right - left, colour=INK, weight=0.8)
    per_cent = Decimal(100) * cost.margin / cost.total if cost.total else Decimal(0)
    rows = [
        ("Cost, the sum of the lines", cost.total, STRONG, 10.0),
        (
            f"Margin, {per_cent:.1f} % of cost" + (", to the minimum charge" if cost.minimum_applied else ""),
            cost.margin,
            STRONG,
            10.0,
        ),
        (f"Price in {cost.currency}", cost.price, BOLD, 13.0),
        (f"Price per metre, {cost.quantity_m.normalize():f} m", cost.price_per_m, STRONG, 10.0),
    ]
    for name, value, font, size in rows:
        top -= 6.4 * mm
        text(canvas, left, top, name, font=font, size=size, width=42 * mm if size < 11 else None)
        text(canvas, right, top, f"{value:.2f}", font=font, size=size, align="right")
    return top - 12 * mm


def _assumptions(canvas: Canvas, cost: CostBreakdown, top: float) -> None:
    heading(canvas, MARGIN, top, "What it rests on", WIDTH)
    y = top - 5.6 * mm
    for assumption in cost.assumptions:
        text(canvas, MARGIN + 1 * mm, y, assumption.what, size=8.8, width=57 * mm)
        text(canvas, MARGIN + 60 * mm, y, assumption.value, font=STRONG, size=8.8, width=62 * mm)
        text(canvas, MARGIN + 124 * mm, y, assumption.source, size=8.2, colour=QUIET, width=WIDTH - 124 * mm)
        y -= 5 * mm


def _footer(canvas: Canvas, job: RenderJob, page: int) -> None:
    rule(canvas, MARGIN, 12.5 * mm, WIDTH)
    note = f"{job.reference} revision {job.revision}. Each line is rounded half up once; the total is their sum."
    text(canvas, MARGIN, 8.6 * mm, note, size=7.8, colour=QUIET, width=WIDTH - 20 * mm)
    text(canvas, PAGE_WIDTH - MARGIN, 8.6 * mm, f"page {page}", size=7.8, colour=QUIET, align="right")


def _figure(value: Decimal) -> str:
    """A quantity without needless zeros, at most three decimals."""
    return f"{value.quantize(Decimal('0.001')).normalize():f}"


def _rate(value: Decimal) -> str:
    """A rate with two decimals, or more where it has more."""
    return f"{max(value.normalize(), value.quantize(Decimal('0.01')), key=lambda v: -int(v.as_tuple().exponent)):f}"
