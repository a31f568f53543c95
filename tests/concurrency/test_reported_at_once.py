"""Two operators press at the same moment: one counts, the other is told who did; with the lock off both would count."""

import threading
import uuid

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection

from orders import floor, reporting, steps
from orders.domain.floor import OperationState
from orders.errors import ReportRefused
from orders.models import FloorReport
from orders.reporting import NewReport
from tests.racing import at_once
from tests.shop_floor import now, planned

pytestmark = pytest.mark.django_db(transaction=True)


def start(line, name):
    press = NewReport(once=uuid.uuid4(), run=1, operation=0, kind="start")
    return lambda: reporting.report(line, press, by=User.objects.get(username=name))


@pytest.fixture
def line(mill):
    for name in ("ann", "ben"):
        User.objects.create_user(name)
    return planned(mill)


def test_of_two_who_start_at_once_one_does_and_the_other_sees_who(line):
    ends = at_once(start(line, "ann"), start(line, "ben"))
    (report,) = FloorReport.objects.all()
    (lost,) = [end for end in ends if isinstance(end, Exception)]
    # SQLite may also turn the second away while the first writes: nothing is kept of it, and it is sent again.
    assert isinstance(lost, ReportRefused | OperationalError), ends
    if isinstance(lost, ReportRefused):
        assert report.by.username in str(lost)
    assert now(line).state == "in_production"


def test_one_press_that_is_sent_twice_at_once_counts_once(line):
    press = NewReport(once=uuid.uuid4(), run=1, operation=0, kind="start")
    ann = User.objects.get(username="ann")
    at_once(*[lambda: reporting.report(line, press, by=ann)] * 2)
    assert FloorReport.objects.count() == 1


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer: its transactions are in line anyway.")
def test_without_the_lock_both_would_have_started(line, monkeypatch):
    """The negative control, where transactions run beside each other."""
    together, kept = threading.Barrier(2), reporting._fitting

    def fitting(*args):
        found = kept(*args)
        together.wait(30)
        return found

    monkeypatch.setattr(steps, "lock_line", lambda line_id: None)
    monkeypatch.setattr(reporting, "_fitting", fitting)
    at_once(start(line, "ann"), start(line, "ben"))
    assert together.n_waiting == 0
    assert not together.broken, "both were let through"


def test_who_looks_before_the_lock_is_not_alone(line):
    """The negative control on any database: looking is not enough, it has to be done under the lock."""
    looked = threading.Barrier(2)

    def unguarded(name):
        waits = floor.operations(now(line))[0].state is OperationState.WAITING
        looked.wait(30)
        if waits:
            report = {"operation": 0, "name": "Pretreat", "work_centre": "PRET", "kind": "start"}
            by = User.objects.get(username=name)
            FloorReport.objects.create(line=line, run=1, **report, by=by, once=uuid.uuid4())

    at_once(lambda: unguarded("ann"), lambda: unguarded("ben"))
    assert FloorReport.objects.count() == 2
