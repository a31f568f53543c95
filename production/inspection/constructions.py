"""Cloth for the scan simulator: how it is constructed, and how its yarns look when they are hardly larger than a pixel.

A weave is drawn yarn by yarn at several points per pixel and integrated down: with 20 to 60 threads a centimetre and a
pixel of a quarter of a millimetre the threads lie near Nyquist, and the moire that a scanner sees comes out by itself.
All lengths are pixels of the reference picture unless a name says mm; light is linear, 1 is the mean of the bare cloth.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import cast

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from generation.domain.pattern import MM_PER_INCH
from production.domain.weave import basket, satin, twill
from production.inspection.split import Split, drawn

Lift = NDArray[np.bool_]
Plane = NDArray[np.float32]
Rgb = tuple[float, float, float]

DPI = 100.0
MM_PER_PX = MM_PER_INCH / DPI
_CELL = 16  # points along a side of one crossing of the drawn repeat
_GRID_PX = 8  # of the slow fields: yarns do not change within less
_ENDS_PER_CM = (14.0, 64.0)
_PICKS_PER_CM = (12.0, 48.0)


@dataclass(frozen=True)
class Weave:
    """One construction, with everything that makes two lengths of it look different."""

    structure: str  # of STRUCTURES
    ends_per_cm: float
    picks_per_cm: float
    warp_mm: float  # diameter of the yarns
    weft_mm: float
    unevenness: float = 0.08  # sd of a yarn's diameter along it, as a share
    shade: float = 0.015  # sd of lightness from yarn to yarn, as a share
    bars: float = 0.0  # sd of lightness of groups of picks, as a share
    wander: float = 0.04  # sd of the places of the yarns, in pitches
    reed: float = 0.0  # how far the ends of one dent stand together, in pitches
    dent: int = 2  # ends per dent
    relief: float = 0.4  # how much darker a yarn's flank is than its ridge
    ground: float = 0.5  # light that comes through between the yarns
    cloud: float = 0.01  # sd of slow changes of lightness, as a share
    hair: float = 0.01  # sd of the light scattered by fibres, pixel by pixel
    specks: float = 20.0  # husks, neps and stray fibres per dm2
    warp_rgb: Rgb = (1.0, 1.0, 1.0)
    weft_rgb: Rgb = (1.0, 1.0, 1.0)


def _herringbone(one: Lift, width: int) -> Lift:
    """A twill that turns every `width` ends, a multiple of its size."""
    return np.hstack([np.tile(one, (1, width // one.shape[1])), np.tile(one[:, ::-1], (1, width // one.shape[1]))])


def _rib(size: int, *, along: int) -> Lift:
    return np.kron(twill(1, 1).lift, np.ones((size, 1) if along == 0 else (1, size), bool)).astype(bool)


def _crepe(size: int, step: int, turns: int) -> Lift:
    """Plain weave in which the points of a satin and of the same satin turned round are the other way up."""
    points = satin(size, step, warp_face=False).lift
    for turn in range(1, turns):
        points = points | np.roll(np.rot90(points, turn), turn, axis=1)
    return np.tile(twill(1, 1).lift, (size // 2, size // 2)) ^ points


def _huckaback() -> Lift:
    """Two blocks of floats, one over the warp and one over the weft, in a plain ground."""
    block = np.array([[1, 0, 1, 0, 1], [0, 1, 0, 1, 0], [1, 0, 0, 0, 1], [0, 1, 0, 1, 0], [1, 0, 1, 0, 1]], bool)
    return np.block([[block, ~block], [~block, block]])


STRUCTURES: dict[str, Lift] = {
    "plain": twill(1, 1).lift,
    "basket_2": basket(2).lift,
    "basket_4": basket(4).lift,
    "warp_rib": _rib(2, along=0),
    "twill_2_1": twill(2, 1).lift,
    "twill_1_2": twill(1, 2).lift,
    "twill_2_2": twill(2, 2).lift,
    "twill_1_3_s": twill(1, 3, left=True).lift,
    "twill_3_1": twill(3, 1).lift,
    "herringbone_2_2_8": _herringbone(twill(2, 2).lift, 8),
    "satin_5": satin(5, 2, warp_face=True).lift,
    "sateen_5": satin(5, 2, warp_face=False).lift,
    "satin_8": satin(8, 3, warp_face=True).lift,
    "sateen_8": satin(8, 3, warp_face=False).lift,
    "crepe_8": _crepe(8, 3, 1),
    "huckaback": _huckaback(),
    # kept for testing
    "basket_3": basket(3).lift,
    "weft_rib": _rib(2, along=1),
    "twill_2_2_s": twill(2, 2, left=True).lift,
    "twill_3_1_s": twill(3, 1, left=True).lift,
    "herringbone_3_1_16": _herringbone(twill(3, 1).lift, 16),
    "satin_5_3": satin(5, 3, warp_face=True).lift,
    "sateen_8_5": satin(8, 5, warp_face=False).lift,
    "crepe_10": _crepe(10, 3, 2),
}
TEST_STRUCTURES = tuple(list(STRUCTURES)[-8:])
TRAIN_STRUCTURES = tuple(name for name in STRUCTURES if name not in TEST_STRUCTURES)


def random_weave(rng: Generator, split: Split) -> Weave:
    """A construction of the split: its structure, and then thread counts, yarns and faults of evenness around it.

    Plain weave is in both splits, as most printed cloth is plain; its thread counts never are the same.
    """
    names = TEST_STRUCTURES if split == "test" else TRAIN_STRUCTURES
    structure = "plain" if rng.random() < 0.3 else names[int(rng.integers(len(names)))]
    ends = drawn(rng, *_ENDS_PER_CM, split)
    picks = float(np.clip(ends * np.exp(rng.normal(-0.2, 0.25)), *_PICKS_PER_CM))
    rough = rng.random()  # linen and slub cotton at one end, filament at the other: evenness goes together
    tint = 1 + rng.normal(0, 0.5) * np.array([0.01, -0.005, -0.04])
    apart = rng.normal(0, 0.06) if rng.random() < 0.3 else rng.normal(0, 0.01)
    return Weave(
        structure=structure,
        ends_per_cm=ends,
        picks_per_cm=picks,
        warp_mm=10 / ends * rng.uniform(0.62, 0.98),
        weft_mm=10 / picks * rng.uniform(0.62, 1.0),
        unevenness=0.03 + 0.25 * rough * rng.random(),
        shade=0.004 + 0.05 * rough * rng.random(),
        bars=float(rng.choice([0.0, 0.004, 0.012]) * rng.random()),
        wander=0.02 + 0.12 * rng.random() * rough,
        reed=float(rng.choice([0.0, 0.0, rng.uniform(0.02, 0.15)])),
        dent=int(rng.integers(2, 5)),
        relief=rng.uniform(0.12, 0.7),
        ground=rng.uniform(0.25, 0.95),
        cloud=0.003 + 0.03 * rng.random() ** 2,
        hair=0.004 + 0.03 * rng.random() * rough,
        specks=float(rng.choice([2.0, 20.0, 80.0]) * rng.random()),
        warp_rgb=cast(Rgb, tuple(float(value) for value in tint * (1 + apart))),
        weft_rgb=cast(Rgb, tuple(float(value) for value in tint * (1 - apart))),
    )


@dataclass(frozen=True)
class Cloth:
    """One length of a weave with the chance of all its yarns settled: any window of it can be drawn, always alike."""

    weave: Weave
    ends: NDArray[np.float64]  # x of every end, rising
    picks: NDArray[np.float64]  # y of every pick
    end_shade: Plane  # (ends,)
    pick_shade: Plane
    end_thickness: Plane  # (rows of the slow grid, ends): deviation of the diameter, as a share
    pick_thickness: Plane  # (picks, columns of the slow grid)
    aside: Plane  # (rows, columns of the slow grid, 2): how far yarns lie from their places, in pitches
    cloud: Plane  # (rows, columns of the slow grid)
    specks: NDArray[np.uint8]  # (2 H, 2 W): 128 is nothing

    @property
    def pitch_px(self) -> tuple[float, float]:
        """Distance of two ends, and of two picks."""
        return 10 / self.weave.ends_per_cm / MM_PER_PX, 10 / self.weave.picks_per_cm / MM_PER_PX


def lay_cloth(weave: Weave, height: int, width: int, rng: Generator) -> Cloth:
    """The yarns of a cloth of `height` x `width` pixels."""
    across, along = 10 / weave.ends_per_cm / MM_PER_PX, 10 / weave.picks_per_cm / MM_PER_PX
    ends, picks = int(width / across) + 8, int(height / along) + 8
    rows, columns = height // _GRID_PX + 4, width // _GRID_PX + 4
    dents = weave.reed * (((np.arange(ends) + 0.5) % weave.dent) - weave.dent / 2)
    return Cloth(
        weave=weave,
        ends=(np.arange(ends) - 3 + _places(rng, ends, weave.wander) - dents) * across,
        picks=(np.arange(picks) - 3 + _places(rng, picks, weave.wander)) * along,
        end_shade=(weave.shade * rng.standard_normal(ends)).astype(np.float32),
        pick_shade=(weave.shade * rng.standard_normal(picks) + weave.bars * _slow(rng, picks, 12)).astype(np.float32),
        end_thickness=_along(rng, rows, ends, weave.unevenness),
        pick_thickness=np.ascontiguousarray(_along(rng, columns, picks, weave.unevenness).T),
        aside=np.stack([_smooth(rng, rows, columns, 3.0) for _ in range(2)], axis=-1) * np.float32(4 * weave.wander),
        cloud=_clouds(rng, rows, columns, weave.cloud),
        specks=_specks(rng, height, width, weave.specks),
    )


def yarn_light(
    cloth: Cloth,
    top: int,
    left: int,
    height: int,
    width: int,
    *,
    points: int,
    blur_px: float,
    loosened: tuple[tuple[NDArray[np.float32], NDArray[np.float32], int], ...] = (),
) -> Plane:
    """(height * points, width * points, 2): light of the cloth in that window, and the part of it that the warp has.

    Drawn at `points` a pixel and integrated over one pixel and over the optics' `blur_px` (sd). loosened: for missing
    threads, what each changes along its two axes (rows, columns) and which system it is of: 0 warp, 1 weft.
    """
    weave = cloth.weave
    x = left + (np.arange(width * points, dtype=np.float64) + 0.5) / points
    y = top + (np.arange(height * points, dtype=np.float64) + 0.5) / points
    u = np.interp(x, cloth.ends, np.arange(len(cloth.ends)))
    v = np.interp(y, cloth.picks, np.arange(len(cloth.picks)))
    end = np.clip(u + 0.5, 0, len(cloth.ends) - 1).astype(np.intp)
    pick = np.clip(v + 0.5, 0, len(cloth.picks) - 1).astype(np.intp)
    size = (width * points, height * points)

    def spread(grid: Plane, rows: bool, columns: bool) -> Plane:
        """A slow field over the window; an axis that is already at its points is left alone."""
        step = points * _GRID_PX
        sx, ox = (1 / step, (left + 0.5 / points) / _GRID_PX) if columns else (1.0, 0.0)
        sy, oy = (1 / step, (top + 0.5 / points) / _GRID_PX) if rows else (1.0, 0.0)
        return cast(Plane, cv2.warpAffine(
            grid, np.array([[sx, 0, ox], [0, sy, oy]]), size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        ))  # fmt: skip

    aside = spread(cloth.aside, True, True)
    lift = STRUCTURES[weave.structure]
    drawn_repeat = _drawn_repeat(weave, points)
    map_x = ((u % lift.shape[1] + 0.5) * _CELL - 0.5).astype(np.float32)[None] + aside[..., 0] * _CELL
    map_y = ((v % lift.shape[0] + 0.5) * _CELL - 0.5).astype(np.float32)[:, None] + aside[..., 1] * _CELL
    seen = cv2.remap(drawn_repeat, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    del map_x, map_y, aside
    warp_part = seen[..., 3]
    thick_end = spread(np.ascontiguousarray(cloth.end_thickness[:, end]), True, False)
    thick_pick = spread(np.ascontiguousarray(cloth.pick_thickness[pick]), False, True)
    light = seen[..., 0] + seen[..., 1] * thick_end + seen[..., 2] * thick_pick
    of_warp = 1 + cloth.end_shade[end][None] + 0.5 * thick_end
    of_weft = 1 + cloth.pick_shade[pick][:, None] + 0.5 * thick_pick
    light *= of_weft + warp_part * (of_warp - of_weft)
    for rows, columns, system in loosened:
        # Where the thread would lie below, nothing is missing.
        face = warp_part if system == 0 else 1 - warp_part
        light *= 1 + rows[:, None] * columns[None] * face / max(
            float(lift.mean() if system == 0 else 1 - lift.mean()), 0.2
        )
    out = np.stack([light, light * warp_part], axis=-1)
    out = integrated(out, points)
    wide = 2 * round(points * blur_px * 12**0.5 / 2 - 0.5) + 1  # a box of the same sd
    return cast(Plane, cv2.blur(out, (wide, wide), borderType=cv2.BORDER_REFLECT_101)) if wide > 1 else out


def integrated(plane: Plane, points: int) -> Plane:
    """The mean over `points` x `points`, about every point: of an even number the outermost count by halves."""
    if points % 2:
        return cast(Plane, cv2.blur(plane, (points, points), borderType=cv2.BORDER_REFLECT_101))
    kernel = np.r_[0.5, np.ones(points - 1), 0.5] / points
    return cast(Plane, cv2.sepFilter2D(plane, -1, kernel, kernel, borderType=cv2.BORDER_REFLECT_101))


@lru_cache(maxsize=8)
def _drawn_repeat(weave: Weave, points: int) -> Plane:
    """(P * CELL, E * CELL, 4): light, its change per share of warp and of weft diameter, and 1 where warp lies on top.

    Blurred by the distance of two points of the picture that is drawn from it, so that nothing finer is left in it.
    """
    lift = STRUCTURES[weave.structure]
    if min(lift.shape) < 8:  # a repeat of a few points wraps badly
        lift = np.tile(lift, (-(-8 // lift.shape[0]), -(-8 // lift.shape[1])))
    warp, weft = weave.warp_mm * weave.ends_per_cm / 10, weave.weft_mm * weave.picks_per_cm / 10
    light, top = _crossings(lift, warp, weft, weave.relief, weave.ground)
    thick_warp = (_crossings(lift, warp * 1.2, weft, weave.relief, weave.ground)[0] - light) / 0.2
    thick_weft = (_crossings(lift, warp, weft * 1.2, weave.relief, weave.ground)[0] - light) / 0.2
    made = np.stack([light, thick_warp, thick_weft, top], axis=-1)
    made[..., :3] /= light.mean()
    kernel = [
        max(1, round(_CELL * count / 10 * MM_PER_PX / points)) for count in (weave.ends_per_cm, weave.picks_per_cm)
    ]
    pad = max(kernel)
    wrapped = np.pad(made, ((pad, pad), (pad, pad), (0, 0)), mode="wrap").astype(np.float32)
    return np.ascontiguousarray(cv2.blur(wrapped, tuple(kernel))[pad:-pad, pad:-pad])


def _crossings(lift: Lift, warp: float, weft: float, relief: float, ground: float) -> tuple[Plane, Plane]:
    """(light, warp on top) of a whole repeat, CELL x CELL points a crossing; diameters in pitches."""
    picks, ends = lift.shape
    across = ((np.arange(_CELL) + 0.5) / _CELL - 0.5).astype(np.float32)
    fu = np.tile(across, ends)[None]
    fv = np.tile(across, picks)[:, None]
    up = np.kron(lift, np.ones((_CELL, _CELL), bool))
    is_warp, is_weft = np.abs(fu) < min(warp, 1) / 2, np.abs(fv) < min(weft, 1) / 2
    of_warp = _round(fu, warp, relief) * _dive(lift, fv, axis=0, relief=relief)
    of_weft = _round(fv, weft, relief) * _dive(~lift, fu, axis=1, relief=relief)
    # A yarn seen in the gap beside the one that covers it lies deep.
    under = 1 - 0.6 * relief
    top = np.where(is_warp & is_weft, up, is_warp)
    light = np.where(is_warp & (up | ~is_weft), of_warp * np.where(up, 1, under), ground * (1 - 0.5 * relief))
    light = np.where(is_weft & (~up | ~is_warp), of_weft * np.where(up, under, 1), light)
    return light.astype(np.float32), np.broadcast_to(top, light.shape).astype(np.float32)


def _round(across: Plane, diameter: float, relief: float) -> Plane:
    inside = np.clip(1 - (2 * across / diameter) ** 2, 0, 1)
    return cast(Plane, 1 - relief * (1 - np.sqrt(inside)))


def _dive(over: Lift, along: Plane, *, axis: int, relief: float) -> NDArray[np.float64]:
    """How a yarn darkens towards a crossing at which it goes under: floats stay light."""
    shape = [1, 1]
    shape[axis] = _CELL
    cells = np.ones((_CELL, _CELL), bool)
    before, after = np.kron(np.roll(over, 1, axis), cells), np.kron(np.roll(over, -1, axis), cells)
    towards = np.where(along < 0, ~before, ~after)
    return 1 - 0.7 * relief * towards * (2 * along) ** 2


def _places(rng: Generator, count: int, wander: float) -> NDArray[np.float64]:
    """Deviations of the places of neighbouring yarns, in pitches; never so large that two change places."""
    return np.clip(wander * rng.standard_normal(count), -0.4, 0.4) + wander * 4 * _slow(rng, count, 40)


def _slow(rng: Generator, count: int, length: int) -> NDArray[np.float64]:
    """(count,) of unit sd that change over about `length` yarns."""
    knots = rng.standard_normal(count // length + 3)
    return np.interp(np.arange(count) / length, np.arange(len(knots)), knots)


def _along(rng: Generator, steps: int, yarns: int, sd: float) -> Plane:
    """(steps, yarns): the diameter along every yarn; short thick places and long ones, the thick more than the thin."""
    short = rng.standard_normal((steps, yarns), np.float32)
    long = cv2.GaussianBlur(rng.standard_normal((steps, yarns), np.float32), (1, 0), sigmaX=0.01, sigmaY=4.0)
    both = 0.6 * short + long * (0.8 / max(float(long.std()), 1e-6))
    return np.float32(sd) * (both + 0.25 * (both**2 - 1)).astype(np.float32)


def _smooth(rng: Generator, rows: int, columns: int, sd: float) -> Plane:
    """(rows, columns) of unit sd, smooth over `sd` steps."""
    made = cv2.GaussianBlur(rng.standard_normal((rows, columns), np.float32), (0, 0), sd)
    return cast(Plane, made / max(float(made.std()), 1e-6))


def _clouds(rng: Generator, rows: int, columns: int, sd: float) -> Plane:
    total = sum(weight * _smooth(rng, rows, columns, scale) for weight, scale in ((0.5, 0.7), (0.7, 2.0), (0.7, 6.0)))
    return np.asarray(total * np.float32(sd), np.float32)


def _specks(rng: Generator, height: int, width: int, per_dm2: float) -> NDArray[np.uint8]:
    """Husks, neps and stray fibres, in pixels of half the size: what every natural cloth has and what is no defect."""
    plane = np.full((2 * height, 2 * width), 128, np.uint8)
    count = rng.poisson(per_dm2 * height * width * (MM_PER_PX / 100) ** 2)
    for _ in range(int(count)):
        x, y = rng.uniform(0, 2 * width), rng.uniform(0, 2 * height)
        tone = int(np.clip(128 + rng.normal(0, 22), 60, 190))
        if rng.random() < 0.5:
            cv2.circle(plane, (int(x), int(y)), int(rng.integers(0, 2)), tone, -1, cv2.LINE_AA)
            continue
        turn, length = rng.uniform(0, 2 * np.pi), rng.uniform(2, 12) / MM_PER_PX
        angles = turn + np.cumsum(rng.normal(0, 0.35, 6))
        path = np.cumsum(np.stack([np.cos(angles), np.sin(angles)], 1) * length / 3, axis=0)
        points = np.round((path + np.array([x, y])) * 16).astype(np.int32)
        cv2.polylines(plane, [points], False, int(128 + (tone - 128) * 0.7), 1, cv2.LINE_AA, shift=4)
    return plane
