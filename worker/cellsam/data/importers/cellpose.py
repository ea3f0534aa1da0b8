"""Cellpose's own set (Stringer et al. 2021, Nature Methods; cellpose.org/dataset): cells of all kinds.

Layout: `train/NNN_img.png` with `train/NNN_masks.png`, the same in `test/` (and `train_cyto2/`). Colour files hold the
whole-cell signal in green and, where there is one, the nuclear signal in red (Cellpose trains with channels 2 and 1).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from worker.cellsam.data.files import checked, existing_folder, natural_order, read_image, read_labels
from worker.cellsam.data.labelled import DataError, FieldPixels, LabelledField, Split

LICENCE = "HHMI's research content terms (cellpose.org/dataset)"
_RED, _GREEN = 0, 1


def fields(folder: Path, dataset: str) -> Iterator[LabelledField]:
    """Raises DataError."""
    images = sorted(existing_folder(folder).rglob("*_img.png"), key=natural_order)
    if not images:
        raise DataError(folder, "no *_img.png in it")
    for image in images:
        name = image.relative_to(folder).as_posix().removesuffix("_img.png")
        yield LabelledField(
            dataset=dataset,
            name=name,
            modality="cells_varied",
            group=name,
            split=_split_of(image.parent.name),
            licence=LICENCE,
            read=partial(_read, image, image.with_name(image.name.replace("_img.png", "_masks.png"))),
        )


def _split_of(folder: str) -> Split | None:
    return "test" if folder.startswith("test") else "train" if folder.startswith("train") else None


def _read(image: Path, masks: Path) -> FieldPixels:
    pixels, labels = read_image(image), read_labels(masks)
    if pixels.ndim == 2:
        return checked(image, pixels, ("whole_cell",), labels)
    red, green = pixels[..., _RED], pixels[..., _GREEN]
    if red.min() == red.max():
        return checked(image, green, ("whole_cell",), labels)
    return checked(image, pixels[..., [_RED, _GREEN]], ("nuclear", "whole_cell"), labels)
