"""The clocks of all lines, kept as they go on: what the dashboard reads instead of ten thousand histories.

The audit chain says which lines have moved; it is numbered in the order of commit, so nothing is passed over. The
worker's sweep keeps them up; pages only read them.
"""

from collections.abc import Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db.models import Max, Prefetch, QuerySet

from orders import clock
from orders.domain.states import LineEvent, LineState
from orders.models import AuditEvent, Candidate, LineClock, OrderLine, Round, Shop

AT_ONCE = 500  # lines whose history is read together
# Stage, and the moments between which it lies: see the clock of an order in orders/clock.py; t3 is when the customer
# first opened the link, t8 when the cloth was made, t9 when it passed its inspection.
STAGES = (
    ("first_preview", "t0", "t1"),
    ("passing", "t1", "t2"),
    ("opened", "t2", "t3"),
    ("customer", "t2", "t5"),
    ("print_file", "t5", "t6"),
    ("queued", "t6", "t7"),
    ("made", "t7", "t8"),
    ("inspected", "t8", "t9"),
)
FIELDS = ("verified_on", "total_s", *(f"{stage}_s" for stage, *_ in STAGES))


def keep_all_up() -> None:
    """Go on with the clocks of every shop, so many events of each at once."""
    for shop in Shop.objects.order_by("pk"):
        keep_up(shop)


def unread(shop: Shop) -> QuerySet[AuditEvent]:
    """Return the events that are not in the clocks yet, the oldest first."""
    seen = LineClock.objects.filter(shop=shop).aggregate(last=Max("sequence"))["last"] or 0
    return AuditEvent.objects.filter(shop=shop, sequence__gt=seen, line__isnull=False).order_by("sequence")


def keep_up(shop: Shop, *, at_most: int = AT_ONCE) -> int:
    """Read so many events since the last time and set the clocks of their lines; returns how many are still unread."""
    waiting = unread(shop)
    events = list(waiting.values_list("line_id", "sequence")[:at_most])
    newest = dict(events)
    ids, zone = list(newest), ZoneInfo(shop.time_zone)
    for start in range(0, len(ids), AT_ONCE):
        lines = _whole(ids[start : start + AT_ONCE])
        LineClock.objects.bulk_create(
            (LineClock(line=line, shop=shop, sequence=newest[line.pk], **stages_of(line, zone)) for line in lines),
            update_conflicts=True,
            unique_fields=["line"],
            update_fields=["shop", "sequence", *FIELDS],
        )
    return waiting.filter(sequence__gt=events[-1][1]).count() if len(events) == at_most else 0


def stages_of(line: OrderLine, zone: ZoneInfo) -> dict[str, date | float | None]:
    """Return how long each stage that is over took, in seconds; None for the others."""
    moments = clock.times(line)
    opened = [link.opened_at for link in line.links.all() if link.opened_at]
    if opened:
        moments["t3"] = min(opened)
    for event in line.events.all():
        if event.action == LineEvent.FINISH and event.from_state == LineState.IN_PRODUCTION:
            moments["t8"] = event.at
        elif event.action == LineEvent.PASS:
            moments["t9"] = event.at
    found: dict[str, date | float | None] = {
        f"{stage}_s": _between(moments, begin, end) for stage, begin, end in STAGES
    }
    verified = moments.get("t6")
    found["verified_on"] = verified.astimezone(zone).date() if verified else None
    found["total_s"] = _between(moments, "t0", "t6")
    return found


def _between(moments: Mapping[str, datetime], begin: str, end: str) -> float | None:
    if begin not in moments or end not in moments:
        return None
    return max(0.0, round((moments[end] - moments[begin]).total_seconds(), 3))


def _whole(ids: list[int]) -> list[OrderLine]:
    """Lines with all that their clocks go by, and nothing else of it."""
    candidates = Candidate.objects.only("round_id", "drawn_at", "checked_at", "passed")
    rounds = Round.objects.only("line_id", "number").prefetch_related(Prefetch("candidates", candidates))
    events = AuditEvent.objects.only("line_id", "at", "action", "from_state", "sequence")
    lines = OrderLine.objects.filter(pk__in=ids).select_related("order").only("pk", "order__created_at")
    return list(lines.prefetch_related(Prefetch("rounds", rounds), Prefetch("events", events), "approvals", "links"))
