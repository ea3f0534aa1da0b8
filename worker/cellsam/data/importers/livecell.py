"""LIVECell (Edlund et al. 2021, Nature Methods; sartorius-research.github.io/LIVECell): phase-contrast culture.

Layout: `livecell_coco_train.json`, `..._val.json`, `..._test.json` at any depth, with polygons that may overlap, and
images of the same names anywhere below the folder (`images/livecell_train_val_images/...`).

As in the paper's appendix, overlaps are removed and fields are enlarged twice: bicubic for the image, nearest for the
labels. A pixel claimed by several cells goes to the one whose median pixel is nearest; a cell of which more than
three quarters are claimed by others as well is left out and counted (after Pachitariu and Stringer 2022, who met the
same overlaps in this set).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage import draw, transform

from worker.cellsam.data.files import checked, existing_folder, read_image
from worker.cellsam.data.labelled import SPLITS, DataError, FieldPixels, LabelledField, Labels, Split

LICENCE = "CC-BY-NC-4.0"
SCALE = 2
LARGEST_SHARED = 0.75  # share of a cell's pixels that others may claim as well
_MAX_JSON_BYTES = 4 * 2**30

Polygon = NDArray[np.float32]  # (N, 2) x, y in pixels
Pixels = tuple[NDArray[np.intp], NDArray[np.intp]]  # rows and columns


@dataclass(frozen=True, slots=True)
class _Picture:
    """An image of the COCO document, and the polygons of each cell in it."""

    name: str
    cells: list[list[Polygon]]


def fields(folder: Path, dataset: str) -> Iterator[LabelledField]:
    """Raises DataError."""
    existing_folder(folder)
    documents = [(s, path) for s in SPLITS for path in sorted(folder.rglob(f"livecell_coco_{s}.json"))]
    if not documents:
        raise DataError(folder, "no livecell_coco_train.json, ..._val.json or ..._test.json in it")
    files = {path.name: path for path in folder.rglob("*.tif")}
    for split, document in documents:
        for picture in _pictures(document):
            if picture.name not in files:
                raise DataError(document, f"it lists {picture.name}, which is not below {folder}")
            yield _field(dataset, split, files[picture.name], picture)


def without_overlaps(cells: Sequence[Pixels], shape: tuple[int, int]) -> tuple[Labels, int]:
    """Masks that may overlap -> (H, W) label map with a label a cell that is left, and how many cells were left out."""
    kept = _not_covered(cells, shape)
    labels = np.zeros(shape, dtype=np.int32)
    nearest = np.full(shape, np.inf, dtype=np.float32)
    for number, (rows, columns) in enumerate(kept, start=1):
        distance = np.hypot(rows - np.median(rows), columns - np.median(columns)).astype(np.float32)
        closer = distance < nearest[rows, columns]
        labels[rows[closer], columns[closer]] = number
        nearest[rows[closer], columns[closer]] = distance[closer]
    return labels, len(cells) - len(kept)


def _not_covered(cells: Sequence[Pixels], shape: tuple[int, int]) -> list[Pixels]:
    """Without the cells that lie in others for the most part.

    The smallest go first and give up their claims, so that of a cell that was drawn twice one remains.
    """
    claims = np.zeros(shape, dtype=np.int32)
    for pixels in cells:
        claims[pixels] += 1
    kept = dict(enumerate(cells))
    for index in sorted(kept, key=lambda index: len(cells[index][0])):
        if np.mean(claims[cells[index]] > 1) > LARGEST_SHARED:
            claims[cells[index]] -= 1
            del kept[index]
    return list(kept.values())


def enlarge(image_hw: NDArray[Any], labels_hw: Labels) -> tuple[NDArray[Any], Labels]:
    """Both twice as large: the image bicubic in its own dtype, labels by repeating pixels."""
    height, width = image_hw.shape
    resize: Callable[..., NDArray[np.float64]] = transform.resize
    pixels = resize(
        image_hw, (height * SCALE, width * SCALE), order=3, preserve_range=True, anti_aliasing=False
    )
    if image_hw.dtype.kind in "ui":
        limits = np.iinfo(image_hw.dtype)
        pixels = np.clip(np.rint(pixels), limits.min, limits.max)
    return pixels.astype(image_hw.dtype), np.kron(labels_hw, np.ones((SCALE, SCALE), dtype=np.int32))


def _field(dataset: str, split: Split, image: Path, picture: _Picture) -> LabelledField:
    return LabelledField(
        dataset=dataset,
        name=image.stem,
        modality="phase_contrast_culture",
        group=image.stem.rpartition("_")[0] or image.stem,  # the last number counts the crops of one image
        split=split,
        licence=LICENCE,
        read=partial(_read, image, picture),
    )


def _read(image: Path, picture: _Picture) -> FieldPixels:
    pixels = read_image(image)
    if pixels.ndim != 2:
        raise DataError(image, "a phase-contrast image has one channel")
    cells = [_pixels_of(polygons, pixels.shape) for polygons in picture.cells]
    found = [cell for cell in cells if len(cell[0])]
    labels, overlapping = without_overlaps(found, (pixels.shape[0], pixels.shape[1]))
    large, large_labels = enlarge(pixels, labels)
    field = checked(image, large, ("whole_cell",), large_labels)
    dropped = {"annotations_without_pixels": len(cells) - len(found), "annotations_overlapping": overlapping}
    return FieldPixels(field.image, field.roles, field.labels, dropped)


def _pixels_of(polygons: Sequence[Polygon], shape: tuple[int, ...]) -> Pixels:
    """The pixels whose centres lie in one of a cell's polygons."""
    inside: Callable[..., Pixels] = draw.polygon
    # COCO's corners count from a pixel's edge, draw.polygon's from its centre.
    found = [inside(points[:, 1] - 0.5, points[:, 0] - 0.5, shape) for points in polygons]
    if not found:
        return np.empty(0, np.intp), np.empty(0, np.intp)
    rows, columns = np.unique(np.concatenate(found, axis=1), axis=1)
    return rows, columns


def _pictures(path: Path) -> list[_Picture]:
    """The images of a COCO document, in its order."""
    if path.stat().st_size > _MAX_JSON_BYTES:
        raise DataError(path, "the document is larger than is accepted")
    try:
        with path.open() as file:
            document = json.load(file, object_hook=_compact)
        cells: defaultdict[Any, list[list[Polygon]]] = defaultdict(list)
        for annotation in _listed(document["annotations"]):
            cells[annotation["image_id"]].append(annotation["segmentation"])
        return [
            _Picture(str(image["file_name"]), cells[image["id"]]) for image in _listed(document["images"])
        ]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DataError(path, "this is not a COCO document with polygons, or a field is missing") from error


def _compact(item: dict[str, Any]) -> dict[str, Any]:
    """Polygons of an annotation as arrays while the document is read: lists of numbers take ten times the memory.

    COCO keeps a polygon as a flat list x, y, x, y...
    """
    if "segmentation" in item:
        if not isinstance(item["segmentation"], list):
            raise TypeError("run lengths instead of polygons")
        parts = [np.asarray(part, dtype=np.float32).reshape(-1, 2) for part in item["segmentation"]]
        return {"image_id": item["image_id"], "segmentation": parts}
    return item


def _listed(items: Any) -> list[Any]:
    """COCO keeps lists; LIVECell's partial documents keep a dictionary by id."""
    return list(items.values()) if isinstance(items, dict) else list(items)
