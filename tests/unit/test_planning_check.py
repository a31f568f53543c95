"""A problem that no plan can mend is refused, with all that is wrong with it, by name."""

import time
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from production.planning.check import check
from production.planning.errors import InvalidProblem
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
    Weights,
)
from production.planning.validate import faults

INK = SetupMatrix("INK", (AttributeSetups("ink", {("red", "blue"): Setup(40)}, other=Setup(10)),))
DAY = ((0, 480), (600, 960))
NAN, INFINITE = float("nan"), float("inf")
RED, BLUE, GREEN = {"ink": "red"}, {"ink": "blue"}, {"ink": "green"}


def printer(code="P", **more):
    return Machine(code, **{"open": DAY, "setups": "INK", "state": RED, **more})


def work(id="a", minutes=60, machines=("P",), **more):
    return Operation(id, **{"job": "J", "minutes": dict.fromkeys(machines, minutes), "attributes": RED, **more})


def shop(*operations, machines=(), **more):
    values = {"start": 0, "end": 1440, "machines": machines or (printer(),), "jobs": (Job("J"),)}
    return Problem(**{**values, "operations": operations, "setups": {"INK": INK}, **more})


def wrong_with(problem):
    """The sentences of all that is wrong."""
    try:
        check(problem)
    except InvalidProblem as error:
        return [one["sentence"] for one in error.fields["problems"]]
    return []


def inks(**more):
    return shop(work(), setups={"INK": SetupMatrix("INK", (AttributeSetups("ink", **more),))})


STEAMER = Machine("S", ((0, 480),), load=10, load_by=("class",))


def steamed(id="a", load=5, kind="A", **more):
    return work(id, 30, ("S",), load=load, attributes={"class": kind}, **more)


CASES = [
    (shop(work(machines=("P", "Z"))), "Operation a can be done on Z, which is not in the problem"),
    (shop(work(job="X")), "Operation a belongs to the job X, which is not in the problem"),
    (shop(work(after=(After("b"),))), "Operation a comes after b, which is not in the problem"),
    (shop(work(machines=())), "Operation a has no machine that can do it"),
    (shop(work(), work()), "The operation a is there twice"),
    (shop(work(), jobs=(Job("J"), Job("J"))), "The job J is there twice"),
    (shop(work(), machines=(printer(), printer())), "The machine P is there twice"),
    (shop(work(), rolls=(Roll("R", "V", "L", Decimal(1)),) * 2), "The roll R is there twice"),
    (shop(work(after=(After("a"),))), "Operation a comes after itself: a → a."),
    *[
        (shop(work(minutes=bad)), f"Operation a takes {bad} min on P")
        for bad in (0, -1, NAN, INFINITE, 1.5, "9", True, 10**10)
    ],
    (shop(work("b"), work(after=(After("b", -1),))), "Operation a waits -1 min after b"),
    (shop(work("b"), work(after=(After("b", NAN),))), "Operation a waits nan min after b"),
    (shop(work(release=NAN)), "Operation a is released at nan"),
    (shop(work(), jobs=(Job("J", due=INFINITE),)), "The due date of job J is inf"),
    (shop(work(), jobs=(Job("J", release=1.5),)), "The release date of job J is 1.5"),
    *[
        (shop(work(), jobs=(Job("J", weight=bad),)), f"The weight of job J is {bad}")
        for bad in (-1, NAN, INFINITE, "1")
    ],
    (shop(work(), weights=Weights(moved=-1)), "The weight moved is -1"),
    (shop(work(), weights=Weights(money=NAN)), "The weight money is nan"),
    (shop(work(), start=10, end=10), "The plan runs from 10 to 10"),
    (shop(work(), frozen_until=NAN), "frozen_until is nan"),
    (shop(work(), tolerance_min=-1), "tolerance_min is -1"),
    (shop(work(), tz="Mars/Base"), "The time zone 'Mars/Base' is not known"),
    (shop(work(), machines=(printer(open=((0, 480), (470, 900))),)), "0 to 480 and 470 to 900 of P overlap"),
    (shop(work(), machines=(printer(open=((600, 960), (0, 480))),)), "are out of order"),
    (shop(work(), machines=(printer(open=((9, 9),)),)), "The open time 9 to 9 of P is none"),
    (shop(work(), machines=(printer(open=((0, NAN),)),)), "The open time 0 to nan of P is none"),
    (
        shop(work(), machines=(printer(overtime=((479, 500),)),)),
        "The overtime 479 to 500 of P overlaps its open time 0",
    ),
    (
        shop(work(), machines=(printer(overtime=((480, 601),)),)),
        "The overtime 480 to 601 of P overlaps its open time 600",
    ),
    (shop(work(), machines=(printer(taken=(Taken(9, 8),)),)), "P is booked 9 to 8"),
    (shop(work(), machines=(printer(setups="WARP"),)), "P is changed over by the setups WARP, which are not in"),
    (shop(work(), machines=(printer(load=-1),)), "A load of P is -1"),
    (inks(other=Setup(-1)), "The setups INK take -1 min and cost 0 from ink any other"),
    (inks(same=Setup(0, Decimal("-0.5"))), "cost -0.5 from ink the same"),
    (inks(pairs={("red", "blue"): Setup(NAN)}), "take nan min and cost 0 from ink red to blue"),
    (inks(other=Setup(1, Decimal("sNaN"))), "cost sNaN"),
    (
        shop(work(), setups={"INK": replace(INK, combine="mean")}),
        "The setups INK are combined by 'mean': write sum or max",
    ),
    (shop(work(), setups={"INK": replace(INK, attributes=INK.attributes * 2)}), "name the attribute ink twice"),
    (shop(work(attributes={"fabric": "V"})), "Operation a doesn't say its ink, by which P is changed over"),
    (shop(replace(steamed(), attributes={}), machines=(STEAMER,)), "Operation a doesn't say its class, by which S"),
    (shop(steamed(load=11), machines=(STEAMER,)), "Operation a takes 11 of a load, but S holds 10"),
    (shop(steamed(load=0), machines=(STEAMER,)), "Operation a doesn't say how much of a load of S it takes"),
    (shop(steamed(load=-2), machines=(STEAMER,)), "Operation a takes -2 of a load"),
    (shop(work(cloth=Cloth("V", Decimal(0)))), "Operation a is cut from 0 m"),
    (shop(work(cloth=Cloth("V", Decimal("NaN")))), "Operation a is cut from NaN m"),
    (
        shop(work(cloth=Cloth("V", Decimal(1), "X")), rolls=(Roll("R", "V", "L", Decimal(1)),)),
        "the roll X, which is not",
    ),
    (
        shop(work(cloth=Cloth("V", Decimal(1), "R")), rolls=(Roll("R", "W", "L", Decimal(1)),)),
        "needs V, but its roll R is W",
    ),
    (shop(work(), rolls=(Roll("R", "V", "L", Decimal(-1)),)), "The roll R is -1 m long"),
    (shop(work(), rolls=(Roll("R", "V", "L", Decimal(1), NAN),)), "The roll R is there from nan"),
    (shop(work(), published=(Assignment("a", "P", 0, 60, 0),) * 2), "Operation a is published twice"),
    (shop(work(), published=(Assignment("a", "P", NAN, 60, 0),)), "Operation a is published from nan to 60"),
    (
        shop(work(), machines=(printer(open=()),)),
        "Operation a can't be done: P never opens free of bookings before minute 1440",
    ),
    (shop(work(), machines=(printer(open=((1440, 2000),)),)), "P never opens"),
    (shop(work(), machines=(printer(taken=(Taken(0, 1440),)),)), "P never opens free of bookings"),
    (shop(work(minutes=481)), "Operation a takes 8 h 1 min without a pause, but P has no more than 8 h at a stretch"),
    (shop(work(minutes=841, splittable=True)), "Operation a takes 14 h 1 min, but P has no more than 14 h"),
    (
        shop(work(minutes=471), machines=(printer(taken=(Taken(470, 500),)),)),
        "has no more than 7 h 50 min at a stretch",
    ),
    (
        shop(work(minutes=300, splittable=True), machines=(printer(open=((0, 480),), taken=(Taken(240, 260),)),)),
        "has no more than 4 h at a stretch",
    ),
    (shop(work(pin=Pin("Z"))), "Operation a is pinned to Z, which is not in the problem"),
    (
        shop(work(pin=Pin("Q")), machines=(printer(), printer("Q"))),
        "Operation a is pinned to Q, which can't do it: pin it to P",
    ),
    (shop(work(pin=Pin("P", NAN))), "Operation a is pinned to nan"),
    (
        shop(work(pin=Pin("P", 480))),
        "Operation a is pinned to P minute 480, where the machine is closed; it opens minute 600",
    ),
    (shop(work(pin=Pin("P", 421))), "has no 1 h for it, as it closes minute 480"),
    (
        shop(
            work(
                pin=Pin(
                    "P",
                    959,
                ),
                splittable=True,
            )
        ),
        "has no 1 h for it, as the plan ends",
    ),
    (shop(work(pin=Pin("P", 2000))), "is not planned: the plan ends minute 1440"),
    (shop(work(pin=Pin("P", 1000))), "it doesn't open again"),
    (
        shop(work(pin=Pin("P", 50)), machines=(printer(taken=(Taken(40, 60),)),)),
        "is booked by others until minute 60",
    ),
    (shop(work(pin=Pin("P", 50)), machines=(printer(taken=(Taken(109, 120),)),)), "as others have it from minute 109"),
    (shop(work(pin=Pin("P", 50), release=51)), "but it is released minute 51: pin it to minute 51 or later"),
    (shop(work(pin=Pin("P", 50)), jobs=(Job("J", release=51),)), "but it is released minute 51"),
    (
        shop(work("b", 30), work(pin=Pin("P", 30), after=(After("b", 1),))),
        "a is pinned to P minute 30, but b ends minute 30 at best and 1 min have to pass",
    ),
    (
        shop(
            work("b", pin=Pin("P", 10)),
            work(machines=("P", "Q"), pin=Pin("Q", 69), after=(After("b"),)),
            machines=(printer(), printer("Q")),
        ),
        "but b ends minute 70 at best",
    ),
    (
        shop(work("b", pin=Pin("P", 10)), work(pin=Pin("P", 69))),
        "Operation a is pinned to P minute 69, where b is pinned until minute 70",
    ),
    (
        shop(work(pin=Pin("P", 39), attributes=BLUE)),
        "the changeover from what it is set for takes 40 min and there are 39 min: pin it later",
    ),
    (
        shop(work("b", pin=Pin("P", 0)), work(pin=Pin("P", 69), attributes=GREEN)),
        "the changeover from b takes 10 min and there are 9 min",
    ),
    (
        shop(work(pin=Pin("P", 60), attributes=GREEN), machines=(printer(taken=(Taken(30, 51),)),)),
        "takes 10 min and there are 9 min",
    ),
    (
        shop(steamed("b", 6, pin=Pin("S", 30)), steamed(pin=Pin("S", 30)), machines=(STEAMER,)),
        "into a load of 11, but S holds 10",
    ),
    (
        shop(steamed("b", kind="B", pin=Pin("S", 30)), steamed(pin=Pin("S", 30)), machines=(STEAMER,)),
        "into one load with b, but they differ in class",
    ),
]


@pytest.mark.parametrize(("problem", "sentence"), CASES, ids=[sentence for _, sentence in CASES])
def test_what_is_wrong_is_said(problem, sentence):
    assert any(sentence in one for one in wrong_with(problem)), wrong_with(problem)
    assert len(wrong_with(problem)) == 1


PASSED = {
    "an ordinary shop": shop(work("b"), work(after=(After("b", 30),))),
    "a pin that just fits": shop(work(pin=Pin("P", 420))),
    "a pin just released": shop(work(pin=Pin("P", 50), release=50)),
    "pins that touch": shop(work("b", pin=Pin("P", 10)), work(pin=Pin("P", 70))),
    "a changeover that just fits": shop(work(pin=Pin("P", 40), attributes=BLUE)),
    "a changeover over a pause": shop(
        work(pin=Pin("P", 601), attributes=BLUE), machines=(printer(open=((441, 480), (600, 960))),)
    ),
    "a pin in overtime": shop(work(pin=Pin("P", 480)), machines=(printer(overtime=((480, 540),)),)),
    "a splittable pin over a pause": shop(work(minutes=400, pin=Pin("P", 400), splittable=True)),
    "a running one": shop(
        work(pin=Pin("P", 70)), start=100, machines=(printer(open=((100, 130),), taken=(Taken(0, 100),)),)
    ),
    "a running one that pauses": shop(work(pin=Pin("P", 470), splittable=True), start=500),
    "a running one that is over": shop(work(pin=Pin("P", 70)), start=500),
    "two pins into one load": shop(steamed("b", pin=Pin("S", 30)), steamed(pin=Pin("S", 30)), machines=(STEAMER,)),
    "a published one that is gone": shop(work(), published=(Assignment("z", "P", NAN, 60, 0),) * 2),
    "a running one, published": shop(
        work(minutes=470), start=460, published=(Assignment("a", "P", 0, 470, 0),), frozen_until=470
    ),
    "after one that runs, published": shop(
        work("b", 470),
        work(minutes=9, machines=("Q",), pin=Pin("Q", 470), after=(After("b"),)),
        machines=(printer(), printer("Q")),
        start=460,
        published=(Assignment("b", "P", 0, 470, 0),),
        frozen_until=470,
    ),
    "a changeover that is shorter by way of another": shop(
        work("b", 5, attributes=GREEN), work(pin=Pin("P", 30), attributes=BLUE)
    ),
}


@pytest.mark.parametrize("problem", PASSED.values(), ids=PASSED.keys())
def test_what_can_be_planned_passes(problem):
    check(problem)


def test_a_way_round_that_takes_too_long_itself_is_no_way():
    assert "40 min" in wrong_with(shop(work("b", 21, attributes=GREEN), work(pin=Pin("P", 40 - 1), attributes=BLUE)))[0]


def test_all_that_is_wrong_is_said_at_once_and_the_first_in_the_message():
    problem = shop(work("a", -1, job="X"), work("b", pin=Pin("P", 480)), work("c", machines=("Z",)))
    with pytest.raises(InvalidProblem, match=r"^Operation a belongs to the job X.* \(3 more\)$") as error:
        check(problem)
    assert error.value.fields["count"] == 4
    assert [one["operation"] for one in error.value.fields["problems"]] == ["a", "a", "c", "b"]
    assert error.value.fields["problems"][3]["machine"] == "P"


def test_a_circle_is_named_in_the_order_of_work_and_once():
    circle = [work("a", after=(After("c"),)), work("b", after=(After("a"),)), work("c", after=(After("b"),))]
    behind = [work("d", after=(After("c"),)), work("e", after=(After("d"), After("f"))), work("f")]
    [sentence] = wrong_with(shop(*circle, *behind))
    assert "a → b → c → a" in sentence
    two = [work("x", after=(After("y"),)), work("y", after=(After("x"),))]
    assert len(wrong_with(shop(*circle, *behind, *two))) == 2


def test_times_are_said_in_the_clock_of_those_who_read_them():
    thursday = 29_929_260
    machine = printer(open=((thursday, thursday + 480),))
    problem = shop(work(pin=Pin("P", thursday + 480)), machines=(machine,), start=thursday, end=thursday + 1440)
    assert "pinned to P Fri 14:00" in wrong_with(replace(problem, tz="Europe/Paris"))[0]


def test_an_error_carries_a_hundred_faults_and_counts_the_rest():
    with pytest.raises(InvalidProblem) as error:
        check(shop(*(work(str(number), -1) for number in range(300))))
    assert (len(error.value.fields["problems"]), error.value.fields["count"]) == (100, 300)


@pytest.mark.alone
def test_a_thousand_operations_are_checked_well_within_50_ms():
    machines = tuple(printer(f"P{n}", open=tuple((d * 1440, d * 1440 + 960) for d in range(30))) for n in range(20))
    operations = tuple(
        work(str(n), 30, [f"P{n % 20}", f"P{n * 7 % 20}"], after=(After(str(n - 1)),) if n % 4 else ())
        for n in range(1000)
    )
    problem = shop(*operations, machines=machines, end=30 * 1440)
    took = []
    for _ in range(5):
        began = time.perf_counter()
        check(problem)
        took.append(time.perf_counter() - began)
    assert min(took) < 0.05


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_what_has_a_plan_is_never_refused(data):
    """Pins are read off a plan that the validator passes: they can hold."""
    colour = st.sampled_from([RED, BLUE, GREEN])
    machine = printer(open=((0, 100), (120, 300)), overtime=((100, 110),), taken=(Taken(60, 70), Taken(200, 205)))
    operations, plan, state, at = [], [], RED, 0
    for number in range(data.draw(st.integers(1, 4))):
        attributes, minutes = data.draw(colour), data.draw(st.integers(1, 40))
        one = work(f"o{number}", minutes, attributes=attributes, splittable=data.draw(st.booleans()))
        trial = shop(*operations, one, machines=(machine,))
        tries = (
            Assignment(one.id, "P", start, end, changeover, overtime)
            for start in range(at + data.draw(st.integers(0, 20)), 300)
            for end in {start + minutes, start + minutes + 20, start + minutes + 10}
            for takes in {INK.between(state, attributes).minutes}
            for changeover in ({start - takes, start - takes - 20, start - takes - 10} if takes else {start})
            for overtime in (False, True)
        )
        found = next((a for a in tries if not faults(trial, [*plan, a])), None)
        if found is None:
            break
        operations, plan, state, at = [*operations, one], [*plan, found], attributes, found.end
    pinned = [
        replace(one, pin=Pin("P", a.start)) if data.draw(st.booleans()) else one
        for one, a in zip(operations, plan, strict=True)
    ]
    check(shop(*pinned, machines=(machine,)))
