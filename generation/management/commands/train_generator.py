"""Train the embedded generator from nothing, measure it, draw a contact sheet and put its weights in place."""

from argparse import ArgumentParser
from importlib import import_module
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from generation.backends.embedded import WEIGHTS


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--minutes", type=float, default=90, help="wall clock in all, earlier runs counted with --resume"
        )
        parser.add_argument("--profile", choices=["cpu", "gpu"], default="cpu", help="the recipe; gpu needs CUDA")
        parser.add_argument("--resume", action="store_true", help="go on from the checkpoint under var/train")
        parser.add_argument("--out", type=Path, default=WEIGHTS, help="the weights folder to write")

    def handle(self, *args: Any, **options: Any) -> None:
        training = import_module("generation.training.train")  # torch comes in here, not with the web server
        exporting = import_module("generation.training.export")
        sheet = import_module("generation.training.contact_sheet")
        recipe = training.RECIPES[options["profile"]]
        if recipe.device == "cuda" and not training.torch.cuda.is_available():
            raise CommandError("This machine has no CUDA device: train with --profile cpu.")
        work = Path(settings.VAR_DIR) / "train"
        unet, progress = training.train(
            minutes=options["minutes"],
            work=work,
            recipe=recipe,
            resume=options["resume"],
            report=self.stdout.write,
        )
        sheet.contact_sheet(unet, work / "contact_sheet.png")
        self.stdout.write(f"contact sheet: {work / 'contact_sheet.png'}")
        try:
            card = exporting.export(unet, options["out"], progress=progress, recipe=recipe)
        except exporting.WorseWeights as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"weights: {options['out']}, {card['held_out_cross_entropy_minus_entropy']['mean']} nats over"
        )
