"""Where things lie on a chart: numbers in, positions out. The templates draw them as SVG."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

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
