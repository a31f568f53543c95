"""Build the synthetic reactive-ink profiles that ship with the product: four inks and six."""

from __future__ import annotations

import hashlib
from argparse import ArgumentParser
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from rich.progress import Progress, TaskID

from production.colour_profiles import PROFILES
from production.domain.shipped import SHIPPED, built


class Command(BaseCommand):
    """Same code, same machine: same bytes."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--which", choices=sorted(SHIPPED), help="one of them; without it, all are built")
        parser.add_argument("--out", type=Path, default=PROFILES, help="the folder to write to")

    def handle(self, *args: Any, which: str | None, out: Path, **options: Any) -> None:
        out.mkdir(parents=True, exist_ok=True)
        with Progress(transient=True) as bars:
            for shipped in [SHIPPED[which]] if which else SHIPPED.values():
                task = bars.add_task(f"Solving for {shipped.letters}")
                data = built(shipped, on_round=partial(_advance, bars, task))
                path = out / shipped.file
                path.write_bytes(data)
                digest = hashlib.sha256(data).hexdigest()
                path.with_suffix(".icc.sha256").write_text(f"{digest}  {path.name}\n", encoding="ascii")
                self.stdout.write(f"{path} {len(data)} bytes, sha256 {digest}")


def _advance(bars: Progress, task: TaskID, done: int, rounds: int) -> None:
    bars.update(task, completed=done, total=rounds)
