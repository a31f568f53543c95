"""The eight defects that inspection names: their sizes and contrasts, where they show, and how each is drawn.

Lengths are mm; places are pixels of the reference picture. Contrast is the relative change of reflected light over one
pixel's width where the defect shows most. A defect that cannot be seen where it stands has no mask there: a nozzle that
misses cyan does nothing to yellow.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import cast

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from production.inspection.constructions import MM_PER_PX, STRUCTURES, Rgb, Weave
from production.inspection.split import Split, drawn

Plane = NDArray[np.float32]
Points = NDArray[np.floating]  # of single precision: numpy's types forget it where a number is added


class Kind(StrEnum):
    """What a defect is; its place in the list, counted from 1, is its class in masks and in the network."""

    NOZZLE = "missing_nozzle"
    BANDING = "banding"
    INK_SPOT = "ink_spot"
    STAIN = "stain"
    HOLE = "hole"
    MISSING_PICK = "missing_pick"
    BROKEN_END = "broken_end"
    SLUB = "slub"

    @property
    def code(self) -> int:
        """1 to 8; 0 is sound cloth."""
        return list(Kind).index(self) + 1


KINDS = tuple(Kind)
PRINTED = frozenset(
    {Kind.NOZZLE, Kind.BANDING, Kind.INK_SPOT, Kind.STAIN}
)  # changes of the ink, under the yarns' light
LEAST_SEEN = 0.04  # change of light below which nobody sees anything
# What a defect's mean change has to be to count as one: a single bright yarn is no broken end.
LEAST: dict[Kind, float] = {
    Kind.NOZZLE: 0.1, Kind.BANDING: 0.045, Kind.INK_SPOT: 0.12, Kind.STAIN: 0.06, Kind.HOLE: 0.2,
    Kind.MISSING_PICK: 0.1, Kind.BROKEN_END: 0.1, Kind.SLUB: 0.08,
}  # fmt: skip
_TOUCHED = 0.01
FINE = 2  # points per pixel at which ink is drawn

# (least, most) of what each kind may be: long side mm, short side mm, contrast
RANGES: dict[Kind, tuple[tuple[float, float], tuple[float, float], tuple[float, float]]] = {
    Kind.NOZZLE: ((60.0, 2000.0), (0.1, 0.3), (0.12, 0.6)),
    Kind.BANDING: ((60.0, 400.0), (0.7, 4.0), (0.06, 0.2)),
    Kind.INK_SPOT: ((0.7, 7.0), (0.7, 7.0), (0.25, 0.95)),
    Kind.STAIN: ((5.0, 45.0), (4.0, 40.0), (0.07, 0.5)),
    Kind.HOLE: ((1.2, 12.0), (1.0, 9.0), (0.5, 1.0)),
    Kind.MISSING_PICK: ((50.0, 2000.0), (0.2, 0.5), (0.12, 0.45)),
    Kind.BROKEN_END: ((50.0, 2000.0), (0.15, 0.5), (0.12, 0.45)),
    Kind.SLUB: ((5.0, 45.0), (0.4, 1.4), (0.15, 0.5)),
}


@dataclass(frozen=True)
class Flaw:
    """One defect: what it is, where its middle lies, and how large and how strong it is."""

    kind: Kind
    x_px: float
    y_px: float
    long_mm: float
    short_mm: float
    contrast: float
    sign: int = -1  # darker or lighter
    along_warp: bool = False  # of those that follow the cloth's directions: down the warp, not across it
    tint: Rgb = (1.0, 1.0, 1.0)  # per channel of light: how strongly it is changed; or the lid
    angle_deg: float = 0.0
    period_mm: float = 0.0  # of banding
    seed: int = 0  # of an outline or of an uneven strength

    def box(self, shape: tuple[int, int]) -> tuple[slice, slice]:
        """(rows, columns) of the picture that the defect may touch."""
        half_x, half_y = self.long_mm / MM_PER_PX / 2, self.short_mm / MM_PER_PX / 2
        if self.kind is Kind.BANDING:
            half_x, half_y = float(shape[1]), self.long_mm / MM_PER_PX / 2
        elif self.kind in {Kind.INK_SPOT, Kind.STAIN, Kind.HOLE}:
            half_x = half_y = 1.9 * max(half_x, half_y)
        if self.along_warp:
            half_x, half_y = half_y, half_x
        return _around(self.y_px, half_y, shape[0]), _around(self.x_px, half_x, shape[1])


def _around(middle: float, half: float, size: int) -> slice:
    """The whole pixels of `size` that something reaches into, and four more on both sides."""
    return slice(max(0, int(np.floor(middle - half)) - 4), min(size, int(np.ceil(middle + half)) + 5))


def random_flaw(rng: Generator, kind: Kind, printed: Plane, weave: Weave, split: Split) -> Flaw:
    """A defect of that kind, of the split's sizes and contrasts, anywhere on the print (H, W, 3)."""
    (low, high), (thin, thick), (weak, strong) = RANGES[kind]
    height, width = printed.shape[:2]
    long_mm, short_mm = drawn(rng, low, high, split), drawn(rng, thin, thick, split)
    contrast = drawn(rng, weak, strong, split)
    x, y = rng.uniform(0, width), rng.uniform(0, height)
    sign, tint, along_warp, period = -1, (1.0, 1.0, 1.0), False, 0.0
    if kind is Kind.NOZZLE:
        sign, along_warp = 1, rng.random() < 0.25  # most heads travel across the cloth
        tint = ((1.0, 0.1, 0.05), (0.1, 1.0, 0.15), (0.03, 0.1, 1.0), (1.0, 1.0, 1.0))[int(rng.integers(4))]  # C M Y K
        x, y = _inked(rng, printed, np.array(tint, np.float32))
    elif kind is Kind.BANDING:
        sign, period = int(rng.choice([-1, 1])), max(drawn(rng, 6.0, 40.0, split), 2.5 * short_mm)
        tint = cast(
            Rgb, tuple(float(value) for value in rng.permutation([1.0, rng.uniform(0.3, 1), rng.uniform(0.3, 1)]))
        )
    elif kind is Kind.INK_SPOT:
        short_mm = long_mm * rng.uniform(0.5, 1.0)
        inks = ((1, 0.25, 0.1), (0.2, 1, 0.35), (0.05, 0.15, 1), (1, 1, 1), (1, 0.9, 0.3))
        tint = inks[int(rng.integers(len(inks)))]
    elif kind is Kind.STAIN:
        short_mm = long_mm * rng.uniform(0.35, 1.0)
        tint = ((1, 1, 1), (0.5, 0.8, 1.0), (0.7, 0.9, 1.0), (1.0, 0.8, 0.6))[int(rng.integers(4))]  # oil, rust, dirt
    elif kind is Kind.HOLE:
        short_mm = long_mm * rng.uniform(0.4, 1.0)
        tint = _beneath(rng, split)
    elif kind is Kind.MISSING_PICK:
        short_mm, sign = 10 / weave.picks_per_cm, int(rng.choice([-1, -1, 1]))
    elif kind is Kind.BROKEN_END:
        short_mm, along_warp, sign = 10 / weave.ends_per_cm, True, int(rng.choice([-1, -1, 1]))
    else:
        along_warp, sign = bool(rng.random() < 0.4), int(rng.choice([-1, 1, 1]))
    return Flaw(
        kind, float(x), float(y), long_mm, short_mm, contrast, sign, bool(along_warp), tint,
        float(rng.uniform(0, 180)), float(period), int(rng.integers(2**31)),
    )  # fmt: skip


def _beneath(rng: Generator, split: Split) -> Rgb:
    """The light of what lies under a hole: a lid, black, white or grey; in training also anything of any colour.

    So it is learned that a hole may be as light as the print around it.
    """
    lids: tuple[Rgb, ...] = ((0.02, 0.02, 0.02), (0.9, 0.9, 0.9), (0.35, 0.36, 0.38))
    lid = lids[int(rng.integers(len(lids)))]
    if split == "test" or rng.random() < 0.4:
        return lid
    light = 0.02 * (0.9 / 0.02) ** rng.uniform()
    red, green, blue = (float(light * each) for each in rng.uniform(0.8, 1.2, 3))
    return red, green, blue


def _inked(rng: Generator, printed: Plane, tint: Plane) -> tuple[float, float]:
    """A place that takes the ink which `tint` takes away, of a few tries."""
    height, width = printed.shape[:2]
    tries = np.stack([rng.uniform(0, width, 24), rng.uniform(0, height, 24)], axis=1)
    x, y = tries.T.astype(int)
    ink = (-np.log(np.maximum(printed[y, x], 0.02)) * tint).sum(axis=1)
    best = tries[int(np.argmax(ink + rng.uniform(0, 0.3, len(ink))))]
    return float(best[0]), float(best[1])


def change_ink(flaw: Flaw, printed: Plane, top: float, left: float) -> None:
    """Change the reflectance of a printed window (rows, columns, 3) at FINE points a pixel, from pixel (top, left)."""
    y = top + (np.arange(printed.shape[0], dtype=np.float32) + 0.5) / FINE
    x = left + (np.arange(printed.shape[1], dtype=np.float32) + 0.5) / FINE
    tint = np.array(flaw.tint, np.float32)
    if flaw.kind is Kind.NOZZLE:
        strength = _line(flaw, y, x)
        # Where dots are missing the cloth is bare: a share of what the ink took comes back.
        printed += (1 - printed) * (flaw.contrast * strength[..., None] * tint)
    elif flaw.kind is Kind.BANDING:
        printed *= 1 + flaw.sign * flaw.contrast * _bands(flaw, y)[:, None, None] * tint
    elif flaw.kind in PRINTED:
        cover = _blob(flaw, y, x, edge_mm=0.25 if flaw.kind is Kind.INK_SPOT else 0.25 * flaw.short_mm)
        if flaw.kind is Kind.STAIN:
            cover = np.minimum(1.0, cover * (0.75 + 0.25 * _rim(cover)))
        printed *= 1 - flaw.contrast * cover[..., None] * tint


def thread_gone(flaw: Flaw, y: Points, x: Points) -> tuple[Plane, Plane, int]:
    """(change along the rows, along the columns, system): the light where a pick or an end is missing."""
    across, along = (x, y) if flaw.along_warp else (y, x)
    middle, centre = (flaw.x_px, flaw.y_px) if flaw.along_warp else (flaw.y_px, flaw.x_px)
    width = flaw.short_mm / MM_PER_PX
    # A line thinner than a pixel has to be stronger to change that pixel as much.
    peak = min(0.9, flaw.contrast * max(1.0, 1.0 / width))
    profile = flaw.sign * peak * np.exp(-(np.abs((across - middle) / (0.55 * width)) ** 4))
    length = flaw.long_mm / MM_PER_PX
    extent = np.clip((length / 2 - np.abs(along - centre)) / 4, 0, 1) * _uneven(flaw, along)
    rows, columns = (extent, profile) if flaw.along_warp else (profile, extent)
    return rows.astype(np.float32), columns.astype(np.float32), 0 if flaw.along_warp else 1


def slub_light(flaw: Flaw, y: Points, x: Points) -> Plane:
    """(len(y), len(x)): by how much a thick place changes the light; a spindle with its shadow at both sides."""
    along, across = (y[:, None] - flaw.y_px, x[None] - flaw.x_px)
    if not flaw.along_warp:
        along, across = across, along
    share = 2 * along * MM_PER_PX / flaw.long_mm
    spindle = np.clip(1 - share**2, 0, 1) ** 1.5 * (1 + 0.3 * np.sin(share * 9 + flaw.seed % 7))
    half = np.maximum(flaw.short_mm / MM_PER_PX / 2 * (0.35 + 0.65 * spindle), 0.3)
    ridge = np.exp(-((across / half) ** 2)) - 0.55 * np.exp(-(((np.abs(across) - 1.7 * half) / (0.6 * half)) ** 2))
    return cast(Plane, (flaw.sign * flaw.contrast * 1.3 * np.minimum(spindle * 2, 1) * ridge).astype(np.float32))


def gap(flaw: Flaw, y: Points, x: Points) -> Plane:
    """(len(y), len(x)) 0 to 1: where a hole lets the lid be seen; frayed at its edge."""
    cover = _blob(flaw, y, x, edge_mm=0.3)
    fray = 0.5 + 0.5 * np.sin(x * 2.1 + flaw.seed % 5)[None] * np.sin(y * 1.7 + flaw.seed % 3)[:, None]
    return cast(Plane, np.clip(cover * 1.3 - 0.3 * fray * (cover < 0.95), 0, 1) * np.float32(0.6 + 0.4 * flaw.contrast))


@dataclass(frozen=True)
class Mark:
    """What can be seen of a defect."""

    box: tuple[slice, slice]  # (rows, columns)
    mask: NDArray[np.bool_]  # within the box: where it shows
    touched: NDArray[np.bool_]  # and where it changes anything at all
    contrast: float  # mean change over the mask of the channel that changes most; 0: it is not seen


def mark_of(flaw: Flaw, printed: Plane) -> Mark:
    """Where a defect shows on that print (H, W, 3)."""
    rows, columns = flaw.box(printed.shape[:2])
    if rows.stop <= rows.start or columns.stop <= columns.start:
        return Mark((slice(0, 0), slice(0, 0)), np.zeros((0, 0), bool), np.zeros((0, 0), bool), 0.0)
    y = np.arange(rows.start, rows.stop, dtype=np.float32) + 0.5
    x = np.arange(columns.start, columns.stop, dtype=np.float32) + 0.5
    if flaw.kind in PRINTED:
        before = printed[rows, columns]
        fine = cast(Plane, cv2.resize(before, None, fx=FINE, fy=FINE, interpolation=cv2.INTER_LINEAR))
        sound = fine.copy()
        change_ink(flaw, fine, rows.start, columns.start)
        size = before.shape[1::-1]
        now, was = (cast(Plane, cv2.resize(each, size, interpolation=cv2.INTER_AREA)) for each in (fine, sound))
        change = _change(was, now)
    elif flaw.kind is Kind.HOLE:
        here = printed[rows, columns]
        cover = gap(flaw, y, x)[..., None]
        change = _change(here, here * (1 - cover) + cover * np.array(flaw.tint, np.float32))
    elif flaw.kind is Kind.SLUB:
        change = np.abs(slub_light(flaw, y, x))
    else:
        down, along, _ = thread_gone(flaw, y, x)
        width = min(1.0, flaw.short_mm / MM_PER_PX)
        change = np.abs(_at_least_a_pixel(down, flaw, y, flaw.along_warp)[:, None])
        change = change * np.abs(_at_least_a_pixel(along, flaw, x, not flaw.along_warp)[None]) * width
    strongest = min(float(change.max(initial=0.0)), flaw.contrast)
    floor = max(LEAST_SEEN * (0.5 if flaw.kind is Kind.BANDING else 1.0), 0.35 * strongest)
    mask = change >= floor
    if flaw.kind is Kind.SLUB and mask.any():  # between ridge and shadow the light is as it should be
        mask = cv2.morphologyEx(mask.view(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8)) > 0
    return Mark((rows, columns), mask, mask | (change > _TOUCHED), float(change[mask].mean()) if mask.any() else 0.0)


def _change(was: Plane, now: Plane) -> Plane:
    """(H, W): the change of the channel that changes most, against the lighter of both; dark on dark is no change."""
    return cast(Plane, np.abs(now - was).max(axis=2) / np.maximum(np.maximum(was, now).max(axis=2), 0.08))


def _at_least_a_pixel(profile: Plane, flaw: Flaw, at: Points, is_extent: bool) -> Plane:
    """A profile across a line that a pixel's centre may miss: the nearest pixel has its peak."""
    if is_extent:
        return profile
    out = profile.copy()
    middle = flaw.x_px if flaw.along_warp else flaw.y_px
    nearest = int(np.argmin(np.abs(at - middle)))
    width = flaw.short_mm / MM_PER_PX
    out[nearest] = flaw.sign * min(0.9, flaw.contrast * max(1.0, 1.0 / width))
    return out


def _line(flaw: Flaw, y: Points, x: Points) -> Plane:
    """(len(y), len(x)): how much of a straight line's full strength is at each point."""
    across, along = (x, y) if flaw.along_warp else (y, x)
    middle, centre = (flaw.x_px, flaw.y_px) if flaw.along_warp else (flaw.y_px, flaw.x_px)
    half = max(flaw.short_mm / MM_PER_PX, 0.8) / 2
    profile = np.clip((half + 0.25 - np.abs(across - middle)) * FINE, 0, 1)
    extent = np.clip((flaw.long_mm / MM_PER_PX / 2 - np.abs(along - centre)) / 2, 0, 1)
    both = profile[None] * extent[:, None] if flaw.along_warp else profile[:, None] * extent[None]
    return np.asarray(both, np.float32)


def _bands(flaw: Flaw, y: Points) -> Plane:
    """(len(y),): the strength of the bands of a zone of passes; the first and the last come in gently."""
    phase = ((y - flaw.y_px) * MM_PER_PX + flaw.period_mm / 2) % flaw.period_mm - flaw.period_mm / 2
    band = np.exp(-(np.abs(phase / (0.55 * flaw.short_mm)) ** 3))
    inside = np.clip((flaw.long_mm / 2 - np.abs(y - flaw.y_px) * MM_PER_PX) / 2, 0, 1)
    number = np.floor(((y - flaw.y_px) * MM_PER_PX + flaw.period_mm / 2) / flaw.period_mm).astype(int)
    strength = 0.7 + 0.6 * np.random.default_rng(flaw.seed).random(256)
    return cast(Plane, (band * inside * strength[number % 256]).astype(np.float32))


def _blob(flaw: Flaw, y: Points, x: Points, *, edge_mm: float) -> Plane:
    """(len(y), len(x)) 0 to 1: a body with an outline that is never quite an ellipse; a spot may have splashes."""
    rng = np.random.default_rng(flaw.seed)
    turn = np.deg2rad(flaw.angle_deg)
    dx, dy = (x[None] - flaw.x_px) * MM_PER_PX, (y[:, None] - flaw.y_px) * MM_PER_PX
    a = (dx * np.cos(turn) + dy * np.sin(turn)) / (flaw.long_mm / 2)
    b = (-dx * np.sin(turn) + dy * np.cos(turn)) / (flaw.short_mm / 2)
    radius, angle = np.hypot(a, b), np.arctan2(b, a)
    outline = np.ones_like(radius)
    rough = 0.10 if flaw.kind is Kind.INK_SPOT else 0.2
    for wave in range(2, 7):
        outline += rough / wave**0.5 * rng.standard_normal() * np.cos(wave * angle + rng.uniform(0, 6.28)) * 0.6
    outline = np.clip(outline, 0.45, 1.6)
    edge = np.maximum(edge_mm / (flaw.short_mm / 2), 0.05)
    cover = np.clip((outline - radius) / edge + 0.5, 0, 1)
    if flaw.kind is Kind.INK_SPOT:
        for _ in range(int(rng.integers(0, 5))):
            away, where, size = rng.uniform(1.2, 1.8), rng.uniform(0, 6.28), rng.uniform(0.06, 0.2) * flaw.long_mm / 2
            far = np.hypot(a - away * np.cos(where), b - away * np.sin(where)) * flaw.short_mm / 2
            cover = np.maximum(cover, np.clip((size - far) / edge_mm + 0.5, 0, 1))
    return np.asarray(cover * cover * (3 - 2 * cover), np.float32)


def _rim(cover: Plane) -> Plane:
    """Strongest at the edge of a body: where a liquid dried last."""
    return np.asarray(4 * cover * (1 - cover), np.float32)


def _uneven(flaw: Flaw, along: Points) -> Plane:
    """How the strength of a line changes along it: 0.7 to 1.3, over centimetres."""
    knots = np.random.default_rng(flaw.seed).uniform(0.7, 1.3, 64)
    return np.interp((along / 60) % 63, np.arange(64), knots).astype(np.float32)


def shows_on(kind: Kind, structure: str) -> bool:
    """Whether the face of a structure has enough of the yarn that is missing: a weft under a warp satin is not seen."""
    warp = float(STRUCTURES[structure].mean())
    if kind is Kind.MISSING_PICK:
        return 1 - warp >= 0.2
    return kind is not Kind.BROKEN_END or warp >= 0.2
