"""The port that every source of designs fits: the embedded model, other models, uploads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from generation.domain.pattern import Brief, Limits, Raster

OnStep = Callable[[int, int], None]  # steps done, steps in all


class Generator(Protocol):
    """Draws one repeat per seed. The same brief, seed, limits and fingerprint give the same pixels."""

    name: str

    def fingerprint(self) -> str:
        """Digest of weights, configuration and code version; part of the artwork's key."""
        ...

    def generate(
        self, brief: Brief, seeds: Sequence[int], limits: Limits, on_step: OnStep | None = None
    ) -> Sequence[Raster]:
        """One raster of exactly brief.width_px x brief.height_px per seed, in the seeds' order."""
        ...
