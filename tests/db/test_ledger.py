"""The ledger's own promises, beyond the contract of every connector."""

import copy
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from django.db import IntegrityError, OperationalError, transaction
from django.db.models import F, Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inventory_sync import services
from inventory_sync.apps import check_connectors
from inventory_sync.connectors import ledger
from inventory_sync.errors import ErpConflict, ErpRejected, ErpUnavailable, NotEnoughStock, SlotTaken
from inventory_sync.models import (
    LedgerBooking,
    LedgerHold,
    LedgerLot,
    LedgerNote,
    LedgerOrder,
    LedgerProduct,
    LedgerReservation,
    LedgerSale,
    LedgerSaleLine,
    LedgerTask,
)
from inventory_sync.ports import (
    BEGINNING,
    MANUFACTURING_ORDER,
    SALE_ORDER,
    Component,
    ErpRecord,
    Hold,
    ManufacturingOrder,
    MaterialHold,
    SaleLine,
    SaleOrder,
    SlotHold,
    Window,
    WorkOrder,
)

FACTORY = json.loads((Path(__file__).parents[2] / "orders/demo/factory.json").read_text(encoding="utf-8"))
SUNDAY = date(2026, 11, 22)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TUESDAY = datetime(2026, 11, 24, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture
def erp(db):
    services.seed_ledger("demo", FACTORY, today=SUNDAY)
    return ledger.LedgerErp(shop="demo", clock=lambda: NOON)


def velvet(quantity):
    return MaterialHold("FAB-VEL-COT", "VEL-COT-R001", Decimal(str(quantity)))


def wrong(section, **change):
    factory = copy.deepcopy(FACTORY)
    factory[section][0].update(change)
    return factory


# ---------------------------------------------------------------------------------------------- seeding


def test_seeding_says_what_was_new_and_does_nothing_the_second_time(db):
    first = services.seed_ledger("demo", FACTORY, today=SUNDAY)
    assert first == {
        "fabrics": 12,
        "rolls": 22,
        "materials": 13,
        "finished": 2,
        "calendars": 4,
        "work_centres": 12,
        "leaves": 4,
        "incoming": 1,
        "bookings": 2,
    }
    assert not any(services.seed_ledger("demo", FACTORY, today=SUNDAY + timedelta(days=3)).values())


def test_seeding_again_keeps_what_was_sold_and_held(erp):
    LedgerLot.objects.filter(lot="VEL-COT-R001").update(on_hand=F("on_hand") - 3)
    erp.hold(Hold("A", (velvet("5.5"),), ()))
    services.seed_ledger("demo", FACTORY, today=SUNDAY)
    assert erp.stock(["FAB-VEL-COT"])[0].free == 0


def test_a_monday_is_seeded_for_the_monday_after(db):
    services.seed_ledger("demo", FACTORY, today=date(2026, 11, 23))
    assert LedgerBooking.objects.get(reference="OTHER-WEAVE-1").start == datetime(2026, 11, 30, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("factory", "named"),
    [
        (wrong("fabrics", supplier="sup_none"), "sup_none"),
        (wrong("calendars", tz="Europe/Atlantis"), "Europe/Atlantis"),
        (wrong("calendars", shifts={"mon": ["17:00-08:00"]}), "17:00-08:00"),
        (wrong("work_centres", calendar="cal_none"), "cal_none"),
        (wrong("leaves", work_centre="PRT9"), "PRT9"),
        (wrong("incoming", sku="FAB-NONE"), "FAB-NONE"),
        (wrong("bookings", start="tomorrow"), "tomorrow"),
    ],
)
def test_a_factory_that_contradicts_itself_is_refused_by_name_and_nothing_is_kept(db, factory, named):
    with pytest.raises(ErpRejected, match=named):
        services.seed_ledger("demo", factory, today=SUNDAY)
    assert not LedgerProduct.objects.exists()


def test_every_connector_in_the_settings_is_checked_at_the_start(settings):
    assert check_connectors() == []
    settings.WEFTLINE = {**settings.WEFTLINE, "connectors": {"abacus": "inventory_sync.connectors.abacus.AbacusErp"}}
    assert "abacus" in check_connectors()[0].msg


# ---------------------------------------------------------------------------------------------- shops


def test_shops_share_nothing(erp):
    services.seed_ledger("other", FACTORY, today=SUNDAY)
    other = ledger.LedgerErp(shop="other", clock=lambda: NOON)
    erp.hold(Hold("A", (velvet(5),), (SlotHold("PRT1", TUESDAY, TUESDAY + timedelta(hours=1)),)))
    assert other.stock(["FAB-VEL-COT"])[0].free == Decimal("8.5")
    assert other.held("A") is None
    assert other.release("A") is False
    assert not [one for one in other.bookings(Window(TUESDAY, TUESDAY + timedelta(days=1))) if one.mine]
    assert other.changes(BEGINNING)[0] == []
    other.hold(Hold("A", (velvet("8.5"),), (SlotHold("PRT1", TUESDAY, TUESDAY + timedelta(hours=1)),)))


# ---------------------------------------------------------------------------------------------- holds


def test_the_database_itself_refuses_a_roll_that_is_oversold(erp):
    with pytest.raises(IntegrityError), transaction.atomic():
        LedgerLot.objects.filter(lot="VEL-COT-R001").update(held=F("on_hand") + 1)


def test_the_last_tenth_is_sold_although_binary_floats_say_it_is_not_there(erp):
    assert 0.1 + 0.2 > 0.3
    LedgerLot.objects.filter(lot="VEL-COT-R001").update(on_hand=Decimal("0.3"))
    erp.hold(Hold("A", (velvet("0.1"),), ()))
    erp.hold(Hold("B", (velvet("0.2"),), ()))
    assert erp.stock(["FAB-VEL-COT"])[0].free == 0


def test_a_quantity_from_anywhere_takes_what_it_has_and_then_the_shortest_rolls(erp):
    wanted = MaterialHold("FAB-COT-SAT", None, Decimal(100))
    taken = erp.hold(Hold("A", (wanted,), ()))
    assert {one.lot: one.quantity for one in taken.materials} == {
        "COT-SAT-R003": Decimal("64.3"),
        "COT-SAT-R001": Decimal("35.7"),
    }
    assert erp.hold(Hold("A", (wanted,), ())) == taken
    more = erp.hold(Hold("A", (MaterialHold("FAB-COT-SAT", "COT-SAT-R002", Decimal(50)), wanted), ()))
    assert sum(one.quantity for one in more.materials) == 150


def test_expired_holds_are_freed_by_the_sweep_once_and_in_all_shops(erp):
    services.seed_ledger("other", FACTORY, today=SUNDAY)
    other = ledger.LedgerErp(shop="other", clock=lambda: NOON)
    for shop in (erp, other):
        shop.hold(Hold("QUOTE", (velvet(5),), (), expires=NOON + timedelta(hours=1)))
        shop.hold(Hold("ORDER", (velvet(2),), ()))
    assert services.release_expired(NOON) == 0
    assert services.release_expired(NOON + timedelta(hours=1)) == 2
    assert services.release_expired(NOON + timedelta(hours=1)) == 0
    assert list(LedgerLot.objects.filter(lot="VEL-COT-R001").values_list("held", flat=True)) == [2, 2]
    assert set(LedgerHold.objects.values_list("reference", flat=True)) == {"ORDER"}


def test_changes_are_read_in_pieces_and_none_is_missed(erp, monkeypatch):
    monkeypatch.setattr(ledger, "CHANGES_AT_ONCE", 4)
    for number in range(5):
        erp.hold(Hold(f"A{number}", (velvet(1),), ()))
    keys, cursor = [], BEGINNING
    while more := erp.changes(cursor)[0]:
        keys += [change.key for change in more]
        cursor = erp.changes(cursor)[1]
    assert [key for key in keys if key.startswith("A")] == ["A0", "A1", "A2", "A3", "A4"]
    assert keys.count("FAB-VEL-COT") == 5


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_held_and_released_no_metre_and_no_minute_is_promised_twice(erp, data):
    """Any sequence of holds, replacements, releases and expiries: the sums stay true, and bookings never overlap."""
    clock = [NOON]
    shop = ledger.LedgerErp(shop="demo", clock=lambda: clock[0])
    references = st.sampled_from(["A", "B", "C", "D"])
    thousandths = st.integers(1, 9000).map(lambda n: Decimal(n) / 1000)
    steps = st.one_of(
        st.tuples(st.just("release"), references),
        st.tuples(st.just("later"), st.integers(1, 120)),
        st.tuples(
            st.just("hold"),
            references,
            st.lists(st.tuples(st.sampled_from(["VEL-COT-R001", None]), thousandths), max_size=2),
            st.one_of(st.none(), st.tuples(st.integers(0, 300), st.integers(1, 120))),
            st.one_of(st.none(), st.integers(-10, 100)),
        ),
    )
    with transaction.atomic():
        for step in data.draw(st.lists(steps, max_size=12)):
            if step[0] == "release":
                shop.release(step[1])
            elif step[0] == "later":
                clock[0] += timedelta(minutes=step[1])
            else:
                _, reference, materials, slot, expires = step
                start = TUESDAY + timedelta(minutes=slot[0]) if slot else TUESDAY
                wanted = Hold(
                    reference,
                    tuple(MaterialHold("FAB-VEL-COT", lot, quantity) for lot, quantity in materials),
                    (SlotHold("PRT1", start, start + timedelta(minutes=slot[1])),) if slot else (),
                    clock[0] + timedelta(minutes=expires) if expires is not None else None,
                )
                others = LedgerReservation.objects.exclude(hold__reference=reference).filter(lot__lot="VEL-COT-R001")
                others = others.exclude(hold__expires__lte=clock[0]).aggregate(total=Sum("quantity"))["total"] or 0
                asked = sum((quantity for _, quantity in materials), Decimal(0))
                try:
                    shop.hold(wanted)
                    assert others + asked <= Decimal("8.5")
                except NotEnoughStock:
                    assert others + asked > Decimal("8.5")  # never refused while there is enough
                except SlotTaken:
                    pass
            for lot in LedgerLot.objects.filter(product__sku="FAB-VEL-COT"):
                assert lot.held == (lot.reservations.aggregate(total=Sum("quantity"))["total"] or 0)
                assert 0 <= lot.held <= lot.on_hand
            bookings = sorted(LedgerBooking.objects.filter(work_centre__code="PRT1").values_list("start", "end"))
            assert all(one[1] <= other[0] for one, other in pairwise(bookings))
        transaction.set_rollback(True)


# ---------------------------------------------------------------------------------------------- orders


def order(**change):
    values = {
        "product": "FIN-PRINT",
        "quantity": Decimal("12.5"),
        "reference": "WL-1",
        "components": (Component("INK-RE-C", Decimal("0.05")), Component("FAB-COT-SAT", Decimal(13), "COT-SAT-R003")),
        "work_orders": (WorkOrder("Print", "PRT1", TUESDAY, TUESDAY + timedelta(hours=1), 60.0),),
    }
    return ErpRecord(MANUFACTURING_ORDER, "weftline.WL-1", ManufacturingOrder(**values | change))


def sale(quantity="12.5"):
    line = SaleLine("weftline:demo:WL-1-1:sale", "FIN-PRINT", "Small flowers", Decimal(quantity), Decimal(30))
    return ErpRecord(SALE_ORDER, "weftline:demo:WL-1", SaleOrder("Atelier Nord", "WL-1", (line,)))


def test_a_rewritten_order_has_the_new_parts_and_none_of_the_old(erp):
    erp.upsert(order())
    erp.upsert(order(quantity=Decimal(15), components=(Component("FAB-COT-SAT", Decimal(16), "COT-SAT-R004"),)))
    row = LedgerOrder.objects.get()
    assert row.quantity == 15
    assert [(one.product.sku, one.quantity, one.lot.lot) for one in row.components.all()] == [
        ("FAB-COT-SAT", 16, "COT-SAT-R004")
    ]
    assert [(one.name, one.work_centre.code, one.minutes) for one in row.work_orders.all()] == [("Print", "PRT1", 60)]


def test_writing_the_same_order_again_changes_nothing(erp):
    erp.upsert(order())
    before = erp.changes(BEGINNING)
    erp.upsert(order())
    assert erp.changes(BEGINNING) == before
    assert LedgerOrder.objects.get().revision == 2


def test_an_order_changed_by_somebody_else_meanwhile_is_a_conflict(erp, monkeypatch):
    erp.upsert(order())
    get_or_create = LedgerOrder.objects.get_or_create

    def slow(**values):
        found = get_or_create(**values)
        LedgerOrder.objects.update(revision=F("revision") + 1)
        return found

    monkeypatch.setattr(LedgerOrder.objects, "get_or_create", slow)
    with pytest.raises(ErpConflict):
        erp.upsert(order(quantity=Decimal(15)))


def test_a_sale_changed_by_somebody_else_meanwhile_is_a_conflict(erp, monkeypatch):
    erp.upsert(sale())
    get_or_create = LedgerSale.objects.get_or_create

    def slow(**values):
        found = get_or_create(**values)
        LedgerSale.objects.update(revision=F("revision") + 1)
        return found

    monkeypatch.setattr(LedgerSale.objects, "get_or_create", slow)
    with pytest.raises(ErpConflict):
        erp.upsert(sale(quantity="15"))


def test_writing_the_same_sale_again_changes_nothing(erp):
    erp.upsert(sale())
    before = erp.changes(BEGINNING)
    erp.upsert(sale())
    assert erp.changes(BEGINNING) == before
    assert LedgerSaleLine.objects.count() == 1


def test_a_line_of_one_sale_does_not_move_to_another(erp):
    erp.upsert(sale())
    with pytest.raises(ErpRejected, match="weftline:demo:WL-2"):
        erp.upsert(replace(sale(), external_id="weftline:demo:WL-2"))
    assert LedgerSale.objects.count() == 1


def test_what_is_said_and_asked_is_kept_once_as_it_was_said_first(erp):
    ref = erp.upsert(order())
    for text in ("Released.", "Released again."):
        erp.tell(ref, "weftline.WL-1:released:r1", text)
        erp.ask(ref, "weftline.WL-1:quantity", "Look at it", text)
    assert LedgerNote.objects.get().text == LedgerTask.objects.get().text == "Released."


# ---------------------------------------------------------------------------------------------- work orders

TWO_STEPS = (
    WorkOrder("Print", "PRT1", TUESDAY, TUESDAY + timedelta(hours=1), 60.0),
    WorkOrder("Wash", "WASH", TUESDAY + timedelta(hours=2), TUESDAY + timedelta(hours=3), 60.0),
)


def confirmed(erp):
    erp.hold(Hold("WL-1", (MaterialHold("FAB-COT-SAT", "COT-SAT-R003", Decimal(13)),), ()))
    ref = erp.upsert(order(work_orders=TWO_STEPS))
    erp.act(ref, "confirm", "draft")
    return ref


def test_the_first_work_order_starts_its_order_and_the_last_finishes_it_and_uses_up_the_roll(erp):
    ref = confirmed(erp)
    states = [
        services.work_on(erp, ref.external_id, operation, action)
        for operation, action in [("Print", "start"), ("Print", "finish"), ("Wash", "start"), ("Wash", "finish")]
    ]
    assert states == ["progress", "progress", "progress", "done"]
    roll = LedgerLot.objects.get(lot="COT-SAT-R003")
    assert (roll.on_hand, roll.held) == (Decimal("51.3"), 0)
    assert {one.state for one in erp.standing([ref])[0].operations} == {"done"}


def test_work_may_be_said_twice_and_what_does_not_follow_is_refused(erp):
    ref = confirmed(erp)
    assert erp.work_on(ref.external_id, "Print", "finish") == "progress"
    assert erp.work_on(ref.external_id, "Print", "finish") == "progress"
    for operation, action in [("Print", "start"), ("Iron", "start"), ("Wash", "dance")]:
        with pytest.raises(ErpRejected):
            erp.work_on(ref.external_id, operation, action)
    assert [one.state for one in erp.standing([ref])[0].operations] == ["done", "waiting"]


def test_nobody_works_on_an_order_that_is_a_draft_or_cancelled(erp):
    ref = erp.upsert(order(work_orders=TWO_STEPS))
    with pytest.raises(ErpRejected, match="draft"):
        erp.work_on(ref.external_id, "Print", "start")
    erp.act(ref, "cancel", "draft")
    with pytest.raises(ErpRejected, match="cancel"):
        erp.work_on(ref.external_id, "Print", "start")


def test_a_rewritten_order_keeps_what_was_started_and_can_not_leave_it_out(erp):
    ref = confirmed(erp)
    erp.work_on(ref.external_id, "Print", "finish")
    erp.upsert(order(quantity=Decimal(15), work_orders=TWO_STEPS))
    assert [one.state for one in erp.standing([ref])[0].operations] == ["done", "waiting"]
    with pytest.raises(ErpRejected, match="Print"):
        erp.upsert(order(work_orders=TWO_STEPS[1:]))
    assert [one.name for one in erp.standing([ref])[0].operations] == ["Print", "Wash"]


# ---------------------------------------------------------------------------------------------- the database


def test_a_database_that_does_not_answer_is_erp_unavailable(erp, monkeypatch):
    def gone(*_, **__):
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(LedgerProduct.objects, "filter", gone)
    with pytest.raises(ErpUnavailable) as error:
        erp.stock(["FAB-VEL-COT"])
    assert error.value.retryable
    assert isinstance(error.value.__cause__, OperationalError)
