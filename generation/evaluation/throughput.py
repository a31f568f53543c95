"""Designs a second in one batch, and how much of the bf16 ceiling of the device that is: a GPU where there is one."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from diffusers import UNet2DConditionModel
from torch.utils.flop_counter import FlopCounterMode

from generation.backends.denoiser import (
    COORDINATES,
    ROLES,
    TEXT_TOKENS,
    TEXT_WIDTH,
    geometry_of,
    predict_logits,
)
from generation.backends.drawing import STEPS

_CEILING_SIDE = {"cuda": 8192, "cpu": 2048}
_RUNS = 5


@dataclass(frozen=True)
class Throughput:
    """What a batch of motif units costs on one device."""

    device: str
    batch: int
    units_per_s: float  # drawn in STEPS passes each
    tflops: float
    ceiling_tflops: float  # a square bf16 matrix product on the same device, a moment later

    @property
    def share_of_ceiling(self) -> float:
        """Arithmetic done against the most the device does, 0 to 1."""
        return self.tflops / self.ceiling_tflops


def throughput(unet: UNet2DConditionModel, *, batch: int = 64, device: str | None = None) -> Throughput:
    """Time the network on a batch of single units; device: the GPU where there is one, unless it is named."""
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    geometry = geometry_of(unet)
    unet = unet.to(device, memory_format=torch.channels_last)
    noisy = torch.randn(batch, ROLES, geometry.unit_px, geometry.unit_px, device=device)
    level = torch.full((batch,), 0.6, device=device)
    text = torch.randn(batch, TEXT_TOKENS, TEXT_WIDTH, device=device)
    where = torch.zeros(1, COORDINATES, geometry.unit_tokens, geometry.unit_tokens, device=device)

    def one_pass() -> None:
        with torch.inference_mode(), torch.autocast(device, torch.bfloat16):
            predict_logits(unet, noisy, level, text, where)

    with FlopCounterMode(display=False) as counted:
        one_pass()
    pass_s = _fastest_s(one_pass, device)
    side = _CEILING_SIDE[device]
    square = torch.randn(side, side, device=device, dtype=torch.bfloat16)
    product_s = _fastest_s(lambda: torch.mm(square, square), device)
    return Throughput(
        device=device,
        batch=batch,
        units_per_s=batch / (STEPS * pass_s),
        tflops=counted.get_total_flops() / pass_s / 1e12,
        ceiling_tflops=2 * side**3 / product_s / 1e12,
    )


def _fastest_s(work: Callable[[], object], device: str) -> float:
    """The least of a few runs in seconds: what the device can do when nobody else asks it."""
    work()
    taken = []
    for _ in range(_RUNS):
        _finish(device)
        began = time.perf_counter()
        work()
        _finish(device)
        taken.append(time.perf_counter() - began)
    return min(taken)


def _finish(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()
