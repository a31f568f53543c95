"""The order book: lines found by what people remember of them, how many stand where, and what each shows in a list."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from django.db.models import CharField, Count, Q, QuerySet
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Substr
from django.db.models.lookups import GreaterThan

from orders import linking, names
from orders.domain.states import LineState
from orders.models import Candidate, Notice, OrderLine, Round, Shop
from production import services as production

SHOWN: Final = 30  # lines on a page
PICTURES: Final = 4  # of a line
MOST_TERMS: Final = 6  # of a search
SOON_DAYS: Final = 3


class Standing(StrEnum):
    """Where lines stand, as who looks after them asks."""

    ALL = ""
    WAITING = "waiting"  # for a person here
    DRAWING = "drawing"
    CUSTOMER = "customer"  # chooses, or looks at a strike-off
    MILL = "mill"  # being planned, released or made
    LATE = "late"  # past its due date, or promised for after it
    DONE = "done"


_L = LineState
STATES: Final[Mapping[Standing, Sequence[LineState]]] = {
    Standing.DRAWING: (_L.GENERATING,),
    Standing.CUSTOMER: (_L.PROOFING,),
    Standing.MILL: (_L.PLANNING, _L.RELEASING, _L.SYNCING, _L.RELEASED, _L.IN_PRODUCTION, _L.INSPECTING),
    Standing.DONE: (_L.DONE,),
}
OVER: Final = (_L.DONE, _L.CANCELLING, _L.CANCELLED)


@dataclass(frozen=True)
class Entry:
    """One line as it stands in the book."""

    line: OrderLine
    words: str
    candidates: tuple[Candidate, ...]
    ready: date | None  # when it is planned to be ready
    late_days: int  # past its due date, or promised for so many days after it
    due_in: int | None  # days; None: it is not soon, or it is over
    asks: bool = False  # its customer has said something that nobody has answered yet


@dataclass(frozen=True)
class Page:
    """A page of the book, and how many lines of what was looked for stand where."""

    entries: tuple[Entry, ...]
    number: int
    pages: int
    counts: Mapping[Standing, int]

    @property
    def shown(self) -> int:
        """How many lines are on this page."""
        return len(self.entries)


def page_of(shop: Shop, *, words: str = "", standing: Standing = Standing.ALL, number: int = 1) -> Page:
    """Return a page of the lines that hold all the words, the newest first. A constant number of queries."""
    today = names.today(shop)
    found = _holding(shop, words)
    counts = found.aggregate(**{each.name: Count("pk", filter=_standing(shop, each, today)) for each in Standing})
    counted = {each: counts[each.name] for each in Standing}
    pages = max(1, -(-counted[standing] // SHOWN))
    number = min(max(1, number), pages)
    # Their keys first: a database that sorts thousands of whole lines takes ten times as long.
    keys = found.filter(_standing(shop, standing, today)).order_by("-pk").values_list("pk", flat=True)
    lines = OrderLine.objects.filter(pk__in=list(keys[(number - 1) * SHOWN : number * SHOWN])).order_by("-pk")
    shown = list(lines.select_related("order__customer").defer("quote", "blocked"))
    return Page(_entries(shop, shown, today), number, pages, counted)


def _holding(shop: Shop, words: str) -> QuerySet[OrderLine]:
    """Lines of which each word is in the number, the customer, the cloth or what a design was asked to show."""
    lines = OrderLine.objects.of(shop)
    offers = production.offers(shop.slug) if words else []
    for term in words.split()[:MOST_TERMS]:
        cloths = [offer.code for offer in offers if term.casefold() in offer.name.casefold()]
        lines = lines.filter(
            Q(reference__icontains=term)
            | Q(order__customer__name__icontains=term)
            | Q(substrate__icontains=term)
            | Q(weave__icontains=term)
            | Q(substrate__in=cloths)
            | Q(weave__in=cloths)
            | Q(end_use__icontains=term)
            | Q(pk__in=Round.objects.filter(words__icontains=term).values("line"))
        )
    return lines


def _standing(shop: Shop, standing: Standing, today: date) -> Q:
    if standing is Standing.ALL:
        return Q(pk__isnull=False)
    if standing is Standing.WAITING:
        notices = Notice.objects.filter(shop=shop, settled_at=None).exclude(line=None).values("line")
        asking = Q(pk__in=linking.asking(shop))
        struck = OrderLine.objects.of(shop).exclude(sample_of=None).values("sample_of")
        return Q(state=_L.BLOCKED) | (Q(state=_L.DRAFT) & ~Q(pk__in=struck)) | Q(pk__in=notices) | asking
    if standing is Standing.LATE:
        # Both are written as 2026-12-24; a promise as it stands in the plan, in UTC.
        after = GreaterThan(Substr(KT("plan__promise"), 1, 10), Cast("due_date", CharField()))
        return ~Q(state__in=OVER) & (Q(due_date__lt=today) | Q(after))
    return Q(state__in=STATES[standing])


def _entries(shop: Shop, lines: Sequence[OrderLine], today: date) -> tuple[Entry, ...]:
    briefs: dict[int, Round] = {}
    for brief in Round.objects.filter(line__in=lines).only("line_id", "number", "words").order_by("number"):
        briefs[brief.line_id] = brief
    drawn: dict[int, list[Candidate]] = {}
    newest = [brief.pk for brief in briefs.values()]
    for candidate in Candidate.objects.filter(round__in=newest).only("round_id", "position").order_by("position"):
        drawn.setdefault(candidate.round_id, []).append(candidate)
    asks = set(linking.asking(shop).filter(pk__in=[line.pk for line in lines]).values_list("pk", flat=True))
    entries = [_entry(shop, line, briefs[line.pk], drawn.get(briefs[line.pk].pk, []), today) for line in lines]
    return tuple(replace(entry, asks=entry.line.pk in asks) for entry in entries)


def _entry(shop: Shop, line: OrderLine, brief: Round, drawn: Sequence[Candidate], today: date) -> Entry:
    ready = None
    if line.plan:
        ready = datetime.fromisoformat(line.plan["promise"]).astimezone(ZoneInfo(shop.time_zone)).date()
    is_over = line.state in OVER
    late = 0 if is_over else max(0, ((ready or today) - line.due_date).days, (today - line.due_date).days)
    days = (line.due_date - today).days
    soon = days if not is_over and not late and days <= SOON_DAYS else None
    return Entry(line, brief.words, tuple(drawn[:PICTURES]), ready, late, soon)
