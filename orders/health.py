"""What the server says of itself: can the line run?"""

import os
import shutil
import tempfile
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone

from orders import steps
from orders.domain.states import StepState
from orders.models import Pulse, Step

LOW_DISK_BYTES = 500 * 1024 * 1024


def beat(name: str) -> None:
    """Note that a caretaker of the line was alive just now."""
    Pulse.objects.update_or_create(name=name, defaults={"at": timezone.now()})


def checks() -> dict[str, str]:
    """Return what was looked at and what it said; everything that is well begins with "ok"."""
    found = {"storage": _storage()}
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        found["database"] = "ok"
        found["sweeper"] = _sweeper()
        found["steps"] = _oldest()
    except DatabaseError as error:
        found["database"] = f"can't be reached ({type(error).__name__})"
    return found


def is_stuck() -> bool:
    """True when steps have been due for a while and nobody works on any.

    A worker killed while it waited for its queue takes the queue's lock with it, and its successors wait for ever.
    """
    patience = timedelta(seconds=max(10, settings.WEFTLINE["sweep_every_s"]))
    now = steps.database_now()
    waiting = Step.objects.filter(state=StepState.PENDING, due_at__lt=now - patience)
    working = Step.objects.filter(state=StepState.RUNNING, lease_until__gt=now)
    ended = Step.objects.filter(ended_at__gt=now - patience)
    return waiting.exists() and not working.exists() and not ended.exists()


def _storage() -> str:
    try:
        with tempfile.TemporaryFile(dir=settings.VAR_DIR) as file:
            file.write(b"weftline")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return f"can't be written: {error.strerror}"
    free = shutil.disk_usage(settings.VAR_DIR).free
    return f"ok, {free // 1024**2} MB free" if free > LOW_DISK_BYTES else f"only {free // 1024**2} MB free"


def _sweeper() -> str:
    at = Pulse.objects.filter(name="sweeper").values_list("at", flat=True).first()
    if at is None:
        return "has never run: start the worker (manage.py work)"
    age_s = (timezone.now() - at).total_seconds()
    late = age_s > 3 * settings.WEFTLINE["sweep_every_s"]
    return f"last seen {age_s:.0f} s ago: is the worker running?" if late else f"ok, {age_s:.0f} s ago"


def _oldest() -> str:
    if is_stuck():
        return "steps are due and nobody takes them: is the worker running?"
    due = steps.due()
    return f"ok, {len(due)} due" if due else "ok, none waits"
