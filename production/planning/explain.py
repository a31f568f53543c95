"""Why an operation doesn't start earlier, and why an order is late: the binding chain.

From an operation we go back to what it waits for last: its cloth or its release, the operation before it in its job,
the operation before it on the machine with the changeover, the machine's hours, a booking of others. That is again an
operation that waits for something, until something binds by itself: a date, a pin, the plan's own begin. The *links*
of the chain lie end to end in time, so their minutes add up to what they explain.

What an operation waits for is asked as in a promise: how early could it start if only this were in its way? The answer
that is latest binds. The order on the machine is taken as it is.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from inventory_sync import words
from production.planning.clock import clock
from production.planning.errors import UnknownOperation
from production.planning.hours import BOOKED, OPEN, Hours
from production.planning.openings import Span
from production.planning.plan import loads
from production.planning.problem import Assignment, Machine, Operation, Problem


@dataclass(frozen=True)
class Link:
    """A stretch of the chain.

    `kind`: running, changeover, gap, closed, booked, fit (open, but not long enough) or waiting (for nothing).
    """

    kind: str
    start: int
    end: int
    operation: str
    machine: str
    sentence: str

    @property
    def minutes(self) -> int:
        """How long it takes."""
        return self.end - self.start


@dataclass(frozen=True)
class Chain:
    """What leads up to a moment. `root`: what binds by itself (begin, release, material, pin, frozen or running)."""

    operation: str
    start: int  # when the root was over
    end: int  # what is explained: an operation's start, or a job's end
    root: str
    links: tuple[Link, ...]  # in order of time, end to end from `start` to `end`
    sentences: tuple[str, ...]  # the answer first, then the links from the end back, then the root

    @property
    def minutes(self) -> Mapping[str, int]:
        """The minutes of the chain by kind of link, the most first."""
        sums: dict[str, int] = {}
        for link in self.links:
            sums[link.kind] = sums.get(link.kind, 0) + link.minutes
        return dict(sorted(sums.items(), key=lambda one: -one[1]))


def why(problem: Problem, assignments: Iterable[Assignment], operation: str) -> Chain:
    """Why an operation of a feasible plan doesn't start earlier. Raises UnknownOperation.

    >>> machine = Machine("PRT1", ((0, 480), (600, 960)), "Printer 1")
    >>> two = (Operation("a", "WL-1", {"PRT1": 450}, "Print"), Operation("b", "WL-2", {"PRT1": 60}, "Print"))
    >>> problem = Problem(0, 960, (machine,), (), two)
    >>> plan = [Assignment("a", "PRT1", 0, 450, 0), Assignment("b", "PRT1", 600, 660, 600)]
    >>> for sentence in why(problem, plan, "b").sentences:
    ...     print(sentence)
    Print WL-2 starts on Printer 1 minute 600.
    Printer 1 is closed until minute 600 (2 h).
    Printer 1 has 30 min until minute 480, and Print WL-2 takes 1 h without a pause.
    Printer 1 is taken by Print WL-1 until minute 450 (7 h 30 min).
    The plan begins minute 0.
    """
    shop = _Shop(problem, assignments)
    one = shop.placed.get(operation)
    if one is None:
        raise UnknownOperation(f"{operation} is not in the plan.", fields={"operation": operation})
    links, root = shop.chain(one)
    return _chained(operation, one.start, links, root, shop.starts(one))


def waits(problem: Problem, assignments: Iterable[Assignment], operations: Iterable[str]) -> dict[str, str]:
    """Where each of these operations of the plan starts, and what it waits for last: the first two sentences of why."""
    shop = _Shop(problem, assignments)
    starts = {id: shop.starts(shop.placed[id]) for id in operations}
    return {id: f"{starts[id]} {shop.last(shop.placed[id])}" for id in starts}


def why_late(problem: Problem, assignments: Iterable[Assignment], job: str) -> Chain:
    """Why a job of a feasible plan is done when it is: the chain from its end back. Raises UnknownOperation."""
    shop = _Shop(problem, assignments)
    steps = [one for one in shop.placed.values() if shop.operations[one.operation].job == job]
    if not steps:
        raise UnknownOperation(f"No operation of {job} is in the plan.", fields={"job": job})
    last = max(steps, key=lambda one: one.end)
    links, root = shop.chain(last)
    links = [*links, *shop.running(last, own=True)]
    due = next((one.due for one in problem.jobs if one.id == job), None)
    if due is None:
        answer = f"{job} is done {shop.at(last.end)} and has no due date."
    elif last.end > due:
        answer = f"{job} is {words.duration(last.end - due)} late: due {shop.at(due)}, done {shop.at(last.end)}."
    else:
        answer = f"{job} is in time: done {shop.at(last.end)}, due {shop.at(due)}."
    return _chained(last.operation, last.end, links, root, answer)


@dataclass(frozen=True)
class _Root:
    kind: str
    at: int
    sentence: str


def _chained(operation: str, end: int, links: Sequence[Link], root: _Root, answer: str) -> Chain:
    back = [link.sentence for link in reversed(links)]
    sentences = [answer, *(sentence for sentence, _ in groupby(back)), root.sentence]
    return Chain(operation, root.at, end, root.kind, tuple(links), tuple(sentences))


@dataclass(frozen=True)
class _Cause:
    """Something that an operation waits for: over `at`, and alone it would let the operation start at `est`."""

    kind: str  # a root's, or after (in the job) or before (on the machine)
    at: int
    ready: int  # when it may start for all of this, a gap included
    est: int
    sentence: str = ""  # of a root
    before: Assignment | None = None


class _Shop:
    """A problem and its plan with names, hours and neighbours looked up."""

    def __init__(self, problem: Problem, assignments: Iterable[Assignment]) -> None:
        self.problem = problem
        self.operations: Mapping[str, Operation] = {one.id: one for one in problem.operations}
        self.machines: Mapping[str, Machine] = {one.code: one for one in problem.machines}
        self.releases = {job.id: job.release for job in problem.jobs}
        self.rolls = {roll.code: roll for roll in problem.rolls}
        self.published = {one.operation: one for one in problem.published}
        self.known_hours: dict[tuple[str, bool], Hours] = {}
        known = [one for one in assignments if one.operation in self.operations and one.machine in self.machines]
        self.placed: dict[str, Assignment] = {one.operation: one for one in known}
        self.loads: dict[str, list[Assignment]] = {}  # of each operation, itself included
        self.neighbour: dict[str, Assignment | None] = {}  # the first of the load before it on its machine
        self.looked_at: set[str] = set()  # machines whose loads and neighbours are known

    def look_at(self, machine: str) -> None:
        """Look up who stands beside whom on a machine."""
        if machine in self.looked_at:
            return
        self.looked_at.add(machine)
        last: Assignment | None = None
        for each in loads(self.problem, [one for one in self.placed.values() if one.machine == machine])[machine]:
            load = [one for one, _ in each]
            for one in load:
                self.loads[one.operation], self.neighbour[one.operation] = load, last
            last = load[0]

    # ------------------------------------------------------------------------------------------ words

    def at(self, minute: int) -> str:
        return clock(self.problem, minute)

    def name(self, id: str) -> str:
        """Such as Print WL-000012-1."""
        operation = self.operations[id]
        return f"{operation.name} {operation.job}" if operation.name else id

    def starts(self, one: Assignment) -> str:
        """Such as Print WL-000012-1 starts on Printer 1 Fri 06:00."""
        return f"{self.name(one.operation)} starts on {self.machine(one.machine)} {self.at(one.start)}."

    def load_name(self, one: Assignment) -> str:
        """Such as Steam WL-000012-1 and 2 more in its load."""
        others = len(self.loads[one.operation]) - 1
        return f"{self.name(one.operation)}{f' and {others} more in its load' if others else ''}"

    def machine(self, code: str) -> str:
        """Its name without what stands in brackets."""
        return (self.machines[code].name or code).split(" (")[0]

    # ------------------------------------------------------------------------------------------ the chain

    def chain(self, one: Assignment) -> tuple[list[Link], _Root]:
        """The links that end at its start, in order of time, and the root."""
        parts: list[list[Link]] = []
        while True:
            root = self.held(one)
            if root is not None:
                break
            cause, waited = self.step(one)
            parts.append(waited)
            if cause.before is None:
                root = _Root(cause.kind, cause.at, cause.sentence)
                break
            one = cause.before
            parts.append(list(self.running(one, own=cause.kind == "after")))
        return [link for part in reversed(parts) for link in part], root

    def step(self, one: Assignment) -> tuple[_Cause, list[Link]]:
        """What binds an operation last, and the time between that and its start."""
        self.look_at(one.machine)
        causes = list(self.causes(one))
        cause = max(causes, key=lambda cause: (cause.est, cause.at))
        est, changeover = self.earliest(one, max(cause.ready for cause in causes))
        return cause, list(self.waited(one, cause, est, changeover))

    def last(self, one: Assignment) -> str:
        """The end of the chain that ends at its start, in one sentence."""
        root = self.held(one)
        if root is not None:
            return root.sentence
        cause, links = self.step(one)
        if not links and cause.before is not None:
            links = list(self.running(cause.before, own=cause.kind == "after"))
        return links[-1].sentence if links else cause.sentence

    def held(self, one: Assignment) -> _Root | None:
        """What keeps an operation where it is, whatever comes before it."""
        pin, published = self.operations[one.operation].pin, self.published.get(one.operation)
        name, where = self.name(one.operation), f"on {self.machine(one.machine)} {self.at(one.start)}"
        frozen = self.problem.frozen_until
        pinned = pin is not None and pin.start is not None
        stays = (
            published is not None
            and frozen is not None
            and published.start < frozen
            and (published.machine, published.start) == (one.machine, one.start)
        )
        if (pinned or stays) and one.start < self.problem.start:
            return _Root("running", one.start, f"{name} has been running {where} since before the plan.")
        if pinned:
            return _Root("pin", one.start, f"{name} is pinned {where}.")
        if stays:
            return _Root("frozen", one.start, f"{name} stays {where}, where it was published.")
        return None

    def causes(self, one: Assignment) -> Iterator[_Cause]:
        """All that it waits for, or one of its load does, the latest of each kind."""
        begin = self.problem.start
        yield _Cause("begin", begin, begin, self.earliest(one, begin)[0], f"The plan begins {self.at(begin)}.")
        for mate in self.loads[one.operation]:
            operation = self.operations[mate.operation]
            job = self.releases.get(operation.job)
            for release, what in ((operation.release, self.name(mate.operation)), (job, operation.job)):
                if release is not None and release > begin:
                    sentence = f"{what} is released {self.at(release)}."
                    yield _Cause("release", release, release, self.start(one, release), sentence)
            roll = self.rolls.get(mate.roll)
            if roll is not None and roll.ready is not None and roll.ready > begin:
                sentence = f"Roll {roll.code} is there {self.at(roll.ready)}."
                yield _Cause("material", roll.ready, roll.ready, self.start(one, roll.ready), sentence)
            for after in operation.after:
                before = self.placed.get(after.operation)
                if before is not None:
                    ready = before.end + after.gap_min
                    yield _Cause("after", before.end, ready, self.start(one, ready), before=before)
        before = self.neighbour[one.operation]
        if before is not None and before.end > begin:
            yield _Cause("before", before.end, before.end, self.earliest(one, before.end)[0], before=before)

    def takes(self, one: Assignment) -> int:
        """Minutes of the changeover before it."""
        first = self.loads[one.operation][0]
        machine, before = self.machines[one.machine], self.neighbour[one.operation]
        state = self.operations[before.operation].attributes if before is not None else machine.state
        if not machine.setups:
            return 0
        return self.problem.setups[machine.setups].between(state, self.operations[first.operation].attributes).minutes

    def hours(self, one: Assignment) -> Hours:
        key = (one.machine, one.overtime)
        if key not in self.known_hours:
            self.known_hours[key] = Hours.of(self.problem, self.machines[one.machine], overtime=one.overtime)
        return self.known_hours[key]

    def work(self, one: Assignment) -> tuple[int, bool]:
        """How long its load takes, and whether it may pause."""
        load = [self.operations[mate.operation] for mate in self.loads[one.operation]]
        return max(mate.minutes[one.machine] for mate in load), all(mate.splittable for mate in load)

    def start(self, one: Assignment, ready: int) -> int:
        """How early it could start if it only had to be ready and its machine open and not booked."""
        minutes, splittable = self.work(one)
        found = self.hours(one).first_start(ready, minutes, splittable=splittable)
        return one.start if found is None else min(found, one.start)

    def earliest(self, one: Assignment, ready: int) -> tuple[int, Span | None]:
        """How early it could start behind its neighbour on the machine, and when the changeover would then be.

        No booking lies between the changeover's begin and the start.
        """
        hours, takes, before = self.hours(one), self.takes(one), self.neighbour[one.operation]
        since = max(self.problem.start, before.end if before is not None else self.problem.start)
        if not takes:
            return self.start(one, max(since, ready)), None
        while since < one.start:
            begin = next((a for a, _, kind in hours.pieces(since, one.start) if kind == OPEN), one.start)
            over = hours.after(begin, takes)
            if over is None or over > one.start:
                break
            start = self.start(one, max(over, ready))
            booking = hours.booking(begin, start)
            if booking is None:
                return start, (begin, over)
            since = booking[1]
        return one.start, (one.changeover, min(hours.after(one.changeover, takes) or one.start, one.start))

    # ------------------------------------------------------------------------------------------ links

    def waited(self, one: Assignment, cause: _Cause, est: int, changeover: Span | None) -> Iterator[Link]:
        """The time between what it waits for and its start. `est`: it could start then, changed over before."""
        at = min(cause.at, one.start)
        if cause.ready > at and cause.before is not None:
            gap = words.duration(cause.ready - at)
            sentence = f"{gap} have to pass after {self.name(cause.before.operation)}."
            yield Link("gap", at, cause.ready, one.operation, one.machine, sentence)
            at = cause.ready
        if changeover is not None and changeover[1] > at:
            begin, over = max(at, changeover[0]), changeover[1]
            yield from self.idle(one, at, begin, est)
            name, minutes = self.name(one.operation), words.duration(self.takes(one))
            sentence = f"{self.machine(one.machine)} is changed over for {name}{self.changes(one)} ({minutes})."
            for a, b, kind in self.hours(one).pieces(begin, over):
                if kind == OPEN:
                    yield Link("changeover", a, b, one.operation, one.machine, sentence)
                else:
                    yield from self.idle(one, a, b, est)
            at = over
        yield from self.idle(one, at, one.start, est)

    def idle(self, one: Assignment, start: int, end: int, est: int) -> Iterator[Link]:
        """Time in which nothing of the chain is done: closed, booked, too short, or (from `est` on) not needed."""
        name, machine = self.name(one.operation), self.machine(one.machine)
        minutes, splittable = self.work(one)
        for a, b, kind in self.hours(one).pieces(start, end):
            if kind == BOOKED:
                what = next((t.what for t in self.machines[one.machine].taken if t.start <= a < t.end and t.what), "")
                taken = f" ({what})" if what else ""
                sentence = f"{machine} is booked by others until {self.at(b)}{taken} ({words.duration(b - a)})."
                yield Link("booked", a, b, one.operation, one.machine, sentence)
            elif kind != OPEN:
                sentence = f"{machine} is closed until {self.at(b)} ({words.duration(b - a)})."
                yield Link("closed", a, b, one.operation, one.machine, sentence)
            else:
                middle = min(max(a, est), b)
                if a < middle:
                    pause = "" if splittable else " without a pause"
                    if minutes <= middle - a and self.takes(one):
                        pause = f"{pause}, after a changeover of {words.duration(self.takes(one))}"
                    sentence = (
                        f"{machine} has {words.duration(middle - a)} until {self.at(middle)}, and {name} takes "
                        f"{words.duration(minutes)}{pause}."
                    )
                    yield Link("fit", a, middle, one.operation, one.machine, sentence)
                if middle < b:
                    early = f"{self.at(est)} ({words.duration(one.start - est)} earlier)"
                    sentence = f"Nothing keeps {name} from starting {early}{self.expected(one)}."
                    yield Link("waiting", middle, b, one.operation, one.machine, sentence)

    def expected(self, one: Assignment) -> str:
        published = self.published.get(one.operation)
        return f", but it was published {self.at(published.start)}" if published is not None else ""

    def changes(self, one: Assignment) -> str:
        """What is changed, such as: , ink acid to reactive."""
        machine, before = self.machines[one.machine], self.neighbour[one.operation]
        state = self.operations[before.operation].attributes if before is not None else machine.state
        wanted = self.operations[self.loads[one.operation][0].operation].attributes
        names = [each.attribute for each in self.problem.setups[machine.setups].attributes]
        changed = [
            f"{name} {state.get(name) or 'unknown'} to {wanted.get(name) or 'unknown'}"
            for name in names
            if state.get(name, "") != wanted.get(name, "")
        ]
        return f", {', '.join(changed)}" if changed else ""

    def running(self, one: Assignment, *, own: bool) -> Iterator[Link]:
        """The time in which an operation is done, its pauses apart. `own`: it is in the job that is explained."""
        machine, length = self.machine(one.machine), words.duration(one.end - one.start)
        if own:
            sentence = f"{self.name(one.operation)} runs on {machine} until {self.at(one.end)} ({length})."
        else:
            sentence = f"{machine} is taken by {self.load_name(one)} until {self.at(one.end)} ({length})."
        hours, past = self.hours(one), min(max(one.start, self.problem.start), one.end)
        if one.start < past:  # what was before the plan is not looked at
            yield Link("running", one.start, past, one.operation, one.machine, sentence)
        for a, b, kind in hours.pieces(past, one.end):
            if kind == OPEN:
                yield Link("running", a, b, one.operation, one.machine, sentence)
            else:
                pause = f"{machine} is closed until {self.at(b)} ({words.duration(b - a)})."
                yield Link("closed", a, b, one.operation, one.machine, pause)
