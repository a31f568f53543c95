"""From words to a procedural proposal: which textile programs answer a request best, and a cloth drawn with one."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from generation.backends.words import sentence_vectors
from generation.domain.palette import without_colours
from generation.domain.pattern import Knobs
from generation.training import corpus

_AS_ASKED = Knobs()
_CLOSE = 0.22  # families this near to the best answer the words as well
_COMPANIONS = ("branch", "sprig", "berries", "simple_flower", "folk_flower", "meadow")
_WITH_COMPANION = 0.4  # share of the airy designs whose every second column shows another motif
_STYLES_TRIED = 16
_EVENNESS = 0.12  # the higher, the more often a family that answers less well is taken
_GOLDEN_SECTION = 0.6180339887498949
_NAMED = 0.25  # a family whose own noun is in the words comes before one that is only near in meaning


@dataclass(frozen=True)
class Proposal:
    """What will be drawn for a request, before any drawing: the program, its style, and what has to be told."""

    family: corpus.Family
    style: int  # the seed of the style
    companion: corpus.Family | None  # the motif of every other column
    words: str  # what the model is told: the request without what it says about colour
    notes: tuple[str, ...] = ()  # sentences for the customer: what is drawn otherwise than asked
    knobs: Knobs = _AS_ASKED  # what the words say about density


def understand(words: str, seed: int) -> Proposal:
    """The proposal for the words; another seed is another reading of the same request."""
    rng = np.random.default_rng([seed, 5])
    family = chosen_family(words, seed)
    plain = without_colours(words) if words.strip() else ""
    return Proposal(family, style_for(family, words, rng), companion_of(family, words, rng), plain)


def ranked_families(words: str) -> list[tuple[corpus.Family, float]]:
    """Families by how well they answer the words, best first, with their score; those that answer about equally well.

    Nearness in the sentence encoder to the family's nouns and captions, plus a bonus for a noun said outright.
    """
    plain = without_colours(words).lower()
    vector = sentence_vectors([plain])[0]
    nouns, of_noun, captions = _family_vectors()
    by_noun = nouns @ vector
    scores = []
    for index, family in enumerate(corpus.FAMILIES):
        nearest = float(by_noun[of_noun == index].max())
        said = max((_said(noun, plain) for noun in family.nouns), default=0.0)
        scores.append(0.5 * nearest + 0.5 * float(captions[index] @ vector) + _NAMED * said)
    best = max(scores)
    order = sorted(range(len(scores)), key=lambda index: -scores[index])
    return [(corpus.FAMILIES[index], scores[index]) for index in order if scores[index] > best - _CLOSE]


def _said(noun: str, words: str) -> float:
    """1 when every word of the noun is there, a little more for each further word: "ditsy floral" beats "floral"."""
    stems = [re.escape(word.lower().rstrip("s")) for word in noun.split()]
    return 0.7 + 0.3 * len(stems) if all(re.search(rf"\b{stem}(s|es)?\b", words) for stem in stems) else 0.0


@lru_cache(maxsize=1)
def _family_vectors() -> tuple[Tensor, Tensor, Tensor]:
    """(noun vectors, family index of each, mean caption vector of each family)."""
    nouns = [(noun, index) for index, family in enumerate(corpus.FAMILIES) for noun in family.nouns]
    captions = []
    for family in corpus.FAMILIES:
        texts = [without_colours(corpus.draw_unit(family, seed, size_px=8).caption).lower() for seed in range(6)]
        captions.append(torch.nn.functional.normalize(sentence_vectors(texts).mean(dim=0), dim=0))
    return sentence_vectors([noun for noun, _ in nouns]), torch.tensor([i for _, i in nouns]), torch.stack(captions)


def chosen_family(words: str, seed: int) -> corpus.Family:
    """One of the families that answer the words, the better ones more often.

    Neighbouring seeds lie a golden section apart on the scale of shares, so that the candidates of one round differ.
    """
    ranked = ranked_families(words)
    share = np.exp((np.array([score for _, score in ranked]) - ranked[0][1]) / _EVENNESS)
    start = int.from_bytes(hashlib.sha256(words.encode()).digest()[:4], "big") / 2**32
    place = (start + seed * _GOLDEN_SECTION) % 1.0
    return ranked[int(np.searchsorted(np.cumsum(share / share.sum()), place).clip(0, len(ranked) - 1))][0]


def companion_of(family: corpus.Family, words: str, rng: np.random.Generator) -> corpus.Family | None:
    """A second motif for every other column, or none: for airy motifs, and never where the words ask for one motif."""
    if not family.airy or re.search(r"\b(single|only|just|one)\b", words.lower()) or rng.random() > _WITH_COMPANION:
        return None
    others = [name for name in _COMPANIONS if name != family.name]
    return corpus.family_named(others[int(rng.integers(0, len(others)))])


def style_for(family: corpus.Family, words: str, rng: np.random.Generator) -> int:
    """The seed of a style that the words describe: vertical or horizontal, lemons or cherries; else any."""
    said = set(re.findall(r"[a-z]+", words.lower()))
    seeds = [int(seed) for seed in rng.integers(0, 2**31, size=_STYLES_TRIED)]
    return max(
        seeds,
        key=lambda seed: len(said & set(re.findall(r"[a-z]+", " ".join(corpus.adjectives_of(family, seed)).lower()))),
    )
