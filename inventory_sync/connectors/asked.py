"""What every connector checks of what it is asked, before it asks anybody else."""

from collections.abc import Sequence
from datetime import datetime
from decimal import ROUND_UP, Decimal
from hashlib import file_digest
from itertools import pairwise
from typing import Final

from inventory_sync.errors import ErpRejected
from inventory_sync.ports import STEP, Document, SlotHold

LARGEST: Final = Decimal(10) ** 8


def quantity_of(value: Decimal, sku: str) -> Decimal:
    """Above nothing, below absurd, rounded up to a millimetre so that what is held is enough."""
    quantity = Decimal(value)
    if not quantity.is_finite() or not 0 < quantity < LARGEST:
        raise ErpRejected(
            f"{value} is no quantity of {sku}: write one above 0.", fields={"sku": sku, "quantity": str(value)}
        )
    return quantity.quantize(STEP, ROUND_UP)


def aware(moment: datetime, field: str) -> datetime:
    """A moment with its time zone. Raises ErpRejected for one without."""
    if moment.tzinfo is None:
        raise ErpRejected(f"{field} has no time zone: {moment.isoformat()}.", fields={field: moment.isoformat()})
    return moment


def check_slots(slots: Sequence[SlotHold]) -> None:
    """Forwards, in a time zone, and not two at once on one work centre."""
    for slot in slots:
        if aware(slot.end, "end") <= aware(slot.start, "start"):
            raise ErpRejected(
                f"A slot on {slot.work_centre} ends before it starts.",
                fields={"work_centre": slot.work_centre, "start": slot.start.isoformat(), "end": slot.end.isoformat()},
            )
    ordered = sorted(slots, key=lambda slot: (slot.work_centre, slot.start))
    for one, other in pairwise(ordered):
        if one.work_centre == other.work_centre and other.start < one.end:
            raise ErpRejected(
                f"Two slots of one hold overlap on {one.work_centre}.",
                fields={"work_centre": one.work_centre, "start": other.start.isoformat()},
            )


def check_document(document: Document) -> None:
    """The file is there and is what its sha256 says. Raises ErpRejected."""
    try:
        with document.path.open("rb") as file:
            found = file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ErpRejected(
            f"{document.name} can't be read: {error.strerror}.", fields={"document": document.name}
        ) from error
    if found != document.sha256:
        raise ErpRejected(
            f"{document.name} is not the file that was to be attached: its sha256 differs.",
            fields={"document": document.name, "sha256": document.sha256, "found": found},
        )
