"""What the step of an inspection does: scans against their source, graded, and proposed what is done with the cloth.

What people do with an inspection is in orders/inspecting.py. Like orders/work.py, all here is safe to repeat.
"""

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, Protocol

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.module_loading import import_string

from generation import services as generation
from generation.domain.pattern import Raster
from inventory_sync.ports import Document
from orders import foreseeing, work
from orders.models import Approval, Customer, OrderLine
from production import drifting, inspections
from production.documents.inspection import Decided, InspectionSheet, Verdict, write_inspection_report
from production.domain.grading import Decision, Rule
from production.drifting import Key
from production.errors import ProductionError
from production.files import write_bytes_whole
from production.inspection.capture import says_synthetic
from production.inspection.detect import Threshold
from production.inspection.outcome import Inspected, Reason
from production.inspection.pictures import Pictures, Strip
from production.inspections import Scan
from production.models import Inspection, JobTicket

log = logging.getLogger(__name__)

REPORT: Final = "report"
ABOUT_WIDE_MM: Final = 1500.0  # a cloth, to reckon how much of it pictures will show
STRIP_PX: Final = 650  # of width that a strip has on paper


class Inspector(Protocol):
    """What compares scans with what a ticket's cloth should be; WEFTLINE["inspector"] names it."""

    fingerprint: str  # of the detector: another one scores otherwise

    def inspect(
        self,
        raster: Raster,
        ticket: JobTicket,
        scans: list[Scan],
        *,
        rule: Rule,
        threshold: Threshold,
        on_progress: Any,
        on_strip: Callable[[Strip], None],
    ) -> Inspected: ...


@dataclass(frozen=True)
class Looked:
    """What was found out about an inspection."""

    inspection_id: int
    values: dict[str, Any]


def inspector() -> Inspector:
    """Return what inspects. It is looked up late: it brings a network with it, and a web server needs none."""
    made: Inspector = import_string(settings.WEFTLINE["inspector"])()
    return made


def of(line: OrderLine) -> Any:
    """Return the inspections of a line, the newest first."""
    return Inspection.objects.filter(shop=line.order.shop.slug, reference=line.reference).order_by("-number")


def rule_of(customer: Customer) -> Rule:
    """Return what a customer takes; what its row has otherwise and is no rule is passed over, and logged."""
    try:
        return Rule.of(customer.quality, customer.inspection_rule)
    except (ValueError, TypeError, AttributeError) as error:
        log.warning("what %s takes is read as its class: %s", customer.name, error)
        return Rule.of(customer.quality)


def waits(line: OrderLine) -> bool:
    """True while scans of the line's present run are there that nobody has looked at."""
    return of(line).filter(run=line.run, state=Inspection.State.WAITING).exists()


def look(line: OrderLine) -> Looked | None:
    """Compare the newest scans of a line with their source; None where there is nothing (any more) to look at.

    What can't be inspected is an answer too, with its reason. Raises what may be otherwise at another try.
    """
    inspection = of(line).filter(run=line.run, state=Inspection.State.WAITING).first()
    if inspection is None:
        return None
    work.say(line, "looking at the scans of the cloth")
    approval = work.newest_approval(line)
    shop = line.order.shop.slug
    ticket = JobTicket.objects.filter(shop=shop, reference=line.reference, revision=inspection.revision).first()
    if ticket is None:
        gone = "The ticket that says what this cloth should be is not there any more."
        return Looked(inspection.pk, inspections.refused("no_ticket", gone))
    looks, rule = inspector(), rule_of(line.order.customer)
    key = Key(inspection.machine, inspection.ink_set, inspection.article)
    rule = replace(rule, most_de00=rule.most_de00 * drifting.share_of_limit(shop, key))
    set_ = inspections.threshold_set(shop, inspection.article, fingerprint=looks.fingerprint)
    threshold = inspections.threshold_by(set_)
    scans = [Scan.of(each) for each in inspection.scans]
    # What a file says of itself holds whatever comes of it: also where it can't be inspected.
    simulated = any(says_synthetic(each.path) for each in scans)
    folder = inspections.folder_of(inspection) / inspections.PICTURES
    pictures = Pictures(folder, about_mm2=float(line.making_m) * 1000 * ABOUT_WIDE_MM)
    try:
        found = looks.inspect(
            raster_of(approval, ticket),
            ticket,
            scans,
            rule=rule,
            threshold=threshold,
            on_progress=partial(_say, line),
            on_strip=pictures.take,
        )
    except ProductionError as refusal:
        if refusal.retryable:
            raise
        return Looked(inspection.pk, {**inspections.refused(refusal.code, str(refusal)), "synthetic": simulated})
    found = replace(found, synthetic=found.synthetic or simulated)
    values = inspections.judged(found, rule=rule, wanted_m=line.making_m)
    values["threshold"] = inspections.threshold_as_dict(set_)
    if found.trusted:
        index = pictures.finish(found.defects)
        values["files"] = [*inspection.files, inspections.file_entry(inspections.PICTURES, index)]
    return Looked(inspection.pk, values)


def raster_of(approval: Approval, ticket: JobTicket) -> Raster:
    """Return the design as large as the ticket's files have it."""
    raster = generation.raster_of(approval.candidate.artwork)
    repeat = ticket.manifest.get("repeat")
    width_px, height_px = repeat["pixels"] if repeat else (raster.width_px, raster.height_px)
    return generation.at_size(raster, width_px=width_px, height_px=height_px, repeat=raster.repeat)


def _say(line: OrderLine, what: str, done: int, of_how_many: int) -> None:
    work.say(line, f"inspecting the cloth: {what}, {10 * (10 * done // max(of_how_many, 1))} %")


def keep(line: OrderLine, looked: Looked | None) -> None:
    """Write down what was found; nothing where the line or newer scans have overtaken it."""
    if looked is None:
        return
    waiting = Inspection.objects.filter(pk=looked.inspection_id, state=Inspection.State.WAITING)
    waiting.update(**looked.values, measured_at=timezone.now())


def give_up(line: OrderLine, error: Exception) -> None:
    """Let a person look after the last try: the scans stay, with what went wrong."""
    code, sentence = getattr(error, "code", "unexpected"), f"The scans could not be looked at: {error}"
    values = {**inspections.refused(code, sentence), "measured_at": timezone.now()}
    of(line).filter(run=line.run, state=Inspection.State.WAITING).update(**values)


def overtake(line: OrderLine, *, run: int) -> None:
    """Close what nobody decided of a run that is over; inside the caller's transaction."""
    of(line).filter(run=run, state__in=inspections.OPEN).update(state=Inspection.State.OVERTAKEN)


# ------------------------------------------------------------------------------------------------ the report


def untold(line: OrderLine, *, run: int) -> list[Inspection]:
    """Return the decided inspections of a run whose report the ERP does not have yet."""
    return list(of(line).filter(run=run, state=Inspection.State.DECIDED, told_at=None).order_by("number"))


def report_of(line: OrderLine, inspection: Inspection) -> Document:
    """Return the report of a decided inspection as a document; it is written once, with what follows as it stands then.

    Raises ErpError where that has to be asked and is not answered.
    """
    kept = next((each for each in inspection.files if each["kind"] == REPORT), None)
    if kept is None:
        name = f"{line.reference}-r{inspection.revision}-inspection-{inspection.number}.pdf"
        path = inspections.folder_of(inspection) / name
        follows = foreseeing.follows(line, inspection)
        write_bytes_whole(path, write_inspection_report(sheet_of(line, inspection, follows=follows)))
        kept = inspections.keep_file(inspection, REPORT, path)
    path = inspections.folder_of(inspection) / kept["name"]
    return Document(name=kept["name"], mime="application/pdf", path=path, sha256=kept["sha256"])


def sheet_of(line: OrderLine, inspection: Inspection, *, follows: Sequence[str] = ()) -> InspectionSheet:
    """Return all that the report of an inspection says, decided or not. follows: what comes of the decision."""
    shop, decided = line.order.shop, None
    if inspection.state == Inspection.State.DECIDED:
        decided = Decided(
            decision=Decision(inspection.decision),
            good_m=inspection.good_m,
            scrap_m=inspection.scrap_m,
            reprint_m=inspection.reprint_m,
            overruled=inspection.overruled,
            by=inspection.decided_by,
            at=inspection.decided_at,
            consequence=tuple(follows),
        )
    said = inspections.verdicts_of(inspection)
    reason, album = inspection.reason, inspections.pictures_of(inspection)
    return InspectionSheet(
        shop=shop.name,
        reference=line.reference,
        revision=inspection.revision,
        run=inspection.run,
        number=inspection.number,
        customer=line.order.customer.name,
        article=inspection.article,
        machine=inspection.machine,
        ink_set=inspection.ink_set,
        ordered_m=line.quantity_m,
        by=inspection.by,
        at=inspection.at,
        # The same inspection gives the same bytes, whenever its report is written.
        issued=inspection.decided_at or inspection.measured_at or inspection.at,
        tz=shop.time_zone,
        paper=shop.paper,
        url=settings.WEFTLINE["public_url"] + reverse("inspect-one", args=[line.reference, inspection.number]),
        found=inspections.outcome_of(inspection),
        reason=Reason(reason["code"], reason["sentence"]) if reason else None,
        grade=inspections.grade_of(inspection),
        rule=inspections.rule_of(inspection),
        proposal=inspections.proposal_of(inspection),
        strips=[album.read(each, at_least_px=STRIP_PX) for each in album.strips] if album else (),
        close_ups={number: album.read(each) for number, each in album.close_ups.items()} if album else {},
        verdicts={each.number: Verdict(each.confirmed, each.kind, each.by, each.at) for each in said.values()},
        decided=decided,
        simulated=inspection.synthetic,
        looked_for=inspections.threshold_in_words(inspection),
    )


def note_told(line: OrderLine, runs: Collection[int]) -> None:
    """Note that the ERP has the reports of these runs; one that was decided on since has not been written."""
    untold = of(line).filter(run__in=runs, state=Inspection.State.DECIDED, told_at=None)
    written = [each.pk for each in untold if any(file["kind"] == REPORT for file in each.files)]
    Inspection.objects.filter(pk__in=written).update(told_at=timezone.now())
