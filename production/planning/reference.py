"""The decoder in plain Python: what an order of the operations and a mode for each mean, readable as the specification.

One after the other, each operation is appended behind the last one of its machine, at its earliest start; what is
pinned to a start stays where it is, and an operation goes before it only where the changeover between the two still
fits. On a machine that takes loads it joins the last load if it can. A changeover lies as late as possible.

`decoder.py` does the same some hundred times faster; property tests hold both equal.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from production.planning.floor import Block, Mode, blocks_of, epochs_of
from production.planning.openings import Span
from production.planning.plan import setup_of
from production.planning.problem import Assignment, Machine, Operation, Problem


@dataclass(frozen=True)
class Decoded:
    """The assignments, in the order of the problem's operations, and what found no place."""

    assignments: tuple[Assignment, ...]
    missing: tuple[str, ...]


@dataclass
class _Load:
    """What stands last on a machine: one operation, or several at once."""

    members: list[int]
    begin: int
    start: int
    end: int
    minutes: int  # of the longest
    overtime: bool


@dataclass
class _Row:
    """A machine while operations are appended to it."""

    machine: Machine
    blocks: list[Block]
    loads: list[_Load] = field(default_factory=list)

    @property
    def last(self) -> _Load | None:
        return self.loads[-1] if self.loads else None


def decode(problem: Problem, order: Sequence[str], modes: Mapping[str, Mode]) -> Decoded:
    """The plan of an order that keeps to `after`, of all operations that are in no block, and a mode for each.

    >>> operations = (Operation("1", "J", {"M": 60}), Operation("2", "J", {"M": 30}))
    >>> shop = Problem(0, 480, (Machine("M", ((0, 480),)),), (), operations)
    >>> [(one.operation, one.start) for one in decode(shop, ["2", "1"], dict.fromkeys("12", Mode("M"))).assignments]
    [('1', 30), ('2', 0)]
    """
    shop = _Shop(problem)
    for id in order:
        shop.append(shop.position[id], modes[id])
    for row in shop.rows.values():
        while row.blocks:
            shop.pass_block(row)
    return shop.result()


class _Shop:
    """All machines, and where each operation ended up."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.position = {operation.id: op for op, operation in enumerate(problem.operations)}
        self.jobs = {job.id: job for job in problem.jobs}
        blocks = blocks_of(problem)
        self.rows = {
            machine.code: _Row(machine, [block for block in blocks if block.machine == machine.code])
            for machine in problem.machines
        }
        self.ends = {op: block.end for block in blocks for op in block.operations}
        starts = {op: block.start for block in blocks for op in block.operations}
        self.latest = dict.fromkeys(self.position.values(), problem.end)
        for op, start in starts.items():
            for before in problem.operations[op].after:
                other = self.position[before.operation]
                self.latest[other] = min(self.latest[other], start - before.gap_min)
        self.missing: list[str] = []

    def append(self, op: int, mode: Mode) -> None:
        """Put an operation behind the last one of its machine."""
        row, operation = self.rows[mode.machine], self.problem.operations[op]
        ready = self.ready(operation, mode)
        while True:
            if row.last is not None and self.joins(op, row, ready):
                row.last.members.append(op)
                self.ends[op] = row.last.end
                return
            load = self.earliest(op, mode, row, ready)
            if row.blocks and (load is None or not self.goes_before(op, load.end, row, row.blocks[0])):
                self.pass_block(row)
                continue
            break
        if load is None or load.end > self.latest[op]:
            self.missing.append(operation.id)
            self.ends[op] = self.problem.end
            return
        row.loads.append(load)
        self.ends[op] = load.end

    def ready(self, operation: Operation, mode: Mode) -> int:
        """When it can start as far as its job and its mode go."""
        problem = self.problem
        releases = (operation.release, self.jobs[operation.job].release if operation.job in self.jobs else None)
        ready = max((problem.start, *(one for one in (*releases, mode.not_before) if one is not None)))
        after = (self.ends[self.position[one.operation]] + one.gap_min for one in operation.after)
        return max((ready, *after))

    def state(self, row: _Row) -> Mapping[str, str]:
        """What a machine is set for: what the first operation of its last load asks, by position in the problem."""
        if row.last is None:
            return row.machine.state
        return self.problem.operations[min(row.last.members)].attributes

    def setup_min(self, row: _Row, before: Mapping[str, str], op: int) -> int:
        return setup_of(self.problem, row.machine.code, before, self.problem.operations[op].attributes).minutes

    def joins(self, op: int, row: _Row, ready: int) -> bool:
        """Whether it can be done in the machine's last load."""
        machine, load = row.machine, row.last
        if not machine.load or load is None:
            return False
        operation = self.problem.operations[op]
        members = [self.problem.operations[member] for member in load.members]
        first = min(load.members)
        pauses = load.end - load.start != load.minutes
        return (
            all(_value(operation, name) == _value(members[0], name) for name in machine.load_by)
            and sum(one.load for one in members) + operation.load <= machine.load
            and ready <= load.start
            and operation.minutes[machine.code] <= load.minutes
            and load.end <= self.latest[op]
            and (operation.splittable or not pauses)
            # The changeover was made for the first by position; another that asks for the same may become it.
            and (op > first or self.same_family(row, op, first))
        )

    def same_family(self, row: _Row, op: int, other: int) -> bool:
        """Whether both ask the same of the machine."""
        if not row.machine.setups:
            return True
        names = [one.attribute for one in self.problem.setups[row.machine.setups].attributes]
        here, there = self.problem.operations[op], self.problem.operations[other]
        return all(_value(here, name) == _value(there, name) for name in names)

    def earliest(self, op: int, mode: Mode, row: _Row, ready: int) -> _Load | None:
        """Its earliest place behind what stands there, as a load of its own."""
        operation = self.problem.operations[op]
        minutes = operation.minutes[mode.machine]
        need = self.setup_min(row, self.state(row), op)
        free = row.last.end if row.last is not None else self.problem.start
        free = max(free, self.problem.start)
        for epoch in epochs_of(self.problem, row.machine, overtime=mode.overtime):
            spans = [(max(a, free), b) for a, b in epoch if b > free]
            passed = 0
            for number, (a, b) in enumerate(spans):
                start = max(a, ready, a + need - passed)
                passed += b - a
                if start >= b:
                    continue
                end = _end([(start, b), *spans[number + 1 :]], minutes, splittable=operation.splittable)
                if end is not None:
                    begin = _begin([*spans[:number], (a, start)], need)
                    assert begin is not None
                    return _Load([op], begin, start, end, minutes, mode.overtime)
        return None

    def goes_before(self, op: int, end: int, row: _Row, block: Block) -> bool:
        """Whether the changeover to a block still fits between an operation's end and the block."""
        if end > block.start:
            return False
        need = self.setup_min(row, self.problem.operations[op].attributes, block.operations[0])
        return block.running or self.changeover_begin(row, block, end, need) is not None

    def changeover_begin(self, row: _Row, block: Block, free: int, need: int) -> int | None:
        """When the changeover to a block begins at the latest; None where it doesn't fit behind `free`."""
        if not need:
            return block.start
        for epoch in epochs_of(self.problem, row.machine, overtime=block.overtime):
            if epoch[0][0] <= block.start < epoch[-1][1]:
                return _begin([(max(a, free), min(b, block.start)) for a, b in epoch if a < block.start], need)
        return None

    def pass_block(self, row: _Row) -> None:
        """Put a machine's next block behind its last operation."""
        block = row.blocks.pop(0)
        free = max(self.problem.start, row.last.end) if row.last is not None else self.problem.start
        begin: int | None = block.start if block.changeover is None else block.changeover
        if not block.running:
            need = self.setup_min(row, self.state(row), block.operations[0])
            begin = self.changeover_begin(row, block, free, need)
        operations = [self.problem.operations[op] for op in block.operations]
        if begin is None:  # nothing can be put before it any more that would make it right
            self.missing += [one.id for one in operations]
            begin = block.start
        minutes = max(one.minutes[block.machine] for one in operations)
        row.loads.append(_Load(list(block.operations), begin, block.start, block.end, minutes, block.overtime))

    def result(self) -> Decoded:
        """What was put, in the order of the problem's operations."""
        found: dict[int, Assignment] = {}
        for row in self.rows.values():
            for load in row.loads:
                one = Assignment("", row.machine.code, load.start, load.end, load.begin, load.overtime)
                for op in load.members:
                    operation = self.problem.operations[op]
                    roll = operation.cloth.roll if operation.cloth is not None else ""
                    found[op] = replace(one, operation=operation.id, roll=roll)
        return Decoded(tuple(found[op] for op in sorted(found)), tuple(self.missing))


def _value(operation: Operation, name: str) -> str:
    return operation.attributes.get(name, "")


def _end(spans: Sequence[Span], minutes: int, *, splittable: bool) -> int | None:
    """When work that begins with the first span is over, in one stretch or with pauses between spans."""
    for start, end in spans if splittable else spans[:1]:
        if start + minutes <= end:
            return start + minutes
        minutes -= end - start
    return None


def _begin(spans: Sequence[Span], need: int) -> int | None:
    """The latest minute from which `need` minutes of the spans are left; None where they are fewer."""
    for start, end in reversed(spans):
        if end - need >= start:
            return end - need
        need -= max(0, end - start)
    return None
