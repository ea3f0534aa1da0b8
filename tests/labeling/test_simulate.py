"""Simulated microscopy: the same seed gives the same image, and the truth is a truth."""

from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from labeling.simulate import KINDS, simulate


@pytest.mark.parametrize("kind", KINDS)
def test_it_works(kind: Any) -> None:
    scene = simulate(kind, height=200, width=260, cells=40, seed=7)
    assert scene.image.shape == (len(scene.channel_names), 200, 260)
    assert scene.image.dtype == np.uint16
    assert scene.labels.shape == (200, 260)
    assert 25 <= scene.labels.max() <= 60
    named = {scene.roles["nuclear"], scene.roles["whole_cell"]} - {None}
    assert named == set(scene.channel_names)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_image(kind: Any) -> None:
    one, same = (simulate(kind, height=96, width=128, cells=15, seed=3) for _ in range(2))
    other = simulate(kind, height=96, width=128, cells=15, seed=4)
    assert np.array_equal(one.image, same.image)
    assert np.array_equal(one.labels, same.labels)
    assert not np.array_equal(one.labels, other.labels)


@pytest.mark.parametrize("kind", KINDS)
def test_each_label_is_one_piece_and_none_is_missing(kind: Any) -> None:
    labels = simulate(kind, height=256, width=200, cells=50, seed=11).labels
    present = np.unique(labels)
    assert present.tolist() == list(range(labels.max() + 1))
    assert [ndimage.label(labels == label)[1] for label in present[1:]] == [1] * labels.max()


@pytest.mark.parametrize(("kind", "channel"), [("nuclei", 0), ("rods", 0), ("tissue", 0), ("tissue", 1)])
def test_cells_are_brighter_than_what_is_between_them(kind: Any, channel: int) -> None:
    scene = simulate(kind, height=256, width=256, cells=40, seed=2)
    plane = scene.image[channel].astype(float)
    assert plane[scene.labels > 0].mean() > 1.5 * plane[scene.labels == 0].mean()


def test_the_camera_is_neither_clipped_nor_silent() -> None:
    for kind in KINDS:
        image = simulate(kind, height=256, width=256, cells=40, seed=2).image
        assert image.max() < 65535
        assert image.min() > 0
        assert all(len(np.unique(plane)) > 100 for plane in image)


def test_some_nuclei_touch() -> None:
    labels = simulate("nuclei", height=400, width=400, cells=120, seed=1).labels
    right, left = labels[:, 1:], labels[:, :-1]
    assert ((right != left) & (right > 0) & (left > 0)).any()


@pytest.mark.parametrize(("height", "cells"), [(16, 10), (100, 0)])
def test_it_rejects_what_cannot_be_drawn(height: Any, cells: int) -> None:
    with pytest.raises(ValueError, match="cannot be simulated"):
        simulate("nuclei", height=height, width=100, cells=cells, seed=0)
