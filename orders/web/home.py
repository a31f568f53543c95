"""Where a person begins: each role at its own work."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from orders.api.permissions import EVERYONE
from orders.models import Role
from orders.web.forms import member

FIRST_PAGE = {Role.DESIGNER: "studio", Role.PLANNER: "board", Role.OPERATOR: "floor"}


@login_required
def home(request: HttpRequest) -> HttpResponse:
    """Go to the page that this person works on."""
    return redirect(FIRST_PAGE.get(Role(member(request, EVERYONE).role), "index"))
