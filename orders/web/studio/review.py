"""One line in the studio: its designs large, what was found, what they are near to, and what is decided and edited."""

from collections import Counter
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from rest_framework.exceptions import ValidationError

from generation import likeness
from generation.errors import GenerationError
from generation.images import MOST_BYTES, png_of
from orders import authorship, deciding, exclusivity, learning, provenance, reviewing, services, spaces, work
from orders.api.problems import problem
from orders.domain.exploring import Way
from orders.domain.states import LineState
from orders.models import Candidate, Decision, Membership, OrderLine
from orders.web import showing
from orders.web.forms import colours_in, member, said, taken, whole_number, wished
from orders.web.sales import product_for
from orders.web.studio.shapes import (
    DESIGN,
    LOOK,
    STUDIO,
    AgainInput,
    DecisionInput,
    RecolourInput,
    UploadInput,
)

MAY = {"decide": STUDIO, "again": DESIGN, "recolour": DESIGN, "upload": STUDIO}
NEAREST = 4
PICTURE_PX = 256


@login_required
def review(request: HttpRequest, reference: str) -> HttpResponse:
    """A line's designs; `design` in the address is the one that stands on the easel."""
    membership = member(request, LOOK)
    line = showing.line_of(membership, reference)
    return render(request, "studio/review.html", _page(membership, line, design=request.GET.get("design", "")))


@login_required
@require_POST
def act(request: HttpRequest, reference: str, verb: str) -> HttpResponse:
    """Decide, draw again, recolour or bring an edited file back; what is refused is said on the page as it is now."""
    if verb not in MAY:
        raise Http404
    membership = member(request, MAY[verb])
    line = showing.line_of(membership, reference)
    _as_seen(line, request.POST.get("version", ""))
    try:
        to = _DONE[verb](request, line)
    except (ValidationError, *services.Refusals) as refusal:
        known = problem(refusal)
        assert known is not None
        sentence, field = said(refusal)
        context = _page(
            membership,
            showing.line_of(membership, reference),
            design=request.POST.get("candidate", ""),
            refusal=sentence,
            field=field,
            verb=verb,
            typed=request.POST,
            ticked=request.POST.getlist("reasons"),
        )
        return render(request, "studio/review.html", context, status=known[0])
    return redirect(f"{reverse('studio-line', args=[reference])}{to}")


@login_required
def near(request: HttpRequest, reference: str, candidate: int) -> HttpResponse:
    """What a design is nearest to: the shop's own designs and the training pictures, with how far they are."""
    membership = member(request, DESIGN)
    wanted = _candidate(membership, reference, candidate)
    context: dict[str, Any] = {"membership": membership, "candidate": wanted, "same_from": exclusivity.SAME_DESIGN}
    context["may_see_orders"] = membership.role in showing.api.SELL
    try:
        context["archive"] = exclusivity.nearest(wanted.round.line, wanted.artwork, count=NEAREST)
        context["training"] = likeness.nearest_training_of(wanted.artwork, NEAREST)
    except GenerationError as error:
        context["refusal"] = said(error)[0]
    return render(request, "studio/_near.html", context)


@login_required
def training(request: HttpRequest, seed: int) -> HttpResponse:
    """A training picture, drawn again by its seed."""
    member(request, DESIGN)
    picture = likeness.training_picture(seed, size_px=PICTURE_PX)
    if picture is None:
        raise Http404
    return _png(png_of(picture), keep=True)


@login_required
def provenance_sheet(request: HttpRequest, reference: str, candidate: int) -> HttpResponse:
    """Where a design comes from, as PDF."""
    membership = member(request, DESIGN)
    name, pdf = provenance.sheet(_candidate(membership, reference, candidate))
    headers = {"Content-Disposition": f'inline; filename="{name}"', "Content-Security-Policy": "sandbox"}
    return HttpResponse(pdf, content_type="application/pdf", headers=headers)


@login_required
def coloured(request: HttpRequest, reference: str, candidate: int) -> HttpResponse:
    """One repeat of a design in other colours, small: what a recolouring would look like before it is asked for."""
    membership = member(request, DESIGN)
    wanted = _candidate(membership, reference, candidate)
    typed = request.GET.get("c", "").split("-")[:9]
    try:
        return _png(reviewing.in_colours(wanted, [f"#{colour}" for colour in typed], size_px=2 * PICTURE_PX), keep=True)
    except services.Refusals as refusal:
        known = problem(refusal)
        assert known is not None
        return HttpResponse(said(refusal)[0], status=known[0], content_type="text/plain; charset=utf-8")


def _decide(request: HttpRequest, line: OrderLine) -> str:
    typed = {name: request.POST.get(name, "") for name in ("candidate", "verdict", "words", "seen")}
    wish = wished(DecisionInput, {**typed, "reasons": request.POST.getlist("reasons")})
    candidate = _of_line(line, wish["candidate"])
    accepted = wish["verdict"] == "accept"
    by: Any = request.user
    deciding.decide(
        candidate, accepted=accepted, reasons=wish["reasons"], words=wish["words"], seen=wish["seen"], by=by
    )
    taken(request, f"decide-{candidate.pk}")
    name = f"{candidate.round.number}.{candidate.position}"
    verdict = _("Design %(name)s is accepted.") if accepted else _("Design %(name)s is rejected: nobody is offered it.")
    messages.success(request, verdict % {"name": name})
    following = reviewing.next_undecided(line)
    if following is not None:
        return f"?design={following.pk}#easel"
    return f"?design={candidate.pk}#{'decided' if accepted else 'again'}"


def _again(request: HttpRequest, line: OrderLine) -> str:
    typed = {"words": request.POST.get("words", "")}
    if request.POST.get("lock"):
        typed["lock"] = request.POST["lock"]
    wish = wished(AgainInput, typed)
    locked = _of_line(line, wish["lock"]) if "lock" in wish else None
    by: Any = request.user
    form = f"again-{line.reference}-{line.newest_round.number}"
    reviewing.draw_again(line, words=wish["words"], keep_colours_of=locked, by=by)
    taken(request, form)
    return "#easel"


def _recolour(request: HttpRequest, line: OrderLine) -> str:
    typed = {"candidate": request.POST.get("candidate", ""), "colour": request.POST.getlist("colour")}
    wish = wished(RecolourInput, typed)
    colours = [colour if isinstance(colour, str) else colour[0] for colour in map(colours_in, wish["colour"])]
    by: Any = request.user
    wanted = services.Exploration(kind=Way.RECOLOUR, candidates=[wish["candidate"]], palette=colours)
    services.explore(line, wanted, by=by)
    return "#easel"


def _upload(request: HttpRequest, line: OrderLine) -> str:
    picture = request.FILES.get("picture")
    # One byte too many is enough to be refused; the rest is not read.
    data = picture.read(MOST_BYTES + 1) if picture else b""
    typed = {name: request.POST.get(name, "") for name in ("candidate", "author")}
    typed |= {"keep_colours": "keep_colours" in request.POST, "size": len(data)}
    wish = wished(UploadInput, {**typed, "name": (picture.name or "") if picture else ""})
    by: Any = request.user
    reviewing.bring_back(
        _of_line(line, wish["candidate"]), data, name=wish["name"], author=wish["author"],
        keep_colours=wish["keep_colours"], by=by, line=line,
    )  # fmt: skip
    return "#easel"


_DONE = {"decide": _decide, "again": _again, "recolour": _recolour, "upload": _upload}


def _page(membership: Membership, line: OrderLine, *, design: str, **more: Any) -> dict[str, Any]:
    rounds = showing.drawn(line)
    cards = {each.candidate.pk: each for drawn in rounds for each in drawn.designs}
    newest = [each.candidate for each in rounds[0].designs]
    told = learning.most_liked_first(membership.shop, newest)
    decisions = deciding.newest_of(cards)
    open_first = sorted((each for each, _likely in told), key=lambda each: each.pk in decisions or not each.passed)
    chosen = _asked_for(cards, design) or next((cards[each.pk] for each in open_first), None)
    reviewable = line.state in deciding.REVIEWABLE
    makeable = [candidate for candidate in newest if candidate.passed]
    said_no = [decisions[each.pk] for each in newest if each.pk in decisions and not decisions[each.pk].accepted]
    may_draw = membership.role in DESIGN and line.state in {LineState.PROOFING, LineState.BLOCKED}
    rails = [(rounds[0], [(cards[each.pk], decisions.get(each.pk), likely) for each, likely in told])]
    rails += [
        (drawn, [(each, decisions.get(each.candidate.pk), None) for each in drawn.designs]) for drawn in rounds[1:]
    ]
    return {
        "membership": membership,
        "line": line,
        "newest": rounds[0].brief,
        "on": chosen.on if chosen else None,
        "rails": rails,
        "chosen": chosen,
        "decision": decisions.get(chosen.candidate.pk) if chosen else None,
        "history": list(chosen.candidate.decisions.select_related("by")) if chosen else [],
        "reasons_for": deciding.FOR,
        "reasons_against": deciding.AGAINST,
        "said_no": _against(said_no),
        "all_rejected": bool(makeable)
        and len([each for each in makeable if each.pk in decisions]) == len(makeable)
        and all(not decisions[each.pk].accepted for each in makeable),
        "edits": [
            (edit, authorship.CALLED.get(edit.what, edit.what), authorship.who(edit), authorship.in_words(edit))
            for edit in (authorship.edits_of(chosen.candidate) if chosen else ())
        ],
        "may_decide": membership.role in STUDIO and reviewable,
        "may_draw": may_draw,
        "may_upload": membership.role in STUDIO and may_draw,
        "may_look_further": membership.role in DESIGN,
        "reviewable": reviewable,
        "drawing": line.state == LineState.GENERATING,
        "by_hand": bool(chosen) and chosen.brief.generator == work.UPLOAD,
        "product": product_for(line.end_use),
        "spaces": spaces.spaces_of(membership.shop) if membership.role in DESIGN else [],
        "typed": {},
        "ticked": [],
        **more,
    }


def _against(said_no: list[Decision]) -> dict[str, Any]:
    """What was said against the designs of a round, each reason and each sentence once."""
    given = Counter(code for decision in said_no for code in decision.reasons if code in deciding.Reason.values)
    words = list(dict.fromkeys(decision.words for decision in said_no if decision.words))
    reasons = [(deciding.Reason(code), count) for code, count in given.most_common()]
    return {"reasons": reasons, "words": words} if said_no else {}


def _asked_for(cards: dict[int, showing.Design], design: str) -> showing.Design | None:
    return cards.get(whole_number(design) or 0)


def _as_seen(line: OrderLine, version: str) -> None:
    """Let what is done be done to the line as the page showed it: where it moved on since, it is refused as stale."""
    if (seen := whole_number(version)) is not None:
        line.version = seen


def _of_line(line: OrderLine, number: int) -> Candidate:
    candidates = Candidate.objects.filter(round__line=line).select_related("artwork", "round__line__order__shop")
    return get_object_or_404(candidates, pk=number)


def _candidate(membership: Membership, reference: str, number: int) -> Candidate:
    candidates = Candidate.objects.filter(round__line__order__shop=membership.shop, round__line__reference=reference)
    whole = ("artwork", "round__line__order__shop", "round__line__order__customer", "round__line__order__created_by")
    return get_object_or_404(candidates.select_related(*whole), pk=number)


def _png(data: bytes, *, keep: bool) -> HttpResponse:
    kept = "private, max-age=86400" if keep else "no-store"
    return HttpResponse(data, content_type="image/png", headers={"Cache-Control": kept})
