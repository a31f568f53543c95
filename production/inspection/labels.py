"""Labels of defects at the resolution that the network answers in."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from production.inspection.flaws import KINDS, Kind

_RANK = np.array([0, *(2 if kind is not Kind.BANDING else 1 for kind in KINDS)], np.uint8)


def half(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Labels at half the resolution: of four pixels the one that is a defect, and no band if there is another."""
    height, width = labels.shape
    four = labels.reshape(height // 2, 2, width // 2, 2).transpose(0, 2, 1, 3).reshape(height // 2, width // 2, 4)
    rank = _RANK[np.minimum(four, len(KINDS))]
    return np.take_along_axis(four, rank.argmax(axis=2)[..., None], axis=2)[..., 0]
