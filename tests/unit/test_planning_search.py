"""The search finds better plans, keeps every rule, stops when it is told to, and does the same again when asked to."""

import time
from dataclasses import replace
from decimal import Decimal
from itertools import permutations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from production.planning.decoder import decoded
from production.planning.errors import NoSlot
from production.planning.floor import floor_of
from production.planning.parallel import is_parallel, rows_of
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
from production.planning.rules import first_order, first_plan, forward
from production.planning.search import BEST_MODE, BEST_ORDER, NOW, NOW_MODE, NOW_ORDER, chain_of
from production.planning.solve import prepare, solve
from production.planning.validate import faults
from tests.unit.test_planning_decoder import problems

INKS = SetupMatrix("printer", (AttributeSetups("ink", {("c", "a"): Setup(5)}, other=Setup(30)),))
NONE = np.zeros(0)


def printer(code="PRT1", end=20_000, **more):
    return Machine(code, ((0, end),), setups="printer", state={"ink": "a"}, **more)


def shop(count=24, machines=2, stages=2, seed=1, end=20_000, **more):
    """Orders that are printed, then cut."""
    chance = np.random.default_rng(seed)
    jobs, operations = [], []
    printers = [printer(f"PRT{n}") for n in range(machines)]
    for number in range(count):
        name = f"J{number:02}"
        jobs.append(Job(name, due=int(chance.integers(100, 60 * count)), weight=float(chance.integers(1, 4))))
        minutes = {one.code: int(chance.integers(20, 90)) for one in printers}
        operations.append(Operation(f"{name}.1", name, minutes, attributes={"ink": "abc"[chance.integers(3)]}))
        if stages > 1:
            operations.append(Operation(f"{name}.2", name, {"CUT": 10}, after=(After(f"{name}.1"),)))
    cut = (Machine("CUT", ((0, end),)),) if stages > 1 else ()
    return Problem(0, end, (*printers, *cut), tuple(jobs), tuple(operations), setups={"printer": INKS}, **more)


# ---------------------------------------------------------------------------------------------- better plans


@pytest.mark.parametrize("stages", [1, 2])
def test_the_search_is_much_better_than_the_best_rule(stages):
    problem = shop(stages=stages)
    plan = solve(problem, effort=(4000, 8000), chains=2)
    assert plan.figures.cost < 0.8 * first_plan(problem).figures.cost
    assert faults(problem, plan.assignments) == ()


@pytest.mark.parametrize("stages", [1, 2])
def test_of_few_orders_the_search_finds_the_best_plan_there_is(stages):
    problem = shop(6, machines=1, stages=stages, seed=3)
    floor = floor_of(problem)
    mode = floor.tables.mode_first[:-1].copy()
    costs = []
    for order in permutations(range(6)):
        steps = [op * stages + stage for stage in range(stages) for op in order]
        costs.append(decoded(floor, np.array(steps, np.int64), mode)[1])
    assert solve(problem, effort=(1000, 1000, 1000), chains=1).figures.cost == pytest.approx(min(costs))


def test_an_order_is_moved_to_overtime_where_that_costs_less_than_being_late():
    machine = Machine("PRT1", ((0, 60), (1000, 2000)), overtime=((60, 200),))
    operations = tuple(Operation(name, name, {"PRT1": 60}) for name in "AB")
    problem = Problem(0, 2000, (machine,), tuple(Job(name, due=150) for name in "AB"), operations)
    plan = solve(problem, effort=(500,), chains=1)
    assert sorted(one.overtime for one in plan.assignments) == [False, True]
    assert plan.figures.overtime_min == 60
    costly = replace(problem, weights=Weights(overtime=100.0))
    assert not any(one.overtime for one in solve(costly, effort=(500,), chains=1).assignments)


def test_a_load_waits_for_a_late_order_where_that_saves_a_load():
    steamer = Machine("STM", ((0, 2000),), load=100)
    jobs = (Job("A", due=60), Job("B", release=10, due=60))
    operations = tuple(Operation(job.id, job.id, {"STM": 45}, load=50) for job in jobs)
    plan = solve(Problem(0, 2000, (steamer,), jobs, operations), effort=(500,), chains=1)
    assert [one.start for one in plan.assignments] == [10, 10]


# ---------------------------------------------------------------------------------------------- the rules hold


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(problems())
def test_what_the_search_counts_from_mark_to_mark_is_what_the_whole_order_costs(problem):
    floor = floor_of(problem)
    if not floor.free:
        return
    _, order, mode = first_order(floor)
    chain = chain_of(floor, order, mode, seed=5, number=0)
    for first in range(0, 600, 100):
        chain.anneal(floor.packed, first=first, stop=first + 100, moves=600, hot=20.0, cold=1.0, rises=NONE)
        now = chain.table(NOW_ORDER, len(order)), chain.table(NOW_MODE, len(mode))
        assert chain.floats[NOW] == pytest.approx(decoded(floor, *now)[1], rel=1e-9, abs=1e-6)
    best = chain.table(BEST_ORDER, len(order)), chain.table(BEST_MODE, len(mode))
    assert chain.best()[0] == pytest.approx(decoded(floor, *best)[1], rel=1e-9, abs=1e-6)
    done = {op for block in floor.blocks for op in block.operations}
    for op in best[0]:
        t = floor.tables
        assert {int(one) for one in t.pred_op[t.pred_first[op] : t.pred_first[op + 1]]} <= done
        done.add(int(op))


@pytest.mark.parametrize("machines", [1, 3])
@pytest.mark.parametrize("weights", [Weights(), Weights(tardiness=0, changeover=0, makespan=1)])
def test_what_the_rows_count_move_by_move_is_what_the_whole_order_costs(machines, weights):
    problem = shop(40, machines=machines, stages=1, weights=weights)
    if weights.makespan:
        problem = replace(problem, jobs=tuple(replace(job, due=None) for job in problem.jobs))
    floor = floor_of(problem)
    assert is_parallel(floor)
    _, order, mode = first_order(floor)
    chain = rows_of(floor, order, mode, seed=1, number=0)
    assert bool(chain.ints[1]) == bool(weights.makespan)
    chain.anneal(floor.packed, first=0, stop=5000, moves=5000, hot=30.0, cold=1.0, rises=NONE)
    cost, best_order, best_mode = chain.best()
    assert sorted(best_order) == list(range(40))
    assert cost == pytest.approx(decoded(floor, best_order, best_mode)[1])
    assert cost <= decoded(floor, order, mode)[1]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(problems())
def test_the_search_keeps_every_rule_of_every_shop(problem):
    try:
        before = first_plan(problem)
    except NoSlot:  # the rules find no complete plan; the search may
        return
    plan = solve(problem, effort=(300,), chains=1)
    assert faults(problem, plan.assignments) == ()
    assert plan.figures.cost <= before.figures.cost + 1e-6


def test_what_is_frozen_or_pinned_stays_and_what_is_slushy_keeps_its_machine():
    problem = shop()
    plan = solve(problem, effort=(2000,), chains=1)
    pinned = replace(problem.operations[40], pin=Pin("PRT0", 3000))
    later = replace(
        problem,
        operations=(*problem.operations[:40], pinned, *problem.operations[41:]),
        published=plan.assignments,
        frozen_until=200,
        slushy_until=500,
        weights=Weights(moved=0.0),
    )
    again = solve(later, effort=(4000,), chains=1, seed=7).by_operation
    assert again[pinned.id].start == 3000
    for one in plan.assignments:
        if one.start < 200 and one.operation != pinned.id:
            assert (again[one.operation].machine, again[one.operation].start) == (one.machine, one.start)
        if one.start < 500 and one.operation != pinned.id:
            assert again[one.operation].machine == one.machine


def test_what_would_slip_forward_is_held_where_it_was_published():
    operation = Operation("A", "A", {"PRT1": 60})
    where = Assignment("A", "PRT1", 500, 560, 500)
    problem = Problem(0, 1000, (Machine("PRT1", ((0, 1000),)),), (Job("A"),), (operation,), published=(where,))
    held = solve(problem, effort=(100,), chains=1)
    assert (held.assignments[0].start, held.figures.moved) == (470, 0)
    free = solve(replace(problem, published=()), effort=(100,), chains=1)
    assert free.assignments[0].start == 0


# ---------------------------------------------------------------------------------------------- again, and in time


@pytest.mark.parametrize("stages", [1, 2])
def test_the_same_seed_and_effort_give_the_same_plan(stages):
    problem = shop(stages=stages)
    one, same = (solve(problem, effort=(900, 1800), seed=4, chains=2) for _ in range(2))
    assert one == same
    assert one != solve(problem, effort=(900, 1800), seed=5, chains=2)


@pytest.mark.parametrize("stages", [1, 2])
def test_what_was_found_by_the_clock_is_found_again_by_its_effort(stages):
    problem = shop(40, stages=stages)
    plan = solve(problem, seconds=0.7, seed=2, chains=2, polish=False)
    again = solve(problem, effort=plan.effort, seed=2, chains=2)
    assert again.assignments == plan.assignments
    assert again.effort == plan.effort


@pytest.mark.alone
def test_a_search_that_is_cancelled_returns_its_best_so_far_and_it_can_be_found_again():
    prepare()  # as a worker does when it starts: what is waited for here is the search, not its being loaded
    problem = shop(40)
    asked: list[float] = []

    def cancelled() -> bool:
        asked.append(time.monotonic())
        return asked[-1] - asked[0] > 0.5

    plan = solve(problem, seconds=60, chains=1, cancelled=cancelled)
    assert time.monotonic() - asked[0] < 2.5
    assert faults(problem, plan.assignments) == ()
    assert plan.effort[-1] < 0
    assert solve(problem, effort=plan.effort, chains=1).assignments == plan.assignments


def test_a_search_that_is_cancelled_before_it_began_returns_the_plan_it_would_have_begun_with():
    problem = shop(40)
    plan = solve(problem, seconds=60, chains=1, cancelled=lambda: True)
    assert faults(problem, plan.assignments) == ()
    assert plan.effort == ()
    assert solve(problem, effort=(), chains=1).assignments == plan.assignments


@pytest.mark.alone
def test_the_seconds_are_kept():
    prepare()
    problem = shop(60)
    began = time.monotonic()
    solve(problem, seconds=1.5, chains=1)
    assert time.monotonic() - began < 3


def test_each_better_plan_is_told_and_the_last_is_the_one_returned():
    told = []
    plan = solve(shop(), effort=(500, 500, 500), chains=1, on_better=told.append)
    costs = [one.figures.cost for one in told]
    assert costs == sorted(costs, reverse=True)
    assert len(set(costs)) == len(costs)
    assert told[-1].assignments == plan.assignments


# ---------------------------------------------------------------------------------------------- from an older plan


def test_an_older_plan_is_where_the_search_begins():
    problem = shop()
    good = solve(problem, effort=(4000, 8000), chains=1)
    again = solve(problem, effort=(64,), chains=1, start=good)
    assert again.figures.cost <= good.figures.cost


def test_what_is_gone_is_left_out_of_an_older_plan_and_what_is_new_is_put_in():
    problem = shop()
    good = solve(problem, effort=(4000, 8000), chains=1)
    fewer = replace(problem, jobs=problem.jobs[2:], operations=problem.operations[4:])
    start = [one for one in good.assignments if one.operation not in ("J05.1", "J05.2", "J20.2")]
    plan = solve(fewer, effort=(1,), chains=1, start=start)
    assert faults(fewer, plan.assignments) == ()
    assert plan.figures.cost < first_plan(fewer).figures.cost


def test_the_figures_are_those_of_the_assignments():
    problem = shop()
    plan = solve(problem, effort=(500,), chains=1)
    assert plan.figures == figures_of(problem, plan.assignments)


def test_a_worker_can_prepare():
    prepare()


def test_what_a_machine_is_being_changed_over_to_stays_and_its_changeover_is_not_counted_again():
    setups = {"S": SetupMatrix("S", (AttributeSetups("fabric", other=Setup(30)),))}
    machine = Machine("M", ((0, 1000),), setups="S", state={"fabric": "old"})
    operations = tuple(
        Operation(name, name, {"M": 40}, attributes={"fabric": fabric})
        for name, fabric in (("a", "red"), ("b", "blue"), ("c", "old"))
    )
    begun = Assignment("a", "M", 110, 150, 80)
    shop = Problem(100, 1000, (machine,), tuple(Job(one.id) for one in operations), operations, setups,
                   published=(begun,))  # fmt: skip
    plan = solve(shop, effort=[200], seed=1, chains=1)
    assert plan.by_operation["a"] == begun
    assert faults(shop, plan.assignments) == ()
    assert plan.figures.changeover_min == 60, "to blue and back to old; the one to red has begun"
    assert all(one.changeover >= 150 for one in plan.assignments if one.operation != "a")
    moved = tuple(replace(one, start=100, end=140, changeover=100) if one.operation == "a" else one
                  for one in plan.assignments)  # fmt: skip
    assert "frozen" in {fault.code for fault in faults(shop, moved)}


def test_each_print_length_of_a_plan_is_cut_from_one_roll_and_waits_for_it():
    rolls = (Roll("R1", "VELVET", "A", Decimal(20)), Roll("R2", "VELVET", "B", Decimal(60), ready=300))
    operations = tuple(
        Operation(name, job, {"M": 40}, cloth=Cloth("VELVET", Decimal(18)))
        for name, job in (("a", "J"), ("b", "K"), ("c", "K"))
    )
    shop = Problem(0, 1000, (Machine("M", ((0, 1000),)),), (Job("J"), Job("K")), operations, rolls=rolls)
    for plan in (solve(shop, effort=[50], chains=1), forward(shop), first_plan(shop)):
        cut = {one.operation: one for one in plan.assignments}
        assert (cut["a"].roll, cut["b"].roll, cut["c"].roll) == ("R1", "R2", "R2")
        assert min(cut["b"].start, cut["c"].start) >= 300
        assert faults(shop, plan.assignments) == ()
