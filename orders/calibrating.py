"""How closely a fabric quality is looked at: a threshold set on clean cloth of it, to a budget of false alarms.

Clean is what people said so of: cloth that passed, on which no defect was left once somebody had looked. Whoever sets
it brings the network with it; the web server does not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from django.utils import timezone

from generation.domain.pattern import Raster
from orders import looking, work
from orders.models import OrderLine, Shop
from production import inspections, inspector
from production.domain.grading import Decision
from production.errors import InvalidScans
from production.inspection.capture import says_synthetic
from production.models import DefectThreshold, Inspection, JobTicket

MOST_CLOTHS: Final = 40  # the newest ones
MOST_BUDGET: Final = 100.0  # false alarms per m²


@dataclass(frozen=True)
class Cloth:
    """Clean cloth: scans, and what they should show."""

    name: str  # as people call it
    article: str
    shop: str
    manifest: Any
    released: date
    raster: Raster
    files: tuple[tuple[Path, str], ...]


def clean_inspections(shop: Shop, article: str) -> list[Inspection]:
    """Return the inspections of a fabric quality whose cloth was clean, the newest first."""
    passed = Inspection.objects.filter(
        shop=shop.slug, article=article, state=Inspection.State.DECIDED, decision=Decision.PASS
    ).order_by("-decided_at", "-pk")
    found = ((each, inspections.upheld(each)) for each in passed)
    return [each for each, seen in found if seen is not None and seen.trusted and not seen.defects][:MOST_CLOTHS]


def cloth_of(inspection: Inspection) -> Cloth:
    """Return the cloth of an inspection. Raises InvalidScans where its scans or its ticket are not there any more."""
    name = f"{inspection.reference}/{inspection.number}"
    ticket = JobTicket.objects.filter(
        shop=inspection.shop, reference=inspection.reference, revision=inspection.revision
    ).first()
    line = OrderLine.objects.filter(order__shop__slug=inspection.shop, reference=inspection.reference).first()
    files = tuple((Path(each["path"]), each["name"]) for each in inspection.scans)
    if ticket is None or line is None or not files or not all(path.is_file() for path, _ in files):
        raise InvalidScans(f"The scans of {name} are not there any more: leave it out.", fields={"field": "inspection"})
    raster = looking.raster_of(work.newest_approval(line), ticket)
    return Cloth(name, inspection.article, ticket.shop, ticket.manifest, ticket.released_at.date(), raster, files)


def set_threshold(
    shop: Shop, article: str, cloths: Sequence[Cloth], *, false_alarms_per_m2: float, by: str
) -> DefectThreshold:
    """Look at clean cloth and set from which score on a place of its fabric quality is a defect.

    Raises InvalidScans for a budget that is none, for cloth of another fabric, for too little of it and for a scan that
    can't be inspected.
    """
    if not 0 < false_alarms_per_m2 <= MOST_BUDGET:
        raise InvalidScans(
            f"{false_alarms_per_m2:g} false alarms per m² are no budget: give more than 0 and at most {MOST_BUDGET:g}.",
            fields={"field": "false_alarms", "measured": false_alarms_per_m2, "limit": MOST_BUDGET},
        )
    if not cloths:
        raise InvalidScans(
            f"No cloth of {article} is known to be clean: inspect some, let a person say of each defect that it is "
            "none, and let it pass. Or give scans of clean cloth.",
            fields={"field": "inspection"},
        )
    for each in cloths:
        if each.article != article:
            raise InvalidScans(f"{each.name} is of {each.article}, not of {article}.", fields={"field": "article"})
    looks = inspector.ShippedInspector()
    clean = []
    for each in cloths:
        source = inspector.source_of(each.raster, each.shop, each.manifest, released=each.released)
        clean += inspector.scores_of(source, each.files)
    return inspections.set_threshold(
        shop.slug, article, clean, false_alarms_per_m2=false_alarms_per_m2, fingerprint=looks.fingerprint,
        numbers=[each.name for each in cloths],
        synthetic=any(says_synthetic(path) for each in cloths for path, _ in each.files),
        by=by, at=timezone.now(),
    )  # fmt: skip
