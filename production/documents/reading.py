"""Documents read back: pages, fonts and files inside with pikepdf, words with PDFium, sums by adding them up."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2
from PIL import Image

from production.documents.page import PAPERS, printable
from production.documents.ticket import JOB_XJDF, TICKET_FORMAT, TICKET_JSON
from production.domain.finding import Finding, wrong_document
from production.ports import Manifest

COSTING_JSON = "costing.json"


def check_ticket(path: Path, manifest: Manifest) -> list[Finding]:
    """One page with its title and fonts; ticket.json inside says the manifest's job, job.xjdf is the one written."""
    found, inside = _document(path, manifest, "Job ticket", pages=1)
    before = _files_before(path, manifest)
    said = _json_of(inside.get(TICKET_JSON, b""))
    meant = {"format": TICKET_FORMAT, "reference": manifest["reference"], "revision": manifest["revision"]}
    got = {key: said.get(key) for key in meant}
    if got != meant or said.get("files") != before:
        found.append(
            wrong_document(path.name, TICKET_JSON, got, meant, "does not say the job and the files that go with it")
        )
    xjdf = next((each["sha256"] for each in before if each["format"] == "xjdf"), None)
    digest = hashlib.sha256(inside[JOB_XJDF]).hexdigest() if JOB_XJDF in inside else None
    if digest != xjdf:
        found.append(
            wrong_document(path.name, JOB_XJDF, digest, xjdf, "holds another XJDF than the one that was written")
        )
    return found


def check_costing(path: Path, manifest: Manifest) -> list[Finding]:
    """Its title, fonts and total; the JSON inside adds up to the manifest's costing."""
    found, inside = _document(path, manifest, "Costing", words=(manifest["cost"]["total"], manifest["cost"]["price"]))
    return found + _costing(path, inside.get(COSTING_JSON, b""), manifest)


def check_costing_json(path: Path, manifest: Manifest) -> list[Finding]:
    """The JSON adds up to the manifest's costing."""
    return _costing(path, path.read_bytes(), manifest)


def check_quotation(path: Path, manifest: Manifest) -> list[Finding]:
    """One page with its title, fonts and price, and no file inside: what it costs the mill is not the customer's."""
    found, inside = _document(path, manifest, "Quotation", pages=1, words=(manifest["cost"]["price"],))
    if inside:
        found.append(wrong_document(path.name, "attachments", sorted(inside), [], "holds files"))
    return found


def check_strikeoff(path: Path, manifest: Manifest) -> list[Finding]:
    """One page with its title and fonts."""
    return _document(path, manifest, "Strike-off", pages=1)[0]


def check_preview(path: Path, manifest: Manifest) -> list[Finding]:
    """A whole PNG in colours."""
    try:
        with Image.open(path) as picture:
            picture.load()
            kind, mode = picture.format, picture.mode
    except OSError as error:
        return [wrong_document(path.name, "picture", str(error), "a PNG", "can't be read")]
    if (kind, mode) != ("PNG", "RGB"):
        return [wrong_document(path.name, "picture", f"{kind} {mode}", "PNG RGB", "is another kind of picture")]
    return []


def _document(
    path: Path, manifest: Manifest, kind: str, *, pages: int | None = None, words: Sequence[str] = ()
) -> tuple[list[Finding], dict[str, bytes]]:
    """What every document keeps, and the files inside by name."""
    found: list[Finding] = []
    try:
        with pikepdf.Pdf.open(path) as pdf:
            title, count = str(pdf.docinfo.get("/Title", "")), len(pdf.pages)
            loose = sorted({name for page in pdf.pages for name in _loose_fonts(page)})
            sizes = {tuple(round(float(value)) for value in page.mediabox[2:]) for page in pdf.pages}
            inside = {name: spec.get_file().read_bytes() for name, spec in pdf.attachments.items()}
        with pypdfium2.PdfDocument(path) as document:
            text = " ".join(" ".join(page.get_textpage().get_text_range().split()) for page in document)
    except (pikepdf.PdfError, pypdfium2.PdfiumError, OSError, ValueError, TypeError, AttributeError, KeyError) as error:
        # A damaged document can be mended by its readers until something that every document has is not there.
        return [wrong_document(path.name, "document", str(error), "a PDF", "can't be read")], {}
    start = printable(f"{kind} {manifest['reference']}")
    if not title.startswith(start):
        found.append(wrong_document(path.name, "title", title, start, "belongs to another job"))
    if pages is not None and count != pages:
        found.append(wrong_document(path.name, "pages", count, pages, "has another number of pages"))
    known = {tuple(round(length) for length in size) for size in PAPERS.values()}
    if not sizes <= known:
        found.append(wrong_document(path.name, "paper", sorted(sizes), sorted(known), "is on another paper"))
    if loose:
        found.append(wrong_document(path.name, "fonts", loose, [], "has fonts that are not inside"))
    numbered = f"page {count} of {count}"
    for needed in (numbered, *words):
        if needed not in text:
            found.append(wrong_document(path.name, "text", "not there", needed, f"does not say {needed}"))
    return found, inside


def _loose_fonts(page: pikepdf.Page) -> list[str]:
    """The fonts of a page that are not embedded."""
    fonts = page.resources.get("/Font", pikepdf.Dictionary())
    loose = []
    for name, font in fonts.items():
        whole = font.DescendantFonts[0] if "/DescendantFonts" in font else font
        descriptor = whole.get("/FontDescriptor", pikepdf.Dictionary())
        if not any(key in descriptor for key in ("/FontFile", "/FontFile2", "/FontFile3")):
            loose.append(str(name))
    return loose


def _costing(path: Path, content: bytes, manifest: Manifest) -> list[Finding]:
    said = _json_of(content)
    cost, meant = said.get("cost"), manifest["cost"]
    if not isinstance(cost, dict) or cost != meant:
        return [
            wrong_document(
                path.name, "cost", (cost or {}).get("total"), meant["total"], "is not the costing of the job"
            )
        ]
    total = sum((Decimal(line["amount"]) for line in cost["lines"]), Decimal(0))
    price = total + Decimal(cost["margin"])
    if total != Decimal(cost["total"]) or price != Decimal(cost["price"]):
        return [wrong_document(path.name, "total", str(total), cost["total"], "does not add up")]
    return []


def _files_before(path: Path, manifest: Manifest) -> list[dict[str, Any]]:
    """What was written before this file, as the manifest lists it."""
    names = [each["name"] for each in manifest["files"]]
    stop = names.index(path.name) if path.name in names else len(names)
    return list(manifest["files"][:stop])


def _json_of(content: bytes) -> dict[str, Any]:
    try:
        said = json.loads(content)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
