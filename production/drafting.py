"""From a design to the draft a loom weaves: a weave for every colour, composed, floats bound."""

from __future__ import annotations

import numpy as np

from generation.domain.pattern import Palette, Raster, layout_tiling
from production.domain.draft import Draft
from production.domain.floats import Lift, can_bind, count_floats, repair
from production.domain.picture import Picture
from production.domain.spec import LineSpec
from production.domain.weave import assign, compose, lattice_of, toned, woven_lab


def weaves_of(palette: Palette, spec: LineSpec) -> tuple[str, ...]:
    """The weave of each colour of a woven line. Raises ValueError where there are more colours than weaves."""
    weaving = spec.weaving
    assert weaving is not None
    extra = weaving.extra.colour if weaving.extra is not None else None
    return assign(palette, weaving.weaves, warp=weaving.warp.colour, weft=weaving.weft.colour, extra=extra)


def raster_of(picture: Picture, spec: LineSpec) -> Raster:
    """A picture in tones as the colours that a woven line's weaves make of its yarns, one pixel per crossing."""
    weaving = spec.weaving
    assert weaving is not None
    shares: dict[float, str] = {}
    names = [name for name in weaving.weaves if not name.startswith("figure")]
    made = woven_lab(tuple(names), warp=weaving.warp.colour, weft=weaving.weft.colour)
    for name, lab in zip(names, made, strict=True):
        shares.setdefault(round(float(lab[0]), 3), name)  # one weave for each tone
    rgb = picture.rgb if picture.rgb.dtype == np.uint8 else (picture.rgb >> 8).astype(np.uint8)
    indices, palette = toned(rgb, tuple(shares.values()), warp=weaving.warp.colour, weft=weaving.weft.colour)
    note = f"Woven in {len(palette)} tones between {weaving.warp.name} and {weaving.weft.name}."
    return Raster(indices, palette, picture.repeat, seed=0, origin="picture", notes=(*picture.notes, note))


def draft_of(raster: Raster, spec: LineSpec, weaves: tuple[str, ...]) -> Draft:
    """The draft of one straight repeat of the loom, its floats repaired where any weave could keep the limits."""
    weaving = spec.weaving
    assert weaving is not None
    limits = weaving.float_limits
    paper = np.ascontiguousarray(
        layout_tiling(raster.indices, spec.repeat.layout, *spec.repeat.layout.period), dtype=np.uint8
    )
    lifts: list[Lift] = []
    repaired = 0
    for weft in range(len(weaving.wefts)):
        lift = composed = compose(paper, weaves, figure=weft > 0)
        if can_bind(paper.shape, limits):
            lift = repair(composed, limits, lattice_of(paper, weaves, figure=weft > 0))
            repaired += int(np.count_nonzero(composed != lift))
        lifts.append(lift)
    return Draft(
        paper,
        raster.palette,
        weaves,
        lifts[0],
        repaired=repaired,
        extra=lifts[1] if len(lifts) > 1 else None,
        floats=tuple(count_floats(lift, limits) for lift in lifts),
    )
