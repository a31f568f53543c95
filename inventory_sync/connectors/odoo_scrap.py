"""Scrap on an Odoo: what a manufacturing order has made and is lost, taken out of the stock once."""

from decimal import Decimal

from inventory_sync.connectors import odoo_links as links
from inventory_sync.connectors import odoo_mapping as mapping
from inventory_sync.connectors.odoo_session import Session
from inventory_sync.errors import ErpConflict, ErpRejected
from inventory_sync.models import ErpLink


def scrap(session: Session, shop: str, order: ErpLink, *, external_id: str, quantity: Decimal) -> int:
    """Odoo's id of the scrap of that external id, made and validated if it was not; the look-up comes first.

    Raises ErpRejected for an order that is not done or that has made less, ErpConflict where Odoo asks a person.
    """
    said = session.rpc.call(
        "mrp.production", "read", [order.remote_id],
        fields=["state", "product_id", "product_uom_id", "product_qty", "location_dest_id", "origin", "company_id"],
        context=session.context,
    )  # fmt: skip
    rows = session.own(said)
    fields = {"external_id": order.external_id, "quantity": str(quantity)}
    if not rows:
        raise ErpRejected(f"{order.external_id} is not there any more.", fields=fields)
    made = rows[0]
    state = mapping.ORDER_STATES.get(made["state"], str(made["state"]))
    if state != "done":
        raise ErpRejected(f"{order.external_id} is {state}: it has made nothing.", fields={**fields, "state": state})
    there = links.link_of(shop, external_id)
    if there is None:
        _refuse_more_than_made(session, order, made, quantity)
        columns = ["id", "product_id/.id", "product_uom_id/.id", "scrap_qty", "production_id/.id", "location_id/.id",
                   "origin"]  # fmt: skip
        row = [
            str(mapping.ident(made["product_id"])), str(mapping.ident(made["product_uom_id"])), str(quantity),
            str(order.remote_id), str(mapping.ident(made["location_dest_id"])), str(made["origin"] or ""),
        ]  # fmt: skip
        there, _ = links.make_once(
            session, shop, kind="scrap", model="stock.scrap", external_id=external_id, columns=columns, rows=[row]
        )
    assert there.remote_id is not None
    _validate(session, there.remote_id, fields)
    return there.remote_id


def _refuse_more_than_made(session: Session, order: ErpLink, made: dict[str, object], quantity: Decimal) -> None:
    lost = session.rpc.read(
        "stock.scrap",
        [("production_id", "=", order.remote_id), ("product_id", "=", mapping.ident(made["product_id"]))],
        ["scrap_qty"],
        context=session.context,
    )
    before = sum((mapping.number(row["scrap_qty"]) for row in lost), Decimal(0))
    whole = mapping.number(made["product_qty"])
    if before + quantity > whole:
        raise ErpRejected(
            f"{order.external_id} made {whole:f}, of which {before:f} are scrap: {quantity:f} more can't be.",
            fields={"external_id": order.external_id, "quantity": str(quantity), "state": "done"},
        )


def _validate(session: Session, scrap_id: int, fields: dict[str, str]) -> None:
    """Take it out of the stock, once: a lost answer is looked up before it is asked for again."""
    rows = session.rpc.call("stock.scrap", "read", [scrap_id], fields=["state"], context=session.context)
    if not rows or rows[0]["state"] == "done":
        return  # somebody deleted it there: that is their word
    said = session.rpc.call("stock.scrap", "action_validate", [scrap_id], writes=True, context=session.context)
    if isinstance(said, dict):
        raise ErpConflict(
            "Odoo has too little of what was made to scrap it: has it been delivered? Look at the scrap there.",
            fields=fields,
        )
