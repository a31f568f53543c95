"""What the designers' decisions tell: how often and why, as preference data, and which features a studio goes by.

Nothing here draws anything. A preference orders what is shown to designers, and only where it told held-out decisions
apart (orders/domain/preferences.py); what a customer sees and what may be approved does not depend on it.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from django.db.models import QuerySet

from generation import latent, likeness, storage
from generation.domain.pattern import Palette
from generation.errors import ArtworkMissing
from generation.models import Artwork
from orders.deciding import Reason
from orders.domain.preferences import NotYet, Preference, learnt
from orders.models import Candidate, Decision, Round, Shop

MOST_LEARNT_FROM = 2000  # the newest decisions; older ones tell of another taste
FEATURES = ("cover", "colours", "fineness", "contrast", "colourfulness", "lightness", "motif size", "motif density")
_KIND = "features-1.json"  # counts the changes of what is measured
GROUPS = ("family", "palette", "generator")


@dataclass(frozen=True)
class Rate:
    """How often designs of one kind were accepted, in all and month by month."""

    name: str
    accepted: int
    decided: int
    months: tuple[tuple[str, int, int], ...]  # month as 2026-11, accepted, decided

    @property
    def share(self) -> float:
        """The share that was accepted."""
        return self.accepted / self.decided


@dataclass(frozen=True)
class Learnt:
    """What a shop's decisions come to."""

    accepted: int
    rejected: int
    pairs: int
    reasons: tuple[tuple[Reason, int], ...]  # of each that was ever given, the most frequent first
    months: tuple[str, ...]
    rates: tuple[Rate, ...]


@dataclass(frozen=True)
class _Row:
    """The newest decision about one design, as far as it is counted."""

    candidate: int
    round: int
    accepted: bool
    reasons: list[str]
    month: str
    family: str
    palette: str
    generator: str


def told(shop: Shop, *, by: str = "family", months: int = 6) -> Learnt:
    """Return how often designs were accepted, and why not; `by` is one of GROUPS."""
    rows = _counted(shop.pk, _newest(shop), shop.time_zone)
    kept = sorted({row.month for row in rows})[-months:]
    groups: dict[str, list[_Row]] = {}
    for row in rows:
        groups.setdefault(getattr(row, by), []).append(row)

    def rate(name: str, of: Sequence[_Row]) -> Rate:
        good, all_of = (Counter(row.month for row in of if row.accepted or every) for every in (False, True))
        cells = tuple((month, good[month], all_of[month]) for month in kept)
        return Rate(name, good.total(), all_of.total(), cells)

    given = Counter(code for row in rows for code in row.reasons if code in Reason.values)
    good, bad = (Counter(row.round for row in rows if row.accepted is verdict) for verdict in (True, False))
    return Learnt(
        accepted=good.total(),
        rejected=bad.total(),
        pairs=sum(count * bad[number] for number, count in good.items()),
        reasons=tuple((Reason(code), count) for code, count in given.most_common()),
        months=tuple(kept),
        rates=tuple(sorted((rate(*pair) for pair in groups.items()), key=lambda each: (-each.decided, each.name))),
    )


def exported(shop: Shop) -> Iterator[str]:
    """Tell all decisions, then the pairs of an accepted and a rejected design of one round, each as a line of JSON."""
    for decision in _all(shop).iterator(chunk_size=500):
        yield _line("decision", {**_design(decision.candidate), **_said(decision)})
    for chosen, turned_down in _pairs(_standing(shop)):
        brief = chosen.candidate.round
        yield _line(
            "pair",
            {
                "round": f"{brief.line.reference}/{brief.number}",
                "words": brief.words,
                "chosen": _artwork(chosen.candidate.artwork),
                "rejected": _artwork(turned_down.candidate.artwork),
                "reasons": turned_down.reasons,
                "in_words": turned_down.words,
                "for": chosen.reasons,
            },
        )


def preference(shop: Shop) -> Preference | NotYet:
    """Return what the shop's designers go by, as far as its decisions tell."""
    return _preference(shop.pk, _newest(shop))


def most_liked_first(shop: Shop, candidates: Sequence[Candidate]) -> list[tuple[Candidate, float | None]]:
    """Return the candidates with how likely each is to be accepted, the likeliest first; as drawn where that can't be
    told.
    """
    liked = preference(shop)
    if isinstance(liked, NotYet):
        return [(candidate, None) for candidate in candidates]
    told_of = [(candidate, _likelihood(liked, candidate)) for candidate in candidates]
    return sorted(told_of, key=lambda pair: (-(pair[1] if pair[1] is not None else 0.5), pair[0].position))


def features_of(candidate: Candidate) -> tuple[float, ...]:
    """Return what is measured of a candidate, in the order of FEATURES. Raises ArtworkMissing."""
    artwork, brief = candidate.artwork, candidate.round
    measured = json.loads(storage.derived(artwork.sha256, _KIND, lambda: json.dumps(_measured(artwork)).encode()))
    return (*measured, brief.scale, brief.density)


def _measured(artwork: Artwork) -> list[float]:
    """Cover, colours, fineness, contrast, colourfulness and lightness of the design at the size it is looked at."""
    small = latent.small(artwork)
    indices = small.indices
    lab = Palette(tuple(artwork.palette)).lab()
    area = np.bincount(indices.ravel(), minlength=len(lab)) / indices.size
    ground = int(area.argmax())
    edges = float((indices != np.roll(indices, 1, axis=1)).mean() + (indices != np.roll(indices, 1, axis=0)).mean())
    lightness = float(area @ lab[:, 0])
    contrast = float(np.sqrt(area @ ((lab - lab[ground]) ** 2).sum(axis=1)))
    chroma = float(area @ np.hypot(lab[:, 1], lab[:, 2]))
    cover = 1 - float(area[ground])
    return [round(value, 5) for value in (cover, float((area > 0).sum()), edges, contrast, chroma, lightness)]


def _newest(shop: Shop) -> tuple[int, datetime | None]:
    """The number of the newest decision, and when it was taken: the two name what is known so far."""
    of_shop = Decision.objects.filter(candidate__round__line__order__shop=shop)
    return of_shop.order_by("-pk").values_list("pk", "at").first() or (0, None)


@lru_cache(maxsize=64)
def _preference(shop_id: int, newest: tuple[int, datetime | None]) -> Preference | NotYet:
    """The decisions up to the newest stay what they are: what follows of them is worked out once by each process."""
    decisions = Decision.objects.filter(candidate__round__line__order__shop=shop_id, pk__lte=newest[0]).order_by("-pk")
    rows, seen = [], set()
    for decision in decisions.select_related("candidate__artwork", "candidate__round")[:MOST_LEARNT_FROM]:
        if decision.candidate_id in seen:
            continue
        seen.add(decision.candidate_id)
        try:
            rows.append((features_of(decision.candidate), decision.accepted, decision.candidate.round_id))
        except ArtworkMissing:
            continue  # a design whose file is gone teaches nothing
    return learnt(FEATURES, [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows])


def _likelihood(liked: Preference, candidate: Candidate) -> float | None:
    try:
        return liked.likelihood(features_of(candidate))
    except ArtworkMissing:
        return None


def _all(shop: Shop) -> QuerySet[Decision]:
    decisions = Decision.objects.filter(candidate__round__line__order__shop=shop).order_by("pk")
    return decisions.select_related("by", "candidate__artwork", "candidate__round__line")


def _standing(shop: Shop) -> Iterator[Decision]:
    """The newest decision about each candidate, in the order in which the candidates were drawn."""
    newest = {decision.candidate_id: decision for decision in _all(shop)}
    yield from (newest[number] for number in sorted(newest))


@lru_cache(maxsize=16)
def _counted(shop_id: int, newest: tuple[int, datetime | None], time_zone: str) -> list[_Row]:
    """The newest decision about each candidate, with no more read than is counted.

    The decisions up to the newest stay what they are: they are counted once by each process.
    """
    zone = ZoneInfo(time_zone)
    decisions = Decision.objects.filter(candidate__round__line__order__shop=shop_id, pk__lte=newest[0]).order_by("pk")
    rows: dict[int, _Row] = {}
    for number, of, accepted, reasons, at, origin, palette, generator in decisions.values_list(
        "candidate_id", "candidate__round_id", "accepted", "reasons", "at", "candidate__artwork__origin",
        "candidate__round__palette_name", "candidate__artwork__generator",
    ):  # fmt: skip
        month = f"{at.astimezone(zone):%Y-%m}"
        rows[number] = _Row(number, of, accepted, reasons, month, likeness.family_in(origin), palette, generator)
    return list(rows.values())


def _pairs(decisions: Iterator[Decision] | Sequence[Decision]) -> Iterator[tuple[Decision, Decision]]:
    """Each accepted design of a round with each rejected one of the same round."""
    rounds: dict[int, list[Decision]] = {}
    for decision in decisions:
        rounds.setdefault(decision.candidate.round_id, []).append(decision)
    for here in rounds.values():
        yield from ((one, other) for one in here if one.accepted for other in here if not other.accepted)


def _line(kind: str, said: dict[str, Any]) -> str:
    return json.dumps({"type": kind, **said}, ensure_ascii=False) + "\n"


def _said(decision: Decision) -> dict[str, Any]:
    return {
        "accepted": decision.accepted,
        "reasons": decision.reasons,
        "in_words": decision.words,
        "by": decision.by.get_username() if decision.by else "",
        "at": decision.at.isoformat(),
    }


def _design(candidate: Candidate) -> dict[str, Any]:
    brief: Round = candidate.round
    return {
        "round": f"{brief.line.reference}/{brief.number}",
        "position": candidate.position,
        "words": brief.words,
        "way": brief.way,
        "scale": brief.scale,
        "density": brief.density,
        "layout": brief.layout,
        "repeat_mm": [brief.repeat_width_mm, brief.repeat_height_mm],
        **_artwork(candidate.artwork),
    }


def _artwork(artwork: Artwork) -> dict[str, Any]:
    return {
        "sha256": artwork.sha256,
        "palette": artwork.palette,
        "roles": artwork.roles,
        "seed": artwork.seed,
        "origin": artwork.origin,
        "generator": artwork.generator,
        "fingerprint": artwork.fingerprint,
    }
