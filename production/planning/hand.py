"""Moving operations by hand: they go where they are put, who stands in their way makes room, and few others move.

On the machine that something is put on, what starts there at the same time or later keeps its order behind it. What has
to start later because of that, or because of what it comes after, goes into the next gap on its own machine. Only where
somebody gets later by that than he was, all others shift behind it instead if that costs less.

Nothing is planned anew that can stay: from what is put on a machine only those are looked at who stand in its way, from
there on those who come after them, and so on, in the order of time. What comes out is what putting everything again in
that order would give; a property test holds both equal.
"""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from heapq import heappop, heappush

from production.planning.insertion import Changeovers, OpenTime
from production.planning.lane import Lane
from production.planning.plan import Figures, figures_of
from production.planning.problem import Assignment, Machine, Operation, Problem, stays
from production.planning.replan import right_shift

Wishes = Mapping[str, tuple[str, int]]  # operation -> machine, minute
Key = tuple[int, ...]  # when an operation's turn is: its start, whether it was put there (first) or stood, its position


def moved_by_hand(problem: Problem, assignments: Iterable[Assignment], wishes: Wishes) -> tuple[Assignment, ...]:
    """The plan in which operations are on these machines, from these minutes on: operation -> (machine, minute).

    What is pinned or frozen stays. A wish whose time is not free is met as soon after as the rules allow; no rule is
    bent, but what was broken before may be so still. Raises NoSlot, NotEnoughRolls.

    >>> from production.planning.problem import Job, Machine
    >>> shop = Problem(
    ...     0, 480, (Machine("P1", ((0, 480),)), Machine("P2", ((0, 480),))), (Job("A"), Job("B")),
    ...     (Operation("a", "A", {"P1": 60, "P2": 60}), Operation("b", "B", {"P1": 60, "P2": 60})),
    ... )
    >>> plan = (Assignment("a", "P1", 0, 60, 0), Assignment("b", "P2", 30, 90, 30))
    >>> [(one.operation, one.machine, one.start) for one in moved_by_hand(shop, plan, {"a": ("P2", 30)})]
    [('a', 'P2', 30), ('b', 'P2', 90)]
    """
    return Standing(Shop(problem), tuple(assignments)).moved(wishes).assignments


@dataclass(frozen=True)
class Shop:
    """A problem whose names are looked up once, for all the moves that are made in plans of it."""

    problem: Problem

    @cached_property
    def operations(self) -> Mapping[str, Operation]:
        """By their ids."""
        return {one.id: one for one in self.problem.operations}

    @cached_property
    def position(self) -> Mapping[str, int]:
        """Of each operation in the problem."""
        return {one.id: number for number, one in enumerate(self.problem.operations)}

    @cached_property
    def followers(self) -> Mapping[str, list[str]]:
        """Who comes after each operation."""
        found: dict[str, list[str]] = {}
        for one in self.problem.operations:
            for after in one.after:
                found.setdefault(after.operation, []).append(one.id)
        return found

    @cached_property
    def fixed(self) -> frozenset[str]:
        """What is pinned to a start, or stays where it is published."""
        published = {one.operation: one for one in self.problem.published}
        return frozenset(
            one.id
            for one in self.problem.operations
            if (one.pin is not None and one.pin.start is not None)
            or (one.id in published and stays(self.problem, published[one.id]))
        )

    @cached_property
    def releases(self) -> Mapping[str, int]:
        """From when on each operation may start, by its job and itself."""
        jobs = {job.id: job.release for job in self.problem.jobs}
        return {
            one.id: max(self.problem.start, one.release or self.problem.start, jobs.get(one.job) or self.problem.start)
            for one in self.problem.operations
        }

    @cached_property
    def machines(self) -> Mapping[str, tuple[Machine, OpenTime, Changeovers]]:
        """By their codes, with their hours counted."""
        changeovers = {code: Changeovers(matrix) for code, matrix in self.problem.setups.items()}
        return {
            one.code: (one, OpenTime.of(one.open), changeovers.get(one.setups) or Changeovers())
            for one in self.problem.machines
        }

    @cached_property
    def is_plain(self) -> bool:
        """Whether there are neither loads nor rolls nor overtime, as on a planner's board."""
        return not self.problem.rolls and not any(one.load or one.overtime for one in self.problem.machines)


@dataclass(frozen=True)
class Standing:
    """A plan as it stands, ready for moves in it; a move gives another one and leaves this as it is."""

    shop: Shop
    assignments: tuple[Assignment, ...]

    @cached_property
    def placed(self) -> Mapping[str, Assignment]:
        """The assignments by their operation."""
        return {one.operation: one for one in self.assignments}

    @cached_property
    def figures(self) -> Figures:
        """What the plan comes to."""
        return figures_of(self.shop.problem, self.assignments)

    @cached_property
    def _on(self) -> Mapping[str, list[Assignment]]:
        found: dict[str, list[Assignment]] = {code: [] for code in self.shop.machines}
        for one in self.assignments:
            found[one.machine].append(one)
        return found

    @cached_property
    def _lanes(self) -> dict[str, Lane]:
        return {}

    def lane(self, code: str) -> Lane:
        """What stands on a machine, to be changed."""
        if code not in self._lanes:
            problem, operations = self.shop.problem, self.shop.operations
            self._lanes[code] = Lane.of(
                *self.shop.machines[code],
                [(one, operations[one.operation]) for one in self._on[code]],
                span=(problem.start, problem.end),
                anchored=self.shop.fixed | {""},
            )
        return self._lanes[code].copy()

    def moved(self, wishes: Wishes) -> "Standing":
        """The plan with operations moved, as moved_by_hand says. Raises NoSlot, NotEnoughRolls."""
        found = self._with(wishes, {machine for machine, _ in wishes.values()})
        if found is not None and found.figures.weighted_tardiness_min <= self.figures.weighted_tardiness_min:
            return found
        shifted = self._with(wishes, self.shop.machines.keys())
        if shifted is None and found is None:
            stood = tuple(_as_wished(self.shop.problem, self.placed, wishes))
            shifted = Standing(self.shop, right_shift(self.shop.problem, stood, first=wishes.keys()))
        if shifted is None or (found is not None and found.figures.cost <= shifted.figures.cost):
            assert found is not None
            return found
        return shifted

    def _with(self, wishes: Wishes, in_order: Collection[str]) -> "Standing | None":
        """The plan with operations moved and room made for them; None where there is none."""
        placed = _Hand(self, wishes, in_order).placed_anew() if self.shop.is_plain else None
        if placed is None:
            return None
        return Standing(self.shop, tuple([placed[id] for id in self.shop.position if id in placed]))


def _as_wished(problem: Problem, there: Mapping[str, Assignment], wishes: Wishes) -> Iterable[Assignment]:
    """The plan with what is moved simply put there, whatever stands in its way."""
    for operation in problem.operations:
        one = there.get(operation.id)
        if operation.id in wishes:
            machine, start = wishes[operation.id]
            roll = one.roll if one is not None else ""
            yield Assignment(operation.id, machine, start, start + operation.minutes[machine], start, roll=roll)
        elif one is not None:
            yield one


# ---------------------------------------------------------------------------------------------- moving


class _Hand:
    """A plan while operations are moved in it. `in_order`: machines on which everybody keeps his order and shifts."""

    def __init__(self, standing: Standing, wishes: Wishes, in_order: Collection[str]) -> None:
        self.standing, self.shop, self.wishes, self.in_order = standing, standing.shop, wishes, in_order
        self.placed = dict(standing.placed)
        self.lanes: dict[str, Lane] = {}
        self.heap: list[tuple[Key, str]] = []
        self.out: set[str] = set()  # what has no place at this moment
        self.put: dict[str, set[str]] = {}  # machine -> what was put there in order
        self.last: dict[str, int] = {}  # machine -> when that is over
        self.now: Key = ()  # the latest turn there was: who stands in order and had his before stays before

    def placed_anew(self) -> dict[str, Assignment] | None:
        """Everything at its place; None where something finds none."""
        first = [id for id in self.wishes if id in self.placed]
        gone = [*first, *self._held_up()]
        stood = [self.placed[id] for id in gone]
        for id in gone:
            self._remove(id)
        self.out.update(self.wishes)
        for one in stood:
            lane = self.lanes[one.machine]
            self._change_over(lane, bisect_left(lane.starts, one.start))
        for id in list(self.out):
            self._push(id)
        while self.heap:
            turn, id = heappop(self.heap)
            if id not in self.out or self._waits(id):
                continue
            later = self._waits_until(id, turn)
            if later is not None:
                heappush(self.heap, (later, id))
                continue
            self.now = max(self.now, turn)
            if not self._put(id):
                return None
        return self.placed

    def _key(self, id: str) -> Key:
        wished = id in self.wishes
        start = self.wishes[id][1] if wished else self.standing.placed[id].start
        return (start, 0 if wished else 1, self.shop.position[id])

    def _held_up(self) -> list[str]:
        """Who stands in order, and before what it comes after is put: it has to wait for that."""
        turns = {id: self._key(id) for id in self.wishes}
        left = list(turns)
        while left:
            id = left.pop()
            for other in self.shop.followers.get(id, ()):
                there, turn = self.placed.get(other), turns[id]
                if other not in self.wishes and (there is None or other in self.shop.fixed):
                    continue
                waits = other in self.wishes or (there is not None and there.machine in self.in_order)
                if waits and self._key(other) < turn and turns.get(other, ()) < turn:
                    turns[other] = turn
                    left.append(other)
        return [id for id in turns if id not in self.wishes]

    def _push(self, id: str) -> None:
        """Let an operation have its turn, once all that it comes after has a place."""
        if not self._waits(id):
            heappush(self.heap, (self._key(id), id))

    def _waits(self, id: str) -> bool:
        return any(after.operation in self.out for after in self.shop.operations[id].after)

    def _waits_until(self, id: str, turn: Key) -> Key | None:
        """The turn right behind what it comes after, where that stands in order and had none yet."""
        waits = [
            self._key(after.operation)
            for after in self.shop.operations[id].after
            if (there := self.placed.get(after.operation)) is not None
            and there.machine in self.in_order
            and after.operation not in self.shop.fixed
            and after.operation not in self.wishes
            and (there.machine, there.start) == self._stood(after.operation)
        ]
        last = max(waits, default=())
        return (*last, *self._key(id)) if last > max(turn, self.now) else None

    # ------------------------------------------------------------------------------------------ taking out

    def _lane(self, code: str) -> Lane:
        if code not in self.lanes:
            self.lanes[code] = self.standing.lane(code)
        return self.lanes[code]

    def _remove(self, id: str) -> int:
        one = self.placed.pop(id)
        lane = self._lane(one.machine)
        at = lane.at(one)
        lane.remove(at)
        self.out.add(id)
        put = self.put.get(one.machine, set())
        if id in put:
            put.remove(id)
            self.last[one.machine] = max((self.placed[each].end for each in put), default=lane.start)
        return at

    def _take_out(self, id: str) -> None:
        """Take one from its place, to be put again."""
        lane = self._lane(self.placed[id].machine)
        at = self._remove(id)
        self._push(id)
        self._change_over(lane, at)

    def _change_over(self, lane: Lane, at: int) -> None:
        """Change the machine over anew for who stands there or behind; who has not the time for it gives way."""
        while at < len(lane.ids) and lane.states[at] is None:
            at += 1
        if at == len(lane.ids):
            return
        state, one = lane.states[at], self.placed[lane.ids[at]]
        assert state is not None
        begun = lane.time.begun(one.start, lane.changeovers.minutes(lane.state_in(at), state))
        if one.changeover < lane.start:
            return
        if (begun is None or begun < lane.begins[at]) and one.operation not in lane.anchored:
            self._take_out(one.operation)
        elif begun is not None and begun != one.changeover:
            self._at(replace(one, changeover=begun))

    def _at(self, one: Assignment) -> None:
        was = self.standing.placed.get(one.operation)
        self.placed[one.operation] = was if was == one else one

    # ------------------------------------------------------------------------------------------ putting

    def _put(self, id: str) -> bool:
        """Put one at its earliest place, and set free whom it pushes aside and who has to follow it later."""
        operation = self.shop.operations[id]
        machine, start = self.wishes.get(id) or self._stood(id)
        lane, ready = self._lane(machine), max(start, self._ready(operation))
        state = lane.changeovers.state(operation.attributes)
        work = (operation.minutes[machine], state, operation.splittable)
        if machine in self.in_order:
            gap = self._turn_in(lane, machine)
            found = lane.behind(gap, work, max(ready, self.last.get(machine, ready), lane.begins[gap]))
        else:
            found = lane.first_gap(work, ready)
        if found is None:
            return False
        begin, end, changeover = found
        if machine in self.in_order:
            self.put.setdefault(machine, set()).add(id)
            self.last[machine] = max(self.last.get(machine, end), end)
            self._make_room(lane, gap, end)
        at = bisect_left(lane.starts, begin)
        lane.insert(at, id, begin, end, state)
        self.out.discard(id)
        self._at(Assignment(id, machine, begin, end, changeover))
        self._change_over(lane, at + 1)
        if machine in self.in_order:
            for anchored in range(gap, at):  # all that is left there: who stood before it may be gone
                self._change_over(lane, anchored)
        for other in self.shop.followers.get(id, ()):
            there = self.placed.get(other)
            if other in self.out:
                self._push(other)
            elif there is None or other in self.shop.fixed:
                continue
            elif there.start < self._ready(self.shop.operations[other]):
                self._take_out(other)
        return True

    def _stood(self, id: str) -> tuple[str, int]:
        was = self.standing.placed[id]
        return was.machine, was.start

    def _turn_in(self, lane: Lane, machine: str) -> int:
        """The gap in front of all that stands in order and has not had its turn."""
        at = max(bisect_left(lane.starts, self.now[0]), bisect_left(lane.starts, self.last.get(machine, lane.start)))
        while at < len(lane.ids) and lane.starts[at] == self.now[0] and self._had_its_turn(lane.ids[at]):
            at += 1
        return at

    def _had_its_turn(self, id: str) -> bool:
        return id in self.standing.placed and self._key(id) < self.now

    def _make_room(self, lane: Lane, gap: int, end: int) -> None:
        """Take out who stands behind that gap and before that end; they have their turns again."""
        while gap < len(lane.ids) and lane.starts[gap] < end:
            if lane.ids[gap] in lane.anchored:
                gap += 1
                continue
            id = lane.ids[gap]
            self._remove(id)
            self._push(id)

    def _ready(self, operation: Operation) -> int:
        ready = self.shop.releases[operation.id]
        for after in operation.after:
            before = self.placed.get(after.operation)
            if before is not None:
                ready = max(ready, before.end + after.gap_min)
        return ready
