"""Whose a design is: what it is nearly the same as, what was promised to whom, and that such promises are kept.

Only designs of the same shop are looked at. What is said to everybody names no other customer and no order; the order
is for those who sell (`sold_before`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from generation import likeness
from generation.domain.pattern import Raster
from generation.domain.uniqueness import SAME_DESIGN
from generation.models import Artwork
from orders import audit
from orders.domain.states import LineState
from orders.errors import AlreadySold, DesignTaken, InvalidOrder
from orders.models import Approval, Candidate, Exclusivity, Order, OrderLine, Shop
from production.domain.finding import Finding, Severity

UNSOLD = (LineState.CANCELLING, LineState.CANCELLED)
NEWEST_DRAWN = 2000  # unsold designs that one is compared with on a page
LOOKED_AT = 8  # how many of the most alike designs are told apart
REMEDY = "Ask for a change, or choose another candidate."


@dataclass(frozen=True)
class Sold:
    """An order that was made in nearly the same design: for those who sell."""

    order: str
    on: date
    likeness: float
    own: bool  # by the same customer


def findings(line: OrderLine, artwork: Artwork, raster: Raster) -> list[Finding]:
    """What a design is nearly the same as: promised to others, sold, drawn before, learnt from; worst first."""
    trained = likeness.nearest_training(raster, 3, words=line.newest_round.words)
    found = [_promised(each, alike) for each, alike in _exclusive(line, artwork)]
    sold = sold_before(line, artwork)
    found += [_sold(each) for each in sold[:1]]
    if not found:
        found += _drawn(line, artwork)
    return [*found, _learnt(trained)]


def sold_before(line: OrderLine, artwork: Artwork) -> list[Sold]:
    """The shop's other orders that were made in nearly the same design, the most alike first."""
    approvals = sold_by(line.order.shop).exclude(line=line).select_related("line__order", "candidate")
    by_artwork: dict[int, list[Approval]] = {}
    for approval in approvals:
        by_artwork.setdefault(approval.candidate.artwork_id, []).append(approval)
    return [
        Sold(
            order=approval.line.order.number,
            on=_day(line.order.shop, approval.at),
            likeness=value,
            own=approval.line.order.customer_id == line.order.customer_id,
        )
        for artwork_id, value in _nearly_the_same(artwork, list(by_artwork))
        for approval in by_artwork[artwork_id]
    ]


def sold_by(shop: Shop) -> QuerySet[Approval]:
    """Return the approvals of the shop that were not cancelled."""
    return Approval.objects.filter(line__order__shop=shop).exclude(line__state__in=UNSOLD)


@dataclass(frozen=True)
class Near:
    """A design of the shop that another is near to, by a candidate that shows it."""

    candidate: Candidate
    likeness: float
    sold_on: date | None
    own: bool  # sold to the same customer
    order: str  # for those who sell

    @property
    def distance(self) -> float:
        """0 the same, 1 nothing in common."""
        return 1 - self.likeness


@dataclass(frozen=True)
class Nearest:
    """The designs nearest to one, best first, and among how many was looked."""

    compared: int
    nearest: tuple[Near, ...]


def nearest(line: OrderLine, artwork: Artwork, *, count: int = 4) -> Nearest:
    """The designs of other lines of the shop that one is most like: all that were sold, and the newest others."""
    shop = line.order.shop
    bought = sold_by(shop).exclude(line=line)
    here = Order.objects.filter(pk=OuterRef("round__line__order"), shop=shop)  # as in models.Lines.of
    drawn = Candidate.objects.filter(Exists(here)).exclude(round__line=line)
    newest = drawn.order_by("-pk").values_list("artwork", flat=True)[:NEWEST_DRAWN]
    kept = likeness.archive([*bought.order_by().values_list("candidate__artwork", flat=True), *newest])
    found = kept.nearest(likeness.mark_of(artwork), count=count)
    approvals = bought.filter(candidate__artwork__in=[each.artwork_id for each in found]).order_by("-pk")
    approvals = approvals.select_related("line__order", "candidate__artwork")
    sold = {approval.candidate.artwork_id: approval for approval in approvals}  # the first of each stays
    # One by one: a design may stand in thousands of lines, and its first is found at once.
    unsold = {each.artwork_id for each in found} - sold.keys()
    first = [drawn.filter(artwork=number).order_by("pk").values_list("pk", flat=True)[0] for number in unsold]
    candidates = Candidate.objects.filter(pk__in=first).select_related("artwork", "round__line__order")
    shown = {candidate.artwork_id: candidate for candidate in candidates}

    def near(each: likeness.Alike) -> Near:
        approval = sold.get(each.artwork_id)
        return Near(
            candidate=approval.candidate if approval else shown[each.artwork_id],
            likeness=each.likeness,
            sold_on=_day(shop, approval.at) if approval else None,
            own=approval is not None and approval.line.order.customer_id == line.order.customer_id,
            order=approval.line.order.number if approval else shown[each.artwork_id].round.line.order.number,
        )

    return Nearest(len(kept.artwork_ids), tuple(near(each) for each in found))


def promises(line: OrderLine, artwork: Artwork) -> tuple[list[Exclusivity], bool]:
    """Promises of a design to the line's own customer that hold today, and whether another customer has one like it."""
    today = _day(line.order.shop, timezone.now())
    held = Exclusivity.objects.filter(Q(until=None) | Q(until__gte=today), valid_from__lte=today)
    own = held.filter(customer=line.order.customer, artwork=artwork).select_related("customer")
    return list(own), bool(_exclusive(line, artwork))


def grant(candidate: Candidate, *, by: User | None, until: date | None = None, territory: str = "") -> Exclusivity:
    """Promise a design to the customer it was drawn for, from today. Raises AlreadySold, DesignTaken, InvalidOrder.

    A promise for everywhere (no territory) is refused when the design was sold to somebody else before, and any promise
    where one to somebody else holds for the same place, everywhere including every place.
    """
    line, artwork = candidate.round.line, candidate.artwork
    shop = line.order.shop
    today = _day(shop, timezone.now())
    if until is not None and until < today:
        raise InvalidOrder(f"The promise would have ended on {until:%d %B %Y}.", fields={"field": "until"})
    territory = " ".join(territory.split())
    with transaction.atomic():
        # The event takes the shop's row first: nobody approves a design, or promises it, at the same time.
        details = {"candidate": candidate.pk, "until": until and until.isoformat(), "territory": territory}
        audit.record(shop, "exclusive", actor=by, line=line, details=details)
        _refuse_if_promised(line, artwork, territory)
        others = [each for each in sold_before(line, artwork) if not each.own]
        if others and not territory:
            raise AlreadySold(fields={"candidate": candidate.pk, "sold": len(others)})
        return Exclusivity.objects.create(
            customer=line.order.customer, artwork=artwork, territory=territory, valid_from=today, until=until
        )


def refuse_if_taken(line: OrderLine, artwork: Artwork) -> None:
    """Raise DesignTaken when the design, or one nearly the same, is promised to another customer everywhere."""
    for promised, alike in _exclusive(line, artwork):
        if not promised.territory:
            raise DesignTaken(fields={"likeness": round(alike, 3), "limit": SAME_DESIGN})


def _refuse_if_promised(line: OrderLine, artwork: Artwork, territory: str) -> None:
    """Raise DesignTaken when a promise to another customer holds in a part of the territory ('': everywhere)."""
    for promised, alike in _exclusive(line, artwork):
        if not (promised.territory and territory) or promised.territory.casefold() == territory.casefold():
            raise DesignTaken(fields={"likeness": round(alike, 3), "limit": SAME_DESIGN})


def _exclusive(line: OrderLine, artwork: Artwork) -> list[tuple[Exclusivity, float]]:
    """Promises to other customers of the shop that hold today, with how alike the design is to the one promised."""
    shop = line.order.shop
    today = _day(shop, timezone.now())
    held = Exclusivity.objects.filter(Q(until=None) | Q(until__gte=today), valid_from__lte=today)
    held = held.filter(customer__shop=shop).exclude(customer=line.order.customer)
    promised: dict[int, list[Exclusivity]] = {}
    for each in held:
        promised.setdefault(each.artwork_id, []).append(each)
    near = _nearly_the_same(artwork, list(promised))
    return [(each, alike) for artwork_id, alike in near for each in promised[artwork_id]]


def _nearly_the_same(artwork: Artwork, among: Sequence[int]) -> list[tuple[int, float]]:
    if not among:
        return []
    near = likeness.archive(among).nearest(likeness.mark_of(artwork), count=LOOKED_AT)
    return [(each.artwork_id, each.likeness) for each in near if each.likeness >= SAME_DESIGN]


def _promised(promise: Exclusivity, alike: float) -> Finding:
    if promise.territory:
        return _finding(
            "exclusive_elsewhere",
            Severity.WARNING,
            alike,
            f"This design is nearly the same as one that another customer has to themselves in {promise.territory}.",
            f"Make sure that this cloth is not sold in {promise.territory}.",
        )
    said = "This design is nearly the same as one that another customer has to themselves."
    return _finding("exclusive_design", Severity.ERROR, alike, said, REMEDY)


def _sold(sold: Sold) -> Finding:
    if sold.own:
        said = f"This design is nearly the same as one that this customer bought on {sold.on:%d %b %Y}."
        return _finding("bought_before", Severity.INFO, sold.likeness, said, "")
    said = f"This design is nearly the same as one sold to another customer on {sold.on:%d %b %Y}."
    return _finding("sold_before", Severity.WARNING, sold.likeness, said, REMEDY)


def _drawn(line: OrderLine, artwork: Artwork) -> list[Finding]:
    """That nearly the same was drawn for another order of the shop and not sold; none when it was not."""
    candidates = Candidate.objects.filter(round__line__order__shop=line.order.shop).exclude(round__line=line)
    ids = candidates.values_list("artwork_id", flat=True).distinct()
    said = "Nearly the same design was drawn for another order before, and not sold."
    near = _nearly_the_same(artwork, list(ids))[:1]
    return [_finding("drawn_before", Severity.INFO, alike, said, "") for _, alike in near]


def _learnt(trained: likeness.TrainingSearch) -> Finding:
    """How near the design is to what the weights were trained on."""
    if not trained.compared:
        said = "No training pictures are indexed here: the design was compared with none of them."
        return _finding("training", Severity.INFO, None, said, "")
    nearest = trained.nearest[0]
    if trained.common_stock:
        said = (
            f"Independent drawings of {nearest.family.replace('_', ' ')} come out like this one: "
            "it is common stock, nobody's own design."
        )
        return _finding("common_stock", Severity.INFO, nearest.likeness, said, "")
    if nearest.likeness >= SAME_DESIGN:
        said = f"This design is nearly one of the {trained.compared} training pictures that it was compared with."
        return _finding("training", Severity.WARNING, nearest.likeness, said, REMEDY)
    said = f"Compared with {trained.compared} training pictures: none is nearly the same."
    return _finding("training", Severity.INFO, nearest.likeness, said, "")


def _finding(code: str, severity: Severity, alike: float | None, sentence: str, remedy: str) -> Finding:
    measured = "" if alike is None else f"{100 * alike:.0f} % alike"
    limit = f"{100 * SAME_DESIGN:.0f} % alike"
    return Finding(code, severity, "the whole design", measured, limit, remedy, sentence)


def _day(shop: Shop, moment: datetime) -> date:
    return moment.astimezone(ZoneInfo(shop.time_zone)).date()
