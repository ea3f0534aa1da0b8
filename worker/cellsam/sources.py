"""Where an image's pixels come from: an array in memory or on disk, a pyramid, a TIFF. Read by windows, never whole.

All windows are half-open (x0, y0, x1, y1) in image pixels and lie inside the image.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from labeling.pixels import BinaryFile, probe, read_pixels
from labeling.pixels.tiff_windows import TiffWindows
from labeling.pyramid import read_region
from worker.cellsam.preprocess import Window

Samples = NDArray[Any]
ANY_SIZE = 2**62  # pixels or bytes: what is never whole in memory has no limit
STRIDE_PX = 2048  # side of the windows in which a whole image passes through memory


class PixelSource(Protocol):
    """An image that can be read in parts, any number of times, always with the same samples."""

    @property
    def height(self) -> int: ...

    @property
    def width(self) -> int: ...

    @property
    def channels(self) -> int: ...

    @property
    def dtype(self) -> np.dtype[Any]: ...

    def read(self, window: Window) -> Samples:
        """(y1 - y0, x1 - x0, channels) samples of `dtype`."""
        ...


@dataclass(frozen=True, slots=True)
class ArraySource:
    """An array (H, W) or (H, W, C): in memory, or a memory map (`numpy.load(path, mmap_mode="r")`)."""

    array: Samples

    @property
    def height(self) -> int:
        return int(self.array.shape[0])

    @property
    def width(self) -> int:
        return int(self.array.shape[1])

    @property
    def channels(self) -> int:
        return int(self.array.shape[2]) if self.array.ndim == 3 else 1

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.array.dtype

    def read(self, window: Window) -> Samples:
        x0, y0, x1, y1 = window
        part = np.asarray(self.array[y0:y1, x0:x1])
        return part[..., None] if part.ndim == 2 else part


@dataclass(frozen=True, slots=True)
class MadeOf:
    """What is computed from another source, pixel by pixel: its size, and its type unless a subclass says otherwise."""

    source: PixelSource

    @property
    def height(self) -> int:
        return self.source.height

    @property
    def width(self) -> int:
        return self.source.width

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.source.dtype


class PyramidSource:
    """Some channels, by number, of a pyramid that `labeling.pyramid` wrote; decodes the tiles that a window touches."""

    def __init__(
        self, file: str | Path | BinaryFile, channels: Sequence[int], *, height: int, width: int
    ) -> None:
        self._file = file
        self._channels = list(channels)
        self.height = height
        self.width = width
        self.channels = len(self._channels)
        self.dtype: np.dtype[Any] = self.read((0, 0, 1, 1)).dtype

    def read(self, window: Window) -> Samples:
        return np.moveaxis(read_region(self._file, window, channels=self._channels), 0, -1)


def windows(height: int, width: int, side: int = STRIDE_PX) -> Iterator[Window]:
    """The whole image, once, in squares of at most `side`, row-major."""
    for y in range(0, height, side):
        for x in range(0, width, side):
            yield x, y, min(width, x + side), min(height, y + side)


def open_source(path: Path) -> PixelSource:
    """An image file as it is read in parts: TIFF block by block, .npy as a memory map; PNG and JPEG, whole.

    Raises PixelError for a file that cannot be taken in.
    """
    with path.open("rb") as file:
        info = probe(file, path.name, max_pixels=ANY_SIZE, max_bytes=ANY_SIZE)
        if info.format == "tiff":
            return TiffWindows(path)
        if info.format != "npy":
            return ArraySource(np.moveaxis(read_pixels(file, path.name).array, 0, -1))
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    planes_first = array.ndim == 3 and array.shape[:2] != (info.height, info.width)
    return ArraySource(np.moveaxis(array, 0, -1) if planes_first else array)
