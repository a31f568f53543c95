"""From a picture of any number of colours to the few of a palette, as coverage: outlines stay where they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generation.domain.finish import Coverage
from generation.domain.palette import cluster
from generation.domain.pattern import Palette, lab_of

_SAMPLE = 20_000  # pixels that the colours are found from
_SOFTNESS = 0.2  # of the distance to the nearest other colour: how wide an edge is still a mixture


@dataclass(frozen=True)
class Reduction:
    """A picture in few colours, the ground first: (K, h, w) coverage that sums to 1, and the colour of each plane."""

    coverage: Coverage
    palette: Palette


def reduce_colours(rgb: NDArray[np.uint8], most: int, pinned: Palette | None = None) -> Reduction:
    """The picture (h, w, 3) in at most `most` colours: its own main ones, or the pinned ones it comes nearest to.

    k-means in Lab (Lloyd 1982), the most common colour first as the ground; each pixel is shared softly between the
    colours near to it. A picture of one colour gives one plane.
    """
    lab = lab_of(rgb)
    flat = lab.reshape(-1, 3)
    stride = max(1, len(flat) // _SAMPLE)
    centres, labels = cluster(flat[::stride], min(most, len(pinned)) if pinned else most)
    counts = np.bincount(labels, minlength=len(centres))
    order = np.argsort(-counts, kind="stable")[: int((counts > 0).sum())]
    if pinned is None:
        sample = rgb.reshape(-1, 3)[::stride]
        colours = [np.median(sample[labels == index], axis=0).round().astype(int) for index in order]
        palette = Palette(tuple(f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in colours))
    else:
        places = _assigned(centres[order], pinned.lab())
        order, palette = order[np.argsort(places)], Palette(tuple(pinned.colours[place] for place in sorted(places)))
    return Reduction(_shared(flat, centres[order]).reshape(-1, *rgb.shape[:2]), palette)


def exact_colours(rgb: NDArray[np.uint8], most: int) -> tuple[NDArray[np.uint8], Palette] | None:
    """(indices (h, w), palette) of a picture that has `most` colours or fewer, the most common first; else None."""
    packed = rgb.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    values, indices, counts = np.unique(packed, return_inverse=True, return_counts=True)
    if len(values) > most:
        return None
    order = np.argsort(-counts, kind="stable")
    number = np.empty(len(values), np.uint8)
    number[order] = np.arange(len(values))
    return number[indices].reshape(rgb.shape[:2]), Palette(tuple(f"#{value:06x}" for value in values[order].tolist()))


def _assigned(centres: NDArray[np.float64], pinned: NDArray[np.float64]) -> list[int]:
    """The pinned colour of each centre: the ground takes the ground, then each the nearest that is still free."""
    places = [0]
    for centre in centres[1:]:
        gaps = ((pinned - centre) ** 2).sum(axis=1)
        gaps[places] = np.inf
        places.append(int(gaps.argmin()))
    return places


def _shared(points: NDArray[np.float64], centres: NDArray[np.float64]) -> Coverage:
    """(K, points): a Gaussian share of each colour, as wide as its nearest other colour is far."""
    between = ((centres[:, None] - centres[None]) ** 2).sum(-1)
    np.fill_diagonal(between, np.inf)
    width = (_SOFTNESS**2 * between.min(axis=1)).clip(1e-6) if len(centres) > 1 else np.ones(1)
    gaps = np.stack([((points - centre) ** 2).sum(axis=1) for centre in centres])
    shares = np.exp(-0.5 * (gaps - gaps.min(axis=0)) / width[:, None])
    coverage: Coverage = (shares / shares.sum(axis=0)).astype(np.float32)
    return coverage
