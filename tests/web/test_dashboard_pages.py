"""The dashboard, as people who are logged in see it."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from orders.models import Membership, OrderLine, Role, Shop
from orders.web.dashboard import PANELS, in_words
from tests.people import signed_in
from tests.shop_floor import planned

pytestmark = pytest.mark.django_db
PART = {"HX-Request": "true"}


@pytest.fixture
def paul(mill):
    return signed_in(mill, Role.PLANNER, "paul")


def test_the_page_holds_a_place_for_each_panel_and_each_opens_by_itself_too(mill, paul):
    line = planned(mill)
    page = paul.get("/dashboard/").content.decode()
    for name in PANELS:
        assert f'hx-get="/dashboard/{name}/"' in page
        part = paul.get(f"/dashboard/{name}/", headers=PART)
        assert part.status_code == 200
        assert "<html" not in part.content.decode()
        assert "What this is" in part.content.decode()
        whole = paul.get(f"/dashboard/{name}/").content.decode()
        assert "<html" in whole
        assert str(PANELS[name].title) in whole
    OrderLine.objects.filter(pk=line.pk).update(due_date="2020-01-01")
    part = paul.get("/dashboard/late/", headers=PART).content.decode()
    assert f'href="/lines/{line.reference}/"' in part
    assert "days late" in part


def test_money_is_shown_to_who_deals_with_it(mill):
    ben = signed_in(mill, Role.OPERATOR, "ben")
    assert "/dashboard/costs/" not in ben.get("/dashboard/").content.decode()
    assert ben.get("/dashboard/costs/", headers=PART).status_code == 403
    assert ben.get("/dashboard/load/", headers=PART).status_code == 200


def test_a_new_shop_sees_what_will_stand_there(db):
    client = signed_in(Shop.objects.create(slug="new", name="New mill"), Role.ADMIN, "nina")
    for name in PANELS:
        page = client.get(f"/dashboard/{name}/", headers=PART)
        assert page.status_code == 200
        assert "empty" in page.content.decode() or name in {"drawing", "sync"}


def test_an_erp_that_is_away_and_was_never_read_is_said_in_the_panel_and_the_others_are_there(mill, paul, distant):
    distant.cut = True
    page = paul.get("/dashboard/load/", headers=PART).content.decode()
    assert "never read from the ERP yet" in page
    assert 'hx-trigger="every 60s' in page
    assert paul.get("/dashboard/speed/", headers=PART).status_code == 200


def test_what_is_no_panel_is_not_there_and_odd_periods_are_the_usual_one(mill, paul):
    assert paul.get("/dashboard/nothing/").status_code == 404
    for asked in ("", "0", "-4", "9" * 400, "4\0", "12 OR 1"):
        page = paul.get("/dashboard/speed/", {"weeks": asked}, headers=PART).content.decode()
        assert re.search(r'weeks=12" [^>]*aria-current', page), asked


def test_drawings_hold_no_style_and_no_script(mill, paul):
    planned(mill)
    for name in PANELS:
        page = paul.get(f"/dashboard/{name}/", headers=PART).content.decode()
        assert not re.search(r"<script|\sstyle=|\son[a-z]+=", page)


def test_numbers_of_drawings_stay_readable_for_a_browser_in_any_language(mill, paul):
    planned(mill)
    for code in ("de", "it"):
        paul.post("/preferences/", {"language": code})
        for name in ("speed", "cover", "costs"):
            page = paul.get(f"/dashboard/{name}/", headers=PART).content.decode()
            assert not re.search(r'(x|y|width|x1|y1)="[\d.]*,', page)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(None, "–"), (0.25, "0.2 s"), (9, "9 s"), (61.4, "61 s"), (600, "10 min"), (7200, "2 h"), (86400 * 3, "3 days")],
)
def test_durations_are_said_in_the_unit_that_fits(seconds, said):
    assert in_words(seconds) == said


def test_who_belongs_to_no_shop_sees_no_figures(db):
    client = Client()
    client.force_login(User.objects.create_user("nobody"))
    assert client.get("/dashboard/").status_code == 403
    assert not Membership.objects.exists()
