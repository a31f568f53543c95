"""The port that every source of designs fits: the embedded model, other models, uploads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from generation.domain.pattern import Brief, Limits, Raster

OnStep = Callable[[int, int], None]  # steps done, steps in all
AtSize = Callable[[int, int], Raster]  # (width_px, height_px) -> what has been drawn, at that size


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


@runtime_checkable
class LooksFirst(Generator, Protocol):
    """One that draws first and brings to size afterwards: what it draws can be looked at long before it is whole.

    Several threads may draw with it at once, and none changes a pixel of another's.
    """

    def begin(self, brief: Brief, seed: int, limits: Limits) -> AtSize:
        """What `generate` draws for a seed; at the brief's size it has the very same pixels."""
        ...


def part_of(on_step: OnStep | None, number: int, count: int) -> OnStep | None:
    """What tells the steps of drawing `number` of `count` (from 0) as steps of them all."""
    if on_step is None:
        return None
    return lambda done, steps: on_step(number * steps + done, count * steps)
