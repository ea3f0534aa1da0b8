"""A person's box to a mask, while the hand still holds the mouse: request and response, without a database row.

What needs the database happens first, in a thread, and its connection is closed before the wait: a slow model must
not hold connections.
"""

from __future__ import annotations

import json
import math
import time
from typing import Any
from uuid import UUID, uuid4

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connection
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.api.errors import ErrorOut
from labeling.api.views import CONFLICT, ERRORS, INVALID, AsyncAPIView
from labeling.dispatch import decode_send
from labeling.errors import Conflict, Invalid, Unavailable
from labeling.live import async_redis_client
from labeling.models import Image, Role
from labeling.selectors.access import image_for
from labeling.selectors.features import features_key
from labeling.selectors.model_versions import version_spec
from labeling.services.segmentation import embedding_request

POINTS_AT_MOST = 64
FEATURES_RETRY_S, BUSY_RETRY_S = 2, 1


class PointIn(serializers.Serializer):
    x = serializers.FloatField()
    y = serializers.FloatField()
    positive = serializers.BooleanField()


class DecodeIn(serializers.Serializer):
    box = serializers.ListField(child=serializers.FloatField(), min_length=4, max_length=4)
    points = PointIn(many=True, required=False)


class DecodeTimingsOut(serializers.Serializer):
    queue_ms = serializers.FloatField()
    model_ms = serializers.FloatField()
    total_ms = serializers.FloatField()


class DecodeOut(serializers.Serializer):
    """A proposal, never stored: ``box`` is the tight one of the mask; a low ``score`` is shown, not dropped."""

    box = serializers.ListField(child=serializers.IntegerField(), min_length=4, max_length=4)
    rle = serializers.ListField(child=serializers.IntegerField())
    score = serializers.FloatField()
    model_version = serializers.UUIDField()
    timings = DecodeTimingsOut()


class DecodeView(AsyncAPIView):
    """A box and clicks to a mask."""

    @extend_schema(
        operation_id="decode",
        request=DecodeIn,
        responses={
            200: DecodeOut,
            **ERRORS,
            **INVALID,
            **CONFLICT,
            503: OpenApiResponse(ErrorOut, description="model_busy or features_not_ready; see Retry-After."),
        },
    )
    async def post(self, request: Request, image_id: UUID) -> Response:
        started = time.time()
        message = await sync_to_async(_prepare)(request, image_id, started)
        reply = await reply_to(message)
        if not reply["ok"]:
            raise await sync_to_async(refusal)(reply, image_id)
        timings = {
            "queue_ms": reply["queue_ms"],
            "model_ms": reply["model_ms"],
            "total_ms": round((time.time() - started) * 1000, 1),
        }
        out = {key: reply[key] for key in ("box", "rle", "score")}
        return Response(out | {"model_version": message["model_version"], "timings": timings})


def _prepare(request: Request, image_id: UUID, started: float) -> dict[str, Any]:
    """Check, build the message that holds all the worker needs, and send it. Runs in a thread."""
    try:
        image = image_for(request.user, image_id, at_least=Role.ANNOTATOR)
        given = DecodeIn(data=request.data)
        given.is_valid(raise_exception=True)
        message = _message(image, given.validated_data, started)
    finally:
        connection.close()
    decode_send(message)
    return message


def _message(image: Image, given: dict[str, Any], started: float) -> dict[str, Any]:
    if not image.is_ingested:
        raise Conflict(f"{image.name} has not been read yet.", code="not_ready")
    version = image.project.active_version
    if version is None:
        raise Conflict("This project has no model yet.", code="no_model")
    points = [dict(point) for point in given.get("points", [])]
    _check_prompt(image, given["box"], points)
    return {
        "reply_key": f"decode:{uuid4()}",
        "deadline": started + settings.DECODE_TIMEOUT_S,
        "sent_at": started,
        "image_id": str(image.pk),
        "features_key": features_key(image=image, version=version),
        "height": image.height,
        "width": image.width,
        "model_version": str(version.pk),
        "version": version_spec(version),
        "box": given["box"],
        "points": points,
    }


def _check_prompt(image: Image, box: list[float], points: list[dict[str, Any]]) -> None:
    numbers = [*box, *(point[axis] for point in points for axis in ("x", "y"))]
    if not all(math.isfinite(number) for number in numbers):
        raise Invalid("Coordinates are finite numbers.")
    x0, y0, x1, y1 = box
    if not (x0 < x1 and y0 < y1 and x0 < image.width and y0 < image.height and x1 > 0 and y1 > 0):
        raise Invalid("The box is [x0, y0, x1, y1] in pixels and touches the image.")
    if len(points) > POINTS_AT_MOST:
        raise Invalid(f"At most {POINTS_AT_MOST} points refine a box.")


async def reply_to(message: dict[str, Any]) -> dict[str, Any]:
    """The interactive worker's answer. Raises Unavailable after the message's deadline."""
    wait_s = max(0.05, message["deadline"] - time.time())
    answer = await async_redis_client().blpop([message["reply_key"]], timeout=wait_s)
    if answer is None:
        raise Unavailable("The model is busy. Try again.", code="model_busy", retry_after_s=BUSY_RETRY_S)
    reply: dict[str, Any] = json.loads(answer[1])
    return reply


def refusal(reply: dict[str, Any], image_id: UUID, version_id: str | None = None) -> Exception:
    """The error that a worker's refusal means. Features that are not there are asked for: those that the version
    reads, or the active one."""
    if reply["code"] == "features_not_ready":
        try:
            embedding_request(image_id=image_id, version_id=UUID(version_id) if version_id else None)
        finally:
            connection.close()
        return Unavailable(reply["detail"], code="features_not_ready", retry_after_s=FEATURES_RETRY_S)
    if reply["code"] == "invalid_prompt":
        return Invalid(reply["detail"], code="invalid_prompt")
    return Unavailable(reply["detail"], code=reply["code"], retry_after_s=BUSY_RETRY_S)
