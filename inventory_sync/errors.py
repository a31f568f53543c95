"""What can go wrong with an ERP: five kinds, and three refinements that say what is missing.

Every connector translates whatever its server does into exactly these. `retryable` is the caller's whole policy:
the same call may succeed later (Unavailable, Ambiguous after a look-up, Conflict) or never will (Rejected, Protocol).

NotEnoughStock and SlotTaken are conflicts too (somebody else has the metre or the minute), but the *same* call will
not succeed a moment later, so they are not retryable: the caller plans anew with fresh stock and bookings, or blocks
the line with the sentence.
"""

from typing import Any, ClassVar


class ErpError(Exception):
    """The ERP did not do what it was asked."""

    code: ClassVar[str] = "erp_error"
    retryable: ClassVar[bool] = False
    http_status: ClassVar[int] = 502

    def __init__(self, message: str = "", *, fields: dict[str, Any] | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").strip())
        self.fields = fields or {}


class ErpUnavailable(ErpError):
    """The ERP can't be reached or is too busy: nothing was changed, try again later."""

    code = "erp_unavailable"
    retryable = True
    http_status = 503


class ErpAmbiguous(ErpError):
    """The answer was lost: the ERP may have done it. Look the record up before trying again."""

    code = "erp_ambiguous"
    retryable = True
    http_status = 503


class ErpConflict(ErpError):
    """The record is not in the state that was expected, or somebody changed it at the same time."""

    code = "erp_conflict"
    retryable = True
    http_status = 409


class ErpRejected(ErpError):
    """The ERP refuses this: it would refuse it again."""

    code = "erp_rejected"
    http_status = 422


class ErpProtocol(ErpError):
    """The ERP's answer makes no sense, so nothing was believed."""

    code = "erp_protocol"


class StaleStock(ErpUnavailable):
    """What is known of the stock is too old to release on, and the ERP can't be asked: try again when it answers.

    Fields: sku, as_of (ISO date and time), age_min, limit_min.
    """

    code = "stale_stock"


class NotEnoughStock(ErpConflict):
    """There is not enough of a material.

    Fields: sku, lot, unit, wanted, free, longest_roll, missing, available_from (ISO date and time, or None).
    """

    code = "not_enough_stock"
    retryable = False


class SlotTaken(ErpConflict):
    """Somebody else has booked the work centre at that time.

    Fields: work_centre, start, end, taken_by, taken_from, taken_until.
    """

    code = "slot_taken"
    retryable = False
