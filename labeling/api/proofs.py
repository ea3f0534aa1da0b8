"""The figures that say whether the loop pays: for plots, and as a table to take along."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from labeling.api.views import ERRORS, attachment
from labeling.selectors.access import project_for
from labeling.selectors.proof import proof_csv


class VersionProofOut(serializers.Serializer):
    """Images that people labelled with one version's cells before them; ``version`` null: on the bare image."""

    version = serializers.UUIDField(allow_null=True)
    name = serializers.CharField()
    images = serializers.IntegerField()
    cells = serializers.IntegerField(source="work.cells")
    actions_per_cell = serializers.FloatField(source="work.actions_per_cell", allow_null=True)
    seconds_per_cell = serializers.FloatField(source="work.seconds_per_cell", allow_null=True)
    share_untouched = serializers.FloatField(source="work.share_untouched", allow_null=True)
    f1 = serializers.FloatField(allow_null=True, help_text="on held-out images")


class ProofPointOut(serializers.Serializer):
    """One submitted image."""

    at = serializers.DateTimeField()
    image = serializers.UUIDField()
    name = serializers.CharField()
    version = serializers.UUIDField(allow_null=True)
    cells = serializers.IntegerField(source="work.cells")
    untouched = serializers.IntegerField(source="work.untouched")
    reshaped = serializers.IntegerField(source="work.reshaped")
    missed = serializers.IntegerField(source="work.missed")
    false = serializers.IntegerField(source="work.false")
    actions_per_cell = serializers.FloatField(source="work.actions_per_cell", allow_null=True)
    seconds_per_cell = serializers.FloatField(source="work.seconds_per_cell", allow_null=True)
    share_untouched = serializers.FloatField(source="work.share_untouched", allow_null=True)


class MeasuredRunOut(serializers.Serializer):
    """F1 on held-out images at the end of a run."""

    at = serializers.DateTimeField()
    version = serializers.UUIDField()
    name = serializers.CharField()
    active = serializers.FloatField()
    candidate = serializers.FloatField()
    images = serializers.IntegerField()
    decision = serializers.CharField()


class ProofOut(serializers.Serializer):
    rule = serializers.CharField(help_text="how actions and seconds are counted, for people")
    pause_s = serializers.FloatField()
    versions = VersionProofOut(many=True)
    points = ProofPointOut(many=True, help_text="the latest 500, oldest first")
    f1 = MeasuredRunOut(many=True)


class ProofCsvView(APIView):
    """One row for each submitted image."""

    @extend_schema(operation_id="proof_csv", responses={(200, "text/csv"): OpenApiTypes.BINARY, **ERRORS})
    def get(self, request: Request, project_id: UUID) -> HttpResponseBase:
        project, _ = project_for(request.user, project_id)
        headers = {"Content-Disposition": attachment(f"{project.name}.csv")}
        return HttpResponse(proof_csv(project), content_type="text/csv; charset=utf-8", headers=headers)
