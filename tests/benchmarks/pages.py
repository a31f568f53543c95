"""What the server takes for each page of a busy shop: tests/benchmarks/faces.py runs it in its own installation."""

import contextlib
import json
import random
import statistics
import sys
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orders import linking, planning, wsgi
from orders.models import Candidate, Membership, Order, OrderLine, PlanRun, Role, Shop
from orders.turning import Limits
from orders.web.dashboard import PANELS
from production.planning.plan import Plan, figures_of
from tests.benchmarks import busy_shop
from tests.security import test_who_may_do_what as table

TIMES = 20  # each, with other lines and words each time
WANTED_MS = 200
STATES = ("done", "released", "proofing", "in_production")
JSON = "application/json"
PART = {"HX-Request": "true"}
# A brand's space and a picture that was sent before are not there. Documents and downloads are waited for.
LEFT_OUT = (
    "/studio/spaces/{space}/", "/studio/spaces/{space}/look.png", "/new/picture/{picture}/",
    "/studio/{line}/{candidate}/provenance.pdf", "/studio/learned/decisions.jsonl",
    "/lines/{line}/inspection/{inspection}/report.pdf", "/lines/{line}/inspection/{inspection}/pictures/scan-0000.jpg",
)  # fmt: skip


@dataclass(frozen=True)
class Ask:
    """One address that browsers ask for, with {names} of rows in it."""

    address: str
    states: tuple[str, ...] = STATES  # of the lines that are asked about
    body: Mapping[str, str] | None = None  # a form that is sent, and asks only
    sends: str = ""  # JSON that is sent, and asks only
    headers: Mapping[str, str] = field(default_factory=dict)


ORDER = {
    "customer": "Atelier Nord", "cloth": "substrate:FAB-COT-SAT", "words": "{word}", "layout": "half_drop",
    "repeat_width": "320", "repeat_height": "320", "size_unit": "mm", "quantity": "{metres}", "quantity_unit": "m",
    "due_date": "{due}", "breaks": "10 25 50", "scale": "1", "density": "1",
}  # fmt: skip
# What needs more than its address, and what stands in no table because it is a part of a page.
MORE = (
    Ask("/?q={word}", headers=PART),
    Ask("/?q=WL-00{page}", headers=PART),
    Ask("/?state=late", headers=PART),
    Ask("/?page={page}", headers=PART),
    Ask("/new/inquiry/", body=ORDER, headers=PART),
    Ask("/new/customers/?customer=Ate", headers=PART),
    Ask("/new/cloth/?cloth=substrate:FAB-COT-SAT", headers=PART),
    Ask("/lines/{line}/state/", headers=PART),
    Ask("/lines/{line}/designs/{candidate}/", headers=PART),
    Ask("/lines/{line}/designs/{candidate}/?choose=1", headers=PART),
    Ask("/lines/{line}/compare/?a={candidate}&b={other}"),
    Ask("/studio/?show=all&page=3", headers=PART),
    Ask("/studio/{line}/{candidate}/coloured.png?c=f1eee7-2b3a4a-a3322a"),
    Ask("/board/?view=table"),
    Ask("/board/able/", sends='{{"operation": "{operation}"}}'),
    Ask("/board/why/", sends='{{"operation": "{operation}", "steps": []}}'),
    *(Ask(f"/dashboard/{name}/", headers=PART) for name in PANELS),
    Ask("/floor/"),
    Ask("/floor/?machine={machine}"),
    Ask("/floor/{ticket}/", states=("released", "in_production", "done")),
    Ask("/floor/{ticket}/work/", states=("released", "in_production", "done"), headers=PART),
    Ask("/lines/{line}/inspection/{inspection}/look/", states=("done",), headers=PART),
    Ask("/lines/{line}/inspection/{inspection}/foresee/?reprint_m=4", states=("done",), headers=PART),
    Ask("/c/{token}/", states=("proofing",)),
    Ask("/c/{token}/progress/", states=("proofing",), headers=PART),
    Ask("/c/{token}/pictures/{candidate}/", states=("proofing",)),
    Ask("/api/lines/"),
    Ask("/api/lines/{line}/"),
    Ask("/api/candidates/{candidate}/preview/"),
    Ask("/api/candidates/{candidate}/preview/?size=1024&repeats=1"),
)


def asks() -> list[Ask]:
    """Every page that there is, then every part; a page without an example fails when it is asked for."""
    known = {each.address.partition("?")[0] for each in MORE if not each.headers}
    pages = [address for address, methods in table.PAGES.items() if "get" in methods]
    pages = [each for each in pages if each not in known and each not in LEFT_OUT]
    return [*(Ask(each, ("done",) if "{inspection}" in each else STATES) for each in pages), *MORE]


def main() -> None:
    """Fill the shop of this installation, ask for each of its pages, and print the figures as JSON."""
    shop = Shop.objects.get()
    user = User.objects.filter(username="bench").first() or User.objects.create_superuser("bench")
    Membership.objects.get_or_create(shop=shop, user=user, role=Role.ADMIN)
    if Order.objects.count() < busy_shop.ORDERS:
        began = time.perf_counter()
        print(busy_shop.fill(shop), f"in {time.perf_counter() - began:.0f} s", file=sys.stderr)
        _planned_anew(shop, user)
    assert callable(wsgi.application)  # loaded as the server loads it
    client = Client(headers={"Host": "localhost"})
    client.force_login(user)
    names, every, slow, said = _Names(shop), [], [], []
    for ask in asks():
        took, busy, queries = _asked(client, ask, names)
        every += took
        p95, busy_p95 = (statistics.quantiles(each, n=20)[-1] for each in (took, busy))
        slow += [ask.address] if p95 > WANTED_MS else []
        figure = f"median {statistics.median(took):.0f} ms, p95 {p95:.0f} ms, {queries} queries"
        said.append((f"  {ask.address}{' (part)' if ask.headers else ''}", figure))
        of_them = f"of them busy: median {statistics.median(busy):.0f} ms, p95 {busy_p95:.0f} ms"
        print(*said[-1], of_them, file=sys.stderr, flush=True)
    p95 = statistics.quantiles(every, n=20)[-1]
    worst = f"{len(slow)} of {len(said)} addresses slower than {WANTED_MS} ms"
    figure = f"p95 {p95:.0f} ms (wanted {WANTED_MS}); {worst}"
    said.insert(0, (f"any page or part of one, {Order.objects.count()} orders", figure))
    print(json.dumps(said))


def _asked(client: Client, ask: Ask, names: "_Names") -> tuple[list[float], list[float], int]:
    """How long each answer took, and kept this processor busy, in ms, and how many queries it made.

    The first one's time does not count: it makes what is kept in memory from then on.
    """
    took, busy, queries = [], [], 0
    for number in range(TIMES + 1):
        values = names.of(ask.states)
        address, send = ask.address.format(**values), client.get
        options: dict[str, Any] = {"headers": dict(ask.headers)}
        if ask.sends:
            send, options = client.post, {**options, "data": ask.sends.format(**values), "content_type": JSON}
        elif ask.body is not None:
            send, options = client.post, {**options, "data": {k: v.format(**values) for k, v in ask.body.items()}}
        counted = contextlib.nullcontext() if number else CaptureQueriesContext(connection)  # counting takes its time
        with counted as caught:
            began, worked = time.perf_counter(), time.process_time()
            answer = send(address, **options)
            answer.getvalue()
            ms, busy_ms = (time.perf_counter() - began) * 1000, (time.process_time() - worked) * 1000
        assert answer.status_code in {200, 204, 302, 304}, (address, answer.status_code)
        if number:
            took.append(ms)
            busy.append(busy_ms)
        else:
            queries = len(caught)
    return took, busy, queries


class _Names:
    """Names of rows that are there, others each time."""

    def __init__(self, shop: Shop) -> None:
        self.shop, self.chance = shop, random.Random(3)
        lines = OrderLine.objects.filter(order__shop=shop)
        self.lines = {state: list(lines.filter(state=state).values_list("pk", flat=True)) for state in STATES}
        self.tokens: dict[int, str] = {}
        self.runs = list(PlanRun.objects.values_list("pk", flat=True))

    def of(self, states: tuple[str, ...]) -> dict[str, Any]:
        pk = self.chance.choice(self.lines[self.chance.choice(states)])
        line = OrderLine.objects.select_related("order__shop").get(pk=pk)
        designs = list(Candidate.objects.filter(round__line=line).values_list("pk", flat=True))
        ahead = OrderLine.objects.get(pk=self.chance.choice(self.lines["released"]))
        if states == ("proofing",) and pk not in self.tokens:
            self.tokens[pk] = linking.make(line, limits=Limits(), once=uuid.uuid4(), by=None)[1]
        return {
            "line": line.reference,
            "order": line.order.number,
            "ticket": f"{line.reference}-R1",
            "token": self.tokens.get(pk, ""),
            "candidate": designs[0],
            "other": designs[-1],
            "word": self.chance.choice(busy_shop.WORDS).split()[-1],
            "metres": self.chance.randint(3, 60),
            "due": (timezone.localdate() + timedelta(days=30)).isoformat(),
            "page": self.chance.randint(1, 300),
            "plan": 1,
            "inspection": 1,
            "run": self.chance.choice(self.runs),
            "operation": f"{ahead.reference}/{self.chance.randint(1, 3)}",
            "machine": ahead.plan["slots"][1]["work_centre"] if ahead.plan else "",
        }


def _planned_anew(shop: Shop, by: User) -> None:
    """A version of the plan, and a hundred runs that were asked for."""
    schedule = planning.to_plan(shop)
    plan = Plan(schedule.assignments, figures_of(schedule.problem, schedule.assignments), by="hand")
    version = planning.keep(shop, schedule, plan, reason="Moved by hand", by="bench")
    for _ in range(100):
        PlanRun.objects.create(
            shop=shop,
            kind="plan",
            asked={},
            by=by,
            state="done",
            ended_at=timezone.now(),
            result={"plan": version.number},
        )
