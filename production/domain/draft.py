"""A design as it is woven: what every loom file is written from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generation.domain.pattern import Palette


@dataclass(frozen=True)
class Draft:
    """One straight repeat of the loom.

    paper: (picks, ends) uint8, the colour of the design at each crossing; weaves: one per colour; lift: (picks, ends)
    bool, True where the warp end lies over the pick, floats repaired; repaired: how many crossings that changed.
    """

    paper: NDArray[np.uint8]
    palette: Palette
    weaves: tuple[str, ...]
    lift: NDArray[np.bool_]
    repaired: int
