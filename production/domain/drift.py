"""Drift of what a machine makes: does a series of readings leave its target, how fast, and what brings it back. Pure.

A reading is how far one inspected cloth was off. An exponentially weighted mean follows the series (Roberts 1959, as
in NIST's handbook, 6.3.2.4); outside its control limits the series drifts. Spread and slope are taken from medians, so
that one odd cloth changes neither: the spread from successive differences, the slope after Theil and Sen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from statistics import median
from typing import Final

import numpy as np

WEIGHT: Final = 0.3  # of the newest reading in the mean
SIGMAS: Final = 3.0  # from the target to the control limits
LEAST_READINGS: Final = 6  # fewer say nothing
MOST_SLOPES: Final = 60  # newest readings that the slope is taken from
MAD: Final = 1.4826  # median of absolute deviations to the standard deviation of a normal spread
A_DAY_S: Final = 86_400.0


@dataclass(frozen=True)
class Reading:
    """How far one cloth was off, in the unit of its series."""

    at: datetime
    value: float


@dataclass(frozen=True)
class Point:
    """A reading in its chart: the mean that follows the series there, and the limits that it has to keep."""

    at: datetime
    value: float
    mean: float
    low: float
    high: float

    @property
    def out(self) -> bool:
        """True where the mean has left its limits."""
        return not self.low <= self.mean <= self.high


@dataclass(frozen=True)
class Trend:
    """A series of readings as a chart shows it."""

    points: tuple[Point, ...]
    target: float
    spread: float  # standard deviation of one reading
    per_day: float  # slope

    @property
    def mean(self) -> float:
        """Where the series is now."""
        return self.points[-1].mean if self.points else self.target

    @property
    def drifts(self) -> bool:
        """True where enough readings say that the series has left its target."""
        return len(self.points) >= LEAST_READINGS and self.points[-1].out

    @property
    def since(self) -> datetime | None:
        """From when on it has been outside its limits without a break; None: it is inside."""
        found = None
        for point in reversed(self.points):
            if not point.out:
                break
            found = point.at
        return found


def trend(readings: Sequence[Reading], *, target: float = 0.0, least_spread: float) -> Trend:
    """Follow a series. least_spread: of one reading, by the instrument alone; the limits are never closer than that.

    >>> from datetime import UTC, timedelta
    >>> start = datetime(2026, 11, 2, tzinfo=UTC)
    >>> steady = [Reading(start + timedelta(days=day), 0.02 * (-1) ** day) for day in range(12)]
    >>> moved = [Reading(each.at, each.value + 0.4) for each in steady]
    >>> trend(steady, least_spread=0.05).drifts, trend(moved, least_spread=0.05).drifts
    (False, True)
    """
    ordered = sorted((each for each in readings if math.isfinite(each.value)), key=lambda each: each.at)
    spread = max(least_spread, _spread([each.value for each in ordered]))
    points, mean = [], target
    for number, each in enumerate(ordered, start=1):
        mean = WEIGHT * each.value + (1 - WEIGHT) * mean
        share = WEIGHT / (2 - WEIGHT) * (1 - (1 - WEIGHT) ** (2 * number))
        reach = SIGMAS * spread * math.sqrt(share)
        points.append(Point(each.at, each.value, mean, target - reach, target + reach))
    return Trend(tuple(points), target, spread, _slope(ordered[-MOST_SLOPES:]))


def _spread(values: Sequence[float]) -> float:
    """Standard deviation of one reading, from the differences between neighbours: a drift is no spread."""
    steps = [after - before for before, after in pairwise(values)]
    if len(steps) < 2:
        return 0.0
    middle = median(steps)
    return MAD * median(abs(step - middle) for step in steps) / math.sqrt(2)


def _slope(readings: Sequence[Reading]) -> float:
    """Per day: the median of the slopes between any two readings of different moments (Theil, Sen)."""
    days = np.array([each.at.timestamp() for each in readings]) / A_DAY_S
    values = np.array([each.value for each in readings])
    before, after = np.triu_indices(len(readings), 1)
    apart = days[after] - days[before]
    slopes = (values[after] - values[before])[apart > 0] / apart[apart > 0]
    return float(np.median(slopes)) if len(slopes) else 0.0


# ------------------------------------------------------------------------------------------------ what answers it

LEAST_SIZE_PCT: Final = 0.15  # of the repeat: less is not worth another ticket
MOST_SHRINK_PCT: Final = 30.0
NEAR_LIMIT: Final = 0.8  # of what customers take: nearer than that to it, cloths are judged by a tighter one


def shrink_for(shrink_pct: float, *, off_pct: float) -> float:
    """The shrinkage that a fabric must have been given so that its cloth comes out as asked.

    A pattern is printed 1 / (1 - s) times as large, and came out `off_pct` too large (below 0: too small).

    >>> shrink_for(3.0, off_pct=0.0), round(shrink_for(3.0, off_pct=1.0), 2)
    (3.0, 2.03)
    """
    new = 100 * (1 - (1 - shrink_pct / 100) * (1 + off_pct / 100))
    return round(min(MOST_SHRINK_PCT, max(-MOST_SHRINK_PCT, new)), 2)


def sizes_off(across: Trend, along: Trend) -> tuple[float, float]:
    """(across, along) in per cent of what has to be answered: the mean where it drifts and is worth it, else 0."""
    return _worth(across), _worth(along)


def _worth(one: Trend) -> float:
    return round(one.mean, 3) if one.drifts and abs(one.mean) >= LEAST_SIZE_PCT else 0.0
