"""Inspections as people see to them: scans are given, defects confirmed or overruled, and it is decided what is done.

What is decided moves the line on at once. A decision is made once: of two at the same moment the second is told who was
quicker.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final
from uuid import UUID, uuid5

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from inventory_sync import words
from orders import audit, floor, flow, looking, reporting, services, steps
from orders.domain.floor import REJECTED, OperationState, Said
from orders.domain.states import LineState
from orders.errors import InspectionOver, InvalidReport, NotInspecting, SentAlready
from orders.models import OrderLine
from production import inspections
from production.domain.grading import Decision, Proposal
from production.inspections import Upload
from production.models import DefectVerdict, Inspection, JobTicket

# What the shop floor calls the reason of a loss, by the kind of the defect.
SCRAPPED_FOR: Final[Mapping[str, str]] = {
    "missing_nozzle": "nozzle", "banding": "misprint", "ink_spot": "stain", "stain": "stain",
    "broken_end": "broken_end", "missing_pick": "other", "hole": "other", "slub": "other",
}  # fmt: skip
CM: Final = Decimal("0.01")


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a person decides of a cloth. Metres that are not said are the proposal's. `why`: where it says otherwise."""

    decision: str
    good_m: Decimal | None = None
    reprint_m: Decimal | None = None
    why: str = ""


# ------------------------------------------------------------------------------------------------ scans


def begin(line: OrderLine, scans: Sequence[Upload], *, by: User, once: UUID) -> Inspection:
    """Take scans of a line's cloth, from the head of the roll on; a worker looks at them. Sent twice, it is one.

    Raises NotInspecting for a line whose cloth is not being inspected, SentAlready, and what keep_scans refuses.
    """
    if (before := _sent_before(line, once)) is not None:
        return before
    _refuse_unless_inspecting(line)
    kept = inspections.keep_scans(line.order.shop.slug, line.reference, scans)
    with transaction.atomic():
        steps.lock_line(line.pk)
        if (before := _sent_before(line, once)) is not None:
            return before
        line = OrderLine.objects.select_related("order__shop").get(pk=line.pk)
        _refuse_unless_inspecting(line)
        ticket = JobTicket.objects.filter(shop=line.order.shop.slug, reference=line.reference)
        newest = ticket.order_by("-revision").first()
        if newest is None:
            raise NotInspecting(f"{line.reference} has no ticket: it says what the cloth should be.")
        now = timezone.now()
        taken = inspections.begin(newest, kept, run=line.run, by=by.get_username(), at=now, once=once)
        details = {"inspection": taken.number, "scans": {each.name: each.sha256 for each in kept}}
        audit.record(line.order.shop, "scans given", actor=by, line=line, to_state=line.state, details=details)
        flow.look_on(line)
    return taken


def _sent_before(line: OrderLine, once: UUID) -> Inspection | None:
    sent = Inspection.objects.filter(once=once).first()
    if sent is not None and (sent.shop, sent.reference) != (line.order.shop.slug, line.reference):
        raise SentAlready(fields={"field": "once"})
    return sent


def _refuse_unless_inspecting(line: OrderLine) -> None:
    if line.state != LineState.INSPECTING:
        is_now = line.state.replace("_", " ")
        raise NotInspecting(
            f"{line.reference} is {is_now}: scans are taken once its cloth is made, and until it is decided on.",
            fields={"state": line.state},
        )


def of(line: OrderLine) -> Any:
    """Return the inspections of a line, the newest first."""
    return looking.of(line)


# ------------------------------------------------------------------------------------------------ defects


def say_of_defect(
    line: OrderLine,
    inspection: Inspection,
    number: int,
    *,
    confirmed: bool,
    by: User,
    kind: str = "",
    place: tuple[float, float, float, float] | None = None,
) -> DefectVerdict:
    """Confirm a defect, name it otherwise, say that it is none, or mark one that was not found (number 0, `place`).

    Grade and proposal follow. Raises InspectionOver once it is decided, and what keep_verdict refuses.
    """
    with transaction.atomic():
        steps.lock_line(line.pk)
        inspection = Inspection.objects.get(pk=inspection.pk)
        _refuse_unless_measured(inspection)
        now = timezone.now()
        said = inspections.keep_verdict(
            inspection, number, confirmed=confirmed, kind=kind, place=place, by=by.get_username(), at=now
        )
        found = inspections.upheld(inspection)
        rule = inspections.rule_of(inspection)
        assert found is not None, "what has a defect was measured"
        assert rule is not None, "what was measured was held against a rule"
        values = inspections.judged(found, rule=rule, wanted_m=line.making_m)
        after = {name: values[name] for name in ("grade", "proposal")}
        Inspection.objects.filter(pk=inspection.pk, state=Inspection.State.MEASURED).update(**after)
        details = {"inspection": inspection.number, "defect": number, "confirmed": confirmed, "kind": said.kind}
        audit.record(line.order.shop, "defect judged", actor=by, line=line, to_state=line.state, details=details)
    return said


# ------------------------------------------------------------------------------------------------ deciding


def decide(line: OrderLine, inspection: Inspection, wish: Wish, *, by: User) -> Inspection:
    """Decide what is done with a cloth, once, and let the line follow: passed, or made once more for so many metres.

    Who decides otherwise than is proposed says why; all of it stays. Raises InspectionOver for who comes second, and
    for scans that were not measured; InvalidReport for metres that can't be; StaleState, IllegalTransition.
    """
    with transaction.atomic():
        steps.lock_line(line.pk)
        line = OrderLine.objects.select_related("order__shop").get(pk=line.pk)
        inspection = Inspection.objects.get(pk=inspection.pk)
        proposal = inspections.proposal_of(inspection)
        if _decided_so(inspection, wish, by):
            return inspection
        _refuse_unless_measured(inspection)
        if line.state != LineState.INSPECTING or line.run != inspection.run:
            raise InspectionOver(f"{line.reference} has moved on meanwhile.", fields={"state": line.state})
        assert proposal is not None, "what was measured has a proposal"
        decided = _fitting(line, proposal, wish)
        values = {
            "state": Inspection.State.DECIDED, "decision": decided.decision, "good_m": decided.good_m,
            "scrap_m": decided.scrap_m, "reprint_m": decided.reprint_m, "decided_by": by.get_username(),
            "decided_at": timezone.now(), "overruled": wish.why.strip() if _otherwise(proposal, decided) else "",
        }  # fmt: skip
        mine = Inspection.objects.filter(pk=inspection.pk, state=Inspection.State.MEASURED)
        if mine.update(**values) != 1:
            raise InspectionOver(fields={"inspection": inspection.number})
        inspection.refresh_from_db()
        inspections.note_drift(inspection)
        _chain(line, inspection, proposal, by)
        _move_on(line, inspection, by)
    return inspection


def _refuse_unless_measured(inspection: Inspection) -> None:
    """Raise InspectionOver with how the inspection stands, unless it waits for a decision."""
    if inspection.state == Inspection.State.MEASURED:
        return
    state = Inspection.State(inspection.state)
    sentence = {
        Inspection.State.WAITING: "The scans have not been looked at yet: wait a moment.",
        Inspection.State.REFUSED: "These scans can't be inspected: give others, or look at the cloth and say on the "
        "shop floor's page whether it is good.",
        Inspection.State.DECIDED: f"{inspection.decided_by} has decided on this cloth already: "
        f"{inspection.decision.replace('_', ' ')}.",
        Inspection.State.OVERTAKEN: "Other scans, or somebody at the cloth itself, have overtaken this inspection.",
    }[state]
    raise InspectionOver(sentence, fields={"inspection": inspection.number, "state": inspection.state})


def _decided_so(inspection: Inspection, wish: Wish, by: User) -> bool:
    """True where the same person has decided the very same: a press that came twice."""
    if inspection.state != Inspection.State.DECIDED or inspection.decided_by != by.get_username():
        return False
    same_good = wish.good_m is None or wish.good_m == inspection.good_m
    return inspection.decision == wish.decision and same_good and wish.reprint_m in {None, inspection.reprint_m}


@dataclass(frozen=True, kw_only=True)
class _Decided:
    decision: str
    good_m: Decimal
    scrap_m: Decimal
    reprint_m: Decimal


def _fitting(line: OrderLine, proposal: Proposal, wish: Wish) -> _Decided:
    """Return a decision with all its metres, once it holds together. Raises InvalidReport naming the field."""
    if wish.decision not in set(Decision):
        choices = [str(each) for each in Decision]
        raise InvalidReport(f"{wish.decision[:20]!r} is no decision.", fields={"field": "decision", "choices": choices})
    decision, making = Decision(wish.decision), line.making_m
    as_proposed = proposal.decision is decision
    reprint = Decimal(0)
    if decision is Decision.REPRINT:
        reprint = (proposal.reprint_m if as_proposed else making) if wish.reprint_m is None else wish.reprint_m
        if not 0 < reprint <= making:
            raise InvalidReport(
                f"{reprint} m can't be made once more: {words.quantity(making, 'm')} were made.",
                fields={"field": "reprint_m", "measured": str(reprint), "limit": str(making)},
            )
    elif wish.reprint_m:
        raise InvalidReport("Metres are made once more with a reprint only.", fields={"field": "reprint_m"})
    good = wish.good_m
    if good is None and as_proposed and (decision is not Decision.REPRINT or reprint == proposal.reprint_m):
        good = proposal.good_m
    if good is None:
        if decision is Decision.CUT_OUT:
            raise InvalidReport("How many good metres are left?", fields={"field": "good_m"})
        good = making - reprint
    most = making * (1 + reporting.TOLERANCE)
    least = Decimal(0) if decision is Decision.REPRINT else CM
    if not least <= good <= most:
        raise InvalidReport(
            f"{good} m of good cloth can't be: {words.quantity(making, 'm')} were made.",
            fields={"field": "good_m", "measured": str(good), "limit": str(most)},
        )
    decided = _Decided(
        decision=str(decision), good_m=good, reprint_m=reprint,
        scrap_m=Decimal(0) if decision in {Decision.PASS, Decision.SECONDS} else max(Decimal(0), making - good),
    )  # fmt: skip
    if _otherwise(proposal, decided) and not wish.why.strip():
        proposed = f"{proposal.decision.replace('_', ' ')}" if proposal.decision else "that a person decides"
        raise InvalidReport(f"Proposed is {proposed}: say why it is decided otherwise.", fields={"field": "why"})
    return decided


def _otherwise(proposal: Proposal, decided: _Decided) -> bool:
    if proposal.decision != decided.decision:
        return True
    return decided.reprint_m != proposal.reprint_m or decided.good_m != proposal.good_m


def _chain(line: OrderLine, inspection: Inspection, proposal: Proposal, by: User) -> None:
    grade = inspections.grade_of(inspection)
    details = {
        "inspection": inspection.number, "run": inspection.run, "decision": inspection.decision,
        "proposed": str(proposal.decision or ""), "why": inspection.overruled, "good_m": str(inspection.good_m),
        "scrap_m": str(inspection.scrap_m), "reprint_m": str(inspection.reprint_m),
        "points_per_100m2": round(grade.per_100m2, 2) if grade else None, "synthetic": inspection.synthetic,
    }  # fmt: skip
    audit.record(line.order.shop, "inspected", actor=by, line=line, to_state=line.state, details=details)


def _move_on(line: OrderLine, inspection: Inspection, by: User) -> None:
    """Report the inspection as finished on the shop floor, with its loss: that moves the line on and tells the ERP."""
    again = inspection.reprint_m if inspection.decision == Decision.REPRINT else None
    route = floor.operations(line)
    here = next((each for each in route if each.inspects), None)
    if here is None:  # a route of one operation: nobody reports its inspection
        if again is None:
            services.passed(line, by=by)
        else:
            services.failed(line, by=by, again_m=again, why=_why(inspection))
        return

    def say(kind: Said, **more: Any) -> None:
        new = reporting.NewReport(
            once=uuid5(inspection.once, f"{inspection.pk}:{kind}"), run=line.run, operation=here.number, kind=kind,
            sure=True, **more,
        )  # fmt: skip
        reporting.report(line, new, by=by)

    if here.state is OperationState.WAITING:
        say(Said.START)
    if inspection.scrap_m:
        say(Said.SCRAP, metres=inspection.scrap_m, reason=_scrapped_for(inspection))
    reason = "" if again is None else REJECTED
    say(Said.FINISH, metres=inspection.good_m, reason=reason, again_m=again, why=_why(inspection))


def _scrapped_for(inspection: Inspection) -> str:
    """Return why metres are lost, as the shop floor calls it: by the fault with the most points."""
    grade, proposal = inspections.grade_of(inspection), inspections.proposal_of(inspection)
    broken = {each.code for each in proposal.reasons if not each.kept} if proposal else set()
    if "colour" in broken:
        return "wrong_shade"
    faults = grade.faults if grade else ()
    worst = max(faults, key=lambda each: (each.points, each.long_mm), default=None)
    return SCRAPPED_FOR.get(worst.kind, "other") if worst else "other"


def _why(inspection: Inspection) -> str:
    """Return in a few words why a cloth failed, for sales."""
    if inspection.overruled:
        return inspection.overruled[:200]
    proposal = inspections.proposal_of(inspection)
    broken = [each.sentence.rstrip(".") for each in proposal.reasons if not each.kept] if proposal else []
    return "; ".join(broken)[:300]
