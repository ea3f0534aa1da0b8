"""Long acts as rows that people can see. The row is the truth; a message only carries its id."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q


class JobKind(models.TextChoices):
    INGEST = "ingest"
    SEGMENT = "segment"
    EMBED = "embed"
    TRAIN = "train"


class JobStatus(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


OPEN = Q(status__in=[JobStatus.QUEUED, JobStatus.RUNNING])


class Job(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=8, choices=JobKind.choices)
    project = models.ForeignKey("labeling.Project", on_delete=models.CASCADE, related_name="jobs")
    image = models.ForeignKey(
        "labeling.Image", null=True, blank=True, on_delete=models.CASCADE, related_name="jobs"
    )
    status = models.CharField(max_length=10, choices=JobStatus.choices, default=JobStatus.QUEUED)
    attempt = models.PositiveSmallIntegerField(default=0)
    fence = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    progress = models.FloatField(default=0.0)
    message = models.CharField(max_length=300, blank=True)
    error = models.TextField(blank=True)
    cancel_requested = models.BooleanField(default=False)
    payload = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["status", "sent_at"], condition=OPEN, name="job_open"),
            models.Index(fields=["project", "created_at"], name="job_by_project"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["image", "kind"], condition=OPEN, name="job_one_open_an_image"),
            models.UniqueConstraint(
                fields=["project"], condition=OPEN & Q(kind=JobKind.TRAIN), name="job_one_open_training"
            ),
            models.CheckConstraint(condition=Q(kind__in=JobKind.values), name="job_kind_known"),
            models.CheckConstraint(condition=Q(status__in=JobStatus.values), name="job_status_known"),
            models.CheckConstraint(
                condition=Q(progress__gte=0, progress__lte=1), name="job_progress_is_a_share"
            ),
            models.CheckConstraint(
                condition=Q(kind=JobKind.TRAIN, image__isnull=True)
                | (~Q(kind=JobKind.TRAIN) & Q(image__isnull=False)),
                name="job_names_its_image",
            ),
            models.CheckConstraint(
                condition=~Q(status=JobStatus.RUNNING) | Q(lease_until__isnull=False),
                name="job_running_has_a_lease",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"

    @property
    def is_open(self) -> bool:
        return self.status in (JobStatus.QUEUED, JobStatus.RUNNING)
