"""An operator at a machine, in a real browser: scans, starts, reports, finishes; without a network; beside another."""

import re

import pytest
from playwright.sync_api import expect

from inventory_sync.models import LedgerNote, LedgerOrder
from orders import floor, reporting
from orders.models import FloorReport, Membership, OrderLine
from orders.reporting import NewReport
from tests.shop_floor import now, released
from tests.web.test_floor_pages import press

SMALL, TABLET, WIDE = 390, 1024, 1600


@pytest.fixture
def line(quick):
    return released(quick)


def reported(line):
    return list(FloorReport.objects.filter(line=line).values_list("operation", "kind", "reason"))


def state_of(page, words):
    expect(page.locator("#stand")).to_have_text(words)


def finish_but(line, by, number):
    """Report every operation that makes the cloth, but one, as others at their machines do."""
    for each in floor.operations(now(line)):
        if not each.inspects and each.number != number and not each.done:
            for kind, more in (("start", {}), ("finish", {"metres": line.quantity_m})):
                wish = press(line, kind, operation=each.number, **more)
                wish = NewReport(**{**wish, "run": 1, "sure": True})
                reporting.report(line, wish, by=by)


def test_an_operator_scans_starts_scraps_and_finishes_by_keyboard_alone(line, faces, works):
    faces.expects("409")
    paul = faces.open("operator", width=TABLET)
    user = Membership.objects.get(role="operator").user
    page = paul.goto("/floor/")
    paul.axe()
    paul.fits()
    paul.shot("floor-machines")
    first = floor.operations(line)[0]
    paul.tab_to(page.get_by_role("link", name=re.compile(f"^{first.work_centre} ")))
    paul.press("Enter")
    expect(page.get_by_role("heading", name=first.work_centre)).to_be_visible()
    expect(page.get_by_label("Ticket")).to_be_focused()
    paul.axe()
    paul.shot("floor-list")
    # A scanner types the number, and Enter.
    page.keyboard.type(f"{line.reference.lower()}-r1")
    paul.press("Enter")
    expect(page.get_by_role("heading", name=line.reference)).to_be_visible()
    state_of(page, "waiting")
    paul.axe()
    paul.tab_to(page.get_by_role("button", name="Start"))
    paul.press("Enter")
    state_of(page, "running")
    paul.tab_to(page.locator("#scrap summary"))
    paul.press("Enter")
    paul.write(page.get_by_label("Metres lost"), "0,5")
    paul.tab_to(page.get_by_role("button", name="Nozzle"))
    paul.press("Enter")
    expect(page.get_by_text("0.5 m scrap", exact=True)).to_be_visible()
    paul.tab_to(page.locator("#pause summary"))
    paul.press("Enter")
    paul.axe()
    paul.shot("floor-pause")
    paul.tab_to(page.get_by_role("button", name="No material"))
    paul.press("Enter")
    state_of(page, "paused")
    expect(page.locator(".reported")).to_contain_text("No material")
    paul.tab_to(page.get_by_role("button", name="Take back"))
    paul.press("Enter")
    state_of(page, "running")
    paul.tab_to(page.locator("#finish summary"))
    paul.press("Enter")
    # A slip of the finger: it is asked about, and only taken once that is so.
    paul.write(page.get_by_label("Metres made"), "60")
    paul.press("Enter")
    expect(page.get_by_text("Is that right?")).to_be_visible()
    paul.axe()
    paul.shot("floor-asked")
    paul.tab_to(page.get_by_role("button", name="Throw it away"))
    paul.press("Enter")
    expect(page.get_by_text("Is that right?")).to_be_hidden()
    paul.tab_to(page.locator("#finish summary"))
    paul.press("Enter")
    paul.write(page.get_by_label("Metres made"), "6")
    paul.press("Enter")
    expect(page.locator("#op-0 small")).to_have_text("finished")
    kinds = [kind for _, kind, _ in reported(line)]
    assert kinds == ["start", "scrap", "pause", "undo", "finish"]
    last = floor.operations(now(line))[-2]
    finish_but(line, user, last.number)
    page.goto(f"{paul.home}/floor/{line.reference}/?op={last.number}")
    for width in (SMALL, WIDE):
        page.set_viewport_size({"width": width, "height": 900})
        paul.width = width
        paul.fits()
        paul.shot("floor-job")
    page.get_by_role("button", name="Start").click()
    state_of(page, "running")
    page.locator("#finish summary").click()
    page.get_by_role("button", name="One more", exact=True).click()
    page.get_by_role("button", name="Finished").click()
    expect(page.locator("h1 .state")).to_have_text("to be inspected")
    works.rest()
    assert now(line).state == "inspecting"
    states = list(LedgerOrder.objects.get().work_orders.values_list("state", flat=True))
    assert states == ["done"] * (last.number + 1) + ["waiting"]
    assert LedgerNote.objects.filter(text__contains="0.5 m scrapped").exists()
    inspection = f"/floor/{line.reference}/?op={last.number + 1}"
    paul.goto(inspection)
    page.get_by_role("button", name="Start").click()
    state_of(page, "running")
    paul.shot("floor-inspection")
    page.locator("#finish summary").click()
    page.get_by_role("button", name="The cloth is good").click()
    expect(page.get_by_text("nothing is left to do")).to_be_visible()
    works.rest()
    assert (now(line).state, LedgerOrder.objects.get().state) == ("done", "done")


def test_who_types_goes_on_typing_when_the_part_around_it_is_read_anew(line, faces):
    paul = faces.open("operator", width=TABLET)
    page = paul.goto(f"/floor/{line.reference}/")
    held = []
    page.route(re.compile("/work/"), lambda route: held.append(route))
    with page.expect_request(re.compile("/work/")):  # the report was taken, and what now stands there is asked for
        page.get_by_role("button", name="Start").click()
    page.locator("#scrap summary").click()
    metres = page.get_by_label("Metres lost")
    metres.click()
    page.keyboard.type("1")
    held.pop().continue_()
    expect(page.locator("#work .reported")).to_be_visible()
    page.keyboard.type(",5")
    expect(metres).to_have_value("1,5")
    expect(metres).to_be_focused()


def test_a_press_that_bounced_is_one_report_and_other_metres_or_the_same_ones_later_are_another(line, faces):
    paul = faces.open("operator", width=TABLET)
    page = paul.goto(f"/floor/{line.reference}/")
    page.get_by_role("button", name="Start").click()
    expect(page.locator("#work .reported li")).to_have_count(1)

    def press(*metres):
        """Each within the same millisecond."""
        page.evaluate(
            """metres => {
                const form = document.querySelector("#scrap form");
                for (const each of metres) {
                    form.elements.metres.value = each;
                    form.requestSubmit(document.getElementById("scrap-misprint"));
                }
            }""",
            metres,
        )

    press("0.5", "0.5", "0.2")
    expect(page.locator("#work .reported li")).to_have_count(3)
    page.wait_for_timeout(800)
    press("0.2")
    expect(page.locator("#work .reported li")).to_have_count(4)
    expect(page.locator("#queue")).to_be_hidden()
    metres = FloorReport.objects.filter(line=line, kind="scrap").order_by("pk").values_list("metres", flat=True)
    assert list(map(float, metres)) == [0.5, 0.2, 0.2]


def test_without_a_network_all_that_is_pressed_is_kept_and_sent_in_its_order_and_who_was_first_is_said(line, faces):
    faces.expects("ERR_INTERNET_DISCONNECTED", "htmx:sendError", "htmx:afterRequest", "409")
    paul = faces.open("operator", width=SMALL, dark=True)
    page = paul.goto(f"/floor/{line.reference}/")
    paul.axe()
    paul.fits()
    paul.offline()
    page.get_by_role("button", name="Start").click()
    # What can be pressed next is there although the server knows nothing yet.
    state_of(page, "running")
    page.locator("#scrap summary").click()
    page.get_by_label("Metres lost").fill("1.5")
    page.get_by_role("button", name="Misprint").click()
    expect(page.get_by_text("Waiting to be sent")).to_have_count(2)
    paul.axe()
    paul.shot("floor-offline")
    assert not FloorReport.objects.exists()
    assert OrderLine.objects.get().state == "released"
    paul.offline(False)
    expect(page.get_by_text("1.5 m scrap", exact=True)).to_be_visible()
    expect(page.locator("#queue")).to_be_hidden()
    assert reported(line) == [(0, "start", ""), (0, "scrap", "misprint")]
    # Somebody else, at another tablet whose page is older, presses what was pressed already.
    other = faces.open("planner", width=TABLET)
    theirs = other.goto(f"/floor/{line.reference}/")
    expect(theirs.locator("#stand")).to_have_text("running")
    page.locator("#pause summary").click()
    page.get_by_role("button", name="Break").click()
    expect(page.locator("#stand")).to_have_text("paused")
    theirs.locator("#pause summary").click()
    theirs.get_by_role("button", name="End of shift").click()
    expect(theirs.get_by_text("is paused already (operator-here")).to_be_visible()
    other.shot("floor-second")
    theirs.get_by_role("button", name="Throw it away").click()
    expect(theirs.locator("#stand")).to_have_text("paused")
    assert [kind for _, kind, _ in reported(line)] == ["start", "scrap", "pause"]
    # Signed out meanwhile: it is kept, and goes on after signing in.
    faces.expects("401")
    faces.sign_out(paul)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("You have been signed out")).to_be_visible()
    assert [kind for _, kind, _ in reported(line)] == ["start", "scrap", "pause"]
