"""What each trunk gets to see of a tile. One trunk takes tiles as they are; the released model prepares two inputs.

It normalises by a mean and a deviation before it stretches each channel to [0, 1], which undoes that but for rounding.
The rounding is kept: random weights enlarge it to more than parity allows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np
import torch
from torch import Tensor

from worker.cellsam.features import FINDER_MAP, TRUNK_MAP

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SAM_MEAN, SAM_STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)  # of bytes
BRIGHT_PERCENTILE = 99.5  # of a tile's pixels that are not zero, all channels together
EPS = 1e-6
GREEN, BLUE = 1, 2

Prepare = Callable[[Tensor], Tensor]  # (B, 3, S, S) in [0, 1] -> the same


def _as_they_are(tiles: Tensor) -> Tensor:
    return tiles


def spread(tiles: Tensor) -> Tensor:
    """Each tile's range, from its lowest pixel that is not zero to the 99.5th percentile of those, becomes [0, 1]."""
    return torch.stack([_spread_one(tile) for tile in tiles])


def _spread_one(tile: Tensor) -> Tensor:
    pixels = tile.numpy(force=True)
    lit = pixels[pixels != 0]
    if not lit.size:
        return tile
    low, high = lit.min(), np.percentile(lit, BRIGHT_PERCENTILE)
    if not high > low:  # one value alone is neither dark nor bright
        return torch.zeros_like(tile)
    return torch.from_numpy(np.clip((pixels - low) / np.float32(high - low), 0, 1))


def stretch_channels(tiles: Tensor) -> Tensor:
    """Each channel of each tile from its minimum and maximum to [0, 1]; a constant channel becomes 0."""
    low, high = tiles.amin((2, 3), keepdim=True), tiles.amax((2, 3), keepdim=True)
    return (tiles - low) / (high - low + EPS)


def to_bytes(tiles: Tensor) -> Tensor:
    """Cut to the 256 steps of a byte, downwards: float32 in 0..255."""
    return (tiles * 255).to(torch.uint8).float()


def fill_blank(tiles: Tensor) -> Tensor:
    """A blank green or blue channel takes the other one's pixels."""
    red, green, blue = tiles.unbind(1)
    blank_green, blank_blue = (
        channel.amax((1, 2), keepdim=True) == 0 for channel in (tiles[:, GREEN], tiles[:, BLUE])
    )
    green = torch.where(blank_green, blue, green)
    return torch.stack([red, green, torch.where(blank_blue, green, blue)], dim=1)


def _standardised(tiles: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    return (tiles - torch.tensor(mean).view(1, 3, 1, 1)) / torch.tensor(std).view(1, 3, 1, 1)


def _masks_adversarial(tiles: Tensor) -> Tensor:
    return stretch_channels(_standardised(spread(tiles), IMAGENET_MEAN, IMAGENET_STD))


def _finder_adversarial(tiles: Tensor) -> Tensor:
    standardised = _standardised(to_bytes(tiles), SAM_MEAN, SAM_STD)
    return fill_blank(stretch_channels(_standardised(standardised, IMAGENET_MEAN, IMAGENET_STD)))


def _finder_plain(tiles: Tensor) -> Tensor:
    return to_bytes(tiles) / 255


# By strategy, then by feature map. "adversarial" is the released model's mode with a second set of SAM's weights.
PREPARE: Mapping[str, Mapping[str, Prepare]] = MappingProxyType(
    {
        "same": {TRUNK_MAP: _as_they_are, FINDER_MAP: _as_they_are},
        "adversarial": {TRUNK_MAP: _masks_adversarial, FINDER_MAP: _finder_adversarial},
        "plain": {TRUNK_MAP: spread, FINDER_MAP: _finder_plain},
    }
)
