"""Two shops, each on an Odoo of its own, asked in turn: nothing of one is in the other's answers."""

from decimal import Decimal

import pytest

from inventory_sync.connectors.odoo_session import forget_sessions
from inventory_sync.errors import ErpRejected, ErpUnavailable
from inventory_sync.models import ErpConnection, ErpLink
from inventory_sync.ports import BEGINNING, MANUFACTURING_ORDER, SALE_ORDER, Hold, MaterialHold, SlotHold, Window
from tests.odoo_world import left_out, mill_on

pytestmark = [pytest.mark.django_db, left_out("19", "14")]


@pytest.fixture(params=["odoo 19", "odoo 19, JSON-2"])
def mills(request):
    with mill_on(request.param) as one, mill_on("odoo 14") as other:
        yield one, other


def test_two_shops_on_two_databases_know_nothing_of_each_other(mills):
    cursors = [mill.erp().changes(BEGINNING)[1] for mill in mills]
    numbers = [mill.order() for mill in mills]
    for mill, number in zip(mills, numbers, strict=True):
        slot = SlotHold("PRT1", mill.at(number, 60), mill.at(number, 88))
        mill.erp().hold(Hold("WL-000001-1", (MaterialHold(mill.sku, mill.lot, Decimal("12.9")),), (slot,)))
    recorded = [mill.record(number) for mill, number in zip(mills, numbers, strict=True)]
    for mill, other, number, cursor, ours in zip(mills, reversed(mills), numbers, cursors, recorded, strict=True):
        erp = mill.erp()
        theirs = other.orders[0]
        assert [level.sku for level in erp.stock([mill.sku])] == [mill.sku]
        with pytest.raises(ErpRejected, match=other.sku):
            erp.stock([other.sku])
        levels = {level.sku: level for level in erp.stock(None)}
        assert mill.sku in levels
        assert other.sku not in levels
        # Its own hold and its own order's metres are taken, the other's are not, though they are called the same.
        assert levels[mill.sku].free == mill.on_hand - Decimal("12.9") * 2
        assert {(each.sku, each.lot) for each in erp.held("WL-000001-1").materials} == {(mill.sku, mill.lot)}
        for kind, name in ((SALE_ORDER, other.sale_id(theirs)), (MANUFACTURING_ORDER, other.record_id(theirs))):
            assert erp.find(kind, name) is None
        assert [standing.ref.external_id for standing in erp.standing([ours.ref, ours.sale])] == [
            mill.record_id(number),
            mill.sale_id(number),
        ]
        assert not any(booking.mine for booking in erp.bookings(Window(other.at(theirs, 0), other.at(theirs, 90))))
        keys = {change.key for change in erp.changes(cursor)[0]}
        assert {mill.sku, mill.record_id(number), mill.sale_id(number)} <= keys
        assert not keys & {other.sku, other.record_id(theirs), other.sale_id(theirs)}
        assert (len(mill.sales(number)), len(mill.productions(number))) == (1, 1)
        assert (mill.sales(theirs), mill.productions(theirs)) == ([], [])
        assert not ErpLink.objects.filter(shop=mill.slug, external_id__contains=other.slug).exists()


def test_one_of_them_away_is_no_matter_to_the_other(mills):
    one, other = mills
    ErpConnection.objects.filter(shop=one.slug).update(url="http://127.0.0.1:9")
    forget_sessions()
    for _ in range(7):
        with pytest.raises(ErpUnavailable):
            one.erp().stock([one.sku])
        assert other.erp().stock([other.sku])[0].free == other.on_hand
