"""How long a promise takes: `python -m tests.benchmarks.promise`. Six steps, two printers, many bookings."""

import random
import statistics
import time
from datetime import UTC, datetime, timedelta

from inventory_sync.ports import Booking, Calendar
from production.planning.promise import RouteStep, promise

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


if __name__ == "__main__":
    for count in (0, 100, 1000):
        median, worst = microseconds(count)
        print(f"promise of 6 steps, {count:>4} bookings: median {median:6.0f} us, p95 {worst:6.0f} us")
