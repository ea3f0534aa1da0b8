"""From which score on the cells that a model finds are worth showing to people. Pure.

A cell that can stay as it is saves a person one correction, a false one costs one, and one that must be redrawn costs
what a missing one costs. So outlines are worth showing down to the score below which false cells outnumber those
that can stay; a threshold that is best for F1 admits more than that wherever F1 is low.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from labeling.matching import F1_IOU_THRESHOLD

STEP = 0.05  # of the score: one bin
STAYS_FROM = 0.8  # IoU with the true cell
WORTH_A_CHANGE = 0.05  # corrections saved, per cell found: for less, what people see does not change
TELLING_FROM_CELLS = 20  # with fewer, every share is chance

Row = tuple[int, int, int, int]  # bin, found, right, staying


@dataclass(frozen=True, slots=True)
class ScoreTally:
    """Cells that a model found, by bins of their score. ``right`` have an IoU above 0.6 with a true cell, as the gate
    counts; ``staying`` one of 0.8 or more. Adds up over images."""

    found: Counter[int] = field(default_factory=Counter)
    right: Counter[int] = field(default_factory=Counter)
    staying: Counter[int] = field(default_factory=Counter)

    @classmethod
    def of(cls, cells: Iterable[tuple[float, float]]) -> ScoreTally:
        """Of (score, best IoU with a true cell) of each cell found."""
        tally = cls()
        for score, iou in cells:
            row = _bin(score)
            tally.found[row] += 1
            tally.right[row] += iou > F1_IOU_THRESHOLD
            tally.staying[row] += iou >= STAYS_FROM
        return tally

    @classmethod
    def from_rows(cls, rows: Iterable[Iterable[int]]) -> ScoreTally:
        """The inverse of `rows`, from JSON too."""
        tally = cls()
        for row, found, right, staying in rows:
            tally.found[row] += found
            tally.right[row] += right
            tally.staying[row] += staying
        return tally

    def rows(self) -> tuple[Row, ...]:
        """(bin, found, right, staying) of each bin with cells, lowest scores first."""
        return tuple((row, self.found[row], self.right[row], self.staying[row]) for row in sorted(self.found))

    def __add__(self, other: ScoreTally) -> ScoreTally:
        return ScoreTally.from_rows((*self.rows(), *other.rows()))

    def above(self, score: float) -> ScoreTally:
        """The cells of the bins from this score on."""
        return ScoreTally.from_rows(row for row in self.rows() if row[0] >= _bin(score))

    @property
    def telling(self) -> bool:
        """Whether there are cells enough to conclude anything."""
        return self.found.total() >= TELLING_FROM_CELLS

    @property
    def precision(self) -> float:
        """The share that is right; 0 without cells."""
        return self.right.total() / max(1, self.found.total())

    @property
    def saved(self) -> int:
        """Corrections that showing all of them saves people, beside an empty image; negative if it costs some."""
        return self.staying.total() - self.wrong

    @property
    def wrong(self) -> int:
        """The cells that are not right."""
        return self.found.total() - self.right.total()


def worth_showing_from(tally: ScoreTally, *, now: float | None = 0.0) -> float | None:
    """The lowest score whose cells people should see; None: they are better off without any.

    It is ``now`` unless another one saves clearly more: a hundred images are not decoded again for a few cells. All
    are shown while there are too few to tell.
    """
    if not tally.telling:
        return 0.0
    best, most = None, 0
    for score in (*(row[0] * STEP for row in reversed(tally.rows())), 0.0):
        if (saved := tally.above(score).saved) >= most and saved > 0:
            best, most = round(score, 2), saved
    present = tally.above(now).saved if now is not None else 0
    return best if most - present >= WORTH_A_CHANGE * tally.found.total() else now


def _bin(score: float) -> int:
    return math.floor(score / STEP + 1e-9)
