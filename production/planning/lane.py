"""A machine's row while operations are moved in it by hand: insertion.Row's rules, in lists changed in place."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import accumulate

from production.planning.insertion import Changeovers, OpenTime, State
from production.planning.problem import Assignment, Machine, Operation


@dataclass(slots=True)
class Lane:
    """What stands on a machine, in order, in lists that are changed in place; the rules are those of insertion.Row."""

    start: int
    end: int
    time: OpenTime
    changeovers: Changeovers
    state: State  # what the machine is set for at the start
    anchored: frozenset[str]  # what stays; "" is what others have booked
    last_anchor: int  # when the last of it is over
    ids: list[str]
    starts: list[int]
    ends: list[int]
    states: list[State | None]
    begins: list[int]  # of the gaps, each before one of those and the last behind them: when all before is over
    rooms: list[int]  # open minutes of the gaps

    @classmethod
    def of(
        cls,
        machine: Machine,
        time: OpenTime,
        changeovers: Changeovers,
        done: Iterable[tuple[Assignment, Operation]],
        *,
        span: tuple[int, int],
        anchored: frozenset[str],
    ) -> "Lane":
        """What is done on a machine, within the problem's span."""
        rows: list[tuple[int, int, str, State | None]] = [
            (one.start, one.end, one.operation, changeovers.state(operation.attributes)) for one, operation in done
        ]
        rows += [(one.start, one.end, "", None) for one in machine.taken]
        rows.sort(key=lambda row: row[:2])
        starts, ends = [row[0] for row in rows], [row[1] for row in rows]
        begins = list(accumulate(ends, max, initial=span[0]))
        rooms = [
            max(0, time.worked(stop) - time.worked(begin)) if stop > begin else 0
            for begin, stop in zip(begins, [*starts, span[1]], strict=True)
        ]
        return cls(
            *span,
            time,
            changeovers,
            changeovers.state(machine.state),
            anchored,
            max((row[1] for row in rows if row[2] in anchored), default=span[0]),
            [row[2] for row in rows],
            starts,
            ends,
            [row[3] for row in rows],
            begins,
            rooms,
        )

    def copy(self) -> "Lane":
        """One that can be changed while this stays."""
        return replace(
            self,
            ids=self.ids[:],
            starts=self.starts[:],
            ends=self.ends[:],
            states=self.states[:],
            begins=self.begins[:],
            rooms=self.rooms[:],
        )

    def at(self, one: Assignment) -> int:
        """Where an operation stands in the lists."""
        return self.ids.index(one.operation, bisect_left(self.starts, one.start))

    def state_in(self, gap: int) -> State:
        """What the machine is set for in that gap: others' bookings leave it as it was."""
        for number in range(gap - 1, -1, -1):
            state = self.states[number]
            if state is not None:
                return state
        return self.state

    def insert(self, at: int, id: str, start: int, end: int, state: State) -> None:
        """Put one in, before who stands there in the lists."""
        self.ids.insert(at, id)
        self.starts.insert(at, start)
        self.ends.insert(at, end)
        self.states.insert(at, state)
        self.begins.insert(at + 1, self.begins[at])
        self.rooms.insert(at + 1, 0)
        self._count(at)

    def remove(self, at: int) -> None:
        """Take out who stands there in the lists."""
        for each in (self.ids, self.starts, self.ends, self.states, self.begins, self.rooms):
            del each[at]
        self.begins[at] = max(self.begins[at - 1], self.ends[at - 1]) if at else self.start
        self._count(at)

    def _count(self, at: int) -> None:
        """Count the gaps anew from that one on, as far as anything changes in them."""
        worked, begins, last = self.time.worked, self.begins, len(self.starts)
        for gap in range(at, last + 1):
            if gap > at:
                begin = max(begins[gap - 1], self.ends[gap - 1])
                if gap > at + 1 and begins[gap] == begin:
                    break
                begins[gap] = begin
            stop = self.starts[gap] if gap < last else self.end
            self.rooms[gap] = max(0, worked(stop) - worked(begins[gap])) if stop > begins[gap] else 0

    def first_gap(self, work: tuple[int, State, bool], ready: int) -> tuple[int, int, int] | None:
        """Start, end and changeover of the earliest place from then on where nobody has to move."""
        minutes, state, _ = work
        rooms, begins, starts, last = self.rooms, self.begins, self.starts, len(self.starts)
        for gap in range(bisect_right(starts, ready), last + 1):
            if rooms[gap] < minutes:
                continue
            stop = starts[gap] if gap < last else self.end
            if stop - max(begins[gap], ready) < minutes:
                continue
            found = self._between(
                work, ready, begins[gap], self.state_in(gap), self._limit(state, range(gap, last), stop)
            )
            if found is not None:
                return found
        return None

    def behind(self, gap: int, work: tuple[int, State, bool], ready: int) -> tuple[int, int, int] | None:
        """Start, end and changeover of the earliest place from that gap on if what is not anchored gives way."""
        begin, state = self.begins[gap], self.state_in(gap)
        if self.last_anchor <= ready:  # all that stays is over by then, and the last of it set the machine
            for at in range(gap, bisect_left(self.starts, self.last_anchor)):
                if self.ids[at] in self.anchored:
                    begin, state = max(begin, self.ends[at]), self.states[at] or state
            return self._between(work, ready, begin, state, self.end)
        anchors = [at for at in range(gap, len(self.ids)) if self.ids[at] in self.anchored]
        for number, at in enumerate([*anchors, len(self.ids)]):
            stop = self.starts[at] if at < len(self.ids) else self.end
            if stop - max(begin, ready) >= work[0]:
                found = self._between(work, ready, begin, state, self._limit(work[1], anchors[number:], stop))
                if found is not None:
                    return found
            if at < len(self.ids):
                begin, state = max(begin, self.ends[at]), self.states[at] or state
        return None

    def _between(
        self, work: tuple[int, State, bool], ready: int, begin: int, state: State, limit: int
    ) -> tuple[int, int, int] | None:
        minutes, wanted, splittable = work
        if limit - max(begin, ready) < minutes:
            return None
        setup = self.changeovers.minutes(state, wanted)
        done = self.time.done(begin, setup)
        span = self.time.fits(max(done, ready), minutes, splittable, limit) if done is not None else None
        if span is None:
            return None
        changeover = self.time.begun(span[0], setup)
        assert changeover is not None  # its minutes were found before the start
        return (*span, changeover)

    def _limit(self, state: State, behind: Iterable[int], stop: int) -> int:
        """Until when work has to be over so that who follows can be changed over to; 0: never."""
        over = 0
        for number in behind:
            after = self.states[number]
            if after is not None:
                setup = self.changeovers.minutes(state, after)
                if not setup:
                    return stop
                begun = self.time.begun(self.starts[number], setup)
                return 0 if begun is None or begun < over else min(stop, begun)
            over = max(over, self.ends[number])
        return stop
