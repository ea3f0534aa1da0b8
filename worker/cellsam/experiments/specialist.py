"""Specialist against generalist (the paper's Fig. 2c): is a model of one data set better there than one of all?

All models are trained from scratch by the same recipe for the same minutes: one on the train splits of all data sets,
and one on each. Each data set's images are then measured with the generalist and with their own specialist.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from worker.cellsam.data.manifest import Entry
from worker.cellsam.evaluate.image_result import ImageResult
from worker.cellsam.evaluate.results import Evaluation
from worker.cellsam.evaluate.side_by_side import EvaluationError, Model, evaluate_side_by_side, read_images
from worker.cellsam.experiments.training import Recipe, trained

GENERALIST, SPECIALIST = "generalist", "specialist"


@dataclass(frozen=True, slots=True)
class SpecialistExperiment:
    """`calibrate_on`: for thresholds; empty if the validation images are those that are measured."""

    train: Sequence[Entry]
    held_back: Sequence[Entry]  # all images of other splits: no near-duplicate of them is trained on
    calibrate_on: Sequence[Entry]
    measured: Sequence[Entry]
    recipe: Recipe
    floor: float | None
    out: Path  # a run's folder for each model


def specialist_experiment(
    experiment: SpecialistExperiment, *, progress: Callable[[ImageResult], None] = lambda _: None
) -> dict[str, Evaluation]:
    """By method, images of all data sets together. Raises EvaluationError if there is only one data set."""
    datasets = list(dict.fromkeys(entry.dataset for entry in experiment.measured))
    if len(datasets) < 2:
        raise EvaluationError("a generalist needs at least two data sets")
    generalist = _model(experiment, GENERALIST, datasets)
    results: dict[str, list[ImageResult]] = {GENERALIST: [], SPECIALIST: []}
    for dataset in datasets:
        specialist = _model(experiment, f"{SPECIALIST}_{dataset}", [dataset])
        own = read_images(entry for entry in experiment.measured if entry.dataset == dataset)
        methods = {GENERALIST: generalist, SPECIALIST: specialist}
        for name, evaluation in evaluate_side_by_side(methods, own, progress=progress).items():
            results[name] += evaluation.images
    return {name: Evaluation(tuple(images)) for name, images in results.items()}


def _model(experiment: SpecialistExperiment, name: str, datasets: Sequence[str]) -> Model:
    predictor = trained(
        experiment.recipe,
        train_on=[entry for entry in experiment.train if entry.dataset in datasets],
        held_back=experiment.held_back,
        calibrate_on=[entry for entry in experiment.calibrate_on if entry.dataset in datasets],
        out=experiment.out / name,
    )
    return Model(predictor, experiment.floor)
