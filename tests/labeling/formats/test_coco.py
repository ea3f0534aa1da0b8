"""COCO, judged by its own reader: pycocotools."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from pycocotools import mask as reference
from pycocotools.coco import COCO

from labeling.formats import FormatError, LabelledCell, LabelSet
from labeling.formats.coco import column_major_counts, compress, decompress, mask_of_counts, read, write
from labeling.rle import BoxMask, masks_of_labels
from labeling.simulate import simulate

masks = hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=14))
CELL_ID = "0b1e7a52-4d5c-4bb0-9f55-0f3a5d7c1d11"


def scene() -> LabelSet:
    labels = simulate("nuclei", height=150, width=210, cells=25, seed=4).labels
    cells = tuple(
        LabelledCell(
            label=label, mask=mask, id=f"{CELL_ID[:-2]}{label:02}", score=label / 100, source="model"
        )
        for label, mask in masks_of_labels(labels)
    )
    return LabelSet(height=150, width=210, cells=cells, image_name="plate7_A01.tif")


def test_it_works(tmp_path: Path) -> None:
    labels = scene()
    path = tmp_path / "export.json"
    path.write_bytes(write(labels).data)
    coco = COCO(path)
    assert coco.imgs[1]["file_name"] == "plate7_A01.tif"
    assert (coco.imgs[1]["height"], coco.imgs[1]["width"]) == (150, 210)
    assert coco.cats[1]["name"] == "cell"
    annotations = coco.loadAnns(coco.getAnnIds(imgIds=[1]))
    assert len(annotations) == len(labels.cells)
    for annotation, cell in zip(annotations, labels.cells, strict=True):
        drawn = np.zeros((150, 210), dtype=np.int32)
        cell.mask.paint(drawn, 1)
        assert np.array_equal(coco.annToMask(annotation), drawn)
        assert annotation["bbox"] == reference.toBbox(annotation["segmentation"]).tolist()
        assert annotation["area"] == reference.area(annotation["segmentation"]) == cell.mask.area
        assert annotation["iscrowd"] == 0


def test_every_fact_of_a_cell_survives() -> None:
    labels = scene()
    assert read(write(labels).data) == labels
    drawn = LabelledCell(label=7, mask=BoxMask((1, 2, 3, 4), (0, 4)), id=CELL_ID, score=None, source="person")
    assert read(write(LabelSet(9, 5, (drawn,))).data).cells == (drawn,)


def test_cells_may_overlap() -> None:
    cells = tuple(LabelledCell(label=n, mask=BoxMask((n, 0, n + 6, 6), (0, 36))) for n in (1, 2, 3))
    written = write(LabelSet(height=8, width=20, cells=cells))
    assert written.report == ()
    assert read(written.data).cells == cells


@given(masks)
def test_counts_are_those_of_the_reference(mask: NDArray[Any]) -> None:
    cell = BoxMask.from_mask(mask)
    if cell is None:
        return
    packed = reference.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"].decode()
    counts = column_major_counts(cell, *mask.shape)
    assert compress(counts) == packed
    assert decompress(packed) == counts
    assert mask_of_counts(counts, *mask.shape) == cell


def test_counts_of_the_published_examples() -> None:
    """The two examples in the reference's own comments, as columns."""
    first, second = BoxMask((0, 2, 1, 7), (0, 3, 1, 1)), BoxMask((0, 0, 1, 6), (0, 6))
    assert column_major_counts(first, 7, 1) == [2, 3, 1, 1]
    assert column_major_counts(second, 7, 1) == [0, 6, 1]


def test_it_reads_plain_lists_of_counts() -> None:
    document = json.loads(write(scene()).data)
    for annotation in document["annotations"]:
        annotation["segmentation"]["counts"] = decompress(annotation["segmentation"]["counts"])
    assert read(json.dumps(document).encode()) == scene()


def test_large_counts_survive_compression() -> None:
    counts = [399_999_000, 1, 16, 15, 17, 31, 32, 2**40, 1, 2**40 - 7, 3]
    assert decompress(compress(counts)) == counts


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda a: a.update(segmentation=[[0, 0, 5, 0, 5, 5]]), "polygon"),
        (lambda a: a["segmentation"].update(size=[210, 150]), "size of another image"),
        (lambda a: a["segmentation"].update(counts="\x7f~~"), "damaged|cut short"),
        (lambda a: a["segmentation"].update(counts=[1, 2, 3]), "do not add up"),
        (lambda a: a["segmentation"].update(counts=[150 * 210]), "no pixel"),
        (lambda a: a["segmentation"].update(counts=[-5, 150 * 210 + 5]), "do not add up"),
        (lambda a: a.update(label=2), "same label"),
        (lambda a: a.update(label=0), "impossible"),
        (lambda a: a.pop("segmentation"), "field is missing"),
    ],
)
def test_it_rejects_impossible_annotations(change: Any, reason: str) -> None:
    document = json.loads(write(scene()).data)
    change(document["annotations"][0])
    with pytest.raises(FormatError, match=reason):
        read(json.dumps(document).encode())


@pytest.mark.parametrize(("height", "width"), [(0, 5), (100_000, 100_000), ("many", 5)])
def test_it_rejects_impossible_sizes(height: Any, width: Any) -> None:
    document = {"images": [{"height": height, "width": width}], "annotations": []}
    with pytest.raises(FormatError):
        read(json.dumps(document).encode())


def test_it_rejects_a_cell_outside_the_image() -> None:
    cell = LabelledCell(label=1, mask=BoxMask((5, 5, 10, 10), (0, 25)))
    with pytest.raises(FormatError, match="outside"):
        write(LabelSet(height=8, width=20, cells=(cell,)))
