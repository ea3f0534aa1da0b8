"""Saving a patch: what is checked, what is written, and what it costs."""

from dataclasses import replace
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from labeling.errors import BeforeMismatch, Conflict, Invalid, StaleRevision
from labeling.models import Cell, Edit, Image, ImageStatus, Source
from labeling.patch import CellState, Patch, Update
from labeling.rle import BoxMask
from labeling.selectors.cells import cell_states, cells_at
from labeling.services.edits import EditResult, edit_apply
from tests.factories import World, adding, cell, make_image, make_ready_image, make_tuned, square


@pytest.fixture
def image(world: World) -> Image:
    return make_ready_image(world.project)


def save(image: Image, patch: Patch, *, world: World, edit_id=None, base: int | None = None) -> EditResult:
    revision = Image.objects.get(pk=image.pk).revision if base is None else base
    return edit_apply(
        image_id=image.pk, author=world.bob, edit_id=edit_id or uuid4(), base_revision=revision, patch=patch
    )


def cells_of(image: Image) -> list[CellState]:
    return list(cell_states(image.pk).values())


def test_it_works(world: World, image: Image):
    removed, changed, kept = cells_of(image)
    after = replace(changed, box=(10, 10, 12, 12), rle=(0, 4), source="person")
    drawn = cell(square(30, 30), label=4)
    patch = Patch(added=(drawn,), updated=(Update(changed, after),), removed=(removed,))

    result = save(image, patch, world=world)

    assert cell_states(image.pk) == {after.id: after, kept.id: kept, drawn.id: drawn}
    edit = Edit.objects.get(pk=result.edit_id)
    assert (edit.revision, edit.author, edit.source) == (2, world.bob, Source.PERSON)
    assert edit.patch == patch.to_json()
    image.refresh_from_db()
    assert (image.revision, image.next_label, image.cell_count) == (2, 5, 3)
    assert image.status == ImageStatus.IN_PROGRESS


def test_it_can_be_taken_back(world: World, image: Image):
    before = cell_states(image.pk)
    patch = Patch(added=(cell(square(30, 30), label=4),), removed=tuple(cells_of(image)))
    save(image, patch, world=world)
    save(image, patch.invert(), world=world)
    assert cell_states(image.pk) == before


def test_the_edits_replayed_give_the_cells(world: World, image: Image):
    save(image, Patch(removed=tuple(cells_of(image)[:2])), world=world)
    save(image, adding(cell(square(40, 40), label=9)), world=world)
    image.refresh_from_db()
    assert cells_at(image.pk, image.revision) == cell_states(image.pk)


def test_the_same_edit_again_gives_the_same_answer(world: World, image: Image):
    edit_id, patch = uuid4(), adding(cell(square(30, 30), label=4))
    first = save(image, patch, world=world, edit_id=edit_id, base=1)
    save(image, adding(cell(square(40, 40), label=5)), world=world)
    assert save(image, patch, world=world, edit_id=edit_id, base=1) == first
    assert Edit.objects.filter(image=image).count() == 3


def test_it_rejects_an_edit_id_of_another_image(world: World, image: Image):
    result = save(image, adding(cell(square(30, 30), label=4)), world=world)
    other = make_ready_image(world.project, seed=1)
    with pytest.raises(Conflict, match="taken"):
        save(other, adding(cell(square(30, 30), label=4)), world=world, edit_id=result.edit_id)


@pytest.mark.parametrize("base", [0, 2, 99])
def test_it_rejects_a_stale_revision(world: World, image: Image, base: int):
    with pytest.raises(StaleRevision) as caught:
        save(image, adding(cell(square(30, 30), label=4)), world=world, base=base)
    assert caught.value.extra == {"revision": 1}
    assert Cell.objects.filter(image=image).count() == 3


@pytest.mark.parametrize(
    "change", [{"label": 77}, {"box": (1, 0, 5, 4)}, {"rle": (1, 15)}, {"score": 0.1}, {"source": "person"}]
)
def test_it_rejects_a_cell_that_is_not_as_the_patch_says(world: World, image: Image, change):
    claimed = replace(cells_of(image)[0], **change)
    with pytest.raises(BeforeMismatch) as caught:
        save(image, Patch(removed=(claimed,)), world=world)
    assert caught.value.extra == {"cell": claimed.id}


def test_it_rejects_a_cell_of_another_image(world: World, image: Image):
    other = make_ready_image(world.project, seed=1)
    with pytest.raises(BeforeMismatch):
        save(image, Patch(removed=(cells_of(other)[0],)), world=world)


def test_it_rejects_an_id_that_exists_in_another_image(world: World, image: Image):
    other = make_ready_image(world.project, seed=1)
    taken = replace(cells_of(other)[0], label=4)
    with pytest.raises(BeforeMismatch, match="exists already"):
        save(image, adding(taken), world=world)


def test_it_rejects_a_label_that_is_taken(world: World, image: Image):
    with pytest.raises(BeforeMismatch, match="Label 2"):
        save(image, adding(cell(square(30, 30), label=2)), world=world)


def test_two_cells_may_swap_their_labels(world: World, image: Image):
    first, second, _ = cells_of(image)
    swap = Patch(updated=(Update(first, replace(first, label=2)), Update(second, replace(second, label=1))))
    save(image, swap, world=world)
    assert [c.id for c in cells_of(image)][:2] == [second.id, first.id]


def test_a_deleted_label_may_come_back(world: World, image: Image):
    first = cells_of(image)[0]
    save(image, Patch(removed=(first,)), world=world)
    save(image, adding(first), world=world)
    image.refresh_from_db()
    assert (image.next_label, image.cell_count) == (4, 3)


@pytest.mark.parametrize(
    "mask",
    [
        BoxMask((78, 0, 82, 4), (0, 16)),
        BoxMask((0, 0, 4, 4), (0, 15)),
        BoxMask((0, 0, 4, 4), (16,)),
        BoxMask((0, 0, 5, 4), (0, 4, 1, 4, 1, 4, 1, 4, 1)),
        BoxMask((-1, 0, 3, 4), (0, 16)),
    ],
    ids=["outside", "too short", "empty", "not tight", "negative"],
)
def test_it_rejects_a_mask_that_cannot_be(world: World, image: Image, mask: BoxMask):
    with pytest.raises(Invalid) as caught:
        save(image, adding(cell(mask, label=4)), world=world)
    assert caught.value.code == "invalid_patch"


def test_it_rejects_an_empty_patch(world: World, image: Image):
    with pytest.raises(Invalid, match="changes nothing"):
        save(image, Patch(), world=world)


def test_it_rejects_a_model_version_of_another_project(world: World, image: Image):
    foreign = str(uuid4())
    with pytest.raises(Invalid, match="no model version"):
        save(image, adding(cell(square(30, 30), label=4, model_version=foreign)), world=world)


def test_it_takes_a_box_that_a_version_answered(world: World, image: Image):
    drawn = cell(square(30, 30), label=4, score=0.3, model_version=str(world.base.pk))
    save(image, adding(drawn), world=world)
    assert cell_states(image.pk)[drawn.id] == drawn


def test_it_rejects_an_image_that_was_not_read_yet(world: World):
    image = make_image(world.project, seed=5)
    with pytest.raises(Conflict, match="not been read"):
        save(image, adding(cell(square(30, 30), label=1)), world=world)


def test_it_counts_the_cells_that_need_a_look(world: World):
    image = make_ready_image(world.project, [])
    unsure = [cell(square(4 * n, 0), label=n + 1, source="model", score=0.5, model_version=str(world.base.pk))
              for n in range(3)]  # fmt: skip
    save(image, adding(*unsure), world=world)
    image.refresh_from_db()
    assert image.to_check_count == 3
    checked = replace(unsure[0], source="person", score=None)
    save(image, Patch(updated=(Update(unsure[0], checked),)), world=world)
    save(image, Patch(removed=(unsure[1],)), world=world)
    image.refresh_from_db()
    assert (image.to_check_count, image.cell_count) == (1, 2)


def test_an_edit_reopens_a_submitted_image(world: World, image: Image):
    from labeling.services.submissions import image_submit

    image_submit(image_id=image.pk, by=world.bob, revision=1)
    save(image, Patch(removed=(cells_of(image)[0],)), world=world)
    image.refresh_from_db()
    assert (image.status, image.submitted_at) == (ImageStatus.IN_PROGRESS, None)


def count_queries(image: Image, world: World) -> tuple[int, int]:
    """(queries, bytes of their text) of one edit that touches one cell of each kind."""
    states = cells_of(image)
    patch = Patch(
        added=(cell(square(70, 50), label=image.next_label),),
        updated=(Update(states[0], replace(states[0], source="person")),),
        removed=(states[1],),
    )
    with CaptureQueriesContext(
        connection,
    ) as queries:
        save(image, patch, world=world)
    return len(queries), sum(len(query["sql"]) for query in queries)


def test_it_costs_what_it_touches_and_not_what_there_is(world: World):
    small = make_ready_image(world.project, [square(0, 0), square(10, 10)], seed=1)
    many = [square(x, y, 1) for x in range(60) for y in range(50)]
    large = make_ready_image(world.project, many, seed=2)
    few_queries, few_bytes = count_queries(small, world)
    queries, size = count_queries(large, world)
    assert queries == few_queries
    assert queries <= 14
    assert abs(size - few_bytes) < 200


def test_the_database_itself_refuses_a_second_cell_of_a_label(world: World, image: Image):
    row = Cell.objects.filter(image=image).values().get(label=1)
    with pytest.raises(IntegrityError, match="cell_label_once_an_image"):
        Cell.objects.create(**{**row, "id": uuid4()})


def test_a_version_of_another_project_is_unknown(world: World, image: Image):
    from labeling.services.projects import project_create

    other = project_create(name="Other", created_by=world.charlie)
    tuned = make_tuned(other)
    with pytest.raises(Invalid, match="no model version"):
        save(image, adding(cell(square(30, 30), label=4, model_version=str(tuned.pk))), world=world)
