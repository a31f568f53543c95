"""Look through a diffusers folder from elsewhere and write down its digests, so that it may draw."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from generation.backends import weights
from generation.errors import WeightsRefused


class Command(BaseCommand):
    """Refuse the folder, or write its manifest.json."""

    help = "Look through a folder with a diffusers text-to-image model, and pin its files by their digests."
    requires_system_checks = []  # they ask for the very folder that is about to be pinned

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One folder."""
        parser.add_argument("folder", type=Path)

    def handle(self, *, folder: Path, **options: Any) -> None:
        """Print the digest, or end with why the folder is refused."""
        try:
            digest = weights.pin(folder)
        except WeightsRefused as refused:
            raise CommandError(str(refused)) from refused
        except OSError as error:
            raise CommandError(f"{folder} can't be written: {error.strerror}.") from error
        self.stdout.write(f"{folder} is pinned: {digest}")
