"""What the files of a job are held against: its manifest, made from the job, and read back for whoever goes by it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from production.domain.colour import srgb_to_lab
from production.domain.draft import Draft
from production.domain.ink_tile import InkTile, digest_of
from production.domain.spec import LineSpec
from production.domain.usage import cloth_sums, ink_ml, ink_taken, plane_bands
from production.errors import ManifestDamaged
from production.ports import RenderJob

FORMAT = "weftline-job/1"


def manifest_of(job: RenderJob, master: InkTile | Draft) -> dict[str, Any]:
    """The job as plain JSON values: what it is, its repeat's geometry, what it takes, and how to know its planes again.

    `files` is empty: the names and checksums come in as the files are written.
    """
    spec, made = job.spec, job.provenance
    profile = spec.inks.profile if spec.inks is not None else None
    return {
        "format": FORMAT,
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


def manifest_bytes(said: dict[str, Any]) -> bytes:
    """The manifest as it is written, with a digest of all that it says."""
    text = json.dumps(said, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")
    whole = {**said, "digest": _digest(json.loads(text))}
    return json.dumps(whole, indent=1, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")


def read_manifest(path: Path) -> dict[str, Any]:
    """The manifest at `path`. Raises ManifestDamaged for what is none, or no whole one."""
    try:
        said: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        whole = (
            said["format"] == FORMAT
            and said["files"]
            and all({"name", "format", "sha256", "bytes"} <= set(file) for file in said["files"])
            and {"reference", "revision", "released_at", "article", "quantity_m", "machine", "sheet", "draft"}
            <= set(said)
            and {"code", "sidecar", "rip_folder"} <= set(said["machine"])
            and said["digest"] == _digest(said)
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        whole = False
    if not whole:
        raise ManifestDamaged(
            f"{path.name} is no manifest of this product, or it is damaged: release the job again.",
            fields={"path": path.name},
        )
    return said


def _digest(said: dict[str, Any]) -> str:
    """SHA-256 in hex of everything in a manifest but its digest, however its text is set."""
    rest = {key: value for key, value in said.items() if key != "digest"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


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
