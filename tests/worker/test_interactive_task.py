"""A box comes back as a mask through Redis: no query, no trunk, and nothing at all once nobody waits."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from labeling.live import redis_client
from labeling.models import Image, ModelVersion
from labeling.rle import BoxMask
from labeling.selectors.features import features_key
from labeling.selectors.model_versions import version_spec
from labeling.services.segmentation import embedding_request
from tests.scenes import Scene, nuclei
from tests.worker.conftest import Lab
from worker.cellsam import sweep
from worker.tasks.interactive import decode_prompt, warm
from worker.tasks.process import background_engine, interactive_engine, version_weights
from worker.tasks.segment import embed_image


@pytest.fixture
def scene() -> Scene:
    return nuclei(1)


@pytest.fixture
def image(lab: Lab, scene: Scene) -> Image:
    return lab.segmented(scene)


def request(image: Image, by: ModelVersion, box: tuple[float, ...], **changed: Any) -> dict[str, Any]:
    """The message as the web process writes it."""
    message = {
        "reply_key": f"decode:{uuid4()}",
        "deadline": time.time() + 10,
        "sent_at": time.time(),
        "image_id": str(image.pk),
        "features_key": features_key(image=image, version=by),
        "height": image.height,
        "width": image.width,
        "version": version_spec(by),
        "box": list(box),
        "points": [],
    }
    return json.loads(json.dumps(message | changed))


def reply_to(message: dict[str, Any]) -> dict[str, Any] | None:
    """What the web process would read; None if there is no reply."""
    decode_prompt(message)
    return read_reply(message)


def read_reply(message: dict[str, Any]) -> dict[str, Any] | None:
    raw = redis_client().lpop(message["reply_key"])
    return json.loads(raw) if isinstance(raw, bytes) else None


def test_it_works(lab: Lab, image: Image, scene: Scene) -> None:
    message = request(image, lab.base, scene.masks[0].box)
    decode_prompt(message)
    assert 0 < redis_client().ttl(message["reply_key"]) <= 30
    reply = read_reply(message)
    assert reply is not None
    assert reply["ok"]
    assert BoxMask(tuple(reply["box"]), tuple(reply["rle"])).iou(scene.masks[0]) > 0.6
    assert 0 < reply["score"] <= 1.1
    assert reply["model_ms"] > 0
    assert reply["queue_ms"] >= 0


def test_it_asks_the_database_nothing_and_the_trunk_nothing(lab: Lab, image: Image, scene: Scene) -> None:
    message = request(image, lab.base, scene.masks[0].box)
    predictor = interactive_engine().predictor(version_weights(version_spec(lab.base)))
    calls = predictor.trunk_calls
    with CaptureQueriesContext(connection) as queries:
        assert (reply_to(message) or {})["ok"]
    assert len(queries) == 0
    assert predictor.trunk_calls == calls


def test_a_request_that_nobody_waits_for_is_dropped_unread(lab: Lab, image: Image, scene: Scene) -> None:
    late = request(
        image, lab.base, scene.masks[0].box, deadline=time.time() - 0.01, version="not even looked at"
    )
    assert reply_to(late) is None


def test_a_box_whose_block_is_missing_waits_for_that_block_alone(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "BLOCK_TILES", 4)
    scene = nuclei(9, side=460, cells=40)
    image = lab.segmented(scene)
    near, far = (request(image, lab.base, box) for box in ((8, 8, 40, 40), (420, 420, 452, 452)))
    (path,) = Path(settings.FEATURES_DIR).glob(f"*/{near['features_key']}-000002.features")
    path.unlink()
    interactive_engine.cache_clear()  # as in a fresh process: nothing is in memory
    background_engine.cache_clear()
    assert (reply_to(near) or {})["ok"]
    assert (reply_to(far) or {})["code"] == "features_not_ready"

    embed_image(str(embedding_request(image_id=image.pk).pk))
    predictor = background_engine().predictor(version_weights(version_spec(lab.base)))
    assert predictor.trunk_calls == 1
    assert (reply_to(far) or {})["ok"]


def test_missing_features_are_asked_for(lab: Lab) -> None:
    image = lab.ingested(nuclei(77))
    reply = reply_to(request(image, lab.base, (1, 1, 9, 9)))
    assert reply is not None
    assert (reply["ok"], reply["code"]) == (False, "features_not_ready")


def test_a_box_outside_the_image_is_refused(lab: Lab, image: Image) -> None:
    reply = reply_to(request(image, lab.base, (900, 900, 950, 950)))
    assert reply is not None
    assert (reply["ok"], reply["code"]) == (False, "invalid_prompt")
    assert reply["detail"] == "A box lies outside the image."


def test_weights_that_were_changed_are_not_used(lab: Lab, image: Image, scene: Scene) -> None:
    spec = version_spec(lab.base)
    spec["base"]["sha256"] = "0" * 64
    reply = reply_to(request(image, lab.base, scene.masks[0].box, version=spec))
    assert reply is not None
    assert (reply["ok"], reply["code"]) == (False, "model_unavailable")


def test_points_refine_a_box(lab: Lab, image: Image, scene: Scene) -> None:
    x0, y0, x1, y1 = scene.masks[0].box
    inside = {"x": (x0 + x1) / 2, "y": (y0 + y1) / 2, "positive": True}
    reply = reply_to(request(image, lab.base, scene.masks[0].box, points=[inside]))
    assert reply is not None
    assert reply["ok"]


def test_it_is_warm_before_the_first_request() -> None:
    warm()
