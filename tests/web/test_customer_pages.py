"""The customer's page and what the mill does about its links, as seen through HTTP."""

import html
import logging
import re
import uuid
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from orders import linking, services
from orders.loglines import without_keys
from orders.models import Approval, Candidate, CustomerLink, CustomerWish, Decision, Pin, Role, Shop
from orders.turning import Limits
from production.models import Substrate
from tests.people import signed_in
from tests.shop_floor import now, placed, work_on

pytestmark = pytest.mark.django_db
ACTS = ("turn/", "pins/", "ask/", "approve/", "opened/")


@pytest.fixture(autouse=True)
def fresh_counts():
    cache.clear()


@pytest.fixture
def line(quick):
    return placed(quick, end_use="Curtains")


@pytest.fixture
def token(line):
    return linked(line)


@pytest.fixture
def customer():
    return Client()


@pytest.fixture
def sales(quick):
    return signed_in(quick, Role.SALES)


def linked(line, **options):
    return linking.make(line, **{"limits": Limits(), "once": uuid.uuid4(), "by": None, **options})[1]


def page_of(client, token, path="", status=200):
    answer = client.get(f"/c/{token}/{path}")
    assert answer.status_code == status, answer.content
    return html.unescape(answer.content.decode())


def form(page, action):
    """The hidden fields of the form with that address."""
    part = re.search(rf'<form method="post" action="[^"]*/{action}/[^"]*"(.*?)</form>', page, re.DOTALL).group(1)
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="(.*?)">', part)
    return {name: value for name, value in fields if name != "csrfmiddlewaretoken"}


# ------------------------------------------------------------------------------------------------ looking


def test_the_page_says_what_is_offered_in_words_and_belongs_to_its_reader_alone(line, token, customer):
    answer = customer.get(f"/c/{token}/")
    page = html.unescape(answer.content.decode())
    best = services.best(line)
    for words in (
        "Demo mill", "For Atelier Nord", "“checks”", "Cotton satin 150 cm", "6 m", "64 mm × 64.1 mm · Straight",
        "22.2 repeats on", f"{best.price} EUR", 'product="curtain"', "It stays open until",
    ):  # fmt: skip
        assert words in page, words
    digest = services.digest_of(linking.specification_of(linking.offered(CustomerLink.objects.get())[0]))
    assert digest[:4] in page
    for theirs in ("/studio/", "/board/", "Log out", line.reference + "/", "findings", best.artwork.fingerprint):
        assert theirs not in page, theirs
    assert answer["Cache-Control"] == "no-store"
    assert answer["X-Robots-Tag"] == "noindex, nofollow"
    assert answer["Referrer-Policy"] == "same-origin"
    assert "style=" not in page
    assert "<script>" not in page


def test_what_it_is_seen_in_and_priced_in_is_the_reader_s_or_the_mill_s_choice(line, token, customer):
    assert "in × " in page_of(customer, token, "?units=imperial")
    page = page_of(customer, token)
    assert "2.52 in × 2.52 in" in page
    answer = customer.post(f"/c/{token}/pins/", {**form(page, "pins"), "x": "1", "y": "0,5", "words": "Here."})
    assert answer.status_code == 302
    assert (Pin.objects.get().x_mm, Pin.objects.get().y_mm) == (pytest.approx(25.4), pytest.approx(12.7))
    hidden = page_of(Client(), linked(line, shows_price=False))
    assert str(services.best(line).price) not in hidden
    assert "The price is the one that Demo mill agreed with you" in hidden


def test_pictures_come_in_a_few_sizes_and_only_of_the_designs_of_this_line(quick, line, token, customer):
    first, second = line.newest_round.candidates.all()
    address = f"/c/{token}/pictures/{first.pk}/"
    answer = customer.get(f"{address}?size=1024")
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/png")
    assert answer["Cache-Control"].startswith("private")
    for size in ("1023", "4096", "", "-1", "x"):
        assert customer.get(f"{address}?size={size}").status_code == 400
    stranger = services.best(placed(quick, words="stripes"))
    Decision.objects.create(candidate=second, accepted=False)
    for pk in (stranger.pk, second.pk, 10**12):
        assert customer.get(f"/c/{token}/pictures/{pk}/").status_code == 404
        assert "To your designs" in page_of(customer, token, f"?design={pk}", 404)
    page_of(customer, token, "?design=abc", 404)
    assert f"Design 1.{second.position}" not in page_of(customer, token)


def test_links_that_do_not_open_are_pages_in_plain_words_that_leak_nothing(line, token, customer):
    cut = page_of(customer, token[:-2], status=404)
    assert "Its address is not complete, or it is none of ours" in cut
    for theirs in ("Demo mill", "Atelier", line.reference, token):
        assert theirs not in cut
    CustomerLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert "Ask Demo mill for a new one" in page_of(customer, token, status=410)
    CustomerLink.objects.update(expires_at=timezone.now() + timedelta(days=1), closed_at=timezone.now())
    closed = page_of(customer, token, status=410)
    assert "Demo mill has taken this link back." in closed
    CustomerLink.objects.update(closed_at=None)
    services.cancel(now(line), by=None)
    assert "This order was cancelled." in page_of(customer, token, status=410)
    for theirs in ("Atelier", "checks", line.reference):
        assert theirs not in closed
    for path in ("pictures/1/", "progress/"):
        assert customer.get(f"/c/{token}/{path}").status_code == 410
    for path in ACTS:
        assert customer.post(f"/c/{token}/{path}").status_code == 410
        assert customer.post(f"/c/{token[:-1]}/{path}").status_code == 404


def test_no_line_of_the_log_opens_a_link(line, token, customer, settings):
    (written,) = settings.LOGGING["handlers"]["console"]["filters"]
    assert settings.LOGGING["filters"][written]["()"] == "orders.loglines.without_keys"
    clean = without_keys()
    seen = []

    class Kept(logging.Handler):
        def emit(self, record):
            seen.append(record.getMessage())

    kept, log = Kept(), logging.getLogger("django.request")
    kept.addFilter(clean)
    log.addHandler(kept)
    try:
        assert customer.post(f"/c/{token}/approve/").status_code == 400
    finally:
        log.removeHandler(kept)
    assert seen == ["Bad Request: /c/…/approve/"]


def test_a_design_is_still_seen_when_its_cloth_can_t_be_had_any_more(line, token, customer):
    page_of(customer, token)
    Substrate.objects.filter(shop=line.order.shop.slug, code=line.substrate).delete()
    page = page_of(customer, token)
    assert "Design 1." in page
    assert "/approve/" not in page
    assert "repeats on" not in page


def test_who_asks_too_often_is_told_to_wait(line, token, customer, monkeypatch):
    monkeypatch.setattr(linking, "MOST_LOOKS", 2)
    for _ in range(2):
        page_of(customer, token)
    answer = customer.get(f"/c/{token}/")
    assert (answer.status_code, answer["Retry-After"]) == (429, "60")
    assert "Wait a minute" in answer.content.decode()


def test_only_a_person_s_browser_says_that_the_link_was_opened(quick, line, token, customer, sales):
    page = page_of(customer, token)
    assert "opened/" in page
    assert CustomerLink.objects.get().opened_at is None  # a program that looks through a message has opened nothing
    assert "You are signed in as sales" in page_of(sales, token)
    sales.post(f"/c/{token}/opened/")
    assert CustomerLink.objects.get().opened_at is None
    assert customer.post(f"/c/{token}/opened/").status_code == 204
    assert CustomerLink.objects.get().opened_at
    assert "opened/" not in page_of(customer, token)
    assert customer.get(f"/c/{token}/opened/").status_code == 405


# ------------------------------------------------------------------------------------------------ acting


def test_nothing_is_done_for_another_site_or_by_looking_or_by_people_of_the_mill(quick, line, token, sales):
    guarded = Client(enforce_csrf_checks=True)
    design = services.best(line)
    body = {
        "kind": "strength", "strength": "0.5", "design": design.pk, "words": "Here.", "x": "1", "y": "1", "name": "Ana",
        "scale": "yes", "digest": services.digest_of(linking.specification_of(design)), "once": str(uuid.uuid4()),
    }  # fmt: skip
    for path in ACTS:
        assert guarded.post(f"/c/{token}/{path}", body).status_code == 403
        assert guarded.get(f"/c/{token}/{path}").status_code == 405
    for path in ACTS[:-1]:
        answer = sales.post(f"/c/{token}/{path}", body)
        assert answer.status_code == 403
        assert "What customers do, they do themselves" in answer.content.decode()
    assert (now(line).state, Pin.objects.count(), CustomerWish.objects.count()) == ("proofing", 0, 0)
    assert CustomerLink.objects.get().opened_at is None
    other = Shop.objects.create(slug="other", name="Another mill")
    assert "You are signed in" not in page_of(signed_in(other, Role.ADMIN), token)


def test_a_yes_needs_its_tick_its_name_and_what_was_shown(line, token, customer):
    address, page = f"/c/{token}/approve/", page_of(customer, token)
    good = {**form(page, "approve"), "name": "Ana Lima", "scale": "yes"}
    wrong = [
        ({"scale": None}, 400, "Confirm the size first"),
        ({"name": " "}, 400, "Write your name"),
        ({"name": "Ana\u202e"}, 400, "can't be printed"),
        ({"name": "x" * 121}, 400, "Shorten it"),
        ({"digest": "0" * 64}, 409, "What you were shown has changed"),
        ({"digest": "0" * 63}, 400, "This page is not whole"),
        ({"seen": "[" * 3000}, None, ""),
        ({"design": "9" * 9}, 404, "Not there any more"),
        ({"design": "x"}, 400, "Choose a design first"),
    ]
    for change, status, said in wrong:
        body = {name: value for name, value in {**good, **change}.items() if value is not None}
        if status is None:
            body["digest"], status, said = "0" * 64, 409, "What you were shown has changed"
        answer = customer.post(address, body)
        assert (answer.status_code, said in html.unescape(answer.content.decode())) == (status, True), change
    assert not Approval.objects.exists()
    for _ in range(2):
        assert customer.post(address, good)["Location"] == f"/c/{token}/"
    approval = Approval.objects.get()
    page = page_of(customer, token)
    for words in (approval.sha256, "By Ana Lima on", "Files and materials are made ready", "It was promised for"):
        assert words in page
    work_on(line)
    page = page_of(customer, token)
    assert "Planned to be ready on" in page
    assert 'class="now" aria-current="step">Waits for its machine' in page


def test_a_page_that_is_older_than_the_story_is_answered_with_how_things_stand(line, token, customer):
    page = page_of(customer, token)
    Candidate.objects.update(price="99.50")
    answer = customer.post(f"/c/{token}/approve/", {**form(page, "approve"), "name": "Ana Lima", "scale": "yes"})
    shown = html.unescape(answer.content.decode())
    assert answer.status_code == 409
    assert "The price is 99.50 EUR now, and was" in shown
    assert 'value="Ana Lima"' in shown
    assert form(shown, "approve")["digest"] != form(page, "approve")["digest"]
    services.approve(now(line), 1, by=None)  # sales took it down on the telephone
    answer = customer.post(
        f"/c/{token}/turn/", {"kind": "strength", "strength": "0.5", "design": services.best(line).pk}
    )
    assert answer.status_code == 409
    assert "A design has been approved meanwhile" in answer.content.decode()
    assert "Demo mill noted it on" in answer.content.decode()


def test_a_knob_is_turned_and_the_page_says_how_far_the_drawing_is(quick, line, token, customer):
    design = services.best(line)
    wish = {"kind": "size", "scale": "1,2", "design": design.pk}
    assert customer.post(f"/c/{token}/turn/", {**wish, "scale": "9"}).status_code == 400
    assert customer.post(f"/c/{token}/turn/", {**wish, "scale": "NaN"}).status_code == 400
    assert customer.post(f"/c/{token}/turn/", {**wish, "axis:density": "0.5", "scale": "x"}).status_code == 400
    assert customer.post(f"/c/{token}/turn/", wish).status_code == 302
    assert now(line).newest_round.scale == 1.2
    page = page_of(customer, token)
    assert "Your designs are being drawn" in page
    assert "0 of 1 designs are drawn" in page
    assert "Make it yours" not in page
    assert "Approve" not in page
    refused = customer.post(f"/c/{token}/turn/", wish)
    assert (refused.status_code, "being drawn just now" in refused.content.decode()) == (409, True)
    told = customer.get(f"/c/{token}/progress/", headers={"HX-Request": "true"})
    assert "HX-Trigger" not in told
    work_on(line)
    told = customer.get(f"/c/{token}/progress/", headers={"HX-Request": "true"})
    assert told["HX-Trigger"] == "weft-drawn"
    assert "The new designs are there" in told.content.decode()
    assert "hx-get" not in told.content.decode()
    page = page_of(customer, token)
    assert "Design 2.1" in page
    assert "2 earlier designs" in page
    assert "Bring design 1." in page_of(customer, token, f"?design={design.pk}")


def test_designs_that_nobody_stands_behind_yet_are_waited_for(line, token, customer):
    for candidate in line.newest_round.candidates.all():
        Decision.objects.create(candidate=candidate, accepted=False)
    page = page_of(customer, token)
    assert "A person is looking at the newest designs" in page
    assert "weft-canvas" not in page.partition("<main")[2]


def test_words_that_can_t_be_kept_are_refused_in_a_sentence_and_stay_in_their_field(line, token, customer):
    page = page_of(customer, token)
    for words, said in (("Here\0", "can't be printed"), ("\u202eereH", "can't be printed"), ("  ", "a few words")):
        answer = customer.post(f"/c/{token}/pins/", {**form(page, "pins"), "x": "1", "y": "1", "words": words})
        assert (answer.status_code, said in html.unescape(answer.content.decode())) == (400, True), words
        answer = customer.post(f"/c/{token}/ask/", {**form(page, "ask"), "words": words})
        assert (answer.status_code, said in html.unescape(answer.content.decode())) == (400, True), words
    answer = customer.post(f"/c/{token}/ask/", {**form(page, "ask"), "words": "flowers " * 63})
    assert answer.status_code == 400
    assert "flowers flowers" in answer.content.decode()
    answer = customer.post(f"/c/{token}/pins/", {**form(page, "pins"), "x": "70", "y": "1", "words": "Off the edge"})
    assert answer.status_code == 400
    assert "outside the repeat" in answer.content.decode()
    assert "Off the edge" in answer.content.decode()
    answer = customer.post(f"/c/{token}/pins/", {**form(page, "pins"), "x": "", "y": "1", "words": "Nowhere"})
    assert "Press on the design" in answer.content.decode()
    hostile = "<script>alert(1)</script>"
    for _ in range(2):  # pressed twice
        customer.post(f"/c/{token}/pins/", {**form(page, "pins"), "x": "1,5", "y": "1", "words": hostile})
        customer.post(f"/c/{token}/ask/", {**form(page, "ask"), "words": hostile})
    assert (Pin.objects.count(), CustomerWish.objects.count()) == (1, 1)
    shown = customer.get(f"/c/{token}/").content.decode()
    assert hostile not in shown
    assert shown.count("&lt;script&gt;") == 2


# ------------------------------------------------------------------------------------------------ the mill's side


def test_sales_makes_a_link_whose_address_is_shown_once_and_closes_it(line, sales, customer):
    address = f"/lines/{line.reference}/link/"
    page = sales.get(address).content.decode()
    assert "No link yet" in page
    typed = {
        "once": re.search(r'name="once" value="([^"]+)"', page).group(1), "days": "14", "most_rounds": "5",
        "scale_on": "yes", "scale_least": "0,9", "scale_most": "1,1", "palettes": ["ocean", "sage"],
        "colours": "navy, #aa2211",
    }  # fmt: skip
    for change in ({"days": "0"}, {"days": "soon"}, {"scale_most": "9"}, {"colours": "no such colour,"}, {"once": "x"}):
        answer = sales.post(address, {**typed, **change}, headers={"HX-Request": "true"})
        assert (answer.status_code, 'role="alert"' in answer.content.decode()) == (400, True), change
    made = sales.post(address, typed, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in made
    shown = re.search(r'id="made-link" readonly value="http://[^/]+(/c/[^"]+)"', made).group(1)
    assert shown in sales.post(address, typed).content.decode()
    link = CustomerLink.objects.get()
    assert link.limits == {
        "scale": [0.9, 1.1], "palettes": ["ocean", "sage"], "colours": ["#1d2f52", "#aa2211"], "space": "", "axes": {},
    }  # fmt: skip
    assert (link.most_rounds, link.shows_price, link.created_by.username) == (5, False, "sales")
    assert shown not in sales.get(address).content.decode()
    page = html.unescape(customer.get(shown).content.decode())
    assert "Colour by colour" in page
    assert "More like this one" not in page
    closed = sales.post(f"{address}{link.pk}/close/", headers={"HX-Request": "true"}).content.decode()
    assert "Closed" in closed
    assert customer.get(shown).status_code == 410


def test_what_the_customer_says_is_answered_here_and_read_there(quick, line, token, customer, sales):
    page = page_of(customer, token)
    customer.post(f"/c/{token}/pins/", {**form(page, "pins"), "x": "1", "y": "1", "words": "Darker here."})
    customer.post(f"/c/{token}/ask/", {**form(page, "ask"), "words": "Larger checks."})
    page = page_of(customer, token)
    customer.post(f"/c/{token}/ask/", {**form(page, "ask"), "words": "And rounder."})
    first, second = CustomerWish.objects.all()
    pins = f"/lines/{line.reference}/pins/{Pin.objects.get().pk}/"
    told = sales.post(pins, {"answer": "It will be."}, headers={"HX-Request": "true"})
    assert "It will be." in told.content.decode()
    twice = sales.post(pins, {"answer": "Or not."}, headers={"HX-Request": "true"})
    assert (twice.status_code, "dealt with this meanwhile" in twice.content.decode()) == (409, True)
    wishes = f"/lines/{line.reference}/wishes"
    part = sales.post(f"{wishes}/{first.pk}/", {"answer": "With pleasure."}, headers={"HX-Request": "true"})
    assert "checks; And rounder." in part.content.decode()
    drawn = sales.post(f"{wishes}/{second.pk}/draw/", {"words": "rounder checks"})
    assert drawn["Location"] == f"/lines/{line.reference}/"
    assert now(line).newest_round.words == "rounder checks"
    work_on(line)
    page = page_of(customer, token, f"?design={Pin.objects.get().candidate_id}")
    for words in ("It will be.", "With pleasure.", "Demo mill has taken it up."):
        assert words in page
    assert "Or not." not in page


def test_a_palette_or_a_space_that_is_gone_is_said_and_the_page_still_opens(line, token, customer):
    assert "is no longer there" not in page_of(customer, token)
    link = CustomerLink.objects.get()
    gone = {"palettes": [*link.limits["palettes"], "gone"]}, {"space": "Gone", "axes": {"warmth": [-1, 1]}}
    for what in gone:
        CustomerLink.objects.update(limits={**link.limits, **what})
        page = page_of(customer, token)
        assert "Some of what this link offered is no longer there" in page
        assert 'value="nordic"' in page
        assert "In the brand’s own ways" not in page
    design = services.best(line).pk
    for wish in ({"kind": "palette", "palette": "gone"}, {"kind": "walk", "axis:warmth": "1"}):
        answer = customer.post(f"/c/{token}/turn/", {**wish, "design": design})
        assert answer.status_code == 400, wish
        assert "can’t" in (said := html.unescape(answer.content.decode())) or "can't" in said or "not among" in said
    CustomerLink.objects.update(limits={"palettes": ["gone"]})
    assert "Make it yours" in page_of(customer, token)
    assert now(line).state == "proofing"


def test_a_link_s_form_that_is_sent_again_with_something_else_is_refused_and_keeps_what_was_typed(line, sales):
    make = f"/lines/{line.reference}/link/"
    typed = {
        "once": str(uuid.uuid4()), "days": "30", "most_rounds": "3", "shows_price": "yes", "palettes": "nordic",
        "scale_on": "yes", "scale_least": "0,8", "scale_most": "1.2",
    }  # fmt: skip
    for _ in range(2):
        assert "/c/" in sales.post(make, typed).content.decode()
    assert CustomerLink.objects.count() == 1
    other = {**typed, "days": "7", "palettes": ["ocean", "sage"]}
    del other["shows_price"]
    again = sales.post(make, other, headers={"HX-Request": "true"})
    page = html.unescape(again.content.decode())
    assert (again.status_code, "what it says now is something else" in page) == (409, True)
    assert "/c/" not in page
    assert 'name="days" type="number" min="1" max="365" required value="7"' in page
    assert 'value="ocean" checked' in page
    assert 'value="nordic" checked' not in page
    assert 'value="0,8"' in page
    assert 'name="shows_price" value="yes">' in page
    fresh = re.search(r'name="once" value="(.*?)"', page).group(1)
    assert "/c/" in sales.post(make, {**other, "once": fresh}).content.decode()
    assert CustomerLink.objects.count() == 2


def test_an_answer_or_words_that_are_refused_stay_in_their_field(line, token, customer, sales):
    page = page_of(customer, token)
    customer.post(f"/c/{token}/pins/", {**form(page, "pins"), "x": "1", "y": "1", "words": "Darker."})
    customer.post(f"/c/{token}/ask/", {**form(page, "ask"), "words": "Rounder."})
    pin, wish, hx = Pin.objects.get(), CustomerWish.objects.get(), {"HX-Request": "true"}
    long = "of course " * 60
    sent = {
        f"pins/{pin.pk}/": {"answer": long},
        f"wishes/{wish.pk}/": {"answer": long},
        f"wishes/{wish.pk}/draw/": {"words": long},
    }
    for path, typed in sent.items():
        answer = sales.post(f"/lines/{line.reference}/{path}", typed, headers=hx)
        assert answer.status_code == 409, path
        assert long.strip() in answer.content.decode(), path
    # The same answer twice, by the same person, is one answer and no quarrel.
    for _ in range(2):
        assert (
            sales.post(f"/lines/{line.reference}/pins/{pin.pk}/", {"answer": "It will be."}, headers=hx).status_code
            == 200
        )
    assert line.events.filter(action="comment answered").count() == 1
    drawn = sales.post(f"/lines/{line.reference}/wishes/{wish.pk}/draw/", {"words": "rounder checks"}, headers=hx)
    assert drawn["HX-Redirect"] == f"/lines/{line.reference}/"
    twice = sales.post(f"/lines/{line.reference}/wishes/{wish.pk}/draw/", {"words": "rounder checks"}, headers=hx)
    assert (twice.status_code, "You have dealt with this already" in twice.content.decode()) == (409, True)
    assert now(line).rounds.count() == 2
