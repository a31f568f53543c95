"""A stated model of reactive inks on cotton, and the profile tables that follow from it.

SYNTHETIC: no cloth was measured. The inks are sums of Gaussian absorption bands, overprints add their densities
(Beer-Lambert), halftones mix by Demichel's area shares of the Neugebauer primaries with the Yule-Nielsen correction
(J. A. C. Yule and W. J. Nielsen, TAGA Proceedings 1951, 65-76). Spectra become XYZ through the analytic colour matching
functions of C. Wyman, P.-P. Sloan and P. Shirley, "Simple Analytic Approximations to the CIE XYZ Color Matching
Functions", JCGT 2 (2013), under an equal-energy illuminant, adapted to D50 by the Bradford transform, relative to the
unprinted cloth.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from production.domain.colour import D50, delta_e_2000, xyz_to_lab
from production.domain.icc import Tables, lab_grid

FloatArray = NDArray[np.float64]
Progress = Callable[[int, int], None]

WAVELENGTHS_NM = np.arange(400.0, 701.0, 10.0)
YULE_NIELSEN = 2.0
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


@dataclass(frozen=True)
class InkModel:
    """Inks by absorption bands (centre nm, width nm, density at 100 %), on a cloth, with limits for the separation."""

    bands: tuple[tuple[tuple[float, float, float], ...], ...]  # C, M, Y, K
    cloth: tuple[float, float]  # reflectance at 400 nm and from 480 nm up
    tac: float  # 1 = 100 % of one ink
    black_from_l: float = 62.0  # L* below which black replaces grey component


REACTIVE_ON_COTTON = InkModel(
    bands=(
        ((645.0, 62.0, 1.45), (600.0, 120.0, 0.22), (395.0, 50.0, 0.18)),
        ((540.0, 44.0, 1.45), (430.0, 90.0, 0.34)),
        ((425.0, 55.0, 1.35), (505.0, 45.0, 0.16)),
        ((450.0, 150.0, 1.30), (620.0, 140.0, 1.35)),
    ),
    cloth=(0.78, 0.86),
    tac=2.8,
)


def cloth_xyz(model: InkModel) -> FloatArray:
    """XYZ of the unprinted cloth under D50, Y of the perfect white 1."""
    return _xyz(_cloth_reflectance(model))


def lab_of_ink(ink: FloatArray, model: InkModel) -> FloatArray:
    """L*a*b* (..., 3), D50 and relative to the cloth, of ink shares (..., 4), C M Y K from 0 to 1."""
    primaries = _primaries(model) ** (1 / YULE_NIELSEN)
    shares = np.ones((*ink.shape[:-1], 1))
    for channel in range(ink.shape[-1]):
        a = ink[..., channel : channel + 1]
        shares = np.stack([shares * (1 - a), shares * a], axis=-1).reshape(*ink.shape[:-1], -1)
    spectrum = (shares @ primaries) ** YULE_NIELSEN
    return xyz_to_lab(_xyz(spectrum) / cloth_xyz(model) * D50)


def black_target(lab: FloatArray, model: InkModel) -> FloatArray:
    """How much black (..., ) a colour is to hold: none in lights and in pure colours, all of it in deep neutrals."""
    depth = np.clip((model.black_from_l - lab[..., 0]) / model.black_from_l, 0, 1)
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    return depth**1.4 * np.exp(-((chroma / 42.0) ** 2))


def separate(lab: FloatArray, model: InkModel, *, rounds: int = 40, on_round: Progress | None = None) -> FloatArray:
    """Ink shares (n, 4) that come closest to `lab` (n, 3) within the ink limit, black as `black_target` asks.

    Batched Levenberg-Marquardt on lightness, chroma and hue differences (hue counts twice as much as chroma, so a
    colour out of gamut loses strength before it turns), with weak terms for the black and for ink saved and a strong
    one for the ink limit; shares are kept from 0 to 1 in every step.
    """
    target_k = black_target(lab, model)
    turn = np.arctan2(lab[:, 2], lab[:, 1])
    cosine, sine = np.cos(turn), np.sin(turn)

    def residual(ink: FloatArray) -> FloatArray:
        difference = lab_of_ink(ink, model) - lab
        chroma = cosine * difference[:, 1] + sine * difference[:, 2]
        hue = -sine * difference[:, 1] + cosine * difference[:, 2]
        over = np.maximum(ink.sum(axis=1) - model.tac, 0)
        black, saved = 2.5 * (ink[:, 3] - target_k), 0.05 * ink[:, :3].sum(axis=1)
        return np.stack([difference[:, 0], 0.7 * chroma, 1.4 * hue, black, 120 * over, saved], axis=1)

    ink = np.full((len(lab), 4), 0.4)
    ink[:, 3] = target_k
    damping = np.full(len(lab), 1.0)
    value = residual(ink)
    cost = (value**2).sum(axis=1)
    for done in range(rounds):
        step = 1e-4
        jacobian = np.empty((len(lab), value.shape[1], 4))
        for channel in range(4):
            moved = ink.copy()
            sign = np.where(moved[:, channel] > 0.5, -step, step)
            moved[:, channel] += sign
            jacobian[:, :, channel] = (residual(moved) - value) / sign[:, None]
        gradient = np.einsum("nij,ni->nj", jacobian, value)
        stuck = ((ink <= 0) & (gradient > 0)) | ((ink >= 1) & (gradient < 0))
        jacobian = np.where(stuck[:, None, :], 0.0, jacobian)
        gradient = np.where(stuck, 0.0, gradient)
        normal = np.einsum("nij,nik->njk", jacobian, jacobian)
        normal[:, range(4), range(4)] += damping[:, None] * (1.0 + np.einsum("njj->nj", normal)) * 0.1 + 1e-9
        trial = np.clip(ink - np.linalg.solve(normal, gradient[..., None])[..., 0], 0, 1)
        trial_value = residual(trial)
        trial_cost = (trial_value**2).sum(axis=1)
        better = trial_cost < cost
        ink[better], value[better], cost[better] = trial[better], trial_value[better], trial_cost[better]
        damping = np.clip(np.where(better, damping * 0.3, damping * 4), 1e-6, 1e6)
        if on_round is not None:
            on_round(done + 1, rounds)
    return keep_within(ink, model.tac)


def keep_within(ink: FloatArray, tac: float) -> FloatArray:
    """Ink shares (..., 4) with C, M and Y scaled down together where the sum is over `tac`; black stays."""
    colour = ink[..., :3].sum(axis=-1, keepdims=True)
    room = np.maximum(tac - ink[..., 3:], 0)
    scale = np.minimum(1.0, room / np.maximum(colour, 1e-12))
    return np.concatenate([ink[..., :3] * scale, ink[..., 3:]], axis=-1)


def profile_tables(
    model: InkModel, *, a2b_grid: int = 9, b2a_grid: int = 33, on_round: Progress | None = None
) -> Tables:
    """The profile's tables of `model`: ink to colour on a2b_grid^4 nodes, colour to ink on b2a_grid^3."""
    steps = np.linspace(0, 1, a2b_grid)
    ink = np.stack(np.meshgrid(steps, steps, steps, steps, indexing="ij"), axis=-1)
    grid = lab_grid(b2a_grid)
    wanted = grid.reshape(-1, 3)
    shares = separate(wanted, model, on_round=on_round)
    missed = delta_e_2000(lab_of_ink(shares, model), wanted) > 2.0
    return Tables(
        a2b=lab_of_ink(ink, model),
        b2a=shares.reshape(*grid.shape[:3], 4),
        gamut=missed.reshape(grid.shape[:3]),
    )


def _cloth_reflectance(model: InkModel) -> FloatArray:
    blue, rest = model.cloth
    rise = np.clip((WAVELENGTHS_NM - 400) / 80, 0, 1)
    return blue + (rest - blue) * rise


def _primaries(model: InkModel) -> FloatArray:
    """(16, wavelengths) reflectance of the Neugebauer primaries, C the slowest bit and K the fastest."""
    density = [
        sum(d * np.exp(-(((WAVELENGTHS_NM - centre) / width) ** 2)) for centre, width, d in ink) for ink in model.bands
    ]
    rows = []
    for bits in range(16):
        on = [bits >> (3 - channel) & 1 for channel in range(4)]
        total = sum((d for d, use in zip(density, on, strict=True) if use), np.zeros_like(WAVELENGTHS_NM))
        # No print is blacker than its surface gloss: 1.2 % comes back whatever is under it.
        rows.append(_cloth_reflectance(model) * (0.012 + 0.988 * 10.0**-total))
    return np.array(rows)


def _xyz(reflectance: FloatArray) -> FloatArray:
    """XYZ (..., 3) under D50 of spectra (..., wavelengths), Y of the perfect white 1."""
    matching = _matching_functions()
    xyz = reflectance @ matching / matching[:, 1].sum()
    white = matching.sum(axis=0) / matching[:, 1].sum()
    gain = (_BRADFORD @ D50) / (_BRADFORD @ white)
    adapt = np.linalg.inv(_BRADFORD) @ np.diag(gain) @ _BRADFORD
    adapted: FloatArray = xyz @ adapt.T
    return adapted


def _matching_functions() -> FloatArray:
    """(wavelengths, 3): the multi-lobe fits of Wyman, Sloan and Shirley 2013, equation 4, to the CIE 1931 observer."""

    def lobe(centre: float, left: float, right: float) -> FloatArray:
        slope = np.where(centre > WAVELENGTHS_NM, left, right)
        return np.exp(-0.5 * ((WAVELENGTHS_NM - centre) * slope) ** 2)

    x = 0.362 * lobe(442.0, 0.0624, 0.0374) + 1.056 * lobe(599.8, 0.0264, 0.0323) - 0.065 * lobe(501.1, 0.0490, 0.0382)
    y = 0.821 * lobe(568.8, 0.0213, 0.0247) + 0.286 * lobe(530.9, 0.0613, 0.0322)
    z = 1.217 * lobe(437.0, 0.0845, 0.0278) + 0.681 * lobe(459.0, 0.0385, 0.0725)
    return np.stack([x, y, z], axis=1)
