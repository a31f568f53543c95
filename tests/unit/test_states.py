"""The two transition tables."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.domain.states import (
    LINE_TRANSITIONS,
    STEP_TRANSITIONS,
    LineEvent,
    LineState,
    StepEvent,
    StepState,
    next_line_state,
    next_state,
)
from orders.errors import IllegalTransition

ENDS = {LineState.DONE, LineState.CANCELLED}


def test_the_happy_path_leads_from_draft_to_released():
    state = LineState.DRAFT
    for event in ("submit", "ok", "approve", "ok", "ok", "ok"):
        state = next_line_state(state, LineEvent(event))
    assert state is LineState.RELEASED


def test_every_state_but_the_ends_has_a_way_out():
    ways_out = {state for state, _ in LINE_TRANSITIONS}
    assert set(LineState) - ways_out == ENDS


def test_every_state_can_be_reached():
    assert set(LineState) - set(LINE_TRANSITIONS.values()) == {LineState.DRAFT}


def test_whatever_may_be_known_to_the_erp_is_cancelled_through_taking_it_back():
    for state in LineState:
        after = LINE_TRANSITIONS.get((state, LineEvent.CANCEL))
        if state is LineState.DRAFT:
            assert after is LineState.CANCELLED
        elif after is not None:
            assert after is LineState.CANCELLING


@pytest.mark.parametrize("came_from", ["generating", "planning", "releasing", "syncing", "cancelling"])
def test_a_blocked_line_resumes_where_it_stopped(came_from):
    assert next_line_state(LineState.BLOCKED, LineEvent.RESUME, came_from=LineState(came_from)) == came_from


@pytest.mark.parametrize("came_from", ["planning", "releasing", "syncing"])
def test_a_line_blocked_behind_its_approval_can_be_changed(came_from):
    assert next_line_state(LineState.BLOCKED, LineEvent.CHANGE, came_from=LineState(came_from)) is LineState.PLANNING


@pytest.mark.parametrize("came_from", ["generating", "cancelling"])
def test_a_line_blocked_before_its_approval_or_on_its_way_out_can_not_be_changed(came_from):
    with pytest.raises(IllegalTransition):
        next_line_state(LineState.BLOCKED, LineEvent.CHANGE, came_from=LineState(came_from))


@given(st.sampled_from(LineState), st.sampled_from(LineEvent))
def test_a_pair_that_is_not_in_the_table_is_refused(state, event):
    if (state, event) not in LINE_TRANSITIONS:
        with pytest.raises(IllegalTransition) as refused:
            next_line_state(state, event)
        assert state.value.replace("_", " ") in str(refused.value)


def test_a_finished_step_never_moves_again():
    for state, event in itertools.product((StepState.DONE, StepState.FAILED, StepState.DROPPED), StepEvent):
        with pytest.raises(IllegalTransition):
            next_state(STEP_TRANSITIONS, state, event)
