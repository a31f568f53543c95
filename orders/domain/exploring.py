"""How a new round of designs goes on from earlier ones: what each way needs, takes and keeps. Pure data."""

from collections.abc import Mapping
from enum import StrEnum


class Way(StrEnum):
    """What a round is drawn from."""

    WORDS = "words"  # the words alone, or with a reference picture
    MORE_LIKE_THIS = "more_like_this"  # variations of one design; strength says how far they leave it
    REWORD = "reword"  # one design and other words for it
    INTERPOLATE = "interpolate"  # between two designs; share says where
    REDRAW = "redraw"  # some colours of one design drawn anew, all else stays
    RESIZE = "resize"  # the same design with its motifs larger, smaller, denser or sparser
    RECOLOUR = "recolour"  # the very same drawing in other colours; nothing is drawn
    WALK = "walk"  # one design moved along the axes of the brand's space, then drawn anew
    AGAIN = "again"  # the very same design for another line: an old order repeated, or what a strike-off was made in
    CHANGE = "change"  # the very same design in another quantity, on another cloth or for another date


# How people read it, with the designs it goes on from.
IN_WORDS: Mapping[Way, str] = {
    Way.WORDS: "from the words",
    Way.MORE_LIKE_THIS: "more like design {}",
    Way.REWORD: "design {} in other words",
    Way.INTERPOLATE: "between designs {} and {}",
    Way.REDRAW: "some colours of design {} drawn anew",
    Way.RESIZE: "design {} in another size or density",
    Way.RECOLOUR: "design {} in other colours",
    Way.WALK: "design {} moved in the brand's space",
    Way.AGAIN: "design {} again",
    Way.CHANGE: "design {}, in another quantity, on another cloth or for another date",
}

# How many earlier designs each way of drawing goes on from; a change is made to what was approved (orders/services.py).
PARENTS: Mapping[Way, int] = {
    Way.MORE_LIKE_THIS: 1,
    Way.REWORD: 1,
    Way.INTERPOLATE: 2,
    Way.REDRAW: 1,
    Way.RESIZE: 1,
    Way.RECOLOUR: 1,
    Way.WALK: 1,
}

# What has to be said, and what may be said besides.
NEEDS: Mapping[Way, frozenset[str]] = {
    Way.MORE_LIKE_THIS: frozenset(),
    Way.REWORD: frozenset({"words"}),
    Way.INTERPOLATE: frozenset(),
    Way.REDRAW: frozenset({"colours"}),
    Way.RESIZE: frozenset({"knobs"}),
    Way.RECOLOUR: frozenset({"palette"}),
    Way.WALK: frozenset({"walk"}),
}
MAY: Mapping[Way, frozenset[str]] = {
    Way.MORE_LIKE_THIS: frozenset({"strength", "generator"}),
    Way.REWORD: frozenset({"strength", "generator"}),
    Way.INTERPOLATE: frozenset({"share", "strength", "generator"}),
    Way.REDRAW: frozenset({"generator"}),
    Way.RESIZE: frozenset(),
    Way.RECOLOUR: frozenset(),
    Way.WALK: frozenset({"strength", "generator"}),
}

# These have one answer and no other: it is not drawn again with another seed.
EXACT = frozenset({Way.RESIZE, Way.RECOLOUR, Way.CHANGE, Way.AGAIN})

# In these nothing is drawn: it is the design that they name, in as many pixels as the cloth asks for.
UNDRAWN = frozenset({Way.CHANGE, Way.AGAIN})
