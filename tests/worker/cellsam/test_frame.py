from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.cellsam.config import PAPER, TINY, TilingConfig
from worker.cellsam.preprocess import Frame

SMALL = TilingConfig(tile_px=64, scale=1, overlap_px=16)
SIZES = [(1, 1), (64, 64), (65, 64), (40, 5000), (5000, 40), (300, 170)]
sides = st.integers(1, 700)


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_each_tile_becomes_a_square_input(height: int, width: int) -> None:
    frame = Frame(height, width, SMALL)
    pixels = np.random.default_rng(0).random((3, height, width), dtype=np.float32)

    inputs = list(frame.inputs(pixels))

    assert len(inputs) == len(frame.tiles)
    assert {tuple(tile.shape) for tile in inputs} == {(3, 64, 64)}


def test_an_input_shows_the_pixels_of_its_tile() -> None:
    frame = Frame(100, 150, SMALL)
    pixels = np.random.default_rng(0).random((3, 100, 150), dtype=np.float32)

    for tile, shown in zip(frame.tiles, frame.inputs(pixels), strict=True):
        if tile.level == 0:
            assert np.array_equal(shown.numpy(), pixels[:, tile.y : tile.y + 64, tile.x : tile.x + 64])


def test_the_top_level_averages_the_whole_image() -> None:
    frame = Frame(128, 128, SMALL)
    pixels = np.random.default_rng(0).random((3, 128, 128), dtype=np.float32)

    top = list(frame.inputs(pixels))[-1].numpy()

    assert frame.levels == 2
    assert np.allclose(top, pixels.reshape(3, 64, 2, 64, 2).mean(axis=(2, 4)), atol=1e-6)


def test_a_scaled_input_is_larger_than_its_tile() -> None:
    frame = Frame(30, 30, PAPER.tiling)
    (shown,) = frame.inputs(np.zeros((3, 30, 30), dtype=np.float32))
    assert shown.shape == (3, 1024, 1024)


@given(height=sides, width=sides, tiling=st.sampled_from([SMALL, TINY.tiling, PAPER.tiling]), data=st.data())
@settings(max_examples=60, deadline=None)
def test_boxes_come_back_from_every_tile(
    height: int, width: int, tiling: TilingConfig, data: st.DataObject
) -> None:
    frame = Frame(height, width, tiling)
    tile = data.draw(st.sampled_from(frame.tiles))
    boxes = np.random.default_rng(0).uniform(0, max(height, width), (5, 4)).astype(np.float32)

    assert np.allclose(frame.to_image(frame.to_input(boxes, tile), tile), boxes, atol=1e-2)


@given(height=sides, width=sides, data=st.data())
@settings(max_examples=60, deadline=None)
def test_every_box_lies_wholly_in_its_tile(height: int, width: int, data: st.DataObject) -> None:
    frame = Frame(height, width, SMALL)
    x0, y0 = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    x1, y1 = data.draw(st.integers(x0 + 1, width)), data.draw(st.integers(y0 + 1, height))

    tile = frame.tiles[frame.tile_of_box(np.array([x0, y0, x1, y1], dtype=np.float32))]

    left, top, right, bottom = frame.tile_window(tile)
    assert left <= x0
    assert top <= y0
    assert x1 <= right
    assert y1 <= bottom


def test_small_boxes_are_decoded_at_full_resolution() -> None:
    frame = Frame(1000, 1000, TINY.tiling)
    for x in range(0, 960, 37):
        index = frame.tile_of_box(np.array([x, 500, x + 40, 540], dtype=np.float32))
        assert frame.tiles[index].level == 0


@given(height=sides, width=sides, data=st.data())
@settings(max_examples=60, deadline=None)
def test_every_point_belongs_to_one_tile(height: int, width: int, data: st.DataObject) -> None:
    frame = Frame(height, width, SMALL)
    x, y = (data.draw(st.floats(0, side, exclude_max=True, width=32)) for side in (width, height))
    box = np.array([[x, y, x, y]], dtype=np.float32)

    assert sum(bool(frame.owned(box, index)[0]) for index in frame.finest) == 1


def test_only_edges_behind_which_the_image_goes_on_cut_a_box() -> None:
    frame = Frame(64, 112, SMALL)  # two tiles side by side: x 0..64 and 48..112
    boxes = np.array([[0, 0, 20, 64], [40, 10, 64, 30], [48, 10, 70, 30], [90, 0, 112, 64]], dtype=np.float32)

    assert frame.cut(boxes[:2], 0).tolist() == [False, True]
    assert frame.cut(boxes[2:], 1).tolist() == [True, False]


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_masks_come_back_from_the_tile_that_decodes_their_box(height: int, width: int) -> None:
    frame = Frame(height, width, SMALL)
    x1, y1 = min(width, 30), min(height, 40)
    window = (0, 0, x1, y1)
    tile = frame.tiles[frame.tile_of_box(np.array(window, dtype=np.float32))]

    covered = frame.window_to_map(np.ones((y1, x1), dtype=bool), tile, window, 64)
    back = frame.map_to_window(covered, tile, window) > 0.5

    assert covered.max() == pytest.approx(1)
    assert back.mean() > 0.9


def test_a_map_is_interpolated_between_pixel_centres() -> None:
    frame = Frame(64, 64, SMALL)
    ramp = np.broadcast_to(
        np.arange(32, dtype=np.float32) * 2 + 1, (32, 32)
    ).copy()  # value = x of its centre

    read = frame.map_to_window(ramp, frame.tiles[0], (10, 10, 20, 12))

    assert np.allclose(read, np.arange(10, 20) + 0.5)


def test_reading_a_map_does_not_hang_on_the_precision_of_models() -> None:
    frame = Frame(64, 64, SMALL)
    values = np.random.default_rng(0).normal(size=(32, 32)).astype(np.float32)
    exact = frame.map_to_window(values, frame.tiles[0], (3, 5, 40, 60), through_input=True)

    with torch.autocast("cpu", torch.bfloat16):
        read = frame.map_to_window(values, frame.tiles[0], (3, 5, 40, 60), through_input=True)

    assert np.array_equal(read, exact)
