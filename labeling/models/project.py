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
    # the moment from which the schedule's next time is counted
    schedule_since = models.DateTimeField(null=True, blank=True)
    active_version = models.ForeignKey(
        "labeling.ModelVersion", null=True, blank=True, on_delete=models.RESTRICT, related_name="active_in"
    )
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
