"""What the rest of the product asks of production: catalogue, specification, assessment, cost, files, release."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from generation.domain.pattern import Raster
from production.assessment import Assessment, Material, Outline, assess, look_over, outline
from production.catalogue import cloths, seed_catalogue, skus, specify, usual_repeat
from production.delivery import deliver, hot_folder_of
from production.documents.costing import costing_of
from production.domain.costing import CostBreakdown
from production.domain.draft import Draft
from production.domain.finding import Finding, Severity
from production.domain.ink_tile import InkTile
from production.domain.picture import Picture
from production.domain.snap import resolution_dpi
from production.domain.spec import PRINT, WEAVE, LineSpec
from production.domain.usage import Usage
from production.errors import FormatNotForJob, NotManufacturable, RasterDoesNotFit, UnknownFormat, VerifyFailed
from production.files import sha256_of, write_bytes_whole
from production.look import ClothLook, cloth_look
from production.manifest import manifest_bytes, manifest_of, read_manifest
from production.models import CheckReport, CostSheet, JobTicket, OutputFile
from production.offers import Offer, offers
from production.papers import PAPERS
from production.pictures import read_picture
from production.ports import LotUse, MachineFormat, OnFile, Provenance, RenderJob, WrittenFile, no_progress
from production.pricing import PriceRange, cost, cost_once_more, estimate
from production.separation import ink_tile

__all__ = [
    "Assessment",
    "ClothLook",
    "CostBreakdown",
    "Finding",
    "LineSpec",
    "LotUse",
    "Material",
    "Offer",
    "Outline",
    "PriceRange",
    "Provenance",
    "RenderJob",
    "Severity",
    "Usage",
    "WrittenFile",
    "assess",
    "cloth_look",
    "cloths",
    "cost",
    "cost_once_more",
    "deliver",
    "estimate",
    "format_codes",
    "hot_folder_of",
    "look_over",
    "machine_format",
    "manifest_of",
    "offers",
    "outline",
    "read_manifest",
    "read_picture",
    "record_release",
    "resolution_dpi",
    "seed_catalogue",
    "skus",
    "specify",
    "title_of",
    "usual_repeat",
    "verify_files",
    "write_files",
]

MANIFEST = "manifest"
_PAPERS = ("ticket", "costing", "costing_json", "strikeoff", "preview")
_STANDARD = {PRINT: ("tile", "xjdf", *_PAPERS), WEAVE: ("loom", *_PAPERS)}


_TITLES = {
    "tile": "Repeat for the RIP",
    "inks": "One film per ink",
    "spot": "Spot channels",
    "bigtiff": "Whole cloth, TIFF",
    "bigtiff_raw": "Whole cloth, plain TIFF",
    "pdfx": "Whole cloth, PDF/X-4",
    "pdfx_pages": "Whole cloth in pages, PDF/X-4",
    "loom": "Loom package",
    "xjdf": "Ticket, XJDF",
    "ergosoft": "Ticket, Ergosoft",
    "printfactory": "Ticket, PrintFactory",
    "durst": "Ticket, Durst",
    "ticket": "Job ticket",
    "costing": "Costing",
    "costing_json": "Costing as data",
    "quotation": "Quotation",
    "strikeoff": "Strike-off card",
    "preview": "Preview",
    "gamut": "Colour map",
    MANIFEST: "Everything as data",
}


@lru_cache
def machine_format(code: str) -> MachineFormat[Any]:
    """The machine format registered in the settings under `code`."""
    made: MachineFormat[Any] = import_string(settings.WEFTLINE["formats"][code])()
    return made


def write_files(
    design: Raster | Picture,
    *,
    job: RenderJob,
    folder: Path,
    formats: Sequence[str] = (),
    on_progress: OnFile = no_progress,
) -> list[WrittenFile]:
    """Write and verify the files of `job` in `folder`: machine files, then sidecars and documents, the manifest last.

    formats: which, by code; without them what every job of its machine gets. on_progress(code, done, of how many)
    follows each. Safe to repeat: the same job gives the same bytes under the same names. Raises NotManufacturable for a
    design with errors, RasterDoesNotFit for one that was assessed at another size, UnknownFormat, FormatNotForJob,
    what its formats and papers raise, DiskFull, and VerifyFailed where a file does not read back as meant; that file
    is removed.
    """
    if not job.assessment.passed:
        errors = [finding.as_dict() for finding in job.assessment.findings if finding.severity is Severity.ERROR]
        raise NotManufacturable(fields={"findings": errors})
    drawn = job.assessment.tile or design  # of tones there are the planes, and the pixels themselves may be gone
    if (drawn.width_px, drawn.height_px) != (job.spec.width_px, job.spec.height_px):
        raise RasterDoesNotFit(
            fields={
                "measured": f"{drawn.width_px} x {drawn.height_px} px",
                "limit": f"{job.spec.width_px} x {job.spec.height_px} px",
            }
        )
    wanted = tuple(dict.fromkeys(formats or _standard(job)))
    machine = [code for code in wanted if code in settings.WEFTLINE["formats"]]
    papers = [code for code in PAPERS if code in wanted]  # in their own order: a ticket holds what was written before
    if unknown := set(wanted) - set(machine) - set(papers):
        raise UnknownFormat(
            f"There is no kind of file called {', '.join(sorted(unknown))}. Choose from {', '.join(format_codes())}.",
            fields={"field": "formats", "measured": sorted(unknown), "choices": format_codes()},
        )
    if misfits := [code for code in machine if machine_format(code).kind != job.spec.kind]:
        raise FormatNotForJob(
            f"{', '.join(misfits)}: no file for {job.machine.name}. Leave it out.",
            fields={"field": "formats", "measured": misfits, "limit": job.spec.kind},
        )
    for code in papers:  # a cloth takes minutes to write: what its tickets can't say is told before
        PAPERS[code].fits(job, machine)
    master = _master(design, job)
    manifest = manifest_of(job, master)
    files: list[WrittenFile] = []

    def keep(path: Path, code: str, findings: Sequence[Finding]) -> None:
        _refuse_unverified(findings, path)
        file = _written(path, code)
        files.append(file)
        manifest["files"].append({"name": path.name, "format": code, "sha256": file.sha256, "bytes": file.size_bytes})

    for code in machine:
        form = machine_format(code)
        for path in form.write(master, job, folder, lambda done, of, code=code: on_progress(code, done, of)):
            keep(path, code, form.verify(path, manifest))
    for code in papers:
        paper = PAPERS[code]
        path = folder / f"{job.name}{paper.suffix}"
        write_bytes_whole(path, paper.write(job, design, files))
        keep(path, code, paper.verify(path, manifest))
        on_progress(code, 1, 1)
    # Last of all: who finds a manifest finds everything that it names.
    path = folder / f"{job.name}-manifest.json"
    write_bytes_whole(path, manifest_bytes(manifest))
    return [*files, _written(path, MANIFEST)]


def verify_files(manifest: Path, on_progress: OnFile = no_progress) -> list[Finding]:
    """Read every file beside a manifest back and compare it with what the manifest says; errors for what is not so.

    Raises ManifestDamaged.
    """
    said = read_manifest(manifest)
    found: list[Finding] = []
    for done, entry in enumerate(said["files"]):
        path, code = manifest.parent / Path(entry["name"]).name, entry["format"]
        on_progress(code, done, len(said["files"]))
        if not path.is_file() or sha256_of(path) != entry["sha256"]:
            found.append(_changed(path, entry["sha256"]))
        else:
            form = PAPERS[code] if code in PAPERS else machine_format(code)
            found += form.verify(path, said)
    return found


def title_of(code: str) -> str:
    """What people call a kind of file."""
    return _TITLES.get(code, code)


def format_codes() -> list[str]:
    """Every kind of file that can be asked for."""
    return [*settings.WEFTLINE["formats"], *PAPERS]


def record_release(reference: str, revision: int, files: Iterable[WrittenFile], job: RenderJob) -> JobTicket:
    """Record a released job: ticket, files, costing and check report, in the caller's transaction.

    Not idempotent on purpose: the step ledger's fence lets one release through.
    """
    written = list(files)
    ticket = JobTicket.objects.create(
        shop=job.spec.shop,
        reference=reference,
        revision=revision,
        released_at=job.released_at,
        manifest=read_manifest(next(file.path for file in written if file.format == MANIFEST)),
    )
    OutputFile.objects.bulk_create(
        OutputFile(
            ticket=ticket, format=file.format, path=str(file.path), sha256=file.sha256, size_bytes=file.size_bytes
        )
        for file in written
    )
    cost_sheet = job.cost
    CostSheet.objects.create(
        ticket=ticket,
        currency=cost_sheet.currency,
        total=cost_sheet.total,
        price=cost_sheet.price,
        price_per_m=cost_sheet.price_per_m,
        lines=cost_sheet.as_dict(),
        document=costing_of(job).as_dict(),
    )
    CheckReport.objects.create(
        ticket=ticket,
        passed=job.assessment.passed,
        findings=[finding.as_dict() for finding in job.assessment.findings],
    )
    return ticket


def _standard(job: RenderJob) -> tuple[str, ...]:
    """The kinds of file a job gets where nobody asks for others: its machine's, or what every job of its kind gets."""
    machine = job.machine
    sidecar = (machine.sidecar,) if machine.sidecar else ()
    return (*(machine.files or _STANDARD[job.spec.kind]), *sidecar)


def _master(design: Raster | Picture, job: RenderJob) -> InkTile | Draft:
    """What the machine files are written from."""
    assessment, inks = job.assessment, job.spec.inks
    if isinstance(design, Picture):
        assert assessment.tile is not None, "a printed line in tones that passed has its planes"
        return assessment.tile
    if inks is not None and assessment.separation is not None:
        return ink_tile(design, inks, assessment.separation)
    assert assessment.draft is not None, "a woven line that passed has a draft"
    return assessment.draft


def _changed(path: Path, meant: str) -> Finding:
    return Finding(
        code="file_changed",
        severity=Severity.ERROR,
        where=path.name,
        measured=sha256_of(path) if path.is_file() else "no file",
        limit=meant,
        remedy="Release the job again; do not print from this file.",
        sentence=f"{path.name} is not the file that was released.",
    )


def _refuse_unverified(findings: Sequence[Finding], path: Path) -> None:
    wrong = [finding.as_dict() for finding in findings if finding.severity is Severity.ERROR]
    if wrong:
        path.unlink(missing_ok=True)
        raise VerifyFailed(f"{path.name} does not read back as it should.", fields={"findings": wrong})


def _written(path: Path, kind: str) -> WrittenFile:
    return WrittenFile(path=path, sha256=sha256_of(path), format=kind, size_bytes=path.stat().st_size)
