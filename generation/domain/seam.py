"""Does a tile meet itself: whether what meets across its edge looks like neighbours, or like two sides of a cut.

A cut that takes n lines away sets lines side by side that lay n + 1 apart. So the tile itself shows both populations:
its neighbouring lines, and its lines a few apart. Every pixel of the edge is asked which of the two it looks more like.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generation.domain.pattern import IndexArray, Layout, Palette, lab_of

LIMIT = 4.5  # standard deviations: one or two true edges of a hundred are over it (generation/evaluation/seams.py)

_CUTS_PX = (3, 7, 13)  # lines taken away by the cuts that a tile is compared with
_LINES = 256  # inside the tile that are looked at, evenly spread
_STEPS = np.array([0.7, 1.5, 3.0, 6.0, 12.0, 24.0])  # Lab units: one bin from each to the next
_COARSE = np.array([1.5, 6.0, 20.0])
_STRAIGHT_PX = 12  # an edge of the drawing that runs this far along the seam is drawn, not cut
_UNSURE = 2.0  # pixels added to each bin
_FLOOR = 0.01  # the least spread of lines inside

LabArray = NDArray[np.float32]


@dataclass(frozen=True)
class Seam:
    """One edge of a tile against the lines inside it."""

    direction: str  # "side to side" or "top to bottom"
    excess: float  # how much more it looks like a cut than the lines inside do, in their standard deviations
    worst_at: float  # where along the edge it is worst, 0 to 1 from its top or left

    @property
    def shows(self) -> bool:
        """Whether a line would be seen on the cloth."""
        return self.excess > LIMIT


def measure_seams(lab: LabArray, layout: Layout) -> tuple[Seam, Seam]:
    """Both seams of a tile (H, W, 3) in Lab, side to side and top to bottom, for the layout its copies stand in.

    A mirrored tile meets its own picture at every edge and can't show a seam, whatever was cut from it: its excess is
    0. Tiles need 24 pixels a side.
    """
    if layout is Layout.MIRROR:
        return Seam("side to side", 0.0, 0.0), Seam("top to bottom", 0.0, 0.0)
    height, width = lab.shape[:2]
    across, where_across = _excess(lab, int(height * layout.drop))
    down, where_down = _excess(lab.transpose(1, 0, 2), int(width * layout.shift))
    return Seam("side to side", across, where_across), Seam("top to bottom", down, where_down)


def worst_seam(lab: LabArray, layout: Layout) -> Seam:
    """The seam that shows more."""
    return max(measure_seams(lab, layout), key=lambda seam: seam.excess)


def lab_picture(rgb: NDArray[np.uint8]) -> LabArray:
    """(H, W, 3) float32 Lab of an sRGB picture."""
    return lab_of(rgb).astype(np.float32)


def lab_of_indices(indices: IndexArray, palette: Palette) -> LabArray:
    """(H, W, 3) float32 Lab of an indexed picture."""
    colours: LabArray = palette.lab().astype(np.float32)[indices]
    return colours


def _excess(lab: LabArray, shift: int) -> tuple[float, float]:
    """(excess, place along the seam) of the seam between the last column and the first moved by `shift` rows."""
    width = lab.shape[1]
    wide = np.concatenate([np.roll(lab[:, -2:], -shift, 0), lab, np.roll(lab[:, :2], shift, 0)], axis=1)
    last = 1 + width  # the tile's last column in `wide`
    lines = np.unique(np.linspace(3, width - 3, min(_LINES, width - 5)).astype(np.intp))
    near, drawn = _looks(wide, lines, 1), _straight(wide, lines)
    neighbours = _counts(near)
    cuts = np.zeros_like(neighbours)
    for cut in _CUTS_PX:
        apart = lines[lines + cut + 2 < width]
        cuts += _counts(_looks(wide, apart, cut + 1))
    cuts *= neighbours.sum() / cuts.sum()
    evidence = np.log((cuts + _UNSURE) / (neighbours + _UNSURE))
    inside = np.where(drawn, 0.0, evidence[near]).mean(axis=0)
    seam_line = np.array([last])
    seam = np.where(_straight(wide, seam_line), 0.0, evidence[_looks(wide, seam_line, 1)])[:, 0]
    around = np.convolve(np.concatenate([seam, seam[:8]]), np.ones(9), "valid")
    return float((seam.mean() - inside.mean()) / (inside.std() + _FLOOR)), float(around.argmax() / len(seam))


def _looks(wide: LabArray, lines: NDArray[np.intp], apart: int) -> NDArray[np.intp]:
    """(H, lines) how each pixel of a line and the one `apart` columns on look together, as the number of a bin.

    Seen are the step between them, the larger of the steps on their outer sides, what is left of the step after
    either side is drawn on in a straight line, and what is left when a neighbour along the line may stand in.
    """
    before, left, right, after = (wide[:, lines + offset] for offset in (-1, 0, apart, apart + 1))
    step = _step(left, right)
    beside = np.maximum(_step(before, left), _step(right, after))
    beyond = np.minimum(_step(2 * left - before, right), _step(2 * right - after, left))
    along = np.minimum.reduce([step, _step(np.roll(left, 1, 0), right), _step(np.roll(left, -1, 0), right)])
    bins = np.digitize(step, _STEPS) * 7 + np.digitize(beside, _STEPS)
    return (bins * 7 + np.digitize(beyond, _STEPS)) * 4 + np.digitize(along, _COARSE)


def _counts(looks: NDArray[np.intp]) -> NDArray[np.float64]:
    return np.bincount(looks.ravel(), minlength=7 * 7 * 7 * 4).astype(np.float64)


def _straight(wide: LabArray, lines: NDArray[np.intp]) -> NDArray[np.bool_]:
    """(H, lines) where a straight edge of the drawing runs along the line: one colour here, one there, for long."""
    left, right = wide[:, lines], wide[:, lines + 1]
    step = _step(left, right)
    bent = np.maximum(_step(left, np.roll(left, 1, 0)), _step(right, np.roll(right, 1, 0)))
    runs_on = (step > 6) & (bent < step / 3)
    row = np.arange(len(step))[:, None]
    above = np.maximum.accumulate(np.where(runs_on, -1, row), axis=0)
    below = np.minimum.accumulate(np.where(runs_on, len(step), row)[::-1], axis=0)[::-1]
    straight: NDArray[np.bool_] = runs_on & (below - above - 1 >= _STRAIGHT_PX)
    return straight


def _step(one: LabArray, other: LabArray) -> NDArray[np.float32]:
    difference = one - other
    distance: NDArray[np.float32] = np.sqrt(np.einsum("...c,...c->...", difference, difference))
    return distance
