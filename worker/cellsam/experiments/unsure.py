"""What hiding all that a model finds in images that it is unsure of saves people, by how unsure it has to be.

This is what `labeling.uncertainty.TOO_UNSURE` was chosen by. What a shown cell saves or costs is counted as in
`labeling.score_tally`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from labeling.matching import iou_matrix
from labeling.score_tally import ScoreTally
from labeling.uncertainty import Evidence, uncertainty
from worker.cellsam.evaluate.side_by_side import LabelledImage
from worker.cellsam.predictor import Predictor

TRIED = tuple(round(0.3 + 0.02 * step, 2) for step in range(18))


@dataclass(frozen=True, slots=True)
class UnsureImage:
    """How unsure the model is of an image, in [0, 1], and its cells beside the true ones."""

    name: str
    uncertainty: float
    tally: ScoreTally


def unsure_images(
    predictor: Predictor,
    images: Iterable[LabelledImage],
    *,
    progress: Callable[[UnsureImage], None] = lambda _: None,
) -> list[UnsureImage]:
    """One for each image, as the application segments it."""
    found = []
    for image in images:
        segmentation = predictor.segment_features(image.features(predictor))
        scores = np.concatenate([segmentation.scores, segmentation.doubted])
        evidence = Evidence(scores, predictor.thresholds.box, segmentation.ious)
        best = iou_matrix(image.labels, segmentation.labels).max(axis=0, initial=0.0)
        tally = ScoreTally.of(zip(segmentation.scores.tolist(), best.tolist(), strict=True))
        result = UnsureImage(image.name, uncertainty(evidence), tally)
        found.append(result)
        progress(result)
    return found


def unsure_rows(images: Sequence[UnsureImage]) -> list[dict[str, object]]:
    """A row for each uncertainty above which all is hidden: of how many images, how many cells of what kind, and the
    corrections that people are saved by it, negative if it costs them some."""
    return [_row(above, [image.tally for image in images if image.uncertainty > above]) for above in TRIED]


def _row(above: float, hidden: Sequence[ScoreTally]) -> dict[str, object]:
    tally = sum(hidden, ScoreTally())
    return {
        "uncertain_above": above,
        "images": len(hidden),
        "cells_found": tally.found.total(),
        "wrong": tally.wrong,
        "could_stay": tally.staying.total(),
        "corrections_saved": -tally.saved,
    }
