"""What the tickets that machines read have in common: which file each places, texts XML can hold, findings.

A ticket places either one repeat, which the machine's own step-and-repeat lays out, or the whole length.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any, TypeVar
from urllib.parse import quote
from xml.etree.ElementTree import Element, TreeBuilder

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from production.domain.finding import Finding, Severity
from production.errors import LayoutNotInTicket, TicketForPrintOnly, TicketNeedsFile
from production.ports import Manifest, RenderJob, WrittenFile

REPEATS = ("tile", "spot", "inks")  # kinds of file that hold one repeat
LENGTHS = ("pdfx", "bigtiff", "bigtiff_raw")  # kinds of file that hold the whole length
# Ticket -> the kinds of file it can place, the most wanted first.
PLACES: Mapping[str, tuple[str, ...]] = {
    "xjdf": (*REPEATS, *LENGTHS),
    "ergosoft": ("tile", "spot"),
    "printfactory": ("tile", "spot"),
    "durst": ("pdfx",),
}

MIMES = {".tif": "image/tiff", ".pdf": "application/pdf"}

# XML 1.0, section 2.2: everything else can't be written, not even as a reference.
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NO_TOKEN = re.compile(r"[^A-Za-z0-9._-]")
_Kind = TypeVar("_Kind")

Difference = tuple[str, object, object]  # (what, as it stands in a ticket, as the manifest has it)


def placed_kind(ticket: str, kinds: Iterable[str]) -> str | None:
    """The kind of file that a ticket places among the kinds there are.

    >>> placed_kind("xjdf", ["pdfx", "tile", "ticket"])
    'tile'
    """
    there = set(kinds)
    return next((kind for kind in PLACES[ticket] if kind in there), None)


def fits(ticket: str, job: RenderJob, kinds: Iterable[str]) -> str:
    """The kind of file that `ticket` places for `job` out of those it gets.

    Raises TicketForPrintOnly for a woven job, TicketNeedsFile where none suits.
    """
    if job.spec.inks is None:
        raise TicketForPrintOnly(
            f"{ticket} is a printer's ticket, and {job.spec.name} is woven: its loom package says everything.",
            fields={"field": "formats", "measured": ticket, "limit": "loom"},
        )
    there = sorted(set(kinds))
    kind = placed_kind(ticket, there)
    if kind is None:
        wanted = " or ".join(PLACES[ticket])
        raise TicketNeedsFile(
            f"A ticket of kind {ticket} places a file of kind {wanted}: ask for one of them as well.",
            fields={"field": "formats", "measured": there, "limit": PLACES[ticket]},
        )
    return kind


def placed_files(ticket: str, job: RenderJob, files: Sequence[WrittenFile]) -> list[WrittenFile]:
    """The files that `ticket` places. Raises what `fits` does."""
    kind = fits(ticket, job, (file.format for file in files))
    return [file for file in files if file.format == kind and is_placed(file.path.name)]


def is_placed(name: str) -> bool:
    """True for a file that is printed, not one that lies beside it, such as its profile."""
    return name.endswith(tuple(MIMES))


def choose(ticket: str, job: RenderJob, ways: Mapping[Any, _Kind]) -> _Kind:
    """What a dialect calls the job's layout. Raises LayoutNotInTicket where it has no word for it."""
    layout = job.spec.repeat.layout
    if layout not in ways:
        known = ", ".join(way.value.replace("_", " ") for way in ways)
        raise LayoutNotInTicket(
            f"A ticket of kind {ticket} can't say {layout.value.replace('_', ' ')}, only {known}: take xjdf, or a file "
            "of the whole length.",
            fields={"field": "layout", "measured": layout.value, "limit": [way.value for way in ways]},
        )
    return ways[layout]


def where(job: RenderJob, name: str) -> str:
    """A file's name as the machine's RIP finds it: in its hot folder as the RIP sees that, or beside the ticket."""
    folder = job.machine.rip_folder
    if not folder:
        return name
    between = "\\" if "\\" in folder else "/"
    return f"{folder.rstrip(between)}{between}{name}"


def address(job: RenderJob, name: str) -> str:
    """The same as a URL.

    A folder may be written as a URL (smb://…), as a path (/jobs) or as a Windows path (C:\\jobs).
    """
    path = where(job, name)
    if not job.machine.rip_folder or "://" in path:
        return quote(path, safe=":/@%")
    path = path.replace("\\", "/")
    return "file:" + quote(path if path.startswith("/") else f"///{path}", safe="/:")


def text(value: object) -> str:
    """`value` as text that an XML file can hold; what it can't is shown as U+FFFD."""
    return _NO_XML.sub("\ufffd", str(value))


def token(value: str) -> str:
    """`value` without what a name token (XML 1.0, Nmtoken) can't hold.

    >>> token("Light Cyan")
    'Light_Cyan'
    """
    return _NO_TOKEN.sub("_", value) or "_"


def tokens(names: Sequence[str]) -> list[str]:
    """A name token for each name, all different.

    >>> tokens(["Light Cyan", "Light_Cyan"])
    ['Light_Cyan', 'Light_Cyan-2']
    """
    made: list[str] = []
    for name in names:
        one, count = token(name), 1
        while (one if count == 1 else f"{one}-{count}") in made:
            count += 1
        made.append(one if count == 1 else f"{one}-{count}")
    return made


def number(value: float, places: int = 4) -> str:
    """A number without needless zeros, never in powers of ten.

    >>> number(12.5), number(-0.00001)
    ('12.5', '0')
    """
    short = f"{value:.{places}f}"
    if "." in short:
        short = short.rstrip("0").rstrip(".")
    return "0" if short == "-0" else short


def read(data: bytes) -> Element:
    """Parse a ticket, comments kept, without entities or anything fetched. Raises what the parser raises."""
    parser = DefusedXMLParser(target=TreeBuilder(insert_comments=True), forbid_dtd=True)
    parser.feed(data)
    root: Element = parser.close()
    return root


def file_name(path: str) -> str:
    """The last part of a path as any system writes it."""
    return PurePath(path.replace("\\", "/")).name


def compared(
    path: Path, manifest: Manifest, differences: Callable[[Element, Manifest], Iterable[Difference]]
) -> list[Finding]:
    """A finding for each of the `differences` between a ticket and the manifest, or for one that can't be read."""
    try:
        root = read(path.read_bytes())
    except (SyntaxError, ValueError, DefusedXmlException) as error:
        return [unequal(path.name, "form", f"{type(error).__name__}: {error}", "well-formed XML")]
    try:
        found = [*differences(root, manifest)]
    except Exception as error:  # what lacks or means nothing comes to light wherever it is first used
        found = [("structure", f"{type(error).__name__}: {error}", "a whole ticket of this job")]
    return [unequal(path.name, *each) for each in found]


def wrong_name(path_name: str, manifest: Manifest, said: Iterable[str | None]) -> Iterator[Difference]:
    """The job is called in a ticket as the ticket's file is: each time that it is `said`."""
    revision = f"-r{manifest['revision']}"
    meant = path_name.rpartition(revision)[0] + revision
    for name in said:
        if name != meant:
            yield "job", name, meant


def the_placed(ticket: str, manifest: Manifest) -> list[Mapping[str, Any]]:
    """What the manifest says of the files that a ticket places. Raises ValueError where it names none."""
    kind = placed_kind(ticket, (each["format"] for each in manifest["files"]))
    found = [each for each in manifest["files"] if each["format"] == kind and is_placed(each["name"])]
    if not found:
        raise ValueError("no file to place")
    return found


def wrong_checksum(root: Element, file: Mapping[str, Any]) -> Iterator[Difference]:
    """The comment that stands for a checksum, in the dialects that have none, is that of the file."""
    said = [str(node.text).strip() for node in root.iter() if not isinstance(node.tag, str)]
    meant = f"sha256 {file['sha256']} bytes {file['bytes']}"
    if said != [meant]:
        yield "checksum", said, meant


def near(found: Sequence[float], meant: Sequence[float], within: float) -> bool:
    """Whether as many numbers were found as are meant, each `within` of its own; what is no number is near nothing.

    >>> near([1.0], [1.1], 0.2), near([float("nan")], [1.1], 0.2)
    (True, False)
    """
    return len(found) == len(meant) and all(abs(a - b) <= within for a, b in zip(found, meant, strict=True))


def unequal(path_name: str, what: str, found: object, meant: object) -> Finding:
    """A ticket says something else than the manifest."""
    return Finding(
        code="ticket_differs",
        severity=Severity.ERROR,
        where=what,
        measured=str(found)[:200],
        limit=str(meant)[:200],
        remedy="Release the job again; do not send this ticket to a machine.",
        sentence=f"{path_name} says another {what} than the job has.",
    )
