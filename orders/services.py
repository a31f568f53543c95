"""What people can do with an order: place, submit, approve, revise, explore, change, cancel, resume; what is reported.

Each is one transaction: check, compare-and-set, audit event, next step. Whoever comes second gets StaleState.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from generation import latent
from generation import services as generation
from generation.domain.pattern import Layout, Repeat
from orders import audit, authorship, changing, deciding, exclusivity, flow, names, work
from orders.changing import Change
from orders.domain.asked import Asked, refuse_unless_countable
from orders.domain.exploring import MAY, NEEDS, PARENTS, Way
from orders.domain.states import LineEvent, LineState
from orders.errors import (
    CandidateNotPassed,
    DueDatePast,
    InvalidOrder,
    InvalidReport,
    PlacedAlready,
    PriceMoved,
    SpecificationMoved,
    StaleState,
    StrikeOffFirst,
    UnknownCandidate,
)
from orders.models import Approval, Candidate, Customer, Order, OrderLine, Priority, Round, Shop
from orders.repeating import again, round_again
from production import services as production

# Everything by which the product says no to a person.
Refusals = flow.ProductErrors
best = work.best
FARTHEST_DUE_DATE = timedelta(days=730)
# What may be said about going on from a design; which way looks at which stands in orders/domain/exploring.py.
SETTINGS = {
    "strength": "how far to leave the design",
    "share": "where between the two designs",
    "colours": "which colours shall be drawn anew: choose one at least",
    "palette": "in which colours: give a palette's name, or one colour for each of the design's",
    "knobs": "the other size, or the other density",
    "words": "the other words",
    "generator": "what draws it",
    "walk": "where to: the space, and how far along which of its axes",
}


@dataclass(frozen=True, kw_only=True)
class NewLine:
    """One line as sales wrote it. `due_date` wins over `due_in_days`; `palette` is colours, a name, or None."""

    words: str
    quantity_m: Decimal
    layout: str
    repeat_mm: tuple[float, float]
    substrate: str = ""
    weave: str = ""
    palette: Sequence[str] | str | None = None
    due_date: date | None = None
    due_in_days: int | None = None
    reference: bytes | None = None
    generator: str = ""
    priority: int = Priority.NORMAL
    asked: Asked | None = None  # how the customer counts what `quantity_m` says in metres
    end_use: str = ""
    scale: float = 1.0
    density: float = 1.0
    reference_sha256: str = ""  # a picture that is kept already; `reference` wins
    repeat_of: OrderLine | None = None
    same_as: Candidate | None = None  # this very design again: words, palette, reference and generator are its own
    sample_of: int | None = None  # it is the strike-off of the line at this position of the order, from 1


@dataclass(frozen=True, kw_only=True)
class Exploration:
    """How to go on from one design of a line, or from two; None: not said. See orders/domain/exploring.py."""

    kind: str
    candidates: Sequence[int]  # by their ids, of any round of the line
    strength: float | None = None
    share: float | None = None
    colours: Sequence[int] | None = None
    palette: Sequence[str] | str | None = None
    knobs: Mapping[str, float] | None = None
    words: str | None = None
    generator: str | None = None
    walk: Mapping[str, Any] | None = None  # space, version (None: the newest) and amounts by axis


def place(shop: Shop, *, customer: str, lines: Sequence[NewLine], by: User | None, once: UUID | None = None) -> Order:
    """Take an order as drafts. Raises OrderError, ProductionError or GenerationError with `fields["field"]` set.

    Everything that can be known to be wrong before anything is drawn is refused here. `once`: of the form it comes
    from; the same sent again gives back the order that was made of it, and another in its place raises PlacedAlready.
    """
    return _placed(shop, customer=customer, lines=lines, by=by, once=once, submitted=False)


def place_and_submit(
    shop: Shop, *, customer: str, lines: Sequence[NewLine], by: User | None, once: UUID | None = None
) -> Order:
    """Take an order and hand its lines to the line at once, in one transaction. Raises what `place` raises.

    A line that has a strike-off stays a draft until that is approved (orders/strikeoffs.py).
    """
    return _placed(shop, customer=customer, lines=lines, by=by, once=once, submitted=True)


def submit(line: OrderLine, *, by: User | None) -> OrderLine:
    """Hand a draft to the line, which draws, checks, prices and promises.

    Raises StrikeOffFirst, StaleState, IllegalTransition.
    """
    _refuse_before_strike_off(line)
    with transaction.atomic():
        return flow.move(line, LineEvent.SUBMIT, by=by)


def approve(
    line: OrderLine,
    candidate_position: int,
    *,
    by: User | None,
    actor: str = "",
    expected: str = "",
    details: Mapping[str, Any] | None = None,
    **said: Any,
) -> Approval:
    """Say yes to one candidate of the newest round; `said` is kept on the approval: link and name.

    `expected`: the digest of the specification that was shown. Raises UnknownCandidate, CandidateNotPassed,
    DesignTaken, DesignRejected, StaleState, IllegalTransition, and SpecificationMoved where what would be agreed is
    another by now.
    """
    _refuse_before_strike_off(line)
    with transaction.atomic():
        told = {"candidate": candidate_position, **(details or {})}
        moved = flow.move(line, LineEvent.APPROVE, by=by or actor, details=told)
        candidate = Candidate.objects.filter(round=moved.newest_round, position=candidate_position).first()
        if candidate is None:
            raise UnknownCandidate(fields={"field": "candidate", "candidate": candidate_position})
        if not candidate.passed:
            raise CandidateNotPassed(fields={"field": "candidate", "findings": candidate.findings})
        deciding.refuse_if_rejected(candidate)
        # Once more than at the check: it may have been promised to somebody since. The move holds the shop's row.
        exclusivity.refuse_if_taken(moved, candidate.artwork)
        specification = work.specification(moved, candidate)
        if expected and digest_of(specification) != expected:
            raise SpecificationMoved(fields={"now": specification})
        return _say_yes(moved, candidate, by=by, **said)


def digest_of(specification: Mapping[str, Any]) -> str:
    """Return the sha256 (hex) of what an approval says yes to, the artwork's own digest included."""
    return hashlib.sha256(json.dumps(specification, sort_keys=True).encode()).hexdigest()


def _say_yes(line: OrderLine, candidate: Candidate, *, by: User | None, **said: Any) -> Approval:
    """Write down what is agreed, as it stands now; its number is that of the ticket that follows."""
    specification = work.specification(line, candidate)
    return Approval.objects.create(
        line=line,
        candidate=candidate,
        number=line.approvals.count() + 1,
        by=by,
        specification=specification,
        sha256=digest_of(specification),
        **said,
    )


def _say_yes_again(line: OrderLine, *, by: User | None) -> None:
    """Let the same be made once more where it has a ticket already: a released ticket is never edited."""
    approval = work.newest_approval(line)
    if work.is_released(approval):
        _say_yes(line, approval.candidate, by=by)


def revise(
    line: OrderLine, *, by: User | None, edit: str = "", of: Candidate | None = None, said: Any = None, **changes: Any
) -> OrderLine:
    """Ask for something else: a new round with changed words, palette, layout, repeat, quantity or generator; old stay.

    Changes are those of NewLine. `edit`, `of` and `said` stand in the log of what people did to designs; see
    orders/authorship.py. Raises what `place` raises, StaleState, IllegalTransition.
    """
    old = line.newest_round
    new = NewLine(
        words=changes.get("words", old.words),
        quantity_m=changes.get("quantity_m", line.quantity_m),
        layout=changes.get("layout", old.layout),
        repeat_mm=changes.get("repeat_mm", (old.repeat_width_mm, old.repeat_height_mm)),
        substrate=line.substrate,
        weave=line.weave,
        palette=changes.get("palette", old.palette_name or old.palette),
        due_date=line.due_date,
        reference=changes.get("reference"),
        generator=changes.get("generator", old.generator),
        scale=old.scale,
        density=old.density,
    )
    brief = _brief(line.order.shop, new, reference_sha256=old.reference_sha256)
    with transaction.atomic():
        brief.line, brief.number = line, old.number + 1
        details = {"round": brief.number, "words": brief.words}
        counted = line.asked if new.quantity_m == line.quantity_m else None
        values = {"quantity_m": new.quantity_m, "asked": counted, "plan": None, "run_m": None}
        moved = flow.move(line, LineEvent.REVISE, by=by, details=details, **values)
        brief.save()
        if edit or brief.words != old.words:
            told = {"words": brief.words, **(said or {})}
            authorship.note(brief, edit or authorship.WORDS, by=by, of=of, details=told)
        return moved


def explore(line: OrderLine, wish: Exploration, *, by: User | None, actor: str = "") -> OrderLine:
    """Go on from designs the line has: a new round in which all that is not asked for stays as it was; old ones stay.

    Raises InvalidOrder, UnknownCandidate, GenerationError with `fields["field"]` set, StaleState, IllegalTransition.
    """
    brief = _exploring(line, wish)
    with transaction.atomic():
        brief.line, brief.number = line, line.newest_round.number + 1
        details = {"round": brief.number, "way": brief.way, "from": list(wish.candidates), "words": brief.words}
        moved = flow.move(line, LineEvent.REVISE, by=by or actor, details=details, plan=None, run_m=None)
        brief.save()
        first = brief.same_as or brief.parent
        authorship.note(brief, brief.way, by=by, of=first, actor=actor, details=_wished(wish, brief))
        return moved


def propose_change(
    line: OrderLine, *, quantity_m: Decimal | None = None, substrate: str | None = None, due_date: date | None = None
) -> Change:
    """Find out what another quantity, cloth or date of an approved line would come to; nothing is changed.

    Raises what `change` raises, but for its last three.
    """
    if due_date is not None:
        _in_bounds(line.order.shop, due_date, field="due_date")
    return changing.assess(line, quantity_m=quantity_m, substrate=substrate, due_date=due_date)


def change(
    line: OrderLine,
    *,
    quantity_m: Decimal | None = None,
    substrate: str | None = None,
    due_date: date | None = None,
    price: Decimal | None = None,
    by: User | None,
    actor: str = "",
) -> OrderLine:
    """Make an approved line in another quantity, on another cloth or for another date; its design stays as it is.

    It is planned and released anew, and its records in the ERP are brought to it. `price`: the one that was agreed to.
    Raises NotChangeable, IllegalTransition, InvalidOrder, DueDatePast, what production and the ERP refuse with, and
    CandidateNotPassed, PriceMoved, StaleState.
    """
    found = propose_change(line, quantity_m=quantity_m, substrate=substrate, due_date=due_date)
    if not found.passed:
        raise CandidateNotPassed(found.sentence, fields={"findings": found.findings})
    if price is not None and price != found.price:
        moved_to = f"It would cost {found.price} {found.currency} by now, and not {price}: look again, then decide."
        raise PriceMoved(moved_to, fields={"field": "price", "value": str(price), "measured": str(found.price)})
    width_px, height_px = found.size_px
    artwork = generation.resized(found.source.artwork, width_px=width_px, height_px=height_px, repeat=found.repeat)
    now_so = {"quantity_m": found.quantity_m, "substrate": found.substrate, "due_date": found.due_date}
    with transaction.atomic():
        counted = line.asked if found.quantity_m == line.quantity_m else None
        values = {**now_so, "asked": counted, "plan": None, "run_m": found.run_m}
        moved = flow.move(line, LineEvent.CHANGE, by=by or actor, details=work.plain(now_so), **values)
        exclusivity.refuse_if_taken(moved, artwork)
        brief = round_again(found.source, number=moved.newest_round.number + 1, way=Way.CHANGE)
        brief.line = moved
        brief.save()
        now = timezone.now()
        candidate = Candidate.objects.create(round=brief, position=1, artwork=artwork, drawn_at=now, **found.values)
        _say_yes(moved, candidate, by=by)
        return moved


def prioritise(line: OrderLine, *, priority: int, by: User | None, seen: int | None = None) -> None:
    """Say how much a day late of a line weighs: the next plan counts it so. The same said twice is said once.

    `seen`: what it weighed when that was decided, else what `line` says. Raises StaleState when it weighs something
    else by now.
    """
    seen = line.priority if seen is None else seen
    with transaction.atomic():
        if OrderLine.objects.filter(pk=line.pk, priority=seen).update(priority=priority) != 1:
            now = OrderLine.objects.values_list("priority", flat=True).get(pk=line.pk)
            if now == priority:
                return
            said = line.events.filter(action="prioritise").order_by("-sequence").first()
            known = said is not None and said.actor and said.details.get("priority") == now
            who = said.actor if said and known else "Somebody else"
            so = f"{who} has weighed {line.reference} as {Priority(now).label} meanwhile: look again, then decide."
            raise StaleState(so, fields={"field": "priority", "measured": now, "seen": seen})
        if seen != priority:
            details = {"priority": priority, "before": seen}
            audit.record(line.order.shop, "prioritise", actor=by, line=line, details=details)


def cancel(line: OrderLine, *, by: User | None, actor: str = "") -> OrderLine:
    """Stop the line and give back what was held for it. Raises StaleState, IllegalTransition."""
    with transaction.atomic():
        return flow.move(line, LineEvent.CANCEL, by=by or actor)


def resume(line: OrderLine, *, by: User | None) -> OrderLine:
    """Try a blocked line again from where it stopped. Raises StaleState, IllegalTransition."""
    with transaction.atomic():
        if line.came_from == LineState.GENERATING:
            Round.objects.filter(pk=line.newest_round.pk).update(batch=1)
        moved = flow.move(line, LineEvent.RESUME, by=by)
        if moved.state == LineState.PLANNING:
            _say_yes_again(moved, by=by)
        return moved


# What the mill reports of a released line. `actor` names who does, where it is no person: the ERP.


def started(line: OrderLine, *, by: User | None = None, actor: str = "") -> OrderLine:
    """The first operation has begun. Raises StaleState, IllegalTransition."""
    return _reported(line, LineEvent.START, by or actor)


def finished(line: OrderLine, *, by: User | None = None, actor: str = "") -> OrderLine:
    """The last operation is done; the cloth is looked at. Raises StaleState, IllegalTransition."""
    return _reported(line, LineEvent.FINISH, by or actor)


def passed(line: OrderLine, *, by: User | None = None, actor: str = "") -> OrderLine:
    """The cloth is good. Raises StaleState, IllegalTransition."""
    return _reported(line, LineEvent.PASS, by or actor)


def failed(
    line: OrderLine, *, by: User | None = None, actor: str = "", again_m: Decimal | None = None, why: str = ""
) -> OrderLine:
    """The cloth is not good: it is made once more, under records of its own. `again_m`: so much of it; None: all.

    Raises InvalidReport for a length that this run has not made, StaleState, IllegalTransition.
    """
    if again_m is not None and not 0 < again_m <= line.making_m:
        raise InvalidReport(
            f"{again_m} m can't be made once more of {line.making_m} m.",
            fields={"field": "reprint_m", "measured": str(again_m), "limit": str(line.making_m)},
        )
    again = line.making_m if again_m is None else again_m
    promise = (line.plan or {}).get("promise")
    details = {"metres": str(again), "of": str(line.quantity_m), "promise": promise, "why": why}
    with transaction.atomic():
        run_m = None if again == line.quantity_m else again
        moved = flow.move(
            line, LineEvent.FAIL, by=by or actor, details=details, run=F("run") + 1, run_m=run_m, plan=None
        )
        _say_yes_again(moved, by=by)
        return moved


def _reported(line: OrderLine, event: LineEvent, by: User | str) -> OrderLine:
    with transaction.atomic():
        return flow.move(line, event, by=by)


def _checked(shop: Shop, *, customer: str, lines: Sequence[NewLine]) -> list[tuple[NewLine, date, Round]]:
    """Check an order as far as that goes before anything is drawn; outside any transaction, for pictures take time."""
    if not customer.strip():
        raise InvalidOrder("Who is it for? Give the customer's name.", fields={"field": "customer"})
    if not lines:
        raise InvalidOrder("The order has no lines: say which cloth and how much.", fields={"field": "lines"})
    checked = []
    for position, line in enumerate(lines):
        with _naming_field(f"lines[{position}]."):
            _refuse_miscounted(line)
            brief = again(shop, line.same_as, line) if line.same_as else _brief(shop, line)
            checked.append((line, _due_date(shop, line), brief))
    return checked


def _refuse_miscounted(line: NewLine) -> None:
    """Refuse a quantity that comes to other metres than are written. Raises InvalidOrder."""
    if line.asked is None:
        return
    refuse_unless_countable(line.asked)
    if line.asked.metres != line.quantity_m:
        other = f"{line.asked.words} come to {line.asked.metres} m, and not to {line.quantity_m} m."
        raise InvalidOrder(other, fields={"field": "quantity_m", "value": str(line.quantity_m)})


def _placed(
    shop: Shop, *, customer: str, lines: Sequence[NewLine], by: User | None, once: UUID | None, submitted: bool
) -> Order:
    checked = _checked(shop, customer=customer, lines=lines)
    if once is not None and (sent := Order.objects.filter(shop=shop, once=once).first()):
        return _sent_before(sent, customer, checked)
    try:
        with transaction.atomic():
            order = _write(shop, customer=customer, checked=checked, by=by, once=once)
            for line in order.lines.filter(samples=None).select_related("order__shop") if submitted else ():
                submit(line, by=by)
    except IntegrityError:
        # The same form, sent twice at the same moment: the other was first.
        if once is None or not Order.objects.filter(once=once).exists():
            raise
        sent = Order.objects.filter(shop=shop, once=once).first()
        if sent is None:
            raise PlacedAlready from None  # in another shop: nothing of it is told
        return _sent_before(sent, customer, checked)
    return order


def _sent_before(order: Order, customer: str, checked: Sequence[tuple[NewLine, date, Round]]) -> Order:
    """Return the order that a form was sent for before, if it says the same now. Raises PlacedAlready."""
    asked = [
        (new.substrate, new.weave, new.quantity_m, due, brief.words, brief.palette, brief.layout,
         brief.repeat_width_mm, brief.repeat_height_mm, brief.reference_sha256, brief.scale, brief.density)
        for new, due, brief in checked
    ]  # fmt: skip
    first = Round.objects.filter(line__order=order, number=1).select_related("line").order_by("line__position")
    there = [
        (brief.line.substrate, brief.line.weave, brief.line.quantity_m, brief.line.due_date, brief.words, brief.palette,
         brief.layout, brief.repeat_width_mm, brief.repeat_height_mm, brief.reference_sha256, brief.scale,
         brief.density)
        for brief in first
    ]  # fmt: skip
    if order.customer.name == customer.strip() and asked == there:
        return order
    otherwise = (
        f"This form was sent before, and is {order.number}; what it says now is something else. "
        "Send it once more to place it as an order of its own."
    )
    raise PlacedAlready(otherwise, fields={"order": order.number})


def _refuse_before_strike_off(line: OrderLine) -> None:
    """Keep a line waiting until the cloth of its strike-off has passed. Raises StrikeOffFirst."""
    sample = line.samples.exclude(state__in=exclusivity.UNSOLD).exclude(state=LineState.DONE).first()
    if sample is not None:
        waits = f"{line.reference} waits for its strike-off {sample.reference}: it is made once that is approved."
        raise StrikeOffFirst(waits, fields={"line": line.reference, "strike_off": sample.reference})


def _write(
    shop: Shop,
    *,
    customer: str,
    checked: Sequence[tuple[NewLine, date, Round]],
    by: User | None,
    once: UUID | None = None,
) -> Order:
    who, _ = Customer.objects.get_or_create(shop=shop, name=customer.strip())
    Shop.objects.filter(pk=shop.pk).update(order_sequence=F("order_sequence") + 1)
    sequence = Shop.objects.values_list("order_sequence", flat=True).get(pk=shop.pk)
    order = Order.objects.create(shop=shop, customer=who, number=f"WL-{sequence:06d}", created_by=by, once=once)
    lines: list[OrderLine] = []
    for position, (new, due_date, brief) in enumerate(checked, start=1):
        line = OrderLine.objects.create(
            order=order,
            position=position,
            reference=f"{order.number}-{position}",
            substrate=new.substrate,
            weave=new.weave,
            quantity_m=new.quantity_m,
            due_date=due_date,
            priority=new.priority,
            asked=new.asked and new.asked.as_dict(),
            end_use=" ".join(new.end_use.split()),
            repeat_of=new.repeat_of,
            sample_of=lines[new.sample_of - 1] if new.sample_of else None,
        )
        lines.append(line)
        brief.line = line
        brief.save()
        audit.record(shop, "place", actor=by, line=line, to_state=line.state, details={"words": new.words})
    return order


@contextmanager
def _naming_field(prefix: str) -> Iterator[None]:
    """Put where in the order it was into whatever is refused inside: a prefix ending in a dot, or the whole name."""
    try:
        yield
    except Refusals as error:
        field = error.fields.get("field", "")
        error.fields["field"] = f"{prefix}{field}" if prefix.endswith(".") else prefix
        raise


def _brief(shop: Shop, new: NewLine, *, reference_sha256: str = "") -> Round:
    """Check one line's wishes against the catalogue and return its unsaved round. Raises with `fields["field"]` set."""
    words = " ".join(new.words.split())
    reference_sha256 = reference_sha256 or new.reference_sha256
    if not words and new.reference is None and not reference_sha256:
        raise InvalidOrder("Say in a few words what the design shows, or add a picture.", fields={"field": "words"})
    _not_too_long(words)
    try:
        layout = Layout(new.layout)
    except ValueError:
        choices = ", ".join(choice.value for choice in Layout)
        raise InvalidOrder(
            f"Layout {new.layout!r} is not known; choose one of {choices}.", fields={"field": "layout"}
        ) from None
    width_mm, height_mm = new.repeat_mm
    repeat = Repeat(width_mm=width_mm, height_mm=height_mm, layout=layout)
    spec = production.specify(
        shop.slug,
        substrate=new.substrate or None,
        weave=new.weave or None,
        quantity_m=new.quantity_m,
        repeat=repeat,
        on=names.today(shop),
    )
    palette, palette_name = None, ""
    with _naming_field("palette"):
        if isinstance(new.palette, str):
            palette_name = new.palette
            palette = list(generation.palette_named(new.palette))
        elif new.palette is not None:
            palette = [generation.parse_colour(colour) for colour in new.palette]
            if len(set(palette)) < 2:
                raise InvalidOrder("One colour shows no design: give a ground and one more, or leave it to the words.")
    generator = new.generator or shop.generator
    generation.generator_named(generator)
    if new.reference is not None:
        with _naming_field("reference"):
            reference_sha256 = generation.keep_reference(new.reference, whole=generator == work.UPLOAD)
    if generator == work.UPLOAD and not reference_sha256:
        no_picture = "An upload is made from a picture: add it as the reference, or let another generator draw."
        raise InvalidOrder(no_picture, fields={"field": "reference"})
    brief = Round(
        number=1,
        words=words,
        palette=palette,
        palette_name=palette_name,
        layout=layout.value,
        repeat_width_mm=width_mm,
        repeat_height_mm=height_mm,
        reference_sha256=reference_sha256,
        generator=generator,
        scale=new.scale,
        density=new.density,
    )
    generation.check(work.asked_of(brief, spec), spec.limits)
    return brief


def _exploring(line: OrderLine, wish: Exploration) -> Round:
    """Check how somebody wants to go on, and return the unsaved round that does. Raises what `explore` raises."""
    if wish.kind not in PARENTS:
        ways = ", ".join(PARENTS)
        unknown = f"There is no way {wish.kind!r} of going on from a design; choose one of {ways}."
        raise InvalidOrder(unknown, fields={"field": "kind", "value": wish.kind, "limit": ways})
    way = Way(wish.kind)
    said = {name for name in SETTINGS if getattr(wish, name) is not None}
    for name in sorted(NEEDS[way] - said):
        raise InvalidOrder(f"{_called(way)} needs to know {SETTINGS[name]}.", fields={"field": name})
    for name in sorted(said - NEEDS[way] - MAY[way]):
        useless = f"{_called(way)} does not look at {name}: leave it out, or choose another way."
        raise InvalidOrder(useless, fields={"field": name})
    first, *others = _parents(line, wish.candidates, PARENTS[way])
    old = first.round
    brief = Round(
        way=way,
        words=old.words if wish.words is None else " ".join(wish.words.split()),
        palette=old.palette,
        palette_name=old.palette_name,
        layout=old.layout,
        repeat_width_mm=old.repeat_width_mm,
        repeat_height_mm=old.repeat_height_mm,
        reference_sha256=old.reference_sha256,
        generator=old.generator,
    )
    _not_too_long(brief.words)
    if wish.words is not None and not brief.words:
        raise InvalidOrder("Say in a few words what the design shows.", fields={"field": "words"})
    if way is Way.RECOLOUR:
        assert wish.palette is not None
        brief.same_as = first
        brief.palette = list(generation.colourway(first.artwork, wish.palette))
        brief.palette_name = wish.palette if isinstance(wish.palette, str) else ""
        return brief
    if way is Way.WALK:
        brief.walk = _walk(line.order.shop, wish.walk or {})
    if way is Way.RESIZE:
        _draw_as_before(brief, first, wish.knobs or {})
    else:
        brief.parent, brief.other_parent = first, others[0] if others else None
        brief.scale, brief.density = old.scale, old.density  # the motifs lie as they lie in what is gone on from
        brief.strength = _half_unless(wish.strength)
        brief.share = _half_unless(wish.share)
        brief.redraw = sorted(set(wish.colours or ()))
        brief.generator = _that_draws(wish.generator, old.generator, line.order.shop.generator)
    spec = work.spec_of(line, brief)
    generation.check(work.asked_of(brief, spec), spec.limits)
    return brief


def _wished(wish: Exploration, brief: Round) -> dict[str, Any]:
    """Return what of an exploration stands in the log of what people did to designs."""
    said = {name: work.plain(getattr(wish, name)) for name in SETTINGS if getattr(wish, name) is not None}
    said.pop("walk", None)
    if brief.way == Way.RECOLOUR:
        said["palette"] = brief.palette
    return {**said, **(brief.walk or {})}


def _walk(shop: Shop, wish: Mapping[str, Any]) -> dict[str, Any]:
    """Return where a design is moved, by the axes' own names. Raises what `latent.check_walk` and `found` raise."""
    kept = latent.found(shop.slug, str(wish.get("space", "")), version=wish.get("version"))
    with _naming_field("walk"):
        amounts = latent.check_walk(kept, wish.get("amounts", {}))
    return {"space": kept.name, "version": kept.version, "amounts": amounts}


def _draw_as_before(brief: Round, same: Candidate, knobs: Mapping[str, float]) -> None:
    """Let a round draw a design once more from all that made it, its seed too, but with other knobs."""
    same = work.as_drawn(same)
    old = same.round
    if set(knobs) - {"scale", "density"} or not knobs:
        raise InvalidOrder("The knobs are scale and density; give one or both.", fields={"field": "knobs"})
    if old.way == Way.RECOLOUR:
        twice = "This design is a colourway of another: change the size of that one first, then the colours."
        raise InvalidOrder(twice, fields={"field": "candidates", "value": same.pk})
    if old.parent_id is not None:
        drawn_over = "This design was drawn from another: change the size of that one first, then go on from it."
        raise InvalidOrder(drawn_over, fields={"field": "candidates", "value": same.pk})
    if old.generator == work.UPLOAD:
        fixed = "An uploaded picture is taken as it is: change the repeat's size, or go on with more like this."
        raise InvalidOrder(fixed, fields={"field": "candidates", "value": same.pk})
    brief.same_as, brief.seed = same, same.artwork.seed
    brief.scale, brief.density = knobs.get("scale", old.scale), knobs.get("density", old.density)


def _that_draws(*names: str | None) -> str:
    """Return the first generator named that draws; an upload does not. Raises InvalidOrder, UnknownGenerator."""
    if names[0] == work.UPLOAD:
        fixed = "An uploaded picture is taken as it is: let another generator go on from it."
        raise InvalidOrder(fixed, fields={"field": "generator", "value": work.UPLOAD})
    name = next((name for name in names if name and name != work.UPLOAD), "embedded")
    generation.generator_named(name)
    return name


def _half_unless(value: float | None) -> float:
    return 0.5 if value is None else value


def _parents(line: OrderLine, ids: Sequence[int], count: int) -> list[Candidate]:
    """Return the designs to go on from, in the order they were named. Raises InvalidOrder, UnknownCandidate."""
    if len(ids) != count or len(set(ids)) != count:
        wanted = "one candidate" if count == 1 else f"{count} different candidates"
        given = "the same one was given twice" if len(set(ids)) < len(ids) else f"there should not be {len(ids)}"
        given = f"This goes on from {wanted}; {given}."
        raise InvalidOrder(given, fields={"field": "candidates", "value": list(ids), "limit": count})
    found = Candidate.objects.filter(round__line=line).select_related("round", "artwork").in_bulk(ids)
    for each in ids:
        if each not in found:
            raise UnknownCandidate(f"This line has no candidate {each}.", fields={"field": "candidates", "value": each})
    chosen = [found[each] for each in ids]
    repeats = {(c.round.layout, c.round.repeat_width_mm, c.round.repeat_height_mm) for c in chosen}
    if len(repeats) > 1:
        apart = "The two designs have different repeats: choose two of the same size and layout."
        raise InvalidOrder(apart, fields={"field": "candidates"})
    return chosen


def _called(way: Way) -> str:
    return way.value.replace("_", " ").capitalize()


def _not_too_long(words: str) -> None:
    most = generation.LONGEST_WORDS
    if len(words) > most:
        too_long = f"The words are {len(words)} characters long; {most} are read at most. Shorten them."
        raise InvalidOrder(too_long, fields={"field": "words", "value": len(words), "limit": most})


def _due_date(shop: Shop, new: NewLine) -> date:
    if new.due_date is not None:
        due_date, field = new.due_date, "due_date"
    elif new.due_in_days is not None:
        if abs(new.due_in_days) > FARTHEST_DUE_DATE.days:
            too_far = f"Due in {new.due_in_days} days is out of bounds; at most {FARTHEST_DUE_DATE.days} days ahead."
            raise InvalidOrder(too_far, fields={"field": "due_in_days"})
        due_date, field = names.today(shop) + timedelta(days=new.due_in_days), "due_in_days"
    else:
        raise InvalidOrder("When is it due? Give a due date.", fields={"field": "due_date"})
    return _in_bounds(shop, due_date, field=field)


def _in_bounds(shop: Shop, due_date: date, *, field: str) -> date:
    """Return a due date that can be asked for. Raises DueDatePast, InvalidOrder."""
    today = names.today(shop)
    if due_date < today:
        raise DueDatePast(
            f"The due date {due_date:%d %B %Y} is in the past; today is {today:%d %B %Y}.", fields={"field": field}
        )
    if due_date > today + FARTHEST_DUE_DATE:
        raise InvalidOrder(f"The due date {due_date:%d %B %Y} is more than two years off.", fields={"field": field})
    return due_date
