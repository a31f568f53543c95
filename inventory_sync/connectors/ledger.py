"""The ledger connector: the embedded default for a shop that has no ERP.

Each verb is one transaction. What keeps two orders from the same metre or minute is in ledger_holds.py, the order book
in ledger_records.py. Attachments are kept by reference, path and sha256: the bytes stay in the store that wrote them.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from django.db import (
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    connection,
    transaction,
)
from django.db.models import F, Q

from inventory_sync.connectors import ledger_holds as holds
from inventory_sync.connectors import ledger_records as records
from inventory_sync.connectors import ledger_rows as rows
from inventory_sync.connectors.asked import aware, check_slots, quantity_of
from inventory_sync.errors import ErpConflict, ErpProtocol, ErpRejected, ErpUnavailable
from inventory_sync.models import (
    LedgerBooking,
    LedgerCalendar,
    LedgerChange,
    LedgerClock,
    LedgerHold,
    LedgerIncoming,
    LedgerLeave,
    LedgerLot,
    LedgerProduct,
    LedgerWorkCentre,
)
from inventory_sync.ports import (
    Booking,
    Calendar,
    Change,
    Cursor,
    Document,
    ErpInfo,
    ErpRecord,
    Hold,
    Incoming,
    Lot,
    Moved,
    RemoteRef,
    Standing,
    StockLevel,
    Window,
    WorkCentre,
    WorkOrder,
)
from inventory_sync.shortage import not_enough

FINISHED: Final = "finished"  # the kind of a product that is made here
CHANGES_AT_ONCE: Final = 500


class LedgerErp:
    """The Erp port on this product's own database. `clock` says what time it is; tests hold it still."""

    name = "ledger"
    remote = False

    def __init__(self, *, shop: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.shop = shop
        self.clock = clock

    # ------------------------------------------------------------------------------------------- what is there

    def ping(self) -> ErpInfo:
        """Asks the database for something, so that an answer means it is there."""
        with answers():
            LedgerClock.objects.filter(shop=self.shop).exists()
        return ErpInfo("Weftline ledger", "1", f"{self.shop} ({connection.vendor})", "", self.clock())

    def problems(self) -> Sequence[str]:
        """None: what it lacks, `manage.py migrate` and the health page say."""
        return ()

    def stock(self, skus: Iterable[str] | None) -> Sequence[StockLevel]:
        """Five queries, however many materials."""
        with answers():
            if skus is None:
                materials = LedgerProduct.objects.filter(shop=self.shop).exclude(kind=FINISHED).order_by("sku")
                return self._levels({product.sku: product for product in materials})
            return self._levels(rows.products(self.shop, skus))

    def work_centres(self) -> Sequence[WorkCentre]:
        """Holidays of the calendar and leaves of the machine itself come together in its Calendar."""
        with answers():
            centres = LedgerWorkCentre.objects.filter(shop=self.shop).select_related("calendar").order_by("code")
            leaves = list(LedgerLeave.objects.filter(shop=self.shop).order_by("start"))
        return [_work_centre(centre, leaves) for centre in centres]

    def bookings(self, window: Window) -> Sequence[Booking]:
        """Bookings of expired holds are left out."""
        with answers():
            found = (
                LedgerBooking.objects.filter(holds.living(self.clock()), work_centre__shop=self.shop)
                .filter(start__lt=window.end, end__gt=window.start)
                .order_by("start", "pk")
                .values_list("work_centre__code", "start", "end", "reference", "hold")
            )
            return [Booking(code, start, end, name, hold is not None) for code, start, end, name, hold in found]

    def changes(self, cursor: Cursor) -> tuple[Sequence[Change], Cursor]:
        """Numbers are given in order of commit, so a cursor never passes a change that is still being written."""
        if cursor.value and not cursor.value.isdecimal():
            raise ErpRejected(f"{cursor.value!r} is no cursor of the ledger.", fields={"cursor": cursor.value})
        with answers():
            since = LedgerChange.objects.filter(shop=self.shop, number__gt=int(cursor.value or 0)).order_by("number")
            found = list(since[:CHANGES_AT_ONCE])
        changes = [Change(one.kind, one.key, one.at) for one in found]
        return changes, Cursor(str(found[-1].number)) if found else cursor

    # ------------------------------------------------------------------------------------------- what is held

    def hold(self, wanted: Hold) -> Hold:
        """All of it in one transaction; see ledger_holds.py for the two guards."""
        check_slots(wanted.slots)
        if wanted.expires is not None:
            aware(wanted.expires, "expires")
        with answers(), transaction.atomic():
            holds.free_expired(self.clock(), shop=self.shop)
        with answers(), transaction.atomic():
            products = rows.products(self.shop, (material.sku for material in wanted.materials))
            centres = rows.centres(self.shop, (slot.work_centre for slot in wanted.slots))
            mine = holds.claim(self.shop, wanted.reference, wanted.fence)
            lots = self._lots_for(wanted, products, mine)
            short = holds.take_lots(mine, lots)
            if short is not None:
                raise self._shortage(LedgerLot.objects.select_related("product").get(pk=short), lots[short], mine)
            holds.take_slots(mine, wanted.slots, centres)
            mine.expires = wanted.expires
            mine.save(update_fields=["expires"])
            self._note([("hold", wanted.reference), *(("stock", sku) for sku in products)])
            return holds.value_of(mine)

    def held(self, reference: str) -> Hold | None:
        """None for an expired hold, swept or not."""
        with answers():
            mine = LedgerHold.objects.filter(
                Q(expires=None) | Q(expires__gt=self.clock()), shop=self.shop, reference=reference, consumed=False
            ).first()
            return holds.value_of(mine) if mine else None

    def release(self, reference: str) -> bool:
        """What has been used up stays used up."""
        with answers(), transaction.atomic():
            freed = holds.free(self.shop, reference)
            self._note(freed)
            return bool(freed)

    def rearrange(self, moves: Sequence[Moved]) -> None:
        """Under the same guard as `hold`: each work centre's row is written before its bookings are read."""
        for move in moves:
            check_slots(move.slots)
        with answers(), transaction.atomic():
            holds.free_expired(self.clock(), shop=self.shop)
            centres = rows.centres(self.shop, (slot.work_centre for move in moves for slot in move.slots))
            holds.rearrange(self.shop, moves, centres)
            self._note([("hold", move.reference) for move in moves])

    def _lots_for(self, wanted: Hold, products: dict[str, LedgerProduct], mine: LedgerHold) -> dict[int, Decimal]:
        """Lot id -> quantity: the lots named, and then a choice of lots for what may come from anywhere."""
        before = dict(mine.reservations.values_list("lot_id", "quantity"))
        quantities: dict[int, Decimal] = defaultdict(Decimal)
        anywhere: dict[str, Decimal] = defaultdict(Decimal)
        for material in wanted.materials:
            quantity = quantity_of(material.quantity, material.sku)
            if material.lot is None:
                anywhere[material.sku] += quantity
            else:
                quantities[rows.lot_of(products[material.sku], material.lot).pk] += quantity
        holds.lock_products(products[sku].pk for sku in anywhere)
        for sku, quantity in anywhere.items():
            lots = LedgerLot.objects.filter(product=products[sku])
            shares = holds.spread(lots, quantity, before=before, wanted=quantities)
            if shares is None:
                level = self._levels({sku: products[sku]}, mine)[0]
                raise not_enough(level, wanted=quantity, one_lot=False, now=self.clock(), tz=self._tz())
            for lot_id, share in shares.items():
                quantities[lot_id] += share
        return dict(quantities)

    def _shortage(self, lot: LedgerLot, quantity: Decimal, mine: LedgerHold) -> ErpConflict:
        level = self._levels({lot.product.sku: lot.product}, mine)[0]
        return not_enough(
            level, wanted=quantity, one_lot=lot.product.by_lot, now=self.clock(), tz=self._tz(), lot=lot.lot or None
        )

    # ------------------------------------------------------------------------------------------- what is recorded

    def find(self, kind: str, external_id: str) -> RemoteRef | None:
        """By our external id, in this shop."""
        with answers():
            return records.find(self.shop, kind, external_id)

    def upsert(self, record: ErpRecord) -> RemoteRef:
        """The same values again change nothing, and are no change to read."""
        with answers(), transaction.atomic():
            ref, changed = records.upsert(self.shop, record)
            self._note(changed)
            return ref

    def act(self, ref: RemoteRef, action: str, expect: str) -> str:
        """A manufacturing order's work orders and what its reference holds go with it."""
        with answers(), transaction.atomic():
            state, changed = records.act(self.shop, ref, action, expect)
            self._note(changed)
            return state

    def work_on(self, external_id: str, operation: str, action: str) -> str:
        """Start or finish one work order, as an operator would in an ERP; the manufacturing order's state after it."""
        with answers(), transaction.atomic():
            state, changed = records.work_on(self.shop, external_id, operation, action)
            self._note(changed)
            return state

    def reschedule(self, ref: RemoteRef, work_orders: Sequence[WorkOrder]) -> None:
        """By their order in the manufacturing order."""
        with answers(), transaction.atomic():
            self._note(records.reschedule(self.shop, ref, work_orders))

    def scrap(self, ref: RemoteRef, key: str, quantity: Decimal, why: str) -> RemoteRef:
        """The ledger keeps no stock of what is made: it keeps the loss."""
        with answers(), transaction.atomic():
            scrapped, changed = records.scrap(self.shop, ref, key, quantity, why, at=self.clock())
            self._note(changed)
            return scrapped

    def attach(self, ref: RemoteRef, documents: Sequence[Document]) -> Sequence[RemoteRef]:
        """All of them or none."""
        with answers(), transaction.atomic():
            attached, changed = records.attach(self.shop, ref, documents)
            self._note(changed)
            return attached

    def standing(self, refs: Sequence[RemoteRef]) -> Sequence[Standing | None]:
        """From the tables, as of now."""
        with answers():
            return records.standing(self.shop, refs)

    def tell(self, ref: RemoteRef, key: str, text: str) -> None:
        """Readers find it in the admin."""
        with answers(), transaction.atomic():
            records.tell(self.shop, ref, key, text, at=self.clock())

    def ask(self, ref: RemoteRef, key: str, summary: str, text: str) -> None:
        """The list is in the admin."""
        with answers(), transaction.atomic():
            records.ask(self.shop, ref, key, summary, text, at=self.clock())

    def address(self, ref: RemoteRef) -> str:
        """The record's page in the admin, on this server."""
        return records.address(ref)

    # ------------------------------------------------------------------------------------------- rows of this shop

    def _levels(self, products: dict[str, LedgerProduct], mine: LedgerHold | None = None) -> list[StockLevel]:
        """`mine`: what that hold has already is free to it."""
        now = self.clock()
        own = dict(mine.reservations.values_list("lot_id", "quantity")) if mine else {}
        ids = [product.pk for product in products.values()]
        overdue = holds.overdue_by_lot(ids, now)
        lots: dict[int, list[Lot]] = defaultdict(list)
        for lot in LedgerLot.objects.filter(product__in=ids, on_hand__gt=0).order_by("lot"):
            free = lot.on_hand - lot.held + overdue.get(lot.pk, Decimal(0)) + own.get(lot.pk, Decimal(0))
            lots[lot.product_id].append(Lot(lot.lot, free, lot.on_hand))
        incoming: dict[int, list[Incoming]] = defaultdict(list)
        for one in LedgerIncoming.objects.filter(product__in=ids).order_by("due", "pk"):
            incoming[one.product_id].append(Incoming(one.quantity, one.due, one.reference))
        return [
            StockLevel(
                sku=sku,
                lots=tuple(lots[product.pk]),
                incoming=tuple(incoming[product.pk]),
                supplier_lead_days=product.supplier_lead_days,
                unit=product.unit,
                unit_cost=product.unit_cost,
                as_of=now,
                name=product.name,
                by_lot=product.by_lot,
            )
            for sku, product in products.items()
        ]

    def _tz(self) -> str:
        calendar = LedgerCalendar.objects.filter(shop=self.shop).order_by("pk").first()
        return calendar.tz if calendar else "UTC"

    def _note(self, changes: Sequence[tuple[str, str]]) -> None:
        """Number the changes. Last in its transaction: the clock's row stays locked until commit."""
        if not changes:
            return
        count = len(changes)
        if not LedgerClock.objects.filter(shop=self.shop).update(number=F("number") + count):
            LedgerClock.objects.get_or_create(shop=self.shop)
            LedgerClock.objects.filter(shop=self.shop).update(number=F("number") + count)
        last = LedgerClock.objects.get(shop=self.shop).number
        now = self.clock()
        LedgerChange.objects.bulk_create(
            LedgerChange(shop=self.shop, number=last - count + 1 + index, kind=kind, key=key, at=now)
            for index, (kind, key) in enumerate(changes)
        )


@contextmanager
def answers() -> Iterator[None]:
    """Turn what the database says into what the port says."""
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise ErpUnavailable("The ledger's database is busy or gone: try again.") from error
    except IntegrityError as error:
        raise ErpConflict("Somebody else wrote the same record at this moment: try again.") from error
    except DataError as error:
        raise ErpRejected(f"The ledger can't keep that value: {error}") from error
    except DatabaseError as error:
        raise ErpProtocol("The ledger's tables are not as they should be: run `manage.py migrate`.") from error


# ------------------------------------------------------------------------------------------- checks and conversions


def _work_centre(centre: LedgerWorkCentre, leaves: Sequence[LedgerLeave]) -> WorkCentre:
    own = (leave for leave in leaves if leave.work_centre_id == centre.pk or leave.calendar_id == centre.calendar_id)
    return WorkCentre(
        code=centre.code,
        name=centre.name,
        kind=centre.kind,
        cost_per_hour=centre.cost_per_hour,
        setup_min=centre.setup_min,
        cleanup_min=centre.cleanup_min,
        alternatives=tuple(centre.alternatives),
        attributes=centre.attributes,
        calendar=Calendar(
            tz=centre.calendar.tz,
            shifts=tuple(tuple((float(a), float(b)) for a, b in day) for day in centre.calendar.shifts),
            leaves=tuple(Window(leave.start, leave.end, leave.name) for leave in own),
        ),
    )
