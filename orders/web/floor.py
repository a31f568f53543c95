"""The shop floor: what there is to do at a machine, and the page of one ticket with its large buttons."""

import uuid
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from orders import floor as shopfloor
from orders import reporting, services, work
from orders.api.permissions import EVERYONE
from orders.api.serializers import Finite, Metres, Strict, Text
from orders.domain.asked import YARD_M
from orders.domain.floor import PAUSE_REASONS, REJECTED, SCRAP_REASONS, OperationState, Said
from orders.domain.states import LineState
from orders.errors import ReportUnlikely
from orders.models import Membership, OrderLine, Preference, Role
from orders.web.forms import decimal_point, member, said, whole_number, wished
from production.models import JobTicket

REPORT: Final = frozenset({Role.OPERATOR, Role.PLANNER, Role.ADMIN})
MACHINE: Final = "machine"  # the cookie in which a tablet remembers where it hangs
A_YEAR_S: Final = 365 * 24 * 3600
AHEAD: Final = timedelta(days=7)
SHOWN: Final = 60
LOOKED_AT: Final = 40  # for the next job: most of what is earlier is done or overdue

STATES: Final = {
    OperationState.WAITING: gettext_lazy("waiting"),
    OperationState.RUNNING: gettext_lazy("running"),
    OperationState.PAUSED: gettext_lazy("paused"),
    OperationState.DONE: gettext_lazy("finished"),
}
LINE_STATES: Final = {
    LineState.RELEASED: gettext_lazy("ready to be made"),
    LineState.IN_PRODUCTION: gettext_lazy("in production"),
    LineState.INSPECTING: gettext_lazy("to be inspected"),
    LineState.DONE: gettext_lazy("done"),
    LineState.BLOCKED: gettext_lazy("stopped"),
    LineState.CANCELLING: gettext_lazy("cancelled"),
    LineState.CANCELLED: gettext_lazy("cancelled"),
}
KINDS: Final = {
    Said.START: gettext_lazy("Started"),
    Said.PAUSE: gettext_lazy("Paused"),
    Said.RESUME: gettext_lazy("Went on"),
    Said.FINISH: gettext_lazy("Finished"),
    Said.SCRAP: gettext_lazy("Scrap"),
    Said.UNDO: gettext_lazy("Taken back"),
}
REASONS: Final = {
    "misprint": gettext_lazy("Misprint"),
    "stain": gettext_lazy("Stain"),
    "nozzle": gettext_lazy("Nozzle"),
    "registration": gettext_lazy("Registration"),
    "broken_end": gettext_lazy("Broken end"),
    "wrong_shade": gettext_lazy("Wrong shade"),
    "break": gettext_lazy("Break"),
    "shift": gettext_lazy("End of shift"),
    "material": gettext_lazy("No material"),
    "machine": gettext_lazy("Machine fault"),
    "quality": gettext_lazy("Quality question"),
    "other": gettext_lazy("Other"),
    REJECTED: gettext_lazy("Not good"),
}


class ReportInput(Strict):
    """One press of a button, as the page sends it. `units`: in which the metres were typed."""

    once = serializers.UUIDField()
    run = serializers.IntegerField(min_value=1, max_value=1000)
    operation = serializers.IntegerField(min_value=0, max_value=1000)
    kind = Text(max_length=16)
    metres = Metres(required=False, min_value=Decimal(0))
    units = serializers.ChoiceField(choices=Preference.Units.values, default=Preference.Units.METRIC.value)
    reason = Text(max_length=40, required=False, allow_blank=True, default="")
    ago_s = Finite(required=False, default=0.0)
    undoes = serializers.IntegerField(required=False, min_value=1, max_value=10**12)
    sure = serializers.BooleanField(default=False)

    def to_internal_value(self, data: Any) -> reporting.NewReport:
        values = super().to_internal_value(data)
        if values.pop("units") == Preference.Units.IMPERIAL and "metres" in values:
            values["metres"] = (values["metres"] * YARD_M).quantize(Decimal("0.01"))
        return reporting.NewReport(**values)


@dataclass(frozen=True)
class Reported:
    """A report in the list of an operation, newest first."""

    report: Any
    what: str
    why: str
    taken_back: bool
    can_take_back: bool


@login_required
@require_GET
def floor(request: HttpRequest) -> HttpResponse:
    """What is to be done on a machine, in the plan's order; a scanned ticket opens its page."""
    membership = member(request, EVERYONE)
    shop = membership.shop
    missing = ""
    if typed := request.GET.get("ticket", "").replace("\0", "").strip():
        ticket = shopfloor.ticket_of(typed)
        line = _lines(membership).filter(reference=ticket.reference).first()
        if line is not None:
            revision = f"-r{ticket.revision}" if ticket.revision else ""
            return redirect(_address(f"{line.reference}{revision}"))
        missing = typed[:60]
    machines = shopfloor.machines(shop)
    machine = request.GET.get("machine", request.COOKIES.get(MACHINE, ""))
    machine = machine if machine in machines else ""
    tomorrow = _midnight(timezone.localtime()) + timedelta(days=1)
    everywhere = shopfloor.jobs(shop, until=tomorrow + AHEAD)
    waiting = Counter(job.operation.work_centre for job in everywhere if job.operation.start < tomorrow)
    found = [job for job in everywhere if machine in {"", job.operation.work_centre}]
    today = [job for job in found if job.operation.start < tomorrow]
    later = found[len(today) :]
    context = {
        "membership": membership,
        "machines": [(code, name, waiting[code]) for code, name in machines.items()],
        "machine": machine,
        "machine_name": machines.get(machine, ""),
        "today": [_shown(job) for job in today[:SHOWN]],
        "later": [_shown(job) for job in later[:SHOWN]],
        "missing": missing,
        "now": timezone.now(),
    }  # fmt: skip
    response = render(request, "floor/floor.html", context)
    if "machine" in request.GET:
        response.set_cookie(MACHINE, machine, max_age=A_YEAR_S, samesite="Lax", httponly=True)
    return response


@login_required
@require_GET
def job(request: HttpRequest, ticket: str) -> HttpResponse:
    """The page of one ticket: what is to be done, what was reported, what it is made of."""
    membership = member(request, EVERYONE)
    code, line = shopfloor.ticket_of(ticket), _line(membership, ticket)
    facts = _facts(line)
    old = code.revision if code.revision and code.revision < facts["newest"] else 0
    context = {**_work(request, membership, line), **facts, "ticket": ticket, "old": old}
    return render(request, "floor/job.html", context)


@login_required
@require_GET
def part(request: HttpRequest, ticket: str) -> HttpResponse:
    """The working part of a ticket's page as it stands now; nothing (204) when it stands as it was seen."""
    membership = member(request, EVERYONE)
    context = {**_work(request, membership, _line(membership, ticket)), "ticket": ticket}
    if request.GET.get("seen") == context["mark"]:
        return HttpResponse(status=204)
    return render(request, "floor/_work.html", context)


@login_required
@require_POST
def report(request: HttpRequest, ticket: str) -> HttpResponse:
    """Take what an operator reports. Scripts are answered in JSON, and ask again where it is unlikely."""
    membership = member(request, REPORT)
    line = _line(membership, ticket)
    by: Any = request.user
    typed = {name: str(value) for name, value in request.POST.items() if name != "csrfmiddlewaretoken" and value != ""}
    typed |= {"metres": decimal_point(typed["metres"])} if "metres" in typed else {}
    try:
        taken = reporting.report(line, wished(ReportInput, typed), by=by)
    except (ValidationError, *services.Refusals) as refusal:
        return _refused(request, ticket, refusal, typed)
    sentence = f"{KINDS[Said(taken.kind)]}: {taken.name}, {timezone.localtime(taken.at):%H:%M}"
    if _by_script(request):
        return JsonResponse({"taken": True, "sentence": sentence})
    messages.success(request, sentence)
    return redirect(_address(ticket, taken.operation))


def _refused(request: HttpRequest, ticket: str, refusal: Exception, typed: dict[str, str]) -> HttpResponse:
    """Say why a report was not taken; what is only unlikely can be sent once more, by who is sure."""
    sentence = said(refusal)[0]
    unlikely = isinstance(refusal, ReportUnlikely)
    status = getattr(refusal, "http_status", 400)
    if _by_script(request):
        return JsonResponse({"taken": False, "unlikely": unlikely, "sentence": sentence}, status=status)
    if not unlikely:
        messages.error(request, sentence)
        return redirect(_address(ticket, whole_number(typed.get("operation", ""))))
    membership = member(request, REPORT)
    line = _line(membership, ticket)
    shown = {"ticket": ticket, "unlikely": sentence, "again": typed}
    context = {**_work(request, membership, line), **_facts(line), **shown}
    return render(request, "floor/job.html", context, status=status)


# ------------------------------------------------------------------------------------------------ shown


def _work(request: HttpRequest, membership: Membership, line: OrderLine) -> dict[str, Any]:
    """What the working part of the page shows, for the operation that was chosen or is next here."""
    reports = list(line.reports.select_related("by"))
    route = shopfloor.operations(line, reports)
    machine = request.COOKIES.get(MACHINE, "")
    chosen = _chosen(request, route, machine)
    now = timezone.now()
    context: dict[str, Any] = {
        "membership": membership,
        "may_report": membership.role in REPORT and line.state in shopfloor.ON_THE_FLOOR,
        "line": line,
        "line_state": LINE_STATES.get(LineState(line.state), line.state.replace("_", " ")),
        "on_the_floor": line.state in shopfloor.ON_THE_FLOOR,
        "route": [(each, STATES[each.state]) for each in route],
        "chosen": chosen,
        "machines": shopfloor.machines(membership.shop),
        "pause_reasons": [(code, REASONS[code]) for code in PAUSE_REASONS],
        "scrap_reasons": [(code, REASONS[code]) for code in SCRAP_REASONS],
        "rejected": REJECTED,
        "once": uuid.uuid4(),
        "mark": f"{line.version}.{reports[-1].pk if reports else 0}.{chosen.number if chosen else ''}",
    }
    if chosen is None:
        return context
    ahead = shopfloor.jobs(membership.shop, until=now + AHEAD, machine=chosen.work_centre, most=LOOKED_AT)
    return context | {
        "state": STATES[chosen.state],
        "states": [(state.value, words) for state, words in STATES.items()],
        "worked_s": round(chosen.standing.worked_until(now).total_seconds()),
        "reported": _reported(line, chosen, reports),
        "untold": any(each.told_at is None for each in reports),
        "expected_m": chosen.standing.made_m if chosen.standing.made_m is not None else line.making_m,
        "next": next((_shown(each) for each in ahead if each.line.pk != line.pk), None),
    }


def _chosen(request: HttpRequest, route: list[shopfloor.Operation], machine: str) -> shopfloor.Operation | None:
    """The operation that was asked for, else the one left to do on this tablet's machine, else the next of all."""
    asked = whole_number(request.GET.get("op", request.POST.get("operation", "")))
    if asked is not None and asked < len(route):
        return route[asked]
    here = [each for each in route if each.work_centre == machine and not each.done]
    return next(iter(here), None) or shopfloor.next_of(route) or (route[-1] if route else None)


def _reported(line: OrderLine, chosen: shopfloor.Operation, reports: list[Any]) -> list[Reported]:
    ours = [each for each in reports if each.operation == chosen.number and each.run == line.run]
    undone = {each.undoes_id for each in ours if each.undoes_id}
    last = chosen.standing.last
    found = [
        Reported(
            report=each,
            what=str(KINDS[Said(each.kind)]),
            why=str(REASONS.get(each.reason, each.reason)),
            taken_back=each.pk in undone,
            can_take_back=last is not None and last.number == each.pk,
        )
        for each in ours
        if each.kind != Said.UNDO
    ]
    return found[::-1]


def _facts(line: OrderLine) -> dict[str, Any]:
    """What the cloth is made of and by, as the newest ticket and the plan say."""
    ticket = JobTicket.objects.filter(shop=line.order.shop.slug, reference=line.reference).order_by("-revision").first()
    manifest = ticket.manifest if ticket is not None else {}
    approval = line.approvals.select_related("candidate__round").order_by("-number").first()
    files = work.files_of(line)
    return {
        "newest": ticket.revision if ticket is not None else 0,
        "candidate": approval.candidate if approval is not None else None,
        "brief": approval.candidate.round if approval is not None else None,
        "materials": [{**m, "quantity": Decimal(m["quantity"])} for m in (line.plan or {}).get("materials", ())],
        "inks": manifest.get("inks"),
        "profile": manifest.get("profile"),
        "repeat": manifest.get("repeat"),
        "cloth": shopfloor.cloth_of(line),
        "ticket_file": next((each for each in files if each.format == "ticket"), None),
        "files": [each for each in files if each.format != "ticket"],
    }


def _shown(found: shopfloor.Job) -> dict[str, Any]:
    operation = found.operation
    return {
        "line": found.line,
        "operation": operation,
        "state": STATES[operation.state],
        "begins": found.begins,
        "address": _address(found.line.reference, operation.number),
    }


# ------------------------------------------------------------------------------------------------ asked


def _line(membership: Membership, ticket: str) -> OrderLine:
    return get_object_or_404(_lines(membership), reference=shopfloor.ticket_of(ticket).reference)


def _lines(membership: Membership) -> Any:
    lines = OrderLine.objects.filter(order__shop=membership.shop)
    return lines.select_related("order__shop", "order__customer")


def _address(ticket: str, operation: int | None = None) -> str:
    query = "" if operation is None else "?" + urlencode({"op": operation})
    return reverse("floor-job", args=[ticket]) + query


def _by_script(request: HttpRequest) -> bool:
    return "application/json" in request.headers.get("Accept", "")


def _midnight(local: datetime) -> datetime:
    return local.replace(hour=0, minute=0, second=0, microsecond=0)


urlpatterns = [
    path("", floor, name="floor"),
    path("<slug:ticket>/", job, name="floor-job"),
    path("<slug:ticket>/work/", part, name="floor-work"),
    path("<slug:ticket>/report/", report, name="floor-report"),
]
