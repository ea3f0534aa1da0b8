"""Random, augmented crops with instance labels; NumPy and SciPy only, a few milliseconds each.

Labels are moved with nearest neighbour and the very matrix that moves the pixels. Images outside whose border a crop
reaches are mirrored or blank there, as inference pads them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage import measure

from worker.cellsam.data.manifest import Field

FloatImage = NDArray[np.float32]
Labels = NDArray[np.int32]

MIN_CELL_PX = 10  # smaller fragments at a crop's edge teach nothing
REFERENCE_AREA = 256 * 256
RARE_STAIN_WEIGHT = 2.5  # stained and brightfield images are few beside fluorescence: show them more often


@dataclass(frozen=True, slots=True)
class Augmentation:
    """Ranges and probabilities."""

    scale: tuple[float, float] = (0.6, 1.7)
    aspect: float = 0.12  # log
    any_angle: float = 0.35  # else a multiple of 90 degrees
    mirror_border: float = 0.6  # else blank
    stretch: float = 0.5
    gamma: float = 0.6  # log
    invert: float = 0.3
    shade: float = 0.15
    blur: float = 0.2
    noise: float = 0.3
    # Give a single-channel crop a second one: a copy, or nuclei made up inside the labels. Without it the green input
    # is never seen in training on single-channel data and a two-channel image would come out as nonsense.
    second_channel: float = 0.1
    empty: float = 0.1  # share of empty crops that are kept


class CropSampler:
    """Draws (pixels (3, S, S) float32, labels (S, S) int32 consecutive) from fields.

    `shares` gives each data set's share of the crops; within one, an image's weight grows with the root of its area.
    """

    def __init__(
        self, fields: Sequence[Field], *, seed: int, shares: Mapping[str, float], augmentation: Augmentation
    ) -> None:
        self.fields = list(fields)
        self.random = np.random.default_rng(seed)
        self.augmentation = augmentation
        self.weights = _image_weights(self.fields, shares)

    def batch(self, count: int, size: int) -> tuple[FloatImage, Labels]:
        """(B, 3, S, S) and (B, S, S)."""
        pixels, labels = zip(*(self.crop(size) for _ in range(count)), strict=True)
        return np.stack(pixels), np.stack(labels)

    def crop(self, size: int) -> tuple[FloatImage, Labels]:
        for _ in range(8):
            field = self.fields[self.random.choice(len(self.fields), p=self.weights)]
            planes, labels = self._warp(field, size)
            if labels.any() or self.random.random() < self.augmentation.empty:
                break
        pixels = np.zeros((3, size, size), dtype=np.float32)
        pixels[2] = self._relight(planes[-1])
        if len(planes) == 2:
            pixels[1] = self._relight(planes[0])
        elif self.random.random() < self.augmentation.second_channel:
            pixels[1] = self._second_channel(planes[-1], labels)
        return pixels, labels

    def _warp(self, field: Field, size: int) -> tuple[list[FloatImage], Labels]:
        matrix, offset = self._crop_to_field(field.labels.shape, size)
        mirrored = self.random.random() < self.augmentation.mirror_border
        mode: Literal["mirror", "constant"] = "mirror" if mirrored else "constant"
        planes = [
            ndimage.affine_transform(
                plane, matrix, offset, output_shape=(size, size), order=1, mode=mode, output=np.float32
            )
            / np.float32(255)
            for plane in field.pixels
        ]
        labels = ndimage.affine_transform(
            field.labels, matrix, offset, output_shape=(size, size), order=0, mode=mode, output=np.int32
        )
        return planes, separate(labels)

    def _crop_to_field(
        self, shape: tuple[int, ...], size: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Matrix and offset from crop (row, column) to field (row, column)."""
        random, how = self.random, self.augmentation
        scale = np.exp(random.uniform(*np.log(how.scale)))
        angle = (
            random.uniform(0, 2 * np.pi)
            if random.random() < how.any_angle
            else np.pi / 2 * random.integers(4)
        )
        cos, sin = np.cos(angle), np.sin(angle)
        stretch = np.exp(random.uniform(-how.aspect, how.aspect) / 2)
        flip = -1.0 if random.random() < 0.5 else 1.0
        matrix = np.array([[cos, -sin], [sin, cos]]) @ np.diag([stretch, flip / stretch]) / scale
        half = size / scale / 2
        centre = [_crop_centre(random, side, half) for side in shape]
        return matrix, np.asarray(centre) - matrix @ np.full(2, (size - 1) / 2)

    def _relight(self, plane: FloatImage) -> FloatImage:
        random, how = self.random, self.augmentation
        if random.random() < how.stretch:
            low, high = plane.min(), plane.max()
            plane = (plane - low) / max(float(high - low), 0.05)
        plane = np.clip(plane, 0, 1) ** np.float32(np.exp(random.uniform(-how.gamma, how.gamma)))
        if random.random() < how.invert:
            plane = 1 - plane
        if random.random() < how.shade:
            ramp = np.linspace(
                random.uniform(-0.2, 0.2), random.uniform(-0.2, 0.2), plane.shape[0], dtype=np.float32
            )
            plane = plane + (ramp if random.random() < 0.5 else ramp[:, None])
        plane = plane * np.float32(random.uniform(0.6, 1.15)) + np.float32(random.uniform(-0.05, 0.2))
        if random.random() < how.blur:
            plane = ndimage.gaussian_filter(plane, random.uniform(0.4, 1.6))
        if random.random() < how.noise:
            plane = plane + random.normal(0, random.uniform(0.01, 0.06), plane.shape).astype(np.float32)
        return np.clip(plane, 0, 1.2).astype(np.float32)

    def _second_channel(self, plane: FloatImage, labels: Labels) -> FloatImage:
        """A nuclear channel for a crop that has none."""
        if self.random.random() < 0.5:
            return self._relight(plane)
        depth = ndimage.distance_transform_edt(_interior(labels)).astype(np.float32)
        nuclei = depth > self.random.uniform(1.5, 4.0)
        soft = ndimage.gaussian_filter(nuclei.astype(np.float32), self.random.uniform(0.5, 1.5))
        return self._relight(soft * np.float32(self.random.uniform(0.5, 1.0)))


def separate(labels: Labels) -> Labels:
    """Each connected piece of equal label gets its own (mirrored cells appear twice); small ones go; 1..n."""
    pieces = measure.label(labels, connectivity=2, background=0)  # type: ignore[no-untyped-call]
    sizes = np.bincount(pieces.ravel())
    kept = sizes >= MIN_CELL_PX
    kept[0] = False
    numbers = np.where(kept, np.cumsum(kept), 0).astype(np.int32)
    return np.asarray(numbers[pieces], dtype=np.int32)


def boxes_of_labels(labels: Labels) -> FloatImage:
    """(n, 4) x0, y0, x1, y1 half-open of labels 1..n, which are consecutive."""
    windows = [window for window in ndimage.find_objects(labels) if window is not None]
    boxes = [(columns.start, rows.start, columns.stop, rows.stop) for rows, columns in windows]
    return np.array(boxes, dtype=np.float32).reshape(-1, 4)


def _interior(labels: Labels) -> NDArray[np.bool_]:
    """Pixels of cells that do not touch another label: distances are then within a cell."""
    edge = ndimage.minimum_filter(labels, 3) != ndimage.maximum_filter(labels, 3)
    return np.asarray((labels > 0) & ~edge, dtype=bool)


def _crop_centre(random: np.random.Generator, side: int, half: float) -> float:
    """Inside the image where the crop fits; else around its middle."""
    if side > 2 * half:
        return float(random.uniform(half, side - half))
    return float(side / 2 + random.uniform(-0.3, 0.3) * (2 * half - side))


def _image_weights(fields: Sequence[Field], shares: Mapping[str, float]) -> NDArray[np.float64]:
    weights = np.zeros(len(fields))
    for dataset in sorted({field.dataset for field in fields}):
        members = [index for index, field in enumerate(fields) if field.dataset == dataset]
        raw = [
            np.sqrt(fields[index].labels.size / REFERENCE_AREA)
            * (1.0 if "fluorescence" in fields[index].modality else RARE_STAIN_WEIGHT)
            for index in members
        ]
        weights[members] = np.asarray(raw) / np.sum(raw) * shares.get(dataset, 0.0)
    if weights.sum() <= 0:
        raise ValueError("no data set has a share of the crops")
    return np.asarray(weights / weights.sum())
