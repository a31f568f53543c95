"""How closely a fabric is looked at: which cloth is clean, and what is refused before a network is asked."""

from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command

from orders import calibrating, inspecting
from production.domain.grading import Decision
from production.errors import InvalidScans
from production.inspections import set_threshold
from production.models import DefectThreshold, Inspection
from tests import inspected as made
from tests.quick_inspector import cloth
from tests.shop_floor import on_the_table, planned

pytestmark = pytest.mark.django_db
FABRIC = "FAB-COT-SAT"


@pytest.fixture
def line(mill):
    return on_the_table(planned(mill, state="inspecting"))


def looked_at(line, found, decision=Decision.PASS, **changes):
    """An inspection that was decided on."""
    row = made.looked_at(line, found, pictures=False, **changes)
    Inspection.objects.filter(pk=row.pk).update(state="decided", decision=decision, decided_at=made.AT)
    return row


def test_clean_is_cloth_that_passed_and_on_which_no_defect_was_left(mill, line):
    clean = looked_at(line, cloth())
    looked_at(line, cloth(("stain", 300.0, 1200.0, 4.0, 4.0)))
    looked_at(line, cloth(), Decision.REPRINT)
    looked_at(line, cloth(), article="FAB-LIN-NAT")
    looked_at(line, cloth(), shop="other")
    made.looked_at(line, cloth(), pictures=False)
    overruled = made.looked_at(line, cloth(("stain", 300.0, 1200.0, 4.0, 4.0)), pictures=False)
    ann = User.objects.create_user("ann")
    inspecting.say_of_defect(line, overruled, 1, confirmed=False, by=ann)
    Inspection.objects.filter(pk=overruled.pk).update(state="decided", decision="pass", decided_at=made.AT)
    assert {each.pk for each in calibrating.clean_inspections(mill, FABRIC)} == {clean.pk, overruled.pk}


def refused(*options):
    said = StringIO()
    with pytest.raises(SystemExit) as left:
        call_command("set_threshold", "--article", FABRIC, *options, stderr=said)
    assert left.value.code == 2
    assert not DefectThreshold.objects.exists()
    return said.getvalue()


def test_what_can_t_be_set_is_refused_with_what_to_do(mill, line):
    assert "No cloth of FAB-COT-SAT is known to be clean" in refused()
    assert "are no budget" in refused("--false-alarms", "0")
    assert "write it like 0.5" in refused("--false-alarms", "few")
    looked_at(line, cloth())
    assert "are not there any more" in refused()
    assert "There is no inspection WL-9/9" in refused("--inspection", "WL-9/9")
    assert "can't be used" in refused("--inspection", "WL-9")
    assert "Give --job and --scan together" in refused("--job", line.reference)


WRONG = [
    (("--job", "WL-9", "--out", "roll.png"), "There is no job WL-9"),
    (("--job", "WL-9", "--out", "roll.bmp"), "give a PNG, TIFF or JPEG"),
    (("--job", "WL-9", "--out", "nowhere/roll.png"), "in a folder there is"),
    (("--job", "WL-9", "--out", "roll.png", "--defects", "hole,moth"), "'moth' is none of"),
    (("--job", "WL-9", "--out", "roll.png", "--seed", "-1"), "Give a seed from 0"),
    (("--job", "WL-9", "--out", "roll.png", "--errors", "nan"), "Give from 0 to 3"),
]


@pytest.mark.parametrize(("options", "said"), WRONG)
def test_a_scan_that_can_t_be_simulated_is_refused_in_a_sentence(mill, options, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    told = StringIO()
    with pytest.raises(SystemExit) as left:
        call_command("simulate_scan", *options, stderr=told)
    assert left.value.code == 2
    assert said in told.getvalue()
    assert not list(tmp_path.iterdir())


def test_too_little_clean_cloth_for_the_budget_is_refused():
    with pytest.raises(InvalidScans, match=r"0.00 m² of clean cloth are too little for 2 false alarms per m².*0.50 m²"):
        set_threshold(
            "demo", FABRIC, [], false_alarms_per_m2=2, fingerprint="f", numbers=[], synthetic=False, by="ann",
            at=made.AT,
        )  # fmt: skip
