"""Measuring one image: a model's cells, or any method's label map, against the true ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from labeling.matching import F1_IOU_THRESHOLD, count_matches
from labeling.rle import BoxMask, masks_of_labels
from worker.cellsam.candidates import Candidate
from worker.cellsam.evaluate.average_precision import (
    BOX_FLOOR,
    box_ious,
    mask_ious,
    match_detections,
)
from worker.cellsam.evaluate.image_result import ImageResult
from worker.cellsam.evaluate.results import Evaluation
from worker.cellsam.features import Features
from worker.cellsam.predictor import Predictor
from worker.cellsam.stitching import ASSEMBLE, Segmentation, join_fragments

Labels = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Sample:
    """A labelled image, as features: whoever has pixels calls `Predictor.embed` first."""

    name: str
    group: str  # modality, data set, project: figures are also given by it
    features: Features
    labels: Labels  # (H, W), 0 background
    tags: Mapping[str, str] = field(default_factory=dict)


def evaluate(
    predictor: Predictor,
    samples: Iterable[Sample],
    *,
    floor: float | None = None,
    progress: Callable[[ImageResult], None] = lambda _: None,
) -> Evaluation:
    """Segment each sample from its features and compare. Samples may come from a generator: one is held at a time.

    `floor`: the lowest box score whose mask counts for the average precision of masks. None: only the cells that the
    pipeline reports do, which costs no further mask.
    """
    results = []
    for sample in samples:
        result = measure_sample(predictor, sample, floor=floor)
        results.append(result)
        progress(result)
    return Evaluation(tuple(results))


def measure_sample(predictor: Predictor, sample: Sample, *, floor: float | None = None) -> ImageResult:
    """A model on one image; see `evaluate`."""
    truth = [mask for _, mask in masks_of_labels(sample.labels)]
    true_boxes = _boxes(truth)
    boxes, scores = predictor.detect(sample.features, threshold=BOX_FLOOR)
    found, masks, mask_scores = _segment(predictor, sample.features, floor)
    return ImageResult(
        name=sample.name,
        group=sample.group,
        counts=count_matches(sample.labels, found.labels, threshold=F1_IOU_THRESHOLD),
        predicted=len(found.masks),
        ious=true_box_ious(predictor, sample.features, truth),
        boxes=match_detections(box_ious(boxes, true_boxes), scores),
        masks=match_detections(mask_ious(masks, sample.labels), mask_scores),
        tags=sample.tags,
    )


def measure_labels(
    name: str, group: str, labels: Labels, predicted: Labels, *, tags: Mapping[str, str] | None = None
) -> ImageResult:
    """Another method's label map against the true one, both (H, W), 0 background.

    A method that gives no confidence gets 1.0 for every cell, as the paper does for Cellpose. Its boxes are those of
    its masks. Raises ValueError if the shapes differ.
    """
    counts = count_matches(labels, predicted, threshold=F1_IOU_THRESHOLD)
    masks = [mask for _, mask in masks_of_labels(predicted)]
    truth = [mask for _, mask in masks_of_labels(labels)]
    certain = np.ones(len(masks), dtype=np.float32)
    return ImageResult(
        name=name,
        group=group,
        counts=counts,
        predicted=len(masks),
        ious=(),
        boxes=match_detections(box_ious(_boxes(masks), _boxes(truth)), certain),
        masks=match_detections(mask_ious(masks, labels), certain),
        tags=tags or {},
    )


def true_box_ious(predictor: Predictor, features: Features, truth: Sequence[BoxMask]) -> tuple[float, ...]:
    """IoU of each true cell with the mask decoded from its own box: what the mask decoder is worth by itself."""
    if not truth:
        return ()
    masks, _ = predictor.decode(features, boxes=np.array([mask.box for mask in truth], dtype=np.float32))
    return tuple(mask.iou(true) for mask, true in zip(masks, truth, strict=True))


def _segment(
    predictor: Predictor, features: Features, floor: float | None
) -> tuple[Segmentation, list[BoxMask], NDArray[np.float32]]:
    """The pipeline's cells, and the masks with their scores that count for average precision; decoded once for both."""
    if floor is None:
        found = predictor.segment_features(features)
        return found, list(found.masks), found.scores
    threshold = predictor.thresholds.box
    candidates = predictor.candidates(features, floor=min(floor, threshold))
    above = [candidate for candidate in candidates if candidate.admitted_below > threshold]
    assemble = ASSEMBLE[predictor.model.config.strategies.overlaps]
    found = assemble(above, features.frame.height, features.frame.width)
    cells = [(mask, cell.score) for cell in join_fragments(candidates) if (mask := _mask(cell)) is not None]
    scores = np.array([score for _, score in cells], dtype=np.float32)
    return found, [mask for mask, _ in cells], scores


def _mask(cell: Candidate) -> BoxMask | None:
    return BoxMask.from_mask(cell.mask, x=cell.window[0], y=cell.window[1])


def _boxes(masks: Sequence[BoxMask]) -> NDArray[np.float32]:
    return np.array([mask.box for mask in masks], dtype=np.float32).reshape(-1, 4)
