"""Segmentations that came after a person's edit: shown, accepted or dismissed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from labeling.api.cells import PatchJson, StaleOut, edits_missed
from labeling.api.projects import VersionRefOut
from labeling.api.views import CONFLICT, ERRORS, INVALID, no_content
from labeling.errors import StaleRevision
from labeling.models import Proposal, Role
from labeling.patch import Patch
from labeling.selectors.access import image_for, proposal_for
from labeling.selectors.proposals import open_proposals
from labeling.services.proposals import proposal_accept, proposal_dismiss


class ProposalOut(serializers.Serializer):
    id = serializers.UUIDField()
    created_at = serializers.DateTimeField()
    model_version = VersionRefOut()
    cells = serializers.SerializerMethodField()
    patch = serializers.SerializerMethodField()

    def get_cells(self, proposal: Proposal) -> int:
        return len(proposal.patch["added"])

    @extend_schema_field(PatchJson)
    def get_patch(self, proposal: Proposal) -> dict[str, Any]:
        return Patch.from_json(proposal.patch).to_json()


class ProposalsOut(serializers.Serializer):
    proposals = ProposalOut(many=True)


class ProposalAcceptIn(serializers.Serializer):
    id = serializers.UUIDField(help_text="of the edit that it becomes")
    base_revision = serializers.IntegerField(min_value=0)
    mode = serializers.ChoiceField(
        choices=[("replace", "replace"), ("add", "add")],
        help_text="replace: instead of the image's cells; add: those that cover no cell of it",
    )
    session = serializers.CharField(max_length=64, required=False, allow_null=True, default=None)


class ProposalAcceptedOut(serializers.Serializer):
    id = serializers.UUIDField(source="edit_id")
    revision = serializers.IntegerField()
    patch = PatchJson()


class ProposalsView(APIView):
    """The proposals that nobody has decided on, newest first."""

    @extend_schema(operation_id="proposal_list", responses={200: ProposalsOut, **ERRORS})
    def get(self, request: Request, image_id: UUID) -> Response:
        image = image_for(request.user, image_id)
        return Response(ProposalsOut({"proposals": open_proposals(image.pk)}).data)


class ProposalAcceptView(APIView):
    """The proposal becomes an edit of whoever accepts it."""

    @extend_schema(
        operation_id="proposal_accept",
        request=ProposalAcceptIn,
        responses={200: ProposalAcceptedOut, **ERRORS, **INVALID, 409: OpenApiResponse(StaleOut)},
    )
    def post(self, request: Request, proposal_id: UUID) -> Response:
        proposal = proposal_for(request.user, proposal_id, at_least=Role.ANNOTATOR)
        given = ProposalAcceptIn(data=request.data)
        given.is_valid(raise_exception=True)
        values = dict(given.validated_data)
        try:
            accepted = proposal_accept(proposal=proposal, by=request.user, edit_id=values.pop("id"), **values)
        except StaleRevision as error:
            error.extra |= edits_missed(proposal.image_id, values["base_revision"])
            raise
        return Response(ProposalAcceptedOut(accepted).data)


class ProposalDismissView(APIView):
    """Not shown any more."""

    @extend_schema(operation_id="proposal_dismiss", request=None, responses={204: None, **ERRORS, **CONFLICT})
    def post(self, request: Request, proposal_id: UUID) -> Response:
        proposal = proposal_for(request.user, proposal_id, at_least=Role.ANNOTATOR)
        proposal_dismiss(proposal=proposal, by=request.user)
        return no_content()
