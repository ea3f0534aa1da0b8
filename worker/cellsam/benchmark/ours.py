"""`Predictor` with a stopwatch: its parts tell when they begin and end, nothing else changes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from worker.cellsam.benchmark.marks import (
    ASSEMBLING,
    DECODING,
    FINDER,
    FINDER_TRUNK,
    NECK,
    PREPROCESSING,
    TRUNK,
    Marks,
)
from worker.cellsam.predictor import Predictor

# What goes on between two parts, by the one that ended; the last stretch of all is the assembling.
BETWEEN = {
    None: PREPROCESSING,
    PREPROCESSING: PREPROCESSING,
    TRUNK: PREPROCESSING,
    FINDER_TRUNK: PREPROCESSING,
    FINDER: FINDER,
    NECK: DECODING,
    DECODING: DECODING,
}


def timed_segment(predictor: Predictor, image: NDArray[Any], marks: Marks) -> NDArray[np.int32]:
    """`predictor.segment(image)`, with a mark wherever one of the model's parts begins or ends, and a tile's masks are
    there. The mask decoder is no such part: it runs in several threads at a time.
    """
    model = predictor.model
    parts: dict[str, nn.Module] = {TRUNK: model.trunk, FINDER: model.finder, NECK: model.neck}
    if model.finder_trunk is not None:
        parts[FINDER_TRUNK] = model.finder_trunk

    def mark_between(*_: object) -> None:
        marks.mark(BETWEEN[marks.last])

    hooks = []
    for stage, part in parts.items():
        hooks.append(part.register_forward_pre_hook(mark_between))
        hooks.append(part.register_forward_hook(lambda *_, stage=stage: marks.mark(stage)))
    try:
        labels = predictor.segment(image, progress=mark_between).labels
    finally:
        for hook in hooks:
            hook.remove()
    marks.mark(ASSEMBLING)
    return labels
