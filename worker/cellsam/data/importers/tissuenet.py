"""TissueNet 1.0 and 1.1 (Greenwald et al. 2022, Nature Biotechnology; datasets.deepcell.org): two-channel tissue.

Layout: `tissuenet_v1.1_train.npz`, `..._val.npz`, `..._test.npz`, each with X (N, H, W, 2), nuclear then whole-cell
signal, and y (N, H, W, 2), labels of whole cells then of nuclei. `meta`, an array of Python objects, is not opened.
The archives are several gigabytes: fields are read one by one out of the compressed stream.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from labeling.pixels import DEFAULT_MAX_PIXELS
from worker.cellsam.data.files import existing_folder
from worker.cellsam.data.labelled import SPLITS, DataError, FieldPixels, LabelledField, Split

LICENCE = "DeepCell's terms: non-commercial"
_MAX_HEADER = 10_000
_BROKEN = (zipfile.BadZipFile, ValueError, OSError, EOFError, zlib.error, NotImplementedError)


def whole_cells(folder: Path, dataset: str) -> Iterator[LabelledField]:
    """Both channels with the labels of whole cells. Raises DataError."""
    return _fields(folder, dataset, nuclei=False)


def nuclei(folder: Path, dataset: str) -> Iterator[LabelledField]:
    """The nuclear channel alone with the labels of nuclei. Raises DataError."""
    return _fields(folder, dataset, nuclei=True)


def _fields(folder: Path, dataset: str, *, nuclei: bool) -> Iterator[LabelledField]:
    existing_folder(folder)
    found = [(split, path) for split in SPLITS for path in sorted(folder.glob(f"*tissuenet*_{split}.npz"))]
    if not found:
        raise DataError(folder, "no tissuenet_*_train.npz, ..._val.npz or ..._test.npz in it")
    for split, path in found:
        yield from _fields_of_archive(path, dataset, split, nuclei=nuclei)


def _fields_of_archive(path: Path, dataset: str, split: Split, *, nuclei: bool) -> Iterator[LabelledField]:
    archive = _Archive(path)
    for index in range(archive.count):
        name = f"{split}_{index:05}"
        yield LabelledField(
            dataset=dataset,
            name=name,
            modality="tissue_nuclei" if nuclei else "tissue",
            group=name,
            split=split,
            licence=LICENCE,
            read=partial(archive.read, index, nuclei=nuclei),
            split_is_final=True,
        )


@dataclass(frozen=True, slots=True)
class _Member:
    """An array inside the archive whose first axis can be walked along."""

    stream: IO[bytes]
    offset: int  # of the first sample
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def row(self, index: int) -> NDArray[Any]:
        shape = self.shape[1:]
        size = int(np.prod(shape)) * self.dtype.itemsize
        self.stream.seek(self.offset + index * size)
        data = self.stream.read(size)
        if len(data) < size:
            raise EOFError("cut short")
        return np.frombuffer(data, self.dtype).reshape(shape)


class _Archive:
    """An npz file, open as long as it is referred to. Rows in rising order cost one pass over it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
            self.images, self.labels = self._member("X"), self._member("y")
        except KeyError as error:
            raise DataError(path, "it does not hold the arrays X and y") from error
        except _BROKEN as error:
            raise DataError(path, f"the archive is damaged: {error}") from error
        if self.images.shape != self.labels.shape or self.images.shape[3:] != (2,):
            raise DataError(
                path, f"X is {self.images.shape} and y is {self.labels.shape}; both should be (N, H, W, 2)"
            )
        if self.images.shape[1] * self.images.shape[2] > DEFAULT_MAX_PIXELS:
            raise DataError(path, "its fields are larger than is accepted")
        self.count = self.images.shape[0]

    def read(self, index: int, *, nuclei: bool) -> FieldPixels:
        try:
            image, labels = self.images.row(index), self.labels.row(index)
        except _BROKEN as error:
            raise DataError(self.path, f"field {index} cannot be read: {error}") from error
        if not np.isfinite(image).all():
            raise DataError(self.path, f"field {index} has values that are NaN or infinite")
        if nuclei:
            return FieldPixels(image[..., 0], ("nuclear",), labels[..., 1].astype(np.int32))
        return FieldPixels(image, ("nuclear", "whole_cell"), labels[..., 0].astype(np.int32))

    def _member(self, name: str) -> _Member:
        stream = self._zip.open(f"{name}.npy")
        version = npy_format.read_magic(stream)
        header = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
        shape, fortran, dtype = header(stream, max_header_size=_MAX_HEADER)
        if dtype.kind not in "uif" or fortran or len(shape) != 4:
            raise DataError(self.path, f"{name} is {dtype} of shape {shape}, not plain numbers (N, H, W, 2)")
        return _Member(stream, stream.tell(), tuple(shape), dtype)
