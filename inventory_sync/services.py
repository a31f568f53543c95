"""What the rest of the product asks of a shop's ERP, whichever connector answers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import cast

from django.conf import settings
from django.utils.module_loading import import_string

from inventory_sync.connectors.ledger_holds import free_expired
from inventory_sync.errors import ErpRejected
from inventory_sync.ports import (
    MANUFACTURING_ORDER,
    Booking,
    Document,
    Erp,
    ErpRecord,
    Hold,
    ManufacturingOrder,
    MaterialHold,
    RemoteRef,
    SlotHold,
    StockLevel,
    Window,
    WorkCentre,
)
from inventory_sync.seeding import seed_ledger

__all__ = [
    "Recorded",
    "bookings_of",
    "cancel_record",
    "connect",
    "held",
    "hold",
    "record",
    "release_expired",
    "release_hold",
    "seed_ledger",
    "stock_of",
    "work_centres_of",
]

Material = tuple[str, str | None, Decimal]  # sku, lot or None for any, quantity in the product's own unit
Slot = tuple[str, datetime, datetime]  # work centre, start, end


@dataclass(frozen=True)
class Recorded:
    """How a manufacturing order stands in the ERP after `record`."""

    ref: RemoteRef
    state: str
    documents: tuple[RemoteRef, ...]


def connect(connector_name: str, *, shop: str) -> Erp:
    """The connector registered under that name, for one shop. Raises ErpRejected naming the choices."""
    connectors: Mapping[str, str] = settings.WEFTLINE["connectors"]
    if connector_name not in connectors:
        choices = ", ".join(sorted(connectors))
        raise ErpRejected(
            f"There is no ERP connector {connector_name!r}; there are: {choices}.",
            fields={"connector": connector_name, "choices": sorted(connectors)},
        )
    return cast(Erp, import_string(connectors[connector_name])(shop=shop))


def stock_of(erp: Erp, skus: Iterable[str], *, besides: str | None = None) -> dict[str, StockLevel]:
    """Stock levels by sku. `besides`: what that reference already holds counts as free, for planning it again."""
    levels = {level.sku: level for level in erp.stock(dict.fromkeys(skus))}
    own = erp.held(besides) if besides else None
    for material in own.materials if own else ():
        level = levels.get(material.sku)
        if level is not None:
            lots = tuple(
                replace(lot, free=lot.free + material.quantity) if lot.lot == (material.lot or "") else lot
                for lot in level.lots
            )
            levels[material.sku] = replace(level, lots=lots)
    return levels


def work_centres_of(erp: Erp) -> dict[str, WorkCentre]:
    """Work centres by code."""
    return {centre.code: centre for centre in erp.work_centres()}


def bookings_of(erp: Erp, start: datetime, end: datetime, *, besides: str | None = None) -> list[Booking]:
    """Bookings that overlap the time. `besides`: leaves out what that reference itself holds."""
    everybody = erp.bookings(Window(start, end))
    return [booking for booking in everybody if besides is None or not (booking.mine and booking.reference == besides)]


def hold(
    erp: Erp,
    *,
    reference: str,
    materials: Iterable[Material],
    slots: Iterable[Slot],
    expires: datetime | None = None,
    fence: int = 0,
) -> Hold:
    """Hold materials and machine time for one order line: all of it or nothing, by reference.

    Again with the same reference replaces what it held. Raises NotEnoughStock and SlotTaken, which say what is
    missing and when it could be there.
    """
    wanted = Hold(
        reference,
        tuple(MaterialHold(sku, lot, Decimal(quantity)) for sku, lot, quantity in materials),
        tuple(SlotHold(centre, start, end) for centre, start, end in slots),
        expires,
        fence,
    )
    return erp.hold(wanted)


def held(erp: Erp, reference: str) -> Hold | None:
    """What the reference holds now: a step that runs again goes on from here instead of planning twice."""
    return erp.held(reference)


def release_hold(erp: Erp, reference: str) -> bool:
    """Free what the reference holds; False when it held nothing."""
    return erp.release(reference)


def release_expired(now: datetime) -> int:
    """Free every hold of the ledger whose time is over, in all shops; returns how many."""
    return free_expired(now)


def record(
    erp: Erp,
    *,
    external_id: str,
    order: ManufacturingOrder,
    documents: Sequence[Document] = (),
    confirm: bool = True,
) -> Recorded:
    """Write a manufacturing order with its documents and confirm it. Safe to repeat from any point."""
    ref = erp.upsert(ErpRecord(MANUFACTURING_ORDER, external_id, order))
    attached = tuple(erp.attach(ref, document) for document in documents)
    state = ref.state
    if confirm and state == "draft":
        state = erp.act(ref, "confirm", "draft")
    return Recorded(replace(ref, state=state), state, attached)


def cancel_record(erp: Erp, external_id: str) -> str | None:
    """Cancel a manufacturing order and free what it holds; its state, or None when there is no such record.

    Raises ErpRejected when it is done: what has been made can't be cancelled.
    """
    ref = erp.find(MANUFACTURING_ORDER, external_id)
    return None if ref is None else erp.act(ref, "cancel", ref.state)
