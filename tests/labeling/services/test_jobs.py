"""The Job's life: claims, leases, fences, retries, cancelling, and the sweep."""

from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from django.db import IntegrityError, transaction
from django.utils import timezone

from labeling import dispatch
from labeling.errors import ClaimLost, Conflict, JobCancelled
from labeling.live import redis_client
from labeling.models import Image, ImageStatus, Job, JobKind, JobStatus
from labeling.services.jobs import (
    MAX_ATTEMPTS,
    job_cancel,
    job_claim,
    job_create,
    job_fail,
    job_finish,
    job_renew,
    job_succeed,
    jobs_sweep,
)
from tests.factories import World, make_image


@pytest.fixture
def image(world: World) -> Image:
    return make_image(world.project)


@pytest.fixture
def job(image: Image) -> Job:
    return Job.objects.get(image=image, kind=JobKind.INGEST)


def expire(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def age(job: Job, **ago: int) -> None:
    past = timezone.now() - timedelta(**ago)
    Job.objects.filter(pk=job.pk).update(sent_at=past, created_at=past)


def test_it_works(job: Job, image: Image):
    claim = job_claim(job_id=job.pk)
    assert claim is not None
    assert (claim.fence, claim.attempt) == (1, 1)
    job_renew(claim=claim, progress=0.5, message="halfway")
    job.refresh_from_db()
    assert (job.status, job.progress, job.message) == (JobStatus.RUNNING, 0.5, "halfway")
    image.refresh_from_db()
    assert image.status == ImageStatus.INGESTING
    job_succeed(claim=claim, message="done")
    job.refresh_from_db()
    assert (job.status, job.progress, job.lease_until) == (JobStatus.SUCCEEDED, 1.0, None)
    assert job.finished_at is not None


def test_a_job_is_claimed_once(job: Job):
    assert job_claim(job_id=job.pk) is not None
    assert job_claim(job_id=job.pk) is None


def test_a_closed_job_is_not_claimed(job: Job):
    claim = job_claim(job_id=job.pk)
    assert claim is not None
    job_succeed(claim=claim)
    assert job_claim(job_id=job.pk) is None


def test_an_expired_lease_goes_to_the_next_worker(job: Job):
    first = job_claim(job_id=job.pk)
    expire(job)
    second = job_claim(job_id=job.pk)
    assert first is not None
    assert second is not None
    assert (second.fence, second.attempt) == (2, 2)
    with pytest.raises(ClaimLost):
        job_renew(claim=first, progress=0.9)
    with pytest.raises(ClaimLost):
        job_finish(claim=first)
    with pytest.raises(ClaimLost):
        job_fail(claim=first, error="late", retry=True)
    job.refresh_from_db()
    assert (job.status, job.progress, job.error) == (JobStatus.RUNNING, 0.0, "")


def test_a_worker_that_renews_in_time_keeps_its_job(job: Job):
    claim = job_claim(job_id=job.pk)
    assert claim is not None
    expire(job)
    job_renew(claim=claim)
    assert job_claim(job_id=job.pk) is None


def test_a_claim_on_a_deleted_job_is_lost(job: Job, image: Image):
    claim = job_claim(job_id=job.pk)
    assert claim is not None
    image.delete()
    with pytest.raises(ClaimLost):
        job_renew(claim=claim)


def test_a_failure_that_may_pass_is_tried_again_three_times(job: Job, image: Image):
    for attempt in range(1, MAX_ATTEMPTS + 1):
        claim = job_claim(job_id=job.pk)
        assert claim is not None
        assert claim.attempt == attempt
        job_fail(claim=claim, error="The disk was away.", retry=True)
    job.refresh_from_db()
    image.refresh_from_db()
    assert (job.status, job.error) == (JobStatus.FAILED, "The disk was away.")
    assert (image.status, image.error) == (ImageStatus.FAILED, "The disk was away.")
    assert job_claim(job_id=job.pk) is None


def test_a_failure_for_good_is_not_tried_again(job: Job, image: Image):
    claim = job_claim(job_id=job.pk)
    assert claim is not None
    job_fail(claim=claim, error="a.png: truncated.", retry=False)
    image.refresh_from_db()
    assert (image.status, image.error) == (ImageStatus.FAILED, "a.png: truncated.")


def test_a_queued_job_is_cancelled_at_once(job: Job, image: Image):
    assert job_cancel(job_id=job.pk).status == JobStatus.CANCELLED
    assert job_claim(job_id=job.pk) is None
    image.refresh_from_db()
    assert image.status == ImageStatus.FAILED


def test_a_running_job_is_cancelled_at_its_next_step(job: Job):
    claim = job_claim(job_id=job.pk)
    assert claim is not None
    assert job_cancel(job_id=job.pk).status == JobStatus.RUNNING
    with pytest.raises(JobCancelled):
        job_renew(claim=claim, progress=0.4)
    job.refresh_from_db()
    assert job.status == JobStatus.CANCELLED
    with pytest.raises(ClaimLost):
        job_renew(claim=claim)


def test_a_closed_job_cannot_be_cancelled(job: Job):
    claim = job_claim(job_id=job.pk)
    assert claim is not None
    job_succeed(claim=claim)
    assert job_cancel(job_id=job.pk).status == JobStatus.SUCCEEDED


def test_an_image_has_one_open_job_of_a_kind(world: World, job: Job, image: Image):
    assert job_create(kind=JobKind.INGEST, project=world.project, image=image).pk == job.pk
    assert job_create(kind=JobKind.EMBED, project=world.project, image=image).pk != job.pk


def test_a_project_has_one_open_training(world: World):
    job_create(kind=JobKind.TRAIN, project=world.project)
    with pytest.raises(Conflict, match="already"):
        job_create(kind=JobKind.TRAIN, project=world.project)


def test_the_database_itself_refuses_a_second_open_job(world: World, job: Job, image: Image):
    with pytest.raises(IntegrityError, match="job_one_open_an_image"), transaction.atomic():
        Job.objects.create(kind=JobKind.INGEST, project=world.project, image=image)


def test_it_is_sent_on_commit(world: World, image: Image, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        job = job_create(kind=JobKind.EMBED, project=world.project, image=image)
        assert dispatch.queue_lengths()["segment"] == 0
    assert dispatch.queue_lengths()["segment"] == 1
    job.refresh_from_db()
    assert job.sent_at is not None


def test_the_sweep_sends_a_job_whose_message_was_lost(job: Job, django_capture_on_commit_callbacks):
    age(job, minutes=3)
    with django_capture_on_commit_callbacks(execute=True):
        assert jobs_sweep() == 1
    assert dispatch.queue_lengths()["ingest"] == 1


def test_the_sweep_sends_a_job_that_was_never_sent(job: Job, django_capture_on_commit_callbacks):
    Job.objects.filter(pk=job.pk).update(created_at=timezone.now() - timedelta(minutes=3))
    with django_capture_on_commit_callbacks(execute=True):
        assert jobs_sweep() == 1
    assert dispatch.queue_lengths()["ingest"] == 1


def test_the_sweep_leaves_a_job_alone_that_waits_its_turn(job: Job):
    """A long queue is no loss: the message may be one of those that wait."""
    age(job, minutes=30)
    redis_client().rpush("ingest", "a message")
    assert jobs_sweep() == 0


def test_the_sweep_leaves_a_fresh_job_alone(job: Job):
    assert jobs_sweep() == 0


def test_the_sweep_takes_a_job_from_a_dead_worker(job: Job, django_capture_on_commit_callbacks):
    claim = job_claim(job_id=job.pk)
    assert claim is not None
    expire(job)
    with django_capture_on_commit_callbacks(execute=True):
        assert jobs_sweep() == 1
    job.refresh_from_db()
    assert (job.status, job.lease_until) == (JobStatus.QUEUED, None)
    assert dispatch.queue_lengths()["ingest"] == 1
    with pytest.raises(ClaimLost):  # even before another worker has claimed it
        job_finish(claim=claim)


def test_the_sweep_fails_a_job_whose_worker_died_three_times(job: Job, image: Image):
    for _ in range(MAX_ATTEMPTS):
        assert job_claim(job_id=job.pk) is not None
        expire(job)
        assert jobs_sweep() == 1
    job.refresh_from_db()
    image.refresh_from_db()
    assert job.status == JobStatus.FAILED
    assert "3 times" in image.error


def test_the_sweep_ends_a_cancelled_job_of_a_dead_worker(job: Job):
    assert job_claim(job_id=job.pk) is not None
    job_cancel(job_id=job.pk)
    expire(job)
    assert jobs_sweep() == 1
    job.refresh_from_db()
    assert job.status == JobStatus.CANCELLED


def test_every_kind_of_job_has_a_task():
    assert set(dispatch.TASKS) == set(JobKind.values)


def test_a_job_that_closes_while_it_is_asked_for_again_is_no_error(
    world: World, image: Image, job: Job, monkeypatch: pytest.MonkeyPatch
):
    """The insert fails because of an open job, which is closed before it can be read."""
    save = Job.save

    def save_too_late(self: Job, **options: Any) -> None:
        monkeypatch.setattr(Job, "save", save)
        raise IntegrityError

    job_cancel(job_id=job.pk)
    monkeypatch.setattr(Job, "save", save_too_late)
    again = job_create(kind=JobKind.INGEST, project=world.project, image=image)
    assert (again.pk != job.pk, again.status) == (True, JobStatus.QUEUED)


def test_what_someone_waits_for_overtakes_the_batch(
    world: World, image: Image, django_capture_on_commit_callbacks
):
    """Behind 10,000 uploads the clock's errands would expire unread, and a box would wait for hours."""
    with django_capture_on_commit_callbacks(execute=True):
        job_create(kind=JobKind.SEGMENT, project=world.project, image=image)
        job_create(kind=JobKind.EMBED, project=world.project, image=image)
    waiting = [redis_client().llen(name) for name in dispatch.messages_of("segment")]
    assert waiting == [0, 1, 1, 0]  # nothing of the clock's, then the embedding, then the batch
    assert dispatch.queue_lengths()["segment"] == 2
    with current_app.connection_for_read() as connection:
        queue = connection.SimpleQueue("segment")
        kinds = [queue.get(block=False).headers["task"] for _ in range(2)]
    assert kinds == ["segment.embed_image", "segment.segment_image"]
