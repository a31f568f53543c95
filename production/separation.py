"""From screen colours to inks through the ICC profile (LittleCMS in libvips, 16 bit), one palette colour at a time.

An indexed design has a handful of colours, so each is converted exactly once and looked up for every pixel: no
interpolated 8-bit grid, no dithering, the same colour everywhere. Relative colorimetric without black point
compensation: flat colours are to come out as asked, not as part of a scaled picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyvips
from numpy.typing import NDArray

from generation.domain.pattern import Palette, Raster
from production.domain.colour import srgb_to_lab
from production.domain.ink_tile import InkTile
from production.domain.spec import Inks
from production.domain.usage import FULL


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
        return self.values * (100.0 / FULL)


def separate(palette: Palette, inks: Inks) -> Separation:
    """The inks for `palette` by the ink set's profile, within its ink limit."""
    asked = _to_ink(palette.rgb(), inks.profile.path)
    wanted = np.rint(asked / 65535 * FULL).astype(np.int64)
    values = keep_within(wanted, inks.tac_pct)
    limited = tuple(int(k) for k in np.flatnonzero((values < wanted).any(axis=1)))
    return Separation(
        channels=inks.channels,
        values=values,
        lab=srgb_to_lab(palette.rgb()),
        printed=_to_lab(values, inks.profile.path),
        limited=limited,
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


def solids(inks: Inks) -> NDArray[np.float64]:
    """(C, 3) L*a*b* D50 of each ink alone at 100 %, as the profile expects it on the cloth."""
    return _to_lab(np.eye(len(inks.inks), dtype=np.uint8) * FULL, inks.profile.path)


def keep_within(values: NDArray[np.int64], tac_pct: float) -> NDArray[np.uint8]:
    """Ink (K, C) from 0 to 255 with all inks but the last, black, scaled down together where the sum is over the limit.

    >>> keep_within(np.array([[255, 255, 255, 100]]), 280).tolist()
    [[204, 204, 204, 100]]
    """
    most = int(tac_pct * FULL / 100 + 1e-9)
    colour, black = values[:, :-1], values[:, -1:]
    total = colour.sum(axis=1, keepdims=True)
    room = np.maximum(most - black, 0)
    scaled = np.where(total > room, colour * room // np.maximum(total, 1), colour)
    return np.concatenate([scaled, black], axis=1).astype(np.uint8)


def _to_ink(rgb: NDArray[np.uint8], profile: Path) -> NDArray[np.uint16]:
    """sRGB (K, 3) to ink (K, C) uint16, relative colorimetric."""
    wide = (rgb.astype(np.uint16) * 257).tobytes()
    image = pyvips.Image.new_from_memory(wide, len(rgb), 1, 3, "ushort").copy(interpretation="rgb16")
    ink = image.icc_transform(str(profile), input_profile="srgb", intent="relative", depth=16)
    return np.frombuffer(ink.write_to_memory(), np.uint16).reshape(len(rgb), -1)


def _to_lab(values: NDArray[np.uint8], profile: Path) -> NDArray[np.float64]:
    """Ink (K, 4) uint8 to L*a*b* (K, 3) D50, as the profile expects it on the cloth."""
    wide = (values.astype(np.uint16) * 257).tobytes()
    image = pyvips.Image.new_from_memory(wide, len(values), 1, values.shape[1], "ushort").copy(interpretation="cmyk")
    lab = image.icc_import(input_profile=str(profile), intent="relative", pcs="lab").cast("float")
    return np.frombuffer(lab.write_to_memory(), np.float32).reshape(len(values), 3).astype(np.float64)
