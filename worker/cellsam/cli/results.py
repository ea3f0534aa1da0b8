"""What `segment` writes of an image's cells: a function for each kind of file, and the list of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from labeling.formats import FORMATS, LabelledCell, LabelSet
from worker.cellsam.channels import normalise
from worker.cellsam.sources import PixelSource
from worker.cellsam.stitching import Segmentation

ON_DARK, ON_BRIGHT = (255, 220, 0), (0, 150, 0)  # outlines
COLUMNS = (
    "label", "x0", "y0", "x1", "y1", "area_px", "centroid_x", "centroid_y", "score", "predicted_iou"
)  # fmt: skip


@dataclass(frozen=True)
class Result:
    """An image with its channels' roles, and its cells."""

    name: str
    image: PixelSource
    roles: Sequence[str]
    found: Segmentation

    @cached_property
    def labels(self) -> LabelSet:
        cells = tuple(
            LabelledCell(label=label, mask=mask, score=float(score), source="model")
            for label, (mask, score) in enumerate(
                zip(self.found.masks, self.found.scores, strict=True), start=1
            )
        )
        return LabelSet(height=self.found.height, width=self.found.width, cells=cells, image_name=self.name)


@dataclass(frozen=True, slots=True)
class ResultFormat:
    """`ending` takes the place of the image's own."""

    ending: str
    write: Callable[[Result], bytes]


def write_csv(result: Result) -> bytes:
    """A row for each cell: its label, its mask's half-open box, area and centroid in image pixels (the middle of the
    first pixel is 0.5, 0.5), CellFinder's score and the mask decoder's estimate of the mask's IoU.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    found = result.found
    for label, (mask, score, iou) in enumerate(
        zip(found.masks, found.scores, found.ious, strict=True), start=1
    ):
        rows, columns = np.nonzero(mask.mask())
        x, y = mask.box[0] + columns.mean() + 0.5, mask.box[1] + rows.mean() + 0.5
        table.writerow([label, *mask.box, mask.area, f"{x:.2f}", f"{y:.2f}", f"{score:.4f}", f"{iou:.4f}"])
    return text.getvalue().encode()


def write_outlines(result: Result) -> bytes:
    """A PNG of the image with each cell's outermost pixels in one colour."""
    found = result.found
    picture = _picture(result.image.read((0, 0, found.width, found.height)), result.roles)
    picture[_outermost(found.labels)] = ON_BRIGHT if picture.mean() > 127 else ON_DARK
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "PNG")
    return out.getvalue()


def _of_the_application(key: str) -> ResultFormat:
    known = FORMATS[key]
    return ResultFormat(known.suffix, lambda result: known.write(result.labels).data)


RESULTS: Mapping[str, ResultFormat] = MappingProxyType(
    {
        "label-tiff": _of_the_application("label-tiff"),
        "coco": _of_the_application("coco"),
        "outlines": ResultFormat("_outlines.png", write_outlines),
        "csv": ResultFormat("_cells.csv", write_csv),
    }
)


def write_whole(path: Path, data: bytes) -> None:
    """The file appears at once or not at all: what is there is finished."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    unfinished.write_bytes(data)
    unfinished.replace(path)


def _picture(image: NDArray[Any], roles: Sequence[str]) -> NDArray[np.uint8]:
    """(H, W, 3): a stained image as it is, a lone channel in gray, whole-cell in green with nuclei in blue."""
    if tuple(roles) == ("rgb",):
        colours = image[..., :3].astype(np.float32)
        full = 255.0 if image.dtype == np.uint8 else max(float(colours.max()), 1e-30)
        stained: NDArray[np.uint8] = np.rint(np.clip(colours / full, 0, 1) * 255).astype(np.uint8)
        return stained
    planes = [np.rint(normalise(image[..., index]) * 255).astype(np.uint8) for index in range(len(roles))]
    if len(planes) == 1:
        return np.repeat(planes[0][..., None], 3, axis=2)
    of_role = dict(zip(roles, planes, strict=True))
    return np.stack([np.zeros_like(planes[0]), of_role["whole_cell"], of_role["nuclear"]], axis=-1)


def _outermost(labels: NDArray[np.int32]) -> NDArray[np.bool_]:
    """(H, W) the pixels of cells that touch another label or the background."""
    edge = np.zeros(labels.shape, dtype=bool)
    for here, there in (
        (np.s_[:-1], np.s_[1:]),
        (np.s_[1:], np.s_[:-1]),
        (np.s_[:, :-1], np.s_[:, 1:]),
        (np.s_[:, 1:], np.s_[:, :-1]),
    ):
        edge[here] |= labels[here] != labels[there]
    return edge & (labels > 0)
