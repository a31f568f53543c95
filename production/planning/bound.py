"""What no plan of a problem can cost less than: proven bounds, by which plans are judged.

First what can be had at once: every job alone in an empty shop is no later than in any plan; every group of machines
has to be changed over from its states through all that is asked of it, whatever the time. Then CP-SAT, on a model of
the problem that leaves out only what makes plans dearer (`model.py`), tightened by the former.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from math import ceil, floor
from time import monotonic
from typing import Final

from ortools.sat.python import cp_model

from production.planning.errors import NoSlot
from production.planning.model import Changeovers, Literal, Model, cloth_ready, may_be, model_of, pieces, scale_of
from production.planning.problem import Machine, Operation, Problem
from production.planning.rules import first_plan

MOST_ARCS: Final = 80_000  # of a model that is worth building
WORKERS: Final = 2


def lower_bound(problem: Problem, *, seconds: float, known: float | None = None, workers: int = WORKERS) -> float:
    """A cost that no plan of a checked problem is below. More seconds give a higher one, up to the optimum.

    `known`: what some plan of the problem costs, the better, the faster; only plans that cost less are looked for.

    >>> from production.planning.problem import Job
    >>> printing = Operation("1", "J", {"PRT1": 90})
    >>> shop = Problem(0, 480, (Machine("PRT1", ((0, 480),)),), (Job("J", due=60),), (printing,))
    >>> lower_bound(shop, seconds=1)
    30.0
    """
    began = monotonic()
    if known is None:
        known = _cost_by_rule(problem)
    late = lateness_bounds(problem)
    groups = changeover_bounds(problem, seconds=seconds / 4, workers=workers)
    at_once = sum(late.values()) + sum(one.cost for one in groups) + makespan_bound(problem)
    left = seconds - (monotonic() - began)
    if left <= 0 or _arcs(problem) > MOST_ARCS or (known is not None and known <= at_once):
        return at_once
    model = model_of(problem, latest=_latest(problem, late, at_once, known))
    _tighten(model, groups)
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = left
    solver.parameters.num_workers = workers
    status = solver.solve(model.cp)
    if status == cp_model.MODEL_INVALID:
        raise ValueError(f"The model of the bound is none: {model.cp.validate()}")
    if status == cp_model.INFEASIBLE and known is not None:  # no plan is cheaper than the known one
        return known
    proven = max(at_once, solver.best_objective_bound / model.scale)
    return proven if known is None else min(proven, known)


def _cost_by_rule(problem: Problem) -> float | None:
    """What the best rule's plan costs; None where it finds none."""
    try:
        return first_plan(problem).figures.cost
    except NoSlot:
        return None


# ---------------------------------------------------------------------------------------------- lateness


def lateness_bounds(problem: Problem) -> dict[str, float]:
    """What each job's lateness costs at least: each operation as early as it could be in an empty shop."""
    ends = earliest_ends(problem)
    last: dict[str, int] = {}
    for operation in problem.operations:
        last[operation.job] = max(last.get(operation.job, problem.start), ends[operation.id])
    weight = problem.weights.tardiness
    return {
        job.id: weight * job.weight * max(0, last[job.id] - job.due)
        for job in problem.jobs
        if job.due is not None and job.id in last
    }


def earliest_ends(problem: Problem) -> dict[str, int]:
    """When each operation can be over at the earliest, by the calendars and what comes before it alone."""
    machines = {machine.code: machine for machine in problem.machines}
    operations = {operation.id: operation for operation in problem.operations}
    jobs = {job.id: job for job in problem.jobs}
    published = {one.operation: one for one in problem.published}
    ends: dict[str, int] = {}

    def end(operation: Operation) -> int:
        codes, fixed = may_be(problem, operation, published.get(operation.id))
        if fixed is not None:
            return fixed + operation.minutes[codes[0]]
        ready = max(problem.start, operation.release or problem.start, jobs[operation.job].release or problem.start)
        ready = max([ready, cloth_ready(problem, operation, None)])
        ready = max([ready, *(ends[one.operation] + one.gap_min for one in operation.after)])
        found = [
            max(ready, one.first) + one.minutes
            for code in codes
            for one in pieces(machines[code], operation, overtime=True, within=(ready, problem.end))
        ]
        return min(found, default=problem.end)

    for name in TopologicalSorter(
        {operation.id: [one.operation for one in operation.after] for operation in problem.operations}
    ).static_order():
        ends[name] = end(operations[name])
    return ends


def makespan_bound(problem: Problem) -> float:
    """What the makespan costs at least: the longest chain alone, or the work of machines shared out evenly."""
    if not problem.weights.makespan:
        return 0.0
    longest = max(earliest_ends(problem).values(), default=problem.start) - problem.start
    for group in _groups(problem, [machine for machine in problem.machines if not machine.load]):
        least = [min(operation.minutes.values()) for operation in group.operations]
        longest = max(longest, ceil(sum(least) / len(group.machines)))
    return problem.weights.makespan * longest


def _latest(problem: Problem, late: Mapping[str, float], at_once: float, known: float | None) -> dict[str, int]:
    """When jobs have to be over in a plan that costs no more than the known one."""
    if known is None:
        return {}
    spare, weights = known - at_once, problem.weights
    latest = {}
    for job in problem.jobs:
        until = problem.end
        weight = weights.tardiness * job.weight
        if job.due is not None and weight:
            until = min(until, job.due + floor((late.get(job.id, 0.0) + spare) / weight))
        if weights.makespan:
            until = min(until, problem.start + floor((makespan_bound(problem) + spare) / weights.makespan))
        latest[job.id] = until
    return latest


# ---------------------------------------------------------------------------------------------- changeovers


@dataclass(frozen=True)
class Group:
    """Machines that share operations, and the operations that have to be done on one of them."""

    machines: tuple[Machine, ...]
    operations: tuple[Operation, ...]
    cost: float = 0.0  # of their changeovers, at least


def changeover_bounds(problem: Problem, *, seconds: float, workers: int = WORKERS) -> list[Group]:
    """The groups of machines that need changeovers, with what these cost at least."""
    groups = _groups(problem, [machine for machine in problem.machines if _counts(problem, machine)])
    share = seconds / max(1, len(groups))
    return [
        Group(group.machines, group.operations, _changeover_bound(problem, group, seconds=share, workers=workers))
        for group in groups
    ]


def _counts(problem: Problem, machine: Machine) -> bool:
    """Whether every operation on it is changed over for: in a load only where all of the load ask for the same."""
    if not machine.setups:
        return False
    asked = {one.attribute for one in problem.setups[machine.setups].attributes}
    return not machine.load or asked <= set(machine.load_by)


def _groups(problem: Problem, machines: list[Machine]) -> list[Group]:
    """Machines that share operations together; an operation that may be elsewhere too is nobody's."""
    published = {one.operation: one for one in problem.published}
    codes = {machine.code for machine in machines}
    group_of = {code: {code} for code in codes}
    own: list[tuple[str, Operation]] = []
    for operation in problem.operations:
        may, fixed = may_be(problem, operation, published.get(operation.id))
        if not set(may) <= codes or (fixed is not None and fixed < problem.start):
            continue
        together = set().union(*(group_of[code] for code in may))
        for code in together:
            group_of[code] = together
        own.append((may[0], operation))
    found = {id(group): group for group in group_of.values()}
    return [
        Group(
            tuple(machine for machine in machines if machine.code in group),
            tuple(operation for code, operation in own if code in group),
        )
        for group in found.values()
        if any(code in group for code, _ in own)
    ]


def _changeover_bound(problem: Problem, group: Group, *, seconds: float, workers: int) -> float:
    """The cheapest paths of a group's machines through all families that are asked for.

    A changeover's cost is that which every one to the same family has at least, once for each operation, and the rest.
    Of the rest, what lies between the first visits of two families is no less than the shortest way between them.
    """
    rows = Changeovers(problem, scale_of(problem))
    published = {one.operation: one for one in problem.published}
    may = {one.id: may_be(problem, one, published.get(one.id))[0] for one in group.operations}
    states = _states(problem)
    codes = {machine.code for machine in group.machines}
    able = {code: [one for one in problem.operations if code in one.minutes] for code in codes}
    # A family is named by one of its operations; what a machine is set for first, by "" or by what is running there.
    name: dict[tuple[str, tuple[str, ...]], str] = {}
    families: dict[str, dict[str, str]] = {code: {} for code in codes}  # machine -> operation -> its family there
    for machine in group.machines:
        for one in able[machine.code]:
            key = (machine.setups, rows.values_of(machine, one.id))
            families[machine.code][one.id] = name.setdefault(key, one.id)
    least: dict[tuple[str, str], int] = {}
    for machine in group.machines:
        there = sorted(set(families[machine.code].values()))
        for family in there:
            each = [rows.between(machine, before, family)[1] for before in (states[machine.code], *there)]
            least[machine.code, family] = 0 if machine.load else min(each)
    base = {one.id: min(least[code, families[code][one.id]] for code in may[one.id]) for one in group.operations}
    paid = sum(base.values())

    cp = cp_model.CpModel()
    visits: dict[tuple[str, str], cp_model.IntVar] = {}
    costs: list[tuple[cp_model.IntVar, int]] = []
    for machine in group.machines:
        code = machine.code
        there = sorted(set(families[code].values()))
        rest = {
            (a, b): max(0, rows.between(machine, a, b)[1] - least[code, b])
            for a in (states[code], *there)
            for b in there
        }
        _shorten(rest, there)
        arcs: list[tuple[int, int, Literal]] = [(0, 0, cp.new_bool_var(""))]
        for i, family in enumerate(there, 1):
            visit = visits[code, family] = cp.new_bool_var("")
            arcs += [(i, i, ~visit), (i, 0, cp.new_bool_var(""))]
            for j, before in enumerate((states[code], *there)):
                if j == i:
                    continue
                literal = cp.new_bool_var("")
                arcs.append((j, i, literal))
                costs.append((literal, rest[before, family]))
        cp.add_circuit(arcs)
    for asked in {frozenset((code, families[code][one.id]) for code in may[one.id]) for one in group.operations}:
        cp.add_bool_or([visits[key] for key in sorted(asked)])
    cp.minimize(sum(literal * cost for literal, cost in costs))
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = max(0.1, seconds)
    solver.parameters.num_workers = workers
    status = solver.solve(cp)
    proven = solver.best_objective_bound if status in (cp_model.OPTIMAL, cp_model.FEASIBLE, cp_model.UNKNOWN) else 0.0
    return (paid + max(0.0, proven)) / rows.scale


def _shorten(rest: dict[tuple[str, str], int], there: list[str]) -> None:
    """The shortest ways, by Floyd's and Warshall's algorithm."""
    for middle in there:
        for before, after in list(rest):
            if (before, middle) in rest and (middle, after) in rest:
                rest[before, after] = min(rest[before, after], rest[before, middle] + rest[middle, after])


def _states(problem: Problem) -> dict[str, str]:
    """What each machine is set for: by the operation that is running there last, or by its own state."""
    published = {one.operation: one for one in problem.published}
    states = {machine.code: "" for machine in problem.machines}
    since: dict[str, int] = {}
    for operation in problem.operations:
        codes, fixed = may_be(problem, operation, published.get(operation.id))
        if fixed is not None and fixed < problem.start and fixed > since.get(codes[0], fixed - 1):
            states[codes[0]], since[codes[0]] = operation.id, fixed
    return states


# ---------------------------------------------------------------------------------------------- the model


def _arcs(problem: Problem) -> int:
    """How many changeovers a model of the problem would have to choose from."""
    counts = {machine.code: 0 for machine in problem.machines if machine.setups and not machine.load}
    for operation in problem.operations:
        for code in operation.minutes:
            if code in counts:
                counts[code] += 1
    return sum(count * (count + 1) for count in counts.values())


def _tighten(model: Model, groups: list[Group]) -> None:
    """Tell the model what is proven of the changeovers."""
    for group in groups:
        least = floor(group.cost * model.scale + 1e-6)
        modelled = [pair for machine in group.machines for pair in model.changeovers.get(machine.code, ())]
        total = sum(literal * cost for literal, cost in modelled)
        if all(machine.code in model.changeovers for machine in group.machines):
            model.cp.add(total >= least)
        else:  # of machines that take loads, the model knows no changeovers
            rest = model.cp.new_int_var(0, max(0, least), "")
            model.cp.add(total + rest >= least)
            model.cp.minimize(sum((w * e for e, w in [*model.terms, (rest, 1)]), start=0))
