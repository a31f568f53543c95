"""Strike-off first: a sample is made, and the order it is for goes on in the same design once its cloth is approved."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from django.contrib.auth.models import User
from django.db import transaction

from orders import audit, planning, services, work
from orders.domain.states import LineEvent, LineState
from orders.errors import IllegalTransition, InvalidOrder, StrikeOffFirst
from orders.models import OrderLine
from orders.repeating import round_again
from orders.services import NewLine

MADE = (LineState.INSPECTING, LineState.DONE)  # there is cloth to say yes to


def sample_for(line: NewLine, *, quantity_m: Decimal, today: date) -> NewLine:
    """Return the strike-off of an order's first line, due halfway: its customer looks at it before the rest is made."""
    due = line.due_date and max(today, today + (line.due_date - today) / 2)
    return replace(line, quantity_m=quantity_m, asked=None, due_date=due, sample_of=1)


def approve(sample: OrderLine, *, by: User | None) -> OrderLine:
    """Take the customer's yes to a strike-off: its cloth passes, and the line it is for is handed on in its design.

    Returns that line. Its checks, price and promise are found anew, and it is approved like any other.
    Raises InvalidOrder for a line that is no strike-off, StrikeOffFirst before there is cloth, StaleState,
    IllegalTransition when the line was handed on before.
    """
    bulk = sample.sample_of
    if bulk is None:
        raise InvalidOrder(f"{sample.reference} is no strike-off.", fields={"field": "line"})
    if sample.state not in MADE:
        unmade = f"{sample.reference} has not been made yet: it is {sample.state.replace('_', ' ')}."
        raise StrikeOffFirst(f"{unmade} Approve it once there is cloth to look at.", fields={"line": sample.reference})
    if bulk.state != LineState.DRAFT:
        raise IllegalTransition(LineState(bulk.state), LineEvent.SUBMIT)
    with transaction.atomic():
        planning.lock((sample, bulk))
        if sample.state == LineState.INSPECTING:
            services.passed(sample, by=by)
        # First of all: of two who approve it at once the second is told so here, and writes no round beside.
        handed_on = services.submit(bulk, by=by)
        brief = round_again(work.as_drawn(work.newest_approval(sample).candidate), number=bulk.newest_round.number + 1)
        brief.line = handed_on
        brief.save()
        audit.record(bulk.order.shop, "strike-off approved", actor=by, line=sample, details={"for": bulk.reference})
        return handed_on
