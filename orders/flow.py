"""THE STORY: which step of work each state of a line opens, what the step does, and where its outcome leads.

A step's function does the slow work, which is safe to repeat at any point, and returns `settle`: what to write, in the
one transaction that also passes the fence (orders/steps.py). Killed anywhere, it runs again and nothing is there twice.
"""

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from generation.errors import GenerationError
from inventory_sync import services as inventory
from inventory_sync.errors import ErpError, ErpUnavailable
from orders import accounting, audit, looking, planning, planruns, recording, reprinting, steps, tasks, work
from orders.domain.states import LineEvent, LineState, StepState, next_line_state
from orders.errors import (
    HoldChanged,
    IllegalTransition,
    LostLease,
    NothingPasses,
    OrderError,
    StaleState,
    Unexpected,
    WorkerDied,
)
from orders.models import OrderLine, Round, Step
from production.errors import ProductionError

log = logging.getLogger(__name__)

# A round is drawn again, with fresh seeds for what did not pass, at most this often.
BATCHES = 3

# Entering a state opens its first step.
OPENS = {
    LineState.GENERATING: "draw",
    LineState.PROOFING: "quote",
    LineState.PLANNING: "plan",
    LineState.RELEASING: "release",
    LineState.SYNCING: "sync",
    LineState.CANCELLING: "cancel",
}

# The states in which a step of each kind has anything to do.
BELONGS = {
    **{kind: {state} for state, kind in OPENS.items()},
    "check": {LineState.GENERATING},
    "cancel": {LineState.CANCELLING, LineState.CANCELLED},
    "reschedule": {LineState.RELEASED, LineState.IN_PRODUCTION, LineState.INSPECTING},
    "report": {LineState.IN_PRODUCTION, LineState.INSPECTING, LineState.DONE},
    "inspect": {LineState.INSPECTING, LineState.DONE},  # of cloth that was passed by eye meanwhile nothing is kept
}

# What a person may have to wait for an outside system longer than a worker's few tries.
TRIES = {"check": 8, "quote": 12, "plan": 8, "sync": 12, "cancel": 12, "reschedule": planning.TRIES, "report": 12}

# An ERP that is away is no fault of the order's: so long a step waits for it without using up its tries.
PATIENCE = timedelta(hours=24)

# Nobody waits for these: when all their tries are over the line stays where it is, and that is written down.
UNHURRIED = frozenset({"quote", "reschedule", "report", "inspect"})

# These take minutes, and a person may be waiting for another line's step of a second.
SLOW = ("draw", "inspect")

# With these a person moves a line on, whatever step is still open for it.
OVERTAKING = frozenset({LineEvent.APPROVE, LineEvent.REVISE, LineEvent.CHANGE, LineEvent.CANCEL, LineEvent.FAIL})

ProductErrors = (OrderError, GenerationError, ProductionError, ErpError)
Settle = Callable[[], Any]


def draw(line: OrderLine, held: steps.Claim) -> Settle:
    """Draw the candidates that the newest brief still lacks; whatever an earlier approval held is given back.

    Each is kept as soon as it is drawn, behind the fence, so that people see the first before the rest is done; a
    repeat of the step draws what is missing.
    """
    steps.still_mine(held)
    recording.give_back(line)
    for drawn in work.draw(line):
        steps.keep(held, partial(work.keep_drawn, line, drawn))
    return lambda: open_for(line, "check")


def check(line: OrderLine, held: steps.Claim) -> Settle:
    """Check, measure, price and promise what was drawn; draw again what can't be made, or ask a person."""
    checked = work.check(line)

    def settle() -> None:
        work.keep_checked(checked)
        brief = line.newest_round
        passed = brief.candidates.filter(passed=True).count()
        if passed < work.wanted(brief) and brief.batch < BATCHES and not work.has_one_answer(brief):
            Round.objects.filter(pk=brief.pk).update(batch=F("batch") + 1)
            open_for(line, "draw")
        elif passed:
            move(line, LineEvent.OK, details={"passed": passed, "drawn": brief.candidates.count()})
        else:
            block(line, NothingPasses(fields={"findings": work.worst_findings(brief)}))

    return settle


def quote(line: OrderLine, held: steps.Claim) -> Settle:
    """Tell the ERP what is offered; the customer chooses meanwhile, and need not wait for it."""
    steps.still_mine(held)
    recording.quote(line)
    return lambda: None


def plan(line: OrderLine, held: steps.Claim) -> Settle:
    """Plan the approved candidate with fresh stock and bookings, and hold its fabric, inks and machine time.

    What the shop floor said of a run that failed is told first: what that used up is used up.
    """
    told = recording.report(line)
    found = work.plan(line, fence=held.fence)
    plan = found.plan

    def settle() -> None:
        accounting.keep(line, told)
        OrderLine.objects.filter(pk=line.pk).update(plan=plan, quote=None)
        planning.displace(line.order.shop, found.displaced, because=line.reference)
        reprinting.tell_sales(line, plan)
        move(line, LineEvent.OK, details={"lot": plan["lot"], "promise": plan["promise"]})

    return settle


def release(line: OrderLine, held: steps.Claim) -> Settle:
    """Write the machine files, the ticket and the costing; verify them by other code; number the ticket."""
    made = work.release(line)

    def settle() -> None:
        ticket = work.keep_released(line, made)
        reprinting.charge(line, cost=made.job.cost.total, revision=made.job.revision)
        move(line, LineEvent.OK, details={"ticket": str(ticket), "files": {f.path.name: f.sha256 for f in made.files}})

    return settle


def sync(line: OrderLine, held: steps.Claim) -> Settle:
    """Tell the ERP: the sale, and one manufacturing order with its components, work orders and documents, confirmed."""
    steps.still_mine(held)
    records = recording.sync(line)
    return lambda: move(line, LineEvent.OK, details=records)


def cancel(line: OrderLine, held: steps.Claim) -> Settle:
    """Cancel the line's records in the ERP and give back what was held; also once more after a late worker."""
    recording.withdraw(line)
    return lambda: move(line, LineEvent.OK) if line.state == LineState.CANCELLING else None


def reschedule(line: OrderLine, held: steps.Claim) -> Settle:
    """Tell the ERP a line's other times; where they changed once more meanwhile, tell it again."""
    steps.still_mine(held)
    recording.reschedule(line)

    def settle() -> None:
        OrderLine.objects.filter(pk=line.pk).update(progress="")
        _tell_on(line)

    return settle


def report(line: OrderLine, held: steps.Claim) -> Settle:
    """Tell the ERP what the shop floor reported, and what the job took by it."""
    steps.still_mine(held)
    told = recording.report(line)

    def settle() -> None:
        accounting.keep(line, told)
        _tell_on(line)

    return settle


def inspect(line: OrderLine, held: steps.Claim) -> Settle:
    """Compare the scans of the cloth with what it should be, grade it, and propose what is done with it."""
    steps.still_mine(held)
    looked = looking.look(line)

    def settle() -> None:
        looking.keep(line, looked)
        OrderLine.objects.filter(pk=line.pk).update(progress="")
        _tell_on(line)

    return settle


def look_on(line: OrderLine) -> None:
    """Let the newest scans of a line be looked at, inside the caller's transaction; what the ERP is told can wait."""
    now = OrderLine.objects.get(pk=line.pk)
    if now.state != LineState.INSPECTING or not looking.waits(now):
        return
    steps.drop_waiting(now, "report")
    if not Step.objects.filter(line=now, state__in=[StepState.PENDING, StepState.RUNNING]).exists():
        open_for(now, "inspect")


def _tell_on(line: OrderLine) -> None:
    """Go on with what has come up since a step began: scans to look at, other times, then what was reported."""
    look_on(line)
    now = OrderLine.objects.get(pk=line.pk)
    if Step.objects.filter(line=now, state__in=[StepState.PENDING, StepState.RUNNING]).exists():
        return
    if now.plan != line.plan and now.state in BELONGS["reschedule"]:
        open_for(now, "reschedule")
    elif now.state in BELONGS["report"] and now.reports.filter(told_at=None).exists():
        open_for(now, "report")


STEPS: dict[str, Callable[[OrderLine, steps.Claim], Settle]] = {
    "draw": draw,
    "check": check,
    "quote": quote,
    "plan": plan,
    "release": release,
    "sync": sync,
    "cancel": cancel,
    "reschedule": reschedule,
    "report": report,
    "inspect": inspect,
}


def move(
    line: OrderLine,
    event: LineEvent,
    *,
    by: User | str | None = None,
    details: dict[str, Any] | None = None,
    **values: Any,
) -> OrderLine:
    """Move a line on, inside the caller's transaction: compare-and-set, audit event, the next state's first step.

    `by`: a person, or the name of who is none, such as the ERP; None: the line itself.
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
    if event in OVERTAKING:
        steps.drop_open(fresh)
    if old is LineState.INSPECTING:
        looking.overtake(fresh, run=line.run)
        steps.drop_waiting(fresh, "inspect")
    if new in OPENS:
        open_for(fresh, OPENS[new])
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
    # What was held has changed: going on means planning anew, not trying the same again.
    came_from = LineState.PLANNING if isinstance(error, HoldChanged) else line.state
    return move(line, LineEvent.BLOCK, blocked=reason, came_from=came_from, details=details)


def run_step(step_id: int) -> bool:
    """Work on one step if it is there to be worked on; False when it is not."""
    held = steps.claim(step_id)
    if held is None:
        return False
    line = OrderLine.objects.select_related("order__shop", "order__customer").get(pk=held.line_id)
    if line.state not in BELONGS[held.kind]:
        log.error("step %s %s has nothing to do for %s, which is %s", step_id, held.kind, line.reference, line.state)
        steps.drop_open(line)
        return True
    try:
        with steps.beating(held):
            settle = STEPS[held.kind](line, held)
        steps.complete(held, settle)
    except LostLease as lost:
        _lost(held, line, lost)
    except ProductErrors as error:
        _failed(held, line, error)
    except Exception as error:
        # The one place where the unforeseen is caught: the ledger must know that this try is over.
        log.exception("step %s %s of %s", held.step_id, held.kind, line.reference)
        unexpected = Unexpected(f"{Unexpected.__doc__} ({type(error).__name__})")
        _failed(held, line, unexpected)
    return True


def answer_bell(step_id: int) -> None:
    """Look at the step that was rung for; but before anything slow is done, do what a person may be waiting for.

    This is what the queue calls. Drawing and inspecting take ten times as long as all other steps of a line together.
    """
    if Step.objects.filter(pk=step_id, kind__in=SLOW).exists():
        for wanted in planruns.due():
            planruns.answer(wanted)
        for quicker in steps.due(exclude_kinds=SLOW):
            run_step(quicker)
    run_step(step_id)


def sweep() -> int:
    """Block the lines whose worker died on the last try, free what quotes held too long, ring for every due step.

    Returns how many rang.
    """
    steps.sweep(_worker_died)
    inventory.release_expired(timezone.now())
    planruns.sweep()
    due = steps.due()
    # As many bells as there are steps due: a queue that nobody empties must not fill up.
    lacking = due[: max(0, len(due) - tasks.waiting())]
    for step_id in lacking:
        tasks.ring(step_id)
    return len(lacking)


def _failed(held: steps.Claim, line: OrderLine, error: Any) -> None:
    try:
        steps.fail(
            held,
            code=error.code,
            message=str(error),
            retryable=error.retryable,
            exhausted=lambda: _give_up(line, held.kind, error),
            patience=PATIENCE if isinstance(error, ErpUnavailable) else timedelta(0),
        )
    except LostLease as lost:
        _lost(held, line, lost)


def _lost(held: steps.Claim, line: OrderLine, lost: LostLease) -> None:
    """Undo what a worker did for a line that was cancelled while it worked: it lost its lease, not its effect."""
    log.warning("step %s %s of %s: %s", held.step_id, held.kind, line.reference, lost)
    with transaction.atomic():
        steps.lock_line(line.pk)
        fresh = OrderLine.objects.select_related("order__shop").get(pk=line.pk)
        if fresh.state in BELONGS["cancel"]:
            steps.drop_open(fresh)
            open_for(fresh, "cancel")


def _give_up(line: OrderLine, kind: str, error: Any) -> None:
    """Let a person decide after a step's last try; where nobody waits for it, only write down that it was not done."""
    if kind not in UNHURRIED:
        block(line, error)
        return
    details = {"code": error.code, "sentence": str(error)}
    audit.record(line.order.shop, f"no {kind}", actor=None, line=line, to_state=line.state, details=details)
    if kind == "inspect":
        looking.give_up(line, error)
    look_on(line)


def _worker_died(step: Step) -> None:
    """Block the line of a step whose every worker died; one sick line must not keep the sweep from the others."""
    try:
        _give_up(step.line, step.kind, WorkerDied(fields={"step": step.kind, "tries": step.attempt}))
    except (StaleState, IllegalTransition):
        log.exception("step %s %s of %s ended under a line that moved on", step.pk, step.kind, step.line.reference)


def open_for(line: OrderLine, kind: str) -> Step:
    """Write down a line's next step, inside the caller's transaction, and ring for it once that is in."""
    step = steps.open_step(line, kind, max_attempts=TRIES.get(kind, 4))
    tasks.ring(step.pk)
    return step
