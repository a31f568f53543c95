"""How the shop does: speed to customisation, lateness, bottlenecks, stock, the ERP."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path

from orders.api.permissions import EVERYONE
from orders.web.forms import member


@login_required
def dashboard(request: HttpRequest) -> HttpResponse:
    """How the shop does: speed to customisation, lateness, bottlenecks, stock, the ERP."""
    return render(request, "dashboard/dashboard.html", {"membership": member(request, EVERYONE)})


urlpatterns = [path("", dashboard, name="dashboard")]
