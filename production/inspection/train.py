"""Train the network that finds defects, on scans that the simulator makes while it trains; no Django, no pictures.

The pool holds the features of PAIRS scans and is made anew place by place as training goes on, so that over a whole
training thousands of cloths are seen. A checkpoint is written every few minutes; a training that was interrupted, or
stopped for a while, goes on from it. What is learned depends on the recipe, on the designs and on nothing else.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # spinning threads starve a shared machine
os.environ.setdefault("GOMP_SPINCOUNT", "0")

import copy
import json
import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from generation.domain.pattern import Layout
from production.inspection.evenness import evenness
from production.inspection.features import BANDS_PX, CHANNELS, LINES_PX, Features, features, noise
from production.inspection.flaws import KINDS, Kind
from production.inspection.labels import half
from production.inspection.network import CLASSES, WIDTHS, Inspector
from production.inspection.simulate import Picture, aligned, random_scene, registration_error, repeated, simulate
from production.inspection.split import Split, stream

Designs = Callable[[int, Split], tuple[Picture, Layout]]
CHECKPOINT, POOL = "checkpoint.pt", "pool"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recipe:
    """Every number that training depends on; goes into the model card."""

    steps: int = 20_000  # of the whole training; at their end the learning rate has fallen
    seed: int = 1
    widths: tuple[int, ...] = WIDTHS
    batch: int = 8
    crop_px: int = 160
    learning_rate: float = 2e-3
    weight_decay: float = 0.01
    warm_up_steps: int = 100
    ema: float = 0.998
    pairs: int = 800  # in the pool
    first_pairs: int = 120
    grow_every: int = 2  # steps for each new pair until the pool is full
    refresh_every: int = 4  # and afterwards
    side_px: int = 512
    around_px: int = 32  # of the simulated scan that is cut off: it has no neighbours
    sound: float = 0.3  # share of the scans without a defect
    shares: tuple[float, ...] = (2.0, 2.2, 1.0, 1.2, 1.8, 2.0, 2.0, 1.5)  # of the kinds, in their order
    registration_px: tuple[float, float] = (0.12, 0.75)  # rms of what registration leaves
    registration_mm: tuple[float, float] = (8.0, 40.0)
    on_defect: float = 0.55  # share of the crops that lie on one
    hard_share: float = 0.004  # of sound pixels: those that look most like defects count once more
    hard_weight: float = 0.25
    dice_weight: float = 0.5


@dataclass(frozen=True)
class Sample:
    """One scan as the network is trained on it, at half the scan's resolution."""

    features: Features  # (S, S, CHANNELS)
    classes: NDArray[np.uint8]  # (S, S)
    weight: NDArray[np.uint8]  # (S, S) in sixteenths; 0: counts for nothing


def draw_sample(seed: int, designs: Designs, recipe: Recipe, *, split: Split = "train") -> Sample:
    """Simulate, align as a registration would, and look: everything from the seed."""
    rng = stream(seed, split, 3)
    side = recipe.side_px + 2 * recipe.around_px
    tile, layout = designs(seed, split)
    top, left = (int(value) for value in rng.integers(0, tile.shape[:2]))
    reference = np.ascontiguousarray(repeated(tile, layout, top + side, left + side)[top:, left:])
    kinds: list[Kind] = []
    if rng.random() >= recipe.sound:
        shares = np.array(recipe.shares) / sum(recipe.shares)
        kinds = [KINDS[int(k)] for k in rng.choice(len(KINDS), int(rng.integers(1, 4)), p=shares, replace=False)]
    scan, truth = simulate(reference, random_scene(seed, reference, split=split, kinds=kinds))
    residual = registration_error(
        rng, truth.shape, rms_px=rng.uniform(*recipe.registration_px), length_mm=rng.uniform(*recipe.registration_mm)
    )
    straight = aligned(scan, truth, residual=residual)
    even = evenness(reference, straight)
    asked = even.coloured(reference)[:, :]
    made = features(asked, straight, even, noise(asked, straight, even))
    inner = slice(recipe.around_px // 2, recipe.around_px // 2 + recipe.side_px // 2)
    classes = half(truth.classes)
    return Sample(
        made[inner, inner],
        classes[inner, inner],
        _weights(classes, half(truth.numbers), half(truth.faint.view(np.uint8)) > 0)[inner, inner],
    )


def _weights(classes: Picture, numbers: Picture, faint: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """A pixel's weight in sixteenths: every defect counts by the root of its size; nothing faint or right beside it."""
    weight = np.full(classes.shape, 16, np.uint8)
    near = cv2.dilate((classes > 0).view(np.uint8), np.ones((3, 3), np.uint8)) > 0
    weight[(near | faint) & (classes == 0)] = 0
    count = np.bincount(numbers.ravel(), minlength=256)
    share = np.clip(np.sqrt(400 / np.maximum(count, 1)), 0.2, 4.0)
    there = classes > 0
    weight[there] = np.rint(16 * share[numbers[there]]).astype(np.uint8)
    return weight


class Pool:
    """Samples in files that are mapped into memory; the next one is drawn while the network learns."""

    def __init__(self, folder: Path, recipe: Recipe, designs: Designs, next_seed: int = 0) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        side = recipe.side_px // 2
        self.features = _mapped(folder / "features.npy", np.int8, (recipe.pairs, side, side, CHANNELS))
        self.classes = _mapped(folder / "classes.npy", np.uint8, (recipe.pairs, side, side))
        self.weight = _mapped(folder / "weight.npy", np.uint8, (recipe.pairs, side, side))
        self.recipe, self.designs, self.next_seed = recipe, designs, next_seed
        self._drawing = ThreadPoolExecutor(max_workers=1)
        self._next = self._draw()

    @property
    def filled(self) -> int:
        """How many places hold a sample."""
        return min(self.next_seed, self.recipe.pairs)

    def _draw(self) -> Future[Sample]:
        return self._drawing.submit(draw_sample, self.next_seed, self.designs, self.recipe)

    def close(self) -> None:
        """Draw no more."""
        self._drawing.shutdown(cancel_futures=True)

    def grow(self) -> None:
        """Put the next sample into the oldest place."""
        sample = self._next.result()
        place = self.next_seed % self.recipe.pairs
        self.features[place], self.classes[place], self.weight[place] = sample.features, sample.classes, sample.weight
        self.next_seed += 1
        self._next = self._draw()

    def batch(self, rng: Generator) -> tuple[Tensor, Tensor, Tensor]:
        """(features, classes, weights) of crops, each turned over at random."""
        side, crop = self.recipe.side_px // 2, self.recipe.crop_px // 2
        looked: list[NDArray[Any]] = []
        named: list[NDArray[Any]] = []
        weighed: list[NDArray[Any]] = []
        for _ in range(self.recipe.batch):
            place = int(rng.integers(self.filled))
            top, left = (int(value) for value in rng.integers(0, side - crop + 1, 2))
            if rng.random() < self.recipe.on_defect:
                top, left = self._on_defect(rng, place, crop, (top, left))
            window = np.s_[top : top + crop, left : left + crop]
            classes = self.classes[(place, *window)]
            across, down, over = (bool(way) for way in rng.integers(2, size=3))
            one = turned(
                self.features[(place, *window)],
                classes,
                self.weight[(place, *window)],
                across=across,
                down=down,
                over=over and not (classes == Kind.BANDING.code).any(),  # its passes go across the cloth, never along
            )
            for each, value in zip((looked, named, weighed), one, strict=True):
                each.append(value)
        return (
            torch.from_numpy(np.stack(looked)).permute(0, 3, 1, 2),
            torch.from_numpy(np.stack(named).astype(np.int64)),
            torch.from_numpy(np.stack(weighed).astype(np.float32) / 16),
        )

    def _on_defect(self, rng: Generator, place: int, crop: int, otherwise: tuple[int, int]) -> tuple[int, int]:
        classes = self.classes[place]
        there = np.unique(classes)
        there = there[there > 0]
        if not len(there):
            return otherwise
        rows, columns = np.nonzero(classes == there[int(rng.integers(len(there)))])
        pick = int(rng.integers(len(rows)))
        shift = rng.integers(crop // 8, crop - crop // 8, 2)
        top, left = np.clip([rows[pick] - shift[0], columns[pick] - shift[1]], 0, classes.shape[0] - crop)
        return int(top), int(left)


def _mapped(path: Path, dtype: type, shape: tuple[int, ...]) -> NDArray[Any]:
    if path.exists():
        there: NDArray[Any] = np.load(path, mmap_mode="r+")
        if there.shape == shape and there.dtype == dtype:
            return there
    return np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=shape)


def _order() -> NDArray[np.int64]:
    """(CHANNELS, 4): of every channel its kind, row, column and colour; below 0: it has none, or (-2) lies along it."""
    colours, two = range(3), (0, 1)
    of_pixels = [
        (kind, row, column, colour) for kind in range(3) for row in two for column in two for colour in colours
    ]
    lengths = range(len(LINES_PX))
    along_rows = [(3 + length, row, -1, colour) for length in lengths for row in two for colour in colours]
    along_columns = [(3 + length, -1, column, colour) for length in lengths for column in two for colour in colours]
    widths = range(3 + len(LINES_PX), 3 + len(LINES_PX) + len(BANDS_PX))
    bands = [(width, *way, colour) for way in ((-2, -1), (-1, -2)) for width in widths for colour in colours]
    return np.array(of_pixels + along_rows + along_columns + bands)


def _rearranged(order: NDArray[np.int64]) -> NDArray[np.intp]:
    """Which channel stands where each channel of `_order` is after a turn that makes it `order`."""
    places = {tuple(row): number for number, row in enumerate(order.tolist())}
    return np.array([places[tuple(row)] for row in _order().tolist()])


def _other(values: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.where(values < 0, values, 1 - values)


_ACROSS = _rearranged(np.column_stack([_order()[:, :2], _other(_order()[:, 2]), _order()[:, 3]]))
_DOWN = _rearranged(np.column_stack([_order()[:, :1], _other(_order()[:, 1]), _order()[:, 2:]]))
_OVER = _rearranged(_order()[:, [0, 2, 1, 3]])
_OTHER_SYSTEM = np.arange(CLASSES, dtype=np.uint8)
_OTHER_SYSTEM[[Kind.MISSING_PICK.code, Kind.BROKEN_END.code]] = Kind.BROKEN_END.code, Kind.MISSING_PICK.code


def turned(
    looked: Features, classes: Picture, weight: Picture, *, across: bool, down: bool, over: bool
) -> tuple[Features, Picture, Picture]:
    """A sample seen in a mirror, upside down, or with warp and weft changed: a missing pick is then a broken end."""
    if across:
        looked, classes, weight = looked[:, ::-1, _ACROSS], classes[:, ::-1], weight[:, ::-1]
    if down:
        looked, classes, weight = looked[::-1, :, _DOWN], classes[::-1], weight[::-1]
    if over:
        looked, classes, weight = looked[..., _OVER].transpose(1, 0, 2), _OTHER_SYSTEM[classes.T], weight.T
    return np.ascontiguousarray(looked), np.ascontiguousarray(classes), np.ascontiguousarray(weight)


def loss_of(scores: Tensor, classes: Tensor, weight: Tensor, recipe: Recipe) -> Tensor:
    """Cross-entropy of defects and of sound cloth apart, the hardest sound pixels once more, and Dice of both."""
    entropy = F.cross_entropy(scores, classes, reduction="none")
    is_defect = (classes > 0).float()
    on, off = weight * is_defect, (weight > 0).float() * (1 - is_defect)
    of_defects = (entropy * on).sum() / (on.sum() + 50)
    sound = (entropy * off).flatten()
    hardest = sound.topk(max(1, int(recipe.hard_share * sound.numel()))).values.mean()
    found = 1 - scores.softmax(dim=1)[:, 0]
    both = (found * on).sum()
    dice = 1 - (2 * both + 20) / ((found * on).sum() + (found * off).sum() + on.sum() + 20)
    return of_defects + sound.sum() / (off.sum() + 1) + recipe.hard_weight * hardest + recipe.dice_weight * dice


@dataclass
class Progress:
    """Where a training stands; part of the checkpoint."""

    steps: int = 0
    scans: int = 0  # drawn so far
    seconds: float = 0.0  # of the processor
    loss: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)


def train(
    designs: Designs,
    *,
    work: Path,
    recipe: Recipe,
    resume: bool = False,
    stop_at: int | None = None,
    report: Callable[[str], None] = _log.info,
) -> tuple[Inspector, Progress]:
    """Train until the recipe's last step (or `stop_at`); returns the averaged network.

    One thread learns, one draws.
    """
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    torch.manual_seed(recipe.seed)
    work.mkdir(parents=True, exist_ok=True)
    network: Inspector = Inspector(recipe.widths).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = copy.deepcopy(network).eval().requires_grad_(False)
    optimiser = torch.optim.AdamW(network.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    progress, next_seed = Progress(), 0
    if resume and (work / CHECKPOINT).exists():
        state = torch.load(work / CHECKPOINT, weights_only=True)
        network.load_state_dict(state["network"])
        average.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        progress, next_seed = Progress(**state["progress"]), state["next_seed"]
    pool = Pool(work / POOL, recipe, designs, next_seed)
    while pool.next_seed < recipe.first_pairs:
        pool.grow()
        if pool.next_seed % 20 == 0:
            report(f"drew {pool.next_seed} scans")
            _save(work, network, average, optimiser, progress, pool)
    network.train()
    saved, began = time.monotonic(), time.process_time() - progress.seconds
    last = min(recipe.steps, stop_at or recipe.steps)
    while progress.steps < last:
        if progress.steps % (recipe.grow_every if pool.filled < recipe.pairs else recipe.refresh_every) == 0:
            pool.grow()
        looked, classes, weight = pool.batch(np.random.default_rng([recipe.seed, progress.steps]))
        for group in optimiser.param_groups:
            group["lr"] = recipe.learning_rate * _rate(recipe, progress.steps)
        loss = loss_of(network(looked), classes, weight, recipe)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        progress.steps, progress.scans = progress.steps + 1, pool.next_seed
        _follow(average, network, min(recipe.ema, (1 + progress.steps) / (10 + progress.steps)))
        progress.loss += (float(loss.detach()) - progress.loss) * (0.02 if progress.steps > 100 else 0.2)
        progress.seconds = time.process_time() - began
        if progress.steps % 50 == 0:
            progress.history.append({"steps": progress.steps, "loss": round(progress.loss, 4)})
            report(
                f"step {progress.steps}  scans {pool.next_seed}  loss {progress.loss:.4f}  "
                f"{progress.seconds / 60:.1f} processor minutes"
            )
        if time.monotonic() - saved > 240:
            _save(work, network, average, optimiser, progress, pool)
            saved = time.monotonic()
    pool.close()
    _save(work, network, average, optimiser, progress, pool)
    return average, progress


def _rate(recipe: Recipe, step: int) -> float:
    warm = min(1.0, (step + 1) / recipe.warm_up_steps)
    return warm * (0.01 + 0.99 * 0.5 * (1 + float(np.cos(np.pi * min(1.0, step / recipe.steps)))))


@torch.no_grad()
def _follow(average: Inspector, network: Inspector, keep: float) -> None:
    torch._foreach_lerp_(list(average.parameters()), list(network.parameters()), 1 - keep)
    for mine, theirs in zip(average.buffers(), network.buffers(), strict=True):
        if mine.is_floating_point():
            mine.lerp_(theirs, 1 - keep)


def _save(
    work: Path,
    network: Inspector,
    average: Inspector,
    optimiser: torch.optim.Optimizer,
    progress: Progress,
    pool: Pool,
) -> None:
    half_written = (work / CHECKPOINT).with_suffix(".part")
    torch.save(
        {
            "network": network.state_dict(), "average": average.state_dict(), "optimiser": optimiser.state_dict(),
            "progress": vars(progress), "next_seed": pool.next_seed,
        },
        half_written,
    )  # fmt: skip
    half_written.replace(work / CHECKPOINT)
    (work / "progress.json").write_text(json.dumps(vars(progress), indent=1))
