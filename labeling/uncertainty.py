"""How unsure a model is about an image, as one number in [0, 1]. Pure.

The mean of what is known of three shares, each about the cells of the image:

- doubt: the wrong decisions to expect per cell if the detector's scores were probabilities that are calibrated at its
  threshold t. A box of score s is a cell with p = sigmoid(logit s - logit t), so p = 1/2 at the threshold, and taking
  or leaving it is wrong with min(p, 1 - p): sum(min(p, 1 - p)) / sum(p). Boxes above and below the threshold count.
- looseness: 1 - the mean IoU that the mask decoder predicts of the cells found.
- disagreement: 1 - F1 at mask IoU 0.6 between what two versions found. Unknown until a second one was asked.

An image in which nothing was found is either empty or missed as a whole, and nobody can tell: 0.5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labeling.matching import F1_IOU_THRESHOLD, Counts
from labeling.rle import BoxMask

NOTHING_FOUND = 0.5
# Above it, showing what a model found costs people more than it saves: by `experiment unsure`, see docs/evaluation.md.
TOO_UNSURE = 0.5
EPSILON = 1e-6


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a model said about an image besides its cells: ``scores`` (n,) of the detector's boxes above and below its
    ``threshold``, and the IoUs (m,) that the mask decoder predicts of the m cells found. All in [0, 1]."""

    scores: NDArray[np.floating]
    threshold: float
    predicted_ious: NDArray[np.floating]


def uncertainty(evidence: Evidence, *, disagreement: float | None = None) -> float:
    """The mean of what is known of the three shares."""
    ious = evidence.predicted_ious
    if ious.size:
        known = [doubt(evidence.scores, evidence.threshold), 1 - float(ious.clip(0, 1).mean())]
    else:
        known = [NOTHING_FOUND]
    return float(np.mean(known if disagreement is None else [*known, disagreement]))


def doubt(scores: NDArray[np.floating], threshold: float) -> float:
    """The wrong decisions to expect at ``threshold`` for each cell to expect: 1 if no box lies above it."""
    if not scores.size:
        return 0.0
    p = 1 / (1 + np.exp(_logit(np.array([threshold])) - _logit(scores)))
    return float(np.minimum(p, 1 - p).sum() / p.sum())


def disagreement(old: Sequence[BoxMask], new: Sequence[BoxMask]) -> float:
    """1 - F1 at mask IoU 0.6 between two answers for one image; 0 if both are empty.

    Masks of one answer do not overlap much, so at most one of the new ones matches an old one.
    """
    matched = sum(any(_match(mask, other) for other in new) for mask in old)
    return 1 - Counts(matched, len(new) - matched, len(old) - matched).f1


def _match(a: BoxMask, b: BoxMask) -> bool:
    (left, top, right, bottom), other = a.box, b.box
    apart = right <= other[0] or other[2] <= left or bottom <= other[1] or other[3] <= top
    return not apart and a.iou(b) > F1_IOU_THRESHOLD


def _logit(p: NDArray[np.floating]) -> NDArray[np.float64]:
    inside = p.astype(np.float64).clip(EPSILON, 1 - EPSILON)
    return np.asarray(np.log(inside / (1 - inside)))
