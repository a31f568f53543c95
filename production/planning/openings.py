"""When work centres run and are free, in whole minutes since 1970 UTC.

Minutes as plain integers make the search fast and exact; shifts are local to the calendar's time zone, so a night
shift is an hour short in March and an hour long in October.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from math import ceil, floor
from zoneinfo import ZoneInfo

from inventory_sync.ports import Booking, Calendar

Span = tuple[int, int]  # start and end in minutes, end excluded


def minute_after(moment: datetime) -> int:
    """The first whole minute at or after a moment."""
    return ceil(moment.timestamp() / 60)


def minute_before(moment: datetime) -> int:
    """The last whole minute at or before a moment."""
    return floor(moment.timestamp() / 60)


def moment_of(minute: int) -> datetime:
    """The moment of a minute, in UTC.

    >>> moment_of(minute_after(datetime(2026, 11, 26, 13, 0, 1, tzinfo=UTC)))
    datetime.datetime(2026, 11, 26, 13, 1, tzinfo=datetime.timezone.utc)
    """
    return datetime.fromtimestamp(minute * 60, UTC)


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same time as spans in order that neither overlap nor touch.

    >>> merged([(5, 7), (1, 3), (3, 4), (6, 9)])
    [(1, 4), (5, 9)]
    """
    result: list[Span] = []
    for start, end in sorted(spans):
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        elif start < end:
            result.append((start, end))
    return result


def busy_spans(bookings: Iterable[Booking]) -> dict[str, list[Span]]:
    """Taken time by work centre, merged, widened to whole minutes."""
    by_centre: dict[str, list[Span]] = {}
    for booking in bookings:
        span = (minute_before(booking.start), minute_after(booking.end))
        by_centre.setdefault(booking.work_centre, []).append(span)
    return {centre: merged(spans) for centre, spans in by_centre.items()}


def openings(calendar: Calendar, start: int, end: int) -> Iterator[Span]:
    """Open stretches between two minutes, in order: shifts that touch are one stretch, leaves are cut out.

    Lazy: a search that ends tomorrow looks at two days.
    """
    closed = merged((minute_before(leave.start), minute_after(leave.end)) for leave in calendar.leaves)
    current: Span | None = None
    for opening, closing in _shift_spans(calendar, start, end):
        for a, b in _without(max(opening, start), min(closing, end), closed):
            if current is not None and a <= current[1]:
                current = (current[0], max(b, current[1]))
                continue
            if current is not None:
                yield current
            current = (a, b)
    if current is not None:
        yield current


def _shift_spans(calendar: Calendar, start: int, end: int) -> Iterator[Span]:
    # A shift may run past midnight, and local days differ from UTC days: begin two days early.
    day = (moment_of(start) - timedelta(days=2)).date().toordinal()
    last = (moment_of(end) + timedelta(days=1)).date().toordinal()
    for ordinal in range(day, last + 1):
        for span in _day_spans(calendar.tz, calendar.shifts[(ordinal + 6) % 7], ordinal):
            if span[1] > start and span[0] < end:
                yield span


@lru_cache(maxsize=16_384)
def _day_spans(tz: str, shifts: tuple[tuple[float, float], ...], ordinal: int) -> tuple[Span, ...]:
    """One local day's shifts. A clock time that is skipped in spring counts as if the clock had not been moved yet."""
    midnight = datetime.combine(date.fromordinal(ordinal), datetime.min.time())
    zone = ZoneInfo(tz)

    def at(hour: float) -> int:
        return minute_after((midnight + timedelta(minutes=round(hour * 60))).replace(tzinfo=zone))

    return tuple((at(first), at(last)) for first, last in sorted(shifts) if at(first) < at(last))


def _without(start: int, end: int, closed: Sequence[Span]) -> Iterator[Span]:
    for a, b in closed:
        if b <= start:
            continue
        if a >= end:
            break
        if a > start:
            yield start, a
        start = b
    if start < end:
        yield start, end


def earliest(
    calendar: Calendar, busy: Sequence[Span], *, ready: int, minutes: int, splittable: bool, limit: int
) -> Span | None:
    """The first time in which the work can be done, or None when it can't be finished by `limit`.

    In one stretch; `splittable` work may pause while the work centre is closed, but never for other work, which finds
    the machine occupied. `busy` must be merged. No earlier start and no earlier end exists (the finish never gets
    earlier by starting later), which is what the property tests hold against a scan minute by minute.
    """
    ends = [end for _, end in busy]
    begin: int | None = None
    worked = 0
    for opening, closing in openings(calendar, ready, limit):
        at = max(opening, ready)
        while at < closing:
            if begin is None:
                begin, worked = at, 0
            end = min(at + minutes - worked, closing)
            clash = bisect_right(ends, begin)
            if clash < len(busy) and busy[clash][0] < max(end, begin + 1):
                ready = busy[clash][1]
                at, begin = max(opening, ready), None
                continue
            worked += end - at
            if worked == minutes:
                return begin, end
            if not splittable:
                begin = None
            break
    return None


def longest_opening(calendar: Calendar, start: int, end: int) -> int:
    """Minutes of the longest stretch that the work centre runs; 0 when it never opens."""
    return max((b - a for a, b in openings(calendar, start, end)), default=0)


def always_open(calendar: Calendar) -> Calendar:
    """The same work centre running round the clock but for its leaves."""
    return Calendar(calendar.tz, (((0.0, 24.0),),) * 7, calendar.leaves)


def without_leaves(calendar: Calendar) -> Calendar:
    """The same work centre with no holiday and no maintenance."""
    return Calendar(calendar.tz, calendar.shifts)
