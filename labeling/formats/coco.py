"""COCO instance JSON of one image, with a run-length mask for each cell.

COCO counts runs column-major over the whole image, background first, and packs them into a string; both that form and
the plain list are read. ``bbox`` is [x, y, width, height], ``iscrowd`` 0. Cells may overlap. CellLoop's own facts are
kept in extra fields of an annotation (cell_id, label, source, notes), of an image (notes) and of a category (class_id,
color), where other readers ignore them. Category 1 is a cell without a class; the classes follow in their order.
"""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labeling.formats.label_set import (
    MAX_PIXELS,
    CellSource,
    FormatError,
    LabelClass,
    LabelledCell,
    LabelSet,
    Written,
)
from labeling.rle import BoxMask

_IMAGE_ID = 1
_NO_CLASS_ID = 1
_CATEGORY = {"id": _NO_CLASS_ID, "name": "cell", "supercategory": "cell"}
_GROUPS = 13  # 5-bit groups that a 64-bit count can take

Runs = NDArray[np.int64]


def write(labels: LabelSet) -> Written:
    """A COCO document with one image, a category a class and an annotation a cell. KeyError for a class that the set
    does not list."""
    category_ids = {"": _NO_CLASS_ID} | {each.name: n for n, each in enumerate(labels.classes, 2)}
    document = {
        "info": {"description": "Cells exported from CellLoop", "version": "1.0"},
        "licenses": [],
        "images": [
            {
                "id": _IMAGE_ID,
                "file_name": labels.image_name,
                "height": labels.height,
                "width": labels.width,
                **({"notes": list(labels.notes)} if labels.notes else {}),
            }
        ],
        "categories": [_CATEGORY, *(_category(n, each) for n, each in enumerate(labels.classes, 2))],
        "annotations": [
            _annotation(n, cell, labels, category_ids[cell.class_name])
            for n, cell in enumerate(labels.cells, 1)
        ],
    }
    return Written(json.dumps(document, separators=(",", ":")).encode())


def read(data: bytes) -> LabelSet:
    """Cells of a COCO document with one image. Raises FormatError; polygons are not read."""
    try:
        document = json.loads(data)
        images, annotations = document["images"], document["annotations"]
        if len(images) != 1:
            raise FormatError(f"the document has {len(images)} images; one is expected")
        height, width = int(images[0]["height"]), int(images[0]["width"])
        name = str(images[0].get("file_name", ""))
        _check_size(height, width)
        classes = _classes(document.get("categories", []))
        cells = tuple(
            _cell(n, annotation, height, width, classes) for n, annotation in enumerate(annotations, 1)
        )
        notes = _notes(images[0])
    except FormatError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        raise FormatError("this is not a COCO document, or a field is missing") from error
    if len({cell.label for cell in cells}) != len(cells):
        raise FormatError("two annotations have the same label")
    return LabelSet(
        height=height, width=width, cells=cells, image_name=name, classes=tuple(classes.values()), notes=notes
    )


def column_major_counts(mask: BoxMask, height: int, width: int) -> list[int]:
    """COCO's runs of a mask over the whole (height, width) image. Costs the box, not the image."""
    x0, y0, x1, y1 = mask.box
    if x0 < 0 or y0 < 0 or x1 > width or y1 > height:
        raise FormatError(f"a cell's box {mask.box} lies outside the {width} x {height} image")
    columns = np.zeros((x1 - x0, y1 - y0 + 1), dtype=bool)  # the spare row ends each column's last run
    columns[:, :-1] = mask.mask().T
    flat = np.concatenate(([False], columns.ravel()))
    edges = np.flatnonzero(flat[1:] != flat[:-1])
    column, row = edges // (y1 - y0 + 1), edges % (y1 - y0 + 1)
    positions = (x0 + column) * height + y0 + row
    # A run to the image's last row ends where the next column begins: equal edges cancel.
    starts, ends = positions[0::2], positions[1::2]
    joined = starts[1:] == ends[:-1]
    kept = np.sort(np.concatenate((starts[np.r_[True, ~joined]], ends[np.r_[~joined, True]])))
    bounds = np.concatenate(([0], kept, [height * width]))
    counts: list[int] = np.diff(bounds).tolist()
    return counts[:-1] if counts[-1] == 0 else counts


def mask_of_counts(counts: list[int], height: int, width: int) -> BoxMask | None:
    """The mask of COCO's runs; None if no pixel is set. Raises FormatError. Costs the mask's own box."""
    runs = np.asarray(counts, dtype=np.int64)
    if runs.ndim != 1 or (runs < 0).any() or int(runs.sum()) != height * width:
        raise FormatError(f"mask counts do not add up to {width} x {height} pixels")
    ends = np.cumsum(runs)[1::2]
    starts = ends - runs[1::2]
    starts, ends = starts[ends > starts], ends[ends > starts]
    if starts.size == 0:
        return None
    x0, x1 = int(starts[0] // height), int((ends[-1] - 1) // height) + 1
    columns = np.zeros(((x1 - x0) * height,), dtype=np.int8)
    np.add.at(columns, starts - x0 * height, 1)
    inside = ends - x0 * height < columns.size
    np.add.at(columns, (ends - x0 * height)[inside], -1)
    return BoxMask.from_mask(np.cumsum(columns, dtype=np.int8).astype(bool).reshape(x1 - x0, height).T, x=x0)


def compress(counts: list[int]) -> str:
    """COCO's string form: each count less the one two before it, in 5-bit groups, low group first, plus 48.

    The sixth bit of a group says that another follows; the last group's fifth bit is the sign.
    """
    values = np.asarray(counts, dtype=np.int64)
    deltas = values.copy()
    deltas[3:] -= values[1:-2]
    shifted = deltas[:, None] >> (5 * np.arange(_GROUPS))  # (n, groups)
    groups, rest = shifted & 31, shifted >> 5
    finished = np.where(groups & 16, rest == -1, rest == 0)
    last = finished.argmax(axis=1)
    place = np.arange(_GROUPS)
    codes = groups + 48 + np.where(place < last[:, None], 32, 0)
    return bytes(codes[place <= last[:, None]].tolist()).decode("ascii")


def decompress(text: str) -> list[int]:
    """The counts of COCO's string form. Raises FormatError."""
    counts: list[int] = []
    value = shift = 0
    for byte in text.encode("ascii", "replace"):
        code = byte - 48
        if not 0 <= code < 64 or shift > 60:
            raise FormatError("a mask string is damaged")
        value |= (code & 31) << shift
        shift += 5
        if code & 32:
            continue
        if code & 16:
            value -= 1 << shift
        counts.append(value + counts[-2] if len(counts) > 2 else value)
        value = shift = 0
    if shift:
        raise FormatError("a mask string is cut short")
    return counts


def _category(number: int, each: LabelClass) -> dict[str, Any]:
    ours = {"class_id": each.id, "color": each.colour}
    return {"id": number, "name": each.name, "supercategory": "cell"} | {k: v for k, v in ours.items() if v}


def _classes(categories: list[dict[str, Any]]) -> dict[int, LabelClass]:
    """The classes by category id. Our own category of cells without a class is none."""
    classes = {
        int(each["id"]): LabelClass(
            name=str(each["name"]), id=str(each.get("class_id", "")), colour=str(each.get("color", ""))
        )
        for each in categories
        if not (each["id"] == _NO_CLASS_ID and each["name"] == _CATEGORY["name"])
    }
    if len({each.name for each in classes.values()}) != len(classes) or "" in {
        c.name for c in classes.values()
    }:
        raise FormatError("two categories have the same name, or one has none")
    return classes


def _notes(value: dict[str, Any]) -> tuple[str, ...]:
    return tuple(str(note) for note in value.get("notes", []))


def _annotation(number: int, cell: LabelledCell, labels: LabelSet, category_id: int) -> dict[str, Any]:
    x0, y0, x1, y1 = cell.mask.box
    height, width = labels.height, labels.width
    annotation = {
        "id": number,
        "image_id": _IMAGE_ID,
        "category_id": category_id,
        "segmentation": {
            "size": [height, width],
            "counts": compress(column_major_counts(cell.mask, height, width)),
        },
        "bbox": [x0, y0, x1 - x0, y1 - y0],
        "area": cell.mask.area,
        "iscrowd": 0,
        "cell_id": cell.id,
        "label": cell.label,
        "source": cell.source,
    }
    if cell.notes:
        annotation["notes"] = list(cell.notes)
    # Left out when there is none: COCO's own evaluation takes a "score" to be a number.
    return annotation if cell.score is None else {**annotation, "score": cell.score}


def _cell(
    number: int, annotation: dict[str, Any], height: int, width: int, classes: dict[int, LabelClass]
) -> LabelledCell:
    segmentation = annotation["segmentation"]
    if not isinstance(segmentation, dict):
        raise FormatError(f"annotation {number} is a polygon; masks with counts are read")
    if list(segmentation["size"]) != [height, width]:
        raise FormatError(f"annotation {number} has the size of another image")
    counts = segmentation["counts"]
    mask = mask_of_counts(decompress(counts) if isinstance(counts, str) else counts, height, width)
    if mask is None:
        raise FormatError(f"annotation {number} has no pixel")
    label, score = int(annotation.get("label", number)), annotation.get("score")
    if label < 1 or (score is not None and not math.isfinite(score)):
        raise FormatError(f"annotation {number} has an impossible label or score")
    its_class = classes.get(annotation.get("category_id", _NO_CLASS_ID))
    source: CellSource = "model" if annotation.get("source") == "model" else "person"
    return LabelledCell(
        label=label,
        mask=mask,
        id=str(annotation.get("cell_id", "")),
        score=None if score is None else float(score),
        source=source,
        class_name=its_class.name if its_class else "",
        notes=_notes(annotation),
    )


def _check_size(height: int, width: int) -> None:
    if height < 1 or width < 1 or height * width > MAX_PIXELS:
        raise FormatError(f"an image of {width} x {height} pixels cannot be read")
