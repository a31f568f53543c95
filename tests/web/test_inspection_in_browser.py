"""An operator inspects a roll in a real browser: sends scans, looks, overrules a defect, lets metres be made again."""

import uuid
from dataclasses import replace
from decimal import Decimal

import cv2
import pytest
from playwright.sync_api import expect

from orders import floor, reporting
from orders.models import Membership, Notice, OrderLine
from production.inspection.flaws import Kind
from production.inspection.outcome import Defect
from production.models import DefectVerdict, Inspection
from tests import inspected as made
from tests.quick_inspector import QuickInspector
from tests.shop_floor import now, released

SMALL, TABLET, WIDE = 390, 1024, 1600
FOUND = (
    Defect(1, Kind.HOLE, 0.9, 5.0, 310.0, 1200.0, 4.0, 4.0, 16.0),
    Defect(2, Kind.STAIN, 0.9, 4.0, 700.0, 1700.0, 60.0, 90.0, 4000.0),
    Defect(3, Kind.NOZZLE, 0.8, 3.0, 1010.0, 2300.0, 0.5, 900.0, 400.0),
    Defect(4, Kind.SLUB, 0.6, 2.0, 200.0, 4400.0, 25.0, 1.5, 30.0),
)


@pytest.fixture
def line(quick, settings, monkeypatch, faces):
    """A line whose cloth is made, and an inspector that sees a bad roll."""
    settings.WEFTLINE = {**settings.WEFTLINE, "inspector": "tests.quick_inspector.QuickInspector"}
    found = made.inspected(length_m=6, width_mm=1400, colours=4, found=FOUND)
    found = replace(found, colours=tuple(replace(each, de00=0.3 + each.de00 / 2) for each in found.colours))
    monkeypatch.setattr(QuickInspector, "sees", found)
    monkeypatch.setattr(QuickInspector, "shows", made.strips(found))
    line = released(quick)
    faces.open("operator", width=SMALL)
    by = Membership.objects.get(role="operator").user
    for each in floor.operations(now(line))[:-1]:
        for kind in ("start", "finish"):
            metres = line.quantity_m if kind == "finish" else None
            new = reporting.NewReport(
                once=uuid.uuid4(), run=1, operation=each.number, kind=kind, metres=metres, sure=True
            )
            reporting.report(now(line), new, by=by)
    return now(line)


@pytest.fixture
def scan(tmp_path):
    """A picture file such as an operator has on the device."""
    path = tmp_path / "roll-head.png"
    cv2.imwrite(str(path), made.strips(made.inspected(length_m=1, width_mm=300, count=0))[0].scan)
    return path


def test_an_operator_inspects_a_bad_roll_by_keyboard_and_lets_some_of_it_be_made_again(line, scan, faces, works):
    faces.expects("400")
    paul = faces.open("operator", width=TABLET)
    page = paul.goto(f"/floor/{line.reference}/")
    paul.tab_to(page.get_by_role("link", name="Inspection by scan"))
    paul.press("Enter")
    expect(page.get_by_role("heading", name="Scan the cloth")).to_be_visible()
    paul.axe()
    paul.fits()
    paul.shot("inspection-scans")
    page.get_by_label("Scans, from the head of the roll on").set_input_files(scan)
    expect(page.get_by_text("roll-head.png,")).to_be_visible()
    paul.tab_to(page.get_by_role("button", name="Inspect"))
    with works.paused():
        paul.press("Enter")
        expect(page.get_by_role("heading", name="The cloth is being looked at")).to_be_visible()
        paul.axe()
        paul.shot("inspection-waiting")
    # It comes by itself once the cloth was looked at.
    expect(page.get_by_role("heading", name="Proposed")).to_be_visible()
    expect(page.get_by_text("Synthetic scan.")).to_be_visible()
    expect(page.locator("#judged .what")).to_contain_text("Reprint")
    paul.settle()
    paul.axe()
    paul.fits()
    paul.shot("inspection")
    # Source over scan by the arrow keys.
    wipe = page.locator("#wipe")
    paul.tab_to(wipe)
    paul.press("End")
    assert page.locator(".layers .source").evaluate("(e) => e.style.clipPath") == "inset(0px 0% 0px 0px)"
    paul.press("Home")
    assert page.locator(".layers .source").evaluate("(e) => e.style.clipPath") == "inset(0px 100% 0px 0px)"
    paul.tab_to(page.locator("#layer-none"))
    paul.press("ArrowRight")
    expect(page.locator(".layers .heat")).to_be_visible()
    paul.settle()
    paul.axe()
    paul.shot("inspection-heat")
    paul.press("ArrowRight")
    expect(page.locator(".layers .lies")).to_be_visible()
    paul.shot("inspection-lies")
    paul.press("ArrowRight")
    # A defect close up, larger; then another metre by the map.
    paul.tab_to(page.locator("#open-1"))
    paul.press("Enter")
    expect(page.locator("#viewer-title")).to_contain_text("Defect 1")
    paul.settle()
    paul.shot("inspection-close")
    paul.tab_to(page.locator("#zoom-in"), key="Shift+Tab")
    paul.press("Enter")
    expect(page.locator("#zoomed")).to_have_text("2×")
    paul.tab_to(page.get_by_role("link", name="From metre 4"))
    paul.press("Enter")
    expect(page.locator("#viewer-title")).to_contain_text("4 m to 5 m")
    # The slub is none, and the stain is another thing.
    paul.tab_to(page.locator("#no-4"))
    paul.press("Enter")
    expect(page.locator("#defect-4")).to_contain_text("no defect, says operator-here")
    expect(page.locator("#no-4")).to_be_focused()
    page.locator("#kind-2").select_option("ink_spot")
    page.locator("#yes-2").click()
    expect(page.locator("#open-2")).to_contain_text("Ink spot")
    said = list(DefectVerdict.objects.values_list("number", "confirmed", "kind"))
    assert said == [(4, False, ""), (2, True, "ink_spot")]
    # What a reprint would bring, before anybody decides.
    expect(page.locator("#foreseen")).to_contain_text("It costs")
    # Decided: otherwise than proposed, so somebody asks why; what was typed is still there.
    paul.write(page.get_by_label("Metres that are made once more"), "2,5")
    paul.tab_to(page.locator("#decide-now"))
    paul.press("Enter")
    expect(page.get_by_text("say why it is decided otherwise")).to_be_visible()
    expect(page.get_by_label("Metres that are made once more")).to_have_value("2,5")
    paul.axe()
    paul.shot("inspection-why")
    paul.write(page.get_by_label("Why, where it is not what is proposed"), "The customer waits for it")
    paul.tab_to(page.locator("#decide-now"))
    paul.press("Enter")
    expect(page.get_by_role("heading", name="Decided")).to_be_visible()
    expect(page.locator("#judged")).to_contain_text("The customer waits for it")
    works.rest()
    with works.paused():  # what was being done has ended
        found, again = Inspection.objects.get(), OrderLine.objects.get(pk=line.pk)
    assert (found.decision, found.reprint_m, found.decided_by) == ("reprint", Decimal("2.5"), "operator-here")
    assert (again.run, again.making_m) == (2, Decimal("2.5"))
    assert Notice.objects.filter(line=again, code="made_once_more").exists()
    paul.goto(f"/lines/{line.reference}/inspection/1/")
    paul.axe()
    paul.shot("inspection-decided")


def test_the_page_is_read_on_a_phone_on_a_wide_screen_and_in_the_dark(line, faces):
    made.looked_at(line, QuickInspector.sees)
    for width, dark in ((SMALL, False), (SMALL, True), (WIDE, False), (WIDE, True)):
        anna = faces.open("planner", width=width, dark=dark)
        page = anna.goto(f"/lines/{line.reference}/inspection/")
        expect(page.get_by_role("heading", name="Map of the roll")).to_be_visible()
        anna.settle()
        anna.axe()
        anna.fits()
        anna.shot("inspection")
    for number in range(12):
        made.measured_before(line, days=3 * (12 - number), across=0.05 * number)
    for width, dark in ((SMALL, False), (WIDE, True), (TABLET, False)):
        anna = faces.open("planner", width=width, dark=dark)
        page = anna.goto("/drift/")
        expect(page.get_by_role("button", name="Accept").first).to_be_visible()
        expect(page.get_by_role("button", name="Decline").first).to_be_visible()
        anna.axe()
        anna.fits()
        anna.shot("drift")
    anna.tab_to(page.get_by_role("button", name="Accept").first)
    anna.press("Enter")
    expect(page.get_by_text("Accepted:")).to_be_visible()
    anna.axe()
    anna.shot("drift-accepted")
    made.looked_at(line, made.not_inspectable())
    page = anna.goto(f"/lines/{line.reference}/inspection/")
    expect(page.get_by_role("heading", name="Not inspectable")).to_be_visible()
    anna.axe()
    anna.shot("inspection-refused")
