"""Where the cloth on a scan lies against what it should look like: pose, stretch, bow, skew and size.

    found = register(reference, scan, Start.at_corner(dpi=100))
    straight = found.lay.straightened(scan)

One map takes every pixel of the reference (pixel centres at whole numbers, 100 dpi) to its place on the scan. It is
known at the middles of blocks and smooth between them. A start comes from the marks of the sheet, or from where the
scan should begin; then the whole map is improved together, coarse to fine. Every block says by least squares of the
differences of brightness how far it is off and, by the edges that it has, how surely and in which direction; a motif
among plain cloth pins its surroundings, a stripe pins one direction only, and plain cloth nothing. What is between
follows the pose (a projection, and the bow of the picks) plus a smooth stretching, of which cloth has about a pixel.

A repeat looks like its neighbours, so nothing is searched for over long ways: who starts half a repeat off stays there.
Colours are matched on the way: the print's channels may lie aside of each other, and the scanner has its own colours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from generation.domain.pattern import MM_PER_INCH
from production.inspection.constructions import MM_PER_PX
from production.inspection.features import Rows
from production.inspection.outcome import Block, Registration

Picture = NDArray[np.uint8]
Plane = NDArray[np.float32]
Floats = NDArray[np.float64]

BLOCK_PX = 48
LEAST_BLOCKS = 5  # a side: less cloth says nothing of its shape
_ANCHOR_BLOCKS = 27  # a side of the part that a scan without marks is begun with
_STRIP_BLOCKS, _WARP_BLOCKS = 8, 4  # that are worked on together: few enough for the processor's own memory
_MOST_CHANGE = 0.15  # of size and direction, from where the search begins
_BEND_SD_PX, _BEND_BLOCKS = 1.2, 2.5  # of the cloth's own stretching: how much, and over how many blocks it changes
_STIFF_BLOCKS = 4.0
_HOLD = 1 / (8 * _BEND_BLOCKS**2 * _BEND_SD_PX**2)  # of a field whose values have that sd and that reach
_BEND = _HOLD * _BEND_BLOCKS**4
_ALIKE = 0.25  # of a block's information that is its own: the light of yarns hangs together over some pixels
_SHIFT_SD_PX = 0.6  # of a print's channels against each other
_KNOTS_PX = 4000.0  # a longer cloth has a pose for each metre or so
_EDGE_PX = 3  # of the scan, that nothing is read from
_CHANNEL_TILES, _CHANNEL_BLOCKS = 6, 10
_SAMPLES, _SAMPLED_BLOCKS = 8_000, 30  # pixels that tell how colours go together; blocks in a row to take them from
_BLURS = (0.0, 0.5, 0.8, 1.1, 1.5, 2.0, 2.6, 3.3, 4.2, 5.5, 8.0)
_TEXTURE = 1.0  # levels of brightness: a block whose reference varies less has nothing to be placed by


@dataclass(frozen=True)
class Start:
    """Where the reference is taken to lie before anybody looked."""

    matrix: Floats  # (2, 3): from reference to scan
    nominal: tuple[float, float]  # pixels of the scan per pixel of the reference, for cloth of the right size
    sure: bool = False  # from marks: within a few pixels all over
    marks: tuple[tuple[tuple[float, float], tuple[float, float]], ...] = ()  # (on the reference, on the scan)

    @classmethod
    def at_corner(cls, *, dpi: float, pitch_mm: tuple[float, float] = (MM_PER_PX, MM_PER_PX)) -> Self:
        """The reference's upper left corner at the scan's, straight, at the scan's resolution."""
        across, along = (pitch / MM_PER_INCH * dpi for pitch in pitch_mm)
        return cls(np.array([[across, 0, (across - 1) / 2], [0, along, (along - 1) / 2]]), (across, along))

    def from_row(self, row: int, column: int = 0) -> Self:
        """The same for the part of the reference that begins there."""
        matrix = self.matrix.copy()
        matrix[:, 2] += matrix[:, :2] @ [column, row]
        marks = tuple(((x - column, y - row), there) for (x, y), there in self.marks)
        return replace(self, matrix=matrix, marks=marks)


@dataclass(frozen=True)
class Lay:
    """How a reference lies on a scan: the places of the middles of its blocks, smooth between them."""

    nodes: Plane  # (rows, columns, 2) pixels of the scan
    pose: Plane  # the same without the cloth's own stretching
    turn: Floats  # (2, 2): from a small step on the reference to one on the scan
    shape: tuple[int, int]  # of the reference

    def places(self, first: int, last: int, *, scale: int = 1) -> Plane:
        """(rows, columns, 2): where the pixels of block rows `first` to `last` lie; every `scale`-th, by area."""
        return np.stack(_places(self.nodes, first, last, BLOCK_PX // scale), axis=-1)

    def straightened(self, scan: Picture) -> Picture:
        """(H, W, 3) the scan as it would look on the reference; what the scan does not show is black."""
        height, width = self.shape
        out = np.empty((height, width, scan.shape[2]), np.uint8)
        for first in range(0, len(self.nodes), _WARP_BLOCKS):
            top = first * BLOCK_PX
            x, y = _places(self.nodes, first, min(first + _WARP_BLOCKS, len(self.nodes)), BLOCK_PX)
            x, y = x[: height - top, :width], y[: height - top, :width]
            out[top : top + len(x)] = _read(scan, x, y, how=cv2.INTER_CUBIC, beside=cv2.BORDER_CONSTANT)
        return out

    def shown(self, scan_px: tuple[int, int]) -> NDArray[np.bool_]:
        """(rows, columns): the blocks that lie wholly on a scan of (height, width)."""
        half = self.turn @ np.array([[BLOCK_PX / 2] * 2, [BLOCK_PX / 2, -BLOCK_PX / 2]]).T
        reach = np.abs(half).max(axis=1) + _EDGE_PX
        low, high = self.nodes - reach, self.nodes + reach
        inside = (low >= 0).all(axis=-1) & (high[..., 0] < scan_px[1]) & (high[..., 1] < scan_px[0])
        return np.asarray(inside, np.bool_)


@dataclass(frozen=True)
class Look:
    """How the reference's colours become the brightness that is compared, and the scan's theirs."""

    of_reference: Plane  # (10,)
    of_scan: Plane  # (3,)
    shift: Floats = field(default_factory=lambda: np.zeros((3, 2)))  # px by which each channel of the print lies aside


@dataclass(frozen=True)
class Agreement:
    """How far reference and scan show the same, once they lie on each other."""

    whole: float  # correlation over all of the cloth, -1 to 1
    agreeing: float  # share of the blocks with something to see that show the same, by what there is to see
    strangers: float  # brightness that the scan shows and the reference does not, over the reference's own
    texture: float  # share of blocks with something to be placed by
    flat: bool  # the reference is one colour all over


@dataclass(frozen=True)
class Registered:
    """A scan laid on its reference."""

    lay: Lay
    facts: Registration
    agreement: Agreement
    shift_um: tuple[tuple[float | None, float | None], ...]  # of red, green, blue; None: no edges tell
    blur_px: float | None  # sd of what is less sharp than the reference, pixels of the grid; None: no edges tell


@dataclass(frozen=True)
class _Asked:
    """What the blocks say of where they should go: least squares in pixels of the reference."""

    squares: Floats  # (rows, columns, 3): xx, xy, yy, over the noise's variance
    products: Floats  # (rows, columns, 2)


def register(reference: Rows, scan: Picture, start: Start) -> Registered:
    """Lay a scan (H, W, 3) uint8 on its reference. Raises ValueError where either is smaller than LEAST_BLOCKS."""
    shape = reference.shape[0], reference.shape[1]
    if min(*shape, *scan.shape[:2]) < LEAST_BLOCKS * BLOCK_PX:
        raise ValueError(f"{shape} and {scan.shape[:2]} are too small to be laid on each other")
    coarse = _Scaled(reference, scan, 4)
    lay = _begun(reference, scan, start, coarse)
    lay = coarse.matched(_matched(reference, scan, lay, 8, None), 2.0).improved(lay, rounds=2, forgiving=3.0)
    # A block whose edges are all of one channel would take that channel's place for its own: so the channels are looked
    # at while the map is still stiff.
    look: Look | None = None
    for _ in range(2):
        lay = _stiffer(lay)
        look, _ = _channels(reference, scan, lay, _matched(reference, scan, lay, 4, look), coarse.weights)
        lay = coarse.matched(look, 0.7).improved(lay, rounds=2, forgiving=1.0)
    weights = coarse.weights
    del coarse
    look = _matched(reference, scan, lay, 4, look)
    pair = _Scaled(reference, scan, 2).matched(look, 0.7)
    lay = pair.improved(lay, rounds=2, forgiving=0.5)
    look, told = _channels(reference, scan, lay, look, weights)
    lay = _moved(lay, told.common)
    asked, agreement = pair.left(lay)
    del pair
    return Registered(
        lay=lay,
        facts=_facts(lay, asked, agreement, scan.shape[:2], start),
        agreement=agreement,
        shift_um=told.in_um(),
        blur_px=_blur(reference, scan, lay, look, weights),
    )


# ------------------------------------------------------------------------------------------------ the start


def _begun(reference: Rows, scan: Picture, start: Start, coarse: _Scaled) -> Lay:
    shape = reference.shape[0], reference.shape[1]
    rows, columns = -(-shape[0] // BLOCK_PX), -(-shape[1] // BLOCK_PX)
    matrix = start.matrix
    if start.marks:
        return _along_marks(start, shape)
    if start.sure:
        return _laid(matrix, shape)
    side = min(_ANCHOR_BLOCKS, max(rows, columns))
    part = (min(shape[0], side * BLOCK_PX), min(shape[1], side * BLOCK_PX))
    matrix = _by_correlation(reference[0 : part[0], 0 : part[1]], scan, matrix)
    while part != shape:  # a part that lies well tells where the cloth around it lies: twice as much each time
        window = _Part(reference, part)
        lay = _laid(matrix, part)
        some = coarse.part(window)
        for sd, forgiving in ((2.0, 3.0), (0.7, 1.0)):
            lay = some.matched(_matched(window, scan, lay, 8, None), sd).improved(lay, rounds=2, forgiving=forgiving)
        matrix = _straight(lay) if _near(_straight(lay), matrix) else matrix
        part = (min(shape[0], 2 * part[0]), min(shape[1], 2 * part[1]))
    return _laid(matrix, shape)


class _Part:
    """The upper left part of a reference."""

    def __init__(self, whole: Rows, shape: tuple[int, int]) -> None:
        self._whole, self.shape = whole, (*shape, 3)

    def __getitem__(self, window: tuple[slice, slice]) -> Picture:
        rows, columns = (part.indices(size) for part, size in zip(window, self.shape, strict=False))
        return self._whole[rows[0] : rows[1], columns[0] : columns[1]]


def _laid(matrix: Floats, shape: tuple[int, int]) -> Lay:
    nodes = (_middles(shape) @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)
    return Lay(nodes, nodes, matrix[:, :2].copy(), shape)


def _middles(shape: tuple[int, int]) -> Floats:
    """(rows, columns, 2) of the middles of the blocks on the reference."""
    rows, columns = -(-shape[0] // BLOCK_PX), -(-shape[1] // BLOCK_PX)
    y, x = (np.arange(count) * BLOCK_PX + (BLOCK_PX - 1) / 2 for count in (rows, columns))
    return np.stack(np.meshgrid(x, y), axis=-1)


def _along_marks(start: Start, shape: tuple[int, int]) -> Lay:
    """By the marks, and between them by how they lie: the run of a long cloth is no straight line."""
    on, seen = (np.array([mark[k] for mark in start.marks], np.float64) for k in (0, 1))
    lay = _laid(start.matrix, shape)
    off = seen - (on @ start.matrix[:, :2].T + start.matrix[:, 2])
    bins = np.round((on[:, 1] - on[:, 1].min()) / _KNOTS_PX * 8)
    heights = np.array([on[bins == each, 1].mean() for each in np.unique(bins)])
    if len(heights) < 4:
        return lay
    middles, width = _middles(shape), shape[1]
    sides = []
    for left in (True, False):
        mine = (on[:, 0] < width / 2) == left
        some = [mine & (bins == each) for each in np.unique(bins)]
        known = np.array([each.any() for each in some])
        if known.sum() < 2:
            return lay
        means = np.array([off[each].mean(axis=0) for each in some if each.any()])
        sides.append(
            np.stack([np.interp(middles[:, 0, 1], heights[known], means[:, axis]) for axis in (0, 1)], axis=-1)
        )
    share = (middles[0, :, 0] / width)[None, :, None]
    nodes = (lay.nodes + sides[0][:, None] * (1 - share) + sides[1][:, None] * share).astype(np.float32)
    return replace(lay, nodes=nodes, pose=nodes)


def _by_correlation(part: Picture, scan: Picture, matrix: Floats) -> Floats:
    """The matrix that makes the two correlate best near where it was, on small copies of both."""
    for scale, rounds in ((8, 80), (4, 30)):
        small = _small(part, scale).astype(np.float32)
        flat = small.reshape(-1, 3)
        spread, ways = np.linalg.eigh(np.cov(flat.T))
        if spread[-1] < 1:  # one colour: nothing to go by
            return matrix
        way = ways[:, -1].astype(np.float32)
        shown = scan[
            : round(part.shape[0] * matrix[1, 1] * 1.2) + 200, : round(part.shape[1] * matrix[0, 0] * 1.2) + 200
        ]
        asked, seen = (_without_light(each @ way, scale) for each in (small, _small(shown, scale).astype(np.float32)))
        shift = (scale - 1) / 2
        inner = matrix.copy()
        inner[:, 2] = (matrix[:, :2] @ [shift, shift] + matrix[:, 2] - shift) / scale
        everywhere = np.full(seen.shape, 255, np.uint8)
        stop = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, rounds, 1e-4)
        try:
            _, found = cv2.findTransformECC(
                asked, seen, inner.astype(np.float32), cv2.MOTION_AFFINE, stop, everywhere, 5
            )
        except cv2.error:  # it ran away: the finer scale begins where this one did
            continue
        wider = found.astype(np.float64)
        wider[:, 2] = wider[:, 2] * scale + shift - wider[:, :2] @ [shift, shift]
        matrix = wider if _near(wider, matrix) else matrix
    return matrix


def _near(matrix: Floats, before: Floats) -> bool:
    """False for a map that no cloth has: what does not show its source can be pulled anywhere."""
    change = np.linalg.solve(before[:, :2], matrix[:, :2]) - np.eye(2)
    return bool(np.isfinite(matrix).all() and np.abs(change).max() < _MOST_CHANGE)


def _without_light(plane: Plane, scale: int) -> Plane:
    return np.asarray(plane - cv2.GaussianBlur(plane, (0, 0), 120 / scale), np.float32)


def _small(picture: Picture, scale: int) -> Picture:
    height, width = picture.shape[0] // scale, picture.shape[1] // scale
    return np.asarray(
        cv2.resize(picture[: height * scale, : width * scale], (width, height), interpolation=cv2.INTER_AREA)
    )


# ------------------------------------------------------------------------------------------------ colours


def _matched(reference: Rows, scan: Picture, lay: Lay, scale: int, before: Look | None) -> Look:
    """How the two compare best: along the colour in which the design stands out most from what is not explained."""
    asked, seen = _samples(reference, scan, lay, scale)
    terms = _terms(asked)
    found = _fitted(terms, seen, 4)
    rest = seen - terms @ found
    weight = _trust(rest)
    noise = np.cov(rest.T, aweights=weight) + np.eye(3)
    design = np.cov((terms @ found).T, aweights=weight)
    root = np.linalg.cholesky(noise)
    half = np.linalg.solve(root, np.linalg.solve(root, design).T)
    way = np.linalg.solve(root.T, np.linalg.eigh(half)[1][:, -1])
    way /= np.sqrt(way @ noise @ way)
    shift = before.shift if before is not None else np.zeros((3, 2))
    return Look((found @ way).astype(np.float32), way.astype(np.float32), shift)


def _samples(reference: Rows, scan: Picture, lay: Lay, scale: int) -> tuple[Floats, Floats]:
    """(asked, seen): some thousand pixels (N, 3) of small copies of both, spread over all that the scan shows."""
    rows, columns = lay.nodes.shape[:2]
    wide = min(columns, _SAMPLED_BLOCKS)
    asked, seen = [], []
    for number, row in enumerate(range(0, rows, max(1, -(-rows // 12)))):
        column = round((columns - wide) * (0.618 * number % 1))
        window = _window(reference, scan, lay, (row, column), (1, wide), scale, cv2.INTER_LINEAR)
        if window is not None and window[2].any():
            asked.append(window[0][window[2]])
            seen.append(window[1][window[2]])
    if not asked:
        return np.zeros((1, 3)), np.zeros((1, 3))
    together = [np.concatenate(each).astype(np.float64) for each in (asked, seen)]
    some = slice(None, None, max(1, len(together[0]) // _SAMPLES))
    return together[0][some], together[1][some]


def _window(
    reference: Rows, scan: Picture, lay: Lay, place: tuple[int, int], sides: tuple[int, int], scale: int, how: int
) -> tuple[Picture, Picture, NDArray[np.bool_]] | None:
    """(asked, seen, what of it the scan shows) of some blocks, both small, lying on each other."""
    (row, column), (rows, columns) = place, sides
    top, left = row * BLOCK_PX, column * BLOCK_PX
    bottom, right = min(top + rows * BLOCK_PX, lay.shape[0]), min(left + columns * BLOCK_PX, lay.shape[1])
    if min(bottom - top, right - left) < BLOCK_PX:
        return None
    asked = _small(reference[top:bottom, left:right], scale)
    x, y = _places(lay.nodes[:, column : column + columns], row, row + rows, BLOCK_PX // scale)
    x, y = x[: asked.shape[0], : asked.shape[1]], y[: asked.shape[0], : asked.shape[1]]
    (x0, x1), (y0, y1) = (_span(each, 4 * scale, size) for each, size in ((x, scan.shape[1]), (y, scan.shape[0])))
    x0, y0 = x0 // scale * scale, y0 // scale * scale
    cut = _small(scan[y0 : max(y1, y0 + scale), x0 : max(x1, x0 + scale)], scale)
    seen = _read(cut, *(_scaled(each - np.float32(low), scale) for each, low in ((x, x0), (y, y0))), how=how)
    return asked, seen, _inside(x, y, scan.shape)


def _inside(x: Plane, y: Plane, shape: Sequence[float], *, edge: float = _EDGE_PX) -> NDArray[np.bool_]:
    return (x >= edge) & (y >= edge) & (x < shape[1] - edge) & (y < shape[0] - edge)


def _terms(rgb: NDArray[np.floating]) -> Floats:
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
        weight = _trust(seen - terms @ found)
    return found


def _trust(rest: Floats) -> Floats:
    off = np.abs(rest).max(axis=1)
    return np.asarray(1 / (1 + (off / (2 * np.median(off) + 1)) ** 4))


def _brightness(small: Picture | Plane, look: Look, scale: int) -> Plane:
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


# ------------------------------------------------------------------------------------------------ the map


class _Scaled:
    """Reference and scan at a whole share of their size."""

    def __init__(self, reference: Rows, scan: Picture, scale: int) -> None:
        self.reference, self.scan, self.scale, self.scan_px = reference, _small(scan, scale), scale, scan.shape[:2]
        self.weights: Floats | None = None  # (rows, columns) of the blocks: how much they had to say
        self._strips: list[tuple[int, int, Picture]] = []

    def part(self, reference: Rows) -> _Scaled:
        """The same scan with another reference."""
        other = object.__new__(_Scaled)
        other.reference, other.scan, other.scale, other.scan_px = reference, self.scan, self.scale, self.scan_px
        other.weights, other._strips = None, []
        return other

    def matched(self, look: Look, sd: float) -> _Pair:
        """Both as brightness. sd: of the smoothing, px here."""
        seen = np.empty(self.scan.shape[:2], np.float32)
        way = look.of_scan[None]
        for top in range(0, len(seen), 256):
            seen[top : top + 256] = cv2.transform(self.scan[top : top + 256].astype(np.float32), way)
        block = BLOCK_PX // self.scale
        strips = []
        for first, last, small in self._small_strips():
            plane = np.asarray(cv2.GaussianBlur(_brightness(small, look, self.scale), (0, 0), sd), np.float32)
            strips.append((first, last, plane[: (last - first) * block + 8]))
        return _Pair(self, np.asarray(cv2.GaussianBlur(seen, (0, 0), sd, seen), np.float32), strips, _margin(sd))

    def _small_strips(self) -> list[tuple[int, int, Picture]]:
        """(first block row, last, the reference there with four pixels around in height)."""
        if self._strips:
            return self._strips
        scale = self.scale
        height, width = self.reference.shape[:2]
        rows, columns = -(-height // BLOCK_PX), -(-width // BLOCK_PX)
        for first in range(0, rows, _STRIP_BLOCKS):
            last = min(first + _STRIP_BLOCKS, rows)
            top, bottom = first * BLOCK_PX - 4 * scale, last * BLOCK_PX + 4 * scale
            window = self.reference[max(top, 0) : min(bottom, height), 0:width]
            above, below, beside = max(-top, 0), max(bottom - height, 0), columns * BLOCK_PX - width
            if above or below or beside:
                window = np.asarray(cv2.copyMakeBorder(window, above, below, 0, beside, cv2.BORDER_REPLICATE), np.uint8)
            self._strips.append((first, last, _small(window, scale)))
        return self._strips


class _Pair:
    """Reference and scan as brightness, and how the map is improved on them."""

    def __init__(self, of: _Scaled, seen: Plane, strips: Sequence[tuple[int, int, Plane]], margin: int) -> None:
        self._of, self._seen, self._strips, self._margin = of, seen, strips, margin

    def improved(self, lay: Lay, *, rounds: int, forgiving: float) -> Lay:
        """The map after some rounds. forgiving: multiples of the usual difference."""
        for _ in range(rounds):
            asked, _ = self._told(lay, forgiving, moments=False)
            lay = _better(lay, asked, most_px=1.5 * self._of.scale)
            self._of.weights = asked.squares[..., 0] + asked.squares[..., 2]
        return lay

    def left(self, lay: Lay) -> tuple[_Asked, Agreement]:
        """What the blocks still ask for, and how far reference and scan show the same."""
        asked, moments = self._told(lay, 1.0, moments=True)
        return asked, _agreement(moments)

    def _told(self, lay: Lay, forgiving: float, *, moments: bool) -> tuple[_Asked, Floats]:
        """What every block says, and (rows, columns, 6) moments of asked and seen brightness in it."""
        scale, block = self._of.scale, BLOCK_PX // self._of.scale
        nodes = (lay.nodes + np.float32(0.5)) / np.float32(scale) - np.float32(0.5)
        squares, products, all_moments = [], [], []
        noise: float | None = None
        blur, sharpness, squared, known, weighed, weights = np.zeros(6)  # sums over the strips that were seen
        for first, last, wide in self._strips:
            at = _places(nodes, first, last, block)
            there: Plane = _read(self._seen, *at)
            valid = self._valid(at, lay.shape, first)
            x, y = (_slope(wide, *way)[4:-4] for way in ((1, 0), (0, 1)))
            sharp = np.asarray(cv2.Laplacian(wide, cv2.CV_32F), np.float32)[4:-4]
            asked = wide[4:-4]
            rest = (there - asked) * valid
            mean = _cells(rest, block) / np.maximum(_cells(valid, block), 1e-3)
            rest = (rest - cv2.resize(mean, rest.shape[1::-1], interpolation=cv2.INTER_LINEAR)) * valid
            # An edge that is less sharp than asked would be explained by a map that is stretched there.
            sharp = sharp * valid
            blur += np.vdot(sharp, rest)
            sharpness += np.vdot(sharp, sharp)
            rest = rest - sharp * np.float32(blur / (sharpness + 1.0))
            if noise is None:
                noise = float(np.median(np.abs(rest[::5, ::5]))) * 1.48 + 0.05
            square = rest * rest
            squared += square.sum()
            known += square.size
            spread = max(2.5 * noise, forgiving * float(np.sqrt(squared / known)))
            weight = square * np.float32(1 / spread**2)
            weight += 1
            np.divide(valid, weight, out=weight)
            weighed += np.vdot(weight, square)
            weights += weight.sum()
            variance = float(weighed / max(weights, 1)) + 0.01
            wx, wy = weight * x, weight * y
            count, mx, my, mr, xx, xy, yy, xr, yr = (
                _around(_cells(each, block // 2, by))
                for each, by in (
                    (weight, None), (wx, None), (wy, None), (weight, rest),
                    (wx, x), (wx, y), (wy, y), (wx, rest), (wy, rest),
                )
            )  # fmt: skip
            count = np.maximum(count, 1e-3)
            here = np.stack([xx - mx * mx / count, xy - mx * my / count, yy - my * my / count], axis=-1)
            to = np.stack([xr - mx * mr / count, yr - my * mr / count], axis=-1)
            many = _ALIKE * block**2 / variance
            squares.append(here * (many / scale**2))
            products.append(to * (many / scale))
            if moments:
                all_moments.append(_moments(asked, there, valid, block))
        return (
            _Asked(np.concatenate(squares).astype(np.float64), np.concatenate(products).astype(np.float64)),
            np.concatenate(all_moments) if moments else np.zeros((0, 0, 6)),
        )

    def _valid(self, at: tuple[Plane, Plane], shape: tuple[int, int], first: int) -> Plane:
        """1 where both reference and scan are, away from the reference's border by what smoothing has mixed in."""
        scale, margin = self._of.scale, self._margin
        height, width = (size // scale for size in shape)
        top = first * (BLOCK_PX // scale)
        edge = (_EDGE_PX + 0.5) / scale - 0.5
        inside = _inside(*at, tuple((size + 1) / scale - 1 for size in self._of.scan_px), edge=edge)
        inside[: max(0, margin - top)] = False
        inside[max(0, height - margin - top) :] = False
        inside[:, :margin], inside[:, width - margin :] = False, False
        return inside.astype(np.float32)


def _scaled(places: Plane, scale: int) -> Plane:
    """Places on a picture as they are on a small copy of it."""
    return np.asarray((places + np.float32(0.5)) * np.float32(1 / scale) - np.float32(0.5))


def _span(places: Plane, around: int, size: int) -> tuple[int, int]:
    """First and last of so many rows or columns that places need. They run smoothly: some of them tell."""
    some = places[np.ix_(*(np.r_[0:count:8, count - 1] for count in places.shape))]
    first = int(np.clip(some.min() - around - 1, 0, size - 1))
    return first, int(np.clip(some.max() + around + 2, first + 1, size))


def _read(
    picture: NDArray[Any], x: Plane, y: Plane, *, how: int = cv2.INTER_LINEAR, beside: int = cv2.BORDER_REPLICATE
) -> NDArray[Any]:
    """A picture at places of it, however large it is: OpenCV counts in 16 bits."""
    parts = []
    for left in range(0, x.shape[1], 4096):
        some_x, some_y = x[:, left : left + 4096], y[:, left : left + 4096]
        (x0, x1), (y0, y1) = _span(some_x, 4, picture.shape[1]), _span(some_y, 4, picture.shape[0])
        at_x, at_y = some_x - np.float32(x0), some_y - np.float32(y0)
        parts.append(cv2.remap(picture[y0:y1, x0:x1], at_x, at_y, how, borderMode=beside))
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)


def _margin(sd: float) -> int:
    """How far from the reference's border smoothing has mixed in what lies beyond: on the scan, other cloth."""
    return int(np.ceil(2.5 * sd))


def _mean(plane: Plane, block: int) -> Plane:
    size = (plane.shape[1] // block, plane.shape[0] // block)
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.float32)


def _cells(plane: Plane, side: int, by: Plane | None = None) -> Plane:
    """The means of squares of so many pixels a side, of a plane or of its product with another."""
    rows, columns = plane.shape[0] // side, plane.shape[1] // side
    tall = plane.reshape(rows, side, -1)
    sums = tall.sum(axis=1) if by is None else np.einsum("ijk,ijk->ik", tall, by.reshape(rows, side, -1))
    return np.asarray(sums.reshape(rows, columns, side).sum(axis=2) * np.float32(1 / side**2))


def _around(halves: Plane) -> Plane:
    """The mean around the middle of every block by the means of half blocks: neighbours with a share as they are near.

    An edge that is blurred otherwise than it is asked pulls one way on one side and the other way on the other: only
    as a whole it tells where it is. So blocks have no borders that could cut one.
    """
    cells = cv2.copyMakeBorder(halves, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    rows = cells[0:-3:2] + 3 * cells[1:-2:2] + 3 * cells[2:-1:2] + cells[3::2]
    both = rows[:, 0:-3:2] + 3 * rows[:, 1:-2:2] + 3 * rows[:, 2:-1:2] + rows[:, 3::2]
    return np.asarray(both / 64, np.float32)


def _moments(asked: Plane, seen: Plane, valid: Plane, block: int) -> Floats:
    """(rows, columns, 6): share of the block that shows; means of asked, seen, and of their squares and product."""
    a, s = asked * valid, seen * valid
    each = [(valid, None), (a, None), (s, None), (a, a), (s, s), (a, s)]
    return np.stack([_cells(plane, block, by) for plane, by in each], axis=-1).astype(np.float64)


def _places(nodes: Plane, first: int, last: int, block: int) -> tuple[Plane, Plane]:
    """x and y, ((last - first) * block, columns * block): node rows `first` to `last` with what is between them."""
    around = 2
    low, high = max(0, first - around), min(len(nodes), last + around)
    some = nodes[low:high].astype(np.float64)
    rows, columns = some.shape[:2]
    # OpenCV's cubic is no straight line through straight lines: the even part is added exactly.
    ax = (some[:, -1] - some[:, 0]).mean(axis=0) / (columns - 1)
    ay = (some[-1] - some[0]).mean(axis=0) / (rows - 1) if rows > 1 else np.zeros(2)
    middle = some.mean(axis=(0, 1)) - ax * (columns - 1) / 2 - ay * (rows - 1) / 2
    even = middle + np.arange(columns)[None, :, None] * ax + np.arange(rows)[:, None, None] * ay
    bent = (some - even).astype(np.float32)
    bent = _carried_on(bent, low - (first - around), (last + around) - high, around)
    # Three times as fine it is as good as straight from one to the next.
    fine = cv2.resize(bent, (bent.shape[1] * 3, bent.shape[0] * 3), interpolation=cv2.INTER_CUBIC).astype(np.float64)
    down = (np.arange(len(fine)) + 0.5) / 3 - 0.5 + (first - around - low)
    across = (np.arange(fine.shape[1]) + 0.5) / 3 - 0.5 - around
    fine += middle + across[None, :, None] * ax + down[:, None, None] * ay
    kept, step = slice(around * 3 - 1, 1 - around * 3), block // 3
    inner, size = slice(step, -step), ((columns * 3 + 2) * step, ((last - first) * 3 + 2) * step)
    x, y = (
        np.asarray(
            cv2.resize(fine[kept, kept, axis].astype(np.float32), size, interpolation=cv2.INTER_LINEAR), np.float32
        )
        for axis in (0, 1)
    )
    return x[inner, inner], y[inner, inner]


def _slope(plane: Plane, across: int, along: int) -> Plane:
    return np.asarray(cv2.Sobel(plane, cv2.CV_32F, across, along, scale=1 / 8), np.float32)


def _carried_on(plane: Plane, above: int, below: int, beside: int) -> Plane:
    """A plane with rows and columns more, in the way that it ran."""
    for _ in range(above):
        plane = np.concatenate([2 * plane[:1] - plane[1:2], plane])
    for _ in range(below):
        plane = np.concatenate([plane, 2 * plane[-1:] - plane[-2:-1]])
    for _ in range(beside):
        plane = np.concatenate([2 * plane[:, :1] - plane[:, 1:2], plane, 2 * plane[:, -1:] - plane[:, -2:-1]], axis=1)
    return plane


def _better(lay: Lay, asked: _Asked, *, most_px: float) -> Lay:
    """The map that the blocks ask for: first the pose, then the stretching, held by what cloth does."""
    back = np.linalg.inv(lay.turn)
    bent = (lay.nodes.astype(np.float64) - lay.pose) @ back.T
    step = _pose_step(asked, bent, lay.shape)
    step = np.clip(step, -4 * most_px, 4 * most_px)
    pose = (lay.pose - step @ lay.turn.T).astype(np.float32)
    move = np.clip(_bend_step(asked, bent + step), -4 * most_px, 4 * most_px)
    nodes = (lay.nodes - move @ lay.turn.T).astype(np.float32)
    return replace(lay, nodes=nodes, pose=pose)


def _stiffer(lay: Lay) -> Lay:
    """The map without what changes over less than a few blocks."""
    bent = cv2.GaussianBlur(lay.nodes - lay.pose, (0, 0), _STIFF_BLOCKS, borderType=cv2.BORDER_REPLICATE)
    return replace(lay, nodes=np.asarray(lay.pose + bent, np.float32))


def _moved(lay: Lay, by: Floats) -> Lay:
    whole = (by @ lay.turn.T).astype(np.float32)
    return replace(lay, nodes=lay.nodes - whole, pose=lay.pose - whole)


def _ways(rows: int, columns: int, height_px: float) -> tuple[Floats, Floats]:
    """(rows, columns, 2, P) ways in which a pose may change, and how far each usually is off, in pixels."""
    y, x = np.meshgrid(
        (np.arange(rows) + 0.5) / rows * 2 - 1, (np.arange(columns) + 0.5) / columns * 2 - 1, indexing="ij"
    )
    one, no = np.ones_like(x), np.zeros_like(x)
    if height_px < 1.5 * _KNOTS_PX:
        ways = [(one, no), (x, no), (y, no), (no, one), (no, x), (no, y), (x * x, x * y), (x * y, y * y)]
        ways.append((no, 1 - x * x))
        usual = [20.0] * 6 + [6.0, 6.0, 12.0]
    else:
        ways, usual = [], []
        count = round(height_px / _KNOTS_PX) + 1
        place = (y + 1) / 2 * (count - 1)
        for knot in range(count):
            near = np.maximum(1 - np.abs(place - knot), 0)
            ways += [(near, no), (near * x, no), (no, near), (no, near * x), (no, near * (1 - x * x))]
            usual += [20.0, 20.0, 20.0, 20.0, 12.0]
    return np.stack([np.stack(way, axis=-1) for way in ways], axis=-1), np.array(usual)


def _pose_step(asked: _Asked, bent: Floats, shape: tuple[int, int]) -> Floats:
    """(rows, columns, 2): by how much the pose is off, the stretching taken for a chance of _BEND_SD_PX."""
    rows, columns = bent.shape[:2]
    ways, usual = _ways(rows, columns, shape[0])
    squares = _matrices(asked.squares)
    softened = np.linalg.inv(np.eye(2) + _BEND_SD_PX**2 * squares)
    weight = squares @ softened
    told = (np.swapaxes(softened, -1, -2) @ asked.products[..., None])[..., 0] - (weight @ bent[..., None])[..., 0]
    flat = ways.reshape(-1, 2, ways.shape[-1])
    heavy = (weight.reshape(-1, 2, 2) @ flat).reshape(-1, ways.shape[-1])
    tall = flat.reshape(-1, ways.shape[-1])
    own = 1 / _BEND_BLOCKS**2  # neighbours are stretched alike: they are no witnesses of their own
    found = np.linalg.solve(tall.T @ heavy * own + np.diag(1 / usual**2), tall.T @ told.reshape(-1) * own)
    return np.asarray(ways @ found)


def _matrices(squares: Floats) -> Floats:
    out = np.empty((*squares.shape[:2], 2, 2))
    out[..., 0, 0], out[..., 1, 1] = squares[..., 0], squares[..., 2]
    out[..., 0, 1] = out[..., 1, 0] = squares[..., 1]
    return out


def _bend_step(asked: _Asked, bent: Floats) -> Floats:
    """(rows, columns, 2): by how much each block is off, by conjugate gradients.

    The best step is where what the blocks ask for is in balance with how little cloth is stretched, and how slowly.
    """
    xx, xy, yy = (asked.squares[..., k] for k in range(3))

    def held(z: Floats) -> Floats:
        return _HOLD * z + _BEND * _curved(z)

    def pulled(z: Floats) -> Floats:
        out = held(z)
        out[..., 0] += xx * z[..., 0] + xy * z[..., 1]
        out[..., 1] += xy * z[..., 0] + yy * z[..., 1]
        return out

    own = 20 * _BEND + _HOLD
    inner = (xx + own) * (yy + own) - xy * xy

    def near(z: Floats) -> Floats:
        return np.stack(
            [((yy + own) * z[..., 0] - xy * z[..., 1]) / inner, ((xx + own) * z[..., 1] - xy * z[..., 0]) / inner], -1
        )

    step = np.zeros_like(bent)
    rest = asked.products + held(bent)
    begun = float(np.sqrt((rest * rest).sum())) + 1e-12
    ahead = close = near(rest)
    power = float((rest * close).sum())
    for _ in range(200):
        pull = pulled(ahead)
        far = power / max(float((ahead * pull).sum()), 1e-12)
        step += far * ahead
        rest -= far * pull
        if np.sqrt((rest * rest).sum()) < 1e-3 * begun:
            break
        close = near(rest)
        next_power = float((rest * close).sum())
        ahead = close + next_power / max(power, 1e-12) * ahead
        power = next_power
    return step


def _curved(z: Floats) -> Floats:
    """The gradient of half the sum of all squared second differences."""
    out = np.zeros_like(z)
    for axis in (0, 1):
        if z.shape[axis] < 3:
            continue
        from_, to = np.moveaxis(z, axis, 0), np.moveaxis(out, axis, 0)
        second = from_[:-2] - 2 * from_[1:-1] + from_[2:]
        to[:-2] += second
        to[1:-1] -= 2 * second
        to[2:] += second
    cross = 2 * (z[1:, 1:] - z[1:, :-1] - z[:-1, 1:] + z[:-1, :-1])
    out[1:, 1:] += cross
    out[1:, :-1] -= cross
    out[:-1, 1:] -= cross
    out[:-1, :-1] += cross
    return out


# ------------------------------------------------------------------------------------------------ channels


@dataclass(frozen=True)
class _Told:
    """What the edges of each channel say."""

    common: Floats  # (2,) px: by how much the map is off for all of them together
    shift: Floats  # (3, 2) px of each channel against their middle
    sd: Floats  # (3, 2) px, how surely

    def in_um(self) -> tuple[tuple[float | None, float | None], ...]:
        """(x, y) of each channel; None where the design has too little to tell it by."""
        um = self.shift * MM_PER_PX * 1000
        sure = self.sd < _SHIFT_SD_PX / 4
        return tuple(
            (float(x) if known[0] else None, float(y) if known[1] else None)
            for (x, y), known in zip(um, sure, strict=True)
        )


def _channels(reference: Rows, scan: Picture, lay: Lay, look: Look, weights: Floats | None) -> tuple[Look, _Told]:
    """Where the channels of the print lie, from the parts of the cloth that have most edges."""
    scale, block = 2, BLOCK_PX // 2
    parts = [
        each
        for each in (_part(reference, scan, lay, place, scale) for place in _liveliest(lay, scan, weights))
        if each is not None
    ]
    off = -look.shift.copy()  # where each channel's content lies against the map
    told = _Told(np.zeros(2), look.shift, np.full((3, 2), _SHIFT_SD_PX))
    flats = [_flat(asked, valid) for asked, _, valid in parts]
    if sum(int(flat.sum()) for flat in flats) < 500:
        flats = [valid > 0 for _, _, valid in parts]
    if not parts:
        return look, told
    step = max(1, sum(int(flat.sum()) for flat in flats) // _SAMPLES)
    for _ in range(2):
        moved = [_aside(asked, -off / scale) for asked, _, _ in parts]
        fit = _by_channel(
            np.concatenate([each[flat][::step] for each, flat in zip(moved, flats, strict=True)]),
            np.concatenate([there[flat][::step] for (_, there, _), flat in zip(parts, flats, strict=True)]),
        )
        squares, products = np.zeros((3, 2, 2)), np.zeros((3, 2))
        for asked, (_, there, valid) in zip(moved, parts, strict=True):
            for channel in range(3):
                one = Look(fit[:, channel].astype(np.float32), np.zeros(3, np.float32))
                plane = np.asarray(cv2.GaussianBlur(_brightness(asked, one, scale), (0, 0), 0.8), np.float32)
                rest = cv2.GaussianBlur(np.ascontiguousarray(there[..., channel]), (0, 0), 0.8) - plane
                light = _mean(rest * valid, block) / np.maximum(_mean(valid, block), 1e-3)
                rest -= cv2.resize(light, rest.shape[1::-1], interpolation=cv2.INTER_NEAREST)
                slopes = [_slope(plane, *way) for way in ((1, 0), (0, 1))]
                noise = float(np.median(np.abs(rest[::3, ::3]))) * 1.48 + 0.2
                weight = valid / (1 + (rest / (3 * noise)) ** 2)
                variance = float((weight * rest * rest).sum() / max(float(weight.sum()), 1)) + 0.01
                much = 0.02 / variance  # edges hang together, and the fit of the colours has its own part
                for i in range(2):
                    products[channel, i] += much / scale * float((weight * slopes[i] * rest).sum())
                    for j in range(2):
                        squares[channel, i, j] += much / scale**2 * float((weight * slopes[i] * slopes[j]).sum())
        off, told = _parted(squares, products + (squares @ off[..., None])[..., 0])
    return replace(look, shift=-off), told


def _flat(asked: Picture, valid: Plane) -> NDArray[np.bool_]:
    """Where a small copy of the reference has no edges: there it does not matter which channel lies where."""
    around = np.ones((5, 5), np.uint8)
    span = cv2.dilate(asked, around).astype(np.int16) - cv2.erode(asked, around)
    return np.asarray((span.max(axis=2) < 12) & (valid > 0))


def _by_channel(asked: NDArray[np.floating], seen: NDArray[np.floating]) -> Floats:
    """(10, 3): as `_fitted`, but each channel of the scan is explained by its own first.

    Of a design in two colours any channel would explain any other, and take its place along with it.
    """
    terms, seen = _terms(asked), np.asarray(seen, np.float64)
    out = np.zeros((10, 3))
    for channel in range(3):
        start = np.zeros(10)
        start[1 + channel] = 255
        hold = np.full(10, 2e-2)
        hold[[0, 1 + channel, 4 + channel]] = 1e-5, 1e-5, 1e-3
        hold *= len(terms)
        weight = np.ones(len(terms))
        found = start
        for _ in range(3):
            heavy = terms * weight[:, None]
            found = start + np.linalg.solve(
                heavy.T @ terms + np.diag(hold), heavy.T @ (seen[:, channel] - terms @ start)
            )
            weight = _trust((seen[:, channel] - terms @ found)[:, None])
        out[:, channel] = found
    return out


def _parted(squares: Floats, products: Floats) -> tuple[Floats, _Told]:
    """(where each channel lies against the map, the common part of that and what is each one's own)."""
    whole, right = np.zeros((8, 8)), np.zeros(8)
    for channel in range(3):
        way = np.zeros((2, 8))
        way[:, :2], way[:, 2 + 2 * channel : 4 + 2 * channel] = np.eye(2), -np.eye(2)
        whole += way.T @ squares[channel] @ way
        right += way.T @ products[channel]
    whole[2:, 2:] += np.eye(6) / _SHIFT_SD_PX**2
    whole[:2, :2] += np.eye(2) * 1e-2
    found, chance = np.linalg.solve(whole, right), np.linalg.inv(whole)
    own = found[2:].reshape(3, 2)
    apart = np.kron(np.eye(3) - 1 / 3, np.eye(2))  # against their middle
    sd = np.sqrt(np.diag(apart @ chance[2:, 2:] @ apart.T)).reshape(3, 2)
    common = found[:2] - own.mean(axis=0)
    return found[:2] - own, _Told(common, own - own.mean(axis=0), sd)


def _blur(reference: Rows, scan: Picture, lay: Lay, look: Look, weights: Floats | None) -> float | None:
    """By how much the scan is less sharp: whose blurring of the reference has as much fine detail in common with it."""
    shared, own = np.zeros(len(_BLURS)), np.zeros(len(_BLURS))
    power = 0.0
    for place in _liveliest(lay, scan, weights)[:3]:
        part = _part(reference, scan, lay, place, 1)
        if part is None:
            continue
        asked, seen, valid = part
        sharp = _fine(_brightness(asked, look, 1))
        there = _fine(np.asarray(cv2.transform(seen, look.of_scan[None]), np.float32))
        power += float((valid * sharp * sharp).sum())
        for k, sd in enumerate(_BLURS):
            blurred = cv2.GaussianBlur(sharp, (0, 0), sd) if sd else sharp
            shared[k] += float((valid * sharp * there).sum())
            own[k] += float((valid * sharp * blurred).sum())
    if power < 1e4:
        return None
    return float(np.interp(-shared[0] / power, -own / power, _BLURS))


def _fine(plane: Plane) -> Plane:
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), 0.7) - cv2.GaussianBlur(plane, (0, 0), 3.0), np.float32)


def _aside(rgb: Picture, by: Floats) -> Plane:
    """(H, W, 3) with every channel moved by its own (x, y) pixels."""
    moved = [
        cv2.warpAffine(
            channel.astype(np.float32), np.array([[1, 0, x], [0, 1, y]]), rgb.shape[1::-1],
            borderMode=cv2.BORDER_REPLICATE,
        )
        for channel, (x, y) in zip(cv2.split(rgb), by, strict=True)
    ]  # fmt: skip
    return np.asarray(cv2.merge(moved), np.float32)


def _liveliest(lay: Lay, scan: Picture, weights: Floats | None) -> list[tuple[int, int]]:
    """(block row, block column) of the parts with most to say, apart from each other."""
    shown = lay.shown(scan.shape[:2])
    rows, columns = shown.shape
    side = min(_CHANNEL_BLOCKS, rows, columns)
    value = np.where(shown, np.minimum(weights if weights is not None else 1.0, 1e4), 0.0)
    inside = np.array(lay.shape) // BLOCK_PX
    value[inside[0] :], value[:, inside[1] :] = 0, 0
    places = [
        (row, column)
        for row in range(0, rows - side + 1, max(1, min(side, (rows - side) or 1)))
        for column in range(0, columns - side + 1, max(1, min(side, (columns - side) or 1)))
    ]
    places.sort(key=lambda place: -float(value[place[0] : place[0] + side, place[1] : place[1] + side].sum()))
    return places[:_CHANNEL_TILES]


def _part(
    reference: Rows, scan: Picture, lay: Lay, place: tuple[int, int], scale: int
) -> tuple[Picture, Plane, Plane] | None:
    """(asked, seen, what of it is there) of one part, both small, lying on each other."""
    side = min(_CHANNEL_BLOCKS, *lay.nodes.shape[:2])
    window = _window(reference, scan, lay, place, (side, side), scale, cv2.INTER_CUBIC)
    if window is None or window[2].mean() < 0.3:
        return None
    asked, seen, inside = window
    inner = cv2.erode(inside.astype(np.float32), np.ones((5, 5)), borderValue=0)
    return asked, seen.astype(np.float32), np.asarray(inner, np.float32)


# ------------------------------------------------------------------------------------------------ what it says


def _agreement(moments: Floats) -> Agreement:
    """From the moments of blocks, over two by two of them: slow light is no design."""
    share = moments[..., 0]
    good = share > 0.9
    mean_a, mean_s = (moments[..., k] / np.maximum(share, 1e-3) for k in (1, 2))
    slow_a, slow_s = (_slow(each, good) for each in (mean_a, mean_s))
    a, s = mean_a - slow_a, mean_s - slow_s
    var_a = np.maximum(moments[..., 3] / np.maximum(share, 1e-3) - mean_a**2, 0) + a * a
    var_s = np.maximum(moments[..., 4] / np.maximum(share, 1e-3) - mean_s**2, 0) + s * s
    both = moments[..., 5] / np.maximum(share, 1e-3) - mean_a * mean_s + a * s
    var_a, var_s, both = (each[good] for each in (var_a, var_s, both))
    if not len(var_a):
        return Agreement(0.0, 0.0, 0.0, 0.0, False)
    lively = var_a > _TEXTURE**2
    whole = float(both.sum() / np.sqrt(var_a.sum() * var_s.sum() + 1e-9))
    alike = both[lively] / np.sqrt(var_a[lively] * var_s[lively] + 1e-9)
    weight = np.sqrt(var_a[lively])
    agreeing = float((weight * (alike > 0.5)).sum() / weight.sum()) if lively.any() else 0.0
    strangers = float(np.maximum(var_s - var_a, 0).mean() / (var_a.mean() + 1))
    return Agreement(whole, agreeing, strangers, float(lively.mean()), bool(np.sqrt(var_a.max()) < _TEXTURE))


def _slow(plane: Floats, good: NDArray[np.bool_]) -> Floats:
    weight = good.astype(np.float64)
    sums = [cv2.GaussianBlur(each, (0, 0), 6.0, borderType=cv2.BORDER_REFLECT_101) for each in (plane * weight, weight)]
    return np.asarray(sums[0] / np.maximum(sums[1], 1e-6))


def _facts(lay: Lay, asked: _Asked, agreement: Agreement, scan_px: tuple[int, ...], start: Start) -> Registration:
    shown = lay.shown((scan_px[0], scan_px[1]))
    squares = _matrices(asked.squares)
    hold = np.eye(2) / _BEND_SD_PX**2
    left = np.linalg.solve(squares + hold, asked.products[..., None])[..., 0]
    strength = np.linalg.eigvalsh(squares)
    sure = strength / (strength + 1 / _BEND_SD_PX**2)  # per direction: 1, it was measured; 0, it was taken for granted
    off = np.hypot(left[..., 0], left[..., 1]) * MM_PER_PX
    known = shown & (sure.max(axis=-1) > 0.5)
    confidence = sure.mean(axis=-1)
    across, along = _scales(lay)
    nominal = start.nominal
    shape = _shape_of(lay, shown)
    back = np.linalg.inv(lay.turn)
    bent = ((lay.nodes - lay.pose) @ back.T) * MM_PER_PX
    middles = _middles(lay.shape) * MM_PER_PX
    each = np.concatenate([middles[shown], bent[shown], confidence[shown][:, None]], axis=1).round(3)
    blocks = tuple(Block(*values) for values in each.tolist())
    return Registration(
        residual_mean_mm=float(off[known].mean()) if known.any() else 0.0,
        residual_p95_mm=float(np.percentile(off[known], 95)) if known.any() else 0.0,
        size_error_across_pct=100 * (across / nominal[0] - 1),
        size_error_along_pct=100 * (along / nominal[1] - 1),
        stretch_pct=_stretch(bent, shown),
        bow_mm=shape[0],
        skew_mm=shape[1],
        confidence=float(confidence[shown].mean()) if shown.any() else 0.0,
        blocks=blocks,
    )


def _straight(lay: Lay) -> Floats:
    """(2, 3): the straight map that is nearest to this one."""
    on = _middles(lay.shape).reshape(-1, 2)
    terms = np.concatenate([on, np.ones((len(on), 1))], axis=1)
    return np.asarray(np.linalg.lstsq(terms, lay.nodes.reshape(-1, 2).astype(np.float64), rcond=None)[0].T)


def _scales(lay: Lay) -> tuple[float, float]:
    matrix = _straight(lay)
    return float(np.hypot(*matrix[:, 0])), float(np.hypot(*matrix[:, 1]))


def _shape_of(lay: Lay, shown: NDArray[np.bool_]) -> tuple[float, float]:
    """(bow, skew) in mm: of the picks against a straight line, and against a right angle to the warp.

    It is the bow that the cloth has, wherever it comes from: uneven stretching bends picks as well.
    """
    matrix = _straight(lay)
    back = np.linalg.inv(matrix[:, :2])
    off = (lay.nodes.astype(np.float64) - matrix[:, 2]) @ back.T - _middles(lay.shape)
    rows, columns = lay.nodes.shape[:2]
    x, y = ((np.arange(count) + 0.5) / count * 2 - 1 for count in (columns, rows))
    x, y = np.meshgrid(x, y)
    some = shown if shown.sum() > 20 else np.ones_like(shown)
    # Along the roll, next to the bow: a straight line and what a camera that looks aslant makes of it.
    terms = np.stack([np.ones_like(x), x, y, x * y, y * y, 1 - x * x], axis=-1)[some]
    bow = float(np.linalg.lstsq(terms, off[..., 1][some], rcond=None)[0][-1])
    one, other = matrix[:, 0], matrix[:, 1]
    cosine = float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))
    return bow * MM_PER_PX, cosine * lay.shape[1] * MM_PER_PX


def _stretch(bent_mm: Floats, shown: NDArray[np.bool_]) -> float:
    """How much longer or shorter the cloth is locally than on the whole, in %."""
    side = BLOCK_PX * MM_PER_PX
    across = np.abs(np.diff(bent_mm[..., 0], axis=1))[shown[:, 1:] & shown[:, :-1]]
    along = np.abs(np.diff(bent_mm[..., 1], axis=0))[shown[1:] & shown[:-1]]
    both = np.concatenate([across, along])
    return float(100 * np.percentile(both, 95) / side) if len(both) else 0.0
