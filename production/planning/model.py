"""A problem, or a window of a plan, as a CP-SAT model that leaves out only what makes a plan dearer.

Left out, so that every plan of the problem is a solution of the model and costs no less there: that changeovers wait
while a machine is closed and keep clear of bookings (they take clock time here), what overtime costs (it is time like
any other), lots, how loads are formed (the sum alone is kept) and what they are changed over for. So the model's bound
is a bound of the problem, and its solutions are orders that have yet to be timed.

A machine's sequence is a circuit whose arcs are its changeovers; starts and ends are in clock time.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import floor
from typing import Any, Final

from ortools.sat.python import cp_model

from production.planning.openings import Span, merged
from production.planning.plan import sequences
from production.planning.problem import Assignment, Machine, Operation, Problem, stays

SCALES: Final = (1, 2, 10, 100, 1000)
LATER_MIN: Final = 2 * 24 * 60  # so much later than now may an operation of a window be
MAX_PIECES: Final = 40  # of a splittable operation's time; beyond, its pauses are left out

Literal = Any  # a variable of CP-SAT, its negation, or True
Expression = Any  # of integers: a number, a variable, or a sum
Arc = tuple[str, str, cp_model.IntVar]  # before, after ("" is the state the row begins with, or its end), chosen


@dataclass(frozen=True)
class Window:
    """What of a plan may change: `free` operations, anything; `shifting` ones, their time alone; the rest, nothing."""

    plan: Mapping[str, Assignment]
    free: frozenset[str]
    shifting: frozenset[str]
    span: Span  # where free operations may go to other machines


@dataclass
class Model:
    """The model and its variables: starts and ends by operation, who is where, and the changeovers of each machine."""

    cp: cp_model.CpModel
    scale: int
    start: dict[str, Expression] = field(default_factory=dict)
    end: dict[str, Expression] = field(default_factory=dict)
    length: dict[str, Expression] = field(default_factory=dict)
    on: dict[tuple[str, str], Literal] = field(default_factory=dict)
    lasting: list[tuple[Literal, str, str, int]] = field(default_factory=list)  # operation, machine, minutes there
    late: dict[str, cp_model.IntVar] = field(default_factory=dict)  # minutes, by job
    arcs: dict[str, list[Arc]] = field(default_factory=dict)
    changeovers: dict[str, list[tuple[Expression, int]]] = field(default_factory=dict)  # cost, by machine
    terms: list[tuple[Expression, int]] = field(default_factory=list)


@dataclass(frozen=True)
class Piece:
    """Starts from `first` to `last`, both included, with which an operation takes `minutes` on the clock."""

    first: int
    last: int
    minutes: int


def scale_of(problem: Problem) -> int:
    """By what the objective is multiplied to be whole; beyond thousandths it is rounded down."""
    w = problem.weights
    parts = {w.changeover, w.moved, w.makespan} | {w.tardiness * job.weight for job in problem.jobs}
    for matrix in problem.setups.values():
        for one in matrix.attributes:
            costs = {setup.cost for setup in (*one.pairs.values(), one.same, one.other)}
            parts |= {w.money * float(cost) for cost in costs}
    return next((scale for scale in SCALES if all(float(part * scale).is_integer() for part in parts)), SCALES[-1])


def free_time(machine: Machine, *, overtime: bool) -> list[Span]:
    """The stretches in which the machine runs and nobody has booked it."""
    time = merged([*machine.open, *machine.overtime]) if overtime else list(machine.open)
    for taken in machine.taken:
        cut = [piece for a, b in time for piece in ((a, min(b, taken.start)), (max(a, taken.end), b))]
        time = [(a, b) for a, b in cut if a < b]
    return sorted(time)


def pieces(machine: Machine, operation: Operation, *, overtime: bool, within: Span) -> list[Piece]:
    """When an operation may start there, and how long it lasts then, pauses included.

    >>> day = Machine("M", open=((0, 10), (20, 30)))
    >>> pieces(day, Operation("a", "a", {"M": 4}), overtime=False, within=(0, 30))
    [Piece(first=0, last=6, minutes=4), Piece(first=20, last=26, minutes=4)]
    >>> pieces(day, Operation("a", "a", {"M": 4}, splittable=True), overtime=False, within=(2, 30))
    [Piece(first=2, last=6, minutes=4), Piece(first=7, last=9, minutes=14), Piece(first=20, last=26, minutes=4)]
    """
    minutes = operation.minutes[machine.code]
    time = [(a, b) for a, b in free_time(machine, overtime=overtime) if b > within[0] and a < within[1]]
    found = []
    for index, (a, b) in enumerate(time):
        first, pause, more = max(a, within[0]), 0, 0  # more: what stretches after this one give
        for after in range(index, len(time) if operation.splittable else index + 1):
            if after > index:
                shut = (time[after - 1][1], time[after][0])
                if any(taken.start < shut[1] and taken.end > shut[0] for taken in machine.taken):
                    break
                pause += shut[1] - shut[0]
                more += time[after][1] - time[after][0]
            last = min(b - 1 if minutes else b, b + more - minutes, within[1] - minutes - pause)
            if first <= last:
                found.append(Piece(first, last, minutes + pause))
            first = max(first, b + more - minutes + 1)
            if first >= b:
                break
    return found


class Changeovers:
    """The changeovers between operations, and from machines' states, in minutes and in the objective's units."""

    def __init__(self, problem: Problem, scale: int) -> None:
        self.problem, self.scale = problem, scale
        self.machines = {machine.code: machine for machine in problem.machines}
        self.operations = {operation.id: operation for operation in problem.operations}
        self.known: dict[tuple[str, tuple[str, ...], tuple[str, ...]], tuple[int, int]] = {}
        self.values: dict[tuple[str, str], tuple[str, ...]] = {}

    def values_of(self, machine: Machine, operation: str) -> tuple[str, ...]:
        """What an operation asks of a machine; "": what the machine is set for."""
        key = (machine.setups, operation or f"state of {machine.code}")
        if key not in self.values:
            attributes = self.operations[operation].attributes if operation else machine.state
            asked = self.problem.setups[machine.setups].attributes
            self.values[key] = tuple(attributes.get(one.attribute, "") for one in asked)
        return self.values[key]

    def between(self, machine: Machine, before: str, after: str) -> tuple[int, int]:
        """Minutes and cost from one operation to another; before "": from the machine's state."""
        if not machine.setups:
            return 0, 0
        a, b = self.values_of(machine, before), self.values_of(machine, after)
        key = (machine.setups, a, b)
        if key not in self.known:
            matrix = self.problem.setups[machine.setups]
            names = [one.attribute for one in matrix.attributes]
            setup = matrix.between(dict(zip(names, a, strict=True)), dict(zip(names, b, strict=True)))
            w = self.problem.weights
            cost = w.changeover * setup.minutes + w.money * float(setup.cost)
            self.known[key] = setup.minutes, floor(cost * self.scale + 1e-6)
        return self.known[key]


def model_of(problem: Problem, *, latest: Mapping[str, int] | None = None, window: Window | None = None) -> Model:
    """The model of a problem. `latest`: when jobs have to be over, in a plan that is worth looking for.

    With a `window`, of what may change of a plan; what is constant of its cost is left out.
    """
    model = Model(cp_model.CpModel(), scale_of(problem))
    rows = Changeovers(problem, model.scale)
    _place(problem, model, rows, latest or {}, window)
    for operation in problem.operations:
        for after in operation.after:
            model.cp.add(model.start[operation.id] >= model.end[after.operation] + after.gap_min)
    order = sequences(problem, window.plan.values()) if window else {}
    for machine in problem.machines:
        row = [one.operation for one, _ in order.get(machine.code, ())]
        if machine.load:
            _load(problem, model, rows, machine, row, window)
        else:
            _sequence(problem, model, rows, machine, row, window)
    _cost(problem, model, latest or {})
    model.cp.minimize(sum((weight * expression for expression, weight in model.terms), start=0))
    return model


def _place(problem: Problem, model: Model, rows: Changeovers, latest: Mapping[str, int], window: Window | None) -> None:
    """Starts, ends and machines of all operations."""
    jobs = {job.id: job for job in problem.jobs}
    published = {one.operation: one for one in problem.published}
    loads = _loads(rows, window) if window else {}
    for operation in problem.operations:
        name = operation.id
        stands = window.plan[name] if window else None
        if window and stands and name not in window.free and name not in window.shifting:
            model.start[name], model.end[name], model.length[name] = stands.start, stands.end, stands.end - stands.start
            model.on[name, stands.machine] = True
            continue
        codes, fixed = may_be(problem, operation, published.get(name))
        if stands and window and name not in window.free:
            codes = [stands.machine]
        elif window:
            codes = [code for code in codes if not rows.machines[code].load]  # loads stay as they are
        if fixed is not None:
            _fix(model, rows, operation, codes[0], fixed, stands)
            continue
        load = loads.get(name, (name,))
        if load[0] != name:
            continue
        first = problem.start
        for one in (rows.operations[member] for member in load):
            first = max(first, one.release or first, jobs[one.job].release or first)
            first = max(first, cloth_ready(problem, one, window.plan[one.id] if window else None))
        last = latest.get(operation.job, problem.end)
        if window:
            # Nobody looks for what is much later; and the fewer openings there are, the faster is CP-SAT's presolve.
            last = min(last, max(window.span[1], max(window.plan[member].end for member in load)) + LATER_MIN)
        _vary(problem, model, rows, operation, codes, (first, last), stands)
        for member in load[1:]:
            model.start[member], model.end[member], model.length[member] = (
                model.start[name],
                model.end[name],
                model.length[name],
            )
            model.on[member, codes[0]] = True


def _loads(rows: Changeovers, window: Window) -> dict[str, tuple[str, ...]]:
    """The load of each shifting operation that is in one; the longest operation first."""
    together: dict[tuple[str, int], list[str]] = {}
    for name in window.shifting:
        stands = window.plan[name]
        if rows.machines[stands.machine].load:
            together.setdefault((stands.machine, stands.start), []).append(name)
    found: dict[str, tuple[str, ...]] = {}
    for (code, _), load in together.items():
        load.sort(key=lambda name: (-rows.operations[name].minutes[code], not rows.operations[name].splittable, name))
        found |= dict.fromkeys(load, tuple(load))
    return found


def may_be(problem: Problem, operation: Operation, before: Assignment | None) -> tuple[list[str], int | None]:
    """The machines an operation may be on, and its start where that is settled."""
    pin = operation.pin
    if before and (before.machine not in operation.minutes or (pin and pin.machine != before.machine)):
        before = None
    if pin and pin.start is not None:
        return [pin.machine], pin.start
    if before and stays(problem, before):
        return [before.machine], before.start
    if before and problem.slushy_until is not None and before.start < problem.slushy_until:
        return [before.machine], None
    return [pin.machine] if pin else list(operation.minutes), None


def cloth_ready(problem: Problem, operation: Operation, stands: Assignment | None) -> int:
    """When the first roll that would do is there."""
    cloth = operation.cloth
    if cloth is None or not problem.rolls:
        return problem.start
    held = (stands.roll if stands else "") or cloth.roll
    fits = [roll for roll in problem.rolls if roll.code == held or (not held and roll.sku == cloth.sku)]
    return min((roll.ready or problem.start for roll in fits), default=problem.start)


def _fix(
    model: Model, rows: Changeovers, operation: Operation, code: str, start: int, stands: Assignment | None
) -> None:
    """An operation whose start is settled, and its earliest end."""
    end = start + operation.minutes[code]
    if stands:
        end = stands.end
    elif start >= rows.problem.start:
        within = (start, rows.problem.end)
        at = pieces(rows.machines[code], operation, overtime=True, within=within)
        end = start + min((one.minutes for one in at if one.first <= start <= one.last), default=end - start)
    name = operation.id
    model.start[name], model.end[name], model.length[name], model.on[name, code] = start, end, end - start, True


def _vary(
    problem: Problem,
    model: Model,
    rows: Changeovers,
    operation: Operation,
    codes: Sequence[str],
    within: Span,
    stands: Assignment | None,
) -> None:
    """Start, end and machine of an operation that is not at a settled place."""
    cp, name = model.cp, operation.id
    found: dict[str, list[Piece]] = {}
    for code in codes:
        machine = rows.machines[code]
        overtime = stands.overtime if stands else bool(machine.overtime)
        if at := pieces(machine, operation, overtime=overtime, within=within):
            found[code] = at
    if not found:  # it fits nowhere: whoever asked for so early an end has his answer
        cp.add_bool_or([])
        found = {code: [Piece(within[0], within[0], operation.minutes[code])] for code in codes}
    every = [piece for one in found.values() for piece in one]
    starts = cp_model.Domain.from_intervals([[piece.first, piece.last] for piece in every])
    start = model.start[name] = cp.new_int_var_from_domain(starts, f"start {name}")
    lengths = sorted({piece.minutes for piece in every})
    if len(lengths) == 1:
        model.length[name] = lengths[0]
        model.end[name] = start + lengths[0]
    else:
        length = model.length[name] = cp.new_int_var_from_domain(cp_model.Domain.from_values(lengths), f"length {name}")
        ends = cp_model.Domain.from_intervals([[one.first + one.minutes, one.last + one.minutes] for one in every])
        model.end[name] = cp.new_int_var_from_domain(ends, f"end {name}")
        cp.add(model.end[name] == start + length)
    for code, at in found.items():
        here: Literal = True if len(found) == 1 else cp.new_bool_var(f"{name} on {code}")
        model.on[name, code] = here
        _bind(model, name, code, at, only=len(found) == 1, one_length=len(lengths) == 1)
    if len(found) > 1:
        cp.add_exactly_one([model.on[name, code] for code in found])


def _bind(model: Model, name: str, code: str, at: list[Piece], *, only: bool, one_length: bool) -> None:
    """That an operation which is there starts and lasts as one of its pieces says."""
    cp, start, here = model.cp, model.start[name], model.on[name, code]
    by_length: dict[int, list[list[int]]] = {}
    for piece in at:
        by_length.setdefault(piece.minutes, []).append([piece.first, piece.last])
    if len(by_length) > MAX_PIECES:
        cp.add(model.length[name] >= min(by_length)).only_enforce_if(here)
        return
    chosen = []
    for minutes, spans in by_length.items():
        one = here if len(by_length) == 1 else cp.new_bool_var("")
        chosen.append(one)
        model.lasting.append((one, name, code, minutes))
        if not (only and len(by_length) == 1):
            domain = cp_model.Domain.from_intervals(spans)
            cp.add_linear_expression_in_domain(start, domain).only_enforce_if(one)
        if not one_length:
            cp.add(model.length[name] == minutes).only_enforce_if(one)
    if len(chosen) > 1:
        cp.add_exactly_one([*chosen, *([] if here is True else [~here])])


def _sequence(
    problem: Problem, model: Model, rows: Changeovers, machine: Machine, row: list[str], window: Window | None
) -> None:
    """Who follows whom on a machine, with the changeovers between."""
    cp = model.cp
    code = machine.code
    able = [
        one.id for one in problem.operations if (one.id, code) in model.on and (not window or one.id in window.free)
    ]
    since = {name: start for name in able if isinstance(start := model.start[name], int) and start < problem.start}
    running = sorted(since, key=lambda name: since[name])
    if window:
        first, last = _place_in_row(row, able, window)
        before = row[:first] or [""]
        after = row[last:]
        nodes = [*row[first:last], *(name for name in able if name not in set(row[first:last]))]
        for a, b in pairwise(before):
            _keep(model, rows, machine, a, b)
        for a, b in pairwise(after):
            _keep(model, rows, machine, a, b)
        if not able:
            if before[-1] and after:
                _keep(model, rows, machine, before[-1], after[0])
            return
        fixed = [name for name in row[first:last] if name not in window.free]
        previous, following = before[-1], after[0] if after else ""
    else:
        nodes = [name for name in able if name not in running]
        fixed, previous, following = [], running[-1] if running else "", ""
    if not nodes:
        return
    intervals = [_interval(model, name, code) for name in nodes]
    if previous and not window:
        intervals += [_interval(model, name, code) for name in running]
    cp.add_no_overlap(intervals)
    if not machine.setups:
        for name in nodes:
            here = model.on[name, code]
            if previous and window:
                cp.add(model.start[name] >= model.end[previous]).only_enforce_if(here)
            if following:
                cp.add(model.start[following] >= model.end[name]).only_enforce_if(here)
        for a, b in pairwise(fixed):
            cp.add(model.start[b] >= model.end[a])
        return
    _circuit(model, rows, machine, nodes, fixed, previous, following)


def _place_in_row(row: list[str], able: list[str], window: Window) -> tuple[int, int]:
    """The part of a row that is open: from its first free operation to its last, or what lies in the window's span."""
    chosen = set(able)
    places = [index for index, name in enumerate(row) if name in chosen]
    if places:
        return places[0], places[-1] + 1
    first = next((i for i, name in enumerate(row) if window.plan[name].end > window.span[0]), len(row))
    last = next((i for i, name in enumerate(row) if window.plan[name].start >= window.span[1]), len(row))
    return first, max(first, last)


def _keep(model: Model, rows: Changeovers, machine: Machine, before: str, after: str) -> None:
    """That what stands one after the other in a row stays so."""
    if not before:
        return
    a, b = model.end[before], model.start[after]
    if isinstance(a, int) and isinstance(b, int):
        return
    model.cp.add(b >= a + rows.between(machine, before, after)[0])


def _interval(model: Model, name: str, code: str) -> cp_model.IntervalVar:
    start, size, end, here = model.start[name], model.length[name], model.end[name], model.on[name, code]
    return model.cp.new_optional_interval_var(start, size, end, here, f"{name} on {code}")


def _circuit(
    model: Model, rows: Changeovers, machine: Machine, nodes: list[str], fixed: list[str], previous: str, following: str
) -> None:
    """The sequence of `nodes` between what is before and after them; `fixed` ones keep their order."""
    cp, code = model.cp, machine.code
    place = {name: number for number, name in enumerate(fixed)}
    arcs: list[tuple[int, int, Literal]] = []
    chosen: list[Arc] = []
    cost: list[tuple[Expression, int]] = []

    def arc(i: int, j: int, before: str, after: str) -> None:
        literal = cp.new_bool_var("")
        arcs.append((i, j, literal))
        chosen.append((before if i else "", after if j else "", literal))
        if not after:
            return
        minutes, price = rows.between(machine, before, after)
        if price:
            cost.append((literal, price))
        if before:
            cp.add(model.start[after] >= model.end[before] + minutes).only_enforce_if(literal)
        elif minutes and not isinstance(model.start[after], int):  # what is frozen may be changed over for already
            cp.add(model.start[after] >= rows.problem.start + minutes).only_enforce_if(literal)

    for i, name in enumerate(nodes, 1):
        here = model.on[name, code]
        if name not in place or place[name] == 0:
            arc(0, i, previous, name)
        if name not in place or place[name] == len(fixed) - 1:
            arc(i, 0, name, following)
        if here is not True:
            arcs.append((i, i, ~here))
        for j, other in enumerate(nodes, 1):
            apart = name in place and other in place and place[other] != place[name] + 1
            if i != j and not apart:
                arc(i, j, name, other)
    if not any(model.on[name, code] is True for name in nodes):
        literal = cp.new_bool_var("")  # nobody is here
        arcs.append((0, 0, literal))
        if following:
            minutes, price = rows.between(machine, previous, following)
            cost.append((literal, price))
            if previous:
                cp.add(model.start[following] >= model.end[previous] + minutes).only_enforce_if(literal)
    cp.add_circuit(arcs)
    model.arcs[code] = chosen
    model.changeovers[code] = cost
    model.terms += cost


def _load(
    problem: Problem, model: Model, rows: Changeovers, machine: Machine, row: list[str], window: Window | None
) -> None:
    """That what is in a machine at once never sums up to more than a load; in a window, that loads stay in order."""
    if window is None:
        able = [one for one in problem.operations if (one.id, machine.code) in model.on]
        intervals = [_interval(model, one.id, machine.code) for one in able]
        model.cp.add_cumulative(intervals, [one.load for one in able], machine.load)
        return
    firsts: dict[int, str] = {}
    for name in row:
        firsts.setdefault(window.plan[name].start, name)
    for before, after in pairwise(firsts.values()):
        _keep(model, rows, machine, before, after)


def _cost(problem: Problem, model: Model, latest: Mapping[str, int]) -> None:
    """What is paid for besides changeovers: lateness, what has moved, the makespan."""
    cp, w, scale = model.cp, problem.weights, model.scale
    ends: dict[str, list[Expression]] = {}
    for operation in problem.operations:
        ends.setdefault(operation.job, []).append(model.end[operation.id])
    for job in problem.jobs:
        weight = floor(w.tardiness * job.weight * scale + 1e-6)
        if job.due is None or not weight or all(isinstance(end, int) for end in ends.get(job.id, [])):
            continue
        late = model.late[job.id] = cp.new_int_var(0, max(0, problem.end - job.due), f"late {job.id}")
        for end in ends[job.id]:
            cp.add(late >= end - job.due)
        model.terms.append((late, weight))
    if moved := floor(w.moved * scale + 1e-6):
        for before in problem.published:
            _moved(problem, model, before, moved)
    if makespan := floor(w.makespan * scale + 1e-6):
        last = cp.new_int_var(problem.start, problem.end, "makespan")
        for each in ends.values():
            for end in each:
                cp.add(last >= end)
        model.terms.append((last - problem.start, makespan))


def _moved(problem: Problem, model: Model, before: Assignment, weight: int) -> None:
    """What it costs where an operation is not where it was published."""
    cp, name = model.cp, before.operation
    if name not in model.start:
        return  # it is gone
    here = model.on.get((name, before.machine))
    start = model.start[name]
    far = isinstance(start, int) and abs(start - before.start) > problem.tolerance_min
    if here is None or far:
        model.terms.append((1, weight))
        return
    stays = cp.new_bool_var(f"{name} stays")
    if here is not True:
        cp.add_implication(stays, here)
    cp.add(start >= before.start - problem.tolerance_min).only_enforce_if(stays)
    cp.add(start <= before.start + problem.tolerance_min).only_enforce_if(stays)
    model.terms.append((1 - stays, weight))


def hint(model: Model, problem: Problem, assignments: Iterable[Assignment]) -> None:
    """Tell the model of a plan: its times, its machines and its sequences."""
    plan = {one.operation: one for one in assignments}
    hints: dict[int, tuple[cp_model.IntVar, int]] = {}

    def say(what: Expression, value: int) -> None:
        if isinstance(what, cp_model.IntVar):  # other expressions follow from them
            hints[what.index] = (what, value)

    for name, one in plan.items():
        say(model.start[name], one.start)
        say(model.end[name], one.end)
        say(model.length[name], one.end - one.start)
    for (name, code), here in model.on.items():
        say(here, plan[name].machine == code)
    for literal, name, code, minutes in model.lasting:
        say(literal, plan[name].machine == code and plan[name].end - plan[name].start == minutes)
    jobs = {job.id: job for job in problem.jobs}
    ends: dict[str, int] = {}
    for operation in problem.operations:
        ends[operation.job] = max(ends.get(operation.job, problem.start), plan[operation.id].end)
    for id, late in model.late.items():
        say(late, max(0, ends[id] - (jobs[id].due or 0)))
    rows = {code: [one.operation for one, _ in row] for code, row in sequences(problem, plan.values()).items()}
    for code, arcs in model.arcs.items():
        inside = {name for before, after, _ in arcs for name in (before, after) if name}
        row = [name for name in rows[code] if name in inside]
        pairs = set(pairwise(["", *row, ""])) if row else set()
        for before, after, literal in arcs:
            say(literal, (before, after) in pairs)
    for variable, value in hints.values():
        model.cp.add_hint(variable, value)
