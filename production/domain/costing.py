"""What a job costs and what is asked for it: Decimal, half up once per line, total = the sum of the lines shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

CENT = Decimal("0.01")


@dataclass(frozen=True)
class CostLine:
    """One line of the costing: a quantity at a rate, and where the rate comes from."""

    code: str
    what: str
    quantity: Decimal
    unit: str
    rate: Decimal
    amount: Decimal  # rounded
    source: str


@dataclass(frozen=True)
class Assumption:
    """A figure the costing rests on, with its source."""

    what: str
    value: str
    source: str


@dataclass(frozen=True)
class CostBreakdown:
    """The costing of one job."""

    currency: str
    quantity_m: Decimal
    lines: tuple[CostLine, ...]
    total: Decimal  # the sum of the lines
    margin: Decimal
    minimum_charge: Decimal
    minimum_applied: bool
    price: Decimal
    price_per_m: Decimal
    assumptions: tuple[Assumption, ...]

    @classmethod
    def from_dict(cls, kept: dict[str, Any]) -> CostBreakdown:
        """The costing that `as_dict` wrote down: what a customer said yes to, whatever the prices are today."""
        amounts = ("quantity_m", "total", "margin", "minimum_charge", "price", "price_per_m")
        numbers = ("quantity", "rate", "amount")
        return cls(
            currency=kept["currency"],
            minimum_applied=kept["minimum_applied"],
            lines=tuple(CostLine(**{**row, **{key: Decimal(row[key]) for key in numbers}}) for row in kept["lines"]),
            assumptions=tuple(Assumption(**row) for row in kept["assumptions"]),
            **{key: Decimal(kept[key]) for key in amounts},
        )

    def as_dict(self) -> dict[str, Any]:
        """The costing as plain JSON values, money as text."""
        return {
            "currency": self.currency,
            "quantity_m": str(self.quantity_m),
            "lines": [{key: str(value) for key, value in vars(line).items()} for line in self.lines],
            "total": str(self.total),
            "margin": str(self.margin),
            "minimum_charge": str(self.minimum_charge),
            "minimum_applied": self.minimum_applied,
            "price": str(self.price),
            "price_per_m": str(self.price_per_m),
            "assumptions": [dict(vars(assumption)) for assumption in self.assumptions],
        }


def money(amount: Decimal) -> Decimal:
    """`amount` to the cent, half up.

    >>> money(Decimal("1.005"))
    Decimal('1.01')
    """
    return amount.quantize(CENT, ROUND_HALF_UP)


def line(code: str, what: str, *, quantity: Decimal, unit: str, rate: Decimal, source: str) -> CostLine:
    """A cost line, its amount rounded once."""
    return CostLine(code, what, quantity, unit, rate, money(quantity * rate), source)


def percentage(code: str, what: str, *, of: Sequence[CostLine], pct: Decimal, source: str) -> CostLine:
    """A line of `pct` per cent on the amounts of the lines `of`."""
    base = sum((entry.amount for entry in of), Decimal(0))
    return CostLine(code, what, base, f"at {pct.normalize():f} %", pct / 100, money(base * pct / 100), source)


def breakdown(
    lines: Sequence[CostLine],
    *,
    currency: str,
    quantity_m: Decimal,
    margin_pct: Decimal,
    minimum_charge: Decimal,
    assumptions: Sequence[Assumption] = (),
) -> CostBreakdown:
    """Total, margin and price of `lines`; the minimum charge where the price would be below it."""
    total = sum((entry.amount for entry in lines), Decimal(0))
    margin = money(total * margin_pct / 100)
    price = total + margin
    minimum_applied = price < minimum_charge
    if minimum_applied:
        price = money(minimum_charge)
        margin = price - total
    return CostBreakdown(
        currency=currency,
        quantity_m=quantity_m,
        lines=tuple(lines),
        total=total,
        margin=margin,
        minimum_charge=money(minimum_charge),
        minimum_applied=minimum_applied,
        price=price,
        price_per_m=money(price / quantity_m),
        assumptions=tuple(assumptions),
    )
