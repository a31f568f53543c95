"""One candidate from start to end: what the model begins from, the model, enlargement, repair."""

from __future__ import annotations

import copy
import math
import threading
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import cv2
import numpy as np
import torch
from diffusers import FlowMatchEulerDiscreteScheduler, UNet2DConditionModel
from diffusers.utils import logging as diffusers_logging
from numpy.typing import NDArray

from generation.backends import pipeline as drawn_by
from generation.backends.denoiser import ROLES, coarse_level, fine_level, geometry_of, noise_shift, shifted
from generation.backends.pipeline import RepeatPipeline, unit_noise
from generation.backends.projection import UnitLimits, project
from generation.backends.proposals import Proposal, palette_for, understand
from generation.backends.words import encode
from generation.domain.finish import (
    Coverage,
    best_shift,
    calmest_phase,
    coverage_of,
    drop_specks,
    enlarge,
    fineness,
    repair_details,
    smooth,
    used_colours,
    with_ink_at_most,
)
from generation.domain.palette import cluster, palette_from_picture, parse_colour
from generation.domain.pattern import Brief, IndexArray, Knobs, Layout, Limits, Palette, Raster, lab_of
from generation.domain.setting import Cells, asked_unit_mm, cells_for, motif_zoom
from generation.errors import InvalidBrief
from generation.ports import AtSize, OnStep
from generation.training import corpus

GUIDANCE = 2.0
# Sums are split between threads: with another number of them pixels differ. One for each drawing wastes least; what
# uses a machine's cores is several drawings at once.
THREADS = 1
# A design that still shows through the noise needs no guidance and few steps: two draw otherwise than five in one of
# 180 pixels, and five otherwise than ten in one of 340.
STEPS, STEPS_FROM_AFAR, AFAR = 2, 10, 0.6
# How far a proposal goes into noise, as of a unit of 64 pixels: the higher, the less is left of it. Woven and geometric
# patterns live on straight edges, which a small network redraws by hand.
ISLAND_START_LEVELS = (0.4, 0.5, 0.58)
FIELD_START_LEVELS = (0.3, 0.4)
REFERENCE_START_LEVEL = 0.6
# Lines of a pixel or two are lost in noise before shapes are: a proposal that is all fine lines is held back by this
# share, one with half as much fine in it by half of it; and as it is calmed less, its lines do not break.
FINE, FINE_HELD, FINE_UNCALMED = 0.6, 0.55, 0.8
UNTOLD = 1.3  # motifs that come out larger or smaller than they were set by more than this are told
MEETING_SHARE = 0.06  # of a unit: the smallest shape where two designs meet
MEETING_STRENGTH = 0.3  # of the strength asked for: what has just been made of two needs less redrawing than one
LIKENESS = 0.5  # of the noise's variance, shared by the units of one cloth
MOTIF_CALM, FIELD_CALM = 0.008, 0.005  # outlines are calmed by this share of a unit
SPECK_SHARE = 0.0008  # islands and holes under this share of a unit are chance
INK_ROUNDS = 4  # of cutting the ink and repairing, until both hold
FINEST_SHARE = 0.005  # of a unit's side: what is finer than the network's own pixel is chance, not drawing
_reading = threading.Lock()  # words are read by one thread at a time: what it has found is there for the next


class Guard(StrEnum):
    """How much is done to keep the machine's limits; whoever orders gets DELIVERED, the others are for measuring."""

    NONE = "none"
    IN_LOOP = "in_loop"
    DELIVERED = "delivered"


@dataclass(frozen=True)
class Sketch:
    """What the model begins from, in coverage per role, and what it may do with it."""

    coverage: Coverage  # (ROLES, H, W) of `cells`
    level: float  # noise over it
    cells: Cells  # what the coverage holds: all units of the repeat, or one unit that fills them all
    lattice: Cells  # the units of the repeat
    palette: dict[int, str]  # colour by role; the roles that may be drawn
    origin: str
    words: str  # for the model: without colours
    calm: float = MOTIF_CALM
    notes: tuple[str, ...] = ()
    anew: frozenset[int] | None = None  # roles that alone are drawn; all others stay where they are


def load(folder: Path) -> RepeatPipeline:
    """The pipeline in a verified folder."""
    diffusers_logging.disable_progress_bar()
    pipeline = RepeatPipeline.from_pretrained(
        folder, local_files_only=True, use_safetensors=True, low_cpu_mem_usage=False
    )
    torch.set_num_threads(THREADS)
    pipeline.unet.float().eval().requires_grad_(False).to(memory_format=torch.channels_last)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def save(unet: UNet2DConditionModel, folder: Path) -> None:
    """Write the network in half precision as safetensors of at most 14 MB each, with its scheduler."""
    scheduler = FlowMatchEulerDiscreteScheduler(shift=noise_shift(geometry_of(unet).unit_px))
    pipeline = RepeatPipeline(unet=copy.deepcopy(unet).half(), scheduler=scheduler)
    pipeline.save_pretrained(folder, safe_serialization=True, max_shard_size="14MB")


def draw(
    pipeline: RepeatPipeline,
    brief: Brief,
    *,
    seed: int,
    limits: Limits,
    on_step: OnStep | None = None,
    guard: Guard = Guard.DELIVERED,
) -> Raster:
    """The brief's repeat at size for one seed: indices, colours in use, and how it came about."""
    at_size = begin(pipeline, brief, seed=seed, limits=limits, on_step=on_step, guard=guard)
    return at_size(brief.width_px, brief.height_px)


def begin(
    pipeline: RepeatPipeline,
    brief: Brief,
    *,
    seed: int,
    limits: Limits,
    on_step: OnStep | None = None,
    guard: Guard = Guard.DELIVERED,
) -> AtSize:
    """What the model draws for one seed, whatever its size; asked for a size in pixels it is brought to that one."""
    if len(brief.parents) == 1 and brief.strength == 0 and not brief.redraw:
        return lambda width_px, height_px: _unchanged(replace(brief, width_px=width_px, height_px=height_px), seed)
    with _reading:
        sketch = _sketch(brief, seed=seed, limits=limits, unit_px=pipeline.geometry.unit_px)
        text = encode([sketch.words])
    unit_mm = _unit_mm(brief, sketch.lattice)
    in_unit = UnitLimits(limits.min_feature_mm / unit_mm * pipeline.geometry.unit_px, limits.max_ink)
    drawn: Coverage = pipeline(
        text,
        sketch.cells,
        noise=unit_noise(sketch.cells, pipeline.geometry.unit_px, seed=seed, likeness=LIKENESS),
        steps=STEPS if coarse_level(sketch.level, pipeline.geometry.unit_px) < AFAR else STEPS_FROM_AFAR,
        guidance=GUIDANCE if sketch.words else 1.0,
        start=drawn_by.Start(
            torch.from_numpy(sketch.coverage),
            sketch.level,
            None if sketch.anew is None else ~_covered_by(sketch.coverage, sketch.anew),
        ),
        roles=tuple(sketch.anew or sketch.palette),
        limits=None if guard is Guard.NONE else in_unit,
        on_step=on_step,
    ).numpy()
    redrawn = float((drawn.argmax(axis=0) != sketch.coverage.argmax(axis=0)).mean())
    if sketch.cells != sketch.lattice:
        drawn = np.roll(drawn, calmest_phase(drawn), axis=(1, 2))
        drawn = np.tile(drawn, (1, sketch.lattice.rows, sketch.lattice.columns))
    roles = tuple(sketch.palette)
    planes = drawn[list(roles)]

    def at_size(width_px: int, height_px: int) -> Raster:
        sized = replace(brief, width_px=width_px, height_px=height_px)
        raster = finish(
            planes,
            sized,
            Palette(tuple(sketch.palette.values())),
            limits=limits,
            seed=seed,
            origin=f"{sketch.origin}; the model redrew {redrawn:.0%} of it",
            notes=sketch.notes,
            roles=roles,
            unit_mm=unit_mm,
            calm=sketch.calm,
            guard=guard,
        )
        return _with_kept(raster, sized) if brief.redraw else raster

    return at_size


def finish(
    coverage: Coverage,
    brief: Brief,
    palette: Palette,
    *,
    limits: Limits,
    seed: int,
    origin: str,
    notes: tuple[str, ...] = (),
    roles: tuple[int, ...] = (),
    unit_mm: float | None = None,
    calm: float = FIELD_CALM,
    guard: Guard = Guard.DELIVERED,
) -> Raster:
    """Coverage (n, h, w), one plane per colour, as the brief's indexed raster within the machine's limits.

    unit_mm: side of one motif unit, which sets what counts as chance rather than drawing; none: the repeat's own.
    """
    layout = brief.repeat.layout
    side_mm = unit_mm or min(brief.repeat.width_mm, brief.repeat.height_mm)
    unit_px = side_mm * min(coverage.shape[2] / brief.repeat.width_mm, coverage.shape[1] / brief.repeat.height_mm)
    clean = drop_specks(coverage, smallest_area_px=round(SPECK_SHARE * unit_px**2), layout=layout)
    calmed = smooth(clean, calm * unit_px, layout)
    size = {"width_px": brief.width_px, "height_px": brief.height_px, "layout": layout}
    if guard is Guard.DELIVERED:
        pixel_mm = min(brief.repeat.width_mm / brief.width_px, brief.repeat.height_mm / brief.height_px)
        smallest_px = math.ceil(max(limits.min_feature_mm, FINEST_SHARE * side_mm) / pixel_mm - 1e-6)
        most_ink = limits.max_ink
        for _ in range(INK_ROUNDS):
            indices = enlarge(with_ink_at_most(calmed, most_ink), **size)
            indices = repair_details(indices, smallest_px=smallest_px, layout=layout)
            excess = float((indices != 0).mean()) - limits.max_ink
            if excess <= 0:
                break
            most_ink -= excess + 0.002  # the repair has filled gaps: aim lower
    else:
        indices = enlarge(calmed, **size)
    indices, present = used_colours(indices)
    return Raster(
        indices=indices,
        palette=Palette(tuple(palette.colours[index] for index in present)),
        repeat=brief.repeat,
        seed=seed,
        origin=origin,
        roles=tuple((roles or range(len(palette)))[index] for index in present),
        notes=notes,
    )


# ------------------------------------------------------------------------------------------------ what it begins from


def _sketch(brief: Brief, *, seed: int, limits: Limits, unit_px: int) -> Sketch:
    rng = np.random.default_rng([seed, 3])
    if brief.parents:
        return _from_parents(brief, limits, unit_px)
    palette, notes = _palette(brief, limits)
    if brief.reference is not None:
        sketch = _from_picture(brief, palette, unit_px)
    else:
        sketch = _from_proposal(understand(brief.words, seed), brief, palette, rng, unit_px)
    return replace(sketch, notes=sketch.notes + notes)


def _from_proposal(
    proposal: Proposal, brief: Brief, palette: dict[int, str], rng: np.random.Generator, unit_px: int
) -> Sketch:
    family = proposal.family
    knobs = _knobs(brief, proposal)
    companion = proposal.companion
    lattice = cells_for(brief.repeat, brief.words, islands=family.island, knobs=knobs, in_pairs=companion is not None)
    cells = lattice if family.island else _ONE_UNIT
    zoom = motif_zoom(knobs) if family.airy else 1.0
    coverage = corpus.draw_cloth(family, proposal.style, cells, companion=companion, size_px=unit_px, zoom=zoom)
    level = float(rng.choice(ISLAND_START_LEVELS if family.island else FIELD_START_LEVELS))
    fine = min(1.0, fineness(coverage) / FINE)
    level = round(level * (1 - FINE_HELD * fine), 2)
    motifs = family.name if companion is None else f"{family.name} with {companion.name}"
    return Sketch(
        coverage=_fractions(corpus.fold_roles(coverage, len(palette))),
        level=fine_level(level, unit_px),
        cells=cells,
        lattice=lattice,
        palette=palette,
        origin=f"proposal {motifs} {proposal.style}, from noise {level}",
        words=proposal.words,
        calm=(MOTIF_CALM if family.island else FIELD_CALM) * (1 - FINE_UNCALMED * fine),
        notes=proposal.notes + _unfitting(brief, lattice, knobs),
    )


def _unfitting(brief: Brief, lattice: Cells, knobs: Knobs) -> tuple[str, ...]:
    """What has to be told where the repeat does not hold whole motifs of the size that was set."""
    asked_mm, unit_mm = asked_unit_mm(brief.words, knobs), _unit_mm(brief, lattice)
    if brief.knobs == Knobs() or 1 / UNTOLD < unit_mm / asked_mm < UNTOLD:
        return ()
    return (
        f"Motifs of about {asked_mm:.0f} mm were asked for; the repeat holds whole ones of {unit_mm:.0f} mm. "
        "Another size of the repeat would change that.",
    )


def _from_parents(brief: Brief, limits: Limits, unit_px: int) -> Sketch:
    first, last = brief.parents[0], brief.parents[-1]
    proposal = understand(brief.words, first.seed)
    lattice = cells_for(
        brief.repeat,
        brief.words,
        islands=proposal.family.island,
        knobs=_knobs(brief, proposal),
        in_pairs=proposal.companion is not None,
    )
    share = brief.share if last is not first else 0.0
    size = {"width_px": lattice.columns * unit_px, "height_px": lattice.rows * unit_px}
    coverage = np.zeros((ROLES, size["height_px"], size["width_px"]), np.float32)
    palette: dict[int, str] = {}
    for parent, weight in ((first, 1 - share), (last, share)):
        planes = coverage_of(parent, **size)
        if parent is not first:
            planes = np.roll(planes, best_shift(coverage, planes, brief.repeat.layout), axis=(1, 2))
        for index, plane in enumerate(planes):
            coverage[parent.role_of(index)] += weight * plane
            palette.setdefault(parent.role_of(index), parent.palette.colours[index])
    if brief.palette:
        palette = dict(zip(sorted(palette), map(parse_colour, brief.palette), strict=False))
    palette = dict(sorted(palette.items())[: limits.max_colours])
    absent = [role for role in range(ROLES) if role not in palette]
    coverage[0] += coverage[absent].sum(axis=0)
    coverage[absent] = 0
    if 0 < share < 1:  # two half designs on top of each other are rags: whole shapes first, with the areas between
        shapes = UnitLimits(MEETING_SHARE * unit_px)
        coverage = project(torch.from_numpy(coverage)[None], shapes, weight=1.0, layout=lattice.layout)[0].numpy()
    anew = frozenset({0, *(first.role_of(index) for index in brief.redraw)}) if brief.redraw else None
    strength = brief.strength * (MEETING_STRENGTH if 0 < share < 1 else 1)
    told = f"seed {first.seed}" if last is first else f"seeds {first.seed} and {last.seed} at {share:.2f}"
    return Sketch(
        coverage=coverage,
        level=float(shifted(torch.tensor(strength), noise_shift(unit_px))),
        cells=lattice,
        lattice=lattice,
        palette=palette,
        origin=f"an earlier drawing, {told}, left by {brief.strength:.2f}",
        words=proposal.words,
        calm=FIELD_CALM,
        notes=proposal.notes,
        anew=anew,
    )


def _from_picture(brief: Brief, palette: dict[int, str], unit_px: int) -> Sketch:
    """The picture's main colour areas, most common first, faded to the ground at its edges so that they can meet."""
    assert brief.reference is not None
    cells = cells_for(brief.repeat, "", islands=False)
    width, height = cells.columns * unit_px, cells.rows * unit_px
    small = cv2.resize(brief.reference, (2 * width, 2 * height), interpolation=cv2.INTER_AREA)
    _, labels = cluster(lab_of(cv2.medianBlur(small, 3)).reshape(-1, 3), len(palette))
    ranks = np.argsort(np.argsort(-np.bincount(labels, minlength=len(palette)), kind="stable"))
    places = ranks[labels].reshape(2 * height, 2 * width)
    sharp = (places[None] == np.arange(ROLES)[:, None, None]).astype(np.float32)
    coverage = np.stack([cv2.resize(plane, (width, height), interpolation=cv2.INTER_AREA) for plane in sharp])
    fade = np.minimum(_edge(height)[:, None], _edge(width)[None, :]).astype(np.float32)
    coverage *= fade
    coverage[0] += 1 - fade
    return Sketch(
        coverage=coverage,
        level=fine_level(REFERENCE_START_LEVEL, unit_px),
        cells=cells,
        lattice=cells,
        palette=palette,
        origin=f"the reference picture, from noise {REFERENCE_START_LEVEL}",
        words=understand(brief.words, 0).words if brief.words.strip() else "",
        calm=FIELD_CALM,
    )


def _knobs(brief: Brief, proposal: Proposal) -> Knobs:
    """The brief's knobs on top of what its words say of density, within what can be drawn."""
    return Knobs(brief.knobs.scale, min(2.0, max(0.5, brief.knobs.density * proposal.knobs.density)))


def _palette(brief: Brief, limits: Limits) -> tuple[dict[int, str], tuple[str, ...]]:
    """Colour by role, with what has to be told about the choice."""
    most = min(ROLES, limits.max_colours)
    if brief.palette:
        return dict(enumerate(tuple(map(parse_colour, brief.palette))[:most])), ()
    if brief.reference is not None:
        colours = palette_from_picture(brief.reference, min(most, 6)).colours
        if len(colours) < 2:
            raise InvalidBrief(
                "The picture is of one colour: send another, or give a palette.", fields={"field": "reference"}
            )
        return dict(enumerate(colours)), ()
    reading = palette_for(brief.words, most)
    return dict(enumerate(reading.palette.colours)), reading.notes


# ------------------------------------------------------------------------------------------------ what stays


def _unchanged(brief: Brief, seed: int) -> Raster:
    """The one parent as it is, at the brief's size, in the brief's colours where it gives any."""
    (parent,) = brief.parents
    colours = tuple(map(parse_colour, brief.palette or parent.palette.colours))
    return replace(
        parent,
        indices=_at_size(parent.indices, brief),
        palette=Palette(colours + parent.palette.colours[len(colours) :]),
        repeat=brief.repeat,
        seed=seed,
        origin=f"an earlier drawing, seed {parent.seed}, as it was",
    )


def _with_kept(drawn: Raster, brief: Brief) -> Raster:
    """The drawing with every colour of the parent that was not to be drawn anew exactly where it was."""
    (parent,) = brief.parents
    roles = sorted({*drawn.roles, *(parent.role_of(index) for index in range(len(parent.palette)))})
    colours = {parent.role_of(index): colour for index, colour in enumerate(parent.palette.colours)}
    colours |= {drawn.role_of(index): colour for index, colour in enumerate(drawn.palette.colours)}
    before = np.array([roles.index(parent.role_of(i)) for i in range(len(parent.palette))], np.uint8)
    after = np.array([roles.index(drawn.role_of(i)) for i in range(len(drawn.palette))], np.uint8)
    anew = {0, *(parent.role_of(index) for index in brief.redraw)}
    free = [role in anew for role in roles]
    was, now = before[_at_size(parent.indices, brief)], after[drawn.indices]
    ground = np.uint8(roles.index(0)) if 0 in roles else was
    indices = np.where(np.array(free)[was], np.where(np.array(free)[now], now, ground), was).astype(np.uint8)
    indices, present = used_colours(indices)
    return replace(
        drawn,
        indices=indices,
        palette=Palette(tuple(colours[roles[index]] for index in present)),
        roles=tuple(roles[index] for index in present),
    )


def _at_size(indices: IndexArray, brief: Brief) -> IndexArray:
    if indices.shape == (brief.height_px, brief.width_px):
        return indices
    return cv2.resize(indices, (brief.width_px, brief.height_px), interpolation=cv2.INTER_NEAREST).astype(np.uint8)


_ONE_UNIT = Cells(1, 1, Layout.STRAIGHT)


def _unit_mm(brief: Brief, lattice: Cells) -> float:
    return min(brief.repeat.width_mm / lattice.columns, brief.repeat.height_mm / lattice.rows)


def _covered_by(coverage: Coverage, roles: frozenset[int]) -> torch.Tensor:
    return torch.from_numpy(np.isin(coverage.argmax(axis=0), list(roles)))


def _edge(size: int) -> NDArray[np.float64]:
    distance = np.minimum(np.arange(size) + 0.5, size - 0.5 - np.arange(size))
    return (distance / (0.04 * size)).clip(0, 1)


def _fractions(coverage: NDArray[np.uint8]) -> Coverage:
    whole = coverage.astype(np.float32)
    return whole / whole.sum(axis=0, keepdims=True).clip(1)
