"""One candidate from start to end: family, cells, palette, proposal, the model, enlargement, repair."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from diffusers import FlowMatchEulerDiscreteScheduler, UNet2DConditionModel
from diffusers.utils import logging as diffusers_logging
from numpy.typing import NDArray

from generation.backends.denoiser import ROLES, UNIT_PX
from generation.backends.pipeline import NOISE_SHIFT, RepeatPipeline
from generation.backends.proposals import chosen_family, companion_of, style_for
from generation.backends.words import encode
from generation.domain.finish import Coverage, calmest_phase, drop_specks, enlarge, repair_details, smooth, used_colours
from generation.domain.palette import cluster, palette_from_picture, palette_from_words, parse_colour, without_colours
from generation.domain.pattern import Brief, Layout, Limits, Palette, Raster, lab_of
from generation.domain.setting import Cells, cells_for
from generation.errors import InvalidBrief
from generation.ports import OnStep
from generation.training import corpus

STEPS = 10
GUIDANCE = 2.0
# How far a proposal goes into noise: the higher, the less is left of it. Woven and geometric patterns live on straight
# edges, which a small network redraws by hand.
ISLAND_START_TIMES = (0.4, 0.5, 0.58)
FIELD_START_TIMES = (0.3, 0.4)
REFERENCE_START_TIME = 0.6
LIKENESS = 0.5  # of the noise's variance, shared by the units of one cloth
MOTIF_CALM_PX, FIELD_CALM_PX = 0.85, 0.6  # outlines are calmed by this much, in pixels of a unit
SPECK_PX = 6  # islands and holes under this area are chance, in pixels of a unit
FINEST_UNIT_SHARE = 0.011  # of a unit: what is finer than the network's own pixel is chance, not drawing


@dataclass(frozen=True)
class Start:
    """What the model begins from: a cloth in coverage, how much noise goes over it, and where it came from in words."""

    coverage: NDArray[np.float32]
    time: float
    origin: str
    cells: Cells  # what the coverage holds: the cells of the repeat, or one unit that fills them all
    calm_px: float = MOTIF_CALM_PX


def load(folder: Path) -> RepeatPipeline:
    """The pipeline in a verified folder."""
    diffusers_logging.disable_progress_bar()
    pipeline = RepeatPipeline.from_pretrained(
        folder, local_files_only=True, use_safetensors=True, low_cpu_mem_usage=False
    )
    pipeline.unet.float().eval().requires_grad_(False).to(memory_format=torch.channels_last)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def save(unet: UNet2DConditionModel, folder: Path) -> None:
    """Write the network in half precision as safetensors of at most 14 MB each, with its scheduler."""
    scheduler = FlowMatchEulerDiscreteScheduler(shift=NOISE_SHIFT)
    pipeline = RepeatPipeline(unet=copy.deepcopy(unet).half(), scheduler=scheduler)
    pipeline.save_pretrained(folder, safe_serialization=True, max_shard_size="14MB")


def draw(pipeline: RepeatPipeline, brief: Brief, *, seed: int, limits: Limits, on_step: OnStep | None = None) -> Raster:
    """The brief's repeat at size for one seed: indices, colours in use, and how it came about."""
    rng = np.random.default_rng([seed, 3])
    palette = _palette(brief, limits)
    slots = min(ROLES, len(palette))
    if brief.reference is not None:
        cells = cells_for(brief.repeat, "", islands=False)
        start = _from_picture(brief.reference, cells, slots)
    else:
        family = chosen_family(brief.words, seed)
        cells = cells_for(brief.repeat, brief.words, islands=family.island)
        start = _from_family(family, cells, slots, rng, brief.words)
    words = without_colours(brief.words) if brief.words.strip() else ""
    coverage: Coverage = pipeline(
        encode([words]),
        start.cells,
        seed=seed,
        steps=STEPS,
        guidance=GUIDANCE if words else 1.0,
        start=torch.from_numpy(start.coverage),
        start_time=start.time,
        likeness=LIKENESS,
        slots=slots,
        on_step=on_step,
    ).numpy()
    if start.cells is _SINGLE:
        coverage = np.roll(coverage, calmest_phase(coverage), axis=(1, 2))
        coverage = np.tile(coverage, (1, cells.rows, cells.columns))
    return _finished(coverage, brief, palette, cells=cells, limits=limits, start=start, seed=seed)


_SINGLE = Cells(1, 1, Layout.STRAIGHT)


def _finished(
    coverage: Coverage, brief: Brief, palette: Palette, *, cells: Cells, limits: Limits, start: Start, seed: int
) -> Raster:
    layout = brief.repeat.layout
    clean = drop_specks(coverage, smallest_area_px=SPECK_PX, layout=layout)
    calm = smooth(clean, start.calm_px, layout)
    indices = enlarge(calm, width_px=brief.width_px, height_px=brief.height_px, layout=layout)
    unit_mm = min(brief.repeat.width_mm / cells.columns, brief.repeat.height_mm / cells.rows)
    pixel_mm = min(brief.repeat.width_mm / brief.width_px, brief.repeat.height_mm / brief.height_px)
    smallest_mm = max(limits.min_feature_mm, FINEST_UNIT_SHARE * unit_mm)
    indices = repair_details(indices, smallest_px=math.ceil(smallest_mm / pixel_mm - 1e-6), layout=layout)
    indices, present = used_colours(indices)
    colours = Palette(tuple(palette.colours[index] for index in present))
    return Raster(indices=indices, palette=colours, repeat=brief.repeat, seed=seed, origin=start.origin)


def _palette(brief: Brief, limits: Limits) -> Palette:
    most = min(ROLES, limits.max_colours)
    if brief.palette:
        return Palette(tuple(parse_colour(colour) for colour in brief.palette)[:most])
    if brief.reference is not None:
        palette = palette_from_picture(brief.reference, min(most, 6))
        if len(palette) < 2:
            raise InvalidBrief(
                "The picture is of one colour: send another, or give a palette.", fields={"field": "reference"}
            )
        return palette
    return palette_from_words(brief.words, most)


def _from_family(family: corpus.Family, cells: Cells, slots: int, rng: np.random.Generator, words: str) -> Start:
    style = style_for(family, words, rng)
    time = float(rng.choice(ISLAND_START_TIMES if family.island else FIELD_START_TIMES))
    drawn = cells if family.island else _SINGLE
    companion = companion_of(family, words, rng) if cells.columns % 2 == 0 else None
    coverage = corpus.draw_cloth(family, style, drawn, companion=companion, size_px=UNIT_PX)
    motifs = family.name if companion is None else f"{family.name} with {companion.name}"
    origin = f"model over proposal {motifs} {style}, from noise {time}"
    calm_px = MOTIF_CALM_PX if family.island else FIELD_CALM_PX
    return Start(_fractions(corpus.fold_roles(coverage, slots)), time, origin, drawn, calm_px)


def _from_picture(picture: NDArray[np.uint8], cells: Cells, slots: int) -> Start:
    """The picture's main colour areas, most common first, faded to the ground at its edges so that they can meet."""
    size = (cells.columns * UNIT_PX * 2, cells.rows * UNIT_PX * 2)
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    lab = lab_of(cv2.medianBlur(small, 3)).reshape(-1, 3)
    _, labels = cluster(lab, slots)
    ranks = np.argsort(np.argsort(-np.bincount(labels, minlength=slots), kind="stable"))
    roles = ranks[labels].reshape(size[::-1])
    sharp = (roles[None] == np.arange(ROLES)[:, None, None]).astype(np.float32)
    half = (size[0] // 2, size[1] // 2)
    coverage = np.stack([cv2.resize(plane, half, interpolation=cv2.INTER_AREA) for plane in sharp])
    fade = np.minimum(_edge(half[1])[:, None], _edge(half[0])[None, :]).astype(np.float32)
    coverage *= fade
    coverage[0] += 1 - fade
    origin = f"model over the reference picture, from noise {REFERENCE_START_TIME}"
    return Start(coverage, REFERENCE_START_TIME, origin, cells)


def _edge(size: int) -> NDArray[np.float64]:
    distance = np.minimum(np.arange(size) + 0.5, size - 0.5 - np.arange(size))
    return (distance / (0.04 * size)).clip(0, 1)


def _fractions(coverage: NDArray[np.uint8]) -> NDArray[np.float32]:
    whole = coverage.astype(np.float32)
    return whole / whole.sum(axis=0, keepdims=True).clip(1)
