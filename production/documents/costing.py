"""The costing: every line with its quantity, rate and source, planned and actual, the price, and what it rests on."""

from __future__ import annotations

import io
import json
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from zoneinfo import ZoneInfo

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
    heading,
    label,
    mm,
    open_page,
    rule,
    text,
)
from production.documents.parts import day_in_words
from production.domain.costing import Comparison, CostBreakdown, Costing, CostLine
from production.domain.spec import PRINT
from production.ports import RenderJob

FOOT = 17 * mm
ROW = 5.2 * mm
# right edges of the figures, left edges of the words, in mm from the left margin
WHAT, QUANTITY, UNIT, RATE, AMOUNT, SOURCE = 0.0, 93.0, 95.0, 118.0, 138.0, 142.0
# of planned against actual
PLANNED_QUANTITY, ACTUAL_QUANTITY, COMPARED_UNIT, PLANNED, ACTUAL, VARIANCE = 88.0, 108.0, 110.0, 142.0, 162.0, 182.0


def costing_of(job: RenderJob) -> Costing:
    """The costing of a job when it is released: nothing was reported yet."""
    return Costing(
        shop=job.shop,
        reference=job.reference,
        revision=job.revision,
        issued_at=job.released_at.isoformat(),
        cost=job.cost,
        customer=job.customer,
        order=job.order,
        cloth=job.spec.name,
        kind=job.spec.kind,
        tz=job.tz,
        paper=job.paper,
    )


def costing_json(costing: Costing) -> bytes:
    """The costing as JSON; the same costing gives the same bytes."""
    said = json.dumps(costing.as_dict(), indent=1, ensure_ascii=False, allow_nan=False)
    return said.encode("utf-8", "replace")


def costing_pdf(costing: Costing) -> bytes:
    """The costing as PDF with its JSON inside; the same costing gives the same bytes."""
    count = _draw(costing, of=None)[1]
    return _draw(costing, of=count)[0]


class _Sheet:
    """A page that is filled from the top, and begun anew where it is full."""

    def __init__(self, page: Page, costing: Costing, of: int | None) -> None:
        self.page, self.costing, self.of = page, costing, of
        self.number = 1
        self.top = page.height

    def need(self, height: float) -> bool:
        """Begin a new page where less than `height` is left; says whether it did."""
        if self.top - height >= FOOT:
            return False
        self.end()
        self.number += 1
        self.top = self.page.height - 16 * mm
        return True

    def end(self) -> None:
        """Finish the page."""
        _footer(self.page, self.costing, self.number, self.of)
        self.page.showPage()


def _draw(costing: Costing, *, of: int | None) -> tuple[bytes, int]:
    buffer = io.BytesIO()
    title = f"Costing {costing.reference} r{costing.revision}"
    page = open_page(buffer, title=title, subject=costing.cloth, paper=costing.paper)
    sheet = _Sheet(page, costing, of)
    sheet.top = _header(page, costing)
    _lines(sheet, costing.cost)
    sheet.need(42 * mm)
    sheet.top = _totals(page, costing.cost, sheet.top)
    if costing.comparison is not None:
        _compared(sheet, costing.comparison, costing.cost.currency)
    _breaks(sheet, costing.cost)
    _assumptions(sheet, costing.cost)
    sheet.end()
    page.attach(
        "costing.json",
        costing_json(costing),
        mime="application/json",
        relationship="Data",
        description="This costing for programs",
    )
    page.save()
    return buffer.getvalue(), sheet.number


def _header(page: Page, costing: Costing) -> float:
    top = page.height - 15 * mm
    cost, right = costing.cost, page.width - MARGIN
    text(page, MARGIN, top, costing.shop or "Weftline", font=STRONG, size=9.5, colour=QUIET, width=90 * mm)
    text(page, right, top, "COSTING", font=BOLD, size=9.5, colour=ACCENT, align="right")
    text(page, MARGIN, top - 11.5 * mm, costing.reference, font=BOLD, size=26, width=110 * mm)
    issued = day_in_words(datetime.fromisoformat(costing.issued_at).astimezone(ZoneInfo(costing.tz)).date())
    issue = f"Revision {costing.revision}, issue {costing.issue}, {issued}"
    text(page, right, top - 11 * mm, issue, font=STRONG, size=10.5, align="right")
    text(page, MARGIN, top - 18 * mm, costing.customer, font=STRONG, size=11.5, width=110 * mm)
    order = f"Order {costing.order}" if costing.order else ""
    text(page, right, top - 17.5 * mm, order, size=10.5, colour=QUIET, align="right", width=60 * mm)
    foot = top - 37 * mm
    box(page, MARGIN, foot, page.inner, 14 * mm, fill=PANEL)
    cells = (
        ("FABRIC" if costing.kind == PRINT else "CLOTH", costing.cloth, 0.36),
        ("QUANTITY", f"{_figure(cost.quantity_m)} m", 0.16),
        ("COST", f"{cost.total:.2f} {cost.currency}", 0.16),
        ("PRICE", f"{cost.price:.2f} {cost.currency}", 0.16),
        ("PRICE PER METRE", f"{cost.price_per_m:.2f} {cost.currency}", 0.16),
    )
    x = MARGIN
    for name, value, share in cells:
        label(page, x + 2.5 * mm, foot + 9.4 * mm, name)
        text(page, x + 2.5 * mm, foot + 3.6 * mm, value, font=BOLD, size=12, width=page.inner * share - 4 * mm)
        x += page.inner * share
    return foot - 9 * mm


def _lines(sheet: _Sheet, cost: CostBreakdown) -> None:
    page = sheet.page
    sheet.top = _columns(page, sheet.top, cost.currency)
    for group, members in groupby(cost.lines, key=lambda line: line.group):
        rows = list(members)
        if sheet.need(2 * ROW):
            sheet.top = _columns(page, sheet.top, cost.currency)
        text(page, MARGIN + 1 * mm, sheet.top, group, font=BOLD, size=8.6, colour=ACCENT)
        subtotal = sum((line.amount for line in rows), Decimal(0))
        right = MARGIN + AMOUNT * mm
        if len(rows) > 1:
            text(page, right, sheet.top, f"{subtotal:.2f}", size=8.2, colour=QUIET, align="right")
        sheet.top -= ROW
        for number, line in enumerate(rows):
            if sheet.need(ROW):
                sheet.top = _columns(page, sheet.top, cost.currency)
            if number % 2 == 0:
                page.setFillColor(PANEL)
                page.rect(MARGIN, sheet.top - 1.6 * mm, page.inner, ROW, stroke=0, fill=1)
            _line(page, line, sheet.top)
            sheet.top -= ROW
    sheet.top += ROW - 2.6 * mm


def _line(page: Page, line: CostLine, y: float) -> None:
    at = [MARGIN + offset * mm for offset in (WHAT, QUANTITY, UNIT, RATE, AMOUNT, SOURCE)]
    text(page, at[0] + 3 * mm, y, line.what, size=8.8, width=74 * mm)
    text(page, at[1], y, _figure(line.quantity), size=8.8, align="right")
    text(page, at[2], y, line.unit, size=8.8, colour=QUIET, width=13 * mm)
    text(page, at[3], y, "" if line.pct is not None else _rate(line.rate), size=8.8, align="right")
    text(page, at[4], y, f"{line.amount:.2f}", font=STRONG, size=9.2, align="right")
    text(page, at[5], y, line.source, size=7.8, colour=QUIET, width=page.inner - SOURCE * mm)


def _columns(page: Page, top: float, currency: str) -> float:
    heading(page, MARGIN, top, "What the job takes", page.inner)
    y = top - 4.4 * mm
    label(page, MARGIN + 1 * mm, y, "LINE")
    label(page, MARGIN + QUANTITY * mm, y, "QUANTITY", align="right")
    label(page, MARGIN + RATE * mm, y, "RATE", align="right")
    label(page, MARGIN + AMOUNT * mm, y, f"AMOUNT {currency}", align="right")
    label(page, MARGIN + SOURCE * mm, y, "WHERE THE RATE COMES FROM")
    return y - 5.4 * mm


def _totals(page: Page, cost: CostBreakdown, top: float) -> float:
    right = MARGIN + AMOUNT * mm
    left = MARGIN + 70 * mm
    rule(page, left, top, right - left, colour=INK, weight=0.8)
    per_cent = Decimal(100) * cost.margin / cost.total if cost.total else Decimal(0)
    share = Decimal(100) * cost.contribution / cost.price if cost.price else Decimal(0)
    minimum = ", to the minimum charge" if cost.minimum_applied else ""
    rows = [
        ("Cost, the sum of the lines", cost.total, STRONG, 9.6),
        (f"Margin, {per_cent:.1f} % of cost{minimum}", cost.margin, STRONG, 9.6),
        (f"Price in {cost.currency}", cost.price, BOLD, 12.0),
        (f"Price per metre, {_figure(cost.quantity_m)} m", cost.price_per_m, STRONG, 9.6),
        (f"Contribution, {share:.1f} % of the price", cost.contribution, STRONG, 9.6),
    ]
    for name, value, font, size in rows:
        top -= 5.6 * mm
        text(page, left, top, name, font=font, size=size, width=48 * mm)
        text(page, right, top, f"{value:.2f}", font=font, size=size, align="right")
    return top - 11 * mm


def _compared(sheet: _Sheet, compared: Comparison, currency: str) -> None:
    page = sheet.page

    def begin() -> None:
        heading(page, MARGIN, sheet.top, "Planned and actual", page.inner)
        y = sheet.top - 4.4 * mm
        label(page, MARGIN + 1 * mm, y, "LINE")
        names = ("PLANNED", "ACTUAL", f"PLANNED {currency}", f"ACTUAL {currency}", "VARIANCE")
        edges = (PLANNED_QUANTITY, ACTUAL_QUANTITY, PLANNED, ACTUAL, VARIANCE)
        for edge, name in zip(edges, names, strict=True):
            label(page, MARGIN + edge * mm, y, name, align="right")
        sheet.top = y - 5.4 * mm

    sheet.need(4 * ROW)
    begin()
    for number, row in enumerate(compared.lines):
        if sheet.need(ROW):
            begin()
        if number % 2 == 0:
            page.setFillColor(PANEL)
            page.rect(MARGIN, sheet.top - 1.6 * mm, page.inner, ROW, stroke=0, fill=1)
        y = sheet.top
        text(page, MARGIN + 1 * mm, y, row.what, size=8.6, width=66 * mm)
        text(page, MARGIN + PLANNED_QUANTITY * mm, y, _figure(row.planned_quantity), size=8.6, align="right")
        actual = _figure(row.actual_quantity) if row.reported else "not reported"
        colour = INK if row.reported else QUIET
        text(page, MARGIN + ACTUAL_QUANTITY * mm, y, actual, size=8.6, align="right", colour=colour)
        text(page, MARGIN + COMPARED_UNIT * mm, y, row.unit, size=8.2, colour=QUIET, width=14 * mm)
        text(page, MARGIN + PLANNED * mm, y, f"{row.planned:.2f}", size=8.8, align="right")
        text(page, MARGIN + ACTUAL * mm, y, f"{row.actual:.2f}", font=STRONG, size=8.8, align="right", colour=colour)
        text(page, MARGIN + VARIANCE * mm, y, _signed(row.variance), font=STRONG, size=8.8, align="right")
        sheet.top -= ROW
    sheet.need(2 * ROW + 6 * mm)
    sheet.top += ROW - 2.6 * mm
    rule(page, MARGIN + 70 * mm, sheet.top, VARIANCE * mm - 70 * mm, colour=INK, weight=0.8)
    for name, figures in (
        ("Cost, the sum of the lines", (compared.planned, compared.actual, compared.variance)),
        ("Left of the agreed price", (None, compared.margin, None)),
    ):
        sheet.top -= 5.4 * mm
        text(page, MARGIN + 70 * mm, sheet.top, name, font=STRONG, size=9.2, width=46 * mm)
        for edge, figure in zip((PLANNED, ACTUAL, VARIANCE), figures, strict=True):
            if figure is not None:
                said = _signed(figure) if edge == VARIANCE else f"{figure:.2f}"
                text(page, MARGIN + edge * mm, sheet.top, said, font=STRONG, size=9.2, align="right")
    sheet.top -= 11 * mm


def _breaks(sheet: _Sheet, cost: CostBreakdown) -> None:
    if not cost.breaks:
        return
    page = sheet.page
    sheet.need((len(cost.breaks) + 3) * ROW)
    heading(page, MARGIN, sheet.top, "Longer lengths of the same, by the same reckoning", page.inner)
    y = sheet.top - 4.4 * mm
    edges = (24.0, 60.0, 96.0, 138.0)
    names = ("LENGTH", f"COST {cost.currency}", f"PRICE {cost.currency}", f"PRICE PER METRE {cost.currency}")
    for edge, name in zip(edges, names, strict=True):
        label(page, MARGIN + edge * mm, y, name, align="right")
    y -= 5.2 * mm
    for step in cost.breaks:
        said = (f"{_figure(step.quantity_m)} m", f"{step.total:.2f}", f"{step.price:.2f}", f"{step.price_per_m:.2f}")
        for edge, figure in zip(edges, said, strict=True):
            text(page, MARGIN + edge * mm, y, figure, font=STRONG, size=8.8, align="right")
        y -= ROW
    sheet.top = y - 5 * mm


def _assumptions(sheet: _Sheet, cost: CostBreakdown) -> None:
    page = sheet.page
    sheet.need(4 * ROW)
    heading(page, MARGIN, sheet.top, "What it rests on", page.inner)
    sheet.top -= 5.4 * mm
    rows = [(each.what, each.value, each.source) for each in cost.assumptions]
    if cost.rates_on:
        rows.append(
            ("Prices of the day, currency", f"{cost.rates_on}, {cost.currency}", "stock, work centres, catalogue")
        )
    for what, value, source in rows:
        sheet.need(ROW)
        y = sheet.top
        text(page, MARGIN + 1 * mm, y, what, size=8.4, width=63 * mm)
        text(page, MARGIN + 66 * mm, y, value, font=STRONG, size=8.4, width=58 * mm)
        text(page, MARGIN + 126 * mm, y, source, size=7.8, colour=QUIET, width=page.inner - 126 * mm)
        sheet.top -= 4.8 * mm


def _footer(page: Page, costing: Costing, number: int, of: int | None) -> None:
    rule(page, MARGIN, 12 * mm, page.inner)
    note = (
        f"{costing.reference} revision {costing.revision}. Each line is rounded half up once; the total is their sum."
    )
    text(page, MARGIN, 8.2 * mm, note, size=7.8, colour=QUIET, width=page.inner - 22 * mm)
    pages = f"page {number} of {of or number}"
    text(page, page.width - MARGIN, 8.2 * mm, pages, size=7.8, colour=QUIET, align="right")


def _figure(value: Decimal) -> str:
    """A quantity without needless zeros, at most three decimals."""
    return f"{value.quantize(Decimal('0.001')).normalize():f}"


def _signed(value: Decimal) -> str:
    """An amount with its sign; nothing has none."""
    return f"{value:+.2f}" if value else "0.00"


def _rate(value: Decimal) -> str:
    """A rate with two decimals, or more where it has more."""
    return f"{max(value.normalize(), value.quantize(Decimal('0.01')), key=lambda v: -int(v.as_tuple().exponent)):f}"
