"""What a job's fate means for its image or its training run, and the live events that tell of it."""

from __future__ import annotations

from django.utils import timezone

from labeling import dispatch, live
from labeling.models import Image, ImageStatus, Job, JobKind, JobStatus, RunDecision, TrainingRun
from labeling.models.job import OPEN
from labeling.selectors.images import image_event
from labeling.selectors.jobs import job_event

# A segmentation that runs anew must not take an image away from the person who labels it.
PEOPLE_HAVE_IT = (ImageStatus.IN_PROGRESS, ImageStatus.SUBMITTED)
WHILE_RUNNING = {JobKind.INGEST: ImageStatus.INGESTING, JobKind.SEGMENT: ImageStatus.SEGMENTING}


def job_claimed(job: Job) -> None:
    """The image shows that work on it has begun."""
    status = WHILE_RUNNING.get(JobKind(job.kind)) if _keeps_people_waiting(job) else None
    if job.image_id is not None and status is not None:
        Image.objects.filter(pk=job.image_id).exclude(status__in=PEOPLE_HAVE_IT).update(
            status=status, error=""
        )
    job_progressed(job)


def job_progressed(job: Job) -> None:
    """Tell whoever watches."""
    live.publish(job.project_id, "job", job_event(job))
    if job.image_id is not None and _keeps_people_waiting(job):
        live.publish(job.project_id, "image", image_event(Image.objects.get(pk=job.image_id), job))


def job_closed(job: Job) -> None:
    """Failure and cancelling reach the image or the run; success is written by the service that has the result."""
    if job.status != JobStatus.SUCCEEDED:
        if job.kind == JobKind.TRAIN:
            _run_ended(job)
        elif _keeps_people_waiting(job):
            _image_ended(job)
    if job.kind == JobKind.EMBED and job.payload.get("version"):
        _version_comes_nearer(job)
    job_progressed(job)


def _keeps_people_waiting(job: Job) -> bool:
    """An image that is decoded again can be opened meanwhile, and keeps what it has if that fails."""
    return job.kind in WHILE_RUNNING and not job.payload.get("redecode")


def _version_comes_nearer(job: Job) -> None:
    """The last of the features that a version waits for lets it serve."""
    others = Job.objects.filter(OPEN, project_id=job.project_id, kind=JobKind.EMBED).exclude(pk=job.pk)
    if not others.filter(payload__version=job.payload["version"]).exists():
        dispatch.send_prepare(job.project_id)


def _image_ended(job: Job) -> None:
    image = Image.objects.select_for_update().get(jobs=job)
    if image.status in PEOPLE_HAVE_IT:
        return
    if job.status == JobStatus.FAILED:
        image.status, image.error = ImageStatus.FAILED, job.error
    elif image.is_ingested:  # cancelled: people can still label it by hand
        image.status = ImageStatus.READY
    else:
        image.status, image.error = ImageStatus.FAILED, "Cancelled before it was read."
    image.save(update_fields=["status", "error"])


def _run_ended(job: Job) -> None:
    reason = job.error if job.status == JobStatus.FAILED else "Cancelled."
    changed = TrainingRun.objects.filter(job=job, decision="").update(
        decision=RunDecision.FAILED, decision_reason=reason, finished_at=timezone.now()
    )
    if changed:
        live.publish(job.project_id, "model", {"job": str(job.pk), "decision": RunDecision.FAILED})
