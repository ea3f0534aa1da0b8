from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from labeling.simulate import simulate
from worker.cellsam.data.duplicates import near_duplicates, without_near_duplicates
from worker.cellsam.data.manifest import Entry


class Folder:
    """Writes images and names them as entries."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def entry(self, name: str, pixels: np.ndarray, dataset: str = "set") -> Entry:
        path = self.path / f"{name}.png"
        Image.fromarray(pixels).save(path)
        return Entry(dataset, "nuclei", "train", path, path, "CC0-1.0", "one")


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def scene(seed: int) -> np.ndarray:
    return np.asarray(simulate("nuclei", height=300, width=340, cells=40, seed=seed).image[0])


def test_the_same_field_in_other_light_is_found(folder: Folder) -> None:
    field = scene(0)
    darker = (field * 0.6 + 300 + np.random.default_rng(0).normal(0, 10, field.shape)).astype(np.uint16)

    (pair,) = near_duplicates(
        [folder.entry("a", field)], [folder.entry("b", darker), folder.entry("c", scene(1))]
    )

    assert pair.other.image.stem == "b"
    assert pair.likeness > 0.9


def test_a_shifted_cut_of_the_same_field_is_found(folder: Folder) -> None:
    field = scene(2)
    one, other = field[:256, :256], field[40:296, 60:316]
    assert len(near_duplicates([folder.entry("a", one)], [folder.entry("b", other)])) == 1


def test_different_fields_are_not_alike(folder: Folder) -> None:
    others = [folder.entry(f"o{seed}", scene(seed)) for seed in range(3, 9)]
    assert near_duplicates([folder.entry("a", scene(2))], others) == []


def test_an_empty_image_is_like_nothing(folder: Folder) -> None:
    empty = folder.entry("a", np.zeros((60, 60), dtype=np.uint8))
    assert near_duplicates([empty], [empty, folder.entry("b", scene(1))]) == []


def test_data_sets_are_not_compared_with_each_other(folder: Folder) -> None:
    assert (
        near_duplicates([folder.entry("a", scene(0))], [folder.entry("b", scene(0), dataset="other")]) == []
    )


def test_leaking_images_are_taken_out_of_what_is_learned_from(folder: Folder) -> None:
    test, clean = folder.entry("test", scene(0)), folder.entry("clean", scene(1))
    entries, pairs = without_near_duplicates([folder.entry("leak", scene(0)), clean], [test])
    assert entries == [clean]
    assert [pair.kept for pair in pairs] == [test]
