"""Folders of images and masks, the commonest layout: Phase400 and anything that was put into the same form.

Layout: `images/` and `masks/` (or `labels/`), files matched by their names without the ending, where a mask's name
may also end in _mask, _masks, _label or _labels. The two folders may lie in `train/`, `val/` and `test/`, which are
then the splits. Images in a subfolder (`images/movie_1/...`) are one group: put the frames of a movie into a folder of
their own. Three-channel images are taken to be stained, all others to show whole cells.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from worker.cellsam.data.files import existing_folder, image_files, read_pair, subfolder
from worker.cellsam.data.labelled import SPLITS, DataError, LabelledField, Split

IMAGE_FOLDERS = ("images", "image", "source", "raw")
MASK_FOLDERS = ("masks", "mask", "labels", "target")
_ENDINGS = ("_masks", "_mask", "_labels", "_label")


def fields(folder: Path, dataset: str) -> Iterator[LabelledField]:
    """Raises DataError for a missing folder, or an image or a mask without its counterpart."""
    existing_folder(folder)
    parts: list[tuple[Split | None, Path]] = [
        (split, folder / split) for split in SPLITS if (folder / split).is_dir()
    ]
    for split, part in parts or [(None, folder)]:
        images, masks = subfolder(part, IMAGE_FOLDERS), subfolder(part, MASK_FOLDERS)
        for image, mask in pairs(images, masks):
            within = image.relative_to(images)
            name = within.with_suffix("").as_posix()
            yield LabelledField(
                dataset=dataset,
                name=name if split is None else f"{split}/{name}",
                modality=dataset,
                group=within.parent.as_posix() if len(within.parts) > 1 else name,
                split=split,
                licence="not stated",
                read=partial(read_pair, image, mask),
            )


def pairs(images: Path, masks: Path) -> list[tuple[Path, Path]]:
    """Each image with its mask, in natural order. Raises DataError if one of them is alone."""
    by_name = {_name_of_mask(path, masks): path for path in image_files(masks)}
    found = []
    for image in image_files(images):
        mask = by_name.pop(image.relative_to(images).with_suffix("").as_posix(), None)
        if mask is None:
            raise DataError(image, f"it has no mask in {masks}")
        found.append((image, mask))
    if by_name:
        raise DataError(next(iter(by_name.values())), f"it has no image in {images}")
    if not found:
        raise DataError(images, "no images in it")
    return found


def _name_of_mask(path: Path, folder: Path) -> str:
    name = path.relative_to(folder).with_suffix("").as_posix()
    return next((name.removesuffix(ending) for ending in _ENDINGS if name.endswith(ending)), name)
