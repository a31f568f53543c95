"""How the shop does: speed to customisation, lateness, bottlenecks, stock, the queue of designs, the ERP, cost."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.formats import number_format
from django.utils.translation import gettext, gettext_lazy, ngettext
from django.views.decorators.http import require_GET

from inventory_sync.errors import ErpError
from orders import figures
from orders.api.permissions import EVERYONE
from orders.models import Membership, Role, Shop
from orders.web import charts
from orders.web.forms import member, said

MONEY: Final = frozenset({Role.SALES, Role.PLANNER, Role.ADMIN})
WEEKS: Final = (4, 12, 26)
SHOWN: Final = 8
LOW_DAYS: Final = 7.0
SHORT_DAYS: Final = 3.0
TENTHS: Final = 10

STAGES: Final = {
    "first_preview": gettext_lazy("Request to first preview"),
    "passing": gettext_lazy("Preview to first passing design"),
    "opened": gettext_lazy("Customer opens the link"),
    "customer": gettext_lazy("Customer decides"),
    "print_file": gettext_lazy("Approval to verified print file"),
    "queued": gettext_lazy("Print file to queue and ERP"),
    "made": gettext_lazy("Queue to made"),
    "inspected": gettext_lazy("Made to inspected"),
}


@dataclass(frozen=True)
class Panel:
    """One part of the page, loaded and refreshed by itself."""

    name: str
    title: Any
    look: Callable[[Shop, HttpRequest], dict[str, Any]]
    roles: frozenset[Role] = EVERYONE
    wide: bool = False


@login_required
@require_GET
def dashboard(request: HttpRequest) -> HttpResponse:
    """All panels that this person may see."""
    membership = member(request, EVERYONE)
    shown = [panel for panel in PANELS.values() if membership.role in panel.roles]
    return render(request, "dashboard/dashboard.html", {"membership": membership, "panels": shown})


@login_required
@require_GET
def panel(request: HttpRequest, name: str) -> HttpResponse:
    """One panel: a part of the page, or a page of its own."""
    wanted = PANELS.get(name)
    if wanted is None:
        raise Http404
    membership: Membership = member(request, EVERYONE)
    if membership.role not in wanted.roles:
        raise PermissionDenied
    context: dict[str, Any] = {"panel": wanted, "membership": membership}
    try:
        context |= wanted.look(membership.shop, request)
    except ErpError as error:
        context["away"] = said(error)[0]
    template = f"dashboard/_{name}.html" if "away" not in context else "dashboard/_away.html"
    if getattr(request, "htmx", False):
        return render(request, template, context)
    return render(request, "dashboard/panel.html", {**context, "template": template})


# ------------------------------------------------------------------------------------------------ panels


def speed(shop: Shop, request: HttpRequest) -> dict[str, Any]:
    """Speed to customisation by stage and over time."""
    asked = request.GET.get("weeks", "")
    weeks = int(asked) if asked in {str(each) for each in WEEKS} else WEEKS[1]
    found = figures.speed(shop, weeks=weeks)
    durations = [each for stage in found.stages for each in (stage.spread.p50_s, stage.spread.p95_s)]
    axis = charts.axis_of(durations)
    lines = {
        "total": [week.total.p50_s for week in found.weeks],
        "total95": [week.total.p95_s for week in found.weeks],
        "own": [week.without_customer.p50_s for week in found.weeks],
        "own95": [week.without_customer.p95_s for week in found.weeks],
    }
    over_time = charts.axis_of([each for line in lines.values() for each in line])
    return {
        "found": found,
        "weeks": weeks,
        "weeks_text": str(weeks),
        "choices": WEEKS,
        "axis": [(in_words(mark), place) for mark, place in axis.marks],
        "stages": [
            {
                "label": STAGES[stage.code],
                "stage": stage,
                "p50": in_words(stage.spread.p50_s),
                "p95": in_words(stage.spread.p95_s),
                "bar": axis.at(stage.spread.p50_s),
                "whisker": max(0.0, axis.at(stage.spread.p95_s) - axis.at(stage.spread.p50_s)),
            }
            for stage in found.stages
        ],
        "total": _spoken(found.total),
        "own": _spoken(found.without_customer),
        "by_week": [
            {
                "week": week,
                "total": _spoken(week.total),
                "own": _spoken(week.without_customer),
            }
            for week in found.weeks
        ],
        "lines": {name: charts.line_of(values, over_time) for name, values in lines.items()},
        "time_axis": [(in_words(mark), round(100 - place, 1)) for mark, place in over_time.marks],
        "slowest": [(reference, in_words(seconds)) for reference, seconds in found.slowest],
    }


def late(shop: Shop, request: HttpRequest) -> dict[str, Any]:
    """Lines that are late or may get late."""
    found = figures.late(shop)
    return {
        "found": found,
        "late": found.late[:SHOWN],
        "at_risk": found.at_risk[: SHOWN // 2],
        "more": max(0, len(found.late) - SHOWN) + max(0, len(found.at_risk) - SHOWN // 2),
        "unreckoned": found.near - found.reckoned,
    }


def load(shop: Shop, request: HttpRequest) -> dict[str, Any]:
    """How full the machines are."""
    found = figures.load(shop)
    rows = [
        {
            "row": row,
            "share": None if row.share is None else round(100 * row.share),
            "days": [
                {
                    "day": day,
                    "share": None if day.share is None else round(100 * day.share),
                    "tenth": None if day.share is None else min(TENTHS, round(TENTHS * day.share)),
                }
                for day in row.days
            ],
        }
        for row in found.rows
    ]
    return {"found": found, "rows": rows, "empty": not any(row.share for row in found.rows)}


def cover(shop: Shop, request: HttpRequest) -> dict[str, Any]:
    """How long stock lasts."""
    found = figures.cover(shop)
    most = 30.0
    rows = [
        {
            "cover": each,
            "bar": 0 if each.days is None else round(min(100.0, 100 * max(0.0, each.days) / most), 1),
            "how": "short" if (each.days or 0) < SHORT_DAYS else "low" if (each.days or 0) < LOW_DAYS else "good",
        }
        for each in found.covers
    ]
    return {"found": found, "rows": rows, "most": round(most), "days": figures.DAYS}


def drawing(shop: Shop, request: HttpRequest) -> dict[str, Any]:
    """The queue of designs."""
    found = figures.drawing(shop)
    return {
        "found": found,
        "takes": _spoken(found.takes),
        "waits": _spoken(found.waits),
        "oldest": in_words(found.oldest_s),
        "lines": found.lines[:SHOWN],
    }


def sync(shop: Shop, request: HttpRequest) -> dict[str, Any]:
    """How the talk with the ERP goes."""
    found = figures.sync(shop)
    return {"found": found, "oldest": in_words(found.oldest_s)}


def costs(shop: Shop, request: HttpRequest) -> dict[str, Any]:
    """Cost as planned and as it was."""
    found = figures.costs(shop)
    widest = max((abs(job.variance_pct) for job in found.jobs), default=0.0) or 1.0
    jobs = [
        {
            "job": job,
            "over": job.variance_pct > 0,
            "width": round(min(50.0, 50 * abs(job.variance_pct) / widest), 1),
            "x": round(50 - (0 if job.variance_pct > 0 else 50 * abs(job.variance_pct) / widest), 1),
        }
        for job in found.jobs
    ]
    variance = float((found.actual - found.planned) / found.planned * 100) if found.planned else 0.0
    margin = float((found.price - found.actual) / found.price * 100) if found.price else 0.0
    return {"found": found, "jobs": jobs, "variance": variance, "margin": margin}


PANELS: Final = {
    panel.name: panel
    for panel in (
        Panel("speed", gettext_lazy("Speed to customisation"), speed, wide=True),
        Panel("late", gettext_lazy("Late, or at risk"), late),
        Panel("drawing", gettext_lazy("Designs being drawn"), drawing),
        Panel("sync", gettext_lazy("The ERP"), sync),
        Panel("load", gettext_lazy("Machines over the next 14 days"), load, wide=True),
        Panel("cover", gettext_lazy("Fabric and ink: days of cover"), cover),
        Panel("costs", gettext_lazy("Cost: estimate and actual"), costs, MONEY),
    )
}


# ------------------------------------------------------------------------------------------------ words


def in_words(seconds: float | None) -> str:
    """A duration as people say it, in the unit that fits; a dash where there is none."""
    if seconds is None:
        return "–"
    if seconds < 90:
        return gettext("%(number)s s") % {"number": _short(seconds) if seconds < 10 else round(seconds)}
    if seconds < 90 * 60:
        return gettext("%(number)s min") % {"number": round(seconds / 60)}
    if seconds < 48 * 3600:
        return gettext("%(number)s h") % {"number": _short(seconds / 3600)}
    days = seconds / 86400
    return ngettext("%(number)s day", "%(number)s days", max(1, round(days))) % {"number": _short(days)}


def _short(number: float) -> str:
    rounded = round(number, 1)
    return number_format(int(rounded) if rounded == int(rounded) else rounded, use_l10n=True)


def _spoken(spread: figures.Spread) -> dict[str, Any]:
    return {"count": spread.count, "p50": in_words(spread.p50_s), "p95": in_words(spread.p95_s)}


urlpatterns = [
    path("", dashboard, name="dashboard"),
    path("<slug:name>/", panel, name="dashboard-panel"),
]
