"""Uploads, the list, one image, its tiles and small pictures."""

import io
import json
import zlib
from base64 import urlsafe_b64encode
from uuid import UUID

import numpy as np
import pytest
from PIL import Image as PillowImage
from rest_framework.test import APIClient

from labeling.models import Image, ImageStatus, JobKind
from labeling.selectors.images import PAGE_SIZE
from labeling.services.jobs import job_fail, job_renew
from tests.factories import (
    HEIGHT,
    WIDTH,
    World,
    claim_of,
    ingest,
    make_image,
    make_ready_image,
    png,
    square,
    upload,
)

PICKLED_NPY = b"\x93NUMPY\x01\x00\x46\x00{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(80)


def post(client: APIClient, world: World, name: str = "a.png", data: bytes | None = None):
    return client.post(
        f"/api/projects/{world.project.pk}/images", {"file": upload(name, data)}, format="multipart"
    )


def listed(client: APIClient, world: World, **query: str):
    return client.get(f"/api/projects/{world.project.pk}/images", query).json()


def test_it_works(world: World, as_bob: APIClient):
    answer = post(as_bob, world, "well A1.png")
    assert answer.status_code == 201
    image = answer.json()
    assert {key: image[key] for key in ("name", "width", "height", "dtype", "status", "progress", "cells")} == {
        "name": "well A1.png", "width": WIDTH, "height": HEIGHT, "dtype": "uint8", "status": "queued",
        "progress": 0.0, "cells": 0,
    }  # fmt: skip
    assert image["job"]["kind"] == "ingest"
    assert image["thumbnail_url"] is None


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("notes.png", b"this is no picture at all"),
        ("empty.png", b""),
        ("cut.png", png()[:20]),
        ("wide.png", png(4, 4)[:16] + (100_000).to_bytes(4, "big") * 2 + png(4, 4)[24:]),
        (
            "pickle.npy",
            b"\x93NUMPY\x01\x00\x46\x00{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(80)
            + b"\n",
        ),
    ],
    ids=["text", "empty", "cut", "huge header", "pickled npy"],
)
def test_a_bad_file_is_named_with_its_reason_and_the_rest_goes_on(
    world: World, as_bob: APIClient, name: str, data: bytes
):
    answer = post(as_bob, world, name, data)
    assert answer.status_code == 400
    assert answer.json()["code"] == "bad_image"
    assert answer.json()["detail"].startswith(f"{name}: ")
    assert post(as_bob, world, "good.png").status_code == 201
    assert [image["name"] for image in listed(as_bob, world)["results"]] == ["good.png"]


def test_a_request_without_a_file_is_refused(world: World, as_bob: APIClient):
    answer = as_bob.post(f"/api/projects/{world.project.pk}/images", {}, format="multipart")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


def test_an_upload_as_json_is_refused(world: World, as_bob: APIClient):
    answer = as_bob.post(f"/api/projects/{world.project.pk}/images", {"file": "x"}, format="json")
    assert answer.status_code == 415


def test_progress_shows_in_the_list(world: World, as_bob: APIClient):
    image = make_image(world.project)
    job_renew(claim=claim_of(image, JobKind.INGEST), progress=0.43, message="reading")
    shown = listed(as_bob, world)["results"][0]
    assert (shown["status"], shown["progress"], shown["job"]["message"]) == ("ingesting", 0.43, "reading")


def test_a_failure_shows_its_reason(world: World, as_bob: APIClient):
    image = make_image(world.project)
    job_fail(claim=claim_of(image, JobKind.INGEST), error="a.png: truncated.", retry=False)
    shown = listed(as_bob, world)["results"][0]
    assert (shown["status"], shown["error"], shown["progress"]) == ("failed", "a.png: truncated.", None)


@pytest.mark.parametrize("order", ["created", "-created", "name", "-name"])
def test_pages_follow_each_other_without_a_gap(world: World, as_bob: APIClient, order: str):
    template = make_image(world.project)
    copies = [
        Image(
            project=world.project, name=f"n{n % 7}.png", file=template.file.name, sha256="s", byte_size=1, width=1,
            height=1, dtype="uint8", split="train", group_key="g",
        )
        for n in range(2 * PAGE_SIZE + 4)
    ]  # fmt: skip
    Image.objects.bulk_create(copies)
    seen, cursor = [], ""
    for size in (PAGE_SIZE, PAGE_SIZE, 5):
        page = listed(as_bob, world, order=order, cursor=cursor)
        assert (len(page["results"]), page["total"]) == (size, 2 * PAGE_SIZE + 5)
        seen += page["results"]
        cursor = page["next"]
    assert cursor is None
    assert len({image["id"] for image in seen}) == 2 * PAGE_SIZE + 5
    field = "created_at" if "created" in order else "name"
    assert [image[field] for image in seen] == sorted((i[field] for i in seen), reverse=order.startswith("-"))


def test_a_filter_by_status(world: World, as_bob: APIClient):
    make_image(world.project, seed=1)
    ready = make_ready_image(world.project, seed=2)
    page = listed(as_bob, world, status="ready")
    assert ([image["id"] for image in page["results"]], page["total"]) == ([str(ready.pk)], 1)


NUL_CURSOR = urlsafe_b64encode(json.dumps(["a\x00b", str(UUID(int=0))]).encode()).decode()


@pytest.mark.parametrize(
    "query",
    [
        {"status": "lost"},
        {"order": "size"},
        {"cursor": "bm9wZQ=="},
        {"cursor": "%%"},
        {"cursor": NUL_CURSOR, "order": "name"},
    ],
)
def test_a_broken_query_is_refused(world: World, as_bob: APIClient, query: dict[str, str]):
    answer = as_bob.get(f"/api/projects/{world.project.pk}/images", query)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


def test_a_list_costs_the_same_for_one_image_and_for_many(
    world: World, as_bob: APIClient, django_assert_max_num_queries
):
    for seed in range(6):
        make_ready_image(world.project, seed=seed)
    with django_assert_max_num_queries(7):
        assert len(listed(as_bob, world)["results"]) == 6


def test_an_image_knows_its_place(world: World, as_bob: APIClient):
    images = [make_image(world.project, seed=seed) for seed in range(3)]
    middle = as_bob.get(f"/api/images/{images[1].pk}").json()
    assert (middle["position"], middle["total"]) == (2, 3)
    assert (middle["previous"], middle["next"]) == (str(images[0].pk), str(images[2].pk))
    first = as_bob.get(f"/api/images/{images[0].pk}").json()
    assert (first["previous"], first["position"]) == (None, 1)


def test_an_image_says_how_its_pixels_are_cut(world: World, as_bob: APIClient):
    image = make_image(world.project)
    Image.objects.filter(pk=image.pk).update(width=2000, height=600)
    detail = as_bob.get(f"/api/images/{image.pk}").json()
    assert detail["tile_size"] == 512
    assert detail["levels"] == [
        {"width": 2000, "height": 600}, {"width": 1000, "height": 300}, {"width": 500, "height": 150},
    ]  # fmt: skip
    assert (detail["role"], detail["project_name"]) == ("annotator", "Nuclei")


def test_a_tile_is_the_samples_themselves(world: World, as_bob: APIClient):
    image = make_ready_image(world.project)
    answer = as_bob.get(f"/api/images/{image.pk}/tiles/0/0/0/0")
    assert answer["Content-Encoding"] == "deflate"
    assert (answer["X-Tile-Width"], answer["X-Tile-Height"]) == (str(WIDTH), str(HEIGHT))
    assert "immutable" in answer["Cache-Control"]
    samples = np.frombuffer(zlib.decompress(answer.content), np.uint8).reshape(HEIGHT, WIDTH)
    assert samples.tolist() == (np.arange(HEIGHT * WIDTH) % 256).reshape(HEIGHT, WIDTH).tolist()


@pytest.mark.parametrize("place", ["1/0/0/0", "0/1/0/0", "0/0/1/0", "0/0/0/1", "0/0/0/999999"])
def test_a_tile_that_is_not_there_is_not_found(world: World, as_bob: APIClient, place: str):
    image = make_ready_image(world.project)
    assert as_bob.get(f"/api/images/{image.pk}/tiles/{place}").status_code == 404


def test_an_image_that_was_not_read_has_no_pictures(world: World, as_bob: APIClient):
    image = make_image(world.project)
    assert as_bob.get(f"/api/images/{image.pk}/tiles/0/0/0/0").status_code == 404
    assert as_bob.get(f"/api/images/{image.pk}/thumbnail").status_code == 404


def test_the_thumbnail_is_kept_by_the_browser(world: World, as_bob: APIClient):
    image = make_ready_image(world.project)
    answer = as_bob.get(listed(as_bob, world)["results"][0]["thumbnail_url"])
    assert answer.content == image.thumbnail.open("rb").read()
    assert (answer["Content-Type"], "immutable" in answer["Cache-Control"]) == ("image/webp", True)


def test_the_outlines_belong_to_a_revision(world: World, as_bob: APIClient):
    make_ready_image(world.project, [square(10, 10, 20)])
    address = listed(as_bob, world)["results"][0]["outlines_url"]
    assert address.endswith("?rev=1")
    answer = as_bob.get(address)
    picture = PillowImage.open(io.BytesIO(answer.content)).convert("RGBA")
    assert (answer["Content-Type"], picture.size) == ("image/png", (WIDTH, HEIGHT))
    alpha = np.asarray(picture)[..., 3]
    assert alpha[15, 10] > 0
    assert alpha[50, 60] == 0
    assert "immutable" in answer["Cache-Control"]
    again = as_bob.get(address, headers={"If-None-Match": answer["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_outlines_of_another_revision_are_not_kept(world: World, as_bob: APIClient):
    image = make_ready_image(world.project)
    answer = as_bob.get(f"/api/images/{image.pk}/outlines?rev=7")
    assert (answer.status_code, answer["Cache-Control"]) == (200, "private, no-cache")


def test_segmentation_can_be_asked_for_again(world: World, as_bob: APIClient):
    image = make_ready_image(world.project)
    answer = as_bob.post(f"/api/images/{image.pk}/segment")
    assert (answer.status_code, answer.json()["kind"]) == (202, "segment")
    image.refresh_from_db()
    assert image.status == ImageStatus.QUEUED


def test_the_channel_map_sends_waiting_images_on(world: World, as_bob: APIClient):
    ingest(make_image(world.project), channel_names=("DAPI", "Actin"))
    waiting = listed(as_bob, world)["results"][0]
    assert waiting["status"] == "needs_channels"
    chosen = {"nuclear": "DAPI", "whole_cell": None, "rgb": False}
    answer = as_bob.put(f"/api/projects/{world.project.pk}/channel-map", chosen, format="json")
    assert answer.json() == {"channel_map": chosen, "continued": 1}
    assert as_bob.get(f"/api/projects/{world.project.pk}").json()["channel_map"] == chosen


def test_an_owner_deletes_an_image(world: World, as_alice: APIClient):
    image = make_ready_image(world.project)
    assert as_alice.delete(f"/api/images/{image.pk}").status_code == 204
    assert as_alice.get(f"/api/images/{image.pk}").status_code == 404
