"""The last percents of a plan: windows of it are solved anew by CP-SAT, again and again, while the rest stays in order.

Large-neighbourhood search (P. Shaw, 1998). A window is what lies close together in time, on a machine that is changed
over often, in one family, or in the chain of a job that is late: at most 100 operations are free in it. What comes
later keeps its machine and its order and moves with them; what came before stays. A window's answer is an order: the
decoder times it by the calendars, and it counts only where the plan then costs less and breaks no rule.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from random import Random
from threading import Event, Thread
from time import monotonic
from typing import Final

import numpy as np
from ortools.sat.python import cp_model

from production.planning.decoder import assignments_of, decoded
from production.planning.floor import Floor, floor_of, modes_of
from production.planning.model import Changeovers, Model, Window, hint, model_of, scale_of
from production.planning.plan import Figures, figures_of, sequences
from production.planning.problem import Assignment, Problem
from production.planning.validate import faults

MOST_FREE: Final = 100  # operations of a window
FEWEST_FREE: Final = 8
FIRST_FREE: Final = 24.0
MOST_SHIFTING: Final = 250  # operations after it that move with it; later ones stay where they are
WINDOW_S: Final = 2.0  # no window is worth longer
GROW: Final = 1.3  # a window that was easy, for the next time
SHRINK: Final = 0.8
LISTEN_S: Final = 0.1  # so often is asked whether the search is cancelled
EASY: Final = 0.35  # of its effort: a window that is done so soon could have been larger
EFFORT: Final = 0.2  # of a window, in CP-SAT's units of deterministic time


def polish(
    problem: Problem,
    assignments: Iterable[Assignment],
    *,
    seconds: float,
    seed: int = 0,
    windows: int | None = None,
    cancelled: Callable[[], bool] | None = None,
    workers: int = 1,
) -> tuple[Assignment, ...]:
    """A plan that costs no more than the given feasible one: that one, where nothing better was found in time.

    With `windows`, so many are tried, however long they take, and the same problem, plan and seed give the same plan;
    otherwise the clock says when it is over. What is pinned or frozen stays where it is, and so do rolls.
    """
    until = None if windows is not None else monotonic() + seconds
    search = _Search(problem, tuple(assignments), Random(f"polish {seed}"))
    tried = 0
    while len(search.movable) > 1 and (tried < windows if windows is not None else monotonic() < (until or 0.0)):
        if cancelled is not None and cancelled():
            break
        tried += 1
        search.try_window(until=until, workers=workers, cancelled=cancelled)
    return search.best


def _solved(solver: cp_model.CpSolver, model: Model, cancelled: Callable[[], bool] | None) -> cp_model.CpSolverStatus:
    """Solve; who cancels meanwhile is heard."""
    if cancelled is None:
        return solver.solve(model.cp)
    over = Event()

    def listen() -> None:
        while not over.wait(LISTEN_S):
            if cancelled():
                solver.stop_search()

    listener = Thread(target=listen, daemon=True)
    listener.start()
    try:
        return solver.solve(model.cp)
    finally:
        over.set()
        listener.join()


def _with_rolls(problem: Problem, assignments: Iterable[Assignment]) -> Problem:
    """The problem with the days of the rolls as releases: decoders know no rolls, and rolls stay as they are."""
    ready = {roll.code: roll.ready for roll in problem.rolls}
    days = {one.operation: ready.get(one.roll) for one in assignments}
    operations = tuple(
        one if (day := days.get(one.id)) is None else replace(one, release=max(day, one.release or day))
        for one in problem.operations
    )
    return replace(problem, operations=operations)


@dataclass(frozen=True)
class _Choice:
    """A kind of window: how it is chosen, and how large it may be now."""

    name: str
    choose: Callable[[int], set[str]]


class _Search:
    """The best plan so far, and what windows of it are tried."""

    def __init__(self, problem: Problem, assignments: tuple[Assignment, ...], chance: Random) -> None:
        self.problem, self.chance = problem, chance
        self.floor: Floor = floor_of(_with_rolls(problem, assignments))
        modes = modes_of(problem)
        self.modes = dict(zip((one.id for one in problem.operations), modes, strict=True))
        self.first_mode = list(accumulate((len(each) for each in modes), initial=0))  # in the floor's numbering
        self.published = {one.operation: one for one in problem.published}
        self.rows = Changeovers(problem, scale_of(problem))
        self.operations = self.rows.operations
        self.after = {one.id: [a.operation for a in one.after] for one in problem.operations}
        loads = {machine.code for machine in problem.machines if machine.load}
        stands = {one.operation: one.machine for one in assignments}
        # What may be moved at all: blocks stay, and so does what is in loads.
        self.movable = [problem.operations[op].id for op in self.floor.free]
        self.movable = [name for name in self.movable if stands[name] not in loads]
        self.choices = [
            _Choice("time", self.by_time),
            _Choice("machine", self.by_machine),
            _Choice("family", self.by_family),
            _Choice("late", self.by_lateness),
            _Choice("jobs", self.by_jobs),
        ]
        self.sizes = {choice.name: FIRST_FREE for choice in self.choices}
        self.worth = {choice.name: 1.0 for choice in self.choices}
        self.take(assignments, figures_of(problem, assignments))

    def take(self, assignments: tuple[Assignment, ...], figures: Figures) -> None:
        """A plan becomes the best one."""
        self.best, self.figures = assignments, figures
        self.plan = {one.operation: one for one in assignments}
        self.order = sequences(self.problem, assignments)
        self.by_start = sorted(self.movable, key=lambda name: (self.plan[name].start, name))

    # ------------------------------------------------------------------------------------------ windows

    def try_window(self, *, until: float | None, workers: int, cancelled: Callable[[], bool] | None) -> None:
        """Choose a window, solve it, and take what is better."""
        choice = self.chance.choices(self.choices, [self.worth[one.name] for one in self.choices])[0]
        free = choice.choose(min(round(self.sizes[choice.name]), MOST_FREE))
        if len(free) < 2:
            self.worth[choice.name] = max(0.05, self.worth[choice.name] / 2)
            return
        window = self.window(free)
        model = model_of(self.problem, window=window)
        hint(model, self.problem, self.best)
        if self.problem.weights.makespan:
            self.lean(model)
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = workers
        solver.parameters.random_seed = self.chance.randrange(1 << 30)
        solver.parameters.max_deterministic_time = EFFORT
        solver.parameters.cp_model_probing_level = 0  # of no use in so short a time
        if until is not None:
            solver.parameters.max_time_in_seconds = max(0.01, min(WINDOW_S, until - monotonic()))
        status = _solved(solver, model, cancelled)
        gained = False
        if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            gained = self.judge(self.timed(model, solver))
        done = status == cp_model.OPTIMAL
        quick = done and solver.response_proto.deterministic_time < EASY * EFFORT
        size = self.sizes[choice.name] * (GROW if quick else 1.0 if done else SHRINK)
        self.sizes[choice.name] = max(FEWEST_FREE, min(MOST_FREE, size))
        self.worth[choice.name] = max(0.1, 0.9 * self.worth[choice.name] + (0.4 if gained else 0.0))

    def lean(self, model: Model) -> None:
        """Among equal costs, prefer some jobs' early ends, others each time.

        Most changes leave a makespan as it is: going from one plan to an equal one finds the way to a shorter.
        """
        last: dict[str, str] = {}
        for one in self.problem.operations:
            if one.job not in last or self.plan[one.id].end > self.plan[last[one.job]].end:
                last[one.job] = one.id
        leaning = [(model.end[name], self.chance.randrange(4)) for name in last.values()]
        most = 1 + sum(weight for _, weight in leaning) * (self.problem.end - self.problem.start)
        cost = sum((weight * expression for expression, weight in model.terms), start=0)
        model.cp.minimize(most * cost + sum((weight * (end - self.problem.start) for end, weight in leaning), start=0))

    def window(self, free: set[str]) -> Window:
        """What is free, and what moves with it."""
        first = min(self.plan[name].start for name in free)
        last = max(self.plan[name].end for name in free)
        later = [
            one.operation
            for one in sorted(self.best, key=lambda one: one.start)
            if one.start >= first and one.operation not in free
        ]
        blocked = {op for block in self.floor.blocks for op in block.operations}
        names = {self.problem.operations[op].id for op in blocked}
        shifting = [name for name in later if name not in names][:MOST_SHIFTING]
        return Window(self.plan, frozenset(free), frozenset(self.whole_loads(shifting)), (first, last))

    def whole_loads(self, names: Sequence[str]) -> set[str]:
        """Those, without loads of which a part isn't among them."""
        found = set(names)
        for machine in self.problem.machines:
            if machine.load:
                together: dict[int, list[str]] = {}
                for one, _ in self.order[machine.code]:
                    together.setdefault(one.start, []).append(one.operation)
                for load in together.values():
                    if not found.issuperset(load):
                        found.difference_update(load)
        return found

    def by_time(self, size: int) -> set[str]:
        """What starts close together, on all machines."""
        at = self.chance.randrange(max(1, len(self.by_start) - size // 2)) - size // 4
        return set(self.by_start[max(0, at) : max(0, at) + size])

    def by_machine(self, size: int) -> set[str]:
        """A stretch of one machine, what machines that could do the same do meanwhile, and what comes before it."""
        rows = {code: [one for one, _ in row] for code, row in self.order.items() if len(row) > 1}
        rows = {code: row for code, row in rows.items() if any(one.operation in self.operations for one in row)}
        if not rows:
            return set()
        weights = [1 + self.changeovers_of(code) for code in rows]
        code = self.chance.choices(list(rows), weights)[0]
        row = rows[code]
        at = self.chance.randrange(len(row))
        part = row[max(0, at - size // 3) : at + size // 3]
        begin, end = part[0].start, part[-1].end
        alike = {other for one in part for other in self.operations[one.operation].minutes}
        near = [
            one.operation
            for other in alike
            for one in rows.get(other, ())
            if one.end > begin and one.start < end and other != code
        ]
        self.chance.shuffle(near)
        if not near:  # nobody else can do it: other machines meanwhile
            for other in self.chance.sample(sorted(rows), len(rows)):
                near += [one.operation for one in rows[other] if one.end > begin and one.start < end]
            near = near[:size]
        chosen = [one.operation for one in part]
        before = [name for one in part for name in self.after[one.operation]]
        return self.movable_of([*chosen, *near[: size // 2], *before], size)

    def by_family(self, size: int) -> set[str]:
        """What asks for the same of machines that are changed over often, and what is beside it there."""
        machines = [m for m in self.problem.machines if m.setups and not m.load and len(self.order[m.code]) > 2]
        if not machines:
            return set()
        machine = self.chance.choices(machines, [1 + self.changeovers_of(one.code) for one in machines])[0]
        name = self.chance.choice(self.problem.setups[machine.setups].attributes).attribute
        one = self.chance.choice(self.order[machine.code])[0]
        some, middle = self.operations[one.operation].attributes.get(name, ""), one.start
        alike = sorted(
            {other for one, _ in self.order[machine.code] for other in self.operations[one.operation].minutes}
        )
        found: list[tuple[int, str]] = []
        for code in alike:
            row = [one for one, _ in self.order[code]]
            for index, one in enumerate(row):
                if self.operations[one.operation].attributes.get(name, "") == some:
                    near = row[max(0, index - 2) : index + 3]
                    found += [(abs(other.start - middle), other.operation) for other in near]
        return self.movable_of([name for _, name in sorted(found)], size)

    def by_lateness(self, size: int) -> set[str]:
        """The chains of jobs that cost most by being late, and what stands before them on their machines."""
        if not self.figures.late_jobs:
            return self.by_end(size)
        late = self.figures.late_jobs
        jobs = set(self.chance.choices(late, range(len(late), 0, -1), k=3))
        return self.ahead_of([name for name in self.movable if self.operations[name].job in jobs], size)

    def by_jobs(self, size: int) -> set[str]:
        """Whole jobs that are done at about the same time."""
        of_job: dict[str, list[str]] = {}
        for name in self.movable:
            of_job.setdefault(self.operations[name].job, []).append(name)
        spans = {
            job: (min(self.plan[name].start for name in names), max(self.plan[name].end for name in names))
            for job, names in of_job.items()
        }
        first = self.chance.choice(sorted(spans))
        begin, end = spans[first]
        near = [job for job, (a, b) in spans.items() if a < end and b > begin and job != first]
        self.chance.shuffle(near)
        return self.movable_of([name for job in (first, *near) for name in of_job[job]], size)

    def by_end(self, size: int) -> set[str]:
        """What ends last, and what stands before it."""
        last = sorted(self.movable, key=lambda name: -self.plan[name].end)[: max(2, size // 8)]
        return self.ahead_of([self.chance.choice(last)], size)

    def ahead_of(self, chain: list[str], size: int) -> set[str]:
        """A chain, and in turn what it waits for: on its machines and in its jobs."""
        place = {one.operation: (code, index) for code, row in self.order.items() for index, (one, _) in enumerate(row)}
        chosen: dict[str, None] = dict.fromkeys(chain)
        waiting = list(chain)
        while waiting and len(chosen) < size:
            name = waiting.pop(self.chance.randrange(len(waiting)))
            code, index = place[name]
            before = [one.operation for one, _ in self.order[code][max(0, index - 2) : index]]
            for other in [*before, *self.after[name]]:
                if other not in chosen:
                    chosen[other] = None
                    waiting.append(other)
        return self.movable_of(list(chosen), size)

    def movable_of(self, names: Iterable[str], size: int) -> set[str]:
        """The first of those that may be moved."""
        movable = set(self.movable)
        return set([name for name in dict.fromkeys(names) if name in movable][:size])

    def changeovers_of(self, code: str) -> int:
        """What a machine's changeovers cost."""
        machine, row = self.rows.machines[code], self.order[code]
        names = ["", *(one.operation for one, _ in row)]
        return sum(self.rows.between(machine, a, b)[1] for a, b in pairwise(names))

    # ------------------------------------------------------------------------------------------ answers

    def timed(self, model: Model, solver: cp_model.CpSolver) -> tuple[Assignment, ...] | None:
        """The plan of a window's answer: its order, timed by the decoder."""
        starts = {name: solver.value(start) for name, start in model.start.items()}
        ends = {name: solver.value(end) for name, end in model.end.items()}
        on = {name: code for (name, code), here in model.on.items() if here is True or solver.boolean_value(here)}
        ready = {name: max((ends[other] for other in others), default=0) for name, others in self.after.items()}
        position = {operation.id: op for op, operation in enumerate(self.problem.operations)}
        names = [self.problem.operations[op].id for op in self.floor.free]
        # Of a load, the one that is ready last goes first: the others join it.
        names.sort(key=lambda name: (starts[name], -ready[name], position[name]))
        order = np.array([position[name] for name in names], np.int64)
        mode = np.zeros(len(position), np.int64)
        for name in names:
            mode[position[name]] = self.first_mode[position[name]] + self.mode(name, on[name], starts[name])
        out, _ = decoded(self.floor, order, mode)
        found = assignments_of(self.floor, out, mode)
        if len(found) < len(position):
            return None
        return tuple(replace(one, roll=self.plan[one.operation].roll) for one in found)

    def mode(self, name: str, code: str, start: int) -> int:
        """Which of its modes an operation takes that is to be on that machine about then."""
        stands, before = self.plan[name], self.published.get(name)
        overtime = stands.overtime and stands.machine == code
        # Held where it would otherwise slip forward, away from where people expect it.
        held = before is not None and before.machine == code and start <= before.start + self.problem.tolerance_min
        fits = [at for at, mode in enumerate(self.modes[name]) if mode.machine == code and mode.overtime == overtime]
        for at in fits:
            since = self.modes[name][at].not_before
            if (held and since is not None and since <= start) or (not held and since is None):
                return at
        return fits[0]

    def judge(self, assignments: tuple[Assignment, ...] | None) -> bool:
        """Take a plan that costs less and breaks no rule, or as much where makespans count; whether it costs less."""
        if assignments is None:
            return False
        figures = figures_of(self.problem, assignments)
        better = figures.cost < self.figures.cost - 1e-9
        equal = figures.cost <= self.figures.cost and bool(self.problem.weights.makespan)
        if not (better or equal) or faults(self.problem, assignments):
            return False
        self.take(assignments, figures)
        return better
