"""BriFiSeg (Mathieu et al. 2022, arXiv 2211.03072; Zenodo 7195636): nuclei in unstained brightfield images.

Layout, nnU-Net's: `Task*/imagesTr/<name>_0000.nii.gz` with `Task*/labelsTr/<name>.nii.gz`, and `imagesTs`, `labelsTs`
for the test part. Labels are classes, not instances: 1 the inside of a nucleus, 2 its border. A nucleus is a connected
piece of the inside, with the border pixels nearest to it; without a border class, a connected piece.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage import segmentation

from worker.cellsam.data.files import checked, existing_folder, natural_order
from worker.cellsam.data.labelled import DataError, FieldPixels, LabelledField, Labels, Split
from worker.cellsam.data.nifti import read_nifti

LICENCE = "not stated"
_PARTS: dict[str, tuple[str, Split]] = {"imagesTr": ("labelsTr", "train"), "imagesTs": ("labelsTs", "test")}
_CHANNEL = "_0000"
_INSIDE, _BORDER = 1, 2


def fields(folder: Path, dataset: str) -> Iterator[LabelledField]:
    """Raises DataError."""
    tasks = sorted({path.parent for path in existing_folder(folder).rglob("imagesTr") if path.is_dir()})
    if not tasks:
        raise DataError(folder, "no Task*/imagesTr in it")
    for task in tasks:
        for images, (labels, split) in _PARTS.items():
            for image in sorted((task / images).glob(f"*{_CHANNEL}.nii*"), key=natural_order):
                stem = image.name.split(_CHANNEL + ".nii")[0]
                name = f"{task.name}/{images}/{stem}"
                yield LabelledField(
                    dataset=dataset,
                    name=name,
                    modality="brightfield_nuclei",
                    group=name,
                    split=split,
                    licence=LICENCE,
                    read=partial(_read, image, task / labels / image.name.replace(_CHANNEL, "")),
                )


def instances_of_classes(classes_hw: NDArray[Any]) -> Labels:
    """(H, W) of background 0, inside 1 and border 2 -> instances.

    A border pixel goes to the inside that is nearest on a way through the nucleus's own pixels; a piece of border
    without an inside is a cell of its own.
    """
    markers, count = ndimage.label(classes_hw == _INSIDE)
    flood: Callable[..., NDArray[np.int32]] = segmentation.watershed
    grown = flood(np.zeros(classes_hw.shape), markers, mask=classes_hw > 0)
    alone, _ = ndimage.label((classes_hw > 0) & (grown == 0))
    return np.asarray(np.where(alone > 0, alone + count, grown), dtype=np.int32)


def _read(image: Path, labels: Path) -> FieldPixels:
    pixels = read_nifti(image)
    if not np.isfinite(pixels).all():
        raise DataError(image, "it has values that are NaN or infinite")
    classes = np.rint(read_nifti(labels))
    if not np.isin(classes, (0, _INSIDE, _BORDER)).all():
        raise DataError(labels, "its values are not the classes 0, 1 and 2")
    return checked(image, pixels, ("whole_cell",), instances_of_classes(classes))
