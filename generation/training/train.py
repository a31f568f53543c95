"""Train the embedded model from nothing, on designs drawn on the fly; no Django, no files but the checkpoint.

    python -m generation.training.train --minutes 60 --work var/train --resume

The data is a pool of freshly drawn units that grows to POOL_UNITS and then forgets its oldest. A checkpoint is written
every five minutes; `--resume` goes on from it with the clock where it stood.
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
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import UNet2DConditionModel
from torch import Tensor

from generation.backends.denoiser import (
    ROLES,
    TEXT_TOKENS,
    TEXT_WIDTH,
    UNET_CONFIG,
    UNIT_PX,
    coordinates,
    make_toroidal,
    predict_logits,
    shifted,
)
from generation.backends.words import encode
from generation.domain.pattern import Layout
from generation.domain.setting import Cells
from generation.training import corpus
from generation.training.losses import entropy, noisy, soft_cross_entropy

LAYOUTS = (Layout.STRAIGHT, Layout.HALF_DROP, Layout.HALF_BRICK)
HELD_OUT_FIRST_SEED = 1_000_000_000
HELD_OUT_TIMES = (0.35, 0.6, 0.8, 0.92, 0.98)
CHECKPOINT = "checkpoint.pt"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recipe:
    """Every number the training depends on; goes into the model card."""

    batch: int = 32
    learning_rate: float = 1.2e-3
    betas: tuple[float, float] = (0.9, 0.98)
    weight_decay: float = 0.01
    warm_up_steps: int = 200
    decay_from: float = 0.65  # share of the time after which the learning rate falls to nothing
    noise_shift: float = 5.0
    caption_dropout: float = 0.11
    ema: float = 0.999
    pool_units: int = 40_000
    first_units: int = 3_000
    fresh_per_step: int = 6
    held_out_units: int = 256
    seed: int = 1


CPU = Recipe()


class Pool:
    """Drawn units with the token states of their captions, grouped by layout."""

    def __init__(self, capacity: int) -> None:
        self.coverage = np.zeros((capacity, ROLES, UNIT_PX, UNIT_PX), np.uint8)
        self.text = torch.zeros(capacity, TEXT_TOKENS, TEXT_WIDTH, dtype=torch.float16)
        self.layout = np.full(capacity, -1)
        self.first_seed = self.next_seed = 0
        self.capacity = capacity

    def grow(self, count: int) -> None:
        """Draw the next `count` seeds over the oldest places."""
        units = [corpus.random_unit(self.next_seed + k, size_px=UNIT_PX) for k in range(count)]
        places = (self.next_seed - self.first_seed + np.arange(count)) % self.capacity
        self.coverage[places] = np.stack([unit.coverage for unit in units])
        self.layout[places] = [LAYOUTS.index(unit.layout) for unit in units]
        for start in range(0, count, 128):
            chunk = slice(start, start + 128)
            self.text[torch.from_numpy(places[chunk])] = encode([unit.caption for unit in units[chunk]]).half()
        self.next_seed += count

    def sample(self, rng: np.random.Generator, batch: int) -> tuple[Tensor, Tensor, Layout]:
        """One batch of a single layout: coverage (B, K, H, W) in [0, 1], token states, the layout."""
        filled = min(self.next_seed - self.first_seed, self.capacity)
        layout = self.layout[rng.integers(0, filled)]
        chosen = rng.choice(np.flatnonzero(self.layout[:filled] == layout), size=batch)
        clean = torch.from_numpy(self.coverage[chosen]).float() / 255
        return clean, self.text[torch.from_numpy(chosen)].float(), LAYOUTS[layout]


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
    resume: bool = False,
    recipe: Recipe = CPU,
    report: Callable[[str], None] = _log.info,
) -> tuple[UNet2DConditionModel, Progress]:
    """Train for `minutes` of wall clock in all (earlier runs counted when resumed); returns the averaged network."""
    work.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(recipe.seed)
    unet = UNet2DConditionModel(**UNET_CONFIG).to(memory_format=torch.channels_last)
    torus = make_toroidal(unet)
    average = copy.deepcopy(unet).eval().requires_grad_(False)
    optimiser = torch.optim.AdamW(
        unet.parameters(), lr=recipe.learning_rate, betas=recipe.betas, weight_decay=recipe.weight_decay
    )
    progress, pool = Progress(), Pool(recipe.pool_units)
    path = work / CHECKPOINT
    if resume and path.exists():
        state = torch.load(path, weights_only=True)
        unet.load_state_dict(state["unet"])
        average.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        progress = Progress(**state["progress"])
        pool.first_seed = pool.next_seed = state["next_seed"]
    report(f"drawing the first {recipe.first_units} units")
    pool.grow(recipe.first_units)
    rng = np.random.default_rng([recipe.seed, progress.steps])
    random = torch.Generator().manual_seed(recipe.seed * 1_000_003 + progress.steps)
    where = coordinates(Cells(1, 1, Layout.STRAIGHT))
    last, saved, owed = time.monotonic(), time.monotonic(), 0
    while progress.seconds < minutes * 60:
        owed += recipe.fresh_per_step
        if owed >= 320:
            pool.grow(owed)
            owed = 0
        clean, text, torus.layout = pool.sample(rng, recipe.batch)
        time_level = shifted(
            (torch.arange(recipe.batch) + torch.rand(recipe.batch, generator=random)) / recipe.batch, recipe.noise_shift
        )
        text[torch.rand(recipe.batch, generator=random) < recipe.caption_dropout] = 0
        for group in optimiser.param_groups:
            group["lr"] = recipe.learning_rate * _rate(recipe, progress, minutes)
        noise = torch.randn(clean.shape, generator=random)
        with torch.autocast("cpu", torch.bfloat16):
            logits = predict_logits(unet, noisy(clean, noise, time_level), time_level, text, where)
        loss = soft_cross_entropy(logits, clean).mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(unet.parameters(), 1.0)
        optimiser.step()
        keep = min(recipe.ema, (1 + progress.steps) / (10 + progress.steps))
        with torch.no_grad():
            torch._foreach_lerp_(list(average.parameters()), list(unet.parameters()), 1 - keep)
        now = time.monotonic()
        progress.steps += 1
        progress.images += recipe.batch
        progress.seconds += now - last
        progress.loss += (loss.item() - progress.loss) * (0.01 if progress.steps > 200 else 0.05)
        last = now
        if progress.steps % 100 == 0:
            report(
                f"{progress.seconds / 60:6.1f} min  step {progress.steps}  images {progress.images}  "
                f"drawn {pool.next_seed}  loss {progress.loss:.4f}  {progress.images / progress.seconds:.0f} images/s"
            )
        if now - saved > 300:
            _measure_and_save(path, unet, average, optimiser, progress, pool, recipe, report)
            saved = last = time.monotonic()
    _measure_and_save(path, unet, average, optimiser, progress, pool, recipe, report)
    return average, progress


def held_out_score(unet: UNet2DConditionModel, *, units: int) -> dict[str, float]:
    """Cross-entropy minus entropy on seeds never trained on, by noise level and in the mean; nats per pixel."""
    drawn = [corpus.random_unit(HELD_OUT_FIRST_SEED + k, size_px=UNIT_PX) for k in range(units)]
    random = torch.Generator().manual_seed(11)
    where = coordinates(Cells(1, 1, Layout.STRAIGHT))
    torus = next(module.torus for module in unet.modules() if hasattr(module, "torus"))
    torus.layout = Layout.STRAIGHT
    score: dict[str, float] = {}
    batches = [drawn[start : start + 64] for start in range(0, units, 64)]
    texts = [encode([unit.caption for unit in batch]) for batch in batches]
    for level in HELD_OUT_TIMES:
        excess = []
        for batch, text in zip(batches, texts, strict=True):
            clean = torch.from_numpy(np.stack([unit.coverage for unit in batch])).float() / 255
            level_time = torch.full((len(batch),), level)
            with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
                logits = predict_logits(
                    unet, noisy(clean, torch.randn(clean.shape, generator=random), level_time), level_time, text, where
                )
            excess.append(soft_cross_entropy(logits, clean) - entropy(clean))
        score[f"{level}"] = round(float(torch.cat(excess).mean()), 5)
    score["mean"] = round(sum(score.values()) / len(HELD_OUT_TIMES), 5)
    return score


def _rate(recipe: Recipe, progress: Progress, minutes: float) -> float:
    share = progress.seconds / (minutes * 60)
    warm = min(1.0, (progress.steps + 1) / recipe.warm_up_steps)
    return warm * max(0.01, min(1.0, (1 - share) / (1 - recipe.decay_from)))


def _measure_and_save(
    path: Path,
    unet: UNet2DConditionModel,
    average: UNet2DConditionModel,
    optimiser: torch.optim.Optimizer,
    progress: Progress,
    pool: Pool,
    recipe: Recipe,
    report: Callable[[str], None],
) -> None:
    score = held_out_score(average, units=recipe.held_out_units)
    progress.history.append({"minutes": round(progress.seconds / 60, 1), "images": progress.images, "score": score})
    report(f"held-out cross-entropy minus entropy: {score}")
    half_written = path.with_suffix(".part")
    torch.save(
        {
            "unet": unet.state_dict(), "average": average.state_dict(), "optimiser": optimiser.state_dict(),
            "progress": vars(progress), "next_seed": pool.next_seed,
        },
        half_written,
    )  # fmt: skip
    half_written.replace(path)
    (path.parent / "progress.json").write_text(json.dumps(vars(progress), indent=1))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--work", type=Path, default=Path("var/train"))
    parser.add_argument("--resume", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(2)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    train(minutes=options.minutes, work=options.work, resume=options.resume, report=_log.info)
