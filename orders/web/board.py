"""The planner's board: machines, bars, changeovers."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path

from orders.api.permissions import EVERYONE
from orders.web.forms import member


@login_required
def board(request: HttpRequest) -> HttpResponse:
    """The planner's board: machines, bars, changeovers."""
    return render(request, "board/board.html", {"membership": member(request, EVERYONE)})


urlpatterns = [path("", board, name="board")]
