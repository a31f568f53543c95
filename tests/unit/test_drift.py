"""When a series of readings drifts, and what answers it."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from production.domain.drift import LEAST_READINGS, Reading, shrink_for, sizes_off, trend

START = datetime(2026, 9, 1, 8, tzinfo=UTC)


def readings(values, *, every_days=1.0):
    return [Reading(START + timedelta(days=every_days * number), float(value)) for number, value in enumerate(values)]


def noise(count, seed, sd=0.1):
    return np.random.default_rng(seed).normal(0, sd, count)


def test_a_steady_series_seldom_drifts():
    alarms = sum(trend(readings(noise(25, seed)), least_spread=0.05).drifts for seed in range(200))
    assert alarms <= 8, "a false alarm in twenty-five at most"


def test_a_shift_of_two_spreads_is_seen_within_eight_readings():
    late = [
        not trend(readings([*noise(20, seed), *(noise(8, seed + 999) + 0.2)]), least_spread=0.05).drifts
        for seed in range(100)
    ]
    assert sum(late) <= 10


def test_a_slow_drift_is_no_spread_and_its_slope_is_found():
    values = [0.01 * number for number in range(60)] + noise(60, 3, 0.02)
    found = trend(readings(values), least_spread=0.02)
    assert found.drifts
    assert found.spread < 0.05
    assert found.per_day == pytest.approx(0.01, rel=0.1)
    assert found.since is not None
    assert found.since > START


def test_one_odd_cloth_is_no_drift():
    values = [*noise(20, 5, 0.05), 2.0, *noise(12, 6, 0.05)]
    assert not trend(readings(values), least_spread=0.05).drifts


def test_few_readings_say_nothing():
    assert not trend(readings([5.0] * (LEAST_READINGS - 1)), least_spread=0.05).drifts
    assert trend(readings([5.0] * LEAST_READINGS), least_spread=0.05).drifts
    assert trend([], least_spread=0.05).mean == 0.0


def test_cloths_of_the_same_moment_have_no_slope():
    same = [Reading(START, value) for value in (0.0, 1.0, 2.0)]
    assert trend(same, least_spread=0.1).per_day == 0.0


@given(st.lists(st.floats(-1e3, 1e3, allow_nan=False), max_size=40), st.randoms())
def test_the_order_in_which_readings_come_does_not_matter(values, random):
    mixed = readings(values)
    random.shuffle(mixed)
    assert trend(mixed, least_spread=0.1) == trend(readings(values), least_spread=0.1)


@given(st.floats(0, 12), st.floats(-4, 4))
def test_with_the_shrinkage_that_is_proposed_the_next_cloth_comes_out_as_asked(given_pct, off_pct):
    true = 1 - (1 - given_pct / 100) * (1 + off_pct / 100)  # what the fabric really does
    new = shrink_for(given_pct, off_pct=off_pct)
    came_out = (1 - true) / (1 - new / 100)
    assert came_out == pytest.approx(1, abs=1.5e-4)


def test_a_drift_too_small_to_be_worth_a_new_ticket_is_left_alone():
    small, large = (trend(readings([value] * 10), least_spread=0.02) for value in (0.1, 0.4))
    assert (small.drifts, large.drifts) == (True, True)
    across, along = sizes_off(small, large)
    assert across == 0.0
    assert along == pytest.approx(0.4, abs=0.02)
