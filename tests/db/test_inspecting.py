"""From scans to a decision, and what follows from it: for the line, the ERP, the costing, and for sales."""

import uuid
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from inventory_sync.models import LedgerAttachment, LedgerLot, LedgerOrder, LedgerSaleLine, LedgerScrap, LedgerTask
from orders import audit, flow, following, foreseeing, inspecting, looking, names, reporting, reprinting, services
from orders.domain.floor import Said
from orders.errors import InspectionOver, InvalidReport, NotInspecting, SentAlready
from orders.inspecting import Wish
from orders.models import AuditEvent, FloorReport, Notice, OrderLine, Step
from production.errors import DiskFull, InvalidScans
from production.inspection.simulate import write_scan
from production.models import (
    CostSheet,
    DefectThreshold,
    DefectVerdict,
    DriftReading,
    Inspection,
    JobTicket,
    MachineProfile,
)
from tests.inspected import on_the_inspection_table
from tests.quick_inspector import QuickInspector, cloth, refused
from tests.shop_floor import now, on_the_table, planned, released, work_on

pytestmark = pytest.mark.django_db
BAD = (("hole", 300.0, 1200.0, 4.0, 4.0), ("stain", 700.0, 4100.0, 90.0, 160.0))


@pytest.fixture
def ann(mill):
    return User.objects.create_user("ann")


@pytest.fixture
def inspector(settings, monkeypatch):
    """What the next look at a cloth sees."""
    settings.WEFTLINE = {**settings.WEFTLINE, "inspector": "tests.quick_inspector.QuickInspector"}

    def sees(found):
        monkeypatch.setattr(QuickInspector, "sees", found)

    return sees


def scan(content=b"a scan", name="head.tif"):
    return SimpleUploadedFile(name, content)


def inspected(line, *, by, scans=None):
    """The newest inspection of the line, once its scans were looked at."""
    taken = inspecting.begin(now(line), scans or [scan(uuid.uuid4().bytes)], by=by, once=uuid.uuid4())
    work_on(line)
    return Inspection.objects.get(pk=taken.pk)


@pytest.fixture
def whole(quick, inspector, ann):
    """A line that went all the way: its cloth is made and waits for its inspection, and the ERP knows of it."""
    inspector(cloth())
    return on_the_inspection_table(released(quick), by=ann)


@pytest.fixture
def line(mill, inspector):
    """A line whose cloth waits for its inspection, quickly: nothing was drawn, and the ERP has no record of it."""
    inspector(cloth())
    return on_the_table(planned(mill, state="inspecting"))


# ------------------------------------------------------------------------------------------------ good cloth


def test_a_good_cloth_is_graded_proposed_confirmed_and_done(whole, ann):
    line = whole
    found = inspected(line, by=ann)
    assert (found.state, found.proposal["decision"], found.grade["points"]) == ("measured", "pass", 0)
    assert found.synthetic
    assert now(line).state == "inspecting", "a person decides"
    decided = inspecting.decide(now(line), found, Wish(decision="pass"), by=ann)
    assert (decided.decision, decided.good_m, decided.scrap_m, decided.decided_by) == ("pass", 6, 0, "ann")
    line = work_on(line)
    assert line.state == "done"
    order = LedgerOrder.objects.get()
    assert order.state == "done"
    assert not LedgerScrap.objects.exists()
    (report,) = LedgerAttachment.objects.filter(order=order, name__contains="inspection")
    assert report.mime == "application/pdf"
    assert Inspection.objects.get().told_at
    assert DriftReading.objects.get().machine
    assert audit.first_broken(line.order.shop) is None
    following.follow(line.order.shop)
    assert now(line).state == "done"
    # Told once more, it is there once.
    FloorReport.objects.update(told_at=None)
    Inspection.objects.update(told_at=None)
    with transaction.atomic():
        flow.open_for(line, "report")
    work_on(line)
    assert LedgerAttachment.objects.filter(name__contains="inspection").count() == 1


# ------------------------------------------------------------------------------------------------ the whole loop


def test_a_bad_roll_is_graded_and_made_once_more_and_everybody_is_told(quick, whole, ann, inspector):
    """Graded → reprint planned → scrap and new work order in the ERP → promise updated → report attached."""
    line = whole
    line.order.customer.inspection_rule = {"short_pct": 0}
    line.order.customer.save()
    first = line.plan
    # It was planned days ago, as cloth on a table was.
    earlier = (datetime.fromisoformat(first["promise"]) - timedelta(days=3)).isoformat()
    OrderLine.objects.update(plan={**first, "promise": earlier})
    inspector(cloth(*BAD))
    found = inspected(line, by=ann)
    assert found.grade["points"] == 4 + 3
    assert found.proposal["decision"] == "reprint"
    # What is around the hole and the stain is cut out: two pieces are left, and the third is made once more.
    assert Decimal(found.proposal["reprint_m"]) < 6
    again = Decimal(found.proposal["reprint_m"])
    good = Decimal(found.proposal["good_m"])
    inspecting.decide(now(line), found, Wish(decision="reprint"), by=ann)
    assert now(line).state == "planning"
    line = work_on(line)
    assert (line.state, line.run, line.run_m, line.quantity_m) == ("released", 2, again, 6), line.blocked
    # Fabric, slots and promise again, for so many metres only.
    fabric = next(m for m in line.plan["materials"] if m["sku"] == line.substrate)
    before = next(m for m in first["materials"] if m["sku"] == line.substrate)
    assert Decimal(fabric["quantity"]) < Decimal(before["quantity"])
    assert line.plan["promise"] > earlier
    # In the ERP: the first order is done and its loss is scrap; another with work orders of its own is confirmed.
    orders = {order.external_id: order for order in LedgerOrder.objects.all()}
    one, two = orders[names.record_id(line, run=1)], orders[names.record_id(line)]
    assert (one.state, two.state, two.quantity) == ("done", "confirmed", again)
    assert two.work_orders.count() == len(line.plan["slots"])
    assert one.scraps.get().quantity == 6 - good
    reports = one.attachments.filter(name__contains="inspection").values_list("name", flat=True)
    assert list(reports) == [f"{line.reference}-r1-inspection-1.pdf"]
    assert LedgerSaleLine.objects.get().quantity == 6, "the customer still gets what was sold"
    # Sales are told, here and there.
    notice = Notice.objects.get(code=reprinting.NOTICE)
    assert "made once more" in notice.sentence
    assert "tell the customer" in notice.sentence
    assert LedgerTask.objects.filter(external_id=names.sale_id(line.order), summary__contains="made once more").exists()
    following.follow(quick)
    assert Notice.objects.get(code=reprinting.NOTICE).settled_at is None, "a person settles it"
    # Its cost stands on the costing that the price stands on; the reprint's own sheet asks nothing of the customer.
    sheets = {sheet.ticket.revision: sheet for sheet in CostSheet.objects.all()}
    assert sheets[2].price == 0
    use = sheets[1].ticket.uses.get(code="reprint:2")
    assert use.rate == sheets[2].total > 0
    assert sheets[1].actual > sheets[1].total
    assert JobTicket.objects.get(revision=2).manifest["quantity_m"] == float(again)
    # And what is made once more is good.
    inspector(cloth(length_m=float(again)))
    line = on_the_inspection_table(line, by=ann)
    found = inspected(line, by=ann)
    assert (found.run, found.number, found.proposal["decision"]) == (2, 2, "pass"), found.proposal
    inspecting.decide(now(line), found, Wish(decision="pass"), by=ann)
    line = work_on(line)
    assert line.state == "done"
    assert {order.state for order in LedgerOrder.objects.all()} == {"done"}
    assert audit.first_broken(quick) is None


def test_what_fails_twice_is_made_once_more_of_what_is_missing_alone_until_there_is_no_fabric(whole, ann, inspector):
    line = whole
    inspector(cloth(*BAD))
    found = inspected(line, by=ann)
    wish = Wish(decision="reprint", good_m=Decimal(4), reprint_m=Decimal(2), why="the two holes")
    inspecting.decide(now(line), found, wish, by=ann)
    line = work_on(line)
    with pytest.raises(services.Refusals, match="are made and good"):
        services.propose_change(line, quantity_m=Decimal(4))
    services.change(line, quantity_m=Decimal(7), by=None)
    line = work_on(line)
    assert (line.state, line.quantity_m, line.run_m, line.run) == ("released", 7, 3, 2), line.blocked
    line = on_the_inspection_table(line, by=ann)
    inspector(cloth(length_m=3.0, de00=7.0))
    found = inspected(line, by=ann)
    assert Decimal(found.proposal["reprint_m"]) == 3
    LedgerLot.objects.filter(product__sku=line.substrate).update(on_hand=F("held"))
    inspecting.decide(now(line), found, Wish(decision="reprint"), by=ann)
    assert FloorReport.objects.get(kind=Said.SCRAP, run=2).reason == "wrong_shade"
    line = work_on(line)
    assert (line.state, line.run, line.run_m) == ("blocked", 3, 3)
    services.cancel(line, by=None)
    assert work_on(line).state == "cancelled"


def test_a_cloth_whose_bad_part_is_cut_out_is_delivered_and_its_loss_is_scrap(whole, ann, inspector):
    line = whole
    inspector(cloth(("hole", 300.0, 100.0, 4.0, 4.0)))
    found = inspected(line, by=ann)
    assert found.proposal["decision"] == "cut_out"
    decided = inspecting.decide(now(line), found, Wish(decision="cut_out"), by=ann)
    assert Decimal("5.7") < decided.good_m < 6
    line = work_on(line)
    assert line.state == "done"
    assert LedgerScrap.objects.get().quantity == 6 - decided.good_m
    sheet = CostSheet.objects.get()
    assert not any(use.code == line.substrate for use in sheet.ticket.uses.all()), "it took no more fabric than planned"


def test_seconds_are_delivered_as_what_they_are(line, ann, inspector):
    line.order.customer.quality = "promo"
    line.order.customer.save()
    inspector(cloth(de00=5.0))
    found = inspected(line, by=ann)
    assert found.proposal["decision"] == "seconds"
    inspecting.decide(now(line), found, Wish(decision="seconds"), by=ann)
    assert work_on(line).state == "done"


# ------------------------------------------------------------------------------------------------ who decides


def test_who_comes_second_is_told_who_was_quicker(line, ann, inspector):
    inspector(cloth(*BAD))
    found = inspected(line, by=ann)
    ben = User.objects.create_user("ben")
    inspecting.decide(now(line), found, Wish(decision="pass", why="seen at the table"), by=ben)
    with pytest.raises(InspectionOver, match="ben has decided"):
        inspecting.decide(now(line), found, Wish(decision="reprint"), by=ann)
    again = inspecting.decide(now(line), found, Wish(decision="pass", why="seen at the table"), by=ben)
    assert again.decision == "pass", "the same press twice"
    assert AuditEvent.objects.filter(action="inspected").count() == 1


def test_who_decides_otherwise_than_proposed_says_why(line, ann, inspector):
    inspector(cloth(*BAD))
    found = inspected(line, by=ann)
    with pytest.raises(InvalidReport, match="say why"):
        inspecting.decide(now(line), found, Wish(decision="pass"), by=ann)
    assert now(line).state == "inspecting"
    inspecting.decide(now(line), found, Wish(decision="pass", why="The stain washes out."), by=ann)
    event = AuditEvent.objects.get(action="inspected")
    assert (event.details["proposed"], event.details["decision"]) == ("reprint", "pass") or event.details["why"]
    assert event.details["why"] == "The stain washes out."


WRONG = [
        ({"decision": "burn"}, "decision"),
        ({"decision": "reprint", "reprint_m": Decimal(7), "why": "x"}, "reprint_m"),
        ({"decision": "reprint", "reprint_m": Decimal(0), "why": "x"}, "reprint_m"),
        ({"decision": "pass", "reprint_m": Decimal(1), "why": "x"}, "reprint_m"),
        ({"decision": "pass", "good_m": Decimal(60), "why": "x"}, "good_m"),
        ({"decision": "cut_out", "why": "x"}, "good_m"),
]  # fmt: skip


def test_metres_that_can_t_be_are_refused_and_nothing_is_decided(line, ann):
    found = inspected(line, by=ann)
    for wish, field in WRONG:
        with pytest.raises(InvalidReport) as refusal:
            inspecting.decide(now(line), found, Wish(**wish), by=ann)
        assert refusal.value.fields["field"] == field
    assert Inspection.objects.get().state == "measured"
    assert now(line).state == "inspecting"


def test_a_defect_that_is_none_is_overruled_and_grade_and_proposal_follow(line, ann, inspector):
    inspector(cloth(*BAD))
    found = inspected(line, by=ann)
    inspecting.say_of_defect(line, found, 1, confirmed=False, by=ann)
    found.refresh_from_db()
    assert found.grade["points"] == 3
    inspecting.say_of_defect(line, found, 2, confirmed=True, kind="ink_spot", by=ann)
    inspecting.say_of_defect(line, found, 0, confirmed=True, kind="hole", place=(10, 20, 3, 3), by=ann)
    found.refresh_from_db()
    assert {each["kind"] for each in found.grade["faults"]} == {"ink_spot", "hole"}
    assert len(found.outcome["defects"]) == 2, "what was found stays as it was found"
    kept = DefectVerdict.objects.get(number=1)
    assert (kept.found_kind, kept.confirmed, kept.crop["x_mm"]) == ("hole", False, 300.0)
    assert kept.crop["scan"] == found.scans[0]["sha256"]
    for wrong in ({"number": 9}, {"number": 1, "kind": "moth"}, {"number": 0}, {"number": 0, "place": (-1, 0, 5, 5)}):
        with pytest.raises(InvalidScans):
            inspecting.say_of_defect(line, found, **{"confirmed": True, **wrong}, by=ann)


# ------------------------------------------------------------------------------------------------ not inspectable


def test_what_can_t_be_inspected_has_a_reason_and_never_a_grade_and_new_scans_are_taken(line, ann, inspector):
    inspector(refused())
    found = inspected(line, by=ann)
    assert (found.state, found.reason["code"], found.grade, found.proposal) == ("refused", "no_marks", None, None)
    assert now(line).state == "inspecting"
    with pytest.raises(InspectionOver, match="give others"):
        inspecting.decide(now(line), found, Wish(decision="pass"), by=ann)
    inspector(InvalidScans("It is blurred: scan it once more.", fields={"field": "scans"}))
    found = inspected(line, by=ann)
    assert (found.number, found.reason["code"]) == (2, "invalid_scans")
    inspector(cloth())
    found = inspected(line, by=ann)
    assert (found.number, found.state) == (3, "measured")
    assert set(Inspection.objects.filter(number__lt=3).values_list("state", flat=True)) == {"overtaken"}


def simulated(tmp_path, name="roll.png"):
    """A simulated scan as somebody sends it."""
    path = tmp_path / name
    write_scan(path, np.full((60, 60, 3), 120, np.uint8))
    return scan(path.read_bytes(), name)


def test_a_simulated_scan_stays_called_synthetic_whatever_comes_of_it(line, ann, inspector, tmp_path):
    inspector(cloth(synthetic=False))
    assert not inspected(line, by=ann).synthetic, "a scan that does not say so"
    found = inspected(line, by=ann, scans=[scan(), simulated(tmp_path)])
    assert (found.state, found.synthetic, found.outcome["synthetic"]) == ("measured", True, True)
    inspector(InvalidScans("It is blurred: scan it once more.", fields={"field": "scans"}))
    found = inspected(line, by=ann, scans=[simulated(tmp_path)])
    assert (found.state, found.synthetic, found.outcome) == ("refused", True, None)
    assert looking.sheet_of(now(line), found).synthetic
    inspector(replace(refused(), synthetic=False))
    found = inspected(line, by=ann, scans=[simulated(tmp_path, "again.tif")])
    assert (found.state, found.synthetic, found.outcome["synthetic"]) == ("refused", True, True)


def test_an_inspection_keeps_how_closely_its_cloth_was_looked_at(mill, line, ann, inspector):
    inspector(cloth())
    assert inspected(line, by=ann).threshold["set"] is False
    DefectThreshold.objects.create(
        shop=mill.slug, article=line.substrate, fingerprint="quick", high=7.5, low=-1.0, clean_m2=3.0,
        false_alarms_per_m2=2, by="ann", at=timezone.now(),
    )  # fmt: skip
    DefectThreshold.objects.create(
        shop=mill.slug, article=line.substrate, fingerprint="another detector", high=1, low=0, clean_m2=3.0,
        false_alarms_per_m2=50, by="ann", at=timezone.now(),
    )  # fmt: skip
    found = inspected(line, by=ann)
    assert (found.threshold["high"], found.threshold["false_alarms_per_m2"]) == (7.5, 2)
    assert "at most 2 false alarms per m²" in looking.sheet_of(now(line), found).looked_for


def test_what_follows_a_decision_stands_in_its_report(whole, ann, inspector):
    """Before it is planned as the shop stood then, once it is planned as it is planned."""
    line = whole
    inspector(cloth(*BAD))
    found = inspected(line, by=ann)
    wish = Wish(decision="reprint", good_m=Decimal(4), reprint_m=Decimal(2), why="the two holes")
    found = inspecting.decide(now(line), found, wish, by=ann)
    before = foreseeing.follows(now(line), found)
    assert before[0] == "2 m are scrapped in the ERP."
    assert "as the shop stood then, on PRET from roll" in before[1]
    assert before[-1].startswith("It costs about")
    line = work_on(line)
    found.refresh_from_db()
    after = foreseeing.follows(line, found)
    assert "as the shop stood" not in " ".join(after)
    assert f"from roll {line.plan['lot']}" in after[1]
    assert after[2].startswith("It is promised for")
    sheet = CostSheet.objects.get(ticket__revision=2)
    assert after[-1] == f"It costs {sheet.total:.2f} {sheet.currency}."
    MachineProfile.objects.filter(kind="printer").delete()
    OrderLine.objects.update(plan=None)
    assert "could not be promised" in " ".join(foreseeing.follows(now(line), found))


def test_a_person_may_still_pass_or_fail_a_cloth_by_eye(line, ann, inspector):
    inspector(refused())
    inspected(line, by=ann)
    last = len(line.plan["slots"]) - 1
    for kind, more in (("start", {}), ("finish", {"metres": Decimal(6)})):
        new = reporting.NewReport(once=uuid.uuid4(), run=1, operation=last, kind=kind, sure=True, **more)
        reporting.report(line, new, by=ann)
    assert work_on(line).state == "done"
    assert Inspection.objects.get().state == "overtaken"
    assert not LedgerAttachment.objects.filter(name__contains="inspection").exists()


def test_some_metres_of_a_cloth_that_fails_by_eye_are_made_once_more(whole, ann):
    line = whole
    last = len(line.plan["slots"]) - 1
    said = [("start", {}), ("scrap", {"metres": Decimal(2), "reason": "stain"})]
    said += [("finish", {"metres": Decimal(4), "reason": "rejected", "again_m": Decimal(2)})]
    for kind, more in said:
        new = reporting.NewReport(once=uuid.uuid4(), run=1, operation=last, kind=kind, sure=True, **more)
        reporting.report(line, new, by=ann)
    line = work_on(line)
    assert (line.state, line.run, line.run_m) == ("released", 2, 2), line.blocked
    assert LedgerScrap.objects.get().quantity == 2


def test_a_length_that_was_not_seen_whole_is_for_a_person(line, ann, inspector):
    inspector(cloth(length_m=3.0))
    found = inspected(line, by=ann)
    assert found.proposal["decision"] == ""
    with pytest.raises(InvalidReport, match="say why"):
        inspecting.decide(now(line), found, Wish(decision="pass"), by=ann)
    inspecting.decide(now(line), found, Wish(decision="pass", why="the rest was seen at the table"), by=ann)
    assert work_on(line).state == "done"


# ------------------------------------------------------------------------------------------------ scans


def test_scans_are_taken_once_and_only_while_the_cloth_is_inspected(mill, line, ann):
    once = uuid.uuid4()
    first = inspecting.begin(line, [scan()], by=ann, once=once)
    second = inspecting.begin(line, [scan()], by=ann, once=once)
    assert first == second
    assert Step.objects.filter(line=line, kind="inspect").count() == 1
    other = planned(mill)
    with pytest.raises(SentAlready):
        inspecting.begin(other, [scan()], by=ann, once=once)
    with pytest.raises(NotInspecting, match="is released"):
        inspecting.begin(other, [scan()], by=ann, once=uuid.uuid4())


def test_what_are_no_scans_is_refused_before_anything_is_written(line, ann):
    many = [scan(bytes([number])) for number in range(61)]
    for scans in ([], [scan(name="x.exe")], [scan(b"")], [scan(), scan(name="again.tif")], many):
        with pytest.raises(InvalidScans):
            inspecting.begin(line, scans, by=ann, once=uuid.uuid4())
    assert not Inspection.objects.exists()


def test_a_scan_is_kept_under_its_content_whatever_it_is_called(line, ann, settings):
    taken = inspecting.begin(line, [scan(name="../../etc/passwd\x00.tif")], by=ann, once=uuid.uuid4())
    (kept,) = taken.scans
    assert kept["path"].startswith(str(settings.VAR_DIR))
    assert kept["sha256"] in kept["path"]
    assert "/" not in kept["name"]


def test_newer_scans_take_the_place_of_those_that_nobody_decided_on(line, ann, inspector):
    inspector(cloth(*BAD))
    old = inspected(line, by=ann)
    inspector(cloth())
    new = inspected(line, by=ann)
    old.refresh_from_db()
    assert (old.state, new.state) == ("overtaken", "measured")
    with pytest.raises(InspectionOver, match="overtaken"):
        inspecting.decide(now(line), old, Wish(decision="pass", why="x"), by=ann)


def test_scans_do_not_wait_for_an_erp_that_is_away(mill, distant, ann, inspector):
    mill.refresh_from_db()
    inspector(cloth())
    line = on_the_table(planned(mill, state="inspecting"))
    distant.cut = True
    last = len(line.plan["slots"]) - 1
    new = reporting.NewReport(once=uuid.uuid4(), run=1, operation=last, kind="start", sure=True)
    reporting.report(line, new, by=ann)
    assert Step.objects.get(line=line, state="pending").kind == "report"
    found = inspected(line, by=ann)
    assert found.state == "measured"
    inspecting.decide(now(line), found, Wish(decision="pass"), by=ann)
    distant.cut = False
    Step.objects.filter(state="pending").update(due_at="2020-01-01T00:00:00Z")
    assert work_on(line).state == "done"
    assert not FloorReport.objects.filter(told_at=None).exists()


def test_a_look_that_fails_for_good_says_so_and_the_line_stays(line, ann, inspector):
    inspector(DiskFull())
    taken = inspecting.begin(line, [scan()], by=ann, once=uuid.uuid4())
    for _ in range(8):
        Step.objects.filter(state="pending").update(due_at="2020-01-01T00:00:00Z")
        work_on(line)
    taken.refresh_from_db()
    assert (taken.state, taken.reason["code"]) == ("refused", "production_disk_full")
    assert now(line).state == "inspecting"
    inspector(cloth())
    assert inspected(line, by=ann).state == "measured"


def test_the_floor_s_reports_are_told_after_a_look(line, ann):
    last = len(line.plan["slots"]) - 1
    inspecting.begin(line, [scan()], by=ann, once=uuid.uuid4())
    new = reporting.NewReport(once=uuid.uuid4(), run=1, operation=last, kind="start", sure=True)
    reporting.report(line, new, by=ann)
    line = work_on(line)
    assert not FloorReport.objects.filter(told_at=None).exists()
