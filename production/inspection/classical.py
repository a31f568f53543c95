"""The peer: a difference detector that has learned nothing, for the same scans and the same counting.

Lab distance outside of what the reference shows within a pixel's distance, under even light, in multiples of the
cloth's own noise, and the same of means along rows and columns; the largest counts.
"""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from production.inspection.detect import WINDOW_PX, Scores, smoothed
from production.inspection.evenness import Plane, Rows, evenness
from production.inspection.features import LINES_PX

_SPREAD_PX = 1.2  # sd over which a difference is averaged: a single pixel is a yarn
_EDGE_LAB = 6.0
_ACROSS_PX = 49
_AROUND_PX = 160  # of cloth around a window that is looked at too


def scored_classically(reference: Rows, scan: Rows, *, window_px: int = WINDOW_PX) -> Scores:
    """As `detect.scored`, without a network; it names no kinds. The score is the noise's multiple, less 4."""
    even = evenness(reference, scan)
    height, width = scan.shape[:2]
    scores = np.empty((height // 2, width // 2), np.float16)
    scales: Plane | None = None
    for top in range(0, height, window_px):
        for left in range(0, width, window_px):
            bottom, right = min(top + window_px, height), min(left + window_px, width)
            y0, x0 = max(0, top - _AROUND_PX), max(0, left - _AROUND_PX)
            window = slice(y0, min(height, bottom + _AROUND_PX)), slice(x0, min(width, right + _AROUND_PX))
            maps = _maps(_lab(even.asked(reference[window]) / 255), _lab(even.seen(scan, *window) / 255))
            if scales is None:  # of the first window: the noise is the cloth's, not the place's
                scales = np.array([_scale(each) for each in maps], np.float32)
            most = np.max([each / scale for each, scale in zip(maps, scales, strict=True)], axis=0)
            there = np.s_[top // 2 : bottom // 2, left // 2 : right // 2]
            inner = most[top - y0 : bottom - y0, left - x0 : right - x0]
            size = scores[there].shape
            scores[there] = (
                cv2.resize(inner[: size[0] * 2, : size[1] * 2], size[::-1], interpolation=cv2.INTER_AREA) - 4
            )
    return Scores(smoothed(np.clip(scores, -15, 15)), np.zeros(scores.shape, np.uint8))


def _lab(rgb: NDArray[np.floating]) -> Plane:
    return cast(Plane, cv2.cvtColor(np.clip(rgb, 0, 1), cv2.COLOR_RGB2Lab))


def _maps(asked: Plane, seen: Plane) -> list[Plane]:
    """Distances (H, W): of places, along rows and along columns at each length."""
    around = np.ones((3, 3), np.uint8)
    low, high = cv2.erode(asked, around), cv2.dilate(asked, around)
    outside = np.maximum(seen - high, 0) + np.minimum(seen - low, 0)
    found = [_length(cv2.GaussianBlur(outside, (0, 0), _SPREAD_PX))]
    edge = cast(Plane, cv2.dilate((high - low).max(axis=2), around))
    weight = 1 / (1 + (edge / _EDGE_LAB) ** 2)
    weighted = (seen - asked) * weight[..., None]
    for down in (False, True):
        for length in LINES_PX[:2]:
            box = (1, length) if down else (length, 1)
            mean = cv2.blur(weighted, box) / (cv2.blur(weight, box)[..., None] + 0.05)
            mean -= cv2.blur(mean, (_ACROSS_PX, 1) if down else (1, _ACROSS_PX))
            found.append(_length(mean))
    return found


def _length(vectors: Plane) -> Plane:
    return np.asarray(np.sqrt((vectors**2).sum(axis=2)), np.float32)


def _scale(distances: Plane) -> float:
    """The noise: of the distances of sound cloth, which most of a scan is."""
    return max(float(np.percentile(distances[::7, ::5], 75)), 0.05)
