"""What people see before they label: nothing on held-out images, and nothing where proposals cost more than none."""

from dataclasses import replace
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from labeling.models import Edit, Image, ImageStatus, Project, Proposal, ProposalStatus, Split, Submission
from labeling.patch import CellState, Patch
from labeling.selectors.cells import cell_states
from labeling.selectors.presegmentation import hidden_reason, presegmentation
from labeling.selectors.redecoding import undecoded_images
from labeling.selectors.training import corrected_cells, evidence, outcome_counts
from labeling.services.edits import edit_apply
from labeling.services.images import image_segment
from labeling.services.loop_settings import loop_settings_set
from labeling.services.proposals import proposal_accept
from labeling.services.redecoding import redecodes_enqueue
from labeling.services.submissions import image_submit
from tests.factories import World, adding, cell, ingest, make_image, make_ready_image, segment, square
from tests.labeling.services.test_training import complete, start, submit_two, trained


def held_out(world: World) -> Image:
    """The fourth image of the project."""
    return [make_ready_image(world.project, seed=seed) for seed in range(4)][3]


def proposed(image: Image) -> tuple[CellState, ...]:
    return Patch.from_json(Proposal.objects.get(image=image).patch).added


def draw(world: World, image: Image, *, cells: int = 1) -> None:
    drawn = adding(*(cell(square(6 * k, 50), label=90 + k) for k in range(cells)))
    edit_apply(
        image_id=image.pk, author=world.bob, edit_id=uuid4(), base_revision=image.revision, patch=drawn
    )
    image.refresh_from_db()


def settings(world: World, **values: object) -> Project:
    return loop_settings_set(project=world.project, **values)


def test_a_held_out_image_is_offered_bare(world: World):
    image = held_out(world)
    assert (image.split, image.blind, image.status) == (Split.HELD_OUT, True, ImageStatus.READY)
    assert (image.cell_count, image.revision) == (0, 0)
    assert not Edit.objects.filter(image=image).exists()
    assert not Proposal.objects.filter(image=image).exists()
    assert "held out to judge models" in hidden_reason(image)


def test_the_first_three_images_are_not_held_out(world: World):
    for seed in range(3):
        image = make_ready_image(world.project, seed=seed)
        assert (image.split, image.blind, image.cell_count) == (Split.TRAIN, False, 3)


def test_segmenting_it_again_shows_nothing_either(world: World):
    image = held_out(world)
    draw(world, image)
    image_segment(image=image)
    segment(image, [square(40, 40)])
    assert (len(cell_states(image.pk)), image.status) == (1, ImageStatus.IN_PROGRESS)
    assert not Proposal.objects.filter(image=image).exists()


def test_who_drew_before_the_model_was_done_drew_blind(world: World):
    images = [make_ready_image(world.project, seed=seed) for seed in range(3)]
    assert images
    image = ingest(make_image(world.project, seed=3))
    draw(world, image)
    segment(image, [square(40, 40)])
    assert (image.blind, image.status, image.cell_count) == (True, ImageStatus.IN_PROGRESS, 1)


def test_cells_drawn_on_a_blind_image_are_no_corrections(world: World):
    image = held_out(world)
    draw(world, image, cells=3)
    image_submit(image_id=image.pk, by=world.bob, revision=image.revision)
    submission = Submission.objects.get(image=image)
    assert (submission.missed, submission.model_version) == (3, None)
    assert corrected_cells(world.project) == 0
    assert outcome_counts(world.project).missed == 0
    assert evidence(world.project).deciding == 1


def test_a_project_may_have_outlines_on_held_out_images(world: World):
    settings(world, blind_held_out=False)
    image = held_out(world)
    assert (image.split, image.blind, image.cell_count) == (Split.HELD_OUT, False, 3)


def test_who_has_seen_outlines_is_not_made_blind(world: World):
    """The setting came later: the image stays what it was."""
    settings(world, blind_held_out=False)
    image = held_out(world)
    settings(world, blind_held_out=True)
    image_segment(image=image)
    segment(image, [square(40, 40)])
    assert (image.blind, image.cell_count) == (False, 1)


def test_no_more_groups_are_held_out_than_the_project_wants(world: World):
    settings(world, held_out_target=1)
    images = [make_image(world.project, seed=seed) for seed in range(12)]
    assert [index for index, image in enumerate(images) if image.split == Split.HELD_OUT] == [3]


def measured(world: World, *, precision: float) -> Project:
    """The active version's precision was measured on held-out images."""
    Project.objects.filter(pk=world.project.pk).update(active_precision=precision)
    return Project.objects.select_related("active_version").get(pk=world.project.pk)


def test_outlines_are_hidden_where_most_are_wrong(world: World):
    project = measured(world, precision=0.31)
    view = presegmentation(project)
    assert (view.mode, view.shown) == ("auto", False)
    assert "Only 31% of the cells that tiny 1 found on held-out images were right" in view.reason
    image = make_ready_image(project)
    assert (image.status, image.cell_count, image.revision) == (ImageStatus.READY, 0, 0)
    assert len(Proposal.objects.get(image=image).patch["added"]) == 3
    assert hidden_reason(image) == view.reason


@pytest.mark.parametrize("precision", [None, 0.5, 0.9])
def test_outlines_are_shown_where_they_help_or_nobody_knows(world: World, precision: float | None):
    world.project.active_precision = precision
    world.project.save()
    assert presegmentation(world.project).shown
    assert make_ready_image(world.project).cell_count == 3


def test_a_project_may_always_or_never_show_them(world: World):
    measured(world, precision=0.1)
    assert presegmentation(settings(world, presegmentation="always")).shown
    assert make_ready_image(world.project).cell_count == 3
    measured(world, precision=0.9)
    assert not presegmentation(settings(world, presegmentation="never")).shown
    assert make_ready_image(world.project, seed=1).cell_count == 0


def test_a_hidden_segmentation_that_is_accepted_counts_as_predicted(world: World):
    image = make_ready_image(measured(world, precision=0.1))
    proposal = Proposal.objects.get(image=image)
    proposal_accept(proposal=proposal, by=world.bob, edit_id=uuid4(), base_revision=0, mode="replace")
    image_submit(image_id=image.pk, by=world.bob, revision=1)
    submission = Submission.objects.get(image=image)
    assert (submission.untouched, submission.model_version) == (3, world.base)
    assert hidden_reason(Image.objects.get(pk=image.pk)) == ""


def test_cells_drawn_where_outlines_were_hidden_count_as_drawn_by_hand(world: World):
    image = make_ready_image(measured(world, precision=0.1))
    draw(world, image, cells=2)
    image_submit(image_id=image.pk, by=world.bob, revision=image.revision)
    submission = Submission.objects.get(image=image)
    assert (submission.missed, submission.model_version) == (2, None)


def test_images_that_nobody_has_opened_follow_the_setting(world: World):
    image = make_ready_image(world.project)
    settings(world, presegmentation="never")
    assert redecodes_enqueue(project_id=world.project.pk) == 1
    segment(image, [square(0, 0)])
    assert (image.cell_count, Proposal.objects.filter(status=ProposalStatus.OPEN).count()) == (0, 1)
    assert redecodes_enqueue(project_id=world.project.pk) == 0
    draw(world, image)  # an image whose outlines were taken away is drawn by hand
    patch = Patch(removed=tuple(cell_states(image.pk).values()))
    edit_apply(
        image_id=image.pk, author=world.bob, edit_id=uuid4(), base_revision=image.revision, patch=patch
    )
    image_submit(image_id=image.pk, by=world.bob, revision=image.revision + 1)
    assert Submission.objects.get(image=image).model_version is None


def test_they_come_back_with_the_setting(world: World):
    settings(world, presegmentation="never")
    image = make_ready_image(world.project)
    settings(world, presegmentation="always")
    assert redecodes_enqueue(project_id=world.project.pk) == 1
    segment(image, [square(0, 0)])
    assert (image.cell_count, hidden_reason(image)) == (1, "")


def test_a_run_measures_what_decides_it(world: World):
    submit_two(world)
    make_ready_image(world.project, seed=5)
    run, claim = start(world)
    complete(run, claim, trained(10), active=15)  # 15 of 50 found cells are right
    project = Project.objects.get(pk=world.project.pk)
    assert project.active_precision == pytest.approx(0.3)
    assert project.redecode_due
    run, claim = start(world)
    complete(run, claim, trained(40), active=15)
    project.refresh_from_db()
    assert project.active_precision == pytest.approx(0.8)  # of the version that was promoted


def wrong_cells(world: World, *, seed: int, submitted: bool = True) -> Image:
    """An image in which the model finds eight cells, of which a person leaves one."""
    image = segment(ingest(make_image(world.project, seed=seed)), [square(7 * k, 4) for k in range(8)])
    if submitted:
        gone = tuple(cell_states(image.pk).values())[1:]
        edit_apply(
            image_id=image.pk,
            author=world.bob,
            edit_id=uuid4(),
            base_revision=image.revision,
            patch=Patch(removed=gone),
        )
        image_submit(image_id=image.pk, by=world.bob, revision=image.revision + 1)
    return image


def standing(world: World) -> Project:
    return Project.objects.select_related("active_version").get(pk=world.project.pk)


def test_a_model_that_people_mostly_delete_is_hidden_before_any_run(world: World):
    waiting = wrong_cells(world, seed=0, submitted=False)
    for seed in (1, 2):
        wrong_cells(world, seed=seed)
    assert presegmentation(standing(world)).shown  # sixteen cells say too little
    make_image(world.project, seed=3)  # the fourth, which is held out
    wrong_cells(world, seed=4)
    view = presegmentation(standing(world))
    assert (view.shown, "Only 12% of the cells that tiny 1 found" in view.reason) == (False, True)
    assert standing(world).redecode_due  # what waits is not to show them either
    assert waiting in undecoded_images(standing(world))


def test_what_is_hidden_is_judged_too_and_comes_back_when_it_was_right(world: World):
    Project.objects.filter(pk=world.project.pk).update(score_tally=[[18, 20, 9, 9]])
    image = make_ready_image(standing(world))
    assert (image.cell_count, image.shown_from) == (0, None)
    draw(world, image, cells=1)
    edit_apply(
        image_id=image.pk, author=world.bob, edit_id=uuid4(), base_revision=image.revision,
        patch=adding(*(cell(state.mask, label=50 + k) for k, state in enumerate(proposed(image)))),
    )  # fmt: skip
    image_submit(image_id=image.pk, by=world.bob, revision=image.revision + 1)
    project = standing(world)
    assert project.score_tally == [[18, 23, 12, 12]]
    assert presegmentation(project).shown


def test_an_image_counts_once_and_another_version_begins_anew(world: World):
    image = make_ready_image(world.project)
    image_submit(image_id=image.pk, by=world.bob, revision=image.revision)
    image.refresh_from_db()
    draw(world, image)
    image_submit(image_id=image.pk, by=world.bob, revision=image.revision)
    assert standing(world).score_tally == [[18, 3, 3, 3]]
    make_ready_image(world.project, seed=5)
    submit_two(world)
    run, claim = start(world)
    complete(run, claim, trained(40), active=15)
    assert standing(world).score_tally == []


def test_what_a_run_measured_is_not_outweighed_by_what_people_do(world: World):
    measured(world, precision=0.9)
    for seed in (0, 1, 2):
        wrong_cells(world, seed=seed)
    assert presegmentation(standing(world)).shown


FAINT_ARE_WRONG = [[10, 20, 8, 8], [15, 20, 18, 16]]  # 0.50: 12 of 20 wrong; 0.75: 2 of 20


def faint_are_wrong(world: World) -> Project:
    """The project knows that its model's faint cells are mostly wrong."""
    Project.objects.filter(pk=world.project.pk).update(score_tally=FAINT_ARE_WRONG, shown_from=0.75)
    return standing(world)


def partly_shown(world: World) -> Image:
    """An image with two cells that are shown and a faint one that is kept back."""
    image = ingest(make_image(world.project, seed=7))
    return segment(image, [square(0, 0), square(10, 10), square(20, 20)], scores=[0.9, 0.52, 0.75])


def test_faint_outlines_are_kept_back_where_most_of_them_are_wrong(world: World):
    view = presegmentation(faint_are_wrong(world))
    assert (view.shown, view.shown_from) == (True, 0.75)
    assert "Cells with a score under 0.75 are kept as a proposal: of those that tiny 1 found" in view.reason
    image = partly_shown(world)
    assert sorted(state.box[0] for state in cell_states(image.pk).values()) == [0, 20]
    assert [state.box[0] for state in proposed(image)] == [10]
    assert hidden_reason(image).startswith("1 outline is not shown, because of its score")
    assert not undecoded_images(standing(world)).exists()
    image_segment(image=image)
    segment(image, [square(5 * k, 0) for k in range(4)], scores=[0.9, 0.52, 0.53, 0.8])
    assert hidden_reason(image).startswith("2 outlines are not shown")


def test_a_cell_that_was_kept_back_is_taken_at_a_press(world: World):
    faint_are_wrong(world)
    image = partly_shown(world)
    proposal_accept(
        proposal=Proposal.objects.get(image=image), by=world.bob, edit_id=uuid4(), base_revision=image.revision,
        mode="add",
    )  # fmt: skip
    image_submit(image_id=image.pk, by=world.bob, revision=image.revision + 1)
    submission = Submission.objects.get(image=image)
    assert (submission.untouched, submission.missed) == (3, 0)
    assert standing(world).score_tally == [[10, 21, 9, 9], [15, 21, 19, 17], [18, 1, 1, 1]]


def test_what_is_kept_back_is_judged_by_what_people_draw(world: World):
    faint_are_wrong(world)
    image = partly_shown(world)
    image_submit(image_id=image.pk, by=world.bob, revision=image.revision)
    assert Submission.objects.get(image=image).untouched == 2
    assert standing(world).score_tally == [[10, 21, 8, 8], [15, 21, 19, 17], [18, 1, 1, 1]]


def test_people_learn_by_submitting_from_which_score_on_to_be_shown_any(world: World):
    waiting = make_ready_image(world.project, seed=20)
    for seed in (0, 1):
        image = ingest(make_image(world.project, seed=seed))
        spots = [square(5 * k, 5 * row) for row in range(2) for k in range(8)]
        segment(image, spots, scores=[0.55] * 8 + [0.8] * 8)
        wrong = tuple(cell for cell in cell_states(image.pk).values() if cell.score == 0.55)
        edit_apply(
            image_id=image.pk, author=world.bob, edit_id=uuid4(), base_revision=image.revision,
            patch=Patch(removed=wrong),
        )  # fmt: skip
        image_submit(image_id=image.pk, by=world.bob, revision=image.revision + 1)
    project = standing(world)
    assert presegmentation(project).shown_from == 0.8
    assert (project.redecode_due, waiting in undecoded_images(project)) == (True, True)
    assert redecodes_enqueue(project_id=world.project.pk) == 1
    segment(waiting, [square(0, 0), square(9, 9)], scores=[0.9, 0.6])
    assert (waiting.cell_count, waiting.shown_from) == (1, 0.8)
    assert not undecoded_images(standing(world)).exists()


def test_a_project_that_always_shows_outlines_shows_faint_ones(world: World):
    faint_are_wrong(world)
    image = partly_shown(world)
    assert presegmentation(settings(world, presegmentation="always")).shown_from == 0.0
    assert redecodes_enqueue(project_id=world.project.pk) == 1
    segment(image, [square(0, 0), square(10, 10)], scores=[0.9, 0.52])
    assert (image.cell_count, hidden_reason(image)) == (2, "")


def test_none_are_shown_where_mending_costs_more_than_drawing(world: World):
    rows = [[12, 30, 18, 2]]  # three in five are right, but nearly all of them must be mended
    Project.objects.filter(pk=world.project.pk).update(score_tally=rows, shown_from=None)
    view = presegmentation(standing(world))
    assert (view.shown, view.shown_from) == (False, None)
    assert "7% could stay as they were and 40% were wrong" in view.reason


def test_a_run_measures_from_which_score_on_cells_are_worth_showing(world: World):
    submit_two(world)
    run, claim = start(world)
    rows = ((10, 20, 8, 8), (15, 30, 28, 26))
    scores = [replace(score, by_score=rows) for score in trained(40).scores]
    complete(run, claim, replace(trained(40), scores=scores), active=30)
    project = standing(world)
    assert project.active_version != world.base
    assert (project.shown_from, project.score_tally[0]) == (0.75, [10, 120, 48, 48])


def test_too_few_cells_measure_nothing(world: World):
    submit_two(world)
    run, claim = start(world)
    complete(run, claim, trained(1, n=0), n=0)
    assert Project.objects.get(pk=world.project.pk).active_precision is None


def test_the_page_says_so(world: World, as_bob: APIClient):
    image = held_out(world)
    answer = as_bob.get(f"/api/images/{image.pk}").json()
    assert (answer["blind"], "held out" in answer["proposals_hidden_reason"]) == (True, True)
    project = as_bob.get(f"/api/projects/{world.project.pk}").json()
    assert project["presegmentation"] == {
        "mode": "auto", "shown": True, "shown_from": 0.0, "unsure_above": 0.5, "reason": "",
    }  # fmt: skip
