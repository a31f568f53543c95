"""The ledger connector: the embedded default for a shop that has no ERP.

Each verb is one transaction. What keeps two orders from the same metre or minute is in ledger_holds.py.
Attachments are kept by reference, path and sha256: the bytes stay in the content-addressed store that wrote them.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from decimal import ROUND_UP, Decimal
from hashlib import file_digest
from itertools import pairwise
from typing import Final, TypeVar

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
from inventory_sync.errors import ErpConflict, ErpProtocol, ErpRejected, ErpUnavailable
from inventory_sync.models import (
    LedgerAttachment,
    LedgerBooking,
    LedgerCalendar,
    LedgerChange,
    LedgerClock,
    LedgerComponent,
    LedgerHold,
    LedgerIncoming,
    LedgerLeave,
    LedgerLot,
    LedgerOrder,
    LedgerProduct,
    LedgerWorkCentre,
    LedgerWorkOrder,
)
from inventory_sync.ports import (
    MANUFACTURING_ORDER,
    STEP,
    Booking,
    Calendar,
    Change,
    Component,
    Cursor,
    Document,
    ErpInfo,
    ErpRecord,
    Hold,
    Incoming,
    Lot,
    ManufacturingOrder,
    RemoteRef,
    SlotHold,
    StockLevel,
    Window,
    WorkCentre,
    WorkOrder,
)
from inventory_sync.shortage import not_enough

T = TypeVar("T")

ATTACHMENT: Final = "attachment"
LARGEST: Final = Decimal(10) ** 8
CHANGES_AT_ONCE: Final = 500

# action -> (states it leads on from, state it leads to)
ACTIONS: Final = {
    "confirm": (frozenset({"draft"}), "confirmed"),
    "start": (frozenset({"confirmed"}), "progress"),
    "finish": (frozenset({"confirmed", "progress"}), "done"),
    "cancel": (frozenset({"draft", "confirmed", "progress"}), "cancel"),
}


class LedgerErp:
    """The Erp port on this product's own database. `clock` says what time it is; tests hold it still."""

    name = "ledger"

    def __init__(self, *, shop: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.shop = shop
        self.clock = clock

    # ------------------------------------------------------------------------------------------- what is there

    def ping(self) -> ErpInfo:
        """Asks the database for something, so that an answer means it is there."""
        with answers():
            LedgerClock.objects.filter(shop=self.shop).exists()
        return ErpInfo("Weftline ledger", "1", f"{self.shop} ({connection.vendor})", "", self.clock())

    def stock(self, skus: Iterable[str]) -> Sequence[StockLevel]:
        """Five queries, however many materials."""
        with answers():
            return self._levels(self._products(skus))

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
                .select_related("work_centre")
                .order_by("start", "pk")
            )
            return [Booking(b.work_centre.code, b.start, b.end, b.reference, b.hold_id is not None) for b in found]

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
        _check_slots(wanted.slots)
        if wanted.expires is not None:
            _aware(wanted.expires, "expires")
        with answers(), transaction.atomic():
            holds.free_expired(self.clock(), shop=self.shop)
        with answers(), transaction.atomic():
            products = self._products(material.sku for material in wanted.materials)
            centres = self._centres(slot.work_centre for slot in wanted.slots)
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
            mine = LedgerHold.objects.filter(shop=self.shop, reference=reference, consumed=False).first()
            return mine is not None and self._release(mine)

    def _release(self, hold: LedgerHold) -> bool:
        skus = sorted(hold.reservations.values_list("lot__product__sku", flat=True))
        reference = hold.reference
        if not holds.drop(hold):
            return False
        self._note([("hold", reference), *(("stock", sku) for sku in skus)])
        return True

    def _lots_for(self, wanted: Hold, products: dict[str, LedgerProduct], mine: LedgerHold) -> dict[int, Decimal]:
        """Lot id -> quantity: the lots named, and then a choice of lots for what may come from anywhere."""
        before = dict(mine.reservations.values_list("lot_id", "quantity"))
        quantities: dict[int, Decimal] = defaultdict(Decimal)
        anywhere: dict[str, Decimal] = defaultdict(Decimal)
        for material in wanted.materials:
            quantity = _quantity(material.quantity, material.sku)
            if material.lot is None:
                anywhere[material.sku] += quantity
            else:
                quantities[self._lot(products[material.sku], material.lot).pk] += quantity
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
        _check_kind(kind)
        with answers():
            order = LedgerOrder.objects.filter(shop=self.shop, external_id=external_id).first()
        return _ref(order) if order else None

    def upsert(self, record: ErpRecord) -> RemoteRef:
        """The unique constraint on (shop, external id) makes it one, whoever else writes at the same time."""
        _check_kind(record.kind)
        values = record.values
        with answers(), transaction.atomic():
            products = self._products([values.product, *(component.sku for component in values.components)])
            centres = self._centres(work.work_centre for work in values.work_orders)
            quantity = _quantity(values.quantity, values.product)
            order, made = LedgerOrder.objects.get_or_create(
                shop=self.shop,
                external_id=record.external_id,
                defaults={"product": products[values.product], "quantity": quantity, "reference": values.reference},
            )
            if not made and _value_of(order) == _normal(values):
                return _ref(order)
            self._write(order, values, products, centres)
            self._note([(record.kind, record.external_id)])
            return _ref(order)

    def _write(
        self,
        order: LedgerOrder,
        values: ManufacturingOrder,
        products: dict[str, LedgerProduct],
        centres: dict[str, LedgerWorkCentre],
    ) -> None:
        if order.state in {"done", "cancel"}:
            raise ErpRejected(
                f"{order.external_id} is {order.get_state_display().lower()} and can't be changed any more.",
                fields={"external_id": order.external_id, "state": order.state},
            )
        mine = LedgerOrder.objects.filter(pk=order.pk, revision=order.revision, state=order.state)
        if not mine.update(
            product=products[values.product],
            quantity=_quantity(values.quantity, values.product),
            reference=values.reference,
            due=values.due,
            note=values.note,
            revision=F("revision") + 1,
        ):
            raise ErpConflict(f"{order.external_id} is being changed by somebody else.")
        order.components.all().delete()
        order.work_orders.all().delete()
        LedgerComponent.objects.bulk_create(
            LedgerComponent(
                order=order,
                position=position,
                product=products[component.sku],
                lot=self._lot(products[component.sku], component.lot) if component.lot else None,
                quantity=_quantity(component.quantity, component.sku),
            )
            for position, component in enumerate(values.components)
        )
        LedgerWorkOrder.objects.bulk_create(
            LedgerWorkOrder(
                order=order,
                position=position,
                name=work.name,
                work_centre=centres[work.work_centre],
                start=_aware(work.start, "start"),
                end=_aware(work.end, "end"),
                minutes=work.minutes,
            )
            for position, work in enumerate(values.work_orders)
        )

    def act(self, ref: RemoteRef, action: str, expect: str) -> str:
        """`finish` uses up what the order's reference holds, `cancel` frees it, in the same transaction."""
        if action not in ACTIONS:
            choices = ", ".join(ACTIONS)
            raise ErpRejected(f"A manufacturing order can't {action!r}; it can {choices}.", fields={"action": action})
        sources, target = ACTIONS[action]
        with answers(), transaction.atomic():
            order = self._order(ref)
            fields = {"external_id": ref.external_id, "state": order.state, "expect": expect, "action": action}
            if order.state == target:
                return target
            if order.state != expect:
                raise ErpConflict(f"{ref.external_id} is {order.state}, not {expect}: look again.", fields=fields)
            if order.state not in sources:
                raise ErpRejected(f"{ref.external_id} is {order.state}: it can't {action} from there.", fields=fields)
            if not LedgerOrder.objects.filter(pk=order.pk, state=expect).update(state=target):
                raise ErpConflict(f"{ref.external_id} has just been moved on by somebody else.", fields=fields)
            if action == "finish":
                holds.consume(self.shop, order.reference)
            if action == "cancel":
                held = LedgerHold.objects.filter(shop=self.shop, reference=order.reference, consumed=False).first()
                if held:
                    self._release(held)
            self._note([(ref.kind, ref.external_id)])
        return target

    def attach(self, ref: RemoteRef, document: Document) -> RemoteRef:
        """Reads the file once to make sure that it is what its sha256 says."""
        _check_document(document)
        with answers(), transaction.atomic():
            order = self._order(ref)
            attachment, made = LedgerAttachment.objects.get_or_create(
                order=order,
                name=document.name,
                sha256=document.sha256,
                defaults={"mime": document.mime, "path": str(document.path), "as_link": document.as_link},
            )
            if made:
                self._note([(ATTACHMENT, f"{ref.external_id}/{document.name}"[:128])])
        return RemoteRef(ATTACHMENT, f"{ref.external_id}/{document.name}", str(attachment.pk))

    # ------------------------------------------------------------------------------------------- rows of this shop

    def _products(self, skus: Iterable[str]) -> dict[str, LedgerProduct]:
        wanted = list(dict.fromkeys(skus))
        found = {product.sku: product for product in LedgerProduct.objects.filter(shop=self.shop, sku__in=wanted)}
        return {sku: _known(found, sku, "sku", "There is no product") for sku in wanted}

    def _centres(self, codes: Iterable[str]) -> dict[str, LedgerWorkCentre]:
        wanted = list(dict.fromkeys(codes))
        found = {centre.code: centre for centre in LedgerWorkCentre.objects.filter(shop=self.shop, code__in=wanted)}
        return {code: _known(found, code, "work_centre", "There is no work centre") for code in wanted}

    def _lot(self, product: LedgerProduct, lot: str) -> LedgerLot:
        found = {one.lot: one for one in LedgerLot.objects.filter(product=product, lot=lot)}
        return _known(found, lot, "lot", f"{product.name} has no roll")

    def _order(self, ref: RemoteRef) -> LedgerOrder:
        _check_kind(ref.kind)
        orders = LedgerOrder.objects.filter(shop=self.shop, external_id=ref.external_id)
        found = {order.external_id: order for order in orders}
        return _known(found, ref.external_id, "external_id", "There is no manufacturing order")

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


def _known(found: dict[str, T], key: str, field: str, sentence: str) -> T:
    if key not in found:
        raise ErpRejected(f"{sentence} {key}.", fields={field: key})
    return found[key]


def _check_kind(kind: str) -> None:
    if kind != MANUFACTURING_ORDER:
        raise ErpRejected(f"The ledger keeps no {kind!r}; it keeps {MANUFACTURING_ORDER!r}.", fields={"kind": kind})


def _quantity(value: Decimal, sku: str) -> Decimal:
    """Above nothing, below absurd, rounded up to a millimetre so that what is held is enough."""
    quantity = Decimal(value)
    if not quantity.is_finite() or not 0 < quantity < LARGEST:
        raise ErpRejected(
            f"{value} is no quantity of {sku}: write one above 0.", fields={"sku": sku, "quantity": str(value)}
        )
    return quantity.quantize(STEP, ROUND_UP)


def _aware(moment: datetime, field: str) -> datetime:
    if moment.tzinfo is None:
        raise ErpRejected(f"{field} has no time zone: {moment.isoformat()}.", fields={field: moment.isoformat()})
    return moment


def _check_slots(slots: Sequence[SlotHold]) -> None:
    """Forwards, in a time zone, and not two at once on one work centre."""
    for slot in slots:
        if _aware(slot.end, "end") <= _aware(slot.start, "start"):
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


def _check_document(document: Document) -> None:
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


def _ref(order: LedgerOrder) -> RemoteRef:
    return RemoteRef(MANUFACTURING_ORDER, order.external_id, str(order.pk), order.state)


def _normal(values: ManufacturingOrder) -> ManufacturingOrder:
    """The values as the ledger keeps them, to compare with what it has."""
    return replace(
        values,
        quantity=_quantity(values.quantity, values.product),
        components=tuple(replace(one, quantity=_quantity(one.quantity, one.sku)) for one in values.components),
    )


def _value_of(order: LedgerOrder) -> ManufacturingOrder:
    components = order.components.select_related("product", "lot")
    work_orders = order.work_orders.select_related("work_centre")
    return ManufacturingOrder(
        product=order.product.sku,
        quantity=order.quantity,
        reference=order.reference,
        components=tuple(
            Component(one.product.sku, one.quantity, one.lot.lot if one.lot else None) for one in components
        ),
        work_orders=tuple(
            WorkOrder(one.name, one.work_centre.code, one.start, one.end, one.minutes) for one in work_orders
        ),
        due=order.due,
        note=order.note,
    )


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
