"""The image trunk: SAM's ViT without its neck. Its output is what gets cached; everything else hangs on it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from worker.cellsam.sam_modules import ImageEncoderViT
from worker.cellsam.trunk_blocks import run_block


def _group_norm(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(max(1, channels // 16), channels)


class ResidualConv(nn.Module):
    """x + two 3x3 convolutions, at constant width."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            _group_norm(channels),
            nn.GELU(),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            _group_norm(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)  # type: ignore[no-any-return]


class ConvStem(nn.Module):
    """A convolutional patch embedding: each width halves the resolution. (B, 3, H, W) -> (B, H/s, W/s, dim)."""

    def __init__(self, dim: int, widths: Sequence[int], blocks: Sequence[int]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for width, count in zip(widths, blocks, strict=True):
            layers += [
                nn.Conv2d(channels, width, 3, stride=2, padding=1, bias=False),
                _group_norm(width),
                nn.GELU(),
            ]
            layers += [ResidualConv(width) for _ in range(count)]
            channels = width
        layers.append(nn.Conv2d(channels, dim, 1))
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x).permute(0, 2, 3, 1)  # type: ignore[no-any-return]


class Trunk(nn.Module):
    """Model input (B, 3, H, W) float in [0, 1] -> features before the neck (B, dim, H/patch, W/patch).

    Built from a SAM image encoder, whose parameter names it keeps (`patch_embed`, `pos_embed`, `blocks`), so SAM's
    weights load by dropping `neck.*`. A window smaller than the full input may be passed with its `origin`, its top
    left token (row, column) inside the full grid: training on such windows is several times cheaper.
    """

    pixel_mean: Tensor
    pixel_std: Tensor

    def __init__(
        self,
        encoder: ImageEncoderViT,
        *,
        pixel_mean: Sequence[float],
        pixel_std: Sequence[float],
        stem: nn.Module | None,
    ) -> None:
        super().__init__()
        self.patch_embed = encoder.patch_embed if stem is None else stem
        self.pos_embed = encoder.pos_embed
        self.blocks = encoder.blocks
        # Training may keep no more than each block's input and compute the rest again in the backward pass.
        self.recompute = False
        self.register_buffer("pixel_mean", torch.tensor(pixel_mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("pixel_std", torch.tensor(pixel_std).view(1, 3, 1, 1), persistent=False)

    def forward(self, pixels: Tensor, origin: tuple[int, int] = (0, 0)) -> Tensor:
        tokens = self.patch_embed((pixels - self.pixel_mean) / self.pixel_std)  # (B, h, w, dim)
        row, column = origin
        height, width = tokens.shape[1:3]
        tokens = tokens + self.pos_embed[:, row : row + height, column : column + width]
        for block in self.blocks:
            if not torch.is_grad_enabled():
                tokens = run_block(block, tokens)
            elif self.recompute:
                tokens = checkpoint(block, tokens, use_reentrant=False)
            else:
                tokens = block(tokens)
        return tokens.permute(0, 3, 1, 2)  # type: ignore[no-any-return]
