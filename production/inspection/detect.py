"""From a scan that lies on its reference to regions with a name, a place in mm and a rank, in bounded memory.

    scores = scored(reference, scan, network=shipped())
    found = regions(scores, threshold)

The scan is looked at window by window, each with enough cloth around it that its neighbours would say the same. What
is a defect and what is yarn differs from cloth to cloth: `threshold_for` sets the threshold of a fabric quality on
clean scans of it, to as many false alarms as its inspector will walk for.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from production.inspection.constructions import MM_PER_PX
from production.inspection.evenness import Rows, evenness
from production.inspection.features import Features, noise, strips
from production.inspection.flaws import KINDS, Kind

if TYPE_CHECKING:
    from production.inspection.network import Inspector

WINDOW_PX = 1024
CONTEXT_PX = 128  # around a pixel that its answer depends on, but for a trace
LEAST_MM2 = 12 * MM_PER_PX**2  # smaller regions are noise
MOST_COVERED = 0.004  # of sound cloth: a threshold for all and everything is none
MOST_WEAK = 0.01  # of sound cloth that may be looked at as part of a defect
GAP_MM = 1.5  # parts of a region may lie so far apart
SMOOTH_PX = 3.0
STRONGEST = 15.0  # of a score: log-odds are cut off there
# A spot is told from a yarn by its strongest pixel, a band or a broken end by how far it reaches. Chosen on 24 scans of
# the training's split: at one false alarm per m2 0.38 of the defects were found, against 0.28 by the strongest pixel
# alone, and as many at five; more weights, learned from the same scans, found fewer on other cloths.
EXTENT = 0.5  # of the logarithm of a region's scores, added up
# Cloth with a hole is never taken, however small it is: what looks like one is looked at sooner than what looks as much
# like anything else. On 36 scans of the training's split one hole more was found by it, and nothing else less.
SOONER: dict[Kind, float] = {Kind.HOLE: 3.0}  # of a region's rank
_SOONER = np.array([0.0, *(SOONER.get(kind, 0.0) for kind in KINDS)])


@dataclass(frozen=True)
class Threshold:
    """When a region is a defect: it reaches as far as pixels have a score of `low`, and ranks at least `high`."""

    high: float
    low: float


@dataclass(frozen=True)
class Scores:
    """What a detector thinks of every second pixel of a scan in each direction."""

    scores: NDArray[np.float16]  # (H / 2, W / 2) log-odds that this is a defect
    kinds: NDArray[np.uint8]  # (H / 2, W / 2) the likeliest Kind.code, whatever the score; 0: it names none

    @property
    def area_m2(self) -> float:
        """The cloth that was looked at."""
        return float(self.scores.size * (2 * MM_PER_PX / 1000) ** 2)


# Before any clean cloth of a quality was seen: 4.6 false alarms per m2 on 168 clean scans of both splits.
USUAL = Threshold(4.5, -1.5)


@dataclass(frozen=True)
class Region:
    """One defect as it was found; x from the left and y from the head of the reference."""

    kind: Kind | None
    share: float  # of the region's pixels that are of that kind, by their weight
    score: float
    x_mm: float
    y_mm: float
    width_mm: float
    height_mm: float
    area_mm2: float

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        said = {key: round(value, 2) for key, value in vars(self).items() if isinstance(value, float)}
        return {"kind": self.kind.value if self.kind else None, **said}


def scored(reference: Rows, scan: Rows, *, network: Inspector, window_px: int = WINDOW_PX) -> Scores:
    """Look at a whole scan (H, W, 3) uint8 that lies on its reference; `network` as `folded` made it.

    window_px: the height of the windows, half their width; a multiple of STEP_PX. Raises
    ValueError where the two can't be compared.
    """
    even = evenness(reference, scan)
    height, width = (size // 2 for size in scan.shape[:2])
    scores, kinds = np.empty((height, width), np.float16), np.empty((height, width), np.uint8)
    asked = even.coloured(reference)
    usual = noise(asked, scan, even)
    for top, bottom, begin, looked in strips(asked, scan, even, usual, rows=window_px, around=CONTEXT_PX):
        rows = slice(top // 2, min(bottom // 2, height))
        whole = looked.shape[1]
        for left in range(0, whole, window_px):  # twice as wide as high: less of it is context
            columns = slice(left, min(left + window_px, width))
            first, last = max(0, left - CONTEXT_PX // 2), min(whole, left + window_px + CONTEXT_PX // 2)
            score, kind = _asked(network, looked[:, first:last])
            inner = np.s_[
                rows.start - begin // 2 : rows.stop - begin // 2, columns.start - first : columns.stop - first
            ]
            scores[rows, columns], kinds[rows, columns] = score[inner], kind[inner]
    return Scores(smoothed(scores), kinds)


def _asked(network: Inspector, looked: Features) -> tuple[NDArray[np.float16], NDArray[np.uint8]]:
    """(log-odds, likeliest kind) of a window of features (h, w, CHANNELS)."""
    import torch  # not with the web server

    with torch.inference_mode():
        answer = network(torch.from_numpy(looked[None]).permute(0, 3, 1, 2))[0]
        odds = torch.logsumexp(answer[1:], dim=0) - answer[0]
        kinds = answer[1:].argmax(dim=0) + 1
    return odds.clamp(-STRONGEST, STRONGEST).half().numpy(), kinds.to(torch.uint8).numpy()


def smoothed(scores: NDArray[np.float16]) -> NDArray[np.float16]:
    """Each score with its neighbours', over SMOOTH_PX pixels of the scan."""
    out = np.empty_like(scores)
    rows, around = 2048, 4
    for top in range(0, len(scores), rows):  # in bands: half-precision has to be widened for it
        first, last = max(0, top - around), min(len(scores), top + rows + around)
        band = cv2.GaussianBlur(scores[first:last].astype(np.float32), (0, 0), SMOOTH_PX / 2 / 2)
        out[top : top + rows] = band[top - first : top - first + min(rows, len(scores) - top)]
    return out


@dataclass(frozen=True)
class Candidates:
    """Everything on a scan that may be a defect: places of weak scores that lie together."""

    labels: NDArray[np.int32]  # (H / 2, W / 2): 0, or the number of the candidate
    boxes: NDArray[np.int32]  # (N, 4): first column, first row, width and height; number 0 is the sound cloth
    areas: NDArray[np.int64]  # (N,) pixels
    kinds: NDArray[np.intp]  # (N,): what most of it is taken for; 0: nothing
    shares: NDArray[np.float64]  # (N,): how much of it is taken for that
    ranks: NDArray[np.float64]  # (N,): the highest score, more the further it reaches, and more for what is never taken


def candidates(found: Scores, low: float) -> Candidates:
    """All places with scores of `low` and more; gaps of GAP_MM don't part them."""
    weak = (found.scores >= low).view(np.uint8)
    reach = 2 * round(GAP_MM / 2 / (2 * MM_PER_PX)) + 1
    joined = cv2.dilate(weak, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach)))
    count, places = cv2.connectedComponents(joined, connectivity=8, ltype=cv2.CV_32S)
    labels = cast(NDArray[np.int32], places)
    labels *= weak
    rows, columns = np.nonzero(weak)
    of = labels[rows, columns]
    score = found.scores[rows, columns].astype(np.float64)
    areas = np.bincount(of, minlength=count)
    first, last = np.full((2, count), np.iinfo(np.int32).max), np.full((2, count), -1)
    for axis, at in enumerate((columns, rows)):
        np.minimum.at(first[axis], of, at)
        np.maximum.at(last[axis], of, at)
    strongest = np.full(count, -np.inf)
    np.maximum.at(strongest, of, score)
    weights = 1 / (1 + np.exp(-score))
    by_kind = np.bincount(
        of * (1 + len(KINDS)) + found.kinds[rows, columns], weights, minlength=count * (1 + len(KINDS))
    ).reshape(count, -1)
    kinds = by_kind.argmax(axis=1)
    total = np.maximum(by_kind.sum(axis=1), 1e-9)
    shares = by_kind.max(axis=1) / total
    boxes = np.concatenate([first, last - first + 1]).T
    boxes[areas == 0] = 0
    strongest[areas == 0] = STRONGEST * -1
    mass = np.bincount(of, np.maximum(score, 0), minlength=count)
    ranks = strongest + EXTENT * np.log1p(mass) + _SOONER[kinds]
    return Candidates(labels, boxes.astype(np.int32), areas, kinds, shares, ranks)


def regions(found: Scores, threshold: Threshold = USUAL, *, least_mm2: float = LEAST_MM2) -> list[Region]:
    """The defects on a scan, the highest rank first; small ones are left out."""
    there = candidates(found, threshold.low)
    side = 2 * MM_PER_PX
    made = [
        Region(
            kind=KINDS[there.kinds[number] - 1] if there.kinds[number] else None,
            share=float(there.shares[number]),
            score=float(there.ranks[number]),
            x_mm=float(there.boxes[number, 0]) * side,
            y_mm=float(there.boxes[number, 1]) * side,
            width_mm=float(there.boxes[number, 2]) * side,
            height_mm=float(there.boxes[number, 3]) * side,
            area_mm2=float(there.areas[number]) * side**2,
        )
        for number in _defects(there, threshold, least_mm2)
    ]
    return sorted(made, key=lambda region: -region.score)


def flagged(found: Scores, threshold: Threshold = USUAL, *, least_mm2: float = LEAST_MM2) -> NDArray[np.int32]:
    """(H / 2, W / 2): 0, or the number of the region that a pixel belongs to."""
    there = candidates(found, threshold.low)
    keep = _defects(there, threshold, least_mm2)
    kept = np.zeros(len(there.areas), np.int32)
    kept[keep] = np.arange(1, len(keep) + 1)
    return kept[there.labels]


def count_regions(found: Scores, threshold: Threshold, *, least_mm2: float = LEAST_MM2) -> int:
    """How many defects `regions` would find."""
    return len(_defects(candidates(found, threshold.low), threshold, least_mm2))


def _defects(there: Candidates, threshold: Threshold, least_mm2: float) -> NDArray[np.intp]:
    large = there.areas >= least_mm2 / (2 * MM_PER_PX) ** 2
    return np.flatnonzero(large & (there.ranks >= threshold.high) & (there.areas > 0))


def threshold_for(clean: Sequence[Scores], false_alarms_per_m2: float, *, low: float = USUAL.low) -> Threshold:
    """The lowest threshold that finds so few defects on clean scans of a fabric quality.

    Where there is too little clean cloth for the budget to be one region of it, the tail of the ranks is continued as
    the exponential that it is. Raises ValueError without any cloth.
    """
    area = sum(scores.area_m2 for scores in clean)
    if not area:
        raise ValueError("a threshold needs clean cloth")
    # Where every hundredth pixel of sound cloth is suspicious the suspicious ones are no regions.
    low = max(low, max(float(np.quantile(scores.scores.astype(np.float32), 1 - MOST_WEAK)) for scores in clean))
    ranks, areas = [], []
    for scores in clean:
        there = candidates(scores, low)
        some = _defects(there, Threshold(-math.inf, low), LEAST_MM2)
        ranks.append(there.ranks[some])
        areas.append(there.areas[some])
    rank, size = np.concatenate(ranks), np.concatenate(areas)
    order = np.argsort(-rank)
    rank, size = rank[order], size[order]
    pixels = sum(scores.scores.size for scores in clean)
    # Few regions that are everywhere are no threshold either.
    covered = int(np.searchsorted(np.cumsum(size), MOST_COVERED * pixels, side="right"))
    return Threshold(_rank_for(rank, min(false_alarms_per_m2 * area, covered)), low)


def _rank_for(rank: NDArray[np.float64], allowed: float) -> float:
    """Above which of the falling `rank` there are so many; of less than one, by the tail of the highest ten."""
    if not len(rank):
        return USUAL.high
    if allowed >= 1:
        last = int(allowed)
        return float(rank[-1] - 1e-6) if last >= len(rank) else float((rank[last - 1] + rank[last]) / 2)
    some = rank[: min(10, len(rank))]
    scale = max(float(some.mean() - some[-1]), 0.1)
    return float(some[0] + scale * -math.log(max(allowed, 1e-3)) + 1e-6)
