"""The network that finds and names defects: an early-fusion U-Net over features at half the scan's resolution.

U-Net: O. Ronneberger, P. Fischer, T. Brox, MICCAI 2015; here with strided convolutions down, one 3 x 3 convolution per
level up but the last, and batch normalisation that is folded into the convolutions before anything is inspected.
"""

from __future__ import annotations

import copy
from itertools import pairwise
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from production.inspection.features import CHANNELS
from production.inspection.flaws import KINDS

CLASSES = 1 + len(KINDS)
WIDTHS = (16, 32, 56, 80, 112)
_STEM = 24
_TOGETHER = 2048  # pixels that stay in the processor's cache
_SPAN = 32  # of 8-bit features: then they are numbers of about one


class Block(nn.Module):
    """Convolution, normalisation, rectifier."""

    def __init__(self, inside: int, outside: int, *, kernel: int = 3, stride: int = 1) -> None:
        super().__init__()
        self.convolution: nn.Module = nn.Conv2d(inside, outside, kernel, stride, kernel // 2, bias=False)
        self.normalisation: nn.Module = nn.BatchNorm2d(outside)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu_(self.normalisation(self.convolution(x)))


class Joined(Block):
    """What was seen finely and what was seen coarsely, mixed pixel by pixel."""

    def __init__(self, fine: int, coarse: int) -> None:
        super().__init__(fine + coarse, fine, kernel=1)

    def forward(self, fine: Tensor, coarse: Tensor) -> Tensor:  # type: ignore[override]
        return super().forward(torch.cat([fine, _as_fine(coarse, fine)], dim=1))


class _Mixture(nn.Module):
    """A convolution of kernel 1 as what it is, a product of matrices; for pixels that lie together in memory.

    A few rows at a time: the pixels of a window in single precision would fill 200 MB, and be fetched twice.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        self.weight = weight.detach().flatten(1).t().contiguous()  # (inside, outside)
        self.bias = torch.zeros(len(weight)) if bias is None else bias.detach()

    def forward(self, x: Tensor) -> Tensor:
        pixels = x.permute(0, 2, 3, 1)
        out = torch.empty((*pixels.shape[:3], self.weight.shape[1]))
        rows = max(1, _TOGETHER // pixels.shape[2])
        bias = self.bias.expand(rows * pixels.shape[2], -1).contiguous()
        for one, made in zip(pixels, out, strict=True):
            for part, room in zip(one.split(rows), made.split(rows), strict=True):
                some = part.flatten(0, 1).float()
                torch.addmm(bias[: len(some)], some, self.weight, out=room.view(-1, room.shape[-1]))
        return out.permute(0, 3, 1, 2)


class _Sum(nn.Module):
    """`Joined` folded: a sum of two mixtures, the coarse one made before there are four times as many pixels of it."""

    def __init__(self, whole: nn.Conv2d) -> None:
        super().__init__()
        self.fine = _Mixture(whole.weight[:, : whole.out_channels], whole.bias)
        self.coarse = _Mixture(whole.weight[:, whole.out_channels :], None)

    def forward(self, fine: Tensor, coarse: Tensor) -> Tensor:
        out = self.fine(fine)
        fours = out.permute(0, 2, 3, 1).unflatten(1, (-1, 2)).unflatten(3, (-1, 2))  # (B, h, 2, w, 2, outside)
        fours += self.coarse(coarse).permute(0, 2, 3, 1)[:, :, None, :, None]
        return F.relu_(out)


class _Units(nn.Module):
    """Features of 8 bits as numbers of about one."""

    def forward(self, x: Tensor) -> Tensor:
        return x.float() / _SPAN


def _as_fine(coarse: Tensor, fine: Tensor) -> Tensor:
    return F.interpolate(coarse, size=fine.shape[-2:], mode="nearest")


class Inspector(nn.Module):
    """(B, CHANNELS, H / 2, W / 2) 8-bit features to (B, CLASSES, H / 2, W / 2) scores: sound cloth, then every kind."""

    def __init__(self, widths: tuple[int, ...] = WIDTHS) -> None:
        super().__init__()
        self.units: nn.Module = _Units()
        self.stem = nn.Sequential(Block(CHANNELS, _STEM, kernel=1), Block(_STEM, widths[0]))
        pairs = list(pairwise(widths))
        self.down = nn.ModuleList(
            nn.Sequential(Block(fine, coarse, stride=2), Block(coarse, coarse)) for fine, coarse in pairs
        )
        self.join = nn.ModuleList(Joined(fine, coarse) for fine, coarse in reversed(pairs))
        # What is as fine as the features needs no more looking around: it is as dear as all the rest.
        self.mix = nn.ModuleList(Block(fine, fine) for fine, _ in reversed(pairs[1:]))
        self.head: nn.Module = nn.Conv2d(widths[0], CLASSES, 1)

    def forward(self, x: Tensor) -> Tensor:
        passed = [self.stem(self.units(x))]
        for down in self.down:
            passed.append(down(passed[-1]))
        x = passed.pop()
        for number, join in enumerate(self.join):
            x = join(passed.pop(), x)
            if number < len(self.mix):
                x = self.mix[number](x)
        scores: Tensor = self.head(x)
        return scores


def parameters_of(network: nn.Module) -> int:
    """How many numbers a network has learned."""
    return sum(parameter.numel() for parameter in network.parameters())


def folded(network: Inspector) -> Inspector:
    """The same answers with every normalisation folded into its convolution."""
    made = copy.deepcopy(network).eval().requires_grad_(False)
    for block in made.modules():
        if isinstance(block, Block):
            assert isinstance(block.convolution, nn.Conv2d)
            block.convolution = fuse_conv_bn_eval(block.convolution, cast(nn.BatchNorm2d, block.normalisation))
            block.normalisation = nn.Identity()
    for number, join in enumerate(made.join):
        made.join[number] = _Sum(cast(nn.Conv2d, join.convolution))
    for block in made.modules():
        if isinstance(block, Block) and block.convolution.kernel_size == (1, 1):
            whole = cast(nn.Conv2d, block.convolution)
            block.convolution = _Mixture(whole.weight, whole.bias)
    first = cast(_Mixture, made.stem[0].convolution)
    first.weight /= _SPAN
    made.units = nn.Identity()
    head = cast(nn.Conv2d, made.head)
    made.head = _Mixture(head.weight, head.bias)
    return made
