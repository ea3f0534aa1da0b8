from __future__ import annotations

import numpy as np
import pytest

from worker.cellsam.data.tiles import SIDE_PX, cut_tile, tile_corners


@pytest.mark.parametrize("size", [(1, 1), (512, 512), (513, 100), (896, 897), (1040, 1408)])
def test_every_pixel_is_in_a_tile_and_none_is_idle(size: tuple[int, int]) -> None:
    seen = np.zeros(size, dtype=int)
    for y, x in tile_corners(*size):
        part = seen[y : y + SIDE_PX, x : x + SIDE_PX]
        assert (part == 0).any()  # it shows something that no tile before it has shown
        part += 1
    assert seen.min() >= 1


def test_neighbours_share_a_quarter() -> None:
    assert list(tile_corners(512, 1280)) == [(0, 0), (0, 384), (0, 768)]
    assert SIDE_PX // 4 == 512 - 384


def test_beyond_the_field_a_tile_is_zero() -> None:
    planes = np.ones((2, 600, 500), dtype=np.float32)
    tile = cut_tile(planes, 384, 0)
    assert tile.shape == (2, 512, 512)
    assert tile.dtype == np.float32
    assert tile[:, :216, :500].all()
    assert tile.sum() == 2 * 216 * 500
