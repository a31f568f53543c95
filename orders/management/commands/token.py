"""Make an API token."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from orders.models import Membership
from orders.seeding import issue_token


class Command(BaseCommand):
    """`manage.py token USER --shop NAME --name "warehouse script"`."""

    help = "Make an API token with a person's role in a shop. It is printed once and kept only as a digest."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user")
        parser.add_argument("--shop", default="demo")
        parser.add_argument("--name", default="token")
        parser.add_argument("--days", type=int, default=90)

    def handle(self, *args: Any, **options: Any) -> None:
        if not 1 <= options["days"] <= 3650:
            raise CommandError(f"--days is {options['days']}; a token may live 1 to 3650 days.", returncode=2)
        membership = Membership.objects.filter(user__username=options["user"], shop__slug=options["shop"]).first()
        if membership is None:
            raise CommandError(f"{options['user']} has no role in shop {options['shop']}.", returncode=2)
        self.stdout.write(issue_token(membership, name=options["name"], days=options["days"]))
