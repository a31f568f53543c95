"""From words, names and pictures to the colours of a design, by role: ground, main motif, leaves, accent, detail."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generation.domain.colour_names import COLOUR_NAMES as COLOUR_NAMES
from generation.domain.colour_words import Mention, colour_of, hex_of_lab, mentions
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
    "midnight": ("#12182b", "#e6d9b8", "#6f8fb5", "#c98f4a", "#3f5a86", "#f4efe2", "#27385c", "#9fb2cf"),
    "tropical night": ("#0d2327", "#f2637a", "#2f9a74", "#f7b545", "#f3a6b8", "#5fc2a0", "#1b4a4f", "#fbead0"),
    "rainbow": ("#fffdf8", "#e23d43", "#2fa05a", "#f9c22e", "#2f6fd0", "#f28a2b", "#8a4fc0", "#f08fb5"),
    "rain": ("#e4e8ea", "#4f6375", "#8ea0a8", "#c3b04f", "#2f3b47", "#b4c0c6", "#6f7f86", "#cfd6d6"),
    "spice": ("#f7ead2", "#b5481f", "#7a3f2a", "#e0a02a", "#8a1f2b", "#f0c879", "#5a3a24", "#d2703a"),
    "sunset": ("#fdf0e3", "#e8643f", "#a3446a", "#f7a94a", "#f4b7a0", "#5a3566", "#fbd58a", "#d0506a"),
    "candy": ("#fff7fa", "#f0609a", "#5fc3c9", "#fbd54f", "#f9b6cf", "#8f7ad6", "#a8e0c0", "#f7925f"),
    "gothic": ("#1b1719", "#8a1f33", "#5d5a5f", "#b08d57", "#e0d6cb", "#4a1a2a", "#35313a", "#a39a96"),
    "vintage": ("#f1e7d5", "#a8545a", "#7f8f74", "#d2a45f", "#5f6f80", "#e2c4b5", "#4f4238", "#b9a88c"),
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
    "night": "midnight", "moonlight": "midnight", "starry": "midnight", "rainy": "rain", "stormy": "rain",
    "multicoloured": "rainbow", "multicolored": "rainbow", "multicolour": "rainbow", "multicolor": "rainbow",
    "colourful": "rainbow", "colorful": "rainbow", "spicy": "spice", "moroccan": "spice", "autumnal": "autumn",
    "wintry": "winter", "springtime": "spring", "sorbet": "candy", "antique": "vintage", "noir": "gothic",
    "greys": "monochrome", "grays": "monochrome", "primary": "rainbow",
    "minimalist": "nordic", "wabi-sabi": "japandi", "zen": "japandi", "neutral": "japandi", "nautic": "nautical",
}  # fmt: skip

_WEAK = frozenset(  # as often about the motif or its manner as about colour
    {"minimalist", "soft", "warm", "cool", "garden", "summer", "forest", "woodland", "sea", "night", "rain", "moroccan"}
    | {"vintage", "antique", "primary", "winter", "starry", "sunset", "candy", "moonlight", "natural", "muted", "baby"}
)
_GREY = frozenset({"monochrome", "monochromatic", "black and white", "greyscale"})
_TONAL = re.compile(r"\b(monochrom(?:e|atic)|tonal|tone[- ]on[- ]tone)\b", re.IGNORECASE)
_ALL_COLOURS = re.compile(r"\b(rainbow|multi-?colou?r(?:ed)?|colou?rful|all colou?rs)\b", re.IGNORECASE)
HOUSE_PALETTE = "nordic"

# What each palette makes people think of, for words that name neither a palette nor a colour.
MOODS: dict[str, tuple[str, ...]] = {
    "nordic": ("calm Scandinavian winter light", "Nordic living room", "quiet hygge home in Sweden"),
    "terracotta": ("warm Mediterranean clay", "Tuscan villa in the sun", "baked earth and pottery"),
    "indigo": ("indigo dyed Japanese cloth", "faded blue jeans", "blue and white porcelain"),
    "botanical": ("botanical greens", "English garden and lawns", "fresh green plants in a conservatory"),
    "autumn": ("autumn leaves", "harvest festival", "October walk in the woods", "thanksgiving dinner"),
    "spring": ("spring morning with blossom", "Easter", "fresh meadow in May", "garden party"),
    "ocean": ("ocean and sea", "holiday by the sea", "deep water and waves", "aquarium and reef"),
    "blush": ("wedding in blush", "romantic boudoir", "feminine and tender", "Valentine's day"),
    "monochrome": ("black and white photograph", "graphic and stark", "no colour at all", "newspaper print"),
    "pastel": ("soft baby nursery", "sweet pastel for a newborn child", "gentle bedtime lullaby", "cotton wool clouds"),
    "earth": ("earth and wood", "rustic log cabin", "safari and savannah", "natural raw materials"),
    "jewel": ("precious jewels and velvet", "opulent palace", "luxurious Indian sari", "opera house evening"),
    "sage": ("sage and herbs", "calm spa and wellness", "yoga studio", "quiet farmhouse kitchen"),
    "nautical": ("sailing club", "navy sailor on a yacht", "marina and harbour", "Fourth of July"),
    "tropical": ("tropical beach holiday", "jungle in the sun", "Caribbean island", "Hawaii and cocktails"),
    "midcentury": ("1960s living room", "retro seventies kitchen", "Mad Men office", "old vinyl records"),
    "japandi": ("Japanese tea house", "zen and wabi-sabi", "neutral minimalist apartment", "paper and bamboo"),
    "lavender": ("lavender fields of Provence", "dreamy twilight", "fairy tale unicorn", "lilac evening"),
    "citrus": ("lemonade on a summer day", "fruit market in Sicily", "sunny breakfast", "zesty and fresh"),
    "berry": ("berries and wine", "dark fruit dessert", "raspberry jam", "mulled wine"),
    "winter": ("Christmas", "snow and ice", "cold winter night by the fire", "ski lodge"),
    "desert": ("desert dunes", "bohemian festival", "Arizona canyon", "sun-bleached adobe"),
    "midnight": ("midnight sky with stars", "night in the city", "moonlight", "planetarium"),
    "tropical night": ("tropical night", "beach bar after dark", "jungle at night", "Miami nightclub"),
    "rainbow": ("rainbow", "children's birthday party", "circus and carnival", "pride parade", "playground toys"),
    "rain": ("rainy day in Copenhagen", "storm and fog", "grey drizzle", "melancholy November sky", "concrete city"),
    "spice": ("spice market in Marrakesh", "Indian curry", "Moroccan souk", "Arabian nights"),
    "sunset": ("sunset", "glowing evening sky", "California dusk", "summer festival at dusk"),
    "candy": ("candy shop", "bubblegum and ice cream", "pop and kawaii", "funfair", "Barbie"),
    "gothic": ("gothic castle", "vampire and Halloween", "heavy metal", "haunted mansion", "dark romance"),
    "vintage": ("grandmother's old attic", "antique wallpaper", "faded Victorian", "nostalgic tea room"),
}
_SUGGESTED = 0.5  # nearness of the words to a palette's moods from which they are taken to suggest it

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
    if named := colour_of(cleaned):
        return named
    raise NotAColour(
        f"'{text}' is not a colour: write it as '#2b3a4a', or by a name such as navy, sage or terracotta.",
        fields={"field": "palette", "value": str(text)},
    )


@dataclass(frozen=True)
class PaletteReading:
    """The palette for a request, and what has to be told about it."""

    palette: Palette
    notes: tuple[str, ...] = ()
    by_default: bool = False  # neither the words nor their mood said anything about colour


def read_palette(words: str, colours: int, *, moods: Mapping[str, float] | None = None) -> PaletteReading:
    """At most `colours` (2 or more) colours for the words, by role, with sentences for the customer.

    Colours that are named come first, in their order, each at the place it is named for (ground, leaves); the ground is
    the lightest of them, or is added, unless the words name one. A palette that is named is taken as it is. Where
    neither is named, `moods` (palette name to nearness in meaning, 0 to 1) may suggest one; else the house palette.

    >>> read_palette("stripes in navy and mustard, no red", 3).palette.colours
    ('#f5f1e8', '#1d2f52', '#d3a02c')
    """
    spoken = mentions(words)
    named = _once([mention for mention in spoken if not mention.refused])
    refused = [mention.colour for mention in spoken if mention.refused]
    text = " " + re.sub(r"[^a-z-]+", " ", words.lower()) + " "
    asked = _palette_in(text)
    every, tonal = _ALL_COLOURS.search(words), _TONAL.search(words)
    notes: list[str] = []
    if every and (tonal or asked in _GREY):
        grey = (tonal.group() if tonal else str(asked)).lower()
        notes.append(f"'{grey}' and '{every.group().lower()}' can't both be had: drawn in {grey}.")
        asked = "monochrome"
    chromatic = [mention for mention in named if _chroma(mention.colour) > _GREY_CHROMA]
    if tonal and len(chromatic) == 1:
        return PaletteReading(Palette(_tones(chromatic[0].colour, colours)), tuple(notes))
    if chromatic and asked in _GREY and not _explicit(text, asked):
        said = _listed([mention.said for mention in chromatic])
        notes.append(f"'{asked}' was asked together with {said}: {said} is kept beside black and white.")
        greys = [m for m in named if m not in chromatic] or list(mentions("white and black"))
        named = [*greys, *chromatic]
        asked = None
    if asked and (_explicit(text, asked) or not named or (len(named) == 1 and named[0].said == asked)):
        own = NAMED_PALETTES[_ALIASES.get(asked, asked)]
        kept = [colour for colour in own if not _near_any(colour, refused)]
        return PaletteReading(Palette(tuple((kept if len(kept) > 1 else own)[:colours])), tuple(notes))
    if named:
        if len(named) > colours:
            took = _listed([mention.said for mention in named[:colours]])
            notes.append(f"{len(named)} colours were named and {colours} can be made: {took} are used.")
        fill = NAMED_PALETTES[_ALIASES.get(asked, asked)] if asked and asked not in _WEAK else None
        return PaletteReading(Palette(_completed(named, refused, colours, fill)), tuple(notes))
    suggested = max(moods, key=lambda name: moods[name]) if moods else None
    if moods and suggested and moods[suggested] >= _SUGGESTED:
        notes.append(f"No colours were named: drawn in the {suggested} palette, which the words suggest.")
        return PaletteReading(Palette(NAMED_PALETTES[suggested][:colours]), tuple(notes))
    notes.append(f"No colours were named: drawn in the {HOUSE_PALETTE} palette.")
    return PaletteReading(Palette(NAMED_PALETTES[HOUSE_PALETTE][:colours]), tuple(notes), by_default=True)


def palette_from_words(words: str, colours: int) -> Palette:
    """The palette that the words ask for: a palette's name, or colour names in their order, or the house's default.

    >>> palette_from_words("minimalist floral design with a Nordic color palette", 3).colours
    ('#f1eee7', '#34506b', '#8ba495')
    """
    return read_palette(words, colours).palette


def without_colours(words: str) -> str:
    """The words without what they say about colour, or the words themselves if nothing else would be left.

    >>> without_colours("minimalist floral design with a Nordic color palette")
    'minimalist floral design'
    """
    text = words
    for mention in reversed(mentions(words)):
        text = text[: mention.start] + _GONE + text[mention.end :]
    gone = rf"{_GONE}(?:\s*(?:,|&|\band\b|\bor\b|\bplus\b|\bwith\b|/)?\s*{_GONE})*"
    text = _PALETTE_PHRASE.sub(f" {_GONE} ", re.sub(gone, _GONE, text))
    before = r"(?:[,;]?\s*\b(?:with|in|on|using|without|no|not)\s+(?:(?:a|an|the)\s+)?)?"
    text = re.sub(rf"{before}{_GONE}\s*(?:{_KIND}\b\s*)+", " ", text, flags=re.IGNORECASE)
    text = re.sub(
        rf"[,;]?\s*\b(?:with|in|on|using|without|no|not)\s+(?:(?:a|an|the)\s+)?{_GONE}(?=\s*(?:[,.;]|$))", " ", text
    )
    text = re.sub(rf"(?:\s*,)?\s*{_GONE}\s*(?=[,.;]|$)", " ", text)
    text = re.sub(r"\s+([,.;])", r"\1", " ".join(text.replace(_GONE, " ").split())).strip(" ,;&")
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


_GONE = "\x00"
_KIND = r"(?:colou?r(?:ed|s)?\s+)?(?:palette|colou?rs?|colou?red|colou?rway|tones?|shades?|hues?|(?:back)?ground)"
_PALETTE_NAMES = sorted([*NAMED_PALETTES, *_ALIASES], key=len, reverse=True)
_PALETTE_PHRASE = re.compile(  # "with a Nordic colour palette", "in soft autumn colours", "in nordic"
    r"[,;]?\s*(?:\b(?:with|in|on|using)\s+)?(?:\b(?:a|an|the|soft|deep|dark|light|pale|bright|warm|cool|muted)\s+)*\b(?:"
    + "|".join(re.escape(name) for name in _PALETTE_NAMES)
    + rf")\s+{_KIND}\b|[,;]?\s+in\s+(?:"
    + "|".join(re.escape(name) for name in _PALETTE_NAMES if name not in _WEAK)
    + r")(?=\s*(?:[,.;]|$))",
    re.IGNORECASE,
)
_GREY_CHROMA = 14.0


def _palette_in(text: str) -> str | None:
    hits = [name for name in (*NAMED_PALETTES, *_ALIASES) if f" {name} " in text]
    explicit = [name for name in hits if _explicit(text, name)]
    strong = [name for name in hits if name not in _WEAK]
    ranked = sorted(explicit or strong, key=lambda name: (text.index(f" {name} "), len(name)), reverse=True) or hits
    return ranked[0] if ranked else None


def _explicit(text: str, name: str) -> bool:
    return re.search(rf" {re.escape(name)} (palette|colou?r|colou?rs|colou?rway|tones|shades|hues) ", text) is not None


def _once(named: list[Mention]) -> list[Mention]:
    seen: dict[str, Mention] = {}
    for mention in named:
        if mention.colour not in seen or (mention.part and not seen[mention.colour].part):
            seen[mention.colour] = mention
    return list(seen.values())


def _completed(named: list[Mention], refused: list[str], colours: int, fill: tuple[str, ...] | None) -> tuple[str, ...]:
    """The named colours at their places, filled up to `colours` with what goes well and is not refused.

    `fill` is a palette that was spoken of beside them; without one it is the palette nearest to a single colour, or
    shades of several.
    """
    grounds = [mention.colour for mention in named if mention.part == "ground"]
    own = [mention.colour for mention in named if mention.colour not in grounds[:1]]
    lightness = lab_of(Palette(tuple(mention.colour for mention in named)).rgb())[:, 0]
    if grounds:
        own.insert(0, grounds[0])
    elif lightness.max() >= _LIGHT_L:
        own.insert(0, own.pop(int(lightness.argmax())))
    elif len(own) == 1 or colours > len(own):
        own.insert(0, _PAPER)
    if len(own) == 1:
        own += [_contrasting(own[0])]
    target = lab_of(Palette(tuple(own)).rgb())
    nearest = fill or min(
        NAMED_PALETTES.values(),
        key=lambda palette: float(
            np.sqrt(((Palette(palette).lab()[:, None] - target[None]) ** 2).sum(-1)).min(axis=0).sum()
        ),
    )
    more = list(nearest[1:]) if fill or len(named) == 1 else _shades(own)
    out = [*own[:colours]]
    for colour in more:
        if _far(colour, out) and not _near_any(colour, refused):
            out.append(colour)
    leaves = next((m.colour for m in named if m.part == "leaves" and m.colour in out[1:]), None)
    if leaves and colours > 2 and len(out) > 2 and out[2] != leaves:
        place = out.index(leaves)
        out[2], out[place] = out[place], out[2]
    return tuple(out[:colours])


_PAPER = "#f5f1e8"


def _contrasting(ground: str) -> str:
    lab = lab_of(Palette((ground,)).rgb())[0]
    return hex_of_lab(lab * (0.35, 1, 1) if lab[0] > 55 else np.array([min(95.0, lab[0] + 55), *(lab[1:] * 0.5)]))


def _tones(colour: str, count: int) -> tuple[str, ...]:
    """One colour from nearly white to its deep shade: ground, the colour itself, then steps between."""
    lab = lab_of(Palette((colour,)).rgb())[0]
    light = np.array([96.0, *(lab[1:] * 0.12)])
    steps = [hex_of_lab(light + (lab - light) * share) for share in (0.55, 0.3, 0.78, 0.15)]
    deep = [hex_of_lab(lab * (share, 0.9, 0.9)) for share in (0.55, 0.75)]
    own = [hex_of_lab(light), colour] if lab[0] < _LIGHT_L else [colour, hex_of_lab(lab * (0.45, 1, 1))]
    return tuple(dict.fromkeys((*own, steps[0], deep[0], steps[1], steps[2], deep[1], steps[3])))[:count]


def _shades(own: list[str]) -> list[str]:
    """Tints of the colours towards the ground, then a deeper first colour: who names two colours wants no third."""
    rgb = Palette(tuple(own)).rgb().astype(float)
    made = [0.55 * rgb[0] + 0.45 * colour for colour in rgb[1:]] + [0.62 * rgb[1], 0.75 * rgb[0] + 0.25 * rgb[1]]
    return [f"#{round(r):02x}{round(g):02x}{round(b):02x}" for r, g, b in made]


def _far(colour: str, others: list[str]) -> bool:
    return not _near_any(colour, others, 14.0)


def _near_any(colour: str, others: list[str], within: float = 30.0) -> bool:
    if not others:
        return False
    gaps = np.sqrt(((Palette((colour,)).lab() - Palette(tuple(others)).lab()) ** 2).sum(-1))
    return bool(gaps.min() <= within)


def _chroma(colour: str) -> float:
    return float(np.hypot(*Palette((colour,)).lab()[0, 1:]))


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
