"""The customer's link in a real browser: from the mill that makes it to the yes, on a telephone and by keyboard."""

import re
import uuid
from datetime import timedelta

from django.utils import timezone
from playwright.sync_api import expect

from orders import linking, services
from orders.models import Approval, CustomerLink, Pin
from orders.turning import Limits
from tests.shop_floor import now, placed

SHOWN = "document.querySelector('weft-canvas').state === 'shown'"


def linked(line, **options):
    """The path of a new link of a line."""
    options = {"limits": Limits(), "once": uuid.uuid4(), "by": None, **options}
    return f"/c/{linking.make(line, **options)[1]}/"


def test_a_customer_turns_a_knob_comments_and_approves_on_a_telephone_by_keyboard_alone(quick, faces, works):
    with works.paused():
        line = placed(quick, words="checks for a veranda", end_use="Cushion covers")

    # Sales makes the link, is shown its address this once, and sees how it stands.
    sales = faces.open("sales", width=1024)
    page = sales.goto(f"/lines/{line.reference}/link/")
    sales.axe()
    sales.shot("customer-link-new")
    sales.tab_to(page.get_by_role("button", name="Make the link"))
    sales.press("Enter")
    address = page.locator("#made-link")
    expect(address).to_be_focused()
    expect(page.get_by_text("Never opened")).to_be_visible()
    sales.axe()
    sales.shot("customer-link-made")
    path = address.input_value().removeprefix(faces.home)
    page.reload()
    expect(page.get_by_text("Never opened")).to_be_visible()
    assert path not in page.content()

    # The customer, who has no account, sees the designs at true scale.
    ana = faces.open(None, width=390)
    page = ana.goto(path)
    page.wait_for_function(SHOWN)
    expect(page.get_by_text(re.compile("repeats across"))).to_be_visible()
    ana.axe()
    ana.fits()
    ana.shot("customer")
    ana.tab_to(page.get_by_role("button", name="As a product"))
    ana.press("Enter")
    expect(page.locator("weft-canvas .caption")).to_contain_text("Cushion")

    # A comment at the cross in the middle of the cloth.
    ana.tab_to(page.get_by_role("button", name="On the cloth’s width"), key="Shift+Tab")
    ana.press("Enter")
    ana.tab_to(page.locator("weft-canvas .stage"))
    ana.press("Enter")
    ana.tab_to(page.get_by_role("button", name="Comment here"))
    ana.press("Enter")
    expect(page.get_by_label("Your comment")).to_be_focused()
    page.keyboard.type("This square is a little too dark for us.")
    ana.tab_to(page.get_by_role("button", name="Pin the comment"))
    ana.press("Enter")
    expect(page.locator("#comments")).to_contain_text("a little too dark")
    pin = Pin.objects.get()
    assert 0 <= pin.x_mm <= 64.1
    assert 0 <= pin.y_mm <= 64.1

    # A knob: new designs are drawn while the page says how far they are, and come by themselves.
    with works.paused():
        ana.tab_to(page.get_by_role("slider", name="How different may they be?"))
        ana.press("ArrowRight", "ArrowRight")
        for knob in ("Size of a motif", "How close they stand"):
            expect(page.get_by_role("slider", name=knob, include_hidden=True)).to_have_count(1)
        ana.tab_to(page.get_by_role("button", name="Draw variations"))
        ana.press("Enter")
        expect(page.get_by_text("of 2 designs are drawn")).to_be_visible()
        ana.axe()
        ana.shot("customer-drawing")
    expect(page.get_by_role("link", name=re.compile(r"Design 2\.\d")).first).to_be_visible()
    ana.shot("customer-drawn")
    assert now(line).events.filter(action="revise").get().actor == f"customer, link {CustomerLink.objects.get().pk}"

    # The yes.
    with works.paused():
        ana.tab_to(page.get_by_role("checkbox", name=re.compile("I have looked at the size")))
        ana.press("Space")
        ana.write(page.get_by_label("Your name"), "Ana Lima")
        ana.tab_to(page.get_by_role("button", name="Approve design"))
        ana.press("Enter")
        expect(page.get_by_role("heading", name="Thank you. It is approved.")).to_be_visible()
        approval = Approval.objects.get()
        expect(page.get_by_text(approval.sha256)).to_be_visible()
        assert (approval.name, approval.by, approval.candidate.round.number) == ("Ana Lima", None, 2)
        page.wait_for_function(SHOWN)
        ana.axe()
        ana.fits()
        ana.shot("customer-approved")
    # How far it is comes by itself while the mill gets it ready.
    expect(page.get_by_text("Planned to be ready")).to_be_visible(timeout=60_000)
    works.rest()

    # What sales sees of it.
    page = sales.goto(f"/lines/{line.reference}/link/")
    expect(page.get_by_text(re.compile("^Opened"))).to_be_visible()


def test_the_customer_s_page_on_every_screen_and_a_price_that_moved_under_the_reader(quick, faces):
    line = placed(quick, words="checks for a veranda", end_use="Cushion covers")
    path = linked(line)
    linking.pin(
        CustomerLink.objects.get(), design=services.best(line).pk, x_mm=20, y_mm=30, words="Here, please.",
        once=uuid.uuid4(),
    )  # fmt: skip
    for width, dark in ((1024, False), (1600, True)):
        page = faces.open(None, width=width, dark=dark).goto(f"{path}?design={services.best(line).pk}")
        page.wait_for_function(SHOWN)
        faces.opened[-1].axe()
        faces.opened[-1].fits()
        faces.opened[-1].shot("customer")

    # The price is another before the button is pressed: nothing is approved, what changed is said, and shown anew.
    faces.expects("409")
    page.get_by_role("checkbox", name=re.compile("I have looked at the size")).check()
    page.get_by_label("Your name").fill("Ana Lima")
    best = services.best(line)
    type(best).objects.filter(pk=best.pk).update(price="99.50")
    page.get_by_role("button", name="Approve design").click()
    expect(page.get_by_role("alert")).to_contain_text("The price is 99.50 EUR now")
    expect(page.get_by_label("Your name")).to_have_value("Ana Lima")
    faces.opened[-1].shot("customer-moved")
    page.get_by_role("checkbox", name=re.compile("I have looked at the size")).check()
    page.get_by_role("button", name="Approve design").dblclick()
    expect(page.get_by_role("heading", name="Thank you. It is approved.")).to_be_visible()
    assert Approval.objects.get().specification["price"] == "99.50"

    # A link that is over says so, and what to do.
    faces.expects("410")
    CustomerLink.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    late = faces.open(None, width=390)
    page = late.goto(path)
    expect(page.get_by_role("heading", name="This link has expired.")).to_be_visible()
    late.axe()
    late.shot("customer-expired")
