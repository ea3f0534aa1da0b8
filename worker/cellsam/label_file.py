"""A label map of any size, written to a tiled TIFF in bands: as cells come in, or of cells that are known."""

from __future__ import annotations

import tempfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO

import numpy as np
from numpy.typing import NDArray
from tifffile import TiffWriter

from labeling.rle import BoxMask
from worker.cellsam.stitching import Cell

TILE_PX = 512
_BIGTIFF_FROM = 2**31  # bytes of samples
_HIGHEST_UINT16 = 65_535


class LabelFile:
    """A `CellSink`: labels 1..n in the order in which cells come, 0 background; uint16, or uint32 beyond 65,535; zlib.

    Used as a context; the file appears under its name when the context is left without an error. Rows that later cells
    may still touch are in memory, all others in a temporary file beside it.
    """

    def __init__(self, path: Path, height: int, width: int) -> None:
        self._path = path
        self._size = height, width
        self._bands: dict[int, NDArray[np.uint32]] = {}  # by their number from the top
        self._packed: list[int] = []  # bytes of each finished band
        self.count = 0

    def __enter__(self) -> LabelFile:
        self._spool: IO[bytes] = tempfile.TemporaryFile(dir=self._path.parent)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._spool:
            if error is None:
                self._finish(-(-self._size[0] // TILE_PX))
                self._write()

    def take(self, cells: Sequence[Cell], settled_above: int) -> None:
        for cell in cells:
            self.paint(cell.mask, self.count + 1)
        self.settle(settled_above)

    def paint(self, mask: BoxMask, label: int) -> None:
        """All labels of a file are 1..n, in any order. No pixel of the mask lies above a settled row."""
        self.count += 1
        x0, y0, x1, y1 = mask.box
        pixels = mask.mask()
        for number in range(y0 // TILE_PX, (y1 - 1) // TILE_PX + 1):
            top = number * TILE_PX
            a, b = max(y0, top), min(y1, top + TILE_PX)
            self._band(number)[a - top : b - top, x0:x1][pixels[a - y0 : b - y0]] = label

    def settle(self, above: int) -> None:
        """No further mask has a pixel above this row."""
        self._finish(min(above, self._size[0]) // TILE_PX)

    def _band(self, number: int) -> NDArray[np.uint32]:
        height, width = self._size
        if number not in self._bands:
            self._bands[number] = np.zeros((min(TILE_PX, height - number * TILE_PX), width), dtype=np.uint32)
        return self._bands[number]

    def _finish(self, below: int) -> None:
        """The bands before number `below` will not change any more."""
        for number in range(len(self._packed), below):
            packed = zlib.compress(self._band(number).tobytes(), 1)
            del self._bands[number]
            self._packed.append(self._spool.write(packed))

    def _write(self) -> None:
        height, width = self._size
        dtype: type[np.uint16 | np.uint32] = np.uint16 if self.count <= _HIGHEST_UINT16 else np.uint32
        self._spool.seek(0)
        part = self._path.with_name(self._path.name + ".part")
        with TiffWriter(part, bigtiff=np.dtype(dtype).itemsize * height * width > _BIGTIFF_FROM) as writer:
            writer.write(
                self._tiles(dtype),
                shape=(height, width),
                dtype=dtype,
                tile=(TILE_PX, TILE_PX),
                compression="zlib",
                photometric="minisblack",
                metadata=None,
                maxworkers=1,
            )
        part.replace(self._path)

    def _tiles(self, dtype: type[np.uint16 | np.uint32]) -> Iterator[NDArray[np.uint16 | np.uint32]]:
        for size in self._packed:
            raw = zlib.decompress(self._spool.read(size))
            band: NDArray[np.uint32] = np.frombuffer(raw, dtype=np.uint32).reshape(-1, self._size[1])
            for left in range(0, self._size[1], TILE_PX):
                yield np.ascontiguousarray(band[:, left : left + TILE_PX], dtype=dtype)


def write_label_file(path: Path, masks: Sequence[BoxMask], height: int, width: int) -> None:
    """A `LabelFile` in which mask i has label i + 1, wherever in the image it lies."""
    downwards = sorted(enumerate(masks, start=1), key=lambda labelled: labelled[1].box[1])
    with LabelFile(path, height, width) as file:
        for label, mask in downwards:
            file.settle(mask.box[1])
            file.paint(mask, label)
