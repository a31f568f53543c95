"""The inspection's pages, as people who are logged in see them."""

import re
import uuid
from dataclasses import replace
from decimal import Decimal
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from orders import reprinting
from orders.models import Notice, OrderLine, Preference, Role, Shop
from production import inspections
from production.inspection.flaws import Kind
from production.inspection.outcome import Defect
from production.models import DefectVerdict, Inspection, JobTicket
from tests import inspected as made
from tests.people import signed_in
from tests.shop_floor import on_the_table, planned

pytestmark = pytest.mark.django_db
SCRIPT = {"Accept": "application/json"}
HTMX = {"HX-Request": "true"}
HOLE = Defect(1, Kind.HOLE, 0.9, 5.0, 300.0, 1200.0, 4.0, 4.0, 16.0)
STAIN = Defect(2, Kind.STAIN, 0.9, 4.0, 100.0, 2500.0, 20.0, 90.0, 900.0)


@pytest.fixture
def ben(mill):
    return signed_in(mill, Role.OPERATOR, "ben")


@pytest.fixture
def line(mill):
    """A line whose cloth is made and waits for its inspection."""
    line = planned(mill, metres=3, state="inspecting")
    JobTicket.objects.create(
        shop="demo", reference=line.reference, revision=1, released_at=made.AT, manifest={"article": line.substrate}
    )
    return line


@pytest.fixture
def cloth():
    """Three narrow metres with a hole and a stain; its colours are well within what anybody takes."""
    found = made.inspected(length_m=3, width_mm=400, colours=2, found=(HOLE, STAIN))
    return replace(found, colours=tuple(replace(each, de00=0.5) for each in found.colours))


def at(line, more=""):
    return f"/lines/{line.reference}/inspection/{more}"


def page(client, address, **more):
    answer = client.get(address, **more)
    assert answer.status_code == 200, answer
    return answer.content.decode()


def words(html):
    return unescape(" ".join(re.sub(r"<[^>]*>", " ", html).split()))


# ------------------------------------------------------------------------------------------------ scans


def test_who_has_to_inspect_is_told_what_a_good_scan_is(ben, line):
    said = words(page(ben, at(line)))
    for needed in ("Scan the cloth", "100 dpi or finer", "colour bar", "60 at most, each of 1.5 GB at most"):
        assert needed in said


def test_scans_are_taken_once_and_looked_at(ben, line):
    once = str(uuid.uuid4())
    for _ in range(2):
        sent = {"once": once, "scans": [SimpleUploadedFile("head.png", b"1"), SimpleUploadedFile("end.png", b"2")]}
        answer = ben.post(at(line, "scans/"), sent, headers=SCRIPT)
        assert answer.json() == {"taken": True, "address": at(line)}
    found = Inspection.objects.get()
    assert [each["name"] for each in found.scans] == ["head.png", "end.png"]
    assert (found.state, found.by) == ("waiting", "ben")
    html = page(ben, at(line))
    assert "The cloth is being looked at" in html
    seen = re.search(r'"seen": "([^"]+)"', html)[1]
    assert ben.get(at(line, "1/part/"), {"seen": seen}, headers=HTMX).status_code == 204
    OrderLine.objects.filter(pk=line.pk).update(progress="inspecting the cloth: defects, 40 %")
    assert "defects, 40 %" in ben.get(at(line, "1/part/"), {"seen": seen}, headers=HTMX).content.decode()
    Inspection.objects.update(**inspections.refused("blurred", "The scan is blurred."))
    assert ben.get(at(line, "1/part/"), {"seen": seen}, headers=HTMX)["HX-Refresh"] == "true"


def test_what_is_no_scan_is_refused_with_what_to_do(ben, line):
    for name, content, needed in (("a.docx", b"1", "send TIFF, PNG or JPEG"), ("a.png", b"", "empty")):
        sent = {"once": str(uuid.uuid4()), "scans": [SimpleUploadedFile(name, content)]}
        answer = ben.post(at(line, "scans/"), sent, headers=SCRIPT)
        assert answer.status_code == 400
        assert needed in answer.json()["sentence"]
        sent["scans"] = [SimpleUploadedFile(name, content)]
        answer = ben.post(at(line, "scans/"), sent)
        assert answer.status_code == 400
        assert needed in answer.content.decode()
    none = ben.post(at(line, "scans/"), {"once": str(uuid.uuid4())}, headers=SCRIPT)
    assert none.status_code == 400
    huge = ben.post(at(line, "scans/"), {"once": str(uuid.uuid4())}, headers=SCRIPT, CONTENT_LENGTH="9000000000")
    assert "1.5 GB are read at most" in huge.json()["sentence"]
    assert not Inspection.objects.exists()


def test_a_line_that_is_not_made_yet_takes_no_scans(ben, mill):
    line = planned(mill)
    assert "Scans are taken once its cloth is made" in page(ben, at(line))
    sent = {"once": str(uuid.uuid4()), "scans": [SimpleUploadedFile("a.png", b"1")]}
    answer = ben.post(at(line, "scans/"), sent, headers=SCRIPT)
    assert (answer.status_code, Inspection.objects.exists()) == (409, False)


# ------------------------------------------------------------------------------------------------ seen


def test_what_was_found_is_shown_with_its_limits_and_is_said_to_be_synthetic(ben, line, cloth):
    found = made.looked_at(line, cloth)
    said = words(page(ben, at(line)))
    for reason in inspections.proposal_of(found).reasons:
        assert " ".join(reason.sentence.split()) in said
    grade = inspections.grade_of(found)
    for needed in ("Synthetic scan.", f"Points per 100 m² {grade.per_100m2:.1f}", "Worst metre 4", "Hole", "Stain",
                   "Repeat across +0.21 %", "-3.2 mm", "fitted to within ΔE 0.42", "0, 4 µm"):  # fmt: skip
        assert needed in said


def test_metres_that_no_scan_shows_have_no_points_on_the_map(ben, line, cloth):
    first = replace(cloth.scans[0], from_mm=0.0, to_mm=1400.0)
    made.looked_at(line, replace(cloth, scans=(first,), defects=()))
    html = page(ben, at(line))
    assert html.count('class="p0"') == 1
    assert html.count('class="unseen"') == 2
    assert "From metre 0: points 0" in html
    assert "From metre 1: not scanned" in html, "less than half of it was seen"
    assert "From metre 2: not scanned" in html


def test_a_real_scan_is_not_called_synthetic(ben, line, cloth):
    made.looked_at(line, replace(cloth, synthetic=False))
    assert "ynthetic" not in page(ben, at(line))


def test_what_can_not_be_inspected_says_why_and_shows_no_grade(ben, line):
    made.looked_at(line, made.not_inspectable())
    html = page(ben, at(line))
    assert made.BLURRED in html
    assert "this is no pass" in html
    assert "Scan it again" in html
    for none in ("Points per 100", 'id="decide"', "Map of the roll", "ΔE2000"):
        assert none not in html


def test_the_viewer_shows_the_worst_place_first_and_any_other_that_is_asked_for(ben, line, cloth):
    made.looked_at(line, cloth)
    html = page(ben, at(line))
    assert "1 m to 2 m" in html
    assert "scan-0001.jpg" in html
    html = page(ben, at(line, "1/look/?strip=2"), headers=HTMX)
    assert "scan-0002.jpg" in html
    assert "<main" not in html
    html = page(ben, at(line, "1/look/?defect=2"), headers=HTMX)
    assert "defect-0002-scan.jpg" in html
    assert "Defect 2" in html
    assert "<main" in page(ben, at(line, "1/look/?defect=2"))  # who has no scripts gets the whole page
    for odd in ("?strip=99", "?defect=99", "?strip=-1", "?defect=x", "?strip=99999999999999999999"):
        assert ben.get(at(line, f"1/look/{odd}"), headers=HTMX).status_code == 200


def test_pictures_are_those_of_the_inspection_and_nothing_else(ben, line, cloth):
    found = made.looked_at(line, cloth)
    answer = ben.get(at(line, "1/pictures/scan-0000.jpg"))
    assert answer["Content-Type"] == "image/jpeg"
    assert answer.content[:2] == b"\xff\xd8"
    for name in ("index.json", "..%2Findex.json", "scan-9999.jpg", "%2e%2e"):
        assert ben.get(at(line, f"1/pictures/{name}")).status_code == 404
    (inspections.folder_of(found) / "pictures" / "scan-0000.jpg").unlink()
    assert ben.get(at(line, "1/pictures/scan-0000.jpg")).status_code == 404


def test_without_pictures_the_page_is_whole_all_the_same(ben, line, cloth):
    made.looked_at(line, cloth, pictures=False)
    html = page(ben, at(line))
    assert "There are no pictures of this cloth" in html
    assert "Map of the roll" in html


def test_the_line_s_page_heads_each_notice_by_who_it_comes_from(ben, mill):
    line = on_the_table(planned(mill))
    for code, sentence in ((reprinting.NOTICE, "2 m failed."), ("erp_quantity", "Somebody wrote 7 m.")):
        Notice.objects.create(shop=mill, line=line, key=code, code=code, sentence=sentence, fields={}, at=made.AT)
    said = words(page(ben, f"/lines/{line.reference}/"))
    assert "Made once more. 2 m failed." in said
    assert "Changed in the ERP. Somebody wrote 7 m." in said


def test_a_person_sees_how_closely_the_cloth_was_looked_at(ben, line, cloth):
    made.looked_at(line, cloth, pictures=False, threshold={"high": 5.5, "low": -1.5, "set": False})
    assert "Looked for as usual: no threshold was set for FAB-COT-SAT" in words(page(ben, at(line)))
    used = {"high": 7.0, "low": -1.0, "set": True, "clean_m2": 3.25, "false_alarms_per_m2": 0.5, "by": "ann",
            "at": made.AT.isoformat(), "synthetic": True}  # fmt: skip
    made.looked_at(line, cloth, pictures=False, threshold=used)
    said = words(page(ben, at(line)))
    assert "at most 0.5 false alarms per m², on 3.3 m² of clean cloth (ann, 27 Nov 2026)" in said
    assert "It was set on simulated scans." in said


def test_a_cloth_with_many_defects_shows_the_first_and_all_when_asked(ben, line):
    made.looked_at(line, made.inspected(length_m=3, width_mm=400, count=90), pictures=False)
    html = page(ben, at(line))
    assert html.count('id="defect-') == 60
    assert "30 more" in html
    assert page(ben, at(line, "?all=1")).count('id="defect-') == 90


def test_the_report_is_there_before_and_after_it_is_decided(ben, line, cloth):
    found = made.looked_at(line, cloth, pictures=False)
    answer = ben.get(at(line, "1/report.pdf"))
    assert (answer["Content-Type"], answer.content[:5]) == ("application/pdf", b"%PDF-")
    assert answer["Content-Security-Policy"] == "sandbox"
    Inspection.objects.filter(pk=found.pk).update(
        state="decided", decision="pass", good_m=3, scrap_m=0, reprint_m=0, decided_by="ben", decided_at=made.AT
    )
    first = ben.get(at(line, "1/report.pdf")).content
    assert first == ben.get(at(line, "1/report.pdf")).content
    assert [each["kind"] for each in Inspection.objects.get().files] == ["report"]


# ------------------------------------------------------------------------------------------------ said


def say(client, line, number, **fields):
    return client.post(at(line, f"1/defects/{number}/"), {"strip": "0", **fields}, headers=HTMX)


def test_what_is_said_of_a_defect_changes_grade_and_proposal_and_is_kept(ben, line, cloth):
    found = made.looked_at(line, cloth)
    assert found.proposal["decision"] != "pass"
    html = say(ben, line, 1, **{"is": "none", "kind": "hole"}).content.decode()
    assert "no defect, says ben" in html
    assert 'hx-swap-oob="true"' in html, "the viewer's frames change too"
    found.refresh_from_db()
    assert found.grade["points"] == 2
    html = say(ben, line, 2, **{"is": "defect", "kind": "slub"}).content.decode()
    assert "Slub" in html
    assert "confirmed by ben" in html
    kept = [(each.number, each.confirmed, each.kind, each.found_kind) for each in DefectVerdict.objects.all()]
    assert kept == [(1, False, "", "hole"), (2, True, "slub", "stain")]


def test_without_scripts_it_comes_back_to_the_defect(ben, line, cloth):
    made.looked_at(line, cloth)
    answer = ben.post(at(line, "1/defects/2/"), {"is": "none", "kind": "stain"})
    assert answer["Location"] == at(line, "1/#defect-2")


def test_what_is_no_defect_and_no_kind_is_refused(ben, line, cloth):
    made.looked_at(line, cloth)
    assert say(ben, line, 99, **{"is": "none"}).status_code == 400
    answer = say(ben, line, 1, **{"is": "defect", "kind": "<script>"})
    assert answer.status_code == 400
    assert "<script>" not in answer.content.decode()
    assert not DefectVerdict.objects.exists()


def test_sales_look_and_decide_nothing(mill, line, cloth):
    made.looked_at(line, cloth)
    sue = signed_in(mill, Role.SALES, "sue")
    html = page(sue, at(line))
    assert "Operators, planners and administrators decide here" in html
    assert 'id="decide"' not in html
    assert 'id="no-1"' not in html
    assert say(sue, line, 1, **{"is": "none"}).status_code == 403
    assert sue.post(at(line, "1/decide/"), {"decision": "pass"}).status_code == 403


# ------------------------------------------------------------------------------------------------ decided


def test_the_proposal_is_chosen_and_deciding_otherwise_asks_why(ben, line, cloth):
    found = made.looked_at(line, cloth)
    proposed = found.proposal["decision"]
    html = page(ben, at(line))
    assert re.search(rf'value="{proposed}" required checked', html)
    answer = ben.post(at(line, "1/decide/"), {"decision": "pass", "why": ""})
    assert answer.status_code == 400
    html = answer.content.decode()
    assert "say why it is decided otherwise" in html
    assert re.search(r'value="pass" required checked', html), "what was chosen stays chosen"
    assert 'class="wrong" aria-describedby="wrong"' in html
    found.refresh_from_db()
    assert found.state == "measured"


def test_metres_are_read_as_they_are_typed_and_refused_by_name(ben, line, cloth):
    made.looked_at(line, cloth)
    for typed in ("9999", "-1", "nothing", "1e5"):
        answer = ben.post(at(line, "1/decide/"), {"decision": "reprint", "reprint_m": typed, "why": "x"})
        assert answer.status_code == 400, typed
        assert f'value="{typed}"' in answer.content.decode()
    assert Inspection.objects.get().state == "measured"


def test_a_passed_cloth_is_done_and_its_history_says_who_decided(ben, line, cloth):
    made.looked_at(line, replace(cloth, defects=()))
    answer = ben.post(at(line, "1/decide/"), {"decision": "pass", "why": "", "good_m": "1", "units": "metric"})
    assert answer["Location"] == at(line, "1/")
    found = Inspection.objects.get()
    assert (found.state, found.decision, found.good_m, found.decided_by) == ("decided", "pass", Decimal(3), "ben")
    assert OrderLine.objects.get().state == "done"
    said = words(page(ben, at(line)))
    assert "Decided Pass" in said
    assert "By ben" in said
    assert "3 m good, 0 m scrap" in said


def test_of_two_inspectors_the_second_is_told_who_was_first(ben, mill, line, cloth):
    made.looked_at(line, replace(cloth, defects=()))
    pia = signed_in(mill, Role.PLANNER, "pia")
    assert ben.post(at(line, "1/decide/"), {"decision": "pass"}).status_code == 302
    answer = pia.post(at(line, "1/decide/"), {"decision": "seconds", "why": "a shade"})
    assert answer.status_code == 409
    assert "ben has decided on this cloth already" in words(answer.content.decode())
    assert 'id="decide"' not in answer.content.decode()


def test_an_earlier_inspection_is_shown_as_such(ben, line, cloth):
    made.looked_at(line, made.not_inspectable(), state="overtaken", reason={"code": "x", "sentence": "It was dark."})
    made.looked_at(line, cloth)
    assert "an earlier one" in page(ben, at(line, "1/"))
    html = page(ben, at(line))
    assert "an earlier one" not in html
    assert "It was dark." in html
    assert ben.get(at(line, "7/")).status_code == 404


def test_who_reads_yards_types_yards(ben, line, cloth):
    made.looked_at(line, cloth)
    Preference.objects.create(user=User.objects.get(username="ben"), units="imperial")
    assert "(yd)" in page(ben, at(line))
    answer = ben.post(at(line, "1/decide/"), {"decision": "reprint", "reprint_m": "4", "units": "imperial", "why": "x"})
    assert "3.66" in words(answer.content.decode()), "4 yards are more than the 3 metres that were made"


def test_another_shops_inspection_does_not_exist(line, cloth):
    made.looked_at(line, cloth)
    eve = signed_in(Shop.objects.create(slug="other", name="Other"), Role.ADMIN, "eve")
    for more in ("", "1/", "1/part/", "1/look/", "1/report.pdf", "1/pictures/scan-0000.jpg"):
        assert eve.get(at(line, more)).status_code == 404
    for more in ("scans/", "1/defects/1/", "1/decide/"):
        assert eve.post(at(line, more)).status_code == 404
    assert Client().get(at(line)).status_code == 302
