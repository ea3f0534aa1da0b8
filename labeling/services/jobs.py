"""The life of a Job: created, claimed under a lease, renewed, closed; and the sweep that mends what was lost.

A claim is a conditional UPDATE that must change exactly one row. It gives out a fence number; every later write of
that worker asks for the same fence, so one that lost its lease can change nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone

from labeling import dispatch, live
from labeling.errors import ClaimLost, Conflict, JobCancelled
from labeling.models import Image, Job, JobKind, JobStatus, Project
from labeling.models.job import OPEN
from labeling.selectors.jobs import job_event
from labeling.services.job_effects import job_claimed, job_closed, job_progressed

MAX_ATTEMPTS = 3
# Sent, yet nobody claimed it: only suspicious when the queue holds no message that could be it.
RESEND_AFTER = timedelta(minutes=1)
RESEND_ANYWAY_AFTER = timedelta(hours=6)
SWEEP_AT_MOST = 500
MESSAGE_LENGTH, ERROR_LENGTH = 300, 4000


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work on a job until the lease ends. ``fence`` proves it with each write."""

    job_id: UUID
    fence: int
    attempt: int


@transaction.atomic
def job_create(
    *, kind: JobKind, project: Project, image: Image | None = None, payload: dict[str, Any] | None = None
) -> Job:
    """Create a job and send it on commit. If the image has an open job of this kind, that one is the answer.

    Raises Conflict if the project has an open training job already.
    """
    job = Job(kind=kind, project=project, image=image, payload=payload or {})
    if not _inserted(job):
        if image is None:
            raise Conflict("This project is being trained already.", code="training_is_open")
        other = Job.objects.filter(OPEN, image=image, kind=kind).first()
        if other is not None:
            return other
        job.save(force_insert=True)  # the other one was closed between the two queries
    dispatch.send_job(job)
    live.publish(job.project_id, "job", job_event(job))
    return job


def open_jobs_lock(**of: Any) -> None:
    """Lock the open jobs of an image or a project until the transaction ends.

    Whoever locks an image or a project as well does this first: a worker that closes a job takes its row before theirs,
    and in opposite orders the two would wait for each other.
    """
    list(Job.objects.select_for_update().filter(OPEN, **of).order_by("pk").values_list("pk"))


@transaction.atomic
def job_claim(*, job_id: UUID | str, lease_s: float = 60) -> Claim | None:
    """Take a queued job, or one whose lease ran out. None: it is taken, closed, cancelled or tried often enough."""
    now = timezone.now()
    free = Q(status=JobStatus.QUEUED) | Q(status=JobStatus.RUNNING, lease_until__lt=now)
    changed = Job.objects.filter(free, pk=job_id, attempt__lt=MAX_ATTEMPTS, cancel_requested=False).update(
        status=JobStatus.RUNNING,
        attempt=F("attempt") + 1,
        fence=F("fence") + 1,
        lease_until=now + timedelta(seconds=lease_s),
        started_at=now,
        progress=0.0,
        message="",
        error="",
    )
    if changed != 1:
        return None
    job = Job.objects.select_related("image").get(
        pk=job_id
    )  # its row is locked until commit: the fence is ours
    job_claimed(job)
    return Claim(job_id=job.pk, fence=job.fence, attempt=job.attempt)


def job_renew(
    *, claim: Claim, progress: float | None = None, message: str | None = None, lease_s: float = 60
) -> None:
    """Extend the lease and show progress in [0, 1].

    Raises ClaimLost if another worker has the job or it is closed, JobCancelled once someone asked for that (the job
    is then marked as cancelled).
    """
    changes: dict[str, Any] = {"lease_until": timezone.now() + timedelta(seconds=lease_s)}
    if progress is not None:
        changes["progress"] = min(1.0, max(0.0, progress))
    if message is not None:
        changes["message"] = message[:MESSAGE_LENGTH]
    with transaction.atomic():
        if _held(claim).update(**changes) != 1:
            raise ClaimLost
        job = Job.objects.select_related("image").get(pk=claim.job_id)
        if job.cancel_requested:
            _close(job, JobStatus.CANCELLED)
        elif progress is not None or message is not None:
            job_progressed(job)
    if job.status == JobStatus.CANCELLED:
        raise JobCancelled


@transaction.atomic
def job_finish(*, claim: Claim, message: str = "") -> Job:
    """Close a job as succeeded, inside the transaction that writes its results. Raises ClaimLost.

    Call it before the results are written: it locks the row, so no other worker can write them too.
    """
    if _held(claim).update(message=message[:MESSAGE_LENGTH], progress=1.0) != 1:
        raise ClaimLost
    job = Job.objects.select_related("image", "project").get(pk=claim.job_id)
    return _close(job, JobStatus.SUCCEEDED)


@transaction.atomic
def job_succeed(*, claim: Claim, message: str = "") -> None:
    """Close a job whose result needs no row of ours (an embedding). Harmless if the result's service closed it."""
    if not Job.objects.filter(pk=claim.job_id, fence=claim.fence, status=JobStatus.SUCCEEDED).exists():
        job_finish(claim=claim, message=message)


@transaction.atomic
def job_fail(*, claim: Claim, error: str, retry: bool) -> None:
    """Close a job as failed, or put it back into the queue if ``retry`` may help and tries are left.

    ``error`` is a sentence for people. Raises ClaimLost.
    """
    job = Job.objects.select_for_update(of=("self",)).select_related("image").filter(pk=claim.job_id).first()
    if job is None or job.fence != claim.fence or job.status != JobStatus.RUNNING:
        raise ClaimLost
    job.error = error[:ERROR_LENGTH]
    if job.cancel_requested:
        _close(job, JobStatus.CANCELLED)
    elif retry and job.attempt < MAX_ATTEMPTS:
        _requeue(job)
    else:
        _close(job, JobStatus.FAILED)


@transaction.atomic
def job_cancel(*, job_id: UUID) -> Job:
    """Ask for an end: a queued job ends now, a running one at its next step, a closed one stays as it is."""
    job = Job.objects.select_for_update(of=("self",)).select_related("image").get(pk=job_id)
    if job.status == JobStatus.QUEUED:
        return _close(job, JobStatus.CANCELLED)
    if job.status == JobStatus.RUNNING:
        job.cancel_requested = True
        job.save(update_fields=["cancel_requested"])
        live.publish(job.project_id, "job", job_event(job))
    return job


@transaction.atomic
def jobs_withdraw(*, project_id: UUID) -> int:
    """Cancel the project's queued jobs that prepare what nobody asks for any more (``later``). Returns how many.

    One that another transaction has in hand, a worker that begins it say, goes on: whoever holds the project's lock
    must not wait for a job's.
    """
    later = Job.objects.filter(project_id=project_id, status=JobStatus.QUEUED, payload__later=True)
    chosen = list(later.select_for_update(skip_locked=True).values_list("pk", flat=True))
    jobs = Job.objects.filter(pk__in=chosen)
    return jobs.update(status=JobStatus.CANCELLED, finished_at=timezone.now())


def jobs_sweep() -> int:
    """Send jobs again whose message or worker was lost; fail those that were tried often enough. Returns how many."""
    now = timezone.now()
    expired = Job.objects.filter(status=JobStatus.RUNNING, lease_until__lt=now).values_list("pk", flat=True)
    swept = sum(_recover(job_id, now) for job_id in expired[:SWEEP_AT_MOST])
    waiting = dispatch.queue_lengths()
    # A long queue is no loss: a job that waits behind 10,000 others must not be sent again every minute.
    silent = [kind for kind in JobKind.values if waiting[dispatch.queue_of(kind)] == 0]
    lost = Q(kind__in=silent) & (Q(sent_at__isnull=True) | Q(sent_at__lt=now - RESEND_AFTER))
    stale = Q(sent_at__lt=now - RESEND_ANYWAY_AFTER) | Q(sent_at__isnull=True)
    queued = Job.objects.filter(
        lost | stale, status=JobStatus.QUEUED, created_at__lt=now - RESEND_AFTER
    ).order_by("created_at")
    for job in queued[:SWEEP_AT_MOST]:
        dispatch.send_job(job)
        swept += 1
    return swept


@transaction.atomic
def _recover(job_id: UUID, now: datetime) -> bool:
    """One job whose lease ran out: back into the queue, or failed. False if its worker came back meanwhile."""
    job = (
        Job.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("image")
        .filter(pk=job_id, status=JobStatus.RUNNING, lease_until__lt=now)
        .first()
    )
    if job is None:
        return False
    if job.cancel_requested:
        _close(job, JobStatus.CANCELLED)
    elif job.attempt < MAX_ATTEMPTS:
        _requeue(job)
    else:
        job.error = f"The worker stopped answering, {MAX_ATTEMPTS} times in a row."
        _close(job, JobStatus.FAILED)
    return True


def _inserted(job: Job) -> bool:
    """Store a new job. False if the database refuses it because another one is open."""
    try:
        with transaction.atomic():
            job.save(force_insert=True)
    except IntegrityError:
        return False
    return True


def _held(claim: Claim) -> Any:
    return Job.objects.filter(pk=claim.job_id, fence=claim.fence, status=JobStatus.RUNNING)


def _requeue(job: Job) -> None:
    """Back into the queue. The fence moves on, so the worker that had it can write nothing any more."""
    job.status, job.lease_until, job.progress = JobStatus.QUEUED, None, 0.0
    job.fence += 1
    job.save(update_fields=["status", "lease_until", "progress", "fence", "error"])
    dispatch.send_job(job)
    live.publish(job.project_id, "job", job_event(job))


def _close(job: Job, status: JobStatus) -> Job:
    job.status, job.lease_until, job.finished_at = status, None, timezone.now()
    job.save(update_fields=["status", "lease_until", "finished_at", "error"])
    job_closed(job)
    return job
