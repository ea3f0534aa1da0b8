"""Each figure as a function of how often every image counts: its value with ones, its interval by the bootstrap."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from labeling.matching import Counts
from worker.cellsam.evaluate.average_precision import Detections, PooledDetections
from worker.cellsam.evaluate.bootstrap import Figure
from worker.cellsam.evaluate.image_result import ImageResult

Images = Sequence[ImageResult]
Weights = NDArray[np.float64]
NAN = float("nan")


def f1(images: Images) -> Figure:
    """2TP / (2TP + FP + FN) of the counts of all images; 1 where there is nothing to find and nothing was found."""
    counts = _counts([image.counts for image in images])

    def figure(weights: Weights) -> float:
        true_positive, false_positive, false_negative = weights @ counts
        total = 2 * true_positive + false_positive + false_negative
        return float(2 * true_positive / total) if total else 1.0

    return figure


def precision(images: Images) -> Figure:
    """TP / (TP + FP) of all images; 0 where nothing was found."""
    counts = _counts([image.counts for image in images])
    return ratio(counts[:, 0], counts[:, 0] + counts[:, 1], empty=0.0)


def recall(images: Images) -> Figure:
    """TP / (TP + FN) of all images; 0 where there is nothing to find."""
    counts = _counts([image.counts for image in images])
    return ratio(counts[:, 0], counts[:, 0] + counts[:, 2], empty=0.0)


def f1_image_mean(images: Images) -> Figure:
    """Mean of each image's F1, over the images with a cell, true or predicted: every image weighs the same."""
    counts = _counts([image.counts for image in images])
    total = 2 * counts[:, 0] + counts[:, 1] + counts[:, 2]
    some = (total > 0).astype(np.float64)
    return ratio(2 * counts[:, 0] / np.maximum(total, 1), some)


def mean_iou_true_boxes(images: Images) -> Figure:
    """Mean over cells of the IoU of a true cell with the mask that its own box gives."""
    sums = np.array([sum(image.ious) for image in images], dtype=np.float64)
    return ratio(sums, np.array([len(image.ious) for image in images], dtype=np.float64))


def count_error(images: Images) -> Figure:
    """Mean over images with cells of |predicted - true| / true."""
    true = np.array([image.true for image in images], dtype=np.float64)
    predicted = np.array([image.predicted for image in images], dtype=np.float64)
    return ratio(np.abs(predicted - true) * (true > 0) / np.maximum(true, 1), (true > 0).astype(np.float64))


def mask_map(images: Images) -> Figure:
    """COCO mAP of masks."""
    return _mean_average_precision(images, [image.masks for image in images])


def mask_ap50(images: Images) -> Figure:
    """COCO AP of masks at IoU 0.5."""
    return _average_precision_50(images, [image.masks for image in images])


def box_map(images: Images) -> Figure:
    """COCO mAP of boxes."""
    return _mean_average_precision(images, [image.boxes for image in images])


def box_ap50(images: Images) -> Figure:
    """COCO AP of boxes at IoU 0.5."""
    return _average_precision_50(images, [image.boxes for image in images])


FIGURES: Mapping[str, Callable[[Images], Figure]] = MappingProxyType(
    {
        build.__name__: build
        for build in (
            f1,
            precision,
            recall,
            f1_image_mean,
            mask_map,
            mask_ap50,
            box_map,
            box_ap50,
            mean_iou_true_boxes,
            count_error,
        )
    }
)


def ratio(above: Weights, below: Weights, *, empty: float = NAN) -> Figure:
    """Sum of `above` over sum of `below`, (images,) each; `empty` where the latter is 0."""

    def figure(weights: Weights) -> float:
        total = float(weights @ below)
        return float(weights @ above) / total if total else empty

    return figure


def _counts(counts: Sequence[Counts]) -> Weights:
    """(images, 3) true positive, false positive, false negative."""
    rows = [(each.true_positive, each.false_positive, each.false_negative) for each in counts]
    return np.asarray(rows, dtype=np.float64).reshape(-1, 3)


def _mean_average_precision(images: Images, detections: Sequence[Detections]) -> Figure:
    pooled = PooledDetections.of(detections, [image.true for image in images])
    return lambda weights: float(np.mean(pooled.average_precisions(weights)))


def _average_precision_50(images: Images, detections: Sequence[Detections]) -> Figure:
    pooled = PooledDetections.of(detections, [image.true for image in images])
    return lambda weights: float(pooled.average_precisions(weights)[0])
