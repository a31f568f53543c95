"""A machine's hours within a plan: when it is open, closed or booked by others."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import merge

from production.planning.clock import LAST_DATED
from production.planning.openings import Span, merged
from production.planning.problem import Machine, Problem

OPEN, CLOSED, BOOKED = "open", "closed", "booked"


@dataclass(frozen=True)
class Hours:
    """What is open of a machine, overtime included or not, and what is booked; both merged and in order."""

    open: tuple[Span, ...]
    booked: tuple[Span, ...]

    @classmethod
    def of(cls, problem: Problem, machine: Machine, *, overtime: bool = False) -> "Hours":
        """A machine's hours between the problem's start and end."""
        spans = (*machine.open, *machine.overtime) if overtime else machine.open
        return cls(
            tuple(within(merged(spans), problem.start, problem.end)),
            tuple(merged((one.start, one.end) for one in machine.taken)),
        )

    def end_of(self, start: int, minutes: int, *, splittable: bool, running: bool = False) -> int | None:
        """When an operation that starts then is over; None where it can't be done so.

        A `running` one goes on after `start`, and may have paused there.
        """
        at = bisect_right(self.open, start, key=_end)
        if at == len(self.open) or (self.open[at][0] > start and not (splittable and running)):
            return None
        left, end = minutes, start
        for index in range(at, len(self.open)):
            a, b = self.open[index]
            end = min(b, max(a, start) + left)
            left -= end - max(a, start)
            if not left or not splittable:
                break
        return None if left or self.booking(start, end) is not None else end

    def first_start(self, ready: int, minutes: int, *, splittable: bool) -> int | None:
        """The earliest start of an operation that is ready then, were the machine free of other operations."""
        opens = (max(self.open[at][0], ready) for at in range(bisect_right(self.open, ready, key=_end), len(self.open)))
        frees = (each[1] for each in self.booked[bisect_right(self.booked, ready, key=_end) :])
        return next(
            (one for one in merge(opens, frees) if self.end_of(one, minutes, splittable=splittable) is not None),
            None,
        )

    def after(self, begin: int, minutes: int) -> int | None:
        """When so many open minutes are over since then; None where they aren't within the plan."""
        left = minutes
        for a, b in within(self.open, begin, LAST_DATED):
            if left <= b - a:
                return a + left if left else begin
            left -= b - a
        return None if left else begin

    def booking(self, start: int, end: int) -> Span | None:
        """The first booking that lies in between."""
        at = bisect_right(self.booked, start, key=_end)
        return self.booked[at] if at < len(self.booked) and self.booked[at][0] < end else None

    def open_min(self, start: int, end: int) -> int:
        """Open minutes in between."""
        return sum(b - a for a, b in within(self.open, start, end))

    def pieces(self, start: int, end: int) -> Iterator[tuple[int, int, str]]:
        """What lies in between, in order, as pieces that are open, closed or booked (open or not)."""
        for a, b, booked in _tiled(self.booked, start, end):
            if booked:
                yield a, b, BOOKED
            else:
                yield from ((c, d, OPEN if opened else CLOSED) for c, d, opened in _tiled(self.open, a, b))


def _end(span: Span) -> int:
    return span[1]


def within(spans: Sequence[Span], start: int, end: int) -> Iterator[Span]:
    """What of merged spans lies in between."""
    for index in range(bisect_right(spans, start, key=_end), len(spans)):
        a, b = spans[index]
        if a >= end:
            break
        yield max(a, start), min(b, end)


def _tiled(spans: Sequence[Span], start: int, end: int) -> Iterator[tuple[int, int, bool]]:
    """All of the time in between, each piece inside or outside of the spans."""
    at = start
    for a, b in within(spans, start, end):
        if a > at:
            yield at, a, False
        yield a, b, True
        at = b
    if at < end:
        yield at, end, False
