"""Files that no laboratory should be able to break an upload with."""

from __future__ import annotations

import io
import pickle
import struct
import zlib
from dataclasses import dataclass

import numpy as np
import tifffile


@dataclass(frozen=True, slots=True)
class BadFile:
    name: str
    content: bytes


class Boom:
    """Pickled into a .npy: reading it with pickle allowed would run code."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (exec, ("raise SystemExit('the pickle was opened')",))


def truncated_tiff() -> BadFile:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, np.random.default_rng(0).integers(0, 4000, (256, 256), dtype=np.uint16))
    return BadFile("truncated.tif", buffer.getvalue()[: buffer.tell() // 3])


def text_named_png() -> BadFile:
    return BadFile("notes.png", b"these are my notes on the experiment, not an image\n" * 20)


def huge_header_png() -> BadFile:
    """A valid PNG header of 100000 x 100000 pixels with hardly any data behind it."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 0, 0, 0, 0)
    data = zlib.compress(b"\0" * 1000)
    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    return BadFile("bomb.png", content)


def float_nan_tiff() -> BadFile:
    image = np.random.default_rng(0).random((128, 128), dtype=np.float32)
    image[5, 7] = np.nan
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, image)
    return BadFile("ratio_with_nan.tif", buffer.getvalue())


def pickled_npy() -> BadFile:
    buffer = io.BytesIO()
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"
    padded = header + b" " * (63 - (10 + len(header)) % 64) + b"\n"
    buffer.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(padded)) + padded)
    pickle.dump([Boom()], buffer)
    return BadFile("plate.npy", buffer.getvalue())


def all_bad_files() -> list[BadFile]:
    return [truncated_tiff(), text_named_png(), huge_header_png(), float_nan_tiff(), pickled_npy()]
