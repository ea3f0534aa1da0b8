"""Accepting an image as complete, and what that says about the model."""

from __future__ import annotations

from collections import Counter
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from labeling import live
from labeling.errors import Conflict, NotFound, StaleRevision
from labeling.models import CellOutcome, Image, ImageStatus, OutcomeKind, Submission
from labeling.patch import CellState
from labeling.selectors.cells import cell_states, cells_at, predicted_cells, predicting_version
from labeling.selectors.images import image_event
from labeling.services.leases import lease_check
from labeling.services.outcomes import Outcome, outcomes

SUBMITTABLE = (ImageStatus.READY, ImageStatus.IN_PROGRESS)
SUBMITTED_FIELDS = (
    "status", "submitted_at", "submitted_by", "returned_at", "skipped_at", "skipped_by", "skip_reason",
)  # fmt: skip


@transaction.atomic
def image_submit(*, image_id: UUID, by: Any, revision: int, session: str | None = None) -> Image:
    """Mark the image as done at ``revision`` and store each cell's outcome. A repetition changes nothing.

    Raises LeaseLost if another tab holds the image, StaleRevision if it moved on, Conflict if it is not ready.
    """
    image = Image.objects.select_for_update().filter(pk=image_id).first()
    if image is None:
        raise NotFound("The image")
    lease_check(image, by, session)
    if revision != image.revision:
        raise StaleRevision(image.revision)
    if image.status == ImageStatus.SUBMITTED:
        return image
    if image.status not in SUBMITTABLE:
        raise Conflict(
            f"{image.name} is not ready: it is {image.get_status_display().lower()}.", code="not_ready"
        )
    image.status, image.submitted_at, image.submitted_by = ImageStatus.SUBMITTED, timezone.now(), by
    image.returned_at, image.skipped_at, image.skipped_by, image.skip_reason = None, None, None, ""
    image.save(update_fields=SUBMITTED_FIELDS)
    submission, _ = Submission.objects.get_or_create(image=image, revision=revision, defaults={"by": by})
    _write(submission, _outcomes(image.pk, revision, cell_states(image.pk)))
    live.publish(image.project_id, "image", image_event(image))
    live.publish(image.project_id, "model", {"submitted": str(image.pk)})
    return image


@transaction.atomic
def submission_rebuild(*, submission_id: UUID, write: bool) -> bool:
    """Compute the outcomes of a submission anew from the Edits alone. Returns whether the stored ones were equal."""
    submission = Submission.objects.select_for_update().get(pk=submission_id)
    accepted = cells_at(submission.image_id, submission.revision)
    computed = _outcomes(submission.image_id, submission.revision, accepted)
    equal = _stored(submission) == [_key(outcome) for outcome in computed] and _counts_match(
        submission, computed
    )
    if write and not equal:
        _write(submission, computed)
    return equal


def _outcomes(image_id: UUID, revision: int, accepted: dict[str, CellState]) -> list[Outcome]:
    version = predicting_version(image_id, revision)
    return outcomes(predicted_cells(image_id, revision), accepted, str(version) if version else None)


def _write(submission: Submission, found: list[Outcome]) -> None:
    counts = _counts(found)
    submission.untouched, submission.reshaped = counts[OutcomeKind.UNTOUCHED], counts[OutcomeKind.RESHAPED]
    submission.missed, submission.false_cells = counts[OutcomeKind.MISSED], counts[OutcomeKind.FALSE]
    submission.save(update_fields=["untouched", "reshaped", "missed", "false_cells"])
    submission.outcomes.all().delete()
    rows = [
        CellOutcome(
            submission=submission, cell_id=outcome.cell_id, kind=outcome.kind, iou=outcome.iou,
            model_version_id=outcome.model_version,
        )
        for outcome in found
    ]  # fmt: skip
    CellOutcome.objects.bulk_create(rows, batch_size=2000)


def _counts(found: list[Outcome]) -> Counter[OutcomeKind]:
    return Counter(outcome.kind for outcome in found)


def _counts_match(submission: Submission, found: list[Outcome]) -> bool:
    counts = _counts(found)
    stored = (submission.untouched, submission.reshaped, submission.missed, submission.false_cells)
    kinds = (OutcomeKind.UNTOUCHED, OutcomeKind.RESHAPED, OutcomeKind.MISSED, OutcomeKind.FALSE)
    return stored == tuple(counts[kind] for kind in kinds)


def _key(outcome: Outcome) -> tuple[str, str, float | None, str | None]:
    return outcome.cell_id, outcome.kind.value, outcome.iou, outcome.model_version


def _stored(submission: Submission) -> list[tuple[str, str, float | None, str | None]]:
    rows = submission.outcomes.values_list("cell_id", "kind", "iou", "model_version_id")
    return sorted(
        (str(id_), kind, iou, str(version) if version else None) for id_, kind, iou, version in rows
    )
