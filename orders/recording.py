"""What the ERP is told of a line: what is offered, what is sold, what is made for it and with which files.

Every function here writes the records as they should stand, whatever stood there before, so it is safe to repeat from
any point; one sale order for an order and one manufacturing order for a line and production run, for ever.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from mimetypes import guess_type
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from inventory_sync import services as inventory
from inventory_sync import words
from inventory_sync.errors import ErpRejected, NotEnoughStock, SlotTaken
from inventory_sync.ports import (
    MANUFACTURING_ORDER,
    SALE_ORDER,
    Component,
    Document,
    Erp,
    ManufacturingOrder,
    RemoteRef,
    SaleLine,
    SaleOrder,
    Standing,
    WorkOrder,
)
from orders import looking, names, promising, reprinting, work
from orders.domain.floor import REJECTED, OperationState, Said, standing_of
from orders.domain.states import LineState
from orders.errors import HoldChanged
from orders.models import Approval, Candidate, FloorReport, Order, OrderLine

# What people read is attached to a manufacturing order as copies; what machines load stays here, and is linked.
COPIES = frozenset({"ticket", "costing", "preview"})
WITHDRAWN = frozenset({LineState.CANCELLING, LineState.CANCELLED})


def quote(line: OrderLine) -> None:
    """Write the sale order with what is offered, as a draft; one that is confirmed stays so."""
    _write_sale(line.order)


def sync(line: OrderLine) -> dict[str, str]:
    """Write and confirm the sale order and the line's manufacturing order with its documents, and say it once.

    Returns the ERP's ids. Raises HoldChanged when what was planned is not held (any more), here or there.
    """
    work.say(line, "telling the ERP")
    promising.still_held(line)
    erp, approval = names.erp_of(line.order.shop), work.newest_approval(line)
    sale, order = _sale_of(line.order), _manufacturing_order(line, approval)
    try:
        recorded = inventory.record(
            erp,
            sale_id=names.sale_id(line.order),
            sale=sale,
            external_id=names.record_id(line),
            order=order,
            documents=_documents(line),
            digest=(f"{names.record_id(line)}:released:r{approval.number}", _digest(line, approval)),
        )
    except (NotEnoughStock, SlotTaken) as taken:
        # It was held, and the ERP gave it to somebody else all the same: trying the same again would not help.
        raise HoldChanged(f"{taken} Try again to plan it anew.", fields=taken.fields) from taken
    except ErpRejected as refused:
        _ask_there(line, approval, refused)
        raise
    if line.run > 1:
        said = reprinting.sentence(line, _plan(line))
        erp.ask(recorded.sale, f"{names.record_id(line)}:made-once-more", f"{line.reference} is made once more", said)
    _write_sale(line.order, written=sale)
    _write_order(line, written=order)
    return {"sale_order": recorded.sale.remote_id, "manufacturing_order": recorded.ref.remote_id}


def reschedule(line: OrderLine) -> None:
    """Write the times that a line has now on its work orders, and when it will be ready on its sale order."""
    work.say(line, "telling the ERP other times")
    ref = RemoteRef(MANUFACTURING_ORDER, names.record_id(line), "")
    names.erp_of(line.order.shop).reschedule(ref, _work_orders(line))
    _write_sale(line.order)


def report(line: OrderLine) -> list[FloorReport]:
    """Tell the ERP what the shop floor reported and it has not been told; returns those reports.

    Work orders are begun and ended there, and what was scrapped and made stands on the record. What is so there already
    is not done again, and a record that is over or gone is left alone: whoever did that said more than we know.
    """
    untold = list(line.reports.filter(told_at=None).select_related("by", "undoes"))
    erp = names.erp_of(line.order.shop)
    for run in sorted({each.run for each in untold}):
        ref = RemoteRef(MANUFACTURING_ORDER, names.record_id(line, run=run), "")
        (there,) = erp.standing([ref])
        if there is None:
            continue
        for each in untold:
            if each.run == run and (note := _note_of(line, each)):
                erp.tell(ref, f"{ref.external_id}:report:{each.pk}", note)
        if there.ref.state not in {"done", "cancel"}:
            _work_there(erp, line, run, there)
        _scrap_there(erp, line, run, ref)
        _attach_inspections(erp, line, run, ref)
        if any(each.run == run and each.reason == REJECTED for each in untold):
            text = f"{line.reference} failed its inspection and is made once more: decide what becomes of this cloth."
            erp.ask(ref, f"{ref.external_id}:rejected", "Failed its inspection", text)
    return untold


def _scrap_there(erp: Erp, line: OrderLine, run: int, ref: RemoteRef) -> None:
    """Take out of the stock there what the inspection of a run cut out, once the run is over there too.

    The inspection is the last operation: what others lost before it has never come into the stock.
    """
    if run == line.run and line.state != LineState.DONE:
        return
    reports = [each for each in line.reports.select_related("by") if each.run == run]
    last = max((each.operation for each in reports), default=0)
    stands = standing_of(each.said for each in reports if each.operation == last)
    lost = [each for each in stands.counting if each.kind is Said.SCRAP]
    if not lost or stands.made_m is None:
        return
    (there,) = erp.standing([ref])
    if there is None or there.ref.state != "done":
        return
    left = max(Decimal(0), there.quantity - stands.made_m)  # a roll may be longer than what was ordered of it
    for each in lost:
        metres = min(left, each.metres or Decimal(0))
        if metres:
            erp.scrap(ref, f"{ref.external_id}:scrap:{each.number}", metres, each.reason.replace("_", " "))
            left -= metres


def _attach_inspections(erp: Erp, line: OrderLine, run: int, ref: RemoteRef) -> None:
    """Attach the reports of a run's inspections to its manufacturing order."""
    found = looking.untold(line, run=run)
    if found:
        erp.attach(ref, [looking.report_of(line, each) for each in found])


def _work_there(erp: Erp, line: OrderLine, run: int, there: Standing) -> None:
    """Begin and end the work orders there that were begun and ended here, in their order."""
    states = {operation.name: operation.state for operation in there.operations}
    reported = [each for each in line.reports.select_related("by") if each.run == run]
    for number in sorted({each.operation for each in reported}):
        ours = [each for each in reported if each.operation == number]
        name, stands = ours[0].name, standing_of(each.said for each in ours)
        if stands.state is not OperationState.WAITING and states.get(name) == "waiting":
            inventory.work_on(erp, there.ref.external_id, name, "start")
        if stands.state is OperationState.DONE and states.get(name) in {"waiting", "progress"}:
            inventory.work_on(erp, there.ref.external_id, name, "finish")


def _note_of(line: OrderLine, report: FloorReport) -> str:
    """Return what the readers of a manufacturing order are told of a report; empty: nothing."""
    said, back = (report.undoes, "Taken back: ") if report.undoes else (report, "")
    at = said.at.astimezone(ZoneInfo(line.order.shop.time_zone))
    who = f"{said.by.get_username()}, {words.day(said.at, line.order.shop.time_zone)} {at:%H:%M}"
    if said.kind == Said.SCRAP:
        why = said.reason.replace("_", " ")
        return f"{back}{words.quantity(said.metres, 'm')} scrapped at {said.name} on {said.work_centre}: {why} ({who})."
    if said.kind == Said.FINISH and said.metres is not None:
        return f"{back}{said.name} on {said.work_centre}: {words.quantity(said.metres, 'm')} made ({who})."
    return f"{back}{said.name} on {said.work_centre} begun ({who})." if back and said.kind == Said.START else ""


def _ask_there(line: OrderLine, approval: Approval, refused: ErpRejected) -> None:
    """Put on a person's list there what can't be changed any more because it is being made; here the line stops."""
    if refused.fields.get("state") not in {"progress", "done"}:
        return
    name = names.record_id(line)
    text = (
        f"{line.reference} was changed to {words.quantity(line.quantity_m, 'm')} of {line.substrate or line.weave}, "
        f"and that can't be written here: {refused}\nDecide what is made, here, and what is delivered, with sales."
    )
    ref = RemoteRef(MANUFACTURING_ORDER, name, "")
    names.erp_of(line.order.shop).ask(ref, f"{name}:refused:r{approval.number}", "Changed too late", text)


def give_back(line: OrderLine) -> None:
    """Free what is held for a line that is drawn anew; its records stay and are brought to the next approval."""
    if line.approvals.exists() or line.quote is not None:
        inventory.release_hold(names.erp_of(line.order.shop), names.hold_name(line))
        OrderLine.objects.filter(pk=line.pk).update(quote=None)


def withdraw(line: OrderLine) -> None:
    """Cancel a line's manufacturing order, free what it holds and take the line off the sale order.

    With its last line the sale order is cancelled. Earlier production runs stay: what was made was made.
    """
    erp, order = names.erp_of(line.order.shop), line.order
    approved, name = line.approvals.exists(), names.record_id(line)
    if approved and inventory.cancel_record(erp, name) is not None:
        erp.tell(RemoteRef(MANUFACTURING_ORDER, name, ""), f"{name}:cancelled", f"{line.reference} was cancelled.")
    if approved or line.quote is not None:
        inventory.release_hold(erp, names.hold_name(line))
        OrderLine.objects.filter(pk=line.pk).update(quote=None)
    sold = erp.find(SALE_ORDER, names.sale_id(order))
    if sold is None or sold.state in {"done", "cancel"}:
        return
    if order.lines.exclude(state__in=WITHDRAWN).exists():
        _write_sale(order)
    else:
        erp.act(sold, "cancel", sold.state)


def _write_sale(order: Order, *, written: SaleOrder | None = None) -> None:
    """Write an order's sale order until it is what our tables say; `written`: it stands so already.

    Lines of one order are worked on at the same time. Whoever wrote what another has changed meanwhile writes again, so
    that an older picture never stands last.
    """
    erp = names.erp_of(order.shop)
    while (sale := _sale_of(order)) != written:
        inventory.quote(erp, sale_id=names.sale_id(order), sale=sale)
        written = sale


def _write_order(line: OrderLine, *, written: ManufacturingOrder) -> None:
    """Write a line's manufacturing order again where the line was changed and released meanwhile by somebody else.

    A line that is still on its way writes it by itself when it comes here.
    """
    erp = names.erp_of(line.order.shop)
    known = OrderLine.objects.filter(pk=line.pk, run=line.run, state__in=[LineState.SYNCING, LineState.RELEASED])
    while (now := known.select_related("order__shop").first()) is not None:
        order = _manufacturing_order(now, work.newest_approval(now))
        if order == written:
            return
        inventory.make(erp, external_id=names.record_id(now), order=order)
        written = order


def _sale_of(order: Order) -> SaleOrder:
    """Return an order as the office should see it: what was approved is sold, the rest is offered.

    As soon as one line has been approved the sale is confirmed: what is only offered then stands there at nothing.
    """
    lines = list(order.lines.select_related("order__shop").order_by("position"))
    approvals = {line.pk: work.newest_approval(line) for line in lines if line.approvals.exists()}
    sold: list[SaleLine] = []
    promises: list[datetime] = []
    for line in lines:
        approval = approvals.get(line.pk)
        offered = approval.candidate if approval else work.best(line)
        if offered is None and line.state in WITHDRAWN:
            offered = _offered_before(line)
        if offered is None or offered.promise is None or offered.price_per_m is None:
            continue
        quantity = Decimal(approval.specification["quantity_m"]) if approval else line.quantity_m
        if line.state in WITHDRAWN or (approvals and not approval):
            quantity = Decimal(0)
        if line.state not in WITHDRAWN:
            promises.append(work.moment(line.plan["promise"]) if approval and line.plan else offered.promise)
        sold.append(
            SaleLine(
                external_id=names.sale_line_id(line),
                product=_product(line),
                description=_description(line, offered),
                quantity=quantity,
                unit_price=offered.price_per_m,
            )
        )
    return SaleOrder(
        customer=order.customer.name,
        number=order.number,
        lines=tuple(sold),
        currency=order.shop.currency,
        promise=max(promises, default=None),
    )


def _offered_before(line: OrderLine) -> Candidate | None:
    """Return what was offered last of a line whose newest round has nothing to offer."""
    offered = Candidate.objects.filter(round__line=line, passed=True).select_related("round")
    return offered.order_by("-round__number", "position").first()


def _manufacturing_order(line: OrderLine, approval: Approval) -> ManufacturingOrder:
    plan = _plan(line)
    return ManufacturingOrder(
        product=_product(line),
        quantity=line.making_m,
        reference=names.hold_name(line),
        components=tuple(
            Component(sku=m["sku"], quantity=Decimal(m["quantity"]), lot=m["lot"]) for m in plan["materials"]
        ),
        work_orders=_work_orders(line),
        due=work.moment(plan["promise"]),
        note=approval.candidate.round.words,
        sale=names.sale_id(line.order),
        sale_line=names.sale_line_id(line),
    )


def _work_orders(line: OrderLine) -> tuple[WorkOrder, ...]:
    return tuple(
        WorkOrder(
            name=slot["name"],
            work_centre=slot["work_centre"],
            start=work.moment(slot["start"]),
            end=work.moment(slot["end"]),
            minutes=slot["minutes"],
        )
        for slot in _plan(line)["slots"]
    )


def _documents(line: OrderLine) -> Sequence[Document]:
    machine_files = settings.WEFTLINE["formats"]
    return [
        Document(
            name=file.name,
            mime=guess_type(file.name)[0] or "application/octet-stream",
            path=file.path,
            sha256=file.sha256,
            as_link=file.format in machine_files,
            url=settings.WEFTLINE["public_url"] + file.url,
        )
        for file in work.files_of(line)
        if file.format in COPIES or file.format in machine_files
    ]


def _digest(line: OrderLine, approval: Approval) -> str:
    """Return what the readers of the manufacturing order are told: what, until when, from which roll, where, when."""
    plan, tz, cloth = _plan(line), line.order.shop.time_zone, line.substrate or line.weave
    said = [
        f"Released as {names.job_name(approval)}: {words.quantity(line.making_m, 'm')} of {cloth}.",
        f"Promised for {words.day(work.moment(plan['promise']), tz)}: {plan['binding']}.",
    ]
    if plan["lot"]:
        said.append(f"Roll: {plan['lot']}.")
    for slot in plan["slots"]:
        start, end = (work.moment(slot[side]).astimezone(ZoneInfo(tz)) for side in ("start", "end"))
        said.append(f"{slot['name']} on {slot['work_centre']}: {words.day(start, tz)} {start:%H:%M} to {end:%H:%M}.")
    return "\n".join(said)


def _plan(line: OrderLine) -> dict[str, Any]:
    assert line.plan is not None, "what is recorded was planned"
    return line.plan


def _product(line: OrderLine) -> str:
    """Return the sku of what is made."""
    shop = line.order.shop
    return shop.printed_product if line.substrate else shop.woven_product


def _description(line: OrderLine, offered: Candidate) -> str:
    design = f"design {offered.round.number}.{offered.position}"
    return f"{offered.round.words or 'From a picture'} ({line.reference}, {line.substrate or line.weave}, {design})"
