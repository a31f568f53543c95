"""What the rest of the product asks of production: catalogue, specification, assessment, cost, files, release."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.utils.module_loading import import_string

from generation.domain.pattern import Raster
from production.assessment import Assessment, Material, assess, look_over
from production.catalogue import cloths, seed_catalogue, skus, specify
from production.delivery import deliver, hot_folder_of
from production.documents.costing import costing_of
from production.domain.colour import srgb_to_lab
from production.domain.costing import CostBreakdown
from production.domain.draft import Draft
from production.domain.finding import Finding, Severity
from production.domain.ink_tile import InkTile, digest_of
from production.domain.picture import Picture
from production.domain.snap import resolution_dpi
from production.domain.spec import PRINT, WEAVE, LineSpec
from production.domain.usage import Usage, cloth_sums, ink_ml, ink_taken, plane_bands
from production.errors import FormatNotForJob, NotManufacturable, RasterDoesNotFit, UnknownFormat, VerifyFailed
from production.files import sha256_of, write_bytes_whole
from production.models import CheckReport, CostSheet, JobTicket, OutputFile
from production.papers import PAPERS
from production.pictures import read_picture
from production.ports import LotUse, MachineFormat, OnFile, Provenance, RenderJob, WrittenFile, no_progress
from production.pricing import cost
from production.separation import ink_tile

__all__ = [
    "Assessment",
    "CostBreakdown",
    "Finding",
    "LineSpec",
    "LotUse",
    "Material",
    "Provenance",
    "RenderJob",
    "Severity",
    "Usage",
    "WrittenFile",
    "assess",
    "cloths",
    "cost",
    "deliver",
    "format_codes",
    "hot_folder_of",
    "look_over",
    "machine_format",
    "read_picture",
    "record_release",
    "resolution_dpi",
    "seed_catalogue",
    "skus",
    "specify",
    "verify_files",
    "write_files",
]

MANIFEST = "manifest"
_PAPERS = ("ticket", "costing", "costing_json", "strikeoff", "preview")
_STANDARD = {PRINT: ("tile", "xjdf", *_PAPERS), WEAVE: ("loom", *_PAPERS)}


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
    design with errors, RasterDoesNotFit for one that was assessed at another size, UnknownFormat, VerifyFailed where a
    file does not read back as meant (it is removed then), DiskFull.
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
    content = json.dumps(manifest, indent=1, ensure_ascii=False, allow_nan=False)
    write_bytes_whole(path, content.encode("utf-8", "replace"))
    return [*files, _written(path, MANIFEST)]


def verify_files(manifest: Path, on_progress: OnFile = no_progress) -> list[Finding]:
    """Read every file beside a manifest back and compare it with what the manifest says; errors for what is not so."""
    said = json.loads(manifest.read_text(encoding="utf-8"))
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
        manifest=json.loads(next(file.path for file in written if file.format == MANIFEST).read_text("utf-8")),
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


def manifest_of(job: RenderJob, master: InkTile | Draft) -> dict[str, Any]:
    """The job as plain JSON values: what it is, its repeat's geometry, what it takes, and how to know its planes again.

    `files` is empty: the names and checksums come in as the files are written.
    """
    spec, made = job.spec, job.provenance
    profile = spec.inks.profile if spec.inks is not None else None
    return {
        "format": "weftline-job/1",
        "reference": job.reference,
        "revision": job.revision,
        "released_at": job.released_at.isoformat(),
        "order": job.order,
        "customer": job.customer,
        "kind": spec.kind,
        "article": spec.sku,
        "lots": [{"sku": use.sku, "lot": use.lot, "quantity": str(use.quantity), "unit": use.unit} for use in job.lots],
        "machines": list(spec.machines),
        "machine": {
            "code": job.machine.code,
            "sidecar": job.machine.sidecar,
            "rip_folder": job.machine.rip_folder,
        },
        "quantity_m": spec.quantity_m,
        "repeat": {
            "layout": spec.repeat.layout.value,
            "asked_mm": [spec.asked.width_mm, spec.asked.height_mm],
            "finished_mm": [round(spec.repeat.width_mm, 4), round(spec.repeat.height_mm, 4)],
            "in_file_mm": [round(spec.printed_width_mm, 4), round(spec.printed_height_mm, 4)],
            "pixels": [spec.width_px, spec.height_px],
            "dpi": spec.dpi,
            "scale": [round(spec.scale_x, 6), round(spec.scale_y, 6)],
            "across_width": round(job.assessment.repeats_across, 4),
        },
        "palette": list(job.assessment.palette.colours),
        "inks": None
        if spec.inks is None
        else {"set": spec.inks.code, "channels": list(spec.inks.channels), "limit_pct": spec.inks.tac_pct},
        "profile": None
        if profile is None
        else {"name": profile.name, "sha256": profile.sha256, "synthetic": profile.synthetic},
        "artwork": None
        if made is None
        else {
            "sha256": made.sha256,
            "generator": made.generator,
            "fingerprint": made.fingerprint,
            "seed": made.seed,
        },
        "separations": master.as_dicts() if isinstance(master, InkTile) else None,
        "spots": _spot_facts(master, job) if isinstance(master, InkTile) and job.spots else None,
        "sheet": job.sheet.as_dict() if isinstance(master, InkTile) else None,
        "ink": _ink_facts(master, job) if isinstance(master, InkTile) else None,
        "draft": _draft_facts(master, spec) if isinstance(master, Draft) else None,
        "assessment": job.assessment.as_dict(),
        "cost": job.cost.as_dict(),
        "files": [],
    }


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


def _spot_facts(tile: InkTile, job: RenderJob) -> dict[str, Any] | None:
    """Name and L*a*b* (D50) of each spot channel, and how to know their picture again; None for a design in tones."""
    if tile.indices is None or tile.palette is None:
        return None
    labs = srgb_to_lab(tile.palette.rgb()).round(2).tolist()
    channels = [{"name": name, "lab": lab} for name, lab in zip(job.spots, labs, strict=False)]
    return {"channels": channels, "indices_sha256": digest_of(tile.indices)}


def _ink_facts(tile: InkTile, job: RenderJob) -> list[dict[str, Any]]:
    """Per ink, counted on the separations: sums of 8-bit values over the pattern and over the marks, and millilitres.

    ml is pattern, waste and purge; the marks' ink is told apart and is part of the waste.
    """
    spec, sheet = job.spec, job.sheet
    assert spec.inks is not None, "a printed line has inks"
    sums = cloth_sums(plane_bands(tile.planes), layout=sheet.layout, tile_px=sheet.tile_px, cloth_px=spec.pattern_px)
    marks = [sum(mark.ink[k] * mark.count() for mark in sheet.marks) for k in range(len(tile.inks))]
    taken = ink_taken(sums, inks=spec.inks, dpi=spec.dpi, waste=spec.waste)
    marks_ml = ink_ml(marks, inks=spec.inks, dpi=spec.dpi)
    return [
        {
            "ink": ink.name,
            "channel": ink.channel,
            "pattern_sum": sums[k],
            "marks_sum": marks[k],
            "pattern_ml": taken["pattern_ml"][ink.channel],
            "marks_ml": marks_ml[ink.channel],
            "waste_ml": taken["waste_ml"][ink.channel],
            "purge_ml": taken["purge_ml"][ink.channel],
            "ml": taken["ink_ml"][ink.channel],
        }
        for k, ink in enumerate(tile.inks)
    ]


def _draft_facts(draft: Draft, spec: LineSpec) -> dict[str, Any]:
    assert spec.weaving is not None
    picks, ends = draft.paper.shape
    return {
        "ends": ends,
        "picks": picks,
        "paper_sha256": digest_of(draft.paper),
        "lifts_sha256": [digest_of(lift.view(np.uint8)) for lift in draft.lifts],
        "weaves": list(draft.weaves),
        "repaired": draft.repaired,
        "float_limits": asdict(spec.weaving.float_limits),
        "harness_ends": spec.weaving.harness_ends,
        "total_ends": spec.weaving.total_ends,
    }


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
