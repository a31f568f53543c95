"""What people send with a page: who they are, what they typed, and why it was refused."""

import re
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from orders.api.problems import problem
from orders.api.serializers import Strict
from orders.models import Membership, Role

# What the fields of an order are called on the pages, where that is not their own name.
NAMES = {
    "customer": "Customer", "substrate": "Cloth", "weave": "Cloth", "quantity_m": "Metres", "words": "Design",
    "palette": "Palette", "reference": "Reference picture", "layout": "Layout", "repeat_mm": "Repeat",
    "due_in_days": "Due in days", "candidate": "Candidate", "candidates": "Candidates", "strength": "Strength",
    "share": "Share", "scale": "Size", "density": "Density", "colours": "Colours", "generator": "Drawn by",
    "due_date": "Due", "price": "Price",
}  # fmt: skip


def say_signed_out(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Answer 401 to a part of a page that is asked for after the session ended: what was typed stays on the screen."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        to_login = response.status_code == 302 and response["Location"].startswith(settings.LOGIN_URL)
        return HttpResponse(status=401) if to_login and request.headers.get("HX-Request") else response

    return middleware


def member(request: HttpRequest, allowed: frozenset[Role]) -> Membership:
    """Return in which shop and role this person looks. Raises PermissionDenied when the role is not allowed."""
    membership = Membership.objects.select_related("shop").filter(user=request.user).order_by("pk").first()
    if membership is None or membership.role not in allowed:
        raise PermissionDenied
    return membership


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
    if path and sentence.startswith(f"{path}: "):
        sentence = f"{NAMES.get(field, field)}: {sentence.removeprefix(f'{path}: ')}"
    return sentence, field


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
