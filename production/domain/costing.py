"""What a job costs and what is asked for it: Decimal, half up once per line, total = the sum of the lines shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

CENT = Decimal("0.01")
MATERIALS, DESIGN, TIME = "Materials", "Design", "Machines and people"
ENERGY, DELIVERY, OVERHEAD = "Energy and water", "Packing and freight", "Overhead"
CAUSED = frozenset({MATERIALS, ENERGY, DELIVERY})  # would not be there without the job
_GROUPS = {
    "design": DESIGN,
    "generation": DESIGN,
    "time": TIME,
    "labour": TIME,
    "energy": ENERGY,
    "water": ENERGY,
    "steam": ENERGY,
    "packing": DELIVERY,
    "freight": DELIVERY,
    "overhead": OVERHEAD,
}


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

    @property
    def group(self) -> str:
        """The part of the costing that the line stands in."""
        return _GROUPS.get(self.code.split(":")[0], MATERIALS)

    @property
    def pct(self) -> Decimal | None:
        """For a line that is a percentage of the lines before it: how many per cent."""
        return self.rate * 100 if self.unit.startswith("at ") else None


@dataclass(frozen=True)
class Assumption:
    """A figure the costing rests on, with its source."""

    what: str
    value: str
    source: str


@dataclass(frozen=True)
class QuantityBreak:
    """What the same cloth would cost at another length."""

    quantity_m: Decimal
    total: Decimal
    price: Decimal
    price_per_m: Decimal


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
    breaks: tuple[QuantityBreak, ...] = ()  # by length
    rates_on: str = ""  # the day of the prices, as 2026-11-23

    @property
    def contribution(self) -> Decimal:
        """What the price leaves above that which this job alone causes: materials, energy, packing, freight."""
        return self.price - sum((line.amount for line in self.lines if line.group in CAUSED), Decimal(0))

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
            breaks=tuple(
                QuantityBreak(**{key: Decimal(value) for key, value in row.items()}) for row in kept.get("breaks", ())
            ),
            rates_on=kept.get("rates_on", ""),
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
            "contribution": str(self.contribution),
            "assumptions": [dict(vars(assumption)) for assumption in self.assumptions],
            "breaks": [{key: str(value) for key, value in vars(step).items()} for step in self.breaks],
            "rates_on": self.rates_on,
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
    breaks: Sequence[QuantityBreak] = (),
    rates_on: str = "",
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
        breaks=tuple(breaks),
        rates_on=rates_on,
    )


def break_of(cost: CostBreakdown) -> QuantityBreak:
    """A costing as a step of the price list by length."""
    return QuantityBreak(cost.quantity_m, cost.total, cost.price, cost.price_per_m)


@dataclass(frozen=True)
class ActualUse:
    """What one line of a costing really took. Without a rate: the planned one."""

    code: str
    quantity: Decimal
    rate: Decimal | None = None
    what: str = ""  # for something that was not planned: its name and unit
    unit: str = ""
    source: str = ""  # who or what says so


@dataclass(frozen=True)
class ComparedLine:
    """A line as planned and as it was. `reported`: an actual figure came in, or follows from those that did."""

    code: str
    what: str
    unit: str
    planned_quantity: Decimal
    planned: Decimal
    actual_quantity: Decimal
    actual: Decimal
    reported: bool

    @property
    def variance(self) -> Decimal:
        """Actual less planned: above zero, it cost more."""
        return self.actual - self.planned


@dataclass(frozen=True)
class Comparison:
    """A costing against what the job took. A line that nobody reported counts as planned, and says so."""

    lines: tuple[ComparedLine, ...]
    planned: Decimal  # sums of the lines
    actual: Decimal
    margin: Decimal  # of the price that was agreed over what it cost

    @property
    def variance(self) -> Decimal:
        """Actual less planned."""
        return self.actual - self.planned

    def as_dict(self) -> dict[str, Any]:
        """The comparison as plain JSON values, money as text."""
        rows = [
            {key: value if key == "reported" else str(value) for key, value in vars(row).items()}
            | {"variance": str(row.variance)}
            for row in self.lines
        ]
        return {
            "lines": rows,
            "planned": str(self.planned),
            "actual": str(self.actual),
            "variance": str(self.variance),
            "margin": str(self.margin),
        }


def compare(cost: CostBreakdown, uses: Mapping[str, ActualUse]) -> Comparison:
    """`cost` against what was reported by line code; percentages follow the actual amounts. Rounded as the plan is.

    Raises ValueError for something unplanned that has no rate.
    """
    rows: list[ComparedLine] = []
    planned_codes = {line.code for line in cost.lines}
    extra = [_unplanned(use) for code, use in uses.items() if code not in planned_codes]
    for line in cost.lines:
        use = uses.get(line.code)
        if line.pct is not None:
            if extra:  # before the percentages, which are taken on them too
                rows, extra = rows + extra, []
            base = sum((row.actual for row in rows), Decimal(0))
            rows.append(_compared(line, base, money(base * line.pct / 100), any(row.reported for row in rows)))
        elif use is None:
            rows.append(_compared(line, line.quantity, line.amount, reported=False))
        else:
            rate = line.rate if use.rate is None else use.rate
            rows.append(_compared(line, use.quantity, money(use.quantity * rate), reported=True))
    rows += extra
    actual = sum((row.actual for row in rows), Decimal(0))
    return Comparison(tuple(rows), planned=cost.total, actual=actual, margin=cost.price - actual)


def _compared(line: CostLine, quantity: Decimal, amount: Decimal, reported: bool) -> ComparedLine:
    return ComparedLine(line.code, line.what, line.unit, line.quantity, line.amount, quantity, amount, reported)


def _unplanned(use: ActualUse) -> ComparedLine:
    if use.rate is None:
        raise ValueError(f"{use.code} was not planned, so it needs a rate")
    amount = money(use.quantity * use.rate)
    return ComparedLine(use.code, use.what or use.code, use.unit, Decimal(0), Decimal(0), use.quantity, amount, True)


@dataclass(frozen=True)
class Costing:
    """The costing of a job as people get it: whose it is, what was planned, and what it took once that is known."""

    shop: str
    reference: str
    revision: int
    issued_at: str  # ISO moment
    cost: CostBreakdown
    customer: str = ""
    order: str = ""
    cloth: str = ""
    kind: str = ""
    tz: str = "UTC"
    paper: str = "A4"
    issue: int = 1  # counts what was reported since the release
    uses: tuple[ActualUse, ...] = ()

    @property
    def comparison(self) -> Comparison | None:
        """Planned against actual; none before anything was reported."""
        return compare(self.cost, {use.code: use for use in self.uses}) if self.uses else None

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> Costing:
        """The costing that `as_dict` wrote down."""
        plain = {key: value for key, value in kept.items() if key not in ("format", "cost", "uses", "comparison")}
        uses = tuple(
            ActualUse(
                **{
                    **row,
                    "quantity": Decimal(row["quantity"]),
                    "rate": None if row["rate"] is None else Decimal(row["rate"]),
                }
            )
            for row in kept["uses"]
        )
        return cls(cost=CostBreakdown.from_dict(kept["cost"]), uses=uses, **plain)

    def as_dict(self) -> dict[str, Any]:
        """The costing as plain JSON values, money and quantities as text."""
        uses = [
            {**vars(use), "quantity": str(use.quantity), "rate": None if use.rate is None else str(use.rate)}
            for use in self.uses
        ]
        compared = self.comparison
        return {
            "format": "weftline-costing/1",
            **{key: value for key, value in vars(self).items() if key not in ("cost", "uses")},
            "cost": self.cost.as_dict(),
            "uses": uses,
            "comparison": None if compared is None else compared.as_dict(),
        }
