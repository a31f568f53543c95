"""Build the synthetic reactive-ink profile that ships with the product."""

from __future__ import annotations

import hashlib
from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from rich.progress import Progress

from production.catalogue import PROFILES
from production.domain.icc import write_profile
from production.domain.inkmodel import REACTIVE_ON_COTTON, cloth_xyz, profile_tables

NAME = "reactive-cmyk-cotton-synthetic.icc"
MADE = datetime(2026, 1, 1, tzinfo=UTC)
DESCRIPTION = "SYNTHETIC reactive CMYK on cotton, ink limit {tac:.0f} %, from an ink model, not measured (Weftline)"


class Command(BaseCommand):
    """Same code, same machine: same bytes."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--out", type=Path, default=PROFILES / NAME)

    def handle(self, *args: Any, out: Path, **options: Any) -> None:
        model = REACTIVE_ON_COTTON
        with Progress(transient=True) as progress:
            task = progress.add_task("Solving for the inks")
            tables = profile_tables(
                model, on_round=lambda done, rounds: progress.update(task, completed=done, total=rounds)
            )
        data = write_profile(
            tables,
            description=DESCRIPTION.format(tac=model.tac * 100),
            copyright_text="No copyright, use freely",
            white_xyz=cloth_xyz(model),
            made=MADE,
        )
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(data)
        digest = hashlib.sha256(data).hexdigest()
        out.with_suffix(".icc.sha256").write_text(f"{digest}  {out.name}\n", encoding="ascii")
        self.stdout.write(f"{out} {len(data)} bytes, sha256 {digest}")
