"""What if: branches of a problem, searched and laid side by side. No database is copied; a branch is a value.

Every change is a pure function from a problem to a problem. `branch` makes several of them from plain values, as an API
or a file says them, and `compare_branches` plans each with the same effort, the unchanged problem among them: so what
differs comes from the change and not from another search.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from math import ceil, isfinite
from typing import Any, Final

from production.planning.check import check
from production.planning.comparing import Difference, compare
from production.planning.errors import InvalidChange, InvalidProblem, NoSlot, UnknownOperation
from production.planning.openings import Span, merged, minute_after
from production.planning.plan import Figures, Plan, figures_of
from production.planning.problem import Assignment, Job, Machine, Operation, Problem
from production.planning.replan import (
    breakdown,
    late_delivery,
    machine_of,
    others_booked,
    require_operations,
    require_span,
    settled,
    without,
)
from production.planning.solve import solve

DAY_MIN: Final = 24 * 60
OUTSIDE: Final = "outside"  # what the machines of outsourced operations begin with
NO_MONEY: Final = Decimal(0)

Change = Mapping[str, Any]  # {"change": "overtime", "machine": "PRT1", ...}: plain JSON values


# ---------------------------------------------------------------------------------------------- changes


def with_overtime(problem: Problem, machine: str, spans: Iterable[Span]) -> Problem:
    """The machine may work in that time too, where the search finds that worth its weight. Raises InvalidChange.

    >>> shop = Problem(0, 480, (Machine("PRT1", ((0, 100),)),), (), ())
    >>> with_overtime(shop, "PRT1", [(90, 120)]).machines[0].overtime
    ((100, 120),)
    """
    where = machine_of(problem, machine)
    longer = list(where.overtime)
    for start, end in spans:
        require_span(start, end)
        longer.append((start, end))
    cut = tuple(merged(longer))
    for start, end in where.open:
        cut = without(cut, start, end)
    return _with_machine(problem, replace(where, overtime=cut))


def outsourced(problem: Problem, operations: Collection[str], *, days: float) -> Problem:
    """Those operations are done by somebody else, together in so many days from when the first could start.

    Each stands on a machine of its own that is always open; a chain of them shares the days. They need no changeover,
    and no pin or published place of theirs holds any more. Raises UnknownOperation, InvalidChange.
    """
    require_operations(problem, operations)
    if not operations or not (isfinite(days) and days > 0):
        raise InvalidChange(
            f"{len(operations)} operations outside for {days} days: name some, and a number of days above 0.",
            fields={"field": "days"},
        )
    chosen = {one.id: one for one in problem.operations if one.id in operations}
    longest = max(_depth(id, chosen, {}) for id in chosen)
    each_min = ceil(days * DAY_MIN / longest)
    outside = tuple(Machine(f"{OUTSIDE} {id}", ((problem.start, problem.end),), name="Outside") for id in chosen)
    changed = tuple(
        replace(one, minutes={f"{OUTSIDE} {one.id}": each_min}, pin=None, load=0, splittable=True)
        if one.id in chosen
        else one
        for one in problem.operations
    )
    published = tuple(one for one in problem.published if one.operation not in chosen)
    return settled(replace(problem, machines=(*problem.machines, *outside), operations=changed, published=published))


def _depth(id: str, chosen: Mapping[str, Operation], known: dict[str, int]) -> int:
    """How many of the chosen follow one another, up to this one."""
    if id not in known:
        before = [_depth(each.operation, chosen, known) for each in chosen[id].after if each.operation in chosen]
        known[id] = 1 + max(before, default=0)
    return known[id]


def rushed(problem: Problem, job: str, *, weight: float | None = None, due: int | None = None) -> Problem:
    """The job is in more, or less, of a hurry: another weight, another due date, or both. Raises UnknownOperation."""
    _require_job(problem, job)

    def now(one: Job) -> Job:
        return replace(one, weight=one.weight if weight is None else weight, due=one.due if due is None else due)

    return replace(problem, jobs=tuple(now(one) if one.id == job else one for one in problem.jobs))


def without_maintenance(problem: Problem, machine: str, span: Span) -> Problem:
    """The machine runs in that time, in which it would have been maintained. Raises InvalidChange."""
    where = machine_of(problem, machine)
    require_span(*span)
    opened = tuple(merged((*where.open, span)))
    return _with_machine(problem, replace(where, open=opened, overtime=without(where.overtime, *span)))


def postponed(problem: Problem, machine: str, span: Span, to: int) -> Problem:
    """The maintenance of that time begins at `to` instead. Raises InvalidChange.

    >>> shop = Problem(0, 480, (Machine("PRT1", ((0, 100), (160, 480))),), (), ())
    >>> postponed(shop, "PRT1", (100, 160), 400).machines[0].open
    ((0, 400), (460, 480))
    """
    opened = without_maintenance(problem, machine, span)
    where = machine_of(opened, machine)
    end = to + span[1] - span[0]
    stopped = replace(where, open=without(where.open, to, end), overtime=without(where.overtime, to, end))
    return settled(_with_machine(opened, stopped))


def _with_machine(problem: Problem, changed: Machine) -> Problem:
    machines = tuple(changed if one.code == changed.code else one for one in problem.machines)
    return replace(problem, machines=machines)


def _require_job(problem: Problem, job: str) -> None:
    if all(one.id != job for one in problem.jobs):
        raise UnknownOperation(f"There is no order {job}.", fields={"job": job})


# ---------------------------------------------------------------------------------------------- from plain values


def branch(problem: Problem, changes: Sequence[Change]) -> Problem:
    """The problem after a list of changes, each a plain dictionary as JSON has it.

    ==================  ==================================================================================
    `change`            what else it names
    ==================  ==================================================================================
    overtime            machine, spans (a list of [start, end]), per_hour (money, may be left out)
    outsource           operations (a list) or job, days, money (may be left out)
    rush                job, weight or due or both
    no_maintenance      machine, span
    postpone            machine, span, to
    breakdown           machine, span
    booked              machine, span
    late                operations (a list) or job, release
    ==================  ==================================================================================

    A time is a minute of the problem, or an ISO date and time with its offset. Raises InvalidChange, which names the
    change by its number and what is wrong with it.

    >>> shop = Problem(0, 480, (Machine("PRT1", ((0, 100),)),), (), ())
    >>> branch(shop, [{"change": "overtime", "machine": "PRT1", "spans": [[100, 160]]}]).machines[0].overtime
    ((100, 160),)
    >>> branch(shop, [{"change": "overtime", "machine": "PRT2", "spans": [[100, 160]]}])
    Traceback (most recent call last):
    ...
    production.planning.errors.InvalidChange: Change 1, overtime: There is no machine PRT2: name one of PRT1.
    """
    for number, change in enumerate(changes, 1):
        name = change.get("change") if isinstance(change, Mapping) else None
        if not isinstance(name, str) or name not in CHANGES:
            raise InvalidChange(
                f"Change {number} is {name!r}: write one of {', '.join(CHANGES)}.",
                fields={"change": str(name), "number": number, "field": "change"},
            )
        about = {"change": name, "number": number}
        try:
            asked = _Asked(problem, change)
            problem = CHANGES[name](problem, asked)
            asked.refuse_others()
            check(problem)
        except (InvalidChange, UnknownOperation, InvalidProblem) as error:
            raise InvalidChange(f"Change {number}, {name}: {error.message}", fields=error.fields | about) from error
    return problem


class _Asked:
    """A change's fields, read by name and kind."""

    def __init__(self, problem: Problem, change: Change) -> None:
        self.problem = problem
        self.change = change
        self.read = {"change"}

    def refuse_others(self) -> None:
        """Raise where a field was not asked for: a misspelt one must not be passed over."""
        for field in self.change:
            if field not in self.read:
                raise InvalidChange(f"It has no field {field!r}.", fields={"field": str(field)})

    def field(self, name: str) -> Any:
        self.read.add(name)
        if self.change.get(name) is None:
            raise InvalidChange(f"It names no {name}: add it.", fields={"field": name})
        return self.change[name]

    def optional(self, name: str) -> Any:
        self.read.add(name)
        return self.change.get(name)

    def text(self, name: str) -> str:
        value = self.field(name)
        if not isinstance(value, str):
            raise self.wrong(name, value, "a name")
        return value

    def number(self, name: str) -> float:
        value = self.field(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
            raise self.wrong(name, value, "a number")
        return float(value)

    def minute(self, name: str) -> int:
        return self.as_minute(name, self.field(name))

    def as_minute(self, name: str, value: object) -> int:
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if isinstance(value, str):
            try:
                moment = datetime.fromisoformat(value)
            except ValueError:
                moment = None
            if moment is not None and moment.tzinfo is not None:
                return minute_after(moment)
        raise self.wrong(
            name, value, "a whole minute, or a date and time with its offset such as 2026-11-26T14:00+01:00"
        )

    def span(self, name: str) -> Span:
        return self.as_span(name, self.field(name))

    def as_span(self, name: str, value: object) -> Span:
        if not isinstance(value, list | tuple) or len(value) != 2:
            raise self.wrong(name, value, "a start and an end")
        return self.as_minute(name, value[0]), self.as_minute(name, value[1])

    def spans(self, name: str) -> list[Span]:
        value = self.field(name)
        if not isinstance(value, list | tuple) or not value:
            raise self.wrong(name, value, "a list of starts and ends")
        return [self.as_span(name, one) for one in value]

    def operations(self) -> list[str]:
        """Those that are named, or all of a job."""
        job, ids = self.optional("job"), self.optional("operations")
        if (job is None) == (ids is None):
            raise InvalidChange("Name either its operations or a job.", fields={"field": "operations"})
        if job is not None:
            _require_job(self.problem, str(job))
            return [one.id for one in self.problem.operations if one.job == job]
        if not isinstance(ids, list | tuple) or not ids or not all(isinstance(one, str) for one in ids):
            raise self.wrong("operations", ids, "a list of operations")
        return list(ids)

    def money(self, name: str) -> Decimal:
        """An amount; nothing where it is left out."""
        value = self.optional(name)
        try:
            amount = Decimal(str(value)) if value is not None and not isinstance(value, bool) else NO_MONEY
        except InvalidOperation:
            amount = Decimal("NaN")
        if isinstance(value, bool) or not amount.is_finite() or amount < 0:
            raise self.wrong(name, value, "an amount of 0 or more")
        return amount

    def wrong(self, name: str, value: object, wanted: str) -> InvalidChange:
        return InvalidChange(f"Its {name} is {value!r}: write {wanted}.", fields={"field": name})


def _overtime(problem: Problem, asked: _Asked) -> Problem:
    asked.money("per_hour")
    return with_overtime(problem, asked.text("machine"), asked.spans("spans"))


def _outsource(problem: Problem, asked: _Asked) -> Problem:
    asked.money("money")
    return outsourced(problem, asked.operations(), days=asked.number("days"))


def _rush(problem: Problem, asked: _Asked) -> Problem:
    weight = asked.number("weight") if asked.optional("weight") is not None else None
    due = asked.minute("due") if asked.optional("due") is not None else None
    if weight is None and due is None:
        raise InvalidChange("It names neither a weight nor a due date: add one.", fields={"field": "weight"})
    return rushed(problem, asked.text("job"), weight=weight, due=due)


def _booked(problem: Problem, asked: _Asked) -> Problem:
    return others_booked(problem, asked.text("machine"), asked.span("span"))


def _breakdown(problem: Problem, asked: _Asked) -> Problem:
    return breakdown(problem, asked.text("machine"), *asked.span("span"))


def _late(problem: Problem, asked: _Asked) -> Problem:
    return late_delivery(problem, asked.operations(), asked.minute("release"))


def _no_maintenance(problem: Problem, asked: _Asked) -> Problem:
    return without_maintenance(problem, asked.text("machine"), asked.span("span"))


def _postpone(problem: Problem, asked: _Asked) -> Problem:
    return postponed(problem, asked.text("machine"), asked.span("span"), asked.minute("to"))


CHANGES: Final[Mapping[str, Callable[[Problem, _Asked], Problem]]] = {
    "overtime": _overtime,
    "outsource": _outsource,
    "rush": _rush,
    "no_maintenance": _no_maintenance,
    "postpone": _postpone,
    "breakdown": _breakdown,
    "booked": _booked,
    "late": _late,
}


# ---------------------------------------------------------------------------------------------- side by side


@dataclass(frozen=True)
class Branch:
    """A branch with its plan; `to_base` is what changes from the unchanged problem, planned with the same effort."""

    name: str
    problem: Problem
    plan: Plan
    to_base: Difference
    overtime_money: Decimal
    outside_money: Decimal

    @property
    def figures(self) -> Figures:
        """What its plan comes to."""
        return self.plan.figures

    @property
    def money(self) -> Decimal:
        """What the change itself costs; changeovers are in the figures."""
        return self.overtime_money + self.outside_money


@dataclass(frozen=True)
class Comparison:
    """The plan as it stands, the unchanged problem searched anew, and the branches in the order they were named."""

    planned: Figures
    base: Branch
    branches: tuple[Branch, ...]
    without_plan: Mapping[str, str]  # branches that can't be planned: name -> why

    def rows(self) -> list[dict[str, Any]]:
        """The table as plain values, a row for each: its figures, and each less that of the base."""
        return [_row_of(each, self.base) for each in (self.base, *self.branches)]


def compare_branches(
    problem: Problem,
    plan: Plan | Iterable[Assignment],
    branches: Mapping[str, Sequence[Change]],
    *,
    seconds: float = 4.0,
    seed: int = 0,
    effort: Sequence[int] | None = None,
    chains: int | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Comparison:
    """Plan each branch from the plan as it stands, so many seconds each, and lay them side by side.

    A branch that can't be planned by the problem's end is named with the reason instead. Raises InvalidChange (its
    fields name the branch) before anything is searched, and NoSlot where the unchanged problem can't be planned.
    """
    before = plan.assignments if isinstance(plan, Plan) else tuple(plan)
    problems: dict[str, Problem] = {}
    for name, changes in branches.items():
        try:
            problems[name] = branch(problem, changes)
        except InvalidChange as error:
            raise InvalidChange(f"Branch {name}: {error.message}", fields=error.fields | {"branch": name}) from error

    def searched(one: Problem) -> Plan:
        return solve(one, seconds=seconds, seed=seed, effort=effort, chains=chains, start=before, cancelled=cancelled)

    found = searched(problem)
    base = Branch("", problem, found, compare(problem, found, found), NO_MONEY, NO_MONEY)
    planned: list[Branch] = []
    without_plan: dict[str, str] = {}
    for name, changed in problems.items():
        try:
            there = searched(changed)
        except NoSlot as error:
            without_plan[name] = error.message
            continue
        overtime, outside = _money(changed, there, branches[name])
        planned.append(Branch(name, changed, there, compare(changed, found, there), overtime, outside))
    return Comparison(figures_of(problem, before), base, tuple(planned), without_plan)


def _money(problem: Problem, plan: Plan, changes: Sequence[Change]) -> tuple[Decimal, Decimal]:
    """What the overtime that is used and what is done outside costs."""
    asked = [_Asked(problem, change) for change in changes]
    outside = sum((one.money("money") for one in asked if one.change["change"] == "outsource"), NO_MONEY)
    # Of several for one machine the last.
    per_hour = {one.text("machine"): one.money("per_hour") for one in asked if one.change["change"] == "overtime"}
    overtime = NO_MONEY
    for code, price in per_hour.items():
        mine = [one for one in plan.assignments if one.machine == code]
        minutes = _overtime_min(machine_of(problem, code), mine)
        overtime += (price * minutes / 60).quantize(Decimal("0.01"))
    return overtime, outside


def _overtime_min(machine: Machine, assignments: Iterable[Assignment]) -> int:
    """Minutes of the machine's overtime that operations and their changeovers use; a load once."""
    used = {(one.changeover, one.end) for one in assignments if one.overtime}
    return sum(max(0, min(b, end) - max(a, begin)) for begin, end in used for a, b in machine.overtime)


def _row_of(one: Branch, base: Branch) -> dict[str, Any]:
    figures, there = one.figures, base.figures
    values: dict[str, Any] = {
        "name": one.name,
        "late_jobs": list(figures.late_jobs),
        "money": one.money,
        "overtime_money": one.overtime_money,
        "outside_money": one.outside_money,
    }
    for name in ("cost", "tardiness_min", "weighted_tardiness_min", "changeover_min", "changeover_cost"):
        values |= {name: getattr(figures, name), f"{name}_more": getattr(figures, name) - getattr(there, name)}
    for name in ("moved", "overtime_min", "makespan_min"):
        values |= {name: getattr(figures, name), f"{name}_more": getattr(figures, name) - getattr(there, name)}
    return values | {"late_jobs_more": len(figures.late_jobs) - len(there.late_jobs)}
