"""A good plan in the time there is: from a rule or from an older plan, by annealing on all cores, then polished.

The search runs in cycles, each twice as long as the one before: heated up from the best plan known, cooled down, the
best of all chains handed to each. The clock is only looked at between chunks of a cycle; what was done is written down
as the plan's `effort`, with which the same plan comes again.
"""

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from heapq import heappop, heappush
from threading import Thread
from typing import Final

import numpy as np

from production.planning.decoder import OUT, ROW, decoded
from production.planning.floor import Floor, Ints, Mode, Packed, floor_of
from production.planning.parallel import Rows, is_parallel, rows_of
from production.planning.plan import Plan, figures_of
from production.planning.polish import polish as polish_windows
from production.planning.problem import After, Assignment, Job, Machine, Operation, Problem
from production.planning.rolls import rolled
from production.planning.rules import first_order, forward, plan_of
from production.planning.search import Chain, chain_of, put_in

_CHUNK_S: Final = 0.05
_SAMPLES: Final = 400
_FIRST_CYCLE: Final = 100  # moves to an operation
# The temperatures a cycle begins and ends with, as parts of what a move costs in the middle: of chains over one order,
# and of chains over the machines' rows, where most moves cost much.
_HEAT: Final = (0.5, 0.002)
_ROWS_HEAT: Final = (0.03, 0.0025)
_POLISH: Final = 0.3  # of the time, where windows are a good part of the plan
_POLISH_LARGE: Final = 0.1
_LARGE: Final = 400  # operations
_GRACE_S: Final = 0.3  # in which a polish that is told to stop does
_NONE: Final = np.zeros(0)


def solve(
    problem: Problem,
    *,
    seconds: float = 10.0,
    effort: Sequence[int] | None = None,
    seed: int = 0,
    chains: int | None = None,
    start: Plan | Iterable[Assignment] | None = None,
    on_better: Callable[[Plan], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    polish: bool = True,
) -> Plan:
    """The best plan that is found in `seconds`, or by `effort`: the moves of each cycle, as a plan records them.

    By effort no clock is looked at and nothing is polished: the same problem, seed, effort and chains give the same
    plan. A negative number says after how many moves the cycle before it was stopped. `start`: a plan to begin with,
    perhaps of an older problem; what is no longer there is left out, what is new is put in where it costs least.
    `cancelled` is asked several times a second; then the best so far is returned. `on_better` gets each better plan.
    Where the problem has rolls, each print length is cut from one before anything is planned. Raises NoSlot where
    something finds no place before the problem's end, NotEnoughRolls.
    """
    deadline = time.monotonic() + seconds
    problem = rolled(problem)
    floor = floor_of(problem)
    by = ""
    if start is None:
        by, order, mode = first_order(floor)
    else:
        order, mode = _warm(floor, tuple(start.assignments if isinstance(start, Plan) else start))
    if not floor.free:
        return plan_of(floor, order, mode, by=by)
    count = chains or _cores()
    polish = polish and effort is None and not is_parallel(floor)
    part = (_POLISH if len(floor.free) < _LARGE else _POLISH_LARGE) if polish else 0.0
    make = rows_of if is_parallel(floor) else chain_of
    search = _Search(floor, [make(floor, order, mode, seed=seed, number=at) for at in range(count)], seed)
    asked = cancelled or (lambda: False)
    with ThreadPoolExecutor(count) as pool:
        if effort is not None:
            search.repeat(pool, effort, on_better)
        else:
            search.run(pool, deadline - part * seconds, on_better, asked)
    plan = search.plan()
    if polish and not asked():
        polished = _polished(problem, plan, deadline, count, asked)
        if polished.figures.cost < plan.figures.cost - 1e-9:
            plan = polished
            if on_better is not None:
                on_better(plan)
    return plan


def _polished(problem: Problem, plan: Plan, deadline: float, workers: int, cancelled: Callable[[], bool]) -> Plan:
    """The plan polished until the deadline, and not waited for any longer."""
    found: list[tuple[Assignment, ...]] = []

    def over() -> bool:
        return time.monotonic() >= deadline or cancelled()

    def work() -> None:
        left = deadline - time.monotonic()
        found.append(
            polish_windows(problem, plan.assignments, seconds=left, seed=plan.seed, cancelled=over, workers=workers)
        )

    thread = Thread(target=work, name="polish", daemon=True)
    thread.start()
    while thread.is_alive() and not over():
        thread.join(_CHUNK_S)
    thread.join(_GRACE_S)
    if not found:
        return plan
    return replace(plan, assignments=found[0], figures=figures_of(problem, found[0]), by="search, polished")


def _cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def prepare() -> None:
    """Compile the search, or load it from where it was kept: once when a worker starts, never in a request."""
    operations = tuple(
        Operation(str(number), "J", {"M": 10, "N": 12}, attributes={"fabric": str(number % 2)}) for number in range(4)
    )
    machines = tuple(Machine(code, ((0, 200),)) for code in "MN")
    problem = Problem(0, 200, machines, (Job("J", due=30),), operations)
    routes = replace(
        problem,
        operations=tuple(
            replace(one, after=(After(str(number - 1)),) if number else ()) for number, one in enumerate(operations)
        ),
    )
    rows = replace(
        problem,
        jobs=tuple(Job(one.id) for one in operations),
        operations=tuple(replace(one, job=one.id) for one in operations),
    )
    for each in (routes, rows):
        plan = solve(each, effort=(64,), chains=1)
        solve(each, effort=(64,), chains=1, start=plan.assignments[:2])
    forward(routes)


@dataclass
class _Search:
    """Chains that run side by side, and what was done so far."""

    floor: Floor
    chains: Sequence[Chain | Rows]
    seed: int

    def __post_init__(self) -> None:
        self.effort: list[int] = []
        self.rise = 0.0
        self.told = float("inf")

    def run(
        self,
        pool: ThreadPoolExecutor,
        deadline: float,
        on_better: Callable[[Plan], None] | None,
        cancelled: Callable[[], bool],
    ) -> None:
        """Cycle after cycle until the deadline; the last is made to fit."""
        length = _FIRST_CYCLE * len(self.floor.free)
        chunk, begun = 500, time.monotonic()
        while not cancelled():
            now = time.monotonic()
            left = deadline - now
            if self.effort:
                if left < 2 * _CHUNK_S:
                    return
                rate = self.effort[-1] / (now - begun)
                chunk = max(64, int(rate * _CHUNK_S))
                fitting = int(rate * left * 0.98)
                length = length * 2
                if fitting < length * 1.6:
                    length = max(64, fitting)
            begun = now
            done = 0
            for upto in self._cycle(pool, length, chunk):
                done = upto
                self._tell(on_better)
                if time.monotonic() >= deadline or cancelled():
                    break
            self.effort.append(length)
            if done < length:
                self.effort.append(-done)
                return

    def repeat(self, pool: ThreadPoolExecutor, effort: Sequence[int], on_better: Callable[[Plan], None] | None) -> None:
        """The cycles of an effort."""
        for at, length in enumerate(effort):
            if length <= 0:
                continue
            stopped = -effort[at + 1] if at + 1 < len(effort) and effort[at + 1] <= 0 else length
            for _ in self._cycle(pool, length, stopped, stopped):
                self._tell(on_better)
        self.effort = list(effort)

    def _cycle(self, pool: ThreadPoolExecutor, length: int, chunk: int, stop: int | None = None) -> Iterator[int]:
        """One cycle from the best plan known, in all chains; how many moves are done, chunk after chunk."""
        packed = self.floor.packed
        _, order, mode = self._best()
        order, mode = order.copy(), mode.copy()
        for chain in self.chains:
            chain.go_on(packed, order, mode)
        if not self.rise:
            self.rise = self._rise()
        hot, cold = (part * self.rise for part in (_ROWS_HEAT if isinstance(self.chains[0], Rows) else _HEAT))
        stop = length if stop is None else stop
        for first in range(0, stop, max(1, chunk)):
            upto = min(stop, first + chunk)
            step = partial(_step, packed, first=first, stop=upto, moves=length, hot=hot, cold=cold)
            running: list[Future[int]] = [pool.submit(step, chain) for chain in self.chains]
            for one in running:
                one.result()
            yield upto

    def _rise(self) -> float:
        """What a move costs that costs something, in the middle."""
        rises = np.zeros(_SAMPLES)
        self.chains[0].anneal(self.floor.packed, first=0, stop=_SAMPLES, moves=_SAMPLES, hot=1.0, cold=1.0, rises=rises)
        rises = rises[(rises > 1e-6) & (rises < self.floor.tables.missing)]
        return float(np.median(rises)) if len(rises) else 1.0

    def _best(self) -> tuple[float, Ints, Ints]:
        return min((chain.best() for chain in self.chains), key=lambda one: one[0])

    def _tell(self, on_better: Callable[[Plan], None] | None) -> None:
        cost = self._best()[0]
        if on_better is not None and cost < min(self.told, self.floor.tables.missing):
            self.told = cost
            on_better(self.plan())

    def plan(self) -> Plan:
        """The best plan so far. Raises NoSlot where it is not complete."""
        _, order, mode = self._best()
        plan = plan_of(self.floor, order, mode, by="search")
        return replace(plan, seed=self.seed, effort=tuple(self.effort))


def _step(packed: Packed, chain: Chain | Rows, *, first: int, stop: int, moves: int, hot: float, cold: float) -> int:
    return chain.anneal(packed, first=first, stop=stop, moves=moves, hot=hot, cold=cold, rises=_NONE)


# ---------------------------------------------------------------------------------------------- a plan to begin with


def _warm(floor: Floor, assignments: Sequence[Assignment]) -> tuple[Ints, Ints]:
    """The order and modes of an older plan, with what is new put in."""
    problem, t = floor.problem, floor.tables
    position = {operation.id: op for op, operation in enumerate(problem.operations)}
    free = set(floor.free)
    starts: dict[int, int] = {}
    mode = t.mode_first[:-1].copy()
    held = mode.copy()
    for one in assignments:
        op = position.get(one.operation, -1)
        if op not in free:
            continue
        modes = range(int(t.mode_first[op]), int(t.mode_first[op + 1]))
        fitting = [at for at in modes if _is_as(floor.modes[at], one)]
        if fitting:
            starts[op] = one.start
            mode[op], held[op] = fitting[0], fitting[-1]
    order = _by_start(floor, starts)
    known = [op for op in order if op in starts]
    result = np.zeros(len(order), np.int64)
    result[: len(known)] = known
    if len(known) == len(order) and decoded(floor, result, held)[1] < decoded(floor, result, mode)[1]:
        return result, held
    rows = np.zeros((len(problem.machines), ROW), np.int64)
    out = np.zeros((len(problem.operations), OUT), np.int64)
    for count, op in enumerate((op for op in order if op not in starts), len(known)):
        put_in(*floor.packed, result, mode, rows, out, count, op)
    return result, mode


def _is_as(mode: Mode, one: Assignment) -> bool:
    return mode.machine == one.machine and mode.overtime == one.overtime


def _by_start(floor: Floor, starts: dict[int, int]) -> list[int]:
    """The operations that are searched for, each after those it waits for, otherwise by start; what is new is late."""
    t = floor.tables
    free = set(floor.free)
    before = {op: {int(one) for one in t.pred_op[t.pred_first[op] : t.pred_first[op + 1]]} & free for op in floor.free}
    left = {op: len(ops) for op, ops in before.items()}
    heap: list[tuple[int, int]] = []
    for op, count in left.items():
        if not count:
            heappush(heap, (starts.get(op, floor.problem.end), op))
    order: list[int] = []
    while heap:
        _, op = heappop(heap)
        order.append(op)
        for after in {int(one) for one in t.succ_op[t.succ_first[op] : t.succ_first[op + 1]]} & free:
            left[after] -= 1
            if not left[after]:
                heappush(heap, (starts.get(after, floor.problem.end), after))
    return order
