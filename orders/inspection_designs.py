"""Designs for the training and the bench of inspection: the textile programs of the corpus, in colours, at 100 dpi.

Inspection may not know the corpus, and the corpus knows nothing of inspection's splits: here they meet.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.random import Generator

from generation.domain.palette import NAMED_PALETTES
from generation.domain.pattern import Layout, Palette
from generation.training import corpus
from production.inspection.simulate import Picture, linear, srgb
from production.inspection.split import Split, split_of_name, stream

_PLAIN = 0.06  # share of designs that are one colour
_TONED = 0.15  # share with a slow change of tone, as painted grounds have
_UNIT_PX, _UNIT_STEP_PX = (160, 416), 32  # the side of a unit; the programs draw on grids that divide such sides


@lru_cache(maxsize=2)
def families(split: Split) -> tuple[corpus.Family, ...]:
    """The families of patterns of a split."""
    return tuple(family for family in corpus.FAMILIES if split_of_name(family.name) == split)


def inspection_design(seed: int, split: Split) -> tuple[Picture, Layout]:
    """(one repeat as sRGB at 100 dpi, its layout) of a family of the split; the same for the same seed."""
    rng = stream(seed, split, 4)
    there = families(split)
    family = there[int(rng.integers(len(there)))]
    size = int(rng.choice(np.arange(_UNIT_PX[0], _UNIT_PX[1] + 1, _UNIT_STEP_PX)))
    layout = Layout.STRAIGHT
    if family.island:
        layout = (Layout.STRAIGHT, Layout.HALF_DROP, Layout.HALF_BRICK)[int(rng.integers(3))]
    unit = corpus.draw_unit(family, int(rng.integers(2**31)), size_px=size, layout=layout)
    coverage = corpus.fold_roles(unit.coverage, int(rng.integers(2, corpus.ROLES + 1)))
    light = linear(_colours(rng).rgb())
    if rng.random() < _PLAIN:
        light[:] = light[0]
    picture = np.tensordot(coverage.astype(np.float32) / 255, light, axes=((0,), (0,)))
    if rng.random() < _TONED:
        picture *= _tones(rng, size)[..., None]
    return srgb(picture), layout


def _colours(rng: Generator) -> Palette:
    """A palette of the house, now and then with its colours in another order or with colours of no palette."""
    named = list(NAMED_PALETTES.values())
    colours = list(named[int(rng.integers(len(named)))])
    if rng.random() < 0.3:
        colours = [colours[k] for k in rng.permutation(len(colours))]
    if rng.random() < 0.2:
        for k in rng.permutation(len(colours))[:3]:
            colours[k] = "#{:02x}{:02x}{:02x}".format(*rng.integers(0, 256, 3))
    return Palette(tuple(colours))


def _tones(rng: Generator, size: int) -> np.ndarray:
    """(size, size) of waves that close over the repeat."""
    y, x = np.mgrid[0:size, 0:size] * (2 * np.pi / size)
    made = np.ones((size, size), np.float32)
    for _ in range(5):
        across, along = rng.integers(-3, 4, 2)
        made += np.float32(0.08) * np.cos(across * x + along * y + rng.uniform(0, 6.28)).astype(np.float32)
    return np.clip(made, 0.5, 1.2)
