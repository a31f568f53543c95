"""Less ink without another hue: the nearest colour that the cloth can hold."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
ToLab = Callable[[FloatArray], FloatArray]  # ink (n, C) from 0 to 1 -> L*a*b* (n, 3) as printed

ROUNDS = 12
_STEP = 1 / 256
# What a difference costs. Lightness and strength may give way, hue hardly; a grey has no strength to lose, so that
# every colour cast on it counts like hue.
_LIGHTNESS, _CHROMA, _HUE, _GREY_CHROMA = 1.0, 0.7, 4.0, 10.0
_DAMPING_FROM, _DAMPING_LEAST, _DAMPING_MOST = 1.0, 1e-4, 1e6
_SAVE = 1e-2  # keeps the solution near where it came from, in directions that change no colour


def within_limit(wanted: FloatArray, most: float, to_lab: ToLab) -> FloatArray:
    """Ink (n, C) whose sum is at most `most`, and whose colour is nearest to the one of `wanted` (n, C), all 0 to 1.

    Rows within the limit stay as they are. Others start with all inks but black (the fourth of CMYK and more) scaled
    down together, which keeps depths but turns hues; from there a batched Levenberg-Marquardt walks on the limit's
    plane (the sum stays) to the least difference in lightness, chroma and hue as `to_lab` tells them.
    """
    out = wanted.copy()
    over = wanted.sum(axis=1) > most
    if over.any():
        out[over] = _nearest(wanted[over], most, to_lab)
    return out


def scaled_to(ink: FloatArray, most: float) -> FloatArray:
    """Ink (n, C) with all inks but black scaled down together to a sum of `most`; black too where it alone is over.

    >>> scaled_to(np.array([[1.0, 1.0, 1.0, 0.4]]), 2.8).round(3).tolist()
    [[0.8, 0.8, 0.8, 0.4]]
    """
    black = np.zeros(ink.shape[1], bool)
    black[3:4] = True
    kept = np.minimum(ink[:, black].sum(axis=1), most)
    total = ink[:, ~black].sum(axis=1)
    scale = np.minimum(1.0, (most - kept) / np.maximum(total, 1e-12))
    return np.where(black, np.minimum(ink, most), ink * scale[:, None])


def _nearest(wanted: FloatArray, most: float, to_lab: ToLab) -> FloatArray:
    asked = to_lab(wanted)
    residual = _differences(asked)
    ink = scaled_to(wanted, most)
    value = residual(to_lab(ink))
    cost = (value**2).sum(axis=1)
    damping = np.full(len(ink), _DAMPING_FROM)
    for _ in range(ROUNDS):
        jacobian = _jacobian(ink, value, residual, to_lab)
        step = _step(ink, value, jacobian, damping)
        trial = ink + step
        trial_value = residual(to_lab(trial))
        trial_cost = (trial_value**2).sum(axis=1)
        better = trial_cost < cost
        ink[better], value[better], cost[better] = trial[better], trial_value[better], trial_cost[better]
        damping = np.clip(np.where(better, damping * 0.3, damping * 5), _DAMPING_LEAST, _DAMPING_MOST)
    return ink


def _differences(asked: FloatArray) -> Callable[[FloatArray], FloatArray]:
    """What tells how far L*a*b* (n, 3) is from `asked`: (n, 3) weighted lightness, chroma and hue."""
    chroma = np.hypot(asked[:, 1], asked[:, 2])
    turn = np.arctan2(asked[:, 2], asked[:, 1])
    cosine, sine = np.cos(turn), np.sin(turn)
    strength = _CHROMA + (_HUE - _CHROMA) * np.exp(-((chroma / _GREY_CHROMA) ** 2))

    def weighted(lab: FloatArray) -> FloatArray:
        by = lab - asked
        along, aside = cosine * by[:, 1] + sine * by[:, 2], cosine * by[:, 2] - sine * by[:, 1]
        return np.stack([_LIGHTNESS * by[:, 0], strength * along, _HUE * aside], axis=1)

    return weighted


def _jacobian(
    ink: FloatArray, value: FloatArray, residual: Callable[[FloatArray], FloatArray], to_lab: ToLab
) -> FloatArray:
    """(n, 3, C) by finite differences."""
    jacobian = np.empty((*value.shape, ink.shape[1]))
    for k in range(ink.shape[1]):
        moved = ink.copy()
        sign = np.where(ink[:, k] > 0.5, -_STEP, _STEP)
        moved[:, k] += sign
        jacobian[:, :, k] = (residual(to_lab(moved)) - value) / sign[:, None]
    return jacobian


def _step(ink: FloatArray, value: FloatArray, jacobian: FloatArray, damping: FloatArray) -> FloatArray:
    """The damped step that leaves the sum of the inks as it is and every ink between 0 and 1."""
    count = ink.shape[1]
    gradient = np.einsum("nij,ni->nj", jacobian, value)
    # An ink at its end stays there unless it gains more than the others on the way inwards.
    level = gradient - gradient.mean(axis=1, keepdims=True)
    fixed = ((ink <= 0) & (level > 0)) | ((ink >= 1) & (level < 0))
    free = (~fixed).astype(float)
    normal = np.einsum("nij,nik->njk", jacobian, jacobian) * free[:, :, None] * free[:, None, :]
    trace = np.einsum("njj->n", normal) / count
    system = np.zeros((len(ink), count + 1, count + 1))
    system[:, :count, :count] = normal
    system[:, range(count), range(count)] += (damping * (trace + 1) * 0.1 + _SAVE)[:, None]
    system[:, :count, count] = system[:, count, :count] = free
    system[:, count, count] = -1e-9  # where every ink is fixed there is nothing to solve
    right = np.concatenate([-gradient * free, np.zeros((len(ink), 1))], axis=1)
    step = np.linalg.solve(system, right[..., None])[:, :count, 0] * free
    room = np.where(step > 0, 1 - ink, ink)
    share = np.where(np.abs(step) > 1e-12, room / np.maximum(np.abs(step), 1e-12), np.inf).min(axis=1)
    moved: FloatArray = step * np.minimum(1.0, share)[:, None]
    return moved
