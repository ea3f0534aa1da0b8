"""Every registered format: what is written is read back, and the report says what could not be carried."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labeling.formats import FORMATS, Format, FormatError, LabelledCell, LabelSet
from labeling.rle import BoxMask, masks_of_labels
from labeling.simulate import simulate

every_format = pytest.mark.parametrize("entry", FORMATS.values(), ids=FORMATS)


def simulated() -> LabelSet:
    labels = simulate("tissue", height=120, width=170, cells=30, seed=1).labels  # wider than tall
    cells = tuple(LabelledCell(label=label * 3, mask=mask) for label, mask in masks_of_labels(labels))
    return LabelSet(height=120, width=170, cells=cells)


def shapes(labels: LabelSet) -> tuple[int, int, dict[int, BoxMask]]:
    return labels.height, labels.width, {cell.label: cell.mask for cell in labels.cells}


@every_format
def test_it_works(entry: Format) -> None:
    labels = simulated()
    written = entry.write(labels)
    assert written.report == ()
    assert shapes(entry.read(written.data)) == shapes(labels)


@every_format
def test_no_cells_are_no_cells(entry: Format) -> None:
    empty = LabelSet(height=40, width=70, cells=())
    assert shapes(entry.read(entry.write(empty).data)) == (40, 70, {})


@every_format
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_label_map_survives(entry: Format, data: Any) -> None:
    height, width = data.draw(st.integers(1, 15)), data.draw(st.integers(1, 15))
    values = data.draw(
        st.lists(st.sampled_from([0, 0, 1, 2, 7, 70_000]), min_size=height * width, max_size=height * width)
    )
    labels_hw = np.array(values, dtype=np.int32).reshape(height, width)
    cells = tuple(LabelledCell(label=label, mask=mask) for label, mask in masks_of_labels(labels_hw))
    labels = LabelSet(height=height, width=width, cells=cells)
    assert shapes(entry.read(entry.write(labels).data)) == shapes(labels)


@every_format
@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[1]", b"II*\x00", b'{"images": 3, "annotations": []}', b"\xff" * 50]
)
def test_it_rejects_other_files(entry: Format, data: Any) -> None:
    with pytest.raises(FormatError):
        entry.read(data)


def test_keys_and_endings_are_distinct() -> None:
    assert set(FORMATS) == {"label-tiff", "coco"}
    assert len({entry.suffix for entry in FORMATS.values()}) == len(FORMATS)
