"""The page of the ERP: how it is doing, what waits to be said to it, and what came back that a person has to see."""

from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from orders import following, outbox, services
from orders.api.erp import NoticeViewSet, OutboxViewSet
from orders.api.permissions import EVERYONE
from orders.models import Notice, Step
from orders.web.forms import member, said

SHOWN = 100  # of each; the API has all
MAY = {"retry": OutboxViewSet.roles["retry"], "settle": NoticeViewSet.roles["settle"]}


@login_required
def erp(request: HttpRequest) -> HttpResponse:
    """What waits, what failed and why, and what was changed there."""
    membership = member(request, EVERYONE)
    shop = membership.shop
    waiting, notices = outbox.waiting().filter(line__order__shop=shop), outbox.open_notices(shop)
    context = {
        "connection": outbox.connection_of(shop),
        "entries": outbox.entries(shop, waiting[:SHOWN]),
        "notices": notices[:SHOWN],
        "more": max(0, waiting.count() - SHOWN) + max(0, notices.count() - SHOWN),
        "may_act": membership.role in MAY["retry"],
        "now": timezone.now(),
        "membership": membership,
    }
    with timezone.override(ZoneInfo(shop.time_zone)):
        return render(request, "orders/erp.html", context)


@login_required
@require_POST
def act(request: HttpRequest, verb: str, number: int) -> HttpResponse:
    """Try one thing again, or note that a notice has been dealt with."""
    membership = member(request, MAY.get(verb, frozenset()))
    by: Any = request.user
    try:
        if verb == "retry":
            line = outbox.retry(get_object_or_404(Step, pk=number, line__order__shop=membership.shop), by=by)
            messages.success(request, f"{line.reference} is tried again now.")
        elif verb == "settle":
            notice = get_object_or_404(Notice, pk=number, shop=membership.shop)
            following.settle(notice, by=by)
            if "from_line" in request.POST and notice.line:
                return redirect("line", reference=notice.line.reference)
    except services.Refusals as refusal:
        messages.error(request, said(refusal)[0])
    return redirect("erp")
