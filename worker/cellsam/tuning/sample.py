"""What a tuning run learns from: corrected images as the trunk left them, with all their cells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labeling.rle import BoxMask
from worker.cellsam.features import Features

# How to get an image's pixels, (H, W, C), and the roles of its channels.
Source = Callable[[], tuple[NDArray[Any], Sequence[str]]]


class TuningError(ValueError):
    """This fine-tuning run cannot give a usable model; the message says why in words for its users."""


@dataclass(frozen=True, slots=True)
class TuningSample:
    """A corrected image and *all* its true cells (an unlabelled cell would teach its absence).

    `cluster` names images that are alike, such as frames of one movie: they are held back together or not at all.
    `earlier`: an earlier run learned from it already. `source` is read by the rung that tunes the trunk alone;
    `equalised` says of what it gives that CLAHE was done before (see `channels.config_image`).
    """

    features: Features
    cells: Sequence[BoxMask]
    cluster: str | None = None
    earlier: bool = False
    source: Source | None = None
    equalised: bool = False

    @property
    def labels(self) -> NDArray[np.int32]:
        """(H, W) label map of the cells, 1..n; where they overlap, the later one."""
        frame = self.features.frame
        return label_map(self.cells, frame.height, frame.width)


def label_map(cells: Sequence[BoxMask], height: int, width: int) -> NDArray[np.int32]:
    """(height, width), cell i painted as i + 1; where cells overlap, the later one."""
    labels = np.zeros((height, width), dtype=np.int32)
    for number, cell in enumerate(cells, start=1):
        cell.paint(labels, number)
    return labels
