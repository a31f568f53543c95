"""What is said of a line for which nothing is drawn yet, on whatever page it is looked at."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from orders.api.problems import API
from orders.errors import NothingDrawn


def say_nothing_drawn(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Answer with a page of its own, or a sentence to swap in, where a page would show a line's designs."""

    def middleware(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    def instead(request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, NothingDrawn) or request.path.startswith(API):
            return None
        if request.headers.get("HX-Request"):
            return render(
                request, "orders/line/_said.html", {"said": str(error), "bad": True}, status=error.http_status
            )
        context: dict[str, Any] = {"reference": error.fields.get("line", "")}
        return render(request, "orders/undrawn.html", context, status=200 if request.method == "GET" else 409)

    middleware.process_exception = instead  # type: ignore[attr-defined]  # where Django looks for it
    return middleware
