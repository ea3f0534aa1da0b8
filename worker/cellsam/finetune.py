"""Fine-tuning for one project, first rung: the neck alone, on cached features.

Trunk, CellFinder and mask decoder stay as they are, so no feature has to be computed again, neither for the run nor
after it. The neck mends masks, not detection; the box threshold is therefore chosen anew on the run's own held-back
images. Settings are the paper's for its neck tuning: AdamW at 1e-4, weight decay 1e-4, no clipping, true boxes.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from labeling.rle import BoxMask
from worker.cellsam.calibration import calibrate
from worker.cellsam.evaluate import true_box_ious
from worker.cellsam.features import Features
from worker.cellsam.model import CellSAM
from worker.cellsam.predictor import Predictor, Stopped
from worker.cellsam.training.criterion import dice_loss
from worker.cellsam.training.objective import jitter

FOCAL_GAMMA = (
    2.0  # Lin et al. 2017; their class balance is left out: at 0.25 it eroded masks, dice balances already
)
FOCAL_WEIGHT = 10.0  # against dice: SAM's 20:1, whose focal loss is balanced at about a half


class TuningError(ValueError):
    """This fine-tuning run cannot give a usable neck; the message says why in words for its users."""


@dataclass(frozen=True, slots=True)
class TuningConfig:
    steps: int = 200
    learning_rate: float = 1e-4
    weight_decay: float = 1e-4
    windows_per_step: int = 4
    prompts_per_window: int = 5
    validation_share: float = 0.25  # of the samples; held back for early stopping and the threshold
    check_every: int = 25  # steps
    patience: int = 3  # checks without a better validation IoU
    min_samples: int = 2
    min_cells: int = 10
    max_validation_cells: int = 150  # decoded at each check; more would cost more than the training
    seed: int = 0


@dataclass(frozen=True, slots=True)
class TuningSample:
    """A corrected image: its cached features and *all* its true cells (an unlabelled cell would teach its absence)."""

    features: Features
    cells: Sequence[BoxMask]


@dataclass(frozen=True, slots=True)
class CurvePoint:
    step: int
    loss: float  # mean since the last point; NaN at step 0
    validation_iou: float  # mean mask IoU with true boxes on the held-back samples


@dataclass(frozen=True, slots=True)
class NeckTuning:
    """A tuned neck. `best_step` 0 means that nothing was better than the neck it started from, which it then is."""

    state_dict: dict[str, Tensor]
    threshold: float  # of CellFinder's score, chosen on the held-back samples
    curve: tuple[CurvePoint, ...]
    best_step: int
    iou_before: float
    iou_after: float
    training_cells: int
    validation_cells: int


@dataclass(frozen=True, slots=True)
class _View:
    """A square window of one tile's tokens with the cells that lie in it, ready to be decoded."""

    tokens: Tensor  # (1, C, w, w) float32
    origin: tuple[int, int]
    boxes_xyxy: Tensor  # (n, 4) in input pixels of the whole tile
    truth: Tensor  # (n, 4w, 4w) in [0, 1]


def tune_neck(
    model: CellSAM,
    samples: Sequence[TuningSample],
    config: TuningConfig | None = None,
    *,
    progress: Callable[[float], None] = lambda _: None,
    should_stop: Callable[[], bool] = lambda: False,
    pause: Callable[[], None] = lambda: None,
) -> NeckTuning:
    """Train a copy of the model's neck; the model itself is left as it is. The trunk is not called.

    `pause` is called between steps and may wait, to let more urgent work pass. Raises TuningError if there are too few
    samples or cells, or the loss is not finite; Stopped if asked to stop.
    """
    config = config or TuningConfig()
    training, validation = _split(samples, config)
    tuner = _NeckTuner(model, training, config)
    checked = _Validation(validation, config)
    points = [CurvePoint(0, math.nan, checked.iou(tuner.predictor()))]
    best_state, best = tuner.state(), points[0]
    losses: list[float] = []
    for step in range(1, config.steps + 1):
        pause()
        if should_stop():
            raise Stopped
        losses.append(tuner.step())
        progress(step / config.steps)
        if step % config.check_every and step != config.steps:
            continue
        points.append(CurvePoint(step, float(np.mean(losses)), checked.iou(tuner.predictor())))
        losses = []
        if points[-1].validation_iou > best.validation_iou:
            best_state, best = tuner.state(), points[-1]
        elif (step - best.step) // config.check_every >= config.patience:
            break
    tuned = Predictor(model).with_neck(best_state)
    threshold = calibrate(
        tuned, ((sample.features, labels_of(sample)) for sample in validation), pause=pause
    ).threshold
    progress(1.0)
    return NeckTuning(
        state_dict=best_state,
        threshold=threshold,
        curve=tuple(points),
        best_step=best.step,
        iou_before=points[0].validation_iou,
        iou_after=best.validation_iou,
        training_cells=sum(len(sample.cells) for sample in training),
        validation_cells=sum(len(sample.cells) for sample in validation),
    )


def labels_of(sample: TuningSample) -> NDArray[np.int32]:
    """(H, W) label map of the sample's cells, 1..n; where they overlap, the later one."""
    frame = sample.features.frame
    labels = np.zeros((frame.height, frame.width), dtype=np.int32)
    for index, cell in enumerate(sample.cells, start=1):
        cell.paint(labels, index)
    return labels


class _NeckTuner:
    """Draws windows of cached features, decodes their cells through the neck in training, steps."""

    def __init__(self, model: CellSAM, samples: Sequence[TuningSample], config: TuningConfig) -> None:
        self.model, self.samples, self.config = model, samples, config
        self.neck = copy.deepcopy(model.neck).requires_grad_(True)
        self.optimizer = torch.optim.AdamW(
            self.neck.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
        )
        self.random = np.random.default_rng(config.seed)
        # (sample, cell, tile): each cell is trained in the tile that would decode a person's box of it.
        self.cells = [
            (sample, cell, sample.features.frame.tile_of_box(np.asarray(cell.box, dtype=np.float32)))
            for sample in samples
            for cell in sample.cells
        ]

    def step(self) -> float:
        """One optimiser step; returns its loss. Raises TuningError if that is not finite."""
        views = [self._view() for _ in range(self.config.windows_per_step)]
        loss = torch.stack([self._loss(view) for view in views]).mean()
        if not torch.isfinite(loss):
            raise TuningError("the loss is not finite: features or labels are damaged")
        # Only the neck's gradients are asked for: the shared model is neither changed nor given any.
        parameters = list(self.neck.parameters())
        for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
            parameter.grad = gradient
        self.optimizer.step()
        return float(loss.detach())

    def state(self) -> dict[str, Tensor]:
        return {name: tensor.detach().clone() for name, tensor in self.neck.state_dict().items()}

    def predictor(self) -> Predictor:
        return Predictor(self.model).with_neck(self.state())

    def _loss(self, view: _View) -> Tensor:
        boxes = jitter(view.boxes_xyxy)
        logits, _ = self.model.decode(self.neck(view.tokens), boxes_xyxy=boxes, origin=view.origin)
        return mask_loss(logits, view.truth)

    def _view(self) -> _View:
        sample, cell, tile = self.cells[self.random.integers(len(self.cells))]
        grid, patch = self.model.config.grid, self.model.config.trunk.patch_px
        frame = sample.features.frame
        box = frame.to_input(np.asarray(cell.box, dtype=np.float32)[None], frame.tiles[tile])[0] / patch
        window, row, column = self._window(box, grid)
        neighbours = [other for of, other, its in self.cells if of is sample and its == tile]
        boxes = frame.to_input(
            np.array([other.box for other in neighbours], dtype=np.float32), frame.tiles[tile]
        )
        inside = _inside(boxes / patch, row, column, window)
        chosen = [neighbours[i] for i in self.random.permutation(np.flatnonzero(inside))]
        chosen = [cell, *(other for other in chosen if other is not cell)][: self.config.prompts_per_window]
        return self._cut(sample.features, tile, chosen, (row, column), window)

    def _window(self, box_tokens: NDArray[np.float32], grid: int) -> tuple[int, int, int]:
        """(side, row, column) in tokens: half a tile that holds the box, at random; a whole tile if it does not fit."""
        half = grid // 2
        low, high = np.floor(box_tokens[:2]).astype(int), np.ceil(box_tokens[2:]).astype(int)
        if (high - low).max() > half:
            return grid, 0, 0
        first = np.clip(high - half, 0, grid - half)
        last = np.clip(low, 0, grid - half)
        column, row = (
            int(self.random.integers(a, b + 1)) for a, b in zip(first, np.maximum(first, last), strict=True)
        )
        return half, row, column

    def _cut(
        self, features: Features, tile: int, cells: list[BoxMask], origin: tuple[int, int], window: int
    ) -> _View:
        frame, side = features.frame, 4 * self.model.config.grid
        row, column = origin
        tokens = features.tokens[tile : tile + 1, :, row : row + window, column : column + window].float()
        truth = np.stack(
            [frame.window_to_map(cell.mask(), frame.tiles[tile], cell.box, side) for cell in cells]
        )
        truth = truth[:, 4 * row : 4 * (row + window), 4 * column : 4 * (column + window)]
        boxes = frame.to_input(np.array([cell.box for cell in cells], dtype=np.float32), frame.tiles[tile])
        return _View(tokens, origin, torch.from_numpy(boxes), torch.from_numpy(truth))


class _Validation:
    """Mean IoU with true boxes on held-back samples, on the same cells at every check."""

    def __init__(self, samples: Sequence[TuningSample], config: TuningConfig) -> None:
        random = np.random.default_rng(config.seed)
        share = min(1.0, config.max_validation_cells / sum(len(sample.cells) for sample in samples))
        self.samples = [
            (
                sample.features,
                [sample.cells[i] for i in random.permutation(len(sample.cells))[: _part(sample, share)]],
            )
            for sample in samples
        ]

    def iou(self, predictor: Predictor) -> float:
        ious = [iou for features, cells in self.samples for iou in true_box_ious(predictor, features, cells)]
        return float(np.mean(ious))


def mask_loss(logits: Tensor, truth: Tensor) -> Tensor:
    """Focal loss plus dice on (N, h, w) logits and truth in [0, 1]; a scalar."""
    entropy = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    p = logits.sigmoid()
    surprise = p * (1 - truth) + (1 - p) * truth
    focal = (surprise**FOCAL_GAMMA * entropy).mean()
    return FOCAL_WEIGHT * focal + dice_loss(logits, truth).mean()


def _part(sample: TuningSample, share: float) -> int:
    return max(1, round(share * len(sample.cells)))


def _split(
    samples: Sequence[TuningSample], config: TuningConfig
) -> tuple[list[TuningSample], list[TuningSample]]:
    """(training, validation), by whole samples. Samples without cells teach the neck nothing and are left out."""
    useful = [sample for sample in samples if sample.cells]
    if not all(bool(torch.isfinite(sample.features.tokens).all()) for sample in useful):
        raise TuningError(
            "the features of an image are not finite: they are damaged and must be computed again"
        )
    if not useful:
        raise TuningError("there are no cells to learn from")
    if len(useful) < config.min_samples:
        raise TuningError(
            f"{len(useful)} image with cells; at least {config.min_samples} are needed to hold one back"
        )
    cells = sum(len(sample.cells) for sample in useful)
    if cells < config.min_cells:
        raise TuningError(f"{cells} cells are too few to learn from; at least {config.min_cells} are needed")
    order = np.random.default_rng(config.seed).permutation(len(useful))
    held_back = max(1, round(config.validation_share * len(useful)))
    return [useful[i] for i in order[held_back:]], [useful[i] for i in order[:held_back]]


def _inside(boxes_tokens: NDArray[np.floating], row: int, column: int, window: int) -> NDArray[np.bool_]:
    low, high = boxes_tokens[:, :2] >= (column, row), boxes_tokens[:, 2:] <= (column + window, row + window)
    return np.asarray(low.all(axis=1) & high.all(axis=1))
