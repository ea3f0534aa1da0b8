"""Object-level agreement between two label maps: matches, F1 and mean IoU, as one implementation for all sides.

A true and a predicted cell match if the IoU of their masks exceeds a threshold (0.6 in CellSAM's paper). For
thresholds of 0.5 and more at most one prediction can match a true cell, so no assignment problem is solved. The
figures are those of DeepCell's metrics, which solve one in which a pair costs 1 - IoU and an unmatched cell 0.4: it
matches the pairs above 0.6, and only at 0.6 exactly, where it may do either, do the two differ.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labeling.rle import LabelMap

F1_IOU_THRESHOLD = 0.6


@dataclass(frozen=True, slots=True)
class Counts:
    """Matched, spurious and missed cells; adds up over images (pooled counts)."""

    true_positive: int = 0
    false_positive: int = 0
    false_negative: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.true_positive + other.true_positive,
            self.false_positive + other.false_positive,
            self.false_negative + other.false_negative,
        )

    @property
    def precision(self) -> float:
        return self.true_positive / max(1, self.true_positive + self.false_positive)

    @property
    def recall(self) -> float:
        return self.true_positive / max(1, self.true_positive + self.false_negative)

    @property
    def f1(self) -> float:
        """2TP / (2TP + FP + FN); two empty images agree fully (1.0)."""
        total = 2 * self.true_positive + self.false_positive + self.false_negative
        return 1.0 if total == 0 else 2 * self.true_positive / total


def iou_matrix(true_hw: LabelMap, predicted_hw: LabelMap) -> NDArray[np.float64]:
    """(n_true, n_predicted) IoU of every pair of labels > 0, rows and columns in the order of the labels.

    Raises ValueError if the shapes differ.
    """
    if true_hw.shape != predicted_hw.shape:
        raise ValueError(f"label maps differ in shape: {true_hw.shape} and {predicted_hw.shape}")
    true_ids, true_index = np.unique(true_hw, return_inverse=True)
    predicted_ids, predicted_index = np.unique(predicted_hw, return_inverse=True)
    pairs = true_index.ravel() * predicted_ids.size + predicted_index.ravel()
    shared = np.bincount(pairs, minlength=true_ids.size * predicted_ids.size)
    shared = shared.reshape(true_ids.size, predicted_ids.size)
    union = shared.sum(axis=1, keepdims=True) + shared.sum(axis=0, keepdims=True) - shared
    iou = shared / np.maximum(union, 1)
    return np.asarray(iou[true_ids > 0][:, predicted_ids > 0], dtype=np.float64)


def count_matches(
    true_hw: LabelMap, predicted_hw: LabelMap, *, threshold: float = F1_IOU_THRESHOLD
) -> Counts:
    """Pooled counts of one image at a mask IoU above ``threshold`` (at least 0.5: matches are then one to one)."""
    if threshold < 0.5:
        raise ValueError(f"threshold {threshold} is under 0.5, where a cell can match twice")
    iou = iou_matrix(true_hw, predicted_hw)
    matched = int(np.count_nonzero(iou > threshold))
    return Counts(matched, iou.shape[1] - matched, iou.shape[0] - matched)


def best_ious(true_hw: LabelMap, predicted_hw: LabelMap) -> NDArray[np.float64]:
    """(n_true,) the IoU of each true cell with the prediction that covers it best; 0 where there is none."""
    iou = iou_matrix(true_hw, predicted_hw)
    return iou.max(axis=1) if iou.shape[1] else np.zeros(iou.shape[0])


def pooled_f1(counts: Iterable[Counts]) -> float:
    """F1 of the counts added up over images."""
    return sum(counts, Counts()).f1
