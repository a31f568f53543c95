"""The two transition tables: what may happen to an order line and to a step of its work. Pure data."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from orders.errors import IllegalTransition


class LineState(StrEnum):
    """Where a line of an order stands."""

    DRAFT = "draft"  # entered, not yet handed to the line
    GENERATING = "generating"  # candidates are being drawn, checked, priced and promised
    PROOFING = "proofing"  # the customer chooses
    PLANNING = "planning"  # fabric, ink and machine time are being held
    RELEASING = "releasing"  # machine files, ticket and costing are being written and verified
    SYNCING = "syncing"  # the ERP is being told
    RELEASED = "released"  # the mill can make it
    IN_PRODUCTION = "in_production"  # it is on a machine
    INSPECTING = "inspecting"  # the cloth is compared with its source
    DONE = "done"  # delivered to stock or customer
    BLOCKED = "blocked"  # a person has to decide; the reason is on the line
    CANCELLING = "cancelling"  # what was held is being given back
    CANCELLED = "cancelled"  # nothing more happens


class LineEvent(StrEnum):
    """What can happen to a line."""

    SUBMIT = "submit"
    OK = "ok"
    APPROVE = "approve"
    REVISE = "revise"
    CHANGE = "change"  # quantity, cloth or date of what was approved; the design stays
    START = "start"
    FINISH = "finish"
    PASS = "pass"  # noqa: S105 (the cloth passes inspection)
    FAIL = "fail"
    BLOCK = "block"
    RESUME = "resume"
    CANCEL = "cancel"


class StepState(StrEnum):
    """Where a step of the durable ledger stands."""

    PENDING = "pending"  # waits for a worker, or for its next try
    RUNNING = "running"  # a worker holds the lease; claimable again once the lease is over
    DONE = "done"
    FAILED = "failed"  # no more tries; the line is blocked with the reason
    DROPPED = "dropped"  # a person moved the line on under it; its token opens nothing any more


class StepEvent(StrEnum):
    """What can happen to a step."""

    CLAIM = "claim"
    COMPLETE = "complete"
    RETRY = "retry"
    FAIL = "fail"
    DROP = "drop"


_L, _E = LineState, LineEvent

# blocked + resume and blocked + change are not here: they depend on where the line came from (see next_line_state).
# From the first quote on the ERP knows of the line, so cancelling passes through a step that takes it back there.
LINE_TRANSITIONS: Mapping[tuple[LineState, LineEvent], LineState] = {
    (_L.DRAFT, _E.SUBMIT): _L.GENERATING,
    (_L.DRAFT, _E.CANCEL): _L.CANCELLED,
    (_L.GENERATING, _E.OK): _L.PROOFING,
    (_L.GENERATING, _E.BLOCK): _L.BLOCKED,
    (_L.GENERATING, _E.CANCEL): _L.CANCELLING,
    (_L.PROOFING, _E.APPROVE): _L.PLANNING,
    (_L.PROOFING, _E.REVISE): _L.GENERATING,
    (_L.PROOFING, _E.CANCEL): _L.CANCELLING,
    (_L.PLANNING, _E.OK): _L.RELEASING,
    (_L.PLANNING, _E.BLOCK): _L.BLOCKED,
    (_L.PLANNING, _E.CANCEL): _L.CANCELLING,
    (_L.RELEASING, _E.OK): _L.SYNCING,
    (_L.RELEASING, _E.BLOCK): _L.BLOCKED,
    (_L.RELEASING, _E.CANCEL): _L.CANCELLING,
    (_L.SYNCING, _E.OK): _L.RELEASED,
    (_L.SYNCING, _E.BLOCK): _L.BLOCKED,
    (_L.SYNCING, _E.CANCEL): _L.CANCELLING,
    (_L.RELEASED, _E.CHANGE): _L.PLANNING,
    (_L.RELEASED, _E.START): _L.IN_PRODUCTION,
    (_L.RELEASED, _E.CANCEL): _L.CANCELLING,
    (_L.IN_PRODUCTION, _E.FINISH): _L.INSPECTING,
    (_L.IN_PRODUCTION, _E.CANCEL): _L.CANCELLING,
    (_L.INSPECTING, _E.PASS): _L.DONE,
    (_L.INSPECTING, _E.FAIL): _L.PLANNING,
    (_L.BLOCKED, _E.REVISE): _L.GENERATING,
    (_L.BLOCKED, _E.CANCEL): _L.CANCELLING,
    (_L.CANCELLING, _E.OK): _L.CANCELLED,
    (_L.CANCELLING, _E.BLOCK): _L.BLOCKED,
}

# A line that was blocked behind its approval can be changed: what it waits for may be there for another cloth or less.
CHANGEABLE = frozenset({_L.PLANNING, _L.RELEASING, _L.SYNCING})

_S, _T = StepState, StepEvent

STEP_TRANSITIONS: Mapping[tuple[StepState, StepEvent], StepState] = {
    (_S.PENDING, _T.CLAIM): _S.RUNNING,
    (_S.PENDING, _T.DROP): _S.DROPPED,
    (_S.RUNNING, _T.CLAIM): _S.RUNNING,  # only once the lease is over
    (_S.RUNNING, _T.COMPLETE): _S.DONE,
    (_S.RUNNING, _T.RETRY): _S.PENDING,
    (_S.RUNNING, _T.FAIL): _S.FAILED,
    (_S.RUNNING, _T.DROP): _S.DROPPED,
}

State = TypeVar("State", bound=StrEnum)
Event = TypeVar("Event", bound=StrEnum)


def next_state(table: Mapping[tuple[State, Event], State], state: State, event: Event) -> State:
    """Look up where `event` leads from `state`. Raises IllegalTransition for a pair that is not in the table.

    >>> next_state(LINE_TRANSITIONS, LineState.PROOFING, LineEvent.APPROVE).value
    'planning'
    """
    try:
        return table[state, event]
    except KeyError:
        raise IllegalTransition(state, event) from None


def next_line_state(state: LineState, event: LineEvent, *, came_from: LineState | None = None) -> LineState:
    """Look up the next state of a line; a blocked line that is resumed goes back to where it came from.

    Raises IllegalTransition.
    """
    if (state, event) == (LineState.BLOCKED, LineEvent.RESUME) and came_from is not None:
        return came_from
    if (state, event) == (LineState.BLOCKED, LineEvent.CHANGE) and came_from in CHANGEABLE:
        return LineState.PLANNING
    return next_state(LINE_TRANSITIONS, state, event)
