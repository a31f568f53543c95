"""The machine's limits while a design is being drawn: each prediction is moved to the nearest one that can be made.

Areas are kept while shapes are rounded: a plain gradient towards "no fine details" wins by erasing the design. The
method is threshold dynamics (Merriman, Bence, Osher 1992) with a bias per role that holds its area, as in the auction
dynamics of Jacobs, Merkurjev and Esedoglu (2018).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from generation.backends.denoiser import wrap
from generation.domain.pattern import Layout

FULL_BELOW, NONE_ABOVE = 0.77, 0.92  # noise between which the projection sets in, as of a coarse picture
_SHARPNESS = 0.15
_AREA_ROUNDS = 12
_LEAST_PX = 2.0  # some blur is needed to tell which pixels of a cut shape go first
_FEATURE_PER_SIGMA = 2.7  # a blur of this share of the width is the least that rounds details under it away


@dataclass(frozen=True)
class UnitLimits:
    """The machine's limits in the network's own measures."""

    feature_px: float  # smallest detail, in pixels of a unit
    most_ink: float = 1.0  # share of the cloth that is not ground


def project(clean: Tensor, limits: UnitLimits, *, weight: float, layout: Layout) -> Tensor:
    """Coverage (1, K, H, W) moved by `weight` (0 to 1) towards coverage that keeps the limits; sums to 1 over K."""
    if weight <= 0 or (limits.feature_px <= 1 and limits.most_ink >= 1):
        return clean
    sigma = max(limits.feature_px, _LEAST_PX) / _FEATURE_PER_SIGMA
    lean = torch.log(_blurred(clean, sigma, layout).clamp(min=1e-6)) / _SHARPNESS
    areas = _allowed_areas(clean.mean(dim=(0, 2, 3)), limits.most_ink)
    for _ in range(_AREA_ROUNDS):
        now = lean.softmax(dim=1).mean(dim=(0, 2, 3))
        lean = lean + (torch.log(areas.clamp(min=1e-6)) - torch.log(now.clamp(min=1e-6))).view(1, -1, 1, 1)
    if limits.most_ink < 1:  # where roles are all but certain the rounds above are too slow: one quantile is exact
        lead = lean[:, 1:].amax(dim=1) - lean[:, 0]
        lean[:, 0] += torch.quantile(lead.flatten(), 1 - limits.most_ink).clamp(min=0)
    return (1 - weight) * clean + weight * lean.softmax(dim=1)


def weight_at(level: float) -> float:
    """How much the projection counts at a noise level of the coarse picture: 0 while structure forms, then 1."""
    return min(1.0, max(0.0, (NONE_ABOVE - level) / (NONE_ABOVE - FULL_BELOW)))


def _allowed_areas(areas: Tensor, most_ink: float) -> Tensor:
    """Area per role with the ink cut to the cap in equal shares; the ground takes what is left."""
    ink = float(areas[1:].sum())
    if ink <= most_ink:
        return areas
    kept = areas.clone()
    kept[1:] *= most_ink / ink
    kept[0] = 1 - most_ink
    return kept


def _blurred(coverage: Tensor, sigma_px: float, layout: Layout) -> Tensor:
    pad = max(1, math.ceil(3 * sigma_px))
    steps = torch.arange(-pad, pad + 1, dtype=coverage.dtype)
    bell = torch.exp(-0.5 * (steps / sigma_px) ** 2)
    bell = (bell / bell.sum()).expand(coverage.shape[1], 1, 1, -1)
    grown = wrap(coverage, pad, layout)
    across = F.conv2d(grown, bell, groups=coverage.shape[1])
    return F.conv2d(across, bell.transpose(2, 3), groups=coverage.shape[1])
