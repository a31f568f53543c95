"""A sheet of samples to look at: one row of requests after another, two by two repeats each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from diffusers import FlowMatchEulerDiscreteScheduler, UNet2DConditionModel
from PIL import Image

from generation.backends.denoiser import geometry_of, noise_shift
from generation.backends.pipeline import RepeatPipeline, unit_noise
from generation.backends.words import encode
from generation.domain.finish import enlarge, smooth
from generation.domain.palette import palette_from_words
from generation.domain.pattern import Layout, layout_tiling
from generation.domain.setting import Cells

REQUESTS = (
    "minimalist flower", "floral design", "daisies", "tulip", "ditsy floral, autumn palette", "floral sprig",
    "leafy branch, botanical palette", "large leaf", "line art flower", "poppies, midcentury palette", "berries",
    "wildflowers", "folk floral", "polka dots", "stars, indigo palette", "hearts, blush palette", "paisley",
    "pine trees, winter palette", "lemon fruit, citrus palette", "little birds", "terrazzo, pastel palette",
    "vertical stripes in navy and white", "tartan, autumn palette", "houndstooth, monochrome palette",
    "herringbone, earth palette", "chevron, ocean palette", "seigaiha scallops, indigo palette", "ogee, jewel palette",
    "hexagons", "floral trellis", "Fair Isle", "zebra, monochrome palette", "leopard, desert palette", "camouflage",
    "marble, ocean palette", "ikat, terracotta palette",
)  # fmt: skip
_SHOWN_PX = 128
_UNIT = Cells(1, 1, Layout.STRAIGHT)


def contact_sheet(unet: UNet2DConditionModel, path: Path, *, seed: int = 3, across: int = 6) -> None:
    """Draw every request from pure noise and write one picture."""
    unit_px = geometry_of(unet).unit_px
    pipeline = RepeatPipeline(unet=unet, scheduler=FlowMatchEulerDiscreteScheduler(shift=noise_shift(unit_px)))
    pipeline.set_progress_bar_config(disable=True)
    pictures, noise = [], unit_noise(_UNIT, unit_px, seed=seed)
    for request in REQUESTS:
        colours = palette_from_words(request, 8).rgb()
        coverage = pipeline(encode([request]), _UNIT, noise=noise, roles=range(len(colours))).numpy()
        calm = smooth(coverage, 0.6, Layout.STRAIGHT)
        unit = enlarge(calm, width_px=_SHOWN_PX, height_px=_SHOWN_PX, layout=Layout.STRAIGHT)
        cloth = colours[layout_tiling(unit, Layout.STRAIGHT, 2, 2)]
        pictures.append(np.pad(cloth, ((4, 4), (4, 4), (0, 0)), constant_values=255))
    rows = [np.concatenate(pictures[start : start + across], axis=1) for start in range(0, len(pictures), across)]
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.concatenate(rows)).save(path)
