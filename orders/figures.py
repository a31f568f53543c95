"""How the shop does, in figures: how fast, how late, how full, how long stock lasts, what it cost. It only reads.

Each function is one panel of the dashboard, takes a number of queries that does not grow with the orders, and says of
when its figures are.
"""

import heapq
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from django.db.models import Count, Min, Q
from django.db.models.fields.json import KT
from django.utils import timezone

from inventory_sync import services as inventory
from inventory_sync.ports import StockLevel
from orders import clocks, names, outbox, timetable
from orders.domain.states import StepState
from orders.hours import OpenTime, common, hours_of, minutes_between
from orders.models import LineClock, OrderLine, Shop, Step
from production import plans
from production import services as production
from production.models import CostSheet
from production.planning.confidence import LOOK_BEYOND_DAYS, confident
from production.planning.confidence import Stage as ConfidenceStage
from production.planning.openings import Span, merged, minute_after, minute_before, moment_of
from production.planning.promise import DAY_MIN

# ------------------------------------------------------------------------------------------------ speed

CUSTOMERS: Final = frozenset({"opened", "customer"})  # the customer's time, not the mill's
SLOWEST: Final = 5


@dataclass(frozen=True)
class Spread:
    """How long something takes: in half of the cases, and in 95 of 100, in seconds; None: there are no cases."""

    count: int
    p50_s: float | None = None
    p95_s: float | None = None


@dataclass(frozen=True)
class Stage:
    """One stage of the clock."""

    code: str
    customers: bool  # the customer thinks
    spread: Spread


@dataclass(frozen=True)
class Week:
    """Speed to customisation of the lines whose print file was verified in a week."""

    monday: date
    total: Spread
    without_customer: Spread


@dataclass(frozen=True)
class Speed:
    """Speed to customisation (t6 - t0) over some weeks, by stage and by week."""

    total: Spread
    without_customer: Spread
    stages: tuple[Stage, ...]
    weeks: tuple[Week, ...]
    slowest: tuple[tuple[str, float], ...]  # reference, seconds
    unread: int  # events that are not counted in yet
    as_of: datetime


def speed(shop: Shop, *, weeks: int) -> Speed:
    """How long it takes from the request to the verified print file, of the lines that got there in the last weeks."""
    today = names.today(shop)
    first = _monday(today) - timedelta(weeks=weeks - 1)
    fields = tuple(f"{stage}_s" for stage, *_ in clocks.STAGES)
    rows = LineClock.objects.filter(shop=shop, verified_on__gte=first)
    table = list(rows.values_list("line_id", "verified_on", "total_s", *fields))
    whole = [row[2] for row in table]
    customers = 3 + fields.index("customer_s")
    own = [row[2] - (row[customers] or 0.0) for row in table]
    by_week: dict[date, list[int]] = defaultdict(list)
    for number, row in enumerate(table):
        by_week[_monday(row[1])].append(number)
    mondays = [first + timedelta(weeks=number) for number in range(weeks)]
    slow = heapq.nlargest(SLOWEST, zip(own, (row[0] for row in table), strict=True))
    called = OrderLine.objects.only("reference").in_bulk([pk for _, pk in slow])
    return Speed(
        total=spread_of(whole),
        without_customer=spread_of(own),
        stages=tuple(
            Stage(stage, stage in CUSTOMERS, spread_of([row[number] for row in table if row[number] is not None]))
            for number, (stage, *_) in enumerate(clocks.STAGES, start=3)
        ),
        weeks=tuple(
            Week(day, *(spread_of([each[n] for n in by_week[day]]) for each in (whole, own))) for day in mondays
        ),
        slowest=tuple((called[pk].reference, much) for much, pk in slow),
        unread=clocks.unread(shop).count(),
        as_of=timezone.now(),
    )


def spread_of(seconds: Sequence[float]) -> Spread:
    """The median and the 95th percentile of durations.

    >>> spread_of([1.0, 2.0, 3.0])
    Spread(count=3, p50_s=2.0, p95_s=2.9)
    >>> spread_of([])
    Spread(count=0, p50_s=None, p95_s=None)
    """
    if not len(seconds):
        return Spread(0)
    p50, p95 = np.percentile(np.asarray(seconds, dtype=np.float64), (50, 95))
    return Spread(len(seconds), round(float(p50), 3), round(float(p95), 3))


def _seconds(begin: datetime, end: datetime) -> float:
    return max(0.0, (end - begin).total_seconds())


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


# ------------------------------------------------------------------------------------------------ late

NEAR_DAYS: Final = 3  # promised so near its due date that it may get late
MOST_DRAWN: Final = 25  # lines whose certainty is reckoned at once, the nearest first
SAMPLES: Final = 200


@dataclass(frozen=True)
class Risk:
    """A line that is late, or may get so."""

    line: OrderLine
    promise: datetime
    safe: datetime | None  # by then in nine of ten cases; None: not reckoned
    days: int  # after its due date, as promised; 0 and less: in time
    why: str


@dataclass(frozen=True)
class Late:
    """The lines that are promised after their due date, and those that are late in one case of ten."""

    late: tuple[Risk, ...]
    at_risk: tuple[Risk, ...]
    open: int  # lines with a promise
    reckoned: int  # of those that are promised near their due date
    near: int
    as_of: datetime


def late(shop: Shop) -> Late:
    """Which lines are late or may get late. Raises ErpError where the machines' time was never read."""
    now, zone = timezone.now(), ZoneInfo(shop.time_zone)
    lines = OrderLine.objects.of(shop).filter(state__in=timetable.PLANNED, plan__isnull=False)
    found: list[Risk] = []
    near: list[tuple[int, OrderLine, datetime]] = []
    count = 0
    said = {"promise": KT("plan__promise"), "binding": KT("plan__binding")}
    shown = ("reference", "due_date", "order__customer__name")
    for line in lines.annotate(**said).select_related("order__customer").only(*shown):
        count += 1
        promise = datetime.fromisoformat(line.promise)
        days = (promise.astimezone(zone).date() - line.due_date).days
        if days > 0:
            found.append(Risk(line, promise, None, days, line.binding))
        elif days >= -NEAR_DAYS:
            near.append((days, line, promise))
    near.sort(key=lambda each: (-each[0], each[1].pk))
    chosen = near[:MOST_DRAWN]
    risky = _risky(shop, chosen, zone) if chosen else []
    found.sort(key=lambda risk: (-risk.days, risk.line.pk))
    return Late(tuple(found), tuple(risky), count, len(chosen), len(near), now)


def _risky(shop: Shop, near: Sequence[tuple[int, OrderLine, datetime]], zone: ZoneInfo) -> list[Risk]:
    """Of lines that are promised in time, those that are late in one case of ten."""
    now = minute_after(timezone.now())
    plans_of = dict(OrderLine.objects.filter(pk__in=[line.pk for _, line, _ in near]).values_list("pk", "plan"))
    slots = [slot for plan in plans_of.values() for slot in (plan or {}).get("slots", ())]
    if not slots:  # all were taken off the machines meanwhile
        return []
    first = min(minute_before(datetime.fromisoformat(slot["start"])) for slot in slots)
    last = max(minute_after(datetime.fromisoformat(slot["end"])) for slot in slots) + LOOK_BEYOND_DAYS * DAY_MIN
    hours = hours_of(shop, min(first, now), last)
    history = plans.history_of(shop.slug)
    found = []
    for days, line, promise in near:
        stages = _stages((plans_of.get(line.pk) or {}).get("slots", ()), hours, now)
        if not stages:
            continue
        safe = moment_of(confident(stages, history, seed=0, samples=SAMPLES)[1])
        if safe.astimezone(zone).date() > line.due_date:
            found.append(Risk(line, promise, safe, days, line.binding))
    return found


def _stages(slots: Sequence[Mapping[str, Any]], hours: Mapping[str, OpenTime], now: int) -> list[ConfidenceStage]:
    """What of a line's plan is not over yet, as it stands."""
    found: list[ConfidenceStage] = []
    for slot in slots:
        start, end = (minute_before(datetime.fromisoformat(slot[key])) for key in ("run_start", "end"))
        time = hours.get(slot["work_centre"])
        if end <= now or time is None:
            continue
        spans = time.spans_after(start)
        after = ((len(found) - 1, math.ceil(slot.get("gap_min", 0))),) if found else ()
        minutes = max(1, time.worked(start, end))
        found.append(ConfidenceStage(slot["name"], start, minutes, spans, bool(slot.get("splittable")), after))
    return found


# ------------------------------------------------------------------------------------------------ load

DAYS: Final = 14


@dataclass(frozen=True)
class Day:
    """One machine on one day, in minutes."""

    day: date
    open_min: int  # it runs
    ours_min: int  # our orders' operations and changeovers
    others_min: int  # booked by others in the ERP

    @property
    def share(self) -> float | None:
        """Taken of what is open; None: it does not run that day."""
        return (self.ours_min + self.others_min) / self.open_min if self.open_min else None


@dataclass(frozen=True)
class Row:
    """One machine over the days."""

    code: str
    name: str
    days: tuple[Day, ...]

    @property
    def share(self) -> float | None:
        """Taken of what is open, over all days."""
        opened = sum(day.open_min for day in self.days)
        return sum(day.ours_min + day.others_min for day in self.days) / opened if opened else None


@dataclass(frozen=True)
class Load:
    """How full the machines are, the fullest first."""

    rows: tuple[Row, ...]
    days: tuple[date, ...]
    as_of: datetime


def load(shop: Shop) -> Load:
    """How full each machine is on each of the next days. Raises ErpError where the machines' time was never read."""
    now, zone = timezone.now(), ZoneInfo(shop.time_zone)
    today = now.astimezone(zone).date()
    days = tuple(today + timedelta(days=number) for number in range(DAYS))
    edges = [minute_after(datetime.combine(day, time(), zone)) for day in (*days, days[-1] + timedelta(days=1))]
    erp = names.erp_of(shop)
    ours: dict[str, list[Span]] = defaultdict(list)
    known = set()
    lines = OrderLine.objects.of(shop).filter(plan__isnull=False, state__in=timetable.PLANNED)
    for line in lines.only("reference", "run", "plan"):
        assert line.plan is not None
        known.add(names.hold_name(line))
        for slot in line.plan["slots"]:
            begin, end = datetime.fromisoformat(slot["start"]), datetime.fromisoformat(slot["end"])
            ours[slot["work_centre"]].append((minute_before(begin), minute_after(end)))
    others: dict[str, list[Span]] = defaultdict(list)
    for each in inventory.bookings_of(erp, moment_of(edges[0]), moment_of(edges[-1])):
        if not (each.mine and each.reference in known):
            others[each.work_centre].append((minute_before(each.start), minute_after(each.end)))
    centres = inventory.work_centres_of(erp)
    rows = []
    for code, hours in hours_of(shop, edges[0], edges[-1]).items():
        opened, taken, by_others = (
            minutes_between(common(merged(spans), hours.spans), edges)
            for spans in (hours.spans, ours[code], others[code])
        )
        rows.append(Row(code, centres[code].name, tuple(map(Day, days, opened, taken, by_others))))
    rows.sort(key=lambda row: (-(row.share or 0), row.code))
    return Load(tuple(rows), days, now)


# ------------------------------------------------------------------------------------------------ cover

SOON: Final = timedelta(days=DAYS)
JOBS_NAMED: Final = 2


@dataclass(frozen=True)
class Cover:
    """How long a material lasts at the pace at which it is planned."""

    level: StockLevel
    coming: Decimal  # ordered, and due within the days
    per_day: Decimal  # planned
    days: float | None  # None: nothing of it is planned
    jobs: tuple[str, ...]  # the next lines that take it


@dataclass(frozen=True)
class Stock:
    """The materials that are planned to be used, the shortest cover first, and how many others there are."""

    covers: tuple[Cover, ...]
    unplanned: int
    as_of: datetime | None  # when the stock was read, where it lives elsewhere


def cover(shop: Shop) -> Stock:
    """How many days free stock and deliveries last beside what is held. Raises ErpError where stock was never read."""
    now = timezone.now()
    until = now + SOON
    lines = OrderLine.objects.of(shop).filter(plan__isnull=False, state__in=timetable.PLANNED)
    takes: dict[str, list[tuple[datetime, str, Decimal]]] = defaultdict(list)
    for reference, plan in lines.values_list("reference", "plan"):
        begins = datetime.fromisoformat(plan["slots"][0]["start"]) if plan["slots"] else now
        if now <= begins < until:
            for material in plan["materials"]:
                takes[material["sku"]].append((begins, reference, Decimal(material["quantity"])))
    levels = inventory.stock_of(names.erp_of(shop), production.skus(shop.slug))
    found = [_cover(level, takes[sku], until) for sku, level in levels.items() if takes.get(sku)]
    found.sort(key=lambda each: (math.inf if each.days is None else each.days, each.level.sku))
    as_of = min((level.as_of for level in levels.values()), default=None)
    return Stock(tuple(found), len(levels) - len(found), as_of)


def _cover(level: StockLevel, takes: Sequence[tuple[datetime, str, Decimal]], until: datetime) -> Cover:
    coming = sum((each.quantity for each in level.incoming if each.due < until), Decimal(0))
    per_day = sum((quantity for *_, quantity in takes), Decimal(0)) / DAYS
    days = float((level.free + coming) / per_day) if per_day else None
    named = tuple(dict.fromkeys(reference for _, reference, _ in sorted(takes)))
    return Cover(level, coming, per_day, days, named[:JOBS_NAMED])


# ------------------------------------------------------------------------------------------------ generation


@dataclass(frozen=True)
class Drawing:
    """How designs are drawn: what waits, what is being drawn, how long it takes and how long it waits before."""

    waiting: int
    running: int
    oldest_s: float | None  # of those that wait
    takes: Spread
    waits: Spread
    failed: int
    lines: tuple[OrderLine, ...]  # being drawn or waiting
    as_of: datetime


LOOK_BACK: Final = timedelta(days=7)


def drawing(shop: Shop) -> Drawing:
    """How the generation queue stands, and how long drawing took in the last days."""
    now = timezone.now()
    drawn = Step.objects.filter(line__order__shop=shop, kind="draw")
    still_open = list(drawn.filter(state__in=timetable.OPEN).select_related("line").order_by("created_at")[:200])
    pending = [step for step in still_open if step.state == StepState.PENDING]
    over = drawn.filter(state__in=[StepState.DONE, StepState.FAILED], due_at__gte=now - LOOK_BACK)
    rows = list(over.values_list("state", "created_at", "started_at", "ended_at"))
    done = [row for row in rows if row[0] == StepState.DONE and row[2] and row[3]]
    return Drawing(
        waiting=len(pending),
        running=len(still_open) - len(pending),
        oldest_s=_seconds(pending[0].created_at, now) if pending else None,
        takes=spread_of([_seconds(row[2], row[3]) for row in done]),
        waits=spread_of([_seconds(row[1], row[2]) for row in done]),
        failed=sum(row[0] == StepState.FAILED for row in rows),
        lines=tuple(dict.fromkeys(step.line for step in still_open)),
        as_of=now,
    )


# ------------------------------------------------------------------------------------------------ the ERP

ENTRIES_SHOWN: Final = 5


@dataclass(frozen=True)
class Sync:
    """How the talk with the ERP goes."""

    connection: outbox.Connection
    waiting: int
    stopped: int
    oldest_s: float | None
    notices: int
    entries: tuple[outbox.Entry, ...]  # the oldest
    as_of: datetime


def sync(shop: Shop) -> Sync:
    """How the ERP answers, what has not been said to it yet, and what of it nobody has seen to. It is not asked."""
    now = timezone.now()
    unsaid = outbox.waiting().filter(line__order__shop=shop, state__in=[*timetable.OPEN, StepState.FAILED])
    counted = unsaid.order_by().aggregate(
        all=Count("pk"), stopped=Count("pk", filter=Q(state=StepState.FAILED)), oldest=Min("created_at")
    )
    return Sync(
        connection=outbox.connection_of(shop),
        waiting=counted["all"] - counted["stopped"],
        stopped=counted["stopped"],
        oldest_s=_seconds(counted["oldest"], now) if counted["oldest"] else None,
        notices=outbox.open_notices(shop).count(),
        entries=tuple(outbox.entries(shop, unsaid[:ENTRIES_SHOWN])) if counted["all"] else (),
        as_of=now,
    )


# ------------------------------------------------------------------------------------------------ cost

JOBS_COMPARED: Final = 200
JOBS_SHOWN: Final = 10


@dataclass(frozen=True)
class Compared:
    """One job's cost as planned and as it was."""

    reference: str
    revision: int
    planned: Decimal
    actual: Decimal
    price: Decimal

    @property
    def variance_pct(self) -> float:
        """Actual over planned, in per cent of planned: above zero, it cost more."""
        return float((self.actual - self.planned) / self.planned * 100) if self.planned else 0.0


@dataclass(frozen=True)
class Costs:
    """Jobs whose actual cost is known, the newest first, and the sums of as many as were looked at."""

    jobs: tuple[Compared, ...]
    count: int
    planned: Decimal
    actual: Decimal
    price: Decimal
    currency: str
    as_of: datetime


def costs(shop: Shop) -> Costs:
    """What the newest jobs were to cost, and what they cost in the end, as far as anything was reported of them."""
    # What is made once more has no price of its own: it stands on the costing of what it is made for.
    sheets = CostSheet.objects.filter(ticket__shop=shop.slug, actual__isnull=False, price__gt=0).order_by("-pk")
    rows = sheets.values_list("ticket__reference", "ticket__revision", "total", "actual", "price")[:JOBS_COMPARED]
    jobs = tuple(Compared(*row) for row in rows)
    return Costs(
        jobs=jobs[:JOBS_SHOWN],
        count=len(jobs),
        planned=sum((job.planned for job in jobs), Decimal(0)),
        actual=sum((job.actual for job in jobs), Decimal(0)),
        price=sum((job.price for job in jobs), Decimal(0)),
        currency=shop.currency,
        as_of=timezone.now(),
    )
