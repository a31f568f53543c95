"""The job ticket: one page that follows the cloth, to be read at arm's length on the shop floor.

What the mill knows and the product does not is a line to be filled in by hand.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from zoneinfo import ZoneInfo

from reportlab.lib.colors import white

from generation.domain.pattern import Layout, Raster
from production.documents.page import (
    ACCENT,
    BOLD,
    LINE,
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
    printable,
    rule,
    text,
    width_of,
)
from production.documents.parts import (
    LAYOUT_WORDS,
    day_in_words,
    drop_in_words,
    head,
    made_colours,
    made_lab,
    moment_in_words,
    panel,
    repeats,
    shrinkage_words,
    swatch,
    tick,
    to_fill,
)
from production.domain.checks.colours import TRUE_DELTA_E
from production.domain.colour import delta_e_2000, srgb_to_lab
from production.domain.picture import Picture
from production.domain.weave import warp_share
from production.ports import RenderJob, WrittenFile

TICKET_JSON, JOB_XJDF = "ticket.json", "job.xjdf"
TICKET_FORMAT = "weftline-ticket/1"
PICTURE = 57 * mm
PANEL_HEIGHT = 19 * mm
SHORT = 285 * mm  # a page no higher than this is set closer
FOOTER = 29 * mm  # height of the block with the file's checksums, page number included
QUALITY = 26 * mm
TALLEST_STEP, LEAST_STEP = 8.4 * mm, 4.2 * mm


def ticket_pdf(design: Raster | Picture, job: RenderJob, files: Sequence[WrittenFile]) -> bytes:
    """The ticket as PDF with ticket.json, and job.xjdf where one was written, inside; the same job, the same bytes.

    files: what was written before it, the machine file first.
    """
    buffer = io.BytesIO()
    title = f"Job ticket {job.reference} r{job.revision}"
    page = open_page(buffer, title=title, subject=job.spec.name, paper=job.paper)
    top = head(page, job, "JOB TICKET")
    top = _key_facts(page, job, top)
    _specification(page, design, job, MARGIN + PICTURE + 5 * mm, top)
    foot = _pictures(page, design, job, top)
    colours_foot = _colours(page, design, job, foot - 4 * mm)
    use_foot = _consumption(page, job, foot - 4 * mm)
    _route(page, job, min(colours_foot, use_foot) - 2.5 * mm, FOOTER + QUALITY)
    _quality(page, job)
    _footer(page, job, files)
    page.attach(
        TICKET_JSON,
        ticket_json(job, files),
        mime="application/json",
        relationship="Data",
        description="What this ticket says, for programs",
    )
    xjdf = next((file for file in files if file.format == "xjdf"), None)
    if xjdf is not None:
        page.attach(
            JOB_XJDF,
            xjdf.path.read_bytes(),
            mime="application/vnd.cip4-xjdf+xml",
            relationship="Source",
            description="The job in CIP4's XJDF",
        )
    page.showPage()
    page.save()
    return buffer.getvalue()


def ticket_json(job: RenderJob, files: Sequence[WrittenFile]) -> bytes:
    """What the ticket says as JSON, and nothing of what it costs: it goes through everybody's hands."""
    spec, found = job.spec, job.assessment
    profile = spec.inks.profile if spec.inks is not None else None
    said: dict[str, Any] = {
        "format": TICKET_FORMAT,
        "job": job.name,
        "reference": job.reference,
        "revision": job.revision,
        "released_at": job.released_at.isoformat(),
        "order": job.order,
        "customer": job.customer,
        "due": job.due.isoformat() if job.due else None,
        "promised": job.promised.isoformat() if job.promised else None,
        "priority": job.priority or None,
        "design": job.design,
        "colourway": job.colourway,
        "words": job.words,
        "article": {"sku": spec.sku, "name": spec.name, "fibre": spec.fibre, "gsm": spec.gsm},
        "width_mm": {"whole": spec.width_mm, "usable": spec.usable_width_mm},
        "shrinkage_pct": {"length": spec.shrink_warp * 100, "width": spec.shrink_weft * 100},
        "lots": [asdict(use) | {"quantity": str(use.quantity)} for use in job.lots],
        "machine": job.machine.code,
        "length_m": {
            "ordered": spec.quantity_m,
            "pattern": round(found.usage.pattern_length_m, 4),
            "cloth": round(found.usage.fabric_length_m, 4),
        },
        "repeat": {
            "layout": spec.repeat.layout.value,
            "drop": str(spec.repeat.layout.drop),
            "shift": str(spec.repeat.layout.shift),
            "asked_mm": [spec.asked.width_mm, spec.asked.height_mm],
            "finished_mm": [round(spec.repeat.width_mm, 4), round(spec.repeat.height_mm, 4)],
            "pixels": [spec.width_px, spec.height_px],
            "dpi": spec.dpi,
            "scale": [round(spec.scale_x, 6), round(spec.scale_y, 6)],
        },
        "ink_limit_pct": spec.inks.tac_pct if spec.inks is not None else None,
        "ink_ml": {channel: round(ml, 3) for channel, ml in found.usage.ink_ml.items()},
        "profile": {"name": profile.name, "sha256": profile.sha256} if profile is not None else None,
        "yarn_kg": {sku: round(kg, 4) for sku, kg in found.usage.yarn_kg.items()},
        "colours": [
            {"asked": asked, "made": made, "made_lab_d50": [round(float(value), 2) for value in lab]}
            for asked, made, lab in zip(found.palette.colours, made_colours(job), made_lab(job), strict=True)
        ]
        if len(found.palette)
        else [],
        "steps": [
            {
                "name": step.name,
                "work_centre": step.work_centre,
                "start": step.start.isoformat(),
                "end": step.end.isoformat(),
            }
            for step in job.steps
        ],
        "files": [
            {"name": file.path.name, "format": file.format, "sha256": file.sha256, "bytes": file.size_bytes}
            for file in files
        ],
    }
    return json.dumps(said, indent=1, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")


def _key_facts(page: Page, job: RenderJob, top: float) -> float:
    spec = job.spec
    lot = next((use.lot for use in job.lots if use.lot), "")
    design = ", ".join(part for part in (job.design, job.colourway) if part)
    cells = (
        ("LENGTH TO DELIVER", f"{spec.quantity_m:g} m", 1.05),
        ("FABRIC" if spec.inks else "CLOTH", spec.name, 1.75),
        ("LOT (ROLL)" if spec.inks else "WEAVE", lot or (spec.sku if spec.weaving else "none held"), 1.15),
        ("MACHINE", job.machine.code, 0.75),
        ("DUE", day_in_words(job.due) if job.due else "not set", 1.35),
        ("PRIORITY", job.priority, 0.75),
    )
    height = 12 * mm
    total = sum(share for *_, share in cells)
    box(page, MARGIN, top - height, page.inner, height, fill=PANEL)
    x = MARGIN
    for number, (name, value, share) in enumerate(cells):
        width = page.inner * share / total
        if number:
            page.setStrokeColor(LINE)
            page.line(x, top - height + 2 * mm, x, top - 2 * mm)
        label(page, x + 2 * mm, top - 4.2 * mm, name)
        if value:
            size = _size_for(value, width - 3.5 * mm)
            text(page, x + 2 * mm, top - 9.4 * mm, value, font=BOLD, size=size, width=width - 3.5 * mm)
        else:
            rule(page, x + 2 * mm, top - 9.8 * mm, width - 4 * mm, colour=QUIET)
        x += width
    line = top - height - 4.6 * mm
    text(page, MARGIN, line, "Design", size=8.2, colour=QUIET)
    named = f"{design}, " if design else ""
    text(page, MARGIN + 12 * mm, line, f"{named}“{job.words}”" if job.words else design, font=STRONG, size=8.6,
         width=page.inner - 13 * mm)  # fmt: skip
    return line - 3.6 * mm


def _size_for(value: str, width: float) -> float:
    """The largest of the sizes for key facts at which `value` fits, else the smallest."""
    return next((size for size in (12.0, 10.5, 9.2) if width_of(printable(value), BOLD, size) <= width), 8.4)


def _pictures(page: Page, design: Raster | Picture, job: RenderJob, top: float) -> float:
    """The repeat as it stands, and the width of the cloth below it; returns the foot."""
    repeat = job.spec.repeat
    y = top - PICTURE
    repeats(page, design, job, MARGIN, y, PICTURE)
    caption = f"one repeat {repeat.width_mm:.1f} × {repeat.height_mm:.1f} mm, {LAYOUT_WORDS[repeat.layout]}"
    text(page, MARGIN, y - 3.2 * mm, caption, size=7.4, colour=QUIET, width=PICTURE)
    height = PANEL_HEIGHT if page.height > SHORT else PANEL_HEIGHT - 6 * mm
    y -= 5.2 * mm + height
    scale = panel(page, design, job, MARGIN, y, PICTURE, height)
    words = f"the cloth, {job.spec.width_mm / 10:g} cm, 1 : {scale:.0f}, face up, head at the top"
    text(page, MARGIN, y - 3.2 * mm, words, size=7.4, colour=QUIET, width=PICTURE)
    return y - 4.5 * mm


def _specification(page: Page, design: Raster | Picture, job: RenderJob, x: float, top: float) -> None:
    gap = 5 * mm
    width = (page.width - MARGIN - x - gap) / 2
    step, split = (3.95 if page.height > SHORT else 3.6) * mm, 20.5 * mm
    y = top
    for title, rows in (("Repeat", _repeat_rows(job)), ("Fabric" if job.spec.inks else "Cloth", _fabric_rows(job))):
        heading(page, x, y - 4.2 * mm, title, width)
        y = facts(page, x, y - 8.4 * mm, width, rows, step=step, split=split, size=7.9) + 1.2 * mm
    x, y = x + width + gap, top
    heading(page, x, y - 4.2 * mm, "Printing" if job.spec.inks else "Weaving", width)
    in_tones = isinstance(design, Picture)
    rows = _printing_rows(job, in_tones=in_tones) if job.spec.inks else _weaving_rows(job)
    broken = [
        (name if k == 0 else "", line) for name, value in rows for k, line in enumerate(_broken(value, width - split))
    ]
    y = facts(page, x, y - 8.4 * mm, width, broken, step=step, split=split, size=7.9)
    if job.spec.inks:
        to_fill(page, x, y - 0.4 * mm, width, "Mode, passes", size=7.9)
        y -= 4.8 * mm
    heading(page, x, y - 3.6 * mm, "Care, packing, remarks", width)
    y -= 9 * mm
    for name in ("Wash care", "Packing", "Remarks"):
        to_fill(page, x, y, width, name, size=7.9)
        y -= 4.8 * mm


def _broken(value: str, width: float) -> list[str]:
    """A value over two lines at most: a profile's name says at its end that it is synthetic."""
    return lines_of(value, STRONG, 7.9, width, most=2) or [""]


def _repeat_rows(job: RenderJob) -> list[tuple[str, str]]:
    spec = job.spec
    thread = "ends × picks" if spec.weaving else "px"
    rows = [
        ("Finished", f"{spec.repeat.width_mm:.2f} × {spec.repeat.height_mm:.2f} mm"),
        ("Asked for", f"{spec.asked.width_mm:g} × {spec.asked.height_mm:g} mm"),
        ("In the file", f"{spec.width_px} × {spec.height_px} {thread}"),
        ("Layout", LAYOUT_WORDS[spec.repeat.layout]),
        ("Drop", drop_in_words(spec.repeat.layout)),
        ("Mirrored", f"{'yes' if spec.repeat.layout is Layout.MIRROR else 'no'}; as pictured, not turned"),
        ("Across", f"{job.assessment.repeats_across:.2f} repeats"),
    ]
    if spec.inks:
        rows.insert(3, ("Printed", f"{spec.printed_width_mm:.2f} × {spec.printed_height_mm:.2f} mm"))
        rows.append(("Scale, in file", f"width × {spec.scale_x:.4f}, length × {spec.scale_y:.4f}"))
    return rows


def _fabric_rows(job: RenderJob) -> list[tuple[str, str]]:
    spec, usage = job.spec, job.assessment.usage
    rows = [
        ("Article", spec.sku),
        ("Fibre", f"{spec.fibre}, {spec.gsm:g} g/m²"),
        ("Width", f"{spec.width_mm / 10:g} cm, usable {spec.usable_width_mm / 10:g} cm"),
        ("Ordered", job.ordered),
        ("To print" if spec.inks else "To weave", f"{usage.pattern_length_m:.2f} m"),
        ("Off the roll" if spec.inks else "Warp", f"{usage.fabric_length_m:.2f} m"),
        ("Allowance", f"head {spec.head_m:g}, tail {spec.tail_m:g} m, waste {spec.waste * 100:g} %"),
        ("Shrinkage", shrinkage_words(spec)),
    ]
    if spec.inks:
        rows.insert(3, ("Pretreatment", f"{spec.inks.pretreatment_sku}, pick-up {spec.inks.pickup_pct:g} %"))
    return rows


def _printing_rows(job: RenderJob, *, in_tones: bool) -> list[tuple[str, str]]:
    """Tones are printed with black point compensation, flat colours as they were asked for."""
    spec, machine = job.spec, job.machine
    assert spec.inks is not None
    profile = spec.inks.profile
    return [
        ("Printer", f"{machine.code} {machine.name}"),
        ("File", f"{spec.dpi:g} dpi"),
        ("Speed", f"{machine.speed_m2_h:g} m²/h, planned at {machine.factor * 100:g} %"),
        ("Ink set", f"{spec.inks.code} {spec.inks.name}"),
        ("Ink limit", f"{spec.inks.tac_pct:g} % of all inks"),
        ("Profile", profile.name),
        ("its SHA-256", profile.sha256[:24] + "…"),
        ("Intent", f"relative, black point {'scaled' if in_tones else 'kept'}"),
        ("Tolerance", f"ΔE00 {TRUE_DELTA_E:g} to the strike-off"),
    ]


def _weaving_rows(job: RenderJob) -> list[tuple[str, str]]:
    spec, machine = job.spec, job.machine
    assert spec.weaving is not None
    weaving = spec.weaving
    return [
        ("Loom", f"{machine.code} {machine.name}"),
        ("Speed", f"{machine.picks_min:g} picks/min, planned at {machine.factor * 100:g} %"),
        ("Threads per cm", f"{weaving.ends_per_cm:g} ends, {weaving.picks_per_cm:g} picks"),
        ("Harness", f"{weaving.harness_ends} ends, {weaving.hooks} hooks"),
        ("Width in reed", f"{weaving.reed_width_mm / 10:g} cm, {weaving.total_ends} ends"),
        ("Longest float", f"{weaving.float_limits.weft} ends, {weaving.float_limits.warp} picks"),
        ("Warp", f"{weaving.warp.name}, {weaving.warp.tex:g} tex"),
        *(("Weft", f"{weft.name}, {weft.tex:g} tex") for weft in weaving.wefts),
        ("Tolerance", f"ΔE00 {TRUE_DELTA_E:g} to the strike-off"),
    ]


def _colours(page: Page, design: Raster | Picture, job: RenderJob, top: float) -> float:
    width = page.inner - 70 * mm
    palette = job.assessment.palette
    in_tones = isinstance(design, Picture)
    heading(page, MARGIN, top - 3 * mm, "Main colours of a design in tones" if in_tones else "Colours", width)
    lab, made = srgb_to_lab(palette.rgb()), made_colours(job)
    difference = delta_e_2000(lab, made_lab(job))
    y = top - 7 * mm
    label(page, MARGIN, y, "ASKED")
    label(page, MARGIN + 9 * mm, y, "MADE")
    label(page, MARGIN + 20 * mm, y, "D50/2°")
    for offset, name in zip((42, 51, 60, 69), ("L*", "a*", "b*", "ΔE00"), strict=True):
        label(page, MARGIN + offset * mm, y, name, align="right")
    separation = job.assessment.separation
    if separation is not None:
        count = len(separation.channels)
        pitch = min(9 * mm, (width - 71 * mm) / count)
        columns = [MARGIN + width - (count - 1 - k) * pitch for k in range(count)]
        for x, channel in zip(columns, separation.channels, strict=True):
            label(page, x, y, f"{channel} %", align="right")
    else:
        label(page, MARGIN + 74 * mm, y, "WEAVE")
        label(page, MARGIN + width, y, "WARP UP", align="right")
    step = min(5.2, (34 if page.height > SHORT else 31) / max(1, len(palette))) * mm
    for k, colour in enumerate(palette.colours):
        y -= step
        swatch(page, MARGIN, y + 1.1 * mm - (step - 0.8 * mm) / 2, 18 * mm, step - 0.8 * mm, colour, made[k])
        text(page, MARGIN + 20 * mm, y, colour.upper(), font=STRONG, size=8.2)
        for offset, value in zip((42, 51, 60), lab[k], strict=True):
            text(page, MARGIN + offset * mm, y, f"{round(value, 1) + 0.0:.1f}", size=8.2, align="right")
        text(page, MARGIN + 69 * mm, y, f"{difference[k]:.1f}", size=8.2, align="right")
        if separation is not None:
            for x, value in zip(columns, separation.percentages()[k], strict=True):
                text(page, x, y, f"{value:.0f}", font=STRONG, size=8.6, align="right")
        elif job.assessment.draft is not None:
            weave = job.assessment.draft.weaves[k]
            text(page, MARGIN + 74 * mm, y, weave.replace("_", " "), font=STRONG, size=8.2, width=width - 92 * mm)
            text(page, MARGIN + width, y, f"{warp_share((weave,))[0]:.0%}", font=STRONG, size=8.6, align="right")
    return y - 2 * mm


def _consumption(page: Page, job: RenderJob, top: float) -> float:
    usage, spec = job.assessment.usage, job.spec
    x = page.width - MARGIN - 64 * mm
    width = 64 * mm
    heading(page, x, top - 3 * mm, "Consumption", width)
    rows: list[tuple[str, str, float | None]] = []
    if spec.inks:
        for ink in spec.inks.inks:
            share = usage.coverage_pct[ink.channel]
            rows.append((f"{ink.channel} {ink.name}", f"{usage.ink_ml[ink.channel]:.1f} ml", share))
        rows += [("Pretreatment", f"{litres:.2f} l", None) for litres in usage.chemicals_l.values()]
    if spec.weaving:
        names = {yarn.sku: yarn.name for yarn in (spec.weaving.warp, *spec.weaving.wefts)}
        rows += [(names.get(sku, sku), f"{kg:.2f} kg", None) for sku, kg in usage.yarn_kg.items()]
        rows.append(("Picks", f"{usage.picks}", None))
    step = min(4.6, (40 if page.height > SHORT else 33) / max(1, len(rows))) * mm
    y = top - 7.4 * mm
    for name, value, coverage in rows:
        text(page, x, y, name, size=8.4, width=24 * mm if coverage is not None else width - 20 * mm)
        text(page, x + width, y, value, font=STRONG, size=8.8, align="right")
        if coverage is not None:
            _bar(page, x + 25 * mm, y, 20 * mm, coverage / 100)
        y -= step
    return y + 2 * mm


def _bar(page: Page, x: float, y: float, width: float, share: float) -> None:
    """How much of the cloth an ink covers."""
    page.setFillColor(PANEL)
    page.rect(x, y, width, 2 * mm, stroke=0, fill=1)
    page.setFillColor(QUIET)
    page.rect(x, y, width * min(1.0, share), 2 * mm, stroke=0, fill=1)


def _route(page: Page, job: RenderJob, top: float, foot: float) -> None:
    """The steps between `top` and `foot`, each to be signed off."""
    heading(page, MARGIN, top - 3 * mm, "Route", page.inner)
    right = page.inner / mm
    columns = [0.0, 7, 43, 61, 88, right - 79, right - 75, right - 57, right - 35]  # mm from the left margin
    names = ("", "STEP", "WORK CENTRE", "START", "END", "MINUTES", "METRES", "TIME", "OPERATOR, DATE")
    y = top - 6.6 * mm
    for offset, name in zip(columns, names, strict=True):
        label(page, MARGIN + offset * mm, y, name, align="right" if name == "MINUTES" else "left")
    y -= 1.4 * mm
    steps = _steps(job)
    step = max(LEAST_STEP, min(TALLEST_STEP, (y - foot) / max(1, len(steps))))
    size = 10.0 if step > 6.5 * mm else 8.6
    for number, row in enumerate(steps, start=1):
        rule(page, MARGIN, y, page.inner)
        base = y - step / 2 - 1.2 * mm
        square = min(4.4 * mm, step - 1.4 * mm)
        box(page, MARGIN, y - step / 2 - square / 2, square, square, fill=white)
        name, centre, start, end, minutes = row
        text(page, MARGIN + columns[1] * mm, base, f"{number}. {name}", font=STRONG, size=size, width=35 * mm)
        text(page, MARGIN + columns[2] * mm, base, centre, font=STRONG, size=size, width=17 * mm)
        text(page, MARGIN + columns[3] * mm, base, start, size=size - 0.5, width=26 * mm)
        text(page, MARGIN + columns[4] * mm, base, end, size=size - 0.5, width=15 * mm)
        text(page, MARGIN + columns[5] * mm, base, minutes, size=size - 0.5, align="right")
        for left, stop in ((columns[6], columns[7] - 1.5), (columns[7], columns[8] - 1.5), (columns[8], right)):
            box(page, MARGIN + left * mm, y - step + 0.6 * mm, (stop - left) * mm, step - 1.2 * mm, fill=white)
        y -= step
    rule(page, MARGIN, y, page.inner)


def _steps(job: RenderJob) -> Sequence[tuple[str, str, str, str, str]]:
    """(name, work centre, start, end, minutes) as planned, or unplanned on the first machine of each step."""
    if not job.steps:
        return [
            (step.name, step.work_centres[0], "not planned", "", f"{step.minutes[step.work_centres[0]]:.0f}")
            for step in job.assessment.route
        ]
    zone = ZoneInfo(job.tz)
    rows = []
    for step in job.steps:
        start, end = step.start.astimezone(zone), step.end.astimezone(zone)
        until = f"{end:%H:%M}" if end.date() == start.date() else f"{end:%a %H:%M}"
        minutes = (step.end - step.start).total_seconds() / 60
        rows.append((step.name, step.work_centre, f"{start:%a} {start.day} {start:%b %H:%M}", until, f"{minutes:.0f}"))
    return rows


def _quality(page: Page, job: RenderJob) -> None:
    """What inspection fills in."""
    top = FOOTER + QUALITY
    heading(page, MARGIN, top - 6 * mm, "Quality", page.inner)
    half = page.inner / 2 - 3 * mm
    x, y = MARGIN, top - 11 * mm
    tick(page, x, y, "Strike-off signed")
    to_fill(page, x + 34 * mm, y, half - 34 * mm, "by, on", size=8.6)
    to_fill(page, x, y - 6 * mm, half, "ΔE00 measured, by colour", size=8.6)
    to_fill(page, x, y - 12 * mm, half, "Roll and metres at head, tail", size=8.6)
    x += half + 6 * mm
    to_fill(page, x, y, half / 2 - 2 * mm, "Bowing, %", size=8.6)
    to_fill(page, x + half / 2, y, half / 2, "Skew, %", size=8.6)
    to_fill(page, x, y - 6 * mm, half, "Defects, at metre", size=8.6)
    to_fill(page, x, y - 12 * mm, half, "Good metres, inspected by", size=8.6)


def _footer(page: Page, job: RenderJob, files: Sequence[WrittenFile]) -> None:
    y = FOOTER - 2 * mm
    rule(page, MARGIN, y, page.inner, colour=ACCENT, weight=0.8)
    made = job.provenance
    rows = [("File", file.path.name, file.sha256) for file in files[:1]]
    if made is not None:
        rows.append(("Artwork", made.sha256[:12] + ", by its content", made.sha256))
        drawn = "none: a file" if made.generator == "file" else f"{made.generator}, seed {made.seed}"
        rows.append(("Generator", drawn, made.fingerprint))
    foot = y - 4 * mm
    for name, value, digest in rows:
        text(page, MARGIN, foot, name, size=7.8, colour=QUIET)
        text(page, MARGIN + 17 * mm, foot, value, font=STRONG, size=8, width=50 * mm)
        text(page, MARGIN + 69 * mm, foot, digest, size=7.8, width=page.inner - 69 * mm)
        foot -= 3.7 * mm
    rule(page, MARGIN, 11 * mm, page.inner)
    released = moment_in_words(job.released_at, job.tz)
    note = f"{printable(job.reference)} revision {job.revision}, released {released}. Programs read ticket.json inside."
    text(page, MARGIN, 7.4 * mm, note, size=7.8, colour=QUIET, width=page.inner - 30 * mm)
    text(page, page.width - MARGIN, 7.4 * mm, "page 1 of 1", size=7.8, colour=QUIET, align="right")
