"""What the designers' decisions tell: how often and why, as preference data, and which features a studio goes by.

Nothing here draws anything. A preference orders what is shown to designers, and only where it told held-out decisions
apart (orders/domain/preferences.py); what a customer sees and what may be approved does not depend on it.
"""

import contextlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from django.db.models import Exists, OuterRef, QuerySet

from generation import latent, likeness, storage
from generation.domain.pattern import Palette
from generation.errors import ArtworkMissing
from generation.models import Artwork
from orders.deciding import Reason
from orders.domain.preferences import NotYet, Preference, learnt
from orders.models import Candidate, Decision, Order, Round, Shop

MOST_LEARNT_FROM = 2000  # the designs decided of last; older decisions tell of another taste
FEATURES = ("cover", "colours", "fineness", "contrast", "colourfulness", "lightness", "motif size", "motif density")
_KIND = "features-1.json"  # counts the changes of what is measured
_REASONS = frozenset(Reason.values)
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
    sha256: str
    scale: float
    density: float


@dataclass(frozen=True)
class _Known:
    """The decisions up to a newest one, and what follows of them."""

    newest: tuple[int, datetime | None]  # number, and when it was taken
    rows: Mapping[int, _Row]  # by design, in the order in which they were decided of last

    @cached_property
    def preference(self) -> Preference | NotYet:
        """What is gone by, as far as these decisions tell."""
        rows = list(self.rows.values())[-MOST_LEARNT_FROM:]
        measured = _measured_of({row.sha256 for row in rows})
        rows = [row for row in rows if row.sha256 in measured]
        features = [(*measured[row.sha256], row.scale, row.density) for row in rows]
        return learnt(FEATURES, features, [row.accepted for row in rows], [row.round for row in rows])


_known: dict[tuple[int, str], _Known] = {}
_measured_before: dict[str, tuple[float, ...]] = {}


def told(shop: Shop, *, by: str = "family", months: int = 6) -> Learnt:
    """Return how often designs were accepted, and why not; `by` is one of GROUPS."""
    rows = _decided(shop).rows.values()
    counted = Counter((getattr(row, by), row.month, row.accepted) for row in rows)
    kept = sorted({month for _, month, _ in counted})[-months:]
    totals: dict[str, Counter[bool]] = defaultdict(Counter)
    for (name, _, accepted), count in counted.items():
        totals[name][accepted] += count

    def rate(name: str) -> Rate:
        cells = [(month, counted[name, month, True], counted[name, month, False]) for month in kept]
        decided = tuple((month, good, good + bad) for month, good, bad in cells)
        return Rate(name, totals[name][True], totals[name].total(), decided)

    given = Counter(code for row in rows for code in row.reasons if code in _REASONS)
    in_round = Counter((row.round, row.accepted) for row in rows)
    good = {number: count for (number, accepted), count in in_round.items() if accepted}
    return Learnt(
        accepted=sum(good.values()),
        rejected=len(rows) - sum(good.values()),
        pairs=sum(count * in_round[number, False] for number, count in good.items()),
        reasons=tuple((Reason(code), count) for code, count in given.most_common()),
        months=tuple(kept),
        rates=tuple(sorted(map(rate, totals), key=lambda each: (-each.decided, each.name))),
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
    return _decided(shop).preference


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
    return (*_kept_measures(candidate.artwork), candidate.round.scale, candidate.round.density)


def _kept_measures(artwork: Artwork) -> tuple[float, ...]:
    return tuple(json.loads(storage.derived(artwork.sha256, _KIND, lambda: json.dumps(_measured(artwork)).encode())))


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


def _decided(shop: Shop) -> _Known:
    """What is decided so far.

    Decisions are only appended, and whoever appends one holds the shop's row: each process keeps what it has read of
    them, and reads on from there.
    """
    key = (shop.pk, shop.time_zone)
    here = Order.objects.filter(pk=OuterRef("candidate__round__line__order"), shop=shop)  # as in models.Lines.of
    decisions = Decision.objects.filter(Exists(here))
    newest = decisions.order_by("-pk").values_list("pk", "at").first() or (0, None)
    kept = _known.get(key)
    if kept is not None and kept.newest == newest:
        return kept
    if kept is None or kept.newest not in decisions.filter(pk=kept.newest[0]).values_list("pk", "at"):
        kept = _Known((0, None), {})  # nothing was read, or of another database
    rows, zone = dict(kept.rows), ZoneInfo(shop.time_zone)
    newer = decisions.filter(pk__gt=kept.newest[0], pk__lte=newest[0]).order_by("pk")
    for number, of, accepted, reasons, at, origin, palette, generator, sha256, scale, density in newer.values_list(
        "candidate_id", "candidate__round_id", "accepted", "reasons", "at", "candidate__artwork__origin",
        "candidate__round__palette_name", "candidate__artwork__generator", "candidate__artwork__sha256",
        "candidate__round__scale", "candidate__round__density",
    ):  # fmt: skip
        month = f"{at.astimezone(zone):%Y-%m}"
        family = likeness.family_in(origin)
        rows.pop(number, None)
        rows[number] = _Row(
            number, of, accepted, reasons, month, family, palette, generator, sha256, scale, density
        )  # fmt: skip
    found = _known[key] = _Known(newest, rows)
    return found


def _measured_of(designs: Set[str]) -> Mapping[str, tuple[float, ...]]:
    """What is measured of designs, by their digest; one whose file is gone is left out, and teaches nothing.

    It does not change: each process reads it once.
    """
    for artwork in Artwork.objects.filter(sha256__in=designs - _measured_before.keys()):
        with contextlib.suppress(ArtworkMissing):
            _measured_before[artwork.sha256] = _kept_measures(artwork)
    return _measured_before


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
