"""Instances for planning: textile shops, unrelated machines with setups, job shops. Every one is made from its seed.

`textile` follows what a shop for bespoke textiles looks like: many short print jobs on few fabrics and inks, few long
weaving jobs on fewer warps. The two classic kinds are here because the literature says what a good plan of them is.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from math import ceil
from pathlib import Path
from typing import Final

from inventory_sync.ports import Calendar, Window
from production.planning.openings import Span, minute_after, moment_of, openings
from production.planning.problem import (
    ANY,
    After,
    AttributeSetups,
    Job,
    Machine,
    Operation,
    Problem,
    Setup,
    SetupMatrix,
    Weights,
)

# ---------------------------------------------------------------------------------------------- a textile shop

TZ: Final = "Europe/Paris"
MONDAY: Final = datetime(2026, 11, 23, 5, tzinfo=UTC)  # 06:00 in Paris
WEEKS: Final = 16
TWO_SHIFTS: Final = Calendar(TZ, (((6.0, 14.0), (14.0, 22.0)),) * 5 + ((), ()))
ONE_SHIFT: Final = Calendar(TZ, (((6.0, 14.0),),) * 5 + ((), ()))
ROUND_THE_CLOCK: Final = Calendar(TZ, (((0.0, 24.0),),) * 7)
MAINTENANCE_H: Final = 4

FABRICS: Final = tuple(f"fabric-{n}" for n in range(1, 11))
WIDE: Final = frozenset(FABRICS[-2:])  # the first printer is too narrow for them
INKS: Final = ("reactive", "acid", "disperse", "pigment")
STEAM: Final = {"reactive": "saturated", "acid": "saturated", "disperse": "superheated", "pigment": "dry"}
WARPS: Final = ("cotton-fine", "cotton-coarse", "wool", "silk", "linen")
MANY_HOOKS: Final = frozenset({"silk"})  # the first loom has too few hooks for it
PRIORITIES: Final = ((1, 50), (2, 30), (4, 15), (10, 5))  # weight, and how many of a hundred orders

SETUPS: Final = {
    "printer": SetupMatrix(
        "printer",
        (
            AttributeSetups("fabric", same=Setup(2), other=Setup(15)),
            AttributeSetups("ink", other=Setup(75, Decimal("18.00"))),  # what is flushed
        ),
        combine="max",
    ),
    "loom": SetupMatrix(
        "loom",
        (
            AttributeSetups("pattern", other=Setup(8)),
            # Two cotton warps share their drawing-in: the new one is tied to the old.
            AttributeSetups(
                "warp",
                {(a, b): Setup(240) for a in WARPS[:2] for b in WARPS[:2] if a != b},
                other=Setup(360),
            ),
        ),
        combine="max",
    ),
    "washer": SetupMatrix(
        "washer", (AttributeSetups("shade", {("light", "dark"): Setup(8), ("dark", "light"): Setup(30)}),)
    ),
    "steamer": SetupMatrix("steamer", (AttributeSetups("steam", other=Setup(12)),)),
}
# How many of each kind there are; in all 8, 10 and 20.
KINDS: Final = ("printer", "loom", "steamer", "washer", "finisher", "cutter")
SMALL: Final = dict(zip(KINDS, (2, 2, 1, 1, 1, 1), strict=True))
MIDDLE: Final = dict(zip(KINDS, (3, 3, 1, 1, 1, 1), strict=True))
LARGE: Final = dict(zip(KINDS, (6, 6, 2, 2, 2, 2), strict=True))
FINISHING_M_PER_MIN: Final = {"steamer": 6.0, "washer": 5.0, "finisher": 2.5, "cutter": 7.0}


def textile(operations: int, *, seed: int, tight: bool = False, loads: bool = False) -> Problem:
    """A shop for bespoke textiles with so many operations, on 8 machines (up to 50), 10 (up to 200) or 20.

    Metres are lognormal with a median of 25, cut to 2..240; 72 of 100 orders are printed (print, steam, mostly wash,
    cut), the others woven (weave, finish, cut). Printers run two shifts, looms round the clock, all else one; each
    stands still once for four hours. 55 of 100 orders have to wait for material or approval. With `loads`, the steamers
    take several orders of one steam class at once.

    Due dates follow the shop's load: the busiest kind of machine says how long all of it takes, and an order is due a
    part of that after it could be ready with the shop to itself. `tight`: so small a part for some that even a good
    plan is late with a few; otherwise a good plan is late with next to none, and order by order as they came with some.

    >>> shop = textile(50, seed=1)
    >>> len(shop.operations), len(shop.machines), shop == textile(50, seed=1), shop == textile(50, seed=2)
    (50, 8, True, False)
    """
    chance = random.Random(f"textile {operations} {seed}")
    start = minute_after(MONDAY)
    end = start + WEEKS * 7 * 24 * 60
    counts = SMALL if operations <= 50 else MIDDLE if operations <= 200 else LARGE
    machines, speeds = _machines(chance, counts, start, end, loads)
    routes: list[list[Operation]] = []
    left = operations
    while left > 0:
        route = _route(chance, f"J{len(routes) + 1:03}", speeds)[:left]
        routes.append(route)
        left -= len(route)
    span_min = _span_min(routes, counts)
    jobs = []
    for route in routes:
        waits = chance.random() < 0.55
        release = start + round(chance.uniform(0.05, 0.45) * span_min) if waits else start
        part = chance.uniform(0.05, 0.75) if tight else chance.uniform(0.25, 1.25)
        due = _alone(route, machines, release) + round(part * span_min)
        weight = chance.choices([w for w, _ in PRIORITIES], [p for _, p in PRIORITIES])[0]
        jobs.append(Job(route[0].job, due=due, weight=float(weight), release=release if waits else None))
    return Problem(
        start=start,
        end=end,
        machines=machines,
        jobs=tuple(jobs),
        operations=tuple(one for route in routes for one in route),
        setups=SETUPS,
        tz=TZ,
        currency="EUR",
    )


def _machines(
    chance: random.Random, counts: Mapping[str, int], start: int, end: int, loads: bool
) -> tuple[tuple[Machine, ...], dict[str, float]]:
    """The machines, and the metres a minute of each."""
    machines, speeds = [], {}
    for kind, count in counts.items():
        for number in range(1, count + 1):
            code = f"{kind}-{number}"
            if kind == "printer":
                speeds[code] = chance.uniform(0.35, 0.8)
                state = {"fabric": chance.choice(FABRICS), "ink": chance.choice(INKS)}
            elif kind == "loom":
                speeds[code] = chance.uniform(0.02, 0.035)
                warp = chance.choice(WARPS)
                state = {"warp": warp, "pattern": f"{warp}-0"}
            else:
                speeds[code] = FINISHING_M_PER_MIN[kind]
                state = {"steamer": {"steam": "saturated"}, "washer": {"shade": "light"}}.get(kind, {})
            batch = loads and kind == "steamer"
            machines.append(
                Machine(
                    code,
                    open=_shifts(kind, start, end, still=start + chance.randrange(1, 8) * 24 * 60),
                    setups=kind if kind in SETUPS else "",
                    state=state,
                    load=120 if batch else 0,
                    load_by=("steam",) if batch else (),
                )
            )
    return tuple(machines), speeds


def _shifts(kind: str, start: int, end: int, *, still: int) -> tuple[Span, ...]:
    calendar = {"printer": TWO_SHIFTS, "loom": ROUND_THE_CLOCK}.get(kind, ONE_SHIFT)
    maintenance = Window(moment_of(still), moment_of(still) + timedelta(hours=MAINTENANCE_H), "Maintenance")
    return tuple(openings(Calendar(calendar.tz, calendar.shifts, (maintenance,)), start, end))


def _route(chance: random.Random, job: str, speeds: Mapping[str, float]) -> list[Operation]:
    """One order's operations."""
    metres = min(240.0, max(2.0, 25 * chance.lognormvariate(0, 0.9)))
    if chance.random() < 0.72:
        fabric, ink = chance.choice(FABRICS), chance.choice(INKS)
        shade = chance.choice(("dark", "light"))
        steps = [
            ("printer", {"fabric": fabric, "ink": ink}),
            ("steamer", {"steam": STEAM[ink]}),
            *([("washer", {"shade": shade})] if chance.random() < 0.7 else []),
            ("cutter", {}),
        ]
        unfit = {"printer-1"} if fabric in WIDE else set()
    else:
        warp = chance.choice(WARPS)
        pattern = f"{warp}-{chance.randrange(8)}"
        steps = [("loom", {"warp": warp, "pattern": pattern}), ("finisher", {}), ("cutter", {})]
        unfit = {"loom-1"} if warp in MANY_HOOKS else set()
    route: list[Operation] = []
    for number, (kind, attributes) in enumerate(steps, 1):
        route.append(
            Operation(
                f"{job}.{number}",
                job,
                {
                    code: max(1, ceil(metres / speed))
                    for code, speed in speeds.items()
                    if code.startswith(kind) and code not in unfit
                },
                name=kind,
                after=(After(route[-1].id),) if route else (),
                attributes=attributes,
                splittable=kind == "loom",
                load=ceil(metres) if kind == "steamer" and metres <= 120 else 120 if kind == "steamer" else 0,
            )
        )
    return route


def _alone(route: Sequence[Operation], machines: Sequence[Machine], ready: int) -> int:
    """When an order could be ready with the shop to itself."""
    for one in route:
        ends = []
        for machine in machines:
            left = one.minutes.get(machine.code)
            for a, b in machine.open if left is not None else ():
                at = max(a, ready)
                if at + left <= b:
                    ends.append(at + left)
                    break
                left -= max(0, b - at) if one.splittable else 0
        ready = min(ends)
    return ready


def _span_min(routes: Sequence[Sequence[Operation]], counts: Mapping[str, int]) -> int:
    """How long the busiest kind of machine is busy, on the clock, with good changeovers."""
    hours_a_week = {"printer": 80, "loom": 168}
    good_min = {"printer": 12, "loom": 60, "washer": 6, "steamer": 3}
    busy: dict[str, float] = dict.fromkeys(counts, 0.0)
    for route in routes:
        for one in route:
            mean = sum(one.minutes.values()) / len(one.minutes)
            busy[one.name] += mean + good_min.get(one.name, 0)
    return round(max(busy[kind] / counts[kind] * 168 / hours_a_week.get(kind, 40) for kind in counts))


# ---------------------------------------------------------------------------------------------- unrelated machines


def vallada_ruiz(jobs: int, machines: int, setups_upto: int, *, seed: int) -> Problem:
    """Unrelated parallel machines with setups by machine and sequence, as Vallada and Ruiz (2011) draw them.

    Minutes are uniform in 1..99, setups in 1..`setups_upto`; the first job of a machine needs none. What counts is
    the makespan.
    """
    chance = random.Random(f"vallada-ruiz {jobs} {machines} {setups_upto} {seed}")
    minutes = [[chance.randint(1, 99) for _ in range(machines)] for _ in range(jobs)]
    setups = [
        [[chance.randint(1, setups_upto) if i != j else 0 for j in range(jobs)] for i in range(jobs)]
        for _ in range(machines)
    ]
    return unrelated_machines(minutes, setups)


def unrelated_machines(minutes: Sequence[Sequence[int]], setups: Sequence[Sequence[Sequence[int]]]) -> Problem:
    """Unrelated machines: `minutes` by job and machine, `setups` by machine, job before and job after; makespan."""
    names = [f"J{number:03}" for number in range(len(minutes))]
    codes = [f"M{number:02}" for number in range(len(setups))]
    pairs = [[(before, after) for after in names] for before in names]  # shared by all machines
    matrices = {}
    for code, table in zip(codes, setups, strict=True):
        found = {
            pair: _setup(minutes)
            for pairs_of, row in zip(pairs, table, strict=True)
            for pair, minutes in zip(pairs_of, row, strict=True)
        }
        matrices[code] = SetupMatrix(code, (AttributeSetups("job", {**found, ("", ANY): Setup()}),))
    end = sum(max(row) for row in minutes) + len(minutes) * max(max(row) for table in setups for row in table)
    return Problem(
        start=0,
        end=end,
        machines=tuple(Machine(code, open=((0, end),), setups=code) for code in codes),
        jobs=tuple(Job(name) for name in names),
        operations=tuple(
            Operation(name, name, dict(zip(codes, row, strict=True)), attributes={"job": name})
            for name, row in zip(names, minutes, strict=True)
        ),
        setups=matrices,
        weights=Weights(tardiness=0, changeover=0, money=0, moved=0, overtime=0, makespan=1),
    )


@lru_cache(maxsize=1024)
def _setup(minutes: int) -> Setup:
    return Setup(minutes)


def read_vallada_ruiz(path: Path) -> Problem:
    """An instance as its authors publish it: jobs and machines; a row of machine and minutes by job; SSD; M0 and its
    setups; M1 and so on.
    """
    words = iter(path.read_text(encoding="ascii").split())
    jobs, machines = int(next(words)), int(next(words))
    next(words), next(words)  # 1, and the machines once more

    def row() -> Iterator[int]:
        for machine in range(machines):
            if int(next(words)) != machine:
                raise ValueError(f"{path}: a row of minutes is not by machine.")
            yield int(next(words))

    minutes = [list(row()) for _ in range(jobs)]
    if next(words) != "SSD":
        raise ValueError(f"{path}: no SSD where the setups begin.")
    setups = []
    for machine in range(machines):
        if next(words) != f"M{machine}":
            raise ValueError(f"{path}: no M{machine} where its setups begin.")
        setups.append([[int(next(words)) for _ in range(jobs)] for _ in range(jobs)])
    return unrelated_machines(minutes, setups)


# ---------------------------------------------------------------------------------------------- job shops

# The seeds of minutes and of machines, and the proven optimum, of ta01 to ta10, 15 jobs on 15 machines: E. Taillard,
# Benchmarks for basic scheduling problems, European Journal of Operational Research 64 (1993).
TAILLARD: Final = (
    (840612802, 398197754, 1231),
    (1314640371, 386720536, 1244),
    (1227221349, 316176388, 1218),
    (342269428, 1806358582, 1175),
    (1603221416, 1501949241, 1224),
    (1357584978, 1734077082, 1238),
    (44531661, 1374316395, 1227),
    (302545136, 2092186050, 1217),
    (1153780144, 1393392374, 1274),
    (73896786, 1544979948, 1241),
)
# H. Fisher, G. L. Thompson, in: Industrial Scheduling (1963). A row is a job: machine, minutes, machine, minutes...
FT06: Final = """
2 1 0 3 1 6 3 7 5 3 4 6
1 8 2 5 4 10 5 10 0 10 3 4
2 5 3 4 5 8 0 9 1 1 4 7
1 5 0 5 2 5 3 3 4 8 5 9
2 9 1 3 4 5 5 4 0 3 3 1
1 3 3 3 5 9 0 10 4 4 2 1
"""
FT10: Final = """
0 29 1 78 2 9 3 36 4 49 5 11 6 62 7 56 8 44 9 21
0 43 2 90 4 75 9 11 3 69 1 28 6 46 5 46 7 72 8 30
1 91 0 85 3 39 2 74 8 90 5 10 7 12 6 89 9 45 4 33
1 81 2 95 0 71 4 99 6 9 8 52 7 85 3 98 9 22 5 43
2 14 0 6 1 22 5 61 3 26 4 69 8 21 7 49 9 72 6 53
2 84 1 2 5 52 3 95 8 48 9 72 0 47 6 65 4 6 7 25
1 46 0 37 3 61 2 13 6 32 5 21 9 32 8 89 7 30 4 55
2 31 0 86 1 46 5 74 4 32 6 88 8 19 9 48 7 36 3 79
0 76 1 69 3 76 5 51 2 85 9 11 6 40 7 89 4 26 8 74
1 85 0 13 2 61 6 7 8 64 9 76 5 47 3 52 4 90 7 45
"""
FT06_OPTIMUM, FT10_OPTIMUM = 55, 930


def job_shop(routes: Sequence[Sequence[tuple[int, int]]]) -> Problem:
    """A job shop: for each job its machines and minutes in order; makespan."""
    machines = 1 + max(machine for route in routes for machine, _ in route)
    end = sum(minutes for route in routes for _, minutes in route)
    codes = [f"M{number:02}" for number in range(machines)]
    operations = []
    for job, route in enumerate(routes):
        name = f"J{job:02}"
        for number, (machine, minutes) in enumerate(route):
            after = (After(f"{name}.{number - 1:02}"),) if number else ()
            operations.append(Operation(f"{name}.{number:02}", name, {codes[machine]: minutes}, after=after))
    return Problem(
        start=0,
        end=end,
        machines=tuple(Machine(code, open=((0, end),)) for code in codes),
        jobs=tuple(Job(f"J{job:02}") for job in range(len(routes))),
        operations=tuple(operations),
        weights=Weights(tardiness=0, changeover=0, money=0, moved=0, overtime=0, makespan=1),
    )


def job_shop_of(text: str) -> Problem:
    """A job shop from rows of machine, minutes, machine, minutes..."""
    rows = [[int(word) for word in line.split()] for line in text.strip().splitlines()]
    return job_shop([list(zip(row[::2], row[1::2], strict=True)) for row in rows])


def taillard_routes(number: int) -> list[list[tuple[int, int]]]:
    """Machines and minutes of ta01..ta10, from their seeds.

    >>> taillard_routes(1)[0][:3]
    [(6, 94), (12, 66), (4, 10)]
    """
    minutes_seed, machines_seed, _ = TAILLARD[number - 1]
    jobs = machines = 15
    draw = _uniform(minutes_seed)
    minutes = [[draw(1, 99) for _ in range(machines)] for _ in range(jobs)]
    draw = _uniform(machines_seed)
    routes = []
    for row in minutes:
        order = list(range(machines))
        for place in range(machines):
            other = draw(place, machines - 1)
            order[place], order[other] = order[other], order[place]
        routes.append(list(zip(order, row, strict=True)))
    return routes


def taillard_job_shop(number: int) -> Problem:
    """One of Taillard's job shops of 15 jobs on 15 machines, ta01 to ta10; its optimum is in TAILLARD."""
    return job_shop(taillard_routes(number))


class _uniform:
    """Taillard's generator, a = 16807, m = 2^31 - 1 (Bratley, Fox and Schrage's form, which never overflows)."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def __call__(self, low: int, high: int) -> int:
        high_part, low_part = divmod(self.seed, 127773)
        self.seed = 16807 * low_part - 2836 * high_part
        if self.seed < 0:
            self.seed += 2**31 - 1
        return low + int(self.seed / (2**31 - 1) * (high - low + 1))
