"""Branches of a problem are values: what changes, changes; what is asked wrongly is refused by name."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from production.planning import whatif as module
from production.planning.check import check
from production.planning.errors import InvalidChange, UnknownOperation
from production.planning.openings import minute_after
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
    Weights,
)
from production.planning.rules import first_plan
from production.planning.solve import solve
from production.planning.validate import faults
from production.planning.whatif import (
    branch,
    compare_branches,
    outsourced,
    postponed,
    rushed,
    with_overtime,
    without_maintenance,
)
from tests.benchmarks.planning_instances import textile

EFFORT = (2000,)
DAYS = ((0, 480), (1440, 1920), (2880, 3360))
OPERATIONS = (
    Operation("A.1", "A", {"PRT1": 300}, name="print", attributes={"ink": "acid"}),
    Operation("A.2", "A", {"CUT": 60}, name="cut", after=(After("A.1", 10),)),
    Operation("B.1", "B", {"PRT1": 400}, name="print", attributes={"ink": "acid"}),
)
SHOP = Problem(
    0,
    4000,
    (
        Machine("PRT1", DAYS, setups="printer", state={"ink": "acid"}),
        Machine("CUT", DAYS),
    ),
    (Job("A", due=400), Job("B", due=900, weight=2.0)),
    OPERATIONS,
    {"printer": SetupMatrix("printer", (AttributeSetups("ink", other=Setup(30)),))},
    Weights(overtime=0.5),
)
PLAN = (
    Assignment("A.1", "PRT1", 0, 300, 0),
    Assignment("A.2", "CUT", 310, 370, 310),
    Assignment("B.1", "PRT1", 1440, 1840, 1440),
)


def machine(problem, code="PRT1"):
    return next(one for one in problem.machines if one.code == code)


# ---------------------------------------------------------------------------------------------- changes


def test_overtime_is_what_lies_outside_the_shifts_and_is_merged():
    changed = with_overtime(with_overtime(SHOP, "PRT1", [(400, 600)]), "PRT1", [(600, 700), (1300, 1500)])
    assert machine(changed).overtime == ((480, 700), (1300, 1440))
    assert machine(changed).open == DAYS
    check(changed)


def test_overtime_is_used_where_it_is_worth_its_weight():
    base = solve(SHOP, effort=EFFORT, chains=1)
    assert base.figures.overtime_min == 0
    longer = with_overtime(SHOP, "PRT1", [(480, 800)])
    used = solve(longer, effort=EFFORT, chains=1)
    assert used.figures.overtime_min > 0
    assert used.figures.weighted_tardiness_min < base.figures.weighted_tardiness_min
    assert not faults(longer, used.assignments)


def test_what_is_outsourced_takes_its_days_and_no_machine_of_ours():
    changed = outsourced(SHOP, ["B.1"], days=2)
    check(changed)
    found = solve(changed, effort=EFFORT, chains=1)
    there = found.by_operation["B.1"]
    assert there.end - there.start == 2880
    assert there.machine == "outside B.1"
    assert not faults(changed, found.assignments)


def test_a_chain_that_goes_out_together_shares_the_days_and_what_follows_waits():
    changed = outsourced(SHOP, ["A.1", "A.2"], days=1)
    minutes = [next(iter(one.minutes.values())) for one in changed.operations[:2]]
    assert minutes == [720, 720]
    assert changed.operations[2] == OPERATIONS[2]
    only_print = outsourced(SHOP, ["A.1"], days=1)
    found = solve(only_print, effort=EFFORT, chains=1).by_operation
    assert found["A.2"].start >= found["A.1"].end + 10


def test_what_is_pinned_or_published_is_not_when_it_goes_out():
    pinned = replace(OPERATIONS[0], pin=Pin("PRT1", 0))
    shop = replace(SHOP, operations=(pinned, *OPERATIONS[1:]), published=PLAN, frozen_until=400)
    changed = outsourced(shop, ["A.1"], days=1)
    assert changed.operations[0].pin is None
    assert "A.1" not in {one.operation for one in changed.published}
    check(changed)


def test_a_rush_changes_weight_and_due_date_of_one_job_only():
    changed = rushed(SHOP, "A", weight=5.0, due=200)
    assert changed.jobs == (Job("A", due=200, weight=5.0), SHOP.jobs[1])
    assert rushed(SHOP, "A", weight=5.0).jobs[0].due == 400
    with pytest.raises(UnknownOperation, match="There is no order Z"):
        rushed(SHOP, "Z", weight=5.0)


def test_maintenance_that_is_left_out_opens_the_machine_and_postponed_closes_it_later():
    kept = replace(SHOP, machines=(replace(SHOP.machines[0], open=((0, 100), (160, 480), *DAYS[1:])), SHOP.machines[1]))
    assert machine(without_maintenance(kept, "PRT1", (100, 160))).open == DAYS
    assert machine(postponed(kept, "PRT1", (100, 160), 300)).open == ((0, 300), (360, 480), *DAYS[1:])
    check(postponed(kept, "PRT1", (100, 160), 300))


def test_what_is_frozen_where_maintenance_goes_to_is_set_free():
    frozen = replace(SHOP, published=PLAN, frozen_until=400)
    changed = postponed(frozen, "PRT1", (700, 760), 200)
    assert [one.operation for one in changed.published] == ["B.1"]


def test_no_change_touches_the_problem_it_starts_from():
    copy = replace(SHOP)
    with_overtime(SHOP, "PRT1", [(480, 600)])
    outsourced(SHOP, ["A.1"], days=1)
    rushed(SHOP, "A", due=1)
    postponed(SHOP, "PRT1", (480, 500), 100)
    assert copy == SHOP


# ---------------------------------------------------------------------------------------------- from plain values


def test_several_changes_follow_one_another():
    changed = branch(
        SHOP,
        [
            {"change": "overtime", "machine": "PRT1", "spans": [[480, 600]], "per_hour": "42.50"},
            {"change": "rush", "job": "A", "weight": 4},
            {"change": "outsource", "job": "B", "days": 1.5, "money": "120.00"},
            {"change": "late", "operations": ["A.2"], "release": 700},
            {"change": "booked", "machine": "CUT", "span": [0, 50]},
            {"change": "breakdown", "machine": "CUT", "span": [60, 70]},
            {"change": "postpone", "machine": "PRT1", "span": [480, 500], "to": 100},
            {"change": "no_maintenance", "machine": "PRT1", "span": [100, 120]},
        ],
    )
    assert machine(changed).open[0] == (0, 500)
    assert machine(changed).overtime == ((500, 600),)
    assert changed.jobs[0].weight == 4.0
    assert list(changed.operations[2].minutes) == ["outside B.1"]
    assert changed.operations[1].release == 700
    assert machine(changed, "CUT").open[0] == (0, 60)
    assert branch(SHOP, []) == SHOP


def test_times_may_be_dates_with_their_offset():
    start = minute_after(datetime(2026, 11, 23, 5, tzinfo=UTC))
    dated = Problem(start, start + 5000, (Machine("PRT1", ((start, start + 480),)),), (), ())
    iso = {"change": "breakdown", "machine": "PRT1", "span": ["2026-11-23T06:30+01:00", "2026-11-23T06:00+00:00"]}
    assert machine(branch(dated, [iso])).open == ((start, start + 30), (start + 60, start + 480))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"change": "magic"}, "Change 2 is 'magic': write one of overtime, outsource"),
        ({}, "Change 2 is None"),
        ("overtime", "Change 2 is None"),
        ({"change": "overtime", "spans": [[1, 2]]}, "Change 2, overtime: It names no machine"),
        ({"change": "overtime", "machine": "X", "spans": [[1, 2]]}, "Change 2, overtime: There is no machine X"),
        ({"change": "overtime", "machine": "PRT1", "spans": [[2, 1]]}, "Change 2, overtime: From 2 to 1 is no time"),
        ({"change": "overtime", "machine": "PRT1", "spans": []}, "spans is \\[\\]: write a list of starts and ends"),
        ({"change": "overtime", "machine": "PRT1", "spans": [[1]]}, "write a start and an end"),
        ({"change": "overtime", "machine": "PRT1", "spans": [[1.5, 3]]}, "spans is 1.5: write a whole minute"),
        (
            {"change": "overtime", "machine": "PRT1", "spans": [["2026-11-23T06:30", 3]]},
            "2026-11-23T06:30': write a whole minute, or a date and time with its offset",
        ),
        (
            {"change": "overtime", "machine": "PRT1", "spans": [[1, 2]], "per_hour": "free"},
            "per_hour is 'free': write an amount",
        ),
        ({"change": "rush", "job": "A", "wieght": 2, "due": 3}, "Change 2, rush: It has no field 'wieght'"),
        ({"change": "rush", "job": "A"}, "neither a weight nor a due date"),
        ({"change": "rush", "job": "A", "weight": -1}, "Change 2, rush: The weight of job A is -1.0"),
        ({"change": "rush", "job": "Z", "weight": 1}, "There is no order Z"),
        ({"change": "outsource", "days": 2}, "Name either its operations or a job"),
        ({"change": "outsource", "job": "A", "operations": ["A.1"], "days": 2}, "Name either"),
        ({"change": "outsource", "operations": ["Q"], "days": 2}, "There is no operation Q"),
        ({"change": "outsource", "job": "A", "days": 0}, "a number of days above 0"),
        ({"change": "outsource", "job": "A", "days": True}, "days is True: write a number"),
        ({"change": "outsource", "job": "A", "days": 90}, "outside A.1 has no more than"),
        ({"change": "outsource", "job": "A", "days": 1, "money": -5}, "money is -5: write an amount"),
        ({"change": "postpone", "machine": "PRT1", "span": [0, 60]}, "It names no to"),
        ({"change": "late", "operations": "A.1", "release": 3}, "operations is 'A.1': write a list of operations"),
    ],
)
def test_a_change_that_means_nothing_is_named_by_its_number(change, named):
    good = {"change": "rush", "job": "A", "weight": 2}
    with pytest.raises(InvalidChange, match=named) as error:
        branch(SHOP, [good, change])
    assert error.value.fields["number"] == 2


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5000)
    | st.floats(allow_nan=True)
    | st.sampled_from(["A", "PRT1", "A.1"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["machine", "span"]), inner, max_size=2)
    ),
    max_leaves=4,
)
fields = ["machine", "spans", "span", "to", "job", "operations", "days", "money", "weight", "due", "release"]


@given(st.sampled_from(sorted(module.CHANGES)), st.dictionaries(st.sampled_from(fields), plain, max_size=5))
def test_whatever_is_asked_the_answer_is_a_sound_problem_or_a_refusal(name, asked):
    try:
        changed = branch(SHOP, [{**asked, "change": name}])
    except InvalidChange:
        return
    check(changed)


# ---------------------------------------------------------------------------------------------- side by side


def compared(branches, problem=SHOP, plan=PLAN):
    return compare_branches(problem, plan, branches, effort=EFFORT, chains=1)


def test_branches_are_laid_side_by_side_with_what_each_gains_and_costs():
    table = compared(
        {
            "a late shift": [
                {"change": "overtime", "machine": "PRT1", "spans": [[480, 800]], "per_hour": 30},
            ],
            "B goes out": [{"change": "outsource", "job": "B", "days": 0.5, "money": "150"}],
        }
    )
    assert table.planned == figures_of(SHOP, PLAN)
    base, shift, out = table.rows()
    assert [one["name"] for one in (base, shift, out)] == ["", "a late shift", "B goes out"]
    assert base["cost_more"] == 0
    assert shift["weighted_tardiness_min_more"] < 0
    assert shift["overtime_money"] == (Decimal(30) * shift["overtime_min"] / 60).quantize(Decimal("0.01"))
    assert shift["money"] > 0
    assert (out["outside_money"], out["money"]) == (150, 150)
    assert out["weighted_tardiness_min_more"] < 0
    assert table.branches[0].to_base.after == table.branches[0].figures


def test_a_branch_without_changes_equals_the_base():
    whole = textile(40, seed=4)
    table = compared({"as it is": []}, whole, first_plan(whole).assignments)
    assert table.branches[0].figures == table.base.figures
    assert table.branches[0].to_base.moves == ()


def test_every_plan_of_a_branch_is_feasible_for_its_branch():
    whole = textile(40, seed=6, loads=True)
    plan = first_plan(whole).assignments
    machine_of_it = plan[0].machine
    table = compared(
        {
            "breakdown": [{"change": "breakdown", "machine": machine_of_it, "span": [whole.start, whole.start + 900]}],
            "outside": [{"change": "outsource", "job": whole.jobs[2].id, "days": 3}],
        },
        whole,
        plan,
    )
    for one in table.branches:
        assert not faults(one.problem, one.plan.assignments)


def test_a_branch_that_can_not_be_planned_is_named_with_the_reason():
    table = compared({"full": [{"change": "booked", "machine": "PRT1", "span": [410, 3300]}], "as it is": []})
    assert [one.name for one in table.branches] == ["as it is"]
    assert "B.1" in table.without_plan["full"] or "A.1" in table.without_plan["full"]


def test_a_wrong_branch_is_refused_before_anything_is_searched(monkeypatch):
    monkeypatch.setattr(module, "solve", lambda *_, **__: pytest.fail("searched"))
    with pytest.raises(InvalidChange, match="Branch wrong: Change 1 is 'x'") as error:
        compared({"fine": [], "wrong": [{"change": "x"}]})
    assert error.value.fields["branch"] == "wrong"
