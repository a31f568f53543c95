"""What a job uses: metres of cloth, millilitres of ink from the pixels that will be printed, kilograms of yarn."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from generation.domain.pattern import MM_PER_INCH, Layout
from production.domain.spec import Inks, Weaving

FULL = 255  # an 8-bit plane at 100 % ink

# (start, stop) columns of the tile -> (H, C) int64: per row and channel, the sum over those columns
BandSums = Callable[[int, int], NDArray[np.int64]]


@dataclass(frozen=True)
class Usage:
    """What one job takes."""

    print_length_m: float  # finished metres, as ordered
    pattern_length_m: float  # what the printer prints or the loom weaves, before the cloth shrinks
    fabric_length_m: float  # with head, tail and waste: what leaves the roll
    area_m2: float  # covered by the pattern
    ink_sums: dict[str, int] = field(default_factory=dict)  # per channel: 8-bit ink over the pattern, exactly
    pattern_ml: dict[str, float] = field(default_factory=dict)  # per channel: what that takes, cut repeats included
    waste_ml: dict[str, float] = field(default_factory=dict)  # on cloth that is printed and lost
    purge_ml: dict[str, float] = field(default_factory=dict)  # with the nozzle check
    ink_ml: dict[str, float] = field(default_factory=dict)  # per channel: the three together
    coverage_pct: dict[str, float] = field(default_factory=dict)  # per channel, mean over the printed area
    yarn_kg: dict[str, float] = field(default_factory=dict)  # per sku
    chemicals_l: dict[str, float] = field(default_factory=dict)  # per sku
    picks: int = 0
    minutes: dict[str, float] = field(default_factory=dict)  # per operation, on its first machine, all in


def pattern_length_m(quantity_m: float, shrink_warp: float) -> float:
    """Metres of pattern to put on the cloth so that `quantity_m` are left when it has shrunk."""
    return quantity_m / (1 - shrink_warp)


def fabric_length_m(quantity_m: float, *, shrink_warp: float, head_m: float, tail_m: float, waste: float) -> float:
    """Metres that leave the roll: (length / (1 - shrinkage) + head + tail) / (1 - waste).

    >>> round(fabric_length_m(12.5, shrink_warp=0.035, head_m=1.0, tail_m=0.5, waste=0.02), 3)
    14.748
    """
    return (pattern_length_m(quantity_m, shrink_warp) + head_m + tail_m) / (1 - waste)


def cloth_sums(band: BandSums, *, layout: Layout, tile_px: tuple[int, int], cloth_px: tuple[int, int]) -> list[int]:
    """Exact sum per channel over a cloth of `cloth_px` (width, height) set from a tile of `tile_px`, never built.

    The cloth starts with the tile's first row and column at its own, and cuts the repeats at its right and lower
    edges. Sums are int64 along one vertical period of the cloth, then whole periods plus the remainder.

    >>> tile = np.arange(4).reshape(2, 2)
    >>> def band(start, stop): return tile[:, start:stop].sum(axis=1, dtype=np.int64)[:, None]
    >>> cloth_sums(band, layout=Layout.STRAIGHT, tile_px=(2, 2), cloth_px=(3, 3))
    [9]
    """
    period = _row_profile(band, layout=layout, tile_px=tile_px, cloth_width_px=cloth_px[0])
    whole, rest = divmod(cloth_px[1], len(period))
    sums = whole * period.sum(axis=0) + period[:rest].sum(axis=0)
    return [int(value) for value in sums]


def _row_profile(band: BandSums, *, layout: Layout, tile_px: tuple[int, int], cloth_width_px: int) -> NDArray[np.int64]:
    """(P, C) int64: the sum over the cloth's width of every row of one vertical period."""
    width, height = tile_px
    whole, rest = divmod(cloth_width_px, width)
    full = band(0, width)
    if layout is Layout.MIRROR:
        cut = band(0, rest) if whole % 2 == 0 else band(width - rest, width)
        row = whole * full + cut
        return np.concatenate([row, row[::-1]])
    across, along = layout.period
    lower = [int(column * layout.drop * height) for column in range(across)]
    uncut = np.zeros_like(full)
    for column in range(across):
        uncut += len(range(column, whole, across)) * np.roll(full, lower[column], axis=0)
    rows = []
    for row_of_repeats in range(along):
        start = -int(row_of_repeats * layout.shift * width) % width  # this row of repeats begins inside one
        cut = band(start, min(width, start + rest)) + band(0, max(0, start + rest - width))
        rows.append(uncut + np.roll(cut, lower[whole % across], axis=0))
    return np.concatenate(rows)


def indexed_bands(indices: NDArray[np.uint8], values: NDArray[np.integer]) -> BandSums:
    """Band sums of the picture that `indices` (H, W) make through `values` (K, C): one count per colour, no planes."""

    def band(start: int, stop: int) -> NDArray[np.int64]:
        part = indices[:, start:stop]
        counts = np.stack([np.count_nonzero(part == k, axis=1) for k in range(len(values))], axis=1)
        return counts.astype(np.int64) @ values.astype(np.int64)

    return band


def plane_bands(planes: NDArray[np.uint8]) -> BandSums:
    """Band sums of a tile of planes (H, W, C); no copy of it is made."""
    height, _, channels = planes.shape

    def band(start: int, stop: int) -> NDArray[np.int64]:
        if stop <= start:
            return np.zeros((height, channels), np.int64)
        # int32 holds the sum of a row of eight million full pixels.
        sums = cv2.reduce(planes[:, start:stop], 1, cv2.REDUCE_SUM, dtype=cv2.CV_32S)
        return np.asarray(sums, np.int64).reshape(height, channels)

    return band


def ink_ml(sums: Sequence[int], *, inks: Inks, dpi: float) -> dict[str, float]:
    """Millilitres per channel that summed 8-bit ink values at `dpi` take: share of full ink x area x ml per m² at full.

    Nothing is added: no waste, no purge.
    """
    pixel_m2 = (MM_PER_INCH / 1000 / dpi) ** 2
    return {ink.channel: total / FULL * pixel_m2 * ink.ml_per_m2 for ink, total in zip(inks.inks, sums, strict=True)}


def ink_taken(sums: Sequence[int], *, inks: Inks, dpi: float, waste: float) -> dict[str, dict[str, Any]]:
    """The fields of Usage that tell the ink of a pattern whose 8-bit values add up to `sums`.

    waste: the share of all printed cloth that is lost, so that the ink on it is pattern * waste / (1 - waste).
    """
    pattern = ink_ml(sums, inks=inks, dpi=dpi)
    lost = {channel: ml * waste / (1 - waste) for channel, ml in pattern.items()}
    purge = dict.fromkeys(pattern, inks.purge_ml)
    return {
        "ink_sums": dict(zip(pattern, sums, strict=True)),
        "pattern_ml": pattern,
        "waste_ml": lost,
        "purge_ml": purge,
        "ink_ml": {channel: pattern[channel] + lost[channel] + purge[channel] for channel in pattern},
    }


def pretreatment_l(*, fabric_m: float, width_mm: float, gsm: float, pickup_pct: float) -> float:
    """Litres of pretreatment liquor (1 kg/l): weight of the cloth times its pick-up."""
    return fabric_m * width_mm / 1000 * gsm * pickup_pct / 100 / 1000


def yarn_kg(*, fabric_m: float, weaving: Weaving) -> dict[str, float]:
    """Kilograms per SKU: warp = ends * m * (1 + crimp) * tex / 1e6, weft = reed width * picks * the same, plus loss."""
    picks = weaving.picks_per_cm * 100 * fabric_m  # of each weft
    metres = [(weaving.warp, weaving.total_ends * fabric_m)]
    metres += [(weft, weaving.reed_width_mm / 1000 * picks) for weft in weaving.wefts]
    need: dict[str, float] = {}
    for yarn, length_m in metres:
        kg = length_m * (1 + yarn.crimp) * yarn.tex / 1e6
        need[yarn.sku] = need.get(yarn.sku, 0.0) + kg * (1 + weaving.loss)
    return need


def picks(fabric_m: float, weaving: Weaving) -> int:
    """The picks of `fabric_m` of cloth, those of every weft together."""
    return math.ceil(fabric_m * 100 * weaving.picks_per_cm) * len(weaving.wefts)
