"""A person's box on features that are there: alone, many at once, and against doing everything anew for it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from worker.cellsam.benchmark.marks import DECODING, Marks, Spent
from worker.cellsam.benchmark.placed_boxes import rows_of_boxes
from worker.cellsam.boxes import corners
from worker.cellsam.predictor import Predictor

PROMPTS, WARM_PROMPTS = 12, 2
BATCHES = (1, 2, 4, 8, 16, 32)


@torch.no_grad()
def prompt_figures(predictor: Predictor, image: NDArray[Any], anew: Spent | None) -> dict[str, Any]:
    """`anew`: what a box costs that repeats the trunk, for the ratio."""
    embeddings = predictor.embed_neck(predictor.embed(image))
    boxes = corners(rows_of_boxes(max(BATCHES)))
    in_image = boxes.numpy() * max(image.shape)
    spent = [
        _spent(predictor, lambda box=box: predictor.decode(embeddings, boxes=box[None]))
        for box in in_image[: WARM_PROMPTS + PROMPTS]
    ][WARM_PROMPTS:]
    alone = Spent(
        float(np.median([each.seconds for each in spent])),
        float(np.median([each.cpu_seconds for each in spent])),
    )
    about: dict[str, Any] = {
        "on_cached_features": alone.as_json(),
        "cpu_ms_per_prompt_in_batches_of": _by_batch(predictor, embeddings.tiles[0], boxes),
    }
    if anew is not None:
        about |= {"plain_repeats_the_trunk": anew.as_json(), "ratio": anew.times(alone)}
    return about


def _by_batch(predictor: Predictor, embedding: Tensor, boxes: Tensor) -> dict[int, float]:
    """Milliseconds of the decoder alone: what `mask_decoder.PROMPT_BATCH` is read from. On a CPU a batch has one thread
    when there are several.
    """
    config = predictor.model.config
    inputs = (boxes * config.trunk.input_px).to(predictor.device)
    autocast = torch.autocast(
        predictor.device.type, predictor.precision, enabled=predictor.precision is not None
    )
    found = {}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    for size in BATCHES:
        with autocast:
            runs = [
                _spent(
                    predictor, lambda size=size: predictor.model.decode(embedding, boxes_xyxy=inputs[:size])
                )
                for _ in range(3)
            ]
        found[size] = round(min(run.cpu_seconds for run in runs) / size * 1000, 2)
    torch.set_num_threads(threads)
    return found


def _spent(predictor: Predictor, act: Any) -> Spent:
    marks = Marks.started(predictor.device)
    act()
    marks.mark(DECODING)
    return marks.total
