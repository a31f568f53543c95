"""The page of the ERP, as a planner and as a person who may only look sees it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from inventory_sync import mirror
from inventory_sync import services as inventory
from inventory_sync.models import Breaker
from orders import services, steps
from orders.models import Following, Notice, OrderLine, Role, Step
from tests.people import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def planner(mill):
    return signed_in(mill, Role.PLANNER)


@pytest.fixture
def step(mill):
    new = services.NewLine(
        words="stripes", quantity_m=5, layout="straight", repeat_mm=(100, 100), substrate="FAB-COT-SAT", due_in_days=30
    )
    line = services.place(mill, customer="Atelier Nord", lines=[new], by=None).lines.get()
    OrderLine.objects.filter(pk=line.pk).update(state="syncing")
    step = steps.open_step(line, "sync", due_in=timedelta(minutes=4), max_attempts=12)
    Step.objects.filter(pk=step.pk).update(error_code="erp_unavailable", error="The ERP is away.", attempt=2)
    Notice.objects.create(shop=mill, line=line, code="late", sentence="It comes on Friday.", key="late:1")
    return step


def read(client, address="/erp/", **options):
    answer = client.get(address, **options)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_quiet_page_says_that_nothing_waits(planner):
    page = read(planner)
    assert "Nothing waits" in page
    assert "what was changed there has been followed" in page
    assert "is the worker running?" in page
    assert 'href="/erp/"' in read(planner, "/")


def test_what_waits_and_what_was_found_stand_there_with_what_can_be_done(planner, step):
    page = read(planner)
    for words in ("Atelier Nord", step.line.reference, "The ERP is away.", "2 of 12 tries", "It comes on Friday."):
        assert words in page
    answer = planner.post(f"/erp/retry/{step.pk}/", follow=True)
    assert "is tried again now" in answer.content.decode()
    assert step.pk in steps.due()
    planner.post(f"/erp/settle/{Notice.objects.get().pk}/")
    assert "It comes on Friday." not in read(planner)


def test_who_may_only_look_has_no_buttons(mill, step):
    page = read(signed_in(mill, Role.OPERATOR))
    assert "The ERP is away." in page
    assert "Try now" not in page
    assert "Dealt with" not in page


def test_what_can_t_be_tried_again_is_said(planner, step):
    Step.objects.filter(pk=step.pk).update(state="done")
    page = planner.post(f"/erp/retry/{step.pk}/", follow=True).content.decode()
    assert "There is nothing to try again" in page


def test_an_erp_that_is_away_is_said_with_the_age_of_the_stock(planner, mill, distant):
    mirror.poll(inventory.connect("distant", shop="demo"))
    mirror.MirrorOf.objects.update(as_of=timezone.now() - timedelta(minutes=4))
    Following.objects.create(shop=mill, error="No route to the ERP.")
    Breaker.objects.create(shop="demo", failures=5, ask_again_at=timezone.now() + timedelta(seconds=20))
    distant.cut = True
    page = read(planner)
    for words in ("does not answer", "No route to the ERP.", "as read 4 min ago", "Quoting goes on", "Asked again"):
        assert words in page


def test_a_line_says_what_was_changed_there_and_how_old_its_stock_is(planner, step, distant):
    address = f"/lines/{step.line.reference}/"
    page = read(planner, address)
    assert "It comes on Friday." in page
    assert "on stock as read" not in page
    mirror.poll(inventory.connect("distant", shop="demo"))
    mirror.MirrorOf.objects.update(as_of=timezone.now() - timedelta(minutes=4))
    assert "on stock as read 4 min ago" in read(planner, address)
    settled = planner.post(f"/erp/settle/{Notice.objects.get().pk}/", {"from_line": "1"})
    assert settled["Location"] == address
    assert "It comes on Friday." not in read(planner, address)
