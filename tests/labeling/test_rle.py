"""Masks as run lengths: what goes in comes out, in the same form as the front end's."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from labeling.rle import BoxMask, RleError, decode, encode, masks_of_labels

FIXTURE = json.loads((Path(__file__).parent.parent / "fixtures" / "rle.json").read_text())
masks = hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12))
label_maps = hnp.arrays(
    np.int32, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12), elements=st.integers(0, 5)
)


def test_it_works() -> None:
    mask = np.array([[0, 1, 1], [1, 0, 0]], dtype=bool)
    assert encode(mask) == [1, 3, 2]
    assert np.array_equal(decode([1, 3, 2], 2, 3), mask)


@pytest.mark.parametrize("case", FIXTURE["cases"], ids=lambda case: case["name"])
def test_it_agrees_with_the_fixture_that_the_front_end_reads(case: Any) -> None:
    mask = np.array([[pixel == "#" for pixel in row] for row in case["rows"]]).reshape(
        case["height"], case["width"]
    )
    assert encode(mask) == case["rle"]
    tight = BoxMask.from_mask(mask, x=case["x"], y=case["y"])
    if case["tight"] is None:
        assert tight is None
    else:
        assert tight is not None
        assert (list(tight.box), list(tight.rle), tight.area) == tuple(
            case["tight"][k] for k in ("box", "rle", "area")
        )


@given(masks)
def test_a_mask_survives(mask: NDArray[Any]) -> None:
    runs = encode(mask)
    assert sum(runs) == mask.size
    assert all(run > 0 for run in runs[1:])
    assert np.array_equal(decode(runs, *mask.shape), mask)


@given(masks, st.integers(-5, 30), st.integers(-5, 30))
def test_a_box_mask_is_tight_and_stays_in_place(mask: NDArray[Any], x: int, y: int) -> None:
    cell = BoxMask.from_mask(mask, x=x, y=y)
    if cell is None:
        assert not mask.any()
        return
    inside = cell.mask()
    assert inside[0].any()
    assert inside[-1].any()
    assert inside[:, 0].any()
    assert inside[:, -1].any()
    canvas = np.zeros((60, 60), dtype=np.int32)
    cell.paint(canvas, 7)
    expected = np.zeros((80, 80), dtype=bool)
    expected[y + 10 : y + 10 + mask.shape[0], x + 10 : x + 10 + mask.shape[1]] = mask
    assert np.array_equal(canvas == 7, expected[10:70, 10:70])
    assert cell.area == mask.sum()


@given(masks, masks, st.integers(-6, 6), st.integers(-6, 6))
def test_intersection_and_iou_are_those_of_the_pixels(
    mask: NDArray[Any], other: NDArray[Any], x: int, y: int
) -> None:
    one, two = BoxMask.from_mask(mask, x=10, y=10), BoxMask.from_mask(other, x=10 + x, y=10 + y)
    if one is None or two is None:
        return
    a, b = np.zeros((40, 40), dtype=np.int32), np.zeros((40, 40), dtype=np.int32)
    one.paint(a, 1)
    two.paint(b, 1)
    shared, union = int((a & b).sum()), int((a | b).sum())
    assert one.intersection(two) == two.intersection(one) == shared
    assert one.iou(two) == pytest.approx(shared / union)


@given(label_maps)
def test_a_label_map_survives(labels: NDArray[Any]) -> None:
    drawn = np.zeros_like(labels)
    for label, mask in masks_of_labels(labels):
        mask.paint(drawn, label)
    assert np.array_equal(drawn, labels)


@pytest.mark.parametrize(
    ("runs", "reason"),
    [
        ([1, 2], "add up"),
        ([3, 0, 3], "positive"),
        ([-1, 7], "positive"),
        ([], "add up"),
        ([0, 6, 1], "add up"),
    ],
)
def test_it_rejects_runs_that_are_no_mask(runs: list[int], reason: str) -> None:
    with pytest.raises(RleError, match=reason):
        decode(runs, 2, 3)


def test_an_empty_mask_has_no_box() -> None:
    assert BoxMask.from_mask(np.zeros((4, 5), dtype=bool)) is None
    assert encode(np.zeros((0, 5), dtype=bool)) == []
    assert list(masks_of_labels(np.zeros((3, 3), dtype=np.int32))) == []
