"""What people report from the shop floor: begun, paused, finished, scrapped, taken back.

A report is appended under the line's lock, so that of two pressed at once the second sees the first. What was pressed
without a network comes later, in its order, with how long ago it was.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from inventory_sync import words
from orders import audit, floor, flow, names, services, steps, work
from orders.domain.floor import (
    PAUSE_REASONS,
    REJECTED,
    SCRAP_REASONS,
    OperationState,
    Said,
)
from orders.domain.states import LineState, StepState
from orders.errors import InvalidReport, ReportRefused, ReportUnlikely, SentAlready
from orders.floor import MADE, ON_THE_FLOOR, Operation, operations
from orders.models import FloorReport, OrderLine, Step

# Trade knowledge, not measured: so much more or less than was ordered is delivered without a word.
TOLERANCE: Final = Decimal("0.05")
LONGEST_AGO: Final = timedelta(days=14)
NEEDS_METRES: Final = frozenset({Said.FINISH, Said.SCRAP})
REASONS: Final = {Said.SCRAP: SCRAP_REASONS, Said.PAUSE: PAUSE_REASONS}
SAME: Final = {
    Said.START: OperationState.RUNNING, Said.RESUME: OperationState.RUNNING, Said.PAUSE: OperationState.PAUSED,
    Said.FINISH: OperationState.DONE,
}  # fmt: skip
CHAINED: Final = {Said.FINISH: "metres made", Said.SCRAP: "metres lost", Said.UNDO: "metres taken back"}
IN_WORDS: Final = {
    OperationState.WAITING: "has not been started",
    OperationState.RUNNING: "is running",
    OperationState.PAUSED: "is paused",
    OperationState.DONE: "is finished",
}


@dataclass(frozen=True, kw_only=True)
class NewReport:
    """One press of a button. `ago_s`: how long before it was sent; `sure`: it was said that what is unlikely is so."""

    once: UUID
    run: int
    operation: int
    kind: str
    metres: Decimal | None = None
    reason: str = ""
    ago_s: float = 0.0
    undoes: int | None = None
    sure: bool = False
    again_m: Decimal | None = None  # of a cloth that is not good: so much is made once more; None: all of it
    why: str = ""  # it is not good, in words


# ------------------------------------------------------------------------------------------------ reporting


def report(line: OrderLine, new: NewReport, *, by: User) -> FloorReport:
    """Take a report, once, and move the line on where it says so; the ERP is told afterwards.

    Raises InvalidReport, ReportRefused, SentAlready, and ReportUnlikely where it has to be said that it is so (`sure`).
    """
    with transaction.atomic():
        steps.lock_line(line.pk)
        before = FloorReport.objects.filter(once=new.once).first()
        if before is not None:
            if before.line_id != line.pk:
                raise InvalidReport("This report was sent for another line.", fields={"field": "once"})
            _refuse_another(before, new)
            return before
        line = OrderLine.objects.select_related("order__shop").get(pk=line.pk)
        route = operations(line)
        operation, undone = _fitting(line, route, new)
        taken = FloorReport.objects.create(
            line=line,
            run=line.run,
            operation=operation.number,
            name=operation.name,
            work_centre=operation.work_centre,
            kind=new.kind,
            metres=new.metres,
            reason=new.reason,
            undoes=undone,
            by=by,
            at=_pressed_at(line, new),
            once=new.once,
        )
        _chain(line, taken, by=by)
        _move_on(line, taken, new, by=by)
    return taken


def _refuse_another(before: FloorReport, new: NewReport) -> None:
    """Raise SentAlready where a page reports something else by the number that it has reported by before."""
    said = ("run", "operation", "kind", "metres", "reason")
    if any(getattr(before, name) != getattr(new, name) for name in said) or before.undoes_id != new.undoes:
        raise SentAlready(
            f"{before.name}: “{before.get_kind_display()}” was reported from this page before, and this is something "
            "else. Load the page again, then report it.",
            fields={"field": "once"},
        )


def _chain(line: OrderLine, taken: FloorReport, *, by: User) -> None:
    """Put into the audit chain what counts as money: metres made and metres lost, with why, and their taking back.

    Who started, paused and went on costs nothing by itself: where that moves the line on, the chain has it so.
    """
    counted = taken if taken.undoes is None else taken.undoes
    if counted.metres is None:
        return
    details = {
        "report": counted.pk, "run": taken.run, "operation": taken.name, "work_centre": taken.work_centre,
        "kind": counted.kind, "metres": f"{counted.metres:.2f}", "reason": counted.reason, "at": taken.at.isoformat(),
    }  # fmt: skip
    audit.record(line.order.shop, CHAINED[Said(taken.kind)], actor=by, line=line, details=details)


def _move_on(line: OrderLine, taken: FloorReport, new: NewReport, *, by: User) -> None:
    """Move the line on where the report says so, and open the step that tells the ERP unless one is open already."""
    route = operations(line)
    here = route[taken.operation]
    if taken.kind == Said.START and line.state == LineState.RELEASED:
        line = services.started(line, by=by)
    elif taken.kind == Said.FINISH and here.inspects:
        if taken.reason == REJECTED:
            line = services.failed(line, by=by, again_m=new.again_m, why=new.why)
        else:
            line = services.passed(line, by=by)
    elif taken.kind == Said.FINISH and line.state == LineState.IN_PRODUCTION and _all_made(route):
        line = services.finished(line, by=by)
    if not Step.objects.filter(line=line, state__in=[StepState.PENDING, StepState.RUNNING]).exists():
        flow.open_for(line, "report")


def _all_made(route: Sequence[Operation]) -> bool:
    return all(each.done for each in route if not each.inspects)


def _fitting(line: OrderLine, route: Sequence[Operation], new: NewReport) -> tuple[Operation, FloorReport | None]:
    """Return the operation that a report is about and the report that it takes back, once all of it holds together."""
    _well_formed(new)
    if line.state not in ON_THE_FLOOR:
        raise ReportRefused(
            f"{line.reference} is {line.state.replace('_', ' ')}: nothing can be reported of it now.",
            fields={"state": line.state},
        )
    if new.run != line.run:
        raise ReportRefused(
            f"{line.reference} is made once more since: scan its new ticket.",
            fields={"field": "run", "measured": new.run, "limit": line.run},
        )
    if not 0 <= new.operation < len(route):
        raise InvalidReport(
            f"{line.reference} has {len(route)} operations; there is no number {new.operation + 1}.",
            fields={"field": "operation", "measured": new.operation, "limit": len(route) - 1},
        )
    here = route[new.operation]
    if new.kind == Said.UNDO:
        return here, _slip(line, here, new)
    _in_order(line, route, here, new)
    if not new.sure:
        _likely(line, route, here, new)
    return here, None


def _well_formed(new: NewReport) -> None:
    kind = Said(new.kind) if new.kind in set(Said) else None
    if kind is None:
        raise InvalidReport(f"{new.kind!r} can't be reported.", fields={"field": "kind", "choices": list(Said)})
    if kind in NEEDS_METRES and (new.metres is None or new.metres < 0 or (kind is Said.SCRAP and not new.metres)):
        raise InvalidReport("How many metres? Give the length.", fields={"field": "metres"})
    if kind not in NEEDS_METRES and new.metres is not None:
        raise InvalidReport("Metres are said with a finish or with scrap.", fields={"field": "metres"})
    choices = REASONS.get(kind, ("", REJECTED) if kind is Said.FINISH else ("",))
    if new.reason not in choices:
        raise InvalidReport("Choose the reason from the list.", fields={"field": "reason", "choices": list(choices)})
    if not 0 <= new.ago_s <= LONGEST_AGO.total_seconds():
        raise InvalidReport(
            f"A report can be sent {LONGEST_AGO.days} days after its button was pressed at most, and not before.",
            fields={"field": "ago_s", "measured": new.ago_s, "limit": LONGEST_AGO.total_seconds()},
        )


def _pressed_at(line: OrderLine, new: NewReport) -> datetime:
    """Return when the button was pressed, by our clock. Raises InvalidReport for a time before the plan was made."""
    at = timezone.now() - timedelta(seconds=new.ago_s)
    planned = work.moment(line.plan["planned_at"]) if line.plan and "planned_at" in line.plan else at
    if at < planned:
        raise InvalidReport(
            f"The button was pressed {_clock(line, at)}, before the line was planned ({_clock(line, planned)}): is the "
            "clock of the tablet right?",
            fields={"field": "ago_s", "measured": at.isoformat(), "limit": planned.isoformat()},
        )
    return at


def _in_order(line: OrderLine, route: Sequence[Operation], here: Operation, new: NewReport) -> None:
    """Raise ReportRefused for what can't follow on what was reported before."""
    kind, state = Said(new.kind), here.standing.state
    fields = {"operation": here.name, "state": here.state.value}
    if new.reason == REJECTED and not here.inspects:
        raise ReportRefused(f"{here.name} makes the cloth; the inspection says whether it is good.", fields=fields)
    if here.elsewhere:
        raise ReportRefused(f"{here.name} of {line.reference} is finished already, the ERP says.", fields=fields)
    unfinished = [each.name for each in route[: here.number] if not each.done]
    if here.inspects and unfinished:
        raise ReportRefused(f"{_and(unfinished)}: not finished yet, so there is nothing to inspect.", fields=fields)
    if kind is Said.FINISH and unfinished:
        raise ReportRefused(f"{_and(unfinished)}: report that as finished first.", fields=fields)
    if line.state in MADE and not here.inspects and kind not in NEEDS_METRES:
        raise ReportRefused(f"{line.reference} is made and is being inspected.", fields=fields)
    allowed = {
        Said.START: {OperationState.WAITING},
        Said.PAUSE: {OperationState.RUNNING},
        Said.RESUME: {OperationState.PAUSED},
    }.get(kind, {OperationState.RUNNING, OperationState.PAUSED, OperationState.DONE})
    if state not in allowed:
        raise ReportRefused(_as_it_is(line, here, kind), fields=fields)


def _as_it_is(line: OrderLine, here: Operation, kind: Said) -> str:
    """Say how an operation stands and who said so, to who wanted something else."""
    stands = here.standing
    if stands.last is None or stands.since is None:
        return f"{here.name} {IN_WORDS[stands.state]}: press Start first."
    who = f"{stands.last.by}, {_clock(line, stands.since)}"
    again = " already" if SAME.get(kind) is stands.state else ""
    return f"{here.name} {IN_WORDS[stands.state]}{again} ({who})."


def _likely(line: OrderLine, route: Sequence[Operation], here: Operation, new: NewReport) -> None:
    """Raise ReportUnlikely for what is seldom so: it has to be said twice."""
    if new.kind == Said.START:
        unfinished = [each.name for each in route[: here.number] if not each.done]
        if unfinished:
            raise ReportUnlikely(
                f"{_and(unfinished)}: not reported as finished yet. Start {here.name} all the same?",
                fields={"field": "operation", "before": unfinished},
            )
    if new.metres is None or new.reason == REJECTED:
        return
    ordered, fabric = line.making_m, floor.fabric_m(line)
    if new.kind == Said.FINISH:
        least, most = ordered * (1 - TOLERANCE), max(ordered, fabric) * (1 + TOLERANCE)
        if not least <= new.metres <= most:
            than = "more than can be" if new.metres > most else "less than was ordered"
            asked = f"ordered {words.quantity(ordered, 'm')}, {words.quantity(fabric, 'm')} of fabric planned"
            raise ReportUnlikely(
                f"{words.quantity(new.metres, 'm')} is {than} ({asked}). Is that right?",
                fields={"field": "metres", "measured": str(new.metres), "limit": [str(least), str(most)]},
            )
    lost = sum((each.standing.scrap_m for each in route), new.metres)
    if new.kind == Said.SCRAP and lost > fabric:
        raise ReportUnlikely(
            f"With this {words.quantity(lost, 'm')} are lost, and {words.quantity(fabric, 'm')} were planned. "
            "Is that right?",
            fields={"field": "metres", "measured": str(lost), "limit": str(fabric)},
        )


def _slip(line: OrderLine, here: Operation, new: NewReport) -> FloorReport:
    """Return the report that is taken back. Raises ReportRefused for any but the last of its operation."""
    last, fields = here.standing.last, {"operation": here.name, "undoes": new.undoes}
    if last is None or last.number != new.undoes:
        raise ReportRefused(f"Of {here.name} only what was reported last can be taken back.", fields=fields)
    if last.kind is Said.FINISH and line.state != LineState.IN_PRODUCTION:
        raise ReportRefused(
            f"{line.reference} is being inspected already: give other metres, or say so at the inspection.",
            fields=fields,
        )
    later = [each.name for each in operations(line)[here.number + 1 :] if each.standing.last is not None]
    if last.kind is Said.FINISH and later:
        raise ReportRefused(f"{_and(later)}: begun already, so {here.name} is over.", fields=fields)
    return FloorReport.objects.get(pk=last.number)


def _and(listed: Sequence[str]) -> str:
    return ", ".join(listed)


def _clock(line: OrderLine, at: datetime) -> str:
    """A moment as people at the mill say it; the day only where it is another."""
    zone = ZoneInfo(line.order.shop.time_zone)
    local = at.astimezone(zone)
    today = local.date() == names.today(line.order.shop)
    return f"{local:%H:%M}" if today else f"{words.day(at, line.order.shop.time_zone)} {local:%H:%M}"
