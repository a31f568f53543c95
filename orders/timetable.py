"""What holds now in a shop: every line's operations on its machines, read as the problem that a planner has."""

import math
import time as clock
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db.models import Count, Exists, F, Max, OuterRef, Q, Sum
from django.utils import timezone

from inventory_sync import services as inventory
from inventory_sync.ports import (
    MANUFACTURING_ORDER,
    Booking,
    Erp,
    RemoteRef,
    Standing,
    Window,
    WorkCentre,
)
from orders import names
from orders.domain.states import LineState, StepState
from orders.models import OrderLine, Shop, Step
from production import plans
from production.models import Downtime
from production.planning.insertion import Gaps, gaps_of
from production.planning.openings import Span, merged, minute_after, minute_before, openings
from production.planning.problem import (
    After,
    Assignment,
    Job,
    Machine,
    Operation,
    Pin,
    Problem,
    Taken,
    Weights,
)

HORIZON: Final = timedelta(days=120)
# Lines that have times, and whose times mean anything yet.
PLANNED: Final = (
    LineState.RELEASING, LineState.SYNCING, LineState.RELEASED, LineState.IN_PRODUCTION, LineState.INSPECTING,
    LineState.BLOCKED,
)  # fmt: skip
# Only what the ERP has been told can be moved: the others are on their way there, with the times they have.
MOVABLE: Final = frozenset({LineState.RELEASED, LineState.IN_PRODUCTION})
BEGUN: Final = (LineState.IN_PRODUCTION, LineState.INSPECTING)
USUAL: Final = Weights()
PINNED: Final = "pinned"  # of a slot in a line's plan: a planner wants it to stay there
OPEN: Final = (StepState.PENDING, StepState.RUNNING)
# Steps that only tell the ERP what has happened: a line's times may change meanwhile.
ALONGSIDE: Final = ("reschedule", "report")


@dataclass(frozen=True)
class Schedule:
    """What holds now: the problem that a planner has, where everything stands, and whose operations they are."""

    problem: Problem
    assignments: tuple[Assignment, ...]  # of all operations that have a place
    lines: Mapping[str, OrderLine]  # by job
    centres: Mapping[str, WorkCentre]
    bookings: tuple[Booking, ...]  # everybody's, but what was left out
    clashing: frozenset[str]  # operations whose time somebody else has taken by now


# ------------------------------------------------------------------------------------------------ reading


def schedule_of(
    shop: Shop,
    *,
    erp: Erp | None = None,
    now: datetime | None = None,
    besides: str = "",
    moving: bool = False,
    fresh: bool = False,
    weights: Weights = USUAL,
) -> Schedule:
    """What holds now in a shop.

    `besides`: what is held under that name is left out. `moving`: for a search: what can't be moved is pinned, what
    should have begun and has not is to be placed anew, and the frozen and slushy zones count; otherwise everything is
    taken to stay where it is. `fresh`: ask an ERP that lives elsewhere for its bookings now.
    """
    now = now or timezone.now()
    erp, start, end = erp or names.erp_of(shop), minute_after(now), minute_before(now + HORIZON)
    centres = _running(inventory.work_centres_of(erp), plans.downtimes(shop.slug, now))
    lines = _lines_of(shop, now, besides)
    done = _states_of(erp, lines)
    known = {names.hold_name(line) for line in lines} | {besides}
    bookings = inventory.bookings_of(erp, now, now + HORIZON, fresh=fresh)
    others = [each for each in bookings if not (each.mine and each.reference in known)]
    setups = plans.setups_of(shop.slug, {code: centre.setup_min for code, centre in centres.items()})
    taken = _taken(others, start)
    hours = {code: tuple(openings(centre.calendar, start, end)) for code, centre in centres.items()}
    parts = _Parts(start=start, moving=moving, taken=taken, hours=hours)
    for line in lines:
        parts.add(line, done.get(names.record_id(line), {}))
    states = {**plans.usual_states(shop.slug), **_last_set(lines, start)}
    problem = Problem(
        start=start,
        end=end,
        machines=tuple(
            _machine(centre, hours[code], taken.get(code, ()), setups, states) for code, centre in centres.items()
        ),
        jobs=tuple(_job(line) for line in lines),
        operations=tuple(parts.operations),
        setups=setups,
        weights=weights,
        published=tuple(parts.published) if moving else (),
        # What a machine is being changed over to is frozen, and all before it: what it waits for must not slip.
        frozen_until=max([start + shop.frozen_hours * 60, *parts.changed_over_to]) if moving else None,
        slushy_until=start + shop.slushy_hours * 60 if moving else None,
        tz=shop.time_zone,
        currency=shop.currency,
    )
    return Schedule(
        problem,
        tuple(parts.placed),
        {line.reference: line for line in lines},
        centres,
        tuple(each for each in bookings if not (each.mine and each.reference == besides)),
        frozenset(parts.clashing),
    )


def _running(centres: Mapping[str, WorkCentre], down: Mapping[str, Sequence[Downtime]]) -> dict[str, WorkCentre]:
    """The work centres as they really run: breakdowns close them as leaves do."""
    found = dict(centres)
    for code in down.keys() & centres.keys():
        calendar = centres[code].calendar
        closed = tuple(Window(each.start, each.end, each.reason) for each in down[code])
        found[code] = replace(centres[code], calendar=replace(calendar, leaves=(*calendar.leaves, *closed)))
    return found


def _lines_of(shop: Shop, now: datetime, besides: str) -> list[OrderLine]:
    """Lines that have times, and those that a quote holds some for."""
    open_step = Step.objects.filter(line=OuterRef("pk"), state__in=OPEN).exclude(kind__in=ALONGSIDE)
    everyone = OrderLine.objects.of(shop).select_related("order__shop", "order__customer")
    everyone = everyone.annotate(busy=Exists(open_step)).order_by("pk")
    planned = list(everyone.filter(state__in=PLANNED, plan__isnull=False))
    quoted = [
        line
        for line in everyone.filter(plan__isnull=True, state=LineState.PROOFING, quote__isnull=False)
        if datetime.fromisoformat(line.quote["expires"]) > now
    ]
    return [line for line in (*planned, *quoted) if names.hold_name(line) != besides]


def _last_set(lines: Iterable[OrderLine], start: int) -> dict[str, Mapping[str, str]]:
    """What machines were set for last, by the work that is over."""
    found: dict[str, tuple[int, Mapping[str, str]]] = {}
    for line in lines:
        for slot in _slots(line):
            over = minute_after(datetime.fromisoformat(slot["end"]))
            if over <= start and slot.get("attributes") and over > found.get(slot["work_centre"], (0, {}))[0]:
                found[slot["work_centre"]] = (over, slot["attributes"])
    return {centre: attributes for centre, (_, attributes) in found.items()}


def _slots(line: OrderLine) -> list[dict[str, Any]]:
    """What a line holds of machines' time."""
    held = line.plan or line.quote
    assert held is not None
    return list(held["slots"])


def _states_of(erp: Erp, lines: Iterable[OrderLine]) -> dict[str, dict[str, str]]:
    """How far the operations of lines are that were begun: (record, operation) -> waiting, progress, done."""
    refs = [RemoteRef(MANUFACTURING_ORDER, names.record_id(line), "") for line in lines if line.state in BEGUN]
    stand: Sequence[Standing | None] = erp.standing(refs) if refs else ()
    return {
        ref.external_id: {operation.name: operation.state for operation in record.operations}
        for ref, record in zip(refs, stand, strict=True)
        if record is not None
    }


def _taken(bookings: Iterable[Booking], start: int) -> dict[str, tuple[Taken, ...]]:
    """Time that others have, by work centre, in order and without overlaps."""
    by_centre: dict[str, list[Booking]] = {}
    for booking in bookings:
        if minute_after(booking.end) <= start:
            continue
        by_centre.setdefault(booking.work_centre, []).append(booking)
    found = {}
    for centre, theirs in by_centre.items():
        spans = merged((minute_before(each.start), minute_after(each.end)) for each in theirs)
        whose: dict[Span, list[str]] = {span: [] for span in spans}
        for each in theirs:
            span = next(span for span in spans if span[0] <= minute_before(each.start) < span[1])
            whose[span].append(each.reference)
        found[centre] = tuple(Taken(*span, what=", ".join(dict.fromkeys(whose[span]))) for span in spans)
    return found


@dataclass
class _Parts:
    """The operations of a problem, line by line."""

    start: int
    moving: bool
    taken: Mapping[str, Sequence[Taken]]
    hours: Mapping[str, Sequence[Span]]  # when each machine is open, from the start on
    operations: list[Operation] = field(default_factory=list)
    placed: list[Assignment] = field(default_factory=list)
    published: list[Assignment] = field(default_factory=list)
    clashing: set[str] = field(default_factory=set)
    changed_over_to: list[int] = field(default_factory=list)  # just after the starts of what machines are being set for

    def add(self, line: OrderLine, states: Mapping[str, str]) -> None:
        """Add what a line still has to do."""
        movable = self.moving and line.state in MOVABLE and not getattr(line, "busy", False)
        before: list[str] = []
        release, settled, all_placed = _not_before(line), True, True
        for number, slot in enumerate(_slots(line)):
            here = assignment_of(line, number, slot)
            state = states.get(slot["name"], "waiting")
            if state in {"done", "cancel"} or slot["work_centre"] not in self.hours:
                continue
            # What its machine is being changed over to counts as begun, too.
            begun = here.changeover < self.start
            running = state == "progress" or (begun and (not movable or here.start >= self.start))
            if not movable and here.end <= self.start:
                continue
            if running and here.end <= self.start:
                release = self.start  # it is late, and nobody knows by how much: the next may follow at once
                continue
            clashes = self._clashes(here)
            if here.changeover < self.start <= here.start:
                self.changed_over_to.append(here.start + 1)
            if clashes:
                self.clashing.add(here.operation)
                settled = False  # what follows it may have to move too, however soon it is
            pin = None
            if running or not movable:
                if clashes:
                    continue  # somebody else has the time: the ERP's word, and a notice, are the line's affair
                pin = Pin(here.machine, here.start)
            elif slot.get(PINNED) and settled and all_placed and self._can_stay(slot, here, release):
                pin = Pin(here.machine, here.start)
            splittable = _is_splittable(slot, here)
            self.operations.append(
                Operation(
                    id=here.operation,
                    job=line.reference,
                    minutes=self._minutes(slot, here, running=running and here.start < self.start),
                    name=slot["name"],
                    after=tuple(After(each, math.ceil(slot.get("gap_min", 0))) for each in before),
                    release=release if pin is None else None,
                    attributes=slot.get("attributes", {}),
                    splittable=splittable,
                    pin=pin,
                )
            )
            holds = pin is not None or (here.changeover >= self.start and not clashes)
            all_placed = all_placed and holds
            if holds:
                self.placed.append(here)
                if settled:
                    self.published.append(here)
            before = [here.operation]

    def _minutes(self, slot: Mapping[str, Any], here: Assignment, *, running: bool) -> dict[str, int]:
        """How long it takes where; only there, where nothing else is known of it.

        Of what runs, the time since its start counts as worked, whatever the machine did in it.
        """
        if running:
            left = here.end - self.start
            if _is_splittable(slot, here):
                left = sum(max(0, min(b, here.end) - max(a, self.start)) for a, b in self.hours[here.machine])
            return {here.machine: self.start - here.start + left}
        known = {code: math.ceil(each) for code, each in slot.get("machines", {}).items() if code in self.hours}
        return known or {here.machine: _worked(slot, here)}

    def _can_stay(self, slot: Mapping[str, Any], here: Assignment, release: int | None) -> bool:
        """Whether a planner's pin can be kept: its time is to come, its machine is open, what it needs is there."""
        if here.changeover < self.start or (release is not None and here.start < release):
            return False
        if _is_splittable(slot, here):
            return any(a <= here.start < b for a, b in self.hours[here.machine])
        return any(a <= here.start and here.end <= b for a, b in self.hours[here.machine])

    def _clashes(self, here: Assignment) -> bool:
        return any(each.start < here.end and each.end > here.changeover for each in self.taken.get(here.machine, ()))


def _not_before(line: OrderLine) -> int | None:
    """From when on what a line needs is there, where that was late."""
    moment = (line.plan or {}).get("not_before")
    return minute_after(datetime.fromisoformat(moment)) if moment else None


def _is_splittable(slot: Mapping[str, Any], here: Assignment) -> bool:
    """Whether it may pause; what an older plan does not say, its minutes do."""
    return bool(slot.get("splittable", math.ceil(float(slot["minutes"])) < here.end - here.start))


def _worked(slot: Mapping[str, Any], here: Assignment) -> int:
    """The minutes an older plan says, which did not tell set-up and run apart."""
    return math.ceil(float(slot["minutes"])) if _is_splittable(slot, here) else here.end - here.start


def assignment_of(line: OrderLine, number: int, slot: Mapping[str, Any]) -> Assignment:
    """Where a slot of a line's plan is. `start` of a slot is when its machine is taken: changeover first."""
    begin, end = minute_before(datetime.fromisoformat(slot["start"])), minute_after(datetime.fromisoformat(slot["end"]))
    run = minute_before(datetime.fromisoformat(slot["run_start"])) if "run_start" in slot else begin
    return Assignment(operation_id(line, number), slot["work_centre"], run, end, begin)


def operation_id(line: OrderLine, number: int) -> str:
    """The name of a line's operation in plans: by line and position, counted from 1."""
    return f"{names.hold_name(line)}/{number + 1}"


def _job(line: OrderLine) -> Job:
    day_over = datetime.combine(line.due_date + timedelta(days=1), time(), ZoneInfo(line.order.shop.time_zone))
    return Job(
        id=line.reference,
        name=line.order.customer.name,
        due=minute_before(day_over.astimezone(UTC)),
        weight=float(line.priority),
    )


def _machine(
    centre: WorkCentre,
    hours: tuple[Span, ...],
    taken: Sequence[Taken],
    setups: Mapping[str, Any],
    states: Mapping[str, Mapping[str, str]],
) -> Machine:
    return Machine(
        code=centre.code,
        open=hours,
        name=centre.name,
        taken=tuple(taken),
        setups=centre.code if centre.code in setups else "",
        state=states.get(centre.code, {}),
    )


# What holds changes seldom and is asked for often: a promise to who only asks may be some seconds old where somebody
# changed a calendar or a booking in the ERP. What we plan, hold and move ourselves is seen at once, by `_stamp`.
SNAPSHOT_S: Final = 20.0
_snapshots: dict[int, tuple[Any, float, Schedule, Gaps]] = {}
_movable: dict[int, tuple[Any, float, Schedule]] = {}


def snapshot_of(shop: Shop, erp: Erp) -> tuple[Schedule, Gaps]:
    """What holds now in a shop and its gaps, from memory where nothing of ours has changed; for inquiries."""
    stamp, now = _stamp(shop), clock.monotonic()
    kept = _snapshots.get(shop.pk)
    if kept is None or kept[0] != stamp or now - kept[1] > SNAPSHOT_S:
        schedule = schedule_of(shop, erp=erp)
        kept = (stamp, now, schedule, gaps_of(schedule.problem, schedule.assignments))
        _snapshots[shop.pk] = kept
    return kept[2], kept[3]


def movable_of(shop: Shop) -> tuple[Schedule, tuple[Any, ...]]:
    """What holds now as a planner may move it, in the same way, and a value that changes whenever any of it does."""
    busy = Step.objects.filter(line__order__shop=shop, state__in=OPEN).exclude(kind__in=ALONGSIDE)
    down = Downtime.objects.filter(shop=shop.slug)
    stamp = (
        *_stamp(shop).values(),
        *busy.aggregate(Count("pk"), Max("pk")).values(),
        *down.aggregate(Count("pk"), Max("pk")).values(),
        OrderLine.objects.of(shop).filter(state__in=PLANNED).aggregate(weight=Sum("priority"))["weight"],
        plans.published(shop.slug),
        shop.frozen_hours,
        shop.slushy_hours,
    )
    now = clock.monotonic()
    kept = _movable.get(shop.pk)
    if kept is None or kept[0] != stamp or now - kept[1] > SNAPSHOT_S:
        schedule = schedule_of(shop, moving=True)
        # What was looked up and decoded of the one before goes on to hold where nothing is otherwise.
        same = kept is not None and kept[0] == stamp and _says_the_same(kept[2], schedule)
        kept = _movable[shop.pk] = (stamp, now, kept[2] if kept is not None and same else schedule)
    return kept[2], stamp


def _says_the_same(one: Schedule, other: Schedule) -> bool:
    """Whether two schedules of the same lines, whose versions are the same, are one."""
    return (one.problem, one.assignments, one.clashing) == (other.problem, other.assignments, other.clashing)


def forget_snapshots() -> None:
    """Forget what is kept in memory: another database has come under it."""
    _snapshots.clear()
    _movable.clear()


def _stamp(shop: Shop) -> dict[str, Any]:
    """A value that changes whenever any line's plan or quote does: each raises the line's version."""
    counts = OrderLine.objects.of(shop).filter(state__in=(*PLANNED, LineState.PROOFING))
    counts = counts.filter(Q(plan__isnull=False) | Q(quote__isnull=False))
    return counts.aggregate(Count("pk"), Sum("version"), Max("pk"), whose=Sum(F("pk") * F("version")))
