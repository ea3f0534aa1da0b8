"""The losses of training, each by name. Weights are part of the sums here; the loop adds everything up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from worker.cellsam.boxes import corners, iou_and_giou
from worker.cellsam.cellfinder import DenseProposals, FinderOutput, Queries
from worker.cellsam.training.matcher import HungarianMatcher
from worker.cellsam.training.targets import DenseTargets, TrueBoxes

FOCAL_GAMMA = (
    2.0  # Lin et al. 2017; their class balance is left out: at 0.25 it eroded masks, dice balances already
)
FOCAL_WEIGHT = 10.0  # against dice: SAM's 20:1, whose focal loss is balanced at about a half

Losses = dict[str, Tensor]
# A count in this process to its mean over all: normalised by that, the processes' mean loss is that of one large batch.
MeanCount = Callable[[float], float]


def itself(count: float) -> float:
    """The mean over processes where there is one."""
    return count


@dataclass(frozen=True, slots=True)
class DetectionCriterion:
    """CellFinder's losses: matched queries of every decoder layer, and the dense head where there is one."""

    matcher: HungarianMatcher = field(default_factory=HungarianMatcher)
    l1: float = 10.0
    giou: float = 2.0

    def __call__(self, output: FinderOutput, batch: TrueBoxes) -> Losses:
        losses: Losses = {}
        targets = batch.boxes_cxcywh_unit
        for index, queries in enumerate(output.layers):
            losses |= {f"{name}_{index}": loss for name, loss in self._set_losses(queries, targets).items()}
        if output.dense is not None:
            losses |= dense_losses(output.dense, DenseTargets.of(batch), l1=self.l1, giou=self.giou)
        return losses

    def _set_losses(self, queries: Queries, targets: list[Tensor]) -> Losses:
        """Varifocal classification (Zhang et al. 2021): a matched query aims at the IoU of its box, the rest at 0."""
        logits, boxes = queries.logits.float().amax(dim=-1), queries.boxes_cxcywh_unit
        pairs = self.matcher(logits, boxes, targets)
        image = torch.cat([torch.full_like(query, index) for index, (query, _) in enumerate(pairs)])
        query = torch.cat([query for query, _ in pairs])
        true_boxes = torch.cat([target[chosen] for target, (_, chosen) in zip(targets, pairs, strict=True)])
        found = boxes[image, query]
        iou, giou = iou_and_giou(corners(found), corners(true_boxes))
        aim = torch.zeros_like(logits)
        aim[image, query] = iou.detach().clamp(min=0.05)
        weight = torch.where(aim > 0, 1.0, 0.75 * logits.detach().sigmoid() ** 2)
        score = F.binary_cross_entropy_with_logits(logits, aim, weight=weight, reduction="sum")
        count = max(1, sum(len(target) for target in targets))
        return {
            "score": score / count,
            "l1": self.l1 * (found - true_boxes).abs().sum() / count,
            "giou": self.giou * (1 - giou).sum() / count,
        }


def dense_losses(
    dense: DenseProposals, targets: DenseTargets, *, l1: float, giou: float, mean_count: MeanCount = itself
) -> Losses:
    """CenterNet's focal loss on the heatmap, and the boxes of tokens near a centre: the same names for every batch."""
    centre = targets.heat == 1
    p = dense.logits.sigmoid()
    positive = (F.logsigmoid(dense.logits) * (1 - p) ** 2)[centre].sum()
    negative = (F.logsigmoid(-dense.logits) * p**2 * (1 - targets.heat) ** 4)[~centre].sum()
    found = dense.boxes_cxcywh_unit[targets.proposes]
    true_boxes = targets.boxes_cxcywh_unit[targets.proposes]
    _, overlap = iou_and_giou(corners(found), corners(true_boxes))
    centres = max(1.0, mean_count(float(centre.sum())))
    proposing = max(1.0, mean_count(len(found)))
    return {
        "heat": -(positive + negative) / centres,
        "dense_giou": giou * (1 - overlap).sum() / proposing,
        "dense_l1": l1 * (found - true_boxes).abs().sum() / proposing,
    }


@dataclass(frozen=True, slots=True)
class MaskCriterion:
    """Losses of prompted masks: cross-entropy near the box, dice, and the decoder's own IoU estimate."""

    cross_entropy: float = 2.0
    outside: float = 0.05  # weight of pixels far from the box, most of the map
    margin: float = 0.4  # of the box's side that counts as near
    margin_px: float = 4.0

    def __call__(
        self, logits: Tensor, predicted_iou: Tensor, truth: Tensor, boxes_xyxy: Tensor, step_px: float
    ) -> Losses:
        """`logits` (N, h, w), `predicted_iou` (N,), `truth` (N, h, w) in [0, 1]; `boxes_xyxy` (N, 4) in crop pixels,
        `step_px` crop pixels per logit.
        """
        logits, truth = logits.float(), truth.float()
        entropy = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")
        near = self._near(boxes_xyxy, logits.shape[-2:], step_px)
        size = near.sum(dim=(1, 2)).clamp(min=1)
        inside = (entropy * near).sum(dim=(1, 2)) / size
        outside = (entropy * (1 - near)).sum(dim=(1, 2)) / size
        iou = binary_iou(logits.detach() > 0, truth > 0.5)
        return {
            "mask": self.cross_entropy * (inside + self.outside * outside).mean(),
            "dice": dice_loss(logits, truth).mean(),
            "iou": F.mse_loss(predicted_iou.float(), iou),
        }

    def _near(self, boxes: Tensor, size: torch.Size, step_px: float) -> Tensor:
        margin = (boxes[:, 2:] - boxes[:, :2]) * self.margin + self.margin_px
        low, high = boxes[:, :2] - margin, boxes[:, 2:] + margin
        y, x = ((torch.arange(side, device=boxes.device) + 0.5) * step_px for side in size)
        columns = (x[None] > low[:, :1]) & (x[None] < high[:, :1])  # (N, w)
        rows = (y[None] > low[:, 1:]) & (y[None] < high[:, 1:])  # (N, h)
        return (rows[:, :, None] & columns[:, None, :]).float()


def mask_loss(logits: Tensor, truth: Tensor) -> Tensor:
    """The neck's: focal loss plus dice on (N, h, w) logits and truth in [0, 1]; a scalar."""
    entropy = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    p = logits.sigmoid()
    surprise = p * (1 - truth) + (1 - p) * truth
    focal = (surprise**FOCAL_GAMMA * entropy).mean()
    return FOCAL_WEIGHT * focal + dice_loss(logits, truth).mean()


def dice_loss(logits: Tensor, truth: Tensor) -> Tensor:
    """(N, h, w) logits and truth -> (N,) 1 - soft dice, with one pixel of smoothing."""
    p = logits.sigmoid()
    shared = (p * truth).sum(dim=(1, 2))
    return 1 - (2 * shared + 1) / (p.sum(dim=(1, 2)) + truth.sum(dim=(1, 2)) + 1)


def binary_iou(a: Tensor, b: Tensor) -> Tensor:
    """(N, h, w) bool twice -> (N,) float."""
    shared, union = (a & b).sum(dim=(1, 2)), (a | b).sum(dim=(1, 2))
    return shared / union.clamp(min=1)
