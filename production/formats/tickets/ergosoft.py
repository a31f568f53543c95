"""The job as an Ergosoft RIP's hot folder takes it: "Delta Automation" XML that steps and repeats the repeat's TIFF.

By Ergosoft's public knowledge base (articles "Job", "Image", "Step & Repeat"). Documented there and written here:
HotFile around Job with its Name; the attribute FileName; StepAndRepeatImage with SizeFactorHorz and SizeFactorVert
(repeats across and along, decimals cut the last one), SelectedOffset (0 none, 1 a half of the repeat) and the four
mirror flags, 0 or 1, named by the direction of the step and the axis that is mirrored. The article's text calls the
offset horizontal while its name, MoveHorzY, is that of a step across which moves along the cloth: it is read by its
name, as the mirror flags are, and the first drop on a machine deserves a strike-off. Left out: print environments,
queues, image presets, swatches, bar codes (a mill's own RIP defines them), and MoveHorzY, which SelectedOffset sets by
itself. No word is known for a brick, nor is it said which way a third goes, so both are refused. Ergosoft has not
certified these files.

The format has no checksum: it stands in a comment. Written with lxml, read back with another parser.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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

# Layout -> (SelectedOffset, MirrorHorzX, MirrorVertY)
_WAYS: Mapping[Layout, tuple[int, int, int]] = {
    Layout.STRAIGHT: (0, 0, 0),
    Layout.HALF_DROP: (1, 0, 0),
    Layout.MIRROR: (0, 1, 1),
}


def fits_ergosoft(job: RenderJob, kinds: Sequence[str]) -> None:
    """Raises what `write_ergosoft` would for a job that gets files of `kinds`."""
    fits("ergosoft", job, kinds)
    choose("ergosoft", job, _WAYS)


def write_ergosoft(job: RenderJob, design: Raster | Picture, files: Sequence[WrittenFile]) -> bytes:
    """The hot-folder job. Raises TicketForPrintOnly, TicketNeedsFile, LayoutNotInTicket for a brick or a third-drop."""
    file = placed_files("ergosoft", job, files)[0]
    offset, mirror_x, mirror_y = choose("ergosoft", job, _WAYS)
    sheet = job.sheet
    root = etree.Element("HotFile")
    root.append(etree.Comment(f" sha256 {file.sha256} bytes {file.size_bytes} "))
    named = etree.SubElement(root, "Job", Name=text(job.name))
    image = etree.SubElement(named, "StepAndRepeatImage", FileName=text(where(job, file.path.name)))
    for name, value in {
        "SizeFactorHorz": number(sheet.pattern_width_px / sheet.tile_px[0], 8),
        "SizeFactorVert": number(sheet.pattern_length_px / sheet.tile_px[1], 8),
        "SelectedOffset": offset,
        "MirrorHorzX": mirror_x,
        "MirrorHorzY": 0,
        "MirrorVertX": 0,
        "MirrorVertY": mirror_y,
    }.items():
        etree.SubElement(image, name).text = str(value)
    data: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return data


def check_ergosoft(path: Path, manifest: Manifest) -> list[Finding]:
    """Read the job back and compare it with the manifest: name, file and checksum, repeats, offset, mirroring."""
    return compared(path, manifest, partial(_differences, path.name))


def _differences(path_name: str, root: Read, manifest: Manifest) -> Iterator[Difference]:
    if root.tag != "HotFile":
        raise ValueError(root.tag)
    file = the_placed("ergosoft", manifest)[0]
    yield from wrong_name(path_name, manifest, [each.get("Name") for each in root.findall("Job")])
    images = root.findall("Job/StepAndRepeatImage")
    if len(images) != 1:
        yield "number of images", len(images), 1
        return
    image = images[0]
    if file_name(image.attrib["FileName"]) != file["name"]:
        yield "file to print", image.get("FileName"), file["name"]
    if not image.attrib["FileName"].startswith(manifest["machine"]["rip_folder"]):
        yield "folder", image.get("FileName"), manifest["machine"]["rip_folder"]
    yield from wrong_checksum(root, file)
    sheet = manifest["sheet"]
    for name, tile, pattern in zip(
        ("SizeFactorHorz", "SizeFactorVert"), sheet["tile_px"], sheet["pattern_px"][2:], strict=True
    ):
        if not near([float(image.findtext(name) or 0) * tile], [pattern], 0.01 + pattern * 1e-6):
            yield "number of repeats", f"{name} {image.findtext(name)}", pattern / tile
    flags = [int(image.findtext(name) or -1) for name in ("SelectedOffset", "MirrorHorzX", "MirrorVertY")]
    layout = sheet["layout"]
    turned = int(layout == "mirror")
    wanted = [int(layout == "half_drop"), turned, turned]
    if layout in ("half_brick", "third_drop") or flags != wanted or image.findtext("MirrorHorzY") != "0":
        yield "layout", flags, layout
    if image.findtext("MirrorVertX") != "0":
        yield "layout", image.findtext("MirrorVertX"), layout
