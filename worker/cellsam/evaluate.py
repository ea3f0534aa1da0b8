"""How good a model is on labelled images, and whether another is better: one implementation for all sides.

Figures pool counts over images (many cells weigh more). Intervals resample whole images, since the cells of one are
alike. AP50 is of CellFinder's boxes at IoU 0.5; everything else is of masks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from labeling.matching import F1_IOU_THRESHOLD, Counts, count_matches
from labeling.rle import BoxMask, masks_of_labels
from worker.cellsam.features import Features
from worker.cellsam.predictor import Predictor

T = TypeVar("T")

AP_FLOOR = 0.05  # lowest score that counts for AP50
AP_IOU = 0.5
RESAMPLES = 1000

Detections = tuple[NDArray[np.float32], NDArray[np.bool_]]  # scores and whether each is right


@dataclass(frozen=True, slots=True)
class Sample:
    """A labelled image, as features: whoever has pixels calls `Predictor.embed` first."""

    name: str
    group: str  # modality, data set, project: figures are also given by it
    features: Features
    labels: NDArray[np.int32]  # (H, W), 0 background


@dataclass(frozen=True, slots=True)
class ImageResult:
    name: str
    group: str
    counts: Counts
    predicted: int
    ious: tuple[float, ...]  # of each true cell's mask, decoded from its true box
    detections: Detections

    @property
    def true(self) -> int:
        return self.counts.true_positive + self.counts.false_negative


@dataclass(frozen=True, slots=True)
class Summary:
    """Pooled figures of some images. Shares are in [0, 1]; NaN where there is no true cell to speak of."""

    images: int
    cells: int
    f1: float
    f1_low: float  # 95% bootstrap interval
    f1_high: float
    precision: float
    recall: float
    box_ap50: float
    mean_iou_true_boxes: float
    count_error: float  # mean over images of |predicted - true| / true


@dataclass(frozen=True, slots=True)
class Evaluation:
    images: tuple[ImageResult, ...]

    @property
    def groups(self) -> tuple[str, ...]:
        return tuple(sorted({image.group for image in self.images}))

    def summary(self, group: str | None = None) -> Summary:
        """Of all images, or of one group. Images without any cell, true or predicted, change nothing."""
        images = [image for image in self.images if group in (None, image.group)]
        counts = sum((image.counts for image in images), Counts())
        low, high = interval(images, pooled_f1)
        ious = [iou for image in images for iou in image.ious]
        errors = [abs(image.predicted - image.true) / image.true for image in images if image.true]
        return Summary(
            images=len(images),
            cells=counts.true_positive + counts.false_negative,
            f1=counts.f1,
            f1_low=low,
            f1_high=high,
            precision=counts.precision,
            recall=counts.recall,
            box_ap50=average_precision(images),
            mean_iou_true_boxes=float(np.mean(ious)) if ious else float("nan"),
            count_error=float(np.mean(errors)) if errors else float("nan"),
        )


@dataclass(frozen=True, slots=True)
class Comparison:
    """`b` against `a` on the same images: the difference of pooled F1 with its paired 95% bootstrap interval."""

    f1_a: float
    f1_b: float
    difference: float
    low: float
    high: float
    images: int


def evaluate(
    predictor: Predictor,
    samples: Iterable[Sample],
    *,
    progress: Callable[[ImageResult], None] = lambda _: None,
) -> Evaluation:
    """Segment each sample from its features and compare. Samples may come from a generator: one is held at a time."""
    results = []
    for sample in samples:
        result = _evaluate_image(predictor, sample)
        results.append(result)
        progress(result)
    return Evaluation(tuple(results))


def compare(a: Evaluation, b: Evaluation, *, seed: int = 0) -> Comparison:
    """Raises ValueError if the two are not of the same images in the same order."""
    if [image.name for image in a.images] != [image.name for image in b.images]:
        raise ValueError("the evaluations are of different images")
    pairs = list(zip(a.images, b.images, strict=True))

    def difference(chosen: Sequence[tuple[ImageResult, ImageResult]]) -> float:
        return pooled_f1([of_b for _, of_b in chosen]) - pooled_f1([of_a for of_a, _ in chosen])

    low, high = interval(pairs, difference, seed=seed)
    f1_a, f1_b = pooled_f1(a.images), pooled_f1(b.images)
    return Comparison(f1_a, f1_b, f1_b - f1_a, low, high, len(pairs))


def pooled_f1(images: Sequence[ImageResult]) -> float:
    return sum((image.counts for image in images), Counts()).f1


def interval(
    items: Sequence[T], figure: Callable[[Sequence[T]], float], *, seed: int = 0
) -> tuple[float, float]:
    """95% percentile bootstrap over the items (Efron 1979), seeded; (NaN, NaN) without items."""
    if not items:
        return float("nan"), float("nan")
    random = np.random.default_rng(seed)
    draws = random.integers(0, len(items), (RESAMPLES, len(items)))
    low, high = np.percentile([figure([items[i] for i in draw]) for draw in draws], [2.5, 97.5])
    return float(low), float(high)


def average_precision(images: Sequence[ImageResult]) -> float:
    """COCO's 101-point interpolated AP of boxes at IoU 0.5; NaN without true cells."""
    total = sum(image.true for image in images)
    if total == 0:
        return float("nan")
    scores = np.concatenate([image.detections[0] for image in images])
    right = np.concatenate([image.detections[1] for image in images])[np.argsort(-scores, kind="stable")]
    if right.size == 0:
        return 0.0
    hits = np.cumsum(right)
    precision = np.maximum.accumulate((hits / np.arange(1, right.size + 1))[::-1])[::-1]
    at = np.searchsorted(hits / total, np.linspace(0, 1, 101))
    return float(np.mean(np.where(at < right.size, precision[np.minimum(at, right.size - 1)], 0.0)))


def match_boxes(
    boxes: NDArray[np.float32], scores: NDArray[np.float32], true_boxes: NDArray[np.float32]
) -> Detections:
    """Greedy, best score first, each true box taken once (COCO's rule)."""
    order = np.argsort(-scores, kind="stable")
    right = np.zeros(len(order), dtype=bool)
    if len(true_boxes) and len(order):
        iou = _box_iou(boxes[order], true_boxes)
        for row in range(len(order)):
            best = int(iou[row].argmax())
            if iou[row, best] >= AP_IOU:
                right[row] = True
                iou[:, best] = -1
    return scores[order], right


def _evaluate_image(predictor: Predictor, sample: Sample) -> ImageResult:
    found = predictor.segment_features(sample.features)
    truth = [mask for _, mask in masks_of_labels(sample.labels)]
    true_boxes = np.array([mask.box for mask in truth], dtype=np.float32).reshape(-1, 4)
    boxes, scores = predictor.detect(sample.features, threshold=AP_FLOOR)
    return ImageResult(
        name=sample.name,
        group=sample.group,
        counts=count_matches(sample.labels, found.labels, threshold=F1_IOU_THRESHOLD),
        predicted=len(found.masks),
        ious=true_box_ious(predictor, sample.features, truth),
        detections=match_boxes(boxes, scores, true_boxes),
    )


def true_box_ious(predictor: Predictor, features: Features, truth: Sequence[BoxMask]) -> tuple[float, ...]:
    """IoU of each true cell with the mask decoded from its own box: what the mask decoder is worth by itself."""
    if not truth:
        return ()
    masks, _ = predictor.decode(features, boxes=np.array([mask.box for mask in truth], dtype=np.float32))
    return tuple(mask.iou(true) for mask, true in zip(masks, truth, strict=True))


def _box_iou(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    low, high = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=-1)
    sizes_a, sizes_b = (np.clip(x[:, 2:] - x[:, :2], 0, None).prod(axis=-1) for x in (a, b))
    return np.asarray(shared / np.maximum(sizes_a[:, None] + sizes_b[None] - shared, 1e-9), dtype=np.float32)
