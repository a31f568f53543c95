"""Can it be made? How often drawings break the machine's limits, with every guard and without, on the same seeds.

An opening of its own reads the rasters: other code than the one that repairs them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from generation.backends import drawing
from generation.backends.drawing import Guard
from generation.backends.embedded import WEIGHTS
from generation.backends.pipeline import RepeatPipeline
from generation.backends.proposals import understand
from generation.domain.palette import palette_from_words
from generation.domain.pattern import Brief, IndexArray, Layout, Limits, Raster, layout_tiling
from generation.domain.setting import cells_for
from generation.evaluation.briefs import CONTACT_SHEET, HELD_OUT, Ask
from generation.evaluation.figures import Figure
from generation.training import corpus

FINE_SHARE = 0.005  # of the pixels may be finer than the smallest feature before a design counts as a violation
KEPT_SHARE = 0.7  # of what is not ground has to be left for a design to count as kept
EMPTY_INK = 0.02  # a design with less than this beside its ground shows nothing
TRIES = 4  # of rejection without any guard
NO_LIMITS = Limits(max_colours=8, min_feature_mm=0.0, max_ink=1.0)


@dataclass(frozen=True)
class Setting:
    """A repeat and the limits it is held to."""

    name: str
    repeat_mm: float
    size_px: int
    limits: Limits

    def __str__(self) -> str:
        limits = self.limits
        return f"{self.name}, {limits.min_feature_mm:g} mm, {limits.max_colours} colours, ink {limits.max_ink:.0%}"


SETTINGS = (
    Setting("repeat of 320 mm", 320.0, 1920, Limits(max_colours=6, min_feature_mm=0.5, max_ink=0.8)),
    # One motif unit fills the repeat, and 0.5 mm are three of its 64ths: the stress test of the research.
    Setting("stress, units of 10.7 mm", 10.67, 320, Limits(max_colours=3, min_feature_mm=0.5, max_ink=0.4)),
)


@dataclass(frozen=True)
class Reading:
    """One drawing against the limits."""

    fine_share: float  # of the pixels
    colours: int
    ink: float  # share of the pixels that is not ground

    def breaks(self, limits: Limits) -> tuple[bool, bool, bool]:
        """(feature, colours, ink): which limits are broken."""
        return self.fine_share > FINE_SHARE, self.colours > limits.max_colours, self.ink > limits.max_ink + 1e-3


def read(raster: Raster, smallest_mm: float) -> Reading:
    """Measure a drawing; the ground is the colour of role 0, or nothing where that colour is not there."""
    pixel_mm = min(raster.repeat.width_mm / raster.width_px, raster.repeat.height_mm / raster.height_px)
    smallest_px = math.ceil(smallest_mm / pixel_mm - 1e-6)
    ground = [index for index in range(len(raster.palette)) if raster.role_of(index) == 0]
    ink = 1.0 - float(np.isin(raster.indices, ground).mean())
    used = len(np.unique(raster.indices))
    return Reading(fine_share(raster.indices, smallest_px, raster.repeat.layout), used, ink)


def fine_share(indices: IndexArray, smallest_px: int, layout: Layout) -> float:
    """Share of the pixels that no square of `smallest_px` of their own colour covers, on the cloth."""
    if smallest_px < 2:
        return 0.0
    height, width = indices.shape
    pad = 2 * smallest_px
    across, along = layout.period  # so many repeats on, one lies as the first does: the cloth around it
    cloth = layout_tiling(indices, layout, across + 2, along + 2)
    cloth = cloth[along * height - pad : (along + 1) * height + pad, across * width - pad : (across + 1) * width + pad]
    covered = np.zeros(cloth.shape, bool)
    area = smallest_px * smallest_px
    for colour in np.unique(indices):
        sums = cv2.integral((cloth == colour).view(np.uint8))
        full = sums[smallest_px:, smallest_px:] - sums[:-smallest_px, smallest_px:]
        full = full - sums[smallest_px:, :-smallest_px] + sums[:-smallest_px, :-smallest_px] == area
        # A square that starts at (y, x) covers the pixels down to (y + smallest_px - 1, x + smallest_px - 1).
        starts = np.zeros(cloth.shape, np.uint8)
        starts[: full.shape[0], : full.shape[1]] = full
        reach = cv2.integral(np.pad(starts, ((smallest_px - 1, 0), (smallest_px - 1, 0))))
        count = reach[smallest_px:, smallest_px:] - reach[:-smallest_px, smallest_px:]
        covered |= count - reach[smallest_px:, :-smallest_px] + reach[:-smallest_px, :-smallest_px] > 0
    return float(1 - covered[pad:-pad, pad:-pad].mean())


def measure(
    asks: Sequence[Ask] = (*CONTACT_SHEET, *HELD_OUT[:48]), settings: Sequence[Setting] = SETTINGS, seed: int = 1,
    folder: Path = WEIGHTS,
) -> list[Figure]:  # fmt: skip
    """For each setting and each way of drawing: how many of the designs break which limit, and what is left of them."""
    pipeline = drawing.load(folder)
    return [figure for setting in settings for figure in _table(pipeline, asks, setting, seed)]


def _table(pipeline: RepeatPipeline, asks: Sequence[Ask], setting: Setting, seed: int) -> list[Figure]:
    limits = setting.limits
    briefs = [_brief(ask, setting) for ask in asks]

    def drawn(guard: Guard, limits: Limits, seed: int = seed) -> list[Reading]:
        return [
            read(drawing.draw(pipeline, brief, seed=seed, limits=limits, guard=guard), setting.limits.min_feature_mm)
            for brief in briefs
        ]

    unguided = drawn(Guard.NONE, NO_LIMITS)
    others = [drawn(Guard.NONE, NO_LIMITS, seed=seed + 1000 * number) for number in range(1, TRIES)]
    rows = {
        "corpus picture": [read(_of_corpus(brief, seed), limits.min_feature_mm) for brief in briefs],
        "unguided": unguided,
        f"rejection only, best of {TRIES}": [_best(tries, limits) for tries in zip(unguided, *others, strict=True)],
        "projection in the loop": drawn(Guard.IN_LOOP, limits),
        "delivered": drawn(Guard.DELIVERED, limits),
    }
    return [figure for name, row in rows.items() for figure in _row(f"{setting}: {name}", row, unguided, limits)]


def _row(name: str, row: Sequence[Reading], unguided: Sequence[Reading], limits: Limits) -> list[Figure]:
    """Shares in percent: designs that break each limit or any; pixels that are too fine; designs that show nothing;
    of what is not ground, how much is left on average ("area") and of how many designs enough ("kept").
    """
    broken = np.array([reading.breaks(limits) for reading in row])
    # What the ink limit itself forbids is not counted as lost.
    kept = np.array([
        min(1.0, reading.ink / max(1e-6, min(before.ink, limits.max_ink)))
        for reading, before in zip(row, unguided, strict=True)
    ])  # fmt: skip
    shares = {
        "details": broken[:, 0].mean(),
        "colours": broken[:, 1].mean(),
        "ink": broken[:, 2].mean(),
        "any": broken.any(axis=1).mean(),
        "fine px": np.mean([reading.fine_share for reading in row]),
        "empty": np.mean([reading.ink < EMPTY_INK for reading in row]),
    }
    if name.endswith(("delivered", "in the loop")):
        shares |= {"area": kept.mean(), "kept": (kept >= KEPT_SHARE).mean()}
    bounds = {"any": {"at_most": 2.0}, "area": {"at_least": 70.0}} if name.endswith("delivered") else {}
    return [
        Figure(f"{name}: {what}", 100 * float(share), "%", **bounds.get(what, {})) for what, share in shares.items()
    ]


def _best(tries: Sequence[Reading], limits: Limits) -> Reading:
    return min(tries, key=lambda reading: (sum(reading.breaks(limits)), reading.fine_share))


def _brief(ask: Ask, setting: Setting) -> Brief:
    return Ask(ask.words, ask.families, ask.colours, ask.layout, setting.repeat_mm).brief(setting.size_px)


def _of_corpus(brief: Brief, seed: int) -> Raster:
    """The textile program's own drawing of the same request at the same size, as fine as its author made it."""
    proposal = understand(brief.words, seed)
    cells = cells_for(brief.repeat, brief.words, islands=proposal.family.island)
    palette = palette_from_words(brief.words, corpus.ROLES)
    unit_px = -(-brief.width_px // cells.columns)
    coverage = corpus.draw_cloth(proposal.family, proposal.style, cells, size_px=unit_px)
    roles = corpus.fold_roles(coverage, len(palette)).argmax(axis=0).astype(np.uint8)
    return Raster(roles, palette, brief.repeat, seed)
