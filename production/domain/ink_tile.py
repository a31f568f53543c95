"""One repeat as ink: what every print file is written from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from generation.domain.pattern import IndexArray, Palette
from production.domain.spec import Ink

_BAND_ROWS = 512


@dataclass(frozen=True)
class InkTile:
    """The planes of one repeat, and what each ink is.

    planes: (H, W, C) uint8, 255 = 100 % of the ink; inks: in the planes' order, C, M, Y, K first, then the others;
    solid_lab: (C, 3) L*a*b* D50 of each ink alone at 100 %; indices, palette: of an indexed design, else None.
    """

    planes: NDArray[np.uint8]
    inks: tuple[Ink, ...]
    solid_lab: NDArray[np.float64]
    indices: IndexArray | None = None
    palette: Palette | None = None

    @property
    def width_px(self) -> int:
        return int(self.planes.shape[1])

    @property
    def height_px(self) -> int:
        return int(self.planes.shape[0])

    @cached_property
    def heaviest(self) -> int:
        """The largest sum of all inks at a pixel, 255 per 100 %."""
        return max(_heaviest(self.planes[top : top + _BAND_ROWS]) for top in range(0, self.height_px, _BAND_ROWS))

    def as_dicts(self) -> list[dict[str, Any]]:
        """Per ink: its name, its L*a*b* at 100 %, and the SHA-256 and sum of its plane, 8 bit, row by row.

        Enough to know it again in any file.
        """
        return [
            {
                "ink": ink.name,
                "channel": ink.channel,
                "lab": [round(float(value), 2) + 0.0 for value in self.solid_lab[k]],
                "sha256": digest_of(self.planes[..., k]),
                "sum": total,
            }
            for k, (ink, total) in enumerate(zip(self.inks, self._sums, strict=True))
        ]

    @cached_property
    def _sums(self) -> list[int]:
        return [int(self.planes[..., k].sum(dtype=np.int64)) for k in range(len(self.inks))]


def _heaviest(planes: NDArray[np.uint8]) -> int:
    total = planes[..., 0].astype(np.uint16)
    for k in range(1, planes.shape[2]):  # one plane after the other: numpy is slow along a short last axis
        total += planes[..., k]
    return int(total.max())


def digest_of(plane: NDArray[np.uint8]) -> str:
    """SHA-256 in hex of a plane (H, W), row by row, without a copy of the whole."""
    digest = hashlib.sha256()
    for top in range(0, plane.shape[0], _BAND_ROWS):
        digest.update(np.ascontiguousarray(plane[top : top + _BAND_ROWS]).data)
    return digest.hexdigest()
