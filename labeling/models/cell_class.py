"""A project's ontology: the classes that its cells may have, and how many cells of an image have each."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q


class CellClass(models.Model):
    """A class of cells. ``key`` is the digit that chooses it; ``used`` says that an Edit once named it, for good."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey("labeling.Project", on_delete=models.CASCADE, related_name="classes")
    name = models.CharField(max_length=100)
    colour = models.CharField(max_length=7)  # "#rrggbb"
    key = models.PositiveSmallIntegerField(null=True, blank=True)
    order = models.PositiveIntegerField()
    archived = models.BooleanField(default=False)
    used = models.BooleanField(default=False)

    class Meta:
        ordering = ["order", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "name"], condition=Q(archived=False), name="class_name_once_a_project"
            ),
            models.UniqueConstraint(
                fields=["project", "key"], condition=Q(archived=False), name="class_key_once_a_project"
            ),
            models.CheckConstraint(condition=~Q(name=""), name="class_named"),
            models.CheckConstraint(
                condition=Q(colour__regex=r"^#[0-9a-f]{6}$"), name="class_colour_is_rrggbb"
            ),
            models.CheckConstraint(
                condition=Q(key__isnull=True) | Q(key__gte=1, key__lte=9), name="class_key_is_a_digit"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ClassCount(models.Model):
    """How many cells of an image have a class. Kept by whoever writes cells, under the lock of the image's row."""

    image = models.ForeignKey("labeling.Image", on_delete=models.CASCADE, related_name="class_counts")
    cell_class = models.ForeignKey(
        CellClass, on_delete=models.CASCADE, related_name="counts", db_column="class_id"
    )
    cells = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["image", "cell_class"], name="class_counted_once_an_image"),
        ]

    def __str__(self) -> str:
        return f"{self.cells} of {self.cell_class_id}"
