"""The page of one line whole: its designs, what can be done with them, files, plan and history."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from generation.domain.pattern import Layout, Repeat
from orders import comparing, promising, quoting, sending, services, standing
from orders.api.permissions import EVERYONE
from orders.api.serializers import ApproveInput, ChangeInput, ExploreInput, ReviseInput, SendInput
from orders.domain.asked import Asked, Unit
from orders.errors import IllegalTransition, NotNewest, StaleState
from orders.models import Candidate, Membership, OrderLine
from orders.web import showing
from orders.web.forms import colours_in, decimal_point, member, said, whole_number, wished

# After these the page is another one; after all others only what has changed is swapped in.
NEW_PAGE = frozenset({"explore", "revise", "change", "submit"})
NOT_WHOLE = "This page is not whole: load it again, then approve."


class Agreed(ApproveInput):
    """A yes as the page sends it: with the scale confirmed, and the digest of what was shown."""

    scale = serializers.BooleanField(default=False)
    expected = serializers.RegexField(
        r"\A[0-9a-f]{64}\Z", error_messages=dict.fromkeys(("required", "blank", "null", "invalid"), NOT_WHOLE)
    )

    def validate_scale(self, looked_at: bool) -> bool:
        """Refuse a yes to a size that nobody looked at. Raises ValidationError."""
        if not looked_at:
            raise ValidationError("Look at the repeat at its true scale, then tick beside Approve that it is right.")
        return looked_at


@login_required
@require_GET
def line(request: HttpRequest, reference: str) -> HttpResponse:
    """One line: its rounds and candidates, files, clock and history."""
    membership = member(request, EVERYONE)
    return _page(request, membership, showing.line_of(membership, reference))


@login_required
@require_GET
def state(request: HttpRequest, reference: str) -> HttpResponse:
    """What has changed on a line's page since `seen`; nothing (204) when nothing has."""
    membership = member(request, EVERYONE)
    wanted = showing.line_of(membership, reference)
    newest = showing.newest_of(wanted)
    mark, seen = standing.mark(wanted, newest), request.GET.get("seen", "")
    if seen == mark:
        return HttpResponse(status=204)
    redrawn = seen.partition(".")[0] != mark.partition(".")[0]
    return _changed(request, membership, wanted, redrawn=redrawn)


@login_required
@require_GET
def design(request: HttpRequest, reference: str, number: int) -> HttpResponse:
    """One design: its card, or with `choose` all that depends on which one is chosen."""
    membership = member(request, EVERYONE)
    wanted = showing.line_of(membership, reference)
    get_object_or_404(Candidate, pk=number, round__line=wanted)
    context = showing.page(membership, wanted, design=str(number))
    template = "orders/line/_choice.html" if "choose" in request.GET else "orders/line/_design.html"
    return render(request, template, {**context, "design": context["chosen"]})


@login_required
@require_GET
def compare(request: HttpRequest, reference: str) -> HttpResponse:
    """Two designs of a line side by side, at one scale, with what is different."""
    membership = member(request, EVERYONE)
    wanted = showing.line_of(membership, reference)
    context = showing.page(membership, wanted)
    designs = list(context["designs"].values())
    if len(designs) < 2:
        return _page(request, membership, wanted, said=_("There is one design only: nothing to compare it with yet."))
    first = _named(context["designs"], request.GET.get("a", "")) or context["chosen"]
    second = _named(context["designs"], request.GET.get("b", "")) or next(d for d in designs if d is not first)
    if second is first:
        second = next(each for each in designs if each is not first)
    difference = comparing.difference(first.candidate, second.candidate)
    context |= {"first": first, "second": second, "pair": (first, second)}
    context |= {"difference": difference, "all_designs": designs}
    return render(request, "orders/compare.html", context)


@login_required
@require_GET
def inquire(request: HttpRequest, reference: str) -> HttpResponse:
    """When a design could be ready if it were decided now. Nothing is held."""
    membership = member(request, showing.MAY_ASK)
    wanted = showing.line_of(membership, reference)
    brief = showing.newest_of(wanted)
    try:
        answer = promising.inquire(
            membership.shop,
            quantity_m=wanted.quantity_m,
            substrate=wanted.substrate,
            weave=wanted.weave,
            repeat=Repeat(brief.repeat_width_mm, brief.repeat_height_mm, Layout(brief.layout)),
            drawn=True,
        )
    except services.Refusals as refusal:
        return _told(request, membership, wanted, said(refusal)[0], bad=True)
    told = _("Asked just now: ready %(day)s; in nine of ten such cases by %(safe)s. %(binding)s. Nothing is held.") % {
        "day": _day(answer.promise.date),
        "safe": _day(answer.safe),
        "binding": answer.promise.binding,
    }
    return _told(request, membership, wanted, told)


@login_required
@require_POST
def act(request: HttpRequest, reference: str, verb: str) -> HttpResponse:
    """Do to a line what its page offers; whoever comes too late is told who was quicker, and sees how it stands.

    A change is shown with what it would cost and when it would be ready before it is made.
    """
    membership = member(request, showing.MAY.get(verb, frozenset()))
    wanted = showing.line_of(membership, reference)
    by: Any = request.user
    try:
        if verb == "change" and "price" not in request.POST:
            return _proposal(request, membership, wanted)
        done = DO[verb](request, wanted, by)
    except (StaleState, IllegalTransition) as late:
        candidate = whole_number(request.POST.get("candidate", ""))
        known = standing.overtaken(wanted, wished=verb, candidate=candidate, by=by)
        sentence = known.sentence if isinstance(late, StaleState) or verb == "approve" else f"{late} {known.sentence}"
        return _refused(request, membership, reference, sentence, status=200 if known.done else 409)
    except (ValidationError, *services.Refusals) as refusal:
        status = getattr(refusal, "http_status", 400)
        return _refused(request, membership, reference, said(refusal)[0], status=status)
    if verb in NEW_PAGE or not _in_part(request):
        if done:
            messages.success(request, done)
        return _go_to(request, reverse("line", args=[reference]))
    return _changed(request, membership, showing.line_of(membership, reference), said=done)


# ------------------------------------------------------------------------------------------------ what is done


def _approve(request: HttpRequest, wanted: OrderLine, by: Any) -> str:
    names = ("candidate", "expected", "scale")
    wish = wished(Agreed, {name: request.POST[name] for name in names if name in request.POST})
    services.approve(wanted, wish["candidate"], by=by, expected=wish["expected"])
    return _("Approved. It is planned now, then its files are written and verified.")


def _revise(request: HttpRequest, wanted: OrderLine, by: Any) -> str:
    services.revise(wanted, by=by, **wished(ReviseInput, {"words": request.POST.get("words", "")}))
    return _("It is being drawn with these words. You may leave and come back.")


def _explore(request: HttpRequest, wanted: OrderLine, by: Any) -> str:
    services.explore(wanted, wished(ExploreInput, _typed_exploration(request)), by=by)
    return _("A new round is on its way; the earlier ones stay. You may leave and come back.")


def _change(request: HttpRequest, wanted: OrderLine, by: Any) -> str:
    services.change(wanted, by=by, **_wished_change(request, wanted))
    return _("It is changed, and planned anew.")


def _cancel(request: HttpRequest, wanted: OrderLine, by: Any) -> str:
    services.cancel(wanted, by=by)
    return _("It is being cancelled: what was held for it is given back.")


def _resume(request: HttpRequest, wanted: OrderLine, by: Any) -> str:
    services.resume(wanted, by=by)
    return _("It is tried again.")


def _submit(request: HttpRequest, wanted: OrderLine, by: Any) -> str:
    services.submit(wanted, by=by)
    return _("It is being drawn. You may leave and come back.")


def _send(request: HttpRequest, wanted: OrderLine, by: Any) -> str:
    done = sending.send(wanted, by=by, **wished(SendInput, {"again": "again" in request.POST}))
    return _("%(job)s is in the machine's hot folder: %(files)s.") % {"job": done.job, "files": ", ".join(done.files)}


def _quote(request: HttpRequest, wanted: OrderLine, by: Any) -> str:
    wish = wished(ApproveInput, {"candidate": request.POST.get("candidate", "")})
    newest = wanted.newest_round
    candidate = newest.candidates.filter(position=wish["candidate"]).first()
    # Its place in the newest round is another design's by now, perhaps.
    shown = whole_number(request.POST.get("design", ""))
    if candidate is None or shown not in {None, candidate.pk}:
        raise NotNewest(fields={"candidate": wish["candidate"], "round": newest.number})
    candidate.round.line = wanted
    held = quoting.quote(candidate, by=by).quote or {}
    return _("Fabric, inks and machine time are held until %(until)s.") % {
        "until": _moment(datetime.fromisoformat(held["expires"]))
    }


def _unquote(request: HttpRequest, wanted: OrderLine, by: Any) -> str:
    quoting.give_back(wanted, by=by)
    return _("What was held is free for others again.")


DO = {
    "approve": _approve,
    "revise": _revise,
    "explore": _explore,
    "change": _change,
    "cancel": _cancel,
    "resume": _resume,
    "send": _send,
    "quote": _quote,
    "unquote": _unquote,
    "submit": _submit,
}


# ------------------------------------------------------------------------------------------------ what was typed


def _typed_exploration(request: HttpRequest) -> dict[str, Any]:
    """Return what was typed beside a candidate in the shape of an exploration's JSON; what is empty was not said."""
    typed: dict[str, Any] = {
        name: request.POST[name].strip()
        for name in ("kind", "words", "strength", "share", "palette")
        if request.POST.get(name, "").strip()
    }
    if "palette" in typed:
        typed["palette"] = colours_in(typed["palette"])
    elif picked := request.POST.getlist("colour"):
        typed["palette"] = picked
    knobs = {name: decimal_point(request.POST[name]) for name in ("scale", "density") if request.POST.get(name)}
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
        typed["quantity_m"] = decimal_point(typed["quantity_m"])
    if yards := decimal_point(request.POST.get("quantity_yd", "")):
        length = serializers.DecimalField(max_digits=8, decimal_places=2, min_value=0)
        try:
            counted = Asked(quantity=length.run_validation(yards), unit=Unit.YARDS)
        except ValidationError as error:
            raise ValidationError({"quantity_yd": error.detail}) from error
        typed["quantity_m"] = str(counted.metres)
    wish = wished(ChangeInput, typed)
    return {name: value for name, value in wish.items() if name == "price" or value != getattr(wanted, name)}


# ------------------------------------------------------------------------------------------------ what is answered


def _in_part(request: HttpRequest) -> bool:
    """Whether htmx asks: it swaps a part of the page, and whoever has no script gets a whole one."""
    return bool(getattr(request, "htmx", False))


def _page(
    request: HttpRequest, membership: Membership, wanted: OrderLine, *, status: int = 200, **more: Any
) -> HttpResponse:
    context = _context(request, membership, wanted, whole=True, **more)
    return render(request, "orders/line.html", context, status=status)


def _changed(request: HttpRequest, membership: Membership, wanted: OrderLine, **more: Any) -> HttpResponse:
    """The parts of a line's page that change, to be swapped in, under what there is to say."""
    status = more.pop("status", 200)
    context = _context(request, membership, wanted, **more)
    return render(request, "orders/line/_changed.html", context, status=status)


def _context(request: HttpRequest, membership: Membership, wanted: OrderLine, **more: Any) -> dict[str, Any]:
    chosen = request.POST.get("design") or request.GET.get("design", "")
    return showing.page(membership, wanted, design=chosen, **more)


def _refused(
    request: HttpRequest, membership: Membership, reference: str, sentence: str, *, status: int
) -> HttpResponse:
    if not _in_part(request):
        (messages.info if status == 200 else messages.error)(request, sentence)
        return redirect("line", reference=reference)
    wanted = showing.line_of(membership, reference)
    # What htmx is to swap in has to be one of the answers that base.html lists.
    shown = status if status in {200, 409} else 400
    return _changed(request, membership, wanted, said=sentence, bad=shown != 200, status=shown)


def _told(
    request: HttpRequest, membership: Membership, wanted: OrderLine, sentence: str, *, bad: bool = False
) -> HttpResponse:
    if _in_part(request):
        return render(request, "orders/line/_said.html", {"said": sentence, "bad": bad})
    return _page(request, membership, wanted, said=sentence, bad=bad)


def _proposal(request: HttpRequest, membership: Membership, wanted: OrderLine) -> HttpResponse:
    """What another quantity, cloth or date would come to; what was typed stays."""
    more: dict[str, Any] = {"typed": request.POST}
    status = 200
    try:
        more["proposal"] = services.propose_change(wanted, **_wished_change(request, wanted))
    except (ValidationError, *services.Refusals) as refusal:
        more["refusal"], more["field"] = said(refusal)
        status = 409 if getattr(refusal, "http_status", 400) == 409 else 400
    if _in_part(request):
        context = _context(request, membership, wanted, **more)
        return render(request, "orders/line/_change.html", context, status=status)
    return _page(request, membership, wanted, status=status, **more)


def _go_to(request: HttpRequest, address: str) -> HttpResponse:
    if not _in_part(request):
        return redirect(address)
    return HttpResponse(headers={"HX-Redirect": address})


def _named(designs: Mapping[int, Any], typed: str) -> Any:
    return designs.get(whole_number(typed) or 0)


def _day(moment: Any) -> str:
    return date_format(timezone.localtime(moment), "D j M")


def _moment(moment: Any) -> str:
    return date_format(timezone.localtime(moment), "D j M H:i")
