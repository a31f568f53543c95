"""How sure a date is: drawn from what stages took, through the machines' openings, the same for the same seed."""

import time
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory_sync.ports import Calendar
from production.planning.confidence import (
    LEAST_OBSERVATIONS,
    TRADE_RATIOS,
    Stage,
    confident,
    stages_of,
    stages_of_promise,
)
from production.planning.errors import InvalidHistory, UnknownOperation
from production.planning.insertion import gaps_of, insert
from production.planning.openings import minute_after
from production.planning.problem import After, Assignment, Job, Machine, Operation, Problem
from production.planning.promise import RouteStep, promise

ALWAYS = ((0, 100_000),)
DAYS = tuple((day * 1440 + 480, day * 1440 + 960) for day in range(60))  # eight hours each
EXACT = {"print": [1.0] * 8}


def of(*ratios):
    return {"print": list(ratios)}


def ask(*stages, history=EXACT, **more):
    return confident(stages, history, seed=7, **more)


def test_work_that_always_runs_to_plan_ends_when_it_is_planned_to():
    assert ask(Stage("print", 500, 100, DAYS)) == (600, 600)


def test_half_and_nine_of_ten_are_where_the_history_puts_them():
    eight_in_ten = of(*[1.0] * 8, 2.0, 2.0)
    assert ask(Stage("print", 0, 100, ALWAYS), history=eight_in_ten) == (100, 200)
    even = of(*np.linspace(0.5, 1.5, 101))
    p50, p90 = ask(Stage("print", 0, 1000, ALWAYS), history=even, samples=4000)
    assert p50 == pytest.approx(1000, abs=30)
    assert p90 == pytest.approx(1400, abs=30)


def test_what_is_over_late_delays_what_follows_and_what_is_early_does_not_hurry_it():
    chain = (Stage("print", 0, 100, ALWAYS), Stage("cut", 300, 50, ALWAYS, after=((0, 20),)))
    cut = {"cut": [1.0] * 8}
    assert ask(*chain, history=of(*[0.5] * 8) | cut) == (350, 350)
    assert ask(*chain, history=of(*[2.8] * 8) | cut) == (350, 350)
    assert ask(*chain, history=of(*[4.0] * 8) | cut) == (470, 470)


def test_a_stage_that_misses_its_slot_waits_for_its_machine_to_open_for_long_enough():
    late = (Stage("print", 480, 100, ALWAYS), Stage("cut", 600, 100, DAYS, after=((0, 0),)))
    history = of(*[4.0] * 8) | {"cut": [1.0] * 8}
    assert ask(*late, history=history) == (
        1920 + 100,
        1920 + 100,
    )  # done 880, and 80 minutes are too few before closing
    paused = (late[0], Stage("cut", 600, 100, DAYS, splittable=True, after=((0, 0),)))
    assert ask(*paused, history=history) == (1920 + 20, 1920 + 20)


def test_a_stage_that_takes_longer_than_its_machine_is_open_goes_on_when_it_opens():
    assert ask(Stage("print", 900, 60, DAYS), history=of(*[1.5] * 8)) == (1920 + 30, 1920 + 30)


def test_the_last_of_branches_counts():
    branches = (Stage("print", 0, 100, ALWAYS), Stage("cut", 0, 700, ALWAYS))
    assert ask(*branches, history=EXACT | {"cut": [1.0] * 8}) == (700, 700)


def test_too_short_a_history_is_answered_from_trade_knowledge():
    few = of(*[3.0] * (LEAST_OBSERVATIONS - 1))
    stage = Stage("print", 0, 100, ALWAYS)
    assert ask(stage, history=few) == ask(stage, history={}) == ask(stage, history=of(*TRADE_RATIOS))
    assert ask(stage, history=of(*[3.0] * LEAST_OBSERVATIONS)) == (300, 300)


def test_the_same_seed_gives_the_same_answer_whatever_the_order_of_the_history():
    stage, ratios = Stage("print", 0, 997, ALWAYS), list(np.linspace(0.7, 1.9, 40))
    assert ask(stage, history=of(*ratios)) == ask(stage, history=of(*reversed(ratios)))
    others = {confident([stage], of(*ratios), seed=seed) for seed in range(5)}
    assert len(others) > 1


@pytest.mark.parametrize("ratio", [0.0, -1.0, float("nan"), float("inf")])
def test_a_ratio_that_means_nothing_is_refused_by_name(ratio):
    with pytest.raises(InvalidHistory, match=f"print took {ratio} times what was planned"):
        ask(Stage("print", 0, 100, ALWAYS), history=of(*[1.0] * 8, ratio))


def scan(stage, ready, minutes):
    """When it is over, minute by minute: started where its planned minutes fit."""
    runs = {minute for a, b in stage.open for minute in range(a, b)}
    fits = stage.splittable or any(b - a >= stage.minutes for a, b in stage.open)
    minute = ready
    while minute not in runs or (
        fits and not stage.splittable and not all(minute + more in runs for more in range(stage.minutes))
    ):
        minute += 1
    worked = 0
    while worked < minutes:
        worked += minute in runs
        minute += 1
    return minute


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 30), st.integers(1, 30)), min_size=1, max_size=6),
    st.integers(1, 35),
    st.integers(0, 60),
    st.sampled_from([0.5, 1.0, 1.7]),
    st.booleans(),
)
def test_a_stage_is_over_when_counting_minute_by_minute_says(drawn, minutes, start, ratio, splittable):
    at, spans = 0, []
    for closed, length in drawn:
        spans.append((at + closed, at + closed + length))
        at += closed + length
    stage = Stage("print", start, minutes, (*spans, (at + 1, 5000)), splittable)
    expected = scan(stage, start, max(1, -int(-minutes * ratio // 1)))
    assert ask(stage, history=of(*[ratio] * 8), samples=3) == (expected, expected)


def test_a_planned_jobs_stages_are_those_of_its_operations():
    machine = Machine("PRT1", open=((0, 480), (600, 5000)), overtime=((480, 540),))
    operations = (
        Operation("A", "WL-1", {"PRT1": 100}, name="print", splittable=True),
        Operation("B", "WL-1", {"PRT1": 60}, name="cut", after=(After("A", 10),)),
    )
    problem = Problem(0, 5000, (machine,), (Job("WL-1"),), operations)
    planned = [Assignment("A", "PRT1", 440, 660, 440), Assignment("B", "PRT1", 700, 760, 700)]
    first, second = stages_of(problem, planned, "WL-1")
    assert first == Stage("print", 440, 100, machine.open, True)
    assert (second.minutes, second.after, second.open) == (60, ((0, 10),), ((600, 5000),))
    overtime = stages_of(problem, [Assignment("A", "PRT1", 440, 540, 440, True), planned[1]], "WL-1")[0]
    assert (overtime.minutes, overtime.open[0]) == (100, (0, 540))
    with pytest.raises(UnknownOperation, match="no operations of WL-2"):
        stages_of(problem, planned, "WL-2")


def test_what_runs_already_counts_from_when_it_began():
    machine = Machine("PRT1", open=((100, 5000),))
    problem = Problem(100, 5000, (machine,), (Job("J"),), (Operation("A", "J", {"PRT1": 80}, name="print"),))
    (stage,) = stages_of(problem, [Assignment("A", "PRT1", 50, 130, 50)], "J")
    assert ask(stage) == (130, 130)


def test_a_promise_is_never_more_sure_than_its_own_slots():
    day = Calendar("Europe/Paris", (((8.0, 16.0),),) * 5 + ((), ()))
    route = [
        RouteStep("print", ("PRT1",), {"PRT1": 300}),
        RouteStep("cut", ("CUT",), {"CUT": 30}, gap_min=20),
    ]
    calendars = {"PRT1": day, "CUT": day}
    answer = promise(route, calendars=calendars, bookings=[], now=datetime(2026, 11, 22, tzinfo=UTC))
    stages = stages_of_promise(route, answer, calendars=calendars)
    assert [one.minutes for one in stages] == [300, 30]
    exact = confident(stages, {"print": [1.0] * 8, "cut": [1.0] * 8}, seed=1)
    assert exact == (minute_after(answer.date),) * 2
    p50, p90 = confident(stages, {}, seed=1)
    assert minute_after(answer.date) <= p50 < p90


@pytest.mark.alone
def test_six_stages_and_400_samples_take_less_than_20_ms():
    stages = [Stage("print", 500 * n, 60, DAYS, after=((n - 1, 5),) if n else ()) for n in range(6)]
    times = []
    for seed in range(20):
        began = time.perf_counter()
        confident(stages, {}, seed=seed)
        times.append(time.perf_counter() - began)
    assert min(times) < 0.020


def test_an_insertion_can_be_asked_too():
    machine = Machine("PRT1", open=ALWAYS)
    problem = Problem(0, 100_000, (machine,), (Job("J"),), (Operation("A", "J", {"PRT1": 80}, name="print"),))
    found = insert(gaps_of(problem, ()), problem.operations)
    assert ask(*stages_of(problem, found.assignments, "J")) == (80, 80)
