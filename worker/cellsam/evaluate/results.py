"""What was measured of a split, and of two models on the same images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from worker.cellsam.evaluate.bootstrap import interval
from worker.cellsam.evaluate.figures import FIGURES
from worker.cellsam.evaluate.image_result import ImageResult


@dataclass(frozen=True, slots=True)
class Summary:
    """Figures of some images, pooled unless said otherwise. In [0, 1]; NaN where there is no true cell to speak of."""

    images: int
    cells: int
    f1: float
    f1_low: float  # 95% bootstrap interval
    f1_high: float
    precision: float
    recall: float
    f1_image_mean: float  # mean over images
    mask_map: float  # COCO, IoU .50:.05:.95
    mask_ap50: float
    box_map: float
    box_ap50: float
    mean_iou_true_boxes: float
    count_error: float  # mean over images of |predicted - true| / true


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One model on a number of images."""

    images: tuple[ImageResult, ...]

    @property
    def groups(self) -> tuple[str, ...]:
        return tuple(sorted({image.group for image in self.images}))

    def of_group(self, group: str) -> Evaluation:
        return Evaluation(tuple(image for image in self.images if image.group == group))

    def by(self, tag: str) -> dict[str, Evaluation]:
        """Parts by the value of a tag, in the order of the values; images without the tag are in none."""
        values = sorted({image.tags[tag] for image in self.images if tag in image.tags})
        return {
            value: Evaluation(tuple(image for image in self.images if image.tags.get(tag) == value))
            for value in values
        }

    def figure(self, name: str) -> float:
        """One of `FIGURES`. Raises KeyError for another name."""
        return FIGURES[name](self.images)(np.ones(len(self.images)))

    def interval(self, name: str, *, seed: int = 0) -> tuple[float, float]:
        """95% bootstrap interval of one of `FIGURES`."""
        return interval(len(self.images), FIGURES[name](self.images), seed=seed)

    def summary(self, group: str | None = None) -> Summary:
        """Of all images, or of one group. Images without any cell, true or predicted, change nothing."""
        part = self if group is None else self.of_group(group)
        low, high = part.interval("f1")
        return Summary(
            images=len(part.images),
            cells=sum(image.true for image in part.images),
            f1_low=low,
            f1_high=high,
            **{name: part.figure(name) for name in FIGURES},
        )


@dataclass(frozen=True, slots=True)
class Comparison:
    """`b` against `a` on the same images: a figure's difference with its paired 95% bootstrap interval."""

    figure: str
    a: float
    b: float
    difference: float
    low: float
    high: float
    images: int


def compare(a: Evaluation, b: Evaluation, *, figure: str = "f1", seed: int = 0) -> Comparison:
    """The change of one of `FIGURES`. Raises ValueError if the two are not of the same images in the same order."""
    if [image.name for image in a.images] != [image.name for image in b.images]:
        raise ValueError("the evaluations are of different images")
    of_a, of_b = FIGURES[figure](a.images), FIGURES[figure](b.images)
    low, high = interval(len(a.images), lambda weights: of_b(weights) - of_a(weights), seed=seed)
    once = np.ones(len(a.images))
    value_a, value_b = of_a(once), of_b(once)
    return Comparison(figure, value_a, value_b, value_b - value_a, low, high, len(a.images))
