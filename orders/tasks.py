"""The doorbell: the only file that knows django-q2. A message carries one step id and proves nothing."""

from functools import partial

from django.db import transaction
from django_q.tasks import async_task


def ring(step_id: int) -> None:
    """Tell the workers, once the transaction is in, that a step is there to be looked at."""
    transaction.on_commit(partial(_push, step_id))


def _push(step_id: int) -> None:
    async_task("orders.flow.run_step", step_id, q_options={"save": False})
