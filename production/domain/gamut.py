"""How far what is printed lies from what was asked, over a whole design."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SEEN_DELTA_E = 3.0  # below this a colour passes as the one that was asked for

# From which CIEDE2000 difference on, what a person sees, and the colour on the map: light for nothing to see, then from
# yellow to dark red, apart for every kind of colour vision by their lightness alone.
STEPS: tuple[tuple[float, str, str], ...] = (
    (0.0, "as asked", "#eef1f4"),
    (SEEN_DELTA_E, "a little different", "#fdd36a"),
    (6.0, "different", "#f08a3c"),
    (10.0, "clearly different", "#c8402f"),
    (20.0, "another colour", "#6a1034"),
)


@dataclass(frozen=True)
class Gamut:
    """Mean and 95th percentile of the CIEDE2000 differences over the area; the share of it that is seen to differ."""

    mean: float
    p95: float
    beyond: float  # 0 to 1, over SEEN_DELTA_E


def measure(delta_e: NDArray[np.float64], shares: NDArray[np.float64] | None = None) -> Gamut:
    """The differences (n,) of the pixels, or of colours with the share of the area that each has.

    >>> measure(np.array([0.5, 8.0]), np.array([0.96, 0.04]))
    Gamut(mean=0.8, p95=0.5, beyond=0.04)
    """
    weights = np.full(len(delta_e), 1 / len(delta_e)) if shares is None else shares / shares.sum()
    order = np.argsort(delta_e)
    reached = int(np.searchsorted(np.cumsum(weights[order]), 0.95 - 1e-9))
    return Gamut(
        mean=round(float((delta_e * weights).sum()), 6),
        p95=float(delta_e[order[min(reached, len(order) - 1)]]),
        beyond=round(float(weights[delta_e > SEEN_DELTA_E].sum()), 6),
    )


def heat(delta_e: NDArray[np.float64]) -> NDArray[np.uint8]:
    """(..., 3) uint8 sRGB: the colour on the map of each difference (...)."""
    colours = np.array([[int(colour[k : k + 2], 16) for k in (1, 3, 5)] for *_, colour in STEPS], np.uint8)
    # A difference of just SEEN_DELTA_E still passes.
    place = np.searchsorted([start for start, *_ in STEPS[1:]], delta_e, side="left")
    mapped: NDArray[np.uint8] = colours[place]
    return mapped
