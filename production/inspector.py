"""The inspector of a mill's own jobs: scans against what the ticket says, by the network that ships.

It brings torch with it: only who inspects imports this, by its name in the settings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from django.utils.functional import cached_property

from generation.domain.pattern import Layout, Raster, Repeat
from production.assessment import assess
from production.catalogue import specify
from production.domain.grading import Rule
from production.domain.spec import PRINT, LineSpec
from production.errors import InvalidScans
from production.inspection import weights
from production.inspection.capture import NotInspectable, read_scan
from production.inspection.detect import USUAL, Scores, Threshold
from production.inspection.inspect import Progress, inspect, seen_by
from production.inspection.outcome import Inspected, Lab
from production.inspection.pictures import Strip
from production.inspection.source import Source, of_print, of_weave
from production.inspections import Scan
from production.models import JobTicket


class ShippedInspector:
    """Looks with the weights in production/inspection/detector."""

    @cached_property
    def fingerprint(self) -> str:
        """Of the detector: a threshold that was set for another one says nothing of this one's scores."""
        return str(weights.read_card()["sha256"])

    def inspect(
        self,
        raster: Raster,
        ticket: JobTicket,
        scans: list[Scan],
        *,
        rule: Rule,
        threshold: Threshold,
        on_progress: Any,
        on_strip: Callable[[Strip], None],
    ) -> Inspected:
        """Compare scans of a job's cloth, from its head on, with what its ticket says.

        Raises InvalidScans for a ticket that says too little, DetectorRefused, and what `specify` raises.
        """
        source = source_of(raster, ticket.shop, ticket.manifest, released=ticket.released_at.date())
        files = [(each.path, each.name) for each in scans]
        return inspected(source, files, threshold=threshold, on_progress=on_progress, on_strip=on_strip)


def inspected(
    source: Source,
    files: Sequence[tuple[Path, str]],
    *,
    dpi: float | None = None,
    threshold: Threshold = USUAL,
    readings: Mapping[str, Lab] | None = None,
    synthetic: bool = False,
    on_progress: Progress = lambda what, done, of: None,
    on_strip: Callable[[Strip], None] = lambda strip: None,
) -> Inspected:
    """Inspect a length of cloth by files, (path, what people call it), from the head of the roll on.

    dpi: their resolution, where they don't say it. synthetic: they are simulated, also where they don't
    say so. A file that can't be read is an answer: it is not inspected, and why. Raises DetectorRefused.
    """
    return inspect(
        source, (read_scan(path, dpi=dpi, name=name) for path, name in files), network=weights.shipped(),
        threshold=threshold, readings=readings, synthetic=synthetic, many=len(files), on_progress=on_progress,
        on_strip=on_strip,
    )  # fmt: skip


def scores_of(source: Source, files: Sequence[tuple[Path, str]]) -> list[Scores]:
    """What the shipped network thinks of scans of clean cloth, laid on its source: for a threshold of its fabric.

    Raises InvalidScans for a scan that can't be inspected, and DetectorRefused.
    """
    network, found = weights.shipped(), []
    for path, name in files:
        try:
            found.append(seen_by(network, source, read_scan(path, name=name)))
        except NotInspectable as refused:
            raise InvalidScans(str(refused), fields={"field": "scan", "value": name}) from refused
    return found


def source_of(raster: Raster, shop: str, manifest: Mapping[str, Any], *, released: date) -> Source:
    """What a job's cloth should look like: printed, or as its lift plan weaves it. Raises as `spec_of` does.

    released: the day whose colour profiles it was made by.
    """
    spec = spec_of(shop, manifest, released=released)
    if spec.inks is not None:
        return of_print(raster, manifest, spec.inks)
    draft = assess(raster, spec=spec).draft
    if draft is None or spec.weaving is None:
        raise InvalidScans("This cloth can't be woven as the catalogue has it now: release the line once more.")
    return of_weave(draft, spec.weaving, manifest, spec)


def spec_of(shop: str, manifest: Mapping[str, Any], *, released: date) -> LineSpec:
    """What a job was made of and on. Raises InvalidScans for a ticket that says too little, and as `specify` does."""
    if "repeat" not in manifest or "article" not in manifest:
        raise InvalidScans("The ticket does not say what its cloth should be: release the line once more.")
    printed = manifest["kind"] == PRINT
    width_mm, height_mm = manifest["repeat"]["asked_mm"]
    return specify(
        shop,
        substrate=manifest["article"] if printed else None,
        weave=None if printed else manifest["article"],
        machine=manifest["machine"]["code"] or None,
        ink_set=manifest["inks"]["set"] if printed and manifest["inks"] else None,
        quantity_m=manifest["quantity_m"],
        repeat=Repeat(width_mm, height_mm, Layout(manifest["repeat"]["layout"])),
        on=released,
    )
