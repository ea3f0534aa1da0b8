"""One turn of the loop: what was trained, on what, against what, and what the gate said."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q


class RunReason(models.TextChoices):
    THRESHOLD = "threshold"
    SCHEDULE = "schedule"
    MANUAL = "manual"


class RunDecision(models.TextChoices):
    PROMOTED = "promoted"
    REJECTED = "rejected"
    NOT_ENOUGH_EVIDENCE = "not_enough_evidence"
    FAILED = "failed"


class TrainingRun(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey("labeling.Project", on_delete=models.CASCADE, related_name="runs")
    job = models.OneToOneField("labeling.Job", on_delete=models.CASCADE, related_name="run")
    base = models.ForeignKey("labeling.ModelVersion", on_delete=models.RESTRICT, related_name="+")
    # the version that was active when the run started: the candidate must beat this one
    compared_with = models.ForeignKey("labeling.ModelVersion", on_delete=models.RESTRICT, related_name="+")
    # the best of ``candidates``: the one that was promoted, or that came nearest to it
    candidate = models.OneToOneField(
        "labeling.ModelVersion", null=True, blank=True, on_delete=models.RESTRICT, related_name="+"
    )
    reason = models.CharField(max_length=16, choices=RunReason.choices)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    snapshot = models.JSONField(
        default=list
    )  # [{"image": uuid, "revision": int, "split": "train" | "held_out"}]
    # what the run was told to do (selectors.training.run_settings), and what it did
    config = models.JSONField(default=dict, blank=True)
    corrected_cells = models.PositiveIntegerField(default=0)
    evaluation = models.JSONField(default=dict, blank=True)
    curve = models.JSONField(default=list, blank=True)
    decision = models.CharField(max_length=20, choices=RunDecision.choices, blank=True)
    decision_reason = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(condition=Q(reason__in=RunReason.values), name="run_reason_known"),
            models.CheckConstraint(
                condition=Q(decision__in=["", *RunDecision.values]), name="run_decision_known"
            ),
            models.CheckConstraint(
                condition=Q(decision="") | Q(finished_at__isnull=False), name="run_decided_is_finished"
            ),
        ]

    def __str__(self) -> str:
        return f"run of {self.created_at:%Y-%m-%d %H:%M}"
