"""The job as a Durst Workflow hot folder takes it: a HotfolderJob with one print item, the PDF of the whole length.

By Durst's public user manual ("Hotfolder – Jobticket Documentation", format from version 1.15.0). Documented there and
written here: HotfolderJob, ProductionJob (name, externalId, comment, shippingDate, productionDate), PrintItem (name,
unit, width, height, numberOfCopies, pages, url). Its imposing has no drop, so the item is the PDF in which every
repeat stands already: any layout can be said. Left out: leadIn and leadOut (the manual does not say in which unit;
head and foot are in the PDF), ImposeTemplate, Cutter, Fixup, FixupChain and ColorCorrection (names that a mill's own
Workflow defines). Durst has not certified these files.

The format has no checksum: it stands in a comment. Written with lxml, read back with another parser.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlsplit
from xml.etree.ElementTree import Element as Read
from zoneinfo import ZoneInfo

from lxml import etree

from generation.domain.pattern import MM_PER_INCH, Raster
from production.domain.finding import Finding
from production.domain.picture import Picture
from production.formats.tickets.ticket import (
    Difference,
    address,
    compared,
    file_name,
    near,
    number,
    placed_files,
    text,
    the_placed,
    wrong_checksum,
    wrong_name,
)
from production.ports import Manifest, RenderJob, WrittenFile

_TOLERANCE_MM = 0.01


def write_durst(job: RenderJob, design: Raster | Picture, files: Sequence[WrittenFile]) -> bytes:
    """The job ticket. Raises TicketForPrintOnly, TicketNeedsFile where there is no PDF."""
    file = placed_files("durst", job, files)[0]
    sheet = job.sheet
    printed = next((step for step in job.steps if step.work_centre == job.machine.code), None)
    root = etree.Element("HotfolderJob")
    root.append(etree.Comment(f" sha256 {file.sha256} bytes {file.size_bytes} "))
    known = {
        "name": job.name,
        "externalId": job.name,
        "comment": job.words,
        "shippingDate": job.due.isoformat() if job.due else "",
        "productionDate": printed.start.astimezone(ZoneInfo(job.tz)).date().isoformat() if printed else "",
    }
    production = etree.SubElement(root, "ProductionJob", {key: text(value) for key, value in known.items() if value})
    etree.SubElement(
        production,
        "PrintItem",
        {
            "name": job.name,
            "unit": "mm",
            "width": number(sheet.width_px * MM_PER_INCH / sheet.dpi),
            "height": number(sheet.length_px * MM_PER_INCH / sheet.dpi),
            "numberOfCopies": "1",
            "pages": "1",
            "url": address(job, file.path.name),
        },
    )
    data: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return data


def check_durst(path: Path, manifest: Manifest) -> list[Finding]:
    """Read the job ticket back and compare it with the manifest: name, file and checksum, size in mm, one copy."""
    return compared(path, manifest, partial(_differences, path.name))


def _differences(path_name: str, root: Read, manifest: Manifest) -> Iterator[Difference]:
    if root.tag != "HotfolderJob":
        raise ValueError(root.tag)
    files = the_placed("durst", manifest)
    items = root.findall("ProductionJob/PrintItem")
    if len(items) != 1 or len(files) != 1:
        yield "number of print items", len(items), len(files)
        return
    item, file = items[0], files[0]
    production = root.find("ProductionJob")
    assert production is not None, "the item stands in it"
    names = [production.get("name"), production.get("externalId"), item.get("name")]
    yield from wrong_name(path_name, manifest, names)
    if unquote(file_name(urlsplit(item.attrib["url"]).path)) != file["name"]:
        yield "file to print", item.get("url"), file["name"]
    yield from wrong_checksum(root, file)
    if item.get("unit") != "mm":
        yield "unit", item.get("unit"), "mm"
    for name, px in zip(("width", "height"), manifest["sheet"]["px"], strict=True):
        mm = px / manifest["sheet"]["dpi"] * 25.4
        if not near([float(item.attrib[name])], [mm], _TOLERANCE_MM):
            yield f"{name} in mm", item.get(name), mm
    if (item.get("numberOfCopies"), item.get("pages")) != ("1", "1"):
        yield "number of copies", item.get("numberOfCopies"), 1
