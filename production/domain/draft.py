"""A design as it is woven: what every loom file is written from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generation.domain.pattern import Palette
from production.domain.floats import FloatReport, Lift


@dataclass(frozen=True)
class Draft:
    """One straight repeat of the loom.

    paper: (picks, ends) uint8, the colour of the design at each crossing; weaves: one per colour; lift: (picks, ends)
    bool, True where the warp end lies over the pick of the ground weft, floats repaired; extra: the same of a figure
    weft that follows each of these picks; repaired: how many crossings the repair changed; floats: what is left, per
    weft.
    """

    paper: NDArray[np.uint8]
    palette: Palette
    weaves: tuple[str, ...]
    lift: Lift
    repaired: int
    extra: Lift | None = None
    floats: tuple[FloatReport, ...] = ()

    @property
    def lifts(self) -> tuple[Lift, ...]:
        """The lift plan of each weft, in the order of their picks."""
        return (self.lift,) if self.extra is None else (self.lift, self.extra)
