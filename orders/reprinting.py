"""Cloth that is made once more: what it costs and on whose sheet that stands, and what sales have to say of it.

How it is planned, released and recorded is the line's own story (orders/flow.py): a run of its own, of so many metres.
"""

import logging
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.utils import timezone

from inventory_sync import words
from orders import names
from orders.models import AuditEvent, Notice, OrderLine
from production.actuals import record_actuals
from production.domain.costing import ActualUse, CostBreakdown
from production.errors import ActualsRefused
from production.models import CostSheet

log = logging.getLogger(__name__)

NOTICE: Final = "made_once_more"
CODE: Final = "reprint:"  # before the number of a run, on a costing


def charge(line: OrderLine, *, cost: Decimal, revision: int) -> None:
    """Put what a run made once more costs on the costing that the customer's price stands on; inside a transaction.

    The same again, or what it cost in the end, takes its place. What can't be recorded is left to a person.
    """
    sheets = CostSheet.objects.filter(ticket__shop=line.order.shop.slug, ticket__reference=line.reference, price__gt=0)
    sheet = sheets.select_related("ticket").order_by("-ticket__revision").first()
    if sheet is None or line.run == 1:
        return
    use = ActualUse(
        code=f"{CODE}{line.run}",
        quantity=Decimal(1),
        rate=cost,
        what=f"Made once more: {words.quantity(line.making_m, 'm')}",
        unit="run",
        source=f"ticket {line.reference} r{revision}",
    )
    if any(each["code"] == use.code and each["rate"] == str(cost) for each in sheet.document.get("uses", ())):
        return
    try:
        record_actuals(sheet.ticket, [use], at=timezone.now())
    except ActualsRefused as refused:
        log.warning("what run %s of %s costs is not recorded: %s", line.run, line.reference, refused)


def charge_actual(line: OrderLine, sheet: CostSheet, cost: CostBreakdown, actual: Decimal) -> None:
    """Bring that to what the run took in the end, where `sheet` is of one that was made once more."""
    if not sheet.price and cost.total != actual:
        charge(line, cost=actual, revision=sheet.ticket.revision)


def tell_sales(line: OrderLine, plan: dict[str, Any]) -> None:
    """Put on the shop's list that a line is made once more, and when it is promised now; inside a transaction."""
    failed = _failed(line)
    if failed is None:
        return
    before = failed.details.get("promise")
    fields = {"metres": failed.details.get("metres"), "promise": plan["promise"], "before": before, "run": line.run}
    Notice.objects.update_or_create(
        shop=line.order.shop,
        key=f"{NOTICE}:{names.record_id(line)}",
        defaults={
            "line": line, "code": NOTICE, "sentence": sentence(line, plan), "fields": fields, "at": timezone.now(),
            "settled_at": None, "settled_by": "",
        },
    )  # fmt: skip


def sentence(line: OrderLine, plan: dict[str, Any]) -> str:
    """What sales tell the customer: how much is made once more and why, and the new date beside the old one."""
    failed, tz = _failed(line), line.order.shop.time_zone
    details = failed.details if failed is not None else {}
    why = f" ({details['why']})" if details.get("why") else ""
    promise = _moment(plan["promise"])
    when = f"It is promised for {words.day(promise, tz)}"
    before = _moment(details["promise"]) if details.get("promise") else None
    if before is not None:
        same = before.astimezone(ZoneInfo(tz)).date() == promise.astimezone(ZoneInfo(tz)).date()
        when += " as before." if same else f" now, and was for {words.day(before, tz)}: tell the customer."
    much = words.quantity(line.making_m, "m")
    whole = f" of {words.quantity(line.quantity_m, 'm')}" if line.making_m != line.quantity_m else ""
    return f"{much}{whole} of {line.reference} failed the inspection and are made once more{why}. {when.rstrip('.')}."


def _failed(line: OrderLine) -> AuditEvent | None:
    """The event by which a line's present run began; None in its first."""
    if line.run == 1:
        return None
    return line.events.filter(action="fail").order_by("-sequence").first()


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
