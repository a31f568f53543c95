"""The network's geometry: a UNet that sees a torus, units cut into patches, and where in its unit each patch lies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from diffusers import UNet2DConditionModel
from torch import Tensor, nn

from generation.domain.pattern import Layout
from generation.domain.setting import Cells

ROLES = 8
UNIT_PX = 64
PATCH_PX = 4
UNIT_TOKENS = UNIT_PX // PATCH_PX
WAVES = (1, 2, 4, 7)
COORDINATES = 4 * len(WAVES)
TEXT_TOKENS = 24
TEXT_WIDTH = 384

UNET_CONFIG: dict[str, Any] = {
    "sample_size": UNIT_TOKENS,
    "in_channels": ROLES * PATCH_PX**2 + COORDINATES,
    "out_channels": ROLES * PATCH_PX**2,
    "block_out_channels": (96, 128, 192),
    "layers_per_block": 1,
    "down_block_types": ("DownBlock2D", "DownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
    "cross_attention_dim": TEXT_WIDTH,
    "attention_head_dim": 4,  # diffusers reads this as the number of heads
    "norm_num_groups": 16,
    "class_embed_type": "projection",  # the sentence as a whole reaches every block, beside its words by attention
    "projection_class_embeddings_input_dim": TEXT_WIDTH,
}


@dataclass
class Torus:
    """How the sheet wraps at its edges; shared by all convolutions of one network."""

    layout: Layout = Layout.STRAIGHT


class TorusConv2d(nn.Conv2d):
    """A convolution whose padding is the neighbouring repeat, exactly as it will lie on the cloth."""

    torus: Torus

    def forward(self, input: Tensor) -> Tensor:
        return F.conv2d(wrap(input, 1, self.torus.layout), self.weight, self.bias, self.stride)


def make_toroidal(unet: UNet2DConditionModel) -> Torus:
    """Let every convolution wider than one pixel pad with the repeat's neighbours; returns its layout switch."""
    torus = Torus()
    for module in unet.modules():
        if isinstance(module, nn.Conv2d) and module.kernel_size != (1, 1):
            if module.kernel_size != (3, 3) or module.padding != (1, 1):
                raise ValueError(f"a torus needs 3 x 3 convolutions padded by one, not {module}")
            module.__class__ = TorusConv2d
            module.torus = torus  # type: ignore[assignment]
    return torus


def wrap(x: Tensor, pad: int, layout: Layout) -> Tensor:
    """(B, C, H, W) grown by `pad` on all sides with what lies beyond the edge in that layout."""
    if layout is Layout.STRAIGHT:
        return F.pad(x, (pad, pad, pad, pad), mode="circular")
    if layout is Layout.MIRROR:
        top = torch.cat([x[:, :, :pad].flip(2), x, x[:, :, -pad:].flip(2)], dim=2)
        return torch.cat([top[..., :pad].flip(3), top, top[..., -pad:].flip(3)], dim=3)
    if layout is Layout.HALF_DROP:
        shift = x.shape[2] // 2
        wide = torch.cat([x[..., -pad:].roll(shift, 2), x, x[..., :pad].roll(shift, 2)], dim=3)
        return torch.cat([wide[:, :, -pad:], wide, wide[:, :, :pad]], dim=2)
    shift = x.shape[3] // 2
    tall = torch.cat([x[:, :, -pad:].roll(shift, 3), x, x[:, :, :pad].roll(shift, 3)], dim=2)
    return torch.cat([tall[..., -pad:], tall, tall[..., :pad]], dim=3)


def coordinates(cells: Cells) -> Tensor:
    """(1, COORDINATES, rows * UNIT_TOKENS, columns * UNIT_TOKENS) sines of each patch's place in its own unit."""
    y, x = torch.meshgrid(
        (torch.arange(cells.rows * UNIT_TOKENS) + 0.5) / UNIT_TOKENS,
        (torch.arange(cells.columns * UNIT_TOKENS) + 0.5) / UNIT_TOKENS,
        indexing="ij",
    )
    if cells.dropped is Layout.HALF_DROP:
        y = y + 0.5 * (x.floor() % 2)
    if cells.dropped is Layout.HALF_BRICK:
        x = x + 0.5 * (y.floor() % 2)
    maps = [wave(2 * torch.pi * k * axis) for axis in (x, y) for k in WAVES for wave in (torch.sin, torch.cos)]
    return torch.stack(maps)[None]


def predict_logits(unet: UNet2DConditionModel, noisy: Tensor, time: Tensor, text: Tensor, where: Tensor) -> Tensor:
    """(B, ROLES, H, W) logits of the clean design from its noisy form in [-1, 1] at noise `time` (B,) in [0, 1].

    `text` is (B, TEXT_TOKENS, TEXT_WIDTH), zeros for "no words"; `where` is (1, COORDINATES, H / 4, W / 4). What a
    pixel says of itself is added in closed form, so that the network only learns what its surroundings say.
    """
    tokens = torch.cat([F.pixel_unshuffle(noisy, PATCH_PX), where.expand(len(noisy), -1, -1, -1)], dim=1)
    tokens = tokens.contiguous(memory_format=torch.channels_last)
    out = unet(tokens, time * 1000.0, text, class_labels=sentence(text)).sample
    return F.pixel_shuffle(out.float(), PATCH_PX) + evidence(time).view(-1, 1, 1, 1) * noisy


def evidence(time: Tensor) -> Tensor:
    """How strongly a noisy pixel speaks for its role: d log p(z | role k) / d z_k of the Gaussian path.

    At most 2.5: where there is little noise, a middling value is a pixel that two roles share, not doubt between them.
    """
    return (2 * (1 - time) / time.clamp(min=1e-3) ** 2).clamp(max=2.5)


def sentence(text: Tensor) -> Tensor:
    """(B, TEXT_WIDTH) the mean of the token states that are there; zeros for "no words"."""
    present = (text.abs().sum(dim=-1, keepdim=True) > 0).float()
    return (text * present).sum(dim=1) / present.sum(dim=1).clamp(min=1)


def shifted(time: Tensor, shift: float) -> Tensor:
    """Noise levels moved up: coarse structure is decided near time 1 (Esser et al. 2024, section 5.3.2)."""
    return shift * time / (1 + (shift - 1) * time)
