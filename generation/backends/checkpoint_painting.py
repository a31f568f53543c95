"""A foreign model made to paint on the cloth's torus, and its picture brought down to the colours of a design."""

from __future__ import annotations

import hashlib
import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import diffusers
import numpy as np
import torch
import torch.nn.functional as F
from diffusers.models.downsampling import Downsample2D
from diffusers.utils import logging as diffusers_logging
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers.utils import logging as transformers_logging

from generation.backends import weights
from generation.backends.denoiser import Torus, TorusConv2d, wrap
from generation.backends.drawing import finish
from generation.domain.palette import palette_from_picture, parse_colour, without_colours
from generation.domain.pattern import Brief, Knobs, Layout, Limits, Palette, Raster
from generation.domain.reduction import reduce_colours
from generation.domain.seam import LIMIT, Seam, lab_picture, worst_seam
from generation.errors import InvalidBrief, SeamTooVisible, WeightsRefused
from generation.ports import OnStep

TRIES = 3  # pictures painted for one candidate before it is given up
STYLE = "seamless textile pattern, flat colours, crisp outlines, even light"
REFERENCE_STRENGTH = 0.6
_LARGE_BYTES = 2**30  # from here on weights are held in half precision
_MOST_COLOURS = 8
_STEP_PX = 8  # the pipelines ask for sides that this divides

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Painter:
    """A pipeline whose networks see the cloth's torus; `again` is the one that begins from a picture, if there is."""

    pipeline: Any
    again: Any | None
    torus: Torus
    rolling: Rolling | None
    side_px: int  # of a square picture as the model was trained
    step_px: int  # sides are whole multiples of this


@dataclass
class Rolling:
    """Where a transformer cuts the torus open: somewhere else at every step, so that no cut leaves a trace."""

    torus: Torus

    chance: torch.Generator

    def moves(self, height: int, width: int) -> tuple[int, int]:
        """Rows and columns to move by, drawn anew; none for a mirrored tile, which closes however it is painted."""
        if self.torus.layout is Layout.MIRROR:
            return 0, 0
        rows, columns = (int(torch.randint(0, side, (1,), generator=self.chance)) for side in (height, width))
        return rows, columns


def load(folder: Path) -> Painter:
    """The painter of a verified folder, from its files alone. Raises WeightsRefused where they lack something."""
    diffusers_logging.disable_progress_bar()
    transformers_logging.disable_progress_bar()
    kind = getattr(diffusers, weights.pipeline_class(folder))
    large = weights.size_bytes(folder) > _LARGE_BYTES
    unused: dict[str, Any] = dict(weights.unused_parts(folder))
    if "requires_safety_checker" in inspect.signature(kind.__init__).parameters:
        unused["requires_safety_checker"] = False
    pipeline = kind.from_pretrained(
        folder,
        local_files_only=True,
        use_safetensors=True,
        low_cpu_mem_usage=False,
        dtype=torch.bfloat16 if large else torch.float32,
        **unused,
    )
    for part, network in pipeline.components.items():
        if isinstance(network, nn.Module):
            # The libraries fill what is not in the files with chance, and only log it.
            weights.refuse_gaps(folder, part, (tuple(each.shape) for each in network.parameters()))
    return on_torus(pipeline.to("cuda" if torch.cuda.is_available() else "cpu"))


def on_torus(pipeline: Any) -> Painter:
    """Let the pipeline's networks see what lies beyond the tile's edge on the cloth.

    A UNet and the VAE pad every convolution with it. A transformer has none: it is shown the torus cut open at another
    place at every step. Raises WeightsRefused for a network with convolutions that can't be padded so.
    """
    pipeline.set_progress_bar_config(disable=True)
    torus = Torus()
    wrap_network(pipeline.vae, torus)
    across = 2 ** (len(pipeline.vae.config.block_out_channels) - 1)
    unet, transformer = getattr(pipeline, "unet", None), getattr(pipeline, "transformer", None)
    if unet is not None:
        wrap_network(unet, torus)
        coarsest = 2 ** (len(unet.config.block_out_channels) - 1)
        again = diffusers.AutoPipelineForImage2Image.from_pipe(pipeline)
        again.set_progress_bar_config(disable=True)
        return Painter(
            pipeline, again, torus, None, unet.config.sample_size * across, math.lcm(_STEP_PX, across * coarsest)
        )
    patch = transformer.config.patch_size
    rolling = Rolling(torus, torch.Generator())
    _roll(transformer, rolling)
    return Painter(
        pipeline, None, torus, rolling, transformer.config.sample_size * across, math.lcm(_STEP_PX, across * patch)
    )


class _TorusDownsample(Downsample2D):
    """The VAE's halving, which pads below and on the right only: there too lies the neighbouring repeat."""

    torus: Torus

    def forward(self, hidden_states: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        beyond = wrap(hidden_states, 1, self.torus.layout)[..., 1:, 1:]
        return F.conv2d(beyond, self.conv.weight, self.conv.bias, self.conv.stride)


def wrap_network(network: nn.Module, torus: Torus) -> None:
    """Let every convolution of the network pad with the repeat's neighbours. Raises WeightsRefused."""
    halvings = [m for m in network.modules() if isinstance(m, Downsample2D) and m.use_conv and m.padding == 0]
    for halving in halvings:
        if halving.norm is not None:
            raise _unwrappable(halving)
        halving.__class__ = _TorusDownsample
        halving.torus = torus
    done = {id(halving.conv) for halving in halvings}
    for module in network.modules():
        if not isinstance(module, nn.Conv2d) or module.kernel_size == (1, 1) or id(module) in done:
            continue
        plain = (module.kernel_size, module.padding, module.dilation, module.groups) == ((3, 3), (1, 1), (1, 1), 1)
        if not plain or type(module) is not nn.Conv2d:
            raise _unwrappable(module)
        module.__class__ = TorusConv2d
        module.torus = torus  # type: ignore[assignment]


def moved(x: Tensor, rows: int, columns: int, layout: Layout) -> Tensor:
    """(B, C, H, W) moved down and right over the cloth: what leaves the tile comes back as its layout brings it."""
    if layout is Layout.HALF_BRICK:
        return moved(x.transpose(2, 3), columns, rows, Layout.HALF_DROP).transpose(2, 3)
    height, width = x.shape[2:]
    whole, part = divmod(columns, width)
    higher = -int(height * layout.drop)  # the repeat to the left, which comes in, stands so much higher
    turned = x.roll(part, 3)
    turned = torch.cat([turned[..., :part].roll(higher, 2), turned[..., part:]], dim=3)
    return turned.roll(rows + whole * higher, 2)


def draw(
    painter: Painter, brief: Brief, *, seed: int, limits: Limits, steps: int, on_step: OnStep | None = None
) -> Raster:
    """The brief's repeat for one seed; a picture whose seam shows is painted again, TRIES times in all.

    Raises InvalidBrief, SeamTooVisible.
    """
    _check(painter, brief)
    if brief.parents and brief.strength == 0:
        return _kept(brief, seed)
    pinned = _pinned(brief, limits)
    start, strength = _start(painter, brief)
    seen: list[Seam] = []
    for attempt in range(TRIES):
        picture = paint(
            painter, brief, seed=_derived(seed, attempt), steps=steps, start=start, strength=strength, on_step=on_step
        )
        seen.append(worst_seam(lab_picture(picture), brief.repeat.layout))
        if seen[-1].shows:
            continue
        reduced = reduce_colours(picture, min(_MOST_COLOURS, limits.max_colours), pinned)
        if len(reduced.palette) < 2:
            continue
        raster = finish(
            reduced.coverage,
            brief,
            reduced.palette,
            limits=limits,
            seed=seed,
            origin=f"{type(painter.pipeline).__name__}, {_begun(brief, start)}, picture {attempt + 1}",
            notes=_notes(brief, start),
        )
        if len(raster.palette) > 1:
            return raster
    open_ones = [seam for seam in seen if seam.shows]
    if not open_ones:
        raise InvalidBrief(
            f"The model painted one plain colour {TRIES} times: say more about what the design shows.",
            fields={"field": "words", "measured": 1, "limit": 2},
        )
    best = min(open_ones, key=lambda seam: seam.excess)
    raise SeamTooVisible(
        f"A line would show where the repeats meet {best.direction}: {best.excess:.1f}, and {LIMIT} is allowed, after "
        f"{TRIES} pictures. Use another model, or ask for a calmer design.",
        fields={"field": "generator", "measured": round(best.excess, 2), "limit": LIMIT, "where": best.direction},
    )


def paint(
    painter: Painter,
    brief: Brief,
    *,
    seed: int,
    steps: int,
    start: Picture | None = None,
    strength: float = 1.0,
    latents: Tensor | None = None,
    on_step: OnStep | None = None,
) -> Picture:
    """(h, w, 3) uint8: one picture of the repeat, in the repeat's proportions, closed in its layout."""
    painter.torus.layout = brief.repeat.layout
    if painter.rolling is not None:
        painter.rolling.chance.manual_seed(seed)
    width, height = picture_size(painter, brief)
    asked: dict[str, Any] = {
        "prompt": f"{without_colours(brief.words) if brief.palette else brief.words}, {STYLE}".strip(", "),
        "num_inference_steps": steps,
        "generator": torch.Generator().manual_seed(seed),
        "output_type": "np",
    }
    if latents is not None:
        asked["latents"] = latents
    pipeline = painter.pipeline
    if start is None:
        asked |= {"height": height, "width": width}
    else:
        assert painter.again is not None
        pipeline = painter.again
        least = 1.01 / steps  # at least one step is made
        small = cv2.resize(start, (width, height), interpolation=cv2.INTER_AREA)
        asked |= {"image": small[None].astype(np.float32) / 255, "strength": min(1.0, max(strength, least))}
    told = inspect.signature(pipeline.__call__).parameters
    if "use_resolution_binning" in told:
        asked["use_resolution_binning"] = False
    if "clean_caption" in told:
        asked["clean_caption"] = False
    if on_step is not None:
        asked |= _progress(told, steps, on_step)
    picture = pipeline(**asked).images[0]
    return (np.nan_to_num(picture) * 255).round().clip(0, 255).astype(np.uint8)


def picture_size(painter: Painter, brief: Brief) -> tuple[int, int]:
    """(width, height) px: the area the model was trained on, near the repeat's proportions, in sides it can halve."""
    lean = math.sqrt(brief.repeat.width_mm / brief.repeat.height_mm)
    across = painter.step_px * brief.repeat.layout.shift.denominator
    down = painter.step_px * brief.repeat.layout.drop.denominator
    return (
        max(1, round(painter.side_px * lean / across)) * across,
        max(1, round(painter.side_px / lean / down)) * down,
    )


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, on the CPU or on a GPU."""
    return (
        isinstance(error, MemoryError | torch.OutOfMemoryError)
        or "allocate memory" in str(error)
        or "out of memory" in str(error)
    )


def _roll(transformer: Any, rolling: Rolling) -> None:
    inside: Callable[..., Any] = transformer.forward

    def forward(hidden_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor]:
        rows, columns = rolling.moves(*hidden_states.shape[2:])
        layout = rolling.torus.layout
        kwargs["return_dict"] = False
        seen = inside(moved(hidden_states, rows, columns, layout), *args, **kwargs)[0]
        return (moved(seen, -rows, -columns, layout),)

    transformer.forward = forward


def _progress(told: Any, steps: int, on_step: OnStep) -> dict[str, Any]:
    if "callback_on_step_end" in told:

        def at_end(_pipeline: Any, step: int, _time: Any, tensors: dict[str, Any]) -> dict[str, Any]:
            on_step(min(step + 1, steps), steps)
            return tensors

        return {"callback_on_step_end": at_end}
    return {"callback": lambda step, _time, _latents: on_step(min(step + 1, steps), steps), "callback_steps": 1}


def _check(painter: Painter, brief: Brief) -> None:
    kind = type(painter.pipeline).__name__
    if len(brief.parents) > 1 or brief.redraw:
        asked = "meet between two drawings" if len(brief.parents) > 1 else "draw single colours anew"
        raise InvalidBrief(
            f"This model ({kind}) can't {asked}: choose the embedded generator for that.",
            fields={"field": "generator", "value": kind},
        )
    if brief.parents and painter.again is None:
        raise InvalidBrief(
            f"This model ({kind}) draws from words alone and can't go on from a drawing: choose another generator.",
            fields={"field": "generator", "value": kind},
        )


def _kept(brief: Brief, seed: int) -> Raster:
    (parent,) = brief.parents
    indices = cv2.resize(parent.indices, (brief.width_px, brief.height_px), interpolation=cv2.INTER_NEAREST)
    told = f"an earlier drawing, seed {parent.seed}, as it was"
    return replace(parent, indices=indices.astype(np.uint8), repeat=brief.repeat, seed=seed, origin=told)


def _pinned(brief: Brief, limits: Limits) -> Palette | None:
    if brief.palette:
        colours = tuple(parse_colour(colour) for colour in brief.palette)
    elif brief.reference is not None:
        colours = palette_from_picture(brief.reference, min(limits.max_colours, 6)).colours
        if len(colours) < 2:
            raise InvalidBrief(
                "The picture is of one colour: send another, or give a palette.", fields={"field": "reference"}
            )
    elif brief.parents:
        colours = brief.parents[0].palette.colours
    else:
        return None
    return Palette(colours[: min(_MOST_COLOURS, limits.max_colours)])


def _start(painter: Painter, brief: Brief) -> tuple[Picture | None, float]:
    if brief.parents:
        return brief.parents[0].palette.rgb()[brief.parents[0].indices], brief.strength
    if brief.reference is not None and painter.again is not None:
        return brief.reference, REFERENCE_STRENGTH
    return None, 1.0


def _begun(brief: Brief, start: Picture | None) -> str:
    if brief.parents:
        return f"from an earlier drawing, seed {brief.parents[0].seed}, left by {brief.strength:.2f}"
    return "from words" if start is None else f"from the reference picture, left by {REFERENCE_STRENGTH}"


def _notes(brief: Brief, start: Picture | None) -> tuple[str, ...]:
    notes = []
    if brief.knobs != Knobs():
        notes.append("This model takes the scale and density of motifs from the words alone.")
    if brief.reference is not None and start is None:
        notes.append("This model takes the colours of the reference picture, not its shapes.")
    return tuple(notes)


def _derived(seed: int, attempt: int) -> int:
    if attempt == 0:
        return seed % 2**63
    return int.from_bytes(hashlib.sha256(f"{seed} {attempt}".encode()).digest()[:8], "big") >> 1


def _unwrappable(module: nn.Module) -> WeightsRefused:
    return WeightsRefused(
        f"The model was not used: its {module} can't be closed over the edge of a repeat. Use a model of the "
        "Stable Diffusion or PixArt kind.",
        fields={"reason": str(module)},
    )
