"""DeepBacs (Spahn et al. 2022, Communications Biology; Zenodo 5550933, 5550935, 5551009): bacteria.

Layout: any number of `<part>/source/*.tif` (images) with `<part>/target/*.tif` (label maps of the same names), at any
depth, where `<part>` is `training` or `train`, or `test`, as in the mixed StarDist set.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from worker.cellsam.data.files import existing_folder, read_pair, series_of
from worker.cellsam.data.importers.paired_folders import pairs
from worker.cellsam.data.labelled import DataError, LabelledField, Split

LICENCE = "not stated"
_PARTS: dict[str, Split] = {"training": "train", "train": "train", "test": "test"}


def fields(folder: Path, dataset: str) -> Iterator[LabelledField]:
    """Raises DataError."""
    sources = sorted(
        path for path in existing_folder(folder).rglob("source") if path.parent.name.lower() in _PARTS
    )
    if not sources:
        raise DataError(folder, "no training/source or test/source in it")
    for source in sources:
        for image, mask in pairs(source, source.with_name("target")):
            within = image.relative_to(folder).with_suffix("")
            yield LabelledField(
                dataset=dataset,
                name=within.as_posix(),
                modality="bacteria",
                group=f"{source.parent.relative_to(folder).as_posix()}/{series_of(image.stem)}",
                split=_PARTS[source.parent.name.lower()],
                licence=LICENCE,
                read=partial(read_pair, image, mask),
            )
