"""Which roll a print length is cut from, when the rest arrives, and what is said when there is not enough."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_sync import errors
from inventory_sync.errors import ErpRejected, NotEnoughStock
from inventory_sync.ports import Incoming, Lot, StockLevel, in_unit
from inventory_sync.shortage import not_enough
from production.planning.errors import InvalidRoute
from production.planning.materials import ready

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DECEMBER = datetime(2026, 12, 1, 12, tzinfo=UTC)


def level(*free, incoming=(), lead=None, name="Cotton velvet", unit="m"):
    lots = tuple(Lot(f"R{n:03}", Decimal(str(q)), Decimal(str(q))) for n, q in enumerate(free, 1))
    coming = tuple(Incoming(Decimal(str(q)), due) for q, due in incoming)
    return StockLevel("FAB-VEL-COT", lots, coming, lead, unit, Decimal("12.8"), NOW, name, by_lot=True)


def plan(stock, quantity, *, one_lot=True):
    return ready(stock, quantity=Decimal(str(quantity)), one_lot=one_lot, now=NOW, tz="Europe/Paris")


def test_the_shortest_roll_that_is_long_enough_is_taken():
    found = plan(level(98.5, 102, 64.3, 110), 12.9)
    assert (found.lot, found.ready_at, found.in_stock) == ("R003", NOW, True)
    assert plan(level(98.5, 102, 64.3, 110), 99).lot == "R002"


def test_a_roll_of_exactly_the_length_is_enough():
    assert plan(level(8.5), 8.5).lot == "R001"


def test_a_print_length_is_not_pieced_together_from_two_rolls():
    found = plan(level(8, 8, incoming=[(150, DECEMBER)]), 12.9)
    assert (found.lot, found.in_stock, found.ready_at, found.name) == (None, False, DECEMBER, "Cotton velvet")
    assert found.sentence == "Longest roll of Cotton velvet is 8 m, 12.9 m needed; 150 m arrive Tue 1 Dec"


def test_ink_may_come_from_everything_there_is():
    found = plan(level(8, 8), 12.9, one_lot=False)
    assert (found.lot, found.in_stock) == (None, True)


def test_deliveries_add_up_for_ink_but_not_for_one_print_length():
    later = DECEMBER + timedelta(days=7)
    stock = level(1, incoming=[(6, DECEMBER), (6, later)], lead=30)
    assert plan(stock, 12.9, one_lot=False).ready_at == later
    assert plan(stock, 12.9).ready_at == NOW + timedelta(days=30)


def test_a_delivery_that_is_overdue_is_not_counted_on():
    stock = level(8.5, incoming=[(150, NOW - timedelta(days=1))], lead=14)
    found = plan(stock, 12.9)
    assert found.ready_at == NOW + timedelta(days=14)
    assert found.sentence.endswith("ordered now, it arrives Sun 6 Dec")


def test_ordering_now_counts_when_it_is_sooner_than_what_is_on_its_way():
    stock = level(incoming=[(150, NOW + timedelta(days=40))], lead=14)
    assert plan(stock, 12.9).ready_at == NOW + timedelta(days=14)


def test_the_sooner_of_two_deliveries_that_are_each_enough_counts():
    later = DECEMBER + timedelta(days=7)
    assert plan(level(incoming=[(50, later), (50, DECEMBER)]), 12.9).ready_at == DECEMBER


def test_when_nothing_can_ever_be_enough_it_says_what_is_missing():
    with pytest.raises(NotEnoughStock, match="nothing is on its way and no supplier is known") as error:
        plan(level(8.5, incoming=[(10, DECEMBER)]), 12.9)
    assert error.value.fields == {
        "sku": "FAB-VEL-COT",
        "lot": None,
        "unit": "m",
        "wanted": "12.9",
        "free": "8.5",
        "longest_roll": "8.5",
        "missing": "4.4",
        "available_from": None,
    }


def test_a_fabric_with_no_roll_at_all_reads_well():
    with pytest.raises(NotEnoughStock, match=r"^No Cotton velvet is free, 12\.9 m needed; nothing"):
        plan(level(), 12.9)


def test_a_loose_material_is_not_called_a_roll():
    error = not_enough(
        level(0.35, name="Reactive ink violet", unit="l", lead=7),
        wanted=Decimal("0.5"),
        one_lot=False,
        now=NOW,
        tz="Europe/Paris",
    )
    assert str(error) == "0.35 l of Reactive ink violet free, 0.5 l needed; ordered now, it arrives Sun 29 Nov."


@pytest.mark.parametrize("quantity", ["0", "-1", "NaN", "Infinity"])
def test_a_quantity_that_is_none_is_refused(quantity):
    with pytest.raises(InvalidRoute):
        plan(level(8.5), quantity)


amounts = st.integers(0, 200_000).map(lambda n: Decimal(n) / 1000)


@given(
    st.lists(amounts, max_size=5),
    st.lists(st.tuples(amounts, st.integers(-5, 60)), max_size=4),
    st.one_of(st.none(), st.integers(1, 60)),
    amounts.filter(lambda q: q > 0),
    st.booleans(),
)
def test_a_plan_is_always_enough_and_the_best_there_is(free, coming, lead, quantity, one_lot):
    stock = level(*free, incoming=[(q, NOW + timedelta(days=d)) for q, d in coming], lead=lead)

    def enough_after(days):
        """Whether there is enough then, counting what has come by then and what could have been ordered now."""
        come = [q for q, day in coming if 0 < day <= days]
        if days and lead is not None and lead <= days:
            return True
        return any(q >= quantity for q in [*free, *come]) if one_lot else sum(free) + sum(come) >= quantity

    first = next((days for days in range(61) if enough_after(days)), None)
    if first is None:
        with pytest.raises(NotEnoughStock):
            plan(stock, quantity, one_lot=one_lot)
        return
    found = plan(stock, quantity, one_lot=one_lot)
    assert found.ready_at == NOW + timedelta(days=first)
    assert found.in_stock == enough_after(0)
    if found.lot is not None:
        fitting = [lot for lot in stock.lots if lot.free >= quantity]
        assert min(lot.free for lot in fitting) == next(lot.free for lot in fitting if lot.lot == found.lot)


@pytest.mark.parametrize(
    ("quantity", "unit", "to", "answer"),
    [
        ("412.3", "ml", "l", "0.413"),
        (Decimal("12.5"), "m", "m", "12.500"),
        (320, "mm", "m", "0.320"),
        (0.85, "kg", "g", "850.000"),
    ],
)
def test_units_convert_and_round_up_to_what_a_ledger_keeps(quantity, unit, to, answer):
    assert in_unit(quantity, unit, to) == Decimal(answer)


@pytest.mark.parametrize(("unit", "to"), [("m", "l"), ("yd", "m"), ("kg", "stone")])
def test_units_that_do_not_measure_the_same_are_refused(unit, to):
    with pytest.raises(ErpRejected, match=to):
        in_unit(1, unit, to)


def test_an_erp_fails_in_exactly_five_ways():
    kinds = {kind.__name__: kind.retryable for kind in errors.ErpError.__subclasses__()}
    assert kinds == {
        "ErpUnavailable": True,
        "ErpAmbiguous": True,
        "ErpConflict": True,
        "ErpRejected": False,
        "ErpProtocol": False,
    }
    refinements = {kind.__name__: kind.retryable for kind in errors.ErpConflict.__subclasses__()}
    assert refinements == {"NotEnoughStock": False, "SlotTaken": False}
