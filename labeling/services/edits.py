"""Applying a person's patch: checked against our own rows, stored as an Edit, at the cost of what it touches."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from labeling import live
from labeling.errors import BeforeMismatch, Conflict, Invalid, NotFound, StaleRevision
from labeling.models import Cell, Edit, Image, ImageStatus, ModelVersion, Source
from labeling.patch import CellState, Patch, PatchError
from labeling.selectors.cells import cell_states_by_id, is_to_check
from labeling.selectors.classes import unknown_class
from labeling.selectors.images import edit_event, image_event
from labeling.services.classes import class_counts_change
from labeling.services.leases import lease_check

REOPENED = (ImageStatus.READY, ImageStatus.SUBMITTED, ImageStatus.FAILED)
BATCH = 2000


@dataclass(frozen=True, slots=True)
class EditResult:
    """The stored edit's answer; the same for each repetition of the same edit."""

    edit_id: UUID
    revision: int


@transaction.atomic
def edit_apply(
    *,
    image_id: UUID,
    author: Any,
    edit_id: UUID,
    base_revision: int,
    patch: Patch,
    session: str | None = None,
) -> EditResult:
    """Apply ``patch`` to the image at ``base_revision``; ``session`` is the tab that asks.

    Raises Invalid for a patch that cannot be, LeaseLost if another tab holds the image, StaleRevision if it moved on,
    BeforeMismatch if a cell is not as the patch says.
    """
    image = image_locked(image_id)
    known = edit_known(image, edit_id)
    if known is not None:
        return EditResult(edit_id, known.revision)
    edit_check(image, author, base_revision, session)
    _validate(image, patch)
    _check_before(image, patch)
    return edit_store(image, author=author, edit_id=edit_id, patch=patch, session=session)


def image_locked(image_id: UUID) -> Image:
    """The image's row, locked against jobs and other edits. Raises NotFound."""
    image = Image.objects.select_for_update().filter(pk=image_id).first()
    if image is None:
        raise NotFound("The image")
    return image


def edit_known(image: Image, edit_id: UUID) -> Edit | None:
    """The stored edit of this id: the request is a repetition. Raises Conflict if it is another image's."""
    edit = Edit.objects.filter(pk=edit_id).defer("patch").first()
    if edit is not None and edit.image_id != image.pk:
        raise Conflict("This edit's id is taken.", code="edit_id_taken")
    return edit


def edit_check(image: Image, author: Any, base_revision: int, session: str | None) -> None:
    """Raise what speaks against an edit of the locked image before the patch is looked at."""
    lease_check(image, author, session)
    if base_revision != image.revision:
        raise StaleRevision(image.revision)
    if not image.is_ingested:
        raise Conflict(f"{image.name} has not been read yet.", code="not_ready")


def edit_store(
    image: Image,
    *,
    author: Any,
    edit_id: UUID,
    patch: Patch,
    session: str | None,
    model_version_id: UUID | None = None,
) -> EditResult:
    """Write a checked patch of a person's: cells, the image's row, the Edit, the live events.

    ``model_version_id`` names the model whose proposal the person accepted.
    """
    cells_write(image, patch)
    image.revision += 1
    if image.status == ImageStatus.SUBMITTED:
        image.returned_at = timezone.now()
    if image.status in REOPENED:
        image.status, image.error = ImageStatus.IN_PROGRESS, ""
        image.submitted_at = image.submitted_by = None
    image.skipped_at, image.skipped_by, image.skip_reason = None, None, ""
    image.save(update_fields=IMAGE_FIELDS)
    edit = Edit.objects.create(
        pk=edit_id,
        image=image,
        revision=image.revision,
        author=author,
        source=Source.PERSON,
        model_version_id=model_version_id,
        patch=patch.to_json(),
    )
    edit_publish(image, edit, session=session)
    return EditResult(edit_id, image.revision)


def edit_publish(image: Image, edit: Edit, *, session: str | None = None) -> None:
    """Tell those who watch: the image's figures, and that there is an edit to fetch."""
    live.publish(image.project_id, "image", image_event(image))
    live.publish(image.project_id, "edit", edit_event(edit, session))


IMAGE_FIELDS = (
    "revision", "next_label", "cell_count", "to_check_count", "status", "error", "submitted_at", "submitted_by",
    "returned_at", "skipped_at", "skipped_by", "skip_reason",
)  # fmt: skip


def cells_write(image: Image, patch: Patch, *, job_id: UUID | None = None) -> None:
    """Write the rows of a checked patch and the image's counts (in memory: the caller saves the locked image)."""
    gone, new = list(patch.gone()), list(patch.new())
    if gone:
        Cell.objects.filter(image=image, pk__in=[state.id for state in gone]).delete()
    Cell.objects.bulk_create([_row(image.pk, state, job_id) for state in new], batch_size=BATCH)
    image.cell_count += len(new) - len(gone)
    image.to_check_count += sum(map(is_to_check, new)) - sum(map(is_to_check, gone))
    class_counts_change(image, gone, new)
    image.next_label = max(image.next_label, 1 + max((state.label for state in new), default=0))


def _validate(image: Image, patch: Patch) -> None:
    try:
        patch.validate(image.height, image.width)
    except PatchError as error:
        raise Invalid(str(error), code="invalid_patch") from error
    versions = {state.model_version for state in patch.new() if state.model_version}
    if versions:
        _check_versions(image, versions)
    classes = {state.class_id for state in patch.new() if state.class_id}
    if classes:
        _check_classes(image, classes)
    if any(state.source == "model" and state.model_version is None for state in patch.new()):
        raise Invalid("A cell whose source is the model names the version.", code="invalid_patch")


def _check_versions(image: Image, versions: Iterable[str]) -> None:
    """A version of another project is as unknown as one that does not exist."""
    wanted = set(versions)
    rows = ModelVersion.objects.filter(pk__in=wanted).values_list("pk", "project_id")
    known = {str(pk) for pk, project_id in rows if project_id in (None, image.project_id)}
    if wanted - known:
        raise Invalid(f"There is no model version {min(wanted - known)}.", code="invalid_patch")


def _check_classes(image: Image, ids: Iterable[str]) -> None:
    unknown = unknown_class(image.project_id, ids)
    if unknown is not None:
        raise Invalid(f"There is no class {unknown} in this project.", code="invalid_patch")


def _check_before(image: Image, patch: Patch) -> None:
    gone = list(patch.gone())
    rows = cell_states_by_id(image.pk, [state.id for state in gone]) if gone else {}
    for state in gone:
        if rows.get(state.id) != state:
            raise BeforeMismatch("A cell is not as the patch says it was.", cell=state.id)
    added = [state.id for state in patch.added]
    # Over all images: the id is the primary key of the table.
    taken = Cell.objects.filter(pk__in=added).values_list("pk", flat=True).first() if added else None
    if taken is not None:
        raise BeforeMismatch("A cell of this id exists already.", cell=str(taken))
    _check_labels(image, patch)


def _check_labels(image: Image, patch: Patch) -> None:
    """A label names one cell of the image, for good."""
    kept = {update.before.id: update.before.label for update in patch.updated}
    labels = [state.label for state in patch.new() if kept.get(state.id) != state.label]
    if not labels:
        return
    others = Cell.objects.filter(image=image, label__in=labels).exclude(pk__in=[s.id for s in patch.gone()])
    clash = others.values_list("pk", "label").first()
    if clash is not None:
        raise BeforeMismatch(f"Label {clash[1]} is taken by another cell.", cell=str(clash[0]))


def _row(image_id: UUID, state: CellState, job_id: UUID | None) -> Cell:
    x0, y0, x1, y1 = state.box
    return Cell(
        id=UUID(state.id), image_id=image_id, label=state.label, x0=x0, y0=y0, x1=x1, y1=y1, rle=list(state.rle),
        area=state.area, score=state.score, source=state.source, job_id=job_id,
        model_version_id=UUID(state.model_version) if state.model_version else None,
        cell_class_id=UUID(state.class_id) if state.class_id else None,
    )  # fmt: skip
