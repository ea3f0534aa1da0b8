"""One tiled, pyramidal TIFF for each image: the browser reads tiles of it, the workers all of it or a window.

A channel is a page; its smaller levels are sub-pages, each half the one before (mean of 2 x 2), until one tile holds
the whole level. Tiles are 512 x 512, zlib without a predictor, so that an inner tile's bytes go to the browser as
they lie in the file. Any program that reads pyramidal TIFF can open it.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from tifffile import TiffFile, TiffPage, TiffWriter

from labeling.pixels import BinaryFile

TILE_SIZE = 512
_ZLIB_LEVEL = 1  # camera noise hardly compresses: level 6 takes 5 times as long for 2 % less
_BIGTIFF_FROM = 3 * 2**30  # bytes of samples; classic TIFF ends at 4 GB

Plane = NDArray[np.uint8] | NDArray[np.uint16]


class TileNotFound(LookupError):
    """The pyramid has no such channel, level, row or column."""


@dataclass(frozen=True, slots=True)
class Level:
    """One size of the image, in pixels."""

    height: int
    width: int

    @property
    def rows(self) -> int:
        return math.ceil(self.height / TILE_SIZE)

    @property
    def columns(self) -> int:
        return math.ceil(self.width / TILE_SIZE)


@dataclass(frozen=True, slots=True)
class Tile:
    """Samples of one tile, cut at the image's edge: row-major, little-endian, zlib-compressed."""

    width: int
    height: int
    dtype: str  # "uint8" or "uint16"
    zlib_bytes: bytes


def levels(height: int, width: int) -> list[Level]:
    """The sizes of all levels, full size first; the last fits one tile."""
    sizes = [Level(height, width)]
    while sizes[-1].height > TILE_SIZE or sizes[-1].width > TILE_SIZE:
        sizes.append(Level((sizes[-1].height + 1) // 2, (sizes[-1].width + 1) // 2))
    return sizes


def halve(plane_hw: Plane) -> Plane:
    """The plane at half its size, rounded up: each pixel the rounded mean of 2 x 2, the edge repeated if odd."""
    height, width = plane_hw.shape
    even = (
        np.pad(plane_hw, ((0, height % 2), (0, width % 2)), mode="edge")
        if height % 2 or width % 2
        else plane_hw
    )
    total: NDArray[np.uint32] = even[0::2, 0::2].astype(np.uint32)
    for part in (even[0::2, 1::2], even[1::2, 0::2], even[1::2, 1::2]):
        np.add(total, part, out=total)
    total += 2
    total >>= 2
    return total.astype(np.uint8) if plane_hw.dtype == np.uint8 else total.astype(np.uint16)


def write_pyramid(array_chw: Plane, file: str | Path | IO[bytes]) -> None:
    """Write all levels of a (C, H, W) uint8 or uint16 array. Needs a third of the array's size beside it."""
    if array_chw.ndim != 3 or array_chw.dtype not in (np.uint8, np.uint16) or 0 in array_chw.shape:
        raise ValueError(
            f"a pyramid holds (C, H, W) uint8 or uint16, not {array_chw.shape} {array_chw.dtype}"
        )
    smaller = len(levels(*array_chw.shape[1:])) - 1
    with TiffWriter(file, bigtiff=array_chw.nbytes > _BIGTIFF_FROM, byteorder="<") as writer:
        for plane in array_chw:
            _write_page(writer, plane, smaller=smaller, reduced=False)
            for _ in range(smaller):
                plane = halve(plane)
                _write_page(writer, plane, smaller=0, reduced=True)


def read_tile(file: str | Path | BinaryFile, channel: int, level: int, row: int, column: int) -> Tile:
    """One tile, as the browser takes it. Raises TileNotFound."""
    with _open(file) as tiff:
        page = _page(tiff, channel, level)
        size = Level(page.imagelength, page.imagewidth)
        if not (0 <= row < size.rows and 0 <= column < size.columns):
            raise TileNotFound(
                f"level {level} has {size.rows} x {size.columns} tiles, not row {row} column {column}"
            )
        packed = _packed_tile(tiff, page, row * size.columns + column)
    height = min(TILE_SIZE, size.height - row * TILE_SIZE)
    width = min(TILE_SIZE, size.width - column * TILE_SIZE)
    dtype = np.dtype(page.dtype)
    if (height, width) != (TILE_SIZE, TILE_SIZE):
        samples = _unpack(packed, dtype)[:height, :width]
        packed = zlib.compress(np.ascontiguousarray(samples).tobytes(), _ZLIB_LEVEL)
    return Tile(width=width, height=height, dtype=dtype.name, zlib_bytes=packed)


def read_full(file: str | Path | BinaryFile) -> Plane:
    """The full-size (C, H, W) array."""
    with _open(file) as tiff:
        pages = [page for page in tiff.pages if isinstance(page, TiffPage)]
        array = np.empty((len(pages), pages[0].imagelength, pages[0].imagewidth), dtype=pages[0].dtype)
        for target, page in zip(array, pages, strict=True):
            _read_into(tiff, page, target, top=0, left=0)
    return array


def read_region(
    file: str | Path | BinaryFile,
    box: tuple[int, int, int, int],
    *,
    level: int = 0,
    channels: Sequence[int] | None = None,
) -> Plane:
    """The (C, y1 - y0, x1 - x0) samples of these channels, or all, inside (x0, y0, x1, y1), in pixels of that level.

    Decodes the tiles that the box touches and no others. What lies outside the image is 0. Raises TileNotFound for a
    channel or a level that is not there.
    """
    x0, y0, x1, y1 = box
    with _open(file) as tiff:
        wanted = range(len(tiff.pages)) if channels is None else channels
        pages = [_page(tiff, channel, level) for channel in wanted]
        array = np.zeros((len(pages), max(0, y1 - y0), max(0, x1 - x0)), dtype=pages[0].dtype)
        for target, page in zip(array, pages, strict=True):
            _read_into(tiff, page, target, top=y0, left=x0)
    return array


def _write_page(writer: TiffWriter, plane_hw: Plane, *, smaller: int, reduced: bool) -> None:
    writer.write(
        plane_hw,
        tile=(TILE_SIZE, TILE_SIZE),
        compression="zlib",
        compressionargs={"level": _ZLIB_LEVEL},
        photometric="minisblack",
        subifds=smaller,
        subfiletype=1 if reduced else 0,
        metadata=None,
        contiguous=False,
        maxworkers=1,
    )


@contextmanager
def _open(file: str | Path | BinaryFile) -> Iterator[TiffFile]:
    if isinstance(file, str | Path):
        opened = TiffFile(file)
    else:
        file.seek(0)
        opened = TiffFile(cast("IO[bytes]", file), name="pyramid")
    with opened as tiff:
        yield tiff


def _page(tiff: TiffFile, channel: int, level: int) -> TiffPage:
    try:
        if channel < 0 or level < 0:
            raise IndexError(channel, level)
        page = tiff.pages[channel]
        if level and page.pages is not None:
            page = page.pages[level - 1]
        elif level:
            raise IndexError(level)
    except IndexError as error:
        raise TileNotFound(f"the pyramid has no channel {channel} at level {level}") from error
    if not isinstance(page, TiffPage):
        raise TileNotFound(f"the pyramid has no channel {channel} at level {level}")
    return page


def _packed_tile(tiff: TiffFile, page: TiffPage, index: int) -> bytes:
    tiff.filehandle.seek(page.dataoffsets[index])
    return tiff.filehandle.read(page.databytecounts[index])


def _unpack(packed: bytes, dtype: np.dtype[np.generic]) -> Plane:
    raw = imagecodecs.deflate_decode(packed, out=TILE_SIZE * TILE_SIZE * dtype.itemsize)
    samples: Plane = np.frombuffer(raw, dtype=dtype.newbyteorder("<")).reshape(TILE_SIZE, TILE_SIZE)
    return samples


def _read_into(tiff: TiffFile, page: TiffPage, target_hw: Plane, *, top: int, left: int) -> None:
    """Fill ``target_hw``, whose pixel (0, 0) lies at image pixel (left, top), from the tiles that it touches."""
    size = Level(page.imagelength, page.imagewidth)
    y0, y1 = max(0, top), min(size.height, top + target_hw.shape[0])
    x0, x1 = max(0, left), min(size.width, left + target_hw.shape[1])
    if y0 >= y1 or x0 >= x1:
        return
    for row in range(y0 // TILE_SIZE, (y1 - 1) // TILE_SIZE + 1):
        for column in range(x0 // TILE_SIZE, (x1 - 1) // TILE_SIZE + 1):
            samples = _unpack(_packed_tile(tiff, page, row * size.columns + column), np.dtype(page.dtype))
            ty, tx = row * TILE_SIZE, column * TILE_SIZE
            a, b = max(y0, ty), min(y1, ty + TILE_SIZE)
            c, d = max(x0, tx), min(x1, tx + TILE_SIZE)
            target_hw[a - top : b - top, c - left : d - left] = samples[a - ty : b - ty, c - tx : d - tx]
