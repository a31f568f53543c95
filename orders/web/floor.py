"""The shop floor: what an operator does at a machine."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path

from orders.api.permissions import EVERYONE
from orders.web.forms import member


@login_required
def floor(request: HttpRequest) -> HttpResponse:
    """The shop floor: what an operator does at a machine."""
    return render(request, "floor/floor.html", {"membership": member(request, EVERYONE)})


urlpatterns = [path("", floor, name="floor")]
