"""What a detector looks at: reference and scan in the same colours, how they differ, and how they differ along lines.

A line of one pixel that is a tenth lighter is lost in the light of single yarns, but not in the mean of two hundred of
them: so differences are also averaged along rows and along columns, over 20, 50 and 150 mm, with little weight where
the design has an edge, and counted in multiples of what sound cloth of this kind shows.

Everything that is known of every pixel is kept in 8 bits, and what is averaged in single precision: on a processor
without more, a square metre at 100 dpi is looked at in about two seconds.
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
Features = NDArray[np.int8]


class Rows(Protocol):
    """A picture (H, W, 3) uint8 that need not be in memory: its windows are read by two slices."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    def __getitem__(self, window: tuple[slice, slice]) -> Picture: ...


LINES_PX = (79, 197, 591)  # 20, 50 and 150 mm, odd
ACROSS_PX = 49  # what is slower than this across a line is no line
CHANNELS = 36 + 12 * len(LINES_PX)
UNIT = 16  # of an 8-bit feature: one sd of sound cloth
LEAST_PX = 64
STEP_PX = 32  # sides of what the network is asked are multiples of this: it halves them four times, from every other
_ALONG = (4, 16, 16)  # pixels along a line that are taken together, for each length
_COARSE = 8
_COARSE_ROWS = 128
_BAND_ROWS = 128
_EDGE_ROWS = 4  # beside a band, that the surroundings of its pixels reach into
_SLOW_PX = 160  # over which the light may change: slower than any stain
_TILE_PX, _TILES = 448, 6
_NOISE_PX, _NOISE_TILES = 1280, 4
_EDGE = 0.03  # of full light: a design that changes as much within two pixels is an edge
_TWO = np.dtype("V6")  # two pixels of three values, moved as one
_NEXT_CHANNEL = np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0]], np.float32)
# sRGB values to lightness, red against green, yellow against blue
OPPONENT = np.array([[0.3, 0.6, 0.1], [0.7, -0.7, 0.0], [0.35, 0.35, -0.7]], np.float32)
_WEIGHT = (1 / (1 + (np.arange(256, dtype=np.float32) / 255 / _EDGE) ** 2)).reshape(1, 256)


class Repeated:
    """A length of cloth of a repeat in its layout, made window by window: as long as wanted, never whole in memory."""

    def __init__(self, tile: Picture, layout: Layout, height: int, width: int) -> None:
        across, along = layout.period
        self._period = np.ascontiguousarray(layout_tiling(tile, layout, across, along).astype(np.uint8))
        self.shape = (height, width, 3)

    def mapped(self, colours: Callable[[Picture], Picture], around_px: int) -> Repeated:
        """The same cloth with every window's colours changed by a function that looks `around_px` beside a pixel."""
        made = object.__new__(Repeated)
        wrapped = cv2.copyMakeBorder(self._period, *[around_px] * 4, cv2.BORDER_WRAP)
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
    """How a scan's colours go together with its reference's, and how much its sound cloth differs from it."""

    terms: Plane  # (10, 3): from the terms of a reference's colour to the scan's colour, 0 to 1
    light: Plane  # (h, w, 3): the slow change of light, one point every _COARSE pixels
    shift: Plane  # (3, 2) px: by how much each channel of the print lies aside of the reference, (x, y)
    point: Plane  # (3,): sd of the difference of single pixels away from edges, in levels of 8 bits
    lines: Plane  # (directions, lengths, 3): sd of the means along lines

    def asked(self, reference: Picture) -> Plane:
        """(H, W, 3) the reference's colours as the scan has them, 0 to 255."""
        rgb = reference.astype(np.float32)
        to = self.terms.T * 255  # (3, 10)
        out = cv2.transform(rgb, np.hstack([to[:, 1:4] / 255, to[:, :1]]))
        cv2.add(out, cv2.transform(cv2.multiply(rgb, rgb), to[:, 4:7] / 255**2), out)
        next_ = cv2.transform(rgb, _NEXT_CHANNEL)
        cv2.add(out, cv2.transform(cv2.multiply(rgb, next_), to[:, 7:10] / 255**2), out)
        return _moved(out, self.shift)

    def coloured(self, reference: Rows) -> Rows:
        """The whole reference in the scan's colours; of a repeat only the repeat is reckoned."""
        if isinstance(reference, Repeated):
            return reference.mapped(lambda picture: _levels(self.asked(picture)), 8)
        out = np.empty(reference.shape, np.uint8)
        for top in range(0, len(out), _BAND_ROWS):
            first, last = max(0, top - 8), min(len(out), top + _BAND_ROWS + 8)
            band = _levels(self.asked(reference[first:last, :]))
            out[top : top + _BAND_ROWS] = band[top - first :][:_BAND_ROWS]
        return out

    def seen(self, scan: Picture, top: int, left: int) -> Plane:
        """(H, W, 3) the colours of a window of the scan under even light, 0 to 255; (top, left): where it lies."""
        height, width = scan.shape[:2]
        to_coarse = np.array(
            [[1 / _COARSE, 0, (left + 0.5) / _COARSE - 0.5], [0, 1 / _COARSE, (top + 0.5) / _COARSE - 0.5]]
        )
        light = cv2.warpAffine(
            self.light, to_coarse, (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        return cast(Plane, cv2.divide(scan, light, dtype=cv2.CV_32F))


def _levels(values: Plane) -> Picture:
    return cast(Picture, cv2.multiply(values, 1.0, dtype=cv2.CV_8U))


def _signed(values: NDArray) -> Features:
    return cast(Features, cv2.multiply(values, 1.0, dtype=cv2.CV_8S))


def _moved(rgb: Plane, shift: Plane) -> Plane:
    """Every channel moved by its own (x, y); what lies less than a twentieth of a pixel aside stays."""
    if np.abs(shift).max() < 0.05:
        return rgb
    channels = []
    for channel, (x, y) in zip(cv2.split(rgb), shift.tolist(), strict=True):
        by = np.array([[1, 0, x], [0, 1, y]])
        channels.append(cv2.warpAffine(channel, by, rgb.shape[1::-1], borderMode=cv2.BORDER_REPLICATE))
    return cv2.merge(channels)


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
    still, ones = np.zeros((3, 2), np.float32), np.ones((2, len(LINES_PX), 3), np.float32)
    found = Evenness(terms, light, still, np.ones(3, np.float32), ones)
    for _ in range(3):  # a linear step goes most of the way: after three a shift of two pixels is found
        found = replace(found, shift=found.shift + _further(found, reference, scan))
    return _with_noise(found, reference, scan)


def _further(found: Evenness, reference: Rows, scan: Rows) -> Plane:
    """(3, 2): by how much more each channel has to be moved, by least squares at the design's edges."""
    squares, products, places = np.zeros((3, 2, 2)), np.zeros((3, 2)), _tiles(scan.shape, _TILE_PX, _TILES)
    for top, left in places:
        window = np.s_[top : top + _TILE_PX, left : left + _TILE_PX]
        both = found.asked(reference[window]) / 255, found.seen(scan[window], top, left) / 255
        asked, seen = (cv2.GaussianBlur(each, (0, 0), 1.0) for each in both)  # a step reaches as far as edges
        off = asked - seen
        weight = 1 / (1 + (off * 4) ** 2)  # a defect is no shift
        slopes = [cv2.Sobel(asked, -1, *way, scale=1 / 8) for way in ((1, 0), (0, 1))]
        inner = np.s_[2:-2, 2:-2]
        for channel in range(3):
            one = np.stack([slope[inner][..., channel].ravel() for slope in slopes])  # (2, pixels)
            weighted = one * weight[inner][..., channel].ravel()
            squares[channel] += weighted @ one.T
            products[channel] += weighted @ off[inner][..., channel].ravel()
    # Without edges there is nothing to be moved by: `hold` then keeps a channel where it is.
    hold = np.eye(2) * 2e-6 * _TILE_PX**2 * len(places)
    return np.clip(np.linalg.solve(squares + hold, products[..., None])[..., 0], -1, 1).astype(np.float32)


def _tiles(shape: tuple[int, ...], side_px: int, most: int) -> list[tuple[int, int]]:
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
    return out / 255


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
    ratio = np.clip(seen, 0.02, 1) / np.clip(made, 0.02, 1)
    ratio = np.clip(ratio / np.median(ratio, axis=(0, 1)), 0.6, 1.6) * np.median(ratio, axis=(0, 1))
    middle = np.median(np.abs(ratio - 1), axis=(0, 1)) + 0.01
    # Bright places say more of the light than dark ones.
    weight = np.clip(made, 0.05, 1) / (1 + (np.abs(ratio - 1) / (3 * middle)) ** 2)
    sd = _SLOW_PX / _COARSE
    blur = [cv2.GaussianBlur(each, (0, 0), sd, borderType=cv2.BORDER_REFLECT_101) for each in (ratio * weight, weight)]
    return np.asarray(blur[0] / blur[1], np.float32)


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


def _with_noise(found: Evenness, reference: Rows, scan: Rows) -> Evenness:
    """The same with the noise of sound cloth, from tiles spread over the scan: quarters of it may be defects."""
    point, lines = [], []
    for top, left in _tiles(scan.shape, _NOISE_PX, _NOISE_TILES):
        window = np.s_[top : top + _NOISE_PX, left : left + _NOISE_PX]
        asked, seen = _whole_steps(reference[window]), _whole_steps(scan[window])
        even = found.seen(seen, top, left)
        asked = _levels(found.asked(asked))
        difference = cv2.transform(cv2.subtract(even, asked, dtype=cv2.CV_32F), OPPONENT)
        flat = _weights(*_surroundings(asked)) > 0.5
        if flat.mean() > 0.02:
            point.append(_spread(difference[flat]))
        short = _short(asked, even, _weights(*_surroundings(asked)))
        lines.append(
            [
                [
                    _spread(_line_mean(short[direction], direction, k, OPPONENT).reshape(-1, 3))
                    for k in range(len(LINES_PX))
                ]
                for direction in (0, 1)
            ]
        )
    least = np.float32(0.5)
    return replace(
        found,
        point=np.maximum(np.median(point, axis=0) if point else np.full(3, 8), least).astype(np.float32),
        lines=np.maximum(np.median(np.array(lines), axis=0), least / 4).astype(np.float32),
    )


def _spread(values: Plane) -> Plane:
    """(3,) sd of the middle of the values: half of them may be anything."""
    some = values[:: max(1, len(values) // 30_000)]
    return np.asarray(np.median(np.abs(some - np.median(some, axis=0)), axis=0) * 1.4826, np.float32)


def _surroundings(asked: Picture) -> tuple[Picture, Picture]:
    """The darkest and the lightest that a reference shows within a pixel's distance."""
    around = np.ones((3, 3), np.uint8)
    return cv2.erode(asked, around), cv2.dilate(asked, around)


def _weights(low: Picture, high: Picture) -> Plane:
    """(H, W): 1 in flat places, towards 0 at edges."""
    edge = cv2.transform(cv2.subtract(high, low), np.full((1, 3), 1 / 3, np.float32))
    return cast(Plane, cv2.LUT(cv2.dilate(edge, np.ones((3, 3), np.uint8)), _WEIGHT))


def _short(asked: Picture, seen: Plane, weight: Plane) -> tuple[Plane, Plane]:
    """(4, H, W / step), (4, H / step, W): weighted differences and weights, a few pixels of a line taken together."""
    planes = [cv2.multiply(each, weight) for each in cv2.split(cv2.subtract(seen, asked, dtype=cv2.CV_32F))] + [weight]
    height, width = weight.shape
    sizes = (width // _ALONG[0], height), (width, height // _ALONG[0])
    along_rows, along_columns = (
        np.stack([cv2.resize(each, size, interpolation=cv2.INTER_AREA) for each in planes]) for size in sizes
    )
    return along_rows, along_columns


def _line_mean(short: Plane, direction: int, number: int, axes: Plane) -> Plane:
    """Mean difference along lines of one length, less that of the lines around, along `axes` of sRGB.

    Along rows (H, W / step, 3), along columns (H / step, W, 3): nothing changes quickly along a line.
    """
    step, length = _ALONG[number], LINES_PX[number]
    size = [short.shape[2], short.shape[1]]
    size[direction] = size[direction] * _ALONG[0] // step
    steps = length // step | 1
    box, across = ((steps, 1), (1, ACROSS_PX)) if direction == 0 else ((1, steps), (ACROSS_PX, 1))
    *summed, weight = (
        cv2.blur(cv2.resize(each, tuple(size), interpolation=cv2.INTER_AREA), box, borderType=cv2.BORDER_REFLECT_101)
        for each in short
    )
    weight = cv2.add(weight, 0.05)
    mean = cv2.transform(cv2.merge([cv2.divide(each, weight) for each in summed]), axes)
    return cast(Plane, cv2.subtract(mean, cv2.blur(mean, across, borderType=cv2.BORDER_REFLECT_101)))


def _per_sd(noise: Plane) -> Plane:
    """(3, 3) from sRGB to opponent colours in units of an 8-bit feature."""
    return np.asarray(OPPONENT * (UNIT / noise)[:, None], np.float32)


@dataclass
class _Strip:
    """What is known of some rows of a scan."""

    features: Features  # (h / 2, w / 2, CHANNELS); the line means are filled in later
    along_rows: Plane  # (4, h, w / 4)
    along_columns: Plane  # (4, h / 4, w)

    def from_row(self, row: int) -> _Strip:
        """What is below a row."""
        return _Strip(self.features[row // 2 :], self.along_rows[:, row:], self.along_columns[:, row // _ALONG[0] :])

    def with_more(self, below: _Strip) -> _Strip:
        """And what comes below it."""
        if not len(self.features):
            return below
        return _Strip(
            np.concatenate([self.features, below.features]),
            np.concatenate([self.along_rows, below.along_rows], axis=1),
            np.concatenate([self.along_columns, below.along_columns], axis=1),
        )


def features(asked: Picture, scan: Picture, even: Evenness) -> Features:
    """(H / 2, W / 2, CHANNELS) of a whole picture, filled up to whole steps.

    asked: the reference in the scan's colours. Four pixels each of reference, scan and difference outside the
    reference's surroundings; then two each of the line means, which do not change along their lines.
    """
    ((_, _, _, made),) = strips(asked, scan, even, rows=len(scan) + STEP_PX)
    return made


def strips(
    asked: Rows, scan: Rows, even: Evenness, *, rows: int, around: int = 0
) -> Iterator[tuple[int, int, int, Features]]:
    """(first row, last row, row at which the features begin, features) of strips of a scan, of its whole width.

    rows, around: of a strip, and of cloth above and below that its features reach over; multiples of STEP_PX.
    The right and the lower side are filled up to whole steps, by mirroring.
    """
    height = -(-scan.shape[0] // STEP_PX) * STEP_PX
    reach = _reach(2)
    kept, done, begins = _look(asked, scan, even, 0, 0), 0, 0
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        first, last = max(0, top - around), min(height, bottom + around)
        begin, end = max(0, first - reach), min(height, last + reach)
        kept = kept.from_row(begin - begins).with_more(_look(asked, scan, even, done, end))
        done, begins = end, begin
        yield top, bottom, first, _with_lines(kept, even, slice(first - begin, last - begin))


def _reach(number: int) -> int:
    """Of cloth beside a row that its line means depend on: whole steps."""
    return -(-(LINES_PX[number] // 2 + ACROSS_PX // 2 + 16) // STEP_PX) * STEP_PX


def _look(asked: Rows, scan: Rows, even: Evenness, top: int, bottom: int) -> _Strip:
    """The rows from `top` to `bottom`; what is held between two steps stays in the processor's cache."""
    width = -(-scan.shape[1] // STEP_PX) * STEP_PX
    height = bottom - top
    made = _Strip(
        np.empty((height // 2, width // 2, CHANNELS), np.int8),
        np.empty((4, height, width // _ALONG[0]), np.float32),
        np.empty((4, height // _ALONG[0], width), np.float32),
    )
    places = made.features.view(_TWO)
    to_units = _per_sd(even.point)
    for first in range(top, bottom, _BAND_ROWS):
        last = min(first + _BAND_ROWS, bottom)
        y0, y1 = max(0, first - _EDGE_ROWS), last + _EDGE_ROWS
        wanted = slice(first - y0, last - y0)
        reference, cloth = _read(asked, y0, y1, width), _read(scan, y0, y1, width)
        low, high = _surroundings(reference)
        weight = _weights(low, high)[wanted]
        reference, low, high = reference[wanted], low[wanted], high[wanted]
        light = even.seen(cloth[wanted], first, 0)
        seen = _levels(light)
        outside = cv2.subtract(seen, cv2.min(cv2.max(seen, low), high), dtype=cv2.CV_16S)
        here = slice(first - top, last - top)
        short = _short(reference, light, weight)
        made.along_rows[:, here], made.along_columns[:, here.start // _ALONG[0] : here.stop // _ALONG[0]] = short
        part = slice(here.start // 2, here.stop // 2)
        for number, each in enumerate((reference ^ 128, seen ^ 128, _signed(cv2.transform(outside, to_units)))):
            twos = np.ascontiguousarray(each).reshape(-1, 2, width // 2, 6).view(_TWO)[..., 0]
            places[part, :, 2 * number], places[part, :, 2 * number + 1] = twos[:, 0], twos[:, 1]
    return made


def _read(picture: Rows, first: int, last: int, width: int) -> Picture:
    """Some rows, filled up below and on the right by mirroring."""
    part = picture[first : min(last, picture.shape[0]), 0 : picture.shape[1]]
    below, right = last - first - len(part), width - part.shape[1]
    if not below and not right:
        return part
    return cast(Picture, cv2.copyMakeBorder(part, 0, below, 0, right, cv2.BORDER_REFLECT_101))


def _with_lines(strip: _Strip, even: Evenness, rows: slice) -> Features:
    """The features of some of its rows, with the line means that all of its rows allow."""
    out = strip.features[rows.start // 2 : rows.stop // 2]
    places = out.view(_TWO)
    height = strip.along_rows.shape[1]
    for direction, short in enumerate((strip.along_rows, strip.along_columns)):
        for number in range(len(LINES_PX)):
            reach = STEP_PX if direction == 0 else _reach(number)
            first, last = max(0, rows.start - reach), min(height, rows.stop + reach)
            taken, made = (1, 1) if direction == 0 else (_ALONG[0], _ALONG[number])
            part = short[:, first // taken : last // taken]
            mean = _line_mean(part, direction, number, _per_sd(even.lines[direction, number]))
            wanted = _signed(mean[(rows.start - first) // made : (rows.stop - first) // made])
            _spread_out(wanted, places[..., 6 + direction * len(LINES_PX) + number], direction)
    return out


def _spread_out(mean: Features, room: NDArray[np.void], direction: int) -> None:
    """Two lines at a time, and each of their values over the pixels that were taken together."""
    height, width = room.shape
    if direction == 0:
        two = mean.reshape(height, 2, -1, 3).transpose(0, 2, 1, 3).reshape(height, -1, 6).view(_TWO)[..., 0]
        room[:] = np.repeat(two, width // two.shape[1], axis=1)
        return
    two = mean.reshape(-1, width, 6).view(_TWO)[..., 0]
    room[:] = np.repeat(two, height // two.shape[0], axis=0)


def _whole_steps(picture: Picture) -> Picture:
    """A window filled up on its right and below to whole steps of the network, by mirroring."""
    height, width = picture.shape[:2]
    down, across = -height % STEP_PX, -width % STEP_PX
    if not down and not across:
        return np.ascontiguousarray(picture)
    return cast(Picture, cv2.copyMakeBorder(picture, 0, down, 0, across, cv2.BORDER_REFLECT_101))
