"""The designer's studio: what waits for review."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path

from orders.api.permissions import EVERYONE
from orders.web.forms import member


@login_required
def studio(request: HttpRequest) -> HttpResponse:
    """The designer's studio: what waits for review."""
    return render(request, "studio/studio.html", {"membership": member(request, EVERYONE)})


urlpatterns = [path("", studio, name="studio")]
