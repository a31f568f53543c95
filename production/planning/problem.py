"""What is to be planned: machines, orders and their operations, as plain values.

Times are whole minutes since 1970 UTC (`openings.py` converts); any other origin does as well, as in a textbook's job
shop that starts at 0. What a plan may do is written down once, here; decoders, validator and bounds all follow it:

1.  An operation is done on one of its machines, for as many minutes as it takes there, from `start` to `end`, end
    excluded. In one stretch of the machine's time; a `splittable` one may pause while the machine is closed. Never
    across a booking or another operation. `start` is an open minute, and so is the one before `end`.
2.  Before it the machine is changed over from what it was set for: the operation before it there or, for the first,
    the machine's own state. A booking of others leaves the state as it was. A changeover takes open minutes, may pause
    while the machine is closed, and ends where the operation starts or earlier; no booking and no other operation lies
    between its begin and that start. It may begin before the cloth is there.
3.  A machine's time is what is `open`; where an assignment is in `overtime`, that and the machine's overtime. Of a
    changeover the same holds.
4.  An operation starts at its `release` at the earliest, its job's release included, and `gap_min` after the end of
    each one it comes `after`.
5.  A pin to a machine is kept; a pin to a start is kept to the minute. What is pinned to a start before the problem's
    `start` is running already: its changeover is over, its machine's time before the start is not looked at, and what
    it still needs is `minutes` from its pinned start on.
6.  A machine with a `load` takes several operations at once: those with the same start and end are one load. Their
    `load` sums up to the machine's at most, they agree in the attributes of `load_by`, a load lasts as long as the
    longest of them, and is changed over to what its first operation (the first by position in the problem) asks.
7.  Everything ends by the problem's `end`.
8.  What is published to start before `frozen_until`, or is being changed over to when the problem starts, stays where
    it is, unless it is pinned elsewhere. A changeover that has begun is neither moved nor counted any more.
9.  A print length is cut from one roll, and all print lengths of one job and fabric from rolls of one lot.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from production.planning.openings import Span

ANY: Final = "*"  # in a changeover: whatever it is
NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True)
class Setup:
    """What a changeover takes: minutes of the machine, and money for what is flushed or thrown away."""

    minutes: int = 0
    cost: Decimal = Decimal(0)


@dataclass(frozen=True)
class AttributeSetups:
    """What it takes to change one attribute of a machine, such as its fabric or ink set.

    A pair (before, after) is looked up first, then (before, ANY), then (ANY, after); otherwise it is `same` where
    both are equal and `other` where they differ. A value that is not known counts as "".
    """

    attribute: str
    pairs: Mapping[tuple[str, str], Setup] = field(default_factory=dict)
    same: Setup = Setup()
    other: Setup = Setup()

    def between(self, before: str, after: str) -> Setup:
        """What it takes from one value to another.

        >>> shade = AttributeSetups("shade", {("dark", "light"): Setup(30)}, other=Setup(8))
        >>> shade.between("dark", "light").minutes, shade.between("light", "dark").minutes
        (30, 8)
        """
        for pair in ((before, after), (before, ANY), (ANY, after)):
            if pair in self.pairs:
                return self.pairs[pair]
        return self.same if before == after else self.other


@dataclass(frozen=True)
class SetupMatrix:
    """The changeovers of a kind of machine: by attribute, together `sum` or `max`. Costs always add up."""

    code: str
    attributes: tuple[AttributeSetups, ...]
    combine: str = "sum"  # of the minutes: "sum" one after the other, "max" at the same time

    def between(self, before: Mapping[str, str], after: Mapping[str, str]) -> Setup:
        """What it takes from one state of the machine to another."""
        each = [one.between(before.get(one.attribute, ""), after.get(one.attribute, "")) for one in self.attributes]
        minutes = [setup.minutes for setup in each]
        together = max(minutes, default=0) if self.combine == "max" else sum(minutes)
        return Setup(together, sum((setup.cost for setup in each), Decimal(0)))


@dataclass(frozen=True)
class Taken:
    """Time of a machine that somebody else has booked."""

    start: int
    end: int
    what: str = ""


@dataclass(frozen=True)
class Machine:
    """A machine, a bench, a GPU or a designer: something that works on one operation, or one load, at a time."""

    code: str
    open: tuple[Span, ...]  # merged, in order; leaves, holidays and maintenance are cut out already
    name: str = ""
    overtime: tuple[Span, ...] = ()  # further time that costs; merged, in order, outside `open`
    taken: tuple[Taken, ...] = ()
    setups: str = ""  # the code of its SetupMatrix; empty: it needs no changeovers
    state: Mapping[str, str] = field(default_factory=lambda: NOTHING)  # what it is set for at the problem's start
    load: int = 0  # what one load takes, in the unit of Operation.load; 0: one operation at a time
    load_by: tuple[str, ...] = ()  # attributes in which all operations of a load agree


@dataclass(frozen=True)
class After:
    """An operation that has to be over, and since when at least."""

    operation: str
    gap_min: int = 0


@dataclass(frozen=True)
class Pin:
    """Where an operation has to stay; `start` None: on that machine, whenever."""

    machine: str
    start: int | None = None


@dataclass(frozen=True)
class Cloth:
    """A print length, to be cut from one roll."""

    sku: str
    length_m: Decimal
    roll: str = ""  # the roll that is held for it already


@dataclass(frozen=True)
class Operation:
    """One step of a job."""

    id: str
    job: str
    minutes: Mapping[str, int]  # machine -> minutes there, without changeover; its keys are the machines that can
    name: str = ""
    after: tuple[After, ...] = ()
    release: int | None = None
    attributes: Mapping[str, str] = field(default_factory=lambda: NOTHING)  # what its machine has to be set for
    splittable: bool = False
    load: int = 0  # how much of a load it takes
    pin: Pin | None = None
    cloth: Cloth | None = None


@dataclass(frozen=True)
class Job:
    """An order line: its operations share a due date and its weight."""

    id: str
    name: str = ""
    due: int | None = None
    weight: float = 1.0  # of a minute late
    release: int | None = None


@dataclass(frozen=True)
class Roll:
    """A roll of fabric, and from when on it is there."""

    code: str
    sku: str
    lot: str  # the dye lot: rolls of one lot match in shade
    length_m: Decimal
    ready: int | None = None


@dataclass(frozen=True)
class Weights:
    """What the planner sees of the objective: what each unit costs beside a minute of changeover."""

    tardiness: float = 1.0  # per minute late, times the job's weight
    changeover: float = 1.0  # per minute
    money: float = 1.0  # per unit of money that changeovers cost
    moved: float = 60.0  # per operation that is not where it was published
    overtime: float = 0.5  # per minute
    makespan: float = 0.0  # per minute until everything is done


@dataclass(frozen=True)
class Assignment:
    """Where and when an operation is done. `changeover` is when its machine's changeover begins; none: `start`."""

    operation: str
    machine: str
    start: int
    end: int
    changeover: int
    overtime: bool = False
    roll: str = ""


@dataclass(frozen=True)
class Problem:
    """All that a plan is made of. `published`: where operations stand until now; what is not there is new."""

    start: int
    end: int
    machines: tuple[Machine, ...]
    jobs: tuple[Job, ...]
    operations: tuple[Operation, ...]
    setups: Mapping[str, SetupMatrix] = field(default_factory=dict)
    weights: Weights = Weights()
    published: tuple[Assignment, ...] = ()
    frozen_until: int | None = None  # what is published to start before stays where it is
    slushy_until: int | None = None  # what is published to start before stays on its machine
    tolerance_min: int = 30  # so far an operation may start from where it was published and has not moved
    rolls: tuple[Roll, ...] = ()
    tz: str = "UTC"  # of the words that people read
    currency: str = ""


def stays(problem: Problem, published: Assignment) -> bool:
    """Whether what stands there has to stay: it is frozen, or its machine is being changed over to it already."""
    frozen = problem.frozen_until is not None and published.start < problem.frozen_until
    return frozen or is_changed_over_to(problem, published)


def is_changed_over_to(problem: Problem, published: Assignment) -> bool:
    """Whether the changeover of what stands there has begun before the problem starts, and it itself has not."""
    return published.changeover < problem.start <= published.start
