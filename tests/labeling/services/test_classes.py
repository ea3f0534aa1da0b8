"""The ontology, classes of cells, and their counts."""

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Count
from django.test.utils import CaptureQueriesContext

from labeling.errors import BeforeMismatch, Conflict, Invalid
from labeling.models import Cell, CellClass, ClassCount, Edit, Image
from labeling.patch import CellState, Patch, Update
from labeling.selectors.cells import cell_states, cells_at
from labeling.selectors.classes import class_counts, classes_of, project_class_counts
from labeling.services.classes import class_create, class_delete, class_update, classes_order
from labeling.services.edits import edit_apply
from labeling.services.images import image_segment
from labeling.services.projects import project_create, project_delete
from tests.factories import World, adding, cell, make_ready_image, segment, square


@pytest.fixture
def image(world: World) -> Image:
    return make_ready_image(world.project)


@pytest.fixture
def dead(world: World) -> CellClass:
    return class_create(project=world.project, name="Dead", colour="#AA0000", key=1)


def save(image: Image, patch: Patch, world: World) -> None:
    image.refresh_from_db()
    edit_apply(
        image_id=image.pk, author=world.bob, edit_id=uuid4(), base_revision=image.revision, patch=patch
    )
    image.refresh_from_db()


def classed(image: Image, cell_class: CellClass | None, count: int) -> Patch:
    states = list(cell_states(image.pk).values())[:count]
    class_id = str(cell_class.pk) if cell_class else None
    return Patch(updated=tuple(Update(state, replace(state, class_id=class_id)) for state in states))


def counts(image: Image) -> dict[UUID | None, int]:
    return {row.class_id: row.cells for row in class_counts(image)}


def test_a_cell_has_its_class_and_keeps_the_rest(world: World, image: Image, dead: CellClass):
    patch = classed(image, dead, 1)
    save(image, patch, world)
    after = patch.updated[0].after
    assert cell_states(image.pk)[after.id] == after
    assert (after.source, after.score) == ("model", 0.9)
    assert cells_at(image.pk, image.revision) == cell_states(image.pk)
    assert counts(image) == {None: 2, dead.pk: 1}


def test_taking_it_back_gives_the_first_document_and_counts(world: World, image: Image, dead: CellClass):
    before = cell_states(image.pk)
    patch = classed(image, dead, 2)
    save(image, patch, world)
    save(image, patch.invert(), world)
    assert cell_states(image.pk) == before
    assert counts(image) == {None: 3}


def test_a_before_state_of_another_class_is_refused(world: World, image: Image, dead: CellClass):
    save(image, classed(image, dead, 1), world)
    state = next(state for state in cell_states(image.pk).values() if state.class_id)
    with pytest.raises(BeforeMismatch):
        save(image, Patch(removed=(replace(state, class_id=None),)), world)


def test_a_class_of_another_project_is_unknown(world: World, image: Image):
    other = project_create(name="Other", created_by=world.charlie)
    theirs = class_create(project=other, name="Theirs", colour="#000000")
    with pytest.raises(Invalid, match="no class"):
        save(image, adding(cell(square(30, 30), label=4, class_id=str(theirs.pk))), world)
    with pytest.raises(Invalid, match="no class"):
        save(image, adding(cell(square(30, 30), label=4, class_id=str(uuid4()))), world)


def test_counts_follow_every_kind_of_change(world: World, image: Image, dead: CellClass):
    alive = class_create(project=world.project, name="Alive", colour="#00aa00")
    drawn = cell(square(30, 30), label=4, class_id=str(alive.pk))
    save(image, adding(drawn), world)
    save(image, Patch(updated=(Update(drawn, replace(drawn, class_id=str(dead.pk))),)), world)
    save(image, classed(image, dead, 3), world)
    removed = next(state for state in cell_states(image.pk).values() if state.label == 1)
    save(image, Patch(removed=(removed,)), world)
    assert counts(image) == {dead.pk: 3}
    second = make_ready_image(world.project, seed=1)
    save(second, classed(second, alive, 2), world)
    whole = {row.class_id: row.cells for row in project_class_counts(world.project.pk)}
    assert whole == {None: 1, dead.pk: 3, alive.pk: 2}
    rows = Cell.objects.order_by().values_list("cell_class_id").annotate(cells=Count("id"))
    assert dict(rows) == whole


def test_a_new_segmentation_takes_the_classes_along(world: World, dead: CellClass):
    """Only cells that nobody edited are replaced; a class of theirs can come from nobody but an import."""
    image = make_ready_image(world.project)
    Cell.objects.filter(image=image, label=1).update(cell_class=dead)
    ClassCount.objects.create(image=image, cell_class=dead, cells=1)
    image_segment(image=image)
    segment(image, [square(0, 0)])
    image.refresh_from_db()
    assert counts(image) == {None: 1}


def queries_of(image: Image, patch: Patch, world: World) -> int:
    with CaptureQueriesContext(connection) as queries:
        save(image, patch, world)
    return len(queries)


def test_a_class_costs_what_it_touches_and_not_what_there_is(world: World, dead: CellClass):
    small = make_ready_image(world.project, [square(0, 0), square(10, 10)], seed=1)
    many = [square(x, y, 1) for x in range(60) for y in range(20)]
    large = make_ready_image(world.project, many, seed=2)
    for image in (small, large):  # the first use of a class and of its count
        save(image, classed(image, dead, 1), world)
    few = queries_of(small, classed(small, None, 1), world)
    assert queries_of(large, classed(large, None, 1), world) == few


def test_reading_counts_does_not_read_cells(world: World, image: Image, dead: CellClass):
    save(image, classed(image, dead, 1), world)
    with CaptureQueriesContext(connection) as queries:
        class_counts(image)
        project_class_counts(world.project.pk)
    assert not [query for query in queries if '"labeling_cell"' in query["sql"]]


def test_a_class_that_was_never_used_is_deleted(dead: CellClass):
    assert class_delete(cell_class=dead) is None
    assert not CellClass.objects.filter(pk=dead.pk).exists()


def test_a_class_that_cells_have_is_archived_and_its_key_is_free(world: World, image: Image, dead: CellClass):
    save(image, classed(image, dead, 1), world)
    kept = class_delete(cell_class=dead)
    assert kept is not None
    assert kept.archived
    assert class_create(project=world.project, name="Dead", colour="#000000", key=1).key == 1
    assert counts(image)[dead.pk] == 1


def test_a_class_of_the_history_is_archived_so_that_undo_works(world: World, image: Image, dead: CellClass):
    patch = classed(image, dead, 1)
    save(image, patch, world)
    save(image, patch.invert(), world)
    kept = class_delete(cell_class=dead)
    assert kept is not None
    save(image, patch, world)
    assert counts(image)[dead.pk] == 1


def test_an_archived_class_comes_back_unless_its_name_is_taken(world: World, dead: CellClass):
    class_update(cell_class=dead, archived=True)
    assert not class_update(cell_class=dead, archived=False).archived
    class_update(cell_class=dead, archived=True)
    class_create(project=world.project, name="Dead", colour="#000000")
    with pytest.raises(Conflict, match="already"):
        class_update(cell_class=dead, archived=False)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": "Alive"}, "name_taken"),
        ({"key": 2}, "key_taken"),
        ({"name": "  "}, "invalid"),
        ({"colour": "red"}, "invalid"),
        ({"colour": "#12345"}, "invalid"),
        ({"key": 0}, "invalid"),
        ({"key": 10}, "invalid"),
    ],
)
def test_a_change_that_cannot_be_is_refused(
    world: World, dead: CellClass, changes: dict[str, Any], code: str
):
    class_create(project=world.project, name="Alive", colour="#00aa00", key=2)
    with pytest.raises((Invalid, Conflict)) as caught:
        class_update(cell_class=dead, **changes)
    assert caught.value.code == code
    dead.refresh_from_db()
    assert (dead.name, dead.colour, dead.key) == ("Dead", "#aa0000", 1)


def test_the_database_itself_refuses_a_key_twice(world: World, dead: CellClass):
    with pytest.raises(IntegrityError, match="class_key_once"), transaction.atomic():
        CellClass.objects.create(project=world.project, name="x", colour="#000000", key=1, order=5)


def test_classes_are_put_in_order(world: World, dead: CellClass):
    alive = class_create(project=world.project, name="Alive", colour="#00aa00")
    assert [row.pk for row in classes_of(world.project.pk)] == [dead.pk, alive.pk]
    ordered = classes_order(project=world.project, ids=[alive.pk, dead.pk])
    assert [row.pk for row in ordered] == [alive.pk, dead.pk]
    for ids in ([alive.pk], [alive.pk, alive.pk], [alive.pk, uuid4()]):
        with pytest.raises(Invalid, match="once"):
            classes_order(project=world.project, ids=ids)


def test_a_project_with_classes_can_be_deleted(world: World, image: Image, dead: CellClass):
    save(image, classed(image, dead, 1), world)
    project_delete(project=world.project)
    assert not CellClass.objects.exists()


def test_edits_from_before_there_were_classes_are_replayed(world: World, image: Image):
    """The history is append-only: what was stored without the key stays so and reads as no class."""
    edit = Edit.objects.get(image=image, revision=1)
    for state in edit.patch["added"]:
        del state["class_id"]
    edit.save()
    states: dict[str, CellState] = cells_at(image.pk, 1)
    assert states == cell_states(image.pk)
    assert {state.class_id for state in states.values()} == {None}
