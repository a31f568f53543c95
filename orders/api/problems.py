"""One shape for everything that goes wrong: {code, message, fields, trace_id}."""

import logging
import uuid
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import exception_handler

from generation.errors import GenerationError
from inventory_sync.errors import ErpError
from orders.errors import OrderError
from production.errors import ProductionError

log = logging.getLogger(__name__)


def problem(error: Exception) -> tuple[int, dict[str, Any]] | None:
    """Say what went wrong as (HTTP status, body) for every error of the product; None for one that nobody foresaw."""
    if isinstance(error, OrderError | GenerationError | ProductionError | ErpError):
        return error.http_status, _body(error.code, str(error), error.fields)
    if isinstance(error, exceptions.ValidationError):
        return 400, _body("invalid", *_first_sentence(error.detail))
    return None


def answer(error: Exception, context: dict[str, Any]) -> Response | None:
    """Turn an exception in a view into the one error body (rest_framework's EXCEPTION_HANDLER)."""
    known = problem(error)
    if known is not None:
        http_status, body = known
        return Response(body, status=http_status)
    response = exception_handler(error, context)
    if response is None:
        return None
    if isinstance(error, Http404 | exceptions.NotFound):
        code, message = "not_found", "There is nothing under this address."
    elif isinstance(error, PermissionDenied):
        code, message = "permission_denied", "Your role may not do this."
    else:
        assert isinstance(error, exceptions.APIException)
        code, message = str(error.get_codes()), str(error.detail)
    if response.status_code >= status.HTTP_500_INTERNAL_SERVER_ERROR:
        log.error("%s: %s", code, message)
    response.data = _body(code, message, {})
    return response


def _body(code: str, message: str, fields: dict[str, Any]) -> dict[str, Any]:
    return {"code": code, "message": message, "fields": fields, "trace_id": uuid.uuid4().hex}


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
