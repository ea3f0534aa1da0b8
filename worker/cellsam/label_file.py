"""A label map of any size, written to a tiled TIFF as cells come in."""

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

from worker.cellsam.stitching import Cell

TILE_PX = 512
_BIGTIFF_FROM = 2**31  # bytes of samples


class LabelFile:
    """A `CellSink`: labels 1..n in the order in which cells come, 0 background, uint32, zlib.

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
            self.count += 1
            x0, y0, x1, y1 = cell.mask.box
            mask = cell.mask.mask()
            for number in range(y0 // TILE_PX, (y1 - 1) // TILE_PX + 1):
                top = number * TILE_PX
                a, b = max(y0, top), min(y1, top + TILE_PX)
                self._band(number)[a - top : b - top, x0:x1][mask[a - y0 : b - y0]] = self.count
        self._finish(min(settled_above, self._size[0]) // TILE_PX)

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
        self._spool.seek(0)
        part = self._path.with_name(self._path.name + ".part")
        with TiffWriter(part, bigtiff=4 * height * width > _BIGTIFF_FROM) as writer:
            writer.write(
                self._tiles(),
                shape=(height, width),
                dtype=np.uint32,
                tile=(TILE_PX, TILE_PX),
                compression="zlib",
                photometric="minisblack",
                metadata=None,
                maxworkers=1,
            )
        part.replace(self._path)

    def _tiles(self) -> Iterator[NDArray[np.uint32]]:
        for size in self._packed:
            raw = zlib.decompress(self._spool.read(size))
            band: NDArray[np.uint32] = np.frombuffer(raw, dtype=np.uint32).reshape(-1, self._size[1])
            for left in range(0, self._size[1], TILE_PX):
                yield np.ascontiguousarray(band[:, left : left + TILE_PX])
