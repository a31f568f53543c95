"""The chart shows every operation where it is, needs nothing from anywhere, and takes no text for anything but text."""

import re
import time
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from production.planning.gantt import NAMES_PX, PALETTE, gantt
from production.planning.openings import minute_after
from production.planning.plan import Plan, figures_of
from production.planning.problem import (
    Assignment,
    AttributeSetups,
    Job,
    Machine,
    Operation,
    Pin,
    Problem,
    Setup,
    SetupMatrix,
    Taken,
)
from production.planning.validate import faults

PARIS = ZoneInfo("Europe/Paris")
INK = SetupMatrix("INK", (AttributeSetups("ink", other=Setup(60, Decimal("7.50"))),))


def at(day, hour, minute=0, month=11):
    return minute_after(datetime(2026, month, day, hour, minute, tzinfo=PARIS))


PRINTER = Machine(
    "PRT1",
    ((at(23, 6), at(23, 22)), (at(24, 6), at(24, 22))),
    "Printer 1 (8 heads)",
    overtime=((at(23, 22), at(24, 0)),),
    taken=(Taken(at(23, 18), at(23, 20), "WL-7"),),
    setups="INK",
    state={"ink": "red"},
)
LOOM = Machine("LOM1", ((at(23, 6), at(23, 22)), (at(24, 6), at(24, 22))), "Loom 1")
STEAMER = Machine("STEAM", ((at(23, 6), at(24, 22)),), "Steamer", load=10)
OPERATIONS = (
    Operation("a", "WL-1", {"PRT1": 600}, "Print", attributes={"ink": "red"}),
    Operation("b", "WL-2", {"PRT1": 180}, "Print", attributes={"ink": "blue"}, pin=Pin("PRT1")),
    Operation("c", "WL-3", {"LOM1": 1200}, "Weave", splittable=True),
    Operation("d", "WL-1", {"STEAM": 60}, "Steam", load=5),
    Operation("e", "WL-2", {"STEAM": 60}, "Steam", load=5),
)
PROBLEM = Problem(
    start=at(23, 6),
    end=at(25, 0),
    machines=(PRINTER, LOOM, STEAMER),
    jobs=(Job("WL-1", "Velvet", due=at(24, 11)), Job("WL-2", due=at(24, 12)), Job("WL-3")),
    operations=OPERATIONS,
    setups={"INK": INK},
    frozen_until=at(23, 9),
    tz="Europe/Paris",
    currency="EUR",
)
ASSIGNMENTS = (
    Assignment("a", "PRT1", at(23, 6), at(23, 16), at(23, 6)),
    Assignment("b", "PRT1", at(23, 21), at(24, 0), at(23, 20), overtime=True),
    Assignment("c", "LOM1", at(23, 6), at(24, 10), at(23, 6)),
    Assignment("d", "STEAM", at(24, 10, 30), at(24, 11, 30), at(24, 10, 30)),
    Assignment("e", "STEAM", at(24, 10, 30), at(24, 11, 30), at(24, 10, 30)),
)


def plan_of(problem=PROBLEM, assignments=ASSIGNMENTS, **more):
    return Plan(tuple(assignments), figures_of(problem, assignments), **more)


def drawn(page, name="plan"):
    """The SVG of that class."""
    return ElementTree.fromstring(re.search(rf'<svg class="{name}".*?</svg>', page, re.S)[0])


def titled(page):
    """What each tooltip says -> its group."""
    return {group[0].text: group for group in drawn(page).iter("g") if len(group) and group[0].tag == "title"}


def boxes(page, kind):
    """Of all boxes of that class, where they begin and end in pixels."""
    return [
        (float(one.get("x")), round(float(one.get("x")) + float(one.get("width")), 1))
        for one in drawn(page).iter("rect")
        if one.get("class") == kind
    ]


def bars(page):
    """The first box of each operation, by its name."""
    return {
        said.split(" on ")[0]: next(one for one in group.iter("rect") if "work" in one.get("class"))
        for said, group in titled(page).items()
        if any("work" in one.get("class") for one in group.iter("rect"))
    }


@pytest.fixture(scope="module")
def page():
    assert faults(PROBLEM, ASSIGNMENTS) == ()
    return gantt(PROBLEM, plan_of(), title="Monday")


def minutes_of(page, pixels):
    """Pixels as minutes since the plan's begin: printed operation a runs 600 minutes from the left edge."""
    print_a = bars(page)["WL-1 Print"]
    return [round((x - float(print_a.get("x"))) / float(print_a.get("width")) * 600) for x in pixels]


def test_every_operation_stands_at_its_time(page):
    late, work = boxes(page, "work late"), boxes(page, "work")
    assert [minutes_of(page, box) for box in late] == [[0, 600], [1710, 1770]]  # a, and d in the steamer
    assert [minutes_of(page, box) for box in work] == [[900, 1080], [0, 960], [1440, 1680], [1710, 1770]]


def test_a_pause_is_a_thin_line_between_two_boxes(page):
    assert [minutes_of(page, box) for box in boxes(page, "pause")] == [[0, 1680]]


def test_the_changeover_is_hatched_and_as_long_as_it_takes(page):
    assert [minutes_of(page, box) for box in boxes(page, "change")] == [[840, 900]]
    assert 'fill="url(#hatch)"' in page or "fill:url(#hatch)" in page
    assert any(said.startswith("Changeover 1 h, 7.50 EUR\nMon 20:00 to 21:00") for said in titled(page))


def test_closed_time_bookings_and_overtime_are_marked(page):
    assert [minutes_of(page, box) for box in boxes(page, "closed")][:1] == [[1080, 1440]]  # after the overtime
    assert [minutes_of(page, box) for box in boxes(page, "taken")] == [[720, 840]]
    assert [minutes_of(page, box) for box in boxes(page, "over")] == [[960, 1080]]
    assert "Booked by others: WL-7\nMon 18:00 to 20:00" in titled(page)


def test_operations_of_a_load_share_the_height_of_the_row(page):
    heights = {name: float(bar.get("height")) for name, bar in bars(page).items()}
    assert (heights["WL-1 Steam"], heights["WL-2 Steam"], heights["WL-1 Print"]) == (15.0, 15.0, 30.0)


def test_late_orders_are_outlined_and_listed_and_others_are_not(page):
    late = [name for name, bar in bars(page).items() if bar.get("class") == "work late"]
    assert late == ["WL-1 Print", "WL-1 Steam"]
    assert '<tr><th scope="row">WL-1 Velvet</th><td class="number">Tue 11:00</td>' in page
    assert ">30 min</td></tr>" in page
    assert "WL-2</th>" not in page


def test_a_tooltip_says_all_of_an_operation(page):
    said = next(said for said in titled(page) if said.startswith("WL-2 Print"))
    assert said.split("\n") == [
        "WL-2 Print on Printer 1 (8 heads)",
        "Mon 21:00 to Tue 00:00 (3 h)",
        "changeover of 1 h from Mon 20:00",
        "due Tue 12:00",
        "ink blue",
        "pinned",
    ]


def test_the_axis_is_in_local_time_with_days(page):
    words = [one.text for one in drawn(page).iter("text")]
    assert [word for word in words if word and "Nov" in word] == ["Mon 23 Nov", "Tue 24 Nov"]
    assert "09:00" in words
    assert "frozen" in words
    assert "Mon 23 Nov to Tue 24 Nov, times in Europe/Paris" in page


@pytest.mark.parametrize(("month", "day", "hours"), [(3, 29, 23), (10, 25, 25)])
def test_the_day_the_clocks_are_moved_is_as_long_as_it_is(month, day, hours):
    start = at(day - 1, 0, month=month)
    machine = Machine("P", ((start, start + 5000),))
    problem = Problem(start, start + 5000, (machine,), (), (Operation("a", "J", {"P": 4320}),), tz="Europe/Paris")
    page = gantt(problem, plan_of(problem, [Assignment("a", "P", start, start + 4320, start)]))
    days = [float(one.get("x1")) for one in drawn(page).iter("line") if one.get("class") == "day"]
    [(left, right)] = boxes(page, "work")
    assert round((days[2] - days[1]) / (right - left) * 4320 / 60, 1) == hours


def test_the_figures_stand_below():
    page = gantt(PROBLEM, plan_of(by="search", seed=3, effort=(1000, 500), bound=80.0))
    cells = {name: (value, more) for name, value, more in re.findall(
        r'<tr><th scope="row">([^<]*)</th><td class="number">([^<]*)</td><td>([^<]*)</td></tr>', page)}  # fmt: skip
    figures = plan_of().figures
    assert cells["Late orders"] == ("1", "of 3")
    assert cells["Changeovers"] == ("1 h", "7.50 EUR")
    assert cells["Overtime"] == ("2 h", "")
    assert cells["Cost"] == (
        f"{figures.cost:,.1f}",
        f"no plan costs less than 80.0, at most {1 - 80 / figures.cost:.1%} less",
    )
    assert cells["Made by"] == ("search, seed 3", "1,500 moves")


def test_operations_are_coloured_by_job_or_by_what_is_asked():
    def fills(**more):
        return {name: bar.get("fill") for name, bar in bars(gantt(PROBLEM, plan_of(), **more)).items()}

    by_job = fills()
    assert by_job["WL-1 Print"] == by_job["WL-1 Steam"] != by_job["WL-2 Print"]
    by_ink = fills(colour_by="ink")
    assert by_ink["WL-1 Print"] != by_ink["WL-2 Print"]
    assert by_ink["WL-1 Steam"] == by_ink["WL-3 Weave"] not in PALETTE
    page = gantt(PROBLEM, plan_of(), colour_by="ink")
    assert "ink blue</li>" in page
    assert "no ink</li>" in page


HOSTILE = "</title></svg><script>alert(1)</script>\"'&\x00<img src=x onerror=alert(1)>"


def test_no_text_is_ever_more_than_text():
    machine = replace(PRINTER, code=HOSTILE, name=HOSTILE, taken=(Taken(at(23, 18), at(23, 20), HOSTILE),), setups="")
    operation = Operation("a", HOSTILE, {HOSTILE: 60}, HOSTILE, attributes={HOSTILE: HOSTILE})
    job = Job(HOSTILE, HOSTILE, due=at(23, 6, 30))
    problem = replace(PROBLEM, machines=(machine,), jobs=(job,), operations=(operation,), currency=HOSTILE)
    one = Assignment("a", HOSTILE, at(23, 6), at(23, 7), at(23, 6), roll=HOSTILE)
    page = gantt(problem, plan_of(problem, [one], by=HOSTILE), title=HOSTILE, colour_by=HOSTILE)
    assert "<script" not in page
    assert "<img" not in page
    assert "\x00" not in page
    assert page.count("</svg>") == page.count("<svg")
    assert drawn(page) is not None


def test_the_page_needs_nothing_from_anywhere_and_no_script(page):
    assert not re.search(r"https?:|//|src=|href=|@import|<script|<link|\son\w+=", page)
    assert re.findall(r"url\(([^)]*)\)", page) == ["#hatch"]
    assert page.startswith("<!doctype html>")


def test_minutes_without_dates_are_written_as_they_are():
    machine = Machine("M0", ((0, 500),))
    problem = Problem(0, 500, (machine,), (), (Operation("a", "J0", {"M0": 90}),))
    page = gantt(problem, plan_of(problem, [Assignment("a", "M0", 0, 90, 0)]))
    words = [one.text for one in drawn(page).iter("text")]
    assert words[:3] == ["0", "5", "10"] or words[:3] == ["0", "10", "20"]
    assert "1 operation of 1 order on 1 machine, minute 0 to 90" in page


def test_an_empty_plan_is_a_chart_of_machines():
    empty = replace(PROBLEM, operations=())
    page = gantt(empty, plan_of(empty, []))
    assert [one.text for one in drawn(page, "names").iter("text")][:2] == ["Printer 1", "PRT1"]
    assert boxes(page, "work") == []


def test_what_runs_since_before_the_plan_begins_is_drawn_from_there():
    problem = replace(PROBLEM, start=at(23, 12), operations=(replace(OPERATIONS[0], pin=Pin("PRT1", at(23, 6))),))
    page = gantt(problem, plan_of(problem, ASSIGNMENTS[:1]))
    assert bars(page)["WL-1 Print"].get("x") == "0.0"
    assert [minutes_of(page, box) for box in boxes(page, "work")] == [[0, 600]]
    assert "plan begins" in page


@pytest.mark.alone
def test_a_thousand_operations_over_two_months_are_drawn_within_four_seconds_in_three_megabytes():
    days = [at(23, 6) + day * 1440 for day in range(60)]
    machines = tuple(Machine(f"M{n}", tuple((day, day + 960) for day in days)) for n in range(20))
    operations = tuple(Operation(f"o{n}", f"WL-{n // 4}", {f"M{n % 20}": 300}, "Print") for n in range(1000))
    problem = replace(PROBLEM, end=at(23, 6) + 60 * 1440, machines=machines, operations=operations,
                      jobs=tuple(Job(f"WL-{n}", due=at(23, 6) + n * 300) for n in range(250)))  # fmt: skip
    starts = [at(23, 6) + (n // 20) * 1440 for n in range(1000)]
    assignments = [Assignment(f"o{n}", f"M{n % 20}", start, start + 300, start) for n, start in enumerate(starts)]
    began = time.perf_counter()
    page = gantt(problem, plan_of(problem, assignments))
    assert time.perf_counter() - began < 4
    assert len(page) < 3_000_000
    assert len(boxes(page, "work")) + len(boxes(page, "work late")) == 1000


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 40_000_000),
    st.integers(1, 500_000),
    st.lists(st.tuples(st.integers(0, 1000), st.integers(1, 1000)), max_size=5),
    st.sampled_from(["UTC", "Europe/Paris", "America/St_Johns", "Pacific/Apia"]),
)
def test_any_plan_is_well_formed_and_inside_its_frame(start, scale, spans, tz):
    machine = Machine("M", ((start, start + 2000 * scale),))
    operations = tuple(Operation(f"o{n}", f"J{n}", {"M": length * scale}) for n, (_, length) in enumerate(spans))
    problem = Problem(start, start + 2000 * scale, (machine,), (), operations, tz=tz)
    plan = [
        Assignment(f"o{n}", "M", start + a * scale, start + (a + length) * scale, start + a * scale)
        for n, (a, length) in enumerate(spans)
    ]
    page = gantt(problem, plan_of(problem, plan))
    svg = drawn(page)
    width = float(svg.get("width"))
    assert all(0 <= left <= right <= width + 1 for left, right in boxes(page, "work"))
    assert float(drawn(page, "names").get("width")) == NAMES_PX
    assert len(page) < 500_000
