"""Jobs: what a worker reads once it has claimed one, and what people see."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from labeling.errors import NotFound
from labeling.models import Image, Job, JobKind
from labeling.models.job import OPEN


def job_get(job_id: UUID | str) -> Job:
    """The job with its project and image. Raises NotFound."""
    jobs = Job.objects.select_related(
        "project", "project__active_version", "project__active_version__parent", "image", "image__project"
    )
    job = jobs.filter(pk=job_id).first()
    if job is None:
        raise NotFound("The job")
    return job


def job_image(job: Job) -> Image:
    """The image that the job is about. Raises NotFound for a training run, which has none."""
    if job.image is None:
        raise NotFound("The job's image")
    return job.image


def open_jobs(project_id: UUID) -> list[Job]:
    """The project's queued and running jobs, oldest first."""
    return list(Job.objects.filter(OPEN, project_id=project_id).order_by("created_at")[:1000])


def current_jobs(image_ids: Iterable[UUID]) -> dict[UUID, Job]:
    """The open job of each image that has one; the one that people wait for wins over a background embedding."""
    jobs = Job.objects.filter(OPEN, image_id__in=list(image_ids)).order_by("created_at")
    found: dict[UUID, Job] = {}
    for job in sorted(jobs, key=lambda job: job.kind != JobKind.EMBED):
        if job.image_id is not None:
            found[job.image_id] = job
    return found


def job_event(job: Job) -> dict[str, Any]:
    """The wire form of a job, in answers and live events."""
    return {
        "id": str(job.pk),
        "kind": job.kind,
        "status": job.status,
        "progress": job.progress,
        "message": job.message,
        "error": job.error,
        "image": str(job.image_id) if job.image_id else None,
    }
