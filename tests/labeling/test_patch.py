"""The Patch, on the fixtures that the browser's tests read too."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.patch import CellState, Patch, PatchError
from labeling.rle import BoxMask, decode, encode
from tests.factories import cell

FIXTURES = Path(__file__).parent.parent / "fixtures"
CASE: dict[str, Any] = json.loads((FIXTURES / "patch.json").read_text())
RLE: list[dict[str, Any]] = json.loads((FIXTURES / "rle.json").read_text())["cases"]


def states(cells: list[Any]) -> dict[str, CellState]:
    return {item["id"]: CellState.from_json(item) for item in cells}


def test_it_works():
    patch = Patch.from_json(CASE["patch"])
    patch.validate(CASE["height"], CASE["width"])
    assert patch.apply(states(CASE["before"])) == states(CASE["after"])
    assert patch.to_json() == CASE["patch"]


def test_the_inverse_takes_it_back():
    patch = Patch.from_json(CASE["patch"])
    assert patch.invert().to_json() == CASE["inverse"]
    assert patch.invert().apply(states(CASE["after"])) == states(CASE["before"])


@pytest.mark.parametrize("invalid", CASE["invalid"], ids=lambda case: case["why"])
def test_it_refuses(invalid: Any):
    with pytest.raises(PatchError):
        Patch.from_json(invalid["patch"]).validate(CASE["height"], CASE["width"])


@pytest.mark.parametrize("value", [None, [], "patch", 1, {"added": [1], "updated": [], "removed": []}])
def test_it_refuses_what_is_no_patch(value: object):
    with pytest.raises(PatchError):
        Patch.from_json(value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("id", "not-a-uuid"),
        ("id", 7),
        ("label", True),
        ("label", 1.0),
        ("label", 2**31 - 1),  # the next one would not fit the image's row
        ("box", [0, 0, 1]),
        ("box", [0, 0, 1.5, 1]),
        ("rle", "0,4"),
        ("score", "high"),
        ("score", float("nan")),
        ("score", True),
        pytest.param("score", 10**400, id="score-huge"),
        ("model_version", "latest"),
        ("class_id", "nucleus"),
        ("class_id", 3),
        ("extra", 1),
    ],
)
def test_it_refuses_a_cell_with_a_wrong_value(key: str, value: object):
    with pytest.raises(PatchError):
        CellState.from_json(CASE["before"][0] | {key: value})


def test_a_cell_of_the_time_before_classes_has_none():
    old, new = CASE["without_class"]["cell"], CASE["without_class"]["read"]
    assert "class_id" not in old
    assert CellState.from_json(old) == CellState.from_json(new)
    assert CellState.from_json(old).to_json() == new


def test_a_patch_of_the_time_before_classes_still_applies():
    old = {"added": [], "updated": [], "removed": [CASE["without_class"]["cell"]]}
    before = states(CASE["before"])
    assert len(Patch.from_json(old).apply(before)) == len(before) - 1


def test_apply_refuses_a_cell_whose_class_is_not_as_the_patch_says():
    state = cell(BoxMask((0, 0, 1, 1), (0, 1)), label=1)
    classed = CellState.from_json(state.to_json() | {"class_id": "22222222-2222-4222-8222-222222222222"})
    with pytest.raises(PatchError, match="not as the patch says"):
        Patch(removed=(state,)).apply({classed.id: classed})


def test_apply_refuses_a_cell_that_is_not_as_the_patch_says():
    before = states(CASE["before"])
    with pytest.raises(PatchError, match="not as the patch says"):
        Patch.from_json(CASE["patch"]).invert().apply(before)


def test_apply_refuses_a_cell_that_exists():
    state = cell(BoxMask((0, 0, 1, 1), (0, 1)), label=1)
    with pytest.raises(PatchError, match="exists already"):
        Patch(added=(state,)).apply({state.id: state})


@pytest.mark.parametrize("case", RLE, ids=lambda case: case["name"])
def test_runs_agree_with_the_fixture(case: Any):
    rows = [[letter == "#" for letter in row] for row in case["rows"]]
    mask = decode(case["rle"], case["height"], case["width"])
    assert mask.tolist() == rows
    assert encode(mask) == case["rle"]
    tight = BoxMask.from_mask(mask, x=case["x"], y=case["y"])
    wanted = case["tight"]
    assert (tight and {"box": list(tight.box), "rle": list(tight.rle), "area": tight.area}) == wanted


@given(st.integers(1, 6), st.integers(1, 6), st.data())
def test_a_box_is_tight_exactly_if_the_mask_reaches_its_sides(height: int, width: int, data: st.DataObject):
    import numpy as np

    mask = np.array(data.draw(st.lists(st.booleans(), min_size=height * width, max_size=height * width)))
    mask = mask.reshape(height, width)
    reaches = mask[0].any() and mask[-1].any() and mask[:, 0].any() and mask[:, -1].any()
    state = cell(BoxMask((3, 2, 3 + width, 2 + height), tuple(encode(mask))), label=1)
    if reaches:
        state.validate(20, 20)
    else:
        with pytest.raises(PatchError):
            state.validate(20, 20)
