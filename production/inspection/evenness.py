"""What a scan ought to look like: the reference in the colours, the light, the place and the sharpness of the scan.

What is printed and photographed is never what was asked for, all over the cloth and in the same way: colours are a
little different, an ink lies half a pixel aside, edges are softer, a registration leaves a few hundredths of a
millimetre. None of this is a defect. It is measured on the scan itself, by least squares that defects hardly weigh in,
and taken away: of what was there at the edges of a design a fifth is left, and defects can be seen there too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from generation.domain.pattern import Layout, layout_tiling

Picture = NDArray[np.uint8]
Plane = NDArray[np.float32]


LEAST_PX = 64
_COARSE = 8
_COARSE_ROWS = 128
_BAND_ROWS = 128
_AROUND_PX = 12  # beside a pixel of the reference that what it ought to look like depends on
_SLOW_PX = 160  # over which the light may change: slower than any stain
_TILE_PX, _TILES = 448, 6
_MOST_SLIP_PX = 2.0
_SLIP_PX = 12.0  # sd over which a place is found: a registration errs alike within millimetres
_SLIP_AROUND_PX = 4  # beside a window of the scan that moving it by a slip reads
_DRAWN_PIXELS = 15_000  # of each tile
_FAR = (0.2, 0.1, 0.05, 0.02)  # of full light: what differs more is left out of a fit, step by step
_HOLD = 1e-5  # without edges there is nothing to find a place by: then it stays
_SUM = np.ones((1, 3), np.float32)
_NEXT_CHANNEL = np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0]], np.float32)


class Rows(Protocol):
    """A picture (H, W, 3) uint8 that need not be in memory: its windows are read by two slices."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    def __getitem__(self, window: tuple[slice, slice]) -> Picture: ...


class Repeated:
    """A length of cloth of a repeat in its layout, made window by window: as long as wanted, never whole in memory.

    top, left: where in the pattern it begins.
    """

    def __init__(self, tile: Picture, layout: Layout, height: int, width: int, *, top: int = 0, left: int = 0) -> None:
        across, along = layout.period
        period = layout_tiling(tile, layout, across, along).astype(np.uint8)
        self._period = np.roll(period, (-top, -left), axis=(0, 1))
        self.shape = (height, width, 3)

    def mapped(self, colours: Callable[[Picture], Picture], around_px: int) -> Repeated:
        """The same cloth with every window's colours changed by a function that looks `around_px` beside a pixel."""
        made = object.__new__(Repeated)
        wrapped = cast(Picture, cv2.copyMakeBorder(self._period, *(around_px,) * 4, cv2.BORDER_WRAP))
        inner = slice(around_px, -around_px or None)
        made._period, made.shape = np.ascontiguousarray(colours(wrapped)[inner, inner]), self.shape
        return made

    def __getitem__(self, window: tuple[slice, slice]) -> Picture:
        (first, last, _), (left, right, _) = (
            part.indices(size) for part, size in zip(window, self.shape, strict=False)
        )
        height, width = self._period.shape[:2]
        out = np.empty((max(0, last - first), max(0, right - left), 3), np.uint8)
        for y in range(-(first % height), len(out), height):
            for x in range(-(left % width), out.shape[1], width):
                room = out[max(0, y) : y + height, max(0, x) : x + width]
                at_y, at_x = max(0, -y), max(0, -x)
                room[:] = self._period[at_y : at_y + room.shape[0], at_x : at_x + room.shape[1]]
        return out


@dataclass(frozen=True)
class Evenness:
    """How the whole of a scan goes together with its reference."""

    terms: Plane  # (10, 3): from the terms of a reference's colour to the scan's colour, 0 to 1
    light: Plane  # (h, w, 3): the slow change of light, one point every _COARSE pixels
    shift: Plane  # (3, 2) px: by how much each channel of the print lies aside of the reference, (x, y)
    drawn: Plane  # (10 + 6, 3): what a pixel's colour and its surroundings add to it
    slip: Plane  # (h, w, 2) px: by how much the scan lies aside there, (x, y), one point every _COARSE pixels

    def asked(self, reference: Picture) -> Plane:
        """(H, W, 3) the reference as the scan ought to show it, 0 to 255."""
        flat = self.flat(reference)
        if not self.drawn.any():
            return flat
        out = flat.copy()
        _add_colours(out, flat, self.drawn[:10])
        for each, share in zip(_surroundings(flat), self.drawn[10:], strict=True):
            cv2.add(out, cv2.multiply(each, np.append(share, 0).astype(np.float64)), out)
        return out

    def flat(self, reference: Picture) -> Plane:
        """(H, W, 3) the same but for what a pixel's surroundings do to it."""
        rgb = reference.astype(np.float32)
        out = np.zeros_like(rgb)
        _add_colours(out, rgb, self.terms)
        return _moved(out, self.shift)

    def coloured(self, reference: Rows) -> Rows:
        """The whole reference as the scan ought to show it; of a repeat only the repeat is reckoned."""
        if isinstance(reference, Repeated):
            return reference.mapped(lambda picture: levels(self.asked(picture)), _AROUND_PX)
        out = np.empty(reference.shape, np.uint8)
        for top in range(0, len(out), _BAND_ROWS):
            first, last = max(0, top - _AROUND_PX), min(len(out), top + _BAND_ROWS + _AROUND_PX)
            band = levels(self.asked(reference[first:last, :]))
            out[top : top + _BAND_ROWS] = band[top - first :][:_BAND_ROWS]
        return out

    def seen(self, scan: Rows, rows: slice, columns: slice) -> Plane:
        """(H, W, 3) a window of the scan where it ought to lie and under even light, 0 to 255."""
        top, left = rows.start, columns.start
        size = columns.stop - left, rows.stop - top
        light = cv2.warpAffine(
            self.light, _to_coarse(top, left), size, flags=_OF_COARSE, borderMode=cv2.BORDER_REPLICATE
        )
        return cast(Plane, cv2.divide(self._placed(scan, rows, columns), light, dtype=cv2.CV_32F))

    def _placed(self, scan: Rows, rows: slice, columns: slice) -> Picture:
        if not self.slip.any():
            return scan[rows, columns]
        y0, x0 = max(0, rows.start - _SLIP_AROUND_PX), max(0, columns.start - _SLIP_AROUND_PX)
        around = scan[y0 : rows.stop + _SLIP_AROUND_PX, x0 : columns.stop + _SLIP_AROUND_PX]
        size = columns.stop - columns.start, rows.stop - rows.start
        where = cv2.warpAffine(
            self.slip, _to_coarse(rows.start, columns.start), size, flags=_OF_COARSE, borderMode=cv2.BORDER_REPLICATE
        )
        where[..., 0] += np.arange(columns.start - x0, columns.stop - x0, dtype=np.float32)
        where[..., 1] += np.arange(rows.start - y0, rows.stop - y0, dtype=np.float32)[:, None]
        return cast(Picture, cv2.remap(around, where, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE))  # type: ignore[call-overload]


_OF_COARSE = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP


def _to_coarse(top: int, left: int) -> NDArray[np.float64]:
    """From the pixels of a window to the points that stand for _COARSE of them each way."""
    return np.array([[1 / _COARSE, 0, (left + 0.5) / _COARSE - 0.5], [0, 1 / _COARSE, (top + 0.5) / _COARSE - 0.5]])


def _add_colours(out: Plane, rgb: Plane, terms: Plane) -> None:
    """Add what `terms` (10, 3) make of colours, all 0 to 255."""
    to = terms.T * 255  # (3, 10)
    cv2.add(out, cv2.transform(rgb, np.hstack([to[:, 1:4] / 255, to[:, :1]])), out)
    cv2.add(out, cv2.transform(cv2.multiply(rgb, rgb), to[:, 4:7] / 255**2), out)
    next_ = cv2.transform(rgb, _NEXT_CHANNEL)
    cv2.add(out, cv2.transform(cv2.multiply(rgb, next_), to[:, 7:10] / 255**2), out)


def _surroundings(rgb: Plane) -> tuple[Plane, ...]:
    """What the colours around a pixel (0 to 255) may do to it: soften, move, draw out, and darken where they differ."""
    near, wide = cv2.GaussianBlur(rgb, (7, 7), 0.8), cv2.GaussianBlur(rgb, (15, 15), 2.0)
    mean = cv2.GaussianBlur(rgb, (7, 7), 1.0)
    uneven = cv2.subtract(cv2.GaussianBlur(cv2.multiply(rgb, rgb), (7, 7), 1.0), cv2.multiply(mean, mean))
    slopes = (cv2.Sobel(rgb, -1, *way, scale=1 / 8) for way in ((1, 0), (0, 1)))
    bends = (cv2.Sobel(rgb, -1, *way, scale=1 / 4) for way in ((2, 0), (0, 2)))
    return cast(tuple[Plane, ...], (
        cv2.subtract(near, rgb), cv2.subtract(wide, rgb), *slopes, cv2.subtract(next(bends), next(bends)),
        cv2.multiply(uneven, 1 / 255),  # type: ignore[call-overload]
    ))  # fmt: skip


def evenness(reference: Rows, scan: Rows) -> Evenness:
    """Measure a scan against its reference (both (H, W, 3) uint8, lying alike); defects hardly weigh.

    Raises ValueError where the two differ in size, or are less than LEAST_PX a side.
    """
    if reference.shape != scan.shape or min(scan.shape[:2]) < LEAST_PX:
        raise ValueError(f"a reference of {reference.shape} and a scan of {scan.shape} can't be compared")
    asked, seen = _coarse(reference), _coarse(scan)
    light = np.ones_like(seen)
    terms = np.zeros((10, 3), np.float32)
    for _ in range(3):  # colours and light hang together: each is found with the other as it stands
        terms = _colour_fit(asked.reshape(-1, 3), (seen / light).reshape(-1, 3))
        made = (_terms(asked.reshape(-1, 3)) @ terms).reshape(seen.shape)
        light = _slow_light(made, seen)
    found = Evenness(
        terms, light, np.zeros((3, 2), np.float32), np.zeros((16, 3), np.float32),
        np.zeros((*light.shape[:2], 2), np.float32),
    )  # fmt: skip
    for _ in range(3):  # a linear step goes most of the way: after three a shift of two pixels is found
        found = replace(found, shift=found.shift + _further(found, reference, scan))
    found = replace(found, drawn=_drawn(found, reference, scan))
    found = replace(found, slip=_slip(found, reference, scan))
    return replace(found, drawn=_drawn(found, reference, scan))  # edges that lie right are sharper


def _windows(found: Evenness, reference: Rows, scan: Rows) -> Iterator[tuple[Picture, Plane]]:
    """(reference, the scan as it is seen there) in tiles that are spread over both."""
    height, width = scan.shape[:2]
    for top, left in tiles(scan.shape, _TILE_PX, _TILES):
        rows, columns = slice(top, min(top + _TILE_PX, height)), slice(left, min(left + _TILE_PX, width))
        yield reference[rows, columns], found.seen(scan, rows, columns)


def _drawn(found: Evenness, reference: Rows, scan: Rows) -> Plane:
    """(16, 3): by how much colours, and what is around them, still change every pixel; single yarns average out."""
    chance = np.random.default_rng(0)
    taken = []
    for asked, seen in _windows(found, reference, scan):
        flat = found.flat(asked)
        # By chance: a step would meet the design's.
        at = tuple(chance.integers(_AROUND_PX, size - _AROUND_PX, _DRAWN_PIXELS) for size in seen.shape[:2])
        taken.append(np.stack([seen[at], flat[at], *(each[at] for each in _surroundings(flat))]) / 255)
    seen, flat, *around = np.concatenate(taken, axis=1)
    colours, off = _terms(flat), seen - flat
    hold = np.diag([1e-4] * 4 + [1e-3] * 6 + [1e-5] * 6).astype(np.float32) * len(off)
    out = np.empty((16, 3), np.float32)
    for channel in range(3):
        made = np.column_stack([colours, *(each[:, channel] for each in around)])
        weight = np.ones(len(off), np.float32)
        for least in _FAR:
            weighted = made * weight[:, None]
            out[:, channel] = np.linalg.solve(weighted.T @ made + hold, weighted.T @ off[:, channel])
            left = np.abs(off[:, channel] - made @ out[:, channel])
            weight = 1 / (1 + (left / (3 * np.median(left) + least)) ** 2)
    return out


def _slip(found: Evenness, reference: Rows, scan: Rows) -> Plane:
    """(h, w, 2) px: where the scan still lies aside, by least squares at the design's edges around every place.

    B. D. Lucas, T. Kanade, IJCAI 1981; at half the resolution.
    """
    coloured, (height, width) = found.coloured(reference), scan.shape[:2]
    rows, columns = found.light.shape[:2]
    sums = np.zeros((rows, columns, 5), np.float32)
    for first in range(0, rows * _COARSE, _BAND_ROWS):
        last = min(first + _BAND_ROWS, rows * _COARSE)
        y0, y1 = max(0, first - 2 * _COARSE), min(height, last + 2 * _COARSE)
        both = coloured[y0:y1, 0:width], found.seen(scan, slice(y0, y1), slice(0, width))
        size = width // 2, (y1 - y0) // 2
        asked, seen = (
            cv2.GaussianBlur(cv2.resize(each, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255, (5, 5), 0.7)
            for each in both
        )
        off = cv2.subtract(seen, asked)
        weight = 1 / (1 + (np.abs(off).max(axis=2) * 8) ** 2)  # a defect is no slip
        across, along = (cv2.Sobel(asked, -1, *way, scale=1 / 8) for way in ((1, 0), (0, 1)))
        pairs = (across, across), (across, along), (along, along), (across, off), (along, off)
        planes = [cv2.multiply(cv2.transform(cv2.multiply(*pair), _SUM), weight) for pair in pairs]
        inner = np.s_[(first - y0) // 2 : (last - y0) // 2, : columns * _COARSE // 2]
        place = sums[first // _COARSE : last // _COARSE]
        for number, plane in enumerate(planes):
            place[..., number] = cv2.resize(plane[inner], place.shape[1::-1], interpolation=cv2.INTER_AREA)
    xx, xy, yy, xd, yd = (
        *cv2.split(cv2.GaussianBlur(sums[..., :4], (0, 0), _SLIP_PX / _COARSE)),
        *cv2.split(cv2.GaussianBlur(sums[..., 4], (0, 0), _SLIP_PX / _COARSE)),
    )
    xx, yy = xx + _HOLD, yy + _HOLD
    determinant = xx * yy - xy * xy
    slip = np.stack([xy * yd - yy * xd, xy * xd - xx * yd], axis=-1) / determinant[..., None]
    return cast(Plane, np.clip(2 * slip, -_MOST_SLIP_PX, _MOST_SLIP_PX).astype(np.float32))


def levels(values: Plane) -> Picture:
    return cast(Picture, cv2.multiply(values, 1.0, dtype=cv2.CV_8U))  # type: ignore[call-overload]


def _moved(rgb: Plane, shift: Plane) -> Plane:
    """Every channel moved by its own (x, y); what lies less than a twentieth of a pixel aside stays."""
    if np.abs(shift).max() < 0.05:
        return rgb
    channels = []
    for channel, (x, y) in zip(cv2.split(rgb), shift.tolist(), strict=True):
        by = np.array([[1, 0, x], [0, 1, y]])
        channels.append(cv2.warpAffine(channel, by, rgb.shape[1::-1], borderMode=cv2.BORDER_REPLICATE))
    return cast(Plane, cv2.merge(channels))


def _further(found: Evenness, reference: Rows, scan: Rows) -> Plane:
    """(3, 2): by how much more each channel has to be moved, by least squares at the design's edges."""
    squares, products, pixels = np.zeros((3, 2, 2)), np.zeros((3, 2)), 0
    for window, there in _windows(found, reference, scan):
        both = found.flat(window) / 255, there / 255
        asked, seen = (cv2.GaussianBlur(each, (0, 0), 1.0) for each in both)  # a step reaches as far as edges
        off = asked - seen
        weight = 1 / (1 + (off * 4) ** 2)  # a defect is no shift
        slopes = [cv2.Sobel(asked, -1, *way, scale=1 / 8) for way in ((1, 0), (0, 1))]
        inner = np.s_[2:-2, 2:-2]
        pixels += weight[..., 0].size
        for channel in range(3):
            one = np.stack([slope[inner][..., channel].ravel() for slope in slopes])  # (2, pixels)
            weighted = one * weight[inner][..., channel].ravel()
            squares[channel] += weighted @ one.T
            products[channel] += weighted @ off[inner][..., channel].ravel()
    # Without edges there is nothing to be moved by: `hold` then keeps a channel where it is.
    hold = np.eye(2) * 2e-6 * pixels
    return cast(Plane, np.clip(np.linalg.solve(squares + hold, products[..., None])[..., 0], -1, 1).astype(np.float32))


def tiles(shape: tuple[int, ...], side_px: int, most: int) -> list[tuple[int, int]]:
    """(top, left) of at most so many tiles that are spread over a scan."""
    down, across = max(1, shape[0] // side_px), max(1, shape[1] // side_px)
    places = [(row * side_px, column * side_px) for row in range(down) for column in range(across)]
    return places[:: -(-len(places) // most)]


def _coarse(picture: Rows) -> Plane:
    """(H / _COARSE, W / _COARSE, 3) 0 to 1: a picture by area, a few rows at a time."""
    height, width = picture.shape[0] // _COARSE, picture.shape[1] // _COARSE
    out = np.empty((height, width, 3), np.float32)
    for top in range(0, height, _COARSE_ROWS):
        rows = min(_COARSE_ROWS, height - top)
        block = picture[top * _COARSE : (top + rows) * _COARSE, : width * _COARSE]
        out[top : top + rows] = cv2.resize(block, (width, rows), interpolation=cv2.INTER_AREA)
    return cast(Plane, out / 255)


def _colour_fit(asked: Plane, seen: Plane) -> Plane:
    """(10, 3): the terms that make the scan's colours of the reference's, by least squares with outliers let go."""
    some = slice(None, None, max(1, len(asked) // 20_000))
    terms, target = _terms(asked[some]), seen[some]
    start = np.zeros((10, 3), np.float32)
    start[1:4] = np.eye(3)
    weight = np.ones(len(terms), np.float32)
    # A design of two colours says nothing of the others: they go as their neighbours go.
    hold = np.diag([1e-3, 1e-3, 1e-3, 1e-3, 2e-2, 2e-2, 2e-2, 2e-2, 2e-2, 2e-2]).astype(np.float32) * len(terms)
    found = start
    for _ in range(5):
        weighted = terms * weight[:, None]
        found = start + np.linalg.solve(weighted.T @ terms + hold, weighted.T @ (target - terms @ start))
        off = np.abs(target - terms @ found).max(axis=1)
        square = (off / (2 * np.median(off) + 0.004)) ** 2
        weight = 1 / (1 + square * square)
    return found.astype(np.float32)


def _slow_light(made: Plane, seen: Plane) -> Plane:
    ratio = cast(Plane, np.clip(seen, 0.02, 1) / np.clip(made, 0.02, 1))
    ratio = cast(Plane, np.clip(ratio / np.median(ratio, axis=(0, 1)), 0.6, 1.6) * np.median(ratio, axis=(0, 1)))
    middle = np.median(np.abs(ratio - 1), axis=(0, 1)) + 0.01
    # Bright places say more of the light than dark ones.
    weight = cast(Plane, np.clip(made, 0.05, 1) / (1 + (np.abs(ratio - 1) / (3 * middle)) ** 2))
    sd = _SLOW_PX / _COARSE
    # A mean of what lies around is no light at the edge of a scan, where it has all of it on one side.
    fall = _polynomial(ratio, weight)
    blur = [cv2.GaussianBlur(each, (0, 0), sd) for each in ((ratio - fall) * weight, weight)]
    return np.asarray(fall + blur[0] / blur[1], np.float32)


def _polynomial(values: Plane, weight: Plane) -> Plane:
    """The surface of third order through values (H, W, 3), by least squares."""
    x, y = (np.linspace(-1, 1, size, dtype=np.float32) for size in values.shape[1::-1])
    terms = [(i, j) for i in range(4) for j in range(4 - i)]
    some = np.s_[:: max(1, len(y) // 128), :: max(1, len(x) // 128)]
    made = np.stack([np.outer(y[some[0]] ** j, x[some[1]] ** i).ravel() for i, j in terms], axis=1)
    out = np.empty_like(values)
    for channel in range(3):
        weighted = made * weight[some][..., channel].reshape(-1, 1)
        found = np.linalg.solve(
            weighted.T @ made + 1e-6 * np.eye(len(terms)), weighted.T @ values[some][..., channel].ravel()
        )
        by_row = np.zeros((len(y), 4), np.float32)  # of each power of x
        for (i, j), share in zip(terms, found, strict=True):
            by_row[:, i] += y**j * np.float32(share)
        out[..., channel] = by_row @ np.stack([x**i for i in range(4)])
    return out


def _terms(rgb: Plane) -> Plane:
    """(N, 10): one, the three channels, their squares and products."""
    red, green, blue = rgb[:, 0], rgb[:, 1], rgb[:, 2]
    out = np.empty((len(rgb), 10), np.float32)
    out[:, 0] = 1
    out[:, 1:4] = rgb
    np.multiply(rgb, rgb, out=out[:, 4:7])
    np.multiply(red, green, out=out[:, 7])
    np.multiply(green, blue, out=out[:, 8])
    np.multiply(blue, red, out=out[:, 9])
    return out
