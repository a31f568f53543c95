"""The date we can say on the phone: the earliest time at which every step of a route finds its work centre free.

For one order whose steps follow one another, taking each step's earliest finish in turn gives the earliest end of the
whole: a later ready time never gives an earlier finish. So nothing is searched, and a promise takes about a
millisecond. What others have booked stays where it is.

The *binding constraint* is found by asking what would happen without each constraint in turn (the material's date,
other people's bookings, leaves, and last the shifts): the one whose absence gains the most is said in words.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from inventory_sync import words
from inventory_sync.ports import Booking, Calendar
from production.planning.errors import InvalidRoute, NoSlot
from production.planning.openings import (
    Span,
    always_open,
    busy_spans,
    earliest,
    longest_opening,
    minute_after,
    moment_of,
    without_leaves,
)

HORIZON_DAYS: Final = 120
LOOK_BEYOND_DAYS: Final = 730  # how far "when something could be" is looked for

Ready = tuple[str, datetime]  # what the material is called, and when it is there


@dataclass(frozen=True)
class RouteStep:
    """One operation: the work centres that could do it and how long each would take, set-up and clean-up included.

    `gap_min` is the least time since the end of the step before (drying, reaction). A `splittable` step may pause
    while its work centre is closed (weaving over the weekend); any other is done in one stretch (a print head that
    stops for a night leaves a line in the cloth).
    """

    name: str
    work_centres: tuple[str, ...]
    minutes: Mapping[str, float]
    gap_min: float = 0.0
    splittable: bool = False


@dataclass(frozen=True)
class PlannedStep:
    """One operation at its time, in UTC and whole minutes."""

    name: str
    work_centre: str
    start: datetime
    end: datetime


@dataclass(frozen=True)
class Constraint:
    """Something that keeps the promise from being earlier, and by how much alone."""

    kind: str  # material, booking, leave, shift
    sentence: str
    gain_min: int


@dataclass(frozen=True)
class Promise:
    """When it is done, by which steps, and what keeps it from being earlier: the binding constraint first in `why`."""

    date: datetime
    steps: tuple[PlannedStep, ...]
    binding: str
    why: tuple[Constraint, ...] = ()


@dataclass(frozen=True)
class _Shop:
    """The world a route is placed in, in whole minutes."""

    route: Sequence[RouteStep]
    calendars: Mapping[str, Calendar]
    busy: Mapping[str, Sequence[Span]]
    now: int
    limit: int
    ready: int
    names: Mapping[str, str] = field(default_factory=dict)

    def place(
        self, step: RouteStep, centre: str, ready: int, *, limit: int | None = None, ignoring: str = ""
    ) -> Span | None:
        """The step on that work centre; `ignoring` bookings, leaves or shifts, as if there were none."""
        calendar = self.calendars[centre]
        if ignoring == "leave":
            calendar = without_leaves(calendar)
        if ignoring == "shift":
            calendar = always_open(calendar)
        return earliest(
            calendar,
            () if ignoring == "booking" else self.busy.get(centre, ()),
            ready=ready,
            minutes=math.ceil(step.minutes[centre]),
            splittable=step.splittable,
            limit=limit or self.limit,
        )

    def best(
        self, step: RouteStep, ready: int, *, limit: int | None = None, ignoring: str = ""
    ) -> tuple[str, Span] | None:
        """The work centre that finishes first; the first named among equals."""
        spans = {c: self.place(step, c, ready, limit=limit, ignoring=ignoring) for c in step.work_centres}
        return min(((c, span) for c, span in spans.items() if span), key=lambda one: one[1][1], default=None)

    def chain(self, first: int, ready: int, *, ignoring: str = "") -> list[tuple[str, Span]]:
        """Every step from the first, each at its earliest finish; `ignoring` holds for the first. Raises NoSlot."""
        placed: list[tuple[str, Span]] = []
        for index, step in enumerate(self.route[first:], first):
            if placed:
                ready = placed[-1][1][1] + math.ceil(step.gap_min)
            found = self.best(step, ready, ignoring=ignoring if index == first else "")
            if found is None:
                raise _no_slot(self, step, ready)
            placed.append(found)
        return placed


def promise(
    route: Sequence[RouteStep],
    *,
    calendars: Mapping[str, Calendar],
    bookings: Iterable[Booking],
    now: datetime,
    materials_ready: Sequence[Ready] = (),
    names: Mapping[str, str] | None = None,
    horizon_days: int = HORIZON_DAYS,
    tz: str | None = None,
) -> Promise:
    """The earliest end of the whole route, with a time for each step and the binding constraint in words.

    All times are aware; the answer is in UTC. `materials_ready` are release dates of the first step. `names` are the
    work centres' names for the words, `tz` the time zone of those who read them (the first work centre's, if None).
    Raises InvalidRoute for a route that means nothing, NoSlot when it can't be finished within the horizon.

    >>> from datetime import UTC
    >>> day = Calendar("Europe/Paris", ((((8.0, 12.0), (13.0, 17.0))),) * 5 + ((), ()))
    >>> steam = RouteStep("Steam", ("STEAM",), {"STEAM": 90})
    >>> taken = Booking("STEAM", datetime(2026, 11, 23, 7, tzinfo=UTC), datetime(2026, 11, 26, 13, tzinfo=UTC), "WL-1")
    >>> answer = promise([steam], calendars={"STEAM": day}, bookings=[taken], now=datetime(2026, 11, 22, tzinfo=UTC),
    ...                  names={"STEAM": "Steamer"})
    >>> answer.date, answer.binding
    (datetime.datetime(2026, 11, 26, 14, 30, tzinfo=datetime.timezone.utc), 'Steamer free Thu 14:00')
    """
    _check(route, calendars)
    start = minute_after(now)
    limit = start + horizon_days * 24 * 60
    zone = tz or calendars[route[0].work_centres[0]].tz
    last = max(materials_ready, key=lambda one: one[1], default=None)
    ready = max(start, minute_after(last[1])) if last else start
    if last and ready >= limit:
        raise NoSlot(
            f"{last[0]} arrives {words.day(last[1], zone)}, beyond the {horizon_days} days that are planned.",
            fields={
                "step": route[0].name,
                "work_centres": list(route[0].work_centres),
                "horizon_days": horizon_days,
                "reason": "material",
                "available_from": last[1].isoformat(),
            },
        )
    shop = _Shop(route, calendars, busy_spans(bookings), start, limit, ready, names or {})
    placed = shop.chain(0, ready)
    why = _why(shop, placed, last, now=now, tz=zone)
    work_min = sum(math.ceil(step.minutes[centre]) for step, (centre, _) in zip(route, placed, strict=True))
    return Promise(
        date=moment_of(placed[-1][1][1]),
        steps=tuple(
            PlannedStep(step.name, centre, moment_of(span[0]), moment_of(span[1]))
            for step, (centre, span) in zip(route, placed, strict=True)
        ),
        binding=why[0].sentence if why else f"The work itself takes {words.duration(work_min)}",
        why=tuple(why),
    )


def _check(route: Sequence[RouteStep], calendars: Mapping[str, Calendar]) -> None:
    if not route:
        raise InvalidRoute("The route has no steps.", fields={"step": None})
    for step in route:
        if not step.work_centres:
            raise InvalidRoute(f"No work centre can do {step.name}.", fields={"step": step.name, "work_centres": []})
        for centre in step.work_centres:
            fields = {"step": step.name, "work_centre": centre}
            if centre not in calendars:
                raise InvalidRoute(f"{step.name} names the work centre {centre}, which is not there.", fields=fields)
            minutes = step.minutes.get(centre, math.nan)
            if not (math.isfinite(minutes) and minutes >= 0 and math.isfinite(step.gap_min) and step.gap_min >= 0):
                raise InvalidRoute(
                    f"{step.name} takes {minutes} min on {centre}: write a number of minutes of 0 or more.",
                    fields=fields | {"minutes": str(minutes), "gap_min": str(step.gap_min)},
                )


def _why(
    shop: _Shop, placed: Sequence[tuple[str, Span]], last: Ready | None, *, now: datetime, tz: str
) -> list[Constraint]:
    """What keeps the promise from being earlier, most binding first; shifts only where nothing else does."""
    finish = placed[-1][1][1]
    ready = shop.ready
    readies: list[int] = []  # when each step could have begun
    for step, (_, span) in zip(shop.route, placed, strict=True):
        readies.append(ready + (math.ceil(step.gap_min) if readies else 0))
        ready = span[1]

    def gain(index: int, ignoring: str) -> int:
        return finish - shop.chain(index, readies[index], ignoring=ignoring)[-1][1][1]

    found: list[Constraint] = []
    if last and shop.ready > shop.now:
        earlier = finish - shop.chain(0, shop.now)[-1][1][1]
        found.append(Constraint("material", f"{last[0]} arrives {words.day(last[1], tz)}", earlier))
    for index, step in enumerate(shop.route):
        booked = [centre for centre in step.work_centres if shop.busy.get(centre)]
        if booked and (minutes := gain(index, "booking")) > 0:
            sentence = _busy_words(shop, step, readies[index], booked, now=now, tz=tz)
            found.append(Constraint("booking", sentence, minutes))
        on_leave = [centre for centre in step.work_centres if shop.calendars[centre].leaves]
        if on_leave and (minutes := gain(index, "leave")) > 0:
            found.append(Constraint("leave", _leave_words(shop, placed[index], on_leave, now=now, tz=tz), minutes))
    found = [one for one in found if one.gain_min > 0]
    if not found:
        for index, (centre, span) in enumerate(placed):
            if (minutes := gain(index, "shift")) > 0:
                opens = words.clock(moment_of(span[0]), tz, now=now)
                found.append(Constraint("shift", f"{_name(shop, centre)} runs from {opens}", minutes))
    return sorted(found, key=lambda one: -one.gain_min)


def _busy_words(shop: _Shop, step: RouteStep, ready: int, booked: Sequence[str], *, now: datetime, tz: str) -> str:
    """Such as: Steamer free Thu 14:00. Or: Printer 1 and 2 busy until Fri 10:00."""
    starts: dict[str, int] = {}  # of the work centres that would have been done earlier
    for centre in booked:
        taken, free = shop.place(step, centre, ready), shop.place(step, centre, ready, ignoring="booking")
        if free is not None and (taken is None or free[1] < taken[1]):
            starts[centre] = taken[0] if taken else shop.limit
    when = words.clock(moment_of(min(starts.values())), tz, now=now)
    if len(starts) == 1:
        return f"{_name(shop, next(iter(starts)))} free {when}"
    return f"{_names(shop, list(starts))} busy until {when}"


def _leave_words(shop: _Shop, placed: tuple[str, Span], on_leave: Sequence[str], *, now: datetime, tz: str) -> str:
    """Such as: Printer 2 closed until Tue 12:00 (Head maintenance)."""
    centre = placed[0] if placed[0] in on_leave else on_leave[0]
    leaves = [leave for leave in shop.calendars[centre].leaves if minute_after(leave.end) > shop.now]
    past = [leave for leave in leaves if minute_after(leave.end) <= placed[1][1]] or leaves
    leave = max(past, key=lambda one: one.end)
    name = f" ({leave.what})" if leave.what else ""
    return f"{_name(shop, centre)} closed until {words.clock(leave.end, tz, now=now)}{name}"


def _name(shop: _Shop, centre: str) -> str:
    """The work centre's name without what stands in brackets."""
    return shop.names.get(centre, centre).split(" (")[0]


def _names(shop: _Shop, centres: Sequence[str]) -> str:
    """Such as: Printer 1 and 2. Or: Steamer and Oven."""
    names = [_name(shop, centre) for centre in centres]
    stem = names[0].rpartition(" ")[0]
    if stem and all(name.rpartition(" ")[0] == stem for name in names):
        names[1:] = [name.rpartition(" ")[2] for name in names[1:]]
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _no_slot(shop: _Shop, step: RouteStep, ready: int) -> NoSlot:
    """What blocks, and when something could be."""
    days = (shop.limit - shop.now) // (24 * 60)
    zone = shop.calendars[step.work_centres[0]].tz
    beyond = shop.best(step, ready, limit=shop.now + LOOK_BEYOND_DAYS * 24 * 60)
    longest = {centre: longest_opening(shop.calendars[centre], shop.now, shop.limit) for centre in step.work_centres}
    least = min(math.ceil(step.minutes[centre]) for centre in step.work_centres)
    centres = _names(shop, step.work_centres) if len(step.work_centres) > 1 else _name(shop, step.work_centres[0])
    if beyond is not None:
        reason = "busy"
        opens = words.day(moment_of(beyond[1][0]), zone)
        sentence = (
            f"{step.name}: {centres} has no free {words.duration(least)} within {days} days; the first is {opens}"
        )
    elif not any(longest.values()):
        reason, sentence = "never_open", f"{step.name}: {centres} never opens within {days} days; look at its calendar"
    elif not step.splittable and all(longest[centre] < step.minutes[centre] for centre in longest):
        reason = "too_long"
        sentence = (
            f"{step.name} takes {words.duration(least)} without a pause, but {centres} never runs longer than "
            f"{words.duration(max(longest.values()))} at a stretch; divide the length or allow a pause"
        )
    else:
        reason = "busy"
        sentence = f"{step.name}: {centres} has no free {words.duration(least)} in the next {LOOK_BEYOND_DAYS} days"
    return NoSlot(
        f"{sentence}.",
        fields={
            "step": step.name,
            "work_centres": list(step.work_centres),
            "minutes": least,
            "horizon_days": days,
            "reason": reason,
            "available_from": moment_of(beyond[1][0]).isoformat() if beyond else None,
        },
    )


def horizon_end(now: datetime, horizon_days: int = HORIZON_DAYS) -> datetime:
    """Until when bookings have to be read for a promise."""
    return now + timedelta(days=horizon_days)
