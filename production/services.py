"""What the rest of the product asks of production: catalogue, specification, assessment, cost, files, release."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from generation.domain.pattern import Raster
from production.assessment import Assessment, Material, assess, look_over
from production.catalogue import cloths, seed_catalogue, skus, specify
from production.documents.costing import costing_pdf
from production.documents.ticket import ticket_pdf
from production.domain.colour import lab_to_srgb
from production.domain.costing import CostBreakdown
from production.domain.finding import Finding, Severity
from production.domain.snap import resolution_dpi
from production.domain.spec import PRINT, LineSpec
from production.domain.usage import Usage
from production.errors import NotManufacturable, RasterDoesNotFit, VerifyFailed
from production.files import sha256_of, write_bytes_whole
from production.models import CheckReport, CostSheet, JobTicket, OutputFile
from production.ports import LotUse, MachineFormat, Provenance, RenderJob, WrittenFile
from production.preview import preview_png
from production.pricing import cost

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
    "look_over",
    "machine_format",
    "record_release",
    "resolution_dpi",
    "seed_catalogue",
    "skus",
    "specify",
    "verify_files",
    "write_files",
]

MANIFEST, TICKET, COSTING, PREVIEW = "manifest", "ticket", "costing", "preview"
_MACHINE_FILE = {True: "tile_tiff", False: "point_paper"}  # of a printed line, of a woven line


@lru_cache
def machine_format(code: str) -> MachineFormat:
    """The machine format registered in the settings under `code`."""
    made: MachineFormat = import_string(settings.WEFTLINE["formats"][code])()
    return made


def write_files(raster: Raster, *, job: RenderJob, folder: Path) -> list[WrittenFile]:
    """Write and verify every file of `job` in `folder`: machine file, ticket, costing, preview, and the manifest last.

    Safe to repeat: the same job gives the same bytes under the same names. Raises NotManufacturable for a design with
    errors, RasterDoesNotFit for one that was assessed at another size, VerifyFailed where the machine file does not
    read back as meant (it is removed then), DiskFull.
    """
    if not job.assessment.passed:
        errors = [finding.as_dict() for finding in job.assessment.findings if finding.severity is Severity.ERROR]
        raise NotManufacturable(fields={"findings": errors})
    if (raster.width_px, raster.height_px) != (job.spec.width_px, job.spec.height_px):
        raise RasterDoesNotFit(
            fields={
                "measured": f"{raster.width_px} x {raster.height_px} px",
                "limit": f"{job.spec.width_px} x {job.spec.height_px} px",
            }
        )
    form = machine_format(_MACHINE_FILE[job.spec.kind == PRINT])
    path = folder / f"{job.name}{form.suffix}"
    form.write(raster, job, path)
    _refuse_unverified(form.verify(path, raster, job), path)
    files = [_written(path, form.code)]
    made = lab_to_srgb(job.assessment.made_lab)
    for kind, suffix, data in (
        (TICKET, "-ticket.pdf", ticket_pdf(raster, job, files[0])),
        (COSTING, "-costing.pdf", costing_pdf(job)),
        (PREVIEW, "-preview.png", preview_png(raster, columns=2, rows=2, width_px=1200, colours=made)),
    ):
        document = folder / f"{job.name}{suffix}"
        write_bytes_whole(document, data)
        files.append(_written(document, kind))
    # Last of all: who finds a manifest finds everything that it names.
    manifest = folder / f"{job.name}-manifest.json"
    content = json.dumps(manifest_of(job, files), indent=1, ensure_ascii=False, allow_nan=False)
    write_bytes_whole(manifest, content.encode("utf-8", "replace"))
    return [*files, _written(manifest, MANIFEST)]


def verify_files(manifest: Path) -> list[str]:
    """Compare the files beside a manifest with its checksums; returns the names of those that are gone or changed."""
    named = json.loads(manifest.read_text(encoding="utf-8"))["files"]
    bad = []
    for entry in named:
        path = manifest.parent / Path(entry["name"]).name
        if not path.is_file() or sha256_of(path) != entry["sha256"]:
            bad.append(entry["name"])
    return bad


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
        manifest=manifest_of(job, [file for file in written if file.format != MANIFEST]),
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
    )
    CheckReport.objects.create(
        ticket=ticket,
        passed=job.assessment.passed,
        findings=[finding.as_dict() for finding in job.assessment.findings],
    )
    return ticket


def manifest_of(job: RenderJob, files: Sequence[WrittenFile]) -> dict[str, Any]:
    """The job as plain JSON values: what it is, its repeat's geometry, what it takes, and every file's checksum."""
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
        "assessment": job.assessment.as_dict(),
        "cost": job.cost.as_dict(),
        "files": [
            {"name": file.path.name, "format": file.format, "sha256": file.sha256, "bytes": file.size_bytes}
            for file in files
        ],
    }


def _refuse_unverified(findings: Sequence[Finding], path: Path) -> None:
    wrong = [finding.as_dict() for finding in findings if finding.severity is Severity.ERROR]
    if wrong:
        path.unlink(missing_ok=True)
        raise VerifyFailed(f"{path.name} does not read back as it should.", fields={"findings": wrong})


def _written(path: Path, kind: str) -> WrittenFile:
    return WrittenFile(path=path, sha256=sha256_of(path), format=kind, size_bytes=path.stat().st_size)
