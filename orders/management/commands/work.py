"""The worker: the queue's cluster, kept alive, and the sweep that makes the queue unnecessary to trust."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import DatabaseError, close_old_connections

from orders import clocks, flow, following, health
from production.planning.solve import prepare

log = logging.getLogger(__name__)
STOP_WITHIN_S = 20
# A cluster that is still coming up has taken no step yet: ending it for that would end every one.
STARTS_WITHIN_S = 20


class Command(BaseCommand):
    """`manage.py work`: until Ctrl-C or SIGTERM."""

    help = "Work on orders: runs the queue's workers; every SWEEP_EVERY_S, looks after lost steps and follows the ERPs."

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        cluster, started = _start(), time.monotonic()
        threading.Thread(target=prepare, name="prepare planning", daemon=True).start()
        try:
            while not stop.is_set():
                if cluster.poll() is not None:
                    log.error("the queue's cluster ended with status %s; starting it again", cluster.returncode)
                    _end(cluster)
                    cluster, started = _start(), time.monotonic()
                _sweep()
                if time.monotonic() - started > STARTS_WITHIN_S and health.is_stuck():
                    log.error("steps are due and nobody takes them; starting the queue's cluster again")
                    _end(cluster)
                    cluster, started = _start(), time.monotonic()
                stop.wait(settings.WEFTLINE["sweep_every_s"])
        finally:
            _end(cluster)


def _sweep() -> None:
    """Sweep once; a database that is away for a while must not end the worker."""
    try:
        close_old_connections()
        flow.sweep()
        following.follow_due()
        clocks.keep_all_up()
        health.beat("sweeper")
    except DatabaseError:
        log.exception("the sweep could not reach the database; it tries again")


def _start() -> subprocess.Popen[bytes]:
    # A session of its own: whatever happens to its parent process, all its children can be ended together.
    return subprocess.Popen([sys.executable, "-m", "django", "qcluster"], start_new_session=True)


def _end(cluster: subprocess.Popen[bytes]) -> None:
    """Ask the cluster to finish; after STOP_WITHIN_S, and for children it left behind, end the whole group."""
    if cluster.poll() is None:
        cluster.terminate()
        try:
            cluster.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            log.warning("the queue's cluster did not stop within %s s", STOP_WITHIN_S)
    try:
        os.killpg(cluster.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
