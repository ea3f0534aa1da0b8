"""The cells of an image, the edits that change them, and submitting."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.http import HttpResponse, HttpResponseBase
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from labeling.api.errors import ErrorOut
from labeling.api.images import ImageDetailOut, image_detail
from labeling.api.people import TabOut
from labeling.api.queue import QueueOut
from labeling.api.views import ERRORS, INVALID
from labeling.errors import Invalid, StaleRevision
from labeling.models import Edit, Image, Role, Source
from labeling.patch import Patch, PatchError
from labeling.selectors.access import image_for
from labeling.selectors.cells import cells_json, edits_after
from labeling.selectors.people import display_name
from labeling.selectors.queue import queue
from labeling.services.edits import edit_apply
from labeling.services.submissions import image_submit

EDITS_AT_MOST, STALE_EDITS_AT_MOST = 200, 50


class CellJson(serializers.Serializer):
    """A cell: runs are row-major inside the half-open box [x0, y0, x1, y1), background first."""

    id = serializers.UUIDField()
    label = serializers.IntegerField(min_value=1)  # type: ignore[assignment]
    box = serializers.ListField(child=serializers.IntegerField(), min_length=4, max_length=4)
    rle = serializers.ListField(child=serializers.IntegerField())
    score = serializers.FloatField(allow_null=True)
    source = serializers.ChoiceField(choices=Source.choices)  # type: ignore[assignment]
    model_version = serializers.UUIDField(allow_null=True)
    class_id = serializers.UUIDField(
        allow_null=True, required=False, help_text="a class of the project; left out is null"
    )


class CellUpdateJson(serializers.Serializer):
    before = CellJson()
    after = CellJson()


class PatchJson(serializers.Serializer):
    """What changes: the one form from the tool to the table."""

    added = CellJson(many=True)
    updated = CellUpdateJson(many=True)
    removed = CellJson(many=True)


class StaleOut(ErrorOut):
    """409. stale_revision: ``edits`` are those since the base, so that both versions can be kept; lease_lost:
    ``holder`` edits the image now; before_mismatch: ``cell`` is not as the patch says. ``revision`` is the image's."""

    revision = serializers.IntegerField(required=False)
    cell = serializers.UUIDField(required=False, allow_null=True)
    holder = TabOut(required=False)
    edits = serializers.ListField(child=serializers.DictField(), required=False)
    more = serializers.BooleanField(required=False, help_text="there are more edits than are sent here")


class CellsOut(serializers.Serializer):
    revision = serializers.IntegerField()
    next_label = serializers.IntegerField()
    cells = CellJson(many=True)


class EditIn(serializers.Serializer):
    id = serializers.UUIDField()
    base_revision = serializers.IntegerField(min_value=0)
    session = serializers.CharField(max_length=64, required=False, allow_null=True)
    patch = PatchJson()


class EditEnvelope(serializers.Serializer):
    """EditIn as it is checked here: ``patch`` has a parser of its own, in `labeling.patch`."""

    id = serializers.UUIDField()
    base_revision = serializers.IntegerField(min_value=0)
    session = serializers.CharField(max_length=64, required=False, allow_null=True, default=None)
    patch = serializers.JSONField()


class EditSavedOut(serializers.Serializer):
    id = serializers.UUIDField(source="edit_id")
    revision = serializers.IntegerField()


class EditOut(serializers.Serializer):
    id = serializers.UUIDField()
    revision = serializers.IntegerField()
    author = serializers.SerializerMethodField()
    source = serializers.ChoiceField(choices=Source.choices)  # type: ignore[assignment]
    patch = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()

    def get_author(self, edit: Edit) -> str | None:
        return display_name(edit.author) if edit.author else None

    @extend_schema_field(PatchJson)
    def get_patch(self, edit: Edit) -> Any:
        # The history is as it was written: cells from before there were classes lack the key.
        for cell in _cells_in(edit.patch):
            cell.setdefault("class_id", None)
        return edit.patch


class EditsOut(serializers.Serializer):
    edits = EditOut(many=True)
    revision = serializers.IntegerField(help_text="the image's; ask again while the last edit's is smaller")


class SubmitIn(serializers.Serializer):
    revision = serializers.IntegerField(min_value=0)
    session = serializers.CharField(max_length=64, required=False, allow_null=True)


class SubmittedOut(ImageDetailOut):
    queue = QueueOut(help_text="what is next, after this image")


class CellsView(APIView):
    """All cells of an image, now."""

    @extend_schema(operation_id="cell_list", responses={200: CellsOut, **ERRORS})
    def get(self, request: Request, image_id: UUID) -> HttpResponseBase:
        image = image_for(request.user, image_id)
        # The revision was read before the cells: an edit in between shows as a stale revision and not as a lost cell.
        body = f'{{"revision":{image.revision},"next_label":{image.next_label},"cells":[{cells_json(image.pk)}]}}'
        return HttpResponse(body, content_type="application/json")


class EditsView(APIView):
    """The history of an image; a new edit is saved here."""

    @extend_schema(
        operation_id="edit_list",
        parameters=[OpenApiParameter("after", int, description="edits of later revisions only")],
        responses={200: EditsOut, **ERRORS, **INVALID},
    )
    def get(self, request: Request, image_id: UUID) -> Response:
        image = image_for(request.user, image_id)
        after = request.query_params.get("after") or "0"
        if not after.isdecimal() or len(after) > 9:
            raise Invalid("after is a revision.")
        edits = edits_after(image.pk, int(after))[:EDITS_AT_MOST]
        return Response(EditsOut({"edits": edits, "revision": image.revision}).data)

    @extend_schema(
        operation_id="edit_save",
        request=EditIn,
        responses={200: EditSavedOut, **ERRORS, **INVALID, 409: OpenApiResponse(StaleOut)},
    )
    def post(self, request: Request, image_id: UUID) -> Response:
        image = image_for(request.user, image_id, at_least=Role.ANNOTATOR)
        given = EditEnvelope(data=request.data)
        given.is_valid(raise_exception=True)
        base = given.validated_data["base_revision"]
        try:
            result = edit_apply(
                image_id=image.pk,
                author=request.user,
                edit_id=given.validated_data["id"],
                base_revision=base,
                patch=_patch(given.validated_data["patch"]),
                session=given.validated_data["session"],
            )
        except StaleRevision as error:
            error.extra |= edits_missed(image.pk, base)
            raise
        return Response(EditSavedOut(result).data)


class SubmitView(APIView):
    """Mark an image as done."""

    @extend_schema(
        operation_id="image_submit",
        request=SubmitIn,
        responses={200: SubmittedOut, **ERRORS, 409: OpenApiResponse(StaleOut)},
    )
    def post(self, request: Request, image_id: UUID) -> Response:
        image = image_for(request.user, image_id, at_least=Role.ANNOTATOR)
        given = SubmitIn(data=request.data)
        given.is_valid(raise_exception=True)
        image_submit(image_id=image.pk, by=request.user, **given.validated_data)
        session = given.validated_data.get("session")
        return Response(with_queue(image_for(request.user, image_id), request.user, session))


def with_queue(image: Image, user: Any, session: str | None) -> dict[str, Any]:
    """An image in detail, with what comes after it."""
    after = queue(image.project_id, user=user, session=session, after=image.pk)
    return image_detail(image) | {"queue": QueueOut(after).data}


def edits_missed(image_id: UUID, base_revision: int) -> dict[str, Any]:
    """What a client at ``base_revision`` has not seen, as far as one answer should carry."""
    edits = list(edits_after(image_id, base_revision)[: STALE_EDITS_AT_MOST + 1])
    shown = EditOut(edits[:STALE_EDITS_AT_MOST], many=True).data
    return {"edits": shown, "more": len(edits) > STALE_EDITS_AT_MOST}


def _cells_in(patch: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from patch["added"]
    yield from patch["removed"]
    for update in patch["updated"]:
        yield from update.values()


def _patch(value: Any) -> Patch:
    try:
        return Patch.from_json(value)
    except PatchError as error:
        raise Invalid(f"{str(error)[0].upper()}{str(error)[1:]}.", code="invalid_patch") from error
