"""The durable ledger: claim, heartbeat, complete, fail, sweep."""

import time
from datetime import timedelta

import pytest
from django.db import transaction

from orders import services, steps
from orders.domain.states import StepState
from orders.errors import LostLease
from orders.models import OrderLine, Step

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def line(mill):
    new = services.NewLine(
        words="dots", quantity_m=5, layout="straight", repeat_mm=(100, 100), substrate="FAB-COT-SAT", due_in_days=30
    )
    return services.place(mill, customer="Atelier Nord", lines=[new], by=None).lines.get()


@pytest.fixture
def short_lease(settings):
    settings.WEFTLINE = {**settings.WEFTLINE, "lease_s": 0.2}


def opened(line, **options):
    step = steps.open_step(line, "draw", **options)
    time.sleep(0.005)  # the embedded database's clock ticks in milliseconds
    return step


def test_a_due_step_is_claimed_once(line):
    step = opened(line)
    first = steps.claim(step.pk)
    assert first is not None
    assert first.attempt == 1
    assert steps.claim(step.pk) is None


def test_a_step_that_is_not_due_is_nobody_s(line):
    assert steps.claim(opened(line, due_in=timedelta(hours=1)).pk) is None


def test_a_step_whose_lease_is_over_is_claimed_again_and_the_first_worker_can_commit_nothing(line, short_lease):
    step = opened(line)
    slow = steps.claim(step.pk)
    time.sleep(0.3)
    quick = steps.claim(step.pk)
    assert quick is not None
    assert quick.attempt == 2
    written = []
    with pytest.raises(LostLease):
        steps.complete(slow, lambda: written.append("slow"))
    steps.complete(quick, lambda: written.append("quick"))
    assert written == ["quick"]


@pytest.mark.alone
def test_a_heartbeat_keeps_the_lease_until_the_deadline_and_no_longer(line, short_lease, settings):
    settings.WEFTLINE = {**settings.WEFTLINE, "step_timeout_s": 0.6}
    held = steps.claim(opened(line).pk)
    with steps.beating(held):
        time.sleep(0.4)
        assert steps.claim(held.step_id) is None
        time.sleep(0.4)
        assert steps.claim(held.step_id) is not None


def test_results_that_can_t_be_written_leave_the_step_open(line):
    held = steps.claim(opened(line).pk)

    def burst():
        OrderLine.objects.filter(pk=line.pk).update(progress="half written")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        steps.complete(held, burst)
    line.refresh_from_db()
    assert line.progress == ""
    assert Step.objects.get(pk=held.step_id).state == StepState.RUNNING


def test_a_retryable_failure_comes_back_later_and_the_last_one_is_final(line):
    step = opened(line, max_attempts=2)
    ended = []
    held = steps.claim(step.pk)
    steps.fail(held, code="erp_unavailable", message="away", retryable=True, exhausted=lambda: ended.append(1))
    step.refresh_from_db()
    assert (step.state, step.error_code, ended) == (StepState.PENDING, "erp_unavailable", [])
    assert step.due_at > steps.database_now()
    Step.objects.filter(pk=step.pk).update(due_at=steps.database_now())
    time.sleep(0.005)
    held = steps.claim(step.pk)
    steps.fail(held, code="erp_unavailable", message="away", retryable=True, exhausted=lambda: ended.append(1))
    step.refresh_from_db()
    assert (step.state, ended) == (StepState.FAILED, [1])


def test_a_step_whose_every_worker_died_is_swept_with_the_reason(line, short_lease):
    step = opened(line, max_attempts=1)
    steps.claim(step.pk)
    time.sleep(0.3)
    assert steps.claim(step.pk) is None
    swept = []
    assert steps.sweep(swept.append) == 1
    assert steps.sweep(swept.append) == 0
    step.refresh_from_db()
    assert (step.state, step.error_code, len(swept)) == (StepState.FAILED, "worker_died", 1)


def test_a_dropped_step_can_t_be_completed(line):
    held = steps.claim(opened(line).pk)
    steps.drop_open(line)
    with pytest.raises(LostLease):
        steps.complete(held, lambda: None)


def test_due_steps_are_found_without_any_bell(line):
    step = opened(line)
    assert steps.due() == [step.pk]
    steps.claim(step.pk)
    assert steps.due() == []


def test_a_step_opened_in_a_transaction_that_fails_was_never_there(line):
    @transaction.atomic
    def submit_and_burst():
        steps.open_step(line, "draw")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        submit_and_burst()
    assert not Step.objects.exists()
