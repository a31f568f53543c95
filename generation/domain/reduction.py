"""From a picture of any number of colours to the few of a palette, as coverage: outlines stay where they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generation.domain.finish import Coverage
from generation.domain.palette import cluster
from generation.domain.pattern import Palette, lab_of

_SAMPLE = 20_000  # pixels that the colours are found from
_EVEN, _SAME_INK = 3.0, 7.0  # Lab units: neighbours in one area of colour; two colours that one ink prints
_LEAST_AREAS = 0.2  # of the pixels, for a picture to be of areas at all
_SOFTNESS = 0.2  # of the distance to the nearest other colour: how wide an edge is still a mixture


@dataclass(frozen=True)
class Reduction:
    """A picture in few colours, the ground first: (K, h, w) coverage that sums to 1, and the colour of each plane."""

    coverage: Coverage
    palette: Palette


def reduce_colours(rgb: NDArray[np.uint8], most: int, pinned: Palette | None = None) -> Reduction:
    """The picture (h, w, 3) in at most `most` colours: its own main ones, or the pinned ones it comes nearest to.

    k-means in Lab (Lloyd 1982), the most common colour first as the ground; each pixel is shared softly between the
    colours near to it. Colours are looked for where the picture is even: what a blurred edge or a JPEG's noise adds is
    no ink. A picture of one colour gives one plane.
    """
    lab = lab_of(rgb)
    flat = lab.reshape(-1, 3)
    areas = np.flatnonzero(_in_areas(lab).ravel())
    if len(areas) < _LEAST_AREAS * len(flat):  # a photograph: it has no areas of one colour
        areas = np.arange(len(flat))
    areas = areas[:: max(1, len(areas) // _SAMPLE)]
    centres, labels = cluster(flat[areas], min(most, len(pinned)) if pinned else most)
    counts = np.bincount(labels, minlength=len(centres))
    order = np.argsort(-counts, kind="stable")[: int((counts > 0).sum())]
    if pinned is None:
        order = _apart(centres, order)
        sample = rgb.reshape(-1, 3)[areas]
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


def _in_areas(lab: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(h, w) whether a pixel looks like its neighbours to the right and below, and they like it."""
    even = np.ones(lab.shape[:2], bool)
    for axis in (0, 1):
        like_next = np.sqrt(((lab - np.roll(lab, -1, axis)) ** 2).sum(-1)) < _EVEN
        even &= like_next & np.roll(like_next, 1, axis)
    return even


def _apart(centres: NDArray[np.float64], order: NDArray[np.intp]) -> NDArray[np.intp]:
    """The order without colours that are hardly another than one that is more common."""
    kept: list[int] = []
    for index in order.tolist():
        if all(np.sqrt(((centres[index] - centres[other]) ** 2).sum()) > _SAME_INK for other in kept):
            kept.append(index)
    return np.array(kept, np.intp)


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
