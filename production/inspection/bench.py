"""How well defects are found: recall of regions per kind at budgets of false alarms, on scans never trained on.

All scans are simulated, of the split kept for testing: its weaves, its families of patterns, its sizes and contrasts.
A defect counts as found where at least HIT_SHARE of its pixels are flagged, by regions of which at least NEAR_SHARE
lies at or beside defects; every other region is a false alarm, wherever it reaches. Thresholds are set as a mill would
set them: for every fabric quality, on clean scans of it, to a budget. Beside the recall stands what was said of sound
cloth on the scans with defects, which no threshold was set on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from generation.domain.pattern import Layout
from production.inspection.constructions import MM_PER_PX, Weave, random_weave
from production.inspection.detect import USUAL, Scores, Threshold, count_regions, flagged, threshold_for
from production.inspection.evenness import Repeated, Rows
from production.inspection.flaws import KINDS, Kind
from production.inspection.labels import half
from production.inspection.simulate import (
    Picture,
    Seen,
    aligned,
    random_scene,
    registration_error,
    repeated,
    simulate,
)
from production.inspection.split import Split, stream

Designs = Callable[[int, Split], tuple[Picture, Layout]]
Detector = Callable[[Rows, Picture], Scores]  # (reference, scan that lies on it)

HIT_SHARE, NEAR_SHARE = 0.05, 0.2
BUDGETS = (1.0, 5.0, 20.0)  # false alarms per m2
SCANS = 60
CLEAN_SCANS = 96  # eight of every quality: at five alarms per m2 its threshold stands on three or four
SIDE_PX = 1168
AROUND_PX = 64  # beside the part that is looked at: a scan that is turned shows what no reference has
PER_SCAN = 4  # defects
QUALITIES = 12
STRONG_STAIN = 0.15
REGISTRATION_PX, REGISTRATION_MM = (0.2, 0.7), (8.0, 40.0)
_NEAR_MM = 3.0
_LEAST_PIXELS = 3
_BINS = np.linspace(-15.5, 15.5, 3101)


@dataclass(frozen=True)
class Case:
    """One scan of the bench with what is true of it."""

    quality: int
    reference: Rows
    scan: Picture  # lying on the reference, but for what a registration leaves
    classes: NDArray[np.uint8]  # at half the resolution
    numbers: NDArray[np.uint8]
    faint: NDArray[np.bool_]  # where it is no defect that counts, and no sound cloth
    seen: tuple[Seen, ...]


@dataclass(frozen=True)
class Judged:
    """One scan after a detector has looked at it."""

    quality: int
    classes: NDArray[np.uint8]
    numbers: NDArray[np.uint8]
    faint: NDArray[np.bool_]
    seen: tuple[Seen, ...]
    scores: Scores


@dataclass(frozen=True)
class Found:
    """Defects of some kind: how many there were, how many were found, and of these how many by their right name."""

    there: int
    found: int
    named: int

    @property
    def recall(self) -> float:
        """The share that was found."""
        return self.found / max(self.there, 1)

    def __str__(self) -> str:
        low, high = wilson(self.found, self.there)
        return f"{self.recall:.2f} ({low:.2f} to {high:.2f}; {self.found} of {self.there})"


@dataclass(frozen=True)
class Alarms:
    """What a detector says of sound cloth. Both have to be small: one region over everything would be one alarm."""

    per_m2: float
    share: float  # of sound cloth that is flagged

    def __str__(self) -> str:
        return f"{self.per_m2:.1f} false alarms per m² beside defects, {100 * self.share:.2f} % of sound cloth flagged"


def quality(number: int, split: Split) -> Weave:
    """The construction of a fabric quality of the bench."""
    return random_weave(stream(number, split, 5), split)


def clean_cases(
    designs: Designs, count: int, *, split: Split = "test", side_px: int = SIDE_PX, first: int = 0
) -> Iterator[Case]:
    """Sound cloth of every quality in turn, each with a design of its own."""
    for number in range(first, first + count):
        yield _case(designs, 100_000 + number, number % QUALITIES, (), split, side_px)


def cases(
    designs: Designs, count: int = SCANS, *, split: Split = "test", side_px: int = SIDE_PX, first: int = 0
) -> Iterator[Case]:
    """Scans with PER_SCAN defects each, all kinds equally often; `first`: where their numbers begin."""
    for number in range(first, first + count):
        yield _case(designs, number, number % QUALITIES, kinds_of(number), split, side_px)


def kinds_of(number: int) -> tuple[Kind, ...]:
    """Which defects the scan of that number is asked to have: two scans have all, each time shared out anew."""
    order = np.random.default_rng(number // 2).permutation(len(KINDS))
    return tuple(KINDS[int(k)] for k in order[PER_SCAN * (number % 2) :][:PER_SCAN])


def _case(designs: Designs, seed: int, number: int, kinds: Sequence[Kind], split: Split, side_px: int) -> Case:
    tile, layout = designs(seed, split)
    whole = side_px + 2 * AROUND_PX
    reference = repeated(tile, layout, whole, whole)
    scene = random_scene(seed, reference, split=split, kinds=kinds, weave=quality(number, split))
    scan, truth = simulate(reference, scene)
    rng = stream(seed, split, 6)
    residual = registration_error(
        rng, truth.shape, rms_px=rng.uniform(*REGISTRATION_PX), length_mm=rng.uniform(*REGISTRATION_MM)
    )
    straight = aligned(scan, truth, residual=residual)
    inner, small = (slice(AROUND_PX // by, (AROUND_PX + side_px) // by) for by in (1, 2))
    return Case(
        quality=number,
        reference=Repeated(tile, layout, side_px, side_px, top=AROUND_PX, left=AROUND_PX),
        scan=np.ascontiguousarray(straight[inner, inner]),
        classes=half(truth.classes)[small, small],
        numbers=half(truth.numbers)[small, small],
        faint=half(truth.faint.view(np.uint8))[small, small] > 0,
        seen=truth.seen,
    )


def judged(case: Case, detector: Detector) -> Judged:
    """The scan as that detector sees it; its pictures are let go."""
    return Judged(case.quality, case.classes, case.numbers, case.faint, case.seen, detector(case.reference, case.scan))


def thresholds(clean: Sequence[Judged], budget: float) -> dict[int, Threshold]:
    """Per fabric quality, by its own clean cloth."""
    there = sorted({each.quality for each in clean})
    return {one: threshold_for([each.scores for each in clean if each.quality == one], budget) for one in there}


def near_defects(each: Judged) -> NDArray[np.bool_]:
    """(H / 2, W / 2): where something is said of a defect, and not of sound cloth."""
    reach = 2 * round(_NEAR_MM / (2 * MM_PER_PX)) + 1
    mine = ((each.classes > 0) | each.faint).view(np.uint8)
    return np.asarray(cv2.dilate(mine, np.ones((reach, reach), np.uint8)) > 0)


def recalls(found: Sequence[Judged], by_quality: dict[int, Threshold]) -> tuple[dict[str, Found], Alarms]:
    """({kind or "all" or "strong_stain": what was found}, what was said of the cloth away from defects)."""
    counts: dict[str, list[int]] = {kind.value: [0, 0, 0] for kind in KINDS} | {"strong_stain": [0, 0, 0]}
    alarms, area, wrongly = 0, 0.0, 0.0
    for each in found:
        labels = flagged(each.scores, by_quality[each.quality])
        near = near_defects(each)
        size = np.bincount(labels.ravel())
        beside = np.bincount(labels[near], minlength=len(size)) < NEAR_SHARE * size
        beside[0] = False
        alarms += int(beside.sum())
        area += float((~near).mean()) * each.scores.area_m2
        wrongly += float(((labels > 0) & ~near).mean()) * each.scores.area_m2
        labels = np.where(beside[labels], 0, labels)
        for number, seen in enumerate(each.seen, 1):
            mask = each.numbers == number
            if np.count_nonzero(mask) < _LEAST_PIXELS:
                continue  # another defect lies over it, or it lies beside the part that is looked at
            share = float((labels[mask] > 0).mean())
            hit = share >= HIT_SHARE
            named = bool(hit and _named(each.scores, labels, mask) == seen.flaw.kind.code)
            rows = [seen.flaw.kind.value]
            if seen.flaw.kind is Kind.STAIN and seen.contrast > STRONG_STAIN:
                rows.append("strong_stain")
            for row in rows:
                counts[row][0] += 1
                counts[row][1] += hit
                counts[row][2] += named
    made = {row: Found(*values) for row, values in counts.items()}
    whole = [made[kind.value] for kind in KINDS]
    made["all"] = Found(*(sum(getattr(each, part) for each in whole) for part in ("there", "found", "named")))
    return made, Alarms(alarms / max(area, 1e-9), wrongly / max(area, 1e-9))


def _named(scores: Scores, labels: NDArray[np.int32], mask: NDArray[np.bool_]) -> int:
    """What the flagged pixels of a defect are taken for."""
    kinds = scores.kinds[mask & (labels > 0)]
    return int(np.bincount(kinds, minlength=1).argmax()) if len(kinds) else 0


def area_under(found: Sequence[Judged], *, without: Sequence[Kind] = ()) -> tuple[float, float]:
    """(area under the ROC curve, average precision) of pixels; pixels of defects `without` are left out."""
    on, off = np.zeros(len(_BINS) - 1), np.zeros(len(_BINS) - 1)
    left_out = [kind.code for kind in without]
    for each in found:
        scores = each.scores.scores.astype(np.float32)
        on += np.histogram(scores[(each.classes > 0) & ~np.isin(each.classes, left_out)], _BINS)[0]
        off += np.histogram(scores[(each.classes == 0) & ~each.faint], _BINS)[0]
    hits, alarms = np.cumsum(on[::-1]), np.cumsum(off[::-1])
    roc = float(np.trapezoid(np.r_[0, hits] / max(hits[-1], 1), np.r_[0, alarms] / max(alarms[-1], 1)))
    precision = hits / np.maximum(hits + alarms, 1)
    return roc, float((precision * on[::-1]).sum() / max(hits[-1], 1))


def wilson(found: int, there: int, z: float = 1.96) -> tuple[float, float]:
    """The interval of a share at 95 % (E. B. Wilson, JASA 22, 1927).

    >>> tuple(round(value, 3) for value in wilson(8, 10))
    (0.49, 0.943)
    """
    if not there:
        return 0.0, 1.0
    share, square = found / there, z * z / there
    middle = (share + square / 2) / (1 + square)
    half_width = z / (1 + square) * ((share * (1 - share) + square / 4) / there) ** 0.5
    return max(0.0, middle - half_width), min(1.0, middle + half_width)


def unset(clean: Sequence[Judged], found: Sequence[Judged]) -> dict[str, str]:
    """{what: figure}: what the network finds of qualities of which no clean cloth was seen yet."""
    alarms = sum(count_regions(each.scores, USUAL) for each in clean) / sum(each.scores.area_m2 for each in clean)
    rows, beside = recalls(found, {each.quality: USUAL for each in found})
    return {
        "recall before a threshold is set": f"{rows['all']}; {alarms:.1f} false alarms per m² of clean cloth; {beside}"
    }


def table(clean: Sequence[Judged], found: Sequence[Judged]) -> dict[str, str]:
    """{what: figure}: recall at every budget, per kind at 5 per m2, and the areas under the curves."""
    made = {}
    for budget in BUDGETS:
        rows, alarms = recalls(found, thresholds(clean, budget))
        said = f"{budget:g} false alarms per m²"
        made[f"recall at {said}"] = f"{rows['all']}; {alarms}"
        made[f"  named rightly of those found at {said}"] = f"{rows['all'].named / max(rows['all'].found, 1):.2f}"
        for kind in [*(kind.value for kind in KINDS), "strong_stain"]:
            made[f"  {kind.replace('_', ' ')} at {said}"] = str(rows[kind])
    for said, without in (("", ()), (" without banding", (Kind.BANDING,))):
        roc, precision = area_under(found, without=without)
        made[f"area under the curve, pixels{said}"] = f"{roc:.3f}; average precision {precision:.2f}"
    return made
