"""The loop as the model page shows it: versions, corrections, evidence, runs; starting, promoting, rolling back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from labeling.api.jobs import JobOut
from labeling.api.projects import VersionRefOut
from labeling.api.views import CONFLICT, ERRORS, INVALID
from labeling.models import Role, RunDecision, RunReason, TrainingRun, VersionStatus
from labeling.selectors.access import project_for, run_for
from labeling.selectors.loop import VERSION_STATES, loop_view
from labeling.selectors.people import display_name
from labeling.services.training import training_cancel, training_start, version_activate


class FiguresOut(serializers.Serializer):
    """One model on the held-out images of a run."""

    f1 = serializers.FloatField()
    precision = serializers.FloatField()
    recall = serializers.FloatField()
    miou = serializers.FloatField(help_text="mean IoU of the masks that true boxes give")
    count_error = serializers.FloatField(help_text="mean share of cells too many or too few")


class ChangeOut(serializers.Serializer):
    """A figure of both models, and the 95% interval of the difference, by a paired bootstrap over images."""

    active = serializers.FloatField()
    candidate = serializers.FloatField()
    low = serializers.FloatField()
    high = serializers.FloatField()


class GateOut(serializers.Serializer):
    outcome = serializers.CharField()
    reason = serializers.CharField()
    f1 = ChangeOut(allow_null=True)
    miou = ChangeOut(allow_null=True)
    groups = serializers.DictField(child=ChangeOut())


class EvaluationOut(serializers.Serializer):
    active = FiguresOut()
    candidate = FiguresOut()
    images = serializers.IntegerField()
    gate = GateOut()


class TrainingRunOut(serializers.Serializer):
    id = serializers.UUIDField()
    reason = serializers.ChoiceField(choices=RunReason.choices)
    started_by = serializers.SerializerMethodField()
    corrected_cells = serializers.IntegerField()
    images = serializers.SerializerMethodField()
    held_out_images = serializers.SerializerMethodField()
    compared_with = VersionRefOut()
    candidate = VersionRefOut(allow_null=True)
    job = JobOut()
    evaluation = serializers.SerializerMethodField()
    curve = serializers.JSONField()
    decision = serializers.ChoiceField(choices=RunDecision.choices, allow_blank=True)
    decision_reason = serializers.CharField()
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)

    def get_started_by(self, run: TrainingRun) -> str | None:
        return display_name(run.started_by) if run.started_by else None

    def get_images(self, run: TrainingRun) -> int:
        return len(run.snapshot)

    def get_held_out_images(self, run: TrainingRun) -> int:
        return sum(entry["split"] == "held_out" for entry in run.snapshot)

    @extend_schema_field(EvaluationOut(allow_null=True))
    def get_evaluation(self, run: TrainingRun) -> dict[str, Any] | None:
        return (
            {key: run.evaluation[key] for key in ("active", "candidate", "images", "gate")}
            if run.evaluation
            else None
        )


class OutcomeCountsOut(serializers.Serializer):
    untouched = serializers.IntegerField()
    reshaped = serializers.IntegerField()
    missed = serializers.IntegerField()
    false = serializers.IntegerField()


class ModelVersionOut(serializers.Serializer):
    id = serializers.UUIDField(source="version.id")
    number = serializers.IntegerField(source="version.number")
    name = serializers.CharField(source="version.name")
    is_base = serializers.BooleanField()
    parent = serializers.UUIDField(source="version.parent_id", allow_null=True)  # type: ignore[assignment]
    architecture = serializers.CharField(source="version.architecture")
    licence = serializers.CharField(source="version.licence")
    threshold = serializers.FloatField(source="version.threshold")
    metrics = serializers.DictField(source="version.metrics")
    status = serializers.ChoiceField(source="version.status", choices=VersionStatus.choices)
    state = serializers.ChoiceField(choices=VERSION_STATES)
    reason = serializers.CharField(help_text="what the gate said; empty for a base")
    outcomes = OutcomeCountsOut()
    activated_at = serializers.DateTimeField(allow_null=True)
    activated_by = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField(source="version.created_at")


class VersionOutcomesOut(OutcomeCountsOut):
    version = serializers.UUIDField(allow_null=True)
    name = serializers.CharField()


class CorrectionsOut(OutcomeCountsOut):
    """Counts over the latest submission of each image."""

    since_last_run = serializers.IntegerField()
    threshold = serializers.IntegerField()
    by_version = VersionOutcomesOut(many=True)


class EvidenceOut(serializers.Serializer):
    images = serializers.IntegerField()
    submitted = serializers.IntegerField()
    needed = serializers.IntegerField()


class ModelOut(serializers.Serializer):
    active = ModelVersionOut(allow_null=True)
    versions = ModelVersionOut(many=True)
    corrections = CorrectionsOut()
    held_out = EvidenceOut()
    run = TrainingRunOut(allow_null=True, help_text="the one that is queued or running")
    runs = TrainingRunOut(many=True)
    schedule = serializers.CharField(allow_blank=True)


class ActiveVersionIn(serializers.Serializer):
    version = serializers.UUIDField()


class ModelView(APIView):
    """Everything that the model page shows."""

    @extend_schema(operation_id="model_get", responses={200: ModelOut, **ERRORS})
    def get(self, request: Request, project_id: UUID) -> Response:
        project, _ = project_for(request.user, project_id)
        return Response(ModelOut(loop_view(project)).data)


class ActiveVersionView(APIView):
    """Promote a version by hand, or roll back to an earlier one."""

    @extend_schema(
        operation_id="active_version_set",
        request=ActiveVersionIn,
        responses={200: ModelOut, **ERRORS, **INVALID},
    )
    def put(self, request: Request, project_id: UUID) -> Response:
        project, _ = project_for(request.user, project_id, at_least=Role.ADMIN)
        given = ActiveVersionIn(data=request.data)
        given.is_valid(raise_exception=True)
        version_id = given.validated_data["version"]
        version_activate(project_id=project.pk, version_id=version_id, by=request.user)
        return Response(ModelOut(loop_view(project_for(request.user, project_id)[0])).data)


class TrainingRunsView(APIView):
    """Start a run by hand."""

    @extend_schema(
        operation_id="training_start",
        request=None,
        responses={201: TrainingRunOut, **ERRORS, **INVALID, **CONFLICT},
    )
    def post(self, request: Request, project_id: UUID) -> Response:
        project, _ = project_for(request.user, project_id, at_least=Role.ADMIN)
        run = training_start(project_id=project.pk, reason=RunReason.MANUAL, started_by=request.user)
        return Response(TrainingRunOut(run).data, status=201)


class TrainingRunCancelView(APIView):
    """End a run at its next step."""

    @extend_schema(operation_id="training_cancel", request=None, responses={200: TrainingRunOut, **ERRORS})
    def post(self, request: Request, run_id: UUID) -> Response:
        training_cancel(run=run_for(request.user, run_id, at_least=Role.ADMIN))
        return Response(TrainingRunOut(run_for(request.user, run_id)).data)
