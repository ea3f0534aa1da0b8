"""Cells and edits over HTTP."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from rest_framework.test import APIClient

from labeling.models import Cell, Image
from labeling.patch import Patch
from labeling.selectors.cells import cell_states
from tests.factories import World, adding, cell, ingest, make_image, make_ready_image, segment, square


@pytest.fixture
def image(world: World) -> Image:
    return make_ready_image(world.project)


def post(client: APIClient, image: Image, patch: Any, *, base: int = 1, edit_id: UUID | None = None):
    body = {"id": str(edit_id or uuid4()), "base_revision": base, "patch": patch}
    return client.post(f"/api/images/{image.pk}/edits", body, format="json")


def test_it_works(world: World, image: Image, as_bob: APIClient):
    body = as_bob.get(f"/api/images/{image.pk}/cells").json()
    assert (body["revision"], body["next_label"]) == (1, 4)
    assert body["cells"] == [state.to_json() for state in cell_states(image.pk).values()]


def test_what_is_served_can_be_sent_back(world: World, as_bob: APIClient):
    """The wire form of the database is the wire form of a patch, to the last digit of the score."""
    image = segment(ingest(make_image(world.project, seed=6)), [square(0, 0), square(9, 9)], score=0.1 + 0.2)
    served = as_bob.get(f"/api/images/{image.pk}/cells").json()["cells"]
    answer = post(as_bob, image, {"added": [], "updated": [], "removed": served})
    assert (answer.status_code, answer.json()["revision"]) == (200, 2)
    assert as_bob.get(f"/api/images/{image.pk}/cells").json() == {"revision": 2, "next_label": 3, "cells": []}


def test_the_list_takes_as_many_queries_for_many_cells(
    world: World, as_bob: APIClient, django_assert_max_num_queries
):
    image = make_ready_image(world.project, [square(x, y, 1) for x in range(60) for y in range(50)], seed=3)
    with django_assert_max_num_queries(5):
        assert len(as_bob.get(f"/api/images/{image.pk}/cells").json()["cells"]) == 3000


def test_an_edit_is_saved_and_in_the_history(world: World, image: Image, as_bob: APIClient):
    edit_id, patch = uuid4(), adding(cell(square(30, 30), label=4)).to_json()
    answer = post(as_bob, image, patch, edit_id=edit_id)
    assert (answer.status_code, answer.json()) == (200, {"id": str(edit_id), "revision": 2})
    history = as_bob.get(f"/api/images/{image.pk}/edits").json()
    assert [(edit["revision"], edit["source"], edit["author"]) for edit in history["edits"]] == [
        (1, "model", None), (2, "person", "bob"),
    ]  # fmt: skip
    later = as_bob.get(f"/api/images/{image.pk}/edits?after=1").json()
    assert [edit["patch"] for edit in later["edits"]] == [patch]
    assert later["revision"] == 2


def test_the_same_edit_again_gives_the_same_answer(world: World, image: Image, as_bob: APIClient):
    edit_id, patch = uuid4(), adding(cell(square(30, 30), label=4)).to_json()
    first, second = (post(as_bob, image, patch, edit_id=edit_id) for _ in range(2))
    assert first.json() == second.json()
    assert Cell.objects.filter(image=image).count() == 4


def test_a_stale_revision_says_the_current_one(world: World, image: Image, as_bob: APIClient):
    answer = post(as_bob, image, adding(cell(square(30, 30), label=4)).to_json(), base=0)
    assert (answer.status_code, answer.json()["code"], answer.json()["revision"]) == (
        409,
        "stale_revision",
        1,
    )


def test_a_cell_that_differs_is_named(world: World, image: Image, as_bob: APIClient):
    state = next(iter(cell_states(image.pk).values()))
    removed = Patch(removed=(state,)).to_json()
    removed["removed"][0]["score"] = 0.123
    answer = post(as_bob, image, removed)
    assert (answer.status_code, answer.json()["code"]) == (409, "before_mismatch")
    assert answer.json()["cell"] == state.id


@pytest.mark.parametrize(
    "patch", [None, [], {}, {"added": []}, "x", {"added": [{}], "updated": [], "removed": []}]
)
def test_what_is_no_patch_is_refused(world: World, image: Image, as_bob: APIClient, patch: Any):
    answer = post(as_bob, image, patch)
    assert answer.status_code == 400
    assert answer.json()["code"] in ("invalid_patch", "invalid")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"id": 1}', b"\xff\xfe"])
def test_what_is_no_request_is_refused(world: World, image: Image, as_bob: APIClient, body: bytes):
    answer = as_bob.post(f"/api/images/{image.pk}/edits", body, content_type="application/json")
    assert answer.status_code == 400


@pytest.mark.parametrize("after", ["x", "-1", "1.5", "9" * 30])
def test_a_history_after_no_revision_is_refused(world: World, image: Image, as_bob: APIClient, after: str):
    assert as_bob.get(f"/api/images/{image.pk}/edits?after={after}").status_code == 400


def test_submitting(world: World, image: Image, as_bob: APIClient):
    answer = as_bob.post(f"/api/images/{image.pk}/submit", {"revision": 1}, format="json")
    assert (answer.status_code, answer.json()["status"], answer.json()["submitted_by"]) == (
        200,
        "submitted",
        "bob",
    )
    stale = as_bob.post(f"/api/images/{image.pk}/submit", {"revision": 0}, format="json")
    assert (stale.status_code, stale.json()["code"]) == (409, "stale_revision")


def test_an_export_has_the_cells(world: World, image: Image, as_vera: APIClient):
    from labeling.formats import FORMATS

    answer = as_vera.get(f"/api/images/{image.pk}/export?format=label-tiff")
    assert answer.status_code == 200
    assert "image0_labels.tif" in answer["Content-Disposition"]
    read = FORMATS["label-tiff"].read(answer.content)
    assert {(c.label, c.mask.box) for c in read.cells} == {
        (s.label, s.box) for s in cell_states(image.pk).values()
    }
    coco = as_vera.get(f"/api/images/{image.pk}/export?format=coco").json()
    assert len(coco["annotations"]) == 3


def test_an_export_says_what_it_could_not_carry(world: World, as_bob: APIClient):
    image = make_ready_image(world.project, [square(0, 0, 8), square(0, 0, 8)], seed=4)
    answer = as_bob.get(f"/api/images/{image.pk}/export?format=label-tiff")
    assert answer.headers["X-CellLoop-Report"].isascii()


def test_an_unknown_format_is_refused(world: World, image: Image, as_bob: APIClient):
    answer = as_bob.get(f"/api/images/{image.pk}/export?format=exe")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
