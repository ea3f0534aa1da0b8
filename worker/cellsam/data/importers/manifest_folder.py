"""Our own format, a folder with a `manifest.csv` (worker.cellsam.data.manifest), with its splits as they are.

Data sets keep their names, groups, modalities and licences. Files are read through the limits of foreign files.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from worker.cellsam.data.files import checked, existing_folder, read_image, read_labels
from worker.cellsam.data.labelled import SPLITS, DataError, FieldPixels, LabelledField, Split
from worker.cellsam.data.manifest import EmptySplit, Entry, ManifestError, read_manifest


def fields(folder: Path, dataset: str) -> Iterator[LabelledField]:
    """`dataset` names the source only: the manifest names the data sets. Raises DataError."""
    existing_folder(folder)
    found = False
    for split in SPLITS:
        for entry in _entries(folder, split):
            found = True
            yield LabelledField(
                dataset=entry.dataset,
                name=entry.image.relative_to(folder).with_suffix("").as_posix(),
                modality=entry.modality,
                group=entry.group,
                split=split,
                licence=entry.licence,
                read=partial(_read, entry),
                split_is_final=True,
            )
    if not found:
        raise DataError(folder, "its manifest.csv lists nothing in the splits train, val and test")


def _entries(folder: Path, split: Split) -> list[Entry]:
    try:
        return read_manifest(folder, split)
    except EmptySplit:
        return []
    except ManifestError as error:
        raise DataError(folder, str(error)) from error


def _read(entry: Entry) -> FieldPixels:
    image, labels = read_image(entry.image), read_labels(entry.labels)
    if image.ndim == 2:
        return checked(entry.image, image, ("whole_cell",), labels)
    if image.shape[2] == 3 and not image[..., 0].any():
        return checked(entry.image, image[..., 1:], ("nuclear", "whole_cell"), labels)
    return checked(entry.image, image, ("rgb",) if image.shape[2] == 3 else ("nuclear", "whole_cell"), labels)
