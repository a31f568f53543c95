"""What is called what, the same for ever: by these names the ERP and whoever follows it know what belongs to what."""

from datetime import date
from zoneinfo import ZoneInfo

from django.utils import timezone

from inventory_sync import services as inventory
from inventory_sync.ports import Erp
from orders.models import Approval, Order, OrderLine, Shop


def sale_id(order: Order) -> str:
    """Return the name by which the ERP knows an order's sale order."""
    return f"weftline:{order.shop.slug}:{order.number}"


def sale_line_id(line: OrderLine) -> str:
    """Return the name by which the ERP knows a line of the sale order."""
    return f"weftline:{line.order.shop.slug}:{line.reference}:sale"


def record_id(line: OrderLine, *, run: int = 0) -> str:
    """Return the name by which the ERP knows a line's manufacturing order; a reprint has one of its own.

    `run`: of an earlier production run; 0: of the one it is in.
    """
    run = run or line.run
    return f"weftline:{line.order.shop.slug}:{line.reference}{f':p{run}' if run > 1 else ''}"


def hold_name(line: OrderLine) -> str:
    """Return the name under which a line's fabric, inks and machine time are held."""
    return f"{line.reference}-p{line.run}" if line.run > 1 else line.reference


def job_name(approval: Approval) -> str:
    """Return the name of an approval's job: its files and its ticket are known by it."""
    return f"{approval.line.reference}-r{approval.number}"


def today(shop: Shop) -> date:
    """Return the day it is at the mill."""
    return timezone.localdate(timezone=ZoneInfo(shop.time_zone))


def erp_of(shop: Shop) -> Erp:
    """Return the ERP of a shop."""
    return inventory.connect(shop.connector, shop=shop.slug)
