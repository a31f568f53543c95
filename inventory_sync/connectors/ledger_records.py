"""The order book of the ledger: sale orders, manufacturing orders with their work orders, files, notes and tasks.

Call everything here inside one transaction. What writes returns the changes to be numbered, (kind, key) each; none when
all was so already.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from django.db.models import F, Sum
from django.urls import reverse

from inventory_sync.connectors import ledger_holds as holds
from inventory_sync.connectors import ledger_rows as rows
from inventory_sync.connectors.asked import LARGEST, aware, check_document, quantity_of
from inventory_sync.errors import ErpConflict, ErpRejected
from inventory_sync.models import (
    LedgerAttachment,
    LedgerComponent,
    LedgerHold,
    LedgerNote,
    LedgerOrder,
    LedgerProduct,
    LedgerSale,
    LedgerSaleLine,
    LedgerTask,
    LedgerWorkCentre,
    LedgerWorkOrder,
)
from inventory_sync.ports import (
    MANUFACTURING_ORDER,
    SALE_ORDER,
    Component,
    Document,
    ErpRecord,
    ManufacturingOrder,
    MaterialHold,
    Operation,
    RemoteRef,
    SaleLine,
    SaleOrder,
    Standing,
    WorkOrder,
)

Noted = list[tuple[str, str]]
Row = LedgerOrder | LedgerSale

ATTACHMENT: Final = "attachment"
SCRAP: Final = "scrap"
CENT: Final = Decimal("0.0001")  # the finest price per unit
# kind -> (its table, what people call it)
KINDS: Final[dict[str, tuple[type[Row], str]]] = {
    MANUFACTURING_ORDER: (LedgerOrder, "manufacturing order"),
    SALE_ORDER: (LedgerSale, "sale order"),
}
# kind -> action -> (states it leads on from, state it leads to)
ACTIONS: Final = {
    MANUFACTURING_ORDER: {
        "confirm": (frozenset({"draft"}), "confirmed"),
        "start": (frozenset({"confirmed"}), "progress"),
        "finish": (frozenset({"confirmed", "progress"}), "done"),
        "cancel": (frozenset({"draft", "confirmed", "progress"}), "cancel"),
    },
    SALE_ORDER: {
        "confirm": (frozenset({"draft"}), "confirmed"),
        "cancel": (frozenset({"draft", "confirmed"}), "cancel"),
    },
}
# what is done to a work order -> (states it leads on from, state it leads to)
WORK: Final = {
    "start": (frozenset({"waiting"}), "progress"),
    "finish": (frozenset({"waiting", "progress"}), "done"),
}


def find(shop: str, kind: str, external_id: str) -> RemoteRef | None:
    """The record of that external id in the shop, or None."""
    table, _ = _kind(kind)
    row = table.objects.filter(shop=shop, external_id=external_id).first()
    return _ref(kind, row) if row else None


def upsert(shop: str, record: ErpRecord) -> tuple[RemoteRef, Noted]:
    """The unique constraint on (shop, external id) makes it one, whoever else writes at the same time."""
    _kind(record.kind)
    if isinstance(record.values, SaleOrder):
        row, written = _write_sale(shop, record.external_id, record.values)
    else:
        row, written = _write_order(shop, record.external_id, record.values)
    return _ref(record.kind, row), [(record.kind, record.external_id)] if written else []


def act(shop: str, ref: RemoteRef, action: str, expect: str) -> tuple[str, Noted]:
    """`finish` uses up what a manufacturing order's reference holds, `cancel` frees it, in the same transaction."""
    _, called = _kind(ref.kind)
    actions = ACTIONS[ref.kind]
    if action not in actions:
        choices = ", ".join(actions)
        raise ErpRejected(f"A {called} can't {action!r}; it can {choices}.", fields={"action": action})
    sources, target = actions[action]
    row = _row(shop, ref)
    fields = {"external_id": ref.external_id, "state": row.state, "expect": expect, "action": action}
    if row.state == target:
        return target, []
    if row.state != expect:
        raise ErpConflict(f"{ref.external_id} is {row.state}, not {expect}: look again.", fields=fields)
    if row.state not in sources:
        raise ErpRejected(f"{ref.external_id} is {row.state}: it can't {action} from there.", fields=fields)
    if not type(row).objects.filter(pk=row.pk, state=expect).update(state=target, revision=F("revision") + 1):
        raise ErpConflict(f"{ref.external_id} has just been moved on by somebody else.", fields=fields)
    changed = [(ref.kind, ref.external_id)]
    if isinstance(row, LedgerOrder):
        changed += _moved(shop, row, action)
    return target, changed


def work_on(shop: str, external_id: str, operation: str, action: str) -> tuple[str, Noted]:
    """Start or finish one work order: the first that is started starts its order, the last that is done finishes it.

    Returns the order's state. Raises ErpRejected for an operation it doesn't have, and when it is not to be worked on.
    """
    ref = RemoteRef(MANUFACTURING_ORDER, external_id, "")
    order = _row(shop, ref)
    assert isinstance(order, LedgerOrder)
    fields = {"external_id": external_id, "operation": operation, "action": action, "state": order.state}
    if action not in WORK:
        raise ErpRejected(f"A work order can't {action!r}; it can {', '.join(WORK)}.", fields=fields)
    sources, target = WORK[action]
    if order.state not in {"confirmed", "progress"}:
        raise ErpRejected(f"{external_id} is {order.get_state_display().lower()}: nobody works on it.", fields=fields)
    if not LedgerOrder.objects.filter(pk=order.pk, revision=order.revision).update(revision=F("revision") + 1):
        raise ErpConflict(f"{external_id} is being changed by somebody else.", fields=fields)
    work = order.work_orders.filter(name=operation).first()
    if work is None:
        raise ErpRejected(f"{external_id} has no work order {operation}.", fields=fields)
    if work.state == target:
        return order.state, []
    if work.state not in sources:
        raise ErpRejected(f"{operation} of {external_id} is {work.get_state_display().lower()}.", fields=fields)
    order.work_orders.filter(pk=work.pk).update(state=target)
    if not order.work_orders.exclude(state="done").exists():
        return act(shop, ref, "finish", order.state)
    LedgerOrder.objects.filter(pk=order.pk).update(state="progress")
    return "progress", [(MANUFACTURING_ORDER, external_id)]


def reschedule(shop: str, ref: RemoteRef, work_orders: Sequence[WorkOrder]) -> Noted:
    """Only what is still waiting moves. Raises ErpRejected for an order that is over or has other work orders."""
    order = _row(shop, ref)
    assert isinstance(order, LedgerOrder)
    centres = rows.centres(shop, (work.work_centre for work in work_orders))
    _changeable(order)
    if not LedgerOrder.objects.filter(pk=order.pk, revision=order.revision).update(revision=F("revision") + 1):
        raise ErpConflict(f"{ref.external_id} is being changed by somebody else.")
    there = list(order.work_orders.select_related("work_centre"))
    if [row.name for row in there] != [work.name for work in work_orders]:
        raise ErpRejected(
            f"{ref.external_id} has other work orders than these.",
            fields={"external_id": ref.external_id, "operations": [row.name for row in there]},
        )
    moved = False
    for row, work in zip(there, work_orders, strict=True):
        before = (row.work_centre.code, row.start, row.end, row.minutes)
        after = (work.work_centre, aware(work.start, "start"), aware(work.end, "end"), work.minutes)
        if row.state == LedgerWorkOrder.State.WAITING and before != after:
            order.work_orders.filter(pk=row.pk).update(
                work_centre=centres[work.work_centre], start=work.start, end=work.end, minutes=work.minutes
            )
            moved = True
    return [(ref.kind, ref.external_id)] if moved else []


def scrap(shop: str, ref: RemoteRef, key: str, quantity: Decimal, why: str, *, at: datetime) -> tuple[RemoteRef, Noted]:
    """Its order's row is written first, so that two can't scrap the same metre."""
    order = _row(shop, ref)
    if not isinstance(order, LedgerOrder):
        raise ErpRejected(f"Only what was made is scrapped: {ref.external_id} is none.", fields={"kind": ref.kind})
    lost = quantity_of(quantity, order.product.sku)
    LedgerOrder.objects.filter(pk=order.pk).update(revision=F("revision") + 1)
    there = order.scraps.filter(key=key).first()
    if there is not None:
        return RemoteRef(SCRAP, key, str(there.pk)), []
    fields = {"external_id": ref.external_id, "state": order.state, "quantity": str(lost)}
    if order.state != "done":
        state = order.get_state_display().lower()
        raise ErpRejected(f"{ref.external_id} is {state}: it has made nothing.", fields=fields)
    before = order.scraps.aggregate(all=Sum("quantity"))["all"] or Decimal(0)
    if before + lost > order.quantity:
        more = f"{ref.external_id} made {order.quantity:f}, of which {before:f} are scrap: {lost:f} more can't be."
        raise ErpRejected(more, fields=fields)
    made = order.scraps.create(key=key, quantity=lost, why=why[:200], at=at)
    return RemoteRef(SCRAP, key, str(made.pk)), [(ref.kind, ref.external_id)]


def attach(shop: str, ref: RemoteRef, documents: Sequence[Document]) -> tuple[list[RemoteRef], Noted]:
    """Reads each file once to make sure that it is what its sha256 says."""
    order = _row(shop, ref)
    if not isinstance(order, LedgerOrder):
        raise ErpRejected(f"Files go with a manufacturing order: {ref.external_id} is none.", fields={"kind": ref.kind})
    attached, changed = [], []
    for document in documents:
        check_document(document)
        attachment, made = LedgerAttachment.objects.get_or_create(
            order=order,
            name=document.name,
            sha256=document.sha256,
            defaults={
                "mime": document.mime,
                "path": str(document.path),
                "as_link": document.as_link,
                "url": document.url,
            },
        )
        name = f"{ref.external_id}/{document.name}"
        attached.append(RemoteRef(ATTACHMENT, name, str(attachment.pk)))
        if made:
            changed.append((ATTACHMENT, name[:128]))
    return attached, changed


def standing(shop: str, refs: Sequence[RemoteRef]) -> list[Standing | None]:
    """How each record stands; a handful of queries, however many are asked for."""
    orders = LedgerOrder.objects.filter(shop=shop, external_id__in=_named(refs, MANUFACTURING_ORDER))
    sales = LedgerSale.objects.filter(shop=shop, external_id__in=_named(refs, SALE_ORDER))
    found: dict[tuple[str, str], Standing] = {}
    reserved = _reserved(shop, [order.reference for order in orders])
    for order in orders.prefetch_related("work_orders__work_centre"):
        operations = tuple(
            Operation(work.name, work.work_centre.code, work.start, work.end, work.state)
            for work in order.work_orders.all()
        )
        ref = _ref(MANUFACTURING_ORDER, order)
        held = tuple(reserved.get(order.reference, ()))
        found[MANUFACTURING_ORDER, order.external_id] = Standing(ref, order.quantity, order.due, operations, held)
    for sale in sales.prefetch_related("lines"):
        lines = {line.external_id: line.quantity for line in sale.lines.all()}
        found[SALE_ORDER, sale.external_id] = Standing(_ref(SALE_ORDER, sale), due=sale.promise, lines=lines)
    return [found.get((ref.kind, ref.external_id)) for ref in refs]


def tell(shop: str, ref: RemoteRef, key: str, text: str, *, at: datetime) -> None:
    """Once by key: what was said under it before stays as it was said."""
    _row(shop, ref)
    LedgerNote.objects.get_or_create(shop=shop, external_id=ref.external_id, key=key, defaults={"text": text, "at": at})


def ask(shop: str, ref: RemoteRef, key: str, summary: str, text: str, *, at: datetime) -> None:
    """Once by key, also when it has been done since."""
    _row(shop, ref)
    LedgerTask.objects.get_or_create(
        shop=shop, external_id=ref.external_id, key=key, defaults={"summary": summary, "text": text, "at": at}
    )


def address(ref: RemoteRef) -> str:
    """The record's page in the admin."""
    if ref.kind not in KINDS or not ref.remote_id:
        return ""
    table, _ = KINDS[ref.kind]
    return reverse(f"admin:inventory_sync_{table._meta.model_name}_change", args=[ref.remote_id])


# ------------------------------------------------------------------------------------------- writing


def _write_sale(shop: str, external_id: str, values: SaleOrder) -> tuple[Row, bool]:
    """The sale order with these values, and whether it had others before."""
    products = rows.products(shop, (line.product for line in values.lines))
    header = {
        "customer": values.customer,
        "number": values.number,
        "currency": values.currency,
        "promise": values.promise and aware(values.promise, "promise"),
        "note": values.note,
    }
    lines = [_sale_line(line) for line in values.lines]
    sale, made = LedgerSale.objects.get_or_create(shop=shop, external_id=external_id, defaults=header)
    named = LedgerSaleLine.objects.filter(shop=shop, external_id__in=[line.external_id for line in lines])
    there = {line.external_id: line for line in named.select_related("product", "sale")}
    for name, row in there.items():
        if row.sale_id != sale.pk:
            raise ErpRejected(f"{name} is a line of {row.sale}, not of {external_id}.", fields={"line": name})
    same = all(line.external_id in there and _value_of_line(there[line.external_id]) == line for line in lines)
    if not made and same and all(getattr(sale, name) == value for name, value in header.items()):
        return sale, False
    _changeable(sale)
    if not LedgerSale.objects.filter(pk=sale.pk, revision=sale.revision, state=sale.state).update(
        **header, revision=F("revision") + 1
    ):
        raise ErpConflict(f"{external_id} is being changed by somebody else.")
    for line in lines:
        LedgerSaleLine.objects.update_or_create(
            shop=shop,
            external_id=line.external_id,
            defaults={
                "sale": sale,
                "product": products[line.product],
                "description": line.description,
                "quantity": line.quantity,
                "unit_price": line.unit_price,
            },
        )
    return sale, True


def _write_order(shop: str, external_id: str, values: ManufacturingOrder) -> tuple[Row, bool]:
    """The manufacturing order with these values, and whether it had others before."""
    products = rows.products(shop, [values.product, *(component.sku for component in values.components)])
    centres = rows.centres(shop, (work.work_centre for work in values.work_orders))
    if values.sale:
        _row(shop, RemoteRef(SALE_ORDER, values.sale, ""))
    values = _normal(values)
    defaults = {"product": products[values.product], "quantity": values.quantity, "reference": values.reference}
    order, made = LedgerOrder.objects.get_or_create(shop=shop, external_id=external_id, defaults=defaults)
    if not made and _value_of(order) == values:
        return order, False
    _changeable(order)
    mine = LedgerOrder.objects.filter(pk=order.pk, revision=order.revision, state=order.state)
    if not mine.update(
        **defaults,
        due=values.due and aware(values.due, "due"),
        note=values.note,
        sale=values.sale,
        sale_line=values.sale_line,
        revision=F("revision") + 1,
    ):
        raise ErpConflict(f"{external_id} is being changed by somebody else.")
    _write_parts(order, values, products, centres)
    return order, True


def _write_parts(
    order: LedgerOrder,
    values: ManufacturingOrder,
    products: dict[str, LedgerProduct],
    centres: dict[str, LedgerWorkCentre],
) -> None:
    """Components and work orders anew; a work order that was started or done already stays so."""
    begun = dict(order.work_orders.exclude(state="waiting").values_list("name", "state"))
    for name in begun.keys() - {work.name for work in values.work_orders}:
        raise ErpRejected(
            f"{name} of {order.external_id} has been started: it can't be left out any more.",
            fields={"external_id": order.external_id, "operation": name},
        )
    order.components.all().delete()
    order.work_orders.all().delete()
    LedgerComponent.objects.bulk_create(
        LedgerComponent(
            order=order,
            position=position,
            product=products[component.sku],
            lot=rows.lot_of(products[component.sku], component.lot) if component.lot else None,
            quantity=component.quantity,
        )
        for position, component in enumerate(values.components)
    )
    LedgerWorkOrder.objects.bulk_create(
        LedgerWorkOrder(
            order=order,
            position=position,
            name=work.name,
            work_centre=centres[work.work_centre],
            start=aware(work.start, "start"),
            end=aware(work.end, "end"),
            minutes=work.minutes,
            state=begun.get(work.name, LedgerWorkOrder.State.WAITING),
        )
        for position, work in enumerate(values.work_orders)
    )


def _moved(shop: str, order: LedgerOrder, action: str) -> Noted:
    """Let an order's work orders and what it holds follow it."""
    if action == "start":
        first = order.work_orders.filter(state="waiting").first()
        if first is not None:
            order.work_orders.filter(pk=first.pk).update(state="progress")
    if action == "finish":
        order.work_orders.update(state="done")
        return holds.consume(shop, order.reference)
    if action == "cancel":
        order.work_orders.exclude(state="done").update(state="cancel")
        return holds.free(shop, order.reference)
    return []


def _changeable(row: Row) -> None:
    if row.state in {"done", "cancel"}:
        raise ErpRejected(
            f"{row.external_id} is {row.get_state_display().lower()} and can't be changed any more.",
            fields={"external_id": row.external_id, "state": row.state},
        )


# ------------------------------------------------------------------------------------------- reading and comparing


def _kind(kind: str) -> tuple[type[Row], str]:
    if kind not in KINDS:
        kept = " and ".join(repr(one) for one in KINDS)
        raise ErpRejected(f"The ledger keeps no {kind!r}; it keeps {kept}.", fields={"kind": kind})
    return KINDS[kind]


def _row(shop: str, ref: RemoteRef) -> Row:
    table, called = _kind(ref.kind)
    found = {row.external_id: row for row in table.objects.filter(shop=shop, external_id=ref.external_id)}
    return rows.known(found, ref.external_id, "external_id", f"There is no {called}")


def _ref(kind: str, row: Row) -> RemoteRef:
    return RemoteRef(kind, row.external_id, str(row.pk), row.state)


def _named(refs: Sequence[RemoteRef], kind: str) -> list[str]:
    return [ref.external_id for ref in refs if _kind(ref.kind) and ref.kind == kind]


def _reserved(shop: str, references: Sequence[str]) -> dict[str, list[MaterialHold]]:
    found = LedgerHold.objects.filter(shop=shop, reference__in=references, consumed=False)
    return {hold.reference: list(holds.value_of(hold).materials) for hold in found}


def _sale_line(line: SaleLine) -> SaleLine:
    """A line as the ledger keeps it. 0 is a quantity here: offered, and not ordered."""
    price = Decimal(line.unit_price)
    if not price.is_finite() or not 0 <= price < LARGEST:
        raise ErpRejected(f"{line.unit_price} is no price of {line.product}.", fields={"sku": line.product})
    quantity = Decimal(0) if line.quantity == 0 else quantity_of(line.quantity, line.product)
    return replace(line, quantity=quantity, unit_price=price.quantize(CENT, ROUND_HALF_UP))


def _value_of_line(line: LedgerSaleLine) -> SaleLine:
    return SaleLine(line.external_id, line.product.sku, line.description, line.quantity, line.unit_price)


def _normal(values: ManufacturingOrder) -> ManufacturingOrder:
    """The values as the ledger keeps them, to compare with what it has."""
    return replace(
        values,
        quantity=quantity_of(values.quantity, values.product),
        components=tuple(replace(one, quantity=quantity_of(one.quantity, one.sku)) for one in values.components),
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
        sale=order.sale,
        sale_line=order.sale_line,
    )
