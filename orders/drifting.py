"""Drift, as people see to it: the shop's series, and corrections that one of them accepts or declines."""

from typing import Any, Final

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from orders import audit
from orders.errors import CorrectionOver
from orders.models import Shop
from production import drifting
from production.domain.grading import Quality, Rule
from production.drifting import Key, Proposed, Series
from production.models import Correction

# What most customers take: a colour near to it is near to being refused.
USUAL: Final = Rule.of(Quality.MID)


def all_series(shop: Shop) -> list[Series]:
    """Return the drift of every machine, ink set and article of a shop; what has a correction to decide on first."""
    found = [drifting.series_of(shop.slug, key, most_de00=USUAL.most_de00) for key in drifting.keys(shop.slug)]
    return sorted(found, key=lambda each: (not each.proposals, each.key))


def accept(shop: Shop, key: Key, kind: str, *, seen: dict[str, Any], by: User) -> Correction:
    """Accept the correction of that kind that is proposed for a series, as it was shown (`seen`: its `after`).

    Raises CorrectionOver where something else is proposed by now, or nothing.
    """
    with transaction.atomic():
        proposed = _proposed(shop, key, kind, seen)
        done = drifting.accept(shop.slug, key, proposed, by=by.get_username(), at=timezone.now())
        if done is None:
            raise CorrectionOver(fields={"kind": kind})
        audit.record(shop, "correction", actor=by, details=_details(done))
    return done


def decline(shop: Shop, key: Key, kind: str, *, seen: dict[str, Any], why: str, by: User) -> Correction:
    """Decline it, with why: it is proposed again only where as many cloths more say the same.

    Raises CorrectionOver where something else is proposed by now, or nothing.
    """
    with transaction.atomic():
        proposed = _proposed(shop, key, kind, seen)
        done = drifting.decline(shop.slug, key, proposed, why=why.strip(), by=by.get_username(), at=timezone.now())
        audit.record(shop, "correction declined", actor=by, details=_details(done) | {"why": done.why})
    return done


def _proposed(shop: Shop, key: Key, kind: str, seen: dict[str, Any]) -> Proposed:
    """Return what is proposed as it was seen, alone with it until the transaction ends. Raises CorrectionOver."""
    # Whoever holds the shop's row is alone with it: the second finds the first one's correction.
    audit.lock(shop)
    series = drifting.series_of(shop.slug, key, most_de00=USUAL.most_de00)
    proposed = next((each for each in series.proposals if each.kind == kind), None)
    if proposed is None or proposed.after != seen:
        raise CorrectionOver(fields={"kind": kind, "now": proposed.after if proposed else None})
    return proposed


def _details(done: Correction) -> dict[str, Any]:
    names = ("kind", "machine", "ink_set", "article", "before", "after", "readings")
    return {name: getattr(done, name) for name in names} | {"correction": done.pk}
