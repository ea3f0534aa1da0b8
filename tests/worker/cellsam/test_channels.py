from __future__ import annotations

import numpy as np
import pytest

from worker.cellsam.channels import ImageError, model_channels


def gradient(dtype: str = "uint8", factor: float = 1) -> np.ndarray:
    return (np.arange(100 * 100).reshape(100, 100) / 39.2 * factor).astype(dtype)


def test_a_lone_channel_of_either_kind_is_blue() -> None:
    for roles in (None, ("nuclear",), ("whole_cell",)):
        red, green, blue = model_channels(gradient(), roles)
        assert not red.any()
        assert not green.any()
        assert blue.max() == 1


def test_two_channels_are_green_nuclear_and_blue_whole_cell_in_any_order() -> None:
    nuclear, whole = gradient(), gradient()[::-1]
    one = model_channels(np.stack([nuclear, whole], -1), ("nuclear", "whole_cell"))
    other = model_channels(np.stack([whole, nuclear], -1), ("whole_cell", "nuclear"))

    assert np.array_equal(one, other)
    assert one[1, 0, 0] < one[1, -1, -1]
    assert one[2, 0, 0] > one[2, -1, -1]


def test_a_model_that_knows_colour_gets_red_green_and_gray() -> None:
    stained = np.stack([gradient(), gradient()[::-1], np.zeros_like(gradient())], -1)

    red, green, gray = model_channels(stained, ("rgb",), colour=True)

    assert red[-1, -1] > red[0, 0]
    assert green[0, 0] > green[-1, -1]
    assert np.array_equal(gray, model_channels(stained, ("rgb",))[2])
    assert np.array_equal(gray, model_channels(np.dstack([stained, gradient()]), ("rgb",), colour=True)[2])


def test_an_rgb_file_without_colour_is_gray() -> None:
    red, green, gray = model_channels(np.stack([gradient()] * 3, -1), ("rgb",), colour=True)
    assert not red.any()
    assert not green.any()
    assert gray.max() == 1


def test_a_stained_image_becomes_gray() -> None:
    stained = np.stack([gradient()] * 3, -1)
    assert np.allclose(model_channels(stained)[2], model_channels(gradient())[2], atol=0.01)


@pytest.mark.parametrize(
    ("dtype", "factor"), [("uint16", 200), ("float32", 0.001), ("float64", 1e6), ("int32", -1)]
)
def test_the_scale_of_the_camera_does_not_matter(dtype: str, factor: float) -> None:
    blue = model_channels(gradient(dtype, factor))[2]
    assert blue.min() == 0
    assert blue.max() == 1


@pytest.mark.parametrize("value", [0, 7, 255])
def test_a_constant_image_is_blank(value: int) -> None:
    assert not model_channels(np.full((9, 9), value, dtype=np.uint8)).any()


def test_noise_of_an_empty_field_stays_small() -> None:
    noise = np.random.default_rng(0).integers(100, 103, (64, 64)).astype(np.uint8)
    assert model_channels(noise)[2].max() < 0.3


@pytest.mark.parametrize(
    ("image", "roles", "reason"),
    [
        (np.array([[1.0, np.nan]]), None, "NaN"),
        (np.array([[1.0, np.inf]]), None, "infinite"),
        (np.zeros((0, 5), np.uint8), None, "no pixels"),
        (np.zeros(5, np.uint8), None, "shape"),
        (np.zeros((2, 2, 2, 2), np.uint8), None, "shape"),
        (np.zeros((4, 4, 5), np.uint8), None, "5 channels"),
        (np.zeros((4, 4), complex), None, "complex"),
        (np.full((4, 4), "x"), None, "not supported"),
        (np.zeros((4, 4, 2), np.uint8), ("rgb",), "3 or 4 channels"),
        (np.zeros((4, 4, 2), np.uint8), ("nuclear",), "1 channel roles for 2"),
        (np.zeros((4, 4, 2), np.uint8), ("nuclear", "nuclear"), "combined"),
        (np.zeros((4, 4), np.uint8), ("golgi",), "unknown channel role"),
    ],
)
def test_it_names_what_is_wrong(image: np.ndarray, roles: tuple[str, ...] | None, reason: str) -> None:
    with pytest.raises(ImageError, match=reason):
        model_channels(image, roles)
