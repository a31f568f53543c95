"""What the planner's board shows: machines with their hours, all that stands on them, and what waits for a place.

Where things stand is read as a planner may move it (orders/timetable.py); moves are judged in orders/byhand.py.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.contrib.auth.models import User
from django.utils import timezone

from inventory_sync import words
from orders import byhand, services, timetable
from orders.domain.states import LineState
from orders.errors import DraftRefused
from orders.models import OrderLine, Shop
from orders.timetable import Schedule
from production import catalogue, plans
from production.eligibility import why_not
from production.planning.clock import clock
from production.planning.explain import Chain, why, why_late
from production.planning.openings import Span, minute_after, minute_before
from production.planning.problem import Assignment, Job, Operation, Problem

KINDS: Final = ("loom", "printer", "finishing", "cutting", "design", "gpu")  # in the order of the rows
NO_PLACE: Final = ("no_slot", "hold_changed", "not_yet_in_stock", "slot_taken")  # why a line is stopped without times
SOON: Final = timedelta(hours=24)  # before a quote expires it is among what waits


@dataclass(frozen=True)
class Row:
    """A machine on the board."""

    code: str
    name: str
    kind: str
    open: tuple[Span, ...]
    down: tuple[tuple[int, int, str], ...]  # breakdowns: from, until, why
    taken: tuple[tuple[int, int, str], ...]  # what others have booked there


@dataclass(frozen=True)
class Bar:
    """An operation at its place. `late_min` is its order's; `kept` why nobody can move it: kind and sentence."""

    operation: str
    job: str
    name: str
    machine: str
    start: int
    end: int
    changeover: int
    machines: Mapping[str, int]  # minutes on each that can do it
    kept: tuple[str, str] = ("", "")
    pinned: bool = False


@dataclass(frozen=True)
class Work:
    """An order line on the board, by what its bars are coloured."""

    job: str
    customer: str
    cloth: str
    inks: str
    metres: str
    state: str
    priority: int
    due: int | None
    late_min: int  # below 0: early


@dataclass(frozen=True)
class Waiting:
    """Something that has no place, or will lose it. `kind`: late, blocked, planning or quote."""

    kind: str
    job: str
    customer: str
    sentence: str
    operation: str = ""  # that can be put somewhere by hand
    minutes: Mapping[str, int] | None = None


@dataclass(frozen=True)
class Board:
    """All of it. `base` changes with everything that holds; `plan` is the number of the plan that does."""

    base: str
    plan: int
    problem: Problem
    rows: tuple[Row, ...]
    bars: tuple[Bar, ...]
    works: tuple[Work, ...]
    waiting: tuple[Waiting, ...]


def look(shop: Shop) -> Board:
    """The board as things stand now, some seconds old at most. Raises ErpError."""
    schedule, stamp = timetable.movable_of(shop)
    bars = bars_of(schedule, schedule.assignments)
    return Board(
        base=_base(stamp),
        plan=plans.published(shop.slug),
        problem=schedule.problem,
        rows=_rows(shop, schedule),
        bars=bars,
        works=_works(shop, schedule),
        waiting=_waiting(shop, schedule),
    )


def stands(shop: Shop) -> tuple[str, int, int]:
    """What `look` says first: its base, the plan that holds, and now. Raises ErpError."""
    schedule, stamp = timetable.movable_of(shop)
    return _base(stamp), plans.published(shop.slug), schedule.problem.start


def _base(stamp: object) -> str:
    return hashlib.sha256(repr(stamp).encode()).hexdigest()[:12]


def base_of(shop: Shop) -> tuple[Schedule, str]:
    """What a draft is judged against, and its name."""
    schedule, stamp = timetable.movable_of(shop)
    return schedule, _base(stamp)


def bars_of(schedule: Schedule, assignments: Iterable[Assignment]) -> tuple[Bar, ...]:
    """What stands on the machines, in the order of the problem."""
    fixed, pinned = byhand.kept(schedule), byhand.pinned(schedule)
    operations = {one.id: one for one in schedule.problem.operations}
    return tuple(
        Bar(
            operation=one.operation,
            job=operations[one.operation].job,
            name=operations[one.operation].name,
            machine=one.machine,
            start=one.start,
            end=one.end,
            changeover=one.changeover,
            machines=operations[one.operation].minutes,
            kept=fixed.get(one.operation, ("", "")),
            pinned=one.operation in pinned,
        )
        for one in assignments
    )


def _rows(shop: Shop, schedule: Schedule) -> tuple[Row, ...]:
    down: dict[str, list[tuple[int, int, str]]] = {}
    for code, rows in plans.downtimes(shop.slug, timezone.now()).items():
        down[code] = [(minute_before(each.start), minute_after(each.end), each.reason) for each in rows]
    found = [
        Row(
            code=machine.code,
            name=machine.name or machine.code,
            kind=schedule.centres[machine.code].kind,
            open=machine.open,
            down=tuple(down.get(machine.code, ())),
            taken=tuple((each.start, each.end, each.what) for each in machine.taken),
        )
        for machine in schedule.problem.machines
    ]
    rank = {kind: number for number, kind in enumerate(KINDS)}
    return tuple(sorted(found, key=lambda row: (rank.get(row.kind, len(KINDS)), row.kind, row.code)))


def lateness(jobs: Iterable[Job], problem: Problem, assignments: Iterable[Assignment]) -> dict[str, int]:
    """By how many minutes each order is late; below 0: early."""
    job_of = {one.id: one.job for one in problem.operations}
    ends: dict[str, int] = {}
    for one in assignments:
        job = job_of[one.operation]
        ends[job] = max(ends.get(job, one.end), one.end)
    return {job.id: ends[job.id] - job.due for job in jobs if job.due is not None and job.id in ends}


def _works(shop: Shop, schedule: Schedule) -> tuple[Work, ...]:
    late = lateness(schedule.problem.jobs, schedule.problem, schedule.assignments)
    due = {job.id: job.due for job in schedule.problem.jobs}
    called = {kind_and_code.partition(":")[2]: name for kind_and_code, name in catalogue.cloths(shop.slug)}
    inks: dict[str, str] = {}
    for operation in schedule.problem.operations:
        inks.setdefault(operation.job, operation.attributes.get("ink_set") or operation.attributes.get("warp", ""))
    return tuple(
        Work(
            job=job,
            customer=line.order.customer.name,
            cloth=called.get(line.substrate or line.weave, line.substrate or line.weave),
            inks=inks.get(job, ""),
            metres=f"{line.quantity_m.normalize():f}",
            state=line.state,
            priority=line.priority,
            due=due.get(job),
            late_min=late.get(job, 0),
        )
        for job, line in schedule.lines.items()
        if job in inks
    )


# ------------------------------------------------------------------------------------------------ what waits


def _waiting(shop: Shop, schedule: Schedule) -> tuple[Waiting, ...]:
    problem, found = schedule.problem, []
    there = {one.operation for one in schedule.assignments}
    for operation in problem.operations:
        if operation.id in there:
            continue
        line = schedule.lines[operation.job]
        if operation.id in schedule.clashing:
            sentence = f"{operation.name}: somebody else has booked its time in the ERP."
        else:
            slot = (line.plan or line.quote or {})["slots"][int(operation.id.rpartition("/")[2]) - 1]
            began = clock(problem, minute_before(datetime.fromisoformat(slot["start"])))
            sentence = f"{operation.name} should have begun {began}, and nobody has reported it."
        found.append(
            Waiting("late", operation.job, line.order.customer.name, sentence, operation.id, dict(operation.minutes))
        )
    lines = OrderLine.objects.of(shop).select_related("order__customer")
    for line in lines.filter(state=LineState.BLOCKED, plan__isnull=True) | lines.filter(
        state=LineState.BLOCKED, came_from=LineState.PLANNING
    ):
        if (line.blocked or {}).get("code") in NO_PLACE:
            said = str((line.blocked or {}).get("sentence", ""))
            found.append(Waiting("blocked", line.reference, line.order.customer.name, said))
    for line in lines.filter(state=LineState.PLANNING):
        found.append(Waiting("planning", line.reference, line.order.customer.name, "It is being planned just now."))
    for line in lines.filter(state=LineState.PROOFING, plan__isnull=True, quote__isnull=False):
        expires = datetime.fromisoformat((line.quote or {})["expires"])
        if timezone.now() < expires < timezone.now() + SOON:
            until = words.clock(expires, problem.tz, now=timezone.now())
            sentence = f"Its quote expires {until}; what it holds is free for others then."
            found.append(Waiting("quote", line.reference, line.order.customer.name, sentence))
    return tuple(found)


def place(shop: Shop, reference: str, *, by: User) -> OrderLine:
    """Have a line that found no time planned again, now that there may be some. Raises DraftRefused, StaleState."""
    line = OrderLine.objects.select_related("order__shop").filter(order__shop=shop, reference=reference).first()
    if line is None or line.state != LineState.BLOCKED or (line.blocked or {}).get("code") not in NO_PLACE:
        raise DraftRefused(f"{reference} does not wait for a place any more: look at the board again.")
    return services.resume(line, by=by)


# ------------------------------------------------------------------------------------------------ explaining


def unable(shop: Shop, schedule: Schedule, operation: Operation) -> dict[str, str]:
    """Why an operation can't be done on each machine that is not among its own; a sentence for each."""
    called = {one.code: _short(one.name or one.code) for one in schedule.problem.machines}
    others = {code: name for code, name in called.items() if code not in operation.minutes}
    found = why_not(shop.slug, others, operation=operation.name, attributes=operation.attributes)
    must = byhand.bound(schedule, operation)
    if must:
        until = clock(schedule.problem, schedule.problem.slushy_until or 0)
        sentence = f"It begins before {until}, and so soon nothing changes its machine: it stays on {called[must]}."
        found |= {code: sentence for code in operation.minutes if code != must}
    return found


def _short(name: str) -> str:
    return name.split(" (")[0]


@dataclass(frozen=True)
class Reasons:
    """Why a bar is where it is, and why its order is done when it is."""

    bar: Bar
    machine: str
    work: Work
    line: OrderLine
    here: Chain
    order: Chain


def reasons(shop: Shop, steps: Sequence[byhand.Step], operation: str) -> Reasons:
    """The binding chains of a bar, in the draft as it stands. Raises UnknownOperation."""
    schedule, _ = base_of(shop)
    found = byhand.draft(schedule, steps)
    here = why(found.problem, found.assignments, operation)
    bar = next(each for each in bars_of(schedule, found.assignments) if each.operation == operation)
    late = lateness(found.problem.jobs, found.problem, found.assignments)
    work = next(each for each in _works(shop, schedule) if each.job == bar.job)
    return Reasons(
        bar=bar,
        machine=next(_short(one.name or one.code) for one in found.problem.machines if one.code == bar.machine),
        work=Work(**{**vars(work), "late_min": late.get(bar.job, 0)}),
        line=schedule.lines[bar.job],
        here=here,
        order=why_late(found.problem, found.assignments, bar.job),
    )


def operation_of(schedule: Schedule, id: str) -> Operation:
    """An operation on the board. Raises DraftRefused where it is there no more."""
    for operation in schedule.problem.operations:
        if operation.id == id:
            return operation
    raise DraftRefused(f"{id} is no longer on the board: it is done, or its order was changed or cancelled.")
