"""Sale orders in Odoo: one for each order of ours, with a line for each of its lines."""

from decimal import Decimal
from html import escape
from typing import Any

from inventory_sync.connectors import odoo_links as links
from inventory_sync.connectors import odoo_mapping as mapping
from inventory_sync.connectors.asked import quantity_of
from inventory_sync.connectors.odoo_session import Session
from inventory_sync.errors import ErpRejected
from inventory_sync.models import ErpLink
from inventory_sync.ports import SALE_ORDER, SaleOrder

CUSTOMER = "customer"


def write(session: Session, shop: str, external_id: str, values: SaleOrder) -> tuple[int, str]:
    """Make the sale order or bring its lines to these values; returns its id and state.

    Raises ErpRejected for a currency that Odoo does not sell in here, and for an order that is cancelled or deleted.
    """
    for line in values.lines:
        if line.quantity != 0:
            quantity_of(line.quantity, line.product)
        if not line.unit_price.is_finite() or line.unit_price < 0:
            raise ErpRejected(
                f"{line.unit_price} is no price of {line.product}: write one of 0 or more.",
                fields={"sku": line.product, "unit_price": str(line.unit_price)},
            )
    link = links.link_of(shop, external_id)
    if link is None:
        head = {"partner_id/.id": str(_customer(session, shop, values.customer)), "client_order_ref": values.number}
        if values.note:
            head["note"] = escape(values.note)
        if pricelist := _pricelist(session, values.currency):
            head["pricelist_id/.id"] = str(pricelist)
        columns, rows = _table(session, values, head)
        link, made = links.make_once(
            session, shop, kind=SALE_ORDER, model="sale.order", external_id=external_id, columns=columns, rows=rows
        )
        _remember(link, values)
        if made:
            return _id(link), "draft"
    row = read(session, link)
    state = mapping.SALE_STATES.get(row["state"], row["state"])
    if state == "cancel":
        raise ErpRejected(
            f"{row['name']} is cancelled in Odoo and can't be changed any more.",
            fields={"external_id": external_id, "state": state},
        )
    columns, rows = _table(session, values, {})
    first, *more = rows
    named = [[links.name_of(session, external_id), *first], *(["", *row] for row in more)]
    links.load(session, "sale.order", columns, named)
    _remember(link, values)
    return _id(link), state


def read(session: Session, link: ErpLink) -> dict[str, Any]:
    """How a sale order stands. Raises ErpRejected where it was deleted."""
    rows = (
        session.rpc.call("sale.order", "read", [_id(link)], fields=fields_of(session), context=session.context)
        if _id(link)
        else []
    )
    if not rows:
        raise ErpRejected(
            f"The sale order of {link.external_id} was deleted in Odoo: a person has to decide.",
            fields={"external_id": link.external_id, "state": "deleted"},
        )
    return dict(session.own(rows)[0])


def fields_of(session: Session) -> list[str]:
    """What is read of a sale order."""
    reference = "stock_reference_ids" if session.names.references else "procurement_group_id"
    return ["name", "state", "commitment_date", "order_line", "company_id", reference]


def quantities(session: Session, link: ErpLink, line_ids: list[int]) -> dict[str, Decimal]:
    """Our lines of a sale order with what is ordered of each there; a line that was deleted there is left out."""
    ours = {links.name_of(session, each): each for each in link.parts.get("lines", [])}
    rows = session.rpc.call("sale.order.line", "read", line_ids, fields=["product_uom_qty"], context=session.context)
    names = session.rpc.call("sale.order.line", "get_external_id", line_ids, context=session.context)
    found = {}
    for row in rows:
        if (line := ours.get(names.get(str(row["id"]), ""))) is not None:
            found[line] = mapping.number(row["product_uom_qty"])
    return found


def _customer(session: Session, shop: str, name: str) -> int:
    """The customer's contact: one of exactly that name, or a new one, made once."""
    external_id = f"{CUSTOMER}:{name}"[:160]
    if (link := links.link_of(shop, external_id)) is not None:
        return _id(link)
    there = session.rpc.read(
        "res.partner", [("name", "=", name), ("parent_id", "=", False)], ["name"], limit=1, order="id",
        context=session.context,
    )  # fmt: skip
    if there:
        return int(there[0]["id"])
    try:
        link, _ = links.make_once(
            session, shop, kind=CUSTOMER, model="res.partner", external_id=external_id, columns=["id", "name"],
            rows=[[name]],
        )  # fmt: skip
    except ErpRejected as refusal:
        raise ErpRejected(
            f"Odoo has no customer named {name}, and the connection's user may not add one: add the contact there, "
            f"or give the user the group “Contact Creation”. ({refusal})",
            fields={"customer": name},
        ) from refusal
    return _id(link)


def _pricelist(session: Session, currency: str) -> int | None:
    """A pricelist in the order's currency; None where Odoo's own currency is that one."""
    own = mapping.label(session.company["currency_id"])
    if currency == own:
        return None
    if "pricelists" not in session.kept:
        mine = [("company_id", "in", [session.company["id"], False])]
        session.kept["pricelists"] = session.rpc.read("product.pricelist", mine, ["currency_id"])
    for row in session.kept["pricelists"]:
        if mapping.label(row["currency_id"]) == currency:
            return int(row["id"])
    raise ErpRejected(
        f"The shop sells in {currency}, Odoo in {own}: make a pricelist in {currency} there, or set the shop to {own}.",
        fields={"field": "currency", "value": currency, "limit": own},
    )


def _table(session: Session, values: SaleOrder, head: dict[str, str]) -> tuple[list[str], list[list[str]]]:
    """(columns, rows) to load, the order's own cells on the first row; the first column is the id of the order."""
    head = {**head, "commitment_date": mapping.said(values.promise) if values.promise else ""}
    unit = session.names.sale_line_unit
    fields = ("id", "product_id/.id", "name", "product_uom_qty", "price_unit", f"{unit}/.id")
    columns = ["id", *head, *(f"order_line/{field}" for field in fields)]
    products = session.products(line.product for line in values.lines)
    rows = []
    for position, line in enumerate(values.lines):
        product = products[line.product]
        cells = [
            links.name_of(session, line.external_id), str(product.id), line.description, str(line.quantity),
            str(line.unit_price), str(product.unit_id),
        ]  # fmt: skip
        rows.append([*(head.values() if position == 0 else [""] * len(head)), *cells])
    return columns, rows


def _remember(link: ErpLink, values: SaleOrder) -> None:
    known = link.parts.get("lines", [])
    lines = list(dict.fromkeys([*known, *(line.external_id for line in values.lines)]))
    if lines != known:
        link.parts = {**link.parts, "lines": lines}
        ErpLink.objects.filter(pk=link.pk).update(parts=link.parts)


def _id(link: ErpLink) -> int:
    assert link.remote_id is not None
    return link.remote_id
