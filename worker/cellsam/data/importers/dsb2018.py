"""2018 Data Science Bowl (Caicedo et al. 2019, Nature Methods; BBBC038, CC0): nuclei, fluorescent and stained.

Layout: `stage1_train/<id>/images/<id>.png` with `stage1_train/<id>/masks/*.png`, one file a nucleus. The folder given
may also be stage1_train itself. Masks do not overlap by the competition's rules; where they do, the later file wins.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from worker.cellsam.data.files import checked, existing_folder, read_image
from worker.cellsam.data.labelled import DataError, FieldPixels, LabelledField

LICENCE = "CC0-1.0"


def fields(folder: Path, dataset: str) -> Iterator[LabelledField]:
    """Raises DataError."""
    home = existing_folder(folder) / "stage1_train"
    images = sorted((home if home.is_dir() else folder).glob("*/images/*.png"))
    if not images:
        raise DataError(folder, "no stage1_train/<id>/images/<id>.png in it")
    for image in images:
        yield LabelledField(
            dataset=dataset,
            name=image.stem,
            modality="nuclei",
            group=image.stem,
            split=None,
            licence=LICENCE,
            read=partial(_read, image),
        )


def _read(image: Path) -> FieldPixels:
    pixels = read_image(image)
    masks = sorted((image.parents[1] / "masks").glob("*.png"))
    if not masks:
        raise DataError(image, "it has no masks/*.png beside it")
    labels = np.zeros(pixels.shape[:2], dtype=np.int32)
    for number, path in enumerate(masks, start=1):
        mask = read_image(path)
        if mask.shape != labels.shape:
            raise DataError(path, f"the mask is {mask.shape}, its image is {labels.shape}")
        labels[mask > 0] = number
    return checked(image, pixels, ("rgb",) if pixels.ndim == 3 else ("nuclear",), labels)
