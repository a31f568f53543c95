"""The customer's link: made, opened and closed by us; by it a customer looks, turns knobs, comments, asks and says yes.

A link is a key to one line. Its token is signed, so that a forged or cut one is refused before anything is looked up,
and only its digest is kept. Whatever comes by a link is checked here against that link's line, state and limits, and
the audit chain names the link as who did it.
"""

import base64
import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.core import signing
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone
from django.utils.crypto import salted_hmac

from orders import audit, services, work
from orders.clock import CUSTOMER
from orders.domain.states import LineState
from orders.errors import (
    IllegalTransition,
    InvalidOrder,
    LinkBusy,
    LinkOver,
    LinkUsedUp,
    NotNewest,
    OutsideLimits,
    SentAlready,
    SpecificationMoved,
    StaleState,
    UnknownCandidate,
    UnknownLink,
)
from orders.models import (
    ApiToken,
    Approval,
    Candidate,
    CustomerLink,
    CustomerWish,
    Decision,
    OrderLine,
    Pin,
    Shop,
)
from orders.turning import Limits, Turn, Turning, exploration, house_limits, limits_in, possible

SALT = "orders.customer-link"
LONGEST_TOKEN = 200
LONGEST_DAYS = 365
# Of one link within a minute: a page with its pictures, watched while designs are drawn, stays far below.
MOST_LOOKS, MOST_ACTS = 300, 20
MOST_PINS, MOST_WISHES, MOST_ROUNDS = 60, 20, 100

# States in which there is something to look at, and something to choose from.
SHOWN = frozenset(LineState) - {LineState.DRAFT, LineState.CANCELLING, LineState.CANCELLED}
UNDECIDED = frozenset({LineState.GENERATING, LineState.PROOFING})

# ------------------------------------------------------------------------------------------------ what we do


def usual_limits(line: OrderLine) -> Limits:
    """Return what a new link of a line would allow: as the customer's newest link does, else as the house does."""
    newest = CustomerLink.objects.filter(line__order__customer=line.order.customer).first()
    if newest is not None:
        return limits_in(newest.limits)
    return house_limits(line.order.shop, brand=line.order.customer.name)


def make(
    line: OrderLine,
    *,
    limits: Limits,
    by: User | None,
    once: uuid.UUID,
    days: int | None = None,
    most_rounds: int = 12,
    shows_price: bool = True,
) -> tuple[CustomerLink, str]:
    """Make a link and return it with its token, which is not kept: it can be read here and never again.

    The token follows from `once`, the form's own number: sent twice, the form makes one link and shows it twice.
    `days`: how long it holds, else as long as the shop's quotations. Raises InvalidOrder, OutsideLimits,
    UnknownPalette, UnknownLatentSpace, and SentAlready where the form says something else now, or its link is over.
    """
    if line.state not in SHOWN:
        nothing = f"This line is {line.state.replace('_', ' ')}: its customer would have nothing to look at."
        raise InvalidOrder(nothing, fields={"field": "line", "value": line.state})
    days = line.order.shop.quotation_days if days is None else days
    if not 1 <= days <= LONGEST_DAYS:
        raise InvalidOrder(
            f"A link can hold for 1 to {LONGEST_DAYS} days, and {days} were asked for.",
            fields={"field": "days", "value": days, "limit": [1, LONGEST_DAYS]},
        )
    if not 0 <= most_rounds <= MOST_ROUNDS:
        raise InvalidOrder(
            f"A customer can be given 0 to {MOST_ROUNDS} rounds of designs, and {most_rounds} were asked for.",
            fields={"field": "most_rounds", "value": most_rounds, "limit": [0, MOST_ROUNDS]},
        )
    asked = {
        "limits": possible(line.order.shop, limits).as_json(),
        "most_rounds": most_rounds,
        "shows_price": shows_price,
    }
    secret = base64.urlsafe_b64encode(salted_hmac(SALT, f"{line.pk} {once}", algorithm="sha256").digest()).decode()
    token, digest = _signer().sign(secret.rstrip("=")), ApiToken.digest_of(secret.rstrip("="))
    now, lasts = timezone.now(), timedelta(days=days)
    defaults = {"line": line, "created_by": by, "created_at": now, "expires_at": now + lasts, **asked}
    try:
        with transaction.atomic():
            link, made = CustomerLink.objects.get_or_create(digest=digest, defaults=defaults)
            if made:
                details = {"link": link.pk, "expires": link.expires_at.isoformat()}
                audit.record(line.order.shop, "link", actor=by, line=line, details=details)
    except IntegrityError:  # the same form came twice at the same time
        link, made = CustomerLink.objects.get(digest=digest), False
    if not made:
        there = {name: getattr(link, name) for name in asked}
        _refuse_another(link, same=there == asked and link.expires_at - link.created_at == lasts)
    return link, token


def _refuse_another(link: CustomerLink, *, same: bool) -> None:
    """Raise SentAlready where a form made a link before that is not what it asks for now, or is over."""
    state, once_more = state_of(link), "Send it once more to make another."
    if state in {"closed", "expired"}:
        over = f"This form was sent before and made link {link.pk}, which is {state}. {once_more}"
        raise SentAlready(over, fields={"link": link.pk, "state": state})
    if not same:
        other = f"This form was sent before and made link {link.pk}; what it says now is something else. {once_more}"
        raise SentAlready(other, fields={"link": link.pk})


def close(link: CustomerLink, *, by: User | None) -> None:
    """Take a link back: whoever has it is told so. One that is closed stays so."""
    with transaction.atomic():
        shut = CustomerLink.objects.filter(pk=link.pk, closed_at=None).update(closed_at=timezone.now())
        if shut:
            audit.record(link.line.order.shop, "link closed", actor=by, line=link.line, details={"link": link.pk})


def state_of(link: CustomerLink) -> str:
    """Return how a link stands: closed, expired, opened or unopened."""
    if link.closed_at is not None:
        return "closed"
    if link.expires_at <= timezone.now():
        return "expired"
    return "opened" if link.opened_at is not None else "unopened"


def settle_pin(pin: Pin, *, answer: str, by: User | None) -> None:
    """Answer a comment, or note without words that it has been dealt with. Raises StaleState when it has been."""
    line = pin.candidate.round.line
    with transaction.atomic():
        if _settle(Pin.objects.filter(pk=pin.pk), answer=answer, by=by):
            audit.record(line.order.shop, "comment answered", actor=by, line=line, details={"pin": pin.pk})


def settle_wish(wish: CustomerWish, *, answer: str, by: User | None) -> None:
    """Answer what a customer asked for in words. Raises StaleState when it has been."""
    with transaction.atomic():
        if _settle(CustomerWish.objects.filter(pk=wish.pk), answer=answer, by=by):
            details = {"wish": wish.pk}
            audit.record(wish.line.order.shop, "wish answered", actor=by, line=wish.line, details=details)


def draw_wish(wish: CustomerWish, *, words: str, by: User | None) -> OrderLine:
    """Draw a line anew with words into which a customer's wish was taken. Raises what `services.revise` raises."""
    with transaction.atomic():
        if not _settle(CustomerWish.objects.filter(pk=wish.pk), answer="", by=by):
            raise StaleState("You have dealt with this already: its line stands as you left it.")
        moved = services.revise(wish.line, by=by, words=words)
        audit.record(wish.line.order.shop, "wish drawn", actor=by, line=moved, details={"wish": wish.pk})
        return moved


def brief_with(wish: CustomerWish) -> str:
    """Return the line's words with a wish taken over into them, for somebody here to look over."""
    return f"{wish.line.newest_round.words}; {' '.join(wish.words.split())}"


def _settle(asked: QuerySet[Any], *, answer: str, by: User | None) -> bool:
    """Settle what was asked; False where the same person has said the same before. Raises StaleState."""
    who = by.get_username() if by else ""
    if asked.filter(settled_at=None).update(answer=answer, settled_at=timezone.now(), settled_by=who) == 1:
        return True
    there = asked.get()
    if who and (there.settled_by, there.answer) == (who, answer):
        return False
    raise StaleState(f"{there.settled_by or 'Somebody else'} has dealt with this meanwhile.")


# ------------------------------------------------------------------------------------------------ who comes by it


def opened_by(token: str, *, acts: bool = False) -> CustomerLink:
    """Return the link that a token opens, with its line. Raises UnknownLink, LinkBusy, LinkOver.

    What is forged or cut is refused by its signature, before anything is looked up.
    """
    if len(token) > LONGEST_TOKEN:
        raise UnknownLink
    try:
        secret = _signer().unsign(token)
    except signing.BadSignature:
        raise UnknownLink from None
    known = CustomerLink.objects.select_related("line__order__shop", "line__order__customer")
    link = known.filter(digest=ApiToken.digest_of(secret)).first()
    if link is None:
        raise UnknownLink
    _not_too_often(link, acts=acts)
    _refuse_if_over(link)
    return link


def opened(link: CustomerLink) -> None:
    """Write down that the customer has seen it, once: t3 of the line's clock."""
    with transaction.atomic():
        if CustomerLink.objects.filter(pk=link.pk, opened_at=None).update(opened_at=timezone.now()):
            _recorded(link, "opened")


def actor_of(link: CustomerLink) -> str:
    """Return by what name the audit chain knows whoever has the link."""
    return f"{CUSTOMER}{link.pk}"


def _signer() -> signing.Signer:
    return signing.Signer(salt=SALT, sep=".")


def _not_too_often(link: CustomerLink, *, acts: bool) -> None:
    """Count what comes by a link within the minute, in this process. Raises LinkBusy."""
    minute = int(timezone.now().timestamp() // 60)
    for what, most in (("looks", MOST_LOOKS), *([("acts", MOST_ACTS)] if acts else [])):
        key = f"{SALT}:{link.pk}:{what}:{minute}"
        cache.add(key, 0, timeout=120)
        try:
            count = cache.incr(key)
        except ValueError:  # so many links are looked at that another took its place
            count = 1
        if count > most:
            raise LinkBusy(fields={"limit": most})


def _refuse_if_over(link: CustomerLink) -> None:
    """Raise LinkOver with a sentence for the customer; the shop may be named to whoever holds a right token."""
    shop = link.line.order.shop.name
    state = state_of(link)
    if state == "closed":
        why, remedy = f"{shop} has taken this link back.", f"Ask {shop} for a new one if you still need it."
    elif state == "expired":
        why, remedy = "This link has expired.", f"Ask {shop} for a new one: it takes them a minute."
    elif link.line.state not in SHOWN:
        why, remedy = "This order was cancelled.", f"Ask {shop} if you did not expect that."
    else:
        return
    raise LinkOver(f"{why} {remedy}", fields={"why": why, "remedy": remedy, "shop": shop})


# ------------------------------------------------------------------------------------------------ what they see


def offered(link: CustomerLink) -> QuerySet[Candidate]:
    """Return the designs that a link shows: of the round that was newest when it was made and of all later ones, those
    that can be made and that no designer has rejected; the newest round first."""
    line = link.line
    first = line.rounds.filter(created_at__lte=link.created_at).order_by("-number").values("number")[:1]
    newest_word = Decision.objects.filter(candidate=OuterRef("pk")).order_by("-pk").values("accepted")[:1]
    designs = Candidate.objects.filter(round__line=line, round__number__gte=Subquery(first), passed=True)
    designs = designs.annotate(accepted=Subquery(newest_word)).filter(Q(accepted=None) | Q(accepted=True))
    return designs.select_related("round", "artwork").order_by("-round__number", "position")


def design_of(link: CustomerLink, pk: int) -> Candidate:
    """Return one of the designs that a link shows. Raises UnknownCandidate for any other."""
    candidate = offered(link).filter(pk=pk).first()
    if candidate is None:
        raise UnknownCandidate("This design is not, or no longer, among those you can choose from.")
    return candidate


def picture_of(link: CustomerLink, pk: int) -> Candidate:
    """Return a design whose picture a link shows: one that is offered, or was approved. Raises UnknownCandidate."""
    approved = Candidate.objects.filter(pk=pk, approval__line=link.line).select_related("round", "artwork").first()
    return approved or design_of(link, pk)


def is_open(line: OrderLine) -> bool:
    """True while the customer can still choose, and nothing is being drawn just now."""
    before = line.state == LineState.BLOCKED and line.came_from == LineState.GENERATING
    return line.state == LineState.PROOFING or before


def is_undecided(line: OrderLine) -> bool:
    """True until a design was approved."""
    return line.state in UNDECIDED or is_open(line)


def pins_on(candidate: Candidate) -> list[Pin]:
    """Return a design's comments in their order; a comment's number is its place in it, from 1."""
    return list(candidate.pins.order_by("pk"))


# ------------------------------------------------------------------------------------------------ what they do


def turn(link: CustomerLink, wish: Turn) -> OrderLine:
    """Draw as a customer turned a knob, within the link's limits and budget.

    Raises UnknownCandidate, OutsideLimits, LinkUsedUp, LinkOver, StaleState, and what `services.explore` raises.
    """
    _refuse_unless_open(link)
    candidate = design_of(link, wish.design)
    if wish.kind == Turning.AGAIN and candidate.round_id == link.line.newest_round.pk:
        raise OutsideLimits("This design is among the newest already.", fields={"field": "design"})
    drawn = exploration(candidate, limits_in(link.limits), wish)
    with transaction.atomic():
        _spend(link, "returns" if wish.kind == Turning.AGAIN else "rounds")
        moved = services.explore(link.line, drawn, by=None, actor=actor_of(link))
        _still_open(link)
        return moved


def pin(link: CustomerLink, *, design: int, x_mm: float, y_mm: float, words: str, once: uuid.UUID) -> Pin:
    """Put a comment at a place of a design.

    Raises UnknownCandidate, OutsideLimits, LinkUsedUp, LinkOver, StaleState.
    """
    _refuse_comments(link.line)
    candidate = design_of(link, design)
    artwork = candidate.artwork
    for name, place, most in (("x_mm", x_mm, artwork.repeat_width_mm), ("y_mm", y_mm, artwork.repeat_height_mm)):
        if not 0 <= place <= most:
            outside = f"That place is outside the repeat: it is {place:.6g} mm, and the repeat ends at {most:g} mm."
            raise OutsideLimits(outside, fields={"field": name, "value": place, "limit": [0, most]})
    author = link.line.order.customer.name
    sent = Pin(candidate=candidate, x_mm=x_mm, y_mm=y_mm, words=words, author=author, link=link, once=once)
    return _once(link, sent, most=MOST_PINS, action="comment")


def _refuse_comments(line: OrderLine) -> None:
    if not is_undecided(line):
        raise StaleState("A design has been approved: comments are closed. Write to the mill instead.")


def ask(link: CustomerLink, *, words: str, once: uuid.UUID) -> CustomerWish:
    """Ask for a change in words: t4 of the line's clock. Nothing is drawn. Raises LinkUsedUp, LinkOver."""
    sent = CustomerWish(line=link.line, link=link, words=words, once=once)
    return _once(link, sent, most=MOST_WISHES, action="ask")


def approve(
    link: CustomerLink, *, design: int, expected: str, name: str, seen: Mapping[str, Any] | None = None
) -> Approval:
    """Say yes to a design and to the specification whose digest was shown, in the name that was typed.

    Sent twice it is one approval. `seen`: the specification that was shown, so that a refusal can say what of it is
    another by now. Raises UnknownCandidate, NotNewest, SpecificationMoved, LinkOver, StaleState and what
    `services.approve` raises.
    """
    said_before = Approval.objects.filter(line=link.line, link=link, sha256=expected).order_by("-number")
    if link.line.state != LineState.PROOFING:
        if (approval := said_before.first()) is not None:
            return approval
        _refuse_unless_open(link)
        raise StaleState("None of the designs can be approved just now: take one up again first, or have some drawn.")
    candidate = design_of(link, design)
    if candidate.round_id != link.line.newest_round.pk:
        raise NotNewest("This is one of the earlier designs: take it up again first, then approve it.")
    details = {"name": name, "sha256": expected, "scale": "confirmed"}
    try:
        with transaction.atomic():
            approval = services.approve(
                link.line, candidate.position, by=None, actor=actor_of(link), expected=expected, details=details,
                link=link, name=name,
            )  # fmt: skip
            _still_open(link)
            design_of(link, design)  # rejecting one takes the shop's row too
            return approval
    except SpecificationMoved as moved:
        raise _moved(link, seen, moved.fields["now"], expected=expected) from moved
    except (StaleState, IllegalTransition):
        if (approval := said_before.first()) is not None:
            return approval
        raise


def specification_of(candidate: Candidate) -> dict[str, Any]:
    """Return what an approval of a design would cover as things stand; services.digest_of names it."""
    return work.specification(candidate.round.line, candidate)


def differences(seen: Mapping[str, Any], now: Mapping[str, Any], *, prices: bool = True) -> list[str]:
    """Say what of a specification is another by now than what was seen; prices only to whom they are shown.

    >>> differences({"price": "80.00", "currency": "EUR"}, {"price": "92.50", "currency": "EUR"})
    ['The price is 92.50 EUR now, and was 80.00 EUR.']
    """
    said = []
    if any(seen.get(key) != now.get(key) for key in ("price", "currency")):
        told = [f"{each.get('price')} {each.get('currency')}" for each in (now, seen)]
        said.append(f"The price is {told[0]} now, and was {told[1]}." if prices else "The price is another now.")
    if seen.get("quantity_m") != now.get("quantity_m"):
        said.append(f"The quantity is {now.get('quantity_m')} m now, and was {seen.get('quantity_m')} m.")
    if seen.get("cloth") != now.get("cloth"):
        said.append("The cloth is another now.")
    if any(seen.get(key) != now.get(key) for key in ("repeat_mm", "layout", "pixels")):
        said.append("The repeat is another now.")
    if any(seen.get(key) != now.get(key) for key in ("artwork_sha256", "palette")):
        said.append("The design is another now.")
    return said


def _moved(
    link: CustomerLink, seen: Mapping[str, Any] | None, now: Mapping[str, Any], *, expected: str
) -> SpecificationMoved:
    """Return the refusal with what changed; where what was seen is not what the digest names, without it."""
    known = seen is not None and services.digest_of(seen) == expected
    said = " ".join(differences(seen or {}, now, prices=link.shows_price)) if known else ""
    sentence = f"{said or 'What you were shown has changed meanwhile.'} Nothing was approved: look again, then decide."
    return SpecificationMoved(sentence, fields={"field": "digest"})


def _still_open(link: CustomerLink) -> CustomerLink:
    """Return a link as it is behind the shop's row, which closing it takes too. Raises LinkOver where it was closed."""
    now = CustomerLink.objects.select_related("line__order__shop", "line__order__customer").get(pk=link.pk)
    _refuse_if_over(now)
    return now


def _refuse_unless_open(link: CustomerLink) -> None:
    if link.line.state == LineState.GENERATING:
        raise StaleState("Designs are being drawn just now: wait for them, then go on.")
    if not is_open(link.line):
        raise StaleState("A design has been approved meanwhile: nothing is drawn any more.")


def _spend(link: CustomerLink, counter: str) -> None:
    """Count one round against the link's budget, inside the caller's transaction. Raises LinkUsedUp."""
    within = CustomerLink.objects.filter(pk=link.pk, **{f"{counter}__lt": F("most_rounds")})
    if within.update(**{counter: F(counter) + 1}) != 1:
        shop = link.line.order.shop.name
        raise LinkUsedUp(
            f"You have had designs drawn {link.most_rounds} times, as often as this link allows. "
            f"Tell {shop} in words what you would like: they go on for you.",
            fields={"limit": link.most_rounds},
        )


def _once(link: CustomerLink, sent: Any, *, most: int, action: str) -> Any:
    """Keep what was sent, unless the same form was sent before: then return what is kept.

    Raises LinkUsedUp, LinkOver, SentAlready where it said something else, and of a comment StaleState and
    UnknownCandidate.
    """
    before = type(sent).objects.filter(once=sent.once, link=link)
    if (there := before.first()) is not None:
        return _the_same(there, sent)
    try:
        with transaction.atomic():
            _recorded(link, action)  # takes the shop's row first: what is counted next can't grow beside us
            now = _still_open(link)
            if isinstance(sent, Pin):
                _refuse_comments(now.line)
                design_of(now, sent.candidate_id)
            if type(sent).objects.filter(link=link).count() >= most:
                shop = link.line.order.shop.name
                full = f"{most} were sent by this link already, as many as it takes. Write to {shop} directly."
                raise LinkUsedUp(full, fields={"limit": most})
            sent.save(force_insert=True)
            return sent
    except IntegrityError:  # the same form came twice at the same time
        if (there := before.first()) is None:  # its number is another link's: nobody but a forger has it
            raise UnknownLink from None
        return _the_same(there, sent)


def _the_same(there: Any, sent: Any) -> Any:
    """Return what was kept of a form, if it says the same now. Raises SentAlready: nothing else is lost in silence."""
    said = ("words", "candidate_id", "x_mm", "y_mm") if isinstance(sent, Pin) else ("words",)
    if all(getattr(there, name) == getattr(sent, name) for name in said):
        return there
    raise SentAlready(
        "What you sent from here before is kept, and this is something else. Send it once more to have it kept too.",
        fields={"field": "words"},
    )


def _recorded(link: CustomerLink, action: str) -> None:
    line = link.line
    audit.record(line.order.shop, action, actor=actor_of(link), line=line, details={"link": link.pk})


def rounds_left(link: CustomerLink) -> int:
    """Return how often the customer may still have designs drawn."""
    return max(0, link.most_rounds - link.rounds)


def links_of(line: OrderLine) -> list[CustomerLink]:
    """Return a line's links, the newest first."""
    return list(line.links.select_related("created_by"))


def asking(shop: Shop) -> QuerySet[OrderLine]:
    """Return the lines whose customers have asked or commented, and nobody has answered yet."""
    wishes = CustomerWish.objects.filter(settled_at=None).values("line")
    comments = Pin.objects.filter(settled_at=None, link__isnull=False).values("candidate__round__line")
    return OrderLine.objects.filter(Q(pk__in=wishes) | Q(pk__in=comments), order__shop=shop)
