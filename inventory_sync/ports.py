"""The Erp port: what Weftline asks of a shop's ERP, and the values that pass through it.

A connector is one class with these verbs, made with `shop=`, that passes tests/contract/test_erp_connector.py.
Quantities are Decimal in the product's own unit (`in_unit` converts); times are aware and UTC; records are known
by *our* `external_id`, never by the ERP's.

Why `hold` is a verb of its own and not an upsert of records: an order needs its roll, its inks and its machine minutes
all together or not at all, and two orders must never get the same metre or minute. Only the connector can promise
that, in whatever way its ERP allows (the ledger: one transaction; Odoo: see connectors/odoo_holds.py).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_UP, Decimal
from pathlib import Path
from typing import Final, Protocol

from inventory_sync.errors import ErpRejected

STEP: Final = Decimal("0.001")  # the finest quantity a ledger or an ERP keeps: a millimetre, a millilitre, a gram

_UNITS: Final[Mapping[str, tuple[str, Decimal]]] = {
    "m": ("length", Decimal(1)),
    "cm": ("length", Decimal("0.01")),
    "mm": ("length", Decimal("0.001")),
    "l": ("volume", Decimal(1)),
    "ml": ("volume", Decimal("0.001")),
    "kg": ("mass", Decimal(1)),
    "g": ("mass", Decimal("0.001")),
    "pcs": ("pieces", Decimal(1)),
}


def in_unit(quantity: Decimal | float | str, unit: str, to: str) -> Decimal:
    """A quantity in another unit, rounded up to the finest step so that what is reserved is enough.

    Raises ErpRejected when the units don't measure the same thing.

    >>> in_unit(412.3, "ml", "l")
    Decimal('0.413')
    """
    if unit not in _UNITS or to not in _UNITS or _UNITS[unit][0] != _UNITS[to][0]:
        raise ErpRejected(f"{unit!r} can't be converted to {to!r}.", fields={"unit": unit, "to": to})
    exact = Decimal(str(quantity)) * _UNITS[unit][1] / _UNITS[to][1]
    return exact.quantize(STEP, ROUND_UP)


# ---------------------------------------------------------------------------------------------- what is there


@dataclass(frozen=True)
class ErpInfo:
    """Who answers: for the health page and for the doctor."""

    product: str
    version: str
    where: str  # database, company or shop
    user: str
    server_time: datetime
    currency: str = ""  # what it counts in; empty: whatever the shop does


@dataclass(frozen=True)
class Lot:
    """One roll, or the one heap of a material that is not kept by lot (`lot` is then empty)."""

    lot: str
    free: Decimal  # on hand and held by nobody
    on_hand: Decimal


@dataclass(frozen=True)
class Incoming:
    """A delivery that has been ordered."""

    quantity: Decimal
    due: datetime
    reference: str = ""


@dataclass(frozen=True)
class StockLevel:
    """What there is of one material, and what could be there when."""

    sku: str
    lots: tuple[Lot, ...]
    incoming: tuple[Incoming, ...]  # by due date
    supplier_lead_days: int | None  # None: nobody delivers it
    unit: str
    unit_cost: Decimal
    as_of: datetime
    name: str = ""
    by_lot: bool = False

    @property
    def free(self) -> Decimal:
        """Free quantity over all lots."""
        return sum((lot.free for lot in self.lots), Decimal(0))

    @property
    def longest(self) -> Decimal:
        """Free quantity of the longest roll; 0 when there is none."""
        return max((lot.free for lot in self.lots), default=Decimal(0))


@dataclass(frozen=True)
class Window:
    """A stretch of time, end excluded."""

    start: datetime
    end: datetime
    what: str = ""


Shifts = tuple[tuple[tuple[float, float], ...], ...]


@dataclass(frozen=True)
class Calendar:
    """When a work centre runs: shifts by weekday in local time, less the leaves."""

    tz: str
    shifts: Shifts  # seven entries, Monday first; each a tuple of (from_hour, to_hour), to_hour may be 24 or beyond
    leaves: tuple[Window, ...] = ()


@dataclass(frozen=True)
class WorkCentre:
    """A machine or a bench, with its capacity and its cost."""

    code: str
    name: str
    kind: str  # printer, loom, finishing, cutting
    cost_per_hour: Decimal
    setup_min: float
    cleanup_min: float
    alternatives: tuple[str, ...]
    attributes: Mapping[str, str]  # machine-readable facts an ERP has no field for, such as width_cm or inks
    calendar: Calendar


@dataclass(frozen=True)
class Booking:
    """Time on a work centre that somebody has taken. `mine`: held through this port, by `reference`."""

    work_centre: str
    start: datetime
    end: datetime
    reference: str
    mine: bool = False


# ---------------------------------------------------------------------------------------------- what is held


@dataclass(frozen=True)
class MaterialHold:
    """So much of a material; of one roll when `lot` is named, otherwise from wherever it is free."""

    sku: str
    lot: str | None
    quantity: Decimal


@dataclass(frozen=True)
class SlotHold:
    """A stretch of one work centre's time."""

    work_centre: str
    start: datetime
    end: datetime
    name: str = ""


@dataclass(frozen=True)
class Hold:
    """What one order line holds, all of it or nothing. `materials` name the lots that were taken."""

    reference: str
    materials: tuple[MaterialHold, ...]
    slots: tuple[SlotHold, ...]
    expires: datetime | None = None  # a quote's hold frees itself; None: held until released or consumed
    fence: int = 0  # grows with every try: what a later try holds can't be replaced by an earlier one


@dataclass(frozen=True)
class Moved:
    """Other machine time for what a reference holds; its materials stay as they are."""

    reference: str
    slots: tuple[SlotHold, ...]


# ---------------------------------------------------------------------------------------------- what is recorded


@dataclass(frozen=True)
class Component:
    """A material that a manufacturing order uses up."""

    sku: str
    quantity: Decimal
    lot: str | None = None


@dataclass(frozen=True)
class WorkOrder:
    """One operation of a manufacturing order, at its planned time."""

    name: str
    work_centre: str
    start: datetime
    end: datetime
    minutes: float


@dataclass(frozen=True)
class ManufacturingOrder:
    """An order to the shop floor, with its own components and operations."""

    product: str  # sku of what is made
    quantity: Decimal
    reference: str  # the order line, and the reference of the hold whose material it consumes
    components: tuple[Component, ...]
    work_orders: tuple[WorkOrder, ...]
    due: datetime | None = None
    note: str = ""
    sale: str = ""  # external id of the sale order it is made for
    sale_line: str = ""  # external id of that order's line


@dataclass(frozen=True)
class SaleLine:
    """One cloth that a customer asked for. `quantity` 0: it was offered, and is not ordered (yet, or any more)."""

    external_id: str
    product: str  # sku of what is made
    description: str
    quantity: Decimal
    unit_price: Decimal


@dataclass(frozen=True)
class SaleOrder:
    """A customer's order as the office sees it. Lines that are not named stay as they are."""

    customer: str
    number: str  # by which the customer and we know it
    lines: tuple[SaleLine, ...]
    currency: str = "EUR"
    promise: datetime | None = None
    note: str = ""


MANUFACTURING_ORDER: Final = "manufacturing_order"
SALE_ORDER: Final = "sale_order"


@dataclass(frozen=True)
class ErpRecord:
    """A record as it should stand in the ERP."""

    kind: str
    external_id: str  # ours, the same for ever: writing it twice makes one record
    values: ManufacturingOrder | SaleOrder


@dataclass(frozen=True)
class RemoteRef:
    """Where a record is in the ERP."""

    kind: str
    external_id: str
    remote_id: str
    state: str = field(default="", compare=False)  # as last seen: draft, confirmed, progress, done, cancel


@dataclass(frozen=True)
class Operation:
    """A work order as it stands in the ERP: planned by us, perhaps moved by somebody there."""

    name: str
    work_centre: str
    start: datetime | None
    end: datetime | None
    state: str  # waiting, progress, done, cancel


@dataclass(frozen=True)
class Standing:
    """A record as it stands in the ERP now, whoever changed it last."""

    ref: RemoteRef
    quantity: Decimal = Decimal(0)  # of a manufacturing order
    due: datetime | None = None
    operations: tuple[Operation, ...] = ()
    reserved: tuple[MaterialHold, ...] = ()  # what the ERP keeps for a manufacturing order
    lines: Mapping[str, Decimal] = field(default_factory=dict)  # of a sale order: our line's id -> quantity ordered


@dataclass(frozen=True)
class Document:
    """A file that belongs to a record. The sha256 is its identity; `as_link` asks for a link to `url`, not a copy."""

    name: str
    mime: str
    path: Path
    sha256: str
    as_link: bool = False
    url: str = ""  # where a person opens it


@dataclass(frozen=True)
class Change:
    """Something was changed in the ERP, by us or by anybody: read it again."""

    kind: str
    key: str  # sku, work centre code, hold reference or external id, by kind
    at: datetime


@dataclass(frozen=True)
class Cursor:
    """How far the changes have been read. Opaque to everyone but the connector that made it."""

    value: str = ""


BEGINNING: Final = Cursor()


class Erp(Protocol):
    """What a shop's ERP can be asked. Every verb raises ErpError and nothing else."""

    name: str
    shop: str
    remote: bool  # it lives elsewhere: it can be away, so what was read of it is kept (inventory_sync/mirror.py)

    def ping(self) -> ErpInfo:
        """Who answers."""

    def problems(self) -> Sequence[str]:
        """What an administrator has to mend before orders can run, one sentence each; empty when all is well."""

    def stock(self, skus: Iterable[str] | None) -> Sequence[StockLevel]:
        """Stock by lot, in the order asked; None: of every material. Raises ErpRejected naming any unknown sku."""

    def work_centres(self) -> Sequence[WorkCentre]:
        """All work centres in use, with calendars and leaves, by code."""

    def bookings(self, window: Window) -> Sequence[Booking]:
        """Everybody's bookings that overlap the window, by start."""

    def changes(self, cursor: Cursor) -> tuple[Sequence[Change], Cursor]:
        """What changed since the cursor, oldest first, and the cursor to go on from. May repeat, never misses."""

    def hold(self, wanted: Hold) -> Hold:
        """Hold all of it or nothing, by reference: again with the same reference replaces what it held before.

        Raises NotEnoughStock or SlotTaken; what the reference held before then stays as it was.
        """

    def held(self, reference: str) -> Hold | None:
        """What the reference holds now; None when nothing, or when it has expired."""

    def release(self, reference: str) -> bool:
        """Free what the reference holds. False when it held nothing: releasing twice is no error."""

    def rearrange(self, moves: Sequence[Moved]) -> None:
        """Give several holds other machine time at once, all of them or none: two may change places.

        It asks nothing that lives elsewhere, so that it can be part of the caller's transaction: what an ERP's own
        people have booked, the caller has looked at before. Raises SlotTaken for time that another hold has, and
        ErpConflict for a reference that holds nothing (any more).
        """

    def find(self, kind: str, external_id: str) -> RemoteRef | None:
        """The record with its present state: the look-up that must come before an ambiguous write is repeated."""

    def upsert(self, record: ErpRecord) -> RemoteRef:
        """Make the record, or bring the one with this external id to these values.

        Raises ErpRejected for an unknown product, lot or work centre, and when the record is done or cancelled.
        """

    def act(self, ref: RemoteRef, action: str, expect: str) -> str:
        """Move a record on if its state is `expect`; returns the new state.

        A manufacturing order can confirm, start, finish and cancel; a sale order can confirm and cancel.

        Already there counts as done, so a lost answer can be repeated. Raises ErpConflict with the field `state`
        otherwise, ErpRejected for an action that doesn't lead on from there.
        """

    def work_on(self, external_id: str, operation: str, action: str) -> str:
        """Start or finish a work order of a manufacturing order, by its name; returns the order's state after it.

        The first that is started starts the order; the last that is finished finishes it and uses up what its
        reference holds. Already there counts as done. Raises ErpRejected for an operation it doesn't have, an action
        that doesn't lead on from where it is, and an order that is a draft, done or cancelled.
        """

    def reschedule(self, ref: RemoteRef, work_orders: Sequence[WorkOrder]) -> None:
        """Put the work orders of a manufacturing order on other times and work centres; all that it has, in order.

        One that is begun or done stays as it is. The same again changes nothing. Raises ErpRejected for an order that
        is done, cancelled or not there, and for an unknown work centre.
        """

    def scrap(self, ref: RemoteRef, key: str, quantity: Decimal, why: str) -> RemoteRef:
        """Take so much of what a manufacturing order has made out of the stock as scrap, once by key.

        Raises ErpRejected for an order that is not done, and for more than it has made.
        """

    def attach(self, ref: RemoteRef, documents: Sequence[Document]) -> Sequence[RemoteRef]:
        """Attach files to a manufacturing order, each once: the same name and sha256 again is the same attachment."""

    def standing(self, refs: Sequence[RemoteRef]) -> Sequence[Standing | None]:
        """How records stand now, in the order asked; None for one that is not there (any more)."""

    def tell(self, ref: RemoteRef, key: str, text: str) -> None:
        """Say something on a record for its readers, once by key. `text` is plain; a line each."""

    def ask(self, ref: RemoteRef, key: str, summary: str, text: str) -> None:
        """Put a record on a person's list in the ERP, once by key."""

    def address(self, ref: RemoteRef) -> str:
        """Where a person opens the record in a browser; empty where there is no such place."""
