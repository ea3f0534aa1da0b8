"""The images of the demonstration: all there, readable, and their truth fits them."""

import io
import sys
from importlib import metadata

import pytest

from labeling.demo_images import DemoImageMissing, demo_images, demo_images_at_hand
from labeling.pixels import read_pixels


def test_it_works() -> None:
    images = demo_images()
    assert 10 <= len(images) <= 15
    assert len({image.name for image in images}) == len(images)
    assert "stardist" not in sys.modules
    for image in images:
        pixels = read_pixels(io.BytesIO(image.data), image.name)
        mapped = {image.roles["nuclear"], image.roles["whole_cell"]} - {None}
        assert pixels.info.is_rgb if image.roles["rgb"] else mapped == set(pixels.channel_names)
        if image.truth is not None:
            assert image.truth.shape == pixels.array.shape[1:]
            assert image.truth.max() > 20


def test_real_images_and_two_channels_are_among_them() -> None:
    images = demo_images()
    assert sum(image.origin.startswith("Real") and image.truth is not None for image in images) >= 4
    both = [image for image in images if image.roles["nuclear"] and image.roles["whole_cell"]]
    assert len(both) >= 2


def test_the_same_packages_give_the_same_files() -> None:
    assert [image.data for image in demo_images()] == [image.data for image in demo_images()]


def test_a_missing_package_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_installed(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "files", none_installed)
    with pytest.raises(DemoImageMissing, match="stardist: run `make setup`"):
        demo_images()
    images, missing = demo_images_at_hand()
    assert all(image.origin.startswith("Simulated") for image in images)
    assert len(missing) == 2
