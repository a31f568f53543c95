"""The space of a brand: along which axes its approved designs differ, and a step along them from one design.

A design is read as one field for each role: the distance to the role's edge, inside positive, cut off a little way
from it, so that adding two fields moves edges (Leventon, Grimson & Faugeras 2000, level set shape priors). Designs are
laid over each other by the shift at which they agree best, for a repeat has no beginning; the axes are the principal
components of the fields.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from generation.domain.pattern import IndexArray, Raster
from generation.errors import OutsideAxis, TooFewDesigns, UnknownAxis

ROLES = 8
GRID_PX = 48  # designs are compared at this size
MOVED_PX = 512  # the longer side of a moved design: enough for a parent that will be drawn anew
FEWEST_DESIGNS = 3
METHOD = 1  # counts the changes of what is computed here
SAMPLES = 8  # a side of each point of a design that is only looked at, to tell which role covers most of it

_BAND = 0.06  # of the repeat's side: so far from an edge the distance is told
_MOST_AXES = 4
_LEAST_SHARE = 0.05  # of the variance: what explains less is chance
_CLEARLY = 0.6  # correlation from which an axis is named after what grows along it

Fields = NDArray[np.float32]


@dataclass(frozen=True)
class Axis:
    """One way in which the designs differ; a step of 1 is their standard deviation."""

    name: str
    least: float  # the farthest that an approved design lies back from their mean
    most: float  # and the farthest ahead
    share: float  # of all that differs between the designs
    places: tuple[float, ...] = ()  # where each approved design lies; none: not kept when the space was built
    called: str = ""  # what people call it; empty: by its name
    allowed: tuple[float, float] | None = None  # how far a design may be moved; None: as far as the designs go

    @property
    def said(self) -> str:
        """What people call it."""
        return self.called or self.name

    @property
    def farthest(self) -> tuple[float, float]:
        """How far back and ahead a design could be moved at most: 0 is where it stands, and always among it."""
        return min(self.least, 0.0), max(self.most, 0.0)

    @property
    def reach(self) -> tuple[float, float]:
        """How far back and ahead a design may be moved."""
        return self.allowed or self.farthest


@dataclass(frozen=True)
class Space:
    """The mean of some designs and the axes along which they differ, strongest first."""

    axes: tuple[Axis, ...]
    mean: Fields  # (ROLES, GRID_PX, GRID_PX), in -1..1
    steps: Fields  # (axes, ROLES, GRID_PX, GRID_PX): what a step of 1 adds


def fitted(designs: Sequence[Raster]) -> Space:
    """The space of the designs, the same for the same designs in the same order. Raises TooFewDesigns."""
    if len(designs) < FEWEST_DESIGNS:
        raise TooFewDesigns(
            f"{len(designs)} approved designs are too few to tell what a brand's designs have in common; "
            f"{FEWEST_DESIGNS} are needed.",
            fields={"field": "designs", "value": len(designs), "limit": FEWEST_DESIGNS},
        )
    fields = _laid_together([_fields(_roles(each, GRID_PX, GRID_PX)) for each in designs])
    mean = np.mean(fields, axis=0)
    flat = (fields - mean).reshape(len(fields), -1)
    left, singular, right = np.linalg.svd(flat, full_matrices=False)
    share = singular**2 / max(float((singular**2).sum()), 1e-12)
    if singular[0] < 1e-3:
        raise TooFewDesigns("The approved designs are all the same one: there is nothing to move between.")
    axes: list[Axis] = []
    steps: list[Fields] = []
    for number in range(min(_MOST_AXES, len(designs) - 1)):
        if share[number] < _LEAST_SHARE:
            break
        scores = left[:, number] * np.sqrt(len(designs))  # their standard deviation is 1
        name, sign = _named(scores, right[number], designs, {axis.name for axis in axes}, number)
        scores = scores * sign
        places = tuple(round(float(score), 3) for score in scores)
        axes.append(Axis(name, min(places), max(places), round(float(share[number]), 4), places))
        steps.append(sign * right[number].reshape(mean.shape) * singular[number] / np.sqrt(len(designs)))
    return Space(tuple(axes), mean.astype(np.float32), np.array(steps, np.float32))


def moved(base: Raster, space: Space, amounts: Mapping[str, float]) -> Raster:
    """The design moved along axes by so many standard deviations each; 0 everywhere gives it back as it is.

    The result is at most MOVED_PX a side, in the base's colours and roles, to be drawn anew from: edges have moved,
    nothing has been cleaned. Raises UnknownAxis, OutsideAxis.
    """
    amounts = checked(space, amounts)
    if not any(amounts.values()):
        return base
    scale = min(1.0, MOVED_PX / max(base.indices.shape))
    height, width = _sides(base, scale)
    fields = _fields(_roles(base, height, width))
    down, across = _best_shift(_fields(_roles(base, GRID_PX, GRID_PX)), space.mean)
    difference = sum(amounts.get(axis.name, 0.0) * step for axis, step in zip(space.axes, space.steps, strict=True))
    there = np.roll(difference, (-down, -across), axis=(1, 2))
    fields = fields + np.stack([_enlarged(plane, height, width) for plane in there])
    colour = _first_colours(base)
    own = sorted(colour)
    roles = np.array(own)[fields[own].argmax(axis=0)]
    indices = np.vectorize(colour.__getitem__, otypes=[np.uint8])(roles)
    calls = {axis.name: axis.said for axis in space.axes}
    said = ", ".join(f"{calls[name]} {amount:+g}" for name, amount in sorted(amounts.items()) if amount)
    return replace(base, indices=indices, origin=f"moved by {said} from: {base.origin}")


def checked(space: Space, amounts: Mapping[str, float]) -> dict[str, float]:
    """The amounts by the axes' own names, whichever of their two names was said. Raises UnknownAxis, OutsideAxis."""
    known = {called: axis for axis in space.axes for called in (axis.called, axis.name) if called}
    found = {}
    for called, amount in amounts.items():
        if called not in known:
            there = ", ".join(axis.said for axis in space.axes)
            unknown = f"This space has no axis {called!r}; it has: {there}."
            raise UnknownAxis(unknown, fields={"field": "axis", "value": called})
        axis = known[called]
        least, most = axis.reach
        if not least <= amount <= most:
            why = "as far as the brand allows" if axis.allowed else "as far as the approved designs go"
            raise OutsideAxis(
                f"{axis.said} can be moved from {least:g} to {most:g}, {why}; {amount:g} was asked for.",
                fields={"field": axis.said, "value": amount, "limit": [least, most]},
            )
        found[axis.name] = amount
    return found


def place(base: Raster, space: Space) -> tuple[float, ...]:
    """Where a design lies in the space: by so many standard deviations from the mean, along each axis."""
    fields = _fields(_roles(base, GRID_PX, GRID_PX))
    away = np.roll(fields, _best_shift(fields, space.mean), axis=(1, 2)) - space.mean
    return tuple(round(float((away * step).sum() / max(float((step * step).sum()), 1e-12)), 3) for step in space.steps)


def smaller(base: Raster, *, longer_px: int) -> Raster:
    """The design at most `longer_px` a side, each role in its first colour: enough to be moved and looked at."""
    scale = min(1.0, longer_px / max(base.indices.shape))
    height, width = _sides(base, scale)
    colour = _first_colours(base)
    roles = _roles(_sampled(base, height * SAMPLES, width * SAMPLES), height, width)
    return replace(base, indices=np.vectorize(colour.__getitem__, otypes=[np.uint8])(roles))


def gridded(base: Raster) -> Raster:
    """The design as it is compared with others: the same axes are found of these as of the designs themselves."""
    colour = _first_colours(base)
    roles = _roles(base, GRID_PX, GRID_PX)
    return replace(base, indices=np.vectorize(colour.__getitem__, otypes=[np.uint8])(roles))


def _sides(base: Raster, scale: float) -> tuple[int, int]:
    """(height, width) in pixels of the design at a scale, as its layout can be cut."""
    steps = base.repeat.layout.step[1], 2
    sides = zip(base.indices.shape, steps, strict=True)
    height, width = (step * max(-(-16 // step), round(side * scale / step)) for side, step in sides)
    return height, width


def _first_colours(base: Raster) -> dict[int, int]:
    """The first colour of each role: it stands for the role; where two share one, the other's areas become its."""
    own = sorted({base.role_of(index) for index in range(len(base.palette))})
    return {role: next(i for i in range(len(base.palette)) if base.role_of(i) == role) for role in own}


def _roles(raster: Raster, height: int, width: int) -> IndexArray:
    """(height, width) role numbers: at each point the role that covers most of it."""
    of_index = np.zeros(256, np.uint8)
    of_index[: len(raster.palette)] = [raster.role_of(index) for index in range(len(raster.palette))]
    roles: IndexArray = cv2.LUT(raster.indices, of_index).astype(np.uint8, copy=False)
    if roles.shape == (height, width):
        return roles
    own = np.array(sorted(_first_colours(raster)), np.uint8)
    planes = [cv2.resize((roles == r).astype(np.float32), (width, height), interpolation=_AREA) for r in own]
    most: IndexArray = own[np.argmax(planes, axis=0)]
    return most


def _sampled(base: Raster, height: int, width: int) -> Raster:
    """The design in so many of its pixels at most, evenly spread: what is looked at needs no more of them."""
    rows, columns = (
        (np.arange(few) + 0.5) * size / few
        for few, size in zip(map(min, (height, width), base.indices.shape), base.indices.shape, strict=True)
    )
    return replace(base, indices=base.indices[rows.astype(np.intp)[:, None], columns.astype(np.intp)[None, :]])


def _fields(roles: IndexArray) -> Fields:
    """(ROLES, H, W) float32 in -1..1: distance to each role's edge on the torus, in bands; absent roles are -1."""
    height, width = roles.shape
    margin = max(2, round(_BAND * max(height, width)) + 1)
    wide = np.pad(roles, margin, mode="wrap")
    out = np.full((ROLES, height, width), -1.0, np.float32)
    for role in np.unique(roles):
        inside = (wide == role).astype(np.uint8)
        if inside.all():
            out[role] = 1.0
            continue
        distance = cv2.distanceTransform(inside, cv2.DIST_L2, 5) - cv2.distanceTransform(1 - inside, cv2.DIST_L2, 5)
        out[role] = (distance / (_BAND * max(height, width))).clip(-1, 1)[margin:-margin, margin:-margin]
    return out


def _laid_together(fields: Sequence[Fields]) -> Fields:
    """The fields, each moved to where it agrees best with the mean of all."""
    placed = np.stack(fields)
    target = placed[0]
    for _ in range(3):
        for number, each in enumerate(placed):
            placed[number] = np.roll(each, _best_shift(each, target), axis=(1, 2))
        target = placed.mean(axis=0)
    return placed


def _best_shift(fields: Fields, target: Fields) -> tuple[int, int]:
    """(down, across) in grid points by which the fields agree best with the target."""
    agreement = np.fft.irfft2((np.conj(np.fft.rfft2(fields)) * np.fft.rfft2(target)).sum(axis=0), s=target.shape[1:])
    down, across = np.unravel_index(int(agreement.argmax()), agreement.shape)
    return int(down), int(across)


def _enlarged(plane: Fields, height: int, width: int) -> Fields:
    """A periodic plane at another size, bicubic."""
    margin = 4
    wide = np.pad(plane, margin, mode="wrap")
    down, across = height / plane.shape[0], width / plane.shape[1]
    size = (round(wide.shape[1] * across), round(wide.shape[0] * down))
    large = cv2.resize(wide, size, interpolation=cv2.INTER_CUBIC)
    top, left = round(margin * down), round(margin * across)
    return np.asarray(large[top : top + height, left : left + width], np.float32)


def _named(
    scores: NDArray[np.float64], component: NDArray[np.float64], designs: Sequence[Raster], taken: set[str], number: int
) -> tuple[str, float]:
    """What clearly grows along an axis, and the sign by which it grows forwards; else a number."""
    best, name, sign = _CLEARLY, f"axis {number + 1}", 1.0 if component[np.abs(component).argmax()] > 0 else -1.0
    for attribute, measure in _ATTRIBUTES.items():
        values = np.array([measure(_roles(each, GRID_PX, GRID_PX)) for each in designs])
        if attribute in taken or values.std() < 1e-3:
            continue
        together = float(np.corrcoef(scores, values)[0, 1])
        if abs(together) > best:
            best, name, sign = abs(together), attribute, float(np.sign(together))
    return name, sign


def _parts(roles: IndexArray) -> float:
    """How many separate motifs there are, in tens."""
    count, _ = cv2.connectedComponents((roles != 0).astype(np.uint8))
    return (int(count) - 1) / 10


_AREA = cv2.INTER_AREA
_ATTRIBUTES: dict[str, Callable[[IndexArray], float]] = {
    "density": lambda roles: float((roles != 0).mean()),
    "leaves": lambda roles: float((roles == 2).mean()),
    "accents": lambda roles: float((roles >= 3).mean()),
    "motifs": _parts,
}
