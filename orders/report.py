"""An order as plain values: what the command line prints as JSON and the demo keeps as its summary."""

from typing import Any

from orders import clock, work
from orders.models import Order, OrderLine


def order(placed: Order) -> dict[str, Any]:
    """Return an order with its lines, candidates, findings, files and clock. Paths are absolute."""
    lines = [line(each) for each in placed.lines.select_related("order__shop").order_by("position")]
    slowest = max((each["clock"] for each in lines), key=lambda c: c["speed_to_customisation_s"] or 0, default={})
    return {
        "order": placed.number,
        "customer": placed.customer.name,
        "created_at": placed.created_at.isoformat(),
        "lines": lines,
        "clock": slowest,
    }


def line(each: OrderLine) -> dict[str, Any]:
    """Return one line with its newest round's candidates."""
    brief = each.newest_round
    return {
        "reference": each.reference,
        "substrate": each.substrate or None,
        "weave": each.weave or None,
        "quantity_m": float(each.quantity_m),
        "words": brief.words,
        "layout": brief.layout,
        "repeat_mm": [brief.repeat_width_mm, brief.repeat_height_mm],
        "due_date": each.due_date.isoformat(),
        "state": each.state,
        "round": brief.number,
        "blocked": each.blocked,
        "candidates": [
            {
                "position": candidate.position,
                "artwork_sha256": candidate.artwork.sha256,
                "seed": candidate.artwork.seed,
                "palette": candidate.artwork.palette,
                "passed": candidate.passed,
                "findings": candidate.findings,
                "usage": candidate.usage,
                "price": None if candidate.price is None else str(candidate.price),
                "price_per_m": None if candidate.price_per_m is None else str(candidate.price_per_m),
                "currency": candidate.currency,
                "promise": candidate.promise.isoformat() if candidate.promise else None,
                "binding": candidate.binding,
            }
            for candidate in brief.candidates.select_related("artwork").order_by("position")
        ],
        "approved": next((a.candidate.position for a in each.approvals.order_by("-number")[:1]), None),
        "plan": each.plan,
        "files": [
            {"path": str(file.path), "sha256": file.sha256, "format": file.format} for file in work.files_of(each)
        ],
        "clock": clock.read(each),
    }
