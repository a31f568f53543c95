"""A worker killed, or frozen past its lease, at every step of the flow in turn: the line goes on, nothing is twice."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STEPS = ("draw", "check", "quote", "plan", "release", "sync")
BEFORE_APPROVAL = ("draw", "check", "quote")
LEASE_S = 1
ORDER = {
    "customer": "Atelier Nord",
    "lines": [
        {
            "substrate": "FAB-COT-SAT",
            "quantity_m": 6,
            "words": "small blue flowers",
            "palette": "nordic",
            "layout": "half_drop",
            "repeat_mm": [64, 64],
            "due_in_days": 30,
        }
    ],
}
COUNT = """
from generation.models import Artwork
from inventory_sync.models import LedgerAttachment, LedgerNote, LedgerOrder, LedgerSale, LedgerSaleLine
from orders.models import AuditEvent, Candidate, OrderLine
from production.models import JobTicket
import json
line = OrderLine.objects.get()
print(json.dumps({
    "state": line.state, "blocked": line.blocked,
    "candidates": Candidate.objects.count(), "artworks": Artwork.objects.count(),
    "tickets": JobTicket.objects.count(), "manufacturing_orders": LedgerOrder.objects.count(),
    "sales": [LedgerSale.objects.count(), LedgerSaleLine.objects.count()], "notes": LedgerNote.objects.count(),
    "attachments": LedgerAttachment.objects.count(),
    "passages": list(AuditEvent.objects.filter(line=line).values_list("action", flat=True)),
}))
"""

# Checks instead of a model's drawings, for what is not about the drawing itself.
QUICK = """
from orders.models import Round
Round.objects.update(generator="quick")
"""
PLACE = """
from django.core.management import call_command
call_command("place_order", {!r}, "--json")
"""
RUN = """
from orders import worker
from orders.models import OrderLine
worker.run_until_rest([OrderLine.objects.get(reference={!r})])
"""
APPROVE = """
from orders import services
from orders.models import OrderLine
line = OrderLine.objects.get()
services.approve(line, services.best(line).position, by=None)
"""
REVISE = """
from orders import services
from orders.models import OrderLine
services.revise(OrderLine.objects.get(), by=None, words="bold red stripes")
"""


class Mill:
    """An installation of its own in a folder, worked by processes that can be killed."""

    def __init__(self, folder: Path):
        self.folder, self.hand = folder, None
        self.env = {
            **os.environ,
            "WEFTLINE_VAR": str(folder),
            "DATABASE_URL": f"sqlite:///{folder / 'weftline.sqlite3'}",
            "CANDIDATES": "1",
            "STEP_LEASE_S": str(LEASE_S),
            "PYTHONPATH": str(ROOT),
            "LOG_LEVEL": "CRITICAL",
        }

    def manage(self, *words: str) -> None:
        command = [sys.executable, "manage.py", *words]
        done = subprocess.run(command, cwd=ROOT, env=self.env, capture_output=True, text=True, timeout=240)
        assert done.returncode == 0, done.stdout + done.stderr

    def tell(self, code: str) -> str:
        """What the mill's hand prints when it runs this."""
        if self.hand is None:
            command = [sys.executable, "-m", "tests.faults.hand"]
            self.hand = subprocess.Popen(
                command, cwd=ROOT, env=self.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        self.hand.stdin.write(json.dumps(code) + "\n")
        self.hand.stdin.flush()
        said = self.hand.stdout.readline()
        assert said, "the mill's hand has ended: its error stands above"
        return json.loads(said)

    def close(self) -> None:
        if self.hand:
            self.hand.communicate(timeout=60)

    def place(self) -> str:
        """Place the order; returns the line's reference."""
        order = self.folder / "order.json"
        order.write_text(json.dumps(ORDER), encoding="utf-8")
        return json.loads(self.tell(PLACE.format(str(order))))["lines"][0]["reference"]

    def start(self, mode: str, kind: str, reference: str) -> subprocess.Popen:
        """Start a driver and wait until it has stopped at its place."""
        command = [sys.executable, "-m", "tests.faults.driver", mode, kind, reference]
        driver = subprocess.Popen(command, cwd=ROOT, env=self.env, stdout=subprocess.PIPE, text=True)
        with driver.stdout:
            said = driver.stdout.readline()
        assert said.startswith("stopped"), "the driver ended before it reached its place"
        return driver

    def run(self, reference: str) -> None:
        """Let an ordinary worker bring the line to rest."""
        self.tell(RUN.format(reference))

    def approve(self) -> None:
        """Say yes, as a person would."""
        self.tell(APPROVE)

    def count(self) -> dict:
        return json.loads(self.tell(COUNT))


@pytest.fixture(scope="module")
def seeded(tmp_path_factory):
    """A migrated and seeded installation, made once and copied for each test."""
    folder = tmp_path_factory.mktemp("seeded")
    mill = Mill(folder)
    mill.manage("migrate", "--verbosity", "0")
    mill.manage("seed")
    return folder


@pytest.fixture
def mill(seeded, tmp_path):
    folder = tmp_path / "var"
    shutil.copytree(seeded, folder)
    mill = Mill(folder)
    yield mill
    mill.close()


def bring_to(mill: Mill, kind: str) -> str:
    """Place the order and, for a step behind the approval, bring it there; only the step draw needs the model."""
    reference = mill.place()
    if kind != "draw":
        mill.tell(QUICK)
    if kind not in BEFORE_APPROVAL:
        mill.run(reference)
        mill.approve()
    return reference


def finish(mill: Mill, kind: str, reference: str) -> dict:
    mill.run(reference)
    if kind in BEFORE_APPROVAL:
        mill.approve()
        mill.run(reference)
    return mill.count()


def assert_once(counted: dict) -> None:
    assert counted["state"] == "released", counted["blocked"]
    assert counted["candidates"] == counted["artworks"] == 1
    assert counted["tickets"] == 1
    assert counted["manufacturing_orders"] == 1
    assert counted["sales"] == [1, 1]
    assert counted["notes"] == 1
    assert counted["attachments"] == 4  # ticket, costing and preview, and the print file as a link
    assert counted["passages"] == ["place", "submit", "ok", "approve", "ok", "ok", "ok"]


@pytest.mark.parametrize("kind", STEPS)
def test_a_worker_killed_before_it_commits_a_step_is_followed_by_another_and_nothing_is_twice(mill, kind):
    reference = bring_to(mill, kind)
    driver = mill.start("hang", kind, reference)
    driver.send_signal(signal.SIGKILL)
    driver.wait(10)
    assert_once(finish(mill, kind, reference))


@pytest.mark.parametrize("kind", STEPS)
def test_a_worker_frozen_past_its_lease_commits_nothing_when_it_is_woken(mill, kind):
    reference = bring_to(mill, kind)
    driver = mill.start("freeze", kind, reference)
    time.sleep(LEASE_S * 1.5)
    counted = finish(mill, kind, reference)
    driver.send_signal(signal.SIGCONT)
    assert driver.wait(60) == 0
    assert mill.count() == counted
    assert_once(counted)


def two_candidates(mill: Mill) -> str:
    mill.env["CANDIDATES"] = "2"
    reference = mill.place()
    mill.tell(QUICK)
    return reference


def assert_two(counted: dict) -> None:
    assert counted["state"] == "proofing", counted["blocked"]
    assert counted["candidates"] == counted["artworks"] == 2


def test_a_worker_killed_between_two_candidates_is_followed_by_one_that_draws_what_is_missing(mill):
    reference = two_candidates(mill)
    driver = mill.start("hang", "draw/kept", reference)
    assert mill.count()["candidates"] == 1, "the first is there before the second is begun"
    driver.send_signal(signal.SIGKILL)
    driver.wait(10)
    mill.run(reference)
    assert_two(mill.count())


def test_a_worker_frozen_between_drawing_and_keeping_adds_no_candidate_when_it_is_woken(mill):
    reference = two_candidates(mill)
    driver = mill.start("freeze", "draw/keep", reference)
    time.sleep(LEASE_S * 1.5)
    mill.run(reference)
    counted = mill.count()
    assert_two(counted)
    driver.send_signal(signal.SIGCONT)
    assert driver.wait(60) == 0
    assert mill.count() == counted


def test_with_the_fence_off_the_woken_worker_keeps_a_candidate_it_should_not(mill):
    """The negative control: it drew for a round that has gone on without it, and adds to the round that is newest."""
    reference = two_candidates(mill)
    driver = mill.start("freeze-unfenced", "draw/keep", reference)
    time.sleep(LEASE_S * 1.5)
    mill.run(reference)
    mill.tell(REVISE)
    mill.run(reference)
    assert mill.count()["candidates"] == 4
    driver.send_signal(signal.SIGCONT)
    assert driver.wait(60) == 0
    assert mill.count()["candidates"] > 4


def test_with_the_fence_off_the_woken_worker_makes_a_second_ticket(mill):
    """The negative control: without the fence the test above must find duplicates, or it proves nothing."""
    reference = bring_to(mill, "release")
    driver = mill.start("freeze-unfenced", "release", reference)
    time.sleep(LEASE_S * 1.5)
    mill.run(reference)
    assert mill.count()["tickets"] == 1
    driver.send_signal(signal.SIGCONT)
    assert driver.wait(60) == 0
    assert mill.count()["tickets"] == 2


def test_the_queue_s_own_worker_killed_while_drawing_is_replaced_and_the_line_goes_on_by_itself(mill):
    mill.env["SWEEP_EVERY_S"] = "1"
    reference = mill.place()
    with (Path(mill.env["WEFTLINE_VAR"]) / "work.log").open("w") as log:
        command = [sys.executable, "manage.py", "work"]
        worker = subprocess.Popen(command, cwd=ROOT, env=mill.env, stdout=log, stderr=log)
    try:
        pid = _wait_for(lambda: _running(mill, "draw"), "a worker on the step draw")
        os.kill(pid, signal.SIGKILL)
        _wait_for(lambda: mill.count()["state"] == "proofing", "the candidates")
        mill.approve()
        _wait_for(lambda: mill.count()["state"] == "released", "the release")
    finally:
        worker.terminate()
        worker.wait(60)
    assert reference
    assert_once(mill.count())


def test_a_worker_killed_while_it_waits_for_work_does_not_stop_the_line(mill):
    """It takes the queue's lock with it, and its successor waits for ever: the cluster has to be started again."""
    mill.env["SWEEP_EVERY_S"] = "1"
    with (Path(mill.env["WEFTLINE_VAR"]) / "work.log").open("w") as log:
        command = [sys.executable, "manage.py", "work"]
        worker = subprocess.Popen(command, cwd=ROOT, env=mill.env, stdout=log, stderr=log)
    try:
        idle = _wait_for(lambda: _children_of_cluster(worker.pid), "the cluster's processes")
        time.sleep(3)
        for pid in idle:
            os.kill(pid, signal.SIGKILL)
        mill.place()
        _wait_for(lambda: mill.count()["state"] == "proofing", "the candidates")
    finally:
        worker.terminate()
        worker.wait(60)


def _children_of_cluster(supervisor: int) -> list[int]:
    """The workers, the pusher and the monitor: grandchildren's children of the supervisor."""
    cluster = _children([supervisor])
    sentinel = _children(cluster)
    return _children(sentinel)


def _children(parents: list[int]) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            stat = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(stat[1]) in parents:
            found.append(int(path.parent.name))
    return found


def _running(mill: Mill, kind: str) -> int | None:
    code = (
        "from orders.models import Step;"
        f"print(Step.objects.filter(kind={kind!r}, state='running').values_list('worker', flat=True).first() or '')"
    )
    said = mill.tell(code).strip()
    return int(said.rpartition(":")[2]) if said else None


def _wait_for(look, what: str, within_s: float = 240):
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        seen = look()
        if seen:
            return seen
        time.sleep(0.2)
    raise AssertionError(f"waited {within_s} s for {what}")
