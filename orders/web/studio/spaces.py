"""The brand's spaces: built from what was approved, shown as a map, named, bounded, and walked in."""

import math
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from rest_framework.exceptions import ValidationError

from generation import latent
from generation.latent import Standing
from generation.models import LatentSpace
from orders import services
from orders import spaces as brands
from orders.api.problems import problem
from orders.domain.states import LineState
from orders.models import Candidate, Membership, OrderLine, Shop
from orders.web.forms import decimal_point, member, said, wished
from orders.web.studio.shapes import DESIGN, STUDIO, AxisInput, SpaceInput, WalkWish

LOOK_PX = 384
STEP = 0.05  # of the sliders
DRAWABLE = (LineState.PROOFING.value, LineState.BLOCKED.value)


@login_required
def spaces(request: HttpRequest) -> HttpResponse:
    """The shop's spaces, and building one: each answer reads a few more designs and tells how far it has come."""
    membership = member(request, STUDIO if request.method == "POST" else DESIGN)
    shop = membership.shop
    context: dict[str, Any] = {"typed": request.POST}
    status = 200
    if request.method == "POST":
        try:
            wish = wished(SpaceInput, {name: request.POST.get(name, "") for name in ("name", "customer")})
            by: Any = request.user
            built = brands.build(shop, **wish, by=by)
            if isinstance(built, LatentSpace):
                messages.success(request, _("The space %(name)s is built.") % {"name": built.name})
                to = reverse("studio-space", args=[built.pk])
                return HttpResponse(headers={"HX-Redirect": to}) if request.htmx else redirect(to)
            assert isinstance(built, Standing)
            context["standing"] = built
        except (ValidationError, *services.Refusals) as refusal:
            known = problem(refusal)
            assert known is not None
            status = known[0]
            context["refusal"], context["field"] = said(refusal)
        if request.htmx:
            return render(request, "studio/_build.html", {**_building(membership), **context}, status=status)
    context |= {"spaces": [(kept, latent.axes_of(kept)) for kept in brands.spaces_of(shop)]}
    return render(request, "studio/spaces.html", {**_building(membership), **context}, status=status)


def _building(membership: Membership) -> dict[str, Any]:
    customers, approved = brands.brands(membership.shop)
    return {
        "membership": membership,
        "customers": customers,
        "approved": approved,
        "fewest": brands.FEWEST,
        "may_build": membership.role in STUDIO,
    }


@login_required
def space(request: HttpRequest, number: int) -> HttpResponse:
    """A space as a map; `line` in the address is the one that is drawn for, `design` the one that is moved."""
    membership = member(request, DESIGN)
    return _map(request, membership, brands.space_of(membership.shop, number))


@login_required
def look(request: HttpRequest, number: int) -> HttpResponse:
    """What a design is moved to: one repeat, small and quick."""
    membership = member(request, DESIGN)
    kept = brands.space_of(membership.shop, number)
    try:
        wish = _walk(kept, request.GET)
        candidate = _candidate(membership.shop, wish["candidate"])
        png = brands.look(kept, candidate, wish["amounts"], size_px=LOOK_PX)
    except (ValidationError, *services.Refusals) as refusal:
        known = problem(refusal)
        assert known is not None
        return HttpResponse(said(refusal)[0], status=known[0], content_type="text/plain; charset=utf-8")
    return HttpResponse(png, content_type="image/png", headers={"Cache-Control": "private, max-age=3600"})


@login_required
@require_POST
def axis(request: HttpRequest, number: int) -> HttpResponse:
    """Keep what an axis is called and how far it may be gone along."""
    membership = member(request, STUDIO)
    kept = brands.space_of(membership.shop, number)
    typed = {name: request.POST[name] for name in ("axis", "called") if name in request.POST}
    typed |= {name: decimal_point(request.POST[name]) for name in ("least", "most") if request.POST.get(name)}
    by: Any = request.user
    try:
        wish = wished(AxisInput, typed)
        if "called" in wish:
            kept = brands.name_axis(membership.shop, kept, axis=wish["axis"], called=wish["called"], by=by)
        if {"least", "most"} <= wish.keys():
            bounds = {"least": wish["least"], "most": wish["most"]}
            kept = brands.bound_axis(membership.shop, kept, axis=wish["axis"], **bounds, by=by)
    except (ValidationError, *services.Refusals) as refusal:
        return _refused(request, membership, kept, refusal)
    if request.htmx:
        return render(request, "studio/_axes.html", _axes(membership, kept))
    messages.success(request, _("Kept."))
    return redirect(f"{reverse('studio-space', args=[number])}{_query(request)}")


@login_required
@require_POST
def draw(request: HttpRequest, number: int) -> HttpResponse:
    """Have a design drawn where it was moved to, as a new round of its line."""
    membership = member(request, DESIGN)
    kept = brands.space_of(membership.shop, number)
    by: Any = request.user
    try:
        wish = _walk(kept, request.POST)
        candidate = _candidate(membership.shop, wish["candidate"])
        line = candidate.round.line
        brands.draw(line, kept, candidate.pk, wish["amounts"], strength=wish["strength"], by=by)
    except (ValidationError, *services.Refusals) as refusal:
        return _refused(request, membership, kept, refusal)
    return redirect(f"{reverse('studio-line', args=[line.reference])}#easel")


def _map(
    request: HttpRequest, membership: Membership, kept: LatentSpace, *, status: int = 200, **more: Any
) -> HttpResponse:
    shop = membership.shop
    asked = request.POST or request.GET
    line = _line(shop, asked.get("line", ""))
    try:
        shown = brands.map_of(shop, kept, line)
    except services.Refusals as refusal:
        return render(request, "studio/spaces.html", {
            **_building(membership), "refusal": said(refusal)[0],
            "spaces": [(each, latent.axes_of(each)) for each in brands.spaces_of(shop)],
        }, status=409)  # fmt: skip
    chosen = _chosen(shown, asked.get("candidate", ""))
    moved = dict(_amounts(kept, asked))
    context = {
        **_axes(membership, kept),
        "membership": membership,
        "map": shown,
        "line": line,
        "lines": brands.drawable(shop, DRAWABLE),
        "chosen": chosen,
        "walks": [
            {
                "number": place,
                "axis": each,
                "at": moved.get(each.name, 0.0),
                # So that 0, where the design stands, is a step of the slider.
                "least": math.ceil(each.reach[0] / STEP - 1e-9) * STEP,
                "most": math.floor(each.reach[1] / STEP + 1e-9) * STEP,
            }
            for place, each in enumerate(shown.axes)
        ],
        "data": _data(kept, shown, may_bound=membership.role in STUDIO),
        "strength": asked.get("strength", "0.4"),
        "step": STEP,
        "newest": kept.pk == latent.found(shop.slug, kept.name).pk,
        **more,
    }
    return render(request, "studio/space.html", context, status=status)


def _refused(request: HttpRequest, membership: Membership, kept: LatentSpace, refusal: Exception) -> HttpResponse:
    known = problem(refusal)
    assert known is not None
    sentence, field = said(refusal)
    kept.refresh_from_db()
    if request.htmx:
        context = {**_axes(membership, kept), "refusal": sentence, "field": field}
        return render(request, "studio/_axes.html", context, status=known[0])
    return _map(request, membership, kept, status=known[0], refusal=sentence, field=field)


def _axes(membership: Membership, kept: LatentSpace) -> dict[str, Any]:
    return {"space": kept, "axes": latent.axes_of(kept), "may_bound": membership.role in STUDIO}


def _data(kept: LatentSpace, shown: brands.Map, *, may_bound: bool) -> dict[str, Any]:
    """What the map's script draws: the server checks all of it again."""
    return {
        "look": reverse("studio-look", args=[kept.pk]),
        "mayBound": may_bound,
        "axes": [
            {"name": each.name, "said": each.said, "reach": each.reach, "farthest": each.farthest}
            for each in shown.axes
        ],
        "spots": [
            {
                "id": spot.candidate.pk,
                "name": f"{spot.candidate.round.number}.{spot.candidate.position}",
                "own": spot.own,
                "places": spot.places,
                "picture": f"{reverse('candidate-preview', args=[spot.candidate.pk])}?size=128&repeats=1",
            }
            for spot in shown.spots
        ],
    }


def _walk(kept: LatentSpace, typed: Any) -> dict[str, Any]:
    wish = {"candidate": typed.get("candidate", ""), "amounts": dict(_amounts(kept, typed, strictly=True))}
    if typed.get("strength"):
        wish["strength"] = decimal_point(typed["strength"])
    checked: dict[str, Any] = wished(WalkWish, wish)
    return checked


def _amounts(kept: LatentSpace, typed: Any, *, strictly: bool = False) -> list[tuple[str, Any]]:
    """What was typed for each axis, by the axis's name; what is no number is left to the checks, or left out."""
    found: list[tuple[str, Any]] = []
    for place, each in enumerate(latent.axes_of(kept)):
        text = decimal_point(typed.get(f"axis{place}", ""))
        if strictly and text:
            found.append((each.name, text))
        elif text:
            try:
                found.append((each.name, float(text)))
            except ValueError:
                continue
    return found


def _chosen(shown: brands.Map, design: str) -> brands.Spot | None:
    by_key = {str(spot.candidate.pk): spot for spot in shown.spots}
    own = [spot for spot in shown.spots if spot.own]
    return by_key.get(design) or next(iter(own or shown.spots), None)


def _line(shop: Shop, reference: str) -> OrderLine | None:
    if not reference:
        return None
    line = OrderLine.objects.filter(order__shop=shop, reference=reference[:40].replace("\0", "")).first()
    if line is None:
        raise Http404
    return line


def _candidate(shop: Shop, number: int) -> Candidate:
    candidates = Candidate.objects.filter(round__line__order__shop=shop)
    return get_object_or_404(candidates.select_related("artwork", "round__line__order__shop"), pk=number)


def _query(request: HttpRequest) -> str:
    line = request.POST.get("line", "")
    return f"?line={line}" if line.replace("-", "").isalnum() else ""
