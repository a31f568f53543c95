"""How long a promise takes, and whether it holds: `python -m tests.benchmarks.promise`.

Six steps over calendars and bookings; jobs put into the gaps of a plan of 1000 operations; and 10 000 jobs put into
plans of 200, each judged by the validator; what a job gains if others make room; and the answers to a breakdown.
"""

import random
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from inventory_sync.ports import Booking, Calendar
from production.planning.confidence import Stage, confident
from production.planning.errors import NoSlot
from production.planning.insertion import Gaps, gaps_of, insert, inserted, with_job
from production.planning.openings import moment_of
from production.planning.plan import figures_of
from production.planning.problem import After, Assignment, Job, Operation, Problem
from production.planning.promise import RouteStep, promise
from production.planning.replan import breakdown, continued, earliest_if_resequenced, replan, touched
from production.planning.rules import first_plan
from production.planning.solve import prepare, solve
from production.planning.validate import faults
from tests.benchmarks.planning_instances import ONE_SHIFT, ROUND_THE_CLOCK, textile
from tests.benchmarks.planning_instances import TWO_SHIFTS as PRINTERS_SHIFTS

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = Calendar("Europe/Paris", (((8.0, 12.0), (13.0, 17.0)),) * 5 + ((), ()))
TWO_SHIFTS = Calendar("Europe/Paris", (((6.0, 14.0), (14.0, 22.0)),) * 5 + ((), ()))
CALENDARS = {
    "PRT1": TWO_SHIFTS,
    "PRT2": TWO_SHIFTS,
    "STEAM": TWO_SHIFTS,
    **dict.fromkeys(["PRET", "WASH", "STENT", "CUT"], DAY),
}
ROUTE = [
    RouteStep("Pretreat", ("PRET",), {"PRET": 32}),
    RouteStep("Print", ("PRT1", "PRT2"), {"PRT1": 28, "PRT2": 28}),
    RouteStep("Steam", ("STEAM",), {"STEAM": 30}),
    RouteStep("Wash", ("WASH",), {"WASH": 22}),
    RouteStep("Stenter", ("STENT",), {"STENT": 21}),
    RouteStep("Inspect and cut", ("CUT",), {"CUT": 12}),
]


def bookings(count: int, *, seed: int = 1) -> list[Booking]:
    """Operations of 20 to 90 minutes, spread over the work centres and the next six weeks."""
    chance = random.Random(seed)
    taken = []
    for number in range(count):
        start = NOW + timedelta(minutes=chance.randrange(6 * 7 * 24 * 60))
        end = start + timedelta(minutes=chance.randrange(20, 91))
        taken.append(Booking(chance.choice(sorted(CALENDARS)), start, end, f"OTHER-{number}"))
    return taken


def microseconds(count: int, *, runs: int = 200) -> tuple[float, float]:
    """(median, 95th percentile) of one promise with so many bookings, the binding constraint included."""
    taken = bookings(count)
    times = []
    for number in range(runs):
        now = NOW + timedelta(minutes=37 * number)
        began = time.perf_counter()
        promise(ROUTE, calendars=CALENDARS, bookings=taken, now=now)
        times.append((time.perf_counter() - began) * 1e6)
    return statistics.median(times), statistics.quantiles(times, n=20)[-1]


def jobs_of(problem: Problem, *, name: str = "NEW") -> Iterator[tuple[Job, tuple[Operation, ...]]]:
    """The jobs of a shop as new ones, released at once."""
    routes: dict[str, list[Operation]] = {}
    for one in problem.operations:
        routes.setdefault(one.job, []).append(one)
    for job, route in routes.items():
        id = f"{name}-{job}"
        names = {one.id: f"{id}.{number}" for number, one in enumerate(route)}
        yield (
            Job(id),
            tuple(
                replace(
                    one, id=names[one.id], job=id, after=tuple(After(names[b.operation], b.gap_min) for b in one.after)
                )
                for one in route
            ),
        )


def filled(problem: Problem, *, seed: int) -> tuple[Problem, tuple[Assignment, ...]]:
    """A plan with gaps: order by order, each not before a minute that is drawn."""
    chance = random.Random(seed)
    gaps = gaps_of(problem, ())
    found: dict[str, Assignment] = {}
    for job in problem.jobs:
        operations = [one for one in problem.operations if one.job == job.id]
        ready = problem.start + chance.randrange(14 * 24 * 60)
        result = insert(gaps, operations, ready=ready)
        found |= {one.operation: one for one in (*result.displaced, *result.assignments)}
        gaps = result.gaps
    return problem, tuple(found[one.id] for one in problem.operations)


def fits(operations: Sequence[Operation], problem: Problem) -> tuple[Operation, ...] | None:
    """The operations with the machines that the shop has; None where it has none for one of them."""
    codes = {machine.code for machine in problem.machines}
    kept = tuple(
        replace(one, minutes={code: minutes for code, minutes in one.minutes.items() if code in codes})
        for one in operations
    )
    return kept if all(one.minutes for one in kept) else None


def index(count: int = 1000) -> Gaps:
    """The gaps of a plan of so many operations."""
    return gaps_of(*filled(textile(count, seed=1), seed=1))


def insertion_microseconds(gaps: Gaps) -> tuple[float, float, float]:
    """(median, 95th, 99th percentile) of putting a job into the gaps of a plan."""
    times = []
    for job, operations in jobs_of(textile(1000, seed=2)):
        began = time.perf_counter()
        insert(gaps, operations, job=job)
        times.append((time.perf_counter() - began) * 1e6)
    return statistics.median(times), statistics.quantiles(times, n=20)[-1], statistics.quantiles(times, n=100)[-1]


def published_microseconds(gaps: Gaps) -> tuple[float, float]:
    """(median, 95th percentile) of a promise over a published plan, its calendars and the words included."""
    shifts = {"printer": PRINTERS_SHIFTS, "loom": ROUND_THE_CLOCK}
    machines = gaps.problem.machines
    calendars = {one.code: shifts.get(one.code.split("-")[0], ONE_SHIFT) for one in machines}
    now = moment_of(gaps.problem.start)
    # As they were written to the ERP.
    written = [
        Booking(code, moment_of(block.start), moment_of(block.end), block.assignments[0].operation, mine=True)
        for code, row in gaps.rows.items()
        for block in row.blocks
    ]
    times = []
    for _, operations in jobs_of(textile(1000, seed=2)):
        route = [
            RouteStep(
                one.name,
                tuple(one.minutes),
                one.minutes,
                splittable=one.splittable,
                attributes=one.attributes,
                load=one.load,
            )
            for one in operations
        ]
        began = time.perf_counter()
        promise(route, calendars=calendars, bookings=written, now=now, published=gaps)
        times.append((time.perf_counter() - began) * 1e6)
    return statistics.median(times), statistics.quantiles(times, n=20)[-1]


def infeasible(count: int = 10_000, *, operations: int = 200) -> tuple[int, int]:
    """(infeasible, tried): jobs put into plans of so many operations, half of them with loads; nobody may move."""
    tried = bad = seed = 0
    while tried < count:
        seed += 1
        problem, plan = filled(textile(operations, seed=seed, loads=seed % 2 == 0), seed=seed)
        stands = {one.operation: (one.machine, one.start, one.end) for one in plan}
        gaps, chance = gaps_of(problem, plan), random.Random(seed)
        drawn = [each for number in range(5) for each in jobs_of(textile(operations, seed=1000 * seed + number))]
        for job, route in drawn:
            kept = fits(route, problem)
            if kept is None or tried == count:
                continue
            try:
                found = insert(gaps, kept, job=job, ready=problem.start + chance.randrange(14 * 24 * 60))
            except NoSlot:
                continue
            tried += 1
            after = inserted(problem, plan, found)
            moved = any(
                stands.get(one.operation, at) != at for one in after for at in [(one.machine, one.start, one.end)]
            )
            bad += moved or bool(faults(with_job(problem, job, kept), after))
    return bad, tried


@dataclass(frozen=True)
class Answered:
    """How a breakdown was answered: seconds, share of the untouched that moves, cost against a free optimisation."""

    seconds: float
    moved: float
    dearer: float


def answered(seed: int, *, operations: int = 200, seconds: float = 4.0, published_s: float = 10.0) -> Answered:
    """Ten hours' breakdown of the printer that is busiest then, in the third day of a plan, two hours frozen."""
    whole = textile(operations, seed=seed)
    plan = solve(whole, seconds=published_s, seed=seed)
    now = whole.start + (2 * 24 + 4) * 60
    while any(one.changeover < now <= one.start for one in plan.assignments):
        now += 1  # to when no machine is being changed over
    left = continued(whole, plan, now)
    left = replace(left, frozen_until=max(now + 120, left.frozen_until or 0))
    busy = {machine.code: 0 for machine in left.machines if machine.code.startswith("printer")}
    for one in left.published:
        if one.machine in busy:
            busy[one.machine] += max(0, min(one.end, now + 600) - max(one.start, now))
    after = breakdown(left, max(busy, key=lambda code: busy[code]), now, now + 600)
    began = time.perf_counter()
    answer = replan(after, left.published, seconds=seconds, seed=seed)
    took = time.perf_counter() - began
    stays = {one.operation for one in left.published} - touched(after, left.published)
    moved = {move.operation for move in answer.best.difference.moved} & stays
    free = replace(after, weights=replace(after.weights, moved=0.0))
    best = min(solve(free, seconds=seconds, seed=seed, start=start).figures.cost for start in (left.published, None))
    cost = figures_of(free, answer.best.plan.assignments).cost
    return Answered(took, len(moved) / len(stays), cost / best - 1)


def resequenced_seconds(*, operations: int = 1000, runs: int = 5) -> tuple[float, float]:
    """(longest seconds, median of hours gained) of asking what a job gains if others make room."""
    problem = textile(operations, seed=1)
    plan = first_plan(problem)
    times, gains = [], []
    for job, route in list(jobs_of(textile(operations, seed=2)))[:runs]:
        grown = with_job(problem, job, route)
        began = time.perf_counter()
        found = earliest_if_resequenced(grown, plan, job.id)
        times.append(time.perf_counter() - began)
        gains.append(found.gain_min / 60)
    return max(times), statistics.median(gains)


def confident_milliseconds() -> float:
    """Milliseconds of P50 and P90 of six stages and 400 samples."""
    days = tuple((day * 1440 + 480, day * 1440 + 960) for day in range(120))
    stages = [Stage("print", 500 * number, 60, days, after=((number - 1, 5),) if number else ()) for number in range(6)]
    times = []
    for seed in range(50):
        began = time.perf_counter()
        confident(stages, {}, seed=seed)
        times.append((time.perf_counter() - began) * 1e3)
    return statistics.median(times)


def figures() -> Iterator[tuple[str, str]]:
    """What is measured of promises over a published plan, and its value."""
    gaps = index()
    median, p95, p99 = insertion_microseconds(gaps)
    yield "a job put into 1000 operations", f"median {median:.0f} µs, p95 {p95:.0f} µs, p99 {p99:.0f} µs"
    median, p95 = published_microseconds(gaps)
    yield "promise over 1000 planned operations", f"median {median / 1000:.1f} ms, p95 {p95 / 1000:.1f} ms"
    bad, tried = infeasible()
    yield "insertions that the validator refuses", f"{bad} of {tried}"
    yield "P50 and P90 of six stages, 400 samples", f"median {confident_milliseconds():.1f} ms"
    prepare()
    longest, gain = resequenced_seconds()
    yield "earliest if resequenced, 1000 operations", f"longest {longest:.2f} s, median gain {gain:.0f} h"
    each = [answered(seed) for seed in (1, 2, 3)]
    yield (
        "replan of 200 operations, longest of 3",
        f"{max(one.seconds for one in each):.1f} s, {max(one.moved for one in each):.0%} of the untouched moved, "
        f"{max(one.dearer for one in each):.1%} dearer than free",
    )


if __name__ == "__main__":
    for count in (0, 100, 1000):
        median, worst = microseconds(count)
        print(f"promise of 6 steps, {count:>4} bookings: median {median:6.0f} us, p95 {worst:6.0f} us")
    for what, figure in figures():
        print(f"{what}: {figure}")
