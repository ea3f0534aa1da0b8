"""Overlap, classes and notes in files: carried, or said to be left out; nothing is lost without a word."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labeling.formats import FORMATS, Format, FormatError, LabelClass, LabelledCell, LabelSet
from labeling.formats.coco import read, write
from labeling.rle import BoxMask

DEAD = LabelClass(name="Dead", id="11111111-1111-4111-8111-111111111111", colour="#aa0000")
ALIVE = LabelClass(name="Alive")


def square(label: int, x: int, y: int, side: int = 10, **facts: Any) -> LabelledCell:
    return LabelledCell(label=label, mask=BoxMask((x, y, x + side, y + side), (0, side * side)), **facts)


CELLS = (
    square(1, 0, 0, class_name="Dead", notes=("Two cells?", "No")),
    square(2, 5, 5, class_name="Alive"),
    square(3, 5, 5, side=4),
)
FULL = LabelSet(
    height=40, width=60, cells=CELLS, image_name="a.tif", classes=(DEAD, ALIVE), notes=("Blurred",)
)


def test_coco_carries_classes_notes_and_overlap():
    assert read(write(FULL).data) == FULL
    assert write(FULL).report == ()


def test_coco_s_categories_are_what_other_programs_expect():
    document = json.loads(write(FULL).data)
    assert [(each["id"], each["name"]) for each in document["categories"]] == [
        (1, "cell"),
        (2, "Dead"),
        (3, "Alive"),
    ]
    assert [each["category_id"] for each in document["annotations"]] == [2, 3, 1]


def test_coco_of_another_program_brings_its_categories():
    document = json.loads(write(LabelSet(height=40, width=60, cells=CELLS[2:])).data)
    document["categories"] = [{"id": 7, "name": "neutrophil", "supercategory": "blood"}]
    document["annotations"][0]["category_id"] = 7
    labels = read(json.dumps(document).encode())
    assert labels.classes == (LabelClass(name="neutrophil"),)
    assert labels.cells[0].class_name == "neutrophil"


@pytest.mark.parametrize(
    "categories", [[{"id": 2, "name": "a"}, {"id": 3, "name": "a"}], [{"id": 2, "name": ""}]]
)
def test_coco_with_categories_that_cannot_be_told_apart_is_refused(categories: Any):
    document = json.loads(write(FULL).data) | {"categories": categories}
    with pytest.raises(FormatError, match="same name"):
        read(json.dumps(document).encode())


def test_a_label_image_says_what_it_leaves_out():
    report = FORMATS["label-tiff"].write(FULL).report
    assert report == (
        "2 cells lost 41 pixels to cells on top: a label image holds one cell a pixel. Labels: 1, 2.",
        "The classes of 2 cells are not in the file.",
        "3 notes are not in the file.",
    )


def pixels_of(labels: LabelSet) -> dict[int, set[tuple[int, int]]]:
    found = {}
    for cell in labels.cells:
        rows, columns = np.nonzero(cell.mask.mask())
        found[cell.label] = {
            (int(row) + cell.mask.box[1], int(column) + cell.mask.box[0])
            for row, column in zip(rows, columns, strict=True)
        }
    return found


@pytest.mark.parametrize("entry", FORMATS.values(), ids=FORMATS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_cells_that_share_pixels_are_carried_or_reported(entry: Format, data: Any):
    """Whatever overlaps: either every cell comes back whole, or the report says that pixels were lost."""
    places = data.draw(
        st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12), st.integers(1, 6)), max_size=6)
    )
    cells = tuple(square(n, x, y, side) for n, (x, y, side) in enumerate(places, 1))
    labels = LabelSet(height=18, width=18, cells=cells)
    written = entry.write(labels)
    before, after = pixels_of(labels), pixels_of(entry.read(written.data))
    assert (before == after) == (written.report == ())
    # A pixel of the topmost cell is never lost.
    for label in after:
        on_top = set.union(set(), *(before[other] for other in before if other > label))
        assert before[label] - on_top <= after[label] <= before[label]
