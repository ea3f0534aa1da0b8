"""COCO's average precision of boxes and of masks, for one class, with up to 10,000 detections an image.

Lin et al. 2014, "Microsoft COCO: Common Objects in Context", and the rules of its detection challenge: detections are
matched greedily, best score first, each to the free true cell that it overlaps most; precision is made monotone and
read at 101 levels of recall; AP50 is at IoU 0.5, mAP the mean over IoU 0.50, 0.55 ... 0.95. COCO's own limit of 100
detections an image would cut most microscopy images short. Areas of "crowd" and size classes have no use here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labeling.rle import BoxMask, LabelMap

COCO_IOUS = tuple(np.linspace(0.5, 0.95, 10).tolist())
RECALL_LEVELS = np.linspace(0, 1, 101)
MAX_DETECTIONS = 10_000  # of an image
BOX_FLOOR = 0.05  # lowest score of a box that counts; boxes cost nothing, unlike masks

Weights = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Detections:
    """An image's detections, best first: scores (n,) and, at each IoU of `COCO_IOUS`, whether each is right (10, n)."""

    scores: NDArray[np.float32]
    right: NDArray[np.bool_]

    @classmethod
    def none(cls) -> Detections:
        return cls(np.zeros(0, dtype=np.float32), np.zeros((len(COCO_IOUS), 0), dtype=bool))


def match_detections(iou: NDArray[np.floating], scores: NDArray[np.floating]) -> Detections:
    """`iou` (n, n_true) of each detection with each true cell; `scores` (n,), in any order."""
    order = np.argsort(-scores, kind="stable")[:MAX_DETECTIONS]
    right = np.zeros((len(COCO_IOUS), len(order)), dtype=bool)
    free = np.ones((len(COCO_IOUS), iou.shape[1]), dtype=bool)
    thresholds = np.asarray(COCO_IOUS)
    for rank, row in enumerate(order):
        near = np.flatnonzero(iou[row] >= COCO_IOUS[0])[::-1]  # of equal ones COCO takes the last
        if near.size == 0:
            continue
        overlaps = np.where(free[:, near], iou[row, near], -1.0)  # (10, near)
        best = overlaps.argmax(axis=1)
        hit = overlaps.max(axis=1) >= thresholds
        right[:, rank] = hit
        free[hit, near[best[hit]]] = False
    return Detections(np.asarray(scores[order], dtype=np.float32), right)


def average_precisions(
    detections: Sequence[Detections], true_cells: Sequence[int], weights: Weights | None = None
) -> NDArray[np.float64]:
    """(10,) AP at each IoU of `COCO_IOUS`, detections of all images pooled; NaN without true cells.

    `weights` (images,): how often each image counts, for the bootstrap; once by default.
    """
    return PooledDetections.of(detections, true_cells).average_precisions(weights)


@dataclass(frozen=True, slots=True)
class PooledDetections:
    """Detections of many images in one order, so that AP can be had for many weightings of the images."""

    right: NDArray[np.bool_]  # (10, n), best score first
    image: NDArray[np.int64]  # (n,) whose detection it is
    true_cells: NDArray[np.float64]  # (images,)

    @classmethod
    def of(cls, detections: Sequence[Detections], true_cells: Sequence[int]) -> PooledDetections:
        parts = [*detections, Detections.none()]
        scores = np.concatenate([part.scores for part in parts])
        image = np.repeat(np.arange(len(parts)), [len(part.scores) for part in parts])
        order = np.argsort(-scores, kind="stable")
        right = np.concatenate([part.right for part in parts], axis=1)
        return cls(right[:, order], image[order], np.asarray(true_cells, dtype=np.float64))

    def average_precisions(self, weights: Weights | None = None) -> NDArray[np.float64]:
        """(10,) as the function of this name says."""
        weights = np.ones(len(self.true_cells)) if weights is None else weights
        total = float(weights @ self.true_cells)
        if total == 0:
            return np.full(len(COCO_IOUS), np.nan)
        if self.image.size == 0:
            return np.zeros(len(COCO_IOUS))
        times = weights[self.image]
        seen = np.maximum(np.cumsum(times), np.finfo(np.float64).tiny)
        hits = np.cumsum(self.right * times, axis=1)
        return _interpolated(hits / seen, hits / total)


def _interpolated(precision: Weights, recall: Weights) -> Weights:
    """(10,) from (10, n): mean over 101 levels of recall of the best precision at that recall or a higher one."""
    envelope = np.zeros(
        (len(precision), precision.shape[1] + 1)
    )  # a last column of 0: recall that is never reached
    envelope[:, :-1] = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    at = np.stack([np.searchsorted(row, RECALL_LEVELS, side="left") for row in recall])  # (10, 101)
    return np.asarray(np.take_along_axis(envelope, at, axis=1).mean(axis=1))


def box_ious(a: NDArray[np.floating], b: NDArray[np.floating]) -> NDArray[np.float64]:
    """(n, m) IoU of boxes (n, 4) and (m, 4), x0, y0, x1, y1."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    low, high = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=-1)
    sizes_a, sizes_b = (np.clip(x[:, 2:] - x[:, :2], 0, None).prod(axis=-1) for x in (a, b))
    return np.asarray(shared / np.maximum(sizes_a[:, None] + sizes_b[None] - shared, 1e-9))


def mask_ious(masks: Sequence[BoxMask], labels_hw: LabelMap) -> NDArray[np.float64]:
    """(n, n_true) IoU of masks, which may overlap each other, with the labels > 0 of (H, W), in the labels' order."""
    ids, index = np.unique(labels_hw, return_inverse=True)
    index = index.reshape(labels_hw.shape)
    areas = np.bincount(index.ravel(), minlength=ids.size)
    shared = np.zeros((len(masks), ids.size))
    for row, mask in enumerate(masks):
        x0, y0, x1, y1 = mask.box
        shared[row] = np.bincount(index[y0:y1, x0:x1][mask.mask()], minlength=ids.size)
    sizes = np.array([mask.area for mask in masks], dtype=np.float64)[:, None]
    iou = shared / np.maximum(sizes + areas[None] - shared, 1)
    return np.asarray(iou[:, ids > 0])
