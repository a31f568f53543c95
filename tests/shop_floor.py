"""Orders in the shop: taken through the line by its own steps or, without drawing anything, only planned and held."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import numpy as np
from django.db import transaction
from django.utils import timezone

from generation import storage
from generation.domain.pattern import Layout, Palette, Raster, Repeat
from generation.images import indexed_png
from generation.models import Artwork
from orders import names, planning, promising, services, timetable, worker
from orders.models import Approval, Candidate, Customer, Order, OrderLine, Round
from production import services as production
from production.models import CostSheet, JobTicket
from production.planning.insertion import gaps_of, insert
from production.planning.openings import moment_of
from production.planning.problem import After, Job


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


def on_the_table(line):
    """The line with a design that was approved and the ticket it was made by, though nothing was drawn or written."""
    brief = Round.objects.create(
        line=line, number=1, words="stripes", layout="straight", repeat_width_mm=100, repeat_height_mm=100
    )
    drawn = Candidate.objects.create(
        round=brief, position=1, artwork=stripes(), drawn_at=timezone.now(), checked_at=timezone.now(), passed=True,
        price=Decimal(200), price_per_m=Decimal(30), currency="EUR", promise=timezone.now(),
    )  # fmt: skip
    Approval.objects.create(line=line, candidate=drawn, number=1, specification={"quantity_m": "6"}, sha256="0" * 64)
    said = {"machine": {"code": "PRT1"}, "inks": {"set": "RE-CMYK"}, "article": line.substrate}
    ticket = JobTicket.objects.create(
        shop="demo", reference=line.reference, revision=1, released_at=timezone.now(), manifest=said
    )
    CostSheet.objects.create(ticket=ticket, currency="EUR", total=150, price=200, price_per_m=30, lines={})
    return now(line)


def stripes() -> Artwork:
    """A stored artwork that took no model to draw."""
    indices = np.repeat(np.arange(64, dtype=np.uint8)[:, None] // 8 % 2, 64, axis=1)
    repeat = Repeat(width_mm=100, height_mm=100, layout=Layout.STRAIGHT)
    raster = Raster(indices=indices, palette=Palette(("#ffffff", "#203040")), repeat=repeat, seed=1)
    sha256, place = storage.put(indexed_png(raster))
    return Artwork.objects.create(
        sha256=sha256, key=sha256, path=place, width_px=64, height_px=64, repeat_width_mm=100, repeat_height_mm=100,
        layout="straight", palette=list(raster.palette.colours), words="stripes", generator="test", fingerprint="test",
        seed=1,
    )  # fmt: skip


def now(line):
    """The line as it stands in the tables."""
    return OrderLine.objects.select_related("order__shop", "order__customer").get(pk=line.pk)


def filled(shop, bars=2000, fabrics=("FAB-COT-SAT", "FAB-COT-POP", "FAB-LIN-NAT"), customers=12):
    """A shop with so many planned operations, quickly: they stand feasibly, and nothing is held for them in the ERP."""
    schedule = timetable.schedule_of(shop)
    problem = schedule.problem
    gaps, made, number = gaps_of(problem, schedule.assignments), 0, Order.objects.count()
    people = [Customer.objects.get_or_create(shop=shop, name=f"Customer {each + 1}")[0] for each in range(customers)]
    routes = {}
    orders, lines = [], []
    while made < bars:
        number += 1
        fabric, metres = fabrics[number % len(fabrics)], Decimal(3 + number * 7 % 40)
        if (fabric, metres) not in routes:
            spec = production.specify(
                shop.slug, substrate=fabric, quantity_m=metres, repeat=Repeat(320, 320), on=names.today(shop)
            )
            routes[fabric, metres] = production.outline(spec).route
        route = routes[fabric, metres]
        order = Order(shop=shop, customer=people[number % customers], number=f"WL-{number:06d}")
        line = OrderLine(
            order=order, position=1, reference=f"{order.number}-1", substrate=fabric, quantity_m=metres,
            due_date=timezone.localdate() + timedelta(days=10 + number % 50), state="released",
        )  # fmt: skip
        job = Job(line.reference)
        operations = [
            replace(each, id=f"{line.reference}/{at + 1}", job=job.id,
                    after=tuple(After(f"{line.reference}/{at}", one.gap_min) for one in each.after))
            for at, each in enumerate(promising.operations_of(route, problem))
        ]  # fmt: skip
        found = insert(gaps, operations, job=job)
        gaps = found.gaps
        orders.append(order)
        lines.append((line, route, operations))
        made += len(operations)
    placed = {one.operation: one for row in gaps.rows.values() for block in row.blocks for one in block.assignments}
    for line, route, operations in lines:
        slots = []
        for step, operation in zip(route, operations, strict=True):
            one = placed[operation.id]
            changeover = one.start - one.changeover
            slots.append(
                {
                    "name": step.name, "work_centre": one.machine, "start": moment_of(one.changeover).isoformat(),
                    "run_start": moment_of(one.start).isoformat(), "end": moment_of(one.end).isoformat(),
                    "minutes": operation.minutes[one.machine] + changeover, "changeover_min": changeover,
                    "machines": dict(operation.minutes), "splittable": step.splittable, "gap_min": step.gap_min,
                    "attributes": dict(step.attributes),
                }
            )  # fmt: skip
        line.plan = {"lot": "", "materials": [], "slots": slots, "promise": slots[-1]["end"], "binding": ""}
    Order.objects.bulk_create(orders)
    OrderLine.objects.bulk_create([line for line, _, _ in lines])
    return made
