"""How a line stands, for people who look at it: how far it is, what has changed since, and who was quicker."""

import re
from dataclasses import dataclass
from hashlib import sha256

from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.translation import gettext as _

from orders import work
from orders.domain.states import LineEvent, LineState
from orders.models import AuditEvent, OrderLine, Pin, Round

WORKING = frozenset(
    {LineState.GENERATING, LineState.PLANNING, LineState.RELEASING, LineState.SYNCING, LineState.CANCELLING}
)
# The way of a line, as people follow it.
PATH = (
    LineState.GENERATING, LineState.PROOFING, LineState.PLANNING, LineState.RELEASING, LineState.SYNCING,
    LineState.RELEASED, LineState.IN_PRODUCTION, LineState.INSPECTING, LineState.DONE,
)  # fmt: skip
_PERCENT = re.compile(r"(\d{1,3}) ?%")


@dataclass(frozen=True)
class Overtaken:
    """Why something could not be done any more, and whether it is done all the same."""

    sentence: str
    done: bool  # by the same person: pressed twice, it was done once


def percent(line: OrderLine, brief: Round, *, drawn: int) -> int | None:
    """How much of what is being done is done, from 0 to 100; None: nobody knows."""
    said = _PERCENT.search(line.progress)
    if line.state == LineState.GENERATING and drawn:
        return min(100, round(100 * drawn / max(work.wanted(brief), drawn)))
    return min(100, int(said[1])) if said else None


def mark(line: OrderLine, brief: Round) -> str:
    """Return a mark that changes whenever anything of a line's page does; its first part changes with the designs."""
    candidates = list(brief.candidates.all())
    checked = sum(candidate.passed is not None for candidate in candidates)
    pins = Pin.objects.filter(candidate__round__line=line)
    customer = [
        each.count()
        for each in (
            *(line.links.exclude(opened_at=None), line.links.exclude(closed_at=None)),
            *(line.wishes.all(), line.wishes.exclude(settled_at=None), pins, pins.exclude(settled_at=None)),
            line.notices.filter(settled_at=None),
        )
    ]
    told = (line.version, line.state, line.progress, line.quote, customer)
    said = sha256(repr(told).encode()).hexdigest()[:12]
    return f"{brief.number}-{len(candidates)}-{checked}.{said}"


def overtaken(line: OrderLine, *, wished: str, candidate: int | None, by: User | None) -> Overtaken:
    """Say why a wish came too late for a line that moved on meanwhile, whoever moved it."""
    line.refresh_from_db()
    approval = line.approvals.select_related("by", "candidate__round").order_by("-number").first()
    if wished == LineEvent.APPROVE and approval is not None and line.state not in (LineState.PROOFING, LineState.DRAFT):
        agreed = approval.candidate
        said = _("It is approved already: design %(design)s, by %(who)s at %(when)s. It was approved once only.") % {
            "design": f"{agreed.round.number}.{agreed.position}",
            "who": approval.by.get_username() if approval.by else approval.name or _("the customer"),
            "when": f"{timezone.localtime(approval.at):%H:%M}",
        }
        return Overtaken(said, done=approval.by == by and agreed.position == candidate)
    event = line.events.exclude(from_state="").order_by("-sequence").first()
    now = _("It is %(state)s now.") % {"state": line.get_state_display().replace("_", " ")}
    if event is None:
        return Overtaken(now, done=False)
    said = _("%(who)s was quicker: %(what)s at %(when)s.") % {
        "who": event.actor or _("The line itself"),
        "what": _did(event),
        "when": f"{timezone.localtime(event.at):%H:%M}",
    }
    return Overtaken(f"{said} {now}", done=bool(by and event.actor == by.get_username() and event.action == wished))


def _did(event: AuditEvent) -> str:
    return {
        LineEvent.APPROVE.value: _("a design was approved"),
        LineEvent.REVISE.value: _("it was sent to be drawn again"),
        LineEvent.CHANGE.value: _("it was changed"),
        LineEvent.CANCEL.value: _("it was cancelled"),
        LineEvent.RESUME.value: _("it was tried again"),
    }.get(event.action, _("it went on to %(state)s") % {"state": event.to_state.replace("_", " ")})
