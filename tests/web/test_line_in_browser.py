"""The page of a line in a real browser: from designs to released files, by mouse, by keyboard, and by two at once."""

import re

import pytest
from playwright.sync_api import expect

from orders import services, watching
from tests.shop_floor import now, placed, released, work_on

DEMO = {"words": "checks", "layout": "half_drop", "end_use": "Curtains"}


@pytest.fixture(autouse=True)
def watched_closely(monkeypatch):
    monkeypatch.setattr(watching, "LOOK_EVERY_S", 0.05)


def chosen(page):
    return page.locator("[name=design]:checked")


def test_a_sales_person_goes_from_designs_to_released_files(quick, faces, works):
    line = placed(quick, **DEMO)
    anna = faces.open("sales", width=1600)
    page = anna.goto(f"/lines/{line.reference}/")
    cloth = page.locator("#cloth")
    expect(cloth).to_have_attribute("data-state", "shown")

    # Another design is chosen: it stands on the canvas, and its price in the bar.
    other = page.locator(".design:not(:has(:checked)) [name=design]").first
    key = other.get_attribute("value")
    other.check()
    expect(cloth).to_have_attribute("src", re.compile(f"/{key}/preview/"))
    expect(page.locator("#decide input[name=design]").first).to_have_value(key)
    page.get_by_role("button", name="On the cloth’s width").click()
    expect(cloth.locator(".caption")).to_contain_text("repeats across")
    anna.shot("line")

    # More like it: drawn while one looks, and the old round stays.
    ways = page.locator("#adjust form").filter(has=page.get_by_role("heading", name="More like this"))
    ways.get_by_role("slider").fill("0.3")
    ways.get_by_role("button", name="Draw").click()
    expect(page.get_by_role("heading", name="Round 2")).to_be_visible()
    expect(page.locator("#newest .design .sum")).not_to_have_count(0)
    expect(page.locator(".state").first).to_have_text("to be chosen")
    expect(page.locator(f"#design-{key}")).to_be_attached()
    anna.axe()
    anna.fits()

    # The two side by side, at one scale.
    page.locator(f"#design-{key} a.compare").click()
    expect(page.locator("weft-canvas[data-state=shown]")).to_have_count(2)
    page.locator("weft-canvas").first.get_by_role("button", name="Larger").click()
    scales = "[...document.querySelectorAll('weft-canvas')].map((each) => each.shown.px_per_mm)"
    assert len(set(page.evaluate(scales))) == 1
    anna.axe()
    anna.shot("compare")
    page.get_by_role("link", name="Go on with this one").first.click()

    # A quote holds; then it is approved, with its scale.
    page.get_by_role("button", name="Inquire").click()
    expect(page.locator("#said")).to_contain_text("Nothing is held")
    page.get_by_role("button", name="Quote").click()
    expect(page.locator("#decide")).to_contain_text("Held for design 2.")
    page.get_by_text("Approve…").click()
    page.locator("#scale-seen").check()
    expect(page.locator(".agree label")).to_contain_text("64 mm × 64.1 mm, 22.2 across")
    anna.shot("approve")
    page.locator("#approve").dblclick()
    expect(page.locator("#head .state")).to_have_text("released", timeout=60_000)
    expect(page.locator("#files")).to_contain_text("Job ticket")
    assert line.approvals.count() == 1
    assert line.newest_round.number == 2
    anna.axe()
    anna.fits()
    anna.shot("released")


def test_the_same_by_keyboard_alone(quick, faces, works):
    line = placed(quick, **DEMO)
    anna = faces.open("sales", width=1024, dark=True)
    page = anna.goto(f"/lines/{line.reference}/")
    expect(page.locator("#cloth")).to_have_attribute("data-state", "shown")
    first = chosen(page).get_attribute("value")
    anna.tab_to(chosen(page))
    anna.press("ArrowDown")
    expect(page.locator("#decide input[name=design]").first).not_to_have_value(first)
    assert anna.focused(chosen(page))  # what is swapped in beside it takes nothing away

    anna.write(page.locator("#adjust textarea[name=words]").first, "wide checks")
    anna.tab_to(page.locator("#adjust form").filter(has=page.locator("[value=reword]")).get_by_role("button"))
    anna.press("Enter")
    expect(page.get_by_role("heading", name="Round 2")).to_be_visible()
    expect(page.locator("#agree")).to_be_visible()
    anna.axe()
    anna.fits()

    anna.tab_to(page.locator("#agree summary"))
    anna.press("Enter")
    anna.tab_to(page.locator("#scale-seen"))
    anna.press("Space")
    anna.tab_to(page.locator("#approve"))
    anna.press("Enter")
    expect(page.locator("#said")).to_contain_text("Approved.")
    expect(page.locator("#said")).to_be_focused()
    expect(page.locator("#head .state")).to_have_text("released", timeout=60_000)
    anna.tab_to(page.get_by_role("link", name=re.compile("ticket.pdf")))
    assert line.approvals.count() == 1


def test_two_people_and_a_third_who_is_typing(quick, faces, works):
    line = placed(quick, **DEMO)
    with works.paused():
        anna, ben = faces.open("sales", width=1600), faces.open("admin", width=390, dark=True)
        pages = [each.goto(f"/lines/{line.reference}/") for each in (anna, ben)]
        typist = faces.open("designer", width=1024)
        third = typist.goto(f"/lines/{line.reference}/")
        words = third.locator("#adjust textarea[name=words]").first
        words.fill("birds, half")
        ben.fits()
        ben.axe()
        ben.shot("line")
        for page in pages:
            page.get_by_text("Approve…").click()
            page.locator("#scale-seen").check()
        pages[0].locator("#approve").click()
        expect(pages[0].locator("#said")).to_contain_text("Approved.")
        faces.expects("409")
        pages[1].locator("#approve").click()
        expect(pages[1].locator("#said")).to_contain_text("It is approved already: design 1.")
        expect(pages[1].locator("#said")).to_contain_text("by sales-here")
        expect(pages[1].locator("#head .state")).to_have_text("being planned")
        expect(pages[1].locator("#approve")).to_have_count(0)
        assert line.approvals.count() == 1

        # Who types sees that the line moved on, and keeps what was typed.
        third.evaluate("htmx.trigger('#watch', 'look')")
        expect(third.locator("#head .state")).to_have_text("being planned")
        assert words.input_value() == "birds, half"
        third.locator("#adjust form").filter(has=third.locator("[value=reword]")).get_by_role("button").click()
        expect(third.locator("#said")).to_contain_text("a design was approved")
        assert words.input_value() == "birds, half"
        assert line.rounds.count() == 1


def test_a_lost_connection_and_a_session_that_ran_out_lose_nothing(quick, faces):
    line = placed(quick, **DEMO)
    anna = faces.open("sales", width=1024)
    page = anna.goto(f"/lines/{line.reference}/")
    expect(page.locator("#cloth")).to_have_attribute("data-state", "shown")
    words = page.locator("#adjust textarea[name=words]").first
    words.fill("birds")
    draw = page.locator("#adjust form").filter(has=page.locator("[value=reword]")).get_by_role("button")
    faces.expects("ERR_INTERNET_DISCONNECTED", "401", "htmx:")
    anna.offline()
    draw.click()
    expect(page.locator("#offline")).to_be_visible()
    anna.offline(False)
    expect(page.locator("#offline")).to_be_hidden()
    faces.sign_out(anna)
    draw.click()
    expect(page.locator("#refused")).to_contain_text("signed out")
    assert words.input_value() == "birds"
    assert line.rounds.count() == 1


def test_a_change_is_seen_with_its_price_before_it_is_made(quick, faces):
    line = released(quick)
    anna = faces.open("sales", width=390)
    page = anna.goto(f"/lines/{line.reference}/")
    page.get_by_role("textbox", name="Metres").fill("7,5")
    page.get_by_role("button", name="What would it cost, and when?").click()
    expect(page.locator("#change")).to_contain_text("ready")
    expect(page.get_by_role("textbox", name="Metres")).to_have_value("7,5")
    anna.axe()
    anna.fits()
    anna.shot("change")
    page.get_by_role("button", name=re.compile("^Change it, for")).click()
    expect(page.locator("#head")).to_contain_text("7.5 m")
    line = work_on(now(line))
    assert (line.state, float(line.quantity_m)) == ("released", 7.5)
    assert services.work.files_of(line)
