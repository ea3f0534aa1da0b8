"""Zero-shot against neck-tuned (the paper's Fig. 2b): what tuning the neck on a data set's own images brings there.

Each data set gets a neck of its own, tuned on images of its train split; its other split is measured with the neck as
it was, with the tuned one, and with the tuned one and a box threshold chosen anew. The trunk embeds an image once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from labeling.ladder import Rung
from labeling.rle import masks_of_labels
from worker.cellsam.checkpoint import tuned_bytes
from worker.cellsam.data.manifest import Entry
from worker.cellsam.evaluate.image_result import ImageResult
from worker.cellsam.evaluate.results import Evaluation
from worker.cellsam.evaluate.side_by_side import (
    EvaluationError,
    LabelledImage,
    Model,
    evaluate_side_by_side,
    read_images,
)
from worker.cellsam.predictor import Predictor
from worker.cellsam.tuning import Ladder, TunedModel, TuningConfig, TuningError, TuningSample

ZERO_SHOT, TUNED, TUNED_THRESHOLD = "zero-shot", "neck-tuned", "neck and threshold"
Progress = Callable[[ImageResult], None]


@dataclass(frozen=True, slots=True)
class NeckExperiment:
    """`train`: images to tune on, `measured`: images to report; of one or more data sets."""

    train: Sequence[Entry]
    measured: Sequence[Entry]
    config: TuningConfig
    floor: float | None
    out: Path  # tuned files are kept here


def neck_experiment(
    predictor: Predictor, experiment: NeckExperiment, *, progress: Progress = lambda _: None
) -> dict[str, Evaluation]:
    """By method, images of all data sets together. Raises EvaluationError if a data set is too small to tune on."""
    results: dict[str, list[ImageResult]] = {ZERO_SHOT: [], TUNED: [], TUNED_THRESHOLD: []}
    for dataset in dict.fromkeys(entry.dataset for entry in experiment.measured):
        samples = tuning_samples(predictor, [entry for entry in experiment.train if entry.dataset == dataset])
        tuned = tuned_model(predictor, samples, experiment.config, dataset)
        keep_tuned(tuned, experiment.out / f"neck_{dataset}.safetensors", dataset)
        methods = {
            ZERO_SHOT: Model(predictor, experiment.floor),
            TUNED: Model(
                tuned.predictor.with_parts({}, threshold=predictor.thresholds.box), experiment.floor
            ),
            TUNED_THRESHOLD: Model(tuned.predictor, experiment.floor),
        }
        own = [entry for entry in experiment.measured if entry.dataset == dataset]
        found = evaluate_side_by_side(methods, read_images(own), progress=progress)
        for name, evaluation in found.items():
            results[name] += evaluation.images
    return {name: Evaluation(tuple(images)) for name, images in results.items()}


def tuning_samples(predictor: Predictor, entries: Iterable[Entry]) -> list[TuningSample]:
    """Features and true cells of labelled images; all are held at once, as the tuning draws from them at random."""
    samples = []
    for entry in entries:
        image = LabelledImage.read(entry)
        cells = [mask for _, mask in masks_of_labels(image.labels)]
        samples.append(TuningSample(image.features(predictor), cells))
    return samples


def tuned_model(
    predictor: Predictor,
    samples: Sequence[TuningSample],
    config: TuningConfig,
    dataset: str,
    rung: Rung = Rung.NECK,
) -> TunedModel:
    """Up to a rung of the ladder; errors name the data set."""
    try:
        return Ladder(predictor, samples, config).climb(rung)
    except TuningError as error:
        raise EvaluationError(f"{dataset}: {error}") from error


def keep_tuned(tuned: TunedModel, path: Path, dataset: str) -> None:
    """As a tuned file, which `evaluate --neck` takes."""
    file = tuned.file()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(tuned_bytes(replace(file, card=replace(file.card, training={"data": [dataset]}))))
