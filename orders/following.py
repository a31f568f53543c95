"""Back from the ERP: what somebody changed there moves our lines on, or a notice says why it could not.

A change only says which order to look at. What counts is how its records stand now, so looking twice, late, or at what
we wrote ourselves does nothing. What is not there any more is a finding for a person; it is never made again from here.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.utils import timezone

from inventory_sync import mirror, words
from inventory_sync import services as inventory
from inventory_sync.errors import ErpAmbiguous, ErpError, ErpUnavailable, StaleStock
from inventory_sync.models import ErpLink
from inventory_sync.ports import MANUFACTURING_ORDER, SALE_ORDER, STEP, Change, Erp, Operation, RemoteRef, Standing
from orders import audit, names, planning, reprinting, services, steps, work
from orders.domain.states import LineState, StepState
from orders.errors import IllegalTransition, StaleState, Unexpected
from orders.models import Following, Notice, Order, OrderLine, Shop, Step
from production.planning.errors import NoSlot, PlanOutdated

log = logging.getLogger(__name__)

ACTOR: Final = "ERP"
AWAY: Final = (ErpUnavailable.code, ErpAmbiguous.code, StaleStock.code)
AT_ONCE: Final = 100  # orders whose records are read in one batch
ALMOST: Final = timedelta(minutes=1)  # an ERP keeps times to the second or minute: nearer than this is the same

# The manufacturing order is the ERP's word on a line only in these states; in the others it is being written by us, or
# what we wrote is history.
MADE_THERE: Final = frozenset({LineState.RELEASED, LineState.IN_PRODUCTION, LineState.INSPECTING})
# Lines that rest: an order whose other lines are being worked on is looked at again.
RESTING: Final = MADE_THERE | {
    LineState.DRAFT, LineState.PROOFING, LineState.BLOCKED, LineState.DONE, LineState.CANCELLED
}  # fmt: skip
OURS: Final = (reprinting.NOTICE,)  # notices that say nothing of the ERP: a person settles them
OVER: Final = frozenset({LineState.DONE, LineState.CANCELLED, LineState.CANCELLING})


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What could not be followed. `ask`: what a person shall do about it in the ERP, in a few words."""

    code: str
    about: str  # external id of the record
    sentence: str
    line: OrderLine | None = None
    detail: str = ""  # tells two findings of one kind about one record apart
    fields: dict[str, Any] = field(default_factory=dict)
    ask: str = ""
    ref: RemoteRef | None = None

    @property
    def key(self) -> str:
        return ":".join(filter(None, (self.code, self.about, self.detail)))


# ------------------------------------------------------------------------------------------------ when


def follow_due() -> None:
    """Follow every shop whose ERP has not been asked for ERP_POLL_S; at night look at all its open records.

    One whose ERP is away waits, with the reason written down, and does not keep the others from theirs.
    """
    for shop in Shop.objects.order_by("pk"):
        following, _ = Following.objects.get_or_create(shop=shop)
        now = timezone.now()
        every = timedelta(seconds=settings.WEFTLINE["erp_poll_s"])
        due = Q(tried_at=None) | Q(tried_at__lte=now - every)
        # Whoever writes it first does it; another sweep at the same time passes on.
        if not Following.objects.filter(due, shop=shop).update(tried_at=now):
            continue
        try:
            follow(shop)
            if _is_night(shop, following, now):
                sweep_deleted(shop)
        except ErpError as error:
            log.warning("%s: what changed in the ERP is read later: %s", shop.slug, error)
        except Exception:
            # One shop's odd record must not end the worker that all shops wait for; it is tried again.
            log.exception("following the ERP of %s", shop.slug)
            Following.objects.filter(shop=shop).update(error=Unexpected.__doc__)


def follow(shop: Shop) -> int:
    """Ask what has changed in the shop's ERP since the last time, and follow; returns how many orders were looked at.

    Raises ErpError, after it was written down for the page; what was not looked at is looked at the next time.
    """
    with _noting_errors(shop):
        erp = inventory.connect(shop.connector, shop=shop.slug)
        mirror.poll(erp, note=partial(_mark, shop))
        looked = _look_at(erp, shop, Order.objects.exclude(changed_in_erp_at=None))
        _make_way(shop)
    if Following.objects.filter(shop=shop).exclude(error="").exists():
        steps.wake(shop.pk, AWAY)  # it answers again: what waited for it need not wait for its pause
    Following.objects.update_or_create(shop=shop, defaults={"followed_at": timezone.now(), "error": ""})
    return looked


def sweep_deleted(shop: Shop) -> int:
    """Look at every open record: what was deleted leaves no change to follow. Returns how many orders were looked at.

    Raises ErpError, after it was written down for the page.
    """
    with _noting_errors(shop):
        erp = inventory.connect(shop.connector, shop=shop.slug)
        open_now = OrderLine.objects.exclude(state__in=[*OVER, LineState.DRAFT])
        looked = _look_at(erp, shop, Order.objects.filter(Exists(open_now.filter(order=OuterRef("pk")))))
    Following.objects.update_or_create(shop=shop, defaults={"swept_at": timezone.now()})
    return looked


@contextmanager
def _noting_errors(shop: Shop) -> Iterator[None]:
    """Write down for the page why the ERP could not be followed, and let the error go on."""
    try:
        yield
    except ErpError as error:
        Following.objects.update_or_create(shop=shop, defaults={"error": str(error)[:500]})
        raise


def _make_way(shop: Shop) -> None:
    """Move our own work from where others have booked a machine; what can't be moved is a notice."""
    try:
        version = planning.make_way(shop, actor=ACTOR)
    except (StaleState, PlanOutdated):
        return  # somebody is planning at this moment: the next look will tell
    except NoSlot as error:
        key = f"no_slot:{error.fields.get('step', '')}"
        sentence = f"Somebody else has booked time that was ours, and there is no other: {error}"
        values = {"code": "no_slot", "sentence": sentence, "fields": work.plain(error.fields)}
        Notice.objects.update_or_create(shop=shop, key=key, defaults={**values, "settled_at": None, "settled_by": ""})
        return
    if version is not None:
        log.info("%s: plan %s makes way for what others have booked", shop.slug, version.number)


def _is_night(shop: Shop, following: Following, now: datetime) -> bool:
    """True when it has been two in the morning at the mill since every open record was last looked at."""
    local = now.astimezone(ZoneInfo(shop.time_zone))
    night = local.replace(hour=2, minute=0, second=0, microsecond=0)
    if night > local:
        night -= timedelta(days=1)
    return following.swept_at is None or following.swept_at < night


def _mark(shop: Shop, changes: Sequence[Change]) -> None:
    """Note which orders to look at: those whose records changed, and those that wait for a material that moved."""
    numbers = set()
    for change in changes:
        if change.kind in {MANUFACTURING_ORDER, SALE_ORDER}:
            product, _, name = change.key.partition(":")
            slug, _, name = name.partition(":")
            if (product, slug) == ("weftline", shop.slug):
                number = name.partition(":")[0]
                numbers |= {number, number.rpartition("-")[0]}  # of the order itself, or of one of its lines
    moved = {change.key for change in changes if change.kind == mirror.STOCK}
    if moved:
        waiting = OrderLine.objects.filter(order__shop=shop, state=LineState.RELEASED).exclude(plan=None)
        numbers |= {
            number
            for number, plan in waiting.values_list("order__number", "plan")
            if any(material["sku"] in moved for material in plan["materials"])
        }
    Order.objects.filter(shop=shop, number__in=numbers).update(changed_in_erp_at=timezone.now())


# ------------------------------------------------------------------------------------------------ looking


def _look_at(erp: Erp, shop: Shop, orders: QuerySet[Order]) -> int:
    """Follow how the records of these orders stand now; returns how many orders were looked at."""
    told = Step.objects.filter(line__order=OuterRef("pk"), kind__in=["quote", "sync"], state=StepState.DONE)
    wanted = orders.filter(shop=shop).select_related("shop").annotate(told=Exists(told)).order_by("pk")
    newest = Step.objects.filter(line=OuterRef("pk")).order_by("-pk").values("state")[:1]
    lines = OrderLine.objects.select_related("order__shop").annotate(newest_step=Subquery(newest))
    wanted = wanted.prefetch_related(Prefetch("lines", lines))
    ids = list(wanted.values_list("pk", flat=True))
    for start in range(0, len(ids), AT_ONCE):
        # Our side is read first: what we write ourselves meanwhile moves the line's version, and a line that moved on
        # is looked at again instead of being moved by an older picture of its record.
        batch = list(wanted.filter(pk__in=ids[start : start + AT_ONCE]))
        refs = _refs(shop, batch)
        stand = dict(zip(refs, erp.standing(list(refs.values())), strict=True))
        for order in batch:
            _follow_order(erp, order, refs, stand)
    return len(ids)


def _refs(shop: Shop, orders: Iterable[Order]) -> dict[str, RemoteRef]:
    """Return what to ask about, by external id: the sale orders, and the manufacturing orders of what is being made."""
    kinds = {}
    for order in orders:
        kinds[names.sale_id(order)] = SALE_ORDER
        kinds |= {names.record_id(line): MANUFACTURING_ORDER for line in order.lines.all() if line.state in MADE_THERE}
    links = ErpLink.objects.filter(shop=shop.slug, external_id__in=list(kinds))
    known = dict(links.values_list("external_id", "remote_id"))
    return {name: RemoteRef(kind, name, str(known.get(name, ""))) for name, kind in kinds.items()}


def _follow_order(erp: Erp, order: Order, refs: dict[str, RemoteRef], stand: dict[str, Standing | None]) -> None:
    """Let an order's lines follow, and keep what could not; a line that moves meanwhile is looked at again."""
    sale_name = names.sale_id(order)
    sale = stand[sale_name]
    findings, looked, again = _about_sale(order, refs[sale_name], sale), [], False
    lines: Iterable[Any] = order.lines.all()
    for line in lines:
        try:
            if line.newest_step in {StepState.PENDING, StepState.RUNNING}:
                again = True  # what is there is not yet what we say, or the other way round
            elif line.state in MADE_THERE:
                name = names.record_id(line)
                findings += _follow_line(line, refs[name], stand[name], sale)
                looked.append(line)
            elif line.state == LineState.PROOFING and line.newest_step == StepState.DONE:
                findings += _about_offer(line, refs[sale_name], sale)
                looked.append(line)
            elif line.state not in RESTING:
                again = True
        except (StaleState, IllegalTransition):
            again = True
    kept = _keep(erp, order, looked, findings)
    if kept and not again:
        seen = order.changed_in_erp_at
        Order.objects.filter(pk=order.pk, changed_in_erp_at=seen).update(changed_in_erp_at=None)


def _follow_line(line: OrderLine, ref: RemoteRef, record: Standing | None, sale: Standing | None) -> list[Finding]:
    """Move a line on to where its manufacturing order is; returns what it could not follow.

    Raises StaleState and IllegalTransition when the line has moved on meanwhile.
    """
    if record is None:
        return [_deleted(ref, f"The manufacturing order of {line.reference}", line=line)]
    if record.ref.state == "cancel":
        return _follow_cancelled(line, ref)
    line = _follow_production(line, record)
    if line.state not in MADE_THERE:
        return []
    said = _quantities(line, record, sale)
    refusal = ""
    if len(set(said.values())) == 1 and line.state == LineState.RELEASED and line.run_m is None:
        try:
            services.change(line, quantity_m=next(iter(said.values())), by=None, actor=ACTOR)
            return []  # it is planned anew: times and materials are not these any more
        except (StaleState, IllegalTransition):
            raise
        except services.Refusals as error:
            if isinstance(error, ErpError) and error.retryable:
                raise
            refusal = str(error)
    return [
        *_about_quantity(line, ref, said, refusal),
        *_about_sale_line(line, ref, sale),
        *_follow_moves(line, ref, record),
        *_about_reservation(line, ref, record),
    ]


# ------------------------------------------------------------------------------------------------ following


def _follow_production(line: OrderLine, record: Standing) -> OrderLine:
    """Start, finish and pass a line as its work orders are begun and done; the last one is the inspection."""
    operations = [each for each in record.operations if each.state != "cancel"]
    all_done = record.ref.state == "done"
    done = [all_done or each.state == "done" for each in operations]
    begun = all_done or record.ref.state == "progress" or any(done) or any(o.state == "progress" for o in operations)
    passed = all_done or (bool(done) and all(done))
    made = passed or (len(done) > 1 and all(done[:-1]))
    if line.state == LineState.RELEASED and begun:
        line = services.started(line, by=None, actor=ACTOR)
    if line.state == LineState.IN_PRODUCTION and made:
        line = services.finished(line, by=None, actor=ACTOR)
    if line.state == LineState.INSPECTING and passed:
        line = services.passed(line, by=None, actor=ACTOR)
    return line


def _follow_cancelled(line: OrderLine, ref: RemoteRef) -> list[Finding]:
    """Cancel a line whose manufacturing order somebody cancelled, as long as its cloth is not made yet."""
    if line.state != LineState.INSPECTING:
        services.cancel(line, by=None, actor=ACTOR)
        return []
    sentence = (
        f"Somebody cancelled the manufacturing order of {line.reference} in the ERP, but its cloth is already made and "
        "being inspected. Pass or fail the inspection here, and say there what becomes of the cloth."
    )
    return [Finding(code="cancelled_in_erp", about=ref.external_id, line=line, sentence=sentence)]


def _follow_moves(line: OrderLine, ref: RemoteRef, record: Standing) -> list[Finding]:
    """Bring the plan to the times and work centres that the work orders have now; returns what that makes late."""
    if not line.plan:
        return []
    before, after = line.plan["slots"], _moved(line.plan["slots"], record.operations)
    plan = line.plan
    if after != before:
        later = work.moment(after[-1]["end"]) - work.moment(before[-1]["end"])
        promise = work.moment(plan["promise"]) + later
        moved = [new["name"] for old, new in zip(before, after, strict=True) if new != old]
        binding = f"{', '.join(moved)} moved in the ERP" if later else plan["binding"]
        plan = {**plan, "slots": after, "promise": promise.isoformat(), "binding": binding, "moved": True}
        with transaction.atomic():
            seen = OrderLine.objects.filter(pk=line.pk, state=line.state, version=line.version)
            if not seen.update(plan=plan):
                raise StaleState(fields={"line": line.reference, "seen": line.state, "version": line.version})
            details = {"operations": moved, "promise": plan["promise"], "before": line.plan["promise"]}
            audit.record(line.order.shop, "moved_in_erp", actor=ACTOR, line=line, details=details)
    day = work.moment(plan["promise"]).astimezone(ZoneInfo(line.order.shop.time_zone)).date()
    days = (day - line.due_date).days
    if not plan.get("moved") or days <= 0:
        return []
    sentence = (
        f"{line.reference} will be ready on {day:%d %b %Y}, {days} {'day' if days == 1 else 'days'} after its due "
        f"date: {plan['binding']}. Tell the customer, or plan it earlier."
    )
    fields = {"promise": plan["promise"], "due_date": line.due_date.isoformat()}
    return [Finding(code="late", about=ref.external_id, detail=f"{day}", line=line, sentence=sentence, fields=fields)]


def _moved(slots: Sequence[dict[str, Any]], operations: Sequence[Operation]) -> list[dict[str, Any]]:
    """Return the plan's slots where and when their work orders are now; one that is not there stays as planned."""
    waiting = [each for each in operations if each.state != "cancel" and each.start and each.end]
    after = []
    for slot in slots:
        now = next((each for each in waiting if each.name == slot["name"]), None)
        if now is None:
            after.append(slot)
            continue
        waiting.remove(now)
        assert now.start is not None
        assert now.end is not None
        start, end = work.moment(slot["start"]), work.moment(slot["end"])
        if now.work_centre == slot["work_centre"] and abs(now.start - start) < ALMOST and abs(now.end - end) < ALMOST:
            after.append(slot)
        else:
            times = {"start": now.start.isoformat(), "end": now.end.isoformat()}
            if "run_start" in slot:  # its changeover goes with it
                run = work.moment(slot["run_start"]) - start
                times["run_start"] = min(now.start + run, now.end).isoformat()
            after.append({**slot, "work_centre": now.work_centre, **times})
    return after


# ------------------------------------------------------------------------------------------------ finding


def _deleted(ref: RemoteRef, what: str, *, line: OrderLine | None = None) -> Finding:
    sentence = (
        f"{what} was deleted in the ERP. It is not made again by itself: restore it there, or cancel "
        f"{line.reference if line else 'the lines'} here."
    )
    return Finding(code="deleted_in_erp", about=ref.external_id, line=line, sentence=sentence)


def _about_sale(order: Any, ref: RemoteRef, sale: Standing | None) -> list[Finding]:
    """A sale order that is gone, or was cancelled while cloth may be on a machine: its lines don't stop by themselves.

    A clerk cancels a sale order to correct it, too; what stops the mill is the cancelled manufacturing order, and that
    is followed.
    """
    alive = [line for line in order.lines.all() if line.state not in {*OVER, LineState.DRAFT}]
    if not alive:
        return []
    fields = {"order": order.number}
    if sale is None:
        known = order.told or any(line.state in MADE_THERE for line in alive)
        return [replace(_deleted(ref, f"The sale order of {order.number}"), fields=fields)] if known else []
    if sale.ref.state == "cancel":
        sentence = (
            f"Somebody cancelled the sale order of {order.number} in the ERP. Its lines go on: cancel them here, or "
            "confirm the sale order again there."
        )
        return [Finding(code="sale_cancelled_in_erp", about=ref.external_id, sentence=sentence, fields=fields)]
    return []


def _about_offer(line: OrderLine, ref: RemoteRef, sale: Standing | None) -> list[Finding]:
    """What the sale order says of a line that nobody has approved yet: its quantity as offered, or nothing."""
    said = None if sale is None else sale.lines.get(names.sale_line_id(line))
    if said is None or not said or _metres(said) == line.quantity_m:
        return []
    return _about_quantity(line, ref, {"sale order": _metres(said)}, "")


def _about_sale_line(line: OrderLine, ref: RemoteRef, sale: Standing | None) -> list[Finding]:
    name = names.sale_line_id(line)
    if sale is None or sale.ref.state == "cancel" or name in sale.lines:
        return []
    return [replace(_deleted(ref, f"The line of {line.reference} on the sale order", line=line), about=name)]


def _quantities(line: OrderLine, record: Standing, sale: Standing | None) -> dict[str, Decimal]:
    """Return the metres that the line's records ask for, by record, where they are not the line's own."""
    said = {"manufacturing order": record.quantity}
    if line.run_m is not None and _metres(record.quantity) == line.run_m:
        said.clear()  # it is made once more, and only so much of it
    if sale is not None and sale.ref.state != "cancel":
        said["sale order"] = sale.lines.get(names.sale_line_id(line), line.quantity_m)
    return {where: _metres(much) for where, much in said.items() if _metres(much) != line.quantity_m}


def _about_quantity(line: OrderLine, ref: RemoteRef, said: dict[str, Decimal], refusal: str) -> list[Finding]:
    if not said:
        return []
    there = " and ".join(f"{words.quantity(much, 'm')} on the {where}" for where, much in said.items())
    here = words.quantity(line.quantity_m, "m")
    why = {
        LineState.RELEASED: refusal or "The two don't agree: bring them to the same length there.",
        LineState.PROOFING: "The customer is still choosing: ask for a change here, or put it back there.",
    }.get(LineState(line.state), "It is being made and can't be changed any more: put it back there.")
    return [
        Finding(
            code="quantity_changed_in_erp",
            about=ref.external_id,
            detail=f"{line.reference}:{'/'.join(f'{much:f}' for much in said.values())}",
            line=line,
            sentence=f"Somebody asks for {there} in the ERP; {line.reference} is {here} here. {why}",
            fields={"quantity_m": str(line.quantity_m), **{where: str(much) for where, much in said.items()}},
            ask="Quantity differs from Weftline",
            ref=ref,
        )
    ]


def _about_reservation(line: OrderLine, ref: RemoteRef, record: Standing) -> list[Finding]:
    """What the ERP no longer keeps for a line that is not begun: what it uses up then is its own affair."""
    if line.state != LineState.RELEASED or record.ref.state != "confirmed" or not line.plan:
        return []
    missing: Counter[str] = Counter()
    for material in line.plan["materials"]:
        missing[material["sku"]] += Decimal(material["quantity"])
    for each in record.reserved:
        missing[each.sku] -= each.quantity
    lost = {sku: much for sku, much in missing.items() if much >= STEP}
    if not lost:
        return []
    units = {material["sku"]: (material["name"], material["unit"]) for material in line.plan["materials"]}
    what = ", ".join(f"{words.quantity(much, units[sku][1])} of {units[sku][0]}" for sku, much in lost.items())
    sentence = (
        f"{what} {'is' if len(lost) == 1 else 'are'} no longer reserved for {line.reference} in the ERP. "
        "Reserve it there again before production, or plan the line anew."
    )
    return [
        Finding(
            code="reservation_lost",
            about=ref.external_id,
            line=line,
            sentence=sentence,
            fields={"missing": {sku: str(much) for sku, much in lost.items()}},
            ask="Reserve the material again",
            ref=ref,
        )
    ]


# ------------------------------------------------------------------------------------------------ keeping


def _keep(erp: Erp, order: Order, looked: Sequence[OrderLine], findings: Sequence[Finding]) -> bool:
    """Keep what was found, each once, and settle what is as it was again.

    False when a line has moved on meanwhile, so that what was found of it may not hold any more.
    """
    shop, all_hold = order.shop, True
    found = {each.key: each for each in findings}
    for key, each in found.items():
        values = {"line": each.line, "code": each.code, "sentence": each.sentence, "fields": each.fields}
        there = Notice.objects.filter(shop=shop, key=key).first()
        if there is not None and (there.settled_at is None or there.settled_by != ACTOR):
            Notice.objects.filter(pk=there.pk, settled_at=None).update(**values)
            continue
        if each.line and not OrderLine.objects.filter(pk=each.line.pk, version=each.line.version).exists():
            all_hold = False
            continue
        if each.ask and each.ref:
            _ask(erp, each.ref, each)
        fresh = {**values, "at": timezone.now(), "settled_at": None, "settled_by": ""}
        Notice.objects.update_or_create(shop=shop, key=key, defaults=fresh)
    of_order = Q(line=None, key__endswith=f":{names.sale_id(order)}")
    gone = Notice.objects.filter(Q(line__in=looked) | of_order, shop=shop, settled_at=None).exclude(key__in=found)
    gone = gone.exclude(code__in=OURS)
    gone.update(settled_at=timezone.now(), settled_by=ACTOR)
    return all_hold


def _ask(erp: Erp, ref: RemoteRef, finding: Finding) -> None:
    """Put a finding on a person's list in the ERP; where it takes none, the notice here has to do."""
    try:
        erp.ask(ref, finding.key, finding.ask, finding.sentence)
    except ErpError as error:
        if error.retryable:
            raise
        log.warning("%s could not be put on a list in the ERP: %s", finding.key, error)


def settle(notice: Notice, *, by: User) -> Notice:
    """Note that a person has dealt with a notice; one that is settled stays as it is."""
    with transaction.atomic():
        settled = {"settled_at": timezone.now(), "settled_by": by.get_username()}
        if Notice.objects.filter(pk=notice.pk, settled_at=None).update(**settled):
            details = {"notice": notice.code, "sentence": notice.sentence}
            audit.record(notice.shop, "settle", actor=by, line=notice.line, details=details)
    notice.refresh_from_db()
    return notice


def _metres(quantity: Decimal) -> Decimal:
    return quantity.quantize(Decimal("0.01"))
