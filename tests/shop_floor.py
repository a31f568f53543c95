"""Orders in the shop: taken through the line by its own steps or, without drawing anything, only planned and held."""

from datetime import timedelta
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from generation.domain.pattern import Repeat
from orders import names, planning, promising, services, worker
from orders.models import Customer, Order, OrderLine
from production import services as production


def placed(shop, **changes):
    """A line whose designs are there to be chosen from."""
    wish = {
        "words": "checks",
        "quantity_m": Decimal(6),
        "layout": "straight",
        "repeat_mm": (64, 64),
        "substrate": "FAB-COT-SAT",
        "due_in_days": 30,
        **changes,
    }
    order = services.place_and_submit(shop, customer="Atelier Nord", lines=[services.NewLine(**wish)], by=None)
    return work_on(order.lines.get())


def released(shop, **changes):
    """A line that the mill can make, and of which the ERP has the records."""
    line = placed(shop, **changes)
    assert line.state == "proofing", line.blocked
    services.approve(line, services.best(line).position, by=None)
    line = work_on(line)
    assert line.state == "released", line.blocked
    return line


def work_on(line):
    """The line after all its steps that are due."""
    worker.run_until_rest([line])
    return now(line)


def planned(shop, fabric="FAB-COT-SAT", metres=6, *, state="released", due_in_days=30):
    """A line with its times, held in the ERP; the ERP has no record of it."""
    number = Order.objects.count() + 1
    customer = Customer.objects.filter(shop=shop).first() or Customer.objects.create(shop=shop, name="Atelier Nord")
    order = Order.objects.create(shop=shop, customer=customer, number=f"WL-{number:06d}")
    line = OrderLine.objects.create(
        order=order, position=1, reference=f"{order.number}-1", substrate=fabric, quantity_m=Decimal(metres),
        due_date=timezone.localdate() + timedelta(days=due_in_days), state=state,
    )  # fmt: skip
    repeat = Repeat(320, 320)
    spec = production.specify(
        shop.slug, substrate=fabric, quantity_m=line.quantity_m, repeat=repeat, on=names.today(shop)
    )
    held = promising.hold(line, production.outline(spec), fence=1)
    with transaction.atomic():
        OrderLine.objects.filter(pk=line.pk).update(plan=held.plan)
        planning.displace(shop, held.displaced, because=line.reference)
    return now(line)


def now(line):
    """The line as it stands in the tables."""
    return OrderLine.objects.select_related("order__shop", "order__customer").get(pk=line.pk)
