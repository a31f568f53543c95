"""The pages of the shop floor, as people who are logged in see them."""

import re
import uuid
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from orders.models import FloorReport, OrderLine, Preference, Role, Shop
from production.models import JobTicket
from tests.people import signed_in
from tests.shop_floor import now, planned

pytestmark = pytest.mark.django_db
SCRIPT = {"Accept": "application/json"}


@pytest.fixture
def ben(mill):
    return signed_in(mill, Role.OPERATOR, "ben")


@pytest.fixture
def line(mill):
    return planned(mill)


def press(line, kind, **more):
    return {"once": str(uuid.uuid4()), "run": "1", "operation": "0", "kind": kind, **more}


def at(line, more=""):
    return f"/floor/{line.reference}/{more}"


def test_a_scanned_ticket_opens_its_page_whatever_its_code_says(ben, line):
    for typed in ("{0}", "{0}-r1", "https://mill.example/floor/{0}-r1/", "lines/{0}/"):
        answer = ben.get("/floor/", {"ticket": typed.format(line.reference.lower())}, follow=True)
        assert answer.redirect_chain[0][0].startswith(at(line)[:-1])
        assert line.reference in answer.content.decode()


def test_a_ticket_that_is_none_is_said_and_nothing_is_executed(ben):
    page = ben.get("/floor/", {"ticket": "<script>1</script>"}).content.decode()
    assert "There is no ticket" in page
    assert "<script>1" not in page
    assert "There is no ticket" in ben.get("/floor/", {"ticket": "no\0thing"}).content.decode()


def test_who_is_not_signed_in_comes_back_to_the_ticket_they_scanned(line):
    answer = Client().get(at(line))
    assert answer["Location"] == f"/login/?next={at(line)}"


def test_an_old_ticket_says_that_it_is_old(ben, line):
    for revision in (1, 2):
        JobTicket.objects.create(
            shop="demo", reference=line.reference, revision=revision, released_at=timezone.now(), manifest={}
        )
    assert "Do not work by the old one" in ben.get(f"/floor/{line.reference}-r1/").content.decode()
    assert "Do not work by the old one" not in ben.get(f"/floor/{line.reference}-r2/").content.decode()


def test_a_tablet_remembers_its_machine(ben, line):
    assert "Which machine is yours?" in ben.get("/floor/").content.decode()
    machine = line.plan["slots"][0]["work_centre"]
    ben.get("/floor/", {"machine": machine})
    page = ben.get("/floor/").content.decode()
    assert "Which machine is yours?" not in page
    assert f"<h2>{machine}" in page
    assert ben.get("/floor/", {"machine": "NONE"}).cookies["machine"].value == ""


def test_a_new_shop_has_an_empty_floor_and_says_so():
    shop = Shop.objects.create(slug="new", name="New mill")
    page = signed_in(shop, Role.OPERATOR, "nina").get("/floor/").content.decode()
    assert "This shop has no machines yet" in page


def test_a_job_s_own_operation_is_chosen_on_the_tablet_of_its_machine(ben, line):
    second = line.plan["slots"][1]
    page = ben.get(at(line)).content.decode()
    assert f'<h2 id="operation">{line.plan["slots"][0]["name"]}' in page
    ben.get("/floor/", {"machine": second["work_centre"]})
    page = ben.get(at(line)).content.decode()
    assert f'<h2 id="operation">{second["name"]}' in page


def test_a_report_is_taken_without_any_script(ben, line):
    answer = ben.post(at(line, "report/"), press(line, "start"), follow=True)
    assert "Started: " in answer.content.decode()
    assert now(line).state == "in_production"
    answer = ben.post(at(line, "report/"), press(line, "start"), follow=True)
    assert "is running already (ben" in answer.content.decode()


def test_what_is_unlikely_is_asked_about_and_sent_again(ben, line):
    ben.post(at(line, "report/"), press(line, "start"))
    wish = press(line, "finish", metres="9,5")
    answer = ben.post(at(line, "report/"), wish)
    form = answer.content.decode().partition('class="ask"')[2].partition("</form>")[0]
    assert answer.status_code == 409
    again = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form))
    ben.post(at(line, "report/"), again)
    assert FloorReport.objects.get(kind="finish").metres == 9.5


def test_a_script_is_answered_in_json_and_the_same_press_twice_is_one(ben, line):
    wish = press(line, "start")
    for _ in range(2):
        answer = ben.post(at(line, "report/"), wish, headers=SCRIPT)
        assert (answer.status_code, answer.json()["taken"]) == (200, True)
    assert FloorReport.objects.count() == 1
    answer = ben.post(at(line, "report/"), press(line, "start", operation="1"), headers=SCRIPT)
    assert (answer.status_code, answer.json()["unlikely"]) == (409, True)
    answer = ben.post(at(line, "report/"), press(line, "finish", metres="NaN"), headers=SCRIPT)
    assert (answer.status_code, answer.json()["taken"]) == (400, False)


WRONG = [
    {"once": "1"}, {"operation": "x"}, {"operation": "-1"}, {"operation": "9" * 400}, {"run": "0"},
    {"kind": "finish\0"}, {"ago_s": "NaN"}, {"ago_s": "-1"}, {"ago_s": "1e12"}, {"metres": "1e9999"},
    {"undoes": "9" * 40}, {"units": "ells"}, {"price": "1"},
]  # fmt: skip


def test_what_no_page_would_send_is_refused_and_nothing_is_kept(ben, line):
    for wrong in WRONG:
        wish = {**press(line, "start"), **wrong}
        assert ben.post(at(line, "report/"), wish, headers=SCRIPT).status_code == 400, wrong
        assert ben.post(at(line, "report/"), wish).status_code in {302, 400}, wrong
    assert not FloorReport.objects.exists()


def test_what_was_pressed_without_a_network_keeps_its_time(ben, line):
    OrderLine.objects.update(plan={**line.plan, "planned_at": (timezone.now() - timedelta(days=1)).isoformat()})
    ben.post(at(line, "report/"), press(line, "start", ago_s="5400"), headers=SCRIPT)
    report = FloorReport.objects.get()
    assert round((report.received_at - report.at).total_seconds()) == 5400


def test_yards_are_kept_as_metres(ben, line):
    Preference.objects.create(user=User.objects.get(username="ben"), units="imperial")
    ben.post(at(line, "report/"), press(line, "start"))
    page = ben.get(at(line)).content.decode()
    assert 'value="6.56"' in page
    ben.post(at(line, "report/"), press(line, "finish", metres="6.56", units="imperial"))
    assert str(FloorReport.objects.get(kind="finish").metres) == "6.00"


def test_the_part_that_is_worked_with_is_sent_only_when_it_has_changed(ben, line):
    mark = re.search(r'data-mark="([^"]+)"', ben.get(at(line)).content.decode())[1]
    assert ben.get(at(line, "work/"), {"seen": mark}).status_code == 204
    ben.post(at(line, "report/"), press(line, "start"))
    assert 'data-state="running"' in ben.get(at(line, "work/"), {"seen": mark}).content.decode()


def test_who_does_not_work_there_sees_the_page_and_reports_nothing(mill, line):
    client = signed_in(mill, Role.SALES, "sue")
    page = client.get(at(line)).content.decode()
    assert "Operators, planners and administrators report here" in page
    assert 'data-report="start"' not in page
    assert client.post(at(line, "report/"), press(line, "start")).status_code == 403


def test_another_shop_s_ticket_is_not_there(line):
    client = signed_in(Shop.objects.create(slug="other", name="Other"), Role.ADMIN, "olga")
    for address in (at(line), at(line, "work/")):
        assert client.get(address).status_code == 404
    assert client.post(at(line, "report/"), press(line, "start")).status_code == 404
    assert "There is no ticket" in client.get("/floor/", {"ticket": line.reference}).content.decode()


def test_a_session_that_is_over_is_said_to_the_script_so_that_it_keeps_what_was_pressed(line):
    answer = Client().post(at(line, "report/"), press(line, "start"), headers={**SCRIPT, "HX-Request": "true"})
    assert answer.status_code == 401


def test_a_line_that_is_not_on_the_floor_says_why(ben, line):
    for state in ("draft", "blocked", "cancelled", "done"):
        OrderLine.objects.update(state=state)
        page = ben.get(at(line)).content.decode()
        assert 'class="message" role="status"' in page
        assert 'data-report="start"' not in page


def test_a_page_of_the_floor_takes_few_questions_to_the_database(ben, mill, django_assert_max_num_queries):
    lines = [planned(mill) for _ in range(3)]
    with django_assert_max_num_queries(12):
        ben.get("/floor/")
    with django_assert_max_num_queries(22):
        ben.get(at(lines[0]))
