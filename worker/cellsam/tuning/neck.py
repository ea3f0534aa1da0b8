"""Rung 1, the neck: windows of cached features, true boxes with jitter, focal loss and dice (the paper's Appendix B).

It mends masks, not detection. The mask decoder, the trunk and CellFinder stay as they are.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from labeling.rle import BoxMask
from worker.cellsam.features import Features
from worker.cellsam.predictor import Predictor
from worker.cellsam.training.criterion import mask_loss
from worker.cellsam.training.objective import jitter
from worker.cellsam.tuning.config import TuningConfig
from worker.cellsam.tuning.judging import Judge
from worker.cellsam.tuning.replay import draw_weights
from worker.cellsam.tuning.sample import TuningSample

MAP_STRIDE = 4  # mask logits on a side of a token


@dataclass(frozen=True, slots=True)
class _Window:
    """A square of one tile's tokens with cells that lie in it, ready to be decoded."""

    tokens: Tensor  # (1, C, w, w) float32
    origin: tuple[int, int]
    boxes_xyxy: Tensor  # (n, 4) in input pixels of the whole tile
    truth: Tensor  # (n, 4w, 4w) in [0, 1]


class NeckLearner:
    """Draws a cell, a window of half a tile around it, and more cells in that window."""

    def __init__(
        self, start: Predictor, training: Sequence[TuningSample], judge: Judge, config: TuningConfig
    ) -> None:
        self._start, self._samples, self._judge, self._config = start, training, judge, config
        self._neck = copy.deepcopy(start.model.neck).requires_grad_(True)
        # (sample, tile, cell): each cell is trained in the tile that would decode a person's box of it.
        self._cells = [
            (index, sample.features.frame.tile_of_box(np.asarray(cell.box, dtype=np.float32)), cell)
            for index, sample in enumerate(training)
            for cell in sample.cells
        ]
        self._by_tile: dict[tuple[int, int], list[BoxMask]] = {}
        for index, tile, cell in self._cells:
            self._by_tile.setdefault((index, tile), []).append(cell)
        earlier = [training[index].earlier for index, _, _ in self._cells]
        self._weights = draw_weights(earlier, config.replay_share)

    @property
    def module(self) -> nn.Module:
        return self._neck

    @property
    def steps(self) -> int:
        config = self._config
        return config.neck.steps(len(self._cells), config.windows_a_step * config.prompts)

    def quality(self, pause: Callable[[], None]) -> float:
        return self._judge.mask_quality(self.predictor(), self._judge.features(pause))

    def predictor(self) -> Predictor:
        """The start with the neck as it is now."""
        return self._start.with_parts({"neck": self._neck.state_dict()})

    def loss(self, random: np.random.Generator) -> Tensor:
        windows = [self._window(random) for _ in range(self._config.windows_a_step)]
        return torch.stack([self._loss(window) for window in windows]).mean()

    def _loss(self, window: _Window) -> Tensor:
        boxes = jitter(window.boxes_xyxy)
        logits, _ = self._start.model.decode(
            self._neck(window.tokens), boxes_xyxy=boxes, origin=window.origin
        )
        return mask_loss(logits, window.truth)

    def _window(self, random: np.random.Generator) -> _Window:
        index, tile, cell = self._cells[random.choice(len(self._cells), p=self._weights)]
        config = self._start.model.config
        frame = self._samples[index].features.frame
        neighbours = self._by_tile[index, tile]
        boxes = np.array([other.box for other in neighbours], dtype=np.float32)
        boxes = frame.to_input(boxes, frame.tiles[tile]) / np.float32(config.trunk.patch_px)
        own = next(row for row, other in enumerate(neighbours) if other is cell)
        side, row, column = _place(boxes[own], config.grid, random)
        inside = np.flatnonzero(_inside(boxes, row, column, side))
        others = [neighbours[i] for i in random.permutation(inside) if i != own]
        chosen = [cell, *others][: self._config.prompts]
        return self._cut(self._samples[index].features, tile, chosen, (row, column), side)

    def _cut(
        self, features: Features, tile: int, cells: list[BoxMask], origin: tuple[int, int], side: int
    ) -> _Window:
        frame, device = features.frame, self._start.device
        row, column = origin
        tokens = features.tokens[tile : tile + 1, :, row : row + side, column : column + side]
        whole = MAP_STRIDE * self._start.model.config.grid
        truth = np.stack(
            [frame.window_to_map(cell.mask(), frame.tiles[tile], cell.box, whole) for cell in cells]
        )
        down, right = (slice(MAP_STRIDE * start, MAP_STRIDE * (start + side)) for start in origin)
        boxes = frame.to_input(np.array([cell.box for cell in cells], dtype=np.float32), frame.tiles[tile])
        return _Window(
            tokens.to(device, torch.float32),
            origin,
            torch.from_numpy(boxes).to(device),
            torch.from_numpy(truth[:, down, right]).to(device),
        )


def _place(box_tokens: NDArray[np.float32], grid: int, random: np.random.Generator) -> tuple[int, int, int]:
    """(side, row, column) in tokens: half a tile that holds the box, at random; a whole tile if it does not fit."""
    half = grid // 2
    low, high = np.floor(box_tokens[:2]).astype(int), np.ceil(box_tokens[2:]).astype(int)
    if (high - low).max() > half:
        return grid, 0, 0
    first, last = np.clip(high - half, 0, grid - half), np.clip(low, 0, grid - half)
    column, row = (
        int(random.integers(a, b + 1)) for a, b in zip(first, np.maximum(first, last), strict=True)
    )
    return half, row, column


def _inside(boxes_tokens: NDArray[np.floating], row: int, column: int, side: int) -> NDArray[np.bool_]:
    low, high = boxes_tokens[:, :2] >= (column, row), boxes_tokens[:, 2:] <= (column + side, row + side)
    return np.asarray(low.all(axis=1) & high.all(axis=1))
