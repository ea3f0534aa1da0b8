"""Model versions: immutable weights, and which of them was active when."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

# Names that a configuration of worker.cellsam may have; `vit_b` is what `paper` was called at first.
ARCHITECTURES = ("tiny", "paper", "published", "vit_b")


class VersionStatus(models.TextChoices):
    BASE = "base"
    IMPORTED = "imported"
    CANDIDATE = "candidate"
    PROMOTED = "promoted"
    REJECTED = "rejected"
    NOT_ENOUGH_EVIDENCE = "not_enough_evidence"
    FAILED = "failed"


def weights_path(version: ModelVersion, filename: str) -> str:
    """Where the weights are stored; the name carries the version's id, so no two can meet."""
    owner = f"projects/{version.project_id}/versions" if version.project_id else "base"
    return f"weights/{owner}/{version.id}.safetensors"


class ModelVersion(models.Model):
    """A base (full weights, no project), a project's tuned version (the tuned parts alone, on a parent base), or a full
    model that somebody imported into a project (full weights, no parent).

    All but ``name`` and ``status`` is fixed once it is stored: a trigger of the database refuses to change it.
    ``finder_hash`` is empty for versions of releases that did not record it: the finder is then that of the full
    weights. ``evaluation`` is what the gate saw, ``reason`` what it said.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(
        "labeling.Project", null=True, blank=True, on_delete=models.CASCADE, related_name="versions"
    )
    number = models.PositiveIntegerField()
    name = models.CharField(max_length=100)
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.RESTRICT, related_name="tuned")
    rung = models.PositiveSmallIntegerField(
        default=0
    )  # of the ladder (labeling.ladder); 0: nothing was tuned
    # the run that made it
    run = models.ForeignKey(
        "labeling.TrainingRun", null=True, blank=True, on_delete=models.SET_NULL, related_name="candidates"
    )
    architecture = models.CharField(max_length=16, choices=[(name, name) for name in ARCHITECTURES])
    weights = models.FileField(upload_to=weights_path, max_length=255)
    weights_sha256 = models.CharField(max_length=64)
    trunk_hash = models.CharField(max_length=64)
    neck_hash = models.CharField(max_length=64)
    finder_hash = models.CharField(max_length=64, blank=True)
    preprocessing = models.CharField(max_length=100)
    threshold = models.FloatField()
    licence = models.TextField(blank=True)
    metrics = models.JSONField(default=dict, blank=True)
    config = models.JSONField(default=dict, blank=True)
    curve = models.JSONField(default=list, blank=True)
    snapshot = models.JSONField(default=list, blank=True)  # the run's
    evaluation = models.JSONField(default=dict, blank=True)
    reason = models.TextField(blank=True)
    status = models.CharField(max_length=20, choices=VersionStatus.choices)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "number"], name="version_number_once", nulls_distinct=False
            ),
            models.UniqueConstraint(
                fields=["weights_sha256"], condition=Q(project__isnull=True), name="version_base_once"
            ),
            models.CheckConstraint(condition=Q(status__in=VersionStatus.values), name="version_status_known"),
            models.CheckConstraint(
                condition=Q(project__isnull=True, parent__isnull=True, rung=0, status=VersionStatus.BASE)
                | Q(project__isnull=False, parent__isnull=True, rung=0, status=VersionStatus.IMPORTED)
                | (
                    Q(project__isnull=False, parent__isnull=False, rung__gte=1, rung__lte=3)
                    & ~Q(status__in=[VersionStatus.BASE, VersionStatus.IMPORTED])
                ),
                name="version_full_or_tuned",
            ),
            models.CheckConstraint(
                condition=Q(threshold__gte=0, threshold__lte=1), name="version_threshold_a_share"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def takes_points(self) -> bool:
        """Whether its decoder was trained on clicks: that of `tiny` saw boxes alone."""
        return self.architecture != "tiny"


class Promotion(models.Model):
    """The history of a project's active version."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey("labeling.Project", on_delete=models.CASCADE, related_name="promotions")
    version = models.ForeignKey(ModelVersion, on_delete=models.RESTRICT, related_name="promotions")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    run = models.ForeignKey(
        "labeling.TrainingRun", null=True, blank=True, on_delete=models.SET_NULL, related_name="promotions"
    )
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-at"]

    def __str__(self) -> str:
        return f"{self.version} at {self.at:%Y-%m-%d %H:%M}"
