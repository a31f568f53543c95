"""The chain of what was done by whom: append-only, each event sealed with the digest of the one before."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import F
from django.utils import timezone

from orders.models import AuditEvent, Order, OrderLine, Shop

GENESIS = "0" * 64


def record(
    shop: Shop,
    action: str,
    *,
    actor: User | AnonymousUser | str | None,
    order: Order | None = None,
    line: OrderLine | None = None,
    from_state: str = "",
    to_state: str = "",
    details: dict[str, Any] | None = None,
) -> AuditEvent:
    """Append one event to the shop's chain, inside the caller's transaction; an actor that is no user is a name.

    Counting the shop's sequence up takes its row lock until the transaction ends, so that the chain never forks.
    """
    Shop.objects.filter(pk=shop.pk).update(audit_sequence=F("audit_sequence") + 1)
    sequence = Shop.objects.values_list("audit_sequence", flat=True).get(pk=shop.pk)
    before = AuditEvent.objects.filter(shop=shop, sequence=sequence - 1).values_list("digest", flat=True).first()
    event = AuditEvent(
        shop=shop,
        sequence=sequence,
        at=timezone.now(),
        actor=_name(actor),
        action=action,
        order=order or (line.order if line else None),
        line=line,
        from_state=from_state,
        to_state=to_state,
        details=details or {},
        previous=before or GENESIS,
    )
    event.digest = digest(event)
    event.save(force_insert=True)
    return event


def lock(shop: Shop) -> None:
    """Be alone with a shop until the transaction ends: what is read after this, nobody else changes meanwhile."""
    Shop.objects.filter(pk=shop.pk).update(audit_sequence=F("audit_sequence"))


def _name(actor: User | AnonymousUser | str | None) -> str:
    if isinstance(actor, str):
        return actor
    return actor.get_username() if actor is not None and actor.is_authenticated else ""


def digest(event: AuditEvent) -> str:
    """Return the sha256 (hex) that seals an event together with the digest of the one before it."""
    content = [
        event.previous,
        event.shop_id,
        event.sequence,
        event.at.isoformat(),
        event.actor,
        event.action,
        event.order_id,
        event.line_id,
        event.from_state,
        event.to_state,
        event.details,
    ]
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


@dataclass(frozen=True)
class Broken:
    """Where a chain does not hold, and how."""

    sequence: int
    how: str


def first_broken(shop: Shop) -> Broken | None:
    """Walk the shop's chain and return where an event was first changed, removed or slipped in; None if it holds.

    The shop's own count tells when the newest events are gone. It is read first: events may be added meanwhile.
    """
    count = Shop.objects.values_list("audit_sequence", flat=True).get(pk=shop.pk)
    previous, last = GENESIS, 0
    for event in AuditEvent.objects.filter(shop=shop).order_by("sequence").iterator():
        if event.sequence != last + 1:
            return Broken(last + 1, "removed")
        if event.previous != previous or event.digest != digest(event):
            return Broken(event.sequence, f"changed or slipped in ({event.action})")
        previous, last = event.digest, event.sequence
    return Broken(last + 1, "removed") if last < count else None
