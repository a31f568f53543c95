"""The customer's page, by a link and without an account: designs at true scale, knobs, comments, and the yes."""

import json
import re
import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from rest_framework.exceptions import ValidationError

from generation.domain.pattern import Layout
from orders import linking, services, turning, work
from orders.api.problems import problem
from orders.domain.asked import Unit, asked_of
from orders.domain.states import LineState
from orders.errors import LinkBusy, LinkOver, NothingDrawn, UnknownCandidate, UnknownLink
from orders.models import Candidate, CustomerLink, Membership, Preference
from orders.templatetags.measures import INCH_MM
from orders.web.customer_forms import ApprovalInput, PinInput, TurnInput, WishInput
from orders.web.forms import decimal_point, taken, whole_number, wished
from orders.web.plainly import plainly
from orders.web.sales import product_for
from orders.web.wording import LAYOUTS
from production import services as production

# What goes on by itself within minutes: the page looks again while it lasts.
PREPARING = (LineState.PLANNING, LineState.RELEASING, LineState.SYNCING)

View = Callable[..., HttpResponse]

PICTURE_PX = (320, 640, 1024)  # no others are made
# A link is for one person's eyes: nothing of it stays in shared places, and where it led is not told to others.
HEADERS = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex, nofollow", "Referrer-Policy": "same-origin"}


def by_link(view: View) -> View:
    """Let a view be reached by a link alone: it gets the link, in the shop's time; every refusal is a page in words."""

    @wraps(view)
    def answer(request: HttpRequest, token: str, **rest: Any) -> HttpResponse:
        link = None
        try:
            link = linking.opened_by(token, acts=request.method == "POST")
            with timezone.override(ZoneInfo(link.line.order.shop.time_zone)):
                response = view(request, link, token, **rest)
        except (UnknownLink, LinkOver, LinkBusy) as refusal:
            response = _refused(request, refusal)
        except NothingDrawn as refusal:
            response = _refused(request, refusal, link=link, status=200 if request.method == "GET" else 409)
        except UnknownCandidate as refusal:
            response = _refused(request, refusal, back=reverse("customer", args=[token]), link=link)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    return answer


def acting(view: View) -> View:
    """Let a view do something for the customer: not for people of the mill, who would do it in the customer's name.

    What is refused is said on the page, as things stand now; nothing that was typed is lost.
    """

    @by_link
    @require_POST
    @wraps(view)
    def answer(request: HttpRequest, link: CustomerLink, token: str) -> HttpResponse:
        if _of_the_mill(request, link):
            ours = _("You are signed in at the mill: here you only look. What customers do, they do themselves.")
            return _page(request, link, token, refusal=ours, status=403)
        try:
            return view(request, link, token)
        except UnknownCandidate:
            raise
        except (ValidationError, *services.Refusals) as refusal:
            known = problem(refusal)
            assert known is not None
            status, body = known
            field = str(body["fields"].get("field", ""))
            sentence = plainly(body["message"].removeprefix(f"{field}: "))
            now = linking.opened_by(token)
            return _page(request, now, token, refusal=sentence, field=field, status=status)

    return answer


@by_link
@require_safe
def page(request: HttpRequest, link: CustomerLink, token: str) -> HttpResponse:
    """What the customer can see and choose from; once it is decided, what was agreed and how far it is."""
    if request.GET.get("units") in Preference.Units.values:
        request.session["units"] = request.GET["units"]
    return _page(request, link, token)


@by_link
@require_POST
def opened(request: HttpRequest, link: CustomerLink, token: str) -> HttpResponse:
    """The page is before somebody's eyes, said by their browser: a program that only looks into a message says nothing.

    People of the mill who try the link are not the customer.
    """
    if not _of_the_mill(request, link):
        linking.opened(link)
    return HttpResponse(status=204)


@by_link
@require_safe
def progress(request: HttpRequest, link: CustomerLink, token: str) -> HttpResponse:
    """How far the designs are that are being drawn; told once more when they are there."""
    response = render(request, "customer/_progress.html", {"token": token, **_drawing(link)})
    if link.line.state != LineState.GENERATING:
        response["HX-Trigger"] = "weft-drawn"
    return response


@by_link
@require_safe
def picture(request: HttpRequest, link: CustomerLink, token: str, number: int) -> HttpResponse:
    """One repeat of a design as a PNG, in one of a few sizes."""
    candidate = linking.picture_of(link, number)
    size = request.GET.get("size", str(PICTURE_PX[1]))
    if size not in map(str, PICTURE_PX):
        sizes = ", ".join(map(str, PICTURE_PX))
        return HttpResponse(f"size is one of {sizes}.", status=400, content_type="text/plain")
    png = work.preview(candidate, size_px=int(size), repeats=1)
    return HttpResponse(png, content_type="image/png", headers={"Cache-Control": "private, max-age=3600"})


@acting
def turn(request: HttpRequest, link: CustomerLink, token: str) -> HttpResponse:
    """Have designs drawn as a knob was turned."""
    typed: dict[str, Any] = {
        name: request.POST[name] for name in ("kind", "design", "palette") if request.POST.get(name, "")
    }
    for name in ("strength", "scale", "density"):
        if request.POST.get(name, "").strip():
            typed[name] = decimal_point(request.POST[name])
    axes = {name.removeprefix("axis:"): value for name, value in request.POST.items() if name.startswith("axis:")}
    if axes:
        typed["axes"] = {name: decimal_point(str(value)) for name, value in axes.items()}
    places = sorted((name for name in request.POST if re.fullmatch(r"colour-\d{1,2}", name)), key=lambda n: int(n[7:]))
    if places:
        typed["colours"] = [request.POST[name] for name in places]
    linking.turn(link, turning.Turn(**wished(TurnInput, typed)))
    return redirect("customer", token=token)


@acting
def pin(request: HttpRequest, link: CustomerLink, token: str) -> HttpResponse:
    """Put a comment at a place of a design."""
    typed: dict[str, Any] = {name: request.POST.get(name, "") for name in ("design", "words", "once")}
    inches = _units(request) == Preference.Units.IMPERIAL
    for name in ("x", "y"):
        typed[f"{name}_mm"] = _millimetres(request.POST.get(name, ""), inches=inches)
    wish = wished(PinInput, typed)
    linking.pin(link, **wish)
    taken(request, f"pin-{link.pk}-{wish['design']}")
    messages.success(request, _("Your comment is pinned: the mill sees it at this place of the design."))
    return redirect(f"{reverse('customer', args=[token])}?design={wish['design']}#comments")


@acting
def ask(request: HttpRequest, link: CustomerLink, token: str) -> HttpResponse:
    """Ask for a change in words."""
    linking.ask(link, **wished(WishInput, {name: request.POST.get(name, "") for name in ("words", "once")}))
    taken(request, f"ask-{link.pk}")
    shop = link.line.order.shop.name
    messages.success(request, _("%(shop)s has your words. The answer will stand here.") % {"shop": shop})
    return redirect(f"{reverse('customer', args=[token])}#asked")


@acting
def approve(request: HttpRequest, link: CustomerLink, token: str) -> HttpResponse:
    """Say yes to a design and everything that its digest covers."""
    typed = {name: request.POST.get(name, "") for name in ("design", "digest", "name", "seen")}
    wish = wished(ApprovalInput, {**typed, "scale": "scale" in request.POST})
    linking.approve(
        link, design=wish["design"], expected=wish["digest"], name=wish["name"], seen=_specification(wish["seen"])
    )
    return redirect("customer", token=token)


# ------------------------------------------------------------------------------------------------ what a page shows


def _page(
    request: HttpRequest, link: CustomerLink, token: str, *, refusal: str = "", field: str = "", status: int = 200
) -> HttpResponse:
    line = link.line
    context: dict[str, Any] = {
        "link": link,
        "token": token,
        "line": line,
        "shop": line.order.shop,
        "units": _units(request),
        "refusal": refusal,
        "field": field,
        "typed": request.POST,
        "of_the_mill": _of_the_mill(request, link),
        "wishes": line.wishes.all(),
        "quantity": _quantity(line),
        "once": uuid.uuid4(),
        "at": reverse("customer", args=[token]),
    }
    if not linking.is_undecided(line):
        approval = line.approvals.select_related("candidate__round", "candidate__artwork").order_by("-number").first()
        design = _design(link, approval.candidate) if approval else None
        context |= {"approval": approval, "design": design, "preparing": PREPARING}
        return render(request, "customer/approved.html", context, status=status)
    designs = list(linking.offered(link))
    newest = line.newest_round
    chosen = _chosen(request, link, designs)
    context |= {
        "stage": _stage(link, designs),
        "newest": newest,
        "designs": [each for each in designs if each.round_id == newest.pk],
        "earlier": [each for each in designs if each.round_id != newest.pk],
        "design": _design(link, chosen) if chosen else None,
        "rounds_left": linking.rounds_left(link),
        **_drawing(link),
    }
    return render(request, "customer/page.html", context, status=status)


def _chosen(request: HttpRequest, link: CustomerLink, designs: list[Candidate]) -> Candidate | None:
    """Return the design that is looked at: the one named, else the first. Raises UnknownCandidate."""
    named = request.GET.get("design") or request.POST.get("design", "")
    if (number := whole_number(named)) is not None:
        return linking.design_of(link, number)
    if named and request.method != "POST":
        raise UnknownCandidate
    return designs[0] if designs else None


def _stage(link: CustomerLink, designs: list[Candidate]) -> str:
    """Return what the customer can do now: drawing, choosing, stuck, or nothing but wait for the mill."""
    if link.line.state == LineState.GENERATING:
        return "drawing"
    if link.line.state == LineState.BLOCKED:
        return "stuck"
    return "choosing" if any(each.round_id == link.line.newest_round.pk for each in designs) else "waiting"


def _design(link: CustomerLink, candidate: Candidate) -> dict[str, Any]:
    """Return everything that stands on the page about one design."""
    line, brief, artwork = link.line, candidate.round, candidate.artwork
    try:
        spec = work.spec_of(line, brief)
    except services.Refusals:  # the catalogue has moved on; what was drawn and agreed is still to be seen
        spec = None
    specification = linking.specification_of(candidate)
    limits = turning.limits_in(link.limits)
    pins = linking.pins_on(candidate)
    newest = brief.pk == line.newest_round.pk
    return {
        "candidate": candidate,
        "name": f"{brief.number}.{candidate.position}",
        "brief": brief,
        "artwork": artwork,
        "layout": LAYOUTS[Layout(brief.layout)],
        "cloth": spec.name if spec else line.substrate or line.weave,
        "look": production.cloth_look(spec) if spec else None,
        "across": spec.usable_width_px / spec.width_px if spec else None,
        "product": product_for(line.end_use),
        "newest": newest,
        "approvable": spec is not None and newest and line.state == LineState.PROOFING,
        "turnable": linking.is_open(line),
        "knobs": {str(name): value for name, value in turning.knobs_of(candidate, limits).items()},
        "axes": turning.axes_in(line.order.shop, limits),
        "less": turning.is_less(line.order.shop, limits),
        "pins": pins,
        "marks": [{"x_mm": each.x_mm, "y_mm": each.y_mm, "number": n} for n, each in enumerate(pins, start=1)],
        "digest": services.digest_of(specification),
        "seen": json.dumps(specification, sort_keys=True),
        "warnings": [finding for finding in candidate.findings if finding["severity"] == "warning"],
    }


def _drawing(link: CustomerLink) -> dict[str, Any]:
    brief = link.line.newest_round
    drawn = brief.candidates.count()
    return {
        "drawing": link.line.state == LineState.GENERATING,
        "drawn": drawn,
        "wanted": max(work.wanted(brief), drawn),
    }


def _quantity(line: Any) -> dict[str, Any]:
    """Return how much is ordered, as the customer counts it: a number with its unit, and of panels their size."""
    if not line.asked:
        return {"unit": "", "metres": line.quantity_m}
    asked = asked_of(line.asked)
    return {
        "unit": asked.unit.value if asked.unit is not Unit.METRES else "",
        "number": asked.quantity,
        "height_mm": asked.height_mm,
        "gap_mm": asked.gap_mm,
        "metres": line.quantity_m,
    }


def _refused(
    request: HttpRequest, refusal: Any, *, back: str = "", link: CustomerLink | None = None, status: int | None = None
) -> HttpResponse:
    context = {
        "refusal": refusal,
        "shop": refusal.fields.get("shop") or (link.line.order.shop.name if link else ""),
        "back": back,
    }
    response = render(request, "customer/over.html", context, status=status or refusal.http_status)
    if isinstance(refusal, LinkBusy):
        response["Retry-After"] = "60"
    return response


def _of_the_mill(request: HttpRequest, link: CustomerLink) -> bool:
    """True for a person who is signed in at the shop whose link this is."""
    if not request.user.is_authenticated:
        return False
    return Membership.objects.filter(user=request.user, shop=link.line.order.shop).exists()


def _units(request: HttpRequest) -> str:
    """Return the units in which this customer reads: as they chose on the page, else as they do at home."""
    chosen: str = request.session.get("units", "") if "units" in request.session else ""
    return chosen or request.preference.units


def _millimetres(typed: str, *, inches: bool) -> Any:
    number = decimal_point(typed)
    try:
        return float(number) * float(INCH_MM) if inches else number
    except ValueError:
        return number  # the shape of the input says what is wrong with it


def _specification(seen: str) -> dict[str, Any] | None:
    """Return what the page said it had shown; None where that is no specification."""
    try:
        read = json.loads(seen)
    except (ValueError, RecursionError):
        return None
    return read if isinstance(read, dict) else None


urlpatterns = [
    path("<str:token>/", page, name="customer"),
    path("<str:token>/opened/", opened, name="customer-opened"),
    path("<str:token>/progress/", progress, name="customer-progress"),
    path("<str:token>/pictures/<int:number>/", picture, name="customer-picture"),
    path("<str:token>/turn/", turn, name="customer-turn"),
    path("<str:token>/pins/", pin, name="customer-pin"),
    path("<str:token>/ask/", ask, name="customer-ask"),
    path("<str:token>/approve/", approve, name="customer-approve"),
]
