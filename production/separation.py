"""From screen colours to inks through the ICC profile: LittleCMS in libvips, 16 bit inside, 8 bit in the planes.

An indexed design has a handful of colours, so each is converted exactly once and looked up for every pixel: no
dithering, the same colour everywhere. Relative colorimetric without black point compensation: flat colours are to come
out as asked, not as part of a scaled picture.

A design in tones is converted pixel by pixel, relative colorimetric with black point compensation: the cloth's black is
lighter than the screen's, and without it all that is darker would run together. The 16-bit ink is dithered to 8.

Where the ink is over what the cloth takes, the nearest colour of the same hue that it does take stands in its place
(see domain/inklimit): for a palette colour by colour, for tones on a grid of 33^3 screen colours between which
neighbours are mixed. A mixture of inks within the limit is within the limit.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pyvips
from numpy.typing import NDArray

from generation.domain.pattern import Palette, Raster
from production.domain.colour import srgb_to_lab
from production.domain.ink_tile import InkTile
from production.domain.inklimit import within_limit
from production.domain.picture import Picture
from production.domain.spec import Inks
from production.domain.usage import FULL

# Every picture is converted once: what libvips keeps of it for the next time is memory for nothing.
pyvips.cache_set_max(0)

Pixels = NDArray[np.uint8] | NDArray[np.uint16]

_WIDE = 65535
_BAND_ROWS = 256
_GRID = 33  # nodes on each axis of the screen's colours
# What the tables of a profile that keeps the limit go over it between their nodes, measured 0.003 % of ink: no reason
# to look for other colours. Rounding takes care of it.
_SLACK = 0.005


@dataclass(frozen=True)
class Separation:
    """Ink for each colour of a palette.

    values: (K, C) uint8, 255 = 100 % of the ink; lab, printed: (K, 3) L*a*b* D50, asked for and as the profile expects
    it on the cloth; limited: the colours that were cut to the ink limit.
    """

    channels: tuple[str, ...]
    values: NDArray[np.uint8]
    lab: NDArray[np.float64]
    printed: NDArray[np.float64]
    limited: tuple[int, ...]

    def percentages(self) -> NDArray[np.float64]:
        """(K, C) ink in %."""
        return np.asarray(self.values, np.float64) * (100.0 / FULL)


@dataclass(frozen=True)
class Limit:
    """The ink limit of a profile's tables on a grid of screen colours.

    ink: (33, 33, 33, C) float32, 0 to 1, within the limit; touched: (32 * 32 * 32,) bool, the cells of the grid with a
    node that was over it.
    """

    ink: NDArray[np.float32]
    touched: NDArray[np.bool_]


def separate(palette: Palette, inks: Inks, *, tones: bool = False) -> Separation:
    """Ink for `palette` by the ink set's profile, within its ink limit; tones: as colours of a picture in tones."""
    rgb = palette.rgb()
    asked = to_ink(rgb[None], inks, scaled_black=tones)[0] / _WIDE
    most = inks.tac_pct / 100
    limited = np.flatnonzero(asked.sum(axis=1) > most + _SLACK)
    asked[limited] = within_limit(asked[limited], most, lambda ink: to_lab(ink, inks))
    values = _kept(np.rint(asked * FULL).astype(np.uint8), (asked * FULL).astype(np.uint8), most_of(inks))
    return Separation(
        channels=inks.channels,
        values=values,
        lab=srgb_to_lab(rgb),
        printed=to_lab(values / FULL, inks),
        limited=tuple(limited.tolist()),
    )


def ink_tile(raster: Raster, inks: Inks, separation: Separation) -> InkTile:
    """The repeat's planes: every pixel the ink of its colour."""
    table = np.zeros((256, len(separation.channels)), np.uint8)
    table[: len(separation.values)] = separation.values
    return InkTile(
        planes=table[raster.indices],
        inks=inks.inks,
        solid_lab=solids(inks),
        indices=raster.indices,
        palette=raster.palette,
    )


def tone_tile(picture: Picture, inks: Inks) -> InkTile:
    """The repeat's planes of a picture in tones, dithered to 8 bit, no pixel over the ink limit.

    Rows are converted in bands on all cores; the same picture gives the same planes on any number of them. The dither
    is a hash of the place in the tile, the same in every repeat, without a structure that a seam could cut.
    """
    rgb = picture.rgb
    planes = np.empty((*rgb.shape[:2], len(inks.inks)), np.uint8)
    most = most_of(inks)

    def convert(top: int) -> None:
        band = slice(top, top + _BAND_ROWS)
        planes[band] = dithered(tones_to_ink(rgb[band], inks), most=most, seed=top)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for _ in pool.map(convert, range(0, len(rgb), _BAND_ROWS)):
            pass
    return InkTile(planes=planes, inks=inks.inks, solid_lab=solids(inks))


def tones_to_ink(rgb: Pixels, inks: Inks) -> NDArray[np.uint16]:
    """sRGB (H, W, 3) to ink (H, W, C) uint16 as for a picture in tones, within the ink limit but for rounding."""
    ink = to_ink(rgb, inks, scaled_black=True)
    limit = _limit(inks)
    if limit is not None:
        cells = _cells(rgb)
        over = np.flatnonzero(limit.touched[cells])
        ink.reshape(-1, ink.shape[2])[over] = _mixed(limit.ink, rgb.reshape(-1, 3)[over])
    return ink


def limited_share(rgb: NDArray[np.uint8], inks: Inks) -> float:
    """How much of a picture in tones, sRGB (H, W, 3), asks for more ink than the limit: 0 to 1."""
    total = to_ink(rgb, inks, scaled_black=True).sum(axis=2, dtype=np.uint32)
    return float((total > (inks.tac_pct / 100 + _SLACK) * _WIDE).mean())


def dithered(ink: NDArray[np.uint16], *, most: int, seed: int) -> NDArray[np.uint8]:
    """Ink (H, W, C) of 16 bit in 8, the rest of the division rounded by chance so that areas keep their mean.

    No sum of a pixel is over `most`, 255 per 100 %: where chance put it there, all its inks are rounded down.
    """
    low = ink // 257
    # Raw words: the stream of a bit generator never changes, that of numpy's distributions may.
    noise = np.random.PCG64(seed).random_raw(-(-ink.size // 8)).view(np.uint8)[: ink.size].reshape(ink.shape)
    up = (ink - low * np.uint16(257)) > noise
    low8 = low.astype(np.uint8)
    return _kept(low8 + up.view(np.uint8), low8, most)


def most_of(inks: Inks) -> int:
    """The ink limit as a sum of 8-bit values."""
    return int(inks.tac_pct * FULL / 100 + 1e-9)


def solids(inks: Inks) -> NDArray[np.float64]:
    """(C, 3) L*a*b* D50 of each ink alone at 100 %, as the profile expects it on the cloth."""
    return to_lab(np.eye(len(inks.inks)), inks)


def to_ink(rgb: Pixels, inks: Inks, *, scaled_black: bool) -> NDArray[np.uint16]:
    """sRGB (H, W, 3) to ink (H, W, C) uint16, relative colorimetric, with black point compensation or without."""
    interpretation = "rgb16" if rgb.dtype == np.uint16 else "srgb"
    ink = _image(rgb, interpretation).icc_transform(
        str(inks.profile.path),
        input_profile="srgb",
        intent="relative",
        black_point_compensation=scaled_black,
        depth=16,
    )
    return np.frombuffer(ink.write_to_memory(), np.uint16).reshape(*rgb.shape[:2], -1)


def to_lab(ink: NDArray[np.float64], inks: Inks) -> NDArray[np.float64]:
    """Ink (..., C) from 0 to 1 to L*a*b* (..., 3) D50, as the profile expects it on the cloth."""
    wide = np.rint(np.clip(ink, 0, 1) * _WIDE).astype(np.uint16).reshape(1, -1, ink.shape[-1])
    image = _image(wide, "cmyk" if ink.shape[-1] == 4 else "multiband")
    lab = image.icc_import(input_profile=str(inks.profile.path), intent="relative", pcs="lab").cast("float")
    return np.frombuffer(lab.write_to_memory(), np.float32).reshape(*ink.shape[:-1], 3).astype(np.float64)


def _image(pixels: NDArray[Any], interpretation: str) -> pyvips.Image:
    """A libvips image of (H, W, C) uint8 or uint16; nothing is copied."""
    pixels = np.ascontiguousarray(pixels)
    kind = "ushort" if pixels.dtype == np.uint16 else "uchar"
    height, width, bands = pixels.shape
    image = pyvips.Image.new_from_memory(pixels.data, width, height, bands, kind)
    return image.copy(interpretation=interpretation)


def _kept(values: NDArray[np.uint8], low: NDArray[np.uint8], most: int) -> NDArray[np.uint8]:
    """`values` (..., C) with `low`, the same rounded down, where the sum is over `most`; and less if that still is."""
    total = _sums(values)
    over = total > most
    if over.any():
        lower = low[over].astype(np.int64)
        sums = lower.sum(axis=-1, keepdims=True)
        values[over] = np.where(sums > most, lower * most // np.maximum(sums, 1), lower)
    return values


def _sums(values: NDArray[np.uint8]) -> NDArray[np.uint16]:
    total = values[..., 0].astype(np.uint16)
    for k in range(1, values.shape[-1]):
        total += values[..., k]
    return total


@lru_cache(maxsize=4)
def _limit(inks: Inks) -> Limit | None:
    """The ink limit on the grid of screen colours; None for a profile that keeps it by itself."""
    steps = np.rint(np.linspace(0, _WIDE, _GRID)).astype(np.uint16)
    nodes = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1)
    ink = to_ink(nodes.reshape(_GRID, -1, 3), inks, scaled_black=True).reshape(-1, len(inks.inks)) / _WIDE
    most = inks.tac_pct / 100
    over = ink.sum(axis=1) > most + _SLACK
    if not over.any():
        return None
    ink[over] = within_limit(ink[over], most, lambda some: to_lab(some, inks))
    over = over.reshape(_GRID, _GRID, _GRID)
    touched = np.zeros((_GRID - 1,) * 3, bool)
    for corner in np.ndindex(2, 2, 2):
        touched |= over[tuple(slice(bit, bit + _GRID - 1) for bit in corner)]
    return Limit(ink.astype(np.float32).reshape(_GRID, _GRID, _GRID, -1), touched.ravel())


def _cells(rgb: Pixels) -> NDArray[np.uint16]:
    """(H * W,) which cell of the grid of screen colours each pixel lies in."""
    high = (rgb >> 8).astype(np.uint8) if rgb.dtype == np.uint16 else rgb
    cell = np.minimum(np.arange(256) * (_GRID - 1) // 255, _GRID - 2).astype(np.uint16)
    red, green, blue = (cell * np.uint16((_GRID - 1) ** power) for power in (2, 1, 0))
    flat: NDArray[np.uint16] = red[high[..., 0]] + green[high[..., 1]] + blue[high[..., 2]]
    return flat.ravel()


def _mixed(grid: NDArray[np.float32], rgb: Pixels) -> NDArray[np.uint16]:
    """Ink (n, C) uint16 for screen colours (n, 3): the mean of the nodes around, by how near they are."""
    place = rgb.astype(np.float32) * np.float32((_GRID - 1) / np.iinfo(rgb.dtype).max)
    low = np.minimum(place.astype(np.intp), _GRID - 2)
    part = place - low
    nodes = grid.reshape(-1, grid.shape[3])
    first = (low[:, 0] * _GRID + low[:, 1]) * _GRID + low[:, 2]
    total = np.zeros((len(rgb), grid.shape[3]), np.float32)
    for corner in range(8):
        bits = [corner >> 2 & 1, corner >> 1 & 1, corner & 1]
        weight = np.prod([part[:, k] if bit else 1 - part[:, k] for k, bit in enumerate(bits)], axis=0)
        total += weight[:, None] * nodes[first + (bits[0] * _GRID + bits[1]) * _GRID + bits[2]]
    return np.rint(total * _WIDE).astype(np.uint16)
