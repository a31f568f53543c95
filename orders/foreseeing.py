"""What making cloth once more would bring: roll, slot, the new promise, its cost. Nothing is held.

And what came of a decision, in the words of its report: as it is planned by then or, before that, as it would be.
"""

import copy
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from generation import services as generation
from inventory_sync import services as inventory
from inventory_sync import words
from inventory_sync.errors import ErpError, ErpUnavailable
from orders import names, promising, work
from orders.errors import InvalidReport, OrderError
from orders.models import OrderLine
from production import services as production
from production.domain.grading import Decision
from production.errors import ProductionError
from production.models import CostSheet, Inspection


@dataclass(frozen=True)
class Foreseen:
    """A reprint as it would be planned and costed now."""

    metres: Decimal
    lot: str
    machine: str  # that it begins on
    begins: datetime
    promise: datetime
    before: datetime | None  # what is promised now
    binding: str
    cost: Decimal
    currency: str
    tz: str

    @property
    def days_later(self) -> int | None:
        """By how many of the mill's days; None where nothing was promised before."""
        if self.before is None:
            return None
        new, old = (moment.astimezone(ZoneInfo(self.tz)).date() for moment in (self.promise, self.before))
        return (new - old).days


def foresee(line: OrderLine, metres: Decimal) -> Foreseen:
    """Promise and cost a reprint of so many metres of a line's cloth as the shop stands now.

    Raises InvalidReport for metres that can't be, NotEnoughStock, NoSlot, PriceMissing, ErpError.
    """
    if not 0 < metres <= line.making_m:
        raise InvalidReport(
            f"{metres} m can't be made once more: {words.quantity(line.making_m, 'm')} were made.",
            fields={"field": "reprint_m", "measured": str(metres), "limit": str(line.making_m)},
        )
    run = copy.copy(line)
    run.run_m = metres
    approval = line.approvals.select_related("candidate__round").order_by("-number").first()
    if approval is None:
        raise InvalidReport(f"No design of {line.reference} was approved: there is nothing to make once more.")
    shop, candidate = line.order.shop, approval.candidate
    erp = names.erp_of(shop)
    spec = work.run_spec_of(run, candidate.round)
    takes = production.assess(generation.raster_of(candidate.artwork), spec=spec)
    found = promising.promised(shop, erp, takes)
    cost = production.cost_once_more(
        takes,
        spec=spec,
        stock=found.stock,
        work_centres=inventory.work_centres_of(erp),
        on=names.today(shop),
    )
    fabric = next((each for each in found.materials if each.sku == line.substrate), None)
    first = found.promise.steps[0]
    return Foreseen(
        metres=metres,
        lot=(fabric.lot or "") if fabric is not None else "",
        machine=first.work_centre,
        begins=first.begin,
        promise=found.promise.date,
        before=work.moment(line.plan["promise"]) if line.plan else None,
        binding=found.promise.binding,
        cost=cost.total,
        currency=cost.currency,
        tz=shop.time_zone,
    )


# ------------------------------------------------------------------------------------------------ in words


def follows(line: OrderLine, inspection: Inspection) -> list[str]:
    """Say what comes of a decision: sentences for its report. Raises ErpUnavailable where the ERP has to be asked."""
    good, scrap = (words.quantity(each, "m") for each in (inspection.good_m, inspection.scrap_m))
    if inspection.decision == Decision.PASS:
        return [f"The line is done: {good} are delivered."]
    if inspection.decision == Decision.SECONDS:
        return [f"The line is done: {good} are delivered as they are, as seconds."]
    if inspection.decision == Decision.CUT_OUT:
        return [f"The line is done: {good} are delivered, {scrap} are scrapped in the ERP."]
    lost = [f"{scrap} are scrapped in the ERP."] if inspection.scrap_m else []
    return [*lost, *_made_once_more(line, inspection)]


def _made_once_more(line: OrderLine, inspection: Inspection) -> list[str]:
    much, tz = words.quantity(inspection.reprint_m, "m"), line.order.shop.time_zone
    failed = line.events.filter(action="fail").order_by("sequence")[inspection.run - 1 : inspection.run].first()
    before = work.moment(failed.details["promise"]) if failed and failed.details.get("promise") else None
    if line.run == inspection.run + 1 and line.plan:
        first = line.plan["slots"][0]
        begins = _place(first["work_centre"], work.moment(first["start"]), line.plan["lot"], tz)
        said = [f"{much} are made once more, {begins}.", _promise(work.moment(line.plan["promise"]), before, tz)]
        sheet = CostSheet.objects.filter(ticket__shop=line.order.shop.slug, ticket__reference=line.reference)
        made = sheet.filter(ticket__revision__gt=inspection.revision).order_by("ticket__revision").first()
        return [*said, f"It costs {made.total:.2f} {made.currency}."] if made is not None else said
    if line.run != inspection.run + 1:
        return [f"{much} are made once more."]
    try:
        found = foresee(line, inspection.reprint_m)
    except ErpUnavailable:
        raise
    except (OrderError, ProductionError, ErpError) as refusal:
        return [f"{much} are to be made once more. As the shop stood then that could not be promised: {refusal}"]
    begins = _place(found.machine, found.begins, found.lot, tz)
    return [
        f"{much} are made once more; as the shop stood then, {begins}.",
        _promise(found.promise, before, tz),
        f"It costs about {found.cost:.2f} {found.currency}.",
    ]


def _place(machine: str, begins: datetime, lot: str, tz: str) -> str:
    roll = f" from roll {lot}" if lot else ""
    return f"on {machine}{roll}, beginning {words.day(begins, tz)} {begins.astimezone(ZoneInfo(tz)):%H:%M}"


def _promise(promise: datetime, before: datetime | None, tz: str) -> str:
    day = words.day(promise, tz)
    if before is None or words.day(before, tz) == day:
        return f"It is promised for {day}" + (", as before." if before else ".")
    return f"It is promised for {day}, and was for {words.day(before, tz)}."
