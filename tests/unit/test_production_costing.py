"""Money: Decimal, half up once per line, total = sum of the lines, and the minimum charge."""

import json
from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from production.domain.costing import (
    ActualUse,
    Assumption,
    CostBreakdown,
    Costing,
    breakdown,
    compare,
    line,
    money,
    percentage,
)

amounts = st.decimals("0", "99999", places=4)


@given(st.lists(st.tuples(amounts, amounts), min_size=1, max_size=30), amounts, st.decimals("0", "95", places=2))
def test_the_total_is_the_sum_of_the_lines_shown(rows, minimum, margin_pct):
    lines = [line(f"l{k}", "x", quantity=q, unit="m", rate=r, source="s") for k, (q, r) in enumerate(rows)]
    lines.append(percentage("o", "overhead", of=lines, pct=Decimal(12), source="s"))
    cost = breakdown(
        lines, currency="EUR", quantity_m=Decimal("12.5"), margin_pct=margin_pct, minimum_charge=money(minimum)
    )
    assert cost.total == sum(entry.amount for entry in cost.lines)
    assert cost.price == cost.total + cost.margin
    assert cost.price >= money(minimum)
    assert all(entry.amount == money(entry.amount) for entry in cost.lines)


def test_half_a_cent_goes_up_once():
    assert line("a", "x", quantity=Decimal("0.5"), unit="m", rate=Decimal("0.01"), source="s").amount == Decimal("0.01")
    assert money(Decimal("2.675")) == Decimal("2.68")


def test_a_small_job_pays_the_minimum_charge():
    one = [line("a", "x", quantity=Decimal(1), unit="m", rate=Decimal(3), source="s")]
    small = breakdown(one, currency="EUR", quantity_m=Decimal(1), margin_pct=Decimal(10), minimum_charge=Decimal("120"))
    assert (small.price, small.minimum_applied, small.margin) == (Decimal("120.00"), True, Decimal("117.00"))
    large = breakdown(one, currency="EUR", quantity_m=Decimal(1), margin_pct=Decimal(10), minimum_charge=Decimal(2))
    assert (large.price, large.minimum_applied) == (Decimal("3.30"), False)


def test_price_per_metre_is_the_price_over_the_metres():
    one = [line("a", "x", quantity=Decimal(3), unit="m", rate=Decimal(10), source="s")]
    cost = breakdown(one, currency="EUR", quantity_m=Decimal(7), margin_pct=Decimal(0), minimum_charge=Decimal(0))
    assert cost.price_per_m == Decimal("4.29")


def test_money_is_text_in_json():
    one = [line("a", "x", quantity=Decimal(3), unit="m", rate=Decimal("0.1"), source="where from")]
    shown = breakdown(
        one, currency="EUR", quantity_m=Decimal(3), margin_pct=Decimal(0), minimum_charge=Decimal(0)
    ).as_dict()
    assert shown["total"] == "0.30"
    assert shown["lines"][0]["source"] == "where from"


@given(st.lists(st.tuples(amounts, amounts), min_size=1, max_size=8))
def test_a_costing_that_was_kept_as_json_comes_back_the_same(rows):
    lines = [line(f"l{k}", "x", quantity=q, unit="m", rate=r, source="s") for k, (q, r) in enumerate(rows)]
    cost = breakdown(
        lines,
        currency="EUR",
        quantity_m=Decimal("12.5"),
        margin_pct=Decimal(38),
        minimum_charge=Decimal(120),
        assumptions=[Assumption("Margin", "38 %", "house default")],
    )
    assert CostBreakdown.from_dict(json.loads(json.dumps(cost.as_dict()))) == cost


def golden():
    """A printed order of 12.5 m, reckoned by hand."""
    rows = [
        ("design", "Design", "1", "design", "24.00"),
        ("FAB-COT-SAT", "Cotton satin", "14.75", "m", "4.20"),
        ("INK-RE-C", "Cyan", "0.104", "l", "38.00"),
        ("INK-RE-C:lost", "Cyan: purge, waste", "0.009", "l", "38.00"),
        ("time:PRT1", "Print", "0.591", "h", "46.00"),
        ("labour", "People", "0.433", "h", "26.00"),
        ("energy", "Electricity", "22.1", "kWh", "0.21"),
        ("steam", "Steam", "9.1", "kg", "0.045"),
        ("packing", "Packing", "12.5", "m", "0.18"),
        ("freight", "Freight", "3.1", "kg", "0.45"),
    ]
    lines = [
        line(code, what, quantity=Decimal(quantity), unit=unit, rate=Decimal(rate), source="by hand")
        for code, what, quantity, unit, rate in rows
    ]
    lines.append(percentage("overhead", "Overhead", of=lines, pct=Decimal(12), source="by hand"))
    return breakdown(
        lines, currency="EUR", quantity_m=Decimal("12.5"), margin_pct=Decimal(38), minimum_charge=Decimal(120)
    )


def test_the_golden_order_costs_what_it_costs_by_hand():
    cost = golden()
    amounts = [str(entry.amount) for entry in cost.lines]
    assert amounts == ["24.00", "61.95", "3.95", "0.34", "27.19", "11.26", "4.64", "0.41", "2.25", "1.40", "16.49"]
    assert [str(value) for value in (cost.total, cost.margin, cost.price, cost.price_per_m)] == [
        "153.88", "58.47", "212.35", "16.99",
    ]  # fmt: skip
    assert str(cost.contribution) == "137.41", "price less materials, energy, packing and freight"


def test_planned_actual_and_variance_by_line_with_overhead_on_what_it_really_was():
    cost = golden()
    uses = {
        "FAB-COT-SAT": ActualUse("FAB-COT-SAT", Decimal("15.20")),
        "INK-RE-C": ActualUse("INK-RE-C", Decimal("0.104"), rate=Decimal("40")),
        "reprint": ActualUse("reprint", Decimal(2), Decimal("4.20"), "Printed again", "m"),
    }
    compared = compare(cost, uses)
    row = {each.code: each for each in compared.lines}
    assert (row["FAB-COT-SAT"].actual, row["FAB-COT-SAT"].variance) == (Decimal("63.84"), Decimal("1.89"))
    assert row["INK-RE-C"].variance == Decimal("0.21"), "a price may differ too"
    assert not row["freight"].reported
    assert row["freight"].variance == 0
    assert (row["reprint"].planned, row["reprint"].actual) == (0, Decimal("8.40"))
    base = sum(each.actual for each in compared.lines if each.code != "overhead")
    assert row["overhead"].actual == money(base * 12 / 100) == Decimal("17.75")
    assert compared.actual == sum(each.actual for each in compared.lines) == Decimal("165.64")
    assert compared.variance == sum(each.variance for each in compared.lines) == Decimal("11.76")
    assert compared.margin == cost.price - compared.actual


def test_what_was_used_as_planned_differs_by_nothing():
    cost = golden()
    uses = {entry.code: ActualUse(entry.code, entry.quantity) for entry in cost.lines if entry.pct is None}
    assert compare(cost, uses).variance == 0


def test_a_costing_comes_back_from_json_with_what_was_reported():
    uses = (
        ActualUse("FAB-COT-SAT", Decimal("15.20")),
        ActualUse("x", Decimal(1), Decimal("2.5"), "Extra", "pcs", "me"),
    )
    kept = Costing("Mill", "WL-1-1", 1, "2026-11-23T09:00:00+00:00", golden(), issue=2, uses=uses)
    said = json.loads(json.dumps(kept.as_dict()))
    assert Costing.from_dict(said) == kept
    assert said["comparison"]["variance"] == str(kept.comparison.variance)
    assert replace(kept, uses=()).comparison is None


OLD = {  # as it was kept before there were breaks, the contribution and the day of the prices
    "currency": "EUR", "quantity_m": "12.5", "total": "3.00", "margin": "1.14", "minimum_charge": "120.00",
    "minimum_applied": False, "price": "4.14", "price_per_m": "0.33",
    "lines": [{"code": "FAB", "what": "Cloth", "quantity": "1", "unit": "m", "rate": "3", "amount": "3.00",
               "source": "stock"}],
    "assumptions": [{"what": "Margin", "value": "38 %", "source": "house default"}],
}  # fmt: skip


def test_a_costing_that_was_kept_earlier_still_loads():
    cost = CostBreakdown.from_dict(OLD)
    assert (cost.breaks, cost.rates_on, cost.contribution) == ((), "", Decimal("1.14"))
    assert {key: value for key, value in cost.as_dict().items() if key in OLD} == OLD
