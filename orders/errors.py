"""What can go wrong in the story of an order. Each class carries its code, HTTP status and fields.

The docstring of a class is its message where none is given.
"""

from enum import StrEnum
from typing import Any, ClassVar


class OrderError(Exception):
    """The order can't go on."""

    code: ClassVar[str] = "order_error"
    retryable: ClassVar[bool] = False
    http_status: ClassVar[int] = 400

    def __init__(self, message: str = "", *, fields: dict[str, Any] | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").strip())
        self.fields = fields or {}


class InvalidOrder(OrderError):
    """The order can't be taken as it is written."""

    code = "invalid_order"


class DueDatePast(OrderError):
    """The due date lies in the past: give a later one."""

    code = "due_date_past"


class UnknownPlan(OrderError):
    """There is no such plan, or no such run of planning."""

    code = "unknown_plan"
    http_status = 404


class DraftRefused(OrderError):
    """Something of this draft can't be done as things stand: look at it again."""

    code = "draft_refused"
    http_status = 409


class NotNewest(OrderError):
    """This design is of an earlier round: go on from it, or take one of the newest."""

    code = "not_newest"
    http_status = 409


class StaleState(OrderError):
    """Somebody else was quicker: the line has moved on. Look again, then decide."""

    code = "stale_state"
    http_status = 409


class IllegalTransition(OrderError):
    """That can't be done in the present state."""

    code = "not_now"
    http_status = 409

    def __init__(self, state: StrEnum, event: StrEnum) -> None:
        super().__init__(
            f"That can't be done now: no {event.value} while {state.value.replace('_', ' ')}.",
            fields={"state": state.value, "event": event.value},
        )


class CandidateNotPassed(OrderError):
    """This candidate can't be made as it is: choose another, or ask for a change."""

    code = "candidate_not_passed"
    http_status = 409


class DesignTaken(OrderError):
    """This design, or one nearly the same, is promised to another customer: choose another, or ask for a change."""

    code = "design_taken"
    http_status = 409


class AlreadySold(OrderError):
    """Nearly the same design has been sold to somebody else: it can't be promised to one customer any more."""

    code = "already_sold"
    http_status = 409


class DesignRejected(OrderError):
    """A designer rejected this design: choose another, or ask in the studio for it to be looked at again."""

    code = "design_rejected"
    http_status = 409


class DecidedMeanwhile(OrderError):
    """Somebody else has decided about this design meanwhile: look again, then decide."""

    code = "decided_meanwhile"
    http_status = 409


class InvalidDecision(OrderError):
    """This can't be kept as a decision."""

    code = "invalid_decision"


class NotReviewable(OrderError):
    """The line is past its review: what was approved is being made, or it was cancelled."""

    code = "not_reviewable"
    http_status = 409


class UnknownCandidate(OrderError):
    """This line has no such candidate in its newest round."""

    code = "unknown_candidate"
    http_status = 404


class NothingPasses(OrderError):
    """None of the designs drawn can be made on this machine."""

    code = "manufacturability"


class NotYetInStock(OrderError):
    """Something that the line needs is not in stock yet: try again once it has come."""

    code = "not_yet_in_stock"
    http_status = 409


class NotChangeable(OrderError):
    """Quantity, cloth and date can't be changed any more."""

    code = "not_changeable"
    http_status = 409


class PlacedAlready(OrderError):
    """This form was sent before, for another order: send it once more to place it as an order of its own."""

    code = "placed_already"
    http_status = 409


class SentAlready(OrderError):
    """This form was sent before and said something else: look at what came of it, then send it once more."""

    code = "sent_already"
    http_status = 409


class NothingDrawn(OrderError):
    """Nothing is drawn for this line yet, and nobody has said what shall be."""

    code = "nothing_drawn"
    http_status = 409


class StrikeOffFirst(OrderError):
    """The strike-off comes first: the line is made once that is approved."""

    code = "strike_off_first"
    http_status = 409


class PriceMoved(OrderError):
    """The price is another by now than the one that was shown: look again, then decide."""

    code = "price_moved"
    http_status = 409


class SpecificationMoved(OrderError):
    """What would be agreed is another by now than what was shown: look again, then decide."""

    code = "specification_moved"
    http_status = 409


class UnknownLink(OrderError):
    """This link is not complete, or it is none of ours: open it once more from the message it came with."""

    code = "unknown_link"
    http_status = 404


class LinkOver(OrderError):
    """This link is over: ask whoever sent it for a new one."""

    code = "link_over"
    http_status = 410


class LinkBusy(OrderError):
    """That was very often in a short time: wait a minute, then go on."""

    code = "link_busy"
    http_status = 429


class LinkUsedUp(OrderError):
    """That is as often as this link allows: ask whoever sent it to go on for you."""

    code = "link_used_up"
    http_status = 409


class OutsideLimits(OrderError):
    """That is farther than this link allows."""

    code = "outside_limits"


class NotReleased(OrderError):
    """The line has no released files to send to a machine."""

    code = "not_released"
    http_status = 409


class HoldChanged(OrderError):
    """What was held for this line is no longer held as it was planned: try again to plan it anew."""

    code = "hold_changed"
    http_status = 409


class FileDamaged(OrderError):
    """This file is not what was released: it is not handed out. Ask for it to be released anew."""

    code = "file_damaged"
    http_status = 410


class NoSeat(OrderError):
    """Too many people are watching designs being drawn just now: look at the line again in a moment."""

    code = "no_seat"
    http_status = 503


class NothingToRetry(OrderError):
    """There is nothing to try again: it is being done just now, or it is over. Look again."""

    code = "nothing_to_retry"
    http_status = 409


class InvalidReport(OrderError):
    """This can't be reported as it is written."""

    code = "invalid_report"


class ReportRefused(OrderError):
    """That can't be reported as things stand: look again."""

    code = "report_refused"
    http_status = 409


class ReportUnlikely(OrderError):
    """That is unlikely: look again, and say that it is so."""

    code = "report_unlikely"
    http_status = 409


class NotInspecting(OrderError):
    """The cloth of this line is not being inspected."""

    code = "not_inspecting"
    http_status = 409


class InspectionOver(OrderError):
    """Somebody else was quicker: this cloth is decided on. Look again."""

    code = "inspection_over"
    http_status = 409


class CorrectionOver(OrderError):
    """What this correction was proposed on has changed since: look again."""

    code = "correction_over"
    http_status = 409


class LostLease(OrderError):
    """This worker was too slow: its lease is over and another has the step. Nothing was written."""

    code = "lost_lease"


class WorkerDied(OrderError):
    """The worker on this step died each time it was tried."""

    code = "worker_died"


class Unexpected(OrderError):
    """Something happened that nobody foresaw; the server's log has the details."""

    code = "unexpected"
    retryable = True
    http_status = 500
