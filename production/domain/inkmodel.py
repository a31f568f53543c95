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
from functools import lru_cache
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

from production.domain.colour import D50, delta_e_2000, xyz_to_lab
from production.domain.icc import Tables, lab_grid, nodes_per_ink

FloatArray = NDArray[np.float64]
Progress = Callable[[int, int], None]

WAVELENGTHS_NM = np.arange(400.0, 701.0, 10.0)
YULE_NIELSEN = 2.0
BLACK = 3  # inks stand as C, M, Y, K, then the others
MOST_INKS = 8  # each ink doubles the primaries: 256 here
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


@dataclass(frozen=True)
class InkModel:
    """Inks by absorption bands (centre nm, width nm, density at 100 %), on a cloth, with limits for the separation."""

    bands: tuple[tuple[tuple[float, float, float], ...], ...]  # C, M, Y, K, then the others
    cloth: tuple[float, float]  # reflectance at 400 nm and from 480 nm up
    tac: float  # 1 = 100 % of one ink
    black_from_l: float = 62.0  # L* below which black replaces grey component

    def __post_init__(self) -> None:
        if not BLACK < len(self.bands) <= MOST_INKS:
            raise ValueError(f"{len(self.bands)} inks: a model has C, M, Y and K and {MOST_INKS} inks at most")

    @property
    def colours(self) -> list[int]:
        """The places of all inks but black."""
        return [ink for ink in range(len(self.bands)) if ink != BLACK]


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
# The cloth is the same and takes the same liquid, so its ink limit is too.
REACTIVE_SIX_ON_COTTON = InkModel(
    bands=(
        *REACTIVE_ON_COTTON.bands,
        ((497.0, 50.0, 1.50), (430.0, 60.0, 0.70), (590.0, 50.0, 0.08)),  # orange
        ((580.0, 45.0, 1.40), (535.0, 35.0, 0.50), (430.0, 60.0, 0.15)),  # violet
    ),
    cloth=REACTIVE_ON_COTTON.cloth,
    tac=REACTIVE_ON_COTTON.tac,
)


def cloth_xyz(model: InkModel) -> FloatArray:
    """XYZ of the unprinted cloth under D50, Y of the perfect white 1."""
    return _xyz(_cloth_reflectance(model))


def lab_of_ink(ink: FloatArray, model: InkModel) -> FloatArray:
    """L*a*b* (..., 3), D50 and relative to the cloth, of ink shares (..., inks) from 0 to 1."""
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
    """Ink shares (n, inks) that come closest to `lab` (n, 3) within the ink limit, black as `black_target` asks.

    Batched Levenberg-Marquardt on lightness, chroma and hue differences (hue counts twice as much as chroma, so a
    colour out of gamut loses strength before it turns), with weak terms for the black and for ink saved and a strong
    one for the ink limit; shares are kept from 0 to 1 in every step. More than four inks could mix most colours in many
    ways: each ink after black is held back a little, and a little more where its opponent or another of them prints,
    so that few inks meet and neighbouring colours take the same ones.
    """
    target_k = black_target(lab, model)
    turn = np.arctan2(lab[:, 2], lab[:, 1])
    cosine, sine = np.cos(turn), np.sin(turn)
    inks, apart = len(model.bands), _kept_apart(model)

    def residual(ink: FloatArray) -> FloatArray:
        difference = lab_of_ink(ink, model) - lab
        chroma = cosine * difference[:, 1] + sine * difference[:, 2]
        hue = -sine * difference[:, 1] + cosine * difference[:, 2]
        over = np.maximum(ink.sum(axis=1) - model.tac, 0)
        black, saved = 2.5 * (ink[:, BLACK] - target_k), 0.05 * ink[:, model.colours].sum(axis=1)
        held = [0.1 * ink[:, extra] for extra in range(BLACK + 1, inks)]
        met = [3.0 * ink[:, one] * ink[:, other] for one, other in apart]
        return np.stack([difference[:, 0], 0.7 * chroma, 1.4 * hue, black, 120 * over, saved, *held, *met], axis=1)

    ink = np.full((len(lab), inks), 0.4)
    ink[:, BLACK] = target_k
    ink[:, BLACK + 1 :] = 0.1
    damping = np.full(len(lab), 1.0)
    value = residual(ink)
    cost = (value**2).sum(axis=1)
    for done in range(rounds):
        step = 1e-4
        jacobian = np.empty((len(lab), value.shape[1], inks))
        for channel in range(inks):
            moved = ink.copy()
            sign = np.where(moved[:, channel] > 0.5, -step, step)
            moved[:, channel] += sign
            jacobian[:, :, channel] = (residual(moved) - value) / sign[:, None]
        gradient = np.einsum("nij,ni->nj", jacobian, value)
        stuck = ((ink <= 0) & (gradient > 0)) | ((ink >= 1) & (gradient < 0))
        jacobian = np.where(stuck[:, None, :], 0.0, jacobian)
        gradient = np.where(stuck, 0.0, gradient)
        normal = np.einsum("nij,nik->njk", jacobian, jacobian)
        normal[:, range(inks), range(inks)] += damping[:, None] * (1.0 + np.einsum("njj->nj", normal)) * 0.1 + 1e-9
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
    """Ink shares (..., inks) with all but black scaled down together where the sum is over `tac`; black stays."""
    black = ink[..., BLACK : BLACK + 1]
    colour = np.delete(ink, BLACK, axis=-1).sum(axis=-1, keepdims=True)
    kept: FloatArray = ink * np.minimum(1.0, np.maximum(tac - black, 0) / np.maximum(colour, 1e-12))
    kept[..., BLACK : BLACK + 1] = black
    return kept


def profile_tables(model: InkModel, *, b2a_grid: int = 33, on_round: Progress | None = None) -> Tables:
    """The profile's tables of `model`: ink to colour on a grid of all inks, colour to ink on b2a_grid^3 nodes."""
    inks = len(model.bands)
    steps = np.linspace(0, 1, nodes_per_ink(inks))
    ink = np.stack(np.meshgrid(*[steps] * inks, indexing="ij"), axis=-1)
    grid = lab_grid(b2a_grid)
    wanted = grid.reshape(-1, 3)
    shares = separate(wanted, model, on_round=on_round)
    missed = delta_e_2000(lab_of_ink(shares, model), wanted) > 2.0
    return Tables(
        a2b=lab_of_ink(ink, model),
        b2a=shares.reshape(*grid.shape[:3], inks),
        gamut=missed.reshape(grid.shape[:3]),
    )


def gamut_volume(model: InkModel, *, step: float = 4.0) -> float:
    """The volume of the colours `model` can make, in cubic L*a*b* units: cells of `step` that it meets to ΔE2000 1."""
    lightness, chroma = np.arange(step / 2, 100, step), np.arange(-120 + step / 2, 120, step)
    lab = np.stack(np.meshgrid(lightness, chroma, chroma, indexing="ij"), axis=-1).reshape(-1, 3)
    made = delta_e_2000(lab_of_ink(separate(lab, model), model), lab) <= 1.0
    return float(made.sum() * step**3)


def _kept_apart(model: InkModel) -> list[tuple[int, int]]:
    """Pairs of inks that are not to print on each other: inks after black, and each with its opponent of C, M and Y."""
    solids = lab_of_ink(np.eye(len(model.bands)), model)
    hue = np.arctan2(solids[:, 2], solids[:, 1])
    extra = range(BLACK + 1, len(model.bands))
    opponents = [(ink, int(np.argmin(np.cos(hue[:BLACK] - hue[ink])))) for ink in extra]
    return [*opponents, *combinations(extra, 2)]


def _cloth_reflectance(model: InkModel) -> FloatArray:
    blue, rest = model.cloth
    rise = np.clip((WAVELENGTHS_NM - 400) / 80, 0, 1)
    return blue + (rest - blue) * rise


@lru_cache
def _primaries(model: InkModel) -> FloatArray:
    """(2^inks, wavelengths) reflectance of the Neugebauer primaries, the first ink the slowest bit."""
    density = [
        sum(d * np.exp(-(((WAVELENGTHS_NM - centre) / width) ** 2)) for centre, width, d in ink) for ink in model.bands
    ]
    rows = []
    for on in product((False, True), repeat=len(model.bands)):
        total = sum((d for d, use in zip(density, on, strict=True) if use), np.zeros_like(WAVELENGTHS_NM))
        # No print is blacker than its surface gloss: 1.2 % comes back whatever is under it.
        rows.append(_cloth_reflectance(model) * (0.012 + 0.988 * 10.0**-total))
    primaries = np.array(rows)
    primaries.flags.writeable = False
    return primaries


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
