"""What the rest of the product asks of a shop's ERP, whichever connector answers."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Generic, TypeVar, cast

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from inventory_sync import mirror
from inventory_sync.connectors.ledger_holds import free_expired
from inventory_sync.connectors.odoo_rpc import checked_url
from inventory_sync.credentials import keep_secret
from inventory_sync.errors import ErpError, ErpRejected, ErpUnavailable
from inventory_sync.mirror import require_fresh
from inventory_sync.models import ErpConnection, ErpLink
from inventory_sync.ports import (
    MANUFACTURING_ORDER,
    SALE_ORDER,
    Booking,
    Document,
    Erp,
    ErpInfo,
    ErpRecord,
    Hold,
    ManufacturingOrder,
    MaterialHold,
    RemoteRef,
    SaleOrder,
    SlotHold,
    StockLevel,
    Window,
    WorkCentre,
)
from inventory_sync.seeding import seed_ledger

__all__ = [
    "Recorded",
    "addresses",
    "bookings_of",
    "cancel_record",
    "connect",
    "connect_remote",
    "held",
    "hold",
    "make",
    "problems_of",
    "quote",
    "record",
    "release_expired",
    "release_hold",
    "require_fresh",
    "seed_ledger",
    "stock_of",
    "work_centres_of",
    "work_on",
]

Material = tuple[str, str | None, Decimal]  # sku, lot or None for any, quantity in the product's own unit
Slot = tuple[str, datetime, datetime]  # work centre, start, end
T = TypeVar("T")


@dataclass(frozen=True)
class Known(Generic[T]):
    """What the mirror says, and as of when."""

    value: T
    as_of: datetime | None


@dataclass(frozen=True)
class Recorded:
    """How an order stands in the ERP after `record`: the sale, and what is made for it."""

    sale: RemoteRef
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


def connect_remote(
    shop: str, *, connector: str, url: str, database: str, login: str, key: str, company: str = ""
) -> ErpInfo:
    """Remember how a shop's ERP is reached, if it answers; returns who answered. The key is kept encrypted.

    Raises ErpRejected for an address that is none or would send the key in clear, and whatever asking raises; then
    the connection that was there stays as it was.
    """
    with transaction.atomic():
        kept = ErpConnection.objects.filter(shop=shop).first() or ErpConnection(shop=shop)
        kept.url, kept.database, kept.login, kept.company = checked_url(url), database, login, company
        keep_secret(kept, key)
        kept.save()
        return connect(connector, shop=shop).ping()


def calendars_at(shop: str) -> str:
    """The page of a shop's ERP on which the hours of its work centres are kept; empty where none is connected."""
    kept = ErpConnection.objects.filter(shop=shop).first()
    return f"{kept.url.rstrip('/')}/web#model=resource.calendar&view_type=list" if kept is not None else ""


def problems_of(erp: Erp, *, currency: str) -> list[str]:
    """What an administrator has to mend before the shop's orders can run on its ERP, one sentence each."""
    found = list(erp.problems())
    try:
        theirs = erp.ping().currency
    except ErpError as error:
        return list(dict.fromkeys([*found, str(error)]))
    if theirs and theirs != currency:
        found.append(
            f"The shop counts in {currency}, the ERP in {theirs}: make a pricelist in {currency} there, "
            f"or set the shop to {theirs}."
        )
    return found


def stock_of(
    erp: Erp, skus: Iterable[str], *, besides: str | None = None, fresh: bool = False
) -> dict[str, StockLevel]:
    """Stock levels by sku. `besides`: what that reference already holds counts as free, for planning it again.

    Of an ERP that lives elsewhere they may be as old as its mirror (`as_of` says how old); `fresh`: it is asked.
    Raises ErpUnavailable when it has to be asked, does not answer, and was never read.
    """
    wanted = list(dict.fromkeys(skus))

    def known() -> Known[dict[str, StockLevel]] | None:
        found = mirror.levels(erp.shop, wanted)
        if len(found) < len(wanted):
            return None
        return Known({sku: found[sku] for sku in wanted}, min((each.as_of for each in found.values()), default=None))

    if erp.remote:
        levels = _known_or_asked(known, lambda: mirror.ask_stock(erp, wanted), fresh=fresh)
    else:
        levels = {level.sku: level for level in erp.stock(wanted)}
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


def work_centres_of(erp: Erp, *, fresh: bool = False) -> dict[str, WorkCentre]:
    """Work centres by code; as old as the mirror for an ERP that lives elsewhere, unless `fresh`."""

    def known() -> Known[list[WorkCentre]] | None:
        found = mirror.work_centres(erp.shop)
        return Known(found, mirror.as_of(erp.shop)) if found else None

    if erp.remote:
        centres = _known_or_asked(known, lambda: mirror.ask_work_centres(erp), fresh=fresh)
    else:
        centres = list(erp.work_centres())
    return {centre.code: centre for centre in centres}


def bookings_of(
    erp: Erp, start: datetime, end: datetime, *, besides: str | None = None, fresh: bool = False
) -> list[Booking]:
    """Bookings that overlap the time; as old as the mirror for an ERP that lives elsewhere, unless `fresh`.

    `besides`: leaves out what that reference itself holds.
    """
    window = Window(start, end)

    def known() -> Known[list[Booking]] | None:
        read_at = mirror.as_of(erp.shop)
        return Known(mirror.bookings(erp.shop, window), read_at) if read_at else None

    if erp.remote:
        everybody = _known_or_asked(known, lambda: mirror.ask_bookings(erp, window), fresh=fresh)
    else:
        everybody = list(erp.bookings(window))
    return [booking for booking in everybody if besides is None or not (booking.mine and booking.reference == besides)]


def _known_or_asked(known: Callable[[], Known[T] | None], ask: Callable[[], T], *, fresh: bool) -> T:
    """The mirror while it is young, otherwise the ERP; and while that does not answer the mirror, however old."""
    if fresh:
        return ask()
    last = known()
    youngest = timezone.now() - timedelta(seconds=settings.WEFTLINE["mirror_refresh_s"])
    if last is not None and last.as_of is not None and last.as_of >= youngest:
        return last.value
    try:
        return ask()
    except ErpUnavailable:
        if last is None:
            raise
        return last.value


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


def quote(erp: Erp, *, sale_id: str, sale: SaleOrder) -> RemoteRef:
    """Write a sale order as it is offered now; one that is confirmed stays so. Safe to repeat from any point.

    Raises ErpRejected when it was cancelled there.
    """
    return erp.upsert(ErpRecord(SALE_ORDER, sale_id, sale))


def make(erp: Erp, *, external_id: str, order: ManufacturingOrder) -> RemoteRef:
    """Write a manufacturing order as it should stand now; one that is confirmed stays so. Safe to repeat.

    Raises ErpRejected when it is done or was cancelled there.
    """
    return erp.upsert(ErpRecord(MANUFACTURING_ORDER, external_id, order))


def record(
    erp: Erp,
    *,
    sale_id: str,
    sale: SaleOrder,
    external_id: str,
    order: ManufacturingOrder,
    documents: Sequence[Document] = (),
    digest: tuple[str, str] | None = None,
) -> Recorded:
    """Write a sale order and the manufacturing order for one of its lines, confirm both, attach documents, say it once.

    `digest` is (key, text): what its readers are told. Safe to repeat from any point.
    """
    sold = _confirmed(erp, quote(erp, sale_id=sale_id, sale=sale))
    made = _confirmed(erp, make(erp, external_id=external_id, order=order))
    attached = tuple(erp.attach(made, documents)) if documents else ()
    if digest is not None:
        erp.tell(made, *digest)
    return Recorded(sold, made, made.state, attached)


def _confirmed(erp: Erp, ref: RemoteRef) -> RemoteRef:
    """The record, confirmed if it was a draft."""
    return replace(ref, state=erp.act(ref, "confirm", "draft")) if ref.state == "draft" else ref


def cancel_record(erp: Erp, external_id: str, *, kind: str = MANUFACTURING_ORDER) -> str | None:
    """Cancel a record, and free what a manufacturing order holds; its state, or None when there is no such record.

    Raises ErpRejected when it is done: what has been made can't be cancelled.
    """
    ref = erp.find(kind, external_id)
    return None if ref is None else erp.act(ref, "cancel", ref.state)


def work_on(erp: Erp, external_id: str, operation: str, action: str) -> str:
    """Start or finish one work order; returns the state of its manufacturing order, which the last one closes.

    Raises ErpRejected for an operation it doesn't have, and when it is not to be worked on.
    """
    return erp.work_on(external_id, operation, action)


def addresses(erp: Erp, kinds: Mapping[str, str]) -> dict[str, str]:
    """Where a person opens records in a browser, by external id, of those that are there; given the kind of each.

    An ERP that lives elsewhere is not asked: it has those that it acknowledged.
    """
    if erp.remote:
        links = ErpLink.objects.filter(shop=erp.shop, external_id__in=list(kinds))
        refs = [RemoteRef(link.kind, link.external_id, str(link.remote_id)) for link in links]
    else:
        standings = erp.standing([RemoteRef(kind, name, "") for name, kind in kinds.items()])
        refs = [standing.ref for standing in standings if standing is not None]
    return {ref.external_id: url for ref in refs if (url := erp.address(ref))}
