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
NUCLEAR_AND_WHOLE, COLOUR = 2, 3  # planes of a field


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
    # Drop what a lab may not have: the nuclear channel of a crop with two, the colour of a stained one.
    no_nuclei: float = 0.25
    gray: float = 0.3
    tint: float = 0.15  # log; each colour is brighter or darker by itself
    empty: float = 0.1  # share of empty crops that are kept


@dataclass(frozen=True, slots=True)
class Cropper:
    """Cuts crops out of fields as `augmentation` says; what it draws it takes from `random`."""

    augmentation: Augmentation
    random: np.random.Generator

    def crop(self, field: Field, size: int, *, enlarged: float = 1.0) -> tuple[FloatImage, Labels]:
        """(3, S, S) model channels and labels (S, S), 1..n; `enlarged` so many times, and by what is drawn."""
        planes, labels = self._warp(field, size, enlarged)
        return self._channels(planes, labels), labels

    def _channels(self, planes: FloatImage, labels: Labels) -> FloatImage:
        """A field's planes, (1, 2 or 3, S, S) as in `Field.pixels`, with other light -> (3, S, S) model channels."""
        random, how = self.random, self.augmentation
        if len(planes) == COLOUR and random.random() >= how.gray:
            return self._relight(planes)
        pixels = np.zeros((3, *labels.shape), dtype=np.float32)
        pixels[2] = self._relight(planes[-1:])[0]
        if len(planes) == NUCLEAR_AND_WHOLE:
            if random.random() >= how.no_nuclei:
                pixels[1] = self._relight(planes[:1])[0]
        elif random.random() < how.second_channel:
            pixels[1] = self._second_channel(planes[-1], labels)
        return pixels

    def _warp(self, field: Field, size: int, enlarged: float) -> tuple[FloatImage, Labels]:
        matrix, offset = self._crop_to_field(field.labels.shape, size, enlarged)
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
        return np.stack(planes), separate(labels)

    def _crop_to_field(
        self, shape: tuple[int, ...], size: int, enlarged: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Matrix and offset from crop (row, column) to field (row, column)."""
        random, how = self.random, self.augmentation
        scale = enlarged * np.exp(random.uniform(*np.log(how.scale)))
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

    def _relight(self, planes: FloatImage) -> FloatImage:
        """(C, S, S) -> the same scene under other light; channels change together, so that a stain keeps its colour."""
        random, how = self.random, self.augmentation
        if random.random() < how.stretch:
            low, high = planes.min(), planes.max()
            planes = (planes - low) / max(float(high - low), 0.05)
        planes = np.clip(planes, 0, 1) ** np.float32(np.exp(random.uniform(-how.gamma, how.gamma)))
        if len(planes) == COLOUR:
            planes = planes * np.exp(random.uniform(-how.tint, how.tint, (COLOUR, 1, 1))).astype(np.float32)
        if random.random() < how.invert:
            planes = 1 - planes
        if random.random() < how.shade:
            ramp = np.linspace(
                random.uniform(-0.2, 0.2), random.uniform(-0.2, 0.2), planes.shape[-1], dtype=np.float32
            )
            planes = planes + (ramp if random.random() < 0.5 else ramp[:, None])
        planes = planes * np.float32(random.uniform(0.6, 1.15)) + np.float32(random.uniform(-0.05, 0.2))
        if random.random() < how.blur:
            sigma = random.uniform(0.4, 1.6)
            planes = ndimage.gaussian_filter(planes, (0, sigma, sigma))
        if random.random() < how.noise:
            planes = planes + random.normal(0, random.uniform(0.01, 0.06), planes.shape).astype(np.float32)
        return np.clip(planes, 0, 1.2).astype(np.float32)

    def _second_channel(self, plane: FloatImage, labels: Labels) -> FloatImage:
        """A nuclear channel for a crop that has none."""
        if self.random.random() < 0.5:
            return np.asarray(self._relight(plane[None])[0])
        depth = ndimage.distance_transform_edt(_interior(labels)).astype(np.float32)
        nuclei = depth > self.random.uniform(1.5, 4.0)
        soft = ndimage.gaussian_filter(nuclei.astype(np.float32), self.random.uniform(0.5, 1.5))
        return np.asarray(self._relight(soft[None] * np.float32(self.random.uniform(0.5, 1.0)))[0])


class CropSampler:
    """Draws crops, as `Cropper` cuts them, from fields, each as often as its weight says (see `image_weights`)."""

    def __init__(
        self,
        fields: Sequence[Field],
        *,
        weights: NDArray[np.float64],
        random: np.random.Generator,
        augmentation: Augmentation,
    ) -> None:
        self.fields, self.weights, self.random = list(fields), weights, random
        self._cropper = Cropper(augmentation, random)

    def batch(self, count: int, size: int) -> tuple[FloatImage, Labels]:
        """(B, 3, S, S) and (B, S, S)."""
        pixels, labels = zip(*(self.crop(size) for _ in range(count)), strict=True)
        return np.stack(pixels), np.stack(labels)

    def crop(self, size: int) -> tuple[FloatImage, Labels]:
        for _ in range(8):
            field = self.fields[self.random.choice(len(self.fields), p=self.weights)]
            pixels, labels = self._cropper.crop(field, size)
            if labels.any() or self.random.random() < self._cropper.augmentation.empty:
                break
        return pixels, labels


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


def image_weights(fields: Sequence[Field], shares: Mapping[str, float]) -> NDArray[np.float64]:
    """(n,) summing to 1: `shares` gives each modality's share; within one, a weight grows with the root of the area.

    Raises ValueError if no field's modality has a share.
    """
    weights = np.zeros(len(fields))
    for modality in {field.modality for field in fields}:
        members = [index for index, field in enumerate(fields) if field.modality == modality]
        raw = [np.sqrt(fields[index].labels.size / REFERENCE_AREA) for index in members]
        weights[members] = np.asarray(raw) / np.sum(raw) * shares.get(modality, 0.0)
    if weights.sum() <= 0:
        raise ValueError("no modality has a share of the crops")
    return np.asarray(weights / weights.sum())
