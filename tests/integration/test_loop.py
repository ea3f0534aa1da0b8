"""The loop, both ways and without a patch: true corrections are promoted, wrong ones are not, and few prove nothing.

The images are discs with a bright band of which this laboratory outlines the band alone; the shipped model often takes
the whole disc. The gate sees held-out images that no training read.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from labeling.rle import BoxMask
from tests.integration.http_client import JsonObject, Person, cell, checked
from tests.scenes import Scene, banded

pytestmark = pytest.mark.slow


def submitted_project(person: Person, name: str, scenes: list[Scene], masks: list[list[BoxMask]]) -> str:
    """A project whose images were uploaded, segmented, given these cells, and submitted."""
    # The test starts the run, nothing by itself; and outlines are not put away half way because people delete them.
    project = person.project(name)
    person.put(
        f"projects/{project}/loop-settings", {"correction_threshold": 100_000, "presegmentation": "always"}
    )
    ids = [
        checked(person.upload(project, f"{index:02}.tif", scene.tiff)).json()["id"]
        for index, scene in enumerate(scenes)
    ]
    person.wait_all_settled(project)
    for image_id, cells in zip(ids, masks, strict=True):
        submit(person, image_id, cells)
    return project


def submit(person: Person, image_id: str, masks: list[BoxMask]) -> None:
    """Replace what the model found by these cells, and accept the image."""
    found = person.cells(image_id)
    label = found["next_label"]
    added = [cell(label + i, mask.box, list(mask.rle)) for i, mask in enumerate(masks)]
    patch = {"added": added, "updated": [], "removed": found["cells"]}
    saved = person.edit(image_id, base_revision=found["revision"], patch=patch)
    person.post(f"images/{image_id}/submit", {"revision": saved["revision"]})


def scenes_of(count: int) -> list[Scene]:
    return [banded(100 + seed, side=160, cells=9) for seed in range(count)]


def held_out(index: int) -> bool:
    """The project's rule, in the order of uploading: every second new image from the fourth on until five are held
    out, then every fourth."""
    return index in (3, 5, 7, 9, 11) or (index > 11 and index % 4 == 3)


@pytest.fixture(scope="module")
def taught(person: Person) -> tuple[str, JsonObject, list[Scene]]:
    """A project whose corrections are true, and its finished run."""
    scenes = scenes_of(20)
    project = submitted_project(person, "True corrections", scenes, [scene.masks for scene in scenes])
    return project, person.train(project), scenes


def test_true_corrections_are_promoted(person: Person, taught: tuple[str, JsonObject, list[Scene]]) -> None:
    project, run, _ = taught
    assert run["decision"] == "promoted", run["decision_reason"]
    before, after = run["evaluation"]["active"], run["evaluation"]["candidate"]
    assert after["miou"] > before["miou"] + 0.02
    assert after["f1"] >= before["f1"]
    assert run["evaluation"]["images"] == 7
    assert run["corrected_cells"] > 0
    model = person.get(f"projects/{project}/model")
    assert model["active"]["id"] == run["candidate"]["id"]
    assert model["held_out"] == {"images": 7, "submitted": 7, "deciding": 7, "needed": 5}
    assert model["corrections"]["since_last_run"] == 0


def test_new_boxes_use_the_promoted_version_at_once(
    person: Person, taught: tuple[str, JsonObject, list[Scene]]
) -> None:
    project, run, scenes = taught
    image = person.images(project)[0]
    truth = scenes[0].masks[0]
    box = [float(side) for side in truth.box]
    tuned = person.mask(image["id"], box)
    assert tuned["model_version"] == run["candidate"]["id"]
    base = person.put(f"projects/{project}/active-version", {"version": run["compared_with"]["id"]})
    assert base["active"]["id"] == run["compared_with"]["id"]  # rolled back by hand
    rolled_back = person.mask(image["id"], box)
    assert rolled_back["model_version"] == run["compared_with"]["id"]
    assert rolled_back["rle"] != tuned["rle"]
    person.put(f"projects/{project}/active-version", {"version": run["candidate"]["id"]})
    again = person.mask(image["id"], box)
    assert (again["model_version"], again["rle"]) == (run["candidate"]["id"], tuned["rle"])


def test_wrong_corrections_are_rejected(person: Person) -> None:
    """The training images carry each other's cells; the held-out ones their own."""
    scenes = scenes_of(14)  # under 200 corrections: beyond, the trunk would be tuned too, for minutes
    training = [index for index in range(14) if not held_out(index)]
    swapped = dict(zip(training, [*training[1:], training[0]], strict=True))
    masks = [scenes[swapped.get(index, index)].masks for index in range(14)]
    project = submitted_project(person, "Wrong corrections", scenes, masks)
    before = person.get(f"projects/{project}")["active_version"]
    run = person.train(project)
    assert run["decision"] == "rejected", run["decision_reason"]
    assert run["decision_reason"]
    assert person.get(f"projects/{project}")["active_version"] == before
    tuned = [v for v in person.get(f"projects/{project}/model")["versions"] if not v["is_base"]]
    assert [v["state"] for v in tuned] == ["rejected"] * len(run["rungs"])


def test_few_held_out_images_prove_nothing(person: Person) -> None:
    scenes = scenes_of(4)
    project = submitted_project(person, "Few images", scenes, [scene.masks for scene in scenes])
    run = person.train(project)
    assert run["decision"] == "not_enough_evidence"
    assert "5 are needed" in run["decision_reason"]
    assert person.get(f"projects/{project}")["active_version"]["id"] == run["compared_with"]["id"]


def test_several_boxes_at_once_all_come_back(
    person: Person, taught: tuple[str, JsonObject, list[Scene]]
) -> None:
    project, _, scenes = taught
    image = person.images(project)[1]
    boxes = [[float(side) for side in mask.box] for mask in scenes[1].masks]
    with ThreadPoolExecutor(max_workers=4) as pool:
        answers = list(pool.map(lambda box: person.mask(image["id"], box), boxes))
    ious = [
        BoxMask(tuple(a["box"]), tuple(a["rle"])).iou(mask)
        for a, mask in zip(answers, scenes[1].masks, strict=True)
    ]
    assert min(ious) > 0.5
