"""Which version serves, what it does to images that nobody has opened, and versions that must wait."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from labeling import dispatch
from labeling.live import redis_client
from labeling.models import (
    Image,
    ImageStatus,
    Job,
    JobKind,
    JobStatus,
    ModelVersion,
    Project,
    Promotion,
    Proposal,
)
from labeling.selectors.cells import cell_states
from labeling.services.activation import pending_prepare, pending_versions_prepare, version_activate
from labeling.services.edits import edit_apply
from labeling.services.images import image_segment
from labeling.services.jobs import job_claim, job_fail, job_succeed
from labeling.services.leases import lease_beat
from labeling.services.loop_settings import loop_settings_set
from labeling.services.redecoding import redecodes_due_enqueue, redecodes_enqueue
from labeling.services.segmentation import embedding_request
from labeling.services.submissions import image_submit
from tests.factories import (
    World,
    adding,
    cell,
    claim_of,
    ingest,
    make_image,
    make_ready_image,
    make_tuned,
    segment,
    square,
)
from tests.labeling.services.test_training import complete, start, submit_two, trained


def project_of(world: World) -> Project:
    return Project.objects.select_related("active_version", "pending_version").get(pk=world.project.pk)


def activate(world: World, **fields: object) -> ModelVersion:
    number = ModelVersion.objects.filter(project=world.project).count() + 1
    version = make_tuned(world.project, number=number, **fields)
    version_activate(project_id=world.project.pk, version_id=version.pk, by=world.alice)
    return version


def draw(world: World, image: Image) -> None:
    patch = adding(cell(square(50, 50), label=90))
    edit_apply(
        image_id=image.pk, author=world.bob, edit_id=uuid4(), base_revision=image.revision, patch=patch
    )


def redecoding(world: World) -> set[object]:
    jobs = Job.objects.filter(project=world.project, kind=JobKind.SEGMENT, status=JobStatus.QUEUED)
    return set(jobs.filter(payload__redecode=True).values_list("image_id", flat=True))


def test_images_that_nobody_has_opened_are_decoded_again(world: World):
    images = [make_ready_image(world.project, seed=seed) for seed in range(5)]
    drawn, submitted, opened, blind, untouched = images[0], images[1], images[2], images[3], images[4]
    draw(world, drawn)
    image_submit(image_id=submitted.pk, by=world.bob, revision=1)
    lease_beat(image=opened, user=world.bob, session="tab-of-bob", may_edit=True)
    assert blind.blind
    activate(world)
    assert project_of(world).redecode_due
    assert redecodes_enqueue(project_id=world.project.pk) == 1
    assert redecoding(world) == {untouched.pk}
    assert not project_of(world).redecode_due


def test_the_new_cells_replace_the_old_ones_without_taking_the_image_away(world: World):
    image = make_ready_image(world.project)
    version = activate(world)
    redecodes_enqueue(project_id=world.project.pk)
    claim = claim_of(image, JobKind.SEGMENT)
    image.refresh_from_db()
    assert image.status == ImageStatus.READY  # it can be opened while the worker is at it
    Job.objects.filter(pk=claim.job_id).update(status=JobStatus.QUEUED)
    segment(image, [square(40, 40)])
    assert [(c.box, c.model_version) for c in cell_states(image.pk).values()] == [
        ((40, 40, 44, 44), str(version.pk))
    ]
    assert redecodes_enqueue(project_id=world.project.pk) == 0  # it shows the active version's cells


@pytest.mark.parametrize("meanwhile", ["drawn", "opened", "submitted"])
def test_who_opened_the_image_meanwhile_keeps_what_it_shows(world: World, meanwhile: str):
    image = make_ready_image(world.project)
    activate(world)
    redecodes_enqueue(project_id=world.project.pk)
    if meanwhile == "drawn":
        draw(world, image)
    elif meanwhile == "opened":
        lease_beat(image=image, user=world.bob, session="tab-of-bob", may_edit=True)
    else:
        image_submit(image_id=image.pk, by=world.bob, revision=1)
    before = cell_states(image.pk)
    segment(image, [square(40, 40)])
    assert cell_states(image.pk) == before
    assert not Proposal.objects.filter(image=image).exists()  # nobody asked for one


def test_a_decoding_that_fails_leaves_the_image_as_it_was(world: World):
    image = make_ready_image(world.project)
    activate(world)
    redecodes_enqueue(project_id=world.project.pk)
    job_fail(claim=claim_of(image, JobKind.SEGMENT), error="broken", retry=False)
    image.refresh_from_db()
    assert (image.status, image.error, image.cell_count) == (ImageStatus.READY, "", 3)


def test_it_stands_behind_all_other_work(world: World, django_capture_on_commit_callbacks):
    make_ready_image(world.project)
    with django_capture_on_commit_callbacks(execute=True):
        activate(world)
    assert redis_client().llen("ingest") == 1  # the errand
    with django_capture_on_commit_callbacks(execute=True):
        redecodes_enqueue(project_id=world.project.pk)
    assert [redis_client().llen(name) for name in dispatch.messages_of("segment")] == [0, 0, 0, 1]


def test_who_asks_for_a_segmentation_gets_it_though_one_waits_already(world: World):
    image = make_ready_image(world.project)
    activate(world)
    redecodes_enqueue(project_id=world.project.pk)
    lease_beat(image=image, user=world.bob, session="tab-of-bob", may_edit=True)
    image_segment(image=image)
    segment(image, [square(40, 40)])
    assert [c.box for c in cell_states(image.pk).values()] == [(40, 40, 44, 44)]


def test_an_errand_that_was_lost_is_run_by_the_sweep(world: World):
    make_ready_image(world.project)
    activate(world)
    assert redecodes_due_enqueue() == 1
    assert redecodes_due_enqueue() == 0


@pytest.mark.parametrize("mode", ["always", "never"])
def test_a_segmentation_that_an_earlier_version_ends_after_a_promotion_is_repeated(
    world: World, django_capture_on_commit_callbacks, mode: str
):
    """The errand leaves an image alone that is being segmented, so the segmentation itself has to ask."""
    loop_settings_set(project=world.project, presegmentation=mode)
    image = ingest(make_image(world.project))
    version = activate(world)
    assert redecodes_enqueue(project_id=world.project.pk) == 0
    assert not project_of(world).redecode_due
    with django_capture_on_commit_callbacks(execute=True):
        segment(image, [square(0, 0)], version=world.base)
    assert project_of(world).redecode_due
    assert redecodes_enqueue(project_id=world.project.pk) == 1
    with django_capture_on_commit_callbacks(execute=True):
        segment(image, [square(40, 40)], version=version)
    assert not project_of(world).redecode_due  # it shows what it should


def test_rolling_back_decodes_again_too(world: World):
    image = make_ready_image(world.project)
    activate(world)
    redecodes_enqueue(project_id=world.project.pk)
    segment(image, [square(40, 40)])
    version_activate(project_id=world.project.pk, version_id=world.base.pk, by=world.alice)
    assert redecodes_enqueue(project_id=world.project.pk) == 1


def pending(world: World) -> ModelVersion:
    """A version with a trunk of its own, in a project with two images at work and one that is submitted."""
    images = [make_ready_image(world.project, seed=seed) for seed in range(3)]
    image_submit(image_id=images[0].pk, by=world.bob, revision=1)
    return activate(world, rung=3, trunk_hash="other")


def embeddings(version: ModelVersion) -> list[Job]:
    return list(Job.objects.filter(kind=JobKind.EMBED, payload__version=str(version.pk)))


def close(job: Job) -> None:
    claim = job_claim(job_id=job.pk)
    assert claim is not None
    job_succeed(claim=claim)


def test_a_version_with_its_own_trunk_waits_for_its_features(world: World):
    version = pending(world)
    project = project_of(world)
    assert (project.active_version, project.pending_version) == (world.base, version)
    assert not pending_prepare(project_id=project.pk)
    first, second = embeddings(version)
    close(first)
    assert not pending_prepare(project_id=project.pk)
    close(second)
    assert pending_prepare(project_id=project.pk)
    project = project_of(world)
    assert (project.active_version, project.pending_version, project.pending_since) == (version, None, None)
    assert Promotion.objects.get(version=version).by == world.alice
    assert project.redecode_due


def test_the_last_features_call_for_the_version(world: World, django_capture_on_commit_callbacks):
    version = pending(world)
    pending_prepare(project_id=world.project.pk)
    first, second = embeddings(version)
    with django_capture_on_commit_callbacks() as sent:
        close(first)
    with django_capture_on_commit_callbacks() as sent_last:
        close(second)
    assert len(sent_last) == len(sent) + 1


def test_features_that_cannot_be_made_keep_nobody_waiting(world: World):
    version = pending(world)
    pending_prepare(project_id=world.project.pk)
    for job in embeddings(version):
        claim = job_claim(job_id=job.pk)
        assert claim is not None
        job_fail(claim=claim, error="broken", retry=False)
    assert pending_versions_prepare() == 1
    assert project_of(world).active_version == version


def test_an_image_that_comes_meanwhile_is_prepared_too(world: World):
    version = pending(world)
    pending_prepare(project_id=world.project.pk)
    for job in embeddings(version):
        close(job)
    make_ready_image(world.project, seed=9)
    assert not pending_prepare(project_id=world.project.pk)
    assert len(embeddings(version)) == 3


def test_a_project_without_images_at_work_has_nothing_to_wait_for(world: World):
    version = activate(world, rung=3, trunk_hash="other")
    assert project_of(world).active_version == version


def test_another_choice_ends_the_waiting(world: World):
    pending(world)
    version_activate(project_id=world.project.pk, version_id=world.base.pk, by=world.alice)
    project = project_of(world)
    assert (project.active_version, project.pending_version) == (world.base, None)
    assert not pending_prepare(project_id=world.project.pk)


def asked_for(world: World) -> tuple[ModelVersion, Job, Job]:
    """A version that waits, and the jobs that prepare it."""
    version = pending(world)
    pending_prepare(project_id=world.project.pk)
    first, second = embeddings(version)
    return version, first, second


def open_embeddings(world: World) -> list[Job]:
    jobs = Job.objects.filter(project=world.project, kind=JobKind.EMBED, status__in=["queued", "running"])
    return list(jobs.order_by("created_at"))


def test_who_needs_the_active_versions_features_does_not_wait_for_the_pending_ones(
    world: World, django_capture_on_commit_callbacks
):
    version, first, second = asked_for(world)
    assert first.image_id is not None
    with django_capture_on_commit_callbacks(execute=True):
        job = embedding_request(image_id=first.image_id)
    assert (job.status, job.payload) == (JobStatus.QUEUED, {})
    assert redis_client().llen(dispatch.messages_of("segment")[1]) == 1  # where someone waits
    close(second)
    assert not pending_prepare(project_id=world.project.pk)
    close(job)
    assert not pending_prepare(project_id=world.project.pk)  # the image's other features are asked for again
    (again,) = open_embeddings(world)
    assert (again.image_id, again.payload) == (first.image_id, {"version": str(version.pk), "later": True})
    close(again)
    assert pending_prepare(project_id=world.project.pk)


def test_who_compares_with_the_pending_version_does_not_wait_in_the_last_place(world: World):
    version, first, second = asked_for(world)
    assert first.image_id is not None
    job = embedding_request(image_id=first.image_id, version_id=version.pk)
    assert (job.pk, job.payload) == (first.pk, {"version": str(version.pk)})
    close(job)
    close(second)
    assert pending_prepare(project_id=world.project.pk)


def test_features_that_are_being_computed_for_the_pending_version_are_let_finish(world: World):
    _, first, _ = asked_for(world)
    assert first.image_id is not None
    assert job_claim(job_id=first.pk) is not None
    job = embedding_request(image_id=first.image_id)
    assert (job.pk, job.status, job.payload) == (first.pk, JobStatus.RUNNING, first.payload)


def test_nothing_more_is_computed_for_a_version_that_no_longer_waits(world: World):
    _, begun, queued = asked_for(world)
    assert job_claim(job_id=begun.pk) is not None
    version_activate(project_id=world.project.pk, version_id=world.base.pk, by=world.alice)
    assert [job.pk for job in open_embeddings(world)] == [begun.pk]
    queued.refresh_from_db()
    assert queued.status == JobStatus.CANCELLED
    assert queued.finished_at is not None


def test_a_version_that_takes_the_place_of_a_waiting_one_does_not_wait_for_its_features(world: World):
    asked_for(world)
    other = activate(world, rung=3, trunk_hash="another")
    assert open_embeddings(world) == []
    assert not pending_prepare(project_id=world.project.pk)
    assert {job.payload["version"] for job in open_embeddings(world)} == {str(other.pk)}
    assert len(open_embeddings(world)) == 2


def test_a_candidate_with_its_own_trunk_waits_when_the_gate_promotes_it(world: World):
    submit_two(world)
    make_ready_image(world.project, seed=7)
    run, claim = start(world)
    complete(run, claim, trained(45, rung=3, trunk_hash="other"))  # type: ignore[arg-type]
    run.refresh_from_db()
    assert project_of(world).pending_version == run.candidate
    assert not pending_prepare(project_id=world.project.pk)
    assert run.candidate is not None
    for job in embeddings(run.candidate):
        close(job)
    assert pending_prepare(project_id=world.project.pk)
    assert Promotion.objects.get(version=run.candidate).run == run


def test_jobs_of_an_earlier_waiting_do_not_count(world: World):
    version = pending(world)
    pending_prepare(project_id=world.project.pk)
    for job in embeddings(version):
        close(job)
    Job.objects.update(created_at=timezone.now() - timedelta(days=1))
    Project.objects.update(pending_since=timezone.now() - timedelta(hours=1))
    assert not pending_prepare(project_id=world.project.pk)  # features may be gone by now: asked again
    assert len(embeddings(version)) == 4
