"""The catalogue of a shop: seeding it from one data file, and specifying an order line from it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Q

from generation.domain.pattern import Limits, Repeat
from production.colour_profiles import Given, profile_for, register_shipped
from production.domain.snap import Snapped, snap_print, snap_weave
from production.domain.spec import PRINT, WEAVE, Ink, Inks, LineSpec, Machine, Profile, Weaving, Yarn
from production.domain.weave import refuse_unweavable
from production.errors import (
    CastoutDoesNotFit,
    FabricNotPrintable,
    InksNotOnMachine,
    MachineNotSuitable,
    NoProfile,
    NotOneCloth,
    QuantityOutOfRange,
    UnknownFabric,
    UnknownInkSet,
    UnknownMachine,
    UnknownWeave,
)
from production.models import Changeover, InkSet, MachineProfile, PriceRate, Substrate, WeaveSpec

LEAST_QUANTITY_M, MOST_QUANTITY_M = 0.1, 5000.0
MOST_COLOURS = 8  # of a printed design
SMALLEST_FEATURE_MM = 0.5  # on printed cloth
SMALLEST_FEATURE_THREADS = 3  # on woven cloth


def cloths(shop: str) -> list[tuple[str, str]]:
    """What can be ordered, as (kind:code, name) for a list to choose from: fabrics the inks suit, then weaves."""
    ink_classes = InkSet.objects.filter(shop=shop).values("ink_class")
    printable = Substrate.objects.filter(shop=shop, ink_class__in=ink_classes)
    fabrics = printable.order_by("name").values_list("code", "name")
    weaves = WeaveSpec.objects.filter(shop=shop).order_by("name").values_list("code", "name")
    return [
        *((f"substrate:{code}", f"{name} ({code})") for code, name in fabrics),
        *((f"weave:{code}", f"{name} ({code})") for code, name in weaves),
    ]


@transaction.atomic
def seed_catalogue(shop: str, factory: Mapping[str, Any]) -> dict[str, int]:
    """Make what the factory file says and `shop` has not yet; returns how many rows of each kind are new."""
    counts = dict.fromkeys(("ink_sets", "machines", "substrates", "weaves", "icc_profiles", "prices", "changeovers"), 0)

    def make(count: str, model: Any, code: str, /, **values: Any) -> Any:
        row, new = model.objects.get_or_create(shop=shop, code=code, defaults=values)
        counts[count] += new
        return row

    for given in factory["ink_sets"]:
        keys = ["name", "ink_class", "inks", "tac_pct", "purge_ml", "pretreatment_sku", "pickup_pct", "route", "source"]
        ink_set = make("ink_sets", InkSet, given["code"], **{key: given[key] for key in keys})
        counts["icc_profiles"] += _seed_profile(ink_set, given["profile"])
    centres = {centre["code"]: centre for centre in factory["work_centres"]}
    for given in factory["machine_profiles"]:
        _seed_machine(make, shop, given, centres[given["work_centre"]])
    for given in factory["fabrics"]:
        keys = ["name", "gsm", "fibre", "ink_class", "shrink_warp_pct", "shrink_weft_pct"]
        make(
            "substrates",
            Substrate,
            given["sku"],
            width_mm=given["width_cm"] * 10,
            usable_width_mm=given["usable_width_cm"] * 10,
            tac_pct=given.get("tac_pct"),
            source=given.get("shrink_source", ""),
            **{key: given[key] for key in keys},
        )
    for given in factory["weaves"]:
        keys = [
            "name",
            "gsm",
            "fibre",
            "ends_per_cm",
            "picks_per_cm",
            "warp",
            "weft",
            "weaves",
            "max_float",
            "loss_pct",
            "route",
            "source",
        ]
        make(
            "weaves",
            WeaveSpec,
            given["code"],
            loom=MachineProfile.objects.get(shop=shop, code=given["loom"]),
            width_mm=given["width_cm"] * 10,
            usable_width_mm=given["usable_width_cm"] * 10,
            shrink_warp_pct=given.get("shrink_warp_pct", 0),
            shrink_weft_pct=given.get("shrink_weft_pct", 0),
            extra_weft=given.get("extra_weft"),
            max_float_mm=given.get("max_float_mm", 0),
            ends_per_dent=given.get("ends_per_dent", 4),
            **{key: given[key] for key in keys},
        )
    for given in factory["prices"]["rates"]:
        make(
            "prices",
            PriceRate,
            given["code"],
            name=given["name"],
            value=Decimal(given["value"]),
            unit=given["unit"],
            source=given.get("source", factory["prices"]["source"]),
        )
    for given in factory.get("changeovers", []):
        for machine in given["work_centres"]:
            pair = {key: given[key] for key in ("attribute", "before", "after")}
            values = {"minutes": given["minutes"], "cost": Decimal(given["cost"]), "source": given.get("source", "")}
            row = Changeover.objects.get_or_create(shop=shop, work_centre=machine, **pair, defaults=values)
            counts["changeovers"] += row[1]
    make(
        "prices",
        PriceRate,
        "currency",
        name="Currency",
        value=1,
        unit=factory["currency"],
        source="the shop's own setting",
    )
    return counts


def skus(shop: str) -> list[str]:
    """Every material the catalogue of `shop` uses: fabrics, inks, pretreatment liquors, yarns."""
    found = set(Substrate.objects.filter(shop=shop).values_list("code", flat=True))
    for ink_set in InkSet.objects.filter(shop=shop):
        found |= {ink["sku"] for ink in ink_set.inks} | {ink_set.pretreatment_sku}
    for weave in WeaveSpec.objects.filter(shop=shop):
        found |= {yarn["sku"] for yarn in (weave.warp, weave.weft, weave.extra_weft) if yarn}
    return sorted(found)


def specify(
    shop: str,
    *,
    substrate: str | None = None,
    weave: str | None = None,
    quantity_m: float | Decimal,
    repeat: Repeat,
    words: str = "",
    machine: str | None = None,
    ink_set: str | None = None,
    on: date | None = None,
) -> LineSpec:
    """Specify an order line: the fabric `substrate` to print, or the weave, at a snapped repeat.

    `machine`: the one printer or loom to make it on, by its code; without it, all that can. `ink_set`: what to print
    with, by its code; without it, what the machines print with as their standard. `on`: the day whose colour profiles
    count; without it, those of any day do.
    Raises NotOneCloth, UnknownFabric, UnknownWeave, UnknownMachine, UnknownInkSet, QuantityOutOfRange, RepeatTooSmall,
    RepeatTooWide, RepeatTooLarge, RepeatDoesNotFitHarness, FabricNotPrintable, MachineNotSuitable, InksNotOnMachine,
    NoProfile, ProfileChanged, WrongProfile; `fields["field"]` names what to change.
    """
    if bool(substrate) == bool(weave):
        raise NotOneCloth(fields={"field": "substrate"})
    length_m = float(quantity_m)
    if not LEAST_QUANTITY_M <= length_m <= MOST_QUANTITY_M:  # also refuses NaN
        raise QuantityOutOfRange(
            f"{length_m:g} m can't be made; order between {LEAST_QUANTITY_M:g} and {MOST_QUANTITY_M:g} m.",
            fields={
                "field": "quantity_m",
                "measured": f"{length_m:g} m",
                "limit": f"{LEAST_QUANTITY_M:g} to {MOST_QUANTITY_M:g} m",
            },
        )
    if substrate:
        return _specify_print(shop, substrate, length_m, repeat, words, machine, ink_set, on)
    if ink_set:
        raise InksNotOnMachine(
            "A loom prints with no inks: leave the ink set out, or choose a fabric to print.",
            fields={"field": "ink_set", "measured": ink_set},
        )
    return _specify_weave(shop, weave or "", length_m, repeat, words, machine)


def _specify_print(
    shop: str,
    sku: str,
    quantity_m: float,
    repeat: Repeat,
    words: str,
    machine: str | None,
    ink_set_code: str | None,
    on: date | None,
) -> LineSpec:
    cloth = fabric_named(shop, sku)
    ink_set = _ink_set_for(cloth, ink_set_code) if ink_set_code else None
    if machine:
        printer = _printer(shop, machine, cloth)
        if ink_set is not None and ink_set not in printer.ink_sets():
            raise InksNotOnMachine(
                f"{printer.name} does not print with {ink_set.name}. Choose another machine or other inks.",
                fields={
                    "field": "ink_set",
                    "measured": ink_set.code,
                    "limit": ", ".join(each.code for each in printer.ink_sets()),
                },
            )
        printers, ink_set = [printer], ink_set or _inks_on(printer, cloth)
    else:
        printers, ink_set = _printers(shop, cloth, ink_set)
    printers, profile = _of_one_profile(printers, ink_set, cloth, on)
    shrink_warp, shrink_weft = cloth.shrink_warp_pct / 100, cloth.shrink_weft_pct / 100
    snapped = snap_print(
        repeat, shrink_warp=shrink_warp, shrink_weft=shrink_weft, usable_width_mm=cloth.usable_width_mm
    )
    return _line_spec(
        shop,
        PRINT,
        cloth,
        printers[0],
        snapped,
        asked=repeat,
        quantity_m=quantity_m,
        words=words,
        operations=_operations(shop, ink_set.route, {"Print": printers}),
        limits=Limits(max_colours=MOST_COLOURS, min_feature_mm=SMALLEST_FEATURE_MM),
        inks=_inks(ink_set, cloth, profile),
    )


def _printers(shop: str, cloth: Substrate, ink_set: InkSet | None) -> tuple[list[MachineProfile], InkSet]:
    """All printers wide enough for a fabric that have `ink_set`; without it, those with the first one's standard."""
    wide = MachineProfile.objects.filter(
        shop=shop, kind=MachineProfile.Kind.PRINTER, width_mm__gte=cloth.width_mm
    ).select_related("ink_set")
    if ink_set is not None:
        able = wide.filter(Q(ink_set=ink_set) | Q(other_ink_sets=ink_set)).distinct()
        if not (printers := list(able.order_by("code"))):
            raise InksNotOnMachine(
                f"No printer here that is {cloth.width_mm / 10:g} cm wide prints with {ink_set.name}. "
                "Choose other inks or another fabric.",
                fields={"field": "ink_set", "measured": ink_set.code, "limit": f"{cloth.width_mm:g} mm wide"},
            )
        return printers, ink_set
    printers = list(wide.filter(ink_set__ink_class=cloth.ink_class).order_by("code"))
    if not printers:
        raise FabricNotPrintable(
            f"{cloth.name} takes {cloth.ink_class} inks, and no printer here that is {cloth.width_mm / 10:g} cm wide "
            "has them. Choose another fabric.",
            fields={"field": "substrate", "measured": cloth.ink_class, "limit": "ink sets of the printers"},
        )
    standard = printers[0].ink_set
    return [printer for printer in printers if printer.ink_set_id == standard.pk], standard


def _of_one_profile(
    printers: list[MachineProfile], ink_set: InkSet, cloth: Substrate, on: date | None
) -> tuple[list[MachineProfile], Profile]:
    """Those printers that one file suits: the first that has a profile, and all that have the very same."""
    found: list[tuple[MachineProfile, Profile]] = []
    for printer in printers:
        try:
            found.append((printer, profile_for(ink_set, cloth, printer, on)))
        except NoProfile:
            if not found and printer is printers[-1]:
                raise
    profile = found[0][1]
    return [printer for printer, each in found if each.sha256 == profile.sha256], profile


def _printer(shop: str, code: str, cloth: Substrate) -> MachineProfile:
    """The printer of that code, wide enough for the fabric."""
    printer = machine_named(shop, code)
    if printer.kind != MachineProfile.Kind.PRINTER:
        raise MachineNotSuitable(
            f"{printer.name} does not print: choose a printer, or a weave.",
            fields={"field": "machine", "measured": printer.kind, "limit": MachineProfile.Kind.PRINTER.value},
        )
    if (printer.width_mm or 0) < cloth.width_mm:
        raise MachineNotSuitable(
            f"{cloth.name} is {cloth.width_mm / 10:g} cm wide; {printer.name} takes {(printer.width_mm or 0) / 10:g} "
            "cm. Choose a wider printer or another fabric.",
            fields={
                "field": "machine",
                "measured": f"{cloth.width_mm:g} mm",
                "limit": f"{printer.width_mm or 0:g} mm",
            },
        )
    return printer


def _inks_on(printer: MachineProfile, cloth: Substrate) -> InkSet:
    """The first ink set of the printer that suits the fabric, its standard before the others."""
    ink_sets = printer.ink_sets()
    suiting = [ink_set for ink_set in ink_sets if ink_set.ink_class == cloth.ink_class]
    if not suiting:
        classes = sorted({ink_set.ink_class for ink_set in ink_sets})
        raise MachineNotSuitable(
            f"{cloth.name} takes {cloth.ink_class} inks; {printer.name} has {' and '.join(classes) or 'none'}. "
            "Choose another printer or another fabric.",
            fields={"field": "machine", "measured": cloth.ink_class, "limit": ", ".join(classes)},
        )
    return suiting[0]


def fabric_named(shop: str, sku: str) -> Substrate:
    """The fabric of that code. Raises UnknownFabric."""
    cloth = Substrate.objects.filter(shop=shop, code=sku).first()
    if cloth is None:
        choices = list(Substrate.objects.filter(shop=shop).order_by("code").values_list("code", flat=True))
        raise UnknownFabric(
            f"There is no fabric {sku!r} in the catalogue. Choose one of {', '.join(choices) or 'none yet'}.",
            fields={"field": "substrate", "measured": sku, "choices": choices},
        )
    return cloth


def ink_set_named(shop: str, code: str) -> InkSet:
    """The ink set of that code. Raises UnknownInkSet."""
    ink_set = InkSet.objects.filter(shop=shop, code=code).first()
    if ink_set is None:
        choices = list(InkSet.objects.filter(shop=shop).order_by("code").values_list("code", flat=True))
        raise UnknownInkSet(
            f"There is no ink set {code!r} in the catalogue. Choose one of {', '.join(choices) or 'none yet'}.",
            fields={"field": "ink_set", "measured": code, "choices": choices},
        )
    return ink_set


def _ink_set_for(cloth: Substrate, code: str) -> InkSet:
    """The ink set of that code, of the class the fabric takes."""
    ink_set = ink_set_named(cloth.shop, code)
    if ink_set.ink_class != cloth.ink_class:
        raise FabricNotPrintable(
            f"{cloth.name} takes {cloth.ink_class} inks, and {ink_set.name} is {ink_set.ink_class}. "
            "Choose other inks or another fabric.",
            fields={"field": "ink_set", "measured": ink_set.ink_class, "limit": cloth.ink_class},
        )
    return ink_set


def machine_named(shop: str, code: str) -> MachineProfile:
    """The printer, loom or other machine of that code. Raises UnknownMachine."""
    machine = MachineProfile.objects.filter(shop=shop, code=code).select_related("ink_set").first()
    if machine is None:
        choices = list(
            MachineProfile.objects.filter(shop=shop, kind__in=(MachineProfile.Kind.PRINTER, MachineProfile.Kind.LOOM))
            .order_by("code")
            .values_list("code", flat=True)
        )
        raise UnknownMachine(
            f"There is no machine {code!r} in the catalogue. Choose one of {', '.join(choices) or 'none yet'}.",
            fields={"field": "machine", "measured": code, "choices": choices},
        )
    return machine


def usual_repeat(shop: str, *, weave: str = "") -> Repeat:
    """A repeat that can be made of a cloth, to reckon with before one is chosen: the loom's whole harness, or a foot.

    Raises UnknownWeave.
    """
    if not weave:
        return Repeat(320.0, 320.0)
    cloth = WeaveSpec.objects.filter(shop=shop, code=weave).select_related("loom").first()
    if cloth is None:
        raise _unknown_weave(shop, weave)
    side_mm = 10 * cloth.loom.harness_ends / cloth.ends_per_cm
    return Repeat(side_mm, side_mm)


def _unknown_weave(shop: str, code: str) -> UnknownWeave:
    choices = list(WeaveSpec.objects.filter(shop=shop).order_by("code").values_list("code", flat=True))
    return UnknownWeave(
        f"There is no weave {code!r} in the catalogue. Choose one of {', '.join(choices) or 'none yet'}.",
        fields={"field": "weave", "measured": code, "choices": choices},
    )


def _specify_weave(
    shop: str, code: str, quantity_m: float, repeat: Repeat, words: str, machine: str | None
) -> LineSpec:
    cloth = WeaveSpec.objects.filter(shop=shop, code=code).select_related("loom").first()
    if cloth is None and code == machine and (printer := machine_named(shop, machine)).kind != MachineProfile.Kind.LOOM:
        raise NotOneCloth(
            f"{printer.name} weaves nothing: name the fabric that it shall print.", fields={"field": "substrate"}
        )
    if cloth is None:
        raise _unknown_weave(shop, code)
    if machine and (given := machine_named(shop, machine)) != cloth.loom:
        what = f"is set for {cloth.loom.name}" if given.kind == MachineProfile.Kind.LOOM else "is woven on a loom"
        raise MachineNotSuitable(
            f"{cloth.name} {what}, not on {given.name}. Choose {cloth.loom.code}.",
            fields={"field": "machine", "measured": given.code, "limit": cloth.loom.code},
        )
    weaves = tuple(cloth.weaves)
    snapped = snap_weave(
        repeat,
        ends_per_cm=cloth.ends_per_cm,
        picks_per_cm=cloth.picks_per_cm,
        harness_ends=cloth.loom.harness_ends,
        hooks=cloth.loom.hooks,
        weaves=weaves,
        two_wefts=cloth.extra_weft is not None,
    )
    thread_mm = 10 / min(cloth.ends_per_cm, cloth.picks_per_cm)
    weaving = Weaving(
        code=cloth.code,
        name=cloth.name,
        ends_per_cm=cloth.ends_per_cm,
        picks_per_cm=cloth.picks_per_cm,
        hooks=cloth.loom.hooks,
        harness_ends=cloth.loom.harness_ends,
        total_ends=round(cloth.width_mm / 10 * cloth.ends_per_cm),
        reed_width_mm=cloth.width_mm,
        warp=_yarn(cloth.warp),
        weft=_yarn(cloth.weft),
        weaves=weaves,
        max_float=cloth.max_float,
        loss=cloth.loss_pct / 100,
        copies=repeat.layout.period,
        max_float_mm=cloth.max_float_mm,
        extra=_yarn(cloth.extra_weft) if cloth.extra_weft is not None else None,
        ends_per_dent=cloth.ends_per_dent,
        castout=tuple((function, hooks) for function, hooks in cloth.loom.castout),
    )
    refuse_unweavable(weaves, weaving.float_limits, two_wefts=weaving.extra is not None)
    if weaving.castout and weaving.figure_hooks < weaving.harness_ends:
        raise CastoutDoesNotFit(
            f"The castout of {cloth.loom.name} has {weaving.figure_hooks} figure hooks for the {weaving.harness_ends} "
            "ends of its harness. Correct the castout in the catalogue.",
            fields={"field": "castout", "measured": weaving.figure_hooks, "limit": weaving.harness_ends},
        )
    return _line_spec(
        shop,
        WEAVE,
        cloth,
        cloth.loom,
        snapped,
        asked=repeat,
        quantity_m=quantity_m,
        words=words,
        operations=_operations(shop, cloth.route, {"Weave": [cloth.loom]}),
        limits=Limits(max_colours=len(weaves), min_feature_mm=round(SMALLEST_FEATURE_THREADS * thread_mm, 3)),
        weaving=weaving,
    )


def _line_spec(
    shop: str, kind: str, cloth: Substrate | WeaveSpec, machine: MachineProfile, snapped: Snapped, **rest: Any
) -> LineSpec:
    return LineSpec(
        shop=shop,
        kind=kind,
        sku=cloth.code,
        name=cloth.name,
        repeat=snapped.repeat,
        width_px=snapped.width_px,
        height_px=snapped.height_px,
        dpi=snapped.dpi,
        printed_width_mm=snapped.printed_width_mm,
        printed_height_mm=snapped.printed_height_mm,
        scale_x=snapped.printed_width_mm / snapped.repeat.width_mm,
        scale_y=snapped.printed_height_mm / snapped.repeat.height_mm,
        width_mm=cloth.width_mm,
        usable_width_mm=cloth.usable_width_mm,
        gsm=cloth.gsm,
        fibre=cloth.fibre,
        shrink_warp=cloth.shrink_warp_pct / 100,
        shrink_weft=cloth.shrink_weft_pct / 100,
        head_m=machine.head_m,
        tail_m=machine.tail_m,
        waste=machine.waste_pct / 100,
        snapped=snapped.changes,
        **rest,
    )


def _operations(
    shop: str, route: list[str], given: Mapping[str, list[MachineProfile]]
) -> tuple[tuple[Machine, ...], ...]:
    steps = []
    for operation in route:
        rows = given.get(operation) or list(
            MachineProfile.objects.filter(shop=shop, operation=operation).order_by("code")
        )
        steps.append(tuple(_machine(row) for row in rows))
    return tuple(steps)


def _machine(row: MachineProfile) -> Machine:
    keys = [
        "code",
        "name",
        "operation",
        "setup_min",
        "cleanup_min",
        "speed_m2_h",
        "speed_m_min",
        "picks_min",
        "factor",
        "dwell_min",
        "power_kw",
        "sidecar",
        "rip_folder",
    ]
    return Machine(**{key: getattr(row, key) for key in keys}, files=tuple(row.files))


def _inks(ink_set: InkSet, cloth: Substrate, profile: Profile) -> Inks:
    return Inks(
        code=ink_set.code,
        name=ink_set.name,
        ink_class=ink_set.ink_class,
        inks=tuple(Ink(**ink) for ink in ink_set.inks),
        tac_pct=ink_set.tac_pct if cloth.tac_pct is None else min(ink_set.tac_pct, cloth.tac_pct),
        purge_ml=ink_set.purge_ml,
        pretreatment_sku=ink_set.pretreatment_sku,
        pickup_pct=ink_set.pickup_pct,
        profile=profile,
    )


def _yarn(given: Mapping[str, Any]) -> Yarn:
    return Yarn(given["sku"], given["name"], given["tex"], given["crimp_pct"] / 100, given["colour"])


def _seed_profile(ink_set: InkSet, given: Mapping[str, Any]) -> bool:
    _, new = register_shipped(
        given["file"],
        Given(
            code=given["code"],
            name=given["name"],
            owner=given["owner"],
            valid_from=date.fromisoformat(given["valid_from"]),
            synthetic=given["synthetic"],
        ),
        ink_set=ink_set,
    )
    return new


def _seed_machine(make: Any, shop: str, given: Mapping[str, Any], centre: Mapping[str, Any]) -> None:
    facts = centre["attributes"]
    ink_set = InkSet.objects.get(shop=shop, code=given["ink_set"]) if given.get("ink_set") else None
    known = MachineProfile.objects.filter(shop=shop, code=centre["code"]).exists()
    machine = make(
        "machines",
        MachineProfile,
        centre["code"],
        name=centre["name"],
        kind=centre["kind"],
        operation=given["operation"],
        ink_set=ink_set,
        width_mm=float(facts["width_cm"]) * 10 if "width_cm" in facts else None,
        speed_m2_h=float(facts.get("speed_m2_h", 0)),
        speed_m_min=float(facts.get("speed_m_min", 0)),
        picks_min=float(facts.get("picks_min", 0)),
        dwell_min=float(facts.get("minutes", 0)),
        hooks=int(facts.get("hooks", 0)),
        harness_ends=int(facts.get("repeat_ends", 0)),
        castout=given.get("castout", []),
        setup_min=centre["setup_min"],
        cleanup_min=centre["cleanup_min"],
        factor=given.get("factor", 1),
        power_kw=given.get("power_kw", 0),
        files=given.get("files", []),
        sidecar=given.get("sidecar", ""),
        hot_folder=given.get("hot_folder", ""),
        rip_folder=given.get("rip_folder", ""),
        head_m=given.get("head_m", 0),
        tail_m=given.get("tail_m", 0),
        waste_pct=given.get("waste_pct", 0),
        source=given.get("source", ""),
    )
    if not known:
        machine.other_ink_sets.add(*InkSet.objects.filter(shop=shop, code__in=given.get("other_ink_sets", [])))
