"""The breaker before a sick ERP: after five failures it is left alone, and asked again at most every half minute."""

from datetime import UTC, datetime, timedelta

import pytest

from inventory_sync.connectors import odoo_breaker
from inventory_sync.connectors.odoo import JsonRpc
from inventory_sync.connectors.odoo_json2 import Json2
from inventory_sync.errors import ErpRejected, ErpUnavailable
from inventory_sync.models import ErpConnection
from tests import sick_server as sick
from tests.racing import at_once

pytestmark = pytest.mark.django_db(transaction=True)

TRANSPORTS = {"JSON-RPC": JsonRpc, "JSON-2": Json2}
FIVE, HALF_A_MINUTE = odoo_breaker.OPENS_AFTER, odoo_breaker.ASK_AGAIN
NO = {"name": "odoo.exceptions.UserError", "message": "No."}


class Mill:
    """A shop's way to a server that is as sick as it is told to be, by a clock that stands still.

    Every question is asked by a worker of its own, as after a restart: nothing is known but what the database says.
    """

    def __init__(self, transport, shop="sick"):
        self.transport, self.shop = transport, shop
        self.now = datetime(2026, 11, 22, 12, tzinfo=UTC)
        self.ill = sick.closed

    def answer(self, connection, request):
        if self.ill is refusing and request.method != "read":
            connection.sendall(sick.healthy(request))  # it knows us, and refuses what we want
        else:
            self.ill(connection, request)

    def worker(self):
        connection = ErpConnection(shop=self.shop, url=self.server.url, database="mill", login="connector")
        return TRANSPORTS[self.transport](connection, "key", clock=lambda: self.now)

    def ask(self):
        return self.worker().call("sale.order", "read", [1], fields=["state"])

    def fail(self, times=1):
        for _ in range(times):
            with pytest.raises(ErpUnavailable):
                self.ask()

    def connections(self, action):
        """How many connections reached the server while the action ran."""
        before = self.server.connections
        action()
        return self.server.connections - before


well = sick.sends(sick.healthy)
refusing = sick.sends(sick.failing({**NO, "data": NO}, status="422 Unprocessable"))


@pytest.fixture(params=TRANSPORTS)
def mill(request):
    found = Mill(request.param)
    with sick.SickServer(found.answer) as found.server:
        yield found


def test_it_opens_after_five_failures_and_then_nobody_is_asked(mill):
    assert mill.connections(lambda: mill.fail(FIVE)) == FIVE
    assert mill.connections(lambda: mill.fail(20)) == 0
    with pytest.raises(ErpUnavailable, match=r"5 times in a row .* 12:00:30 UTC") as refusal:
        mill.ask()
    assert refusal.value.fields["failures"] == FIVE


def test_in_two_minutes_an_open_one_lets_four_through_whatever_is_asked(mill):
    mill.fail(FIVE)

    def every_second_for_two_minutes():
        for _ in range(120):
            mill.now += timedelta(seconds=1)
            for ask in (mill.ask, mill.worker().version, mill.worker().user_id):
                with pytest.raises(ErpUnavailable):
                    ask()

    assert mill.connections(every_second_for_two_minutes) == 4


def test_it_closes_on_the_first_answer(mill):
    mill.fail(FIVE)
    mill.ill = well
    mill.fail()
    mill.now += HALF_A_MINUTE
    assert [mill.ask(), mill.ask()] == [[sick.ROW], [sick.ROW]]
    mill.ill = sick.closed
    assert mill.connections(lambda: mill.fail(FIVE)) == FIVE, "it counts from the beginning again"


def test_a_refusal_is_an_answer(mill):
    for _ in range(2):
        mill.ill = sick.closed
        mill.fail(FIVE - 1)
        mill.ill = refusing
        with pytest.raises(ErpRejected):
            mill.ask()
    mill.ill = well
    assert mill.ask() == [sick.ROW]


def test_a_refusal_closes_an_open_one(mill):
    mill.fail(FIVE)
    mill.ill = refusing
    mill.now += HALF_A_MINUTE
    for _ in range(2):
        with pytest.raises(ErpRejected):
            mill.ask()


def test_one_shops_breaker_is_not_anothers(mill):
    mill.fail(FIVE)
    mill.shop, mill.ill = "well", well
    assert mill.ask() == [sick.ROW]


def probes(mill):
    """How many of two workers who ask in the same moment, when the time has come, get through."""
    mill.fail(FIVE)
    mill.now += HALF_A_MINUTE
    return mill.connections(lambda: at_once(mill.ask, mill.ask))


def test_of_two_workers_one_is_the_probe(mill):
    assert probes(mill) == 1


def test_with_the_compare_and_set_off_both_workers_probe(mill, monkeypatch):
    """The negative control."""
    monkeypatch.setattr(odoo_breaker, "_may_probe", lambda shop, at: True)
    assert probes(mill) == 2
