"""The neck: trunk features to SAM's image embedding. The first part that fine-tuning for a project changes."""

from __future__ import annotations

from torch import nn

from worker.cellsam.sam_modules import LayerNorm2d


class Neck(nn.Sequential):
    """(B, in_dim, h, w) -> (B, out_dim, h, w). SAM's layers in its order: `image_encoder.neck.*` loads as it is."""

    def __init__(self, in_dim: int, out_dim: int) -> None:
        super().__init__(
            nn.Conv2d(in_dim, out_dim, kernel_size=1, bias=False),
            LayerNorm2d(out_dim),
            nn.Conv2d(out_dim, out_dim, kernel_size=3, padding=1, bias=False),
            LayerNorm2d(out_dim),
        )
