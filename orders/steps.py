"""The durable ledger of work: claim, heartbeat, complete, fail, sweep.

A step is claimed by one filtered UPDATE and completed by another; the token between them is the fence. The queue only
says *look*: its message may come twice, late or never, and nothing here believes it. Times are the database's own.
"""

import logging
import os
import random
import socket
import threading
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from orders.domain.states import STEP_TRANSITIONS, StepEvent, StepState, next_state
from orders.errors import LostLease
from orders.models import OrderLine, Step

log = logging.getLogger(__name__)

BACKOFF_S = 2.0
BACKOFF_AT_MOST_S = 300.0


@dataclass(frozen=True)
class Claim:
    """The right to work on a step until the lease is over."""

    step_id: int
    line_id: int
    kind: str
    attempt: int
    max_attempts: int
    token: uuid.UUID

    @property
    def fence(self) -> int:
        """A number that grows with every claim of a line's steps: outside systems take it as a fence."""
        return self.step_id * 1000 + self.attempt


def open_step(line: OrderLine, kind: str, *, due_in: timedelta = timedelta(0), max_attempts: int = 4) -> Step:
    """Write down a step to be done, inside the transaction that makes it necessary: the insert is the outbox."""
    return Step.objects.create(line=line, kind=kind, max_attempts=max_attempts, due_at=database_now() + due_in)


def database_now() -> datetime:
    """Return the database's clock (UTC). Workers' own clocks decide nothing."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')")
            return datetime.fromisoformat(cursor.fetchone()[0])
        cursor.execute("SELECT statement_timestamp()")
        now: datetime = cursor.fetchone()[0]
        return now


def claim(step_id: int) -> Claim | None:
    """Take a step that is due, or whose worker let its lease run out. None: it is not mine to do."""
    now, token = database_now(), uuid.uuid4()
    deadline = now + timedelta(seconds=settings.WEFTLINE["step_timeout_s"])
    took = (
        Step.objects.filter(pk=step_id, attempt__lt=F("max_attempts"))
        .filter(Q(state=StepState.PENDING, due_at__lte=Now()) | Q(state=StepState.RUNNING, lease_until__lt=Now()))
        .update(
            state=next_state(STEP_TRANSITIONS, StepState.PENDING, StepEvent.CLAIM),
            attempt=F("attempt") + 1,
            token=token,
            started_at=now,
            lease_until=min(now + _lease(), deadline),
            deadline=deadline,
            worker=f"{socket.gethostname()}:{os.getpid()}",
        )
    )
    if took != 1:
        return None
    step = Step.objects.get(pk=step_id)
    if step.token != token:
        return None
    return Claim(step.pk, step.line_id, step.kind, step.attempt, step.max_attempts, token)


def heartbeat(held: Claim) -> bool:
    """Extend the lease, never past the step's deadline. False: it is no longer mine."""
    now = database_now()
    mine = _mine(held)
    deadline = mine.values_list("deadline", flat=True).first()
    return deadline is not None and mine.update(lease_until=min(now + _lease(), deadline)) == 1


def still_mine(held: Claim) -> None:
    """Make sure that nobody else has the step before something is done that no fence guards. Raises LostLease."""
    if not _mine(held).exists():
        raise LostLease(fields={"step": held.step_id, "attempt": held.attempt})


@contextmanager
def beating(held: Claim) -> Iterator[None]:
    """Keep the lease alive from a second thread while the work goes on in this one."""
    over = threading.Event()

    def beat() -> None:
        try:
            while not over.wait(_lease().total_seconds() / 3):
                try:
                    if not heartbeat(held):
                        return
                except DatabaseError:
                    # The database may be back before the lease is over; the next beat takes a new connection.
                    log.warning("heartbeat of step %s could not reach the database", held.step_id, exc_info=True)
                    connection.close()
        finally:
            connection.close()

    thread = threading.Thread(target=beat, name=f"heartbeat-{held.step_id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def complete(held: Claim, settle: Callable[[], Any]) -> None:
    """Close the step and write its results in one transaction; `settle` writes them and opens the next step.

    Raises LostLease, and nothing is written, when another worker has taken the step meanwhile.
    """
    with transaction.atomic():
        lock_line(held.line_id)
        pass_fence(held, StepEvent.COMPLETE)
        settle()


def keep(held: Claim, write: Callable[[], Any]) -> None:
    """Write a part of a step's results while it goes on, in one transaction behind the fence; the step stays open.

    A repeat of the step has to go on from what is there. Raises LostLease, and nothing is written, when another
    worker has taken the step meanwhile.
    """
    with transaction.atomic():
        lock_line(held.line_id)
        if _mine(held).update(token=held.token) != 1:
            raise LostLease(fields={"step": held.step_id, "attempt": held.attempt})
        write()


def lock_line(line_id: int) -> None:
    """Write the line's row before its steps': everybody takes them in this order, so that nobody waits in a circle,
    and whoever cancels a line sees every step that was opened for it."""
    OrderLine.objects.filter(pk=line_id).update(version=F("version"))


def pass_fence(held: Claim, event: StepEvent, **values: Any) -> None:
    """Move the step on if the token is still the newest. Raises LostLease otherwise."""
    moved = _mine(held).update(
        state=next_state(STEP_TRANSITIONS, StepState.RUNNING, event), **{"ended_at": Now(), **values}
    )
    if moved != 1:
        raise LostLease(fields={"step": held.step_id, "attempt": held.attempt})


def fail(
    held: Claim,
    *,
    code: str,
    message: str,
    retryable: bool,
    exhausted: Callable[[], Any],
    patience: timedelta = timedelta(0),
) -> None:
    """Give the step back for another try, or close it and let `exhausted` block the line, in one transaction.

    `patience`: for so long after the step was opened this failure uses up no try: it is not the step's own.
    Raises LostLease when another worker has taken the step meanwhile.
    """
    young = patience and Step.objects.filter(pk=held.step_id, created_at__gt=database_now() - patience).exists()
    again = retryable and (young or held.attempt < held.max_attempts)
    with transaction.atomic():
        lock_line(held.line_id)
        if again:
            wait_s = min(BACKOFF_S * 2 ** (held.attempt - 1), BACKOFF_AT_MOST_S) * random.uniform(0.5, 1.5)
            due_at = database_now() + timedelta(seconds=wait_s)
            more = {"max_attempts": F("max_attempts") + 1} if young else {}
            pass_fence(held, StepEvent.RETRY, error_code=code, error=message, due_at=due_at, lease_until=None, **more)
        else:
            pass_fence(held, StepEvent.FAIL, error_code=code, error=message)
            exhausted()
    log.info("step %s %s try %d: %s: %s", held.step_id, held.kind, held.attempt, code, message)


def drop_open(line: OrderLine) -> None:
    """Close the line's open step under whoever works on it: its token opens nothing any more."""
    dropped = next_state(STEP_TRANSITIONS, StepState.RUNNING, StepEvent.DROP)
    still_open = Step.objects.filter(line=line, state__in=[StepState.PENDING, StepState.RUNNING])
    still_open.update(state=dropped, ended_at=Now())


def hasten(step_id: int) -> bool:
    """Let a step that waits for its next try be due now; False when it does not wait."""
    return Step.objects.filter(pk=step_id, state=StepState.PENDING).update(due_at=Now()) == 1


def drop_waiting(line: OrderLine, kind: str) -> bool:
    """Close the line's step of that kind if nobody works on it; False where there is none such."""
    dropped = next_state(STEP_TRANSITIONS, StepState.PENDING, StepEvent.DROP)
    waiting = Step.objects.filter(line=line, kind=kind, state=StepState.PENDING)
    return waiting.update(state=dropped, ended_at=Now()) == 1


def due(*, exclude_kinds: Collection[str] = ()) -> list[int]:
    """Return the ids of the steps that a worker may claim now, oldest first."""
    ready = Q(state=StepState.PENDING, due_at__lte=Now()) | Q(state=StepState.RUNNING, lease_until__lt=Now())
    claimable = Step.objects.filter(ready, attempt__lt=F("max_attempts")).exclude(kind__in=exclude_kinds)
    return list(claimable.order_by("due_at").values_list("pk", flat=True))


def wake(shop_id: int, codes: Iterable[str]) -> int:
    """Let a shop's steps that wait after an error of these codes be tried now; returns how many."""
    waiting = Step.objects.filter(line__order__shop=shop_id, state=StepState.PENDING, error_code__in=list(codes))
    return waiting.filter(due_at__gt=Now()).update(due_at=Now())


def sweep(exhausted: Callable[[Step], Any]) -> int:
    """Close the steps whose last try died with its worker, and return how many; `exhausted` blocks their lines."""
    dead = Step.objects.filter(state=StepState.RUNNING, lease_until__lt=Now(), attempt__gte=F("max_attempts"))
    closed = 0
    for step in dead.select_related("line__order__shop"):
        with transaction.atomic():
            lock_line(step.line_id)
            taken = dead.filter(pk=step.pk, token=step.token).update(
                state=next_state(STEP_TRANSITIONS, StepState.RUNNING, StepEvent.FAIL),
                error_code="worker_died",
                ended_at=Now(),
            )
            if taken == 1:
                exhausted(step)
                closed += 1
    return closed


def _mine(held: Claim) -> QuerySet[Step]:
    """The step as long as the claim on it is the newest: it can be written through this, or nothing is."""
    return Step.objects.filter(pk=held.step_id, token=held.token, state=StepState.RUNNING)


def _lease() -> timedelta:
    return timedelta(seconds=settings.WEFTLINE["lease_s"])
