"""THE STORY: which step of work each state of a line opens, what the step does, and where its outcome leads.

A step's function does the slow work, which is safe to repeat at any point, and returns `settle`: what to write, in the
one transaction that also passes the fence (orders/steps.py). Killed anywhere, it runs again and nothing is there twice.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth.models import User
from django.db.models import F
from django.utils import timezone

from generation.errors import GenerationError
from inventory_sync import services as inventory
from inventory_sync.errors import ErpError
from orders import audit, steps, tasks, work
from orders.domain.states import LineEvent, LineState, next_line_state
from orders.errors import LostLease, NothingPasses, OrderError, StaleState, Unexpected, WorkerDied
from orders.models import OrderLine, Round, Step
from production.errors import ProductionError

log = logging.getLogger(__name__)

# A round is drawn again, with fresh seeds for what did not pass, at most this often.
BATCHES = 3

# Entering a state opens its first step.
OPENS = {
    LineState.GENERATING: "draw",
    LineState.PLANNING: "plan",
    LineState.RELEASING: "release",
    LineState.SYNCING: "sync",
    LineState.CANCELLING: "cancel",
}

# What a person may have to wait for an outside system longer than a worker's few tries.
TRIES = {"sync": 12, "cancel": 12, "plan": 8}

ProductErrors = (OrderError, GenerationError, ProductionError, ErpError)
Settle = Callable[[], Any]


def draw(line: OrderLine) -> Settle:
    """Draw the candidates that the newest brief still lacks."""
    drawn = work.draw(line)

    def settle() -> None:
        work.keep_drawn(line, drawn)
        _open(line, "check")

    return settle


def check(line: OrderLine) -> Settle:
    """Check, measure, price and promise what was drawn; draw again what can't be made, or ask a person."""
    checked = work.check(line)

    def settle() -> None:
        work.keep_checked(checked)
        brief = line.newest_round
        passed = brief.candidates.filter(passed=True).count()
        if passed < work.wanted() and brief.batch < BATCHES:
            Round.objects.filter(pk=brief.pk).update(batch=F("batch") + 1)
            _open(line, "draw")
        elif passed:
            move(line, LineEvent.OK, details={"passed": passed, "drawn": brief.candidates.count()})
        else:
            block(line, NothingPasses(fields={"findings": work.worst_findings(brief)}))

    return settle


def plan(line: OrderLine) -> Settle:
    """Plan the approved candidate with fresh stock and bookings, and hold its fabric, inks and machine time."""
    plan = work.plan(line)

    def settle() -> None:
        OrderLine.objects.filter(pk=line.pk).update(plan=plan)
        move(line, LineEvent.OK, details={"lot": plan["lot"], "promise": plan["promise"]})

    return settle


def release(line: OrderLine) -> Settle:
    """Write the machine files, the ticket and the costing; verify them by other code; number the ticket."""
    made = work.release(line)

    def settle() -> None:
        ticket = work.keep_released(line, made)
        move(line, LineEvent.OK, details={"ticket": str(ticket), "files": {f.path.name: f.sha256 for f in made.files}})

    return settle


def sync(line: OrderLine) -> Settle:
    """Tell the ERP: one manufacturing order with its components, work orders and documents, confirmed."""
    remote = work.sync(line)
    return lambda: move(line, LineEvent.OK, details={"manufacturing_order": remote})


def cancel(line: OrderLine) -> Settle:
    """Cancel the line's record in the ERP and give back what was held."""
    work.give_back(line)
    return lambda: move(line, LineEvent.OK)


STEPS: dict[str, Callable[[OrderLine], Settle]] = {
    "draw": draw,
    "check": check,
    "plan": plan,
    "release": release,
    "sync": sync,
    "cancel": cancel,
}


def move(
    line: OrderLine, event: LineEvent, *, by: User | None = None, details: dict[str, Any] | None = None, **values: Any
) -> OrderLine:
    """Move a line on, inside the caller's transaction: compare-and-set, audit event, the next state's first step.

    Returns the line as it now is. Raises StaleState when the line is no longer what the caller saw, and
    IllegalTransition when that can't happen in this state.
    """
    old = LineState(line.state)
    new = next_line_state(old, event, came_from=LineState(line.came_from) if line.came_from else None)
    values = {"state": new, "came_from": "", "blocked": None, "progress": "", "version": F("version") + 1, **values}
    if OrderLine.objects.filter(pk=line.pk, state=old, version=line.version).update(**values) != 1:
        raise StaleState(fields={"line": line.reference, "seen": old.value, "version": line.version})
    fresh = OrderLine.objects.select_related("order__shop").get(pk=line.pk)
    audit.record(
        fresh.order.shop, event.value, actor=by, line=fresh, from_state=old.value, to_state=new.value, details=details
    )
    if event is LineEvent.CANCEL:
        steps.drop_open(fresh)
    if new in OPENS:
        _open(fresh, OPENS[new])
    return fresh


def block(line: OrderLine, error: Exception) -> OrderLine:
    """Stop a line for a person, with the reason in words; it can be resumed, revised or cancelled."""
    fields = getattr(error, "fields", {})
    reason = {
        "code": getattr(error, "code", Unexpected.code),
        "sentence": str(error),
        "findings": fields.get("findings", []),
        "fields": work.plain({key: value for key, value in fields.items() if key != "findings"}),
    }
    details = {"code": reason["code"], "sentence": reason["sentence"]}
    return move(line, LineEvent.BLOCK, blocked=reason, came_from=line.state, details=details)


def run_step(step_id: int) -> bool:
    """Work on one step if it is there to be worked on; False when it is not. This is what the doorbell calls."""
    held = steps.claim(step_id)
    if held is None:
        return False
    line = OrderLine.objects.select_related("order__shop", "order__customer").get(pk=held.line_id)
    try:
        with steps.beating(held):
            settle = STEPS[held.kind](line)
        steps.complete(held, settle)
    except LostLease as lost:
        log.warning("step %s %s of %s: %s", held.step_id, held.kind, line.reference, lost)
        work.give_back_if_cancelled(line)
    except ProductErrors as error:
        _failed(held, line, error)
    except Exception as error:
        # The one place where the unforeseen is caught: the ledger must know that this try is over.
        log.exception("step %s %s of %s", held.step_id, held.kind, line.reference)
        unexpected = Unexpected(f"{Unexpected.__doc__} ({type(error).__name__})")
        _failed(held, line, unexpected)
    return True


def sweep() -> int:
    """Block the lines whose worker died on the last try, free what quotes held too long, ring for every due step.

    Returns how many rang.
    """
    steps.sweep(lambda step: block(step.line, WorkerDied(fields={"step": step.kind, "tries": step.attempt})))
    inventory.release_expired(timezone.now())
    due = steps.due()
    for step_id in due:
        tasks.ring(step_id)
    return len(due)


@contextmanager
def naming_field(prefix: str) -> Iterator[None]:
    """Put where in the order it was into whatever is refused inside: a prefix ending in a dot, or the whole name."""
    try:
        yield
    except ProductErrors as error:
        field = error.fields.get("field", "")
        error.fields["field"] = f"{prefix}{field}" if prefix.endswith(".") else prefix
        raise


def _failed(held: steps.Claim, line: OrderLine, error: Any) -> None:
    try:
        steps.fail(
            held,
            code=error.code,
            message=str(error),
            retryable=error.retryable,
            exhausted=lambda: block(line, error),
        )
    except LostLease as lost:
        log.warning("step %s %s of %s: %s", held.step_id, held.kind, line.reference, lost)


def _open(line: OrderLine, kind: str) -> Step:
    step = steps.open_step(line, kind, max_attempts=TRIES.get(kind, 4))
    tasks.ring(step.pk)
    return step
