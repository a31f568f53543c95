"""An order on a real Odoo: from its quotation to its end, changed from here and from there. Asked of Odoo by others.

What stands in Odoo is read by the administrator with none of the connector's code.
"""

import uuid
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from inventory_sync import services as inventory
from inventory_sync.connectors.odoo_session import forget_sessions
from inventory_sync.models import ErpConnection, ErpLink
from orders import floor, following, inspecting, planning, recording, reporting, services, worker
from orders.models import FloorReport, Notice, OrderLine, Shop
from orders.seeding import DEMO_FACTORY, seed
from production.planning.plan import Plan, figures_of
from tests import odoo_server
from tests.quick_inspector import QuickInspector, cloth

pytestmark = pytest.mark.django_db(transaction=True)


def ways():
    for connector, version in (("odoo", "14"), ("odoo", "19")):
        left_out = version not in odoo_server.VERSIONS
        marks = [pytest.mark.skipif(left_out, reason=odoo_server.LEFT_OUT)]
        yield pytest.param((connector, version), id=f"{connector} {version}", marks=marks)


class Mill:
    """A shop on one Odoo, with the administrator's eyes on it."""

    def __init__(self, shop, server):
        self.shop, self.server = shop, server
        self.undo = []  # what others had there before

    def placed(self, **changes):
        wish = {
            "words": "small blue flowers",
            "quantity_m": Decimal(6),
            "layout": "half_drop",
            "repeat_mm": (64, 64),
            "substrate": "FAB-COT-SAT",
            "due_in_days": 60,
            **changes,
        }
        order = services.place_and_submit(self.shop, customer="Atelier Nord", lines=[services.NewLine(**wish)], by=None)
        return self.work_on(order.lines.get())

    def work_on(self, line):
        worker.run_until_rest([line])
        return self.now(line)

    def now(self, line):
        return OrderLine.objects.select_related("order__shop", "order__customer").get(pk=line.pk)

    def released(self, **changes):
        line = self.placed(**changes)
        services.approve(line, services.best(line).position, by=None)
        line = self.work_on(line)
        assert line.state == "released", line.blocked
        return line

    def follow(self, line):
        following.follow(self.shop)
        return self.work_on(line)

    def sales(self, line):
        fields = ["state", "commitment_date", "order_line", "name"]
        return self.server.rows("sale.order", [("client_order_ref", "=", line.order.number), self.ours], fields)

    def made(self, line):
        fields = ["state", "product_qty", "move_raw_ids", "workorder_ids", "name", "create_date", "create_uid"]
        found = self.server.rows("mrp.production", [("origin", "=", line.reference), self.ours], fields)
        if len(found) > 1:
            ids = [each["id"] for each in found]
            names = self.server.rows(
                "ir.model.data", [("model", "=", "mrp.production"), ("res_id", "in", ids)], ["res_id", "name"]
            )
            pytest.fail(f"{line.reference} is made {len(found)} times in Odoo: {found}, known by {names}.")
        return found

    @property
    def ours(self):
        """Only what this test wrote: its shop began with this test, and others have orders of the same number."""
        return ("create_date", ">=", self.began)

    def reserved(self, line):
        (order,) = self.made(line)
        quantity = "quantity" if self.server.major >= 17 else "product_uom_qty"
        rows = self.server.rows(
            "stock.move.line", [("move_id", "in", order["move_raw_ids"])], ["product_id", "lot_id", quantity]
        )
        return {
            (row["product_id"][1].partition("]")[0][1:], row["lot_id"][1] if row["lot_id"] else ""): row[quantity]
            for row in rows
            if row[quantity]
        }

    def books(self, work_centre, start, end):
        """Another user puts work of their own on a machine; returns how to look at it again."""
        names, fields = self.times, ["workcenter_id", *self.times]
        theirs = [("production_id.origin", "=", "demo"), ("workcenter_id.code", "=", "PRT1")]
        work = self.server.rows("mrp.workorder", theirs, fields, order="id")[0]
        (centre,) = self.server.rows("mrp.workcenter", [("code", "=", work_centre)], ["id"])
        before = {"workcenter_id": work["workcenter_id"][0], **{name: work[name] for name in names}}
        self.undo.append((work["id"], before))
        values = {"workcenter_id": centre["id"], names[0]: said(start), names[1]: said(end)}
        self.server.ask("mrp.workorder", "write", [work["id"]], values)

        def look():
            (row,) = self.server.rows("mrp.workorder", [("id", "=", work["id"])], list(names))
            return {"start": row[names[0]], "end": row[names[1]]}

        return look

    @property
    def times(self):
        new = self.server.major >= 17
        return ("date_start", "date_finished") if new else ("date_planned_start", "date_planned_finished")

    def works(self, line):
        (order,) = self.made(line)
        start, end = self.times
        rows = self.server.rows(
            "mrp.workorder", [("id", "in", order["workorder_ids"])], ["name", "workcenter_id", start, end, "state"],
            order="id",
        )  # fmt: skip
        return [{**row, "start": row[start], "end": row[end]} for row in rows]


@pytest.fixture(params=ways())
def mill(request, settings, monkeypatch):
    connector, version = request.param
    server = odoo_server.server(version)
    server.tidy()
    forget_sessions()
    slug = f"mill-{uuid.uuid4().hex[:10]}"
    seed(DEMO_FACTORY, slug=slug, name="A mill on Odoo", own_erp=True)
    quick = {**settings.WEFTLINE["generators"], "quick": "tests.quick_generator.QuickGenerator"}
    settings.WEFTLINE = {**settings.WEFTLINE, "candidates": 1, "generators": quick}
    inventory.connect_remote(
        slug, connector=connector, url=server.url, database=server.database, login="connector",
        key=server.connector_key,
    )  # fmt: skip
    Shop.objects.filter(slug=slug).update(connector=connector, generator="quick")
    found = Mill(Shop.objects.get(slug=slug), server)
    # Numbers begin anew in every shop, and Odoo keeps what earlier tests wrote.
    Shop.objects.filter(slug=slug).update(order_sequence=uuid.uuid4().int % 2_000_000_000 + 100_000_000)
    found.began = (timezone.now() - timedelta(minutes=10)).strftime("%Y-%m-%d %H:%M:%S")
    yield found
    for work, before in found.undo:
        server.ask("mrp.workorder", "write", [work], before)


def said(text):
    """A moment as Odoo takes it."""
    return datetime.fromisoformat(text).strftime("%Y-%m-%d %H:%M:%S")


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=None)


def test_a_quotation_is_a_draft_sale_and_nothing_is_made_or_reserved(mill):
    line = mill.placed()
    (sale,) = mill.sales(line)
    assert sale["state"] == "draft"
    assert at(sale["commitment_date"]) == services.best(line).promise.replace(tzinfo=None, microsecond=0)
    assert mill.made(line) == []


def test_an_order_is_released_changed_and_cancelled_on_the_same_two_records(mill):
    line = mill.released()
    (sale,), (order,) = mill.sales(line), mill.made(line)
    assert (sale["state"], order["state"], order["product_qty"]) == ("sale", "confirmed", 6.0)
    roll = line.plan["lot"]
    assert mill.reserved(line)["FAB-COT-SAT", roll] == pytest.approx(float(line.plan["materials"][0]["quantity"]))
    assert [at(work["start"]) for work in mill.works(line)] == [
        at(slot["start"]).replace(microsecond=0) for slot in line.plan["slots"]
    ]

    services.change(line, quantity_m=Decimal(11), by=None)
    line = mill.work_on(line)
    assert line.state == "released", line.blocked
    (after,), (made,) = mill.sales(line), mill.made(line)
    assert (after["id"], made["id"], made["product_qty"]) == (sale["id"], order["id"], 11.0)
    assert sum(much for (sku, _), much in mill.reserved(line).items() if sku == "FAB-COT-SAT") == pytest.approx(
        float(line.plan["materials"][0]["quantity"])
    )

    services.change(line, substrate="FAB-COT-POP", by=None)
    line = mill.work_on(line)
    assert line.state == "released", line.blocked
    (made,) = mill.made(line)
    assert made["id"] == order["id"]
    skus = {sku for sku, _ in mill.reserved(line)}
    assert "FAB-COT-POP" in skus
    assert "FAB-COT-SAT" not in skus, "the roll that is not needed any more is free"

    services.cancel(line, by=None)
    line = mill.work_on(line)
    assert line.state == "cancelled", line.blocked
    (sale,), (order,) = mill.sales(line), mill.made(line)
    assert (sale["state"], order["state"]) == ("cancel", "cancel")
    assert mill.reserved(line) == {}


def test_the_buttons_of_sale_and_manufacturing_order_lead_to_each_other(mill):
    line = mill.released()
    (sale,), (order,) = mill.sales(line), mill.made(line)
    (shown,) = mill.server.rows("sale.order", [("id", "=", sale["id"])], ["mrp_production_count"])
    (back,) = mill.server.rows("mrp.production", [("id", "=", order["id"])], ["sale_order_count"])
    assert (shown["mrp_production_count"], back["sale_order_count"]) == (1, 1)


def test_what_is_given_back_is_free_in_odoo_and_the_order_stays(mill):
    line = mill.released()
    (order,) = mill.made(line)
    erp = inventory.connect(mill.shop.connector, shop=mill.shop.slug)
    assert inventory.release_hold(erp, line.reference) is True
    assert mill.reserved(line) == {}
    assert not any(work["start"] for work in mill.works(line))
    assert [each["id"] for each in mill.made(line)] == [order["id"]]
    assert inventory.release_hold(erp, line.reference) is False


def test_work_orders_done_in_odoo_move_the_order_on(mill):
    line = mill.released()
    works = mill.works(line)
    mill.server.ask("mrp.workorder", "button_start", [works[0]["id"]])
    line = mill.follow(line)
    assert line.state == "in_production"
    for work in works[:-1]:
        if work is not works[0]:
            mill.server.ask("mrp.workorder", "button_start", [work["id"]])
        mill.server.ask("mrp.workorder", "button_finish", [work["id"]])
    line = mill.follow(line)
    assert line.state == "inspecting"
    mill.server.ask("mrp.workorder", "button_start", [works[-1]["id"]])
    mill.server.ask("mrp.workorder", "button_finish", [works[-1]["id"]])
    line = mill.follow(line)
    assert line.state == "done"


def test_a_quantity_changed_on_the_sale_in_odoo_is_planned_anew(mill):
    line = mill.released()
    (sale,) = mill.sales(line)
    following.follow(mill.shop)
    mill.server.ask("sale.order.line", "write", sale["order_line"], {"product_uom_qty": 9.0})
    line = mill.follow(line)
    assert (line.state, line.quantity_m) == ("released", Decimal(9)), line.blocked
    (order,) = mill.made(line)
    assert order["product_qty"] == 9.0
    assert not Notice.objects.filter(line=line, settled_at=None).exists()


def test_a_work_order_moved_in_odoo_moves_the_plan_and_the_promise(mill):
    line = mill.released()
    following.follow(mill.shop)
    work = mill.works(line)[-1]
    later = {
        ("date_start" if mill.server.major >= 17 else "date_planned_start"): _days(work["start"], 7),
        ("date_finished" if mill.server.major >= 17 else "date_planned_finished"): _days(work["end"], 7),
    }
    before = line.plan
    mill.server.ask("mrp.workorder", "write", [work["id"]], later)
    line = mill.follow(line)
    assert at(line.plan["slots"][-1]["start"]) == at(_days(work["start"], 7))
    moved = datetime.fromisoformat(line.plan["promise"]) - datetime.fromisoformat(before["promise"])
    assert abs(moved - timedelta(days=7)) < timedelta(minutes=2)


def test_a_published_plan_stands_on_the_work_orders(mill):
    line = mill.released()
    following.follow(mill.shop)
    schedule = planning.to_plan(mill.shop)
    week = 7 * 24 * 60
    moved = tuple(
        replace(one, start=one.start + week, end=one.end + week, changeover=one.changeover + week)
        for one in schedule.assignments
    )
    plan = Plan(moved, figures_of(schedule.problem, moved), by="hand")
    version = planning.keep(mill.shop, schedule, plan, reason="by hand", by="paul")
    planning.publish(mill.shop, version.number, by=None)
    line = mill.work_on(line)
    assert [(at(work["start"]), at(work["end"])) for work in mill.works(line)] == [
        (at(slot["start"]), at(slot["end"])) for slot in line.plan["slots"]
    ]
    assert [work["workcenter_id"][1] for work in mill.works(line)]
    after = mill.follow(line)
    assert after.plan == line.plan, "what we wrote ourselves comes back and moves nothing"


def test_what_another_user_books_in_odoo_moves_ours_at_the_next_look(mill):
    line = mill.released()
    following.follow(mill.shop)
    slot = next(slot for slot in line.plan["slots"] if slot["name"] == "Print")
    other = mill.books(slot["work_centre"], slot["start"], slot["end"])
    theirs = other()
    line = mill.follow(line)
    after = next(slot for slot in line.plan["slots"] if slot["name"] == "Print")
    assert (after["work_centre"], after["start"]) != (slot["work_centre"], slot["start"])
    works = {work["name"]: work for work in mill.works(line)}
    assert (at(works["Print"]["start"]), at(works["Print"]["end"])) == (at(after["start"]), at(after["end"]))
    assert other() == theirs


def test_an_order_cancelled_in_odoo_is_cancelled_here(mill):
    line = mill.released()
    (order,) = mill.made(line)
    mill.server.ask("mrp.production", "action_cancel", [order["id"]])
    line = mill.follow(line)
    assert line.state == "cancelled", line.blocked


def test_a_roll_given_away_in_odoo_is_a_finding_and_an_activity_there(mill):
    line = mill.released()
    (order,) = mill.made(line)
    mill.server.ask("mrp.production", "do_unreserve", [order["id"]])
    line = mill.follow(line)
    notice = Notice.objects.get(line=line, code="reservation_lost", settled_at=None)
    assert "no longer reserved" in notice.sentence
    asked = mill.server.rows(
        "mail.activity", [("res_model", "=", "mrp.production"), ("res_id", "=", order["id"])], ["summary"]
    )
    assert len(asked) == 1
    mill.follow(line)
    assert mill.server.ask("mail.activity", "search_count", [("id", "=", asked[0]["id"])]) == 1


def test_a_deleted_order_is_a_finding_and_is_never_made_again(mill):
    line = mill.released()
    (order,) = mill.made(line)
    mill.server.ask("mrp.production", "action_cancel", [order["id"]])
    mill.server.ask("mrp.production", "unlink", [order["id"]])
    following.sweep_deleted(mill.shop)
    line = mill.now(line)
    assert Notice.objects.filter(line=line, code="deleted_in_erp", settled_at=None).exists()
    assert mill.made(line) == []


def test_what_is_being_made_can_not_be_changed_from_there_any_more(mill):
    line = mill.released()
    (sale,) = mill.sales(line)
    works = mill.works(line)
    mill.server.ask("mrp.workorder", "button_start", [works[0]["id"]])
    line = mill.follow(line)
    mill.server.ask("sale.order.line", "write", sale["order_line"], {"product_uom_qty": 9.0})
    line = mill.follow(line)
    assert (line.state, line.quantity_m) == ("in_production", Decimal(6))
    notice = Notice.objects.get(line=line, code="quantity_changed_in_erp", settled_at=None)
    assert "being made" in notice.sentence


def test_a_change_that_comes_too_late_is_for_a_person_to_decide_here_and_there(mill):
    line = mill.released()
    (order,) = mill.made(line)
    mill.server.ask("mrp.workorder", "button_start", [mill.works(line)[0]["id"]])
    services.change(line, quantity_m=Decimal(9), by=None)  # nobody has looked there since
    line = mill.work_on(line)
    assert line.state == "blocked"
    assert "is being made" in line.blocked["sentence"]
    (asked,) = mill.server.rows(
        "mail.activity", [("res_model", "=", "mrp.production"), ("res_id", "=", order["id"])], ["summary", "note"]
    )
    assert asked["summary"] == "Changed too late"
    assert "9 m" in asked["note"]
    assert [each["product_qty"] for each in mill.made(line)] == [6.0]


def test_another_installation_with_a_shop_and_order_of_the_same_name_writes_records_of_its_own(mill):
    line = mill.placed()
    (first,) = mill.sales(line)
    ErpLink.objects.filter(shop=mill.shop.slug).delete()  # it knows nothing of the other,
    ErpConnection.objects.filter(shop=mill.shop.slug).update(scope="other")  # and is another
    recording.quote(line)
    assert {sale["id"] for sale in mill.sales(line)} > {first["id"]}


def _days(text, days):
    return (at(text) + timedelta(days=days)).strftime("%Y-%m-%d %H:%M:%S")


def test_a_bad_roll_is_scrapped_in_odoo_and_what_is_missing_is_made_once_more(mill, settings, monkeypatch):
    """Simulated: graded → reprint planned → scrap and a new manufacturing order there → promise → report attached."""
    settings.WEFTLINE = {**settings.WEFTLINE, "inspector": "tests.quick_inspector.QuickInspector"}
    ann = User.objects.create_user("ann")
    line = mill.released()
    first = mill.made(line)[0]["id"]
    for each in floor.operations(line)[:-1]:
        for kind, metres in (("start", None), ("finish", Decimal(6))):
            press = reporting.NewReport(
                once=uuid.uuid4(), run=1, operation=each.number, kind=kind, metres=metres, sure=True
            )
            reporting.report(line, press, by=ann)
    line = mill.work_on(line)
    assert line.state == "inspecting"
    before = line.plan["promise"]
    bad = cloth(("hole", 300.0, 1200.0, 4.0, 4.0), ("hole", 300.0, 4100.0, 4.0, 900.0))
    monkeypatch.setattr(QuickInspector, "sees", bad)
    scans = [SimpleUploadedFile("head.tif", b"a scan of the roll")]
    taken = inspecting.begin(line, scans, by=ann, once=uuid.uuid4())
    line = mill.work_on(line)
    taken.refresh_from_db()
    assert taken.proposal["decision"] == "reprint", taken.proposal
    decided = inspecting.decide(line, taken, inspecting.Wish(decision="reprint"), by=ann)
    line = mill.work_on(line)
    assert (line.state, line.run, line.run_m) == ("released", 2, decided.reprint_m), line.blocked
    assert line.plan["promise"] != before
    scraps = mill.server.rows("stock.scrap", [("production_id", "=", first)], ["scrap_qty", "state", "product_id"])
    (scrap,) = scraps
    assert (scrap["scrap_qty"], scrap["state"]) == (pytest.approx(float(6 - decided.good_m)), "done")
    orders = {order["id"]: order for order in mill.server.rows(
        "mrp.production", [("origin", "=like", f"{line.reference}%"), mill.ours], ["state", "product_qty"]
    )}  # fmt: skip
    assert orders.pop(first)["state"] == "done"
    (again,) = orders.values()
    assert (again["state"], again["product_qty"]) == ("confirmed", pytest.approx(float(decided.reprint_m)))
    files = mill.server.rows("ir.attachment", [("res_model", "=", "mrp.production"), ("res_id", "=", first)], ["name"])
    assert sum("inspection" in each["name"] for each in files) == 1
    (sale,) = mill.sales(line)
    on_sale = [("res_model", "=", "sale.order"), ("res_id", "=", sale["id"])]
    asked = mill.server.rows("mail.activity", on_sale, ["summary"])
    assert any("made once more" in each["summary"] for each in asked)
    # Told once more from any point, nothing is there twice.
    FloorReport.objects.update(told_at=None)
    recording.report(line)
    assert len(mill.server.rows("stock.scrap", [("production_id", "=", first)], ["id"])) == 1
