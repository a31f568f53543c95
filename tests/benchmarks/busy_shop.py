"""A mill with years behind it: ten thousand orders, a few hundred of them open, a thousand operations ahead.

Four orders go through the line by its own steps; the others are copies of their rows at other times, under other
names. What is ahead on the machines is planned and held one by one, as it would be.
"""

import copy
import random
import re
import uuid
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
from django.conf import settings
from django.contrib.auth.models import User
from django.db import models, transaction
from django.utils import timezone

from generation.models import Artwork, ArtworkMark
from inventory_sync.models import LedgerLot, LedgerOrder, LedgerSale, LedgerWorkOrder
from inventory_sync.models.ledger import LedgerComponent, LedgerSaleLine
from orders import clocks
from orders.models import (
    Approval,
    AuditEvent,
    Candidate,
    Customer,
    Decision,
    FloorReport,
    Order,
    OrderLine,
    Round,
    Shop,
    Step,
)
from production import inspections
from production.models import Inspection, JobTicket, OutputFile
from tests.inspected import inspected, looked_at
from tests.shop_floor import placed, planned, released

ORDERS = 10_000
AHEAD = 160  # lines that have times on the machines
DAYS = 700
WORDS = (
    "small blue flowers on a cream ground", "herons among reeds", "wide stripes in ochre and ink", "houndstooth",
    "palm leaves, large, at night", "paisley in madder red", "tiny stars", "a garden wall with lemons", "chevrons",
    "poppies and corn", "birds on branches", "irregular dots", "a Persian border", "waves after Hokusai",
)  # fmt: skip
TOWNS = ("Nord", "Lyon", "Como", "Bursa", "Porto", "Krefeld", "Leeds", "Prato", "Denizli", "Braga")
HOUSES = ("Atelier", "Maison", "Studio", "Hotel", "Casa", "Interiors")
MOMENT = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d")


def fill(
    shop: Shop, *, orders: int = ORDERS, ahead: int = AHEAD, generator: str = "quick", as_drawn: bool = False
) -> dict[str, int]:
    """Fill a freshly seeded shop; returns how many rows of each kind there are then.

    `as_drawn`: all orders show the designs of the first few, which can be opened; otherwise each has designs of its own
    in what they are known again by, of which the first can be opened.
    """
    chance = random.Random(11)
    LedgerLot.objects.update(on_hand=1_000_000)
    settings.WEFTLINE["generators"]["quick"] = "tests.quick_generator.QuickGenerator"
    settings.WEFTLINE["candidates"] = 4
    Shop.objects.filter(pk=shop.pk).update(generator=generator)
    shop.refresh_from_db()
    size = {"repeat_mm": (320, 320), "quantity_m": Decimal(12)}
    printed, chosen = released(shop, **size), placed(shop, **size)
    other = released(shop, **size, layout="half_drop", substrate="FAB-LIN-NAT")
    for line in (printed, other):
        _passed(line)
    customers = [Customer(shop=shop, name=f"{chance.choice(HOUSES)} {chance.choice(TOWNS)} {n}") for n in range(300)]
    customers = Customer.objects.bulk_create(customers)
    over = [Template(printed), Template(other)]
    waits = Template(chosen)
    copier = Copier(shop, chance, customers, as_drawn=as_drawn)
    for number in range(orders - ahead):
        days = chance.uniform(15, DAYS)
        if number % 50 == 0:
            copier.add(waits, "cancelled", days)
        elif number % 45 == 1:
            copier.add(waits, "proofing", chance.uniform(0, 12))
        elif number % 250 == 2:
            copier.add(waits, "blocked", chance.uniform(0, 8))
        else:
            copier.add(chance.choice(over), "done", days)
    copier.write()
    Shop.objects.filter(pk=shop.pk).update(order_sequence=orders + 10, audit_sequence=copier.sequence)
    shop.refresh_from_db()
    coming(Copier(shop, chance, customers, as_drawn=as_drawn), over[0], ahead)
    while clocks.keep_up(shop):
        pass
    kinds = (
        Order, OrderLine, Round, Candidate, Artwork, AuditEvent, Step, FloorReport, OutputFile, Inspection,
        LedgerWorkOrder,
    )  # fmt: skip
    return {kind.__name__: kind.objects.count() for kind in kinds}


def _passed(line: OrderLine) -> None:
    """An inspection of the line's whole cloth, with its pictures and its point in the charts."""
    at, machine, inks = timezone.now(), "PRT1", "RE-CMYK"
    row = looked_at(
        line, inspected(length_m=float(line.quantity_m)), at=at, measured_at=at, machine=machine, ink_set=inks,
        state="decided", decision="pass", good_m=line.quantity_m, scrap_m=0, reprint_m=0, decided_by="bench",
        decided_at=at, told_at=at,
    )  # fmt: skip
    inspections.note_drift(row)


def coming(copier: "Copier", like: "Template", ahead: int) -> None:
    """Lines that are planned and held on the machines; one in eight has begun."""
    shop, chance = copier.shop, copier.chance
    for number in range(ahead):
        fabric = chance.choice(("FAB-COT-SAT", "FAB-COT-POP", "FAB-LIN-NAT"))
        line = planned(shop, fabric, chance.randint(3, 60), due_in_days=chance.randint(2, 40))
        # What is copied of its story happened when it happened to the order it is copied from: no sooner than it came.
        Order.objects.filter(pk=line.order_id).update(
            customer=chance.choice(copier.customers[:8]), created_at=like.order.created_at
        )
        copier.dress(like, line, words=chance.choice(WORDS))
        if number % 8 == 0:
            OrderLine.objects.filter(pk=line.pk).update(state="in_production")
    copier.write()
    Shop.objects.filter(pk=shop.pk).update(audit_sequence=copier.sequence)


class Template:
    """The rows of one line, as they came off the line's own steps."""

    def __init__(self, line: OrderLine) -> None:
        self.line, self.order = line, line.order
        self.rounds = list(line.rounds.all())
        self.candidates = list(Candidate.objects.filter(round__line=line).select_related("artwork__mark"))
        self.approvals = list(line.approvals.all())
        self.steps = list(line.steps.all())
        self.events = list(line.events.all())
        self.tickets = list(JobTicket.objects.filter(reference=line.reference))
        self.files = list(OutputFile.objects.filter(ticket__in=self.tickets))
        self.made = list(LedgerOrder.objects.filter(reference=line.reference))
        self.components = list(LedgerComponent.objects.filter(order__in=self.made))
        self.work_orders = list(LedgerWorkOrder.objects.filter(order__in=self.made))
        self.inspections = list(Inspection.objects.filter(reference=line.reference).select_related("drift"))
        self.sales = list(LedgerSale.objects.filter(number=self.order.number))
        self.sale_lines = list(LedgerSaleLine.objects.filter(sale__in=self.sales))


class Copier:
    """Copies templates to other times under other names, and writes all copies at once."""

    def __init__(self, shop: Shop, chance: random.Random, customers: list[Customer], *, as_drawn: bool) -> None:
        self.shop, self.chance, self.customers, self.as_drawn = shop, chance, customers, as_drawn
        self.begun, self.pace = timezone.now(), 1.0
        self.rows: dict[type[models.Model], list[models.Model]] = defaultdict(list)
        self.next: dict[type[models.Model], Iterator[int]] = {}
        self.sequence = Shop.objects.get(pk=shop.pk).audit_sequence
        self.number = Order.objects.count()
        self.noise = np.random.default_rng(13)
        self.operator = User.objects.get_or_create(username="operator")[0]

    def add(self, like: Template, state: str, days_ago: float) -> None:
        """One more order, placed so many days ago."""
        self.number += 1
        self.begun, self.pace = like.order.created_at, self.chance.lognormvariate(0.5, 0.7)  # no two take as long
        order = self._copy(like.order, number=f"WL-{self.number:06d}", customer=self.chance.choice(self.customers))
        order.once = None
        line = self._copy(like.line, order=order, reference=f"{order.number}-1", state=state)
        line.quantity_m = Decimal(self.chance.randint(3, 90))
        delta = timezone.now() - timedelta(days=days_ago) - like.order.created_at
        line.due_date = (timezone.now() - timedelta(days=days_ago) + timedelta(days=30)).date()
        line.plan = shifted(line.plan, delta)
        if state == "blocked":
            line.came_from = "generating"
            line.blocked = {"code": "nothing_passes", "sentence": "None of the designs can be made on this cloth.",
                            "findings": [], "fields": {}}  # fmt: skip
        order.created_at += delta
        self.dress(like, line, delta=delta, words=self.chance.choice(WORDS))
        if state == "done":
            self._worked_on(line)
            for each in like.inspections:
                once = uuid.UUID(int=self.chance.getrandbits(128))
                new = self._copy(each, delta, reference=line.reference, once=once)
                off = {name: self.chance.gauss(0, 0.05) for name in ("across_pct", "along_pct")}
                off |= {name: self.chance.gauss(0, 0.3) for name in ("dl", "da", "db")}
                self._copy(each.drift, delta, inspection=new, de00=abs(self.chance.gauss(1.1, 0.2)), **off)

    def dress(self, like: Template, line: OrderLine, *, delta: timedelta = timedelta(0), words: str = WORDS[0]) -> None:
        """What belongs to a line: rounds, candidates, approvals, steps, events, tickets and the ERP's records."""
        new: dict[models.Model, models.Model] = {}
        for each in like.rounds:
            new[each] = self._copy(each, delta, line=line, words=words)
        for each in like.candidates:
            artwork = each.artwork if self.as_drawn or each.position == 1 else self._drawn(each.artwork)
            new[each] = self._copy(each, delta, round=new[each.round], artwork=artwork)
        for each in like.approvals:
            new[each] = self._copy(each, delta, line=line, candidate=new[each.candidate])
            self._row(Decision(candidate=new[each.candidate], accepted=True, reasons=[], at=new[each].at))
        for each in like.steps:
            self._copy(each, delta, line=line)
        for each in like.events:
            self.sequence += 1
            digest = f"{self.chance.getrandbits(256):064x}"
            self._copy(each, delta, line=line, order=line.order, sequence=self.sequence, digest=digest)
        for each in like.tickets:
            new[each] = self._copy(each, delta, reference=line.reference)
        for each in like.files:
            self._copy(each, delta, ticket=new[each.ticket])
        self._in_the_erp(like, line, delta)

    def _drawn(self, artwork: Artwork) -> Artwork:
        """Another design: it looks the same, and is not like it in what designs are known again by."""
        sha256, key = (f"{self.chance.getrandbits(256):064x}" for _ in range(2))
        new = self._copy(artwork, sha256=sha256, key=key)
        known = np.frombuffer(artwork.mark.signature, "<f2").astype(np.float32)
        known = known + self.noise.normal(0, np.abs(known).mean(), known.size)
        self._copy(artwork.mark, artwork=new, signature=(known / np.linalg.norm(known)).astype("<f2").tobytes())
        return new

    def _in_the_erp(self, like: Template, line: OrderLine, delta: timedelta) -> None:
        def named(old: str) -> str:
            return old.replace(like.line.reference, line.reference).replace(like.order.number, line.order.number)

        new: dict[models.Model, models.Model] = {}
        for each in like.sales:
            new[each] = self._copy(each, delta, external_id=named(each.external_id), number=line.order.number)
        for each in like.sale_lines:
            self._copy(each, delta, sale=new[each.sale], external_id=named(each.external_id))
        for each in like.made:
            values = {name: named(getattr(each, name)) for name in ("external_id", "reference", "sale", "sale_line")}
            new[each] = self._copy(each, delta, **values)
        for each in (*like.components, *like.work_orders):
            self._copy(each, delta, order=new[each.order])

    def _worked_on(self, line: OrderLine) -> None:
        for number, slot in enumerate((line.plan or {}).get("slots", ())):
            for kind, at in (("start", slot["start"]), ("finish", slot["end"])):
                late = timedelta(minutes=self.chance.uniform(-5, 25))
                self._row(
                    FloorReport(
                        line=line, run=1, operation=number, work_centre=slot["work_centre"], kind=kind,
                        metres=line.quantity_m if kind == "finish" else None, at=datetime.fromisoformat(at) + late,
                        once=uuid.UUID(int=self.chance.getrandbits(128)), by=self.operator,
                    )
                )  # fmt: skip

    def _copy(self, row: Any, delta: timedelta = timedelta(0), **values: Any) -> Any:
        new = copy.copy(row)
        new._state = copy.copy(row._state)
        new._state.fields_cache = {}
        new.pk = None
        for field in row._meta.fields:
            if isinstance(field, models.DateTimeField) and getattr(new, field.attname):
                since = getattr(new, field.attname) - self.begun
                setattr(new, field.attname, self.begun + delta + since * self.pace)
        for name, value in values.items():
            setattr(new, name, value)
        return self._row(new)

    def _row(self, row: Any) -> Any:
        kind = type(row)
        if kind not in self.next:
            highest = kind.objects.aggregate(highest=models.Max("pk"))["highest"] or 0
            self.next[kind] = iter(range(highest + 1, 10**9))
        row.pk = next(self.next[kind])
        for field in row._meta.fields:  # a copy's relations were given as rows that had no number before
            if field.is_relation and field.is_cached(row):
                setattr(row, field.attname, getattr(row, field.name).pk)
        self.rows[kind].append(row)
        return row

    def write(self) -> None:
        """Write what was copied, what others point to first."""
        order = (
            Artwork, ArtworkMark, Order, OrderLine, Round, Candidate, Approval, JobTicket, Inspection, LedgerSale,
            LedgerOrder,
        )  # fmt: skip
        for kind in (*order, *(kind for kind in self.rows if kind not in order)):
            with transaction.atomic():
                kind.objects.bulk_create(self.rows.get(kind, ()), batch_size=400)
        self.rows.clear()


def shifted(value: Any, delta: timedelta) -> Any:
    """A plan at another time."""
    if isinstance(value, dict):
        return {key: shifted(each, delta) for key, each in value.items()}
    if isinstance(value, list):
        return [shifted(each, delta) for each in value]
    if isinstance(value, str) and MOMENT.match(value):
        return (datetime.fromisoformat(value) + delta).astimezone(UTC).isoformat()
    return value
