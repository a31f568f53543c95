"""Another quantity, cloth or date for a design that was approved: what it would cost and when it would be ready.

Nothing here changes anything; orders/services.py does, once somebody has seen this and agreed.
"""

import copy
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from generation import services as generation
from generation.domain.pattern import Repeat
from inventory_sync import words
from orders import exclusivity, names, work
from orders.domain.states import CHANGEABLE, LineEvent, LineState
from orders.errors import IllegalTransition, InvalidOrder, NotChangeable
from orders.models import Candidate, OrderLine
from production import services as production

BEGUN = frozenset({LineState.IN_PRODUCTION, LineState.INSPECTING, LineState.DONE})


@dataclass(frozen=True, kw_only=True)
class Change:
    """What a change would come to, beside what was agreed before."""

    quantity_m: Decimal
    substrate: str
    due_date: date
    source: Candidate  # the design as it was drawn
    size_px: tuple[int, int]  # that the cloth needs
    repeat: Repeat
    values: dict[str, Any]  # what stands beside its candidate
    price_before: Decimal
    promise_before: datetime
    tz: str
    run_m: Decimal | None = None  # what the present run would make, where that is not all of it

    @property
    def passed(self) -> bool:
        """Whether it can be made."""
        return bool(self.values["passed"])

    @property
    def findings(self) -> list[dict[str, Any]]:
        """What the checks say."""
        return list(self.values["findings"])

    @property
    def currency(self) -> str:
        """Of both prices."""
        return str(self.values.get("currency", ""))

    @property
    def price(self) -> Decimal | None:
        """What it would cost; None when it can't be made."""
        return self.values.get("price")

    @property
    def price_difference(self) -> Decimal | None:
        """How much more it would cost."""
        return None if self.price is None else self.price - self.price_before

    @property
    def promise(self) -> datetime | None:
        """When it would be ready; None when it can't be made."""
        return self.values.get("promise")

    @property
    def binding(self) -> str:
        """What the promise would wait for."""
        return str(self.values.get("binding", ""))

    @property
    def days_later(self) -> int | None:
        """By how many days of the mill it would be ready later; negative: earlier."""
        if self.promise is None:
            return None
        new, old = (moment.astimezone(ZoneInfo(self.tz)).date() for moment in (self.promise, self.promise_before))
        return (new - old).days

    @property
    def sentence(self) -> str:
        """What it comes to, as sales say it to the customer."""
        if self.price is None or self.promise is None or self.days_later is None:
            errors = [finding for finding in self.findings if finding["severity"] == "error"]
            return " ".join(["It can't be made like this.", *(f"{e['sentence']} {e['remedy']}" for e in errors[:1])])
        more = self.price - self.price_before
        price = f"{self.price} {self.currency}, {abs(more)} {'more' if more > 0 else 'less'} than before"
        if not more:
            price = f"{self.price} {self.currency} as before"
        days, one = abs(self.days_later), abs(self.days_later) == 1
        when = "on the same day as before"
        if days:
            when = f"{days} {'day' if one else 'days'} {'later' if self.days_later > 0 else 'earlier'} than before"
        return f"{price}; ready {words.day(self.promise, self.tz)}, {when}."


def assess(
    line: OrderLine, *, quantity_m: Decimal | None = None, substrate: str | None = None, due_date: date | None = None
) -> Change:
    """Check, measure, price and promise what was approved with other values; None: as it is.

    What the line holds counts as free, for the change would use it. Raises NotChangeable, IllegalTransition,
    InvalidOrder, and what production and the ERP refuse with.
    """
    _refuse_unless_changeable(line)
    if substrate and not line.substrate:
        woven = f"{line.reference} is woven: its cloth is its weave. Cancel it and place another to have it printed."
        raise InvalidOrder(woven, fields={"field": "substrate", "value": substrate})
    wanted = copy.copy(line)
    wanted.quantity_m = line.quantity_m if quantity_m is None else Decimal(quantity_m)
    wanted.substrate = substrate or line.substrate
    wanted.due_date = due_date or line.due_date
    if all(getattr(wanted, name) == getattr(line, name) for name in ("quantity_m", "substrate", "due_date")):
        raise InvalidOrder("Nothing would be different: give another quantity, cloth or date.")
    if not line.approvals.exists():
        raise NotChangeable("No design of it was approved yet: there is nothing that a change could keep.")
    approved = work.newest_approval(line).candidate
    source = work.as_drawn(approved)
    spec = work.spec_of(wanted, source.round)
    drawn = generation.raster_of(source.artwork)
    raster = generation.at_size(drawn, width_px=spec.width_px, height_px=spec.height_px, repeat=spec.repeat)
    values = work.found_out(
        names.erp_of(line.order.shop),
        wanted,
        production.assess(raster, spec=spec),
        exclusivity.findings(line, source.artwork, drawn),
        spec=spec,
        generation_s=work.drawn_in_s(source),
        besides=names.hold_name(line),
    )
    assert approved.price is not None
    assert approved.promise is not None
    return Change(
        quantity_m=wanted.quantity_m,
        substrate=wanted.substrate,
        due_date=wanted.due_date,
        source=source,
        size_px=(spec.width_px, spec.height_px),
        repeat=spec.repeat,
        values=values,
        price_before=approved.price,
        promise_before=work.moment(line.plan["promise"]) if line.plan else approved.promise,
        tz=line.order.shop.time_zone,
        run_m=_run_m(line, wanted),
    )


def _run_m(line: OrderLine, wanted: OrderLine) -> Decimal | None:
    """What has to be made of a changed line a part of which is there already. Raises NotChangeable."""
    if line.run_m is None or wanted.substrate != line.substrate:
        return None
    there = line.quantity_m - line.run_m
    if wanted.quantity_m <= there:
        fields = {"field": "quantity_m", "measured": str(wanted.quantity_m), "limit": str(there)}
        enough = f"{there} m of {line.reference} are made and good: nothing would be made once more for less than that."
        raise NotChangeable(enough, fields=fields)
    return wanted.quantity_m - there


def _refuse_unless_changeable(line: OrderLine) -> None:
    if line.state in BEGUN:
        begun = "has been made" if line.state == LineState.DONE else "is being made"
        too_late = f"{line.reference} {begun}: quantity, cloth and date can't be changed any more. Place another order."
        raise NotChangeable(too_late, fields={"state": line.state})
    stopped = line.state == LineState.BLOCKED and line.came_from in CHANGEABLE
    if line.state != LineState.RELEASED and not stopped:
        raise IllegalTransition(LineState(line.state), LineEvent.CHANGE)
