"""Do colours that are named come out as the trade means them? By a lexicon gathered apart from our own, and CSS's."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray
from PIL import ImageColor

from generation.domain.colour_names import COLOUR_NAMES
from generation.domain.palette import read_palette
from generation.domain.pattern import Palette, lab_of
from generation.evaluation.figures import Figure

# What the trade means by these names, gathered apart from the lexicon: published swatches and survey means.
TEXTILE_NAMES = {
    "celadon": "#ace1af", "oxblood": "#65000b", "chartreuse": "#c1f80a", "verdigris": "#43b3ae", "ecru": "#f0ead6",
    "eau de nil": "#bad8b4", "petrol": "#005f6a", "old rose": "#c08081", "bottle green": "#044a05",
    "dusty rose": "#c0737a", "mustard": "#ceb301", "sage": "#9caf88", "sage green": "#88b378", "terracotta": "#ca6641",
    "burgundy": "#800020", "rust": "#b7410e", "ochre": "#cc7722", "teal": "#029386", "duck egg blue": "#c3fbf4",
    "aubergine": "#3d0734", "mauve": "#ae7181", "taupe": "#8b7d6b", "charcoal": "#343837", "camel": "#c69f59",
    "navy": "#1f305e", "cobalt": "#0047ab", "ultramarine": "#2000b1", "prussian blue": "#003153",
    "air force blue": "#5d8aa8", "powder blue": "#b1d1fc", "baby blue": "#a2cffe", "sky blue": "#87ceeb",
    "periwinkle": "#ccccff", "lilac": "#c8a2c8", "heather": "#a484ac", "plum": "#8e4585", "claret": "#7f1734",
    "maroon": "#800000", "brick": "#a03623", "vermilion": "#e34234", "crimson": "#dc143c", "scarlet": "#ff2400",
    "raspberry": "#b00149", "fuchsia": "#ca2c92", "cerise": "#de3163", "coral": "#ff7f50", "salmon": "#fa8072",
    "apricot": "#fbceb1", "peach": "#ffcba4", "saffron": "#f4c430", "amber": "#ffbf00", "honey": "#e0a835",
    "lemon yellow": "#fff44f", "primrose": "#f6e3a1", "buttercup": "#f9d62e", "olive": "#808000", "khaki": "#c3b091",
    "moss green": "#8a9a5b", "fern green": "#4f7942", "forest green": "#228b22", "hunter green": "#355e3b",
    "emerald": "#50c878", "jade": "#00a86b", "mint": "#98ff98", "seafoam": "#9fe2bf", "turquoise": "#40e0d0",
    "chocolate": "#7b3f00", "chestnut": "#954535", "mahogany": "#c04000", "caramel": "#af6f09", "sienna": "#a0522d",
    "burnt umber": "#8a3324", "sepia": "#704214", "sand": "#d9c59b", "beige": "#f5f5dc", "ivory": "#fffff0",
    "cream": "#fffdd0", "slate grey": "#708090", "dove grey": "#b0aea8", "anthracite": "#383e42",
    "blush pink": "#f4c2c2", "hot pink": "#ff69b4", "shocking pink": "#fc0fc0", "tan": "#d2b48c", "copper": "#b87333",
    "dark teal": "#014d4e", "pale green": "#c7fdb5", "dusty pink": "#d58a94", "deep purple": "#36013f",
    "light grey": "#d8dcd6", "dark olive green": "#556b2f", "bright orange": "#ff5b00", "pale pink": "#ffcfdc",
    "muted blue": "#3b719f", "dark red": "#840000", "light lavender": "#dfc5fe", "dusty blue": "#7a97b0",
}  # fmt: skip
WITHIN = 10.0


def css_names() -> dict[str, str]:
    """The colours of the CSS list under names with their words apart: "light golden rod yellow"."""
    words = sorted({word for name in COLOUR_NAMES for word in name.split()} | {"rod", "golden"}, key=len, reverse=True)
    found = {}
    for joined, value in ImageColor.colormap.items():
        apart = re.findall("|".join(words), joined)
        name = " ".join(apart) if "".join(apart) == joined else joined
        found[name] = value if isinstance(value, str) else "#{:02x}{:02x}{:02x}".format(*value)
    return found


def palette_figure(names: dict[str, str]) -> tuple[float, list[str]]:
    """Share of the names that come out within ΔE2000 10 when asked for in pairs, and the names that do not.

    Asked as "floral in X and Y" in four colours; X counts when a colour of the palette is near its reference.
    """
    listed = list(names.items())
    missed = []
    for (name, colour), (other, _) in zip(listed, listed[37:] + listed[:37], strict=True):
        palette = read_palette(f"floral in {name} and {other}", 4).palette
        apart = ciede2000(palette.lab(), lab_of(Palette((colour.lower(),)).rgb()))
        if apart.min() > WITHIN:
            missed.append(f"{name} {apart.min():.0f}")
    return 1 - len(missed) / len(names), missed


def measure() -> list[Figure]:
    """Share of the names of both lexicons whose colour stands in the palette that the words give."""
    css = css_names()
    both = palette_figure({**css, **TEXTILE_NAMES})[0]
    return [
        Figure(f"named colours within ΔE2000 {WITHIN:g} of their reference, {len({**css, **TEXTILE_NAMES})} names",
               100 * both, "%", at_least=90),
        Figure("the names of CSS alone", 100 * palette_figure(css)[0], "%"),
        Figure("the names of the textile trade alone", 100 * palette_figure(TEXTILE_NAMES)[0], "%"),
    ]  # fmt: skip


def ciede2000(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """CIEDE2000 of CIE L*a*b* colours (..., 3), broadcast against each other (Sharma, Wu, Dalal 2005)."""
    one, other = np.broadcast_arrays(one, other)
    mean_chroma = (np.hypot(one[..., 1], one[..., 2]) + np.hypot(other[..., 1], other[..., 2])) / 2
    stretch = 1.5 - 0.5 * np.sqrt(mean_chroma**7 / (mean_chroma**7 + 25.0**7))
    (l1, c1, h1), (l2, c2, h2) = (_by_hue(lab, stretch) for lab in (one, other))
    grey = c1 * c2 == 0
    turn = np.where(grey, 0.0, (h2 - h1 + 180) % 360 - 180)
    d_l, d_c, d_h = l2 - l1, c2 - c1, 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2))
    l_mean, c_mean = (l1 + l2) / 2, (c1 + c2) / 2
    h_mean = np.where(grey, h1 + h2, np.where(np.abs(h1 - h2) <= 180, (h1 + h2) / 2, (h1 + h2 + 360) / 2 % 360))
    cosine = lambda times, offset: np.cos(np.radians(times * h_mean + offset))  # noqa: E731
    t = 1 - 0.17 * cosine(1, -30) + 0.24 * cosine(2, 0) + 0.32 * cosine(3, 6) - 0.20 * cosine(4, -63)
    s_l = 1 + 0.015 * (l_mean - 50) ** 2 / np.sqrt(20 + (l_mean - 50) ** 2)
    s_c, s_h = 1 + 0.045 * c_mean, 1 + 0.015 * c_mean * t
    blue = 60 * np.exp(-(((h_mean - 275) / 25) ** 2))
    rotation = -2 * np.sqrt(c_mean**7 / (c_mean**7 + 25.0**7)) * np.sin(np.radians(blue))
    l_part, c_part, h_part = d_l / s_l, d_c / s_c, d_h / s_h
    apart: NDArray[np.float64] = np.sqrt(l_part**2 + c_part**2 + h_part**2 + rotation * c_part * h_part)
    return apart


def _by_hue(
    lab: NDArray[np.float64], stretch: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """(lightness, chroma, hue in degrees) with the red-green axis stretched near grey."""
    a, b = lab[..., 1] * stretch, lab[..., 2]
    return lab[..., 0], np.hypot(a, b), np.degrees(np.arctan2(b, a)) % 360
