"""What an importer yields: a labelled field of view, described at once and decoded when asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = ("train", "val", "test")
Labels = NDArray[np.int32]


class DataError(ValueError):
    """A data set cannot be used as it lies there. One line: the file or folder, and what is wrong with it."""

    def __init__(self, path: Path | str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = str(path)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class FieldPixels:
    """A decoded field. `dropped` counts what the importer itself had to leave out, by reason."""

    image: NDArray[Any]  # (H, W) or (H, W, C), as stored
    roles: tuple[str, ...]  # one a channel, or ("rgb",): see worker.cellsam.channels
    labels: Labels  # (H, W), 0 background
    dropped: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LabelledField:
    """One field of a data set. `read` decodes it and may raise DataError; until then no pixel is held."""

    dataset: str
    name: str  # unique in its source; says where it came from
    modality: str
    group: str  # fields that show the same objects (frames, focal planes, crops of one image) have the same
    split: Split | None  # the data set's own; None if it has none
    licence: str
    read: Callable[[], FieldPixels]
    split_is_final: bool = False  # no validation part is taken out of this data set's train split


Importer = Callable[[Path, str], Iterator[LabelledField]]  # of a folder, under a data set's name
