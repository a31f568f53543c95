"""What every ERP connector must do. A new connector is done when it has a row in WORLDS and this file passes.

The world is the demo factory (orders/demo/factory.json, or the same facts seeded into Odoo).
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from inventory_sync import services
from inventory_sync.errors import ErpConflict, ErpRejected, NotEnoughStock, SlotTaken
from inventory_sync.ports import (
    BEGINNING,
    MANUFACTURING_ORDER,
    SALE_ORDER,
    Change,
    Component,
    Document,
    Erp,
    ErpRecord,
    Hold,
    ManufacturingOrder,
    MaterialHold,
    Moved,
    RemoteRef,
    SaleLine,
    SaleOrder,
    SlotHold,
    Window,
    WorkOrder,
    in_unit,
)
from tests import odoo_server
from tests.odoo_world import CONNECTORS, each, shop_on

FACTORY = json.loads((Path(__file__).parents[2] / "orders/demo/factory.json").read_text(encoding="utf-8"))

pytestmark = pytest.mark.django_db


@dataclass
class World:
    """A freshly seeded shop behind one connector. `pass_time` moves its clock."""

    erp: Erp
    now: datetime
    monday: datetime  # 00:00 UTC of the Monday after the seeding day
    pass_time: Callable[[timedelta], None]

    def at(self, day: int, hour: int, minute: int = 0) -> datetime:
        return self.monday + timedelta(days=day, hours=hour, minutes=minute)


def ledger_world() -> World:
    today = date(2026, 11, 22)
    services.seed_ledger("contract", FACTORY, today=today)
    clock = [datetime(2026, 11, 22, 12, tzinfo=UTC)]
    erp = services.connect("ledger", shop="contract")
    erp.clock = lambda: clock[0]

    def pass_time(by: timedelta) -> None:
        clock[0] += by

    return World(erp, clock[0], datetime(2026, 11, 23, tzinfo=UTC), pass_time)


def odoo_world(connector: str, version: str) -> Callable[[], World]:
    """A shop of its own on a real Odoo of that version."""

    def make() -> World:
        server = odoo_server.server(version)
        server.tidy()
        slug = shop_on(server)
        (delivery,) = server.rows(
            "purchase.order.line", [("product_id.default_code", "=", "FAB-VEL-COT")], ["date_planned"]
        )
        seeded = datetime.fromisoformat(delivery["date_planned"]).replace(tzinfo=UTC) - timedelta(days=9)
        monday = seeded.replace(hour=0) + timedelta(days=7 - seeded.weekday())
        clock = [seeded]
        erp = services.connect(connector, shop=slug)
        erp.clock = lambda: clock[0]

        def pass_time(by: timedelta) -> None:
            clock[0] += by

        return World(erp, seeded, monday, pass_time)

    return make


WORLDS = {
    "ledger": ledger_world,
    **{name: odoo_world(*way) for name, way in CONNECTORS.items()},
}


@pytest.fixture(params=["ledger", *each()])
def world(request, db):
    return WORLDS[request.param]()


def metres(quantity, lot="VEL-COT-R001", sku="FAB-VEL-COT"):
    return MaterialHold(sku, lot, Decimal(str(quantity)))


def free_of(world, sku):
    return world.erp.stock([sku])[0].free


def all_bookings(world):
    return world.erp.bookings(Window(world.at(0, 0), world.at(30, 0)))


def order(world, quantity="12.5"):
    return ManufacturingOrder(
        product="FIN-PRINT",
        quantity=Decimal(quantity),
        reference="WL-000001-1",
        components=(
            Component("FAB-COT-SAT", Decimal("12.9"), "COT-SAT-R003"),
            Component("INK-RE-C", in_unit("51.3", "ml", "l")),
        ),
        work_orders=(
            WorkOrder("Pretreat", "PRET", world.at(2, 8), world.at(2, 8, 31), 31.0),
            WorkOrder("Print", "PRT1", world.at(2, 9), world.at(2, 9, 28), 27.5),
        ),
        due=world.at(4, 16),
        note="Minimalist floral, Nordic colours",
    )


def write(world, values=None, external_id="weftline:contract:WL-000001-1"):
    return world.erp.upsert(ErpRecord(MANUFACTURING_ORDER, external_id, values or order(world)))


SALE = "weftline:contract:WL-000001"


def sale_line(number=1, quantity="12.5", price="31.20"):
    words = "Minimalist floral, Nordic colours"
    return SaleLine(f"{SALE}-{number}:sale", "FIN-PRINT", words, Decimal(quantity), Decimal(price))


def sale(world, *lines, **changes):
    values = {"customer": "Atelier Nord", "number": "WL-000001", "promise": world.at(4, 16), **changes}
    return SaleOrder(lines=lines or (sale_line(),), **values)


def sell(world, values=None):
    return world.erp.upsert(ErpRecord(SALE_ORDER, SALE, values or sale(world)))


def standing(world, ref):
    return world.erp.standing([ref])[0]


# ---------------------------------------------------------------------------------------------- what is there


def test_ping_says_who_answers(world):
    info = world.erp.ping()
    assert info.product
    assert info.version
    assert info.server_time.tzinfo is not None


def test_stock_comes_by_lot_with_what_is_coming_and_how_old_the_answer_is(world):
    velvet, cyan = world.erp.stock(["FAB-VEL-COT", "INK-RE-C"])
    assert [(lot.lot, lot.free, lot.on_hand) for lot in velvet.lots] == [
        ("VEL-COT-R001", Decimal("8.5"), Decimal("8.5"))
    ]
    assert [one.quantity for one in velvet.incoming] == [Decimal(150)]
    assert velvet.incoming[0].due - world.now == timedelta(days=9)
    assert velvet.supplier_lead_days == 14
    assert (velvet.unit, velvet.unit_cost, velvet.by_lot) == ("m", Decimal("12.8"), True)
    assert (cyan.unit, cyan.free, cyan.by_lot, cyan.lots[0].lot) == ("l", Decimal(14), False, "")
    assert abs(velvet.as_of - world.now) < timedelta(minutes=10)
    assert velvet.name == "Cotton velvet 140 cm"


def test_stock_comes_in_the_order_asked(world):
    asked = ["INK-RE-K", "FAB-COT-SAT", "YRN-COT-60"]
    assert [level.sku for level in world.erp.stock(asked)] == asked


def test_the_stock_of_every_material_can_be_asked_for_at_once(world):
    levels = {level.sku: level for level in world.erp.stock(None)}
    named = [row["sku"] for section in ("fabrics", "materials") for row in FACTORY[section]]
    assert set(named) <= set(levels)
    assert levels["FAB-VEL-COT"].lots == world.erp.stock(["FAB-VEL-COT"])[0].lots


def test_a_shop_that_is_set_up_has_no_problems(world):
    assert list(world.erp.problems()) == []


def test_it_says_whose_it_is_and_whether_it_lives_elsewhere(world):
    assert world.erp.name
    assert world.erp.shop
    assert world.erp.remote in (True, False)


def test_a_fabric_with_no_roll_has_no_lots_and_nothing_free(world):
    wool = world.erp.stock(["FAB-WOO-CHA"])[0]
    assert (wool.lots, wool.free, wool.longest) == ((), 0, 0)


def test_an_unknown_material_is_refused_by_name(world):
    with pytest.raises(ErpRejected, match="FAB-NONE") as refusal:
        world.erp.stock(["FAB-COT-SAT", "FAB-NONE"])
    assert refusal.value.fields["sku"] == "FAB-NONE"


def test_work_centres_come_with_calendar_cost_alternatives_and_attributes(world):
    centres = {centre.code: centre for centre in world.erp.work_centres()}
    machines = ["CUT", "LOM1", "LOM2", "PRET", "PRT1", "PRT2", "PRT3", "STEAM", "STENT", "WASH"]
    designing = ["DESIGN", "GPU"]  # a shop without an ERP keeps these as work centres too
    assert sorted(centres) == sorted(machines + (designing if world.erp.name == "ledger" else []))
    printer = centres["PRT1"]
    assert printer.calendar.tz == "Europe/Paris"
    assert printer.calendar.shifts[0] == ((6.0, 14.0), (14.0, 22.0))
    assert printer.calendar.shifts[5] == ()
    assert centres["LOM1"].calendar.shifts[5][-1] == (16.0, 24.0)
    assert (printer.cost_per_hour, printer.setup_min, printer.cleanup_min) == (Decimal(46), 10, 5)
    assert printer.alternatives == ("PRT2",)
    assert printer.attributes["inks"] == "C,M,Y,K,O,V"
    assert printer.kind == "printer"


def test_a_maintenance_closes_its_machine_and_a_holiday_closes_all(world):
    centres = {centre.code: centre for centre in world.erp.work_centres()}
    maintenance = (world.at(1, 6), world.at(1, 11))
    leaves = {code: {(leave.start, leave.end) for leave in c.calendar.leaves} for code, c in centres.items()}
    assert [code for code in leaves if maintenance in leaves[code]] == ["PRT2"]
    assert all((world.at(10, 0), world.at(10, 23)) in leaves[code] for code in leaves if code != "GPU")


def test_what_others_have_booked_is_there_and_is_not_mine(world):
    others = [booking for booking in all_bookings(world) if booking.work_centre in {"PRT1", "LOM1"}]
    assert {booking.work_centre for booking in others} == {"PRT1", "LOM1"}
    assert not any(booking.mine for booking in others)
    assert all(booking.start < booking.end for booking in others)


def test_bookings_outside_the_window_are_left_out_and_its_end_is_excluded(world):
    first = min(all_bookings(world), key=lambda booking: booking.start)
    assert first not in world.erp.bookings(Window(first.start - timedelta(hours=1), first.start))
    assert first in world.erp.bookings(Window(first.end - timedelta(minutes=1), first.end + timedelta(hours=1)))
    assert first not in world.erp.bookings(Window(first.end, first.end + timedelta(minutes=1)))


# ---------------------------------------------------------------------------------------------- what is held


def test_a_hold_takes_metres_and_minutes(world):
    slot = SlotHold("PRT1", world.at(2, 9), world.at(2, 10))
    taken = world.erp.hold(Hold("A", (metres(5), MaterialHold("INK-RE-C", None, Decimal("0.05"))), (slot,)))
    velvet = world.erp.stock(["FAB-VEL-COT"])[0]
    assert (velvet.free, velvet.lots[0].on_hand) == (Decimal("3.5"), Decimal("8.5"))
    assert free_of(world, "INK-RE-C") == Decimal("13.95")
    mine = [booking for booking in all_bookings(world) if booking.mine]
    assert [(b.work_centre, b.start, b.end, b.reference) for b in mine] == [
        ("PRT1", world.at(2, 9), world.at(2, 10), "A")
    ]
    assert world.erp.held("A") == taken
    assert {material.sku: material.lot for material in taken.materials} == {
        "FAB-VEL-COT": "VEL-COT-R001",
        "INK-RE-C": None,
    }


def test_the_last_metre_can_be_held_to_the_millimetre(world):
    assert 8.5 - 2.2 - 5.9 < 0.4, "in binary floats the last of the three would find too little"
    for reference, quantity in (("A1", "2.2"), ("A2", "5.9"), ("A3", "0.4")):
        world.erp.hold(Hold(reference, (metres(quantity),), ()))
    assert free_of(world, "FAB-VEL-COT") == 0
    with pytest.raises(NotEnoughStock):
        world.erp.hold(Hold("B", (metres("0.001"),), ()))


def test_too_little_fabric_says_what_is_missing_and_when_it_could_be_there(world):
    with pytest.raises(NotEnoughStock, match=r"8\.5 m free, 12\.9 m needed; 150 m arrive") as refusal:
        world.erp.hold(Hold("A", (metres("12.9"),), ()))
    fields = refusal.value.fields
    assert fields["sku"] == "FAB-VEL-COT"
    assert Decimal(fields["wanted"]) == Decimal("12.9")
    assert Decimal(fields["free"]) == Decimal(fields["longest_roll"]) == Decimal("8.5")
    assert Decimal(fields["missing"]) == Decimal("4.4")
    assert datetime.fromisoformat(fields["available_from"]) - world.now == timedelta(days=9)
    assert not refusal.value.retryable


def test_when_another_roll_would_do_the_refusal_says_which(world):
    with pytest.raises(NotEnoughStock, match=r"COT-SAT-R001 has 98\.5 m"):
        world.erp.hold(Hold("A", (metres(80, "COT-SAT-R003", "FAB-COT-SAT"),), ()))


def test_too_little_ink_says_when_the_supplier_could_bring_it(world):
    with pytest.raises(NotEnoughStock, match=r"0\.35 l .* 0\.5 l needed") as refusal:
        world.erp.hold(Hold("A", (MaterialHold("INK-RE-V", None, Decimal("0.5")),), ()))
    available = datetime.fromisoformat(refusal.value.fields["available_from"])
    assert timedelta(days=6) < available - world.now <= timedelta(days=7, hours=1)


def test_a_taken_slot_says_who_has_it_and_until_when(world):
    other = next(booking for booking in all_bookings(world) if booking.work_centre == "PRT1")
    slot = SlotHold("PRT1", other.end - timedelta(minutes=1), other.end + timedelta(hours=1))
    with pytest.raises(SlotTaken) as refusal:
        world.erp.hold(Hold("A", (), (slot,)))
    fields = refusal.value.fields
    assert fields["work_centre"] == "PRT1"
    assert fields["taken_by"] == other.reference
    assert datetime.fromisoformat(fields["taken_until"]) == other.end
    assert not refusal.value.retryable


def test_slots_may_touch(world):
    world.erp.hold(Hold("A", (), (SlotHold("PRT1", world.at(2, 9), world.at(2, 10)),)))
    world.erp.hold(Hold("B", (), (SlotHold("PRT1", world.at(2, 10), world.at(2, 11)),)))
    assert [booking.reference for booking in all_bookings(world) if booking.mine] == ["A", "B"]


def test_a_hold_is_all_or_nothing(world):
    other = next(booking for booking in all_bookings(world) if booking.work_centre == "PRT1")
    slots = (SlotHold("STEAM", world.at(2, 9), world.at(2, 10)), SlotHold("PRT1", other.start, other.end))
    with pytest.raises(SlotTaken):
        world.erp.hold(Hold("A", (metres(5),), slots))
    assert free_of(world, "FAB-VEL-COT") == Decimal("8.5")
    assert not any(booking.mine for booking in all_bookings(world))
    assert world.erp.held("A") is None


def test_holding_again_holds_the_same_once(world):
    wanted = Hold("A", (metres(5),), (SlotHold("PRT1", world.at(2, 9), world.at(2, 10)),))
    assert world.erp.hold(wanted) == world.erp.hold(wanted)
    assert free_of(world, "FAB-VEL-COT") == Decimal("3.5")
    assert len([booking for booking in all_bookings(world) if booking.mine]) == 1


def test_holding_again_replaces_and_may_use_what_it_held(world):
    world.erp.hold(Hold("A", (metres(5),), (SlotHold("PRT1", world.at(2, 9), world.at(2, 10)),)))
    moved = SlotHold("PRT1", world.at(2, 9, 30), world.at(2, 10, 30))
    world.erp.hold(Hold("A", (metres("8.5"),), (moved,)))
    assert free_of(world, "FAB-VEL-COT") == 0
    assert [booking.start for booking in all_bookings(world) if booking.mine] == [moved.start]


def test_a_replacement_that_fails_leaves_what_was_held(world):
    before = world.erp.hold(Hold("A", (metres(5),), (SlotHold("PRT1", world.at(2, 9), world.at(2, 10)),)))
    with pytest.raises(NotEnoughStock, match=r"8\.5 m free, 9 m needed"):
        world.erp.hold(Hold("A", (metres(9),), ()))
    assert world.erp.held("A") == before
    assert free_of(world, "FAB-VEL-COT") == Decimal("3.5")


def test_release_frees_everything_and_may_be_repeated(world):
    world.erp.hold(Hold("A", (metres(5),), (SlotHold("PRT1", world.at(2, 9), world.at(2, 10)),)))
    assert world.erp.release("A") is True
    assert world.erp.release("A") is False
    assert world.erp.release("NEVER-HELD") is False
    assert free_of(world, "FAB-VEL-COT") == Decimal("8.5")
    assert not any(booking.mine for booking in all_bookings(world))


def test_a_quotes_hold_frees_itself_when_its_time_is_over(world):
    slot = SlotHold("PRT1", world.at(9, 9), world.at(9, 10))
    world.erp.hold(Hold("QUOTE", (metres("8.5"),), (slot,), expires=world.now + timedelta(days=2)))
    with pytest.raises(NotEnoughStock):
        world.erp.hold(Hold("A", (metres(1),), ()))
    world.pass_time(timedelta(days=2))
    assert free_of(world, "FAB-VEL-COT") == Decimal("8.5")
    assert not any(booking.mine for booking in all_bookings(world))
    assert world.erp.held("QUOTE") is None
    world.erp.hold(Hold("A", (metres("8.5"),), (slot,)))
    assert world.erp.held("A") is not None


def test_a_quote_that_becomes_an_order_no_longer_expires(world):
    quote = Hold("A", (metres(5),), (), expires=world.now + timedelta(days=2))
    world.erp.hold(quote)
    world.erp.hold(replace(quote, expires=None))
    world.pass_time(timedelta(days=3))
    assert world.erp.held("A") is not None


@pytest.mark.parametrize("quantity", ["0", "-1", "NaN", "Infinity", "1e30"])
def test_a_quantity_that_is_none_is_refused(world, quantity):
    with pytest.raises(ErpRejected):
        world.erp.hold(Hold("A", (metres(quantity),), ()))


def test_an_unknown_roll_or_work_centre_is_refused_by_name(world):
    with pytest.raises(ErpRejected, match="R999"):
        world.erp.hold(Hold("A", (metres(1, "R999"),), ()))
    with pytest.raises(ErpRejected, match="PRT9"):
        world.erp.hold(Hold("A", (), (SlotHold("PRT9", world.at(2, 9), world.at(2, 10)),)))


def test_a_slot_that_ends_before_it_starts_or_overlaps_its_own_neighbour_is_refused(world):
    with pytest.raises(ErpRejected):
        world.erp.hold(Hold("A", (), (SlotHold("PRT1", world.at(2, 10), world.at(2, 9)),)))
    with pytest.raises(ErpRejected):
        world.erp.hold(
            Hold(
                "A",
                (),
                (
                    SlotHold("PRT1", world.at(2, 9), world.at(2, 11)),
                    SlotHold("PRT1", world.at(2, 10), world.at(2, 12)),
                ),
            )
        )


def slot(world, hour, centre="PRT1", minute=0):
    return SlotHold(centre, world.at(2, hour, minute), world.at(2, hour + 1, minute))


def test_two_holds_can_change_places_and_keep_their_metres(world):
    world.erp.hold(Hold("A", (metres(5),), (slot(world, 9),)))
    world.erp.hold(Hold("B", (metres(2),), (slot(world, 10),)))
    with pytest.raises(SlotTaken):
        world.erp.rearrange([Moved("A", (slot(world, 10),))])
    world.erp.rearrange([Moved("A", (slot(world, 10),)), Moved("B", (slot(world, 9),))])
    assert [(b.reference, b.start) for b in all_bookings(world) if b.mine] == [
        ("B", world.at(2, 9)), ("A", world.at(2, 10)),
    ]  # fmt: skip
    assert free_of(world, "FAB-VEL-COT") == Decimal("1.5")


def test_a_rearrangement_is_all_or_nothing(world):
    world.erp.hold(Hold("A", (), (slot(world, 9),)))
    world.erp.hold(Hold("B", (), (slot(world, 10),)))
    world.erp.hold(Hold("C", (), (slot(world, 11),)))
    before = [booking for booking in all_bookings(world) if booking.mine]
    with pytest.raises(SlotTaken) as refusal:
        world.erp.rearrange([Moved("A", (slot(world, 13),)), Moved("B", (slot(world, 11, minute=30),))])
    assert refusal.value.fields["taken_by"] == "C"
    with pytest.raises(SlotTaken):
        world.erp.rearrange([Moved("A", (slot(world, 14),)), Moved("B", (slot(world, 14, minute=30),))])
    with pytest.raises(ErpConflict, match="NOBODY"):
        world.erp.rearrange([Moved("A", (slot(world, 13),)), Moved("NOBODY", (slot(world, 15),))])
    assert [booking for booking in all_bookings(world) if booking.mine] == before


def test_a_quote_that_has_expired_can_t_be_rearranged(world):
    world.erp.hold(Hold("QUOTE", (), (slot(world, 9),), expires=world.now + timedelta(hours=1)))
    world.pass_time(timedelta(hours=2))
    with pytest.raises(ErpConflict, match="QUOTE"):
        world.erp.rearrange([Moved("QUOTE", (slot(world, 10),))])


# ---------------------------------------------------------------------------------------------- what is recorded


def moved_order(world, by=timedelta(hours=3), centre="PRT2"):
    works = order(world).work_orders
    first = replace(works[0], work_centre=centre, start=works[0].start + by, end=works[0].end + by)
    return (first, *(replace(work, start=work.start + by, end=work.end + by) for work in works[1:]))


def test_work_orders_move_to_other_times_and_machines_and_nothing_else_does(world):
    world.erp.hold(Hold("WL-000001-1", (metres(5),), ()))
    ref = write(world)
    world.erp.act(ref, "confirm", "draft")
    before = standing(world, ref)
    world.erp.reschedule(ref, moved_order(world))
    world.erp.reschedule(ref, moved_order(world))
    after = standing(world, ref)
    assert [(o.name, o.work_centre, o.start, o.end) for o in after.operations] == [
        (work.name, work.work_centre, work.start, work.end) for work in moved_order(world)
    ]
    assert (after.ref.state, after.quantity, after.reserved) == ("confirmed", before.quantity, before.reserved)


def test_what_is_begun_is_not_moved(world):
    world.erp.hold(Hold("WL-000001-1", (metres(5),), ()))
    ref = write(world)
    world.erp.act(ref, "confirm", "draft")
    world.erp.act(ref, "start", "confirmed")
    before = standing(world, ref).operations
    world.erp.reschedule(ref, moved_order(world))
    after = standing(world, ref).operations
    assert (after[0].work_centre, after[0].end) == (before[0].work_centre, before[0].end)
    assert [each.start for each in after[1:]] == [work.start for work in moved_order(world)[1:]]


def test_work_orders_are_begun_and_ended_by_name_and_the_last_one_closes_the_order(world):
    world.erp.hold(Hold("WL-000001-1", (MaterialHold("FAB-COT-SAT", "COT-SAT-R003", Decimal("12.9")),), ()))
    ref = write(world)
    with pytest.raises(ErpRejected):
        world.erp.work_on(ref.external_id, "Print", "start")
    world.erp.act(ref, "confirm", "draft")
    for operation, action in [("Iron", "start"), ("Print", "dance")]:
        with pytest.raises(ErpRejected):
            world.erp.work_on(ref.external_id, operation, action)
    states, first = [], "Pretreat"
    for operation, action in [(first, "start"), (first, "finish"), (first, "finish"), ("Print", "start")]:
        state = world.erp.work_on(ref.external_id, operation, action)
        states.append((state, *(each.state for each in standing(world, ref).operations)))
    begun = ("progress", "progress", "waiting")
    assert states == [begun, *[("progress", "done", "waiting")] * 2, ("progress", "done", "progress")]
    with pytest.raises(ErpRejected):
        world.erp.work_on(ref.external_id, "Pretreat", "start")
    assert world.erp.work_on(ref.external_id, "Print", "finish") == "done"
    after = standing(world, ref)
    assert (after.ref.state, [each.state for each in after.operations]) == ("done", ["done", "done"])
    with pytest.raises(ErpRejected):
        world.erp.work_on(ref.external_id, "Print", "start")


def test_what_is_over_or_not_there_or_another_route_can_t_be_rescheduled(world):
    with pytest.raises(ErpRejected):
        world.erp.reschedule(RemoteRef(MANUFACTURING_ORDER, "weftline:contract:NONE", ""), moved_order(world))
    ref = write(world)
    with pytest.raises(ErpRejected, match="work orders"):
        world.erp.reschedule(ref, [replace(moved_order(world)[0], name="Something else")])
    with pytest.raises(ErpRejected, match="PRT9"):
        world.erp.reschedule(ref, moved_order(world, centre="PRT9"))
    world.erp.act(ref, "cancel", "draft")
    with pytest.raises(ErpRejected, match="cancel"):
        world.erp.reschedule(ref, moved_order(world))


def test_writing_a_record_twice_makes_one(world):
    first, second = write(world), write(world)
    assert first == second
    assert first.remote_id == second.remote_id
    found = world.erp.find(MANUFACTURING_ORDER, first.external_id)
    assert found == first
    assert found.state == "draft"


def test_a_record_converges_to_the_values_written_last(world):
    first = write(world)
    second = write(world, order(world, "15"))
    assert second.remote_id == first.remote_id
    # Writing the first values again is a change again: what stands there is what was written last.
    assert write(world).remote_id == first.remote_id


def test_a_confirmed_order_converges_too_and_stays_confirmed(world):
    ref = write(world)
    world.erp.act(ref, "confirm", "draft")
    changed = replace(
        order(world, "15"),
        components=(Component("FAB-COT-SAT", Decimal("15.5"), "COT-SAT-R001"), *order(world).components[1:]),
        work_orders=(
            WorkOrder("Pretreat", "PRET", world.at(3, 8), world.at(3, 8, 40), 40.0),
            WorkOrder("Print", "PRT2", world.at(3, 9), world.at(3, 9, 35), 35.0),
        ),
        due=world.at(5, 16),
    )
    assert write(world, changed).remote_id == ref.remote_id
    stands = standing(world, ref)
    assert (stands.ref.state, stands.quantity, stands.due) == ("confirmed", Decimal(15), world.at(5, 16))
    assert [(one.name, one.work_centre, one.start, one.end) for one in stands.operations] == [
        ("Pretreat", "PRET", world.at(3, 8), world.at(3, 8, 40)),
        ("Print", "PRT2", world.at(3, 9), world.at(3, 9, 35)),
    ]


def test_a_record_that_was_never_written_is_not_found(world):
    for kind in (MANUFACTURING_ORDER, SALE_ORDER):
        assert world.erp.find(kind, "weftline:contract:nothing") is None
        assert standing(world, RemoteRef(kind, "weftline:contract:nothing", "0")) is None


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"product": "FIN-NONE"}, "FIN-NONE"),
        ({"components": (Component("INK-NONE", Decimal(1)),)}, "INK-NONE"),
        ({"components": (Component("FAB-COT-SAT", Decimal(1), "R999"),)}, "R999"),
        ({"quantity": Decimal(0)}, "FIN-PRINT"),
        ({"sale": SALE, "sale_line": f"{SALE}-1:sale"}, SALE),
    ],
)
def test_a_record_with_an_unknown_part_is_refused_and_nothing_is_written(world, change, name):
    with pytest.raises(ErpRejected, match=name):
        write(world, replace(order(world), **change))
    assert world.erp.find(MANUFACTURING_ORDER, "weftline:contract:WL-000001-1") is None


def test_a_kind_the_erp_does_not_keep_is_refused(world):
    with pytest.raises(ErpRejected, match="poem"):
        world.erp.upsert(ErpRecord("poem", "x", order(world)))


def test_an_action_moves_on_once_and_may_be_repeated(world):
    ref = write(world)
    assert world.erp.act(ref, "confirm", "draft") == "confirmed"
    assert world.erp.act(ref, "confirm", "draft") == "confirmed"
    assert world.erp.find(ref.kind, ref.external_id).state == "confirmed"


def test_an_action_on_another_state_than_expected_is_refused_with_the_state(world):
    ref = write(world)
    with pytest.raises(ErpConflict) as refusal:
        world.erp.act(ref, "cancel", "confirmed")
    assert refusal.value.fields["state"] == "draft"
    assert world.erp.find(ref.kind, ref.external_id).state == "draft"


def test_an_action_that_does_not_lead_on_is_refused(world):
    ref = write(world)
    world.erp.act(ref, "cancel", "draft")
    with pytest.raises(ErpRejected):
        world.erp.act(ref, "confirm", "cancel")
    with pytest.raises(ErpRejected):
        world.erp.act(ref, "dance", "cancel")


def test_a_cancelled_record_can_not_be_rewritten(world):
    ref = write(world)
    world.erp.act(ref, "cancel", "draft")
    with pytest.raises(ErpRejected, match="cancel"):
        write(world, order(world, "15"))


def test_cancelling_frees_what_its_reference_holds(world):
    world.erp.hold(
        Hold(
            "WL-000001-1",
            (metres("12.9", "COT-SAT-R003", "FAB-COT-SAT"),),
            (SlotHold("PRT1", world.at(2, 9), world.at(2, 10)),),
        )
    )
    ref = write(world)
    world.erp.act(ref, "confirm", "draft")
    assert free_of(world, "FAB-COT-SAT") == Decimal("361.9")
    world.erp.act(ref, "cancel", "confirmed")
    assert free_of(world, "FAB-COT-SAT") == Decimal("374.8")
    assert world.erp.held("WL-000001-1") is None


def test_finishing_uses_up_what_its_reference_holds(world):
    world.erp.hold(Hold("WL-000001-1", (metres("12.9", "COT-SAT-R003", "FAB-COT-SAT"),), ()))
    ref = write(world)
    for action, expect in (
        ("confirm", "draft"),
        ("start", "confirmed"),
        ("finish", "progress"),
        ("finish", "progress"),
    ):
        world.erp.act(ref, action, expect)
    roll = next(lot for lot in world.erp.stock(["FAB-COT-SAT"])[0].lots if lot.lot == "COT-SAT-R003")
    assert (roll.on_hand, roll.free) == (Decimal("51.4"), Decimal("51.4"))
    assert world.erp.release("WL-000001-1") is False
    with pytest.raises(ErpRejected, match="used up"):
        world.erp.hold(Hold("WL-000001-1", (metres(1, "COT-SAT-R003", "FAB-COT-SAT"),), ()))


def test_what_was_made_and_is_lost_is_scrapped_once_by_key(world):
    ref = write(world)
    world.erp.hold(Hold("WL-000001-1", (metres("12.9", "COT-SAT-R003", "FAB-COT-SAT"),), ()))
    world.erp.act(ref, "confirm", "draft")
    with pytest.raises(ErpRejected):
        world.erp.scrap(ref, "contract:lost", Decimal(2), "a stain")  # nothing is made yet
    world.erp.act(ref, "finish", "confirmed")
    first = world.erp.scrap(ref, f"{ref.external_id}:lost", Decimal(2), "a stain")
    assert world.erp.scrap(ref, f"{ref.external_id}:lost", Decimal(2), "a stain") == first
    second = world.erp.scrap(ref, f"{ref.external_id}:more", Decimal("0.5"), "a hole")
    assert second.remote_id != first.remote_id
    with pytest.raises(ErpRejected, match="more can't be"):
        world.erp.scrap(ref, f"{ref.external_id}:most", Decimal(11), "all of it")
    (stands,) = world.erp.standing([ref])
    assert (stands.ref.state, stands.quantity) == ("done", Decimal("12.5")), "what was made was made"


@pytest.mark.parametrize("quantity", ["0", "-1", "NaN"])
def test_a_quantity_that_is_none_is_not_scrapped(world, quantity):
    ref = write(world)
    with pytest.raises(ErpRejected):
        world.erp.scrap(ref, "contract:none", Decimal(quantity), "nothing")


@pytest.fixture
def document(tmp_path):
    def make(name="ticket.pdf", content=b"%PDF-1.7 a ticket"):
        path = tmp_path / hashlib.sha256(content).hexdigest()
        path.write_bytes(content)
        return Document(name, "application/pdf", path, path.name)

    return make


def test_attaching_twice_makes_one_attachment(world, document):
    ref = write(world)
    (first,), (second,) = world.erp.attach(ref, [document()]), world.erp.attach(ref, [document()])
    assert first == second
    assert first.remote_id == second.remote_id
    same, other = world.erp.attach(ref, [document(), document(content=b"%PDF-1.7 another")])
    assert same.remote_id == first.remote_id != other.remote_id


def test_a_link_is_attached_like_a_copy(world, document):
    ref = write(world)
    link = replace(
        document("print.tif", b"II*"), as_link=True, url="https://mill.example/lines/WL-000001-1/files/print.tif"
    )
    (first,), (second,) = world.erp.attach(ref, [link]), world.erp.attach(ref, [link])
    assert first.remote_id == second.remote_id


def test_a_file_that_is_not_what_its_sha256_says_is_refused(world, document):
    ref = write(world)
    true = document()
    with pytest.raises(ErpRejected, match="sha256"):
        world.erp.attach(ref, [replace(true, sha256="0" * 64)])
    with pytest.raises(ErpRejected, match="can't be read"):
        world.erp.attach(ref, [replace(true, path=true.path.with_name("gone"))])


def test_nothing_can_be_attached_to_a_record_that_is_not_there(world, document):
    with pytest.raises(ErpRejected, match="nothing"):
        world.erp.attach(RemoteRef(MANUFACTURING_ORDER, "weftline:contract:nothing", "0"), [document()])


# ---------------------------------------------------------------------------------------------- what is sold


def test_a_sale_is_offered_then_confirmed_once(world):
    ref = sell(world)
    assert (ref.kind, ref.external_id, ref.state) == (SALE_ORDER, SALE, "draft")
    assert sell(world).remote_id == ref.remote_id
    assert world.erp.act(ref, "confirm", "draft") == "confirmed"
    assert world.erp.act(ref, "confirm", "draft") == "confirmed"
    assert world.erp.find(SALE_ORDER, SALE).state == "confirmed"


def test_a_sale_converges_also_when_confirmed_and_stays_confirmed(world):
    ref = sell(world)
    world.erp.act(ref, "confirm", "draft")
    sell(world, sale(world, sale_line(quantity="15", price="29.90"), sale_line(2, "4"), promise=world.at(6, 16)))
    stands = standing(world, ref)
    assert (stands.ref.remote_id, stands.ref.state, stands.due) == (ref.remote_id, "confirmed", world.at(6, 16))
    assert stands.lines == {f"{SALE}-1:sale": Decimal(15), f"{SALE}-2:sale": Decimal(4)}


def test_a_line_that_is_not_named_stays_and_one_at_nothing_is_offered_only(world):
    ref = sell(world, sale(world, sale_line(), sale_line(2, "4")))
    sell(world, sale(world, sale_line(2, "0")))
    assert standing(world, ref).lines == {f"{SALE}-1:sale": Decimal("12.5"), f"{SALE}-2:sale": Decimal(0)}


def test_a_cancelled_sale_can_not_be_rewritten_or_confirmed(world):
    ref = sell(world)
    assert world.erp.act(ref, "cancel", "draft") == "cancel"
    with pytest.raises(ErpRejected, match="cancel"):
        sell(world, sale(world, sale_line(quantity="15")))
    with pytest.raises(ErpRejected):
        world.erp.act(ref, "confirm", "cancel")


def test_a_sale_that_is_confirmed_can_still_be_cancelled_and_has_no_work_to_start(world):
    ref = sell(world)
    world.erp.act(ref, "confirm", "draft")
    with pytest.raises(ErpRejected, match="start"):
        world.erp.act(ref, "start", "confirmed")
    assert world.erp.act(ref, "cancel", "confirmed") == "cancel"


@pytest.mark.parametrize(("quantity", "price"), [("-1", "1"), ("NaN", "1"), ("1", "NaN"), ("1", "-1")])
def test_a_quantity_or_price_that_is_none_is_not_sold(world, quantity, price):
    with pytest.raises(ErpRejected, match="FIN-PRINT"):
        sell(world, sale(world, sale_line(quantity=quantity, price=price)))
    assert world.erp.find(SALE_ORDER, SALE) is None


def test_what_is_made_for_a_sale_stands_beside_it(world):
    sold = sell(world)
    made = write(world, replace(order(world), sale=SALE, sale_line=f"{SALE}-1:sale"))
    nothing = RemoteRef(MANUFACTURING_ORDER, "weftline:contract:nothing", "0")
    first, second, third = world.erp.standing([made, nothing, sold])
    assert (first.ref.remote_id, second, third.ref.remote_id) == (made.remote_id, None, sold.remote_id)
    assert (first.quantity, first.due) == (Decimal("12.5"), world.at(4, 16))


# ---------------------------------------------------------------------------------------------- how it stands


def test_what_the_reference_holds_stands_beside_the_order(world):
    world.erp.hold(Hold("WL-000001-1", (metres("12.9", "COT-SAT-R003", "FAB-COT-SAT"),), ()))
    ref = write(world)
    world.erp.act(ref, "confirm", "draft")
    reserved = {(one.sku, one.lot): one.quantity for one in standing(world, ref).reserved}
    assert reserved["FAB-COT-SAT", "COT-SAT-R003"] == Decimal("12.9")


def test_starting_and_finishing_shows_in_the_operations(world):
    world.erp.hold(Hold("WL-000001-1", (metres("12.9", "COT-SAT-R003", "FAB-COT-SAT"),), ()))
    ref = write(world)
    world.erp.act(ref, "confirm", "draft")
    assert [one.state for one in standing(world, ref).operations] == ["waiting", "waiting"]
    world.erp.act(ref, "start", "confirmed")
    stands = standing(world, ref)
    assert (stands.ref.state, stands.operations[0].state) == ("progress", "progress")
    world.erp.act(ref, "finish", "progress")
    stands = standing(world, ref)
    assert stands.ref.state == "done"
    assert [one.state for one in stands.operations] == ["done", "done"]


def test_a_cancelled_order_has_no_work_left(world):
    ref = write(world)
    world.erp.act(ref, "confirm", "draft")
    world.erp.act(ref, "cancel", "confirmed")
    assert {one.state for one in standing(world, ref).operations} == {"cancel"}


# ---------------------------------------------------------------------------------------------- what people read


def test_the_same_is_said_once_and_asked_once_and_may_be_repeated(world):
    ref = write(world)
    for _ in range(2):
        world.erp.tell(ref, "WL-000001-1:released:r1", "Released.\nPrint on PRT1, Wed 25 Nov 10:00")
        world.erp.ask(ref, "WL-000001-1:quantity", "Look at the quantity", "12.5 m were ordered, 10 m stand here.")


def test_nothing_is_said_or_asked_on_a_record_that_is_not_there(world):
    nothing = RemoteRef(MANUFACTURING_ORDER, "weftline:contract:nothing", "0")
    with pytest.raises(ErpRejected, match="nothing"):
        world.erp.tell(nothing, "key", "Released.")
    with pytest.raises(ErpRejected, match="nothing"):
        world.erp.ask(nothing, "key", "Look", "Released.")


def test_a_record_has_an_address_a_person_can_open_and_nothing_has_none(world):
    made, sold = world.erp.address(write(world)), world.erp.address(sell(world))
    assert made
    assert sold
    assert made != sold
    assert world.erp.address(RemoteRef("poem", "weftline:contract:poem", "1")) == ""


# ---------------------------------------------------------------------------------------------- what changed


def read_all(world, cursor=BEGINNING) -> tuple[list[Change], object]:
    changes: list[Change] = []
    while True:
        more, following = world.erp.changes(cursor)
        if following == cursor:
            return changes, cursor
        changes += more
        cursor = following


def test_changes_since_the_cursor_name_what_to_read_again(world):
    _, cursor = read_all(world)
    world.erp.hold(Hold("A", (metres(5),), ()))
    ref, sold = write(world), sell(world)
    changes, cursor = read_all(world, cursor)
    keys = {(change.kind, change.key) for change in changes}
    assert ("stock", "FAB-VEL-COT") in keys
    assert (MANUFACTURING_ORDER, ref.external_id) in keys
    assert (SALE_ORDER, sold.external_id) in keys
    assert all(change.at.tzinfo is not None for change in changes)
    world.erp.release("A")
    later, _ = read_all(world, cursor)
    assert ("stock", "FAB-VEL-COT") in {(change.kind, change.key) for change in later}
    assert (MANUFACTURING_ORDER, ref.external_id) not in {(change.kind, change.key) for change in later}


def test_a_cursor_of_something_else_is_refused(world):
    with pytest.raises(ErpRejected):
        world.erp.changes(replace(BEGINNING, value="yesterday"))


# ---------------------------------------------------------------------------------------------- the services on top


def recorded(world, documents=()):
    made = replace(order(world), sale=SALE, sale_line=f"{SALE}-1:sale")
    return services.record(
        world.erp,
        sale_id=SALE,
        sale=sale(world),
        external_id="weftline:contract:WL-000001-1",
        order=made,
        documents=documents,
        digest=("weftline:contract:WL-000001-1:released:r1", "Released."),
    )


def test_recording_is_safe_to_repeat_from_any_point(world, document):
    first, second = recorded(world, [document()]), recorded(world, [document()])
    assert first == second
    assert (first.sale.state, first.state) == ("confirmed", "confirmed")
    assert len(first.documents) == 1
    assert services.cancel_record(world.erp, first.ref.external_id) == "cancel"
    assert services.cancel_record(world.erp, first.ref.external_id) == "cancel"
    assert services.cancel_record(world.erp, SALE, kind=SALE_ORDER) == "cancel"
    assert services.cancel_record(world.erp, "weftline:contract:nothing") is None


def test_what_was_offered_becomes_the_sale_that_is_confirmed(world):
    offered = services.quote(world.erp, sale_id=SALE, sale=sale(world))
    assert offered.state == "draft"
    assert recorded(world).sale.remote_id == offered.remote_id
    again = services.quote(world.erp, sale_id=SALE, sale=sale(world, sale_line(quantity="15")))
    assert (again.remote_id, again.state) == (offered.remote_id, "confirmed")


def test_planning_again_sees_its_own_metres_and_minutes_as_free(world):
    slot = ("PRT1", world.at(2, 9), world.at(2, 10))
    services.hold(world.erp, reference="A", materials=[("FAB-VEL-COT", "VEL-COT-R001", Decimal("8.5"))], slots=[slot])
    mine = services.stock_of(world.erp, ["FAB-VEL-COT"], besides="A")["FAB-VEL-COT"]
    theirs = services.stock_of(world.erp, ["FAB-VEL-COT"], besides="B")["FAB-VEL-COT"]
    assert (mine.free, theirs.free) == (Decimal("8.5"), 0)
    start, end = world.at(0, 0), world.at(9, 0)
    mine, theirs = (services.bookings_of(world.erp, start, end, besides=who) for who in ("A", "B"))
    assert [booking.reference for booking in theirs if booking not in mine] == ["A"]


def test_an_unknown_connector_is_refused_with_the_choices(db):
    with pytest.raises(ErpRejected, match="ledger"):
        services.connect("abacus", shop="contract")
