"""A box to a mask, and an edit that is still there after a reload."""

from __future__ import annotations

import uuid

import pytest

from labeling.rle import BoxMask
from tests.integration.http_client import JsonObject, Person, cell, checked
from tests.scenes import Scene, nuclei


@pytest.fixture(scope="module")
def scene() -> Scene:
    return nuclei(21, side=256, cells=14)


@pytest.fixture(scope="module")
def image(person: Person, scene: Scene) -> JsonObject:
    project = person.project("Labelling")
    uploaded = checked(person.upload(project, "nuclei.tif", scene.tiff)).json()
    return person.wait_settled(uploaded["id"])


def test_a_box_gives_the_mask_of_the_cell_in_it(person: Person, image: JsonObject, scene: Scene) -> None:
    truth = scene.masks[0]
    answer = person.mask(image["id"], [float(side) for side in truth.box])
    assert BoxMask(tuple(answer["box"]), tuple(answer["rle"])).iou(truth) > 0.6
    assert answer["score"] > 0
    assert answer["model_version"] == person.get(f"projects/{image['project']}")["active_version"]["id"]
    timings = answer["timings"]
    assert timings["model_ms"] > 0
    assert timings["total_ms"] >= timings["model_ms"]


def test_a_box_where_nothing_is_gives_a_mask_all_the_same(person: Person, image: JsonObject) -> None:
    answer = person.mask(image["id"], [2, 2, 9, 9])
    assert BoxMask(tuple(answer["box"]), tuple(answer["rle"])).area > 0


def test_a_box_outside_the_image_is_refused(person: Person, image: JsonObject) -> None:
    answer = person.decode(image["id"], [1000, 1000, 1100, 1100])
    assert answer.status_code == 400


def test_decoding_stores_nothing(person: Person, image: JsonObject, scene: Scene) -> None:
    before = person.cells(image["id"])
    person.mask(image["id"], [float(side) for side in scene.masks[1].box])
    assert person.cells(image["id"]) == before


def test_an_edit_is_there_after_a_reload(person: Person, image: JsonObject, scene: Scene) -> None:
    before = person.cells(image["id"])
    gone, reshaped = before["cells"][0], before["cells"][1]
    smaller = BoxMask(tuple(reshaped["box"]), tuple(reshaped["rle"]))
    mask = smaller.mask()
    mask[0] = False
    trimmed = BoxMask.from_mask(mask, x=smaller.box[0], y=smaller.box[1])
    assert trimmed is not None
    added = cell(before["next_label"], scene.masks[2].box, list(scene.masks[2].rle))
    after = reshaped | {"box": list(trimmed.box), "rle": list(trimmed.rle), "source": "person"}
    patch = {"added": [added], "updated": [{"before": reshaped, "after": after}], "removed": [gone]}
    saved = person.edit(image["id"], base_revision=before["revision"], patch=patch)
    again = person.cells(image["id"])
    assert again["revision"] == saved["revision"] == before["revision"] + 1
    expected = [after, *before["cells"][2:], added]
    assert again["cells"] == expected
    (edit,) = person.get(f"images/{image['id']}/edits", params={"after": before["revision"]})["edits"]
    assert edit["patch"] == patch


def test_an_edit_is_applied_once_however_often_it_is_sent(person: Person, image: JsonObject) -> None:
    before = person.cells(image["id"])
    patch = {"added": [], "updated": [], "removed": [before["cells"][-1]]}
    body = {"id": str(uuid.uuid4()), "base_revision": before["revision"], "patch": patch}
    first = person.post(f"images/{image['id']}/edits", body)
    assert person.post(f"images/{image['id']}/edits", body) == first
    assert len(person.cells(image["id"])["cells"]) == len(before["cells"]) - 1


def test_an_edit_of_an_image_that_moved_on_is_a_conflict(person: Person, image: JsonObject) -> None:
    before = person.cells(image["id"])
    patch = {"added": [], "updated": [], "removed": [before["cells"][-1]]}
    body = {"id": str(uuid.uuid4()), "base_revision": before["revision"] - 1, "patch": patch}
    answer = person.request("POST", f"images/{image['id']}/edits", json=body)
    assert answer.status_code == 409
    assert answer.json()["code"] == "stale_revision"
    assert answer.json()["revision"] == before["revision"]
