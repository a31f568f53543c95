"""The binding chain: what an operation waits for, link by link, until something binds by itself."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from production.planning.errors import UnknownOperation
from production.planning.explain import why, why_late
from production.planning.hours import Hours
from production.planning.openings import minute_after
from production.planning.problem import (
    After,
    Assignment,
    AttributeSetups,
    Cloth,
    Job,
    Machine,
    Operation,
    Pin,
    Problem,
    Roll,
    Setup,
    SetupMatrix,
    Taken,
)
from production.planning.validate import faults

INK = SetupMatrix("INK", (AttributeSetups("ink", other=Setup(10)),))
DAY = ((0, 480), (600, 960))
RED, BLUE = {"ink": "red"}, {"ink": "blue"}


def printer(code="P", **more):
    return Machine(code, **{"open": DAY, "name": f"Printer {code} (8 heads)", "setups": "INK", "state": RED, **more})


def work(id="a", minutes=60, machines=("P",), **more):
    return Operation(
        id, **{"job": "J", "name": "Print", "minutes": dict.fromkeys(machines, minutes), "attributes": RED, **more}
    )


def shop(*operations, machines=(), **more):
    values = {"start": 0, "end": 1440, "machines": machines or (printer(), printer("Q")), "jobs": (Job("J"), Job("K"))}
    return Problem(**{**values, "operations": operations, "setups": {"INK": INK}, **more})


def at(id, start, end, machine="P", *, changeover=None, **more):
    return Assignment(id, machine, start, end, start if changeover is None else changeover, **more)


def explained(problem, *plan, of="a"):
    """The chain, of a plan that is feasible, with its links end to end."""
    assert faults(problem, plan) == ()
    chain = why(problem, plan, of)
    edges = [chain.start, *(edge for link in chain.links for edge in (link.start, link.end)), chain.end]
    assert all(one == other for one, other in zip(edges[::2], edges[1::2], strict=True))
    assert sum(chain.minutes.values()) == chain.end - chain.start
    return chain


def kinds(chain):
    return [(link.kind, link.minutes) for link in chain.links]


def test_what_starts_with_the_plan_waits_for_nothing_else():
    chain = explained(shop(work()), at("a", 0, 60))
    assert (chain.root, chain.links) == ("begin", ())
    assert chain.sentences == ("Print J starts on Printer P minute 0.", "The plan begins minute 0.")


@pytest.mark.parametrize(
    ("problem", "sentence"),
    [
        (shop(work(release=90)), "Print J is released minute 90."),
        (shop(work(), jobs=(Job("J", release=90),)), "J is released minute 90."),
    ],
)
def test_a_release_binds_by_itself(problem, sentence):
    chain = explained(problem, at("a", 90, 150))
    assert (chain.root, chain.links, chain.sentences[-1]) == ("release", (), sentence)


def test_a_roll_that_comes_in_binds_by_itself():
    problem = shop(work(cloth=Cloth("V", Decimal(5))), rolls=(Roll("R1", "V", "L", Decimal(9), ready=90),))
    chain = explained(problem, at("a", 90, 150, roll="R1"))
    assert (chain.root, chain.sentences[-1]) == ("material", "Roll R1 is there minute 90.")


def test_the_operation_before_in_the_job_is_named_with_the_gap_after_it():
    problem = shop(work("b", release=10), work(machines=("Q",), name="Steam", after=(After("b", 30),)))
    chain = explained(problem, at("b", 10, 70), at("a", 100, 160, "Q"))
    assert kinds(chain) == [("running", 60), ("gap", 30)]
    assert chain.sentences == (
        "Steam J starts on Printer Q minute 100.",
        "30 min have to pass after Print J.",
        "Print J runs on Printer P until minute 70 (1 h).",
        "Print J is released minute 10.",
    )


def test_the_operation_before_on_the_machine_is_named_with_the_changeover():
    problem = shop(work("b", job="K"), work(attributes=BLUE))
    chain = explained(problem, at("b", 0, 60), at("a", 70, 130, changeover=60))
    assert kinds(chain) == [("running", 60), ("changeover", 10)]
    assert chain.sentences[1:] == (
        "Printer P is changed over for Print J, ink red to blue (10 min).",
        "Printer P is taken by Print K until minute 60 (1 h).",
        "The plan begins minute 0.",
    )


def test_what_the_machine_is_set_for_at_first_is_a_changeover_too():
    chain = explained(shop(work(attributes=BLUE)), at("a", 10, 70, changeover=0))
    assert (chain.root, kinds(chain)) == ("begin", [("changeover", 10)])
    assert chain.sentences[1:] == (
        "Printer P is changed over for Print J, ink red to blue (10 min).",
        "The plan begins minute 0.",
    )


def test_of_two_that_are_waited_for_the_later_binds():
    problem = shop(work("b", 40, job="K"), work("c", 60, ("Q",)), work(after=(After("c"),)))
    chain = explained(problem, at("b", 0, 40), at("c", 0, 60, "Q"), at("a", 60, 120))
    assert chain.links[0].operation == "c"
    later = shop(work("b", 70, job="K"), work("c", 60, ("Q",)), work(after=(After("c"),)))
    assert explained(later, at("b", 0, 70), at("c", 0, 60, "Q"), at("a", 70, 130)).links[0].operation == "b"


def test_a_changeover_over_a_closed_night_is_told_in_pieces():
    problem = shop(work("b", 475, job="K"), work(attributes=BLUE))
    chain = explained(problem, at("b", 0, 475), at("a", 605, 665, changeover=475))
    assert kinds(chain) == [("running", 475), ("changeover", 5), ("closed", 120), ("changeover", 5)]


def test_a_booking_of_others_is_named():
    problem = shop(work(), machines=(printer(taken=(Taken(30, 90, "WL-7"),)),))
    chain = explained(problem, at("a", 90, 150))
    assert kinds(chain) == [("fit", 30), ("booked", 60)]
    assert chain.sentences[1] == "Printer P is booked by others until minute 90 (WL-7) (1 h)."
    assert chain.sentences[2] == "Printer P has 30 min until minute 30, and Print J takes 1 h without a pause."


def test_a_changeover_that_a_booking_breaks_begins_after_it():
    problem = shop(work("b", 60, job="K"), work(attributes=BLUE), machines=(printer(taken=(Taken(75, 90),)),))
    chain = explained(problem, at("b", 0, 60), at("a", 100, 160, changeover=90))
    assert kinds(chain) == [("running", 60), ("fit", 15), ("booked", 15), ("changeover", 10)]


def test_a_pause_of_the_operation_before_is_told_apart():
    problem = shop(work("b", 500, job="K", splittable=True), work())
    chain = explained(problem, at("b", 0, 620), at("a", 620, 680))
    assert kinds(chain) == [("running", 480), ("closed", 120), ("running", 20)]
    assert chain.minutes == {"running": 500, "closed": 120}


@pytest.mark.parametrize(
    ("problem", "plan", "root", "said"),
    [
        (shop(work(pin=Pin("P", 90))), at("a", 90, 150), "pin", "Print J is pinned on Printer P minute 90."),
        (
            shop(work(), published=(at("a", 90, 150),), frozen_until=91),
            at("a", 90, 150),
            "frozen",
            "Print J stays on Printer P minute 90, where it was published.",
        ),
        (
            shop(work(pin=Pin("P", 90)), start=100),
            at("a", 90, 150),
            "running",
            "Print J has been running on Printer P minute 90 since before the plan.",
        ),
    ],
)
def test_what_has_to_stay_binds_by_itself(problem, plan, root, said):
    chain = explained(problem, plan)
    assert (chain.root, chain.links, chain.sentences[-1]) == (root, (), said)


def test_a_load_waits_for_what_any_of_it_waits_for():
    steamer = Machine("S", ((0, 480),), "Steamer", load=10)
    first, second = work("b", 20), work("c", 30, job="K", machines=("Q",))
    steam = [work(id, 40, ("S",), load=5, name="Steam", job=job, after=(After(before),)) for id, job, before in
             (("d", "J", "b"), ("e", "K", "c"))]  # fmt: skip
    problem = shop(
        first, second, *steam, work("f", 10, ("S",), load=1, name="Air"), machines=(printer(), printer("Q"), steamer)
    )
    plan = [at("b", 0, 20), at("c", 0, 30, "Q"), at("d", 30, 70, "S"), at("e", 30, 70, "S"), at("f", 70, 80, "S")]
    chain = explained(problem, *plan, of="d")
    assert chain.links[0].operation == "c"
    chain = explained(problem, *plan, of="f")
    assert chain.sentences[1] == "Steamer is taken by Steam J and 1 more in its load until minute 70 (40 min)."


def test_time_that_nothing_needs_is_said():
    chain = explained(shop(work(release=20)), at("a", 50, 110))
    assert kinds(chain) == [("waiting", 30)]
    assert chain.sentences[1] == "Nothing keeps Print J from starting minute 20 (30 min earlier)."
    published = shop(work(release=20), published=(at("a", 55, 115),))
    assert explained(published, at("a", 50, 110)).sentences[1].endswith(", but it was published minute 55.")


def test_why_an_order_is_late_runs_from_its_end_back():
    problem = shop(
        work("b", 50, job="K"),
        work("c", 60),
        work("d", 30, ("Q",), name="Cut", after=(After("c", 15),)),
        jobs=(Job("J", due=100), Job("K")),
    )
    plan = [at("b", 0, 50), at("c", 50, 110), at("d", 125, 155, "Q")]
    assert faults(problem, plan) == ()
    chain = why_late(problem, plan, "J")
    assert (chain.operation, chain.start, chain.end) == ("d", 0, 155)
    assert kinds(chain) == [("running", 50), ("running", 60), ("gap", 15), ("running", 30)]
    assert chain.sentences == (
        "J is 55 min late: due minute 100, done minute 155.",
        "Cut J runs on Printer Q until minute 155 (30 min).",
        "15 min have to pass after Print J.",
        "Print J runs on Printer P until minute 110 (1 h).",
        "Printer P is taken by Print K until minute 50 (50 min).",
        "The plan begins minute 0.",
    )


def test_an_order_in_time_and_one_without_a_date_say_so():
    problem = shop(work(), jobs=(Job("J", due=60),))
    assert why_late(problem, [at("a", 0, 60)], "J").sentences[0] == "J is in time: done minute 60, due minute 60."
    assert why_late(shop(work()), [at("a", 0, 60)], "J").sentences[0] == "J is done minute 60 and has no due date."


def test_what_is_not_in_the_plan_is_refused():
    with pytest.raises(UnknownOperation, match="z is not in the plan"):
        why(shop(work()), [at("a", 0, 60)], "z")
    with pytest.raises(UnknownOperation, match="No operation of K is in the plan"):
        why_late(shop(work()), [at("a", 0, 60)], "K")


def test_times_are_said_by_the_clock_of_those_who_read_them():
    monday = minute_after(datetime(2026, 11, 23, 6, tzinfo=ZoneInfo("Europe/Paris")))
    machine = printer(open=((monday, monday + 480), (monday + 1440, monday + 1920)))
    problem = shop(work("b", 450), work(), machines=(machine,), start=monday, end=monday + 5000, tz="Europe/Paris")
    plan = [at("b", monday, monday + 450), at("a", monday + 1440, monday + 1500)]
    assert explained(problem, *plan).sentences[:3] == (
        "Print J starts on Printer P Tue 06:00.",
        "Printer P is closed until Tue 06:00 (16 h).",
        "Printer P has 30 min until Mon 14:00, and Print J takes 1 h without a pause.",
    )


# ---------------------------------------------------------------------------------------------- for any plan

END = 80


@st.composite
def plans(draw):
    """A small shop and a feasible plan of it, found minute by minute, with idle time in it at times."""

    def machine(code):
        edges = draw(st.sampled_from([(0, END), (0, 12, 15, END), (2, 10, 11, 30, 33, END)]))
        spans = tuple(zip(edges[::2], edges[1::2], strict=True))
        pauses = tuple((closes, opens) for (_, closes), (opens, _) in pairwise(spans))
        taken = draw(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 5)), max_size=2))
        return printer(
            code,
            open=spans,
            overtime=pauses if draw(st.booleans()) else (),
            taken=tuple(Taken(a, a + length) for a, length in taken),
            load=draw(st.sampled_from([0, 0, 3])),
        )

    def operation(number):
        return work(
            f"o{number}",
            job="JK"[number % 2],
            minutes=draw(st.integers(1, 6)),
            machines=draw(st.sampled_from(["P", "Q"])),
            after=(After(f"o{draw(st.integers(0, number - 1))}", draw(st.integers(0, 3))),)
            if draw(st.booleans()) and number
            else (),
            release=draw(st.sampled_from([None, None, 7])),
            attributes=draw(st.sampled_from([RED, BLUE])),
            splittable=draw(st.booleans()),
            load=draw(st.integers(1, 2)),
        )

    setups = {"INK": SetupMatrix("INK", (AttributeSetups("ink", {("red", "blue"): Setup(3)}, other=Setup(2)),))}
    problem = shop(*(operation(number) for number in range(draw(st.integers(1, 4)))),
                   machines=(machine("P"), machine("Q")), end=END, setups=setups)  # fmt: skip
    plan = []
    for number, one in enumerate(problem.operations, 1):
        until = replace(problem, operations=problem.operations[:number])
        [code] = one.minutes
        last = max((other.start for other in plan if other.machine == code), default=0)
        overtime, idle = draw(st.booleans()), draw(st.sampled_from([0, 0, 0, 4]))
        found = next(
            a
            for start in range(last + idle, END)
            for a in places(one, code, start, overtime)
            if not faults(until, [*plan, a])
        )
        plan.append(found)
    return problem, plan


def places(one, code, start, overtime):
    """Every way to do an operation from that start."""
    length = one.minutes[code]
    for end in range(start + length, min(start + length + 4, END) + 1):
        for changeover in range(start, max(-1, start - 8), -1):
            yield Assignment(one.id, code, start, end, changeover, overtime)


@settings(max_examples=40, deadline=None)
@given(plans())
def test_every_chain_adds_up_and_what_it_says_of_waiting_is_true(found):
    """Where nothing keeps an operation the validator passes it earlier; where something does, at no earlier minute."""
    problem, plan = found
    for one in plan:
        chain = explained(problem, *plan, of=one.operation)
        assert all(link.minutes > 0 and link.sentence for link in chain.links)
        assert chain.root in ("begin", "release")
        operation = next(each for each in problem.operations if each.id == one.operation)
        mates = [other for other in plan if (other.machine, other.start) == (one.machine, one.start)]
        if len(mates) > 1:
            continue  # a load moves as one
        waiting = [link.start for link in chain.links if link.kind == "waiting" and link.operation == one.operation]
        others = [other for other in plan if other is not one]
        before = [other.start for other in others if other.machine == one.machine and other.start < one.start]
        starts = [
            start
            for start in range(max(before, default=-1) + 1, one.start)
            for earlier in places(operation, one.machine, start, one.overtime)
            if not any(f.operation == one.operation for f in faults(problem, [*others, earlier]))
        ]
        assert min(starts, default=one.start) == min(waiting, default=one.start)


@settings(max_examples=40, deadline=None)
@given(plans())
def test_the_chain_of_every_order_reaches_its_end(found):
    problem, plan = found
    jobs = {each.id: each.job for each in problem.operations}
    for job in set(jobs.values()):
        chain = why_late(problem, plan, job)
        assert chain.end == max(one.end for one in plan if jobs[one.operation] == job)
        assert sum(link.minutes for link in chain.links) == chain.end - chain.start
        assert all(one.end == other.start for one, other in pairwise(chain.links))


# ---------------------------------------------------------------------------------------------- a machine's hours


@given(
    st.lists(st.integers(0, 40), max_size=6, unique=True).map(sorted),
    st.lists(st.tuples(st.integers(0, 40), st.integers(1, 5)), max_size=2),
    st.tuples(st.integers(0, 40), st.integers(1, 8), st.booleans()),
)
def test_hours_answer_as_counting_minute_by_minute_does(edges, taken, asked):
    begin, minutes, splittable = asked
    spans = tuple(zip(edges[::2], edges[1::2], strict=False))
    machine = Machine("P", spans, taken=tuple(Taken(a, a + length) for a, length in taken))
    hours = Hours.of(Problem(0, 40, (machine,), (), ()), machine)
    runs = {minute for a, b in spans for minute in range(a, b)}
    booked = {minute for a, length in taken for minute in range(a, a + length)}

    def end_of(start):
        for end in range(start + 1, 41):
            inside = set(range(start, end))
            if len(inside & runs) == minutes and start in runs and end - 1 in runs:
                return end if not inside & booked and (splittable or inside <= runs) else None
        return None

    assert hours.end_of(begin, minutes, splittable=splittable) == end_of(begin)
    first = next((start for start in range(begin, 40) if end_of(start) is not None), None)
    assert hours.first_start(begin, minutes, splittable=splittable) == first
    over = next((end for end in range(begin, 41) if len(runs & set(range(begin, end))) == minutes), None)
    assert hours.after(begin, minutes) == over
    assert hours.open_min(begin, 40) == len(runs & set(range(begin, 40)))
    pieces = list(hours.pieces(begin, 50))
    said = {minute: kind for a, b, kind in pieces for minute in range(a, b)}
    assert said == {
        minute: "booked" if minute in booked else "open" if minute in runs else "closed" for minute in range(begin, 50)
    }
