"""Train the embedded model from nothing, on designs drawn on the fly; no Django, no files but the checkpoint.

    python -m generation.training.train --minutes 60 --work var/train --resume

The data is a pool of freshly drawn units that grows to POOL_UNITS and then forgets its oldest. A checkpoint is written
every ten minutes; `--resume` goes on from it with the clock where it stood.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # spinning threads starve a shared machine: 20 times slower
os.environ.setdefault("GOMP_SPINCOUNT", "0")

import argparse
import copy
import json
import logging
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import UNet2DConditionModel
from torch import Tensor

from generation.backends.denoiser import (
    COARSE_PX,
    ROLES,
    TEXT_TOKENS,
    TEXT_WIDTH,
    Geometry,
    Torus,
    coordinates,
    fine_level,
    geometry_of,
    grown,
    make_toroidal,
    network,
    noise_shift,
    predict_logits,
    shifted,
)
from generation.backends.words import encode
from generation.domain.pattern import Layout
from generation.domain.setting import Cells
from generation.training import corpus
from generation.training.losses import broken_limits, entropy, noisy, soft_cross_entropy

LAYOUTS = (Layout.STRAIGHT, Layout.HALF_DROP, Layout.HALF_BRICK)
HELD_OUT_FIRST_SEED = 1_000_000_000
HELD_OUT_LEVELS = (0.35, 0.6, 0.8, 0.92, 0.98)
CHECKPOINT = "checkpoint.pt"
_ONE_UNIT = Cells(1, 1, Layout.STRAIGHT)
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recipe:
    """Every number the training depends on; goes into the model card."""

    unit_px: int
    patch_px: int
    widths: tuple[int, ...]
    coarse_share: float = 0.0  # share of the time at half the size in pixels, before the network is grown
    device: str = "cpu"
    compiled: bool = False
    painters: int = 0  # processes that draw units beside the training; 0: it draws them itself
    batch: int = 32
    learning_rate: float = 1.2e-3
    betas: tuple[float, float] = (0.9, 0.98)
    weight_decay: float = 0.01
    warm_up_steps: int = 200
    decay_from: float = 0.65  # share of the time after which the learning rate falls to nothing
    caption_dropout: float = 0.11
    limits_weight: float = 0.1
    ema: float = 0.999
    pool_units: int = 20_000
    first_units: int = 3_000
    fresh_per_step: int = 6
    held_out_units: int = 256
    seed: int = 1

    @property
    def fine(self) -> Geometry:
        """The geometry of the network that ships."""
        return Geometry(self.unit_px, self.patch_px)

    @property
    def coarse(self) -> Geometry:
        """Half as many pixels a side, in as many patches: where motifs and words are learned first."""
        return Geometry(self.unit_px // 2, self.patch_px // 2)


RECIPES = {
    "cpu": Recipe(unit_px=128, patch_px=8, widths=(96, 128, 192), coarse_share=0.4),
    "gpu": Recipe(
        unit_px=256, patch_px=8, widths=(96, 192, 288), device="cuda", compiled=True, painters=14, batch=1024,
        pool_units=60_000, first_units=12_000, fresh_per_step=64,
    ),
}  # fmt: skip


class Pool:
    """Drawn units with the token states of their captions and the limits these name, grouped by layout."""

    def __init__(self, recipe: Recipe, geometry: Geometry) -> None:
        self.recipe, self.geometry, self.capacity = recipe, geometry, recipe.pool_units
        size = (self.capacity, ROLES, geometry.unit_px, geometry.unit_px)
        self.coverage = torch.zeros(size, dtype=torch.uint8, device=recipe.device)
        self.text = torch.zeros(self.capacity, TEXT_TOKENS, TEXT_WIDTH, dtype=torch.float16, device=recipe.device)
        self.feature_px = torch.zeros(self.capacity, device=recipe.device)
        self.most_ink = torch.ones(self.capacity, device=recipe.device)
        self.layout = np.full(self.capacity, -1)
        self.first_seed = self.next_seed = 0
        self.painters = ProcessPoolExecutor(recipe.painters, get_context("spawn")) if recipe.painters else None

    def grow(self, count: int) -> None:
        """Draw the next `count` seeds over the oldest places."""
        seeds = range(self.next_seed, self.next_seed + count)
        paint = partial(corpus.random_unit, size_px=self.geometry.unit_px)
        units = list(self.painters.map(paint, seeds, chunksize=64) if self.painters else map(paint, seeds))
        places = (self.next_seed - self.first_seed + np.arange(count)) % self.capacity
        self.layout[places] = [LAYOUTS.index(unit.layout) for unit in units]
        for start in range(0, count, 128):
            chunk, where = units[start : start + 128], torch.from_numpy(places[start : start + 128])
            coverage = torch.from_numpy(np.stack([unit.coverage for unit in chunk]))
            self.coverage[where] = coverage.to(self.coverage.device)
            self.text[where] = encode([unit.caption for unit in chunk]).half().to(self.text.device)
            named = [unit.limits or corpus.UnitLimits() for unit in chunk]
            features = [round((limits.min_feature_share or 0) * self.geometry.unit_px) for limits in named]
            inks = [1.0 if limits.most_ink is None else limits.most_ink for limits in named]
            self.feature_px[where] = torch.tensor(features, dtype=torch.float32).to(self.feature_px.device)
            self.most_ink[where] = torch.tensor(inks).to(self.most_ink.device)
        self.next_seed += count

    def sample(self, rng: np.random.Generator, batch: int) -> Batch:
        """One batch of a single layout."""
        filled = min(self.next_seed - self.first_seed, self.capacity)
        layout = self.layout[rng.integers(0, filled)]
        chosen = torch.from_numpy(rng.choice(np.flatnonzero(self.layout[:filled] == layout), size=batch))
        chosen = chosen.to(self.coverage.device)
        return Batch(
            clean=self.coverage[chosen].float() / 255,
            text=self.text[chosen].float(),
            feature_px=self.feature_px[chosen],
            most_ink=self.most_ink[chosen],
            layout=LAYOUTS[layout],
        )


@dataclass(frozen=True)
class Batch:
    """What one training step looks at."""

    clean: Tensor  # (B, ROLES, H, W) in [0, 1]
    text: Tensor  # (B, TEXT_TOKENS, TEXT_WIDTH)
    feature_px: Tensor  # (B,) smallest detail that the caption asks for; 0: none named
    most_ink: Tensor  # (B,) share of the cloth that may be inked; 1: none named
    layout: Layout


@dataclass
class Progress:
    """Where a training stands; part of the checkpoint."""

    steps: int = 0
    images: int = 0
    seconds: float = 0.0
    loss: float = 0.0
    history: list[dict[str, Any]] = field(default_factory=list)


def train(
    *,
    minutes: float,
    work: Path,
    recipe: Recipe,
    resume: bool = False,
    report: Callable[[str], None] = _log.info,
) -> tuple[UNet2DConditionModel, Progress]:
    """Train for `minutes` of wall clock in all (earlier runs counted when resumed); returns the averaged network.

    With a coarse share the network first learns at half the size, then is grown and learns the finer outlines.
    """
    work.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(recipe.seed)
    run = _begun(recipe, recipe.coarse if recipe.coarse_share else recipe.fine)
    if resume and (work / CHECKPOINT).exists():
        run = _read(work / CHECKPOINT, recipe)
    while True:
        fine = geometry_of(run.unet) == recipe.fine
        _learn(
            run,
            recipe,
            until_s=60 * minutes * (1 if fine else recipe.coarse_share),
            minutes=minutes,
            work=work,
            report=report,
        )
        if fine:
            return run.average, run.progress
        report(f"growing from {recipe.coarse.unit_px} to {recipe.fine.unit_px} pixels a unit")
        run = _made_fine(run, recipe)


@dataclass
class _Run:
    """A network in training with all that a checkpoint keeps of it."""

    unet: UNet2DConditionModel
    average: UNet2DConditionModel
    optimiser: torch.optim.Optimizer
    progress: Progress
    next_seed: int = 0
    stage_steps: int = 0  # steps since the network has its present size


def _begun(recipe: Recipe, geometry: Geometry) -> _Run:
    unet = network(geometry, recipe.widths).to(recipe.device, memory_format=torch.channels_last)
    make_toroidal(unet)
    average = copy.deepcopy(unet).eval().requires_grad_(False)
    return _Run(unet, average, _optimiser(unet, recipe), Progress())


def _optimiser(unet: UNet2DConditionModel, recipe: Recipe) -> torch.optim.Optimizer:
    return torch.optim.AdamW(
        unet.parameters(), lr=recipe.learning_rate, betas=recipe.betas, weight_decay=recipe.weight_decay
    )


def _made_fine(run: _Run, recipe: Recipe) -> _Run:
    unet = grown(run.unet).to(recipe.device, memory_format=torch.channels_last)
    average = grown(run.average).to(recipe.device, memory_format=torch.channels_last).eval().requires_grad_(False)
    make_toroidal(unet)
    make_toroidal(average)
    return _Run(unet, average, _optimiser(unet, recipe), run.progress, run.next_seed)


def _learn(
    run: _Run, recipe: Recipe, *, until_s: float, minutes: float, work: Path, report: Callable[[str], None]
) -> None:
    """Train the run at its present size until its clock stands at `until_s`."""
    progress, geometry, device = run.progress, geometry_of(run.unet), recipe.device
    if progress.seconds >= until_s:
        return
    pool = Pool(recipe, geometry)
    pool.first_seed = pool.next_seed = run.next_seed
    report(f"drawing the first {recipe.first_units} units of {geometry.unit_px} pixels")
    pool.grow(recipe.first_units)
    rng = np.random.default_rng([recipe.seed, progress.steps])
    random = torch.Generator(device).manual_seed(recipe.seed * 1_000_003 + progress.steps)
    where = coordinates(_ONE_UNIT, geometry.unit_tokens).to(device)
    torus = torus_of(run.unet)
    predict = torch.compile(predict_logits) if recipe.compiled else predict_logits
    last, saved, owed = time.monotonic(), time.monotonic(), 0
    while progress.seconds < until_s:
        owed += recipe.fresh_per_step
        if owed >= 320:
            pool.grow(owed)
            owed = 0
        batch = pool.sample(rng, recipe.batch)
        torus.layout = batch.layout
        even = (torch.arange(recipe.batch) + torch.rand(recipe.batch)) / recipe.batch
        level = shifted(even.to(device), noise_shift(geometry.unit_px))
        batch.text[torch.rand(recipe.batch, generator=random, device=device) < recipe.caption_dropout] = 0
        for group in run.optimiser.param_groups:
            group["lr"] = recipe.learning_rate * _rate(recipe, run, minutes)
        noise = torch.randn(batch.clean.shape, generator=random, device=device)
        with torch.autocast(torch.device(device).type, torch.bfloat16):
            logits = predict(run.unet, noisy(batch.clean, noise, level), level, batch.text, where)
        loss = soft_cross_entropy(logits, batch.clean).mean()
        broken = broken_limits(logits, batch.clean, batch.feature_px, batch.most_ink).mean()
        run.optimiser.zero_grad(set_to_none=True)
        (loss + recipe.limits_weight * broken).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(run.unet.parameters(), 1.0)
        run.optimiser.step()
        run.stage_steps += 1
        run.next_seed = pool.next_seed
        keep = min(recipe.ema, (1 + progress.steps) / (10 + progress.steps))
        with torch.no_grad():
            torch._foreach_lerp_(list(run.average.parameters()), list(run.unet.parameters()), 1 - keep)
        now = time.monotonic()
        progress.steps += 1
        progress.images += recipe.batch
        progress.seconds += now - last
        last = now
        if progress.steps % 20 == 0:
            progress.loss += (loss.item() - progress.loss) * (0.2 if progress.steps > 200 else 0.5)
        if progress.steps % 100 == 0:
            report(
                f"{progress.seconds / 60:6.1f} min  step {progress.steps}  images {progress.images}  "
                f"drawn {pool.next_seed}  loss {progress.loss:.4f}  {progress.images / progress.seconds:.0f} images/s"
            )
        if now - saved > 600:
            _measure_and_save(work, run, recipe, report)
            saved = last = time.monotonic()
    _measure_and_save(work, run, recipe, report)


def held_out_score(unet: UNet2DConditionModel, *, units: int) -> dict[str, float]:
    """Cross-entropy minus entropy on seeds never trained on, by noise level of the coarse picture and in the mean.

    In nats per pixel of the coarse picture, to which predictions are averaged: so networks of different sizes are asked
    the same question, with as much of the design to be seen, and their answers can be compared.
    """
    geometry, device = geometry_of(unet), next(unet.parameters()).device
    drawn = [corpus.random_unit(HELD_OUT_FIRST_SEED + k, size_px=geometry.unit_px) for k in range(units)]
    random = torch.Generator().manual_seed(11)
    where = coordinates(_ONE_UNIT, geometry.unit_tokens).to(device)
    torus_of(unet).layout = Layout.STRAIGHT
    score: dict[str, float] = {}
    averaged = partial(F.avg_pool2d, kernel_size=geometry.unit_px // COARSE_PX)
    batches = [drawn[start : start + 64] for start in range(0, units, 64)]
    texts = [encode([unit.caption for unit in batch]).to(device) for batch in batches]
    for coarse in HELD_OUT_LEVELS:
        excess = []
        for batch, text in zip(batches, texts, strict=True):
            clean = (torch.from_numpy(np.stack([unit.coverage for unit in batch])).float() / 255).to(device)
            noise = torch.randn(clean.shape, generator=random).to(device)
            level = torch.full((len(batch),), fine_level(coarse, geometry.unit_px), device=device)
            with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16):
                logits = predict_logits(unet, noisy(clean, noise, level), level, text, where)
            shares, truth = averaged(logits.softmax(dim=1)), averaged(clean)
            excess.append(soft_cross_entropy(shares.clamp(min=1e-6).log(), truth) - entropy(truth))
        score[f"{coarse}"] = round(float(torch.cat(excess).mean()), 5)
    score["mean"] = round(sum(score.values()) / len(HELD_OUT_LEVELS), 5)
    return score


def torus_of(unet: UNet2DConditionModel) -> Torus:
    """The layout switch of a toroidal network."""
    found: Torus = next(module.torus for module in unet.modules() if hasattr(module, "torus"))
    return found


def _rate(recipe: Recipe, run: _Run, minutes: float) -> float:
    share = run.progress.seconds / (minutes * 60)
    warm = min(1.0, (run.stage_steps + 1) / recipe.warm_up_steps)
    return warm * max(0.01, min(1.0, (1 - share) / (1 - recipe.decay_from)))


def _measure_and_save(work: Path, run: _Run, recipe: Recipe, report: Callable[[str], None]) -> None:
    progress = run.progress
    score = held_out_score(run.average, units=recipe.held_out_units)
    unit_px = geometry_of(run.unet).unit_px
    progress.history.append(
        {"minutes": round(progress.seconds / 60, 1), "images": progress.images, "unit_px": unit_px, "score": score}
    )
    report(f"held-out cross-entropy minus entropy: {score}")
    half_written = (work / CHECKPOINT).with_suffix(".part")
    torch.save(
        {
            "unet": run.unet.state_dict(), "average": run.average.state_dict(),
            "optimiser": run.optimiser.state_dict(), "progress": vars(progress), "next_seed": run.next_seed,
            "stage_steps": run.stage_steps, "geometry": [unit_px, geometry_of(run.unet).patch_px],
        },
        half_written,
    )  # fmt: skip
    half_written.replace(work / CHECKPOINT)
    (work / "progress.json").write_text(json.dumps(vars(progress), indent=1))


def _read(path: Path, recipe: Recipe) -> _Run:
    state = torch.load(path, weights_only=True, map_location=recipe.device)
    run = _begun(recipe, Geometry(*state["geometry"]))
    run.unet.load_state_dict(state["unet"])
    run.average.load_state_dict(state["average"])
    run.optimiser.load_state_dict(state["optimiser"])
    run.progress = Progress(**state["progress"])
    run.next_seed, run.stage_steps = state["next_seed"], state["stage_steps"]
    return run


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--profile", choices=sorted(RECIPES), default="cpu")
    parser.add_argument("--work", type=Path, default=Path("var/train"))
    parser.add_argument("--resume", action="store_true")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    train(minutes=options.minutes, work=options.work, recipe=RECIPES[options.profile], resume=options.resume)
