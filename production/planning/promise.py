"""The date we can say on the phone: the earliest time at which every step of a route finds its work centre free.

For one order whose steps follow one another, taking each step's earliest finish in turn gives the earliest end of the
whole: a later ready time never gives an earlier finish. So nothing is searched, and a promise takes about a
millisecond. What others have booked stays where it is.

Where a published plan is known (`published`, its gaps), a step goes into a gap of it: its machine is changed over from
what is there before, and what follows has to find the time to be changed over from it. Then only the run of a step
counts, its fixed set-up is what the changeover says; a load that has room is joined. Where no plan is known, a step
takes its minutes as they are written, set-up included.

The *binding constraint* is found by asking what would happen without each constraint in turn (the material's date,
other people's bookings, leaves, changeovers, the frozen zone, and last the shifts): the one whose absence gains the
most is said in words.
"""

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from inventory_sync import words
from inventory_sync.ports import Booking, Calendar
from production.planning.errors import InvalidRoute, NoSlot
from production.planning.insertion import Block, Changeovers, Gaps, OpenTime, Place, Row, State, Work
from production.planning.openings import (
    Span,
    always_open,
    busy_spans,
    earliest,
    longest_opening,
    merged,
    minute_after,
    minute_before,
    moment_of,
    openings,
    without_leaves,
)
from production.planning.problem import Assignment

DAY_MIN: Final = 24 * 60
HORIZON_DAYS: Final = 120
LOOK_BEYOND_DAYS: Final = 730  # how far "when something could be" is looked for

Ready = tuple[str, datetime]  # what the material is called, and when it is there
Holds = Mapping[tuple[str, str], Mapping[str, str]]  # (reference, work centre) -> what that is set for afterwards


@dataclass(frozen=True)
class RouteStep:
    """One operation: the work centres that could do it and how long each would take, set-up and clean-up included.

    `gap_min` is the least time since the end of the step before (drying, reaction). A `splittable` step may pause
    while its work centre is closed (weaving over the weekend); any other is done in one stretch (a print head that
    stops for a night leaves a line in the cloth).

    `attributes` are what its work centre has to be set for; where the plan knows what changing over to them takes, that
    stands in for `setup_min`, which is the part of `minutes` that is fixed set-up. `load` is how much of a load it
    takes, where the work centre works on several at once.
    """

    name: str
    work_centres: tuple[str, ...]
    minutes: Mapping[str, float]
    gap_min: float = 0.0
    splittable: bool = False
    attributes: Mapping[str, str] = field(default_factory=dict)
    setup_min: Mapping[str, float] = field(default_factory=dict)
    load: int = 0


@dataclass(frozen=True)
class PlannedStep:
    """One operation at its time, in UTC and whole minutes.

    `changeover` is when its work centre begins to be changed over, None where no changeover is known. `joins`: it goes
    into a load that stands, which is changed over to anyway.
    """

    name: str
    work_centre: str
    start: datetime
    end: datetime
    changeover_min: int = 0
    changeover: datetime | None = None
    joins: bool = False

    @property
    def begin(self) -> datetime:
        """From when on it needs the work centre, its changeover included."""
        return self.changeover or self.start


@dataclass(frozen=True)
class Constraint:
    """Something that keeps the promise from being earlier, and by how much alone."""

    kind: str  # material, booking, leave, changeover, frozen, shift
    sentence: str
    gain_min: int


@dataclass(frozen=True)
class Promise:
    """When it is done, by which steps, and what keeps it from being earlier: the binding constraint first in `why`.

    `displaced` are operations of the published plan that stay, and whose work centre is changed over to them anew.
    """

    date: datetime
    steps: tuple[PlannedStep, ...]
    binding: str
    why: tuple[Constraint, ...] = ()
    displaced: tuple[Assignment, ...] = ()


@dataclass(frozen=True)
class _Placed:
    """A step on a work centre. `place`, `work` and what it was set for before, where the published plan says so."""

    centre: str
    start: int
    end: int
    place: Place | None = None
    work: Work | None = None
    before: State = ()


@dataclass(frozen=True)
class _Shop:
    """The world a route is placed in, in whole minutes. `ready` is when its first step may start."""

    route: Sequence[RouteStep]
    calendars: Mapping[str, Calendar]
    bookings: Mapping[str, Sequence[Booking]]  # by work centre
    now: int
    limit: int
    material: int  # when the material is there
    frozen: int  # until when nothing new starts
    names: Mapping[str, str] = field(default_factory=dict)
    published: Gaps | None = None
    holds: Holds = field(default_factory=dict)
    # What was asked for once: taken time, blocks and rows of work centres.
    taken: dict[str, Sequence[Span]] = field(default_factory=dict)
    blocks: dict[str, tuple[Block, ...]] = field(default_factory=dict)
    rows: dict[tuple[str, str, int], Row] = field(default_factory=dict)

    @property
    def ready(self) -> int:
        return max(self.material, self.frozen)

    def busy(self, centre: str) -> Sequence[Span]:
        """Taken time of a work centre of which no plan is known."""
        if centre not in self.taken:
            self.taken[centre] = busy_spans(self.bookings.get(centre, ())).get(centre, ())
        return self.taken[centre]

    def row(self, centre: str, *, limit: int, ignoring: str) -> Row:
        """What the published plan and others do on a work centre."""
        key = (centre, ignoring, limit)
        if key not in self.rows:
            self.rows[key] = self._row(centre, limit, ignoring)
        return self.rows[key]

    def _row(self, centre: str, limit: int, ignoring: str) -> Row:
        assert self.published is not None
        row = self.published.rows[centre]
        first, last = self.now // DAY_MIN, limit // DAY_MIN + 1
        calendar = self._calendar(centre, ignoring)
        time = open_time(calendar, first, last)
        machine = next(one for one in self.published.problem.machines if one.code == centre)
        longer = time
        if machine.overtime:
            spans = (*zip(time.starts, time.ends, strict=True), *machine.overtime)
            longer = OpenTime.of(merged(spans))
        past = [block.state for block in row.blocks if block.state is not None and block.end <= self.now]
        return Row.of(
            centre,
            () if ignoring == "booking" else self._blocks(centre),
            start=self.now,
            end=limit,
            time=time,
            longer=longer,
            changeovers=Changeovers() if ignoring == "changeover" else row.changeovers,
            state=past[-1] if past else row.state,
            load=row.load,
            load_by=row.load_by,
        )

    def _blocks(self, centre: str) -> tuple[Block, ...]:
        """Our operations there, and the bookings but those that are these operations, written back."""
        if centre in self.blocks:
            return self.blocks[centre]
        assert self.published is not None
        row = self.published.rows[centre]
        planned = [block for block in row.blocks if block.state is not None and block.end > self.now]
        starts = [block.start for block in planned]
        found = []
        for one in self.bookings.get(centre, ()):
            start, end = minute_before(one.start), minute_after(one.end)
            if one.mine:
                # A booking that begins with its changeover lies before the start of its operation.
                at = bisect_right(starts, start)
                near = planned[max(0, at - 1) : at + 1]
                if any(_begin(block) <= start and end <= block.end for block in near):
                    continue
            held = self.holds.get((one.reference, centre))
            state = None if held is None else row.changeovers.state(held)
            found.append(Block(start, end, state, what=one.reference))
        self.blocks[centre] = (*planned, *found)
        return self.blocks[centre]

    def _calendar(self, centre: str, ignoring: str) -> Calendar:
        calendar = self.calendars[centre]
        if ignoring == "leave":
            return without_leaves(calendar)
        return always_open(calendar) if ignoring == "shift" else calendar

    def knows(self, centre: str) -> bool:
        """Whether the published plan says what is around a step there."""
        return self.published is not None and centre in self.published.rows

    def minutes(self, step: RouteStep, centre: str) -> int:
        """How long a step takes there: without its fixed set-up where a changeover stands in for it."""
        if not self.knows(centre):
            return math.ceil(step.minutes[centre])
        assert self.published is not None
        fixed = step.setup_min.get(centre, 0.0) if self.published.rows[centre].changeovers.matrix is not None else 0.0
        # A round-off must not cost a minute: 40.3 - 15 is a little more than 25.3.
        return max(1, math.ceil(round(step.minutes[centre] - fixed, 6)))

    def place(
        self,
        step: RouteStep,
        centre: str,
        ready: int,
        *,
        limit: int | None = None,
        ignoring: str = "",
        rows: Mapping[str, Row] | None = None,
    ) -> _Placed | None:
        """The step on that work centre; `ignoring` bookings, leaves, changeovers or shifts, as if there were none.

        `rows` are those in which earlier steps stand already.
        """
        limit, minutes = limit or self.limit, self.minutes(step, centre)
        if not self.knows(centre):
            busy = () if ignoring == "booking" else self.busy(centre)
            calendar = self._calendar(centre, ignoring)
            span = earliest(calendar, busy, ready=ready, minutes=minutes, splittable=step.splittable, limit=limit)
            return None if span is None else _Placed(centre, *span)
        row = (rows or {}).get(centre) or self.row(centre, limit=limit, ignoring=ignoring)
        agreed = tuple([step.attributes.get(name, "") for name in row.load_by])
        state = row.changeovers.state(step.attributes)
        work = Work(minutes, state, step.splittable, step.load, agreed, _LAST)
        place = row.earliest(work, ready)
        if ignoring == "booking":
            # It is spared the waiting, not the changeover: that is a constraint of its own.
            there = self.row(centre, limit=limit, ignoring="")
            waits = there.earliest(work, ready)
            state = there.state_in(waits.at + waits.joins) if waits is not None else row.state
            place = replace(row, state=state).earliest(work, ready)
        return None if place is None else _Placed(centre, place.start, place.end, place, work, row.state_in(place.at))

    def best(
        self,
        step: RouteStep,
        ready: int,
        *,
        limit: int | None = None,
        ignoring: str = "",
        rows: Mapping[str, Row] | None = None,
    ) -> _Placed | None:
        """The work centre that finishes first; the first named among equals."""
        each = [self.place(step, c, ready, limit=limit, ignoring=ignoring, rows=rows) for c in step.work_centres]
        return min((one for one in each if one is not None), key=lambda one: one.end, default=None)

    def chain(self, first: int, ready: int, *, ignoring: str = "") -> list[_Placed]:
        """Every step from the first, each at its earliest finish; `ignoring` holds for the first. Raises NoSlot."""
        placed: list[_Placed] = []
        rows: dict[str, Row] = {}
        for index, step in enumerate(self.route[first:], first):
            if placed:
                ready = placed[-1].end + math.ceil(step.gap_min)
            found = self.best(step, ready, ignoring=ignoring if index == first else "", rows=rows)
            if found is None:
                raise _no_slot(self, step, ready)
            placed.append(found)
            if found.place is not None and any(found.centre in later.work_centres for later in self.route[index + 1 :]):
                self._stand(rows, step, found)
        return placed

    def displaced(self, placed: Sequence[_Placed]) -> tuple[Assignment, ...]:
        """What follows the steps on their work centres, with the changeovers that it then needs."""
        rows: dict[str, Row] = {}
        found: dict[str, Assignment] = {}
        for one in placed:
            if one.place is not None and one.work is not None:
                row = rows.get(one.centre) or self.row(one.centre, limit=self.limit, ignoring="")
                new = Assignment("", one.centre, one.start, one.end, one.place.changeover)
                rows[one.centre], changed = row.put(one.place, one.work, (new,))
                found |= {each.operation: each for each in changed if each.operation}
        return tuple(found.values())

    def _stand(self, rows: dict[str, Row], step: RouteStep, placed: _Placed) -> None:
        """Put a step into its row, for a later one that comes to the same work centre."""
        assert placed.work is not None
        row = rows.get(placed.centre) or self.row(placed.centre, limit=self.limit, ignoring="")
        # Anew and not as it was found: what was ignored for it counts for those that follow.
        work = replace(placed.work, state=row.changeovers.state(step.attributes))
        place = placed.place
        if place is None or not place.joins:
            at = next((number for number, start in enumerate(row.starts) if start > placed.start), len(row.starts))
            place = Place(placed.start, placed.end, placed.start, at)
        assignment = Assignment("", placed.centre, placed.start, placed.end, place.changeover)
        rows[placed.centre] = row.put(place, work, (assignment,))[0]


_LAST: Final = 2**31  # the position of a job that comes after all that are planned


def _begin(block: Block) -> int:
    return min((one.changeover for one in block.assignments), default=block.start)


@lru_cache(maxsize=512)
def open_time(calendar: Calendar, first_day: int, last_day: int) -> OpenTime:
    """The open time from one day since 1970 UTC to another; the same for all promises of a day."""
    return OpenTime.of(tuple(openings(calendar, first_day * DAY_MIN, last_day * DAY_MIN)))


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
    published: Gaps | None = None,
    holds: Holds | None = None,
) -> Promise:
    """The earliest end of the whole route, with a time for each step and the binding constraint in words.

    All times are aware; the answer is in UTC. `materials_ready` are release dates of the first step. `names` are the
    work centres' names for the words, `tz` the time zone of those who read them (the first work centre's, if None).
    `published` are the gaps of the published plan (`insertion.gaps_of`, built once for each version): its operations,
    what its machines are set for and what changing over takes count, and its `frozen_until`; the openings are those of
    `calendars`. Bookings that are `mine` and lie within an operation of the plan are that operation. `holds` says of
    other bookings of ours, by reference and work centre, what they leave the work centre set for.
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
    by_centre: dict[str, list[Booking]] = {}
    for one in bookings:
        by_centre.setdefault(one.work_centre, []).append(one)
    start = minute_after(now)
    limit = start + horizon_days * DAY_MIN
    zone = tz or calendars[route[0].work_centres[0]].tz
    last = max(materials_ready, key=lambda one: one[1], default=None)
    material = max(start, minute_after(last[1])) if last else start
    if last and material >= limit:
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
    frozen = published.problem.frozen_until if published is not None else None
    shop = _Shop(
        route,
        calendars,
        by_centre,
        start,
        limit,
        material,
        max(start, frozen or start),
        names or {},
        published,
        holds or {},
    )
    placed = shop.chain(0, shop.ready)
    why = _why(shop, placed, last, now=now, tz=zone)
    work_min = sum(shop.minutes(step, one.centre) for step, one in zip(route, placed, strict=True))
    return Promise(
        date=moment_of(placed[-1].end),
        steps=tuple(_step(shop, step, one) for step, one in zip(route, placed, strict=True)),
        binding=why[0].sentence if why else f"The work itself takes {words.duration(work_min)}",
        why=tuple(why),
        displaced=shop.displaced(placed),
    )


def _step(shop: _Shop, step: RouteStep, placed: _Placed) -> PlannedStep:
    start, end = moment_of(placed.start), moment_of(placed.end)
    if placed.place is None:
        return PlannedStep(step.name, placed.centre, start, end)
    begin = placed.place.changeover
    time = shop.row(placed.centre, limit=shop.limit, ignoring="").time
    minutes = 0 if placed.place.joins else time.worked(placed.start) - time.worked(begin)
    return PlannedStep(step.name, placed.centre, start, end, minutes, moment_of(begin), placed.place.joins)


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


def _why(shop: _Shop, placed: Sequence[_Placed], last: Ready | None, *, now: datetime, tz: str) -> list[Constraint]:
    """What keeps the promise from being earlier, most binding first; shifts only where nothing else does."""
    finish = placed[-1].end
    ready = shop.ready
    readies: list[int] = []  # when each step could have begun
    for step, one in zip(shop.route, placed, strict=True):
        readies.append(ready + (math.ceil(step.gap_min) if readies else 0))
        ready = one.end

    def gain(index: int, ignoring: str) -> int:
        return finish - shop.chain(index, readies[index], ignoring=ignoring)[-1].end

    found: list[Constraint] = []
    if last and shop.ready > shop.frozen:
        earlier = finish - shop.chain(0, shop.frozen)[-1].end
        found.append(Constraint("material", f"{last[0]} arrives {words.day(last[1], tz)}", earlier))
    if shop.ready > shop.material:
        earlier = finish - shop.chain(0, shop.material)[-1].end
        until = words.clock(moment_of(shop.frozen), tz, now=now)
        found.append(Constraint("frozen", f"The plan is frozen until {until}", earlier))
    for index, step in enumerate(shop.route):
        booked = [centre for centre in step.work_centres if _is_booked(shop, centre)]
        if booked and (minutes := gain(index, "booking")) > 0:
            sentence = _busy_words(shop, step, readies[index], booked, now=now, tz=tz)
            found.append(Constraint("booking", sentence, minutes))
        on_leave = [centre for centre in step.work_centres if shop.calendars[centre].leaves]
        if on_leave and (minutes := gain(index, "leave")) > 0:
            found.append(Constraint("leave", _leave_words(shop, placed[index], on_leave, now=now, tz=tz), minutes))
        if any(shop.knows(centre) for centre in step.work_centres) and (minutes := gain(index, "changeover")) > 0:
            found.append(Constraint("changeover", _changeover_words(shop, step, placed[index]), minutes))
    found = [one for one in found if one.gain_min > 0]
    if not found:
        for index, one in enumerate(placed):
            if (minutes := gain(index, "shift")) > 0:
                opens = words.clock(moment_of(one.start), tz, now=now)
                found.append(Constraint("shift", f"{_name(shop, one.centre)} runs from {opens}", minutes))
    return sorted(found, key=lambda one: -one.gain_min)


def _is_booked(shop: _Shop, centre: str) -> bool:
    if shop.knows(centre):
        return bool(shop.row(centre, limit=shop.limit, ignoring="").blocks)
    return bool(shop.busy(centre))


def _busy_words(shop: _Shop, step: RouteStep, ready: int, booked: Sequence[str], *, now: datetime, tz: str) -> str:
    """Such as: Steamer free Thu 14:00, after WL-7. Or: Printer 1 and 2 busy until Fri 10:00."""
    starts: dict[str, int] = {}  # of the work centres that would have been done earlier
    for centre in booked:
        taken, free = shop.place(step, centre, ready), shop.place(step, centre, ready, ignoring="booking")
        if free is not None and (taken is None or free.end < taken.end):
            starts[centre] = _begins(taken) if taken else shop.limit
    if not starts:  # others' work there spares it a changeover: only in all is it later for them
        starts = {centre: _begins(placed) for centre in booked if (placed := shop.place(step, centre, ready))}
    when = words.clock(moment_of(min(starts.values())), tz, now=now)
    if len(starts) == 1:
        centre, start = next(iter(starts.items()))
        order = _order_before(shop, centre, start)
        return f"{_name(shop, centre)} free {when}" + (f", after {order}" if order else "")
    return f"{_names(shop, list(starts))} busy until {when}"


def _begins(placed: _Placed) -> int:
    """From when on it has its work centre, its changeover included."""
    return placed.place.changeover if placed.place is not None else placed.start


def _order_before(shop: _Shop, centre: str, start: int) -> str:
    """The order of ours that the work centre is busy with until then; empty where it is somebody else's booking."""
    if not shop.knows(centre):
        return ""
    assert shop.published is not None
    row = shop.row(centre, limit=shop.limit, ignoring="")
    before = max((block for block in row.blocks if block.start < start), key=lambda block: block.end, default=None)
    return _order_of(shop.published, before) if before is not None else ""


def _order_of(published: Gaps, block: Block) -> str:
    if not block.assignments:
        return ""
    job = published.problem.operations[published.positions[block.assignments[0].operation]].job
    return published.jobs[job].name or job


def _changeover_words(shop: _Shop, step: RouteStep, placed: _Placed) -> str:
    """Such as: Printer 1 takes 1 h 15 min to change over, ink acid to reactive."""
    centre = placed.centre
    if placed.place is None or placed.work is None or placed.place.joins:
        centre = next(centre for centre in step.work_centres if shop.knows(centre))
        return f"{_name(shop, centre)} has to be changed over"
    changeovers = shop.row(centre, limit=shop.limit, ignoring="").changeovers
    minutes = changeovers.minutes(placed.before, placed.work.state)
    if not minutes or changeovers.matrix is None:
        return f"{_name(shop, centre)} has no time before to change over to what follows"
    changes = ", ".join(
        f"{each.attribute} {old or 'unknown'} to {new or 'none'}"
        for each, old, new in zip(changeovers.matrix.attributes, placed.before, placed.work.state, strict=True)
        if old != new and each.between(old, new).minutes
    )
    return f"{_name(shop, centre)} takes {words.duration(minutes)} to change over" + (f", {changes}" if changes else "")


def _leave_words(shop: _Shop, placed: _Placed, on_leave: Sequence[str], *, now: datetime, tz: str) -> str:
    """Such as: Printer 2 closed until Tue 12:00 (Head maintenance)."""
    centre = placed.centre if placed.centre in on_leave else on_leave[0]
    leaves = [leave for leave in shop.calendars[centre].leaves if minute_after(leave.end) > shop.now]
    past = [leave for leave in leaves if minute_after(leave.end) <= placed.end] or leaves
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
    beyond = shop.best(step, ready, limit=shop.now + LOOK_BEYOND_DAYS * DAY_MIN)
    longest = {centre: longest_opening(shop.calendars[centre], shop.now, shop.limit) for centre in step.work_centres}
    least = min(shop.minutes(step, centre) for centre in step.work_centres)
    centres = _names(shop, step.work_centres) if len(step.work_centres) > 1 else _name(shop, step.work_centres[0])
    if beyond is not None:
        reason = "busy"
        opens = words.day(moment_of(beyond.start), zone)
        sentence = (
            f"{step.name}: {centres} has no free {words.duration(least)} within {days} days; the first is {opens}"
        )
    elif not any(longest.values()):
        reason, sentence = "never_open", f"{step.name}: {centres} never opens within {days} days; look at its calendar"
    elif not step.splittable and all(longest[centre] < shop.minutes(step, centre) for centre in longest):
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
            "available_from": moment_of(beyond.start).isoformat() if beyond else None,
        },
    )


def horizon_end(now: datetime, horizon_days: int = HORIZON_DAYS) -> datetime:
    """Until when bookings have to be read for a promise."""
    return now + timedelta(days=horizon_days)
