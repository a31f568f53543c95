"""A picture in tones, as it is printed: no palette, every pixel its own colour."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generation.domain.pattern import Repeat


@dataclass(frozen=True)
class Picture:
    """One repeat in tones: (H, W, 3) uint8 or uint16 sRGB; notes say what was converted on the way, in sentences."""

    rgb: NDArray[np.uint8] | NDArray[np.uint16]
    repeat: Repeat
    notes: tuple[str, ...] = ()

    @property
    def width_px(self) -> int:
        return int(self.rgb.shape[1])

    @property
    def height_px(self) -> int:
        return int(self.rgb.shape[0])
