"""How machines drift by what inspection finds, and what a person says to the answer: another pre-compensation of the
size, a profile to be measured anew, or a tighter limit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from production.domain.drift import LEAST_READINGS, NEAR_LIMIT, Reading, Trend, shrink_for, sizes_off, trend
from production.models import Correction, DriftReading, IccProfile, Substrate, WeaveSpec

# Of one reading, by scanner and registration alone; see the figures of inspection in the README.
LEAST_SPREAD: Final[Mapping[str, float]] = {"de00": 0.2, "dl": 0.2, "da": 0.2, "db": 0.2, "across": 0.05, "along": 0.05}
COLOUR_AXES: Final = ("dl", "da", "db")
MOST_READINGS: Final = 200  # newest of a series
TIGHTER: Final = 0.8  # of what the customer takes
# Of a reading and its inspection: all else that was measured is a hundred times as large.
_POINT: Final = (
    *(field.name for field in DriftReading._meta.concrete_fields),
    *(f"inspection__{name}" for name in ("reference", "number", "synthetic")),
)


@dataclass(frozen=True, order=True)
class Key:
    """Whose readings they are."""

    machine: str
    ink_set: str
    article: str


@dataclass(frozen=True)
class Proposed:
    """A correction that a person may accept: what would be changed, from what and to what."""

    kind: str
    sentence: str
    readings: int
    before: dict[str, Any]
    after: dict[str, Any]


@dataclass(frozen=True)
class Series:
    """The readings of one machine with one ink set on one article, as charts show them, and what is proposed."""

    key: Key
    readings: tuple[DriftReading, ...]  # all that are shown
    trends: Mapping[str, Trend]  # of what was made since the last correction; by LEAST_SPREAD's names
    proposals: tuple[Proposed, ...]
    accepted: tuple[Correction, ...]  # the newest first
    declined: tuple[Correction, ...]  # likewise
    synthetic: bool  # some of it is of simulated scans


def keys(shop: str) -> list[Key]:
    """Every series that a shop has readings of."""
    found = DriftReading.objects.filter(shop=shop).order_by().values_list("machine", "ink_set", "article").distinct()
    return sorted(Key(*each) for each in found)


def series_of(shop: str, key: Key, *, most_de00: float) -> Series:
    """One series. most_de00: what customers take of a colour."""
    rows = DriftReading.objects.filter(shop=shop, **vars(key)).order_by("-at", "-pk").select_related("inspection")
    newest = tuple(rows.only(*_POINT)[:MOST_READINGS])[::-1]
    said = tuple(Correction.objects.filter(shop=shop, **vars(key)).order_by("-pk"))
    accepted, declined = ([each for each in said if each.accepted is yes] for yes in (True, False))
    trends = {name: _trend(newest, name, accepted) for name in LEAST_SPREAD}
    return Series(
        key=key,
        readings=newest,
        trends=trends,
        proposals=tuple(
            each for each in _proposals(shop, key, trends, accepted, most_de00) if _asks(each, newest, declined)
        ),
        accepted=tuple(accepted),
        declined=tuple(declined),
        synthetic=any(each.inspection.synthetic for each in newest),
    )


def _asks(proposed: Proposed, readings: Sequence[DriftReading], declined: Sequence[Correction]) -> bool:
    """False for what a person declined, until as many cloths more say the same as it takes to say that it drifts."""
    no = next((each for each in declined if each.kind == proposed.kind), None)
    return no is None or sum(each.at > no.decided_at for each in readings) >= LEAST_READINGS


def _trend(readings: Sequence[DriftReading], name: str, accepted: Sequence[Correction]) -> Trend:
    """What was made before the last correction of its kind says nothing of now."""
    size = name in {"across", "along"}
    kind = Correction.Kind.SIZE if size else Correction.Kind.PROFILE
    since = next((each.decided_at for each in accepted if each.kind == kind), None)
    field = f"{name}_pct" if size else name
    values = [
        Reading(each.at, getattr(each, field))
        for each in readings
        if getattr(each, field) is not None and (since is None or each.released_at > since)
    ]
    # A colour difference is never below 0: what it should be is what it was at its best.
    target = min((each.value for each in values[:10]), default=0.0) if name == "de00" else 0.0
    return trend(values, target=target, least_spread=LEAST_SPREAD[name])


def _proposals(
    shop: str, key: Key, trends: Mapping[str, Trend], accepted: Sequence[Correction], most_de00: float
) -> list[Proposed]:
    found = []
    across, along = sizes_off(trends["across"], trends["along"])
    cloth = cloth_of(shop, key.article)
    if cloth is not None and (across or along):
        before = {"shrink_weft_pct": cloth.shrink_weft_pct, "shrink_warp_pct": cloth.shrink_warp_pct}
        after = {
            "shrink_weft_pct": shrink_for(cloth.shrink_weft_pct, off_pct=across),
            "shrink_warp_pct": shrink_for(cloth.shrink_warp_pct, off_pct=along),
        }
        found.append(Proposed(Correction.Kind.SIZE, _size_sentence(key, across, along, before, after),
                              _count(trends, "across"), before, after))  # fmt: skip
    off = {axis: round(trends[axis].mean, 2) for axis in COLOUR_AXES if trends[axis].drifts}
    if off:
        said = ", ".join(f"{axis[1].upper() if axis == 'dl' else axis[1]}* {value:+.1f}" for axis, value in off.items())
        profiles = IccProfile.objects.filter(shop=shop, ink_set__code=key.ink_set).order_by("-valid_from", "code")
        names = [each.code for each in profiles]
        sentence = (
            f"Colours of {key.article} on {key.machine} have moved ({said}): measure the profile of {key.ink_set} anew."
        )
        found.append(Proposed(Correction.Kind.PROFILE, sentence, _count(trends, "dl"),
                              {"profiles": names}, {"measure_anew": names, "off": off}))  # fmt: skip
    colour = trends["de00"]
    tight = next((each for each in accepted if each.kind == Correction.Kind.LIMIT), None)
    cleared = next((each for each in accepted if each.kind == Correction.Kind.PROFILE), None)
    stands = tight is not None and (cleared is None or cleared.decided_at < tight.decided_at)
    if colour.drifts and colour.mean >= NEAR_LIMIT * most_de00 and not stands:
        sentence = (
            f"Colours of {key.article} on {key.machine} are off by ΔE2000 {colour.mean:.1f} by now, near what is taken "
            f"({most_de00:g}): until the profile is measured anew, take {TIGHTER * most_de00:g} at most."
        )
        found.append(Proposed(Correction.Kind.LIMIT, sentence, _count(trends, "de00"),
                              {"share_of_limit": 1.0}, {"share_of_limit": TIGHTER}))  # fmt: skip
    return found


def _count(trends: Mapping[str, Trend], name: str) -> int:
    return len(trends[name].points)


def _size_sentence(
    key: Key, across: float, along: float, before: Mapping[str, float], after: Mapping[str, float]
) -> str:
    off = [
        f"{abs(value):.2f} % too {large if value > 0 else small}"
        for value, large, small in ((across, "wide", "narrow"), (along, "long", "short"))
        if value
    ]
    changes = [
        f"{name} from {before[field]:g} to {after[field]:g} %"
        for field, name in (("shrink_weft_pct", "in width"), ("shrink_warp_pct", "in length"))
        if before[field] != after[field]
    ]
    return f"{key.article} from {key.machine} comes out {' and '.join(off)}: set its shrinkage {', '.join(changes)}."


def cloth_of(shop: str, article: str) -> Substrate | WeaveSpec | None:
    """The catalogue's row of an article."""
    for table in (Substrate, WeaveSpec):
        row = table.objects.filter(shop=shop, code=article).first()
        if row is not None:
            return row  # type: ignore[return-value]
    return None


def accept(shop: str, key: Key, proposed: Proposed, *, by: str, at: datetime) -> Correction | None:
    """Write a correction down and change what it changes; None where that is not as it was proposed on any more."""
    if proposed.kind == Correction.Kind.SIZE:
        cloth = cloth_of(shop, key.article)
        if cloth is None:
            return None
        # Compare-and-set: of two that accept at once, or against a hand in the catalogue, one finds it changed.
        there = type(cloth).objects.filter(pk=cloth.pk, **proposed.before)  # type: ignore[attr-defined]
        if there.update(**proposed.after) != 1:
            return None
    return Correction.objects.create(
        shop=shop, kind=proposed.kind, **vars(key), sentence=proposed.sentence[:500], readings=proposed.readings,
        before=proposed.before, after=proposed.after, decided_by=by, decided_at=at,
    )  # fmt: skip


def decline(shop: str, key: Key, proposed: Proposed, *, why: str, by: str, at: datetime) -> Correction:
    """Write down that a correction was not wanted; nothing changes."""
    return Correction.objects.create(
        shop=shop, kind=proposed.kind, **vars(key), sentence=proposed.sentence[:500], readings=proposed.readings,
        before=proposed.before, after=proposed.after, accepted=False, why=why[:300], decided_by=by, decided_at=at,
    )  # fmt: skip


def share_of_limit(shop: str, key: Key) -> float:
    """How much of what a customer takes of a colour is taken of this series: less while a tighter limit stands."""
    newest = Correction.objects.filter(
        shop=shop, **vars(key), accepted=True, kind__in=[Correction.Kind.LIMIT, Correction.Kind.PROFILE]
    ).first()
    tight = newest is not None and newest.kind == Correction.Kind.LIMIT
    return float(newest.after["share_of_limit"]) if newest is not None and tight else 1.0
