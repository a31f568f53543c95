"""The ledger in the admin: everything can be looked at, and what orders hold can't be changed by hand."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib import admin
from django.urls import reverse

from inventory_sync import services
from inventory_sync.models import LedgerHold, LedgerOrder, LedgerTask, LedgerWorkOrder
from inventory_sync.ports import Component, ManufacturingOrder, SaleLine, SaleOrder, WorkOrder

FACTORY = json.loads((Path(__file__).parents[2] / "orders/demo/factory.json").read_text(encoding="utf-8"))
REGISTERED = sorted(
    model._meta.model_name
    for model in apps.get_app_config("inventory_sync").get_models()
    if admin.site.is_registered(model) and model._meta.model_name.startswith("ledger")
)
READ_ONLY = {
    "ledgerhold",
    "ledgerbooking",
    "ledgerorder",
    "ledgerworkorder",
    "ledgersale",
    "ledgernote",
    "ledgertask",
    "ledgerchange",
}


@pytest.fixture
def browser(admin_client):
    services.seed_ledger("demo", FACTORY, today=date(2026, 11, 22))
    erp, start = services.connect("ledger", shop="demo"), datetime(2026, 11, 25, 9, tzinfo=UTC)
    end = start + timedelta(hours=1)
    material = ("FAB-VEL-COT", "VEL-COT-R001", Decimal(5))
    services.hold(erp, reference="WL-1", materials=[material], slots=[("PRT1", start, end)])
    order = ManufacturingOrder(
        product="FIN-PRINT",
        quantity=Decimal(5),
        reference="WL-1",
        components=(Component("FAB-VEL-COT", Decimal(5), "VEL-COT-R001"),),
        work_orders=(WorkOrder("Print", "PRT1", start, end, 60),),
    )
    line = SaleLine("weftline.WL-1:sale", "FIN-PRINT", "Small flowers", Decimal(5), Decimal(30))
    recorded = services.record(
        erp,
        sale_id="weftline.WL",
        sale=SaleOrder("Atelier Nord", "WL", (line,)),
        external_id="weftline.WL-1",
        order=order,
        digest=("weftline.WL-1:released:r1", "Released."),
    )
    erp.ask(recorded.ref, "weftline.WL-1:quantity", "Look at the quantity", "5 m were ordered.")
    return admin_client


@pytest.mark.parametrize("model", REGISTERED)
def test_every_list_and_every_row_opens(browser, model):
    assert browser.get(reverse(f"admin:inventory_sync_{model}_changelist")).status_code == 200
    row = apps.get_model("inventory_sync", model).objects.first()
    assert row is not None
    assert browser.get(reverse(f"admin:inventory_sync_{model}_change", args=[row.pk])).status_code == 200


@pytest.mark.parametrize("model", sorted(READ_ONLY))
def test_what_the_connector_writes_is_not_added_or_deleted_by_hand(browser, model):
    row = apps.get_model("inventory_sync", model).objects.first()
    assert browser.get(reverse(f"admin:inventory_sync_{model}_add")).status_code == 403
    assert (
        browser.post(reverse(f"admin:inventory_sync_{model}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
    )
    assert apps.get_model("inventory_sync", model).objects.filter(pk=row.pk).exists()


def test_a_hold_is_shown_with_what_it_holds(browser):
    hold = LedgerHold.objects.get()
    page = browser.get(reverse("admin:inventory_sync_ledgerhold_change", args=[hold.pk])).content.decode()
    assert "VEL-COT-R001" in page
    assert "PRT1" in page


def chosen(browser, model, action):
    row = apps.get_model("inventory_sync", model).objects.get()
    wish = {"action": action, "_selected_action": [row.pk]}
    answer = browser.post(reverse(f"admin:inventory_sync_{model}_changelist"), wish, follow=True)
    return answer.content.decode()


def test_an_operator_starts_and_finishes_a_work_order(browser):
    chosen(browser, "ledgerworkorder", "start")
    assert (LedgerWorkOrder.objects.get().state, LedgerOrder.objects.get().state) == ("progress", "progress")
    chosen(browser, "ledgerworkorder", "finish")
    assert (LedgerWorkOrder.objects.get().state, LedgerOrder.objects.get().state) == ("done", "done")
    assert "nobody works on it" in chosen(browser, "ledgerworkorder", "start")


def test_a_task_is_put_aside_once_it_is_done(browser):
    chosen(browser, "ledgertask", "done")
    done_at = LedgerTask.objects.get().done_at
    assert done_at is not None
    chosen(browser, "ledgertask", "done")
    assert LedgerTask.objects.get().done_at == done_at


def test_the_address_of_a_record_is_its_page(browser):
    erp = services.connect("ledger", shop="demo")
    for ref in (erp.find("manufacturing_order", "weftline.WL-1"), erp.find("sale_order", "weftline.WL")):
        assert ref.external_id in browser.get(erp.address(ref)).content.decode()
