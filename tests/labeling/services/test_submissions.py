"""Submitting: the outcome of each cell, and the same again from the Edits alone."""

from dataclasses import replace
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from labeling.errors import Conflict, StaleRevision
from labeling.models import CellOutcome, Image, ImageStatus, OutcomeKind, Submission
from labeling.patch import CellState, Patch, Update
from labeling.rle import BoxMask
from labeling.selectors.cells import cell_states
from labeling.services.edits import edit_apply
from labeling.services.submissions import image_submit, submission_rebuild
from tests.factories import World, adding, cell, ingest, make_image, make_ready_image, square


@pytest.fixture
def image(world: World) -> Image:
    return make_ready_image(world.project, [square(0, 0, 10), square(20, 0, 10), square(40, 0, 10)])


def save(image: Image, patch: Patch, world: World) -> None:
    revision = Image.objects.get(pk=image.pk).revision
    edit_apply(image_id=image.pk, author=world.bob, edit_id=uuid4(), base_revision=revision, patch=patch)


def submit(image: Image, world: World) -> Submission:
    revision = Image.objects.get(pk=image.pk).revision
    image_submit(image_id=image.pk, by=world.bob, revision=revision)
    return Submission.objects.get(image=image, revision=revision)


def counts(submission: Submission) -> tuple[int, int, int, int]:
    return submission.untouched, submission.reshaped, submission.missed, submission.false_cells


def cells_of(image: Image) -> list[CellState]:
    return list(cell_states(image.pk).values())


def reshaped(state: CellState, box: tuple[int, int, int, int]) -> Patch:
    mask = BoxMask(box, (0, (box[2] - box[0]) * (box[3] - box[1])))
    return Patch(updated=(Update(state, replace(state, box=mask.box, rle=mask.rle, source="person")),))


def test_it_works(world: World, image: Image):
    first, second, _ = cells_of(image)
    save(image, Patch(removed=(first,)), world)
    save(image, reshaped(second, (20, 0, 30, 8)), world)
    save(image, adding(cell(square(60, 30, 10), label=4)), world)
    submission = submit(image, world)
    assert counts(submission) == (1, 1, 1, 1)
    assert submission.corrected == 3
    image.refresh_from_db()
    assert (image.status, image.submitted_by) == (ImageStatus.SUBMITTED, world.bob)
    kinds = {outcome.kind: outcome for outcome in CellOutcome.objects.filter(submission=submission)}
    assert kinds["reshaped"].iou == pytest.approx(0.8)
    assert kinds["false"].cell_id == first_id(first)
    assert {outcome.model_version for outcome in kinds.values()} == {world.base}


def first_id(state: CellState):
    from uuid import UUID

    return UUID(state.id)


def test_an_image_that_nobody_touched_is_all_untouched(world: World, image: Image):
    assert counts(submit(image, world)) == (3, 0, 0, 0)


@pytest.mark.parametrize(
    ("box", "kind"), [((0, 0, 40, 39), OutcomeKind.UNTOUCHED), ((0, 0, 40, 37), OutcomeKind.RESHAPED)]
)
def test_a_cell_is_reshaped_below_an_iou_of_95(world: World, box, kind: OutcomeKind):
    image = make_ready_image(world.project, [square(0, 0, 40)])
    save(image, reshaped(cells_of(image)[0], box), world)
    assert CellOutcome.objects.get(submission=submit(image, world)).kind == kind


def test_a_change_taken_back_is_no_correction(world: World, image: Image):
    patch = reshaped(cells_of(image)[0], (0, 0, 5, 5))
    save(image, patch, world)
    save(image, patch.invert(), world)
    assert counts(submit(image, world)) == (3, 0, 0, 0)


def test_a_cell_deleted_and_drawn_anew_is_reshaped(world: World, image: Image):
    first = cells_of(image)[0]
    save(image, Patch(removed=(first,), added=(cell(square(0, 1, 9), label=4),)), world)
    assert counts(submit(image, world)) == (2, 1, 0, 0)


def test_a_cell_drawn_elsewhere_is_missed_and_the_deleted_one_false(world: World, image: Image):
    first = cells_of(image)[0]
    save(image, Patch(removed=(first,), added=(cell(square(7, 7, 10), label=4),)), world)
    assert counts(submit(image, world)) == (2, 0, 1, 1)


def test_a_cell_split_in_two_is_one_missed_cell(world: World, image: Image):
    first = cells_of(image)[0]
    large = replace(first, box=(0, 0, 10, 7), rle=(0, 70), source="person")
    rest = cell(BoxMask((0, 7, 10, 10), (0, 30)), label=4)
    save(image, Patch(added=(rest,), updated=(Update(first, large),)), world)
    assert counts(submit(image, world)) == (2, 1, 1, 0)


def test_cells_that_a_model_never_saw_are_missed_by_none(world: World):
    image = ingest(make_image(world.project))
    save(image, adding(cell(square(0, 0), label=1)), world)
    Image.objects.filter(pk=image.pk).update(status=ImageStatus.IN_PROGRESS)
    outcome = CellOutcome.objects.get(submission=submit(image, world))
    assert (outcome.kind, outcome.model_version) == (OutcomeKind.MISSED, None)


def test_it_rejects_a_stale_revision(world: World, image: Image):
    with pytest.raises(StaleRevision):
        image_submit(image_id=image.pk, by=world.bob, revision=0)


def test_it_rejects_an_image_that_is_being_segmented(world: World):
    image = ingest(make_image(world.project))
    with pytest.raises(Conflict, match="not ready"):
        image_submit(image_id=image.pk, by=world.bob, revision=0)


def test_submitting_twice_changes_nothing(world: World, image: Image):
    first = submit(image, world)
    assert submit(image, world).pk == first.pk
    assert Submission.objects.count() == 1


def test_each_revision_has_a_submission_of_its_own(world: World, image: Image):
    submit(image, world)
    save(image, Patch(removed=(cells_of(image)[0],)), world)
    assert counts(submit(image, world)) == (2, 0, 0, 1)
    assert Submission.objects.filter(image=image).count() == 2


def test_the_outcomes_follow_from_the_edits(world: World, image: Image):
    save(image, Patch(removed=(cells_of(image)[0],)), world)
    early = submit(image, world)
    save(image, adding(cell(square(60, 30, 10), label=4)), world)
    late = submit(image, world)
    assert submission_rebuild(submission_id=early.pk, write=False)
    assert submission_rebuild(submission_id=late.pk, write=False)
    call_command("rebuild_outcomes", check=True, stdout=StringIO())


def test_the_check_finds_a_wrong_outcome_and_the_rebuild_mends_it(world: World, image: Image):
    submission = submit(image, world)
    CellOutcome.objects.filter(submission=submission, kind="untouched").delete()
    with pytest.raises(CommandError, match="1 of 1"):
        call_command("rebuild_outcomes", check=True, stdout=StringIO())
    call_command("rebuild_outcomes", stdout=StringIO())
    call_command("rebuild_outcomes", check=True, stdout=StringIO())


def test_the_check_finds_a_wrong_count(world: World, image: Image):
    submission = submit(image, world)
    Submission.objects.filter(pk=submission.pk).update(missed=5)
    assert not submission_rebuild(submission_id=submission.pk, write=False)
