"""Where things lie on a chart: numbers in, positions out. The templates draw them as SVG."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from production.domain.drift import Reading, Trend

# Seconds that people can read off an axis, from one second to a month.
MARKS_S: Final = (1, 10, 60, 600, 3600, 6 * 3600, 86400, 7 * 86400, 30 * 86400)
WIDTH: Final = 1000  # of a drawing; it is stretched to the room there is
HEIGHT: Final = 200


@dataclass(frozen=True)
class Axis:
    """A logarithmic axis of durations: seconds and hours can be seen beside each other."""

    least_s: float
    most_s: float
    marks: tuple[tuple[int, float], ...]  # seconds, place in per cent

    def at(self, seconds: float | None) -> float:
        """The place of a duration, in per cent of the axis."""
        return _place(seconds or 0, self.least_s, self.most_s)


def axis_of(durations: Sequence[float | None]) -> Axis:
    """An axis on which all of these have room.

    >>> axis_of([2, 40]).marks
    ((1, 0.0), (10, 56.2), (60, 100.0))
    """
    known = [each for each in durations if each]
    least = max((mark for mark in MARKS_S if mark <= min(known, default=1)), default=MARKS_S[0])
    most = next((mark for mark in MARKS_S if mark > least and mark >= max(known, default=60)), MARKS_S[-1])
    marks = tuple((mark, _place(mark, least, most)) for mark in MARKS_S if least <= mark <= most)
    return Axis(least, most, marks)


def _place(seconds: float, least: float, most: float) -> float:
    if seconds <= least:
        return 0.0
    return round(min(100.0, 100 * math.log(seconds / least) / math.log(most / least)), 1)


def line_of(values: Sequence[float | None], axis: Axis) -> tuple[tuple[str, ...], tuple[tuple[float, float], ...]]:
    """The pieces of a line through values over time, as SVG points, and its dots; a gap where there is no value."""
    step = WIDTH / max(1, len(values) - 1)
    pieces: list[list[str]] = [[]]
    dots = []
    for number, value in enumerate(values):
        if value is None:
            pieces.append([])
            continue
        x, y = round(number * step, 1), round(HEIGHT * (1 - axis.at(value) / 100), 1)
        pieces[-1].append(f"{x},{y}")
        dots.append((x, y))
    return tuple(" ".join(piece) for piece in pieces if len(piece) > 1), tuple(dots)


@dataclass(frozen=True)
class Control:
    """A control chart: places in a drawing of WIDTH × HEIGHT."""

    dots: tuple[tuple[float, float, bool], ...]  # the readings; whether the mean is outside its limits there
    earlier: tuple[tuple[float, float], ...]  # readings from before the last correction
    mean: str  # SVG points
    band: str  # between the limits, SVG points of a closed shape
    target: float
    marks: tuple[float, ...]  # when something was accepted
    ticks: tuple[tuple[float, str], ...]  # y and its value
    first: datetime
    last: datetime
    span: tuple[float, float]

    @property
    def inside(self) -> str:
        """SVG path of the readings where the mean is within its limits."""
        return _dotted((x, y) for x, y, out in self.dots if not out)

    @property
    def outside(self) -> str:
        """SVG path of those where it is not."""
        return _dotted((x, y) for x, y, out in self.dots if out)

    @property
    def before(self) -> str:
        """SVG path of those from before the last correction."""
        return _dotted(self.earlier)


def _dotted(places: Iterable[tuple[float, float]]) -> str:
    """Lines of no length, of which round caps make dots: one element for all of them.

    >>> _dotted([(1.0, 2.5), (3.0, 0.0)])
    'M1,2.5h0M3,0h0'
    """
    return "".join(f"M{x:g},{y:g}h0" for x, y in places)


def control_of(
    trend: Trend,
    *,
    least_span: float,
    decimals: int,
    earlier: Sequence[Reading] = (),
    marks: Sequence[datetime] = (),
    floor: float | None = None,
) -> Control:
    """A series with its limits over time; `least_span`: the least that the chart is high, in its unit.

    earlier: readings that are shown and say nothing of now. At least one reading of either kind has to be there.
    floor: below it there are no values.
    """
    points = trend.points
    moments = [*(each.at for each in earlier), *(each.at for each in points), *marks]
    first, last = min(moments), max(moments)
    seconds = (last - first).total_seconds()
    values = [value for each in points for value in (each.value, each.low, each.high)] + [trend.target]
    values += [each.value for each in earlier]
    low, high = min(values), max(values)
    more = max(0.06 * (high - low), (least_span - (high - low)) / 2)
    low, high = low - more, high + more
    if floor is not None and low < floor:
        low, high = floor, max(high, floor + least_span)

    def x(moment: datetime) -> float:
        return round(WIDTH * (moment - first).total_seconds() / seconds, 1) if seconds else WIDTH / 2

    def y(value: float) -> float:
        return round(HEIGHT * (high - value) / (high - low), 1)

    upper = [f"{x(each.at)},{y(each.high)}" for each in points]
    lower = [f"{x(each.at)},{y(each.low)}" for each in reversed(points)]
    step = _step((high - low) / 4)
    ticks = [number * step for number in range(math.ceil(low / step), math.floor(high / step) + 1)]
    return Control(
        dots=tuple((x(each.at), y(each.value), each.out) for each in points),
        earlier=tuple((x(each.at), y(each.value)) for each in earlier),
        mean=" ".join(f"{x(each.at)},{y(each.mean)}" for each in points),
        band=" ".join([*upper, *lower]),
        target=y(trend.target),
        marks=tuple(x(each) for each in marks),
        ticks=tuple((y(each), f"{each + 0.0:.{decimals}f}") for each in ticks),
        first=first,
        last=last,
        span=(low, high),
    )


def _step(about: float) -> float:
    """The round number (1, 2 or 5 with its tens) that is not below `about`.

    >>> _step(0.3), _step(1.0), _step(7)
    (0.5, 1.0, 10.0)
    """
    tens = 10.0 ** math.floor(math.log10(about))
    return next(round(each * tens, 10) for each in (1, 2, 5, 10) if each * tens >= about - 1e-9)
