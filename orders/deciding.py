"""What designers said of candidates: kept for good, the newest counts, and what was rejected is offered to nobody."""

from collections.abc import Collection, Sequence

from django.contrib.auth.models import User
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from orders import audit
from orders.domain.states import LineState
from orders.errors import CandidateNotPassed, DecidedMeanwhile, DesignRejected, InvalidDecision, NotReviewable
from orders.models import Candidate, Decision, OrderLine, Shop

# While a line stands here its designs can be judged; later one of them is being made.
REVIEWABLE = frozenset({LineState.GENERATING, LineState.PROOFING, LineState.BLOCKED})
LONGEST_WORDS = 500


class Reason(models.TextChoices):
    """Why a design was accepted or rejected."""

    MOTIF_CUT = "motif_cut", _("a motif is cut")
    OFF_BRIEF = "off_brief", _("not what was asked for")
    COLOURS = "colours", _("colours off the brief")
    EXISTING = "existing", _("looks like an existing design")
    BUSY = "busy", _("too busy")
    EMPTY = "empty", _("too empty")
    SEAM = "seam", _("the repeat shows")
    UNMAKEABLE = "unmakeable", _("details that can't be made well")
    OFF_BRAND = "off_brand", _("not the brand")
    WRONG_SCALE = "wrong_scale", _("motifs too large or too small")
    FITS_BRIEF = "fits_brief", _("what was asked for")
    ON_BRAND = "on_brand", _("the brand")
    GOOD_COLOURS = "good_colours", _("colours go together")
    GOOD_RHYTHM = "good_rhythm", _("a good rhythm")
    FRESH = "fresh", _("a fresh idea")


FOR = (Reason.FITS_BRIEF, Reason.ON_BRAND, Reason.GOOD_COLOURS, Reason.GOOD_RHYTHM, Reason.FRESH)
AGAINST = tuple(reason for reason in Reason if reason not in FOR)


def decide(
    candidate: Candidate, *, accepted: bool, reasons: Sequence[str], words: str, seen: int, by: User | None
) -> Decision:
    """Keep what a designer says of a candidate. The same said twice by the same person is kept once.

    seen: the id of the newest decision that the designer had before them, 0 for none. Raises InvalidDecision,
    CandidateNotPassed, NotReviewable, and DecidedMeanwhile where somebody else has decided since.
    """
    words = " ".join(words.split())
    _check(accepted, reasons, words)
    if accepted and not candidate.passed:
        raise CandidateNotPassed(fields={"field": "candidate", "findings": candidate.findings})
    line = candidate.round.line
    said = {"accepted": accepted, "reasons": sorted(set(reasons)), "words": words}
    with transaction.atomic():
        # With the shop's row nobody else decides about this, or approves it, at the same time (see orders/audit.py).
        Shop.objects.select_for_update().get(pk=line.order.shop_id)
        newest = newest_of([candidate.pk]).get(candidate.pk)
        if newest and newest.by == by and all(getattr(newest, name) == value for name, value in said.items()):
            return newest
        if newest and newest.pk != seen:
            raise DecidedMeanwhile(_meanwhile(newest), fields={"accepted": newest.accepted, "reasons": newest.reasons})
        state = OrderLine.objects.values_list("state", flat=True).get(pk=line.pk)
        if state not in REVIEWABLE:
            raise NotReviewable(fields={"state": state})
        details = {"candidate": candidate.pk, "round": candidate.round.number, "position": candidate.position}
        details |= {"reasons": said["reasons"], "words": words}
        action = "accept" if accepted else "reject"
        audit.record(line.order.shop, action, actor=by, line=line, details=details)
        return Decision.objects.create(candidate=candidate, by=by, **said)


def newest_of(candidates: Collection[int]) -> dict[int, Decision]:
    """Return the newest decision about each of the candidates that anything was decided of."""
    decisions = Decision.objects.filter(candidate__in=candidates).select_related("by").order_by("pk")
    return {decision.candidate_id: decision for decision in decisions}


def rejected(candidates: Collection[int]) -> set[int]:
    """Return which of the candidates are rejected: they are offered to nobody."""
    return {number for number, decision in newest_of(candidates).items() if not decision.accepted}


def refuse_if_rejected(candidate: Candidate) -> None:
    """Raise DesignRejected when the newest decision about a candidate is a rejection."""
    newest = newest_of([candidate.pk]).get(candidate.pk)
    if newest is not None and not newest.accepted:
        why = "; ".join(filter(None, [*reasons_in_words(newest), newest.words]))
        who = newest.by.get_username() if newest.by else "A designer"
        told = f"{who} rejected this design ({why}): choose another, or ask in the studio for it to be looked at again."
        raise DesignRejected(told, fields={"field": "candidate", "reasons": newest.reasons, "words": newest.words})


def reasons_in_words(decision: Decision) -> list[str]:
    """Return the reasons of a decision as people read them."""
    return [str(Reason(code).label) if code in Reason.values else code for code in decision.reasons]


def _check(accepted: bool, reasons: Sequence[str], words: str) -> None:
    if len(words) > LONGEST_WORDS:
        too_long = f"The words are {len(words)} characters long; {LONGEST_WORDS} are kept at most. Shorten them."
        raise InvalidDecision(too_long, fields={"field": "words", "value": len(words), "limit": LONGEST_WORDS})
    known = FOR if accepted else AGAINST
    for code in reasons:
        if code not in known:
            verdict = "accept" if accepted else "reject"
            wrong = f"{code[:40]!r} is no reason to {verdict} a design; choose from the list."
            raise InvalidDecision(wrong, fields={"field": "reasons", "value": code[:40], "limit": list(known)})
    if not accepted and not reasons and not words:
        raise InvalidDecision("Why is it rejected? Choose a reason, or say it in words.", fields={"field": "reasons"})


def _meanwhile(newest: Decision) -> str:
    who = newest.by.get_username() if newest.by else "Somebody"
    did = "accepted" if newest.accepted else "rejected"
    why = "; ".join(filter(None, [*reasons_in_words(newest), newest.words]))
    return f"{who} has {did} this design meanwhile{f' ({why})' if why else ''}. Look again, then decide."
