"""Accepting an image as complete, and what that says about the model."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from labeling import live
from labeling.errors import Conflict, NotFound, StaleRevision
from labeling.models import CellOutcome, Image, ImageStatus, OutcomeKind, Submission
from labeling.patch import CellState, Patch
from labeling.score_tally import ScoreTally
from labeling.selectors.cells import cell_states, cells_at, predicted_cells, predicting_version
from labeling.selectors.images import image_event
from labeling.selectors.labour import seconds_of_work
from labeling.services.leases import lease_check
from labeling.services.outcomes import best_ious, outcomes
from labeling.services.outlines import Observed, outlines_lock, outlines_observed

_Key = tuple[str, str, float | None, str | None]  # cell, kind, IoU, version of an outcome

KINDS = (OutcomeKind.UNTOUCHED, OutcomeKind.RESHAPED, OutcomeKind.MISSED, OutcomeKind.FALSE)
WRITTEN = ("untouched", "reshaped", "missed", "false_cells", "model_version", "seconds")
SUBMITTABLE = (ImageStatus.READY, ImageStatus.IN_PROGRESS)
SUBMITTED_FIELDS = (
    "status", "submitted_at", "submitted_by", "returned_at", "skipped_at", "skipped_by", "skip_reason",
)  # fmt: skip


@transaction.atomic
def image_submit(*, image_id: UUID, by: Any, revision: int, session: str | None = None) -> Image:
    """Mark the image as done at ``revision`` and store each cell's outcome. A repetition changes nothing.

    Raises LeaseLost if another tab holds the image, StaleRevision if it moved on, Conflict if it is not ready.
    """
    # Before the image: whoever asks for jobs goes from the project to its images.
    if not Submission.objects.filter(image_id=image_id).exists():
        outlines_lock(image_id=image_id)
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
    first = not image.submissions.exists()
    submission, _ = Submission.objects.get_or_create(image=image, revision=revision, defaults={"by": by})
    accepted = cell_states(image.pk)
    computed = _computed(submission, accepted)
    _write(submission, computed)
    if first and (observed := _observed(image, computed, accepted)) is not None:
        outlines_observed(project_id=image.project_id, observed=observed)
    live.publish(image.project_id, "image", image_event(image))
    live.publish(image.project_id, "model", {"submitted": str(image.pk)})
    return image


@transaction.atomic
def submission_rebuild(*, submission_id: UUID, write: bool) -> bool:
    """Compute the outcomes of a submission anew from the Edits alone. Returns whether the stored ones were equal."""
    submission = Submission.objects.select_for_update().get(pk=submission_id)
    computed = _computed(submission, cells_at(submission.image_id, submission.revision))
    equal = _stored(submission) == computed
    if write and not equal:
        _write(submission, computed)
    return equal


@dataclass(frozen=True, slots=True)
class _Computed:
    """What follows from the Edits: each cell's outcome, whose cells people saw, and the seconds that they took."""

    outcomes: tuple[_Key, ...]
    counts: tuple[int, ...]
    model_version: str | None
    seconds: float | None


def _computed(submission: Submission, accepted: dict[str, CellState]) -> _Computed:
    image_id, revision = submission.image_id, submission.revision
    version = predicting_version(image_id, revision)
    shown = str(version) if version else None
    found = outcomes(predicted_cells(image_id, revision), accepted, shown)
    counts = Counter(outcome.kind for outcome in found)
    return _Computed(
        outcomes=tuple((o.cell_id, o.kind.value, o.iou, o.model_version) for o in found),
        counts=tuple(counts[kind] for kind in KINDS),
        model_version=shown,
        seconds=seconds_of_work(submission),
    )


def _observed(image: Image, computed: _Computed, accepted: dict[str, CellState]) -> Observed | None:
    """How right the cells were that people saw, and those of the same version that were kept back from them."""
    proposal = image.proposals.order_by("-created_at").first()
    version = computed.model_version or (str(proposal.model_version_id) if proposal else None)
    if version is None:
        return None
    found: dict[str, CellState] = {}
    if computed.model_version is not None:
        found |= predicted_cells(image.pk, image.revision)
    if proposal is not None and str(proposal.model_version_id) == version:
        found |= {cell.id: cell for cell in Patch.from_json(proposal.patch).added}
    cells = tuple(found.values())
    ious = best_ious(cells, tuple(accepted.values()))
    scored = ((cell.score, iou) for cell, iou in zip(cells, ious, strict=True) if cell.score is not None)
    return Observed(UUID(version), ScoreTally.of(scored))


def _stored(submission: Submission) -> _Computed:
    rows = submission.outcomes.values_list("cell_id", "kind", "iou", "model_version_id")
    return _Computed(
        outcomes=tuple(sorted((str(i), kind, iou, str(v) if v else None) for i, kind, iou, v in rows)),
        counts=(submission.untouched, submission.reshaped, submission.missed, submission.false_cells),
        model_version=str(submission.model_version_id) if submission.model_version_id else None,
        seconds=submission.seconds,
    )


def _write(submission: Submission, computed: _Computed) -> None:
    submission.untouched, submission.reshaped, submission.missed, submission.false_cells = computed.counts
    submission.model_version_id = UUID(computed.model_version) if computed.model_version else None
    submission.seconds = computed.seconds
    submission.save(update_fields=WRITTEN)
    submission.outcomes.all().delete()
    rows = [
        CellOutcome(submission=submission, cell_id=cell_id, kind=kind, iou=iou, model_version_id=version)
        for cell_id, kind, iou, version in computed.outcomes
    ]
    CellOutcome.objects.bulk_create(rows, batch_size=2000)
