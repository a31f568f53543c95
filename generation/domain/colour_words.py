"""Which colours a request speaks of, where, and what each is for: "pale coral birds on a navy ground, no red"."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from generation.domain.colour_names import COLOUR_NAMES, MODIFIERS, THINGS
from generation.domain.pattern import Palette, lab_of

_TOKEN = re.compile(r"#[0-9a-f]{6}(?![0-9a-z])|[a-z]+", re.IGNORECASE)
_NAMES = {tuple(name.replace("-", " ").split()): colour for name, colour in COLOUR_NAMES.items()}
_LONGEST = max(len(name) for name in _NAMES)
_THINGS = {tuple(name.split()) for name in THINGS}
_ISH = {
    "reddish": "red", "pinkish": "pink", "bluish": "blue", "greenish": "green", "yellowish": "yellow",
    "greyish": "grey", "grayish": "grey", "brownish": "brown", "purplish": "purple", "orangey": "orange",
}  # fmt: skip
_WEAK_SHADES = {"soft", "bright", "warm", "cool", "rich", "hot", "clear", "vintage", "antique", "baby", "medium", "mid"}
_ARTICLES = {"a", "an", "the"}
_JOINTS = {"and", "or", "plus", "with"}
_REFUSALS = {"no", "not", "without", "except", "avoid", "never"}
_GROUND = {"ground", "background", "base", "backdrop"}
_LEAVES = {"leaf", "leaves", "foliage", "stems", "stalks", "greenery"}
_KIND = _GROUND | {
    "colour", "color", "colours", "colors", "coloured", "colored", "palette", "colourway", "colorway", "tone", "tones",
    "shade", "shades", "hue", "hues", "toned",
}  # fmt: skip
_CLOTHS = {
    "stripe", "stripes", "striped", "check", "checks", "checked", "gingham", "plaid", "tartan", "dots", "spots",
    "damask", "herringbone", "houndstooth", "chevron", "chevrons", "zigzag", "waves", "lines", "squares", "triangles",
    "hexagons", "toile", "paisley", "ikat", "florals", "flowers", "blossoms", "blooms",
}  # fmt: skip


@dataclass(frozen=True)
class Mention:
    """A colour that the words speak of."""

    start: int  # of the words: the first character and the one after the last
    end: int
    said: str
    colour: str  # '#rrggbb'
    part: str = ""  # "ground", "leaves" or, for anything else, ""
    refused: bool = False  # "no red"
    sure: bool = True


def mentions(words: str) -> list[Mention]:
    """The colours that the words speak of, in their order; names that are also things count where a colour is meant.

    >>> [(m.said, m.part) for m in mentions("lemon print with dusty rose flowers on a navy ground, no red")]
    [('dusty rose', ''), ('navy', 'ground'), ('red', '')]
    """
    words = _unaccented(words)
    tokens = list(_TOKEN.finditer(words))
    said = [token.group().lower() for token in tokens]
    found: list[tuple[int, int, Mention]] = []  # first token, token after the last
    at = 0
    while at < len(said):
        taken, colour, sure = _match(said, at)
        if taken:
            start, end = tokens[at].start(), tokens[at + taken - 1].end()
            mention = Mention(start, end, " ".join(said[at : at + taken]), colour, sure=sure)
            found.append((at, at + taken, _in_context(mention, said, at, at + taken)))
        at += max(1, taken)
    return [mention for mention in _joined(found, said, words) if mention.sure]


def colour_of(phrase: str) -> str | None:
    """'#rrggbb' of a phrase that is nothing but one colour: "pale sage", "navy", "very dark teal"; else None."""
    if not re.fullmatch(r"[a-z][a-z '-]*", _unaccented(phrase), re.IGNORECASE):
        return None
    said = [token.group().lower() for token in _TOKEN.finditer(_unaccented(phrase))]
    taken, colour, _ = _match(said, 0) if said else (0, "", False)
    return colour if said and taken == len(said) else None


def shaded(colour: str, shades: list[str]) -> str:
    """The colour under words such as pale, dark or dusty, applied to lightness and chroma in CIE LCh."""
    lab = lab_of(Palette((colour,)).rgb())[0]
    for shade in shades:
        lift, chroma = MODIFIERS[shade]
        lab[0] += lift * (100 - lab[0]) if lift > 0 else lift * lab[0]
        lab[1:] *= chroma
    return hex_of_lab(lab)


def hex_of_lab(lab: NDArray[np.float64]) -> str:
    """'#rrggbb' nearest to CIE L*a*b* (3,), white D65 (IEC 61966-2-1, CIE 15:2004 section 8.2.1).

    Chroma is given up where sRGB can't show it; lightness and hue stay.
    """
    most, least = 1.0, 0.0
    if not _shown(_linear(lab)):
        for _ in range(12):
            middle = (most + least) / 2
            most, least = (most, middle) if _shown(_linear(lab * (1, middle, middle))) else (middle, least)
        lab = lab * (1, least, least)
    linear = _linear(lab).clip(0, 1)
    value = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    red, green, blue = (round(255 * float(v)) for v in value)
    return f"#{red:02x}{green:02x}{blue:02x}"


_XYZ_TO_SRGB = np.array(
    [
        [3.2409699419, -1.5373831776, -0.4986107603],
        [-0.9692436363, 1.8759675015, 0.0415550574],
        [0.0556300797, -0.2039769589, 1.0569715142],
    ]
)
_WHITE = np.linalg.inv(_XYZ_TO_SRGB).sum(axis=1)


def _linear(lab: NDArray[np.float64]) -> NDArray[np.float64]:
    middle = (lab[0] + 16) / 116
    f = np.array([middle + lab[1] / 500, middle, middle - lab[2] / 200])
    xyz = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29)) * _WHITE
    out: NDArray[np.float64] = _XYZ_TO_SRGB @ xyz
    return out


def _shown(linear: NDArray[np.float64]) -> bool:
    return bool((linear > -1e-3).all() and (linear < 1.001).all())


def _unaccented(words: str) -> str:
    """The words with plain letters for accented ones, every character at its place."""
    return "".join(unicodedata.normalize("NFKD", letter)[0] for letter in words)


def _match(said: list[str], at: int) -> tuple[int, str, bool]:
    """(how many tokens from `at` are one colour, the colour, whether it can be nothing else); 0 tokens: none."""
    if said[at].startswith("#"):
        return 1, said[at], True
    plain, name = _name_at(said, at)
    shades: list[str] = []
    tint = ""
    here = at
    while here < len(said) and (said[here] in MODIFIERS or said[here] in _ISH or said[here] == "very"):
        if said[here] == "very" and here + 1 < len(said) and said[here + 1] in MODIFIERS:
            shades.append(said[here + 1])
        elif said[here] in MODIFIERS:
            shades.append(said[here])
        elif said[here] in _ISH and not _name_at(said, here + 1)[0]:
            return here + 1 - at, shaded(COLOUR_NAMES[_ISH[said[here]]], [*shades, "muted"]), True
        else:
            tint = _ISH[said[here]]
        here += 1
    base, shaded_name = _name_at(said, here) if shades or here > at else (0, ())
    if base and here + base - at > plain:
        colour = shaded(_NAMES[shaded_name], shades)
        if tint:
            lab = Palette((colour, COLOUR_NAMES[tint])).lab()
            colour = hex_of_lab(0.7 * lab[0] + 0.3 * lab[1])
        strong = bool(tint) or any(shade not in _WEAK_SHADES for shade in shades)
        return here + base - at, colour, strong or shaded_name not in _THINGS
    return (plain, _NAMES[name], name not in _THINGS) if plain else (0, "", False)


def _name_at(said: list[str], at: int) -> tuple[int, tuple[str, ...]]:
    for length in range(min(_LONGEST, len(said) - at), 0, -1):
        name = tuple(said[at : at + length])
        if name in _NAMES:
            return length, name
        single = (*name[:-1], name[-1].removesuffix("s"))
        if single in _NAMES and single not in _THINGS:
            return length, single
    return 0, ()


def _in_context(mention: Mention, said: list[str], first: int, after: int) -> Mention:
    before = first - 1
    while before >= 0 and said[before] in _ARTICLES:
        before -= 1
    previous = said[before] if before >= 0 else ""
    following = said[after] if after < len(said) else ""
    second = said[after + 1] if after + 1 < len(said) else ""
    part = ""
    if (
        following in _GROUND
        or (following in _KIND and second in _GROUND)
        or (previous == "on" and following not in _CLOTHS)
    ):
        part = "ground"
    elif following in _LEAVES:
        part = "leaves"
    meant = (previous in {"in", "on"} and said[first - 1] != "the") or following in _KIND | _CLOTHS
    return replace(mention, part=part, refused=previous in _REFUSALS, sure=mention.sure or meant)


def _joined(found: list[tuple[int, int, Mention]], said: list[str], words: str) -> list[Mention]:
    """Colours joined by "and" or a comma to one that is certain are colours too, and are refused with it."""
    out = [mention for _, _, mention in found]
    for index in (*range(1, len(out)), *range(len(out) - 1, 0, -1)):
        left, right = out[index - 1], out[index]
        between = said[found[index - 1][1] : found[index][0]]
        comma = "," in words[left.end : right.start] or "&" in words[left.end : right.start]
        linked = (len(between) == 1 and between[0] in _JOINTS) or (not between and comma)
        thing = (
            index > 1 and not left.sure and found[index - 2][1] == found[index - 1][0]
        )  # "red cherry and green leaf"
        if not linked:
            continue
        if left.sure != right.sure and not thing and left.part != "leaves":
            out[index - 1], out[index] = replace(left, sure=True), replace(right, sure=True)
        if left.refused and between in ([], ["and"], ["or"]):
            out[index] = replace(out[index], refused=True)
    return out
