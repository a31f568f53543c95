"""Where a person begins: each role at its own work; and what stands in while the server can't be reached."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from orders.api.permissions import EVERYONE
from orders.models import Role
from orders.web.forms import member

FIRST_PAGE = {Role.DESIGNER: "studio", Role.PLANNER: "board", Role.OPERATOR: "floor"}


@login_required
def home(request: HttpRequest) -> HttpResponse:
    """Go to the page that this person works on."""
    return redirect(FIRST_PAGE.get(Role(member(request, EVERYONE).role), "index"))


@require_safe
def offline(request: HttpRequest) -> HttpResponse:
    """The page that a browser keeps and shows in place of one that it can't fetch."""
    return render(request, "offline.html")


@require_safe
def worker(request: HttpRequest) -> HttpResponse:
    """The script that keeps that page; it stands at the root, for it may answer no address above its own."""
    return render(request, "offline.js", content_type="text/javascript")
