"""From soft coverage to the indexed raster at size: smooth enlargement, then only details that can be made."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from generation.domain.pattern import IndexArray, Layout, Raster

Coverage = NDArray[np.float32]

_STRIP_ROWS = 32
_MORPHOLOGY_ROWS = 1024
_SPECK_PAD = 8
_SQUARE_ROUNDS = 6
_LINE_PX = 4
_TAPS = 2  # source rows needed on each side of a sample by the cubic


def pad_by_layout(tile: NDArray[np.generic], pad: int, layout: Layout) -> NDArray[np.generic]:
    """The last two axes grown by `pad` on all sides with what lies beyond the edge on the cloth.

    >>> pad_by_layout(np.arange(4).reshape(2, 2), 1, Layout.HALF_DROP)[1].tolist()
    [3, 0, 1, 2]
    """
    if layout is Layout.MIRROR:
        tall = np.concatenate([tile[..., :pad, :][..., ::-1, :], tile, tile[..., -pad:, :][..., ::-1, :]], axis=-2)
        return np.concatenate([tall[..., :pad][..., ::-1], tall, tall[..., -pad:][..., ::-1]], axis=-1)
    if layout.shift:
        aside = int(tile.shape[-1] * layout.shift)
        below, above = np.roll(tile[..., :pad, :], aside, axis=-1), np.roll(tile[..., -pad:, :], -aside, axis=-1)
        tall = np.concatenate([above, tile, below], axis=-2)
        return np.concatenate([tall[..., -pad:], tall, tall[..., :pad]], axis=-1)
    lower = int(tile.shape[-2] * layout.drop)
    right, left = np.roll(tile[..., :pad], lower, axis=-2), np.roll(tile[..., -pad:], -lower, axis=-2)
    wide = np.concatenate([left, tile, right], axis=-1)
    return np.concatenate([wide[..., -pad:, :], wide, wide[..., :pad, :]], axis=-2)


def coverage_of(raster: Raster, *, width_px: int, height_px: int) -> Coverage:
    """(colours, height_px, width_px) how much of each pixel every colour of the raster covers; sums to 1."""
    planes = [
        cv2.resize((raster.indices == index).astype(np.float32), (width_px, height_px), interpolation=cv2.INTER_AREA)
        for index in range(len(raster.palette))
    ]
    return np.stack(planes)


def fineness(coverage: NDArray[np.uint8]) -> float:
    """How much of a design (K, H, W) is lines: area under _LINE_PX wide against the smaller of ground and motif."""
    labels = coverage.argmax(axis=0).astype(np.uint8)
    kernel = np.ones((_LINE_PX, _LINE_PX), np.uint8)
    thin = 0
    for role in np.flatnonzero(np.bincount(labels.ravel())):
        plane = (labels == role).view(np.uint8)
        thin += int(plane.sum()) - int(cv2.morphologyEx(plane, cv2.MORPH_OPEN, kernel).sum())
    ink = int((labels != 0).sum())
    return float(thin / max(1, min(ink, labels.size - ink)))


def with_ink_at_most(coverage: Coverage, most_ink: float) -> Coverage:
    """Coverage (K, H, W) whose strongest role is the ground, plane 0, on at least 1 - most_ink of the cloth.

    The pixels that are least decided are given up first: shapes become slimmer, none is dropped as a whole.
    """
    lead = coverage[1:].max(axis=0) - coverage[0]
    excess = float((lead > 0).mean()) - most_ink
    if excess <= 0:
        return coverage
    out = coverage.copy()
    out[0] += max(0.0, float(np.quantile(lead, 1 - most_ink))) + 1e-6
    return out


def smooth(coverage: Coverage, sigma_px: float, layout: Layout) -> Coverage:
    """Coverage (K, H, W) with its outlines calmed by a Gaussian; wraps as the cloth does."""
    pad = max(1, int(np.ceil(3 * sigma_px)))
    padded = pad_by_layout(coverage, pad, layout)
    planes = [cv2.GaussianBlur(plane, (2 * pad + 1, 2 * pad + 1), sigma_px)[pad:-pad, pad:-pad] for plane in padded]
    return np.stack(planes).astype(np.float32)


def drop_specks(coverage: Coverage, *, smallest_area_px: int, layout: Layout) -> Coverage:
    """Coverage (K, H, W) without islands or holes under that area: they take the colour that surrounds them."""
    labels = pad_by_layout(coverage.argmax(axis=0), _SPECK_PAD, layout).astype(np.uint8)
    specks = np.zeros(labels.shape, bool)
    for role in np.unique(labels):
        _, parts, stats, _ = cv2.connectedComponentsWithStats((labels == role).view(np.uint8), connectivity=4)
        small = stats[:, cv2.CC_STAT_AREA] < smallest_area_px
        small[0] = False
        specks |= small[parts]
    inner = slice(_SPECK_PAD, -_SPECK_PAD)
    rows, columns = np.nonzero(specks[inner, inner])
    if not len(rows):
        return coverage
    around = smooth(coverage, 2.0, layout)[:, rows, columns]
    around[coverage[:, rows, columns].argmax(axis=0), np.arange(len(rows))] = 0
    out = coverage.copy()
    out[:, rows, columns] = around / around.sum(axis=0).clip(1e-6)
    return out


def enlarge(coverage: Coverage, *, width_px: int, height_px: int, layout: Layout) -> IndexArray:
    """(height_px, width_px) uint8: the strongest role at every pixel of the bicubically enlarged coverage (K, h, w).

    Cubic convolution with a = -1/2 (Keys 1981). Works in strips of rows, so memory stays near the size of the answer.
    Only whole roles come out: no pixel has a colour that is not in the palette.
    """
    roles = np.unique(coverage.argmax(axis=0)).astype(np.uint8)
    height, width = coverage.shape[1:]
    padded = pad_by_layout(coverage[roles], _TAPS, layout).astype(np.float32)
    across = [_resample_rows(np.ascontiguousarray(plane.T), width_px, width).T.copy() for plane in padded]
    out = np.empty((height_px, width_px), np.uint8)
    weights, first = _cubic(height_px, height)
    # Tap by tap in a few buffers: a matrix product would wake a second set of threads for every strip.
    buffers = np.empty((3, _STRIP_ROWS, width_px), np.float32)
    for top in range(0, height_px, _STRIP_ROWS):
        rows = slice(top, min(top + _STRIP_ROWS, height_px))
        value, tapped, best = buffers[:, : rows.stop - rows.start]
        for role, plane in zip(roles, across, strict=True):
            np.take(plane, first[rows], axis=0, out=value, mode="clip")
            value *= weights[rows, :1]
            for tap in range(1, 4):
                np.take(plane, first[rows] + tap, axis=0, out=tapped, mode="clip")
                tapped *= weights[rows, tap : tap + 1]
                value += tapped
            if role == roles[0]:
                best[:], out[rows] = value, role
                continue
            np.copyto(out[rows], role, where=value > best)
            cv2.max(value, best, best)
    return out


def repair_details(indices: IndexArray, *, smallest_px: int, layout: Layout, rounds: int = 3) -> IndexArray:
    """Give every pixel that no `smallest_px` square of its own colour covers to a colour that can be made there.

    A morphological opening per colour on the torus (Serra 1982), then the nearest surviving pixel within reach. Where
    colours meet in points that leaves slivers: whole squares are painted over them, where the least is painted over.
    """
    if smallest_px < 2:
        return indices
    out = indices.copy()
    offsets = _offsets_by_distance(2 * smallest_px)
    for _ in range(rounds):
        stands = _standing(out, smallest_px, layout)
        rows, columns = _places(~stands)
        if not len(rows):
            return out
        source = out.copy()
        for dy, dx in offsets:
            near_rows, near_columns = _wrapped(rows + dy, columns + dx, out.shape, layout)
            found = stands[near_rows, near_columns]
            out[rows[found], columns[found]] = source[near_rows[found], near_columns[found]]
            rows, columns = rows[~found], columns[~found]
            if not len(rows):
                break
    for _ in range(_SQUARE_ROUNDS):
        rows, columns = _places(~_standing(out, smallest_px, layout))
        if not len(rows):
            break
        _paint_squares(out, rows, columns, smallest_px, layout)
    return out


def used_colours(indices: IndexArray) -> tuple[IndexArray, list[int]]:
    """The raster renumbered to the colours it really has, and which those were, in order."""
    present = _present(indices)
    table = np.zeros(256, np.uint8)
    table[present] = np.arange(len(present))
    return cv2.LUT(indices, table).astype(np.uint8, copy=False), present.tolist()


def calmest_phase(coverage: Coverage) -> tuple[int, int]:
    """(rows, columns) to roll a unit (K, H, W) by so that its edges cut through as little drawing as possible."""
    across = np.abs(coverage - np.roll(coverage, 1, axis=2)).sum(axis=(0, 1))
    down = np.abs(coverage - np.roll(coverage, 1, axis=1)).sum(axis=(0, 2))
    return -int(down.argmin()), -int(across.argmin())


def best_shift(still: Coverage, moved: Coverage, layout: Layout) -> tuple[int, int]:
    """(rows, columns) to roll `moved` by so that its motifs lie on those of `still`; plane 0 of both is the ground.

    Circular correlation of what is not ground, only along axes that the layout lets roll as they are.
    """
    spectra = [np.fft.rfft2(1 - coverage[0]) for coverage in (still, moved)]
    overlap = np.fft.irfft2(spectra[0] * np.conj(spectra[1]), s=still.shape[1:])
    if layout.drop or layout is Layout.MIRROR:
        overlap[:, 1:] = -np.inf
    if layout.shift or layout is Layout.MIRROR:
        overlap[1:] = -np.inf
    row, column = np.unravel_index(int(overlap.argmax()), overlap.shape)
    return int(row), int(column)


def _present(indices: IndexArray) -> NDArray[np.intp]:
    """The colours that a raster really has, in order; np.bincount would count in eight bytes a pixel."""
    return np.flatnonzero(cv2.calcHist([indices], [0], None, [256], [0, 256]))


def _places(mask: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of what is true, in order; of two dimensions np.nonzero takes ten times as long."""
    rows, columns = np.divmod(np.flatnonzero(mask), mask.shape[1])
    return rows, columns


def _standing(indices: IndexArray, smallest_px: int, layout: Layout) -> NDArray[np.bool_]:
    height = indices.shape[0]
    pad = smallest_px
    padded = pad_by_layout(indices, pad, layout).astype(np.uint8)
    kernel = np.ones((smallest_px, smallest_px), np.uint8)
    mirrored = ((smallest_px - 1) // 2,) * 2  # MORPH_OPEN leaves this out and moves everything by a pixel if even
    stands = np.zeros(indices.shape, bool)
    for top in range(0, height, _MORPHOLOGY_ROWS):
        rows = min(_MORPHOLOGY_ROWS, height - top)
        window = padded[top : top + rows + 2 * pad]
        for colour in _present(window):
            eroded = cv2.erode((window == colour).view(np.uint8), kernel)
            opened = cv2.dilate(eroded, kernel, anchor=mirrored)
            stands[top : top + rows] |= opened[pad:-pad, pad:-pad].view(bool)
    return stands


def _paint_squares(
    out: IndexArray, rows: NDArray[np.intp], columns: NDArray[np.intp], side: int, layout: Layout
) -> None:
    """Paint over each of the pixels the square of one colour that changes least, the cheapest ones first."""
    colours, tops, lefts, fitting = _best_squares(out, rows, columns, side, layout)
    painted = np.zeros(out.shape, bool)
    across = np.arange(side)
    for number in np.argsort(-fitting, kind="stable").tolist():
        if painted[rows[number], columns[number]]:
            continue
        down, over = np.meshgrid(tops[number] + across, lefts[number] + across, indexing="ij")
        place = _wrapped(down, over, out.shape, layout)
        if not (painted[place] & (out[place] != colours[number])).any():  # never over a square of this round
            out[place] = colours[number]
            painted[place] = True


def _best_squares(
    indices: IndexArray, rows: NDArray[np.intp], columns: NDArray[np.intp], side: int, layout: Layout
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """(colour, top, left, pixels that fit already) of the best square over each pixel; rows are in rising order."""
    padded = pad_by_layout(indices, side, layout).astype(np.uint8)
    colours, tops, lefts = (np.zeros(len(rows), np.intp) for _ in range(3))
    fitting = np.full(len(rows), -1, np.intp)
    for band in range(0, indices.shape[0], _MORPHOLOGY_ROWS):
        here = slice(*np.searchsorted(rows, (band, band + _MORPHOLOGY_ROWS)))
        if here.start == here.stop:
            continue
        window = padded[band : band + _MORPHOLOGY_ROWS + 2 * side]
        y, x = rows[here] - band + side, columns[here] + side
        for colour in _present(window):
            sums = cv2.integral((window == colour).view(np.uint8))
            count = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
            for dy, dx in np.ndindex(side, side):
                found = count[y - dy, x - dx]
                better = np.flatnonzero(found > fitting[here]) + here.start
                fitting[better] = found[better - here.start]
                colours[better] = colour
                tops[better], lefts[better] = rows[better] - dy, columns[better] - dx
    return colours, tops, lefts, fitting


def _wrapped(
    rows: NDArray[np.intp], columns: NDArray[np.intp], shape: tuple[int, ...], layout: Layout
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    height, width = shape
    if layout is Layout.MIRROR:
        rows, columns = rows % (2 * height), columns % (2 * width)
        return np.minimum(rows, 2 * height - 1 - rows), np.minimum(columns, 2 * width - 1 - columns)
    if layout.drop:
        rows = rows - columns // width * int(height * layout.drop)
    if layout.shift:
        columns = columns - rows // height * int(width * layout.shift)
    return rows % height, columns % width


def _resample_rows(plane: Coverage, size: int, inner: int) -> Coverage:
    weights, first = _cubic(size, inner)
    out = weights[:, :1] * plane[first]
    for tap in range(1, 4):
        out += weights[:, tap : tap + 1] * plane[first + tap]
    return out


def _cubic(size: int, inner: int) -> tuple[Coverage, NDArray[np.intp]]:
    """(weights (size, 4), first source row (size,)) into rows padded by _TAPS on each side."""
    at = (np.arange(size) + 0.5) * inner / size - 0.5
    base = np.floor(at).astype(np.intp)
    t = (at - base)[:, None]
    distance = np.abs(np.concatenate([t + 1, t, t - 1, t - 2], axis=1))
    near = 1.5 * distance**3 - 2.5 * distance**2 + 1
    far = -0.5 * distance**3 + 2.5 * distance**2 - 4 * distance + 2
    return np.where(distance <= 1, near, far).astype(np.float32), base - 1 + _TAPS


def _offsets_by_distance(reach: int) -> list[tuple[int, int]]:
    offsets = [(dy, dx) for dy in range(-reach, reach + 1) for dx in range(-reach, reach + 1) if (dy, dx) != (0, 0)]
    inside = [offset for offset in offsets if offset[0] ** 2 + offset[1] ** 2 <= reach * reach]
    return sorted(inside, key=lambda offset: (offset[0] ** 2 + offset[1] ** 2, offset))
