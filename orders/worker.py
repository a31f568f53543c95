"""Working in this process: a command that waits for its own order does its steps itself, through the same ledger.

Other workers may take any of them; the ledger gives each step to one. So an order can be run with no worker about.
"""

import time
from collections.abc import Callable, Sequence

from django.conf import settings
from django.db.models.functions import Now

from orders import flow
from orders.domain.states import LineState, StepState
from orders.models import OrderLine, Step

AT_REST = frozenset(
    {
        LineState.DRAFT,
        LineState.PROOFING,
        LineState.BLOCKED,
        LineState.RELEASED,
        LineState.IN_PRODUCTION,
        LineState.INSPECTING,
        LineState.DONE,
        LineState.CANCELLED,
    }
)
POLL_S = 0.2


def run_until_rest(
    lines: Sequence[OrderLine], *, on_look: Callable[[list[OrderLine]], None] = lambda lines: None
) -> None:
    """Work until every line waits for a person or is released; `on_look` sees the lines after each step.

    What is due for a line at rest is done too (the quote); what has to be tried again later is not waited for.
    """
    ids, idle_since = [line.pk for line in lines], time.monotonic()
    while True:
        fresh = list(OrderLine.objects.filter(pk__in=ids).select_related("order").order_by("pk"))
        on_look(fresh)
        if any(flow.run_step(step_id) for step_id in _due(ids)):
            idle_since = time.monotonic()
        elif all(LineState(line.state) in AT_REST for line in fresh):
            return
        elif time.monotonic() - idle_since > settings.WEFTLINE["sweep_every_s"]:
            flow.sweep()
            idle_since = time.monotonic()
        else:
            time.sleep(POLL_S)


def _due(line_ids: Sequence[int]) -> list[int]:
    open_now = [StepState.PENDING, StepState.RUNNING]
    waiting = Step.objects.filter(line__in=line_ids, state__in=open_now, due_at__lte=Now())
    return list(waiting.order_by("pk").values_list("pk", flat=True))
