"""The pages, as a person who is logged in sees them."""

import cv2
import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from generation.domain.palette import parse_colour
from orders import worker
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
        ("customer", "x" * 200),
        ("customer", "Nord\0"),
        ("words", "roses\0"),
        ("words", "roses\u202eesrever"),
        ("cloth", "substrate:FAB\0COT"),
        ("palette", "nor\0dic"),
        ("layout", "half\0drop"),
        ("due_in_days", "2.7"),
        ("due_in_days", "soon"),
        ("quantity_m", "12,555"),
        ("height_mm", "NaN"),
    ],
)
def test_what_can_t_be_taken_is_said_in_a_sentence_and_nothing_is_lost(sales, field, typed):
    answer = sales.post("/new/", {**GOOD, field: typed})
    page = answer.content.decode()
    assert answer.status_code == 400
    assert 'role="alert"' in page
    assert not OrderLine.objects.exists()
    if field not in {"layout", "cloth", "height_mm"}:
        assert f'name="{field}"' in page.partition('class="wrong"')[0].rpartition("<label")[2]
    if field != "words":
        assert 'value="small blue flowers"' in page


@pytest.mark.parametrize(
    ("typed", "colours"),
    [
        ("navy, dark green, cream", [parse_colour(name) for name in ("navy", "dark green", "cream")]),
        ("#1f2a4d#f6ecd9", ["#1f2a4d", "#f6ecd9"]),
        ("#1f2a4d #f6ecd9", ["#1f2a4d", "#f6ecd9"]),
        ("#1f2a4d; cream", None),
    ],
)
def test_a_palette_is_typed_as_colours_by_code_or_by_name(sales, typed, colours):
    answer = sales.post("/new/", {**GOOD, "palette": typed})
    assert answer.status_code == (302 if colours else 400)
    assert [line.newest_round.palette for line in OrderLine.objects.all()] == ([colours] if colours else [])


def test_words_that_are_too_long_are_refused_and_never_cut(sales):
    page = sales.get("/new/").content.decode()
    assert 'name="words"' in page
    assert 'name="words" maxlength' not in page
    answer = sales.post("/new/", {**GOOD, "words": "roses " * 100})
    assert "characters long" in answer.content.decode()
    assert not OrderLine.objects.exists()


def test_an_empty_file_is_called_empty(sales):
    answer = sales.post("/new/", {**GOOD, "reference": SimpleUploadedFile("empty.png", b"")})
    assert "file is empty" in answer.content.decode()
    assert not OrderLine.objects.exists()


def test_hostile_words_are_shown_as_words(sales):
    sales.post("/new/", {**GOOD, "words": "<script>alert(1)</script> & roses"})
    page = sales.get("/").content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


def test_a_line_is_cancelled_from_its_page(sales):
    sales.post("/new/", GOOD)
    line = OrderLine.objects.get()
    sales.post(f"/lines/{line.reference}/cancel/")
    worker.run_until_rest([line])
    line.refresh_from_db()
    assert line.state == "cancelled"


def test_a_picture_is_taken_with_the_form_and_one_that_is_too_large_is_refused(sales, monkeypatch):
    png = cv2.imencode(".png", np.full((64, 64, 3), 200, np.uint8))[1].tobytes()
    monkeypatch.setattr("orders.api.serializers.LARGEST_PICTURE_BYTES", len(png))
    monkeypatch.setattr("orders.web.views.LARGEST_PICTURE_BYTES", len(png))
    answer = sales.post("/new/", {**GOOD, "reference": SimpleUploadedFile("large.png", png + b"and more")})
    assert answer.status_code == 400
    assert "larger than 8 MB" in answer.content.decode()
    assert sales.post("/new/", {**GOOD, "reference": SimpleUploadedFile("small.png", png)}).status_code == 302
    assert OrderLine.objects.get().newest_round.reference_sha256


@pytest.mark.parametrize("candidate", ["abc", "", "-1", "1.5", "9" * 5000, "1\0"])
def test_approving_what_is_no_candidate_is_said_on_the_page(sales, candidate):
    sales.post("/new/", GOOD)
    address = f"/lines/{OrderLine.objects.get().reference}/"
    answer = sales.post(f"{address}approve/", {"candidate": candidate}, follow=True)
    assert answer.status_code == 200
    assert "Candidate: " in answer.content.decode()


@pytest.mark.parametrize("words", ["roses\0", "roses\u202eesrever", "x" * 501])
def test_words_that_can_t_be_printed_are_not_drawn_again(sales, words):
    sales.post("/new/", GOOD)
    line = OrderLine.objects.get()
    OrderLine.objects.update(state="proofing")
    answer = sales.post(f"/lines/{line.reference}/revise/", {"words": words}, follow=True)
    assert 'role="alert"' in answer.content.decode()
    assert line.rounds.count() == 1
