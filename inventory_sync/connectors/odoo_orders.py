"""Manufacturing orders in Odoo: components from the chosen rolls, work orders at the planned times, no BoM.

Odoo 19 takes all of that in one loading: order, components with their reserved rolls, work orders that are on their
work centres' calendars. Odoo 14 plans and reserves only what is confirmed, in steps of its own.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, ROUND_UP, Decimal
from typing import Any, Final

from inventory_sync.connectors import odoo_links as links
from inventory_sync.connectors import odoo_mapping as mapping
from inventory_sync.connectors.odoo_session import Product, Session
from inventory_sync.errors import ErpConflict, ErpRejected, NotEnoughStock
from inventory_sync.models import ErpLink
from inventory_sync.ports import MANUFACTURING_ORDER, STEP, Component, ManufacturingOrder, WorkOrder

# Odoo keeps two digits of any unit unless its administrator raised them.
FINEST: Final = Decimal("0.01")
# Its own end of a work order is what the plan says; Odoo would count it again by its calendar.
AS_PLANNED: Final = {"bypass_duration_calculation": True}
# action -> (states of a work order it leads on from, state it leads to)
WORK: Final = {
    "start": (frozenset({"waiting"}), "progress"),
    "finish": (frozenset({"waiting", "progress"}), "done"),
}
FINAL: Final = {"done", "cancel"}


class Lacking(Exception):
    """A heap holds less than the order is to reserve of it; what is reserved for the order already is still there."""

    def __init__(self, sku: str, lot: str) -> None:
        super().__init__(f"{sku} {lot}")
        self.sku, self.lot = sku, lot


@dataclass(frozen=True)
class Need:
    """One component: how much, in the unit it is written in, and from which rolls."""

    product: Product
    unit_id: int
    factor: int  # of the written unit in the product's own
    quantity: Decimal  # in the product's own unit
    lots: Mapping[str, Decimal]  # in the product's own unit

    def written(self, quantity: Decimal) -> Decimal:
        """A quantity as Odoo keeps it, to the nearest of its steps."""
        return (quantity * self.factor).quantize(FINEST, ROUND_HALF_UP)


def write(session: Session, shop: str, external_id: str, values: ManufacturingOrder) -> tuple[int, str]:
    """Make the manufacturing order or bring it to these values; returns its id and state.

    What is confirmed is planned and reserved anew. Raises ErpRejected for an unknown product, roll or work centre, for
    an order that is done, cancelled or deleted, and for one that is being made; Lacking where there is too little.
    """
    if not Decimal(values.quantity) > 0:
        raise ErpRejected(
            f"{values.quantity} is no quantity of {values.product}: write one above 0.",
            fields={"sku": values.product, "quantity": str(values.quantity)},
        )
    needs = needs_of(session, values)
    lots = _lot_ids(session, needs)
    for work in values.work_orders:
        session.centre(work.work_centre)
    if values.sale and links.link_of(shop, values.sale) is None:
        raise ErpRejected(f"There is no sale order {values.sale}.", fields={"external_id": values.sale})
    link = links.link_of(shop, external_id)
    if link is None:
        link, made = _make(session, shop, external_id, values, needs, lots)
        _remember(link, values, needs)
        if made:
            if session.names.reserves_on_create:
                _refuse_over_reserved(session, needs)
            return _id(link), "draft"
    state = state_of(session, link)
    if state in FINAL:
        what = "done" if state == "done" else "cancelled"
        raise ErpRejected(
            f"{external_id} is {what} in Odoo and can't be changed any more.",
            fields={"external_id": external_id, "state": state},
        )
    if state == "progress":
        raise ErpRejected(
            f"{external_id} is being made: what is on the machine can't be changed any more.",
            fields={"external_id": external_id, "state": state},
        )
    added = _converge(session, link, values, needs)
    _remember(link, values, needs)
    if added and state == "confirmed" and not session.names.reserves_on_create:
        # Before Odoo 17 a component that is added to a confirmed order is confirmed by planning, and by nothing else.
        for step in ("button_unplan", "button_plan"):
            session.rpc.call("mrp.production", step, [_id(link)], writes=True, context=session.context)
    if state == "confirmed" or session.names.reserves_on_create:
        arrange(session, link, values.work_orders, needs, lots)
    return _id(link), state


def confirm(session: Session, link: ErpLink) -> None:
    """Confirm the order; before Odoo 17 it is planned and reserved only now, and Lacking raised for too little."""
    session.rpc.call("mrp.production", "action_confirm", [_id(link)], writes=True, context=session.context)
    if not session.names.reserves_on_create:
        values = written_last(link)
        needs = needs_of(session, values)
        arrange(session, link, values.work_orders, needs, _lot_ids(session, needs))


def state_of(session: Session, link: ErpLink) -> str:
    """The order's state. Raises ErpRejected where it was deleted."""
    rows = session.own(
        session.rpc.call("mrp.production", "read", [_id(link)], fields=["state", "company_id"], context=session.context)
    )
    if not rows:
        raise ErpRejected(
            f"The manufacturing order of {link.external_id} was deleted in Odoo: a person has to decide.",
            fields={"external_id": link.external_id, "state": "deleted"},
        )
    return mapping.ORDER_STATES.get(rows[0]["state"], str(rows[0]["state"]))


def arrange(
    session: Session,
    link: ErpLink,
    work_orders: Sequence[WorkOrder],
    needs: Sequence[Need],
    lots: Mapping[tuple[str, str], int],
) -> None:
    """Reserve the chosen rolls for the components and put the work orders on their times, in a few calls."""
    _reserve(session, link, needs, lots)
    _plan(session, link, work_orders)  # last: Odoo 14 plans anew by itself whenever a component is written
    if session.names.reserves_on_create:
        _refuse_over_reserved(session, needs)


def _refuse_over_reserved(session: Session, needs: Sequence[Need]) -> None:
    """From 17 on Odoo reserves more than there is without a word. One call."""
    free = _free(session, needs)
    for need in needs:
        for lot in need.lots:
            if free.get((need.product.sku, lot), Decimal(0)) < 0:
                raise Lacking(need.product.sku, lot)


def _free(session: Session, needs: Sequence[Need]) -> dict[tuple[str, str], Decimal]:
    """(sku, lot) -> what nobody has reserved of the heap, in the product's own unit; one call."""
    ids = {need.product.id: need.product for need in needs}
    rows = session.rpc.read(
        "stock.quant",
        [("location_id", "child_of", session.places["stock"]), ("product_id", "in", list(ids))],
        ["product_id", "lot_id", "quantity", "reserved_quantity"],
        context=session.context,
    )
    heaps: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in rows:
        lot = mapping.label(row["lot_id"]) if row["lot_id"] else ""
        free = mapping.number(row["quantity"]) - mapping.number(row["reserved_quantity"])
        heaps[ids[mapping.ident(row["product_id"])].sku, lot] += free
    return heaps


def reschedule(session: Session, link: ErpLink, work_orders: Sequence[WorkOrder]) -> None:
    """Put the work orders that nobody has begun on other times and work centres.

    Raises ErpRejected where the order has others.
    """
    names = session.names
    known = link.parts.get("work", [])
    if [work.name for work in work_orders] != [name for name, *_ in known]:
        raise ErpRejected(
            f"{link.external_id} has other work orders than these.",
            fields={"external_id": link.external_id, "operations": [name for name, *_ in known]},
        )
    there = session.rpc.read(
        "mrp.workorder", [("production_id", "=", _id(link))], ["name", "state"], order="id", context=session.context
    )
    waiting = [row["name"] for row in there if mapping.WORK_STATES.get(row["state"], row["state"]) == "waiting"]
    rows, after = [], []
    for position, work in enumerate(work_orders):
        before = known[position]
        after.append(before)
        if work.name in waiting:
            after[-1] = [work.name, work.work_centre, work.start.isoformat(), work.end.isoformat(), work.minutes]
            rows.append(_times_row(session, link, position, work))
    if rows:
        columns = ["id", "name", "workcenter_id/.id", "duration_expected", names.start, names.end]
        links.load(session, "mrp.workorder", columns, rows, context=AS_PLANNED)
    link.parts = {**link.parts, "work": after}
    ErpLink.objects.filter(pk=link.pk).update(parts=link.parts)


def work_on(session: Session, link: ErpLink, operation: str, action: str) -> bool:
    """Start or finish a work order by its name, once; True when none is left to do.

    Raises ErpRejected for an operation the order doesn't have, or one that is over.
    """
    fields = {"external_id": link.external_id, "operation": operation, "action": action}
    if action not in WORK:
        raise ErpRejected(f"A work order can't {action!r}; it can {', '.join(WORK)}.", fields=fields)
    there = session.rpc.read(
        "mrp.workorder", [("production_id", "=", _id(link))], ["name", "state"], order="id", context=session.context
    )
    states = {row["id"]: mapping.WORK_STATES.get(row["state"], row["state"]) for row in there}
    work = next((row["id"] for row in there if row["name"] == operation), None)
    if work is None:
        raise ErpRejected(f"{link.external_id} has no work order {operation}.", fields=fields)
    sources, target = WORK[action]
    if states[work] != target:
        if states[work] not in sources:
            raise ErpRejected(f"{operation} of {link.external_id} is {states[work]}.", fields=fields)
        if states[work] == "waiting":
            session.rpc.call("mrp.workorder", "button_start", [work], writes=True, context=session.context)
        if action == "finish":
            session.rpc.call("mrp.workorder", "button_finish", [work], writes=True, context=session.context)
        states[work] = target
    return set(states.values()) <= {"done", "cancel"}


def free_reservation(session: Session, order_id: int) -> None:
    """Take the order off its rolls and its machines, and leave it as it is otherwise."""
    session.rpc.call("mrp.production", "do_unreserve", [order_id], writes=True, context=session.context)
    session.rpc.call("mrp.production", "button_unplan", [order_id], writes=True, context=session.context)


def finish(session: Session, order_id: int) -> None:
    """Consume what is reserved, in full, and close the order. Raises ErpConflict where Odoo asks a person instead."""
    order = session.rpc.call("mrp.production", "read", [order_id], fields=["product_qty"], context=session.context)[0]
    # In this order: Odoo 14 rewrites what was consumed when the quantity is set after it.
    session.rpc.call(
        "mrp.production", "write", [order_id], writes=True, vals={"qty_producing": order["product_qty"]},
        context=session.context,
    )  # fmt: skip
    moves = _moves(session, order_id)
    if session.names.reserves_on_create:
        commands = [[1, move["id"], {"quantity": move["product_uom_qty"], "picked": True}] for move in moves]
    else:
        used: dict[int, list[Any]] = defaultdict(list)
        for line in _lines(session, [move["id"] for move in moves]):
            used[mapping.ident(line["move_id"])].append([1, line["id"], {"qty_done": line[session.names.reserved]}])
        commands = [[1, move_id, {"move_line_ids": lines}] for move_id, lines in used.items()]
    session.rpc.call(
        "mrp.production", "write", [order_id], writes=True, vals={"move_raw_ids": commands}, context=session.context
    )
    said = session.rpc.call(
        "mrp.production", "button_mark_done", [order_id], writes=True,
        context={**session.context, "skip_consumption": True, "skip_backorder": True, "skip_immediate": True},
    )  # fmt: skip
    if isinstance(said, dict):
        raise ErpConflict(
            "Odoo asks a question before it closes the order: close it there.", fields={"state": "progress"}
        )


# ------------------------------------------------------------------------------------------------ making


def _make(
    session: Session,
    shop: str,
    external_id: str,
    values: ManufacturingOrder,
    needs: Sequence[Need],
    lots: Mapping[tuple[str, str], int],
) -> tuple[ErpLink, bool]:
    product = session.products([values.product])[values.product]
    head = {
        "product_id/.id": str(product.id),
        "product_qty": str(values.quantity),
        "product_uom_id/.id": str(product.unit_id),
        "bom_id/.id": "",
        "origin": values.reference,
        "date_deadline": mapping.said(values.due) if values.due else "",
        **_sale_cells(session, shop, values),
    }
    components = _component_rows(session, external_id, needs, lots)
    works = _work_rows(session, external_id, values, product)
    columns = ["id", *head, *_columns("move_raw_ids", components), *_columns("workorder_ids", works)]
    rows = []
    for position in range(max(len(components), len(works), 1)):
        cells = list(head.values()) if position == 0 else [""] * len(head)
        for part in (components, works):
            width = len(part[0]) if part else 0
            cells += list(part[position].values()) if position < len(part) else [""] * width
        rows.append(cells)
    link, made = links.make_once(
        session, shop, kind=MANUFACTURING_ORDER, model="mrp.production", external_id=external_id, columns=columns,
        rows=rows, context=AS_PLANNED,
    )  # fmt: skip
    if made and not session.names.references and values.sale_line:
        _meet_delivery(session, _id(link), values.sale_line)
    return link, made


def _columns(field: str, rows: Sequence[Mapping[str, str]]) -> list[str]:
    return [f"{field}/{name}" for name in rows[0]] if rows else []


def _sale_cells(session: Session, shop: str, values: ManufacturingOrder) -> dict[str, str]:
    """What shows the way from the order to its sale and back, as the version does it."""
    cells: dict[str, str] = {}
    if values.sale_line and session.names.linked_sale:
        cells["sale_line_id/id"] = links.name_of(session, values.sale_line)
    if values.sale and session.names.references and (ids := _references(session, shop, values.sale)):
        cells["reference_ids/.id"] = ",".join(map(str, ids))
    return cells


def _references(session: Session, shop: str, sale: str) -> list[int]:
    """Where a confirmed sale order and what is made for it meet in Odoo 19."""
    if (known := session.kept.pop(("references", sale), None)) is not None:
        return list(known)
    link = links.link_of(shop, sale)
    if link is None:
        return []
    row = session.rpc.call(
        "sale.order", "read", [link.remote_id], fields=["stock_reference_ids"], context=session.context
    )
    return list(row[0]["stock_reference_ids"]) if row else []


def _meet_delivery(session: Session, order_id: int, sale_line: str) -> None:
    """Before Odoo 19 the two meet in the delivery that waits for what is made."""
    line = links.look_up(session, links.external_name(session, sale_line))
    if line is None:
        return
    domain = [("sale_line_id", "=", line), ("state", "not in", ["done", "cancel"])]
    moves = session.rpc.read("stock.move", domain, ["id"], context=session.context)
    if moves:
        session.rpc.call(
            "mrp.production", "write", [order_id], writes=True,
            vals={"move_dest_ids": [[4, move["id"]] for move in moves]}, context=session.context,
        )  # fmt: skip


def _component_rows(
    session: Session, external_id: str, needs: Sequence[Need], lots: Mapping[tuple[str, str], int]
) -> list[dict[str, str]]:
    """One row for each component and roll, as columns below move_raw_ids."""
    places = session.places
    rows: list[dict[str, str]] = []
    for need in needs:
        head = _move_cells(session, external_id, need)
        if not session.names.reserves_on_create:
            rows.append(head)
            continue
        for position, (lot, quantity) in enumerate(sorted(need.lots.items()) or [("", Decimal(0))]):
            line = {
                "product_id/.id": str(need.product.id),
                "lot_id/.id": str(lots[need.product.sku, lot]) if lot else "",
                "quantity": str(need.written(quantity)),
                "product_uom_id/.id": str(need.unit_id),
                "location_id/.id": str(places["stock"]),
                "location_dest_id/.id": str(places["production"]),
            }
            kept = line if quantity else dict.fromkeys(line, "")
            rows.append(
                {
                    **(head if position == 0 else dict.fromkeys(head, "")),
                    **{f"move_line_ids/{name}": value for name, value in kept.items()},
                }
            )
    return rows


def _move_cells(session: Session, external_id: str, need: Need) -> dict[str, str]:
    """A component as columns below move_raw_ids."""
    cells = {
        "id": component_name(session, external_id, need.product.sku),
        "product_id/.id": str(need.product.id),
        "product_uom_qty": str(need.written(need.quantity)),
        "product_uom/.id": str(need.unit_id),
        "location_id/.id": str(session.places["stock"]),
        "location_dest_id/.id": str(session.places["production"]),
        "company_id/.id": str(session.places["company"]),
    }
    return {**cells, "name": need.product.sku} if session.names.named_moves else cells


def _work_rows(
    session: Session, external_id: str, values: ManufacturingOrder, product: Product
) -> list[dict[str, str]]:
    """One row for each operation, as columns below workorder_ids."""
    rows = []
    for position, work in enumerate(values.work_orders):
        row = {
            "id": operation_name(session, external_id, position),
            "name": work.name,
            "workcenter_id/.id": str(session.centre(work.work_centre).id),
            "duration_expected": str(round(work.minutes, 4)),
            "product_uom_id/.id": str(product.unit_id),
        }
        if session.names.plans_on_create:
            row[session.names.start] = mapping.said(work.start)
            row[session.names.end] = mapping.said(work.end)
        else:
            row["consumption"] = "flexible"
        rows.append(row)
    return rows


def component_name(session: Session, external_id: str, sku: str) -> str:
    """The external name of the component of a manufacturing order."""
    return links.name_of(session, f"{external_id}:component:{sku}")


def operation_name(session: Session, external_id: str, position: int) -> str:
    """The external name of an operation of a manufacturing order."""
    return links.name_of(session, f"{external_id}:operation:{position}")


# ------------------------------------------------------------------------------------------------ changing


def _converge(session: Session, link: ErpLink, values: ManufacturingOrder, needs: Sequence[Need]) -> bool:
    """Bring quantity, date and components of an order that is there to the values; what is not needed stands at 0.

    True when it has got components that it never had.
    """
    order = session.rpc.call(
        "mrp.production", "read", [_id(link)], fields=["move_finished_ids", "workorder_ids"], context=session.context
    )[0]
    head = {
        "id": links.name_of(session, link.external_id),
        "product_qty": str(values.quantity),
        "date_deadline": mapping.said(values.due) if values.due else "",
    }
    before = link.parts.get("components", [])
    moves = [_move_cells(session, link.external_id, need) for need in needs if need.product.sku not in before]
    product = session.products([values.product])[values.product]
    known = int(link.parts.get("operations", 0))
    works = _work_rows(session, link.external_id, values, product)[known:]
    finished = [{".id": str(id), "product_uom_qty": str(values.quantity)} for id in order["move_finished_ids"]]
    columns = [
        *head,
        *_columns("move_raw_ids", moves),
        *_columns("workorder_ids", works),
        *_columns("move_finished_ids", finished),
    ]
    rows = []
    for position in range(max(len(moves), len(works), len(finished), 1)):
        cells = list(head.values()) if position == 0 else [""] * len(head)
        for part in (moves, works, finished):
            width = len(part[0]) if part else 0
            cells += list(part[position].values()) if position < len(part) else [""] * width
        rows.append(cells)
    links.load(session, "mrp.production", columns, rows, context=AS_PLANNED)
    wanted = {need.product.sku: need.written(need.quantity) for need in needs}
    changed = [[component_name(session, link.external_id, sku), str(wanted.get(sku, 0))] for sku in before]
    if changed:
        links.load(session, "stock.move", ["id", "product_uom_qty"], changed)
    surplus = order["workorder_ids"][len(values.work_orders) :] if known > len(values.work_orders) else []
    if surplus:
        session.rpc.call(
            "mrp.production", "write", [_id(link)], writes=True, vals={"workorder_ids": [[2, id] for id in surplus]},
            context=session.context,
        )  # fmt: skip
    return bool(moves)


def _plan(session: Session, link: ErpLink, work_orders: Sequence[WorkOrder]) -> None:
    """The work orders at their planned times on their planned work centres."""
    if not work_orders:
        return
    names = session.names
    if not names.plans_on_create:  # before Odoo 17 a work order has dates only once Odoo has planned it itself
        session.rpc.call("mrp.production", "button_plan", [_id(link)], writes=True, context=session.context)
    rows = [_times_row(session, link, position, work) for position, work in enumerate(work_orders)]
    columns = ["id", "name", "workcenter_id/.id", "duration_expected", names.start, names.end]
    links.load(session, "mrp.workorder", columns, rows, context=AS_PLANNED)


def _times_row(session: Session, link: ErpLink, position: int, work: WorkOrder) -> list[str]:
    """A work order with its times, start and end in pairs: Odoo refuses one without the other."""
    return [
        operation_name(session, link.external_id, position), work.name, str(session.centre(work.work_centre).id),
        str(round(work.minutes, 4)), mapping.said(work.start), mapping.said(work.end),
    ]  # fmt: skip


def _reserve(session: Session, link: ErpLink, needs: Sequence[Need], lots: Mapping[tuple[str, str], int]) -> None:
    """Reserve just the chosen rolls; whatever else was reserved for the components is given back."""
    by_product = {need.product.id: need for need in needs}
    if not session.names.reserves_on_create:
        _reserve_by_changing(session, link, by_product, lots)
        return
    commands = []
    for move in _moves(session, _id(link)):
        need = by_product.get(mapping.ident(move["product_id"]))
        lines: list[list[Any]] = [[2, id] for id in move["move_line_ids"]]
        for lot, quantity in sorted(need.lots.items()) if need else ():
            assert need is not None
            lines.append([0, 0, _line(session, need, lot, lots, float(need.written(quantity)))])
        commands.append([1, move["id"], {"move_line_ids": lines}])
    _write_moves(session, link, commands)


def _reserve_by_changing(
    session: Session, link: ErpLink, by_product: Mapping[int, Need], lots: Mapping[tuple[str, str], int]
) -> None:
    """Before Odoo 17 only a line of a move that has something reserved can reserve, and only by being changed.

    So Odoo reserves whatever it likes first; then each component keeps a line for each of its rolls, and these are
    brought to roll and quantity. What is not there must not be asked for: Odoo 14 would write it on the line, take
    nothing from the roll for it, and give back other people's metres with the line.
    """
    session.rpc.call("mrp.production", "action_assign", [_id(link)], writes=True, context=session.context)
    moves = _moves(session, _id(link))
    commands = []
    for move in moves:
        need = by_product.get(mapping.ident(move["product_id"]))
        if need and need.lots and move["state"] not in {"assigned", "partially_available"}:
            raise NotEnoughStock(
                f"Odoo finds nothing of {need.product.name} to reserve.", fields={"sku": need.product.sku}
            )
        wanted = len(need.lots) if need else 0
        lines: list[list[Any]] = [[2, id] for id in move["move_line_ids"][wanted:]]
        for lot in sorted(need.lots)[len(move["move_line_ids"]) :] if need else ():
            assert need is not None
            lines.append([0, 0, _line(session, need, lot, lots, 0.0)])
        if lines:
            commands.append([1, move["id"], {"move_line_ids": lines}])
    if commands:
        _write_moves(session, link, commands)
    there = _lines(session, [move["id"] for move in moves])
    _refuse_what_is_not_there(session, there, by_product)
    rows = []
    for line, need, lot in _paired(there, by_product):
        rows.append(
            [str(line["id"]), str(lots[need.product.sku, lot]) if lot else "", str(need.written(need.lots[lot]))]
        )
    if rows:
        try:
            links.load(session, "stock.move.line", [".id", "lot_id/.id", session.names.reserved], rows)
        except ErpRejected as refusal:
            if "reserve more" in str(refusal):
                raise NotEnoughStock(str(refusal), fields=refusal.fields) from refusal
            raise


def _refuse_what_is_not_there(
    session: Session, lines: Sequence[Mapping[str, Any]], by_product: Mapping[int, Need]
) -> None:
    """Raises Lacking for a heap that holds less than is needed, beyond what others have reserved of it. One call."""
    own: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for line in lines:
        if (need := by_product.get(mapping.ident(line["product_id"]))) is not None:
            lot = mapping.label(line["lot_id"]) if line["lot_id"] else ""
            own[need.product.sku, lot] += mapping.number(line[session.names.reserved])
    free = _free(session, list(by_product.values()))
    for need in by_product.values():
        for lot, quantity in need.lots.items():
            heap = (need.product.sku, lot)
            if need.written(quantity) > need.written(free.get(heap, Decimal(0))) + own[heap]:
                raise Lacking(*heap)


def _paired(
    lines: Sequence[Mapping[str, Any]], by_product: Mapping[int, Need]
) -> Iterable[tuple[Mapping[str, Any], Need, str]]:
    """Each line with its component and the roll that it is to reserve."""
    left = {id: sorted(need.lots) for id, need in by_product.items()}
    for line in sorted(lines, key=lambda each: int(each["id"])):
        product_id = mapping.ident(line["product_id"])
        if left.get(product_id):
            yield line, by_product[product_id], left[product_id].pop(0)


def _line(
    session: Session, need: Need, lot: str, lots: Mapping[tuple[str, str], int], quantity: float
) -> dict[str, Any]:
    return {
        "product_id": need.product.id,
        "lot_id": lots[need.product.sku, lot] if lot else False,
        "product_uom_id": need.unit_id,
        "location_id": session.places["stock"],
        "location_dest_id": session.places["production"],
        session.names.reserved: quantity,
    }


def _write_moves(session: Session, link: ErpLink, commands: list[list[Any]]) -> None:
    vals = {"move_raw_ids": commands}
    session.rpc.call("mrp.production", "write", [_id(link)], writes=True, vals=vals, context=session.context)


def _moves(session: Session, order_id: int) -> list[dict[str, Any]]:
    """The components of an order that can still be reserved."""
    fields = ["product_id", "product_uom_qty", "move_line_ids", "state"]
    domain = [("raw_material_production_id", "=", order_id), ("state", "not in", ["done", "cancel"])]
    return session.rpc.read("stock.move", domain, fields, context=session.context)


def _lines(session: Session, move_ids: Sequence[int]) -> list[dict[str, Any]]:
    fields = ["move_id", "product_id", "lot_id", session.names.reserved]
    return session.rpc.read("stock.move.line", [("move_id", "in", list(move_ids))], fields, context=session.context)


# ------------------------------------------------------------------------------------------------ what is needed


def needs_of(session: Session, values: ManufacturingOrder) -> list[Need]:
    """The components, one for each product, in the unit they are written in. Raises ErpRejected for an unknown one."""
    products = session.products([values.product, *(component.sku for component in values.components)])
    total: dict[str, Decimal] = defaultdict(Decimal)
    lots: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for component in values.components:
        if not Decimal(component.quantity) > 0:
            raise ErpRejected(
                f"{component.quantity} is no quantity of {component.sku}: write one above 0.",
                fields={"sku": component.sku, "quantity": str(component.quantity)},
            )
        total[component.sku] += component.quantity
        if component.lot or not products[component.sku].by_lot:
            lots[component.sku][component.lot or ""] += component.quantity
    return [
        Need(products[sku], *_written_in(session, products[sku]), quantity, dict(lots[sku]))
        for sku, quantity in total.items()
    ]


def keepable(session: Session, product: Product, quantity: Decimal) -> Decimal:
    """A quantity in the product's own unit, rounded up to what Odoo can keep of it, so that what it keeps is enough."""
    _, factor = _written_in(session, product)
    return max((quantity * factor).quantize(FINEST, ROUND_UP) / factor, STEP).quantize(FINEST / factor)


def _written_in(session: Session, product: Product) -> tuple[int, int]:
    """(unit that a quantity of the product is written in, how many of it are in the product's own unit)."""
    finer, factor = mapping.FINER.get(product.unit, ("", 1))
    finer_id = session.unit_id(finer) if finer else None
    return (product.unit_id, 1) if finer_id is None else (finer_id, factor)


def _lot_ids(session: Session, needs: Iterable[Need]) -> dict[tuple[str, str], int]:
    """(sku, roll) -> Odoo's id of it. Raises ErpRejected for a roll that is not there."""
    wanted = {(need.product.sku, lot): need.product for need in needs for lot in need.lots if lot}
    known: dict[tuple[str, str], int] = session.kept.setdefault("lots", {})
    if lacking := [key for key in wanted if key not in known]:
        domain = [
            ("name", "in", [lot for _, lot in lacking]),
            ("product_id", "in", [wanted[key].id for key in lacking]),
        ]
        ids = {product.id: sku for (sku, _), product in wanted.items()}
        for row in session.rpc.read(session.names.lot, domain, ["name", "product_id"], context=session.context):
            known[ids[mapping.ident(row["product_id"])], row["name"]] = row["id"]
    for (sku, lot), product in wanted.items():
        if (sku, lot) not in known:
            raise ErpRejected(f"{product.name} has no roll {lot}.", fields={"lot": lot, "sku": sku})
    return {key: known[key] for key in wanted}


def _remember(link: ErpLink, values: ManufacturingOrder, needs: Sequence[Need]) -> None:
    """Keep with the link what was written: which components it ever had, and the values, to confirm and compare by."""
    parts = {
        "components": list(dict.fromkeys([*link.parts.get("components", []), *(need.product.sku for need in needs)])),
        "operations": len(values.work_orders),
        "reference": values.reference,
        "sale_line": values.sale_line,
        "work": [
            [work.name, work.work_centre, work.start.isoformat(), work.end.isoformat(), work.minutes]
            for work in values.work_orders
        ],
        "needs": [[each.sku, each.lot or "", str(each.quantity)] for each in values.components],
        "product": values.product,
        "quantity": str(values.quantity),
    }
    if parts != link.parts:
        link.parts = parts
        ErpLink.objects.filter(pk=link.pk).update(parts=parts)


def written_last(link: ErpLink) -> ManufacturingOrder:
    """The values that were written last, as far as confirming needs them."""
    parts = link.parts
    return ManufacturingOrder(
        product=parts["product"],
        quantity=Decimal(parts["quantity"]),
        reference=parts["reference"],
        components=tuple(Component(sku, Decimal(quantity), lot or None) for sku, lot, quantity in parts["needs"]),
        work_orders=tuple(
            WorkOrder(name, centre, datetime.fromisoformat(start), datetime.fromisoformat(end), minutes)
            for name, centre, start, end, minutes in parts["work"]
        ),
        sale_line=parts["sale_line"],
    )


def _id(link: ErpLink) -> int:
    assert link.remote_id is not None
    return link.remote_id
