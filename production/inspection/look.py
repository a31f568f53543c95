"""The brightness in which reference and scan are compared: colours are matched, for the scanner has its own.

The channels of a print may lie aside of each other: a look has that in it as well.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from production.inspection.evenness import Rows
from production.inspection.lay import Floats, Lay, Picture, Plane, window_on

SAMPLES = 8_000  # pixels that tell how colours go together
_SAMPLED_BLOCKS = 30  # in a row, to take them from


@dataclass(frozen=True)
class Look:
    """How the reference's colours become the brightness that is compared, and the scan's theirs."""

    of_reference: Plane  # (10,)
    of_scan: Plane  # (3,)
    shift: Floats = field(default_factory=lambda: np.zeros((3, 2)))  # px by which each channel of the print lies aside


def matched(reference: Rows, scan: Picture, lay: Lay, scale: int, before: Look | None) -> Look:
    """How the two compare best: along the colour in which the design stands out most from what is not explained."""
    asked, seen = _samples(reference, scan, lay, scale)
    terms = terms_of(asked)
    found = _fitted(terms, seen, 4)
    rest = seen - terms @ found
    weight = trust(rest)
    noise = np.cov(rest.T, aweights=weight) + np.eye(3)
    design = np.cov((terms @ found).T, aweights=weight)
    root = np.linalg.cholesky(noise)
    half = np.linalg.solve(root, np.linalg.solve(root, design).T)
    way = np.linalg.solve(root.T, np.linalg.eigh(half)[1][:, -1])
    way /= np.sqrt(way @ noise @ way)
    shift = before.shift if before is not None else np.zeros((3, 2))
    return Look((found @ way).astype(np.float32), way.astype(np.float32), shift)


def alike_in_colour(reference: Rows, scan: Picture, lay: Lay) -> float:
    """Correlation, -1 to 1, of the colours that are asked with those seen, all channels together, against their means.

    A design that is its own negative half a repeat on lies on itself there with its colours exchanged: below 0.
    """
    asked, seen = _samples(reference, scan, lay, 4)
    asked, seen = asked - asked.mean(axis=0), seen - seen.mean(axis=0)
    return float((asked * seen).sum() / np.sqrt((asked**2).sum() * (seen**2).sum() + 1e-9))


def _samples(reference: Rows, scan: Picture, lay: Lay, scale: int) -> tuple[Floats, Floats]:
    """(asked, seen): some thousand pixels (N, 3) of small copies of both, spread over all that the scan shows."""
    rows, columns = lay.nodes.shape[:2]
    wide = min(columns, _SAMPLED_BLOCKS)
    asked, seen = [], []
    for number, row in enumerate(range(0, rows, max(1, -(-rows // 12)))):
        column = round((columns - wide) * (0.618 * number % 1))
        window = window_on(reference, scan, lay, (row, column), (1, wide), scale, cv2.INTER_LINEAR)
        if window is not None and window[2].any():
            asked.append(window[0][window[2]])
            seen.append(window[1][window[2]])
    if not asked:
        return np.zeros((1, 3)), np.zeros((1, 3))
    together = [np.concatenate(each).astype(np.float64) for each in (asked, seen)]
    some = slice(None, None, max(1, len(together[0]) // SAMPLES))
    return together[0][some], together[1][some]


def terms_of(rgb: NDArray[np.floating]) -> Floats:
    """(N, 10): one, the three channels, their squares and products, of colours 0 to 255."""
    value = np.asarray(rgb, np.float64) / 255
    products = value * np.roll(value, -1, axis=1)
    return np.concatenate([np.ones((len(value), 1)), value, value * value, products], axis=1)


def _fitted(terms: Floats, seen: Floats, rounds: int) -> Floats:
    """(10, 3): what makes the scan's colours of the terms, with outliers let go; unseen colours go with the rest."""
    start = np.zeros((10, 3))
    start[1:4] = np.eye(3) * 255
    hold = np.diag([1e-4] * 4 + [1e-2] * 6) * len(terms)
    weight = np.ones(len(terms))
    found = start
    for _ in range(rounds):
        weighted = terms * weight[:, None]
        found = start + np.linalg.solve(weighted.T @ terms + hold, weighted.T @ (seen - terms @ start))
        weight = trust(seen - terms @ found)
    return found


def trust(rest: Floats) -> Floats:
    """(N,): the weights, up to 1, of rows whose differences (N, channels) are these: outliers weigh little."""
    off = np.abs(rest).max(axis=1)
    return np.asarray(1 / (1 + (off / (2 * np.median(off) + 1)) ** 4))


def brightness(small: Picture | Plane, look: Look, scale: int) -> Plane:
    """(H, W) of a small copy of the reference, each channel where the print has it."""
    if np.abs(look.shift).max() > 0.05:
        channels = []
        for channel, (x, y) in zip(cv2.split(small), look.shift / scale, strict=True):
            by = np.array([[1, 0, x], [0, 1, y]])
            channels.append(
                cv2.warpAffine(channel.astype(np.float32), by, small.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
            )
        value = np.multiply(cv2.merge(channels), np.float32(1 / 255), dtype=np.float32)
    else:
        value = np.multiply(small, np.float32(1 / 255), dtype=np.float32)
    to = look.of_reference
    # Each channel times what it and the next one make of it.
    way = np.concatenate([np.diag(to[4:7]) + np.roll(np.diag(to[7:10]), 1, axis=1), to[1:4, None]], axis=1)
    inner = cv2.transform(value, way)
    return np.asarray(cv2.transform(cv2.multiply(value, inner), np.array([[1, 1, 1, to[0]]], np.float32)), np.float32)


def slope(plane: Plane, across: int, along: int) -> Plane:
    """(H, W): by how much a plane rises per px; (across, along) is (1, 0) or (0, 1)."""
    return np.asarray(cv2.Sobel(plane, cv2.CV_32F, across, along, scale=1 / 8), np.float32)
