"""Metres and minutes that two of our orders must never both get, where Odoo knows nothing of an order yet.

Odoo reserves for a manufacturing order, and that is there only once the order is released. Until then what an order
holds stands here, and is taken off what Odoo says is free. What guards it is the number of the shop's hold clock: who
takes something has read the holds, then Odoo, and writes only if the number is still the one that was read first.
Everything that could make more free (a hold given back) or counts something elsewhere (an order that Odoo now
reserves for) raises the number too. The order matters: holds first, Odoo second. What moves from here into Odoo
meanwhile is then counted twice, never not at all.

Against Odoo's own people only Odoo can guard, and it does from the moment the order is reserved there; `held` says
before a release whether what was held is still there.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db import transaction
from django.db.models import F, Q

from inventory_sync.errors import ErpConflict, ErpRejected, SlotTaken
from inventory_sync.models import RemoteHold, RemoteHoldChange, RemoteHoldClock
from inventory_sync.ports import Booking, Hold, MaterialHold, Moved, SlotHold, StockLevel

TRIES: Final = 6
Heap = tuple[str, str]  # sku and lot; an empty lot: not kept by lot


@dataclass(frozen=True)
class Seen:
    """What Odoo said: stock of which our own holds are not taken off yet, and everybody's work orders."""

    levels: Mapping[str, StockLevel]
    bookings: Sequence[Booking]


def number_of(shop: str) -> int:
    """The hold clock. Read it before anything else."""
    clock, _ = RemoteHoldClock.objects.get_or_create(shop=shop)
    return clock.number


def living(shop: str, now: datetime) -> list[RemoteHold]:
    """Holds that count, the oldest first."""
    holds = RemoteHold.objects.filter(Q(expires=None) | Q(expires__gt=now), shop=shop, consumed=False)
    return list(holds.order_by("pk"))


def counted(holds: Iterable[RemoteHold]) -> dict[Heap, Decimal]:
    """What the holds take of each heap, beyond what Odoo has reserved for their orders already."""
    total: dict[Heap, Decimal] = defaultdict(Decimal)
    for hold in holds:
        kept = _heaps(hold.kept)
        for heap, quantity in _heaps(hold.materials).items():
            total[heap] += max(quantity - kept.get(heap, Decimal(0)), Decimal(0))
    return dict(total)


def less(levels: Iterable[StockLevel], taken: Mapping[Heap, Decimal]) -> list[StockLevel]:
    """The levels with what is taken off what is free."""
    return [
        replace(
            level,
            lots=tuple(replace(lot, free=lot.free - taken.get((level.sku, lot.lot), Decimal(0))) for lot in level.lots),
        )
        for level in levels
    ]


def slots_of(holds: Iterable[RemoteHold]) -> list[Booking]:
    """The time that holds take where Odoo has no work orders for it yet."""
    return [
        Booking(slot.work_centre, slot.start, slot.end, hold.reference, mine=True)
        for hold in holds
        if not hold.slots_kept
        for slot in value_of(hold).slots
    ]


def take(
    shop: str,
    wanted: Hold,
    *,
    now: datetime,
    look: Callable[[], Seen],
    short: Callable[[StockLevel, Decimal, str | None], ErpConflict],
) -> Hold:
    """Hold all of it or nothing. `look` asks Odoo; `short` says what is missing of a level, and of which roll.

    Raises NotEnoughStock, SlotTaken, ErpConflict for an earlier try than the one that holds, ErpRejected for what has
    been used up.
    """
    for _ in range(TRIES):
        number = number_of(shop)
        everyone = living(shop, now)
        mine = RemoteHold.objects.filter(shop=shop, reference=wanted.reference).first()
        _check_turn(mine, wanted)
        others = [hold for hold in everyone if hold.reference != wanted.reference]
        seen = look()
        # What Odoo has reserved for this order itself is free to it.
        own = {heap: -quantity for heap, quantity in _heaps(mine.kept).items()} if mine else {}
        taken = counted(others)
        levels = {
            level.sku: level
            for level in less(
                seen.levels.values(),
                {heap: taken.get(heap, Decimal(0)) + own.get(heap, Decimal(0)) for heap in taken | own},
            )
        }
        materials = _choose(wanted, levels, _heaps(mine.materials) if mine else {}, short)
        _refuse_taken_slots(wanted, [*seen.bookings, *slots_of(others)])
        if _write(shop, number, wanted, materials, now):
            return replace(
                wanted, materials=materials, slots=tuple(sorted(wanted.slots, key=lambda slot: slot.start)), fence=0
            )
    raise ErpConflict("Too many orders are taking stock at this moment: try again.", fields={"shop": shop})


def rearrange(shop: str, moves: Sequence[Moved], *, now: datetime) -> None:
    """Give several holds other time, all at once and under the clock; Odoo's work orders are still to be moved.

    Raises SlotTaken for time that another hold has, ErpConflict for a reference that holds nothing (any more).
    """
    with transaction.atomic():
        RemoteHoldClock.objects.get_or_create(shop=shop)
        _tick(shop)
        moving = {move.reference: move for move in moves}
        everyone = {hold.reference: hold for hold in living(shop, now)}
        others = [
            Booking(slot.work_centre, slot.start, slot.end, hold.reference, mine=True)
            for hold in everyone.values()
            if hold.reference not in moving
            for slot in value_of(hold).slots
        ]
        for reference, move in moving.items():
            if reference not in everyone:
                raise ErpConflict(f"{reference} holds nothing any more: plan again.", fields={"reference": reference})
            _refuse_taken_slots(replace(value_of(everyone[reference]), slots=move.slots), others)
            others += [Booking(slot.work_centre, slot.start, slot.end, reference, mine=True) for slot in move.slots]
            RemoteHold.objects.filter(pk=everyone[reference].pk).update(slots=_written(move.slots), slots_kept=False)
            _note(shop, reference, [])
            _tick(shop)  # the next change has a number of its own


def change(shop: str, reference: str, apply: Callable[[RemoteHold], bool]) -> bool:
    """Change or drop the hold of a reference under the clock; `apply` says whether anything was changed."""
    with transaction.atomic():
        RemoteHoldClock.objects.get_or_create(shop=shop)
        _tick(shop)
        hold = RemoteHold.objects.filter(shop=shop, reference=reference).first()
        if hold is None:
            return False
        skus = sorted({sku for sku, _ in _heaps(hold.materials)})
        if not apply(hold):
            return False
        _note(shop, reference, skus)
        return True


def value_of(hold: RemoteHold) -> Hold:
    """A hold as the port says it."""
    return Hold(
        hold.reference,
        tuple(MaterialHold(sku, lot or None, Decimal(quantity)) for sku, lot, quantity in hold.materials),
        tuple(
            SlotHold(centre, datetime.fromisoformat(start), datetime.fromisoformat(end), name)
            for centre, start, end, name in hold.slots
        ),
        hold.expires,
    )


def _heaps(rows: Iterable[Sequence[str]]) -> dict[Heap, Decimal]:
    total: dict[Heap, Decimal] = defaultdict(Decimal)
    for sku, lot, quantity in rows:
        total[sku, lot] += Decimal(quantity)
    return dict(total)


def _check_turn(mine: RemoteHold | None, wanted: Hold) -> None:
    if mine is not None and mine.consumed:
        raise ErpRejected(f"What {wanted.reference} held has been used up.", fields={"reference": wanted.reference})
    if mine is not None and mine.fence > wanted.fence:
        raise ErpConflict(f"{wanted.reference} is being held by somebody else.", fields={"reference": wanted.reference})


def _choose(
    wanted: Hold,
    levels: Mapping[str, StockLevel],
    before: Mapping[Heap, Decimal],
    short: Callable[[StockLevel, Decimal, str | None], ErpConflict],
) -> tuple[MaterialHold, ...]:
    """The lots: those named, then for what may come from anywhere what is held already, and the shortest rolls."""
    chosen: dict[Heap, Decimal] = defaultdict(Decimal)
    for material in wanted.materials:
        if material.lot is not None:
            level = levels[material.sku]
            if all(lot.lot != material.lot for lot in level.lots):
                raise ErpRejected(f"{level.name} has no roll {material.lot}.", fields={"lot": material.lot})
            chosen[material.sku, material.lot] += material.quantity
    for (sku, lot), quantity in chosen.items():
        if quantity > next(each.free for each in levels[sku].lots if each.lot == lot):
            raise short(levels[sku], quantity, lot)
    anywhere: dict[str, Decimal] = defaultdict(Decimal)
    for material in wanted.materials:
        if material.lot is None:
            anywhere[material.sku] += material.quantity
    for sku, quantity in anywhere.items():
        left = quantity
        lots = sorted(levels[sku].lots, key=lambda lot: ((sku, lot.lot) not in before, lot.free))
        for lot in lots:
            share = min(lot.free - chosen.get((sku, lot.lot), Decimal(0)), left)
            if share > 0:
                chosen[sku, lot.lot] += share
                left -= share
        if left > 0:
            raise short(levels[sku], quantity, None)
    return tuple(MaterialHold(sku, lot or None, quantity) for (sku, lot), quantity in sorted(chosen.items()))


def _refuse_taken_slots(wanted: Hold, bookings: Sequence[Booking]) -> None:
    for slot in wanted.slots:
        for other in sorted(bookings, key=lambda booking: booking.start):
            theirs = other.reference != wanted.reference or not other.mine
            if theirs and other.work_centre == slot.work_centre and other.start < slot.end and other.end > slot.start:
                raise SlotTaken(
                    f"{slot.work_centre} is taken by {other.reference} in that time: plan again.",
                    fields={
                        "work_centre": slot.work_centre,
                        "start": slot.start.isoformat(),
                        "end": slot.end.isoformat(),
                        "taken_by": other.reference,
                        "taken_from": other.start.isoformat(),
                        "taken_until": other.end.isoformat(),
                    },
                )


def _write(shop: str, number: int, wanted: Hold, materials: Sequence[MaterialHold], now: datetime) -> bool:
    """Write the hold if nobody changed any since `number` was read; False: look again."""
    with transaction.atomic():
        if not RemoteHoldClock.objects.filter(shop=shop, number=number).update(number=F("number") + 1):
            return False
        RemoteHold.objects.filter(shop=shop, expires__lte=now, consumed=False).exclude(
            reference=wanted.reference
        ).delete()
        values = {
            "materials": [[each.sku, each.lot or "", str(each.quantity)] for each in materials],
            "slots": _written(wanted.slots),
            "expires": wanted.expires,
            "fence": wanted.fence,
            "slots_kept": False,
        }
        RemoteHold.objects.update_or_create(shop=shop, reference=wanted.reference, defaults=values)
        _note(shop, wanted.reference, sorted({each.sku for each in materials}))
        return True


def _written(slots: Iterable[SlotHold]) -> list[list[str]]:
    return [
        [slot.work_centre, slot.start.isoformat(), slot.end.isoformat(), slot.name]
        for slot in sorted(slots, key=lambda slot: slot.start)
    ]


def _tick(shop: str) -> None:
    """Raise the shop's number; its row is held until the transaction is over."""
    RemoteHoldClock.objects.filter(shop=shop).update(number=F("number") + 1)


def _note(shop: str, reference: str, skus: Sequence[str]) -> None:
    number = RemoteHoldClock.objects.values_list("number", flat=True).get(shop=shop)
    RemoteHoldChange.objects.create(shop=shop, number=number, reference=reference, skus=list(skus))
