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
from labeling.selectors.channels import channel_roles
from labeling.selectors.training import held_out_figures
from labeling.services.jobs import job_create, jobs_withdraw
from labeling.services.outlines import OUTLINES, outlines_set
from labeling.services.redecoding import redecode_request

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
        live.publish(project.pk, "model", {"pending": None})
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
    _forget_pending(project)
    project.pending_version, project.pending_since, project.pending_by = version, timezone.now(), by
    project.save(update_fields=_PENDING)
    live.publish(project.pk, "model", {"pending": str(version.pk)})
    dispatch.send_prepare(project.pk)


def pending_prepare(*, project_id: UUID) -> bool:
    """Ask for the features that the pending version still lacks; let it serve once none is missing.

    Returns whether it serves now. Called when it begins to wait, at the end of the last of these jobs, and by the
    sweep, which finds images whose job gave way to a person (`embedding_request`).
    """
    while True:
        with transaction.atomic():
            # No key changes: whoever asks for a job of an image that these jobs name need not wait for them.
            project = Project.objects.select_for_update(no_key=True).filter(pk=project_id).first()
            if project is None or project.pending_version is None:
                return False
            asked = _embeddings_ask(project)
            if not asked:
                return _switch_if_ready(project)


def pending_versions_prepare() -> int:
    """The same for each project with a version that waits. Returns how many serve now."""
    waiting = Project.objects.filter(pending_version__isnull=False).values_list("pk", flat=True)
    return sum(pending_prepare(project_id=project_id) for project_id in list(waiting))


def project_locked(project_id: UUID) -> Project:
    """The project's row, locked. Raises NotFound."""
    project = Project.objects.select_for_update().filter(pk=project_id).first()
    if project is None:
        raise NotFound("The project")
    return project


_PENDING = ["pending_version", "pending_since", "pending_by"]


def _forget_pending(project: Project) -> None:
    """Nothing more is computed for it. Not saved."""
    if project.pending_version_id is not None:
        jobs_withdraw(project_id=project.pk)
    project.pending_version = project.pending_since = project.pending_by = None


def _switch(project: Project, version: ModelVersion, *, by: Any, run: TrainingRun | None) -> None:
    project.active_version = version
    outlines_set(project, held_out_figures(project, version))
    _forget_pending(project)
    project.save(update_fields=["active_version", *OUTLINES, *_PENDING])
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
