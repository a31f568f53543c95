"""What the customer's page, and the parts about it on the line's page, ask for in their templates."""

import uuid
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import template
from django.http import QueryDict
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from generation.domain.palette import NAMED_PALETTES
from orders import linking, turning
from orders.api import views as api
from orders.domain.states import LineState
from orders.models import Candidate, Membership, OrderLine, Pin

register = template.Library()

PREPARED = frozenset({LineState.PLANNING, LineState.RELEASING, LineState.SYNCING, LineState.BLOCKED})
NOW = {
    **dict.fromkeys(PREPARED, 1),
    LineState.RELEASED: 2,
    LineState.IN_PRODUCTION: 3,
    LineState.INSPECTING: 4,
    LineState.DONE: 6,
}


@register.filter
def tenth(number: float) -> str:
    """A number to one place, without a needless zero.

    >>> tenth(4.6), tenth(5.0)
    ('4.6', '5')
    """
    return str(number_format(Decimal(f"{number:.1f}").normalize() if number % 1 else int(number), use_l10n=True))


@register.filter
def whole(number: Any) -> int:
    """A number of pieces."""
    return int(Decimal(str(number)))


@register.filter
def middle(bounds: tuple[float, float]) -> float:
    """Half way between two bounds."""
    return round((bounds[0] + bounds[1]) / 2, 4)


@register.filter
def fingerprint(digest: str) -> str:
    """A digest as people compare it: its first twelve figures, in fours.

    >>> fingerprint("0123456789abcdef")
    '0123 4567 89ab'
    """
    return " ".join(digest[at : at + 4] for at in (0, 4, 8))


@register.filter
def way_of(line: OrderLine) -> list[tuple[str, str]]:
    """The way of an approved line to its customer, as (what, done, now or next)."""
    steps = [
        _("Approved"), _("Files and materials are made ready"), _("Waits for its machine"), _("Is being made"),
        _("Is looked over"), _("Ready"),
    ]  # fmt: skip
    at = NOW.get(LineState(line.state), 1)
    return [(said, "done" if n < at else "now" if n == at else "next") for n, said in enumerate(steps)]


@register.filter
def ready_by(line: OrderLine) -> datetime | None:
    """When an approved line is planned to be ready; None before there is a plan."""
    return datetime.fromisoformat(line.plan["promise"]) if line.plan and line.plan.get("promise") else None


@register.simple_tag
def links_panel(line: OrderLine, membership: Membership, typed: QueryDict | str = "") -> dict[str, Any]:
    """A line's links with how each stands, and what a new one would allow; `typed`: what was refused."""
    limits: Any = linking.usual_limits(line)
    if isinstance(typed, QueryDict) and typed:
        bounds = {knob: [typed.get(f"{knob}_{end}", "") for end in ("least", "most")] for knob in turning.WIDEST}
        limits = {knob: both if f"{knob}_on" in typed else None for knob, both in bounds.items()}
        limits |= {"palettes": typed.getlist("palettes"), "space": typed.get("space", ""), "colours": ()}
    ticked = limits["palettes"] if isinstance(limits, dict) else limits.palettes
    return {
        "hides_price": isinstance(typed, QueryDict) and bool(typed) and "shows_price" not in typed,
        "links": [{"link": each, "state": linking.state_of(each)} for each in linking.links_of(line)],
        "may": membership.role in api.SELL,
        "possible": line.state in linking.SHOWN,
        "limits": limits,
        "widest": turning.WIDEST,
        "palettes": [(name, colours[:6], name in ticked) for name, colours in sorted(NAMED_PALETTES.items())],
        "spaces": turning.spaces(line.order.shop),
        "days": line.order.shop.quotation_days,
        "once": uuid.uuid4(),
    }


@register.simple_tag
def pins_panel(line: OrderLine, membership: Membership, design: Candidate | str = "") -> dict[str, Any]:
    """The comments on a line's designs, or on one of them, each with its number on its design."""
    pins = Pin.objects.filter(candidate__round__line=line).select_related("candidate__round")
    if isinstance(design, Candidate):
        pins = pins.filter(candidate=design)
    seen: dict[int, int] = {}
    numbered = []
    for pin in pins.order_by("pk"):
        seen[pin.candidate_id] = seen.get(pin.candidate_id, 0) + 1
        numbered.append({"pin": pin, "number": seen[pin.candidate_id]})
    return {"pins": numbered, "may": membership.role in api.DESIGN}


@register.simple_tag
def wishes_panel(line: OrderLine, membership: Membership) -> dict[str, Any]:
    """What the customer asked for in words; what nobody has dealt with yet comes with the words to draw it by."""
    drawable = line.state in {LineState.PROOFING, LineState.BLOCKED}
    return {
        "wishes": [
            {"wish": each, "brief": linking.brief_with(each) if drawable and not each.settled_at else ""}
            for each in line.wishes.all()
        ],
        "may": membership.role in api.SELL,
        "may_draw": membership.role in api.DESIGN and drawable,
    }
