"""A job's fate follows from what happened to its work, and only its present worker decides it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from labeling.errors import Conflict
from labeling.live import ACTIVE_KEY, redis_client
from labeling.models import ImageStatus, Job, JobKind, JobStatus
from labeling.services.jobs import job_cancel, job_claim, job_succeed, jobs_sweep
from tests.scenes import nuclei
from tests.worker.conftest import Lab, fresh, open_job
from worker.tasks.courtesy import make_way
from worker.tasks.lease import Lease, run_job


@pytest.fixture
def job(lab: Lab) -> Job:
    """An image's ingest job, in the queue."""
    return open_job(lab.uploaded(nuclei(1, side=64, cells=2)), JobKind.INGEST)


def succeed(lease: Lease) -> None:
    job_succeed(claim=lease.claim)


def test_it_works(job: Job) -> None:
    run_job(str(job.pk), succeed)
    job.refresh_from_db()
    assert (job.status, job.attempt) == (JobStatus.SUCCEEDED, 1)


def test_a_message_that_comes_twice_does_nothing(job: Job) -> None:
    runs: list[Lease] = []

    def work(lease: Lease) -> None:
        runs.append(lease)
        run_job(str(job.pk), runs.append)  # the same message, while the first is being worked on
        succeed(lease)

    run_job(str(job.pk), work)
    run_job(str(job.pk), work)
    assert len(runs) == 1


def test_a_domain_error_is_the_reason(job: Job) -> None:
    def work(lease: Lease) -> None:
        raise Conflict("cells.tif: its channels are not mapped yet.")

    run_job(str(job.pk), work)
    job.refresh_from_db()
    assert (job.status, job.error) == (JobStatus.FAILED, "cells.tif: its channels are not mapped yet.")
    assert job.image is not None
    assert fresh(job.image).status == ImageStatus.FAILED


def test_a_refused_input_is_the_reason(job: Job) -> None:
    def work(lease: Lease) -> None:
        raise ValueError("the image contains NaN")

    run_job(str(job.pk), work, refused=(ValueError,))
    job.refresh_from_db()
    assert (job.status, job.error) == (JobStatus.FAILED, "the image contains NaN")


def test_an_unforeseen_error_is_not_shown_to_people(job: Job) -> None:
    def work(lease: Lease) -> None:
        raise KeyError("/srv/secret/path")

    run_job(str(job.pk), work)
    job.refresh_from_db()
    assert job.status == JobStatus.FAILED
    assert job.error == "An internal error (KeyError). The worker's log has the details."


def test_a_bad_moment_is_tried_again_and_not_for_ever(job: Job) -> None:
    def work(lease: Lease) -> None:
        raise OSError(28, "No space left on device", "/srv/data/media/x")

    seen = []
    for _ in range(4):
        run_job(str(job.pk), work)
        job.refresh_from_db()
        seen.append((job.status, job.attempt))
    assert seen == [
        (JobStatus.QUEUED, 1),
        (JobStatus.QUEUED, 2),
        (JobStatus.FAILED, 3),
        (JobStatus.FAILED, 3),
    ]
    assert "OSError" in job.error
    assert (
        "/srv" not in job.error
    )  # what the world outside says may name paths and hosts: that is for the log


def test_cancelling_ends_the_work_at_its_next_step(job: Job) -> None:
    reached: list[str] = []

    def work(lease: Lease) -> None:
        lease.say(0.1, "begun")
        job_cancel(job_id=job.pk)
        reached.append("before the next step")
        lease.say(0.2, "more")
        reached.append("after it")

    run_job(str(job.pk), work)
    job.refresh_from_db()
    assert job.status == JobStatus.CANCELLED
    assert reached == ["before the next step"]


def test_progress_renews_the_lease(job: Job) -> None:
    def work(lease: Lease) -> None:
        Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() + timedelta(seconds=1))
        lease.say(0.4, "half way")
        job.refresh_from_db()
        assert job.lease_until is not None
        assert job.lease_until > timezone.now() + timedelta(seconds=settings.JOB_LEASE_S - 10)
        assert (job.progress, job.message) == (0.4, "half way")
        succeed(lease)

    run_job(str(job.pk), work)
    job.refresh_from_db()
    assert job.status == JobStatus.SUCCEEDED


def test_a_worker_that_lost_its_lease_changes_nothing(job: Job) -> None:
    taken = []

    def work(lease: Lease) -> None:
        Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
        assert jobs_sweep() == 1  # this worker is taken for dead
        taken.append(job_claim(job_id=job.pk))  # and another one has the job
        raise RuntimeError("what went wrong here is nobody's business any more")

    run_job(str(job.pk), work)
    job.refresh_from_db()
    assert (job.status, job.attempt, job.error) == (JobStatus.RUNNING, 2, "")
    assert taken[0] is not None
    assert job.fence == taken[0].fence


def test_background_work_waits_while_someone_draws_boxes(services: None) -> None:
    redis_client().set(ACTIVE_KEY, "1", px=300)
    waited = make_way()
    assert 0.2 < waited < 2.0
    assert make_way() == 0.0


def test_background_work_never_waits_for_ever(services: None) -> None:
    redis_client().set(ACTIVE_KEY, "1", px=60_000)
    try:
        assert 0.2 <= make_way(longest_s=0.2) < 2.0
    finally:
        redis_client().delete(ACTIVE_KEY)
