"""Two people, or two workers, at the same moment on two connections: exactly one wins."""

import threading

import pytest
from django.db import connection

from orders import flow, services, work, worker
from orders.errors import IllegalTransition, StaleState
from orders.models import Approval, OrderLine, Step

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def one_candidate(settings):
    settings.WEFTLINE = {**settings.WEFTLINE, "candidates": 1}


def at_once(*actions):
    """Run the actions in threads that start together; returns what each gave back or raised, in their order."""
    together, ends = threading.Barrier(len(actions)), [None] * len(actions)

    def run(number, action):
        try:
            connection.ensure_connection()
            together.wait(30)
            ends[number] = action()
        except Exception as error:  # the loser's exception is what the test looks at
            ends[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(actions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return ends


def in_proofing(shop, *, quantity_m=6, substrate="FAB-COT-SAT"):
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
    line = order.lines.get()
    worker.run_until_rest([line])
    return OrderLine.objects.select_related("order__shop").get(pk=line.pk)


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
    assert seen(line).state in {"planning", "cancelled"}


def test_with_the_compare_and_set_off_both_approvals_go_through(mill, monkeypatch):
    """The negative control: without the guard the test above must fail, or it proves nothing."""
    line = in_proofing(mill)
    one, two = seen(line), seen(line)
    monkeypatch.setattr(flow, "move", lambda line, event, **_: line)
    assert not losers(
        at_once(lambda: services.approve(one, 1, by=None)) + at_once(lambda: services.approve(two, 1, by=None))
    )
    assert Approval.objects.count() == 2


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
