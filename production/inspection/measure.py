"""The colours of a cloth on a scan that lies on its reference: even light, the target, and each colour of the design.

    light = light_of(lay, scan, source)
    eye = fitted_to(patches)                      # how the scanner sees: from its light to true light
    found = colours(...)

Light is linear throughout. What falls on the cloth changes slowly from place to place, whatever is printed: so the
light and the mean of every colour are found together, from all places at once. What the scanner makes of colours is a
matrix, and it is found on the target.

A target whose colours were measured (a card, or the colour bar read with an instrument) tells how the scanner sees
and nothing of the print. The bar of the job's own sheet, taken to be as asked, is printed by what is to be judged:
what all of its colours have in common is then put down to the scanner. Its residual tells of the rest.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from production.domain.colour import D50, delta_e_2000, lab_to_xyz, xyz_to_lab
from production.inspection.lay import BLOCK_PX, Lay, Start
from production.inspection.outcome import Colour
from production.inspection.source import MIXED, Box, Source

Picture = NDArray[np.uint8]
Floats = NDArray[np.float64]

ERODE_MM = 1.5  # from a colour's border: what is nearer is mixed by ink and optics
LEAST_PIXELS = 24  # of one colour in one place
LEAST_PATCHES = 12
MOST_CLIPPED = 0.02  # share of a colour's pixels that are cut off: beyond, its mean says nothing
_TRIM = 0.1
_ORDER = 3  # of the light over the scan: a higher one follows the cloth's own cloudiness
_DARK = 0.02
_STEP_BLOCKS, _SCALE = 2, 8
_PLACES, _MOST_PIXELS = 300, 500  # that are looked at on a scan, and of one colour in each of them

_TO_XYZ = np.array(
    [[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169], [0.0139322, 0.0971045, 0.7141733]]
)
_FROM_XYZ = np.linalg.inv(_TO_XYZ)
_VALUE = np.arange(256) / 255
LINEAR = np.where(_VALUE <= 0.04045, _VALUE / 12.92, ((_VALUE + 0.055) / 1.055) ** 2.4).astype(np.float32)


@dataclass(frozen=True)
class Sample:
    """The mean light of one colour at one place of the scan."""

    colour: int
    place: tuple[float, float]  # on the scan, 0 to 1 both ways
    light: tuple[float, float, float]
    pixels: int
    clipped: float = 0.0  # share of its pixels that are cut off, at full light or at none


@dataclass(frozen=True)
class Light:
    """The slow change of light over a scan, and the mean light of each colour without it."""

    terms: Floats  # (T,) of the polynomial, in logarithms
    means: Floats  # (K, 3); NaN for a colour that was not seen

    def at(self, places: Floats) -> Floats:
        """How much light falls on places (N, 2), 0 to 1 both ways, against the middle of the scan."""
        return np.asarray(np.exp(_powers(places) @ self.terms))


@dataclass(frozen=True)
class Eye:
    """How a scanner sees cloth: from its even light to true light."""

    matrix: Floats  # (3, 3)
    offset: Floats  # (3,): what shines back from yarns, however dark their ink
    residual_de00: float  # mean over the target

    def lab(self, light: Floats) -> Floats:
        """L*a*b* (D50) of even light (..., 3)."""
        return _lab(light @ self.matrix.T + self.offset)


def delta_e_cmc(asked: Floats, seen: Floats, *, lightness: float = 2.0, chroma: float = 1.0) -> Floats:
    """CMC(l:c) difference of L*a*b* colours (..., 3) from `asked`; ISO 105-J03.

    >>> round(float(delta_e_cmc(np.array([50.0, 20, 10]), np.array([52.0, 22, 8]))), 3)
    2.313
    """
    l1, a1, b1 = (asked[..., k] for k in range(3))
    c1, c2 = np.hypot(a1, b1), np.hypot(seen[..., 1], seen[..., 2])
    hue = np.degrees(np.arctan2(b1, a1)) % 360
    away = np.where(
        (hue >= 164) & (hue <= 345),
        0.56 + np.abs(0.2 * np.cos(np.radians(hue + 168))),
        0.36 + np.abs(0.4 * np.cos(np.radians(hue + 35))),
    )
    f = np.sqrt(c1**4 / (c1**4 + 1900))
    sl = np.where(l1 < 16, 0.511, 0.040975 * l1 / (1 + 0.01765 * l1))
    sc = 0.0638 * c1 / (1 + 0.0131 * c1) + 0.638
    sh = sc * (f * away + 1 - f)
    dl, dc = seen[..., 0] - l1, c2 - c1
    dh2 = np.maximum((seen[..., 1] - a1) ** 2 + (seen[..., 2] - b1) ** 2 - dc**2, 0)
    return np.asarray(np.sqrt((dl / (lightness * sl)) ** 2 + (dc / (chroma * sc)) ** 2 + dh2 / sh**2))


def true_light(lab: Floats) -> Floats:
    """Linear sRGB light of L*a*b* (D50); may lie outside of what a screen shows."""
    return np.asarray(lab_to_xyz(np.asarray(lab, np.float64)) @ _FROM_XYZ.T)


def _lab(light: Floats) -> Floats:
    """L*a*b* (D50) of linear sRGB light; inks show colours that a screen does not."""
    return np.asarray(xyz_to_lab(np.maximum(light @ _TO_XYZ.T, 1e-6), D50))


# ------------------------------------------------------------------------------------------------ light


def samples_of(lay: Lay, scan: Picture, source: Source, *, top: int = 0, left: int = 0) -> list[Sample]:
    """What the colours of the design look like all over a scan, away from their borders.

    top, left: where the reference begins on the cloth, in pixels of the grid.
    """
    pure = _pure(source)
    rows, columns = len(lay.nodes), lay.nodes.shape[1]
    shown = lay.shown((scan.shape[0], scan.shape[1]))
    height, width = lay.shape
    found: list[Sample] = []
    side = _STEP_BLOCKS * BLOCK_PX
    # Cloth is sampled, not read through: some hundred places tell the light of any length.
    step = max(1, round(np.sqrt(rows * columns / _STEP_BLOCKS**2 / _PLACES))) * _STEP_BLOCKS
    for row in range(0, rows - _STEP_BLOCKS + 1, step):
        for column in range(0, columns - _STEP_BLOCKS + 1, step):
            if not shown[row : row + _STEP_BLOCKS, column : column + _STEP_BLOCKS].all():
                continue
            y, x = row * BLOCK_PX, column * BLOCK_PX
            if y + side > height or x + side > width:
                continue
            part = _window(pure, top + y, left + x, side)
            if (part == MIXED).all():
                continue
            window = replace(lay, nodes=lay.nodes[:, column : column + _STEP_BLOCKS])
            found += _of_part(part, window.places(row, row + _STEP_BLOCKS, scale=_SCALE), lay.turn, scan)
    return found


def _of_part(part: NDArray[np.uint8], where: NDArray[np.float32], turn: Floats, scan: Picture) -> list[Sample]:
    """One sample of each colour in a part; where: places of every _SCALE-th of its pixels, by area."""
    found = []
    counts = np.bincount(part.ravel(), minlength=MIXED)[:MIXED]
    for number in np.flatnonzero(counts >= LEAST_PIXELS):
        rows, columns = np.nonzero(part == number)
        step = max(1, len(rows) // _MOST_PIXELS)  # neighbours show the same yarns: some of many will do
        rows, columns = rows[::step], columns[::step]
        # The coarse place's pixel, and from there to the pixel itself by the direction of its neighbours.
        inner = np.stack([columns % _SCALE, rows % _SCALE], axis=-1) - (_SCALE - 1) / 2
        places = where[rows // _SCALE, columns // _SCALE] + inner @ turn.T
        at = np.rint(places).astype(np.intp)
        x, y = (np.clip(at[:, axis], 0, scan.shape[1 - axis] - 1) for axis in (0, 1))
        middle = places.mean(axis=0)
        place = (float(middle[0] / scan.shape[1]), float(middle[1] / scan.shape[0]))
        raw = scan[y, x]
        found.append(Sample(int(number), place, _trimmed(LINEAR[raw]), int(counts[number]), _cut_off(raw)))
    return found


def bare_samples(scan: Picture, start: Start, source: Source, number: int) -> list[Sample]:
    """The same of bare cloth beside the pattern, as one more colour: selvedges and head, away from all marks."""
    marks = source.marks
    if marks is None:
        return []
    x0, y0, width, height = marks.sheet
    assert source.width_mm is not None, "a sheet has a size"
    assert source.length_mm is not None, "a sheet has a size"
    taken = [*marks.fiducials.values(), *(patch.box for patch in marks.patches)]
    taken += [marks.code_box] if marks.code_box else []
    found = []
    side = 4.0
    strips = [(x0 + 1.5, y0 + 4, width - 3, side), (x0 + 1.5, -12.0, width - 3, side)]
    strips += [(-side - 1.0, -6.0, side, source.length_mm), (source.width_mm + 1.0, -6.0, side, source.length_mm)]
    for left, top, wide, high in strips:
        along = wide >= high
        count = int((wide if along else high) // 24)
        for k in range(count):
            box = (left + 24 * k, top, 12.0, side) if along else (left, top + 24 * k, side, 12.0)
            if (
                box[1] < y0 + 2
                or box[0] < x0 + 1
                or box[0] + box[2] > x0 + width - 1
                or box[1] + box[3] > y0 + height - 1
            ):
                continue
            if any(_overlap(box, each, 3.0) for each in taken):
                continue
            sample = _of_box(box, scan, start, source, number)
            if sample is not None:
                found.append(sample)
    if len(found) < 8:
        return []
    # Words on the selvedge, shadows: what differs much from its likes is no bare cloth.
    grey = np.array([sum(each.light) for each in found])
    return [each for each, value in zip(found, grey, strict=True) if value > 0.8 * np.median(grey)]


def _overlap(one: Box, other: Box, around: float) -> bool:
    return (
        one[0] < other[0] + other[2] + around
        and other[0] < one[0] + one[2] + around
        and one[1] < other[1] + other[3] + around
        and other[1] < one[1] + one[3] + around
    )


def _of_box(box: Box, scan: Picture, start: Start, source: Source, number: int, *, inner: float = 1.0) -> Sample | None:
    """One sample of the pixels in a box of the cloth; None where it is not on the scan."""
    x, y, width, height = box
    cx, cy = x + width / 2, y + height / 2
    half = np.array([width, height]) / 2 * inner
    corners = np.array([[cx - half[0], cy - half[1]], [cx + half[0], cy + half[1]], [cx + half[0], cy - half[1]]])
    places = (corners / source.pitch_mm - 0.5) @ start.matrix[:, :2].T + start.matrix[:, 2]
    low, high = np.ceil(places.min(axis=0)).astype(int), np.floor(places.max(axis=0)).astype(int)
    if (low < 0).any() or high[0] >= scan.shape[1] or high[1] >= scan.shape[0] or (high - low < 3).any():
        return None
    raw = scan[low[1] : high[1], low[0] : high[0]].reshape(-1, 3)
    middle = places[:2].mean(axis=0)
    place = (float(middle[0] / scan.shape[1]), float(middle[1] / scan.shape[0]))
    return Sample(number, place, _trimmed(LINEAR[raw]), len(raw), _cut_off(raw))


def _trimmed(light: NDArray[np.float32]) -> tuple[float, float, float]:
    """The mean without what is darkest and brightest: a hair, a hole, a spark of a yarn."""
    order = np.argsort(light.sum(axis=1))
    cut = int(len(order) * _TRIM / 2)
    red, green, blue = light[order[cut : len(order) - cut]].mean(axis=0, dtype=np.float64)
    return float(red), float(green), float(blue)


def _cut_off(raw: Picture) -> float:
    """The share of pixels (N, 3) of which a channel is at an end of what a scanner can say.

    Those without light count a tenth: so little is cut off there that a mean bears ten times as many.
    """
    return float((raw == 255).any(axis=1).mean() + (raw == 0).any(axis=1).mean() / 10)


def cut_off(samples: Sequence[Sample], colours: int) -> set[int]:
    """The colours that lie beyond what the scanner can say: too many of their pixels are cut off."""
    return {
        number
        for number in range(colours)
        if (mine := [each for each in samples if each.colour == number])
        and np.average([each.clipped for each in mine], weights=[each.pixels for each in mine]) > MOST_CLIPPED
    }


def _pure(source: Source) -> NDArray[np.uint8]:
    """The index map with what lies within ERODE_MM of a border left out; of a finer colour, its inner pixels."""
    indices = source.indices
    around = round(ERODE_MM / min(source.pitch_mm))
    wrapped = np.pad(indices, around + 1, mode="wrap")
    out = np.full(indices.shape, MIXED, np.uint8)
    inner = slice(around + 1, -(around + 1))
    for number in range(len(source.colours)):
        mine = (wrapped == number).astype(np.uint8)
        for reach in range(around, 0, -1):
            size = 2 * reach + 1
            kept = cv2.erode(mine, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))[inner, inner]
            if int(kept.sum()) >= 4 * LEAST_PIXELS or reach == 1:
                out[kept > 0] = number
                break
    return out


def _window(tile: NDArray[np.uint8], top: int, left: int, side: int) -> NDArray[np.uint8]:
    rows, columns = (np.arange(side) + top) % tile.shape[0], (np.arange(side) + left) % tile.shape[1]
    return tile[np.ix_(rows, columns)]


def light_of(samples: Sequence[Sample], colours: int) -> Light:
    """The light over the scan and every colour's mean, together, by least squares with outliers let go."""
    if not samples:
        return Light(np.zeros(_powers(np.zeros((1, 2))).shape[1]), np.full((colours, 3), np.nan))
    places = np.array([each.place for each in samples])
    number = np.array([each.colour for each in samples])
    light = np.log(np.maximum(np.array([each.light for each in samples]), 1e-4))
    # Dark colours say little of the light: their noise is large against it.
    bright = np.array([sum(each.light) / 3 for each in samples])
    base = np.sqrt(np.minimum(np.array([each.pixels for each in samples]), 400)) * bright / (bright + 0.05)
    powers = _powers(places)
    count, terms = len(samples), powers.shape[1]
    seen = np.unique(number)
    column = {int(each): k for k, each in enumerate(seen)}
    which = np.zeros((count, len(seen)))
    which[np.arange(count), [column[int(each)] for each in number]] = 1
    weight = base.copy()
    slow, means = np.zeros(terms), np.zeros((len(seen), 3))
    for _ in range(6):
        grey = light.mean(axis=1)
        both = np.concatenate([powers, which], axis=1) * weight[:, None]
        hold = np.diag([*([0.3] * terms), *([1e-6] * len(seen))]) * float((weight**2).mean())
        found = np.linalg.solve(both.T @ both + hold, both.T @ (grey * weight))
        slow = found[:terms]
        rest = light - (powers @ slow)[:, None]
        for k in range(len(seen)):
            mine = number == seen[k]
            means[k] = np.average(rest[mine], axis=0, weights=weight[mine] ** 2)
        off = np.abs(rest - means[[column[int(each)] for each in number]]).max(axis=1)
        weight = base / (1 + (off / (3 * np.median(off) + 0.005)) ** 2)
    out = np.full((colours, 3), np.nan)
    out[seen[seen < colours]] = np.exp(means[seen < colours])
    return Light(slow, out)


def _powers(places: Floats) -> Floats:
    """(N, T) of the light's polynomial without its constant; places 0 to 1."""
    x, y = places[:, 0] * 2 - 1, places[:, 1] * 2 - 1
    return np.stack([x**i * y**j for i in range(_ORDER + 1) for j in range(_ORDER + 1 - i) if i + j > 0], axis=-1)


# ------------------------------------------------------------------------------------------------ target and colours


def bar_on(scan: Picture, start: Start, source: Source) -> dict[str, Sample]:
    """The patches of the colour bar that are on a scan, by their names; several bare ones are told by their numbers."""
    if source.marks is None:
        return {}
    found = {}
    for number, patch in enumerate(source.marks.patches):
        sample = _of_box(patch.box, scan, start, source, number, inner=0.6)
        if sample is not None and sample.clipped < MOST_CLIPPED:
            found[f"{number} {patch.name}"] = sample
    return found


def fitted_to(seen: Floats, labs: Floats, *, shine: bool = True) -> Eye:
    """How a scanner sees, from even light (N, 3) of patches and what L*a*b* they are.

    A scanner adds and mixes light, so it is a matrix, and the yarns' own shine is added to it; what counts is how
    different colours look, so the last word is by differences of L*a*b*. shine: whether it may be told from the
    patches; of such that nobody has read it can't, as dark ink that is not as asked looks the same.
    """
    true = true_light(labs)
    matrix = np.eye(3)
    weight = 1 / (true.mean(axis=1) + _DARK)
    for _ in range(5):
        heavy = seen * weight[:, None]
        matrix = np.linalg.solve(heavy.T @ heavy + 1e-6 * np.eye(3), heavy.T @ (true * weight[:, None])).T
        off = delta_e_2000(_lab(seen @ matrix.T), labs)
        weight = 1 / (true.mean(axis=1) + _DARK) / (1 + (off / (3 * np.median(off) + 0.5)) ** 2)
    eye = _refined(matrix, seen, labs, shine=shine)
    return replace(eye, residual_de00=float(delta_e_2000(eye.lab(seen), labs).mean()))


def _refined(matrix: Floats, seen: Floats, labs: Floats, *, shine: bool) -> Eye:
    """A few steps of Gauss and Newton on L*a*b*, its chroma shortened as the eye does."""
    chroma = np.hypot(labs[:, 1], labs[:, 2])
    weight = np.stack([np.ones(len(labs)), *[1 / (1 + 0.045 * chroma)] * 2], axis=-1)

    def eye_of(values: Floats) -> Eye:
        return Eye(values[:9].reshape(3, 3), values[9:] if shine else np.zeros(3), 0.0)

    def off(values: Floats) -> Floats:
        rest = (eye_of(values).lab(seen) - labs) * weight
        length = np.sqrt((rest**2).sum(axis=1, keepdims=True))
        return np.asarray((rest / np.sqrt(1 + (length / 4) ** 2)).ravel())

    values = np.append(matrix, np.zeros(3 if shine else 0))
    for _ in range(8):
        here = off(values)
        slopes = np.empty((len(here), len(values)))
        for k in range(len(values)):
            step = values.copy()
            step[k] += 1e-5
            slopes[:, k] = (off(step) - here) / 1e-5
        move = np.linalg.solve(slopes.T @ slopes + 1e-3 * np.eye(len(values)), -slopes.T @ here)
        if float((off(values + move) ** 2).sum()) > float((here**2).sum()):
            break
        values = values + move
    return eye_of(values)


def colours(source: Source, light: Light, eye: Eye, without: Collection[int] = ()) -> tuple[Colour, ...]:
    """Every colour of the design that was seen, against what it should be; those `without` are left out."""
    shares = source.shares()
    found = []
    for number, name in enumerate(source.colours):
        mean = light.means[number]
        if number in without or not np.isfinite(mean).all():
            continue
        seen, asked = eye.lab(mean), source.labs[number]
        found.append(
            Colour(
                colour=name,
                asked_lab=_rounded(asked),
                seen_lab=_rounded(seen),
                de00=float(delta_e_2000(asked, seen)),
                cmc=float(delta_e_cmc(asked, seen)),
                share=float(shares[number]),
            )
        )
    return tuple(found)


def _rounded(lab: Floats) -> tuple[float, float, float]:
    lightness, red, yellow = (round(float(value), 3) for value in lab)
    return lightness, red, yellow


def fitted_picture(picture: Picture, eye: Eye, light: Light, places: tuple[Floats, Floats]) -> Picture:
    """A picture (H, W, 3) that lies straight in true colours; places: of its columns and rows on the scan, 0 to 1."""
    x, y = places
    coarse = np.stack(np.meshgrid(x[::16], y[::16]), axis=-1)
    slow = light.at(coarse.reshape(-1, 2)).reshape(coarse.shape[:2]).astype(np.float32)
    fall = cv2.resize(slow, picture.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    out = cv2.transform(LINEAR[picture] / fall[..., None], np.column_stack([eye.matrix, eye.offset]).astype(np.float32))
    table = np.rint(_coded(np.arange(4097) / 4096) * 255).astype(np.uint8)
    return np.asarray(table[np.clip(out * 4096 + 0.5, 0, 4096).astype(np.uint16)])


def _coded(light: Floats) -> Floats:
    return np.asarray(np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055))
