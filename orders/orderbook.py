"""The order book: lines found by what people remember of them, how many stand where, and what each shows in a list."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, Q, Subquery
from django.db.models.fields.json import KT

from orders import linking, names
from orders.domain.states import LineState
from orders.models import Candidate, Lines, Notice, OrderLine, Round, Shop
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
}
OVER: Final = (_L.DONE, _L.CANCELLING, _L.CANCELLED)
UNDONE: Final = tuple(state for state in LineState if state is not _L.DONE)
PROMISE: Final = KT("plan__promise")


@dataclass(frozen=True)
class Entry:
    """One line as it stands in the book."""

    line: OrderLine
    words: str
    candidates: tuple[Candidate, ...]
    ready: date | None  # when it is planned to be ready
    late_days: int  # past its due date, or promised for so many days after it
    due_in: int | None  # days; None: it is not soon, or it is over
    asks: bool  # its customer has said something that nobody has answered yet


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
    lines = OrderLine.objects.of(shop).order_by("-pk")
    asks = set(linking.asking(shop).order_by().values_list("pk", flat=True))
    undone = _undone(lines)  # years leave thousands that are done
    found = _standing_apart(shop, undone, asks, today)
    if words:
        held = set(_holding(lines, shop, words).values_list("pk", flat=True))
        found = {each: pks & held for each, pks in found.items()}
        found |= {Standing.ALL: held, Standing.DONE: held - {line.pk for line in undone}}
    counted = {each: len(pks) for each, pks in found.items()}
    if not words:
        counted[Standing.ALL] = lines.count()
        counted[Standing.DONE] = counted[Standing.ALL] - len(undone)
    pages = max(1, -(-counted[standing] // SHOWN))
    number = min(max(1, number), pages)
    here = slice((number - 1) * SHOWN, number * SHOWN)
    # Their keys first: a database that sorts thousands of whole lines takes ten times as long.
    wanted = lines.filter(state=_L.DONE) if standing is Standing.DONE else lines
    keys = sorted(found[standing], reverse=True)[here] if standing in found else wanted.values("pk")[here]
    return Page(_entries(shop, OrderLine.objects.filter(pk__in=keys), asks, today), number, pages, counted)


class _Undone(NamedTuple):
    """As much of a line as says where it stands."""

    pk: int
    state: str
    due: date
    promise: str | None  # in UTC
    struck: bool  # it has a strike-off

    def is_late(self, today: date) -> bool:
        """True when it is past its due date, or promised for after it."""
        return self.state not in OVER and (self.due < today or (self.promise or "")[:10] > self.due.isoformat())


def _undone(lines: Lines) -> list[_Undone]:
    struck = Exists(OrderLine.objects.filter(sample_of=OuterRef("pk")))
    rows = lines.filter(state__in=UNDONE).order_by().annotate(promise=PROMISE, struck=struck)
    return [_Undone(*row) for row in rows.values_list("pk", "state", "due_date", "promise", "struck")]


def _holding(lines: Lines, shop: Shop, words: str) -> Lines:
    """Lines of which each word is in the number, the customer, the cloth or what a design was asked to show."""
    offers = production.offers(shop.slug)
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


def _standing_apart(shop: Shop, undone: Sequence[_Undone], asks: set[int], today: date) -> dict[Standing, set[int]]:
    """Which lines that are not done stand where."""
    of = {each: {line.pk for line in undone if line.state in states} for each, states in STATES.items()}
    notices = Notice.objects.filter(shop=shop, settled_at=None).exclude(line=None).values_list("line", flat=True)
    stopped = {line.pk for line in undone if line.state == _L.BLOCKED or (line.state == _L.DRAFT and not line.struck)}
    return of | {
        Standing.WAITING: stopped | set(notices.order_by()) | asks,
        Standing.LATE: {line.pk for line in undone if line.is_late(today)},
    }


def _entries(shop: Shop, lines: Lines, asks: set[int], today: date) -> tuple[Entry, ...]:
    newest = Round.objects.filter(line=OuterRef("pk")).order_by("-number")
    brief, words = Subquery(newest.values("pk")[:1]), Subquery(newest.values("words")[:1])
    rows = lines.annotate(promise=PROMISE, brief=brief, words=words).defer("plan", "asked", "quote", "blocked")
    shown = list(rows.select_related("order__customer").order_by("-pk"))
    drawn: dict[int, list[Candidate]] = {}
    candidates = Candidate.objects.filter(round__in=[line.brief for line in shown if line.brief])
    for candidate in candidates.only("round_id", "position").order_by("position"):
        drawn.setdefault(candidate.round_id, []).append(candidate)
    zone = ZoneInfo(shop.time_zone)
    return tuple(
        _entry(line, drawn.get(line.brief, ()), today=today, zone=zone, asks=line.pk in asks) for line in shown
    )


def _entry(line: Any, drawn: Sequence[Candidate], *, today: date, zone: ZoneInfo, asks: bool) -> Entry:
    ready = datetime.fromisoformat(line.promise).astimezone(zone).date() if line.promise else None
    is_over = line.state in OVER
    late = 0 if is_over else max(0, ((ready or today) - line.due_date).days, (today - line.due_date).days)
    days = (line.due_date - today).days
    soon = days if not is_over and not late and days <= SOON_DAYS else None
    return Entry(line, line.words or "", tuple(drawn[:PICTURES]), ready, late, soon, asks)
