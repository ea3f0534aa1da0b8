"""A box to a mask, over HTTP and the real queue. Only the model is missing: a thread answers in its place."""

import json
import threading
import time
from base64 import b64decode
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
import redis
from asgiref.sync import async_to_sync
from django.test import AsyncClient

from labeling.dispatch import queue_lengths
from labeling.live import ACTIVE_KEY, redis_client
from labeling.models import Image, Job, JobKind
from labeling.pixels import ChannelRoles
from labeling.services.images import channel_map_set
from tests.factories import World, ingest, make_image, make_ready_image, make_world

Answer = Callable[[dict[str, Any]], dict[str, Any] | None]
MASK = {"ok": True, "box": [2, 2, 4, 4], "rle": [0, 4], "score": 0.31, "model_ms": 3.5, "queue_ms": 1.2}

pytestmark = pytest.mark.django_db(transaction=True)


class Worker:
    """Takes one message off the queue as Celery does and gives the reply that the test wants."""

    def __init__(self, answer: Answer, queue: str) -> None:
        self._queue = queue
        self.request: dict[str, Any] = {}
        self.headers: dict[str, Any] = {}
        self._answer = answer
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def _work(self) -> None:
        taken = redis_client().brpop([self._queue], timeout=8)
        if taken is None:
            return
        message = json.loads(taken[1])
        self.headers = message["headers"]
        _, kwargs, _ = json.loads(b64decode(message["body"]))
        self.request = kwargs["request"]
        reply = self._answer(self.request)
        if reply is not None:
            redis_client().rpush(self.request["reply_key"], json.dumps(reply))

    def join(self) -> None:
        self._thread.join(timeout=10)


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def image(world: World) -> Image:
    return make_ready_image(world.project)


@pytest.fixture
def start() -> Iterator[Callable[..., Worker]]:
    workers: list[Worker] = []

    def make(answer: Answer, queue: str = "interactive") -> Worker:
        workers.append(Worker(answer, queue))
        return workers[-1]

    yield make
    for worker in workers:
        worker.join()


def post(user: Any, image: Image, body: dict[str, Any] | None = None):
    client = AsyncClient()
    client.force_login(user)
    payload = {"box": [1.5, 2, 30, 40.25]} if body is None else body
    return async_to_sync(client.post)(
        f"/api/images/{image.pk}/decode", payload, content_type="application/json"
    )


def test_it_works(world: World, image: Image, start):
    worker = start(lambda request: MASK)
    answer = post(
        world.bob, image, {"box": [1.5, 2, 30, 40.25], "points": [{"x": 3, "y": 4, "positive": False}]}
    )
    assert answer.status_code == 200
    body = answer.json()
    assert (body["box"], body["rle"], body["score"]) == ([2, 2, 4, 4], [0, 4], 0.31)
    assert body["model_version"] == str(world.base.pk)
    assert (body["timings"]["queue_ms"], body["timings"]["model_ms"]) == (1.2, 3.5)
    assert body["timings"]["total_ms"] > 0
    worker.join()
    request = worker.request
    assert (request["box"], request["points"]) == ([1.5, 2, 30, 40.25], [{"x": 3, "y": 4, "positive": False}])
    assert (request["height"], request["width"]) == (image.height, image.width)
    assert request["model_version"] == str(world.base.pk)
    assert request["version"]["tuned"] is None
    assert len(request["features_key"]) == 64
    assert request["deadline"] > request["sent_at"]


def test_the_request_expires_unread(world: World, image: Image, start):
    worker = start(lambda request: MASK)
    post(world.bob, image)
    worker.join()
    assert worker.headers["task"] == "interactive.decode_prompt"
    assert worker.headers["expires"] is not None


def test_background_work_is_told_to_make_way(world: World, image: Image, start):
    start(lambda request: MASK)
    post(world.bob, image)
    assert 0 < redis_client().pttl(ACTIVE_KEY) <= 1500


def test_nothing_is_stored(world: World, image: Image, start):
    jobs = Job.objects.count()
    start(lambda request: MASK)
    post(world.bob, image)
    image.refresh_from_db()
    assert (image.revision, Job.objects.count()) == (1, jobs)


def test_a_busy_model_is_a_503_that_says_when_to_come_back(world: World, image: Image, settings):
    settings.DECODE_TIMEOUT_S = 0.3
    began = time.monotonic()
    answer = post(world.bob, image)
    assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (503, "model_busy", "1")
    assert time.monotonic() - began < 5


def test_a_queue_that_is_away_is_a_503(world: World, image: Image, settings, monkeypatch: pytest.MonkeyPatch):
    away = redis.Redis(port=1)
    monkeypatch.setattr("labeling.dispatch.redis_client", lambda: away)
    answer = post(world.bob, image)
    assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (503, "model_busy", "2")


def test_missing_features_are_computed_and_the_client_comes_back(world: World, image: Image, start):
    refusal = {"ok": False, "code": "features_not_ready", "detail": "The image is being prepared for boxes."}
    start(lambda request: refusal)
    answer = post(world.bob, image)
    assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (
        503,
        "features_not_ready",
        "2",
    )
    assert Job.objects.get(image=image, kind=JobKind.EMBED).status == "queued"
    assert queue_lengths()["segment"] >= 1


def test_a_prompt_that_the_model_refuses_is_a_400(world: World, image: Image, start):
    start(lambda request: {"ok": False, "code": "invalid_prompt", "detail": "The box is empty."})
    assert post(world.bob, image).status_code == 400


def test_a_model_that_cannot_be_loaded_is_a_503(world: World, image: Image, start):
    start(
        lambda request: {"ok": False, "code": "model_unavailable", "detail": "The weights cannot be loaded."}
    )
    assert post(world.bob, image).json()["code"] == "model_unavailable"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"box": [1, 2, 3]},
        {"box": [5, 5, 5, 9]},
        {"box": [9, 9, 5, 5]},
        {"box": [1000, 1000, 1200, 1200]},
        {"box": ["a", 1, 2, 3]},
        {"box": [0, 0, 9, 9], "points": [{"x": 1, "y": 1, "positive": True}] * 65},
        {"box": [0, 0, 9, 9], "points": [{"x": 1}]},
    ],
)
def test_a_box_that_is_none_is_refused_at_once(world: World, image: Image, body: dict[str, Any]):
    answer = post(world.bob, image, body)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert redis_client().llen("interactive") == 0


def test_numbers_that_are_none_are_refused(world: World, image: Image):
    client = AsyncClient()
    client.force_login(world.bob)
    body = '{"box": [0, 0, 9, 1e999]}'
    answer = async_to_sync(client.post)(
        f"/api/images/{image.pk}/decode", body, content_type="application/json"
    )
    assert answer.status_code == 400


def test_an_image_that_was_not_read_yet(world: World):
    answer = post(world.bob, make_image(world.project, seed=8))
    assert (answer.status_code, answer.json()["code"]) == (409, "not_ready")


def test_an_image_whose_channels_are_not_mapped(world: World):
    image = ingest(make_image(world.project, seed=8), channel_names=("DAPI", "Actin"))
    answer = post(world.bob, image)
    assert (answer.status_code, answer.json()["code"]) == (409, "needs_channels")


def test_the_roles_of_the_channels_change_the_features(world: World, start):
    image = ingest(make_image(world.project, seed=8), channel_names=("DAPI", "Actin"))
    keys = []
    for nuclear, whole_cell in (("DAPI", "Actin"), ("Actin", "DAPI"), ("DAPI", None)):
        chosen = ChannelRoles(nuclear=nuclear, whole_cell=whole_cell, rgb=False)
        channel_map_set(project=world.project, channel_map=chosen)
        worker = start(lambda request: MASK)
        assert post(world.bob, image).status_code == 200
        worker.join()
        keys.append(worker.request["features_key"])
    assert len(set(keys)) == 3


def test_nobody_gets_in(world: World, image: Image):
    answer = async_to_sync(AsyncClient().post)(
        f"/api/images/{image.pk}/decode", {}, content_type="application/json"
    )
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


def test_a_stranger_is_told_that_it_does_not_exist(world: World, image: Image):
    assert post(world.charlie, image).status_code == 404


def test_a_viewer_may_not(world: World, image: Image):
    assert post(world.vera, image).status_code == 403


def test_an_image_that_does_not_exist(world: World, image: Image):
    image.pk = uuid4()
    assert post(world.bob, image).status_code == 404
