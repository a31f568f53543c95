"""Two inspectors decide on a cloth at the same moment: one counts, the other is told who did."""

import threading
import uuid
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError, connection

from orders import flow, inspecting, steps
from orders.errors import InspectionOver
from orders.inspecting import Wish
from orders.models import AuditEvent, FloorReport
from production.models import Inspection
from tests.quick_inspector import QuickInspector, cloth
from tests.racing import at_once
from tests.shop_floor import now, on_the_table, planned

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def line(mill, settings, monkeypatch):
    """A line whose cloth was looked at and waits for a decision."""
    settings.WEFTLINE = {**settings.WEFTLINE, "inspector": "tests.quick_inspector.QuickInspector"}
    monkeypatch.setattr(QuickInspector, "sees", cloth(("stain", 300.0, 1200.0, 90.0, 400.0)))
    for name in ("ann", "ben"):
        User.objects.create_user(name)
    line = on_the_table(planned(mill, state="inspecting"))
    scans = [SimpleUploadedFile("head.tif", b"a scan")]
    inspecting.begin(line, scans, by=User.objects.get(username="ann"), once=uuid.uuid4())
    assert flow.run_step(line.steps.get(kind="inspect").pk)
    assert Inspection.objects.get().state == "measured"
    return line


def decide(line, name, decision):
    wish = Wish(decision=decision, why=f"as {name} says", good_m=Decimal(6) if decision == "pass" else None)
    inspection = Inspection.objects.get()
    return lambda: inspecting.decide(now(line), inspection, wish, by=User.objects.get(username=name))


def test_of_two_decisions_at_once_one_counts_and_the_other_is_told(line):
    ends = at_once(decide(line, "ann", "pass"), decide(line, "ben", "reprint"))
    (lost,) = [end for end in ends if isinstance(end, Exception)]
    # SQLite may also turn the second away while the first writes: nothing is kept of it, and it is sent again.
    assert isinstance(lost, InspectionOver | OperationalError), ends
    decided = Inspection.objects.get()
    assert AuditEvent.objects.filter(action="inspected").count() == 1
    assert FloorReport.objects.filter(kind="finish").count() == 1
    assert now(line).run == (2 if decided.decision == "reprint" else 1)
    if isinstance(lost, InspectionOver):
        assert decided.decided_by in str(lost)


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer: its transactions are in line anyway.")
def test_without_the_lock_both_would_have_been_let_through(line, monkeypatch):
    """The negative control, where transactions run beside each other: the compare-and-set alone still lets one in."""
    together, kept = threading.Barrier(2), inspecting._fitting

    def fitting(*args):
        found = kept(*args)
        together.wait(30)
        return found

    monkeypatch.setattr(steps, "lock_line", lambda line_id: None)
    monkeypatch.setattr(inspecting, "_fitting", fitting)
    ends = at_once(decide(line, "ann", "pass"), decide(line, "ben", "reprint"))
    assert not together.broken, "both were let through the first look"
    assert sum(isinstance(end, Exception) for end in ends) == 1
    assert AuditEvent.objects.filter(action="inspected").count() == 1
