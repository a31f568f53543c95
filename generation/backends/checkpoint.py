"""Any diffusers text-to-image model in a local folder as a source of designs, looked through before it is loaded.

The model paints a picture that closes in the layout; the picture is brought down to a few colours and then goes the
way of every drawing: enlarged as coverage, repaired to what the machine can make. Nothing comes from a network.
"""

from __future__ import annotations

import gc
import hashlib
import threading
from collections.abc import Sequence
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

import psutil

from generation.backends import weights
from generation.domain.pattern import Brief, Limits, Raster
from generation.errors import NoMemory
from generation.ports import OnStep, part_of

_ROOM = 1.3  # of the weights' size: what loading and drawing take beside them
_CODE = ("backends/checkpoint*.py", "backends/denoiser.py", "backends/drawing.py", "domain/*.py")
_one_at_a_time = threading.Lock()


class CheckpointGenerator:
    """Draws with the model in a folder that was pinned by `manage.py pin_checkpoint`."""

    def __init__(self, folder: Path | str, *, name: str = "checkpoint", steps: int = 25) -> None:
        self.folder, self.name, self.steps = Path(folder), name, steps

    def fingerprint(self) -> str:
        """Digest of the pinned files, the steps and the code that draws. Raises WeightsRefused."""
        said = f"{_verified(self.folder, _state(self.folder))} {self.steps} {weights.code_digest(*_CODE)}"
        return hashlib.sha256(said.encode()).hexdigest()

    def generate(
        self, brief: Brief, seeds: Sequence[int], limits: Limits, on_step: OnStep | None = None
    ) -> list[Raster]:
        """One raster per seed; each seed is drawn by itself, so that company never changes a pixel.

        Raises WeightsRefused, InvalidBrief, NoMemory, SeamTooVisible.
        """
        state = _state(self.folder)
        _verified(self.folder, state)
        painting = import_module("generation.backends.checkpoint_painting")  # torch and diffusers come in here
        with _one_at_a_time:
            try:
                painter = _painter(self.folder, state)
                return [
                    painting.draw(
                        painter,
                        brief,
                        seed=seed,
                        limits=limits,
                        steps=self.steps,
                        on_step=part_of(on_step, number, len(seeds)),
                    )
                    for number, seed in enumerate(seeds)
                ]
            except (MemoryError, RuntimeError) as error:
                if not painting.is_out_of_memory(error):
                    raise
                _painter.cache_clear()
                gc.collect()
                raise NoMemory(
                    f"The memory was not enough to draw with the model '{self.name}'. Try again when less is "
                    "running, or choose a smaller model.",
                    fields={"field": "generator", "value": self.name},
                ) from error


State = tuple[tuple[str, int, int], ...]


def _state(folder: Path) -> State:
    """Name, size and time of every file: as long as these stay, the digests need not be taken again."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() or path.is_symlink())
    return tuple((str(path), path.lstat().st_size, path.lstat().st_mtime_ns) for path in paths)


@lru_cache(maxsize=8)
def _verified(folder: Path, state: State) -> str:
    return weights.verify_pinned(folder)


@lru_cache(maxsize=1)
def _painter(folder: Path, state: State) -> Any:
    needed, free = weights.size_bytes(folder) * _ROOM, psutil.virtual_memory().available
    if needed > free:
        raise NoMemory(
            f"The model in '{folder.name}' needs {needed / 1e9:.1f} GB of memory and {free / 1e9:.1f} GB are free: "
            "stop something else, or choose a smaller model.",
            fields={"field": "generator", "limit": int(free), "measured": int(needed)},
        )
    painter = import_module("generation.backends.checkpoint_painting").load(folder)
    if _state(folder) != state:  # what was loaded is then not what was looked through
        raise weights.refused(
            folder, weights.MANIFEST, "a file was changed while it was loaded", "Let nobody write there, and try again."
        )
    return painter
