"""The audit chain: append-only, and every link sealed with the one before."""

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command

from orders import audit
from orders.models import AuditEvent

pytestmark = pytest.mark.django_db


@pytest.fixture
def chain(mill):
    person = User.objects.create_user("anna")
    for number in range(5):
        audit.record(mill, "place", actor=person, details={"metres": 12.5, "number": number})
    return mill


def test_an_unbroken_chain_holds(chain):
    assert audit.first_broken(chain) is None
    assert list(AuditEvent.objects.filter(shop=chain).values_list("sequence", flat=True)) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("change", [{"actor": "bob"}, {"action": "cancel"}, {"details": {"metres": 125}}])
def test_a_tampered_event_is_found(chain, change):
    AuditEvent.objects.filter(shop=chain, sequence=3).update(**change)
    assert audit.first_broken(chain).sequence == 3


@pytest.mark.parametrize("removed", [1, 3, 5])
def test_a_removed_event_is_found(chain, removed):
    AuditEvent.objects.filter(shop=chain, sequence=removed).delete()
    assert audit.first_broken(chain) == audit.Broken(removed, "removed")


def test_it_is_found_when_all_that_was_done_lately_is_removed(chain, capsys):
    AuditEvent.objects.filter(shop=chain, sequence__gte=4).delete()
    with pytest.raises(SystemExit):
        call_command("doctor")
    assert "broken at event 4: removed" in capsys.readouterr().out


def test_shops_have_chains_of_their_own(chain):
    from orders.models import Shop

    other = Shop.objects.create(slug="other", name="Other")
    assert audit.record(other, "place", actor=None).sequence == 1
