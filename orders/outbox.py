"""The outbox: what is still to be said to the ERP, what could not be, and why; and how the ERP is doing meanwhile.

Nothing here asks an ERP that lives elsewhere: the page has to open when that is away.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from inventory_sync import mirror, words
from inventory_sync import services as inventory
from inventory_sync.errors import ErpError
from inventory_sync.models import Breaker, ErpConnection
from inventory_sync.ports import MANUFACTURING_ORDER, SALE_ORDER
from orders import audit, names, services, steps, tasks, timetable
from orders.domain.states import LineState, StepState
from orders.errors import NothingToRetry
from orders.models import Following, Notice, OrderLine, Shop, Step

# What each kind of step says to the ERP, as people read it.
SAYING: Final = {
    "quote": "the offer",
    "plan": "fabric, inks and machine time to hold",
    "sync": "the sale order and the manufacturing order",
    "cancel": "that it is cancelled",
    "reschedule": "other times for its work orders",
    "report": "what the shop floor reported",
    "check": "a question about stock and machines",
    "release": "a question about what is held",
}
SPEAKING: Final = ("quote", "plan", "sync", "cancel", "reschedule", "report")
OLD: Final = timedelta(minutes=2)  # stock that was read longer ago says so beside a price


def _codes(error: type[ErpError]) -> set[str]:
    return {error.code}.union(*(_codes(each) for each in error.__subclasses__()))


ERP_CODES: Final = frozenset(_codes(ErpError))


@dataclass(frozen=True)
class Entry:
    """One thing that has not been said to the ERP yet."""

    step: int
    line: OrderLine
    kind: str
    what: str
    state: str  # pending, running, failed
    error_code: str
    sentence: str
    tries: int
    of_tries: int
    since: datetime
    next_try: datetime | None
    address: str  # where a person opens its record in the ERP; empty: there is none yet
    can_retry: bool


@dataclass(frozen=True)
class Connection:
    """How a shop's ERP is doing, as far as we know without asking it."""

    connector: str
    where: str
    answers: bool
    sentence: str
    failures: int  # in a row
    ask_again_at: datetime | None
    read_at: datetime | None
    followed_at: datetime | None
    remote: bool

    @property
    def stock_age(self) -> str:
        """How long ago the stock was read, in words; empty: it is asked each time, or never was read."""
        return words.age(timezone.now() - self.read_at) if self.remote and self.read_at else ""

    @property
    def followed_age(self) -> str:
        """How long ago it was last asked what has changed, in words; empty: never."""
        return words.age(timezone.now() - self.followed_at) if self.followed_at else ""


def waiting() -> QuerySet[Step]:
    """Return the steps of all shops that have something to say to an ERP and have not said it, oldest first."""
    newer = Step.objects.filter(line=OuterRef("line"), pk__gt=OuterRef("pk"))
    still_open = Q(state__in=[StepState.PENDING, StepState.RUNNING]) & (
        Q(kind__in=SPEAKING) | Q(error_code__in=ERP_CODES)
    )
    stopped = Q(state=StepState.FAILED, error_code__in=ERP_CODES, line__state=LineState.BLOCKED)
    not_offered = Q(state=StepState.FAILED, kind="quote", line__state=LineState.PROOFING)
    not_moved = Q(state=StepState.FAILED, kind="reschedule", line__state__in=timetable.MOVABLE)
    made = [LineState.IN_PRODUCTION, LineState.INSPECTING, LineState.DONE]
    not_reported = Q(state=StepState.FAILED, kind="report", line__state__in=made)
    unsaid = stopped | not_offered | not_moved | not_reported
    found = Step.objects.filter(still_open | unsaid & ~Exists(newer))
    return found.select_related("line__order__customer", "line__order__shop").order_by("created_at", "pk")


def entries(shop: Shop, found: Iterable[Step]) -> list[Entry]:
    """Return steps as people read them. A constant number of queries, and no call to an ERP that lives elsewhere."""
    found = list(found)
    kinds = {names.record_id(step.line): MANUFACTURING_ORDER for step in found}
    kinds |= {names.sale_id(step.line.order): SALE_ORDER for step in found}
    addresses = inventory.addresses(inventory.connect(shop.connector, shop=shop.slug), kinds) if found else {}
    return [_entry(step, addresses) for step in found]


def _entry(step: Step, addresses: dict[str, str]) -> Entry:
    line = step.line
    pending = step.state == StepState.PENDING
    return Entry(
        step=step.pk,
        line=line,
        kind=step.kind,
        what=SAYING.get(step.kind, step.kind),
        state=step.state,
        error_code=step.error_code,
        sentence=step.error,
        tries=step.attempt,
        of_tries=step.max_attempts,
        since=step.created_at,
        next_try=step.due_at if pending else None,
        address=addresses.get(names.record_id(line)) or addresses.get(names.sale_id(line.order), ""),
        can_retry=step.state != StepState.RUNNING,
    )


def retry(step: Step, *, by: User) -> OrderLine:
    """Try again now: a waiting step is due at once, a blocked line goes on, an offer that failed is made once more.

    Raises NothingToRetry for what is being done just now or is over, StaleState.
    """
    with transaction.atomic():
        steps.lock_line(step.line_id)
        unsaid = waiting().filter(pk=step.pk).exclude(state=StepState.RUNNING).first()
        if unsaid is None:
            raise NothingToRetry(fields={"step": step.pk})
        line = unsaid.line
        if line.state == LineState.BLOCKED:
            return services.resume(line, by=by)
        if unsaid.state == StepState.FAILED:
            unsaid = steps.open_step(line, unsaid.kind, max_attempts=unsaid.max_attempts)
        else:
            steps.hasten(unsaid.pk)
        tasks.ring(unsaid.pk)
        audit.record(line.order.shop, "retry", actor=by, line=line, details={"step": unsaid.kind})
        return line


def connection_of(shop: Shop) -> Connection:
    """Return how the shop's ERP is doing, as far as we know without asking it."""
    erp = inventory.connect(shop.connector, shop=shop.slug)
    reached = ErpConnection.objects.filter(shop=shop.slug).first() if erp.remote else None
    breaker = Breaker.objects.filter(shop=shop.slug).first()
    following = Following.objects.filter(shop=shop).first()
    error = (following.error if following else "") or (breaker.last_error if breaker and breaker.failures else "")
    return Connection(
        connector=shop.connector,
        where=f"{reached.database} on {reached.url}" if reached else "",
        answers=not error,
        sentence=error,
        failures=breaker.failures if breaker else 0,
        ask_again_at=breaker.ask_again_at if breaker else None,
        read_at=mirror.as_of(shop.slug),
        followed_at=following.followed_at if following else None,
        remote=erp.remote,
    )


def old_stock(shop: Shop) -> str:
    """Return how long ago the stock behind prices and promises was read, in words; empty while it is young."""
    read_at = mirror.as_of(shop.slug)
    remote = inventory.connect(shop.connector, shop=shop.slug).remote
    if not remote or read_at is None or timezone.now() - read_at < OLD:
        return ""
    return words.age(timezone.now() - read_at)


def open_notices(shop: Shop) -> QuerySet[Notice]:
    """Return what the ERP says and nobody has dealt with yet, the newest first."""
    return Notice.objects.filter(shop=shop, settled_at=None).select_related("line")
