"""What a training stage measures on the validation split, and which of two measurements is the better model's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from labeling.matching import Counts
from worker.cellsam.data.manifest import Entry


@dataclass(frozen=True, slots=True)
class Validation:
    """Sums over validation images; `+` pools them."""

    images: int = 0
    loss: float = 0.0
    counts: Counts = field(default_factory=Counts)
    ious: float = 0.0  # of masks decoded from true boxes
    prompted: int = 0  # how many of those

    @property
    def sums(self) -> list[float]:
        """For adding up over processes."""
        counts = self.counts
        return [
            self.images,
            self.loss,
            counts.true_positive,
            counts.false_positive,
            counts.false_negative,
            self.ious,
            self.prompted,
        ]

    @classmethod
    def of_sums(cls, sums: Sequence[float]) -> Validation:
        images, loss, true_positive, false_positive, false_negative, ious, prompted = sums
        counts = Counts(int(true_positive), int(false_positive), int(false_negative))
        return cls(int(images), loss, counts, ious, int(prompted))

    def __add__(self, other: Validation) -> Validation:
        return Validation.of_sums([a + b for a, b in zip(self.sums, other.sums, strict=True)])

    @property
    def figures(self) -> dict[str, float]:
        figures = {
            "val_loss": self.loss / max(1, self.images),
            "val_f1": self.counts.f1,
            "val_precision": self.counts.precision,
            "val_recall": self.counts.recall,
        }
        return figures | ({"val_iou": self.ious / self.prompted} if self.prompted else {})


def is_better(figures: Mapping[str, float], best: Mapping[str, float]) -> bool:
    """Higher F1; where that is equal, as before the first cell is found, lower loss."""
    if not best:
        return True
    return (figures["val_f1"], -figures["val_loss"]) > (best["val_f1"], -best["val_loss"])


def spread(entries: Sequence[Entry], limit: int) -> list[Entry]:
    """At most `limit`, evenly over the list: manifests are sorted by data set."""
    chosen = np.linspace(0, len(entries) - 1, min(limit, len(entries))).round().astype(int)
    return [entries[index] for index in chosen]
