"""One process that holds metres and minutes when it is told to: JSON lines in, JSON lines out.

`pause_s` stretches the moment between guard and write, in which a race is lost. `guard` false puts in the guard's place
what a careless programmer would write: read, decide, write. That stands here and nowhere in the product.
"""

import json
import os
import sys
import time
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orders.settings")
django.setup()

from inventory_sync import services  # noqa: E402
from inventory_sync.connectors import ledger_holds  # noqa: E402
from inventory_sync.errors import ErpError  # noqa: E402
from inventory_sync.models import LedgerBooking, LedgerHold, LedgerLot, LedgerReservation  # noqa: E402

SHOP = "races"
FACTORY = Path(__file__).parents[2] / "orders/demo/factory.json"
lock_calendars, move_held = ledger_holds.lock_calendars, ledger_holds.move_held
bulk_create = LedgerBooking.objects.bulk_create


def read_then_write(lot_id: int, difference: Decimal, pause_s: float) -> bool:
    lot = LedgerLot.objects.get(pk=lot_id)
    time.sleep(pause_s)
    if lot.on_hand < lot.held + difference:
        return False
    LedgerLot.objects.filter(pk=lot_id).update(held=lot.held + difference)
    return True


def set_guards(*, on: bool, pause_s: float) -> None:
    def lock(centre_ids):
        if on:
            lock_calendars(centre_ids)

    def move(lot_id, difference):
        if not on:
            return read_then_write(lot_id, difference, pause_s)
        moved = move_held(lot_id, difference)
        time.sleep(pause_s)
        return moved

    def create(bookings):
        time.sleep(pause_s)
        return bulk_create(bookings)

    ledger_holds.lock_calendars, ledger_holds.move_held = lock, move
    LedgerBooking.objects.bulk_create = create


def hold(*, reference, materials=(), slots=(), guard=True, pause_s=0.0):
    set_guards(on=guard, pause_s=pause_s)
    try:
        services.hold(
            services.connect("ledger", shop=SHOP),
            reference=reference,
            materials=[(sku, lot, Decimal(quantity)) for sku, lot, quantity in materials],
            slots=[(centre, datetime.fromisoformat(a), datetime.fromisoformat(b)) for centre, a, b in slots],
        )
    except ErpError as error:
        return {"code": error.code, "message": str(error), "fields": error.fields}
    return {"code": "held"}


def seed():
    return services.seed_ledger(SHOP, json.loads(FACTORY.read_text(encoding="utf-8")), today=date(2026, 11, 22))


def reset():
    """Nothing is held, whatever a race without guards has left behind."""
    LedgerHold.objects.all().delete()
    LedgerLot.objects.update(held=0)


def state():
    """What stands in the tables: reserved per lot, and every booking."""
    reserved: dict[str, Decimal] = {}
    for lot, quantity in LedgerReservation.objects.values_list("lot__lot", "quantity"):
        reserved[lot] = reserved.get(lot, Decimal(0)) + quantity
    return {
        "reserved": {lot: str(quantity) for lot, quantity in reserved.items()},
        "held": {lot: str(held) for lot, held in LedgerLot.objects.filter(held__gt=0).values_list("lot", "held")},
        "bookings": [
            [centre, start.isoformat(), end.isoformat(), reference]
            for centre, start, end, reference in LedgerBooking.objects.order_by("start").values_list(
                "work_centre__code", "start", "end", "reference"
            )
        ],
    }


VERBS = {"hold": hold, "seed": seed, "reset": reset, "state": state}

print(json.dumps("ready"), flush=True)
for line in sys.stdin:
    verb, arguments = json.loads(line)
    print(json.dumps(VERBS[verb](**arguments)), flush=True)
