"""What people would write to ask for a unit: templates, synonyms, moods, end uses and colour words."""

from __future__ import annotations

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
    "{noun} pattern in {colour} colours",
    "{adjective}, {second} {noun} for {use}",
    "{noun} for {use} in {colour}",
    "{adjective} {noun} fabric",
    "textile with {adjective} {noun} on a {colour} ground",
    "{second} {noun} print, {colour}",
    "we would like {adjective} {noun}, {second}",
)
_USES = (
    "curtains",
    "cushions",
    "bed linen",
    "a dress",
    "upholstery",
    "scarves",
    "wallpaper",
    "table linen",
    "a shirt",
    "children's wear",
    "a hotel lobby",
    "kitchen towels",
)
_COLOURS = (
    "Nordic",
    "terracotta",
    "indigo",
    "botanical green",
    "navy and white",
    "navy and mustard",
    "sage",
    "blush pink",
    "monochrome",
    "black and white",
    "ochre",
    "earthy",
    "pastel",
    "warm",
    "cool",
    "muted",
    "bright",
    "autumn",
    "ocean blue",
    "forest",
    "sand",
    "jewel",
    "red and cream",
    "teal",
    "grey",
    "spring",
    "lavender",
    "coral",
    "natural",
)
_MANNERS = ("modern", "elegant", "hand drawn", "beautiful", "timeless", "contemporary", "soft", "fine")


def caption(rng: Generator, nouns: Sequence[str], adjectives: Sequence[str], colours: int) -> str:
    """One natural request for a unit that shows `nouns` in the manner of `adjectives` with `colours` colours."""
    words = [*adjectives, *adjectives, str(rng.choice(_MANNERS))]
    if colours <= 2:
        words += ["two-colour", "monochrome"]
    first, second = rng.choice(len(words), size=2, replace=False)
    text = str(rng.choice(_TEMPLATES)).format(
        adjective=words[first],
        second=words[second],
        noun=rng.choice(nouns),
        colour=rng.choice(_COLOURS),
        use=rng.choice(_USES),
    )
    return text if rng.random() < 0.6 else text.lower()
