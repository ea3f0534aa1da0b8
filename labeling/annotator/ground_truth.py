"""Images with their true cells, from a folder with a `manifest.csv`: the format of training and evaluation.

Columns read: dataset, modality, split, image, labels (paths relative to the manifest). Label maps hold 0 for the
background and a number for each cell; images and label maps are read within the limits of foreign files.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from labeling.pixels import probe, read_pixels
from labeling.rle import BoxMask, masks_of_labels

SLIVER_PX = 10


class GroundTruthError(ValueError):
    """The folder is not usable; the message says why."""


@dataclass(frozen=True)
class Subject:
    """An image to be labelled, with its true cells. ``name`` is that of the uploaded file, unique in a campaign.

    ``crop_px``: no more than the middle of the image, so many pixels on a side.
    """

    name: str
    image: Path
    labels: Path
    crop_px: int | None = None

    @cached_property
    def content(self) -> bytes:
        """The file as it is; of a part, a PNG."""
        whole = self.image.read_bytes()
        if self.crop_px is None:
            return whole
        pixels = _middle(read_pixels(BytesIO(whole), self.image.name).array, self.crop_px)
        if len(pixels) not in (1, 3):
            raise GroundTruthError(f"{self.image} has {len(pixels)} channels; parts are cut of one or three")
        out = BytesIO()
        Image.fromarray(pixels[0] if len(pixels) == 1 else np.moveaxis(pixels, 0, -1)).save(out, "PNG")
        return out.getvalue()

    @cached_property
    def truth(self) -> tuple[BoxMask, ...]:
        """A mask for each label; they do not overlap. What a cut leaves of a cell counts from 10 pixels on."""
        planes = read_pixels(BytesIO(self.labels.read_bytes()), self.labels.name).array  # (1, H, W)
        if len(planes) != 1:
            raise GroundTruthError(f"{self.labels} has {len(planes)} channels; a label map has one")
        if self.crop_px is None:
            return tuple(mask for _, mask in masks_of_labels(planes[0].astype(np.int32)))
        middle = _middle(planes, self.crop_px)[0].astype(np.int32)
        return tuple(mask for _, mask in masks_of_labels(middle) if mask.area >= SLIVER_PX)

    @property
    def channel_map(self) -> dict[str, Any] | None:
        """What its project has to say about its channels; None for a gray image, which needs no words.

        An image in colour with a blank red channel is read as (blank, nuclear, whole-cell).
        """
        names = [channel["name"] for channel in probe(BytesIO(self.content), self.image.name).channels]
        if len(names) == 1:
            return None
        pixels = read_pixels(BytesIO(self.content), self.image.name).array  # (C, H, W)
        if len(names) >= 3 and pixels[0].any():
            return {"nuclear": None, "whole_cell": None, "rgb": True}
        return {"nuclear": names[-2], "whole_cell": names[-1], "rgb": False}


def subjects(
    folder: Path,
    *,
    datasets: Sequence[str] = (),
    modality: str = "",
    splits: Sequence[str] = (),
    crop_px: int | None = None,
) -> list[Subject]:
    """The images of the named data sets, splits (all by default) and modalities that contain ``modality``, in the
    manifest's order; of each the middle of ``crop_px`` on a side, if given.

    Raises GroundTruthError if there is no manifest, a column is missing or nothing is left.
    """
    path = folder / "manifest.csv"
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        chosen = [
            row
            for row in rows
            if (not datasets or row["dataset"] in datasets)
            and (not splits or row["split"] in splits)
            and modality in row["modality"]
        ]
        found = [_subject(folder, row["image"], row["labels"], crop_px) for row in chosen]
    except FileNotFoundError as error:
        raise GroundTruthError(f"{path} does not exist") from error
    except KeyError as error:
        raise GroundTruthError(f"{path} has no column {error}") from error
    if not found:
        raise GroundTruthError(f"{path} lists no such image")
    return found


def _subject(folder: Path, image: str, labels: str, crop_px: int | None) -> Subject:
    name = image.replace("/", "_")
    if crop_px is not None:
        name = str(Path(name).with_suffix(".png"))
    return Subject(name=name, image=folder / image, labels=folder / labels, crop_px=crop_px)


def _middle(planes: NDArray[Any], side: int) -> NDArray[Any]:
    """(C, H, W) -> (C, at most side, at most side)."""
    top, left = (max(0, length - side) // 2 for length in planes.shape[1:])
    return planes[:, top : top + side, left : left + side]
