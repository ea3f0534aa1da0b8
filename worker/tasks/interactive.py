"""Queue `interactive`: a box to a mask, while the hand still holds the mouse. No database query, no trunk."""

from __future__ import annotations

import logging
from typing import Any

from celery import shared_task
from celery.signals import worker_process_init

from worker.cached_features import FeaturesAddress
from worker.cellsam.checkpoint import CheckpointError
from worker.engine import Prompt
from worker.tasks.process import interactive_engine, shipped_weights, version_weights
from worker.tasks.replies import reply

logger = logging.getLogger(__name__)


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
    reply(request, _answer)


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    version = version_weights(request["version"])
    address = FeaturesAddress(request["features_key"], int(request["height"]), int(request["width"]))
    decoded = interactive_engine().decode(address, _prompt(request), version)
    return {
        "box": list(decoded.mask.box),
        "rle": list(decoded.mask.rle),
        "score": decoded.score,
        "model_ms": round(decoded.model_s * 1000, 1),
    }


def _prompt(request: dict[str, Any]) -> Prompt:
    x0, y0, x1, y1 = (float(side) for side in request["box"])
    points = tuple((float(p["x"]), float(p["y"]), bool(p["positive"])) for p in request.get("points") or ())
    return Prompt(box=(x0, y0, x1, y1), points=points)
