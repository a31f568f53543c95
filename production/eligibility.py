"""Why a machine can't do an operation: its work, its width, its inks, its warp. In a planner's words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from production.models import InkSet, MachineProfile, Substrate, WeaveSpec


def why_not(shop: str, machines: Mapping[str, str], *, operation: str, attributes: Mapping[str, str]) -> dict[str, str]:
    """Why each of these machines (code -> name) can't do an operation that asks so much of it; a sentence for each.

    `attributes`: what its machine has to be set for (assessment.attributes_of).
    """
    profiles = {
        profile.code: profile
        for profile in MachineProfile.objects.filter(shop=shop, code__in=machines).select_related("ink_set")
    }
    cloth = Substrate.objects.filter(shop=shop, code=attributes.get("fabric", "")).first()
    weave = WeaveSpec.objects.filter(shop=shop, code=attributes.get("weave", "")).select_related("loom").first()
    inks = InkSet.objects.filter(shop=shop, code=attributes.get("ink_set", "")).first()
    found = {}
    for code, name in machines.items():
        profile = profiles.get(code)
        if profile is None or profile.operation != operation:
            does = f"does {profile.operation.lower()}" if profile is not None else "makes no cloth"
            found[code] = f"{name} {does}; this is {operation.lower()}."
        elif profile.kind == MachineProfile.Kind.PRINTER:
            found[code] = _of_printer(profile, name, cloth, inks)
        elif profile.kind == MachineProfile.Kind.LOOM and weave is not None:
            warp = f"its warp ({weave.ends_per_cm:g} ends/cm) and {weave.loom.hooks} hooks"
            found[code] = f"{weave.name} is woven on {_short(weave.loom.name)}, which has {warp}: {name} does not."
        else:
            found[code] = f"{name} was not among its machines when this was planned: change the order to plan it anew."
    return found


def _of_printer(profile: MachineProfile, name: str, cloth: Substrate | None, inks: InkSet | None) -> str:
    if cloth is not None and (profile.width_mm or 0) < cloth.width_mm:
        return f"{cloth.name} is {cloth.width_mm / 10:g} cm wide; {name} takes {(profile.width_mm or 0) / 10:g} cm."
    has = profile.ink_sets()
    if inks is not None and inks not in has:
        return f"It is printed with {inks.name}; {name} has {_named(has)}."
    return f"{name} has another colour profile than the one that its print file was made for."


def _named(ink_sets: Iterable[InkSet]) -> str:
    return " and ".join(each.name for each in ink_sets) or "no inks of ours"


def _short(name: str) -> str:
    return name.split(" (")[0]
