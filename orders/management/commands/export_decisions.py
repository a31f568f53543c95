"""The designers' decisions as preference data: JSON lines, for whoever trains the next model."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from orders import learning
from orders.management.commands.place_order import shop_named


class Command(BaseCommand):
    """`manage.py export_decisions [--shop SLUG] > decisions.jsonl`."""

    help = (
        "Write all decisions about designs, and the pairs of an accepted and a rejected design of one round, as a line "
        "of JSON each."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--shop", help="the shop's short name; needed when there are several")

    def handle(self, *args: Any, **options: Any) -> None:
        for line in learning.exported(shop_named(options["shop"])):
            self.stdout.write(line, ending="")
