"""Beside the board: plans that the planner asks for, around what has happened or what could, and how far they are."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from rest_framework.exceptions import ValidationError

from inventory_sync import words
from orders import asides, board, planruns, services
from orders.api.permissions import EVERYONE
from orders.api.planning import PLANNERS
from orders.models import Membership, PlanRun
from orders.web.board_shapes import HappenedInput
from orders.web.forms import decimal_point, member, said, whole_number, wished
from production.models import PlanVersion
from production.planning.replan import RE_ASSIGNMENT, RIGHT_SHIFT, SEARCH

ENDED: Final = (PlanRun.State.DONE, PlanRun.State.CANCELLED, PlanRun.State.FAILED)
SHOWN: Final = 8  # runs in the list
MOST_BRANCHES: Final = 4
DAY_MIN: Final = 24 * 60


# ------------------------------------------------------------------------------------------------ asking


@login_required
@require_POST
def ask(request: HttpRequest) -> HttpResponse:
    """Ask for a plan: a better one, or one around a machine that is down or an order in a hurry."""
    membership = member(request, PLANNERS)
    by: Any = request.user
    try:
        wish = wished(HappenedInput, _typed(request, HappenedInput().fields))
        run = asides.ask(membership.shop, wish, by=by)
    except (ValidationError, *services.Refusals) as refusal:
        if request.htmx:
            response = render(request, "board/_said.html", {"refusal": said(refusal)[0]}, status=400)
            if request.POST.get("kind") == "down":  # its form stands in the dialog: what was typed stays there
                response["HX-Retarget"] = "#dialog-body .said"
            return response
        messages.error(request, said(refusal)[0])
        return render(request, "board/runs.html", _newest(membership), status=400)
    return _shown(request, run) if request.htmx else redirect("board-run", number=run.pk)


def _typed(request: HttpRequest, names: Any, suffix: str = "") -> dict[str, Any]:
    """What was typed into a form; what was left empty was not said."""
    found = {name: request.POST[f"{name}{suffix}"].strip() for name in names if request.POST.get(f"{name}{suffix}")}
    return {name: decimal_point(value) if name == "per_hour" else value for name, value in found.items() if value}


# ------------------------------------------------------------------------------------------------ how far it is


@login_required
@require_GET
def runs(request: HttpRequest) -> HttpResponse:
    """The newest plans that were asked for: whoever left one finds it again here."""
    context = _newest(member(request, EVERYONE))
    return render(request, "board/_runs.html" if request.htmx else "board/runs.html", context)


def _newest(membership: Membership) -> dict[str, Any]:
    found = PlanRun.objects.filter(shop=membership.shop).select_related("by")[:SHOWN]
    return {"membership": membership, "runs": [{"run": each, "what": _what(each)} for each in found]}


@login_required
@require_GET
def run(request: HttpRequest, number: int) -> HttpResponse:
    """One of them: how far it is, the best so far, and what it found."""
    membership = member(request, EVERYONE)
    return _shown(request, get_object_or_404(PlanRun, shop=membership.shop, pk=number))


@login_required
@require_POST
def stop(request: HttpRequest, number: int) -> HttpResponse:
    """Enough: the best that was found until now is kept."""
    membership = member(request, PLANNERS)
    stopped = planruns.cancel(get_object_or_404(PlanRun, shop=membership.shop, pk=number))
    return _shown(request, stopped) if request.htmx else redirect("board-run", number=number)


def _shown(request: HttpRequest, found: PlanRun) -> HttpResponse:
    membership = member(request, EVERYONE)
    context = {"membership": membership, "may_plan": membership.role in PLANNERS, **_told(found)}
    return render(request, "board/_run.html" if request.htmx else "board/run.html", context)


def _told(found: PlanRun) -> dict[str, Any]:
    """A run as it is read."""
    seconds = float(found.asked.get("seconds", planruns.SECONDS))
    result, best = found.result or {}, found.best or {}
    answers = result.get("answers") or ([{"plan": result["plan"], "by": "search"}] if "plan" in result else [])
    kept = PlanVersion.objects.filter(shop=found.shop.slug, number__in=[each["plan"] for each in answers])
    sentences = dict(kept.values_list("number", "difference__sentence"))  # a whole plan is megabytes
    ways = {
        RIGHT_SHIFT: _("the same order, later"), RE_ASSIGNMENT: _("only what is hit moves"),
        SEARCH: _("looked for anew"),
    }  # fmt: skip
    return {
        "run": found,
        "what": _what(found),
        "going_on": found.state not in ENDED,
        "seconds": seconds,
        "elapsed": min(seconds, (timezone.now() - found.created_at) / timedelta(seconds=1)),
        "best": {
            "late": len(best.get("late_jobs", ())),
            "changeover": words.duration(best.get("changeover_min", 0)),
            "cost": round(best.get("cost", 0)),
        }
        if best
        else None,
        "answers": [
            {
                **each,
                "by": ways.get(each["by"], each["by"]),
                "sentence": sentences[each["plan"]],
            }
            for each in answers
            if each["plan"] in sentences
        ],
        "refusal": (found.error or {}).get("message", ""),
        "compared": found.kind == PlanRun.Kind.WHAT_IF,
    }


def _what(found: PlanRun) -> str:
    """What was asked, in words."""
    if found.kind == PlanRun.Kind.PLAN:
        return str(found.asked.get("name") or _("A better plan"))
    if found.kind == PlanRun.Kind.WHAT_IF:
        return _("What if: %(names)s") % {"names": ", ".join(found.asked.get("branches", ()))}
    said_by = {
        "breakdown": _("%(machine)s is down"), "booked": _("%(machine)s is booked"),
        "rush": _("%(job)s is in a hurry"), "late": _("A delivery is late"),
    }  # fmt: skip
    changes = found.asked.get("changes", ())
    return ", ".join(said_by[each["change"]] % each for each in changes if each.get("change") in said_by)


# ------------------------------------------------------------------------------------------------ what if


@login_required
def what_if(request: HttpRequest) -> HttpResponse:
    """Branches of the plan side by side: what would be, if. One of them can be taken up; nothing holds before that."""
    membership = member(request, PLANNERS if request.method == "POST" else EVERYONE)
    status = 200
    if request.method == "POST":
        status = 400
        try:
            return redirect(f"{reverse('board-what-if')}?runs={','.join(map(str, _asked_branches(request)))}")
        except (ValidationError, *services.Refusals) as refusal:
            messages.error(request, said(refusal)[0])
    numbers = map(whole_number, request.GET.get("runs", "").split(","))
    wanted = [each for each in numbers if each is not None]
    found = list(PlanRun.objects.filter(shop=membership.shop, pk__in=wanted[: MOST_BRANCHES + 1]).order_by("pk"))
    only_table = request.htmx and request.method == "GET"
    machines: list[tuple[str, str]] = []
    jobs: list[tuple[str, str]] = []
    if not only_table:
        try:
            schedule, _base = board.base_of(membership.shop)
            machines = [(machine.code, machine.name or machine.code) for machine in schedule.problem.machines]
            jobs = [(job, line.order.customer.name) for job, line in schedule.lines.items()]
        except services.Refusals as refusal:  # the ERP is away: what was compared is still to be read
            messages.error(request, said(refusal)[0])
    context = {
        "membership": membership,
        "may_plan": membership.role in PLANNERS,
        "runs": [_told(each) for each in found],
        "going_on": any(each.state not in ENDED for each in found),
        "here": request.get_full_path(),
        "machines": machines,
        "jobs": jobs,
        "numbers": range(1, MOST_BRANCHES + 1),
        "typed": request.POST,
        "calendars": _calendars(request, membership),
        **_compared(found, membership.shop.currency),
    }
    return render(request, "board/_compared.html" if only_table else "board/whatif.html", context, status=status)


def _calendars(request: HttpRequest, membership: Membership) -> str:
    """Where this person can enter a machine's hours: in the ERP, or where the ledger is kept; empty: nowhere."""
    if request.user.has_perm("inventory_sync.change_ledgercalendar") and membership.shop.connector == "ledger":
        return reverse("admin:inventory_sync_ledgercalendar_changelist")
    return asides.calendars(membership.shop)


def _asked_branches(request: HttpRequest) -> list[int]:
    """Ask for every branch that was typed; returns the runs. Raises ValidationError, InvalidChange."""
    membership = member(request, PLANNERS)
    by: Any = request.user
    branches: dict[str, dict[str, Any]] = {}
    for number in range(1, MOST_BRANCHES + 1):
        typed = _typed(request, HappenedInput().fields, f"-{number}")
        if "kind" not in typed:
            continue
        wish = wished(HappenedInput, typed)
        name = wish["name"] or _("Branch %(number)d") % {"number": number}
        if name in branches:
            raise ValidationError({"name": [_("Two branches are called %(name)s.") % {"name": name}]})
        if wish["kind"] != "plan":
            branches[name] = wish
    if len(branches) < 2:
        raise ValidationError({"name": [_("Two branches at least are needed to compare.")]})
    return [each.pk for each in asides.compare(membership.shop, branches, by=by)]


@login_required
@require_POST
def adopt(request: HttpRequest, number: int) -> HttpResponse:
    """Plan around one of the branches that were compared, so that it can be published."""
    membership = member(request, PLANNERS)
    compared = get_object_or_404(PlanRun, shop=membership.shop, pk=number)
    name = request.POST.get("branch", "")
    by: Any = request.user
    try:
        if name and name not in compared.asked.get("branches", {}):
            raise ValidationError({"branch": [_("There is no such branch.")]})
        found = asides.adopt(compared, name, by=by)
    except (ValidationError, *services.Refusals) as refusal:
        messages.error(request, said(refusal)[0])
        return redirect(f"{reverse('board-what-if')}?runs={number}")
    return redirect("board-run", number=found.pk)


def _compared(found: Sequence[PlanRun], currency: str) -> dict[str, Any]:
    """The table: a column for each branch, a row for each figure, the differences from planning anew marked."""
    columns: list[dict[str, Any]] = []
    without: list[tuple[str, str]] = []
    for each in found:
        if each.kind == PlanRun.Kind.WHAT_IF and each.result:
            columns.append({"name": _("As it stands"), "figures": each.result["planned"], "adopt": ""})
            for row in each.result["branches"]:
                changes = each.asked.get("branches", {}).get(row["name"], ())
                can = asides.can_be_adopted(changes)
                columns.append(
                    {"name": row["name"] or _("Planned anew"), "branch": row["name"], "run": each.pk, "figures": row,
                     "base": not row["name"], "adopt": "ask" if can else "erp", "money": row["money"]}
                )  # fmt: skip
            without += list(each.result["without_plan"].items())
        elif each.result and "plan" in each.result:
            version = PlanVersion.objects.filter(shop=each.shop.slug, number=each.result["plan"]).first()
            if version is not None:
                columns.append({"name": each.asked.get("name") or _what(each), "figures": version.figures,
                                "adopt": "plan", "plan": version.number})  # fmt: skip
        elif each.error:
            without.append((_what(each), each.error["message"]))
    base = next((column["figures"] for column in columns if column.get("base")), None)
    for column in columns:
        column["rows"] = figures(base or column["figures"], column["figures"], currency=currency)
    return {"columns": columns, "without": without, "titles": [row["title"] for row in columns[0]["rows"]]
            if columns else []}  # fmt: skip


# ------------------------------------------------------------------------------------------------ figures


def long(minutes: float) -> str:
    """A length of time as it is read on the board: days and hours from two days on."""
    if minutes < 2 * DAY_MIN:
        return words.duration(minutes)
    days, rest = divmod(round(minutes), DAY_MIN)
    hours = rest // 60
    return _("%(days)d d %(hours)d h") % {"days": days, "hours": hours} if hours else _("%(days)d d") % {"days": days}


def figures(before: Mapping[str, Any], after: Mapping[str, Any], *, currency: str) -> list[dict[str, Any]]:
    """What plans are compared by, as they are read: before, after, and by how much it is better or worse."""

    def minutes(value: float) -> str:
        return long(value) if value else "0"

    def money(value: float) -> str:
        return f"{value:.2f} {currency}"

    def count(value: float) -> str:
        return f"{value:g}"

    rows = [
        (_("Orders late"), len(before["late_jobs"]), len(after["late_jobs"]), count),
        (_("Late, all together"), before["tardiness_min"], after["tardiness_min"], minutes),
        (_("Changeovers"), before["changeover_min"], after["changeover_min"], minutes),
        (_("What they cost"), float(before["changeover_cost"]), float(after["changeover_cost"]), money),
        (_("Operations moved"), before["moved"], after["moved"], count),
        (_("Overtime"), before["overtime_min"], after["overtime_min"], minutes),
        (_("All done within"), before["makespan_min"], after["makespan_min"], minutes),
    ]
    return [
        {
            "title": title,
            "before": written(was),
            "after": written(now),
            "more": ("+" if now > was else "−") + written(abs(now - was)) if now != was else "",
            "better": now < was,
        }
        for title, was, now, written in rows
    ]


urlpatterns = [
    path("ask/", ask, name="board-ask"),
    path("runs/", runs, name="board-runs"),
    path("runs/<int:number>/", run, name="board-run"),
    path("runs/<int:number>/stop/", stop, name="board-stop"),
    path("whatif/", what_if, name="board-what-if"),
    path("whatif/<int:number>/adopt/", adopt, name="board-adopt"),
]
