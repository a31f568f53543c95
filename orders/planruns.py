"""Plans that somebody asked for: written down, worked on by one worker at a time, any-time, cancellable.

The same discipline as the step ledger's (orders/steps.py), for what belongs to a shop and to no line: a filtered UPDATE
claims, its token is the fence, a heartbeat keeps the lease, and what a dead worker left is taken up again.
"""

import logging
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from inventory_sync.errors import ErpError
from orders import planning, steps, tasks, timetable, work
from orders.errors import OrderError, Unexpected, UnknownPlan
from orders.models import PlanRun, Shop
from production import plans
from production.errors import ProductionError
from production.models import PlanVersion
from production.planning.errors import InvalidChange
from production.planning.plan import Plan
from production.planning.problem import Problem, Weights
from production.planning.replan import replan
from production.planning.solve import solve
from production.planning.whatif import branch, compare_branches

log = logging.getLogger(__name__)

TRIES: Final = 3
LEASE: Final = timedelta(minutes=3)  # the first search after an installation compiles for more than a minute
LOOK_EVERY_S: Final = 0.5  # how often a search looks whether somebody has seen enough
SECONDS: Final = 10.0
GOING_ON: Final = (PlanRun.State.ASKED, PlanRun.State.RUNNING)
HAPPENS: Final = ("breakdown", "booked", "late", "rush")  # changes that a plan answers to


@dataclass
class Watch:
    """A run as its worker sees it: keeps the lease, notes the best so far, hears of a cancellation."""

    run_id: int
    token: uuid.UUID
    looked: float = field(default_factory=time.monotonic)
    over: bool = False
    thread: int = field(default_factory=threading.get_ident)

    def cancelled(self) -> bool:
        """True when somebody has seen enough, or when the run is another worker's by now.

        Only the worker's own thread looks: another's connection to the database would be closed by nobody.
        """
        mine = threading.get_ident() == self.thread
        if mine and not self.over and time.monotonic() - self.looked >= LOOK_EVERY_S:
            self.looked = time.monotonic()
            run = PlanRun.objects.filter(pk=self.run_id, token=self.token, state=PlanRun.State.RUNNING)
            kept = run.update(lease_until=steps.database_now() + LEASE)
            self.over = not kept or run.filter(cancel=True).exists()
        return self.over

    def better(self, plan: Plan) -> None:
        """Note what the best plan so far comes to."""
        PlanRun.objects.filter(pk=self.run_id, token=self.token).update(best=plans.figures_written(plan.figures))


def ask(shop: Shop, kind: PlanRun.Kind, asked: dict[str, Any], *, by: User | None) -> PlanRun:
    """Write down that a plan is wanted, and ring for it. Raises InvalidChange for a change that can't be meant.

    The same that the same person asks for once more while it is still looked for is one run: pressed twice, or gone
    back to and pressed again. Once it has ended it is another question: things stand otherwise by then.
    """
    branches = asked.get("branches") or ({"": asked["changes"]} if "changes" in asked else {})
    if branches:
        problem = timetable.schedule_of(shop, moving=True).problem
        for name, changes in branches.items():
            _branch(problem, changes, name=name, answers=kind == PlanRun.Kind.REPLAN)
    with transaction.atomic():
        Shop.objects.select_for_update().get(pk=shop.pk)  # of two presses at once the second sees the first
        going_on = PlanRun.objects.filter(shop=shop, kind=kind, by=by, cancel=False, state__in=GOING_ON)
        same = next((run for run in going_on if run.asked == work.plain(asked)), None) if by is not None else None
        if same is not None:
            return same
        run = PlanRun.objects.create(shop=shop, kind=kind, asked=asked, by=by)
        tasks.ring_plan(run.pk)
    return run


def cancel(run: PlanRun) -> PlanRun:
    """Have a run end with the best it has found; one that nobody has begun ends with nothing."""
    untouched = PlanRun.objects.filter(pk=run.pk, state=PlanRun.State.ASKED)
    if not untouched.update(state=PlanRun.State.CANCELLED, cancel=True, ended_at=timezone.now()):
        PlanRun.objects.filter(pk=run.pk, state=PlanRun.State.RUNNING).update(cancel=True)
    run.refresh_from_db()
    return run


def answer(run_id: int) -> bool:
    """Work on a run if it is there to be worked on; False when it is not. This is what the queue calls."""
    now, token = steps.database_now(), uuid.uuid4()
    free = Q(state=PlanRun.State.ASKED) | Q(state=PlanRun.State.RUNNING, lease_until__lt=now)
    took = PlanRun.objects.filter(free, pk=run_id, tries__lt=TRIES).update(
        state=PlanRun.State.RUNNING, token=token, tries=F("tries") + 1, lease_until=now + LEASE
    )
    if took != 1:
        return False
    run = PlanRun.objects.select_related("shop", "by").get(pk=run_id)
    watch = Watch(run.pk, token)
    try:
        result = _work(run, watch)
    except (OrderError, ProductionError, ErpError) as error:
        _end(watch, PlanRun.State.FAILED, error=_written(error))
    except Exception as error:
        # As in flow.run_step: the run must say that it is over, whatever happened.
        log.exception("plan run %s", run_id)
        _end(watch, PlanRun.State.FAILED, error=_written(Unexpected(f"{Unexpected.__doc__} ({type(error).__name__})")))
    else:
        cancelled = PlanRun.objects.filter(pk=run_id, cancel=True).exists()
        _end(watch, PlanRun.State.CANCELLED if cancelled else PlanRun.State.DONE, result=result)
    return True


def sweep() -> int:
    """Ring for every run that nobody works on, and end those whose every worker died; returns how many rang."""
    now = steps.database_now()
    lost = PlanRun.objects.filter(state=PlanRun.State.RUNNING, lease_until__lt=now)
    error = {"code": "worker_died", "message": "Every worker that took this plan died. Ask for it again.", "fields": {}}
    lost.filter(tries__gte=TRIES).update(state=PlanRun.State.FAILED, error=error, ended_at=timezone.now())
    waiting = PlanRun.objects.filter(Q(state=PlanRun.State.ASKED) | Q(pk__in=lost.values("pk")))
    ids = list(waiting.order_by("pk").values_list("pk", flat=True))
    # As many bells as there are runs: a queue that nobody empties must not fill up.
    lacking = ids[: max(0, len(ids) - tasks.waiting())]
    for run_id in lacking:
        tasks.ring_plan(run_id)
    return len(lacking)


def due() -> list[int]:
    """The runs that a worker may take now, oldest first."""
    return list(PlanRun.objects.filter(state=PlanRun.State.ASKED).order_by("pk").values_list("pk", flat=True))


def run_named(shop: Shop, number: int) -> PlanRun:
    """A run of a shop. Raises UnknownPlan."""
    run = PlanRun.objects.filter(shop=shop, pk=number).first()
    if run is None:
        raise UnknownPlan(f"There is no planning run {number}.", fields={"run": number})
    return run


# ------------------------------------------------------------------------------------------------ work


def improve(
    shop: Shop,
    *,
    seconds: float = SECONDS,
    seed: int = 0,
    weights: Weights = timetable.USUAL,
    by: str = "",
    reason: str = "Planned anew",
    watch: Watch | None = None,
    **search: Any,
) -> PlanVersion:
    """Look for a better plan of everything that can be moved, and keep it as a version; nothing is published.

    `search`: effort, chains, as of planning.solve. Raises InvalidProblem, NoSlot, ErpError.
    """
    schedule = planning.to_plan(shop, weights=weights)
    plan = solve(
        schedule.problem,
        seconds=seconds,
        seed=seed,
        start=schedule.assignments,
        cancelled=watch.cancelled if watch else None,
        on_better=watch.better if watch else None,
        **search,
    )
    return planning.keep(shop, schedule, plan, reason=reason, by=by)


def _work(run: PlanRun, watch: Watch) -> dict[str, Any]:
    asked, by = run.asked, run.by.get_username() if run.by else ""
    options = {"seconds": float(asked.get("seconds", SECONDS)), "seed": int(asked.get("seed", 0))}
    weights = replace(Weights(), **asked.get("weights", {}))
    if run.kind == PlanRun.Kind.PLAN:
        return {"plan": improve(run.shop, **options, weights=weights, by=by, watch=watch).number}
    work: Callable[..., dict[str, Any]] = _replan if run.kind == PlanRun.Kind.REPLAN else _what_if
    return work(run, watch, by=by, weights=weights, **options)


def _replan(run: PlanRun, watch: Watch, *, by: str, weights: Weights, seconds: float, seed: int) -> dict[str, Any]:
    """Keep every answer to what has happened as a version, the best first; a planner publishes one of them."""
    changes = run.asked["changes"]
    schedule = planning.to_plan(run.shop, weights=weights)
    problem = _branch(schedule.problem, changes, answers=True)
    found = replan(problem, schedule.assignments, seconds=seconds, seed=seed, cancelled=watch.cancelled)
    answers = []
    for each in found.candidates:
        version = planning.keep(
            run.shop, schedule, each.plan, reason=_said(changes), by=by, problem=found.problem, changes=changes
        )
        answers.append({"plan": version.number, "by": each.by, "sentence": version.difference["sentence"],
                        "figures": version.figures})  # fmt: skip
    return {"plan": answers[0]["plan"], "answers": answers}


def _what_if(run: PlanRun, watch: Watch, *, by: str, weights: Weights, seconds: float, seed: int) -> dict[str, Any]:
    """Lay branches of the plan side by side; nothing is kept."""
    schedule = planning.to_plan(run.shop, weights=weights)
    found = compare_branches(
        schedule.problem,
        schedule.assignments,
        run.asked["branches"],
        seconds=seconds,
        seed=seed,
        cancelled=watch.cancelled,
    )
    return {
        "planned": plans.figures_written(found.planned),
        "branches": work.plain(found.rows()),
        "without_plan": dict(found.without_plan),
    }


def _branch(problem: Problem, changes: Sequence[dict[str, Any]], *, name: str = "", answers: bool = False) -> Problem:
    """The problem after changes. Raises InvalidChange, also for one that nothing but a comparison can be made of."""
    for number, change in enumerate(changes, 1):
        kind = change.get("change")
        if answers and kind not in HAPPENS:
            raise InvalidChange(
                f"Change {number} is {kind!r}: what can happen is {', '.join(HAPPENS)}; compare the others.",
                fields={"change": str(kind), "number": number, "field": "change"},
            )
    try:
        return branch(problem, changes)
    except InvalidChange as error:
        about = {"field": "changes", **error.fields, **({"branch": name} if name else {})}
        raise InvalidChange(f"{name}: {error}" if name else str(error), fields=about) from error


def _said(changes: Sequence[dict[str, Any]]) -> str:
    """Why a plan was made, in words."""
    said = {"breakdown": "{machine} is down", "booked": "{machine} is booked", "late": "late delivery",
            "rush": "{job} is in a hurry"}  # fmt: skip
    return ", ".join(said[change["change"]].format_map(change) for change in changes)[:200]


def _end(watch: Watch, state: PlanRun.State, **values: Any) -> None:
    """Close a run, if it is still this worker's."""
    mine = PlanRun.objects.filter(pk=watch.run_id, token=watch.token, state=PlanRun.State.RUNNING)
    mine.update(state=state, ended_at=timezone.now(), lease_until=None, **values)


def _written(error: Any) -> dict[str, Any]:
    return {"code": error.code, "message": str(error), "fields": work.plain(error.fields)}
