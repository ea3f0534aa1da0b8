"""Projects, their channel map, and who works in them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from labeling.api.session import UserOut
from labeling.api.views import CONFLICT, ERRORS, INVALID, no_content
from labeling.models import Membership, Presegmentation, Role
from labeling.selectors.access import project_for
from labeling.selectors.presegmentation import presegmentation
from labeling.selectors.projects import ProjectView as ProjectData
from labeling.selectors.projects import project_view, project_views
from labeling.services.images import channel_map_set
from labeling.services.projects import (
    member_add,
    member_remove,
    member_set_role,
    project_create,
    project_delete,
    project_update,
)


class ChannelMap(serializers.Serializer):
    """Names of the channels that show nuclei and whole cells; ``rgb``: images of stained tissue in colour."""

    nuclear = serializers.CharField(allow_null=True, max_length=100)
    whole_cell = serializers.CharField(allow_null=True, max_length=100)
    rgb = serializers.BooleanField()


class VersionRefOut(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    number = serializers.IntegerField()
    takes_points = serializers.BooleanField()  # whether clicks guide it, or boxes alone


class PresegmentationOut(serializers.Serializer):
    """Which outlines people find in an image that they open; ``reason`` says why none or not all."""

    mode = serializers.ChoiceField(choices=Presegmentation.choices)
    shown = serializers.BooleanField()
    shown_from = serializers.FloatField(
        allow_null=True, help_text="the lowest score that is shown; null: none is"
    )
    unsure_above = serializers.FloatField(
        allow_null=True, help_text="images in which the model is more uncertain show none; null: no such rule"
    )
    reason = serializers.CharField()


class ProjectCountsOut(serializers.Serializer):
    total = serializers.IntegerField()
    queued = serializers.IntegerField()
    needs_channels = serializers.IntegerField()
    segmenting = serializers.IntegerField()
    ready = serializers.IntegerField()
    in_progress = serializers.IntegerField()
    submitted = serializers.IntegerField()
    failed = serializers.IntegerField()


class ProjectOut(serializers.Serializer):
    id = serializers.UUIDField(source="project.id")
    name = serializers.CharField(source="project.name")
    role = serializers.ChoiceField(choices=Role.choices)
    created_at = serializers.DateTimeField(source="project.created_at")
    channel_map = serializers.SerializerMethodField()
    correction_threshold = serializers.IntegerField(source="project.correction_threshold")
    train_schedule = serializers.CharField(source="project.train_schedule")
    blind_held_out = serializers.BooleanField(source="project.blind_held_out")
    held_out_target = serializers.IntegerField(source="project.held_out_target")
    deep = serializers.BooleanField(source="project.deep")
    presegmentation = serializers.SerializerMethodField()
    active_version = VersionRefOut(source="project.active_version", allow_null=True)
    counts = ProjectCountsOut(source="figures.counts")
    cells = serializers.IntegerField(source="figures.cells")

    @extend_schema_field(ChannelMap(allow_null=True))
    def get_channel_map(self, view: ProjectData) -> dict[str, Any] | None:
        return view.project.channel_map

    @extend_schema_field(PresegmentationOut)
    def get_presegmentation(self, view: ProjectData) -> dict[str, Any]:
        return PresegmentationOut(presegmentation(view.project)).data


class ProjectIn(serializers.Serializer):
    name = serializers.CharField(max_length=200)


class ProjectPatchIn(serializers.Serializer):
    name = serializers.CharField(max_length=200, required=False)
    correction_threshold = serializers.IntegerField(min_value=1, max_value=1_000_000, required=False)
    train_schedule = serializers.CharField(
        max_length=100, required=False, allow_blank=True, help_text="crontab of five fields; empty for none"
    )


class MemberIn(serializers.Serializer):
    username = serializers.CharField(max_length=150)
    role = serializers.ChoiceField(choices=Role.choices)


class MemberRoleIn(serializers.Serializer):
    role = serializers.ChoiceField(choices=Role.choices)


class MemberOut(serializers.Serializer):
    user = UserOut()
    role = serializers.ChoiceField(choices=Role.choices)
    since = serializers.DateTimeField(source="created_at")


class ChannelMapOut(serializers.Serializer):
    channel_map = ChannelMap()
    continued = serializers.IntegerField(help_text="images that had waited for it and go on now")


class ProjectsView(APIView):
    """The projects that the user is a member of."""

    @extend_schema(operation_id="project_list", responses={200: ProjectOut(many=True), 401: ERRORS[401]})
    def get(self, request: Request) -> Response:
        return Response(ProjectOut(project_views(request.user), many=True).data)

    @extend_schema(
        operation_id="project_create",
        request=ProjectIn,
        responses={201: ProjectOut, 401: ERRORS[401], **INVALID},
    )
    def post(self, request: Request) -> Response:
        given = ProjectIn(data=request.data)
        given.is_valid(raise_exception=True)
        project = project_create(created_by=request.user, **given.validated_data)
        return Response(ProjectOut(project_view(project, Role.OWNER)).data, status=201)


class ProjectView(APIView):
    """One project."""

    @extend_schema(operation_id="project_get", responses={200: ProjectOut, **ERRORS})
    def get(self, request: Request, project_id: UUID) -> Response:
        return Response(ProjectOut(project_view(*project_for(request.user, project_id))).data)

    @extend_schema(
        operation_id="project_update",
        request=ProjectPatchIn,
        responses={200: ProjectOut, **ERRORS, **INVALID},
    )
    def patch(self, request: Request, project_id: UUID) -> Response:
        project, role = project_for(request.user, project_id, at_least=Role.ADMIN)
        given = ProjectPatchIn(data=request.data)
        given.is_valid(raise_exception=True)
        return Response(
            ProjectOut(project_view(project_update(project=project, **given.validated_data), role)).data
        )

    @extend_schema(operation_id="project_delete", responses={204: None, **ERRORS})
    def delete(self, request: Request, project_id: UUID) -> Response:
        project_delete(project=project_for(request.user, project_id, at_least=Role.OWNER)[0])
        return no_content()


class ChannelMapView(APIView):
    """Which channel shows what, for all images of the project."""

    @extend_schema(
        operation_id="channel_map_set",
        request=ChannelMap,
        responses={200: ChannelMapOut, **ERRORS, **INVALID},
    )
    def put(self, request: Request, project_id: UUID) -> Response:
        project, _ = project_for(request.user, project_id, at_least=Role.ANNOTATOR)
        given = ChannelMap(data=request.data)
        given.is_valid(raise_exception=True)
        chosen = given.validated_data
        continued = channel_map_set(project=project, channel_map=chosen)
        return Response(ChannelMapOut({"channel_map": chosen, "continued": continued}).data)


class MembersView(APIView):
    """Who works in the project."""

    @extend_schema(operation_id="member_list", responses={200: MemberOut(many=True), **ERRORS})
    def get(self, request: Request, project_id: UUID) -> Response:
        project, _ = project_for(request.user, project_id)
        members = project.memberships.select_related("user").order_by("created_at")
        return Response(MemberOut(members, many=True).data)

    @extend_schema(
        operation_id="member_add",
        request=MemberIn,
        responses={201: MemberOut, **ERRORS, **INVALID, **CONFLICT},
    )
    def post(self, request: Request, project_id: UUID) -> Response:
        project, role = project_for(request.user, project_id, at_least=Role.ADMIN)
        given = MemberIn(data=request.data)
        given.is_valid(raise_exception=True)
        member = _with_role(given.validated_data)
        return Response(MemberOut(member_add(project=project, by_role=role, **member)).data, status=201)


class MemberView(APIView):
    """One member of the project."""

    @extend_schema(
        operation_id="member_set_role", request=MemberRoleIn, responses={200: MemberOut, **ERRORS, **CONFLICT}
    )
    def patch(self, request: Request, project_id: UUID, user_id: int) -> Response:
        project, role = project_for(request.user, project_id, at_least=Role.ADMIN)
        given = MemberRoleIn(data=request.data)
        given.is_valid(raise_exception=True)
        member: Membership = member_set_role(
            project=project, user_id=user_id, by_role=role, **_with_role(given.validated_data)
        )
        return Response(MemberOut(member).data)

    @extend_schema(operation_id="member_remove", responses={204: None, **ERRORS, **CONFLICT})
    def delete(self, request: Request, project_id: UUID, user_id: int) -> Response:
        project, role = project_for(request.user, project_id, at_least=Role.ADMIN)
        member_remove(project=project, user_id=user_id, by_role=role)
        return no_content()


def _with_role(data: dict[str, Any]) -> dict[str, Any]:
    return data | {"role": Role(data["role"])}
