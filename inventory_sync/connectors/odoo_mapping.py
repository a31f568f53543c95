"""What each version of Odoo calls things, and how its values are read and written. Pure: no network, no database.

14 and 19 were run; where the names changed between them is by Odoo's own history. Whatever a version lacks is found by
`needed` against the server's `fields_get` (odoo_session.py): a wrong guess is named by the doctor, not met at night.
"""

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha1
from typing import Any, Final

from inventory_sync.errors import ErpProtocol
from inventory_sync.ports import Calendar, Shifts, Window

OLDEST: Final = 14
MODULE: Final = "weftline"

# Odoo's own name of a unit -> ours. A unit without such a name is known by what it is called.
UNITS: Final[Mapping[str, str]] = {
    "uom.product_uom_meter": "m",
    "uom.product_uom_cm": "cm",
    "uom.product_uom_millimeter": "mm",
    "uom.product_uom_litre": "l",
    "uom.product_uom_milliliter": "ml",
    "uom.product_uom_kgm": "kg",
    "uom.product_uom_gram": "g",
    "uom.product_uom_unit": "pcs",
}
# What is consumed in small amounts is written in the smaller unit: Odoo rounds to two digits, whatever the unit.
FINER: Final[Mapping[str, tuple[str, int]]] = {"l": ("ml", 1000), "kg": ("g", 1000)}

# Odoo's state -> ours, by kind of record.
SALE_STATES: Final = {"draft": "draft", "sent": "draft", "sale": "confirmed", "done": "confirmed", "cancel": "cancel"}
ORDER_STATES: Final = {
    "draft": "draft",
    "confirmed": "confirmed",
    "planned": "confirmed",
    "progress": "progress",
    "to_close": "progress",
    "done": "done",
    "cancel": "cancel",
}
WORK_STATES: Final = {
    "pending": "waiting",
    "waiting": "waiting",
    "blocked": "waiting",
    "ready": "waiting",
    "progress": "progress",
    "done": "done",
    "cancel": "cancel",
}


@dataclass(frozen=True)
class Names:
    """What one version calls the things that others call otherwise."""

    major: int
    lot: str  # model
    start: str  # of manufacturing orders and of work orders
    end: str
    reserved: str  # field of a move line: what is reserved
    storable: tuple[str, Any]  # (field, value) of a product that is kept in stock
    sale_line_unit: str
    linked_sale: bool  # a manufacturing order can name its line of the sale order
    references: (
        bool  # sale and manufacturing order meet in stock.reference (19); before, in what the delivery waits for
    )
    reserves_on_create: bool  # a new move line reserves at once; before, only a changed one does
    plans_on_create: bool  # a work order is on its work centre's calendar once it has dates
    needs_email: bool  # who changes a confirmed sale must have an e-mail address, or the change is refused
    named_moves: bool  # a move has a name that must be given
    keeps_bare_ids: bool  # search_read(load="") leaves the display names out


def names_of(version: str) -> Names:
    """What the version calls things. Raises ErpProtocol for one that is too old or can't be read.

    >>> names_of("14.0").start, names_of("saas~18.2").start, names_of("19.0+e").lot
    ('date_planned_start', 'date_start', 'stock.lot')
    """
    found = re.search(r"(\d+)(?:\.\d+)?", version)
    major = int(found[1]) if found else 0
    if major < OLDEST:
        raise ErpProtocol(f"Odoo {version} is not known here: {OLDEST} or later is needed.")
    dated = major >= 17
    return Names(
        major=major,
        lot="stock.lot" if major >= 16 else "stock.production.lot",
        start="date_start" if dated else "date_planned_start",
        end="date_finished" if dated else "date_planned_finished",
        reserved="quantity" if dated else ("reserved_uom_qty" if major == 16 else "product_uom_qty"),
        storable=("is_storable", True) if major >= 18 else ("type", "product"),
        sale_line_unit="product_uom_id" if major >= 19 else "product_uom",
        linked_sale=major >= 18,
        references=major >= 19,
        reserves_on_create=dated,
        plans_on_create=dated,
        needs_email=major <= 16,
        named_moves=major <= 18,
        keeps_bare_ids=major >= 15,
    )


def needed(names: Names) -> dict[str, tuple[str, ...]]:
    """Every field that is read or written, by model."""
    storable = names.storable[0]
    return {
        "product.product": (
            "default_code", "name", "uom_id", "standard_price", "tracking", "product_tmpl_id", storable,
        ),
        "product.supplierinfo": ("product_tmpl_id", "delay"),
        "stock.quant": ("product_id", "lot_id", "location_id", "quantity", "reserved_quantity", "company_id"),
        names.lot: ("name", "product_id"),
        "stock.move": ("product_id", "product_uom_qty", "product_uom", "state", "date", "raw_material_production_id"),
        "stock.move.line": ("move_id", "product_id", "lot_id", "location_id", names.reserved),
        "mrp.workcenter": (
            "code", "name", "resource_calendar_id", "resource_id", "costs_hour", "time_start", "time_stop", "note",
            "alternative_workcenter_ids",
        ),
        "resource.calendar": ("name", "tz"),
        "resource.calendar.attendance": ("calendar_id", "dayofweek", "hour_from", "hour_to"),
        "resource.calendar.leaves": ("resource_id", "calendar_id", "date_from", "date_to", "name"),
        "mrp.production": (
            "product_id", "product_qty", "product_uom_id", "origin", "state", "bom_id", "move_raw_ids",
            "workorder_ids", "date_deadline", "qty_producing", "location_dest_id", names.start, names.end,
            *(("sale_line_id",) if names.linked_sale else ()),
            *(("reference_ids",) if names.references else ()),
        ),
        "mrp.workorder": (
            "name", "workcenter_id", "production_id", "duration_expected", "state", "leave_id", names.start, names.end,
        ),
        "sale.order": (
            "partner_id", "client_order_ref", "commitment_date", "order_line", "state", "currency_id", "note",
            *(("stock_reference_ids",) if names.references else ("procurement_group_id",)),
        ),
        "sale.order.line": ("order_id", "product_id", "name", "product_uom_qty", "price_unit", names.sale_line_unit),
        "res.partner": ("name", "active"),
        "ir.attachment": ("name", "res_model", "res_id", "datas", "mimetype", "checksum", "type", "url"),
        "mail.message": ("model", "res_id", "body", "message_type", "subtype_id"),
        "mail.activity": ("res_model_id", "res_id", "summary", "note", "user_id"),
        "stock.scrap": (
            "product_id", "product_uom_id", "scrap_qty", "production_id", "location_id", "origin", "state",
        ),
    }  # fmt: skip


# What the connection's user must be allowed to do: model -> operations.
RIGHTS: Final[Mapping[str, tuple[str, ...]]] = {
    "product.product": ("read",),
    "stock.quant": ("read",),
    "stock.move": ("read", "write", "create"),
    "stock.move.line": ("read", "write", "create", "unlink"),
    "mrp.workcenter": ("read",),
    "resource.calendar.leaves": ("read",),
    "mrp.production": ("read", "write", "create"),
    "mrp.workorder": ("read", "write", "create"),
    "sale.order": ("read", "write", "create"),
    "sale.order.line": ("read", "write", "create"),
    "res.partner": ("read",),
    "ir.attachment": ("read", "create"),
    "mail.message": ("create",),
    "mail.activity": ("create",),
    "stock.scrap": ("read", "write", "create"),
}
# The group that grants them, as an administrator finds it on the user's page.
GROUPS: Final[Mapping[str, str]] = {
    "product.product": "Sales: User",
    "stock.quant": "Inventory: User",
    "stock.move": "Inventory: User",
    "stock.move.line": "Inventory: User",
    "stock.scrap": "Inventory: User",
    "mrp.workcenter": "Manufacturing: User",
    "resource.calendar.leaves": "Manufacturing: User",
    "mrp.production": "Manufacturing: User",
    "mrp.workorder": "Manufacturing: User, with Work Orders switched on in the settings",
    "sale.order": "Sales: User: All Documents",
    "sale.order.line": "Sales: User: All Documents",
}


def external_name(shop: str, external_id: str) -> str:
    """The name of a record in Odoo's table of external ids: readable, and one for each of ours.

    >>> external_name("demo", "weftline:demo:WL-000001-1")
    'demo_weftline_demo_WL-000001-1_90dc202c'
    """
    readable = re.sub(r"[^A-Za-z0-9-]+", "_", f"{shop}_{external_id}")[:100]
    return f"{readable}_{sha1(f'{shop}/{external_id}'.encode(), usedforsecurity=False).hexdigest()[:8]}"


def moment(text: Any) -> datetime | None:
    """A time of Odoo's, which is UTC without saying so; None for one that is not set."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC) if text else None


def said(at: datetime) -> str:
    """A time as Odoo takes it: UTC, whole seconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def number(value: Any) -> Decimal:
    """A quantity of Odoo's, which is a float, without its last dust (61.800000000000004).

    >>> number(61.800000000000004), number(12.0)
    (Decimal('61.8'), Decimal('12'))
    """
    exact = Decimal(str(round(float(value or 0), 6)))
    return exact.quantize(Decimal(1)) if exact == exact.to_integral_value() else exact.normalize()


def ident(value: Any) -> int:
    """The id in a many2one, whether it came as [id, name] or bare; 0 for none."""
    return int(value[0] if isinstance(value, list | tuple) else value or 0)


def label(value: Any) -> str:
    """The display name in a many2one."""
    return str(value[1]) if isinstance(value, list | tuple) and len(value) > 1 else ""


def facts(note: Any) -> dict[str, str]:
    """Machine-readable facts in an internal note: `key=value; key=value`, whatever else is written around them.

    >>> facts("<p>kind=printer; width_cm=185; inks=C,M,Y,K</p>")
    {'kind': 'printer', 'width_cm': '185', 'inks': 'C,M,Y,K'}
    """
    plain = html.unescape(re.sub(r"<[^>]*>", "\n", str(note or "")))
    return {key: value.strip() for key, value in re.findall(r"([a-z][a-z0-9_]*)\s*=\s*([^;\n]+)", plain)}


def calendar_of(tz: str, attendance: Sequence[Mapping[str, Any]], leaves: Sequence[Window]) -> Calendar:
    """A calendar's shifts by weekday, breaks left out, less the leaves."""
    days: list[list[tuple[float, float]]] = [[] for _ in range(7)]
    for row in attendance:
        if row.get("day_period") != "lunch" and not row.get("display_type"):
            days[int(row["dayofweek"])].append((float(row["hour_from"]), float(row["hour_to"])))
    shifts: Shifts = tuple(tuple(sorted(set(day))) for day in days)
    return Calendar(tz=tz or "UTC", shifts=shifts, leaves=tuple(leaves))
