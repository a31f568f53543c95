"""Two of us, or one of us and somebody in Odoo, at the same moment on a real Odoo: one gets it, once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal

import pytest
from django.db import connection

from inventory_sync.connectors import odoo_holds as holds
from inventory_sync.connectors import odoo_links as links
from inventory_sync.errors import ErpConflict, ErpError, NotEnoughStock, SlotTaken
from inventory_sync.ports import MANUFACTURING_ORDER, SALE_ORDER, ErpRecord, Hold, MaterialHold, SlotHold
from tests.odoo_world import each, mill_on

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 20


@pytest.fixture(params=each())
def mill(request):
    with mill_on(request.param, metres="20") as mill:
        yield mill


@pytest.fixture(params=each("odoo 14", "odoo 19"))
def one_mill(request):
    with mill_on(request.param, metres="20") as mill:
        yield mill


@pytest.fixture
def two():
    """Two workers who stay, each with connections of its own, and do the same at the same moment."""
    with ThreadPoolExecutor(2) as pool:

        def at_once(*actions):
            together = threading.Barrier(2)

            def run(action):
                together.wait(60)
                try:
                    return action()
                except ErpError as error:
                    return error

            return [ended.result(120) for ended in [pool.submit(run, action) for action in actions]]

        yield at_once
        at_once(lambda: connection.close(), lambda: connection.close())  # each thread has its own


def upserted(mill, kind, name, values):
    def action():
        record = ErpRecord(kind, name, values)
        for _ in range(5):
            try:
                return mill.erp().upsert(record)
            except ErpConflict as conflict:
                if not conflict.retryable:
                    raise
        raise AssertionError

    return action


def test_two_creators_with_one_key_make_one_record_every_time(mill, two):
    for _ in range(ROUNDS):
        number = mill.order()
        sell = upserted(mill, SALE_ORDER, mill.sale_id(number), mill.sale(number))
        made = replace(mill.made(number), components=(), work_orders=(), sale="", sale_line="")
        make = upserted(mill, MANUFACTURING_ORDER, mill.record_id(number), made)
        for action in (sell, make):
            one, other = two(action, action)
            assert one.remote_id == other.remote_id
    for number in mill.orders:
        assert (len(mill.sales(number)), len(mill.productions(number))) == (1, 1)


def test_who_searches_before_creating_makes_two_in_most_rounds(one_mill, two):
    """The negative control: over the same connection, with no external id."""
    mill = one_mill

    def search_then_create(number):
        session = mill.erp().session
        if not session.rpc.read("sale.order", [("client_order_ref", "=", number)], ["state"], context=session.context):
            sale = [["1", number]]
            links.load(session, "sale.order", ["partner_id/.id", "client_order_ref"], sale)

    for _ in range(ROUNDS):
        number = mill.order()
        two(lambda number=number: search_then_create(number), lambda number=number: search_then_create(number))
    twice = [number for number in mill.orders if len(mill.sales(number)) == 2]
    assert len(twice) > ROUNDS / 2


# ------------------------------------------------------------------------------------------------ the last metres


def held(mill, number, what):
    """Hold 12 of the roll's 20 metres, or an hour on PRT1, for an order."""
    first = mill.orders[0]
    materials = (MaterialHold(mill.sku, mill.lot, Decimal(12)),) if what == "metres" else ()
    slots = () if what == "metres" else (SlotHold("PRT1", mill.at(first, 0), mill.at(first, 60)),)
    return lambda: mill.erp().hold(Hold(f"{number}-1", materials, slots))


@pytest.fixture
def both_look_first(monkeypatch):
    """Both have seen what is free before either takes it."""
    together, honest = threading.Barrier(2), holds._write
    seen = threading.local()

    def waiting(*args):
        if not hasattr(seen, "first"):
            seen.first = True
            together.wait(60)
        return honest(*args)

    monkeypatch.setattr(holds, "_write", waiting)


LOSES = {"metres": NotEnoughStock, "minutes": SlotTaken}


@pytest.mark.parametrize("what", LOSES)
def test_of_two_orders_that_want_the_last_of_it_one_wins(mill, two, both_look_first, what):
    mill.order(), mill.order()
    ends = two(*(held(mill, number, what) for number in mill.orders))
    assert sorted(type(end).__name__ for end in ends) == sorted(["Hold", LOSES[what].__name__]), ends
    assert [mill.erp().held(f"{number}-1") is None for number in mill.orders].count(True) == 1


@pytest.mark.parametrize("what", LOSES)
def test_with_the_clocks_compare_and_set_off_both_get_it(one_mill, two, both_look_first, monkeypatch, what):
    """The negative control."""
    mill, guarded = one_mill, holds._write

    def whatever_was_read(shop, number, *rest):
        while not guarded(shop, holds.number_of(shop), *rest):
            pass
        return True

    monkeypatch.setattr(holds, "_write", whatever_was_read)
    mill.order(), mill.order()
    ends = two(*(held(mill, number, what) for number in mill.orders))
    assert [type(end) for end in ends] == [Hold, Hold], ends


# ------------------------------------------------------------------------------------------------ somebody in Odoo


def test_what_somebody_in_odoo_reserves_between_hold_and_record_stays_theirs(mill):
    number = mill.order()
    made = mill.made(number)
    erp = mill.erp()
    erp.hold(Hold(made.reference, (MaterialHold(mill.sku, mill.lot, Decimal("12.9")),), ()))
    theirs = mill.reserve_for_delivery(Decimal(15))
    erp.upsert(ErpRecord(SALE_ORDER, mill.sale_id(number), mill.sale(number)))
    with pytest.raises(NotEnoughStock) as refusal:
        mill.record(number)
    assert refusal.value.fields["lot"] == mill.lot
    assert mill.reserved() == Decimal(15)
    assert mill.reserved_by(theirs) == Decimal(15)
    assert len(mill.productions(number)) == 1
    mill.server.ask("stock.picking", "do_unreserve", [theirs])
    assert mill.record(number).state == "confirmed"
    assert mill.reserved() == Decimal("12.9")
