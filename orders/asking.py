"""What can be said of an order while it is being written: stock, true scale, price range, date. Nothing is held."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from statistics import median
from typing import Final
from zoneinfo import ZoneInfo

from django.utils import timezone

from generation.domain.pattern import Repeat
from inventory_sync import services as inventory
from inventory_sync import words
from inventory_sync.ports import Incoming, Lot, StockLevel, in_unit
from orders import names, promising
from orders.flow import ProductErrors
from orders.models import OrderLine, Shop
from production import services as production
from production.domain.spec import LineSpec

USUAL_DAYS: Final = 10  # from an order to its due date, where a shop has no orders to tell it
LOOKED_BACK: Final = 50  # lines
TYPICAL_M: Final = Decimal(10)  # by which cloths are compared before a quantity is known
OLD: Final = timedelta(minutes=2)  # stock that was read longer ago says so
SEEN_MM: Final = 0.5  # of a repeat that is cut at the edge: less is not seen


def usual_due_date(shop: Shop) -> date:
    """Return when an order placed today would be due by the shop's habit: the median of its newest lines."""
    newest = OrderLine.objects.of(shop).order_by("-pk").values_list("due_date", "order__created_at")
    days = [(due - placed.date()).days for due, placed in newest[:LOOKED_BACK]]
    return names.today(shop) + timedelta(days=max(1, round(median(days))) if days else USUAL_DAYS)


# ------------------------------------------------------------------------------------------------ what there is


@dataclass(frozen=True)
class Material:
    """What there is of one material of a cloth: fabric by the roll, or a yarn."""

    name: str
    unit: str
    lots: tuple[Lot, ...]  # with something free, the longest first
    free: Decimal
    incoming: tuple[Incoming, ...]
    lead_days: int | None
    enough_for_m: Decimal | None  # of cloth; None: the material is the cloth itself

    @property
    def rolls(self) -> int:
        """How many lots have something free."""
        return len(self.lots)


@dataclass(frozen=True)
class OnHand:
    """The stock that a cloth is made from, and as of when it was read."""

    materials: tuple[Material, ...]
    as_of: datetime
    now: datetime

    @property
    def age(self) -> str:
        """How long ago the stock was read, in words."""
        return words.age(self.now - self.as_of)

    @property
    def old(self) -> bool:
        """Whether the ERP did not answer, and this is what was read before."""
        return self.now - self.as_of > OLD


def on_hand(shop: Shop, spec: LineSpec) -> OnHand:
    """Return the stock of a cloth by its rolls, or of its yarns. Raises ErpError where none was ever read."""
    per_metre = {
        each.sku: (each.quantity / Decimal(str(spec.quantity_m)), each.unit)
        for each in production.outline(spec).materials
    }
    skus = [spec.sku] if spec.weaving is None else _yarns(spec)
    levels = inventory.stock_of(names.erp_of(shop), skus)
    materials = tuple(_material(levels[sku], per_metre if spec.weaving else {}) for sku in skus)
    return OnHand(materials, min(levels[sku].as_of for sku in skus), timezone.now())


def _yarns(spec: LineSpec) -> list[str]:
    assert spec.weaving is not None
    return list(dict.fromkeys([spec.weaving.warp.sku, *(weft.sku for weft in spec.weaving.wefts)]))


def _material(level: StockLevel, per_metre: Mapping[str, tuple[Decimal, str]]) -> Material:
    enough = None
    if level.sku in per_metre:
        quantity, unit = per_metre[level.sku]
        taken = in_unit(quantity, unit, level.unit)
        enough = (level.free / taken).quantize(Decimal(1)) if taken else None
    return Material(
        name=level.name or level.sku,
        unit=level.unit,
        lots=tuple(sorted((lot for lot in level.lots if lot.free > 0), key=lambda lot: (-lot.free, lot.lot))),
        free=level.free,
        incoming=level.incoming,
        lead_days=level.supplier_lead_days,
        enough_for_m=enough,
    )


# ------------------------------------------------------------------------------------------------ true scale


@dataclass(frozen=True)
class TrueScale:
    """How a repeat stands on the finished cloth. All in mm of what the customer holds in hand."""

    width_mm: float  # of the repeat as it can be made: whole pixels, or whole threads
    height_mm: float
    usable_mm: float
    count: float  # repeats across the usable width
    step_mm: float  # the width is a whole number of these: a dot or a thread, or as many as the layout is cut at
    # (width, times) of the nearest repeats that are not cut at the edge
    uncut: tuple[tuple[float, int], ...] = ()

    @property
    def whole(self) -> int:
        """How many repeats stand side by side uncut."""
        return int(self.count + SEEN_MM / self.width_mm)

    @property
    def cut(self) -> bool:
        """Whether the motif is cut at the edge: by more than is seen, and than rounding its width adds up to."""
        return (self.count - self.whole) * self.width_mm > max(SEEN_MM, self.whole * self.step_mm)


def scale_of(spec: LineSpec) -> TrueScale:
    """Return how large a line's motif really is, and how often it stands across the cloth."""
    across, step = spec.usable_width_px, spec.repeat.layout.step[0]
    dot_mm = spec.repeat.width_mm / spec.width_px
    usable_mm = production.cloth_look(spec).usable_width_mm
    found = TrueScale(spec.repeat.width_mm, spec.repeat.height_mm, usable_mm, across / spec.width_px, step * dot_mm)
    if not found.cut or spec.weaving is not None:  # which widths a loom can weave says its harness
        return found
    times = [each for each in (found.whole + 1, found.whole) if each]
    return replace(found, uncut=tuple((round(across // each // step * step * dot_mm, 2), each) for each in times))


# ------------------------------------------------------------------------------------------------ price and date


@dataclass(frozen=True, kw_only=True)
class Wish:
    """As much of an order as has been written so far; None: not yet."""

    substrate: str = ""
    weave: str = ""
    quantity_m: Decimal | None = None
    repeat: Repeat | None = None
    due_date: date | None = None
    drawn: bool = False  # there is a design already
    lengths: Sequence[Decimal] = ()  # for which the price per metre is asked besides, in metres


@dataclass(frozen=True)
class Said:
    """What can be said of a wish. Each part stands by itself: what one can't say does not silence the others."""

    spec: LineSpec | None = None
    scale: TrueScale | None = None
    prices: tuple[production.PriceRange, ...] = ()  # of the quantity first, where there is one
    answer: promising.Answer | None = None
    late_days: int = 0  # by how many the date passes the due date
    refusal: Exception | None = None  # why the cloth can't be made like this
    unpriced: Exception | None = None
    unpromised: Exception | None = None


def inquire(shop: Shop, wish: Wish) -> Said:
    """Return all that can be said of an order before anything is drawn. Nothing is held, and nothing is raised that a
    person could be told instead.
    """
    if not wish.substrate and not wish.weave:
        return Said()
    try:
        spec = production.specify(
            shop.slug,
            substrate=wish.substrate or None,
            weave=wish.weave or None,
            quantity_m=wish.quantity_m or TYPICAL_M,
            repeat=wish.repeat or production.usual_repeat(shop.slug, weave=wish.weave),
            on=names.today(shop),
        )
    except ProductErrors as error:
        return Said(refusal=error)
    prices, unpriced = _prices(shop, spec, [*([wish.quantity_m] if wish.quantity_m else []), *wish.lengths])
    answer, unpromised, late_days = None, None, 0
    if wish.quantity_m:
        try:
            answer = promising.inquire(
                shop,
                quantity_m=wish.quantity_m,
                substrate=wish.substrate,
                weave=wish.weave,
                repeat=spec.asked,
                drawn=wish.drawn,
            )
        except ProductErrors as error:
            unpromised = error
    if answer is not None and wish.due_date is not None:
        day = timezone.localdate(answer.promise.date, ZoneInfo(shop.time_zone))
        late_days = max(0, (day - wish.due_date).days)
    scale = scale_of(spec) if wish.repeat else None
    return Said(spec, scale, tuple(prices), answer, late_days, None, unpriced, unpromised)


def typical_price(shop: Shop, spec: LineSpec) -> production.PriceRange | None:
    """Return what ten metres of a cloth would cost, to compare cloths by; None where that is not known."""
    return next(iter(_prices(shop, spec, [TYPICAL_M])[0]), None)


def _prices(
    shop: Shop, spec: LineSpec, lengths: Sequence[Decimal]
) -> tuple[list[production.PriceRange], Exception | None]:
    erp = names.erp_of(shop)
    try:
        stock = inventory.stock_of(erp, [material.sku for material in production.outline(spec).materials])
        centres = inventory.work_centres_of(erp)
        return production.estimate(spec, lengths=lengths, stock=stock, work_centres=centres), None
    except ProductErrors as error:
        return [], error
