"""The generator that ships: words to motif units by the embedded model, units to a repeat by construction.

A design begins as a proposal of the textile program that answers the words best, goes through noise and comes back
as the model's own drawing; or, where the model may, begins as pure noise. Layout, motif count, number of colours and
the smallest detail hold by construction, whatever the model draws.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

from generation.backends import weights
from generation.domain.pattern import Brief, Limits, Raster
from generation.errors import WeightsRefused
from generation.ports import AtSize, OnStep, part_of

WEIGHTS = Path(__file__).resolve().parent.parent / "weights" / "embedded"
_CODE = ("backends/*.py", "domain/*.py", "training/corpus/*.py")
_loading = threading.Lock()


class EmbeddedGenerator:
    """Draws with the weights in generation/weights/embedded, on the CPU, offline."""

    name = "embedded"

    def __init__(self, folder: Path = WEIGHTS) -> None:
        self.folder = folder

    def fingerprint(self) -> str:
        """Digest of the manifest and of the code that draws. Raises WeightsRefused."""
        return _fingerprint(self.folder)

    def card(self) -> dict[str, Any]:
        """What is known about the weights."""
        return weights.read_card(self.folder)

    def generate(
        self, brief: Brief, seeds: Sequence[int], limits: Limits, on_step: OnStep | None = None
    ) -> list[Raster]:
        """One raster per seed; each seed is drawn by itself, so that company never changes a pixel.

        Raises WeightsRefused, NotAColour.
        """
        drawing = import_module("generation.backends.drawing")  # torch and diffusers come in here, not before
        model, rasters = _ready(self.folder), []
        for number, seed in enumerate(seeds):
            part = part_of(on_step, number, len(seeds))
            rasters.append(drawing.draw(model, brief, seed=seed, limits=limits, on_step=part))
        return rasters

    def begin(self, brief: Brief, seed: int, limits: Limits) -> AtSize:
        """What `generate` draws for a seed, to be brought to any size. Raises WeightsRefused, NotAColour."""
        drawing = import_module("generation.backends.drawing")
        begun: AtSize = drawing.begin(_ready(self.folder), brief, seed=seed, limits=limits)
        return begun


def _ready(folder: Path) -> Any:
    with _loading:  # once, by whichever thread is first
        return _model(folder)


@lru_cache(maxsize=2)
def _model(folder: Path) -> Any:
    if weights.verify(folder) != _verified(folder):
        raise WeightsRefused(
            f"The model in '{folder.name}' was replaced while this process ran: start it again.",
            fields={"file": weights.MANIFEST, "reason": "replaced"},
        )
    import_module("generation.backends.proposals").warm_up()  # so that the first customer does not wait for it
    return import_module("generation.backends.drawing").load(folder)


@lru_cache(maxsize=4)
def _verified(folder: Path) -> str:
    return weights.verify(folder)


@lru_cache(maxsize=4)
def _fingerprint(folder: Path) -> str:
    return hashlib.sha256((_verified(folder) + weights.code_digest(*_CODE)).encode()).hexdigest()
