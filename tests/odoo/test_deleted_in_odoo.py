"""What somebody deletes in Odoo is reported and never made anew."""

import pytest

from inventory_sync.errors import ErpRejected
from inventory_sync.ports import MANUFACTURING_ORDER, SALE_ORDER, ErpRecord
from tests.odoo_world import each, mill_on

pytestmark = pytest.mark.django_db


@pytest.fixture(params=each())
def mill(request):
    with mill_on(request.param) as mill:
        yield mill


@pytest.mark.parametrize("state", ["draft", "confirmed"])
def test_a_deleted_order_is_not_there_and_is_not_made_again(mill, state):
    number, erp = mill.order(), mill.erp()
    sale = ErpRecord(SALE_ORDER, mill.sale_id(number), mill.sale(number))
    made = ErpRecord(MANUFACTURING_ORDER, mill.record_id(number), mill.made(number))
    if state == "confirmed":
        mill.record(number)
    refs = [erp.upsert(sale), erp.upsert(made)]
    assert [ref.state for ref in refs] == [state, state]
    mill.delete("mrp.production", refs[1].remote_id)
    mill.delete("sale.order", refs[0].remote_id)
    assert mill.erp().standing(refs) == [None, None]
    assert [mill.erp().find(ref.kind, ref.external_id) for ref in refs] == [None, None]
    for record, ref in zip((sale, made), refs, strict=True):
        with pytest.raises(ErpRejected, match="was deleted in Odoo: a person has to decide") as refusal:
            mill.erp().upsert(record)
        assert refusal.value.fields["state"] == "deleted"
        with pytest.raises(ErpRejected, match="was deleted"):
            mill.erp().act(ref, "cancel", state)
    with pytest.raises(ErpRejected, match="was deleted"):
        mill.record(number)
    assert (mill.sales(number), mill.productions(number)) == ([], [])
