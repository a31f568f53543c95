"""Sending a released line's files to its machine, and knowing that they were sent."""

from pathlib import Path

from django.contrib.auth.models import User

from orders import audit
from orders.domain.states import LineState
from orders.errors import NotReleased
from orders.models import OrderLine
from production import services as production
from production.models import Delivery, JobTicket
from production.ports import OnFile, no_progress


def send(
    line: OrderLine,
    *,
    by: User | None,
    again: bool = False,
    hot_folder: Path | None = None,
    on_file: OnFile = no_progress,
) -> Delivery:
    """Put the files of the line's newest ticket into a hot folder: its machine's, where no other is given.

    again: although they were sent before. Raises NotReleased, and what production.deliver refuses with.
    """
    shop, ticket = line.order.shop, _ticket(line)
    file = ticket.files.first() if ticket is not None else None
    if ticket is None or file is None or line.state not in (LineState.RELEASED, LineState.IN_PRODUCTION):
        raise NotReleased(fields={"line": line.reference, "state": line.state})

    def on_sent(delivery: Delivery) -> None:
        details = {"hot_folder": delivery.hot_folder, "files": delivery.files, "number": delivery.number}
        audit.record(shop, "send", actor=by, line=line, details=details)

    return production.deliver(
        ticket.manifest,
        folder=Path(file.path).parent,
        hot_folder=hot_folder or production.hot_folder_of(shop.slug, ticket.manifest["machine"]["code"]),
        shop=shop.slug,
        ticket=ticket,
        by=by.get_username() if by is not None else "",
        again=again,
        on_sent=on_sent,
        on_file=on_file,
    )


def sent(line: OrderLine) -> Delivery | None:
    """Return the newest sending of the line's newest ticket that came to its end."""
    ticket = _ticket(line)
    if ticket is None:
        return None
    return ticket.deliveries.filter(state=Delivery.State.SENT).order_by("-number").first()


def _ticket(line: OrderLine) -> JobTicket | None:
    return JobTicket.objects.filter(shop=line.order.shop.slug, reference=line.reference).order_by("-revision").first()
