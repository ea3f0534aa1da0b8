"""Stage 1 of the paper: the trunk and CellFinder learn to find cells. Neck, prompt encoder and decoder are frozen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor, nn

from labeling.matching import Counts
from worker.cellsam.boxes import corners, iou_and_giou
from worker.cellsam.cellfinder import FinderOutput
from worker.cellsam.model import CellSAM
from worker.cellsam.training.criterion import Losses, MeanCount
from worker.cellsam.training.detr_criterion import DetrCriterion, DetrWeights
from worker.cellsam.training.precision import Precision
from worker.cellsam.training.targets import Batch
from worker.cellsam.training.validation import Validation

BOX_IOU = 0.5  # above which a found box is right, in validation


@dataclass(frozen=True, slots=True)
class FinderStage:
    """The paper's settings: AdamW, a tenth of the head's rate for the trunk, clipped gradients, dropout."""

    head_rate: float = 1e-4
    trunk_rate: float = 1e-5
    weight_decay: float = 1e-4
    clip: float | None = 0.1
    dropout: float = 0.1
    weights: DetrWeights = field(default_factory=DetrWeights)

    @property
    def name(self) -> str:
        return "finder"

    def prepare(self, model: CellSAM) -> list[dict[str, Any]]:
        model.requires_grad_(False)
        set_dropout(model.finder, self.dropout)
        return [
            {
                "name": name,
                "params": list(part.requires_grad_(True).parameters()),
                "lr": rate,
                "weight_decay": self.weight_decay,
            }
            for name, part, rate in (
                ("finder", model.finder, self.head_rate),
                ("trunk", model.trunk, self.trunk_rate),
            )
        ]

    def losses(self, model: CellSAM, batch: Batch, precision: Precision, mean_count: MeanCount) -> Losses:
        return DetrCriterion(self.weights)(_found(model, batch, precision), batch, mean_count)

    def validate(self, model: CellSAM, batches: Iterable[Batch], precision: Precision) -> Validation:
        """Loss, and counts of boxes above the model's box threshold at IoU 0.5: masks are the other stage's matter."""
        return sum((self._validate(model, batch, precision) for batch in batches), Validation())

    def _validate(self, model: CellSAM, batch: Batch, precision: Precision) -> Validation:
        output = _found(model, batch, precision)
        loss = torch.stack(list(DetrCriterion(self.weights)(output, batch).values())).sum()
        chosen = output.scores[0] > model.config.thresholds.box
        counts = count_boxes(output.boxes_cxcywh_unit[0][chosen], batch.boxes_cxcywh_unit[0])
        return Validation(images=1, loss=float(loss), counts=counts)


def _found(model: CellSAM, batch: Batch, precision: Precision) -> FinderOutput:
    with precision.autocast():
        return model.find(model.trunk(batch.pixels))


def count_boxes(found_cxcywh: Tensor, true_cxcywh: Tensor) -> Counts:
    """(k, 4) and (n, 4) boxes in one unit: as many pairs of IoU above 0.5 as one-to-one matching allows."""
    iou, _ = iou_and_giou(corners(found_cxcywh.float())[:, None], corners(true_cxcywh)[None])  # (k, n)
    close = (iou > BOX_IOU).cpu().numpy()
    matched = int(close[linear_sum_assignment(close, maximize=True)].sum())
    return Counts(matched, close.shape[0] - matched, close.shape[1] - matched)


def set_dropout(module: nn.Module, share: float) -> None:
    """Of every dropout and attention inside; without effect in evaluation mode."""
    for part in module.modules():
        if isinstance(part, nn.Dropout):
            part.p = share
        elif isinstance(part, nn.MultiheadAttention):
            part.dropout = share
