"""Measure the generator: every figure that is promised of it, as a table with bounds, and the contact sheets."""

import time
from argparse import ArgumentParser
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from generation import likeness
from generation.backends.embedded import EmbeddedGenerator
from generation.domain.pattern import Raster
from generation.evaluation.figures import FILE, keep, table

_ROOM = "generation.evaluation"


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--part", nargs="+", choices=list(_PARTS), default=list(_PARTS), metavar="NAME",
                            help=f"only these: {', '.join(_PARTS)}")  # fmt: skip
        parser.add_argument("--json", type=Path, default=FILE, help="the file of figures; other parts stay in it")

    def handle(self, *args: Any, **options: Any) -> None:
        fingerprint = EmbeddedGenerator().fingerprint()
        for name in options["part"]:
            title, measure = _PARTS[name]
            began = time.monotonic()
            figures = measure()
            keep(name, figures, fingerprint=fingerprint, seconds=time.monotonic() - began, path=options["json"])
            self.stdout.write(table(title, figures) + "\n")


def _room(module: str, function: str = "measure") -> Callable[[], Any]:
    return lambda: getattr(import_module(f"{_ROOM}.{module}"), function)()  # torch comes in here, not before


def _memory() -> Any:
    return import_module(f"{_ROOM}.diversity").measure_memory(_nearest_training)


def _nearest_training(raster: Raster, words: str) -> tuple[float, int]:
    found = likeness.nearest_training(raster, 3, words=words)
    if not found.compared:
        return float("nan"), 0
    return found.nearest[0].likeness, sum(each.likeness >= likeness.SAME_DESIGN for each in found.nearest)


_PARTS: dict[str, tuple[str, Callable[[], Any]]] = {
    "sheet": ("Contact sheet", _room("sheet")),
    "retrieval": ("Words: held-out captions found by the judge", _room("retrieval")),
    "palette": ("Palette", _room("palettes")),
    "brand": ("Pinned colours", _room("brand")),
    "tiling": ("Tiling", _room("tiling")),
    "seams": ("Seam metric", _room("tiling", "measure_seams")),
    "limits": ("Limits of the machine", _room("violations")),
    "diversity": ("Diversity", _room("diversity")),
    "memory": ("Likeness to training pictures", _memory),
    "speed": ("Speed", _room("speed")),
}
