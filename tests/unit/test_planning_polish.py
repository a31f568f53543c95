"""A polished plan is feasible and costs no more; what has to stay, stays."""

import time
from dataclasses import replace
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from production.planning import polish as polishing
from production.planning.plan import figures_of
from production.planning.polish import polish
from production.planning.problem import Cloth, Pin, Roll
from production.planning.rules import first_plan, plan_by
from production.planning.validate import Fault, faults
from tests.benchmarks.planning_instances import FT06, FT06_OPTIMUM, job_shop_of, textile, vallada_ruiz
from tests.unit.test_planning_bound import cheapest, small, some_plans
from tests.unit.test_planning_decoder import problems


def cost(problem, plan):
    return figures_of(problem, plan).cost


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(problems(), st.integers(0, 1000), st.sampled_from((None, 60)))
def test_any_plan_is_polished_to_one_that_is_feasible_and_costs_no_more(problem, seed, frozen_until):
    problem = replace(problem, frozen_until=frozen_until)
    for plan in some_plans(problem, Random(seed), 1):
        better = polish(problem, plan, seconds=5, windows=4)
        assert faults(problem, better) == ()
        assert cost(problem, better) <= cost(problem, plan)
        assert [one.operation for one in better] == [one.operation for one in plan]


@pytest.mark.parametrize("seed", range(6))
def test_a_small_plan_is_polished_to_the_cheapest(seed):
    problem = small(seed)
    worst = max(some_plans(problem, Random(seed), 30), key=lambda plan: cost(problem, plan))
    assert cost(problem, polish(problem, worst, seconds=10, windows=12)) == pytest.approx(cheapest(problem))


def test_a_job_shop_of_six_by_six_is_polished_to_its_optimum():
    problem = job_shop_of(FT06)
    plan = plan_by(problem, "fifo")
    assert plan.figures.makespan_min > FT06_OPTIMUM
    assert figures_of(problem, polish(problem, plan.assignments, seconds=10, windows=20)).makespan_min == FT06_OPTIMUM


def test_a_textile_shop_is_polished_by_a_tenth_and_more():
    problem = textile(50, seed=2)
    plan = first_plan(problem)
    better = polish(problem, plan.assignments, seconds=10, windows=8)
    assert cost(problem, better) < 0.9 * plan.figures.cost
    assert faults(problem, better) == ()


def test_loads_stay_loads_and_what_is_before_them_is_polished():
    problem = textile(50, seed=4, loads=True)
    plan = plan_by(problem, "fifo")
    better = polish(problem, plan.assignments, seconds=10, windows=8)
    assert cost(problem, better) < plan.figures.cost
    assert faults(problem, better) == ()


def test_unrelated_machines_are_polished():
    problem = vallada_ruiz(20, 3, 49, seed=1)
    plan = plan_by(problem, "fifo")
    assert cost(problem, polish(problem, plan.assignments, seconds=10, windows=8)) < plan.figures.cost


def test_the_same_seed_polishes_to_the_same_plan():
    problem = textile(50, seed=1, tight=True)
    plan = first_plan(problem)
    once = polish(problem, plan.assignments, seconds=10, windows=5, seed=7)
    assert polish(problem, plan.assignments, seconds=10, windows=5, seed=7) == once


def test_a_pin_and_what_is_frozen_stay_to_the_minute():
    problem = textile(50, seed=2)
    plan = plan_by(problem, "fifo")
    early = sorted(plan.assignments, key=lambda one: one.start)
    frozen_until = early[6].start + 1
    pinned = next(one for one in early[10:] if one.machine.startswith("printer"))
    operations = tuple(
        replace(one, pin=Pin(pinned.machine, pinned.start)) if one.id == pinned.operation else one
        for one in problem.operations
    )
    kept = replace(problem, operations=operations, published=plan.assignments, frozen_until=frozen_until)
    kept = replace(kept, weights=replace(problem.weights, moved=0))
    better = {one.operation: one for one in polish(kept, plan.assignments, seconds=10, windows=8)}
    for one in plan.assignments:
        if one.start < frozen_until or one.operation == pinned.operation:
            assert (better[one.operation].machine, better[one.operation].start) == (one.machine, one.start)
    assert cost(kept, better.values()) < cost(kept, plan.assignments)


def test_what_has_moved_is_paid_for():
    problem = textile(50, seed=2)
    plan = plan_by(problem, "fifo")
    published = replace(problem, published=plan.assignments)
    dear = replace(published, weights=replace(problem.weights, moved=1e6))
    assert figures_of(dear, polish(dear, plan.assignments, seconds=10, windows=8)).moved == 0
    free = replace(published, weights=replace(problem.weights, moved=0))
    assert figures_of(free, polish(free, plan.assignments, seconds=10, windows=8)).moved > 0


def test_rolls_stay_with_what_is_cut_from_them():
    problem = textile(50, seed=2)
    metres = {one.id: Cloth("C", 10) for one in problem.operations if one.name == "printer"}
    rolls = (Roll("R1", "C", "lot", 1000, ready=problem.start + 600),)
    cut = replace(problem, operations=tuple(replace(one, cloth=metres.get(one.id)) for one in problem.operations))
    there = problem.start + 600
    jobs = tuple(replace(job, release=max(there, job.release or there)) for job in problem.jobs)
    late = replace(cut, jobs=jobs)
    plan = [replace(one, roll="R1" if one.operation in metres else "") for one in plan_by(late, "fifo").assignments]
    cut = replace(cut, rolls=rolls)
    assert faults(cut, plan) == ()
    better = polish(cut, plan, seconds=10, windows=8)
    assert faults(cut, better) == ()
    assert cost(cut, better) < cost(cut, plan)


def test_who_has_no_time_gets_back_what_he_gave():
    problem = textile(50, seed=2)
    plan = first_plan(problem)
    assert polish(problem, plan.assignments, seconds=0) == plan.assignments
    assert polish(problem, plan.assignments, seconds=60, cancelled=lambda: True) == plan.assignments


def test_who_cancels_within_a_window_is_heard_at_once():
    problem = textile(200, seed=2, tight=True)
    plan = first_plan(problem)
    began = time.monotonic()
    polish(problem, plan.assignments, seconds=60, cancelled=lambda: time.monotonic() > began + 0.5)
    assert time.monotonic() - began < 10


def test_a_plan_that_breaks_a_rule_is_not_taken(monkeypatch):
    problem = textile(50, seed=2)
    plan = first_plan(problem)
    assert polish(problem, plan.assignments, seconds=10, windows=6) != plan.assignments
    broken = (Fault("overlap", "", "", "It overlaps."),)
    monkeypatch.setattr(polishing, "faults", lambda problem, assignments: broken)
    assert polish(problem, plan.assignments, seconds=10, windows=6) == plan.assignments
