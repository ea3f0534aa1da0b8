"""Rung 2, the whole CellFinder: tiles of cached features, and the loss that trained it.

What people mostly mend are missed and false cells, which the neck cannot. The neck comes from the rung below: the two
read the same features and share no weight, so each is tuned by itself.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from worker.cellsam.cellfinder import FinderOutput
from worker.cellsam.config import CellSAMConfig
from worker.cellsam.predictor import Predictor
from worker.cellsam.training.criterion import DetectionCriterion, Losses
from worker.cellsam.training.crops import boxes_of_labels, separate
from worker.cellsam.training.detr_criterion import DetrCriterion
from worker.cellsam.training.targets import TrueBoxes
from worker.cellsam.tuning.config import TuningConfig
from worker.cellsam.tuning.judging import Judge
from worker.cellsam.tuning.replay import draw_weights
from worker.cellsam.tuning.sample import TuningSample


class FinderLearner:
    """Draws tiles of the finest level, those without cells too: they teach what is no cell."""

    def __init__(
        self, start: Predictor, training: Sequence[TuningSample], judge: Judge, config: TuningConfig
    ) -> None:
        self._start, self._samples, self._judge, self._config = start, training, judge, config
        self._finder = copy.deepcopy(start.model.finder).requires_grad_(True)
        self._criterion = detection_criterion(start.model.config)
        self._tiles = [
            (index, tile, boxes)
            for index, sample in enumerate(training)
            for tile, boxes in enumerate(tile_boxes(sample))
        ]
        earlier = [training[index].earlier for index, _, _ in self._tiles]
        self._weights = draw_weights(earlier, config.replay_share)

    @property
    def module(self) -> nn.Module:
        return self._finder

    @property
    def steps(self) -> int:
        return self._config.finder.steps(len(self._tiles), self._config.tiles_a_step)

    def quality(self, pause: Callable[[], None]) -> float:
        return self._judge.box_quality(self.predictor(), self._judge.features(pause))

    def predictor(self) -> Predictor:
        """The start with CellFinder as it is now."""
        return self._start.with_parts({"finder": self._finder.state_dict()})

    def loss(self, random: np.random.Generator) -> Tensor:
        count = min(self._config.tiles_a_step, len(self._tiles))
        drawn = [
            self._tiles[row] for row in random.choice(len(self._tiles), count, replace=False, p=self._weights)
        ]
        device = self._start.device
        tokens = torch.stack([self._samples[index].features.finder_tokens[tile] for index, tile, _ in drawn])
        trunk = self._start.model.config.trunk
        targets = TrueBoxes(
            boxes_xyxy=[torch.from_numpy(boxes).to(device) for _, _, boxes in drawn],
            side_px=trunk.input_px,
            origin=(0, 0),
            patch_px=trunk.patch_px,
            input_px=trunk.input_px,
        )
        found: FinderOutput = self._finder(tokens.to(device, torch.float32))
        return torch.stack(list(self._criterion(found, targets).values())).sum()


def detection_criterion(config: CellSAMConfig) -> Callable[[FinderOutput, TrueBoxes], Losses]:
    """The loss that each kind of CellFinder was trained with."""
    return DetectionCriterion() if config.finder.kind == "peaks" else DetrCriterion()


def tile_boxes(sample: TuningSample) -> list[NDArray[np.float32]]:
    """Boxes (n, 4) in input pixels of the cells that each tile of the finest level shows, cut and mirrored as its
    pixels are."""
    frame = sample.features.frame
    across, down = frame.tile_size
    missing = [(0, max(0, down - frame.height)), (0, max(0, across - frame.width))]
    labels = np.pad(
        sample.labels, missing, mode="reflect" if frame.tiling.padding == "mirror" else "constant"
    )
    found = []
    for tile in (frame.tiles[index] for index in frame.finest):
        boxes = boxes_of_labels(separate(labels[tile.y : tile.y + down, tile.x : tile.x + across]))
        found.append(frame.to_input(boxes + np.array([tile.x, tile.y] * 2, dtype=np.float32), tile))
    return found
