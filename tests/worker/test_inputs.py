"""An image of the database as the model takes it: in one piece or in parts, the same samples of the same channels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings
from django.core.files.storage import default_storage

from labeling.errors import Conflict
from labeling.models import Image, Project
from labeling.pyramid import write_pyramid
from worker.cellsam import load
from worker.cellsam.model_input import ModelInput
from worker.cellsam.sources import PyramidSource
from worker.tasks import inputs
from worker.tasks.inputs import open_image, read_image

HEIGHT, WIDTH = 600, 530
SAMPLES = np.random.default_rng(0).integers(0, 60_000, (4, HEIGHT, WIDTH)).astype(np.uint16)
MAPS: dict[str, tuple[list[str], dict[str, Any] | None]] = {
    "one": (["a"], None),
    "two of four": (["a", "b", "c", "d"], {"nuclear": "d", "whole_cell": "b", "rgb": False}),
    "colour": (["Red", "Green", "Blue"], {"nuclear": None, "whole_cell": None, "rgb": True}),
}


def image_of(folder: Path, names: list[str], channel_map: dict[str, Any] | None) -> Image:
    """As ingest leaves it; not in the database."""
    write_pyramid(SAMPLES[: len(names)], folder / "pyramid.tif")
    image = Image(
        name="image.tif", width=WIDTH, height=HEIGHT, channels=[{"name": name} for name in names],
        project=Project(channel_map=channel_map),
    )  # fmt: skip
    image.pyramid.name = str(folder / "pyramid.tif")
    return image


@pytest.fixture
def in_parts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Images of any size are large. Where their files may lie."""
    monkeypatch.setattr(inputs, "WHOLE_PX", 0)
    monkeypatch.setattr(inputs, "PAUSE_EVERY_S", 0.0)
    folder = Path(default_storage.path(tmp_path.name))
    folder.mkdir(parents=True)
    return folder


@pytest.mark.parametrize("kind", MAPS)
def test_in_parts_it_gives_the_model_the_same_numbers(in_parts: Path, kind: str) -> None:
    image = image_of(in_parts, *MAPS[kind])
    pauses: list[None] = []
    whole, roles = read_image(image)
    opened, same_roles = open_image(image, pause=lambda: pauses.append(None))

    assert isinstance(opened, PyramidSource)
    assert same_roles == roles
    assert np.array_equal(opened.read((0, 0, WIDTH, HEIGHT)), whole)
    config = load(settings.CELLLOOP_WEIGHTS).config
    one, other = (ModelInput.of(pixels, roles, config) for pixels in (whole, opened))
    assert len(one.frame.tiles) > 4
    assert all((one.tile(index) == other.tile(index)).all() for index in range(len(one.frame.tiles)))
    assert len(pauses) > len(one.frame.tiles)  # before the first tile, too


def test_a_small_image_is_read_at_once(in_parts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "WHOLE_PX", HEIGHT * WIDTH)
    image = image_of(in_parts, *MAPS["one"])
    assert isinstance(open_image(image, pause=lambda: None)[0], np.ndarray)


def test_channels_without_a_part_are_asked_for(in_parts: Path) -> None:
    image = image_of(in_parts, ["a", "b"], None)
    with pytest.raises(Conflict, match="not mapped"):
        open_image(image, pause=lambda: None)
