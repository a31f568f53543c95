"""The dashboard in a real browser: it fills by itself, is read by keyboard, and keeps what was read when that fails."""

from datetime import timedelta

from playwright.sync_api import expect

from orders import clocks
from orders.models import OrderLine
from orders.web.dashboard import PANELS
from tests.db.test_figures import approved
from tests.shop_floor import planned


def full(page):
    for name in PANELS:
        expect(page.locator(f"#body-{name} .foot")).to_be_visible()


def test_a_planner_reads_how_the_shop_does_by_keyboard_and_without_a_network_sees_it_as_it_was(mill, faces):
    for days in (1, 3, 9, 20):
        approved(planned(mill), days_ago=days, own_s=40 + 9 * days, customer_s=3600 * days)
    late = planned(mill)
    approved(late, days_ago=2, own_s=80, customer_s=60)
    OrderLine.objects.filter(pk=late.pk).update(due_date=late.due_date - timedelta(days=40))
    clocks.keep_up(mill)
    for width, dark in ((390, False), (1024, True), (1600, False)):
        paul = faces.open("planner", width=width, dark=dark)
        page = paul.goto("/dashboard/")
        full(page)
        paul.axe()
        paul.fits()
        paul.shot("dashboard-full")
    paul.tab_to(page.locator("#weeks-4"))
    paul.press("Enter")
    expect(page.locator("#weeks-4")).to_have_attribute("aria-current", "true")
    expect(page.locator("#weeks-4")).to_be_focused()
    paul.tab_to(page.locator("#table-speed summary"))
    paul.press("Enter")
    expect(page.get_by_role("row", name="Customer decides")).to_be_visible()
    paul.axe()
    # What is being read is not taken away; what is not, is read anew.
    page.evaluate("document.querySelectorAll('.poll').forEach((each) => htmx.trigger(each, 'look'))")
    expect(page.get_by_role("row", name="Customer decides")).to_be_visible()
    drill = page.locator("#body-late").get_by_role("link", name=late.reference)
    expect(drill).to_have_attribute("href", f"/lines/{late.reference}/")
    paul.tab_to(page.get_by_role("link", name="How the ERP is doing"), at_most=120)
    paul.press("Enter")
    expect(page.get_by_role("heading", name="ERP")).to_be_visible()
    paul.goto("/dashboard/")
    full(page)
    faces.expects("ERR_INTERNET_DISCONNECTED", "htmx:sendError", "htmx:afterRequest")
    paul.offline()
    page.evaluate("document.querySelectorAll('.poll').forEach((each) => htmx.trigger(each, 'look'))")
    expect(page.locator("#body-load .stale")).to_have_text("Could not be read again; shown as it was.")
    expect(page.locator("#body-load table")).to_be_visible()
