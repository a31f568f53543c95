"""The designers' review: what waits for them, drawing again after a no, and a file edited by hand that comes back."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet, Subquery

from generation import latent
from generation import services as generation
from generation.domain.pattern import Layout, Palette, Repeat
from orders import authorship, deciding, services, work
from orders.domain.exploring import Way
from orders.domain.states import LineState
from orders.models import Candidate, Decision, OrderLine, Round, Shop

PAGE = 24
SHOWS = ("waiting", "rejected", "accepted", "blocked", "drawing", "all")
ORDERS = ("due", "priority", "age")


@dataclass(frozen=True)
class Waiting:
    """A line in the queue with the newest round's designs and what was decided of them."""

    line: OrderLine
    brief: Round
    designs: list[tuple[Candidate, Decision | None]]

    @property
    def decided(self) -> int:
        """How many designs were decided of."""
        return sum(decision is not None for _, decision in self.designs)

    @property
    def of(self) -> int:
        """How many designs there are."""
        return len(self.designs)

    @property
    def all_rejected(self) -> bool:
        """True when there is a design and none is left to be chosen."""
        return bool(self.designs) and all(decision and not decision.accepted for _, decision in self.designs)


@dataclass(frozen=True)
class Queue:
    """A page of the queue."""

    waiting: list[Waiting]
    page: int
    more: bool


def queue(shop: Shop, *, show: str = "waiting", order: str = "due", words: str = "", page: int = 1) -> Queue:
    """Return what waits to be reviewed in a shop; `show` is one of SHOWS, `order` one of ORDERS.

    words: only lines whose reference, customer or design has them.
    """
    lines = _shown(_with_round(shop), show)
    if words:
        said = Q(newest_words__icontains=words) | Q(reference__icontains=words)
        lines = lines.filter(said | Q(order__customer__name__icontains=words))
    by = {"due": ("due_date", "pk"), "priority": ("-priority", "due_date", "pk"), "age": ("asked_at", "pk")}[order]
    start = (page - 1) * PAGE
    whole = lines.order_by(*by).select_related("order__customer").defer("plan", "quote", "asked")
    found = list(whole[start : start + PAGE + 1])
    return Queue(_with_designs(found[:PAGE]), page, len(found) > PAGE)


def counts(shop: Shop) -> dict[str, int]:
    """Return how many lines wait to be reviewed, and how many are being drawn."""
    waiting = _shown(_with_round(shop), "waiting").count()
    drawing = OrderLine.objects.of(shop).filter(state=LineState.GENERATING).count()
    return {"waiting": waiting, "drawing": drawing}


def next_undecided(line: OrderLine) -> Candidate | None:
    """Return a design of the newest round that can be made and that nobody has decided of; None: all are decided."""
    candidates = line.newest_round.candidates.filter(passed=True).exclude(decisions__isnull=False)
    return candidates.order_by("position").first()


def draw_again(line: OrderLine, *, words: str, by: User | None, keep_colours_of: Candidate | None = None) -> OrderLine:
    """Have a new round drawn in other words, and in exactly the colours of a design where they are locked.

    What was drawn by hand is gone on from, not dropped. Raises what services.revise and services.explore raise.
    """
    brief = line.newest_round
    locked = list(keep_colours_of.artwork.palette) if keep_colours_of else None
    if brief.generator == work.UPLOAD:
        by_hand = brief.candidates.order_by("position").first()
        if by_hand is not None:  # it keeps its colours by itself
            wish = services.Exploration(kind=Way.REWORD, candidates=[by_hand.pk], words=words)
            return services.explore(line, wish, by=by)
    if locked is None:
        return services.revise(line, by=by, words=words, edit=authorship.WORDS)
    details = {"palette": locked}
    return services.revise(
        line, by=by, words=words, palette=locked, edit=authorship.LOCK, of=keep_colours_of, said=details
    )


def bring_back(
    candidate: Candidate,
    picture: bytes,
    *,
    name: str,
    author: str,
    keep_colours: bool,
    by: User | None,
    line: OrderLine | None = None,
) -> OrderLine:
    """Take a design that was edited elsewhere as a round of its own, with who drew it.

    It has to be one repeat, and to meet itself. `keep_colours`: its colours are brought to those of the design that was
    edited. Raises UnreadableImage, InvalidBrief, SeamTooVisible and what services.revise raises.
    """
    brief = candidate.round
    line = line or brief.line
    repeat = Repeat(brief.repeat_width_mm, brief.repeat_height_mm, Layout(brief.layout))
    generation.check_upload(picture, repeat=repeat)
    palette = list(candidate.artwork.palette) if keep_colours else None
    said = {"file": name[:120], "author": author, "sha256": generation.keep_reference(picture, whole=True)}
    return services.revise(
        line,
        by=by,
        reference=picture,
        generator=work.UPLOAD,
        palette=palette,
        repeat_mm=(brief.repeat_width_mm, brief.repeat_height_mm),
        layout=brief.layout,
        edit=authorship.UPLOAD,
        of=candidate,
        said={**said, **({"palette": palette} if palette else {})},
    )


def _with_round(shop: Shop) -> QuerySet[OrderLine]:
    newest = Round.objects.filter(line=OuterRef("pk")).order_by("-number")
    return OrderLine.objects.of(shop).annotate(
        newest_id=Subquery(newest.values("pk")[:1]),
        newest_words=Subquery(newest.values("words")[:1]),
        asked_at=Subquery(newest.values("created_at")[:1]),
    )


def _shown(lines: QuerySet[OrderLine], show: str) -> QuerySet[OrderLine]:
    proofing = Q(state=LineState.PROOFING)
    # Blocked later than its designs is no matter for a designer.
    blocked = Q(state=LineState.BLOCKED, came_from=LineState.GENERATING)
    newest = Decision.objects.filter(candidate=OuterRef("pk")).order_by("-pk").values("accepted")[:1]
    designs = Candidate.objects.filter(round=OuterRef("newest_id")).annotate(verdict=Subquery(newest))
    makeable = designs.filter(passed=True)
    offerable = Q(Exists(makeable.filter(Q(verdict=None) | Q(verdict=True))))
    if show == "drawing":
        return lines.filter(state=LineState.GENERATING)
    if show == "blocked":
        return lines.filter(blocked)
    if show == "accepted":
        return lines.filter(proofing, Exists(designs.filter(verdict=True)))
    if show == "rejected":
        return lines.filter(proofing, ~offerable)
    if show == "waiting":
        return lines.filter(blocked | (proofing & (Q(Exists(makeable.filter(verdict=None))) | ~offerable)))
    return lines.filter(proofing | blocked)


def _with_designs(lines: Sequence[OrderLine]) -> list[Waiting]:
    candidates = Candidate.objects.only("round_id", "position", "passed")
    rounds = Round.objects.filter(pk__in=[line.newest_id for line in lines]).only("words", "created_at")
    briefs = {brief.pk: brief for brief in rounds.prefetch_related(Prefetch("candidates", candidates))}
    all_of = [candidate.pk for brief in briefs.values() for candidate in brief.candidates.all()]
    decisions = deciding.newest_of(all_of)
    return [
        Waiting(line, brief, [(each, decisions.get(each.pk)) for each in brief.candidates.all()])
        for line in lines
        if (brief := briefs.get(line.newest_id))  # what is asked for in no words yet has nothing to be reviewed
    ]


def in_colours(candidate: Candidate, colours: Sequence[str], *, size_px: int) -> bytes:
    """Return a repeat in other colours as a small PNG. Raises InvalidBrief, NotAColour, ArtworkMissing."""
    palette = Palette(generation.colourway(candidate.artwork, list(colours)))
    return generation.picture_png(replace(latent.small(candidate.artwork), palette=palette), size_px=size_px)
