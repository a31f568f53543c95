"""Rules give feasible plans at once: what a planner does without a search, and what an ERP does."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings

from production.planning.errors import NoSlot
from production.planning.problem import (
    After,
    AttributeSetups,
    Job,
    Machine,
    Operation,
    Pin,
    Problem,
    Setup,
    SetupMatrix,
)
from production.planning.rules import RULES, first_plan, forward, plan_by
from production.planning.validate import faults
from tests.unit.test_planning_decoder import problems

INKS = SetupMatrix("printer", (AttributeSetups("ink", other=Setup(30)),))
PRINTER = Machine("PRT1", ((0, 1000),), setups="printer", state={"ink": "acid"})


def order(name, minutes=60, ink="acid", due=None, release=None, machines=("PRT1",), weight=1.0, **more):
    job = Job(name, due=due, weight=weight, release=release)
    return job, Operation(name, name, dict.fromkeys(machines, minutes), attributes={"ink": ink}, **more)


def shop(*orders, machines=(PRINTER,), end=1000):
    jobs, operations = zip(*orders, strict=True)
    return Problem(0, end, machines, jobs, operations, setups={"printer": INKS})


def row(plan):
    """The operations in the order of their starts."""
    return [one.operation for one in sorted(plan.assignments, key=lambda one: one.start)]


# ---------------------------------------------------------------------------------------------- dispatching


def test_first_come_is_first_served():
    problem = shop(order("A", release=50), order("B", release=10), order("C", release=20))
    assert row(plan_by(problem, "fifo")) == ["B", "C", "A"]


def test_the_earliest_due_date_goes_first():
    problem = shop(order("A", due=500), order("B", due=100), order("C", due=300))
    assert row(plan_by(problem, "edd")) == ["B", "C", "A"]


def test_atcs_keeps_to_an_ink_while_nothing_is_urgent():
    problem = shop(order("A", ink="acid", due=900), order("B", ink="pigment", due=900), order("C", ink="acid", due=900))
    assert row(plan_by(problem, "atcs")) == ["A", "C", "B"]
    assert row(plan_by(problem, "fifo")) == ["A", "B", "C"]


def test_an_operation_waits_for_the_machine_that_ends_it_earliest_with_its_changeover():
    other = Machine("PRT2", ((0, 1000),), setups="printer", state={"ink": "pigment"})
    both = ("PRT1", "PRT2")
    problem = shop(order("A", ink="pigment", machines=both), machines=(PRINTER, other))
    assert plan_by(problem, "fifo").assignments[0].machine == "PRT2"


def test_the_first_plan_is_the_best_of_all_rules():
    problem = shop(*(order(f"{n}", ink="ab"[n % 2], due=100 + 40 * n) for n in range(8)), end=2000)
    problem = replace(problem, machines=(replace(PRINTER, open=((0, 2000),)),))
    costs = {rule: plan_by(problem, rule).figures.cost for rule in RULES}
    assert first_plan(problem).figures.cost == min(costs.values()) < max(costs.values())


def test_overtime_is_taken_only_where_regular_time_does_not_do():
    short = Machine("PRT1", ((0, 100),), overtime=((100, 300),))
    plan = plan_by(shop(order("A", 60), order("B", 60), machines=(short,)), "fifo")
    assert [one.overtime for one in plan.assignments] == [False, True]


def test_what_finds_no_time_is_named_with_its_machine():
    with pytest.raises(NoSlot) as refused:
        plan_by(shop(order("A", 600), order("B", 600)), "fifo")
    assert refused.value.fields["operations"] == ["B"]
    assert refused.value.fields["work_centres"] == ["PRT1"]
    assert "Operation B of B takes 600 min on PRT1" in refused.value.message


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(problems())
def test_every_rule_plans_every_shop_without_a_fault_or_says_that_it_can_not(problem):
    for planner in (lambda: first_plan(problem), lambda: forward(problem)):
        try:
            plan = planner()
        except NoSlot:
            continue
        assert faults(problem, plan.assignments) == ()


# ---------------------------------------------------------------------------------------------- as an ERP plans


def test_an_erp_plans_order_by_order_as_they_came_and_nobody_moves():
    problem = shop(order("A", ink="acid"), order("B", ink="pigment"), order("C", ink="acid"), order("D", ink="pigment"))
    plan = forward(problem)
    assert row(plan) == ["A", "B", "C", "D"]
    assert plan.figures.changeover_min == 90


def test_a_gap_is_filled_where_the_changeovers_on_both_sides_fit():
    pinned = Pin("PRT1", 200)
    gap = order("A", 100, "acid"), order("P", 50, "acid", pin=pinned)
    assert (
        next(one for one in forward(shop(*gap, order("B", 40, "acid"))).assignments if one.operation == "B").start
        == 100
    )
    # There and back again takes 60 minutes more than there are.
    late = next(one for one in forward(shop(*gap, order("B", 50, "pigment"))).assignments if one.operation == "B")
    assert late.start == 280


def test_a_load_that_stands_is_joined():
    steamer = Machine("STM", ((0, 1000),), load=100)
    problem = shop(
        order("A", 30, machines=("STM",), load=60), order("B", 30, machines=("STM",), load=40), machines=(steamer,)
    )
    assert [one.start for one in forward(problem).assignments] == [0, 0]


def test_steps_follow_one_another_when_an_erp_plans():
    first = order("A", 60)
    second = (first[0], Operation("A.2", "A", {"PRT1": 10}, attributes={"ink": "acid"}, after=(After("A", 25),)))
    problem = Problem(0, 1000, (PRINTER,), (first[0],), (second[1], first[1]), setups={"printer": INKS})
    assert [one.start for one in forward(problem).assignments] == [85, 0]
