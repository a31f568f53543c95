"""Does the repeat meet itself: the change across its seam against the changes inside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generation.domain.pattern import IndexArray, Layout
from production.domain.edges import Edges, pair_counts
from production.domain.finding import Finding, Severity

# One inner line in a hundred changes more than the 99th percentile, so a seam on a true edge of the drawing may lie a
# little over it.
ALLOWANCE = 1.1


@dataclass(frozen=True)
class SeamMeasure:
    """The mean change across one seam, and the 99th percentile of the changes inside, in one unit."""

    direction: str
    seam: float
    interior_p99: float

    @property
    def excess(self) -> float:
        """How far the seam is over what is allowed; at most 0 when it is fine."""
        return self.seam - self.interior_p99 * ALLOWANCE


def measure_seams(
    indices: IndexArray, layout: Layout, edges: Edges, difference: NDArray[np.float64]
) -> tuple[SeamMeasure, SeamMeasure]:
    """Both seams of a repeat, side to side and top to bottom, for the layout its copies stand in.

    difference: (colours, colours), how far two colours are apart, in whatever unit the seam is to be measured.
    """
    height, width = indices.shape
    colours = len(difference)
    table = difference.ravel()
    inside_across = edges.across.by_position() @ table / height
    inside_down = edges.down.by_position() @ table / width
    left, top = indices[:, 0], indices[0]
    if layout is Layout.HALF_DROP:
        left = np.roll(left, height // 2)
    elif layout is Layout.HALF_BRICK:
        top = np.roll(top, width // 2)
    elif layout is Layout.MIRROR:  # the edge meets itself
        left, top = indices[:, -1], indices[-1]
    across = float(pair_counts(indices[:, -1], left, colours) @ table / height)
    down = float(pair_counts(indices[-1], top, colours) @ table / width)
    return (
        SeamMeasure("side to side", across, float(np.percentile(inside_across, 99))),
        SeamMeasure("top to bottom", down, float(np.percentile(inside_down, 99))),
    )


def seam(measures: tuple[SeamMeasure, ...], *, code: str, where: str, unit: str) -> Finding:
    """The finding for the worst of the measured seams."""
    worst = max(measures, key=lambda measure: measure.excess)
    fine = worst.excess <= 1e-9
    return Finding(
        code=code,
        severity=Severity.INFO if fine else Severity.ERROR,
        where=f"{where}, {worst.direction}",
        measured=f"{worst.seam:.2f} {unit}",
        limit=f"{worst.interior_p99 * ALLOWANCE:.2f} {unit}",
        remedy="" if fine else "Draw it again as a seamless repeat, or choose another layout.",
        sentence="The repeat meets itself without a visible line."
        if fine
        else f"A line would show on the cloth where the repeats meet {worst.direction} ({where}).",
    )


def colour_difference(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(K, K) absolute differences of (K,) values: one ink's plane."""
    difference: NDArray[np.float64] = np.abs(values[:, None] - values[None, :])
    return difference
