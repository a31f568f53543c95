"""Preflight of PDF/X-4: one function per rule, each with the clause of ISO 15930-7:2010 that it comes from.

Read with pikepdf. Two rules are the house's own, because a page can be PDF/X-4 and still print badly on cloth: pictures
too coarse, and pictures that the RIP is asked to smooth.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pikepdf
from defusedxml import ElementTree
from pikepdf.models.metadata import decode_pdf_date

from production.domain.finding import Finding, Severity
from production.formats.pdf.page import drawn

STANDARD = "ISO 15930-7:2010"
HOUSE = "house rule"
COARSEST_PPI = 149.0  # the lowest resolution the house prints at is 150, and rounding must not cost a file its life
_CHUNK = 1 << 22
_NEAR = 1e-4  # units of the page

_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_XMP = "{http://ns.adobe.com/xap/1.0/}"
_MM = "{http://ns.adobe.com/xap/1.0/mm/}"
_PDF = "{http://ns.adobe.com/pdf/1.3/}"
_ID = "{http://www.npes.org/pdfx/ns/id/}"

_INTENT_SPACES = {"GRAY": (1, "/DeviceGray"), "RGB ": (3, "/DeviceRGB"), "CMYK": (4, "/DeviceCMYK")}
_DEFAULTS = {"/DeviceRGB": "/DefaultRGB", "/DeviceCMYK": "/DefaultCMYK", "/DeviceGray": "/DefaultGray"}
_OPERATOR_SPACES = {"rg": "/DeviceRGB", "RG": "/DeviceRGB", "k": "/DeviceCMYK", "K": "/DeviceCMYK"}
_OPERATOR_SPACES |= {"g": "/DeviceGray", "G": "/DeviceGray"}
_ACTIONS = {
    "/JavaScript", "/Launch", "/GoTo", "/GoToR", "/GoToE", "/URI", "/SubmitForm", "/ResetForm", "/ImportData",
    "/Named", "/Sound", "/Movie", "/Hide", "/Rendition", "/Trans", "/GoTo3DView", "/SetOCGState", "/Thread",
}  # fmt: skip
_PROCESS = {"/Cyan", "/Magenta", "/Yellow", "/Black"}


@dataclass(frozen=True)
class _Read:
    """A file with what many rules look at: every object with the way to it, and the XMP properties by their names."""

    pdf: pikepdf.Pdf
    parts: list[tuple[str, Any]]
    said: dict[str, str]

    @property
    def pages(self) -> list[tuple[str, Any]]:
        return [(f"page {number}", page.obj) for number, page in enumerate(self.pdf.pages, 1)]

    @property
    def dictionaries(self) -> Iterator[tuple[str, Any]]:
        return ((where, part) for where, part in self.parts if isinstance(part, pikepdf.Dictionary | pikepdf.Stream))

    @property
    def intents(self) -> list[Any]:
        return [each for each in self.pdf.Root.get("/OutputIntents", []) if each.get("/S") == "/GTS_PDFX"]


Rule = Callable[[_Read], Iterator[Finding]]


def preflight(path: Path) -> list[Finding]:
    """What keeps a file from being a PDF/X-4 that can be printed; nothing where all is well."""
    try:
        with pikepdf.open(path, attempt_recovery=False) as pdf:
            return broken_rules(pdf)
    except pikepdf.PasswordError:
        return [_found("encryption", "6.15", "the file", "a password", "none")]
    except Exception as error:  # a damaged file can make a parser raise anything
        return [_found("readable", "6.1", "the file", str(error).replace(str(path), path.name)[:200], "a whole PDF")]


def broken_rules(pdf: pikepdf.Pdf) -> list[Finding]:
    """The findings of every rule on an open file, in the order of RULES."""
    if pdf.is_encrypted:  # nothing else can be said of it
        return [_found("encryption", "6.15", "the file", "encrypted", "not encrypted")]
    read = _Read(pdf, list(_parts(pdf)), _xmp(pdf))
    return [finding for rule in RULES for finding in rule(read)]


def version(read: _Read) -> Iterator[Finding]:
    """Nothing newer than PDF 1.6 is in it, and what 1.6 brought is in no older file."""
    number = tuple(map(int, read.pdf.pdf_version.split(".")))
    if number > (1, 6):
        yield _found("version", "6.1", "the header", f"PDF {read.pdf.pdf_version}", "PDF 1.6 at most")
    for where, page in read.pages:
        if "/UserUnit" in page and number < (1, 6):
            yield _found("version", "6.1", f"{where}, UserUnit", f"PDF {read.pdf.pdf_version}", "PDF 1.6")


def readable(read: _Read) -> Iterator[Finding]:
    """Every stream can be unpacked to its end."""
    for where, part in read.dictionaries:
        if isinstance(part, pikepdf.Stream) and not _unpacks(part):
            yield _found("readable", "6.8", where, "a damaged stream", "whole")


def identifiers(read: _Read) -> Iterator[Finding]:
    """The file has two identifiers, and says by XMP that it is PDF/X-4, which document and which version of it."""
    ids = [bytes(each) for each in read.pdf.trailer.get("/ID", [])]
    if len(ids) != 2 or not all(ids):
        yield _found("identification", "6.11", "the trailer's ID", f"{len(ids)} strings", "2 strings")
    named = read.said.get(_ID + "GTS_PDFXVersion", "nothing")
    if named != "PDF/X-4":
        yield _found("identification", "6.11", "GTS_PDFXVersion", named, "PDF/X-4")
    wanted = [_MM + "DocumentID", _MM + "VersionID", _MM + "RenditionClass"]
    wanted += [_XMP + "CreateDate", _XMP + "ModifyDate", _XMP + "MetadataDate", _DC + "title"]
    for key in wanted:
        if not read.said.get(key):
            yield _found("identification", "6.11", f"XMP {key.split('}')[1]}", "nothing", "a value")


def information(read: _Read) -> Iterator[Finding]:
    """What the information dictionary says, XMP says too."""
    info = read.pdf.trailer.get("/Info", pikepdf.Dictionary())
    twins = [("/Title", _DC + "title"), ("/Creator", _XMP + "CreatorTool"), ("/Producer", _PDF + "Producer")]
    twins += [("/CreationDate", _XMP + "CreateDate"), ("/ModDate", _XMP + "ModifyDate")]
    for key, twin in twins:
        if key in info:
            told, also = str(info[key]), read.said.get(twin, "nothing")
            same = _moment(told) == _moment(also) is not None if key.endswith("Date") else told == also
            if not same:
                yield _found("information", "6.11", f"Info {key[1:]}", told, also)


def trapped(read: _Read) -> Iterator[Finding]:
    """It says whether it is trapped, twice the same."""
    said = read.pdf.trailer.get("/Info", pikepdf.Dictionary()).get("/Trapped")
    if said not in ("/True", "/False"):
        yield _found("trapped", "6.9", "Info Trapped", str(said), "True or False")
    elif read.said.get(_PDF + "Trapped") != str(said)[1:]:
        yield _found("trapped", "6.9", "XMP Trapped", read.said.get(_PDF + "Trapped", "nothing"), str(said)[1:])


def output_intent(read: _Read) -> Iterator[Finding]:
    """One output intent with the profile of a printing condition in grey, RGB or CMYK: no N-colour profile."""
    if len(read.intents) != 1:
        yield _found("output_intent", "6.4", "output intents of PDF/X", str(len(read.intents)), "1")
        return
    intent = read.intents[0]
    if not str(intent.get("/OutputConditionIdentifier", "")):
        yield _found("output_intent", "6.4", "OutputConditionIdentifier", "nothing", "a name")
    profile = intent.get("/DestOutputProfile")
    if profile is None:
        yield _found("output_intent", "6.4", "DestOutputProfile", "nothing", "a profile")
        return
    data = profile.read_bytes() if _unpacks(profile) else b""
    kind, space = (data[at : at + 4].decode("latin-1") for at in (12, 16))
    if kind != "prtr" or data[36:40] != b"acsp" or int.from_bytes(data[:4]) != len(data):
        yield _found("output_intent", "6.4", "the profile's class", kind or "nothing", "prtr, whole")
    elif space not in _INTENT_SPACES or int(profile.get("/N", 0)) != _INTENT_SPACES[space][0]:
        yield _found(
            "output_intent", "6.4", "the profile's inks", f"{space} with N {profile.get('/N', 0)}", "CMYK with 4"
        )


def boxes(read: _Read) -> Iterator[Finding]:
    """Each page has a trim box or an art box, not both; it lies in the bleed box, that in the media box."""
    for where, page in read.pages:
        media = _box(page, "/MediaBox")
        if ("/TrimBox" in page) == ("/ArtBox" in page) or media is None:
            yield _found("boxes", "6.12", where, _told_boxes(page), "a media box, and a trim box or an art box")
            continue
        trim = _box(page, "/TrimBox" if "/TrimBox" in page else "/ArtBox")
        chain = [trim, _box(page, "/BleedBox"), _box(page, "/CropBox"), media]
        known = [box for box in chain if box is not None]
        for inner, outer in pairwise(known):
            if not _inside(inner, outer):
                yield _found("boxes", "6.12", where, f"{inner} reaches out of {outer}", "trim in bleed in media")
        if trim is not None and (trim[2] <= trim[0] or trim[3] <= trim[1]):
            yield _found("boxes", "6.12", where, f"{trim}", "a box with an area")


def fonts(read: _Read) -> Iterator[Finding]:
    """Every font's program is in the file."""
    for where, part in read.dictionaries:
        if part.get("/Type") != "/Font" or part.get("/Subtype") in ("/Type0", "/Type3"):
            continue
        descriptor = part.get("/FontDescriptor", pikepdf.Dictionary())
        if not any(key in descriptor for key in ("/FontFile", "/FontFile2", "/FontFile3")):
            yield _found("fonts", "6.5", f"font {part.get('/BaseFont', where)}", "not embedded", "embedded")


def colours(read: _Read) -> Iterator[Finding]:
    """Device colours are those of the output intent; spot colours of a DeviceN space are each described."""
    spaces = [_intent_space(intent) for intent in read.intents]
    told = set()
    for where, space, resources in _spaces(read):
        for device in _devices(space):
            default = _DEFAULTS[device] in resources.get("/ColorSpace", {})
            if device != "/DeviceGray" and device not in spaces and not default and (where, device) not in told:
                told.add((where, device))
                yield _found(
                    "colours", "6.4", where, device[1:], " or ".join([*(s[1:] for s in spaces), "a calibrated space"])
                )
    for where, part in read.parts:
        if isinstance(part, pikepdf.Array) and len(part) >= 4 and part[0] == "/DeviceN":
            known: Any = part[4].get("/Colorants", {}) if len(part) > 4 else {}
            missing = [str(each) for each in part[1] if str(each) not in {*_PROCESS, "/None", *known.keys()}]
            if missing:
                yield _found("colours", "6.4", where, f"{', '.join(missing)} not described", "every spot described")


def resolution(read: _Read) -> Iterator[Finding]:
    """No picture is too coarse for cloth."""
    for where, page in read.pages:
        coarsest: dict[tuple[int, int], tuple[float, str]] = {}
        unit = float(page.get("/UserUnit", 1))
        for each in drawn(page):
            if each.picture is None or each.picture.get("/ImageMask", False):
                continue
            a, b, c, d, _, _ = each.matrix
            across, along = (a * a + b * b) ** 0.5 * unit / 72, (c * c + d * d) ** 0.5 * unit / 72
            ppi = min(int(each.picture.Width) / max(across, 1e-9), int(each.picture.Height) / max(along, 1e-9))
            if ppi < COARSEST_PPI:
                coarsest[each.picture.objgen] = min(coarsest.get(each.picture.objgen, (ppi, where)), (ppi, where))
        for ppi, place in coarsest.values():
            found = _found("resolution", HOUSE, f"{place}, a picture", f"{ppi:.0f} ppi", f"{COARSEST_PPI:.0f} ppi")
            yield Finding(**{**found.__dict__, "severity": Severity.WARNING})


def smoothing(read: _Read) -> Iterator[Finding]:
    """No picture asks to be smoothed: the RIP would print other pixels than were approved."""
    for where, part in read.dictionaries:
        if part.get("/Subtype") == "/Image" and part.get("/Interpolate", False):
            yield _found("smoothing", HOUSE, where, "Interpolate", "no Interpolate")


def compression(read: _Read) -> Iterator[Finding]:
    """No LZW, and nothing under a cipher of its own."""
    for where, part in read.dictionaries:
        filters: Any = part.get("/Filter", []) if isinstance(part, pikepdf.Stream) else []
        for each in [filters] if isinstance(filters, pikepdf.Name) else filters:
            if each in ("/LZWDecode", "/Crypt"):
                yield _found("compression", "6.8", where, str(each)[1:], "Flate, JPEG, JPEG 2000, CCITT, run length")


def outside_files(read: _Read) -> Iterator[Finding]:
    """Everything that prints is in the file: no stream, form or OPI proxy that stands for something elsewhere."""
    for where, part in read.dictionaries:
        for key in ("/F", "/FFilter"):
            if isinstance(part, pikepdf.Stream) and key in part:
                yield _found("outside_files", "6.7", where, "a stream kept in another file", "none")
        if part.get("/Subtype") == "/Form" and "/Ref" in part:
            yield _found("outside_files", "6.7", where, "a page of another file", "none")
        if "/OPI" in part:
            yield _found("outside_files", "6.7", where, "OPI", "none")


def postscript(read: _Read) -> Iterator[Finding]:
    """No PostScript inside."""
    for where, part in read.dictionaries:
        if (
            part.get("/Subtype") == "/PS"
            or part.get("/Subtype2") == "/PS"
            or (part.get("/Subtype") == "/Form" and "/PS" in part)
        ):
            yield _found("postscript", "6.14", where, "PostScript", "none")


def alternates(read: _Read) -> Iterator[Finding]:
    """No picture has another one to be printed in its place."""
    for where, part in read.dictionaries:
        if part.get("/Subtype") == "/Image" and "/Alternates" in part:
            yield _found("alternates", "6.16", where, "Alternates", "none")


def graphics_state(read: _Read) -> Iterator[Finding]:
    """No transfer curves and no halftone origin: the RIP's own calibration stands."""
    for where, part in read.dictionaries:
        if part.get("/Type") == "/ExtGState" or "/ExtGState" in where:
            for key in ("/TR", "/HTP"):
                if key in part:
                    yield _found("graphics_state", "6.13", where, key[1:], "none")
            if part.get("/TR2", "/Default") != "/Default":
                yield _found("graphics_state", "6.13", where, "TR2", "Default")


def notes(read: _Read) -> Iterator[Finding]:
    """No annotation lies on what is printed."""
    for where, page in read.pages:
        inner = _box(page, "/BleedBox") or _box(page, "/TrimBox") or _box(page, "/ArtBox")
        for each in page.get("/Annots", []):
            if each.get("/Subtype") in ("/TrapNet", "/Popup") or inner is None or "/Rect" not in each:
                continue
            left, foot, right, top = map(float, each.Rect)
            if left < inner[2] and right > inner[0] and foot < inner[3] and top > inner[1]:
                yield _found("notes", "6.17", where, f"{each.get('/Subtype', '/?')} on the page", "outside the bleed")


def actions(read: _Read) -> Iterator[Finding]:
    """Nothing in it acts: no action, no JavaScript."""
    for where, part in read.dictionaries:
        for key in ("/AA", "/OpenAction", "/JS", "/JavaScript"):
            if key in part:
                yield _found("actions", "6.18", where, key[1:], "none")
        if part.get("/S") in _ACTIONS and ("/Type" not in part or part.get("/Type") == "/Action"):
            yield _found("actions", "6.18", where, str(part.get("/S"))[1:], "none")


def transparency(read: _Read) -> Iterator[Finding]:
    """Where something shines through, the page says in which colours it is to be mixed."""
    see_through = list(_see_through(read))
    for where, page in read.pages:
        if "/CS" in page.get("/Group", {}):
            continue
        for place in see_through:
            if place.startswith(where) or len(read.pages) == 1:
                yield _found("transparency", "6.20", place, "transparency", f"a blend colour space on {where}")


def optional_content(read: _Read) -> Iterator[Finding]:
    """Layers do not switch themselves."""
    layers: Any = read.pdf.Root.get("/OCProperties", {})
    for each in [layers.get("/D", {}), *layers.get("/Configs", [])]:
        if "/AS" in each:
            yield _found("optional_content", "6.24", "layers", "AS", "none")


def forms(read: _Read) -> Iterator[Finding]:
    """No XFA form."""
    if "/XFA" in read.pdf.Root.get("/AcroForm", {}):
        yield _found("forms", "6.26", "the catalogue", "XFA", "none")


RULES: tuple[Rule, ...] = (
    version, readable, identifiers, information, trapped, output_intent, boxes, fonts, colours, resolution, smoothing,
    compression, outside_files, postscript, alternates, graphics_state, notes, actions, transparency,
    optional_content, forms,
)  # fmt: skip


def _parts(pdf: pikepdf.Pdf) -> Iterator[tuple[str, Any]]:
    """Every dictionary, stream and array that the trailer leads to, once, with the keys on the way to it."""
    waiting: list[tuple[str, Any]] = [
        (f"page {number}", page.obj) for number, page in reversed(list(enumerate(pdf.pages, 1)))
    ]
    waiting = [("info", pdf.trailer.get("/Info")), ("catalogue", pdf.Root), *waiting]
    seen = set()
    while waiting:
        where, part = waiting.pop()
        if not isinstance(part, pikepdf.Dictionary | pikepdf.Stream | pikepdf.Array):
            continue
        if part.is_indirect:
            if part.objgen in seen:
                continue
            seen.add(part.objgen)
        yield where, part
        if isinstance(part, pikepdf.Array):
            waiting += [(where, each) for each in part]
        else:
            waiting += [(f"{where}{key}", value) for key, value in part.items() if key != "/Parent"]


def _xmp(pdf: pikepdf.Pdf) -> dict[str, str]:
    """The simple XMP properties by their full names; of a list of languages the first."""
    stream = pdf.Root.get("/Metadata")
    if stream is None or not _unpacks(stream):
        return {}
    try:
        root = ElementTree.fromstring(stream.read_bytes())
    except ElementTree.ParseError:
        return {}
    said: dict[str, str] = {}
    for description in root.iter(f"{_RDF}Description"):
        said |= dict(description.attrib)
        for each in description:
            item = next(each.iter(f"{_RDF}li"), each)
            said[each.tag] = (item.text or "").strip()
    return said


def _unpacks(stream: Any) -> bool:
    """True if a stream can be unpacked to its end; a deflated one piece by piece, for it may be large."""
    try:
        if stream.get("/Filter") != "/FlateDecode":
            stream.read_bytes()
            return True
        packed, reader = stream.read_raw_bytes(), zlib.decompressobj()
        for start in range(0, len(packed), _CHUNK):
            piece = packed[start : start + _CHUNK]
            while piece:
                reader.decompress(piece, 4 * _CHUNK)
                piece = reader.unconsumed_tail
        return reader.eof
    except (pikepdf.PdfError, zlib.error):
        return False


def _moment(text: str) -> datetime | None:
    """A date of PDF or of XMP; one without a zone is taken as UTC."""
    try:
        found = decode_pdf_date(text) if text.startswith("D:") else datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _box(page: Any, key: str) -> tuple[float, ...] | None:
    """A box of a page (a media or crop box may be its parent's), as left, foot, right, top."""
    while key not in page and key in ("/MediaBox", "/CropBox") and "/Parent" in page:
        page = page.Parent
    if key not in page:
        return None
    one, two, three, four = map(float, page[key])
    return (min(one, three), min(two, four), max(one, three), max(two, four))


def _told_boxes(page: Any) -> str:
    return ", ".join(key[1:] for key in ("/MediaBox", "/TrimBox", "/ArtBox") if _box(page, key)) or "no box"


def _inside(inner: tuple[float, ...], outer: tuple[float, ...]) -> bool:
    lower = all(inner[side] >= outer[side] - _NEAR for side in (0, 1))
    return lower and all(inner[side] <= outer[side] + _NEAR for side in (2, 3))


def _intent_space(intent: Any) -> str:
    profile = intent.get("/DestOutputProfile")
    count = int(profile.get("/N", 0)) if profile is not None else 0
    return next((device for inks, device in _INTENT_SPACES.values() if inks == count), "/None")


def _spaces(read: _Read) -> Iterator[tuple[str, Any, Any]]:
    """Every colour space that is used: (where, space, resources it is used under)."""
    for where, page in read.pages:
        yield from _used(where, page, page.get("/Resources", {}))
    for where, part in read.dictionaries:
        if part.get("/Subtype") == "/Form" or part.get("/PatternType") == 1:
            yield from _used(where, part, part.get("/Resources", {}))
        if (part.get("/Subtype") == "/Image" and "/ColorSpace" in part) or "/ShadingType" in part:
            yield where, part.get("/ColorSpace"), {}
        if part.get("/S") == "/Transparency" and "/CS" in part:
            yield where, part.get("/CS"), {}


def _used(where: str, content: Any, resources: Any) -> Iterator[tuple[str, Any, Any]]:
    seen = set()
    known = resources.get("/ColorSpace", {})
    for each in pikepdf.parse_content_stream(content):
        step, operands = str(each.operator), list(each.operands)
        if step in _OPERATOR_SPACES and step not in seen:
            seen.add(step)
            yield where, pikepdf.Name(_OPERATOR_SPACES[step]), resources
        elif step in ("cs", "CS") and str(operands[0]) not in seen:
            seen.add(str(operands[0]))
            yield where, known.get(str(operands[0]), operands[0]), resources


def _devices(space: Any) -> Iterator[str]:
    """The device spaces that a colour space comes down to."""
    if isinstance(space, pikepdf.Name):
        if str(space) in _DEFAULTS:
            yield str(space)
    elif isinstance(space, pikepdf.Array) and len(space):
        if space[0] in ("/Separation", "/DeviceN"):
            yield from _devices(space[2])
        elif space[0] in ("/Indexed", "/Pattern") and len(space) > 1:
            yield from _devices(space[1])


def _see_through(read: _Read) -> Iterator[str]:
    """Where something transparent is used."""
    for where, part in read.dictionaries:
        masked = part.get("/SMask", "/None") != "/None"
        thin = any(isinstance(part.get(key), int | Decimal) and part.get(key) < 1 for key in ("/CA", "/ca"))
        blended = part.get("/BM", "/Normal") not in ("/Normal", "/Compatible")
        grouped = part.get("/Subtype") == "/Form" and part.get("/Group", {}).get("/S") == "/Transparency"
        if masked or thin or blended or grouped:
            yield where


def _found(rule: str, clause: str, where: str, measured: str, limit: str) -> Finding:
    source = clause if clause == HOUSE else f"{STANDARD}, {clause}"
    return Finding(
        code=f"pdfx_{rule}",
        severity=Severity.ERROR,
        where=where,
        measured=measured,
        limit=limit,
        remedy="Have the file made again, or corrected where it was made.",
        sentence=f"Not ready to print ({source}): {where}.",
    )
