"""What was measured of one image: all that the figures of a split are computed from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from labeling.matching import Counts
from worker.cellsam.evaluate.average_precision import Detections


@dataclass(frozen=True, slots=True)
class ImageResult:
    """A model on an image. `group` and `tags` (data set, modality ...) are what figures are also given by."""

    name: str
    group: str
    counts: Counts  # at a mask IoU above 0.6
    predicted: int
    ious: tuple[
        float, ...
    ]  # of each true cell's mask, decoded from its true box; () of a method without prompts
    boxes: Detections = field(default_factory=Detections.none)
    masks: Detections = field(default_factory=Detections.none)
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def true(self) -> int:
        return self.counts.true_positive + self.counts.false_negative
