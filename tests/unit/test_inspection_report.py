"""The inspection report as PDF: it says all that was found, and only why where nothing was; text can't break it."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pypdfium2
import pytest
import zxingcpp

from production.documents.inspection import Decided, Verdict, write_inspection_report
from production.documents.roll_map import Roll, row_heights
from production.domain.grading import Decision
from production.inspection.outcome import is_shown, shown_mm
from tests import inspected as made

HOSTILE = '<b>x</b><img src="/etc/passwd"/> \x00\x07 \u202eright \u05e9\u05dc \U0001f600 \u6f22\u5b57 ' + "w" * 3000


def pages_of(data):
    with pypdfium2.PdfDocument(data) as document:
        return [" ".join(page.get_textpage().get_text_range().split()) for page in document]


def text_of(sheet):
    return " ".join(pages_of(write_inspection_report(sheet)))


@pytest.fixture(scope="module")
def small():
    """Two metres with five defects, pictures included."""
    return made.sheet(made.inspected(length_m=2, width_mm=700, count=5, synthetic=False), decided=True)


def test_the_report_says_what_was_found_against_which_limit_and_who_decided(small):
    said = text_of(small)
    found, grade = small.found, small.grade
    for needed in (
        small.reference, small.customer, small.article, small.machine, "2.00 m", "70.0 cm",
        f"{grade.per_100m2:.1f}", "Source and scan", "AS IT SHOULD BE", "Reprint",
        "Decided by paul, Fri 27 Nov 2026 10:30",
        "Repeat across +0.21 %", "Skew -3.2 mm", "-21 µm across", "fitted to within ΔE 0.42", "scan-1.png",
        *(reason.sentence for reason in small.proposal.reasons),
        *(f"{colour.de00:.2f} {colour.cmc:.2f}" for colour in found.colours),
        *(each.kind.replace("_", " ") for each in found.defects),
    ):  # fmt: skip
        assert " ".join(needed.split()) in said
    assert "SYNTHETIC" not in said


def test_the_code_leads_to_the_page_of_the_inspection(small):
    with pypdfium2.PdfDocument(write_inspection_report(small)) as document:
        picture = document[0].render(scale=200 / 72).to_pil()
    assert small.url in {code.text for code in zxingcpp.read_barcodes(picture)}


def test_the_same_inspection_is_the_same_bytes(small):
    assert write_inspection_report(small) == write_inspection_report(small)


def test_a_simulated_scan_is_said_to_be_synthetic_on_every_page():
    sheet = made.sheet(made.inspected(length_m=2, width_mm=700, count=120), pictures=False)
    pages = pages_of(write_inspection_report(sheet))
    assert len(pages) > 1
    assert all("SYNTHETIC SCAN" in page for page in pages)


def test_what_can_not_be_inspected_says_why_and_has_no_grade():
    said = text_of(made.sheet(made.not_inspectable()))
    assert "Not inspectable" in said
    assert made.BLURRED in said
    assert "no pass" in said
    for none in ("points", "ΔE00 CMC", "Against what the customer takes", "Map of the roll", "Pass"):
        assert none not in said.replace("four-point grade by ASTM D5430; ΔE2000 and CMC(2:1)", "")


def test_scans_that_were_refused_before_anything_was_measured_say_why():
    reason = made.not_inspectable("The code on the ticket is that of WL-000009-1.").reason
    said = text_of(replace(made.sheet(made.not_inspectable()), found=None, reason=reason))
    assert "that of WL-000009-1" in said


def test_what_a_person_overruled_counts_no_points_and_is_said():
    found = made.inspected(length_m=2, width_mm=700, count=3)
    first = found.defects[0].number
    sheet = made.sheet(found, verdicts={first: Verdict(False, "", "paul", made.AT)}, pictures=False)
    assert first not in {number for fault in sheet.grade.faults for number in fault.numbers}
    said = text_of(sheet)
    assert "no defect" in said
    assert "1 of 3 were looked at by a person" in said


def test_a_decision_that_is_not_the_proposal_says_both_and_why():
    sheet = made.sheet(made.inspected(length_m=2, width_mm=700, count=3), pictures=False)
    assert sheet.proposal.decision is Decision.REPRINT
    why = "The customer looked at it and takes it."
    decided = Decided(
        Decision.SECONDS, Decimal(2), Decimal(0), Decimal(0), why, "pia", made.AT, ("It costs nothing more.",)
    )
    said = text_of(replace(sheet, decided=decided))
    for needed in ("Seconds", "Proposed Reprint", why, "pia", "It costs nothing more."):
        assert needed in said


def test_colours_that_were_not_measured_are_left_to_the_eye():
    sheet = made.sheet(made.inspected(length_m=2, width_mm=700, measured=False), pictures=False)
    said = text_of(sheet)
    assert "There was no colour bar on the scan. Judge the shade by eye." in said


@pytest.mark.parametrize(("length_m", "count"), [(0.5, 0), (40, 200)])
def test_any_length_and_any_number_of_defects_fits_its_paper(length_m, count):
    sheet = made.sheet(made.inspected(length_m=length_m, count=count, colours=60), pictures=False)
    for paper in ("A4", "Letter"):
        data = write_inspection_report(replace(sheet, paper=paper))
        for page in pypdfium2.PdfDocument(data):
            right = page.get_size()[0] - 20
            text = page.get_textpage()
            boxes = [text.get_charbox(k) for k in range(0, text.count_chars(), 7)]
            assert max(box[2] for box in boxes) < right
            assert min(box[1] for box in boxes if box[1]) > 15
    said = text_of(sheet)
    assert ("None was found." in said) == (count == 0)


def test_metres_that_no_scan_shows_have_no_points_on_the_map():
    found = made.inspected(length_m=3, width_mm=700, found=())
    assert pages_of(write_inspection_report(made.sheet(found)))[0].count("?") == 1, "in the key alone"
    part = replace(found, scans=(replace(found.scans[0], from_mm=0.0, to_mm=1000.0),))
    said = text_of(made.sheet(part))
    assert said.count("?") == 3
    assert "? not scanned" in said


def test_what_two_scans_show_is_counted_once():
    one, other = (replace(made.inspected().scans[0], from_mm=start, to_mm=400.0) for start in (0.0, 50.0))
    assert shown_mm((other, one)) == 400
    assert shown_mm((one, other), 300, 1000) == 100
    assert not is_shown((one, other), 0, 1000)
    assert is_shown((one, other), 0, 700)


def test_a_map_has_few_rows_that_use_the_paper():
    for length_m in (0.3, 3, 6, 12, 40, 400):
        roll = Roll(1000 * length_m, 1400.0, [0], (), (), (), ())
        assert 1 <= len(row_heights(roll, 520)) <= 5


def test_hostile_text_in_every_field_is_printed_as_it_is():
    found = made.inspected(length_m=2, width_mm=700, count=2)
    found = replace(found, scans=(replace(found.scans[0], name=HOSTILE),))
    sheet = made.sheet(found, pictures=False)
    decided = Decided(Decision.PASS, Decimal(2), Decimal(0), Decimal(0), HOSTILE, HOSTILE, made.AT, (HOSTILE,))
    bad = replace(
        sheet, shop=HOSTILE, reference=HOSTILE[:64], customer=HOSTILE, article=HOSTILE, machine=HOSTILE,
        ink_set=HOSTILE,
        by=HOSTILE, decided=decided,
    )  # fmt: skip
    assert "<b>x</b>" in text_of(bad)
    refused = replace(bad, found=made.not_inspectable(HOSTILE))
    assert "<b>x</b>" in text_of(refused)


def test_a_picture_of_the_map_is_no_larger_than_paper_shows():
    found = made.inspected(length_m=2, width_mm=700, count=0)
    strip = made.strips(found)[0]
    fine = np.repeat(np.repeat(strip.scan, 6, axis=0), 6, axis=1)
    plain = write_inspection_report(made.sheet(found, pictures=False))
    sheet = replace(made.sheet(found, pictures=False), strips=(replace(strip, scan=fine, source=None),))
    assert len(write_inspection_report(sheet)) - len(plain) < 900_000
