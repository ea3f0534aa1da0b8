"""Two versions on one image, over HTTP and the real queue. Only the model is missing: a thread answers in its place."""

from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient

from labeling.dispatch import messages_of
from labeling.models import Image, Job, JobKind, ModelVersion
from labeling.services.projects import project_create
from tests.factories import World, make_image, make_ready_image, make_tuned
from tests.labeling.api.test_decode import image, start, world  # noqa: F401 (fixtures)

CELL = {"box": [2, 2, 4, 4], "rle": [0, 4], "score": 0.31}
AWAITED_CELLS = messages_of("segment")[1]  # what a person waits for goes before uploads
FOUND = {"ok": True, "label_sets": [{"cells": [CELL]}, {"cells": []}], "model_ms": 350.0}

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tuned(world: World) -> ModelVersion:  # noqa: F811
    return make_tuned(world.project, trunk_hash="other")


def post(user: Any, image: Image, *versions: Any):  # noqa: F811
    client = AsyncClient()
    client.force_login(user)
    return async_to_sync(client.post)(
        f"/api/images/{image.pk}/compare",
        {"versions": [str(v) for v in versions]},
        content_type="application/json",
    )


def test_it_works(world: World, image: Image, tuned: ModelVersion, start):  # noqa: F811
    worker = start(lambda request: FOUND, AWAITED_CELLS)
    answer = post(world.bob, image, world.base.pk, tuned.pk)
    assert answer.status_code == 200
    assert answer.json() == {
        "label_sets": [
            {"version": str(world.base.pk), "cells": [CELL]},
            {"version": str(tuned.pk), "cells": []},
        ],
        "model_ms": 350.0,
    }
    worker.join()
    first, second = worker.request["versions"]
    assert (first["version"]["tuned"], second["version"]["tuned"] is None) == (None, False)
    assert first["features_key"] != second["features_key"]  # each version reads what its own trunk sees


def test_missing_features_are_asked_for(world: World, image: Image, tuned: ModelVersion, start):  # noqa: F811
    refused = {"ok": False, "code": "features_not_ready", "detail": "Not yet.", "version": str(tuned.pk)}
    start(lambda request: refused, AWAITED_CELLS)
    answer = post(world.bob, image, world.base.pk, tuned.pk)
    assert (answer.status_code, answer.json()["code"]) == (503, "features_not_ready")
    assert Job.objects.get(image=image, kind=JobKind.EMBED).payload == {"version": str(tuned.pk)}


def test_a_blind_image_is_labelled_first(world: World, tuned: ModelVersion):  # noqa: F811
    blind = [make_ready_image(world.project, seed=seed) for seed in range(4)][3]
    answer = post(world.bob, blind, world.base.pk, tuned.pk)
    assert (answer.status_code, answer.json()["code"]) == (409, "blind")


def test_an_image_that_was_not_read_yet_cannot_be_compared(world: World, tuned: ModelVersion):  # noqa: F811
    answer = post(world.bob, make_image(world.project), world.base.pk, tuned.pk)
    assert (answer.status_code, answer.json()["code"]) == (409, "not_ready")


def test_versions_of_another_project_do_not_exist_here(world: World, image: Image):  # noqa: F811
    mine = project_create(name="Mine", created_by=world.bob)
    for theirs in (make_tuned(mine).pk, uuid4()):
        assert post(world.bob, image, world.base.pk, theirs).status_code == 404


def test_it_takes_two_versions(world: World, image: Image):  # noqa: F811
    assert post(world.bob, image, world.base.pk).status_code == 400


def test_who_may_ask(world: World, image: Image, tuned: ModelVersion):  # noqa: F811
    assert post(world.vera, image, world.base.pk, tuned.pk).status_code == 403
    assert post(world.charlie, image, world.base.pk, tuned.pk).status_code == 404
