"""Answers to people who wait: through a list in Redis, by a deadline; where there is none, a refusal that says why."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from typing import Any

from labeling.live import redis_client
from worker.cached_features import FeaturesMissing
from worker.cellsam.checkpoint import CheckpointError
from worker.cellsam.predictor import PromptError, Stopped
from worker.weights import WeightsError

logger = logging.getLogger(__name__)

REPLY_KEPT_S = 30


def reply(request: dict[str, Any], answer: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Push what `answer` makes of the request; nothing once its deadline is over, or if `answer` raises Stopped."""
    started = time.time()
    if started >= request["deadline"]:
        logger.info("a request for image %s came too late", request["image_id"])
        return
    try:
        found = _refusing(answer, request)
    except Stopped:
        logger.info("a request for image %s took too long", request["image_id"])
        return
    found |= {"queue_ms": round((started - request["sent_at"]) * 1000, 1)}
    pipeline = redis_client().pipeline()
    pipeline.rpush(request["reply_key"], json.dumps(found))
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


def _lacking(error: FeaturesMissing, request: dict[str, Any]) -> dict[str, Any]:
    """Which of the request's versions has no features, if it names several."""
    (key,) = error.args
    ids = [asked["id"] for asked in request.get("versions", ()) if asked["features_key"] == key]
    return {"version": ids[0]} if ids else {}


def _refusal(code: str, detail: str) -> dict[str, Any]:
    return {"ok": False, "code": code, "detail": detail}
