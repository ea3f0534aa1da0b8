"""How large an image's cells are, and the scale at which the model sees them as large as those that it learned.

CellFinder is asked at several scales about the same places of the image. Where cells are much smaller or larger than
those of training, it finds fewer and is less sure of them; so the scale with the most certainty is the one that suits
it, and the sizes of its boxes there are those of the cells.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from worker.cellsam.detections import Found
from worker.cellsam.model_input import ModelInput
from worker.cellsam.preprocess import Frame, Window, at_scale

# How many times as certain as at scale 1 a look has to be. A larger image alone gives a few more boxes.
BETTER = {0.5: 1.05, 1.0: 1.0, 2.0: 1.25}
# Shares of the input's side between which a typical cell of training lies: 11 to 64 pixels of 256.
TRAINED = 1 / 24, 1 / 4
# How much larger or smaller than at scale 1 the boxes may be: texture, enlarged, can pass for many tiny cells.
SIZES_APART = 2.0
PLACES, TRIED_PLACES = 2, 16  # looked at, of those that are compared


@dataclass(frozen=True, slots=True)
class CellSize:
    """`scale` as `Predictor.segment` takes it; the diameter of a typical cell in image pixels, NaN if none is seen."""

    scale: float
    diameter_px: float


@dataclass(frozen=True, slots=True)
class _Look:
    """What was found at one scale: the certainty beyond the threshold, all boxes together, and their typical side."""

    certainty: float
    side_px: float

    @classmethod
    def of(cls, tiles: Sequence[Found], threshold: float) -> _Look:
        scores = np.concatenate([found.scores[found.owned] for found in tiles]) - threshold
        boxes = np.concatenate([found.boxes[found.owned] for found in tiles])[scores > 0]
        sides = np.sqrt((boxes[:, 2:] - boxes[:, :2]).prod(axis=1))
        return cls(float(scores.clip(0).sum()), float(np.median(sides)) if len(sides) else np.nan)

    def suits(self, scale: float, usual: _Look, input_px: int) -> bool:
        """Whether it is surer than the usual scale of the same cells, and shows them as large as those of training."""
        apart = max(self.side_px / usual.side_px, usual.side_px / self.side_px)
        low, high = (share * input_px for share in TRAINED)
        surer = self.certainty > BETTER[scale] * usual.certainty
        return surer and not apart > SIZES_APART and low <= self.side_px * scale <= high


def cell_size(made: ModelInput, find: Callable[[ModelInput], Sequence[Found]], threshold: float) -> CellSize:
    """The size of the cells of an image at scale 1. `find` gives the boxes of all tiles of the finest level."""
    places, tiling = _places(made), made.frame.tiling
    looks = {}
    for scale in BETTER:
        parts = [made.part(place, at_scale(tiling, scale)) for place in places]
        looks[scale] = _Look.of([found for part in parts for found in find(part)], threshold)
    # Cells at scale 1 are given in image pixels, inputs are `tiling.scale` times as large.
    input_px = round(tiling.input_px / tiling.scale)
    suited = [scale for scale, look in looks.items() if look.suits(scale, looks[1.0], input_px)]
    best = max(suited, key=lambda scale: looks[scale].certainty, default=1.0)
    return CellSize(best, looks[best].side_px)


def _places(made: ModelInput) -> list[Window]:
    """The windows with the most contrast among some that are spread over the image, each of a tile at half size."""
    height, width = made.frame.height, made.frame.width
    frame = Frame(height, width, at_scale(made.frame.tiling, min(BETTER)))
    spread = np.unique(np.linspace(0, len(frame.finest) - 1, TRIED_PLACES).astype(int))
    tried = [frame.tile_window(frame.tiles[index]) for index in spread]
    return sorted(tried, key=lambda window: -float(made.pixels.read(window)[2].std()))[:PLACES]
