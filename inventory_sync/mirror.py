"""What was last read of an ERP that lives elsewhere: quoting goes on from here while it is away, with the age shown.

A mirror is behind by what happened since, so nothing is ever held or released by it alone. Whoever writes it takes the
row of MirrorOf first, so that writers come one after the other; what an older reading overwrites, the next poll reads
again, because its cursor is written with it.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from inventory_sync.errors import ErpRejected, ErpUnavailable, StaleStock
from inventory_sync.models import MirrorOf, MirrorStock
from inventory_sync.ports import (
    SALE_ORDER,
    Booking,
    Calendar,
    Change,
    Cursor,
    Erp,
    Incoming,
    Lot,
    StockLevel,
    Window,
    WorkCentre,
)
from inventory_sync.words import age

# Kinds of changes that say what to read again here; any other but a sale order's may have moved bookings.
STOCK: Final = "stock"
WORK_CENTRE: Final = "work_centre"

# A promise looks 120 days ahead; everything is read again every day, and may have to last one more.
AHEAD: Final = timedelta(days=122)
WHOLE_EVERY: Final = timedelta(days=1)

# One JSON object of levels by sku becomes as many rows; "WHERE true" tells SQLite where the SELECT ends.
KEEP: Final = {
    "sqlite": "INSERT INTO inventory_sync_mirrorstock (shop, sku, level) SELECT %s, key, value FROM json_each(%s)"
    " WHERE true ON CONFLICT (shop, sku) DO UPDATE SET level = excluded.level",
    "postgresql": "INSERT INTO inventory_sync_mirrorstock (shop, sku, level) SELECT %s, key, value"
    " FROM jsonb_each(%s::jsonb) ON CONFLICT (shop, sku) DO UPDATE SET level = excluded.level",
}


# ------------------------------------------------------------------------------------------------ reading the ERP


def refresh(erp: Erp) -> None:
    """Read everything and replace the shop's mirror in one transaction."""
    now, known = timezone.now(), MirrorOf.objects.filter(shop=erp.shop).first()
    # The cursor is from before the reading: what changes meanwhile is read once more. One that is there stays, or
    # whoever follows the changes would miss those between.
    cursor = known.cursor if known and known.cursor else _changes(erp, Cursor())[1].value
    read, stock = _everything(erp, now)
    with transaction.atomic():
        _write(erp.shop, cursor=cursor, as_of=now, **read)
        _keep_levels(erp.shop, stock, instead=True)


def poll(erp: Erp, *, note: Callable[[Sequence[Change]], Any] = lambda changes: None) -> Sequence[Change]:
    """Read again what has changed since the last time, and return the changes, each thing once, oldest first.

    `note` is told of them inside the transaction that moves the cursor, so that none is passed over unnoted. Of an
    ERP that is no further away than our own database nothing but the cursor is kept.
    """
    now, known = timezone.now(), MirrorOf.objects.filter(shop=erp.shop).first()
    changes, cursor = _changes(erp, Cursor(known.cursor if known else ""))
    whole = erp.remote and (known is None or known.whole_at is None or known.whole_at < now - WHOLE_EVERY)
    read: dict[str, Any] = {}
    stock: Sequence[StockLevel] = []
    if erp.remote and not whole:
        try:
            read, stock = _what_changed(erp, changes, now)
        except ErpRejected:  # a material is not there any more: what is left is read whole
            whole = True
    if whole:
        read, stock = _everything(erp, now)
    with transaction.atomic():
        _write(erp.shop, cursor=cursor.value, as_of=now, **read)
        _keep_levels(erp.shop, stock, instead=whole)
        note(changes)
    return changes


def ask_stock(erp: Erp, skus: Iterable[str]) -> dict[str, StockLevel]:
    """Stock levels by sku as the ERP says now; kept. Raises ErpError."""
    levels = erp.stock(dict.fromkeys(skus))
    with transaction.atomic():
        _write(erp.shop)
        _keep_levels(erp.shop, levels)
    return {level.sku: level for level in levels}


def ask_work_centres(erp: Erp) -> list[WorkCentre]:
    """All work centres as the ERP says now; kept. Raises ErpError."""
    centres = list(erp.work_centres())
    _write(erp.shop, work_centres=[_centre_out(centre) for centre in centres])
    return centres


def ask_bookings(erp: Erp, window: Window) -> list[Booking]:
    """Everybody's bookings that overlap the window as the ERP says now; kept with those outside it. Raises ErpError."""
    found = list(erp.bookings(window))
    with transaction.atomic():
        _write(erp.shop)
        others = [each for each in _bookings(erp.shop) if not _overlaps(each, window)]
        kept = sorted([*others, *found], key=lambda each: each.start)
        _write(erp.shop, bookings=[_booking_out(each) for each in kept])
    return found


def require_fresh(erp: Erp, skus: Iterable[str]) -> None:
    """Make sure that what is known of these materials is young enough to release on; asks the ERP when it is not.

    Raises StaleStock when it is too old and the ERP does not answer. A ledger is never old.
    """
    if not erp.remote:
        return
    wanted, now = list(dict.fromkeys(skus)), timezone.now()
    limit_min: int = settings.WEFTLINE["stale_stock_min"]
    known = levels(erp.shop, wanted)
    stale = [sku for sku in wanted if sku not in known or known[sku].as_of < now - timedelta(minutes=limit_min)]
    if not stale:
        return
    try:
        ask_stock(erp, wanted)
    except ErpUnavailable as error:
        sku = min(stale, key=lambda each: known[each].as_of if each in known else datetime.min.replace(tzinfo=UTC))
        level = known.get(sku)
        read = f"was read {age(now - level.as_of)} ago" if level else "has never been read"
        sentence = (
            f"The stock of {sku} {read}; {limit_min} min is the most to release on, and the ERP does not answer: "
            "try again when it does."
        )
        fields = {
            "sku": sku,
            "as_of": level.as_of.isoformat() if level else None,
            "age_min": round((now - level.as_of) / timedelta(minutes=1)) if level else None,
            "limit_min": limit_min,
        }
        raise StaleStock(sentence, fields=fields) from error


# ------------------------------------------------------------------------------------------------ what is known


def levels(shop: str, skus: Iterable[str] | None = None) -> dict[str, StockLevel]:
    """Stock levels by sku as they were last read, of the materials asked that are known; None: of every one.

    What no later reading has found changed is as old as that reading.
    """
    rows = MirrorStock.objects.filter(shop=shop).order_by("sku")
    rows = rows if skus is None else rows.filter(sku__in=list(skus))
    read_at = as_of(shop)
    return {sku: _level_in(sku, level, read_at) for sku, level in rows.values_list("sku", "level")}


def work_centres(shop: str) -> list[WorkCentre]:
    """Work centres as they were last read, by code."""
    known = MirrorOf.objects.filter(shop=shop).values_list("work_centres", flat=True).first()
    return [_centre_in(each) for each in known or ()]


def bookings(shop: str, window: Window) -> list[Booking]:
    """Bookings that overlap the window as they were last read, by start."""
    return [each for each in _bookings(shop) if _overlaps(each, window)]


def as_of(shop: str) -> datetime | None:
    """When a reading of what changed last went through; None: never."""
    return MirrorOf.objects.filter(shop=shop).values_list("as_of", flat=True).first()


def _bookings(shop: str) -> list[Booking]:
    known = MirrorOf.objects.filter(shop=shop).values_list("bookings", flat=True).first()
    return [_booking_in(each) for each in known or ()]


def _overlaps(booking: Booking, window: Window) -> bool:
    return booking.start < window.end and booking.end > window.start


# ------------------------------------------------------------------------------------------------ keeping


def _changes(erp: Erp, cursor: Cursor) -> tuple[list[Change], Cursor]:
    """Return all changes since the cursor, each thing once, and the cursor behind them."""
    found: dict[tuple[str, str], Change] = {}
    while True:
        more, following = erp.changes(cursor)
        found |= {(change.kind, change.key): change for change in more}
        if following == cursor:
            return sorted(found.values(), key=lambda change: change.at), cursor
        cursor = following


def _everything(erp: Erp, now: datetime) -> tuple[dict[str, Any], Sequence[StockLevel]]:
    stock = erp.stock(None)
    return {"whole_at": now, **_centres_read(erp), **_bookings_read(erp, now)}, stock


def _what_changed(
    erp: Erp, changes: Sequence[Change], now: datetime
) -> tuple[dict[str, Any], Sequence[StockLevel]]:
    kinds = {change.kind for change in changes}
    skus = [change.key for change in changes if change.kind == STOCK]
    read = _centres_read(erp) if WORK_CENTRE in kinds else {}
    if kinds - {STOCK, SALE_ORDER}:
        read |= _bookings_read(erp, now)
    return read, erp.stock(skus) if skus else []


def _centres_read(erp: Erp) -> dict[str, Any]:
    return {"work_centres": [_centre_out(centre) for centre in erp.work_centres()]}


def _bookings_read(erp: Erp, now: datetime) -> dict[str, Any]:
    return {"bookings": [_booking_out(booking) for booking in erp.bookings(Window(now, now + AHEAD))]}


def _write(shop: str, **values: Any) -> None:
    """Write the shop's row, which makes every other writer wait until this transaction is over."""
    values = values or {"shop": shop}
    if not MirrorOf.objects.filter(shop=shop).update(**values):
        MirrorOf.objects.get_or_create(shop=shop)
        MirrorOf.objects.filter(shop=shop).update(**values)


def _keep_levels(shop: str, found: Sequence[StockLevel], *, instead: bool = False) -> None:
    """Write stock levels beside those that are known; `instead`: of all that was known before.

    In one statement, because ten thousand materials take four times as long through the ORM.
    """
    if instead:
        MirrorStock.objects.filter(shop=shop).delete()
    if found:
        levels = json.dumps({level.sku: _level_out(level) for level in found})
        with connection.cursor() as cursor:
            cursor.execute(KEEP[connection.vendor], [shop, levels])


# ------------------------------------------------------------------------------------------------ as JSON


def _level_out(level: StockLevel) -> dict[str, Any]:
    return {
        "name": level.name,
        "unit": level.unit,
        "unit_cost": str(level.unit_cost),
        "by_lot": level.by_lot,
        "lots": [[lot.lot, str(lot.free), str(lot.on_hand)] for lot in level.lots],
        "incoming": [[str(each.quantity), _text(each.due), each.reference] for each in level.incoming],
        "supplier_lead_days": level.supplier_lead_days,
        "as_of": _text(level.as_of),
    }


def _level_in(sku: str, kept: Mapping[str, Any], read_at: datetime | None) -> StockLevel:
    own = _moment(kept["as_of"])
    return StockLevel(
        sku=sku,
        lots=tuple(Lot(lot, Decimal(free), Decimal(on_hand)) for lot, free, on_hand in kept["lots"]),
        incoming=tuple(Incoming(Decimal(much), _moment(due), reference) for much, due, reference in kept["incoming"]),
        supplier_lead_days=kept["supplier_lead_days"],
        unit=kept["unit"],
        unit_cost=Decimal(kept["unit_cost"]),
        as_of=own if read_at is None else max(own, read_at),
        name=kept["name"],
        by_lot=kept["by_lot"],
    )


def _centre_out(centre: WorkCentre) -> dict[str, Any]:
    return {
        "code": centre.code,
        "name": centre.name,
        "kind": centre.kind,
        "cost_per_hour": str(centre.cost_per_hour),
        "setup_min": centre.setup_min,
        "cleanup_min": centre.cleanup_min,
        "alternatives": list(centre.alternatives),
        "attributes": dict(centre.attributes),
        "tz": centre.calendar.tz,
        "shifts": [[list(shift) for shift in day] for day in centre.calendar.shifts],
        "leaves": [[_text(leave.start), _text(leave.end), leave.what] for leave in centre.calendar.leaves],
    }


def _centre_in(kept: Mapping[str, Any]) -> WorkCentre:
    return WorkCentre(
        code=kept["code"],
        name=kept["name"],
        kind=kept["kind"],
        cost_per_hour=Decimal(kept["cost_per_hour"]),
        setup_min=kept["setup_min"],
        cleanup_min=kept["cleanup_min"],
        alternatives=tuple(kept["alternatives"]),
        attributes=kept["attributes"],
        calendar=Calendar(
            tz=kept["tz"],
            shifts=tuple(tuple((start, end) for start, end in day) for day in kept["shifts"]),
            leaves=tuple(Window(_moment(start), _moment(end), what) for start, end, what in kept["leaves"]),
        ),
    )


def _booking_out(booking: Booking) -> list[Any]:
    return [booking.work_centre, _text(booking.start), _text(booking.end), booking.reference, booking.mine]


def _booking_in(kept: Sequence[Any]) -> Booking:
    work_centre, start, end, reference, mine = kept
    return Booking(work_centre, _moment(start), _moment(end), reference, mine)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
