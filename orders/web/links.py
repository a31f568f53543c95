"""What the mill does about a customer's link, on the line's page: makes and closes it, answers what came by it."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from rest_framework.exceptions import ValidationError

from orders import linking, services, turning
from orders.api import views as api
from orders.api.permissions import EVERYONE
from orders.api.serializers import ReviseInput
from orders.errors import SentAlready
from orders.models import CustomerLink, CustomerWish, Membership, OrderLine, Pin
from orders.web.customer_forms import AnswerInput, LinkInput
from orders.web.forms import colours_in, decimal_point, line_of, member, said, wished

Refusals = (ValidationError, *services.Refusals)


@login_required
def make(request: HttpRequest, reference: str) -> HttpResponse:
    """The links of a line, and a new one: its address is shown this once."""
    membership = member(request, api.SELL if request.method == "POST" else EVERYONE)
    line = line_of(membership.shop, reference)
    if request.method != "POST":
        return _links(request, membership, line)
    by: Any = request.user
    try:
        link, token = linking.make(line, by=by, **wished(LinkInput, _typed_link(request)))
    except Refusals as refusal:
        status = 409 if isinstance(refusal, SentAlready) else 400
        return _links(request, membership, line, refusal=said(refusal)[0], typed=request.POST, status=status)
    address = settings.WEFTLINE["public_url"].rstrip("/") + reverse("customer", args=[token])
    return _links(request, membership, line, made={"link": link, "address": address})


@login_required
@require_POST
def close(request: HttpRequest, reference: str, number: int) -> HttpResponse:
    """Take a link back."""
    membership = member(request, api.SELL)
    line = line_of(membership.shop, reference)
    by: Any = request.user
    linking.close(
        get_object_or_404(CustomerLink.objects.select_related("line__order__shop"), pk=number, line=line), by=by
    )
    return _links(request, membership, line) if request.htmx else redirect("line", reference=reference)


@login_required
@require_POST
def answer_pin(request: HttpRequest, reference: str, number: int) -> HttpResponse:
    """Answer a comment, or note that it has been dealt with."""
    membership = member(request, api.DESIGN)
    line = line_of(membership.shop, reference)
    pins = Pin.objects.select_related("candidate__round__line__order__shop")
    pin = get_object_or_404(pins, pk=number, candidate__round__line=line)
    by: Any = request.user
    try:
        linking.settle_pin(pin, by=by, **wished(AnswerInput, {"answer": request.POST.get("answer", "")}))
    except Refusals as refusal:
        return _parts(request, membership, line, "customer/_pins.html", refusal, number)
    return _parts(request, membership, line, "customer/_pins.html")


@login_required
@require_POST
def answer_wish(request: HttpRequest, reference: str, number: int) -> HttpResponse:
    """Answer what a customer asked for in words."""
    membership = member(request, api.SELL)
    line = line_of(membership.shop, reference)
    wish = get_object_or_404(CustomerWish.objects.select_related("line__order__shop"), pk=number, line=line)
    by: Any = request.user
    try:
        linking.settle_wish(wish, by=by, **wished(AnswerInput, {"answer": request.POST.get("answer", "")}))
    except Refusals as refusal:
        return _parts(request, membership, line, "customer/_wishes.html", refusal, number)
    return _parts(request, membership, line, "customer/_wishes.html")


@login_required
@require_POST
def draw_wish(request: HttpRequest, reference: str, number: int) -> HttpResponse:
    """Draw the line anew with words into which a wish was taken."""
    membership = member(request, api.DESIGN)
    line = line_of(membership.shop, reference)
    wish = get_object_or_404(CustomerWish.objects.select_related("line__order__shop"), pk=number, line=line)
    by: Any = request.user
    try:
        linking.draw_wish(wish, by=by, **wished(ReviseInput, {"words": request.POST.get("words", "")}))
    except Refusals as refusal:
        return _parts(request, membership, line, "customer/_wishes.html", refusal, number)
    if request.htmx:
        return HttpResponse(headers={"HX-Redirect": reverse("line", args=[reference])})
    return redirect("line", reference=reference)


def _links(
    request: HttpRequest, membership: Membership, line: OrderLine, *, status: int = 200, **more: Any
) -> HttpResponse:
    template = "customer/_links.html" if request.htmx else "customer/links.html"
    context = {"line": line, "membership": membership, **more}
    return render(request, template, context, status=status)


def _parts(
    request: HttpRequest,
    membership: Membership,
    line: OrderLine,
    template: str,
    refusal: Exception | None = None,
    number: int = 0,
) -> HttpResponse:
    """Answer with the part of the page that has changed; to a browser without htmx, with the line's page.

    What was typed for the one of that number and was refused stays in its field.
    """
    sentence = said(refusal)[0] if refusal else ""
    if request.htmx:
        typed = {"number": number, **request.POST.dict()} if refusal else {}
        context = {"line": line, "membership": membership, "refusal": sentence, "typed": typed}
        return render(request, template, context, status=409 if refusal else 200)
    if refusal:
        messages.error(request, sentence)
    else:
        messages.success(request, _("The customer sees it."))
    return redirect("line", reference=line.reference)


def _typed_link(request: HttpRequest) -> dict[str, Any]:
    """Return what was typed for a new link in the shape that is checked: a knob without its tick is not there."""
    typed: dict[str, Any] = {
        name: value
        for name in ("once", "days", "most_rounds", "space")
        if (value := request.POST.get(name, "").strip())
    }
    typed["shows_price"] = "shows_price" in request.POST
    for knob in turning.WIDEST:
        if f"{knob}_on" in request.POST:
            typed[knob] = [decimal_point(request.POST.get(f"{knob}_{end}", "")) for end in ("least", "most")]
    typed["palettes"] = request.POST.getlist("palettes")
    colours = request.POST.get("colours", "")
    if colours.strip(" ,"):
        found = colours_in(colours)
        typed["colours"] = [found] if isinstance(found, str) else found
    return typed


urlpatterns = [
    path("link/", make, name="customer-link-make"),
    path("link/<int:number>/close/", close, name="customer-link-close"),
    path("pins/<int:number>/", answer_pin, name="customer-pin-answer"),
    path("wishes/<int:number>/", answer_wish, name="customer-wish-answer"),
    path("wishes/<int:number>/draw/", draw_wish, name="customer-wish-draw"),
]
