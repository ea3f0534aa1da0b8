"""Projects and who works in them."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q


class Role(models.TextChoices):
    OWNER = "owner"
    ADMIN = "admin"
    ANNOTATOR = "annotator"
    VIEWER = "viewer"


class Presegmentation(models.TextChoices):
    """Whether people find the model's cells in an image when they open it."""

    AUTO = "auto"  # unless the model was measured to be wrong too often
    ALWAYS = "always"
    NEVER = "never"


class Project(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    # {"nuclear": channel name or null, "whole_cell": channel name or null, "rgb": bool}; null until someone chose
    channel_map = models.JSONField(null=True, blank=True)
    correction_threshold = models.PositiveIntegerField(default=200)
    train_schedule = models.CharField(max_length=100, blank=True, help_text="crontab, empty for none")
    blind_held_out = models.BooleanField(default=True, help_text="label held-out images without outlines")
    held_out_target = models.PositiveIntegerField(default=20, help_text="groups held out at most")
    presegmentation = models.CharField(
        max_length=6, choices=Presegmentation.choices, default=Presegmentation.AUTO
    )
    deep = models.BooleanField(default=False, help_text="runs may tune the trunk too")
    active_version = models.ForeignKey(
        "labeling.ModelVersion", null=True, blank=True, on_delete=models.RESTRICT, related_name="active_in"
    )
    # of the active version, as last measured on this project's held-out images; null: not measured yet
    active_precision = models.FloatField(null=True, blank=True)
    # of the active version's cells, by score (score_tally): on held-out images where its precision was measured there,
    # else of the images submitted since
    score_tally = models.JSONField(default=list)
    # the lowest score of cells that people are shown; null: they are better off without any
    shown_from = models.FloatField(null=True, blank=True, default=0.0)
    # a version with a trunk of its own: it becomes the active one once the features are there
    pending_version = models.ForeignKey(
        "labeling.ModelVersion", null=True, blank=True, on_delete=models.RESTRICT, related_name="pending_in"
    )
    pending_since = models.DateTimeField(null=True, blank=True)
    pending_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    # images that nobody has opened wait to be decoded by the active version
    redecode_due = models.BooleanField(default=False)
    members = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="labeling.Membership", related_name="projects"
    )

    class Meta:
        ordering = ["-created_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(correction_threshold__gte=1), name="project_threshold_positive"
            ),
            models.CheckConstraint(condition=~Q(name=""), name="project_named"),
            models.CheckConstraint(
                condition=Q(presegmentation__in=Presegmentation.values), name="project_presegmentation_known"
            ),
            models.CheckConstraint(
                condition=Q(pending_version__isnull=True) | Q(pending_since__isnull=False),
                name="project_pending_has_a_time",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role.choices)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "user"], name="membership_once"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="membership_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.project}: {self.role}"
