"""A quote keeps fabric, inks and machine time for a customer until it expires; an inquiry keeps nothing."""

from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from inventory_sync import services as inventory
from orders import audit, deciding, names, planning, work
from orders.domain.states import LineEvent, LineState
from orders.errors import CandidateNotPassed, IllegalTransition, NotNewest, StaleState
from orders.models import Candidate, OrderLine

LATEST_TRY = 999  # a step has fewer tries: what a later step of the line holds has a higher fence, and may replace it


def quote(candidate: Candidate, *, by: User | None, hours: int | None = None) -> OrderLine:
    """Hold what a candidate needs for so many hours, or as long as the shop usually does.

    One line holds one quote: another candidate's takes its place, and an approval takes over what is held. Raises
    CandidateNotPassed, DesignRejected, NotNewest, IllegalTransition once it is approved, NotYetInStock, NotEnoughStock,
    NoSlot, SlotTaken, StaleState.
    """
    line = candidate.round.line
    if line.state != LineState.PROOFING:
        raise IllegalTransition(LineState(line.state), LineEvent.APPROVE)
    if candidate.round_id != line.newest_round.pk:
        raise NotNewest(fields={"candidate": candidate.pk, "round": line.newest_round.number})
    if not candidate.passed:
        raise CandidateNotPassed(fields={"field": "candidate", "findings": candidate.findings})
    deciding.refuse_if_rejected(candidate)
    expires = timezone.now() + timedelta(hours=hours or line.order.shop.hold_hours)
    newest = line.steps.order_by("-pk").values_list("pk", flat=True).first() or 0
    held = work.hold(line, candidate, fence=newest * 1000 + LATEST_TRY, expires=expires)
    kept = {**held.plan, "candidate": candidate.pk, "expires": expires.isoformat()}
    with transaction.atomic():
        _keep(line, kept)
        planning.displace(line.order.shop, held.displaced, because=line.reference)
        details = {"candidate": candidate.pk, "expires": kept["expires"], "promise": kept["promise"]}
        audit.record(line.order.shop, "quote", actor=by, line=line, details=details)
    line.refresh_from_db()
    return line


def give_back(line: OrderLine, *, by: User | None) -> OrderLine:
    """Free what a quote holds before it expires; a line without one stays as it is. Raises StaleState."""
    if line.quote is not None and line.state == LineState.PROOFING:
        inventory.release_hold(names.erp_of(line.order.shop), names.hold_name(line))
        with transaction.atomic():
            _keep(line, None)
            audit.record(line.order.shop, "quote given back", actor=by, line=line)
        line.refresh_from_db()
    return line


def _keep(line: OrderLine, quote: dict[str, object] | None) -> None:
    """Write a line's quote if nobody moved the line on meanwhile; what is held for it then expires by itself."""
    seen = OrderLine.objects.filter(pk=line.pk, state=line.state, version=line.version)
    if seen.update(quote=quote, version=F("version") + 1) != 1:
        raise StaleState(fields={"line": line.reference, "seen": line.state, "version": line.version})
