"""Who has an image open and who may edit it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from labeling.api.people import TabOut
from labeling.api.views import ERRORS, INVALID, no_content
from labeling.models import Image, Role
from labeling.selectors.access import RANKS, image_for
from labeling.selectors.presence import BEAT_S, LEASE_S, Lease, lease_end, tab
from labeling.services.leases import lease_beat, lease_leave


class LeaseIn(serializers.Serializer):
    session = serializers.CharField(max_length=64, help_text="made by the client, one a tab")
    take_over = serializers.BooleanField(required=False, default=False)
    want = serializers.BooleanField(required=False, default=True, help_text="false: only be seen")


class LeaveIn(serializers.Serializer):
    session = serializers.CharField(max_length=64)


class LeaseOut(serializers.Serializer):
    mine = serializers.BooleanField()
    holder = TabOut(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True)
    ttl_s = serializers.IntegerField()
    beat_s = serializers.IntegerField(help_text="ask again after this time")
    revision = serializers.IntegerField()
    people = TabOut(many=True)


class LeaseView(APIView):
    """A tab's heartbeat: it is there, and edits if nobody else does or it takes over."""

    @extend_schema(operation_id="lease_beat", request=LeaseIn, responses={200: LeaseOut, **ERRORS, **INVALID})
    def post(self, request: Request, image_id: UUID) -> Response:
        image = image_for(request.user, image_id)
        given = LeaseIn(data=request.data)
        given.is_valid(raise_exception=True)
        lease = lease_beat(image=image, user=request.user, may_edit=_may_edit(image), **given.validated_data)
        return Response(_lease(lease))

    @extend_schema(
        operation_id="lease_release",
        parameters=[OpenApiParameter("session", str, required=True)],
        responses={204: None, **ERRORS},
    )
    def delete(self, request: Request, image_id: UUID) -> Response:
        image = image_for(request.user, image_id)
        lease_leave(image=image, user=request.user, session=request.query_params.get("session", ""))
        return no_content()


class LeaveView(APIView):
    """The same as releasing, for a page that is being closed and can only post."""

    @extend_schema(operation_id="lease_leave", request=LeaveIn, responses={204: None, **ERRORS, **INVALID})
    def post(self, request: Request, image_id: UUID) -> Response:
        image = image_for(request.user, image_id)
        given = LeaveIn(data=request.data)
        given.is_valid(raise_exception=True)
        lease_leave(image=image, user=request.user, session=given.validated_data["session"])
        return no_content()


def _may_edit(image: Image) -> bool:
    role: Any = image.role  # type: ignore[attr-defined]
    return RANKS[Role(role)] >= RANKS[Role.ANNOTATOR]


def _lease(lease: Lease) -> dict[str, Any]:
    return LeaseOut(
        {
            "mine": lease.mine,
            "holder": tab(lease.holder) if lease.holder else None,
            "expires_at": lease_end(lease),
            "ttl_s": LEASE_S,
            "beat_s": BEAT_S,
            "revision": lease.revision,
            "people": [tab(row) for row in lease.people],
        }
    ).data
