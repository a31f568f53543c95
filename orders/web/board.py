"""The planner's board: machines, bars, changeovers; drafts of moves, kept and published. Views only translate."""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils.translation import get_language
from django.views.decorators.http import require_GET, require_POST
from rest_framework.exceptions import ValidationError

from inventory_sync import words
from orders import board, byhand, services
from orders.api.permissions import EVERYONE
from orders.api.planning import PLANNERS
from orders.api.problems import problem
from orders.api.views import LineViewSet
from orders.errors import StaleState
from orders.models import Membership, Priority
from orders.templatetags.measures import length
from orders.web import board_runs
from orders.web.board_shapes import AbleInput, DraftInput, MoveInput, PlaceInput, PriorityInput, WhyInput, steps_of
from orders.web.board_words import words as said_by_script
from orders.web.forms import line_of, member, said, whole_number, wished
from production import plans
from production.models import PlanVersion
from production.planning.openings import minute_after, moment_of

BARS_ON_A_PAGE: Final = 50  # of the table
COLOURS: Final = ("customer", "cloth", "inks", "lateness")
MAY = {"place": LineViewSet.roles["resume"], "priority": LineViewSet.roles["prioritise"]}


def answering(view: Callable[..., dict[str, Any] | HttpResponse]) -> Callable[..., HttpResponse]:
    """A view that the board's script asks: what it returns is JSON, and so is why something was refused."""

    @login_required
    @wraps(view)
    def answered(request: HttpRequest, *args: Any, **named: Any) -> HttpResponse:
        try:
            found = view(request, *args, **named)
            return JsonResponse(found) if isinstance(found, dict) else found  # the refusal of another method
        except (ValidationError, *services.Refusals) as error:
            known = problem(error)
            assert known is not None
            return JsonResponse(known[1], status=known[0])

    return answered


def sent(request: HttpRequest) -> dict[str, Any]:
    """The JSON that the script sent. Raises ValidationError."""
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise ValidationError("Send a JSON object.")
    return body


# ------------------------------------------------------------------------------------------------ pages


@login_required
@require_GET
def page(request: HttpRequest) -> HttpResponse:
    """The board as bars on a time axis or, `?view=table`, as a table that needs no script."""
    return _page(request, member(request, EVERYONE), table=request.GET.get("view") == "table")


def _page(request: HttpRequest, membership: Membership, *, table: bool, status: int = 200) -> HttpResponse:
    may = membership.role in PLANNERS
    context: dict[str, Any] = {
        "membership": membership,
        "may_plan": may,
        "words": said_by_script(),
        "colours": COLOURS,
        "settings": {
            "may": may,
            "language": get_language() or "en-gb",
            "draft": f"weftline:board:{membership.shop.slug}:{request.user.pk}",
            "data": reverse("board-data"),
            "judge": reverse("board-draft"),
            "keep": reverse("board-keep"),
            "why": reverse("board-why"),
            "able": reverse("board-able"),
            "place": reverse("board-place"),
        },
        "priorities": Priority.choices,
    }
    if table:
        context |= {**_table(request, membership), "typed": request.POST}
    return render(request, "board/board.html", context, status=status)


def _table(request: HttpRequest, membership: Membership) -> dict[str, Any]:
    """One page of the bars as rows, for who reads or works without a script."""
    try:
        seen = board.look(membership.shop)
    except services.Refusals as refusal:
        messages.error(request, said(refusal)[0])
        return {"table": []}
    called = {row.code: row.name for row in seen.rows}
    chosen = request.GET.get("machine", "")
    works = {work.job: work for work in seen.works}
    bars = [bar for bar in seen.bars if chosen in ("", bar.machine)]
    bars.sort(key=lambda bar: (list(called).index(bar.machine), bar.start))
    sheet = Paginator(bars, BARS_ON_A_PAGE).get_page(request.GET.get("page"))
    return {
        "sheet": sheet,
        "rows": seen.rows,
        "chosen": chosen,
        "waiting": seen.waiting,
        "table": [
            {
                "bar": bar,
                "work": works[bar.job],
                "machine": called[bar.machine],
                "start": moment_of(bar.start),
                "end": moment_of(bar.end),
                "changeover": bar.start - bar.changeover,
                "late": board_runs.long(works[bar.job].late_min) if works[bar.job].late_min > 0 else "",
                "machines": [(code, called[code]) for code in bar.machines],
            }
            for bar in sheet
        ],
    }


@login_required
@require_POST
def move(request: HttpRequest) -> HttpResponse:
    """Keep a plan in which one operation is moved, as it was typed into the table, and show what it comes to."""
    membership = member(request, PLANNERS)
    try:
        wish = wished(MoveInput, {name: request.POST.get(name, "") for name in ("operation", "machine", "start")})
        start = minute_after(wish["start"])
        step = byhand.Step(byhand.MOVE, (byhand.Wish(wish["operation"], wish["machine"], start),))
        version = byhand.keep(membership.shop, [step], by=request.user.get_username())
    except (ValidationError, *services.Refusals) as refusal:
        messages.error(request, said(refusal)[0])
        return _page(request, membership, table=True, status=400)
    return redirect("board-plan", number=version.number)


@login_required
@require_GET
def plan(request: HttpRequest, number: int) -> HttpResponse:
    """A plan as it differs from what it was made from, to be published or left; a page, or the inside of a dialog."""
    membership = member(request, EVERYONE)
    version = get_object_or_404(PlanVersion, shop=membership.shop.slug, number=number)
    return _shown(request, membership, version)


@login_required
@require_POST
def publish(request: HttpRequest, number: int) -> HttpResponse:
    """Let a plan hold, or say in a sentence why it can't."""
    membership = member(request, PLANNERS)
    version = get_object_or_404(PlanVersion, shop=membership.shop.slug, number=number)
    by: Any = request.user
    try:
        moved = byhand.publish(membership.shop, version.number, by=by)
    except services.Refusals as refusal:
        if not request.htmx:
            messages.error(request, said(refusal)[0])
            return redirect("board-plan", number=number)
        known = problem(refusal)
        assert known is not None
        response = _shown(request, membership, version, refusal=known[1]["message"], status=known[0])
        response["HX-Trigger"] = json.dumps({"weft-outdated": {"plan": version.number}})
        return response
    context = {"version": version, "moved": [line.reference for line in moved], "membership": membership}
    if not request.htmx:
        messages.success(request, said_by_script()["published"].replace("{plan}", str(version.number)))
        return redirect("board")
    response = render(request, "board/_published.html", context)
    response["HX-Trigger"] = json.dumps(
        {"weft-published": {"plan": version.number, "hand": version.found_by == "hand"}}
    )
    return response


def _shown(
    request: HttpRequest, membership: Membership, version: PlanVersion, *, refusal: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "membership": membership,
        "version": version,
        "refusal": refusal,
        "may_plan": membership.role in PLANNERS,
        "holds": plans.published(membership.shop.slug),
        **_difference(version),
    }
    template = "board/_plan.html" if request.htmx else "board/plan.html"
    return render(request, template, context, status=status)


def _difference(version: PlanVersion) -> dict[str, Any]:
    """What a plan changes, as it is read: moves with their times, orders that get late, figures before and after."""
    whole, difference = plans.problem_of(version), version.difference
    called = {machine.code: (machine.name or machine.code).split(" (")[0] for machine in whole.machines}
    operations = {one.id: one for one in whole.operations}
    there = {one["operation"]: one for one in version.assignments}
    moves = [
        {
            **each,
            "name": operations[each["operation"]].name,
            "from": called.get(each["from_machine"], each["from_machine"]),
            "to": called.get(each["to_machine"], each["to_machine"]),
            "start": moment_of(there[each["operation"]]["start"]),
            "by": board_runs.long(abs(each["by_min"])),
        }
        for each in difference["moves"]
    ]
    late = [{**each, "by": board_runs.long(each["after_min"])} for each in difference["newly_late"]]
    return {
        "moves": [each for each in moves if each["moved"]],
        "shifted": sum(not each["moved"] for each in moves),
        "newly_late": late,
        "no_longer_late": difference["no_longer_late"],
        "pins": [change for change in version.changes if change["change"] == byhand.PIN],
        "figures": board_runs.figures(difference["before"], difference["after"], currency=whole.currency),
    }


# ------------------------------------------------------------------------------------------------ for the script


@answering
@require_GET
def data(request: HttpRequest) -> dict[str, Any]:
    """All that the board draws, or what of it lies between `from` and `until`; only that, if it is as it was."""
    membership = member(request, EVERYONE)
    now = dict(zip(("base", "plan", "now"), board.stands(membership.shop), strict=True))
    if request.GET.get("base") == now["base"]:
        return now
    seen = board.look(membership.shop)
    now = {"base": seen.base, "plan": seen.plan, "now": seen.problem.start}
    first, last = (whole_number(request.GET.get(name, "")) for name in ("from", "until"))
    first, last = first or 0, last or 2**31
    units = request.preference.units  # type: ignore[attr-defined]
    return {
        **now,
        "start": seen.problem.start,
        "end": seen.problem.end,
        "frozen": seen.problem.frozen_until,
        "slushy": seen.problem.slushy_until,
        "tz": seen.problem.tz,
        "rows": [
            {
                "code": row.code,
                "name": row.name,
                "kind": row.kind,
                "open": [span for span in row.open if span[1] > first and span[0] < last],
                "down": row.down,
                "taken": [each for each in row.taken if each[1] > first and each[0] < last],
            }
            for row in seen.rows
        ],
        "works": {
            work.job: {
                "customer": work.customer,
                "cloth": work.cloth,
                "inks": work.inks,
                "metres": length(work.metres, units),
                "state": work.state,
                "priority": work.priority,
                "due": work.due,
                "late": work.late_min,
                "url": reverse("line", args=[work.job]),
            }
            for work in seen.works
        },
        "bars": [
            [bar.operation, bar.job, bar.name, bar.machine, bar.start, bar.end, bar.changeover, *bar.kept, bar.pinned,
             bar.machines]
            for bar in seen.bars
            if bar.end > first and bar.changeover < last
        ],
        "waiting": [
            {
                "kind": each.kind,
                "job": each.job,
                "customer": each.customer,
                "sentence": each.sentence,
                "operation": each.operation,
                "machines": each.minutes,
                "url": reverse("line", args=[each.job]),
            }
            for each in seen.waiting
        ],
    }  # fmt: skip


@answering
@require_POST
def judge(request: HttpRequest) -> dict[str, Any]:
    """What a draft comes to by now: who stands where, who gets late, what is against it. Nothing is kept.

    While its last step is in the hand, whether any rule is broken and how it compares is not asked: at the drop it is.
    """
    membership = member(request, PLANNERS)
    wish = wished(DraftInput, sent(request))
    steps = steps_of(wish)
    schedule, base = board.base_of(membership.shop)
    found = byhand.draft(schedule, steps)
    before = found.ground.placed
    late = board.lateness(found.problem.jobs, found.problem, found.assignments)
    was = board.lateness(schedule.problem.jobs, schedule.problem, schedule.assignments)
    seen = {
        "base": base,
        "moved": [
            [one.operation, one.machine, one.start, one.end, one.changeover]
            for one in found.assignments
            if before.get(one.operation) != one
        ],
        "late": {job: by for job, by in late.items() if was.get(job) != by},
        "pinned": found.pinned,
        "refused": [vars(each) for each in found.refused],
        "waits": found.waits,
    }
    if wish["foresee"]:
        return seen
    difference = found.difference
    return {
        **seen,
        "faults": [each.sentence for each in found.faults],
        "changed": byhand.changed_since(schedule, steps),
        "difference": {
            "sentence": difference.sentence,
            "newly_late": [[each.job, each.after_min] for each in difference.newly_late],
            "no_longer_late": [each.job for each in difference.no_longer_late],
            "changeover_min": difference.changeover_min,
            "cost": round(difference.after.cost - difference.before.cost, 1),
        },
    }


@answering
@require_POST
def keep(request: HttpRequest) -> dict[str, Any]:
    """Keep a draft as a plan; where to read what it changes."""
    membership = member(request, PLANNERS)
    steps = steps_of(wished(DraftInput, sent(request)))
    version = byhand.keep(membership.shop, steps, by=request.user.get_username())
    return {"plan": version.number, "url": reverse("board-plan", args=[version.number])}


@answering
@require_POST
def able(request: HttpRequest) -> dict[str, Any]:
    """Why an operation can't be done on the machines that can't; machine -> sentence."""
    shop = member(request, EVERYONE).shop
    wish = wished(AbleInput, sent(request))
    schedule, _base = board.base_of(shop)
    operation = board.operation_of(schedule, wish["operation"])
    return {"operation": operation.id, "unable": board.unable(shop, schedule, operation)}


@login_required
@require_POST
def why(request: HttpRequest) -> HttpResponse:
    """Why a bar is where it is, and its order done when it is, in the draft as it stands: the inside of the drawer."""
    membership = member(request, EVERYONE)
    try:
        wish = wished(WhyInput, sent(request))
        found = board.reasons(membership.shop, steps_of(wish), wish["operation"])
    except (ValidationError, *services.Refusals) as error:
        known = problem(error)
        assert known is not None
        return render(request, "board/_why.html", {"refusal": known[1]["message"]}, status=known[0])
    context = {
        "found": found,
        "machine": found.machine,
        "start": moment_of(found.bar.start),
        "end": moment_of(found.bar.end),
        "changeover": words.duration(found.bar.start - found.bar.changeover),
        "late": board_runs.long(abs(found.work.late_min)),
        "due": found.line.due_date,
        "minutes": [(kind, words.duration(each)) for kind, each in found.here.minutes.items()],
        "may_plan": membership.role in PLANNERS,
        "may_prioritise": membership.role in MAY["priority"],
        "priorities": Priority.choices,
        "membership": membership,
    }
    return render(request, "board/_why.html", context)


@login_required
@require_POST
def priority(request: HttpRequest) -> HttpResponse:
    """Say how much a day late of a line weighs; the next plan counts it so."""
    membership = member(request, MAY["priority"])
    try:
        wish = wished(PriorityInput, {name: request.POST.get(name, "") for name in ("line", "priority", "seen")})
        line = line_of(membership.shop, wish["line"])
        by: Any = request.user
        services.prioritise(line, priority=wish["priority"], seen=wish["seen"], by=by)
    except StaleState as late:
        context = {"refusal": said(late)[0], "seen": late.fields["measured"]}
        return render(request, "board/_said.html", context, status=late.http_status)
    except (ValidationError, *services.Refusals) as refusal:
        return render(request, "board/_said.html", {"refusal": said(refusal)[0]}, status=400)
    if not request.htmx:
        return redirect("board")
    context = {"line": line, "priority": Priority(wish["priority"]).label, "seen": wish["priority"]}
    return render(request, "board/_said.html", context)


@answering
@require_POST
def place(request: HttpRequest) -> dict[str, Any]:
    """Have a line that found no time planned once more, into the first that is free now."""
    membership = member(request, MAY["place"])
    wish = wished(PlaceInput, sent(request))
    by: Any = request.user
    line = board.place(membership.shop, wish["line"], by=by)
    return {"line": line.reference, "state": line.state}


urlpatterns = [
    path("", page, name="board"),
    path("data/", data, name="board-data"),
    path("draft/", judge, name="board-draft"),
    path("keep/", keep, name="board-keep"),
    path("able/", able, name="board-able"),
    path("why/", why, name="board-why"),
    path("priority/", priority, name="board-priority"),
    path("place/", place, name="board-place"),
    path("move/", move, name="board-move"),
    path("plans/<int:number>/", plan, name="board-plan"),
    path("plans/<int:number>/publish/", publish, name="board-publish"),
    *board_runs.urlpatterns,
]
