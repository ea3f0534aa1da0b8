"""Time-lapses and z-stacks: the frames of a series."""

from __future__ import annotations

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from labeling.api.views import ERRORS, no_content
from labeling.models import Axis, Image, ImageStatus, Role
from labeling.selectors.access import series_for
from labeling.selectors.images import frames_of, thumbnail_url
from labeling.services.images import series_delete


class SeriesFrameOut(serializers.Serializer):
    image = serializers.UUIDField(source="id")
    index = serializers.IntegerField(source="frame")
    name = serializers.CharField()
    status = serializers.ChoiceField(choices=ImageStatus.choices)
    revision = serializers.IntegerField()
    cells = serializers.IntegerField(source="cell_count")
    thumbnail_url = serializers.SerializerMethodField()

    def get_thumbnail_url(self, image: Image) -> str | None:
        return thumbnail_url(image)


class SeriesOut(serializers.Serializer):
    id = serializers.UUIDField(source="series.id")
    project = serializers.UUIDField(source="series.project_id")
    name = serializers.CharField(source="series.name")
    axis = serializers.ChoiceField(choices=Axis.choices, source="series.axis")
    count = serializers.IntegerField(
        source="series.count", help_text="of the file; deleted frames leave gaps"
    )
    frames = SeriesFrameOut(many=True)


class SeriesView(APIView):
    """One series with its frames."""

    @extend_schema(operation_id="series_get", responses={200: SeriesOut, **ERRORS})
    def get(self, request: Request, series_id: UUID) -> Response:
        series = series_for(request.user, series_id)
        return Response(SeriesOut({"series": series, "frames": frames_of(series)}).data)

    @extend_schema(operation_id="series_delete", responses={204: None, **ERRORS})
    def delete(self, request: Request, series_id: UUID) -> Response:
        series_delete(series=series_for(request.user, series_id, at_least=Role.ADMIN))
        return no_content()
