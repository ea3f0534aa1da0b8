"""What people said about an image: submissions, the outcome of each cell, and proposals that came too late."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q


class OutcomeKind(models.TextChoices):
    UNTOUCHED = "untouched"
    RESHAPED = "reshaped"
    MISSED = "missed"
    FALSE = "false"


class Submission(models.Model):
    """An image accepted as complete at one revision. Its counts follow from the Edits (`rebuild_outcomes`)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    image = models.ForeignKey("labeling.Image", on_delete=models.CASCADE, related_name="submissions")
    revision = models.PositiveIntegerField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    at = models.DateTimeField(auto_now_add=True)
    untouched = models.PositiveIntegerField(default=0)
    reshaped = models.PositiveIntegerField(default=0)
    missed = models.PositiveIntegerField(default=0)
    false_cells = models.PositiveIntegerField(default=0)
    # whose cells people saw; null: they drew on the bare image
    model_version = models.ForeignKey(
        "labeling.ModelVersion", null=True, blank=True, on_delete=models.RESTRICT, related_name="+"
    )
    seconds = models.FloatField(null=True, blank=True)  # of work (selectors.labour); null: not computed yet

    class Meta:
        ordering = ["image", "revision"]
        constraints = [
            models.UniqueConstraint(fields=["image", "revision"], name="submission_once_a_revision"),
        ]

    def __str__(self) -> str:
        return f"submission of revision {self.revision}"

    @property
    def corrected(self) -> int:
        """Cells that a person had to mend."""
        return self.reshaped + self.missed + self.false_cells


class CellOutcome(models.Model):
    """What became of one predicted cell, or of one that the model missed.

    ``cell_id`` is the accepted cell (untouched, reshaped, missed) or the predicted one that is gone (false); it is
    no foreign key, because the cell may be deleted later.
    """

    submission = models.ForeignKey(Submission, on_delete=models.CASCADE, related_name="outcomes")
    cell_id = models.UUIDField()
    kind = models.CharField(max_length=10, choices=OutcomeKind.choices)
    iou = models.FloatField(null=True, blank=True)
    model_version = models.ForeignKey(
        "labeling.ModelVersion", null=True, blank=True, on_delete=models.RESTRICT, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["submission", "cell_id"], name="outcome_once_a_cell"),
            models.CheckConstraint(condition=Q(kind__in=OutcomeKind.values), name="outcome_kind_known"),
        ]

    def __str__(self) -> str:
        return self.kind


class ProposalStatus(models.TextChoices):
    OPEN = "open"
    ACCEPTED = "accepted"
    DISMISSED = "dismissed"


class Proposal(models.Model):
    """A segmentation that finished after a person had edited the image: kept, never applied by itself.

    Accepted, it became ``edit``, which is that person's.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    image = models.ForeignKey("labeling.Image", on_delete=models.CASCADE, related_name="proposals")
    job = models.OneToOneField("labeling.Job", on_delete=models.CASCADE, related_name="proposal")
    model_version = models.ForeignKey("labeling.ModelVersion", on_delete=models.RESTRICT, related_name="+")
    patch = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)
    status = models.CharField(max_length=9, choices=ProposalStatus.choices, default=ProposalStatus.OPEN)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    edit = models.OneToOneField(
        "labeling.Edit", null=True, blank=True, on_delete=models.SET_NULL, related_name="proposal"
    )

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=ProposalStatus.values), name="proposal_status_known"
            ),
        ]

    def __str__(self) -> str:
        return f"proposal of {self.created_at:%Y-%m-%d %H:%M}"
