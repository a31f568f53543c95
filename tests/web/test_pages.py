"""The pages, as a person who is logged in sees them."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from orders.models import Membership, OrderLine, Role

pytestmark = pytest.mark.django_db

GOOD = {
    "customer": "Atelier Nord",
    "cloth": "substrate:FAB-COT-SAT",
    "quantity_m": "12,5",
    "words": "small blue flowers",
    "palette": "nordic",
    "layout": "half_drop",
    "width_mm": "320",
    "height_mm": "320",
    "due_in_days": "30",
}


@pytest.fixture
def sales(mill):
    user = User.objects.create_user("anna")
    Membership.objects.create(shop=mill, user=user, role=Role.SALES)
    client = Client()
    client.force_login(user)
    return client


def test_a_new_order_is_entered_and_leads_to_its_page(sales):
    answer = sales.post("/new/", GOOD, follow=True)
    line = OrderLine.objects.get()
    assert (line.state, float(line.quantity_m)) == ("generating", 12.5)
    assert line.reference in answer.content.decode()
    assert "small blue flowers" in sales.get("/").content.decode()


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("quantity_m", "many"),
        ("quantity_m", "0"),
        ("quantity_m", "NaN"),
        ("quantity_m", "1e999999"),
        ("cloth", "substrate:NO-SUCH"),
        ("cloth", ""),
        ("width_mm", "9000"),
        ("palette", "#12"),
        ("palette", "no such palette"),
        ("layout", "diagonal"),
        ("due_in_days", "-1"),
        ("words", ""),
        ("customer", "  "),
    ],
)
def test_what_can_t_be_taken_is_said_in_a_sentence_and_nothing_is_lost(sales, field, typed):
    answer = sales.post("/new/", {**GOOD, field: typed})
    page = answer.content.decode()
    assert answer.status_code == 400
    assert 'role="alert"' in page
    assert not OrderLine.objects.exists()
    if field != "words":
        assert 'value="small blue flowers"' in page


def test_hostile_words_are_shown_as_words(sales):
    sales.post("/new/", {**GOOD, "words": "<script>alert(1)</script> & roses"})
    page = sales.get("/").content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


def test_a_line_is_cancelled_from_its_page(sales):
    sales.post("/new/", GOOD)
    line = OrderLine.objects.get()
    sales.post(f"/lines/{line.reference}/cancel/")
    line.refresh_from_db()
    assert line.state == "cancelled"
