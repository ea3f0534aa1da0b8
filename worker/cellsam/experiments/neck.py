"""Zero-shot against neck-tuned (the paper's Fig. 2b): what tuning the neck on a data set's own images brings there.

Each data set gets a neck of its own, tuned on images of its train split; its other split is measured with the neck as
it was, with the tuned one, and with the tuned one and a box threshold chosen anew. The trunk embeds an image once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from labeling.rle import masks_of_labels
from worker.cellsam.checkpoint import Card, save_neck
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
from worker.cellsam.finetune import NeckTuning, TuningConfig, TuningError, TuningSample, tune_neck
from worker.cellsam.predictor import Predictor

ZERO_SHOT, TUNED, TUNED_THRESHOLD = "zero-shot", "neck-tuned", "neck and threshold"
Progress = Callable[[ImageResult], None]


@dataclass(frozen=True, slots=True)
class NeckExperiment:
    """`train`: images to tune on, `measured`: images to report; of one or more data sets."""

    train: Sequence[Entry]
    measured: Sequence[Entry]
    config: TuningConfig
    floor: float | None
    out: Path  # necks are kept here


def neck_experiment(
    predictor: Predictor, experiment: NeckExperiment, *, progress: Progress = lambda _: None
) -> dict[str, Evaluation]:
    """By method, images of all data sets together. Raises EvaluationError if a data set is too small to tune on."""
    results: dict[str, list[ImageResult]] = {ZERO_SHOT: [], TUNED: [], TUNED_THRESHOLD: []}
    for dataset in dict.fromkeys(entry.dataset for entry in experiment.measured):
        samples = tuning_samples(predictor, [entry for entry in experiment.train if entry.dataset == dataset])
        tuning = tuned_neck(predictor, samples, experiment.config, dataset)
        keep_neck(predictor, tuning, experiment.out / f"neck_{dataset}.safetensors", dataset)
        methods = {
            ZERO_SHOT: Model(predictor, experiment.floor),
            TUNED: Model(predictor.with_neck(tuning.state_dict), experiment.floor),
            TUNED_THRESHOLD: Model(
                predictor.with_neck(tuning.state_dict, threshold=tuning.threshold), experiment.floor
            ),
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


def tuned_neck(
    predictor: Predictor, samples: Sequence[TuningSample], config: TuningConfig, dataset: str
) -> NeckTuning:
    """`tune_neck`, whose errors name the data set."""
    try:
        return tune_neck(predictor.model, samples, config)
    except TuningError as error:
        raise EvaluationError(f"{dataset}: {error}") from error


def keep_neck(predictor: Predictor, tuning: NeckTuning, path: Path, dataset: str) -> None:
    """As a neck file, which `evaluate --neck` takes."""
    card = Card(
        training={"data": [dataset], "cells": tuning.training_cells, "best_step": tuning.best_step},
        metrics={"validation_iou_before": tuning.iou_before, "validation_iou_after": tuning.iou_after},
    )
    save_neck(
        tuning.state_dict,
        path,
        trunk_hash=predictor.trunk_hash,
        box_threshold=tuning.threshold,
        card=card,
    )
