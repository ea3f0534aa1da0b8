"""The classes of a project's cells, and how many cells have each."""

from __future__ import annotations

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from labeling.api.views import CONFLICT, ERRORS, INVALID
from labeling.models import Role
from labeling.selectors.access import class_for, image_for, project_for
from labeling.selectors.classes import class_counts, classes_of, project_class_counts
from labeling.services.classes import (
    CLASSES_AT_MOST,
    NAME_LENGTH,
    class_create,
    class_delete,
    class_update,
    classes_order,
)


class ClassOut(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    colour = serializers.CharField(help_text="#rrggbb")
    key = serializers.IntegerField(allow_null=True)
    order = serializers.IntegerField()
    archived = serializers.BooleanField()


class ClassesOut(serializers.Serializer):
    classes = ClassOut(many=True)


class ClassIn(serializers.Serializer):
    name = serializers.CharField(max_length=NAME_LENGTH)
    colour = serializers.CharField(max_length=7)
    key = serializers.IntegerField(min_value=1, max_value=9, required=False, allow_null=True)


class ClassPatchIn(serializers.Serializer):
    name = serializers.CharField(max_length=NAME_LENGTH, required=False)
    colour = serializers.CharField(max_length=7, required=False)
    key = serializers.IntegerField(min_value=1, max_value=9, required=False, allow_null=True)
    order = serializers.IntegerField(min_value=0, max_value=1_000_000, required=False)
    archived = serializers.BooleanField(required=False)


class ClassDeletedOut(serializers.Serializer):
    deleted = serializers.BooleanField(help_text="false: cells or the history name it, so it was archived")
    cell_class = ClassOut(allow_null=True)


class ClassOrderIn(serializers.Serializer):
    ids = serializers.ListField(child=serializers.UUIDField(), max_length=CLASSES_AT_MOST)


class ClassCountOut(serializers.Serializer):
    class_id = serializers.UUIDField(allow_null=True, help_text="null: cells without a class")
    cells = serializers.IntegerField()


class ClassCountsOut(serializers.Serializer):
    classes = ClassCountOut(many=True)


class ClassesView(APIView):
    """The ontology of a project."""

    @extend_schema(operation_id="class_list", responses={200: ClassesOut, **ERRORS})
    def get(self, request: Request, project_id: UUID) -> Response:
        project, _ = project_for(request.user, project_id)
        return Response(ClassesOut({"classes": classes_of(project.pk)}).data)

    @extend_schema(
        operation_id="class_create",
        request=ClassIn,
        responses={201: ClassOut, **ERRORS, **INVALID, **CONFLICT},
    )
    def post(self, request: Request, project_id: UUID) -> Response:
        project, _ = project_for(request.user, project_id, at_least=Role.ADMIN)
        given = ClassIn(data=request.data)
        given.is_valid(raise_exception=True)
        return Response(ClassOut(class_create(project=project, **given.validated_data)).data, status=201)


class ClassOrderView(APIView):
    """The order in which classes are shown."""

    @extend_schema(
        operation_id="class_order", request=ClassOrderIn, responses={200: ClassesOut, **ERRORS, **INVALID}
    )
    def put(self, request: Request, project_id: UUID) -> Response:
        project, _ = project_for(request.user, project_id, at_least=Role.ADMIN)
        given = ClassOrderIn(data=request.data)
        given.is_valid(raise_exception=True)
        classes = classes_order(project=project, ids=given.validated_data["ids"])
        return Response(ClassesOut({"classes": classes}).data)


class ClassView(APIView):
    """One class."""

    @extend_schema(
        operation_id="class_update",
        request=ClassPatchIn,
        responses={200: ClassOut, **ERRORS, **INVALID, **CONFLICT},
    )
    def patch(self, request: Request, class_id: UUID) -> Response:
        cell_class = class_for(request.user, class_id, at_least=Role.ADMIN)
        given = ClassPatchIn(data=request.data)
        given.is_valid(raise_exception=True)
        return Response(ClassOut(class_update(cell_class=cell_class, **given.validated_data)).data)

    @extend_schema(operation_id="class_delete", responses={200: ClassDeletedOut, **ERRORS})
    def delete(self, request: Request, class_id: UUID) -> Response:
        kept = class_delete(cell_class=class_for(request.user, class_id, at_least=Role.ADMIN))
        return Response(ClassDeletedOut({"deleted": kept is None, "cell_class": kept}).data)


class ImageClassCountsView(APIView):
    """Cells of an image by class."""

    @extend_schema(operation_id="image_class_counts", responses={200: ClassCountsOut, **ERRORS})
    def get(self, request: Request, image_id: UUID) -> Response:
        image = image_for(request.user, image_id)
        return Response(ClassCountsOut({"classes": class_counts(image)}).data)


class ProjectClassCountsView(APIView):
    """Cells of a project by class."""

    @extend_schema(operation_id="project_class_counts", responses={200: ClassCountsOut, **ERRORS})
    def get(self, request: Request, project_id: UUID) -> Response:
        project, _ = project_for(request.user, project_id)
        return Response(ClassCountsOut({"classes": project_class_counts(project.pk)}).data)
