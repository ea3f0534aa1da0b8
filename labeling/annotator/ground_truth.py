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

from labeling.pixels import probe, read_pixels
from labeling.rle import BoxMask, masks_of_labels


class GroundTruthError(ValueError):
    """The folder is not usable; the message says why."""


@dataclass(frozen=True)
class Subject:
    """An image to be labelled, with its true cells. ``name`` is that of the uploaded file, unique in a campaign."""

    name: str
    image: Path
    labels: Path

    @property
    def content(self) -> bytes:
        return self.image.read_bytes()

    @cached_property
    def truth(self) -> tuple[BoxMask, ...]:
        """A mask for each label; they do not overlap."""
        planes = read_pixels(BytesIO(self.labels.read_bytes()), self.labels.name).array  # (1, H, W)
        if len(planes) != 1:
            raise GroundTruthError(f"{self.labels} has {len(planes)} channels; a label map has one")
        return tuple(mask for _, mask in masks_of_labels(planes[0].astype(np.int32)))

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
    folder: Path, *, datasets: Sequence[str] = (), modality: str = "", splits: Sequence[str] = ()
) -> list[Subject]:
    """The images of the named data sets, splits (all by default) and modalities that contain ``modality``, in the
    manifest's order. Raises GroundTruthError if there is no manifest, a column is missing or nothing is left."""
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
        found = [_subject(folder, row["image"], row["labels"]) for row in chosen]
    except FileNotFoundError as error:
        raise GroundTruthError(f"{path} does not exist") from error
    except KeyError as error:
        raise GroundTruthError(f"{path} has no column {error}") from error
    if not found:
        raise GroundTruthError(f"{path} lists no such image")
    return found


def _subject(folder: Path, image: str, labels: str) -> Subject:
    return Subject(name=image.replace("/", "_"), image=folder / image, labels=folder / labels)
