"""The date we can say, and what stands behind it.

An inquiry holds nothing, a quote holds for a while, a plan until the cloth is made.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

from django.utils import timezone

from generation.domain.pattern import Repeat
from inventory_sync import services as inventory
from inventory_sync import words
from inventory_sync.errors import NotEnoughStock, SlotTaken
from inventory_sync.ports import Erp, Hold, StockLevel, WorkCentre, in_unit
from orders import names, timetable
from orders.errors import HoldChanged, NotYetInStock
from orders.models import OrderLine, Shop
from production import plans
from production import services as production
from production.domain.finding import Finding, Severity
from production.planning.confidence import confident, stages_of_promise
from production.planning.insertion import Gaps, gaps_of, with_job
from production.planning.materials import MaterialPlan, ready
from production.planning.openings import minute_after, moment_of
from production.planning.problem import After, Assignment, Job, Operation, Problem
from production.planning.promise import PlannedStep, Promise, RouteStep, promise
from production.planning.replan import earliest_if_resequenced

TRIES: Final = 5  # to look and hold before somebody is quicker for good
DESIGNING: Final = (("gpu", "Draw the design"), ("design", "Review the design"))  # kinds of work centre, in order
NEW: Final = "new"  # the job that is asked for
ROUND_MIN: Final = "minutes_per_round"  # of such a work centre: how long a round of designs takes there


class Takes(Protocol):
    """What a cloth takes: assessed, or outlined before it is drawn."""

    @property
    def materials(self) -> Sequence[production.Material]: ...

    @property
    def route(self) -> Sequence[RouteStep]: ...


@dataclass(frozen=True)
class Promised:
    """A promise as the shop stands now, and what it would hold."""

    promise: Promise
    materials: tuple[MaterialPlan, ...]
    stock: Mapping[str, StockLevel]
    schedule: timetable.Schedule


def promised(shop: Shop, erp: Erp, takes: Takes, *, besides: str = "", fresh: bool = False) -> Promised:
    """When a cloth could be ready: its materials, then every step in the first gap of the plan that holds.

    `besides`: what is held under that name counts as free. Raises NotEnoughStock, NoSlot, InvalidRoute, ErpError.
    """
    schedule = timetable.schedule_of(shop, erp=erp, besides=besides, fresh=fresh)
    stock = inventory.stock_of(erp, _skus(takes), besides=besides or None, fresh=fresh)
    return _promised(shop, takes, takes.route, stock, schedule, gaps_of(schedule.problem, schedule.assignments))


def _skus(takes: Takes) -> list[str]:
    return [material.sku for material in takes.materials]


def _promised(
    shop: Shop,
    takes: Takes,
    route: Sequence[RouteStep],
    stock: Mapping[str, StockLevel],
    schedule: timetable.Schedule,
    gaps: Gaps,
) -> Promised:
    now = timezone.now()
    planned = materials(takes, stock, tz=shop.time_zone)
    found = promise(
        route,
        calendars={code: centre.calendar for code, centre in schedule.centres.items()},
        names={code: centre.name for code, centre in schedule.centres.items()},
        bookings=schedule.bookings,
        now=now,
        materials_ready=[(each.name, each.ready_at) for each in planned if not each.in_stock],
        tz=shop.time_zone,
        published=gaps,
    )
    return Promised(found, tuple(planned), stock, schedule)


def materials(takes: Takes, stock: Mapping[str, StockLevel], *, tz: str) -> list[MaterialPlan]:
    """Return where each material comes from and when. Raises NotEnoughStock when nothing can ever be enough."""
    now = timezone.now()
    return [
        ready(
            stock[material.sku],
            quantity=in_unit(material.quantity, material.unit, stock[material.sku].unit),
            one_lot=material.one_lot,
            now=now,
            tz=tz,
        )
        for material in takes.materials
    ]


def late(line: OrderLine, promised: Promise) -> list[Finding]:
    """Return the finding that a promise comes after the due date; none when it is in time."""
    day = promised.date.astimezone(ZoneInfo(line.order.shop.time_zone)).date()
    days = (day - line.due_date).days
    if days <= 0:
        return []
    return [
        Finding(
            code="late",
            severity=Severity.WARNING,
            where="the promise",
            measured=f"{day:%d %b %Y}",
            limit=f"{line.due_date:%d %b %Y}",
            remedy="Tell the customer, or choose another cloth or quantity.",
            sentence=f"Promised {days} {'day' if days == 1 else 'days'} after the due date: {promised.binding}.",
        )
    ]


# ------------------------------------------------------------------------------------------------ holding


@dataclass(frozen=True)
class Held:
    """What was held, as a line keeps it, and whose machines have to be changed over otherwise because of it."""

    plan: dict[str, Any]
    displaced: tuple[Assignment, ...]


def hold(line: OrderLine, takes: Takes, *, fence: int, expires: datetime | None = None) -> Held:
    """Look with fresh stock and bookings, and hold everything that a line needs, by reference.

    `fence` grows with every try: a worker that wakes up late can't replace what a later one holds. `expires`: until
    then; None: until it is used up or given back.
    Raises NotYetInStock, NotEnoughStock, NoSlot, and SlotTaken when somebody was quicker.
    """
    name, shop = names.hold_name(line), line.order.shop
    erp = names.erp_of(shop)
    for last in range(TRIES):
        found = promised(shop, erp, takes, besides=name, fresh=True)
        for each in found.materials:
            if not each.in_stock:
                when = each.ready_at.isoformat()
                raise NotYetInStock(each.sentence, fields={"sku": each.sku, "available_from": when})
        try:
            held = inventory.hold(
                erp,
                reference=name,
                fence=fence,
                materials=[(each.sku, each.lot, each.quantity) for each in found.materials],
                slots=[(step.work_centre, step.begin, step.end) for step in found.promise.steps],
                expires=expires,
            )
            break
        except (NotEnoughStock, SlotTaken):
            # Somebody was quicker between looking and holding: look again, there may be another roll or minute.
            if last == TRIES - 1:
                raise
    return Held(_written(found, held, takes), found.promise.displaced)


def _written(found: Promised, held: Hold, takes: Takes) -> dict[str, Any]:
    """What is held, as a line keeps it: to the ERP's own step, with the rolls that were chosen for it."""
    wanted = dict.fromkeys(material.sku for material in found.materials)
    taken = [each for sku in wanted for each in held.materials if each.sku == sku]
    changed_over = {machine.code: bool(machine.setups) for machine in found.schedule.problem.machines}
    return {
        "lot": ", ".join(each.lot for each in taken if each.lot),
        "materials": [
            {
                "sku": each.sku,
                "name": found.stock[each.sku].name,
                "lot": each.lot,
                "quantity": str(each.quantity),
                "unit": found.stock[each.sku].unit,
            }
            for each in taken
        ],
        "slots": [
            _slot(step, route, changed_over) for step, route in zip(found.promise.steps, takes.route, strict=True)
        ],
        "promise": found.promise.date.isoformat(),
        "binding": found.promise.binding,
        "planned_at": timezone.now().isoformat(),
    }


def _slot(step: PlannedStep, route: RouteStep, changed_over: Mapping[str, bool]) -> dict[str, Any]:
    """One operation as a line keeps it: where and when, and all that planning it anew has to know.

    `start` is when its machine is taken, changeover included; `machines` say how long it takes on each without.
    """
    runs = _runs(route, changed_over)
    return {
        "name": step.name,
        "work_centre": step.work_centre,
        "start": step.begin.isoformat(),
        "run_start": step.start.isoformat(),
        "end": step.end.isoformat(),
        "minutes": runs[step.work_centre] + step.changeover_min,
        "changeover_min": step.changeover_min,
        "machines": runs,
        "splittable": route.splittable,
        "gap_min": route.gap_min,
        "attributes": dict(route.attributes),
    }


def _runs(route: RouteStep, changed_over: Mapping[str, bool]) -> dict[str, int]:
    """Whole minutes by machine, without the set-up where a changeover stands in for it; a round-off costs none."""
    return {
        code: max(1, math.ceil(round(minutes - (route.setup_min.get(code, 0.0) if changed_over[code] else 0.0), 6)))
        for code, minutes in route.minutes.items()
    }


def still_held(line: OrderLine) -> None:
    """Read again what is held for the line. Raises HoldChanged when that is not what was planned."""
    assert line.plan is not None
    held = inventory.held(names.erp_of(line.order.shop), names.hold_name(line))
    planned: Counter[str] = Counter()
    for material in line.plan["materials"]:
        planned[material["sku"]] += Decimal(material["quantity"])
    holding: Counter[str] = Counter()
    for each in held.materials if held else ():
        holding[each.sku] += each.quantity
    slots = {
        (slot["work_centre"], datetime.fromisoformat(slot["start"]), datetime.fromisoformat(slot["end"]))
        for slot in line.plan["slots"]
    }
    rolls = {material["lot"] for material in line.plan["materials"] if material["lot"]}
    if (
        held is None
        or holding != planned
        or not rolls <= {each.lot for each in held.materials}
        or slots != {(slot.work_centre, slot.start, slot.end) for slot in held.slots}
    ):
        raise HoldChanged(fields={"line": line.reference})


def enough_held(line: OrderLine, takes: Takes) -> None:
    """Raise HoldChanged where a line takes more by now than was planned: the catalogue was changed since.

    Such as its fabric's shrinkage, by a correction that somebody accepted.
    """
    assert line.plan is not None
    planned: Counter[str] = Counter()
    for material in line.plan["materials"]:
        planned[material["sku"]] += Decimal(material["quantity"])
    units = {material["sku"]: material["unit"] for material in line.plan["materials"]}
    for each in takes.materials:
        unit = units.get(each.sku, each.unit)
        taken, held = in_unit(each.quantity, each.unit, unit), planned[each.sku]
        if taken > held:
            raise HoldChanged(
                f"{line.reference} takes {words.quantity(taken, unit)} of {each.sku} since the catalogue was changed, "
                f"and {words.quantity(held, unit)} are held. Try again to plan it anew.",
                fields={"line": line.reference, "sku": each.sku},
            )


# ------------------------------------------------------------------------------------------------ asking


@dataclass(frozen=True)
class Answer:
    """What is said to who asks for a date before anything is drawn. Nothing is held for it."""

    promise: Promise
    likely: datetime  # by then in half of such cases (P50)
    safe: datetime  # by then in nine of ten (P90)
    resequenced: datetime | None  # if other work were planned anew so that nobody gets late; None: not asked
    materials: tuple[MaterialPlan, ...]


def inquire(
    shop: Shop,
    *,
    quantity_m: Decimal,
    substrate: str = "",
    weave: str = "",
    repeat: Repeat | None = None,
    drawn: bool = False,
    resequence: bool = False,
) -> Answer:
    """When so much of a cloth could be ready. Nothing is held.

    `drawn`: there is a design already, so none is drawn and reviewed. `resequence`: also look for half a second how
    early it could be if other work moved. Raises what production.specify raises, NotEnoughStock, NoSlot, ErpError.
    """
    spec = production.specify(
        shop.slug,
        substrate=substrate or None,
        weave=weave or None,
        quantity_m=quantity_m,
        repeat=repeat or production.usual_repeat(shop.slug, weave=weave),
        on=names.today(shop),
    )
    erp = names.erp_of(shop)
    takes = production.outline(spec)
    schedule, gaps = timetable.snapshot_of(shop, erp)
    route = [*(() if drawn else designing(schedule.centres.values())), *takes.route]
    found = _promised(shop, takes, route, inventory.stock_of(erp, _skus(takes)), schedule, gaps)
    calendars = {code: centre.calendar for code, centre in schedule.centres.items()}
    stages = stages_of_promise(route, found.promise, calendars=calendars)
    likely, safe = confident(stages, plans.history_of(shop.slug), seed=0)
    return Answer(
        promise=found.promise,
        likely=moment_of(likely),
        safe=moment_of(safe),
        resequenced=_resequenced(shop, erp, route, found.materials) if resequence else None,
        materials=found.materials,
    )


def _resequenced(shop: Shop, erp: Erp, route: Sequence[RouteStep], materials: Iterable[MaterialPlan]) -> datetime:
    """When it could be ready at the earliest if other work moved, and nobody got late by it."""
    schedule = timetable.schedule_of(shop, erp=erp, moving=True)
    coming = [minute_after(each.ready_at) for each in materials if not each.in_stock]
    job = Job(NEW, release=max(coming, default=None))
    problem = with_job(schedule.problem, job, operations_of(route, schedule.problem))
    return moment_of(earliest_if_resequenced(problem, schedule.assignments, NEW).end)


def operations_of(route: Sequence[RouteStep], problem: Problem) -> list[Operation]:
    """A route that is asked for as operations of the shop's problem."""
    changed_over = {machine.code: bool(machine.setups) for machine in problem.machines}
    found: list[Operation] = []
    for step in route:
        after = (After(found[-1].id, math.ceil(step.gap_min)),) if found else ()
        minutes = _runs(step, changed_over)
        found.append(
            Operation(
                f"{NEW}/{len(found) + 1}",
                NEW,
                minutes,
                step.name,
                after,
                attributes=step.attributes,
                splittable=step.splittable,
            )
        )
    return found


def designing(centres: Iterable[WorkCentre]) -> list[RouteStep]:
    """What comes before the mill: a round of designs on a GPU, and a designer's look at it, where a shop has these."""
    centres, found = tuple(centres), []
    for kind, name in DESIGNING:
        able = [centre for centre in centres if centre.kind == kind]
        minutes = {centre.code: float(centre.attributes.get(ROUND_MIN, 0)) for centre in able}
        minutes = {code: each for code, each in minutes.items() if each > 0}
        if minutes:
            found.append(RouteStep(name, tuple(minutes), minutes))
    return found


def written(answer: Answer) -> dict[str, Any]:
    """An answer as plain JSON values, for programs."""
    promise = answer.promise
    return {
        "date": promise.date.isoformat(),
        "binding": promise.binding,
        "why": [{"kind": each.kind, "sentence": each.sentence, "gain_min": each.gain_min} for each in promise.why],
        "p50": answer.likely.isoformat(),
        "p90": answer.safe.isoformat(),
        "resequenced": answer.resequenced.isoformat() if answer.resequenced else None,
        "materials": [
            {"sku": each.sku, "lot": each.lot, "ready_at": each.ready_at.isoformat(), "sentence": each.sentence}
            for each in answer.materials
        ],
        "steps": [
            {
                "name": step.name,
                "work_centre": step.work_centre,
                "start": step.begin.isoformat(),
                "run_start": step.start.isoformat(),
                "end": step.end.isoformat(),
                "changeover_min": step.changeover_min,
            }
            for step in promise.steps
        ],
    }
