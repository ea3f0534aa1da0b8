"""Images of a project, with what ingest derived from the uploaded file."""

from __future__ import annotations

import random
import uuid
from pathlib import PurePath

from django.conf import settings
from django.db import models
from django.db.models import Q


class ImageStatus(models.TextChoices):
    QUEUED = "queued"
    INGESTING = "ingesting"
    NEEDS_CHANNELS = "needs_channels"
    SEGMENTING = "segmenting"
    READY = "ready"
    IN_PROGRESS = "in_progress"
    SUBMITTED = "submitted"
    FAILED = "failed"


# What waits for people: the images that the queue is made of.
IN_QUEUE = Q(status__in=[ImageStatus.READY, ImageStatus.IN_PROGRESS])


class Split(models.TextChoices):
    TRAIN = "train"
    HELD_OUT = "held_out"


class ImageGroup(models.Model):
    """Images that must share a split: of one slide or movie, or the same file. It outlives its images, because an image
    that was trained on must not come back as a held-out one."""

    project = models.ForeignKey("labeling.Project", on_delete=models.CASCADE, related_name="image_groups")
    key = models.CharField(max_length=200)
    split = models.CharField(max_length=16, choices=Split.choices)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "key"], name="group_once_a_project"),
            models.CheckConstraint(condition=Q(split__in=Split.values), name="group_split_known"),
        ]

    def __str__(self) -> str:
        return f"{self.key}: {self.split}"


class Axis(models.TextChoices):
    TIME = "t", "time"
    DEPTH = "z", "depth"


class Series(models.Model):
    """A time-lapse or a z-stack: the frames of one uploaded file, each an Image with its own cells.

    ``count`` is that of the file; a frame that was deleted leaves a gap. Frames share the file, the group and so the
    split. Whoever deletes frames locks this row, so that the last one takes the file along.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey("labeling.Project", on_delete=models.CASCADE, related_name="series")
    name = models.CharField(max_length=255)
    axis = models.CharField(max_length=1, choices=Axis.choices)
    count = models.PositiveIntegerField()

    class Meta:
        verbose_name_plural = "series"
        constraints = [
            models.CheckConstraint(condition=Q(axis__in=Axis.values), name="series_axis_known"),
            models.CheckConstraint(condition=Q(count__gt=1), name="series_has_frames"),
        ]

    def __str__(self) -> str:
        return self.name


def original_path(image: Image, filename: str) -> str:
    """Where the upload is stored; nothing of the user's file name but a plain extension gets into the path."""
    suffix = PurePath(filename).suffix.lower()
    known = suffix if suffix in {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".npy"} else ".bin"
    owner = f"series/{image.series_id}" if image.series_id else f"images/{image.id}"
    return f"projects/{image.project_id}/{owner}/original{known}"


def derived_path(image: Image, filename: str) -> str:
    """Where a pyramid or a thumbnail of the image is stored."""
    return f"projects/{image.project_id}/images/{image.id}/{PurePath(filename).name}"


def lot() -> float:
    """A number in [0, 1) that says nothing about the image: for orders by chance."""
    return random.random()  # noqa: S311 (nothing is to be kept secret)


class Image(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey("labeling.Project", on_delete=models.CASCADE, related_name="images")
    name = models.CharField(max_length=255)
    file = models.FileField(upload_to=original_path, max_length=255)
    sha256 = models.CharField(max_length=64)
    byte_size = models.BigIntegerField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    dtype = models.CharField(max_length=8, choices=[("uint8", "uint8"), ("uint16", "uint16")])
    channels = models.JSONField(default=list)  # [{"name": str}, ...] in file order
    pixel_size_um = models.FloatField(null=True, blank=True)
    pyramid = models.FileField(upload_to=derived_path, max_length=255, blank=True)
    thumbnail = models.FileField(upload_to=derived_path, max_length=255, blank=True)
    status = models.CharField(max_length=16, choices=ImageStatus.choices, default=ImageStatus.QUEUED)
    error = models.TextField(blank=True)
    revision = models.PositiveIntegerField(default=0)
    next_label = models.PositiveIntegerField(default=1)
    # Kept by whoever writes cells, under the lock of this row: a count over all cells would make a page of images,
    # and every edit, cost the number of cells.
    cell_count = models.PositiveIntegerField(default=0)
    to_check_count = models.PositiveIntegerField(default=0)
    note_count = models.PositiveIntegerField(default=0)  # open notes
    split = models.CharField(max_length=16, choices=Split.choices)
    group_key = models.CharField(max_length=200)
    # held out, and labelled without seeing what a model found; fixed at the first segmentation
    blind = models.BooleanField(default=False)
    # the lowest score of cells that were shown when it was last segmented; null: none were
    shown_from = models.FloatField(null=True, blank=True, default=0.0)
    uncertainty = models.FloatField(null=True, blank=True)  # of the model about this image; null: unknown
    draw = models.FloatField(default=lot)  # the image's lot, in [0, 1)
    series = models.ForeignKey(Series, null=True, blank=True, on_delete=models.CASCADE, related_name="frames")
    frame = models.PositiveIntegerField(default=0)  # of the file, from 0
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    submitted_at = models.DateTimeField(null=True, blank=True)
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    returned_at = models.DateTimeField(null=True, blank=True)  # it had been submitted and was changed since
    skipped_at = models.DateTimeField(null=True, blank=True)
    skipped_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    skip_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["created_at", "id"]
        indexes = [
            models.Index(fields=["project", "created_at", "id"], name="image_by_upload"),
            models.Index(fields=["project", "name", "id"], name="image_by_name"),
            models.Index(fields=["project", "status"], name="image_by_status"),
            models.Index(fields=["project", "group_key"], name="image_by_group"),
            # A stage of the queue each, in its order: the next image costs the same in a project of any size.
            models.Index(
                fields=["project", "returned_at", "id"],
                condition=IN_QUEUE & Q(returned_at__isnull=False),
                name="image_queue_returned",
            ),
            models.Index(
                fields=["project", "status", "created_at", "id"], condition=IN_QUEUE, name="image_queue_age"
            ),
            models.Index(
                fields=["project", "status", "uncertainty", "id"],
                condition=IN_QUEUE & Q(uncertainty__isnull=False),
                name="image_queue_unsure",
            ),
            models.Index(
                fields=["project", "status", "split", "draw", "id"],
                condition=IN_QUEUE,
                name="image_queue_lot",
            ),
            models.Index(
                fields=["project", "skipped_at", "id"],
                condition=IN_QUEUE & Q(skipped_at__isnull=False),
                name="image_queue_skipped",
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(width__gt=0, height__gt=0), name="image_has_pixels"),
            models.CheckConstraint(condition=Q(dtype__in=["uint8", "uint16"]), name="image_dtype_known"),
            models.CheckConstraint(condition=Q(status__in=ImageStatus.values), name="image_status_known"),
            models.CheckConstraint(condition=Q(split__in=Split.values), name="image_split_known"),
            models.UniqueConstraint(
                fields=["series", "frame"],
                condition=Q(series__isnull=False),
                name="image_frame_once_a_series",
            ),
            models.CheckConstraint(
                condition=Q(series__isnull=False) | Q(frame=0), name="image_frame_of_a_series"
            ),
            models.CheckConstraint(
                condition=~Q(status=ImageStatus.SUBMITTED) | Q(submitted_at__isnull=False),
                name="image_submitted_has_a_time",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_ingested(self) -> bool:
        """Its pixels can be shown, so people can label it."""
        return bool(self.pyramid)
