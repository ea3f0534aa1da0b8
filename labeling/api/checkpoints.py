"""Versions as files: one full model out, one full model in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.core.files.uploadedfile import UploadedFile
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from labeling.api.models import ModelVersionOut
from labeling.api.views import CONFLICT, ERRORS, INVALID, HeavyThrottle, attachment
from labeling.models import Role
from labeling.selectors.access import project_for, version_for
from labeling.selectors.loop import version_view
from labeling.services.checkpoints import version_checkpoint, version_import


class ModelImportIn(serializers.Serializer):
    file = serializers.FileField()


class CheckpointView(APIView):
    """A version as one full model file, which the model's command line reads too."""

    throttle_classes = [HeavyThrottle]

    @extend_schema(
        operation_id="checkpoint_export",
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY, **ERRORS, **INVALID},
    )
    def get(self, request: Request, version_id: UUID) -> StreamingHttpResponse:
        version = version_for(request.user, version_id)
        merged = version_checkpoint(version)
        owner = version.project.name if version.project is not None else "cellloop"
        headers = {
            "Content-Length": str(merged.size),
            "Content-Disposition": attachment(f"{owner}-{version.name}.safetensors"),
        }
        return StreamingHttpResponse(
            _read_aside(merged.chunks()), content_type="application/octet-stream", headers=headers
        )


class ModelImportView(APIView):
    """A full model file becomes a version of the project."""

    parser_classes = [MultiPartParser]
    throttle_classes = [HeavyThrottle]

    @extend_schema(
        operation_id="checkpoint_import",
        request={"multipart/form-data": ModelImportIn},
        responses={201: ModelVersionOut, **ERRORS, **INVALID, **CONFLICT},
    )
    def post(self, request: Request, project_id: UUID) -> Response:
        project, _ = project_for(request.user, project_id, at_least=Role.ADMIN)
        given = ModelImportIn(data=request.data)
        given.is_valid(raise_exception=True)
        file: UploadedFile = given.validated_data["file"]
        version = version_import(project=project, content=file, name=file.name or "model", by=request.user)
        return Response(ModelVersionOut(version_view(project, version)).data, status=201)


async def _read_aside(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    """The chunks, each read in a thread: a slow disk must not hold the event loop."""
    read: Any = sync_to_async(next, thread_sensitive=False)
    while (chunk := await read(chunks, None)) is not None:
        yield chunk
