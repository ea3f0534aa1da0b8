"""How good a model in training is on the images held back: masks from true boxes, and cells found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from labeling.matching import Counts
from labeling.rle import BoxMask
from worker.cellsam.calibration import GRID
from worker.cellsam.evaluate import true_box_ious
from worker.cellsam.evaluate.average_precision import COCO_IOUS, box_ious, match_detections
from worker.cellsam.features import Features
from worker.cellsam.predictor import Predictor
from worker.cellsam.tuning.config import TuningConfig
from worker.cellsam.tuning.sample import TuningSample

BOX_IOU = COCO_IOUS.index(0.5)


class Judge:
    """Looks at the same cells every time. Features are given in the order of `samples`."""

    def __init__(self, samples: Sequence[TuningSample], config: TuningConfig) -> None:
        self.samples = samples
        random = np.random.default_rng(config.seed)
        share = min(1.0, config.max_validation_cells / sum(len(sample.cells) for sample in samples))
        self._prompted = [_some(sample.cells, share, random) for sample in samples]

    def features(self, pause: Callable[[], None]) -> Iterator[Features]:
        """Those of the samples, one after the other; `pause` is called before each."""
        for sample in self.samples:
            pause()
            yield sample.features

    def mask_quality(self, predictor: Predictor, features: Iterable[Features]) -> float:
        """Mean IoU of masks decoded from true boxes."""
        pairs = zip(features, self._prompted, strict=True)
        return float(np.mean([iou for its, cells in pairs for iou in true_box_ious(predictor, its, cells)]))

    def box_quality(self, predictor: Predictor, features: Iterable[Features]) -> float:
        """F1 of CellFinder's boxes at IoU 0.5 and at the threshold that suits them best; decodes no mask."""
        totals = dict.fromkeys(GRID, Counts())
        for its, sample in zip(features, self.samples, strict=True):
            boxes, scores = predictor.detect(its, threshold=GRID[0])
            true = np.array([cell.box for cell in sample.cells], dtype=np.float32).reshape(-1, 4)
            found = match_detections(box_ious(boxes, true), scores)
            for threshold in GRID:
                totals[threshold] += _counts(found.scores, found.right[BOX_IOU], threshold, len(true))
        return max(counts.f1 for counts in totals.values())


def _some(cells: Sequence[BoxMask], share: float, random: np.random.Generator) -> list[BoxMask]:
    count = max(1, round(share * len(cells)))
    return [cells[index] for index in random.permutation(len(cells))[:count]]


def _counts(
    scores: NDArray[np.float32], right: NDArray[np.bool_], threshold: float, true_cells: int
) -> Counts:
    above = scores > threshold
    hits = int(np.count_nonzero(right & above))
    return Counts(hits, int(np.count_nonzero(above)) - hits, true_cells - hits)
