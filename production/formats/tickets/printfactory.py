"""The job as PrintFactory's queues take it: a Job in XML that fills the cloth with one pattern.

By PrintFactory's public help ("Job XML", "Textile Step & Repeat"). Documented there and written here: Job with GUID,
Name, User, JobType, Print, PDFJob/InputJobs/FilePath with Copies and IsTemporary; SourceArea, which is filled and
clips; Scale; StepAndRepeat with Type (0 straight, 1 horizontal step, 2 vertical step, 7 returned both ways), Design
(the pattern's size), Offset, Spacing and Drop as a fraction. One inch is 18 units, to five places. A drop is written
as a vertical step and a brick as a horizontal one; the help shows the words, not a picture, so the first on a machine
deserves a strike-off; nor does it say which way a third goes, so a third-drop is refused. The help's page does not
show which elements stand around SourceArea: Parts/Part are those of the published schema. Left out: Repeats (without
it the area is filled, as wanted), print modes, profiles, queues, cutting. PrintFactory has not certified these files.

The format has no checksum: it stands in a comment. Written with lxml, read back with another parser.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path
from xml.etree.ElementTree import Element as Read

from lxml import etree

from generation.domain.pattern import Layout, Raster
from production.domain.finding import Finding
from production.domain.picture import Picture
from production.formats.tickets.ticket import (
    Difference,
    choose,
    compared,
    file_name,
    fits,
    near,
    number,
    placed_files,
    text,
    the_placed,
    where,
    wrong_checksum,
    wrong_name,
)
from production.ports import Manifest, RenderJob, WrittenFile

UNITS_PER_INCH = 18
_WAYS: Mapping[Layout, int] = {
    Layout.STRAIGHT: 0,
    Layout.HALF_BRICK: 1,
    Layout.HALF_DROP: 2,
    Layout.MIRROR: 7,
}


def fits_printfactory(job: RenderJob, kinds: Sequence[str]) -> None:
    """Raises what `write_printfactory` would for a job that gets files of `kinds`."""
    fits("printfactory", job, kinds)
    choose("printfactory", job, _WAYS)


def write_printfactory(job: RenderJob, design: Raster | Picture, files: Sequence[WrittenFile]) -> bytes:
    """The job. Raises TicketForPrintOnly, TicketNeedsFile, LayoutNotInTicket for a third-drop."""
    file = placed_files("printfactory", job, files)[0]
    way = choose("printfactory", job, _WAYS)
    sheet = job.sheet

    def units(pixels: int) -> str:
        return number(pixels * UNITS_PER_INCH / sheet.dpi, 5)

    root = etree.Element("Job")
    root.append(etree.Comment(f" sha256 {file.sha256} bytes {file.size_bytes} "))
    same = uuid.uuid5(uuid.NAMESPACE_URL, f"weftline:{job.spec.shop}/{job.name}/{job.released_at.isoformat()}")
    for name, value in {
        "GUID": str(same),
        "Name": job.name,
        "User": job.shop or "Weftline",
        "JobType": "Regular",
        "Print": "true",
    }.items():
        etree.SubElement(root, name).text = text(value)
    inputs = etree.SubElement(etree.SubElement(root, "PDFJob"), "InputJobs")
    source = etree.SubElement(inputs, "FilePath", Id="REPEAT", Copies="1", IsTemporary="false")
    source.text = text(where(job, file.path.name))
    part = etree.SubElement(etree.SubElement(root, "Parts"), "Part")
    area = {"Right": units(sheet.pattern_width_px), "Bottom": units(sheet.pattern_length_px)}
    etree.SubElement(part, "SourceArea", {"Left": "0", "Top": "0", **area})
    etree.SubElement(part, "Scale", X="1", Y="1")
    step = etree.SubElement(part, "StepAndRepeat")
    etree.SubElement(step, "Type").text = str(way)
    etree.SubElement(step, "Design", Width=units(sheet.tile_px[0]), Height=units(sheet.tile_px[1]))
    etree.SubElement(step, "Offset", X="0", Y="0")
    etree.SubElement(step, "Spacing", X="0", Y="0")
    moved = sheet.layout.drop or sheet.layout.shift
    if moved:
        etree.SubElement(step, "Drop", Numerator=str(moved.numerator), Denominator=str(moved.denominator))
    data: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return data


def check_printfactory(path: Path, manifest: Manifest) -> list[Finding]:
    """Read the job back and compare it with the manifest: name, file, checksum, copies, sizes in units, way, drop."""
    return compared(path, manifest, partial(_differences, path.name))


def _differences(path_name: str, root: Read, manifest: Manifest) -> Iterator[Difference]:
    if root.tag != "Job":
        raise ValueError(root.tag)
    file = the_placed("printfactory", manifest)[0]
    yield from wrong_name(path_name, manifest, [root.findtext("Name")])
    printed = (root.findtext("JobType"), root.findtext("Print"))
    if printed != ("Regular", "true"):
        yield "kind of job", printed, "Regular, printed"
    inputs = root.findall("PDFJob/InputJobs/FilePath")
    copies = [(each.get("Copies"), each.get("IsTemporary")) for each in inputs]
    if copies != [("1", "false")]:
        yield "number of copies", copies, "1, of a file that stays"
    paths = [each.text or "" for each in inputs]
    folder = manifest["machine"]["rip_folder"]
    if [file_name(each) for each in paths] != [file["name"]] or not paths[0].startswith(folder):
        yield "file to print", paths, f"{folder} {file['name']}".strip()
    yield from wrong_checksum(root, file)
    uuid.UUID(root.findtext("GUID") or "")
    sheet = manifest["sheet"]
    (part,) = root.findall("Parts/Part")
    area, design = _attributes(part, "SourceArea"), _attributes(part, "StepAndRepeat/Design")
    found = [area["Right"] - area["Left"], area["Bottom"] - area["Top"], design["Width"], design["Height"]]
    pixels = [*sheet["pattern_px"][2:], *sheet["tile_px"]]
    for unit, px in zip(found, pixels, strict=True):
        if not near([unit / 18 * sheet["dpi"]], [px], 0.01):
            yield "size", f"{unit} units", f"{px} px"
    still = [_attributes(part, name) for name in ("StepAndRepeat/Offset", "StepAndRepeat/Spacing")]
    if still != [{"X": 0, "Y": 0}] * 2 or _attributes(part, "Scale") != {"X": 1, "Y": 1}:
        yield "place or scale", still, "0, and scale 1"
    drop = part.find("StepAndRepeat/Drop")
    share = Fraction(int(drop.attrib["Numerator"]), int(drop.attrib["Denominator"])) if drop is not None else 0
    known = {
        "straight": ("0", 0),
        "half_brick": ("1", Fraction(1, 2)),
        "half_drop": ("2", Fraction(1, 2)),
        "mirror": ("7", 0),
    }
    said = (part.findtext("StepAndRepeat/Type"), share)
    if said != known.get(sheet["layout"]):
        yield "layout", said, sheet["layout"]


def _attributes(part: Read, name: str) -> dict[str, float]:
    found = part.find(name)
    if found is None:
        raise ValueError(f"no {name}")
    return {key: float(value) for key, value in found.attrib.items()}
