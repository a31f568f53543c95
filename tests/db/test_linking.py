"""The customer's link: what its token is worth, what it shows, how far its knobs go, and what a yes by it says."""

import uuid
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.utils import timezone

from generation import latent
from orders import audit, clock, linking, services, turning
from orders.errors import (
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
from orders.models import Approval, Candidate, CustomerLink, CustomerWish, Decision, OrderLine, Pin
from orders.turning import Limits, Turn
from tests.shop_floor import now, placed, planned, work_on

pytestmark = pytest.mark.django_db
TWO_RED = ("#aa2211", "#cc4422")


@pytest.fixture(autouse=True)
def fresh_counts():
    cache.clear()


@pytest.fixture
def line(quick):
    return placed(quick)


@pytest.fixture
def bare(mill):
    """A line that could be chosen from, but for its designs: enough for what is about links alone."""
    new = services.NewLine(
        words="checks", quantity_m=Decimal(6), layout="straight", repeat_mm=(64, 64), substrate="FAB-COT-SAT",
        due_in_days=30,
    )  # fmt: skip
    line = services.place(mill, customer="Atelier Nord", lines=[new], by=None).lines.get()
    OrderLine.objects.filter(pk=line.pk).update(state="proofing")
    return now(line)


@pytest.fixture
def link(line):
    return opened(linked(line))


def linked(line, **options):
    """The token of a new link."""
    return linking.make(line, **{"limits": Limits(), "once": uuid.uuid4(), "by": None, **options})[1]


def opened(token):
    return linking.opened_by(token)


def again(link):
    """The link as whoever has it comes by it next time."""
    return CustomerLink.objects.select_related("line__order__shop", "line__order__customer").get(pk=link.pk)


def yes(link, design=None, **changes):
    design = design or services.best(link.line)
    expected = services.digest_of(linking.specification_of(design))
    return linking.approve(link, **{"design": design.pk, "expected": expected, "name": "Ana Lima", **changes})


# ------------------------------------------------------------------------------------------------ the token


def test_a_token_is_kept_only_as_a_digest(bare):
    token = linked(bare)
    kept = str(CustomerLink.objects.values().get())
    assert token not in kept
    assert token.partition(".")[0] not in kept
    assert opened(token).line == bare


def test_what_is_forged_or_cut_is_refused_before_anything_is_looked_up(bare, django_assert_num_queries):
    token = linked(bare)
    secret, _, signature = token.partition(".")
    forged = [
        token[:-1], token[1:], secret, f"A{token}", token.swapcase(), f"{secret[:-1]}_.{signature}", f"{token}.",
        f"{secret}.{secret}", "a.b", "x" * 5000, "é\0.☃", "",
    ]  # fmt: skip
    for each in forged:
        with django_assert_num_queries(0), pytest.raises(UnknownLink):
            opened(each)


def test_a_token_that_is_signed_but_not_kept_opens_nothing(bare):
    token = linked(bare)
    CustomerLink.objects.all().delete()
    with pytest.raises(UnknownLink):
        opened(token)


def test_another_server_s_signature_opens_nothing(bare, settings):
    token = linked(bare)
    settings.SECRET_KEY = "another server's"
    with pytest.raises(UnknownLink):
        opened(token)


def test_a_form_that_is_sent_twice_makes_one_link_and_shows_the_same_address(mill, bare):
    once = uuid.uuid4()
    assert linked(bare, once=once) == linked(bare, once=once)
    assert CustomerLink.objects.count() == 1
    assert bare.events.filter(action="link").count() == 1
    other = planned(mill)
    assert opened(linked(other, once=once)).line == other


@pytest.mark.parametrize(
    "otherwise", [{"days": 7}, {"most_rounds": 3}, {"shows_price": False}, {"limits": Limits(scale=None)}]
)
def test_a_form_that_was_sent_before_and_says_something_else_now_is_refused(bare, otherwise):
    once = uuid.uuid4()
    linked(bare, once=once)
    with pytest.raises(SentAlready, match="what it says now is something else"):
        linked(bare, once=once, **otherwise)
    assert CustomerLink.objects.count() == 1


def test_a_form_whose_link_is_over_does_not_show_its_address_again(bare):
    once = uuid.uuid4()
    linking.close(opened(linked(bare, once=once)), by=None)
    with pytest.raises(SentAlready, match="which is closed"):
        linked(bare, once=once)


def test_a_link_that_is_over_says_why_and_what_to_do(bare):
    token = linked(bare)
    link = opened(token)
    CustomerLink.objects.update(expires_at=timezone.now())
    with pytest.raises(LinkOver, match=r"has expired. Ask Demo mill for a new one"):
        opened(token)
    CustomerLink.objects.update(expires_at=timezone.now() + timedelta(days=1))
    linking.close(link, by=None)
    linking.close(link, by=None)
    with pytest.raises(LinkOver, match="Demo mill has taken this link back"):
        opened(token)
    assert bare.events.filter(action="link closed").count() == 1
    assert [linking.state_of(each) for each in linking.links_of(bare)] == ["closed"]


def test_a_line_that_was_cancelled_is_not_shown_and_gets_no_link(bare):
    token = linked(bare)
    services.cancel(now(bare), by=None)
    with pytest.raises(LinkOver, match="was cancelled"):
        opened(token)
    with pytest.raises(InvalidOrder, match="nothing to look at"):
        linked(now(bare))


def test_who_comes_by_a_link_too_often_waits_and_others_do_not(bare):
    token, other = linked(bare), linked(bare)
    for _ in range(linking.MOST_ACTS):
        linking.opened_by(token, acts=True)
    with pytest.raises(LinkBusy):
        linking.opened_by(token, acts=True)
    assert linking.opened_by(token)  # looking goes on
    assert linking.opened_by(other, acts=True)


def test_a_link_within_which_nothing_could_be_drawn_is_not_made(bare):
    impossible = [
        {"days": 0},
        {"days": 366},
        {"most_rounds": 101},
        {"limits": Limits(strength=(0.7, 0.2))},
        {"limits": Limits(strength=(0, float("nan")))},
        {"limits": Limits(scale=(0.1, 2))},
        {"limits": Limits(palettes=("no such palette",))},
        {"limits": Limits(colours=("no such colour",))},
        {"limits": Limits(colours=[f"#0000{n:02x}" for n in range(25)])},
        {"limits": Limits(space="no such space")},
    ]
    for options in impossible:
        with pytest.raises(services.Refusals):
            linked(bare, **options)
    assert not CustomerLink.objects.exists()


def test_a_customer_s_next_link_allows_what_the_last_one_did(bare):
    assert linking.usual_limits(bare) == Limits()
    linked(bare, limits=Limits(strength=None, palettes=("ocean",), colours=("navy",)))
    usual = linking.usual_limits(bare)
    assert (usual.strength, usual.palettes, usual.colours) == (None, ("ocean",), ("#1d2f52",))


# ------------------------------------------------------------------------------------------------ what it shows


def test_only_designs_that_can_be_made_and_that_no_designer_rejected_are_offered(quick, line, link):
    first, second = linking.offered(link)
    assert [first.round.line, second.round.line] == [line, line]
    Decision.objects.create(candidate=first, accepted=False, reasons=["busy"])
    assert list(linking.offered(link)) == [second]
    Decision.objects.create(candidate=first, accepted=True)
    Candidate.objects.filter(pk=second.pk).update(passed=False)
    assert list(linking.offered(link)) == [first]
    with pytest.raises(UnknownCandidate):
        linking.design_of(link, second.pk)
    stranger = services.best(placed(quick, words="stripes"))
    with pytest.raises(UnknownCandidate):
        linking.design_of(link, stranger.pk)
    with pytest.raises(UnknownCandidate):
        linking.picture_of(link, stranger.pk)


def test_what_was_drawn_before_the_link_was_made_stays_in_the_house(line):
    line = work_on(services.revise(line, by=None, words="larger checks"))
    link = opened(linked(line))
    assert {each.round.number for each in linking.offered(link)} == {2}
    work_on(services.revise(line, by=None, words="smaller checks"))
    assert {each.round.number for each in linking.offered(again(link))} == {2, 3}


# ------------------------------------------------------------------------------------------------ the knobs


def turned(link, **wish):
    design = wish.pop("design", None) or linking.offered(link)[0].pk
    return linking.turn(link, Turn(design=design, **wish))


@pytest.mark.parametrize(
    ("wish", "drawn"),
    [
        ({"kind": "strength", "strength": 0.4}, {"way": "more_like_this", "strength": 0.4}),
        ({"kind": "size", "scale": 1.2}, {"way": "resize", "scale": 1.2, "density": 1.0}),
        ({"kind": "palette", "palette": "ocean"}, {"way": "recolour", "palette_name": "ocean"}),
        (
            {"kind": "colours", "colours": ["#f1eee7", *TWO_RED]},
            {"way": "recolour", "palette": ["#f1eee7", *TWO_RED]},
        ),
    ],
)
def test_a_knob_that_is_turned_within_its_limits_is_drawn_and_the_chain_says_by_whom(line, wish, drawn):
    link = opened(linked(line, limits=Limits(colours=TWO_RED)))
    moved = turned(link, **wish)
    assert moved.state == "generating"
    brief = moved.newest_round
    assert {name: getattr(brief, name) for name in drawn} == drawn
    assert moved.events.get(action="revise").actor == f"customer, link {link.pk}"
    assert (again(link).rounds, linking.rounds_left(again(link))) == (1, 11)
    assert audit.first_broken(line.order.shop) is None


def test_a_knob_that_is_turned_beyond_its_limits_draws_nothing_and_costs_nothing(line):
    link = opened(linked(line, limits=Limits(colours=TWO_RED)))
    beyond = [
        {"kind": "strength", "strength": 0.71},
        {"kind": "strength", "strength": 0.19},
        {"kind": "strength", "strength": float("nan")},
        {"kind": "strength"},
        {"kind": "size", "scale": 1.36},
        {"kind": "size", "scale": 1.0, "density": 1.0},
        {"kind": "size", "density": 0.7},
        {"kind": "palette", "palette": "gothic"},
        {"kind": "palette"},
        {"kind": "colours", "colours": ["#f1eee7", "#aa2211", "#123456"]},
        {"kind": "colours", "colours": ["#f1eee7", "#34506b", "#8ba495"]},
        {"kind": "colours", "colours": ["#aa2211"] * 3},
        {"kind": "colours", "colours": ["#aa2211"] * 30},
        {"kind": "walk", "axes": {"density": 1.0}},
        {"kind": "again"},
        {"kind": "nonsense"},
    ]
    for wish in beyond:
        with pytest.raises(services.Refusals):
            turned(link, **wish)
        assert (now(line).state, again(link).rounds, line.rounds.count()) == ("proofing", 0, 1), wish


def test_a_knob_without_a_limit_is_not_there(line):
    link = opened(linked(line, limits=Limits(strength=None, scale=None, density=None, palettes=())))
    assert turning.knobs_of(linking.offered(link)[0], turning.limits_in(link.limits)) == {}
    with pytest.raises(OutsideLimits):
        turned(link, kind="strength", strength=0.4)


def test_the_budget_is_used_up_with_a_sentence_but_earlier_designs_come_back(line):
    link = opened(linked(line, most_rounds=1))
    first = services.best(line)
    work_on(turned(link, kind="strength", strength=0.5))
    link = again(link)
    with pytest.raises(LinkUsedUp, match="Tell Demo mill in words"):
        turned(link, kind="strength", strength=0.5)
    assert (now(line).state, again(link).rounds) == ("proofing", 1)
    with pytest.raises(NotNewest):
        yes(link, first)
    back = work_on(turned(link, kind="again", design=first.pk))
    (same,) = back.newest_round.candidates.all()
    assert (same.artwork, same.passed) == (first.artwork, True)
    link = again(link)
    assert (link.rounds, link.returns) == (1, 1)
    assert yes(link, same).candidate == same
    with pytest.raises(StaleState, match="approved meanwhile"):
        turned(again(link), kind="again", design=first.pk)


def test_nothing_is_drawn_while_something_is_being_drawn(line, link):
    turned(link, kind="strength", strength=0.5)
    with pytest.raises(StaleState, match="being drawn just now"):
        turned(again(link), kind="strength", strength=0.5)
    with pytest.raises(StaleState):  # who looked before it began is told so too
        turned(link, kind="strength", strength=0.5)
    assert again(link).rounds == 1


def test_a_brand_s_own_axes_are_knobs_within_what_its_designers_allow(quick, line):
    designs = [each.artwork for each in line.newest_round.candidates.all()]
    designs += [each.artwork for each in placed(quick, words="stripes").newest_round.candidates.all()]
    space = latent.build(quick.slug, "Atelier Nord", designs)
    axis = latent.axes_of(space)[0]
    latent.allow(space, axis.name, axis.farthest[0], axis.farthest[1] / 2)
    assert linking.usual_limits(line).space == "Atelier Nord"
    link = opened(linked(line, limits=linking.usual_limits(line)))
    most = turning.limits_in(link.limits).axes[axis.name][1]
    assert most == pytest.approx(axis.farthest[1] / 2, abs=0.001)
    with pytest.raises(OutsideLimits):
        turned(link, kind="walk", axes={axis.name: axis.farthest[1]})
    moved = turned(link, kind="walk", axes={axis.name: most})
    assert (moved.newest_round.way, moved.newest_round.walk["amounts"]) == ("walk", {axis.name: most})


# ------------------------------------------------------------------------------------------------ words


def test_a_comment_is_pinned_once_at_its_place_and_answered_once(line, link):
    design, once = services.best(line), uuid.uuid4()
    pins = [linking.pin(link, design=design.pk, x_mm=3, y_mm=60, words="Darker here.", once=once) for _ in range(2)]
    assert pins[0] == pins[1]
    assert line.events.filter(action="comment", actor=linking.actor_of(link)).count() == 1
    for x_mm, y_mm in ((-0.1, 1), (1, 64.5), (float("nan"), 1)):
        with pytest.raises(OutsideLimits, match="outside the repeat"):
            linking.pin(link, design=design.pk, x_mm=x_mm, y_mm=y_mm, words="Here.", once=uuid.uuid4())
    assert list(linking.asking(line.order.shop)) == [line]
    linking.settle_pin(pins[0], answer="It will be.", by=None)
    assert not linking.asking(line.order.shop)
    with pytest.raises(StaleState):
        linking.settle_pin(pins[0], answer="Or not.", by=None)
    assert Pin.objects.get().answer == "It will be."


def test_a_comment_whose_number_is_another_link_s_is_refused(line, link):
    design, once = services.best(line).pk, uuid.uuid4()
    linking.pin(link, design=design, x_mm=1, y_mm=1, words="Here.", once=once)
    with pytest.raises(UnknownLink):
        linking.pin(opened(linked(line)), design=design, x_mm=1, y_mm=1, words="Mine.", once=once)


def test_other_words_from_a_form_that_was_sent_before_are_not_lost_silently(line, link):
    design, once = services.best(line).pk, uuid.uuid4()
    linking.ask(link, words="Larger.", once=once)
    assert linking.ask(link, words="Larger.", once=once) == CustomerWish.objects.get()
    with pytest.raises(SentAlready, match="Send it once more"):
        linking.ask(link, words="Larger and bluer.", once=once)
    pin = {"design": design, "x_mm": 1, "y_mm": 1, "words": "Here.", "once": uuid.uuid4()}
    linking.pin(link, **pin)
    for other in ({"words": "There."}, {"x_mm": 2}):
        with pytest.raises(SentAlready):
            linking.pin(link, **pin | other)
    assert (CustomerWish.objects.count(), Pin.objects.count()) == (1, 1)


def test_nobody_fills_the_mill_with_words(bare, monkeypatch):
    monkeypatch.setattr(linking, "MOST_WISHES", 2)
    link = opened(linked(bare))
    for words in ("Larger.", "Bluer."):
        linking.ask(link, words=words, once=uuid.uuid4())
    with pytest.raises(LinkUsedUp):
        linking.ask(link, words="Rounder.", once=uuid.uuid4())
    assert CustomerWish.objects.count() == 2


def test_what_is_asked_in_words_draws_nothing_until_somebody_here_takes_it_over(bare):
    link = opened(linked(bare))
    wish = linking.ask(link, words="Larger  checks,\nplease.", once=uuid.uuid4())
    assert (now(bare).state, list(linking.asking(bare.order.shop))) == ("proofing", [bare])
    assert linking.brief_with(wish) == "checks; Larger checks, please."
    with pytest.raises(InvalidOrder):
        linking.draw_wish(wish, words=" ", by=None)
    assert list(linking.asking(bare.order.shop)) == [bare]
    moved = linking.draw_wish(wish, words="larger checks", by=None)
    assert (moved.state, moved.newest_round.words) == ("generating", "larger checks")
    assert not linking.asking(bare.order.shop)
    with pytest.raises(StaleState, match="dealt with this meanwhile"):
        linking.draw_wish(wish, words="larger checks", by=None)


def test_who_took_a_wish_over_stands_in_the_chain(bare):
    anna = User.objects.create_user("anna")
    wish = linking.ask(opened(linked(bare)), words="Larger.", once=uuid.uuid4())
    linking.draw_wish(wish, words="larger checks", by=anna)
    event = bare.events.get(action="wish drawn")
    assert (event.actor, event.details) == ("anna", {"wish": wish.pk})
    assert event.previous == bare.events.get(action="revise").digest
    assert CustomerWish.objects.get().settled_by == "anna"


def test_the_clock_knows_when_the_customer_opened_and_asked(bare):
    link = opened(linked(bare))
    assert not {"t3", "t4"} & set(clock.times(now(bare)))
    linking.opened(link)
    first = again(link).opened_at
    linking.opened(link)
    wish = linking.ask(link, words="Larger.", once=uuid.uuid4())
    moments = clock.times(now(bare))
    assert (moments["t3"], moments["t4"]) == (first, wish.at)
    assert bare.events.filter(action="opened").count() == 1


def test_a_knob_that_is_turned_is_a_change_asked_for_too(line, link):
    moved = turned(link, kind="strength", strength=0.5)
    assert clock.times(moved)["t4"] == moved.events.get(action="revise").at


# ------------------------------------------------------------------------------------------------ the yes


def test_a_yes_says_who_said_it_by_which_link_and_to_what(line, link):
    design = services.best(line)
    approval = yes(link)
    assert (approval.by, approval.name, approval.link, approval.candidate) == (None, "Ana Lima", link, design)
    event = line.events.get(action="approve")
    assert event.actor == f"customer, link {link.pk}"
    assert event.details == {
        "candidate": design.position, "name": "Ana Lima", "sha256": approval.sha256, "scale": "confirmed",
    }  # fmt: skip
    assert now(line).state == "planning"


def test_a_yes_that_is_sent_twice_is_one_approval(line):
    token = linked(line)
    first, second = opened(token), opened(token)  # both have seen the line before it moved
    assert yes(first) == yes(second) == yes(opened(token))
    assert Approval.objects.count() == 1


def test_what_changed_since_it_was_shown_is_said_and_not_approved(line):
    token, design = linked(line), services.best(line)
    seen = linking.specification_of(design)
    expected = services.digest_of(seen)
    changes = [
        (lambda: Candidate.objects.update(price="99.50"), r"The price is 99.50 EUR now, and was \d+.\d\d EUR"),
        (lambda: OrderLine.objects.update(quantity_m="9"), r"The quantity is 9.00 m now, and was 6.00 m"),
        (lambda: OrderLine.objects.update(substrate="FAB-COT-POP"), "The cloth is another now"),
    ]
    for change, said in changes:
        change()
        with pytest.raises(SpecificationMoved, match=said):
            yes(opened(token), design, expected=expected, seen=seen)
    with pytest.raises(SpecificationMoved, match="What you were shown has changed"):
        yes(opened(token), design, expected=expected, seen={**seen, "price": "1.00"})
    assert (now(line).state, Approval.objects.count()) == ("proofing", 0)


def test_a_price_that_is_not_shown_is_not_told_by_a_refusal_either(line):
    link = opened(linked(line, shows_price=False))
    design = services.best(line)
    seen = linking.specification_of(design)
    Candidate.objects.update(price="99.50")
    with pytest.raises(SpecificationMoved) as refused:
        yes(link, design, expected=services.digest_of(seen), seen=seen)
    assert "99.50" not in f"{refused.value} {refused.value.fields}"
    assert "The price is another now" in str(refused.value)


def test_a_design_that_is_rejected_and_a_link_that_is_closed_under_the_reader_approve_nothing(line, link):
    design = services.best(line)
    Decision.objects.create(candidate=design, accepted=False)
    with pytest.raises(UnknownCandidate):
        yes(link, design)
    Decision.objects.all().delete()
    linking.close(link, by=None)
    with pytest.raises(LinkOver):
        yes(link, design)  # it was loaded before it was closed
    assert (now(line).state, Approval.objects.count()) == ("proofing", 0)


def test_a_line_that_its_mill_approved_meanwhile_is_not_approved_again(line, link):
    services.approve(line, services.best(line).position, by=None)
    with pytest.raises(services.Refusals):
        yes(link)
    with pytest.raises(StaleState, match="approved meanwhile"):
        yes(again(link))
    assert Approval.objects.count() == 1


def test_a_line_whose_designs_came_to_nothing_can_go_back_but_approves_nothing(line, link):
    design = services.best(line)
    OrderLine.objects.update(state="blocked", came_from="generating")
    with pytest.raises(StaleState, match="take one up again first"):
        yes(again(link), design)
    OrderLine.objects.update(came_from="planning")
    with pytest.raises(StaleState):
        turned(again(link), kind="strength", strength=0.5)
