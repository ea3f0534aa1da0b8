"""Images with their true cells, from a folder."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from labeling.annotator.campaign import chosen
from labeling.annotator.ground_truth import GroundTruthError, subjects
from labeling.annotator.records import Arm, Order, Plan
from labeling.rle import BoxMask


def folder(path: Path, images: dict[str, np.ndarray]) -> Path:
    """A manifest with an image a name, each with one square cell; the modality is the name's first part."""
    lines = ["dataset,modality,split,image,labels,licence,group"]
    labels = np.zeros((16, 16), np.uint16)
    labels[4:8, 2:10] = 5
    Image.fromarray(labels).save(path / "labels.png")
    for name, pixels in images.items():
        Image.fromarray(pixels).save(path / f"{name}.png")
        lines.append(f"set,{name.split('_')[0]},test,{name}.png,labels.png,CC0,{name}")
    (path / "manifest.csv").write_text("\n".join(lines) + "\n")
    return path


GRAY = np.full((16, 16), 9, np.uint8)
COLOUR = np.full((16, 16, 3), 9, np.uint8)
TWO_PARTS = COLOUR * np.array([0, 1, 1], np.uint8)


def test_a_subject_has_its_true_cells(tmp_path: Path):
    (one,) = subjects(folder(tmp_path, {"gray": GRAY}))
    assert one.truth == (BoxMask((2, 4, 10, 8), (0, 32)),)
    assert one.content == (tmp_path / "gray.png").read_bytes()


def test_channels_are_mapped_as_training_reads_them(tmp_path: Path):
    maps = [one.channel_map for one in subjects(folder(tmp_path, {"a": GRAY, "b": COLOUR, "c": TWO_PARTS}))]
    assert maps == [
        None,
        {"nuclear": None, "whole_cell": None, "rgb": True},
        {"nuclear": "Green", "whole_cell": "Blue", "rgb": False},
    ]


def test_images_are_chosen_by_modality(tmp_path: Path):
    found = subjects(
        folder(tmp_path, {"stained_1": COLOUR, "phase_1": GRAY, "phase_2": GRAY}), modality="phase"
    )
    assert [one.name for one in found] == ["phase_1.png", "phase_2.png"]


def test_the_middle_of_an_image_comes_with_what_it_shows_of_the_cells(tmp_path: Path):
    gray = np.arange(256, dtype=np.uint8).reshape(16, 16)
    images: list[np.ndarray] = [gray, gray.astype(np.uint16) * 200, np.stack([gray, gray.T, gray], axis=-1)]
    for number, pixels in enumerate(images):
        (tmp_path / f"{number}").mkdir()
        (one,) = subjects(folder(tmp_path / f"{number}", {"a": pixels}), crop_px=10)
        assert np.array_equal(np.asarray(Image.open(BytesIO(one.content))), pixels[3:13, 3:13])
        assert one.truth == (BoxMask((0, 1, 7, 5), (0, 28)),)
    (tmp_path / "sliver").mkdir()
    (sliver,) = subjects(folder(tmp_path / "sliver", {"a": gray}), crop_px=1)
    assert sliver.truth == ()


def test_what_is_not_there_is_said(tmp_path: Path):
    with pytest.raises(GroundTruthError, match="does not exist"):
        subjects(tmp_path)
    with pytest.raises(GroundTruthError, match="lists no such image"):
        subjects(folder(tmp_path, {"gray": GRAY}), splits=["val"])


def test_a_seed_gives_every_arm_the_same_images_in_the_same_order(tmp_path: Path):
    all_of_them = subjects(folder(tmp_path, {f"gray_{number}": GRAY for number in range(9)}))

    def names(arm: Arm, order: Order, seed: int) -> list[str]:
        return [one.name for one in chosen(Plan("A", arm, order, seed, 5, 2), all_of_them)]

    loop = names(Arm.LOOP, Order.RANDOM, 1)
    assert loop == names(Arm.BOXES, Order.RANDOM, 1) == names(Arm.LOOP, Order.LEARNED, 1)
    assert loop != names(Arm.LOOP, Order.RANDOM, 2)
    assert names(Arm.LOOP, Order.UPLOAD, 1) == sorted(loop)
