"""Notes on an image and its cells."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from labeling.api.people import PersonOut
from labeling.api.views import ERRORS, INVALID, no_content
from labeling.models import Note, Role
from labeling.selectors.access import image_for, note_for
from labeling.selectors.notes import notes_of
from labeling.selectors.people import person
from labeling.services.notes import TEXT_LENGTH, note_create, note_delete, note_resolve


class NoteOut(serializers.Serializer):
    id = serializers.UUIDField()
    image = serializers.UUIDField(source="image_id")
    cell = serializers.UUIDField(source="cell_id", allow_null=True)
    author = serializers.SerializerMethodField()
    mine = serializers.SerializerMethodField()
    text = serializers.CharField()
    created_at = serializers.DateTimeField()
    resolved_by = serializers.SerializerMethodField()
    resolved_at = serializers.DateTimeField(allow_null=True)

    @extend_schema_field(PersonOut(allow_null=True))
    def get_author(self, note: Note) -> dict[str, Any] | None:
        return person(note.author)

    def get_mine(self, note: Note) -> bool:
        return note.author_id == self.context["user"].pk

    @extend_schema_field(PersonOut(allow_null=True))
    def get_resolved_by(self, note: Note) -> dict[str, Any] | None:
        return person(note.resolved_by)


class NotesOut(serializers.Serializer):
    notes = NoteOut(many=True)


class NoteIn(serializers.Serializer):
    text = serializers.CharField(max_length=TEXT_LENGTH)
    cell = serializers.UUIDField(required=False, allow_null=True)


class NotePatchIn(serializers.Serializer):
    resolved = serializers.BooleanField()


class NotesView(APIView):
    """The notes of an image, oldest first."""

    @extend_schema(operation_id="note_list", responses={200: NotesOut, **ERRORS})
    def get(self, request: Request, image_id: UUID) -> Response:
        image = image_for(request.user, image_id)
        return Response(NotesOut({"notes": notes_of(image.pk)}, context={"user": request.user}).data)

    @extend_schema(operation_id="note_create", request=NoteIn, responses={201: NoteOut, **ERRORS, **INVALID})
    def post(self, request: Request, image_id: UUID) -> Response:
        image = image_for(request.user, image_id, at_least=Role.ANNOTATOR)
        given = NoteIn(data=request.data)
        given.is_valid(raise_exception=True)
        note = note_create(
            image=image,
            author=request.user,
            text=given.validated_data["text"],
            cell_id=given.validated_data.get("cell"),
        )
        return Response(NoteOut(note, context={"user": request.user}).data, status=201)


class NoteView(APIView):
    """One note."""

    @extend_schema(operation_id="note_resolve", request=NotePatchIn, responses={200: NoteOut, **ERRORS})
    def patch(self, request: Request, note_id: UUID) -> Response:
        note = note_for(request.user, note_id, at_least=Role.ANNOTATOR)
        given = NotePatchIn(data=request.data)
        given.is_valid(raise_exception=True)
        note = note_resolve(note=note, by=request.user, **given.validated_data)
        return Response(NoteOut(note, context={"user": request.user}).data)

    @extend_schema(operation_id="note_delete", responses={204: None, **ERRORS})
    def delete(self, request: Request, note_id: UUID) -> Response:
        note_delete(note=note_for(request.user, note_id, at_least=Role.ANNOTATOR), by=request.user)
        return no_content()
