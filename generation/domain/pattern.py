"""What a repeat is: its size and layout, its colours, the brief that asks for it and the raster that answers."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

MM_PER_INCH = 25.4

IndexArray = NDArray[np.uint8]


class Layout(StrEnum):
    """How copies of the repeat stand beside each other on the cloth."""

    STRAIGHT = "straight"
    HALF_DROP = "half_drop"
    THIRD_DROP = "third_drop"
    HALF_BRICK = "half_brick"
    MIRROR = "mirror"

    @property
    def drop(self) -> Fraction:
        """The share of its height by which a repeat stands lower than the one to its left."""
        return {Layout.HALF_DROP: Fraction(1, 2), Layout.THIRD_DROP: Fraction(1, 3)}.get(self, Fraction(0))

    @property
    def shift(self) -> Fraction:
        """The share of its width by which a repeat stands to the right of the one above it."""
        return Fraction(1, 2) if self is Layout.HALF_BRICK else Fraction(0)

    @property
    def period(self) -> tuple[int, int]:
        """How many repeats across and along make one that stands straight beside its copies."""
        return (2, 2) if self is Layout.MIRROR else (self.drop.denominator, self.shift.denominator)

    @property
    def step(self) -> tuple[int, int]:
        """What a repeat's width and height in pixels can be divided by; the height is even, as printers take it."""
        return self.shift.denominator, math.lcm(2, self.drop.denominator)


@dataclass(frozen=True)
class Repeat:
    """The smallest tile that makes the cloth, with the way it is set."""

    width_mm: float
    height_mm: float
    layout: Layout = Layout.STRAIGHT

    def pixels(self, dpi: float) -> tuple[int, int]:
        """(width_px, height_px) at `dpi`, nearest whole pixels the layout can be cut at.

        >>> Repeat(320, 320, Layout.THIRD_DROP).pixels(300)
        (3780, 3780)
        """
        width_px = self.width_mm * dpi / MM_PER_INCH
        height_px = self.height_mm * dpi / MM_PER_INCH
        across, along = self.layout.step
        return _nearest(width_px, across), _nearest(height_px, along)


@dataclass(frozen=True)
class Palette:
    """Colours of a design by role: index 0 is the ground, 1 the main motif, 2 leaves, 3 accent and so on."""

    colours: tuple[str, ...]

    def __post_init__(self) -> None:
        for colour in self.colours:
            if len(colour) != 7 or colour[0] != "#" or not set(colour[1:]) <= set("0123456789abcdef"):
                raise ValueError(f"a palette colour is written '#rrggbb' in lower case, not {colour!r}")

    def __len__(self) -> int:
        return len(self.colours)

    def rgb(self) -> IndexArray:
        """(n, 3) uint8 sRGB, one row per colour."""
        return np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in self.colours], np.uint8).reshape(-1, 3)

    def lab(self) -> NDArray[np.float64]:
        """(n, 3) float64 CIE L*a*b* under D65 (IEC 61966-2-1 for sRGB, CIE 15 for Lab), one row per colour."""
        return lab_of(self.rgb())


@dataclass(frozen=True)
class Knobs:
    """How the motifs stand against what the words ask for: 1 is as asked, 0.5 to 2 can be drawn."""

    scale: float = 1.0  # length of a motif
    density: float = 1.0  # motifs per area, their length kept


@dataclass(frozen=True)
class Brief:
    """What the customer asked for, at the size it will be made; alone, or as a change to earlier drawings."""

    words: str
    repeat: Repeat
    width_px: int
    height_px: int
    palette: tuple[str, ...] | None = None  # exact colours by role, or None: taken from the words or the reference
    reference: IndexArray | None = field(default=None, compare=False)  # (H, W, 3) uint8 sRGB
    knobs: Knobs = Knobs()
    parents: tuple[Raster, ...] = ()  # one drawing to go on from, or two to meet between
    strength: float = 0.5  # how far to leave the parents: 0 keeps them as they are, 1 forgets them
    share: float = 0.5  # of two parents: 0 is the first, 1 the second
    redraw: tuple[int, ...] = ()  # colours of the one parent that are drawn anew while all others stay; none: all


@dataclass(frozen=True)
class Limits:
    """What the machine and the fabric ask of every candidate."""

    max_colours: int = 8
    min_feature_mm: float = 0.5
    max_ink: float = 1.0  # share of the cloth that is not ground


@dataclass(frozen=True)
class Raster:
    """An indexed picture of one repeat: (H, W) uint8 indices into the palette, every pixel one pure colour."""

    indices: IndexArray
    palette: Palette
    repeat: Repeat
    seed: int
    origin: str = "model"  # how it was made, in words: see Artwork.origin
    roles: tuple[int, ...] = ()  # of each colour: 0 ground, 1 main motif, 2 leaves and so on; none: in order
    notes: tuple[str, ...] = ()  # what was understood or done otherwise than asked, in sentences for the customer

    def role_of(self, index: int) -> int:
        """The role of a colour of this raster's palette."""
        return self.roles[index] if self.roles else index

    @property
    def width_px(self) -> int:
        return int(self.indices.shape[1])

    @property
    def height_px(self) -> int:
        return int(self.indices.shape[0])


def layout_tiling(indices: NDArray[np.generic], layout: Layout, columns: int, rows: int) -> NDArray[np.generic]:
    """Cloth of `columns` x `rows` repeats set in their layout; (H * rows, W * columns[, channels]), dtype kept.

    >>> tile = np.arange(4).reshape(2, 2)
    >>> layout_tiling(tile, Layout.HALF_DROP, 2, 1).tolist()
    [[0, 1, 2, 3], [2, 3, 0, 1]]
    """
    height, width = indices.shape[:2]
    if layout is Layout.MIRROR:
        across = [indices if column % 2 == 0 else indices[:, ::-1] for column in range(columns)]
        row = np.concatenate(across, axis=1)
        return np.concatenate([row if r % 2 == 0 else row[::-1] for r in range(rows)], axis=0)
    if layout.drop:
        stack = np.concatenate([indices] * rows, axis=0)
        lower = height * layout.drop
        return np.concatenate(
            [np.roll(stack, int(column * lower) % height, axis=0) for column in range(columns)], axis=1
        )
    band = np.concatenate([indices] * columns, axis=1)
    aside = width * layout.shift
    return np.concatenate([np.roll(band, int(r * aside) % width, axis=1) for r in range(rows)], axis=0)


def lab_of(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """sRGB (..., 3) uint8 to CIE L*a*b* (..., 3) float64, white D65 (IEC 61966-2-1, CIE 15:2004 section 8.2.1).

    >>> lab_of(np.array([255, 255, 255], np.uint8)).round(1).tolist()
    [100.0, 0.0, 0.0]
    """
    value = np.asarray(rgb, np.float64) / 255.0
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    xyz = linear @ _SRGB_TO_XYZ.T / _SRGB_TO_XYZ.sum(axis=1)
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    lab: NDArray[np.float64] = np.stack(
        [116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], axis=-1
    )
    return lab + 0.0


_SRGB_TO_XYZ = np.array(
    [
        [0.4123907993, 0.3575843394, 0.1804807884],
        [0.2126390059, 0.7151686788, 0.0721923154],
        [0.0193308187, 0.1191947798, 0.9505321522],
    ]
)


def _nearest(value: float, step: int) -> int:
    """The multiple of `step` nearest to `value`, at least one."""
    return max(step, step * round(value / step))
