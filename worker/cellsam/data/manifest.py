"""The data format of training and evaluation: a folder with a `manifest.csv` that lists images and label maps.

Columns read: dataset, modality, split, image, labels, licence and group (paths are relative to the manifest), and, if
it is there, equalised: "yes" for images that went through CLAHE. Label maps are 16-bit PNG or TIFF, 0 background;
`prepare` writes images (3, H, W) and labels (1, H, W) as .npy. Images whose red channel is blank are read as (blank,
nuclear, whole-cell).
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from worker.cellsam.channels import model_channels
from worker.cellsam.intensity import Pixels

Split = Literal["train", "val", "test"]
EQUALISED = "yes"


class ManifestError(ValueError):
    """The data folder is not usable; the message says why."""


class EmptySplit(ManifestError):
    """The folder is fine and has nothing in that split."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the manifest."""

    dataset: str
    modality: str
    split: str
    image: Path
    labels: Path
    licence: str
    group: str
    equalised: bool = False  # the image is in [0, 1] after CLAHE, which must not be repeated

    def read_image(self) -> tuple[NDArray[Any], tuple[str, ...]]:
        """The array and its channel roles, as `channels.model_channels` takes them."""
        image = _read_array(self.image)
        if image.ndim == 2:
            return image, ("whole_cell",)
        if image.shape[2] == 3 and not image[..., :2].any():
            return image[..., 2], ("whole_cell",)
        if image.shape[2] == 3 and not image[..., 0].any():
            return image[..., 1:], ("nuclear", "whole_cell")
        return image, ("rgb",)

    def read_labels(self) -> NDArray[np.int32]:
        """(H, W), 0 background."""
        return _read_array(self.labels).astype(np.int32)


@dataclass(frozen=True, slots=True)
class Field:
    """An image ready for cropping: model channels quantised to uint8, which quarters the memory of a training set."""

    dataset: str
    modality: str
    # (1, 2 or 3, H, W): (whole-cell), (nuclear, whole-cell), or the three channels of a stained image in colour
    pixels: NDArray[np.uint8]
    labels: NDArray[np.int32]  # (H, W)

    @classmethod
    def read(cls, entry: Entry, *, colour: bool) -> Field:
        image, roles = entry.read_image()
        channels = model_channels(image, roles, colour=colour)
        return cls.of(channels, entry.read_labels(), dataset=entry.dataset, modality=entry.modality)

    @classmethod
    def of(
        cls, channels: Pixels, labels: NDArray[np.int32], *, dataset: str = "", modality: str = ""
    ) -> Field:
        """Of model channels (3, H, W) in [0, 1], the blank ones in front left out."""
        used = 3 - next((index for index in range(2) if channels[index].any()), 2)
        return cls(dataset, modality, np.rint(channels[-used:] * 255).astype(np.uint8), labels)


def read_manifest(folder: Path, split: Split, datasets: Iterable[str] | None = None) -> list[Entry]:
    """The entries of one split, of all data sets or the named ones, in the manifest's order.

    Raises ManifestError if there is no manifest or a column is missing, EmptySplit if nothing is left.
    """
    path = folder / "manifest.csv"
    wanted = None if datasets is None else set(datasets)
    try:
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file))
        entries = [
            Entry(
                dataset=row["dataset"],
                modality=row["modality"],
                split=row["split"],
                image=folder / row["image"],
                labels=folder / row["labels"],
                licence=row["licence"],
                group=row["group"],
                equalised=row.get("equalised") == EQUALISED,
            )
            for row in rows
            if row["split"] == split and (wanted is None or row["dataset"] in wanted)
        ]
    except FileNotFoundError as error:
        raise ManifestError(f"{path} does not exist") from error
    except KeyError as error:
        raise ManifestError(f"{path} has no column {error}") from error
    if not entries:
        raise EmptySplit(
            f"{path} lists nothing in split {split!r} for {', '.join(sorted(wanted or {'all data sets'}))}"
        )
    return entries


def _read_array(path: Path) -> NDArray[Any]:
    if path.suffix.lower() in {".tif", ".tiff"}:
        return np.asarray(tifffile.imread(path))
    if path.suffix.lower() == ".npy":
        array = np.load(path, allow_pickle=False)  # (C, H, W), as `prepare` writes them
        return np.asarray(array[0] if len(array) == 1 else np.moveaxis(array, 0, -1))
    with Image.open(path) as image:
        return np.asarray(image)
