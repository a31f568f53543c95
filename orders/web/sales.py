"""The pages of sales: the order book, and a new order from an empty page to its designs."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import cv2
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from generation import services as generation
from generation.domain.pattern import Layout
from generation.errors import GenerationError
from generation.images import png_of
from inventory_sync.errors import ErpError
from orders import asking, names, orderbook, repeating, services, strikeoffs
from orders.api import views as api
from orders.api.permissions import EVERYONE
from orders.api.serializers import LARGEST_PICTURE_BYTES, Strict, Text
from orders.domain.states import LineState
from orders.errors import InvalidOrder, PlacedAlready
from orders.models import Customer, Membership, Shop
from orders.orderbook import Standing
from orders.web import orderform
from orders.web.forms import colours_in, line_of, member, said, taken, wished
from orders.web.orderform import Complaint
from orders.web.wording import LAYOUTS, STATES
from production import services as production

MAY_PLACE: Final = api.OrderViewSet.roles["create"]
SUGGESTED: Final = 12  # customers
PICTURE_PX: Final = 640  # of the longer side of a reference picture as it is shown
KEPT: Final = "new-order"

STANDINGS: Final = {
    Standing.ALL: gettext_lazy("All"),
    Standing.WAITING: gettext_lazy("Waiting for a person"),
    Standing.DRAWING: gettext_lazy("Drawing"),
    Standing.CUSTOMER: gettext_lazy("With the customer"),
    Standing.MILL: gettext_lazy("In production"),
    Standing.LATE: gettext_lazy("Late"),
    Standing.DONE: gettext_lazy("Done"),
}
# What a cloth is for, and the product that it is shown as.
END_USES: Final = (
    (gettext_lazy("Upholstery"), "chair"),
    (gettext_lazy("Curtain"), "curtain"),
    (gettext_lazy("Cushion"), "cushion"),
    (gettext_lazy("Bed linen"), "bed"),
    (gettext_lazy("Dress"), "dress"),
    (gettext_lazy("Skirt"), "skirt"),
    (gettext_lazy("Scarf"), "scarf"),
)


class Search(Strict):
    """What is looked for in the order book."""

    q = Text(max_length=120, required=False, allow_blank=True, default="")
    state = serializers.ChoiceField(choices=[each.value for each in Standing], required=False, allow_blank=True)
    page = serializers.IntegerField(min_value=1, max_value=10**6, required=False, default=1)


# ------------------------------------------------------------------------------------------------ the order book


@login_required
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """The order book: searched as one types, by where lines stand, a page at a time."""
    membership = member(request, EVERYONE)
    context: dict[str, Any] = {
        "membership": membership,
        "may_place": membership.role in MAY_PLACE,
        "q": request.GET.get("q", ""),
        "standing": request.GET.get("state", ""),
    }
    try:
        asked = {name: request.GET[name] for name in ("q", "state", "page") if request.GET.get(name)}
        wish = wished(Search, asked)
    except ValidationError as refusal:
        return _book(request, {**context, "refusal": said(refusal)[0]}, status=400)
    standing = Standing(wish.get("state", ""))
    page = orderbook.page_of(membership.shop, words=wish["q"], standing=standing, number=wish["page"])
    chips = [(each.value, label, page.counts[each], each is standing) for each, label in STANDINGS.items()]
    rows = [(entry, STATES[LineState(entry.line.state)]) for entry in page.entries]
    nothing_yet = not page.counts[Standing.ALL] and not wish["q"]
    return _book(request, {**context, "page": page, "rows": rows, "chips": chips, "nothing_yet": nothing_yet})


def _book(request: HttpRequest, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """The whole page; its list alone where only that is asked for."""
    part = request.htmx and not request.htmx.history_restore_request
    template = "orders/_book.html" if part else "orders/index.html"
    response = render(request, template, context, status=status)
    response["Vary"] = "HX-Request"
    return response


# ------------------------------------------------------------------------------------------------ a new order


@login_required
def new(request: HttpRequest) -> HttpResponse:
    """A new order on one page: what is asked for, what can be said of it already, and the button that draws it."""
    membership = member(request, MAY_PLACE)
    if request.method != "POST":
        typed = orderform.first_typed(membership.shop, request.preference)
        return _form(request, membership, typed)
    typed = orderform.typed_in(request.POST)
    picture = orderform.picture_of(membership.shop, typed.get("picture", ""))
    try:
        if file := request.FILES.get("reference"):
            picture = orderform.keep_picture(file, generator=typed.get("generator") or membership.shop.generator)
            typed["picture"] = picture.token(membership.shop)
        if "inquire" in typed:
            return _form(request, membership, typed)
        if typed.get("picture") and picture is None:
            typed["picture"] = ""
            gone = _("The picture is not there any more: choose its file once more, or go on without it.")
            raise InvalidOrder(gone, fields={"field": "reference"})
        order = services.place_and_submit(
            membership.shop, **orderform.order_of(membership.shop, typed, picture=picture), by=request.user
        )
    except PlacedAlready as refusal:
        typed["once"] = str(uuid.uuid4())
        return _form(request, membership, typed, [Complaint("", str(refusal))], status=409)
    except (ValidationError, *services.Refusals) as refusal:
        return _form(request, membership, typed, orderform.complaints(refusal), status=400)
    taken(request, _kept(typed))
    drawn = order.lines.exclude(sample_of=None).first() or order.lines.get()
    return redirect("line", reference=drawn.reference)


@login_required
@require_GET
def repeat(request: HttpRequest, reference: str) -> HttpResponse:
    """The form of a new order, filled from an old line; all but its date is as it was."""
    membership = member(request, MAY_PLACE)
    typed = orderform.typed_of(line_of(membership.shop, reference), membership.shop, request.preference)
    return _form(request, membership, typed)


def _form(
    request: HttpRequest,
    membership: Membership,
    typed: Mapping[str, str],
    complaints: list[Complaint] | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    shop = membership.shop
    offers = production.offers(shop.slug)
    chosen = next((offer for offer in offers if offer.key == typed.get("cloth")), offers[0] if offers else None)
    typed = {"cloth": chosen.key if chosen else "", **typed}
    old = orderform.repeated(shop, typed.get("repeat_of", ""), refuse=False)
    inquired = _inquiry_context(shop, typed)
    context = {
        "membership": membership,
        "typed": typed,
        "shown": inquired["wish"].repeat or production.usual_repeat(shop.slug),
        "stage_label": _("The repeat on the cloth that is chosen."),
        "complaints": complaints or [],
        "wrong": {complaint.field: complaint.sentence for complaint in complaints or []},
        "first_wrong": complaints[0].field if complaints else "",
        "kept": _kept(typed),
        "offers": offers,
        "chosen": chosen,
        "layouts": [(layout.value, label, marks_of(layout)) for layout, label in LAYOUTS.items()],
        "palettes": generation.palettes(),
        "generators": generation.generators(),
        "may_choose_generator": len(generation.generators()) > 1,
        "end_uses": END_USES,
        "product": product_for(typed.get("end_use", "")),
        "picture": orderform.picture_of(shop, typed.get("picture", "")),
        "picture_src": reverse("new-picture-png", args=[typed["picture"]]) if typed.get("picture") else "",
        "largest_picture": LARGEST_PICTURE_BYTES,
        "old": old,
        "again": repeating.design_of(old) if old else None,
        **_cloth_context(shop, chosen),
        **inquired,
    }
    return render(request, "orders/new.html", context, status=status)


@login_required
@require_POST
def inquiry(request: HttpRequest) -> HttpResponse:
    """What can be said of an order as far as it is written: price, date, what binds it, scale. Nothing is held."""
    shop = member(request, MAY_PLACE).shop
    typed = orderform.typed_in(request.POST)
    return render(request, "orders/_inquiry.html", {"typed": typed, "live": True, **_inquiry_context(shop, typed)})


@login_required
@require_GET
def cloth(request: HttpRequest) -> HttpResponse:
    """What a cloth is and what there is of it now, roll by roll."""
    shop = member(request, MAY_PLACE).shop
    offers = production.offers(shop.slug)
    chosen = next((offer for offer in offers if offer.key == request.GET.get("cloth", "")), None)
    return render(request, "orders/_cloth.html", _cloth_context(shop, chosen))


@login_required
@require_GET
def customers(request: HttpRequest) -> HttpResponse:
    """Customers that are known already and whose name holds what was typed."""
    shop = member(request, MAY_PLACE).shop
    typed = request.GET.get("customer", "").strip().replace("\0", "")
    known = Customer.objects.filter(shop=shop, name__icontains=typed) if typed else Customer.objects.none()
    return render(request, "orders/_customers.html", {"customers": known.order_by("name")[:SUGGESTED]})


@login_required
@require_POST
def picture(request: HttpRequest) -> HttpResponse:
    """Take a reference picture as soon as it is chosen, so that nothing of it is lost with the rest of the form."""
    shop = member(request, MAY_PLACE).shop
    file = request.FILES.get("reference")
    if file is None:
        return render(request, "orders/_picture.html", {"picture": None, "live": True})
    try:
        kept = orderform.keep_picture(file, generator=request.POST.get("generator") or shop.generator)
    except (ValidationError, *services.Refusals) as refusal:
        wrong = {"reference": orderform.complaints(refusal)[0].sentence}
        return render(request, "orders/_picture.html", {"picture": None, "wrong": wrong, "live": True}, status=422)
    context = {"picture": kept, "typed": {"picture": kept.token(shop)}, "live": True, "name": file.name}
    return render(request, "orders/_picture.html", context)


@login_required
@require_GET
def picture_png(request: HttpRequest, token: str) -> HttpResponse:
    """A reference picture that the form of this shop's people remembers."""
    kept = orderform.picture_of(member(request, MAY_PLACE).shop, token)
    if kept is None:
        raise Http404
    try:
        pixels = generation.kept_reference(kept.sha256)
    except GenerationError as error:
        raise Http404 from error
    scale = min(1.0, PICTURE_PX / max(pixels.shape[:2]))
    size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    png = png_of(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
    return HttpResponse(png, content_type="image/png", headers={"Cache-Control": "private, max-age=86400"})


# ------------------------------------------------------------------------------------------------ of one line


@login_required
@require_POST
def approve_strike_off(request: HttpRequest, reference: str) -> HttpResponse:
    """Take the customer's yes to a strike-off, and let the order it is for go on in its design."""
    sample = line_of(member(request, MAY_PLACE).shop, reference)
    by: Any = request.user
    try:
        bulk = strikeoffs.approve(sample, by=by)
    except services.Refusals as refusal:
        messages.error(request, said(refusal)[0])
        return redirect("line", reference=reference)
    messages.success(request, _("The strike-off is approved. This is the order it was for, in the same design."))
    return redirect("line", reference=bulk.reference)


# ------------------------------------------------------------------------------------------------ what a page needs


@dataclass(frozen=True)
class Read:
    """One colour of a palette as it was typed, and as it is read; no code: it can't be."""

    typed: str
    code: str


def product_for(end_use: str) -> str:
    """Return the product that a cloth is shown as by what it is for; a cushion where that says nothing."""
    said = end_use.casefold()
    return next((product for label, product in END_USES if str(label).casefold() in said or product in said), "cushion")


def marks_of(layout: Layout) -> list[str]:
    """Return where three by three repeats of a layout stand in a picture of 36 x 36, as transforms of the motif."""
    found = []
    for column in range(-1, 4):
        for row in range(-1, 4):
            x = 12 * (column + float(layout.shift * row) % 1)
            y = 12 * (row + float(layout.drop * column) % 1)
            mirrored = layout is Layout.MIRROR
            across, down = (-1 if mirrored and each % 2 else 1 for each in (column, row))
            x, y = x + (12 if across < 0 else 0), y + (12 if down < 0 else 0)
            found.append(f"translate({x:g} {y:g}) scale({across} {down})")
    return found


def _cloth_context(shop: Shop, offer: production.Offer | None) -> dict[str, Any]:
    """What can be said of a cloth: how it looks, what ten metres cost, and what there is of it."""
    if offer is None:
        return {"cloth": None}
    context: dict[str, Any] = {"cloth": offer, "typical_m": asking.TYPICAL_M, "today": names.today(shop)}
    try:
        spec = production.specify(
            shop.slug,
            **{offer.kind: offer.code},
            quantity_m=asking.TYPICAL_M,
            repeat=production.usual_repeat(shop.slug, weave=offer.code if offer.kind == "weave" else ""),
            on=names.today(shop),
        )
    except services.Refusals as refusal:
        return {**context, "unmakeable": said(refusal)[0]}
    context |= {"look": production.cloth_look(spec), "typical": asking.typical_price(shop, spec)}
    try:
        return {**context, "stock": asking.on_hand(shop, spec)}
    except ErpError as away:
        return {**context, "stock_away": said(away)[0]}


def _inquiry_context(shop: Shop, typed: Mapping[str, str]) -> dict[str, Any]:
    wish = orderform.wish_of(shop, typed)
    found = asking.inquire(shop, wish)
    refusals = [each for each in (found.refusal, found.unpriced, found.unpromised) if each is not None]
    prices = found.prices if wish.quantity_m else (None, *found.prices)
    return {
        "wish": wish,
        "found": found,
        "price": next(iter(prices), None),
        "breaks": prices[1:],
        "unread_breaks": orderform.unread_breaks(typed),
        "refusals": list(dict.fromkeys(said(each)[0] for each in refusals)),
        "colours": _read(typed.get("palette", "")),
    }


def _read(palette: str) -> list[Read]:
    """How a palette is read: each colour that was typed with its code, or those of the name."""
    typed = colours_in(palette)
    if isinstance(typed, str):
        try:
            return [Read(code, code) for code in generation.palette_named(typed)] if typed else []
        except GenerationError:
            typed = [typed]
    return [Read(each, _code(each)) for each in typed]


def _code(colour: str) -> str:
    try:
        return generation.parse_colour(colour)
    except GenerationError:
        return ""


def _kept(typed: Mapping[str, str]) -> str:
    """The name under which the device keeps what is typed: a repeat does not mix with the order that is begun."""
    return f"repeat-{typed['repeat_of']}" if typed.get("repeat_of") else KEPT
