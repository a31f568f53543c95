"""The inspection of a line's cloth: scans in, source against scan, defects judged, and what is done with the cloth."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_GET, require_POST
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from inventory_sync.errors import ErpError
from orders import foreseeing, inspecting, looking, reprinting, services
from orders.api.inspecting import INSPECT, DecideInput, VerdictInput, refuse_too_large
from orders.api.permissions import EVERYONE
from orders.api.serializers import Metres, Strict
from orders.domain.asked import YARD_M
from orders.domain.states import LineState
from orders.models import Membership, Notice, OrderLine, Preference
from orders.web import roll
from orders.web.floor import LINE_STATES
from orders.web.forms import decimal_point, line_of, member, said, taken, whole_number, wished
from orders.web.wording import STATES
from production import inspections
from production.documents.inspection import write_inspection_report
from production.domain.grading import Decision, Proposal
from production.inspection.flaws import Kind
from production.inspection.outcome import Inspected
from production.inspection.pictures import Album, Shown
from production.inspections import MOST_BYTES, MOST_SCANS, SUFFIXES
from production.models import DefectVerdict, Inspection

TYPES: Final = {".jpg": "image/jpeg", ".png": "image/png"}
SHOWN: Final = 60  # defects in the list before it is asked for all
KINDS: Final = {
    Kind.NOZZLE: gettext_lazy("Missing nozzle"),
    Kind.BANDING: gettext_lazy("Banding"),
    Kind.INK_SPOT: gettext_lazy("Ink spot"),
    Kind.STAIN: gettext_lazy("Stain"),
    Kind.HOLE: gettext_lazy("Hole"),
    Kind.MISSING_PICK: gettext_lazy("Missing pick"),
    Kind.BROKEN_END: gettext_lazy("Broken end"),
    Kind.SLUB: gettext_lazy("Slub"),
}
DECISIONS: Final = {
    Decision.PASS: gettext_lazy("Pass"),
    Decision.SECONDS: gettext_lazy("Seconds"),
    Decision.CUT_OUT: gettext_lazy("Cut out"),
    Decision.REPRINT: gettext_lazy("Reprint"),
}
FOLLOWS: Final = {
    Decision.PASS: gettext_lazy("The line is done, and the ERP is told."),
    Decision.SECONDS: gettext_lazy("It is delivered as it is, as seconds. The line is done, and the ERP is told."),
    Decision.CUT_OUT: gettext_lazy("What is bad is cut out and scrapped in the ERP; the rest is delivered."),
    Decision.REPRINT: gettext_lazy(
        "It is made once more at once: fabric, slot and promise anew. The loss is scrapped in the ERP, its cost stands "
        "on the costing, and sales are told."
    ),
}
INSPECTIONS: Final = {
    Inspection.State.WAITING: gettext_lazy("being inspected"),
    Inspection.State.MEASURED: gettext_lazy("to be decided"),
    Inspection.State.REFUSED: gettext_lazy("not inspectable"),
    Inspection.State.DECIDED: gettext_lazy("decided"),
    Inspection.State.OVERTAKEN: gettext_lazy("overtaken"),
}


class OnceInput(Strict):
    """By which the same upload is known again."""

    once = serializers.UUIDField()


class MetresInput(Strict):
    """How much would be made once more."""

    reprint_m = Metres(min_value=Decimal(0))


@dataclass(frozen=True)
class Row:
    """A defect in the list, with what it counts and what a person said of it."""

    number: int
    kind: str
    named: str
    at_m: float
    width_mm: float
    height_mm: float
    points: int | None  # None: it counts with another
    counts_with: int
    said: DefectVerdict | None
    close_up: bool


@login_required
@require_GET
def inspection(request: HttpRequest, reference: str, number: int | None = None) -> HttpResponse:
    """The newest inspection of a line, or an earlier one."""
    membership, line = _asked(request, reference)
    return _page(request, membership, line, number)


@login_required
@require_GET
def part(request: HttpRequest, reference: str, number: int) -> HttpResponse:
    """The page's working part while a cloth is looked at; nothing (204) while it stands as it was seen."""
    membership, line = _asked(request, reference)
    found = _inspection(line, number)
    seen = request.GET.get("seen", "")
    if seen == _mark(line, found):
        return HttpResponse(status=204)
    if seen and not seen.startswith(f"{found.state}."):
        return HttpResponse(headers={"HX-Refresh": "true"})  # the whole page is another one
    return render(request, "inspection/_part.html", _context(request, membership, line, found))


@login_required
@require_GET
def look(request: HttpRequest, reference: str, number: int) -> HttpResponse:
    """A stretch of the cloth, or a defect close up: what stands in the viewer."""
    membership, line = _asked(request, reference)
    if not getattr(request, "htmx", False):
        return _page(request, membership, line, number)
    found = _inspection(line, number)
    return render(request, "inspection/_viewer.html", _base(membership, line, found) | _viewer(request, found))


@login_required
@require_POST
def scans(request: HttpRequest, reference: str) -> HttpResponse:
    """Take scans of the cloth. Scripts are answered in JSON: where to look next, or why they were not taken."""
    membership = member(request, INSPECT)
    line = line_of(membership.shop, reference)
    by: Any = request.user
    try:
        refuse_too_large(request.META.get("CONTENT_LENGTH"))
        once = wished(OnceInput, {"once": request.POST.get("once", "")})["once"]
        inspecting.begin(line, request.FILES.getlist("scans"), by=by, once=once)
    except (ValidationError, *services.Refusals) as refusal:
        status, sentence = getattr(refusal, "http_status", 400), said(refusal)[0]
        if _by_script(request):
            return JsonResponse({"taken": False, "sentence": sentence}, status=status)
        return _page(request, membership, line, None, status=status, wrong=sentence)
    address = reverse("inspect", args=[line.reference])
    return JsonResponse({"taken": True, "address": address}) if _by_script(request) else redirect(address)


@login_required
@require_POST
def defect(request: HttpRequest, reference: str, number: int, defect: int) -> HttpResponse:
    """Take what a person says of a defect: it is one, of which kind, or it is none. Grade and proposal follow."""
    membership = member(request, INSPECT)
    line = line_of(membership.shop, reference)
    found, by, wrong, status = _inspection(line, number), request.user, "", 200
    typed = {"defect": defect, "confirmed": request.POST.get("is") != "none", "kind": request.POST.get("kind", "")}
    try:
        wish = wished(VerdictInput, typed)
        kind = wish["kind"] if wish["confirmed"] else ""
        inspecting.say_of_defect(line, found, defect, confirmed=wish["confirmed"], kind=kind, by=by)  # type: ignore[arg-type]
    except (ValidationError, *services.Refusals) as refusal:
        wrong, status = said(refusal)[0], getattr(refusal, "http_status", 400)
    if not getattr(request, "htmx", False):
        if wrong:
            messages.error(request, wrong)
        return redirect(reverse("inspect-one", args=[line.reference, number]) + f"#defect-{defect}")
    found = _inspection(line, number)
    context = _context(request, membership, line, found) | {"wrong": wrong, "swapped": True}
    return render(request, "inspection/_judged.html", context, status=status)


@login_required
@require_POST
def decide(request: HttpRequest, reference: str, number: int) -> HttpResponse:
    """Take a person's decision: the line follows at once. Of two, the second sees how things stand now."""
    membership = member(request, INSPECT)
    line = line_of(membership.shop, reference)
    found, by = _inspection(line, number), request.user
    typed = _decision(request)
    try:
        decided = inspecting.decide(line, found, wished(DecideInput, typed), by=by)  # type: ignore[arg-type]
    except (ValidationError, *services.Refusals) as refusal:
        sentence, field = said(refusal)
        status = getattr(refusal, "http_status", 400)
        shown = {"wrong": sentence, "wrong_field": field, "typed": request.POST}
        return _page(request, membership, line, number, status=status, **shown)
    taken(request, f"inspect-{line.reference}-{number}")
    messages.success(request, gettext("Decided: %(what)s.") % {"what": DECISIONS[Decision(decided.decision)]})
    return redirect("inspect-one", line.reference, number)


@login_required
@require_GET
def foresee(request: HttpRequest, reference: str, number: int) -> HttpResponse:
    """What a reprint would bring: roll, slot, promise and cost as the shop stands now."""
    membership = member(request, INSPECT)
    line = line_of(membership.shop, reference)
    context = _base(membership, line, _inspection(line, number))
    try:
        typed = _metres(request.GET.get("reprint_m", ""), request.GET.get("units", ""))
        context["foreseen"] = foreseeing.foresee(line, wished(MetresInput, {"reprint_m": typed})["reprint_m"])
    except (ValidationError, *services.Refusals) as refusal:
        context["away"] = said(refusal)[0]
    return render(request, "inspection/_foreseen.html", context)


@login_required
@require_GET
def report(request: HttpRequest, reference: str, number: int) -> HttpResponse:
    """The report as PDF: once it is decided the one that the ERP has, before that as it stands."""
    _membership, line = _asked(request, reference)
    found = _inspection(line, number)
    if found.state == Inspection.State.WAITING:
        raise Http404
    if found.state == Inspection.State.DECIDED:
        data = _decided_report(line, found)
    else:
        data = write_inspection_report(looking.sheet_of(line, found))
    answer = HttpResponse(data, content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="{line.reference}-r{found.revision}-inspection-{number}.pdf"'
    return _unseen(answer)


def _decided_report(line: OrderLine, found: Inspection) -> bytes:
    """The report that the ERP has or will have; without what follows where the ERP has to be asked and is away."""
    try:
        return looking.report_of(line, found).path.read_bytes()
    except ErpError:
        return write_inspection_report(looking.sheet_of(line, found))


@login_required
@require_GET
def picture(request: HttpRequest, reference: str, number: int, name: str) -> HttpResponse:
    """A picture of the cloth. It never changes: another look at the cloth has pictures of its own."""
    _membership, line = _asked(request, reference)
    album = inspections.pictures_of(_inspection(line, number))
    if album is None or name not in album.files:
        raise Http404
    try:
        data = (album.folder / name).read_bytes()
    except OSError as error:
        raise Http404 from error
    answer = HttpResponse(data, content_type=TYPES.get(Path(name).suffix, "application/octet-stream"))
    answer["Cache-Control"] = "private, max-age=86400"
    return _unseen(answer)


def _unseen(response: Any) -> Any:
    """Nothing in a file is run by who opens it."""
    response["Content-Security-Policy"] = "sandbox"
    return response


# ------------------------------------------------------------------------------------------------ shown


def _page(
    request: HttpRequest, membership: Membership, line: OrderLine, number: int | None, *, status: int = 200, **more: Any
) -> HttpResponse:
    found = _inspection(line, number) if number is not None else inspecting.of(line).first()
    context = _context(request, membership, line, found) | more
    return render(request, "inspection/inspection.html", context, status=status)


def _base(membership: Membership, line: OrderLine, found: Inspection | None) -> dict[str, Any]:
    return {"membership": membership, "line": line, "inspection": found, "may_inspect": membership.role in INSPECT}


def _context(request: HttpRequest, membership: Membership, line: OrderLine, found: Inspection | None) -> dict[str, Any]:
    """All that the page shows of an inspection, and of the others of the line."""
    line = OrderLine.objects.select_related("order__shop", "order__customer").get(pk=line.pk)
    all_of_them = list(inspecting.of(line))
    context = _base(membership, line, found) | {
        "line_state": LINE_STATES.get(LineState(line.state), STATES[LineState(line.state)]),
        "takes_scans": line.state == LineState.INSPECTING,
        "newest": found is None or not all_of_them or all_of_them[0].pk == found.pk,
        "history": [(each, INSPECTIONS[Inspection.State(each.state)], _decided(each)) for each in all_of_them],
        "once": uuid.uuid4(),
        "most_scans": MOST_SCANS,
        "most_gb": f"{MOST_BYTES / 1e9:g}",
        "accept": ",".join(SUFFIXES),
    }
    if found is None:
        return context
    proposal, state = inspections.proposal_of(found), Inspection.State(found.state)
    context |= {
        "state": state.value,
        "state_words": INSPECTIONS[state],
        "mark": _mark(line, found),
        "waiting": state is Inspection.State.WAITING,
        "open": state is Inspection.State.MEASURED,
        "proposal": proposal,
        "proposed": DECISIONS.get(proposal.decision) if proposal and proposal.decision else "",
        "decided": _decided(found),
        "followed": _followed(line, found),
        "reasons": sorted(proposal.reasons, key=lambda each: each.kept) if proposal else (),
        "choices": [(each.value, DECISIONS[each], FOLLOWS[each]) for each in Decision],
        "chosen": (proposal.decision.value if proposal and proposal.decision else "") if proposal else "",
        "good_m": proposal.good_m if proposal and proposal.decision is Decision.CUT_OUT else "",
        "reprint_m": proposal.reprint_m if proposal and proposal.reprint_m else line.making_m,
    }
    outcome = inspections.outcome_of(found)
    if outcome is None or not outcome.trusted:
        return context
    rows = _rows(found, outcome, proposal)
    everything = request.GET.get("all") == "1" or len(rows) <= SHOWN
    return context | _viewer(request, found) | {
        "outcome": outcome,
        "grade": inspections.grade_of(found),
        "rule": inspections.rule_of(found),
        "map": _map(found, proposal),
        "rows": rows if everything else rows[:SHOWN],
        "unshown": 0 if everything else len(rows) - SHOWN,
        "judged": sum(1 for row in rows if row.said is not None),
        "found_count": len(rows),
        "kinds": [(kind.value, words) for kind, words in KINDS.items()],
        "threshold": found.threshold,
        "set_at": datetime.fromisoformat(found.threshold["at"]) if found.threshold and found.threshold["set"] else None,
        "colours": roll.colours(outcome, inspections.rule_of(found)),
    }  # fmt: skip


def _rows(found: Inspection, outcome: Inspected, proposal: Proposal | None) -> list[Row]:
    """The defects along the roll; the points are those of the fault that each belongs to."""
    grade, verdicts, album = inspections.grade_of(found), inspections.verdicts_of(found), inspections.pictures_of(found)
    faults = {number: fault for fault in (grade.faults if grade else ()) for number in fault.numbers}
    rows = []
    for each in outcome.defects:
        fault, verdict = faults.get(each.number), verdicts.get(each.number)
        first = min(fault.numbers) if fault is not None else each.number
        kind = verdict.kind if verdict is not None and verdict.kind else str(each.kind or "")
        rows.append(
            Row(
                number=each.number,
                kind=kind,
                named=str(KINDS[Kind(kind)]) if kind else gettext("Not named"),
                at_m=each.y_mm / 1000,
                width_mm=each.width_mm,
                height_mm=each.height_mm,
                points=fault.points if fault is not None and first == each.number else None,
                counts_with=first if fault is not None and first != each.number else 0,
                said=verdict,
                close_up=album is not None and each.number in album.close_ups,
            )
        )
    return rows


def _map(found: Inspection, proposal: Proposal | None) -> list[roll.Row]:
    grade, outcome = inspections.grade_of(found), inspections.outcome_of(found)
    if grade is None or outcome is None:
        return []
    album = inspections.pictures_of(found)
    return roll.rows(grade, proposal.pieces if proposal else (), album.strips if album else (), outcome.scans)


def _viewer(request: HttpRequest, found: Inspection) -> dict[str, Any]:
    """What the viewer shows: the defect or the stretch that was asked for, else the stretch with the worst fault."""
    album, outcome = inspections.pictures_of(found), inspections.outcome_of(found)
    if album is None or outcome is None or not album.strips:
        return {"view": None}
    asked, strip = request.GET or request.POST, None
    number = whole_number(asked.get("defect", ""))
    close_up = album.close_ups.get(number) if number is not None else None
    if close_up is None:
        strip = _strip(found, album, whole_number(asked.get("strip", "")))
    else:
        middle = (close_up.from_mm + close_up.to_mm) / 2
        strip = max(0, sum(each.from_mm <= middle for each in album.strips) - 1)
    shown: Shown = close_up if close_up is not None else album.strips[strip]
    verdicts = inspections.verdicts_of(found)
    gone = {number for number, each in verdicts.items() if not each.confirmed}
    return {
        "view": shown,
        "frame": roll.frame(shown),
        "strip": strip,
        "strip_before": strip - 1 if strip > 0 else None,
        "strip_after": strip + 1 if strip + 1 < len(album.strips) else None,
        "close_up": number if close_up is not None else None,
        "named": next((KINDS.get(each.kind, "") for each in outcome.defects if each.number == number), "")
        if close_up is not None
        else "",
        "marks": roll.marks(outcome, shown, gone=gone),
        "lies": roll.blocks(outcome, shown) if close_up is None else (),
        "synthetic": outcome.synthetic,
    }


def _strip(found: Inspection, album: Album, asked: int | None) -> int:
    if asked is not None and asked < len(album.strips):
        return asked
    grade = inspections.grade_of(found)
    worst = max(grade.faults if grade else (), key=lambda each: each.points, default=None)
    if worst is None:
        return 0
    return max(0, sum(each.from_mm <= worst.y_mm for each in album.strips) - 1)


def _decided(found: Inspection) -> Any:
    return DECISIONS[Decision(found.decision)] if found.decision else ""


def _followed(line: OrderLine, found: Inspection) -> list[str]:
    """What came of a reprint once it was planned: the date that sales tell the customer."""
    if found.decision != Decision.REPRINT:
        return []
    notices = Notice.objects.filter(line=line, code=reprinting.NOTICE, fields__run=found.run + 1)
    return [each.sentence for each in notices]


# ------------------------------------------------------------------------------------------------ asked


def _asked(request: HttpRequest, reference: str) -> tuple[Membership, OrderLine]:
    membership = member(request, EVERYONE)
    return membership, line_of(membership.shop, reference)


def _inspection(line: OrderLine, number: int | None) -> Inspection:
    found: Inspection = get_object_or_404(inspecting.of(line), number=number)
    return found


def _mark(line: OrderLine, found: Inspection) -> str:
    """By which a page knows that the inspection stands as it showed it."""
    return f"{found.state}.{line.progress if found.state == Inspection.State.WAITING else ''}"


def _decision(request: HttpRequest) -> dict[str, Any]:
    """What was typed: only the metres that belong to what was chosen."""
    decision = request.POST.get("decision", "")
    typed: dict[str, Any] = {"decision": decision, "why": request.POST.get("why", "")}
    field = {Decision.CUT_OUT: "good_m", Decision.REPRINT: "reprint_m"}.get(decision)  # type: ignore[call-overload]
    if field and (text := request.POST.get(field, "").strip()):
        typed[field] = _metres(text, request.POST.get("units", ""))
    return typed


def _metres(text: str, units: str) -> str:
    """Metres as the form's reader typed them; what is no number stays as it is, and is refused by name."""
    number = decimal_point(text)
    if units != Preference.Units.IMPERIAL:
        return number
    try:
        return str(round(float(number) * float(YARD_M), 2))
    except ValueError:
        return number


def _by_script(request: HttpRequest) -> bool:
    return "application/json" in request.headers.get("Accept", "")


urlpatterns = [
    path("", inspection, name="inspect"),
    path("scans/", scans, name="inspect-scans"),
    path("<int:number>/", inspection, name="inspect-one"),
    path("<int:number>/part/", part, name="inspect-part"),
    path("<int:number>/look/", look, name="inspect-look"),
    path("<int:number>/defects/<int:defect>/", defect, name="inspect-defect"),
    path("<int:number>/decide/", decide, name="inspect-decide"),
    path("<int:number>/foresee/", foresee, name="inspect-foresee"),
    path("<int:number>/report.pdf", report, name="inspect-report"),
    path("<int:number>/pictures/<str:name>", picture, name="inspect-picture"),
]
