"""Requests that nobody means well: each gets a sentence and a 4xx, or a 503 when the database is away; never a 500."""

import json
import logging

import pytest
from django.contrib.auth.models import User
from django.db import InterfaceError, OperationalError
from django.test import Client

from orders import services
from orders.api.serializers import OrderInput
from orders.models import Membership, Order, Role

pytestmark = pytest.mark.django_db

LINE = {
    "substrate": "FAB-COT-SAT",
    "quantity_m": 5,
    "words": "roses",
    "layout": "straight",
    "repeat_mm": [100, 100],
    "due_in_days": 30,
}


@pytest.fixture
def sales(mill):
    user = User.objects.create_user("anna")
    Membership.objects.create(shop=mill, user=user, role=Role.SALES)
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def post(client, body):
    return client.post("/api/orders/", body, content_type="application/json")


def with_line(**changes):
    return json.dumps({"customer": "Atelier Nord", "lines": [{**LINE, **changes}]})


@pytest.mark.parametrize(
    "body",
    [
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"\\ud800": 1}',
        json.dumps({"x" * 100_000: 1}),
        with_line(palette="\ud800"),
        with_line(palette=["#ffffff", "\ud800"]),
        with_line(palette=["#ffffff", {}]),
        with_line(palette="nordic\u0000"),
        with_line(words="\ud800"),
        with_line(words="roses\u0000"),
        with_line(words="ro\u0085ses"),
        with_line(words="roses\u200f"),
        with_line(words="roses\u200e"),
        with_line(words="roses\u061c"),
        with_line(words=5),
        with_line(layout="\ud800"),
        with_line(substrate="\udfff"),
        with_line(substrate=["FAB-COT-SAT"]),
        with_line(reference="\ud800"),
        with_line(quantity_m="\ud800"),
        with_line(quantity_m={}),
        with_line(quantity_m=float("nan")),
        with_line(quantity_m=float("inf")),
        with_line(repeat_mm=[float("nan"), 100]),
        with_line(repeat_mm=[1e308, 100]),
        with_line(repeat_mm="100"),
        with_line(due_in_days="2.7"),
        with_line(due_in_days=2.7),
        with_line(due_in_days=10**300),
        with_line(due_in_days="9" * 5000),
        with_line(due_date="\ud800"),
        json.dumps({"customer": 0, "lines": [LINE]}),
        json.dumps({"customer": True, "lines": [LINE]}),
        json.dumps({"customer": "x" * 200, "lines": [LINE]}),
        json.dumps({"customer": "Nord", "lines": {"0": LINE}}),
        json.dumps({"customer": "Nord", "lines": [LINE] * 51}),
        b"\xff\xfe",
    ],
    ids=lambda body: ascii(body[:90]),
)
def test_a_hostile_order_is_refused_in_the_one_shape(sales, body):
    answer = post(sales, body)
    assert answer.status_code == 400, answer.content
    said = answer.json()
    assert set(said) == {"code", "message", "fields", "trace_id"}
    assert said["code"] in {"invalid", "parse_error", "repeat_too_wide", "invalid_order"}
    assert len(answer.content) < 2000
    assert not Order.objects.exists()


def test_a_body_that_is_too_large_is_refused(sales, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
    answer = post(sales, with_line(reference="A" * 2_000_000))
    assert (answer.status_code, answer.json()["code"]) == (413, "invalid")
    assert "1 MB" in answer.json()["message"]


def test_the_checks_know_half_surrogates_by_themselves():
    wish = OrderInput(data={"customer": "Nord", "lines": [{**LINE, "palette": "\ud800"}]})
    assert not wish.is_valid()
    assert list(wish.errors["lines"][0]) == ["palette"]


@pytest.mark.parametrize("list_of", ["orders", "lines"])
@pytest.mark.parametrize(
    "query",
    ["limit=ten", "limit=-1", "limit=0", "limit=", "limit=1.5", f"limit={'9' * 5000}", "offset=-1", "offset=x"],
)
def test_a_page_of_a_list_is_asked_for_in_whole_numbers(sales, list_of, query):
    answer = sales.get(f"/api/{list_of}/?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert answer.json()["fields"]["field"] == query.partition("=")[0]


@pytest.mark.parametrize("query", ["limit=11515057991573999452160", "offset=11515057991573999452160", "limit=201"])
def test_numbers_larger_than_any_list_are_no_harm(sales, query):
    answer = sales.get(f"/api/orders/?{query}")
    assert (answer.status_code, answer.json()["results"]) == (200, [])


def test_a_page_never_has_more_than_200_rows(sales, mill):
    lines = [services.NewLine(**{**LINE, "repeat_mm": (100, 100)})]
    services.place(mill, customer="Nord", lines=lines * 201, by=None)
    answer = sales.get("/api/lines/?limit=5000").json()
    assert (len(answer["results"]), answer["count"]) == (200, 201)
    assert "offset=200" in answer["next"]


@pytest.mark.parametrize("address", ["/api/nothing/", "/api/orders/x/y/z/", "/api/lines/WL-1/files/a/b"])
def test_programs_get_the_error_body_where_there_is_nothing(client, address):
    answer = client.get(address)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_people_get_a_page_where_there_is_nothing(client):
    answer = client.get("/nothing/")
    assert answer.status_code == 404
    assert "<h1>Nothing here</h1>" in answer.content.decode()


@pytest.fixture
def failing(monkeypatch):
    """Make everything that reads the catalogue, or a page, fail with the given error."""
    logging.disable(logging.CRITICAL)

    def fail_with(error):
        def fail(*args, **options):
            raise error

        monkeypatch.setattr("orders.services.place_and_submit", fail)
        monkeypatch.setattr("orders.web.sales.production.offers", fail)

    yield fail_with
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("error", [OperationalError("database is locked"), InterfaceError("connection is closed")])
def test_while_the_database_is_away_programs_and_people_are_told_to_come_back(sales, failing, error):
    failing(error)
    answer = post(sales, with_line())
    assert (answer.status_code, answer.json()["code"]) == (503, "busy")
    page = sales.get("/new/")
    assert page.status_code == 503
    assert "<h1>One moment</h1>" in page.content.decode()
    for each in (answer, page):
        assert int(each["Retry-After"]) > 0
        assert b"locked" not in each.content


def test_what_nobody_foresaw_has_the_one_shape_too_and_tells_nothing_of_the_inside(sales, failing):
    failing(RuntimeError("secret inside"))
    answer = post(sales, with_line())
    assert (answer.status_code, answer.json()["code"]) == (500, "unexpected")
    page = sales.get("/new/")
    assert page.status_code == 500
    assert "<h1>Something went wrong</h1>" in page.content.decode()
    assert b"secret" not in answer.content + page.content
