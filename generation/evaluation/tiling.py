"""Does the repeat close? What goes in moved has to come out moved, in every layout.

A mirrored cloth can't be moved by less than two repeats and stay one, for a network that draws left and right
differently: there it is measured that what the network is shown beyond each edge is what the cloth shows there.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from generation.backends import drawing
from generation.backends.denoiser import wrap
from generation.backends.embedded import WEIGHTS
from generation.backends.pipeline import RepeatPipeline, unit_noise
from generation.backends.words import encode
from generation.domain.finish import enlarge, smooth
from generation.domain.pattern import Layout, layout_tiling
from generation.domain.setting import Cells
from generation.evaluation.figures import Figure
from generation.evaluation.seams import seam_auroc

CELLS = {
    Layout.STRAIGHT: Cells(2, 2, Layout.STRAIGHT),
    Layout.HALF_DROP: Cells(2, 2, Layout.HALF_DROP),
    Layout.THIRD_DROP: Cells(2, 3, Layout.THIRD_DROP),
    Layout.HALF_BRICK: Cells(2, 2, Layout.HALF_BRICK),
}
_MOVED = 1  # whole units down and across: past the edge, where the layout shows
_WORDS = "leafy branch with small flowers"


def moved(sheet: NDArray[np.generic], layout: Layout, down: int, across: int) -> NDArray[np.generic]:
    """The repeat (H, W) of the same cloth, cut `down` and `across` pixels (at most a repeat) further up and left."""
    height, width = sheet.shape
    cloth = layout_tiling(sheet, layout, *layout.period)
    return np.roll(cloth, (down, across), axis=(0, 1))[:height, :width]


def network_error(pipeline: RepeatPipeline, layout: Layout, *, precision: torch.dtype = torch.float32) -> float:
    """The largest difference in coverage between drawing from moved noise and moving what was drawn from the noise."""
    cells, unit_px = CELLS[layout], pipeline.geometry.unit_px
    noise = unit_noise(cells, unit_px, seed=5)
    down = across = _MOVED * unit_px
    text = encode([_WORDS])
    straight = pipeline(text, cells, noise=noise, precision=precision)
    shifted = pipeline(text, cells, noise=_moved(noise[0], layout, down, across)[None], precision=precision)
    return float((_moved(straight, layout, down, across) - shifted).abs().max())


def beyond_edge_error(layout: Layout, *, size_px: int = 24, pad: int = 3) -> float:
    """The largest difference between what a convolution is shown around one repeat and what lies there on the cloth."""
    sheet = torch.randn(1, 1, size_px, size_px, generator=torch.Generator().manual_seed(7))
    across, along = layout.period  # so many repeats on, one stands as the first does
    cloth = layout_tiling(sheet[0, 0].numpy(), layout, across + 2, along + 2)
    left, top = across * size_px - pad, along * size_px - pad
    around = cloth[top : top + size_px + 2 * pad, left : left + size_px + 2 * pad]
    return float(np.abs(wrap(sheet, pad, layout)[0, 0].numpy() - around).max())


def finishing_error(layout: Layout, *, size_px: int = 48, enlarged: int = 4) -> float:
    """Share of pixels that differ between one repeat enlarged alone and as part of its cloth of at least two by two."""
    rng = np.random.default_rng(3)
    coverage = smooth(rng.random((4, size_px, size_px)).astype(np.float32), 2.0, layout)
    side = size_px * enlarged
    tile = enlarge(coverage, width_px=side, height_px=side, layout=layout)
    columns, rows = (max(2, repeats) for repeats in layout.period)
    cloth = np.stack([layout_tiling(plane, layout, columns, rows) for plane in coverage]).astype(np.float32)
    whole = enlarge(cloth, width_px=columns * side, height_px=rows * side, layout=Layout.STRAIGHT)
    return float((layout_tiling(tile, layout, columns, rows) != whole).mean())


def measure(folder: Path = WEIGHTS) -> list[Figure]:
    """How exactly the shipped network and the enlargement close the repeat."""
    pipeline = drawing.load(folder)
    figures = [
        Figure(f"{layout.value}: moved noise gives the moved design, largest difference, fp32",
               network_error(pipeline, layout), at_most=1e-4)
        for layout in CELLS
    ]  # fmt: skip
    figures += [
        Figure(f"{layout.value}: the same in bf16, as it ships",
               network_error(pipeline, layout, precision=torch.bfloat16))
        for layout in CELLS
    ]  # fmt: skip
    figures += [
        Figure(f"{layout.value}: what the network sees beyond the edge against the cloth, largest difference",
               beyond_edge_error(layout), at_most=0)
        for layout in Layout
    ]  # fmt: skip
    figures += [
        Figure(f"{layout.value}: pixels that differ between a repeat and its cloth, enlarged",
               finishing_error(layout), at_most=0)
        for layout in Layout
    ]  # fmt: skip
    return figures


def measure_seams(tiles: int = 60, seed: int = 1) -> list[Figure]:
    """How well the seam measure tells true tiles from tiles that lost 3 to 20 lines, by layout."""
    return [
        Figure(f"{layout}: true tiles told from cut ones, AUROC over {tiles} tiles", told["auroc"], at_least=0.99)
        for layout, told in seam_auroc(tiles, seed).items()
    ]


def _moved(planes: Tensor, layout: Layout, down: int, across: int) -> Tensor:
    return torch.stack([torch.from_numpy(moved(plane.numpy(), layout, down, across).copy()) for plane in planes])
