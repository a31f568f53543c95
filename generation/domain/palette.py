"""From words, names and pictures to the colours of a design, by role: ground, main motif, leaves, accent, detail."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from generation.domain.pattern import Palette, lab_of
from generation.errors import NotAColour, UnknownPalette

# Each palette is ordered by role: ground, main motif, leaves or second motif, accent, detail, then further colours.
NAMED_PALETTES: dict[str, tuple[str, ...]] = {
    "nordic": ("#f1eee7", "#34506b", "#8ba495", "#cf9273", "#dcc08a", "#29323d", "#b7c3c9", "#6f8291"),
    "terracotta": ("#f6e9da", "#bf5b3c", "#8a8f63", "#e0a15f", "#7a3b2a", "#e8c4a4", "#4d4a3a", "#d98b73"),
    "indigo": ("#f3f1ea", "#27366f", "#7f93bf", "#b9c5de", "#141d42", "#4f64a3", "#d9dfec", "#8a8fa3"),
    "botanical": ("#f4f2e6", "#3d6b4a", "#8fae7b", "#d9a441", "#c4d0a7", "#1f3d2c", "#b85c4a", "#6f8f6a"),
    "autumn": ("#f3e6cf", "#a8452c", "#7a7a3a", "#d98e2b", "#5b2e22", "#c9a15a", "#3f3a2a", "#8c5a35"),
    "spring": ("#fbf6ec", "#e58fa3", "#93b878", "#f2c14e", "#f7d0d6", "#5f8a5a", "#a7c7e7", "#c98bb9"),
    "ocean": ("#eef5f5", "#155a75", "#5fa3ad", "#f0c27b", "#a9d3d5", "#0c2f45", "#e58a6a", "#3b7d94"),
    "blush": ("#fbf1ee", "#cf7f86", "#9ba893", "#e8b9a6", "#8c4f58", "#f0d3cf", "#6a6f66", "#d9a0a0"),
    "monochrome": ("#f7f6f3", "#1c1c1e", "#8a8a8c", "#c6c6c6", "#4a4a4d", "#e2e2e0", "#2f2f31", "#a5a5a6"),
    "pastel": ("#fdf8f3", "#8fb3dc", "#b9dcc0", "#f6c6cf", "#f9e2ae", "#d3c3e6", "#9fb8b0", "#eab79f"),
    "earth": ("#efe6d8", "#7b5a3e", "#8f8a62", "#c58a4e", "#4b3a2c", "#d8c1a0", "#a8694a", "#625f4a"),
    "jewel": ("#1d1a2f", "#c2325a", "#1f8a70", "#e0a526", "#6a3fa0", "#f0e6d2", "#2461a8", "#8f1f4a"),
    "sage": ("#f4f3ec", "#6f8a72", "#a9bba3", "#d8b08c", "#44584a", "#cdd8c8", "#8f7f63", "#b7c4b1"),
    "nautical": ("#f7f5f0", "#1b2f52", "#c23b3b", "#8fa6c4", "#e3c98f", "#0f1c33", "#d9dfe6", "#4a6488"),
    "tropical": ("#fdf6e7", "#0f8a7a", "#3f9b4f", "#f26a5b", "#f7b733", "#0b5163", "#f29db0", "#84c26b"),
    "midcentury": ("#f2ead8", "#d9742b", "#3f7f7a", "#e3b23c", "#5a3a2a", "#8fa66a", "#b5442f", "#22454a"),
    "japandi": ("#efeae1", "#4a4f48", "#9a9f88", "#b98d6f", "#d3c7b3", "#2b2d29", "#7d7466", "#c2b8a3"),
    "lavender": ("#f6f3f8", "#7b6aa8", "#93a98b", "#c7b5e0", "#4a3f6b", "#e5dcf0", "#b08fb5", "#6f8f84"),
    "citrus": ("#fdfaf0", "#f0a81f", "#7fa845", "#f26b3a", "#f7d65a", "#3f6b3a", "#fbe7a8", "#c9d96a"),
    "berry": ("#f8f0f1", "#8a1f4a", "#6f8a6a", "#d95f82", "#e8b7c4", "#3f1530", "#b98aa0", "#4a5f4a"),
    "winter": ("#f2f5f7", "#2c4a63", "#5d7d6e", "#b23a3f", "#b9cbd6", "#16232f", "#dfe7ec", "#86a0b3"),
    "desert": ("#f7ead9", "#c46a44", "#9aa07a", "#e6b27a", "#8a5a4a", "#d9c2a7", "#5f6a5a", "#eacbb0"),
}

_ALIASES: dict[str, str] = {
    "scandinavian": "nordic", "scandi": "nordic", "skandi": "nordic", "hygge": "nordic", "clay": "terracotta",
    "mediterranean": "terracotta", "denim": "indigo", "shibori": "indigo", "garden": "botanical",
    "woodland": "botanical", "forest": "botanical", "natural": "earth", "earthy": "earth", "earth tones": "earth",
    "warm": "terracotta", "fall": "autumn", "harvest": "autumn", "sea": "ocean", "coastal": "ocean",
    "aqua": "ocean", "marine": "nautical", "romantic": "blush", "black and white": "monochrome",
    "monochromatic": "monochrome", "greyscale": "monochrome", "pastels": "pastel", "nursery": "pastel",
    "baby": "pastel", "soft": "pastel", "jewel tones": "jewel", "muted": "nordic", "cool": "nordic",
    "mid-century": "midcentury", "mid century": "midcentury", "retro": "midcentury", "seventies": "midcentury",
    "jungle": "tropical", "summer": "citrus", "christmas": "winter", "boho": "desert", "bohemian": "desert",
    "minimalist": "nordic", "wabi-sabi": "japandi", "zen": "japandi", "neutral": "japandi", "nautic": "nautical",
}  # fmt: skip

_STRONG_ALIASES = frozenset(_ALIASES) - {
    "minimalist",
    "soft",
    "warm",
    "cool",
    "garden",
    "summer",
    "forest",
    "woodland",
    "sea",
}

COLOUR_NAMES: dict[str, str] = {
    "black": "#1a1a1c", "white": "#ffffff", "ivory": "#f7f2e4", "cream": "#f6eeda", "ecru": "#ede3cd",
    "grey": "#8c8f92", "gray": "#8c8f92", "charcoal": "#36393d", "silver": "#c3c7ca", "navy": "#1d2f52",
    "blue": "#2f62a8", "sky": "#9cc4e2", "sky blue": "#9cc4e2", "light blue": "#a9cbe3", "pale blue": "#c3d8e6",
    "dark blue": "#1f3560", "royal blue": "#2a4fb0", "cobalt": "#1f4aa8", "turquoise": "#3bb3b0", "teal": "#1f7a7a",
    "petrol": "#15535f", "aqua": "#7fcfcf", "mint": "#b5dcc6", "green": "#3f7f4f", "dark green": "#23492f",
    "light green": "#a3c79a", "olive": "#7a7d3a", "sage": "#93a58b", "emerald": "#127a56", "moss": "#6b7a3f",
    "lime": "#a9c93a", "yellow": "#f0c63f", "mustard": "#d3a02c", "ochre": "#c58a2f", "ocher": "#c58a2f",
    "gold": "#c9a24a", "orange": "#e07f2c", "apricot": "#f0b98a", "peach": "#f4c3a5", "coral": "#ef7f6b",
    "salmon": "#f09a86", "red": "#bf2f36", "crimson": "#a3172f", "burgundy": "#6b1730", "wine": "#6b1730",
    "brick": "#a24a36", "rust": "#a8522f", "terracotta": "#c1603f", "pink": "#e693a7", "light pink": "#f4c6d0",
    "hot pink": "#e0428a", "rose": "#d47c8c", "blush": "#eec3bd", "fuchsia": "#c2307f", "magenta": "#b8256f",
    "purple": "#6b3f94", "violet": "#7350a3", "lavender": "#b7a5d6", "lilac": "#c6aed6", "plum": "#6a3157",
    "aubergine": "#3f2038", "indigo": "#2c3a7a", "brown": "#6f4a30", "chocolate": "#4b2e20", "tan": "#c8a47a",
    "beige": "#e3d5bd", "sand": "#dcc9a6", "camel": "#b88a56", "taupe": "#8f8172", "khaki": "#9c9368",
    "copper": "#b06a3f", "denim": "#3f5f8a", "ruby": "#94163a", "sapphire": "#1f3f94", "amber": "#d98e1f",
    "linen": "#efe6d5", "stone": "#c2b9a8", "slate": "#4f5f6e",
}  # fmt: skip

_HEX = re.compile(r"#?([0-9a-fA-F]{6}|[0-9a-fA-F]{3})\Z")
_LIGHT_L = 80.0


def palette_named(name: str) -> tuple[str, ...]:
    """The colours of a palette by role; UnknownPalette names the choices.

    >>> palette_named("Scandinavian")[:2]
    ('#f1eee7', '#34506b')
    """
    key = " ".join(name.lower().split()).removesuffix(" palette").removesuffix(" color").removesuffix(" colour")
    colours = NAMED_PALETTES.get(_ALIASES.get(key, key))
    if colours is None:
        choices = sorted(NAMED_PALETTES)
        raise UnknownPalette(
            f"There is no palette called '{name}'. Choose one of: {', '.join(choices)}; "
            "or give colours such as '#2b3a4a'.",
            fields={"field": "palette", "value": name, "choices": choices},
        )
    return colours


def parse_colour(text: str) -> str:
    """'#rrggbb' of '#2b3a4a', '2b3a4a', '#abc' or a colour's name; NotAColour otherwise.

    >>> parse_colour("2B3A4A"), parse_colour("Navy")
    ('#2b3a4a', '#1d2f52')
    """
    cleaned = " ".join(str(text).lower().split())
    if match := _HEX.match(cleaned):
        digits = match.group(1)
        return "#" + (digits if len(digits) == 6 else "".join(2 * digit for digit in digits))
    if cleaned in COLOUR_NAMES:
        return COLOUR_NAMES[cleaned]
    raise NotAColour(
        f"'{text}' is not a colour: write it as '#2b3a4a', or by a name such as navy, sage or terracotta.",
        fields={"field": "palette", "value": str(text)},
    )


def palette_from_words(words: str, colours: int) -> Palette:
    """The palette that the words ask for: a palette's name, or colour names in their order, or the house's default.

    Colours that are named come first; a ground is added when all of them are dark or strong, and the rest is filled
    from the palette whose colours lie nearest.

    >>> palette_from_words("minimalist floral design with a Nordic color palette", 3).colours
    ('#f1eee7', '#34506b', '#8ba495')
    """
    text = " " + re.sub(r"[^a-z-]+", " ", words.lower()) + " "
    named = _colours_in(text)
    asked = _palette_in(text)
    if asked and (
        len(named) < 2 or f" {asked} palette" in text or f" {asked} color" in text or f" {asked} colour" in text
    ):
        return Palette(NAMED_PALETTES[_ALIASES.get(asked, asked)][:colours])
    if not named:
        return Palette(NAMED_PALETTES["nordic"][:colours])
    return Palette(_completed(named, colours))


def without_colours(words: str) -> str:
    """The words without what they say about colour, or the words themselves if nothing else would be left.

    >>> without_colours("minimalist floral design with a Nordic color palette")
    'minimalist floral design'
    """
    text = " " + " ".join(words.split()) + " "
    names = sorted([*NAMED_PALETTES, *_ALIASES, *COLOUR_NAMES], key=len, reverse=True)
    name = "(?:" + "|".join(re.escape(name) for name in names) + ")"
    shade = (
        rf"(?:(?:a|an|the|soft|deep|dark|light|pale|bright|warm|cool|muted)\s+)*{name}(?:\s*(?:,|and|&|/)?\s+{name})*"
    )
    kind = r"(?:colou?r(?:ed|s)?\s+)?(?:palette|colou?rs?|colou?rway|tones?|shades?|hues?|ground|background)"
    text = re.sub(rf"[,;]?\s+(?:(?:with|in|on|using)\s+)?{shade}\s+{kind}\b", " ", text, flags=re.IGNORECASE)
    text = re.sub(rf"[,;]?\s+(?:with|in|on)\s+{shade}(?=[\s,.;])", " ", text, flags=re.IGNORECASE)
    colour = "(?:" + "|".join(re.escape(name) for name in sorted(COLOUR_NAMES, key=len, reverse=True)) + ")"
    text = re.sub(rf"\b{colour}\s+(?:and\s+{colour}\s+)?(?=[a-z])", "", text, flags=re.IGNORECASE)
    text = " ".join(text.split()).strip(" ,;")
    return text or words


def palette_from_picture(picture: NDArray[np.uint8], colours: int) -> Palette:
    """The main colours of an (H, W, 3) uint8 sRGB picture, the most common first: k-means in Lab (Lloyd 1982)."""
    step = max(1, int(np.sqrt(picture.shape[0] * picture.shape[1] / 20_000)))
    pixels = picture[::step, ::step].reshape(-1, 3)
    lab = lab_of(pixels)
    centres, labels = cluster(lab, colours)
    order = np.argsort(-np.bincount(labels, minlength=len(centres)), kind="stable")
    found = []
    for index in order:
        members = pixels[labels == index]
        if len(members):
            red, green, blue = (int(v) for v in np.median(members, axis=0))
            found.append(f"#{red:02x}{green:02x}{blue:02x}")
    return Palette(tuple(dict.fromkeys(found)))


def cluster(
    points: NDArray[np.float64], count: int, *, rounds: int = 12
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """(centres (k, d), label of every point): k-means started from the farthest points, so that no chance is in it."""
    centres = points.mean(axis=0, keepdims=True)
    centres = points[((points - centres) ** 2).sum(1).argmin()][None]
    while len(centres) < count:
        gap = ((points[:, None] - centres[None]) ** 2).sum(-1).min(axis=1)
        if gap.max() < 4.0:  # nearer than two units of Lab to a centre already: no further colour to find
            break
        centres = np.concatenate([centres, points[gap.argmax()][None]])
    labels = np.zeros(len(points), np.intp)
    for _ in range(rounds):
        labels = ((points[:, None] - centres[None]) ** 2).sum(-1).argmin(axis=1)
        centres = np.stack(
            [points[labels == k].mean(axis=0) if (labels == k).any() else centres[k] for k in range(len(centres))]
        )
    return centres, labels


def _colours_in(text: str) -> list[str]:
    found: dict[int, str] = {}
    for name in sorted(COLOUR_NAMES, key=len, reverse=True):
        for match in re.finditer(rf" {name}(?= )", text):
            if not any(start <= match.start() < start + 1 + len(other) for start, other in found.items()):
                found[match.start()] = name
    return list(dict.fromkeys(found[start] for start in sorted(found)))


def _palette_in(text: str) -> str | None:
    names = [*NAMED_PALETTES, *_ALIASES]
    hits = [name for name in names if f" {name} " in text]
    strong = [name for name in hits if name in NAMED_PALETTES or name in _STRONG_ALIASES]
    ranked = sorted(strong, key=lambda name: text.index(f" {name} "), reverse=True) or hits
    return ranked[0] if ranked else None


def _completed(names: list[str], colours: int) -> tuple[str, ...]:
    own = [COLOUR_NAMES[name] for name in names]
    lightness = lab_of(Palette(tuple(own)).rgb())[:, 0]
    lightest = int(lightness.argmax())
    if lightness[lightest] >= _LIGHT_L:
        own.insert(0, own.pop(lightest))
    elif len(own) == 1 or colours > len(own):
        own.insert(0, "#f5f1e8")
    target = lab_of(Palette(tuple(own)).rgb())
    nearest = min(
        NAMED_PALETTES.values(),
        key=lambda palette: float(
            np.sqrt(((Palette(palette).lab()[:, None] - target[None]) ** 2).sum(-1)).min(axis=0).sum()
        ),
    )
    rest = [colour for colour in nearest[1:] if _far(colour, own)] if len(names) < 2 else _shades(own)
    return tuple((own + rest)[:colours])


def _shades(own: list[str]) -> list[str]:
    """Tints of the colours towards the ground, then a deeper first colour: who names two colours wants no third."""
    rgb = Palette(tuple(own)).rgb().astype(float)
    made = [0.55 * rgb[0] + 0.45 * colour for colour in rgb[1:]] + [0.62 * rgb[1], 0.75 * rgb[0] + 0.25 * rgb[1]]
    texts = [f"#{round(r):02x}{round(g):02x}{round(b):02x}" for r, g, b in made]
    return [text for text in texts if _far(text, own)]


def _far(colour: str, others: list[str]) -> bool:
    gaps = np.sqrt(((Palette((colour,)).lab() - Palette(tuple(others)).lab()) ** 2).sum(-1))
    return bool(gaps.min() > 14)
