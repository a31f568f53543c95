"""Two designs of a line beside each other: what the second costs more, when it is ready, what was asked otherwise."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _

from orders.domain.exploring import Way
from orders.models import Candidate, Round

# What a round asks for, in the order in which people look at it.
ASKED: Mapping[str, Any] = {
    "words": _("Words"),
    "way": _("Drawn"),
    "strength": _("Strength"),
    "share": _("Share of the second"),
    "scale": _("Size of the motifs"),
    "density": _("Density"),
    "layout": _("Layout"),
    "repeat": _("Repeat"),
    "palette": _("Palette"),
    "generator": _("Drawn by"),
}
_OVER_ANOTHER = frozenset({Way.MORE_LIKE_THIS, Way.REWORD, Way.INTERPOLATE, Way.REDRAW})


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One thing that was asked for, of one design and of the other."""

    what: str
    first: str
    second: str

    @property
    def same(self) -> bool:
        """True where both were asked for alike."""
        return self.first == self.second


@dataclass(frozen=True, kw_only=True)
class Difference:
    """The second design against the first; None where one of the two has no price or no promise."""

    price: Decimal | None
    currency: str
    days: int | None
    asked: tuple[Asked, ...]
    gone: tuple[str, ...]  # findings of the first that the second has not, as sentences
    new: tuple[str, ...]

    @property
    def days_earlier(self) -> int:
        """By how many days the second is ready earlier."""
        return max(0, -(self.days or 0))


def difference(first: Candidate, second: Candidate) -> Difference:
    """Return how the second of two designs of a shop differs from the first; days count as the shop's calendar does."""
    price = second.price - first.price if first.price is not None and second.price is not None else None
    before, after = (dict(asked_of(each.round)) for each in (first, second))
    found, now = _complaints(first), _complaints(second)
    return Difference(
        price=price,
        currency=second.currency or first.currency,
        days=_days(first, second),
        asked=tuple(
            Asked(what=str(name), first=before.get(key, "–"), second=after.get(key, "–"))
            for key, name in ASKED.items()
            if key in before or key in after
        ),
        gone=tuple(sentence for code, sentence in found.items() if code not in now),
        new=tuple(sentence for code, sentence in now.items() if code not in found),
    )


def asked_of(brief: Round) -> dict[str, str]:
    """Return what a round asked for, in words, by the keys of ASKED; what says nothing in it is left out."""
    asked = {
        "words": brief.words,
        "way": brief.way_in_words,
        "scale": f"{brief.scale:.0%}",
        "density": f"{brief.density:.0%}",
        "layout": brief.layout.replace("_", " "),
        "repeat": f"{brief.repeat_width_mm:g} × {brief.repeat_height_mm:g} mm",
        "palette": brief.palette_name or ", ".join(brief.palette or ()),
        "generator": brief.generator,
    }
    if brief.way in _OVER_ANOTHER:
        asked["strength"] = f"{brief.strength:.0%}"
    if brief.way == Way.INTERPOLATE:
        asked["share"] = f"{brief.share:.0%}"
    return {key: value for key, value in asked.items() if value}


def comes_from(candidate: Candidate) -> Candidate | None:
    """Return the design of the same line that a design was made of; None: it was drawn from the words."""
    source = candidate.round.same_as or candidate.round.parent
    return source if source is not None and source.round.line_id == candidate.round.line_id else None


def _days(first: Candidate, second: Candidate) -> int | None:
    if first.promise is None or second.promise is None:
        return None
    zone = ZoneInfo(first.round.line.order.shop.time_zone)
    before, after = (each.promise.astimezone(zone).date() for each in (first, second) if each.promise)
    return (after - before).days


def _complaints(candidate: Candidate) -> dict[str, str]:
    """Sentences by code of what was found and is not as it should be."""
    return {each["code"]: each["sentence"] for each in candidate.findings if each["severity"] != "info"}
