"""What people did to designs by hand, by whom and when: the log that stands on a design's provenance sheet."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _

from orders.domain.exploring import Way
from orders.models import Candidate, HumanEdit, Round

WORDS, LOCK, UPLOAD = "words", "lock", "upload"
# What each edit is called; the others are ways of going on from a design.
CALLED = {
    WORDS: _("words revised"),
    LOCK: _("palette locked, drawn again"),
    UPLOAD: _("edited file uploaded"),
    Way.MORE_LIKE_THIS.value: _("variations asked for"),
    Way.REWORD.value: _("drawn again in other words"),
    Way.INTERPOLATE.value: _("met with another design"),
    Way.REDRAW.value: _("colours drawn anew"),
    Way.RESIZE.value: _("size or density changed"),
    Way.RECOLOUR.value: _("recoloured"),
    Way.WALK.value: _("moved in the brand's space"),
}


def note(
    brief: Round,
    what: str,
    *,
    by: User | None,
    of: Candidate | None = None,
    actor: str = "",
    details: Mapping[str, Any] | None = None,
) -> HumanEdit:
    """Write down that a round came of a person's edit, inside the caller's transaction.

    `actor` names who it was where they are no user.
    """
    said = {**(details or {}), **({"actor": actor} if actor else {})}
    return HumanEdit.objects.create(round=brief, of=of, by=by, what=what, details=said)


def edits_of(candidate: Candidate) -> list[HumanEdit]:
    """Return all edits that led to a candidate, in its round and in those it goes on from, the first one first."""
    found: dict[int, HumanEdit] = {}
    ahead, seen = [candidate.round], set()
    while ahead:
        brief = ahead.pop()
        if brief.pk in seen:
            continue
        seen.add(brief.pk)
        edits = list(brief.edits.select_related("by", "of__round"))
        found.update({edit.pk: edit for edit in edits})
        before = [brief.same_as, brief.parent, brief.other_parent, *(edit.of for edit in edits)]
        ahead += [each.round for each in before if each is not None]
        by_hand = any(edit.what == UPLOAD for edit in edits)
        if brief.way == Way.WORDS and brief.number > 1 and not by_hand:  # its words were made from those before
            ahead += list(Round.objects.filter(line=brief.line_id, number=brief.number - 1))
    return [found[number] for number in sorted(found)]


def who(edit: HumanEdit) -> str:
    """Return whose hand it was: a named author, else the person who did it here, else whoever asked."""
    said: str = edit.details.get("author") or (edit.by.get_username() if edit.by else edit.details.get("actor", ""))
    return said


def in_words(edit: HumanEdit) -> str:
    """Return what was changed, beyond what the edit is called."""
    details = edit.details
    parts = []
    if edit.of:
        parts.append(f"design {edit.of.round.number}.{edit.of.position}")
    if edit.what in (WORDS, Way.REWORD) and details.get("words"):
        parts.append(f"“{details['words']}”")
    if edit.what == UPLOAD:
        parts += [str(details.get("file", "")), f"sha256 {str(details.get('sha256', ''))[:16]}"]
    if details.get("palette"):
        parts.append(" ".join(details["palette"]))
    if details.get("amounts"):
        moves = ", ".join(f"{axis} {amount:+g}" for axis, amount in details["amounts"].items())
        parts.append(f"{details.get('space', '')} {details.get('version', '')}: {moves}")
    return "; ".join(filter(None, parts))
