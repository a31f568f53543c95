"""`manage.py inspect_scan --job`: simulated scans of released jobs, by the registration and the network that ship.

Everything seen here is SYNTHETIC. The cloths are ribbons, so that a test takes seconds.
"""

import io
import json
from decimal import Decimal

import cv2
import numpy as np
import pytest
from django.core.management import call_command

from production.inspection.capture import read_scan
from production.inspection.simulate import write_scan
from production.models import Substrate
from tests.shop_floor import released

pytestmark = pytest.mark.django_db
METRES = Decimal("0.3")


@pytest.fixture
def ribbons(quick):
    """Two lines of a narrow cloth, released."""
    cv2.setNumThreads(1)
    Substrate.objects.filter(shop=quick.slug, code="FAB-COT-SAT").update(width_mm=190, usable_width_mm=160)
    return released(quick, quantity_m=METRES), released(quick, quantity_m=METRES)


def asked(*options):
    """(exit status, what was written, what was complained of)."""
    out, complaint = io.StringIO(), io.StringIO()
    try:
        call_command("inspect_scan", *(str(each) for each in options), stdout=out, stderr=complaint)
    except SystemExit as ended:
        return ended.code, out.getvalue(), complaint.getvalue()
    return 0, out.getvalue(), complaint.getvalue()


def test_a_jobs_scan_is_inspected_by_its_number_and_by_no_other_jobs(ribbons, tmp_path):
    line, other = ribbons
    path = tmp_path / "roll.png"
    call_command(
        "simulate_scan", "--job", line.reference, "--out", str(path), "--errors", "0.3", "--defects", "stain",
        "--seed", "2", stdout=io.StringIO(),
    )  # fmt: skip
    status, said, _ = asked("--job", line.reference, "--scan", path, "--json")
    assert status == 0, said
    found = json.loads(said)
    assert (found["job"], found["revision"], found["trusted"]) == (line.reference, 1, True)
    assert found["synthetic"], "the file says so of itself"
    assert found["length_mm"] == pytest.approx(300, abs=1)
    assert found["registration"]["residual_mean_mm"] < 0.2
    assert abs(found["registration"]["size_error_across_pct"]) < 1.5
    assert {each["colour"] for each in found["colours"]}, "the bar is on the scan"
    assert "stain" in {each["kind"] for each in found["defects"]}
    # The same in words.
    status, said, _ = asked("--job", line.reference, "--scan", path)
    assert status == 0
    assert said.startswith("SYNTHETIC")
    assert "stain" in said
    # The other job's cloth may look the same: its ticket's code says whose it is.
    status, _, why = asked("--job", other.reference, "--scan", path)
    assert status == 2
    assert "[wrong_job]" in why
    assert line.reference in why
    # A scan that lies upside down is told to be turned.
    turned = tmp_path / "turned.png"
    write_scan(turned, np.ascontiguousarray(read_scan(path).rgb[::-1, ::-1]))
    status, _, why = asked("--job", line.reference, "--scan", turned)
    assert status == 2
    assert "[upside_down]" in why


def test_a_job_that_was_never_released_and_one_that_is_not_named_are_refused(quick, tmp_path):
    path = tmp_path / "roll.png"
    write_scan(path, np.full((600, 600, 3), 200, np.uint8))
    status, _, why = asked("--job", "WL-999999-1", "--scan", path)
    assert status == 2
    assert "no job WL-999999-1" in why
    status, _, why = asked("--scan", path)
    assert status == 2
    assert "--job or --source" in why


def test_more_cloth_than_was_made_is_not_simulated(ribbons, tmp_path):
    line, _ = ribbons
    path, told = tmp_path / "roll.png", io.StringIO()
    with pytest.raises(SystemExit):
        call_command("simulate_scan", "--job", line.reference, "--out", str(path), "--metres", "9", stderr=told)
    assert "Give from 0.2 to 0.30 m: so much was made." in told.getvalue()
    assert not path.exists()
