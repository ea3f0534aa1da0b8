from __future__ import annotations

import numpy as np
import pytest
from skimage import exposure

from worker.cellsam.channels import equalised
from worker.cellsam.data.equalisation import equalised_channels


@pytest.fixture
def noisy() -> np.ndarray:
    return np.random.default_rng(0).integers(100, 3000, (150, 200), dtype=np.uint16)


def test_it_is_clahe_with_a_kernel_of_128(noisy: np.ndarray) -> None:
    scaled = (noisy - noisy.min()) / (noisy.max() - noisy.min())
    expected = exposure.equalize_adapthist(scaled, kernel_size=128)
    np.testing.assert_allclose(equalised(noisy), expected, atol=1e-6)
    assert not np.allclose(equalised(noisy), exposure.equalize_adapthist(scaled, kernel_size=64), atol=1e-3)


def test_a_constant_channel_becomes_zeros() -> None:
    assert not equalised(np.full((64, 64), 7, np.uint16)).any()


def test_whole_cells_go_to_blue_nuclei_to_green_and_red_is_blank(noisy: np.ndarray) -> None:
    image = np.stack([noisy, noisy[::-1]], axis=-1)
    channels = equalised_channels(image, ("nuclear", "whole_cell"))

    assert channels.dtype == np.float32
    assert channels.shape == (3, 150, 200)
    assert 0 <= channels.min() < channels.max() <= 1
    assert not channels[0].any()
    np.testing.assert_array_equal(channels[1], equalised(noisy))
    np.testing.assert_array_equal(channels[2], equalised(noisy[::-1]))


@pytest.mark.parametrize("role", ["nuclear", "whole_cell"])
def test_a_lone_channel_goes_to_blue(role: str, noisy: np.ndarray) -> None:
    channels = equalised_channels(noisy, (role,))
    assert not channels[:2].any()
    np.testing.assert_array_equal(channels[2], equalised(noisy))


def test_a_stained_image_becomes_gray_in_blue_or_keeps_its_colours(noisy: np.ndarray) -> None:
    low = noisy // 2
    stained = np.stack([noisy, low, low], axis=-1)

    gray = equalised_channels(stained, ("rgb",))
    assert not gray[:2].any()
    assert gray[2].any()
    red, green, blue = equalised_channels(stained, ("rgb",), keep_colour=True)
    assert red.mean() > 1.2 * green.mean()
    np.testing.assert_allclose(green, blue, atol=1e-6)


def test_an_image_smaller_than_the_kernel_is_equalised() -> None:
    ramp = np.arange(400, dtype=np.uint8).reshape(20, 20)
    assert equalised(ramp).max() == pytest.approx(1, abs=0.01)
