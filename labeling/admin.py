"""Django's admin: users come from Django itself; here is the rest. What the loop writes is read-only."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from labeling.models import (
    ApiToken,
    Image,
    Job,
    Membership,
    ModelVersion,
    Project,
    Promotion,
    Submission,
    TrainingRun,
)

admin.site.site_header = "CellLoop"
admin.site.site_title = "CellLoop"


class ReadOnlyAdmin(admin.ModelAdmin):
    """Rows that services write: an admin may look, and a hand cannot break what they hold together."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class MembershipInline(admin.TabularInline):
    model = Membership
    extra = 0
    autocomplete_fields = ["user"]


@admin.register(Project)
class ProjectAdmin(admin.ModelAdmin):
    """Projects and their members. The active version changes through the model page, which keeps the history."""

    list_display = [
        "name",
        "created_by",
        "created_at",
        "active_version",
        "correction_threshold",
        "train_schedule",
    ]
    search_fields = ["name"]
    fields = ["name", "created_by", "created_at", "active_version", "correction_threshold", "train_schedule"]
    readonly_fields = ["created_by", "created_at", "active_version", "train_schedule"]
    inlines = [MembershipInline]
    list_select_related = ["created_by", "active_version"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # the project page deletes the files too


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnlyAdmin):
    list_display = ["name", "project", "architecture", "status", "threshold", "created_at"]
    list_filter = ["status", "architecture"]
    search_fields = ["name", "project__name", "weights_sha256"]
    list_select_related = ["project"]


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    list_display = [
        "id",
        "kind",
        "status",
        "project",
        "image",
        "attempt",
        "progress",
        "created_at",
        "finished_at",
    ]
    list_filter = ["kind", "status"]
    search_fields = ["id", "project__name", "image__name"]
    list_select_related = ["project", "image"]


@admin.register(TrainingRun)
class TrainingRunAdmin(ReadOnlyAdmin):
    list_display = ["project", "reason", "decision", "corrected_cells", "created_at", "finished_at"]
    list_filter = ["decision", "reason"]
    list_select_related = ["project"]


@admin.register(Image)
class ImageAdmin(ReadOnlyAdmin):
    list_display = ["name", "project", "status", "width", "height", "cell_count", "split", "created_at"]
    list_filter = ["status", "split"]
    search_fields = ["name", "project__name"]
    list_select_related = ["project"]


@admin.register(Submission)
class SubmissionAdmin(ReadOnlyAdmin):
    list_display = ["image", "revision", "by", "at", "untouched", "reshaped", "missed", "false_cells"]
    list_select_related = ["image", "by"]


@admin.register(Promotion)
class PromotionAdmin(ReadOnlyAdmin):
    list_display = ["project", "version", "by", "at"]
    list_select_related = ["project", "version", "by"]


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnlyAdmin):
    """Tokens may be taken back here. What is shown is not the secret."""

    list_display = ["user", "name", "token_key", "created", "expiry"]
    fields = ["user", "name", "token_key", "created", "expiry"]
    list_select_related = ["user"]

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.is_superuser
