"""How a person reads the pages: language, units, and the shop's own time zone."""

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone, translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from orders.models import Membership, Preference

LANGUAGES = dict(settings.LANGUAGES)
PAGES = [
    ("studio", _("Studio")), ("board", _("Board")), ("floor", _("Shop floor")),
    ("dashboard", _("Dashboard")), ("erp", _("ERP")),
]  # fmt: skip
# Pages that people look at. What programs read stays English and in UTC.
NOT_FOR_PEOPLE = ("/api/", "/live", "/ready", "/static/", "/admin/")


def as_preferred(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Show a person's pages in the language they chose, else their browser's, and in their shop's time."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path.startswith(NOT_FOR_PEOPLE):
            return get_response(request)
        language = translation.get_language_from_request(request)
        zone = None
        request.preference = Preference()
        if request.user.is_authenticated:
            request.preference = Preference.objects.filter(user=request.user).first() or Preference()
            language = request.preference.language or language
            shop = Membership.objects.filter(user=request.user).order_by("pk").values_list("shop__time_zone", flat=True)
            zone = ZoneInfo(shop[0]) if shop[:1] else None
        with translation.override(language), timezone.override(zone):
            response = get_response(request)
        response.headers.setdefault("Content-Language", language)
        return response

    return middleware


def shown_in(request: HttpRequest) -> dict[str, Any]:
    """What every template may ask: `units` of whoever reads, and the languages there are."""
    preference = getattr(request, "preference", None) or Preference()
    return {
        "units": preference.units,
        "languages": settings.LANGUAGES,
        "preference": preference,
        "pages": PAGES,
        # Asked by whole pages only, so that a part of a page does not use it up.
        "taken": lambda: request.session.pop("taken", []) if "taken" in request.session else [],
    }


@login_required
@require_POST
def prefer(request: HttpRequest) -> HttpResponse:
    """Keep another language or other units for this person, and go back to where they were."""
    preference, _made = Preference.objects.get_or_create(user=request.user)
    if request.POST.get("language") in LANGUAGES:
        preference.language = request.POST["language"]
    if request.POST.get("units") in Preference.Units.values:
        preference.units = request.POST["units"]
    preference.save()
    back = request.META.get("HTTP_REFERER", "")
    return redirect(back if url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}) else "home")
