"""Odoo has done it, and the answer is lost on its way: at every call of the flow in turn, nothing is there twice.

What is there is asked by the administrator, with none of the connector's code.
"""

import hashlib
from dataclasses import replace
from decimal import Decimal

import pytest

from inventory_sync import services
from inventory_sync.connectors import odoo_links as links
from inventory_sync.connectors import odoo_mapping as mapping
from inventory_sync.errors import ErpError
from inventory_sync.ports import Document
from tests.cutting_proxy import CuttingProxy
from tests.odoo_server import server
from tests.odoo_world import CONNECTORS, each, make_anew, mill_on

pytestmark = pytest.mark.django_db

TRIES = 5


@pytest.fixture(params=each())
def mill(request):
    yield from mill_behind_a_proxy(request.param)


@pytest.fixture(params=each("odoo 19"))
def one_mill(request):
    yield from mill_behind_a_proxy(request.param)


def mill_behind_a_proxy(name):
    _, version = CONNECTORS[name]
    with CuttingProxy(server(version).port) as proxy, mill_on(name, url=proxy.url) as mill:
        mill.proxy = proxy
        yield mill


@pytest.fixture
def documents(tmp_path):
    def made(name, mime, content, **link):
        path = tmp_path / name
        path.write_bytes(content)
        return Document(name, mime, path, hashlib.sha256(content).hexdigest(), **link)

    return [
        made("ticket.pdf", "application/pdf", b"%PDF-1.7 a ticket"),
        made("costing.pdf", "application/pdf", b"%PDF-1.7 a costing"),
        made("print.tif", "image/tiff", b"II*", as_link=True, url="https://mill.example/print.tif"),
    ]


def flow(mill, number, documents):
    """The steps of an order as a worker does them: each tried again, with a new connector, while it may be."""
    made = mill.made(number)
    materials = [(each.sku, each.lot, each.quantity) for each in made.components]
    slots = [(work.work_centre, work.start, work.end) for work in made.work_orders]
    step(mill, lambda erp: services.quote(erp, sale_id=mill.sale_id(number), sale=mill.sale(number)))
    step(mill, lambda erp: services.hold(erp, reference=made.reference, materials=materials, slots=slots))
    return step(
        mill,
        lambda erp: services.record(
            erp,
            sale_id=mill.sale_id(number),
            sale=mill.sale(number),
            external_id=mill.record_id(number),
            order=made,
            documents=documents,
            digest=(f"{mill.record_id(number)}:released:r1", "Released.\nPrint on PRT1"),
        ),
    )


def step(mill, work):
    for attempt in range(TRIES):
        try:
            return work(mill.erp())
        except ErpError as error:
            if not error.retryable or attempt == TRIES - 1:
                raise
    raise AssertionError


def seen(mill):
    """What the administrator finds of the last order, as one value."""
    odoo, number = mill.server, mill.orders[-1]
    names = mapping.names_of(odoo.version)
    sales = mill.sales(number, "order_line")
    lines = odoo.rows("sale.order.line", [("order_id", "in", [each["id"] for each in sales])], ["product_uom_qty"])
    fields = ["move_raw_ids", "move_finished_ids", "workorder_ids", "product_qty"]
    orders = mill.productions(number, *fields)
    ids = [order["id"] for order in orders]
    finished = odoo.rows("stock.move", [("production_id", "in", ids), ("state", "!=", "cancel")], ["product_uom_qty"])
    roll = odoo.rows(
        "stock.move.line",
        [("move_id.raw_material_production_id", "in", ids), ("lot_id.name", "=", mill.lot)],
        [names.reserved],
    )
    raw = odoo.rows("stock.move", [("raw_material_production_id", "in", ids)], ["product_uom_qty", "product_id"])
    works = odoo.rows("mrp.workorder", [("production_id", "in", ids)], ["name", names.start], order="id")
    here = [("res_model", "=", "mrp.production"), ("res_id", "in", ids)]
    notes = [("model", "=", "mrp.production"), ("res_id", "in", ids), ("body", "ilike", "Print on PRT1")]
    return {
        "sales": [sale["state"] for sale in sales],
        "sold": [line["product_uom_qty"] for line in lines],
        "deliveries": len(odoo.rows("stock.picking", [("sale_id", "in", [each["id"] for each in sales])], ["state"])),
        "orders": [(order["state"], order["product_qty"]) for order in orders],
        "finished": [move["product_uom_qty"] for move in finished],
        "components": sorted(move["product_uom_qty"] for move in raw),
        "roll": [line[names.reserved] for line in roll],
        "works": [(work["name"], work[names.start]) for work in works],
        "attached": sorted(row["name"] for row in odoo.rows("ir.attachment", here, ["name"])),
        "digests": len(odoo.rows("mail.message", notes, ["id"])),
        "roll in stock": mill.reserved(),
    }


def wanted(mill):
    work = mill.work(mill.orders[-1])
    return {
        "sales": ["sale"],
        "sold": [12.5],
        "deliveries": 1,
        "orders": [("confirmed", 12.5)],
        "finished": [12.5],
        "components": [12.9, 52.0],
        "roll": [12.9],
        "works": [(each.name, f"{each.start:%Y-%m-%d %H:%M:%S}") for each in work],
        "attached": ["costing.pdf", "print.tif", "ticket.pdf"],
        "digests": 1,
        "roll in stock": Decimal("12.9") * len(mill.orders),
    }


def test_whichever_answer_is_lost_everything_is_there_once(mill, documents):
    flow(mill, mill.order(), documents)  # from now on it is known what seldom changes
    assert seen(mill) == wanted(mill)
    cut = 0
    while cut == 0 or mill.proxy.cuts:
        cut += 1
        mill.order()
        mill.proxy.cut_answer(cut)
        flow(mill, mill.orders[-1], documents)
        assert seen(mill) == wanted(mill), f"after the answer to call {cut} was lost"
    assert cut > 10


def test_who_makes_anew_what_it_did_not_hear_of_makes_it_twice(one_mill, monkeypatch):
    """The negative control: with no external ids a lost answer leaves two sale orders and two manufacturing orders."""
    mill, number = one_mill, one_mill.order()
    made = replace(mill.made(number), sale="", sale_line="")
    monkeypatch.setattr(links, "make_once", make_anew)
    mill.proxy.cut_answer(1, only=b'"load", []')
    step(mill, lambda erp: services.quote(erp, sale_id=mill.sale_id(number), sale=mill.sale(number)))
    mill.proxy.cut_answer(1, only=b'"load", []')
    step(mill, lambda erp: services.make(erp, external_id=mill.record_id(number), order=made))
    assert (len(mill.sales(number)), len(mill.productions(number))) == (2, 2)
