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

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from generation import services as generation
from generation.domain.pattern import Layout, Repeat
from orders import audit, changing, exclusivity, flow, names, work
from orders.changing import Change
from orders.domain.exploring import MAY, NEEDS, PARENTS, Way
from orders.domain.states import LineEvent, LineState
from orders.errors import CandidateNotPassed, DueDatePast, InvalidOrder, PriceMoved, UnknownCandidate
from orders.models import Approval, Candidate, Customer, Order, OrderLine, Priority, Round, Shop
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


def place(shop: Shop, *, customer: str, lines: Sequence[NewLine], by: User | None) -> Order:
    """Take an order as drafts. Raises OrderError, ProductionError or GenerationError with `fields["field"]` set.

    Everything that can be known to be wrong before anything is drawn is refused here.
    """
    checked = _checked(shop, customer=customer, lines=lines)
    with transaction.atomic():
        return _write(shop, customer=customer, checked=checked, by=by)


def place_and_submit(shop: Shop, *, customer: str, lines: Sequence[NewLine], by: User | None) -> Order:
    """Take an order and hand all its lines to the line at once, in one transaction. Raises what `place` raises."""
    checked = _checked(shop, customer=customer, lines=lines)
    with transaction.atomic():
        order = _write(shop, customer=customer, checked=checked, by=by)
        for line in order.lines.select_related("order__shop"):
            submit(line, by=by)
    return order


def submit(line: OrderLine, *, by: User | None) -> OrderLine:
    """Hand a draft to the line, which draws, checks, prices and promises. Raises StaleState, IllegalTransition."""
    with transaction.atomic():
        return flow.move(line, LineEvent.SUBMIT, by=by)


def approve(line: OrderLine, candidate_position: int, *, by: User | None) -> Approval:
    """Say yes to one candidate of the newest round.

    Raises UnknownCandidate, CandidateNotPassed, DesignTaken, StaleState, IllegalTransition.
    """
    with transaction.atomic():
        moved = flow.move(line, LineEvent.APPROVE, by=by, details={"candidate": candidate_position})
        candidate = Candidate.objects.filter(round=moved.newest_round, position=candidate_position).first()
        if candidate is None:
            raise UnknownCandidate(fields={"field": "candidate", "candidate": candidate_position})
        if not candidate.passed:
            raise CandidateNotPassed(fields={"field": "candidate", "findings": candidate.findings})
        # Once more than at the check: it may have been promised to somebody since. The move holds the shop's row.
        exclusivity.refuse_if_taken(moved, candidate.artwork)
        return _say_yes(moved, candidate, by=by)


def _say_yes(line: OrderLine, candidate: Candidate, *, by: User | None) -> Approval:
    """Write down what is agreed, as it stands now; its number is that of the ticket that follows."""
    specification = work.specification(line, candidate)
    return Approval.objects.create(
        line=line,
        candidate=candidate,
        number=line.approvals.count() + 1,
        by=by,
        specification=specification,
        sha256=hashlib.sha256(json.dumps(specification, sort_keys=True).encode()).hexdigest(),
    )


def _say_yes_again(line: OrderLine, *, by: User | None) -> None:
    """Let the same be made once more where it has a ticket already: a released ticket is never edited."""
    approval = work.newest_approval(line)
    if work.is_released(approval):
        _say_yes(line, approval.candidate, by=by)


def revise(line: OrderLine, *, by: User | None, **changes: Any) -> OrderLine:
    """Ask for something else: a new round with changed words, palette, layout, repeat, quantity or generator; old stay.

    Changes are those of NewLine. Raises what `place` raises, StaleState, IllegalTransition.
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
        generator=changes.get("generator", old.generator),
    )
    brief = _brief(line.order.shop, new, reference_sha256=old.reference_sha256)
    with transaction.atomic():
        brief.line, brief.number = line, old.number + 1
        details = {"round": brief.number, "words": brief.words}
        moved = flow.move(line, LineEvent.REVISE, by=by, details=details, quantity_m=new.quantity_m, plan=None)
        brief.save()
        return moved


def explore(line: OrderLine, wish: Exploration, *, by: User | None) -> OrderLine:
    """Go on from designs the line has: a new round in which all that is not asked for stays as it was; old ones stay.

    Raises InvalidOrder, UnknownCandidate, GenerationError with `fields["field"]` set, StaleState, IllegalTransition.
    """
    brief = _exploring(line, wish)
    with transaction.atomic():
        brief.line, brief.number = line, line.newest_round.number + 1
        details = {"round": brief.number, "way": brief.way, "from": list(wish.candidates), "words": brief.words}
        moved = flow.move(line, LineEvent.REVISE, by=by, details=details, plan=None)
        brief.save()
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
    old, (width_px, height_px) = found.source.round, found.size_px
    artwork = generation.resized(found.source.artwork, width_px=width_px, height_px=height_px, repeat=found.repeat)
    now_so = {"quantity_m": found.quantity_m, "substrate": found.substrate, "due_date": found.due_date}
    with transaction.atomic():
        moved = flow.move(line, LineEvent.CHANGE, by=by or actor, details=work.plain(now_so), plan=None, **now_so)
        exclusivity.refuse_if_taken(moved, artwork)
        brief = Round.objects.create(
            line=moved,
            number=moved.newest_round.number + 1,
            way=Way.CHANGE,
            same_as=found.source,
            words=old.words,
            palette=old.palette,
            palette_name=old.palette_name,
            layout=old.layout,
            repeat_width_mm=old.repeat_width_mm,
            repeat_height_mm=old.repeat_height_mm,
            reference_sha256=old.reference_sha256,
            generator=old.generator,
            scale=old.scale,
            density=old.density,
        )
        now = timezone.now()
        candidate = Candidate.objects.create(round=brief, position=1, artwork=artwork, drawn_at=now, **found.values)
        _say_yes(moved, candidate, by=by)
        return moved


def prioritise(line: OrderLine, *, priority: int, by: User | None) -> None:
    """Say how much a day late of a line weighs: the next plan counts it so."""
    with transaction.atomic():
        OrderLine.objects.filter(pk=line.pk).update(priority=priority)
        details = {"priority": priority, "before": line.priority}
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


def failed(line: OrderLine, *, by: User | None = None, actor: str = "") -> OrderLine:
    """The cloth is not good: it is made once more, under records of its own. Raises StaleState, IllegalTransition."""
    with transaction.atomic():
        moved = flow.move(line, LineEvent.FAIL, by=by or actor, run=F("run") + 1, plan=None)
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
            checked.append((line, _due_date(shop, line), _brief(shop, line)))
    return checked


def _write(shop: Shop, *, customer: str, checked: Sequence[tuple[NewLine, date, Round]], by: User | None) -> Order:
    who, _ = Customer.objects.get_or_create(shop=shop, name=customer.strip())
    Shop.objects.filter(pk=shop.pk).update(order_sequence=F("order_sequence") + 1)
    sequence = Shop.objects.values_list("order_sequence", flat=True).get(pk=shop.pk)
    order = Order.objects.create(shop=shop, customer=who, number=f"WL-{sequence:06d}", created_by=by)
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
        )
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
