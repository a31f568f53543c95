"""Whether a problem can be planned at all: everything that is wrong with it, at once and by name.

What is refused here can't be mended by any plan: values that mean nothing, names that are not there, chains that run in
a circle, operations that no machine can ever take, pins that can't hold. Whether all of it fits together before the
problem's end is for the search to find out.
"""

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from numbers import Integral, Real
from typing import Final
from zoneinfo import ZoneInfo

from inventory_sync import words
from production.planning.clock import LAST_DATED, clock
from production.planning.errors import InvalidProblem
from production.planning.hours import Hours, within
from production.planning.openings import Span
from production.planning.problem import After, Machine, Operation, Problem, Setup, SetupMatrix

MOST_FAULTS: Final = 100  # that an error carries; it counts the others
_COMBINE: Final = ("sum", "max")


def check(problem: Problem) -> None:
    """Pass a problem that can be planned. Raises InvalidProblem with all that is wrong with it.

    >>> machine = Machine("PRT1", ((0, 480),))
    >>> check(Problem(0, 480, (machine,), (), (Operation("1", "WL-1", {"PRT1": 60}),)))
    Traceback (most recent call last):
    ...
    production.planning.errors.InvalidProblem: Operation 1 belongs to the job WL-1, which is not in the problem: add it.
    """
    faults = _Faults()
    _check_problem(problem, faults)
    _check_setups(problem, faults)
    _check_machines(problem, faults)
    _check_jobs(problem, faults)
    _check_rolls(problem, faults)
    _check_operations(problem, faults)
    _check_published(problem, faults)
    order = _order(problem, faults)
    if not faults.of_problem:
        times = {
            machine.code: _Times.of(problem, machine)
            for machine in problem.machines
            if machine.code not in faults.machines
        }
        sound = [one for one in order if one.id not in faults.operations and set(one.minutes) <= set(times)]
        _check_reach(problem, times, sound, faults)
        _check_pins(problem, times, sound, faults)
    faults.refuse()


@dataclass
class _Faults:
    """What was found so far, and what is no longer worth a closer look."""

    all: list[dict[str, str]] = field(default_factory=list)
    operations: set[str] = field(default_factory=set)
    machines: set[str] = field(default_factory=set)
    of_problem: bool = False

    def add(self, sentence: str, **about: str) -> None:
        self.all.append({"sentence": sentence} | about)
        if "operation" in about:
            self.operations.add(about["operation"])
        elif "machine" in about:
            self.machines.add(about["machine"])
        elif not about:
            self.of_problem = True

    def refuse(self) -> None:
        if not self.all:
            return
        more = f" ({len(self.all) - 1} more)" if len(self.all) > 1 else ""
        raise InvalidProblem(
            f"{self.all[0]['sentence']}{more}", fields={"problems": self.all[:MOST_FAULTS], "count": len(self.all)}
        )


# ---------------------------------------------------------------------------------------------- values


def _is_whole(value: object) -> bool:
    if type(value) is int:
        return -LAST_DATED < value < LAST_DATED
    return isinstance(value, Integral) and not isinstance(value, bool) and abs(int(value)) < LAST_DATED


def _is_amount(value: object) -> bool:
    """Whether it is a number that can be counted with, 0 or more."""
    if isinstance(value, Decimal):
        return value.is_finite() and value >= 0
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value) and float(value) >= 0


def _repeated(keys: Iterable[Hashable]) -> list[str]:
    return [str(key) for key, count in Counter(keys).items() if count > 1]


def _check_problem(problem: Problem, faults: _Faults) -> None:
    if not (_is_whole(problem.start) and _is_whole(problem.end) and problem.start < problem.end):
        faults.add(
            f"The plan runs from {problem.start} to {problem.end}: write whole minutes, and an end after the start."
        )
    for name in ("frozen_until", "slushy_until"):
        until = getattr(problem, name)
        if until is not None and not _is_whole(until):
            faults.add(f"{name} is {until}: write whole minutes or nothing.")
    if not _is_whole(problem.tolerance_min) or problem.tolerance_min < 0:
        faults.add(f"tolerance_min is {problem.tolerance_min}: write a number of minutes of 0 or more.")
    for name, weight in vars(problem.weights).items():
        if not _is_amount(weight):
            faults.add(f"The weight {name} is {weight}: write a number of 0 or more.")
    try:
        ZoneInfo(problem.tz)
    except (KeyError, OSError, TypeError, ValueError):
        faults.add(f"The time zone {problem.tz!r} is not known: write one such as Europe/Paris.")


def _check_setups(problem: Problem, faults: _Faults) -> None:
    for code, matrix in problem.setups.items():
        where = {"setups": code}
        if matrix.combine not in _COMBINE:
            faults.add(f"The setups {code} are combined by {matrix.combine!r}: write sum or max.", **where)
        for name in _repeated(one.attribute for one in matrix.attributes):
            faults.add(f"The setups {code} name the attribute {name} twice: keep one.", **where)
        for one in matrix.attributes:
            cases: dict[str, Setup] = {"the same": one.same, "any other": one.other}
            cases |= {f"{before} to {after}": setup for (before, after), setup in one.pairs.items()}
            for case, setup in cases.items():
                if not (_is_whole(setup.minutes) and setup.minutes >= 0 and _is_amount(setup.cost)):
                    faults.add(
                        f"The setups {code} take {setup.minutes} min and cost {setup.cost} from {one.attribute} "
                        f"{case}: write whole minutes and a cost of 0 or more.",
                        **where,
                    )


def _check_machines(problem: Problem, faults: _Faults) -> None:
    for code in _repeated(machine.code for machine in problem.machines):
        faults.add(f"The machine {code} is there twice: keep one.", machine=code)
    for machine in problem.machines:
        code = machine.code
        regular = _check_spans(machine.open, "open", code, faults)
        overtime = _check_spans(machine.overtime, "overtime", code, faults)
        if regular and overtime and (clash := _first_overlap(machine.open, machine.overtime)):
            faults.add(
                f"The overtime {_span(clash[1])} of {code} overlaps its open time {_span(clash[0])}: cut it out.",
                machine=code,
            )
        for one in machine.taken:
            if not (_is_whole(one.start) and _is_whole(one.end) and one.start < one.end):
                faults.add(
                    f"{code} is booked {_span((one.start, one.end))}: write whole minutes, and an end after the start.",
                    machine=code,
                )
        if machine.setups and machine.setups not in problem.setups:
            faults.add(
                f"{code} is changed over by the setups {machine.setups}, which are not in the problem: add them.",
                machine=code,
            )
        if not _is_whole(machine.load) or machine.load < 0:
            faults.add(f"A load of {code} is {machine.load}: write a whole number of 0 or more.", machine=code)


def _check_spans(spans: Sequence[Span], what: str, code: str, faults: _Faults) -> bool:
    for start, end in spans:
        if not (_is_whole(start) and _is_whole(end) and start < end):
            faults.add(
                f"The {what} time {_span((start, end))} of {code} is none: write whole minutes, and an end after the "
                "start.",
                machine=code,
            )
            return False
    for one, following in pairwise(spans):
        if following[0] <= one[1]:
            faults.add(
                f"The {what} times {_span(one)} and {_span(following)} of {code} overlap, touch or are out of order: "
                "merge and sort them.",
                machine=code,
            )
            return False
    return True


def _span(span: Span) -> str:
    return f"{span[0]} to {span[1]}"


def _first_overlap(spans: Sequence[Span], others: Sequence[Span]) -> tuple[Span, Span] | None:
    """The first of two sorted lists of spans that overlap."""
    ends = [end for _, end in spans]
    for other in others:
        at = bisect_right(ends, other[0])
        if at < len(spans) and spans[at][0] < other[1]:
            return spans[at], other
    return None


def _check_jobs(problem: Problem, faults: _Faults) -> None:
    for id in _repeated(job.id for job in problem.jobs):
        faults.add(f"The job {id} is there twice: keep one.", job=id)
    for job in problem.jobs:
        for name, minute in (("due", job.due), ("release", job.release)):
            if minute is not None and not _is_whole(minute):
                faults.add(f"The {name} date of job {job.id} is {minute}: write whole minutes or nothing.", job=job.id)
        if not _is_amount(job.weight):
            faults.add(f"The weight of job {job.id} is {job.weight}: write a number of 0 or more.", job=job.id)


def _check_rolls(problem: Problem, faults: _Faults) -> None:
    for code in _repeated(roll.code for roll in problem.rolls):
        faults.add(f"The roll {code} is there twice: keep one.", roll=code)
    for roll in problem.rolls:
        if not _is_amount(roll.length_m):
            faults.add(f"The roll {roll.code} is {roll.length_m} m long: write a length of 0 or more.", roll=roll.code)
        if roll.ready is not None and not _is_whole(roll.ready):
            faults.add(
                f"The roll {roll.code} is there from {roll.ready}: write whole minutes or nothing.", roll=roll.code
            )


def _check_operations(problem: Problem, faults: _Faults) -> None:
    machines = {machine.code: machine for machine in problem.machines}
    jobs = {job.id for job in problem.jobs}
    ids = {operation.id for operation in problem.operations}
    rolls = {roll.code: roll for roll in problem.rolls}
    wanted = {
        code: tuple(dict.fromkeys((*_attributes(problem.setups.get(machine.setups)), *machine.load_by)))
        for code, machine in machines.items()
    }
    for id in _repeated(operation.id for operation in problem.operations):
        faults.add(f"The operation {id} is there twice: keep one.", operation=id)
    for one in problem.operations:
        for sentence in _wrong_in(one, machines, jobs, ids):
            faults.add(f"Operation {one.id} {sentence}", operation=one.id)
        for code in one.minutes:
            if lacking := [name for name in wanted.get(code, ()) if name not in one.attributes]:
                faults.add(
                    f"Operation {one.id} doesn't say its {', '.join(lacking)}, by which {code} is changed over: "
                    "add it to its attributes.",
                    operation=one.id,
                    machine=code,
                )
                break
        if one.cloth is not None:
            held = rolls.get(one.cloth.roll)
            wrong = ""
            if not _is_amount(one.cloth.length_m) or not one.cloth.length_m:
                wrong = f"is cut from {one.cloth.length_m} m: write a length above 0."
            elif one.cloth.roll and rolls and held is None:
                wrong = f"is cut from the roll {one.cloth.roll}, which is not in the problem: add it, or name none."
            elif held is not None and held.sku != one.cloth.sku:
                wrong = f"needs {one.cloth.sku}, but its roll {held.code} is {held.sku}: hold another roll."
            if wrong:
                faults.add(f"Operation {one.id} {wrong}", operation=one.id)


def _attributes(matrix: SetupMatrix | None) -> Iterator[str]:
    return (one.attribute for one in matrix.attributes) if matrix is not None else iter(())


def _wrong_in(
    one: Operation, machines: Mapping[str, Machine], jobs: Collection[str], ids: Collection[str]
) -> Iterator[str]:
    """What is wrong with an operation by itself, each as the rest of a sentence."""
    if one.job not in jobs:
        yield f"belongs to the job {one.job}, which is not in the problem: add it."
    if not one.minutes:
        yield "has no machine that can do it: name one with its minutes."
    unknown = [code for code in one.minutes if code not in machines]
    if unknown:
        yield f"can be done on {', '.join(unknown)}, which is not in the problem: add it, or take it out."
    for code, minutes in one.minutes.items():
        if not _is_whole(minutes) or minutes <= 0:
            yield f"takes {minutes} min on {code}: write whole minutes above 0."
    for before in one.after:
        if before.operation not in ids:
            yield f"comes after {before.operation}, which is not in the problem: add it, or take it out."
        if not _is_whole(before.gap_min) or before.gap_min < 0:
            yield f"waits {before.gap_min} min after {before.operation}: write whole minutes of 0 or more."
    if one.release is not None and not _is_whole(one.release):
        yield f"is released at {one.release}: write whole minutes or nothing."
    if not _is_whole(one.load) or one.load < 0:
        yield f"takes {one.load} of a load: write a whole number of 0 or more."
        return
    for code in one.minutes:
        most = machines[code].load if code in machines and _is_whole(machines[code].load) else 0
        if most > 0 and one.load > most:
            yield f"takes {one.load} of a load, but {code} holds {most}: divide it, or take another machine."
        if most > 0 and not one.load:
            yield f"doesn't say how much of a load of {code} it takes: write its load, 1 to {most}."
    pin = one.pin
    if pin is None:
        return
    if pin.machine not in machines:
        yield f"is pinned to {pin.machine}, which is not in the problem: pin it elsewhere."
    elif one.minutes and pin.machine not in one.minutes:
        yield f"is pinned to {pin.machine}, which can't do it: pin it to {' or '.join(one.minutes)}."
    if pin.start is not None and not _is_whole(pin.start):
        yield f"is pinned to {pin.start}: write whole minutes or nothing."


def _check_published(problem: Problem, faults: _Faults) -> None:
    ids = {operation.id for operation in problem.operations}
    known = [one for one in problem.published if one.operation in ids]
    for id in _repeated(one.operation for one in known):
        faults.add(f"Operation {id} is published twice: keep one.", operation=id)
    for one in known:
        if not (_is_whole(one.start) and _is_whole(one.end) and one.start <= one.end):
            faults.add(
                f"Operation {one.operation} is published from {one.start} to {one.end}: write whole minutes, and an "
                "end after the start.",
                operation=one.operation,
            )


def _order(problem: Problem, faults: _Faults) -> list[Operation]:
    """The operations so that each comes after those it waits for; those in a circle are named and left out."""
    operations = {one.id: one for one in problem.operations}
    waits = {one.id: {before.operation for before in one.after} & operations.keys() for one in operations.values()}
    followers: dict[str, list[str]] = {id: [] for id in operations}
    for id, before in waits.items():
        for other in before:
            followers[other].append(id)
    left = {id: len(before) for id, before in waits.items()}
    order = [id for id, count in left.items() if not count]
    for id in order:  # grows while it is read
        for other in followers[id]:
            left[other] -= 1
            if not left[other]:
                order.append(other)
    stuck = operations.keys() - set(order)
    for circle in _circles({id: min(waits[id] & stuck) for id in operations if id in stuck}):
        chain = " → ".join((*circle, circle[0]))
        faults.add(
            f"Operation {circle[0]} comes after itself: {chain}. Take one of these links out.", operation=circle[0]
        )
    return [operations[id] for id in order]


def _circles(before: Mapping[str, str]) -> Iterator[list[str]]:
    """Each circle once, in the order of work. `before`: one that each waits for, and that waits itself."""
    seen: set[str] = set()
    place = {id: number for number, id in enumerate(before)}
    for at in before:
        path: dict[str, None] = {}
        while at not in seen:
            seen.add(at)
            path[at] = None
            at = before[at]
        if at in path:
            circle = list(path)[list(path).index(at) :][::-1]
            first = circle.index(min(circle, key=place.__getitem__))
            yield circle[first:] + circle[:first]


# ---------------------------------------------------------------------------------------------- what can ever hold


@dataclass(frozen=True)
class _Times:
    """A machine's hours between the problem's start and end, once without overtime and once with it."""

    machine: Machine
    regular: Hours
    most: Hours

    @classmethod
    def of(cls, problem: Problem, machine: Machine) -> "_Times":
        return cls(machine, Hours.of(problem, machine), Hours.of(problem, machine, overtime=True))

    def longest(self) -> tuple[int, int]:
        """The longest free stretch, and the most open minutes between two bookings."""
        stretch = total = 0
        bounds = [-LAST_DATED, *(edge for span in self.most.booked for edge in span), LAST_DATED]
        for free in zip(bounds[::2], bounds[1::2], strict=True):
            pieces = [b - a for a, b in within(self.most.open, *free)]
            stretch, total = max(stretch, max(pieces, default=0)), max(total, sum(pieces))
        return stretch, total

    def ends(self, start: int, minutes: int, *, splittable: bool, running: bool = False) -> list[int]:
        """When an operation that starts then is over: in regular time and with overtime, where that is possible."""
        found = (
            hours.end_of(start, minutes, splittable=splittable, running=running) for hours in (self.regular, self.most)
        )
        return sorted({end for end in found if end is not None})


def _started(problem: Problem) -> dict[str, int]:
    """What was published to start before the plan does: operation -> minute. It may be running."""
    return {one.operation: one.start for one in problem.published if _is_whole(one.start) and one.start < problem.start}


def _check_reach(
    problem: Problem, times: Mapping[str, _Times], operations: Sequence[Operation], faults: _Faults
) -> None:
    """Refuse what no machine could ever take, however empty the shop."""
    longest = {code: time.longest() for code, time in times.items()}
    started = _started(problem)
    for one in operations:
        if one.id in started or (one.pin is not None and one.pin.start is not None):
            continue
        codes = [one.pin.machine] if one.pin is not None else list(one.minutes)
        if any(one.minutes[code] <= longest[code][one.splittable] for code in codes):
            continue
        where = " and ".join(codes)
        until = clock(problem, problem.end)
        if not any(longest[code][1] for code in codes):
            faults.add(
                f"Operation {one.id} can't be done: {where} never opens free of bookings before {until}. Look at the "
                "calendar, or name another machine.",
                operation=one.id,
                machine=codes[0],
            )
            continue
        least = min(one.minutes[code] for code in codes)
        most = max(longest[code][one.splittable] for code in codes)
        pause = "" if one.splittable else " without a pause"
        remedy = "plan further ahead" if one.splittable else "divide it, or allow a pause"
        faults.add(
            f"Operation {one.id} takes {words.duration(least)}{pause}, but {where} has no more than "
            f"{words.duration(most)} at a stretch before {until}: {remedy}.",
            operation=one.id,
            machine=codes[0],
        )


@dataclass(frozen=True)
class _Pinned:
    """A pinned operation, with the earliest end it can have."""

    operation: Operation
    start: int
    end: int


def _check_pins(
    problem: Problem, times: Mapping[str, _Times], operations: Sequence[Operation], faults: _Faults
) -> None:
    """Refuse pins to a start that can't hold: by their machine's time, by what comes before, and by each other."""
    releases = {job.id: job.release for job in problem.jobs}
    position = {one.id: at for at, one in enumerate(problem.operations)}
    started = _started(problem)
    ends: dict[str, int] = {}  # no operation can be over sooner
    rows: dict[str, list[_Pinned]] = {code: [] for code in times}
    for one in operations:
        head = max((minute for minute, _ in _waits(one, releases, ends)), default=-LAST_DATED)
        least = min(one.minutes.values())
        ends[one.id] = started.get(one.id, max(head, problem.start)) + least
        pin = one.pin
        if pin is None or pin.start is None:
            continue
        found = _pinned_ends(problem, times[pin.machine], one, pin.start)
        here = f"Operation {one.id} is pinned to {pin.machine} {clock(problem, pin.start)}"
        about = {"operation": one.id, "machine": pin.machine}
        if pin.start < head:
            why = _wait_words(problem, one, releases, ends)
            faults.add(f"{here}, but {why}: pin it to {clock(problem, head)} or later.", **about)
        if not found:
            faults.add(f"{here}, where the machine {_not_free(problem, times[pin.machine], one, pin.start)}.", **about)
            continue
        ends[one.id] = found[0]
        rows[pin.machine].append(_Pinned(one, pin.start, found[0]))
    for code, row in rows.items():
        row.sort(key=lambda pinned: (pinned.start, position[pinned.operation.id]))
        _check_row(problem, times[code], row, operations, faults)


def _waits(
    one: Operation, releases: Mapping[str, int | None], ends: Mapping[str, int]
) -> Iterator[tuple[int, After | None]]:
    """The minutes that an operation can't start before in an empty shop: releases, and what it comes after."""
    for release in (one.release, releases.get(one.job)):
        if release is not None:
            yield release, None
    for before in one.after:
        if before.operation in ends:
            yield ends[before.operation] + before.gap_min, before


def _wait_words(problem: Problem, one: Operation, releases: Mapping[str, int | None], ends: Mapping[str, int]) -> str:
    """What it waits for last."""
    minute, before = max(_waits(one, releases, ends), key=lambda wait: wait[0])
    if before is None:
        return f"it is released {clock(problem, minute)}"
    gap = f" and {words.duration(before.gap_min)} have to pass" if before.gap_min else ""
    return f"{before.operation} ends {clock(problem, ends[before.operation])} at best{gap}"


def _pinned_ends(problem: Problem, time: _Times, one: Operation, start: int) -> list[int]:
    """When a pinned operation is over; none where its machine's time doesn't allow it."""
    minutes = one.minutes[time.machine.code]
    if start >= problem.start:
        return time.ends(start, minutes, splittable=one.splittable)
    left = minutes - (problem.start - start)  # it is running: what was before is not looked at
    if left <= 0:
        return [start + minutes]
    return time.ends(problem.start, left, splittable=one.splittable, running=True)


def _not_free(problem: Problem, time: _Times, one: Operation, start: int) -> str:
    """Why a pinned operation finds no time there, and what to do."""
    minutes = one.minutes[time.machine.code]
    if start >= problem.end:
        return f"is not planned: the plan ends {clock(problem, problem.end)}. Pin it before, or plan further ahead"
    begin = max(start, problem.start)
    first = next(within(time.most.open, begin, problem.end), None)
    booking = next((one for one in time.most.booked if one[1] > begin), None)
    if booking is not None and booking[0] <= begin:
        return f"is booked by others until {clock(problem, booking[1])}: pin it after that"
    if first is None or (first[0] > begin and not (one.splittable and start < problem.start)):
        opens = f"opens {clock(problem, first[0])}" if first else "doesn't open again"
        return f"is closed; it {opens}: pin it to an open minute"
    if booking is not None and booking[0] < problem.end:
        until = f"others have it from {clock(problem, booking[0])}"
    elif one.splittable:
        until = f"the plan ends {clock(problem, problem.end)}"
    else:
        until = f"it closes {clock(problem, first[1])}"
    return f"has no {words.duration(minutes)} for it, as {until}: pin it elsewhere"


def _check_row(
    problem: Problem, time: _Times, row: Sequence[_Pinned], operations: Sequence[Operation], faults: _Faults
) -> None:
    """Refuse pins of one machine that get in each other's way; `row` is sorted by start."""
    machine = time.machine
    last: _Pinned | None = None  # the first of its load
    held = 0
    for pinned in row:
        one = pinned.operation
        here = f"Operation {one.id} is pinned to {machine.code} {clock(problem, pinned.start)}"
        about = {"operation": one.id, "machine": machine.code}
        if last is not None and machine.load and pinned.start == last.start:
            held += one.load
            differs = [name for name in machine.load_by if one.attributes[name] != last.operation.attributes[name]]
            if held > machine.load:
                faults.add(
                    f"{here} into a load of {held}, but {machine.code} holds {machine.load}: pin it elsewhere.", **about
                )
            if differs:
                faults.add(
                    f"{here} into one load with {last.operation.id}, but they differ in {', '.join(differs)}: pin it "
                    "elsewhere.",
                    **about,
                )
            last = _Pinned(last.operation, last.start, max(last.end, pinned.end))
            continue
        if last is not None and pinned.start < last.end:
            faults.add(
                f"{here}, where {last.operation.id} is pinned until {clock(problem, last.end)}: pin one of them "
                "elsewhere.",
                **about,
            )
        elif machine.setups and pinned.start >= problem.start:
            since = max(problem.start, last.end) if last is not None else problem.start
            state = last.operation.attributes if last is not None else machine.state
            needed = _changeover_that_fits(problem, time, (since, pinned.start), state, one, operations)
            if needed is not None:
                before = f"from {last.operation.id}" if last is not None else "from what it is set for"
                faults.add(
                    f"{here}, but the changeover {before} takes {words.duration(needed)} and there are "
                    f"{words.duration(_room(time, since, pinned.start))}: pin it later.",
                    **about,
                )
        last, held = pinned, one.load


def _room(time: _Times, since: int, start: int) -> int:
    """Open minutes for a changeover before `start`: since then, and since the last booking."""
    booked = max((b for _, b in time.most.booked if b <= start), default=since)
    return time.most.open_min(max(since, booked), start)


def _changeover_that_fits(
    problem: Problem,
    time: _Times,
    between: Span,
    state: Mapping[str, str],
    one: Operation,
    operations: Sequence[Operation],
) -> int | None:
    """None where the machine can be set for the operation in time, otherwise the minutes it would take.

    By way of other operations too: their changeovers and minutes could together be shorter.
    """
    code = time.machine.code
    matrix = problem.setups[time.machine.setups]
    room, total = _room(time, *between), time.most.open_min(*between)
    direct = matrix.between(state, one.attributes).minutes
    if direct <= room:
        return None
    families: dict[tuple[str, ...], tuple[int, Mapping[str, str]]] = {}  # the shortest operation of each
    for other in operations:
        if code in other.minutes and (other.pin is None or other.pin.start is None):
            key = tuple(other.attributes[attribute] for attribute in _attributes(matrix))
            minutes = min(other.minutes[code], families[key][0] if key in families else other.minutes[code])
            families[key] = (minutes, other.attributes)
    done = {key: minutes + matrix.between(state, attributes).minutes for key, (minutes, attributes) in families.items()}
    open_ones = set(families)
    while open_ones:  # the shortest way to have done an operation of each family
        nearest = min(open_ones, key=lambda key: done[key])
        open_ones.remove(nearest)
        if done[nearest] > total:
            break
        last = matrix.between(families[nearest][1], one.attributes).minutes
        if last <= room and done[nearest] + last <= total:
            return None
        for key in open_ones:
            step = families[key][0] + matrix.between(families[nearest][1], families[key][1]).minutes
            done[key] = min(done[key], done[nearest] + step)
    return direct
