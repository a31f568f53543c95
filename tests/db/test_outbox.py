"""What the ERP has not been told yet: what waits, what failed and why, and how it is tried again."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from inventory_sync import mirror
from inventory_sync import services as inventory
from inventory_sync.models import Breaker, ErpConnection, ErpLink
from inventory_sync.ports import MANUFACTURING_ORDER
from orders import following, names, outbox, services, steps, worker
from orders.errors import NothingToRetry
from orders.models import OrderLine, Step

pytestmark = pytest.mark.django_db


def placed(shop):
    new = services.NewLine(
        words="checks",
        quantity_m=Decimal(6),
        layout="straight",
        repeat_mm=(64, 64),
        substrate="FAB-COT-SAT",
        due_in_days=30,
    )
    return services.place(shop, customer="Atelier Nord", lines=[new], by=None).lines.get()


def waiting(line, kind="sync", **values):
    """A line with one step that speaks to the ERP, as it stands after a few tries."""
    at = {"planning": "plan", "syncing": "sync", "cancelling": "cancel"}
    state = next((state for state, step in at.items() if step == kind), "proofing")
    OrderLine.objects.filter(pk=line.pk).update(state=values.pop("line_state", state))
    step = steps.open_step(line, kind, due_in=timedelta(minutes=4), max_attempts=12)
    lost = {"error_code": "erp_unavailable", "error": "The ERP can't be reached: nothing was changed.", "attempt": 3}
    Step.objects.filter(pk=step.pk).update(**{**lost, **values})
    return Step.objects.get(pk=step.pk)


def blocked(line, code="erp_rejected", kind="sync", came_from="syncing"):
    step = waiting(line, kind, state="failed", error_code=code, error="The ERP refuses this.", line_state="blocked")
    why = {"code": code, "sentence": "The ERP refuses this.", "findings": [], "fields": {}}
    OrderLine.objects.filter(pk=line.pk).update(came_from=came_from, blocked=why)
    return step


def shown(shop):
    return outbox.entries(shop, outbox.waiting().filter(line__order__shop=shop))


@pytest.mark.parametrize("kind", ["quote", "plan", "sync", "cancel"])
def test_what_waits_says_why_since_when_and_when_it_is_tried_next(quick, kind):
    step = waiting(placed(quick), kind)
    (entry,) = shown(quick)
    assert (entry.step, entry.state, entry.tries, entry.of_tries) == (step.pk, "pending", 3, 12)
    assert "can't be reached" in entry.sentence
    assert entry.next_try == step.due_at
    assert entry.line.order.customer.name == "Atelier Nord"


def test_a_line_that_the_erp_stopped_stands_there_until_it_has_gone_on(quick):
    line = placed(quick)
    step = blocked(line)
    (entry,) = shown(quick)
    assert (entry.state, entry.next_try) == ("failed", None)
    outbox.retry(step, by=None)
    line.refresh_from_db()
    assert line.state == "syncing"
    assert [each.state for each in shown(quick)] == ["pending"]


@pytest.mark.parametrize("code", ["manufacturability", "verify_failed", "worker_died"])
def test_what_stopped_for_another_reason_is_no_matter_of_the_erp(quick, code):
    blocked(placed(quick), code=code)
    assert shown(quick) == []


def test_drawing_is_no_matter_of_the_erp(quick):
    line = placed(quick)
    services.submit(line, by=None)
    assert shown(quick) == []


def test_checking_that_waits_for_an_answer_is(quick):
    waiting(placed(quick), "check", line_state="generating")
    assert [entry.kind for entry in shown(quick)] == ["check"]


def test_what_waits_is_due_at_once_when_a_person_says_so(quick):
    step = waiting(placed(quick))
    assert step.pk not in steps.due()
    outbox.retry(step, by=None)
    assert step.pk in steps.due()


def test_an_offer_that_failed_is_made_again(quick):
    line = placed(quick)
    step = waiting(line, "quote", state="failed")
    assert [entry.state for entry in shown(quick)] == ["failed"]
    outbox.retry(step, by=None)
    assert list(line.steps.values_list("kind", "state")) == [("quote", "failed"), ("quote", "pending")]
    assert [entry.state for entry in shown(quick)] == ["pending"]
    with pytest.raises(NothingToRetry):
        outbox.retry(step, by=None)


@pytest.mark.parametrize("state", ["running", "done", "dropped"])
def test_what_is_being_done_or_is_over_can_t_be_tried_again(quick, state):
    step = waiting(placed(quick), state=state)
    with pytest.raises(NothingToRetry):
        outbox.retry(step, by=None)


def test_who_tried_again_stands_in_the_history(quick, django_user_model):
    line = placed(quick)
    outbox.retry(waiting(line), by=django_user_model.objects.create_user("anna"))
    assert line.events.get(action="retry").actor == "anna"


# ---------------------------------------------------------------------------------------------- open in ERP


def test_a_record_of_the_ledger_opens_in_the_admin(quick, client, django_user_model):
    line = placed(quick)
    services.submit(line, by=None)
    worker.run_until_rest([line])
    line.refresh_from_db()
    assert line.state == "proofing"
    line.steps.all().delete()
    waiting(line, "quote")
    (entry,) = shown(quick)
    client.force_login(django_user_model.objects.create_superuser("boss"))
    assert line.order.number in client.get(entry.address).content.decode()


def test_a_record_that_lives_elsewhere_has_an_address_while_its_erp_is_away(distant, quick):
    line = placed(quick)
    waiting(line)
    assert shown(quick)[0].address == ""
    ErpLink.objects.create(shop="demo", kind=MANUFACTURING_ORDER, external_id=names.record_id(line), remote_id=7)
    distant.cut = True
    distant.asked.clear()
    assert shown(quick)[0].address.endswith("/7/change/")
    assert distant.asked == {}


# ---------------------------------------------------------------------------------------------- how the ERP is doing


def test_how_the_erp_is_doing_is_said_without_asking_it(distant, quick):
    fresh = outbox.connection_of(quick)
    assert (fresh.answers, fresh.stock_age, fresh.followed_age) == (True, "", "")
    following.follow(quick)
    ErpConnection.objects.create(shop="demo", url="https://erp.example.com", database="mill", login="weftline")
    Breaker.objects.create(
        shop="demo", failures=5, ask_again_at=timezone.now() + timedelta(seconds=30), last_error="No route to the ERP."
    )
    distant.cut = True
    distant.asked.clear()
    said = outbox.connection_of(quick)
    assert distant.asked == {}
    assert (said.answers, said.failures, said.sentence) == (False, 5, "No route to the ERP.")
    assert said.where == "mill on https://erp.example.com"
    assert said.stock_age.endswith(" s")
    assert said.followed_age.endswith(" s")


def test_old_stock_is_said_only_once_it_is_old(distant, quick):
    assert outbox.old_stock(quick) == ""
    mirror.poll(inventory.connect("distant", shop="demo"))
    assert outbox.old_stock(quick) == ""
    mirror.MirrorOf.objects.update(as_of=timezone.now() - timedelta(minutes=4))
    assert outbox.old_stock(quick) == "4 min"
    quick.connector = "ledger"
    assert outbox.old_stock(quick) == ""
