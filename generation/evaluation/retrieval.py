"""Does a drawing answer its words? The judge has to find its caption among all that were never in training."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from generation.backends import drawing
from generation.backends.embedded import WEIGHTS, EmbeddedGenerator
from generation.backends.pipeline import unit_noise
from generation.backends.proposals import understand
from generation.backends.words import encode
from generation.domain.pattern import Layout, Limits
from generation.domain.setting import Cells
from generation.evaluation.briefs import HELD_OUT, Ask
from generation.evaluation.encoder import (
    PICTURE_PX,
    Judge,
    answers,
    by_area,
    load,
    picture_of,
)
from generation.evaluation.figures import Figure
from generation.evaluation.training import corpus_picture
from generation.training import corpus

CORPUS_SEED = 1_700_000_000  # styles that neither the generator nor the judge has seen
SEEDS = (1, 2)
_SIZE_PX = 480
_UNITS = 2  # motif units across a picture


def retrieved(judge: Judge, pictures: Sequence[NDArray[np.uint8]], captions: Sequence[str]) -> tuple[float, float]:
    """(share of pictures whose own caption is nearest of all, share where it is among the nearest five)."""
    answer = answers(judge, pictures, captions)
    nearer = (answer > answer.diag()[:, None]).sum(dim=1)
    return float((nearer == 0).float().mean()), float((nearer < 5).float().mean())


def measure(asks: Sequence[Ask] = HELD_OUT, seeds: Sequence[int] = SEEDS) -> list[Figure]:
    """Retrieval among the held-out captions of delivered designs, of the model from noise alone, of corpus pictures."""
    judge, captions = load(), [ask.words for ask in asks]
    sources = {
        "delivered designs": _delivered,
        "corpus pictures of the same families": _of_corpus,
        "the model from noise alone": _from_noise,
    }
    figures = []
    for name, drawn in sources.items():
        scores = np.array([retrieved(judge, drawn(asks, seed), captions) for seed in seeds]).mean(axis=0)
        bound = 0.6 if name == "delivered designs" else None
        figures.append(Figure(f"caption found first among {len(asks)}: {name}", scores[0], at_least=bound))
        figures.append(Figure(f"caption found among the first five: {name}", scores[1]))
    read = np.mean([understand(ask.words, seed).family.name in ask.families for ask in asks for seed in seeds])
    figures.append(Figure("requests whose family is read from the words", float(read)))
    figures.append(Figure("chance", 1 / len(asks)))
    return figures


def _delivered(asks: Sequence[Ask], seed: int) -> list[NDArray[np.uint8]]:
    generator = EmbeddedGenerator()
    return [picture_of(generator.generate(ask.brief(_SIZE_PX), [seed], Limits())[0]) for ask in asks]


def _of_corpus(asks: Sequence[Ask], seed: int) -> list[NDArray[np.uint8]]:
    return [
        corpus_picture(corpus.family_named(ask.families[0]), CORPUS_SEED + 1000 * seed + number, _UNITS)
        for number, ask in enumerate(asks)
    ]


def _from_noise(asks: Sequence[Ask], seed: int) -> list[NDArray[np.uint8]]:
    """What the network makes of the words when no textile program proposes anything."""
    pipeline, pictures = drawing.load(WEIGHTS), []
    for ask in asks:
        cells = Cells(_UNITS, _UNITS, Layout.STRAIGHT)
        noise = unit_noise(cells, pipeline.geometry.unit_px, seed=seed, likeness=drawing.LIKENESS)
        coverage = pipeline(encode([understand(ask.words, seed).words]), cells, noise=noise, guidance=drawing.GUIDANCE)
        small = torch.nn.functional.interpolate(coverage[None], size=(PICTURE_PX, PICTURE_PX), mode="area")[0]
        pictures.append(by_area((small * 255).round().to(torch.uint8).numpy()))
    return pictures
