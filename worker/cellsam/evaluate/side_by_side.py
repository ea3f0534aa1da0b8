"""Several methods on the same images in one pass: each image is read once, and embedded once for each trunk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import tifffile
from numpy.typing import NDArray

from worker.cellsam.data.manifest import Entry
from worker.cellsam.evaluate.image_result import ImageResult
from worker.cellsam.evaluate.measure import Sample, measure_labels, measure_sample
from worker.cellsam.evaluate.results import Evaluation
from worker.cellsam.features import Features
from worker.cellsam.predictor import Predictor


class EvaluationError(ValueError):
    """This evaluation cannot be made; the message says why."""


@dataclass(frozen=True, slots=True)
class LabelledImage:
    """An image of a manifest in memory, with its true labels and whatever trunks made of it so far."""

    name: str  # path inside the data folder without its suffix: unique in a manifest
    tags: Mapping[str, str]  # dataset, modality
    pixels: NDArray[Any]
    roles: Sequence[str]
    labels: NDArray[np.int32]  # (H, W), 0 background
    equalised: bool = False  # see `Entry`
    embedded: dict[tuple[object, ...], Features] = field(default_factory=dict)

    @classmethod
    def read(cls, entry: Entry) -> LabelledImage:
        pixels, roles = entry.read_image()
        tags = {"dataset": entry.dataset, "modality": entry.modality}
        return cls(image_name(entry), tags, pixels, roles, entry.read_labels(), entry.equalised)

    def features(self, predictor: Predictor) -> Features:
        """The trunk runs once for all predictors that share trunk, preprocessing and tiling."""
        key = (predictor.trunk_hash, predictor.preprocessing, predictor.model.config.tiling)
        if key not in self.embedded:
            self.embedded[key] = predictor.embed(self.pixels, self.roles, equalised=self.equalised)
        return self.embedded[key]


class Method(Protocol):
    """Anything that finds cells and can be measured on an image."""

    def measure(self, image: LabelledImage) -> ImageResult: ...


@dataclass(frozen=True, slots=True)
class Model:
    """A CellSAM. `floor` as in `evaluate`."""

    predictor: Predictor
    floor: float | None = None

    def measure(self, image: LabelledImage) -> ImageResult:
        features = image.features(self.predictor)
        sample = Sample(image.name, image.tags["modality"], features, image.labels, image.tags)
        return measure_sample(self.predictor, sample, floor=self.floor)


@dataclass(frozen=True, slots=True)
class LabelFolder:
    """Another method's label maps, written before: `folder / (image's name + ".tif")` for each image."""

    folder: Path

    def measure(self, image: LabelledImage) -> ImageResult:
        path = label_path(self.folder, image.name)
        try:
            predicted = np.asarray(tifffile.imread(path)).astype(np.int32)
        except FileNotFoundError as error:
            raise EvaluationError(
                f"{path}: no label map for this image; was the method run on it?"
            ) from error
        if predicted.shape != image.labels.shape:
            raise EvaluationError(f"{path}: {predicted.shape}, but the image is {image.labels.shape}")
        return measure_labels(image.name, image.tags["modality"], image.labels, predicted, tags=image.tags)


def image_name(entry: Entry) -> str:
    """Data set and file: unique in a manifest, and the same on every machine."""
    return f"{entry.dataset}/{entry.split}/{entry.image.stem}"


def label_path(folder: Path, name: str) -> Path:
    """Where `LabelFolder` looks for the label map of an image."""
    return folder / f"{name}.tif"


def read_images(entries: Iterable[Entry]) -> Iterator[LabelledImage]:
    """One at a time: a whole split does not fit in memory. Raises EvaluationError if two have the same name."""
    names: set[str] = set()
    for entry in entries:
        image = LabelledImage.read(entry)
        if image.name in names:
            raise EvaluationError(f"{image.name}: two images of a split have this name")
        names.add(image.name)
        yield image


def evaluate_side_by_side(
    methods: Mapping[str, Method],
    images: Iterable[LabelledImage],
    *,
    progress: Callable[[ImageResult], None] = lambda _: None,
) -> dict[str, Evaluation]:
    """Every method on every image; one image is held at a time."""
    results: dict[str, list[ImageResult]] = {name: [] for name in methods}
    for image in images:
        for name, method in methods.items():
            result = method.measure(image)
            results[name].append(result)
            progress(result)
    return {name: Evaluation(tuple(of_method)) for name, of_method in results.items()}
