"""What is missing, and when it could be there: said by the ledger when a hold fails, by planning in a promise."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from inventory_sync import words
from inventory_sync.errors import NotEnoughStock
from inventory_sync.ports import StockLevel


@dataclass(frozen=True)
class Delivery:
    """The next delivery that is enough. `ordered`: it is on its way; otherwise it would have to be ordered now."""

    when: datetime
    quantity: Decimal
    ordered: bool


def next_delivery(stock: StockLevel, *, wanted: Decimal, one_lot: bool, now: datetime) -> Delivery | None:
    """When enough will be there: by what is on its way or by ordering now, whichever is sooner; None if never.

    For one print length a single delivery must be long enough; otherwise deliveries add up with what is free.
    A delivery that is overdue is not counted on.
    """
    free = Decimal(0) if one_lot else stock.free
    total = free
    choices: list[Delivery] = []
    for incoming in sorted(stock.incoming, key=lambda one: one.due):
        if incoming.due <= now:
            continue
        total = incoming.quantity if one_lot else total + incoming.quantity
        if total >= wanted:
            choices.append(Delivery(incoming.due, incoming.quantity, ordered=True))
            break
    if stock.supplier_lead_days is not None:
        choices.append(Delivery(now + timedelta(days=stock.supplier_lead_days), wanted - free, ordered=False))
    return min(choices, key=lambda one: one.when, default=None)


def delivery_words(stock: StockLevel, delivery: Delivery | None, *, tz: str) -> str:
    """The second half of the sentence: "150 m arrive Tue 1 Dec"."""
    if delivery is None:
        return "nothing is on its way and no supplier is known"
    if delivery.ordered:
        return f"{words.quantity(delivery.quantity, stock.unit)} arrive {words.day(delivery.when, tz)}"
    return f"ordered now, it arrives {words.day(delivery.when, tz)}"


def missing_words(stock: StockLevel, *, wanted: Decimal, one_lot: bool, lot: str | None = None) -> str:
    """The first half of the sentence: "Longest roll of Cotton velvet is 8.5 m, 12.9 m needed"."""
    name = stock.name or stock.sku
    needed = f"{words.quantity(wanted, stock.unit)} needed"
    if lot:
        free = next((one.free for one in stock.lots if one.lot == lot), Decimal(0))
        return f"Roll {lot} of {name} has {words.quantity(free, stock.unit)} free, {needed}"
    if not stock.free:
        return f"No {name} is free, {needed}"
    if one_lot:
        return f"Longest roll of {name} is {words.quantity(stock.longest, stock.unit)}, {needed}"
    return f"{words.quantity(stock.free, stock.unit)} of {name} free, {needed}"


def not_enough(
    stock: StockLevel, *, wanted: Decimal, one_lot: bool, now: datetime, tz: str, lot: str | None = None
) -> NotEnoughStock:
    """The error that says what is missing and when it could be there."""
    free = next((one.free for one in stock.lots if one.lot == lot), Decimal(0)) if lot else stock.free
    best = stock.longest if one_lot else free
    other = next((one for one in sorted(stock.lots, key=lambda one: one.free) if one.free >= wanted), None)
    if lot and other:
        available: datetime | None = now
        tail = f"roll {other.lot} has {words.quantity(other.free, stock.unit)}: plan again"
    else:
        delivery = next_delivery(stock, wanted=wanted, one_lot=one_lot, now=now)
        available = delivery.when if delivery else None
        tail = delivery_words(stock, delivery, tz=tz)
    return NotEnoughStock(
        f"{missing_words(stock, wanted=wanted, one_lot=one_lot, lot=lot)}; {tail}.",
        fields={
            "sku": stock.sku,
            "lot": lot,
            "unit": stock.unit,
            "wanted": str(wanted),
            "free": str(free),
            "longest_roll": str(stock.longest),
            "missing": str(max(wanted - best, Decimal(0))),
            "available_from": available.isoformat() if available else None,
        },
    )
