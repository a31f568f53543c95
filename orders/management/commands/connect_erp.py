"""Connect a shop to its Odoo."""

import getpass
import os
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from inventory_sync import services as inventory
from inventory_sync.errors import ErpError
from orders.models import Shop

KEY = "ODOO_API_KEY"


class Command(BaseCommand):
    """`manage.py connect_erp --shop demo --url https://… --database … --login …`."""

    help = f"Connect a shop to its Odoo. The API key is asked for, or read from {KEY} or from standard input."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--shop", required=True, help="the shop's short name")
        parser.add_argument("--url", required=True, help="such as https://erp.example.com, without a path")
        parser.add_argument("--database", required=True)
        parser.add_argument("--login", required=True, help="the user made for Weftline")
        parser.add_argument("--company", default="", help="where the database has several: which is this shop's")
        parser.add_argument(
            "--connector",
            default="odoo",
            choices=("odoo", "odoo_json2"),
            help="odoo: /jsonrpc, Odoo 14 to 19; odoo_json2: JSON-2, Odoo 19 and later",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        shop = Shop.objects.filter(slug=options["shop"]).first()
        if shop is None:
            known = ", ".join(Shop.objects.values_list("slug", flat=True)) or "none yet"
            raise CommandError(f"There is no shop {options['shop']!r}; there are: {known}.", returncode=2)
        wish = {name: options[name] for name in ("url", "database", "login", "company", "connector")}
        try:
            info = inventory.connect_remote(shop.slug, key=_key(), **wish)
        except ErpError as refusal:
            raise CommandError(str(refusal), returncode=2) from refusal
        Shop.objects.filter(pk=shop.pk).update(connector=options["connector"])
        self.stdout.write(f"{shop.slug} works on {info.product} {info.version}: {info.where}, as {info.user}.")
        problems = inventory.problems_of(
            inventory.connect(options["connector"], shop=shop.slug), currency=shop.currency
        )
        for problem in problems:
            self.stdout.write(f"  {problem}")
        if problems:
            sys.exit(1)


def _key() -> str:
    if key := os.environ.get(KEY, "").strip():
        return key
    key = getpass.getpass("API key: ") if sys.stdin.isatty() else sys.stdin.readline()
    if not key.strip():
        raise CommandError(f"There is no API key: type it when asked, or put it into {KEY}.", returncode=2)
    return key.strip()
