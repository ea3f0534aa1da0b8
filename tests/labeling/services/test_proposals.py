"""A segmentation that came after a person's edit: accepted as that person's edit, or dismissed."""

from uuid import UUID, uuid4

import pytest

from labeling.errors import Conflict, LeaseLost, StaleRevision
from labeling.models import Edit, Image, Proposal, ProposalStatus, Source
from labeling.patch import Patch
from labeling.selectors.cells import cell_states, cells_at
from labeling.selectors.proposals import open_proposals
from labeling.services.edits import edit_apply
from labeling.services.leases import lease_beat
from labeling.services.proposals import Accepted, Mode, proposal_accept, proposal_dismiss
from labeling.services.submissions import image_submit, submission_rebuild
from tests.factories import World, adding, cell, make_proposal, make_ready_image, square


@pytest.fixture
def image(world: World) -> Image:
    """Three squares of the model's and one of Bob's."""
    image = make_ready_image(world.project)
    drawn = cell(square(40, 40), label=4)
    edit_apply(image_id=image.pk, author=world.bob, edit_id=uuid4(), base_revision=1, patch=adding(drawn))
    return image


@pytest.fixture
def proposal(image: Image) -> Proposal:
    """One cell that is there, one that nearly is, and one that is new."""
    return make_proposal(image, [square(40, 40), square(10, 11), square(60, 50)])


def accept(
    proposal: Proposal, world: World, mode: Mode, *, edit_id: UUID | None = None, base: int = 2
) -> Accepted:
    return proposal_accept(
        proposal=proposal, by=world.bob, edit_id=edit_id or uuid4(), base_revision=base, mode=mode
    )


def boxes(image: Image) -> set[tuple[int, int]]:
    return {state.box[:2] for state in cell_states(image.pk).values()}


def test_replacing_gives_the_proposed_cells(world: World, image: Image, proposal: Proposal):
    accepted = accept(proposal, world, "replace")
    assert boxes(image) == {(40, 40), (10, 11), (60, 50)}
    edit = Edit.objects.get(pk=accepted.edit_id)
    assert (edit.revision, edit.author, edit.source) == (3, world.bob, Source.PERSON)
    assert accepted.patch == edit.patch
    assert [cell["label"] for cell in accepted.patch["added"]] == [5, 6, 7]
    image.refresh_from_db()
    assert (image.revision, image.next_label, image.cell_count) == (3, 8, 3)
    assert cells_at(image.pk, 3) == cell_states(image.pk)


def test_adding_leaves_what_people_have_and_brings_what_they_lack(
    world: World, image: Image, proposal: Proposal
):
    before = cell_states(image.pk)
    accepted = accept(proposal, world, "add")
    assert [tuple(cell["box"][:2]) for cell in accepted.patch["added"]] == [(60, 50)]
    assert accepted.patch["removed"] == []
    assert before.items() <= cell_states(image.pk).items()


def test_it_can_be_taken_back_and_is_not_offered_again(world: World, image: Image, proposal: Proposal):
    before = cell_states(image.pk)
    accepted = accept(proposal, world, "replace")
    undo = Patch.from_json(accepted.patch).invert()
    edit_apply(image_id=image.pk, author=world.bob, edit_id=uuid4(), base_revision=3, patch=undo)
    assert cell_states(image.pk) == before
    assert open_proposals(image.pk) == []
    with pytest.raises(Conflict, match="accepted already"):
        accept(proposal, world, "add", base=4)


def test_a_repetition_gives_the_same_answer(world: World, image: Image, proposal: Proposal):
    edit_id = uuid4()
    first = accept(proposal, world, "replace", edit_id=edit_id)
    assert accept(proposal, world, "replace", edit_id=edit_id) == first
    assert Edit.objects.filter(image=image).count() == 3


def test_a_stale_base_is_refused(world: World, proposal: Proposal):
    with pytest.raises(StaleRevision):
        accept(proposal, world, "replace", base=1)


def test_another_s_lease_is_respected(world: World, image: Image, proposal: Proposal):
    lease_beat(image=image, user=world.alice, session="tab-of-alice", may_edit=True)
    with pytest.raises(LeaseLost):
        accept(proposal, world, "replace")


def test_nothing_to_add_is_said(world: World, image: Image):
    proposal = make_proposal(image, [square(40, 40)])
    with pytest.raises(Conflict, match="not there already"):
        accept(proposal, world, "add")
    proposal.refresh_from_db()
    assert proposal.status == ProposalStatus.OPEN


def test_a_dismissed_one_is_kept_and_not_shown(world: World, image: Image, proposal: Proposal):
    proposal_dismiss(proposal=proposal, by=world.bob)
    proposal_dismiss(proposal=proposal, by=world.alice)
    proposal.refresh_from_db()
    assert (proposal.status, proposal.decided_by) == (ProposalStatus.DISMISSED, world.bob)
    assert open_proposals(image.pk) == []
    with pytest.raises(Conflict, match="dismissed already"):
        accept(proposal, world, "replace")
    assert boxes(image) == {(0, 0), (10, 10), (20, 20), (40, 40)}


def test_cells_that_a_person_took_over_are_no_corrections_of_the_model(
    world: World, image: Image, proposal: Proposal
):
    """The model did find them: counting them as missed would ask for a training run about nothing."""
    accept(proposal, world, "replace")
    image_submit(image_id=image.pk, by=world.bob, revision=3)
    submission = image.submissions.get()
    assert (submission.untouched, submission.missed, submission.false_cells) == (3, 0, 0)
    assert submission_rebuild(submission_id=submission.pk, write=False)
