"""Can a design be made, and what does it take: the checks in their order, metres, millilitres, minutes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from generation.domain.pattern import Limits, Palette, Raster, Repeat
from generation.domain.reduction import reduce_colours
from production.domain import usage as use
from production.domain.checks import colours, details, repeat, seam, weaving
from production.domain.colour import delta_e_2000, srgb_to_lab
from production.domain.draft import Draft
from production.domain.edges import edges_of
from production.domain.finding import Finding, Severity, passed
from production.domain.gamut import measure
from production.domain.ink_tile import InkTile
from production.domain.picture import Picture
from production.domain.spec import LineSpec, Machine
from production.domain.usage import BandSums, Usage
from production.domain.weave import weaves_tones, woven_lab
from production.drafting import draft_of, weaves_of
from production.planning.promise import RouteStep
from production.proof import as_printed, differences, narrow, picked
from production.separation import Separation, limited_share, separate, tone_tile

MAIN_COLOURS = 8  # of a picture in tones, that stand for it on tickets
DARK_BELOW = 50.0  # L* of a cloth on the whole
USUAL_COVERAGE = 0.5  # of a floral, all inks together: 30 to 50 % in the trade


@dataclass(frozen=True)
class Material:
    """Something a job takes from stock; `one_lot`: all of it from one roll."""

    sku: str
    quantity: Decimal
    unit: str
    one_lot: bool = False


@dataclass(frozen=True)
class OperationTime:
    """The minutes of one operation on one machine."""

    operation: str
    machine: str
    setup_min: float
    run_min: float
    cleanup_min: float
    power_kw: float

    @property
    def total_min(self) -> float:
        """Set-up, run and cleaning together."""
        return self.setup_min + self.run_min + self.cleanup_min


@dataclass(frozen=True)
class Assessment:
    """What was found out about a design on a cloth."""

    findings: tuple[Finding, ...]
    passed: bool
    usage: Usage
    materials: tuple[Material, ...]
    route: tuple[RouteStep, ...]
    times: tuple[tuple[OperationTime, ...], ...]  # per step of the route, per machine
    palette: Palette
    made_lab: NDArray[np.float64]  # (K, 3) L*a*b* D50 that each colour becomes on the cloth
    separation: Separation | None = None  # of a printed line
    draft: Draft | None = None  # of a woven line that fits its loom
    repeats_across: float = 0.0
    shares: tuple[float, ...] = ()  # of the area that each colour of the palette has; in tones: that is nearest to it
    tile: InkTile | None = None  # of a printed line in tones: its planes
    shown: Picture | None = None  # of a printed line in tones: a small copy, on the screen as it will be on the cloth
    differences: NDArray[np.float64] | None = None  # (h, w) CIEDE2000, of the same: what was asked against what prints

    def as_dict(self) -> dict[str, Any]:
        """The findings, usage, materials and route as plain JSON values."""
        return {
            "passed": self.passed,
            "findings": [finding.as_dict() for finding in self.findings],
            "usage": asdict(self.usage),
            "materials": [{**asdict(material), "quantity": str(material.quantity)} for material in self.materials],
            "route": [{"name": step.name, "minutes": dict(step.minutes)} for step in self.route],
        }


def assess(design: Raster | Picture, *, spec: LineSpec) -> Assessment:
    """Check `design` for `spec` and measure what it takes. Never raises for a bad design: that is a finding."""
    return _assess_tones(design, spec) if isinstance(design, Picture) else _assess_colours(design, spec)


def _assess_colours(raster: Raster, spec: LineSpec) -> Assessment:
    size = repeat.snapped_size(raster, spec)
    findings = [repeat.resolution(raster, spec), size, repeat.across_width(spec)]
    findings.append(colours.colour_count(raster, most=spec.limits.max_colours))
    fits = size.severity is not Severity.ERROR and len(raster.palette) > 0
    separation = separate(raster.palette, spec.inks) if spec.inks is not None else None
    draft: Draft | None = None
    made_lab = srgb_to_lab(raster.palette.rgb())
    shares = _shares(raster)
    if fits:
        tones = spec.weaving is not None and weaves_tones(spec.weaving.weaves)
        findings += _picture_checks(raster, spec.repeat, spec.limits, separation, tones=tones)
    if separation is not None and spec.inks is not None:
        findings.append(
            colours.ink_limit(
                separation.values, tac_pct=spec.inks.tac_pct, palette=raster.palette, limited=separation.limited
            )
        )
        made_lab = separation.printed
        if fits:
            findings.append(colours.gamut(measure(delta_e_2000(separation.lab, separation.printed), shares)))
    if spec.weaving is not None:
        findings.append(weaving.harness(spec, spec.weaving))
        if len(raster.palette) <= len(spec.weaving.weaves):
            weaves = weaves_of(raster.palette, spec)
            warp, weft, extra = spec.weaving.warp, spec.weaving.weft, spec.weaving.extra
            made_lab = woven_lab(
                weaves, warp=warp.colour, weft=weft.colour, extra=extra.colour if extra is not None else None
            )
            if fits:
                draft = draft_of(raster, spec, weaves)
                limits = spec.weaving.float_limits
                findings.append(weaving.floats(draft.floats, limits=limits, repaired=draft.repaired))
    if len(raster.palette) > 0:
        findings.append(colours.drawn(shares, made_lab))
        difference = delta_e_2000(srgb_to_lab(raster.palette.rgb()), made_lab)
        findings.append(colours.colour_accuracy(difference, palette=raster.palette, woven=spec.weaving is not None))
    times = _times(spec)
    bands = use.indexed_bands(raster.indices, separation.values) if separation is not None else None
    usage = _usage(bands, spec, times) if fits else _lengths_only(spec, times)
    return Assessment(
        findings=tuple(findings),
        passed=passed(findings),
        usage=usage,
        materials=_materials(spec, usage),
        route=_route(spec, times, dark=_is_dark(made_lab, shares)),
        times=times,
        palette=raster.palette,
        made_lab=made_lab,
        separation=separation,
        draft=draft,
        repeats_across=spec.usable_width_px / spec.width_px,
        shares=tuple(shares.tolist()),
    )


def _assess_tones(picture: Picture, spec: LineSpec) -> Assessment:
    """A design in tones is judged by its pixels; its palette is that of its main colours, for swatches."""
    size = repeat.snapped_size(picture, spec)
    findings = [repeat.resolution(picture, spec), size, repeat.across_width(spec)]
    small = narrow(picked(picture.rgb))
    reduced = reduce_colours(small[:: _every(len(small)), :: _every(small.shape[1])], MAIN_COLOURS)
    shares = np.bincount(reduced.coverage.argmax(axis=0).ravel(), minlength=len(reduced.palette))
    lab = srgb_to_lab(reduced.palette.rgb())
    findings.append(colours.tones_drawn(srgb_to_lab(small).reshape(-1, 3), ground=lab[0]))
    tile: InkTile | None = None
    separation: Separation | None = None
    shown: Picture | None = None
    differ: NDArray[np.float64] | None = None
    bands: BandSums | None = None
    if spec.inks is None:
        findings.append(colours.flat_colours_needed(spec.limits.max_colours))
    elif size.severity is not Severity.ERROR:
        separation = separate(reduced.palette, spec.inks, tones=True)
        tile, shown = tone_tile(picture, spec.inks), as_printed(picture, spec.inks)
        differ = differences(picture, spec.inks, separation)
        bands = use.plane_bands(tile.planes)
        measures = seam.measure_tone_seams(picture.rgb, spec.repeat.layout)
        findings += [
            seam.seam(measures, code="seam", where="the design", unit="ΔE"),
            _ink_seam(tile, spec),
            colours.tones_ink_limit(
                tile.heaviest * 100 / use.FULL, tac_pct=spec.inks.tac_pct, limited=limited_share(small, spec.inks)
            ),
            colours.gamut(measure(differ.ravel())),
        ]
    times = _times(spec)
    usage = _usage(bands, spec, times) if bands is not None else _lengths_only(spec, times)
    made_lab = separation.printed if separation is not None else lab
    return Assessment(
        findings=tuple(findings),
        passed=passed(findings),
        usage=usage,
        materials=_materials(spec, usage),
        route=_route(spec, times, dark=_is_dark(made_lab, shares)),
        times=times,
        palette=reduced.palette,
        made_lab=made_lab,
        separation=separation,
        repeats_across=spec.usable_width_px / spec.width_px,
        shares=tuple((shares / shares.sum()).tolist()),
        tile=tile,
        shown=shown,
        differences=differ,
    )


def _every(length: int) -> int:
    return max(1, length // 256)


def _ink_seam(tile: InkTile, spec: LineSpec) -> Finding:
    """The finding for the worst seam of the tile's planes."""
    worst = [
        (ink.channel, seam.measure_ink_seams(np.ascontiguousarray(tile.planes[..., k]), spec.repeat.layout))
        for k, ink in enumerate(tile.inks)
    ]
    channel, measures = max(worst, key=lambda each: max(measure.excess for measure in each[1]))
    return seam.seam(measures, code="seam_ink", where=f"ink {channel}", unit="% ink")


def look_over(raster: Raster, *, limits: Limits) -> tuple[Finding, ...]:
    """What can be said of a design before its cloth is known: colours, drawing, seams, smallest detail."""
    return (
        colours.colour_count(raster, most=limits.max_colours),
        colours.drawn(_shares(raster), srgb_to_lab(raster.palette.rgb())),
        *_picture_checks(raster, raster.repeat, limits, None),
    )


def at_length(found: Assessment, spec: LineSpec) -> Assessment:
    """What an assessed design takes at another length of the same cloth, which `spec` says.

    Its ink is that of the assessed length times the ratio of the lengths: exact but for the repeats cut at the end.
    """
    times = _times(spec)
    lengths = asdict(_lengths_only(spec, times))
    usage, ratio = found.usage, lengths["pattern_length_m"] / found.usage.pattern_length_m
    taken: dict[str, Any] = {**lengths, "area_m2": usage.area_m2 * ratio, "coverage_pct": usage.coverage_pct}
    if spec.inks is not None:
        sums = [round(total * ratio) for total in usage.ink_sums.values()]
        taken |= use.ink_taken(sums, inks=spec.inks, dpi=spec.dpi, waste=spec.waste)
    whole = lengths["fabric_length_m"] / usage.fabric_length_m
    taken["chemicals_l"] = {sku: litres * whole for sku, litres in usage.chemicals_l.items()}
    taken["yarn_kg"] = {sku: kg * whole for sku, kg in usage.yarn_kg.items()}
    taken["picks"] = math.ceil(usage.picks * whole)
    there = Usage(**taken)
    dark = _is_dark(found.made_lab, np.asarray(found.shares))
    return replace(
        found, usage=there, materials=_materials(spec, there), route=_route(spec, times, dark=dark), times=times
    )


def _shares(raster: Raster) -> NDArray[np.float64]:
    """(K,) the share of the area that each colour of the palette has."""
    counts = np.bincount(raster.indices.ravel(), minlength=len(raster.palette))
    return counts[: len(raster.palette)] / raster.indices.size


def _picture_checks(
    raster: Raster, repeat_made: Repeat, limits: Limits, separation: Separation | None, *, tones: bool = False
) -> list[Finding]:
    """Seams and details; tones: it is screened in shades of one weave, whose single crossings are no details."""
    edges = edges_of(raster.indices, len(raster.palette))
    lab = srgb_to_lab(raster.palette.rgb())
    layout = repeat_made.layout
    master = delta_e_2000(lab[:, None], lab[None, :])
    found = [
        seam.seam(seam.measure_seams(raster.indices, layout, edges, master), code="seam", where="the design", unit="ΔE")
    ]
    if separation is not None:
        percent = separation.percentages()
        worst = [
            (
                channel,
                seam.measure_seams(raster.indices, layout, edges, seam.colour_difference(percent[:, c])),
            )
            for c, channel in enumerate(separation.channels)
        ]
        channel, measures = max(worst, key=lambda each: max(measure.excess for measure in each[1]))
        found.append(seam.seam(measures, code="seam_ink", where=f"ink {channel}", unit="% ink"))
    pixel_mm = (repeat_made.width_mm / raster.width_px, repeat_made.height_mm / raster.height_px)
    if tones:
        return found
    found.append(details.smallest_detail(edges, least_mm=limits.min_feature_mm, pixel_mm=pixel_mm))
    return found


def _lengths_only(spec: LineSpec, times: tuple[tuple[OperationTime, ...], ...]) -> Usage:
    return Usage(
        print_length_m=spec.quantity_m,
        pattern_length_m=use.pattern_length_m(spec.quantity_m, spec.shrink_warp),
        fabric_length_m=_fabric_length_m(spec),
        area_m2=0.0,
        minutes={step[0].operation: round(step[0].total_min, 2) for step in times},
    )


def _usage(bands: BandSums | None, spec: LineSpec, times: tuple[tuple[OperationTime, ...], ...]) -> Usage:
    """What a design takes; bands: the ink sums of a printed one."""
    lengths = _lengths_only(spec, times)
    area_m2 = lengths.pattern_length_m * spec.usable_width_mm / 1000
    measured: dict[str, Any] = {**asdict(lengths), "area_m2": area_m2}
    if bands is not None and spec.inks is not None:
        cloth_px = spec.pattern_px
        tile_px = (spec.width_px, spec.height_px)
        sums = use.cloth_sums(bands, layout=spec.repeat.layout, tile_px=tile_px, cloth_px=cloth_px)
        full = cloth_px[0] * cloth_px[1] * use.FULL
        measured |= use.ink_taken(sums, inks=spec.inks, dpi=spec.dpi, waste=spec.waste)
        measured["coverage_pct"] = {
            channel: 100 * total / full for channel, total in zip(spec.inks.channels, sums, strict=True)
        }
        litres = use.pretreatment_l(
            fabric_m=lengths.fabric_length_m, width_mm=spec.width_mm, gsm=spec.gsm, pickup_pct=spec.inks.pickup_pct
        )
        measured["chemicals_l"] = {spec.inks.pretreatment_sku: litres}
    if spec.weaving is not None:
        measured["yarn_kg"] = use.yarn_kg(fabric_m=lengths.fabric_length_m, weaving=spec.weaving)
        measured["picks"] = use.picks(lengths.fabric_length_m, spec.weaving)
    return Usage(**measured)


def _fabric_length_m(spec: LineSpec) -> float:
    return use.fabric_length_m(
        spec.quantity_m, shrink_warp=spec.shrink_warp, head_m=spec.head_m, tail_m=spec.tail_m, waste=spec.waste
    )


def _times(spec: LineSpec) -> tuple[tuple[OperationTime, ...], ...]:
    length_m = _fabric_length_m(spec)
    weave = spec.weaving
    picks_per_cm = weave.picks_per_cm * len(weave.wefts) if weave is not None else 0.0

    def time(machine: Machine) -> OperationTime:
        run = machine.run_min(length_m=length_m, width_m=spec.width_mm / 1000, picks_per_cm=picks_per_cm)
        return OperationTime(
            machine.operation, machine.code, machine.setup_min, run, machine.cleanup_min, machine.power_kw
        )

    return tuple(tuple(time(machine) for machine in step) for step in spec.operations)


def _route(
    spec: LineSpec, times: tuple[tuple[OperationTime, ...], ...], *, dark: bool = False
) -> tuple[RouteStep, ...]:
    attributes = attributes_of(spec, dark=dark)
    return tuple(
        RouteStep(
            name=step[0].operation,
            work_centres=tuple(time.machine for time in step),
            minutes={time.machine: round(time.total_min, 2) for time in step},
            # A loom stands over the weekend and goes on; a print head that stops leaves a line in the cloth.
            splittable=step[0].operation == "Weave",
            attributes=attributes,
            setup_min={time.machine: time.setup_min for time in step},
        )
        for step in times
    )


def attributes_of(spec: LineSpec, *, dark: bool) -> dict[str, str]:
    """What a cloth asks its machines to be set for: by these its changeovers are told. `dark`: as it will be dyed."""
    inks, weaving = spec.inks, spec.weaving
    return {
        "fabric": spec.sku,
        "ink_set": inks.code if inks is not None else "",
        "ink_class": inks.ink_class if inks is not None else "",
        "liquor": inks.pretreatment_sku if inks is not None else "",
        "warp": weaving.warp.sku if weaving is not None else "",
        "weave": weaving.code if weaving is not None else "",
        "shade": "dark" if dark else "light",
    }


def _is_dark(made_lab: NDArray[np.float64], shares: NDArray[np.float64]) -> bool:
    """Whether the cloth's mean lightness is below 50: what it bleeds in the wash would stain a light one."""
    return bool(shares.sum()) and float(made_lab[:, 0] @ shares / shares.sum()) < DARK_BELOW


@dataclass(frozen=True)
class Outline:
    """What a cloth takes whatever it will show: its route, and its materials with inks at a coverage."""

    route: tuple[RouteStep, ...]
    materials: tuple[Material, ...]
    usage: Usage
    times: tuple[tuple[OperationTime, ...], ...]  # per step of the route, per machine


def outline(spec: LineSpec, *, coverage: float = USUAL_COVERAGE) -> Outline:
    """What a cloth takes before it is drawn.

    Times and lengths are those of the order; inks are reckoned at `coverage`, a share of the area, all inks together.
    """
    times = _times(spec)
    usage = _lengths_only(spec, times)
    measured: dict[str, Any] = asdict(usage)
    if spec.inks is not None:
        width_px, length_px = spec.pattern_px
        each = round(width_px * length_px * use.FULL * coverage / len(spec.inks.inks))
        measured |= use.ink_taken([each] * len(spec.inks.inks), inks=spec.inks, dpi=spec.dpi, waste=spec.waste)
        litres = use.pretreatment_l(
            fabric_m=usage.fabric_length_m, width_mm=spec.width_mm, gsm=spec.gsm, pickup_pct=spec.inks.pickup_pct
        )
        measured["chemicals_l"] = {spec.inks.pretreatment_sku: litres}
    if spec.weaving is not None:
        measured["yarn_kg"] = use.yarn_kg(fabric_m=usage.fabric_length_m, weaving=spec.weaving)
    taken = Usage(**measured)
    return Outline(_route(spec, times), _materials(spec, taken), taken, times)


def _materials(spec: LineSpec, usage: Usage) -> tuple[Material, ...]:
    found = []
    if spec.weaving is None:
        found.append(Material(spec.sku, _up(usage.fabric_length_m, "0.01"), "m", one_lot=True))
    if spec.inks is not None:
        sku_of: Mapping[str, str] = {ink.channel: ink.sku for ink in spec.inks.inks}
        found += [Material(sku_of[channel], _up(ml / 1000, "0.001"), "l") for channel, ml in usage.ink_ml.items()]
    found += [Material(sku, _up(litres, "0.01"), "l") for sku, litres in usage.chemicals_l.items()]
    found += [Material(sku, _up(kg, "0.001"), "kg") for sku, kg in usage.yarn_kg.items()]
    return tuple(found)


def _up(value: float, step: str) -> Decimal:
    """`value` as Decimal, rounded up to `step`: stock that is held must be enough."""
    return Decimal(math.ceil(round(value / float(step), 6))) * Decimal(step)
