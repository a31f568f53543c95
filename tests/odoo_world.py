"""Shops of their own on a real Odoo: what other shops wrote there, or another run of the tests, is somebody else's."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zlib import crc32

import pytest

from inventory_sync import services
from inventory_sync.connectors import odoo_mapping as mapping
from inventory_sync.connectors.odoo_links import load
from inventory_sync.connectors.odoo_session import Session
from inventory_sync.credentials import keep_secret
from inventory_sync.models import ErpConnection, ErpLink
from inventory_sync.ports import Component, Erp, ManufacturingOrder, SaleLine, SaleOrder, WorkOrder, in_unit
from tests import odoo_server
from tests.odoo_server import Server

NAMES = {"id", "order_line/id", "move_raw_ids/id", "workorder_ids/id"}
CONNECTORS = {
    "odoo 14": ("odoo", "14"),
    "odoo 19": ("odoo", "19"),
    "odoo 19, JSON-2": ("odoo_json2", "19"),
}


def left_out(*versions: str) -> pytest.MarkDecorator:
    """The mark of a test that needs these versions."""
    lacking = not set(versions) <= set(odoo_server.VERSIONS)
    return pytest.mark.skipif(lacking, reason=odoo_server.LEFT_OUT)


def each(*names: str) -> list[Any]:
    """A test's parameters: these ways to an Odoo, or all; left out where their version is."""
    return [pytest.param(name, marks=left_out(CONNECTORS[name][1])) for name in names or CONNECTORS]


def shop_on(server: Server, *, name: str = "contract", url: str = "", login: str = "connector", key: str = "") -> str:
    """The slug of a new shop that reaches this Odoo as its user `connector`, or as another."""
    slug = f"{name}-{uuid.uuid4().hex[:12]}"
    connection = ErpConnection(
        shop=slug, url=url or server.url, database=server.database, login=login, company="My Company"
    )
    keep_secret(connection, key or server.connector_key)
    connection.save()
    return slug


@dataclass
class Mill:
    """A shop on an Odoo with a cloth of its own, of which there is one roll, an ink, and hours on the machines.

    Nothing of it is anybody else's: what it takes is missing to no other test.
    """

    server: Server
    connector: str
    slug: str
    sku: str
    lot: str
    ink: str
    on_hand: Decimal
    orders: list[str] = field(default_factory=list)

    def erp(self) -> Erp:
        """The shop's ERP as a step of a worker gets it: a new object each time."""
        return services.connect(self.connector, shop=self.slug)

    def order(self) -> str:
        """The number of a new order, which nobody else has."""
        self.orders.append(f"{self.slug}-{len(self.orders) + 1:02}")
        return self.orders[-1]

    def at(self, number: str, minutes: float) -> datetime:
        """A time that is this order's: nobody else plans for that week."""
        week = crc32(number.encode()) % 5000 + 200
        return datetime(2027, 1, 4, 8, tzinfo=UTC) + timedelta(weeks=week, minutes=minutes)

    def sale_id(self, number: str) -> str:
        return f"weftline:{self.slug}:{number}"

    def record_id(self, number: str) -> str:
        return f"{self.sale_id(number)}-1"

    def sale(self, number: str) -> SaleOrder:
        line = SaleLine(
            f"{self.record_id(number)}:sale", "FIN-PRINT", "Minimalist floral", Decimal("12.5"), Decimal("31.20")
        )
        return SaleOrder("Atelier Nord", number, (line,), promise=self.at(number, 6000))

    def work(self, number: str) -> tuple[WorkOrder, ...]:
        return (
            WorkOrder("Pretreat", "PRET", self.at(number, 0), self.at(number, 31), 31.0),
            WorkOrder("Print", "PRT1", self.at(number, 60), self.at(number, 88), 28.0),
        )

    def made(self, number: str) -> ManufacturingOrder:
        """What is made for the order, linked to its sale."""
        return ManufacturingOrder(
            product="FIN-PRINT",
            quantity=Decimal("12.5"),
            reference=f"{number}-1",
            components=(Component(self.sku, Decimal("12.9"), self.lot), Component(self.ink, in_unit(52, "ml", "l"))),
            work_orders=self.work(number),
            due=self.at(number, 6000),
            sale=self.sale_id(number),
            sale_line=f"{self.record_id(number)}:sale",
        )

    def record(self, number: str) -> services.Recorded:
        """What a release writes, by a new connector."""
        return services.record(
            self.erp(), sale_id=self.sale_id(number), sale=self.sale(number), external_id=self.record_id(number),
            order=self.made(number),
        )  # fmt: skip

    def reserve_for_delivery(self, metres: Decimal) -> int:
        """What somebody in Odoo does who sends cloth out: the id of the delivery that has it reserved."""
        server = self.server
        (kind,) = server.rows(
            "stock.picking.type", [("code", "=", "outgoing")], ["default_location_src_id"], limit=1, order="id"
        )
        (customers,) = server.rows("stock.location", [("usage", "=", "customer")], ["id"], limit=1, order="id")
        (product,) = server.rows("product.product", [("default_code", "=", self.sku)], ["uom_id"])
        way = {"location_id": kind["default_location_src_id"][0], "location_dest_id": customers["id"]}
        move = {
            "product_id": product["id"], "product_uom_qty": float(metres), "product_uom": product["uom_id"][0], **way,
            **({} if server.major >= 19 else {"name": self.sku}),
        }  # fmt: skip
        moves = "move_ids" if server.major >= 16 else "move_lines"
        made = server.ask(
            "stock.picking",
            "create",
            {"picking_type_id": kind["id"], "origin": self.slug, **way, moves: [[0, 0, move]]},
        )
        server.ask("stock.picking", "action_confirm", [made])
        server.ask("stock.picking", "action_assign", [made])
        return int(made)

    def reserved_by(self, delivery: int) -> Decimal:
        """What the delivery has reserved of the roll."""
        reserved = mapping.names_of(self.server.version).reserved
        rows = self.server.rows(
            "stock.move.line", [("picking_id", "=", delivery), ("lot_id.name", "=", self.lot)], [reserved]
        )
        return Decimal(str(sum(row[reserved] for row in rows)))

    def reserved(self) -> Decimal:
        """What Odoo itself says is reserved of the roll."""
        rows = self.server.rows(
            "stock.quant",
            [("lot_id.name", "=", self.lot), ("location_id.usage", "=", "internal")],
            ["reserved_quantity"],
        )
        return Decimal(str(round(sum(row["reserved_quantity"] for row in rows), 3)))

    def delete(self, model: str, remote_id: str) -> None:
        """What an administrator does who cancels a record and then deletes it."""
        ids, context = [int(remote_id)], {"disable_cancel_warning": True}
        self.server.admin.execute_kw(model, "action_cancel", [ids], {"context": context})
        self.server.ask(model, "unlink", ids)

    def sales(self, number: str, *fields: str) -> list[dict[str, Any]]:
        return self.server.rows("sale.order", [("client_order_ref", "=", number)], ["state", *fields])

    def productions(self, number: str, *fields: str) -> list[dict[str, Any]]:
        return self.server.rows("mrp.production", [("origin", "=", f"{number}-1")], ["state", *fields])


def make_anew(session: Session, shop: str, **made: Any) -> tuple[ErpLink, bool]:
    """What a client does that knows no external ids: it makes the record, and remembers it if it hears of it.

    A negative control: stands in for `odoo_links.make_once`.
    """
    link, _ = ErpLink.objects.get_or_create(shop=shop, external_id=made["external_id"], defaults={"kind": made["kind"]})
    if link.remote_id is not None:
        return link, False
    nameless = [position for position, column in enumerate(made["columns"]) if column not in NAMES]
    columns = [made["columns"][position] for position in nameless]
    rows = [[["", *row][position] for position in nameless] for row in made["rows"]]
    (link.remote_id,) = load(session, made["model"], columns, rows, context=made.get("context"))
    link.save()
    return link, True


@contextmanager
def mill_on(name: str, *, metres: str = "1000", url: str = "") -> Iterator[Mill]:
    """A mill reached in the way of that name; afterwards its orders are cancelled and its cloth is put away."""
    connector, version = CONNECTORS[name]
    server = odoo_server.server(version)
    slug = shop_on(server, name="mill", url=url)
    mill = Mill(server, connector, slug, *(f"{kind}-{slug}".upper() for kind in ("FAB", "R", "INK")), Decimal(metres))
    products = [
        _new_product(server, mill.sku, like="FAB-COT-SAT", quantity=mill.on_hand, lot=mill.lot),
        _new_product(server, mill.ink, like="INK-RE-C", quantity=Decimal(14)),
    ]
    try:
        yield mill
    finally:
        for model, rows in (
            ("mrp.production", server.rows("mrp.production", [("origin", "=like", f"{slug}-%")], ["state"])),
            ("stock.picking", server.rows("stock.picking", [("origin", "=", slug)], ["state"])),
            ("sale.order", server.rows("sale.order", [("client_order_ref", "=like", f"{slug}-%")], ["state"])),
        ):
            left = [row["id"] for row in rows if row["state"] not in {"done", "cancel"}]
            if left:
                server.admin.execute_kw(model, "action_cancel", [left], {"context": {"disable_cancel_warning": True}})
        server.ask("product.product", "write", products, {"active": False})


def _new_product(server: Server, sku: str, *, like: str, quantity: Decimal, lot: str = "") -> int:
    """A material like one of the demo factory's, so much of it in stock, as one roll if it has a name."""
    (model,) = server.rows("product.product", [("default_code", "=", like)], ["id"])
    copied = server.ask("product.product", "copy", [model["id"]], {"default_code": sku, "name": sku})
    product = copied[0] if isinstance(copied, list) else copied
    (company,) = server.ask("res.company", "search", [("name", "=", "My Company")])
    (kind,) = server.rows(
        "stock.picking.type",
        [("code", "=", "mrp_operation"), ("company_id", "=", company)],
        ["default_location_src_id"],
    )
    quant = {
        "product_id": product, "location_id": kind["default_location_src_id"][0], "inventory_quantity": float(quantity),
    }  # fmt: skip
    if lot:
        lots = mapping.names_of(server.version).lot
        quant["lot_id"] = server.ask(lots, "create", {"name": lot, "product_id": product, "company_id": company})
    made = server.admin.execute_kw("stock.quant", "create", [quant], {"context": {"inventory_mode": True}})
    if server.major >= 15:
        server.ask("stock.quant", "action_apply_inventory", [made])
    return int(product)
