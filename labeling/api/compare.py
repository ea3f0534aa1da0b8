"""Two versions on one image, for the slider between them: request and response on cached features, nothing stored."""

from __future__ import annotations

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

from labeling.api.decode import refusal, reply_to
from labeling.api.errors import ErrorOut
from labeling.api.views import CONFLICT, ERRORS, INVALID, AsyncAPIView, HeavyThrottle
from labeling.dispatch import compare_send
from labeling.errors import Conflict, NotFound
from labeling.models import Image, ImageStatus, ModelVersion, Role
from labeling.selectors.access import image_for, version_for
from labeling.selectors.features import features_key
from labeling.selectors.model_versions import version_spec


class CompareIn(serializers.Serializer):
    versions = serializers.ListField(child=serializers.UUIDField(), min_length=2, max_length=2)


class FoundCellOut(serializers.Serializer):
    box = serializers.ListField(child=serializers.IntegerField(), min_length=4, max_length=4)
    rle = serializers.ListField(child=serializers.IntegerField())
    score = serializers.FloatField()


class LabelSetOut(serializers.Serializer):
    version = serializers.UUIDField()
    cells = FoundCellOut(many=True)


class CompareOut(serializers.Serializer):
    label_sets = LabelSetOut(many=True)
    model_ms = serializers.FloatField()


class CompareView(AsyncAPIView):
    """All cells that each of two versions finds."""

    throttle_classes = [HeavyThrottle]

    @extend_schema(
        operation_id="image_compare",
        request=CompareIn,
        responses={
            200: CompareOut,
            **ERRORS,
            **INVALID,
            **CONFLICT,
            503: OpenApiResponse(ErrorOut, description="model_busy or features_not_ready; see Retry-After."),
        },
    )
    async def post(self, request: Request, image_id: UUID) -> Response:
        message = await sync_to_async(_prepare)(request, image_id, time.time())
        reply = await reply_to(message)
        if not reply["ok"]:
            raise await sync_to_async(refusal)(reply, image_id, reply.get("version"))
        ids = [one["id"] for one in message["versions"]]
        sets = [
            {"version": version, "cells": found["cells"]}
            for version, found in zip(ids, reply["label_sets"], strict=True)
        ]
        return Response({"label_sets": sets, "model_ms": reply["model_ms"]})


def _prepare(request: Request, image_id: UUID, started: float) -> dict[str, Any]:
    """Check, build the message that holds all the worker needs, and send it. Runs in a thread."""
    try:
        image = image_for(request.user, image_id, at_least=Role.ANNOTATOR)
        given = CompareIn(data=request.data)
        given.is_valid(raise_exception=True)
        versions = [version_for(request.user, version_id) for version_id in given.validated_data["versions"]]
        message = _message(image, versions, started)
    finally:
        connection.close()
    compare_send(message)
    return message


def _message(image: Image, versions: list[ModelVersion], started: float) -> dict[str, Any]:
    if any(version.project_id not in (None, image.project_id) for version in versions):
        raise NotFound("The model version")
    if not image.is_ingested:
        raise Conflict(f"{image.name} has not been read yet.", code="not_ready")
    if image.blind and image.status != ImageStatus.SUBMITTED:
        raise Conflict(
            f"{image.name} is held out: it is labelled first, without seeing what a model finds.",
            code="blind",
        )
    return {
        "reply_key": f"compare:{uuid4()}",
        "deadline": started + settings.COMPARE_TIMEOUT_S,
        "sent_at": started,
        "image_id": str(image.pk),
        "height": image.height,
        "width": image.width,
        "versions": [
            {
                "id": str(version.pk),
                "features_key": features_key(image=image, version=version),
                "version": version_spec(version),
            }
            for version in versions
        ],
    }
