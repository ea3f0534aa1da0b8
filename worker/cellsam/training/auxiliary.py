"""A head that exists in training only: foreground and boundaries from the trunk's tokens.

Every pixel teaches the trunk something from the first step on, long before queries and prompts do.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

FINE = 4  # predictions per token along each axis


class AuxiliaryHead(nn.Module):
    """(B, dim, h, w) -> (B, 2, 4h, 4w) logits: foreground, boundary."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.linear = nn.Linear(dim, 2 * FINE**2)

    def forward(self, features: Tensor) -> Tensor:
        return F.pixel_shuffle(self.linear(features.permute(0, 2, 3, 1)).permute(0, 3, 1, 2), FINE)

    def losses(self, features: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """`labels` (B, S, S) of the pixels that `features` were made from."""
        logits = self(features).float()
        step = labels.shape[-1] // logits.shape[-1]
        foreground = F.avg_pool2d((labels > 0).float()[:, None], step)
        boundary = F.max_pool2d(boundaries(labels).float()[:, None], step)
        p = logits[:, :1].sigmoid()
        dice = 1 - (2 * (p * foreground).sum() + 1) / (p.sum() + foreground.sum() + 1)
        return {
            "foreground": F.binary_cross_entropy_with_logits(logits[:, :1], foreground) + 0.5 * dice,
            "boundary": F.binary_cross_entropy_with_logits(logits[:, 1:], boundary),
        }


def boundaries(labels: Tensor) -> Tensor:
    """(B, S, S) bool: pixels of a cell with a 4-neighbour of another label."""
    edges = torch.zeros_like(labels, dtype=torch.bool)
    down, across = labels[:, 1:] != labels[:, :-1], labels[:, :, 1:] != labels[:, :, :-1]
    edges[:, 1:] |= down
    edges[:, :-1] |= down
    edges[:, :, 1:] |= across
    edges[:, :, :-1] |= across
    return edges & (labels > 0)
