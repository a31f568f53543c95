"""The difference of two plans says what moves, what is late now, and what it saves, in a planner's sentence."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from production.planning.comparing import Lateness, Move, compare
from production.planning.plan import Plan, figures_of
from production.planning.problem import (
    Assignment,
    AttributeSetups,
    Job,
    Machine,
    Operation,
    Problem,
    Setup,
    SetupMatrix,
)

INK = SetupMatrix("INK", (AttributeSetups("ink", other=Setup(10)),))
MACHINES = tuple(Machine(code, ((0, 5000),), setups="INK", state={"ink": "red"}) for code in ("P", "Q"))


def work(id, ink="red", minutes=60, job=None):
    return Operation(id, job or id, {"P": minutes, "Q": minutes}, attributes={"ink": ink})


def shop(*operations, due=300):
    jobs = tuple(Job(job, due=due) for job in dict.fromkeys(one.job for one in operations))
    return Problem(0, 5000, MACHINES, jobs, operations, setups={"INK": INK})


def at(id, start, machine="P", minutes=60, changeover=None):
    return Assignment(id, machine, start, start + minutes, start if changeover is None else changeover)


THREE = shop(work("a"), work("b", "blue"), work("c"))
APART = [at("a", 0), at("b", 70, changeover=60), at("c", 140, changeover=130)]
TOGETHER = [at("a", 0), at("c", 60), at("b", 130, changeover=120)]


def test_what_moves_is_listed_with_its_machines_and_minutes_the_largest_first():
    difference = compare(THREE, APART, TOGETHER)
    assert difference.moves == (Move("c", "c", "P", "P", -80, True), Move("b", "b", "P", "P", 60, True))
    assert difference.changeover_min == -10
    assert difference.sentence == "2 operations move, 10 minutes less changeover."


def test_what_moves_within_the_tolerance_is_listed_and_has_not_moved():
    by_30 = compare(THREE, APART, [at("a", 0), at("b", 100, changeover=60), at("c", 170, changeover=160)])
    assert [(one.by_min, one.moved) for one in by_30.moves] == [(30, False), (30, False)]
    assert by_30.moved == ()
    assert by_30.sentence == "Nothing changes."
    by_31 = compare(THREE, APART, [*APART[:2], at("c", 171, changeover=160)])
    assert by_31.sentence == "1 operation moves."


def test_another_machine_is_a_move_at_the_same_time():
    difference = compare(THREE, APART, [at("a", 0, "Q"), *APART[1:]])
    assert difference.moves == (Move("a", "a", "P", "Q", 0, True),)


def test_orders_that_become_late_are_named_with_how_late_they_are():
    late = [*APART[:2], at("c", 301, changeover=130)]
    difference = compare(THREE, APART, late)
    assert difference.newly_late == (Lateness("c", -100, 61),)
    assert difference.sentence == "1 operation moves, 1 order newly late (c, 1 h 1 min)."
    back = compare(THREE, late, APART)
    assert back.newly_late == ()
    assert back.no_longer_late == (Lateness("c", 61, -100),)
    assert back.sentence == "1 operation moves, 1 order no longer late."


def test_an_order_is_on_time_up_to_its_due_minute():
    assert compare(THREE, APART, [*APART[:2], at("c", 240, changeover=130)]).newly_late == ()
    assert compare(THREE, APART, [*APART[:2], at("c", 241, changeover=130)]).newly_late == (Lateness("c", -100, 1),)


def test_no_more_than_three_late_orders_are_named():
    five = shop(*(work(id) for id in "abcde"), due=60)
    before = [at(id, 0, "P" if id == "a" else "Q") for id in "abcde"]
    after = [at("a", 0), *(at(id, 60 * number) for number, id in enumerate("bcde", 1))]
    assert "4 orders newly late (e, 4 h, d, 3 h, c, 2 h and 1 more)" in compare(five, before, after).sentence


def test_what_is_new_and_what_is_gone_is_said():
    older = [at("z", 0), *APART[1:]]
    difference = compare(THREE, older, APART)
    assert (difference.new, difference.gone) == (("a",), ("z",))
    assert difference.sentence.startswith("1 operation new, 1 operation gone")


def test_a_new_order_that_is_late_is_newly_late():
    assert compare(shop(work("a"), due=30), [], [at("a", 0)]).newly_late == (Lateness("a", 0, 30),)


def test_what_stood_on_a_machine_that_is_gone_has_moved():
    difference = compare(THREE, [at("a", 0, "OLD"), *APART[1:]], APART)
    assert difference.moves == (Move("a", "a", "OLD", "P", 0, True),)
    assert difference.before.changeover_min == 20


def test_plans_and_assignments_compare_alike_and_figures_are_the_problems_own():
    plans = [Plan(tuple(each), figures_of(THREE, each)) for each in (APART, TOGETHER)]
    difference = compare(THREE, *plans)
    assert difference == compare(THREE, APART, TOGETHER)
    assert (difference.before, difference.after) == (plans[0].figures, plans[1].figures)


@given(st.lists(st.tuples(st.integers(0, 4000), st.sampled_from("PQ")), min_size=6, max_size=6))
def test_there_and_back_mirror_each_other(places):
    problem = replace(THREE, tolerance_min=100)
    before, after = (
        [at(id, start, machine) for id, (start, machine) in zip("abc", half, strict=True)]
        for half in (places[:3], places[3:])
    )
    there, back = compare(problem, before, after), compare(problem, after, before)
    assert {one.job for one in there.newly_late} == {one.job for one in back.no_longer_late}
    assert {(one.operation, one.by_min, one.moved) for one in there.moves} == {
        (one.operation, -one.by_min, one.moved) for one in back.moves
    }
    assert len(there.moved) == figures_of(replace(problem, published=tuple(before)), after).moved
    assert compare(problem, before, before).sentence == "Nothing changes."
