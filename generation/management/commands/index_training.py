"""Index training pictures, so that each design can be held against what the weights have seen."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from generation import likeness
from generation.training import corpus


class Command(BaseCommand):
    """`manage.py index_training [--seeds N]`."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--seeds", type=int, default=20_000, help="how many, from the first that was trained on")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["seeds"] < 1:
            raise CommandError("--seeds is a number of pictures, 1 at least.")
        path = likeness.index_training(options["seeds"], lambda done, of: self.stdout.write(f"{done} of {of} pictures"))
        self.stdout.write(f"{options['seeds']} pictures of corpus {corpus.version()} indexed in {path.name}")
