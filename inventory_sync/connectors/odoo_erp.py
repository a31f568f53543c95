"""The Erp port on an Odoo, whichever way it is reached. What each verb needs of Odoo stands in the rooms beside this:

odoo_stock      stock, machines, work orders, what changed
odoo_holds      metres and minutes of orders that Odoo knows nothing of yet
odoo_sales      sale orders
odoo_orders     manufacturing orders
odoo_scrap      what was made and is lost
odoo_links      making a record once
odoo_session    version, user, company and the ids of what seldom changes
odoo_mapping    what each version calls things
odoo_http       one exchange, and what its failures mean
"""

import base64
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html import escape
from typing import Any, ClassVar, Final

from inventory_sync import shortage
from inventory_sync.connectors import odoo_holds as holds
from inventory_sync.connectors import odoo_links as links
from inventory_sync.connectors import odoo_mapping as mapping
from inventory_sync.connectors import odoo_orders as orders
from inventory_sync.connectors import odoo_sales as sales
from inventory_sync.connectors import odoo_scrap as scraps
from inventory_sync.connectors import odoo_stock as reading
from inventory_sync.connectors.asked import aware, check_document, check_slots, quantity_of
from inventory_sync.connectors.odoo_rpc import Rpc
from inventory_sync.connectors.odoo_session import Session, session_of
from inventory_sync.credentials import secret_of
from inventory_sync.errors import ErpConflict, ErpError, ErpRejected
from inventory_sync.models import ErpConnection, ErpLink, MachineFacts, RemoteHold
from inventory_sync.ports import (
    MANUFACTURING_ORDER,
    SALE_ORDER,
    Booking,
    Change,
    Cursor,
    Document,
    ErpInfo,
    ErpRecord,
    Hold,
    ManufacturingOrder,
    MaterialHold,
    Moved,
    Operation,
    RemoteRef,
    SaleOrder,
    SlotHold,
    Standing,
    StockLevel,
    Window,
    WorkCentre,
    WorkOrder,
)

ATTACHMENT: Final = "attachment"
SCRAP: Final = "scrap"
MODELS: Final = {MANUFACTURING_ORDER: "mrp.production", SALE_ORDER: "sale.order"}
WHAT: Final = {MANUFACTURING_ORDER: "manufacturing order", SALE_ORDER: "sale order"}
# action -> (states it leads on from, state it leads to)
ACTIONS: Final[Mapping[str, Mapping[str, tuple[frozenset[str], str]]]] = {
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
# A state that this very object has just read need not be read again before the action that follows.
FRESH: Final = timedelta(seconds=5)


class OdooErp:
    """The Erp port on a shop's Odoo. `clock` says what time it is; tests hold it still."""

    name: ClassVar[str]
    rpc_class: ClassVar[type[Rpc]]
    remote = True

    def __init__(self, *, shop: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.shop = shop
        self.clock = clock
        self.connection = ErpConnection.objects.filter(shop=shop).first()
        if self.connection is None:
            raise ErpRejected(
                f"{shop} has no ERP connection yet: run `manage.py connect_erp --shop {shop}`.",
                fields={"shop": shop},
            )
        self._seen: dict[str, tuple[str, datetime]] = {}

    @property
    def session(self) -> Session:
        """What this thread knows of the Odoo."""
        kept = self.connection
        assert kept is not None
        key = (self.rpc_class, kept.shop, kept.scope, kept.url, kept.database, kept.login, kept.secret, kept.company)
        return session_of(key, lambda: Session(self.rpc_class(kept, secret_of(kept)), kept.company))

    # ------------------------------------------------------------------------------------------- what is there

    def ping(self) -> ErpInfo:
        """Asks who we are, which takes a key that is accepted."""
        session = self.session
        session.rpc.call("res.users", "read", [session.user_id], fields=["login"])
        where = f"{session.company['name']} ({session.rpc.database} on {session.rpc.where})"
        currency = mapping.label(session.company["currency_id"])
        return ErpInfo("Odoo", session.version, where, session.rpc.login, session.rpc.server_now, currency)

    def problems(self) -> Sequence[str]:
        """Fields, rights, units and codes that are missing there; or why nothing could be asked."""
        try:
            return self.session.problems()
        except ErpError as error:
            return [str(error)]

    def stock(self, skus: Iterable[str] | None) -> Sequence[StockLevel]:
        """Two calls, however many materials, and what our own orders hold is taken off."""
        held = holds.living(self.shop, self.clock())  # before Odoo is asked: see odoo_holds.py
        session = self.session
        every = skus is None
        products = session.all_materials() if skus is None else session.products(skus)
        levels = reading.levels(session, products, as_of=self.clock(), every=every)
        return holds.less(levels, holds.counted(held))

    def work_centres(self) -> Sequence[WorkCentre]:
        """With what the shop itself says of its machines."""
        said = MachineFacts.objects.filter(shop=self.shop)
        return reading.work_centres(self.session, {each.work_centre: each.attributes for each in said})

    def bookings(self, window: Window) -> Sequence[Booking]:
        """Work orders of anybody's, and what our own orders hold where they have none yet."""
        held = holds.slots_of(holds.living(self.shop, self.clock()))
        mine = [each for each in held if each.start < window.end and each.end > window.start]
        return sorted([*self._booked(window), *mine], key=lambda booking: booking.start)

    def _booked(self, window: Window) -> list[Booking]:
        found = reading.work(self.session, window)
        references = self._references_of({each.order_id for each in found})
        return [
            Booking(
                each.work_centre,
                each.start,
                each.end,
                references.get(each.order_id, each.order),
                mine=each.order_id in references,
            )
            for each in found
        ]

    def _references_of(self, order_ids: Iterable[int]) -> dict[int, str]:
        ours = ErpLink.objects.filter(shop=self.shop, kind=MANUFACTURING_ORDER, remote_id__in=list(order_ids))
        return {link.remote_id: link.parts.get("reference", "") for link in ours if link.remote_id}

    def changes(self, cursor: Cursor) -> tuple[Sequence[Change], Cursor]:
        """What was written in Odoo, and what our own orders took or gave back. From the beginning: from now on."""
        number, remote = _parted(cursor)
        after = holds.number_of(self.shop)
        session = self.session
        touched, following = reading.touched(session, remote)
        at = touched.at or session.rpc.server_now
        changes = [Change("stock", sku, at) for sku in self._skus_of(touched.products)]
        for kind, ids in ((MANUFACTURING_ORDER, touched.orders), (SALE_ORDER, touched.sales)):
            ours = ErpLink.objects.filter(shop=self.shop, kind=kind, remote_id__in=list(ids)).order_by("pk")
            changes += [Change(kind, link.external_id, at) for link in ours]
        if touched.work:
            changes.append(Change("booking", "", at))
        if touched.machines:
            session.__dict__.pop("centres", None)
            changes.append(Change("work_centre", "", at))
        if number is not None:
            for each in self._hold_changes(number, after):
                changes.append(Change("hold", each.reference, each.at))
                changes += [Change("stock", sku, each.at) for sku in each.skus]
        told = list(dict.fromkeys(changes))
        if not told and number == after and remote != BEGINNING_OF_ODOO:
            return [], cursor  # nothing to go on from: the overlap is read once more, and says nothing new
        return told, Cursor(f"{after} {following.value}")

    def _skus_of(self, product_ids: frozenset[int]) -> list[str]:
        if not product_ids:
            return []
        self.session.forget_products()
        rows = self.session.rpc.read(
            "product.product", [("id", "in", sorted(product_ids)), ("default_code", "!=", False)], ["default_code"]
        )
        return [row["default_code"] for row in rows]

    def _hold_changes(self, since: int, until: int) -> Sequence[Any]:
        from_our_side = holds.RemoteHoldChange.objects.filter(shop=self.shop, number__gt=since, number__lte=until)
        return list(from_our_side.order_by("number"))

    # ------------------------------------------------------------------------------------------- what is held

    def hold(self, wanted: Hold) -> Hold:
        """Two calls: stock and work orders, both read after our own holds."""
        check_slots(wanted.slots)
        if wanted.expires is not None:
            aware(wanted.expires, "expires")
        asked = tuple(replace(each, quantity=quantity_of(each.quantity, each.sku)) for each in wanted.materials)
        session = self.session
        products = session.products(each.sku for each in asked)
        materials = tuple(
            replace(each, quantity=orders.keepable(session, products[each.sku], each.quantity)) for each in asked
        )
        for slot in wanted.slots:
            session.centre(slot.work_centre)
        return holds.take(
            self.shop,
            replace(wanted, materials=materials),
            now=self.clock(),
            look=lambda: self._look(products, wanted.slots),
            short=self._short,
        )

    def _look(self, products: Mapping[str, Any], slots: Sequence[SlotHold]) -> holds.Seen:
        # What is on its way is asked for only when it must be said that something is missing.
        levels = reading.levels(self.session, products, as_of=self.clock(), coming=False) if products else []
        booked: list[Booking] = []
        if slots:
            booked = self._booked(Window(min(slot.start for slot in slots), max(slot.end for slot in slots)))
        return holds.Seen({level.sku: level for level in levels}, booked)

    def _short(self, level: StockLevel, wanted: Decimal, lot: str | None) -> ErpConflict:
        product = self.session.products([level.sku])[level.sku]
        coming = reading.incoming(self.session, [product.id]).get(product.id, [])
        level = replace(level, incoming=tuple(sorted(coming, key=lambda each: each.due)))
        one_lot = lot is not None and level.by_lot
        return shortage.not_enough(level, wanted=wanted, one_lot=one_lot, now=self.clock(), tz="UTC", lot=lot or None)

    def held(self, reference: str) -> Hold | None:
        """What is still there of it: Odoo's people may have taken the roll, the minute, or the reservation."""
        now = self.clock()
        everyone = holds.living(self.shop, now)
        mine = next((hold for hold in everyone if hold.reference == reference), None)
        if mine is None:
            return None
        said = holds.value_of(mine)
        session = self.session
        seen = self._look(session.products(each.sku for each in said.materials), said.slots)
        earlier = [hold for hold in everyone if hold.pk < mine.pk]
        levels = {level.sku: level for level in holds.less(seen.levels.values(), holds.counted(earlier))}
        kept = {(sku, lot): Decimal(quantity) for sku, lot, quantity in mine.kept}
        materials = []
        for each in said.materials:
            free = next((lot.free for lot in levels[each.sku].lots if lot.lot == (each.lot or "")), Decimal(0))
            there = min(each.quantity, free + kept.get((each.sku, each.lot or ""), Decimal(0)))
            if there > 0:
                materials.append(replace(each, quantity=there))
        slots = tuple(slot for slot in said.slots if not self._lost(slot, mine, seen.bookings))
        return replace(said, materials=tuple(materials), slots=slots)

    def _lost(self, slot: SlotHold, mine: RemoteHold, booked: Sequence[Booking]) -> bool:
        """True when somebody else has the time, or our own work order is no longer there where it should be."""
        here = [each for each in booked if each.work_centre == slot.work_centre]
        if mine.slots_kept:
            own = [each for each in here if each.mine and each.reference == mine.reference]
            times = (slot.start.replace(microsecond=0), slot.end.replace(microsecond=0))  # as Odoo keeps them
            return all((each.start, each.end) != times for each in own)
        others = [each for each in here if not (each.mine and each.reference == mine.reference)]
        return any(each.start < slot.end and each.end > slot.start for each in others)

    def release(self, reference: str) -> bool:
        """What Odoo reserved and planned for the order goes first, so that nothing is free twice."""
        mine = RemoteHold.objects.filter(shop=self.shop, reference=reference, consumed=False).first()
        if mine is None:
            return False
        link = links.link_of(self.shop, mine.record) if mine.record else None
        if link is not None and link.remote_id is not None:
            orders.free_reservation(self.session, link.remote_id)
        return holds.change(self.shop, reference, lambda hold: not hold.consumed and bool(hold.delete()))

    def rearrange(self, moves: Sequence[Moved]) -> None:
        """Only in our own tables: `reschedule` moves Odoo's work orders, and until then both times are taken."""
        for move in moves:
            check_slots(move.slots)
        holds.rearrange(self.shop, moves, now=self.clock())

    def _kept_in_odoo(self, values: ManufacturingOrder, external_id: str) -> None:
        """From now on Odoo reserves what the order holds: it is not counted here any more."""

        def keep(hold: RemoteHold) -> bool:
            hold.record = external_id
            hold.kept = [[each.sku, each.lot or "", str(each.quantity)] for each in values.components]
            planned = {(work.work_centre, work.start, work.end) for work in values.work_orders}
            held = {(slot.work_centre, slot.start, slot.end) for slot in holds.value_of(hold).slots}
            hold.slots_kept = held == planned
            hold.save(update_fields=["record", "kept", "slots_kept"])
            return True

        holds.change(self.shop, values.reference, keep)

    # ------------------------------------------------------------------------------------------- what is recorded

    def find(self, kind: str, external_id: str) -> RemoteRef | None:
        """By our link, or by the external id where a link was never acknowledged."""
        _check_kind(kind)
        session = self.session
        link = links.link_of(self.shop, external_id)
        there = link.remote_id if link else links.look_up(session, links.external_name(session, external_id))
        if there is None:
            return None
        fields = ["state", "company_id"]
        rows = session.own(session.rpc.call(MODELS[kind], "read", [there], fields=fields, context=session.context))
        if not rows:
            return None
        if link is None:
            link, _ = ErpLink.objects.update_or_create(
                shop=self.shop, external_id=external_id, defaults={"kind": kind, "remote_id": there}
            )
        return self._ref(kind, link, _state(kind, rows[0]["state"]))

    def upsert(self, record: ErpRecord) -> RemoteRef:
        """A new manufacturing order in Odoo 17 and later is written with rolls and times in one call."""
        _check_kind(record.kind)
        values = record.values
        if isinstance(values, SaleOrder):
            _, state = sales.write(self.session, self.shop, record.external_id, values)
        else:
            with self._reserved_or_refused(values, record.external_id):
                _, state = orders.write(self.session, self.shop, record.external_id, values)
            if self.session.names.reserves_on_create or state != "draft":
                self._kept_in_odoo(values, record.external_id)
        link = links.link_of(self.shop, record.external_id)
        assert link is not None
        return self._ref(record.kind, link, state)

    @contextmanager
    def _reserved_or_refused(self, values: ManufacturingOrder, external_id: str) -> Iterator[None]:
        """Where a heap holds too little, what was reserved of others is given back, and it is said what is missing."""
        try:
            yield
        except orders.Lacking as lacking:
            link = links.link_of(self.shop, external_id)
            assert link is not None
            assert link.remote_id is not None
            orders.free_reservation(self.session, link.remote_id)
            level = next(iter(self.stock([lacking.sku])))
            wanted = sum((each.quantity for each in values.components if each.sku == lacking.sku), Decimal(0))
            raise self._short(level, wanted, lacking.lot or None) from None

    def act(self, ref: RemoteRef, action: str, expect: str) -> str:
        """Reads the state first, unless this object has just done so: an answer that was lost is no second action."""
        _check_kind(ref.kind)
        if action not in ACTIONS[ref.kind]:
            choices = ", ".join(ACTIONS[ref.kind])
            raise ErpRejected(f"A {WHAT[ref.kind]} can't {action!r}; it can {choices}.", fields={"action": action})
        sources, target = ACTIONS[ref.kind][action]
        link = self._link(ref)
        state = self._just_seen(ref) or self._state_now(ref, link)
        fields = {"external_id": ref.external_id, "state": state, "expect": expect, "action": action}
        if state == target:
            return target
        if state != expect:
            raise ErpConflict(f"{ref.external_id} is {state}, not {expect}: look again.", fields=fields)
        if state not in sources:
            raise ErpRejected(f"{ref.external_id} is {state}: it can't {action} from there.", fields=fields)
        self._seen.pop(ref.external_id, None)
        getattr(self, f"_{action}")(ref, link)
        self._seen[ref.external_id] = (target, self.clock())
        return target

    def _confirm(self, ref: RemoteRef, link: ErpLink) -> None:
        session = self.session
        if ref.kind == MANUFACTURING_ORDER:
            values = orders.written_last(link)
            with self._reserved_or_refused(values, ref.external_id):
                orders.confirm(session, link)
            if not session.names.reserves_on_create:
                self._kept_in_odoo(values, ref.external_id)
            return
        session.rpc.call("sale.order", "action_confirm", [link.remote_id], writes=True, context=session.context)
        if session.names.references:
            row = sales.read(session, link)
            session.kept["references", ref.external_id] = row["stock_reference_ids"]

    def _start(self, ref: RemoteRef, link: ErpLink) -> None:
        session = self.session
        ids = session.rpc.call(
            "mrp.production", "read", [link.remote_id], fields=["workorder_ids"], context=session.context
        )[0]["workorder_ids"]
        if not ids:
            raise ErpRejected(
                f"{ref.external_id} has no work order that could be started.", fields={"state": "confirmed"}
            )
        session.rpc.call("mrp.workorder", "button_start", ids[:1], writes=True, context=session.context)

    def _finish(self, ref: RemoteRef, link: ErpLink) -> None:
        assert link.remote_id is not None
        orders.finish(self.session, link.remote_id)

        def consume(hold: RemoteHold) -> bool:
            hold.consumed = True
            hold.save(update_fields=["consumed"])
            return True

        holds.change(self.shop, link.parts.get("reference", ""), consume)

    def _cancel(self, ref: RemoteRef, link: ErpLink) -> None:
        session = self.session
        context = {**session.context, "disable_cancel_warning": True}
        said = session.rpc.call(MODELS[ref.kind], "action_cancel", [link.remote_id], writes=True, context=context)
        if isinstance(said, dict) and said.get("res_model"):
            raise ErpConflict(
                f"Odoo asks a question before it cancels {ref.external_id}: cancel it there.",
                fields={"action": "cancel"},
            )
        if ref.kind == MANUFACTURING_ORDER:
            reference = link.parts.get("reference", "")
            holds.change(self.shop, reference, lambda hold: not hold.consumed and bool(hold.delete()))

    def work_on(self, external_id: str, operation: str, action: str) -> str:
        """One call to look, one or two to say it; the last that is finished closes the order."""
        ref = RemoteRef(MANUFACTURING_ORDER, external_id, "")
        link = self._link(ref)
        state = orders.state_of(self.session, link)
        if state not in {"confirmed", "progress"}:
            raise ErpRejected(
                f"{external_id} is {state}: nobody works on it.", fields={"external_id": external_id, "state": state}
            )
        self._seen.pop(external_id, None)
        if not orders.work_on(self.session, link, operation, action):
            return "progress"
        self._finish(ref, link)
        return "done"

    def reschedule(self, ref: RemoteRef, work_orders: Sequence[WorkOrder]) -> None:
        """One call to look, one to move them all, start and end in pairs."""
        link = self._link(ref)
        state = orders.state_of(self.session, link)
        if ref.kind != MANUFACTURING_ORDER or state in orders.FINAL:
            raise ErpRejected(
                f"{ref.external_id} is {state}: it can't be moved any more.",
                fields={"external_id": ref.external_id, "state": state},
            )
        orders.reschedule(self.session, link, work_orders)
        self._kept_in_odoo(orders.written_last(link), ref.external_id)

    def scrap(self, ref: RemoteRef, key: str, quantity: Decimal, why: str) -> RemoteRef:
        """A scrap of the order's product, made by its key and then validated; the reason stands in its chatter."""
        if ref.kind != MANUFACTURING_ORDER:
            raise ErpRejected(f"Only what was made is scrapped: {ref.external_id} is none.", fields={"kind": ref.kind})
        link, lost = self._link(ref), quantity_of(quantity, ref.external_id)
        made = scraps.scrap(self.session, self.shop, link, external_id=f"scrap:{key}"[:160], quantity=lost)
        self.tell(ref, f"{key}:why", f"{lost.normalize():f} scrapped: {why}")
        return RemoteRef(SCRAP, key, str(made))

    def attach(self, ref: RemoteRef, documents: Sequence[Document]) -> Sequence[RemoteRef]:
        """One call for all that Odoo doesn't have yet: each goes by a name of its own, so it is there once."""
        session, model, link = self.session, MODELS.get(ref.kind, ""), self._link(ref)
        found: dict[str, RemoteRef] = {}
        rows, names = [], []
        for document in documents:
            content = _content(document)
            external_id = f"{ref.external_id}:{document.sha256[:24]}:{document.name}"[:160]
            there = links.link_of(self.shop, external_id)
            if there is not None:
                found[external_id] = RemoteRef(ATTACHMENT, external_id, str(there.remote_id))
                continue
            names.append(external_id)
            rows.append(
                [
                    links.name_of(session, external_id), document.name, model, str(link.remote_id), document.mime,
                    "url" if document.as_link else "binary", document.url if document.as_link else "", content,
                ]
            )  # fmt: skip
        if rows:
            columns = ["id", "name", "res_model", "res_id", "mimetype", "type", "url", "datas"]
            for external_id, remote_id in zip(names, links.load(session, "ir.attachment", columns, rows), strict=True):
                ErpLink.objects.update_or_create(
                    shop=self.shop, external_id=external_id, defaults={"kind": ATTACHMENT, "remote_id": remote_id}
                )
                found[external_id] = RemoteRef(ATTACHMENT, external_id, str(remote_id))
        order = [f"{ref.external_id}:{each.sha256[:24]}:{each.name}"[:160] for each in documents]
        return [found[external_id] for external_id in order]

    def tell(self, ref: RemoteRef, key: str, text: str) -> None:
        """A note in the record's chatter, loaded by its key: it is there once."""
        link = self._link(ref)
        body = _paragraphs(text)
        links.make_once(
            self.session, self.shop, kind="note", model="mail.message", external_id=f"note:{key}"[:160],
            columns=["id", "model", "res_id", "body", "message_type", "subtype_id/id"],
            rows=[[MODELS[ref.kind], str(link.remote_id), body, "comment", "mail.mt_note"]],
        )  # fmt: skip

    def ask(self, ref: RemoteRef, key: str, summary: str, text: str) -> None:
        """An activity on the record, for whoever is responsible there: it stands on that person's list once."""
        session, link = self.session, self._link(ref)
        model = {MANUFACTURING_ORDER: "mrp.model_mrp_production", SALE_ORDER: "sale.model_sale_order"}[ref.kind]
        note, person = _paragraphs(text), self._responsible(ref, link)
        links.make_once(
            session, self.shop, kind="activity", model="mail.activity", external_id=f"activity:{key}"[:160],
            columns=["id", "res_model_id/id", "res_id", "activity_type_id/id", "summary", "note", "user_id/.id"],
            rows=[[model, str(link.remote_id), "mail.mail_activity_data_todo", summary, note, str(person)]],
        )  # fmt: skip

    def _responsible(self, ref: RemoteRef, link: ErpLink) -> int:
        session = self.session
        rows = session.rpc.call(MODELS[ref.kind], "read", [link.remote_id], fields=["user_id"], context=session.context)
        return mapping.ident(rows[0]["user_id"]) or session.user_id if rows else session.user_id

    def standing(self, refs: Sequence[RemoteRef]) -> Sequence[Standing | None]:
        """At most six calls, however many records."""
        found: dict[str, Standing] = {}
        links_by = {
            link.external_id: link
            for link in ErpLink.objects.filter(
                shop=self.shop, external_id__in=[ref.external_id for ref in refs]
            ).exclude(remote_id=None)
        }
        made = [
            links_by[ref.external_id] for ref in refs if ref.kind == MANUFACTURING_ORDER and ref.external_id in links_by
        ]
        sold = [links_by[ref.external_id] for ref in refs if ref.kind == SALE_ORDER and ref.external_id in links_by]
        if made:
            found |= self._orders_standing(made)
        if sold:
            found |= self._sales_standing(sold)
        return [found.get(ref.external_id) for ref in refs]

    def _orders_standing(self, ours: Sequence[ErpLink]) -> dict[str, Standing]:
        session, names = self.session, self.session.names
        ids = [link.remote_id for link in ours]
        rows = session.rpc.read(
            "mrp.production", [("id", "in", ids)], ["state", "product_qty", "date_deadline", "company_id"],
            context=session.context,
        )  # fmt: skip
        by_id = {row["id"]: row for row in session.own(rows)}
        fields = ["name", "workcenter_id", "production_id", "state", names.start, names.end]
        works = session.rpc.read(
            "mrp.workorder", [("production_id", "in", ids)], fields, order="id", context=session.context
        )
        codes = {centre.id: centre.code for centre in session.centres.values()}
        lines = session.rpc.read(
            "stock.move.line",
            [("move_id.raw_material_production_id", "in", ids), ("state", "not in", ["done", "cancel"])],
            ["product_id", "lot_id", "move_id", "product_uom_id", names.reserved],
            context=session.context,
        )
        moves = (
            session.rpc.read(
                "stock.move",
                [("raw_material_production_id", "in", ids)],
                ["raw_material_production_id"],
                context=session.context,
            )
            if lines
            else []
        )
        order_of = {move["id"]: mapping.ident(move["raw_material_production_id"]) for move in moves}
        skus = self._sku_of({mapping.ident(line["product_id"]) for line in lines})
        found = {}
        for link in ours:
            row = by_id.get(link.remote_id)
            if row is None:
                continue
            operations = tuple(
                Operation(
                    work["name"],
                    codes.get(mapping.ident(work["workcenter_id"]), ""),
                    mapping.moment(work[names.start]),
                    mapping.moment(work[names.end]),
                    mapping.WORK_STATES.get(work["state"], str(work["state"])),
                )
                for work in works
                if mapping.ident(work["production_id"]) == link.remote_id
            )
            reserved = tuple(
                self._reserved(line, skus)
                for line in lines
                if order_of.get(mapping.ident(line["move_id"])) == link.remote_id and line[names.reserved]
            )
            state = _state(MANUFACTURING_ORDER, row["state"])
            found[link.external_id] = Standing(
                self._ref(MANUFACTURING_ORDER, link, state),
                quantity=mapping.number(row["product_qty"]),
                due=mapping.moment(row["date_deadline"]),
                operations=operations,
                reserved=reserved,
            )
        return found

    def _reserved(self, line: Mapping[str, Any], skus: Mapping[int, str]) -> MaterialHold:
        """A reserved heap in the product's own unit."""
        session = self.session
        sku = skus[mapping.ident(line["product_id"])]
        product = session.products([sku])[sku]
        factor = 1
        if mapping.ident(line["product_uom_id"]) != product.unit_id:
            factor = mapping.FINER.get(product.unit, ("", 1))[1]
        quantity = mapping.number(line[session.names.reserved]) / factor
        return MaterialHold(sku, mapping.label(line["lot_id"]) or None if line["lot_id"] else None, quantity)

    def _sku_of(self, product_ids: Iterable[int]) -> dict[int, str]:
        wanted = set(product_ids)
        known = {product.id: product.sku for product in self.session._products.values() if product.id in wanted}
        if lacking := wanted - known.keys():
            rows = self.session.rpc.read("product.product", [("id", "in", sorted(lacking))], ["default_code"])
            known |= {row["id"]: row["default_code"] or "" for row in rows}
        return known

    def _sales_standing(self, ours: Sequence[ErpLink]) -> dict[str, Standing]:
        session = self.session
        ids = [link.remote_id for link in ours]
        rows = session.rpc.read("sale.order", [("id", "in", ids)], sales.fields_of(session), context=session.context)
        by_id = {row["id"]: row for row in session.own(rows)}
        line_ids = [line for row in rows for line in row["order_line"]]
        whole = ErpLink(parts={"lines": [line for link in ours for line in link.parts.get("lines", [])]})
        quantities = sales.quantities(session, whole, line_ids) if line_ids else {}
        found = {}
        for link in ours:
            row = by_id.get(link.remote_id)
            if row is not None:
                own = {line: quantities[line] for line in link.parts.get("lines", []) if line in quantities}
                found[link.external_id] = Standing(
                    self._ref(SALE_ORDER, link, _state(SALE_ORDER, row["state"])),
                    due=mapping.moment(row["commitment_date"]),
                    lines=own,
                )
        return found

    def address(self, ref: RemoteRef) -> str:
        """Odoo's own page of the record; nothing is asked for it."""
        link = links.link_of(self.shop, ref.external_id)
        kept = self.connection
        assert kept is not None
        if link is None or ref.kind not in MODELS:
            return ""
        return f"{kept.url.rstrip('/')}/web#id={link.remote_id}&model={MODELS[ref.kind]}&view_type=form"

    # ------------------------------------------------------------------------------------------- what is known here

    def _ref(self, kind: str, link: ErpLink, state: str) -> RemoteRef:
        self._seen[link.external_id] = (state, self.clock())
        return RemoteRef(kind, link.external_id, str(link.remote_id), state)

    def _link(self, ref: RemoteRef) -> ErpLink:
        _check_kind(ref.kind)
        link = links.link_of(self.shop, ref.external_id)
        if link is None:
            raise ErpRejected(
                f"There is no {WHAT[ref.kind]} {ref.external_id}.", fields={"external_id": ref.external_id}
            )
        return link

    def _just_seen(self, ref: RemoteRef) -> str:
        state, at = self._seen.get(ref.external_id, ("", self.clock()))
        return state if timedelta(0) <= self.clock() - at < FRESH else ""

    def _state_now(self, ref: RemoteRef, link: ErpLink) -> str:
        if ref.kind == MANUFACTURING_ORDER:
            return orders.state_of(self.session, link)
        return _state(SALE_ORDER, sales.read(self.session, link)["state"])


BEGINNING_OF_ODOO: Final = Cursor()


def _parted(cursor: Cursor) -> tuple[int | None, Cursor]:
    """(our own holds' number, Odoo's cursor). Raises ErpRejected for something else's cursor."""
    if not cursor.value:
        return None, BEGINNING_OF_ODOO
    number, _, remote = cursor.value.partition(" ")
    if not number.isdecimal() or not remote:
        raise ErpRejected(f"{cursor.value!r} is no cursor of Odoo's.", fields={"cursor": cursor.value})
    return int(number), Cursor(remote)


def _state(kind: str, said: str) -> str:
    states = mapping.SALE_STATES if kind == SALE_ORDER else mapping.ORDER_STATES
    return states.get(said, said)


def _check_kind(kind: str) -> None:
    if kind not in MODELS:
        kept = ", ".join(repr(each) for each in MODELS)
        raise ErpRejected(f"Odoo keeps no {kind!r} for Weftline; it keeps {kept}.", fields={"kind": kind})


def _paragraphs(text: str) -> str:
    """Plain text as Odoo's chatter shows it, a line each."""
    return "".join(f"<p>{escape(line)}</p>" for line in text.splitlines() if line.strip())


def _content(document: Document) -> str:
    """The file as base64; nothing for a link. Raises ErpRejected where it is not what its sha256 says."""
    check_document(document)
    return "" if document.as_link else base64.b64encode(document.path.read_bytes()).decode("ascii")
