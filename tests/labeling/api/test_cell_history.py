"""What became of one cell, over HTTP."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

from rest_framework.test import APIClient

from labeling.models import Image
from labeling.patch import Patch, Update
from labeling.selectors.cells import cell_states
from labeling.services.classes import class_create
from labeling.services.edits import edit_apply
from tests.factories import World, make_ready_image, square


def save(world: World, image: Image, patch: Patch) -> None:
    image.refresh_from_db()
    edit_apply(
        image_id=image.pk, author=world.bob, edit_id=uuid4(), base_revision=image.revision, patch=patch
    )


def history(client: APIClient, image: Image, cell_id: str) -> list[dict[str, Any]]:
    answer = client.get(f"/api/images/{image.pk}/cells/{cell_id}/history")
    assert answer.status_code == 200
    changes: list[dict[str, Any]] = answer.json()["changes"]
    return changes


def test_it_tells_what_changed_by_whom_and_what_drew_it(world: World, as_vera: APIClient):
    image = make_ready_image(world.project)
    drawn, other, _ = cell_states(image.pk).values()
    mitotic = class_create(project=world.project, name="Mitotic", colour="#b06fff")
    mask = square(1, 1, 3)
    checked = replace(drawn, score=None)
    redrawn = replace(checked, box=mask.box, rle=tuple(mask.rle), source="person", model_version=None)
    classed = replace(redrawn, class_id=str(mitotic.pk), label=9)
    for before, after in ((drawn, checked), (checked, redrawn), (redrawn, classed)):
        save(world, image, Patch(updated=(Update(before, after),)))
    save(world, image, Patch(removed=(other,)))
    save(world, image, Patch(removed=(classed,)))

    told = history(as_vera, image, drawn.id)
    assert [change["changes"] for change in told] == [
        ["removed"], ["label", "class"], ["shape"], ["checked"], ["added"],
    ]  # fmt: skip
    assert [change["revision"] for change in told] == [6, 4, 3, 2, 1]
    assert [change["drawn_by"] for change in told] == [None, None, None, "tiny 1", "tiny 1"]
    assert [change["author"] and change["author"]["name"] for change in told] == ["bob"] * 4 + [None]
    assert told[1]["class_id"] == str(mitotic.pk)
    assert [change["source"] for change in told] == ["person"] * 4 + ["model"]


def test_a_cell_that_was_brought_back_tells_of_both(world: World, as_bob: APIClient):
    image = make_ready_image(world.project)
    cell, *_ = cell_states(image.pk).values()
    save(world, image, Patch(removed=(cell,)))
    save(world, image, Patch(added=(cell,)))
    assert [change["changes"] for change in history(as_bob, image, cell.id)] == [
        ["added"], ["removed"], ["added"],
    ]  # fmt: skip


def test_a_cell_of_another_image_has_no_history_here(world: World, as_bob: APIClient):
    image, other = make_ready_image(world.project), make_ready_image(world.project, seed=1)
    elsewhere, *_ = cell_states(other.pk).values()
    assert history(as_bob, image, elsewhere.id) == []


def test_a_long_history_takes_as_many_queries(
    world: World, as_bob: APIClient, django_assert_max_num_queries: Any
):
    image = make_ready_image(world.project)
    cell, *_ = cell_states(image.pk).values()
    for label in range(10, 16):
        moved = replace(cell, label=label)
        save(world, image, Patch(updated=(Update(cell, moved),)))
        cell = moved
    with django_assert_max_num_queries(5):
        assert len(history(as_bob, image, cell.id)) == 7
