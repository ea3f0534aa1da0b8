"""Queue `interactive`: what a person waits for, on cached features. No database query, no trunk.

A box to a mask, while the hand still holds the mouse; all cells of one image by some versions, to compare them.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from typing import Any

from celery import shared_task
from celery.signals import worker_process_init

from labeling.live import redis_client
from worker.cellsam.checkpoint import CheckpointError
from worker.cellsam.predictor import PromptError, Stopped
from worker.engine import FeaturesMissing, Prompt
from worker.tasks.process import interactive_engine, shipped_weights, version_weights
from worker.weights import WeightsError

logger = logging.getLogger(__name__)

REPLY_KEPT_S = 30


@worker_process_init.connect
def warm(**_: object) -> None:
    """Load the weights and decode once before the first request comes."""
    try:
        interactive_engine().warm(shipped_weights())
    except (OSError, CheckpointError):
        logger.exception("the weights of this installation were not loaded; the first box will be slow")


@shared_task(name="interactive.decode_prompt")
def decode_prompt(request: dict[str, Any]) -> None:
    """Answer one request (see `labeling.dispatch`) through its reply list; drop it unread if nobody waits any more."""
    _reply(request, _answer)


@shared_task(name="interactive.segment_with")
def segment_with(request: dict[str, Any]) -> None:
    """The same for a request that names versions, each with the image's features key: all cells that each one finds.

    It stops between two tiles once nobody waits any more.
    """
    _reply(request, _segmented)


def _reply(request: dict[str, Any], answer: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    started = time.time()
    if started >= request["deadline"]:
        logger.info("a request for image %s came too late", request["image_id"])
        return
    try:
        reply = _refusing(answer, request)
    except Stopped:
        logger.info("a request for image %s took too long", request["image_id"])
        return
    reply |= {"queue_ms": round((started - request["sent_at"]) * 1000, 1)}
    pipeline = redis_client().pipeline()
    pipeline.rpush(request["reply_key"], json.dumps(reply))
    pipeline.expire(request["reply_key"], REPLY_KEPT_S)
    pipeline.execute()


def _refusing(answer: Callable[[dict[str, Any]], dict[str, Any]], request: dict[str, Any]) -> dict[str, Any]:
    """The answer, or a code and a sentence that say why there is none."""
    try:
        return {"ok": True} | answer(request)
    except Stopped:
        raise
    except FeaturesMissing as error:
        return _refusal("features_not_ready", "The image is being prepared for boxes.") | _lacking(
            error, request
        )
    except PromptError as error:
        return _refusal("invalid_prompt", f"{str(error).capitalize()}.")
    except (WeightsError, CheckpointError) as error:
        logger.error("no model for image %s: %s", request["image_id"], error)
        return _refusal("model_unavailable", "The active model's weights cannot be loaded.")
    except Exception:
        logger.exception("a request for image %s", request["image_id"])
        return _refusal("decode_failed", "The model failed on this box. The worker's log has the details.")


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    version = version_weights(request["version"])
    decoded = interactive_engine().decode(request["features_key"], _prompt(request), version)
    return {
        "box": list(decoded.mask.box),
        "rle": list(decoded.mask.rle),
        "score": decoded.score,
        "model_ms": round(decoded.model_s * 1000, 1),
    }


def _segmented(request: dict[str, Any]) -> dict[str, Any]:
    """In the order of the request's versions, each `{"id", "features_key", "version": its spec}`."""
    started = time.perf_counter()
    sets = [_label_set(asked, request["deadline"]) for asked in request["versions"]]
    return {"label_sets": sets, "model_ms": round((time.perf_counter() - started) * 1000, 1)}


def _label_set(asked: dict[str, Any], deadline: float) -> dict[str, Any]:
    version = version_weights(asked["version"])
    found = interactive_engine().labels(
        asked["features_key"], version, should_stop=lambda: time.time() >= deadline
    )
    cells = [
        {"box": list(mask.box), "rle": list(mask.rle), "score": float(score)}
        for mask, score in zip(found.masks, found.scores, strict=True)
    ]
    return {"version": asked["id"], "cells": cells}


def _lacking(error: FeaturesMissing, request: dict[str, Any]) -> dict[str, Any]:
    """Which of the request's versions has no features, if it names several."""
    (key,) = error.args
    ids = [asked["id"] for asked in request.get("versions", ()) if asked["features_key"] == key]
    return {"version": ids[0]} if ids else {}


def _prompt(request: dict[str, Any]) -> Prompt:
    x0, y0, x1, y1 = (float(side) for side in request["box"])
    points = tuple((float(p["x"]), float(p["y"]), bool(p["positive"])) for p in request.get("points") or ())
    return Prompt(box=(x0, y0, x1, y1), points=points)


def _refusal(code: str, detail: str) -> dict[str, Any]:
    return {"ok": False, "code": code, "detail": detail}
