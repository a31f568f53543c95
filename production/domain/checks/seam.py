"""Does the repeat meet itself: the change across its seam against the changes inside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from generation.domain.pattern import IndexArray, Layout
from production.domain.colour import srgb_to_lab
from production.domain.edges import Edges, pair_counts
from production.domain.finding import Finding, Severity

# The edge of a motif that happens to lie on the cut is no seam, and it peaks in one or two lines: a seam is measured
# against the peaks of the drawing, the strongest change within PEAK_SHARE of the side, not against every quiet line.
# On four generated florals cut at every row in turn, 0.02 % of true edges are over this (0.75 % are over the plain 99th
# percentile), while a repeat cut 5 mm short is found every time.
PEAK_SHARE = 0.005
ALLOWANCE = 1.25
_LINES, _BAND = 256, 512
# What a seam in tones may change beyond that, as a mean over its length in ΔE or % of ink: nobody sees it, and the
# blocks of a JPEG file do as much to an edge that closed before.
UNSEEN = 1.0


@dataclass(frozen=True)
class SeamMeasure:
    """The mean change across one seam, the 99th percentile of the peaks inside, and what nobody sees; in one unit."""

    direction: str
    seam: float
    interior: float
    unseen: float = 0.0

    @property
    def limit(self) -> float:
        """What the seam may change at most."""
        return self.interior * ALLOWANCE + self.unseen

    @property
    def excess(self) -> float:
        """How far the seam is over what is allowed; at most 0 when it is fine."""
        return self.seam - self.limit


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
    left, top = _met(indices, layout)
    across = float(pair_counts(indices[:, -1], left, colours) @ table / height)
    down = float(pair_counts(indices[-1], top, colours) @ table / width)
    return (
        SeamMeasure("side to side", across, _peaks(inside_across)),
        SeamMeasure("top to bottom", down, _peaks(inside_down)),
    )


def measure_ink_seams(plane: NDArray[np.uint8], layout: Layout) -> tuple[SeamMeasure, SeamMeasure]:
    """Both seams of one ink's plane (H, W), in tones or not: the mean change in % of ink."""
    left, top = _met(plane, layout)
    percent = 100.0 / 255
    inside_across = cv2.reduce(cv2.absdiff(plane[:, 1:], plane[:, :-1]), 0, cv2.REDUCE_SUM, dtype=cv2.CV_32S)
    inside_down = cv2.reduce(cv2.absdiff(plane[1:], plane[:-1]), 1, cv2.REDUCE_SUM, dtype=cv2.CV_32S)
    height, width = plane.shape
    across = float(np.abs(plane[:, -1].astype(np.int64) - left).mean() * percent)
    down = float(np.abs(plane[-1].astype(np.int64) - top).mean() * percent)
    return (
        SeamMeasure("side to side", across, _peaks(inside_across.ravel() * (percent / height)), UNSEEN),
        SeamMeasure("top to bottom", down, _peaks(inside_down.ravel() * (percent / width)), UNSEEN),
    )


def measure_tone_seams(rgb: NDArray[np.uint8] | NDArray[np.uint16], layout: Layout) -> tuple[SeamMeasure, SeamMeasure]:
    """Both seams of a picture in tones, sRGB (H, W, 3): the mean CIE 1976 difference of neighbours.

    The inside is measured on lines evenly spread over the picture, the seams on their whole length.
    """
    left, top = _met(rgb, layout)
    across, down = (_neighbours(np.stack(pair)) for pair in ((rgb[:, -1], left), (rgb[-1], top)))
    rows, columns = rgb[:: max(1, len(rgb) // _LINES)], rgb[:, :: max(1, rgb.shape[1] // _LINES)]
    inside_across, inside_down = _neighbours(rows.swapaxes(0, 1)), _neighbours(columns)
    return (
        SeamMeasure("side to side", float(across[0]), _peaks(inside_across), UNSEEN),
        SeamMeasure("top to bottom", float(down[0]), _peaks(inside_down), UNSEEN),
    )


def _neighbours(lines: NDArray[np.uint8] | NDArray[np.uint16]) -> NDArray[np.float64]:
    """(n - 1,) mean difference between each of the lines (n, length, 3) and the next, both sRGB."""
    parts = []
    for first in range(0, len(lines) - 1, _BAND):  # in bands: L*a*b* takes eight times the room
        part = lines[first : first + _BAND + 1]
        lab = srgb_to_lab(np.asarray(part if part.dtype == np.uint8 else part >> 8, np.uint8))
        parts.append(np.sqrt(((lab[1:] - lab[:-1]) ** 2).sum(axis=-1)).mean(axis=1))
    return np.concatenate(parts)


def _met(picture: NDArray[Any], layout: Layout) -> tuple[NDArray[Any], NDArray[Any]]:
    """The column that the last column meets in the next repeat, and the row that the last row meets."""
    if layout is Layout.MIRROR:  # the edge meets itself
        return picture[:, -1], picture[-1]
    height, width = picture.shape[:2]
    left, top = int(height * layout.drop), int(width * layout.shift)
    return np.roll(picture[:, 0], left, axis=0), np.roll(picture[0], top, axis=0)


def _peaks(changes: NDArray[np.float64]) -> float:
    """The 99th percentile, over all lines, of the strongest change near the line."""
    near = min(len(changes), max(3, round(len(changes) * PEAK_SHARE)))
    return float(np.percentile(np.lib.stride_tricks.sliding_window_view(changes, near).max(axis=1), 99))


def seam(measures: tuple[SeamMeasure, ...], *, code: str, where: str, unit: str) -> Finding:
    """The finding for the worst of the measured seams."""
    worst = max(measures, key=lambda measure: measure.excess)
    fine = worst.excess <= 1e-9
    return Finding(
        code=code,
        severity=Severity.INFO if fine else Severity.ERROR,
        where=f"{where}, {worst.direction}",
        measured=f"{worst.seam:.2f} {unit}",
        limit=f"{worst.limit:.2f} {unit}",
        remedy="" if fine else "Draw it again as a seamless repeat, or choose another layout.",
        sentence=f"The repeat meets itself without a visible line ({where})."
        if fine
        else f"A line would show on the cloth where the repeats meet {worst.direction} ({where}).",
    )


def colour_difference(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(K, K) absolute differences of (K,) values: one ink's plane."""
    difference: NDArray[np.float64] = np.abs(values[:, None] - values[None, :])
    return difference
