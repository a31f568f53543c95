"""What the network is trained on and measured by: soft-label cross-entropy along the flow-matching path."""

from __future__ import annotations

import torch
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
