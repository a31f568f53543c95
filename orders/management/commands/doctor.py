"""Is everything as it should be?"""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from inventory_sync import services as inventory
from inventory_sync.errors import ErpError
from orders import audit, health
from orders.models import Shop


class Command(BaseCommand):
    """`manage.py doctor`: status 1 when something is wrong."""

    help = "Look at database, storage, sweeper, each shop's ERP and its audit chain, and say what is wrong."

    def handle(self, *args: Any, **options: Any) -> None:
        found = {name: said for name, said in health.checks().items() if name != "sweeper"}
        for shop in Shop.objects.all():
            try:
                erp = inventory.connect(shop.connector, shop=shop.slug)
                info = erp.ping()
                found[f"{shop.slug}: ERP"] = f"ok, {info.product} {info.version}, {info.where}"
                for number, problem in enumerate(inventory.problems_of(erp, currency=shop.currency), start=1):
                    found[f"{shop.slug}: ERP, problem {number}"] = problem
            except ErpError as error:
                found[f"{shop.slug}: ERP"] = str(error)
            broken = audit.first_broken(shop)
            found[f"{shop.slug}: audit chain"] = (
                "ok, unbroken" if broken is None else f"broken at event {broken.sequence}: {broken.how}"
            )
        for name, said in found.items():
            self.stdout.write(f"{name:<28} {said}")
        if not all(said.startswith("ok") for said in found.values()):
            sys.exit(1)
