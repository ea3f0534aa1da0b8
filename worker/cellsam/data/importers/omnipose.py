"""Omnipose's sets (Cutler et al. 2022, Nature Methods; OSF xmury): bacteria in phase contrast and fluorescence.

Layout: `<stem>.tif` or `.png` with `<stem>_masks.tif` or `.png` beside it, below a folder whose name begins with
`train` or `test` (`bact_phase/train_sorted/<species>/...`). `_flows` files are not images. The worm folders of the
download are left out: a worm is no cell.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from worker.cellsam.data.files import existing_folder, image_files, read_pair, series_of
from worker.cellsam.data.labelled import DataError, LabelledField, Split

LICENCE = "not stated"


def fields(folder: Path, dataset: str) -> Iterator[LabelledField]:
    """Raises DataError."""
    masks = [path for path in image_files(existing_folder(folder)) if path.stem.endswith("_masks")]
    masks = [path for path in masks if not _is_of_worms(path.relative_to(folder))]
    if not masks:
        raise DataError(folder, "no *_masks.tif or *_masks.png in it")
    for mask in masks:
        image = _image_of(mask)
        within = image.relative_to(folder).with_suffix("")
        yield LabelledField(
            dataset=dataset,
            name=within.as_posix(),
            modality="bacteria_fluorescence" if "fluor" in within.parts[0] else "bacteria_phase",
            group=(within.parent / series_of(within.name)).as_posix(),
            split=_split_of(within),
            licence=LICENCE,
            read=partial(read_pair, image, mask),
        )


def _image_of(mask: Path) -> Path:
    stem = mask.stem.removesuffix("_masks")
    for suffix in (mask.suffix, ".tif", ".png", ".tiff"):
        image = mask.with_name(stem + suffix)
        if image.is_file():
            return image
    raise DataError(mask, f"it has no image {stem}{mask.suffix} beside it")


def _split_of(within: Path) -> Split | None:
    for part in within.parts[:-1]:
        if part.startswith("train"):
            return "train"
        if part.startswith("test"):
            return "test"
    return None


def _is_of_worms(within: Path) -> bool:
    return within.parts[0].startswith("worm")
