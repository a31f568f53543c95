"""Watching a round being drawn: server-sent events, from what stands in the database. The worker knows nothing of it.

Every watcher keeps one of the server's threads, so there are seats for a few, and nobody sits longer than a minute;
browsers come back by themselves.
"""

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.urls import reverse

from orders import work
from orders.domain.states import LineState
from orders.errors import NoSeat
from orders.models import Candidate, OrderLine

LOOK_EVERY_S = 0.15
SAY_SOMETHING_EVERY_S = 5.0  # so that a browser that went away is noticed
AT_MOST_S = 60.0

_seats = threading.BoundedSemaphore(settings.WEFTLINE["watchers"])


def designs(line: OrderLine) -> Iterator[str]:
    """Tell of a line's newest round while it is drawn: its progress, each candidate once drawn, and once checked.

    Ends with the event `end` when the round is checked, or after AT_MOST_S. Raises NoSeat when too many watch.
    """
    if not _seats.acquire(blocking=False):
        raise NoSeat
    told = _seated(line.pk)
    next(told)  # takes the seat: whoever closes this from now on gives it back
    return told


def _seated(line_id: int) -> Iterator[str]:
    try:
        yield ""
        yield "retry: 1000\n\n"
        yield from _told(line_id)
    finally:
        _seats.release()


def _told(line_id: int) -> Iterator[str]:
    begun = spoken = time.monotonic()
    seen: dict[str, Any] = {}
    while True:
        over = time.monotonic() - begun > AT_MOST_S
        # The line is read before its candidates: once it has moved on, all of them are there.
        line = OrderLine.objects.only("state", "progress").get(pk=line_id)
        for name, key, said in _things(line):
            if seen.get(key) != said:
                seen[key] = said
                spoken = time.monotonic()
                yield _event(name, said)
        if line.state != LineState.GENERATING or over:
            yield _event("end", {"state": line.state, "over": line.state != LineState.GENERATING})
            return
        if time.monotonic() - spoken > SAY_SOMETHING_EVERY_S:
            spoken = time.monotonic()
            yield ": still drawing\n\n"
        time.sleep(LOOK_EVERY_S)


def _things(line: OrderLine) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield what there is to tell as (event, key, data); the same data under the same key is told once."""
    brief = line.newest_round
    drawn = list(brief.candidates.select_related("artwork"))
    wanted = max(work.wanted(brief), len(drawn))
    said = {"state": line.state, "progress": line.progress, "round": brief.number, "drawn": len(drawn)}
    yield "progress", "progress", {**said, "wanted": wanted}
    for candidate in drawn:
        yield "candidate", f"drawn {candidate.pk}", _drawn(candidate, brief.number)
        if candidate.passed is not None:
            price = None if candidate.price is None else str(candidate.price)
            checked = {"id": candidate.pk, "passed": candidate.passed, "price": price, "currency": candidate.currency}
            yield "checked", f"checked {candidate.pk}", checked


def _drawn(candidate: Candidate, number: int) -> dict[str, Any]:
    return {
        "id": candidate.pk,
        "round": number,
        "position": candidate.position,
        "preview": reverse("candidate-preview", args=[candidate.pk]),
        "palette": candidate.artwork.palette,
        "artwork": candidate.artwork.sha256[:12],  # another one once its look has given way to the whole
        "origin": candidate.artwork.origin,
        "notes": candidate.artwork.notes,
    }


def _event(name: str, data: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"
