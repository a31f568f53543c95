"""Are a customer's own colours the colours of the design, to the last digit and in their roles?"""

from __future__ import annotations

import numpy as np

from generation.backends.embedded import EmbeddedGenerator
from generation.domain.pattern import Limits, Raster
from generation.evaluation.briefs import CONTACT_SHEET
from generation.evaluation.figures import Figure

PALETTES = 50
_SIZE_PX = 240


def measure(palettes: int = PALETTES) -> list[Figure]:
    """Chance palettes of two to eight colours, pinned: how many designs hold exactly those, and how many of them."""
    rng, generator = np.random.default_rng(17), EmbeddedGenerator()
    exact, shown = [], []
    for number in range(palettes):
        pinned = random_palette(rng)
        ask = CONTACT_SHEET[number % len(CONTACT_SHEET)]
        (raster,) = generator.generate(ask.brief(_SIZE_PX, palette=pinned), [number], Limits())
        exact.append(is_exact(raster, pinned))
        shown.append(len(set(raster.palette.colours)) / len(pinned))
    return [
        Figure(f"designs in exactly the pinned colours, of {palettes} palettes", 100 * float(np.mean(exact)), "%",
               at_least=100),
        Figure("pinned colours that a design shows, mean", 100 * float(np.mean(shown)), "%"),
    ]  # fmt: skip


def random_palette(rng: np.random.Generator) -> tuple[str, ...]:
    """Two to eight different colours as '#rrggbb'."""
    drawn = rng.integers(0, 256, size=(int(rng.integers(2, 9)), 3)).tolist()
    return tuple(dict.fromkeys(f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in drawn))


def is_exact(raster: Raster, pinned: tuple[str, ...]) -> bool:
    """Whether every colour of the raster is the pinned one of its role, and every pixel has one of them."""
    colours = raster.palette.colours
    in_role = all(colour == pinned[raster.role_of(index)] for index, colour in enumerate(colours))
    return in_role and int(raster.indices.max()) < len(colours)
