"""Which of CellFinder's answers are cells: all of them ranked, and the score above which one counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from worker.cellsam.boxes import corners
from worker.cellsam.cellfinder import FinderOutput

# The released model's threshold: two thirds of the configured one, one third of what the image says.
OWN_SHARE, IMAGE_SHARE = 0.66, 0.33


@dataclass(frozen=True, slots=True)
class Ranking:
    """One tile's answers, best first. `threshold`: the score above which an answer is a cell.

    `admitted_below`: the box threshold in the configuration below which an answer is a cell. Where the image moves the
    threshold this is another number than the score, and the one to compare where box thresholds are tried.
    """

    scores: NDArray[np.float32]  # (n,) in [0, 1]
    boxes_xyxy_unit: NDArray[np.float32]  # (n, 4) shares of the input's side
    queries: NDArray[np.int64]  # (n,)
    classes: NDArray[np.int64]  # (n,) the class that scored
    threshold: float
    admitted_below: NDArray[np.float32]  # (n,)

    def above(self, score: float) -> slice:
        """The rows with a higher score."""
        return slice(int(np.count_nonzero(self.scores > score)))


def rank(output: FinderOutput, strategy: Literal["fixed", "two_means"], box_threshold: float) -> Ranking:
    """Rank the answers for the first image of a batch.

    "fixed": a query's score is that of its best class, its box is cut at the input's border, `box_threshold` decides.
    "two_means": each class of each query is an answer of its own, as many as there are queries are kept, boxes may
    reach beyond the input, and the scores move the threshold (see `two_means`).
    """
    logits = output.layers[-1].logits[0].float()  # (Q, classes)
    boxes = corners(output.boxes_cxcywh_unit[0]).float()
    if strategy == "fixed":
        scores, classes = (part.cpu().numpy() for part in logits.sigmoid().max(dim=1))
        order = np.argsort(-scores, kind="stable")
        unit = boxes.clamp(0, 1).cpu().numpy()
        return Ranking(scores[order], unit[order], order, classes[order], box_threshold, scores[order])
    count, per_query = logits.shape
    best = logits.sigmoid().flatten().topk(count)
    scores, answers = best.values.cpu().numpy(), best.indices.cpu().numpy()
    queries = answers // per_query
    of_image = IMAGE_SHARE * float(np.mean(two_means(scores)))
    return Ranking(
        scores,
        boxes.cpu().numpy()[queries],
        queries,
        answers % per_query,
        threshold=OWN_SHARE * box_threshold + of_image,
        admitted_below=(scores - np.float32(of_image)) / np.float32(OWN_SHARE),
    )


def two_means(values: NDArray[np.float32]) -> tuple[float, float]:
    """Centres (lower, higher) of the two clusters of (n,) values with the least sum of squares, n >= 1.

    On a line, clusters are contiguous, so every one of the n - 1 cuts is tried by prefix sums: exact, and without the
    random starts of k-means.
    """
    ordered = np.sort(values.astype(np.float64))
    if ordered[0] == ordered[-1]:
        return float(ordered[0]), float(ordered[0])
    sums = np.cumsum(ordered)
    lower_count = np.arange(1, len(ordered))
    lower, higher = sums[:-1] / lower_count, (sums[-1] - sums[:-1]) / (len(ordered) - lower_count)
    # The total is constant, so the least spread within is the largest spread between.
    between = lower_count * lower**2 + (len(ordered) - lower_count) * higher**2
    cut = int(between.argmax())
    return float(lower[cut]), float(higher[cut])
