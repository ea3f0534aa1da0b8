"""Reading a plane from a NIfTI-1 file (.nii or .nii.gz), the format of nnU-Net's data folders.

The header is 348 bytes long: its own length at byte 0, the number of axes and their lengths as eight 16-bit integers
at 40, the type of the samples at 70, where they begin as a float at 108, the magic "n+1" at 344 (NIfTI-1 definition,
nifti1.h). The first axis runs fastest. Scaling is not applied: it changes neither labels nor an image's contrast.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray

from labeling.pixels import DEFAULT_MAX_PIXELS
from worker.cellsam.data.labelled import DataError

HEADER_BYTES = 348
_DTYPES = {
    2: "u1",
    4: "i2",
    8: "i4",
    16: "f4",
    64: "f8",
    256: "i1",
    512: "u2",
    768: "u4",
    1024: "i8",
    1280: "u8",
}


def read_nifti(path: Path) -> NDArray[Any]:
    """(H, W) of a NIfTI-1 file whose other axes have length 1; the first axis of the file is the width.

    Raises DataError for a missing, damaged, oversized or three-dimensional file.
    """
    try:
        with _opened(path) as file:
            return _read_plane(path, file)
    except FileNotFoundError as error:
        raise DataError(path, "no such file") from error
    except (OSError, EOFError, struct.error, zlib.error) as error:
        raise DataError(path, "the file is damaged and cannot be decoded") from error


def _opened(path: Path) -> IO[bytes]:
    if path.suffix == ".gz":
        return cast("IO[bytes]", gzip.open(path, "rb"))
    return path.open("rb")


def _read_plane(path: Path, file: IO[bytes]) -> NDArray[Any]:
    header = file.read(HEADER_BYTES)
    if len(header) < HEADER_BYTES or header[344:348] != b"n+1\0":
        raise DataError(path, "this is not a NIfTI-1 file")
    order = "<" if struct.unpack("<i", header[:4])[0] == HEADER_BYTES else ">"
    height, width = _size(path, struct.unpack(f"{order}8h", header[40:56]))
    code = struct.unpack(f"{order}h", header[70:72])[0]
    if code not in _DTYPES:
        raise DataError(path, f"its samples are of NIfTI type {code}, which is not a plain number")
    dtype = np.dtype(order + _DTYPES[code])
    offset = struct.unpack(f"{order}f", header[108:112])[0]
    if not HEADER_BYTES <= offset <= 2**20:
        raise DataError(path, "its header is damaged")
    file.read(int(offset) - HEADER_BYTES)
    needed = height * width * dtype.itemsize
    data = file.read(needed)  # never more than the header's size, whatever the stream would unpack to
    if len(data) < needed:
        raise DataError(path, "it is cut short")
    return np.frombuffer(data, dtype).reshape(height, width).astype(dtype.newbyteorder("="))


def _size(path: Path, dim: tuple[int, ...]) -> tuple[int, int]:
    """(height, width) of the header's axis lengths."""
    axes = dim[1 : dim[0] + 1] if 2 <= dim[0] <= 7 else ()
    if len(axes) < 2 or min(axes) < 1 or math.prod(axes[2:]) != 1:
        raise DataError(path, f"its axes {axes} are not one plane")
    if axes[0] * axes[1] > DEFAULT_MAX_PIXELS:
        raise DataError(path, f"its header says {axes[0]} x {axes[1]} pixels, more than is accepted")
    return axes[1], axes[0]
