"""Set up a shop from a factory file."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from orders.environment import is_loopback
from orders.models import Shop
from orders.seeding import DEMO_FACTORY, demo_logins, seed


class Command(BaseCommand):
    """`manage.py seed [FILE] [--shop NAME] [--logins]`."""

    help = "Set up a shop from a factory file (default: the demo factory). What is there already stays as it is."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, default=DEMO_FACTORY)
        parser.add_argument("--shop", default="demo", help="the shop's short name")
        parser.add_argument("--name", default="Weftline demo mill", help="the shop's full name")
        parser.add_argument("--logins", action="store_true", help="make and print one demo login per role")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["logins"] and not all(map(is_loopback, settings.ALLOWED_HOSTS)):
            raise CommandError(
                "--logins is for trying the product on one machine, but ALLOWED_HOSTS opens this server to others: "
                "make people's logins with `manage.py createsuperuser` and on the administrator's pages.",
                returncode=2,
            )
        counts = seed(options["file"], slug=options["shop"], name=options["name"])
        new = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
        self.stdout.write(f"Factory: {new}" if new else "Factory: everything was already there.")
        if options["logins"]:
            for role, name, password in demo_logins(Shop.objects.get(slug=options["shop"])):
                self.stdout.write(f"  {role:<14} {name:<14} {password}")
