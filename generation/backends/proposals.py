"""From words to a proposal: which textile program answers a request, in which style, and what has to be told of it."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray

from generation.backends.words import sentence_vectors
from generation.domain.palette import MOODS, PaletteReading, read_palette, without_colours
from generation.domain.pattern import Knobs
from generation.training import corpus
from generation.training.corpus.captions import VOCABULARY
from generation.training.corpus.vocabulary import ALSO

_AS_ASKED = Knobs()
_CLOSE = 0.22  # families this near to the best answer the words as well
_COMPANIONS = ("branch", "sprig", "berries", "simple_flower", "folk_flower", "meadow")
_WITH_COMPANION = 0.4  # share of the airy designs whose every second column shows another motif
_STYLES_TRIED = 16
_STYLES_LOOKED_AT = 12  # enough to meet every kind that a program draws
_EVENNESS = 0.12  # the higher, the more often a family that answers less well is taken
_GOLDEN_SECTION = 0.6180339887498949
_NAMED = 0.25  # a family that is named outright comes before one that is only near in meaning
_AGAIN = 0.08  # for every further thing of the same family that is named
_PHRASE, _WHOLE = 0.65, 0.35  # of the likeness to the nearest thing a family shows, and to all that it shows
_STRANGENESS = 0.3  # what a request of nothing but strange words loses of its likeness
_KNOWN = 0.62  # from here on a request counts as one for something that is drawn; calibrated with the tests
_QUOTED = 80  # characters of a request that a note repeats
_SMALL_WORDS = (
    "the and with for from like that this its are into over our his her your you all very one two in of on at"
)
_UNREADABLE_FAMILIES = ("simple_flower", "flower_head", "daisy")

_FILLER = re.compile(
    r"\b(?:please|could you|can you|draw us|draw|make us|we would like|we want|we need|i would like|i want|i need"
    r"|i am looking for|looking for|our client asks for|the customer wants|something with|some|a lot of|lots of"
    r"|(?:all[- ]over )?(?:repeat )?(?:pattern|print|design|motif|fabric|textile|cloth|wallpaper)s?(?: of| with)?)\b",
    re.IGNORECASE,
)
_REFUSED = re.compile(r"\b(?:no|not|without|except|never|avoid)\s+(?:any\s+|too\s+|a\s+)?[a-z-]+")
_USE = re.compile(
    r"[,;:]?\s*\b(?:for|as a print for)\s+(?:(?:a|an|the|our|my|your|his|her)\s+)?[a-z' -]+$", re.IGNORECASE
)

# What the words say about how close motifs stand (motifs per area), and words that say the opposite.
_DENSITY: dict[str, float] = {
    "sparse": 0.55, "sparsely": 0.55, "airy": 0.65, "spacious": 0.6, "widely spaced": 0.55,
    "uncluttered": 0.7, "plenty of space": 0.6, "lots of white space": 0.6, "well spaced": 0.7, "far apart": 0.55,
    "dense": 1.6, "densely": 1.6, "packed": 1.8, "tightly packed": 1.9, "crowded": 1.7, "busy": 1.5,
    "all-over": 1.3, "all over": 1.3, "allover": 1.3, "close together": 1.6,
}  # fmt: skip
_DENSITY_NAMES = re.compile(
    rf"\b(not (?:too )?|less |more )?({'|'.join(sorted(_DENSITY, key=len, reverse=True))})\b", re.IGNORECASE
)
_ARRANGEMENTS: dict[str, tuple[str, ...]] = {
    "tossed": ("tossed", "scattered", "thrown", "random", "multidirectional", "multi-directional"),
    "in rows": ("in rows", "in a row", "rows of", "lined up", "in stripes", "in columns", "one-way"),
    "bordered": ("border print", "engineered", "placement print", "placed print", "panel"),
}


@dataclass(frozen=True)
class Proposal:
    """What will be drawn for a request, before any drawing: the program, its style, and what has to be told."""

    family: corpus.Family
    style: int  # the seed of the style
    companion: corpus.Family | None  # the motif of every other column
    words: str  # what the model is told: the request without what it says about colour
    notes: tuple[str, ...] = ()  # sentences for the customer: what is drawn otherwise than asked
    knobs: Knobs = _AS_ASKED  # what the words say about density; their scale is read with the repeat


def understand(words: str, seed: int) -> Proposal:
    """The proposal for the words; another seed is another reading of the same request."""
    rng = np.random.default_rng([seed, 5])
    readable, notes = _readable(words)
    if not readable:
        family = corpus.family_named(_UNREADABLE_FAMILIES[seed % len(_UNREADABLE_FAMILIES)])
        return Proposal(family, int(rng.integers(0, 2**31)), None, family.nouns[0], notes)
    match = _matched(readable)
    family = _taken(match, readable, seed)
    companion, told = _second(match, family)
    if companion is None:
        companion = companion_of(family, readable, rng)
    knobs, contrary = _density(readable)
    notes += (*told, *_unknown(match, family), *contrary, *_arrangement(readable, family))
    return Proposal(family, style_for(family, readable, rng), companion, without_colours(readable), notes, knobs)


def palette_for(words: str, colours: int) -> PaletteReading:
    """At most `colours` colours for the words, with notes: by what they name, else by what they make one think of."""
    readable, _ = _readable(words)
    reading = read_palette(readable, colours)
    if not readable or not reading.by_default:
        return reading
    vectors, of_palette, names = _mood_vectors()
    near = vectors @ _vectors([readable])[0]
    return read_palette(
        readable, colours, moods={name: float(near[of_palette == k].max()) for k, name in enumerate(names)}
    )


def warm_up() -> None:
    """Read all that families and palettes are called, so that the first request does not wait for it (seconds)."""
    _family_vectors()
    _mood_vectors()
    _known_words()


def ranked_families(words: str) -> list[tuple[corpus.Family, float]]:
    """Families by how well they answer the words, best first, with their score; those that answer about equally well.

    Nearness in the sentence encoder to what the family shows, plus a bonus for a thing that is named outright.
    """
    return _matched(words).ranked


@dataclass(frozen=True)
class _Match:
    """How the request compares with what the programs show."""

    subject: str  # the request without colours, uses and filling words
    ranked: list[tuple[corpus.Family, float]]
    named: dict[str, list[str]]  # family to the phrases of it that are in the words
    certainty: float  # how surely it is one of the things that are drawn at all


@lru_cache(maxsize=512)
def _matched(words: str) -> _Match:
    asked = without_colours(words).lower()
    plain = " ".join(_REFUSED.sub(" ", asked).split()) or asked
    subject = _subject(plain)
    phrases, of_phrase, whole = _family_vectors()
    vector = 0.7 * (both := _vectors([subject, plain]))[0] + 0.3 * both[1]
    vector /= np.linalg.norm(vector)
    by_phrase = phrases @ vector
    named = _named(plain)
    scores = np.empty(len(corpus.FAMILIES))
    for index, family in enumerate(corpus.FAMILIES):
        scores[index] = _PHRASE * by_phrase[of_phrase == index].max() + _WHOLE * whole[index] @ vector
        if family.name in named:
            said = sorted((_weight(phrase) for phrase in named[family.name]), reverse=True)
            scores[index] += _NAMED * said[0] + _AGAIN * (len(said) - 1)
    order = [int(index) for index in np.argsort(-scores, kind="stable")]
    ranked = [(corpus.FAMILIES[k], float(scores[k])) for k in order if scores[k] > scores[order[0]] - _CLOSE]
    return _Match(subject, ranked, named, ranked[0][1] - _STRANGENESS * _strange(subject))


def _subject(plain: str) -> str:
    """What is to be seen, without what it is for and without what only makes a sentence of it."""
    text = _DENSITY_NAMES.sub(" ", _FILLER.sub(" ", plain))
    text = " ".join(_USE.sub("", " ".join(text.split())).split()).strip(" ,;:.!?")
    return text or plain


def _named(plain: str) -> dict[str, list[str]]:
    """Families whose things are named in the words; a phrase within a longer one that is named does not count."""
    said = _stems(plain)
    hits = [phrase for phrase in _phrases() if said.issuperset(phrase)]
    hits = [phrase for phrase in hits if not any(set(phrase) < set(other) for other in hits)]
    named: dict[str, list[str]] = {}
    for phrase in hits:
        for family in _phrases()[phrase]:
            named.setdefault(family, []).append(" ".join(phrase))
    return named


def _weight(phrase: str) -> float:
    """More for a phrase of many words, less for one that many families answer."""
    words = tuple(phrase.split())
    return float((0.7 + 0.3 * len(words)) / len(_phrases()[words]) ** 0.5)


@lru_cache(maxsize=1)
def _phrases() -> dict[tuple[str, ...], list[str]]:
    found: dict[tuple[str, ...], list[str]] = {}
    for family in corpus.FAMILIES:
        for phrase in (*family.nouns, *ALSO[family.name]):
            words = [word for word in re.findall(r"[a-z0-9]+", phrase.lower()) if not _FILLER.fullmatch(word)]
            stems = tuple(_stem(word) for word in words)
            holders = found.setdefault(stems, [])
            if family.name not in holders:
                holders.append(family.name)
    return found


def _stem(word: str) -> str:
    """One form for singular and plural: "leaves" and "leaf", "foxes" and "fox", "bunnies" and "bunny"."""
    for ending, instead in (
        ("leaves", "leaf"),
        ("ies", "y"),
        ("xes", "x"),
        ("shes", "sh"),
        ("ches", "ch"),
        ("oes", "o"),
    ):
        if word.endswith(ending) and len(word) > len(ending) + 1 - (ending == "leaves") * 2:
            return word[: -len(ending)] + instead
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3 else word


@lru_cache(maxsize=1)
def _family_vectors() -> tuple[NDArray[np.float32], NDArray[np.intp], NDArray[np.float32]]:
    """(vectors of all that families show, family index of each, mean vector of each family)."""
    phrases, of_phrase = [], []
    for index, family in enumerate(corpus.FAMILIES):
        manners = _manners(family.name)
        own = [*family.nouns, *ALSO[family.name], *(f"{manner} {family.nouns[0]}" for manner in manners)]
        phrases += own
        of_phrase += [index] * len(own)
    vectors, index_of = _vectors(phrases), np.array(of_phrase)
    whole = np.stack([vectors[index_of == k].mean(axis=0) for k in range(len(corpus.FAMILIES))])
    return vectors, index_of, whole / np.linalg.norm(whole, axis=1, keepdims=True)


@lru_cache(maxsize=1)
def _mood_vectors() -> tuple[NDArray[np.float32], NDArray[np.intp], tuple[str, ...]]:
    names = tuple(MOODS)
    of_palette = np.array([k for k, name in enumerate(names) for _ in MOODS[name]])
    return _vectors([mood for name in names for mood in MOODS[name]]), of_palette, names


def _vectors(texts: list[str]) -> NDArray[np.float32]:
    out: NDArray[np.float32] = torch.cat(
        [sentence_vectors(texts[start : start + 128]) for start in range(0, len(texts), 128)]
    ).numpy()
    return out


# ------------------------------------------------------------------------------------------------ what is drawn


def _taken(match: _Match, words: str, seed: int) -> corpus.Family:
    """One of the families that answer the words; where some are named outright, one of those.

    Neighbouring seeds lie a golden section apart on the scale of shares, so that the candidates of one round differ.
    """
    ranked = [(family, score) for family, score in match.ranked if family.name in match.named] or match.ranked
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
    said = _stems(words)
    seeds = [int(seed) for seed in rng.integers(0, 2**31, size=_STYLES_TRIED)]
    if not said & _stems(" ".join(_manners(family.name))):
        return seeds[0]
    return max(seeds, key=lambda seed: len(said & _stems(" ".join(corpus.adjectives_of(family, seed)))))


@lru_cache(maxsize=256)
def _manners(family: str) -> tuple[str, ...]:
    """Words that describe one or another style of the family."""
    found = corpus.family_named(family)
    return tuple(sorted({manner for seed in range(_STYLES_LOOKED_AT) for manner in corpus.adjectives_of(found, seed)}))


def _stems(text: str) -> set[str]:
    return {_stem(word) for word in re.findall(r"[a-z0-9]+", text.lower())}


def _calls(phrase: str, family: str) -> bool:
    """Whether the phrase is a name of that family and of no other, not only something that it reminds of."""
    names = [_stems(noun) for noun in corpus.family_named(family).nouns]
    return set(phrase.split()) in names and len(_phrases()[tuple(phrase.split())]) == 1


def _second(match: _Match, family: corpus.Family) -> tuple[corpus.Family | None, tuple[str, ...]]:
    """The other motif that the words name beside the first, or a note that it can't stand beside it."""
    own = match.named.get(family.name, [])
    shown = _stems(" ".join([*family.nouns, *ALSO[family.name]]))
    others = [
        name
        for name, phrases in match.named.items()
        if name != family.name
        and any(_calls(phrase, name) and not shown.issuperset(phrase.split()) for phrase in phrases)
    ]
    if not own or not others:
        return None, ()
    other = corpus.family_named(max(others, key=lambda name: max(_weight(phrase) for phrase in match.named[name])))
    if family.island and other.island:
        return other, ()
    asked = f"{_plainly(family)} and {_plainly(other)}"
    return None, (f"We can't draw {asked} in one design: this one shows {_plainly(family)}.",)


# ------------------------------------------------------------------------------------------------ what has to be told


def _readable(words: str) -> tuple[str, tuple[str, ...]]:
    """The words with pictures replaced by their names, and a note where nothing can be read."""
    text, pictures = "", []
    for letter in words:
        if unicodedata.category(letter) == "So" and (name := unicodedata.name(letter, "")):
            pictures.append(name.lower())
            text += f" {name.lower()} "
        else:
            text += letter
    latin = sum(letter.isascii() and letter.isalpha() for letter in unicodedata.normalize("NFKD", text))
    letters = sum(letter.isalpha() for letter in unicodedata.normalize("NFKD", text))
    if latin < 2 or latin < 0.5 * letters:
        if not words.strip():
            return "", ()
        return "", ("These words could not be read: please write them in English. Drawn is a simple floral.",)
    if pictures:
        return " ".join(text.split()), (f"The signs were read as: {', '.join(dict.fromkeys(pictures))}.",)
    return " ".join(text.split()), ()


def _plainly(family: corpus.Family) -> str:
    return family.name.replace("_", " ")


def _unknown(match: _Match, family: corpus.Family) -> tuple[str, ...]:
    """A note where nothing that is drawn comes near enough to what was asked for."""
    if match.certainty >= _KNOWN:
        return ()
    asked = match.subject if len(match.subject) <= _QUOTED else match.subject[:_QUOTED].rsplit(" ", 1)[0] + " …"
    return (f"Nothing we draw shows {asked}: the nearest we know is {_plainly(family)}.",)


def _strange(subject: str) -> float:
    """Share of the words of a request that belong to nothing we draw and to no way of asking for it."""
    said = [_stem(word) for word in re.findall(r"[a-z]+", subject) if len(word) > 2]
    return sum(word not in _known_words() for word in said) / len(said) if said else 0.0


@lru_cache(maxsize=1)
def _known_words() -> frozenset[str]:
    manners = [manner for family in corpus.FAMILIES for manner in _manners(family.name)]
    asking = " ".join([*VOCABULARY, *manners, _SMALL_WORDS]).lower()
    return frozenset(
        {_stem(word) for word in re.findall(r"[a-z]+", asking)} | {word for phrase in _phrases() for word in phrase}
    )


def _density(words: str) -> tuple[Knobs, tuple[str, ...]]:
    """Motifs per area that the words ask for, and a note where they ask for both few and many."""
    asked = {}
    for found in _DENSITY_NAMES.finditer(words):
        factor = _DENSITY[found.group(2).lower()]
        asked[found.group(2).lower()] = (
            1 / factor if (found.group(1) or "").lower().startswith(("not", "less")) else factor
        )
    few, many = [k for k in asked if asked[k] < 1], [k for k in asked if asked[k] > 1]
    if few and many:
        return _AS_ASKED, (f"'{few[0]}' and '{many[0]}' can't both be had: drawn at an ordinary density.",)
    if not asked:
        return _AS_ASKED, ()
    return Knobs(density=max(asked.values(), key=lambda factor: abs(np.log(factor)))), ()


def _arrangement(words: str, family: corpus.Family) -> tuple[str, ...]:
    """Notes on arrangements that the words ask for and that exclude each other or can't be made."""
    text = words.lower()
    asked = {
        kind: said
        for kind, names in _ARRANGEMENTS.items()
        for said in names
        if re.search(rf"\b{re.escape(said)}\b", text)
    }
    notes = []
    if "bordered" in asked:
        notes.append(f"A {asked['bordered']} is not drawn: the motifs repeat over the whole cloth.")
    if {"tossed", "in rows"} <= set(asked):
        notes.append(
            f"'{asked['tossed']}' and '{asked['in rows']}' can't both be had: the motifs stand in their repeat."
        )
    elif "tossed" in asked and not family.island:
        notes.append(f"A pattern of {_plainly(family)} runs on over the cloth and can't be {asked['tossed']}.")
    return tuple(notes)
