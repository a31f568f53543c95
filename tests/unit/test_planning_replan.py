"""After an event: what can stay stays, what can't goes where it costs least, and nothing is applied."""

import random
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from production.planning import replan as module
from production.planning.check import check
from production.planning.errors import InvalidChange, NoSlot, UnknownOperation
from production.planning.insertion import gaps_of, insert, inserted, with_job
from production.planning.plan import figures_of
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
    Weights,
)
from production.planning.replan import (
    breakdown,
    continued,
    earliest_if_resequenced,
    late_delivery,
    others_booked,
    re_assigned,
    replan,
    right_shift,
    rush,
    touched,
)
from production.planning.rules import first_plan
from production.planning.validate import faults
from tests.benchmarks.planning_instances import textile

EFFORT = (3000,)
ALWAYS = ((0, 10_000),)


def shop(*operations, machines=("PRT1", "PRT2"), **more):
    jobs = tuple(Job(id, due=2000) for id in dict.fromkeys(one.job for one in operations))
    return Problem(0, 10_000, tuple(Machine(code, ALWAYS) for code in machines), jobs, tuple(operations), **more)


def printed(id, minutes=100, *machines, **more):
    return Operation(id, f"J{id}", dict.fromkeys(machines or ("PRT1",), minutes), **more)


def at(id, start, end, machine="PRT1", **more):
    return Assignment(id, machine, start, end, start, **more)


def published(*assignments, operations=None, **more):
    operations = operations or [printed(one.operation, one.end - one.start) for one in assignments]
    return shop(*operations, published=assignments, **more)


def starts(assignments):
    return {one.operation: (one.machine, one.start) for one in assignments}


# ---------------------------------------------------------------------------------------------- events


def test_a_breakdown_closes_the_machine_and_leaves_the_others_open():
    problem = breakdown(shop(printed("A")), "PRT1", 50, 80)
    assert problem.machines[0].open == ((0, 50), (80, 10_000))
    assert problem.machines[1].open == ALWAYS


def test_what_runs_at_the_breakdown_starts_again_wherever_it_likes():
    problem = published(at("A", -30, 70), operations=[printed("A", pin=Pin("PRT1", -30))])
    after = breakdown(problem, "PRT1", 0, 60)
    assert after.operations[0].pin is None
    assert after.published == ()
    assert starts(right_shift(after, problem.published)) == {"A": ("PRT1", 60)}
    check(after)


def test_what_is_splittable_goes_on_with_what_is_left():
    woven = printed("A", pin=Pin("PRT1", -30), splittable=True)
    problem = published(at("A", -30, 70), operations=[woven])
    soon = breakdown(problem, "PRT1", 20, 60)
    assert soon.operations == (woven,)
    assert right_shift(soon, problem.published) == (at("A", -30, 110),)
    assert not faults(soon, right_shift(soon, problem.published))
    since = breakdown(problem, "PRT1", -10, 60)  # it stood still before anybody said so
    assert right_shift(since, problem.published) == (at("A", -30, 140),)
    assert not faults(since, right_shift(since, problem.published))


def test_what_ran_out_before_the_breakdown_is_left_alone():
    problem = published(at("A", -30, 40), operations=[printed("A", 70, pin=Pin("PRT1", -30))])
    assert breakdown(problem, "PRT1", 40, 60).operations == problem.operations


def test_only_what_the_event_makes_impossible_is_set_free():
    frozen = published(at("A", 0, 50), at("B", 50, 100), at("C", 100, 150), frozen_until=400)
    after = breakdown(frozen, "PRT1", 60, 90)
    assert [one.operation for one in after.published] == ["A", "C"]
    assert starts(right_shift(after, frozen.published)) == {"A": ("PRT1", 0), "C": ("PRT1", 100), "B": ("PRT1", 150)}


def test_what_comes_after_a_frozen_one_that_can_not_stay_is_set_free_too():
    operations = [printed("A", 50), Operation("B", "JA", {"PRT2": 50}, after=(After("A"),))]
    frozen = published(at("A", 0, 50), at("B", 60, 110, "PRT2"), operations=operations, frozen_until=400)
    after = breakdown(frozen, "PRT1", 0, 30)
    assert after.published == ()
    assert starts(right_shift(after, frozen.published)) == {"A": ("PRT1", 30), "B": ("PRT2", 80)}


def test_a_planners_pin_keeps_its_machine_when_its_start_is_gone():
    problem = published(at("A", 100, 200), operations=[printed("A", 100, "PRT1", "PRT2", pin=Pin("PRT1", 100))])
    after = breakdown(problem, "PRT1", 150, 400)
    assert after.operations[0].pin == Pin("PRT1")
    assert starts(right_shift(after, problem.published)) == {"A": ("PRT1", 400)}


def test_what_is_slushy_and_hit_may_leave_its_machine():
    operations = [printed("A", 100, "PRT1", "PRT2"), printed("B", 100, "PRT1", "PRT2")]
    slushy = published(at("A", 0, 100), at("B", 100, 200), operations=operations, slushy_until=1000)
    after = breakdown(slushy, "PRT1", 0, 100)
    assert [one.operation for one in after.published] == ["B"]
    assert starts(re_assigned(after, slushy.published)) == {"A": ("PRT2", 0), "B": ("PRT1", 100)}


def test_others_book_the_machine_and_what_stood_there_makes_way():
    problem = published(at("A", 0, 100), at("B", 100, 200))
    after = others_booked(problem, "PRT1", (50, 120), what="SO-9")
    assert after.machines[0].taken[0].what == "SO-9"
    assert starts(right_shift(after, problem.published)) == {"A": ("PRT1", 120), "B": ("PRT1", 220)}


def test_a_late_delivery_delays_what_needs_it_and_no_other_release_is_lowered():
    problem = published(at("A", 0, 100), at("B", 100, 200), operations=[printed("A"), printed("B", release=500)])
    after = late_delivery(problem, ["A", "B"], 300)
    assert [one.release for one in after.operations] == [300, 500]


def test_a_pinned_operation_whose_cloth_is_late_is_set_free():
    problem = published(at("A", 100, 200), operations=[printed("A", pin=Pin("PRT1", 100))])
    assert late_delivery(problem, ["A"], 150).operations[0].pin == Pin("PRT1")


@pytest.mark.parametrize(
    ("event", "named"),
    [
        (lambda problem: breakdown(problem, "PRT9", 0, 10), "There is no machine PRT9: name one of PRT1, PRT2"),
        (lambda problem: breakdown(problem, "PRT1", 10, 10), "From 10 to 10 is no time"),
        (lambda problem: others_booked(problem, "PRT9", (0, 10)), "PRT9"),
        (lambda problem: late_delivery(problem, ["Z"], 10), "There is no operation Z"),
    ],
)
def test_an_event_that_means_nothing_is_refused_by_name(event, named):
    with pytest.raises((InvalidChange, UnknownOperation), match=named):
        event(shop(printed("A")))


# ---------------------------------------------------------------------------------------------- right-shift


def test_right_shift_keeps_machines_and_order_and_starts_nothing_earlier():
    problem = published(at("A", 0, 100), at("B", 300, 400), at("C", 400, 500), at("D", 600, 700))
    after = breakdown(problem, "PRT1", 0, 250)
    assert starts(right_shift(after, problem.published)) == {
        "A": ("PRT1", 250),
        "B": ("PRT1", 350),
        "C": ("PRT1", 450),
        "D": ("PRT1", 600),
    }


def test_right_shift_moves_a_load_as_one():
    steamer = Machine("STEAM", ((0, 10_000),), load=100, load_by=())
    operations = tuple(Operation(id, f"J{id}", {"STEAM": minutes}, load=40) for id, minutes in (("A", 20), ("B", 30)))
    stood = tuple(Assignment(one.id, "STEAM", 100, 130, 100) for one in operations)
    jobs = tuple(Job(one.job) for one in operations)
    problem = Problem(0, 10_000, (steamer,), jobs, operations, published=stood)
    after = late_delivery(problem, ["B"], 200)
    moved = right_shift(after, stood)
    assert starts(moved) == {"A": ("STEAM", 200), "B": ("STEAM", 200)}
    assert not faults(after, moved)
    assert starts(re_assigned(after, stood)) == {"A": ("STEAM", 100), "B": ("STEAM", 200)}


def test_a_rush_order_goes_first_in_right_shift_and_into_a_gap_in_re_assignment():
    problem = published(at("A", 0, 100), at("B", 100, 200), at("C", 230, 330))
    rushed = rush(problem, Job("JR", due=50, weight=10), [printed("R", 50)])
    rushed = replace(
        rushed, operations=tuple(replace(one, job="JR") if one.id == "R" else one for one in rushed.operations)
    )
    assert starts(right_shift(rushed, problem.published)) == {
        "R": ("PRT1", 0),
        "A": ("PRT1", 50),
        "B": ("PRT1", 150),
        "C": ("PRT1", 250),
    }
    assert starts(re_assigned(rushed, problem.published))["R"] in {("PRT1", 330), ("PRT1", 0)}


def test_nothing_new_starts_in_the_frozen_zone():
    problem = published(at("A", 0, 100), frozen_until=300)
    rushed = rush(problem, Job("JR"), [Operation("R", "JR", {"PRT1": 50})])
    for way in (right_shift, re_assigned):
        assert starts(way(rushed, problem.published))["R"] == ("PRT1", 300)


# ---------------------------------------------------------------------------------------------- re-assignment


def test_only_what_is_hit_goes_elsewhere():
    operations = [printed("A", 100, "PRT1", "PRT2"), printed("B", 100, "PRT1", "PRT2"), printed("C", 50, "PRT2")]
    problem = published(at("A", 0, 100), at("B", 100, 200), at("C", 0, 50, "PRT2"), operations=operations)
    after = breakdown(problem, "PRT1", 0, 90)
    assert starts(re_assigned(after, problem.published)) == {
        "A": ("PRT2", 50),
        "B": ("PRT1", 100),
        "C": ("PRT2", 0),
    }


def test_a_print_length_is_cut_from_the_roll_it_was_to_be_cut_from():
    rolls = (Roll("R1", "VELVET", "L1", Decimal(50)), Roll("R2", "VELVET", "L1", Decimal(12)))
    operation = printed("A", cloth=Cloth("VELVET", Decimal(10)))
    problem = published(at("A", 0, 100, roll="R1"), operations=[operation], rolls=rolls)
    for way in (right_shift, re_assigned):
        assert way(breakdown(problem, "PRT1", 0, 10), problem.published)[0].roll == "R1"
    gone = replace(problem, rolls=rolls[1:])
    assert re_assigned(gone, problem.published)[0].roll == "R2"


# ---------------------------------------------------------------------------------------------- the three of them


def textile_plan(operations=60, *, seed=1, loads=False):
    problem = textile(operations, seed=seed, loads=loads)
    return problem, first_plan(problem).assignments


def afterwards(problem, plan, *, hours=20, frozen_min=120):
    now = problem.start + hours * 60
    left = continued(problem, plan, now)
    return replace(left, frozen_until=max(now + frozen_min, left.frozen_until or 0)), now


def busiest(problem, kind="printer"):
    minutes = {}
    for one in problem.published:
        if one.machine.startswith(kind):
            minutes[one.machine] = minutes.get(one.machine, 0) + one.end - one.start
    return max(minutes, key=minutes.get)


def test_three_answers_are_returned_with_figures_and_difference_the_best_first():
    left, now = afterwards(*textile_plan(seed=2))
    after = breakdown(left, busiest(left), now, now + 600)
    answer = replan(after, left.published, effort=EFFORT, chains=1)
    assert {one.by for one in answer.candidates} == {"right-shift", "re-assignment", "search"}
    costs = [one.figures.cost for one in answer.candidates]
    assert costs == sorted(costs)
    assert answer.best.figures.cost == min(costs)
    for one in answer.candidates:
        assert not faults(answer.problem, one.plan.assignments)
        assert one.figures == figures_of(answer.problem, one.plan.assignments)
        assert one.difference.after == one.figures


def test_the_same_seed_and_effort_give_the_same_answers():
    left, now = afterwards(*textile_plan())
    after = breakdown(left, busiest(left), now, now + 600)
    once, again = (replan(after, left.published, effort=EFFORT, chains=1, seed=4) for _ in range(2))
    assert once == again


def test_a_plan_that_no_event_touched_stays_as_it_is():
    left, _ = afterwards(*textile_plan())
    for way in (right_shift, re_assigned):
        assert {one.operation: one for one in way(left, left.published)} == {
            one.operation: one for one in left.published
        }


def test_nothing_fits_any_more_and_that_is_said():
    two = published(at("A", 0, 100), at("B", 100, 200))
    problem = replace(two, end=300, machines=(Machine("PRT1", ((0, 300),)),))
    with pytest.raises(NoSlot):
        replan(others_booked(problem, "PRT1", (110, 290)), problem.published, effort=EFFORT, chains=1)


EVENTS = ("breakdown", "booked", "late", "rush")


def happened(chance, problem, now, name):
    one = chance.choice(problem.operations)
    machine = chance.choice(list(one.minutes))
    start = now + chance.randrange(0, 600)
    if name == "breakdown":
        return breakdown(problem, machine, start, start + chance.randrange(30, 900))
    if name == "booked":
        return others_booked(problem, machine, (start, start + chance.randrange(30, 900)))
    if name == "late":
        some = [one.id for one in chance.sample(problem.operations, min(3, len(problem.operations)))]
        return late_delivery(problem, some, start + chance.randrange(2000))
    like = [each for each in problem.operations if each.job == one.job]
    names = {each.id: f"rush-{each.id}" for each in like}
    return rush(
        problem,
        Job("rush", due=now + 600, weight=10.0),
        [
            replace(
                each,
                id=names[each.id],
                job="rush",
                release=None,
                pin=None,
                after=tuple(After(names[b.operation]) for b in each.after if b.operation in names),
            )
            for each in like
        ],
    )


def filled(chance, problem):
    """A plan of a shop order by order, in overtime and in loads where there are, with holes."""
    plan, jobs = (), {}
    for one in problem.operations:
        jobs.setdefault(one.job, []).append(one)
    known = replace(problem, jobs=(), operations=())
    for job in problem.jobs:
        found = insert(gaps_of(known, plan), jobs[job.id], job=job, ready=problem.start + chance.randrange(3000))
        known = with_job(known, job, jobs[job.id])
        plan = inserted(known, plan, found)
    return plan


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
def test_after_any_event_the_simple_answers_are_feasible(seed):
    """Two events one after the other, with running, frozen and slushy operations, and with loads."""
    chance = random.Random(seed)
    whole = textile(40, seed=seed % 50, loads=chance.random() < 0.5)
    left, now = afterwards(whole, filled(chance, whole), hours=chance.randrange(20, 80))
    if not left.published:
        return
    assert not faults(left, left.published)
    left = replace(left, slushy_until=now + chance.choice((0, 800)))
    after = happened(chance, happened(chance, left, now, chance.choice(EVENTS[:3])), now, chance.choice(EVENTS))
    check(after)
    for way in (right_shift, re_assigned):
        assert not faults(after, way(after, left.published))


def test_without_setting_free_a_breakdown_under_what_is_frozen_has_no_feasible_answer(monkeypatch):
    """The guard is needed: as if what is frozen stayed frozen on a machine that stands still."""
    frozen = published(at("A", 0, 50), frozen_until=400)
    monkeypatch.setattr(module, "settled", lambda problem: problem)
    after = breakdown(frozen, "PRT1", 20, 90)
    assert {fault.code for fault in faults(after, right_shift(after, frozen.published))} == {"frozen"}


# ---------------------------------------------------------------------------------------------- as time goes by


def test_what_is_over_is_gone_what_runs_is_pinned_and_the_machine_is_set_for_it():
    ink = SetupMatrix("ink", (AttributeSetups("ink", other=Setup(10)),))
    machine = Machine("PRT1", ALWAYS, setups="ink", state={"ink": "acid"})
    operations = (
        Operation("A", "J1", {"PRT1": 100}, attributes={"ink": "reactive"}, cloth=Cloth("VELVET", Decimal(10))),
        Operation("B", "J1", {"PRT1": 100}, attributes={"ink": "reactive"}, after=(After("A", 30),)),
        Operation("C", "J1", {"PRT1": 50}, attributes={"ink": "acid"}, after=(After("B"),)),
        Operation("D", "J1", {"PRT1": 50}, attributes={"ink": "acid"}, after=(After("A", 300),)),
    )
    plan = (
        Assignment("A", "PRT1", 10, 110, 0, roll="R1"),
        Assignment("B", "PRT1", 140, 240, 140),
        Assignment("C", "PRT1", 250, 300, 240),
        Assignment("D", "PRT1", 410, 460, 410),
    )
    rolls = (Roll("R1", "VELVET", "L1", Decimal(50)),)
    problem = Problem(0, 10_000, (machine,), (Job("J1"),), operations, {"ink": ink}, rolls=rolls)
    left = continued(problem, plan, 200)
    assert [one.id for one in left.operations] == ["B", "C", "D"]
    assert left.operations[0].pin == Pin("PRT1", 140)
    assert left.operations[2].release == 410
    assert left.machines[0].state == {"ink": "reactive"}
    assert left.rolls[0].length_m == 40
    assert left.published == plan[1:]
    check(left)
    assert not faults(left, left.published)


def test_what_pauses_while_time_goes_by_has_not_worked_meanwhile():
    machine = Machine("LOM1", ((0, 100), (200, 1000)))
    woven = Operation("A", "J1", {"LOM1": 150}, splittable=True)
    left = continued(Problem(0, 1000, (machine,), (Job("J1"),), (woven,)), [Assignment("A", "LOM1", 0, 250, 0)], 220)
    assert left.operations[0].minutes == {"LOM1": 250}
    assert not faults(left, left.published)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
def test_a_feasible_plan_is_feasible_at_any_later_moment(seed):
    chance = random.Random(seed)
    whole = textile(40, seed=seed % 50, loads=chance.random() < 0.5)
    plan = filled(chance, whole)
    now = whole.start + chance.randrange(10_000)
    left = continued(whole, plan, now)
    check(left)
    assert not faults(left, left.published)


# ---------------------------------------------------------------------------------------------- if we resequence


def test_a_job_that_others_can_make_room_for_is_earlier_if_we_resequence():
    operations = [printed("A", 300), printed("B", 300), printed("N", 100)]
    problem = shop(*operations)
    plan = (at("A", 0, 300), at("B", 300, 600))
    found = earliest_if_resequenced(problem, plan, "JN", effort=EFFORT, chains=1)
    assert (found.end, found.end_if_nobody_moves, found.gain_min) == (100, 700, 600)
    assert not faults(problem, found.assignments)
    assert {one.operation for one in found.moves} <= {"A", "B"}


def test_no_other_job_becomes_late_or_later_by_it():
    jobs = (Job("JA", due=300), Job("JB", due=350), Job("JN"))
    problem = replace(shop(printed("A", 300), printed("B", 300), printed("N", 100)), jobs=jobs)
    found = earliest_if_resequenced(problem, (at("A", 0, 300), at("B", 300, 600)), "JN", effort=EFFORT, chains=1)
    ends = {one.operation: one.end for one in found.assignments}
    assert ends["A"] <= 300
    assert ends["B"] <= 600  # late before, and no later
    assert found.end == 700
    assert found.moves == ()


def test_what_is_frozen_or_pinned_does_not_make_room():
    problem = shop(printed("A", 300), printed("B", 300, pin=Pin("PRT1", 300)), printed("N", 100))
    frozen = replace(problem, frozen_until=100, published=(at("A", 0, 300),))
    found = earliest_if_resequenced(frozen, (at("A", 0, 300), at("B", 300, 600)), "JN", effort=EFFORT, chains=1)
    assert (found.end, found.moves) == (700, ())


def test_a_move_has_to_gain_something():
    problem = shop(printed("A", 5), printed("B", 5), printed("N", 100))
    problem = replace(problem, tolerance_min=0)
    found = earliest_if_resequenced(problem, (at("A", 0, 5), at("B", 5, 10)), "JN", effort=EFFORT, chains=1)
    assert (found.end, found.moves) == (110, ())


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 2**32))
def test_in_any_shop_it_is_never_later_than_an_insertion_and_nobody_becomes_late(seed):
    chance = random.Random(seed)
    whole = textile(40, seed=seed % 50, loads=chance.random() < 0.5)
    job = chance.choice(whole.jobs)
    plan = filled(chance, whole)
    kept = {one.id for one in whole.operations if one.job != job.id}
    rest = replace(whole, operations=tuple(one for one in whole.operations if one.id in kept))
    plan = right_shift(rest, [one for one in plan if one.operation in kept])
    found = earliest_if_resequenced(whole, plan, job.id, effort=(2000,), chains=1)
    assert not faults(whole, found.assignments)
    assert found.end <= found.end_if_nobody_moves
    before, after = (
        figures_of(rest, [one for one in each if one.operation in kept]) for each in (plan, found.assignments)
    )
    assert set(after.late_jobs) <= set(before.late_jobs)
    assert after.tardiness_min <= before.tardiness_min


def test_a_job_that_is_not_there_can_not_be_asked_for():
    with pytest.raises(UnknownOperation, match="no operations of J9"):
        earliest_if_resequenced(shop(printed("A")), [at("A", 0, 100)], "J9")


def test_no_more_than_the_budget_moves_of_what_the_event_did_not_touch():
    left, now = afterwards(*textile_plan(seed=2))
    after = breakdown(left, busiest(left), now, now + 600)
    stays = {one.operation for one in left.published} - touched(after, left.published)
    answer = replan(after, left.published, effort=EFFORT, chains=1)
    searched = next(one for one in answer.candidates if one.by == "search")
    assert len({move.operation for move in searched.difference.moved} & stays) <= 0.1 * len(stays)


def test_stability_is_worth_what_the_weights_say():
    """Moving B to the other machine gains nothing but a changeover."""
    ink = SetupMatrix("ink", (AttributeSetups("ink", other=Setup(20)),))
    machines = tuple(Machine(code, ALWAYS, setups="ink", state={"ink": code}) for code in ("PRT1", "PRT2"))
    operations = tuple(
        Operation(id, f"J{id}", {"PRT1": 100, "PRT2": 100}, attributes={"ink": colour})
        for id, colour in (("A", "PRT1"), ("B", "PRT2"))
    )
    stood = (Assignment("A", "PRT1", 0, 100, 0), Assignment("B", "PRT1", 200, 300, 180))
    jobs = (Job("JA"), Job("JB"))
    for weight, machine in ((60.0, "PRT1"), (1.0, "PRT2")):
        problem = Problem(0, 10_000, machines, jobs, operations, {"ink": ink}, Weights(moved=weight), published=stood)
        best = replan(problem, stood, effort=EFFORT, chains=1, most_moved=None).best
        assert starts(best.plan.assignments)["B"][0] == machine
