"""The studio in a real browser: a designer rejects with reasons, has it drawn again, accepts; and moves a design."""

import re

import pytest
from playwright.sync_api import expect

from orders import services, spaces
from orders.models import Decision, HumanEdit, OrderLine, Step
from tests.known_designs import drawn, shown
from tests.shop_floor import now, placed, work_on

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_designer_rejects_with_reasons_and_has_it_drawn_again_and_accepts(quick, faces, works):
    line = placed(quick)
    dora = faces.open("designer", width=1600)
    page = dora.goto("/studio/")
    dora.axe()
    dora.fits()
    dora.shot("studio-queue")
    page.get_by_role("link", name=re.compile(line.reference)).click()
    expect(page.get_by_role("heading", name="checks")).to_be_visible()
    expect(page.locator("weft-canvas")).to_have_attribute("data-state", "shown")
    expect(page.get_by_text("There is no other design of this shop yet.")).to_be_visible()
    dora.axe()
    dora.fits()
    dora.shot("studio-review")
    page.get_by_role("button", name="One repeat").click()
    page.get_by_role("button", name="Seam lines").click()
    for number in (1, 2):
        expect(page.get_by_role("heading", name=f"Design 1.{number}")).to_be_visible()
        expect(page.locator("weft-canvas")).to_have_attribute("view", "tile")  # as it was looked at before
        page.get_by_label("too busy").check()
        page.get_by_label("In words").fill("calmer, please")
        page.get_by_role("button", name="Reject").click()
        expect(page.get_by_text(f"Design 1.{number} is rejected")).to_be_visible()
    expect(page.get_by_text("All designs of this round are rejected")).to_be_visible()
    dora.shot("studio-rejected")
    again = page.locator("#again")
    again.get_by_label("Words").fill("calm wide checks")
    again.get_by_label("Keep exactly the colours").check()
    again.get_by_role("button", name="Draw again").click()
    expect(page.get_by_role("heading", name="Design 2.1")).to_be_visible(timeout=30_000)
    page.get_by_label("a good rhythm").check()
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_text("Design 2.1 is accepted")).to_be_visible()
    works.rest()
    brief = now(line).newest_round
    assert (brief.number, brief.words) == (2, "calm wide checks")
    assert Decision.objects.filter(accepted=False, words="calmer, please").count() == 2
    assert Decision.objects.get(accepted=True).candidate.round == brief
    assert HumanEdit.objects.get(round=brief).what == "lock"
    page = dora.goto("/studio/learned/")
    expect(page.get_by_text("too busy")).to_be_visible()
    dora.axe()
    dora.shot("studio-learned")


@pytest.mark.parametrize(("width", "dark"), [(390, False), (1024, True)])
def test_by_keyboard_alone_and_on_small_screens(quick, faces, works, width, dark):
    first, second = placed(quick), placed(quick, words="stripes")
    dora = faces.open("designer", width=width, dark=dark)
    page = dora.goto("/studio/")
    dora.axe()
    dora.fits()
    dora.shot("studio-queue")
    dora.press("j", "j", "k", "Enter")
    expect(page).to_have_url(re.compile(f"/studio/{first.reference}/"))
    dora.axe()
    dora.fits()
    dora.shot("studio-review")
    for number in (1, 2):
        expect(page.get_by_role("heading", name=f"Design 1.{number}")).to_be_visible()
        dora.press("r")
        assert dora.focused(page.get_by_label("a motif is cut"))
        dora.press("Space")
        dora.tab_to(page.get_by_role("button", name="Reject"))
        dora.press("Enter")
        expect(page.get_by_text(f"Design 1.{number} is rejected")).to_be_visible()
    dora.write(page.locator("#again").get_by_label("Words"), "whole checks")
    dora.tab_to(page.get_by_role("button", name="Draw again"))
    dora.press("Enter")
    expect(page.get_by_role("heading", name="Design 2.1")).to_be_visible(timeout=30_000)
    dora.settle()  # a key is heard once the page is whole
    dora.press("a")
    assert dora.focused(page.get_by_role("button", name="Accept"))
    dora.press("Enter")
    expect(page.get_by_text("Design 2.1 is accepted")).to_be_visible()
    assert now(first).newest_round.words == "whole checks"
    assert now(second).newest_round.number == 1


def test_two_designers_at_once_and_a_page_that_is_offline(quick, faces, works):
    line = placed(quick)
    faces.expects("409", "ERR_INTERNET_DISCONNECTED", "Failed to load resource")
    dora, emil = faces.open("designer", width=1024), faces.open("admin", width=1024)
    pages = [face.goto(f"/studio/{line.reference}/") for face in (dora, emil)]
    pages[0].get_by_label("colours off the brief").check()
    pages[0].get_by_role("button", name="Reject").click()
    expect(pages[0].get_by_text("is rejected")).to_be_visible()
    pages[1].get_by_label("In words").fill("I like it")
    pages[1].get_by_role("button", name="Accept").click()
    expect(pages[1].get_by_text("has rejected this design meanwhile (colours off the brief)")).to_be_visible()
    expect(pages[1].get_by_label("In words")).to_have_value("I like it")
    assert Decision.objects.count() == 1
    dora.offline()
    pages[0].evaluate("dispatchEvent(new Event('offline'))")
    expect(pages[0].get_by_text("No connection to the server")).to_be_visible()
    dora.shot("studio-offline")


def test_a_design_is_dragged_on_the_map_and_drawn_where_it_was_moved_to(quick, faces):
    for seed in range(5):
        approved, _ = shown(quick, "Atelier Nord", drawn(seed))
        services.approve(approved, 1, by=None)
    OrderLine.objects.update(state="released")
    Step.objects.all().delete()  # what follows an approval is no matter here
    while isinstance(space := spaces.build(quick, name="nord", customer="", by=None), spaces.Standing):
        continue
    line, candidate = shown(quick, "Atelier Nord", drawn(9))
    dora = faces.open("designer", width=1600)
    page = dora.goto(f"/studio/{line.reference}/")
    page.get_by_role("link", name="Move in “nord”").click()
    expect(page.locator(".mover")).to_be_visible()
    dora.axe()
    dora.fits()
    slider = page.locator("[data-axis='0']")
    before = page.locator("#there").get_attribute("src")
    mover = page.locator(".mover").bounding_box()
    page.mouse.move(mover["x"] + 13, mover["y"] + 13)
    page.mouse.down()
    page.mouse.move(mover["x"] + 60, mover["y"] - 30, steps=6)
    page.mouse.up()
    dragged = float(slider.input_value())
    assert dragged > 0
    expect(page.locator("#there")).not_to_have_attribute("src", before)
    dora.shot("studio-space")
    # The same by keys: the slider moves the point.
    dora.tab_to(slider)
    dora.press("ArrowLeft")
    assert float(slider.input_value()) < dragged
    # Bounds are kept, and the slider goes no farther.
    most = page.locator("#most-0")
    dora.write(most, "0.2")
    dora.tab_to(page.locator("#keep-0"))
    dora.press("Enter")
    expect(slider).to_have_attribute("max", "0.20")
    assert float(slider.input_value()) <= 0.2
    dora.tab_to(page.get_by_role("button", name="Draw this"), key="Shift+Tab")
    dora.press("Enter")
    expect(page).to_have_url(re.compile(f"/studio/{line.reference}/"))
    line = work_on(line)
    brief = line.newest_round
    assert (brief.way, brief.parent) == ("walk", candidate)
    assert 0 < brief.walk["amounts"][space.axes[0]["name"]] <= 0.2
    assert HumanEdit.objects.get(round=brief).what == "walk"
