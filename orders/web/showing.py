"""What the page of a line shows: its designs as cards, the one that is chosen, what can be done, what was made."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Prefetch
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from generation.domain.palette import NAMED_PALETTES
from orders import clock, comparing, deciding, outbox, sending, services, standing, strikeoffs, work
from orders.api import planning as planning_api
from orders.api import views as api
from orders.comparing import Difference
from orders.domain.asked import YARD_M, asked_of
from orders.domain.states import CHANGEABLE, LineState
from orders.errors import NothingDrawn
from orders.models import Approval, Candidate, Membership, OrderLine, Round
from orders.web import sales
from orders.web.forms import whole_number
from orders.web.wording import STATES
from production import services as production

MAY: Mapping[str, frozenset[Any]] = {
    "approve": api.LineViewSet.roles["approve"],
    "revise": api.LineViewSet.roles["revise"],
    "explore": api.LineViewSet.roles["explore"],
    "change": api.LineViewSet.roles["change"],
    "cancel": api.LineViewSet.roles["cancel"],
    "resume": api.LineViewSet.roles["resume"],
    "send": api.LineViewSet.roles["send"],
    "quote": api.CandidateViewSet.roles["quote"],
    "unquote": api.LineViewSet.roles["release_quote"],
    "submit": api.SELL,
}
MAY_ASK = planning_api.PromiseView.roles["post"]
OFFERED = {
    LineState.DRAFT: ("submit", "cancel"),
    LineState.GENERATING: ("cancel",),
    LineState.PROOFING: ("approve", "quote", "unquote", "revise", "explore", "cancel"),
    LineState.BLOCKED: ("resume", "revise", "explore", "change", "cancel"),
    LineState.PLANNING: ("cancel",),
    LineState.RELEASING: ("cancel",),
    LineState.SYNCING: ("cancel",),
    LineState.RELEASED: ("send", "change", "cancel"),
    LineState.IN_PRODUCTION: ("send",),
}
STAGES = {
    "request_to_first_preview": gettext_lazy("Request to first design"),
    "preview_to_proof": gettext_lazy("First design to first that can be made"),
    "customer": gettext_lazy("The customer's time"),
    "approval_to_print_file": gettext_lazy("Approval to print file"),
    "print_file_to_erp": gettext_lazy("Print file to the ERP"),
}
ROLES = (
    gettext_lazy("Ground"), gettext_lazy("Main motif"), gettext_lazy("Second motif"), gettext_lazy("Accent"),
    gettext_lazy("Detail"), gettext_lazy("Sixth"), gettext_lazy("Seventh"), gettext_lazy("Eighth"),
)  # fmt: skip
ROUNDS = Round.objects.select_related(
    "same_as__round", "parent__round", "other_parent__round"
).prefetch_related(
    Prefetch("candidates", Candidate.objects.select_related("artwork").prefetch_related("pins"))
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class OnCloth:
    """How the designs of a round stand on the finished cloth, in millimetres."""

    width_mm: float
    height_mm: float
    layout: str
    usable_mm: float | None = None  # None: this cloth can't be made any more
    white: str = ""

    @property
    def across(self) -> str:
        """How often the repeat stands across the usable width, as it is confirmed."""
        if self.usable_mm is None:
            return ""
        count = self.usable_mm / self.width_mm
        whole = abs(count - round(count)) * self.width_mm < 0.5
        near = abs(count - round(count)) < 0.05
        return number_format(round(count) if whole else round(count, 2 if near else 1), use_l10n=True)

    @property
    def cut(self) -> bool:
        """Whether the last repeat is cut at the edge."""
        count = (self.usable_mm or self.width_mm) / self.width_mm
        return abs(count - round(count)) * self.width_mm >= 0.5


@dataclass(frozen=True, kw_only=True)
class Colour:
    """A colour of a design with the part it plays."""

    index: int
    code: str
    role: str


@dataclass(frozen=True, kw_only=True)
class Design:
    """One candidate as a card."""

    candidate: Candidate
    brief: Round
    on: OnCloth
    newest: bool
    approved: bool
    rejected: bool
    against: Difference | None  # beside the design that it was made of
    source: str  # that design's name

    @property
    def name(self) -> str:
        """As people call it: round and place."""
        return f"{self.brief.number}.{self.candidate.position}"

    @property
    def src(self) -> str:
        """One repeat of it, for the canvas."""
        return f"{reverse('candidate-preview', args=[self.candidate.pk])}?size=1024&repeats=1"

    @property
    def preview(self) -> str:
        """A small picture of it, set in its layout."""
        return f"{reverse('candidate-preview', args=[self.candidate.pk])}?size=480&repeats=2"

    @property
    def pins(self) -> str:
        """Comments at places of it, as the canvas marks them (JSON); each is called by its place among them."""
        pins = sorted(self.candidate.pins.all(), key=lambda pin: pin.pk)
        return json.dumps(
            [{"x_mm": pin.x_mm, "y_mm": pin.y_mm, "number": number} for number, pin in enumerate(pins, start=1)]
        )

    @property
    def complaints(self) -> list[dict[str, Any]]:
        """What is not as it should be, errors first."""
        found = [each for each in self.candidate.findings if each["severity"] != "info"]
        return sorted(found, key=lambda each: each["severity"] != "error")

    @property
    def fine(self) -> list[dict[str, Any]]:
        """What was looked at and is as it should be."""
        return [each for each in self.candidate.findings if each["severity"] == "info"]

    @property
    def fine_count(self) -> int:
        """How many checks it passed."""
        return len(self.fine)

    @property
    def shown_in(self) -> list[str]:
        """Its colours as the cloth will show them, once that is known."""
        return list(self.candidate.made or self.candidate.artwork.palette)

    @property
    def colours(self) -> list[Colour]:
        """Its colours as they were drawn, by the parts they play."""
        palette = self.candidate.artwork.palette
        roles = self.candidate.artwork.roles or range(len(palette))
        return [
            Colour(index=index, code=code, role=str(ROLES[role]) if role < len(ROLES) else _("Further"))
            for index, (code, role) in enumerate(zip(palette, roles, strict=False))
        ]

    @property
    def offerable(self) -> bool:
        """Whether it can be quoted and approved as it is."""
        return self.newest and bool(self.candidate.passed) and not self.rejected


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A round with its designs."""

    brief: Round
    designs: tuple[Design, ...]


@dataclass(frozen=True, kw_only=True)
class Held:
    """A quote: what is held, for which design, until when."""

    candidate: int
    name: str
    expires: datetime
    promise: datetime
    lot: str


def line_of(membership: Membership, reference: str) -> OrderLine:
    """Return a line of the person's shop with all that its page shows. Raises Http404."""
    lines = OrderLine.objects.filter(order__shop=membership.shop)
    lines = lines.select_related("order__customer", "order__shop", "repeat_of", "sample_of")
    whole = (Prefetch("rounds", ROUNDS), "approvals__by", "events", "samples", "repeats")
    return get_object_or_404(lines.prefetch_related(*whole), reference=reference)


def newest_of(line: OrderLine) -> Round:
    """Return the brief that is being worked on, of what `line_of` has read. Raises NothingDrawn."""
    newest = max(line.rounds.all(), key=lambda brief: brief.number, default=None)
    if newest is None:
        raise NothingDrawn(fields={"line": line.reference})
    return newest


def page(membership: Membership, line: OrderLine, *, design: str = "", **more: Any) -> dict[str, Any]:
    """Return all that the page of a line shows; `design`: the id of the one that is chosen, as it was sent."""
    rounds = drawn(line)
    chosen = chosen_of(line, rounds, design)
    offered = offered_to(membership, line)
    newest = rounds[0].brief
    working = LineState(line.state) in standing.WORKING
    return {
        "line": line,
        "membership": membership,
        "rounds": rounds,
        "designs": {each.candidate.pk: each for round_ in rounds for each in round_.designs},
        "several": sum(len(each.designs) for each in rounds) > 1,
        "newest": newest,
        "on": chosen.on if chosen else _on_cloth(line, newest),
        "chosen": chosen,
        "by_default": not design,
        "offered": offered,
        "state": STATES[LineState(line.state)],
        "drawing": line.state == LineState.GENERATING,
        "working": working,
        "percent": standing.percent(line, newest, drawn=len(rounds[0].designs)) if working else None,
        "path": _path(line),
        "mark": standing.mark(line, newest),
        "approval": _newest_approval(line),
        "held": _held(line, rounds),
        "would_hold_until": timezone.now() + timedelta(hours=line.order.shop.hold_hours),
        "expected": _digest(line, chosen),
        "product": sales.product_for(line.end_use),
        "palettes": {name: colours[: len(chosen.colours) if chosen else 5] for name, colours in NAMED_PALETTES.items()},
        "asked": asked_of(line.asked).words if line.asked else "",
        "metres": number_format(line.quantity_m.normalize() if line.quantity_m % 1 else int(line.quantity_m)),
        "yards": number_format(round(line.quantity_m / YARD_M, 2)),
        "may_quote": membership.role in MAY["quote"],
        "may_ask": membership.role in MAY_ASK,
        "may_settle": membership.role in api.PLAN,
        "may_sell": membership.role in api.SELL,
        "strike_off": _strike_off(membership, line),
        "notices": line.notices.filter(settled_at=None),
        "stock_age": outbox.old_stock(membership.shop),
        "cloths": _other_cloths(line) if "change" in offered else [],
        **_paper(line),
        **more,
    }


def drawn(line: OrderLine) -> list[Drawn]:
    """Return the rounds of a line with their designs, the newest first. Raises NothingDrawn where there are none."""
    rounds = sorted(line.rounds.all(), key=lambda brief: -brief.number)
    if not rounds:
        raise NothingDrawn(fields={"line": line.reference})
    candidates = [candidate for brief in rounds for candidate in brief.candidates.all()]
    turned_down = deciding.rejected([candidate.pk for candidate in candidates])
    approved = {approval.candidate_id for approval in line.approvals.all()}
    by_key = {candidate.pk: candidate for candidate in candidates}
    places: dict[tuple[Any, ...], OnCloth] = {}
    found = []
    for brief in rounds:
        brief.line = line  # what is asked of a round or its designs asks this line, and not the database again
        key = (brief.layout, brief.repeat_width_mm, brief.repeat_height_mm)
        on = places.setdefault(key, places.get(key) or _on_cloth(line, brief))
        designs = []
        for candidate in brief.candidates.all():
            candidate.round = brief
            source = comparing.comes_from(candidate)
            source = by_key.get(source.pk) if source else None
            if source is not None:
                source.round.line = line
            designs.append(
                Design(
                    candidate=candidate,
                    brief=brief,
                    on=on,
                    newest=brief is rounds[0],
                    approved=candidate.pk in approved,
                    rejected=candidate.pk in turned_down,
                    against=comparing.difference(source, candidate) if source else None,
                    source=f"{source.round.number}.{source.position}" if source else "",
                )
            )
        found.append(Drawn(brief=brief, designs=tuple(designs)))
    return found


def chosen_of(line: OrderLine, rounds: Iterable[Drawn], design: str) -> Design | None:
    """Return the design that stands on the canvas: the one asked for, agreed or held; else the best of the newest."""
    designs = {each.candidate.pk: each for round_ in rounds for each in round_.designs}
    if (asked := whole_number(design)) in designs:
        return designs[asked]
    approval = _newest_approval(line)
    best = work.best(line)
    newest = next((each.candidate.pk for each in designs.values()), None)
    for key in (approval and approval.candidate_id, (line.quote or {}).get("candidate"), best and best.pk, newest):
        if key in designs:
            return designs[key]
    return None


def offered_to(membership: Membership, line: OrderLine) -> list[str]:
    """Return what this person can do with a line as it stands."""
    offered = [verb for verb in OFFERED.get(LineState(line.state), ()) if membership.role in MAY[verb]]
    if line.state == LineState.BLOCKED and line.came_from not in CHANGEABLE:
        offered = [verb for verb in offered if verb != "change"]
    if line.state == LineState.DRAFT and any(sample.state != LineState.CANCELLED for sample in line.samples.all()):
        offered = [verb for verb in offered if verb != "submit"]
    if line.quote is None:
        offered = [verb for verb in offered if verb != "unquote"]
    return offered


def _on_cloth(line: OrderLine, brief: Round) -> OnCloth:
    try:
        spec = work.spec_of(line, brief)
    except services.Refusals:  # the catalogue has moved on; what was drawn is still to be seen
        return OnCloth(width_mm=brief.repeat_width_mm, height_mm=brief.repeat_height_mm, layout=brief.layout)
    look = production.cloth_look(spec)
    return OnCloth(
        width_mm=spec.repeat.width_mm,
        height_mm=spec.repeat.height_mm,
        layout=brief.layout,
        usable_mm=look.usable_width_mm,
        white=look.white,
    )


def _path(line: OrderLine) -> list[dict[str, Any]]:
    """The way of a line, each state with whether it lies behind; a line that stopped stands where it came from."""
    at = LineState(line.came_from) if line.state == LineState.BLOCKED and line.came_from else LineState(line.state)
    if at not in standing.PATH:
        return []
    here = standing.PATH.index(at)
    return [
        {"name": STATES[state], "behind": number < here, "here": number == here}
        for number, state in enumerate(standing.PATH)
    ]


def _newest_approval(line: OrderLine) -> Approval | None:
    return max(line.approvals.all(), key=lambda approval: approval.number, default=None)


def _held(line: OrderLine, rounds: Iterable[Drawn]) -> Held | None:
    if line.quote is None:
        return None
    names = {each.candidate.pk: each.name for round_ in rounds for each in round_.designs}
    key = line.quote["candidate"]
    expires = datetime.fromisoformat(line.quote["expires"])
    promise = datetime.fromisoformat(line.quote["promise"])
    if expires <= timezone.now():
        return None
    return Held(candidate=key, name=names.get(key, "?"), expires=expires, promise=promise, lot=line.quote["lot"])


def _digest(line: OrderLine, chosen: Design | None) -> str:
    return services.digest_of(work.specification(line, chosen.candidate)) if chosen else ""


def _strike_off(membership: Membership, line: OrderLine) -> bool:
    """Whether this person can take the customer's yes to this strike-off now."""
    bulk = line.sample_of
    ready = bulk is not None and bulk.state == LineState.DRAFT and line.state in strikeoffs.MADE
    return ready and membership.role in sales.MAY_PLACE


def _paper(line: OrderLine) -> dict[str, Any]:
    """Files, plan, clock and history."""
    read, files = clock.read(line), work.files_of(line)
    return {
        "promise": datetime.fromisoformat(line.plan["promise"]) if line.plan else None,
        "slots": [
            {**slot, **{end: datetime.fromisoformat(slot[end]) for end in ("start", "end")}}
            for slot in (line.plan or {}).get("slots", ())
        ],
        "files": files,
        "file_count": len(files),
        "sent": sending.sent(line),
        "clock": read,
        "stages": [(STAGES.get(name, name), seconds) for name, seconds in read["stages_s"].items()],
        "events": sorted(line.events.all(), key=lambda event: -event.sequence),
    }


def _other_cloths(line: OrderLine) -> list[tuple[str, str]]:
    """Return the cloths that a printed line could be printed on, its own among them; a woven line has its weave."""
    if not line.substrate:
        return []
    cloths = [(value.partition(":"), label) for value, label in production.cloths(line.order.shop.slug)]
    return [(code, label) for (kind, _colon, code), label in cloths if kind == "substrate"]
