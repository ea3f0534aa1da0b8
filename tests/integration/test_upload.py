"""From a file in the browser to cells, with every process of the real stack; and files that are not images."""

from __future__ import annotations

import re

import pytest

from labeling.matching import count_matches
from labeling.rle import BoxMask
from tests.integration.bad_files import BadFile, all_bad_files
from tests.integration.http_client import JsonObject, Person, checked
from tests.scenes import nuclei


def test_an_upload_becomes_cells(person: Person) -> None:
    scene = nuclei(11, side=256, cells=16)
    project = person.project("Upload")
    uploaded = checked(person.upload(project, "plate 1.tif", scene.tiff))
    assert uploaded.status_code == 201
    image = person.wait_settled(uploaded.json()["id"])
    assert (image["status"], image["error"], image["width"], image["height"]) == ("ready", "", 256, 256)
    assert image["dtype"] == "uint16"
    active = person.get(f"projects/{project}")["active_version"]["id"]
    cells = person.cells(image["id"])["cells"]
    assert image["cells"] == len(cells) > 5
    assert {(cell["source"], cell["model_version"]) for cell in cells} == {("model", active)}
    assert all(0 < cell["score"] <= 1 for cell in cells)
    found = scene.labels * 0
    for cell in cells:
        BoxMask(tuple(cell["box"]), tuple(cell["rle"])).paint(found, cell["label"])
    assert count_matches(scene.labels, found).f1 > 0.7
    for path in (image["thumbnail_url"], image["outlines_url"], f"/api/images/{image['id']}/tiles/0/0/0/0"):
        assert checked(person.session.get(person.url + path, timeout=60)).content


@pytest.fixture(scope="module")
def batch(person: Person) -> dict[str, JsonObject]:
    """What became of each file of a batch of five bad ones and a good one between them, by name."""
    project = person.project("A mixed batch")
    bad = all_bad_files()
    good = BadFile("good.tif", nuclei(12, side=128, cells=6).tiff)
    fates: dict[str, JsonObject] = {}
    for file in (*bad[:3], good, *bad[3:]):
        answer = person.upload(project, file.name, file.content)
        fates[file.name] = answer.json() | {"status_code": answer.status_code}
    for name, fate in fates.items():
        if fate["status_code"] == 201:
            fates[name] = person.wait_settled(fate["id"]) | {"status_code": 201}
    return fates


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("truncated.tif", "damaged|incomplete|cut off|ends|truncated"),
        ("notes.png", "not an image|no image|neither|PNG, JPEG|type"),
        ("bomb.png", "100,?000 x 100,?000"),
        ("ratio_with_nan.tif", "NaN"),
        ("plate.npy", "pickle|object"),
    ],
)
def test_a_bad_file_is_refused_by_name_and_reason(
    batch: dict[str, JsonObject], name: str, reason: str
) -> None:
    fate = batch[name]
    said = fate["detail"] if fate["status_code"] == 400 else fate["error"]
    assert fate["status_code"] == 400 or fate["status"] == "failed"
    assert name in said
    assert re.search(reason, said, re.IGNORECASE)


def test_the_rest_of_the_batch_goes_on(batch: dict[str, JsonObject]) -> None:
    assert batch["good.tif"]["status"] == "ready"
    assert batch["good.tif"]["cells"] > 0
