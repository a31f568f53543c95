"""The planner's board in a real browser: by mouse, by keyboard alone, by two planners at once, on a telephone."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from inventory_sync.models import LedgerOrder
from orders import board, names, timetable
from orders.models import OrderLine, Step
from production import plans
from production.planning.openings import moment_of
from tests.shop_floor import filled, now, planned, released

pytestmark = pytest.mark.django_db(transaction=True)
READY = "#board[data-ready=yes]"


@pytest.fixture
def mill(mill):
    """A mill in which nothing is frozen, so that everything may move."""
    mill.frozen_hours = mill.slushy_hours = 0
    mill.save()
    return mill


def bar_of(shop, line, name="Print"):
    return next(bar for bar in board.look(shop).bars if bar.job == line.reference and bar.name == name)


def elsewhere(bar):
    return next(code for code in bar.machines if code != bar.machine)


def ready(page):
    page.wait_for_selector(READY)


def opened(face, path="/board/"):
    page = face.goto(path)
    ready(page)
    return page


def place_of(page, bar):
    ready(page)
    return page.evaluate("(id) => weftBoard.at(id)", bar.operation)


def in_sight(page, bar):
    """Where a bar is on the screen, brought into sight."""
    page.evaluate("(id) => weftBoard.show(id)", bar.operation)
    page.wait_for_timeout(120)
    return page.evaluate("(id) => weftBoard.where(id)", bar.operation)


def drag(page, bar, machine, *, by=0):
    """Drag a bar by mouse onto a machine, so many pixels to the right."""
    box = in_sight(page, bar)
    x, y = box["x"] + min(box["width"] / 2, 10), box["y"] + box["height"] / 2
    target = page.evaluate("(code) => weftBoard.y(code)", machine)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 6, y, steps=2)
    page.mouse.move(x + by, target, steps=8)
    page.mouse.up()
    ready(page)


def publish(page):
    page.get_by_role("button", name="Look it over and publish").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name="Plan")).to_be_visible()
    dialog.get_by_role("button", name="Publish plan").click()
    return dialog


def told(page):
    """Wait until the ERP has been told everything, however often that had to be tried."""
    for _ in range(600):
        if not Step.objects.filter(state__in=timetable.OPEN).exists():
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"still to be told: {list(Step.objects.filter(state__in=timetable.OPEN))}")


def recorded_of(line):
    """What the ERP's work orders say: work centre and start of each."""
    order = LedgerOrder.objects.get(external_id=names.record_id(line))
    works = order.work_orders.select_related("work_centre")
    return {work.name: (work.work_centre.code, work.start) for work in works}


def test_a_bar_is_dragged_to_another_machine_undone_and_published_and_the_erp_has_its_new_date(quick, faces, works):
    with works.paused():
        line, other = released(quick), released(quick, substrate="FAB-COT-POP")
    bar, before = bar_of(quick, line), recorded_of(line)
    planner = faces.open("planner")
    page = opened(planner)
    planner.axe()
    planner.fits()
    drag(page, bar, elsewhere(bar), by=40)
    there = place_of(page, bar)
    assert there["machine"] == elsewhere(bar)
    expect(page.locator("#verdict")).to_contain_text("Draft: 1 step")
    assert page.evaluate("weftBoard.frames()")["frames"] > 0
    page.keyboard.press("Control+z")
    assert place_of(page, bar)["machine"] == bar.machine
    page.keyboard.press("Control+Shift+z")
    assert place_of(page, bar) == there
    page.reload()
    assert place_of(page, bar) == there, "a draft outlives its page"
    planner.shot("board")
    drag(page, bar, "STEAM")
    assert place_of(page, bar)["machine"] in bar.machines, "a steamer does not print"
    page.get_by_role("button", name="Undo").click()
    dialog = publish(page)
    expect(dialog).to_contain_text("holds now")
    planner.shot("board-published")
    dialog.get_by_role("button", name="To the board").or_(dialog.get_by_role("link", name="To the board")).click()
    expect(page.locator("#verdict")).to_contain_text("the ERP is told")
    told(page)
    there = place_of(page, bar)
    assert bar_of(quick, line).machine == there["machine"] == elsewhere(bar)
    after = recorded_of(line)
    assert after["Print"] != before["Print"]
    assert after["Print"][0] == elsewhere(bar)
    slot = next(slot for slot in now(line).plan["slots"] if slot["name"] == "Print")
    assert after["Print"][1].isoformat() == slot["start"]
    assert now(other).plan["slots"]


def test_the_same_by_keyboard_alone_with_every_step_said(quick, faces, works):
    with works.paused():
        line = released(quick)
    bar, before = bar_of(quick, line), recorded_of(line)
    planner = faces.open("planner", width=1024, dark=True)
    page = opened(planner)
    planner.axe()
    planner.fits()
    focus, said = page.locator("#focus"), page.locator("#said-now")
    planner.tab_to(focus)
    for _ in range(20):
        if page.evaluate("weftBoard.focused()") == bar.operation:
            break
        planner.press("ArrowUp")
    assert page.evaluate("weftBoard.focused()") == bar.operation
    assert line.reference in focus.get_attribute("aria-label")
    planner.press("Space")
    expect(said).to_contain_text("Picked up")
    planner.press("ArrowDown" if elsewhere(bar) > bar.machine else "ArrowUp")
    expect(said).to_contain_text("Printer")
    planner.press("ArrowRight", "ArrowRight", "Control+ArrowRight")
    planner.shot("board-carried")
    planner.press("Escape")
    expect(said).to_contain_text("Put back")
    assert place_of(page, bar)["machine"] == bar.machine
    planner.press("Space", "ArrowDown" if elsewhere(bar) > bar.machine else "ArrowUp", "Control+ArrowRight", "Enter")
    expect(said).to_contain_text("Dropped")
    there = place_of(page, bar)
    assert there["machine"] == elsewhere(bar)
    assert there["start"] > bar.start
    planner.press("Control+z")
    expect(said).to_contain_text("Undone")
    planner.press("Control+Shift+z")
    expect(said).to_contain_text("Done again")
    planner.press("p")
    expect(said).to_contain_text("is pinned in the draft")
    planner.press("w")
    drawer = page.locator("#drawer")
    expect(drawer).to_contain_text("Why here and not earlier")
    planner.axe()
    planner.shot("board-why")
    planner.press("Escape")
    expect(drawer).to_be_hidden()
    assert planner.focused(focus)
    planner.tab_to(page.get_by_role("button", name="Look it over and publish"))
    planner.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Orders late")
    planner.axe()
    planner.tab_to(dialog.get_by_role("button", name="Publish plan"))
    planner.press("Enter")
    expect(dialog).to_contain_text("holds now")
    planner.press("Escape")
    told(page)
    assert recorded_of(line)["Print"][0] == elsewhere(bar) != before["Print"][0]
    assert bar_of(quick, line).pinned


def test_a_machine_is_down_a_plan_around_it_is_found_and_published(mill, faces, works):
    line = planned(mill)
    bar = bar_of(mill, line)
    planner = faces.open("planner", width=1024)
    page = opened(planner)
    code = bar.machine
    page.locator(f"[data-machine={code}]").click()
    dialog = page.get_by_role("dialog")
    page.evaluate(
        "([a, b]) => { for (const [name, text] of [['since', a], ['until', b]])"
        " document.querySelector(`#dialog [name=${name}]`).value = text; }",
        [local(mill, bar.start - 30), local(mill, bar.start + 400)],
    )
    planner.shot("board-down")
    dialog.get_by_role("button", name="Plan around it").click()
    expect(dialog).to_contain_text(f"{code} is down")
    expect(dialog.get_by_role("link", name="Look it over").first).to_be_visible(timeout=90_000)
    planner.axe()
    planner.shot("board-proposal")
    dialog.get_by_role("link", name="Look it over").first.click()
    expect(dialog).to_contain_text("Holds now")
    dialog.get_by_role("button", name="Publish plan").click()
    expect(dialog).to_contain_text("holds now")
    there = bar_of(mill, line)
    assert there.machine != code or there.start >= bar.start + 400
    ready(page)
    assert place_of(page, bar)["machine"] == there.machine


def local(shop, minute):
    """A minute as a field for date and time has it, in the shop's time."""
    return moment_of(minute).astimezone(ZoneInfo(shop.time_zone)).strftime("%Y-%m-%dT%H:%M")


def test_of_two_planners_the_slower_is_told_and_goes_on_with_his_draft(mill, faces):
    first, second = planned(mill), planned(mill, "FAB-COT-POP")
    mine, theirs = bar_of(mill, first), bar_of(mill, second)
    paul, petra = faces.open("planner"), faces.open("admin")
    faces.expects("409", "ERR_INTERNET_DISCONNECTED")
    his, hers = opened(paul), opened(petra)
    drag(his, mine, elsewhere(mine), by=30)
    drag(hers, theirs, elsewhere(theirs), by=30)
    his.get_by_role("button", name="Look it over and publish").click()
    expect(his.get_by_role("dialog")).to_contain_text("Publish plan")
    expect(publish(hers)).to_contain_text("holds now")
    dialog = his.get_by_role("dialog")
    dialog.get_by_role("button", name="Publish plan").click()
    expect(dialog).to_contain_text("Your draft is kept")
    paul.shot("board-outdated")
    his.locator("#dialog-close").click()
    ready(his)
    expect(his.locator("#verdict")).to_contain_text("Draft: 1 step")
    assert place_of(his, mine)["machine"] == elsewhere(mine)
    assert place_of(his, theirs)["machine"] == elsewhere(theirs), "what the other published is seen"
    paul.offline()
    drag(his, mine, elsewhere(mine), by=60)
    expect(his.locator("#verdict")).to_contain_text("kept on this device")
    paul.offline(False)
    his.reload()
    ready(his)
    expect(his.locator("#verdict")).to_contain_text("Draft: 2 steps")
    expect(publish(his)).to_contain_text("holds now")
    assert bar_of(mill, first).machine == elsewhere(mine)
    assert bar_of(mill, second).machine == elsewhere(theirs)


def test_on_a_telephone_the_table_is_there_and_moves_a_bar(mill, faces):
    line = planned(mill)
    bar = bar_of(mill, line)
    planner = faces.open("planner", width=390, has_touch=True)
    page = planner.goto("/board/")
    page.wait_for_url("**/board/?view=table")
    ready(page)
    planner.axe()
    planner.fits()
    planner.shot("board-table")
    row = page.locator(f'tr[data-operation="{bar.operation}"]')
    row.locator("summary").click()
    row.get_by_label("Machine").select_option(elsewhere(bar))
    row.get_by_role("button", name="Move it").click()
    expect(row).to_contain_text("in the draft")
    expect(publish(page)).to_contain_text("holds now")
    assert plans.published("demo") == 1
    assert bar_of(mill, line).machine == elsewhere(bar)
    page = opened(planner, "/board/?view=bars")
    planner.fits()
    planner.axe()
    planner.shot("board-bars")


def test_an_empty_board_and_one_that_may_only_be_looked_at(mill, faces):
    operator = faces.open("operator", dark=True)
    page = opened(operator)
    expect(page.get_by_role("heading", name="Nothing is planned yet")).to_be_visible()
    operator.axe()
    operator.shot("board-empty")
    filled(mill, 120)
    page = opened(operator)
    bar = board.look(mill).bars[2]
    drag(page, bar, elsewhere(bar) if len(bar.machines) > 1 else bar.machine, by=200)
    assert place_of(page, bar)["start"] == bar.start
    expect(page.locator("#draft")).to_have_count(0)
    page.keyboard.press("Escape")
    operator.shot("board-full")
    last = max(board.look(mill).bars, key=lambda bar: bar.start)
    day = moment_of(last.start).astimezone(ZoneInfo(mill.time_zone)).date()
    page = operator.goto(f"/board/?machine={last.machine}&day={day}")
    expect(page.locator("#board[data-ready=yes]")).to_be_visible()
    stands = page.evaluate("(id) => weftBoard.where(id)", last.operation)
    stage = page.locator("#upper").bounding_box()
    assert stage["x"] <= stands["x"] < stage["x"] + stage["width"], "that day is in sight"
    assert stage["y"] <= stands["y"] < stage["y"] + stage["height"], "that machine is in sight"
    first = page.evaluate("weftBoard.at(weftBoard.focused())")
    assert first["machine"] == last.machine
    assert moment_of(first["end"]).astimezone(ZoneInfo(mill.time_zone)).date() >= day
    page = operator.goto("/board/?machine=%3Cb%3E&day=soon")
    expect(page.locator("#board[data-ready=yes]")).to_be_visible()


def test_what_waits_in_the_tray_is_put_onto_its_machine_by_keyboard_and_by_mouse(mill, faces):
    line = planned(mill)
    slots = [dict(slot) for slot in line.plan["slots"]]
    begin, end = (timezone.now() - timedelta(hours=each) for each in (3, 2))
    slots[0] |= {"start": begin.isoformat(), "run_start": begin.isoformat(), "end": end.isoformat()}
    OrderLine.objects.filter(pk=line.pk).update(plan={**line.plan, "slots": slots}, version=2)
    operation = f"{line.reference}/1"
    planner = faces.open("planner")
    page = opened(planner)
    card = page.locator("#tray button").first
    expect(card).to_contain_text("nobody has reported it")
    planner.axe()
    planner.shot("board-tray")
    planner.tab_to(card)
    planner.press("Enter")
    expect(page.locator("#said-now")).to_contain_text("choose the machine")
    planner.press("ArrowRight", "Enter")
    expect(page.locator("#verdict")).to_contain_text("Draft: 1 step")
    ready(page)
    assert page.evaluate("(id) => weftBoard.at(id)", operation)["machine"] == "PRET"
    expect(page.locator("#tray")).to_be_hidden()
    page.keyboard.press("Control+z")
    expect(card).to_be_visible()
    box = card.bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(900, page.evaluate("weftBoard.y('PRET')"), steps=8)
    page.mouse.up()
    expect(page.locator("#verdict")).to_contain_text("Draft: 1 step")
    expect(publish(page)).to_contain_text("holds now")
    assert board.look(mill).waiting == ()
    blocked = {"code": "no_slot", "sentence": "No printer is free before it is due."}
    OrderLine.objects.filter(pk=planned(mill).pk).update(
        state="blocked", came_from="planning", plan=None, blocked=blocked, version=9
    )
    page = opened(planner)
    box = page.locator("#tray button").first.bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(900, page.evaluate("weftBoard.y('PRET')"), steps=8)
    page.mouse.up()
    expect(page.locator("#verdict")).to_contain_text("nothing to put here yet")
    assert OrderLine.objects.filter(state="blocked").count() == 1
