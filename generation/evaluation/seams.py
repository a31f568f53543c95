"""Does the seam measure tell true tiles from tiles that lost a few lines: corpus designs, textures, and both together.

A cut of whole sub-periods, or one through flat ground, gives a tile that closes again. Those are left out by looking
at the uncut cloth, which the measure never sees: nothing near the new edge may be there that isn't in it already.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generation.domain.finish import pad_by_layout
from generation.domain.palette import NAMED_PALETTES
from generation.domain.pattern import IndexArray, Layout, Palette, Repeat, layout_tiling
from generation.domain.seam import LIMIT, lab_picture, worst_seam
from generation.domain.setting import cells_for
from generation.training import corpus

CUTS_PX = (3, 20)
_DESIGNS, _TEXTURES = 0.6, 0.2  # the rest are designs on a texture
# In the order in which they came to be: a layout keeps its tiles, and its figure can be compared, when another comes.
_SEEDED = (Layout.STRAIGHT, Layout.HALF_DROP, Layout.HALF_BRICK, Layout.MIRROR, Layout.THIRD_DROP)
_NEAR_PX = 6
_NEWS = 0.05  # share of the new edge that has to look like nothing in the true cloth, for it not to close


@dataclass(frozen=True)
class Tile:
    """A true tile; its exact colours where it is a plain design."""

    rgb: NDArray[np.uint8]
    layout: Layout
    roles: IndexArray | None
    name: str


def seam_auroc(count: int, seed: int) -> dict[str, dict[str, float]]:
    """By layout: the chance that a cut tile's worse seam measures worse than a true one's, over `count` tiles of each.

    A cut takes 3 to 20 lines from the side and 3 to 20 from the bottom, as a picture exported a little too small does.

    {"auroc", "true_over_limit" and "cut_over_limit" (shares the limit would refuse), "left_out" (share of cuts that
    closed again)}. A mirrored tile closes however it is cut; "mirror" is the mirrored cloth, cut as a straight tile.
    """
    return {layout.value: _told_apart(layout, count, seed) for layout in Layout}


def _told_apart(layout: Layout, count: int, seed: int) -> dict[str, float]:
    true, cut, closed = [], [], 0
    for number in range(count):
        rng = np.random.default_rng([seed, number, _SEEDED.index(layout)])
        tile = true_tile(rng, layout)
        lines = [int(lost) for lost in rng.integers(CUTS_PX[0], CUTS_PX[1] + 1, 2)]
        for axis, parts in enumerate((tile.layout.drop.denominator, tile.layout.shift.denominator)):
            lines[axis] += -lines[axis] % parts  # what moves by a share of a side can be cut in such parts
        true.append(_measured(tile.rgb, tile.layout))
        if tile.roles is not None and all(_closes_again(tile.roles, tile.layout, axis, lines[axis]) for axis in (0, 1)):
            closed += 1
        else:
            cut.append(_measured(_without(_without(tile.rgb, 0, lines[0]), 1, lines[1]), tile.layout))
    return {
        "auroc": auroc(true, cut),
        "true_over_limit": float(np.mean([seam > LIMIT for seam in true])),
        "cut_over_limit": float(np.mean([seam > LIMIT for seam in cut])),
        "left_out": closed / count,
    }


def true_tile(rng: np.random.Generator, layout: Layout) -> Tile:
    """A tile that closes by construction; mirrored cloth comes as the straight tile of its four pictures."""
    kind = rng.random()
    if kind < _DESIGNS:
        rgb, roles, name = _design(rng, layout)
    elif kind < _DESIGNS + _TEXTURES:
        rgb, name = _texture(rng, layout), "texture"
        roles = None
    else:
        rgb, _, name = _design(rng, layout)
        bumps = _field(rng, *rgb.shape[:2], layout)[..., None] * rng.uniform(6, 16)
        rgb, roles, name = _photographed(rng, rgb + bumps), None, f"{name} on a texture"
    if layout is not Layout.MIRROR:
        return Tile(rgb, layout, roles, name)
    rgb = layout_tiling(rgb, layout, 2, 2).astype(np.uint8)
    roles = None if roles is None else layout_tiling(roles, layout, 2, 2).astype(np.uint8)
    return Tile(rgb, Layout.STRAIGHT, roles, name)


def auroc(lower: list[float], higher: list[float]) -> float:
    """The chance that one of `higher` is above one of `lower`, ties by half (Hanley and McNeil 1982)."""
    low, high = np.array(lower)[:, None], np.array(higher)[None]
    return float((high > low).mean() + 0.5 * (high == low).mean())


def _measured(rgb: NDArray[np.uint8], layout: Layout) -> float:
    return worst_seam(lab_picture(rgb), layout).excess


def _without(picture: NDArray[np.uint8], axis: int, lines: int) -> NDArray[np.uint8]:
    return picture[:-lines] if axis == 0 else picture[:, :-lines]


def _design(rng: np.random.Generator, layout: Layout) -> tuple[NDArray[np.uint8], IndexArray, str]:
    family = corpus.FAMILIES[int(rng.integers(len(corpus.FAMILIES)))]
    side_mm = float(rng.choice([90, 170, 255]))
    cells = cells_for(Repeat(side_mm, side_mm, layout), "", islands=family.island)
    unit_px = {1: 256, 2: 192, 4: 128}.get(cells.columns * cells.rows, 96)
    coverage = corpus.draw_cloth(family, int(rng.integers(2**30)), cells, size_px=unit_px).astype(np.float32)
    colours = Palette(list(NAMED_PALETTES.values())[int(rng.integers(len(NAMED_PALETTES)))]).rgb()
    roles = coverage.argmax(axis=0).astype(np.uint8)
    if rng.random() < 0.5:
        return colours[roles], roles, family.name
    soft = np.einsum("khw,kc->hwc", coverage / coverage.sum(axis=0).clip(1), colours.astype(np.float32))
    return soft.round().clip(0, 255).astype(np.uint8), roles, family.name


def _texture(rng: np.random.Generator, layout: Layout) -> NDArray[np.uint8]:
    height, width = 2 * int(rng.integers(64, 160)), 2 * int(rng.integers(64, 160))
    height -= height % layout.drop.denominator
    light, tint = (_field(rng, height, width, layout)[..., None] for _ in range(2))
    base = rng.uniform(60, 190, 3)
    return _photographed(rng, base + light * rng.normal(size=3) * 20 + tint * rng.normal(size=3) * 8)


def _field(rng: np.random.Generator, height: int, width: int, layout: Layout) -> NDArray[np.float64]:
    """Noise of unit variance with the spectrum of photographs (amplitude about 1 / frequency), closed in the layout."""
    across, along = layout.period
    tall, wide = height * along, width * across
    lean = np.exp(rng.uniform(-0.4, 0.4))
    frequency = np.hypot(np.fft.fftfreq(tall)[:, None] * lean, np.fft.rfftfreq(wide)[None] / lean)
    spectrum = np.fft.rfft2(rng.standard_normal((tall, wide))) / frequency.clip(1 / max(tall, wide)) ** rng.uniform(
        0.8, 1.6
    )
    field = np.fft.irfft2(spectrum, s=(tall, wide))
    if layout is Layout.MIRROR:
        field = field + field[:, ::-1]
        field = field + field[::-1]
    else:  # the sum over all places where the same repeat stands in the period
        places = [
            (r * height + int(c * height * layout.drop), c * width + int(r * width * layout.shift))
            for r in range(along)
            for c in range(across)
        ]
        field = np.sum([np.roll(field, place, (0, 1)) for place in places], axis=0)
    field = field[:height, :width] - field.mean()
    return field / field.std()


def _photographed(rng: np.random.Generator, picture: NDArray[np.float64]) -> NDArray[np.uint8]:
    grain = rng.normal(size=picture.shape) * rng.uniform(0, 2)
    return (picture + grain).round().clip(0, 255).astype(np.uint8)


def _closes_again(roles: IndexArray, layout: Layout, axis: int, lines: int) -> bool:
    """Whether (nearly) all that meets over the cut edge is somewhere in the uncut cloth too."""
    known = np.unique(_neighbourhoods(pad_by_layout(roles, _NEAR_PX, layout)))
    beyond = pad_by_layout(_without(roles, axis, lines), _NEAR_PX, layout)
    if axis == 0:
        over = beyond[-2 * _NEAR_PX + 1 : -1, _NEAR_PX:-_NEAR_PX].T
    else:
        over = beyond[_NEAR_PX:-_NEAR_PX, -2 * _NEAR_PX + 1 : -1]
    strange = ~np.isin(_neighbourhoods(over if axis else np.ascontiguousarray(over.T)), known)
    return bool(strange.any(axis=axis).mean() < _NEWS)


def _neighbourhoods(roles: NDArray[np.generic]) -> NDArray[np.uint64]:
    """A number for each _NEAR_PX square of the picture: equal squares have equal numbers."""
    squares = np.lib.stride_tricks.sliding_window_view(roles, (_NEAR_PX, _NEAR_PX))
    keys = np.random.default_rng(0).integers(1, 2**62, size=(_NEAR_PX, _NEAR_PX), dtype=np.uint64)
    total = np.zeros(squares.shape[:2], np.uint64)
    for y in range(_NEAR_PX):
        for x in range(_NEAR_PX):
            total += squares[:, :, y, x].astype(np.uint64) * keys[y, x]
    return total
