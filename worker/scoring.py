"""A model on one held-out image, in the gate's figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from labeling.gate import ImageScore
from labeling.matching import F1_IOU_THRESHOLD, iou_matrix
from labeling.rle import BoxMask
from labeling.score_tally import ScoreTally
from worker.cellsam import Features, Predictor
from worker.cellsam.evaluate import COCO_IOUS, true_box_ious
from worker.cellsam.evaluate.average_precision import mask_ious, match_detections
from worker.cellsam.tuning import label_map

AP_IOU = COCO_IOUS.index(0.5)


@dataclass(frozen=True, slots=True)
class HeldOutImage:
    """An image that no version trains on, as people left it. `group`, `cluster`, `blind`: see `ImageScore`.

    `touched`: which of the cells people added or reshaped. `features`: the image as a predictor's trunk sees it.
    """

    image_id: str
    group: str
    cluster: str
    blind: bool
    cells: Sequence[BoxMask]
    touched: frozenset[int]
    features: Callable[[Predictor], Features]


def score_image(
    predictor: Predictor, image: HeldOutImage, *, pause: Callable[[], None] = lambda: None
) -> ImageScore:
    """Segment from features and compare with all cells; then decode each true cell's box. `pause` is called between
    tiles.
    """
    features = image.features(predictor)
    labels = label_map(image.cells, features.frame.height, features.frame.width)
    found = predictor.segment_features(features, progress=lambda _: pause())
    seen = np.unique(labels[labels > 0]) - 1  # a cell that others cover is none that could be found
    hits = np.any(iou_matrix(labels, found.labels) > F1_IOU_THRESHOLD, axis=1)  # of those
    matched = int(np.count_nonzero(hits))
    overlaps = mask_ious(found.masks, labels)
    best = overlaps.max(axis=1, initial=0.0)
    detections = match_detections(overlaps, found.scores)
    ious = true_box_ious(predictor, features, image.cells)
    return ImageScore(
        image_id=image.image_id,
        group=image.group,
        cluster=image.cluster,
        blind=image.blind,
        true_positive=matched,
        false_positive=len(found.masks) - matched,
        false_negative=len(seen) - matched,
        iou_sum=float(sum(ious)),
        prompted=len(ious),
        detections=tuple(
            (float(score), bool(hit))
            for score, hit in zip(detections.scores, detections.right[AP_IOU], strict=True)
        ),
        touched_found=sum(1 for cell in seen[hits] if int(cell) in image.touched),
        touched_cells=len(image.touched),
        by_score=ScoreTally.of(zip(found.scores.tolist(), best.tolist(), strict=True)).rows(),
    )
