"""Moving operations by hand: they go where they are put, who stands in their way makes room, and few others move.

On the machine that something is put on, what starts there at the same time or later keeps its order behind it. What has
to start later because of that, or because of what it comes after, goes into the next gap on its own machine. Only where
somebody gets later by that than he was, all others shift behind it instead if that costs less.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush

from production.planning.errors import NoSlot
from production.planning.insertion import Gaps, gaps_of, place, taken_out
from production.planning.plan import figures_of
from production.planning.problem import Assignment, Operation, Problem, stays
from production.planning.replan import right_shift


def moved_by_hand(
    problem: Problem, assignments: Iterable[Assignment], wishes: Mapping[str, tuple[str, int]]
) -> tuple[Assignment, ...]:
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
    before = tuple(assignments)
    stood = tuple(_as_wished(problem, before, wishes))
    if not problem.rolls and not any(machine.load for machine in problem.machines):
        try:
            found = _Hand(problem, before, wishes).plan()
        except NoSlot:
            pass
        else:
            was = figures_of(problem, before).weighted_tardiness_min
            now = figures_of(problem, found)
            if now.weighted_tardiness_min <= was:
                return found
            shifted = right_shift(problem, stood, first=wishes.keys())
            return found if now.cost <= figures_of(problem, shifted).cost else shifted
    return right_shift(problem, stood, first=wishes.keys())


def _as_wished(
    problem: Problem, before: Iterable[Assignment], wishes: Mapping[str, tuple[str, int]]
) -> Iterable[Assignment]:
    """The plan with what is moved simply put there, whatever stands in its way."""
    there = {one.operation: one for one in before}
    for operation in problem.operations:
        one = there.get(operation.id)
        if operation.id in wishes:
            machine, start = wishes[operation.id]
            roll = one.roll if one is not None else ""
            yield Assignment(operation.id, machine, start, start + operation.minutes[machine], start, roll=roll)
        elif one is not None:
            yield one


@dataclass
class _Hand:
    """A plan while operations are moved in it, of a problem without loads and rolls."""

    problem: Problem
    before: tuple[Assignment, ...]
    wishes: Mapping[str, tuple[str, int]]
    placed: dict[str, Assignment] = field(init=False)
    gaps: Gaps = field(init=False)
    heap: list[tuple[int, bool, int, str]] = field(default_factory=list)
    waiting: set[str] = field(default_factory=set)  # of the heap
    ordered: set[str] = field(default_factory=set)  # keep their order on the machine that something is put on
    last: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.stood = {one.operation: one for one in self.before}
        self.operations: Mapping[str, Operation] = {one.id: one for one in self.problem.operations}
        self.position = {one.id: number for number, one in enumerate(self.problem.operations)}
        self.releases = {job.id: job.release for job in self.problem.jobs}
        published = {one.operation: one for one in self.problem.published}
        self.fixed = {
            one.id
            for one in self.problem.operations
            if one.id not in self.wishes
            and (
                (one.pin is not None and one.pin.start is not None)
                or (one.id in published and stays(self.problem, published[one.id]))
            )
        }
        self.followers: dict[str, list[str]] = {}
        for one in self.problem.operations:
            for after in one.after:
                self.followers.setdefault(after.operation, []).append(one.id)

    def plan(self) -> tuple[Assignment, ...]:
        """Move everything, and let others make room. Raises NoSlot."""
        soonest: dict[str, int] = {}
        for machine, start in self.wishes.values():
            soonest[machine] = min(start, soonest.get(machine, start))
        behind = [
            one
            for one in self.before
            if one.operation not in self.wishes
            and one.operation not in self.fixed
            and one.start >= soonest.get(one.machine, self.problem.end)
        ]
        self.ordered = {*self.wishes, *(one.operation for one in behind)}
        out = {*self.ordered}
        self.placed = {one.operation: one for one in self.before}
        # As it was without what is moved: who followed it may have less to be changed over for.
        self.gaps = gaps_of(self.problem, self.before)
        self._take_out([one for one in self.before if one.operation in out])
        for id, (_, start) in self.wishes.items():
            self._push(id, start)
        for one in behind:
            self._push(one.operation, one.start)
        while self.heap:
            start, _, _, id = heappop(self.heap)
            held_up = [each.operation for each in self.operations[id].after if each.operation in self.waiting]
            if held_up:
                # Right behind the last of those it comes after.
                later = max(start_of for start_of, _, _, other in self.heap if other in held_up)
                heappush(self.heap, (max(start, later), True, self.position[id] + len(self.position), id))
                continue
            self._put(id, start)
        return tuple(self.placed[one.id] for one in self.problem.operations if one.id in self.placed)

    def _push(self, id: str, start: int) -> None:
        self.waiting.add(id)
        heappush(self.heap, (start, id not in self.wishes, self.position[id], id))

    def _take_out(self, assignments: list[Assignment]) -> None:
        self.gaps, changed = taken_out(self.gaps, assignments)
        for one in assignments:
            del self.placed[one.operation]
        self.placed |= {one.operation: one for one in changed}

    def _put(self, id: str, start: int) -> None:
        """Put one at its earliest place from then on, and set free what has to follow it later."""
        operation = self.operations[id]
        was = self.stood.get(id) if id not in self.wishes else None
        machine = self.wishes[id][0] if id in self.wishes else was.machine if was is not None else ""
        keeps = id in self.ordered
        self.gaps, new, changed = place(
            self.gaps,
            [operation],
            max(start, self._ready(operation)),
            machines=[machine],
            overtime=was is not None and was.overtime,
            since=self.last if keeps else None,
        )
        self.waiting.discard(id)
        self.placed |= {one.operation: one for one in (*changed, *new)}
        if keeps:
            self.last[machine] = max(self.last.get(machine, 0), new[0].end)
        for other in self.followers.get(id, ()):
            stands = self.placed.get(other)
            if stands is None or other in self.fixed or other in self.waiting:
                continue
            if stands.start < self._ready(self.operations[other]):
                self._take_out([stands])
                self._push(other, stands.start)

    def _ready(self, operation: Operation) -> int:
        moments = [self.problem.start]
        moments += [one for one in (operation.release, self.releases.get(operation.job)) if one is not None]
        ends = self.gaps.ends
        moments += [ends[one.operation] + one.gap_min for one in operation.after if one.operation in ends]
        return max(moments)
