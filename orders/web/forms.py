"""What people send with a page: who they are, what they typed, and why it was refused."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from orders.api.problems import problem
from orders.api.serializers import Strict
from orders.models import Membership, OrderLine, Role, Shop
from orders.web.plainly import plainly

# What the fields of an order are called on the pages, where that is not their own name.
NAMES = {
    "customer": "Customer", "substrate": "Cloth", "weave": "Cloth", "quantity_m": "Metres", "words": "Design",
    "palette": "Palette", "reference": "Reference picture", "layout": "Layout", "repeat_mm": "Repeat",
    "due_in_days": "Due in days", "candidate": "Candidate", "candidates": "Candidates", "strength": "Strength",
    "share": "Share", "scale": "Size", "density": "Density", "colours": "Colours", "generator": "Drawn by",
    "due_date": "Due", "price": "Price", "most_rounds": "Rounds of designs", "since": "From",
    "per_hour": "Cost of an hour", "emphasis": "What counts more", "job": "Order", "least": "From", "most": "To",
    "called": "Name", "colour": "Colours", "kind": "What happens", "q": "Search", "once": "", "expected": "",
}  # fmt: skip


def say_signed_out(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Answer 401 to a part of a page that is asked for after the session ended: what was typed stays on the screen.

    Who sent a whole form is led back to the page that it stands on, which keeps what was typed, and not to its address.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if response.status_code != 302 or not response["Location"].startswith(settings.LOGIN_URL):
            return response
        if request.headers.get("HX-Request"):
            return HttpResponse(status=401)
        # Who signs out is sent to the same page, with nowhere to come back to.
        if request.method == "POST" and urlsplit(response["Location"]).query:
            page = urlsplit(request.META.get("HTTP_REFERER", ""))
            ours = page.netloc == request.get_host() and page.path.startswith("/")
            back = f"{page.path}?{page.query}" if ours and page.query else page.path if ours else "/"
            response["Location"] = f"{settings.LOGIN_URL}?{urlencode({'next': back})}"
        return response

    return middleware


def member(request: HttpRequest, allowed: frozenset[Role]) -> Membership:
    """Return in which shop and role this person looks. Raises PermissionDenied when the role is not allowed."""
    membership = Membership.objects.select_related("shop").filter(user=request.user).order_by("pk").first()
    if membership is None or membership.role not in allowed:
        raise PermissionDenied
    return membership


def line_of(shop: Shop, reference: str) -> OrderLine:
    """Return a line of this shop; another shop's is as unknown as one that never was. Raises Http404."""
    lines = OrderLine.objects.select_related("order__shop", "order__customer", "sample_of")
    return get_object_or_404(lines, order__shop=shop, reference=reference)


def wished(shape: type[Strict], typed: dict[str, Any]) -> Any:
    """Return what was typed after the checks that programs' requests go through too. Raises ValidationError."""
    wish = shape(data=typed)
    wish.is_valid(raise_exception=True)
    return wish.validated_data


def said(error: Exception) -> tuple[str, str]:
    """Return why something was refused, in a sentence, and the field it is about."""
    known = problem(error)
    assert known is not None
    path = str(known[1]["fields"].get("field", ""))
    field = path.rpartition(".")[2].partition("[")[0]
    sentence = known[1]["message"]
    if not path or not sentence.startswith(f"{path}: "):
        return plainly(sentence), field
    name = NAMES.get(field, field.replace("_", " ").capitalize())
    return f"{name}: {plainly(sentence.removeprefix(f'{path}: '))}".removeprefix(": "), field


def decimal_point(typed: str) -> str:
    """Return a number as it was typed, with a point where a comma stood."""
    return typed.strip().replace(",", ".")


def whole_number(typed: str) -> int | None:
    """Return a number that stands in an address or a form; None for what is none, or too large to be meant."""
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else None


def colours_in(typed: str) -> str | list[str]:
    """Return what was typed for a palette: colours such as #2b3a4a or navy, cream; or a palette's name."""
    parts = (" ".join(part.split()) for part in re.findall(r"#[^\s,#]*|[^,#]+", typed))
    colours = [part for part in parts if part]
    return colours if "#" in typed or "," in typed else " ".join(colours)


def taken(request: HttpRequest, form: str) -> None:
    """Note that what was typed into a form has been taken: the next page lets go of what the device keeps of it."""
    request.session["taken"] = [*request.session.get("taken", []), form]
