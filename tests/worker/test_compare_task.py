"""Two versions on one image, for the person who waits: on cached features, in the background, never in a box's way."""

from __future__ import annotations

import json
import time
from typing import Any
from uuid import uuid4

from django.db import connection
from django.test.utils import CaptureQueriesContext

from labeling.dispatch import AWAITED, compare_send, messages_of
from labeling.live import redis_client
from labeling.models import Image, ModelVersion
from labeling.rle import BoxMask
from labeling.selectors.features import features_key
from labeling.selectors.model_versions import version_spec
from tests.scenes import nuclei
from tests.worker.conftest import Lab
from worker.tasks.process import background_engine, version_weights
from worker.tasks.segment import compare_versions


def comparison(image: Image, *versions: ModelVersion, **changed: Any) -> dict[str, Any]:
    """The message as the web process writes it."""
    named = [
        {
            "id": str(version.pk),
            "features_key": features_key(image=image, version=version),
            "version": version_spec(version),
        }
        for version in versions
    ]
    message = {
        "reply_key": f"compare:{uuid4()}",
        "deadline": time.time() + 10,
        "sent_at": time.time(),
        "image_id": str(image.pk),
        "height": image.height,
        "width": image.width,
        "versions": named,
    }
    return json.loads(json.dumps(message | changed))


def read_reply(message: dict[str, Any]) -> dict[str, Any] | None:
    raw = redis_client().lpop(message["reply_key"])
    return json.loads(raw) if isinstance(raw, bytes) else None


def test_versions_are_compared_on_cached_features(lab: Lab) -> None:
    scene = nuclei(1)
    message = comparison(lab.segmented(scene), lab.base, lab.base)
    predictor = background_engine().predictor(version_weights(version_spec(lab.base)))
    calls = predictor.trunk_calls
    with CaptureQueriesContext(connection) as queries:
        compare_versions(message)
    assert (len(queries), predictor.trunk_calls) == (0, calls)
    reply = read_reply(message)
    assert reply is not None
    assert reply["ok"]
    first, second = reply["label_sets"]
    assert first == second
    assert first["version"] == str(lab.base.pk)
    masks = [BoxMask(tuple(found["box"]), tuple(found["rle"])) for found in first["cells"]]
    assert max(mask.iou(scene.masks[0]) for mask in masks) > 0.6
    assert all(0 < found["score"] <= 1 for found in first["cells"])


def test_a_comparison_names_the_version_without_features(lab: Lab) -> None:
    message = comparison(lab.ingested(nuclei(78)), lab.base)
    compare_versions(message)
    reply = read_reply(message)
    assert reply is not None
    assert (reply["code"], reply["version"]) == ("features_not_ready", str(lab.base.pk))


def test_a_comparison_that_nobody_waits_for_is_dropped(lab: Lab) -> None:
    message = comparison(lab.segmented(nuclei(1)), lab.base, deadline=time.time() - 0.01)
    compare_versions(message)
    assert read_reply(message) is None


def test_no_box_waits_behind_a_comparison_which_goes_before_other_images_cells(lab: Lab) -> None:
    client = redis_client()
    before = {name: client.llen(name) for name in ["interactive", *messages_of("segment")]}
    compare_send(comparison(lab.ingested(nuclei(79)), lab.base))
    grown = [name for name, length in before.items() if client.llen(name) > length]
    assert grown == [messages_of("segment")[1]]
    assert str(AWAITED) == grown[0][-1]
    client.delete(*grown)
