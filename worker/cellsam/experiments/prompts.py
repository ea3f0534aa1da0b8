"""Point against box prompts: how well the mask decoder outlines a true cell that is shown to it in one way or another.

Prompts are made from the truth, so detection plays no part. The first point of a cell is its pixel farthest from its
border, further ones are drawn from its pixels, as a person would click more than once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from labeling.matching import F1_IOU_THRESHOLD
from labeling.rle import BoxMask, masks_of_labels
from worker.cellsam.evaluate.bootstrap import interval
from worker.cellsam.evaluate.figures import ratio
from worker.cellsam.evaluate.side_by_side import EvaluationError, LabelledImage
from worker.cellsam.predictor import Predictor

BOX = "box"


@dataclass(frozen=True, slots=True)
class PromptedImage:
    """The IoU of every true cell's mask, by kind of prompt: (cells,) each."""

    name: str
    tags: Mapping[str, str]
    ious: Mapping[str, NDArray[np.float64]]


def compare_prompts(
    predictor: Predictor,
    images: Iterable[LabelledImage],
    *,
    points: Sequence[int] = (1, 3),
    seed: int = 0,
    progress: Callable[[PromptedImage], None] = lambda _: None,
) -> list[PromptedImage]:
    """Decode each true cell from its box, and from so many points of it. Images without cells are left out.

    Raises EvaluationError if the model's decoder was not trained on points.
    """
    if predictor.model.config.mask.box_raster:
        raise EvaluationError(
            f"{predictor.model.config.name} takes boxes only: points were not part of its decoder's training, so this "
            "comparison needs a model with SAM's own prompts, such as paper"
        )
    random = np.random.default_rng(seed)
    found = []
    for image in images:
        cells = [mask for _, mask in masks_of_labels(image.labels)]
        if not cells:
            continue
        result = PromptedImage(image.name, image.tags, _ious(predictor, image, cells, points, random))
        found.append(result)
        progress(result)
    return found


def prompt_rows(images: Sequence[PromptedImage]) -> list[dict[str, object]]:
    """A row for each kind of prompt, over all and by data set: mean IoU with its interval, its difference to boxes."""
    parts: dict[str, list[PromptedImage]] = {"all": list(images)}
    datasets = sorted({image.tags["dataset"] for image in images})
    if len(datasets) > 1:
        parts |= {name: [image for image in images if image.tags["dataset"] == name] for name in datasets}
    return [_row(part, kind, of_part) for part, of_part in parts.items() for kind in of_part[0].ious]


def cell_points(cell: BoxMask, count: int, random: np.random.Generator) -> NDArray[np.float32]:
    """(count, 2) x, y in image pixels: the pixel deepest inside the cell, then any of its pixels; their centres."""
    mask = cell.mask()
    depth = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    rows, columns = np.nonzero(mask)
    deepest = int(depth[rows, columns].argmax())
    others = random.integers(0, len(rows), count - 1)
    chosen = np.concatenate([[deepest], others]).astype(np.int64)
    places = np.stack([columns[chosen] + cell.box[0], rows[chosen] + cell.box[1]], axis=1)
    return (places + 0.5).astype(np.float32)


def _ious(
    predictor: Predictor,
    image: LabelledImage,
    cells: Sequence[BoxMask],
    points: Sequence[int],
    random: np.random.Generator,
) -> dict[str, NDArray[np.float64]]:
    embeddings = predictor.embed_neck(
        image.features(predictor)
    )  # the neck runs once for all kinds of prompts
    boxes = np.array([cell.box for cell in cells], dtype=np.float32)
    ious = {BOX: _agreement(predictor.decode(embeddings, boxes=boxes)[0], cells)}
    for count in points:
        inside = np.ones((count, 1), dtype=np.float32)
        prompts = [np.hstack([cell_points(cell, count, random), inside]) for cell in cells]
        kind = "1 point" if count == 1 else f"{count} points"
        ious[kind] = _agreement(predictor.decode(embeddings, points=prompts)[0], cells)
    return ious


def _agreement(masks: Sequence[BoxMask], cells: Sequence[BoxMask]) -> NDArray[np.float64]:
    return np.array([mask.iou(cell) for mask, cell in zip(masks, cells, strict=True)])


def _row(part: str, kind: str, images: Sequence[PromptedImage]) -> dict[str, object]:
    cells = np.array([len(image.ious[kind]) for image in images], dtype=np.float64)
    sums = np.array([image.ious[kind].sum() for image in images])
    boxes = np.array([image.ious[BOX].sum() for image in images])
    right = np.array(
        [np.count_nonzero(image.ious[kind] > F1_IOU_THRESHOLD) for image in images], dtype=np.float64
    )
    once = np.ones(len(images))
    mean, less = ratio(sums, cells), ratio(boxes - sums, cells)
    low, high = interval(len(images), mean)
    less_low, less_high = interval(len(images), less)
    return {
        "part": part,
        "prompt": kind,
        "images": len(images),
        "cells": int(cells.sum()),
        "mean_iou": mean(once),
        "mean_iou_low": low,
        "mean_iou_high": high,
        "share_above_0.6": ratio(right, cells)(once),
        "mean_iou_image_mean": float(np.mean(sums / cells)),
        "box_minus_this": less(once),
        "box_minus_this_low": less_low,
        "box_minus_this_high": less_high,
    }
