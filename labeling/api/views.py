"""What views share: permission is asked of the selectors, so a view only has to be logged in."""

from __future__ import annotations

from inspect import iscoroutine
from typing import Any
from urllib.parse import quote

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponseBase
from drf_spectacular.utils import OpenApiResponse
from rest_framework.response import Response
from rest_framework.throttling import UserRateThrottle
from rest_framework.views import APIView

from labeling.api.errors import ErrorOut

ERRORS = {
    401: OpenApiResponse(ErrorOut, description="Nobody is logged in."),
    404: OpenApiResponse(ErrorOut, description="It does not exist, or not for this user."),
}
CONFLICT = {409: OpenApiResponse(ErrorOut, description="The state of things does not allow it.")}
INVALID = {400: OpenApiResponse(ErrorOut, description="The request makes no sense.")}


class HeavyThrottle(UserRateThrottle):
    """For what costs seconds of a model or a whole weight file: as often as a person may click."""

    scope = "heavy"


class AsyncAPIView(APIView):
    """An APIView whose handlers are coroutines. Authentication, which reads the database, runs in a thread."""

    async def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # type: ignore[override]
        self.args, self.kwargs = args, kwargs
        self.request = wrapped = self.initialize_request(request, *args, **kwargs)
        self.headers = self.default_response_headers
        try:
            await sync_to_async(self.initial)(wrapped, *args, **kwargs)
            handler = getattr(self, (wrapped.method or "").lower(), self.http_method_not_allowed)
            response = handler(wrapped, *args, **kwargs)
            if iscoroutine(response):
                response = await response
        except Exception as error:
            response = self.handle_exception(error)
        self.response = self.finalize_response(wrapped, response, *args, **kwargs)
        return self.response


def no_content() -> Response:
    """It is done and there is nothing to show."""
    return Response(status=204)


def attachment(name: str) -> str:
    """The header that makes a browser save the answer under this name."""
    return f"attachment; filename*=UTF-8''{quote(name, safe='')}"
