"""The validator finds whatever breaks a rule, by one minute, and nothing in a plan that keeps them."""

from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from production.planning.errors import InfeasiblePlan
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
from production.planning.validate import faults, require

INK = SetupMatrix("INK", (AttributeSetups("ink", other=Setup(10)),))
DAY = ((0, 480), (600, 960))
RED, BLUE = {"ink": "red"}, {"ink": "blue"}


def printer(code="P", **more):
    return Machine(code, **{"open": DAY, "setups": "INK", "state": RED, **more})


def work(id="a", minutes=60, machines=("P",), **more):
    return Operation(id, **{"job": "J", "minutes": dict.fromkeys(machines, minutes), "attributes": RED, **more})


def shop(*operations, machines=(), **more):
    values = {"start": 0, "end": 1440, "machines": machines or (printer(),), "jobs": (Job("J"), Job("K"))}
    return Problem(**{**values, "operations": operations, "setups": {"INK": INK}, **more})


def at(id, start, end, machine="P", *, changeover=None, **more):
    return Assignment(id, machine, start, end, start if changeover is None else changeover, **more)


def codes(problem, *assignments):
    return {fault.code for fault in faults(problem, assignments)}


RUNNING = work(minutes=60, pin=Pin("P", 70))
STEAMER = Machine("S", ((0, 480),), load=10, load_by=("class",), setups="STEAM")
STEAM = {"STEAM": SetupMatrix("STEAM", (AttributeSetups("class", other=Setup(12)),))}


def steamed(id, load=5, kind="A", minutes=30, **more):
    return work(id, minutes, ("S",), load=load, attributes={"class": kind}, **more)


def steamer(*operations, machine=STEAMER):
    return shop(*operations, machines=(machine,), setups=STEAM)


def cloth(id, length="10", roll="", job="J", sku="VELVET"):
    return work(id, 10, job=job, cloth=Cloth(sku, Decimal(length), roll))


ROLLS = (
    Roll("R1", "VELVET", "L1", Decimal(15)),
    Roll("R2", "VELVET", "L1", Decimal(10), ready=50),
    Roll("R3", "VELVET", "L2", Decimal(50)),
    Roll("R4", "TWILL", "L1", Decimal(50)),
)
FROZEN = {"published": (at("a", 100, 160),), "frozen_until": 101}
TWO = (printer("P"), printer("Q"))

# (the rule, a problem, a feasible plan, the same plan with one thing wrong, the code of what is found)
CASES = [
    (
        "everything is planned",
        shop(work("a"), work("b")),
        [at("a", 0, 60), at("b", 60, 120)],
        [at("a", 0, 60)],
        "missing",
    ),
    ("nothing twice", shop(work()), [at("a", 0, 60)], [at("a", 0, 60), at("a", 60, 120)], "twice"),
    ("nothing unknown", shop(work()), [at("a", 0, 60)], [at("a", 0, 60), at("z", 60, 120)], "unknown"),
    ("on one of its machines", shop(work(), machines=TWO), [at("a", 0, 60)], [at("a", 0, 60, "Q")], "machine"),
    ("on a machine that is there", shop(work()), [at("a", 0, 60)], [at("a", 0, 60, "Z")], "machine"),
    ("as long as it takes", shop(work()), [at("a", 0, 60)], [at("a", 0, 61)], "duration"),
    ("not shorter", shop(work()), [at("a", 0, 60)], [at("a", 1, 60)], "duration"),
    ("forwards", shop(work(minutes=1)), [at("a", 5, 6)], [at("a", 6, 6)], "duration"),
    ("in one stretch", shop(work()), [at("a", 420, 480)], [at("a", 421, 481)], "closed"),
    ("from an open minute", shop(work()), [at("a", 600, 660)], [at("a", 599, 659)], "closed"),
    (
        "a splittable one pauses while it is closed",
        shop(work(splittable=True)),
        [at("a", 450, 630)],
        [at("a", 450, 510)],
        "closed",
    ),
    (
        "and works as long as it takes",
        shop(work(splittable=True)),
        [at("a", 450, 630)],
        [at("a", 451, 630)],
        "duration",
    ),
    (
        "it starts in an open minute",
        shop(work(splittable=True)),
        [at("a", 600, 660)],
        [at("a", 599, 660)],
        "closed",
    ),
    (
        "and ends after one",
        shop(work(splittable=True)),
        [at("a", 420, 480)],
        [at("a", 420, 481)],
        "closed",
    ),
    (
        "never across a booking",
        shop(work(), machines=(printer(taken=(Taken(60, 90),)),)),
        [at("a", 90, 150)],
        [at("a", 89, 149)],
        "booked",
    ),
    (
        "nor up to after its begin",
        shop(work(), machines=(printer(taken=(Taken(60, 90), Taken(10, 20))),)),
        [at("a", 90, 150)],
        [at("a", 1, 61)],
        "booked",
    ),
    (
        "not even one that lies in a pause",
        shop(work(splittable=True), machines=(printer(taken=(Taken(500, 510),)),)),
        [at("a", 600, 660)],
        [at("a", 479, 659)],
        "booked",
    ),
    (
        "one after the other",
        shop(work("a"), work("b")),
        [at("a", 0, 60), at("b", 60, 120)],
        [at("a", 0, 60), at("b", 59, 119)],
        "overlap",
    ),
    (
        "also behind a long one",
        shop(work("a", 300), work("b"), work("c")),
        [at("a", 0, 300), at("b", 300, 360), at("c", 360, 420)],
        [at("a", 0, 300), at("b", 10, 70), at("c", 299, 359)],
        "overlap",
    ),
    (
        "the machine is changed over from its state",
        shop(work(attributes=BLUE)),
        [at("a", 10, 70, changeover=0)],
        [at("a", 10, 70, changeover=1)],
        "changeover",
    ),
    (
        "and from what it did before",
        shop(work("a", attributes=BLUE), work("b")),
        [at("a", 10, 70, changeover=0), at("b", 80, 140, changeover=70)],
        [at("a", 10, 70, changeover=0), at("b", 79, 139, changeover=70)],
        "changeover",
    ),
    (
        "which is over by then",
        shop(work("a", attributes=BLUE), work("b")),
        [at("a", 10, 70, changeover=0), at("b", 80, 140, changeover=70)],
        [at("a", 10, 70, changeover=0), at("b", 80, 140, changeover=69)],
        "changeover",
    ),
    (
        "a changeover may be over long before the start",
        shop(work(attributes=BLUE)),
        [at("a", 300, 360, changeover=3)],
        [at("a", 300, 360, changeover=291)],
        "changeover",
    ),
    (
        "a changeover pauses over closed time",
        shop(work(attributes=BLUE)),
        [at("a", 604, 664, changeover=474)],
        [at("a", 604, 664, changeover=475)],
        "changeover",
    ),
    (
        "but begins in an open minute",
        shop(work(attributes=BLUE)),
        [at("a", 610, 670, changeover=600)],
        [at("a", 610, 670, changeover=599)],
        "changeover",
    ),
    (
        "and never across a booking",
        shop(work(attributes=BLUE), machines=(printer(taken=(Taken(480, 490),)),)),
        [at("a", 610, 670, changeover=600)],
        [at("a", 611, 671, changeover=479)],
        "changeover",
    ),
    (
        "what needs none has none",
        shop(work()),
        [at("a", 10, 70)],
        [at("a", 10, 70, changeover=9)],
        "changeover",
    ),
    (
        "a booking of others leaves the state",
        shop(work("a", attributes=BLUE), work("b", attributes=BLUE), machines=(printer(taken=(Taken(70, 90),)),)),
        [at("a", 10, 70, changeover=0), at("b", 90, 150)],
        [at("a", 10, 70, changeover=0), at("b", 100, 160, changeover=90)],
        "changeover",
    ),
    (
        "a changeover ends by the start",
        shop(work(attributes=BLUE)),
        [at("a", 10, 70, changeover=0)],
        [at("a", 10, 70, changeover=11)],
        "changeover",
    ),
    (
        "it begins in the plan",
        shop(work(attributes=BLUE), start=20),
        [at("a", 30, 90, changeover=20)],
        [at("a", 30, 90, changeover=19)],
        "changeover",
    ),
    (
        "overtime only where it is meant",
        shop(work(), machines=(printer(overtime=((480, 540),)),)),
        [at("a", 421, 481, overtime=True)],
        [at("a", 421, 481)],
        "closed",
    ),
    (
        "nor for a changeover",
        shop(work(attributes=BLUE), machines=(printer(overtime=((480, 540),)),)),
        [at("a", 600, 660, changeover=530, overtime=True)],
        [at("a", 600, 660, changeover=530)],
        "changeover",
    ),
    ("not before the plan", shop(work(), start=10), [at("a", 10, 70)], [at("a", 9, 69)], "start"),
    ("not before its release", shop(work(release=30)), [at("a", 30, 90)], [at("a", 29, 89)], "release"),
    (
        "nor before its job's",
        shop(work(release=5), jobs=(Job("J", release=30),)),
        [at("a", 30, 90)],
        [at("a", 29, 89)],
        "release",
    ),
    (
        "after what it comes after, and a gap",
        shop(work("a"), work("b", machines=("Q",), after=(After("a", 30),)), machines=TWO),
        [at("a", 0, 60), at("b", 90, 150, "Q")],
        [at("a", 0, 60), at("b", 89, 149, "Q")],
        "after",
    ),
    ("where it is pinned", shop(work(pin=Pin("P", 30))), [at("a", 30, 90)], [at("a", 31, 91)], "pin"),
    (
        "on the machine it is pinned to",
        shop(work(machines=("P", "Q"), pin=Pin("P")), machines=TWO),
        [at("a", 31, 91)],
        [at("a", 31, 91, "Q")],
        "pin",
    ),
    (
        "what runs already needs what is left of it",
        shop(RUNNING, start=100, machines=(printer(open=((100, 480),)),)),
        [at("a", 70, 130)],
        [at("a", 70, 131)],
        "duration",
    ),
    (
        "and may pause right now",
        shop(replace(RUNNING, splittable=True), start=100, machines=(printer(open=((0, 90), (200, 300))),)),
        [at("a", 70, 230)],
        [at("a", 70, 229)],
        "duration",
    ),
    (
        "its changeover is over, the next one's is not",
        shop(replace(RUNNING, attributes=BLUE), work("b"), start=100),
        [at("a", 70, 130), at("b", 140, 200, changeover=130)],
        [at("a", 70, 130), at("b", 139, 199, changeover=130)],
        "changeover",
    ),
    (
        "a load holds what it holds",
        steamer(steamed("a", 6), steamed("b", 4), machine=replace(STEAMER, state={"class": "A"})),
        [at("a", 0, 30, "S"), at("b", 0, 30, "S")],
        [at("a", 0, 30, "S"), at("b", 1, 31, "S")],
        "overlap",
    ),
    (
        "and no more",
        steamer(steamed("a", 6), steamed("b", 5), machine=replace(STEAMER, state={"class": "A"})),
        [at("a", 0, 30, "S"), at("b", 30, 60, "S")],
        [at("a", 0, 30, "S"), at("b", 0, 30, "S")],
        "load",
    ),
    (
        "of one kind",
        steamer(steamed("a"), steamed("b", kind="B"), machine=replace(STEAMER, state={"class": "A"})),
        [at("a", 0, 30, "S"), at("b", 42, 72, "S", changeover=30)],
        [at("a", 0, 30, "S"), at("b", 0, 30, "S")],
        "load",
    ),
    (
        "as long as its longest",
        steamer(steamed("a"), steamed("b", minutes=31), machine=replace(STEAMER, state={"class": "A"})),
        [at("a", 0, 31, "S"), at("b", 0, 31, "S")],
        [at("a", 0, 30, "S"), at("b", 0, 30, "S")],
        "duration",
    ),
    (
        "and pauses only where all may",
        steamer(
            steamed("a", splittable=True),
            steamed("b", splittable=True),
            machine=replace(STEAMER, open=((0, 20), (40, 480)), state={"class": "A"}),
        ),
        [at("a", 0, 50, "S"), at("b", 0, 50, "S")],
        [at("a", 0, 49, "S"), at("b", 0, 49, "S")],
        "duration",
    ),
    (
        "it is changed over to what its first asks",
        steamer(steamed("a"), steamed("b")),
        [at("a", 12, 42, "S", changeover=0), at("b", 12, 42, "S", changeover=0)],
        [at("a", 12, 42, "S", changeover=1), at("b", 12, 42, "S", changeover=1)],
        "changeover",
    ),
    (
        "all of it in overtime or none",
        steamer(steamed("a"), steamed("b"), machine=replace(STEAMER, overtime=((480, 540),), state={"class": "A"})),
        [at("a", 0, 30, "S", overtime=True), at("b", 0, 30, "S", overtime=True)],
        [at("a", 0, 30, "S"), at("b", 0, 30, "S", overtime=True)],
        "load",
    ),
    ("by the plan's end", shop(work(), end=60), [at("a", 0, 60)], [at("a", 1, 61)], "end"),
    ("what is frozen stays", shop(work(), **FROZEN), [at("a", 100, 160)], [at("a", 101, 161)], "frozen"),
    (
        "on its machine too",
        shop(work(machines=("P", "Q")), machines=TWO, **FROZEN),
        [at("a", 100, 160)],
        [at("a", 100, 160, "Q")],
        "frozen",
    ),
    (
        "what is frozen may be running",
        shop(work(), start=120, **FROZEN),
        [at("a", 100, 160)],
        [at("a", 120, 180)],
        "frozen",
    ),
    (
        "or be changed over to",
        shop(work(attributes=BLUE), start=95, published=(at("a", 100, 160, changeover=90),), frozen_until=101),
        [at("a", 100, 160, changeover=90)],
        [at("a", 100, 160, changeover=89)],
        "changeover",
    ),
    (
        "what is slushy stays on its machine",
        shop(work(machines=("P", "Q")), machines=TWO, published=(at("a", 100, 160),), slushy_until=101),
        [at("a", 0, 60)],
        [at("a", 0, 60, "Q")],
        "slushy",
    ),
    (
        "a length is cut from a roll",
        shop(cloth("a"), rolls=ROLLS),
        [at("a", 0, 10, roll="R1")],
        [at("a", 0, 10)],
        "roll",
    ),
    (
        "of its fabric",
        shop(cloth("a"), rolls=ROLLS),
        [at("a", 0, 10, roll="R1")],
        [at("a", 0, 10, roll="R4")],
        "roll",
    ),
    (
        "that is there",
        shop(cloth("a"), rolls=ROLLS),
        [at("a", 50, 60, roll="R2")],
        [at("a", 49, 59, roll="R2")],
        "roll",
    ),
    (
        "and long enough for all",
        shop(cloth("a"), cloth("b", "5", job="K"), rolls=ROLLS),
        [at("a", 0, 10, roll="R1"), at("b", 10, 20, roll="R1")],
        [at("a", 50, 60, roll="R2"), at("b", 60, 70, roll="R2")],
        "roll",
    ),
    (
        "the one it holds",
        shop(cloth("a", roll="R1"), rolls=ROLLS),
        [at("a", 0, 10, roll="R1")],
        [at("a", 0, 10, roll="R3")],
        "roll",
    ),
    (
        "all of a job from one lot",
        shop(cloth("a"), cloth("b"), cloth("c", job="K"), rolls=ROLLS),
        [at("a", 0, 10, roll="R1"), at("b", 50, 60, roll="R2"), at("c", 10, 20, roll="R3")],
        [at("a", 0, 10, roll="R1"), at("b", 50, 60, roll="R3"), at("c", 10, 20, roll="R3")],
        "lot",
    ),
]


@pytest.mark.parametrize(("rule", "problem", "plan", "wrong", "code"), CASES, ids=[case[0] for case in CASES])
def test_each_rule_is_kept_to_the_minute(rule, problem, plan, wrong, code):
    assert faults(problem, plan) == ()
    assert code in codes(problem, *wrong)


def test_a_fault_names_operation_machine_times_and_limits():
    problem = shop(work(), machines=(printer(taken=(Taken(30, 90),)),))
    [fault] = faults(problem, [at("a", 0, 60)])
    assert (fault.code, fault.operation, fault.machine) == ("booked", "a", "P")
    assert fault.sentence == "P is booked by others from minute 30 to minute 90, while it works on a."


def test_requiring_a_plan_says_the_first_fault_and_how_many_more():
    problem = shop(work("a"), work("b"), work("c"))
    with pytest.raises(InfeasiblePlan, match=r"a is not planned\. \(2 more\)") as error:
        require(problem, [])
    assert error.value.fields["count"] == 3
    assert error.value.fields["faults"][2] == {
        "code": "missing",
        "operation": "c",
        "machine": "",
        "sentence": "c is not planned.",
    }
    require(problem, [at("a", 0, 60), at("b", 60, 120), at("c", 120, 180)])


def test_a_published_place_that_is_no_longer_possible_binds_nothing():
    gone = {"published": (at("a", 100, 160, "OLD"),), "frozen_until": 500, "slushy_until": 500}
    assert faults(shop(work(), **gone), [at("a", 0, 60)]) == ()


def test_what_runs_already_is_held_to_its_machines_time_only_from_now_on():
    def closing(minute, *taken):
        return shop(RUNNING, start=100, machines=(printer(open=((100, minute),), taken=taken),))

    assert faults(closing(130, Taken(80, 100)), [at("a", 70, 130)]) == ()
    assert codes(closing(129), at("a", 70, 130)) == {"closed"}
    assert codes(closing(130, Taken(80, 101)), at("a", 70, 130)) == {"booked"}
    assert faults(shop(RUNNING, start=200), [at("a", 70, 130)]) == ()


def test_a_pin_goes_before_what_is_frozen():
    pinned = shop(work(pin=Pin("P", 200)), **FROZEN)
    assert faults(pinned, [at("a", 200, 260)]) == ()
    assert codes(shop(work(pin=Pin("P")), **FROZEN), at("a", 200, 260)) == {"frozen"}


# ---------------------------------------------------------------------------------------------- for any plan

MACHINES = ("P", "Q")
END = 40


@st.composite
def small_shops(draw):
    """A shop of two machines, one of them with loads at times, over 40 minutes."""

    def machine(code):
        taken = draw(st.lists(st.tuples(st.integers(0, END), st.integers(1, 4)), max_size=1))
        edges = draw(st.sampled_from([(0, END), (0, 12, 15, END), (2, 10, 11, 30, 33, END)]))
        open_ = tuple(zip(edges[::2], edges[1::2], strict=True))
        pauses = tuple((closes, opens) for (_, closes), (opens, _) in pairwise(open_))
        return Machine(
            code,
            open_,
            overtime=pauses if draw(st.booleans()) else (),
            taken=tuple(Taken(a, a + length) for a, length in taken),
            setups="INK",
            state=draw(st.sampled_from([RED, BLUE])),
            load=draw(st.sampled_from([0, 0, 3])),
        )

    def operation(number):
        return Operation(
            f"o{number}",
            "J",
            {code: draw(st.integers(1, 5)) for code in draw(st.sampled_from([("P",), MACHINES]))},
            after=(After(f"o{number - 1}", draw(st.integers(0, 2))),) if number and draw(st.booleans()) else (),
            release=draw(st.sampled_from([None, 4])),
            attributes=draw(st.sampled_from([RED, BLUE])),
            splittable=draw(st.booleans()),
            load=draw(st.integers(1, 2)),
        )

    ink = SetupMatrix("INK", (AttributeSetups("ink", {("red", "blue"): Setup(3)}, other=Setup(2)),))
    return Problem(
        start=draw(st.sampled_from([0, 3])),
        end=END,
        machines=tuple(machine(code) for code in MACHINES),
        jobs=(Job("J"),),
        operations=tuple(operation(number) for number in range(draw(st.integers(1, 4)))),
        setups={"INK": ink},
    )


def keeps_the_rules(problem, plan):
    """The same rules by sets of minutes. Slow, and plainly right."""
    operations = {one.id: one for one in problem.operations}
    by_id = {one.operation: one for one in plan}
    if sorted(by_id) != sorted(operations) or len(plan) != len(by_id):
        return False
    for machine in problem.machines:
        row = [one for one in plan if one.machine == machine.code]
        loads = {}
        for one in sorted(row, key=lambda one: (one.start, [*operations].index(one.operation))):
            key = (one.start, one.end) if machine.load else one.operation
            loads.setdefault(key, []).append(one)
        state, done = machine.state, set()
        booked = {minute for one in machine.taken for minute in range(one.start, one.end)}
        for load in loads.values():
            first, held = load[0], [operations[one.operation] for one in load]
            runs = {minute for a, b in machine.open for minute in range(a, b)}
            if first.overtime:
                runs |= {minute for a, b in machine.overtime for minute in range(a, b)}
            span, needed = range(first.start, first.end), max(one.minutes.get(machine.code, 999) for one in held)
            before = range(first.changeover, first.start)
            takes = problem.setups["INK"].between(state, held[0].attributes).minutes
            good = [
                not machine.load or sum(one.load for one in held) <= machine.load,
                len(span) > 0,
                first.start in runs and first.end - 1 in runs,
                len(runs & set(span)) == needed,
                all(one.splittable for one in held) or runs >= set(span),
                not (set(span) | set(before)) & (booked | done),
                (len(before) == 0) == (takes == 0) and first.changeover <= first.start,
                len(runs & set(before)) >= takes,
                takes == 0 or first.changeover in runs,
                first.changeover >= problem.start,
                all(one.overtime == first.overtime and one.changeover >= first.changeover for one in load),
                all(one.changeover <= one.start for one in load),
            ]
            if not all(good):
                return False
            done |= set(span)
            state = held[0].attributes
    for one in plan:
        operation = operations[one.operation]
        if one.machine not in operation.minutes or one.end > problem.end:
            return False
        if one.start < max(problem.start, operation.release or 0):
            return False
        if any(one.start < by_id[before.operation].end + before.gap_min for before in operation.after):
            return False
    return True


def placed(problem, draw):
    """A plan that is feasible as far as it goes: each operation tried minute by minute, on a machine that is drawn."""
    plan = []
    for number, operation in enumerate(problem.operations, 1):
        until = replace(problem, operations=problem.operations[:number])
        machine = draw(st.sampled_from(sorted(operation.minutes)))
        overtime, length = draw(st.booleans()), operation.minutes[machine]
        tries = (
            Assignment(operation.id, machine, start, end, changeover, overtime)
            for start in range(draw(st.integers(0, 20)), END)
            for end in range(start + length, min(start + length + 8, END + 1))
            for changeover in (start, start - 2, start - 3, start - 5)
        )
        plan.append(next((one for one in tries if keeps_the_rules(until, [*plan, one])), at(operation.id, 0, 1)))
    return plan


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_it_judges_as_counting_minute_by_minute_does(data):
    """Plans that are feasible or nearly so: a field of one operation is moved by a minute or two."""
    problem = data.draw(small_shops())
    plan = placed(problem, data.draw)
    assert (faults(problem, plan) == ()) == keeps_the_rules(problem, plan)
    for _ in range(6):
        at_, field = (
            data.draw(st.integers(0, len(plan) - 1)),
            data.draw(st.sampled_from(["start", "end", "changeover"])),
        )
        by = data.draw(st.sampled_from([-2, -1, 1, 2]))
        one = plan[at_]
        moved = replace(one, **{field: getattr(one, field) + by})
        other = replace(one, start=one.start + by, end=one.end + by, changeover=one.changeover + by)
        flipped = replace(one, overtime=not one.overtime, machine=data.draw(st.sampled_from(MACHINES)))
        for changed in (moved, other, flipped):
            mutated = [*plan[:at_], changed, *plan[at_ + 1 :]]
            assert (faults(problem, mutated) == ()) == keeps_the_rules(problem, mutated), mutated
