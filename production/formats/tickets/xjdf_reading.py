"""Reads an XJDF ticket back with a parser of its own and compares it with the manifest."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import lru_cache, partial
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree.ElementTree import Element as Read

from django.conf import settings
from lxml import etree

from generation.domain.pattern import MM_PER_INCH
from production.domain.finding import Finding
from production.formats.tickets.ticket import (
    REPEATS,
    Difference,
    compared,
    near,
    text,
    the_placed,
    token,
    tokens,
    unequal,
    wrong_name,
)
from production.formats.tickets.xjdf import MOST_PLACEMENTS, NAMESPACE, OURS, POINTS
from production.ports import Manifest


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
