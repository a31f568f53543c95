"""The whole loop with the inspector that ships: simulated scans of a released job, the real registration and network.

Everything seen here is SYNTHETIC. The cloth is a ribbon, so that a test takes seconds.
"""

import io
import uuid
from decimal import Decimal

import cv2
import pypdfium2
import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command

from inventory_sync.models import LedgerOrder
from orders import audit, inspecting, looking, names, reprinting
from orders.inspecting import Wish
from orders.models import Notice
from production.domain.grading import Decision
from production.models import CostSheet, DefectThreshold, DriftReading, Inspection, Substrate
from tests.inspected import on_the_inspection_table
from tests.shop_floor import now, released, work_on

pytestmark = pytest.mark.django_db
METRES = Decimal("0.3")


@pytest.fixture
def ann(mill):
    return User.objects.create_user("ann")


@pytest.fixture
def ribbon(quick, ann):
    """A line of a narrow cloth that went all the way: it is made, and waits for its inspection."""
    cv2.setNumThreads(1)
    Substrate.objects.filter(shop=quick.slug, code="FAB-COT-SAT").update(width_mm=190, usable_width_mm=160)
    return on_the_inspection_table(released(quick, quantity_m=METRES), by=ann)


def scanned(line, tmp_path, *options, name="roll.png"):
    """What a scanner would send of the line's cloth."""
    path = tmp_path / name
    call_command("simulate_scan", "--job", line.reference, "--out", str(path), "--errors", "0.3", *options)
    return path


def inspected(line, path, *, by):
    """The newest inspection of the line, once its scan was looked at by the worker."""
    sent = SimpleUploadedFile(path.name, path.read_bytes())
    taken = inspecting.begin(now(line), [sent], by=by, once=uuid.uuid4())
    work_on(line)
    return Inspection.objects.get(pk=taken.pk)


def words_of(pdf):
    document = pypdfium2.PdfDocument(io.BytesIO(pdf))
    try:
        return " ".join(page.get_textpage().get_text_range() for page in document)
    finally:
        document.close()


def test_a_bad_roll_that_the_network_saw_is_made_once_more_and_everybody_is_told(quick, ribbon, ann, tmp_path):
    """Graded → reprint planned → scrap and new work order in the ERP → promise updated → report attached."""
    line = ribbon
    found = inspected(line, scanned(line, tmp_path, "--defects", "hole,stain", "--seed", "4"), by=ann)
    assert found.state == "measured", found.reason
    outcome = looking.sheet_of(line, found).found
    assert {each.kind for each in outcome.defects} >= {"hole", "stain"}
    assert outcome.registration.residual_mean_mm < 0.2
    assert found.grade["points"] > 0
    assert found.proposal["decision"] == Decision.REPRINT
    assert found.synthetic, "the file says so of itself"
    assert found.threshold["set"] is False
    inspecting.decide(now(line), found, Wish(decision="reprint"), by=ann)
    line = work_on(line)
    assert (line.state, line.run) == ("released", 2), line.blocked
    orders = {order.external_id: order for order in LedgerOrder.objects.all()}
    one, two = orders[names.record_id(line, run=1)], orders[names.record_id(line)]
    assert (one.state, two.state, two.quantity) == ("done", "confirmed", line.making_m)
    assert one.scraps.exists()
    assert two.work_orders.count() == len(line.plan["slots"])
    notice = Notice.objects.get(code=reprinting.NOTICE)
    assert notice.fields["promise"] == line.plan["promise"]
    (attached,) = one.attachments.filter(name__contains="inspection")
    found.refresh_from_db()
    said = words_of(looking.report_of(line, found).path.read_bytes())
    assert attached.sha256 == found.files[-1]["sha256"]
    assert "SYNTHETIC" in said
    assert "made once more" in said
    assert "It is promised for" in said
    assert CostSheet.objects.get(ticket__revision=1).ticket.uses.filter(code="reprint:2").exists()
    # What is made once more is good, by the same network.
    line = on_the_inspection_table(line, by=ann)
    found = inspected(line, scanned(line, tmp_path, "--defects", "none", "--seed", "3"), by=ann)
    assert (found.state, found.run) == ("measured", 2), found.reason
    assert found.outcome["defects"] == []
    assert found.proposal["decision"] == Decision.PASS, found.proposal["reasons"]
    inspecting.decide(now(line), found, Wish(decision="pass"), by=ann)
    line = work_on(line)
    assert line.state == "done"
    assert {order.state for order in LedgerOrder.objects.all()} == {"done"}
    assert DriftReading.objects.filter(inspection__synthetic=True).count() == 2
    assert audit.first_broken(quick) is None
    # Clean by what a person said: the threshold of its fabric is set on it, and says that it was simulated.
    out = io.StringIO()
    call_command("set_threshold", "--article", "FAB-COT-SAT", "--false-alarms", "40", stdout=out)
    kept = DefectThreshold.objects.get()
    assert kept.inspections == [f"{line.reference}/2"]
    assert kept.synthetic
    assert out.getvalue().startswith("SYNTHETIC")
