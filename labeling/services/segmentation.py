"""Storing what a segmentation found: as the image's cells, or as a proposal if a person was quicker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Literal
from uuid import UUID, uuid4

from django.db import transaction
from django.utils import timezone

from labeling import dispatch, live
from labeling.errors import Conflict
from labeling.models import (
    Edit,
    Image,
    ImageStatus,
    Job,
    JobKind,
    JobStatus,
    Proposal,
    ProposalStatus,
    Source,
    Split,
)
from labeling.patch import CellState, Patch
from labeling.rle import BoxMask
from labeling.selectors.cells import cell_states, was_edited_by_a_person
from labeling.selectors.images import image_event
from labeling.selectors.presegmentation import presegmentation
from labeling.selectors.presence import lease_holder
from labeling.selectors.proposals import faint_cells, proposals_open
from labeling.services.edits import IMAGE_FIELDS, cells_write, edit_publish
from labeling.services.job_effects import PEOPLE_HAVE_IT
from labeling.services.jobs import Claim, job_create, job_finish
from labeling.services.redecoding import redecode_if_outdated
from labeling.uncertainty import Evidence, disagreement, uncertainty

# An image whose features could not be made is tried again when its reason may be gone, not at every box.
FAILED_EMBED_RESTS = timedelta(minutes=2)

Outcome = Literal["stored", "proposal", "bare", "hidden", "dropped"]


@transaction.atomic
def segmentation_store(
    *, claim: Claim, image_id: UUID, version_id: UUID, masks: Sequence[BoxMask], scores: Sequence[float],
    evidence: Evidence | None = None,
) -> Outcome:  # fmt: skip
    """Close the job and replace the image's model cells by ``masks`` (tight, in image pixels) in one transaction.

    ``evidence`` tells how unsure the model is about the image, which orders the queue.
    If a person has edited or submitted the image, or the project hides what its model finds, nothing is replaced and
    the result is kept as a Proposal. A blind image stays bare, and one that somebody opened keeps what it shows when
    it is only decoded again. What an earlier version than the active one found is stored, and decoded again soon after.
    Raises ClaimLost, and ValueError if masks and scores differ in number.
    """
    job = job_finish(claim=claim, message=_words(len(masks)))
    image = (
        Image.objects.select_for_update(of=("self",))
        .select_related("project__active_version")
        .get(pk=image_id)
    )
    theirs = image.status in PEOPLE_HAVE_IT or was_edited_by_a_person(image.pk)
    existing = () if theirs else tuple(cell_states(image.pk).values())
    patch = Patch(added=_cells(image, version_id, masks, scores), removed=existing)
    if not theirs:
        found_before = (*existing, *faint_cells(image.pk))
        image.uncertainty = _uncertainty(evidence, found_before, version_id, masks)
    if _is_blind(image):
        _keep_bare(image, theirs)
        return "bare"
    if job.payload.get("redecode") and (theirs or lease_holder(image.pk) is not None):
        return "dropped"
    if theirs:
        _propose(job, image, version_id, patch)
        return "proposal"
    image.shown_from = presegmentation(image.project).shown_from_in(image)
    transaction.on_commit(partial(redecode_if_outdated, image_id=image.pk), robust=True)
    if image.shown_from is None:
        _hide(job, image, version_id, patch)
        return "hidden"
    _show(job, image, version_id, patch)
    return "stored"


@transaction.atomic
def embedding_request(*, image_id: UUID, version_id: UUID | None = None) -> Job:
    """Compute the image's features anew: they were evicted, or never made. One job at a time for an image.

    Those that the active version reads, unless ``version_id`` names another one. A job that only waits its turn, for a
    version that does not serve yet, becomes this one; its own features are asked for again afterwards.

    Raises Conflict if the image was not read yet, the project has no model, or the last attempt failed just now.
    """
    image = Image.objects.select_related("project").get(pk=image_id)
    if not image.is_ingested:
        raise Conflict(f"{image.name} has not been read yet.", code="not_ready")
    if image.project.active_version_id is None:
        raise Conflict("This project has no model yet.", code="no_model")
    payload = {"version": str(version_id)} if version_id is not None else {}
    last = Job.objects.filter(image=image, kind=JobKind.EMBED, payload=payload).order_by("created_at").last()
    if last is not None and last.status == JobStatus.FAILED and _is_recent(last):
        raise Conflict(f"The model cannot read {image.name}: {last.error}", code="features_failed")
    job = job_create(kind=JobKind.EMBED, project=image.project, image=image, payload=payload)
    # A worker may begin it at this moment: then it is let finish.
    waiting = Job.objects.filter(pk=job.pk, status=JobStatus.QUEUED, payload__later=True)
    if waiting.update(payload=payload):
        job.payload = payload
        dispatch.send_job(job)  # to where people wait; the message behind all others will find nothing to do
    return job


def _is_recent(job: Job) -> bool:
    return job.finished_at is not None and job.finished_at > timezone.now() - FAILED_EMBED_RESTS


def _is_blind(image: Image) -> bool:
    """Fixed at the first segmentation: a held-out image of which nobody has seen a model's outlines yet."""
    if image.blind:
        return True
    seen = Edit.objects.filter(image=image, model_version__isnull=False).exists()
    seen = seen or Proposal.objects.filter(image=image).exists()
    return image.split == Split.HELD_OUT and image.project.blind_held_out and not seen


def _keep_bare(image: Image, theirs: bool) -> None:
    image.blind = True
    if image.status not in PEOPLE_HAVE_IT:
        image.status = ImageStatus.IN_PROGRESS if theirs else ImageStatus.READY
        image.error = ""
    image.save(update_fields=["blind", "status", "error", "uncertainty"])
    live.publish(image.project_id, "image", image_event(image))


def _replace(job: Job, image: Image, version_id: UUID, patch: Patch) -> None:
    if patch.size:
        patch.validate(image.height, image.width)
        cells_write(image, patch, job_id=job.pk)
    image.status, image.error = ImageStatus.READY, ""
    image.revision += 1
    image.save(update_fields=[*IMAGE_FIELDS, "uncertainty", "shown_from"])
    # Stored even if nothing was found: what people add then are cells that this version missed.
    edit = Edit.objects.create(
        image=image, revision=image.revision, source=Source.MODEL, model_version_id=version_id, job=job,
        patch=patch.to_json(),
    )  # fmt: skip
    edit_publish(image, edit)


def _uncertainty(
    evidence: Evidence | None, before: Sequence[CellState], version_id: UUID, masks: Sequence[BoxMask]
) -> float | None:
    """Unknown without evidence. What another version had found before is a second opinion."""
    if evidence is None:
        return None
    others = [cell.mask for cell in before if cell.model_version != str(version_id)]
    return uncertainty(evidence, disagreement=disagreement(others, masks) if others else None)


def _hide(job: Job, image: Image, version_id: UUID, patch: Patch) -> None:
    """Keep the result as a proposal. What an earlier segmentation shows is taken away."""
    _proposals_put_away(image)
    _keep_back(job, image, version_id, patch.added)
    if patch.removed:
        _replace(job, image, version_id, Patch(removed=patch.removed))
    else:
        image.status, image.error = ImageStatus.READY, ""
        image.save(update_fields=["status", "error", "uncertainty", "shown_from"])
        live.publish(image.project_id, "image", image_event(image))


def _show(job: Job, image: Image, version_id: UUID, patch: Patch) -> None:
    """Show the cells that are worth it and keep the fainter ones as a proposal."""
    _proposals_put_away(image)
    shown = tuple(cell for cell in patch.added if _is_shown(cell, image))
    faint = tuple(cell for cell in patch.added if not _is_shown(cell, image))
    if faint:
        _keep_back(job, image, version_id, faint)
    _replace(job, image, version_id, replace(patch, added=shown))


def _is_shown(cell: CellState, image: Image) -> bool:
    return cell.score is None or image.shown_from is None or cell.score >= image.shown_from


def _proposals_put_away(image: Image) -> None:
    """Those that nobody decided on: another segmentation takes their place."""
    waiting = Proposal.objects.filter(image=image, status=ProposalStatus.OPEN)
    if waiting.update(status=ProposalStatus.DISMISSED, decided_at=timezone.now()):
        _proposals_publish(image)


def _keep_back(job: Job, image: Image, version_id: UUID, cells: Sequence[CellState]) -> None:
    kept = Patch(added=tuple(cells)).to_json()
    Proposal.objects.create(image=image, job=job, model_version_id=version_id, patch=kept)
    _proposals_publish(image)


def _proposals_publish(image: Image) -> None:
    live.publish(image.project_id, "proposal", {"image": str(image.pk), "open": proposals_open(image.pk)})


def _propose(job: Job, image: Image, version_id: UUID, patch: Patch) -> None:
    Proposal.objects.create(image=image, job=job, model_version_id=version_id, patch=patch.to_json())
    if image.status not in PEOPLE_HAVE_IT:
        image.status, image.error = ImageStatus.IN_PROGRESS, ""
        image.save(update_fields=["status", "error"])
    live.publish(image.project_id, "image", image_event(image))
    _proposals_publish(image)


def _cells(
    image: Image, version_id: UUID, masks: Sequence[BoxMask], scores: Sequence[float]
) -> tuple[CellState, ...]:
    labels = range(image.next_label, image.next_label + len(masks))
    return tuple(
        CellState(
            id=str(uuid4()), label=label, box=mask.box, rle=tuple(mask.rle), score=float(score), source="model",
            model_version=str(version_id),
        )
        for label, mask, score in zip(labels, masks, scores, strict=True)
    )  # fmt: skip


def _words(cells: int) -> str:
    return "1 cell found" if cells == 1 else f"{cells} cells found"
