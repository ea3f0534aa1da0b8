"""The labelling page's flow over HTTP: queue, skip, submit-and-next, neighbours, warming up, series, proposals."""

from typing import Any
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from labeling.models import Image, Job, JobKind
from labeling.selectors.images import frames_of
from tests.factories import (
    World,
    adding,
    cell,
    make_image,
    make_proposal,
    make_ready_image,
    make_series,
    square,
    upload,
)
from tests.labeling.image_files import tiff
from tests.labeling.test_pixels_series import FRAMES


@pytest.fixture
def images(world: World) -> list[Image]:
    return [make_ready_image(world.project, seed=seed) for seed in range(3)]


def post(client: APIClient, path: str, body: Any = None) -> Any:
    return client.post(f"/api/{path}", body or {}, format="json")


def test_the_queue(world: World, images: list[Image], as_vera: APIClient):
    body = as_vera.get(f"/api/projects/{world.project.pk}/queue?after={images[0].pk}").json()
    assert body["next"] == body["upcoming"][0]
    assert body["next"]["image"]["id"] == str(images[1].pk)
    assert body["next"]["reason"] == {"code": "oldest", "detail": "Oldest image that nobody has opened"}
    assert body["next"]["image"]["thumbnail_url"] == f"/api/images/{images[1].pk}/thumbnail"
    assert body["progress"] == {
        "total": 3, "submitted": 0, "open": 3, "skipped": 0, "waiting": 0, "failed": 0,
    }  # fmt: skip
    assert as_vera.get(f"/api/projects/{world.project.pk}/queue?after=x").status_code == 400


def test_submit_and_next(world: World, images: list[Image], as_bob: APIClient):
    answer = post(as_bob, f"images/{images[0].pk}/submit", {"revision": 1})
    assert answer.json()["status"] == "submitted"
    assert answer.json()["queue"]["next"]["image"]["id"] == str(images[1].pk)
    assert answer.json()["queue"]["progress"]["submitted"] == 1


def test_skip_and_next(world: World, images: list[Image], as_bob: APIClient):
    answer = post(as_bob, f"images/{images[0].pk}/skip", {"reason": "Out of focus"})
    assert answer.status_code == 200
    skip = answer.json()["image"]["skip"]
    assert (skip["reason"], skip["by"]["name"]) == ("Out of focus", "bob")
    assert skip["at"] is not None
    assert answer.json()["queue"]["next"]["image"]["id"] == str(images[1].pk)
    listed = as_bob.get(f"/api/projects/{world.project.pk}/images").json()["results"]
    assert [row["skip"] is not None for row in listed] == [True, False, False]
    assert as_bob.delete(f"/api/images/{images[0].pk}/skip").json()["skip"] is None
    assert post(as_bob, f"images/{images[0].pk}/skip").status_code == 400


def test_the_film_around_an_image(world: World, as_vera: APIClient):
    pks = [str(make_image(world.project, seed=seed).pk) for seed in range(30)]
    address = f"/api/projects/{world.project.pk}/images"
    page = as_vera.get(f"{address}?around={pks[14]}").json()
    assert [row["id"] for row in page["results"]] == pks[2:27]
    assert page["total"] == 30
    rest = as_vera.get(f"{address}?cursor={page['next']}").json()
    assert [row["id"] for row in rest["results"]] == pks[27:]
    start = as_vera.get(f"{address}?around={pks[0]}").json()
    assert [row["id"] for row in start["results"]] == pks[:13]
    end = as_vera.get(f"{address}?around={pks[29]}").json()
    assert ([row["id"] for row in end["results"]], end["next"]) == (pks[17:], None)
    assert as_vera.get(f"{address}?around={uuid4()}").status_code == 404
    assert as_vera.get(f"{address}?around=x").status_code == 400


def test_warming_up_asks_for_features_once(world: World, images: list[Image], as_bob: APIClient):
    answers = [post(as_bob, f"images/{images[0].pk}/warm") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json()["id"] == answers[1].json()["id"]
    assert Job.objects.filter(kind=JobKind.EMBED).count() == 1
    waiting = make_image(world.project, seed=9)
    assert post(as_bob, f"images/{waiting.pk}/warm").json()["code"] == "not_ready"


def test_an_uploaded_time_lapse_is_a_series(world: World, as_bob: APIClient):
    data = tiff(FRAMES, imagej=True, metadata={"axes": "TYX"})
    address = f"/api/projects/{world.project.pk}/images"
    answer = as_bob.post(address, {"file": upload("cells.tif", data)}, format="multipart")
    assert answer.status_code == 201
    frame = answer.json()["frame"]
    assert (frame["axis"], frame["index"], frame["count"]) == ("t", 0, 5)
    series = as_bob.get(f"/api/series/{frame['series']}").json()
    assert (series["name"], series["axis"], series["count"]) == ("cells.tif", "t", 5)
    assert [row["index"] for row in series["frames"]] == [0, 1, 2, 3, 4]
    listed = as_bob.get(address).json()["results"]
    assert [row["id"] for row in listed] == [row["image"] for row in series["frames"]]
    middle = as_bob.get(f"/api/images/{series['frames'][2]['image']}").json()["series"]
    assert (middle["index"], middle["count"]) == (2, 5)
    assert middle["previous"] == series["frames"][1]["image"]
    assert middle["next"] == series["frames"][3]["image"]


def test_an_image_on_its_own_is_in_no_series(images: list[Image], as_vera: APIClient):
    body = as_vera.get(f"/api/images/{images[0].pk}").json()
    assert (body["series"], body["frame"], body["proposals"], body["notes"]) == (None, None, 0, 0)


def test_deleting_a_series(world: World, as_alice: APIClient):
    series = make_series(world.project)
    first = frames_of(series)[0]
    assert as_alice.delete(f"/api/series/{series.pk}").status_code == 204
    assert as_alice.get(f"/api/images/{first.pk}").status_code == 404


def test_a_proposal_is_shown_accepted_and_gone(world: World, images: list[Image], as_bob: APIClient):
    image = images[0]
    drawn = {"id": str(uuid4()), "base_revision": 1, "patch": adding(cell(square(40, 40), label=4)).to_json()}
    assert post(as_bob, f"images/{image.pk}/edits", drawn).status_code == 200
    proposal = make_proposal(image, [square(60, 50)])
    assert as_bob.get(f"/api/images/{image.pk}").json()["proposals"] == 1
    (shown,) = as_bob.get(f"/api/images/{image.pk}/proposals").json()["proposals"]
    assert (shown["id"], shown["cells"]) == (str(proposal.pk), 1)
    assert shown["model_version"]["name"] == "tiny 1"
    assert shown["patch"]["added"][0]["box"] == [60, 50, 64, 54]

    body = {"id": str(uuid4()), "base_revision": 2, "mode": "add"}
    stale = post(as_bob, f"proposals/{proposal.pk}/accept", body | {"base_revision": 1})
    assert (stale.status_code, stale.json()["code"]) == (409, "stale_revision")
    assert [edit["revision"] for edit in stale.json()["edits"]] == [2]
    answer = post(as_bob, f"proposals/{proposal.pk}/accept", body)
    assert (answer.status_code, answer.json()["revision"]) == (200, 3)
    cells = as_bob.get(f"/api/images/{image.pk}/cells").json()["cells"]
    assert answer.json()["patch"]["added"][0] in cells
    assert as_bob.get(f"/api/images/{image.pk}/proposals").json() == {"proposals": []}


def test_a_proposal_is_dismissed(world: World, images: list[Image], as_bob: APIClient):
    post(as_bob, f"images/{images[0].pk}/submit", {"revision": 1})
    proposal = make_proposal(images[0], [square(60, 50)])
    assert post(as_bob, f"proposals/{proposal.pk}/dismiss").status_code == 204
    assert as_bob.get(f"/api/images/{images[0].pk}").json()["proposals"] == 0
