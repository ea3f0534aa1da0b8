"""How good a model is on labelled images, and whether another is better: one implementation for all sides.

`docs/evaluation.md` defines each figure. Counts, IoUs and average precision are pooled over images (an image with many
cells weighs more), unless a figure's name says that it is a mean over images. Intervals resample whole images, since
the cells of one are alike.
"""

from worker.cellsam.evaluate.average_precision import (
    BOX_FLOOR,
    COCO_IOUS,
    MAX_DETECTIONS,
    Detections,
)
from worker.cellsam.evaluate.bootstrap import interval
from worker.cellsam.evaluate.figures import FIGURES
from worker.cellsam.evaluate.image_result import ImageResult
from worker.cellsam.evaluate.measure import Sample, evaluate, measure_labels, true_box_ious
from worker.cellsam.evaluate.results import Comparison, Evaluation, Summary, compare

__all__ = [
    "BOX_FLOOR",
    "COCO_IOUS",
    "FIGURES",
    "MAX_DETECTIONS",
    "Comparison",
    "Detections",
    "Evaluation",
    "ImageResult",
    "Sample",
    "Summary",
    "compare",
    "evaluate",
    "interval",
    "measure_labels",
    "true_box_ious",
]
