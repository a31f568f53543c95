"""A worker that can be stopped at an exact place, for the fault tests.

python -m tests.faults.driver MODE KIND LINE

MODE  hang    do all the work of the step KIND, say so, and never commit it
      freeze  do all the work of the step KIND, say so, stop this process (SIGSTOP), and commit when it is woken
      freeze-unfenced   the same with the fence switched off: token and compare-and-set

A KIND written draw/keep stops before the first candidate of the step draw is kept, one written draw/kept after it.
"""

import os
import signal
import sys
import time

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orders.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402

from orders import flow, steps  # noqa: E402
from orders.models import OrderLine, Step  # noqa: E402

# For what is not about the drawing itself: it loads no model.
settings.WEFTLINE["generators"]["quick"] = "tests.quick_generator.QuickGenerator"


def stop_in(kind, *, freeze, fenced):
    """Make the step do everything but commit, then say so and stop; without its fence, if asked, once it is woken."""
    honest = flow.STEPS[kind]

    def stopping(line, held):
        settle = honest(line, held)
        stop(freeze=freeze)
        if not fenced:
            switch_the_fence_off()
        return settle

    flow.STEPS[kind] = stopping


def stop_at_the_first_candidate(*, kept, freeze, fenced):
    """Draw, and stop before or after the first candidate is kept."""
    honest = steps.keep

    def stopping(held, write):
        if kept:
            honest(held, write)
        stop(freeze=freeze)
        if not fenced:
            write()
        elif not kept:
            honest(held, write)

    steps.keep = stopping


def stop(*, freeze):
    connection.close()
    print(f"stopped {os.getpid()}", flush=True)
    if freeze:
        os.kill(os.getpid(), signal.SIGSTOP)
    else:
        time.sleep(600)


def switch_the_fence_off():
    """Let whoever comes late commit all the same: the negative control of the freeze test."""
    steps.pass_fence = lambda held, event, **values: Step.objects.filter(pk=held.step_id).update(**values)
    flow.move = lambda line, event, **_: line
    flow.open_for = lambda line, kind: None


def main(mode, kind, reference):
    kind, _, where = kind.partition("/")
    how = {"freeze": mode.startswith("freeze"), "fenced": mode != "freeze-unfenced"}
    if where:
        stop_at_the_first_candidate(kept=where == "kept", **how)
    else:
        stop_in(kind, **how)
    line = OrderLine.objects.get(reference=reference)
    while not any(flow.run_step(step.pk) for step in Step.objects.filter(line=line, kind=kind)):
        for step in Step.objects.filter(line=line).exclude(kind=kind):
            flow.run_step(step.pk)
        time.sleep(0.05)


if __name__ == "__main__":
    main(*sys.argv[1:])
