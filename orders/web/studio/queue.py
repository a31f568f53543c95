"""The studio's first page: the lines whose designs wait to be reviewed."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ValidationError

from orders import reviewing, spaces
from orders.web.forms import member, wished
from orders.web.studio.shapes import DESIGN, LOOK, QueueWish

SHOWS = {
    "waiting": _("To review"), "rejected": _("All rejected"), "accepted": _("Accepted"), "blocked": _("Can't be made"),
    "drawing": _("Being drawn"), "all": _("All"),
}  # fmt: skip
ORDERS = {"due": _("due date"), "priority": _("priority"), "age": _("age")}


@login_required
def studio(request: HttpRequest) -> HttpResponse:
    """The queue, as it is filtered and ordered; the filters alone are answered with the list alone."""
    membership = member(request, LOOK)
    typed = {name: request.GET[name] for name in ("show", "order", "words", "page") if request.GET.get(name)}
    try:
        wish = wished(QueueWish, typed)
    except ValidationError:  # an address somebody wrote by hand
        wish = wished(QueueWish, {})
    context = {
        "membership": membership,
        "queue": reviewing.queue(membership.shop, **wish),
        "wish": wish,
        "counts": reviewing.counts(membership.shop),
        "shows": SHOWS.items(),
        "orders": ORDERS.items(),
        "may_look_further": membership.role in DESIGN,
        "has_spaces": bool(spaces.spaces_of(membership.shop)),
    }
    return render(request, "studio/_queue.html" if request.htmx else "studio/queue.html", context)
