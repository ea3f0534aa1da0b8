"""The released package's cutting and joining of large images: what it gave is in tests/fixtures/parity/."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from worker.cellsam.blocks import Blocks, segment_blocks

GOLDEN = np.load(Path(__file__).parents[2] / "fixtures" / "parity" / "blocks.npz")
PARAMETERS = json.loads(bytes(GOLDEN["meta_json"]))
BRIGHT = GOLDEN["a"] > 0  # the segmenter was a threshold, so its labels tell which pixels pass
IMAGES = {
    "a": BRIGHT,
    "b": np.concatenate([BRIGHT, BRIGHT[:, ::-1]], axis=1)[:700, :900],
    "c": BRIGHT[:300, :330],
}


def components(block: NDArray[Any]) -> NDArray[np.int32]:
    return np.asarray(ndimage.label(block)[0], dtype=np.int32)


@pytest.mark.parametrize("case", ["a", "b", "c"])
def test_cells_on_seams_are_joined_as_released(case: str) -> None:
    given = PARAMETERS[case]
    blocks = Blocks(given["block_size"], given["overlap"], given["iou_depth"], given["iou_threshold"])

    found = segment_blocks(IMAGES[case], components, blocks).labels

    golden = GOLDEN[case]
    assert np.array_equal(found > 0, golden > 0)
    pairs = np.unique(np.stack([found.ravel(), golden.ravel()]), axis=1)
    assert pairs.shape[1] == len(np.unique(golden)) == found.max() + 1  # one to one, numbered without gaps


def test_the_opposite_border_is_seen() -> None:
    seen: list[NDArray[Any]] = []
    image = np.arange(12).reshape(1, 12).repeat(10, axis=0)

    segment_blocks(image, lambda block: seen.append(block) or components(block * 0), Blocks(12, 2, 2))  # type: ignore[func-returns-value]

    assert seen[0].shape == (14, 16)
    assert seen[0][0].tolist() == [10, 11, *range(12), 0, 1]


def test_each_blocks_label_says_what_became_of_it() -> None:
    image = np.zeros((40, 100), dtype=bool)
    image[10:20, 40:60] = True  # on the seam
    image[30:35, 5:10] = True

    found = segment_blocks(image, components, Blocks(50, 10, 10))

    assert found.labels.max() == 2
    assert found.labels[15, 41] == found.labels[15, 58]
    whole = found.labels[15, 50]
    assert np.count_nonzero(found.parts == whole) == 2
