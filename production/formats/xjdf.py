"""The job as an XJDF 2.2 ticket (CIP4): what to print from which file, on what, with which inks, until when.

Lengths are in points, 72 to the inch. The box of the layout is the whole cloth as it is printed, before it shrinks: x
runs from the left selvedge, y up to the head, which is printed first, so that the file stands upright where its matrix
says "1 0 0 1". XJDF has no word for a drop: every repeat is placed by itself as long as they are few, otherwise one
vertical period of the cloth is; a StepRepeat element of our own namespace says the same in whole pixels in both cases.

Written with lxml; read back with another parser, and against CIP4's schema where XJDF_SCHEMA names it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time
from fractions import Fraction
from functools import lru_cache, partial
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote
from xml.etree.ElementTree import Element as Read
from zoneinfo import ZoneInfo

from django.conf import settings
from lxml import etree

from generation.domain.pattern import MM_PER_INCH, Layout, Raster
from production.domain.colour import srgb_to_lab
from production.domain.finding import Finding
from production.domain.picture import Picture
from production.domain.sheet import Placement, Sheet
from production.domain.spec import Inks
from production.formats.tickets import (
    MIMES,
    REPEATS,
    Difference,
    compared,
    near,
    number,
    placed_files,
    text,
    the_placed,
    token,
    tokens,
    unequal,
    wrong_name,
)
from production.ports import Manifest, RenderJob, WrittenFile
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


def check_xjdf(path: Path, manifest: Manifest) -> list[Finding]:
    """Read a ticket back and compare it with the manifest: sizes, every placement, inks, files; the schema if set."""
    found = compared(path, manifest, partial(_differences, path.name))
    schema: Path | None = settings.WEFTLINE["xjdf_schema"]
    if schema is not None and all(finding.where != "form" for finding in found):
        said = _invalid(path.read_bytes(), schema)
        found += [unequal(path.name, "schema", each, "valid by CIP4's schema") for each in said]
    return found


def _invalid(data: bytes, schema: Path) -> list[str]:
    """What the schema says against the ticket, at most five sentences."""
    rules = _rules(schema)
    if rules.validate(etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))):
        return []
    return [f"line {error.line}: {error.message}" for error in islice(rules.error_log, 5)]


@lru_cache
def _rules(schema: Path) -> Any:
    return etree.XMLSchema(etree.parse(str(schema), etree.XMLParser(resolve_entities=False, no_network=True)))


def _differences(path_name: str, root: Read, manifest: Manifest) -> Iterator[Difference]:
    sheet, usage = manifest["sheet"], manifest["assessment"]["usage"]
    part = f"r{manifest['revision']}"
    if root.tag != f"{{{NAMESPACE}}}XJDF" or root.get("JobPartID") != part:
        yield "job", f"{root.tag} {root.get('JobPartID')}", part
    if root.get("JobID") != token(manifest["reference"]):
        yield "job", root.get("JobID"), token(manifest["reference"])
    yield from _wrong_names(path_name, root, manifest)
    created = _at(root, "AuditPool", "AuditCreated", "Header").get("Time")
    if created != manifest["released_at"]:
        yield "time of release", created, manifest["released_at"]
    yield from _wrong_files(root, manifest)
    pt = POINTS / sheet["dpi"]
    layout = _at(_set(root, "Layout"), "Resource", "Layout")
    whole = [0, 0, sheet["px"][0] * pt, sheet["px"][1] * pt]
    if not near(_floats(layout, "SurfaceContentsBox"), whole, 1e-3):
        yield "size of the cloth", layout.get("SurfaceContentsBox"), whole
    yield from _wrong_placements(root, layout, manifest)
    media = _at(_set(root, "Media"), "Resource")
    wide = _floats(_at(media, "Media"), "Dimension")[0] * MM_PER_INCH / POINTS
    if not near([wide], [sheet["mm"][0]], 1):
        yield "width of the roll", _at(media, "Media").get("Dimension"), f"{sheet['mm'][0]} mm"
    amount = _at(media, "AmountPool", "PartAmount")
    lengths = [float(amount.attrib["Amount"]), float(amount.attrib["Waste"])]
    if not near([lengths[0], sum(lengths)], [usage["pattern_length_m"], usage["fabric_length_m"]], 1e-3):
        yield "length of cloth", dict(amount.attrib), usage["fabric_length_m"]
    output = _at(_set(root, "Component"), "Resource")
    metres = [float(_at(output, "AmountPool", "PartAmount").attrib["Amount"])]
    metres.append(_floats(_at(output, "Component"), "Dimensions")[1] * MM_PER_INCH / POINTS / 1000)
    if not near(metres, [manifest["quantity_m"]] * 2, 1e-4):
        yield "quantity", metres, manifest["quantity_m"]
    inks = _set(root, "Ink").findall(_q("Resource"))
    found = [float(_at(ink, "AmountPool", "PartAmount").attrib["Amount"]) for ink in inks]
    if not near(found, list(usage["ink_ml"].values()), 1e-3):
        yield "ink in ml", found, usage["ink_ml"]
    named = [(_at(ink, "Part").get("Separation"), ink.get("DescriptiveName")) for ink in inks]
    names = [each["ink"] for each in manifest["separations"]]
    if named != list(zip(tokens(names), map(text, names), strict=True)):
        yield "list of inks", named, names
    yield from _wrong_colours(root, manifest)
    for name in ("InterpretingParams", "RenderingParams"):
        resolution = _floats(_at(_set(root, name), "Resource", name, "ObjectResolution"), "Resolution")
        if not near(resolution, [sheet["dpi"]] * 2, 1e-6):
            yield "resolution", resolution, sheet["dpi"]
    yield from _wrong_words(root)
    profile = _at(_set(root, "ColorSpaceConversionParams"), "Resource", "ColorSpaceConversionParams", "FileSpec")
    if profile.get("CheckSum") != manifest["profile"]["sha256"]:
        yield "profile", profile.get("CheckSum"), manifest["profile"]["sha256"]
    beside = [each["name"] for each in manifest["files"] if each["sha256"] == manifest["profile"]["sha256"]]
    if beside and unquote(profile.get("URL") or "") != beside[0]:
        yield "profile", profile.get("URL"), beside[0]


def _wrong_names(path_name: str, root: Read, manifest: Manifest) -> Iterator[Difference]:
    """The job, its order, its lots and its printer are called by their names."""
    known = {each.get("IDUsage"): each.get("IDValue") for each in root.findall(_q("GeneralID"))}
    mark = root.find(f".//{_q('IdentificationField')}")
    yield from wrong_name(path_name, manifest, [known.get("Job"), *([] if mark is None else [mark.get("Value")])])
    meant = {f"Lot-{token(each['sku'])}": text(each["lot"]) for each in manifest["lots"] if each["lot"]}
    if manifest["order"]:
        meant["SalesOrder"] = text(manifest["order"])
    if manifest["artwork"] is not None:
        meant["ArtworkSHA256"] = manifest["artwork"]["sha256"]
    said = {key: value for key, value in known.items() if key not in ("Job", "Link")}
    if said != meant:
        yield "order, artwork or lots", said, meant
    device = _at(_set(root, "Device"), "Resource", "Device").get("DeviceID")
    if device != token(manifest["machine"]["code"]):
        yield "printer", device, manifest["machine"]["code"]
    fabric = _at(_set(root, "Media"), "Resource").get("ExternalID")
    if fabric != token(manifest["article"]):
        yield "fabric", fabric, manifest["article"]


def _wrong_words(root: Read) -> Iterator[Difference]:
    """The file is printed as it is: once, at its own size, without another conversion of its colours."""
    for name, element, attribute, meant in (
        ("InterpretingParams", "InterpretingParams", "Scaling", "1 1"),
        ("RenderingParams", "RenderingParams", "ColorantDepth", "8"),
        ("ColorSpaceConversionParams", "ColorSpaceConversionParams", "ICCProfileUsage", "UsePDL"),
        ("ColorSpaceConversionParams", "ColorSpaceConversionOp", "Operation", "Untag"),
        ("ColorSpaceConversionParams", "ColorSpaceConversionOp", "SourceCS", "All"),
        ("DigitalPrintingParams", "DigitalPrintingParams", "Sides", "OneSidedFront"),
        ("RunList", "RunList", "NPage", "1"),
        ("Media", "Media", "MediaUnit", "Roll"),
    ):
        for each in _set(root, name).findall(f".//{_q(element)}") or [root]:
            if each.get(attribute) != meant:
                yield attribute, each.get(attribute), meant
    if (copies := _at(root, "ProductList", "Product").get("Amount")) != "1":
        yield "number of copies", copies, 1


def _wrong_files(root: Read, manifest: Manifest) -> Iterator[Difference]:
    specs = [_at(each, "RunList", "FileSpec") for each in _set(root, "RunList").findall(_q("Resource"))]
    found = [(unquote(one.attrib["URL"]), one.get("CheckSum"), int(one.attrib["FileSize"])) for one in specs]
    meant = [(each["name"], each["sha256"], each["bytes"]) for each in the_placed("xjdf", manifest)]
    if found != meant:
        yield "file to print", found, meant
    size = _source_points(manifest)
    for each in _set(root, "RunList").findall(_q("Resource")):
        if not near(_floats(_at(each, "RunList"), "SourceTrimBox"), [0, 0, *size], 1e-3):
            yield "size of the file", _at(each, "RunList").get("SourceTrimBox"), size


def _wrong_colours(root: Read, manifest: Manifest) -> Iterator[Difference]:
    """Every separation has its exact name and its Lab, and is listed under the same token."""
    colours = _set(root, "Color").findall(_q("Resource"))
    listed = _at(_set(root, "ColorantControl"), "Resource", "ColorantControl").attrib["ColorantOrder"].split()
    separations = [_at(each, "Part").get("Separation") for each in colours]
    if separations != listed or len(set(separations)) != len(separations):
        yield "list of separations", separations, listed
    if _kind(manifest) == "spot":
        meant = [(each["name"], each["lab"]) for each in manifest["spots"]["channels"]]
    else:
        meant = [(each["ink"], each["lab"]) for each in manifest["separations"]]
    for colour, (name, lab) in zip(colours, meant, strict=True):
        given = _at(colour, "Color")
        if given.get("ActualColorName") != text(name):
            yield "name of an ink", given.get("ActualColorName"), name
        if not near(_floats(given, "Lab"), lab, 0.011):
            yield "colour of an ink", given.get("Lab"), lab
    channels = [each["channel"] for each in manifest["separations"]]
    model = "DeviceCMYK" if channels == list("CMYK") and _kind(manifest) != "spot" else "DeviceN"
    if (said := _at(_set(root, "ColorantControl"), "Resource", "ColorantControl").get("ProcessColorModel")) != model:
        yield "colour model", said, model


def _wrong_placements(root: Read, layout: Read, manifest: Manifest) -> Iterator[Difference]:
    sheet = manifest["sheet"]
    (step,) = _at(_set(root, "Layout"), "Resource").findall(f"{{{OURS}}}StepRepeat")
    drop, shift, mirror = _LAYOUTS[sheet["layout"]]
    meant_step = {
        "Layout": sheet["layout"],
        "Drop": str(drop),
        "Shift": str(shift),
        "Mirror": "true" if mirror else "false",
        "TilePixels": "{} {}".format(*sheet["tile_px"]),
        "OriginPixels": "{} {}".format(*sheet["pattern_px"][:2]),
        "PatternPixels": "{} {}".format(*sheet["pattern_px"][2:]),
        "ClothPixels": "{} {}".format(*sheet["px"]),
    }
    for key, value in meant_step.items():
        if step.get(key) != value:
            yield "step and repeat", f"{key} {step.get(key)}", value
    if not near(_floats(step, "Resolution"), [sheet["dpi"]] * 2, 1e-6):
        yield "step and repeat", step.get("Resolution"), sheet["dpi"]
    px = sheet["dpi"] / POINTS
    found = []
    for each in layout.findall(_q("PlacedObject")):
        a, b, c, d, x, y = _floats(each, "CTM")
        left, bottom, right, top = (round(value * px) for value in _floats(each, "ClipBox"))
        found.append(((a, b, c, d), round(x * px), round(y * px), left, bottom, right, top))
        if not near(_floats(each, "TrimSize"), _source_points(manifest), 1e-3):
            yield "size of a repeat", each.get("TrimSize"), _source_points(manifest)
    meant, said = [((1, 0, 0, 1), 0, 0, 0, 0, *sheet["px"])], "file"
    if _kind(manifest) in REPEATS:
        meant, said = list(islice(_repeats(sheet, sheet["pattern_px"][3]), MOST_PLACEMENTS + 1)), "all"
        if len(meant) > MOST_PLACEMENTS:
            rows = 2 if mirror or shift else 1
            meant, said = list(_repeats(sheet, min(rows * sheet["tile_px"][1], sheet["pattern_px"][3]))), "period"
    if sorted(found) != sorted(meant):
        yield "placement of the repeats", f"{len(found)} placed", f"{len(meant)}, by {sheet['layout']}"
    if step.get("Placed") != said:
        yield "step and repeat", step.get("Placed"), said


# Straight from the words of the trade, apart from how the writer computes it: (drop, shift, mirrored).
_LAYOUTS = {
    "straight": (Fraction(0), Fraction(0), False),
    "half_drop": (Fraction(1, 2), Fraction(0), False),
    "third_drop": (Fraction(1, 3), Fraction(0), False),
    "half_brick": (Fraction(0), Fraction(1, 2), False),
    "mirror": (Fraction(0), Fraction(0), True),
}


def _repeats(sheet: Mapping[str, Any], length_px: int) -> Iterator[tuple[Any, ...]]:
    """Every repeat that shows in the first `length_px` of the pattern: matrix, place and clip in pixels, y upwards."""
    drop, shift, mirror = _LAYOUTS[sheet["layout"]]
    width, height = sheet["tile_px"]
    x0, y0, across, _ = sheet["pattern_px"]
    foot = sheet["px"][1]
    for column in range(-1, math.ceil(across / width) + 1):
        for row in range(-1, math.ceil(length_px / height) + 1):
            left = column * width + int(row * shift % 1 * width)
            top = row * height + int(column * drop % 1 * height)
            right, bottom = min(left + width, across), min(top + height, length_px)
            if right <= max(left, 0) or bottom <= max(top, 0):
                continue
            over, under = mirror and column % 2 == 1, mirror and row % 2 == 1
            matrix = (-1 if over else 1, 0, 0, -1 if under else 1)
            x, y = x0 + left + width * over, foot - (y0 + top + height * (not under))
            clip = (x0 + max(left, 0), foot - (y0 + bottom), x0 + right, foot - (y0 + max(top, 0)))
            yield (matrix, x, y, *clip)


def _kind(manifest: Manifest) -> str:
    return str(the_placed("xjdf", manifest)[0]["format"])


def _source_points(manifest: Manifest) -> list[float]:
    """Width and height in points of what is in the placed file, by the manifest."""
    sheet = manifest["sheet"]
    return [px * POINTS / sheet["dpi"] for px in sheet["tile_px" if _kind(manifest) in REPEATS else "px"]]


def _q(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _set(root: Read, name: str) -> Read:
    for each in root.findall(_q("ResourceSet")):
        if each.get("Name") == name:
            return each
    raise ValueError(f"no {name}")


def _at(node: Read, *names: str) -> Read:
    for name in names:
        found = node.find(_q(name))
        if found is None:
            raise ValueError(f"no {name}")
        node = found
    return node


def _floats(node: Read, name: str) -> list[float]:
    return [float(value) for value in node.attrib[name].split()]
