"""Windows of a TIFF that may be larger than memory: only the strips or tiles that a window touches are decoded.

What is decoded stays for a while, so that windows side by side, read row by row, decode each block about once.
"""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from threading import Lock
from types import TracebackType

import numpy as np
from tifffile import TiffFileError, TiffPage

from labeling.pixels.info import PixelInfo
from labeling.pixels.limits import Limits, Source
from labeling.pixels.samples import DECODER_ERRORS, AnyArray
from labeling.pixels.tiff import PALETTE, as_shown, layout_of, open_tiff
from labeling.pixels.tiff_blocks import JPEG_COMPRESSIONS, UPLOAD_AGAIN, check_jpeg_blocks

KEPT_BYTES = 2**27  # of decoded blocks: two rows of tiles of 512 x 512 across 20,000 pixels are 80 MB
_ANY_SIZE = Limits(max_pixels=2**62, max_bytes=2**62)


class TiffWindows:
    """A TIFF's channels as (h, w, C) windows of the samples that the file holds; any number of threads may read.

    Raises PixelError as `read_pixels` does, and for a series of several frames.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        source = Source(file=self._file, name=path.name, size=path.stat().st_size, limits=_ANY_SIZE)
        self._source = source
        self._tiff = open_tiff(source)
        layout = layout_of(source, self._tiff)
        if layout.info.frames > 1:
            raise source.error(
                f"it has {layout.info.frames} frames", do="Save the frame you want as its own file."
            )
        self.info: PixelInfo = layout.info
        first = layout.pages[0]
        self._pages, self._run = layout.pages, layout.run
        self.height, self.width = first.imagelength, first.imagewidth
        self._stored = layout.planes  # in the file; a palette has one and shows three
        self.channels = 3 if first.photometric == PALETTE else layout.planes
        self.dtype = np.dtype(np.uint8 if first.photometric == PALETTE else first.dtype).newbyteorder("=")
        for page in self._pages:
            if page.compression in JPEG_COMPRESSIONS:
                check_jpeg_blocks(source, page)
        self._blocks: OrderedDict[tuple[int, int], AnyArray] = OrderedDict()
        self._held = 0
        self._lock = Lock()

    def __enter__(self) -> TiffWindows:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._tiff.close()
        self._file.close()

    def read(self, window: tuple[int, int, int, int]) -> AnyArray:
        """(y1 - y0, x1 - x0, channels) samples inside (x0, y0, x1, y1), which lies inside the image."""
        x0, y0, x1, y1 = window
        first = self._pages[0]
        stored = np.empty((self._stored, y1 - y0, x1 - x0), dtype=np.dtype(first.dtype).newbyteorder("="))
        with self._lock:
            if self._run or self._is_plain:
                self._read_plain(stored, window)
            else:
                per_page = self._stored // len(self._pages)
                for number, page in enumerate(self._pages):
                    self._read_page(page, number, stored[number * per_page : (number + 1) * per_page], window)
        return np.moveaxis(as_shown(first, stored), 0, -1)

    @property
    def _is_plain(self) -> bool:
        """Whether each plane lies in the file as it is: then rows are read, whatever its strips are."""
        first = self._pages[0]
        return (
            all(
                page.is_contiguous and page.samplesperpixel == 1 and not page.is_tiled for page in self._pages
            )
            and first.bitspersample in (8, 16, 32, 64)
            and first.fillorder == 1
        )

    def _read_plain(self, target: AnyArray, window: tuple[int, int, int, int]) -> None:
        x0, y0, x1, y1 = window
        first = self._pages[0]
        dtype = np.dtype(first.dtype).newbyteorder(self._tiff.byteorder)
        row_bytes = self.width * dtype.itemsize
        starts = (
            [first.dataoffsets[0] + place * self.height * row_bytes for place in self._run]
            if self._run
            else [page.dataoffsets[0] for page in self._pages]
        )
        for plane, start in zip(target, starts, strict=True):
            raw = self._source.read_at(start + y0 * row_bytes, (y1 - y0) * row_bytes)
            plane[...] = np.frombuffer(raw, dtype=dtype).reshape(y1 - y0, self.width)[:, x0:x1]

    def _read_page(
        self, page: TiffPage, number: int, target: AnyArray, window: tuple[int, int, int, int]
    ) -> None:
        """Fill (samples, h, w) from the blocks of a page that the window touches."""
        x0, y0, x1, y1 = window
        tall, wide = (page.tilelength, page.tilewidth) if page.is_tiled else (page.rowsperstrip, self.width)
        down, across = -(-self.height // tall), -(-self.width // wide)
        planes = len(target) if page.planarconfig == 2 else 1
        for plane in range(planes):
            part = target[plane : plane + 1] if planes > 1 else target
            for row in range(y0 // tall, (y1 - 1) // tall + 1):
                for column in range(x0 // wide, (x1 - 1) // wide + 1):
                    block = self._block(page, number, (plane * down + row) * across + column)
                    top, left = row * tall, column * wide
                    a, b = max(y0, top), min(y1, top + tall)
                    c, d = max(x0, left), min(x1, left + wide)
                    seen = np.moveaxis(block[a - top : b - top, c - left : d - left], -1, 0)[: len(part)]
                    part[:, a - y0 : b - y0, c - x0 : d - x0] = seen

    def _block(self, page: TiffPage, number: int, index: int) -> AnyArray:
        """(rows, columns, samples) of one strip or tile."""
        if (number, index) in self._blocks:
            self._blocks.move_to_end((number, index))
            return self._blocks[number, index]
        raw = self._source.read_at(page.dataoffsets[index], page.databytecounts[index])
        tables = {"jpegtables": page.jpegtables, "jpegheader": page.jpegheader} if page.jpegtables else {}
        try:
            decoded = page.decode(raw, index, _fullsize=page.is_tiled, **tables)[0]
        except (TiffFileError, *DECODER_ERRORS) as error:
            raise self._source.error(
                f"the pixel data of page {number + 1} are damaged", do=UPLOAD_AGAIN
            ) from error
        if decoded is None:
            raise self._source.error(f"block {index + 1} of page {number + 1} is missing", do=UPLOAD_AGAIN)
        block: AnyArray = decoded[0]
        self._blocks[number, index] = block
        self._held += block.nbytes
        while self._held > KEPT_BYTES and len(self._blocks) > 1:
            self._held -= self._blocks.popitem(last=False)[1].nbytes
        return block
