"""Inspections over HTTP: scans in, what was found, what is decided."""

import uuid

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from orders.models import Membership
from production.models import Inspection
from tests.quick_inspector import QuickInspector, cloth
from tests.shop_floor import now, on_the_table, planned, work_on

pytestmark = pytest.mark.django_db


@pytest.fixture
def line(mill, settings, monkeypatch):
    settings.WEFTLINE = {**settings.WEFTLINE, "inspector": "tests.quick_inspector.QuickInspector"}
    monkeypatch.setattr(QuickInspector, "sees", cloth(("stain", 300.0, 1200.0, 90.0, 160.0)))
    return on_the_table(planned(mill, state="inspecting"))


@pytest.fixture
def client(mill):
    user = User.objects.create_user("omar")
    Membership.objects.create(shop=mill, user=user, role="operator")
    client = Client()
    client.force_login(user)
    return client


def scan(content=b"a scan", name="head.tif"):
    return SimpleUploadedFile(name, content)


def test_scans_go_in_what_was_found_comes_out_and_a_decision_ends_it(client, line):
    address, once = f"/api/lines/{line.reference}/", str(uuid.uuid4())
    for _ in range(2):
        answer = client.post(address + "scans/", {"scans": [scan(), scan(b"more", "tail.tif")], "once": once})
        assert (answer.status_code, answer.json()["state"]) == (202, "waiting"), answer.content
    work_on(line)
    (found,) = client.get(address + "inspections/").json()
    assert (found["state"], found["grade"]["points"], found["synthetic"]) == ("measured", 3, True)
    assert "outcome" not in found
    one = client.get(address + "inspections/1/").json()
    assert one["outcome"]["defects"][0]["kind"] == "stain"
    assert [each["name"] for each in one["scans"]] == ["head.tif", "tail.tif"]
    assert b"/store/" not in client.get(address + "inspections/1/").content, "where files lie is not told"
    said = client.post(
        address + "inspections/1/verdicts/", {"defect": 1, "confirmed": False}, content_type="application/json"
    )
    assert (said.status_code, said.json()["found_kind"]) == (201, "stain")
    assert len(client.get(address + "inspections/1/verdicts/").json()) == 1
    decide = {"decision": "pass"}
    answer = client.post(address + "inspections/1/decide/", decide, content_type="application/json")
    assert (answer.status_code, answer.json()["decided_by"]) == (200, "omar"), answer.content
    late = client.post(address + "inspections/1/decide/", {"decision": "reprint"}, content_type="application/json")
    assert (late.status_code, late.json()["code"]) == (409, "inspection_over")
    assert now(line).state == "done"


WRONG = [
    {"decision": "burn"}, {"decision": "pass", "good_m": "-1"}, {"decision": "pass", "good_m": "NaN"}, {},
    {"decision": "reprint", "reprint_m": 1e308}, {"decision": "pass", "why": "\u202e"}, {"decision": "pass", "x": 1},
    {"decision": "pass", "why": "x" * 501},
]  # fmt: skip


def test_a_decision_that_makes_no_sense_is_refused(client, line):
    client.post(f"/api/lines/{line.reference}/scans/", {"scans": [scan()]})
    work_on(line)
    address = f"/api/lines/{line.reference}/inspections/1/decide/"
    for wrong in WRONG:
        answer = client.post(address, wrong, content_type="application/json")
        assert answer.status_code == 400, (wrong, answer.content)
    assert Inspection.objects.get().state == "measured"


def test_what_are_no_scans_is_refused_with_the_field(client, line):
    address = f"/api/lines/{line.reference}/scans/"
    for sent in ({}, {"scans": "words"}, {"scans": [scan(b"")]}, {"scans": [scan(name="x.exe")]},
                 {"scans": [scan()], "once": "x"}):  # fmt: skip
        answer = client.post(address, sent)
        assert answer.status_code == 400, (sent, answer.content)
        assert answer.json()["fields"]["field"].partition("[")[0] in {"scans", "once"}
    huge = client.post(address, {"scans": [scan()]}, headers={"Content-Length": "2000000000"})
    assert (huge.status_code, huge.json()["code"]) == (400, "invalid_scans")
    assert not Inspection.objects.exists()
