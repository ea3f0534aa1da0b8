"""The box threshold that suits some labelled images best. Never to be run on images that a figure is reported on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labeling.matching import Counts, count_matches
from worker.cellsam.features import Features
from worker.cellsam.predictor import Predictor
from worker.cellsam.stitching import ASSEMBLE

GRID = tuple(round(float(value), 2) for value in np.arange(0.2, 0.85, 0.05))
TIE = 0.002  # of F1: within it the threshold nearest to the present one is kept, being no worse founded


@dataclass(frozen=True, slots=True)
class Calibration:
    """Matched, spurious and missed cells at each threshold tried; ``present`` is the model's own threshold. Adds up
    over images."""

    present: float
    counts: Mapping[float, Counts]

    @property
    def f1_by_threshold(self) -> dict[float, float]:
        return {threshold: counts.f1 for threshold, counts in self.counts.items()}

    @property
    def threshold(self) -> float:
        """The one with the best F1; of those that are as good, the nearest to the present one."""
        scores = self.f1_by_threshold
        best = max(scores.values())
        near = [threshold for threshold, f1 in scores.items() if f1 >= best - TIE]
        return min(near, key=lambda threshold: abs(threshold - self.present))

    @property
    def f1(self) -> float:
        """At the chosen threshold."""
        return self.f1_by_threshold[self.threshold]

    def __add__(self, other: Calibration) -> Calibration:
        both = {threshold: counts + other.counts[threshold] for threshold, counts in self.counts.items()}
        return Calibration(self.present, both)


def calibrate(
    predictor: Predictor,
    samples: Iterable[tuple[Features, NDArray[np.int32]]],
    *,
    pause: Callable[[], None] = lambda: None,
) -> Calibration:
    """Try every box threshold of `GRID`, as the configuration has it, on (features, true labels (H, W)).

    Cells are found just as `Predictor.segment` would with that threshold; masks are decoded once for all of them.
    `pause` is called between tiles and between thresholds: below a low one a model finds cells everywhere.

    Raises ValueError if there are no samples.
    """
    assemble = ASSEMBLE[predictor.model.config.strategies.overlaps]
    totals = dict.fromkeys(GRID, Counts())
    seen = 0
    for features, labels in samples:
        seen += 1
        candidates = predictor.candidates(features, floor=GRID[0], progress=lambda _: pause())
        for threshold in GRID:
            pause()
            chosen = [candidate for candidate in candidates if candidate.admitted_below > threshold]
            found = assemble(chosen, features.frame.height, features.frame.width)
            totals[threshold] += count_matches(labels, found.labels)
    if not seen:
        raise ValueError("no labelled images to calibrate on")
    return Calibration(predictor.thresholds.box, totals)
