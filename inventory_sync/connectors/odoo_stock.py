"""Reading an Odoo: stock by lot and what is coming, work centres with their calendars, work orders, what changed."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha1
from typing import Any, Final

from inventory_sync.connectors import odoo_mapping as mapping
from inventory_sync.connectors.odoo_session import Product, Session
from inventory_sync.errors import ErpRejected
from inventory_sync.ports import BEGINNING, Calendar, Cursor, Incoming, Lot, StockLevel, Window, WorkCentre

# Odoo stamps a row with the begin of its transaction, so what commits late appears in the past: look back this far.
# Odoo ends a request after 120 s (`limit_time_real`); an import by a cron job may take longer.
OVERLAP: Final = timedelta(minutes=5)
OPEN_MOVES: Final = ["waiting", "confirmed", "partially_available", "assigned"]


# ------------------------------------------------------------------------------------------------ stock


def levels(
    session: Session, products: Mapping[str, Product], *, as_of: datetime, every: bool = False, coming: bool = True
) -> list[StockLevel]:
    """Stock of the products, in their order; two calls, however many, or one without what is `coming`.

    `every`: all that Odoo has, so that the products need not be named.
    """
    ids = None if every else [product.id for product in products.values()]
    heaps = _quants(session, ids)
    deliveries = incoming(session, ids) if coming else {}
    found = []
    for product in products.values():
        if not product.unit:
            if every:
                continue  # the doctor names it
            raise ErpRejected(
                f"{product.sku} is kept in a unit that is not known here: keep it in m, l, kg or pieces.",
                fields={"sku": product.sku},
            )
        lots = [
            Lot(lot, free=on_hand - reserved, on_hand=on_hand)
            for lot, (on_hand, reserved) in sorted(heaps.get(product.id, {}).items())
            if on_hand > 0
        ]
        found.append(
            StockLevel(
                sku=product.sku,
                lots=tuple(lots),
                incoming=tuple(sorted(deliveries.get(product.id, ()), key=lambda each: each.due)),
                supplier_lead_days=session.lead_days.get(product.template),
                unit=product.unit,
                unit_cost=product.unit_cost,
                as_of=as_of,
                name=product.name,
                by_lot=product.by_lot,
            )
        )
    return found


def _quants(session: Session, ids: Sequence[int] | None) -> dict[int, dict[str, tuple[Decimal, Decimal]]]:
    """Product id -> lot -> (on hand, reserved), where components are taken from."""
    domain: list[Any] = [("location_id", "child_of", session.places["stock"])]
    if ids is not None:
        domain.append(("product_id", "in", list(ids)))
    bare = session.bare if ids is None else {}
    fields = ["product_id", "lot_id", "quantity", "reserved_quantity"]
    rows = session.rpc.read("stock.quant", domain, fields, context=session.context, **bare)
    names = _lot_names(session, rows) if bare else {}
    heaps: dict[int, dict[str, tuple[Decimal, Decimal]]] = defaultdict(dict)
    for row in rows:
        lot_id = mapping.ident(row["lot_id"])
        lot = (names.get(lot_id) or mapping.label(row["lot_id"])) if lot_id else ""
        heap = heaps[mapping.ident(row["product_id"])]
        on_hand, reserved = heap.get(lot, (Decimal(0), Decimal(0)))
        heap[lot] = (on_hand + mapping.number(row["quantity"]), reserved + mapping.number(row["reserved_quantity"]))
    return heaps


def _lot_names(session: Session, rows: Iterable[Mapping[str, Any]]) -> dict[int, str]:
    ids = sorted({mapping.ident(row["lot_id"]) for row in rows} - {0})
    if not ids:
        return {}
    named = session.rpc.read(session.names.lot, [("id", "in", ids)], ["name"], context=session.context)
    return {row["id"]: row["name"] for row in named}


def incoming(session: Session, ids: Sequence[int] | None) -> dict[int, list[Incoming]]:
    """Product id -> what a supplier is to deliver."""
    domain: list[Any] = [
        ("state", "in", OPEN_MOVES),
        ("location_id.usage", "=", "supplier"),
        ("location_dest_id.usage", "=", "internal"),
        ("company_id", "=", session.company["id"]),
    ]
    if ids is not None:
        domain.append(("product_id", "in", list(ids)))
    fields = ["product_id", "product_qty", "date", "origin", "reference"]
    coming: dict[int, list[Incoming]] = defaultdict(list)
    for row in session.rpc.read("stock.move", domain, fields, context=session.context):
        due = mapping.moment(row["date"])
        assert due is not None
        delivery = Incoming(mapping.number(row["product_qty"]), due, str(row["origin"] or row["reference"] or ""))
        coming[mapping.ident(row["product_id"])].append(delivery)
    return coming


# ------------------------------------------------------------------------------------------------ machines


@dataclass(frozen=True)
class Work:
    """A work order of anybody's, with its order in Odoo."""

    id: int
    order_id: int
    order: str
    work_centre: str
    name: str
    start: datetime
    end: datetime


def work_centres(session: Session, own_facts: Mapping[str, Mapping[str, str]]) -> list[WorkCentre]:
    """Work centres by code, in five calls. `own_facts`: what the shop itself says of a machine; it wins."""
    fields = ["code", "name", "resource_calendar_id", "resource_id", "costs_hour", "time_start", "time_stop", "note"]
    fields.append("alternative_workcenter_ids")
    domain = [("code", "!=", False), ("company_id", "in", [session.company["id"], False])]
    rows = session.rpc.read("mrp.workcenter", domain, fields, context=session.context)
    codes = {row["id"]: row["code"] for row in rows}
    calendars = _calendars(session, rows)
    centres = []
    for row in sorted(rows, key=lambda each: each["code"]):
        known = {**mapping.facts(row["note"]), **own_facts.get(row["code"], {})}
        centres.append(
            WorkCentre(
                code=row["code"],
                name=row["name"],
                kind=known.pop("kind", ""),
                cost_per_hour=mapping.number(row["costs_hour"]),
                setup_min=float(row["time_start"]),
                cleanup_min=float(row["time_stop"]),
                alternatives=tuple(codes[id] for id in row["alternative_workcenter_ids"] if id in codes),
                attributes=known,
                calendar=calendars[row["id"]],
            )
        )
    return centres


def _calendars(session: Session, centres: Sequence[Mapping[str, Any]]) -> dict[int, Calendar]:
    """Work centre id -> its calendar. Work orders are leaves too, in Odoo's eyes; they are bookings in ours."""
    ids = sorted({mapping.ident(row["resource_calendar_id"]) for row in centres} - {0})
    context = session.context
    tz = {row["id"]: row["tz"] for row in session.rpc.read("resource.calendar", [("id", "in", ids)], ["tz"])}
    lines = session.rpc.read(
        "resource.calendar.attendance",
        [("calendar_id", "in", ids)],
        ["calendar_id", "dayofweek", "hour_from", "hour_to", "day_period"],
    )
    resources = [mapping.ident(row["resource_id"]) for row in centres]
    booked = session.rpc.read("mrp.workorder", [("leave_id", "!=", False)], ["leave_id"], context=context)
    leaves = session.rpc.read(
        "resource.calendar.leaves",
        [
            ("id", "not in", [mapping.ident(row["leave_id"]) for row in booked]),
            "|", ("resource_id", "in", resources),
            "&", ("resource_id", "=", False), "|", ("calendar_id", "in", ids), ("calendar_id", "=", False),
        ],
        ["name", "resource_id", "calendar_id", "date_from", "date_to"],
        context=context,
    )  # fmt: skip
    found = {}
    for row in centres:
        calendar, resource = mapping.ident(row["resource_calendar_id"]), mapping.ident(row["resource_id"])
        shifts = [line for line in lines if mapping.ident(line["calendar_id"]) == calendar]
        closed = [_window(leave) for leave in leaves if _closes(leave, resource=resource, calendar=calendar)]
        if not calendar:  # Odoo takes a work centre without one to run round the clock
            shifts = [{"dayofweek": day, "hour_from": 0, "hour_to": 24} for day in range(7)]
        closed.sort(key=lambda each: each.start)
        found[row["id"]] = mapping.calendar_of(tz.get(calendar, "UTC"), shifts, closed)
    return found


def _closes(leave: Mapping[str, Any], *, resource: int, calendar: int) -> bool:
    if whose := mapping.ident(leave["resource_id"]):
        return whose == resource
    return mapping.ident(leave["calendar_id"]) in {calendar, 0}


def _window(leave: Mapping[str, Any]) -> Window:
    start, end = mapping.moment(leave["date_from"]), mapping.moment(leave["date_to"])
    assert start is not None
    assert end is not None
    return Window(start, end, str(leave["name"] or ""))


def work(session: Session, window: Window) -> list[Work]:
    """Work orders of anybody's that overlap the window and are neither done nor cancelled, by start; one call."""
    names = session.names
    fields = ["name", "workcenter_id", "production_id", names.start, names.end]
    rows = session.rpc.read(
        "mrp.workorder",
        [
            ("state", "not in", ["done", "cancel"]),
            (names.start, "<", mapping.said(window.end)),
            (names.end, ">", mapping.said(window.start)),
        ],
        fields,
        context=session.context,
    )
    codes = {centre.id: centre.code for centre in session.centres.values()}
    found = []
    for row in rows:
        start, end = mapping.moment(row[names.start]), mapping.moment(row[names.end])
        code = codes.get(mapping.ident(row["workcenter_id"]))
        if start and end and code:
            order = row["production_id"]
            found.append(Work(row["id"], mapping.ident(order), mapping.label(order), code, row["name"], start, end))
    return sorted(found, key=lambda each: (each.start, each.id))


# ------------------------------------------------------------------------------------------------ what changed


@dataclass(frozen=True)
class Touched:
    """Rows of Odoo's that were written since the last look."""

    products: frozenset[int] = frozenset()
    orders: frozenset[int] = frozenset()  # manufacturing orders, by id
    sales: frozenset[int] = frozenset()
    machines: bool = False  # a work centre, a calendar or a leave
    work: frozenset[int] = frozenset()  # manufacturing orders whose work orders were moved
    at: datetime | None = None


def touched(session: Session, cursor: Cursor) -> tuple[Touched, Cursor]:
    """What was written since the cursor, and the cursor to go on from. May tell twice, never misses a committed row.

    The cursor holds for each model the server's time of the last look and the rows of the overlap before it, so that a
    row is told again only when something in it changed.
    """
    try:
        before: dict[str, Any] = json.loads(cursor.value) if cursor != BEGINNING else {}
        assert isinstance(before, dict)
    except (ValueError, AssertionError):
        raise ErpRejected(f"{cursor.value!r} is no cursor of Odoo's.", fields={"cursor": cursor.value}) from None
    after: dict[str, Any] = {}
    told: dict[str, set[int]] = defaultdict(set)
    newest: datetime | None = None
    for model, domain, fields, keys in _watched(session):
        if model not in before:  # whoever begins reads everything anyway: it matters only from when on
            session.rpc.read(model, domain, ["write_date"], limit=1, context=session.context)
            after[model] = {"until": mapping.said(session.rpc.server_now), "seen": {}}
            continue
        since = mapping.moment(before[model]["until"])
        assert since is not None
        recent = ("write_date", ">=", mapping.said(since - OVERLAP))
        rows = session.rpc.read(
            model, [*domain, recent], ["write_date", *fields], order="write_date, id", context=session.context,
            **session.bare,
        )  # fmt: skip
        until = session.rpc.server_now
        seen, now_seen = before[model]["seen"], {}
        for row in rows:
            written = mapping.moment(row["write_date"])
            assert written is not None
            digest = _digest(row)
            if written >= until - OVERLAP:
                now_seen[str(row["id"])] = digest
            if seen.get(str(row["id"])) != digest:
                newest = max(newest or written, written)
                for what, field in keys.items():
                    told[what].add(mapping.ident(row[field]))
        after[model] = {"until": mapping.said(until), "seen": now_seen}
    found = Touched(
        products=frozenset(told["product"] - {0}),
        orders=frozenset(told["order"] - {0}),
        sales=frozenset(told["sale"] - {0}),
        machines=bool(told["machine"]),
        work=frozenset(told["work"] - {0}),
        at=newest,
    )
    return found, Cursor(json.dumps(after, sort_keys=True, separators=(",", ":")))


def _watched(session: Session) -> list[tuple[str, list[Any], list[str], dict[str, str]]]:
    """(model, domain, fields that matter, what each row tells of: {what: field of the id})."""
    names = session.names
    dates = [names.start, names.end]
    kept = [("location_id.usage", "=", "internal")]
    move = ["product_id", "state", "product_uom_qty", "date", "raw_material_production_id"]
    centre = ["name", "note", "costs_hour", "resource_calendar_id"]
    leave = ["date_from", "date_to", "resource_id", "calendar_id"]
    return [
        ("product.product", [("default_code", "!=", False)], ["name", "standard_price", "active"], {"product": "id"}),
        ("stock.quant", kept, ["product_id", "quantity", "reserved_quantity"], {"product": "product_id"}),
        # A move tells of a quant that is gone: an emptied roll is deleted, and a deleted row can't be read.
        (
            "stock.move",
            [("state", "!=", "draft")],
            move,
            {"product": "product_id", "order": "raw_material_production_id"},
        ),
        ("mrp.production", [], ["state", "product_qty", "date_deadline", *dates], {"order": "id"}),
        (
            "mrp.workorder",
            [],
            ["state", "workcenter_id", "production_id", *dates],
            {"order": "production_id", "work": "production_id"},
        ),
        ("sale.order", [], ["state", "amount_untaxed", "commitment_date"], {"sale": "id"}),
        ("mrp.workcenter", [], centre, {"machine": "id"}),
        ("resource.calendar.leaves", [("time_type", "=", "leave")], leave, {"machine": "id"}),
    ]


def _digest(row: Mapping[str, Any]) -> str:
    plain = json.dumps(dict(row), sort_keys=True, default=str)
    return sha1(plain.encode(), usedforsecurity=False).hexdigest()[:10]
