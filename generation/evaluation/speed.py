"""How long a customer waits on this machine, model loaded; a process of its own, because threads are set at its start.

python -m generation.evaluation.speed        prints the figures as JSON
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # spinning threads starve a shared machine
os.environ.setdefault("GOMP_SPINCOUNT", "0")

import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

import torch

from generation.backends import drawing
from generation.backends.drawing import STEPS, THREADS
from generation.backends.embedded import WEIGHTS, EmbeddedGenerator
from generation.backends.proposals import understand
from generation.domain.pattern import Brief, Layout, Limits, Repeat
from generation.evaluation.briefs import HELD_OUT
from generation.evaluation.figures import Figure
from generation.evaluation.peers import sd15_seconds
from generation.evaluation.throughput import throughput

_WORDS = "minimalist floral design with a Nordic color palette"
_PREVIEW_PX, _PRINT_PX, _MASTER_PX = 1200, 3780, 7560
_REPEAT_MM, _MASTER_MM = 320.0, 640.0
_RUNS = 7


def measure() -> list[Figure]:
    """The figures of this machine, in a fresh process. Raises CalledProcessError."""
    ran = subprocess.run(
        [sys.executable, "-m", "generation.evaluation.speed"], check=True, capture_output=True, text=True
    )
    return [Figure(**figure) for figure in json.loads(ran.stdout.splitlines()[-1])]


def _measured() -> list[Figure]:
    torch.set_num_threads(THREADS)
    generator = EmbeddedGenerator()
    load_s = _seconds(lambda: generator.generate(_brief(_PREVIEW_PX), [0], Limits()))
    one = [
        _seconds(lambda seed=seed: generator.generate(_brief(_PREVIEW_PX), [seed], Limits())) for seed in range(_RUNS)
    ]
    four = [_seconds(lambda: _looks(generator)) for _ in range(3)]
    printed = _seconds(lambda: generator.generate(_brief(_PRINT_PX), [1, 2, 3, 4], Limits()))
    before_gb = _peak_gb()
    master = [_seconds(lambda: generator.generate(_brief(_MASTER_PX, _MASTER_MM), [1], Limits())) for _ in range(2)]
    figures = [
        Figure("model loaded and first design drawn, from a cold process", load_s, "s"),
        Figure("first preview, median", statistics.median(one), "s", at_most=2),
        Figure("four variants at preview size, median", statistics.median(four), "s", at_most=5),
        Figure(f"four variants at print size, {_PRINT_PX} px each", printed, "s"),
        Figure(f"indexed master of {_MASTER_PX} px, drawing included", min(master), "s", at_most=5),
        Figure("memory at its highest before the master", before_gb, "GB"),
        Figure("memory at its highest", _peak_gb(), "GB"),
        Figure("threads of a drawing", float(THREADS)),
    ]
    asked = [f"{ask.words}, on a Tuesday" for ask in HELD_OUT[:20]]
    understood = _seconds(lambda: [understand(words, 1) for words in asked]) / len(asked)
    figures.append(Figure("understanding a request that was not asked before", 1000 * understood, "ms"))
    batch = throughput(drawing.load(WEIGHTS).unet)
    figures += [
        Figure(f"motif units a second, {batch.batch} at once, {STEPS} passes each, {batch.device}", batch.units_per_s),
        Figure("share of the bf16 ceiling of that device", 100 * batch.share_of_ceiling, "%"),
    ]
    peer_s = float(sd15_seconds()["seconds"])
    return [*figures, Figure("diffusers pipeline of SD 1.5 shape, 20 steps, random weights", peer_s, "s")]


def _looks(generator: EmbeddedGenerator) -> None:
    """Four previews as an order draws them: as many at once as there are processors."""

    def look(seed: int) -> None:
        generator.begin(_brief(_PREVIEW_PX), seed, Limits())(_PREVIEW_PX, _PREVIEW_PX)

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        list(threads.map(look, [1, 2, 3, 4]))


def _brief(size_px: int, repeat_mm: float = _REPEAT_MM) -> Brief:
    return Brief(_WORDS, Repeat(repeat_mm, repeat_mm, Layout.HALF_DROP), size_px, size_px)


def _seconds(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def _peak_gb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2


if __name__ == "__main__":
    print(json.dumps([asdict(figure) for figure in _measured()]))  # noqa: T201
