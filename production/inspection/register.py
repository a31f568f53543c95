"""Where the cloth on a scan lies against what it should look like: pose, stretch, bow, skew and size.

    found = register(reference, scan, Start.at_corner(dpi=100))
    straight = found.lay.straightened(scan)

From its start the whole map is improved together, coarse to fine, and colours and channels are matched on the way.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from production.inspection.blocks import Scaled
from production.inspection.channels import blur, channels
from production.inspection.constructions import MM_PER_PX
from production.inspection.evenness import Rows
from production.inspection.lay import BLOCK_PX, LEAST_BLOCKS, Floats, Lay, Picture, Start, middles_of, straight
from production.inspection.look import Look, alike_in_colour, matched
from production.inspection.outcome import Block, Registration
from production.inspection.pose import begun
from production.inspection.stretch import BEND_SD_PX, Asked, matrices, moved, stiffer

_TEXTURE = 1.0  # levels of brightness: a block whose reference varies less has nothing to be placed by


@dataclass(frozen=True)
class Agreement:
    """How far reference and scan show the same, once they lie on each other."""

    whole: float  # correlation over all of the cloth, -1 to 1
    agreeing: float  # share of the blocks with something to see that show the same, by what there is to see
    strangers: float  # brightness that the scan shows and the reference does not, over the reference's own
    texture: float  # share of blocks with something to be placed by
    flat: bool  # the reference is one colour all over
    colours: float  # correlation of their colours, -1 to 1: below 0 what is dark should be light


@dataclass(frozen=True)
class Registered:
    """A scan laid on its reference."""

    lay: Lay
    facts: Registration
    agreement: Agreement
    shift_um: tuple[tuple[float | None, float | None], ...]  # of red, green, blue; None: no edges tell
    blur_px: float | None  # sd of what is less sharp than the reference, pixels of the grid; None: no edges tell


def register(reference: Rows, scan: Picture, start: Start) -> Registered:
    """Lay a scan (H, W, 3) uint8 on its reference. Raises ValueError where either is smaller than LEAST_BLOCKS."""
    shape = reference.shape[0], reference.shape[1]
    if min(*shape, *scan.shape[:2]) < LEAST_BLOCKS * BLOCK_PX:
        raise ValueError(f"{shape} and {scan.shape[:2]} are too small to be laid on each other")
    coarse = Scaled(reference, scan, 4)
    lay = begun(reference, scan, start, coarse)
    lay = coarse.matched(matched(reference, scan, lay, 8, None), 2.0).improved(lay, rounds=2, forgiving=3.0)
    # A block whose edges are all of one channel would take that channel's place for its own: so the channels are looked
    # at while the map is still stiff.
    look: Look | None = None
    for _ in range(2):
        lay = stiffer(lay)
        look, _ = channels(reference, scan, lay, matched(reference, scan, lay, 4, look), coarse.weights)
        lay = coarse.matched(look, 0.7).improved(lay, rounds=2, forgiving=1.0)
    weights = coarse.weights
    del coarse
    look = matched(reference, scan, lay, 4, look)
    pair = Scaled(reference, scan, 2).matched(look, 0.7)
    lay = pair.improved(lay, rounds=2, forgiving=0.5)
    look, told = channels(reference, scan, lay, look, weights)
    lay = moved(lay, told.common)
    asked, moments = pair.left(lay)
    del pair
    agreement = _agreement(moments, alike_in_colour(reference, scan, lay))
    return Registered(
        lay=lay,
        facts=_facts(lay, asked, agreement, scan.shape[:2], start),
        agreement=agreement,
        shift_um=told.in_um(),
        blur_px=blur(reference, scan, lay, look, weights),
    )


# ------------------------------------------------------------------------------------------------ what it says


def _agreement(moments: Floats, colours: float) -> Agreement:
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
        return Agreement(0.0, 0.0, 0.0, 0.0, False, colours)
    lively = var_a > _TEXTURE**2
    whole = float(both.sum() / np.sqrt(var_a.sum() * var_s.sum() + 1e-9))
    alike = both[lively] / np.sqrt(var_a[lively] * var_s[lively] + 1e-9)
    weight = np.sqrt(var_a[lively])
    agreeing = float((weight * (alike > 0.5)).sum() / weight.sum()) if lively.any() else 0.0
    strangers = float(np.maximum(var_s - var_a, 0).mean() / (var_a.mean() + 1))
    flat = bool(np.sqrt(var_a.max()) < _TEXTURE)
    return Agreement(whole, agreeing, strangers, float(lively.mean()), flat, colours)


def _slow(plane: Floats, good: NDArray[np.bool_]) -> Floats:
    weight = good.astype(np.float64)
    sums = [cv2.GaussianBlur(each, (0, 0), 6.0, borderType=cv2.BORDER_REFLECT_101) for each in (plane * weight, weight)]
    return np.asarray(sums[0] / np.maximum(sums[1], 1e-6))


def _facts(lay: Lay, asked: Asked, agreement: Agreement, scan_px: tuple[int, ...], start: Start) -> Registration:
    shown = lay.shown((scan_px[0], scan_px[1]))
    squares = matrices(asked.squares)
    hold = np.eye(2) / BEND_SD_PX**2
    left = np.linalg.solve(squares + hold, asked.products[..., None])[..., 0]
    strength = np.linalg.eigvalsh(squares)
    sure = strength / (strength + 1 / BEND_SD_PX**2)  # per direction: 1, it was measured; 0, it was taken for granted
    off = np.hypot(left[..., 0], left[..., 1]) * MM_PER_PX
    known = shown & (sure.max(axis=-1) > 0.5)
    confidence = sure.mean(axis=-1)
    across, along = _scales(lay)
    nominal = start.nominal
    shape = _shape_of(lay, shown)
    back = np.linalg.inv(lay.turn)
    bent = ((lay.nodes - lay.pose) @ back.T) * MM_PER_PX
    middles = middles_of(lay.shape) * MM_PER_PX
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


def _scales(lay: Lay) -> tuple[float, float]:
    matrix = straight(lay)
    return float(np.hypot(*matrix[:, 0])), float(np.hypot(*matrix[:, 1]))


def _shape_of(lay: Lay, shown: NDArray[np.bool_]) -> tuple[float, float]:
    """(bow, skew) in mm: of the picks against a straight line, and against a right angle to the warp.

    It is the bow that the cloth has, wherever it comes from: uneven stretching bends picks as well.
    """
    matrix = straight(lay)
    back = np.linalg.inv(matrix[:, :2])
    off = (lay.nodes.astype(np.float64) - matrix[:, 2]) @ back.T - middles_of(lay.shape)
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
