"""The job ticket: one A4 page that follows the cloth, to be read at arm's length on the shop floor."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from PIL import Image
from reportlab.lib.colors import HexColor, white
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from generation.domain.pattern import Layout, Raster
from production.documents.page import (
    ACCENT,
    BOLD,
    INK,
    LINE,
    MARGIN,
    PAGE_HEIGHT,
    PAGE_WIDTH,
    PANEL,
    QUIET,
    STRONG,
    box,
    code_128,
    facts,
    heading,
    label,
    open_page,
    printable,
    qr_code,
    rule,
    text,
    width_of,
)
from production.domain.colour import lab_to_srgb, srgb_to_lab
from production.domain.weave import warp_share
from production.ports import RenderJob, WrittenFile
from production.preview import cloth_picture

WIDTH = PAGE_WIDTH - 2 * MARGIN
PICTURE = 82 * mm
PICTURE_PX = 800
MOST_COPIES = 12  # of a repeat along one side of the picture
LAYOUT_WORDS = {
    Layout.STRAIGHT: "straight",
    Layout.HALF_DROP: "half-drop",
    Layout.THIRD_DROP: "third-drop",
    Layout.HALF_BRICK: "half-brick",
    Layout.MIRROR: "mirror",
}


def ticket_pdf(raster: Raster, job: RenderJob, machine_file: WrittenFile) -> bytes:
    """The ticket as PDF; the same job gives the same bytes."""
    buffer = io.BytesIO()
    canvas = open_page(buffer, title=f"Job ticket {job.reference} r{job.revision}", subject=job.spec.name)
    top = _header(canvas, job)
    top = _key_facts(canvas, job, top)
    _picture(canvas, raster, job, MARGIN, top - PICTURE)
    _specification(canvas, job, MARGIN + PICTURE + 6 * mm, top)
    top -= PICTURE + 13 * mm
    colours_foot = _colours(canvas, raster, job, top)
    use_foot = _consumption(canvas, job, top)
    top = min(colours_foot, use_foot) - 4 * mm
    _route(canvas, job, top)
    _footer(canvas, job, machine_file)
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def code_value(job: RenderJob) -> str:
    """What the ticket's Code 128 says: reference and revision."""
    return job.name


def made_colours(job: RenderJob) -> list[str]:
    """What each colour of the palette becomes on the cloth, as '#rrggbb': by the colour profile, or by the yarns."""
    rgb = lab_to_srgb(job.assessment.made_lab)
    return ["#" + bytes(colour).hex() for colour in rgb.tolist()]


def _header(canvas: Canvas, job: RenderJob) -> float:
    top = PAGE_HEIGHT - 11 * mm
    qr = 31 * mm
    qr_code(canvas, PAGE_WIDTH - MARGIN - qr + 3 * mm, top - qr + 3 * mm, job.url or job.name, size=qr)
    left = WIDTH - qr - 2 * mm
    text(canvas, MARGIN, top - 4 * mm, job.shop or "Weftline", font=STRONG, size=9.5, colour=QUIET, width=80 * mm)
    text(canvas, MARGIN + left, top - 4 * mm, "JOB TICKET", font=BOLD, size=9.5, colour=ACCENT, align="right")
    text(canvas, MARGIN, top - 15.5 * mm, job.reference, font=BOLD, size=29, width=82 * mm)
    text(canvas, MARGIN, top - 21.5 * mm, f"Revision {job.revision}", font=STRONG, size=10.5)
    order = f"Order {job.order}" if job.order else ""
    text(canvas, MARGIN + 24 * mm, top - 21.5 * mm, order, size=10.5, colour=QUIET, width=55 * mm)
    text(canvas, MARGIN, top - 27 * mm, job.customer, font=STRONG, size=12, width=left - 70 * mm)
    code_128(canvas, MARGIN + left - 68 * mm, top - 22.5 * mm, code_value(job), width=68 * mm, height=13.5 * mm)
    text(canvas, MARGIN + left, top - 26.5 * mm, code_value(job), size=8, colour=QUIET, align="right", width=68 * mm)
    return top - 32 * mm


def _key_facts(canvas: Canvas, job: RenderJob, top: float) -> float:
    spec = job.spec
    lot = next((use.lot for use in job.lots if use.lot), "")
    machine = next((step.work_centre for step in job.steps if step.name in ("Print", "Weave")), spec.machines[0])
    cells = (
        ("LENGTH TO DELIVER", f"{spec.quantity_m:g} m", 1.0),
        ("FABRIC" if spec.inks else "CLOTH", spec.name, 1.75),
        ("LOT (ROLL)" if spec.inks else "WEAVE", lot or (spec.sku if spec.weaving else "none held"), 1.15),
        ("MACHINE", machine, 0.8),
        ("DUE", f"{job.due:%a} {job.due.day} {job.due:%b %Y}" if job.due else "not set", 1.35),
    )
    height = 13 * mm
    total = sum(share for *_, share in cells)
    box(canvas, MARGIN, top - height, WIDTH, height, fill=PANEL)
    x = MARGIN
    for number, (name, value, share) in enumerate(cells):
        width = WIDTH * share / total
        if number:
            canvas.setStrokeColor(LINE)
            canvas.line(x, top - height + 2 * mm, x, top - 2 * mm)
        label(canvas, x + 2.5 * mm, top - 4.4 * mm, name)
        text(
            canvas,
            x + 2.5 * mm,
            top - 10 * mm,
            value,
            font=BOLD,
            size=_size_for(value, width - 4 * mm),
            width=width - 4 * mm,
        )
        x += width
    return top - height - 5 * mm


def _size_for(value: str, width: float) -> float:
    """The largest of the sizes for key facts at which `value` fits, else the smallest."""
    return next((size for size in (12.5, 11.0, 9.5) if width_of(printable(value), BOLD, size) <= width), 9.0)


def _picture(canvas: Canvas, raster: Raster, job: RenderJob, x: float, y: float) -> None:
    """A square of cloth at least two repeats wide and high, the repeats drawn as they stand."""
    repeat = job.spec.repeat
    side_mm = min(2 * max(repeat.width_mm, repeat.height_mm), MOST_COPIES * min(repeat.width_mm, repeat.height_mm))
    scale = PICTURE / side_mm
    tile_w, tile_h = repeat.width_mm * scale, repeat.height_mm * scale
    columns, rows = (max(1, math.ceil(PICTURE / side - 1e-6)) for side in (tile_w, tile_h))
    made = lab_to_srgb(job.assessment.made_lab)
    width_px = round(PICTURE_PX * columns * tile_w / PICTURE)
    picture = cloth_picture(raster, columns=columns, rows=rows, width_px=width_px, colours=made)
    canvas.saveState()
    path = canvas.beginPath()
    path.rect(x, y, PICTURE, PICTURE)
    canvas.clipPath(path, stroke=0)
    top = y + PICTURE
    image = ImageReader(Image.fromarray(picture))
    canvas.drawImage(image, x, top - rows * tile_h, columns * tile_w, rows * tile_h)
    for column in range(-1, columns + 1):
        for row in range(-1, rows + 1):
            tile_x = x + (column + float(row * repeat.layout.shift % 1)) * tile_w
            tile_y = top - (row + 1 + float(column * repeat.layout.drop % 1)) * tile_h
            _outline(canvas, tile_x, tile_y, tile_w, tile_h, strong=False)
    _outline(canvas, x, top - tile_h, tile_w, tile_h, strong=True)
    canvas.restoreState()
    box(canvas, x, y, PICTURE, PICTURE)
    caption = f"one repeat {repeat.width_mm:.1f} × {repeat.height_mm:.1f} mm, {LAYOUT_WORDS[repeat.layout]}"
    text(canvas, x, y - 4 * mm, caption, size=8.2, colour=QUIET, width=PICTURE)


def _outline(canvas: Canvas, x: float, y: float, width: float, height: float, *, strong: bool) -> None:
    """A repeat's edge that shows on dark and light designs: white below, dark above."""
    styles = ((white, 2.4, ()), (INK, 1.1, ())) if strong else ((white, 1.2, ()), (INK, 0.5, (3, 3)))
    for colour, weight, dash in styles:
        canvas.setStrokeColor(colour)
        canvas.setLineWidth(weight)
        canvas.setDash(*(dash or ([], 0)))
        canvas.rect(x, y, width, height, stroke=1, fill=0)
    canvas.setDash([], 0)


def _specification(canvas: Canvas, job: RenderJob, x: float, top: float) -> None:
    spec, usage = job.spec, job.assessment.usage
    width = PAGE_WIDTH - MARGIN - x
    split = 29 * mm
    thread = "ends × picks" if spec.weaving else "px"
    rows = [
        ("Finished", f"{spec.repeat.width_mm:.2f} × {spec.repeat.height_mm:.2f} mm"),
        ("In the file", f"{spec.width_px} × {spec.height_px} {thread}"),
        ("Layout", LAYOUT_WORDS[spec.repeat.layout]),
        ("Across the width", f"{job.assessment.repeats_across:.2f} repeats"),
    ]
    if spec.inks:
        rows[2:2] = [
            ("Printed", f"{spec.printed_width_mm:.2f} × {spec.printed_height_mm:.2f} mm at {spec.dpi:g} dpi"),
            ("Scale, in the file", f"width × {spec.scale_x:.4f}, length × {spec.scale_y:.4f}"),
        ]
    heading(canvas, x, top - 4.5 * mm, "Repeat", width)
    y = facts(canvas, x, top - 9.3 * mm, width, rows, step=4.7 * mm, split=split)
    rows = [
        ("Article", f"{spec.sku}, {spec.fibre}, {spec.gsm:g} g/m²"),
        ("Width, usable", f"{spec.width_mm / 10:g} cm, {spec.usable_width_mm / 10:g} cm between selvedges"),
        ("Length off the roll" if spec.inks else "Length to weave", f"{usage.fabric_length_m:.2f} m"),
    ]
    if spec.inks:
        rows.append(("Shrinkage", f"length {spec.shrink_warp * 100:g} %, width {spec.shrink_weft * 100:g} %"))
    heading(canvas, x, y - 3.2 * mm, "Fabric" if spec.inks else "Cloth", width)
    y = facts(canvas, x, y - 8 * mm, width, rows, step=4.7 * mm, split=split)
    if spec.inks:
        profile = spec.inks.profile
        rows = [
            ("Inks", f"{spec.inks.name}, limit {spec.inks.tac_pct:g} %"),
            ("Profile", profile.name),
            ("Profile sha256", profile.sha256[:24] + "…"),
        ]
        title = "Colour"
    else:
        assert spec.weaving is not None
        weaving = spec.weaving
        rows = [
            ("Threads per cm", f"{weaving.ends_per_cm:g} ends, {weaving.picks_per_cm:g} picks"),
            ("Harness", f"{weaving.harness_ends} ends, {weaving.hooks} hooks"),
            ("Longest float", f"at most {weaving.max_float} threads"),
        ]
        title = "Loom"
    heading(canvas, x, y - 3.2 * mm, title, width)
    facts(canvas, x, y - 8 * mm, width, rows, step=4.7 * mm, split=split)


def _colours(canvas: Canvas, raster: Raster, job: RenderJob, top: float) -> float:
    width = 112 * mm
    heading(canvas, MARGIN, top, "Colours", width)
    lab = srgb_to_lab(raster.palette.rgb())
    made = made_colours(job)
    y = top - 4.6 * mm
    label(canvas, MARGIN, y, "ASKED")
    label(canvas, MARGIN + 9 * mm, y, "MADE")
    label(canvas, MARGIN + 21 * mm, y, "SCREEN, D50")
    for offset, name in zip((50, 60, 70), ("L*", "a*", "b*"), strict=True):
        label(canvas, MARGIN + offset * mm, y, name, align="right")
    separation = job.assessment.separation
    if separation is not None:
        columns = [
            MARGIN + width - (len(separation.channels) - 1 - k) * 11 * mm for k in range(len(separation.channels))
        ]
        for x, channel in zip(columns, separation.channels, strict=True):
            label(canvas, x, y, f"{channel} %", align="right")
    else:
        label(canvas, MARGIN + 76 * mm, y, "WEAVE")
        label(canvas, MARGIN + width, y, "WARP ON THE FACE", align="right")
    step = min(6.0, 38.0 / len(raster.palette)) * mm
    for k, colour in enumerate(raster.palette.colours):
        y -= step
        foot = y + 1.1 * mm - (step - 1 * mm) / 2
        for offset, shown in ((0, colour), (9, made[k])):
            canvas.setFillColor(HexColor(shown))
            canvas.rect(MARGIN + offset * mm, foot, 9 * mm, step - 1 * mm, stroke=0, fill=1)
        box(canvas, MARGIN, foot, 18 * mm, step - 1 * mm)
        text(canvas, MARGIN + 21 * mm, y, colour.upper(), font=STRONG, size=9)
        for offset, value in zip((50, 60, 70), lab[k], strict=True):
            text(canvas, MARGIN + offset * mm, y, f"{round(value, 1) + 0.0:.1f}", size=9, align="right")
        if separation is not None:
            for x, value in zip(columns, separation.percentages()[k], strict=True):
                text(canvas, x, y, f"{value:.0f}", font=STRONG, size=9.5, align="right")
        else:
            weave = job.assessment.draft.weaves[k]
            text(canvas, MARGIN + 76 * mm, y, weave.replace("_", " "), font=STRONG, size=9)
            share = warp_share((weave,))[0]
            text(canvas, MARGIN + width, y, f"{share:.0%}", font=STRONG, size=9.5, align="right")
    return y - 2 * mm


def _consumption(canvas: Canvas, job: RenderJob, top: float) -> float:
    x = MARGIN + 118 * mm
    width = PAGE_WIDTH - MARGIN - x
    heading(canvas, x, top, "Consumption", width)
    usage, spec = job.assessment.usage, job.spec
    lengths = [("Finished length", f"{usage.print_length_m:.2f} m")]
    if spec.inks:
        lengths.append(("Length to print", f"{usage.pattern_length_m:.2f} m"))
    lengths.append(("Cloth in all", f"{usage.fabric_length_m:.2f} m"))
    rows = [(name, value, None) for name, value in lengths]
    if spec.inks:
        for ink in spec.inks.inks:
            rows.append(
                (f"{ink.channel} {ink.name}", f"{usage.ink_ml[ink.channel]:.1f} ml", usage.coverage_pct[ink.channel])
            )
        rows += [("Pretreatment", f"{litres:.2f} l", None) for litres in usage.chemicals_l.values()]
    if spec.weaving:
        names = {yarn.sku: yarn.name for yarn in (spec.weaving.warp, spec.weaving.weft)}
        rows += [(names[sku], f"{kg:.2f} kg", None) for sku, kg in usage.yarn_kg.items()]
        rows.append(("Picks", f"{usage.picks}", None))
    y = top - 5.6 * mm
    for name, value, coverage in rows:
        text(canvas, x, y, name, size=9, width=width - 24 * mm)
        text(canvas, x + width, y, value, font=STRONG, size=9.5, align="right")
        if coverage is not None:
            _bar(canvas, x + 22 * mm, y, 17 * mm, coverage / 100)
        y -= 5.1 * mm
    return y + 3 * mm


def _bar(canvas: Canvas, x: float, y: float, width: float, share: float) -> None:
    """How much of the cloth an ink covers."""
    canvas.setFillColor(PANEL)
    canvas.rect(x, y, width, 2 * mm, stroke=0, fill=1)
    canvas.setFillColor(QUIET)
    canvas.rect(x, y, width * min(1.0, share), 2 * mm, stroke=0, fill=1)


def _route(canvas: Canvas, job: RenderJob, top: float) -> None:
    heading(canvas, MARGIN, top - 3 * mm, "Route", WIDTH)
    columns = [0.0, 8, 47, 68, 97, 129, 133, 157]  # mm from the left margin
    names = ("", "STEP", "WORK CENTRE", "START", "END", "MINUTES", "METRES", "OPERATOR, DATE")
    y = top - 7.6 * mm
    for offset, name in zip(columns, names, strict=True):
        label(canvas, MARGIN + offset * mm, y, name, align="right" if name == "MINUTES" else "left")
    step = 8.4 * mm
    y -= 1.6 * mm
    for number, row in enumerate(_steps(job), start=1):
        rule(canvas, MARGIN, y, WIDTH)
        base = y - step + 2.8 * mm
        box(canvas, MARGIN, base - 0.9 * mm, 4.6 * mm, 4.6 * mm, fill=white)
        name, centre, start, end, minutes = row
        text(canvas, MARGIN + columns[1] * mm, base, f"{number}. {name}", font=STRONG, size=10.5, width=37 * mm)
        text(canvas, MARGIN + columns[2] * mm, base, centre, font=STRONG, size=10.5, width=20 * mm)
        text(canvas, MARGIN + columns[3] * mm, base, start, size=10, width=28 * mm)
        text(canvas, MARGIN + columns[4] * mm, base, end, size=10, width=17 * mm)
        text(canvas, MARGIN + columns[5] * mm, base, minutes, size=10, align="right")
        box(canvas, MARGIN + columns[6] * mm, base - 1.6 * mm, 20 * mm, step - 2.2 * mm, fill=white)
        box(canvas, MARGIN + columns[7] * mm, base - 1.6 * mm, WIDTH - columns[7] * mm, step - 2.2 * mm, fill=white)
        y -= step
    rule(canvas, MARGIN, y, WIDTH)


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


def _footer(canvas: Canvas, job: RenderJob, machine_file: WrittenFile) -> None:
    y = 31 * mm
    rule(canvas, MARGIN, y, WIDTH, colour=ACCENT, weight=0.8)
    made = job.provenance
    rows = [("File", machine_file.path.name, machine_file.sha256)]
    if made is not None:
        rows.append(("Artwork", "by its content", made.sha256))
        rows.append(("Generator", f"{made.generator}, seed {made.seed}", made.fingerprint))
    foot = y - 4.8 * mm
    for name, value, digest in rows:
        text(canvas, MARGIN, foot, name, size=8.2, colour=QUIET)
        text(canvas, MARGIN + 18 * mm, foot, value, font=STRONG, size=8.4, width=52 * mm)
        text(canvas, MARGIN + 72 * mm, foot, digest, size=8.2, width=WIDTH - 72 * mm)
        foot -= 4 * mm
    text(canvas, MARGIN, foot, "Words", size=8.2, colour=QUIET)
    words = job.words or "none given"
    text(canvas, MARGIN + 18 * mm, foot, words, font=STRONG, size=8.4, width=WIDTH - 18 * mm)
    rule(canvas, MARGIN, 11.5 * mm, WIDTH)
    released = _moment(job.released_at, job.tz)
    text(
        canvas,
        MARGIN,
        7.8 * mm,
        f"{printable(job.reference)} revision {job.revision}, released {released}",
        size=7.8,
        colour=QUIET,
        width=WIDTH - 30 * mm,
    )
    text(canvas, PAGE_WIDTH - MARGIN, 7.8 * mm, "page 1 of 1", size=7.8, colour=QUIET, align="right")


def _moment(moment: datetime, tz: str) -> str:
    local = moment.astimezone(ZoneInfo(tz))
    return f"{local:%a %d %b %Y %H:%M} {tz}"
