"""Cells as they are now, and the append-only Edits that made them so."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q


class Source(models.TextChoices):
    MODEL = "model"
    PERSON = "person"


class Cell(models.Model):
    """One cell: RLE row-major inside the half-open box [x0, y0, x1, y1) in image pixels, background first."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    image = models.ForeignKey("labeling.Image", on_delete=models.CASCADE, related_name="cells")
    label = models.PositiveIntegerField()
    x0 = models.IntegerField()
    y0 = models.IntegerField()
    x1 = models.IntegerField()
    y1 = models.IntegerField()
    rle = ArrayField(models.IntegerField())
    area = models.PositiveIntegerField()
    score = models.FloatField(null=True, blank=True)
    source = models.CharField(max_length=8, choices=Source.choices)
    model_version = models.ForeignKey(
        "labeling.ModelVersion", null=True, blank=True, on_delete=models.RESTRICT, related_name="+"
    )
    cell_class = models.ForeignKey(
        "labeling.CellClass",
        null=True,
        blank=True,
        on_delete=models.RESTRICT,
        related_name="+",
        db_column="class_id",
        db_index=False,  # most cells have none: the index below is of those that do
    )
    job = models.ForeignKey(
        "labeling.Job", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering = ["label"]
        indexes = [
            models.Index(fields=["cell_class"], condition=Q(cell_class__isnull=False), name="cell_by_class")
        ]
        constraints = [
            models.UniqueConstraint(fields=["image", "label"], name="cell_label_once_an_image"),
            models.CheckConstraint(condition=Q(label__gt=0), name="cell_label_positive"),
            models.CheckConstraint(condition=Q(x0__gte=0, y0__gte=0), name="cell_box_inside"),
            models.CheckConstraint(condition=Q(x0__lt=F("x1"), y0__lt=F("y1")), name="cell_box_not_empty"),
            models.CheckConstraint(condition=Q(area__gt=0), name="cell_has_pixels"),
            models.CheckConstraint(condition=Q(source__in=Source.values), name="cell_source_known"),
        ]

    def __str__(self) -> str:
        return f"cell {self.label}"


class Edit(models.Model):
    """One Patch as it was applied. Never changed, never deleted but with its image."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    image = models.ForeignKey("labeling.Image", on_delete=models.CASCADE, related_name="edits")
    revision = models.PositiveIntegerField()
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    source = models.CharField(max_length=8, choices=Source.choices)
    model_version = models.ForeignKey(
        "labeling.ModelVersion", null=True, blank=True, on_delete=models.RESTRICT, related_name="+"
    )
    job = models.ForeignKey(
        "labeling.Job", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    patch = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["image", "revision"]
        constraints = [
            models.UniqueConstraint(fields=["image", "revision"], name="edit_revision_once_an_image"),
            models.CheckConstraint(condition=Q(revision__gt=0), name="edit_revision_positive"),
            models.CheckConstraint(condition=Q(source__in=Source.values), name="edit_source_known"),
            models.CheckConstraint(
                condition=~Q(source=Source.MODEL) | Q(model_version__isnull=False), name="edit_model_is_named"
            ),
        ]

    def __str__(self) -> str:
        return f"edit {self.revision}"
