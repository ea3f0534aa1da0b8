"""What to label next and why, skipping an image, and asking for a next image's features in time."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from labeling.api.images import FrameOut, ImageDetailOut, frame_out, image_detail
from labeling.api.jobs import JobOut
from labeling.api.views import CONFLICT, ERRORS, INVALID
from labeling.errors import Invalid
from labeling.models import Image, ImageStatus, Role
from labeling.selectors.access import image_for, project_for
from labeling.selectors.images import outlines_url, thumbnail_url
from labeling.selectors.queue import queue
from labeling.services.segmentation import embedding_request
from labeling.services.skips import REASON_LENGTH, image_skip, image_unskip


class QueueImageOut(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    status = serializers.ChoiceField(choices=ImageStatus.choices)
    thumbnail_url = serializers.SerializerMethodField()
    outlines_url = serializers.SerializerMethodField()
    cells = serializers.IntegerField(source="cell_count")
    to_check = serializers.IntegerField(source="to_check_count")
    frame = serializers.SerializerMethodField()

    def get_thumbnail_url(self, image: Image) -> str | None:
        return thumbnail_url(image)

    def get_outlines_url(self, image: Image) -> str | None:
        return outlines_url(image)

    @extend_schema_field(FrameOut(allow_null=True))
    def get_frame(self, image: Image) -> dict[str, Any] | None:
        return frame_out(image)


class QueueReasonOut(serializers.Serializer):
    code = serializers.CharField(help_text="returned, begun, unsure, unlike, lot, oldest, left or skipped")
    detail = serializers.CharField()


class QueueItemOut(serializers.Serializer):
    image = QueueImageOut()
    reason = QueueReasonOut()


class QueueProgressOut(serializers.Serializer):
    total = serializers.IntegerField()
    submitted = serializers.IntegerField()
    open = serializers.IntegerField(help_text="wait for people, skipped ones included")
    skipped = serializers.IntegerField()
    waiting = serializers.IntegerField(help_text="not ready to be labelled yet")
    failed = serializers.IntegerField()


class QueueOut(serializers.Serializer):
    next = QueueItemOut(allow_null=True)
    upcoming = QueueItemOut(many=True)
    progress = QueueProgressOut()


class SkipIn(serializers.Serializer):
    reason = serializers.CharField(max_length=REASON_LENGTH)
    session = serializers.CharField(max_length=64, required=False, allow_null=True)


class SkippedOut(serializers.Serializer):
    image = ImageDetailOut()
    queue = QueueOut()


class QueueView(APIView):
    """The next images for whoever asks, each with the reason."""

    @extend_schema(
        operation_id="queue_get",
        parameters=[
            OpenApiParameter("after", UUID, description="the image that one comes from: it is not next"),
            OpenApiParameter("session", str, description="the tab that asks"),
        ],
        responses={200: QueueOut, **ERRORS, **INVALID},
    )
    def get(self, request: Request, project_id: UUID) -> Response:
        project, _ = project_for(request.user, project_id)
        query = request.query_params
        found = queue(
            project.pk,
            user=request.user,
            session=query.get("session") or None,
            after=_image_id(query.get("after")),
        )
        return Response(QueueOut(found).data)


class SkipView(APIView):
    """To the end of the queue, with a reason; and back."""

    @extend_schema(
        operation_id="image_skip",
        request=SkipIn,
        responses={200: SkippedOut, **ERRORS, **INVALID, **CONFLICT},
    )
    def post(self, request: Request, image_id: UUID) -> Response:
        image = image_for(request.user, image_id, at_least=Role.ANNOTATOR)
        given = SkipIn(data=request.data)
        given.is_valid(raise_exception=True)
        session = given.validated_data.get("session")
        image_skip(image_id=image.pk, by=request.user, **given.validated_data)
        after = queue(image.project_id, user=request.user, session=session, after=image.pk)
        detail = image_detail(image_for(request.user, image_id))
        return Response({"image": detail, "queue": QueueOut(after).data})

    @extend_schema(operation_id="image_unskip", responses={200: ImageDetailOut, **ERRORS})
    def delete(self, request: Request, image_id: UUID) -> Response:
        image_unskip(image_id=image_for(request.user, image_id, at_least=Role.ANNOTATOR).pk)
        return Response(image_detail(image_for(request.user, image_id)))


class WarmView(APIView):
    """Features of an image that somebody is about to open: made again if they are gone, found if they are not."""

    @extend_schema(operation_id="image_warm", request=None, responses={202: JobOut, **ERRORS, **CONFLICT})
    def post(self, request: Request, image_id: UUID) -> Response:
        image = image_for(request.user, image_id, at_least=Role.ANNOTATOR)
        return Response(JobOut(embedding_request(image_id=image.pk)).data, status=202)


def _image_id(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError as error:
        raise Invalid("after is the id of an image.") from error
