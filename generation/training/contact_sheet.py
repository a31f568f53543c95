"""A sheet of what the network draws from noise alone, to look at after training: two by two units of each request."""

from __future__ import annotations

from pathlib import Path

from diffusers import FlowMatchEulerDiscreteScheduler, UNet2DConditionModel
from PIL import Image

from generation.backends.denoiser import geometry_of, noise_shift
from generation.backends.pipeline import RepeatPipeline, unit_noise
from generation.backends.words import encode
from generation.domain.finish import enlarge, smooth
from generation.domain.palette import palette_from_words
from generation.domain.pattern import Layout, Raster, Repeat
from generation.domain.setting import Cells
from generation.evaluation.sheet import cloth_of, laid_out

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
_SHOWN = Repeat(85.0, 85.0)
_UNIT = Cells(1, 1, Layout.STRAIGHT)


def contact_sheet(unet: UNet2DConditionModel, path: Path, *, seed: int = 3, across: int = 6) -> None:
    """Draw every request from pure noise and write one picture."""
    unit_px = geometry_of(unet).unit_px
    pipeline = RepeatPipeline(unet=unet, scheduler=FlowMatchEulerDiscreteScheduler(shift=noise_shift(unit_px)))
    pipeline.set_progress_bar_config(disable=True)
    pictures, noise = [], unit_noise(_UNIT, unit_px, seed=seed)
    for request in REQUESTS:
        colours = palette_from_words(request, 8)
        coverage = pipeline(encode([request]), _UNIT, noise=noise, roles=range(len(colours))).numpy()
        calm = smooth(coverage, 0.6, Layout.STRAIGHT)
        unit = enlarge(calm, width_px=_SHOWN_PX, height_px=_SHOWN_PX, layout=Layout.STRAIGHT)
        pictures.append(cloth_of(Raster(unit, colours, _SHOWN, seed), size_px=2 * _SHOWN_PX))
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(laid_out(pictures, REQUESTS, across=across)).save(path)
