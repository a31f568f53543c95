"""The brand's latent spaces in the studio: built from what a shop's customers approved, shown as a map, walked in."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction
from django.http import Http404

from generation import latent
from generation.domain.latent import FEWEST_DESIGNS, Axis
from generation.latent import Standing
from generation.models import Artwork, LatentSpace
from orders import audit, exclusivity, services
from orders.domain.exploring import Way
from orders.errors import InvalidOrder
from orders.models import Candidate, Customer, OrderLine, Shop

READ_AT_ONCE = 2  # designs that one request reads: it answers soon, and tells how far it has come
FEWEST = FEWEST_DESIGNS
MOST_AXES_SHOWN = 4


@dataclass(frozen=True)
class Spot:
    """A design on the map: by a candidate that shows it, and where it lies along each axis."""

    candidate: Candidate
    places: tuple[float, ...]
    own: bool  # of the line that is drawn for: it can be moved


@dataclass(frozen=True)
class Map:
    """A space with the designs that lie in it."""

    space: LatentSpace
    axes: tuple[Axis, ...]
    spots: tuple[Spot, ...]
    line: OrderLine | None


def spaces_of(shop: Shop) -> list[LatentSpace]:
    """Return the newest version of each space of the shop."""
    return latent.newest_of(shop.slug)


def space_of(shop: Shop, number: int) -> LatentSpace:
    """Return a space of the shop by its id. Raises Http404."""
    kept = LatentSpace.objects.filter(shop=shop.slug, pk=number).first()
    if kept is None:
        raise Http404
    return kept


def approved(shop: Shop, customer: str = "") -> list[Artwork]:
    """Return the designs that were approved, of one customer or of all, each once, in the same order every time."""
    approvals = exclusivity.sold_by(shop)
    if customer:
        approvals = approvals.filter(line__order__customer__name=customer)
    return list(Artwork.objects.filter(pk__in=approvals.values("candidate__artwork")).order_by("sha256"))


def brands(shop: Shop) -> tuple[list[tuple[str, int]], int]:
    """Return the customers of the shop with how many designs each has approved, most first; and how many all have."""
    named = exclusivity.sold_by(shop).order_by().values_list("line__order__customer__name", "candidate__artwork")
    pairs = set(named)
    counted = Counter(name for name, _ in pairs)
    by_name = sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))
    return by_name, len({artwork for _, artwork in pairs})


def build(shop: Shop, *, name: str, customer: str, by: User | None) -> LatentSpace | Standing:
    """Build a space, or read a few more designs for it and return how far that has come: ask again until it is built.

    What was read stays read: it can be left and gone on with. Raises TooFewDesigns, InvalidOrder, ArtworkMissing.
    """
    name = " ".join(name.split())
    if not name:
        raise InvalidOrder("What shall the space be called? Give it a name.", fields={"field": "name"})
    if customer and not Customer.objects.filter(shop=shop, name=customer).exists():
        raise InvalidOrder("There is no such customer.", fields={"field": "customer", "value": customer})
    designs = approved(shop, customer)
    if len(designs) >= FEWEST:
        standing = latent.read_some(designs, most=READ_AT_ONCE)
        if not standing.done:
            return standing
    before = LatentSpace.objects.filter(shop=shop.slug).count()
    with transaction.atomic():
        kept = latent.build(shop.slug, name, designs)
        if LatentSpace.objects.filter(shop=shop.slug).count() > before:
            details = {"space": kept.name, "version": kept.version, "designs": len(kept.designs)}
            audit.record(shop, "build space", actor=by, details=details)
    return kept


def map_of(shop: Shop, kept: LatentSpace, line: OrderLine | None = None) -> Map:
    """Return a space with its designs, and those of a line's newest round. Raises ArtworkMissing."""
    shown: dict[str, Candidate] = {}
    of_shop = Candidate.objects.filter(round__line__order__shop=shop, artwork__sha256__in=kept.designs)
    for candidate in of_shop.select_related("artwork", "round").order_by("pk"):
        shown.setdefault(candidate.artwork.sha256, candidate)
    own = list(line.newest_round.candidates.select_related("artwork", "round")) if line else []
    known = [shown[sha256] for sha256 in kept.designs if sha256 in shown]
    candidates = [*known, *own]
    places = latent.places(kept, [candidate.artwork for candidate in candidates])
    spots = [
        Spot(candidate, where, own=number >= len(known))
        for number, (candidate, where) in enumerate(zip(candidates, places, strict=True))
    ]
    return Map(kept, latent.axes_of(kept)[:MOST_AXES_SHOWN], tuple(spots), line)


def name_axis(shop: Shop, kept: LatentSpace, *, axis: str, called: str, by: User | None) -> LatentSpace:
    """Call an axis by another name. Raises UnknownAxis, InvalidAxis."""
    with transaction.atomic():
        changed = latent.rename(kept, axis, called)
        details = {"space": kept.name, "version": kept.version, "axis": axis, "called": called}
        audit.record(shop, "name axis", actor=by, details=details)
    return changed


def bound_axis(shop: Shop, kept: LatentSpace, *, axis: str, least: float, most: float, by: User | None) -> LatentSpace:
    """Keep how far a design may be moved along an axis. Raises UnknownAxis, InvalidAxis."""
    with transaction.atomic():
        changed = latent.allow(kept, axis, least, most)
        details = {"space": kept.name, "version": kept.version, "axis": axis, "allowed": [least, most]}
        audit.record(shop, "bound axis", actor=by, details=details)
    return changed


def look(kept: LatentSpace, candidate: Candidate, amounts: Mapping[str, float], *, size_px: int) -> bytes:
    """Return what a design would be moved to, as a small PNG of one repeat. Raises UnknownAxis, OutsideAxis."""
    return latent.walked_png(kept, candidate.artwork, amounts, size_px=size_px)


def draw(
    line: OrderLine,
    kept: LatentSpace,
    candidate: int,
    amounts: Mapping[str, float],
    *,
    strength: float,
    by: User | None,
) -> OrderLine:
    """Have a design of a line drawn where it was moved to, as a new round. Raises what services.explore raises."""
    walk = {"space": kept.name, "version": kept.version, "amounts": dict(amounts)}
    wish = services.Exploration(kind=Way.WALK, candidates=[candidate], walk=walk, strength=strength)
    return services.explore(line, wish, by=by)


def drawable(shop: Shop, states: Sequence[str]) -> list[OrderLine]:
    """Return lines of the shop that a moved design could be drawn for, the most urgent first."""
    lines = OrderLine.objects.of(shop).filter(state__in=states)
    return list(lines.select_related("order__customer").order_by("due_date", "pk")[:30])
