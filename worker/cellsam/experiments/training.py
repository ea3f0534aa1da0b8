"""Models trained for an experiment: one recipe and as many minutes for each, resumable, thresholds from validation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from worker.cellsam.calibration import calibrate
from worker.cellsam.checkpoint import Card, load, with_thresholds
from worker.cellsam.config import CellSAMConfig
from worker.cellsam.data.duplicates import without_near_duplicates
from worker.cellsam.data.manifest import Entry
from worker.cellsam.device import AUTO, choose_device
from worker.cellsam.evaluate.side_by_side import EvaluationError, read_images
from worker.cellsam.predictor import Predictor
from worker.cellsam.training.recipe import shares_of
from worker.cellsam.training.trainer import TrainingRun, train


@dataclass(frozen=True, slots=True)
class Recipe:
    """What the models of one experiment have in common."""

    config: CellSAMConfig
    minutes: float  # of wall time, for each model
    processes: int
    seed: int
    device: str = AUTO  # see `choose_device`


def trained(
    recipe: Recipe,
    *,
    train_on: Sequence[Entry],
    held_back: Sequence[Entry],
    calibrate_on: Sequence[Entry],
    out: Path,
) -> Predictor:
    """A model trained from scratch on `train_on`; a run that lies in `out` already is gone on with.

    Near-duplicates of `held_back` are not trained on. The box threshold is chosen on `calibrate_on`, if there are
    any; these must be no images that a figure is reported on. Raises EvaluationError without training images.
    """
    entries, _ = without_near_duplicates(list(train_on), list(held_back))
    if not entries:
        raise EvaluationError(f"{out.name}: there is nothing to train on")
    card = Card(
        training={
            "data": {entry.dataset: entry.licence for entry in entries},
            "split": "train",
            "images": len(entries),
        },
        licence="Apache-2.0",
    )
    path = train(
        TrainingRun(
            entries=entries,
            out=out,
            config=recipe.config,
            minutes=recipe.minutes,
            shares=shares_of(entries),
            processes=recipe.processes,
            seed=recipe.seed,
            device=recipe.device,
            card=card,
        )
    )
    predictor = Predictor(load(path, device=choose_device(recipe.device)))
    if not calibrate_on:
        return predictor
    samples = ((image.features(predictor), image.labels) for image in read_images(calibrate_on))
    return Predictor(with_thresholds(predictor.model, box=calibrate(predictor, samples).threshold))
