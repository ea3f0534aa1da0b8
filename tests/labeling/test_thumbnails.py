"""Thumbnails and outlines: the same size, the true shapes, colours that tell neighbours apart."""

import io
import time
from typing import Any

import numpy as np
import pytest
from PIL import Image

from labeling.pixels import RGB_NAMES
from labeling.rle import BoxMask, masks_of_labels
from labeling.simulate import simulate
from labeling.thumbnails import outlines_png, thumbnail, thumbnail_size


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def rgba(data: bytes) -> np.ndarray:
    return np.asarray(opened(data).convert("RGBA"))


def test_it_works() -> None:
    scene = simulate("tissue", height=400, width=600, cells=60, seed=1)
    small = opened(thumbnail(scene.image, channel_names=scene.channel_names))
    layer = opened(
        outlines_png(400, 600, [(label, mask, False) for label, mask in masks_of_labels(scene.labels)])
    )
    assert (small.format, small.size) == ("WEBP", (384, 256))
    assert (layer.format, layer.size) == ("PNG", (384, 256))


@pytest.mark.parametrize(
    ("shape", "size"), [((100, 50), (100, 50)), ((4000, 1000), (384, 96)), ((1, 9000), (1, 384))]
)
def test_it_is_never_enlarged_and_keeps_its_shape(shape: Any, size: Any) -> None:
    assert thumbnail_size(*shape) == size
    assert opened(thumbnail(np.zeros((1, *shape), np.uint16))).size == size[::-1]


def test_one_channel_is_grey_with_its_own_contrast() -> None:
    image = np.full((1, 60, 80), 1000, np.uint16)
    image[0, 20:40, 20:60] = 1400
    shown = np.asarray(opened(thumbnail(image)).convert("RGB")).astype(int)
    assert shown[30, 40].min() > 240
    assert shown[5, 5].max() < 15


def test_channels_have_their_colours() -> None:
    image = np.zeros((2, 60, 80), np.uint16)
    image[0, 10:50, 10:30] = 500
    image[1, 10:50, 50:70] = 9000
    shown = np.asarray(opened(thumbnail(image, channel_names=("DAPI", "Actin"))).convert("RGB")).astype(int)
    assert np.abs(shown[30, 20] - (0x6C, 0x9C, 0xFF)).max() < 30
    assert np.abs(shown[30, 60] - (0xF5, 0x82, 0x4A)).max() < 30


def test_a_picture_keeps_its_colours() -> None:
    image = np.empty((3, 60, 80), np.uint8)
    image[:] = np.array([200, 120, 180], np.uint8)[:, None, None]
    shown = np.asarray(opened(thumbnail(image, channel_names=RGB_NAMES)).convert("RGB")).astype(int)
    assert np.abs(shown[30, 40] - (200, 120, 180)).max() < 8


def test_outlines_follow_the_mask_and_leave_the_rest_clear() -> None:
    mask = np.zeros((60, 80), bool)
    mask[20:40, 30:60] = True
    cell = BoxMask.from_mask(mask)
    assert cell is not None
    layer = rgba(outlines_png(60, 80, [(1, cell, False)]))
    solid = layer[..., 3] == 255
    rim = mask.copy()
    rim[21:39, 31:59] = False
    assert np.array_equal(solid, rim)
    assert (layer[~mask, 3] <= 160).all()
    assert layer[0, 0, 3] == 0
    assert 0 < layer[30, 45, 3] < 80


def test_a_cell_to_check_is_amber() -> None:
    cell = BoxMask(box=(10, 10, 30, 30), rle=(0, 400))
    layer = rgba(outlines_png(60, 80, [(1, cell, True)]))
    assert layer[10, 20, :3].tolist() == [0xFF, 0xB7, 0x2E]


def test_the_later_cell_lies_on_top() -> None:
    low, top = BoxMask((0, 0, 20, 20), (0, 400)), BoxMask((0, 0, 20, 20), (0, 400))
    layer = rgba(outlines_png(60, 80, [(1, low, True), (2, top, False)]))
    assert layer[0, 10, :3].tolist() != [0xFF, 0xB7, 0x2E]


def test_it_shows_the_owner_of_the_nearest_pixel_of_a_large_image() -> None:
    labels = simulate("nuclei", height=900, width=1200, cells=150, seed=2).labels
    layer = rgba(outlines_png(900, 1200, [(label, mask, False) for label, mask in masks_of_labels(labels)]))
    rows = ((np.arange(288) + 0.5) * 900 / 288).astype(int)
    columns = ((np.arange(384) + 0.5) * 1200 / 384).astype(int)
    inside = labels[np.ix_(rows, columns)] > 0
    assert ((layer[..., 3] == 255) <= inside).all()
    assert (layer[inside, 3] > 0).all()


def test_touching_cells_differ_in_colour() -> None:
    labels = np.kron(np.arange(1, 65, dtype=np.int32).reshape(8, 8), np.ones((30, 30), np.int32))
    layer = rgba(
        outlines_png(240, 240, [(label * 8, mask, False) for label, mask in masks_of_labels(labels)])
    )
    fills = layer[15::30, 15::30, :3].astype(int)
    assert (fills[:, 1:] != fills[:, :-1]).any(axis=2).all()
    assert (fills[1:] != fills[:-1]).any(axis=2).all()


def test_no_cells_and_cells_outside_the_image_draw_nothing_wrong() -> None:
    assert (rgba(outlines_png(50, 70, []))[..., 3] == 0).all()
    outside = BoxMask((60, 40, 90, 60), (0, 600))
    assert rgba(outlines_png(50, 70, [(1, outside, False)]))[45, 60, 3] == 255
    assert (rgba(outlines_png(50, 70, [(1, BoxMask((80, 5, 90, 15), (0, 100)), False)]))[..., 3] == 0).all()


def test_a_thousand_cells_take_less_than_60_ms() -> None:
    tile = simulate("nuclei", height=512, width=512, cells=130, seed=5).labels
    labels = np.block([[np.where(tile, tile + 200 * (4 * i + j), 0) for j in range(4)] for i in range(2)])
    cells = [(label, mask, label % 9 == 0) for label, mask in masks_of_labels(labels)]
    assert len(cells) >= 1000
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        outlines_png(labels.shape[0], labels.shape[1], cells)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.06
