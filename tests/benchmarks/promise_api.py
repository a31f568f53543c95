"""How long a promise takes over the API in a busy shop: `python -m tests.benchmarks.promise_api`.

A shop of its own with 1000 operations planned and held, six of each order. Every answer is put into the plan and judged
by the validator.
"""

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

OPERATIONS = 1000
REQUESTS = 200
FABRICS = ("FAB-COT-SAT", "FAB-COT-POP", "FAB-LIN-NAT")


def figures() -> list[tuple[str, str]]:
    """Return (what, figure) for each, measured in an installation of its own."""
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "WEFTLINE_VAR": folder, "DJANGO_SETTINGS_MODULE": "orders.settings"}
        env.pop("DATABASE_URL", None)
        root = Path(__file__).resolve().parents[2]
        said = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.promise_api", "--here"],
            cwd=root, env=env, check=True, stdout=subprocess.PIPE, text=True,
        ).stdout  # fmt: skip
    return [(what, figure) for what, figure in json.loads(said.splitlines()[-1])]


def measure() -> list[tuple[str, str]]:
    """Fill the shop of this installation and ask it."""
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.test import Client

    from orders.models import Membership, Role, Shop
    from orders.seeding import DEMO_FACTORY, seed

    call_command("migrate", verbosity=0)
    seed(DEMO_FACTORY, slug="demo", name="Demo mill")
    shop = Shop.objects.get()
    chance = random.Random(7)
    planned, held_s = fill(shop, chance)
    client = Client(headers={"Host": "localhost"})
    user = User.objects.create_user("bench")
    Membership.objects.create(shop=shop, user=user, role=Role.PLANNER)
    client.force_login(user)
    times, wrong = [], 0
    for _ in range(REQUESTS):
        wish = {"substrate": chance.choice(FABRICS), "quantity_m": str(chance.randint(3, 60))}
        began = time.perf_counter()
        answer = client.post("/api/promise/", wish, content_type="application/json")
        times.append((time.perf_counter() - began) * 1000)
        assert answer.status_code == 200, answer.content
        wrong += not is_feasible(shop, wish, answer.json())
    p95 = statistics.quantiles(times, n=20)[-1]
    return [
        (
            f"promise over the API, {planned} operations planned",
            f"median {statistics.median(times):.0f} ms, p95 {p95:.0f} ms",
        ),
        ("  answers that the validator objects to", f"{wrong} of {REQUESTS}"),
        ("  planning and holding one more order there", f"median {statistics.median(held_s) * 1000:.0f} ms"),
    ]


def fill(shop, chance) -> tuple[int, list[float]]:
    """Plan and hold orders until there are OPERATIONS; returns how many there are, and how long each order took."""
    from django.utils import timezone

    from generation.domain.pattern import Repeat
    from inventory_sync.models import LedgerLot
    from orders import names, promising
    from orders.models import Customer, Order, OrderLine
    from production import services as production

    LedgerLot.objects.update(on_hand=100_000)
    customer, count, took = Customer.objects.first(), 0, []
    number = 0
    while count < OPERATIONS:
        number += 1
        order = Order.objects.create(shop=shop, customer=customer, number=f"WL-{number:06d}")
        fabric, metres = chance.choice(FABRICS), Decimal(chance.randint(3, 60))
        line = OrderLine.objects.create(
            order=order, position=1, reference=f"{order.number}-1", substrate=fabric, quantity_m=metres,
            due_date=timezone.localdate() + timedelta(days=60), state="released",
        )  # fmt: skip
        spec = production.specify(
            shop.slug, substrate=fabric, quantity_m=metres, repeat=Repeat(320, 320), on=names.today(shop)
        )
        began = time.perf_counter()
        held = promising.hold(line, production.outline(spec), fence=1)
        took.append(time.perf_counter() - began)
        line.plan = held.plan
        line.save(update_fields=["plan"])
        move(shop, held.displaced)
        count += len(held.plan["slots"])
    return count, took


def move(shop, displaced) -> None:
    from django.db import transaction

    from orders import planning

    with transaction.atomic():
        planning.displace(shop, displaced, because="bench")


def is_feasible(shop, wish, answer) -> bool:
    """Whether the answer fits into the plan that holds, by the validator."""
    from generation.domain.pattern import Repeat
    from inventory_sync import services as inventory
    from orders import names, promising, timetable
    from production import services as production
    from production.planning.insertion import gaps_of, insert, inserted, with_job
    from production.planning.openings import moment_of
    from production.planning.problem import Job
    from production.planning.validate import faults

    schedule = timetable.schedule_of(shop)
    spec = production.specify(
        shop.slug, substrate=wish["substrate"], quantity_m=Decimal(wish["quantity_m"]), repeat=Repeat(320, 320),
        on=names.today(shop),
    )  # fmt: skip
    design = promising.designing(inventory.work_centres_of(names.erp_of(shop)).values())
    operations = promising.operations_of([*design, *production.outline(spec).route], schedule.problem)
    job = Job(promising.NEW)
    found = insert(gaps_of(schedule.problem, schedule.assignments), operations, job=job)
    problem = with_job(schedule.problem, job, operations)
    said = [(step["work_centre"], step["end"]) for step in answer["steps"]]
    same = said == [(one.machine, moment_of(one.end).isoformat()) for one in found.assignments]
    return same and not faults(problem, inserted(schedule.problem, schedule.assignments, found))


if __name__ == "__main__":
    if "--here" in sys.argv:
        import django

        django.setup()
        print(json.dumps(measure()))
    else:
        for what, figure in figures():
            print(f"{what:<58} {figure}")
