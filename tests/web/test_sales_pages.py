"""The pages of sales: the order book, and a new order from an empty page to the line that draws it."""

import re
import uuid
from datetime import timedelta
from decimal import Decimal

import cv2
import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from generation.domain.palette import parse_colour
from inventory_sync.models import LedgerLot, LedgerReservation
from orders import asking, orderbook, services
from orders.models import Notice, Order, OrderLine, Preference, Role, Shop
from orders.web import orderform
from production import services as production
from tests.people import signed_in
from tests.shop_floor import now, placed, planned, released

pytestmark = pytest.mark.django_db


def in_days(days):
    return timezone.localdate() + timedelta(days=days)


def typed(**changes):
    """A form that can be taken, with what is typed otherwise; None: that field is not there."""
    good = {
        "customer": "Atelier Nord",
        "cloth": "substrate:FAB-COT-SAT",
        "quantity": "12,5",
        "quantity_unit": "m",
        "words": "small blue flowers",
        "palette": "nordic",
        "layout": "half_drop",
        "repeat_width": "320",
        "repeat_height": "320",
        "size_unit": "mm",
        "due_date": in_days(30).isoformat(),
        **changes,
    }
    return {name: value for name, value in good.items() if value is not None}


@pytest.fixture
def sales(mill):
    return signed_in(mill, Role.SALES, "anna")


def picture(side=64, name="rose.png"):
    png = cv2.imencode(".png", np.full((side, side, 3), 200, np.uint8))[1].tobytes()
    return SimpleUploadedFile(name, png, content_type="image/png")


def page_of(answer):
    return answer.content.decode()


def field(page, name):
    """The tag of a field."""
    found = re.search(rf'<(?:input|select|textarea)[^>]*\bname="{name}"[^>]*>', page)
    assert found, name
    return found[0]


# ------------------------------------------------------------------------------------------------ placed


def test_a_new_order_is_entered_and_leads_to_its_page(sales):
    answer = sales.post("/new/", typed(), follow=True)
    line = OrderLine.objects.get()
    assert (line.state, line.quantity_m) == ("generating", Decimal("12.5"))
    assert answer.redirect_chain[-1][0] == f"/lines/{line.reference}/"
    assert line.reference in page_of(answer)
    assert "small blue flowers" in page_of(sales.get("/"))


def test_what_the_device_kept_of_a_form_is_let_go_of_once_it_was_taken_and_only_then(sales):
    assert 'name="kept"' not in page_of(sales.get("/new/"))
    sales.post("/new/", typed(words=""))
    assert 'name="kept"' not in page_of(sales.get("/"))
    assert '<meta name="kept" content="new-order">' in page_of(sales.post("/new/", typed(), follow=True))
    assert 'name="kept"' not in page_of(sales.get("/"))


def test_what_the_customer_counts_in_is_kept_beside_the_metres(sales):
    sales.post("/new/", typed(quantity="40", quantity_unit="yd", end_use="Curtain for a hall"))
    line = OrderLine.objects.get()
    assert (line.quantity_m, line.asked) == (Decimal("36.58"), {"quantity": "40", "unit": "yd"})
    assert line.end_use == "Curtain for a hall"


def test_panels_are_counted_with_their_height_and_gap_in_the_unit_of_the_repeat(sales):
    panels = {"quantity": "12", "quantity_unit": "panels", "panel_height": "140", "panel_gap": "2", "size_unit": "cm"}
    sales.post("/new/", typed(**panels, repeat_width="32", repeat_height="32"))
    line = OrderLine.objects.get()
    assert line.quantity_m == Decimal("17.04")
    assert line.asked == {"quantity": "12", "unit": "panels", "height_mm": "1400", "gap_mm": "20"}
    assert line.newest_round.repeat_width_mm == 320


def test_a_repeat_in_inches_is_not_taken_for_millimetres(sales):
    sales.post("/new/", typed(repeat_width="12.6", repeat_height="12,6", size_unit="in"))
    brief = OrderLine.objects.get().newest_round
    assert (brief.repeat_width_mm, brief.repeat_height_mm) == (320.04, 320.04)


def test_a_form_starts_in_the_units_of_whoever_fills_it(sales):
    metric = page_of(sales.get("/new/"))
    Preference.objects.create(user=User.objects.get(), units="imperial")
    imperial = page_of(sales.get("/new/"))
    assert 'value="320"' in field(metric, "repeat_width")
    assert 'value="12.6"' in field(imperial, "repeat_width")
    assert '<option value="in" selected>' in imperial
    assert '<option value="yd" selected>' in imperial


def test_a_form_sent_twice_makes_one_order_and_a_changed_one_is_not_lost(sales):
    once = str(uuid.uuid4())
    first, second = (sales.post("/new/", typed(once=once)) for _ in range(2))
    assert first["Location"] == second["Location"]
    assert Order.objects.count() == 1
    third = sales.post("/new/", typed(once=once, words="large red flowers"))
    assert third.status_code == 409
    assert Order.objects.get().number in page_of(third)
    fresh = re.search(r'name="once" value="([^"]+)"', page_of(third))[1]
    assert fresh != once
    assert sales.post("/new/", typed(once=fresh, words="large red flowers")).status_code == 302
    assert Order.objects.count() == 2


def test_the_usual_due_date_is_how_long_this_shop_s_orders_have_had(quick):
    assert asking.usual_due_date(quick) == in_days(10)
    for days in (20, 21, 60):
        planned(quick, due_in_days=days)
    assert asking.usual_due_date(quick) == in_days(21)


# ------------------------------------------------------------------------------------------------ refused


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("quantity", "many"),
        ("quantity", "0"),
        ("quantity", "NaN"),
        ("quantity", "1e999999"),
        ("quantity", "12,555"),
        ("cloth", "substrate:NO-SUCH"),
        ("cloth", "substrate:FAB\0COT"),
        ("cloth", ""),
        ("repeat_width", "9000"),
        ("repeat_width", "NaN"),
        ("repeat_width", ""),
        ("repeat_height", "wide"),
        ("repeat_height", ""),
        ("palette", "#12"),
        ("palette", "no such palette"),
        ("palette", "nor\0dic"),
        ("layout", "diagonal"),
        ("layout", "half\0drop"),
        ("due_date", "2020-01-01"),
        ("due_date", "soon"),
        ("due_date", ""),
        ("words", ""),
        ("words", "\u200b\u2060"),
        ("customer", "\u200b"),
        ("words", "roses\0"),
        ("words", "roses\u202eesrever"),
        ("words", "roses " * 100),
        ("customer", "  "),
        ("customer", "x" * 200),
        ("customer", "Nord\0"),
        ("end_use", "x" * 81),
        ("scale", "3"),
        ("scale", "large"),
        ("density", "0"),
        ("generator", "nobody"),
    ],
)
def test_what_can_t_be_taken_is_said_beside_its_field_and_nothing_is_lost(sales, name, value):
    given = typed(**{"scale": "1.5", name: value})
    answer = sales.post("/new/", given)
    page = page_of(answer)
    assert answer.status_code == 400
    assert not OrderLine.objects.exists()
    assert f'id="{name}-wrong"' in page
    assert f'href="#f-{name}"' in page.partition('class="steps"')[0]
    if name != "layout":
        assert "autofocus" in field(page, name)
    for kept in ("customer", "palette", "quantity", "scale"):
        if kept != name:
            assert f'value="{given[kept]}"' in field(page, kept)
    if name != "words":
        assert "small blue flowers</textarea>" in page


def test_all_that_is_wrong_is_said_at_once(sales):
    page = page_of(sales.post("/new/", typed(customer="", quantity="many", due_date="soon", words=" ")))
    for name in ("customer", "quantity", "due_date", "words"):
        assert f'id="{name}-wrong"' in page
    assert page.count("autofocus") == 1
    assert "autofocus" in field(page, "customer")


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("panel_height", {"quantity_unit": "panels", "quantity": "3"}),
        ("panel_gap", {"quantity_unit": "panels", "quantity": "3", "panel_height": "900", "panel_gap": "-1"}),
        ("quantity", {"quantity_unit": "panels", "quantity": "2,5", "panel_height": "900"}),
        ("quantity_unit", {"quantity_unit": "miles"}),
        ("strike_off_m", {"strike_off": "yes", "strike_off_m": "some"}),
        ("strike_off_m", {"strike_off": "yes", "strike_off_m": "0"}),
    ],
)
def test_a_quantity_that_can_t_be_counted_is_said_beside_its_field(sales, name, changes):
    answer = sales.post("/new/", typed(**changes))
    assert answer.status_code == 400
    assert f'id="{name}-wrong"' in page_of(answer)
    assert not OrderLine.objects.exists()


@pytest.mark.parametrize(
    ("palette", "colours"),
    [
        ("navy, dark green, cream", [parse_colour(name) for name in ("navy", "dark green", "cream")]),
        ("#1f2a4d#f6ecd9", ["#1f2a4d", "#f6ecd9"]),
        ("#1f2a4d #f6ecd9", ["#1f2a4d", "#f6ecd9"]),
        ("#1f2a4d; cream", None),
        ("navy,", None),
    ],
)
def test_a_palette_is_typed_as_colours_by_code_or_by_name(sales, palette, colours):
    answer = sales.post("/new/", typed(palette=palette))
    assert answer.status_code == (302 if colours else 400)
    assert [line.newest_round.palette for line in OrderLine.objects.all()] == ([colours] if colours else [])


def test_words_that_are_too_long_are_refused_and_never_cut(sales):
    assert "maxlength" not in field(page_of(sales.get("/new/")), "words")
    assert "characters long" in page_of(sales.post("/new/", typed(words="roses " * 100)))


def test_hostile_words_are_shown_as_words(sales):
    sales.post("/new/", typed(words="<script>alert(1)</script> & roses"))
    for page in (page_of(sales.get("/")), page_of(sales.get(f"/lines/{OrderLine.objects.get().reference}/repeat/"))):
        assert "<script>alert" not in page
        assert "&lt;script&gt;" in page


# ------------------------------------------------------------------------------------------------ the picture


def test_a_picture_is_kept_as_soon_as_it_is_chosen_and_is_still_there_after_a_refusal(sales):
    part = page_of(sales.post("/new/picture/", {"reference": picture()}))
    token = re.search(r'id="picture-token" value="([^"]+)"', part)[1]
    shown = sales.get(f"/new/picture/{token}/")
    assert (shown.status_code, shown["Content-Type"]) == (200, "image/png")
    refused = page_of(sales.post("/new/", typed(picture=token, quantity="many")))
    assert f'value="{token}"' in field(refused, "picture")
    assert f"/new/picture/{token}/" in refused
    assert sales.post("/new/", typed(picture=token)).status_code == 302
    assert OrderLine.objects.get().newest_round.reference_sha256


def test_a_picture_that_comes_with_the_form_is_not_lost_when_something_else_is_refused(sales):
    refused = page_of(sales.post("/new/", typed(reference=picture(), quantity="many")))
    token = re.search(r'id="picture-token" value="([^"]+)"', refused)[1]
    assert token
    sales.post("/new/", typed(picture=token))
    assert OrderLine.objects.get().newest_round.reference_sha256


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (SimpleUploadedFile("empty.png", b""), "file is empty"),
        (SimpleUploadedFile("words.png", b"this is no picture"), "picture"),
        (SimpleUploadedFile("cut.png", picture().read()[:60]), "picture"),
    ],
)
def test_a_picture_that_can_t_be_read_is_refused_with_everything_else_kept(sales, file, said):
    answer = sales.post("/new/picture/", {"reference": file})
    assert answer.status_code == 422
    assert 'id="reference-wrong"' in page_of(answer)
    file.seek(0)
    page = page_of(sales.post("/new/", typed(reference=file)))
    assert said in page
    assert 'id="reference-wrong"' in page
    assert 'value="Atelier Nord"' in field(page, "customer")
    assert not OrderLine.objects.exists()


def test_a_picture_thirty_thousand_pixels_wide_is_refused_in_a_sentence(sales):
    wide = cv2.imencode(".png", np.zeros((8, 30_000, 3), np.uint8))[1].tobytes()
    page = page_of(sales.post("/new/picture/", {"reference": SimpleUploadedFile("wide.png", wide)}))
    assert "30000" in page.replace(" ", "").replace(",", "")
    assert 'id="picture-token" value=""' in page


def test_a_picture_that_is_too_large_is_refused(sales, monkeypatch):
    small = picture()
    monkeypatch.setattr("orders.web.orderform.LARGEST_PICTURE_BYTES", small.size - 1)
    assert "larger than 8 MB" in page_of(sales.post("/new/", typed(reference=small)))
    assert not OrderLine.objects.exists()


def test_a_picture_is_not_shown_to_another_shop_and_not_by_a_forged_name(sales):
    token = orderform.Picture("0" * 64, whole=False).token(Shop(slug="demo"))
    theirs = signed_in(Shop.objects.create(slug="other", name="Other"), Role.SALES, "bert")
    part = page_of(sales.post("/new/picture/", {"reference": picture()}))
    ours = re.search(r'id="picture-token" value="([^"]+)"', part)[1]
    assert sales.get(f"/new/picture/{ours}/").status_code == 200
    assert theirs.get(f"/new/picture/{ours}/").status_code == 404
    assert sales.get(f"/new/picture/{ours}x/").status_code == 404
    assert sales.get(f"/new/picture/{token}/").status_code == 404, "there is no such picture"


def test_a_picture_kept_small_is_not_printed_as_it_is(sales):
    part = page_of(sales.post("/new/picture/", {"reference": picture()}))
    token = re.search(r'id="picture-token" value="([^"]+)"', part)[1]
    answer = sales.post("/new/", typed(picture=token, generator="upload", palette=""))
    assert answer.status_code == 400
    assert "choose its file once more" in page_of(answer)
    part = page_of(sales.post("/new/picture/", {"reference": picture(), "generator": "upload"}))
    token = re.search(r'id="picture-token" value="([^"]+)"', part)[1]
    assert sales.post("/new/", typed(picture=token, generator="upload", palette="")).status_code == 302


# ------------------------------------------------------------------------------------------------ said meanwhile


def asked(client, **changes):
    return page_of(client.post("/new/inquiry/", typed(**changes)))


def test_price_date_and_what_binds_it_are_said_before_anything_is_drawn_and_nothing_is_held(sales):
    said = asked(sales, breaks="10 25 50", end_use="x")
    assert re.search(r"<strong>\d+ – \d+ EUR</strong>", said)
    assert said.count('<th scope="row">') == 3
    answer = asking.inquire(Shop.objects.get(), asking.Wish(substrate="FAB-COT-SAT", quantity_m=Decimal("12.5"))).answer
    assert answer.promise.binding in said
    assert not OrderLine.objects.exists()
    assert not LedgerReservation.objects.exists()


def test_the_true_scale_is_said_in_words_with_the_widths_that_are_not_cut(sales):
    said = asked(sales)
    assert "<strong>320 mm</strong> across" in said
    assert "<strong>4.4 repeats</strong> across the 1418.6 mm" in said
    assert "cut at the edge" in said
    for layout, side in (("half_drop", "320"), ("half_brick", "64"), ("straight", "110")):
        cut = asked(sales, layout=layout, repeat_width=side)
        widths = re.findall(r'data-width-mm="([\d.]+)"', cut)
        assert len(widths) == 2
        for width in widths:
            assert "Nothing is cut at the edge." in asked(sales, layout=layout, repeat_width=width), width


def test_what_is_not_written_yet_is_asked_for_and_what_can_t_be_is_said(sales):
    assert "Say how much" in asked(sales, quantity="")
    assert "Say how much" in asked(sales, quantity="1e9999")
    assert "wider than this fabric" in asked(sales, repeat_width="9000")
    assert "no fabric" in asked(sales, cloth="substrate:NO-SUCH")
    assert "arrive" in asked(sales, cloth="substrate:FAB-VEL-COT", quantity="12")
    late = asked(sales, due_date=in_days(0).isoformat())
    assert "after the due date" in late
    assert sales.post("/new/inquiry/", {}).status_code == 200


def test_a_length_among_the_others_that_is_none_is_named_and_the_rest_are_priced(sales):
    part = asked(sales, breaks="10, ten; 25 -1")
    assert "No length: ten, -1." in part
    assert part.count('<th scope="row">') == 2


def test_a_picture_that_is_not_there_any_more_is_asked_for_and_not_left_out_unsaid(sales):
    answer = sales.post("/new/", typed(picture="forged"))
    assert answer.status_code == 400
    assert 'id="reference-wrong"' in page_of(answer)
    assert not OrderLine.objects.exists()
    assert 'name="picture" id="picture-token" value=""' in page_of(answer)
    assert sales.post("/new/", typed(picture="")).status_code == 302


def test_a_palette_is_shown_as_it_is_understood(sales):
    said = asked(sales, palette="navy, #FFF, blurple")
    assert f'data-typed="navy" data-code="{parse_colour("navy")}"' in said
    assert 'data-typed="#FFF" data-code="#ffffff"' in said
    assert 'data-typed="blurple" data-code=""' in said
    assert asked(sales, palette="nordic").count('data-code="#') == 8


@pytest.mark.parametrize("cloth", ["substrate:FAB-COT-SAT", "weave:LOM1"])
def test_what_a_design_costs_lies_within_what_was_said_before_it_was_drawn(quick, cloth):
    kind, _, code = cloth.partition(":")
    repeat = production.usual_repeat(quick.slug, weave=code if kind == "weave" else "")
    wish = {kind: code, "repeat_mm": (repeat.width_mm, 64), "quantity_m": Decimal(20)}
    line = placed(quick, **{"substrate": "", **wish})
    said = asking.inquire(quick, asking.Wish(**{kind: code}, quantity_m=Decimal(20), repeat=repeat)).prices[0]
    drawn = services.best(line)
    cents = Decimal("0.10")  # for the seconds that the drawing took
    assert said.least <= drawn.price <= said.most + cents
    if kind == "weave":
        assert said.least == said.most


def test_a_cloth_says_its_finished_width_its_rolls_and_what_is_coming(sales):
    satin = page_of(sales.get("/new/cloth/?cloth=substrate:FAB-COT-SAT"))
    assert "1418.6 mm" in satin
    assert "1500" not in satin, "the nominal width is not what can be printed"
    assert "COT-SAT-R001" in satin
    assert "374.8 m free on 4 rolls" in satin
    velvet = page_of(sales.get("/new/cloth/?cloth=substrate:FAB-VEL-COT"))
    assert "On its way:" in velvet
    LedgerLot.objects.filter(product__sku="FAB-LIN-COT").update(on_hand=0)
    union = page_of(sales.get("/new/cloth/?cloth=substrate:FAB-LIN-COT"))
    assert "Nothing free" in union
    assert "the supplier needs" in union
    weave = page_of(sales.get("/new/cloth/?cloth=weave:LOM1"))
    assert re.search(r"kg free, enough for \d+ m", weave)
    assert sales.get("/new/cloth/?cloth=x").status_code == 200


def test_free_metres_are_those_of_now(sales):
    before = page_of(sales.get("/new/cloth/?cloth=substrate:FAB-LIN-COT"))
    assert "80 m free on 1 roll" in before
    LedgerLot.objects.filter(lot="LIN-COT-R001").update(on_hand=Decimal(33))
    assert "33 m free on 1 roll" in page_of(sales.get("/new/cloth/?cloth=substrate:FAB-LIN-COT"))


def test_an_erp_that_is_away_hinders_nobody_from_writing_an_order(distant, sales):
    known = page_of(sales.get("/new/cloth/?cloth=substrate:FAB-COT-SAT"))
    assert "COT-SAT-R001" in known
    distant.cut = True
    never = page_of(sales.get("/new/cloth/?cloth=substrate:FAB-COT-POP"))
    assert "not known just now" in never
    assert sales.get("/new/").status_code == 200
    assert sales.post("/new/", typed()).status_code == 302


def test_customers_that_are_known_are_suggested_and_no_other_shop_s(sales, mill):
    other = Shop.objects.create(slug="other", name="Other")
    other.customer_set.create(name="Atelier Secret")
    mill.customer_set.get_or_create(name="Atelier Nord")
    said = page_of(sales.get("/new/customers/?customer=atel"))
    assert 'value="Atelier Nord"' in said
    assert "Secret" not in said
    assert page_of(sales.get("/new/customers/?customer=")).strip() == ""
    assert sales.get("/new/customers/?customer=%00").status_code == 200


# ------------------------------------------------------------------------------------------------ once more


def test_an_old_order_fills_the_form_and_is_marked_as_repeated(quick):
    sales = signed_in(quick, Role.SALES)
    old = released(quick, palette=["#1f2a4d", "#f6ecd9", "#8ba495"], end_use="Scarf", scale=1.5)
    page = page_of(sales.get(f"/lines/{old.reference}/repeat/"))
    for name, value in {
        "palette": "#1f2a4d, #f6ecd9, #8ba495",
        "repeat_width": "64",
        "end_use": "Scarf",
        "scale": "1.5",
    }.items():
        assert f'value="{value}"' in field(page, name), name
    assert 'value="substrate:FAB-COT-SAT" data-cloth-mm="1418.55" selected' in page
    assert "The same design again" in page
    again = typed(repeat_of=old.reference, same_design="yes", words="", palette="", quantity="8", repeat_width="1")
    answer = sales.post("/new/", again, follow=True)
    line = OrderLine.objects.latest("pk")
    assert (line.repeat_of, line.newest_round.way) == (old, "again")
    assert f'<meta name="kept" content="repeat-{old.reference}">' in page_of(answer)
    drawn = sales.post("/new/", typed(repeat_of=old.reference))
    assert drawn.status_code == 302
    assert OrderLine.objects.latest("pk").newest_round.way == "words"


def test_a_design_that_was_never_released_is_drawn_anew(quick):
    sales = signed_in(quick, Role.SALES)
    old = placed(quick)
    assert "The same design again" not in page_of(sales.get(f"/lines/{old.reference}/repeat/"))
    answer = sales.post("/new/", typed(repeat_of=old.reference, same_design="yes"))
    assert answer.status_code == 400
    assert "never released" in page_of(answer)


def test_another_shop_s_order_can_t_be_repeated(quick):
    old = placed(quick)
    theirs = signed_in(Shop.objects.create(slug="other", name="Other"), Role.SALES, "bert")
    assert theirs.get(f"/lines/{old.reference}/repeat/").status_code == 404
    answer = theirs.post("/new/", typed(repeat_of=old.reference))
    assert answer.status_code == 400
    assert Order.objects.count() == 1


def test_a_strike_off_is_ordered_first_and_its_yes_hands_the_order_on(quick):
    sales = signed_in(quick, Role.SALES)
    struck = {"strike_off": "yes", "strike_off_m": "1.5", "quantity": "40", "quantity_unit": "yd"}
    answer = sales.post("/new/", typed(**struck, repeat_width="64", repeat_height="64", layout="straight"))
    bulk, sample = OrderLine.objects.order_by("position")
    assert answer["Location"] == f"/lines/{sample.reference}/"
    assert (bulk.state, bulk.asked, bulk.quantity_m) == ("draft", {"quantity": "40", "unit": "yd"}, Decimal("36.58"))
    assert (sample.state, sample.asked, sample.quantity_m) == ("generating", None, Decimal("1.5"))
    assert in_days(0) < sample.due_date < bulk.due_date
    early = sales.post(f"/lines/{sample.reference}/strike-off/", follow=True)
    assert "has not been made yet" in page_of(early)
    OrderLine.objects.filter(pk=sample.pk).update(state="inspecting")
    assert now(bulk).state == "draft"


# ------------------------------------------------------------------------------------------------ the order book


def shown(answer):
    return re.findall(r'href="/lines/(WL-\d+-\d+)/"', page_of(answer))


def test_lines_are_found_by_number_customer_words_and_cloth(quick):
    sales = signed_in(quick, Role.SALES)
    first, second = placed(quick, words="small checks"), placed(quick, words="large roses", substrate="FAB-COT-POP")
    for query in (first.reference, "checks", "satin", "FAB-COT-SAT", "nord small", "NORD satin checks"):
        assert shown(sales.get("/", {"q": query})) == [first.reference], query
    assert shown(sales.get("/", {"q": "nord"})) == [second.reference, first.reference]
    for query in ("nord marigolds", "velvet", "%", "_"):
        nothing = sales.get("/", {"q": query})
        assert shown(nothing) == [], query
        assert "Nothing found" in page_of(nothing)
    assert sales.get("/", {"q": "a\0b"}).status_code == 400
    assert sales.get("/", {"q": "x" * 200}).status_code == 400


def test_lines_stand_where_they_are_looked_for_and_each_heap_is_counted(quick):
    sales = signed_in(quick, Role.SALES)
    lines = {state: planned(quick, state=state) for state in ("released", "generating", "blocked", "done", "cancelled")}
    late = planned(quick, state="in_production", due_in_days=-1)
    promised = planned(quick, metres=60, state="released", due_in_days=0)
    noted = planned(quick, state="proofing")
    Notice.objects.create(shop=quick, line=noted, code="late", sentence="late", key="1")
    for line in OrderLine.objects.all():
        line.rounds.create(number=1, words="checks", layout="straight", repeat_width_mm=64, repeat_height_mm=64)
    wanted = {
        "": 8, "waiting": [lines["blocked"], noted], "drawing": [lines["generating"]], "customer": [noted],
        "mill": [lines["released"], late, promised], "late": [late, promised], "done": [lines["done"]],
    }  # fmt: skip
    page = page_of(sales.get("/"))
    for standing, those in wanted.items():
        count = those if isinstance(those, int) else len(those)
        chip = re.search(rf'id="chip-{standing or "all"}">[^<]*<span>(\d+)</span>', page)
        assert int(chip[1]) == count, standing
        if standing:
            found = shown(sales.get("/", {"state": standing}))
            assert sorted(found) == sorted(line.reference for line in those), standing
    assert re.search(r"\d+ days? late", page)
    assert sales.get("/", {"state": "nowhere"}).status_code == 400


def test_the_book_has_pages_and_asks_for_no_more_the_more_lines_there_are(quick, django_assert_max_num_queries):
    sales = signed_in(quick, Role.SALES)
    line = placed(quick)
    order, brief = line.order, line.newest_round
    copies = [
        OrderLine(
            order=order, position=n, reference=f"X-{n}", substrate="FAB-COT-SAT", quantity_m=1, due_date=in_days(9)
        )
        for n in range(2, 90)
    ]
    OrderLine.objects.bulk_create(copies)
    for each in OrderLine.objects.exclude(pk=line.pk):
        each.rounds.create(number=1, words=brief.words, layout="straight", repeat_width_mm=64, repeat_height_mm=64)
    with django_assert_max_num_queries(14):
        first = sales.get("/", {"q": "checks"})
    assert len(shown(first)) == 0, "their names are not those of orders here"
    assert page_of(first).count("<tr>") == orderbook.SHOWN + 1
    assert "Page 1 of 3" in page_of(first)
    assert "Page 3 of 3" in page_of(sales.get("/", {"q": "checks", "page": "99"}))
    assert sales.get("/", {"page": "0"}).status_code == 400


def test_only_the_list_is_sent_where_only_the_list_is_asked_for(quick):
    sales = signed_in(quick, Role.SALES)
    placed(quick)
    part = sales.get("/", {"q": "checks"}, headers={"HX-Request": "true"})
    assert "<html" not in page_of(part)
    assert shown(part)
    assert part["Vary"].count("HX-Request") == 1
    back = sales.get("/", {"q": "checks"}, headers={"HX-Request": "true", "HX-History-Restore-Request": "true"})
    assert "<html" in page_of(back)


def test_an_empty_book_says_what_will_stand_in_it(quick):
    assert "Enter the first order" in page_of(signed_in(quick, Role.SALES).get("/"))
    assert "Enter the first order" not in page_of(signed_in(quick, Role.OPERATOR, "otto").get("/"))


def test_a_part_of_the_form_says_that_the_session_is_over(quick):
    answer = Client().post("/new/inquiry/", typed(), headers={"HX-Request": "true"})
    assert answer.status_code == 401
