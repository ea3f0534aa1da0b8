"""What became of one cell: who changed it, when, and what drew it."""

from __future__ import annotations

from typing import Any, get_args
from uuid import UUID

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from labeling.api.people import PersonOut
from labeling.api.views import ERRORS
from labeling.models import Source
from labeling.selectors.access import image_for
from labeling.selectors.history import CHANGES_AT_MOST, CellChange, Change, cell_history
from labeling.selectors.people import person


class CellChangeOut(serializers.Serializer):
    revision = serializers.IntegerField(source="edit.revision")
    created_at = serializers.DateTimeField(source="edit.created_at")
    author = serializers.SerializerMethodField(help_text="null: the model, or somebody whose account is gone")
    source = serializers.ChoiceField(choices=Source.choices, source="edit.source")  # type: ignore[assignment]
    changes = serializers.ListField(child=serializers.ChoiceField(choices=get_args(Change)))
    class_id = serializers.UUIDField(allow_null=True, help_text="after the change")
    drawn_by = serializers.CharField(
        allow_null=True, help_text="the model that drew the mask of then; null: a person did"
    )

    @extend_schema_field(PersonOut(allow_null=True))
    def get_author(self, change: CellChange) -> dict[str, Any] | None:
        return person(change.edit.author)


class CellHistoryOut(serializers.Serializer):
    changes = CellChangeOut(many=True, help_text=f"the newest first, {CHANGES_AT_MOST} at most")


class CellHistoryView(APIView):
    """The changes of one cell, also of one that is gone."""

    @extend_schema(operation_id="cell_history", responses={200: CellHistoryOut, **ERRORS})
    def get(self, request: Request, image_id: UUID, cell_id: UUID) -> Response:
        image = image_for(request.user, image_id)
        return Response(CellHistoryOut({"changes": cell_history(image.pk, cell_id)}).data)
