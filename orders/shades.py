"""Will it come out as last time? Another roll, another cloth or another profile than the earlier one was made with."""

from collections.abc import Sequence

from orders.domain.states import LineState
from orders.models import OrderLine
from production.domain.finding import Finding, Severity
from production.domain.spec import LineSpec
from production.models import JobTicket
from production.planning.materials import MaterialPlan

COMPARE = "Lay a piece of the earlier cloth beside it before the run, or have a strike-off made."


def findings(line: OrderLine, materials: Sequence[MaterialPlan], spec: LineSpec) -> list[Finding]:
    """Return what differs from the line that is repeated, or from the strike-off; none for any other line."""
    before = _before(line)
    if before is None:
        return []
    ticket = JobTicket.objects.filter(shop=line.order.shop.slug, reference=before.reference).order_by("-revision")
    manifest = ticket.values_list("manifest", flat=True).first() or {}
    cloth = before.substrate or before.weave
    if cloth != (line.substrate or line.weave):
        said = f"{before.reference} was made on {cloth}: the colours come out otherwise on {spec.name}."
        return [_finding("shade_cloth", Severity.WARNING, spec.sku, cloth, said, COMPARE)]
    return [*_roll(before, manifest, materials, spec), *_profile(before, manifest, spec)]


def _before(line: OrderLine) -> OrderLine | None:
    sample = line.samples.filter(state=LineState.DONE).order_by("-pk").first()
    return sample or line.repeat_of


def _roll(
    before: OrderLine, manifest: dict[str, object], materials: Sequence[MaterialPlan], spec: LineSpec
) -> list[Finding]:
    """From which roll the fabric comes, and came. Yarn is taken from more than one lot, and not compared."""
    lots = manifest.get("lots")
    then = sorted(lot["lot"] for lot in lots if lot["sku"] == spec.sku and lot["lot"]) if isinstance(lots, list) else []
    now = next((material.lot for material in materials if material.sku == spec.sku), None)
    if not then or spec.inks is None:
        return []
    rolls = ", ".join(then)
    if now is None:
        said = f"{before.reference} was made from roll {rolls}; which roll this is made from is not known yet."
        return [_finding("shade_roll", Severity.WARNING, "a delivery", rolls, f"{said} The shade may differ.", COMPARE)]
    if now in then:
        return [_finding("shade_roll", Severity.INFO, now, rolls, f"From roll {now}, as {before.reference} was.", "")]
    said = f"{before.reference} was made from roll {rolls}; this is made from roll {now}: the shade may differ."
    return [_finding("shade_roll", Severity.WARNING, now, rolls, said, COMPARE)]


def _profile(before: OrderLine, manifest: dict[str, object], spec: LineSpec) -> list[Finding]:
    profile = manifest.get("profile")
    if spec.inks is None or not isinstance(profile, dict):
        return []
    now = spec.inks.profile
    if profile["sha256"] == now.sha256:
        said = f"Printed with the profile {now.name}, as {before.reference} was."
        return [_finding("shade_profile", Severity.INFO, now.name, profile["name"], said, "")]
    said = f"{before.reference} was printed with the profile {profile['name']}; this is printed with {now.name}."
    return [_finding("shade_profile", Severity.WARNING, now.name, str(profile["name"]), said, COMPARE)]


def _finding(code: str, severity: Severity, measured: str, limit: str, sentence: str, remedy: str) -> Finding:
    return Finding(code, severity, "the whole cloth", measured, limit, remedy, sentence)
