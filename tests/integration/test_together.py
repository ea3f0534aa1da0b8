"""Two tabs on one image of the running stack, and a time-lapse on its way to cells."""

from __future__ import annotations

import io
import json
import threading
import uuid
from collections.abc import Iterator
from queue import Queue
from typing import Any

import numpy as np
import pytest
import tifffile

from backend.supervisor import Stack
from labeling.rle import BoxMask
from tests.integration.http_client import JsonObject, Person, cell, checked
from tests.scenes import nuclei

SCENES = [nuclei(seed, side=192, cells=8) for seed in (31, 32, 33)]
MINE, OTHER = "tab-number-one", "tab-number-two"


@pytest.fixture(scope="module")
def frames(person: Person) -> list[JsonObject]:
    """Three frames of one file, segmented."""
    project = person.project("Together")
    pixels = np.stack([scene.image for scene in SCENES])
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, ome=True, metadata={"axes": "TYX"})
    first = checked(person.upload(project, "movie.ome.tif", file.getvalue())).json()
    person.wait_all_settled(project)
    series = person.get(f"series/{first['frame']['series']}")
    return [person.image(frame["image"]) for frame in series["frames"]]


def beat(person: Person, image: JsonObject, session: str, **wishes: Any) -> JsonObject:
    found: JsonObject = person.post(f"images/{image['id']}/lease", {"session": session, **wishes})
    return found


def draw(person: Person, image: JsonObject, session: str) -> Any:
    now = person.cells(image["id"])
    patch = {"added": [cell(now["next_label"], (0, 0, 2, 2), [0, 4])], "updated": [], "removed": []}
    body = {"id": str(uuid.uuid4()), "base_revision": now["revision"], "patch": patch, "session": session}
    return person.request("POST", f"images/{image['id']}/edits", json=body)


def listen(person: Person, project: str) -> Iterator[Queue[tuple[str, JsonObject]]]:
    """The project's events as they come, read beside the test."""
    events: Queue[tuple[str, JsonObject]] = Queue()
    answer = person.request("GET", f"projects/{project}/events", stream=True)

    def read() -> None:
        name = ""
        for line in answer.iter_lines(chunk_size=1, decode_unicode=True):
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                events.put((name, json.loads(line.removeprefix("data: "))))
                if name == "edit":
                    return

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    assert events.get(timeout=30)[0] == "state"
    yield events
    answer.close()


@pytest.fixture
def events(person: Person, frames: list[JsonObject]) -> Iterator[Queue[tuple[str, JsonObject]]]:
    yield from listen(person, frames[0]["project"])


def test_a_reader_follows_the_tab_that_edits(
    person: Person, stack: Stack, frames: list[JsonObject], events: Queue[tuple[str, JsonObject]]
) -> None:
    image = frames[0]
    assert beat(person, image, MINE)["mine"]
    watching = beat(person, image, OTHER)
    assert (watching["mine"], watching["holder"]["session"]) == (False, MINE)
    assert draw(person, image, OTHER).json()["code"] == "lease_lost"
    saved = checked(draw(person, image, MINE)).json()
    names = []
    while True:
        name, data = events.get(timeout=30)
        names.append(name)
        if name == "edit":
            break
    assert names[:2] == ["lease", "lease"]
    assert (data["image"], data["id"], data["session"]) == (image["id"], saved["id"], MINE)
    (edit,) = person.get(f"images/{image['id']}/edits", params={"after": watching["revision"]})["edits"]
    assert edit["id"] == saved["id"]
    assert beat(person, image, OTHER, take_over=True)["mine"]
    assert draw(person, image, MINE).json()["code"] == "lease_lost"
    checked(person.request("DELETE", f"images/{image['id']}/lease", params={"session": OTHER}))
    assert beat(person, image, MINE)["mine"]
    checked(person.request("POST", f"images/{image['id']}/leave", json={"session": MINE}))


def test_each_frame_was_segmented_by_itself(frames: list[JsonObject]) -> None:
    assert [frame["status"] for frame in frames] == ["ready", "ready", "ready"]
    assert all(frame["cells"] > 0 for frame in frames)
    assert [frame["series"]["index"] for frame in frames] == [0, 1, 2]
    assert frames[1]["series"]["next"] == frames[2]["id"]
    assert len({frame["split"] for frame in frames}) == 1


def test_a_box_on_a_frame_uses_that_frame_s_features(person: Person, frames: list[JsonObject]) -> None:
    """All frames are of one file: features by the file's content alone would give each the first frame's mask."""
    for frame, scene in zip(frames, SCENES, strict=True):
        truth = max(scene.masks, key=lambda mask: mask.area)
        answer = person.mask(frame["id"], [float(side) for side in truth.box])
        assert BoxMask(tuple(answer["box"]), tuple(answer["rle"])).iou(truth) > 0.6


def test_the_queue_says_what_is_next(person: Person, frames: list[JsonObject]) -> None:
    queue = person.get(f"projects/{frames[0]['project']}/queue", params={"after": frames[0]["id"]})
    assert queue["next"]["image"]["id"] == frames[1]["id"]
    assert queue["next"]["reason"]["code"] == "oldest"
