"""The loop as the model page shows it: versions, corrections, evidence, runs; starting, promoting, rolling back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from labeling.api.evaluations import EvaluationOut, evaluation_out
from labeling.api.jobs import JobOut
from labeling.api.projects import PresegmentationOut, VersionRefOut
from labeling.api.proofs import ProofOut
from labeling.api.views import CONFLICT, ERRORS, INVALID
from labeling.models import (
    ModelVersion,
    Presegmentation,
    Role,
    RunDecision,
    RunReason,
    VersionStatus,
)
from labeling.selectors.access import project_for, run_for
from labeling.selectors.loop import VERSION_STATES, VersionView, loop_view
from labeling.selectors.people import display_name
from labeling.selectors.runs import RunView, run_view
from labeling.selectors.training import run_settings
from labeling.services.activation import version_activate
from labeling.services.loop_settings import LARGEST_TARGET, LARGEST_THRESHOLD, loop_settings_set
from labeling.services.training import training_cancel, training_start


class CandidateOut(serializers.Serializer):
    """A version that a run made, on one rung of the ladder."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    number = serializers.IntegerField()
    rung = serializers.IntegerField()
    status = serializers.ChoiceField(choices=VersionStatus.choices)
    reason = serializers.CharField()
    f1 = serializers.SerializerMethodField()

    def get_f1(self, version: ModelVersion) -> float | None:
        return version.metrics.get("f1")


class TrainingRunOut(serializers.Serializer):
    id = serializers.UUIDField(source="run.id")
    reason = serializers.ChoiceField(source="run.reason", choices=RunReason.choices)
    started_by = serializers.SerializerMethodField()
    corrected_cells = serializers.IntegerField(source="run.corrected_cells")
    images = serializers.IntegerField()
    held_out_images = serializers.IntegerField()
    compared_with = VersionRefOut(source="run.compared_with")
    candidate = VersionRefOut(source="run.candidate", allow_null=True, help_text="the best of the candidates")
    candidates = serializers.SerializerMethodField()
    rungs = serializers.SerializerMethodField()
    job = JobOut(source="run.job")
    evaluation = serializers.SerializerMethodField()
    curve = serializers.JSONField(source="run.curve")
    decision = serializers.ChoiceField(source="run.decision", choices=RunDecision.choices, allow_blank=True)
    decision_reason = serializers.CharField(source="run.decision_reason")
    created_at = serializers.DateTimeField(source="run.created_at")
    finished_at = serializers.DateTimeField(source="run.finished_at", allow_null=True)

    def get_started_by(self, view: RunView) -> str | None:
        return display_name(view.run.started_by) if view.run.started_by else None

    @extend_schema_field(CandidateOut(many=True))
    def get_candidates(self, view: RunView) -> Any:
        candidates = sorted(view.run.candidates.all(), key=lambda version: version.number)
        return CandidateOut(candidates, many=True).data

    @extend_schema_field(serializers.ListField(child=serializers.IntegerField()))
    def get_rungs(self, view: RunView) -> list[int]:
        return [int(rung) for rung in run_settings(view.run)["rungs"]]

    @extend_schema_field(EvaluationOut(allow_null=True))
    def get_evaluation(self, view: RunView) -> dict[str, Any] | None:
        return evaluation_out(view.evaluation)


class OutcomeCountsOut(serializers.Serializer):
    untouched = serializers.IntegerField()
    reshaped = serializers.IntegerField()
    missed = serializers.IntegerField()
    false = serializers.IntegerField()


class SnapshotOut(serializers.Serializer):
    """How many images the version was made from and judged by."""

    images = serializers.IntegerField()
    train = serializers.IntegerField()
    held_out = serializers.IntegerField()


class ModelVersionOut(serializers.Serializer):
    id = serializers.UUIDField(source="version.id")
    number = serializers.IntegerField(source="version.number")
    name = serializers.CharField(source="version.name")
    is_base = serializers.BooleanField()
    parent = serializers.UUIDField(source="version.parent_id", allow_null=True)  # type: ignore[assignment]
    architecture = serializers.CharField(source="version.architecture")
    licence = serializers.CharField(source="version.licence")
    threshold = serializers.FloatField(source="version.threshold")
    rung = serializers.IntegerField(
        source="version.rung", help_text="0: full weights; 1: neck; 2: neck and CellFinder; 3: trunk too"
    )
    run = serializers.UUIDField(source="version.run_id", allow_null=True)
    weights_sha256 = serializers.CharField(source="version.weights_sha256")
    trunk_hash = serializers.CharField(source="version.trunk_hash")
    neck_hash = serializers.CharField(source="version.neck_hash")
    finder_hash = serializers.CharField(source="version.finder_hash")
    metrics = serializers.DictField(source="version.metrics")
    config = serializers.DictField(source="version.config")
    curve = serializers.JSONField(source="version.curve")
    snapshot = serializers.SerializerMethodField()
    evaluation = serializers.SerializerMethodField()
    status = serializers.ChoiceField(source="version.status", choices=VersionStatus.choices)
    state = serializers.ChoiceField(choices=VERSION_STATES)
    reason = serializers.CharField(help_text="what the gate said; empty for a base")
    outcomes = OutcomeCountsOut()
    activated_at = serializers.DateTimeField(allow_null=True)
    activated_by = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField(source="version.created_at")

    @extend_schema_field(SnapshotOut)
    def get_snapshot(self, view: VersionView) -> dict[str, int]:
        train = view.images - view.held_out_images
        return {"images": view.images, "train": train, "held_out": view.held_out_images}

    @extend_schema_field(EvaluationOut(allow_null=True))
    def get_evaluation(self, view: VersionView) -> dict[str, Any] | None:
        return evaluation_out(view.evaluation)


class VersionOutcomesOut(OutcomeCountsOut):
    version = serializers.UUIDField(allow_null=True)
    name = serializers.CharField()


class CorrectionsOut(OutcomeCountsOut):
    """Counts over the latest submission of each image that people labelled on top of outlines."""

    corrected = serializers.IntegerField(help_text="cells mended in images that train")
    needed = serializers.IntegerField(help_text="of these, before a run starts by itself")
    since_last_run = serializers.IntegerField()
    threshold = serializers.IntegerField()
    by_version = VersionOutcomesOut(many=True)


class EvidenceOut(serializers.Serializer):
    images = serializers.IntegerField()
    submitted = serializers.IntegerField()
    deciding = serializers.IntegerField(
        help_text="submitted with cells and labelled without seeing outlines; a movie counts once"
    )
    needed = serializers.IntegerField()


class PendingVersionOut(serializers.Serializer):
    """A version that serves once the features of ``total`` images were computed with its own trunk."""

    version = VersionRefOut()
    since = serializers.DateTimeField()
    done = serializers.IntegerField()
    total = serializers.IntegerField()


class ReadinessOut(serializers.Serializer):
    can_start = serializers.BooleanField()
    reason = serializers.CharField(help_text="why nobody can start a run; else empty")
    automatic_reason = serializers.CharField(help_text="why none starts by itself; else empty")


class LoopSettingsOut(serializers.Serializer):
    correction_threshold = serializers.IntegerField()
    train_schedule = serializers.CharField(help_text="crontab of five fields; empty for none")
    blind_held_out = serializers.BooleanField(help_text="held-out images are labelled without outlines")
    held_out_target = serializers.IntegerField(help_text="groups of images held out at most")
    presegmentation = serializers.ChoiceField(choices=Presegmentation.choices)
    deep = serializers.BooleanField(help_text="runs may tune the trunk too")


class LoopSettingsIn(serializers.Serializer):
    """What is given is changed."""

    correction_threshold = serializers.IntegerField(min_value=1, max_value=LARGEST_THRESHOLD, required=False)
    train_schedule = serializers.CharField(max_length=100, required=False, allow_blank=True)
    blind_held_out = serializers.BooleanField(required=False)
    held_out_target = serializers.IntegerField(min_value=0, max_value=LARGEST_TARGET, required=False)
    presegmentation = serializers.ChoiceField(choices=Presegmentation.choices, required=False)
    deep = serializers.BooleanField(required=False)


class ModelOut(serializers.Serializer):
    active = ModelVersionOut(allow_null=True)
    versions = ModelVersionOut(many=True)
    pending = PendingVersionOut(allow_null=True)
    corrections = CorrectionsOut()
    held_out = EvidenceOut()
    training = ReadinessOut(source="readiness")
    settings = LoopSettingsOut(source="project")
    presegmentation = PresegmentationOut()
    run = TrainingRunOut(allow_null=True, help_text="the one that is queued or running")
    runs = TrainingRunOut(many=True)
    schedule = serializers.CharField(source="project.train_schedule", allow_blank=True)
    proof = ProofOut()


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


class LoopSettingsView(APIView):
    """When the loop trains, what people see before they label, and how deep runs may go."""

    @extend_schema(
        operation_id="loop_settings_set",
        request=LoopSettingsIn,
        responses={200: ModelOut, **ERRORS, **INVALID},
    )
    def put(self, request: Request, project_id: UUID) -> Response:
        project, _ = project_for(request.user, project_id, at_least=Role.ADMIN)
        given = LoopSettingsIn(data=request.data)
        given.is_valid(raise_exception=True)
        loop_settings_set(project=project, **given.validated_data)
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
        return Response(TrainingRunOut(run_view(run.pk)).data, status=201)


class TrainingRunCancelView(APIView):
    """End a run at its next step."""

    @extend_schema(operation_id="training_cancel", request=None, responses={200: TrainingRunOut, **ERRORS})
    def post(self, request: Request, run_id: UUID) -> Response:
        training_cancel(run=run_for(request.user, run_id, at_least=Role.ADMIN))
        return Response(TrainingRunOut(run_view(run_id)).data)
