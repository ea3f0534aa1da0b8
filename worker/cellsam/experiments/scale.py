"""The model's usual scale against `scale="auto"`, on images whose cells are smaller, as they are, and larger.

The middle of each image is measured shrunk to half, as it is, and enlarged twice. What is cut off at its border counts
as a cell if enough of it is left; its truth is resized without mixing labels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from worker.cellsam.evaluate.image_result import ImageResult
from worker.cellsam.evaluate.measure import Sample, measure_sample
from worker.cellsam.evaluate.results import Evaluation
from worker.cellsam.evaluate.side_by_side import EvaluationError, LabelledImage, evaluate_side_by_side
from worker.cellsam.predictor import Predictor, Scale
from worker.cellsam.training.crops import separate

USUAL, AUTO = "usual scale", "auto"
LEAST_CROP_PX = 32

Resize = Callable[[LabelledImage], LabelledImage]


@dataclass(frozen=True, slots=True)
class AtScale:
    """A CellSAM at a scale, as `Predictor.embed` takes it. `floor` as in `evaluate`."""

    predictor: Predictor
    scale: Scale
    floor: float | None = None

    def measure(self, image: LabelledImage) -> ImageResult:
        features = self.predictor.embed(
            image.pixels, image.roles, scale=self.scale, equalised=image.equalised
        )
        sample = Sample(image.name, image.tags["modality"], features, image.labels, image.tags)
        return measure_sample(self.predictor, sample, floor=self.floor)


def compare_scales(
    predictor: Predictor,
    images: Iterable[LabelledImage],
    *,
    crop_px: int = 256,
    floor: float | None = None,
    progress: Callable[[ImageResult], None] = lambda _: None,
) -> dict[str, dict[str, Evaluation]]:
    """By size, then by method, over the middles of the images, of at most `crop_px` on a side.

    Raises EvaluationError if nothing would be left of a cell in so small a crop.
    """
    if crop_px < LEAST_CROP_PX:
        raise EvaluationError(f"a crop has at least {LEAST_CROP_PX} pixels on a side, not {crop_px}")
    methods = {USUAL: AtScale(predictor, None, floor), AUTO: AtScale(predictor, "auto", floor)}
    middles = [middle(image, crop_px) for image in images]
    return {
        size: evaluate_side_by_side(methods, map(resize, middles), progress=progress)
        for size, resize in SIZES.items()
    }


def middle(image: LabelledImage, side: int) -> LabelledImage:
    """At most `side` pixels wide and high; both are even."""
    height, width = (min(side, length) // 2 * 2 for length in image.labels.shape)
    top, left = (image.labels.shape[0] - height) // 2, (image.labels.shape[1] - width) // 2
    here = np.s_[top : top + height, left : left + width]
    return replace(image, pixels=image.pixels[here], labels=separate(image.labels[here]), embedded={})


def halved(image: LabelledImage) -> LabelledImage:
    """Each pixel the mean of four, of sides that are even."""
    height, width = image.labels.shape
    fours = image.pixels.reshape(height // 2, 2, width // 2, 2, *image.pixels.shape[2:])
    pixels = _as_before(fours.mean(axis=(1, 3)), image.pixels.dtype)
    return replace(image, pixels=pixels, labels=image.labels[1::2, 1::2], embedded={})


def doubled(image: LabelledImage) -> LabelledImage:
    """Each pixel four, between its neighbours."""
    times = (2, 2, *[1] * (image.pixels.ndim - 2))
    between = ndimage.zoom(image.pixels.astype(np.float64), times, order=1, mode="nearest", grid_mode=True)
    pixels = _as_before(between, image.pixels.dtype)
    return replace(image, pixels=pixels, labels=image.labels.repeat(2, axis=0).repeat(2, axis=1), embedded={})


def _as_it_is(image: LabelledImage) -> LabelledImage:
    return image


def _as_before(pixels: NDArray[np.float64], dtype: np.dtype[Any]) -> NDArray[Any]:
    return (pixels if dtype.kind == "f" else np.rint(pixels)).astype(dtype)


SIZES: Mapping[str, Resize] = MappingProxyType({"half": halved, "as_it_is": _as_it_is, "twice": doubled})
