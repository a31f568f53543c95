"""The doorbell: the only file that knows django-q2. A message carries one step id and proves nothing."""

from functools import partial

from django.db import transaction
from django_q.brokers import get_broker
from django_q.tasks import async_task


def ring(step_id: int) -> None:
    """Tell the workers, once the transaction is in, that a step is there to be looked at."""
    # robust: a bell that can't ring must not fail a request whose transaction is in; the sweep rings again.
    transaction.on_commit(partial(_push, step_id), robust=True)


def ring_plan(run_id: int) -> None:
    """The same for a plan that somebody asked for."""
    transaction.on_commit(partial(_push_plan, run_id), robust=True)


def waiting() -> int:
    """Return how many bells lie in the queue that no worker has answered yet."""
    return int(get_broker().queue_size())


def _push(step_id: int) -> None:
    async_task("orders.flow.answer_bell", step_id, q_options={"save": False})


def _push_plan(run_id: int) -> None:
    async_task("orders.planruns.answer", run_id, q_options={"save": False})
