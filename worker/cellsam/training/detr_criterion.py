"""CellFinder's loss as the paper trains it: that of Anchor DETR (Wang et al. 2022).

Each decoder layer's queries are matched to the true cells one to one (Carion et al. 2020) and judged by focal loss
(Lin et al. 2017), L1 and generalised IoU, weighted 2 : 5 : 2 in the matching and in the loss alike. A finder with a
dense head has that head's losses beside them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from worker.cellsam.boxes import corners, iou_and_giou
from worker.cellsam.cellfinder import FinderOutput, Queries
from worker.cellsam.training.criterion import Losses, MeanCount, dense_losses, itself
from worker.cellsam.training.matcher import HungarianMatcher
from worker.cellsam.training.targets import DenseTargets, TrueBoxes

ALPHA, GAMMA = 0.25, 2.0  # focal loss: weight of positives, and how little an easy query counts
# The class that means "cell". DETR's heads have an output more than they have classes, which learns to be silent.
CELL = -1


@dataclass(frozen=True, slots=True)
class DetrWeights:
    """Of focal loss, L1 (cxcywh, fractions of the input) and GIoU."""

    score: float = 2.0
    l1: float = 5.0
    giou: float = 2.0


@dataclass(frozen=True, slots=True)
class DetrCriterion:
    """Losses by name; each is a sum divided by the number of cells, weights included."""

    weights: DetrWeights = field(default_factory=DetrWeights)

    def __call__(self, output: FinderOutput, batch: TrueBoxes, mean_count: MeanCount = itself) -> Losses:
        """The same names for every batch, with or without cells."""
        targets = batch.boxes_cxcywh_unit
        cells = max(1.0, mean_count(sum(len(boxes) for boxes in targets)))
        losses: Losses = {}
        for index, queries in enumerate(output.layers):
            found = self._set_losses(queries, targets)
            losses |= {f"{name}_{index}": loss / cells for name, loss in found.items()}
        if output.dense is not None:
            losses |= dense_losses(
                output.dense,
                DenseTargets.of(batch),
                l1=self.weights.l1,
                giou=self.weights.giou,
                mean_count=mean_count,
            )
        return losses

    @property
    def _matcher(self) -> HungarianMatcher:
        weights = self.weights
        return HungarianMatcher(weights.score, weights.l1, weights.giou, score_cost=focal_cost)

    def _set_losses(self, queries: Queries, targets: list[Tensor]) -> Losses:
        logits, boxes = queries.logits.float(), queries.boxes_cxcywh_unit.float()  # (B, Q, K), (B, Q, 4)
        pairs = self._matcher(logits[..., CELL], boxes, targets)
        image = torch.cat([torch.full_like(query, index) for index, (query, _) in enumerate(pairs)])
        query = torch.cat([query for query, _ in pairs])
        true_boxes = torch.cat([target[chosen] for target, (_, chosen) in zip(targets, pairs, strict=True)])
        aim = torch.zeros_like(logits)
        aim[image, query, CELL] = 1.0
        found = boxes[image, query]
        _, giou = iou_and_giou(corners(found), corners(true_boxes))
        return {
            "score": self.weights.score * focal_loss(logits, aim).sum(),
            "l1": self.weights.l1 * (found - true_boxes).abs().sum(),
            "giou": self.weights.giou * (1 - giou).sum(),
        }


def focal_loss(logits: Tensor, aim: Tensor) -> Tensor:
    """Elementwise, for logits and aims (0 or 1) of any one shape."""
    entropy = F.binary_cross_entropy_with_logits(logits, aim, reduction="none")
    p = logits.sigmoid()
    surprise = p * (1 - aim) + (1 - p) * aim
    return (ALPHA * aim + (1 - ALPHA) * (1 - aim)) * surprise**GAMMA * entropy


def focal_cost(logits: Tensor) -> Tensor:
    """Elementwise: what calling a query a cell adds to the focal loss."""
    return focal_loss(logits, torch.ones_like(logits)) - focal_loss(logits, torch.zeros_like(logits))
