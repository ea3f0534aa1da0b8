"""Queue `interactive`: a person's box to a mask, while the hand still holds the mouse. No database query, no trunk."""

from __future__ import annotations

import json
import logging
import time
from typing import Any

from celery import shared_task
from celery.signals import worker_process_init

from labeling.live import redis_client
from worker.cellsam.checkpoint import CheckpointError
from worker.cellsam.predictor import PromptError
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
    started = time.time()
    if started >= request["deadline"]:
        logger.info("a box for image %s came too late", request["image_id"])
        return
    reply = _answer(request) | {"queue_ms": round((started - request["sent_at"]) * 1000, 1)}
    pipeline = redis_client().pipeline()
    pipeline.rpush(request["reply_key"], json.dumps(reply))
    pipeline.expire(request["reply_key"], REPLY_KEPT_S)
    pipeline.execute()


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    """The mask, or a code and a sentence that say why there is none."""
    try:
        version = version_weights(request["version"])
        decoded = interactive_engine().decode(request["features_key"], _prompt(request), version)
    except FeaturesMissing:
        return _refusal("features_not_ready", "The image is being prepared for boxes.")
    except PromptError as error:
        return _refusal("invalid_prompt", f"{str(error).capitalize()}.")
    except (WeightsError, CheckpointError) as error:
        logger.error("no model for a box: %s", error)
        return _refusal("model_unavailable", "The active model's weights cannot be loaded.")
    except Exception:
        logger.exception("a box for image %s", request["image_id"])
        return _refusal("decode_failed", "The model failed on this box. The worker's log has the details.")
    return {
        "ok": True,
        "box": list(decoded.mask.box),
        "rle": list(decoded.mask.rle),
        "score": decoded.score,
        "model_ms": round(decoded.model_s * 1000, 1),
    }


def _prompt(request: dict[str, Any]) -> Prompt:
    x0, y0, x1, y1 = (float(side) for side in request["box"])
    points = tuple((float(p["x"]), float(p["y"]), bool(p["positive"])) for p in request.get("points") or ())
    return Prompt(box=(x0, y0, x1, y1), points=points)


def _refusal(code: str, detail: str) -> dict[str, Any]:
    return {"ok": False, "code": code, "detail": detail}
