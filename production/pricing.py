"""The costing of an assessed job from stock prices, work centre rates and the shop's own rates."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from inventory_sync.ports import StockLevel, WorkCentre
from production.assessment import Assessment
from production.domain.costing import Assumption, CostBreakdown, CostLine, breakdown, line, percentage
from production.domain.spec import LineSpec
from production.errors import PriceMissing
from production.models import PriceRate


def cost(
    assessment: Assessment,
    *,
    spec: LineSpec,
    stock: Mapping[str, StockLevel],
    work_centres: Mapping[str, WorkCentre],
) -> CostBreakdown:
    """What the job costs, and its price. Each operation is costed on the first machine of its step.

    Raises PriceMissing naming what has no price.
    """
    rates = {rate.code: rate for rate in PriceRate.objects.filter(shop=spec.shop)}
    lines = [_design(rates), *_materials(assessment, stock), *_machine_time(assessment, work_centres)]
    lines += [_energy(assessment, rates), _packing(spec, rates)]
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
            *_assumptions(spec),
            Assumption(margin.name, f"{margin.value.normalize():f} {margin.unit}", margin.source),
            Assumption(minimum.name, f"{minimum.value:.2f} {minimum.unit}", minimum.source),
        ],
    )


def _design(rates: Mapping[str, PriceRate]) -> CostLine:
    rate = _rate(rates, "design")
    return line("design", rate.name, quantity=Decimal(1), unit="design", rate=rate.value, source=rate.source)


def _materials(assessment: Assessment, stock: Mapping[str, StockLevel]) -> list[CostLine]:
    lines = []
    for material in assessment.materials:
        level = stock.get(material.sku)
        if level is None:
            raise PriceMissing(f"Stock has no price for {material.sku}.", fields={"field": material.sku})
        if level.unit != material.unit:
            raise PriceMissing(
                f"{material.sku} is priced per {level.unit}, not per {material.unit}.", fields={"field": material.sku}
            )
        lines.append(
            line(
                material.sku,
                level.name or material.sku,
                quantity=material.quantity,
                unit=material.unit,
                rate=level.unit_cost,
                source=f"stock price of {material.sku}",
            )
        )
    return lines


def _machine_time(assessment: Assessment, work_centres: Mapping[str, WorkCentre]) -> list[CostLine]:
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


def _energy(assessment: Assessment, rates: Mapping[str, PriceRate]) -> CostLine:
    rate = _rate(rates, "energy")
    kwh = sum(step[0].power_kw * step[0].run_min / 60 for step in assessment.times)
    return line(
        "energy", rate.name, quantity=Decimal(str(round(kwh, 1))), unit="kWh", rate=rate.value, source=rate.source
    )


def _packing(spec: LineSpec, rates: Mapping[str, PriceRate]) -> CostLine:
    rate = _rate(rates, "packing")
    return line(
        "packing", rate.name, quantity=Decimal(str(spec.quantity_m)), unit="m", rate=rate.value, source=rate.source
    )


def _assumptions(spec: LineSpec) -> list[Assumption]:
    machine = spec.machines[0]
    found = [
        Assumption(
            "Cloth before and after the design",
            f"{spec.head_m:g} m and {spec.tail_m:g} m, waste {spec.waste * 100:g} %",
            f"machine profile {machine}",
        ),
        Assumption(
            "Shrinkage along and across",
            f"{spec.shrink_warp * 100:g} % and {spec.shrink_weft * 100:g} %",
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
                f"{weaving.warp.crimp * 100:g} %, {weaving.weft.crimp * 100:g} %, {weaving.loss * 100:g} %",
                f"weave {weaving.code}",
            )
        )
    return found


def _rate(rates: Mapping[str, PriceRate], code: str) -> PriceRate:
    if code not in rates:
        raise PriceMissing(f"The rate {code!r} is not set in the catalogue.", fields={"field": code})
    return rates[code]
