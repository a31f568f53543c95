"""The guarded half of the ledger: metres and minutes that two orders must never both get.

* a metre: one conditional UPDATE, `held = held + q WHERE on_hand >= held + q`; no row changed means not enough. A CHECK
  constraint in the table says the same once more.
* a minute: the work centre's row is written (`calendar_version + 1`) *before* its bookings are read. Whoever comes
  second waits at that row until the first has committed, and then reads the first's booking.

Both hold on SQLite and on PostgreSQL at READ COMMITTED; neither needs SELECT FOR UPDATE, which SQLite ignores. Call
everything here inside one transaction: it touches rows in one order (hold, products, lots,
work centres), so that two
transactions seldom wait for each other in a circle; where they do, the database ends one and the caller sees
ErpUnavailable, which is retryable.

Quantities are compared rounded to the millimetre because SQLite keeps decimals as binary floats: without it
0.1 + 0.2 <= 0.3 is false and the last metre of a roll can't be sold.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.db.models import F, Q, Sum
from django.db.models.functions import Round

from inventory_sync.errors import ErpConflict, ErpRejected, SlotTaken
from inventory_sync.models import (
    LedgerBooking,
    LedgerHold,
    LedgerLot,
    LedgerProduct,
    LedgerReservation,
    LedgerWorkCentre,
)
from inventory_sync.ports import Hold, MaterialHold, Moved, SlotHold


def claim(shop: str, reference: str, fence: int) -> LedgerHold:
    """The hold of that reference, made when missing, and its row written so that nobody else changes it meanwhile.

    Raises ErpConflict when a later try, with a higher fence, holds it already.
    """
    mine = LedgerHold.objects.filter(shop=shop, reference=reference)
    if not mine.filter(fence__lte=fence).update(revision=F("revision") + 1, fence=fence):
        try:
            with transaction.atomic():
                return LedgerHold.objects.create(shop=shop, reference=reference, fence=fence)
        except IntegrityError as error:
            raise ErpConflict(
                f"{reference} is being held by somebody else.", fields={"reference": reference}
            ) from error
    hold = mine.get()
    if hold.consumed:
        raise ErpRejected(f"What {reference} held has been used up.", fields={"reference": reference})
    return hold


def take_lots(hold: LedgerHold, wanted: Mapping[int, Decimal]) -> int | None:
    """Make the hold's reservations exactly `wanted` (lot id -> quantity).

    Returns None, or the id of the first lot that has not enough (the caller rolls back).
    """
    before = dict(hold.reservations.values_list("lot_id", "quantity"))
    for lot_id in sorted(wanted.keys() | before.keys()):
        difference = wanted.get(lot_id, Decimal(0)) - before.get(lot_id, Decimal(0))
        if difference and not move_held(lot_id, difference):
            return lot_id
    hold.reservations.exclude(lot_id__in=list(wanted)).delete()
    for lot_id, quantity in wanted.items():
        hold.reservations.update_or_create(lot_id=lot_id, defaults={"quantity": quantity})
    return None


def move_held(lot_id: int, difference: Decimal) -> bool:
    """Hold so much more (or less) of a lot, if it is there: the guard of the metres."""
    held = Round(F("held") + difference, precision=3)
    return LedgerLot.objects.filter(pk=lot_id, on_hand__gte=held).update(held=held) == 1


def take_slots(hold: LedgerHold, wanted: Sequence[SlotHold], centres: Mapping[str, LedgerWorkCentre]) -> None:
    """Make the hold's bookings exactly `wanted`. Raises SlotTaken naming who has the time."""
    lock_calendars(centres[slot.work_centre].pk for slot in wanted)
    hold.bookings.all().delete()
    _book(hold, wanted, centres)


def rearrange(shop: str, moves: Sequence[Moved], centres: Mapping[str, LedgerWorkCentre]) -> None:
    """Make the bookings of several holds exactly what is wanted, all at once.

    Raises SlotTaken naming who has the time, ErpConflict for a reference that holds nothing (any more).
    """
    held = []
    for move in sorted(moves, key=lambda move: move.reference):
        mine = LedgerHold.objects.filter(shop=shop, reference=move.reference, consumed=False)
        if not mine.update(revision=F("revision") + 1):
            raise ErpConflict(
                f"{move.reference} holds nothing any more: plan again.", fields={"reference": move.reference}
            )
        held.append((mine.get(), move))
    lock_calendars(centre.pk for centre in centres.values())
    LedgerBooking.objects.filter(hold__in=[hold for hold, _ in held]).delete()
    for hold, move in held:
        _book(hold, move.slots, centres)


def _book(hold: LedgerHold, wanted: Sequence[SlotHold], centres: Mapping[str, LedgerWorkCentre]) -> None:
    for slot in wanted:
        centre = centres[slot.work_centre]
        other = (
            LedgerBooking.objects.filter(work_centre=centre, start__lt=slot.end, end__gt=slot.start)
            .order_by("start")
            .first()
        )
        if other is not None:
            raise SlotTaken(
                f"{centre.name} is taken by {other.reference} in that time: plan again.",
                fields={
                    "work_centre": centre.code,
                    "start": slot.start.isoformat(),
                    "end": slot.end.isoformat(),
                    "taken_by": other.reference,
                    "taken_from": other.start.isoformat(),
                    "taken_until": other.end.isoformat(),
                },
            )
    LedgerBooking.objects.bulk_create(
        LedgerBooking(
            work_centre=centres[slot.work_centre],
            hold=hold,
            reference=hold.reference,
            name=slot.name,
            start=slot.start,
            end=slot.end,
        )
        for slot in wanted
    )


def lock_calendars(centre_ids: Iterable[int]) -> None:
    """Write each work centre's row before its bookings are read: the guard of the minutes."""
    for centre_id in sorted(set(centre_ids)):
        LedgerWorkCentre.objects.filter(pk=centre_id).update(calendar_version=F("calendar_version") + 1)


def drop(hold: LedgerHold) -> bool:
    """Free what a hold holds and forget it. False when somebody else was quicker."""
    mine = LedgerHold.objects.filter(pk=hold.pk, revision=hold.revision, consumed=False)
    if not mine.update(revision=F("revision") + 1):
        return False
    take_lots(hold, {})
    hold.delete()
    return True


def free(shop: str, reference: str) -> list[tuple[str, str]]:
    """Free what a reference holds; returns what changed by it, (kind, key) each: nothing when it held nothing."""
    hold = LedgerHold.objects.filter(shop=shop, reference=reference, consumed=False).first()
    if hold is None:
        return []
    changed = changed_by(hold)
    return changed if drop(hold) else []


def changed_by(hold: LedgerHold) -> list[tuple[str, str]]:
    """Return what has to be read again once a hold is freed or used up, (kind, key) each."""
    skus = sorted(set(hold.reservations.values_list("lot__product__sku", flat=True)))
    return [("hold", hold.reference), *(("stock", sku) for sku in skus)]


def consume(shop: str, reference: str) -> list[tuple[str, str]]:
    """What the reference held has been made into cloth: its lots shrink by it, its machine time is over.

    Returns what changed by it, (kind, key) each.
    """
    hold = LedgerHold.objects.filter(shop=shop, reference=reference, consumed=False).first()
    if hold is None:
        return []
    changed = changed_by(hold)
    if not LedgerHold.objects.filter(pk=hold.pk, revision=hold.revision).update(
        revision=F("revision") + 1, consumed=True
    ):
        raise ErpConflict(f"What {reference} holds is being changed at this moment.")
    for lot_id, quantity in sorted(hold.reservations.values_list("lot_id", "quantity")):
        LedgerLot.objects.filter(pk=lot_id).update(
            on_hand=Round(F("on_hand") - quantity, precision=3), held=Round(F("held") - quantity, precision=3)
        )
    hold.reservations.all().delete()
    hold.bookings.all().delete()
    return changed


def free_expired(now: datetime, *, shop: str | None = None) -> int:
    """Free every hold whose time is over; returns how many."""
    expired = LedgerHold.objects.filter(expires__lte=now, consumed=False)
    freed = 0
    for hold in expired.filter(shop=shop) if shop else expired:
        with transaction.atomic():
            freed += drop(hold)
    return freed


def living(now: datetime) -> Q:
    """Bookings that still count: everybody else's, and those of holds that have not expired."""
    return Q(hold=None) | Q(hold__expires=None) | Q(hold__expires__gt=now)


def overdue_by_lot(product_ids: Iterable[int], now: datetime) -> dict[int, Decimal]:
    """Lot id -> quantity held by holds that have expired and not been swept yet: free, to anyone who asks."""
    overdue = LedgerReservation.objects.filter(lot__product__in=list(product_ids), hold__expires__lte=now)
    return dict(overdue.order_by().values_list("lot_id").annotate(Sum("quantity")))


def lock_products(product_ids: Iterable[int]) -> None:
    """Write the products' rows before their lots are read, so that a quantity can be spread over several lots."""
    for product_id in sorted(set(product_ids)):
        LedgerProduct.objects.filter(pk=product_id).update(unit=F("unit"))


def spread(
    lots: Iterable[LedgerLot], quantity: Decimal, *, before: Mapping[int, Decimal], wanted: Mapping[int, Decimal]
) -> dict[int, Decimal] | None:
    """Divide a quantity over lots: what is held already first, then the smallest, so that long rolls stay long.

    `before`: what this hold has of each lot now; `wanted`: what else it is about to take. Returns lot id -> quantity,
    or None when all together is not enough.
    """
    nothing = Decimal(0)
    free = {lot.pk: lot.on_hand - lot.held + before.get(lot.pk, nothing) - wanted.get(lot.pk, nothing) for lot in lots}
    shares: dict[int, Decimal] = {}
    for lot_id in sorted(free, key=lambda one: (one not in before, free[one])):
        share = min(free[lot_id], quantity)
        if share > 0:
            shares[lot_id] = share
            quantity -= share
    return None if quantity > 0 else shares


def value_of(hold: LedgerHold) -> Hold:
    """The hold as the port says it."""
    reservations = hold.reservations.select_related("lot__product").order_by("lot__product__sku", "lot__lot")
    bookings = hold.bookings.select_related("work_centre").order_by("start")
    return Hold(
        hold.reference,
        tuple(MaterialHold(one.lot.product.sku, one.lot.lot or None, one.quantity) for one in reservations),
        tuple(SlotHold(one.work_centre.code, one.start, one.end, one.name) for one in bookings),
        hold.expires,
    )
