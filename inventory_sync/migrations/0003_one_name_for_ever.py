"""Orders and holds were named by approval (…-r1, -r2); they are named by line now, and the newest one keeps the name."""

import re

from django.db import migrations

BY_APPROVAL = re.compile(r"(?P<line>.+)-r(?P<number>\d+)")
OVER = {"done": "done", "cancel": "cancel"}


def newest_first(rows, name):
    found = [(BY_APPROVAL.fullmatch(getattr(row, name)), row) for row in rows]
    return sorted(((match, row) for match, row in found if match), key=lambda pair: -int(pair[0]["number"]))


def rename(apps, schema_editor):
    orders = apps.get_model("inventory_sync", "LedgerOrder").objects
    for match, order in newest_first(orders.exclude(state="cancel"), "external_id"):
        if not orders.filter(shop=order.shop, external_id=match["line"]).exists():
            order.external_id = match["line"]
            reference = BY_APPROVAL.fullmatch(order.reference)
            order.reference = reference["line"] if reference else order.reference
            order.save()
    for order in orders.filter(state__in=OVER):
        order.work_orders.update(state=OVER[order.state])
    holds = apps.get_model("inventory_sync", "LedgerHold").objects
    for match, hold in newest_first(holds.all(), "reference"):
        if not holds.filter(shop=hold.shop, reference=match["line"]).exists():
            hold.reference = match["line"]
            hold.save()
            hold.bookings.update(reference=match["line"])


class Migration(migrations.Migration):
    dependencies = [("inventory_sync", "0002_sales_and_remote_erps")]

    operations = [migrations.RunPython(rename, migrations.RunPython.noop)]
