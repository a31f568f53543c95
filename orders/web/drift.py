"""Drift: what inspections say of machines, ink sets and articles over time, and corrections to decide on."""

import json
from dataclasses import dataclass
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_GET, require_POST
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from orders import drifting, services
from orders.api.permissions import EVERYONE
from orders.api.serializers import Strict, Text
from orders.models import Role
from orders.web import charts
from orders.web.forms import member, said, wished
from production.domain.drift import LEAST_READINGS, Reading
from production.drifting import Key, Series
from production.models import Correction

ACCEPT: Final = frozenset({Role.PLANNER, Role.ADMIN})
CHARTS: Final = {
    "de00": (gettext_lazy("Colour, ΔE2000"), "", 1),
    "across": (gettext_lazy("Size across"), "%", 2),
    "along": (gettext_lazy("Size along"), "%", 2),
}
FLOOR: Final = {"de00": 0.0}  # a colour difference is never below
LEAST_SPAN: Final = {"de00": 3.0, "across": 1.0, "along": 1.0}  # of a chart: a quiet series looks quiet
LISTED: Final = 40  # newest cloths of a series in its table
ON_A_PAGE: Final = 8  # series
KINDS: Final = {
    Correction.Kind.SIZE: gettext_lazy("Size"),
    Correction.Kind.PROFILE: gettext_lazy("Profile"),
    Correction.Kind.LIMIT: gettext_lazy("Tighter limit"),
}


class CorrectionInput(Strict):
    """Which correction, as it was shown; declined with why."""

    machine = Text(max_length=64)
    ink_set = Text(max_length=64, required=False, allow_blank=True, default="")
    article = Text(max_length=64)
    kind = serializers.ChoiceField(choices=Correction.Kind.values)
    seen = Text(max_length=2000)
    why = Text(max_length=300, required=False, allow_blank=True, default="")

    def validate_seen(self, text: str) -> Any:
        """The values as JSON."""
        try:
            return json.loads(text)
        except ValueError as error:
            raise serializers.ValidationError(
                gettext("This page is not whole: load it again, then send it.")
            ) from error


@dataclass(frozen=True)
class Chart:
    """One series as it is drawn."""

    name: str
    title: Any
    unit: str
    drawn: charts.Control
    says: bool  # there are readings since the last correction
    drifts: bool
    mean: float
    per_week: float
    since: Any
    decimals: int


@login_required
@require_GET
def drift(request: HttpRequest) -> HttpResponse:
    """Every series of the shop, those with something to decide on first."""
    return _page(request)


@login_required
@require_POST
def accept(request: HttpRequest) -> HttpResponse:
    """Accept a correction as it was shown; of two, the second sees what stands now."""
    return _decided(request, accepted=True)


@login_required
@require_POST
def decline(request: HttpRequest) -> HttpResponse:
    """Decline it: nothing changes, and it is not asked again until more cloths say so."""
    return _decided(request, accepted=False)


def _decided(request: HttpRequest, *, accepted: bool) -> HttpResponse:
    membership = member(request, ACCEPT)
    by: Any = request.user
    typed = {name: request.POST.get(name, "") for name in ("machine", "ink_set", "article", "kind", "seen", "why")}
    try:
        wish = wished(CorrectionInput, typed)
        key, kind, seen = Key(wish["machine"], wish["ink_set"], wish["article"]), wish["kind"], wish["seen"]
        if accepted:
            done = drifting.accept(membership.shop, key, kind, seen=seen, by=by)
        else:
            done = drifting.decline(membership.shop, key, kind, seen=seen, why=wish["why"], by=by)
    except (ValidationError, *services.Refusals) as refusal:
        status = getattr(refusal, "http_status", 400)
        return _page(request, status=status, wrong=said(refusal)[0])
    words = gettext("Accepted: %(what)s") if accepted else gettext("Declined: %(what)s")
    messages.success(request, words % {"what": done.sentence})
    return redirect("drift")


def _page(request: HttpRequest, *, status: int = 200, wrong: str = "") -> HttpResponse:
    membership = member(request, EVERYONE)
    sheet = Paginator(drifting.all_series(membership.shop), ON_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "sheet": sheet,
        "membership": membership,
        "may_accept": membership.role in ACCEPT,
        "wrong": wrong,
        "least": LEAST_READINGS,
        "series": [
            {
                "series": each,
                "id": f"series-{number}",
                "listed": each.readings[: -LISTED - 1 : -1],
                "unlisted": max(0, len(each.readings) - LISTED),
                "charts": [_chart(each, name) for name in CHARTS if _values(each, name)],
                "proposals": [(one, KINDS[Correction.Kind(one.kind)], json.dumps(one.after)) for one in each.proposals],
                "said": [
                    (one, KINDS[Correction.Kind(one.kind)])
                    for one in sorted([*each.accepted, *each.declined], key=lambda one: -one.pk)
                ],
            }
            for number, each in enumerate(sheet, start=1)
        ],
    }  # fmt: skip
    return render(request, "dashboard/drift.html", context, status=status)


def _chart(series: Series, name: str) -> Chart:
    title, unit, decimals = CHARTS[name]
    trend = series.trends[name]
    begins = trend.points[0].at if trend.points else None
    earlier = [each for each in _values(series, name) if begins is None or each.at < begins]
    kinds = {Correction.Kind.SIZE} if name != "de00" else {Correction.Kind.PROFILE, Correction.Kind.LIMIT}
    moments = [one.decided_at for one in series.accepted if one.kind in kinds]
    return Chart(
        name=name,
        title=title,
        unit=unit,
        drawn=charts.control_of(
            trend, least_span=LEAST_SPAN[name], decimals=decimals, earlier=earlier, marks=moments, floor=FLOOR.get(name)
        ),
        says=bool(trend.points),
        drifts=trend.drifts,
        mean=trend.mean,
        per_week=7 * trend.per_day,
        since=trend.since,
        decimals=decimals,
    )


def _values(series: Series, name: str) -> list[Reading]:
    """All readings of a chart, corrections or not."""
    field = name if name == "de00" else f"{name}_pct"
    return [Reading(each.at, getattr(each, field)) for each in series.readings if getattr(each, field) is not None]


urlpatterns = [
    path("", drift, name="drift"),
    path("accept/", accept, name="drift-accept"),
    path("decline/", decline, name="drift-decline"),
]
