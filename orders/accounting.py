"""What a line really took, as far as the shop floor said: its costing is issued again with it."""

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

from django.utils import timezone

from orders import looking, reprinting
from orders.domain.floor import OperationState, Standing, standing_of
from orders.domain.states import LineState
from orders.models import FloorReport, OrderLine
from production.actuals import record_actuals
from production.domain.costing import ActualUse, Costing
from production.errors import ActualsRefused
from production.models import JobTicket

log = logging.getLogger(__name__)

SOURCE: Final = "shop floor"
TIME: Final = "time:"  # before a work centre, in a costing
# Who presses start and finish in one go, at the end, has not measured anything. Trade knowledge, not measured.
LEAST_OF_PLANNED: Final = Decimal("0.1")
NOT_MADE: Final = frozenset({LineState.RELEASED, LineState.IN_PRODUCTION})


def keep(line: OrderLine, told: Sequence[FloorReport]) -> None:
    """Note that the ERP has been told, and once the cloth is made record what it took; inside the caller's transaction.

    The same again records nothing. What can't be recorded is left to a person, and is no reason to tell it again.
    """
    FloorReport.objects.filter(pk__in=[each.pk for each in told]).update(told_at=timezone.now())
    looking.note_told(line, {each.run for each in told})
    if not told or line.state in NOT_MADE:
        return
    run = max(each.run for each in told)
    tickets = JobTicket.objects.filter(shop=line.order.shop.slug, reference=line.reference)
    ticket = tickets.select_related("costing").order_by("-revision").first()
    if ticket is None or not ticket.costing.document:
        return
    costing = Costing.from_dict(ticket.costing.document)
    known = {use.code: use for use in costing.uses}
    new = [use for use in uses_of(line, run, costing) if known.get(use.code) != use]
    if not new:
        return
    try:
        issued = record_actuals(ticket, new, at=timezone.now())
        assert issued.comparison is not None, "something was recorded"
        reprinting.charge_actual(line, ticket.costing, issued.cost, issued.comparison.actual)
    except ActualsRefused as refused:
        log.warning("what %s took is not recorded: %s", line.reference, refused)


def uses_of(line: OrderLine, run: int, costing: Costing) -> list[ActualUse]:
    """What the reports of a run say of a costing's lines: hours by operation, metres of fabric where some were lost.

    Hours that were not measured, and all that nobody reported, stay as planned.
    """
    reports = list(line.reports.filter(run=run).select_related("by"))
    stands = {number: _standing(reports, number) for number in {each.operation for each in reports}}
    rows = {row.code: row for row in costing.cost.lines}
    others = {use.code for use in costing.uses if not use.source.startswith(SOURCE)}  # a person knew better
    times = [row.code for row in costing.cost.lines if row.code.startswith(TIME)]
    often = Counter(times)
    found = []
    for number, code in enumerate(times):
        stand = stands.get(number)
        if stand is None or stand.state is not OperationState.DONE or often[code] > 1 or code in others:
            continue
        hours = Decimal(str(round(stand.worked.total_seconds() / 3600, 3)))
        if hours and hours >= rows[code].quantity * LEAST_OF_PLANNED:
            where = next(each.work_centre for each in reports if each.operation == number)
            found.append(ActualUse(code=code, quantity=hours, source=f"{SOURCE}, {where}"))
    # What the inspection cuts out was made: it has taken no more fabric than was planned.
    looked = max(stands, default=0) if line.run > run or line.state == LineState.DONE else -1
    scrapped = sum((stand.scrap_m for number, stand in stands.items() if number != looked), Decimal(0))
    fabric = line.substrate
    if fabric in rows and fabric not in others and (scrapped or any(use.code == fabric for use in costing.uses)):
        source = f"{SOURCE}: as planned, and {scrapped.normalize():f} m scrapped"
        found.append(ActualUse(code=fabric, quantity=rows[fabric].quantity + scrapped, source=source))
    return found


def _standing(reports: Iterable[FloorReport], number: int) -> Standing:
    return standing_of(each.said for each in reports if each.operation == number)
