"""Orders that are planned and held as the shop does it, without drawing anything: for tests of what is planned."""

from datetime import timedelta
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from generation.domain.pattern import Repeat
from orders import names, planning, promising
from orders.models import Customer, Order, OrderLine
from production import services as production


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
