"""The instances are what their authors say, and shops are what a shop is like."""

import hashlib
from dataclasses import replace

import pytest
from ortools.sat.python import cp_model

from production.planning.check import check
from production.planning.model import model_of
from production.planning.problem import Problem
from production.planning.rules import first_plan, forward, plan_by
from production.planning.validate import faults
from tests.benchmarks.planning_instances import (
    FT06,
    FT06_OPTIMUM,
    FT10,
    SETUPS,
    TAILLARD,
    job_shop_of,
    read_vallada_ruiz,
    taillard_job_shop,
    taillard_routes,
    textile,
    vallada_ruiz,
)


@pytest.mark.parametrize(("operations", "machines"), [(50, 8), (200, 10), (1000, 20)])
@pytest.mark.parametrize("tight", [False, True])
def test_a_textile_shop_has_the_size_it_is_asked_for_and_can_be_planned(operations, machines, tight):
    shop = textile(operations, seed=1, tight=tight)
    check(shop)
    assert (len(shop.operations), len(shop.machines)) == (operations, machines)
    assert faults(shop, first_plan(shop).assignments) == ()


def test_the_same_seed_is_the_same_shop_and_only_due_dates_are_tight():
    slack, tight = textile(200, seed=3), textile(200, seed=3, tight=True)
    assert slack == textile(200, seed=3)
    assert slack.operations == tight.operations != textile(200, seed=4).operations
    assert sum(job.due for job in tight.jobs) < sum(job.due for job in slack.jobs)


def test_orders_are_as_the_trade_has_them():
    shop = textile(1000, seed=1)
    firsts = [one for one in shop.operations if not one.after]
    printed = sum(one.name == "printer" for one in firsts) / len(firsts)
    assert printed == pytest.approx(0.72, abs=0.06)
    assert sum(job.release is not None for job in shop.jobs) / len(shop.jobs) == pytest.approx(0.55, abs=0.06)
    assert {job.weight for job in shop.jobs} == {1.0, 2.0, 4.0, 10.0}
    assert {one.splittable for one in firsts if one.name == "loom"} == {True}
    assert all("printer-1" not in one.minutes for one in firsts if one.attributes.get("fabric") == "fabric-10")


def test_changeovers_take_what_the_trade_says():
    def takes(code, before, after):
        return SETUPS[code].between(before, after).minutes

    cotton = {"fabric": "fabric-1", "ink": "reactive"}
    assert takes("printer", cotton, cotton) == 2
    assert takes("printer", cotton, cotton | {"fabric": "fabric-2"}) == 15
    assert takes("printer", cotton, cotton | {"ink": "acid"}) == 75
    assert SETUPS["printer"].between(cotton, cotton | {"ink": "acid"}).cost > 0
    fine = {"warp": "cotton-fine", "pattern": "a"}
    assert takes("loom", fine, fine | {"pattern": "b"}) == 8
    assert takes("loom", fine, {"warp": "cotton-coarse", "pattern": "b"}) == 240
    assert takes("loom", fine, {"warp": "silk", "pattern": "b"}) == 360
    assert (
        takes("washer", {"shade": "light"}, {"shade": "dark"}),
        takes("washer", {"shade": "dark"}, {"shade": "light"}),
    ) == (8, 30)


def test_due_dates_are_neither_hopeless_nor_no_matter():
    for seed in (1, 2, 3):
        tight = textile(200, seed=seed, tight=True)
        assert 0 < len(plan_by(tight, "atcs").figures.late_jobs) < len(tight.jobs) / 4
        late = plan_by(tight, "atcs").figures.weighted_tardiness_min
        assert forward(tight).figures.weighted_tardiness_min > 3 * late > 0


def test_steamers_take_loads_where_asked_for():
    shop = textile(200, seed=1, loads=True)
    check(shop)
    plan = first_plan(shop)
    assert faults(shop, plan.assignments) == ()
    steamed = [(one.start, one.end) for one in plan.assignments if one.machine == "steamer-1"]
    assert len(set(steamed)) < len(steamed)


def test_unrelated_machines_need_no_changeover_at_first_and_one_between_any_two():
    shop = vallada_ruiz(20, 3, 49, seed=1)
    check(shop)
    for code, matrix in shop.setups.items():
        state = next(one.state for one in shop.machines if one.code == code)
        jobs = [one.attributes for one in shop.operations]
        assert {matrix.between(state, one).minutes for one in jobs} == {0}
        between = [matrix.between(a, b).minutes for a in jobs for b in jobs if a != b]
        assert 1 <= min(between) < max(between) <= 49
    assert shop == vallada_ruiz(20, 3, 49, seed=1) != vallada_ruiz(20, 3, 49, seed=2)


PUBLISHED = """2  2  1
2
\t0\t73\t1\t42
\t0\t17\t1\t29
SSD
M0
0\t9
4\t0
M1
0\t7
3\t0
"""


def test_a_published_file_is_read(tmp_path):
    path = tmp_path / "I_2_2_S_1-9_1.txt"
    path.write_text(PUBLISHED)
    shop = read_vallada_ruiz(path)
    assert [dict(one.minutes) for one in shop.operations] == [{"M00": 73, "M01": 42}, {"M00": 17, "M01": 29}]
    first, second = (one.attributes for one in shop.operations)
    assert [shop.setups[code].between(first, second).minutes for code in ("M00", "M01")] == [9, 7]
    assert [shop.setups[code].between(second, first).minutes for code in ("M00", "M01")] == [4, 3]


@pytest.mark.parametrize("broken", [("SSD", "SDD"), ("M1", "M2"), ("\t1\t42", "\t2\t42")])
def test_a_file_of_another_form_is_refused(tmp_path, broken):
    path = tmp_path / "broken.txt"
    path.write_text(PUBLISHED.replace(*broken))
    with pytest.raises(ValueError, match=r"broken\.txt"):
        read_vallada_ruiz(path)


# Of the rows of machine and minutes as a public collection of job shops has them (tamy0612/JSPLIB).
DIGESTS = (
    "89871f3c84fc5f76",
    "d7292e8a5b359459",
    "9122a6f468197738",
    "e090bf4ac5de64ad",
    "fb4800d3cb4f9cfc",
    "58eabedb56850e31",
    "95a14e2869f221bc",
    "93e963ad51669901",
    "64d7149329c64426",
    "e805f518b6167831",
)


@pytest.mark.parametrize("number", range(1, 11))
def test_taillards_job_shops_are_the_published_ones(number):
    rows = "\n".join(
        " ".join(f"{machine} {minutes}" for machine, minutes in route) for route in taillard_routes(number)
    )
    assert hashlib.sha256(rows.encode()).hexdigest()[:16] == DIGESTS[number - 1]


def test_a_job_shop_counts_its_makespan_alone():
    shop = taillard_job_shop(1)
    check(shop)
    plan = first_plan(shop)
    assert plan.figures.cost == plan.figures.makespan_min >= TAILLARD[0][2]


def optimum(shop: Problem) -> float:
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 2
    solver.parameters.max_time_in_seconds = 60
    model = model_of(shop)
    assert solver.solve(model.cp) == cp_model.OPTIMAL
    return solver.objective_value


def test_fisher_and_thompsons_job_shops_are_the_published_ones():
    small, large = job_shop_of(FT06), job_shop_of(FT10)
    assert optimum(small) == FT06_OPTIMUM
    assert (len(large.machines), len(large.jobs)) == (10, 10)
    # The published sums of a job's and of a machine's minutes.
    assert sum(sum(one.minutes.values()) for one in large.operations) == 5109
    assert optimum(replace(small, operations=small.operations[:18], jobs=small.jobs[:3])) <= FT06_OPTIMUM
