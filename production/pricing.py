"""The costing of an assessed job from stock prices, work centre rates and the shop's own rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Protocol

from inventory_sync.ports import StockLevel, WorkCentre
from production.assessment import Assessment, Material, OperationTime, at_length, outline
from production.domain.costing import (
    Assumption,
    CostBreakdown,
    CostLine,
    QuantityBreak,
    break_of,
    breakdown,
    line,
    percentage,
)
from production.domain.spec import LineSpec
from production.domain.usage import Usage
from production.errors import PriceMissing
from production.models import PriceRate

BREAKS = (1, 2, 5, 10)  # times the length that was asked for
# Coverage of line art, all inks together: 10 % in the trade. The heaviest design is at the limit of the inks.
LIGHTEST = 0.1
Rates = Mapping[str, PriceRate]


class Measured(Protocol):
    """What a cloth takes: assessed, or outlined before it is drawn."""

    @property
    def usage(self) -> Usage: ...

    @property
    def materials(self) -> Sequence[Material]: ...

    @property
    def times(self) -> Sequence[Sequence[OperationTime]]: ...


@dataclass(frozen=True)
class PriceRange:
    """What a length would cost, from line art to a solid at the ink limit; of a woven cloth the two are one."""

    quantity_m: Decimal
    currency: str
    least: Decimal
    most: Decimal
    least_per_m: Decimal
    most_per_m: Decimal


def estimate(
    spec: LineSpec,
    *,
    lengths: Sequence[Decimal],
    stock: Mapping[str, StockLevel],
    work_centres: Mapping[str, WorkCentre],
) -> list[PriceRange]:
    """What each length in metres would cost before anything is drawn, by the reckoning of `cost`.

    Raises PriceMissing naming what has no price and is always needed.
    """
    rates = {rate.code: rate for rate in PriceRate.objects.filter(shop=spec.shop)}
    found = []
    for length in lengths:
        longer = replace(spec, quantity_m=float(length))
        light, heavy = (
            _cost(outline(longer, coverage=coverage), longer, stock, work_centres, rates, None, "")
            for coverage in (LIGHTEST, spec.inks.tac_pct / 100 if spec.inks else LIGHTEST)
        )
        found.append(PriceRange(length, light.currency, light.price, heavy.price, light.price_per_m, heavy.price_per_m))
    return found


def cost(
    assessment: Assessment,
    *,
    spec: LineSpec,
    stock: Mapping[str, StockLevel],
    work_centres: Mapping[str, WorkCentre],
    generation_s: Decimal | None = None,
    on: date | None = None,
) -> CostBreakdown:
    """What the job costs, its price, and its prices at longer lengths by the same reckoning.

    Each operation is costed on the first machine of its step. Rates that a shop has not set make no line.
    generation_s: seconds that drawing the design took; on: the day of the prices.
    Raises PriceMissing naming what has no price and is always needed.
    """
    rates = {rate.code: rate for rate in PriceRate.objects.filter(shop=spec.shop)}
    day = on.isoformat() if on else ""
    first = _cost(assessment, spec, stock, work_centres, rates, generation_s, day)
    breaks: list[QuantityBreak] = [break_of(first)]
    for times in BREAKS[1:]:
        longer = replace(spec, quantity_m=spec.quantity_m * times)
        there = at_length(assessment, longer)
        breaks.append(break_of(_cost(there, longer, stock, work_centres, rates, generation_s, day)))
    return replace(first, breaks=tuple(breaks))


def cost_once_more(
    assessment: Assessment,
    *,
    spec: LineSpec,
    stock: Mapping[str, StockLevel],
    work_centres: Mapping[str, WorkCentre],
    on: date | None = None,
) -> CostBreakdown:
    """What it costs to make a cloth once more: its design is there already, and the customer pays nothing for it.

    Raises PriceMissing naming what has no price and is always needed.
    """
    rates = {rate.code: rate for rate in PriceRate.objects.filter(shop=spec.shop)}
    day = on.isoformat() if on else ""
    whole = _cost(assessment, spec, stock, work_centres, rates, None, day, drawn=True)
    nothing = Decimal("0.00")
    free = Assumption("Made once more", "the customer pays nothing for it", "inspection")
    return replace(
        whole, margin=-whole.total, minimum_charge=nothing, minimum_applied=False, price=nothing, price_per_m=nothing,
        assumptions=(free, *whole.assumptions),
    )  # fmt: skip


def _cost(
    assessment: Measured,
    spec: LineSpec,
    stock: Mapping[str, StockLevel],
    work_centres: Mapping[str, WorkCentre],
    rates: Rates,
    generation_s: Decimal | None,
    day: str,
    *,
    drawn: bool = False,  # the design was paid for before
) -> CostBreakdown:
    lines = [*(() if drawn else _design(rates, generation_s)), *_materials(assessment, spec, stock)]
    lines += [*_transfer_paper(assessment, spec, rates), *_machine_time(assessment, work_centres)]
    lines += [*_labour(assessment, rates), *_energy(assessment, spec, rates), *_delivery(spec, rates)]
    overhead = _rate(rates, "overhead_pct")
    lines.append(percentage("overhead", overhead.name, of=lines, pct=overhead.value, source=overhead.source))
    margin, minimum = _rate(rates, "margin_pct"), _rate(rates, "minimum_charge")
    return breakdown(
        lines,
        currency=_rate(rates, "currency").unit,
        quantity_m=Decimal(str(spec.quantity_m)),
        margin_pct=margin.value,
        minimum_charge=minimum.value,
        assumptions=[
            *_assumptions(assessment, spec, rates),
            Assumption(margin.name, f"{margin.value.normalize():f} {margin.unit}", margin.source),
            Assumption(minimum.name, f"{minimum.value:.2f} {minimum.unit}", minimum.source),
        ],
        rates_on=day,
    )


def _design(rates: Rates, generation_s: Decimal | None) -> list[CostLine]:
    rate = _rate(rates, "design")
    lines = [line("design", rate.name, quantity=Decimal(1), unit="design", rate=rate.value, source=rate.source)]
    if generation_s is not None:
        lines += _optional(rates, "generation", generation_s.quantize(Decimal("0.1")), "s")
    return lines


def _materials(assessment: Measured, spec: LineSpec, stock: Mapping[str, StockLevel]) -> list[CostLine]:
    """A line per material; of an ink one for the cloth, and one for what is purged and wasted beside it."""
    inks = {} if spec.inks is None else {ink.sku: ink for ink in spec.inks.inks}
    lines = []
    for material in assessment.materials:
        level = _priced(material, stock)

        def row(code: str, what: str, quantity: Decimal, level: StockLevel = level) -> CostLine:
            source = f"stock price of {level.sku}"
            return line(code, what, quantity=quantity, unit=level.unit, rate=level.unit_cost, source=source)

        name, ink = level.name or material.sku, inks.get(material.sku)
        purge_ml = assessment.usage.purge_ml.get(ink.channel, 0.0) if ink is not None else 0.0
        if ink is None or not assessment.usage.pattern_ml:
            lines.append(row(material.sku, name, material.quantity))
            continue
        on_cloth = Decimal(str(assessment.usage.pattern_ml[ink.channel] / 1000)).quantize(Decimal("0.001"))
        beside = material.quantity - min(on_cloth, material.quantity)
        wasted_ml = assessment.usage.waste_ml[ink.channel]
        lines.append(row(material.sku, name, material.quantity - beside))
        lines.append(row(f"{material.sku}:lost", f"{name}: purge {purge_ml:.1f} ml, waste {wasted_ml:.1f} ml", beside))
    return lines


def _priced(material: Material, stock: Mapping[str, StockLevel]) -> StockLevel:
    level = stock.get(material.sku)
    if level is None:
        raise PriceMissing(f"Stock has no price for {material.sku}.", fields={"field": material.sku})
    if level.unit != material.unit:
        raise PriceMissing(
            f"{material.sku} is priced per {level.unit}, not per {material.unit}.", fields={"field": material.sku}
        )
    return level


def _transfer_paper(assessment: Measured, spec: LineSpec, rates: Rates) -> list[CostLine]:
    """Paper as long and wide as the cloth, where the design goes over it."""
    if not any(step[0].operation == "Transfer" for step in spec.operations):
        return []
    area_m2 = assessment.usage.fabric_length_m * spec.width_mm / 1000
    return _optional(rates, "transfer_paper", _tenth(area_m2), "m²")


def _machine_time(assessment: Measured, work_centres: Mapping[str, WorkCentre]) -> list[CostLine]:
    lines = []
    for step in assessment.times:
        time = step[0]
        centre = work_centres.get(time.machine)
        if centre is None:
            raise PriceMissing(f"There is no work centre {time.machine}.", fields={"field": time.machine})
        minutes = Decimal(str(round(time.total_min, 1)))
        lines.append(
            line(
                f"time:{time.machine}",
                f"{time.operation}, set-up {time.setup_min:g} min, run {time.run_min:.1f} min, "
                f"clean {time.cleanup_min:g} min",
                quantity=(minutes / 60).quantize(Decimal("0.001")),
                unit="h",
                rate=centre.cost_per_hour,
                source=f"work centre {centre.code}",
            )
        )
    return lines


def _labour(assessment: Measured, rates: Rates) -> list[CostLine]:
    """People at the machines: all of setting up and cleaning, and the share of the run that is watched."""
    if "labour" not in rates or "attendance_pct" not in rates:
        return []
    share = rates["attendance_pct"].value / 100
    idle_min = sum(step[0].setup_min + step[0].cleanup_min for step in assessment.times)
    run_min = sum(step[0].run_min for step in assessment.times)
    minutes = Decimal(str(round(idle_min, 1))) + Decimal(str(round(run_min, 1))) * share
    return _optional(rates, "labour", (minutes / 60).quantize(Decimal("0.001")), "h")


def _energy(assessment: Measured, spec: LineSpec, rates: Rates) -> list[CostLine]:
    """Electricity by the machines' power, water and steam by the weight of cloth that is washed or steamed."""
    rate = _rate(rates, "energy")
    kwh = sum(step[0].power_kw * step[0].run_min / 60 for step in assessment.times)
    lines = [line("energy", rate.name, quantity=_tenth(kwh), unit="kWh", rate=rate.value, source=rate.source)]
    operations = {step[0].operation for step in spec.operations}
    weight_kg = assessment.usage.fabric_length_m * spec.width_mm / 1000 * spec.gsm / 1000
    for code, operation, unit in (("water", "Wash", "l"), ("steam", "Steam", "kg")):
        per_kg = rates.get(f"{code}_per_kg")
        if operation in operations and per_kg is not None:
            lines += _optional(rates, code, _tenth(weight_kg * float(per_kg.value)), unit)
    return lines


def _delivery(spec: LineSpec, rates: Rates) -> list[CostLine]:
    rate = _rate(rates, "packing")
    metres = Decimal(str(spec.quantity_m))
    lines = [line("packing", rate.name, quantity=metres, unit="m", rate=rate.value, source=rate.source)]
    weight_kg = spec.quantity_m * spec.width_mm / 1000 * spec.gsm / 1000
    return lines + _optional(rates, "freight", _tenth(weight_kg), "kg")


def _optional(rates: Rates, code: str, quantity: Decimal, unit: str) -> list[CostLine]:
    rate = rates.get(code)
    if rate is None:
        return []
    return [line(code, rate.name, quantity=quantity, unit=unit, rate=rate.value, source=rate.source)]


def _assumptions(assessment: Measured, spec: LineSpec, rates: Rates) -> list[Assumption]:
    machine, usage = spec.machines[0], assessment.usage
    shrunk = usage.pattern_length_m - spec.quantity_m
    lost = usage.fabric_length_m - usage.pattern_length_m - spec.head_m - spec.tail_m
    found = [
        Assumption(
            "Length: ordered, shrinkage, head and tail, waste",
            f"{spec.quantity_m:g} + {shrunk:.2f} + {spec.head_m + spec.tail_m:g} + {lost:.2f} m",
            f"machine profile {machine}, catalogue {spec.sku}",
        ),
        Assumption(
            "Shrinkage along and across, waste",
            f"{spec.shrink_warp * 100:g} % and {spec.shrink_weft * 100:g} %, {spec.waste * 100:g} %",
            f"catalogue, {spec.sku}",
        ),
    ]
    if spec.inks is not None:
        per_ink = ", ".join(f"{ink.channel} {ink.ml_per_m2:g}" for ink in spec.inks.inks)
        found.append(
            Assumption("Ink at 100 %, ml per m²", per_ink, f"ink set {spec.inks.code}, calibrate from actuals")
        )
        found.append(
            Assumption("Purge and nozzle check", f"{spec.inks.purge_ml:g} ml per ink", f"ink set {spec.inks.code}")
        )
    if spec.weaving is not None:
        weaving = spec.weaving
        found.append(
            Assumption(
                "Crimp of warp and weft, yarn loss",
                ", ".join(
                    f"{share * 100:g} %"
                    for share in (weaving.warp.crimp, *(weft.crimp for weft in weaving.wefts), weaving.loss)
                ),
                f"weave {weaving.code}",
            )
        )
    for code in ("attendance_pct", "water_per_kg", "steam_per_kg"):
        rate = rates.get(code)
        if rate is not None and (code == "attendance_pct" or spec.inks is not None):
            found.append(Assumption(rate.name, f"{rate.value.normalize():f} {rate.unit}", rate.source))
    unset = [name for code, name in _NOT_ALWAYS.items() if code not in rates]
    if unset:
        found.append(Assumption("Not costed", ", ".join(unset), "no rate is set in the catalogue"))
    return found


_NOT_ALWAYS = {"labour": "labour", "water": "water", "steam": "steam", "freight": "freight"}


def _tenth(value: float) -> Decimal:
    return Decimal(str(round(value, 1)))


def _rate(rates: Rates, code: str) -> PriceRate:
    if code not in rates:
        raise PriceMissing(f"The rate {code!r} is not set in the catalogue.", fields={"field": code})
    return rates[code]
