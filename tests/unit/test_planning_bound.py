"""No plan costs less than the bound, and where the bound claims the optimum, it is the optimum."""

from dataclasses import replace
from decimal import Decimal
from itertools import permutations, product
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from production.planning import bound
from production.planning.bound import changeover_bounds, earliest_ends, lateness_bounds, lower_bound, makespan_bound
from production.planning.floor import floor_of, modes_of
from production.planning.plan import figures_of
from production.planning.problem import (
    After,
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
    Weights,
)
from production.planning.reference import decode
from production.planning.rules import first_plan
from production.planning.validate import faults
from tests.benchmarks.planning_instances import FT06, FT06_OPTIMUM, job_shop_of, textile, vallada_ruiz
from tests.unit.test_planning_decoder import problems

INKS = {
    "printer": SetupMatrix(
        "printer", (AttributeSetups("ink", {("a", "b"): Setup(5)}, same=Setup(1), other=Setup(20, Decimal(2))),)
    )
}


def some_plans(problem, chance, count):
    """Plans of orders and modes drawn at random; those that are none are left out."""
    floor, modes = floor_of(problem), modes_of(problem)
    names = [operation.id for operation in problem.operations]
    free = [names[op] for op in floor.free]
    waits = {one.id: {a.operation for a in one.after if a.operation in free} for one in problem.operations}
    for _ in range(count):
        order = []
        while len(order) < len(free):
            able = [name for name in free if name not in order and waits[name] <= set(order)]
            order.append(chance.choice(able))
        found = decode(problem, order, {name: chance.choice(modes[names.index(name)]) for name in free})
        if not found.missing and not faults(problem, found.assignments):
            yield found.assignments


def cheapest(problem):
    """The least cost of all orders and modes."""
    modes = modes_of(problem)
    names = [operation.id for operation in problem.operations]
    best = float("inf")
    for order in permutations(names):
        if any(order.index(a.operation) > order.index(one.id) for one in problem.operations for a in one.after):
            continue
        for choice in product(*modes):
            found = decode(problem, order, dict(zip(names, choice, strict=True)))
            if not found.missing:
                best = min(best, figures_of(problem, found.assignments).cost)
    return best


def small(seed, *, operations=5):
    """A shop that is always open, in which the model leaves nothing out."""
    chance = Random(seed)
    machines = tuple(Machine(code, ((0, 2000),), setups="printer", state={"ink": "a"}) for code in "MN")
    jobs = tuple(Job(f"J{n}", due=chance.randrange(20, 90), weight=chance.choice((1.0, 3.0))) for n in range(3))
    rows = []
    for n in range(operations):
        minutes = {code: chance.randrange(5, 30) for code in chance.choice(("M", "N", "MN"))}
        after = (After(f"O{n - 1}", 3),) if n and chance.random() < 0.4 else ()
        ink = {"ink": chance.choice("abc")}
        rows.append(
            Operation(
                f"O{n}", chance.choice(jobs).id, minutes, after=after, release=chance.choice((None, 10)), attributes=ink
            )
        )
    return Problem(0, 2000, machines, jobs, tuple(rows), setups=INKS, weights=Weights(makespan=0.5))


def require_below(problem, plans, **more):
    """That the bound is below what the plans cost."""
    proven = lower_bound(problem, workers=1, **more)
    for plan in plans:
        cost = figures_of(problem, plan).cost
        assert proven <= cost + 1e-6, f"{proven} is no bound: a plan costs {cost}"


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(problems(), st.integers(0, 1000), st.sampled_from((None, 60)))
def test_no_plan_costs_less_than_the_bound(problem, seed, frozen_until):
    problem = replace(problem, frozen_until=frozen_until)
    require_below(problem, some_plans(problem, Random(seed), 6), seconds=1)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(problems(), st.integers(0, 1000))
def test_a_bound_that_knows_a_plan_is_a_bound_of_all(problem, seed):
    plans = list(some_plans(problem, Random(seed), 6))
    for plan in plans[:2]:
        require_below(problem, plans, seconds=1, known=figures_of(problem, plan).cost)


@pytest.mark.parametrize("seed", range(8))
def test_in_a_small_shop_the_bound_is_what_the_cheapest_plan_costs(seed):
    problem = small(seed)
    best = cheapest(problem)
    assert lower_bound(problem, seconds=20, workers=1) == pytest.approx(best)
    assert lower_bound(problem, seconds=20, workers=1, known=best + 10) == pytest.approx(best)
    assert lower_bound(problem, seconds=20, workers=1, known=best) == pytest.approx(best)


def test_a_bound_with_a_wrong_term_is_found_out(monkeypatch):
    problem = small(1)
    plans = list(some_plans(problem, Random(1), 300))
    require_below(problem, plans, seconds=5)
    right = bound.lateness_bounds
    monkeypatch.setattr(bound, "lateness_bounds", lambda problem: right(problem) | {"twice": cheapest(problem)})
    with pytest.raises(AssertionError, match="is no bound"):
        require_below(problem, plans, seconds=5)


def test_a_job_alone_waits_for_its_release_its_machine_and_what_comes_before():
    day = Machine("M", ((0, 100), (200, 400)), taken=(Taken(210, 220),))
    first = Operation("a", "J", {"M": 60}, release=50)
    second = Operation("b", "J", {"M": 30}, after=(After("a", 5),))
    shop = Problem(0, 400, (day,), (Job("J", due=300, weight=2),), (second, first))
    assert earliest_ends(shop) == {"a": 280, "b": 315}
    assert lateness_bounds(shop) == {"J": 30.0}


def test_weaving_alone_pauses_over_a_weekend():
    loom = Machine("M", ((0, 100), (200, 400)))
    shop = Problem(
        0, 400, (loom,), (Job("J", due=100),), (Operation("a", "J", {"M": 60}, release=50, splittable=True),)
    )
    assert earliest_ends(shop) == {"a": 210}


def test_changeovers_cost_at_least_the_cheapest_ways_through_all_inks_and_what_each_operation_costs():
    jobs = tuple(Job(f"J{n}") for n in range(4))
    machine = Machine("M", ((0, 1000),), setups="printer", state={"ink": "a"})
    operations = tuple(Operation(f"O{n}", f"J{n}", {"M": 10}, attributes={"ink": ink}) for n, ink in enumerate("abbc"))
    shop = Problem(0, 1000, (machine,), jobs, operations, setups=INKS)
    # a: 1, b: 5 from a, the other b: 1, c: 20 and 2 of money
    assert [group.cost for group in changeover_bounds(shop, seconds=1)] == [29.0]
    # A second machine that stands at c: nobody has to change to it.
    second = replace(machine, code="N", state={"ink": "c"})
    both = replace(
        shop,
        machines=(machine, second),
        operations=tuple(replace(one, minutes={"M": 10, "N": 10}) for one in operations),
    )
    assert [group.cost for group in changeover_bounds(both, seconds=1)] == [8.0]


def test_what_may_be_done_where_no_changeover_is_needed_costs_none():
    machine = Machine("M", ((0, 1000),), setups="printer", state={"ink": "a"})
    bench = Machine("N", ((0, 1000),))
    printed = Operation("O", "J", {"M": 10, "N": 10}, attributes={"ink": "c"})
    shop = Problem(0, 1000, (machine, bench), (Job("J"),), (printed,), setups=INKS)
    assert changeover_bounds(shop, seconds=1) == []
    assert lower_bound(shop, seconds=5) == 0


def test_what_runs_already_is_what_its_machine_is_set_for():
    machine = Machine("M", ((0, 1000),), setups="printer", state={"ink": "a"})
    running = Operation("r", "J", {"M": 30}, attributes={"ink": "c"}, pin=Pin("M", -10))
    next_one = Operation("n", "J", {"M": 30}, attributes={"ink": "c"})
    shop = Problem(0, 1000, (machine,), (Job("J", due=0),), (running, next_one), setups=INKS)
    # 1 minute of changeover, and over at 20 + 1 + 30
    assert lower_bound(shop, seconds=5) == 1 + 51


def test_the_makespan_is_at_least_the_longest_chain_and_the_work_shared_out():
    shop = vallada_ruiz(12, 3, 9, seed=1)
    least = sum(min(one.minutes.values()) for one in shop.operations)
    assert makespan_bound(shop) == max(-(-least // 3), max(min(one.minutes.values()) for one in shop.operations))
    assert lower_bound(job_shop_of(FT06), seconds=30) == FT06_OPTIMUM


def test_a_move_from_where_it_was_published_is_paid_for_or_avoided():
    machine = Machine("M", ((0, 1000),))
    operations = (Operation("a", "J", {"M": 60}), Operation("b", "J", {"M": 60}))
    published = (Assignment("a", "M", 0, 60, 0), Assignment("b", "M", 10, 70, 10))
    shop = Problem(0, 1000, (machine,), (Job("J"),), operations, published=published, tolerance_min=30)
    assert lower_bound(shop, seconds=5) == 60.0  # both can't stay
    assert lower_bound(replace(shop, tolerance_min=60), seconds=5) == 0.0


def test_more_than_a_model_can_hold_is_answered_at_once():
    shop = textile(1000, seed=1)
    plan = first_plan(shop)
    proven = lower_bound(shop, seconds=4, workers=1)
    assert sum(group.cost for group in changeover_bounds(shop, seconds=2)) * 0.9 < proven < plan.figures.cost


def test_fifty_operations_are_bounded_within_a_few_percent_of_the_best_plan():
    shop = textile(50, seed=3)
    assert lower_bound(shop, seconds=30) >= 0.95 * 372
