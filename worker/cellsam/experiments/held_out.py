"""A held-out data set (the paper's Fig. 2d): how a model does on data that it never saw, and after a few of its images.

The few images are drawn from the data set's train split, each number holding the smaller ones; the neck is tuned on
them and the box threshold chosen anew, which is what a project's first corrections do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from worker.cellsam.data.manifest import Entry
from worker.cellsam.evaluate.image_result import ImageResult
from worker.cellsam.evaluate.results import Evaluation
from worker.cellsam.evaluate.side_by_side import EvaluationError, Model, evaluate_side_by_side, read_images
from worker.cellsam.experiments.neck import ZERO_SHOT, keep_tuned, tuned_model, tuning_samples
from worker.cellsam.predictor import Predictor
from worker.cellsam.tuning import TuningConfig


@dataclass(frozen=True, slots=True)
class HeldOutExperiment:
    """`few`: images of the held-out data set that may be learned from, `measured`: its images to report."""

    few: Sequence[Entry]
    measured: Sequence[Entry]
    shots: Sequence[int]  # numbers of images to learn from, beside none
    config: TuningConfig
    floor: float | None
    out: Path


@dataclass(frozen=True, slots=True)
class HeldOutResult:
    """`by_shots`: the number of images learned from -> their cells and the evaluation; 0 is zero-shot."""

    cells: dict[int, int]
    evaluations: dict[int, Evaluation]

    @property
    def by_method(self) -> dict[str, Evaluation]:
        return {method_name(shots): evaluation for shots, evaluation in self.evaluations.items()}


def method_name(shots: int) -> str:
    return f"{shots} images" if shots else ZERO_SHOT


def held_out_experiment(
    predictor: Predictor,
    experiment: HeldOutExperiment,
    *,
    progress: Callable[[ImageResult], None] = lambda _: None,
) -> HeldOutResult:
    """Raises EvaluationError if the data set has fewer images to learn from than asked for, or too few cells."""
    dataset = experiment.measured[0].dataset
    most = max(experiment.shots, default=0)
    if most > len(experiment.few):
        raise EvaluationError(f"{dataset} has {len(experiment.few)} images to learn from, not {most}")
    order = np.random.default_rng(experiment.config.seed).permutation(len(experiment.few))
    samples = tuning_samples(predictor, [experiment.few[index] for index in order[:most]])
    models, cells = {0: Model(predictor, experiment.floor)}, {0: 0}
    for shots in sorted(set(experiment.shots)):
        tuned = tuned_model(predictor, samples[:shots], experiment.config, f"{dataset}, {shots} images")
        keep_tuned(tuned, experiment.out / f"neck_{shots}.safetensors", dataset)
        models[shots] = Model(tuned.predictor, experiment.floor)
        cells[shots] = sum(len(sample.cells) for sample in samples[:shots])
    named = {method_name(shots): model for shots, model in models.items()}
    found = evaluate_side_by_side(named, read_images(experiment.measured), progress=progress)
    return HeldOutResult(cells, {shots: found[method_name(shots)] for shots in models})
