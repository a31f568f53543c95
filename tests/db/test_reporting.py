"""What is reported from the shop floor: what counts, what is refused, what the ERP hears of it."""

import uuid
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from inventory_sync import services as inventory
from inventory_sync.models import LedgerNote, LedgerOrder, LedgerTask
from orders import audit, floor, following, names, outbox, planning, reporting, services
from orders.domain.floor import OperationState
from orders.errors import InvalidReport, ReportRefused, ReportUnlikely, SentAlready
from orders.models import FloorReport, OrderLine, Step
from orders.reporting import NewReport
from production.models import CostSheet, JobTicket
from production.plans import history_of
from tests.shop_floor import now, planned, released, work_on

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann(mill):
    return User.objects.create_user("ann")


@pytest.fixture
def line(mill):
    """A line with its times. The ERP has no record of it."""
    return planned(mill)


def say(line, kind, operation=0, *, by, **more):
    """A report of a line as it stands, after the plan was made."""
    plan = now(line).plan
    if plan and "planned_at" in plan:
        earlier = {**plan, "planned_at": (timezone.now() - timedelta(days=3)).isoformat()}
        OrderLine.objects.filter(pk=line.pk).update(plan=earlier)
    new = NewReport(once=uuid.uuid4(), run=now(line).run, operation=operation, kind=kind, **more)
    return reporting.report(line, new, by=by)


def make(line, *, by, metres=6, until=None):
    """Start and finish every operation but the inspection."""
    for each in floor.operations(now(line)):
        if not each.inspects and (until is None or each.number < until):
            say(line, "start", each.number, by=by, ago_s=1800 * (9 - each.number))
            say(line, "finish", each.number, by=by, ago_s=1800 * (9 - each.number) - 600, metres=Decimal(metres))


def last_of(line):
    return len(line.plan["slots"]) - 1


def standing(line, operation=0):
    return floor.operations(now(line))[operation]


# ------------------------------------------------------------------------------------------------ what counts


def test_an_operation_is_started_paused_gone_on_with_and_finished(line, ann):
    minutes = {"start": 60, "pause": 40, "resume": 30}
    for kind, ago in minutes.items():
        say(line, kind, by=ann, ago_s=ago * 60, reason="material" if kind == "pause" else "")
    assert standing(line).state is OperationState.RUNNING
    assert now(line).state == "in_production"
    say(line, "finish", by=ann, metres=Decimal("6.1"))
    stands = standing(line).standing
    assert (stands.state, stands.made_m, stands.by) == (OperationState.DONE, Decimal("6.1"), "ann")
    assert round(stands.worked.total_seconds() / 60) == 50


def test_the_same_press_sent_twice_counts_once(line, ann):
    say(line, "start", by=ann)
    press = NewReport(once=uuid.uuid4(), run=1, operation=0, kind="scrap", metres=Decimal("0.5"), reason="stain")
    first, second = reporting.report(line, press, by=ann), reporting.report(line, press, by=ann)
    assert first == second
    assert standing(line).standing.scrap_m == Decimal("0.5")


def test_metres_made_and_lost_are_in_the_chain_with_why_and_so_is_their_taking_back(line, ann):
    say(line, "start", by=ann, ago_s=60)
    scrap = say(line, "scrap", by=ann, metres=Decimal("0.5"), reason="stain", ago_s=50)
    say(line, "undo", by=ann, undoes=scrap.pk, ago_s=40)
    say(line, "pause", by=ann, reason="break", ago_s=30)
    say(line, "resume", by=ann, ago_s=20)
    finish = say(line, "finish", by=ann, metres=Decimal("6.1"))
    told = [(event.action, event.details) for event in line.events.filter(action__startswith="metres")]
    assert [(action, each["kind"], each["metres"], each["reason"], each["report"]) for action, each in told] == [
        ("metres lost", "scrap", "0.50", "stain", scrap.pk),
        ("metres taken back", "scrap", "0.50", "stain", scrap.pk),
        ("metres made", "finish", "6.10", "", finish.pk),
    ]
    assert {event.actor for event in line.events.filter(action__startswith="metres")} == {"ann"}
    assert audit.first_broken(line.order.shop) is None
    line.events.filter(action="metres lost").update(details={**told[0][1], "metres": "0.05"})
    assert audit.first_broken(line.order.shop), "a tampered loss is found"


def test_a_page_that_reports_something_else_by_its_old_number_is_told_so(line, ann):
    once = uuid.uuid4()
    reporting.report(line, NewReport(once=once, run=1, operation=0, kind="start"), by=ann)
    scrap = NewReport(once=once, run=1, operation=0, kind="scrap", metres=Decimal("0.5"), reason="stain")
    with pytest.raises(SentAlready, match="was reported from this page before, and this is something else"):
        reporting.report(line, scrap, by=ann)
    fresh = replace(scrap, once=uuid.uuid4())
    reporting.report(line, fresh, by=ann)
    for other in ({"metres": Decimal("0.6")}, {"reason": "nozzle"}):
        with pytest.raises(SentAlready):
            reporting.report(line, replace(fresh, **other), by=ann)
    assert FloorReport.objects.count() == 2


def test_a_press_that_comes_twice_is_in_the_chain_once(line, ann):
    say(line, "start", by=ann)
    press = NewReport(once=uuid.uuid4(), run=1, operation=0, kind="scrap", metres=Decimal("0.5"), reason="stain")
    for _ in range(2):
        reporting.report(line, press, by=ann)
    assert line.events.filter(action="metres lost").count() == 1


def test_a_press_of_another_line_is_not_taken_for_this_one(mill, line, ann):
    press = NewReport(once=uuid.uuid4(), run=1, operation=0, kind="start")
    reporting.report(line, press, by=ann)
    with pytest.raises(InvalidReport, match="another line"):
        reporting.report(planned(mill), press, by=ann)


def test_a_slip_is_taken_back_by_another_report_and_only_the_last_one_can_be(line, ann):
    start = say(line, "start", by=ann)
    scrap = say(line, "scrap", by=ann, metres=Decimal(5), reason="nozzle")
    with pytest.raises(ReportRefused, match="reported last"):
        say(line, "undo", by=ann, undoes=start.pk)
    say(line, "undo", by=ann, undoes=scrap.pk)
    assert standing(line).standing.scrap_m == 0
    say(line, "undo", by=ann, undoes=start.pk)
    assert standing(line).state is OperationState.WAITING
    assert FloorReport.objects.count() == 4
    with pytest.raises(ReportRefused):
        say(line, "undo", by=ann, undoes=start.pk)


def test_a_finish_is_taken_back_until_the_next_operation_has_begun(line, ann):
    say(line, "start", by=ann)
    finish = say(line, "finish", by=ann, metres=Decimal(6))
    say(line, "undo", by=ann, undoes=finish.pk)
    assert standing(line).state is OperationState.RUNNING
    finish = say(line, "finish", by=ann, metres=Decimal(6))
    say(line, "start", 1, by=ann)
    with pytest.raises(ReportRefused, match="begun already"):
        say(line, "undo", by=ann, undoes=finish.pk)


def test_metres_are_corrected_by_finishing_once_more(line, ann):
    say(line, "start", by=ann)
    say(line, "finish", by=ann, metres=Decimal(6))
    say(line, "finish", by=ann, metres=Decimal("5.8"))
    assert standing(line).standing.made_m == Decimal("5.8")


# ------------------------------------------------------------------------------------------------ what is refused


def test_nothing_is_reported_of_what_was_not_started(line, ann):
    lost = {"metres": Decimal(1), "reason": "stain"}
    said = {"finish": {"metres": Decimal(6)}, "scrap": lost, "pause": {"reason": "break"}, "resume": {}}
    for kind, more in said.items():
        with pytest.raises(ReportRefused, match="press Start first"):
            say(line, kind, by=ann, **more)
    assert not FloorReport.objects.exists()
    assert now(line).state == "released"


def test_who_comes_second_is_told_who_was_first(line, ann):
    say(line, "start", by=ann)
    with pytest.raises(ReportRefused, match=r"is running already \(ann, "):
        say(line, "start", by=User.objects.create_user("ben"))


WRONG = [
    {"kind": "dance"}, {"operation": 99}, {"operation": -1}, {"metres": Decimal(1)}, {"reason": "stain"},
    {"ago_s": -1}, {"ago_s": 15 * 86400}, {"ago_s": 4 * 86400},
    {"kind": "scrap", "metres": Decimal(1), "reason": "bored"}, {"kind": "scrap", "metres": Decimal(1)},
    {"kind": "scrap", "metres": Decimal(0), "reason": "stain"}, {"kind": "scrap", "reason": "stain"},
    {"kind": "finish"}, {"kind": "finish", "metres": Decimal(-1)},
]  # fmt: skip


def test_what_makes_no_sense_is_refused_and_nothing_is_kept(line, ann):
    for wrong in WRONG:
        with pytest.raises(InvalidReport):
            say(line, by=ann, **{"kind": "start", **wrong})
    assert not FloorReport.objects.exists()


def test_a_report_of_an_earlier_run_or_of_a_line_that_is_cancelled_is_refused(line, ann):
    press = NewReport(once=uuid.uuid4(), run=2, operation=0, kind="start")
    with pytest.raises(ReportRefused, match="made once more"):
        reporting.report(line, press, by=ann)
    OrderLine.objects.filter(pk=line.pk).update(state="cancelled")
    with pytest.raises(ReportRefused, match="cancelled"):
        reporting.report(line, replace(press, run=1), by=ann)


def test_what_is_out_of_order_is_asked_about_and_the_end_of_it_is_refused(line, ann):
    with pytest.raises(ReportUnlikely, match="not reported as finished yet"):
        say(line, "start", 1, by=ann)
    say(line, "start", 1, by=ann, sure=True)
    with pytest.raises(ReportRefused, match="finished first"):
        say(line, "finish", 1, by=ann, metres=Decimal(6), sure=True)
    with pytest.raises(ReportRefused, match="nothing to inspect"):
        say(line, "start", last_of(line), by=ann, sure=True)


def test_metres_that_are_far_from_what_was_ordered_are_asked_about(line, ann):
    say(line, "start", by=ann)
    for metres in map(Decimal, ("5.6", "9", "0")):
        with pytest.raises(ReportUnlikely, match="Is that right"):
            say(line, "finish", by=ann, metres=metres)
        say(line, "finish", by=ann, metres=metres, sure=True)
        assert standing(line).standing.made_m == metres


def test_more_scrap_than_there_is_fabric_is_asked_about(line, ann):
    say(line, "start", by=ann)
    say(line, "scrap", by=ann, metres=Decimal(5), reason="misprint")
    with pytest.raises(ReportUnlikely, match="are lost"):
        say(line, "scrap", by=ann, metres=Decimal(5), reason="misprint")


# ------------------------------------------------------------------------------------------------ where it leads


def test_the_last_finish_hands_the_cloth_to_the_inspection_which_passes_it(line, ann):
    make(line, by=ann)
    assert now(line).state == "inspecting"
    with pytest.raises(ReportRefused, match="being inspected"):
        say(line, "undo", last_of(line) - 1, by=ann, undoes=standing(line, last_of(line) - 1).standing.last.number)
    with pytest.raises(ReportRefused, match="says whether it is good"):
        say(line, "finish", 0, by=ann, metres=Decimal(6), reason="rejected")
    say(line, "start", last_of(line), by=ann)
    say(line, "finish", last_of(line), by=ann, metres=Decimal(6))
    assert now(line).state == "done"
    assert all(each.done for each in floor.operations(now(line)))


def test_what_the_erp_reported_as_finished_is_not_reported_once_more(line, ann):
    services.finished(services.started(line, actor="ERP"), actor="ERP")
    assert [each.elsewhere for each in floor.operations(now(line))] == [True] * last_of(line) + [False]
    with pytest.raises(ReportRefused, match="the ERP says"):
        say(line, "start", by=ann)
    say(line, "start", last_of(line), by=ann)


def test_a_job_goes_through_the_mill_and_the_erp_has_it_all(quick, ann):
    line = released(quick)
    name = names.record_id(line)
    fabric = Decimal(next(m["quantity"] for m in line.plan["materials"] if m["sku"] == line.substrate))
    say(line, "start", by=ann, ago_s=7200)
    assert Step.objects.get(line=line, state="pending").kind == "report"
    assert [entry.what for entry in outbox.entries(quick, outbox.waiting())] == ["what the shop floor reported"]
    line = work_on(line)
    assert not FloorReport.objects.filter(told_at=None).exists()
    states = list(LedgerOrder.objects.get().work_orders.values_list("state", flat=True))
    assert states == ["progress"] + ["waiting"] * last_of(line)
    say(line, "scrap", by=ann, metres=Decimal("1.5"), reason="nozzle")
    say(line, "finish", by=ann, metres=Decimal(6))
    for each in floor.operations(now(line))[1:-1]:
        say(line, "start", each.number, by=ann, ago_s=5400)
        say(line, "finish", each.number, by=ann, metres=Decimal(6))
    line = work_on(line)
    assert line.state == "inspecting"
    states = list(LedgerOrder.objects.get().work_orders.values_list("state", flat=True))
    assert states == ["done"] * last_of(line) + ["waiting"]
    assert LedgerNote.objects.filter(external_id=name, text__contains="1.5 m scrapped").count() == 1
    # What came back from there changes nothing: it is our own word.
    following.follow(quick)
    assert now(line).state == "inspecting"
    costing = CostSheet.objects.get()
    uses = {use.code: use for use in costing.ticket.uses.all()}
    assert uses[line.substrate].quantity == fabric + Decimal("1.5")
    hours = [use.quantity for code, use in uses.items() if code.startswith("time:")]
    assert max(hours) == 2
    assert (costing.issue, costing.actual is not None) == (2, True)
    assert history_of("demo")
    say(line, "start", last_of(line), by=ann)
    say(line, "finish", last_of(line), by=ann, metres=Decimal(6))
    line = work_on(line)
    following.follow(quick)
    assert (now(line).state, LedgerOrder.objects.get().state) == ("done", "done")


def test_a_cloth_that_is_rejected_is_made_once_more_and_somebody_decides_what_becomes_of_it(quick, ann):
    line = released(quick)
    make(line, by=ann)
    say(line, "start", last_of(line), by=ann)
    say(line, "finish", last_of(line), by=ann, metres=Decimal(0), reason="rejected")
    line = work_on(line)
    assert (line.state, line.run) == ("released", 2), line.blocked
    states = dict(LedgerOrder.objects.values_list("external_id", "state"))
    assert states == {names.record_id(line, run=1): "done", names.record_id(line): "confirmed"}
    asked = dict(LedgerTask.objects.values_list("external_id", "summary"))
    assert asked == {
        names.record_id(line, run=1): "Failed its inspection",
        names.sale_id(line.order): f"{line.reference} is made once more",
    }
    assert [each.state for each in floor.operations(line)] == [OperationState.WAITING] * len(line.plan["slots"])
    assert JobTicket.objects.count() == 2
    assert not FloorReport.objects.filter(told_at=None).exists()


def test_what_is_taken_back_before_the_erp_heard_of_it_is_never_said_there(quick, ann):
    line = released(quick)
    start = say(line, "start", by=ann)
    say(line, "undo", by=ann, undoes=start.pk)
    line = work_on(line)
    assert set(LedgerOrder.objects.get().work_orders.values_list("state", flat=True)) == {"waiting"}
    say(line, "start", by=ann)
    work_on(line)
    assert LedgerOrder.objects.get().state == "progress"


def test_while_the_erp_is_away_the_floor_works_on_and_all_is_told_once_it_answers(quick, distant, ann):
    quick.refresh_from_db()
    line = released(quick)
    distant.cut = True
    make(line, by=ann)
    line = work_on(line)
    assert line.state == "inspecting"
    (entry,) = outbox.entries(quick, outbox.waiting())
    assert (entry.what, entry.error_code) == ("what the shop floor reported", "erp_unavailable")
    distant.cut = False
    distant.asked.clear()
    outbox.retry(Step.objects.get(pk=entry.step), by=ann)
    line = work_on(line)
    states = list(LedgerOrder.objects.get().work_orders.values_list("state", flat=True))
    assert states == ["done"] * last_of(line) + ["waiting"]
    assert distant.asked["work_on"] == 2 * last_of(line)
    assert not FloorReport.objects.filter(told_at=None).exists()


def test_what_people_did_in_the_erp_themselves_is_not_done_there_again(quick, ann):
    line = released(quick)
    erp, name = names.erp_of(quick), names.record_id(line)
    inventory.work_on(erp, name, line.plan["slots"][0]["name"], "finish")
    following.follow(quick)
    assert now(line).state == "in_production"
    say(line, "start", by=ann)
    say(line, "finish", by=ann, metres=Decimal(6))
    work_on(line)
    assert [step.state for step in Step.objects.filter(kind="report")] == ["done"]


def test_other_times_and_reports_are_both_told_though_a_line_has_one_step_at_a_time(quick, ann):
    line = released(quick)
    say(line, "start", by=ann)
    fresh = now(line)
    slots = [*fresh.plan["slots"][:-1], {**fresh.plan["slots"][-1]}]
    later = timezone.now() + timedelta(days=20)
    slots[-1] |= {"start": later.isoformat(), "end": (later + timedelta(hours=1)).isoformat()}
    planning._move(fresh, {**fresh.plan, "slots": slots}, by=ann, details={})
    assert list(Step.objects.filter(line=line, state="pending").values_list("kind", flat=True)) == ["reschedule"]
    work_on(line)
    order = LedgerOrder.objects.get()
    assert order.work_orders.last().start == later
    assert order.work_orders.first().state == "progress"
    assert not FloorReport.objects.filter(told_at=None).exists()


def test_a_record_that_is_over_in_the_erp_is_left_alone(quick, ann):
    line = released(quick)
    say(line, "start", by=ann)
    erp = names.erp_of(quick)
    ref = erp.find("manufacturing_order", names.record_id(line))
    erp.act(ref, "finish", ref.state)
    work_on(line)
    assert Step.objects.filter(kind="report").get().state == "done"


# ------------------------------------------------------------------------------------------------ what there is to do


def test_a_machine_s_jobs_stand_in_the_plan_s_order_and_only_what_is_left(mill, ann):
    first, second = planned(mill), planned(mill)
    until = timezone.now() + timedelta(days=60)
    machine = first.plan["slots"][0]["work_centre"]
    found = [(job.line, job.operation.number) for job in floor.jobs(mill, until=until, machine=machine)]
    assert found == [(first, 0), (second, 0)]
    say(first, "start", by=ann)
    say(first, "finish", by=ann, metres=Decimal(6))
    found = floor.jobs(mill, until=until, machine=machine)
    assert [job.line for job in found] == [second]
    everywhere = floor.jobs(mill, until=until)
    ready = [(job.line, job.operation.number) for job in everywhere if job.begins]
    assert set(ready) == {(first, 1), (second, 0)}
    assert not floor.jobs(mill, until=timezone.now() - timedelta(days=1))


@pytest.mark.parametrize(
    ("typed", "reference", "revision"),
    [
        ("WL-000001-1", "WL-000001-1", 0),
        ("wl-000001-12-r3", "WL-000001-12", 3),
        ("https://mill.example/floor/WL-000001-1-r2/", "WL-000001-1", 2),
        ("http://mill.example/lines/WL-000001-1/", "WL-000001-1", 0),
        ("WL'000001'1'R2", "WL-000001-1", 2),
        ("  REF7 ", "REF7", 0),
        ("", "", 0),
    ],
)
def test_whatever_is_on_a_ticket_finds_its_line(typed, reference, revision):
    assert floor.ticket_of(typed) == floor.Ticket(reference, revision)
