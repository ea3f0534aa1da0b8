"""Cutting a field into the appendix's tiles: 512 x 512 with a quarter of overlap, blank beyond the field."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

SIDE_PX = 512
STRIDE_PX = 384  # a quarter of the side is shared with the next tile

Sample = TypeVar("Sample", bound=np.generic)


def tile_corners(height: int, width: int) -> Iterator[tuple[int, int]]:
    """(y, x) of the top left corner of each tile, row-major. Every pixel of the field is in one, and no tile shows only
    what another one shows.
    """
    for y in _starts(height):
        for x in _starts(width):
            yield y, x


def cut_tile(planes: NDArray[Sample], y: int, x: int) -> NDArray[Sample]:
    """(C, H, W) -> (C, 512, 512), zero beyond the field."""
    tile = np.zeros((len(planes), SIDE_PX, SIDE_PX), dtype=planes.dtype)
    part = planes[:, y : y + SIDE_PX, x : x + SIDE_PX]
    tile[:, : part.shape[1], : part.shape[2]] = part
    return tile


def _starts(length: int) -> range:
    overlap = SIDE_PX - STRIDE_PX
    return range(0, max(1, length - overlap), STRIDE_PX)
