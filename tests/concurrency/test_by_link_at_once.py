"""A customer acts by a link while the mill closes it, and forms come twice at the same moment.

Closing takes the shop's row; what comes by the link looks once more behind that row. With that look off, things would
come by a link after it was closed.
"""

import uuid

import pytest
from django.core.cache import cache
from django.db import OperationalError

from orders import linking, services
from orders.errors import LinkOver, SentAlready
from orders.models import Approval, CustomerLink, CustomerWish, Pin, Round
from orders.turning import Limits, Turn
from tests.racing import at_once, beside, stopped_before
from tests.shop_floor import placed

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def fresh_counts():
    cache.clear()


@pytest.fixture
def line(quick):
    return placed(quick)


@pytest.fixture
def link(line):
    token = linking.make(line, limits=Limits(), by=None, once=uuid.uuid4())[1]
    return linking.opened_by(token)


def turn(link):
    return linking.turn(link, Turn(kind="strength", design=services.best(link.line).pk, strength=0.5))


def pin(link):
    return linking.pin(link, design=services.best(link.line).pk, x_mm=1, y_mm=1, words="Here.", once=uuid.uuid4())


def ask(link):
    return linking.ask(link, words="Rounder.", once=uuid.uuid4())


def approve(link):
    design = services.best(link.line)
    expected = services.digest_of(linking.specification_of(design))
    return linking.approve(link, design=design.pk, expected=expected, name="Ana Lima")


# What a customer does, and where they stand once everything has been looked at and nothing is written yet.
ACTS = {
    turn: (linking, "exploration"),
    pin: (linking, "_once"),
    ask: (linking, "_once"),
    approve: (linking, "design_of"),
}


def came_by(link):
    """What is there that came by the link."""
    return (
        Round.objects.filter(line=link.line, number__gt=1).count()
        + Pin.objects.count()
        + CustomerWish.objects.count()
        + Approval.objects.count()
    )


def while_it_is_closed(link, act, monkeypatch):
    """Let somebody act who has looked already, while the link is closed; returns what they were told."""
    arrived, go_on = stopped_before(monkeypatch, *ACTS[act])
    told = []
    customer = beside(lambda: act(link), told)
    assert arrived.wait(60)
    linking.close(CustomerLink.objects.get(), by=None)
    go_on.set()
    customer.join(60)
    return told


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
def test_nothing_comes_by_a_link_that_was_closed_meanwhile(line, link, act, monkeypatch):
    (told,) = while_it_is_closed(link, act, monkeypatch)
    assert isinstance(told, LinkOver)
    assert "has taken this link back" in str(told)
    assert came_by(link) == 0
    assert not line.events.filter(actor=linking.actor_of(link)).exists()
    assert CustomerLink.objects.get().rounds == 0


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
def test_without_the_second_look_it_would_come(line, link, act, monkeypatch):
    """The negative control."""
    monkeypatch.setattr(linking, "_still_open", lambda link: link)
    assert while_it_is_closed(link, act, monkeypatch) == []
    assert came_by(link) == 1
    after = line.events.filter(sequence__gt=line.events.get(action="link closed").sequence)
    assert after.filter(actor=linking.actor_of(link)).exists()


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
def test_of_a_customer_and_a_closing_at_once_the_chain_says_who_was_first(line, link, act):
    ends = at_once(lambda: act(link), lambda: linking.close(CustomerLink.objects.get(pk=link.pk), by=None))
    assert not isinstance(ends[1], Exception), ends
    assert not isinstance(ends[0], Exception) or isinstance(ends[0], LinkOver | OperationalError), ends
    closed = line.events.get(action="link closed").sequence
    theirs = line.events.filter(actor=linking.actor_of(link)).values_list("sequence", flat=True)
    assert all(sequence < closed for sequence in theirs)
    assert came_by(link) == len({*theirs}) == (not isinstance(ends[0], Exception))


def test_a_form_that_comes_twice_at_once_is_one_wish(link):
    once = uuid.uuid4()
    ends = at_once(*[lambda: linking.ask(link, words="Rounder.", once=once)] * 2)
    assert len({end.pk for end in ends if isinstance(end, CustomerWish)}) == 1, ends
    assert CustomerWish.objects.count() == 1


@pytest.mark.parametrize(("days", "refused"), [((30, 30), 0), ((30, 7), 1)])
def test_a_form_for_a_link_that_comes_twice_at_once_makes_one(line, days, refused):
    once = uuid.uuid4()

    def make(days):
        return linking.make(line, limits=Limits(), by=None, once=once, days=days)[1]

    ends = at_once(*[lambda each=each: make(each) for each in days])
    assert sum(isinstance(end, SentAlready) for end in ends) == refused, ends
    assert CustomerLink.objects.count() == 1
    assert line.events.filter(action="link").count() == 1


def test_with_numbers_of_their_own_they_make_two(line):
    """The negative control."""
    at_once(*[lambda: linking.make(line, limits=Limits(), by=None, once=uuid.uuid4())] * 2)
    assert CustomerLink.objects.count() == 2
