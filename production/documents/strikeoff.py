"""The strike-off card: it goes to the customer with the sample that was printed or woven, and comes back signed."""

from __future__ import annotations

import io

from generation.domain.pattern import Raster
from production.documents.page import (
    LINE,
    MARGIN,
    QUIET,
    STRONG,
    Page,
    facts,
    heading,
    label,
    lines_of,
    mm,
    open_page,
    rule,
    text,
)
from production.documents.parts import (
    LAYOUT_WORDS,
    day_in_words,
    head,
    made_colours,
    made_lab,
    moment_in_words,
    repeats,
    sign,
    swatch,
    tick,
    to_fill,
)
from production.domain.checks.colours import TRUE_DELTA_E
from production.domain.picture import Picture
from production.ports import RenderJob

PICTURE = 50 * mm
FOOT = 17 * mm
DECISION = 46 * mm
# what a mill rubs, washes and lights; the standards' own names, the grades are written in by hand
TESTS = (
    ("Rubbing dry, ISO 105-X12", "grade"),
    ("Rubbing wet, ISO 105-X12", "grade"),
    ("Washing, ISO 105-C06", "grade"),
    ("Light, ISO 105-B02", "grade"),
    ("Shrinkage after washing", "length, width %"),
)


def strikeoff_pdf(design: Raster | Picture, job: RenderJob) -> bytes:
    """The card as one page of PDF; the same job gives the same bytes."""
    buffer = io.BytesIO()
    page = open_page(
        buffer, title=f"Strike-off {job.reference} r{job.revision}", subject=job.spec.name, paper=job.paper
    )
    top = head(page, job, "STRIKE-OFF")
    repeats(page, design, job, MARGIN, top - PICTURE, PICTURE)
    _made(page, job, MARGIN + PICTURE + 6 * mm, top)
    top -= PICTURE + 6 * mm
    left = page.inner * 0.56
    foot = _colours(page, job, top, left)
    checked = _checks(page, MARGIN + left + 6 * mm, top, page.inner - left - 6 * mm)
    _sample(page, min(foot, checked) - 2 * mm, FOOT + DECISION + 3 * mm)
    _decision(page, job)
    _footer(page, job)
    page.showPage()
    page.save()
    return buffer.getvalue()


def _made(page: Page, job: RenderJob, x: float, top: float) -> None:
    spec = job.spec
    width = page.width - MARGIN - x
    heading(page, x, top - 4.2 * mm, "How it was made", width)
    artwork = job.provenance.sha256[:12] if job.provenance is not None else ""
    named = ", ".join(part for part in (job.design, artwork) if part)
    operations = [step[0].operation for step in spec.operations]
    rows = [
        ("Artwork", named or "as on the ticket"),
        ("Words", f"“{job.words}”" if job.words else ""),
        ("Colourway", job.colourway or f"{len(job.assessment.palette)} colours"),
        ("Repeat", f"{spec.repeat.width_mm:.2f} × {spec.repeat.height_mm:.2f} mm, {LAYOUT_WORDS[spec.repeat.layout]}"),
        ("Base", f"{spec.name}, {spec.sku}, {spec.fibre}, {spec.gsm:g} g/m²"),
        ("Process", ", ".join(operations).lower()),
        ("Machine", f"{job.machine.code} {job.machine.name}"),
    ]
    if spec.inks:
        detail = f"smallest detail {spec.limits.min_feature_mm:g} mm"
        rows.insert(4, ("Sharpness", f"{spec.dpi:g} dpi, {detail}"))
        rows.append(("Inks, profile", f"{spec.inks.code}, {spec.inks.profile.name}"))
    else:
        assert spec.weaving is not None
        density = f"{spec.weaving.ends_per_cm:g} ends and {spec.weaving.picks_per_cm:g} picks per cm"
        rows.insert(4, ("Sharpness", density))
        yarns = (spec.weaving.warp, *spec.weaving.wefts)
        rows.append(("Yarns", ", ".join(yarn.name for yarn in yarns)))
    facts(page, x, top - 9.4 * mm, width, [row for row in rows if row[1]], step=4.75 * mm, split=24 * mm, size=8.8)


def _colours(page: Page, job: RenderJob, top: float, width: float) -> float:
    """Each colour as it should be on the cloth, with room for what was measured."""
    heading(page, MARGIN, top - 3 * mm, f"Colours, tolerance ΔE00 {TRUE_DELTA_E:g}", width)
    y = top - 7 * mm
    for offset, name in zip((48, 58, 68), ("L*", "a*", "b*"), strict=True):
        label(page, MARGIN + offset * mm, y, name, align="right")
    label(page, MARGIN + 15 * mm, y, "MEANT, D50/2°")
    label(page, MARGIN + 74 * mm, y, "MEASURED, ΔE00")
    shown = [(colour.upper(), colour, value) for colour, value in zip(made_colours(job), made_lab(job), strict=True)]
    step = min(6.4, 46.0 / max(1, len(shown))) * mm
    for name, colour, value in shown:
        y -= step
        swatch(page, MARGIN, y + 1.1 * mm - (step - 1 * mm) / 2, 13 * mm, step - 1 * mm, colour)
        text(page, MARGIN + 15 * mm, y, name, font=STRONG, size=8.6)
        for offset, one in zip((48, 58, 68), value, strict=True):
            text(page, MARGIN + offset * mm, y, f"{round(float(one), 1) + 0.0:.1f}", size=8.6, align="right")
        rule(page, MARGIN + 74 * mm, y - 0.6 * mm, width - 74 * mm, colour=QUIET)
    return y - 4 * mm


def _checks(page: Page, x: float, top: float, width: float) -> float:
    heading(page, x, top - 3 * mm, "Checked on the sample", width)
    y = top - 9 * mm
    for name, figure in TESTS:
        tick(page, x, y, name)
        to_fill(page, x + 5 * mm, y - 4.8 * mm, width - 5 * mm, figure, size=7.8)
        y -= 9.6 * mm
    return y + 3 * mm


def _sample(page: Page, top: float, foot: float) -> None:
    """Where the sample is fixed."""
    if top - foot < 15 * mm:
        return
    page.setStrokeColor(LINE)
    page.setDash([4, 3], 0)
    page.rect(MARGIN, foot, page.inner, top - foot, stroke=1, fill=0)
    page.setDash([], 0)
    words = "Fix the sample here, face up, warp upright"
    text(page, page.width / 2, (top + foot) / 2, words, size=9.5, colour=QUIET, align="centre")


def _decision(page: Page, job: RenderJob) -> None:
    top = FOOT + DECISION
    heading(page, MARGIN, top - 4.2 * mm, "Your decision", page.inner)
    y = top - 10.5 * mm
    third = page.inner / 3
    for number, words in enumerate(("Approved as it is", "Approved with the remarks below", "Rejected, see below")):
        tick(page, MARGIN + number * third, y, words, size=9.6)
    to_fill(page, MARGIN, y - 8 * mm, page.inner, "Remarks", size=8.6)
    rule(page, MARGIN, y - 15 * mm, page.inner, colour=QUIET)
    half = page.inner / 2 - 2 * mm
    sign(page, MARGIN, FOOT, half, "CUSTOMER: NAME, DATE, SIGNATURE", height=13 * mm)
    sign(page, MARGIN + half + 4 * mm, FOOT, half, "MILL: NAME, DATE, SIGNATURE", height=13 * mm)


def _footer(page: Page, job: RenderJob) -> None:
    rule(page, MARGIN, 12.5 * mm, page.inner)
    due = f" Cloth due {day_in_words(job.due)}." if job.due else ""
    note = (
        f"{job.name}, {moment_in_words(job.released_at, job.tz)}.{due} The signed sample is the standard for the cloth."
    )
    for line in lines_of(note, "SourceSans", 7.8, page.inner - 24 * mm, most=1):
        text(page, MARGIN, 8.6 * mm, line, size=7.8, colour=QUIET)
    text(page, page.width - MARGIN, 8.6 * mm, "page 1 of 1", size=7.8, colour=QUIET, align="right")
