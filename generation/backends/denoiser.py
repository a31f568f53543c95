"""The network's geometry: a UNet that sees a torus, units cut into patches, and where in its unit each patch lies."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.nn.functional as F
from diffusers import UNet2DConditionModel
from torch import Tensor, nn

from generation.domain.pattern import Layout
from generation.domain.setting import Cells

ROLES = 8
WAVES = (1, 2, 4, 7)
COORDINATES = 4 * len(WAVES)
TEXT_TOKENS = 24
TEXT_WIDTH = 384
COARSE_PX = 64  # noise is told to the network as it stands once a unit is averaged down to this many pixels a side


@dataclass(frozen=True)
class Geometry:
    """How a network sees one repeat unit: a square of `unit_px`, cut into patches of `patch_px` that are its tokens."""

    unit_px: int
    patch_px: int

    @property
    def unit_tokens(self) -> int:
        """Patches along a side of the unit."""
        return self.unit_px // self.patch_px


def network(geometry: Geometry, widths: tuple[int, ...] = (96, 128, 192)) -> UNet2DConditionModel:
    """An untrained UNet for that geometry; attention to the words on the coarser levels only."""
    attention = len(widths) - 1
    return UNet2DConditionModel(
        sample_size=geometry.unit_tokens,
        in_channels=ROLES * geometry.patch_px**2 + COORDINATES,
        out_channels=ROLES * geometry.patch_px**2,
        block_out_channels=widths,
        layers_per_block=1,
        down_block_types=("DownBlock2D",) * attention + ("CrossAttnDownBlock2D",),
        up_block_types=("CrossAttnUpBlock2D",) + ("UpBlock2D",) * attention,
        cross_attention_dim=TEXT_WIDTH,
        attention_head_dim=4,  # diffusers reads this as the number of heads
        norm_num_groups=16,
        class_embed_type="projection",  # the sentence as a whole reaches every block, beside its words by attention
        projection_class_embeddings_input_dim=TEXT_WIDTH,
    )


def geometry_of(unet: UNet2DConditionModel) -> Geometry:
    """The geometry a network was made for, read from its configuration."""
    patch_px = math.isqrt((unet.config["in_channels"] - COORDINATES) // ROLES)
    return Geometry(unet.config["sample_size"] * patch_px, patch_px)


def grown(unet: UNet2DConditionModel, factor: int = 2) -> UNet2DConditionModel:
    """The same network over units of `factor` times as many pixels a side, cut into as many patches as before.

    A fine pixel is read as its share of the coarse pixel it lies in, and drawn as that pixel: what was learned of
    motifs and words stays, and training only has to add the finer outlines.
    """
    coarse = geometry_of(unet)
    fine = Geometry(coarse.unit_px * factor, coarse.patch_px * factor)
    larger = network(fine, tuple(unet.config["block_out_channels"]))
    weights = unet.state_dict()
    pixels, places = weights["conv_in.weight"].split([ROLES * coarse.patch_px**2, COORDINATES], dim=1)
    weights["conv_in.weight"] = torch.cat(
        [_spread(pixels.transpose(0, 1), coarse, factor) / factor**2, places.transpose(0, 1)]
    ).transpose(0, 1)
    for name in ("conv_out.weight", "conv_out.bias"):
        weights[name] = _spread(weights[name], coarse, factor)
    larger.load_state_dict(weights)
    return larger


def _spread(by_pixel: Tensor, coarse: Geometry, factor: int) -> Tensor:
    """(ROLES * patch², ...) per coarse pixel of a patch to (ROLES * (patch * factor)², ...) per fine pixel."""
    side = coarse.patch_px
    square = by_pixel.reshape(ROLES, side, side, *by_pixel.shape[1:])
    return square.repeat_interleave(factor, 1).repeat_interleave(factor, 2).flatten(0, 2)


class Torus(threading.local):
    """How the sheet wraps at its edges; shared by all convolutions of one network, and each thread's own."""

    layout: Layout = Layout.STRAIGHT

    def __deepcopy__(self, memo: dict[int, object]) -> Torus:
        copied = Torus()
        copied.layout = self.layout
        return copied


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
    if layout.drop:
        lower = int(x.shape[2] * layout.drop)
        wide = torch.cat([x[..., -pad:].roll(-lower, 2), x, x[..., :pad].roll(lower, 2)], dim=3)
        return torch.cat([wide[:, :, -pad:], wide, wide[:, :, :pad]], dim=2)
    aside = int(x.shape[3] * layout.shift)
    tall = torch.cat([x[:, :, -pad:].roll(-aside, 3), x, x[:, :, :pad].roll(aside, 3)], dim=2)
    return torch.cat([tall[..., -pad:], tall, tall[..., :pad]], dim=3)


def coordinates(cells: Cells, unit_tokens: int) -> Tensor:
    """(1, COORDINATES, rows * unit_tokens, columns * unit_tokens) sines of each patch's place in its own unit."""
    y, x = torch.meshgrid(
        (torch.arange(cells.rows * unit_tokens) + 0.5) / unit_tokens,
        (torch.arange(cells.columns * unit_tokens) + 0.5) / unit_tokens,
        indexing="ij",
    )
    lower, aside = float(cells.dropped.drop), float(cells.dropped.shift)
    x, y = x + (-aside * y.floor()) % 1, y + (-lower * x.floor()) % 1  # what stands lower is further up in its unit
    maps = [wave(2 * torch.pi * k * axis) for axis in (x, y) for k in WAVES for wave in (torch.sin, torch.cos)]
    return torch.stack(maps)[None]


def predict_logits(unet: UNet2DConditionModel, noisy: Tensor, time: Tensor, text: Tensor, where: Tensor) -> Tensor:
    """(B, ROLES, H, W) logits of the clean design from its noisy form in [-1, 1] at noise `time` (B,) in [0, 1].

    `text` is (B, TEXT_TOKENS, TEXT_WIDTH), zeros for "no words"; `where` is (1, COORDINATES, H / patch, W / patch).
    What a pixel says of itself is added in closed form, so that the network only learns what its surroundings say.
    """
    geometry = geometry_of(unet)
    # Averaged over n x n pixels the design keeps its size and the noise falls to 1 / n: the network is told, and
    # scaled to, the noise that would stand in the coarse picture, so that one level means the same at every size.
    total = (1 - time) + time * COARSE_PX / geometry.unit_px
    patches = F.pixel_unshuffle(noisy / total.view(-1, 1, 1, 1), geometry.patch_px)
    tokens = torch.cat([patches, where.expand(len(noisy), -1, -1, -1)], dim=1)
    tokens = tokens.contiguous(memory_format=torch.channels_last)
    level = coarse_level(time, geometry.unit_px)
    out = unet(tokens, level * 1000.0, text, class_labels=sentence(text)).sample
    return F.pixel_shuffle(out.float(), geometry.patch_px) + evidence(time).view(-1, 1, 1, 1) * noisy


_Level = TypeVar("_Level", float, Tensor)


def coarse_level(time: _Level, unit_px: int) -> _Level:
    """The noise level once a unit of `unit_px` is averaged down to 64 pixels a side, in [0, 1]."""
    coarse = time * COARSE_PX / unit_px
    return coarse / ((1 - time) + coarse)


def fine_level(coarse: float, unit_px: int) -> float:
    """The noise level in a unit of `unit_px` that is `coarse` once averaged down to 64 pixels a side."""
    fine = coarse * unit_px / COARSE_PX
    return fine / ((1 - coarse) + fine)


def evidence(time: Tensor) -> Tensor:
    """How strongly a noisy pixel speaks for its role: d log p(z | role k) / d z_k of the Gaussian path.

    At most 2.5: where there is little noise, a middling value is a pixel that two roles share, not doubt between them.
    """
    return (2 * (1 - time) / time.clamp(min=1e-3) ** 2).clamp(max=2.5)


def sentence(text: Tensor) -> Tensor:
    """(B, TEXT_WIDTH) the mean of the token states that are there; zeros for "no words"."""
    present = (text.abs().sum(dim=-1, keepdim=True) > 0).float()
    return (text * present).sum(dim=1) / present.sum(dim=1).clamp(min=1)


def noise_shift(unit_px: int) -> float:
    """How far noise levels are moved up for units of that size: 5 at 64 pixels, and in step with the side."""
    return 5.0 * unit_px / COARSE_PX


def shifted(time: Tensor, shift: float) -> Tensor:
    """Noise levels moved up: coarse structure is decided near time 1 (Esser et al. 2024, section 5.3.2)."""
    return shift * time / (1 + (shift - 1) * time)
