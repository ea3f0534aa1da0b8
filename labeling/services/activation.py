"""Which version serves a project: changed in one transaction, at once or when its features are there.

A version that rests on the same features as the active one takes over at once. One with a trunk of its own waits as
``pending_version`` until the features of the images that people still work on were computed.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from labeling import dispatch, live
from labeling.errors import Invalid, NotFound
from labeling.models import (
    Image,
    ImageStatus,
    Job,
    JobKind,
    ModelVersion,
    Project,
    Promotion,
    TrainingRun,
    VersionStatus,
)
from labeling.models.job import OPEN
from labeling.score_tally import ScoreTally, worth_showing_from
from labeling.selectors.channels import channel_roles
from labeling.selectors.redecoding import undecoded_images
from labeling.selectors.training import held_out_figures, measured_precision
from labeling.services.jobs import job_create

BATCH = 200  # images whose jobs are made in one transaction


@transaction.atomic
def version_activate(*, project_id: UUID, version_id: UUID, by: Any = None) -> Project:
    """Make a version the active one: promoted by hand, or rolled back to. The gate's decision stays on record.

    Raises NotFound unless the version is the project's own or a base.
    """
    project = project_locked(project_id)
    version = ModelVersion.objects.filter(pk=version_id).first()
    if version is None or version.project_id not in (None, project.pk):
        raise NotFound("The model version")
    if version.status == VersionStatus.FAILED:
        raise Invalid(f"{version.name} has no usable weights.")
    if project.active_version_id == version.pk:
        _forget_pending(project)
        project.save(update_fields=_PENDING)
    else:
        activate(project, version, by=by)
    return project


def activate(
    project: Project, version: ModelVersion, *, by: Any = None, run: TrainingRun | None = None
) -> None:
    """Let the version serve the locked project: now, or as soon as the features that it reads are there."""
    active = project.active_version
    if (
        active is None
        or _features_of(active) == _features_of(version)
        or not _images_at_work(project).exists()
    ):
        _switch(project, version, by=by, run=run)
        return
    project.pending_version, project.pending_since, project.pending_by = version, timezone.now(), by
    project.save(update_fields=_PENDING)
    live.publish(project.pk, "model", {"pending": str(version.pk)})
    dispatch.send_prepare(project.pk)


def pending_prepare(*, project_id: UUID) -> bool:
    """Ask for the features that the pending version still lacks; let it serve once none is missing.

    Returns whether it serves now. Called when it begins to wait, at the end of each of these jobs, and by the sweep.
    """
    while True:
        with transaction.atomic():
            project = Project.objects.select_for_update().filter(pk=project_id).first()
            if project is None or project.pending_version is None:
                return False
            asked = _embeddings_ask(project)
            if not asked:
                return _switch_if_ready(project)


def pending_versions_prepare() -> int:
    """The same for each project with a version that waits. Returns how many serve now."""
    waiting = Project.objects.filter(pending_version__isnull=False).values_list("pk", flat=True)
    return sum(pending_prepare(project_id=project_id) for project_id in list(waiting))


def redecode_request(project: Project) -> None:
    """What images show that nobody has opened is out of date: once committed, they are decoded again."""
    project.redecode_due = True
    project.save(update_fields=["redecode_due"])
    dispatch.send_redecode(project.pk)


def redecodes_enqueue(*, project_id: UUID) -> int:
    """Have the images that nobody has opened show what the active version finds. Returns how many.

    The cells that people drew or mended are never touched: `segmentation_store` looks again under the image's lock.
    """
    project = Project.objects.filter(pk=project_id, active_version__isnull=False).first()
    if project is None:
        return 0
    created, last = 0, UUID(int=0)
    while batch := list(undecoded_images(project).filter(pk__gt=last).order_by("pk")[:BATCH]):
        with transaction.atomic():
            for image in batch:
                image.project = project
                if channel_roles(image) is not None:
                    job_create(kind=JobKind.SEGMENT, project=project, image=image, payload={"redecode": True})
                    created += 1
        last = batch[-1].pk
    Project.objects.filter(pk=project_id, active_version_id=project.active_version_id).update(
        redecode_due=False
    )
    return created


def redecodes_due_enqueue() -> int:
    """The same for each project whose message was lost. Returns how many images."""
    due = Project.objects.filter(redecode_due=True).values_list("pk", flat=True)
    return sum(redecodes_enqueue(project_id=project_id) for project_id in list(due))


def project_locked(project_id: UUID) -> Project:
    """The project's row, locked. Raises NotFound."""
    project = Project.objects.select_for_update().filter(pk=project_id).first()
    if project is None:
        raise NotFound("The project")
    return project


_PENDING = ["pending_version", "pending_since", "pending_by"]


def _forget_pending(project: Project) -> None:
    project.pending_version = project.pending_since = project.pending_by = None


def _switch(project: Project, version: ModelVersion, *, by: Any, run: TrainingRun | None) -> None:
    figures = held_out_figures(project, version)
    project.active_version, project.active_precision = version, measured_precision(figures)
    project.score_tally = figures.get("by_score", []) if project.active_precision is not None else []
    project.shown_from = worth_showing_from(ScoreTally.from_rows(project.score_tally))
    _forget_pending(project)
    project.save(update_fields=["active_version", "active_precision", "score_tally", "shown_from", *_PENDING])
    Promotion.objects.create(project=project, version=version, by=by, run=run)
    live.publish(project.pk, "model", {"active": str(version.pk)})
    redecode_request(project)


def _switch_if_ready(project: Project) -> bool:
    """Once nobody computes features for the pending version any more: a job that failed keeps nobody waiting."""
    if _embeddings(project).filter(OPEN).exists() or _unasked(project).filter(Exists(_BUSY)).exists():
        return False
    version = project.pending_version
    assert version is not None  # noqa: S101 (the caller looked, under the lock)
    run = version.run if project.pending_by is None else None
    _switch(project, version, by=project.pending_by, run=run)
    return True


def _features_of(version: ModelVersion) -> tuple[str, str]:
    return version.trunk_hash, version.preprocessing


def _images_at_work(project: Project) -> QuerySet[Image]:
    """Read already, and not submitted: those whose features somebody may want at any moment."""
    settled = (ImageStatus.SUBMITTED, ImageStatus.NEEDS_CHANNELS)
    return project.images.exclude(pyramid="").exclude(status__in=settled)


def _embeddings(project: Project) -> QuerySet[Job]:
    """Jobs that compute features for the pending version, since it waits."""
    return Job.objects.filter(
        project=project, kind=JobKind.EMBED, payload__version=str(project.pending_version_id),
        created_at__gte=project.pending_since,
    )  # fmt: skip


# One job of a kind at a time for an image: one for the active version has to end first.
_BUSY = Job.objects.filter(OPEN, kind=JobKind.EMBED, image=OuterRef("pk"))


def _unasked(project: Project) -> QuerySet[Image]:
    return _images_at_work(project).exclude(Exists(_embeddings(project).filter(image=OuterRef("pk"))))


def _embeddings_ask(project: Project) -> int:
    """Jobs for images of the locked project that have none yet, some at a time. Returns how many were made."""
    missing = _unasked(project).exclude(Exists(_BUSY)).order_by("created_at", "id")
    payload = {"version": str(project.pending_version_id), "later": True}
    made = 0
    for image in missing[:BATCH]:
        image.project = project
        if channel_roles(image) is not None:
            job_create(kind=JobKind.EMBED, project=project, image=image, payload=payload)
            made += 1
    return made
