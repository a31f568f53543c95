"""Figures of the Odoo connector on a real Odoo 19 with 10 000 products and quants, beside one that goes one by one.

Takes a server of its own (the tests' keeps its small factory) and some minutes to fill it. Without the script that
brings Odoo up there are no figures, and that is said.
"""

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import odoorpc
import psycopg

from tests import odoo_server

PRODUCTS = 10_000
ONE_BY_ONE = 100  # so many are read by the other client, and the whole is reckoned from them
PORT, PG_PORT, DATABASE = 8179, 5579, "bench19"


def figures() -> list[tuple[str, str]]:
    """Return (what, figure) for each."""
    if not (odoo_server.SCRIPTS / "start-odoo").exists():
        return [("Odoo", "left out: there is no script here that brings a real Odoo up")]
    with big_server() as (admin, key):
        return [*_mirror(admin, key), *_orders(admin, key)]


@contextlib.contextmanager
def big_server() -> Iterator[tuple[odoorpc.ODOO, str]]:
    """An Odoo 19 of its own with the demo factory and 10 000 products more; yields (administrator, connector's key)."""
    script = str(odoo_server.SCRIPTS / "start-odoo")
    cache = Path(json.loads(_said(script, "status", "--version", "19"))["log"]).parent / "cache"
    with tempfile.TemporaryDirectory(prefix="weftline-odoo-") as folder:
        os.chmod(folder, 0o755)  # the database runs as a user of its own
        there = ["--version", "19", "--dir", folder, "--cache", str(cache)]
        wish = ["--port", str(PORT), "--pg-port", str(PG_PORT), "--db", DATABASE]
        running = json.loads(_said(script, "start", *there, *wish))
        try:
            found = odoo_server.filled(running, 19)
            _fill(found.admin)
            yield found.admin, found.connector_key
        finally:
            _said(script, "stop", *there, *wish)


def _said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True).stdout


def _fill(admin: odoorpc.ODOO) -> None:
    """10 000 products over Odoo's own interface; their quants into its tables, where its own way takes half an hour."""
    unit = admin.execute_kw("ir.model.data", "check_object_reference", ["uom", "product_uom_meter"], {})[1]
    for first in range(0, PRODUCTS, 1000):
        rows = [
            {
                "name": f"Fabric {n}",
                "default_code": f"BENCH-{n:05d}",
                "type": "consu",
                "is_storable": True,
                "uom_id": unit,
            }
            for n in range(first, first + 1000)
        ]
        admin.execute_kw("product.product", "create", [rows], {"context": {"tracking_disable": True}})
    with psycopg.connect(f"host=127.0.0.1 port={PG_PORT} user=odoo dbname={DATABASE}", autocommit=True) as database:
        database.execute(
            """INSERT INTO stock_quant (product_id, location_id, company_id, quantity, reserved_quantity, in_date,
                                        create_date, write_date, create_uid, write_uid)
               SELECT p.id, l.id, l.company_id, 100, 0, now(), now(), now(), 1, 1 FROM product_product p,
                      (SELECT id, company_id FROM stock_location WHERE usage = 'internal' ORDER BY id LIMIT 1) l
               WHERE p.default_code LIKE 'BENCH-%'"""
        )
        # A shop that has just been imported would be read twice: what counts is the day after.
        for table in ("product_product", "stock_quant", "stock_move", "mrp_production", "mrp_workorder", "sale_order"):
            database.execute(f"UPDATE {table} SET write_date = now() - interval '1 hour'")
        database.execute("ANALYZE")


def _connected(key: str, *, name: str = "odoo") -> Any:
    from inventory_sync import services
    from inventory_sync.credentials import keep_secret
    from inventory_sync.models import ErpConnection

    slug = f"bench-{uuid.uuid4().hex[:8]}"
    connection = ErpConnection(shop=slug, url=f"http://127.0.0.1:{PORT}", database=DATABASE, login="connector")
    keep_secret(connection, key)
    connection.save()
    return services.connect(name, shop=slug)


def _timed(what: Callable[[], Any], runs: int = 3) -> float:
    took = []
    for _ in range(runs):
        began = time.monotonic()
        what()
        took.append(time.monotonic() - began)
    return statistics.median(took)


def _mirror(admin: odoorpc.ODOO, key: str) -> list[tuple[str, str]]:
    from inventory_sync import mirror

    said = []
    for name in ("odoo", "odoo_json2"):
        erp = _connected(key, name=name)
        mirror.refresh(erp)
        rpc = erp.session.rpc
        before = rpc.calls
        whole = _timed(partial(mirror.refresh, erp))
        calls = (rpc.calls - before) // 3
        mirror.poll(erp)
        before = rpc.calls
        quiet = _timed(partial(mirror.poll, erp), runs=5)
        said.append((f"{name}: whole mirror, {PRODUCTS} products (5 s wanted)", f"{whole:.2f} s, {calls} calls"))
        said.append((f"{name}: quiet poll (0.5 s wanted)", f"{quiet:.3f} s, {(rpc.calls - before) // 5} calls"))
    ids = admin.execute_kw("product.product", "search", [[("default_code", "like", "BENCH-")]], {"limit": ONE_BY_ONE})
    client = odoorpc.ODOO("127.0.0.1", port=PORT)
    client.login(DATABASE, "connector", key)

    def one_by_one() -> None:
        for product in ids:
            client.execute_kw("product.product", "read", [[product], ["default_code", "name", "standard_price"]], {})
            client.execute_kw(
                "stock.quant", "search_read", [[("product_id", "=", product), ("location_id.usage", "=", "internal")]],
                {"fields": ["quantity", "reserved_quantity"]},
            )  # fmt: skip

    each = _timed(one_by_one, runs=1) / ONE_BY_ONE
    whole_s = each * PRODUCTS
    said.append((f"one by one, reckoned from {ONE_BY_ONE}", f"{whole_s:.0f} s, {2 * PRODUCTS} calls"))
    return said


def _orders(admin: odoorpc.ODOO, key: str) -> list[tuple[str, str]]:
    said = []
    for components in (3, 12, 48):
        calls, took = _released(_connected(key), components)
        slow_calls, slow_s = _one_by_one(key, components)
        said.append(
            (
                f"calls from quotation to released, {components} components (20 wanted)",
                f"{calls}, {took:.2f} s; one by one {slow_calls}, {slow_s:.2f} s",
            )
        )
    return said


def _made(components: int, at: datetime) -> Any:
    from inventory_sync.ports import Component, ManufacturingOrder, WorkOrder

    centres = ("PRET", "PRT1", "STEAM", "WASH", "STENT", "CUT")
    return ManufacturingOrder(
        product="FIN-PRINT",
        quantity=Decimal("12.5"),
        reference="BENCH-1",
        components=tuple(Component(f"BENCH-{n:05d}", Decimal("1.25")) for n in range(components)),
        work_orders=tuple(
            WorkOrder(centre.title(), centre, at + timedelta(hours=n), at + timedelta(hours=n, minutes=30), 30.0)
            for n, centre in enumerate(centres)
        ),
        due=at + timedelta(days=2),
    )


def _released(erp: Any, components: int) -> tuple[int, float]:
    """(round trips, seconds) of all that an order asks of Odoo, from its quotation to its release, session known."""
    from inventory_sync import services
    from inventory_sync.ports import Document, SaleLine, SaleOrder

    at = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=20 + components)
    order = _made(components, at)
    names = {name: f"weftline:{erp.shop}:{name}" for name in ("sale", "line", "made")}
    line = SaleLine(names["line"], "FIN-PRINT", "A bench", Decimal("12.5"), Decimal("31.20"))
    sale = SaleOrder("Atelier Nord", f"B-{erp.shop[-8:]}", (line,), currency="EUR", promise=order.due)
    order = replace(order, reference=erp.shop, sale=names["sale"], sale_line=names["line"])
    skus = [each.sku for each in order.components]
    (
        erp.stock(skus),
        erp.bookings(_window(order)),
        erp.held("nothing"),
        erp.session.lead_days,
        erp.session.products([order.product]),
    )
    with tempfile.TemporaryDirectory() as folder:
        documents = [_document(Path(folder), name, Document) for name in ("ticket.pdf", "costing.pdf", "preview.png")]
        rpc = erp.session.rpc
        before, began = rpc.calls, time.monotonic()
        services.quote(erp, sale_id=names["sale"], sale=sale)
        services.stock_of(erp, skus, besides=order.reference, fresh=True)
        services.bookings_of(erp, at, at + timedelta(days=1), besides=order.reference, fresh=True)
        services.hold(
            erp,
            reference=order.reference,
            materials=[(each.sku, None, each.quantity) for each in order.components],
            slots=[(work.work_centre, work.start, work.end) for work in order.work_orders],
        )
        assert services.held(erp, order.reference) is not None  # before the files are written
        assert services.held(erp, order.reference) is not None  # before the ERP is told
        services.record(
            erp, sale_id=names["sale"], sale=sale, external_id=names["made"], order=order, documents=documents,
            digest=(f"{names['made']}:released:r1", "Released."),
        )  # fmt: skip
        return rpc.calls - before, time.monotonic() - began


def _window(order: Any) -> Any:
    from inventory_sync.ports import Window

    return Window(order.work_orders[0].start, order.work_orders[-1].end)


def _document(folder: Path, name: str, kind: Any) -> Any:
    import hashlib

    path = folder / name
    path.write_bytes(name.encode() * 4000)
    return kind(name, "application/pdf", path, hashlib.sha256(path.read_bytes()).hexdigest())


def _one_by_one(key: str, components: int) -> tuple[int, float]:
    """The same records as a client writes them that knows nothing better: a record a call, a look before each."""
    client = odoorpc.ODOO("127.0.0.1", port=PORT)
    client.login(DATABASE, "connector", key)
    calls = 0

    def ask(model: str, method: str, *args: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        return client.execute_kw(model, method, list(args), named)

    began = time.monotonic()
    order = _made(components, datetime.now(UTC) + timedelta(days=90 + components))
    partner = ask("res.partner", "search", [("name", "=", "Atelier Nord")])[0]
    product = ask("product.product", "search", [("default_code", "=", order.product)])[0]
    sale = ask("sale.order", "create", {"partner_id": partner})
    ask("sale.order.line", "create", {"order_id": sale, "product_id": product, "product_uom_qty": 12.5})
    ask("sale.order", "action_confirm", [sale])
    made = ask("mrp.production", "create", {"product_id": product, "product_qty": 12.5, "bom_id": False})
    for each in order.components:
        sku = ask("product.product", "search", [("default_code", "=", each.sku)])[0]
        ask("stock.quant", "search_read", [("product_id", "=", sku)], fields=["quantity", "reserved_quantity"])
        ask(
            "stock.move", "create",
            {"raw_material_production_id": made, "product_id": sku, "product_uom_qty": float(each.quantity)},
        )  # fmt: skip
    for work in order.work_orders:
        centre = ask("mrp.workcenter", "search", [("code", "=", work.work_centre)])[0]
        ask(
            "mrp.workorder", "create",
            {"production_id": made, "name": work.name, "workcenter_id": centre, "duration_expected": 30},
        )  # fmt: skip
    ask("mrp.production", "action_confirm", [made])
    ask("mrp.production", "action_assign", [made])
    ask("mrp.production", "button_plan", [made])
    for name in ("ticket.pdf", "costing.pdf", "preview.png"):
        ask("ir.attachment", "create", {"name": name, "res_model": "mrp.production", "res_id": made, "raw": name})
    ask("mrp.production", "message_post", [made], body="Released.")
    took = time.monotonic() - began
    ask("mrp.production", "action_cancel", [made])
    return calls - 1, took


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["WEFTLINE_VAR"] = folder
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orders.settings")
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        for what, figure in figures():
            print(f"{what:<70} {figure}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
