"""What `segment` writes of an image's cells: a function for each kind of file, and the list of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from labeling.formats import FORMATS, LabelledCell, LabelSet
from worker.cellsam.channels import ImageError, normalise
from worker.cellsam.label_file import write_label_file
from worker.cellsam.sources import PixelSource
from worker.cellsam.stitching import Segmentation

PAINTED_PX = 2**22  # label maps up to this are painted whole and written in strips, which every program reads
OUTLINED_PX = 2**26  # at 20 bytes or more each
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
    """`ending` takes the place of the image's own. `write` puts the file there whole or not at all; an image of more
    than `at_most_px` pixels it cannot write.
    """

    ending: str
    write: Callable[[Result, Path], None]
    at_most_px: int | None = None


def check_sizes(formats: Iterable[str], image: PixelSource) -> None:
    """Raises ImageError if one of these results cannot be written of an image of this size."""
    pixels = image.height * image.width
    for key in formats:
        limit = RESULTS[key].at_most_px
        if limit is not None and pixels > limit:
            *others, last = [other for other, known in RESULTS.items() if known.at_most_px is None]
            raise ImageError(
                f"{key} are drawn up to {limit / 1e6:.0f} megapixels, not on {pixels / 1e6:.0f}; "
                f"ask for {', '.join(others)} or {last}"
            )


def write_labels(result: Result, path: Path) -> None:
    """A label TIFF: in strips, as the application writes it; of a larger image, in tiles and never whole in memory."""
    found = result.found
    if found.height * found.width > PAINTED_PX:
        write_label_file(path, found.masks, found.height, found.width)
    else:
        write_whole(path, FORMATS["label-tiff"].write(result.labels).data)


def write_coco(result: Result, path: Path) -> None:
    write_whole(path, FORMATS["coco"].write(result.labels).data)


def write_csv(result: Result, path: Path) -> None:
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
    write_whole(path, text.getvalue().encode())


def write_outlines(result: Result, path: Path) -> None:
    """A PNG of the image with each cell's outermost pixels in one colour."""
    found = result.found
    picture = _picture(result.image.read((0, 0, found.width, found.height)), result.roles)
    picture[_outermost(found.labels)] = ON_BRIGHT if picture.mean() > 127 else ON_DARK
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "PNG")
    write_whole(path, out.getvalue())


RESULTS: Mapping[str, ResultFormat] = MappingProxyType(
    {
        "label-tiff": ResultFormat(FORMATS["label-tiff"].suffix, write_labels),
        "coco": ResultFormat(FORMATS["coco"].suffix, write_coco),
        "outlines": ResultFormat("_outlines.png", write_outlines, at_most_px=OUTLINED_PX),
        "csv": ResultFormat("_cells.csv", write_csv),
    }
)


def write_whole(path: Path, data: bytes) -> None:
    """The file appears at once or not at all: what is there is finished."""
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
