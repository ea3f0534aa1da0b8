"""The ladder: each rung starts where the one below ended, and is a candidate of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from labeling.ladder import Rung
from worker.cellsam.calibration import calibrate
from worker.cellsam.checkpoint import PARTS_OF_RUNG, Card, TunedFile
from worker.cellsam.predictor import Predictor
from worker.cellsam.tuning.config import Schedule, TuningConfig
from worker.cellsam.tuning.finder import FinderLearner
from worker.cellsam.tuning.held_back import fill_up, hold_back
from worker.cellsam.tuning.judging import Judge
from worker.cellsam.tuning.learning import Courtesy, Learned, Learner, StateFile, learn
from worker.cellsam.tuning.neck import NeckLearner
from worker.cellsam.tuning.sample import TuningError, TuningSample
from worker.cellsam.tuning.trunk import TrunkLearner, embedded

LEARNED = 0.9  # of a rung's progress; the rest is its threshold
MakeLearner = Callable[[Predictor, Sequence[TuningSample], Judge, TuningConfig], Learner]
QUALITIES = {
    Rung.NECK: "mean IoU of masks from true boxes",
    Rung.FINDER: "F1 of boxes at IoU 0.5",
    Rung.TRUNK: "mean of the masks' IoU from true boxes and the boxes' F1",
}
LEARNERS: dict[Rung, MakeLearner] = {
    Rung.NECK: NeckLearner,
    Rung.FINDER: FinderLearner,
    Rung.TRUNK: TrunkLearner,
}


@dataclass(frozen=True, slots=True)
class TunedModel:
    """One rung's result. `predictor` has the tuned parts and the threshold; all other weights are the base's own."""

    rung: Rung
    predictor: Predictor
    threshold: float  # of CellFinder's score
    f1: float  # of the whole pipeline on the images held back, at that threshold and mask IoU 0.6
    learned: Learned
    base_trunk_hash: str

    @property
    def quality(self) -> str:
        """What the learning curve's quality is."""
        return QUALITIES[self.rung]

    def file(self) -> TunedFile:
        """All that differs from the base, ready to be written."""
        predictor = self.predictor
        parts = {name: predictor.model.get_submodule(name).state_dict() for name in PARTS_OF_RUNG[self.rung]}
        return TunedFile(
            rung=self.rung,
            parts={name: dict(state) for name, state in parts.items()},
            parent_trunk_hash=self.base_trunk_hash,
            trunk_hash=predictor.trunk_hash,
            neck_hash=predictor.neck_hash,
            finder_hash=predictor.finder_hash,
            threshold=self.threshold,
            card=Card(
                metrics={
                    "validation_f1": self.f1,
                    "quality_before": self.learned.before,
                    "quality_after": self.learned.after,
                }
            ),
        )


class Ladder:
    """Tunes a base on corrected images, rung by rung; the base itself is left as it is.

    `folder`: where each rung keeps a state to go on from after its process was killed; `run` says whose state it is.
    Raises TuningError if there are too few images or cells.
    """

    def __init__(
        self,
        base: Predictor,
        samples: Sequence[TuningSample],
        config: TuningConfig | None = None,
        *,
        folder: Path | None = None,
        run: str = "",
    ) -> None:
        self.config = config or TuningConfig()
        self.training, self.held_back = hold_back(samples, self.config)
        self._base, self._folder, self._run = base, folder, run
        self._judge = Judge(self.held_back, self.config)
        self._reached: dict[Rung, TunedModel] = {}

    def climb(self, rung: Rung, courtesy: Courtesy | None = None) -> TunedModel:
        """Tune up to this rung; rungs below it that were not tuned yet come first.

        Rungs 1 and 2 never call the trunk. Raises TuningError, and Stopped if asked to stop.
        """
        missing = [lower for lower in Rung if lower <= rung and lower not in self._reached]
        courtesy = courtesy or Courtesy()
        for index, lower in enumerate(missing):
            part = courtesy.part(index / len(missing), (index + 1) / len(missing))
            self._reached[lower] = self._tuned(lower, part)
        return self._reached[rung]

    @property
    def figures(self) -> dict[str, int]:
        """What is learned from and what is held back."""
        parts = {"training": self.training, "validation": self.held_back}
        cells = {f"{name}_cells": sum(len(sample.cells) for sample in of) for name, of in parts.items()}
        return cells | {f"{name}_images": len(of) for name, of in parts.items()}

    def _tuned(self, rung: Rung, courtesy: Courtesy) -> TunedModel:
        start = self._base if rung == Rung.NECK else self._reached[Rung(rung - 1)].predictor
        if rung == Rung.TRUNK and start.model.config.finder_trunk is not None:
            raise TuningError("a model with two trunks cannot be tuned as a whole")
        learner = LEARNERS[rung](start, self.training, self._judge, self.config)
        schedule: Schedule = getattr(self.config, rung.name.lower())
        learned = learn(
            learner,
            schedule,
            seed=self.config.seed,
            state=self._state(rung),
            courtesy=courtesy.part(0, LEARNED),
        )
        return self._calibrated(rung, learner.predictor(), learned, courtesy)

    def _calibrated(
        self, rung: Rung, predictor: Predictor, learned: Learned, courtesy: Courtesy
    ) -> TunedModel:
        """With the threshold that suits the images held back.

        These are few in a small project. Where boxes are found as they were, those that were learned from tell as much.
        """
        pause = courtesy.pause
        own = (
            embedded(predictor, self.held_back, pause) if rung == Rung.TRUNK else self._judge.features(pause)
        )
        labels = (sample.labels for sample in self.held_back)
        found = held = calibrate(predictor, zip(own, labels, strict=True), pause=pause)
        as_it_was = (predictor.trunk_hash, predictor.finder_hash) == (
            self._base.trunk_hash,
            self._base.finder_hash,
        )
        if as_it_was and (more := fill_up(self.held_back, self.training, self.config)):
            found = held + calibrate(predictor, ((one.features, one.labels) for one in more), pause=pause)
        courtesy.progress(1.0)
        predictor = predictor.with_parts({}, threshold=found.threshold)
        f1 = held.f1_by_threshold[found.threshold]
        return TunedModel(rung, predictor, found.threshold, f1, learned, self._base.trunk_hash)

    def _state(self, rung: Rung) -> StateFile | None:
        """Of this run: the same images with the same cells, the same settings, the same start."""
        if self._folder is None:
            return None
        return StateFile(
            self._folder / f"{rung.name.lower()}.safetensors",
            {
                "run": self._run,
                "base": self._base.trunk_hash,
                "config": json.loads(json.dumps(asdict(self.config))),
            }
            | self.figures,
        )
