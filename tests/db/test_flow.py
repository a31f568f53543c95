"""The story, worked in this process with the real generator, ledger and files."""

import hashlib
import io
import json
from pathlib import Path

import pytest
from PIL import Image

from generation import services as generation
from inventory_sync import services as inventory
from orders import audit, report, services, work, worker
from orders.errors import CandidateNotPassed, IllegalTransition, StaleState, UnknownCandidate
from orders.models import AuditEvent, Candidate, OrderLine

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


def test_the_ticket_s_price_is_the_one_that_was_approved(mill):
    line = placed(mill)
    price = services.best(line).price
    line = approved(line)
    manifest = json.loads(next(f.path for f in work.files_of(line) if f.path.suffix == ".json").read_text())
    assert str(price) in json.dumps(manifest)


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
    from production.models import InkSet

    InkSet.objects.filter(shop=mill.slug).update(tac_pct=5)
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


def test_a_woven_line_gets_its_point_paper(mill):
    line = placed(mill, substrate="", weave="LOM1", repeat_mm=(60, 60), layout="straight", quantity_m=8)
    assert line.state == "proofing", line.blocked
    line = approved(line)
    assert line.state == "released", line.blocked
    assert any("point" in file.format for file in work.files_of(line))


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
