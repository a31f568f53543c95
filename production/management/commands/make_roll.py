"""Print several released orders behind each other on one roll."""

import sys
from argparse import ArgumentParser, ArgumentTypeError
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from rich.console import Console
from rich.progress import Progress

from production.errors import ProductionError
from production.rolls import MANIFEST, make_roll

BAD_INPUT, REFUSED = 2, 3


def a_roll(text: str) -> tuple[str, Decimal]:
    """`LOT=METRES`."""
    lot, _, metres = text.rpartition("=")
    try:
        length = Decimal(metres)
    except InvalidOperation as error:
        raise ArgumentTypeError(f"{text!r}: write a roll as LOT=METRES, such as R003=60") from error
    if not lot or not length.is_finite() or length <= 0:
        raise ArgumentTypeError(f"{text!r}: write a roll as LOT=METRES, such as R003=60")
    return lot, length


class Command(BaseCommand):
    """`manage.py make_roll DIR DIR … --roll R003=60 --out DIR`."""

    help = (
        "Put the printed orders of some folders on one roll, in this order, as one PDF/X-4. "
        "Status 0: made; 2: nothing to make it from; 3: refused, with the reason."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folders", metavar="DIR", type=Path, nargs="+", help="a released order's folder")
        parser.add_argument(
            "--roll",
            type=a_roll,
            action="append",
            required=True,
            metavar="LOT=METRES",
            help="a roll of the fabric and its length; several: the shortest that is long enough is taken",
        )
        parser.add_argument("--out", type=Path, required=True, help="the folder for the roll's files")

    def handle(
        self, *args: Any, folders: list[Path], roll: list[tuple[str, Decimal]], out: Path, **options: Any
    ) -> None:
        manifests = []
        for folder in folders:
            found = sorted(folder.glob(f"*{MANIFEST}"))
            if not found:
                self.stderr.write(f"There is no manifest in {folder}: name a folder that files were made in.")
                sys.exit(BAD_INPUT)
            manifests += found
        try:
            with Progress(console=Console(stderr=True), transient=True) as bars:
                task = bars.add_task("The roll")
                made = make_roll(
                    manifests,
                    rolls=dict(roll),
                    folder=out,
                    on_progress=lambda done, of: bars.update(task, completed=done, total=of),
                )
        except ProductionError as error:
            self.stderr.write(error.message)
            sys.exit(REFUSED)
        except OSError as error:
            self.stderr.write(f"Nothing can be written to {out}: {error.strerror}. Choose another folder.")
            sys.exit(REFUSED)
        except (ValueError, KeyError, TypeError, AttributeError):
            self.stderr.write("One of the manifests is none of this product, or it is damaged.")
            sys.exit(BAD_INPUT)
        for path in made:
            self.stdout.write(str(path))
