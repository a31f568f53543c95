"""Two people, or two workers, at the same moment on two connections: exactly one wins."""

import threading
import time
import uuid
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import OperationalError, connection

from inventory_sync.models import LedgerOrder, LedgerSale
from orders import flow, promising, recording, services, steps, strikeoffs, work, worker
from orders.errors import HoldChanged, IllegalTransition, StaleState
from orders.models import Approval, Order, OrderLine, Step
from tests.racing import at_once, beside, stopped_before

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def one_candidate(settings):
    settings.WEFTLINE = {**settings.WEFTLINE, "candidates": 1}


def placed(shop, *, quantity_m=6, substrate="FAB-COT-SAT"):
    new = services.NewLine(
        words="small blue flowers",
        quantity_m=quantity_m,
        layout="straight",
        repeat_mm=(64, 64),
        substrate=substrate,
        palette="nordic",
        due_in_days=60,
    )
    order = services.place_and_submit(shop, customer="Atelier Nord", lines=[new], by=None)
    time.sleep(0.01)  # the embedded database's clock ticks in milliseconds
    return seen(order.lines.get())


def in_proofing(shop, **wish):
    line = placed(shop, **wish)
    worker.run_until_rest([line])
    return seen(line)


def seen(line):
    return OrderLine.objects.select_related("order__shop").get(pk=line.pk)


def losers(ends):
    return [end for end in ends if isinstance(end, StaleState | IllegalTransition)]


def test_of_two_approvals_one_wins(mill):
    line = in_proofing(mill)
    one, two = seen(line), seen(line)
    ends = at_once(lambda: services.approve(one, 1, by=None), lambda: services.approve(two, 1, by=None))
    assert len(losers(ends)) == 1, ends
    assert Approval.objects.count() == 1
    assert Step.objects.filter(line=line, kind="plan").count() == 1


def test_of_an_approval_and_a_cancellation_one_wins(mill):
    line = in_proofing(mill)
    one, two = seen(line), seen(line)
    ends = at_once(lambda: services.approve(one, 1, by=None), lambda: services.cancel(two, by=None))
    assert len(losers(ends)) == 1, ends
    assert seen(line).state in {"planning", "cancelling"}


def test_with_the_compare_and_set_off_both_approvals_go_through(mill, monkeypatch):
    """The negative control: without the guard the test of two approvals must fail, or it proves nothing."""
    line = in_proofing(mill)
    one, two = seen(line), seen(line)
    honest = flow.move

    def unguarded(line, event, **options):
        now = seen(line)
        if now.state != line.state:
            return now
        line.version = now.version
        return honest(line, event, **options)

    monkeypatch.setattr(flow, "move", unguarded)
    services.approve(one, 1, by=None)
    services.approve(two, 1, by=None)
    assert Approval.objects.count() == 2


def test_of_two_changes_of_a_line_one_wins_and_its_order_is_what_is_made(mill):
    line = in_proofing(mill)
    services.approve(line, 1, by=None)
    worker.run_until_rest([line])
    one, two = seen(line), seen(line)
    ends = at_once(
        lambda: services.change(one, quantity_m=Decimal(7), by=None),
        lambda: services.change(two, quantity_m=Decimal(8), by=None),
    )
    assert len(losers(ends)) == 1, ends
    assert Approval.objects.count() == 2
    worker.run_until_rest([line])
    assert LedgerOrder.objects.get().quantity == seen(line).quantity_m in {7, 8}


def test_a_change_and_the_begin_of_the_work_at_once_leave_no_line_half_changed(mill):
    line = in_proofing(mill)
    services.approve(line, 1, by=None)
    worker.run_until_rest([line])
    one, two = seen(line), seen(line)
    ends = at_once(lambda: services.change(one, quantity_m=Decimal(7), by=None), lambda: services.started(two))
    assert len(losers(ends)) == 1, ends
    now = seen(line)
    assert (now.state, now.quantity_m, Approval.objects.count()) in {("planning", 7, 2), ("in_production", 6, 1)}


def test_a_customer_chooses_while_the_quotation_is_being_written(mill, monkeypatch):
    line = placed(mill)
    for kind in ("draw", "check"):
        assert flow.run_step(Step.objects.get(line=line, kind=kind).pk)
        time.sleep(0.01)
    arrived, go_on = stopped_before(monkeypatch, recording.inventory, "quote")
    quoting = beside(lambda: flow.run_step(Step.objects.get(line=line, kind="quote").pk))
    assert arrived.wait(60)
    services.approve(seen(line), 1, by=None)
    worker.run_until_rest([line])
    go_on.set()
    quoting.join(60)
    assert seen(line).state == "released"
    assert Step.objects.get(line=line, kind="quote").state == "dropped"
    sale = LedgerSale.objects.get()
    assert (sale.state, sale.lines.get().quantity) == ("confirmed", 6)


# Where the worker's transaction stands when the person cancels: before it, with its step taken, with its next step
# opened. The last two hold the line's row, so the person waits for the worker, and neither is hurt.
MOMENTS = {
    "draw, before its transaction": ("draw", steps, "lock_line"),
    "draw, its next step opened": ("draw", flow.tasks, "ring"),
    "check, before its transaction": ("check", steps, "lock_line"),
    "check, its step taken": ("check", work, "keep_checked"),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_line_cancelled_while_a_worker_commits_ends_with_no_step_open(mill, monkeypatch, moment):
    kind, where, name = MOMENTS[moment]
    line = placed(mill)
    if kind == "check":
        flow.run_step(Step.objects.get(line=line, kind="draw").pk)
    step = Step.objects.get(line=line, kind=kind).pk
    arrived, go_on = stopped_before(monkeypatch, where, name)
    failed = []
    worker_thread = beside(lambda: flow.run_step(step), failed)
    assert arrived.wait(60)
    person = beside(lambda: cancelled(line), failed)
    time.sleep(0.5)
    go_on.set()
    person.join(60)
    worker_thread.join(60)
    assert failed == []
    worker.run_until_rest([line])
    assert seen(line).state == "cancelled"
    assert not Step.objects.filter(line=line, state__in=["pending", "running"]).exists()


def cancelled(line):
    """Cancel as a person does who looks again when told that the line has moved on."""
    try:
        services.cancel(seen(line), by=None)
    except StaleState:
        services.cancel(seen(line), by=None)


def test_a_worker_frozen_before_it_holds_can_t_replace_what_a_later_one_holds(mill, monkeypatch, settings):
    settings.WEFTLINE = {**settings.WEFTLINE, "lease_s": 0.3}
    line = in_proofing(mill)
    services.approve(line, 1, by=None)
    step = Step.objects.get(line=line, kind="plan").pk
    monkeypatch.setattr(steps, "heartbeat", lambda held: False)  # frozen: it does not beat either
    arrived, go_on = stopped_before(monkeypatch, work.inventory, "hold")
    frozen = beside(lambda: flow.run_step(step))
    assert arrived.wait(60)
    time.sleep(0.5)
    assert flow.run_step(step)
    planned = seen(line)
    go_on.set()
    frozen.join(60)
    promising.still_held(planned)
    assert seen(line).state == "releasing"
    worker.run_until_rest([line])
    assert seen(line).state == "released"


def test_without_its_number_the_frozen_worker_does_replace_the_hold(mill, monkeypatch, settings):
    """The negative control of the test above."""
    settings.WEFTLINE = {**settings.WEFTLINE, "lease_s": 0.3}
    line = in_proofing(mill)
    services.approve(line, 1, by=None)
    step = Step.objects.get(line=line, kind="plan").pk
    monkeypatch.setattr(steps, "heartbeat", lambda held: False)
    honest = work.inventory.hold

    def another_minute(erp, *, slots, fence, **wanted):
        later = [(centre, start + timedelta(days=28), end + timedelta(days=28)) for centre, start, end in slots]
        return honest(erp, slots=later if threading.current_thread() is frozen else slots, **wanted)

    monkeypatch.setattr(work.inventory, "hold", another_minute)
    arrived, go_on = stopped_before(monkeypatch, work.inventory, "hold")
    frozen = beside(lambda: flow.run_step(step))
    assert arrived.wait(60)
    time.sleep(0.5)
    assert flow.run_step(step)
    planned = seen(line)
    go_on.set()
    frozen.join(60)
    with pytest.raises(HoldChanged):
        promising.still_held(planned)


def test_of_two_lines_for_the_last_metres_of_a_roll_one_gets_them_and_the_other_is_told_why(mill, monkeypatch):
    # Linen-cotton lies there as one roll of 80 m.
    lines = [in_proofing(mill, quantity_m=50, substrate="FAB-LIN-COT") for _ in range(2)]
    for line in lines:
        services.approve(line, 1, by=None)
    together, honest = threading.Barrier(2), work.inventory.hold

    def both_have_looked_before_either_holds(*args, **kwargs):
        if not together.broken:
            together.wait(60)
            together.abort()
        return honest(*args, **kwargs)

    def patient(*args, **kwargs):
        try:
            return both_have_looked_before_either_holds(*args, **kwargs)
        except threading.BrokenBarrierError:
            return honest(*args, **kwargs)

    monkeypatch.setattr(work.inventory, "hold", patient)
    steps = [Step.objects.get(line=line, kind="plan").pk for line in lines]
    at_once(*(lambda pk=pk: flow.run_step(pk) for pk in steps))
    states = sorted(seen(line).state for line in lines)
    assert states == ["blocked", "releasing"]
    blocked = next(seen(line) for line in lines if seen(line).state == "blocked")
    assert blocked.blocked["code"] in {"not_yet_in_stock", "not_enough_stock"}
    assert "m needed" in blocked.blocked["sentence"]
    assert blocked.blocked["fields"]["available_from"]


def test_of_two_workers_rung_for_the_same_step_one_does_it(mill):
    line = in_proofing(mill)
    services.approve(line, 1, by=None)
    step = Step.objects.get(line=line, kind="plan").pk
    assert sorted(at_once(lambda: flow.run_step(step), lambda: flow.run_step(step))) == [False, True]


@pytest.mark.parametrize(("once", "orders"), [(uuid.UUID(int=7), 1), (None, 2)])
def test_a_form_sent_twice_at_once_makes_one_order_and_without_its_number_two(mill, once, orders):
    new = services.NewLine(
        words="small blue flowers",
        quantity_m=Decimal(6),
        layout="straight",
        repeat_mm=(64, 64),
        substrate="FAB-COT-SAT",
        due_in_days=60,
    )

    def send():
        return services.place_and_submit(mill, customer="Atelier Nord", lines=[new], by=None, once=once).number

    numbers = at_once(send, send)
    assert Order.objects.count() == orders
    assert set(numbers) == set(Order.objects.values_list("number", flat=True))
    assert Step.objects.filter(kind="draw").count() == orders


def struck_off(shop, *, done):
    """A strike-off whose cloth is there, with the order that waits for it."""
    sample = in_proofing(shop)
    services.approve(sample, 1, by=None)
    worker.run_until_rest([sample])
    sample = services.finished(services.started(seen(sample)))
    if done:
        sample = services.passed(sample)
    bulk = placed(shop, quantity_m=20)
    OrderLine.objects.filter(pk=bulk.pk).update(state="draft", version=1)
    OrderLine.objects.filter(pk=sample.pk).update(sample_of=bulk)
    Step.objects.filter(line=bulk).delete()
    return sample, bulk


def seen_whole(sample):
    return OrderLine.objects.select_related("order__shop", "sample_of__order__shop").get(pk=sample.pk)


@pytest.mark.parametrize("done", [False, True], ids=["being inspected", "passed before"])
def test_a_strike_off_that_two_people_approve_at_once_hands_its_order_on_once(mill, done):
    sample, bulk = struck_off(mill, done=done)
    one, two = seen_whole(sample), seen_whole(sample)
    ends = at_once(lambda: strikeoffs.approve(one, by=None), lambda: strikeoffs.approve(two, by=None))
    assert len(losers(ends)) == 1, ends
    assert (bulk.rounds.count(), Step.objects.filter(line=bulk).count()) == (2, 1)
    assert bulk.events.filter(action="submit").count() == 2  # when it was placed, and now
    assert sample.events.filter(action="strike-off approved").count() == 1


def test_with_the_compare_and_set_off_both_hand_it_on(mill, monkeypatch):
    """The negative control."""
    sample, bulk = struck_off(mill, done=True)
    one, two = seen_whole(sample), seen_whole(sample)
    honest = flow.move
    monkeypatch.setattr(
        flow, "move", lambda line, event, **more: seen(line) if moved(line) else honest(line, event, **more)
    )
    strikeoffs.approve(one, by=None)
    strikeoffs.approve(two, by=None)
    assert (bulk.rounds.count(), sample.events.filter(action="strike-off approved").count()) == (3, 2)


def moved(line):
    """True for a line that has moved on since it was read."""
    return seen(line).version != line.version


def yes_while_the_order_is_cancelled(shop, monkeypatch):
    """A strike-off is approved while its order is cancelled; returns both, and who was told."""
    sample, bulk = struck_off(shop, done=False)
    whole, order = seen_whole(sample), seen(bulk)
    arrived, go_on = stopped_before(monkeypatch, strikeoffs.services, "submit")
    failed = []
    yes = beside(lambda: strikeoffs.approve(whole, by=None), failed)
    assert arrived.wait(60)
    no = beside(lambda: services.cancel(order, by=None), failed)
    time.sleep(0.5)
    go_on.set()
    for thread in (yes, no):
        thread.join(60)
    return sample, bulk, failed


def test_a_strike_off_s_yes_and_its_order_s_cancellation_do_not_wait_for_ever_for_each_other(mill, monkeypatch):
    sample, bulk, failed = yes_while_the_order_is_cancelled(mill, monkeypatch)
    # The order was handed on before it could be cancelled: whoever cancels is told so, and nobody is thrown out.
    assert [type(each) for each in failed] == [StaleState], failed
    assert (seen(bulk).state, seen(sample).state) == ("generating", "done")


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer: its transactions are in line anyway.")
def test_without_taking_both_lines_first_the_database_throws_one_of_them_out(mill, monkeypatch):
    """The negative control, where transactions run beside each other."""
    monkeypatch.setattr(strikeoffs.planning, "lock", lambda lines: None)
    _sample, _bulk, failed = yes_while_the_order_is_cancelled(mill, monkeypatch)
    assert any(isinstance(each, OperationalError) for each in failed), failed


@pytest.mark.parametrize(("wished", "winners"), [((10, 2), 1), ((10, 10), 2)])
def test_of_two_planners_who_weigh_a_line_at_once_one_is_told_unless_they_agree(mill, wished, winners):
    line = placed(mill)
    one, two = seen(line), seen(line)
    first, second = wished
    ends = at_once(
        lambda: services.prioritise(one, priority=first, by=None),
        lambda: services.prioritise(two, priority=second, by=None),
    )
    assert ends.count(None) == winners, ends
    assert len(losers(ends)) == 2 - winners, ends
    event = line.events.get(action="prioritise")
    assert event.details == {"priority": seen(line).priority, "before": 1}


def test_who_weighs_a_line_without_looking_what_it_weighs_overrules_another(mill, monkeypatch):
    """The negative control: what was written before."""
    line = placed(mill)
    one, two = seen(line), seen(line)
    for each, priority in ((one, 10), (two, 2)):
        OrderLine.objects.filter(pk=each.pk).update(priority=priority)
    assert seen(line).priority == 2
