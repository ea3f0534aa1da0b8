"""The strips and tiles of a TIFF page: checked against the file before anything is read, then decoded one by one."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from tifffile import TiffFileError, TiffPage

from labeling.pixels.info import PixelError
from labeling.pixels.jpeg import frame_size
from labeling.pixels.limits import Source
from labeling.pixels.samples import DECODER_ERRORS, AnyArray

RESAVE = "Save it again as TIFF without compression, or with LZW or Deflate, and upload that."
UPLOAD_AGAIN = "Copy it from the original and upload it again."
UNCOMPRESSED = 1

_OLD_JPEG, _JPEG = 6, 7
JPEG_COMPRESSIONS = (_OLD_JPEG, _JPEG)
_COMPRESSIONS = frozenset(
    {UNCOMPRESSED, 5, _OLD_JPEG, _JPEG, 8, 32773, 32946, 50000}  # LZW, JPEG, Deflate, PackBits, Zstandard
)
_MAX_BLOCK_BYTES = 256 * 2**20  # one tile, decoded
_READ_AHEAD = 4 * 2**20  # bytes read in one go; tifffile's own 256 MB would be most of the memory used


def check_blocks(source: Source, page: TiffPage, number: int, count: int, run: int) -> None:
    """Raise PixelError unless every strip or tile of the page can be read and lies inside the file."""
    if page.compression not in _COMPRESSIONS:
        kind = getattr(page.compression, "name", str(page.compression)).replace("_", " ")
        raise source.error(f"its compression ({kind}) cannot be read", do=RESAVE)
    if page.imagedepth != 1 or page.tiledepth != 1 or isinstance(page.bitspersample, tuple):
        raise source.error("its samples are laid out in a way that cannot be read", do=RESAVE)
    contiguous = page.samplesperpixel if page.planarconfig == 1 else 1
    rows, columns = (
        (page.tilelength, page.tilewidth) if page.is_tiled else (page.rowsperstrip, page.imagewidth)
    )
    itemsize = np.dtype(page.dtype).itemsize
    if (
        rows < 1
        or columns < 1
        or (page.is_tiled and rows * columns * contiguous * itemsize > _MAX_BLOCK_BYTES)
    ):
        raise source.error(f"its blocks of {columns} x {rows} pixels cannot be read", do=RESAVE)
    blocks = math.prod(page.chunked)
    if min(len(page.dataoffsets), len(page.databytecounts)) < blocks:
        raise truncated(source, number, count)
    for offset, size in zip(page.dataoffsets[:blocks], page.databytecounts[:blocks], strict=True):
        if offset <= 0 or size <= 0 or offset + size > source.size:
            raise truncated(source, number, count)
    plane_bytes = page.imagelength * page.imagewidth * itemsize
    if run > 1 and page.dataoffsets[0] + run * plane_bytes > source.size:
        raise truncated(source, max(0, source.size - page.dataoffsets[0]) // plane_bytes, run)


def truncated(source: Source, number: int, count: int) -> PixelError:
    if count == 1:
        return source.error("it is truncated: pixel data are missing from the file", do=UPLOAD_AGAIN)
    sound = {0: "None of its pages is complete.", 1: "Page 1 is fine."}.get(
        number, f"Pages 1 to {number} are fine."
    )
    return source.error(
        f"truncated after page {number}",
        fine=f"{sound} What follows is missing from the file.",
        do=UPLOAD_AGAIN,
    )


def read_run(source: Source, page: TiffPage, array: AnyArray, places: Sequence[int]) -> None:
    """Fill a (planes, H, W) array from planes that follow each other, unpacked, from the page's first strip on.

    ``places`` says which of them, counted from 0.
    """
    dtype = np.dtype(page.dtype).newbyteorder(page.parent.byteorder)
    for place, plane in zip(places, array, strict=True):
        raw = source.read_at(page.dataoffsets[0] + place * plane.nbytes, plane.nbytes)
        plane[...] = np.frombuffer(raw, dtype=dtype).reshape(plane.shape)


def read_page(source: Source, page: TiffPage, target_shw: AnyArray, number: int) -> None:
    """Decode a page block by block into its (samples, H, W) planes."""
    if page.compression in JPEG_COMPRESSIONS:
        check_jpeg_blocks(source, page)
    samples, height, width = target_shw.shape
    try:
        for block, (plane, _, top, left, _), _ in page.segments(maxworkers=1, buffersize=_READ_AHEAD):
            if block is None or plane >= samples:
                continue  # the alpha plane of a planar file
            rows, columns = min(block.shape[1], height - top), min(block.shape[2], width - left)
            window = np.moveaxis(block[0, :rows, :columns], -1, 0)[: samples - plane]
            target_shw[plane : plane + window.shape[0], top : top + rows, left : left + columns] = window
    except (TiffFileError, *DECODER_ERRORS) as error:
        raise source.error(
            f"the pixel data of page {number + 1} are damaged",
            fine=f"Pages before it are fine ({number})."
            if number
            else "The other files of the upload are not affected.",
            do=UPLOAD_AGAIN,
        ) from error


def check_jpeg_blocks(source: Source, page: TiffPage) -> None:
    """A JPEG block has a size of its own, which its decoder would allocate."""
    rows, columns = (
        (page.tilelength, page.tilewidth) if page.is_tiled else (page.imagelength, page.imagewidth)
    )
    for offset, size in zip(page.dataoffsets, page.databytecounts, strict=False):
        frame = frame_size(source.read_at(offset, min(size, 2**20)))
        if frame is None or frame[0] > rows or frame[1] > columns:
            raise source.error("its JPEG blocks are damaged", do=RESAVE)
