"""One shape for everything that goes wrong: {code, message, fields, trace_id}."""

import logging
import sys
import uuid
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.loader import get_template
from django.views import defaults
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import exception_handler

from generation.errors import GenerationError
from inventory_sync.errors import ErpError
from orders.errors import OrderError, Unexpected
from production.errors import ProductionError

log = logging.getLogger(__name__)

API = "/api/"
NOTHING_HERE = "There is nothing under this address."
# What Django raises when the database is locked, restarting or out of reach.
BUSY = OperationalError | InterfaceError
RETRY_AFTER_S = "5"


def problem(error: Exception) -> tuple[int, dict[str, Any]] | None:
    """Say what went wrong as (HTTP status, body) for every error of the product; None for one that nobody foresaw."""
    if isinstance(error, OrderError | GenerationError | ProductionError | ErpError):
        return error.http_status, _body(error.code, str(error), error.fields)
    if isinstance(error, exceptions.ValidationError):
        return 400, _body("invalid", *_first_sentence(error.detail))
    if isinstance(error, RequestDataTooBig):
        most_mb = settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 1024**2
        return 413, _body("invalid", f"The body is larger than {most_mb} MB. Send less at a time.")
    if isinstance(error, BUSY):
        return 503, _body("busy", "The database can't be reached, or is too busy: nothing was changed. Try again soon.")
    return None


def answer(error: Exception, context: dict[str, Any]) -> Response | None:
    """Turn an exception in a view into the one error body (rest_framework's EXCEPTION_HANDLER)."""
    known = problem(error)
    if known is not None:
        http_status, body = known
        if not isinstance(error, BUSY):
            return Response(body, status=http_status)
        log.warning("busy, trace_id %s: %s", body["trace_id"], error)
        return Response(body, status=http_status, headers={"Retry-After": RETRY_AFTER_S})
    response = exception_handler(error, context)
    if response is None:
        return None
    if isinstance(error, Http404 | exceptions.NotFound):
        code, message = "not_found", NOTHING_HERE
    elif isinstance(error, PermissionDenied):
        code, message = "permission_denied", "Your role may not do this."
    else:
        assert isinstance(error, exceptions.APIException)
        code, message = str(error.get_codes()), str(error.detail)
    if response.status_code >= status.HTTP_500_INTERNAL_SERVER_ERROR:
        log.error("%s: %s", code, message)
    response.data = _body(code, message)
    return response


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer for an address that does not exist (handler404): programs get the error body, people a page."""
    if request.path.startswith(API):
        return JsonResponse(_body("not_found", NOTHING_HERE), status=404)
    return defaults.page_not_found(request, exception)


def failed(request: HttpRequest) -> HttpResponse:
    """Answer for what no view caught (handler500), without touching the database: 503 when that was the reason."""
    error = sys.exc_info()[1]
    known = problem(error if isinstance(error, BUSY) else Unexpected())
    assert known is not None
    http_status, body = known
    log.error("%s on %s, trace_id %s", body["code"], ascii(request.path), body["trace_id"])
    if request.path.startswith(API):
        response: HttpResponse = JsonResponse(body, status=http_status)
    else:
        response = HttpResponse(get_template(f"{http_status}.html").render(), status=http_status)
    if http_status == 503:
        response["Retry-After"] = RETRY_AFTER_S
    return response


def _body(code: str, message: str, fields: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"code": code, "message": _sayable(message), "fields": _sayable(fields or {}), "trace_id": uuid.uuid4().hex}


def _sayable(value: Any) -> Any:
    """Write out what no encoding can hold: half a surrogate in a request must not break the answer to it."""
    if isinstance(value, str):
        return value.encode(errors="backslashreplace").decode()
    if isinstance(value, dict):
        return {_sayable(key): _sayable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_sayable(item) for item in value]
    return value


def _first_sentence(detail: Any, path: str = "") -> tuple[str, dict[str, Any]]:
    """Find the first complaint in rest_framework's nested ones and name its field as lines[0].quantity_m."""
    if isinstance(detail, dict):
        for key, value in detail.items():
            if value:
                here = path if key == "non_field_errors" else f"{path}.{key}".lstrip(".")
                if isinstance(key, int):
                    here = f"{path}[{key}]"
                return _first_sentence(value, here)
    if isinstance(detail, list):
        for index, value in enumerate(detail):
            if value:
                return _first_sentence(value, f"{path}[{index}]" if isinstance(value, dict) else path)
    return f"{path}: {detail}" if path else str(detail), {"field": path}
