"""The story, worked in this process with the real generator, ledger and files."""

import hashlib
import io
import json
import time
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from django_q.models import OrmQ
from PIL import Image

from generation import services as generation
from inventory_sync import services as inventory
from inventory_sync.errors import ErpRejected
from inventory_sync.models import LedgerOrder
from orders import audit, flow, names, recording, report, services, steps, work, worker
from orders.errors import CandidateNotPassed, IllegalTransition, StaleState, UnknownCandidate
from orders.models import AuditEvent, Candidate, OrderLine, Step
from production.models import InkSet, MachineProfile

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def two_candidates(settings):
    settings.WEFTLINE = {**settings.WEFTLINE, "candidates": 2}


def placed(shop, **changes):
    wish = {
        "words": "small blue flowers",
        "quantity_m": 6,
        "layout": "half_drop",
        "repeat_mm": (64, 64),
        "substrate": "FAB-COT-SAT",
        "palette": "nordic",
        "due_in_days": 30,
        **changes,
    }
    order = services.place_and_submit(shop, customer="Atelier Nord", lines=[services.NewLine(**wish)], by=None)
    return work_on(order.lines.get())


def work_on(line):
    worker.run_until_rest([line])
    return OrderLine.objects.select_related("order__shop", "order__customer").get(pk=line.pk)


def approved(line):
    services.approve(line, services.best(line).position, by=None)
    return work_on(line)


def stock(shop, sku="FAB-COT-SAT"):
    erp = inventory.connect("ledger", shop=shop.slug)
    return sum(lot.free for lot in inventory.stock_of(erp, [sku])[sku].lots)


def test_an_order_goes_from_words_to_files_and_the_erp(mill):
    before = stock(mill)
    line = placed(mill)
    assert line.state == "proofing", line.blocked
    candidates = list(line.newest_round.candidates.all())
    assert len(candidates) == 2
    for candidate in candidates:
        assert candidate.passed
        assert candidate.price > 0
        assert candidate.promise
        assert candidate.binding
    assert stock(mill) == before, "an inquiry holds nothing"
    line = approved(line)
    assert line.state == "released", line.blocked
    assert stock(mill) < before
    files = work.files_of(line)
    assert {file.path.suffix for file in files} >= {".tif", ".pdf", ".png", ".json"}
    for file in files:
        assert hashlib.sha256(file.path.read_bytes()).hexdigest() == file.sha256
    clock = report.line(line)["clock"]
    assert set(clock["moments"]) == {"t0", "t1", "t2", "t5", "t6", "t7"}
    assert sorted(clock["moments"].values()) == list(clock["moments"].values())
    assert audit.first_broken(mill) is None


def test_a_third_drop_is_released_as_such_at_the_price_that_was_approved(mill):
    line = placed(mill, layout="third_drop")
    price = services.best(line).price
    line = approved(line)
    manifest = json.loads(next(f.path for f in work.files_of(line) if f.format == "manifest").read_text())
    assert str(price) in json.dumps(manifest)
    assert manifest["repeat"]["layout"] == "third_drop"


def test_a_revision_draws_a_new_round_and_keeps_the_old_one(mill):
    line = placed(mill)
    services.revise(line, by=None, words="bold red stripes")
    line = work_on(line)
    assert [brief.words for brief in line.rounds.all()] == ["small blue flowers", "bold red stripes"]
    assert Candidate.objects.filter(round__line=line).count() == 4
    assert approved(line).state == "released"


def test_cancelling_gives_back_what_was_held(mill):
    before = stock(mill)
    line = approved(placed(mill))
    assert stock(mill) < before
    services.cancel(line, by=None)
    line = work_on(line)
    assert line.state == "cancelled"
    assert stock(mill) == before
    erp = inventory.connect("ledger", shop=mill.slug)
    assert inventory.held(erp, line.reference) is None


def test_too_much_for_any_roll_is_blocked_with_what_is_missing_and_when_it_could_be_there(mill):
    line = placed(mill, substrate="FAB-VEL-COT", quantity_m=20)
    assert line.state == "proofing", line.blocked
    line = approved(line)
    assert line.state == "blocked"
    assert line.blocked["code"] == "not_yet_in_stock"
    assert "8.5 m" in line.blocked["sentence"]
    assert line.blocked["fields"]["available_from"]


def test_a_blocked_line_resumes_once_the_fabric_has_come(mill):
    from inventory_sync.models import LedgerLot

    line = approved(placed(mill, substrate="FAB-VEL-COT", quantity_m=20))
    assert line.state == "blocked"
    LedgerLot.objects.filter(product__sku="FAB-VEL-COT").update(on_hand=60)
    services.resume(line, by=None)
    assert work_on(line).state == "released"


def test_a_design_that_can_t_be_made_is_drawn_again_and_then_blocked_with_the_findings(mill, settings):
    InkSet.objects.filter(shop=mill.slug).update(tac_pct=1)
    line = placed(mill)
    assert line.state == "blocked"
    assert line.blocked["code"] == "manufacturability"
    assert line.newest_round.candidates.count() == 6, "two candidates, three times"
    finding = line.blocked["findings"][0]
    assert finding["remedy"]
    assert finding["sentence"]


def test_only_a_candidate_that_passed_can_be_approved(mill):
    line = placed(mill)
    Candidate.objects.filter(round__line=line, position=1).update(passed=False)
    with pytest.raises(CandidateNotPassed):
        services.approve(line, 1, by=None)
    with pytest.raises(UnknownCandidate):
        services.approve(line, 99, by=None)
    line.refresh_from_db()
    assert line.state == "proofing"
    assert not line.approvals.exists()


def test_who_approves_second_is_told_so(mill):
    line = placed(mill)
    seen_by_two = OrderLine.objects.get(pk=line.pk)
    services.approve(line, 1, by=None)
    with pytest.raises(StaleState):
        services.approve(seen_by_two, 2, by=None)
    assert line.approvals.count() == 1


def test_what_the_state_does_not_allow_changes_nothing(mill):
    line = placed(mill)
    events = AuditEvent.objects.count()
    with pytest.raises(IllegalTransition):
        services.resume(line, by=None)
    assert AuditEvent.objects.count() == events


@pytest.mark.parametrize("layout", ["straight", "third_drop"])
def test_a_woven_line_gets_its_point_paper(mill, layout):
    line = placed(mill, substrate="", weave="LOM1", repeat_mm=(70, 60), layout=layout, quantity_m=8)
    assert line.state == "proofing", line.blocked
    line = approved(line)
    assert line.state == "released", line.blocked
    assert any(file.format == "loom" for file in work.files_of(line))


def test_a_damaged_file_is_not_handed_out(mill):
    from orders.errors import FileDamaged

    line = approved(placed(mill))
    file = work.files_of(line)[0]
    data = bytearray(Path(file.path).read_bytes())
    data[len(data) // 2] ^= 1
    Path(file.path).write_bytes(data)
    with pytest.raises(FileDamaged):
        work.file_named(line, file.name)


def test_a_reference_picture_is_kept_with_the_round_and_goes_on_to_its_revisions(mill):
    picture = io.BytesIO()
    Image.new("RGB", (90, 60), "#2f6b4f").save(picture, "JPEG")
    line = placed(mill, reference=picture.getvalue(), palette=None)
    services.revise(line, by=None, words="bold stripes")
    first, second = work_on(line).rounds.all()
    assert first.reference_sha256 == second.reference_sha256 != ""
    assert generation.kept_reference(first.reference_sha256).shape == (60, 90, 3)


def blocked_in(monkeypatch, line, step):
    """Approve the line and let the step of that kind end with an error that no retry cures."""

    def refuse(*args, **kwargs):
        raise ErpRejected

    with monkeypatch.context() as patched:
        patched.setattr(recording if step == "sync" else work, step, refuse)
        line = approved(line)
    assert line.state == "blocked"
    return line


def orders_in_the_erp(state):
    return LedgerOrder.objects.filter(state=state).count()


@pytest.mark.parametrize("step", ["release", "sync"])
def test_revising_a_blocked_line_gives_back_what_its_approval_held(mill, monkeypatch, step):
    before = stock(mill)
    line = blocked_in(monkeypatch, placed(mill), step)
    assert stock(mill) < before
    services.revise(line, by=None, words="bold red stripes")
    line = work_on(line)
    assert line.state == "proofing"
    assert stock(mill) == before
    services.cancel(line, by=None)
    assert work_on(line).state == "cancelled"
    assert stock(mill) == before


def test_a_line_revised_after_its_order_reached_the_erp_is_made_under_the_same_order(mill, monkeypatch):
    honest = inventory.record

    def half_done(*args, **kwargs):
        honest(*args, **kwargs)
        raise ErpRejected

    line = placed(mill)
    with monkeypatch.context() as patched:
        patched.setattr(inventory, "record", half_done)
        line = approved(line)
    assert line.state == "blocked"
    services.revise(line, by=None, words="bold red stripes")
    line = approved(work_on(line))
    assert line.state == "released", line.blocked
    assert (orders_in_the_erp("confirmed"), orders_in_the_erp("cancel")) == (1, 0)
    assert LedgerOrder.objects.get().note == "bold red stripes"


def test_resuming_after_a_failed_check_shows_no_design_twice(mill, monkeypatch):
    def refuse(line):
        raise ErpRejected

    with monkeypatch.context() as patched:
        patched.setattr(work, "check", refuse)
        line = placed(mill)
    assert line.state == "blocked"
    services.resume(line, by=None)
    line = work_on(line)
    artworks = [candidate.artwork_id for candidate in line.newest_round.candidates.all()]
    assert line.state == "proofing"
    assert len(artworks) == len(set(artworks)) == 2


def test_resuming_after_nothing_passed_draws_other_designs(mill):
    InkSet.objects.filter(shop=mill.slug).update(tac_pct=1)
    line = placed(mill)
    assert line.state == "blocked"
    InkSet.objects.filter(shop=mill.slug).update(tac_pct=280)
    services.resume(line, by=None)
    line = work_on(line)
    artworks = [candidate.artwork_id for candidate in line.newest_round.candidates.all()]
    assert line.state == "proofing", line.blocked
    assert len(artworks) == len(set(artworks)) == 8


def test_what_is_held_is_read_again_before_release_and_planned_anew_when_it_has_changed(mill, monkeypatch):
    line = placed(mill)
    honest = work.plan

    def somebody_frees_it_afterwards(line, *, fence):
        plan = honest(line, fence=fence)
        erp = inventory.connect("ledger", shop=mill.slug)
        inventory.release_hold(erp, names.hold_name(line))
        return plan

    with monkeypatch.context() as patched:
        patched.setattr(work, "plan", somebody_frees_it_afterwards)
        line = approved(line)
    assert (line.state, line.blocked["code"], line.came_from) == ("blocked", "hold_changed", "planning")
    services.resume(line, by=None)
    assert work_on(line).state == "released"


def test_a_promise_after_the_due_date_is_said(mill):
    # Three half days of work: the promise is late at whatever hour the test runs.
    MachineProfile.objects.filter(operation__in=["Wash", "Stenter", "Inspect and cut"]).update(setup_min=200)
    line = placed(mill, due_in_days=0)
    findings = [f for c in line.newest_round.candidates.all() for f in c.findings if f["code"] == "late"]
    assert len(findings) == 2
    assert "after the due date" in findings[0]["sentence"]


def test_one_sick_line_does_not_keep_the_sweep_from_the_others(mill):
    sick, well = (
        services.place_and_submit(
            mill,
            customer="Atelier Nord",
            lines=[
                services.NewLine(
                    words="dots",
                    quantity_m=5,
                    layout="straight",
                    repeat_mm=(64, 64),
                    substrate="FAB-COT-SAT",
                    due_in_days=30,
                )
            ],
            by=None,
        ).lines.get()
        for _ in range(2)
    )
    past = timezone.now() - timedelta(hours=1)
    dead = {"state": "running", "attempt": 4, "token": uuid.uuid4(), "lease_until": past}
    Step.objects.filter(line=sick).update(**dead)
    OrderLine.objects.filter(pk=sick.pk).update(state="cancelled")
    OrmQ.objects.all().delete()
    assert flow.sweep() == 1
    assert OrmQ.objects.count() == 1
    assert Step.objects.get(line=sick).state == "failed"
    assert Step.objects.get(line=well).state == "pending"


def test_the_sweep_rings_no_more_bells_than_there_are_steps_due(mill):
    placed_only = services.NewLine(
        words="dots", quantity_m=5, layout="straight", repeat_mm=(64, 64), substrate="FAB-COT-SAT", due_in_days=30
    )
    services.place_and_submit(mill, customer="Atelier Nord", lines=[placed_only] * 3, by=None)
    time.sleep(0.01)
    OrmQ.objects.all().delete()
    assert [flow.sweep(), flow.sweep(), flow.sweep()] == [3, 0, 0]


def test_a_step_that_has_nothing_to_do_for_its_line_is_dropped(mill):
    line = placed(mill)
    step = steps.open_step(line, "plan")
    time.sleep(0.01)
    assert flow.run_step(step.pk)
    step.refresh_from_db()
    assert step.state == "dropped"
    line.refresh_from_db()
    assert line.state == "proofing"
