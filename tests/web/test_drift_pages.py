"""The charts of drift, and corrections that a person accepts there."""

import json
import re
from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orders.models import AuditEvent, Role, Shop
from orders.web import drift
from orders.web.charts import HEIGHT, control_of
from production.domain.drift import Reading, trend
from production.models import Correction, Substrate
from tests import inspected as made
from tests.people import signed_in
from tests.shop_floor import planned

pytestmark = pytest.mark.django_db


@pytest.fixture
def pia(mill):
    return signed_in(mill, Role.PLANNER, "pia")


def drifted(mill, *, across, count=10):
    """Inspected cloths of a machine whose width has moved."""
    line = planned(mill, state="inspecting")
    return [made.measured_before(line, days=3 * (count - number), across=across) for number in range(count)]


def words(answer):
    return unescape(" ".join(re.sub(r"<[^>]*>", " ", answer.content.decode()).split()))


def asked(page):
    """The fields of the first proposal's form."""
    html = page.content.decode()
    form = html[html.index('action="/drift/accept/"') :]
    form = form[: form.index("</form>")]
    return {
        name: unescape(re.search(rf'name="{name}" value="([^"]*)"', form)[1])
        for name in ("machine", "ink_set", "article", "kind", "seen")
    }


def test_a_shop_without_inspections_says_what_brings_them(pia):
    assert "No cloth was inspected by scan yet" in words(pia.get("/drift/"))


def test_a_steady_machine_is_within_its_limits_and_asks_for_nothing(pia, mill):
    drifted(mill, across=0.02)
    said = words(pia.get("/drift/"))
    assert said.count("within its limits") == 3
    assert "/drift/accept/" not in pia.get("/drift/").content.decode()
    assert "10 cloths" in said
    assert "some of it from simulated scans" in said


def test_a_machine_that_prints_too_wide_is_answered_once_by_a_person(pia, mill):
    drifted(mill, across=0.6)
    cloth = Substrate.objects.get(shop="demo", code="FAB-COT-SAT")
    page = pia.get("/drift/")
    said = words(page)
    assert "drifts" in said
    assert "It rests on 10 cloths" in said
    fields = asked(page)
    assert fields["kind"] == "size"
    answer = pia.post("/drift/accept/", fields, follow=True)
    after = Substrate.objects.get(pk=cloth.pk)
    assert after.shrink_weft_pct == json.loads(fields["seen"])["shrink_weft_pct"] != cloth.shrink_weft_pct
    assert Correction.objects.get().decided_by == "pia"
    assert "Accepted" in words(answer)
    assert AuditEvent.objects.filter(action="correction").count() == 1
    assert "Since the last correction no cloth was inspected" in words(answer)
    before = re.findall(r'class="dot earlier" d="([^"]*)"', answer.content.decode())
    assert sorted(path.count("M") for path in before) == [0, 10, 10], "what was before stays, across and along"
    again = pia.post("/drift/accept/", fields)
    assert again.status_code == 409
    assert Correction.objects.count() == 1


def test_a_correction_is_declined_with_why_and_both_stay_to_be_seen(pia, mill):
    drifted(mill, across=0.6)
    cloth = Substrate.objects.get(shop="demo", code="FAB-COT-SAT")
    fields = asked(pia.get("/drift/")) | {"why": "The scanner was <new>."}
    answer = pia.post("/drift/decline/", fields, follow=True)
    assert "Declined" in words(answer)
    assert "✗ declined , pia" in words(answer)
    assert "“The scanner was <new>.”" in words(answer)
    assert "/drift/accept/" not in answer.content.decode()
    assert Substrate.objects.get(pk=cloth.pk).shrink_weft_pct == cloth.shrink_weft_pct
    assert pia.post("/drift/decline/", fields).status_code == 409
    assert pia.post("/drift/accept/", fields).status_code == 409
    assert Correction.objects.count() == 1


def test_more_cloths_take_no_more_queries_and_nothing_that_is_not_shown_is_read(pia, mill):
    drifted(mill, across=0.02)
    asked_for = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as caught:
            assert pia.get("/drift/").status_code == 200
        asked_for.append([each["sql"] for each in caught])
        drifted(mill, across=0.02)
    few, more = asked_for
    assert len(more) <= len(few)
    assert not any("outcome" in sql for sql in few + more)


def test_many_series_stand_on_several_pages_those_to_decide_on_first(pia, mill, monkeypatch):
    monkeypatch.setattr(drift, "ON_A_PAGE", 1)
    drifted(mill, across=0.02)
    wide = planned(mill, "FAB-LIN-NAT", state="inspecting")
    for days in range(10):
        made.measured_before(wide, days=3 * days + 1, across=0.6)
    first, second = words(pia.get("/drift/")), words(pia.get("/drift/?page=2"))
    assert "FAB-LIN-NAT" in first
    assert "FAB-COT-SAT" not in first
    assert "Page 1 of 2 Next" in first
    assert "FAB-COT-SAT" in second
    assert "Before Page 2 of 2" in second
    assert "Page 2 of 2" in words(pia.get("/drift/?page=9")), "one too far is the last"


def test_the_table_lists_the_newest_cloths_and_says_how_many_it_leaves_out(pia, mill, monkeypatch):
    monkeypatch.setattr(drift, "LISTED", 7)
    drifted(mill, across=0.02)
    html = pia.get("/drift/").content.decode()
    assert html.count('<th scope="row">') == 7
    assert "3 older cloths are drawn above and not listed" in words(pia.get("/drift/"))


def test_who_may_only_look_decides_nothing(mill):
    drifted(mill, across=0.6)
    ben = signed_in(mill, Role.OPERATOR, "ben")
    page = ben.get("/drift/")
    assert "Planners and administrators decide on corrections" in words(page)
    assert ben.post("/drift/accept/", {"kind": "size"}).status_code == 403
    assert ben.post("/drift/decline/", {"kind": "size"}).status_code == 403


def test_what_makes_no_sense_is_refused(pia, mill):
    drifted(mill, across=0.6)
    fields = asked(pia.get("/drift/"))
    for change in ({"seen": "{"}, {"kind": "x"}, {"machine": ""}, {"seen": ""}):
        assert pia.post("/drift/accept/", {**fields, **change}).status_code == 400
    assert pia.post("/drift/accept/", {**fields, "seen": "{}"}).status_code == 409
    assert not Correction.objects.exists()


def test_another_shop_sees_none_of_it(mill):
    drifted(mill, across=0.6)
    eve = signed_in(Shop.objects.create(slug="other", name="Other"), Role.ADMIN, "eve")
    assert "FAB-COT-SAT" not in eve.get("/drift/").content.decode()


def test_a_chart_has_everything_within_it_and_round_numbers_beside_it():
    start = timezone.now()
    for values in ([0.0], [0.1, 0.1], [5, 1, 90, 3, 4, 2, 8], [1e-6] * 9):
        series = trend([Reading(start + timedelta(days=n), v) for n, v in enumerate(values)], least_spread=0.05)
        above = control_of(series, least_span=1.0, decimals=2, floor=0.0)
        assert above.span[0] >= 0
        assert all(0 <= y <= HEIGHT for _, y, _ in above.dots)
        drawn = control_of(series, least_span=1.0, decimals=2)
        assert all(0 <= y <= HEIGHT for _, y, _ in drawn.dots)
        assert 2 <= len(drawn.ticks) <= 9
        assert all(0 <= y <= HEIGHT for y, _ in drawn.ticks)
