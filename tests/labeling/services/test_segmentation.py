"""Storing a segmentation, and what happens if a person was quicker."""

from uuid import uuid4

import pytest
from django.utils import timezone

from labeling.errors import ClaimLost, Conflict
from labeling.models import Cell, Edit, ImageStatus, Job, JobKind, JobStatus, Proposal, Source
from labeling.selectors.cells import cell_states
from labeling.services.edits import edit_apply
from labeling.services.images import image_segment
from labeling.services.jobs import job_fail
from labeling.services.segmentation import FAILED_EMBED_RESTS, embedding_request, segmentation_store
from labeling.services.submissions import image_submit
from tests.factories import (
    World,
    adding,
    cell,
    claim_of,
    ingest,
    make_image,
    make_ready_image,
    segment,
    square,
)


def test_it_works(world: World):
    image = segment(ingest(make_image(world.project)), [square(0, 0), square(10, 10)], score=0.6)
    assert (image.status, image.revision, image.next_label) == (ImageStatus.READY, 1, 3)
    assert (image.cell_count, image.to_check_count) == (2, 2)
    edit = Edit.objects.get(image=image)
    assert (edit.source, edit.model_version, edit.revision) == (Source.MODEL, world.base, 1)
    job = Job.objects.get(image=image, kind=JobKind.SEGMENT)
    assert (job.status, job.message) == (JobStatus.SUCCEEDED, "2 cells found")
    cells = Cell.objects.filter(image=image)
    assert {(c.source, c.model_version_id, c.job_id, c.score) for c in cells} == {
        ("model", world.base.pk, job.pk, 0.6)
    }


def test_no_cell_is_a_result_too(world: World):
    image = segment(ingest(make_image(world.project)), [])
    assert (image.status, image.cell_count, image.revision) == (ImageStatus.READY, 0, 1)


def test_a_second_run_replaces_the_first(world: World):
    image = make_ready_image(world.project)
    image_segment(image=image)
    segment(image, [square(40, 40)])
    assert [(c.label, c.box) for c in cell_states(image.pk).values()] == [(4, (40, 40, 44, 44))]
    assert (image.revision, image.cell_count) == (2, 1)


def test_a_person_who_was_quicker_keeps_the_image(world: World):
    image = make_ready_image(world.project)
    image_segment(image=image)
    drawn = cell(square(50, 50), label=4)
    edit_apply(image_id=image.pk, author=world.bob, edit_id=uuid4(), base_revision=1, patch=adding(drawn))
    before = cell_states(image.pk)
    claim = claim_of(image, JobKind.SEGMENT)
    outcome = segmentation_store(
        claim=claim, image_id=image.pk, version_id=world.base.pk, masks=[square(0, 0)], scores=[0.9]
    )
    assert outcome == "proposal"
    assert cell_states(image.pk) == before
    assert len(Proposal.objects.get(image=image).patch["added"]) == 1
    image.refresh_from_db()
    assert image.status == ImageStatus.IN_PROGRESS


def test_a_lost_claim_writes_nothing(world: World):
    image = ingest(make_image(world.project))
    claim = claim_of(image, JobKind.SEGMENT)
    job_fail(claim=claim, error="gone", retry=True)
    with pytest.raises(ClaimLost):
        segmentation_store(claim=claim, image_id=image.pk, version_id=world.base.pk, masks=[], scores=[])
    assert not Edit.objects.filter(image=image).exists()


def test_the_result_counts_once_if_the_message_came_twice(world: World):
    image = ingest(make_image(world.project))
    claim = claim_of(image, JobKind.SEGMENT)

    def store() -> str:
        return segmentation_store(
            claim=claim, image_id=image.pk, version_id=world.base.pk, masks=[square(0, 0)], scores=[1.0]
        )

    store()
    with pytest.raises(ClaimLost):
        store()
    assert Cell.objects.filter(image=image).count() == 1


def test_masks_without_scores_are_refused(world: World):
    image = ingest(make_image(world.project))
    claim = claim_of(image, JobKind.SEGMENT)
    with pytest.raises(ValueError, match="shorter"):
        segmentation_store(
            claim=claim, image_id=image.pk, version_id=world.base.pk, masks=[square(0, 0)], scores=[]
        )


def test_missing_features_are_asked_for_once(world: World):
    image = make_ready_image(world.project)
    first, second = embedding_request(image_id=image.pk), embedding_request(image_id=image.pk)
    assert first.pk == second.pk
    image.refresh_from_db()
    assert image.status == ImageStatus.READY


def test_features_that_cannot_be_made_are_not_asked_for_again_at_once(world: World):
    image = make_ready_image(world.project)
    embedding_request(image_id=image.pk)
    job_fail(claim=claim_of(image, JobKind.EMBED), error="The weights are gone.", retry=False)
    with pytest.raises(Conflict, match="The weights are gone") as refused:
        embedding_request(image_id=image.pk)
    assert refused.value.code == "features_failed"
    assert Job.objects.filter(image=image, kind=JobKind.EMBED).count() == 1
    Job.objects.filter(image=image).update(finished_at=timezone.now() - FAILED_EMBED_RESTS)
    assert embedding_request(image_id=image.pk).status == JobStatus.QUEUED


def test_an_image_that_was_submitted_untouched_stays_as_it_was_accepted(world: World):
    image = make_ready_image(world.project)
    image_submit(image_id=image.pk, by=world.bob, revision=1)
    before = cell_states(image.pk)
    image_segment(image=image)
    segment(image, [square(40, 40)])
    assert cell_states(image.pk) == before
    assert (image.status, image.revision) == (ImageStatus.SUBMITTED, 1)
    assert Proposal.objects.filter(image=image).count() == 1
