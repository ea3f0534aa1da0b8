"""From domain errors to HTTP: the only place that knows status codes. Every error is {code, detail, ...figures}."""

from __future__ import annotations

import logging
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions, serializers, status
from rest_framework.response import Response
from rest_framework.views import set_rollback

from labeling.errors import Conflict, DomainError, Forbidden, Invalid, NotFound, Unavailable

logger = logging.getLogger(__name__)

STATUS: tuple[tuple[type[DomainError], int], ...] = (
    (NotFound, status.HTTP_404_NOT_FOUND),
    (Forbidden, status.HTTP_403_FORBIDDEN),
    (Conflict, status.HTTP_409_CONFLICT),
    (Unavailable, status.HTTP_503_SERVICE_UNAVAILABLE),
    (Invalid, status.HTTP_400_BAD_REQUEST),
)


class ErrorOut(serializers.Serializer):
    """What every error answer holds; some add figures, such as the image's revision."""

    code = serializers.CharField()
    detail = serializers.CharField()


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's hook. None, for what nobody expected, leads to `server_error` and a line in the log."""
    set_rollback()
    if isinstance(error, DomainError):
        return _domain(error)
    if isinstance(error, Http404):
        return _answer(404, "not_found", "This was not found.")
    if isinstance(error, PermissionDenied):
        return _answer(403, "forbidden", "This is not allowed.")
    if isinstance(error, RequestDataTooBig):
        return _answer(413, "too_large", "The request is too large.")
    if isinstance(error, exceptions.ValidationError):
        return _validation(error)
    if isinstance(error, exceptions.APIException):
        return _framework(error)
    return None


def not_found(request: HttpRequest, *args: Any, **kwargs: Any) -> JsonResponse:
    """An address under /api/ that does not exist."""
    return JsonResponse({"code": "not_found", "detail": "There is nothing at this address."}, status=404)


def bad_request(request: HttpRequest, exception: Exception) -> JsonResponse:
    """What Django refuses before a view sees it."""
    if isinstance(exception, RequestDataTooBig):
        return JsonResponse({"code": "too_large", "detail": "The request is too large."}, status=413)
    kind = "suspicious" if isinstance(exception, SuspiciousOperation) else "invalid"
    return JsonResponse({"code": kind, "detail": "The request could not be understood."}, status=400)


def forbidden(request: HttpRequest, *args: Any, **kwargs: Any) -> JsonResponse:
    """A form without its CSRF token."""
    return JsonResponse({"code": "forbidden", "detail": "This is not allowed. Reload the page."}, status=403)


def server_error(request: HttpRequest) -> JsonResponse:
    """A bug of ours: no trace of it leaves the house, the log has it all."""
    detail = "Something went wrong on the server. It is in the log."
    return JsonResponse({"code": "server_error", "detail": detail}, status=500)


def _domain(error: DomainError) -> Response:
    code = next(code for kind, code in STATUS if isinstance(error, kind))
    response = _answer(code, error.code, error.detail, **error.extra)
    if error.retry_after_s is not None:
        response["Retry-After"] = str(error.retry_after_s)
    return response


def _validation(error: exceptions.ValidationError) -> Response:
    fields = error.detail if isinstance(error.detail, dict) else {"request": error.detail}
    name, first = next(iter(fields.items()), ("request", "invalid"))
    return _answer(400, "invalid", f"{name}: {_first_sentence(first)}", fields=fields)


def _first_sentence(detail: Any) -> str:
    while isinstance(detail, list | dict) and detail:
        detail = next(iter(detail.values())) if isinstance(detail, dict) else detail[0]
    return str(detail)


def _framework(error: exceptions.APIException) -> Response:
    code = error.get_codes()
    response = _answer(error.status_code, code if isinstance(code, str) else "invalid", str(error.detail))
    wait = getattr(error, "wait", None)
    if isinstance(error, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        response["WWW-Authenticate"] = getattr(error, "auth_header", "Token")
    if isinstance(error, exceptions.Throttled) and wait is not None:
        response["Retry-After"] = str(int(wait) + 1)
    return response


def _answer(code: int, name: str, detail: str, **extra: Any) -> Response:
    return Response({"code": name, "detail": detail, **extra}, status=code)
