"""One-to-one assignment of queries to true cells (Carion et al. 2020, "DETR", section 3.1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from worker.cellsam.boxes import corners, iou_and_giou

HOPELESS = 1e6  # cost where a prediction is not finite: the loss is to report that, not the assignment
Pairs = tuple[Tensor, Tensor]  # (k,) query indices and (k,) target indices, int64, k = min(queries, targets)


def doubt(logits: Tensor) -> Tensor:
    """-log(score)."""
    return -torch.nn.functional.logsigmoid(logits)


@dataclass(frozen=True, slots=True)
class HungarianMatcher:
    """Weights of the three costs: of the score, L1 and -GIoU between boxes (both cxcywh, fractions of the input)."""

    score: float = 0.5
    l1: float = 10.0
    giou: float = 2.0
    score_cost: Callable[[Tensor], Tensor] = doubt  # elementwise, of logits

    @torch.no_grad()
    def __call__(self, logits: Tensor, boxes_cxcywh: Tensor, targets_cxcywh: list[Tensor]) -> list[Pairs]:
        """`logits` (B, Q), `boxes_cxcywh` (B, Q, 4), per image (n, 4) targets -> per image the matched index pairs."""
        return [
            self._match(logits[index], boxes_cxcywh[index], targets)
            for index, targets in enumerate(targets_cxcywh)
        ]

    def _match(self, logits: Tensor, boxes: Tensor, targets: Tensor) -> Pairs:
        if len(targets) == 0:
            none = torch.zeros(0, dtype=torch.int64, device=logits.device)
            return none, none
        _, giou = iou_and_giou(corners(boxes)[:, None], corners(targets)[None])  # (Q, n)
        score = self.score_cost(logits.float())[:, None]
        cost = self.l1 * torch.cdist(boxes, targets, p=1) - self.giou * giou + self.score * score
        cost = cost.nan_to_num(nan=HOPELESS, posinf=HOPELESS, neginf=-HOPELESS)
        rows, columns = linear_sum_assignment(cost.cpu().numpy())
        return torch.as_tensor(rows, device=logits.device), torch.as_tensor(columns, device=logits.device)
