"""The pages that join apps: what is on the line, one line whole, a new order."""

from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from generation.domain.pattern import Layout
from orders import clock, services, work
from orders.api import views as api
from orders.api.permissions import EVERYONE
from orders.domain.states import LineState
from orders.models import Membership, OrderLine, Role
from production import services as production

MAY = {
    "approve": api.LineViewSet.roles["approve"],
    "revise": api.LineViewSet.roles["revise"],
    "cancel": api.LineViewSet.roles["cancel"],
    "resume": api.LineViewSet.roles["resume"],
    "place": api.OrderViewSet.roles["create"],
}
OFFERED = {
    LineState.GENERATING: ("cancel",),
    LineState.PROOFING: ("approve", "revise", "cancel"),
    LineState.BLOCKED: ("resume", "revise", "cancel"),
    LineState.PLANNING: ("cancel",),
    LineState.RELEASING: ("cancel",),
    LineState.SYNCING: ("cancel",),
    LineState.RELEASED: ("cancel",),
}


@login_required
def index(request: HttpRequest) -> HttpResponse:
    """The newest lines of the shop."""
    membership = _member(request, EVERYONE)
    lines = OrderLine.objects.filter(order__shop=membership.shop).select_related("order__customer")
    lines = lines.prefetch_related(*api.WHOLE_LINE).order_by("-pk")[:50]
    shown = [
        {
            "line": line,
            "brief": max(line.rounds.all(), key=lambda brief: brief.number),
            "quantity_m": f"{float(line.quantity_m):g}",
        }
        for line in lines
    ]
    context = {"shown": shown, "membership": membership, "may_place": membership.role in MAY["place"]}
    return render(request, "orders/index.html", context)


@login_required
def line(request: HttpRequest, reference: str) -> HttpResponse:
    """One line: its rounds and candidates, files, clock and history."""
    membership = _member(request, EVERYONE)
    with timezone.override(ZoneInfo(membership.shop.time_zone)):
        return render(request, "orders/line.html", _line_context(membership, _line(membership, reference)))


@login_required
@require_POST
def act(request: HttpRequest, reference: str, verb: str) -> HttpResponse:
    """Approve, revise, cancel or resume a line."""
    membership = _member(request, MAY.get(verb, frozenset()))
    wanted = _line(membership, reference)
    by: Any = request.user
    try:
        if verb == "approve":
            services.approve(wanted, int(request.POST.get("candidate", "0")), by=by)
        elif verb == "revise":
            services.revise(wanted, by=by, words=request.POST.get("words", ""))
        elif verb == "cancel":
            services.cancel(wanted, by=by)
        elif verb == "resume":
            services.resume(wanted, by=by)
    except services.Refusals as refusal:
        messages.error(request, str(refusal))
    return redirect("line", reference=reference)


@login_required
def new(request: HttpRequest) -> HttpResponse:
    """A short form for a new order."""
    membership = _member(request, MAY["place"])
    first = {"layout": Layout.HALF_DROP.value, "width_mm": "320", "height_mm": "320", "due_in_days": "10"}
    typed = request.POST or first
    context: dict[str, Any] = {
        "cloths": production.cloths(membership.shop.slug),
        "layouts": [(layout.value, layout.value.replace("_", " ")) for layout in Layout],
        "typed": typed,
        "membership": membership,
    }
    if request.method == "POST":
        try:
            order = services.place_and_submit(
                membership.shop, customer=typed.get("customer", ""), lines=[_typed_line(request)], by=request.user
            )
            return redirect("line", reference=order.lines.get().reference)
        except services.Refusals as refusal:
            context["refusal"] = str(refusal)
            context["field"] = str(getattr(refusal, "fields", {}).get("field", "")).rpartition(".")[2]
            return render(request, "orders/new.html", context, status=400)
    return render(request, "orders/new.html", context)


def _typed_line(request: HttpRequest) -> services.NewLine:
    typed = request.POST
    cloth = typed.get("cloth", "")
    kind, _, code = cloth.partition(":")
    picture = request.FILES.get("reference")
    colours = [word for word in typed.get("palette", "").replace(",", " ").split() if word]
    palette: Any = None
    if colours:
        palette = colours if colours[0].startswith("#") else " ".join(colours)
    return services.NewLine(
        words=typed.get("words", ""),
        quantity_m=_number(typed.get("quantity_m", ""), "quantity_m", "How many metres?"),
        layout=typed.get("layout", ""),
        repeat_mm=(
            float(_number(typed.get("width_mm", ""), "repeat_mm", "How wide is the repeat, in millimetres?")),
            float(_number(typed.get("height_mm", ""), "repeat_mm", "How high is the repeat, in millimetres?")),
        ),
        substrate=code if kind == "substrate" else "",
        weave=code if kind == "weave" else "",
        palette=palette,
        due_in_days=int(_number(typed.get("due_in_days", ""), "due_in_days", "In how many days is it due?")),
        reference=picture.read() if picture else None,
    )


def _number(text: str, field: str, question: str) -> Decimal:
    try:
        number = Decimal(text.strip().replace(",", "."))
    except InvalidOperation:
        raise services.InvalidOrder(f"{question} {text[:30]!r} is not a number.", fields={"field": field}) from None
    if not number.is_finite() or abs(number) > 1_000_000:
        raise services.InvalidOrder(f"{question} {text[:30]!r} is out of bounds.", fields={"field": field})
    return number


def _line_context(membership: Membership, wanted: OrderLine) -> dict[str, Any]:
    rounds = sorted(wanted.rounds.all(), key=lambda brief: -brief.number)
    offered = [verb for verb in OFFERED.get(LineState(wanted.state), ()) if membership.role in MAY[verb]]
    return {
        "line": wanted,
        "quantity_m": f"{float(wanted.quantity_m):g}",
        "newest_layout": rounds[0].layout.replace("_", " "),
        "slots": [
            {**slot, **{end: datetime.fromisoformat(slot[end]) for end in ("start", "end")}}
            for slot in (wanted.plan or {}).get("slots", ())
        ],
        "rounds": rounds,
        "newest": rounds[0],
        "offered": offered,
        "files": work.files_of(wanted),
        "clock": clock.read(wanted),
        "events": wanted.events.order_by("sequence"),
        "working": wanted.state in {"generating", "planning", "releasing", "syncing", "cancelling"},
        "membership": membership,
    }


def _line(membership: Membership, reference: str) -> OrderLine:
    lines = OrderLine.objects.filter(order__shop=membership.shop).select_related("order__customer", "order__shop")
    return get_object_or_404(lines.prefetch_related(*api.WHOLE_LINE), reference=reference)


def _member(request: HttpRequest, allowed: frozenset[Role]) -> Membership:
    """Return in which shop and role this person looks. Raises PermissionDenied when the role is not allowed."""
    membership = Membership.objects.select_related("shop").filter(user=request.user).order_by("pk").first()
    if membership is None or membership.role not in allowed:
        raise PermissionDenied
    return membership
