"""When a shop's machines run, breakdowns left out, as far as that is known without asking an ERP that is away."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from inventory_sync import services as inventory
from orders import names
from orders.models import Shop
from production import plans
from production.planning.openings import Span, merged, minute_after, minute_before, moment_of, openings


@dataclass(frozen=True)
class OpenTime:
    """When a machine runs: merged spans in order, breakdowns left out."""

    spans: tuple[Span, ...]

    def spans_after(self, minute: int) -> tuple[Span, ...]:
        """The spans that are not over at a minute."""
        return self.spans[bisect_right(self.spans, minute, key=lambda span: span[1]) :]

    def worked(self, start: int, end: int) -> int:
        """Open minutes between two minutes."""
        return sum(max(0, min(b, end) - max(a, start)) for a, b in self.spans_after(start) if a < end)


def hours_of(shop: Shop, start: int, end: int) -> dict[str, OpenTime]:
    """When each machine of a shop runs between two minutes. Raises ErpError where that was never read."""
    centres = inventory.work_centres_of(names.erp_of(shop))
    down = plans.downtimes(shop.slug, moment_of(start))
    found = {}
    for code, centre in centres.items():
        spans = merged(openings(centre.calendar, start, end))
        for each in down.get(code, ()):
            spans = less(spans, minute_before(each.start), minute_after(each.end))
        found[code] = OpenTime(tuple(spans))
    return found


def less(spans: Iterable[Span], start: int, end: int) -> list[Span]:
    """Spans without what lies between two minutes.

    >>> less([(0, 10), (20, 30)], 5, 25)
    [(0, 5), (25, 30)]
    """
    cut = [part for a, b in spans for part in ((a, min(b, start)), (max(a, end), b))]
    return [(a, b) for a, b in cut if a < b]


def minutes_between(spans: Iterable[Span], edges: Sequence[int]) -> list[int]:
    """Minutes of spans between each edge and the next."""
    found = [0] * (len(edges) - 1)
    for a, b in spans:
        for number in range(max(0, bisect_right(edges, a) - 1), len(found)):
            if edges[number] >= b:
                break
            found[number] += max(0, min(b, edges[number + 1]) - max(a, edges[number]))
    return found


def common(some: Sequence[Span], others: Sequence[Span]) -> list[Span]:
    """What lies in both of two rows of spans, each merged and in order.

    >>> common([(0, 10), (20, 30)], [(5, 25)])
    [(5, 10), (20, 25)]
    """
    found, here, there = [], 0, 0
    while here < len(some) and there < len(others):
        a, b = max(some[here][0], others[there][0]), min(some[here][1], others[there][1])
        if a < b:
            found.append((a, b))
        if some[here][1] < others[there][1]:
            here += 1
        else:
            there += 1
    return found
