"""What an installation of the release before had written goes on under the names of this one."""

from importlib import import_module

import pytest
from django.apps import apps

from inventory_sync import services
from inventory_sync.models import LedgerHold, LedgerOrder, LedgerProduct, LedgerWorkCentre

pytestmark = pytest.mark.django_db
MIGRATION = import_module("inventory_sync.migrations.0003_one_name_for_ever")


def written(number, state):
    order = LedgerOrder.objects.create(
        shop="demo",
        external_id=f"weftline:demo:WL-000001-1-r{number}",
        reference=f"WL-000001-1-r{number}",
        product=LedgerProduct.objects.get(shop="demo", sku="FIN-PRINT"),
        quantity=6,
        state=state,
    )
    centre = LedgerWorkCentre.objects.get(shop="demo", code="PRT1")
    times = {"start": "2026-11-25T08:00Z", "end": "2026-11-25T09:00Z"}
    order.work_orders.create(position=0, name="Print", work_centre=centre, minutes=60, **times)
    return order


def test_the_newest_order_and_hold_of_a_line_keep_its_name_for_ever(mill):
    first, second = written(1, "cancel"), written(2, "confirmed")
    LedgerHold.objects.create(shop="demo", reference="WL-000001-1-r2")
    MIGRATION.rename(apps, None)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (second.external_id, second.reference) == ("weftline:demo:WL-000001-1", "WL-000001-1")
    assert first.external_id == "weftline:demo:WL-000001-1-r1"
    assert [order.work_orders.get().state for order in (first, second)] == ["cancel", "waiting"]
    assert services.held(services.connect("ledger", shop="demo"), "WL-000001-1") is not None


def test_names_of_this_release_and_of_others_stay(mill):
    other = LedgerOrder.objects.create(
        shop="demo", external_id="ERP-7", reference="x", product=LedgerProduct.objects.first(), quantity=1
    )
    new = written(1, "confirmed")
    LedgerOrder.objects.filter(pk=new.pk).update(external_id="weftline:demo:WL-000001-1", reference="WL-000001-1")
    late = written(2, "confirmed")
    MIGRATION.rename(apps, None)
    names = set(LedgerOrder.objects.values_list("external_id", flat=True))
    assert names == {"ERP-7", "weftline:demo:WL-000001-1", "weftline:demo:WL-000001-1-r2"}
    assert {other.pk, late.pk} <= set(LedgerOrder.objects.values_list("pk", flat=True))
