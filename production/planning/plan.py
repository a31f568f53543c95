"""A plan: every operation at its place, and the figures by which plans are compared."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from production.planning.problem import Assignment, Operation, Problem, Setup, Weights


@dataclass(frozen=True)
class Figures:
    """What a plan comes to. `cost` is the objective: the others by the problem's weights."""

    cost: float
    tardiness_min: int  # all jobs together
    weighted_tardiness_min: float
    late_jobs: tuple[str, ...]
    changeover_min: int
    changeover_cost: Decimal
    moved: int  # operations that are not where they were published
    overtime_min: int
    makespan_min: int  # from the problem's start until everything is done


@dataclass(frozen=True)
class Plan:
    """A feasible plan of a problem, and how it came about: the same problem, seed and effort give the same plan."""

    assignments: tuple[Assignment, ...]  # in the order of the problem's operations
    figures: Figures
    by: str = ""  # the rule or the search that found it
    seed: int = 0
    effort: tuple[int, ...] = ()  # the moves that were tried, cycle by cycle; below 0: when the one before was stopped
    bound: float | None = None  # no plan of this problem costs less

    @property
    def by_operation(self) -> Mapping[str, Assignment]:
        """The assignments by their operation's id."""
        return {one.operation: one for one in self.assignments}


def setup_of(problem: Problem, machine: str, before: Mapping[str, str], after: Mapping[str, str]) -> Setup:
    """What a machine's changeover takes from one state to another."""
    code = next(one.setups for one in problem.machines if one.code == machine)
    return problem.setups[code].between(before, after) if code else Setup()


def cost_of(weights: Weights, figures: Figures) -> float:
    """The objective of those figures."""
    return (
        weights.tardiness * figures.weighted_tardiness_min
        + weights.changeover * figures.changeover_min
        + weights.money * float(figures.changeover_cost)
        + weights.moved * figures.moved
        + weights.overtime * figures.overtime_min
        + weights.makespan * figures.makespan_min
    )


def sequences(problem: Problem, assignments: Iterable[Assignment]) -> dict[str, list[tuple[Assignment, Operation]]]:
    """What each machine does, in order; a load's operations in the order of the problem."""
    position = {operation.id: number for number, operation in enumerate(problem.operations)}
    rows: dict[str, list[tuple[Assignment, Operation]]] = {machine.code: [] for machine in problem.machines}
    for one in sorted(assignments, key=lambda one: (one.start, position[one.operation])):
        rows[one.machine].append((one, problem.operations[position[one.operation]]))
    return rows


def loads(problem: Problem, assignments: Iterable[Assignment]) -> dict[str, list[list[tuple[Assignment, Operation]]]]:
    """What each machine does, in order, with the operations of a load together; others are by themselves."""
    with_loads = {machine.code for machine in problem.machines if machine.load}
    found: dict[str, list[list[tuple[Assignment, Operation]]]] = {}
    for code, row in sequences(problem, assignments).items():
        found[code] = []
        for one, operation in row:
            last = found[code][-1][0][0] if found[code] and code in with_loads else None
            if last is not None and (one.start, one.end) == (last.start, last.end):
                found[code][-1].append((one, operation))
            else:
                found[code].append([(one, operation)])
    return found


def figures_of(problem: Problem, assignments: Iterable[Assignment]) -> Figures:
    """The figures of a plan, counted from its assignments alone.

    A changeover's minutes are what the setups ask for, not how long it lies; one that has begun before the problem
    starts is not counted, a load is changed over to once. Overtime
    is what lies in the machines' overtime of operations that are in it, changeovers included.
    """
    assignments = tuple(assignments)
    machines = {machine.code: machine for machine in problem.machines}
    published = {one.operation: one for one in problem.published}
    ends: dict[str, int] = {}
    operations = {operation.id: operation for operation in problem.operations}
    minutes, money, overtime, moved = 0, Decimal(0), 0, 0
    known: dict[tuple[str, tuple[str, ...], tuple[str, ...]], Setup] = {}
    for code, row in sequences(problem, assignments).items():
        machine = machines[code]
        matrix = problem.setups[machine.setups] if machine.setups else None
        names = [each.attribute for each in matrix.attributes] if matrix is not None else []
        state, last = tuple([machine.state.get(name, "") for name in names]), None
        for one, operation in row:
            joins = bool(machine.load) and last is not None and (one.start, one.end) == (last.start, last.end)
            wanted = tuple([operation.attributes.get(name, "") for name in names])
            if not joins and one.changeover >= problem.start and matrix is not None:
                setup = known.get((machine.setups, state, wanted))
                if setup is None:
                    was, is_now = dict(zip(names, state, strict=True)), dict(zip(names, wanted, strict=True))
                    setup = known[machine.setups, state, wanted] = matrix.between(was, is_now)
                minutes, money = minutes + setup.minutes, money + setup.cost
            if one.overtime and not joins:
                begin = one.changeover if one.changeover >= problem.start else one.start
                overtime += sum(max(0, min(b, one.end) - max(a, begin)) for a, b in machine.overtime)
            if not joins:
                state = wanted
            last = one
    for one in assignments:
        job = operations[one.operation].job
        ends[job] = max(ends.get(job, one.end), one.end)
        before = published.get(one.operation)
        if before is not None:
            far = abs(one.start - before.start) > problem.tolerance_min
            moved += before.machine != one.machine or far
    late = {job.id: ends[job.id] - job.due for job in problem.jobs if job.id in ends and job.due is not None}
    late = {job: by for job, by in late.items() if by > 0}
    weights = {job.id: job.weight for job in problem.jobs}
    figures = Figures(
        cost=0.0,
        tardiness_min=sum(late.values()),
        weighted_tardiness_min=sum(weights[job] * by for job, by in late.items()),
        late_jobs=tuple(sorted(late, key=lambda job: (-weights[job] * late[job], job))),
        changeover_min=minutes,
        changeover_cost=money,
        moved=moved,
        overtime_min=overtime,
        makespan_min=max((one.end for one in assignments), default=problem.start) - problem.start,
    )
    return replace(figures, cost=cost_of(problem.weights, figures))
