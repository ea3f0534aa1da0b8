"""A pixel may belong to several cells: saved, reloaded, replayed and exported without loss."""

from uuid import uuid4

from rest_framework.test import APIClient

from labeling.formats import FORMATS
from labeling.selectors.cells import cell_states, cells_at
from labeling.selectors.exports import label_set
from labeling.services.classes import class_create, class_delete
from labeling.services.edits import edit_apply
from labeling.services.notes import note_create, note_resolve
from labeling.thumbnails import outlines_png
from tests.factories import World, adding, cell, make_ready_image, square


def test_overlapping_cells_are_the_same_after_save_reload_and_export(world: World, as_bob: APIClient):
    image = make_ready_image(world.project, [])
    drawn = [
        cell(square(10, 10, 8), label=1),
        cell(square(12, 12, 8), label=2),
        cell(square(12, 12, 4), label=3),
    ]
    drawn.append(cell(square(12, 12, 4), label=4))  # the very same pixels as another cell's
    edit_apply(image_id=image.pk, author=world.bob, edit_id=uuid4(), base_revision=1, patch=adding(*drawn))
    image.refresh_from_db()

    wanted = {state.id: state for state in drawn}
    assert cell_states(image.pk) == wanted
    assert cells_at(image.pk, image.revision) == wanted
    served = as_bob.get(f"/api/images/{image.pk}/cells").json()["cells"]
    assert served == [state.to_json() for state in drawn]
    exported = as_bob.get(f"/api/images/{image.pk}/export?format=coco")
    assert "X-CellLoop-Report" not in exported.headers
    read = FORMATS["coco"].read(exported.content)
    assert [(found.id, found.label, found.mask) for found in read.cells] == [
        (state.id, state.label, state.mask) for state in drawn
    ]
    tiff = as_bob.get(f"/api/images/{image.pk}/export?format=label-tiff")
    assert "1 cell hidden under others, not in the file. Labels: 3." in tiff.headers["X-CellLoop-Report"]
    assert outlines_png(image.height, image.width, ((s.label, s.mask, False) for s in drawn))


def test_an_export_has_classes_and_open_notes(world: World):
    image = make_ready_image(world.project, [])
    dead = class_create(project=world.project, name="Dead", colour="#aa0000")
    drawn = cell(square(10, 10), label=1, class_id=str(dead.pk))
    edit_apply(image_id=image.pk, author=world.bob, edit_id=uuid4(), base_revision=1, patch=adding(drawn))
    note_create(image=image, author=world.bob, text="Two cells?", cell_id=drawn.id)  # type: ignore[arg-type]
    note_create(image=image, author=world.bob, text="On a cell that is gone", cell_id=uuid4())
    note_create(image=image, author=world.bob, text="Blurred")
    settled = note_create(image=image, author=world.bob, text="Settled")
    note_resolve(note=settled, by=world.alice, resolved=True)
    image.refresh_from_db()

    labels = label_set(image)

    assert [(each.name, each.id, each.colour) for each in labels.classes] == [
        ("Dead", str(dead.pk), "#aa0000")
    ]
    assert (labels.cells[0].class_name, labels.cells[0].notes) == ("Dead", ("Two cells?",))
    assert labels.notes == ("On a cell that is gone", "Blurred")


def test_an_archived_class_and_its_successor_of_the_same_name_are_told_apart(world: World):
    image = make_ready_image(world.project, [])
    old = class_create(project=world.project, name="Dead", colour="#aa0000")
    drawn = cell(square(10, 10), label=1, class_id=str(old.pk))
    edit_apply(image_id=image.pk, author=world.bob, edit_id=uuid4(), base_revision=1, patch=adding(drawn))
    class_delete(cell_class=old)
    class_create(project=world.project, name="Dead", colour="#000000")
    image.refresh_from_db()
    labels = label_set(image)
    assert [each.name for each in labels.classes] == ["Dead", "Dead (2)"]
    assert labels.cells[0].class_name == "Dead (2)"
    assert FORMATS["coco"].read(FORMATS["coco"].write(labels).data) == labels
