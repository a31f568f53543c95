"""Orders over HTTP: what is taken, and what is refused with code, field and a sentence."""

import base64
import copy
import datetime

import pytest
from django.contrib.auth.models import User
from django.test import Client

from orders import worker
from orders.models import Membership, Order, OrderLine, Role, Step

pytestmark = pytest.mark.django_db

GOOD = {
    "customer": "Atelier Nord",
    "lines": [
        {
            "substrate": "FAB-COT-SAT",
            "quantity_m": 12.5,
            "words": "minimalist floral design with a Nordic color palette",
            "palette": "nordic",
            "layout": "half_drop",
            "repeat_mm": [320, 320],
            "due_in_days": 10,
        }
    ],
}


@pytest.fixture
def sales(mill):
    user = User.objects.create_user("anna")
    Membership.objects.create(shop=mill, user=user, role=Role.SALES)
    client = Client()
    client.force_login(user)
    return client


def order_with(**changes):
    order = copy.deepcopy(GOOD)
    for field, value in changes.items():
        order["lines"][0][field] = value
        if value is None:
            del order["lines"][0][field]
    return order


def post(client, body):
    return client.post("/api/orders/", body, content_type="application/json")


def test_a_good_order_is_taken_and_its_first_step_is_there_to_be_worked_on(sales):
    answer = post(sales, GOOD)
    assert answer.status_code == 201, answer.content
    line = answer.json()["lines"][0]
    assert line["state"] == "generating"
    assert Step.objects.get().kind == "draw"
    assert sales.get(f"/api/orders/{answer.json()['number']}/").json()["customer"] == "Atelier Nord"


def test_a_woven_line_is_taken(sales):
    answer = post(sales, order_with(substrate=None, weave="LOM1", repeat_mm=[200, 200], layout="straight"))
    assert answer.status_code == 201, answer.content


TODAY = datetime.date(2020, 1, 1).isoformat()


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"substrate": "FAB-NO-SUCH"}, "unknown_fabric", "lines[0].substrate"),
        ({"substrate": None, "weave": "LOM9"}, "unknown_weave", "lines[0].weave"),
        ({"substrate": None}, "not_one_cloth", "lines[0].substrate"),
        ({"weave": "LOM1"}, "not_one_cloth", "lines[0].substrate"),
        ({"quantity_m": 0}, "quantity_out_of_range", "lines[0].quantity_m"),
        ({"quantity_m": -3}, "quantity_out_of_range", "lines[0].quantity_m"),
        ({"quantity_m": 900000}, "quantity_out_of_range", "lines[0].quantity_m"),
        ({"quantity_m": 1e308}, "invalid", "lines[0].quantity_m"),
        ({"quantity_m": "NaN"}, "invalid", "lines[0].quantity_m"),
        ({"quantity_m": None}, "invalid", "lines[0].quantity_m"),
        ({"repeat_mm": [4000, 320]}, "repeat_too_wide", "lines[0].repeat_mm"),
        ({"repeat_mm": [0, 320]}, "repeat_too_small", "lines[0].repeat_mm"),
        ({"repeat_mm": [320]}, "invalid", "lines[0].repeat_mm"),
        ({"palette": ["#2b3a4a", "not a colour"]}, "not_a_colour", "lines[0].palette"),
        ({"palette": "no such palette"}, "unknown_palette", "lines[0].palette"),
        ({"palette": ["#000000"] * 9}, "invalid", "lines[0].palette"),
        ({"reference": base64.b64encode(b"not a picture").decode()}, "unreadable_image", "lines[0].reference"),
        ({"reference": "%%%"}, "invalid", "lines[0].reference"),
        ({"due_in_days": -1}, "due_date_past", "lines[0].due_in_days"),
        ({"due_date": TODAY}, "due_date_past", "lines[0].due_date"),
        ({"due_in_days": 10**12}, "invalid_order", "lines[0].due_in_days"),
        ({"due_in_days": None}, "invalid_order", "lines[0].due_date"),
        ({"layout": "diagonal"}, "invalid_order", "lines[0].layout"),
        ({"words": "  "}, "invalid_order", "lines[0].words"),
        ({"words": "roses\u202eesrever"}, "invalid", "lines[0].words"),
        ({"words": "x" * 501}, "invalid", "lines[0].words"),
        ({"colour": "red"}, "invalid", "lines[0].colour"),
    ],
)
def test_what_can_t_be_made_is_refused_with_code_field_and_sentence(sales, changes, code, field):
    answer = post(sales, order_with(**changes))
    assert answer.status_code == 400, answer.content
    body = answer.json()
    assert (body["code"], body["fields"]["field"]) == (code, field)
    assert len(body["message"].split()) >= 4
    assert body["trace_id"]
    assert not Order.objects.exists()


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"customer": 1}', "not json", '{"customer":"A","lines":[]}'])
def test_a_body_that_is_no_order_is_refused(sales, body):
    answer = post(sales, body)
    assert answer.status_code == 400
    assert answer.json()["code"]


def test_lists_take_the_same_number_of_queries_for_one_and_for_many(sales, django_assert_max_num_queries):
    for count in (1, 9):
        for _ in range(count):
            assert post(sales, GOOD).status_code == 201
        with django_assert_max_num_queries(7):
            assert len(sales.get("/api/orders/").json()["results"]) >= count


def test_a_cancelled_line_can_t_be_approved(sales):
    reference = post(sales, GOOD).json()["lines"][0]["reference"]
    assert sales.post(f"/api/lines/{reference}/cancel/").json()["state"] in {"cancelling", "cancelled"}
    worker.run_until_rest(OrderLine.objects.all())
    answer = sales.post(f"/api/lines/{reference}/approve/", {"candidate": 1}, content_type="application/json")
    assert answer.status_code == 409
    assert OrderLine.objects.get().state == "cancelled"


def test_live_and_ready_answer_anybody_and_ready_tells_the_truth(client, db):
    assert client.get("/live").status_code == 200
    answer = client.get("/ready")
    assert answer.status_code == 503
    assert "never run" in answer.json()["checks"]["sweeper"]


def test_the_schema_describes_every_address(sales):
    answer = sales.get("/api/schema/?format=json")
    assert answer.status_code == 200
    assert "/api/orders/" in answer.json()["paths"]
    assert sales.get("/api/docs/").status_code == 200
