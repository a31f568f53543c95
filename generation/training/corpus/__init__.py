"""The corpus: textile programs written for this project that draw one repeat unit each, with a caption.

Nothing is downloaded and nobody's pictures are used: the same family and seed give the same bytes, so a model card
needs only the corpus's version and the seeds, and every unit says which program drew it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from generation.domain.pattern import Layout
from generation.domain.setting import Cells
from generation.training.corpus.captions import caption, colour_limit, feature_limit, ink_limit
from generation.training.corpus.families import FAMILIES, Family
from generation.training.corpus.motifs import filler
from generation.training.corpus.sheet import ROLES, Sheet, Unpainted

__all__ = [
    "FAMILIES",
    "ROLES",
    "Family",
    "Provenance",
    "Unit",
    "UnitLimits",
    "adjectives_of",
    "draw_cloth",
    "draw_unit",
    "family_named",
    "fold_roles",
    "random_unit",
    "version",
]

_FILLED = 0.45  # share of the airy styles with a small companion between their motifs
_LIMITED = 0.15  # share of the training units whose caption names a limit of the mill
_FOLDED = 0.12  # share of the other training units that come in few colours without a word about it
_SMALLEST_SHARE = 0.05  # of the unit: what "no fine lines" leaves
_MOST_INK = 0.35  # of the area: what "light coverage" leaves


@dataclass(frozen=True)
class UnitLimits:
    """Limits of the mill that a caption names; None: not named. Only the number of colours is kept by the drawing."""

    max_colours: int | None = None
    min_feature_share: float | None = None  # smallest line or gap, as a share of the unit's side
    most_ink: float | None = None  # share of the area that is not ground


@dataclass(frozen=True)
class Provenance:
    """Which of our programs drew a unit, and everything that is needed to draw it again."""

    program: str
    seed: int
    variation: int
    version: str  # of the corpus: see version()


@dataclass(frozen=True)
class Unit:
    """One drawn repeat unit with where it came from."""

    coverage: NDArray[np.uint8]  # (ROLES, size, size): 255 = the role covers all of the pixel
    caption: str
    family: str
    seed: int
    layout: Layout  # how the unit was wrapped at its edges
    variation: int = 0
    limits: UnitLimits | None = None  # what the caption says about the mill

    @property
    def provenance(self) -> Provenance:
        """The record of how this unit came about."""
        return Provenance(self.family, self.seed, self.variation, version())


def family_named(name: str) -> Family:
    """The family of that name; KeyError when there is none."""
    return _BY_NAME[name]


def draw_unit(
    family: Family, seed: int, *, variation: int = 0, size_px: int = 64, layout: Layout = Layout.STRAIGHT
) -> Unit:
    """Draw one unit: `seed` decides the style, `variation` what differs between the units of one cloth."""
    return _draw_captioned(family, seed, variation, size_px, layout)


def draw_cloth(
    family: Family,
    seed: int,
    cells: Cells,
    *,
    companion: Family | None = None,
    size_px: int = 64,
    zoom: float = 1.0,
) -> NDArray[np.uint8]:
    """Coverage (ROLES, rows * size_px, columns * size_px) uint8 of many units in one style, each an own variation.

    Every second column shows the `companion` where there is one. Families that run on from unit to unit come as one
    unit, repeated. zoom: how much larger than usual an island's motif stands in its unit.
    """
    if not family.island:
        one = draw_unit(family, seed, size_px=size_px).coverage
        return np.tile(one, (1, cells.rows, cells.columns))
    sheet = Sheet(size_px, columns=cells.columns, rows=cells.rows, layout=cells.layout)
    for number, (x, y) in enumerate(cells.origins()):
        sheet.origin = (x, y)
        _draw(sheet, companion if companion and int(x) % 2 else family, seed, number, zoom=zoom)
    return sheet.coverage()


def adjectives_of(family: Family, seed: int) -> tuple[str, ...]:
    """The words that describe the style of that seed: "vertical", "large", "lemon" and the like."""
    return _draw(Unpainted(8), family, seed, 0)


def random_unit(seed: int, *, size_px: int = 64) -> Unit:
    """The unit of a training seed: a family by weight, a layout for islands, now and then few colours or a limit."""
    rng = np.random.default_rng([seed, 7])
    family = FAMILIES[int(np.searchsorted(_SHARES, rng.random(), side="right"))]
    layout = Layout.STRAIGHT
    if family.island and rng.random() < 0.4:
        layout = Layout.HALF_DROP if rng.random() < 0.5 else Layout.HALF_BRICK
    variation = int(rng.integers(0, 16))
    limits, phrase = _limits(rng) if rng.random() < _LIMITED else (None, None)
    colours = int(rng.integers(2, 4)) if limits is None and rng.random() < _FOLDED else ROLES
    if limits is not None and limits.max_colours is not None:
        colours = limits.max_colours
    unit = _draw_captioned(family, seed, variation, size_px, layout, colours=colours, phrase=phrase)
    return replace(unit, limits=limits)


def _limits(rng: np.random.Generator) -> tuple[UnitLimits, str]:
    """One limit, now and then with a number of colours, and the phrase that says so."""
    kind = rng.random()
    if kind < 0.45:
        colours = int(rng.integers(2, 5))
        return UnitLimits(max_colours=colours), colour_limit(rng, colours)
    if kind < 0.65:
        return UnitLimits(min_feature_share=_SMALLEST_SHARE), feature_limit(rng)
    if kind < 0.85:
        return UnitLimits(most_ink=_MOST_INK), ink_limit(rng)
    colours = int(rng.integers(2, 4))
    both = UnitLimits(max_colours=colours, min_feature_share=_SMALLEST_SHARE)
    return both, f"{colour_limit(rng, colours)}, {feature_limit(rng)}"


def _draw_captioned(
    family: Family,
    seed: int,
    variation: int,
    size_px: int,
    layout: Layout,
    *,
    colours: int = ROLES,
    phrase: str | None = None,
) -> Unit:
    sheet = Sheet(size_px, layout=layout)
    adjectives = _draw(sheet, family, seed, variation)
    coverage = sheet.coverage()
    if colours < ROLES:
        coverage = fold_roles(coverage, colours)
    shown = int((coverage.reshape(ROLES, -1).max(axis=1) > 0).sum())
    rng = np.random.default_rng([seed, variation, 1])
    words = caption(rng, family.nouns, adjectives, shown, limit=phrase)
    return Unit(coverage, words, family.name, seed, layout, variation)


def _draw(sheet: Sheet, family: Family, seed: int, variation: int, *, zoom: float = 1.0) -> tuple[str, ...]:
    if family.airy:
        style, vary = np.random.default_rng([seed, 13]), np.random.default_rng([seed, variation, 13])
        if style.random() < _FILLED:
            filler(sheet, style, vary)
    sheet.zoom = zoom
    words = family.draw(sheet, *_generators(family, seed, variation))
    sheet.zoom = 1.0  # what fills the corners stays where four units meet
    return words


def _generators(family: Family, seed: int, variation: int) -> tuple[np.random.Generator, np.random.Generator]:
    code = int.from_bytes(hashlib.sha256(family.name.encode()).digest()[:4], "big")
    return np.random.default_rng([seed, code]), np.random.default_rng([seed, variation, code])


def fold_roles(coverage: NDArray[np.uint8], colours: int) -> NDArray[np.uint8]:
    """The same unit in `colours` colours: leaves join the motif, accents and details take the ground or the leaves."""
    out = coverage.copy()
    for role in range(ROLES - 1, colours - 1, -1):
        target = {2: 1, 3: 2 if colours > 2 else 0}.get(role, 1 if colours > 3 else 0)
        out[target] = np.minimum(out[target].astype(np.uint16) + out[role], 255)
        out[role] = 0
    return out


@lru_cache
def version() -> str:
    """Digest of what every family draws for two seeds: what a model card names as its data."""
    digest = hashlib.sha256()
    for family in FAMILIES:
        for seed in (0, 1):
            digest.update(family.name.encode() + draw_unit(family, seed, size_px=32).coverage.tobytes())
    return digest.hexdigest()[:16]


_BY_NAME = {family.name: family for family in FAMILIES}
_SHARES = np.cumsum([family.weight for family in FAMILIES]) / sum(family.weight for family in FAMILIES)
