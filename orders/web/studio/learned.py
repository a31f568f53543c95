"""What the designers' decisions come to, and their download."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ValidationError

from orders import learning
from orders.domain import preferences
from orders.web.forms import member, wished
from orders.web.studio.shapes import DESIGN, LearnedWish

BY = {"family": _("motifs"), "palette": _("palette"), "generator": _("drawn by")}
FEATURES = {
    "cover": _("more of the cloth covered"), "colours": _("more colours"), "fineness": _("finer drawing"),
    "contrast": _("more contrast"), "colourfulness": _("stronger colours"), "lightness": _("lighter"),
    "motif size": _("larger motifs asked for"), "motif density": _("denser motifs asked for"),
}  # fmt: skip


@login_required
def learned(request: HttpRequest) -> HttpResponse:
    """How often designs were accepted, why not, and what a studio goes by."""
    membership = member(request, DESIGN)
    try:
        wish = wished(LearnedWish, {"by": request.GET["by"]} if request.GET.get("by") else {})
    except ValidationError:
        wish = wished(LearnedWish, {})
    liked = learning.preference(membership.shop)
    known = isinstance(liked, preferences.Preference)
    context = {
        "membership": membership,
        "told": learning.told(membership.shop, by=wish["by"]),
        "by": wish["by"],
        "bys": BY.items(),
        "liked": liked,
        "likes": [(FEATURES[name], weight) for name, weight in liked.strongest] if known else [],
        "fewest": preferences.FEWEST,
        "fewest_of_each": preferences.FEWEST_OF_EACH,
    }
    return render(request, "studio/learned.html", context)


@login_required
def decisions(request: HttpRequest) -> HttpResponseBase:
    """All decisions and pairs as JSON lines."""
    membership = member(request, DESIGN)
    name = f"decisions-{membership.shop.slug}-{timezone.localdate():%Y-%m-%d}.jsonl"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Content-Security-Policy": "sandbox"}
    lines = learning.exported(membership.shop)
    return StreamingHttpResponse(lines, content_type="application/jsonl", headers=headers)
