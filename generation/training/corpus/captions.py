"""What people would write to ask for a unit: templates, synonyms, moods, end uses, colour words, mill limits."""

from __future__ import annotations

import re
from collections.abc import Sequence

from numpy.random import Generator

_TEMPLATES = (
    "{adjective} {noun}",
    "{adjective} {noun} pattern",
    "{adjective} {noun} design",
    "{adjective} {noun} with {colour} color palette",
    "{adjective} {noun} design with a {colour} color palette",
    "a {adjective} {noun} print in {colour}",
    "{noun}, {adjective}, {second}",
    "{noun}",
    "{noun} pattern",
    "{noun} pattern in {colour} colours",
    "{adjective}, {second} {noun} for {use}",
    "{noun} for {use} in {colour}",
    "{adjective} {noun} fabric",
    "textile with {adjective} {noun} on a {colour} ground",
    "{second} {noun} print, {colour}",
    "we would like {adjective} {noun}, {second}",
    "something with {noun}, {adjective} but not too busy",
    "{mood} {noun} for {use}",
    "{mood}, {adjective} {noun}",
    "could you draw us {noun}? {adjective} and {second}, for {use}",
    "the customer wants a {mood} {noun} in {colour} for {use}",
    "our client asks for {noun} that feel {mood} and {second}",
    "{use}: {adjective} {noun}, {colour}",
    "{noun} in the manner of {period}, {colour}",
    "{period} {noun}",
    "an all-over {noun} print, {adjective}, in {colour} on {ground}",
    "repeat pattern of {noun}, {second}, {mood}",
    "I am looking for a {adjective} fabric with {noun} for {use}, in {colour}",
    "a {mood} design for {use} showing {noun}; please keep it {adjective} and {second}",
    "for our {season} collection: {adjective} {noun}, {colour}",
    "{season} {noun}, {mood}",
    "{noun} motif, {adjective}, {mood}",
    "cloth printed with {noun}",
    "{colour} {noun}",
    "{colour} {noun} on a {ground} ground, {adjective}",
)  # fmt: skip
_USES = (
    "curtains", "cushions", "bed linen", "a dress", "upholstery", "scarves", "wallpaper", "table linen", "a shirt",
    "children's wear", "a hotel lobby", "kitchen towels", "a summer dress", "pyjamas", "a restaurant", "swimwear",
    "tote bags", "a nursery", "blinds", "a silk scarf", "sofa fabric", "napkins", "quilting cotton", "a blouse",
    "shower curtains", "aprons", "beach towels", "a boutique hotel", "lining fabric", "ties",
)  # fmt: skip
_COLOURS = (
    "Nordic", "terracotta", "indigo", "botanical green", "navy and white", "navy and mustard", "sage", "blush pink",
    "monochrome", "black and white", "ochre", "earthy", "pastel", "warm", "cool", "muted", "bright", "autumn",
    "ocean blue", "forest green", "sand", "jewel", "red and cream", "teal", "grey", "spring", "lavender", "coral",
    "natural", "dusty rose", "petrol blue", "bottle green", "rust and cream", "pale grey", "aubergine", "olive",
    "duck egg blue", "burgundy", "charcoal", "lemon yellow", "turquoise", "old rose and sage", "chocolate and pink",
)  # fmt: skip
_GROUNDS = ("white", "cream", "ivory", "navy", "dark", "pale", "sand", "black", "light", "off-white")
_MANNERS = (
    "modern", "elegant", "hand drawn", "beautiful", "timeless", "contemporary", "soft", "fine", "stylish", "classic",
    "decorative", "well balanced",
)  # fmt: skip
_MOODS = (
    "calm", "joyful", "romantic", "playful", "serene", "cosy", "luxurious", "fresh", "nostalgic", "dramatic", "quiet",
    "lively", "rustic", "sophisticated", "dreamy", "friendly", "relaxed", "festive",
)  # fmt: skip
_PERIODS = (
    "the seventies", "the fifties", "art nouveau", "Arts and Crafts", "a Scandinavian print", "mid-century design",
    "a block print", "old pattern books", "Japanese prints", "folk art",
)  # fmt: skip
_SEASONS = ("spring", "summer", "autumn", "winter", "Christmas", "resort", "holiday")

_FEW_COLOURS = (
    "in {number} colours", "{number} colours only", "no more than {number} colours", "{number}-colour print",
    "as a {number} colour screen print", "reduced to {number} colours",
)  # fmt: skip
_NUMBERS = {2: "two", 3: "three", 4: "four"}
_BOLD = (
    "for screen printing", "bold shapes, no fine lines", "no fine details", "for jacquard weaving", "to be woven",
    "large clear shapes", "no thin lines", "for flock printing", "as a coarse weave",
)  # fmt: skip
_LIGHT = (
    "light ink coverage", "little ink", "plenty of open ground", "mostly ground", "a light hand of print",
    "low coverage", "with lots of white space",
)  # fmt: skip

_LONG = 75  # characters

# Everything but nouns that a request may be made of.
VOCABULARY = (*_TEMPLATES, *_USES, *_COLOURS, *_GROUNDS, *_MANNERS, *_MOODS, *_PERIODS, *_SEASONS)


def caption(
    rng: Generator, nouns: Sequence[str], adjectives: Sequence[str], colours: int, *, limit: str | None = None
) -> str:
    """One natural request for `nouns` in the manner of `adjectives` in `colours` colours; `limit` is said with it."""
    noun = str(rng.choice(nouns))
    manners = [word for word in adjectives if word.lower() not in noun.lower()] or list(adjectives)
    words = [*manners, *manners, *manners, *(str(word) for word in rng.choice(_MANNERS, size=2, replace=False))]
    if colours <= 2:
        words += ["two-colour", "monochrome"]
    first, second = rng.choice(len(words), size=2, replace=False)
    text = str(rng.choice(_TEMPLATES)).format(
        adjective=words[first],
        second=words[second],
        noun=noun,
        colour=rng.choice(_COLOURS),
        use=rng.choice(_USES),
        ground=rng.choice(_GROUNDS),
        mood=rng.choice(_MOODS),
        period=rng.choice(_PERIODS),
        season=rng.choice(_SEASONS),
    )
    text = re.sub(r"\b([Aa]) (?=[aeio])", r"\1n ", text)
    if limit:
        behind = rng.random() < 0.7 and len(text) < _LONG  # a text encoder forgets the end of what is long
        text = f"{text}, {limit}" if behind else f"{limit}: {text}"
    return text if rng.random() < 0.6 else text.lower()


def colour_limit(rng: Generator, colours: int) -> str:
    """A way to say that no more than `colours` (2 to 4) colours may be used."""
    return str(rng.choice(_FEW_COLOURS)).format(number=_NUMBERS[colours])


def feature_limit(rng: Generator) -> str:
    """A way to say that nothing fine can be made."""
    return str(rng.choice(_BOLD))


def ink_limit(rng: Generator) -> str:
    """A way to say that most of the ground must stay open."""
    return str(rng.choice(_LIGHT))
