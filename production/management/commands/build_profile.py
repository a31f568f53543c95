"""Build the synthetic reactive-ink profiles that ship with the product: four inks and six."""

from __future__ import annotations

import hashlib
from argparse import ArgumentParser
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from rich.progress import Progress

from production.colour_profiles import PROFILES
from production.domain.icc import write_profile
from production.domain.inkmodel import (
    REACTIVE_ON_COTTON,
    REACTIVE_SIX_ON_COTTON,
    InkModel,
    cloth_xyz,
    profile_tables,
)

MADE = datetime(2026, 1, 1, tzinfo=UTC)
DESCRIPTION = "SYNTHETIC reactive {inks} on cotton, ink limit {tac:.0f} %, from an ink model, not measured (Weftline)"


@dataclass(frozen=True)
class Shipped:
    """A profile that ships: the model it is made from, and its inks by name where the file is to say them."""

    model: InkModel
    letters: str
    inks: tuple[str, ...] = ()

    @property
    def file(self) -> str:
        return f"reactive-{self.letters.lower()}-cotton-synthetic.icc"


SHIPPED = {
    "cmyk": Shipped(REACTIVE_ON_COTTON, "CMYK"),
    "cmykov": Shipped(REACTIVE_SIX_ON_COTTON, "CMYKOV", ("Cyan", "Magenta", "Yellow", "Black", "Orange", "Violet")),
}


class Command(BaseCommand):
    """Same code, same machine: same bytes."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--which", choices=sorted(SHIPPED), help="one of them; without it, all are built")
        parser.add_argument("--out", type=Path, default=PROFILES, help="the folder to write to")

    def handle(self, *args: Any, which: str | None, out: Path, **options: Any) -> None:
        out.mkdir(parents=True, exist_ok=True)
        with Progress(transient=True) as progress:
            for shipped in [SHIPPED[which]] if which else SHIPPED.values():
                task = progress.add_task(f"Solving for {shipped.letters}")
                data = built(
                    shipped, lambda done, rounds, task=task: progress.update(task, completed=done, total=rounds)
                )
                path = out / shipped.file
                path.write_bytes(data)
                digest = hashlib.sha256(data).hexdigest()
                path.with_suffix(".icc.sha256").write_text(f"{digest}  {path.name}\n", encoding="ascii")
                self.stdout.write(f"{path} {len(data)} bytes, sha256 {digest}")


def built(shipped: Shipped, on_round: Any = None) -> bytes:
    """The profile's bytes."""
    return write_profile(
        profile_tables(shipped.model, on_round=on_round),
        description=DESCRIPTION.format(inks=shipped.letters, tac=shipped.model.tac * 100),
        copyright_text="No copyright, use freely",
        white_xyz=cloth_xyz(shipped.model),
        made=MADE,
        inks=shipped.inks,
    )
