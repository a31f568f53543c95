"""What a cloth looks like before anything is on it: how much of its width can be used, and its white."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from production.domain.colour import lab_to_srgb, xyz_to_lab
from production.domain.spec import LineSpec

_TAGS_AT = 128  # behind a profile's header: how many tags, then (name, offset, bytes) of each (ICC.1:2001-04, 6.2)
_XYZ_BYTES = 20


@dataclass(frozen=True)
class ClothLook:
    """A finished cloth for the eye: lengths as the customer has it in hand, washed and shrunk."""

    usable_width_mm: float
    white: str  # '#rrggbb' of the bare cloth; empty for a woven one, whose colours are those of its yarns


def cloth_look(spec: LineSpec) -> ClothLook:
    """The finished usable width of what a line is made on, and the white under its inks."""
    width_mm = spec.usable_width_mm * (1 - spec.shrink_weft)
    return ClothLook(width_mm, _white(spec.inks.profile.path, spec.inks.profile.sha256) if spec.inks else "")


@lru_cache(maxsize=64)
def _white(profile: Path, sha256: str) -> str:
    """The media white point of a profile as sRGB seen beside the screen's own white; `sha256` tells profiles apart."""
    data = profile.read_bytes()
    for number in range(struct.unpack_from(">I", data, _TAGS_AT)[0]):
        name, offset, _length = struct.unpack_from(">4sII", data, _TAGS_AT + 4 + 12 * number)
        if name == b"wtpt" and len(data) >= offset + _XYZ_BYTES:
            xyz = np.array(struct.unpack_from(">3i", data, offset + 8)) / 65536
            red, green, blue = lab_to_srgb(xyz_to_lab(xyz))
            return f"#{red:02x}{green:02x}{blue:02x}"
    return "#ffffff"
