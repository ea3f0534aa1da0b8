"""YeaZ (Dietler et al. 2020, Nature Communications; epfl.ch/labs/lpbs/data-and-software): yeast.

Layout: `<name>_im.tif` with `<name>_mask.tif`, in `gold-standard-BF-V-1` (brightfield, fields of their own) and
`gold-standard-PhC-plus-2` (phase contrast, movies). A file may be one image or a stack (T, H, W) of frames. Frames of a
stack, and phase-contrast files whose names differ in their last number only, are one group.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from worker.cellsam.data.files import (
    checked,
    count_pages,
    existing_folder,
    natural_order,
    read_page,
    series_of,
)
from worker.cellsam.data.labelled import DataError, FieldPixels, LabelledField

LICENCE = "not stated"


def fields(folder: Path, dataset: str) -> Iterator[LabelledField]:
    """Raises DataError."""
    images = sorted(existing_folder(folder).rglob("*_im.tif"), key=natural_order)
    if not images:
        raise DataError(folder, "no *_im.tif in it")
    for image in images:
        yield from _frames(folder, dataset, image)


def _frames(folder: Path, dataset: str, image: Path) -> Iterator[LabelledField]:
    mask = image.with_name(image.name.replace("_im.tif", "_mask.tif"))
    frames = count_pages(image)
    if count_pages(mask) != frames:
        raise DataError(mask, f"it has {count_pages(mask)} frames, its image has {frames}")
    name = image.relative_to(folder).as_posix().removesuffix("_im.tif")
    is_phase = "PhC" in name or "phase" in name.lower()
    for index in range(frames):
        yield LabelledField(
            dataset=dataset,
            name=name if frames == 1 else f"{name}/{index:04}",
            modality="yeast_phase" if is_phase else "yeast_brightfield",
            group=series_of(name) if is_phase else name,
            split=None,
            licence=LICENCE,
            read=partial(_read, image, mask, index),
        )


def _read(image: Path, mask: Path, index: int) -> FieldPixels:
    pixels = read_page(image, index)
    if not np.isfinite(pixels).all():
        raise DataError(image, "it has values that are NaN or infinite")
    return checked(image, pixels, ("whole_cell",), read_page(mask, index).astype(np.int32))
