"""The knobs of a customer's link: which there are, how far each may be turned, and what a turn asks to be drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from generation import latent
from generation import services as generation
from generation.errors import UnknownLatentSpace
from orders import work
from orders.domain.exploring import Way
from orders.errors import OutsideLimits
from orders.models import Candidate, Shop
from orders.services import Exploration

Bounds = tuple[float, float]
# The farthest that anything can be drawn; a link allows less.
WIDEST: Mapping[str, Bounds] = {
    "strength": (0.0, 1.0),
    "scale": (generation.LEAST_KNOB, generation.MOST_KNOB),
    "density": (generation.LEAST_KNOB, generation.MOST_KNOB),
}
MOST_COLOURS = 24  # of a brand, to choose from


class Turning(StrEnum):
    """What a customer may ask to be drawn."""

    STRENGTH = "strength"  # more like this design
    SIZE = "size"  # its motifs larger, smaller, denser or sparser
    PALETTE = "palette"  # in a palette of the house
    COLOURS = "colours"  # in colours of the brand, one by one
    WALK = "walk"  # along the axes of the brand's space
    AGAIN = "again"  # an earlier design as it was, priced and promised as of today


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How far each knob may be turned; a knob that is None, or has nothing to choose from, is not there."""

    strength: Bounds | None = (0.2, 0.7)
    scale: Bounds | None = (0.75, 1.35)
    density: Bounds | None = (0.75, 1.35)
    palettes: tuple[str, ...] = ("nordic", "botanical", "ocean", "terracotta", "indigo", "sage", "blush", "monochrome")
    colours: tuple[str, ...] = ()  # '#rrggbb' of the brand, from which each colour of a design may be chosen
    space: str = ""  # the brand's space of designs, by its name
    axes: Mapping[str, Bounds] | None = None  # of the space, in standard deviations; None: as its designers allow

    def as_json(self) -> dict[str, Any]:
        """Return what is kept on a link."""
        knobs = {name: list(bounds) for name in WIDEST if (bounds := getattr(self, name)) is not None}
        axes = {name: list(bounds) for name, bounds in (self.axes or {}).items()}
        return {
            **knobs, "palettes": list(self.palettes), "colours": list(self.colours), "space": self.space, "axes": axes,
        }  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One turn of a knob at one design; None: that knob was not touched."""

    kind: str
    design: int  # id of the candidate
    strength: float | None = None
    scale: float | None = None
    density: float | None = None
    palette: str | None = None
    colours: Sequence[str] | None = None  # one for each of the design's, in their order
    axes: Mapping[str, float] | None = None


def limits_in(kept: Mapping[str, Any]) -> Limits:
    """Return the limits that a link keeps."""
    knobs: dict[str, Any] = {name: tuple(kept[name]) if name in kept else None for name in WIDEST}
    return Limits(
        **knobs,
        palettes=tuple(kept.get("palettes", ())),
        colours=tuple(kept.get("colours", ())),
        space=kept.get("space", ""),
        axes={name: (bounds[0], bounds[1]) for name, bounds in kept.get("axes", {}).items()},
    )


def house_limits(shop: Shop, *, brand: str) -> Limits:
    """Return what a link allows unless sales says otherwise: with the brand's space where the shop keeps one."""
    return Limits(space=brand if brand in spaces(shop) else "")


def spaces(shop: Shop) -> list[str]:
    """Return the names of the spaces of designs that a shop keeps."""
    return [kept.name for kept in latent.newest_of(shop.slug)]


def possible(shop: Shop, limits: Limits) -> Limits:
    """Return the limits as a link keeps them, if anything can be drawn within them.

    Raises OutsideLimits, UnknownPalette, NotAColour, UnknownLatentSpace.
    """
    for name, widest in WIDEST.items():
        if (bounds := getattr(limits, name)) is not None:
            _refuse_wider(name, bounds, widest)
    for palette in limits.palettes:
        generation.palette_named(palette)
    colours = tuple(dict.fromkeys(generation.parse_colour(colour) for colour in limits.colours))
    if len(colours) > MOST_COLOURS:
        many = f"{len(colours)} colours to choose from are too many on a telephone; {MOST_COLOURS} at most."
        raise OutsideLimits(many, fields={"field": "colours", "value": len(colours), "limit": MOST_COLOURS})
    if not limits.space:
        return replace(limits, colours=colours, axes=None)
    reach = {axis.name: axis.reach for axis in latent.axes_of(latent.found(shop.slug, limits.space))}
    axes = dict(reach if limits.axes is None else limits.axes)
    for name, bounds in axes.items():
        _refuse_wider(name, bounds, reach.get(name, (0.0, 0.0)))
    return replace(limits, colours=colours, axes=axes)


def knobs_of(candidate: Candidate, limits: Limits) -> dict[str, Any]:
    """Return which knobs a design has within a link's limits, each with what it may be turned to."""
    brief, artwork = candidate.round, candidate.artwork
    knobs: dict[str, Any] = {}
    if limits.strength:
        knobs[Turning.STRENGTH] = limits.strength
    # What was drawn over another drawing, or only coloured anew, can't be drawn again from its words in another size.
    from_words = brief.way in {Way.WORDS, Way.RESIZE} and brief.parent_id is None and brief.generator != work.UPLOAD
    sizes = {name: bounds for name in ("scale", "density") if (bounds := getattr(limits, name))}
    if sizes and from_words:
        knobs[Turning.SIZE] = sizes
    roles = artwork.roles or range(len(artwork.palette))
    kept = generation.palettes()  # one that was offered may be gone since
    named = {name: kept[name] for name in limits.palettes if name in kept}
    if fitting := {name: [of[role] for role in roles] for name, of in named.items() if max(roles) < len(of)}:
        knobs[Turning.PALETTE] = fitting
    if limits.colours:
        knobs[Turning.COLOURS] = list(limits.colours)
    if limits.axes and axes_in(brief.line.order.shop, limits):
        knobs[Turning.WALK] = dict(limits.axes)
    return knobs


def is_less(shop: Shop, limits: Limits) -> bool:
    """True where something that a link was made with is not there any more: a palette, the brand's space, its axes."""
    there = {axis.name for axis, _bounds in axes_in(shop, limits)}
    return bool(set(limits.palettes) - set(generation.palettes()) or set(limits.axes or ()) - there)


def axes_in(shop: Shop, limits: Limits) -> list[tuple[latent.Axis, Bounds]]:
    """Return the axes along which designs may be moved within the limits, with how far; empty without a space."""
    if not limits.axes:
        return []
    try:
        axes = latent.axes_of(latent.found(shop.slug, limits.space))
    except UnknownLatentSpace:  # it was there when the link was made
        return []
    return [(axis, limits.axes[axis.name]) for axis in axes if axis.name in limits.axes]


def exploration(candidate: Candidate, limits: Limits, wish: Turn) -> Exploration:
    """Return a turn of a knob as the story knows it, every figure within the limits. Raises OutsideLimits."""
    if wish.kind == Turning.AGAIN:
        return _going_on(candidate, Way.RECOLOUR, palette=list(candidate.artwork.palette))
    knobs = knobs_of(candidate, limits)
    if wish.kind not in knobs:
        raise OutsideLimits("This can't be changed in this design by the link.", fields={"field": "kind"})
    if wish.kind == Turning.STRENGTH:
        return _going_on(candidate, Way.MORE_LIKE_THIS, strength=_within("strength", wish.strength, limits.strength))
    if wish.kind == Turning.SIZE:
        old = candidate.round
        given = {"scale": wish.scale, "density": wish.density}
        turned = {name: _within(name, value, getattr(limits, name)) for name, value in given.items() if value}
        if all(abs(value - getattr(old, name)) < 1e-9 for name, value in turned.items()):
            same = "Size and density are as they were: move one of them, then draw."
            raise OutsideLimits(same, fields={"field": "scale"})
        return _going_on(candidate, Way.RESIZE, knobs=turned)
    if wish.kind == Turning.PALETTE:
        if wish.palette not in knobs[Turning.PALETTE]:
            raise OutsideLimits("This palette is not among those you can choose from.", fields={"field": "palette"})
        return _going_on(candidate, Way.RECOLOUR, palette=wish.palette)
    if wish.kind == Turning.COLOURS:
        return _going_on(candidate, Way.RECOLOUR, palette=_listed(candidate, wish.colours or (), limits.colours))
    axes = limits.axes or {}
    amounts = {name: _within(name, value, axes.get(name)) for name, value in (wish.axes or {}).items()}
    if not any(amounts.values()):
        raise OutsideLimits("Nothing was moved: move one of the knobs, then draw.", fields={"field": "axes"})
    return _going_on(candidate, Way.WALK, walk={"space": limits.space, "amounts": amounts})


def _going_on(candidate: Candidate, way: Way, **wish: Any) -> Exploration:
    return Exploration(kind=way.value, candidates=[candidate.pk], **wish)


def _refuse_wider(name: str, bounds: Bounds, widest: Bounds) -> None:
    least, most = bounds
    if not widest[0] <= least <= most <= widest[1]:  # also refuses NaN
        raise OutsideLimits(
            f"{name.capitalize()} can be let go from {widest[0]:g} to {widest[1]:g}, and {least:g} to {most:g} was "
            "asked for. Give the lesser figure first, or leave the knob out.",
            fields={"field": name, "value": [least, most], "limit": list(widest)},
        )


def _within(name: str, value: float | None, bounds: Bounds | None) -> float:
    if value is None or bounds is None:
        raise OutsideLimits(f"{name.capitalize()} can't be changed by this link.", fields={"field": name})
    if not bounds[0] - 1e-9 <= value <= bounds[1] + 1e-9:  # also refuses NaN
        raise OutsideLimits(
            f"{name.capitalize()} can be from {bounds[0]:g} to {bounds[1]:g} here, and {value:.6g} was asked for.",
            fields={"field": name, "value": value, "limit": list(bounds)},
        )
    return value


def _listed(candidate: Candidate, colours: Sequence[str], listed: Sequence[str]) -> list[str]:
    """Return the colours chosen one by one: each is listed, or the design's own at its place. Raises OutsideLimits."""
    own = list(candidate.artwork.palette)
    chosen = [generation.parse_colour(colour) for colour in colours]
    for place, colour in enumerate(chosen):
        if colour not in listed and own[place : place + 1] != [colour]:
            raise OutsideLimits(f"{colour} is not among the colours you can choose.", fields={"field": "colours"})
    if chosen == own:
        raise OutsideLimits("These are the colours it has: change one of them.", fields={"field": "colours"})
    return chosen
