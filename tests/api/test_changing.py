"""Another quantity, cloth or date of an approved line over HTTP: shown, then made; refused once it is in production."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from orders import services, worker
from orders.models import Membership, OrderLine, Role

pytestmark = pytest.mark.django_db(transaction=True)

WISH = services.NewLine(
    words="dots", quantity_m=6, layout="straight", repeat_mm=(64, 64), substrate="FAB-COT-SAT", due_in_days=30
)


@pytest.fixture
def sales(quick):
    user = User.objects.create_user("anna")
    Membership.objects.create(shop=quick, user=user, role=Role.SALES)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def line(quick):
    line = services.place_and_submit(quick, customer="Atelier Nord", lines=[WISH], by=None).lines.get()
    worker.run_until_rest([line])
    line.refresh_from_db()
    services.approve(line, 1, by=None)
    worker.run_until_rest([line])
    return OrderLine.objects.select_related("order__shop").get(pk=line.pk)


def post(client, line, verb, body):
    return client.post(f"/api/lines/{line.reference}/{verb}/", body, content_type="application/json")


def test_a_change_is_shown_with_its_price_and_date_and_then_made(sales, line):
    shown = post(sales, line, "change/proposal", {"quantity_m": "9", "substrate": "FAB-COT-POP"})
    assert shown.status_code == 200, shown.content
    proposal = shown.json()
    assert (proposal["quantity_m"], proposal["substrate"], proposal["passed"]) == ("9.00", "FAB-COT-POP", True)
    assert float(proposal["price_difference"]) == round(float(proposal["price"]) - float(proposal["price_before"]), 2)
    assert isinstance(proposal["days_later"], int)
    line.refresh_from_db()
    assert (line.state, line.quantity_m) == ("released", 6)
    agreed = {"quantity_m": "9", "substrate": "FAB-COT-POP", "price": proposal["price"]}
    answer = post(sales, line, "change", agreed)
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert (body["state"], body["quantity_m"], body["substrate"]) == ("planning", "9.00", "FAB-COT-POP")
    assert [approval["number"] for approval in body["approvals"]] == [1, 2]
    assert body["rounds"][-1]["way"] == "change"
    assert body["candidates"][0]["price"] == proposal["price"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "invalid_order"),
        ({"quantity_m": "6"}, 400, "invalid_order"),
        ({"quantity_m": "many"}, 400, "invalid"),
        ({"quantity_m": "NaN"}, 400, "invalid"),
        ({"quantity_m": "0"}, 400, "quantity_out_of_range"),
        ({"substrate": "FAB-NO-SUCH"}, 400, "unknown_fabric"),
        ({"due_date": "2020-01-01"}, 400, "due_date_past"),
        ({"words": "roses"}, 400, "invalid"),
        ({"quantity_m": "9", "price": "0.01"}, 409, "price_moved"),
    ],
)
def test_what_can_not_be_changed_is_refused_with_a_code_and_nothing_happens(sales, line, body, status, code):
    answer = post(sales, line, "change", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.content
    line.refresh_from_db()
    assert (line.state, line.approvals.count()) == ("released", 1)


def test_what_is_being_made_is_not_changed_any_more(sales, line):
    services.started(line)
    for verb in ("change/proposal", "change"):
        answer = post(sales, line, verb, {"quantity_m": "9"})
        assert (answer.status_code, answer.json()["code"]) == (409, "not_changeable")
        assert "is being made" in answer.json()["message"]


def test_on_the_page_the_price_is_shown_before_the_change_is_made(sales, line):
    due = timezone.localdate() + timedelta(days=40)
    form = {"quantity_m": "7,5", "substrate": "FAB-COT-SAT", "due_date": f"{due}"}
    address = f"/lines/{line.reference}/change/"
    page = sales.post(address, form)
    assert page.status_code == 200
    proposal = page.context["proposal"]
    assert proposal.sentence in page.content.decode()
    line.refresh_from_db()
    assert (line.state, line.quantity_m) == ("released", 6)
    answer = sales.post(address, {**form, "price": f"{proposal.price}"}, follow=True)
    line.refresh_from_db()
    assert (line.state, float(line.quantity_m), line.due_date) == ("planning", 7.5, due), answer.content


def test_a_form_sent_without_a_difference_says_so(sales, line):
    form = {"quantity_m": "6", "substrate": line.substrate, "due_date": f"{line.due_date}"}
    page = sales.post(f"/lines/{line.reference}/change/", form, follow=True)
    assert "Nothing would be different" in page.content.decode()
    page = sales.post(f"/lines/{line.reference}/change/", {**form, "quantity_m": "many"}, follow=True)
    assert "Metres:" in page.content.decode()


def test_the_page_offers_a_change_only_where_it_can_be_made(sales, line):
    assert "Change quantity, cloth or date" in sales.get(f"/lines/{line.reference}/").content.decode()
    services.started(line)
    assert "Change quantity, cloth or date" not in sales.get(f"/lines/{line.reference}/").content.decode()
