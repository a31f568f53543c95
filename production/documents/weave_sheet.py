"""The weave sheet: what the designer and the weaver set the loom by, with the cloth as it will look."""

from __future__ import annotations

import io
from collections.abc import Mapping
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from reportlab.lib.colors import HexColor
from reportlab.lib.utils import ImageReader

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
    facts,
    heading,
    label,
    mm,
    open_page,
    rule,
    text,
)
from production.documents.parts import shrinkage_words
from production.domain.draft import Draft
from production.domain.floats import FloatReport, Lift
from production.domain.spec import Weaving, Yarn
from production.domain.weave import LIBRARY, warp_share
from production.ports import RenderJob

_PICTURE = 84 * mm
_STEP = 4.9 * mm
_ROW = 12.5 * mm  # of a weave with its drawing
_FOOT = 20 * mm


def weave_sheet(
    draft: Draft, job: RenderJob, *, whole: NDArray[np.uint8], near: NDArray[np.uint8], checksums: Mapping[str, str]
) -> bytes:
    """The sheet as PDF; whole, near: (H, W, 3) sRGB of the repeat and of its threads; checksums: of the files beside.

    The same job gives the same bytes.
    """
    weaving = job.spec.weaving
    assert weaving is not None, "a woven line has a weave"
    buffer = io.BytesIO()
    page = open_page(
        buffer, title=f"Weave sheet {job.reference} r{job.revision}", subject=job.spec.name, paper=job.paper
    )
    sheet = _Sheet(page, job)
    top = _header(page, job, weaving)
    top = _pictures(page, draft, weaving, whole, near, top)
    top = _settings(page, draft, job, weaving, top)
    top = _yarns(page, job, weaving, top)
    top = _weaves(sheet, draft, weaving, top)
    top = _floats(sheet, draft, weaving, top)
    _files(sheet, checksums, top)
    sheet.foot()
    page.showPage()
    page.save()
    return buffer.getvalue()


class _Sheet:
    """The pages of a sheet: a new one is begun where a block has no room."""

    def __init__(self, page: Page, job: RenderJob) -> None:
        self.page, self.job, self.number = page, job, 1

    def room(self, top: float, needed: float) -> float:
        """`top`, or the top of a new page where `needed` points don't fit above the foot."""
        if top - needed > _FOOT:
            return top
        self.foot()
        self.page.showPage()
        self.number += 1
        return self.page.height - 20 * mm

    def foot(self) -> None:
        """The foot of the page."""
        page, job = self.page, self.job
        rule(page, MARGIN, 12.5 * mm, page.inner)
        note = f"{job.reference} revision {job.revision}. Pictures and lift plans are for the mill's own CAD to import."
        text(page, MARGIN, 8.6 * mm, note, size=7.8, colour=QUIET, width=page.inner - 20 * mm)
        text(page, page.width - MARGIN, 8.6 * mm, f"page {self.number}", size=7.8, colour=QUIET, align="right")


def _header(page: Page, job: RenderJob, weaving: Weaving) -> float:
    top, right = page.height - 15 * mm, page.width - MARGIN
    text(page, MARGIN, top, job.shop or "Weftline", font=STRONG, size=9.5, colour=QUIET, width=90 * mm)
    text(page, right, top, "WEAVE SHEET", font=BOLD, size=9.5, colour=ACCENT, align="right")
    text(page, MARGIN, top - 10.5 * mm, job.reference, font=BOLD, size=24, width=110 * mm)
    released = job.released_at.astimezone(ZoneInfo(job.tz))
    said = f"Revision {job.revision}, {released:%d %b %Y}"
    text(page, right, top - 10 * mm, said, font=STRONG, size=10.5, align="right")
    text(page, MARGIN, top - 16.5 * mm, weaving.name, font=STRONG, size=11.5, width=110 * mm)
    text(page, right, top - 16.5 * mm, f"Loom {job.machine.code}", font=STRONG, size=10.5, align="right", width=60 * mm)
    return top - 23 * mm


def _pictures(
    page: Page, draft: Draft, weaving: Weaving, whole: NDArray[np.uint8], near: NDArray[np.uint8], top: float
) -> float:
    picks, ends = draft.paper.shape
    size = f"{ends / weaving.ends_per_cm * 10:.1f} x {picks / weaving.picks_per_cm * 10:.1f} mm"
    shown = ((MARGIN, whole, f"One repeat, {size}"), (page.width - MARGIN - _PICTURE, near, "Its threads from near"))
    for x, picture, words in shown:
        height, width = picture.shape[:2]
        scale = min(_PICTURE / width, _PICTURE / height)
        left = x + (_PICTURE - width * scale) / 2
        foot = top - _PICTURE + (_PICTURE - height * scale) / 2
        page.drawImage(ImageReader(Image.fromarray(picture)), left, foot, width * scale, height * scale)
        box(page, x, top - _PICTURE, _PICTURE, _PICTURE)
        label(page, x, top - _PICTURE - 3.6 * mm, words.upper())
    return top - _PICTURE - 12 * mm


def _settings(page: Page, draft: Draft, job: RenderJob, weaving: Weaving, top: float) -> float:
    spec, usage = job.spec, job.assessment.usage
    picks, ends = draft.paper.shape
    columns, rows = weaving.copies
    limits = weaving.float_limits
    half = page.inner / 2 - 4 * mm
    set_as = spec.repeat.layout.value.replace("_", "-")
    left = [
        ("Repeat", f"{ends} ends x {picks} picks" + (" of each weft" if weaving.extra is not None else "")),
        ("Set", set_as if (columns, rows) == (1, 1) else f"{set_as}, {columns} x {rows} design repeats"),
        (
            "Harness",
            f"{weaving.harness_ends} ends in {weaving.hooks} hooks, the repeat {weaving.harness_ends // ends} x",
        ),
        ("Density", f"{weaving.ends_per_cm:g} ends/cm, {weaving.picks_per_cm:g} picks/cm"),
        ("Reed", f"{weaving.ends_per_cm / weaving.ends_per_dent:g} dents/cm, {weaving.ends_per_dent} ends each"),
        ("Width in the reed", f"{weaving.reed_width_mm:g} mm, {weaving.total_ends} ends"),
    ]
    finished = spec.width_mm * (1 - spec.shrink_weft)
    right = [
        ("Finished width", f"{finished:g} mm"),
        ("Shrinkage", shrinkage_words(spec)),
        ("Length", f"{usage.fabric_length_m:.2f} m for {spec.quantity_m:g} m ordered"),
        ("Picks in all", f"{usage.picks}"),
        ("Loom", f"{usage.minutes.get('Weave', 0) / 60:.2f} h, setting up included"),
        ("Longest float", f"at most {limits.weft} ends, {limits.warp} picks"),
    ]
    heading(page, MARGIN, top, "Setting the loom", page.inner)
    below = facts(page, MARGIN, top - 5.6 * mm, half, left, step=_STEP, split=32 * mm)
    facts(page, MARGIN + half + 8 * mm, top - 5.6 * mm, half, right, step=_STEP, split=30 * mm)
    return below - 5 * mm


def _yarns(page: Page, job: RenderJob, weaving: Weaving, top: float) -> float:
    heading(page, MARGIN, top, "Yarns", page.inner)
    y = top - 6.4 * mm
    named: list[tuple[str, Yarn]] = [("Warp", weaving.warp)]
    names = ("Weft",) if weaving.extra is None else ("Ground weft, selector 1", "Figure weft, selector 2")
    named += list(zip(names, weaving.wefts, strict=True))
    need = job.assessment.usage.yarn_kg
    for what, yarn in named:
        _patch(page, MARGIN, y - 1 * mm, yarn.colour, 8 * mm, 4 * mm)
        text(page, MARGIN + 11 * mm, y, what, size=8.8, colour=QUIET, width=38 * mm)
        text(page, MARGIN + 50 * mm, y, yarn.name, font=STRONG, size=8.8, width=58 * mm)
        text(page, MARGIN + 110 * mm, y, yarn.sku, size=8.8, width=28 * mm)
        text(page, MARGIN + 140 * mm, y, f"{yarn.tex:g} tex", size=8.8, width=16 * mm)
        kg = need.get(yarn.sku, 0.0)
        text(page, page.width - MARGIN, y, f"{kg:.3f} kg", font=STRONG, size=8.8, align="right")
        y -= 5.6 * mm
    return y - 4 * mm


def _weaves(sheet: _Sheet, draft: Draft, weaving: Weaving, top: float) -> float:
    page = sheet.page
    top = sheet.room(top, 8 * mm + _ROW)
    heading(page, MARGIN, top, "Weaves", page.inner)
    y = top - 1.5 * mm
    used = [np.count_nonzero(draft.paper == index) for index in range(len(draft.weaves))]
    for index, (colour, name) in enumerate(zip(draft.palette.colours, draft.weaves, strict=True)):
        if (fresh := sheet.room(y, _ROW)) != y:
            heading(page, MARGIN, fresh, "Weaves", page.inner)
            y = fresh - 1.5 * mm
        weave = LIBRARY[name]
        middle = y - _ROW / 2 - 1 * mm
        text(page, MARGIN + 6 * mm, middle, str(index), font=BOLD, size=10.5, align="right")
        _patch(page, MARGIN + 9 * mm, middle - 2.2 * mm, colour, 12 * mm, 6.5 * mm)
        text(page, MARGIN + 25 * mm, middle, colour, size=8.8, colour=QUIET)
        text(page, MARGIN + 44 * mm, middle, name.replace("_", " "), font=STRONG, size=10.5, width=48 * mm)
        share = warp_share((name,))[0]
        size = f"{weave.size} threads, {share:.0%} warp on the face"
        text(page, MARGIN + 94 * mm, middle, size, size=8.8, width=56 * mm)
        text(page, MARGIN + 148 * mm, middle, f"{used[index] / draft.paper.size:.1%}", size=8.8, colour=QUIET)
        _drawing(page, weave.lift, page.width - MARGIN - 10.5 * mm, y - 11.5 * mm, 10.5 * mm)
        if weave.figure is not None and weaving.extra is not None:
            _drawing(page, weave.figure, page.width - MARGIN - 22.5 * mm, y - 11.5 * mm, 10.5 * mm)
        y -= _ROW
        rule(page, MARGIN, y, page.inner)
    return y - 9 * mm


def _floats(sheet: _Sheet, draft: Draft, weaving: Weaving, top: float) -> float:
    page, limits = sheet.page, weaving.float_limits
    rows = [(f"weft {nth}" if len(draft.floats) > 1 else "", report) for nth, report in enumerate(draft.floats, 1)]
    top = sheet.room(top, (8 + 5 * len(rows)) * mm + 6 * mm)
    heading(page, MARGIN, top, "Floats, counted around the repeat's edges", page.inner)
    y = top - 5.6 * mm
    for which, report in rows:
        text(page, MARGIN, y, _said(report, which), size=8.8, width=page.inner)
        y -= 5 * mm
    added = f"{draft.repaired} binding points were added" if draft.repaired else "No binding points had to be added"
    over = sum(report.over for report in draft.floats)
    last = f"{added}; {over} floats are over {limits.weft} ends or {limits.warp} picks."
    text(page, MARGIN, y, last, font=STRONG, size=8.8, width=page.inner)
    return y - 10 * mm


def _said(report: FloatReport, which: str) -> str:
    return (
        f"Longest{' of ' + which if which else ''}: on the face {report.weft_face.longest} ends under a pick and "
        f"{report.warp_face.longest} picks under an end, on the back {report.weft_back.longest} ends and "
        f"{report.warp_back.longest} picks."
    )


def _files(sheet: _Sheet, checksums: Mapping[str, str], top: float) -> None:
    page = sheet.page
    top = sheet.room(top, 20 * mm)
    heading(page, MARGIN, top, "Files beside this sheet, with their SHA-256", page.inner)
    y = top - 5.2 * mm
    for name, digest in checksums.items():
        if (fresh := sheet.room(y, 4.4 * mm)) != y:
            heading(page, MARGIN, fresh, "Files beside this sheet, with their SHA-256", page.inner)
            y = fresh - 5.2 * mm
        text(page, MARGIN, y, name, font=STRONG, size=7.8, width=46 * mm)
        text(page, MARGIN + 48 * mm, y, digest, size=7.8, colour=QUIET, width=page.inner - 48 * mm)
        y -= 4.4 * mm


def _patch(page: Page, x: float, y: float, colour: str, width: float, height: float) -> None:
    page.setFillColor(HexColor(colour))
    page.setStrokeColor(LINE)
    page.setLineWidth(0.5)
    page.rect(x, y, width, height, stroke=1, fill=1)


def _drawing(page: Page, lift: Lift, x: float, y: float, side: float) -> None:
    """A weave on squared paper, dark where the warp is up, the first pick at the top as in the point paper."""
    count = len(lift)
    cell = side / count
    page.setFillColor(INK)
    for pick, end in zip(*np.nonzero(lift), strict=True):
        page.rect(x + end * cell, y + side - (pick + 1) * cell, cell, cell, stroke=0, fill=1)
    box(page, x, y, side, side)
