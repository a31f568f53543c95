"""When the material is there: which roll a print length is cut from, what comes in, what a supplier needs."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from inventory_sync import words
from inventory_sync.ports import StockLevel
from inventory_sync.shortage import delivery_words, missing_words, next_delivery, not_enough
from production.planning.errors import InvalidRoute


@dataclass(frozen=True)
class MaterialPlan:
    """Where a material comes from and when. `in_stock` False: nothing can be held yet, `ready_at` is a delivery."""

    sku: str
    lot: str | None  # the roll, when one must be chosen and there is one
    quantity: Decimal
    ready_at: datetime
    sentence: str
    in_stock: bool = True
    name: str = ""  # what it is called in `promise(materials_ready=[(name, ready_at)])`


def ready(stock: StockLevel, *, quantity: Decimal, one_lot: bool, now: datetime, tz: str = "UTC") -> MaterialPlan:
    """When so much of a material is there, in its own unit.

    `one_lot`: all of it from one roll, the shortest that is long enough, so that long rolls stay long. Otherwise from
    the total. What is not free now counts from the delivery that brings enough, or from the supplier's lead time if
    that is sooner.
    Raises NotEnoughStock when none of that can ever be enough, InvalidRoute for a quantity that is none.

    >>> from datetime import UTC
    >>> from inventory_sync.ports import Incoming, Lot
    >>> now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    >>> roll, order = Lot("R001", Decimal("8.5"), Decimal("8.5")), Incoming(Decimal(150), now.replace(month=12, day=1))
    >>> velvet = StockLevel("FAB-VEL-COT", (roll,), (order,), 14, "m", Decimal("12.8"), now, "Cotton velvet")
    >>> ready(velvet, quantity=Decimal("12.9"), one_lot=True, now=now).sentence
    'Longest roll of Cotton velvet is 8.5 m, 12.9 m needed; 150 m arrive Tue 1 Dec'
    """
    if not quantity.is_finite() or quantity <= 0:
        raise InvalidRoute(
            f"{quantity} is no quantity of {stock.sku}.", fields={"sku": stock.sku, "quantity": str(quantity)}
        )
    name = stock.name or stock.sku
    if one_lot:
        fitting = [lot for lot in stock.lots if lot.free >= quantity]
        if fitting:
            roll = min(fitting, key=lambda lot: (lot.free, lot.lot))
            where = f"Roll {roll.lot} of {name}" if roll.lot else name
            sentence = f"{where}: {words.quantity(roll.free, stock.unit)} free"
            return MaterialPlan(stock.sku, roll.lot or None, quantity, now, sentence, name=name)
    elif stock.free >= quantity:
        return MaterialPlan(
            stock.sku, None, quantity, now, f"{name}: {words.quantity(stock.free, stock.unit)} free", name=name
        )
    delivery = next_delivery(stock, wanted=quantity, one_lot=one_lot, now=now)
    if delivery is None:
        raise not_enough(stock, wanted=quantity, one_lot=one_lot, now=now, tz=tz)
    missing = missing_words(stock, wanted=quantity, one_lot=one_lot)
    sentence = f"{missing}; {delivery_words(stock, delivery, tz=tz)}"
    return MaterialPlan(stock.sku, None, quantity, delivery.when, sentence, in_stock=False, name=name)
