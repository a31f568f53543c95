"""Follow what was changed in the ERP, now: for a person in doubt, or a cron job at night."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from inventory_sync.errors import ErpError
from orders import following, outbox
from orders.models import Shop


class Command(BaseCommand):
    """`manage.py follow_erp [--shop demo] [--all]`: status 1 when an ERP could not be asked."""

    help = "Follow what was changed in each shop's ERP; --all looks at every open record, which finds what was deleted."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--shop", default="", help="One shop by its short name; left out: all.")
        parser.add_argument("--all", action="store_true", help="Look at every open record, changed or not.")

    def handle(self, *args: Any, **options: Any) -> None:
        shops = Shop.objects.order_by("slug")
        if options["shop"]:
            shops = shops.filter(slug=options["shop"])
            if not shops:
                known = ", ".join(Shop.objects.values_list("slug", flat=True))
                raise CommandError(f"There is no shop {options['shop']!r}; there are: {known}.")
        away = False
        for shop in shops:
            try:
                looked = following.follow(shop)
                if options["all"]:
                    looked += following.sweep_deleted(shop)
                self.stdout.write(f"{shop.slug}: {looked} order(s) looked at.")
            except ErpError as error:
                away = True
                self.stderr.write(f"{shop.slug}: {error}")
            for notice in outbox.open_notices(shop):
                self.stdout.write(f"  {notice.sentence}")
        if away:
            sys.exit(1)
