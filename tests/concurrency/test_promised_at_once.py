"""A design is promised to one customer while another approves it, on two connections: exactly one of them wins."""

import pytest

from orders import exclusivity, services
from orders.errors import AlreadySold, DesignTaken
from orders.models import Approval, Exclusivity
from tests.known_designs import drawn, shown
from tests.racing import at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def rivals(mill):
    """Two customers' lines with nearly the same design, each as (line, candidate)."""
    return shown(mill, "Atelier Nord", drawn(1)), shown(mill, "Maison Sud", drawn(1, turned=True))


def test_of_a_promise_and_an_approval_one_wins(rivals):
    (_, own), (other, _) = rivals
    promised, approved = at_once(lambda: exclusivity.grant(own, by=None), lambda: services.approve(other, 1, by=None))
    if isinstance(promised, Exclusivity):
        assert isinstance(approved, DesignTaken), approved
    else:
        assert isinstance(promised, AlreadySold), promised
        assert isinstance(approved, Approval), approved


def test_of_two_promises_of_one_design_one_wins(rivals):
    (_, one), (_, two) = rivals
    ends = at_once(lambda: exclusivity.grant(one, by=None), lambda: exclusivity.grant(two, by=None))
    assert sorted(type(end).__name__ for end in ends) == ["DesignTaken", "Exclusivity"], ends
    assert Exclusivity.objects.count() == 1


def test_without_the_looks_inside_the_transactions_both_go_through(rivals, monkeypatch):
    """The negative control: it is these two looks, under the shop's row, that make one of them lose."""
    (_, own), (other, _) = rivals
    monkeypatch.setattr(exclusivity, "refuse_if_taken", lambda line, artwork: None)
    monkeypatch.setattr(exclusivity, "sold_before", lambda line, artwork: [])
    promised, approved = at_once(lambda: exclusivity.grant(own, by=None), lambda: services.approve(other, 1, by=None))
    assert isinstance(promised, Exclusivity), promised
    assert isinstance(approved, Approval), approved
