"""The catalogue of a shop: seeding it from one data file, and specifying an order line from it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import Q

from generation.domain.pattern import Limits, Repeat
from production.domain.snap import Snapped, snap_print, snap_weave
from production.domain.spec import PRINT, WEAVE, Ink, Inks, LineSpec, Machine, Profile, Weaving, Yarn
from production.domain.weave import refuse_long_weaves
from production.errors import (
    FabricNotPrintable,
    NoProfile,
    NotOneCloth,
    ProfileChanged,
    QuantityOutOfRange,
    UnknownFabric,
    UnknownWeave,
)
from production.models import IccProfile, InkSet, MachineProfile, PriceRate, Substrate, WeaveSpec

PROFILES = Path(__file__).parent / "profiles"
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
    counts = dict.fromkeys(("ink_sets", "machines", "substrates", "weaves", "icc_profiles", "prices"), 0)

    def make(count: str, model: Any, code: str, /, **values: Any) -> Any:
        row, new = model.objects.get_or_create(shop=shop, code=code, defaults=values)
        counts[count] += new
        return row

    for given in factory["ink_sets"]:
        keys = ["name", "ink_class", "inks", "tac_pct", "purge_ml", "pretreatment_sku", "pickup_pct", "route", "source"]
        ink_set = make("ink_sets", InkSet, given["code"], **{key: given[key] for key in keys})
        _seed_profile(make, ink_set, given["profile"])
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
    on: date | None = None,
) -> LineSpec:
    """Specify an order line: the fabric `substrate` to print, or the weave, at a snapped repeat.

    `on`: the day whose colour profiles count; without it, any that has not ended counts as valid.
    Raises NotOneCloth, UnknownFabric, UnknownWeave, QuantityOutOfRange, RepeatTooSmall, RepeatTooWide, RepeatTooLarge,
    RepeatDoesNotFitHarness, FabricNotPrintable, NoProfile; `fields["field"]` names what to change.
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
        return _specify_print(shop, substrate, length_m, repeat, words, on)
    return _specify_weave(shop, weave or "", length_m, repeat, words)


def _specify_print(shop: str, sku: str, quantity_m: float, repeat: Repeat, words: str, on: date | None) -> LineSpec:
    cloth = Substrate.objects.filter(shop=shop, code=sku).first()
    if cloth is None:
        choices = list(Substrate.objects.filter(shop=shop).order_by("code").values_list("code", flat=True))
        raise UnknownFabric(
            f"There is no fabric {sku!r} in the catalogue. Choose one of {', '.join(choices) or 'none yet'}.",
            fields={"field": "substrate", "measured": sku, "choices": choices},
        )
    printers = list(
        MachineProfile.objects.filter(
            shop=shop,
            kind=MachineProfile.Kind.PRINTER,
            ink_set__ink_class=cloth.ink_class,
            width_mm__gte=cloth.width_mm,
        )
        .select_related("ink_set")
        .order_by("code")
    )
    if not printers:
        raise FabricNotPrintable(
            f"{cloth.name} takes {cloth.ink_class} inks, and no printer here that is {cloth.width_mm / 10:g} cm wide "
            "has them. Choose another fabric.",
            fields={"field": "substrate", "measured": cloth.ink_class, "limit": "ink sets of the printers"},
        )
    ink_set = printers[0].ink_set
    printers = [printer for printer in printers if printer.ink_set_id == ink_set.pk]
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
        inks=_inks(ink_set, _profile(ink_set, cloth, printers[0], on)),
    )


def _specify_weave(shop: str, code: str, quantity_m: float, repeat: Repeat, words: str) -> LineSpec:
    cloth = WeaveSpec.objects.filter(shop=shop, code=code).select_related("loom").first()
    if cloth is None:
        choices = list(WeaveSpec.objects.filter(shop=shop).order_by("code").values_list("code", flat=True))
        raise UnknownWeave(
            f"There is no weave {code!r} in the catalogue. Choose one of {', '.join(choices) or 'none yet'}.",
            fields={"field": "weave", "measured": code, "choices": choices},
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
    refuse_long_weaves(weaves, weaving.float_limits, two_wefts=weaving.extra is not None)
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
    ]
    return Machine(**{key: getattr(row, key) for key in keys})


def _inks(ink_set: InkSet, profile: Profile) -> Inks:
    return Inks(
        code=ink_set.code,
        name=ink_set.name,
        ink_class=ink_set.ink_class,
        inks=tuple(Ink(**ink) for ink in ink_set.inks),
        tac_pct=ink_set.tac_pct,
        purge_ml=ink_set.purge_ml,
        pretreatment_sku=ink_set.pretreatment_sku,
        pickup_pct=ink_set.pickup_pct,
        profile=profile,
    )


def _yarn(given: Mapping[str, Any]) -> Yarn:
    return Yarn(given["sku"], given["name"], given["tex"], given["crimp_pct"] / 100, given["colour"])


def _profile(ink_set: InkSet, cloth: Substrate, printer: MachineProfile, on: date | None) -> Profile:
    """The profile for this printer if there is one, else for any printer with these inks; its bytes are checked."""
    rows = IccProfile.objects.filter(
        Q(printer=printer) | Q(printer=None), ink_set=ink_set, fabric_class=cloth.ink_class
    ).order_by("printer_id", "-valid_from")
    valid = [row for row in rows if on is None or (row.valid_from <= on and (row.valid_until or on) >= on)]
    if not valid:
        raise NoProfile(
            f"There is no valid colour profile for {printer.name} with {ink_set.name} on {cloth.ink_class} fabrics. "
            "Add one in the catalogue.",
            fields={"field": "substrate", "printer": printer.code, "ink_set": ink_set.code},
        )
    row = next((row for row in valid if row.printer_id is not None), valid[0])
    path = PROFILES / row.path  # an absolute path stays as it is
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise NoProfile(f"The colour profile {row.code} can't be read.", fields={"profile": row.code}) from error
    if found != row.sha256:
        raise ProfileChanged(fields={"profile": row.code, "measured": found, "limit": row.sha256})
    return Profile(name=row.name, sha256=row.sha256, path=path, synthetic=row.synthetic)


def _seed_profile(make: Any, ink_set: InkSet, given: Mapping[str, Any]) -> None:
    data = (PROFILES / given["file"]).read_bytes()
    label = "SYNTHETIC: from an ink model, not measured on cloth. " if given["synthetic"] else ""
    make(
        "icc_profiles",
        IccProfile,
        given["code"],
        name=given["name"] + (", SYNTHETIC" if given["synthetic"] else ""),
        owner=given["owner"],
        sha256=hashlib.sha256(data).hexdigest(),
        path=given["file"],
        ink_set=ink_set,
        fabric_class=ink_set.ink_class,
        valid_from=date.fromisoformat(given["valid_from"]),
        synthetic=given["synthetic"],
        description=f"{label}Ink limit {ink_set.tac_pct:g} %.",
    )


def _seed_machine(make: Any, shop: str, given: Mapping[str, Any], centre: Mapping[str, Any]) -> None:
    facts = centre["attributes"]
    ink_set = InkSet.objects.get(shop=shop, code=given["ink_set"]) if given.get("ink_set") else None
    make(
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
        head_m=given.get("head_m", 0),
        tail_m=given.get("tail_m", 0),
        waste_pct=given.get("waste_pct", 0),
        source=given.get("source", ""),
    )
