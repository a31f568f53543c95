"""Train the judge that measures the generator: an own dual encoder of words and cloth."""

from argparse import ArgumentParser
from importlib import import_module
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from generation.backends import weights

_FOLDER = Path(__file__).resolve().parents[2] / "evaluation" / "judge"


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--minutes", type=float, default=10, help="wall clock in all")
        parser.add_argument("--resume", action="store_true", help="go on from the judge in the folder, on new styles")
        parser.add_argument("--out", type=Path, default=_FOLDER, help="the folder to write")

    def handle(self, *args: Any, **options: Any) -> None:
        training = import_module("generation.evaluation.training")  # torch comes in here, not with the web server
        encoder = import_module("generation.evaluation.encoder")
        begun = (encoder.load(options["out"]), weights.read_card(options["out"])) if options["resume"] else (None, None)
        judge, card = training.train_judge(
            minutes=options["minutes"], start=begun[0], before=begun[1], report=self.stdout.write
        )
        encoder.save(judge, options["out"], card)
        self.stdout.write(f"judge: {options['out']}, {card['pictures_seen']} pictures seen")
