"""Images: uploads, the list, one in detail, its pixels as tiles and small pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, BinaryIO, cast
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from labeling.api.jobs import JobOut
from labeling.api.people import PersonOut
from labeling.api.views import CONFLICT, ERRORS, INVALID, no_content
from labeling.errors import Invalid, NotFound
from labeling.models import Axis, Image, ImageStatus, Job, Project, Role, Split
from labeling.pyramid import TILE_SIZE, TileNotFound, levels, read_tile
from labeling.selectors.access import image_for, project_for
from labeling.selectors.cells import outline_masks
from labeling.selectors.images import (
    ORDERS,
    frame_place,
    image_place,
    images_around,
    images_page,
    outlines_url,
    thumbnail_url,
)
from labeling.selectors.jobs import current_jobs
from labeling.selectors.people import display_name, person
from labeling.selectors.presegmentation import hidden_reason
from labeling.selectors.proposals import proposals_open
from labeling.services.images import image_create, image_delete, image_segment
from labeling.thumbnails import outlines_png

FOREVER = "private, max-age=31536000, immutable"


class ChannelOut(serializers.Serializer):
    name = serializers.CharField()


class LevelOut(serializers.Serializer):
    width = serializers.IntegerField()
    height = serializers.IntegerField()


class FrameOut(serializers.Serializer):
    """The place of an image in its series; ``index`` counts from 0."""

    series = serializers.UUIDField()
    axis = serializers.ChoiceField(choices=Axis.choices)
    index = serializers.IntegerField()
    count = serializers.IntegerField()


class SkipOut(serializers.Serializer):
    reason = serializers.CharField()
    by = PersonOut(allow_null=True)
    at = serializers.DateTimeField()


class ImageSeriesOut(serializers.Serializer):
    """The series that an image is a frame of, with the frames before and after it."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    axis = serializers.ChoiceField(choices=Axis.choices)
    index = serializers.IntegerField()
    count = serializers.IntegerField()
    previous = serializers.UUIDField(allow_null=True)
    next = serializers.UUIDField(allow_null=True)


class ImageOut(serializers.Serializer):
    """An image as a list shows it."""

    id = serializers.UUIDField()
    project = serializers.UUIDField(source="project_id")
    name = serializers.CharField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    dtype = serializers.ChoiceField(choices=[("uint8", "uint8"), ("uint16", "uint16")])
    channels = ChannelOut(many=True)
    pixel_size_um = serializers.FloatField(allow_null=True)
    status = serializers.ChoiceField(choices=ImageStatus.choices)
    error = serializers.CharField()
    progress = serializers.SerializerMethodField()
    revision = serializers.IntegerField()
    cells = serializers.IntegerField(source="cell_count")
    to_check = serializers.IntegerField(source="to_check_count")
    split = serializers.ChoiceField(choices=Split.choices)
    blind = serializers.BooleanField(help_text="held out, and labelled without seeing a model's outlines")
    shown_from = serializers.FloatField(
        allow_null=True, help_text="lowest score of cells shown when it was last segmented; null: none were"
    )
    thumbnail_url = serializers.SerializerMethodField()
    outlines_url = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()
    submitted_at = serializers.DateTimeField(allow_null=True)
    submitted_by = serializers.SerializerMethodField()
    notes = serializers.IntegerField(source="note_count", help_text="open ones")
    skip = serializers.SerializerMethodField()
    frame = serializers.SerializerMethodField()
    job = serializers.SerializerMethodField()

    def get_progress(self, image: Image) -> float | None:
        job = self._job(image)
        return job.progress if job is not None else None

    def get_thumbnail_url(self, image: Image) -> str | None:
        return thumbnail_url(image)

    def get_outlines_url(self, image: Image) -> str | None:
        return outlines_url(image)

    def get_submitted_by(self, image: Image) -> str | None:
        return display_name(image.submitted_by) if image.submitted_by else None

    @extend_schema_field(SkipOut(allow_null=True))
    def get_skip(self, image: Image) -> dict[str, Any] | None:
        if image.skipped_at is None:
            return None
        skip = {"reason": image.skip_reason, "by": person(image.skipped_by), "at": image.skipped_at}
        return SkipOut(skip).data

    @extend_schema_field(FrameOut(allow_null=True))
    def get_frame(self, image: Image) -> dict[str, Any] | None:
        return frame_out(image)

    @extend_schema_field(JobOut(allow_null=True))
    def get_job(self, image: Image) -> dict[str, Any] | None:
        job = self._job(image)
        return JobOut(job).data if job is not None else None

    def _job(self, image: Image) -> Job | None:
        jobs: Mapping[UUID, Job] = self.context.get("jobs", {})
        return jobs.get(image.pk)


class ImageDetailOut(ImageOut):
    """An image as the labelling page needs it: its place in the project, and how its pixels are cut into tiles."""

    previous = serializers.UUIDField(allow_null=True, source="place.previous")
    next = serializers.UUIDField(allow_null=True, source="place.next")
    position = serializers.IntegerField(source="place.position")
    total = serializers.IntegerField(source="place.total")
    role = serializers.ChoiceField(choices=Role.choices)
    project_name = serializers.CharField(source="project.name")
    series = serializers.SerializerMethodField()
    proposals = serializers.SerializerMethodField()
    proposals_hidden_reason = serializers.SerializerMethodField()
    levels = serializers.SerializerMethodField()
    tile_size = serializers.SerializerMethodField()

    @extend_schema_field(ImageSeriesOut(allow_null=True))
    def get_series(self, image: Image) -> dict[str, Any] | None:
        if image.series is None:
            return None
        place, series = frame_place(image), image.series
        return ImageSeriesOut(
            {
                "id": series.pk, "name": series.name, "axis": series.axis, "index": image.frame,
                "count": series.count, "previous": place.previous, "next": place.next,
            }
        ).data  # fmt: skip

    def get_proposals(self, image: Image) -> int:
        return proposals_open(image.pk)

    def get_proposals_hidden_reason(self, image: Image) -> str:
        return hidden_reason(image)

    @extend_schema_field(LevelOut(many=True))
    def get_levels(self, image: Image) -> list[dict[str, int]]:
        return [{"width": level.width, "height": level.height} for level in levels(image.height, image.width)]

    def get_tile_size(self, image: Image) -> int:
        return TILE_SIZE


class ImagePageOut(serializers.Serializer):
    results = ImageOut(many=True)
    next = serializers.CharField(allow_null=True, help_text="cursor of the next page")
    total = serializers.IntegerField()


class ImageUploadIn(serializers.Serializer):
    file = serializers.FileField(allow_empty_file=True)


class ImagesView(APIView):
    """The images of a project."""

    parser_classes = [MultiPartParser]

    @extend_schema(
        operation_id="image_list",
        parameters=[
            OpenApiParameter("status", str, enum=ImageStatus.values),
            OpenApiParameter("order", str, enum=list(ORDERS)),
            OpenApiParameter("cursor", str),
            OpenApiParameter("around", UUID, description="an image: it and its neighbours, oldest first"),
        ],
        responses={200: ImagePageOut, **ERRORS, **INVALID},
    )
    def get(self, request: Request, project_id: UUID) -> Response:
        project, _ = project_for(request.user, project_id)
        query = request.query_params
        if query.get("around"):
            page = images_around(_image_of(project, query["around"]))
        else:
            page = images_page(
                project,
                status=query.get("status") or None,
                order=query.get("order") or "created",
                cursor=query.get("cursor") or None,
            )
        jobs = current_jobs(image.pk for image in page.results)
        return Response(ImagePageOut(page, context={"jobs": jobs}).data)

    @extend_schema(
        operation_id="image_upload",
        request={"multipart/form-data": ImageUploadIn},
        responses={201: ImageOut, **ERRORS, **INVALID},
    )
    def post(self, request: Request, project_id: UUID) -> Response:
        project, _ = project_for(request.user, project_id, at_least=Role.ANNOTATOR)
        given = ImageUploadIn(data=request.data)
        given.is_valid(raise_exception=True)
        file: UploadedFile = given.validated_data["file"]
        image = image_create(
            project=project, uploaded_by=request.user, name=file.name or "image", content=file
        )
        return Response(ImageOut(image, context={"jobs": current_jobs([image.pk])}).data, status=201)


class ImageView(APIView):
    """One image."""

    @extend_schema(operation_id="image_get", responses={200: ImageDetailOut, **ERRORS})
    def get(self, request: Request, image_id: UUID) -> Response:
        return Response(image_detail(image_for(request.user, image_id)))

    @extend_schema(operation_id="image_delete", responses={204: None, **ERRORS})
    def delete(self, request: Request, image_id: UUID) -> Response:
        image_delete(image=image_for(request.user, image_id, at_least=Role.ADMIN))
        return no_content()


class SegmentView(APIView):
    """Segmentation anew, also of an image that failed."""

    @extend_schema(
        operation_id="image_segment", request=None, responses={202: JobOut, **ERRORS, **INVALID, **CONFLICT}
    )
    def post(self, request: Request, image_id: UUID) -> Response:
        job = image_segment(image=image_for(request.user, image_id, at_least=Role.ANNOTATOR))
        return Response(JobOut(job).data, status=202)


class TileView(APIView):
    """Samples of a tile: row-major, little-endian, in the image's dtype, compressed by zlib."""

    @extend_schema(
        operation_id="image_tile",
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY, **ERRORS},
    )
    def get(
        self, request: Request, image_id: UUID, channel: int, level: int, row: int, col: int
    ) -> HttpResponseBase:
        image = image_for(request.user, image_id)
        if not image.is_ingested:
            raise NotFound("The tile")
        try:
            with image.pyramid.open("rb") as file:
                tile = read_tile(cast(BinaryIO, file), channel, level, row, col)
        except TileNotFound as error:
            raise NotFound("The tile") from error
        headers = {
            "Content-Encoding": "deflate",
            "X-Tile-Width": str(tile.width),
            "X-Tile-Height": str(tile.height),
            "Cache-Control": FOREVER,
        }
        return HttpResponse(tile.zlib_bytes, content_type="application/octet-stream", headers=headers)


class ThumbnailView(APIView):
    """The image, small."""

    @extend_schema(
        operation_id="image_thumbnail", responses={(200, "image/webp"): OpenApiTypes.BINARY, **ERRORS}
    )
    def get(self, request: Request, image_id: UUID) -> HttpResponseBase:
        image = image_for(request.user, image_id)
        if not image.thumbnail:
            raise NotFound("The thumbnail")
        kind = "image/png" if str(image.thumbnail.name).endswith(".png") else "image/webp"
        with image.thumbnail.open("rb") as file:
            content = file.read()
        return HttpResponse(content, content_type=kind, headers={"Cache-Control": FOREVER})


class OutlinesView(APIView):
    """The outlines of the cells as a transparent picture of the thumbnail's size."""

    @extend_schema(
        operation_id="image_outlines",
        parameters=[OpenApiParameter("rev", int, description="the revision; a picture of one never changes")],
        responses={(200, "image/png"): OpenApiTypes.BINARY, **ERRORS},
    )
    def get(self, request: Request, image_id: UUID) -> HttpResponseBase:
        image = image_for(request.user, image_id)
        tag = f'"{image.pk}-{image.revision}"'
        # Only the current revision can be drawn: another one asked for must not be kept under its address.
        current = request.query_params.get("rev") == str(image.revision)
        headers = {"Cache-Control": FOREVER if current else "private, no-cache", "ETag": tag}
        if request.headers.get("If-None-Match") == tag:
            return HttpResponse(status=304, headers=headers)
        picture = outlines_png(image.height, image.width, outline_masks(image.pk))
        return HttpResponse(picture, content_type="image/png", headers=headers)


def frame_out(image: Image) -> dict[str, Any] | None:
    """The wire form of an image's place in its series; None for one on its own."""
    if image.series is None:
        return None
    place = {
        "series": image.series.pk,
        "axis": image.series.axis,
        "index": image.frame,
        "count": image.series.count,
    }
    return FrameOut(place).data


def _image_of(project: Project, text: str) -> Image:
    try:
        image_id = UUID(text)
    except ValueError as error:
        raise Invalid("around is the id of an image.") from error
    image = project.images.select_related("submitted_by", "skipped_by", "series").filter(pk=image_id).first()
    if image is None:
        raise NotFound("The image")
    return image


def image_detail(image: Image) -> dict[str, Any]:
    """The wire form of an image on its own, as `image_for` gave it."""
    image.place = image_place(image)  # type: ignore[attr-defined]
    return ImageDetailOut(image, context={"jobs": current_jobs([image.pk])}).data
