"""The pages that join apps: what is on the line, one line whole, a new order."""

import base64
import re
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST
from rest_framework.exceptions import ValidationError

from generation import services as generation
from generation.domain.pattern import Layout
from orders import clock, outbox, sending, services, work
from orders.api import views as api
from orders.api.permissions import EVERYONE
from orders.api.serializers import (
    LARGEST_PICTURE_BYTES,
    ApproveInput,
    ChangeInput,
    ExploreInput,
    OrderInput,
    ReviseInput,
    SendInput,
)
from orders.domain.states import CHANGEABLE, LineState
from orders.models import Membership, OrderLine
from orders.web.forms import member, said, wished
from production import services as production

MAY = {
    "approve": api.LineViewSet.roles["approve"],
    "revise": api.LineViewSet.roles["revise"],
    "explore": api.LineViewSet.roles["explore"],
    "change": api.LineViewSet.roles["change"],
    "cancel": api.LineViewSet.roles["cancel"],
    "resume": api.LineViewSet.roles["resume"],
    "send": api.LineViewSet.roles["send"],
    "place": api.OrderViewSet.roles["create"],
}
OFFERED = {
    LineState.GENERATING: ("cancel",),
    LineState.PROOFING: ("approve", "revise", "explore", "cancel"),
    LineState.BLOCKED: ("resume", "revise", "explore", "change", "cancel"),
    LineState.PLANNING: ("cancel",),
    LineState.RELEASING: ("cancel",),
    LineState.SYNCING: ("cancel",),
    LineState.RELEASED: ("send", "change", "cancel"),
    LineState.IN_PRODUCTION: ("send",),
}


@login_required
def index(request: HttpRequest) -> HttpResponse:
    """The newest lines of the shop."""
    membership = member(request, EVERYONE)
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
    membership = member(request, EVERYONE)
    with timezone.override(ZoneInfo(membership.shop.time_zone)):
        return render(request, "orders/line.html", _line_context(membership, _line(membership, reference)))


@login_required
@require_POST
def act(request: HttpRequest, reference: str, verb: str) -> HttpResponse:
    """Approve, revise, explore, change, cancel or resume a line, or send its files to the machine.

    A change is shown with what it would cost and when it would be ready before it is made.
    """
    membership = member(request, MAY.get(verb, frozenset()))
    wanted = _line(membership, reference)
    by: Any = request.user
    try:
        if verb == "approve":
            wish = wished(ApproveInput, {"candidate": request.POST.get("candidate", "")})
            services.approve(wanted, wish["candidate"], by=by)
        elif verb == "revise":
            services.revise(wanted, by=by, **wished(ReviseInput, {"words": request.POST.get("words", "")}))
        elif verb == "explore":
            services.explore(wanted, wished(ExploreInput, _typed_exploration(request)), by=by)
        elif verb == "change":
            wish = _wished_change(request, wanted)
            if "price" not in wish:
                proposal = services.propose_change(wanted, **wish)
                with timezone.override(ZoneInfo(membership.shop.time_zone)):
                    context = {**_line_context(membership, wanted), "proposal": proposal}
                    return render(request, "orders/line.html", context)
            services.change(wanted, by=by, **wish)
        elif verb == "cancel":
            services.cancel(wanted, by=by)
        elif verb == "resume":
            services.resume(wanted, by=by)
        elif verb == "send":
            done = sending.send(wanted, by=by, **wished(SendInput, {"again": "again" in request.POST}))
            messages.success(request, f"{done.job} is in the machine's hot folder: {', '.join(done.files)}.")
    except (ValidationError, *services.Refusals) as refusal:
        messages.error(request, said(refusal)[0])
    return redirect("line", reference=reference)


@login_required
def new(request: HttpRequest) -> HttpResponse:
    """A short form for a new order."""
    membership = member(request, MAY["place"])
    first = {"layout": Layout.HALF_DROP.value, "width_mm": "320", "height_mm": "320", "due_in_days": "10"}
    typed = request.POST or first
    context: dict[str, Any] = {
        "cloths": production.cloths(membership.shop.slug),
        "generators": generation.generators(),
        "layouts": [(layout.value, layout.value.replace("_", " ")) for layout in Layout],
        "typed": typed,
        "membership": membership,
    }
    if request.method == "POST":
        try:
            wish = wished(OrderInput, _typed_order(request))
            by: Any = request.user
            order = services.place_and_submit(membership.shop, **wish, by=by)
            return redirect("line", reference=order.lines.get().reference)
        except (ValidationError, *services.Refusals) as refusal:
            context["refusal"], context["field"] = said(refusal)
            return render(request, "orders/new.html", context, status=400)
    return render(request, "orders/new.html", context)


def _typed_order(request: HttpRequest) -> dict[str, Any]:
    """Return what was typed into the form in the shape of an order's JSON."""
    typed = {name: str(value).strip() for name, value in request.POST.items()}
    kind, _, code = typed.get("cloth", "").partition(":")
    line: dict[str, Any] = {
        "words": typed.get("words", ""),
        "layout": typed.get("layout", ""),
        "quantity_m": _decimal_point(typed.get("quantity_m", "")),
        "repeat_mm": [_decimal_point(typed.get(side, "")) for side in ("width_mm", "height_mm")],
        "due_in_days": typed.get("due_in_days", ""),
    }
    if kind in {"substrate", "weave"} and code:
        line[kind] = code
    if typed.get("palette", "").replace(",", " ").split():
        line["palette"] = _colours(typed["palette"])
    if typed.get("generator"):
        line["generator"] = typed["generator"]
    if picture := request.FILES.get("reference"):
        # One byte too many is enough to be refused; the rest is not read.
        line["reference"] = base64.b64encode(picture.read(LARGEST_PICTURE_BYTES + 1)).decode()
    return {"customer": typed.get("customer", ""), "lines": [line]}


def _decimal_point(typed: str) -> str:
    return typed.replace(",", ".")


def _typed_exploration(request: HttpRequest) -> dict[str, Any]:
    """Return what was typed beside a candidate in the shape of an exploration's JSON; what is empty was not said."""
    typed: dict[str, Any] = {
        name: request.POST[name].strip()
        for name in ("kind", "words", "strength", "share", "palette")
        if request.POST.get(name, "").strip()
    }
    if "palette" in typed:
        typed["palette"] = _colours(typed["palette"])
    knobs = {name: _decimal_point(request.POST[name]) for name in ("scale", "density") if request.POST.get(name)}
    if knobs:
        typed["knobs"] = knobs
    if colours := request.POST.getlist("colours"):
        typed["colours"] = colours
    return {**typed, "candidates": request.POST.getlist("candidates")}


def _wished_change(request: HttpRequest, wanted: OrderLine) -> dict[str, Any]:
    """Return what of a line was typed otherwise than it is, and the price once it was agreed to."""
    names = ("quantity_m", "substrate", "due_date", "price")
    typed = {name: request.POST[name].strip() for name in names if request.POST.get(name, "").strip()}
    if "quantity_m" in typed:
        typed["quantity_m"] = _decimal_point(typed["quantity_m"])
    wish = wished(ChangeInput, typed)
    return {name: value for name, value in wish.items() if name == "price" or value != getattr(wanted, name)}


def _colours(typed: str) -> str | list[str]:
    """Return what was typed for a palette: colours such as #2b3a4a or navy, cream; or a palette's name."""
    parts = (" ".join(part.split()) for part in re.findall(r"#[^\s,#]*|[^,#]+", typed))
    colours = [part for part in parts if part]
    return colours if "#" in typed or "," in typed else " ".join(colours)


def _line_context(membership: Membership, wanted: OrderLine) -> dict[str, Any]:
    rounds = sorted(wanted.rounds.all(), key=lambda brief: -brief.number)
    offered = [verb for verb in OFFERED.get(LineState(wanted.state), ()) if membership.role in MAY[verb]]
    if wanted.state == LineState.BLOCKED and wanted.came_from not in CHANGEABLE:
        offered = [verb for verb in offered if verb != "change"]
    return {
        "line": wanted,
        "quantity_m": f"{float(wanted.quantity_m):g}",
        "newest_layout": rounds[0].layout.replace("_", " "),
        "approved": {approval.candidate_id for approval in wanted.approvals.all()},
        "promise": datetime.fromisoformat(wanted.plan["promise"]) if wanted.plan else None,
        "slots": [
            {**slot, **{end: datetime.fromisoformat(slot[end]) for end in ("start", "end")}}
            for slot in (wanted.plan or {}).get("slots", ())
        ],
        "rounds": rounds,
        "newest": rounds[0],
        "offered": offered,
        "cloths": _other_cloths(wanted) if "change" in offered else [],
        "files": work.files_of(wanted),
        "sent": sending.sent(wanted),
        "may_quote": membership.role in api.CandidateViewSet.roles["quotation"],
        "notices": wanted.notices.filter(settled_at=None),
        "may_settle": membership.role in api.PLAN,
        "stock_age": outbox.old_stock(membership.shop),
        "clock": clock.read(wanted),
        "events": wanted.events.order_by("sequence"),
        "drawing": wanted.state == LineState.GENERATING,
        "others": [(c.pk, f"{c.round.number}.{c.position}") for brief in rounds for c in brief.candidates.all()],
        "working": wanted.state in {"generating", "planning", "releasing", "syncing", "cancelling"},
        "membership": membership,
    }


def _other_cloths(wanted: OrderLine) -> list[tuple[str, str]]:
    """Return the cloths that a printed line could be printed on, its own among them; a woven line has its weave."""
    if not wanted.substrate:
        return []
    cloths = [(value.partition(":"), label) for value, label in production.cloths(wanted.order.shop.slug)]
    return [(code, label) for (kind, _, code), label in cloths if kind == "substrate"]


def _line(membership: Membership, reference: str) -> OrderLine:
    lines = OrderLine.objects.filter(order__shop=membership.shop).select_related("order__customer", "order__shop")
    return get_object_or_404(lines.prefetch_related(*api.WHOLE_LINE), reference=reference)
