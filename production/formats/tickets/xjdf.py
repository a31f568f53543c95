"""The job as an XJDF 2.2 ticket (CIP4): what to print from which file, on what, with which inks, until when.

Lengths are in points, 72 to the inch. The box of the layout is the whole cloth as it is printed, before it shrinks: x
runs from the left selvedge, y up to the head, which is printed first, so that the file stands upright where its matrix
says "1 0 0 1". XJDF has no word for a drop: every repeat is placed by itself as long as they are few, otherwise one
vertical period of the cloth is; a StepRepeat element of our own namespace says the same in whole pixels in both cases.

Written with lxml; read back with another parser, and against CIP4's schema where XJDF_SCHEMA names it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time
from functools import lru_cache
from itertools import islice
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from lxml import etree

from generation.domain.pattern import MM_PER_INCH, Layout, Raster
from production.domain.colour import srgb_to_lab
from production.domain.picture import Picture
from production.domain.sheet import Placement, Sheet
from production.domain.spec import Inks
from production.formats.tickets.ticket import (
    MIMES,
    REPEATS,
    number,
    placed_files,
    text,
    token,
    tokens,
)
from production.ports import RenderJob, WrittenFile
from production.separation import solids

NAMESPACE = "http://www.CIP4.org/JDFSchema_2_0"
OURS = "urn:weftline:step-repeat:1"
MOST_PLACEMENTS = 5000
POINTS = 72.0


def write_xjdf(job: RenderJob, design: Raster | Picture, files: Sequence[WrittenFile]) -> bytes:
    """The ticket of a printed job; `files` are those written before it, of which it places one kind.

    Raises TicketForPrintOnly for a woven job: XJDF has no process for a loom. Raises TicketNeedsFile.
    """
    placed = placed_files("xjdf", job, files)
    root = etree.Element(f"{{{NAMESPACE}}}XJDF", nsmap={None: NAMESPACE, "weftline": OURS})
    for name, value in {
        "JobID": token(job.reference),
        "JobPartID": f"r{job.revision}",
        "Version": "2.2",
        "Types": "ColorSpaceConversion Interpreting Rendering DigitalPrinting",
        "DescriptiveName": text(job.spec.name),
        "Category": "DigitalPrinting",
    }.items():
        root.set(name, value)
    header = {"AgentName": "Weftline", "DeviceID": "weftline", "Time": job.released_at.isoformat()}
    _add(_add(_add(root, "AuditPool"), "AuditCreated"), "Header", header)
    for kind, words in _remarks(job):
        _add(root, "Comment", {"Type": kind}).text = text(words)
    for usage, value in _names(job):
        _add(root, "GeneralID", {"IDUsage": usage, "IDValue": text(value)})
    colours = _colours(job, placed)
    _product(root, job, colours)
    _planning(root, job)
    _customer(root, job)
    _media(root, job)
    _run_list(root, job, placed)
    _layout(root, job, placed)
    _inks(root, job, colours)
    _params(root, job, placed, files)
    _output(root, job)
    data: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return data


# ------------------------------------------------------------------------------------------------ writing


def _add(parent: Any, name: str, values: Mapping[str, object] | None = None) -> Any:
    """Append an element; what is None or empty is left out."""
    said = {key: str(value) for key, value in (values or {}).items() if value not in (None, "")}
    return etree.SubElement(parent, f"{{{NAMESPACE}}}{name}", said)


def _resources(root: Any, name: str, *, usage: str = "Input", unit: str | None = None) -> Any:
    return _add(root, "ResourceSet", {"Name": name, "Unit": unit, "Usage": usage})


def _numbers(*values: float) -> str:
    return " ".join(number(value) for value in values)


def _pt(mm: float) -> float:
    return mm * POINTS / MM_PER_INCH


def _remarks(job: RenderJob) -> Iterator[tuple[str, str]]:
    if job.words:
        yield "JobDescription", job.words
    for changed in job.spec.snapped:
        yield "Instruction", changed


def _names(job: RenderJob) -> Iterator[tuple[str, str]]:
    """(what it names, name) of everything else this job is known by."""
    yield "Job", job.name
    if job.order:
        yield "SalesOrder", job.order
    if job.url:
        yield "Link", job.url
    if job.provenance is not None:
        yield "ArtworkSHA256", job.provenance.sha256
    for use in job.lots:
        if use.lot:
            yield f"Lot-{token(use.sku)}", use.lot


def _colours(job: RenderJob, placed: Sequence[WrittenFile]) -> list[tuple[str, str, tuple[float, ...]]]:
    """(token, exact name, L*a*b* D50) of each separation of the placed file, in its order."""
    if placed[0].format == "spot" and job.spots:
        names, lab = list(job.spots), srgb_to_lab(job.assessment.palette.rgb()).tolist()
    else:
        assert job.spec.inks is not None
        names, lab = [ink.name for ink in job.spec.inks.inks], _solids(job.spec.inks)
    return [(one, name, tuple(row)) for one, name, row in zip(tokens(names), names, lab, strict=True)]


@lru_cache(maxsize=16)
def _solids(inks: Inks) -> list[list[float]]:
    """L*a*b* of each ink alone, from the profile; reading that takes longer than writing a whole ticket."""
    return [list(row) for row in solids(inks).tolist()]


def _product(root: Any, job: RenderJob, colours: Sequence[tuple[str, str, tuple[float, ...]]]) -> None:
    spec = job.spec
    assert spec.inks is not None
    product = _add(
        _add(root, "ProductList"),
        "Product",
        {
            "ID": "product",
            "IsRoot": "true",
            "Amount": 1,
            "ProductType": "Other",
            "ProductTypeDetails": "PrintedFabric",
            "DescriptiveName": text(spec.name),
        },
    )

    def intent(name: str, values: Mapping[str, object] | None = None) -> Any:
        return _add(_add(product, "Intent", {"Name": name}), name, values)

    intent("MediaIntent", {"MediaType": "Textile", "Weight": number(spec.gsm)})
    surface = {
        "Surface": "Front",
        "ColorsUsed": " ".join(one for one, _, _ in colours),
        "PrintStandard": token(spec.inks.profile.name),
    }
    _add(intent("ColorIntent"), "SurfaceColor", surface)
    intent("LayoutIntent", {"Dimensions": _finished(job), "Sides": "OneSided"})
    intent("ProductionIntent", {"PrintProcess": "Inkjet"})


def _finished(job: RenderJob) -> str:
    """Width and length of the finished cloth between its selvedges."""
    spec = job.spec
    return _numbers(_pt(spec.usable_width_mm * (1 - spec.shrink_weft)), _pt(spec.quantity_m * 1000))


def _planning(root: Any, job: RenderJob) -> None:
    machine = job.machine
    slot = next((step for step in job.steps if step.work_centre == machine.code), None)
    taken = next((time for step in job.assessment.times for time in step if time.machine == machine.code), None)
    _add(
        _add(_resources(root, "NodeInfo"), "Resource"),
        "NodeInfo",
        {
            "Status": "Waiting",
            "Start": slot.start.isoformat() if slot else None,
            "End": slot.end.isoformat() if slot else None,
            "LastEnd": datetime.combine(job.due, time(23, 59, 59), ZoneInfo(job.tz)).isoformat() if job.due else None,
            "SetupDuration": _duration(machine.setup_min),
            "CleanupDuration": _duration(machine.cleanup_min),
            "TotalDuration": _duration(taken.total_min) if taken else None,
        },
    )
    device = {"DeviceID": token(machine.code), "DescriptiveName": text(machine.name)}
    _add(_add(_resources(root, "Device"), "Resource"), "Device", device)


def _duration(minutes: float) -> str:
    return f"PT{round(minutes * 60)}S"


def _customer(root: Any, job: RenderJob) -> None:
    if job.order or job.words:
        known = {"CustomerOrderID": text(job.order), "CustomerJobName": text(job.words)}
        _add(_add(_resources(root, "CustomerInfo"), "Resource"), "CustomerInfo", known)
    contacts = [("Customer", job.customer), ("Supplier", job.shop)]
    if any(name for _, name in contacts):
        known_by = _resources(root, "Contact")
        for kind, name in contacts:
            if name:
                contact = _add(known_by, "Resource")
                _add(contact, "Part", {"ContactType": kind})
                _add(_add(contact, "Contact"), "Company", {"OrganizationName": text(name)})


def _media(root: Any, job: RenderJob) -> None:
    """The roll: what the pattern takes, and as waste what leaves the roll besides."""
    spec, usage = job.spec, job.assessment.usage
    given = {"ID": "cloth", "ExternalID": token(spec.sku), "DescriptiveName": text(spec.name)}
    roll = _add(_resources(root, "Media", unit="m"), "Resource", given)
    amount = number(usage.pattern_length_m)
    waste = number(usage.fabric_length_m - usage.pattern_length_m)
    _add(_add(roll, "AmountPool"), "PartAmount", {"Amount": amount, "Waste": waste})
    shrunk = sorted((1 - spec.shrink_warp, 1 - spec.shrink_weft))  # the axis that shrinks most comes first
    _add(
        roll,
        "Media",
        {
            "MediaType": "Textile",
            "MediaUnit": "Roll",
            "Dimension": f"{number(_pt(spec.width_mm))} 0",
            "Weight": number(spec.gsm),
            "MediaQuality": text(spec.fibre),
            "ShrinkIndex": _numbers(*shrunk) if shrunk[0] < 1 else None,
        },
    )


def _run_list(root: Any, job: RenderJob, placed: Sequence[WrittenFile]) -> None:
    box = _source_box(job, placed)
    found = _resources(root, "RunList")
    for place, file in enumerate(placed, start=1):
        resource = _add(found, "Resource", {"ID": f"file-{place}"})
        if len(placed) > 1:
            _add(resource, "Part", {"Run": token(file.path.stem)})
        run = _add(resource, "RunList", {"NPage": 1, "SourceTrimBox": _numbers(0, 0, *box)})
        _add(
            run,
            "FileSpec",
            {
                "URL": quote(file.path.name),
                "MimeType": MIMES.get(file.path.suffix),
                "CheckSum": file.sha256,
                "FileSize": file.size_bytes,
                "UserFileName": text(job.reference),
            },
        )


def _source_box(job: RenderJob, placed: Sequence[WrittenFile]) -> tuple[float, float]:
    """(width, height) in points of what is in the placed file."""
    sheet = job.sheet
    width, height = sheet.tile_px if placed[0].format in REPEATS else (sheet.width_px, sheet.length_px)
    return width * POINTS / sheet.dpi, height * POINTS / sheet.dpi


def _layout(root: Any, job: RenderJob, placed: Sequence[WrittenFile]) -> None:
    sheet = job.sheet
    scale = POINTS / sheet.dpi
    whole = _numbers(0, 0, sheet.width_px * scale, sheet.length_px * scale)
    resource = _add(_resources(root, "Layout"), "Resource", {"ID": "layout"})
    layout = _add(resource, "Layout", {"Automated": "false", "PaperRef": "cloth", "SurfaceContentsBox": whole})
    if placed[0].format not in REPEATS:
        item = {"CTM": "1 0 0 1 0 0", "ClipBox": whole, "Ord": 0, "TrimSize": _numbers(*_source_box(job, placed))}
        _add(_add(layout, "PlacedObject", item), "ContentObject")
        _step_repeat(resource, sheet, explicit="file")
        return
    shown = list(islice(sheet.placements(), MOST_PLACEMENTS + 1))
    explicit = "all"
    if len(shown) > MOST_PLACEMENTS:
        period = sheet.tile_px[1] * sheet.layout.period[1] if not sheet.layout.drop else sheet.tile_px[1]
        sheet = replace(sheet, pattern_length_px=min(period, sheet.pattern_length_px))
        shown, explicit = list(sheet.placements()), "period"
    size = _numbers(sheet.tile_px[0] * scale, sheet.tile_px[1] * scale)
    for one in shown:
        ctm, clip = _matrix(one, sheet, scale)
        _add(_add(layout, "PlacedObject", {"CTM": ctm, "ClipBox": clip, "Ord": 0, "TrimSize": size}), "ContentObject")
    code = next((mark for mark in sheet.marks if mark.kind == "qr"), None)
    if code is not None:  # the repeat's file holds no marks: the printer is asked for the one that finds the job again
        strip = _add(
            layout,
            "StripMark",
            {
                "AbsoluteHeight": number(code.height_px * scale),
                "AbsoluteWidth": number(code.width_px * scale),
                "Anchor": "TopLeft",
                "MarkName": "Barcode",
                "Offset": _numbers(code.x_px * scale, -code.y_px * scale),
            },
        )
        mark = {"Encoding": "Barcode", "EncodingDetails": "QR", "Purpose": "Verification", "Value": job.name}
        _add(strip, "IdentificationField", mark)
    _step_repeat(resource, job.sheet, explicit=explicit)


def _matrix(one: Placement, sheet: Sheet, scale: float) -> tuple[str, str]:
    """(CTM, ClipBox) of a repeat: y runs up from the foot, and the pattern cuts what reaches over it."""
    width, height = sheet.tile_px
    left, right = max(one.x_px, sheet.x_px), min(one.x_px + width, sheet.x_px + sheet.pattern_width_px)
    top, bottom = max(one.y_px, sheet.y_px), min(one.y_px + height, sheet.y_px + sheet.pattern_length_px)
    clip = _numbers(*(scale * px for px in (left, sheet.length_px - bottom, right, sheet.length_px - top)))
    x = one.x_px + width if one.flipped_x else one.x_px
    y = sheet.length_px - (one.y_px if one.flipped_y else one.y_px + height)
    signs = f"{-1 if one.flipped_x else 1} 0 0 {-1 if one.flipped_y else 1}"
    return f"{signs} {_numbers(x * scale, y * scale)}", clip


def _step_repeat(resource: Any, sheet: Sheet, *, explicit: str) -> None:
    """The same geometry in whole pixels, from the upper left corner of the cloth."""
    values = {
        "Layout": sheet.layout.value,
        "Drop": sheet.layout.drop,
        "Shift": sheet.layout.shift,
        "Mirror": str(sheet.layout is Layout.MIRROR).lower(),
        "Resolution": _numbers(sheet.dpi, sheet.dpi),
        "TilePixels": _numbers(*sheet.tile_px),
        "OriginPixels": _numbers(sheet.x_px, sheet.y_px),
        "PatternPixels": _numbers(sheet.pattern_width_px, sheet.pattern_length_px),
        "ClothPixels": _numbers(sheet.width_px, sheet.length_px),
        "Placed": explicit,  # all: every repeat; period: one vertical period, to be stepped; file: in the file itself
    }
    etree.SubElement(resource, f"{{{OURS}}}StepRepeat", {key: str(value) for key, value in values.items()})


def _inks(root: Any, job: RenderJob, colours: Sequence[tuple[str, str, tuple[float, ...]]]) -> None:
    spec, usage = job.spec, job.assessment.usage
    assert spec.inks is not None
    separations = " ".join(one for one, _, _ in colours)
    process = (
        len(colours) == 4 and spec.inks.channels == ("C", "M", "Y", "K") and colours[0][1] == spec.inks.inks[0].name
    )
    control = _add(
        _add(_resources(root, "ColorantControl"), "Resource"),
        "ColorantControl",
        {
            "ColorantOrder": separations,
            "ColorantParams": separations,
            "ProcessColorModel": "DeviceCMYK" if process else "DeviceN",
        },
    )
    if not process:
        _add(control, "DeviceNSpace", {"Name": token(spec.inks.code), "Separations": separations})
    found = _resources(root, "Color")
    for one, name, lab in colours:
        resource = _add(found, "Resource")
        _add(resource, "Part", {"Separation": one})
        given = {"ActualColorName": text(name), "ColorType": "Normal", "Lab": " ".join(number(v, 2) for v in lab)}
        _add(_add(resource, "Color", given), "ColorMeasurementConditions", {"Illumination": "D50", "Observer": 2})
    found = _resources(root, "Ink", unit="ml")
    for one, ink in zip(tokens([ink.name for ink in spec.inks.inks]), spec.inks.inks, strict=True):
        resource = _add(
            found,
            "Resource",
            {"Brand": text(spec.inks.name), "DescriptiveName": text(ink.name), "ExternalID": token(ink.sku)},
        )
        _add(_add(resource, "AmountPool"), "PartAmount", {"Amount": number(usage.ink_ml[ink.channel])})
        _add(resource, "Part", {"Separation": one})
        _add(resource, "Ink", {"InkType": token(spec.inks.ink_class)})


def _params(root: Any, job: RenderJob, placed: Sequence[WrittenFile], files: Sequence[WrittenFile]) -> None:
    """How the file is printed: its inks as they are, at its own size and resolution, by the profile it was made with.

    The profile is named as it lies beside the file, or as the mill knows it where it lies inside.
    """
    spec, sheet = job.spec, job.sheet
    assert spec.inks is not None
    profile = spec.inks.profile
    conversion = _add(
        _add(_resources(root, "ColorSpaceConversionParams"), "Resource"),
        "ColorSpaceConversionParams",
        {"ICCProfileUsage": "UsePDL"},
    )
    kept = {"Operation": "Untag", "RenderingIntent": "RelativeColorimetric", "SourceCS": "All"}
    _add(conversion, "ColorSpaceConversionOp", kept)
    _add(
        conversion,
        "FileSpec",
        {
            "CheckSum": profile.sha256,
            "MimeType": "application/vnd.iccprofile",
            "ResourceUsage": "FinalTargetDevice",
            "URL": quote(next((f.path.name for f in files if f.sha256 == profile.sha256), profile.path.name)),
            "UserFileName": text(profile.name),
        },
    )
    resolution = {"Resolution": _numbers(spec.dpi, spec.dpi)}
    interpreting = _add(
        _add(_resources(root, "InterpretingParams"), "Resource"), "InterpretingParams", {"Scaling": "1 1"}
    )
    _add(interpreting, "ObjectResolution", resolution)
    rendering = _add(
        _add(_resources(root, "RenderingParams"), "Resource"),
        "RenderingParams",
        {"ColorantDepth": 8, "MimeType": MIMES.get(placed[0].path.suffix)},
    )
    _add(rendering, "ObjectResolution", resolution)
    if placed[0].path.suffix == ".tif":
        _add(rendering, "TIFFFormatParams", {"ByteOrder": "II", "Segmentation": "Stripped"})
    printing = _add(_resources(root, "DigitalPrintingParams"), "Resource")
    _add(printing, "DigitalPrintingParams", {"Sides": "OneSidedFront"})
    bar = [mark for mark in sheet.marks if mark.kind == "patch"]
    if bar:
        scale = POINTS / sheet.dpi
        left, right = min(mark.x_px for mark in bar), max(mark.x_px + mark.width_px for mark in bar)
        top, bottom = min(mark.y_px for mark in bar), max(mark.y_px + mark.height_px for mark in bar)
        box = (left, sheet.length_px - bottom, right, sheet.length_px - top)
        control = {"Box": _numbers(*(scale * px for px in box)), "Position": "Front", "QualityBase": "Absolute"}
        quality = _add(_add(_resources(root, "QualityControlParams"), "Resource"), "QualityControlParams", control)
        _add(quality, "ColorMeasurement")


def _output(root: Any, job: RenderJob) -> None:
    resource = _add(_resources(root, "Component", usage="Output", unit="m"), "Resource", {"ID": "printed-cloth"})
    _add(_add(resource, "AmountPool"), "PartAmount", {"Amount": number(job.spec.quantity_m)})
    _add(
        resource,
        "Component",
        {
            "Dimensions": f"{_finished(job)} 0",
            "MediaRef": "cloth",
            "ProductType": "Other",
            "ProductTypeDetails": "PrintedFabric",
        },
    )


# ------------------------------------------------------------------------------------------------ reading back
