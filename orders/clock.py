"""Speed to customisation: the clock of a line from request saved (t0) to print file verified (t6), by stage."""

from datetime import datetime
from typing import Any

from orders.domain.states import LineEvent
from orders.models import AuditEvent, OrderLine

CUSTOMER = "customer, link "  # as the audit chain knows whoever comes by a link, before its number
# The stages are those of the line's last run: a revision starts a new round, and the clock shows what it cost.
STAGES = (
    ("request_to_first_preview", "t0", "t1"),
    ("preview_to_proof", "t1", "t2"),
    ("customer", "t2", "t5"),
    ("approval_to_print_file", "t5", "t6"),
    ("print_file_to_erp", "t6", "t7"),
)


def times(line: OrderLine) -> dict[str, datetime]:
    """Return the moments (UTC) that have passed: t0 request saved, t1 first preview, t2 first passing candidate,
    t3 customer opened, t4 change asked by the customer, t5 approved, t6 print file verified, t7 queued at the machine
    and known to the ERP."""
    moments: dict[str, datetime] = {"t0": line.order.created_at}
    candidates = [candidate for brief in line.rounds.all() for candidate in brief.candidates.all()]
    if candidates:
        moments["t1"] = min(candidate.drawn_at for candidate in candidates)
    checked = [c.checked_at for c in candidates if c.passed and c.checked_at]
    if checked:
        moments["t2"] = min(checked)
    if opened := [link.opened_at for link in line.links.all() if link.opened_at]:
        moments["t3"] = min(opened)
    if asked := [wish.at for wish in line.wishes.all()] + [event.at for event in line.events.all() if _turned(event)]:
        moments["t4"] = min(asked)
    approvals = list(line.approvals.all())
    if approvals:
        moments["t5"] = approvals[-1].at
        after = moments["t5"]
        for event in line.events.all():
            if event.action == "ok" and event.at >= after:
                if event.from_state == "releasing":
                    moments["t6"] = event.at
                elif event.from_state == "syncing":
                    moments["t7"] = event.at
    return moments


def _turned(event: AuditEvent) -> bool:
    """True where a customer had something drawn anew by their link."""
    return event.action == LineEvent.REVISE and event.actor.startswith(CUSTOMER)


def read(line: OrderLine) -> dict[str, Any]:
    """Return the clock as moments (ISO 8601) and stages in seconds, with and without the customer's thinking time."""
    moments = times(line)
    stages = {
        name: round((moments[end] - moments[start]).total_seconds(), 3)
        for name, start, end in STAGES
        if start in moments and end in moments
    }
    total_s = without_customer_s = None
    if "t6" in moments:
        total_s = round((moments["t6"] - moments["t0"]).total_seconds(), 3)
        without_customer_s = round(total_s - stages["customer"], 3)
    return {
        "moments": {name: moment.isoformat() for name, moment in moments.items()},
        "stages_s": stages,
        "speed_to_customisation_s": total_s,
        "without_customer_s": without_customer_s,
    }
