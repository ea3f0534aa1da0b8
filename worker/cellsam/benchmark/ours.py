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
    READING,
    TRUNK,
    Marks,
)
from worker.cellsam.predictor import Predictor

# What goes on between two parts, by the one that ended; the last stretch of all is the assembling.
BETWEEN = {
    None: PREPROCESSING,
    TRUNK: PREPROCESSING,
    FINDER_TRUNK: PREPROCESSING,
    FINDER: FINDER,
    NECK: DECODING,
    DECODING: READING,
}


def timed_segment(predictor: Predictor, image: NDArray[Any], marks: Marks) -> NDArray[np.int32]:
    """`predictor.segment(image)`, with a mark wherever one of the model's parts begins or ends."""
    model = predictor.model
    # Where a stage begins, and where it ends.
    parts: dict[str, tuple[nn.Module, nn.Module]] = {
        TRUNK: (model.trunk, model.trunk),
        FINDER: (model.finder, model.finder),
        NECK: (model.neck, model.neck),
        DECODING: (model.prompt_encoder, model.mask_decoder.iou_prediction_head),
    }
    if model.finder_trunk is not None:
        parts[FINDER_TRUNK] = (model.finder_trunk, model.finder_trunk)
    hooks = []
    for stage, (first, last) in parts.items():
        hooks.append(first.register_forward_pre_hook(lambda *_: marks.mark(BETWEEN[marks.last])))
        hooks.append(last.register_forward_hook(lambda *_, stage=stage: marks.mark(stage)))
    try:
        labels = predictor.segment(image).labels
    finally:
        for hook in hooks:
            hook.remove()
    marks.mark(ASSEMBLING)
    return labels
