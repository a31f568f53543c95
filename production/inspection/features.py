"""What a detector looks at: reference and scan as they ought to be alike, how they differ, and how along lines.

A line of one pixel that is a tenth lighter is lost in the light of single yarns, but not in the mean of two hundred of
them: so differences are also averaged along rows and along columns, over 20, 75 and 300 mm. A faint band is a few
picks wide, and single picks differ more than it does: so the longest means are also taken a few threads together. All
are counted in multiples of what sound cloth of this scan shows: single pixels by how sharp the design's edge is there,
lines and bands by how much of them lies away from edges. So an edge is no alarm, and a defect that crosses one is still
seen.

Everything that is known of every pixel is kept in 8 bits, and what is averaged in single precision.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from production.inspection.evenness import Evenness, Picture, Plane, Rows, levels, tiles

Features = NDArray[np.int8]


LINES_PX = (79, 295, 1181)  # 20, 75 and 300 mm, odd
ACROSS_PX = 49  # what is slower than this across a line is no line
BANDS_PX = (1.6, 3.5)  # sd of what is taken together across the longest lines: a bell of 1 and of 2 mm
BESIDE_PX = 73  # what is slower than this across a band is no band
CHANNELS = 36 + 12 * len(LINES_PX) + 6 * len(BANDS_PX)
UNIT = 16  # of an 8-bit feature: one sd of sound cloth
STEP_PX = 32  # sides of what the network is asked are multiples of this: it halves them four times, from every other
_ALONG = (4, 16, 16)  # pixels along a line that are taken together, for each length
_BAND_ROWS = 128
_EDGE_ROWS = 4  # beside a band, that the surroundings of its pixels reach into
_BORDER_PX = 3
_NOISE_PX, _NOISE_TILES, _SAMPLE = 1024, 4, 120_000
_EDGES = (0, 3, 6, 10, 15, 22, 32, 48, 70, 100, 140)  # of a reference, in levels of 8 bits
_WEIGHED = (0, 5, 10, 20, 40, 80, 140, 220)  # of all that a line could weigh, in parts of 255
_LEAST_PIXELS = 300
_LEAST_SD = np.float32(0.125)
_TWO = np.dtype("V6")  # two pixels of three values, moved as one
# sRGB values to lightness, red against green, yellow against blue
OPPONENT = np.array([[0.3, 0.6, 0.1], [0.7, -0.7, 0.0], [0.35, 0.35, -0.7]], np.float32)


def _signed(values: Plane) -> Features:
    return cast(Features, cv2.multiply(values, 1.0, dtype=cv2.CV_8S))  # type: ignore[call-overload]


@dataclass(frozen=True)
class Noise:
    """By how much sound cloth differs from what it ought to look like, in opponent colours of 8 bits."""

    pixels: Plane  # (256, 3): sd of single pixels, by how much the reference changes around them
    lines: Plane  # (directions, lengths, 256, 3): sd of the means along lines, by how much was weighed in them
    bands: Plane  # (directions, widths, 256, 3): likewise of those of bands

    def weights(self) -> Plane:
        """(1, 256): how much a pixel says of its line, 1 in flat places."""
        return np.asarray(((self.pixels[:1] / self.pixels).clip(max=1) ** 2).mean(axis=1)[None], np.float32)


def noise(asked: Rows, scan: Rows, even: Evenness) -> Noise:
    """Of tiles spread over the scan; a fifth of their pixels, and half of their lines, may be defects."""
    height, width = scan.shape[:2]
    by_edge: list[list[Plane]] = [[] for _ in _EDGES]
    windows = []
    for top, left in tiles(scan.shape, _NOISE_PX, _NOISE_TILES):
        rows, columns = slice(top, min(top + _NOISE_PX, height)), slice(left, min(left + _NOISE_PX, width))
        wanted, seen = (
            _filled(each, _up(rows.stop - top), _up(columns.stop - left))
            for each in (asked[rows, columns], even.seen(scan, rows, columns))
        )
        edges = _edges(wanted)
        windows.append((wanted, seen, edges))
        off = cast(Plane, cv2.transform(cv2.subtract(seen, wanted, dtype=cv2.CV_32F), OPPONENT))
        _sort(off, edges, _EDGES, by_edge)
    pixels = _by_level(_EDGES, by_edge, 0.8)
    weights = Noise(pixels, pixels, pixels).weights()
    means = len(LINES_PX) + len(BANDS_PX)
    by_weight: dict[int, list[list[list[Plane]]]] = {
        way: [[[] for _ in _WEIGHED] for _ in range(means)] for way in (0, 1)
    }
    for wanted, seen, edges in windows:
        short = _short(wanted, seen, cast(Plane, cv2.LUT(edges, weights)))
        for way, there in by_weight.items():
            along = [_along(short[way], way, number) for number in range(len(LINES_PX))]
            lines = (_less_around(each, way, ACROSS_PX) for each in along)
            for (mean, weighed), into in zip((*lines, *_band_means(along[-1], way)), there, strict=True):
                _sort(mean, weighed, _WEIGHED, into)
    sd = np.array([[_by_level(_WEIGHED, each, 0.7) for each in by_weight[way]] for way in (0, 1)], np.float32)
    return Noise(pixels, sd[:, : len(LINES_PX)], sd[:, len(LINES_PX) :])


def _sort(off: Plane, of: Picture, levels_: tuple[int, ...], into: list[list[Plane]]) -> None:
    """Put some of the differences (H, W, 3) to the level that `of` (H, W) has reached."""
    some = np.random.default_rng(0).integers(0, of.size, _SAMPLE)  # a step would meet the design's
    number = np.searchsorted(levels_, of.ravel()[some], side="right") - 1
    there = off.reshape(-1, 3)[some]
    for level, found in enumerate(into):
        found.append(there[number == level])


def _by_level(levels_: tuple[int, ...], found: list[list[Plane]], share: float) -> Plane:
    """(256, 3) sd of differences that were found at some levels, so many of them sound; between by interpolation."""
    off = [np.concatenate(each) for each in found]
    there = [number for number, each in enumerate(off) if len(each) >= _LEAST_PIXELS]
    if not there:
        return np.full((256, 3), 8, np.float32)
    sd = np.array([np.quantile(np.abs(off[number]), share, axis=0) for number in there]) / NormalDist().inv_cdf(
        (1 + share) / 2
    )
    made = [np.interp(np.arange(256), np.array(levels_)[there], sd[:, axis]) for axis in range(3)]
    return np.maximum(np.stack(made, axis=1), _LEAST_SD).astype(np.float32)


def _edges(asked: Picture) -> Picture:
    """(H, W): by how much the reference changes within two pixels, 0 to 255."""
    around = np.ones((3, 3), np.uint8)
    steps = cv2.subtract(cv2.dilate(asked, around), cv2.erode(asked, around))
    return cast(Picture, cv2.dilate(cv2.transform(steps, np.full((1, 3), 1 / 3, np.float32)), around))


def _blur_border(edges: Picture, rows: slice, shape: tuple[int, ...]) -> None:
    """Call the outermost pixels of a scan the sharpest of edges: how the design goes on beside them is not known."""
    edges[: max(0, _BORDER_PX - rows.start)] = 255
    edges[max(0, shape[0] - _BORDER_PX - rows.start) :] = 255
    edges[:, :_BORDER_PX] = 255
    edges[:, shape[1] - _BORDER_PX :] = 255


def _short(asked: Picture, seen: Plane, weight: Plane) -> tuple[Plane, Plane]:
    """(4, H, W / step), (4, H / step, W): weighted differences and weights, a few pixels of a line taken together."""
    planes = [cv2.multiply(each, weight) for each in cv2.split(cv2.subtract(seen, asked, dtype=cv2.CV_32F))] + [weight]
    height, width = weight.shape
    sizes = (width // _ALONG[0], height), (width, height // _ALONG[0])
    along_rows, along_columns = (
        cast(Plane, np.stack([cv2.resize(each, size, interpolation=cv2.INTER_AREA) for each in planes]))
        for size in sizes
    )
    return along_rows, along_columns


def _band_means(longest: list[Plane], direction: int) -> Iterator[tuple[Plane, Picture]]:
    """For every width the mean difference along the longest lines, a bell of them together, as `_less_around` gives it.

    Along rows (H / 2, W / step, 3), along columns (H / step, W / 2, 3): nothing changes quickly across either.
    """
    for sd in BANDS_PX:
        reach = 2 * round(3 * sd) + 1
        kernel = (1, reach) if direction == 0 else (reach, 1)
        together = [
            cast(Plane, cv2.GaussianBlur(each, kernel, sd, borderType=cv2.BORDER_REFLECT_101)) for each in longest
        ]
        mean, weighed = _less_around(together, direction, BESIDE_PX)
        height, width = weighed.shape
        size = (width, height // 2) if direction == 0 else (width // 2, height)
        yield (
            cast(Plane, cv2.resize(mean, size, interpolation=cv2.INTER_AREA)),
            cast(Picture, cv2.resize(weighed, size, interpolation=cv2.INTER_AREA)),
        )


def _along(short: Plane, direction: int, number: int) -> list[Plane]:
    """Weighted differences of the three channels, and weights, each averaged along lines of one length.

    Along rows (H, W / step), along columns (H / step, W): nothing changes quickly along a line.
    """
    step, length = _ALONG[number], LINES_PX[number]
    size = [short.shape[2], short.shape[1]]
    size[direction] = size[direction] * _ALONG[0] // step
    steps = length // step | 1
    box = (steps, 1) if direction == 0 else (1, steps)
    return [
        cv2.blur(cv2.resize(each, tuple(size), interpolation=cv2.INTER_AREA), box, borderType=cv2.BORDER_REFLECT_101)
        for each in short
    ]


def _less_around(along: list[Plane], direction: int, around_px: int) -> tuple[Plane, Picture]:
    """Mean differences (h, w, 3) in opponent colours, less those of the lines around; what was weighed (h, w)."""
    *summed, weight = along
    weighed: Picture = cv2.multiply(weight, 255.0, dtype=cv2.CV_8U)  # type: ignore[call-overload]
    weight = cv2.add(weight, 0.01)  # type: ignore[call-overload]
    mean = cv2.transform(cv2.merge([cv2.divide(each, weight) for each in summed]), OPPONENT)
    across = (1, around_px) if direction == 0 else (around_px, 1)
    return cast(Plane, cv2.subtract(mean, cv2.blur(mean, across, borderType=cv2.BORDER_REFLECT_101))), weighed


class _Strip:
    """What is known of some rows of a scan; one piece of memory for all strips, as fresh memory is dear."""

    def __init__(self, most_rows: int, width: int) -> None:
        self.begin, self.end = 0, 0  # rows of the scan that are known
        self.features = np.empty((most_rows // 2, width // 2, CHANNELS), np.int8)  # line means are filled in later
        self.along_rows = np.empty((4, most_rows, width // _ALONG[0]), np.float32)
        self.along_columns = np.empty((4, most_rows // _ALONG[0], width), np.float32)

    def forget_until(self, row: int) -> None:
        """Bring what is known from a row on to the front."""
        gone, known = row - self.begin, self.end - row
        if gone:
            planes = (self.features, 2), (self.along_rows.swapaxes(0, 1), 1), (self.along_columns.swapaxes(0, 1), 4)
            for plane, taken in planes:
                plane[: known // taken] = plane[gone // taken : (gone + known) // taken]
        self.begin = row


def features(asked: Picture, scan: Picture, even: Evenness, usual: Noise) -> Features:
    """(H / 2, W / 2, CHANNELS) of a whole picture, filled up to whole steps.

    asked: the reference as the scan ought to show it. Four pixels each of reference, scan and difference; then two each
    of the line means, which do not change along their lines; then both widths of band, along rows and along columns.
    """
    ((_, _, _, made),) = strips(asked, scan, even, usual, rows=len(scan) + STEP_PX)
    return made


def strips(
    asked: Rows, scan: Rows, even: Evenness, usual: Noise, *, rows: int, around: int = 0
) -> Iterator[tuple[int, int, int, Features]]:
    """(first row, last row, row at which the features begin, features) of strips of a scan, of its whole width.

    rows, around: of a strip, and of cloth above and below that its features reach over; multiples of STEP_PX.
    The right and the lower side are filled up to whole steps, by mirroring.
    """
    height = _up(scan.shape[0])
    reach = _reach(2)
    strip = _Strip(min(height, rows + 2 * (around + reach)), _up(scan.shape[1]))
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        first, last = max(0, top - around), min(height, bottom + around)
        begin, end = max(0, first - reach), min(height, last + reach)
        strip.forget_until(begin)
        _look(strip, asked, scan, even, usual, end)
        yield top, bottom, first, _with_lines(strip, usual, slice(first - begin, last - begin))


def _reach(number: int) -> int:
    """Of cloth beside a row that its line means depend on: whole steps."""
    return _up(LINES_PX[number] // 2 + ACROSS_PX // 2 + 16)


def _look(strip: _Strip, asked: Rows, scan: Rows, even: Evenness, usual: Noise, bottom: int) -> None:
    """Go on to the row `bottom`; what is held between two steps stays in the processor's cache."""
    width = _up(scan.shape[1])
    places = strip.features.view(_TWO)
    weights = usual.weights()
    for first in range(strip.end, bottom, _BAND_ROWS):
        last = min(first + _BAND_ROWS, bottom)
        y0, y1 = max(0, first - _EDGE_ROWS), last + _EDGE_ROWS
        wanted = slice(first - y0, last - y0)
        inside = slice(y0, min(y1, scan.shape[0]))
        reference = _filled(asked[inside, 0 : scan.shape[1]], y1 - y0, width)
        light = _filled(even.seen(scan, inside, slice(0, scan.shape[1])), y1 - y0, width)
        edges = _edges(reference)
        _blur_border(edges, slice(y0, y1), scan.shape)
        edges = edges[wanted]
        reference, light = reference[wanted], light[wanted]
        off = cast(Plane, cv2.transform(cv2.subtract(light, reference, dtype=cv2.CV_32F), OPPONENT))
        off = _per_sd(off, edges, usual.pixels)
        here = slice(first - strip.begin, last - strip.begin)
        short = _short(reference, light, cast(Plane, cv2.LUT(edges, weights)))
        strip.along_rows[:, here], strip.along_columns[:, here.start // _ALONG[0] : here.stop // _ALONG[0]] = short
        part = slice(here.start // 2, here.stop // 2)
        for number, each in enumerate((reference ^ 128, levels(light) ^ 128, _signed(off))):
            twos = np.ascontiguousarray(each).reshape(-1, 2, width // 2, 6).view(_TWO)[..., 0]
            places[part, :, 2 * number], places[part, :, 2 * number + 1] = twos[:, 0], twos[:, 1]
    strip.end = bottom


def _per_sd(off: Plane, level: Picture, sd: Plane) -> Plane:
    """Differences (H, W, 3) in units of a feature, by the `sd` (256, 3) at the level (H, W) of each."""
    return cast(Plane, cv2.multiply(off, cv2.LUT(cv2.merge([level] * 3), UNIT / sd[None])))


def _up(size: int) -> int:
    """To whole steps of the network."""
    return -(-size // STEP_PX) * STEP_PX


def _filled(picture: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    """A window filled up to a size below and on its right, by mirroring."""
    below, right = height - picture.shape[0], width - picture.shape[1]
    if not below and not right:
        return np.ascontiguousarray(picture)
    return cv2.copyMakeBorder(picture, 0, below, 0, right, cv2.BORDER_REFLECT_101)


def _with_lines(strip: _Strip, usual: Noise, rows: slice) -> Features:
    """The features of some of its rows, with the line means that all of its rows allow."""
    out = strip.features[rows.start // 2 : rows.stop // 2]
    places = out.view(_TWO)
    height = strip.end - strip.begin
    longest = len(LINES_PX) - 1
    for direction, short in enumerate((strip.along_rows, strip.along_columns)):
        for number in range(len(LINES_PX)):
            reach = 2 * STEP_PX if direction == 0 else _reach(number)
            first, last = max(0, rows.start - reach), min(height, rows.stop + reach)
            taken, made = (1, 1) if direction == 0 else (_ALONG[0], _ALONG[number])
            part = short[:, first // taken : last // taken]
            inner = slice((rows.start - first) // made, (rows.stop - first) // made)
            along = _along(part, direction, number)
            mean, weighed = _less_around(along, direction, ACROSS_PX)
            off = _per_sd(mean, weighed, usual.lines[direction, number])
            _spread_out(_signed(off[inner]), places[..., 6 + direction * len(LINES_PX) + number], direction)
            if number == longest:
                half = slice(inner.start // 2, inner.stop // 2) if direction == 0 else inner
                wide = [
                    _signed(_per_sd(*means, sd)[half])
                    for means, sd in zip(_band_means(along, direction), usual.bands[direction], strict=True)
                ]
                place = places[..., 6 + 2 * len(LINES_PX) + direction]
                _spread_wide(np.concatenate(wide, axis=2), place, direction)
    return out


def _spread_out(mean: Features, room: NDArray[np.void], direction: int) -> None:
    """Two lines at a time, and each of their values over the pixels that were taken together."""
    height, width = room.shape
    if direction == 0:
        two = mean.reshape(height, 2, -1, 3).transpose(0, 2, 1, 3).reshape(height, -1, 6)
    else:
        two = mean.reshape(-1, width, 6)
    _spread_wide(two, room, direction)


def _spread_wide(two: Features, room: NDArray[np.void], direction: int) -> None:
    """Six values (h, w, 6) over the pixels that were taken together along their lines."""
    values = np.ascontiguousarray(two).view(_TWO)[..., 0]
    axis = 1 - direction
    room[:] = np.repeat(values, room.shape[axis] // values.shape[axis], axis=axis)
