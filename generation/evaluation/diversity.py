"""Are the variants of one brief different designs, and none of them one that was trained on?"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from generation.backends.embedded import EmbeddedGenerator
from generation.domain.pattern import Limits, Raster
from generation.domain.uniqueness import SAME_DESIGN, signature
from generation.evaluation.briefs import CONTACT_SHEET, STRAIGHT, Ask
from generation.evaluation.encoder import PICTURE_PX, embed_pictures, load, picture_of
from generation.evaluation.figures import Figure
from generation.evaluation.retrieval import CORPUS_SEED
from generation.evaluation.training import corpus_picture
from generation.training import corpus

VARIANTS = 16
BRIEFS = 8
_SIZE_PX = 480
_UNITS = 2

# (likeness to the nearest training picture, how many training pictures are that like it); nan where none are indexed.
NearestTraining = Callable[[Raster, str], tuple[float, int]]


def mean_distance(vectors: NDArray[np.floating]) -> float:
    """Mean cosine distance over all pairs of unit vectors (n, d)."""
    count = len(vectors)
    alike = vectors @ vectors.T
    return float(1 - (alike.sum() - np.trace(alike)) / (count * (count - 1)))


def measure(asks: Sequence[Ask] | None = None, variants: int = VARIANTS) -> list[Figure]:
    """Mean distance of variants of one brief over that of corpus drawings of the same family, by judge and by mark."""
    judge, generator = load(), EmbeddedGenerator()
    asks = asks or [ask for ask in CONTACT_SHEET if ask.layout is STRAIGHT][::4][:BRIEFS]
    of_judge, of_mark = [], []
    for ask in asks:
        rasters = generator.generate(ask.brief(_SIZE_PX), list(range(1, variants + 1)), Limits())
        family = corpus.family_named(ask.families[0])
        drawn = [corpus_picture(family, CORPUS_SEED + number, _UNITS) for number in range(variants)]
        ours, theirs = [picture_of(raster) for raster in rasters], drawn
        of_judge.append([
            mean_distance(embed_pictures(judge, pictures).numpy()) for pictures in (ours, theirs)
        ])  # fmt: skip
        of_mark.append([mean_distance(np.stack([_signature(p) for p in pictures])) for pictures in (ours, theirs)])
    figures = []
    for name, pairs in (("as the judge sees them", of_judge), ("by their marks", of_mark)):
        ratios = np.array([own / max(other, 1e-6) for own, other in pairs])
        figures += [
            Figure(f"distance of {variants} variants over that of corpus drawings, {name}, mean",
                   float(ratios.mean()), at_least=0.8),
            Figure(f"distance of {variants} variants over that of corpus drawings, {name}, least of {len(asks)}",
                   float(ratios.min())),
        ]  # fmt: skip
    return figures


def measure_memory(
    nearest_training: NearestTraining, asks: Sequence[Ask] = CONTACT_SHEET, seed: int = 1
) -> list[Figure]:
    """How near delivered designs come to a training picture."""
    generator = EmbeddedGenerator()
    found = []
    for ask in asks:
        (raster,) = generator.generate(ask.brief(_SIZE_PX), [seed], Limits())
        found.append(nearest_training(raster, ask.words))
    likeness = np.array([value for value, _ in found])
    # What several independent training pictures show alike is common stock, such as gingham, and nobody's own.
    own = np.array([value >= SAME_DESIGN and alike < 2 for value, alike in found])
    return [
        Figure("likeness to the nearest training picture, median", float(np.median(likeness))),
        Figure("likeness to the nearest training picture, highest", float(likeness.max())),
        Figure(f"designs that are one training picture (from {SAME_DESIGN:g}) and not common stock",
               float("nan") if np.isnan(likeness).any() else float(own.sum()), at_most=0),
        Figure(f"designs that are common stock such as gingham, of {len(asks)}",
               float(sum(value >= SAME_DESIGN and alike >= 2 for value, alike in found))),
    ]  # fmt: skip


def _signature(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The mark of a picture of the judge: where the colours lie, without which they are."""
    indices = picture.argmax(axis=0).astype(np.uint8)
    lab = np.stack([np.linspace(5, 95, len(picture)), np.zeros(len(picture)), np.zeros(len(picture))], axis=1)
    assert indices.shape == (PICTURE_PX, PICTURE_PX)
    return signature(indices, lab, STRAIGHT)
