"""What is kept of an ERP that lives elsewhere, in the admin: looked at, and never changed by hand but machine facts."""

import pytest
from django.apps import apps
from django.urls import reverse

from inventory_sync import mirror, services
from inventory_sync.models import Breaker, ErpLink, MachineFacts, RemoteHold

READ_ONLY = ("erplink", "remotehold", "breaker", "mirrorof", "mirrorstock")


@pytest.fixture
def browser(admin_client, distant):
    mirror.poll(services.connect("distant", shop="demo"))
    ErpLink.objects.create(shop="demo", kind="sale_order", external_id="weftline:demo:WL-000001", remote_id=7)
    RemoteHold.objects.create(shop="demo", reference="WL-000001-1")
    Breaker.objects.create(shop="demo", failures=2, last_error="No route to the ERP.")
    MachineFacts.objects.create(shop="demo", work_centre="PRT1", attributes={"width_cm": "185"})
    return admin_client


@pytest.mark.parametrize("model", [*READ_ONLY, "machinefacts"])
def test_every_list_and_every_row_opens(browser, model):
    assert browser.get(reverse(f"admin:inventory_sync_{model}_changelist")).status_code == 200
    row = apps.get_model("inventory_sync", model).objects.first()
    assert browser.get(reverse(f"admin:inventory_sync_{model}_change", args=[row.pk])).status_code == 200


@pytest.mark.parametrize("model", READ_ONLY)
def test_what_the_product_writes_is_not_added_changed_or_deleted_by_hand(browser, model):
    row = apps.get_model("inventory_sync", model).objects.first()
    assert browser.get(reverse(f"admin:inventory_sync_{model}_add")).status_code == 403
    for verb in ("change", "delete"):
        address = reverse(f"admin:inventory_sync_{model}_{verb}", args=[row.pk])
        assert browser.post(address, {"post": "yes"}).status_code == 403


def test_what_a_machine_can_do_is_set_here(browser):
    address = reverse("admin:inventory_sync_machinefacts_add")
    facts = {"shop": "demo", "work_centre": "PRT2", "attributes": '{"kind": "printer"}'}
    assert browser.post(address, facts).status_code == 302
    assert MachineFacts.objects.get(work_centre="PRT2").attributes == {"kind": "printer"}
