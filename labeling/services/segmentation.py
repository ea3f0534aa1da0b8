"""Storing what a segmentation found: as the image's cells, or as a proposal if a person was quicker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal
from uuid import UUID, uuid4

from django.db import transaction

from labeling import live
from labeling.errors import Conflict
from labeling.models import Edit, Image, ImageStatus, Job, JobKind, Proposal, Source
from labeling.patch import CellState, Patch
from labeling.rle import BoxMask
from labeling.selectors.cells import cell_states, was_edited_by_a_person
from labeling.selectors.images import image_event
from labeling.selectors.proposals import proposals_open
from labeling.services.edits import IMAGE_FIELDS, cells_write, edit_publish
from labeling.services.job_effects import PEOPLE_HAVE_IT
from labeling.services.jobs import Claim, job_create, job_finish

Outcome = Literal["stored", "proposal"]


@transaction.atomic
def segmentation_store(
    *, claim: Claim, image_id: UUID, version_id: UUID, masks: Sequence[BoxMask], scores: Sequence[float]
) -> Outcome:
    """Close the job and replace the image's model cells by ``masks`` (tight, in image pixels) in one transaction.

    If a person has edited or submitted the image, nothing is replaced and the result is kept as a Proposal. Raises
    ClaimLost, and ValueError if masks and scores differ in number.
    """
    job = job_finish(claim=claim, message=_words(len(masks)))
    image = Image.objects.select_for_update().get(pk=image_id)
    theirs = image.status in PEOPLE_HAVE_IT or was_edited_by_a_person(image.pk)
    existing = () if theirs else tuple(cell_states(image.pk).values())
    patch = Patch(added=_cells(image, version_id, masks, scores), removed=existing)
    if theirs:
        _propose(job, image, version_id, patch)
    else:
        _replace(job, image, version_id, patch)
    return "proposal" if theirs else "stored"


@transaction.atomic
def embedding_request(*, image_id: UUID) -> Job:
    """Compute the image's features anew: they were evicted, or never made. One job at a time for an image.

    Raises Conflict if the image was not read yet, or the project has no model.
    """
    image = Image.objects.select_related("project").get(pk=image_id)
    if not image.is_ingested:
        raise Conflict(f"{image.name} has not been read yet.", code="not_ready")
    if image.project.active_version_id is None:
        raise Conflict("This project has no model yet.", code="no_model")
    return job_create(kind=JobKind.EMBED, project=image.project, image=image)


def _replace(job: Job, image: Image, version_id: UUID, patch: Patch) -> None:
    if patch.size:
        patch.validate(image.height, image.width)
        cells_write(image, patch, job_id=job.pk)
    image.status, image.error = ImageStatus.READY, ""
    image.revision += 1
    image.save(update_fields=IMAGE_FIELDS)
    # Stored even if nothing was found: what people add then are cells that this version missed.
    edit = Edit.objects.create(
        image=image, revision=image.revision, source=Source.MODEL, model_version_id=version_id, job=job,
        patch=patch.to_json(),
    )  # fmt: skip
    edit_publish(image, edit)


def _propose(job: Job, image: Image, version_id: UUID, patch: Patch) -> None:
    Proposal.objects.create(image=image, job=job, model_version_id=version_id, patch=patch.to_json())
    if image.status not in PEOPLE_HAVE_IT:
        image.status, image.error = ImageStatus.IN_PROGRESS, ""
        image.save(update_fields=["status", "error"])
    live.publish(image.project_id, "image", image_event(image))
    live.publish(image.project_id, "proposal", {"image": str(image.pk), "open": proposals_open(image.pk)})


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
