"""What there is to do on the shop floor, machine by machine, and how far it is."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from orders import work
from orders.domain.floor import OperationState, Standing, standing_of
from orders.domain.states import LineState
from orders.models import FloorReport, OrderLine, Shop
from production.models import MachineProfile, Substrate, WeaveSpec

ON_THE_FLOOR: Final = (LineState.RELEASED, LineState.IN_PRODUCTION, LineState.INSPECTING)
MADE: Final = frozenset({LineState.INSPECTING, LineState.DONE})
# A line's reference, and the revision after it, whatever a scanner makes of the signs between.
_TICKET: Final = re.compile(
    r"(?P<letters>WL)[^A-Z0-9]*(?P<order>[0-9]{6,12})[^A-Z0-9]+(?P<line>[0-9]{1,4})"
    r"(?:[^A-Z0-9]+R(?P<revision>[0-9]{1,4}))?(?![A-Z0-9])",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Operation:
    """An operation of a line as who stands at its machine sees it."""

    number: int
    name: str
    work_centre: str
    start: datetime
    end: datetime
    inspects: bool  # it says whether the cloth is good
    standing: Standing
    elsewhere: bool = False  # it is finished, and not by a report here: the ERP says so

    @property
    def state(self) -> OperationState:
        """How far it is, whoever said so."""
        return OperationState.DONE if self.elsewhere else self.standing.state

    @property
    def done(self) -> bool:
        """True once nothing is left to do."""
        return self.state is OperationState.DONE


def operations(line: OrderLine, reports: Iterable[FloorReport] | None = None) -> list[Operation]:
    """Return the operations of a line's plan as they stand in its present run; none while it is not planned.

    `reports`: of the line, where they have been read already.
    """
    slots: Sequence[dict[str, Any]] = (line.plan or {}).get("slots", ())
    if reports is None:
        reports = line.reports.select_related("by")
    ours = [each for each in reports if each.run == line.run]
    found = []
    for number, slot in enumerate(slots):
        stands = standing_of(each.said for each in ours if each.operation == number)
        inspects = inspects_cloth(number, len(slots))
        over = line.state == LineState.DONE or (line.state in MADE and not inspects)
        found.append(
            Operation(
                number=number,
                name=slot["name"],
                work_centre=slot["work_centre"],
                start=work.moment(slot["start"]),
                end=work.moment(slot["end"]),
                inspects=inspects,
                standing=stands,
                elsewhere=over and stands.state is not OperationState.DONE,
            )
        )
    return found


def inspects_cloth(number: int, of: int) -> bool:
    """True for the last of several operations: it looks at the cloth that the others have made."""
    return of > 1 and number == of - 1


def next_of(found: Sequence[Operation]) -> Operation | None:
    """Return the operation that is worked on, else the first that is left to do."""
    busy = [each for each in found if each.state in {OperationState.RUNNING, OperationState.PAUSED}]
    return next(iter(busy), None) or next((each for each in found if not each.done), None)


@dataclass(frozen=True)
class Job:
    """One operation of a line in the list of a machine."""

    line: OrderLine
    operation: Operation
    begins: bool  # what has to be done before it is done


def jobs(shop: Shop, *, until: datetime, machine: str = "", most: int = 0) -> list[Job]:
    """Return what is left to do on a shop's machines, or on one, that begins before a moment; in the plan's order.

    `most`: of so many lines at most, those that begin first; 0: of all.
    """
    # Lines are told apart by their plans alone: the rest of a line is read of those that are shown.
    planned = OrderLine.objects.of(shop).filter(state__in=ON_THE_FLOOR, plan__isnull=False)
    plans = dict(planned.values_list("pk", "plan"))
    begins = {pk: _begins(plan or {}, machine) for pk, plan in plans.items()}
    wanted = sorted((at, pk) for pk, at in begins.items() if at is not None and at < until)
    wanted = wanted[:most] if most else wanted
    lines = OrderLine.objects.filter(pk__in=[pk for _, pk in wanted]).select_related("order__customer")
    chosen = list(lines.defer("plan", "quote", "asked", "blocked"))
    reports: dict[int, list[FloorReport]] = {}
    for report in FloorReport.objects.filter(line__in=chosen).select_related("by"):
        reports.setdefault(report.line_id, []).append(report)
    found = []
    for line in chosen:
        line.plan = plans[line.pk]
        route = operations(line, reports.get(line.pk, ()))
        for each in route:
            if each.done or each.start >= until or (machine and each.work_centre != machine):
                continue
            found.append(Job(line, each, all(before.done for before in route[: each.number])))
    return sorted(found, key=lambda job: (job.operation.start, job.line.pk))


def _begins(plan: Mapping[str, Any], machine: str) -> datetime | None:
    """When a plan's first operation on a machine begins; None: it has none there."""
    return min(
        (work.moment(s["start"]) for s in plan.get("slots", ()) if machine in {"", s["work_centre"]}), default=None
    )


def machines(shop: Shop) -> dict[str, str]:
    """Return the names of the machines that orders go over, by code."""
    return dict(MachineProfile.objects.filter(shop=shop.slug).order_by("code").values_list("code", "name"))


@dataclass(frozen=True)
class Ticket:
    """What somebody scanned or typed: a line, and the revision of the paper they hold; 0: it does not say."""

    reference: str
    revision: int = 0


def ticket_of(typed: str) -> Ticket:
    """Return what a ticket's code says: its address, its job's name or its number, as a scanner types it.

    >>> ticket_of(" http://mill.example/floor/WL-000001-1-r2/ ")
    Ticket(reference='WL-000001-1', revision=2)
    >>> ticket_of("wlß000001ß1")  # a scanner that thinks the keyboard is another
    Ticket(reference='WL-000001-1', revision=0)
    """
    found = _TICKET.search(typed)
    if found is None:
        return Ticket(typed.strip()[:40].upper())
    reference = f"{found['letters'].upper()}-{found['order']}-{found['line']}"
    return Ticket(reference, int(found["revision"] or 0))


def cloth_of(line: OrderLine) -> Substrate | WeaveSpec | None:
    """Return the cloth of a line as the catalogue has it now."""
    table = Substrate if line.substrate else WeaveSpec
    found: Substrate | WeaveSpec | None = table.objects.filter(
        shop=line.order.shop.slug, code=line.substrate or line.weave
    ).first()
    return found


def fabric_m(line: OrderLine) -> Decimal:
    """Return how much fabric is planned for a line; of woven cloth its length."""
    materials = (line.plan or {}).get("materials", ())
    return sum((Decimal(m["quantity"]) for m in materials if m["sku"] == line.substrate), Decimal(0)) or line.making_m
