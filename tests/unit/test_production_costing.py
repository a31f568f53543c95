"""Money: Decimal, half up once per line, total = sum of the lines, and the minimum charge."""

import json
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from production.domain.costing import Assumption, CostBreakdown, breakdown, line, money, percentage

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
