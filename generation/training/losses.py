"""What the network is trained on and measured by: soft-label cross-entropy along the flow-matching path."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def noisy(clean: Tensor, noise: Tensor, time: Tensor) -> Tensor:
    """The straight path from a design at time 0 to noise at time 1; coverage `clean` (B, K, H, W) in [0, 1]."""
    t = time.view(-1, 1, 1, 1)
    return (1 - t) * (2 * clean - 1) + t * noise


def soft_cross_entropy(logits: Tensor, clean: Tensor) -> Tensor:
    """(B,) mean over pixels of -sum_k coverage_k log p_k, in nats."""
    return -(clean * torch.log_softmax(logits, dim=1)).sum(dim=1).mean(dim=(1, 2))


def entropy(clean: Tensor) -> Tensor:
    """(B,) the cross-entropy that no model can go below: pixels that several roles share, in nats."""
    return -torch.xlogy(clean, clean).sum(dim=1).mean(dim=(1, 2))


def broken_limits(logits: Tensor, clean: Tensor, feature_px: Tensor, most_ink: Tensor) -> Tensor:
    """(B,) how far a prediction is from the machine's limits that its caption names; 0 where none is named.

    feature_px (B,): the smallest detail in whole pixels, 0 for no limit. most_ink (B,): share of the cloth that is not
    ground, 1 for no limit. What no square of the smallest detail covers counts (a soft opening, Serra 1982), and each
    role's area is held to its own, cut to the cap on ink: without it the cheapest way to have no fine detail is to draw
    nothing.
    """
    shares = logits.softmax(dim=1)
    ink = (1 - clean[:, 0]).mean(dim=(1, 2))
    thinner = torch.where(ink > most_ink, most_ink / ink.clamp(min=1e-6), torch.ones_like(ink))
    areas, wanted = shares[:, 1:].mean(dim=(2, 3)), clean[:, 1:].mean(dim=(2, 3)) * thinner[:, None]
    missed = torch.zeros_like(ink)
    for width in feature_px.unique().tolist():
        if width > 1:
            chosen = feature_px == width
            opened = _opened(shares[chosen], int(width))
            missed = missed.masked_scatter(chosen, (shares[chosen] - opened).clamp(min=0).sum(dim=1).mean(dim=(1, 2)))
    named = (feature_px > 1) | (most_ink < 1)
    return (missed + (areas - wanted).abs().sum(dim=1)) * named


def _opened(shares: Tensor, width: int) -> Tensor:
    before, after = (width - 1) // 2, width // 2
    eroded = -F.max_pool2d(F.pad(-shares, (before, after, before, after), mode="circular"), width, stride=1)
    return F.max_pool2d(F.pad(eroded, (after, before, after, before), mode="circular"), width, stride=1)
