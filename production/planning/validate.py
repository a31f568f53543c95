"""Whether a plan keeps the rules of its problem: each rule of problem.py once more, written from its words alone.

No line is shared with what makes plans, so that a mistake there is seen here. Runs on every plan before it is stored.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from itertools import accumulate, groupby
from typing import Final

from inventory_sync import words
from production.planning.clock import clock
from production.planning.errors import InfeasiblePlan
from production.planning.openings import Span
from production.planning.problem import Assignment, Job, Machine, Operation, Problem, Roll, stays

MOST_FAULTS: Final = 100  # that an error carries; it counts the others


@dataclass(frozen=True)
class Fault:
    """A rule that is broken. `code`: unknown, missing, twice, machine, start, duration, closed, booked, overlap,
    changeover, release, after, pin, frozen, slushy, load, end, roll or lot.
    """

    code: str
    operation: str
    machine: str
    sentence: str


def require(problem: Problem, assignments: Iterable[Assignment]) -> None:
    """Pass a feasible plan. Raises InfeasiblePlan with all that is wrong with it."""
    found = faults(problem, assignments)
    if found:
        more = f" ({len(found) - 1} more)" if len(found) > 1 else ""
        raise InfeasiblePlan(
            f"{found[0].sentence}{more}",
            fields={"faults": [asdict(fault) for fault in found[:MOST_FAULTS]], "count": len(found)},
        )


def faults(problem: Problem, assignments: Iterable[Assignment]) -> tuple[Fault, ...]:
    """All the rules that a plan of a checked problem breaks; empty when it is feasible.

    >>> machine = Machine("PRT1", ((0, 480),))
    >>> problem = Problem(0, 480, (machine,), (Job("WL-1"),), (Operation("1", "WL-1", {"PRT1": 60}),))
    >>> [fault.sentence for fault in faults(problem, [Assignment("1", "PRT1", 430, 490, 430, overtime=True)])]
    ['PRT1 is closed from minute 480 to minute 490, while it works on 1.', '1 ends minute 490, the plan minute 480.']
    """
    everything = tuple(assignments)
    judge = _Judge(problem)
    known = [one for one in everything if one.operation in judge.operations]
    for one in everything:
        if one.operation not in judge.operations:
            judge.say("unknown", one, f"{one.operation} is planned, but there is no such operation.")
    planned: dict[str, Assignment] = {}
    for one in known:
        if one.operation in planned:
            judge.say("twice", one, f"{one.operation} is planned twice.")
        planned.setdefault(one.operation, one)
    for operation in problem.operations:
        if operation.id not in planned:
            judge.found.append(Fault("missing", operation.id, "", f"{operation.id} is not planned."))
    placed: dict[str, list[Assignment]] = defaultdict(list)
    for one in planned.values():
        if one.machine in judge.machines and one.machine in judge.operations[one.operation].minutes:
            placed[one.machine].append(one)
        else:
            judge.say("machine", one, f"{one.operation} is planned on {one.machine}, which can't do it.")
    for code, row in placed.items():
        judge.machine(code, row)
    for one in planned.values():
        judge.waits(one, planned)
        judge.stays(one)
    judge.cloth(planned)
    return tuple(judge.found)


class _Judge:
    """A problem with its names looked up, and what was found so far."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.found: list[Fault] = []
        self.operations: Mapping[str, Operation] = {one.id: one for one in problem.operations}
        self.position: Mapping[str, int] = {one.id: at for at, one in enumerate(problem.operations)}
        self.machines: Mapping[str, Machine] = {one.code: one for one in problem.machines}
        self.jobs: Mapping[str, Job] = {one.id: one for one in problem.jobs}
        self.published: Mapping[str, Assignment] = {one.operation: one for one in problem.published}

    def say(self, code: str, one: Assignment, sentence: str) -> None:
        self.found.append(Fault(code, one.operation, one.machine, sentence))

    def at(self, minute: int) -> str:
        return clock(self.problem, minute)

    # ------------------------------------------------------------------------------------------ what has to stay

    def before(self, id: str) -> Assignment | None:
        """Where an operation stands published; None where its machine can't do it any more, or it is pinned away."""
        before, operation = self.published.get(id), self.operations[id]
        if before is None or before.machine not in operation.minutes:
            return None
        return before if operation.pin is None or operation.pin.machine == before.machine else None

    def frozen(self, id: str) -> Assignment | None:
        """Where an operation stands published and has to stay. A pin to a start goes before."""
        before, pin = self.before(id), self.operations[id].pin
        if before is None or not stays(self.problem, before):
            return None
        return before if pin is None or pin.start is None else None

    def running_since(self, one: Assignment) -> int | None:
        """The start of what is running already when the plan begins; None for anything else."""
        pin, frozen = self.operations[one.operation].pin, self.frozen(one.operation)
        start = frozen.start if frozen is not None else pin.start if pin is not None else None
        return start if start is not None and start < self.problem.start and start == one.start else None

    def stays(self, one: Assignment) -> None:
        """Rule 5, and what is frozen or slushy."""
        pin, frozen = self.operations[one.operation].pin, self.frozen(one.operation)
        if pin is not None:
            if one.machine != pin.machine:
                self.say("pin", one, f"{one.operation} is pinned to {pin.machine}, but planned on {one.machine}.")
            if pin.start is not None and one.start != pin.start:
                self.say(
                    "pin", one, f"{one.operation} is pinned to {self.at(pin.start)}, but starts {self.at(one.start)}."
                )
        if frozen is not None:
            if (one.machine, one.start) != (frozen.machine, frozen.start):
                self.say(
                    "frozen",
                    one,
                    f"{one.operation} is frozen on {frozen.machine} {self.at(frozen.start)}, but planned on "
                    f"{one.machine} {self.at(one.start)}.",
                )
        elif (before := self.before(one.operation)) is not None:
            until = self.problem.slushy_until
            if until is not None and before.start < until and one.machine != before.machine:
                self.say(
                    "slushy", one, f"{one.operation} has to stay on {before.machine}, but is planned on {one.machine}."
                )

    # ------------------------------------------------------------------------------------------ what it waits for

    def waits(self, one: Assignment, planned: Mapping[str, Assignment]) -> None:
        """Rules 4 and 7, and that nothing begins in the past but what is running."""
        operation = self.operations[one.operation]
        if one.start < self.problem.start and self.running_since(one) is None:
            self.say(
                "start",
                one,
                f"{one.operation} starts {self.at(one.start)}, before the plan does {self.at(self.problem.start)}.",
            )
        job = self.jobs[operation.job]
        for release in (operation.release, job.release):
            if release is not None and one.start < release:
                self.say(
                    "release",
                    one,
                    f"{one.operation} starts {self.at(one.start)}, but is released {self.at(release)}.",
                )
        for before in operation.after:
            other = planned.get(before.operation)
            if other is not None and one.start < other.end + before.gap_min:
                gap = f" and {words.duration(before.gap_min)} have to pass" if before.gap_min else ""
                self.say(
                    "after",
                    one,
                    f"{one.operation} starts {self.at(one.start)}, but {other.operation} ends {self.at(other.end)}"
                    f"{gap}.",
                )
        if one.end > self.problem.end:
            self.say("end", one, f"{one.operation} ends {self.at(one.end)}, the plan {self.at(self.problem.end)}.")

    # ------------------------------------------------------------------------------------------ on its machine

    def machine(self, code: str, row: Sequence[Assignment]) -> None:
        """Rules 1, 2, 3 and 6, for all that one machine does."""
        machine = self.machines[code]
        times = {
            False: _Time(machine.open, machine, self.problem.start),
            True: _Time((*machine.open, *machine.overtime), machine, self.problem.start),
        }
        row = sorted(row, key=lambda one: (one.start, one.end, self.position[one.operation]))
        if machine.load:
            loads = [list(load) for _, load in groupby(row, key=lambda one: (one.start, one.end))]
        else:
            loads = [[one] for one in row]
        state = machine.state
        over: Assignment | None = None  # what was over last of all before
        for load in loads:
            first = load[0]
            time = times[first.overtime]
            self.load(machine, load)
            self.duration(machine, load, time)
            if over is not None and first.start < over.end:
                self.say(
                    "overlap",
                    first,
                    f"{first.operation} starts {self.at(first.start)} on {code}, where {over.operation} ends "
                    f"{self.at(over.end)}.",
                )
            self.changeover(machine, state, first, over, time)
            state = self.operations[first.operation].attributes
            over = first if over is None or first.end > over.end else over

    def load(self, machine: Machine, load: Sequence[Assignment]) -> None:
        """Rule 6."""
        if not machine.load:
            return
        first, operations = load[0], [self.operations[one.operation] for one in load]
        held = sum(operation.load for operation in operations)
        if held > machine.load:
            self.say(
                "load", first, f"The load of {first.operation} is {held}, but {machine.code} holds {machine.load}."
            )
        for name in machine.load_by:
            if len({operation.attributes.get(name, "") for operation in operations}) > 1:
                self.say("load", first, f"The load of {first.operation} mixes what differs in {name}.")
        for one in load[1:]:
            if one.overtime != first.overtime or not first.changeover <= one.changeover <= one.start:
                self.say(
                    "load",
                    one,
                    f"{one.operation} is in one load with {first.operation}, but has another overtime or changeover.",
                )

    def duration(self, machine: Machine, load: Sequence[Assignment], time: "_Time") -> None:
        """Rules 1 and 3. A load pauses only where all that is in it may."""
        first, operations = load[0], [self.operations[one.operation] for one in load]
        minutes = max(operation.minutes[machine.code] for operation in operations)
        splittable = all(operation.splittable for operation in operations)
        begin, end = first.start, first.end
        past = 0
        if self.running_since(first) is not None:
            begin = min(end, self.problem.start)  # what was before is not looked at
            past = begin - first.start
        elif end <= begin:
            self.say("duration", first, f"{first.operation} ends {self.at(end)}, no later than it starts.")
            return
        if begin == end:
            worked = 0
        elif splittable:
            worked = time.open_min(begin, end)
            for minute in (*(() if begin != first.start else (begin,)), end - 1):
                if not time.open_min(minute, minute + 1):
                    self.say(
                        "closed",
                        first,
                        f"{first.operation} starts or ends while {machine.code} is closed: {self.at(minute)}.",
                    )
        else:
            worked = end - begin
            if closed := time.first_closed(begin, end):
                self.say(
                    "closed",
                    first,
                    f"{machine.code} is closed from {self.at(closed[0])} to {self.at(closed[1])}, while it works on "
                    f"{first.operation}.",
                )
        worked += past
        if worked != minutes:
            self.say(
                "duration",
                first,
                f"{first.operation} has {words.duration(worked)} on {machine.code}, but takes "
                f"{words.duration(minutes)}.",
            )
        if (booking := time.first_booking(begin, end)) is not None:
            self.say(
                "booked",
                first,
                f"{machine.code} is booked by others from {self.at(booking[0])} to {self.at(booking[1])}, while it "
                f"works on {first.operation}.",
            )

    def changeover(
        self, machine: Machine, state: Mapping[str, str], one: Assignment, over: Assignment | None, time: "_Time"
    ) -> None:
        """Rules 2 and 3."""
        begin = one.changeover
        name = f"The changeover of {machine.code} to {one.operation}"
        if begin > one.start:
            self.say("changeover", one, f"{name} begins {self.at(begin)}, after its start.")
            return
        if self.running_since(one) is not None:
            return
        attributes = self.operations[one.operation].attributes
        takes = self.problem.setups[machine.setups].between(state, attributes).minutes if machine.setups else 0
        if not takes:
            if begin != one.start:
                self.say("changeover", one, f"{name} begins {self.at(begin)}, but there is nothing to change.")
            return
        frozen = self.frozen(one.operation)
        earliest = min(self.problem.start, frozen.changeover) if frozen is not None else self.problem.start
        if begin < earliest:
            self.say("changeover", one, f"{name} begins {self.at(begin)}, before the plan does {self.at(earliest)}.")
        if over is not None and begin < over.end <= one.start:
            self.say(
                "changeover", one, f"{name} begins {self.at(begin)}, but {over.operation} ends {self.at(over.end)}."
            )
        if (booking := time.first_booking(begin, one.start)) is not None:
            self.say(
                "changeover",
                one,
                f"{name} lies across a booking of others from {self.at(booking[0])} to {self.at(booking[1])}.",
            )
        past = max(0, min(self.problem.start, one.start) - begin)  # of what is frozen: not looked at
        there = past + time.open_min(max(begin, self.problem.start), one.start)
        if there < takes:
            self.say("changeover", one, f"{name} takes {words.duration(takes)}, but has {words.duration(there)}.")
        elif not past and not time.open_min(begin, begin + 1):
            self.say("changeover", one, f"{name} begins {self.at(begin)}, while the machine is closed.")

    # ------------------------------------------------------------------------------------------ what it is cut from

    def cloth(self, planned: Mapping[str, Assignment]) -> None:
        """Rule 9. Where the problem knows no rolls, only those that are held already count."""
        rolls: Mapping[str, Roll] = {roll.code: roll for roll in self.problem.rolls}
        used: dict[str, Decimal] = defaultdict(Decimal)
        lots: dict[tuple[str, str], str] = {}
        for operation in self.problem.operations:
            cloth, one = operation.cloth, planned.get(operation.id)
            if cloth is None or one is None:
                continue
            if cloth.roll and one.roll != cloth.roll:
                self.say("roll", one, f"{one.operation} holds the roll {cloth.roll}, not {one.roll or 'none'}.")
            if not rolls:
                continue
            roll = rolls.get(one.roll)
            if roll is None or roll.sku != cloth.sku:
                what = f"{one.roll}, which is none of {cloth.sku}" if one.roll else "no roll"
                self.say("roll", one, f"{one.operation} is cut from {what}.")
                continue
            if roll.ready is not None and one.start < roll.ready:
                self.say(
                    "roll",
                    one,
                    f"{one.operation} starts {self.at(one.start)}, but its roll {roll.code} is there "
                    f"{self.at(roll.ready)}.",
                )
            used[roll.code] += cloth.length_m
            if used[roll.code] > roll.length_m:
                self.say(
                    "roll",
                    one,
                    f"{one.operation} needs {words.quantity(cloth.length_m, 'm')} of the roll {roll.code}; with what "
                    f"was cut before that is {words.quantity(used[roll.code], 'm')}, and it is "
                    f"{words.quantity(roll.length_m, 'm')} long.",
                )
            lot = lots.setdefault((operation.job, cloth.sku), roll.lot)
            if lot != roll.lot:
                self.say(
                    "lot", one, f"{one.operation} is cut from lot {roll.lot}, but its job {operation.job} from {lot}."
                )


class _Time:
    """A machine's open time, and what of it is booked. Nothing before the plan's start is looked at."""

    def __init__(self, spans: Iterable[Span], machine: Machine, start: int) -> None:
        self.spans: list[Span] = []
        for a, b in sorted(spans):
            if self.spans and a == self.spans[-1][1]:
                self.spans[-1] = (self.spans[-1][0], b)
            else:
                self.spans.append((a, b))
        self.starts = [a for a, _ in self.spans]
        self.before = [0, *accumulate(b - a for a, b in self.spans)]  # open minutes before each span
        self.bookings = sorted((max(one.start, start), one.end) for one in machine.taken if one.end > start)
        self.latest = list(accumulate((b for _, b in self.bookings), max))

    def _until(self, minute: int) -> int:
        """Open minutes before that minute."""
        at = bisect_right(self.starts, minute)
        return self.before[at] - (max(0, self.spans[at - 1][1] - minute) if at else 0)

    def open_min(self, begin: int, end: int) -> int:
        """Open minutes in between."""
        return self._until(end) - self._until(begin) if begin < end else 0

    def first_closed(self, begin: int, end: int) -> Span | None:
        """The first closed stretch in between."""
        at = bisect_right(self.starts, begin)
        opens = self.spans[at][0] if at < len(self.spans) else end
        closes = self.spans[at - 1][1] if at else begin
        if closes >= end:
            return None
        return max(begin, closes), min(end, opens)

    def first_booking(self, begin: int, end: int) -> Span | None:
        """A booking that shares a minute with what is in between."""
        at = bisect_right(self.latest, begin)  # all before are over
        return self.bookings[at] if at < len(self.bookings) and self.bookings[at][0] < end and begin < end else None
